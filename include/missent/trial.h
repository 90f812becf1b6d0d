/*
 * trial.h - policies that observe until a date, or for so many messages, and then enforce.
 *
 * WHAT    Reads what a policy's mode says; keeps, in a file, how long each has been at it, how
 *         many messages it saw, and since when it enforces.
 * OWNS    MsTrials; ms_trials_free().
 * ERRORS  Of a file that is missing nothing is known: everything observes anew.  One that is there
 *         and cannot be read, or is damaged, is an error: what enforces would let mail through.
 * THREADS One at a time.
 * LIMITS  Those of policies.
 * NOT     Says whether it is safe to enforce (history.h), and counts no message itself.  Of one
 *         host: each goes by its own mail.
 */
#ifndef MISSENT_TRIAL_H
#define MISSENT_TRIAL_H

#include "missent/policy.h"

/* Of the n-th policy.  False: it has a mode of its own or none, without an end. */
typedef struct {
	const char *title;
	const char *terms;    /* as they are written: what is begun under others says nothing */
	gint64 until;         /* 0: so many messages */
	guint64 messages;     /* 0: a date */
	bool enforced;        /* it is over */
} MsTerms;
bool ms_policies_terms(const MsPolicies *policies, guint n, MsTerms *out);

typedef struct {
	gint64 began;         /* microseconds since 1970; 0: not yet */
	gint64 elapsed;       /* microseconds of it that went by steadily */
	guint64 messages;
	gint64 jumped;        /* by so much the clock jumped in all; 0: it did not */
	gint64 switched;      /* since when it enforces; 0: it observes */
} MsTrial;

typedef struct MsTrials MsTrials;
/* NULL: MS_ERROR_CONFIG where it is damaged, else MS_ERROR_RETRY. */
MsTrials *ms_trials_read(const char *file, GError **error);
void ms_trials_free(MsTrials *trials);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsTrials, ms_trials_free)
bool ms_trials_write(const MsTrials *trials, const char *file, GError **error);
MsTrial ms_trials_get(const MsTrials *trials, const MsTerms *terms);
void ms_trials_set(MsTrials *trials, const MsTerms *terms, const MsTrial *trial);
/* When somebody last looked, in whatever process; 0: nobody did. */
gint64 ms_trials_seen(const MsTrials *trials);
void ms_trials_set_seen(MsTrials *trials, gint64 now);
/* Those that are over are enforced.  Before anybody else has the policies. */
void ms_trials_apply(const MsTrials *trials, MsPolicies *policies);

/* The clocks have gone on since the last look: `wall` by more than `steady` is a jump, which does
 * not count.  `steady` < 0: the process is new, and nobody knows but the wall; a downtime of days
 * is believed. */
#define MS_TRIAL_JUMP (120 * (gint64)G_USEC_PER_SEC)
void ms_trial_go_on(MsTrial *trial, gint64 wall, gint64 steady);
/* Is it time to look whether it is safe?  `*why_out` (the caller's): the clock says so, but it
 * jumped; or NULL. */
bool ms_trial_is_due(const MsTrial *trial, const MsTerms *terms, gint64 now, char **why_out);

#endif
