/*
 * directory.h - whose is this identifier, and which accounts may this recipient receive for?
 *
 * WHAT    Resolves all identifiers and recipients of a message in one round trip, and loads
 *         the mapping.
 * OWNS    MsDirectory, MsResolution: freed by their _free functions.
 * ERRORS  MsAnswer.  MS_RETRY and MS_CONFIG mean that nothing is known of any identifier: the
 *         directory is unreachable, empty, older than max-age or than the one in use
 *         before, without its canary or made with another site key.  They are never "not found".
 * THREADS ms_directory_resolve() from any number of threads.
 * LIMITS  An account name has at most 200 bytes and no control characters.  What the answers to one
 *         message may bring is bounded (MS_COST_ACCOUNT): see ms_resolution_over().
 * NOT     Judges nothing.
 *
 * missent-directory(7) documents what is stored, for programs that write it themselves.
 */
#ifndef MISSENT_DIRECTORY_H
#define MISSENT_DIRECTORY_H

#include <glib.h>
#include <stdbool.h>

#include "missent/answer.h"
#include "missent/identifier.h"
#include "missent/kind.h"
#include "missent/redis.h"
#include "missent/resolution.h"

typedef enum { MS_BACKEND_SQLITE, MS_BACKEND_REDIS } MsBackendType;

typedef struct {
	MsBackendType backend;
	const char *sqlite;         /* path */
	MsRedisSettings redis;
	const char *redis_prefix;
	const char *key_file;       /* the site key */
	bool digests;               /* false: everything is stored as it is */
	gint64 max_age_ms;          /* 0: any age */
	const char *house;          /* the house account */
	const char *tag_separators; /* "+" */
	const MsLimits *judging;    /* of each resolution; NULL: usual ones */
	const char *seen_file;      /* where the newest mapping in use is remembered; NULL: in memory only */
} MsDirectorySettings;

typedef struct MsDirectory MsDirectory;

MsDirectory *ms_directory_open(const MsDirectorySettings *settings, MsKinds *kinds, GError **error);
void ms_directory_free(MsDirectory *directory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsDirectory, ms_directory_free)

/* ---- asking --------------------------------------------------------------------------- */

MsAnswer ms_directory_resolve(MsDirectory *directory, const MsIdentifier *const *identifiers,
	gsize n_identifiers, const char *const *recipients, gsize n_recipients,
	MsResolution **resolution_out, GError **error);

/* ---- known identifiers ------------------------------------------------------------------ */

/* The marks (filter.h) of all that the mapping in use knows; or, where `generation` is the one
 * in use already, of what was added after its change number `changes`. */
typedef struct {
	char *generation;
	gint64 changes;
	GArray *marks; /* of MsMark */
	bool whole;    /* all of the generation, not only what was added */
} MsKnown;
void ms_known_free(MsKnown *known);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsKnown, ms_known_free)
MsAnswer ms_directory_known(MsDirectory *directory, const char *generation, gint64 changes,
	MsKnown **known_out, GError **error);
/* The key that the marks are made with. */
void ms_directory_filter_key(const MsDirectory *directory, guint8 key[16]);

/* ---- the mapping ---------------------------------------------------------------------- */

/* What a line may say beside the kinds of kinds.conf. */
#define MS_ROW_RECIPIENT "recipient"       /* an address, or @domain */
#define MS_ROW_RECEIVES_FOR "receives-for" /* another account */

/* The stored key of account, kind and value; NULL and `*why_out` (static) if not valid. */
char *ms_directory_key(MsDirectory *directory, const char *kind, const char *value, gsize len,
	const char **why_out);

typedef struct {
	char *generation;
	char *source;   /* where the last import came from */
	gint64 loaded;  /* seconds since 1970 */
	gint64 loaded_us; /* the same in microseconds */
	gint64 entries;
	gint64 changes; /* grows whenever something is added */
	bool digests;
} MsDirectoryState;
void ms_directory_state_clear(MsDirectoryState *state);
/* Also when it is unusable for verdicts; then the answer and error say why. */
MsAnswer ms_directory_state(MsDirectory *directory, MsDirectoryState *state_out, GError **error);

/* The mapping as it is now may be used, though one that was imported later was in use before. */
MsAnswer ms_directory_accept(MsDirectory *directory, GError **error);

/* One entry in the generation in use.  `*changed_out`: it was not there (put), was (delete). */
MsAnswer ms_directory_put(MsDirectory *directory, const char *account, const char *kind,
	const char *value, bool *changed_out, GError **error);
MsAnswer ms_directory_delete(MsDirectory *directory, const char *account, const char *kind,
	const char *value, bool *changed_out, GError **error);
/* Does the mapping say anything of that account?  All of it is looked through.  MS_ABSENT: no;
 * `*near_out` (the caller's; NULL for none) is the account of the most similar name. */
MsAnswer ms_directory_has_account(MsDirectory *directory, const char *account, char **near_out,
	GError **error);
/* Every entry, where digests are off. */
MsAnswer ms_directory_each(MsDirectory *directory,
	void (*row)(const char *account, const char *kind, const char *value, void *user), void *user,
	GError **error);

typedef struct {
	double max_shrink;   /* refuse to lose more than this share of the entries; 1: any */
	double max_bad;      /* refuse when more than this share of the lines is bad */
	bool dry_run;
	const char *source;  /* for the state: a file name */
	void (*bad)(guint64 line, const char *why, void *user);
	void (*progress)(guint64 lines, void *user);
	void *user;
} MsImportOptions;

typedef struct {
	guint64 lines, bad;
	gint64 entries, before;
} MsImportResult;

/* Reads a CSV file (account,kind,value) into a new generation and takes it into use at once,
 * or not at all. */
bool ms_directory_import(MsDirectory *directory, int fd, const MsImportOptions *options,
	MsImportResult *result_out, GError **error);

#endif
