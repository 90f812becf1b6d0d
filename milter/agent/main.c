/*
 * missent-agent - does, on the host that holds a message, what reviewers decide.
 *
 * It has what the page has not: the right to the MTA's queue (through missent-release), to the
 * spool, the site key and the directory, and the accounts of reviewers.  It listens on a Unix
 * socket and, where several hosts are reviewed on one page, on a stream in Redis; it finishes
 * what was interrupted, announces and carries out expiry, and sends notices.  The thread of main()
 * waits at the door; decisions, canaries, alerts and their mails, the webhook and each link to
 * Redis have threads of their own.
 */
#include "config.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/config.h"
#include "missent/io.h"
#include "missent/log.h"
#include "missent/usage.h"

#include "agent.h"

atomic_bool agent_stopping; /* lock-free, so that a signal may set it */

static void on_stop(int signal)
{
	(void)signal;
	agent_stopping = true;
}

static int complain(int code, const char *what, const char *why)
{
	return ms_usage_ended("missent-agent", code, what, why);
}

/* ---- settings ------------------------------------------------------------------------- */

/* As the file says now, or before there was a mistake in it.  What was read before stays:
 * somebody may be reading it, and files change seldom. */
const MsSettings *agent_settings(Agent *agent)
{
	g_autofree char *stamp = ms_io_stamp(agent->config);
	pthread_mutex_lock(&agent->lock);
	if (strcmp(stamp, agent->settings_stamp) != 0) {
		MsSettings *fresh = ms_settings_load(agent->config, NULL);
		g_free(agent->settings_stamp);
		agent->settings_stamp = g_steal_pointer(&stamp);
		if (fresh != NULL) {
			g_ptr_array_add(agent->settings_before, agent->settings);
			agent->settings = fresh;
		}
	}
	const MsSettings *s = agent->settings;
	pthread_mutex_unlock(&agent->lock);
	return s;
}

/* ---- running -------------------------------------------------------------------------- */

#define PATIENCE_MS 10000 /* of who asks, before "it is being done" is the answer */
#define WORK_AT_ONCE 5 /* then what came meanwhile: a long group must not keep a reviewer waiting */
#define CHECK_MS 500 /* for what a shell has left */

static void *carry_out(void *user)
{
	Agent *agent = user;
	gint64 ticked = 0;
	while (!agent_stopping) {
		atomic_store(&agent->carrier_turned, g_get_monotonic_time());
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

static void leave_socket(const Agent *agent)
{
	ms_io_leave_socket(agent->listening, ms_desk_settings(agent->desk)->desk.socket);
}

#define STOP_SECONDS 5

/* A decision that is being carried out, and a canary, survive a crash, so they survive this. */
static void stop_thread(Agent *agent, pthread_t thread, const char *within)
{
	struct timespec end;
	ms_desk_wake(agent->desk);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += STOP_SECONDS;
	if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &end) == 0)
		return;
	ms_log(LOG_NOTICE, NULL, "stopped within a %s; it is taken up again at the next start",
		within);
	leave_socket(agent);
	_exit(EX_OK);
}

/* Those that did start use what the end of the process would free. */
static G_GNUC_NORETURN void leave_threads(const Agent *agent)
{
	complain(0, "cannot start a thread", "");
	leave_socket(agent);
	_exit(EX_OSERR);
}

static int run(Agent *agent)
{
	pthread_t carrier, teller, canaries, tender;
	bool tells = agent->webhook_key != NULL;
	atomic_store(&agent->carrier_turned, g_get_monotonic_time());
	if (!agent_metrics_start(agent))
		return EX_UNAVAILABLE;
	AgentHosts *hosts = agent->several != NULL ? agent_hosts_start(agent) : NULL;
	if (!start(&carrier, carry_out, agent) ||
		(tells && !start(&teller, agent_send_outbox, agent)) ||
		(agent->several != NULL && hosts == NULL) ||
		!start(&canaries, agent_send_canaries, agent) ||
		!start(&tender, agent_tend, agent))
		leave_threads(agent);
	sd_notify(0, "READY=1");
	agent_serve(agent);
	agent_metrics_stop(agent);
	agent_hosts_join(hosts);
	if (tells)
		pthread_join(teller, NULL);
	stop_thread(agent, carrier, "decision");
	stop_thread(agent, canaries, "canary");
	stop_thread(agent, tender, "mail of an alert");
	return EX_OK;
}

static int serve(Agent *agent)
{
	const MsSettings *s = ms_desk_settings(agent->desk);
	/* Its group is the page's; who of it may ask is looked at with each connection. */
	agent->listening = ms_io_listen(s->desk.socket, s->desk.group, 0660);
	if (agent->listening < 0)
		return complain(EX_UNAVAILABLE, s->desk.socket, g_strerror(errno));
	struct sigaction stop = {.sa_handler = on_stop};
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	signal(SIGHUP, SIG_IGN); /* who rotates logs sends it; there is nothing to do */
	ms_io_usual_start();
	ms_desk_leave_work(agent->desk, PATIENCE_MS);
	ms_log(LOG_NOTICE, NULL, "started, version=%s, host=%s, several hosts=%s", PACKAGE_VERSION,
		s->host, agent->several != NULL ? "yes" : "no");
	int rc = run(agent);
	leave_socket(agent);
	ms_log(LOG_NOTICE, NULL, "stopped");
	return rc;
}

/* The page's user, as the page becomes it. */
static uid_t page_user(const MsSettings *s)
{
	const struct passwd *user = getpwnam(
		s->review.user != NULL ? s->review.user : "missent-review");
	return user != NULL ? user->pw_uid : (uid_t)-1;
}

static bool open_all(Agent *agent, GError **error)
{
	agent->desk = ms_desk_open(agent->config, error);
	const MsSettings *s = agent->desk != NULL ? ms_desk_settings(agent->desk) : NULL;
	if (s != NULL && ms_io_takes_nothing(s->state_dir))
		return ms_io_fail(error, s->state_dir, EROFS);
	if (s == NULL || !ms_accounts_folder(s->review.accounts_file, s->user, error))
		return false;
	agent->accounts = ms_accounts_open(s->review.accounts_file, &s->desk.people, error);
	if (agent->accounts == NULL)
		return false;
	if (s->desk.webhook_url != NULL &&
		(agent->webhook_key = agent_webhook_key(s->desk.webhook_key_file, error)) == NULL)
		return false;
	agent->page = page_user(s);
	agent->audit = ms_audit_new(s->audit_file);
	if (s->desk.redis_key_file == NULL)
		return true;
	agent->several = ms_link_open(s, true, error);
	if (agent->several == NULL)
		return false;
	g_autoptr(GError) why = NULL; /* Redis may be away now */
	if (ms_link_alive(agent->several, &why) || !g_error_matches(why, MS_ERROR, MS_ERROR_CONFIG))
		return true;
	g_propagate_error(error, g_steal_pointer(&why));
	return false;
}

static void close_all(Agent *agent)
{
	g_free(agent->webhook_key);
	ms_link_free(agent->several);
	ms_audit_free(agent->audit);
	ms_accounts_free(agent->accounts);
	ms_desk_free(agent->desk);
	g_hash_table_unref(agent->proofs);
	g_ptr_array_unref(agent->settings_before);
	ms_settings_free(agent->settings);
	g_free(agent->settings_stamp);
}

static const MsOption options[] = {
	{'c', "config", "FILE", "its settings (" CONFDIR "/missent.conf)"},
	{'r', "root", NULL, "stay root, where missent-release is not set-user-ID"},
	{0},
};
static const MsUsage usage = {"missent-agent", "carries out decisions on held mail, on this host",
	options, NULL, "It stays in the foreground.  SIGTERM stops it.  See missent-agent(8)."};

int main(int argc, char **argv)
{
	const char *argument;
	int rest;
	Agent agent = {.config = CONFDIR "/missent.conf", .lock = PTHREAD_MUTEX_INITIALIZER};
	bool keep_root = false;
	for (int option; (option = ms_usage_next(&usage, argc, argv, &argument, &rest)) != -1;) {
		switch (option) {
		case 'c': agent.config = argument; break;
		case 'r': keep_root = true; break;
		default: g_assert_not_reached();
		}
	}
	if (rest < argc)
		return ms_usage_wrong(&usage, "it takes options alone");
	ms_io_private_memory();
	g_autoptr(GError) error = NULL;
	g_autofree char *stamp = ms_io_stamp(agent.config);
	agent.settings = ms_settings_load(agent.config, &error);
	if (agent.settings == NULL)
		return complain(ms_config_exit_code(error), error->message, "");
	agent.settings_stamp = g_steal_pointer(&stamp);
	agent.settings_before = g_ptr_array_new_with_free_func((GDestroyNotify)ms_settings_free);
	agent.proofs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	ms_log_open("missent-agent", agent.settings->log_syslog, agent.settings->log_debug);
	umask(0027);
	if (!keep_root && agent.settings->user != NULL &&
		!ms_io_become(agent.settings->user, &error))
		return complain(EX_NOUSER, error->message, "");
	int rc = open_all(&agent, &error) ? serve(&agent)
					  : complain(ms_config_exit_code(error), error->message, "");
	close_all(&agent);
	return rc;
}
