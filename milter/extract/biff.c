/*
 * Excel's binary format: records of a type, a length and bytes (MS-XLS 2.1.4).  A table of
 * strings that is longer than one record goes on in the next, and a string that is cut there
 * begins again with a byte that says how wide its characters are now.  What is no cell but has
 * numbers, such as a formula, a filter, a cell of another workbook, has a text of its own.  The
 * worker's one thread.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "missent/text.h"

#include "blip.h"
#include "bytes.h"
#include "chart.h"
#include "numfmt.h"
#include "ole.h"
#include "readers.h"
#include "sheet.h"

enum {
	BOF = 0x809, CONTINUE = 0x3c, SST = 0xfc, LABELSST = 0xfd, LABEL = 0x204, RSTRING = 0xd6,
	NUMBER = 0x203, RK = 0x27e, MULRK = 0xbd, FORMULA = 0x06, STRING = 0x207, FILEPASS = 0x2f,
	FORMAT = 0x41e, XF = 0xe0, HEADER = 0x14, FOOTER = 0x15, DRAWINGS = 0xeb,
	PIVOT_NUMBER = 0xc9, PIVOT_WHOLE = 0xcc, END_OF = 0x0a, CHART_FORMAT = 0x104e, NAME = 0x18,
	EXTERNAL_NAME = 0x23, SHARED = 0x4bc, ARRAY = 0x221, VALIDATION = 0x1be, CONDITION = 0x1b1,
	EXTERNAL_CELLS = 0x5a, FILTER = 0x9e,
};

#define CHART 0x20 /* the type of such a part */

typedef struct {
	const guint8 *data;
	gsize len, at;   /* of the record that comes next */
	guint type;
	const guint8 *body;
	gsize size;
} Records;

typedef struct {
	const MsExtraction *to;
	const char *where;
	Records records;
	bool wide;        /* BIFF8: strings may be UTF-16 */
	GPtrArray *strings;
	GHashTable *formats;
	GArray *cells;
	GString *out;
	GString *constants; /* of formulas and the like, one a line */
	MsSheetPlace last;
	guint style;        /* of the cell whose text comes behind */
	MsChart *chart;     /* that is open, or NULL */
	bool locked;
} Book;

static bool next_record(Records *r)
{
	if (r->len - r->at < 4)
		return false;
	r->type = ms_le16(r->data + r->at);
	gsize size = ms_le16(r->data + r->at + 2);
	r->body = r->data + r->at + 4;
	r->size = MIN(size, r->len - r->at - 4);
	r->at += 4 + r->size;
	return true;
}

/* ---- strings -------------------------------------------------------------------------- */

/* `n` characters of 1 or 2 bytes. */
static void append_text(GString *out, const guint8 *p, gsize n, bool wide)
{
	GString *text;
	ms_charset_decode(wide ? "UTF-16LE" : "WINDOWS-1252", p, wide ? n * 2 : n, &text);
	ms_text_blank_nuls(text);
	g_string_append_len(out, text->str, (gssize)text->len);
	g_string_free(text, TRUE);
}

/* One string of the table, over as many records as it takes.  False at the end of all. */
static bool shared_string(Book *book, gsize *at)
{
	Records *r = &book->records;
	g_autoptr(GString) text = g_string_new(NULL);
	if (*at + 3 > r->size) {
		if (!next_record(r) || r->type != CONTINUE || r->size < 3)
			return false;
		*at = 0;
	}
	gsize left = ms_le16(r->body + *at);
	guint flags = r->body[*at + 2];
	*at += 3;
	gsize runs = 0, extra = 0;
	if ((flags & 8) != 0 && *at + 2 <= r->size) {
		runs = ms_le16(r->body + *at) * (gsize)4;
		*at += 2;
	}
	if ((flags & 4) != 0 && *at + 4 <= r->size) {
		extra = ms_le32(r->body + *at);
		*at += 4;
	}
	bool wide = (flags & 1) != 0;
	while (left > 0) {
		gsize n = MIN(left, (r->size - MIN(*at, r->size)) / (wide ? 2 : 1));
		append_text(text, r->body + *at, n, wide);
		*at += wide ? n * 2 : n;
		left -= n;
		if (left == 0)
			break;
		if (!next_record(r) || r->type != CONTINUE || r->size < 1)
			break;
		wide = (r->body[0] & 1) != 0;
		*at = 1;
	}
	/* Formatting and phonetics follow, and may go on in the next record too. */
	g_ptr_array_add(book->strings, g_strndup(text->str, text->len));
	gsize skip = runs + extra;
	while (skip > r->size - MIN(*at, r->size)) {
		skip -= r->size - MIN(*at, r->size);
		*at = 0;
		if (!next_record(r) || r->type != CONTINUE)
			return false;
	}
	*at += skip;
	return left == 0;
}

static void read_strings(Book *book)
{
	if (book->records.size < 8)
		return;
	guint32 n = ms_le32(book->records.body + 4);
	gsize at = 8;
	for (guint32 i = 0; i < n && shared_string(book, &at); i++)
		if (!ms_budget_time(book->to->budget))
			return;
}

/* A string with its length before it, as cells and formats have them. */
static void append_string(const Book *book, GString *out, const guint8 *p, gsize size)
{
	if (size < 3)
		return;
	gsize n = ms_le16(p);
	if (!book->wide) {
		append_text(out, p + 2, MIN(n, size - 2), false);
		return;
	}
	bool wide = (p[2] & 1) != 0;
	append_text(out, p + 3, MIN(n, (size - 3) / (wide ? 2 : 1)), wide);
}

/* One whose length has one byte in the older versions. */
static void append_short_string(const Book *book, GString *out, const guint8 *p, gsize size)
{
	if (book->wide)
		append_string(book, out, p, size);
	else if (size > 1)
		append_text(out, p + 1, MIN(p[0], size - 1), false);
}

/* ---- cells ---------------------------------------------------------------------------- */

static double get_double(const guint8 *p)
{
	guint64 bits = ms_le32(p) | (guint64)ms_le32(p + 4) << 32;
	double value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

/* 30 bits of a whole number or of a double, and whether it counts hundredths. */
static double get_rk(guint32 rk)
{
	double value;
	if ((rk & 2) != 0) {
		value = (double)((gint32)rk >> 2);
	} else {
		guint64 bits = (guint64)(rk & ~3u) << 32;
		memcpy(&value, &bits, sizeof value);
	}
	return (rk & 1) != 0 ? value / 100 : value;
}

static const char *format_numbered(const Book *book, guint number)
{
	const char *format = g_hash_table_lookup(book->formats, GUINT_TO_POINTER(number));
	return format != NULL ? format : ms_number_builtin(number);
}

static const char *format_of(const Book *book, guint style)
{
	return format_numbered(book,
		style < book->cells->len ? g_array_index(book->cells, guint, style) : 0);
}

static void put_number(Book *book, guint row, guint column, guint style, double value)
{
	ms_sheet_begin_cell(book->out, &book->last, row, column);
	if (book->chart != NULL)
		ms_chart_add_number(book->chart, value);
	ms_number_stored(book->out, value);
	gsize stored = book->out->len;
	g_string_append_c(book->out, ' ');
	if (!ms_number_shown(book->out, value, format_of(book, style)))
		g_string_truncate(book->out, stored);
}

/* The text from `from` on is of a cell, whose format may write more. */
static void show_text(Book *book, gsize from, guint style)
{
	g_autofree char *text = g_strdup(book->out->str + MIN(from, book->out->len));
	gsize stored = book->out->len;
	g_string_append_c(book->out, ' ');
	if (!ms_number_text_shown(book->out, text, format_of(book, style)))
		g_string_truncate(book->out, stored);
}

static void read_cell(Book *book)
{
	const guint8 *p = book->records.body;
	gsize size = book->records.size;
	if (size < 6)
		return;
	gsize from;
	guint row = ms_le16(p), column = ms_le16(p + 2), style = ms_le16(p + 4);
	switch (book->records.type) {
	case NUMBER:
		if (size >= 14)
			put_number(book, row, column, style, get_double(p + 6));
		break;
	case FORMULA: /* its last result; if that is text, it follows */
		book->style = style;
		if (size >= 14 && ms_le16(p + 12) == 0xffff)
			ms_sheet_begin_cell(book->out, &book->last, row, column);
		else if (size >= 14)
			put_number(book, row, column, style, get_double(p + 6));
		break;
	case RK:
		if (size >= 10)
			put_number(book, row, column, style, get_rk(ms_le32(p + 6)));
		break;
	case MULRK:
		for (gsize at = 4; at + 6 <= size - 2; at += 6)
			put_number(book, row, column++, ms_le16(p + at),
				get_rk(ms_le32(p + at + 2)));
		break;
	case LABELSST:
		ms_sheet_begin_cell(book->out, &book->last, row, column);
		from = book->out->len;
		if (size >= 10 && ms_le32(p + 6) < book->strings->len)
			g_string_append(book->out, book->strings->pdata[ms_le32(p + 6)]);
		show_text(book, from, style);
		break;
	case LABEL:
	case RSTRING:
		ms_sheet_begin_cell(book->out, &book->last, row, column);
		from = book->out->len;
		append_string(book, book->out, p + 6, size - 6);
		show_text(book, from, style);
		break;
	default: break;
	}
}

/* ---- numbers that no cell has --------------------------------------------------------- */

#define LEAST_CONSTANT 1000
#define MOST_CONSTANT 1e15

/* Whole, and of more digits than a count has. */
static void put_constant(Book *book, double value)
{
	if (!(value >= LEAST_CONSTANT && value < MOST_CONSTANT) || value != floor(value) ||
		book->constants->len >= (gsize)book->to->budget->left[MS_COST_TEXT])
		return;
	ms_number_stored(book->constants, value);
	g_string_append_c(book->constants, '\n');
}

enum { TOKEN_WHOLE = 0x1e, TOKEN_NUMBER = 0x1f };

/* A formula is a row of tokens (MS-XLS 2.5.198): what stands behind the one of a number is one.
 * Other bytes may look like it, but make no whole number. */
static void put_constants(Book *book, const guint8 *p, gsize size)
{
	for (gsize i = 0; i + 9 <= size; i++)
		if (p[i] == TOKEN_NUMBER)
			put_constant(book, get_double(p + i + 1));
}

/* A name that stands for a small number has no other token. */
static void put_name(Book *book, const guint8 *p, gsize size)
{
	put_constants(book, p, size);
	if (size > 17 && ms_le16(p + 4) == 3 && p[size - 3] == TOKEN_WHOLE)
		put_constant(book, ms_le16(p + size - 2));
}

/* Cells of another workbook, as they were: each has a byte that says what follows. */
static void put_external(Book *book, const guint8 *p, gsize size)
{
	enum { NUMBER_FOLLOWS = 1, TEXT_FOLLOWS = 2 };
	for (gsize at = 4; at + 9 <= size;) {
		if (p[at] == NUMBER_FOLLOWS)
			put_constant(book, get_double(p + at + 1));
		if (p[at] != TEXT_FOLLOWS) {
			at += 9;
			continue;
		}
		gsize n = ms_le16(p + at + 1);
		bool wide = book->wide && (p[at + 3] & 1) != 0;
		at += 3 + book->wide + (wide ? 2 * n : n); /* ms_strings() has its text */
	}
}

/* Two values that a column is filtered by. */
static void put_filter(Book *book, const guint8 *p, gsize size)
{
	enum { RK_FOLLOWS = 2, NUMBER_FOLLOWS = 4 };
	for (gsize at = 4; at + 10 <= size && at <= 14; at += 10) {
		if (p[at] == NUMBER_FOLLOWS)
			put_constant(book, get_double(p + at + 2));
		else if (p[at] == RK_FOLLOWS)
			put_constant(book, get_rk(ms_le32(p + at + 2)));
	}
}

/* False if the record has none such. */
static bool read_constants(Book *book, const guint8 *p, gsize size)
{
	switch (book->records.type) {
	case FORMULA:
	case SHARED:
	case ARRAY:
	case VALIDATION:
	case CONDITION:
	case EXTERNAL_NAME: put_constants(book, p, size); break;
	case NAME: put_name(book, p, size); break;
	case EXTERNAL_CELLS: put_external(book, p, size); break;
	case FILTER: put_filter(book, p, size); break;
	default: return false;
	}
	return book->records.type != FORMULA;
}

/* ---- charts --------------------------------------------------------------------------- */

/* Its numbers are cells of its own. */
static void begin_part(Book *book, const guint8 *p, gsize size)
{
	if (size >= 2)
		book->wide = ms_le16(p) >= 0x600;
	ms_sheet_end_row(book->out, &book->last);
	if (size >= 4 && ms_le16(p + 2) == CHART && book->chart == NULL)
		book->chart = ms_chart_new();
}

static void end_part(Book *book)
{
	gsize limit = (gsize)book->to->budget->left[MS_COST_TEXT];
	if (book->chart == NULL)
		return;
	if (!ms_chart_show(book->chart, book->constants, limit))
		ms_reading_unread(book->to->reading, book->where, MS_UNREAD_LIMIT,
			"a chart with more numbers than are shown");
	g_clear_pointer(&book->chart, ms_chart_free);
}

/* The codes that lay it out stand before the text: "&LC-4711". */
static void put_header(Book *book, const guint8 *p, gsize size)
{
	g_autoptr(GString) text = g_string_new(NULL);
	append_short_string(book, text, p, size);
	ms_sheet_end_row(book->out, &book->last);
	ms_header_text(book->out, text->str, 1);
	g_string_append_c(book->out, '\n');
}

/* All pictures of a workbook are in one stretch that is cut into records. */
static void read_drawings(Book *book)
{
	g_autoptr(GByteArray) all = ms_bytes_new();
	Records next;
	do {
		g_byte_array_append(all, book->records.body, (guint)book->records.size);
		next = book->records;
		if (!next_record(&next) || (next.type != CONTINUE && next.type != DRAWINGS))
			break;
		book->records = next;
	} while (ms_budget_time(book->to->budget));
	g_string_append_c(book->out, '\n');
	ms_blips_read(book->to, book->where, all->data, all->len, book->out);
}

static void read_record(Book *book)
{
	const guint8 *p = book->records.body;
	gsize size = book->records.size, from;
	switch (book->records.type) {
	case BOF: begin_part(book, p, size); break;
	case END_OF: end_part(book); break;
	case CHART_FORMAT:
		if (size >= 2 && book->chart != NULL &&
			format_numbered(book, ms_le16(p)) != NULL)
			ms_chart_add_format(book->chart, format_numbered(book, ms_le16(p)));
		break;
	case FILEPASS: book->locked = true; break;
	case SST: read_strings(book); break;
	case FORMAT:
		if (size > 5) {
			GString *code = g_string_new(NULL);
			append_short_string(book, code, p + 2, size - 2);
			g_hash_table_insert(book->formats, GUINT_TO_POINTER(ms_le16(p)),
				g_string_free(code, FALSE));
		}
		break;
	case XF:
		if (size >= 4) {
			guint format = ms_le16(p + 2);
			g_array_append_val(book->cells, format);
		}
		break;
	case HEADER:
	case FOOTER: put_header(book, p, size); break;
	case DRAWINGS: read_drawings(book); break;
	case PIVOT_NUMBER:
		if (size >= 8)
			put_number(book, book->last.row + 1, 0, G_MAXUINT, get_double(p));
		break;
	case PIVOT_WHOLE:
		if (size >= 2)
			put_number(book, book->last.row + 1, 0, G_MAXUINT, (gint16)ms_le16(p));
		break;
	case STRING:
		if (book->out->len > 0 && strchr("\t\n", book->out->str[book->out->len - 1]) == NULL)
			g_string_append_c(book->out, '\t');
		from = book->out->len;
		append_string(book, book->out, p, size);
		show_text(book, from, book->style);
		break;
	default:
		if (!read_constants(book, p, size))
			read_cell(book);
	}
}

bool ms_biff_read(const MsExtraction *to, const char *where, const guint8 *data, gsize len)
{
	Book book = {.to = to, .where = where, .records = {.data = data, .len = len},
		.strings = g_ptr_array_new_with_free_func(g_free),
		.formats = g_hash_table_new_full(NULL, NULL, NULL, g_free),
		.cells = g_array_new(FALSE, FALSE, sizeof(guint)), .out = g_string_new(NULL),
		.constants = g_string_new(NULL), .style = G_MAXUINT,
		.last = {MS_NO_ROW, 0}};
	while (!book.locked && next_record(&book.records)) {
		if (!ms_budget_time(to->budget)) {
			ms_reading_unread(to->reading, where, MS_UNREAD_TIME,
				"the time for reading is over");
			break;
		}
		read_record(&book);
	}
	/* Notes, drawings, headers, links: what no rule above knows. */
	if (!book.locked) {
		ms_sheet_end_row(book.out, &book.last);
		ms_strings(book.out, data, len);
		ms_extract_span(to, where, book.out->str, book.out->len);
		g_autofree char *place = g_strconcat(where, " (formulas, charts)", NULL);
		end_part(&book);
		ms_extract_span(to, place, book.constants->str, book.constants->len);
	}
	ms_chart_free(book.chart);
	g_string_free(book.constants, TRUE);
	g_ptr_array_unref(book.strings);
	g_hash_table_unref(book.formats);
	g_array_free(book.cells, TRUE);
	g_string_free(book.out, TRUE);
	return !book.locked;
}
