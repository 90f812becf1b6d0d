/*
 * Several hosts: our records go out through Redis, those of all hosts come in where the page is
 * (all-hosts), and what other agents vouch for is answered.  Threads of its own, each with its
 * link.
 */
#include "config.h"

#include "missent/log.h"

#include "agent.h"

#define TAKERS 8
#define AT_ONCE 100
#define ALIVE_US (5 * (gint64)G_USEC_PER_SEC)
#define SNAPSHOT_US (10 * 60 * (gint64)G_USEC_PER_SEC)
#define AGAIN_US (G_USEC_PER_SEC / 4)
#define FORGET_US (10 * (gint64)G_USEC_PER_SEC)

/* One of several who take what is asked through Redis. */
typedef struct {
	Agent *agent;
	unsigned nth;
	pthread_t thread;
} Taker;

struct AgentHosts {
	Taker takers[TAKERS];
	pthread_t publisher, mirror, witness;
	bool mirrors, watches;
};

static void note_redis(bool *up, bool fine, const GError *why)
{
	if (fine != *up)
		ms_log(fine ? LOG_NOTICE : LOG_WARNING, NULL, "several hosts: %s",
			fine ? "Redis answers again" : why->message);
	*up = fine;
}

/* Everything that changed since; from the beginning again now and then, for a page that lost
 * what it had: records know their age, so that repeating changes nothing. */
static bool publish(MsDesk *desk, MsLink *link, gint64 *since, GError **error)
{
	g_autoptr(GPtrArray)
		list = ms_records_changed(ms_desk_ledger(desk), *since, AT_ONCE, error);
	for (guint i = 0; list != NULL && i < list->len; i++) {
		const MsRecord *record = list->pdata[i];
		if (!ms_link_publish(link, record, error))
			return false;
		*since = record->changed;
	}
	return list != NULL;
}

static void *publish_changes(void *user)
{
	Agent *agent = user;
	g_autoptr(GError) error = NULL;
	g_autoptr(MsLink) link = ms_link_open(ms_desk_settings(agent->desk), true, &error);
	if (link == NULL)
		ms_log(LOG_ERR, NULL, "several hosts: %s", error->message);
	gint64 since = 0, snapshot = g_get_monotonic_time(), told = 0;
	bool up = true;
	while (link != NULL && !agent_stopping) {
		g_autoptr(GError) why = NULL;
		gint64 now = g_get_monotonic_time();
		if (now - snapshot > SNAPSHOT_US) {
			since = 0;
			snapshot = now;
		}
		bool fine = agent->impostor || publish(agent->desk, link, &since, &why);
		if (fine && (told == 0 || now - told > ALIVE_US)) {
			fine = ms_link_alive(link, &why);
			told = fine ? now : 0;
			agent->impostor = g_error_matches(why, MS_ERROR, MS_ERROR_CONFIG);
		}
		note_redis(&up, fine, why);
		g_usleep(fine ? AGAIN_US : G_USEC_PER_SEC);
	}
	return NULL;
}

static void *take_requests(void *user)
{
	const Taker *taker = user;
	g_autoptr(GError) error = NULL;
	g_autoptr(MsLink) link = ms_link_open(ms_desk_settings(taker->agent->desk), true, &error);
	if (link == NULL)
		ms_log(LOG_ERR, NULL, "several hosts: %s", error->message);
	bool up = true;
	while (link != NULL && !agent_stopping) {
		g_autoptr(GError) why = NULL;
		if (taker->agent->impostor) {
			g_usleep(G_USEC_PER_SEC);
			continue;
		}
		bool fine = ms_link_serve(link, taker->nth, agent_vouched, taker->agent, 500, &why);
		if (taker->nth == 0) /* the others would say the same */
			note_redis(&up, fine, why);
		if (!fine)
			g_usleep(G_USEC_PER_SEC);
	}
	return NULL;
}

/* ---- records of all hosts, for the page ------------------------------------------------ */

/* As each host does with its own: see keep-records. */
static void forget(const Agent *agent, MsLedger *ledger, gint64 *last)
{
	gint64 keep = ms_desk_settings(agent->desk)->desk.keep_ms, now = g_get_monotonic_time();
	if (keep == 0 || now - *last < FORGET_US)
		return;
	*last = now;
	ms_records_forget(ledger, g_get_real_time() - keep * 1000, 1000, NULL);
}

static void *keep_mirror(void *user)
{
	Agent *agent = user;
	const MsSettings *s = ms_desk_settings(agent->desk);
	g_autoptr(GError) error = NULL;
	g_autoptr(MsLedger) ledger = ms_ledger_open(s->review.mirror_file, &error);
	g_autoptr(MsLink) link = ledger != NULL ? ms_link_open(s, true, &error) : NULL;
	if (link == NULL)
		ms_log(LOG_ERR, NULL, "records of all hosts: %s", error->message);
	gint64 forgot = 0;
	while (link != NULL && !agent_stopping) {
		g_autoptr(GError) why = NULL;
		forget(agent, ledger, &forgot);
		/* the publisher tells of Redis */
		if (ms_link_mirror(link, ledger, 1000, &why) < 0)
			g_usleep(G_USEC_PER_SEC);
	}
	return NULL;
}

AgentHosts *agent_hosts_start(Agent *agent)
{
	AgentHosts *hosts = g_new0(AgentHosts, 1);
	hosts->mirrors = ms_desk_settings(agent->desk)->review.mirror;
	hosts->watches = ms_desk_settings(agent->desk)->checkpoints.hosts;
	bool fine = pthread_create(&hosts->publisher, NULL, publish_changes, agent) == 0 &&
		(!hosts->mirrors ||
			pthread_create(&hosts->mirror, NULL, keep_mirror, agent) == 0) &&
		(!hosts->watches ||
			pthread_create(&hosts->witness, NULL, agent_watch_trails, agent) == 0);
	for (unsigned i = 0; i < TAKERS && fine; i++) {
		hosts->takers[i] = (Taker){.agent = agent, .nth = i};
		fine = pthread_create(&hosts->takers[i].thread, NULL, take_requests,
			       &hosts->takers[i]) == 0;
	}
	return fine ? hosts : NULL; /* the process ends then */
}

void agent_hosts_join(AgentHosts *hosts)
{
	if (hosts == NULL)
		return;
	for (unsigned i = 0; i < TAKERS; i++)
		pthread_join(hosts->takers[i].thread, NULL);
	if (hosts->mirrors)
		pthread_join(hosts->mirror, NULL);
	if (hosts->watches)
		pthread_join(hosts->witness, NULL);
	pthread_join(hosts->publisher, NULL);
	g_free(hosts);
}
