/*
 * Sends canaries by the clock and looks at what became of them (desk.h), in a thread of its own:
 * an MTA that is slow to take one keeps no reviewer waiting.  What changed goes to the log.
 */
#include "config.h"

#include <string.h>

#include "missent/canary.h"
#include "missent/log.h"

#include "agent.h"

/* A listener that is no longer asked is none that does not hold; "directory" stands for the
 * entries. */
static bool is_asked(const MsSettings *s, const char *name)
{
	return s->canary.every_ms > 0
		&& (g_strv_contains(s->canary.listeners, name) || strcmp(name, "directory") == 0);
}

/* One that holds again is not the end of it while another does not. */
static void leave_alert(Agent *agent)
{
	const MsSettings *s = ms_desk_settings(agent->desk);
	g_autoptr(GPtrArray) unwell = ms_canaries_unwell(ms_desk_ledger(agent->desk), NULL);
	g_autoptr(GString) text = g_string_new(NULL);
	if (unwell == NULL)
		return; /* not known: as it was */
	for (guint i = 0; i < unwell->len; i++)
		if (is_asked(s, unwell->pdata[i]))
			g_string_append_printf(
				text, "%s%s", text->len > 0 ? ", " : "", (char *)unwell->pdata[i]);
	ms_alert_leave(s->state_dir, MS_ALERT_CANARY, text->str);
}

static void tell(bool well, const char *listener, const char *text, void *user)
{
	ms_log(well ? LOG_NOTICE : LOG_CRIT, NULL, "canary: %s: %s: %s",
		well ? "held again" : "NOT HELD", listener, text);
	leave_alert(user);
}

void *agent_send_canaries(void *user)
{
	Agent *agent = user;
	leave_alert(agent); /* the settings may be others than before */
	while (!agent_stopping) {
		ms_desk_canary(agent->desk, tell, agent);
		for (int i = 0; i < 4 && !agent_stopping; i++)
			g_usleep(G_USEC_PER_SEC / 4);
	}
	return NULL;
}
