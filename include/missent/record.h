/*
 * record.h - one held message in words: what it is, why it is held, for whom, what was done.
 *
 * WHAT    The record of a hold as plain data, and as JSON for other hosts and for programs.
 * OWNS    MsRecord and MsDecision own all they point to; freed by their _free functions.
 * ERRORS  GError, of ms_record_from_json() alone.
 * THREADS A record belongs to one thread at a time.
 * LIMITS  MS_HELD_FINDINGS findings are kept to be shown, and of each the relation to
 *         MS_HELD_RELATIONS recipients; where there are more, those for whom the message is wrong
 *         come first.  With each MS_HELD_NAMES accounts are named; by MS_HELD_ACCOUNTS a record is
 *         found, of which recipients bring half at most.  The outcome is kept for every recipient,
 *         and is over all findings.
 * NOT     Is no database (ledger.h), holds no message (spool.h, mta.h).  Identifiers are kept
 *         masked, with a keyed digest to find them again.
 *
 * A record that was damaged, in a file or on its way, is there all the same: what could be read
 * of it, with `damaged` set.  Nobody has a right to its message, which may be returned or
 * deleted.
 */
#ifndef MISSENT_RECORD_H
#define MISSENT_RECORD_H

#include <glib.h>
#include <stdbool.h>

#include "missent/verb.h"
#include "missent/verdict.h"

#define MS_HELD_FINDINGS 100
#define MS_HELD_RELATIONS 1000 /* what Postfix takes for one message unless it is told otherwise */
#define MS_HELD_NAMES 20      /* accounts named with a recipient or a finding */
#define MS_HELD_ACCOUNTS 5000 /* accounts that a record is found by */

/* Of a message, and of each recipient; a recipient may also be `delivered`: it was sent to him
 * when the message was split.  `gone`: the MTA has it on hold no longer, and nobody decided so. */
typedef enum { MS_STATE_HELD, MS_STATE_OBSERVED, MS_STATE_RELEASED, MS_STATE_RETURNED,
	MS_STATE_DELETED, MS_STATE_GONE, MS_STATE_DELIVERED, MS_N_STATES } MsState;
extern const char *const ms_state_names[MS_N_STATES + 1];
/* A decision has ended it: of what is gone, or was never held, none has. */
bool ms_state_is_decided(MsState state);

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
	MsVerb verb;
	char *recipients; /* newline-separated; "": all that are held */
	bool rightful;    /* they were chosen by right: who has lost it since gets nothing */
	char *account, *identifier, *assignee; /* what was said with the verb; "" */
	char *who, *second, *why, *outcome;
	char *token;    /* hash of the last token made for it, or "" */
	char *step;     /* how far it got: each verb's own word */
	gint64 at;
	MsDecisionState state;
	bool damaged;     /* it could not be read whole: it is not carried out */
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
	char *subject;  /* as show-subjects has it: masked, as it was written, or "" */
	char *attached; /* endings of what is attached, each once: ".pdf, .xml, ?"; "" */
	char *cause;    /* messages with the same words are held for one cause */
	char *assignee; /* "" */
	gint64 warned;  /* when its expiry was announced; 0: not yet */
	gint64 due; /* it waits, and is judged again then at the latest; 0: it does not wait */
	gint64 waits_since; /* when it began to; 0 */
	gint64 changed; /* grows with every change of any record */
	char *damaged;  /* what of it is damaged, in words; "" */
	char *unclear;  /* what a newer version says in it that is not understood here; "" */
	guint n_recipients;
	GPtrArray *recipients; /* of MsHeldRecipient */
	GPtrArray *reasons;    /* of MsReason */
	GPtrArray *findings;   /* of MsHeldFinding */
	GPtrArray *accounts;   /* of char *: that it is about */
	/* of char *: keyed digests of the subject's words, to find it by them */
	GPtrArray *words;
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
/* Those for whom it is held and of whom the judge said MS_OUTCOME_RIGHT; of char *, borrowed from
 * the record.  Nobody, where it is damaged. */
GPtrArray *ms_record_rightful(const MsRecord *record);
/* A random name for records, decisions, groups. */
char *ms_record_name(void);

/* ---- words ---------------------------------------------------------------------------- */

/* The place of a word in a NULL-terminated list, or `otherwise`: then the record is damaged. */
int ms_record_word(MsRecord *record, const char *field, const char *const *names, const char *word,
	int otherwise);
/* Notes that this of it is damaged; `word` (may be NULL) is what stands there. */
void ms_record_damage(MsRecord *record, const char *field, const char *word);

/* ---- as JSON --------------------------------------------------------------------------- */

/* A whole record, for other hosts and for programs (malloc()ed); NULL if it is not UTF-8. */
char *ms_record_to_json(const MsRecord *record);
/* What is missing, of another type, or a word that is none makes it damaged; keys that are not
 * known here make it unclear.  NULL and MS_ERROR_INPUT where it does not even say whose record it
 * is. */
MsRecord *ms_record_from_json(const char *text, gsize len, GError **error);

#endif
