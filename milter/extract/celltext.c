/*
 * Sheets that are text: SYLK, a cell a line with its place, and DIF, two lines a cell.  In come
 * bytes, out goes their text, and once more the table that they make, with numbers both as they
 * are stored and as their formats show them.  And what formulas make in a list of values (CSV).
 * In the worker's only thread.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "missent/scan.h"

#include "formula.h"
#include "numfmt.h"
#include "plain.h"
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

static void put_value(GString *out, const char *p, const char *stop, const char *format)
{
	if (stop - p > 1 && *p == '"' && stop[-1] == '"') {
		p++;
		stop--;
	}
	g_string_append_len(out, p, stop - p);
	if (format == NULL)
		return;
	g_autofree char *value = g_strndup(p, (gsize)(stop - p));
	gsize stored = out->len;
	g_string_append_c(out, ' ');
	if (!ms_number_value_shown(out, value, format))
		g_string_truncate(out, stored);
}

/* ---- SYLK ------------------------------------------------------------------------------ */

#define ANY FAR          /* row or column */
#define MAX_FORMATS 4096
#define MAX_PLACES 100000 /* that have one */

/* "P;P0000" is a format, "F;P3;X1;Y2" says where the fourth of them is. */
typedef struct {
	GPtrArray *list; /* of char * */
	GHashTable *of;  /* place_key() to the format, borrowed */
} Formats;

typedef struct {
	MsSheetPlace at;       /* the cell that it is about */
	guint column, row;     /* whose format it says, or ANY */
	bool all, cell;        /* ... of all cells; of that cell */
	gint64 format;         /* or -1 */
	const char *value, *stop; /* or NULL */
} Sylk;

static gpointer place_key(guint row, guint column)
{
	return GSIZE_TO_POINTER((gsize)row * (FAR + 1) + column + 1);
}

static guint place_in(const char *digits)
{
	return (guint)CLAMP(strtoul(digits, NULL, 10), 1, FAR) - 1;
}

static void sylk_field(Sylk *line, char type, const char *field, const char *end)
{
	bool format = type == 'F';
	if (end == field)
		return;
	switch (*field) {
	case 'X': line->at.column = place_in(field + 1); break;
	case 'Y': line->at.row = place_in(field + 1); break;
	case 'C': line->column = format ? place_in(field + 1) : ANY; break;
	case 'R': line->row = format ? place_in(field + 1) : ANY; break;
	case 'D': line->all = format; break;
	case 'P': line->format = format ? g_ascii_strtoll(field + 1, NULL, 10) : -1; break;
	case 'K':
		line->value = format ? NULL : field + 1;
		line->stop = end;
		break;
	default: break;
	}
}

/* "C;Y2;X1;K417": a semicolon within is doubled; what is not said is as in the line before.
 * False if it is of another kind. */
static bool sylk_line(Sylk *line, const char *p, const char *stop)
{
	*line = (Sylk){.at = line->at, .column = ANY, .row = ANY, .format = -1};
	if (stop - p < 3 || (*p != 'C' && *p != 'F') || p[1] != ';')
		return false;
	for (const char *field = p + 2, *end; field < stop; field = end + 1) {
		for (end = field; end < stop && (*end != ';' || (end + 1 < stop && end[1] == ';'));)
			end += *end == ';' ? 2 : 1;
		end = MIN(end, stop);
		sylk_field(line, *p, field, end);
	}
	line->cell = !line->all && line->column == ANY && line->row == ANY;
	return true;
}

/* A semicolon of a format is doubled. */
static void add_format(Formats *formats, const char *p, const char *stop)
{
	g_autofree char *code = g_strndup(p, (gsize)(stop - p));
	g_auto(GStrv) parts = g_strsplit(code, ";;", -1);
	if (formats->list->len < MAX_FORMATS)
		g_ptr_array_add(formats->list, g_strjoinv(";", parts));
}

static void find_formats(Formats *formats, const char *p, const char *end)
{
	Sylk line = {0};
	for (const char *next; p < end; p = next) {
		next = ms_line_after(p, end);
		const char *stop = line_stop(p, next);
		if (stop - p > 3 && memcmp(p, "P;P", 3) == 0)
			add_format(formats, p + 3, stop);
		if (!sylk_line(&line, p, stop) || line.format < 0 ||
			line.format >= formats->list->len ||
			g_hash_table_size(formats->of) >= MAX_PLACES)
			continue;
		g_hash_table_replace(formats->of,
			line.cell ? place_key(line.at.row, line.at.column)
				  : place_key(line.row, line.column),
			formats->list->pdata[line.format]);
	}
}

static const char *format_at(const Formats *formats, guint row, guint column)
{
	const gpointer keys[] = {place_key(row, column), place_key(row, ANY),
		place_key(ANY, column), place_key(ANY, ANY)};
	const char *format = NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(keys) && format == NULL; i++)
		format = g_hash_table_lookup(formats->of, keys[i]);
	return format;
}

static void read_sylk(GString *out, const char *p, const char *end)
{
	Formats formats = {g_ptr_array_new_with_free_func(g_free), g_hash_table_new(NULL, NULL)};
	MsSheetPlace last = {MS_NO_ROW, 0};
	Sylk line = {0};
	find_formats(&formats, p, end);
	for (const char *next; p < end; p = next) {
		next = ms_line_after(p, end);
		if (!sylk_line(&line, p, line_stop(p, next)) || line.value == NULL)
			continue;
		ms_sheet_begin_cell(out, &last, line.at.row, line.at.column);
		put_value(out, line.value, line.stop,
			format_at(&formats, line.at.row, line.at.column));
	}
	ms_sheet_end_row(out, &last);
	g_hash_table_unref(formats.of);
	g_ptr_array_unref(formats.list);
}

/* ---- DIF ------------------------------------------------------------------------------- */

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
				*p == '0' ? line_stop(p, second) : line_stop(second, next), NULL);
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

/* ---- formulas in a list of values ------------------------------------------------------ */

/* Where the field ends that begins at `p` in quotes, which are doubled within. */
static const char *take_quoted(GString *out, const char *p, const char *stop)
{
	for (; p < stop; p++) {
		if (*p == '"' && (++p == stop || *p != '"'))
			return p;
		g_string_append_c(out, *p);
	}
	return p;
}

/* The formula that the "=" at `p` begins, if it begins a field; returns behind it. */
static const char *take_formula(GString *out, const char *line, const char *p, const char *stop)
{
	const char *before = p;
	bool quoted = before > line && before[-1] == '"';
	before -= quoted;
	bool first = before == line || strchr(",;\t|", before[-1]) != NULL;
	if (!first || stop - p < 2 || !(g_ascii_isalpha(p[1]) || p[1] == '"'))
		return p + 1;
	g_autoptr(GString) formula = g_string_new(NULL);
	const char *end = stop;
	if (quoted)
		end = take_quoted(formula, p + 1, stop);
	else
		g_string_append_len(formula, p + 1, stop - p - 1);
	if (strpbrk(formula->str, "&(") != NULL)
		ms_formula_texts(out, formula->str, NULL, NULL);
	return end;
}

/* Excel works out ="KD"&"-"&7740912 in a list of values, too. */
void ms_cell_formulas_read(const MsExtraction *to, const char *where, const GString *text)
{
	g_autoptr(GString) out = g_string_new(NULL);
	const char *end = text->str + text->len, *next;
	for (const char *line = text->str; line < end; line = next) {
		next = ms_line_after(line, end);
		const char *stop = line_stop(line, next), *p = line;
		while (p < stop && (p = memchr(p, '=', (gsize)(stop - p))) != NULL)
			p = take_formula(out, line, p, stop);
	}
	g_autofree char *place = g_strconcat(where, " (formulas)", NULL);
	ms_extract_span(to, place, out->str, out->len);
}
