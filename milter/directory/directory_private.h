/* Shared by the files of the directory. */
#ifndef MISSENT_DIRECTORY_PRIVATE_H
#define MISSENT_DIRECTORY_PRIVATE_H

#include <pthread.h>

#include "missent/filter.h"

#include "backend.h"
#include "keys.h"
#include "seen.h"
#include "state.h"

typedef struct MsWatch MsWatch;
typedef struct MsAbsent MsAbsent;
typedef struct MsNames MsNames;

struct MsDirectory {
	MsKinds *kinds;
	MsBackend *backend;
	MsKeys keys;
	char *house;
	char *house_file; /* or NULL */
	bool house_needed;
	char *tag_separators;
	gint64 max_age; /* seconds; 0: any */
	MsLimits judging;
	MsSeen *seen;
	char *import_file; /* where it is kept how far an import has come; or NULL */
	MsWatch *watch; /* or NULL */
	MsDirectoryCounts counts; /* atomic, each by itself */
	gint ends; /* atomic: what reads all of it shall stop */

	pthread_mutex_t lock; /* all below */
	char *lost, *lost_why; /* the generation that was found not to be whole, and why; or NULL */
	MsAbsent *absent; /* or NULL */
	MsNames *names;   /* or NULL */
	bool names_are_old;
	/* The last state that was read and fitted, and what it says; or NULL. */
	char *state;
	MsMapping *mapping;
};

/* directory.c: another question was put; a resolution ended so. */
void ms_directory_count_trip(MsDirectory *directory);
void ms_directory_count_answer(MsDirectory *directory, MsAnswer answer);

/* ---- looking up: lookup.c --------------------------------------------------------------- */

typedef struct {
	MsDirectoryState state;
	/* of GPtrArray of char *: accounts, one list for each name asked for */
	GPtrArray *values;
	/* account to GPtrArray of char *: who receives for it; of the first `owned` names */
	GHashTable *receivers;
	gsize owned;           /* names of identifiers; given */
	guint64 room;          /* how many accounts may come; given */
	/* Words of names that are greeted; given; NULL: names are not looked for.  Then all
	 * accounts
	 * that have to do with it and have names: 1, or 2 if one of the words is in one of them. */
	const char *const *greeted;
	GHashTable *named;     /* account to that */
	bool over;             /* there were more, and the answers are not whole */
} MsLookup;
void ms_lookup_init(MsLookup *lookup);
void ms_lookup_clear(MsLookup *lookup);
/* Names of entries.  Found only in a mapping that is fit for use. */
MsAnswer ms_directory_look_up(
	MsDirectory *directory, const GPtrArray *names, MsLookup *lookup, GError **error);
/* The same for digests. */
MsAnswer ms_lookup_entries(
	MsDirectory *directory, const MsWanted *wanted, guint n, MsLookup *lookup, GError **error);
/* What has been seen, as a state that is fit for use. */
MsMapping *ms_view_mapping(MsDirectory *directory, const MsView *view, GError **error);
/* Is what the mapping has asked for as it was stored?  One that does not say fits. */
bool ms_directory_kinds_fit(const MsDirectory *directory, const MsMapping *mapping, GError **error);
void ms_directory_state_of(const MsMapping *mapping, MsDirectoryState *out);
MsAnswer ms_directory_unfit(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* An older state than one that answered here before (seen.h) is not fit. */
MsAnswer ms_directory_check_seen(
	const MsDirectory *directory, const MsDirectoryState *state, GError **error);
/* There is none. */
MsAnswer ms_directory_none(const MsDirectory *directory, GError **error);
/* A part of it is not there, or is not what it should be. */
MsAnswer ms_directory_lost(GError **error, MsPartId id, const char *what);
#define MS_ANOTHER_MEANWHILE "directory: another mapping was taken into use meanwhile"
#define MS_NOT_THERE "is lost"
#define MS_NOT_WHOLE "is damaged, or is another mapping's"

/* ---- rows: row.c ------------------------------------------------------------------------ */

/* One row of the mapping: the name of its entry, its account, the names of other forms. */
typedef struct {
	char *name, *account;
	GPtrArray *others; /* of char * */
	GArray *marks;     /* of MsMark */
} MsRowStored;
MsRowStored *ms_row_new(MsDirectory *directory, const char *account, const char *kind,
	const char *value, gsize len, const char **why_out);
void ms_row_free(MsRowStored *row);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsRowStored, ms_row_free)
/* The records of a row: its own first.  `said` belongs to `room`, which must not be changed while
 * they are in use. */
typedef struct {
	guint8 digest[MS_ENTRY_DIGEST];
	bool account; /* about an account */
	bool stays;   /* other rows rest on it, too */
	gsize said, said_len; /* in the room */
	guint8 link[MS_LINK_BYTES];
} MsEntry;
void ms_row_entries(const MsKeys *keys, const MsRowStored *row, GArray *entries, GByteArray *room);
GBytes *ms_marks_seal(
	const MsDirectory *directory, const char *generation, gint64 number, const GArray *marks);

/* ---- changes: change.c ------------------------------------------------------------------ */

typedef struct {
	MsRowStored *row;
	bool remove;
	bool changed; /* out: it was not there, or was */
} MsRowChange;
/* All of them, or none.  `source` (or NULL) has come to `position`, from `before` (NULL: from
 * none): if it has not, `*moved_out` is set and nothing is done. */
MsAnswer ms_directory_apply(MsDirectory *directory, MsRowChange *changes, guint n,
	const char *source, const char *before, const char *position, bool *moved_out,
	GError **error);

/* Entries that go from these slices of a generation: all of them, or none. */
typedef struct {
	const char *generation;
	const MsPartId *slices;
	guint n;
	MsSliceGoes goes;
	void *user;
	gint64 rows;    /* out: how many of them were rows */
	gint64 version; /* out: of what they were taken from */
} MsStrip;
/* MS_RETRY: also where another generation is in use. */
MsAnswer ms_directory_strip(MsDirectory *directory, MsStrip *strip, GError **error);
/* What an entry says as a row, where digests are off and it is one; else false.  The texts are the
 * caller's, and `*value_out` is in `*name_out`. */
bool ms_said_row(
	const MsSaid *said, char **name_out, const char **kind_out, const char **value_out);

/* ---- the whole: sweep.c ----------------------------------------------------------------- */

/* Goes over all of a generation, a group of slices or some lists of marks a step. */
typedef struct MsSweep MsSweep;
typedef void (*MsSweepWrong)(const char *part, const char *why, void *user);
typedef void (*MsSweepEntry)(const guint8 key[MS_ENTRY_KEY], const MsSaid *said, void *user);
/* `mapping` is borrowed.  `wrong`: for each part that is not right; without it the first one ends
 * the sweep.  `entry`: for each entry, or NULL. */
MsSweep *ms_sweep_new(MsDirectory *directory, const MsMapping *mapping, MsSweepWrong wrong,
	MsSweepEntry entry, void *user);
void ms_sweep_free(MsSweep *sweep);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsSweep, ms_sweep_free)
/* A replica is not asked. */
void ms_sweep_primary(MsSweep *sweep);
/* Only slices about accounts (and some others), and no sums. */
void ms_sweep_accounts(MsSweep *sweep);
guint32 ms_sweep_steps(const MsSweep *sweep);
/* While `entry` is called: the slice that it stands in. */
guint32 ms_sweep_slice(const MsSweep *sweep);
/* To its end. */
MsAnswer ms_sweep_all(MsSweep *sweep, GError **error);
/* MS_FOUND: go on; MS_ABSENT: all was gone over, and `*whole_out` says whether all of it was right;
 * MS_CONFIG: it is not (without `wrong`), or is not in use any more. */
MsAnswer ms_sweep_step(MsSweep *sweep, bool *whole_out, GError **error);

void ms_watch_free(MsWatch *watch);
/* NULL: there is none now, or it cannot be asked; `*answer_out` (NULL for none) says which. */
MsMapping *ms_directory_in_use(
	MsDirectory *directory, bool primary, MsAnswer *answer_out, GError **error);

/* ---- what is not in it: absent.c -------------------------------------------------------- */

void ms_absent_start(MsDirectory *directory);
void ms_absent_stop(MsDirectory *directory);
/* Reads what has changed; false: it could not be. */
bool ms_absent_read(MsDirectory *directory);
/* What was read last; NULL: nothing, or it is known to be of another content. */
MsNames *ms_absent_names(MsDirectory *directory);
void ms_absent_old(MsDirectory *directory, const MsNames *names);
void ms_names_unref(MsNames *names);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsNames, ms_names_unref)
/* It is certainly not in that content. */
bool ms_names_lack(const MsNames *names, const MsWanted *wanted);
bool ms_names_are_of(const MsNames *names, const MsMapping *mapping);

#endif
