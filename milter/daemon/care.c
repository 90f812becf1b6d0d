/*
 * What nobody else of the daemon sees to, in a thread of its own, every second: reader processes
 * that had to be replaced and connections that were refused are told in the log; and systemd is
 * told that all is well (WATCHDOG=1), each time only after libmilter has taken a connection to
 * its own socket and one of its threads has answered there.  What is counted is published
 * (account.c).
 */
#include "config.h"

#include <pthread.h>
#include <systemd/sd-daemon.h>

#include "missent/clock.h"
#include "missent/log.h"

#include "daemon.h"

#define TELL_US (10 * G_USEC_PER_SEC)

typedef struct {
	Daemon *daemon;
	char *socket;
	gint64 watchdog_us; /* 0: nobody asks */
	gint64 fed, told;
	guint refused;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stop;
	bool stopping;
} Care;

/* of the one daemon that a process is */
static Care care = {.lock = PTHREAD_MUTEX_INITIALIZER, .stop = PTHREAD_COND_INITIALIZER};

static void tell_refused(gint64 now)
{
	guint fresh = room_refused();
	ms_numbers_add(daemon_numbers(care.daemon), MS_NUM_OVER_CONNECTIONS, fresh);
	care.refused += fresh;
	if (care.refused == 0 || now - care.told < TELL_US)
		return;
	ms_log(LOG_WARNING, NULL,
		"connections refused=%u: no descriptor is left for them (LimitNOFILE); their mail "
		"is tried again",
		care.refused);
	care.refused = 0;
	care.told = now;
}

static void feed(gint64 now)
{
	gint64 every = care.watchdog_us / 3;
	if (care.watchdog_us == 0 || (care.fed != 0 && now - care.fed < every))
		return;
	if (!ms_socket_answers(care.socket, (int)(every / 1000))) {
		ms_log(LOG_ERR, NULL,
			"the milter socket does not answer; systemd is not told that all is well");
		return;
	}
	sd_notify(0, "WATCHDOG=1");
	care.fed = now;
}

/* A second later; false: it is to end. */
static bool wait_a_second(void)
{
	gint64 end = g_get_monotonic_time() + G_USEC_PER_SEC;
	pthread_mutex_lock(&care.lock);
	while (!care.stopping && ms_clock_wait(&care.stop, &care.lock, end))
		;
	bool go_on = !care.stopping;
	pthread_mutex_unlock(&care.lock);
	return go_on;
}

static void *take_care(void *user)
{
	(void)user;
	while (wait_a_second()) {
		gint64 now = g_get_monotonic_time();
		MsRuntime *runtime = daemon_runtime(care.daemon);
		g_autofree char *news = ms_reader_news(ms_runtime_reader(runtime));
		ms_runtime_unref(runtime);
		if (news != NULL)
			ms_log(LOG_WARNING, NULL, "%s", news);
		tell_refused(now);
		if (account_look(care.daemon))
			feed(now);
	}
	return NULL;
}

bool care_start(Daemon *daemon, const char *libmilter_spec)
{
	uint64_t us = 0;
	care.daemon = daemon;
	care.socket = g_strdup(libmilter_spec);
	care.watchdog_us = sd_watchdog_enabled(0, &us) > 0 ? (gint64)us : 0;
	return account_begin(daemon) && pthread_create(&care.thread, NULL, take_care, NULL) == 0;
}

void care_stop(void)
{
	pthread_mutex_lock(&care.lock);
	care.stopping = true;
	pthread_cond_signal(&care.stop);
	pthread_mutex_unlock(&care.lock);
	pthread_join(care.thread, NULL);
	account_end(care.daemon);
}
