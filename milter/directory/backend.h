/*
 * What a backend of the directory does.  It stores keys with sets of tokens, in generations of
 * which one is in use; it knows nothing of kinds, digests or accounts.
 *
 *   i:...  an identifier: tokens of the accounts that own it
 *   r:...  a recipient:   tokens of the accounts it may receive for
 *   d:TOK  an account:    tokens of the accounts that receive for it
 *   c:...  the canary
 */
#ifndef MISSENT_DIRECTORY_BACKEND_H
#define MISSENT_DIRECTORY_BACKEND_H

#include "missent/directory.h"

typedef struct {
	MsDirectoryState state;
	GPtrArray *values;     /* of GPtrArray of char *, one a key asked for */
	GHashTable *receivers; /* token to GPtrArray of char *: d: of every token in `values` */
} MsLookup;

typedef struct MsBackend MsBackend;

struct MsBackend {
	const struct MsBackendOps *ops;
};

typedef struct MsBackendOps {
	const char *name;
	void (*close)(MsBackend *backend);
	/* In one round trip.  MS_ABSENT: there is no generation at all. */
	MsAnswer (*lookup)(MsBackend *backend, const char *const *keys, gsize n, MsLookup *out,
		GError **error);
	MsAnswer (*put)(MsBackend *backend, const char *key, const char *token, bool *changed,
		GError **error);
	MsAnswer (*remove)(MsBackend *backend, const char *key, const char *token, bool *changed,
		GError **error);
	MsAnswer (*each)(MsBackend *backend,
		void (*row)(const char *key, const char *token, void *user), void *user, GError **error);
	/* One load at a time in a process. */
	bool (*begin)(MsBackend *backend, GError **error);
	bool (*add)(MsBackend *backend, const char *key, const char *token, GError **error);
	/* Waits for all that was added; how many different entries there are. */
	bool (*finish)(MsBackend *backend, gint64 *entries, GError **error);
	bool (*commit)(MsBackend *backend, const MsDirectoryState *state, GError **error);
	void (*abandon)(MsBackend *backend);
} MsBackendOps;

MsBackend *ms_backend_sqlite(const MsDirectorySettings *settings, GError **error);
MsBackend *ms_backend_redis(const MsDirectorySettings *settings, GError **error);

GPtrArray *ms_lookup_values(MsLookup *lookup); /* adds and returns one */
void ms_lookup_clear(MsLookup *lookup);

#endif
