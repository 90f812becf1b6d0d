/*
 * A chart keeps its numbers once, and formats in many places: with the numbers, for one point, for
 * the labels of a series or of all, for an axis.  "KD-"0000 of an axis makes KD-0417 of 417.  In
 * come elements, out go the numbers as they are shown.  What an axis of categories says is not said
 * of values, and the other way round; more is not told apart.  In the worker's only thread.
 */
#include "config.h"

#include <string.h>

#include "chart.h"
#include "numfmt.h"
#include "xml.h"

#define MAX_NUMBERS 100000
#define MAX_FORMATS 32 /* that differ */
#define MAX_TEXT 64    /* of one number */

enum { CATEGORY = 1, VALUE = 2 };

typedef struct {
	double number;
	guint is; /* CATEGORY or VALUE */
} Number;

typedef struct {
	char *code;
	guint of; /* bits of the numbers that it shows */
} Format;

struct MsChart {
	GArray *numbers, *formats; /* of Number, of Format */
	/* open elements: of categories, axes of them, other axes, lists of numbers, numbers */
	guint categories, category_axis, value_axis, lists, leaves;
	GString *text;
	bool more; /* than are kept */
};

static void clear_format(gpointer data)
{
	g_free(((Format *)data)->code);
}

MsChart *ms_chart_new(void)
{
	MsChart *chart = g_new0(MsChart, 1);
	chart->numbers = g_array_new(FALSE, FALSE, sizeof(Number));
	chart->formats = g_array_new(FALSE, FALSE, sizeof(Format));
	g_array_set_clear_func(chart->formats, clear_format);
	chart->text = g_string_new(NULL);
	return chart;
}

void ms_chart_free(MsChart *chart)
{
	if (chart == NULL)
		return;
	g_array_unref(chart->numbers);
	g_array_unref(chart->formats);
	g_string_free(chart->text, TRUE);
	g_free(chart);
}

static void add_format(MsChart *chart, const char *code, guint of)
{
	for (guint i = 0; i < chart->formats->len; i++) {
		Format *known = &g_array_index(chart->formats, Format, i);
		if (strcmp(known->code, code) == 0) {
			known->of |= of;
			return;
		}
	}
	if (!ms_number_format_tells(code))
		return;
	chart->more = chart->more || chart->formats->len >= MAX_FORMATS;
	if (chart->formats->len >= MAX_FORMATS)
		return;
	Format format = {g_strdup(code), of};
	g_array_append_val(chart->formats, format);
}

void ms_chart_add_format(MsChart *chart, const char *format)
{
	add_format(chart, format, CATEGORY | VALUE);
}

static void add_number(MsChart *chart, double value, guint is)
{
	Number number = {value, is};
	chart->more = chart->more || chart->numbers->len >= MAX_NUMBERS;
	if (chart->numbers->len < MAX_NUMBERS)
		g_array_append_val(chart->numbers, number);
}

void ms_chart_add_number(MsChart *chart, double number)
{
	add_number(chart, number, CATEGORY | VALUE);
}

static bool is_category_axis(const char *name)
{
	static const char *const axes[] = {"catAx", "dateAx", "serAx", NULL};
	return g_strv_contains(axes, name);
}

static bool is_list(const char *name)
{
	static const char *const lists[] = {"numCache", "numLit", "numDim", NULL};
	return g_strv_contains(lists, name);
}

static bool is_leaf(const MsChart *chart, const char *name)
{
	return chart->lists > 0 && (strcmp(name, "v") == 0 || strcmp(name, "pt") == 0);
}

/* Counts an element that begins (1) or ends (-1). */
static void count(MsChart *chart, const char *name, guint by)
{
	const struct {
		guint *open;
		bool is;
	} rows[] = {{&chart->categories, strcmp(name, "cat") == 0},
		{&chart->category_axis, is_category_axis(name)},
		{&chart->value_axis, strcmp(name, "valAx") == 0},
		{&chart->lists, is_list(name)}, {&chart->leaves, is_leaf(chart, name)}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (rows[i].is && (by == 1 || *rows[i].open > 0))
			*rows[i].open += by;
}

/* Labels of points may show both. */
void ms_chart_start(MsChart *chart, const char *name, const char *const *attributes)
{
	const char *code = ms_xml_attribute(attributes, "formatCode");
	count(chart, name, 1);
	g_string_truncate(chart->text, 0);
	if (code != NULL)
		add_format(chart, code,
			chart->category_axis > 0    ? CATEGORY
				: chart->value_axis > 0 ? VALUE
							: CATEGORY | VALUE);
}

void ms_chart_text(MsChart *chart, const char *text, gsize len)
{
	if (chart->leaves > 0 && chart->text->len + len <= MAX_TEXT)
		g_string_append_len(chart->text, text, (gssize)len);
}

void ms_chart_end(MsChart *chart, const char *name)
{
	char *end;
	double number = g_ascii_strtod(chart->text->str, &end);
	if (chart->text->len > 0 && *end == '\0' && is_leaf(chart, name))
		add_number(chart, number, chart->categories > 0 ? CATEGORY : VALUE);
	g_string_truncate(chart->text, 0);
	count(chart, name, -1U);
}

bool ms_chart_show(const MsChart *chart, GString *out, gsize limit)
{
	for (guint i = 0; i < chart->numbers->len && out->len < limit; i++) {
		const Number *number = &g_array_index(chart->numbers, Number, i);
		for (guint j = 0; j < chart->formats->len; j++) {
			const Format *format = &g_array_index(chart->formats, Format, j);
			if ((format->of & number->is) != 0 &&
				ms_number_shown(out, number->number, format->code))
				g_string_append_c(out, '\n');
		}
	}
	return out->len < limit && (!chart->more || chart->formats->len == 0);
}
