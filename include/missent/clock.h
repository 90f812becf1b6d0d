/*
 * clock.h - what time it is, and how much has gone by.
 *
 * WHAT    The wall clock, which may jump, and one that only goes on; tests shift both.
 * OWNS    Nothing.
 * ERRORS  None.
 * THREADS Safe.
 * LIMITS  None.
 * NOT     Deadlines of one call: those are g_get_monotonic_time()'s.
 */
#ifndef MISSENT_CLOCK_H
#define MISSENT_CLOCK_H

#include <glib.h>

/* Microseconds since 1970. */
gint64 ms_clock_now(void);
/* Microseconds since this machine was started, also while it slept. */
gint64 ms_clock_steady(void);
/* For tests: from now on both are that much later, or earlier. */
void ms_clock_shift(gint64 now_us, gint64 steady_us);

#endif
