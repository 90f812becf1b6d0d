/*
 * Numbers that programs publish, the states that follow from them, and pauses: on disk,
 * damaged, under clocks that are set.
 */
#include "config.h"

#include <glib/gstdio.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is on disk before it returns. */
#include "missent/io.h"
static guint synced;
static bool sync_and_count(const char *folder)
{
	synced++;
	return ms_io_sync_folder(folder);
}
static bool replace_and_count(
	const char *path, const void *data, gsize len, guint mode, bool sync)
{
	synced += sync;
	return ms_io_replace(path, data, len, mode, sync);
}
#define ms_io_sync_folder sync_and_count
#define ms_io_replace replace_and_count
#include "../../milter/health/pause.c"
#undef ms_io_sync_folder
#undef ms_io_replace

#include "missent/answer.h"
#include "missent/clock.h"
#include "missent/metrics.h"
#include "missent/numbers.h"
#include "missent/pause.h"

/* Which states hold, without an agent around it. */
#include "../../milter/agent/alerts.c"

#include "../test.h"

static char *dir;

atomic_bool agent_stopping;
static MsSettings settings;
static MsHostNumbers host_now;

const MsSettings *agent_settings(Agent *agent)
{
	(void)agent;
	return &settings;
}

void agent_host_numbers(Agent *agent, MsHostNumbers *out, GError **error)
{
	(void)agent;
	*out = host_now;
	if (host_now.held < 0)
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "held.db: is locked");
}

void agent_metrics_file(Agent *agent)
{
	(void)agent;
}

Teller *teller_new(Agent *agent)
{
	(void)agent;
	return NULL;
}

void teller_free(Teller *teller)
{
	(void)teller;
}

void tell_tend(Teller *teller)
{
	(void)teller;
}

void tell_state(Teller *teller, MsAlert alert, bool on, const char *detail)
{
	(void)teller, (void)alert, (void)on, (void)detail;
}

static char *file_of(const char *name)
{
	return g_build_filename(dir, name, NULL);
}

/* Each number has a name that Prometheus takes, and a help with its first row. */
static void test_rows(void)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
	for (MsNumber i = 0; i < MS_N_NUMBERS; i++) {
		MsNumberRow row = ms_number_row(i);
		g_assert_nonnull(row.name);
		g_assert_true(g_regex_match_simple("^missent_[a-z_]+$", row.name, 0, 0));
		g_assert_cmpint(g_str_has_suffix(row.name, "_total"), ==, i < MS_NUM_FIRST_GAUGE);
		g_assert_cmpint(row.label == NULL, ==, row.value == NULL);
		g_assert_cmpint(row.help != NULL, ==, g_hash_table_add(names, (char *)row.name));
		g_assert_true(
			g_hash_table_add(seen, g_strdup_printf("%s/%s", row.name, row.value)));
	}
}

static void test_survives(void)
{
	g_autofree char *path = file_of("numbers");
	g_autofree MsNumbersView *view = g_new0(MsNumbersView, 1);
	g_autoptr(GError) error = NULL;
	g_assert_false(ms_numbers_read(path, view, &error));
	g_assert_true(g_error_matches(error, MS_ERROR, MS_ERROR_RETRY));
	MsNumbers *numbers = ms_numbers_new(path);
	ms_numbers_add(numbers, MS_NUM_JUDGED, 5);
	ms_numbers_add(numbers, (MsNumber)(MS_NUM_REASON + MS_MISMATCH), 2);
	ms_numbers_set(numbers, MS_NUM_IN_HAND, 3);
	ms_numbers_time(numbers, MS_STAGE_READ, 1000);
	ms_numbers_time(numbers, MS_STAGE_READ, 1001);
	ms_numbers_time(numbers, MS_STAGE_READ, 999000000);
	ms_numbers_policy(numbers, "invoices", MS_HOLD);
	ms_numbers_policy(numbers, "invoices", MS_DELIVER);
	ms_numbers_top(numbers, MS_TOP_OUT, "10.1.1.5");
	g_assert_true(ms_numbers_publish(numbers, NULL));
	ms_numbers_add(numbers, MS_NUM_JUDGED, 1); /* of the second in which it is killed */
	ms_numbers_free(numbers);
	numbers = ms_numbers_new(path);
	ms_numbers_add(numbers, MS_NUM_JUDGED, 1);
	for (int i = 0; i < 3; i++)
		g_assert_true(ms_numbers_publish(numbers, NULL));
	g_assert_true(ms_numbers_read(path, view, NULL));
	g_assert_cmpuint(view->value[MS_NUM_JUDGED], ==, 6);
	g_assert_cmpuint(view->value[MS_NUM_REASON + MS_MISMATCH], ==, 2);
	g_assert_cmpuint(view->value[MS_NUM_IN_HAND], ==, 0);
	g_assert_cmpuint(view->stage[MS_STAGE_READ].bucket[0], ==, 1);
	g_assert_cmpuint(view->stage[MS_STAGE_READ].bucket[1], ==, 1);
	g_assert_cmpuint(view->stage[MS_STAGE_READ].bucket[MS_N_BUCKETS - 1], ==, 1);
	g_assert_cmpstr(view->policies[0].title, ==, "invoices");
	g_assert_cmpuint(view->policies[0].messages, ==, 2);
	g_assert_cmpuint(view->policies[0].actions[MS_HOLD], ==, 1);
	g_assert_cmpstr(view->version, ==, PACKAGE_VERSION);
	ms_numbers_free(numbers);
}

/* A byte that was changed, anywhere: what was published before is read, or nothing at all. */
static void test_damaged(void)
{
	g_autofree char *path = file_of("damaged"), *text = NULL;
	g_autofree MsNumbersView *view = g_new0(MsNumbersView, 1);
	gsize len;
	g_autoptr(MsNumbers) numbers = ms_numbers_new(path);
	ms_numbers_add(numbers, MS_NUM_JUDGED, 7);
	g_assert_true(ms_numbers_publish(numbers, NULL));
	ms_numbers_add(numbers, MS_NUM_JUDGED, 1);
	g_assert_true(ms_numbers_publish(numbers, NULL));
	g_assert_true(g_file_get_contents(path, &text, &len, NULL));
	for (gsize at = 0; at < len; at += 1 + len / 301) {
		text[at] ^= 0x40;
		g_assert_true(g_file_set_contents(path, text, (gssize)len, NULL));
		g_assert_true(ms_numbers_read(path, view, NULL));
		g_assert_cmpuint(view->value[MS_NUM_JUDGED], ==, at < len / 2 ? 7 : 8);
		text[at] ^= 0x40;
	}
	for (gsize cut = 0; cut < len; cut += 1 + len / 50) {
		g_autoptr(GError) error = NULL;
		g_assert_true(g_file_set_contents(path, text, (gssize)cut, NULL));
		if (!ms_numbers_read(path, view, &error))
			g_assert_true(g_error_matches(error, MS_ERROR, MS_ERROR_INPUT));
		else
			g_assert_cmpuint(view->value[MS_NUM_JUDGED], >=, 7);
	}
}

/* However many names come, so many rows; who is frequent is among them. */
static void test_bounded(void)
{
	g_autofree char *path = file_of("bounded");
	g_autofree MsNumbersView *view = g_new0(MsNumbersView, 1);
	g_autoptr(MsNumbers) numbers = ms_numbers_new(path);
	guint64 messages = 0;
	for (guint i = 0; i < 3000; i++) {
		g_autofree char *title = g_strdup_printf(
			"policy %u äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöü", i);
		g_autofree char *client = g_strdup_printf("2001:db8::%x", i);
		ms_numbers_policy(numbers, title, MS_TAG);
		ms_numbers_top(numbers, MS_TOP_OUT, i % 3 == 0 ? "10.1.1.5" : client);
	}
	ms_numbers_top(numbers, MS_TOP_NO_POLICY, "\xff\xfe");
	g_assert_true(ms_numbers_publish(numbers, NULL));
	g_assert_true(ms_numbers_read(path, view, NULL));
	for (gsize i = 0; i < MS_NUMBERS_POLICIES; i++) {
		g_assert_true(g_utf8_validate(view->policies[i].title, -1, NULL));
		messages += view->policies[i].messages;
	}
	g_assert_cmpuint(messages, ==, 3000);
	g_assert_cmpstr(view->policies[MS_NUMBERS_POLICIES - 1].title, ==, "(others)");
	guint64 most = 0;
	for (gsize i = 0; i < MS_NUMBERS_TOP; i++)
		if (strcmp(view->top[MS_TOP_OUT][i].who, "10.1.1.5") == 0)
			most = view->top[MS_TOP_OUT][i].n;
	g_assert_cmpuint(most, >=, 1000);
}

#define DAY ((gint64)86400 * G_USEC_PER_SEC)

static void test_day(void)
{
	g_autofree char *path = file_of("day");
	g_autoptr(MsNumbers) numbers = ms_numbers_new(path);
	gint64 now = g_get_real_time();
	g_assert_null(ms_numbers_new_day(numbers, now));
	for (guint i = 0; i < 1240; i++) {
		ms_numbers_add(numbers, MS_NUM_OUT_PRIVATE, 1);
		ms_numbers_top(numbers, MS_TOP_OUT, i < 1198 ? "10.1.1.5" : "10.1.1.9");
	}
	ms_numbers_add(numbers, MS_NUM_JUDGED, 5300);
	ms_numbers_add(numbers, (MsNumber)(MS_NUM_ACTION + MS_HOLD), 4);
	ms_numbers_add(numbers, MS_NUM_NO_CONTENT, 1);
	ms_numbers_top(numbers, MS_TOP_NO_POLICY, "b***@s***.example");
	g_autofree char *words = ms_numbers_new_day(numbers, now + DAY);
	g_assert_cmpstr(words, ==,
		"5,300 judged, 4 held, 1,240 not outgoing (client 10.1.1.5: 1,198, client 10.1.1.9: 42), "
		"1 without a policy (sender b***@s***.example: 1)");
	g_autofree char *quiet = ms_numbers_new_day(numbers, now + 2 * DAY);
	g_assert_cmpstr(quiet, ==, "");
	ms_numbers_add(numbers, MS_NUM_JUDGED, 1);
	g_autofree char *next = ms_numbers_new_day(numbers, now + 3 * DAY);
	g_assert_cmpstr(next, ==, "1 judged, 0 held");
}

static void *count_up(void *numbers)
{
	for (guint i = 0; i < 20000; i++) {
		ms_numbers_add(numbers, MS_NUM_JUDGED, 1);
		ms_numbers_policy(numbers, i % 2 ? "a" : "b", MS_DELIVER);
	}
	return NULL;
}

static void test_threads(void)
{
	g_autofree char *path = file_of("threads");
	g_autofree MsNumbersView *view = g_new0(MsNumbersView, 1);
	g_autoptr(MsNumbers) numbers = ms_numbers_new(path);
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		g_assert_cmpint(pthread_create(&threads[i], NULL, count_up, numbers), ==, 0);
	for (int i = 0; i < 20; i++)
		g_assert_true(ms_numbers_publish(numbers, NULL));
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	g_assert_true(ms_numbers_publish(numbers, NULL));
	g_assert_true(ms_numbers_read(path, view, NULL));
	g_assert_cmpuint(view->value[MS_NUM_JUDGED], ==, 80000);
	g_assert_cmpuint(view->policies[0].messages + view->policies[1].messages, ==, 80000);
}

/* A counter of something that is made anew at a reload goes on. */
static void test_follow(void)
{
	g_autoptr(MsNumbers) numbers = ms_numbers_new(NULL);
	guint64 last = 0;
	static const guint64 seen[] = {3, 10, 10, 2, 5};
	static const guint64 want[] = {3, 10, 10, 12, 15};
	for (gsize i = 0; i < G_N_ELEMENTS(seen); i++) {
		ms_numbers_follow(numbers, MS_NUM_ROUND_TRIPS, seen[i], &last);
		g_assert_cmpuint(ms_numbers_get(numbers, MS_NUM_ROUND_TRIPS), ==, want[i]);
	}
}

/* However the wall clock is set: one that was put right would make a silence of it, or a start that
 * lasts until then, of which no state is told. */
static void test_clock_set(void)
{
	static const gint64 jumps[] = {400, -400, -800, 3650, -2850};
	g_autofree char *path = file_of("clock");
	g_autoptr(MsNumbers) numbers = ms_numbers_new(path);
	g_autofree MsNumbersView *view = g_new0(MsNumbersView, 1);
	const gint64 day = 86400 * (gint64)G_USEC_PER_SEC, second = G_USEC_PER_SEC;
	ms_clock_shift(0, 100 * second);
	g_assert_true(ms_numbers_publish(numbers, NULL));
	g_assert_true(ms_numbers_read(path, view, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(jumps); i++) {
		ms_clock_shift(jumps[i] * day, 0);
		g_assert_true(ms_numbers_alive(view));
		g_assert_cmpint(ms_numbers_worked(view), >=, 100 * second);
		g_assert_cmpint(ms_numbers_worked(view), <, 120 * second);
	}
	ms_clock_shift(0, 16 * second);
	g_assert_false(ms_numbers_alive(view));
	ms_clock_shift(0, -1000 * second); /* what was published before this machine was started */
	g_assert_false(ms_numbers_alive(view));
	ms_clock_shift(0, 884 * second);
}

/* A state is on or off by what is so, not by what the wall clock was set to between two looks. */
static void test_alerts_clock_set(void)
{
	enum { UP = 1, FULL = 2, BEAT = 4, BLIND = 8 };
	static const struct {
		gint64 jump, gone; /* days by the wall clock alone, seconds by both */
		guint is;
		const char *on;
	} rows[] = {
		{0, 0, UP | BEAT, ""},
		{400, 1, UP, ""},                     /* neither silent nor without a beat */
		{-800, 1, UP, ""},
		{0, 1, UP | FULL, "write"},
		{-30, 1, UP, "write"},
		{400, 1, UP, "write"},                /* not over yet */
		{-400, 61, UP, ""},                   /* over, though it was counted in the future */
		{0, 1, 0, "directory"},               /* told, though it was started in the future */
		{0, 1, UP, ""},
		{-30, 120, UP, "trail"},              /* it stood still, whatever time its last is of */
		{0, 1, UP | BEAT, ""},
		{400, 1, UP | BEAT, ""},
		{0, 1, UP | BEAT | BLIND, "records"}, /* what is held, and for how long, nobody knows */
		{0, 1, UP | BEAT | BLIND, "records"},
		{0, 1, UP | BEAT, ""},
	};
	g_autofree char *path = file_of("clock-alerts");
	g_autoptr(MsNumbers) numbers = ms_numbers_new(path);
	g_autoptr(MsAlerts) alerts = ms_alerts_new(dir);
	g_autofree MsNumbersView *view = g_new0(MsNumbersView, 1);
	Agent agent = {0};
	Tend t = {.agent = &agent, .now = view, .alerts = alerts, .window = ms_clock_steady()};
	settings = (MsSettings){.numbers_file = path, .state_dir = dir};
	settings.alerts.calm_ms = 60000;
	settings.alerts.beat_ms = 180000;
	host_now = (MsHostNumbers){.audit_entries = 1, .disk_free = -1};
	ms_clock_shift(0, 10 * (gint64)G_USEC_PER_SEC);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		ms_clock_shift(rows[i].jump * 86400 * G_USEC_PER_SEC, 0);
		ms_clock_shift(rows[i].gone * G_USEC_PER_SEC, rows[i].gone * G_USEC_PER_SEC);
		ms_numbers_set(numbers, MS_NUM_DIRECTORY_UP, (rows[i].is & UP) != 0);
		if ((rows[i].is & FULL) != 0)
			ms_numbers_add(numbers, MS_NUM_TEMPFAIL_WRITE, 1);
		host_now.held = (rows[i].is & BLIND) != 0 ? -1 : 0;
		if ((rows[i].is & BEAT) != 0)
			host_now.audit_signed = ms_clock_now() / G_USEC_PER_SEC;
		g_assert_true(ms_numbers_publish(numbers, NULL));
		look(&t);
		g_autofree char *on = ms_alerts_remembered(dir);
		if (strcmp(on, rows[i].on) != 0)
			g_error("row %zu: got %s, want %s", i, on, rows[i].on);
	}
}

/* ---- metrics and alerts --------------------------------------------------------------- */

static void test_metrics(void)
{
	g_autofree MsNumbersView *view = g_new0(MsNumbersView, 1);
	MsHostNumbers host = {.held = 2,
		.oldest = 5 * G_USEC_PER_SEC,
		.audit_entries = -1,
		.disk_free = 7,
		.alerts = {[MS_ALERT_DISK] = true}};
	g_strlcpy(view->version, "1\"2", sizeof view->version);
	g_strlcpy(view->policies[0].title, "a \"b\"\\\nc", MS_NUMBERS_TITLE);
	view->policies[0].messages = view->policies[0].actions[MS_HOLD] = 4;
	g_strlcpy(view->policies[1].title, "billing@seller.example", MS_NUMBERS_TITLE);
	view->policies[1].messages = view->policies[1].actions[MS_TAG] = 5;
	view->stage[MS_STAGE_READ].bucket[0] = 1;
	view->stage[MS_STAGE_READ].bucket[3] = 2;
	view->stage[MS_STAGE_READ].sum_us = 2500001;
	view->steady.published = ms_clock_steady();
	g_autofree char *text = ms_metrics_text(view, &host, 101 * G_USEC_PER_SEC);
	static const char *const want[] = {"missent_up 1\n",
		"missent_build_info{version=\"1\\\"2\"} 1\n",
		"{policy=\"a \\\"b\\\"\\\\\\nc\",action=\"hold\"} 4\n",
		"_bucket{stage=\"read\",le=\"0.001\"} 1\n",
		"{policy=\"policy 2\",action=\"tag\"} 5\n",
		"_bucket{stage=\"read\",le=\"0.01\"} 3\n",
		"_bucket{stage=\"read\",le=\"+Inf\"} 3\n", "_sum{stage=\"read\"} 2.500001\n",
		"_count{stage=\"read\"} 3\n", "missent_held_oldest_age_seconds 96\n",
		"missent_disk_free_bytes 7\n", "missent_alert{name=\"disk\"} 1\n",
		"missent_alert{name=\"paused\"} 0\n"};
	for (gsize i = 0; i < G_N_ELEMENTS(want); i++)
		if (strstr(text, want[i]) == NULL)
			g_error("no %s in %s", want[i], text);
	g_assert_null(strstr(text, "missent_audit_entries"));
	g_assert_null(strchr(text, '@')); /* no address is a label */
	g_autofree char *silent = ms_metrics_text(NULL, &host, 101 * G_USEC_PER_SEC);
	g_assert_nonnull(strstr(silent, "missent_up 0\n"));
	/* what could not be looked at is not 0 */
	const MsHostNumbers blind = {.held = -1, .audit_entries = -1, .disk_free = -1};
	g_autofree char *little = ms_metrics_text(NULL, &blind, 101 * G_USEC_PER_SEC);
	static const char *const unknown[] = {
		"missent_held", "missent_delayed", "_waiting ", "missent_audit", "disk_free"};
	for (gsize i = 0; i < G_N_ELEMENTS(unknown); i++)
		if (strstr(little, unknown[i]) != NULL)
			g_error("%s in %s", unknown[i], little);
}

static void note(MsAlert alert, bool on, const char *detail, void *user)
{
	g_string_append_printf(user, "%s %s%s%s; ", ms_alert_rows[alert].name, on ? "on" : "off",
		*detail ? " " : "", detail);
}

/* Each state once, whatever is restarted between. */
static void test_alerts(void)
{
	g_autoptr(GString) said = g_string_new(NULL);
	MsAlerts *alerts = ms_alerts_new(dir);
	for (int i = 0; i < 3; i++) {
		ms_alerts_set(alerts, MS_ALERT_DISK, true, "full", note, said);
		ms_alerts_set(alerts, MS_ALERT_HUNG, false, "", note, said);
	}
	ms_alerts_free(alerts);
	alerts = ms_alerts_new(dir);
	ms_alerts_set(alerts, MS_ALERT_DISK, true, "full", note, said);
	g_autofree char *now = ms_alerts_remembered(dir);
	g_assert_cmpstr(now, ==, "disk");
	ms_alerts_set(alerts, MS_ALERT_DISK, false, "", note, said);
	ms_alerts_set(alerts, MS_ALERT_DISK, true, "again", note, said);
	ms_alerts_free(alerts);
	g_assert_cmpstr(said->str, ==, "disk on full; disk off; disk on again; ");
	/* what more goes by is told, once each, though the state goes on; of before it is not known
	 * what was told */
	static const char *const before[] = {"", "{\"bypass\":true}", "{\"bypass\":\"1 mail\"}"};
	static const char *const want[] = {
		"bypass on 1 mail; bypass on 2 mails; bypass off; bypass on 1 mail; ",
		"bypass on 2 mails; bypass off; bypass on 1 mail; ",
		"bypass on 2 mails; bypass off; bypass on 1 mail; "};
	g_autofree char *file = g_build_filename(dir, "alerts.json", NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(before); i++) {
		static const char *const details[] = {"1 mail", "1 mail", "2 mails", "2 mails", NULL, "1 mail"};
		g_assert_true(g_file_set_contents(file, before[i], -1, NULL));
		g_string_truncate(said, 0);
		for (gsize k = 0; k < G_N_ELEMENTS(details); k++) {
			g_autoptr(MsAlerts) each = ms_alerts_new(dir); /* the agent was restarted */
			const char *detail = details[k];
			ms_alerts_set(each, MS_ALERT_BYPASS, detail != NULL,
				detail != NULL ? detail : "", note, said);
			g_autofree char *on = ms_alerts_remembered(dir);
			g_assert_cmpstr(on, ==, detail != NULL ? "bypass" : "");
		}
		g_assert_cmpstr(said->str, ==, want[i]);
	}
	g_assert_null(ms_alert_left(dir, MS_ALERT_BYPASS));
	ms_alert_leave(dir, MS_ALERT_BYPASS, "3 mails");
	ms_alert_leave(dir, MS_ALERT_BYPASS, "4 mails");
	g_autofree char *left = ms_alert_left(dir, MS_ALERT_BYPASS);
	g_assert_cmpstr(left, ==, "4 mails");
	ms_alert_leave(dir, MS_ALERT_BYPASS, "");
	g_assert_null(ms_alert_left(dir, MS_ALERT_BYPASS));
}

/* ---- pauses --------------------------------------------------------------------------- */

#define MINUTE ((gint64)60 * G_USEC_PER_SEC)

/* Whatever the file says. */
static void test_pause_extremes(void)
{
	static const gint64 times[] = {G_MININT64, -1, 0, G_MAXINT64};
	for (gsize i = 0; i < G_N_ELEMENTS(times); i++) {
		const MsPause pause = {times[i], G_MAXINT64, (char *)"anna", (char *)"run"};
		g_auto(MsPause) got = {0};
		g_assert_true(ms_pause_begin(dir, &pause, NULL));
		g_assert_cmpint(
			ms_pause_read(dir, 14400000, g_get_real_time(), &got, NULL), ==, MS_ABSENT);
	}
	g_assert_cmpint(ms_pause_end(dir, NULL), ==, MS_FOUND);
}

static void test_pause(void)
{
	gint64 now = g_get_real_time();
	static const struct {
		gint64 since, until, most_ms, at;
		MsAnswer want;
	} rows[] = {
		{0, 30, 14400000, 0, MS_FOUND},
		{0, 30, 14400000, 29, MS_FOUND},
		{0, 30, 14400000, 30, MS_ABSENT},
		{0, 30, 14400000, -1, MS_ABSENT}, /* the clock went back */
		/* no longer than pause-max */
		{0, 100000, 14400000, 239, MS_FOUND},
		{0, 100000, 14400000, 240, MS_ABSENT},
		{0, 30, 60000, 1, MS_ABSENT}, /* which was made shorter since */
		{10, 5, 14400000, 7, MS_ABSENT},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(MsPause) got = {0};
		g_autoptr(GError) error = NULL;
		MsPause pause = {now + rows[i].since * MINUTE, now + rows[i].until * MINUTE,
			(char *)"anna", (char *)"run"};
		synced = 0;
		g_assert_true(ms_pause_begin(dir, &pause, NULL));
		g_assert_cmpint(synced, ==, 1);
		g_assert_cmpint(ms_pause_read(dir, rows[i].most_ms, now + rows[i].at * MINUTE, &got,
					&error),
			==, rows[i].want);
		g_assert_no_error(error);
		g_assert_cmpstr(got.why, ==, rows[i].want == MS_FOUND ? "run" : NULL);
	}
	synced = 0;
	g_assert_cmpint(ms_pause_end(dir, NULL), ==, MS_FOUND);
	g_assert_cmpint(synced, ==, 1);
	g_assert_cmpint(ms_pause_end(dir, NULL), ==, MS_ABSENT);
	g_auto(MsPause) none = {0};
	g_assert_cmpint(ms_pause_read(dir, 14400000, now, &none, NULL), ==, MS_ABSENT);
}

/* Whoever waits for the second that is said finds it over then, not later. */
static void test_pause_said(void)
{
	static const struct {
		gint64 until;
		const char *said;
	} said[] = {{1000000000, ":40 "}, {1000000001, ":41 "}, {1000999999, ":41 "},
		{1001000000, ":41 "}};
	for (gsize i = 0; i < G_N_ELEMENTS(said); i++) {
		const MsPause pause = {0, said[i].until, (char *)"anna", (char *)"billing"};
		g_autofree char *words = ms_pause_words(&pause);
		g_assert_nonnull(strstr(words, said[i].said));
		g_assert_cmpint(ms_pause_until(&pause) * G_USEC_PER_SEC, >=, said[i].until);
	}
}

/* What is damaged, or another could have written, pauses nothing, and is told. */
static void test_pause_distrusted(void)
{
	static const struct {
		const char *text;
		int mode;
	} rows[] = {
		{"", 0640},
		{"{}", 0640},
		{"[1]", 0640},
		{"{\"since\":1,\"until\":2,\"who\":\"a\"}", 0640},
		{"{\"since\":0,\"until\":\"x\",\"who\":\"a\",\"why\":\"b\"}", 0640},
		{"{\"since\":0,\"until\":9000000000000000,\"who\":\"a\",\"why\":\"b\"", 0640},
		{"{\"since\":0,\"until\":9000000000000000,\"who\":\"a\",\"why\":\"b\"}", 0660},
		{"{\"since\":0,\"until\":9000000000000000,\"who\":\"a\",\"why\":\"b\"}", 0642},
	};
	g_autofree char *path = file_of("pause.json");
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(MsPause) got = {0};
		g_autoptr(GError) error = NULL;
		g_assert_true(g_file_set_contents(path, rows[i].text, -1, NULL));
		g_assert_cmpint(g_chmod(path, rows[i].mode), ==, 0);
		g_assert_cmpint(ms_pause_read(dir, 14400000, 1000, &got, &error), ==, MS_CONFIG);
		g_assert_nonnull(error);
	}
	g_assert_cmpint(g_unlink(path), ==, 0);
	g_assert_cmpint(symlink("elsewhere", path), ==, 0);
	g_auto(MsPause) link = {0};
	g_assert_cmpint(ms_pause_read(dir, 14400000, 1000, &link, NULL), ==, MS_CONFIG);
	g_assert_cmpint(g_unlink(path), ==, 0);
	g_assert_cmpint(mkfifo(path, 0640), ==, 0);
	g_assert_cmpint(ms_pause_read(dir, 14400000, 1000, &link, NULL), ==, MS_CONFIG);
	g_assert_cmpint(g_unlink(path), ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	dir = scratch_folder();
	g_test_add_func("/numbers/rows", test_rows);
	g_test_add_func("/numbers/survives", test_survives);
	g_test_add_func("/numbers/damaged", test_damaged);
	g_test_add_func("/numbers/bounded", test_bounded);
	g_test_add_func("/numbers/day", test_day);
	g_test_add_func("/numbers/threads", test_threads);
	g_test_add_func("/numbers/follow", test_follow);
	g_test_add_func("/numbers/clock-set", test_clock_set);
	g_test_add_func("/numbers/alerts-clock-set", test_alerts_clock_set);
	g_test_add_func("/metrics/text", test_metrics);
	g_test_add_func("/alerts/once", test_alerts);
	g_test_add_func("/pause/bounds", test_pause);
	g_test_add_func("/pause/extremes", test_pause_extremes);
	g_test_add_func("/pause/said", test_pause_said);
	g_test_add_func("/pause/distrusted", test_pause_distrusted);
	int rc = g_test_run();
	remove_folder(dir);
	g_free(dir);
	return rc;
}
