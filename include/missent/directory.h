/*
 * directory.h - whose is this identifier, and which accounts may this recipient receive for?
 *
 * WHAT    Resolves all identifiers and recipients of a message in one round trip, and loads
 *         the mapping.
 * OWNS    MsDirectory, MsResolution: freed by their _free functions.
 * ERRORS  MsAnswer.  MS_RETRY and MS_CONFIG mean that nothing is known of any identifier: the
 *         directory is unreachable, empty, older than max-age or than the one in use before, not
 *         whole, changed by others or made with another site key.  They are never "not found".
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
	/* Where the newest mapping in use is remembered, and beside it how far an import has
	 * come; NULL: in memory only */
	const char *seen_file;
	/* Rows of the house (account,kind,value) that each import has beside those of its file;
	 * NULL: none.  It must be there only if `house_needed`. */
	const char *house_file;
	bool house_needed;
} MsDirectorySettings;

typedef struct MsDirectory MsDirectory;

MsDirectory *ms_directory_open(const MsDirectorySettings *settings, MsKinds *kinds, GError **error);
void ms_directory_free(MsDirectory *directory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsDirectory, ms_directory_free)

/* ---- asking --------------------------------------------------------------------------- */

MsAnswer ms_directory_resolve(MsDirectory *directory, const MsIdentifier *const *identifiers,
	gsize n_identifiers, const char *const *recipients, gsize n_recipients,
	MsResolution **resolution_out, GError **error);

/* The same, and whether one of the names that it greets (canonical, of char *) is one that the
 * directory has for an account that has to do with it: ms_resolution_greeted(). */
MsAnswer ms_directory_resolve_greeted(MsDirectory *directory,
	const MsIdentifier *const *identifiers, gsize n_identifiers, const char *const *recipients,
	gsize n_recipients, const GPtrArray *greeted, MsResolution **resolution_out,
	GError **error);

/* What it answers about a message, kept to see what it would say if rows were in the mapping that
 * are not, or were not in it. */
typedef struct MsAsked MsAsked;
MsAnswer ms_directory_ask(MsDirectory *directory, const MsIdentifier *const *identifiers,
	gsize n_identifiers, const char *const *recipients, gsize n_recipients,
	const GPtrArray *greeted, MsAsked **asked_out, GError **error);
void ms_asked_free(MsAsked *asked);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsAsked, ms_asked_free)
typedef struct {
	const char *account, *kind, *value; /* borrowed */
	bool remove;
} MsSuppose;
/* Is it a row that the mapping takes, that has to do with what was asked, and would it change
 * anything: it is not there, or (remove) it is? */
bool ms_asked_matters(const MsAsked *asked, const MsSuppose *row);
MsResolution *ms_asked_resolve(const MsAsked *asked, const MsSuppose *rows, guint n);

/* Since it was opened. */
typedef struct {
	guint64 round_trips;       /* questions put to the store */
	guint64 unreachable, unfit; /* resolutions without an answer: MS_RETRY, MS_CONFIG */
} MsDirectoryCounts;
void ms_directory_counts(const MsDirectory *directory, MsDirectoryCounts *out);

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
/* A key of the site's for that purpose alone; one that anybody may make where values are in the
 * open. */
void ms_directory_subkey(const MsDirectory *directory, const char *purpose, guint8 key[32]);

/* ---- the mapping ---------------------------------------------------------------------- */

/* What a line may say beside the kinds of kinds.conf. */
#define MS_ROW_RECIPIENT "recipient"       /* an address, or @domain */
#define MS_ROW_RECEIVES_FOR "receives-for" /* another account */
#define MS_ROW_GREETED_AS "greeted-as"     /* the name of somebody who has its mail (greeting.h) */
/* All of these, and NULL. */
extern const char *const ms_rows_beside_kinds[];

/* Why no row can name what an envelope has, or NULL; of a route that leads to several mailboxes,
 * none of them. */
const char *ms_recipient_problem(const char *address);

/* The digest of an entry, and its name; with `all` those of other forms and the marks, a line each.
 * NULL and `*why_out` (static) if not valid. */
char *ms_directory_key(MsDirectory *directory, const char *kind, const char *value, gsize len,
	bool all, const char **why_out);

/* What the audit trail tells of an entry: its kind, the value masked, and a digest of the account.
 * `*about_out`: its digest as lines of messages have it; "": it has none there.  Both are the
 * caller's. */
char *ms_directory_told(const MsDirectory *directory, const char *account, const char *kind,
	const char *value, char **about_out);
/* The digest of an account, as lines of messages have it; the caller's. */
char *ms_directory_told_account(const MsDirectory *directory, const char *account);

typedef struct {
	char *generation;
	char *source;   /* where the last import came from */
	gint64 loaded;  /* seconds since 1970 */
	gint64 loaded_us; /* the same in microseconds */
	gint64 entries;
	gint64 changes; /* grows whenever something is added */
	gint64 version; /* grows whenever something is changed */
	bool digests;
} MsDirectoryState;
void ms_directory_state_clear(MsDirectoryState *state);
/* Also when it is unusable for verdicts; then the answer and error say why. */
MsAnswer ms_directory_state(MsDirectory *directory, MsDirectoryState *state_out, GError **error);

/* The mapping as it is now may be used, though one that was imported later was in use before. */
MsAnswer ms_directory_accept(MsDirectory *directory, GError **error);

/* One entry in the generation in use.  `*changed_out`: it was not there (put), was (delete).  The
 * last one is not deleted (MS_ERROR_INPUT): an empty mapping is unavailable. */
MsAnswer ms_directory_put(MsDirectory *directory, const char *account, const char *kind,
	const char *value, bool *changed_out, GError **error);
MsAnswer ms_directory_delete(MsDirectory *directory, const char *account, const char *kind,
	const char *value, bool *changed_out, GError **error);
/* All that is said of an account. */
typedef struct {
	gint64 own; /* its identifiers, recipients and names */
	/* of char *: the accounts it receives for, and those that receive for it; "" where the
	 * mapping has digests and knows nothing of an account but that */
	GPtrArray *receives_for, *received_by;
} MsAccountEntries;
void ms_account_entries_clear(MsAccountEntries *entries);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MsAccountEntries, ms_account_entries_clear)
/* MS_ABSENT: nothing is.  Calls `row` for each of its own, where digests are off. */
MsAnswer ms_directory_account_entries(MsDirectory *directory, const char *account,
	void (*row)(const char *account, const char *kind, const char *value, void *user),
	void *user, MsAccountEntries *entries_out, GError **error);
/* Takes all of that out of the generation in use, in one step, and its name.  MS_ABSENT: nothing
 * was there.  The house's file keeps what is in it. */
MsAnswer ms_directory_remove_account(MsDirectory *directory, const char *account,
	gint64 *removed_out, GError **error);
/* Adds (char *, the caller's) the accounts that have such an entry now. */
MsAnswer ms_directory_holders(MsDirectory *directory, const char *kind, const char *value,
	GPtrArray *accounts, GError **error);
/* Puts, or deletes, in the file of the house, so that the next import has it; without one nothing
 * is done.  The mapping in use is not changed. */
bool ms_directory_change_house(MsDirectory *directory, bool remove, const char *kind,
	const char *value, bool *changed_out, GError **error);
const char *ms_directory_house_file(const MsDirectory *directory); /* NULL: none */
/* Does the mapping say anything of that account, or did since it was imported?  One question.
 * MS_ABSENT: no; `*near_out` (the caller's; NULL for none), where it is wanted, is the account of
 * the most similar name of those that two seconds suffice to look at. */
MsAnswer ms_directory_has_account(MsDirectory *directory, const char *account, char **near_out,
	GError **error);
/* The name of each account of which the mapping says anything, or did; one may come several
 * times. */
MsAnswer ms_directory_accounts(MsDirectory *directory,
	void (*account)(const char *name, void *user), void *user, GError **error);
/* Every entry, where digests are off. */
MsAnswer ms_directory_each(MsDirectory *directory,
	void (*row)(const char *account, const char *kind, const char *value, void *user),
	void *user, GError **error);

/* ---- importing ------------------------------------------------------------------------ */

typedef enum { MS_IMPORT_READ, MS_IMPORT_WRITE, MS_IMPORT_PROVE } MsImportPhase;
typedef struct {
	MsImportPhase phase;
	guint64 lines;       /* read so far */
	guint64 done, total; /* of this phase; 0: nobody knows.  Bytes of the file, or parts */
} MsImportProgress;

#define MS_LINT_MANY 20
/* What is odd in the mapping in use, as far as it can be told without values: `days` since it was
 * imported (0: any), values at many accounts or at the house's, domains of providers. */
MsAnswer ms_directory_lint(MsDirectory *directory, guint many, guint days,
	void (*warn)(guint64 line, const char *text, void *user), void *user, guint64 *warnings_out,
	GError **error);

/* What an import would warn of in such a row, by itself: calls `warn` with `line`. */
void ms_directory_lint_row(MsDirectory *directory, guint64 line, const char *kind,
	const char *value, void (*warn)(guint64 line, const char *text, void *user), void *user);

/* What a file of the mapping looks like: a table; or LDIF (RFC 2849), as ldapsearch prints it, and
 * JSON, which are read as one, a line for each entry. */
typedef struct {
	const char *encoding; /* as iconv calls it; NULL: found out */
	char delimiter;       /* NUL: found out */
	/* "COLUMN=KIND,...": a line for each customer, with a heading; NULL: account,kind,value,
	 * with or without one */
	const char *map;
	const char *account; /* with `map`: the column of the account */
	bool ldif;           /* it is, whatever it begins with */
} MsTableForm;

typedef struct {
	MsTableForm form;
	double max_shrink;   /* refuse to lose more than this share of the entries; 1: any */
	double max_bad;      /* refuse when more than this share of the lines is bad */
	/* refuse when more than this share of a kind, and more than five, would move to accounts of
	 * others; 1: any.  A value that comes to a further account counts a fifth. */
	double max_moved;
	bool accept_moved;   /* take it into use all the same */
	bool dry_run;
	const char *source;  /* for the state: a file name */
	/* SOURCE=ID, NULL-terminated, or NULL: which changes the file has.  A mapping that
	 * follows changes is only replaced by one of which that is known. */
	const char *const *positions;
	bool forget_positions;
	const volatile int *stop; /* not 0: to be stopped */
	void (*bad)(guint64 line, const char *why, void *user);
	void (*note)(const char *text, void *user);
	/* A line of what is other than in the mapping in use; not called where there is none. */
	void (*compared)(const char *text, void *user);
	/* Some of what moved, where that is told or refused; masked, as it may be logged. */
	void (*example)(guint64 line, const char *text, void *user);
	/* What is odd, though it is loaded (line 0: of none, or of the house's own file, which the
	 * text begins with then); never with a value. */
	void (*warn)(guint64 line, const char *text, void *user);
	guint many; /* warn of values at more accounts; 0: MS_LINT_MANY */
	void (*progress)(const MsImportProgress *progress, void *user);
	void *user;
} MsImportOptions;

typedef struct {
	guint64 lines, bad;
	gint64 entries, before;
	guint64 warnings;
	bool refused;  /* by a limit: somebody has to look at it */
	bool accepted; /* more moved than max_moved */
	bool unasked;  /* a dry run: the mapping in use cannot be asked now, nothing was compared */
	bool kept; /* it failed, and the next import of the same file goes on where it was */
} MsImportResult;

/* Reads a CSV file into a new generation, reads that back, and takes it into use at once, or not at
 * all. */
bool ms_directory_import(MsDirectory *directory, int fd, const MsImportOptions *options,
	MsImportResult *result_out, GError **error);
/* Removes some of what is not in use: of mappings before, of imports that were cut off. */
bool ms_directory_tidy(MsDirectory *directory, bool *more_out, GError **error);

/* ---- following changes ----------------------------------------------------------------- */

/* One change; NULL where it was not given.  Its ID is a number, or two with - between (17,
 * 1764170000000-3), and greater than that of the one before it. */
typedef struct {
	char *id, *account, *kind, *value;
	bool remove;
	guint64 line; /* of a file; 0: of a stream */
	char *raw;    /* what it was read from */
	char *why;    /* it is not good, and why; or NULL */
	bool late;    /* for one of a greater ID stood before it */
} MsChange;

/* Where changes come from: JSON lines or CSV (id,op,account,kind,value), or a stream of Redis. */
typedef struct MsChanges MsChanges;
/* `wait`: a file that ends may grow. */
MsChanges *ms_changes_from_file(int fd, bool csv, bool wait);
MsChanges *ms_changes_from_stream(const MsRedisSettings *settings, const char *key,
	const char *group, const char *consumer, GError **error);
void ms_changes_free(MsChanges *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsChanges, ms_changes_free)
GPtrArray *ms_changes_batch(void); /* of MsChange */
/* How far their source had come before: of lines, what is not above it was there already, in
 * whatever order; any other that stands behind one of a greater ID is not good, unless the same
 * line stood among the last 10,000. */
void ms_changes_begin(MsChanges *source, const char *position);
/* How far a source of changes has come, to be freed; "" with MS_FOUND: nothing of it is there. */
char *ms_directory_position(
	MsDirectory *directory, const char *source, MsAnswer *answer_out, GError **error);
/* Adds those that are there; waits for the first for `wait_ms`.  MS_ABSENT: there are no more. */
MsAnswer ms_changes_next(MsChanges *source, GPtrArray *batch, gint64 wait_ms, GError **error);
/* They are in the mapping, or set aside. */
MsAnswer ms_changes_done(MsChanges *source, const GPtrArray *batch, GError **error);

typedef struct {
	guint applied, repeated, bad;
} MsFollowed;
/* A batch of changes, in one step with the position of their source: all, or none.  `aside` is
 * called before for each that is not good, with the reason; where it says false nothing is done. */
MsAnswer ms_directory_follow(MsDirectory *directory, const char *source, GPtrArray *changes,
	bool (*aside)(const MsChange *change, void *user, GError **error), void *user,
	MsFollowed *followed_out, GError **error);
/* Letters, digits and . _ : - */
bool ms_directory_source_valid(const char *name);

/* ---- is it whole? --------------------------------------------------------------------- */

/* Calls `wrong` for each part that is not what it should be. */
typedef struct {
	MsDirectoryState state;
	gint64 parts, entries, other_forms, wrong;
} MsVerified;
void ms_verified_clear(MsVerified *verified);
MsAnswer ms_directory_verify(MsDirectory *directory,
	void (*wrong)(const char *part, const char *why, void *user), void *user,
	MsVerified *verified_out, GError **error);

/* Is each row of a CSV file in it, with its marks?  Calls `wrong` for each that is not, and for
 * each that is no row.  `*right_out`: how many are. */
MsAnswer ms_directory_compare(MsDirectory *directory, int fd, const MsTableForm *form,
	void (*wrong)(guint64 line, const char *why, void *user), void *user, guint64 *right_out,
	GError **error);

/* Starts a thread that goes over all of the mapping, evenly over `every_ms`; until the directory is
 * freed.  What it finds makes the mapping unavailable, and is told once: `whole` when it is
 * over. */
typedef void (*MsDirectoryTold)(bool whole, const char *text, void *user);
bool ms_directory_watch(MsDirectory *directory, gint64 every_ms, MsDirectoryTold told, void *user,
	GError **error);
void ms_directory_unwatch(MsDirectory *directory);
/* What was found by the thread of `before` is known to `directory`, too, which is to take its
 * place: of a mapping that both have in use. */
void ms_directory_succeed(MsDirectory *directory, MsDirectory *before);

#endif
