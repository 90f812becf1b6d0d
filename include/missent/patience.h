/*
 * patience.h - how long somebody waits for what is worked at.
 *
 * WHAT    The one limit over all steps of a message: each step that waits ends by then, and none
 *         begins afterwards.
 * OWNS    Nothing: it is the caller's, and lives as long as the message is worked at.
 * ERRORS  MS_ERROR_RETRY: nobody waits any more.
 * THREADS Safe: another thread may tell that he who waited is gone.
 * LIMITS  A wait for the disk itself cannot be ended; what comes after it is not done.
 * NOT     What a message may compute is its budget (budget.h).
 */
#ifndef MISSENT_PATIENCE_H
#define MISSENT_PATIENCE_H

#include <glib.h>
#include <stdbool.h>

typedef struct {
	gint64 until;     /* of g_get_monotonic_time(), which no setting of the clock moves */
	gint64 budget_ms; /* what it was at first, to be told */
	gint gone;        /* who waited has closed the connection; atomic */
} MsPatience;

/* NULL stands for one that has no end, here and wherever one is asked for. */
void ms_patience_begin(MsPatience *patience, gint64 budget_ms);
/* For any thread: nobody waits any more. */
void ms_patience_lose(MsPatience *patience);
bool ms_patience_lost(const MsPatience *patience);
/* The earlier one of the two ends. */
gint64 ms_patience_end(const MsPatience *patience, gint64 end);
/* False and MS_ERROR_RETRY: it is over. */
bool ms_patience_lasts(const MsPatience *patience, GError **error);

/* What this thread waits for, in whatever it calls, ends by then, until it says otherwise; what it
 * worked at before is returned.  What is done for others too (loading what the directory knows, a
 * transaction of several) is nobody's: NULL. */
const MsPatience *ms_patience_work(const MsPatience *patience);
/* The earlier one of `end` and the end of what this thread works at. */
gint64 ms_patience_here(gint64 end);

#endif
