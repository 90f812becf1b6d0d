/*
 * What the audit trail says of policies: counts by day, policy, sender and cause; what enforcing
 * would have held, by cause, and what is against enforcing.
 */
#include "config.h"

#include <string.h>

#include "missent/history.h"
#include "missent/verdict.h"

#include "../test.h"
#include "../trail.h"

#define DAY (86400 * (gint64)G_USEC_PER_SEC)
#define BEGIN (1795000000 * (gint64)G_USEC_PER_SEC) /* 2026-11-18 */

typedef struct {
	GString *text;
	guint n;
} Trail;

/* A line as missentd writes it, of what matters here. */
static void add(Trail *trail, gint64 time, const char *sender, const char *verdict,
	const char *would, const char *policies, const char *reasons, const char *outcome,
	const char *version)
{
	g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(time / G_USEC_PER_SEC);
	g_autofree char *stamp = g_date_time_format(date, "%Y-%m-%dT%H:%M:%S.000Z");
	g_string_append_printf(trail->text,
		"{\"time\":\"%s\",\"type\":\"message\",\"host\":\"mx\",\"queue_id\":\"Q%u\",\"arrived\":\"%u\",\"sender\":\"%s\",\"sender_id\":\"id-%s\","
		"\"key\":\"k\",\"verdict\":\"%s\",\"would\":\"%s\",\"policies\":[%s],\"reasons\":[%s],\"reasons_more\":0,\"recipients\":1,"
		"\"to\":[{\"address\":\"a***@x\",\"outcome\":\"%s\"}],\"versions\":{\"policies\":\"%s\",\"kinds\":\"1\"}}\n",
		stamp, trail->n, trail->n, sender, sender, verdict, would, policies, reasons,
		outcome, version);
	trail->n++;
}

#define HELD(policy, kind, enforced)                                        \
	"{\"reason\":\"mismatch\",\"policy\":\"" policy                     \
	"\",\"action\":\"hold\",\"enforced\":" enforced ",\"kind\":\"" kind \
	"\",\"identifier\":\"C-***\",\"where\":\"part 1\",\"account\":\"A***\",\"recipient\":\"a***@x\"}"
/* What is only marked, or only told, keeps nothing back. */
#define BESIDE \
	"{\"reason\":\"unknown-identifier\",\"policy\":\"inv\",\"action\":\"deliver\"," \
	"\"enforced\":false}," \
	"{\"reason\":\"unreadable\",\"policy\":\"inv\",\"action\":\"tag\",\"enforced\":false}"
#define DEFERRED(why) \
	"{\"reason\":\"" why "\",\"policy\":\"inv\",\"action\":\"tempfail\",\"enforced\":false}"
#define UNREAD \
	"{\"reason\":\"unreadable\",\"policy\":\"inv\",\"action\":\"hold\",\"enforced\":false,\"kind\":null}"

static char *write_trail(const char *dir, const Trail *trail)
{
	char *path = g_build_filename(dir, "audit.jsonl", NULL);
	g_autoptr(GError) error = NULL;
	g_file_set_contents(path, trail->text->str, -1, &error);
	g_assert_no_error(error);
	return path;
}

static GPtrArray *report(const char *path, const char *policy, guint64 least)
{
	MsReportLimits limits;
	g_autoptr(GError) error = NULL;
	const char *const policies[] = {policy, NULL};
	ms_report_limits(&limits);
	limits.least = least;
	GPtrArray *reports = ms_policy_reports(
		path, policies, G_MININT64, G_MAXINT64, &limits, &error);
	g_assert_no_error(error);
	return reports;
}

static bool objects(const MsPolicyReport *r, const char *words)
{
	for (guint i = 0; i < r->objections->len; i++)
		if (strstr(r->objections->pdata[i], words) != NULL)
			return true;
	return false;
}

/* 200 messages over five days, three of which would be held: two for one cause, one for another
 * recipients' relation. */
static void fill(Trail *trail, const char *last_version)
{
	for (guint i = 0; i < 200; i++) {
		gint64 time = BEGIN + i * 5 * DAY / 200;
		const char *version = i < 150 ? "v1" : last_version;
		if (i == 3 || i == 100)
			add(trail, time, "b***@x", "deliver", "hold", "\"inv\",\"bulk\"",
				HELD("inv", "iban", "false"), "wrong", version);
		else if (i == 50)
			add(trail, time, "b***@x", "deliver", "hold", "\"inv\"",
				HELD("inv", "iban", "false"), "unknown-recipient", version);
		else
			add(trail, time, i % 2 ? "b***@x" : "s***@x", "deliver", "deliver",
				"\"inv\"", "", "right", version);
	}
}

static void test_report(void)
{
	g_autofree char *dir = scratch_folder();
	Trail trail = {g_string_new(NULL), 0};
	fill(&trail, "v1");
	g_autofree char *path = write_trail(dir, &trail);
	g_autoptr(GPtrArray) reports = report(path, "inv", 100);
	const MsPolicyReport *r = reports->pdata[0];
	g_assert_cmpuint(r->judged, ==, 200);
	g_assert_cmpuint(r->held, ==, 3);
	g_assert_cmpuint(r->enforced, ==, 0);
	g_assert_cmpuint(r->groups->len, ==, 2); /* relations apart */
	const MsReportGroup *group = r->groups->pdata[0];
	g_assert_cmpstr(group->cause, ==, "mismatch (iban), for wrong");
	g_assert_cmpuint(group->messages, ==, 2);
	g_assert_cmpuint(group->days, ==, 2);
	const MsReportExample *e = group->examples->pdata[0];
	g_assert_cmpstr(e->queue_id, ==, "Q3");
	g_assert_cmpstr(e->identifier, ==, "C-***");
	g_assert_cmpstr(((MsReportGroup *)r->groups->pdata[1])->cause, ==,
		"mismatch (iban), for unknown-recipient");
	g_assert_cmpfloat(r->minutes_a_day, >, 0);
	g_assert_cmpuint(r->objections->len, ==, 0);
	g_string_free(trail.text, TRUE);
	remove_folder(dir);
}

/* What is against it, each by itself. */
static void test_objections(void)
{
	g_autofree char *dir = scratch_folder();
	Trail changed = {g_string_new(NULL), 0}, many = {g_string_new(NULL), 0};
	fill(&changed, "v2");
	g_autofree char *path = write_trail(dir, &changed);
	g_autoptr(GPtrArray) after = report(path, "inv", 100);
	g_assert_true(objects(after->pdata[0], "were changed on"));
	g_autoptr(GPtrArray) few = report(path, "bulk", 100);
	g_assert_true(objects(few->pdata[0], "only 2 messages"));
	g_autoptr(GPtrArray) none = report(path, "nobody's", 1);
	g_assert_true(objects(none->pdata[0], "only 0 messages"));
	for (guint i = 0; i < 150; i++)
		add(&many, BEGIN + i, "b***@x", "deliver", i < 60 ? "hold" : "deliver", "\"inv\"",
			i < 60 ? UNREAD : "", "right", "v1");
	g_string_append(many.text, "{\"time\":\"2026-11-20T00:00:\n");
	g_free(path);
	path = write_trail(dir, &many);
	g_autoptr(GPtrArray) held = report(path, "inv", 100);
	const char *const wanted[] = {"40.0 % of its mail", "looked through",
		"could not be read whole", "lines of the trail"};
	for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++)
		g_assert_true(objects(held->pdata[0], wanted[i]));
	g_assert_false(objects(held->pdata[0], "does not know"));
	Trail beside = {g_string_new(NULL), 0};
	for (guint i = 0; i < 150; i++)
		add(&beside, BEGIN + i, "b***@x", "deliver", "hold", "\"inv\"",
			i < 60         ? HELD("inv", "iban", "false") "," BESIDE
				: i < 63 ? DEFERRED("directory-unavailable")
				: i < 70 ? DEFERRED("breaker")
					 : "",
			"right", "v1");
	g_free(path);
	path = write_trail(dir, &beside);
	g_autoptr(GPtrArray) told = report(path, "inv", 100);
	g_assert_true(objects(told->pdata[0], "40.0 % of its mail"));
	g_assert_false(objects(told->pdata[0], "does not know"));
	g_assert_false(objects(told->pdata[0], "could not be read whole"));
	g_assert_true(objects(told->pdata[0], "10 messages (6.7 %) would have been deferred, 3 of them"));
	g_string_free(beside.text, TRUE);
	g_string_free(changed.text, TRUE);
	g_string_free(many.text, TRUE);
	remove_folder(dir);
}

static const MsStatsRow *row_named(const MsStats *stats, const char *name)
{
	const GPtrArray *rows = ms_stats_rows(stats);
	for (guint i = 0; i < rows->len; i++)
		if (strcmp(((MsStatsRow *)rows->pdata[i])->name, name) == 0)
			return rows->pdata[i];
	return NULL;
}

static MsStats *stats_of(const char *path, MsStatsBy by)
{
	MsStats *stats = ms_stats_new(by);
	g_autoptr(GError) error = NULL;
	g_assert_true(ms_stats_read(stats, path, BEGIN, BEGIN + 5 * DAY, &error));
	return stats;
}

static void test_stats(void)
{
	g_autofree char *dir = scratch_folder();
	Trail trail = {g_string_new(NULL), 0};
	fill(&trail, "v1");
	add(&trail, BEGIN + DAY, "h***@x", "hold", "hold", "\"inv\",\"bulk\"",
		HELD("bulk", "vat-id", "true") "," HELD("inv", "iban", "false"), "wrong", "v1");
	add(&trail, BEGIN + 9 * DAY, "late", "hold", "hold", "\"inv\"", "", "wrong", "v1");
	g_autofree char *path = write_trail(dir, &trail);
	g_autoptr(MsStats) days = stats_of(path, MS_STATS_DAY),
			   policies = stats_of(path, MS_STATS_POLICY);
	g_autoptr(MsStats) senders = stats_of(path, MS_STATS_SENDER),
			   causes = stats_of(path, MS_STATS_CAUSE);
	const MsStatsRow *all = ms_stats_all(days);
	g_assert_cmpuint(all->judged, ==, 201);
	g_assert_cmpuint(all->verdicts[MS_HOLD], ==, 1);
	g_assert_cmpuint(all->observed, ==, 3);
	guint64 sum = 0;
	for (guint i = 0; i < ms_stats_rows(days)->len; i++)
		sum += ((const MsStatsRow *)ms_stats_rows(days)->pdata[i])->judged;
	g_assert_cmpuint(sum, ==, 201);
	/* Each policy by what it does itself. */
	g_assert_cmpuint(row_named(policies, "bulk")->judged, ==, 3);
	g_assert_cmpuint(row_named(policies, "bulk")->verdicts[MS_HOLD], ==, 1);
	g_assert_cmpuint(row_named(policies, "inv")->verdicts[MS_HOLD], ==, 0);
	g_assert_cmpuint(row_named(policies, "inv")->observed, ==, 4);
	g_assert_cmpuint(row_named(senders, "h***@x")->judged, ==, 1);
	g_assert_cmpstr(row_named(senders, "h***@x")->id, ==, "id-h***@x");
	g_assert_cmpuint(row_named(causes, "mismatch (iban), for wrong")->judged, ==, 2);
	g_assert_cmpuint(row_named(causes, "mismatch (iban, vat-id), for wrong")->judged, ==, 1);
	g_string_free(trail.text, TRUE);
	remove_folder(dir);
}

/* What was taken back is nothing that was done: it comes again. */
static void test_undone(void)
{
	g_autofree char *dir = scratch_folder();
	Trail trail = {g_string_new(NULL), 0};
	fill(&trail, "v1");
	add(&trail, BEGIN + DAY, "h***@x", "hold", "hold", "\"inv\"", HELD("inv", "iban", "true"),
		"wrong", "v1");
	trail_undo(trail.text, "2026-11-30T00:00:00.000Z", "mx", "Q200", "200");
	trail_undo(trail.text, "2026-11-30T00:00:00.000Z", "mx", "Q3", "4"); /* of another time */
	g_autofree char *path = write_trail(dir, &trail);
	g_autoptr(MsStats) days = stats_of(path, MS_STATS_DAY),
			   policies = stats_of(path, MS_STATS_POLICY);
	g_assert_cmpuint(ms_stats_all(days)->verdicts[MS_HOLD], ==, 0);
	g_assert_cmpuint(ms_stats_all(days)->verdicts[MS_TEMPFAIL], ==, 1);
	g_assert_cmpuint(ms_stats_all(days)->observed, ==, 3);
	g_assert_cmpuint(row_named(policies, "inv")->verdicts[MS_HOLD], ==, 0);
	g_assert_cmpuint(row_named(policies, "inv")->verdicts[MS_TEMPFAIL], ==, 1);
	g_autoptr(GPtrArray) reports = report(path, "inv", 100);
	const MsPolicyReport *r = reports->pdata[0];
	g_assert_cmpuint(r->judged, ==, 200);
	g_assert_cmpuint(r->held, ==, 3);
	g_string_free(trail.text, TRUE);
	remove_folder(dir);
}

static void add_unsure(Trail *trail, const char *policies, const char *unsure)
{
	g_string_append_printf(trail->text,
		"{\"time\":\"2026-11-18T12:00:00.000Z\",\"type\":\"message\",\"sender\":\"s\",\"verdict\":\"deliver\","
		"\"would\":\"deliver\",\"policies\":[%s],\"unsure\":[%s],\"reasons\":[],\"recipients\":1}\n",
		policies, unsure);
}

/* What was not known of mail is told of each policy, and why, the most frequent first. */
static void test_unsure(void)
{
	g_autofree char *dir = scratch_folder();
	Trail trail = {g_string_new(NULL), 0};
	fill(&trail, "v1");
	add_unsure(&trail, "\"inv\",\"inv: more\"", "\"inv: more: header (late)\"");
	for (int i = 0; i < 2; i++)
		add_unsure(&trail, "\"inv\",\"bulk\"",
			"\"inv: header (late)\",\"bulk: spf (none)\"");
	add_unsure(&trail, "\"inv\"", "\"inv: header (late)\",null,7");
	g_autofree char *path = write_trail(dir, &trail);
	g_autoptr(MsStats) days = stats_of(path, MS_STATS_DAY),
			   policies = stats_of(path, MS_STATS_POLICY);
	g_assert_cmpuint(ms_stats_all(days)->unsure, ==, 4);
	g_assert_cmpuint(row_named(policies, "inv")->unsure, ==, 3);
	g_assert_cmpuint(row_named(policies, "inv: more")->unsure, ==, 1);
	g_assert_cmpuint(row_named(policies, "bulk")->unsure, ==, 2);
	const GPtrArray *unsure = ms_stats_unsure(days);
	g_assert_cmpuint(unsure->len, ==, 3);
	const MsStatsUnsure *first = unsure->pdata[0];
	g_assert_cmpstr(first->what, ==, "inv: header (late)");
	g_assert_cmpuint(first->messages, ==, 3);
	g_string_free(trail.text, TRUE);
	remove_folder(dir);
}

static void test_applied(void)
{
	g_autofree char *dir = scratch_folder();
	Trail trail = {g_string_new(NULL), 0};
	fill(&trail, "v1");
	g_autofree char *path = write_trail(dir, &trail);
	g_autoptr(GError) error = NULL;
	g_autoptr(MsApplied) applied = ms_applied_read(path, G_MININT64, G_MAXINT64, NULL, &error);
	g_assert_no_error(error);
	MsLintMail mail = {0};
	ms_applied_lint(applied, &mail);
	g_assert_cmpuint(mail.messages, ==, 200);
	g_assert_true(g_hash_table_contains(mail.applied, "bulk"));
	g_assert_null(mail.sender_seen);
	g_string_free(trail.text, TRUE);
	remove_folder(dir);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/history/report", test_report);
	g_test_add_func("/history/objections", test_objections);
	g_test_add_func("/history/stats", test_stats);
	g_test_add_func("/history/undone", test_undone);
	g_test_add_func("/history/unsure", test_unsure);
	g_test_add_func("/history/applied", test_applied);
	return g_test_run();
}
