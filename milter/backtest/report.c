/*
 * Rows come in; out go causes, the largest first, JSON, and a page with charts.  Plain data; any
 * thread.
 */
#include "config.h"

#include <string.h>

#include "missent/ask.h"

#include "backtest_private.h"

void ms_backtest_free(MsBacktest *backtest)
{
	if (backtest == NULL)
		return;
	g_ptr_array_unref(backtest->rows);
	g_ptr_array_unref(backtest->notes);
	g_free(backtest);
}

guint ms_backtest_count(const MsBacktest *backtest)
{
	return backtest->rows->len;
}

const MsBacktestRow *ms_backtest_row(const MsBacktest *backtest, guint n)
{
	return backtest->rows->pdata[n];
}

void ms_backtest_progress(const MsBacktest *backtest, MsBatchProgress *out)
{
	*out = backtest->progress;
}

bool ms_backtest_is_whole(const MsBacktest *backtest)
{
	return backtest->whole;
}

const GPtrArray *ms_backtest_notes(const MsBacktest *backtest)
{
	return backtest->notes;
}

static bool is_same_reasons(const MsBacktestView *a, const MsBacktestView *b)
{
	bool same = a->reasons->len == b->reasons->len;
	for (guint i = 0; same && i < a->reasons->len; i++)
		same = strcmp(a->reasons->pdata[i], b->reasons->pdata[i]) == 0;
	return same;
}

/* That other policies applied, and said nothing, is no other judgement. */
bool ms_backtest_differs(const MsBacktestRow *row)
{
	return row->failed == NULL &&
		(row->now.would != row->baseline.would ||
			strcmp(row->now.codes, row->baseline.codes) != 0 ||
			!is_same_reasons(&row->now, &row->baseline));
}

/* ---- causes ----------------------------------------------------------------------------- */

static int most_first(const void *a, const void *b)
{
	const MsBacktestCause *x = a, *y = b;
	return x->messages != y->messages ? (x->messages < y->messages ? 1 : -1)
					  : strcmp(x->cause, y->cause);
}

GArray *ms_backtest_causes(const MsBacktest *backtest)
{
	GArray *causes = g_array_new(FALSE, FALSE, sizeof(MsBacktestCause));
	g_autoptr(GHashTable) numbers = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < backtest->rows->len; i++) {
		const MsBacktestRow *row = backtest->rows->pdata[i];
		if (row->failed != NULL || *row->now.cause == '\0')
			continue;
		guint n = GPOINTER_TO_UINT(g_hash_table_lookup(numbers, row->now.cause));
		if (n == 0) {
			const MsBacktestCause cause = {row->now.cause, row->now.would, 0, row};
			g_array_append_val(causes, cause);
			n = causes->len;
			g_hash_table_insert(numbers, row->now.cause, GUINT_TO_POINTER(n));
		}
		MsBacktestCause *cause = &g_array_index(causes, MsBacktestCause, n - 1);
		cause->messages++;
		cause->would = MAX(cause->would, row->now.would);
	}
	g_array_sort(causes, most_first);
	return causes;
}

/* ---- sums ------------------------------------------------------------------------------- */

typedef struct {
	guint actions[MS_N_ACTIONS], before[MS_N_ACTIONS], by[MS_N_KNOWN_BY];
	guint failed, differ;
	GHashTable *codes; /* char * to messages */
} Sums;

static void sums_of(const MsBacktest *b, Sums *out)
{
	*out = (Sums){.codes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
	for (guint i = 0; i < b->rows->len; i++) {
		const MsBacktestRow *row = b->rows->pdata[i];
		out->failed += row->failed != NULL;
		if (row->failed != NULL)
			continue;
		out->actions[row->now.would]++;
		out->before[row->baseline.would]++;
		out->by[row->by]++;
		out->differ += b->compares && ms_backtest_differs(row);
		g_auto(GStrv) codes = g_strsplit(row->now.codes, ", ", -1);
		for (int k = 0; codes[k] != NULL && *codes[k] != '\0'; k++) {
			guint n = GPOINTER_TO_UINT(g_hash_table_lookup(out->codes, codes[k])) + 1;
			g_hash_table_insert(out->codes, g_strdup(codes[k]), GUINT_TO_POINTER(n));
		}
	}
}

static json_t *counts(const guint *numbers, const char *const *names)
{
	json_t *out = json_object();
	for (int i = 0; names[i] != NULL; i++)
		if (numbers[i] > 0)
			json_object_set_new(out, names[i], json_integer(numbers[i]));
	return out;
}

static json_t *codes_as_json(const Sums *s)
{
	json_t *out = json_object();
	for (int i = 0; i < MS_N_REASONS; i++) {
		guint n = GPOINTER_TO_UINT(g_hash_table_lookup(s->codes, ms_reason_names[i]));
		if (n > 0)
			json_object_set_new(out, ms_reason_names[i], json_integer(n));
	}
	return out;
}

static json_t *causes_as_json(const MsBacktest *b)
{
	json_t *out = json_array();
	g_autoptr(GArray) causes = ms_backtest_causes(b);
	for (guint i = 0; i < causes->len; i++) {
		const MsBacktestCause *c = &g_array_index(causes, MsBacktestCause, i);
		json_array_append_new(out,
			json_pack("{s:s, s:s, s:i, s:s}", "cause", c->cause, "would",
				ms_action_names[c->would], "messages", (int)c->messages, "example",
				c->example->name));
	}
	return out;
}

json_t *ms_backtest_to_json(const MsBacktest *b, bool rows)
{
	Sums s;
	sums_of(b, &s);
	json_t *notes = ms_texts_to_json(b->notes), *list = json_array();
	for (guint i = 0; i < b->rows->len; i++)
		if (rows || (b->compares && ms_backtest_differs(b->rows->pdata[i])))
			json_array_append_new(
				list, backtest_row_to_json(b->rows->pdata[i], b->compares));
	json_t *out = json_pack("{s:i, s:b, s:o, s:o, s:o, s:i, s:o, s:o, s:f, s:f, s:o}",
		"messages", (int)b->rows->len, "whole", (int)b->whole, "would",
		counts(s.actions, ms_action_names), "reasons", codes_as_json(&s), "recipients-by",
		counts(s.by, ms_backtest_by_names), "not-judged", (int)s.failed, "causes",
		causes_as_json(b), "notes", notes, "seconds",
		(double)b->progress.us / G_USEC_PER_SEC, "cpu-seconds",
		(double)b->progress.cpu_us / G_USEC_PER_SEC, "rows", list);
	if (b->compares) {
		json_object_set_new(out, "baseline", counts(s.before, ms_action_names));
		json_object_set_new(out, "differ", json_integer(s.differ));
	}
	g_hash_table_unref(s.codes);
	return out;
}

/* ---- the page --------------------------------------------------------------------------- */

static void html(GString *out, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void html(GString *out, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_markup_vprintf_escaped(format, args);
	va_end(args);
	g_string_append(out, text);
}

#define BAR_WIDTH 600
#define BAR_HEIGHT 22

/* One bar a row, as wide as its share of the most. */
static void bars(GString *out, const char *const *names, const guint *now, const guint *before)
{
	guint most = 1, rows = 0;
	for (int i = 0; names[i] != NULL; i++) {
		most = MAX(most, MAX(now[i], before != NULL ? before[i] : 0));
		rows += now[i] > 0 || (before != NULL && before[i] > 0);
	}
	html(out, "<svg role=\"img\" width=\"%d\" height=\"%u\">", BAR_WIDTH + 320,
		rows * (BAR_HEIGHT + 8));
	for (int i = 0, y = 0; names[i] != NULL; i++) {
		if (now[i] == 0 && (before == NULL || before[i] == 0))
			continue;
		int half = before != NULL ? BAR_HEIGHT / 2 : BAR_HEIGHT;
		html(out, "<text x=\"170\" y=\"%d\" text-anchor=\"end\">%s</text>", y + 16,
			names[i]);
		html(out, "<rect x=\"180\" y=\"%d\" width=\"%u\" height=\"%d\" fill=\"#1f5f99\"/>",
			y, MAX(1, now[i] * BAR_WIDTH / most), half);
		if (before != NULL)
			html(out,
				"<rect x=\"180\" y=\"%d\" width=\"%u\" height=\"%d\" fill=\"#b8c9d9\"/>",
				y + half, MAX(1, before[i] * BAR_WIDTH / most), half);
		html(out, "<text x=\"%u\" y=\"%d\">%u", 190 + MAX(1, now[i] * BAR_WIDTH / most),
			y + 16, now[i]);
		if (before != NULL)
			html(out, " (baseline %u)", before[i]);
		html(out, "</text>");
		y += BAR_HEIGHT + 8;
	}
	html(out, "</svg>");
}

static void html_causes(GString *out, const MsBacktest *b)
{
	g_autoptr(GArray) causes = ms_backtest_causes(b);
	html(out, "<h2>Causes</h2><table><tr><th>messages<th>would be<th>cause<th>for example");
	for (guint i = 0; i < causes->len; i++) {
		const MsBacktestCause *c = &g_array_index(causes, MsBacktestCause, i);
		html(out, "<tr><td>%u<td>%s<td>%s<td>%s", c->messages, ms_action_names[c->would],
			c->cause, c->example->name);
	}
	html(out, "</table>");
}

static void html_view(GString *out, const MsBacktestView *view)
{
	html(out, "<td><b>%s</b>", ms_action_names[view->would]);
	for (guint i = 0; i < view->reasons->len; i++)
		html(out, "<br>%s", (char *)view->reasons->pdata[i]);
}

static void html_differences(GString *out, const MsBacktest *b)
{
	html(out,
		"<h2>Judged differently</h2><table><tr><th>message<th>baseline<th>these policies");
	for (guint i = 0; i < b->rows->len; i++) {
		const MsBacktestRow *row = b->rows->pdata[i];
		if (!ms_backtest_differs(row))
			continue;
		html(out, "<tr><td>%s", row->name);
		html_view(out, &row->baseline);
		html_view(out, &row->now);
	}
	html(out, "</table>");
}

char *ms_backtest_to_html(const MsBacktest *b, const char *title)
{
	Sums s;
	guint codes[MS_N_REASONS];
	sums_of(b, &s);
	for (int i = 0; i < MS_N_REASONS; i++)
		codes[i] = GPOINTER_TO_UINT(g_hash_table_lookup(s.codes, ms_reason_names[i]));
	GString *out = g_string_new(
		"<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" "
		"content=\"default-src 'none'; style-src 'unsafe-inline'\"><style>body{font:15px sans-serif;margin:2em}"
		"table{border-collapse:collapse}td,th{border-bottom:1px solid #ccc;padding:.3em .8em;text-align:left;"
		"vertical-align:top}svg{font:13px sans-serif}</style>");
	html(out, "<title>%s</title><h1>%s</h1><p>%u messages, %u could not be judged%s</p>", title,
		title, b->rows->len, s.failed, b->whole ? "" : "; stopped before the end");
	for (guint i = 0; i < b->notes->len; i++)
		html(out, "<p><b>%s</b></p>", (char *)b->notes->pdata[i]);
	html(out, "<h2>Would be</h2>");
	bars(out, ms_action_names, s.actions, b->compares ? s.before : NULL);
	html(out, "<h2>Reasons, messages of each</h2>");
	bars(out, ms_reason_names, codes, NULL);
	html(out, "<h2>How it is known who the recipients were</h2>");
	bars(out, ms_backtest_by_names, s.by, NULL);
	html_causes(out, b);
	if (b->compares)
		html_differences(out, b);
	g_string_append(out, "</html>\n");
	g_hash_table_unref(s.codes);
	return g_string_free(out, FALSE);
}
