/*
 * event.h - what a line of the type `act` can tell of.
 *
 * WHAT    The names of all acts, of people and of missent itself; missent-audit(5) says what each
 *         is, and what stands beside it.
 * OWNS    Nothing.
 * ERRORS  None.
 * THREADS Constants.
 * LIMITS  None.
 * NOT     What is decided of held mail is a verb first (verb.h); its name is that of the act.
 */
#ifndef MISSENT_EVENT_H
#define MISSENT_EVENT_H

typedef enum {
	/* of a reviewer, or of who uses the command line */
	MS_EVENT_LOG_IN,
	MS_EVENT_LOG_IN_FAILED,
	MS_EVENT_LOG_OUT,
	MS_EVENT_PROOF_FAILED,
	MS_EVENT_REFUSED,
	MS_EVENT_FORGED,
	MS_EVENT_LOOK,
	MS_EVENT_REVEAL,
	MS_EVENT_EXPLAIN,
	MS_EVENT_PICTURE,
	MS_EVENT_DOWNLOAD,
	MS_EVENT_DECIDE,
	/* verbs */
	MS_EVENT_RELEASE,
	MS_EVENT_RETURN,
	MS_EVENT_DELETE,
	MS_EVENT_NOTE,
	MS_EVENT_ASSIGN,
	MS_EVENT_BELONGS,
	MS_EVENT_MAY_RECEIVE,
	MS_EVENT_REJUDGE,
	MS_EVENT_AGREE,
	MS_EVENT_WITHDRAW,
	MS_EVENT_UNKNOWN,
	/* of an administrator */
	MS_EVENT_ACCOUNT,
	MS_EVENT_ACCOUNT_DELETED,
	MS_EVENT_PASSWORD,
	MS_EVENT_FACTOR,
	MS_EVENT_TOKEN,
	MS_EVENT_TOKEN_DELETED,
	MS_EVENT_PAUSE,
	MS_EVENT_RESUME,
	MS_EVENT_IMPORT,
	MS_EVENT_STREAM_RESET,
	MS_EVENT_FORGOTTEN,
	MS_EVENT_RECONCILE,
	MS_EVENT_WITNESS_FORGOTTEN,
	MS_EVENT_INCIDENT_NAMES,
	MS_EVENT_INCIDENT_ABOUT,
	MS_EVENT_INCIDENT_NOTICES,
	/* of missent itself */
	MS_EVENT_PAGE_STARTED,
	MS_EVENT_PAUSE_OVER,
	MS_EVENT_STREAM_STOPPED,
	MS_EVENT_POLICY_ENFORCED,
	MS_EVENT_GOES_ON_OBSERVING,
	MS_EVENT_WAIT_OVER,
	MS_EVENT_CANARY_DELETED,
	MS_EVENT_CANARY_NOT_HELD,
	MS_EVENT_CANARY_HELD_AGAIN,
	MS_EVENT_CLOCK_JUMPED,
	MS_EVENT_FORGET,
	MS_EVENT_SET_ASIDE,
	MS_N_EVENTS
} MsEvent;
extern const char *const ms_event_names[MS_N_EVENTS + 1];

/* MS_N_EVENTS: there is none of that name. */
MsEvent ms_event_named(const char *name);

#endif
