/*
 * Two clocks of the system; what tests add to them is the only state.  From any thread.
 */
#include "config.h"

#include <errno.h>
#include <stdatomic.h>
#include <time.h>

#include "missent/clock.h"

static _Atomic gint64 now_shift, steady_shift;

gint64 ms_clock_now(void)
{
	return g_get_real_time() + atomic_load(&now_shift);
}

gint64 ms_clock_steady(void)
{
	struct timespec t;
	if (clock_gettime(CLOCK_BOOTTIME, &t) != 0)
		return g_get_monotonic_time() + atomic_load(&steady_shift);
	return t.tv_sec * G_USEC_PER_SEC + t.tv_nsec / 1000 + atomic_load(&steady_shift);
}

bool ms_clock_is_sure(MsClockWatch *watch)
{
	gint64 steady = ms_clock_steady(), offset = ms_clock_now() - steady;
	if (watch->begun && ABS(offset - watch->offset) >= MS_CLOCK_JUMP)
		watch->doubted = steady + MS_CLOCK_DOUBT;
	watch->begun = true;
	watch->offset = offset;
	return steady >= watch->doubted;
}

bool ms_clock_wait(pthread_cond_t *told, pthread_mutex_t *lock, gint64 until)
{
	struct timespec t = {until / G_USEC_PER_SEC, until % G_USEC_PER_SEC * 1000};
	return pthread_cond_clockwait(told, lock, CLOCK_MONOTONIC, &t) != ETIMEDOUT;
}

void ms_clock_shift(gint64 now_us, gint64 steady_us)
{
	atomic_fetch_add(&now_shift, now_us);
	atomic_fetch_add(&steady_shift, steady_us);
}
