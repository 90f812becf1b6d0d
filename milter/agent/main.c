/*
 * missent-agent - does, on the host that holds a message, what the review page asks.
 *
 * It has what the page has not: the right to the MTA's queue (through missent-release), to the
 * spool, the site key and the directory.  It listens on a Unix socket and, where several hosts
 * are reviewed on one page, on a stream in Redis; it finishes what was interrupted, announces
 * and carries out expiry, and sends notices.
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/desk.h"
#include "missent/io.h"
#include "missent/link.h"
#include "missent/log.h"

typedef struct {
	const char *config;
	MsDesk *desk;
	int listening;
} Agent;

static atomic_bool stopping; /* lock-free, so that a signal may set it */

static void on_stop(int signal)
{
	(void)signal;
	stopping = true;
}

static int complain(int code, const char *what, const char *why)
{
	fprintf(stderr, "missent-agent: %s%s%s\n", what, *why != '\0' ? ": " : "", why);
	return code;
}

/* ---- the socket ----------------------------------------------------------------------- */

#define REQUESTS_AT_ONCE 8
#define PATIENCE_MS 10000 /* of who asks, before "it is being done" is the answer */

static char *answer(const char *ask, gsize len, void *user)
{
	Agent *agent = user;
	return ms_desk_request(agent->desk, ask, len);
}

/* `data` is the descriptor, and one: a pool takes no NULL. */
static void serve_connection(gpointer data, gpointer user)
{
	int fd = GPOINTER_TO_INT(data) - 1;
	struct timeval wait = {5, 0};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
	gsize len;
	g_autofree char *ask = ms_link_receive(fd, &len);
	if (ask != NULL) {
		g_autofree char *reply = answer(ask, len, user);
		ms_link_send(fd, reply, strlen(reply));
	}
	close(fd);
}

/* Each request in a thread of a few: one that takes long, a large message that is read again, does
 * not keep the others waiting. */
static void serve_socket(Agent *agent)
{
	GThreadPool *pool = g_thread_pool_new(serve_connection, agent, REQUESTS_AT_ONCE, FALSE, NULL);
	while (!stopping) {
		struct pollfd ready = {agent->listening, POLLIN, 0};
		int fd = poll(&ready, 1, 500) > 0 ? accept4(agent->listening, NULL, NULL, SOCK_CLOEXEC) : -1;
		if (fd >= 0)
			g_thread_pool_push(pool, GINT_TO_POINTER(fd + 1), NULL);
	}
	g_thread_pool_free(pool, FALSE, TRUE);
}

/* ---- several hosts -------------------------------------------------------------------- */

#define AT_ONCE 100
#define ALIVE_US (5 * (gint64)G_USEC_PER_SEC)
#define SNAPSHOT_US (10 * 60 * (gint64)G_USEC_PER_SEC)
#define AGAIN_US (G_USEC_PER_SEC / 4)

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
	g_autoptr(GPtrArray) list = ms_records_changed(ms_desk_ledger(desk), *since, AT_ONCE, error);
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
	while (link != NULL && !stopping) {
		g_autoptr(GError) why = NULL;
		gint64 now = g_get_monotonic_time();
		if (now - snapshot > SNAPSHOT_US) {
			since = 0;
			snapshot = now;
		}
		bool fine = publish(agent->desk, link, &since, &why);
		if (fine && (told == 0 || now - told > ALIVE_US)) {
			fine = ms_link_alive(link, &why);
			told = fine ? now : 0;
		}
		note_redis(&up, fine, why);
		g_usleep(fine ? AGAIN_US : G_USEC_PER_SEC);
	}
	return NULL;
}

/* One of several who take what is asked through Redis. */
typedef struct {
	Agent *agent;
	unsigned nth;
	pthread_t thread;
} Taker;

static void *take_requests(void *user)
{
	const Taker *taker = user;
	g_autoptr(GError) error = NULL;
	g_autoptr(MsLink) link = ms_link_open(ms_desk_settings(taker->agent->desk), true, &error);
	if (link == NULL)
		ms_log(LOG_ERR, NULL, "several hosts: %s", error->message);
	bool up = true;
	while (link != NULL && !stopping) {
		g_autoptr(GError) why = NULL;
		bool fine = ms_link_serve(link, taker->nth, answer, taker->agent, 500, &why);
		if (taker->nth == 0) /* the others would say the same */
			note_redis(&up, fine, why);
		if (!fine)
			g_usleep(G_USEC_PER_SEC);
	}
	return NULL;
}

/* ---- running -------------------------------------------------------------------------- */

#define WORK_AT_ONCE 5 /* then what came meanwhile: a long group must not keep a reviewer waiting */
#define CHECK_MS 500 /* for what a shell has left */

static void *carry_out(void *user)
{
	Agent *agent = user;
	gint64 ticked = 0;
	while (!stopping) {
		if (ms_desk_work(agent->desk, WORK_AT_ONCE) == 0)
			ms_desk_await(agent->desk, CHECK_MS);
		gint64 now = g_get_monotonic_time();
		if (now - ticked < G_USEC_PER_SEC && ticked != 0)
			continue;
		ticked = now;
		ms_desk_tick(agent->desk);
	}
	return NULL;
}

static bool start(pthread_t *thread, void *(*func)(void *), void *user)
{
	return pthread_create(thread, NULL, func, user) == 0;
}

#define STOP_SECONDS 5

/* A decision that is being carried out survives a crash, so it survives this. */
static void stop_carrier(Agent *agent, pthread_t carrier)
{
	struct timespec end;
	ms_desk_wake(agent->desk);
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += STOP_SECONDS;
	if (pthread_timedjoin_np(carrier, NULL, &end) == 0)
		return;
	ms_log(LOG_NOTICE, NULL, "stopped within a decision; it is taken up again at the next start");
	unlink(ms_desk_settings(agent->desk)->desk.socket);
	_exit(EX_OK);
}

/* How many of them there are. */
static int start_redis(Agent *agent, pthread_t *publisher, Taker *takers)
{
	int n = 0;
	if (!start(publisher, publish_changes, agent))
		return 0;
	for (; n < REQUESTS_AT_ONCE; n++) {
		takers[n] = (Taker){.agent = agent, .nth = (unsigned)n};
		if (!start(&takers[n].thread, take_requests, &takers[n]))
			break;
	}
	return n;
}

static int run(Agent *agent, bool several)
{
	pthread_t carrier, publisher;
	Taker takers[REQUESTS_AT_ONCE];
	int n = several ? start_redis(agent, &publisher, takers) : 0;
	if (!start(&carrier, carry_out, agent) || (several && n < REQUESTS_AT_ONCE))
		return complain(EX_OSERR, "cannot start a thread", "");
	sd_notify(0, "READY=1");
	serve_socket(agent);
	for (int i = 0; i < n; i++)
		pthread_join(takers[i].thread, NULL);
	if (several)
		pthread_join(publisher, NULL);
	stop_carrier(agent, carrier);
	return EX_OK;
}

static int serve(Agent *agent)
{
	const MsSettings *s = ms_desk_settings(agent->desk);
	/* Its group is the page's: whoever may ask may decide. */
	agent->listening = ms_io_listen(s->desk.socket, s->desk.group, 0660);
	if (agent->listening < 0)
		return complain(EX_UNAVAILABLE, s->desk.socket, g_strerror(errno));
	struct sigaction stop = {.sa_handler = on_stop};
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	signal(SIGPIPE, SIG_IGN);
	bool several = s->desk.redis_key_file != NULL;
	ms_desk_leave_work(agent->desk, PATIENCE_MS);
	ms_log(LOG_NOTICE, NULL, "started, version=%s, host=%s, several hosts=%s", PACKAGE_VERSION, s->host,
		several ? "yes" : "no");
	int rc = run(agent, several);
	unlink(s->desk.socket);
	ms_log(LOG_NOTICE, NULL, "stopped");
	return rc;
}

int main(int argc, char **argv)
{
	Agent agent = {.config = CONFDIR "/missent.conf"};
	bool keep_root = false;
	for (int opt; (opt = getopt(argc, argv, "c:rhV")) != -1;) {
		switch (opt) {
		case 'c': agent.config = optarg; break;
		case 'r': keep_root = true; break;
		case 'V': printf("missent-agent %s\n", PACKAGE_VERSION); return EX_OK;
		default:
			fprintf(opt == 'h' ? stdout : stderr, "usage: missent-agent [-r] [-c FILE] [-V]\n"
				"  -r  stay root (missent-release is not set-user-ID)\n");
			return opt == 'h' ? EX_OK : EX_USAGE;
		}
	}
	ms_io_private_memory();
	g_autoptr(GError) error = NULL;
	g_autoptr(MsSettings) settings = ms_settings_load(agent.config, &error);
	if (settings == NULL)
		return complain(EX_CONFIG, error->message, "");
	ms_log_open("missent-agent", settings->log_syslog, settings->log_debug);
	umask(0027);
	if (!keep_root && settings->user != NULL && !ms_io_become(settings->user, &error))
		return complain(EX_NOUSER, error->message, "");
	agent.desk = ms_desk_open(agent.config, &error);
	if (agent.desk == NULL)
		return complain(EX_CONFIG, error->message, "");
	int rc = serve(&agent);
	ms_desk_free(agent.desk);
	return rc;
}
