/*
 * tlog.h - a log that others can verify: C2SP tlog-tiles on disk, checkpoints as signed notes.
 *
 * WHAT    Entries appended to a folder; checkpoints, proofs that an entry is in it, and what is
 *         wrong with it.  The tree is that of RFC 6962 with SHA-256, its files those of C2SP
 *         tlog-tiles; checkpoints are C2SP tlog-checkpoint, signed notes with Ed25519; proofs
 *         C2SP tlog-proof.  missent-audit(5) names the files.
 * OWNS    MsTlog; ms_tlog_free().  MsCheckpoint by ms_checkpoint_clear().
 * ERRORS  MS_ERROR_RETRY where the system fails; MS_ERROR_INPUT where a log, a note or a proof is
 *         not what it should be.
 * THREADS One thread a MsTlog; several processes may append to one folder: a lock in it lets one
 *         after the other.
 * LIMITS  Entries of MS_TLOG_MAX_ENTRY bytes; notes of MS_NOTE_MAX.
 * NOT     Who has the signing key can make another log that verifies: checkpoints have to be kept
 *         elsewhere.
 */
#ifndef MISSENT_TLOG_H
#define MISSENT_TLOG_H

#include <glib.h>
#include <stdbool.h>

#define MS_HASH_BYTES 32
#define MS_TLOG_MAX_ENTRY 65535
#define MS_NOTE_MAX (64u << 10)
#define MS_PROOF_MAX 64 /* hashes */

/* ---- notes ---------------------------------------------------------------------------- */

typedef struct {
	char *text; /* the whole signed note */
	char *origin;
	guint64 size;
	guint8 root[MS_HASH_BYTES];
} MsCheckpoint;
void ms_checkpoint_clear(MsCheckpoint *checkpoint);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MsCheckpoint, ms_checkpoint_clear)
/* Of a signed note; with `vkey` (a note's verifier key) only if that key signed it. */
bool ms_checkpoint_parse(
	const char *text, gsize len, const char *vkey, MsCheckpoint *out, GError **error);
/* Is it the same tree? */
bool ms_checkpoint_same(const MsCheckpoint *one, const MsCheckpoint *two);

typedef struct {
	guint64 index;
	guint n;
	guint8 hashes[MS_PROOF_MAX][MS_HASH_BYTES];
	MsCheckpoint checkpoint;
} MsProof;
void ms_proof_clear(MsProof *proof);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MsProof, ms_proof_clear)
char *ms_proof_print(const MsProof *proof);

/* Is the second tree the first one with more entries?  RFC 6962, 2.1.2. */
bool ms_consistency_check(const MsCheckpoint *first, const MsCheckpoint *second,
	guint8 hashes[][MS_HASH_BYTES], guint n);

/* ---- the log -------------------------------------------------------------------------- */

typedef struct MsTlog MsTlog;

/* Opens one, or with `origin` makes it if there is none ("mx.example/missent").  An entry that a
 * crash cut short is taken off. */
MsTlog *ms_tlog_open(const char *folder, const char *origin, GError **error);
/* To look at it alone: as it was when it was opened. */
MsTlog *ms_tlog_look(const char *folder, GError **error);
void ms_tlog_free(MsTlog *log);
/* Is its folder still that which was opened? */
bool ms_tlog_is_there(const MsTlog *log);
/* Has it, in the same order, what that had of which this was a checkpoint?  Where it was pruned
 * since, it is taken to. */
bool ms_tlog_continues(MsTlog *log, const MsCheckpoint *before, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsTlog, ms_tlog_free)

typedef struct {
	const void *data;
	gsize len;
} MsEntryText;
/* They are on disk when true, and under a new checkpoint.  False: the first `*done_out` are. */
bool ms_tlog_append(
	MsTlog *log, const MsEntryText *entries, guint n, guint *done_out, GError **error);
/* Makes files of all that is in it, for others: partial tiles and the checkpoint. */
bool ms_tlog_publish(MsTlog *log, GError **error);
/* Removes what the format allows to remove of the entries before `minimum`. */
bool ms_tlog_prune(MsTlog *log, guint64 minimum, GError **error);

/* Borrowed; until the next append. */
const MsCheckpoint *ms_tlog_checkpoint(const MsTlog *log);
const char *ms_tlog_vkey(const MsTlog *log);
guint64 ms_tlog_minimum(const MsTlog *log);
/* How many entries a crash had left without a checkpoint when it was opened, since asked last. */
guint64 ms_tlog_recovered(MsTlog *log);

/* Its entry; the caller's.  MS_ERROR_INPUT: pruned, missing or damaged. */
GBytes *ms_tlog_entry(MsTlog *log, guint64 index, GError **error);
bool ms_tlog_prove(MsTlog *log, guint64 index, MsProof *out, GError **error);
/* From an older checkpoint to now, at most MS_PROOF_MAX hashes. */
bool ms_tlog_consistency(MsTlog *log, guint64 size, guint8 hashes[][MS_HASH_BYTES], guint *n_out,
	GError **error);
/* The root that the tree had at `size` entries. */
bool ms_tlog_root(MsTlog *log, guint64 size, guint8 root[MS_HASH_BYTES], GError **error);
/* Entries from `first` on, in order, until `take` says false.  MS_ERROR_RETRY: some of them were
 * removed after their time meanwhile. */
typedef bool (*MsTakeEntry)(guint64 index, const char *data, gsize len, void *user, GError **error);
bool ms_tlog_each(MsTlog *log, guint64 first, MsTakeEntry take, void *user, GError **error);

/* ---- is it whole? --------------------------------------------------------------------- */

/* Calls `wrong` for each thing that is not as it should be, with the entry it concerns.  `take` (or
 * NULL) sees each entry on the way that is there; data NULL: it is not the one that was written.
 * False, with MS_ERROR_RETRY: what was removed after its time since it began is not known to be
 * anything else. */
typedef void (*MsWrong)(guint64 index, const char *why, void *user);
typedef struct {
	guint64 entries, bytes, wrong;
	guint64 minimum; /* entries before it may be gone */
	guint64 size;    /* of the latest checkpoint, and its root; 0: there is none */
	guint8 root[MS_HASH_BYTES];
} MsTlogVerified;
bool ms_tlog_verify(const char *folder, MsWrong wrong, MsTakeEntry take, void *user,
	MsTlogVerified *out, GError **error);

#endif
