/*
 * reconcile.h - was every outgoing message judged, and delivered as it was judged?
 *
 * WHAT    Sets what an MTA's log says became of its mail against the audit trail and the ledger.
 *         What was not judged, or went otherwise than it was judged, is told with the reason
 *         where that can be told.
 * OWNS    MsReconciliation owns all that it gives, but the messages, which are the log's;
 *         ms_reconciliation_free().
 * ERRORS  GError: the trail cannot be read.  What cannot be known is no error but a row, or a
 *         word of `unknown`.
 * THREADS One at a time.
 * LIMITS  Those of maillog.h; of the trail, the lines of the log's time and MS_RECONCILE_BEFORE
 *         before it.
 * NOT     Whether a message was outgoing is worked out from the settings as they are now; where
 *         policies were others then, it is told as not known.  So is how the MTA is configured;
 *         that is said.  Mail that the log does not have is seen only if the trail has it.
 */
#ifndef MISSENT_RECONCILE_H
#define MISSENT_RECONCILE_H

#include "missent/engine.h"
#include "missent/maillog.h"

/* As long as mail waits in a queue before it is returned. */
#define MS_RECONCILE_BEFORE (6 * 86400 * (gint64)G_USEC_PER_SEC)

typedef enum {
	MS_PASSED_BYPASS,   /* never judged */
	MS_PASSED_AGAINST,  /* went, though it was to be held or refused */
	MS_PASSED_WITHHELD, /* went to recipients for whom it was held */
	MS_PASSED_ADDED,    /* went to recipients who were not in the envelope that was judged */
	MS_PASSED_MADE,     /* made by the MTA of outgoing mail: a bounce, a notice */
	MS_PASSED_UNRECORDED, /* it is held, and the ledger has no record of it */
	MS_PASSED_UNKNOWN,  /* it cannot be told */
	MS_N_PASSED
} MsPassed;
extern const char *const ms_passed_names[MS_N_PASSED + 1];

typedef struct {
	MsPassed what;
	const MsMail *mail;
	guint recipients; /* to whom it went so; 0: none so far */
	char *why;        /* without an address */
	gint64 at;        /* when it was so at the latest */
} MsPassedRow;

typedef struct {
	GPtrArray *rows;  /* of MsPassedRow, in the order in which the mail came in */
	guint64 counts[MS_N_PASSED];
	guint64 mails;    /* that were in a queue */
	/* judged; released by a decision; missent's own; one message with one that was judged; not
	 * outgoing, or of no policy */
	guint64 judged, released, own, chained, exempt;
	/* recipients whom the MTA put in the place of one who was judged; no row tells of them */
	guint64 replaced;
	guint64 elsewhere;  /* of other hosts, not looked at */
	/* that came in before the log begins, and are not in the trail: not known */
	guint64 before;
	guint64 unseen;     /* judged in that time, but not in the log */
	guint64 damaged;    /* lines of the trail */
	GPtrArray *unknown; /* of char *: what cannot be known of the whole */
} MsReconciliation;
void ms_reconciliation_free(MsReconciliation *r);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsReconciliation, ms_reconciliation_free)

typedef struct {
	MsRuntime *runtime;      /* of the configuration */
	/* NULL: cannot be had; then of what was released nothing is known */
	MsLedger *ledger;
	/* NULL: cannot be had; then recipients are counted, not compared */
	const guint8 *audit_key;
	MsMaillog *log;
	/* What the MTA's configuration says of how a message came in, or (`open`) of a filter
	 * that does not answer: the caller's; NULL: nothing.  NULL: it is not asked. */
	char *(*configured)(const MsMail *mail, bool open, void *user);
	void *user;
	/* the key that it was before, of key-file-before; NULL: there is none */
	const guint8 *audit_key_before;
} MsReconcileWith;
MsReconciliation *ms_reconcile(const MsReconcileWith *with, GError **error);

/* ---- one run after the other ---------------------------------------------------------------- */

bool ms_passed_is_wrong(MsPassed what);
/* Without what did nothing since then. */
void ms_reconciliation_drop_old(MsReconciliation *r, gint64 since);

/* What is remembered in state-dir. */
typedef struct {
	gint64 until;       /* mail was looked at up to then; 0: never */
	guint64 wrong;      /* that passed the filter, and nobody has acknowledged */
	gint64 wrong_since; /* ... the first of them; 0: not known */
} MsReconciled;
void ms_reconciled_load(const char *state_dir, MsReconciled *out);
/* From when on the next run is to tell; 0: all. */
gint64 ms_reconciled_since(const MsReconciled *state);
/* Into what is not known: that the log does not reach back to the last run. */
void ms_reconciled_tell_hole(
	const MsReconciled *state, const MsMaillogNotes *notes, MsReconciliation *r);
/* After a run that came to its end; `since_last`: it looked at what was since the last one. */
void ms_reconciled_take(MsReconciled *state, const MsReconciliation *r, const MsMaillogNotes *notes,
	gint64 since, bool since_last);
/* Saves it, and leaves the alert, or what ends it. */
bool ms_reconciled_save(const char *state_dir, const MsReconciled *state, GError **error);

#endif
