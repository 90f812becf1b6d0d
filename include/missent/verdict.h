/*
 * verdict.h - what is done with a message, and every reason for it.
 *
 * WHAT    The policy's answer: what is done with the message, every reason, and what each
 *         recipient may get of it.
 * OWNS    MsVerdict owns its reasons; ms_verdict_free().
 * ERRORS  None.
 * THREADS Plain data of one message.
 * LIMITS  MS_MAX_REASONS reasons are kept a policy and code, and of more than MS_MAX_REASONS_IN_ALL
 *         the first of each policy and code; `more` counts the rest.
 * NOT     Identifiers appear masked only.
 */
#ifndef MISSENT_VERDICT_H
#define MISSENT_VERDICT_H

#include <glib.h>
#include <stdbool.h>

#define MS_MAX_REASONS 50
#define MS_MAX_REASONS_IN_ALL 2000

/* In order of strictness.  split: those recipients for whom there is no reason against it get the
 * message, the others' copy is held.  delay: it is kept as a held one, and judged again before
 * people look at it.  tempfail is the strictest: it means that not everything needed for a verdict
 * was to be had, so nothing final may be done; the sender tries again. */
typedef enum {
	MS_DELIVER,
	MS_TAG,
	MS_SPLIT,
	MS_DELAY,
	MS_HOLD,
	MS_REJECT,
	MS_TEMPFAIL,
	MS_N_ACTIONS
} MsAction;
extern const char *const ms_action_names[MS_N_ACTIONS + 1];
/* What is done after a delay: hold or, where the policy says so, deliver; else the same. */
MsAction ms_action_then(MsAction action, bool then_deliver);

typedef enum {
	MS_MISMATCH,              /* an identifier of an account this recipient has no right to */
	MS_UNPROVEN,              /* a required kind of the recipient's own account is missing */
	MS_UNKNOWN_IDENTIFIER,    /* looks like one, the directory does not know it */
	MS_UNKNOWN_RECIPIENT,     /* the directory does not know the recipient */
	MS_ROUTED_RECIPIENT,      /* the recipient's address has a way to another in it */
	MS_OVERSIZED,             /* too many recipients or recipient domains */
	MS_MIXED_ACCOUNTS,        /* identifiers of too many accounts in one message */
	MS_EXPOSED_RECIPIENTS,    /* too many addresses visible in the header */
	MS_CONTRADICTION,         /* two faces of the message name different customers */
	MS_UNREADABLE,            /* something could not be read */
	MS_DIRECTORY_UNAVAILABLE, /* could not look */
	MS_SALUTATION,            /* the mail greets nobody of the recipient's account */
	MS_LIST_ATTACHED,         /* too many different identifiers of one kind, known or not */
	/* one identifier, or one document, to too many recipients lately */
	MS_FAN_OUT,
	MS_FAN_IN,            /* too many customers' to one recipient lately */
	MS_REPEAT,            /* the same to the same recipient too often lately */
	MS_UNUSUAL,           /* it always went to others, and he always got others' */
	MS_VOLUME,            /* the stream sends, or sends at once, far more than it did */
	MS_BREAKER,           /* the stream is stopped */
	MS_GUARD_UNAVAILABLE, /* could not count */
	MS_N_REASONS,
} MsReasonCode;
extern const char *const ms_reason_names[MS_N_REASONS + 1];

typedef enum { MS_OWN, MS_HOUSE, MS_OTHER, MS_UNKNOWN } MsRelation;
extern const char *const ms_relation_names[];

typedef struct {
	MsReasonCode code;
	char *policy;
	MsAction action;   /* what this policy does for it */
	bool enforced;     /* false in mode observe */
	char *kind;        /* of the finding, or NULL */
	char *masked;
	char *where;       /* a place, masked, or NULL */
	char *owner;       /* accounts that own the finding, or NULL */
	char *recipient;   /* the first one concerned, or NULL */
	guint recipients;  /* how many are concerned */
	char *text;        /* the reason in words */
} MsReason;

/* What one recipient may get of one message, over all that was found in it, the milder first.
 * Decided once, by the judge; what lets mail go reads it and works nothing out again. */
typedef enum {
	MS_OUTCOME_RIGHT,    /* something of his own is in it, and nothing that is not his to see */
	/* nothing of his own, or two faces of the message contradict each other */
	MS_OUTCOME_UNPROVEN,
	MS_OUTCOME_UNREAD,   /* something that a policy does not tolerate could not be read */
	MS_OUTCOME_WRONG,    /* something of another account is in it */
	MS_OUTCOME_UNKNOWN_RECIPIENT, /* the directory does not know him: whatever is in it */
	MS_N_OUTCOMES,
} MsOutcome;
extern const char *const ms_outcome_names[MS_N_OUTCOMES + 1];

typedef struct {
	MsAction action;    /* what is to be done */
	MsAction would;     /* what would be done if all policies were enforced */
	GPtrArray *policies; /* of char *: those that applied */
	/* of char *: "TITLE: ...", of those the ones that applied because a condition is not
	 * known */
	GPtrArray *unsure;
	GPtrArray *reasons;  /* of MsReason, strictest first */
	guint more;          /* reasons not kept */
	GByteArray *withheld; /* a byte a recipient: 1 if a split keeps it from him */
	GByteArray *outcomes; /* a byte a recipient: an MsOutcome */
	bool paused;         /* nothing was enforced, for missent was paused */
	gint64 delay_us;     /* the longest that an enforced policy asks for with delay */
	MsAction then; /* what they do once it has waited, should nothing change meanwhile */
} MsVerdict;

MsVerdict *ms_verdict_new(void);
void ms_verdict_free(MsVerdict *verdict);
/* Does it go out (tagged, it may be), and would be kept back were all policies enforced?  Then it
 * is on record as observed. */
bool ms_verdict_is_observed(const MsVerdict *verdict);
/* It cannot be split: then it is held, whole, and no stricter than that for what a policy would do
 * that observes. */
void ms_verdict_unsplit(MsVerdict *verdict);
/* As if no policy were enforced: it is delivered, and what would be done stays on record. */
void ms_verdict_pause(MsVerdict *verdict);
/* "mismatch, oversized": each code for which a policy, enforced or not, does `at_least` or more,
 * once. */
char *ms_verdict_codes(const MsVerdict *verdict, MsAction at_least);
/* The same of the policies that are enforced alone: what others may be told of what was done. */
char *ms_verdict_causes(const MsVerdict *verdict, MsAction at_least);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsVerdict, ms_verdict_free)

#endif
