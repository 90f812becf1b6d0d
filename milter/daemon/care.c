/*
 * What nobody else of the daemon sees to, in a thread of its own, every second: reader processes
 * that had to be replaced and connections that were refused are told in the log; and systemd is
 * told that all is well (WATCHDOG=1), each time only after libmilter has taken a connection to
 * its own socket and one of its threads has answered there.  What is counted is published
 * (account.c).
 */
#include "config.h"

#include <systemd/sd-daemon.h>

#include "missent/log.h"

#include "daemon.h"

#define TELL_US (10 * G_USEC_PER_SEC)

typedef struct {
	Daemon *daemon;
	char *socket;
	gint64 watchdog_us; /* 0: nobody asks */
	gint64 fed, told;
	guint refused[N_LACKS];
	Rounds rounds;
} Care;

/* of the one daemon that a process is */
static Care care;

static void tell_refused(gint64 now)
{
	static const char *const missing[N_LACKS] = {[LACK_DESCRIPTORS] = "descriptor is left for them "
									  "(LimitNOFILE)",
		[LACK_THREADS] = "thread can be made for them (TasksMax)"};
	bool tells = now - care.told >= TELL_US;
	for (Lack lack = 0; lack < N_LACKS; lack++) {
		guint fresh = room_refused(lack);
		ms_numbers_add(daemon_numbers(care.daemon), MS_NUM_OVER_CONNECTIONS, fresh);
		care.refused[lack] += fresh;
		if (!tells || care.refused[lack] == 0)
			continue;
		ms_log(LOG_WARNING, NULL,
			"connections refused=%u: no %s; their mail is tried again",
			care.refused[lack], missing[lack]);
		care.refused[lack] = 0;
		care.told = now;
	}
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

static void take_care(void *unused)
{
	(void)unused;
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

bool care_start(Daemon *daemon, const char *libmilter_spec)
{
	uint64_t us = 0;
	care.daemon = daemon;
	care.socket = g_strdup(libmilter_spec);
	care.watchdog_us = sd_watchdog_enabled(0, &us) > 0 ? (gint64)us : 0;
	return account_begin(daemon) &&
		rounds_start(&care.rounds, "care", take_care, NULL, G_USEC_PER_SEC);
}

void care_stop(void)
{
	rounds_stop(&care.rounds);
	account_end(care.daemon);
}
