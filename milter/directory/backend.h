/*
 * What a backend of the directory does.  It stores keys with sets of tokens, in generations of
 * which one is in use, and beside them a list of marks that only grows; it knows nothing of
 * kinds, digests or accounts.
 *
 *   i:...  an identifier: tokens of the accounts that own it
 *   r:...  a recipient:   tokens of the accounts it may receive for
 *   d:TOK  an account:    tokens of the accounts that receive for it
 *   a:...  another form of an identifier or recipient: tokens, each with a tab and the key that
 *          it is a form of; not counted as entries
 *   c:...  the canary
 */
#ifndef MISSENT_DIRECTORY_BACKEND_H
#define MISSENT_DIRECTORY_BACKEND_H

#include "missent/directory.h"

typedef struct {
	MsDirectoryState state;
	GPtrArray *values;     /* of GPtrArray of char *, one a key asked for */
	GHashTable *receivers; /* token to GPtrArray of char *: d: of every token of the first `owned` keys */
	gsize owned;           /* keys of identifiers; given */
	guint64 room;          /* how many tokens may come; given */
	bool over;             /* there were more, and the answers are not whole */
} MsLookup;

/* What one row of the mapping is stored as. */
typedef struct {
	const char *key, *token;
	const char *const *other_keys; /* other forms; NULL-terminated */
	const char *other_token;
	const char *marks;             /* or NULL */
} MsRowKeys;

/* What separates a token from the key that an other form belongs to. */
#define MS_TOKEN_END '\t'

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
	MsAnswer (*put)(MsBackend *backend, const MsRowKeys *row, bool *changed, GError **error);
	MsAnswer (*remove)(MsBackend *backend, const MsRowKeys *row, bool *changed, GError **error);
	/* Calls `marks` for each list of marks of generation `state->generation` after number
	 * `from`; in `*state` are the generation and the number of lists when it was asked.
	 * MS_ABSENT: there is no generation at all. */
	MsAnswer (*marks)(MsBackend *backend, const char *generation, gint64 from,
		MsDirectoryState *state, void (*take)(const char *marks, void *user), void *user,
		GError **error);
	MsAnswer (*each)(MsBackend *backend,
		void (*row)(const char *key, const char *token, void *user), void *user, GError **error);
	/* One load at a time in a process.  `expected`: about how many entries and other forms. */
	bool (*begin)(MsBackend *backend, gint64 expected, GError **error);
	bool (*add)(MsBackend *backend, const char *key, const char *token, GError **error);
	bool (*add_marks)(MsBackend *backend, const char *marks, GError **error);
	/* Waits for all that was added; how many different entries there are. */
	bool (*finish)(MsBackend *backend, gint64 *entries, GError **error);
	bool (*commit)(MsBackend *backend, const MsDirectoryState *state, GError **error);
	void (*abandon)(MsBackend *backend);
} MsBackendOps;

/* When it was loaded as it is stored: seconds since 1970, and a fraction that tells two within one apart. */
char *ms_state_loaded(const MsDirectoryState *state);
void ms_state_set_loaded(MsDirectoryState *state, const char *stored);

MsBackend *ms_backend_sqlite(const MsDirectorySettings *settings, GError **error);
MsBackend *ms_backend_redis(const MsDirectorySettings *settings, GError **error);

void ms_lookup_init(MsLookup *lookup);
GPtrArray *ms_lookup_values(MsLookup *lookup); /* adds and returns one */
void ms_lookup_clear(MsLookup *lookup);

#endif
