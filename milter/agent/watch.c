/*
 * Tells systemd that all is well (WATCHDOG=1), in a thread of its own: as long as the door takes
 * who asks, and decisions are carried out.  A decision may take as long as the MTA at the other
 * end is given to take a mail; one that takes longer than several of these hangs.
 */
#include "config.h"

#include <pthread.h>
#include <systemd/sd-daemon.h>

#include "missent/log.h"

#include "agent.h"

#define DOOR_US (10 * (gint64)G_USEC_PER_SEC)
#define CARRIER_US (60 * (gint64)G_USEC_PER_SEC) /* beyond what is granted for submission */
#define AT_ONCE 5                                /* decisions of one turn */

static gint64 every;

static bool turns(Agent *agent)
{
	gint64 now = g_get_monotonic_time();
	gint64 granted = AT_ONCE * agent_settings(agent)->desk.submit_timeout_ms * 1000 +
		CARRIER_US;
	bool door = now - atomic_load(&agent->door_turned) < DOOR_US;
	bool carrier = now - atomic_load(&agent->carrier_turned) < granted;
	if (!door || !carrier)
		ms_log(LOG_ERR, NULL, "%s; systemd is not told that all is well",
			door ? "a decision does not end" : "nobody is let in");
	return door && carrier;
}

static void *feed(void *user)
{
	while (!agent_stopping) {
		if (turns(user))
			sd_notify(0, "WATCHDOG=1");
		g_usleep((gulong)every);
	}
	return NULL;
}

bool agent_watch(Agent *agent)
{
	uint64_t us = 0;
	pthread_t thread;
	gint64 now = g_get_monotonic_time();
	atomic_store(&agent->door_turned, now);
	atomic_store(&agent->carrier_turned, now);
	if (sd_watchdog_enabled(0, &us) <= 0)
		return true;
	every = (gint64)us / 3;
	if (pthread_create(&thread, NULL, feed, agent) != 0)
		return false;
	pthread_detach(thread);
	return true;
}
