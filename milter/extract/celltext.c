/*
 * Sheets that are text: SYLK, a cell a line with its place, and DIF, two lines a cell.  In come
 * bytes, out goes their text, and once more the table that they make.  In the worker's only thread.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "missent/scan.h"

#include "readers.h"
#include "sheet.h"

#define FAR 65536 /* rows and columns: no sheet has more of these formats */

static bool is_sylk(const char *p, gsize len)
{
	return len > 4 && memcmp(p, "ID;P", 4) == 0;
}

static bool is_dif(const char *p, gsize len)
{
	gsize line = len > 9 && memcmp(p, "TABLE", 5) == 0 ? 5 + (p[5] == '\r') : 0;
	return line > 0 && memcmp(p + line, "\n0,", 3) == 0;
}

bool ms_is_cell_text(const guint8 *data, gsize len)
{
	return is_sylk((const char *)data, len) || is_dif((const char *)data, len);
}

/* Where a line ends, without its ends. */
static const char *line_stop(const char *p, const char *next)
{
	while (next > p && (next[-1] == '\n' || next[-1] == '\r'))
		next--;
	return next;
}

static void put_value(GString *out, const char *p, const char *stop)
{
	if (stop - p > 1 && *p == '"' && stop[-1] == '"') {
		p++;
		stop--;
	}
	g_string_append_len(out, p, stop - p);
}

/* "C;Y2;X1;K417": a semicolon within is doubled; what is not said is as in the line before. */
static void sylk_line(GString *out, MsSheetPlace *last, MsSheetPlace *at, const char *p,
	const char *stop)
{
	bool cell = *p == 'C';
	if (stop - p < 3 || (!cell && *p != 'F') || p[1] != ';')
		return;
	for (const char *field = p + 2, *end; field < stop; field = end + 1) {
		for (end = field; end < stop && (*end != ';' || (end + 1 < stop && end[1] == ';'));)
			end += *end == ';' ? 2 : 1;
		end = MIN(end, stop);
		guint number = end > field ? (guint)strtoul(field + 1, NULL, 10) : 0;
		if (*field == 'X')
			at->column = CLAMP(number, 1, FAR) - 1;
		else if (*field == 'Y')
			at->row = CLAMP(number, 1, FAR) - 1;
		else if (*field == 'K' && cell) {
			ms_sheet_begin_cell(out, last, at->row, at->column);
			put_value(out, field + 1, end);
		}
	}
}

static void read_sylk(GString *out, const char *p, const char *end)
{
	MsSheetPlace last = {MS_NO_ROW, 0}, at = {0, 0};
	for (const char *next; p < end; p = next) {
		next = ms_line_after(p, end);
		sylk_line(out, &last, &at, p, line_stop(p, next));
	}
	ms_sheet_end_row(out, &last);
}

/* The line behind a text that may have several. */
static const char *text_end(const char *p, const char *end)
{
	const char *next = ms_line_after(p, end), *stop = line_stop(p, next);
	bool quoted = stop > p && *p == '"';
	while (quoted && next < end && (stop < p + 2 || stop[-1] != '"')) {
		const char *line = next;
		next = ms_line_after(line, end);
		stop = line_stop(line, next);
	}
	return next;
}

/* "-1,0" and BOT begin a row; "0,417" and V are a number, "1,0" and what is quoted a text. */
static void read_dif(GString *out, const char *p, const char *end)
{
	MsSheetPlace last = {MS_NO_ROW, 0};
	guint row = 0, column = 0;
	for (const char *second, *next; p < end; p = next) {
		second = ms_line_after(p, end);
		next = second < end ? text_end(second, end) : end;
		if (end - p > 2 && memcmp(p, "-1,", 3) == 0) {
			row++;
			column = 0;
		} else if (row > 0 && end - p > 1 && p[1] == ',' && (*p == '0' || *p == '1')) {
			ms_sheet_begin_cell(out, &last, row, column++);
			put_value(out, *p == '0' ? p + 2 : second,
				*p == '0' ? line_stop(p, second) : line_stop(second, next));
		} else if (row == 0) {
			next = second; /* its head has three lines a word */
		}
	}
	ms_sheet_end_row(out, &last);
}

static void read_cells(const MsExtraction *to, const MsDocument *document, const char *where,
	const GString *text)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *place = g_strconcat(where, " (cells)", NULL);
	(void)document;
	if (is_sylk(text->str, text->len))
		read_sylk(out, text->str, text->str + text->len);
	else
		read_dif(out, text->str, text->str + text->len);
	ms_extract_span(to, place, out->str, out->len);
}

void ms_cell_text_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory)
{
	ms_plain_read(to, document, inventory);
	ms_decode_each(to, document, NULL, read_cells);
}
