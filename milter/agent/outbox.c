/*
 * The webhook: what the ledger has to tell goes out, one after another, and again, later and
 * later, until it is taken or a week old.  A thread of its own, so that who does not answer keeps
 * nobody waiting.
 */
#include "config.h"

#include <string.h>
#include <sys/stat.h>

#include "missent/answer.h"
#include "missent/config.h"
#include "missent/log.h"
#include "missent/outbox.h"

#include "agent.h"

#define AT_ONCE 50
#define SECOND ((gint64)G_USEC_PER_SEC)
#define KEEP_US (7 * 86400 * SECOND)
#define KEY_MIN 32

/* After 1, 2, 3 ... tries: 5, 10, 20 seconds, an hour at most. */
static gint64 wait_after(guint tries)
{
	return 5 * SECOND << MIN(tries, 10);
}

char *agent_webhook_key(const char *path, GError **error)
{
	struct stat st;
	g_autofree char *text = ms_config_read(path, error);
	if (text == NULL)
		return NULL;
	g_strstrip(text);
	if (stat(path, &st) == 0 && (st.st_mode & 0007) == 0 && strlen(text) >= KEY_MIN)
		return g_steal_pointer(&text);
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "webhook-key-file %s: %s", path,
		strlen(text) < KEY_MIN
			? "has less than 32 characters (missent review key FILE makes one)"
			: "others may read it");
	return NULL;
}

static void note(bool *up, bool fine, const char *why)
{
	if (fine != *up)
		ms_log(fine ? LOG_NOTICE : LOG_WARNING, NULL, "webhook: %s",
			fine ? "it takes what it is told again" : why);
	*up = fine;
}

/* False: who does not take one would not take the next. */
static bool send_one(MsLedger *ledger, const MsHook *hook, const MsOutboxItem *item, bool *up)
{
	g_autofree char *why = NULL;
	bool taken = ms_hook_post(hook, item->name, item->body, &why);
	note(up, taken, why);
	if (taken)
		ms_outbox_sent(ledger, item, NULL);
	else
		ms_outbox_later(ledger, item, wait_after(item->tries), NULL);
	return taken;
}

static void forget(MsLedger *ledger, gint64 *last)
{
	gint64 now = g_get_monotonic_time();
	if (*last != 0 && now - *last < 60 * SECOND)
		return;
	*last = now;
	gint64 n = ms_outbox_forget(ledger, g_get_real_time() - KEEP_US, NULL);
	if (n > 0)
		ms_log(LOG_WARNING, NULL,
			"webhook: %" G_GINT64_FORMAT " were never taken, and are dropped", n);
}

void *agent_send_outbox(void *user)
{
	Agent *agent = user;
	const MsSettings *s = ms_desk_settings(agent->desk);
	MsLedger *ledger = ms_desk_ledger(agent->desk);
	MsHook hook = {s->desk.webhook_url, agent->webhook_key, s->desk.webhook_timeout_ms};
	gint64 forgot = 0;
	bool up = true;
	while (!agent_stopping) {
		forget(ledger, &forgot);
		g_autoptr(GPtrArray) due = ms_outbox_due(ledger, AT_ONCE, NULL);
		guint n = 0;
		while (due != NULL && n < due->len && !agent_stopping &&
			send_one(ledger, &hook, due->pdata[n], &up))
			n++;
		if (n < AT_ONCE)
			g_usleep(G_USEC_PER_SEC / 2);
	}
	return NULL;
}
