/*
 * Policies that observe until a date or for so many messages: what they may say, what is kept of
 * them over a restart, and that a clock that jumps ends none of them.
 */
#include "config.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <string.h>

#include "missent/answer.h"
#include "missent/trial.h"

#include "../test.h"

#define MINUTE (60 * (gint64)G_USEC_PER_SEC)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static MsKinds *some_kinds(void)
{
	g_autoptr(GError) error = NULL;
	MsKinds *kinds = ms_kinds_parse(
		"kinds.conf", "kind \"iban\" { pattern = {'[A-Z]{2}[0-9]{20}'} }\n", &error);
	g_assert_no_error(error);
	return kinds;
}

static MsPolicies *policies_of(const char *text, MsMode mode, GError **error)
{
	g_autoptr(MsKinds) kinds = some_kinds();
	return ms_policies_parse("p.conf", text, kinds, mode, error);
}

static void test_terms(void)
{
	static const struct {
		const char *mode;
		bool fine, has_end, enforced;
		guint64 messages;
	} rows[] = {
		{"observe", true, false, false, 0},
		{"enforce", true, false, true, 0},
		{"observe-until 500 messages", true, true, false, 500},
		{"observe-until 1 message", true, true, false, 1},
		{"observe-until 2026-12-01", true, true, false, 0},
		{"observe-until 2026-12-01 14:30", true, true, false, 0},
		{"observe-until", false, false, false, 0},
		{"observe-until 500", false, false, false, 0},
		{"observe-until 0 messages", false, false, false, 0},
		{"observe-until -5 messages", false, false, false, 0},
		{"observe-until 99999999999999999999 messages", false, false, false, 0},
		{"observe-until 2026-13-01", false, false, false, 0},
		{"observe-until tomorrow", false, false, false, 0},
		{"Enforce", false, false, false, 0},
		{"", false, false, false, 0},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *text = g_strdup_printf(
			"policy \"a\" {\n mode = \"%s\"\n kinds = {\"iban\"}\n}\n", rows[i].mode);
		g_autoptr(MsPolicies) policies = policies_of(text, MS_MODE_OBSERVE, &error);
		g_test_message("%s", rows[i].mode);
		g_assert_cmpint(policies != NULL, ==, rows[i].fine);
		if (policies == NULL) {
			g_assert_nonnull(strstr(error->message, "p.conf:2: mode:"));
			continue;
		}
		MsTerms terms;
		bool enforced, has_end = ms_policies_terms(policies, 0, &terms);
		ms_policies_nth(policies, 0, &enforced);
		g_assert_cmpint(has_end, ==, rows[i].has_end);
		g_assert_cmpint(enforced, ==, rows[i].enforced);
		if (has_end) {
			g_assert_cmpuint(terms.messages, ==, rows[i].messages);
			g_assert_cmpint(terms.until > 0, ==, rows[i].messages == 0);
		}
	}
}

/* Whatever missent.conf says, it observes first. */
static void test_kept(void)
{
	g_autofree char *dir = scratch_folder(), *file = g_build_filename(dir, "observing", NULL);
	g_autoptr(GError) error = NULL;
	const char *text =
		"policy \"[a] = b\\\\\" {\n mode = \"observe-until 5 messages\"\n kinds = {\"iban\"}\n}\npolicy \"c\" { kinds = {\"iban\"} }\n";
	g_autoptr(MsPolicies) policies = policies_of(text, MS_MODE_ENFORCE, &error);
	g_assert_no_error(error);
	MsTerms terms;
	bool enforced;
	g_assert_true(ms_policies_terms(policies, 0, &terms));
	g_assert_false(terms.enforced);
	g_autoptr(MsTrials) none = ms_trials_read(file, &error);
	g_assert_cmpint(ms_trials_get(none, &terms).began, ==, 0);
	const MsTrial trial = {
		.began = 100, .elapsed = 7, .messages = 5, .jumped = 3, .switched = 900};
	ms_trials_set(none, &terms, &trial);
	ms_trials_set_seen(none, 950);
	g_assert_true(ms_trials_write(none, file, &error));
	/* Another process. */
	g_autoptr(MsTrials) again = ms_trials_read(file, &error);
	MsTrial got = ms_trials_get(again, &terms);
	g_assert_cmpmem(&got, sizeof got, &trial, sizeof trial);
	g_assert_cmpint(ms_trials_seen(again), ==, 950);
	ms_trials_apply(again, policies);
	ms_policies_nth(policies, 0, &enforced);
	g_assert_true(enforced);
	ms_policies_nth(policies, 1, &enforced);
	g_assert_true(enforced); /* it has the mode of missent.conf, and no terms */
	/* Under other terms it begins anew; what cannot be read is not taken for none. */
	MsTerms others = terms;
	others.terms = "observe-until 50 messages";
	g_assert_cmpint(ms_trials_get(again, &others).switched, ==, 0);
	g_assert_no_error(error);
	g_file_set_contents(file, "[a\nswitched=", -1, NULL);
	g_assert_null(ms_trials_read(file, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_CONFIG);
	g_clear_error(&error);
	g_unlink(file);
	g_assert_cmpint(g_mkdir(file, 0700), ==, 0);
	g_assert_null(ms_trials_read(file, &error));
	g_assert_nonnull(strstr(error->message, file));
	g_clear_error(&error);
	g_assert_cmpint(g_rmdir(file), ==, 0);
	g_assert_cmpint(mkfifo(file, 0600), ==, 0); /* into which nobody writes */
	g_assert_null(ms_trials_read(file, &error));
	g_assert_nonnull(strstr(error->message, file));
	remove_folder(dir);
}

static void test_messages(void)
{
	const MsTerms terms = {.title = "a", .terms = "", .messages = 3};
	g_autofree char *why = NULL;
	MsTrial trial = {.messages = 2};
	g_assert_false(ms_trial_is_due(&trial, &terms, 0, &why));
	trial.messages = 3;
	g_assert_true(ms_trial_is_due(&trial, &terms, 0, &why));
	g_assert_null(why);
}

typedef struct {
	gint64 wall, steady; /* steady -1: a new process */
} Step;

/* Looks from `begin` on; is it due at the end, and is something said of the clock? */
static void go(const Step *steps, guint n, bool due, bool complains)
{
	const gint64 begin = 1000 * DAY;
	const MsTerms terms = {.title = "a", .terms = "", .until = begin + 7 * DAY};
	MsTrial trial = {.began = begin};
	gint64 now = begin;
	g_autofree char *why = NULL;
	for (guint i = 0; i < n; i++) {
		now += steps[i].wall;
		ms_trial_go_on(&trial, steps[i].wall, steps[i].steady);
	}
	g_assert_cmpint(ms_trial_is_due(&trial, &terms, now, &why), ==, due);
	g_assert_cmpint(why != NULL, ==, complains);
}

static void test_dates(void)
{
	static const Step right[] = {{3 * DAY, 3 * DAY}, {4 * DAY, 4 * DAY}};
	static const Step early[] = {{6 * DAY, 6 * DAY}};
	static const Step jumped[] = {{HOUR, HOUR}, {7 * DAY, 5 * MINUTE}};
	static const Step jumped_and_waited[] = {
		{HOUR, HOUR}, {7 * DAY, 5 * MINUTE}, {7 * DAY, 7 * DAY}};
	static const Step back[] = {{6 * DAY, 6 * DAY}, {-3 * DAY, HOUR}, {4 * DAY, 4 * DAY}};
	static const Step weekend[] = {{2 * DAY, 2 * DAY}, {3 * DAY, -1}, {2 * DAY, 2 * DAY}};
	static const Step long_down[] = {{HOUR, HOUR}, {30 * DAY, -1}};
	static const Step trimmed[] = {{7 * DAY + MINUTE, 7 * DAY - MINUTE}};
	go(right, 2, true, false);
	go(early, 1, false, false);
	go(jumped, 2, false, true);
	go(jumped_and_waited, 3, true, false);
	go(back, 3, true, false); /* later than it might be, but observed for long enough */
	go(weekend, 3, true, false);
	go(long_down, 2, false, true);
	go(trimmed, 1, true, false);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/trial/terms", test_terms);
	g_test_add_func("/trial/kept", test_kept);
	g_test_add_func("/trial/messages", test_messages);
	g_test_add_func("/trial/dates", test_dates);
	return g_test_run();
}
