/*
 * Conditional formatting: where its condition is met, a cell has another format, which may write
 * "KD-" before the number.  Whether it is met is not worked out.  In come the cells of a sheet,
 * then ranges with a format, out go the numbers as they may be shown.  The worker's one thread.
 */
#include "config.h"

#include <string.h>

#include "conditions.h"
#include "numfmt.h"

#define MAX_CELLS 100000
#define MAX_RANGES 256   /* of one format */
#define MOST_ASKED 20000000 /* cells, over all ranges of a document */
#define LETTERS 26

typedef struct {
	guint row, column;
	double value;
} Cell;

typedef struct {
	guint row, column, last_row, last_column;
} Range;

struct MsConditions {
	GArray *cells; /* of Cell */
	bool more;     /* than are kept */
	gsize asked;
};

MsConditions *ms_conditions_new(void)
{
	MsConditions *c = g_new0(MsConditions, 1);
	c->cells = g_array_new(FALSE, FALSE, sizeof(Cell));
	return c;
}

void ms_conditions_free(MsConditions *c)
{
	if (c == NULL)
		return;
	g_array_unref(c->cells);
	g_free(c);
}

void ms_conditions_sheet(MsConditions *c)
{
	g_array_set_size(c->cells, 0);
	c->more = false;
}

void ms_conditions_cell(MsConditions *c, guint row, guint column, const char *value)
{
	char *end;
	Cell cell = {row, column, g_ascii_strtod(value, &end)};
	if (end == value || *end != '\0')
		return;
	c->more = c->more || c->cells->len >= MAX_CELLS;
	if (c->cells->len < MAX_CELLS)
		g_array_append_val(c->cells, cell);
}

/* "$B$7", "B" or "7" from 1 on, of which what is not said stays; returns behind it. */
static const char *take_place(const char *p, guint *row, guint *column)
{
	guint letters = 0, digits = 0;
	for (p += *p == '$'; g_ascii_isalpha(*p); p++)
		letters = MIN(letters, G_MAXUINT16) * LETTERS +
			(guint)(g_ascii_toupper(*p) - 'A') + 1;
	for (p += *p == '$'; g_ascii_isdigit(*p); p++)
		digits = MIN(digits, G_MAXINT32 / 10) * 10 + (guint)(*p - '0');
	*column = letters > 0 ? letters - 1 : *column;
	*row = digits > 0 ? digits - 1 : *row;
	return p;
}

/* Behind the name of a sheet, which may be in quotes, and its point, if one stands at `p`. */
static const char *skip_sheet(const char *p)
{
	const char *at = p + (*p == '$');
	if (*at == '\'') {
		const char *close = strchr(at + 1, '\'');
		return close != NULL && strchr(".!", close[1]) != NULL && close[1] != '\0'
			? close + 2 : p;
	}
	gsize n = strcspn(p, ".!: ");
	return p[n] == '.' || p[n] == '!' ? p + n + 1 : p;
}

/* One range, at `p`; returns behind it. */
static const char *take_range(const char *p, Range *range)
{
	*range = (Range){0, 0, G_MAXUINT, G_MAXUINT};
	p = take_place(skip_sheet(p), &range->row, &range->column);
	if (*p == ':') {
		p = take_place(skip_sheet(p + 1), &range->last_row, &range->last_column);
	} else {
		range->last_row = range->row;
		range->last_column = range->column;
	}
	return p + strcspn(p, " ");
}

static guint take_ranges(const char *text, Range ranges[MAX_RANGES])
{
	guint n = 0;
	for (const char *p = text + strspn(text, " "); *p != '\0' && n < MAX_RANGES;
		p += strspn(p, " "))
		p = take_range(p, &ranges[n++]);
	return n;
}

static bool is_in(const Cell *cell, const Range *range)
{
	return cell->row >= range->row && cell->row <= range->last_row &&
		cell->column >= range->column && cell->column <= range->last_column;
}

bool ms_conditions_show(MsConditions *c, const char *ranges_text, const char *format, GString *out,
	gsize limit)
{
	Range ranges[MAX_RANGES];
	if (format == NULL || !ms_number_format_tells(format))
		return true;
	guint n = take_ranges(ranges_text, ranges);
	for (guint i = 0; i < c->cells->len; i++) {
		const Cell *cell = &g_array_index(c->cells, Cell, i);
		bool in = false;
		for (guint j = 0; j < n && !in; j++)
			in = is_in(cell, &ranges[j]);
		c->asked += n;
		if (c->asked > MOST_ASKED || out->len >= limit)
			return false;
		if (in && ms_number_shown(out, cell->value, format))
			g_string_append_c(out, '\n');
	}
	return n < MAX_RANGES && !c->more;
}
