/* The timeline of a report as SVG: bars of what got out, was released, held or stopped, over
 * time, a line of all that was judged, and when it was known and what was done.  Pure function of
 * the report. */
#include "config.h"

#include "incident_private.h"

#define WIDTH 900.0
#define HEIGHT 260.0
#define LEFT 50.0
#define TOP 24.0
#define BOTTOM 34.0

/* Told apart without colours too: what got out is darkest. */
static const struct {
	const char *fill, *words;
} looks[MS_N_FATES] = {
	[MS_FATE_STOPPED] = {"#9ec5e8", "stopped"}, [MS_FATE_HELD] = {"#6fa3cf", "held"},
	[MS_FATE_UNTOLD] = {"#bdbdbd", "not known"}, [MS_FATE_RELEASED] = {"#e0a030", "released"},
	[MS_FATE_OUT] = {"#9c1c1c", "got out"},
};

static void number(GString *out, const char *before, double n)
{
	char text[G_ASCII_DTOSTR_BUF_SIZE];
	g_string_append_printf(out, "%s%s", before, g_ascii_formatd(text, sizeof text, "%.1f", n));
}

static void rect(GString *out, double x, double y, double width, double height, const char *fill)
{
	number(out, "<rect x=\"", x);
	number(out, "\" y=\"", y);
	number(out, "\" width=\"", width);
	number(out, "\" height=\"", height);
	g_string_append_printf(out, "\" fill=\"%s\"/>", fill);
}

static void words(GString *out, double x, double y, const char *anchor, const char *text)
{
	number(out, "<text x=\"", x);
	number(out, "\" y=\"", y);
	g_string_append_printf(out, "\" text-anchor=\"%s\">%s</text>", anchor, text);
}

static guint64 sum_at(const Buckets *b, guint i)
{
	guint64 sum = 0;
	for (int f = 0; f < MS_N_FATES; f++)
		sum += g_array_index(b->of[f], guint64, i);
	return sum;
}

static double x_of(const Buckets *b, gint64 time)
{
	return LEFT +
		(WIDTH - LEFT) * (double)(time - b->begin) /
		((double)b->judged->len * (double)b->width);
}

static void mark(GString *out, const Buckets *b, gint64 time, const char *colour, const char *text)
{
	double x = x_of(b, time);
	if (time == 0 || x < LEFT || x > WIDTH)
		return;
	number(out, "<line x1=\"", x);
	number(out, "\" x2=\"", x);
	number(out, "\" y1=\"", TOP);
	number(out, "\" y2=\"", HEIGHT - BOTTOM);
	g_autofree char *safe = g_markup_escape_text(text, -1);
	g_string_append_printf(out,
		"\" stroke=\"%s\" stroke-dasharray=\"3 3\"><title>%s</title></line>", colour, safe);
}

static void bars(GString *out, const Buckets *b, guint64 most)
{
	double step = (WIDTH - LEFT) / b->judged->len, high = HEIGHT - TOP - BOTTOM;
	for (guint i = 0; i < b->judged->len; i++) {
		double y = HEIGHT - BOTTOM;
		for (int f = MS_N_FATES - 1; f >= 0; f--) {
			double h = high * (double)g_array_index(b->of[f], guint64, i) /
				(double)most;
			if (h > 0)
				rect(out, LEFT + i * step, y - h, MAX(step - 1, 1), h,
					looks[f].fill);
			y -= h;
		}
	}
}

/* All that was judged, by a scale of its own. */
static void judged(GString *out, const Buckets *b, guint64 most)
{
	double step = (WIDTH - LEFT) / b->judged->len, high = HEIGHT - TOP - BOTTOM;
	g_string_append(
		out, "<polyline fill=\"none\" stroke=\"#555\" stroke-width=\"1\" points=\"");
	for (guint i = 0; i < b->judged->len; i++) {
		number(out, i > 0 ? " " : "", LEFT + (i + 0.5) * step);
		number(out, ",",
			HEIGHT - BOTTOM -
				high * (double)g_array_index(b->judged, guint64, i) / (double)most);
	}
	g_string_append(out, "\"/>");
}

static void legend(GString *out, const Buckets *b, guint64 most, guint64 most_judged)
{
	double x = LEFT;
	for (int f = MS_N_FATES - 1; f >= 0; f--, x += 95) {
		rect(out, x, 4, 10, 10, looks[f].fill);
		words(out, x + 14, 13, "start", looks[f].words);
	}
	g_autofree char *text = g_strdup_printf(
		"line: all judged, up to %" G_GUINT64_FORMAT, most_judged);
	words(out, WIDTH, 13, "end", text);
	g_autofree char *top = g_strdup_printf("%" G_GUINT64_FORMAT, most);
	words(out, LEFT - 6, TOP + 8, "end", top);
	words(out, LEFT - 6, HEIGHT - BOTTOM, "end", "0");
	for (int i = 0; i <= 4; i++) {
		gint64 at = b->begin + (gint64)b->judged->len * b->width / 4 * i;
		g_autofree char *time = incident_time(at);
		time[16] = '\0';
		words(out, x_of(b, at), HEIGHT - 12,
			i == 0           ? "start"
				: i == 4 ? "end"
					 : "middle",
			time);
	}
}

/* Times of which nothing is known are grey: no bar there does not mean that nothing happened. */
static void holes(GString *out, const MsIncident *incident)
{
	const Buckets *b = &incident->buckets;
	for (guint i = 0; i < incident->holes->len; i++) {
		const Hole *hole = incident->holes->pdata[i];
		double from = CLAMP(x_of(b, hole->from), LEFT, WIDTH),
		       to = CLAMP(x_of(b, hole->to), LEFT, WIDTH);
		rect(out, from, TOP, MAX(to - from, 1), HEIGHT - TOP - BOTTOM, "#ececec");
	}
	if (incident->holes->len > 0) {
		rect(out, LEFT + 5 * 95, 4, 10, 10, "#ececec");
		words(out, LEFT + 5 * 95 + 14, 13, "start", "trail silent");
	}
}

void report_chart(GString *out, const MsReport *report)
{
	const Buckets *b = &report->incident->buckets;
	guint64 most = 1, most_judged = 1;
	for (guint i = 0; i < b->judged->len; i++) {
		most = MAX(most, sum_at(b, i));
		most_judged = MAX(most_judged, g_array_index(b->judged, guint64, i));
	}
	g_string_append(out,
		"<svg viewBox=\"0 0 900 260\" role=\"img\" aria-label=\"Messages over time, by what became of "
		"them\" xmlns=\"http://www.w3.org/2000/svg\">");
	holes(out, report->incident);
	bars(out, b, most);
	judged(out, b, most_judged);
	mark(out, b, report->known_at, "#000", "known");
	for (guint i = 0; i < report->incident->events->len; i++) {
		const Event *e = report->incident->events->pdata[i];
		mark(out, b, e->time, "#2a7a2a", e->what);
	}
	legend(out, b, most, most_judged);
	g_string_append(out, "</svg>\n");
}
