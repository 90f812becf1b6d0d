/*
 * Tells systemd that all is well (WATCHDOG=1), in the thread of the door, each time that it comes
 * round: as long as decisions are carried out.  A decision may take as long as the MTA at the other
 * end is given to take a mail; one that takes longer than several of these hangs.
 */
#include "config.h"

#include <systemd/sd-daemon.h>

#include "missent/log.h"

#include "agent.h"

#define CARRIER_US (60 * (gint64)G_USEC_PER_SEC) /* beyond what is granted for submission */
#define AT_ONCE 5                                /* decisions of one turn */

static bool turns(Agent *agent, gint64 now)
{
	gint64 granted = AT_ONCE * agent_settings(agent)->desk.submit_timeout_ms * 1000 +
		CARRIER_US;
	return now - atomic_load(&agent->carrier_turned) < granted;
}

void agent_watch(Agent *agent)
{
	uint64_t us = 0;
	gint64 now = g_get_monotonic_time();
	if (sd_watchdog_enabled(0, &us) <= 0 || now - agent->watched < (gint64)us / 3)
		return;
	agent->watched = now;
	if (turns(agent, now))
		sd_notify(0, "WATCHDOG=1");
	else
		ms_log(LOG_ERR, NULL,
			"a decision does not end; systemd is not told that all is well");
}
