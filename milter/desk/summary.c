/*
 * Once in a while (desk { summary-every }) reviewers are told in a mail what was judged since the
 * last one, and what became of it: by day, by policy, by cause, from the audit trail.  In the
 * thread of ms_desk_tick(), under its lock; no customer's data: what the trail has is masked.
 */
#include "config.h"

#include <string.h>

#include "missent/clock.h"
#include "missent/history.h"
#include "missent/notice.h"
#include "missent/text.h"

#include "desk_private.h"

#define MOST_ROWS 20

static void append_row(GString *body, const MsStatsRow *row, const char *name)
{
	guint64 stopped = row->verdicts[MS_SPLIT] + row->verdicts[MS_DELAY] +
		row->verdicts[MS_HOLD] + row->verdicts[MS_REJECT] + row->verdicts[MS_TEMPFAIL];
	g_autofree char *safe = ms_text_escape(name, -1, 200);
	g_string_append_printf(body,
		"%9" G_GUINT64_FORMAT " %9" G_GUINT64_FORMAT " %9" G_GUINT64_FORMAT "  %s\n",
		row->judged, stopped, row->observed, safe);
}

static bool append_table(
	const Desk *desk, GString *body, MsStatsBy by, gint64 from, gint64 to, guint64 *judged_out)
{
	static const DeskWord titles[MS_N_STATS] = {
		W_SUMMARY_DAYS, W_SUMMARY_POLICIES, W_SUMMARY_SENDERS, W_SUMMARY_CAUSES};
	g_autoptr(MsStats) stats = ms_stats_new(by);
	if (!ms_stats_read(stats, desk->settings->audit_file, from, to, NULL))
		return false;
	const GPtrArray *rows = ms_stats_rows(stats);
	g_string_append_printf(
		body, "%s\n%s\n", desk_word(desk, titles[by]), desk_word(desk, W_SUMMARY_HEAD));
	for (guint i = 0; i < MIN(rows->len, MOST_ROWS); i++)
		append_row(body, rows->pdata[i], ((const MsStatsRow *)rows->pdata[i])->name);
	if (by == MS_STATS_DAY)
		append_row(body, ms_stats_all(stats), desk_word(desk, W_SUMMARY_ALL));
	g_string_append_c(body, '\n');
	*judged_out = ms_stats_all(stats)->judged;
	return true;
}

/* NULL: the trail could not be read, or nothing was judged. */
static char *summary_text(const Desk *desk, gint64 from, gint64 to)
{
	static const MsStatsBy tables[] = {MS_STATS_DAY, MS_STATS_POLICY, MS_STATS_CAUSE};
	g_autoptr(GString) body = g_string_new(NULL);
	guint64 judged = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(tables); i++)
		if (!append_table(desk, body, tables[i], from, to, &judged) || judged == 0)
			return NULL;
	desk_fact(body, desk_word(desk, W_HOST), desk->settings->host);
	return g_string_free(g_steal_pointer(&body), FALSE);
}

void desk_send_summary(Desk *desk)
{
	const MsSettings *s = desk->settings;
	gint64 now = ms_clock_now();
	bool first = false;
	if (s->desk.summary_ms == 0 ||
		!ms_notices_first(desk->ledger, "reviewers", "summary", s->desk.summary_ms * 1000,
			&first, NULL) ||
		!first)
		return;
	g_autofree char *text = summary_text(desk, now - s->desk.summary_ms * 1000, now);
	if (text != NULL &&
		desk_send_to_reviewers(desk, desk_word(desk, W_SUMMARY_TITLE), text) == MS_LATER)
		ms_notices_unsent(desk->ledger, "reviewers", "summary");
}
