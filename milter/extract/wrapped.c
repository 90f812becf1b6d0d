/*
 * A text comes in; out go once more the cells of its tables that go on in the lines below: "DE89
 * 3704 0044" and, in the same column, "0532 0130 00", between which the other columns stand.  What
 * goes on has nothing in the first column, or it is another row.  A worker's one thread.
 *
 * Figures alone are never joined: they are two numbers more often than one.  What was meant is a
 * guess; it counts only where the directory knows it.
 */
#include "config.h"

#include <string.h>

#include "missent/scan.h"
#include "missent/text.h"

#include "readers.h"

#define MAX_LINE 400
#define MAX_CELLS 24
#define MAX_LINES 6 /* of one row */
#define LEAST_DIGITS 4
#define MAX_ALONE 200 /* of one text */

typedef struct {
	gsize from, len;
	guint column; /* characters before it */
} Cell;

typedef struct {
	const char *text;
	bool marked; /* cells are set apart by marks: by their number they belong together */
	guint n;
	Cell cells[MAX_CELLS];
} Row;

/* A tab, a bar or what draws one; how many bytes, or 0. */
static gsize mark_at(const char *p, const char *end)
{
	if (p < end && (*p == '\t' || *p == '|'))
		return 1;
	bool drawn = end - p >= 3 && (guchar)p[0] == 0xe2 && (guchar)p[1] == 0x94;
	return drawn && ((guchar)p[2] == 0x82 || (guchar)p[2] == 0x83) ? 3 : 0;
}

static void add_cell(Row *row, const char *from, const char *end, guint column)
{
	while (end > from && (end[-1] == ' ' || end[-1] == '\r'))
		end--;
	if (row->n < MAX_CELLS)
		row->cells[row->n++] = (Cell){
			(gsize)(from - row->text), (gsize)(end - from), column};
}

/* The cells of a line; those of blanks only are kept where marks set them apart. */
static void cut(const char *p, const char *end, Row *row)
{
	const char *line = p;
	*row = (Row){.text = p};
	while (p < end && mark_at(p, end) == 0)
		p++;
	row->marked = p < end;
	guint column = 0;
	for (p = line; p < end;) {
		for (; p < end && *p == ' '; p++)
			column++;
		const char *from = p;
		guint at = column;
		gsize mark = 0;
		for (; p < end && (mark = mark_at(p, end)) == 0; p++) {
			if (!row->marked && *p == ' ' && p + 1 < end && p[1] == ' ')
				break;
			column += (*p & 0xc0) != 0x80;
		}
		if (row->marked ? from > line || p > from || mark == 1 : p > from)
			add_cell(row, from, p, at);
		p += mark;
		column += mark > 0;
	}
}

/* Does it go on with the row above?  Its first column is empty. */
static bool goes_on(const Row *above, const Row *row)
{
	guint first = 0;
	while (first < row->n && row->cells[first].len == 0)
		first++;
	guint filled = 0;
	while (filled < above->n && above->cells[filled].len == 0)
		filled++;
	return above->marked == row->marked && first < row->n && filled < above->n &&
		(row->marked ? first > filled
			     : row->cells[0].column > above->cells[0].column);
}

static bool is_worth(const char *text)
{
	gsize digits = 0;
	bool letters = false, at = false;
	for (; *text != '\0'; text++) {
		digits += g_ascii_isdigit(*text) != 0;
		letters = letters || g_ascii_isalpha(*text);
		at = at || *text == '@';
	}
	return letters && (digits >= LEAST_DIGITS || at);
}

typedef struct {
	const MsExtraction *to;
	char *where;
	GString *text;
	guint alone;
} Out;

static void hand_over(const Out *out, const GString *text)
{
	MsSpan columns = {
		.type = MS_SPAN_ASIDE, .where = out->where, .text = text->str, .len = text->len};
	ms_extract_hand_over_alone(out->to, &columns);
}

/* What stands in the column of each cell, in all lines of the row.  The first of them may be the
 * column's name, which is not that of the next column: it is handed over by itself. */
static void put_row(const Row *rows, guint n, Out *out)
{
	g_autoptr(GString) text = g_string_new(NULL);
	for (guint i = 0; i < rows[0].n; i++) {
		const Cell *cell = &rows[0].cells[i];
		guint lines = 1;
		g_string_truncate(text, 0);
		g_string_append_len(text, rows[0].text + cell->from, (gssize)cell->len);
		for (guint k = 1; k < n; k++)
			for (guint j = 0; j < rows[k].n; j++) {
				const Cell *below = &rows[k].cells[j];
				if (below->len == 0 ||
					(rows[0].marked ? i != j : cell->column != below->column))
					continue;
				lines++;
				g_string_append_c(text, '\n');
				g_string_append_len(
					text, rows[k].text + below->from, (gssize)below->len);
			}
		if (lines == 1 || cell->len == 0 || !is_worth(text->str))
			continue;
		if (ms_has_digit(text->str, cell->len) || ++out->alone > MAX_ALONE)
			g_string_append_printf(out->text, "%s\n\n", text->str);
		else
			hand_over(out, text);
	}
}

static gsize blanks(const char *p, const char *end)
{
	const char *from = p;
	while (p < end && *p == ' ')
		p++;
	return (gsize)(p - from);
}

/* Without cutting it: most lines do not. */
static bool may_go_on(const char *first, const char *p, const char *end)
{
	if (first == NULL || end - p < 3 || end - p > MAX_LINE)
		return false;
	return *p == ' ' ? p[1] == ' ' && blanks(p, end) > blanks(first, p) : mark_at(p, end) > 0;
}

void ms_wrapped_read(const MsExtraction *to, const MsSpan *span)
{
	Out out = {to, g_strconcat(span->where, " (columns)", NULL), g_string_new(NULL), 0};
	Row rows[MAX_LINES];
	guint n = 0;
	const char *before = NULL, *end = span->text + span->len;
	for (const char *p = span->text; p < end;) {
		const char *nl = memchr(p, '\n', (gsize)(end - p)), *stop = nl != NULL ? nl : end;
		if (*p == '>') /* quoted */
			p += p + 1 < stop && p[1] == ' ' ? 2 : 1;
		bool on = n < MAX_LINES && may_go_on(before, p, stop);
		if (on && n == 0)
			cut(before, memchr(before, '\n', (gsize)(end - before)), &rows[n++]);
		if (on)
			cut(p, stop, &rows[n]);
		if (on && goes_on(&rows[0], &rows[n])) {
			n++;
		} else {
			if (n > 1)
				put_row(rows, n, &out);
			n = 0;
			before = stop - p <= MAX_LINE && stop > p && nl != NULL ? p : NULL;
		}
		p = stop + (nl != NULL);
	}
	if (n > 1)
		put_row(rows, n, &out);
	hand_over(&out, out.text);
	g_string_free(out.text, TRUE);
	g_free(out.where);
}
