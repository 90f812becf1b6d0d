/*
 * missent stats: what was judged and what became of it, from the audit trail: a table with bars
 * for people, JSON for programs.  Senders are as the trail has them, masked; --json has their
 * digests beside.  The tool's one thread.
 */
#include "config.h"

#include <jansson.h>
#include <langinfo.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "missent/answer.h"
#include "missent/audit.h"
#include "missent/history.h"
#include "missent/text.h"

#include "cli.h"

#define DAY_US (86400 * (gint64)G_USEC_PER_SEC)
#define BAR 24

static guint64 stopped_of(const MsStatsRow *row)
{
	return row->verdicts[MS_SPLIT] + row->verdicts[MS_DELAY] + row->verdicts[MS_HOLD] +
		row->verdicts[MS_REJECT] +
		row->verdicts[MS_TEMPFAIL];
}

/* As wide as what was judged; what was stopped, and would have been, first. */
static char *bar_of(const MsStatsRow *row, guint64 most, bool utf8)
{
	static const char *const signs[2][3] = {{"#", "+", "."}, {"\u2588", "\u2593", "\u2591"}};
	GString *out = g_string_new(NULL);
	const guint64 parts[3] = {stopped_of(row), row->observed,
		row->judged - MIN(row->judged, stopped_of(row) + row->observed)};
	guint64 done = 0, drawn = 0;
	for (int i = 0; i < 3 && most > 0; i++) {
		done += parts[i];
		guint64 until = parts[i] > 0 ? MAX((done * BAR + most - 1) / most, drawn + 1)
					     : drawn;
		for (; drawn < MIN(until, BAR); drawn++)
			g_string_append(out, signs[utf8][i]);
	}
	return g_string_free(out, FALSE);
}

/* ---- columns -------------------------------------------------------------------------- */

static guint64 judged_of(const MsStatsRow *row)
{
	return row->judged;
}

static guint64 tagged_of(const MsStatsRow *row)
{
	return row->verdicts[MS_TAG];
}

static guint64 held_of(const MsStatsRow *row)
{
	return row->verdicts[MS_SPLIT] + row->verdicts[MS_HOLD];
}

static guint64 delayed_of(const MsStatsRow *row)
{
	return row->verdicts[MS_DELAY];
}

static guint64 rejected_of(const MsStatsRow *row)
{
	return row->verdicts[MS_REJECT];
}

static guint64 deferred_of(const MsStatsRow *row)
{
	return row->verdicts[MS_TEMPFAIL];
}

static guint64 observed_of(const MsStatsRow *row)
{
	return row->observed;
}

/* One that is nought in all rows is left out, but for those that each reader looks for: so there is
 * room for names. */
static const struct {
	const char *name;
	guint64 (*of)(const MsStatsRow *row);
	bool always;
} columns[] = {
	{"judged", judged_of, true}, {"tagged", tagged_of}, {"held", held_of, true},
	{"delayed", delayed_of}, {"rejected", rejected_of}, {"deferred", deferred_of},
	{"observed", observed_of, true},
};

/* ---- the table ------------------------------------------------------------------------ */

typedef struct {
	const Cli *cli;
	const MsStatsRow *all; /* the sum of all rows */
	int width;             /* of names */
	guint64 most;          /* judged of one row */
	bool utf8;
} Table;

static bool is_shown(const Table *t, gsize column)
{
	return columns[column].always || columns[column].of(t->all) > 0;
}

static void print_head(const Table *t, const char *name)
{
	g_autofree char *cell = cli_cell(name, t->width);
	printf("%s", cell);
	for (gsize i = 0; i < G_N_ELEMENTS(columns); i++)
		if (is_shown(t, i))
			printf(" %8s", columns[i].name);
	printf("\n");
}

/* Names are not cut, which would make one of two: what the column has no room for stands below. */
static void print_row(const Table *t, const MsStatsRow *row, const char *name, bool bar)
{
	g_autofree char *safe = cli_cell(name, 0);
	g_autoptr(GString) lines = g_string_new(NULL);
	ms_text_wrap(lines, safe, 0, t->width);
	const char *more = strchr(lines->str, '\n');
	g_autofree char *first = g_strndup(
		lines->str, more != NULL ? (gsize)(more - lines->str) : lines->len);
	g_autofree char *cell = cli_cell(first, t->width);
	printf("%s%s%s", cli_colour(t->cli, BOLD), cell, cli_colour(t->cli, PLAIN));
	for (gsize i = 0; i < G_N_ELEMENTS(columns); i++)
		if (is_shown(t, i))
			printf(" %8" G_GUINT64_FORMAT, columns[i].of(row));
	g_autofree char *drawn = bar ? bar_of(row, t->most, t->utf8) : NULL;
	if (drawn != NULL)
		printf(" %s%s%s", cli_colour(t->cli, YELLOW), drawn, cli_colour(t->cli, PLAIN));
	printf("%s\n", more != NULL ? more : "");
}

#define SHOWN_UNSURE 10

static void print_unsure(const Cli *cli, const MsStats *stats)
{
	const GPtrArray *unsure = ms_stats_unsure(stats);
	if (unsure->len == 0)
		return;
	printf("%snot known%s, and counted as met:\n", cli_colour(cli, YELLOW),
		cli_colour(cli, PLAIN));
	for (guint i = 0; i < MIN(unsure->len, SHOWN_UNSURE); i++) {
		const MsStatsUnsure *u = unsure->pdata[i];
		g_autofree char *what = cli_cell(u->what, 0);
		printf("  %" G_GUINT64_FORMAT " message%s by policy %s\n", u->messages,
			CLI_S(u->messages), what);
	}
	if (unsure->len > SHOWN_UNSURE)
		printf("  %u more (--json)\n", unsure->len - SHOWN_UNSURE);
}

/* Whatever has no cause: so that rows add up to the sum below them. */
static MsStatsRow rest_of(const MsStats *stats)
{
	const GPtrArray *rows = ms_stats_rows(stats);
	MsStatsRow rest = *ms_stats_all(stats);
	for (guint i = 0; i < rows->len; i++) {
		const MsStatsRow *row = rows->pdata[i];
		rest.judged -= row->judged;
		rest.observed -= row->observed;
		for (int k = 0; k < MS_N_ACTIONS; k++)
			rest.verdicts[k] -= row->verdicts[k];
	}
	return rest;
}

static void print_table(const Cli *cli, const MsStats *stats, MsStatsBy by, guint limit)
{
	static const int widths[MS_N_STATS] = {10, 24, 30, 46};
	const GPtrArray *rows = ms_stats_rows(stats);
	guint first = by == MS_STATS_DAY && rows->len > limit ? rows->len - limit : 0,
	      n = MIN(rows->len - first, limit);
	Table t = {.cli = cli, .all = ms_stats_all(stats), .width = widths[by],
		.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0};
	for (guint i = first; i < first + n; i++)
		t.most = MAX(t.most, ((const MsStatsRow *)rows->pdata[i])->judged);
	print_head(&t, ms_stats_names[by]);
	for (guint i = first; i < first + n; i++)
		print_row(&t, rows->pdata[i], ((const MsStatsRow *)rows->pdata[i])->name, true);
	if (rows->len > n)
		printf("%u more (--limit)\n", rows->len - n);
	MsStatsRow rest = rest_of(stats);
	if (by == MS_STATS_CAUSE && rest.judged > 0)
		print_row(&t, &rest, "nothing against it", false);
	print_row(&t, t.all, "all", false);
	print_unsure(cli, stats);
	if (ms_stats_damaged(stats) > 0)
		printf("%s%" G_GUINT64_FORMAT
		       " lines of the trail cannot be read: what they say is not in here%s\n",
			cli_colour(cli, RED), ms_stats_damaged(stats), cli_colour(cli, PLAIN));
}

static json_t *json_of(const MsStatsRow *row)
{
	json_t *verdicts = json_object();
	for (int i = 0; i < MS_N_ACTIONS; i++)
		json_object_set_new(
			verdicts, ms_action_names[i], json_integer((json_int_t)row->verdicts[i]));
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:o}", "name",
		row->name != NULL ? row->name : "", "id", row->id != NULL ? row->id : "", "judged",
		(json_int_t)row->judged, "recipients", (json_int_t)row->recipients, "observed",
		(json_int_t)row->observed, "unsure", (json_int_t)row->unsure, "verdicts",
		verdicts);
}

static json_t *unsure_as_json(const MsStats *stats)
{
	const GPtrArray *unsure = ms_stats_unsure(stats);
	json_t *list = json_array();
	for (guint i = 0; i < unsure->len; i++) {
		const MsStatsUnsure *u = unsure->pdata[i];
		json_array_append_new(list,
			json_pack("{s:s, s:I}", "what", u->what, "messages",
				(json_int_t)u->messages));
	}
	return list;
}

static void print_json(
	const MsStats *stats, MsStatsBy by, gint64 from, gint64 to, gint64 begins)
{
	const GPtrArray *rows = ms_stats_rows(stats);
	json_t *list = json_array();
	for (guint i = 0; i < rows->len; i++)
		json_array_append_new(list, json_of(rows->pdata[i]));
	json_t *all = json_pack("{s:s, s:I, s:I, s:I, s:o, s:o, s:o, s:I}", "by", ms_stats_names[by], "from",
		(json_int_t)(from / G_USEC_PER_SEC), "to", (json_int_t)(to / G_USEC_PER_SEC),
		"begins", (json_int_t)(begins / G_USEC_PER_SEC), "rows", list, "all", json_of(ms_stats_all(stats)), "unsure",
		unsure_as_json(stats), "damaged",
		(json_int_t)ms_stats_damaged(stats));
	cli_print_json(all);
}

void cli_tell_begin(const Cli *cli, gint64 begins, gint64 from)
{
	g_autofree char *time = ms_text_time(begins, MS_ZONE_UTC, MS_TIME_SECONDS);
	if (begins > from)
		printf("%snot known%s: the trail begins at %s UTC; what was before is not in here\n",
			cli_colour(cli, YELLOW), cli_colour(cli, PLAIN), time);
}

static bool take_by(const char *text, MsStatsBy *out)
{
	for (int i = 0; ms_stats_names[i] != NULL; i++)
		if (strcmp(ms_stats_names[i], text) == 0) {
			*out = (MsStatsBy)i;
			return true;
		}
	return false;
}

int cmd_stats(Cli *cli, int argc, char **argv)
{
	gboolean json = false;
	gint limit = 40;
	g_autofree char *since = NULL, *until = NULL, *by_text = NULL;
	g_auto(GStrv) trails = NULL;
	const GOptionEntry entries[] = {
		{"since", 0, 0, G_OPTION_ARG_STRING, &since, "2026-11-20, or -7d (which it is)",
			"TIME"},
		{"until", 0, 0, G_OPTION_ARG_STRING, &until, "now", "TIME"},
		{"by", 0, 0, G_OPTION_ARG_STRING, &by_text,
			"day (which it is), policy, sender or cause", "WHAT"},
		{"trail", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &trails,
			"another trail, or several hosts'", "FILE"},
		{"limit", 0, 0, G_OPTION_ARG_INT, &limit, "rows of the table (40)", "N"},
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "for programs", NULL},
		{NULL},
	};
	if (!cli_options(entries, "- what was judged, and what became of it, from the audit trail",
		    &argc, &argv))
		return EX_USAGE;
	MsStatsBy by = MS_STATS_DAY;
	if (by_text != NULL && !take_by(by_text, &by))
		return cli_fail(
			EX_USAGE, "--by: \"%s\" is none of day, policy, sender and cause", by_text);
	if (limit < 1)
		return cli_fail(EX_USAGE, "stats: --limit %d: at least 1", limit);
	g_autoptr(GError) error = NULL;
	gint64 now = g_get_real_time(), from = now - 7 * DAY_US, to = now;
	if (!cli_period(&(CliPeriod){"since", since, "until", until}, now, &from, &to, &error))
		return cli_fail(EX_USAGE, "%s", error->message);
	g_autoptr(MsSettings) s = trails == NULL ? ms_settings_load_public(cli->config, &error)
						 : NULL;
	if (error != NULL)
		return cli_fail_error(error);
	g_autoptr(MsStats) stats = ms_stats_new(by);
	const char *const own[] = {s != NULL ? s->audit_file : NULL, NULL};
	gint64 begins = 0;
	for (const char *const *trail = trails != NULL ? (const char *const *)trails : own;
		*trail != NULL; trail++) {
		begins = MAX(begins, ms_audit_first(*trail)); /* from then on all are known */
		if ((trails != NULL && !ms_audit_is_there(*trail, &error)) ||
			!ms_stats_read(stats, *trail, from, to, &error))
			return cli_fail_error(error);
	}
	if (json) {
		print_json(stats, by, from, to, begins);
	} else {
		print_table(cli, stats, by, (guint)limit);
		cli_tell_begin(cli, begins, from);
	}
	return begins >= to && ms_stats_all(stats)->judged == 0 ? EX_NOINPUT : 0;
}
