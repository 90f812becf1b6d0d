/*
 * Sends canaries by the clock and looks at what became of them (desk.h), in a thread of its own: an MTA that is slow
 * to take one keeps no reviewer waiting.  What changed goes to the log.
 */
#include "config.h"

#include "missent/log.h"

#include "agent.h"

static void tell(bool well, const char *listener, const char *text, void *user)
{
	const char *state_dir = ms_desk_settings(((Agent *)user)->desk)->state_dir;
	g_autofree char *detail = g_strdup_printf("%s: %s", listener, text);
	ms_alert_leave(state_dir, MS_ALERT_CANARY, well ? "" : detail);
	ms_log(well ? LOG_NOTICE : LOG_CRIT, NULL, "canary: %s: %s: %s", well ? "held again" : "NOT HELD", listener, text);
}

void *agent_send_canaries(void *user)
{
	Agent *agent = user;
	while (!agent_stopping) {
		ms_desk_canary(agent->desk, tell, agent);
		for (int i = 0; i < 4 && !agent_stopping; i++)
			g_usleep(G_USEC_PER_SEC / 4);
	}
	return NULL;
}
