/*
 * A new mapping beside the one in use, before it takes its place: what is new, what is gone, and
 * what has another account than before.
 */
#ifndef MISSENT_DIRECTORY_MOVED_H
#define MISSENT_DIRECTORY_MOVED_H

#include "directory_private.h"
#include "slice.h"
#include "spill.h"

/* The kind of a row as a number, as its records carry it. */
#define MS_KIND_NONE 0         /* of no row: another form */
#define MS_KIND_ACCOUNT 0xffff /* that something is said of an account */
typedef struct MsKindNumbers MsKindNumbers;
MsKindNumbers *ms_kind_numbers_new(const MsKinds *kinds);
void ms_kind_numbers_free(MsKindNumbers *numbers);
guint16 ms_kind_number(const MsKindNumbers *numbers, const char *kind);

typedef struct MsMoved MsMoved;

/* What is given must outlive it.  `before`: the one in use; `place`: for what is put aside, without
 * a path. */
MsMoved *ms_moved_new(MsDirectory *directory, const MsMapping *before, const MsKindNumbers *numbers,
	const MsSpillPlace *place, GError **error);
void ms_moved_free(MsMoved *moved);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsMoved, ms_moved_free)

/* All records of the new one: those of entries, then those about accounts, each in the order of
 * their digests.  False: the world failed.  That the mapping in use is not whole is no failure:
 * importing mends it. */
bool ms_moved_take(MsMoved *moved, const guint8 digest[MS_ENTRY_DIGEST], const MsRecord *record,
	bool of_accounts, GError **error);
bool ms_moved_end(MsMoved *moved, GError **error);

/* After the end.  In one line; the caller's. */
char *ms_moved_text(const MsMoved *moved);
/* NULL, or what speaks against it: of some kind, or of accounts, more than this share; the
 * caller's. */
char *ms_moved_problem(const MsMoved *moved, double share);
/* Some of those that are scattered, by their lines; accounts are masked, values not told. */
void ms_moved_examples(
	const MsMoved *moved, void (*told)(guint64 line, const char *text, void *user), void *user);
/* What is odd, and refused by nobody: a kind of which nothing is as before, as after two columns
 * that changed places; values of customers that are the house's; accounts many of which gave
 * something away and got another's, as after a column that slipped, in too small a part of the
 * file for a limit. */
void ms_moved_odd(
	const MsMoved *moved, void (*told)(guint64 line, const char *text, void *user), void *user);

#endif
