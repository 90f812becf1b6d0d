/*
 * A canary is known by its body, its sender and its recipient, and once.
 */
#include "config.h"

#include "missent/canary.h"
#include "missent/token.h"

#include "../test.h"

static MsLedger *open_ledger(const char *dir)
{
	g_autofree char *path = g_build_filename(dir, "held.db", NULL);
	g_autoptr(GError) error = NULL;
	MsLedger *ledger = ms_ledger_open(path, &error);
	g_assert_no_error(error);
	return ledger;
}

static void test_known(void)
{
	static const struct {
		const char *digest, *sender, *recipient;
		MsAnswer want;
	} rows[] = {
		{"d2", "billing@s.example", "nobody@c.example", MS_ABSENT},
		{"d1", "other@s.example", "nobody@c.example", MS_ABSENT},
		{"d1", "billing@s.example", "somebody@c.example", MS_ABSENT},
		{"d1", "Billing@S.example", "nobody@C.EXAMPLE", MS_FOUND},
		{"d1", "billing@s.example", "nobody@c.example", MS_ABSENT}, /* a copy */
	};
	g_autofree char *dir = scratch_folder();
	g_autoptr(MsLedger) ledger = open_ledger(dir);
	g_autoptr(GError) error = NULL;
	g_assert_true(ms_canaries_add(ledger, "c1", "smtp://127.0.0.1:25", "d1",
		"billing@s.example", "nobody@c.example", &error));
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_assert_cmpint(ms_canaries_is(ledger, rows[i].digest, rows[i].sender,
					rows[i].recipient, &error),
			==, rows[i].want);
		g_assert_cmpint(ms_canaries_judged(ledger, rows[i].digest, rows[i].sender,
					rows[i].recipient, "Q1", "hold", &error),
			==, rows[i].want);
	}
	g_autoptr(GPtrArray) open = ms_canaries_open(ledger, &error);
	g_assert_cmpuint(open->len, ==, 1);
	const MsCanary *canary = open->pdata[0];
	g_assert_cmpstr(canary->became, ==, "hold");
	g_assert_cmpstr(canary->queue_id, ==, "Q1");
	g_assert_true(ms_canaries_end(ledger, "c1", &error));
	g_autoptr(GPtrArray) none = ms_canaries_open(ledger, &error);
	g_assert_cmpuint(none->len, ==, 0);
	/* Ended before it was judged, it is none any more. */
	g_assert_true(ms_canaries_add(
		ledger, "c2", "sendmail", "d3", "billing@s.example", "nobody@c.example", &error));
	g_assert_true(ms_canaries_end(ledger, "c2", &error));
	g_assert_cmpint(
		ms_canaries_is(ledger, "d3", "billing@s.example", "nobody@c.example", &error), ==,
		MS_ABSENT);
	gint64 newest = 0;
	g_assert_true(ms_canaries_newest(ledger, &newest, &error));
	g_assert_cmpint(newest, >, 0);
	MsRecordStats stats;
	g_assert_true(ms_records_stats(ledger, &stats, &error));
	g_assert_cmpint(stats.held, ==, 0);
	remove_folder(dir);
}

/* What the MTA is refused for now, or did not hear, comes again, and is the same one still. */
static void test_again(void)
{
	static const struct {
		const char *became;
		bool taken_back;
		MsAnswer want;
	} rows[] = {{"hold", false, MS_ABSENT}, {"hold", true, MS_FOUND}, {"delay", true, MS_FOUND},
		{"tempfail", false, MS_FOUND}};
	const char *from = "billing@s.example", *to = "nobody@c.example";
	g_autofree char *dir = scratch_folder();
	g_autoptr(MsLedger) ledger = open_ledger(dir);
	g_autoptr(GError) error = NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *id = g_strdup_printf("c%zu", i), *digest = g_strdup_printf("d%zu", i);
		g_assert_true(ms_canaries_add(ledger, id, "sendmail", digest, from, to, &error));
		g_assert_cmpint(
			ms_canaries_judged(
				ledger, digest, from, to, id, rows[i].became, &error),
			==, MS_FOUND);
		if (rows[i].taken_back)
			g_assert_true(ms_canaries_take_back(ledger, from, to, id, &error));
		g_assert_cmpint(ms_canaries_is(ledger, digest, from, to, &error), ==, rows[i].want);
		g_assert_cmpint(ms_canaries_judged(ledger, digest, from, to, "Q2", "hold", &error), ==,
			rows[i].want);
	}
	remove_folder(dir);
}

static void test_state(void)
{
	static const struct {
		bool well, changed;
	} rows[] = {{true, false}, {false, true}, {false, false}, {true, true}, {true, false}};
	g_autofree char *dir = scratch_folder();
	g_autoptr(MsLedger) ledger = open_ledger(dir);
	g_autoptr(GError) error = NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		bool changed = !rows[i].changed;
		g_assert_true(ms_canaries_state(ledger, "a", rows[i].well, &changed, &error));
		g_assert_no_error(error);
		g_assert_cmpint(changed, ==, rows[i].changed);
	}
	bool changed = false;
	g_assert_true(ms_canaries_state(ledger, "b", false, &changed, &error));
	g_assert_true(changed); /* another's state is its own */
	g_autoptr(GPtrArray) one = ms_canaries_unwell(ledger, &error);
	g_assert_cmpuint(one->len, ==, 1);
	g_assert_cmpstr(one->pdata[0], ==, "b");
	g_assert_true(ms_canaries_state(ledger, "a", false, &changed, &error));
	g_assert_true(ms_canaries_state(ledger, "b", true, &changed, &error));
	g_autoptr(GPtrArray) other = ms_canaries_unwell(ledger, &error);
	g_assert_cmpuint(other->len, ==, 1);
	g_assert_cmpstr(other->pdata[0], ==, "a");
	remove_folder(dir);
}

/* Which message a token was spent by, and when. */
static void test_spent_by(void)
{
	g_autofree char *dir = scratch_folder();
	g_autoptr(MsLedger) ledger = open_ledger(dir);
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) to = g_ptr_array_new();
	g_autofree char *hash = NULL;
	g_ptr_array_add(to, (char *)"a@x");
	g_autofree char *token = ms_tokens_make(ledger, "d1", "s@x", to, &hash, &error);
	gint64 now = g_get_real_time(), minute = 60 * G_USEC_PER_SEC;
	char *by;
	g_assert_true(ms_tokens_spent_by(ledger, "Q1", now - minute, now + minute, &by, &error));
	g_assert_null(by);
	g_assert_cmpint(
		ms_tokens_spend(ledger, token, "d1", "s@x", to, "Q1", &error), ==, MS_FOUND);
	g_assert_true(ms_tokens_spent_by(ledger, "Q1", now - minute, now + minute, &by, &error));
	g_assert_cmpstr(by, ==, "a@x");
	g_free(by);
	g_assert_true(
		ms_tokens_spent_by(ledger, "Q1", now - 3 * minute, now - minute, &by, &error));
	g_assert_null(by);
	g_assert_true(ms_tokens_spent_by(ledger, "Q2", now - minute, now + minute, &by, &error));
	g_assert_null(by);
	remove_folder(dir);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/canary/known", test_known);
	g_test_add_func("/canary/again", test_again);
	g_test_add_func("/canary/state", test_state);
	g_test_add_func("/canary/spent-by", test_spent_by);
	return g_test_run();
}
