/*
 * Something to be done comes in, and how long to wait then; it is done again and again, by a thread
 * of its own that takes no signal, until somebody else stops it, who waits for the round that is
 * under way.
 */
#include "config.h"

#include "missent/clock.h"
#include "missent/io.h"

#include "daemon.h"

/* False: it is to end. */
static bool await(Rounds *rounds)
{
	gint64 end = g_get_monotonic_time() + rounds->every_us;
	pthread_mutex_lock(&rounds->lock);
	while (!rounds->stopping && ms_clock_wait(&rounds->stop, &rounds->lock, end))
		continue;
	bool go_on = !rounds->stopping;
	pthread_mutex_unlock(&rounds->lock);
	return go_on;
}

static void *go(void *user)
{
	Rounds *rounds = user;
	do
		rounds->go(rounds->user);
	while (await(rounds));
	return NULL;
}

bool rounds_start(Rounds *rounds, const char *name, void (*round)(void *user), void *user,
	gint64 every_us)
{
	*rounds = (Rounds){round, user, every_us, .lock = PTHREAD_MUTEX_INITIALIZER,
		.stop = PTHREAD_COND_INITIALIZER};
	return ms_io_thread(&rounds->thread, name, go, rounds);
}

void rounds_stop(Rounds *rounds)
{
	pthread_mutex_lock(&rounds->lock);
	rounds->stopping = true;
	pthread_cond_signal(&rounds->stop);
	pthread_mutex_unlock(&rounds->lock);
	pthread_join(rounds->thread, NULL);
}
