/*
 * Identifiers that had one account and have another: do accounts move as wholes (a new name, a
 * merger, one that was split), or are their identifiers scattered over the accounts of others, as
 * by a column that slipped by a row?
 */
#ifndef MISSENT_DIRECTORY_SCATTER_H
#define MISSENT_DIRECTORY_SCATTER_H

#include "spill.h"

typedef enum {
	MS_MOVE_RENAMED, /* all of an account that is no more went to one that is new */
	MS_MOVE_MERGED,  /* all of an account that is no more went to one that has others' too */
	MS_MOVE_SPLIT,   /* to a new account, which has nothing of anybody else's */
	MS_MOVE_SCATTERED, /* to others: somebody gets what he had no right to */
	MS_N_MOVES,
} MsMove;

/* An account that has an identifier; and, of the new mapping, the line that says so. */
typedef struct {
	const char *name; /* not ended */
	gsize len;
	guint32 line;
} MsHolder;

#define MS_SCATTER_EXAMPLES 5
typedef struct {
	guint32 line; /* 0: of none */
	guint kind;
	char *from; /* whose it was */
} MsScatterExample;

typedef struct {
	guint64 *values[MS_N_MOVES]; /* by kind */
	guint64 *gained; /* by kind: came to a further account, which there was before */
	guint64 accounts[MS_N_MOVES]; /* that they came from */
	guint64 chained; /* accounts that lost some to another, and got some of another's */
	MsScatterExample examples[MS_SCATTER_EXAMPLES]; /* the first lines */
	guint n_examples;
} MsScattered;
void ms_scattered_clear(MsScattered *scattered);

typedef struct MsScatter MsScatter;

/* `kinds`: their numbers are below it.  `place`: for what it puts aside, without a path.  What is
 * given must outlive it. */
MsScatter *ms_scatter_new(const MsSpillPlace *place, guint kinds, GError **error);
void ms_scatter_free(MsScatter *scatter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsScatter, ms_scatter_free)

/* An account that is no more, or was not before. */
bool ms_scatter_vanished(MsScatter *scatter, const MsHolder *account, GError **error);
bool ms_scatter_fresh(MsScatter *scatter, const MsHolder *account, GError **error);

typedef struct {
	guint8 digest[MS_ENTRY_DIGEST];
	guint kind;
} MsMovedValue;
/* A value left one account and came to another.  `sure`: no others left it, or came to it. */
bool ms_scatter_pair(MsScatter *scatter, const MsMovedValue *value, const MsHolder *from,
	const MsHolder *to, bool sure, GError **error);
/* So many of these pairs, which are not sure, are moves. */
void ms_scatter_unsure(MsScatter *scatter, guint kind, guint64 n);
/* A value came to an account, and left none. */
bool ms_scatter_gain(
	MsScatter *scatter, const MsMovedValue *value, const MsHolder *to, GError **error);

/* After all of them. */
bool ms_scatter_end(MsScatter *scatter, MsScattered *out, GError **error);

#endif
