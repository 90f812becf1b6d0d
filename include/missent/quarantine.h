/*
 * quarantine.h - the record of every hold: what is held, why, where it is, what was done.
 *
 * WHAT    Writes why a message is held before the MTA is answered; lists, finds and counts
 *         records; keeps decisions on them, step by step, so that one that was interrupted can
 *         be taken up again; single-use tokens for mail that need not be judged again.
 * OWNS    MsRecords, MsRecord, MsDecision: freed by their _free functions.
 * ERRORS  GError.  When ms_records_add() fails the message must be refused for now: a hold
 *         without a record would be lost among others.
 * THREADS Safe, and safe among processes.
 * LIMITS  MS_HELD_FINDINGS findings are kept to be shown, and of each the relation to
 *         MS_HELD_RELATIONS recipients; where there are more, those for whom the message is wrong
 *         come first.  The outcome is kept for every recipient, and is over all findings.
 * NOT     Holds no message: that is the MTA's queue, or the spool (spool.h).  Identifiers are
 *         kept masked, with a keyed digest to find them again; carries nothing out (desk.h).
 */
#ifndef MISSENT_QUARANTINE_H
#define MISSENT_QUARANTINE_H

#include <glib.h>
#include <stdbool.h>

#include "missent/answer.h"
#include "missent/verdict.h"

#define MS_HELD_FINDINGS 100
#define MS_HELD_RELATIONS 1000 /* what Postfix takes for one message unless it is told otherwise */

typedef struct MsRecords MsRecords;

/* Of a message, and of each recipient; a recipient may also be `delivered`: it was sent to him
 * when the message was split. */
typedef enum { MS_STATE_HELD, MS_STATE_OBSERVED, MS_STATE_RELEASED, MS_STATE_RETURNED,
	MS_STATE_DELETED, MS_STATE_DELIVERED, MS_N_STATES } MsState;
extern const char *const ms_state_names[MS_N_STATES + 1];

/* Where the message is. */
typedef enum { MS_PLACE_QUEUE, MS_PLACE_SPOOL, MS_N_PLACES } MsHeldPlace;
extern const char *const ms_held_place_names[MS_N_PLACES + 1];

typedef struct {
	char *address;
	MsState state;
	MsOutcome outcome; /* what the judge said that he may get of it */
	char *accounts; /* that he may receive for, "A, B"; "" for none */
} MsHeldRecipient;

typedef struct {
	char *kind, *masked;
	char *ref;       /* a keyed digest: the same identifier, read again, has the same */
	char *owners;    /* accounts, "A, B" */
	char *belief;    /* why it is believed, in words */
	char *where;     /* the first place */
	guint count;
	char *relations; /* a letter a recipient: o(wn) h(ouse) x (another's) ? (unknown) */
} MsHeldFinding;

typedef struct {
	gint64 at; /* microseconds since 1970 */
	char *who, *what, *why;
} MsAct;

/* waiting: for a second person.  acting: begun; what is done then can be done again. */
typedef enum { MS_DECISION_WAITING, MS_DECISION_APPROVED, MS_DECISION_ACTING, MS_DECISION_DONE,
	MS_DECISION_FAILED, MS_DECISION_WITHDRAWN, MS_N_DECISION_STATES } MsDecisionState;
extern const char *const ms_decision_state_names[MS_N_DECISION_STATES + 1];

typedef struct {
	char *id, *uid; /* its own; the record's */
	char *group;    /* decisions that were taken as one; "" */
	char *verb;
	char *recipients; /* newline-separated; "": all that are held */
	char *who, *second, *why, *outcome;
	char *token;    /* hash of the last token made for it, or "" */
	char *step;     /* how far it got: each verb's own word */
	gint64 at;
	MsDecisionState state;
} MsDecision;
void ms_decision_free(MsDecision *decision);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsDecision, ms_decision_free)

typedef struct {
	gint64 id;
	char *uid; /* 16 hexadecimal digits; the same on every host */
	MsState state;
	MsHeldPlace place;
	char *host, *queue_id, *sender;
	gint64 arrived; /* microseconds since 1970 */
	guint64 size;
	char *digest;   /* of the body (bodydigest.h) */
	char *message;  /* keyed digest of its header, or "" if that has no Message-ID */
	bool is_signed; /* it has a DKIM signature */
	char *codes, *policies;
	char *cause;    /* messages with the same words are held for one cause */
	char *assignee; /* "" */
	gint64 warned;  /* when its expiry was announced; 0: not yet */
	gint64 changed; /* grows with every change of any record */
	guint n_recipients;
	GPtrArray *recipients; /* of MsHeldRecipient */
	GPtrArray *reasons;    /* of MsReason */
	GPtrArray *findings;   /* of MsHeldFinding */
	GPtrArray *accounts;   /* of char *: that it is about */
	GPtrArray *acts;       /* of MsAct */
	GPtrArray *decisions;  /* of MsDecision */
} MsRecord;

MsRecord *ms_record_new(void);
void ms_record_free(MsRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsRecord, ms_record_free)
void ms_record_recipient(MsRecord *record, const char *address, MsState state, MsOutcome outcome,
	const char *accounts);
void ms_record_finding(MsRecord *record, MsHeldFinding finding); /* copies */
/* Why it is held, without anything of anybody's: "mismatch, unproven (customer-number)". */
char *ms_record_summary(const MsRecord *record);
/* Those for whom it is held and of whom the judge said MS_OUTCOME_RIGHT; of char *, borrowed from the
 * record. */
GPtrArray *ms_record_rightful(const MsRecord *record);
/* A random name for records, decisions, groups. */
char *ms_records_name(void);

MsRecords *ms_records_open(const char *path, GError **error);
/* For looking only, also without the right to write. */
MsRecords *ms_records_open_readonly(const char *path, GError **error);
void ms_records_free(MsRecords *records);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsRecords, ms_records_free)

/* On disk when it returns true; `record->id` and `uid` are set. */
bool ms_records_add(MsRecords *records, MsRecord *record, GError **error);
/* A record of another host, in place of what was known of it; an older one changes nothing. */
bool ms_records_mirror(MsRecords *records, MsRecord *record, GError **error);
/* Removes what arrived before, is no longer held, and has no decision that is not finished; at most
 * `most`, the oldest.  How many; -1 on error. */
gint64 ms_records_forget(MsRecords *records, gint64 before, guint most, GError **error);
/* The uid of a copy that is held of this very message for these recipients: its sender tries
 * again because an answer was lost.  NULL: there is none. */
char *ms_records_twin(MsRecords *records, const MsRecord *record);

typedef enum { MS_SORT_NEWEST, MS_SORT_OLDEST, MS_SORT_SENDER, MS_SORT_RECIPIENTS, MS_SORT_SIZE,
	MS_N_SORTS } MsSort;
extern const char *const ms_sort_names[MS_N_SORTS + 1];

typedef struct {
	int state;          /* MsState, or -1 for all */
	const char *reason; /* each NULL or "": any */
	const char *policy;
	const char *sender;    /* a part of it */
	const char *recipient; /* a part of it */
	const char *account;
	const char *host;
	const char *cause;
	const char *assignee;
	const char *search; /* a queue ID, or a part of sender or recipient */
	gint64 older_than, newer_than; /* arrival, microseconds since 1970; 0: any */
	gint64 up_to;       /* `changed` when a list was looked at: what came later is left out */
	MsSort sort;
	const char *after;  /* where the page before ended: ms_record_cursor() */
	guint limit;        /* 0: all */
	bool whole;         /* with recipients, reasons, findings, acts and decisions */
} MsRecordFilter;

/* Of MsRecord; unless `whole`, with one recipient only.  NULL on error. */
GPtrArray *ms_records_list(MsRecords *records, const MsRecordFilter *filter, GError **error);
char *ms_record_cursor(const MsRecord *record, MsSort sort);
/* How many there are; counting ends at `most` (0: never).  -1 on error. */
gint64 ms_records_count(MsRecords *records, const MsRecordFilter *filter, guint most, GError **error);
/* The record of that uid, or the newest of that queue ID, whole.  NULL without error: none. */
MsRecord *ms_records_find(MsRecords *records, const char *name, GError **error);

typedef struct {
	char *cause;
	gint64 messages, oldest, newest;
} MsCause;
void ms_cause_free(MsCause *cause);
/* Held messages by cause, the most frequent first; of MsCause. */
GPtrArray *ms_records_causes(MsRecords *records, guint limit, GError **error);

typedef struct {
	gint64 held, oldest; /* oldest: arrival, 0 if none */
	gint64 waiting;      /* decisions that wait for a second person */
	gint64 changed;      /* the newest change */
} MsRecordStats;
bool ms_records_stats(MsRecords *records, MsRecordStats *out, GError **error);
/* Those changed after `changed`, in that order, whole. */
GPtrArray *ms_records_changed(MsRecords *records, gint64 changed, guint limit, GError **error);

/* ---- acts and decisions --------------------------------------------------------------- */

/* Adds who did what and why. */
bool ms_records_act(MsRecords *records, gint64 id, const char *who, const char *what,
	const char *why, GError **error);
/* The recipients of `again`, judged anew: their outcomes and accounts take the place of those of the
 * record; who had it done, and what was and is, is added as an act. */
bool ms_records_rejudge(MsRecords *records, const MsRecord *record, const GPtrArray *again,
	const char *who, GError **error);
bool ms_records_assign(MsRecords *records, gint64 id, const char *assignee, GError **error);
bool ms_records_warned(MsRecords *records, gint64 id, gint64 when, GError **error);

/* All of them, or none. */
bool ms_decisions_add(MsRecords *records, const GPtrArray *decisions, GError **error);
MsDecision *ms_decisions_find(MsRecords *records, const char *id, GError **error);
/* Of MsDecision; `state` -1: those that are approved or were begun.  `group` may be NULL.  Single
 * ones first, since somebody waits for them; then by age. */
GPtrArray *ms_decisions_list(MsRecords *records, int state, const char *group, GError **error);
/* Another person agrees, or somebody withdraws what still waits. */
bool ms_decisions_second(MsRecords *records, const MsDecision *decision, const char *who,
	bool agrees, GError **error);
/* Keeps how far it got: `step`, the hash of a token made for it, the place of the message. */
bool ms_decisions_step(MsRecords *records, MsDecision *decision, const char *step,
	const char *token, int place, GError **error);
/* The end: recipients of `addresses` (NULL: none) get `state`, the record the state that follows
 * from all of them. */
bool ms_decisions_finish(MsRecords *records, MsDecision *decision, bool fine, const char *outcome,
	const GPtrArray *addresses, MsState state, GError **error);

/* ---- tokens --------------------------------------------------------------------------- */

/* The header field that carries one.  The daemon takes it off. */
#define MS_TOKEN_HEADER "X-Missent-Release"

/* A token (the caller's) that lets one message with this body go from `sender` to exactly
 * `recipients`, once, unjudged.  Its hash, which is all that is kept, in `*hash_out`. */
char *ms_tokens_make(MsRecords *records, const char *digest, const char *sender,
	const GPtrArray *recipients, char **hash_out, GError **error);
/* Spends it.  MS_ABSENT: it is not good for this message. */
MsAnswer ms_tokens_spend(MsRecords *records, const char *token, const char *digest,
	const char *sender, const GPtrArray *recipients, const char *queue_id, GError **error);
/* Makes sure that it will never be good again.  `*queue_id_out` (the caller's): it was spent
 * already, by the message with that queue ID; NULL: it never was. */
bool ms_tokens_void(MsRecords *records, const char *hash, char **queue_id_out, GError **error);

/* ---- notices -------------------------------------------------------------------------- */

/* Is this the first of its kind within the window?  If so, it is noted as sent. */
bool ms_notices_first(MsRecords *records, const char *address, const char *cause, gint64 window_us,
	bool *first_out, GError **error);
/* It could not be sent: the next one is the first again. */
void ms_notices_unsent(MsRecords *records, const char *address, const char *cause);

/* ---- one record as JSON --------------------------------------------------------------- */

/* A whole record, for other hosts and for programs (malloc()ed); NULL if it is not UTF-8. */
char *ms_record_to_json(const MsRecord *record);
/* NULL and MS_ERROR_INPUT if it is none. */
MsRecord *ms_record_from_json(const char *text, gsize len, GError **error);

#endif
