/*
 * redis.h - how Redis is reached, as missent.conf says it.
 *
 * WHAT    One struct of settings, read by config and used by store.
 * OWNS    Nothing: the strings are borrowed.
 * ERRORS  None.
 * THREADS Data only.
 * LIMITS  None.
 * NOT     Does nothing; store.h does.
 */
#ifndef MISSENT_REDIS_H
#define MISSENT_REDIS_H

#include <glib.h>
#include <stdbool.h>

typedef struct {
	const char *address; /* unix:/path, host:port, [v6]:port; several, parted by blanks */
	const char *user;    /* NULL: none */
	const char *password;
	gint64 database;
	gint64 timeout_ms;   /* for a whole answer: to connect, to log in, to ask and to be told */
	guint connections;   /* kept open when idle */
	gsize max_bytes;     /* of an answer; 0: 64 MiB */
	bool plaintext;      /* beyond this host without TLS */
	bool refuse_eviction; /* a server that may drop keys which never expire */

	bool tls;
	/* files; NULL: the system's authorities, none */
	const char *tls_ca, *tls_certificate, *tls_key;
	/* that a certificate must have; NULL: the host's */
	const char *tls_name;

	bool cluster; /* `address` are nodes of a Cluster, any of them */

	/* Then `address` is not used: who is primary is asked of these. */
	const char *const *sentinels; /* host:port; NULL or empty: no Sentinel */
	const char *master;
	const char *sentinel_user, *sentinel_password;

	const char *replica; /* that answers what only reads; NULL: the primary does */
	gint64 max_lag_ms;   /* how far it may be behind */
	bool replica_only;   /* what it cannot answer is unavailable; else the primary is asked */
} MsRedisSettings;

#endif
