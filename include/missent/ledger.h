/*
 * ledger.h - the records of all holds, on disk.
 *
 * WHAT    Writes why a message is held before the MTA is answered; lists, finds, counts and
 *         forgets records.  What is decided of them (decision.h), tokens (token.h) and notices
 *         (notice.h) lie in the same database.
 * OWNS    MsLedger: ms_ledger_free().  What is returned is the caller's.
 * ERRORS  GError.  A record that is damaged is no error (record.h).  When ms_records_add() fails
 *         the message must be refused for now: a hold without a record would be lost among
 *         others.
 * THREADS Safe, and safe among processes.  While another process keeps the database locked, one
 *         wait is made for it; until it is free again what writes fails at once.
 * LIMITS  None of its own.
 * NOT     Holds no message: that is the MTA's queue, or the spool (spool.h).
 */
#ifndef MISSENT_LEDGER_H
#define MISSENT_LEDGER_H

#include <glib.h>
#include <stdbool.h>

#include "missent/record.h"

typedef struct MsLedger MsLedger;

MsLedger *ms_ledger_open(const char *path, GError **error);
/* For looking only, also without the right to write. */
MsLedger *ms_ledger_open_readonly(const char *path, GError **error);
void ms_ledger_free(MsLedger *ledger);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsLedger, ms_ledger_free)

/* On disk when it returns true; `record->id` and `uid` are set.  Those that several threads add
 * at a time share one transaction, so that they cost one sync; where the database is locked, one
 * wait. */
bool ms_records_add(MsLedger *ledger, MsRecord *record, GError **error);
/* One that was added just now, of a message that will not be held after all.  False: it stays; with
 * MS_ERROR_INPUT for its sender has tried again since and was told that it is held, or what
 * somebody decided on it is begun. */
bool ms_records_take_back(MsLedger *ledger, const MsRecord *record, GError **error);
/* A record of another host, in place of what was known of it; an older one changes nothing. */
bool ms_records_mirror(MsLedger *ledger, MsRecord *record, GError **error);
/* Removes what arrived before, is no longer held, and has no decision that is not finished; at most
 * `most`, the oldest.  How many; -1 on error. */
gint64 ms_records_forget(MsLedger *ledger, gint64 before, guint most, GError **error);
/* How many that concern an account are held, or have a decision that is not finished; -1 on
 * error, as an empty name is one. */
gint64 ms_records_open_of(MsLedger *ledger, const char *account, GError **error);
/* Removes the others that concern it, wholly.  How many; -1 on error. */
gint64 ms_records_forget_account(MsLedger *ledger, const char *account, GError **error);
/* The uid of a copy that is held of this very message for these recipients: its sender tries
 * again because an answer was lost, or is late.  NULL: there is none.  Nobody takes it back
 * then. */
char *ms_records_twin(MsLedger *ledger, const MsRecord *record);

typedef enum { MS_SORT_NEWEST, MS_SORT_OLDEST, MS_SORT_SENDER, MS_SORT_RECIPIENTS, MS_SORT_SIZE,
	MS_N_SORTS } MsSort;
extern const char *const ms_sort_names[MS_N_SORTS + 1];

typedef struct {
	int state;          /* MsState, or -1 for all */
	const char *reason; /* each NULL: any; an empty word is an error */
	const char *policy;
	const char *sender;    /* a part of it */
	const char *recipient; /* a part of it */
	const char *account;
	const char *host;
	const char *cause;
	const char *assignee;
	const char *search; /* a queue ID, a part of sender or recipient, or an account; */
	/* or what has one of these identifiers (keyed digests); NULL: none */
	const GPtrArray *refs;
	/* or all of these words in its subject (keyed digests); NULL: none */
	const GPtrArray *words;
	const char *judged_for; /* judged again because of that decision, or by it */
	int waiting; /* 1: only those that wait (action delay); -1: only the others; 0: all */
	bool undecided;     /* nothing that ends it is waiting or under way */
	bool could_go;      /* all for whom it is held may have it */
	gint64 older_than, newer_than; /* arrival, microseconds since 1970; 0: any */
	gint64 up_to;       /* `changed` when a list was looked at: what came later is left out */
	MsSort sort;
	const char *after;  /* where the page before ended: ms_record_cursor() */
	const char *before; /* where the page behind begins: the last `limit` before that */
	guint limit;        /* 0: all */
	bool whole;         /* with recipients, reasons, findings, acts and decisions */
} MsRecordFilter;

/* What a list can be narrowed by, as people say it; ends with name NULL. */
typedef struct {
	const char *name;
	MsWordKind kind;
	const char *argument,
		*help; /* argument NULL: "yes" or "no", said by its name alone in a shell */
} MsFilterWord;
extern const MsFilterWord ms_filter_words[];
/* Takes one of these; `value` is borrowed.  MS_ERROR_INPUT says which it was, what, and what
 * would do. */
bool ms_filter_take(MsRecordFilter *filter, const char *name, const char *value, GError **error);
/* Are the words of it words?  Lists and counts ask it themselves. */
bool ms_filter_check(const MsRecordFilter *filter, GError **error);
/* Whom it asks for, masked, for the audit trail: whether mail about somebody is held is about him
 * as well.  The caller's; NULL: for nobody. */
char *ms_filter_whom(const MsRecordFilter *filter);

/* Of MsRecord; unless `whole`, with one recipient only.  NULL on error. */
GPtrArray *ms_records_list(MsLedger *ledger, const MsRecordFilter *filter, GError **error);
char *ms_record_cursor(const MsRecord *record, MsSort sort);
/* How many there are; counting ends at `most` (0: never).  -1 on error. */
gint64 ms_records_count(MsLedger *ledger, const MsRecordFilter *filter, guint most, GError **error);
/* The record of that uid, or of that queue ID, whole.  NULL without error: none.  Queue IDs are
 * used again, and by other hosts: of several, MS_ERROR_INPUT names them, and none is taken. */
MsRecord *ms_records_find(MsLedger *ledger, const char *name, GError **error);

/* What a filter names exactly: all that any record has; of char *, the caller's. */
typedef enum { MS_NAMES_POLICY, MS_NAMES_HOST, MS_NAMES_ACCOUNT, MS_NAMES_ASSIGNEE } MsNames;
GPtrArray *ms_records_names(MsLedger *ledger, MsNames names, GError **error);

typedef struct {
	char *cause;
	gint64 messages, oldest, newest;
} MsCause;
void ms_cause_free(MsCause *cause);
/* Held messages by cause, the most frequent first, without those of which a decision is under
 * way; of MsCause. */
GPtrArray *ms_records_causes(MsLedger *ledger, guint limit, GError **error);

typedef struct {
	gint64 held, oldest; /* oldest: arrival, 0 if none; without those that wait */
	gint64 delayed,
		due; /* those that wait, and when the first is judged again at the latest; 0 */
	gint64 waiting;      /* decisions that wait for a second person */
	gint64 changed;      /* the newest change */
} MsRecordStats;
bool ms_records_stats(MsLedger *ledger, MsRecordStats *out, GError **error);
/* Those changed after `changed`, in that order, whole. */
GPtrArray *ms_records_changed(MsLedger *ledger, gint64 changed, guint limit, GError **error);

/* ---- taken together (causes.c) --------------------------------------------------------- */

/* What a list shows of a record. */
typedef struct {
	char *owners;    /* whose data somebody would get who may not; else whose it is; "" */
	char *recipient; /* the first for whom it is wrong, or the first */
	char *accounts;  /* that he may receive for */
	MsOutcome outcome; /* his */
	char *subject, *attached;
} MsGlance;
void ms_glance_free(MsGlance *glance);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsGlance, ms_glance_free)
MsGlance *ms_records_glance(MsLedger *ledger, const MsRecord *record, GError **error);

typedef struct {
	char *name;
	gint64 messages, recipients;
} MsCauseCount;

/* Of several messages, what becomes of them if they are released to all for whom they are held. */
typedef struct {
	GPtrArray *outcomes; /* of MsCauseCount, by outcome */
	/* of MsCauseCount: whose data somebody would get who may not (messages only) */
	GPtrArray *owners;
	GPtrArray *domains;  /* of MsCauseCount, by domain of the recipients */
	gint64 messages, recipients, wrong_messages, wrong_recipients, unknown_recipients;
} MsTallies;
void ms_tallies_free(MsTallies *tallies);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsTallies, ms_tallies_free)
MsTallies *ms_records_tallies(MsLedger *ledger, const GPtrArray *uids, GError **error);
/* At most `most` of them (of char *, the caller's), which have as many different outcomes, owners
 * and domains of recipients as can be. */
GPtrArray *ms_records_sample(MsLedger *ledger, const GPtrArray *uids, guint most, GError **error);

/* The uids of held messages that an identifier is in ("": none), or that are held for one of
 * these. */
GPtrArray *ms_records_concerned(
	MsLedger *ledger, const char *ref, const GPtrArray *addresses, guint most, GError **error);
/* Where a list that is looked at now ends: for `up_to`. */
gint64 ms_records_newest_change(MsLedger *ledger);
/* Judged again, it is held for another cause. */
bool ms_records_recause(MsLedger *ledger, gint64 id, const char *cause, GError **error);

/* What a desk knows of the clock: when it last looked, and since when it goes steadily; 0: never,
 * and always. */
bool ms_ledger_clock(MsLedger *ledger, gint64 *seen_out, gint64 *since_out, GError **error);
bool ms_ledger_set_clock(MsLedger *ledger, gint64 seen, gint64 since, GError **error);

/* ---- waiting (wait.c) ------------------------------------------------------------------ */

/* A message that waits (MsRecord's `due`) is held in all else: its state, its place, who decides.
 * The wait ends with the first final decision that is written down, or when it is settled. */
typedef struct {
	char *uid;
	gint64 asked, due; /* wall clock, microseconds since 1970 */
} MsWaiting;
void ms_waiting_free(MsWaiting *waiting);
/* Of MsWaiting, the first due first. */
GPtrArray *ms_records_waiting(MsLedger *ledger, GError **error);
/* What was decided when its time was over came to nothing: it waits again. */
bool ms_records_wait_again(
	MsLedger *ledger, const MsRecord *record, gint64 since, gint64 due, GError **error);
/* It is held from now on, as others are; nothing is done where somebody has decided meanwhile.
 * `again`, `cause`: as it was judged (ms_records_rejudge(), ms_records_recause()), or NULL. */
bool ms_records_settle(MsLedger *ledger, const MsRecord *record, const GPtrArray *again,
	const char *cause, const char *who, const char *why, GError **error);

/* ---- in the MTA's queue? (lost.c) ------------------------------------------------------ */

/* Those of this host whose mail its queue should have, or had once (MS_STATE_GONE), however many;
 * of MsRecord, of which uid, state, host, queue_id, arrived and digest are set alone. */
GPtrArray *ms_records_queued(MsLedger *ledger, GError **error);
/* When the last of that queue ID arrived of which there is a record, or that was a canary, whatever
 * became of it; 0: there is none in that time. */
bool ms_records_last(MsLedger *ledger, const char *queue_id, gint64 from, gint64 to,
	gint64 *arrived_out, GError **error);
/* How many changes there were of any record: before the queue is asked, for the next. */
bool ms_records_changes(MsLedger *ledger, gint64 *n_out, GError **error);
/* Is what is on hold under that queue ID, and arrived then, a record's that somebody decides on, or
 * a canary?  One that is over (returned, deleted, let go) has it no more, unless it changed since
 * there were `changes`: then it was on hold while the queue was asked. */
bool ms_records_claims(MsLedger *ledger, const char *queue_id, gint64 from, gint64 to,
	gint64 changes, bool *claims_out, GError **error);
/* Its mail is not there any more, though nobody decided so; what was decided and is not begun
 * fails.  `*done_out` false: it is not what it was, or a decision is being carried out. */
bool ms_records_gone(MsLedger *ledger, const MsRecord *record, const char *why, bool *done_out,
	GError **error);
/* So it is for these recipients; what was decided is for the others. */
bool ms_records_gone_for(MsLedger *ledger, const MsRecord *record, const GPtrArray *addresses,
	const char *why, bool *done_out, GError **error);
/* Its mail has this queue ID; one that was gone is held again, and announced before it expires. */
bool ms_records_found(MsLedger *ledger, const MsRecord *record, const char *queue_id,
	const char *why, bool *done_out, GError **error);
/* The mail of one that was gone is in the spool: it is held again, there. */
bool ms_records_spooled(MsLedger *ledger, const MsRecord *record, const char *why, bool *done_out,
	GError **error);

/* ---- acts ----------------------------------------------------------------------------- */

/* Adds who did what and why. */
bool ms_records_act(MsLedger *ledger, gint64 id, const char *who, const char *what,
	const char *why, GError **error);
/* The recipients of `again`, judged anew: their outcomes and accounts take the place of those of
 * the record; who had it done, what was and is, and by what ("": the message) is added as an
 * act. */
bool ms_records_rejudge(MsLedger *ledger, const MsRecord *record, const GPtrArray *again,
	const char *who, const char *how, GError **error);
bool ms_records_assign(MsLedger *ledger, gint64 id, const char *assignee, GError **error);
bool ms_records_warned(MsLedger *ledger, gint64 id, gint64 when, GError **error);

#endif
