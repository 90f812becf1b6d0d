/* A clock that jumps: nothing is returned, deleted or forgotten for it, and nothing stays
 * silent. */
#include "config.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "missent/clock.h"
#include "missent/notice.h"
#include "missent/spool.h"
#include "missent/token.h"

#include "../test.h"
#include "world.h"
#include "../trail.h"

#define MINUTE (60 * (gint64)G_USEC_PER_SEC)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

#define SETTINGS                                                                            \
	" notice-to = {\"desk@seller.example\"}\n notice-window = 0s\n expire-after = 1d\n" \
	" expire-warning = 1h\n"

/* The whole time of a test is taken back at its end. */
static gint64 shifted[2];
static void shift(gint64 now, gint64 steady)
{
	ms_clock_shift(now, steady);
	shifted[0] += now;
	shifted[1] += steady;
}

static void end(void)
{
	ms_clock_shift(-shifted[0], -shifted[1]);
	shifted[0] = shifted[1] = 0;
}

/* How many announcements of an expiry came. */
static guint announced(World *w)
{
	g_autoptr(GPtrArray) got = stub_take(w->stub);
	guint n = 0;
	for (guint i = 0; i < got->len; i++)
		n += strstr(((Delivery *)got->pdata[i])->text, "expire") != NULL;
	return n;
}

static bool is_held(World *w, const char *uid)
{
	g_autoptr(MsRecord) r = world_record(w, uid);
	return r->state == MS_STATE_HELD;
}

static bool jump_is_told(World *w)
{
	g_autofree char *path = g_build_filename(w->state, "audit.jsonl", NULL);
	g_autofree char *text = trail_text(path);
	return strstr(text, "clock jumped") != NULL;
}

typedef struct {
	gint64 now, steady; /* what goes by on each clock */
	bool restart;       /* and another process comes */
	guint announced;
	bool held;
} Step;

/* One message of two days, with one day to stay: what each look at the clock does with it. */
static const struct {
	const char *name;
	Step steps[6];
	bool told;
} rows[] = {
	{"steady",
		{{0, 0, false, 1, true}, {50 * MINUTE, 50 * MINUTE, false, 0, true},
			{11 * MINUTE, 11 * MINUTE, false, 0, false}},
		false},
	{"asleep", {{0, 0, false, 1, true}, {10 * DAY, 10 * DAY, false, 0, false}}, false},
	{"slewed", {{0, 0, false, 1, true}, {65 * MINUTE, 61 * MINUTE, false, 0, false}}, false},
	{"restarted", {{0, 0, false, 1, true}, {2 * HOUR, 2 * HOUR, true, 0, false}}, false},
	{"forward",
		{{0, 0, false, 1, true}, {3650 * DAY, MINUTE, false, 1, true},
			{50 * MINUTE, 50 * MINUTE, false, 0, true},
			{11 * MINUTE, 11 * MINUTE, false, 0, false}},
		true},
	{"forward-restarted",
		{{0, 0, false, 1, true}, {30 * DAY, 0, true, 1, true},
			{50 * MINUTE, 50 * MINUTE, true, 0, true},
			{11 * MINUTE, 11 * MINUTE, true, 0, false}},
		true},
	{"forward-and-back",
		{{0, 0, false, 1, true}, {10 * DAY, MINUTE, false, 1, true},
			{-10 * DAY, MINUTE, false, 1, true},
			{50 * MINUTE, 50 * MINUTE, false, 0, true},
			{11 * MINUTE, 11 * MINUTE, false, 0, false}},
		true},
	/* By an hour it is still old enough; by more it is not, until it is so again. */
	{"back",
		{{0, 0, false, 1, true}, {-HOUR, 70 * MINUTE, false, 1, true},
			{59 * MINUTE, 59 * MINUTE, false, 0, true},
			{2 * MINUTE, 2 * MINUTE, false, 0, false}},
		true},
	{"far-back",
		{{0, 0, false, 1, true}, {-5 * DAY, MINUTE, false, 0, true},
			{2 * HOUR, 2 * HOUR, false, 0, true}, {4 * DAY, 4 * DAY, false, 1, true},
			{61 * MINUTE, 61 * MINUTE, false, 0, false}},
		true},
	{"back-restarted",
		{{0, 0, false, 1, true}, {-HOUR, 0, true, 1, true},
			{61 * MINUTE, 0, true, 0, false}},
		true},
};

static void test_row(gconstpointer data)
{
	gsize i = GPOINTER_TO_SIZE(data);
	World *w = world_new("", SETTINGS);
	g_autofree char *uid = world_hold(w, &(WorldHold){.age_us = 2 * DAY});
	MsDesk *desk = world_desk(w);
	for (gsize k = 0; k < G_N_ELEMENTS(rows[i].steps); k++) {
		const Step *step = &rows[i].steps[k];
		if (k > 0 && step->now == 0)
			break;
		if (step->restart) {
			ms_desk_free(desk);
			desk = world_desk(w);
		}
		shift(step->now, step->steady);
		ms_desk_tick(desk);
		g_test_message("step %zu", k);
		if (step->held)
			g_assert_cmpuint(announced(w), ==, step->announced);
		g_assert_cmpint(is_held(w, uid), ==, step->held);
	}
	g_assert_cmpint(jump_is_told(w), ==, rows[i].told);
	ms_desk_free(desk);
	world_free(w);
	end();
}

/* What came while the clock was ahead is not old, and is not lost of sight when it is put right. */
static void test_fresh(void)
{
	World *w = world_new("", SETTINGS);
	MsDesk *desk = world_desk(w);
	ms_desk_tick(desk);
	shift(100 * DAY, MINUTE);
	g_autofree char *ahead = world_hold(w, &(WorldHold){.age_us = -100 * DAY});
	ms_desk_tick(desk);
	shift(-100 * DAY, MINUTE);
	g_autofree char *right = world_hold(w, &(WorldHold){0});
	for (int i = 0; i < 3; i++) {
		shift(2 * HOUR, 2 * HOUR);
		ms_desk_tick(desk);
		g_assert_true(is_held(w, ahead) && is_held(w, right));
	}
	g_assert_cmpuint(announced(w), ==, 0);
	ms_desk_free(desk);
	world_free(w);
	end();
}

/* Records that are to be forgotten wait for a clock that can be believed. */
static void test_forget(void)
{
	World *w = world_new("", SETTINGS " keep-records = 30d\n");
	g_autofree char *old = world_hold(
		w, &(WorldHold){.age_us = 2 * DAY, .state = MS_STATE_OBSERVED});
	MsDesk *desk = world_desk(w);
	static const struct {
		gint64 now, steady;
		bool there;
	} steps[] = {{0, 0, true}, {3650 * DAY, MINUTE, true}, {50 * MINUTE, 50 * MINUTE, true},
		{11 * MINUTE, 11 * MINUTE, false}};
	for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
		shift(steps[i].now, steps[i].steady);
		ms_desk_tick(desk);
		g_autoptr(MsRecord) r = ms_records_find(w->ledger, old, NULL);
		g_assert_cmpint(r != NULL, ==, steps[i].there);
	}
	ms_desk_free(desk);
	world_free(w);
	end();
}

/* So does a held copy that nobody knows: there is no other. */
static void test_aside(void)
{
	World *w = world_new("", SETTINGS);
	MsDesk *desk = world_desk(w);
	g_autofree char *path = g_build_filename(w->spool, "0123456789abcdef.eml", NULL),
			*aside = g_build_filename(w->spool, MS_SPOOL_ASIDE, "0123456789abcdef.eml", NULL);
	const struct timespec old[2] = {{1, 0}, {1, 0}};
	g_assert_true(g_file_set_contents(path, "x", 1, NULL));
	g_assert_no_errno(utimensat(AT_FDCWD, path, old, 0));
	static const struct {
		gint64 now, steady;
		bool there;
	} steps[] = {{0, 0, true}, {2 * HOUR, 2 * HOUR, true},
		{(MS_SPOOL_ASIDE_DAYS - 1) * DAY, (MS_SPOOL_ASIDE_DAYS - 1) * DAY, true},
		{3650 * DAY, MINUTE, true}, {50 * MINUTE, 50 * MINUTE, true},
		{11 * MINUTE, 11 * MINUTE, false}};
	for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
		shift(steps[i].now, steps[i].steady);
		ms_desk_tick(desk);
		g_test_message("step %zu", i);
		g_assert_cmpint(g_file_test(aside, G_FILE_TEST_EXISTS), ==, steps[i].there);
	}
	ms_desk_free(desk);
	world_free(w);
	end();
}

/* A notice that was noted by a clock that was ahead silences nobody when it is put right. */
static void test_notices(void)
{
	World *w = world_new("", "");
	static const struct {
		gint64 now;
		bool first;
	} steps[] = {{0, true}, {MINUTE, false}, {10 * DAY, true}, {MINUTE, false},
		{-10 * DAY, true}, {MINUTE, false}, {-MINUTE, false}, {5 * HOUR, true}};
	for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
		bool first;
		g_autoptr(GError) error = NULL;
		shift(steps[i].now, 0);
		g_assert_true(ms_notices_first(
			w->ledger, "a@a.example", "cause", 4 * HOUR, &first, &error));
		g_test_message("step %zu", i);
		g_assert_cmpint(first, ==, steps[i].first);
	}
	world_free(w);
	end();
}

/* A token is good once, whatever the clock says meanwhile. */
static void test_tokens(void)
{
	static const gint64 jumps[] = {100 * DAY, -100 * DAY};
	for (gsize i = 0; i < G_N_ELEMENTS(jumps); i++) {
		World *w = world_new("", SETTINGS);
		MsDesk *desk = world_desk(w);
		ms_desk_tick(desk);
		g_autoptr(GPtrArray) to = g_ptr_array_new();
		g_autoptr(GError) error = NULL;
		g_autofree char *hash = NULL, *other_hash = NULL;
		g_ptr_array_add(to, (gpointer)"a@a.example");
		g_autofree char *token = ms_tokens_make(w->ledger, "d", "s@x", to, &hash, &error);
		g_assert_no_error(error);
		shift(jumps[i], MINUTE);
		ms_desk_tick(desk);
		g_autofree char *other = ms_tokens_make(
			w->ledger, "e", "s@x", to, &other_hash, &error);
		g_assert_no_error(error);
		g_assert_cmpint(ms_tokens_spend(w->ledger, token, "d", "s@x", to, "Q1", &error), ==,
			MS_FOUND);
		shift(-jumps[i], MINUTE);
		ms_desk_tick(desk);
		g_assert_cmpint(ms_tokens_spend(w->ledger, token, "d", "s@x", to, "Q2", &error), ==,
			MS_ABSENT);
		/* When the clock has gone steadily for a month, one that nobody spent is good
		 * for nothing. */
		shift(31 * DAY, 31 * DAY);
		ms_desk_tick(desk);
		if (jumps[i] < 0)
			g_assert_cmpint(
				ms_tokens_spend(w->ledger, other, "e", "s@x", to, "Q3", &error), ==,
				MS_ABSENT);
		ms_desk_free(desk);
		world_free(w);
		end();
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strdup_printf("/clock/%s", rows[i].name);
		g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_row);
	}
	g_test_add_func("/clock/fresh", test_fresh);
	g_test_add_func("/clock/forget", test_forget);
	g_test_add_func("/clock/aside", test_aside);
	g_test_add_func("/clock/notices", test_notices);
	g_test_add_func("/clock/tokens", test_tokens);
	return g_test_run();
}
