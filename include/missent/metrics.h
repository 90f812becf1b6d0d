/*
 * metrics.h - numbers as Prometheus reads them.
 *
 * WHAT    The text form (version 0.0.4) of what missentd publishes and of what its host knows
 *         beside it.
 * OWNS    The text is the caller's.
 * ERRORS  None.
 * THREADS Pure.
 * LIMITS  Labels are words of tables, and titles of policies, MS_NUMBERS_POLICIES at most.
 * NOT     Never an address, an account or an identifier.
 */
#ifndef MISSENT_METRICS_H
#define MISSENT_METRICS_H

#include "missent/alert.h"
#include "missent/numbers.h"

typedef struct MsHostNumbers {
	/* held -1: the records cannot be read, and nothing is known of what is counted there;
	 * oldest: arrival, microseconds since 1970; 0: none */
	gint64 held, oldest, waiting;
	gint64 delayed,
		due; /* those that wait to be judged again, and when the first is to be; 0 */
	gint64 audit_entries, disk_free; /* -1: not known */
	gint64 audit_signed; /* seconds since 1970 */
	bool alerts[MS_N_ALERTS];
} MsHostNumbers;

/* `view` NULL: nothing is published. */
char *ms_metrics_text(const MsNumbersView *view, const MsHostNumbers *host, gint64 now);

#endif
