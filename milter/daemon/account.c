/*
 * In the thread of care.c, once a second, and in that of a reload at its end: what others count
 * themselves (reader, directory) is taken over, messages that hang are told, a pause begins and
 * ends, and all numbers are published.
 */
#include "config.h"

#include <string.h>

#include "missent/clock.h"
#include "missent/log.h"

#include "daemon.h"

/* Of the one daemon that a process is. */
static struct {
	guint runtime; /* the number of that whose the counts below are */
	MsReaderStats reader;
	MsDirectoryCounts directory;
	gint64 since, end;  /* of the pause: the file's, and by the clock that only goes on */
	bool silent;        /* the numbers could not be written, which was told */
	bool distrusted;    /* so was a file that is not believed */
	Rounds asker;
	pthread_mutex_t looking; /* one at a time takes over and publishes */
} account = {.looking = PTHREAD_MUTEX_INITIALIZER};

/* ---- the pause ------------------------------------------------------------------------ */

/* A wall clock that is set back must not make it longer. */
static bool is_over(const MsPause *pause)
{
	gint64 now = ms_clock_steady();
	if (pause->since != account.since) {
		account.since = pause->since;
		account.end = now + pause->until - ms_clock_now();
	}
	return now >= account.end;
}

static void tell_pause(Daemon *daemon, const MsRuntime *runtime, const MsPause *pause)
{
	g_autofree char *words = pause != NULL
		? ms_pause_words(pause)
		: g_strdup("the pause is over: mail is judged as before");
	ms_log(LOG_WARNING, NULL, "%s", words);
	if (pause == NULL &&
		!ms_audit_event(
			ms_runtime_audit(runtime), "missentd", "", MS_EVENT_PAUSE_OVER, "", "", NULL))
		ms_log(LOG_ERR, NULL,
			"the end of the pause could not be written to the audit file");
	ms_numbers_set(daemon_numbers(daemon), MS_NUM_PAUSED, pause != NULL);
	ms_numbers_set(daemon_numbers(daemon), MS_NUM_PAUSE_ENDS,
		pause != NULL ? (guint64)ms_pause_until(pause) : 0);
	daemon_pause(daemon, pause != NULL);
}

static void look_at_pause(Daemon *daemon, const MsRuntime *runtime)
{
	const MsSettings *s = ms_runtime_settings(runtime);
	g_auto(MsPause) pause = {0};
	g_autoptr(GError) error = NULL;
	gint64 before = account.since;
	bool was = daemon_paused(daemon);
	MsAnswer answer = ms_pause_read(s->state_dir, s->pause_ms, ms_clock_now(), &pause, &error);
	bool is = answer == MS_FOUND && !is_over(&pause);
	if (error != NULL && !account.distrusted)
		ms_log(LOG_ERR, NULL, "%s", error->message);
	account.distrusted = error != NULL;
	if (is != was || (is && account.since != before))
		tell_pause(daemon, runtime, is ? &pause : NULL);
}

/* ---- counts of others ----------------------------------------------------------------- */

static void follow_reader(MsNumbers *numbers, MsReader *reader)
{
	MsReaderStats now, *last = &account.reader;
	ms_reader_stats(reader, &now);
	ms_numbers_follow(numbers, MS_NUM_READER_MESSAGES, now.messages, &last->messages);
	ms_numbers_follow(numbers, MS_NUM_KILL_LATE, now.late, &last->late);
	ms_numbers_follow(numbers, MS_NUM_KILL_DIED, now.died, &last->died);
	ms_numbers_follow(numbers, MS_NUM_KILL_LIED, now.lied, &last->lied);
	ms_numbers_follow(numbers, MS_NUM_KILL_YIELD, now.stepped_back, &last->stepped_back);
	ms_numbers_follow(numbers, MS_NUM_READER_REPLACED, now.replaced, &last->replaced);
	ms_numbers_follow(numbers, MS_NUM_READ_AGAIN, now.read_again, &last->read_again);
	ms_numbers_follow(numbers, MS_NUM_CACHE_ASKED, now.cache_asked, &last->cache_asked);
	ms_numbers_follow(numbers, MS_NUM_CACHE_HITS, now.cache_hits, &last->cache_hits);
}

static void follow_directory(MsNumbers *numbers, const MsDirectory *directory)
{
	MsDirectoryCounts now, *last = &account.directory;
	ms_directory_counts(directory, &now);
	ms_numbers_follow(numbers, MS_NUM_ROUND_TRIPS, now.round_trips, &last->round_trips);
	ms_numbers_follow(numbers, MS_NUM_DIRECTORY_RETRY, now.unreachable, &last->unreachable);
	ms_numbers_follow(numbers, MS_NUM_DIRECTORY_UNFIT, now.unfit, &last->unfit);
}

/* ---- directory and guard --------------------------------------------------------------- */

#define ASK_US (5 * G_USEC_PER_SEC)

/* Also while no mail comes.  It may take its time, so it has a thread of its own. */
static void ask_directory(Daemon *daemon)
{
	MsNumbers *numbers = daemon_numbers(daemon);
	g_autoptr(MsRuntime) runtime = daemon_runtime(daemon);
	MsDirectoryState state = {0};
	bool up = ms_directory_state(ms_runtime_directory(runtime), &state, NULL) == MS_FOUND;
	ms_numbers_set(numbers, MS_NUM_DIRECTORY_UP, up);
	ms_numbers_set(numbers, MS_NUM_DIRECTORY_ASKED, 1);
	if (up || state.loaded > 0) {
		ms_numbers_set(numbers, MS_NUM_DIRECTORY_LOADED, (guint64)MAX(state.loaded, 0));
		ms_numbers_set(numbers, MS_NUM_DIRECTORY_ENTRIES, (guint64)MAX(state.entries, 0));
	}
	ms_directory_state_clear(&state);
}

/* Which of its streams are stopped is a state of all hosts, which no mail of this one need tell. */
static void ask_guard(Daemon *daemon)
{
	MsNumbers *numbers = daemon_numbers(daemon);
	g_autoptr(MsRuntime) runtime = daemon_runtime(daemon);
	g_autoptr(MsGuardStatus) status = NULL;
	MsGuard *guard = ms_runtime_guard(runtime);
	bool up = guard != NULL && ms_guard_status(guard, &status, NULL) == MS_FOUND;
	guint64 stopped = 0;
	for (guint i = 0; up && i < status->states->len; i++)
		stopped += ((const MsGuardState *)status->states->pdata[i])->tripped != 0;
	ms_numbers_set(numbers, MS_NUM_GUARD_ON, guard != NULL);
	ms_numbers_set(numbers, MS_NUM_GUARD_UP,
		up && ms_guard_counts_again(guard, g_get_real_time() / G_USEC_PER_SEC));
	if (up || guard == NULL)
		ms_numbers_set(numbers, MS_NUM_STREAMS_STOPPED, stopped);
}

static void ask(void *daemon)
{
	ask_directory(daemon);
	ask_guard(daemon);
}

static void set_gauges(Daemon *daemon, MsNumbers *numbers, MsRuntime *runtime)
{
	const MsPolicies *policies = ms_runtime_policies(runtime);
	guint busy, enforced = 0;
	guint64 memory;
	MsLoad load;
	daemon_load(daemon, &busy, &memory);
	ms_runtime_load_counts(runtime, &load);
	for (guint i = 0; i < ms_policies_count(policies); i++) {
		bool is = false;
		ms_policies_nth(policies, i, &is);
		enforced += is;
	}
	ms_numbers_set(numbers, MS_NUM_IN_HAND, busy);
	ms_numbers_set(numbers, MS_NUM_MEMORY, memory);
	ms_numbers_set(numbers, MS_NUM_WAITING, load.waiting);
	ms_numbers_set(numbers, MS_NUM_POLICIES, ms_policies_count(policies));
	ms_numbers_set(numbers, MS_NUM_ENFORCING, enforced);
}

/* ---- each second ---------------------------------------------------------------------- */

static void publish(MsNumbers *numbers)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *day = ms_numbers_new_day(numbers, g_get_real_time());
	if (day != NULL && *day != '\0')
		ms_log(LOG_NOTICE, NULL, "the day: %s", day);
	bool fine = ms_numbers_publish(numbers, &error);
	if (!fine && !account.silent)
		ms_log(LOG_ERR, NULL, "numbers cannot be published: %s", error->message);
	account.silent = !fine;
}

bool account_begin(Daemon *daemon)
{
	ms_numbers_set(daemon_numbers(daemon), MS_NUM_DIRECTORY_ASKED, 0);
	account_look(daemon);
	return rounds_start(&account.asker, "asker", ask, daemon, ASK_US);
}

void account_end(Daemon *daemon)
{
	rounds_stop(&account.asker);
	account_look(daemon);
}

bool account_look(Daemon *daemon)
{
	MsNumbers *numbers = daemon_numbers(daemon);
	pthread_mutex_lock(&account.looking);
	g_autoptr(MsRuntime) runtime = daemon_runtime(daemon);
	if (ms_runtime_number(runtime) != account.runtime) {
		account.runtime = ms_runtime_number(runtime);
		memset(&account.reader, 0, sizeof account.reader);
		memset(&account.directory, 0, sizeof account.directory);
	}
	look_at_pause(daemon, runtime);
	follow_reader(numbers, ms_runtime_reader(runtime));
	follow_directory(numbers, ms_runtime_directory(runtime));
	set_gauges(daemon, numbers, runtime);
	guint fresh, hanging = hand_look(ms_runtime_settings(runtime)->hung_ms * 1000, &fresh);
	ms_numbers_add(numbers, MS_NUM_HUNG, fresh);
	ms_numbers_set(numbers, MS_NUM_HANGING, hanging);
	publish(numbers);
	pthread_mutex_unlock(&account.looking);
	return hanging < MAX(2, g_get_num_processors());
}
