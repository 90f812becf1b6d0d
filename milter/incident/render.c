/* The rows of a report come in; text for a terminal, a page to be printed, or JSON goes out.  Pure
 * functions of the report. */
#include "config.h"

#include <string.h>

#include "missent/text.h"

#include "incident_private.h"

/* ---- text ------------------------------------------------------------------------------- */

#define MOST_TEXT 20000 /* twenty recipients with the names of their accounts have room */
#define LABEL_WIDTH 34
#define CHART_WIDTH 50

static void wrap(GString *out, const char *text, guint indent, guint width)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);
	guint at = 0;
	for (int i = 0; words[i] != NULL; i++) {
		guint n = (guint)g_utf8_strlen(words[i], -1);
		if (at > 0 && at + 1 + n > width) {
			g_string_append_printf(out, "\n%*s", (int)indent, "");
			at = 0;
		}
		g_string_append_printf(out, "%s%s", at > 0 ? " " : "", words[i]);
		at += n + (at > 0);
	}
	g_string_append_c(out, '\n');
}

static void text_row(GString *out, const Row *row)
{
	if (row->programs)
		return;
	g_autofree char *label = ms_text_escape(row->label, -1, 400),
			*text = ms_text_escape(row->text, -1, MOST_TEXT);
	if (row->state == ROW_QUESTION) {
		g_string_append(out, "  ? ");
		wrap(out, label, 4, 92);
	} else if (g_utf8_strlen(label, -1) <= LABEL_WIDTH) {
		g_string_append_printf(out, "  %s %s%*s", row->state == ROW_UNKNOWN ? "-" : " ",
			label, (int)(LABEL_WIDTH + 2 - g_utf8_strlen(label, -1)), "");
		wrap(out, text, LABEL_WIDTH + 6, 96 - LABEL_WIDTH - 6);
	} else {
		g_string_append_printf(
			out, "  %s %s\n      ", row->state == ROW_UNKNOWN ? "-" : " ", label);
		wrap(out, text, 6, 90);
	}
}

static guint64 at(const GArray *array, guint i)
{
	return g_array_index(array, guint64, i);
}

/* What went, and what did not, a line a bucket that has any. */
static void text_chart(GString *out, const MsReport *report)
{
	const Buckets *b = &report->incident->buckets;
	guint64 most = 1;
	for (guint i = 0; i < b->judged->len; i++) {
		guint64 sum = 0;
		for (int f = 0; f < MS_N_FATES; f++)
			sum += at(b->of[f], i);
		most = MAX(most, sum);
	}
	g_autofree char *width = incident_span(b->width);
	g_string_append_printf(out,
		"\nTimeline (# got out, r released, ? not known, h held, . stopped; each line %s)\n",
		width);
	static const char marks[MS_N_FATES] = {'.', 'h', '?', 'r', '#'};
	for (guint i = 0; i < b->judged->len; i++) {
		g_autofree char *time = incident_time(b->begin + (gint64)i * b->width);
		GString *bar = g_string_new(NULL);
		for (int f = MS_N_FATES - 1; f >= 0; f--) {
			guint64 n = at(b->of[f], i);
			for (guint64 k = 0; n > 0 && k < (n * CHART_WIDTH + most - 1) / most; k++)
				g_string_append_c(bar, marks[f]);
		}
		if (bar->len > 0)
			g_string_append_printf(out, "  %.16s %6" G_GUINT64_FORMAT " judged  %s\n",
				time, at(b->judged, i), bar->str);
		g_string_free(bar, TRUE);
	}
}

char *ms_report_text(const MsReport *report)
{
	GString *out = g_string_new("Incident report\n");
	for (guint i = 0; i < report->sections->len; i++) {
		const Section *section = report->sections->pdata[i];
		g_string_append_printf(out, "\n%s\n", section->title);
		for (guint k = 0; k < section->rows->len; k++)
			text_row(out, section->rows->pdata[k]);
	}
	text_chart(out, report);
	return g_string_free(out, FALSE);
}

/* ---- JSON ------------------------------------------------------------------------------- */

static json_t *value_of(const Row *row)
{
	return row->value != NULL ? json_incref(row->value) : json_string(row->text);
}

/* Rows that come several times under one key are a list. */
static void json_row(json_t *object, const Row *row)
{
	static const char *const lists[] = {"gap", "event", "clock", "trail", NULL};
	if (!g_strv_contains(lists, row->key)) {
		json_object_set_new(object, row->key, value_of(row));
		return;
	}
	g_autofree char *plural = g_strconcat(row->key, "s", NULL);
	if (json_object_get(object, plural) == NULL)
		json_object_set_new(object, plural, json_array());
	json_array_append_new(json_object_get(object, plural), value_of(row));
}

static json_t *json_buckets(const Buckets *b)
{
	json_t *list = json_array();
	for (guint i = 0; i < b->judged->len; i++) {
		g_autofree char *time = incident_iso(b->begin + (gint64)i * b->width);
		json_t *row = json_pack(
			"{s:s, s:I}", "time", time, "judged", (json_int_t)at(b->judged, i));
		guint64 sum = at(b->judged, i);
		for (int f = 0; f < MS_N_FATES; f++) {
			json_object_set_new(
				row, ms_fate_names[f], json_integer((json_int_t)at(b->of[f], i)));
			sum += at(b->of[f], i);
		}
		if (sum > 0)
			json_array_append_new(list, row);
		else
			json_decref(row);
	}
	return json_pack("{s:f, s:o}", "seconds", (double)b->width / G_USEC_PER_SEC, "rows", list);
}

static json_t *json_holes(const MsIncident *incident)
{
	json_t *list = json_array();
	for (guint i = 0; i < incident->holes->len; i++) {
		const Hole *hole = incident->holes->pdata[i];
		g_autofree char *from = incident_iso(hole->from), *to = incident_iso(hole->to);
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:s, s:s}", "from", from, "to", to, "why",
				hole_names[hole->kind], "host", hole->host));
	}
	return list;
}

char *ms_report_json(const MsReport *report)
{
	json_t *all = json_pack("{s:s, s:i}", "report", "missent incident", "version", 1);
	json_t *questions = json_array();
	for (guint i = 0; i < report->sections->len; i++) {
		const Section *section = report->sections->pdata[i];
		json_t *object = json_object();
		for (guint k = 0; k < section->rows->len; k++) {
			const Row *row = section->rows->pdata[k];
			if (row->state == ROW_QUESTION)
				json_array_append_new(questions,
					json_pack("{s:s, s:s, s:s}", "section", section->key, "key",
						row->key, "question", row->label));
			else
				json_row(object, row);
		}
		json_object_set_new(all, section->key, object);
	}
	json_object_set_new(all, "questions", questions);
	json_object_set_new(all, "unknown-times", json_holes(report->incident));
	json_object_set_new(all, "timeline", json_buckets(&report->incident->buckets));
	char *text = json_dumps(all, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	json_decref(all);
	char *copy = g_strdup(text);
	free(text);
	return copy;
}

/* ---- HTML ------------------------------------------------------------------------------- */

static const char style[] =
	"body{font:15px/1.45 system-ui,sans-serif;color:#1b1f24;max-width:60rem;margin:2rem auto;padding:0 1rem}"
	"h1{font-size:1.6rem}h2{font-size:1.1rem;margin:1.6rem 0 .4rem;border-bottom:1px solid #c8ccd1}"
	"table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0}"
	"th{width:38%;font-weight:500;color:#444b53}tr.unknown td,tr.unknown th{color:#7a3b00}"
	"tr.question th{color:#1b1f24;font-weight:600}tr.question td{border-bottom:1px dotted #888;min-width:10rem}"
	"svg{width:100%;height:auto}svg text{font:11px system-ui,sans-serif;fill:#444b53}"
	".note{color:#444b53}@media print{body{margin:0;max-width:none}h2{break-after:avoid}tr,svg{break-inside:avoid}}";

static void html_row(GString *out, const Row *row)
{
	static const char *const classes[] = {"known", "unknown", "question"};
	if (row->programs)
		return;
	g_autofree char *label_shown = ms_text_escape(row->label, -1, 400),
			*text_shown = ms_text_escape(row->text, -1, MOST_TEXT);
	g_autofree char *label = g_markup_escape_text(label_shown, -1),
			*text = g_markup_escape_text(text_shown, -1);
	g_string_append_printf(out, "<tr class=\"%s\"><th scope=\"row\">%s</th><td>%s</td></tr>\n",
		classes[row->state], label, text);
}

char *ms_report_html(const MsReport *report)
{
	GString *out = g_string_new(
		"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
		"<meta name=\"viewport\" content=\"width=device-width\"><title>Incident report</title><style>");
	g_string_append_printf(out,
		"%s</style></head><body>\n<h1>Incident report</h1>\n"
		"<p class=\"note\">%s Rows that are empty are questions to people.</p>\n<h2>Timeline</h2>\n",
		style,
		report->named
			? "Accounts are named; this page is for who may know them. Addresses are masked."
			: "Names and addresses are masked; accounts are digests.");
	report_chart(out, report);
	for (guint i = 0; i < report->sections->len; i++) {
		const Section *section = report->sections->pdata[i];
		g_string_append_printf(out, "<h2>%s</h2>\n<table>\n", section->title);
		for (guint k = 0; k < section->rows->len; k++)
			html_row(out, section->rows->pdata[k]);
		g_string_append(out, "</table>\n");
	}
	g_string_append(out, "</body></html>\n");
	return g_string_free(out, FALSE);
}
