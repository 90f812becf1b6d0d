/*
 * clock.h - what time it is, and how much has gone by.
 *
 * WHAT    The wall clock, which may jump, and one that only goes on; tests shift both.
 * OWNS    Nothing.
 * ERRORS  None.
 * THREADS Safe.
 * LIMITS  None.
 * NOT     Deadlines of one call: those are g_get_monotonic_time()'s, which is what is waited by.
 */
#ifndef MISSENT_CLOCK_H
#define MISSENT_CLOCK_H

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>

/* Microseconds since 1970. */
gint64 ms_clock_now(void);
/* Microseconds since this machine was started, also while it slept. */
gint64 ms_clock_steady(void);
/* Whether the wall clock goes as the other one does.  Zeroed at first; who shares one locks it. */
typedef struct {
	bool begun;
	gint64 offset, doubted; /* the wall clock's; until when it is not believed */
} MsClockWatch;
/* Less is a clock that is being set right; so long after a jump nobody knows which time it was. */
#define MS_CLOCK_JUMP (120 * (gint64)G_USEC_PER_SEC)
#define MS_CLOCK_DOUBT (600 * (gint64)G_USEC_PER_SEC)
bool ms_clock_is_sure(MsClockWatch *watch);
/* Until something is told, or g_get_monotonic_time() is `until`: then false.  However the wall
 * clock is set. */
bool ms_clock_wait(pthread_cond_t *told, pthread_mutex_t *lock, gint64 until);
/* For tests: from now on both are that much later, or earlier. */
void ms_clock_shift(gint64 now_us, gint64 steady_us);

#endif
