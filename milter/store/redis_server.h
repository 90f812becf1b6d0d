/*
 * One Redis server: a pool of connections to it, and whether it is worth asking.
 *
 * Who waits in vain for a server pays one timeout and says so to all: whoever waits for it
 * too, and whoever comes later, fails at once, until a probe has been answered.
 */
#ifndef MISSENT_STORE_REDIS_SERVER_H
#define MISSENT_STORE_REDIS_SERVER_H

#include "redis_wire.h"

typedef struct MsServer MsServer;

/* What servers of one kind have in common; outlives them. */
typedef struct {
	const char *what; /* "Redis" or "Sentinel" */
	char *user, *password, *database; /* or NULL */
	MsTls *tls;
	gsize max_bytes;
	gint64 timeout_us;
	guint keep;
	bool refuse_eviction;
	void (*trouble)(void *user); /* somebody must probe */
	void *user_data;
} MsServerHow;

MsServer *ms_server_new(const char *address, const MsServerHow *how, GError **error);
MsServer *ms_server_ref(MsServer *server);
void ms_server_unref(MsServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsServer, ms_server_unref)
const char *ms_server_name(const MsServer *server);
const char *ms_server_host(const MsServer *server); /* NULL: a Unix socket */
bool ms_server_is_here(const MsServer *server);

/* All commands in one round trip, within one deadline.  MS_FOUND: `replies` has one for each, of
 * which any may be MS_REPLY_ERROR. */
MsAnswer ms_server_ask(
	MsServer *server, const MsCommand *commands, gsize n, GPtrArray *replies, GError **error);
/* The same in two steps: commands are under way to several servers before any is waited for. */
typedef struct MsPending MsPending;
MsAnswer ms_server_begin(MsServer *server, const MsCommand *commands, gsize n,
	MsPending **pending_out, GError **error);
/* Takes `pending`; `commands` are those that it was begun with. */
MsAnswer ms_server_finish(
	MsPending *pending, const MsCommand *commands, gsize n, GPtrArray *replies, GError **error);
/* A connection that is nobody else's, logged in. */
MsAnswer ms_server_open(MsServer *server, MsWire **wire_out, GError **error);
/* What an error reply means. */
MsAnswer ms_server_error(const MsServer *server, const char *text, GError **error);
/* When it wants to be probed (monotonic); 0: it does not. */
gint64 ms_server_probe_at(MsServer *server);
void ms_server_probe(MsServer *server, int call_off);
/* Whoever waits for it, waits no more. */
void ms_server_give_up(MsServer *server);

/* The value of a line NAME:VALUE of INFO; NULL: there is none. */
char *ms_info_value(const char *info, const char *name);

#endif
