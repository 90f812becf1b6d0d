/*
 * An OpenDocument table may hold 7740912 and a style that writes "KD-" before it (ODF 1.3 part 3,
 * 16.29); a text may have words between two halves of a number that a style hides (20.169).  In
 * come styles and cells in their order, out go the numbers as they are shown.  A style of numbers
 * becomes a format of numfmt.c.  Programs write what a cell shows beside its value, but none has
 * to.  In the worker's only thread.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chart.h"
#include "conditions.h"
#include "formula.h"
#include "numbering.h"
#include "numfmt.h"
#include "odfstyle.h"
#include "xml.h"

#define MAX_STYLES 10000
#define MAX_COLUMNS 1024
#define MAX_FORMAT 500 /* bytes */
#define MAX_PARENTS 10
#define MAX_LISTS 100 /* within each other */

typedef struct {
	char *data, *parent; /* names, or NULL */
	char *share;         /* of how shares are shown, in a chart */
	GPtrArray *others;   /* names of the styles that it becomes under a condition, or NULL */
	bool hidden;
} Style;

typedef struct {
	GString *format;
	GPtrArray *others; /* names of the styles that it becomes under a condition */
	bool percent;
	gsize places, point; /* where in the format the places of the whole begin and end */
	gsize at;            /* where literal text goes */
} NumberStyle;

struct MsOdfStyles {
	GHashTable *styles;  /* name to Style */
	GHashTable *cells;   /* the same of cells, whose names are their own */
	GHashTable *numbers; /* name to NumberStyle */
	Style *style;        /* that is open, or NULL */
	NumberStyle *number;
	bool literal;        /* text is part of the open number style */
	GPtrArray *columns;  /* names of styles, or NULL */
	guint column, next_column, row_number, next_row;
	char *row;           /* the style of its cells */
	GHashTable *fields;  /* name to the value that a field has, of char * */
	MsChart *chart;      /* that is open, or NULL */
	MsConditions *conditions;
	const NumberStyle *text_style; /* of the cell that is open, if it has text; or NULL */
	char *ranges;        /* of the cells that the open ones are about, or NULL */
	bool more;           /* than is kept or shown */
	MsNumbering *numbering;
	char *list;          /* the style of lists that is open, or NULL */
	GPtrArray *lists;    /* that are open: the names of their styles */
	char *label;         /* of the paragraph that comes next, or NULL */
};

static void style_free(gpointer data)
{
	Style *style = data;
	g_free(style->data);
	g_free(style->parent);
	g_free(style->share);
	if (style->others != NULL)
		g_ptr_array_unref(style->others);
	g_free(style);
}

static void number_free(gpointer data)
{
	NumberStyle *number = data;
	g_string_free(number->format, TRUE);
	g_ptr_array_unref(number->others);
	g_free(number);
}

MsOdfStyles *ms_odf_styles_new(void)
{
	MsOdfStyles *s = g_new0(MsOdfStyles, 1);
	s->styles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, style_free);
	s->cells = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, style_free);
	s->fields = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	s->conditions = ms_conditions_new();
	s->numbers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, number_free);
	s->columns = g_ptr_array_new_with_free_func(g_free);
	s->numbering = ms_numbering_new();
	s->lists = g_ptr_array_new_with_free_func(g_free);
	return s;
}

void ms_odf_styles_free(MsOdfStyles *s)
{
	if (s == NULL)
		return;
	g_hash_table_unref(s->styles);
	g_hash_table_unref(s->cells);
	g_hash_table_unref(s->fields);
	ms_chart_free(s->chart);
	ms_conditions_free(s->conditions);
	g_free(s->ranges);
	g_hash_table_unref(s->numbers);
	g_ptr_array_unref(s->columns);
	g_free(s->row);
	ms_numbering_free(s->numbering);
	g_free(s->list);
	g_ptr_array_unref(s->lists);
	g_free(s->label);
	g_free(s);
}

static guint number_of(const char *const *attributes, const char *name, guint otherwise)
{
	const char *value = ms_xml_attribute(attributes, name);
	return value != NULL ? (guint)MIN(strtoul(value, NULL, 10), MAX_COLUMNS) : otherwise;
}

/* ---- styles of numbers ---------------------------------------------------------------- */

static bool is_number_style(const char *name)
{
	static const char *const names[] = {
		"number-style", "currency-style", "percentage-style", "date-style", "time-style",
		"text-style", "boolean-style", NULL};
	return g_strv_contains(names, name);
}

static void begin_number_style(MsOdfStyles *s, const char *name, const char *const *attributes)
{
	const char *id = ms_xml_attribute(attributes, "name");
	s->number = NULL;
	s->text_style = NULL; /* it may be the one that this takes the place of */
	if (id == NULL || g_hash_table_size(s->numbers) >= MAX_STYLES)
		return;
	s->number = g_new0(NumberStyle, 1);
	s->number->format = g_string_new(NULL);
	s->number->others = g_ptr_array_new_with_free_func(g_free);
	s->number->percent = *name == 'p';
	g_hash_table_replace(s->numbers, g_strdup(id), s->number);
}

static void put_literal(MsOdfStyles *s, const char *text, gsize len)
{
	NumberStyle *number = s->number;
	for (gsize i = 0; i < len && number->format->len < MAX_FORMAT; i++) {
		bool sign = number->percent && text[i] == '%';
		bool plain = sign || (text[i] & 0x80) != 0 || g_ascii_isspace(text[i]);
		const char character[] = {plain ? text[i] : '\\', plain ? '\0' : text[i], '\0'};
		if (!plain && text[i] < ' ')
			continue;
		gssize at = number->at > 0 ? (gssize)number->at - 1 : -1;
		g_string_insert(
			number->format, at < 0 ? (gssize)number->format->len : at, character);
		number->at += number->at > 0 ? strlen(character) : 0;
	}
}

/* Text within a number, before so many of its places. */
static void begin_embedded(MsOdfStyles *s, const char *const *attributes)
{
	NumberStyle *number = s->number;
	guint before = number_of(attributes, "position", 0), places = 0;
	const char *format = number->format->str;
	for (gsize i = number->places; i < number->point; i++) {
		places += format[i] == '0' || format[i] == '#';
		i += format[i] == '\\';
	}
	gsize at = number->places;
	for (guint seen = 0; at < number->point && seen + before < places; at++) {
		seen += format[at] == '0' || format[at] == '#';
		at += format[at] == '\\';
	}
	number->at = MIN(at, number->format->len) + 1;
	s->literal = true;
}

static gint64 divided_by(const char *const *attributes)
{
	const char *factor = ms_xml_attribute(attributes, "display-factor");
	return factor != NULL ? g_ascii_strtoll(factor, NULL, 10) : 1;
}

static void put_places(MsOdfStyles *s, const char *const *attributes)
{
	const char *grouping = ms_xml_attribute(attributes, "grouping");
	guint whole = CLAMP(number_of(attributes, "min-integer-digits", 1), 1, 30);
	guint parts = MIN(number_of(attributes, "decimal-places", 0), 15);
	GString *format = s->number->format;
	s->number->places = format->len;
	g_string_append(format, grouping != NULL && strcmp(grouping, "true") == 0 ? "#,##" : "");
	for (guint i = 0; i < whole; i++)
		g_string_append_c(format, '0');
	s->number->point = format->len;
	for (guint i = 0; i < parts; i++)
		g_string_append(format, i == 0 ? ".0" : "0");
	for (gint64 factor = divided_by(attributes); factor >= 1000; factor /= 1000)
		g_string_append_c(format, ',');
}

/* A part of a date, if the element is one. */
static void put_date_part(
	MsOdfStyles *s, const char *name, const char *const *attributes)
{
	static const char *const parts[][3] = {{"year", "yy", "yyyy"}, {"month", "m", "mm"},
		{"day", "d", "dd"}, {"hours", "h", "hh"}, {"minutes", "m", "mm"},
		{"seconds", "s", "ss"}};
	const char *style = ms_xml_attribute(attributes, "style");
	bool whole = style != NULL && strcmp(style, "long") == 0;
	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
		if (strcmp(name, parts[i][0]) == 0 && s->number->format->len < MAX_FORMAT)
			g_string_append(s->number->format, parts[i][1 + whole]);
}

static void add_other(GPtrArray *others, const char *const *attributes)
{
	const char *other = ms_xml_attribute(attributes, "apply-style-name");
	if (other != NULL && others->len < MAX_PARENTS)
		g_ptr_array_add(others, g_strdup(other));
}

static void begin_in_number_style(MsOdfStyles *s, const char *name, const char *const *attributes)
{
	if (strcmp(name, "text") == 0 || strcmp(name, "currency-symbol") == 0) {
		s->literal = true;
	} else if (strcmp(name, "number") == 0 || strcmp(name, "fraction") == 0
		|| strcmp(name, "scientific-number") == 0) {
		put_places(s, attributes);
	} else if (strcmp(name, "embedded-text") == 0) {
		begin_embedded(s, attributes);
	} else if (strcmp(name, "text-content") == 0) {
		g_string_append_c(s->number->format, '@');
	} else if (strcmp(name, "map") == 0) {
		add_other(s->number->others, attributes);
	} else {
		put_date_part(s, name, attributes);
	}
}

/* ---- styles of cells and text --------------------------------------------------------- */

static bool is_none(const char *const *attributes)
{
	const char *display = ms_xml_attribute(attributes, "display");
	return display != NULL && strcmp(display, "none") == 0;
}

#define OF_ALL "" /* what cells are without a style of their own: no style has this name */

static void begin_style(MsOdfStyles *s, const char *name, const char *const *attributes)
{
	const char *family = ms_xml_attribute(attributes, "family");
	const char *id = *name == 'd' ? OF_ALL : ms_xml_attribute(attributes, "name");
	bool cell = family != NULL && strcmp(family, "table-cell") == 0;
	GHashTable *styles = cell ? s->cells : s->styles;
	s->style = NULL;
	if (id == NULL || g_hash_table_size(styles) >= MAX_STYLES)
		return;
	s->style = g_new0(Style, 1);
	s->style->data = g_strdup(ms_xml_attribute(attributes, "data-style-name"));
	s->style->parent = g_strdup(ms_xml_attribute(attributes, "parent-style-name"));
	s->style->share = g_strdup(ms_xml_attribute(attributes, "percentage-data-style-name"));
	g_hash_table_replace(styles, g_strdup(id), s->style);
}

static void begin_in_style(MsOdfStyles *s, const char *name, const char *const *attributes)
{
	if (strcmp(name, "text-properties") == 0) {
		s->style->hidden = is_none(attributes);
	} else if (strcmp(name, "map") == 0) {
		if (s->style->others == NULL)
			s->style->others = g_ptr_array_new_with_free_func(g_free);
		add_other(s->style->others, attributes);
	}
}

bool ms_odf_styles_hides(const MsOdfStyles *s, const char *const *attributes)
{
	const char *name = ms_xml_attribute(attributes, "style-name");
	bool hides = is_none(attributes);
	for (guint i = 0; name != NULL && !hides && i < MAX_PARENTS; i++) {
		const Style *style = g_hash_table_lookup(s->styles, name);
		hides = style != NULL && style->hidden;
		name = style != NULL ? style->parent : NULL;
	}
	return hides;
}

/* ---- cells ---------------------------------------------------------------------------- */

static void begin_column(MsOdfStyles *s, const char *const *attributes)
{
	const char *style = ms_xml_attribute(attributes, "default-cell-style-name");
	guint n = number_of(attributes, "number-columns-repeated", 1);
	for (guint i = 0; i < n && s->columns->len < MAX_COLUMNS; i++)
		g_ptr_array_add(s->columns, g_strdup(style));
}

/* One that does not say of what it is may be of a cell. */
static const Style *cell_style(const MsOdfStyles *s, const char *name)
{
	const Style *style = g_hash_table_lookup(s->cells, name);
	return style != NULL ? style : g_hash_table_lookup(s->styles, name);
}

static const NumberStyle *number_style(const MsOdfStyles *s, const char *name)
{
	return name != NULL && *name != '\0' ? g_hash_table_lookup(s->numbers, name) : NULL;
}

static const NumberStyle *format_of(const MsOdfStyles *s, const char *name)
{
	const Style *style = NULL;
	for (guint i = 0; name != NULL && i < MAX_PARENTS; i++) {
		style = cell_style(s, name);
		if (style == NULL)
			break;
		if (style->data != NULL && *style->data != '\0')
			return number_style(s, style->data);
		name = style->parent;
	}
	style = g_hash_table_lookup(s->cells, OF_ALL);
	return style != NULL ? number_style(s, style->data) : NULL;
}

static void show(const NumberStyle *style, double value, GString *out)
{
	if (style != NULL && ms_number_shown(out, value, style->format->str))
		g_string_append_c(out, '\n');
}

/* In each form that conditions of its own give to the number. */
static void show_all(const MsOdfStyles *s, const NumberStyle *style, double value, GString *out)
{
	show(style, value, out);
	for (guint i = 0; style != NULL && i < style->others->len; i++)
		show(number_style(s, style->others->pdata[i]), value, out);
}

/* The cell's style may become another under a condition. */
static void show_others(const MsOdfStyles *s, const char *name, double value, GString *out)
{
	for (guint i = 0; name != NULL && i < MAX_PARENTS; i++) {
		const Style *style = cell_style(s, name);
		if (style == NULL)
			return;
		for (guint j = 0; style->others != NULL && j < style->others->len; j++)
			show_all(s, format_of(s, style->others->pdata[j]), value, out);
		name = style->parent;
	}
}

/* The number of a cell, days for a date; false if it has none. */
static bool value_of(const char *const *attributes, double *value_out)
{
	const char *value = ms_xml_attribute(attributes, "value");
	const char *date = ms_xml_attribute(attributes, "date-value");
	int year, month, day;
	if (value != NULL) {
		*value_out = g_ascii_strtod(value, NULL);
		return true;
	}
	const char *time = ms_xml_attribute(attributes, "time-value");
	if (time != NULL && sscanf(time, "PT%2dH%2dM%2dS", &year, &month, &day) >= 2) {
		*value_out = year / 24.0 + month / 1440.0; /* to the minute */
		return true;
	}
	if (date == NULL || sscanf(date, "%4d-%2d-%2d", &year, &month, &day) != 3 || day < 1
		|| month < 1 || year < 1 || !g_date_valid_dmy((GDateDay)MIN(day, 31),
			(GDateMonth)MIN(month, 12), (GDateYear)year))
		return false;
	g_autoptr(GDate) when = g_date_new_dmy(
		(GDateDay)MIN(day, 31), (GDateMonth)MIN(month, 12), (GDateYear)year);
	g_autoptr(GDate) first = g_date_new_dmy(30, G_DATE_DECEMBER, 1899);
	*value_out = g_date_days_between(first, when);
	return true;
}

/* A share without a style of its own is shown in hundredths. */
static void show_share(double value, const char *const *attributes, GString *out)
{
	const char *type = ms_xml_attribute(attributes, "value-type");
	if (type != NULL && strcmp(type, "percentage") == 0 && ms_number_shown(out, value, "0%"))
		g_string_append_c(out, '\n');
}

#define CELL "Default" /* the style of cells that have none */

static const char *style_of_cell(const MsOdfStyles *s, const char *const *attributes)
{
	const char *name = ms_xml_attribute(attributes, "style-name");
	if (name == NULL)
		name = s->row;
	if (name == NULL && s->column < s->columns->len)
		name = s->columns->pdata[s->column];
	return name != NULL ? name : CELL;
}

static void keep_number(MsOdfStyles *s, double number)
{
	char text[G_ASCII_DTOSTR_BUF_SIZE];
	ms_conditions_cell(s->conditions, s->row_number, s->column,
		g_ascii_dtostr(text, sizeof text, number));
	if (s->chart != NULL)
		ms_chart_add_number(s->chart, number);
}

static void begin_cell(MsOdfStyles *s, const char *const *attributes, GString *out)
{
	const char *formula = ms_xml_attribute(attributes, "formula");
	double number;
	if (formula != NULL) /* behind its namespace, "of:=" */
		ms_formula_texts(out, formula + strcspn(formula, "="), NULL, NULL);
	s->column = s->next_column;
	const char *name = style_of_cell(s, attributes);
	s->next_column += number_of(attributes, "number-columns-repeated", 1);
	const NumberStyle *style = format_of(s, name);
	s->text_style = style;
	if (!value_of(attributes, &number))
		return;
	s->text_style = NULL;
	keep_number(s, number);
	if (style == NULL)
		show_share(number, attributes, out);
	show_all(s, style, number, out);
	show_others(s, name, number, out);
}

static void show_text(const NumberStyle *style, const char *text, GString *out)
{
	if (style != NULL && ms_number_text_shown(out, text, style->format->str))
		g_string_append_c(out, '\n');
}

void ms_odf_styles_end_cell(MsOdfStyles *s, const char *text, gsize len, GString *out)
{
	const NumberStyle *style = s->text_style;
	s->text_style = NULL;
	if (style == NULL || len == 0 || len > MAX_FORMAT)
		return;
	g_autofree char *whole = g_strndup(text, len);
	show_text(style, whole, out);
	for (guint i = 0; i < style->others->len; i++)
		show_text(number_style(s, style->others->pdata[i]), whole, out);
}

static void begin_row(MsOdfStyles *s, const char *const *attributes)
{
	s->next_column = 0;
	s->row_number = s->next_row;
	s->next_row += MAX(number_of(attributes, "number-rows-repeated", 1), 1);
	g_free(s->row);
	s->row = g_strdup(ms_xml_attribute(attributes, "default-cell-style-name"));
}

static void begin_table(MsOdfStyles *s)
{
	g_ptr_array_set_size(s->columns, 0);
	s->next_row = 0;
	ms_conditions_sheet(s->conditions);
}

/* LibreOffice's conditions stand behind the rows. */
static void begin_condition(MsOdfStyles *s, const char *name, const char *const *attributes,
	GString *out, gsize limit)
{
	const char *style = ms_xml_attribute(attributes, "apply-style-name");
	if (strcmp(name, "conditional-format") == 0) {
		g_free(s->ranges);
		s->ranges = g_strdup(ms_xml_attribute(attributes, "target-range-address"));
		return;
	}
	style = style != NULL ? style : ms_xml_attribute(attributes, "style");
	const NumberStyle *number = style != NULL ? format_of(s, style) : NULL;
	if (number != NULL && s->ranges != NULL &&
		!ms_conditions_show(s->conditions, s->ranges, number->format->str, out, limit))
		s->more = true;
}

/* ---- fields and charts ---------------------------------------------------------------- */

#define MAX_FIELDS 10000

/* A field has a value, or the one that a declaration of its name has. */
static void begin_field(MsOdfStyles *s, const char *const *attributes, GString *out)
{
	const char *name = ms_xml_attribute(attributes, "name");
	const char *style = ms_xml_attribute(attributes, "data-style-name");
	const char *value = ms_xml_attribute(attributes, "value");
	double number;
	if (value != NULL && name != NULL && g_hash_table_size(s->fields) < MAX_FIELDS)
		g_hash_table_replace(s->fields, g_strdup(name), g_strdup(value));
	if (style == NULL)
		return;
	const char *known = name != NULL ? g_hash_table_lookup(s->fields, name) : NULL;
	bool has = value_of(attributes, &number);
	if (!has && known != NULL)
		number = g_ascii_strtod(known, NULL);
	if (has || known != NULL)
		show_all(s, number_style(s, style), number, out);
}

/* An axis, a series, a point: its style says how its numbers are written. */
static void begin_in_chart(MsOdfStyles *s, const char *const *attributes)
{
	const char *name = ms_xml_attribute(attributes, "style-name");
	const Style *style = name != NULL ? g_hash_table_lookup(s->styles, name) : NULL;
	const char *const names[] = {
		style != NULL ? style->data : NULL, style != NULL ? style->share : NULL};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		const NumberStyle *number = number_style(s, names[i]);
		if (number != NULL)
			ms_chart_add_format(s->chart, number->format->str);
	}
}

/* ---- lists ---------------------------------------------------------------------------- */

#define OUTLINE "" /* what the numbers of headings are kept as: no style has this name */

/* "KD-%1%" of newer programs as "KD-%1". */
static char *template_of(const char *format)
{
	GString *text = g_string_new(NULL);
	for (const char *p = format; *p != '\0'; p++) {
		g_string_append_c(text, *p);
		if (*p == '%' && g_ascii_isdigit(p[1]) && p[2] == '%') {
			g_string_append_c(text, p[1]);
			p += 2;
		}
	}
	return g_string_free(text, FALSE);
}

static void begin_level(MsOdfStyles *s, const char *const *attributes)
{
	const char *prefix = ms_xml_attribute(attributes, "num-prefix");
	const char *suffix = ms_xml_attribute(attributes, "num-suffix");
	const char *start = ms_xml_attribute(attributes, "start-value");
	const char *format = ms_xml_attribute(attributes, "num-list-format");
	guint level = MAX(number_of(attributes, "level", 1), 1);
	if (s->list == NULL)
		return;
	g_autofree char *text = format != NULL
		? template_of(format)
		: g_strdup_printf("%.200s%%%u%.190s", prefix != NULL ? prefix : "", level,
			  suffix != NULL ? suffix : "");
	ms_numbering_define(s->numbering, s->list, level - 1, text,
		start != NULL ? g_ascii_strtoll(start, NULL, 10) : 1);
}

static void begin_list(MsOdfStyles *s, const char *const *attributes)
{
	const char *style = ms_xml_attribute(attributes, "style-name");
	guint n = s->lists->len;
	if (n < MAX_LISTS)
		g_ptr_array_add(s->lists,
			g_strdup(style != NULL ? style : n > 0 ? s->lists->pdata[n - 1] : OUTLINE));
}

static void count(MsOdfStyles *s, const char *list, guint level, const char *const *attributes)
{
	const char *start = ms_xml_attribute(attributes, "start-value");
	if (start != NULL)
		ms_numbering_restart(
			s->numbering, list, level, g_ascii_strtoll(start, NULL, 10));
	g_free(s->label);
	s->label = ms_numbering_count(s->numbering, list, level);
}

char *ms_odf_styles_label(MsOdfStyles *s)
{
	return g_steal_pointer(&s->label);
}

/* True if the element is of a list. */
static bool start_of_list(MsOdfStyles *s, const char *name, const char *const *attributes)
{
	const char *style = ms_xml_attribute(attributes, "style-name");
	guint depth = s->lists->len;
	if (strcmp(name, "list-style") == 0 || strcmp(name, "outline-style") == 0) {
		const char *id = ms_xml_attribute(attributes, "name");
		g_free(s->list);
		s->list = g_strdup(*name == 'o' || id == NULL ? OUTLINE : id);
	} else if (strcmp(name, "list-level-style-number") == 0
		|| strcmp(name, "outline-level-style") == 0) {
		begin_level(s, attributes);
	} else if (strcmp(name, "list") == 0) {
		begin_list(s, attributes);
	} else if (strcmp(name, "list-item") == 0 && depth > 0) {
		count(s, s->lists->pdata[depth - 1], depth - 1, attributes);
	} else if (strcmp(name, "numbered-paragraph") == 0 && style != NULL) {
		count(s, style, number_of(attributes, "level", 1) - 1, attributes);
	} else if (strcmp(name, "h") == 0) {
		count(s, OUTLINE, number_of(attributes, "outline-level", 1) - 1, attributes);
	} else {
		return false;
	}
	return true;
}

/* ---- elements ------------------------------------------------------------------------- */

/* False if the element is of no table. */
static bool start_of_table(
	MsOdfStyles *s, const char *name, const char *const *attributes, GString *out)
{
	if (strcmp(name, "table") == 0)
		begin_table(s);
	else if (strcmp(name, "table-column") == 0)
		begin_column(s, attributes);
	else if (strcmp(name, "table-row") == 0)
		begin_row(s, attributes);
	else if (strcmp(name, "table-cell") == 0 || strcmp(name, "covered-table-cell") == 0)
		begin_cell(s, attributes, out);
	else
		return false;
	return true;
}

static bool is_condition(const char *name)
{
	static const char *const names[] = {
		"conditional-format", "condition", "date-is", NULL};
	return g_strv_contains(names, name);
}

void ms_odf_styles_start(MsOdfStyles *s, const char *name, const char *const *attributes,
	GString *out, gsize limit)
{
	if (s->chart == NULL && strcmp(name, "chart") == 0)
		s->chart = ms_chart_new();
	if (s->number != NULL) {
		begin_in_number_style(s, name, attributes);
	} else if (start_of_list(s, name, attributes)
		|| start_of_table(s, name, attributes, out)) {
		return;
	} else if (is_number_style(name)) {
		begin_number_style(s, name, attributes);
	} else if (strcmp(name, "style") == 0 || strcmp(name, "default-style") == 0) {
		begin_style(s, name, attributes);
	} else if (s->style != NULL) {
		begin_in_style(s, name, attributes);
	} else if (is_condition(name)) {
		begin_condition(s, name, attributes, out, limit);
	} else if (s->chart != NULL) {
		begin_in_chart(s, attributes);
	} else {
		begin_field(s, attributes, out);
	}
}

void ms_odf_styles_text(MsOdfStyles *s, const char *text, gsize len)
{
	if (s->literal && s->number != NULL)
		put_literal(s, text, len);
}

bool ms_odf_styles_end(MsOdfStyles *s, const char *name, GString *out, gsize limit)
{
	s->literal = false;
	if (s->number != NULL && s->number->at > 0)
		s->number->at = 0;
	if (is_number_style(name)) {
		s->number = NULL;
	} else if (strcmp(name, "style") == 0 || strcmp(name, "default-style") == 0) {
		s->style = NULL;
	} else if (strcmp(name, "list") == 0 && s->lists->len > 0) {
		g_ptr_array_set_size(s->lists, (gint)s->lists->len - 1);
	} else if (strcmp(name, "chart") == 0 && s->chart != NULL) {
		s->more = !ms_chart_show(s->chart, out, limit) || s->more;
		g_clear_pointer(&s->chart, ms_chart_free);
	}
	return !s->more;
}
