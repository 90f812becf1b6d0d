/*
 * In come shared strings and cell formats, then the cells one by one; out goes what each shows.
 * A string that no cell shows is in the file all the same, so that the strings shown are marked.
 * In the worker's only thread.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "missent/text.h"

#include "line.h"
#include "numfmt.h"
#include "sheet.h"
#include "xml.h"

struct MsSheets {
	GPtrArray *strings;   /* shared strings, of char * */
	GByteArray *used;     /* of each string: is it shown? */
	GHashTable *formats;  /* format number to char * */
	GArray *cells;        /* format number of each cell format, of guint */
	GArray *named;        /* of each style with a name, to which cells may leave it */
	GPtrArray *others;    /* format of each look that a condition gives, of char * or NULL */
	bool in_cells, in_named, in_others;
};

MsSheets *ms_sheets_new(void)
{
	MsSheets *sheets = g_new0(MsSheets, 1);
	sheets->strings = g_ptr_array_new_with_free_func(g_free);
	sheets->used = ms_bytes_new();
	sheets->formats = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	sheets->cells = g_array_new(FALSE, FALSE, sizeof(guint));
	sheets->named = g_array_new(FALSE, FALSE, sizeof(guint));
	sheets->others = g_ptr_array_new_with_free_func(g_free);
	return sheets;
}

void ms_sheets_free(MsSheets *sheets)
{
	if (sheets == NULL)
		return;
	g_ptr_array_unref(sheets->strings);
	g_byte_array_unref(sheets->used);
	g_hash_table_unref(sheets->formats);
	g_array_free(sheets->cells, TRUE);
	g_array_free(sheets->named, TRUE);
	g_ptr_array_unref(sheets->others);
	g_free(sheets);
}

/* Whatever their numbers, these are of conditions alone. */
static void start_in_others(MsSheets *sheets, const char *name, const char *const *attributes)
{
	const char *code = ms_xml_attribute(attributes, "formatCode");
	GPtrArray *others = sheets->others;
	if (strcmp(name, "dxf") == 0) {
		g_ptr_array_add(others, NULL);
	} else if (strcmp(name, "numFmt") == 0 && code != NULL && others->len > 0) {
		g_free(others->pdata[others->len - 1]);
		others->pdata[others->len - 1] = g_strdup(code);
	}
}

void ms_sheets_style_start(MsSheets *sheets, const char *name, const char *const *attributes)
{
	sheets->in_others = sheets->in_others || strcmp(name, "dxfs") == 0;
	if (sheets->in_others) {
		start_in_others(sheets, name, attributes);
		return;
	}
	if (strcmp(name, "cellXfs") == 0 || strcmp(name, "cellStyleXfs") == 0) {
		sheets->in_cells = strcmp(name, "cellXfs") == 0;
		sheets->in_named = !sheets->in_cells;
		return;
	}
	bool format = strcmp(name, "numFmt") == 0;
	if (!format && ((!sheets->in_cells && !sheets->in_named) || strcmp(name, "xf") != 0))
		return;
	const char *id = ms_xml_attribute(attributes, "numFmtId");
	const char *named = ms_xml_attribute(attributes, "xfId");
	guint style = named != NULL ? (guint)strtoul(named, NULL, 10) : 0;
	guint number = id != NULL                ? (guint)strtoul(id, NULL, 10)
		: style < sheets->named->len && !format && sheets->in_cells
		? g_array_index(sheets->named, guint, style) : 0;
	const char *code = format ? ms_xml_attribute(attributes, "formatCode") : NULL;
	if (code != NULL)
		g_hash_table_insert(sheets->formats, GUINT_TO_POINTER(number), g_strdup(code));
	else if (!format)
		g_array_append_val(sheets->in_cells ? sheets->cells : sheets->named, number);
}

void ms_sheets_style_end(MsSheets *sheets, const char *name)
{
	if (strcmp(name, "cellXfs") == 0 || strcmp(name, "cellStyleXfs") == 0)
		sheets->in_cells = sheets->in_named = false;
	sheets->in_others = sheets->in_others && strcmp(name, "dxfs") != 0;
}

const char *ms_sheets_other_format(const MsSheets *sheets, guint look)
{
	return look < sheets->others->len ? sheets->others->pdata[look] : NULL;
}

const char *ms_sheets_format(const MsSheets *sheets, guint number)
{
	const char *format = g_hash_table_lookup(sheets->formats, GUINT_TO_POINTER(number));
	return format != NULL ? format : ms_number_builtin(number);
}

void ms_sheets_add_string(MsSheets *sheets, const char *text, gsize len)
{
	static const guint8 unused = 0;
	g_ptr_array_add(sheets->strings, g_strndup(text, len));
	g_byte_array_append(sheets->used, &unused, 1);
}

void ms_sheets_unused(const MsSheets *sheets, GString *out)
{
	for (guint i = 0; i < sheets->strings->len; i++) {
		if (sheets->used->data[i] != 0)
			continue;
		g_string_append(out, sheets->strings->pdata[i]);
		g_string_append_c(out, '\n');
	}
}

/* ---- cells ---------------------------------------------------------------------------- */

void ms_cell_begin(MsCell *cell, const char *const *attributes)
{
	const char *type = ms_xml_attribute(attributes, "t");
	const char *style = ms_xml_attribute(attributes, "s");
	const char *name = ms_xml_attribute(attributes, "r");
	g_strlcpy(cell->name, name != NULL ? name : "", sizeof cell->name);
	g_strlcpy(cell->type, type != NULL ? type : "n", sizeof cell->type);
	cell->style = style != NULL ? (guint)strtoul(style, NULL, 10) : 0;
}

#define MAX_EMPTY 64 /* cells one beside the other; more are the rest of a sheet */

void ms_sheet_end_row(GString *out, MsSheetPlace *last)
{
	if (last->row != MS_NO_ROW)
		g_string_append_c(out, '\t');
	ms_separate(out, '\n');
	*last = (MsSheetPlace){MS_NO_ROW, 0};
}

void ms_sheet_begin_cell(GString *out, MsSheetPlace *last, guint row, guint column)
{
	bool next = row != last->row;
	guint from = next ? 0 : last->column;
	guint n = column >= from && column - from <= MAX_EMPTY ? column - from : 0;
	if (next)
		ms_sheet_end_row(out, last);
	else if (n == 0)
		n = 1;
	while (n-- > 0)
		g_string_append_c(out, '\t');
	*last = (MsSheetPlace){row, column};
}

#define LETTERS 26

guint ms_cell_column(const MsCell *cell)
{
	guint column = 0;
	for (const char *p = cell->name; g_ascii_isupper(*p); p++)
		column = MIN(column, G_MAXUINT16) * LETTERS + (guint)(*p - 'A') + 1;
	return column - (column > 0);
}

static const char *format_of(const MsSheets *sheets, guint style)
{
	if (style >= sheets->cells->len)
		return NULL;
	return ms_sheets_format(sheets, g_array_index(sheets->cells, guint, style));
}

static void text_value(
	const char *text, gsize len, const char *format, GString *shown, GString *stored)
{
	g_autofree char *whole = g_strndup(text, len);
	if (ms_number_text_shown(shown, whole, format))
		g_string_append_len(stored, text, (gssize)len);
	else
		g_string_append_len(shown, text, (gssize)len);
}

static void number_value(
	const char *text, gsize len, const char *format, GString *shown, GString *stored)
{
	g_autofree char *whole = g_strndup(text, len);
	char *end;
	double number = g_ascii_strtod(whole, &end);
	while (g_ascii_isspace(*end))
		end++;
	if (*end != '\0' || end == whole) {
		g_string_append_len(shown, text, (gssize)len);
		return;
	}
	bool formed = ms_number_shown(shown, number, format);
	if (!formed)
		ms_number_stored(shown, number);
	if (!ms_number_written(stored, whole, number) && formed)
		ms_number_stored(stored, number);
}

void ms_cell_value(const MsCell *cell, MsSheets *sheets, const char *value, gsize len,
	GString *shown, GString *stored)
{
	const char *format = format_of(sheets, cell->style);
	if (strcmp(cell->type, "s") == 0) {
		g_autofree char *number = g_strndup(value, len);
		char *end;
		gulong index = strtoul(number, &end, 10);
		if (end == number || *end != '\0') /* no index: it stands for itself */
			index = G_MAXULONG;
		if (index < sheets->strings->len) {
			const char *text = sheets->strings->pdata[index];
			sheets->used->data[index] = 1;
			text_value(text, strlen(text), format, shown, stored);
		} else {
			g_string_append_len(shown, value, (gssize)len);
		}
	} else if (strcmp(cell->type, "n") == 0) {
		number_value(value, len, format, shown, stored);
	} else {
		text_value(value, len, format, shown, stored);
	}
}

/* ---- headers and footers -------------------------------------------------------------- */

#define LONG_PAGE 1000 /* a number that tells more than how many pages there are */

/* "P", "P+7", "P-1": the number of the page. */
static const char *page_code(GString *out, const char *p, gint64 first)
{
	char *end = (char *)p + 1;
	gint64 more = (*end == '+' || *end == '-') && g_ascii_isdigit(end[1])
		? g_ascii_strtoll(end, &end, 10) : 0;
	gint64 number = CLAMP(first, -G_MAXINT32, G_MAXINT32) +
		CLAMP(more, -G_MAXINT32, G_MAXINT32);
	if (number >= LONG_PAGE)
		g_string_append_printf(out, "%" G_GINT64_FORMAT, number);
	else
		g_string_append_c(out, ' ');
	return end;
}

/* What follows an ampersand (18.3.1.46), at `p`; returns after it. */
static const char *header_code(GString *out, const char *p, gint64 first_page)
{
	const char *end;
	switch (*p) {
	case '\0': return p;
	case '&': g_string_append_c(out, '&'); return p + 1;
	case 'L': case 'C': case 'R': g_string_append_c(out, '\n'); return p + 1;
	case '"': /* a font and its style */
		end = strchr(p + 1, '"');
		return end != NULL ? end + 1 : p + strlen(p);
	case 'K': /* a colour: RRGGBB, or a number of the theme and its shade */
		p++;
		if (strspn(p, "0123456789") >= 2 && (p[2] == '+' || p[2] == '-'))
			return p + 3 + MIN(strspn(p + 3, "0123456789"), 3);
		return p + MIN(strspn(p, "0123456789ABCDEFabcdef"), 6);
	case 'P': return page_code(out, p, first_page);
	case 'N': case 'D': case 'T': case 'A': case 'F': case 'Z': case 'G':
		g_string_append_c(out, ' ');
		return p + 1;
	default: break;
	}
	if (g_ascii_isdigit(*p)) { /* the size of the letters */
		p += MIN(strspn(p, "0123456789"), 3);
		return *p == ' ' ? p + 1 : p;
	}
	return g_ascii_isalpha(*p) ? p + 1 : p;
}

void ms_header_text(GString *out, const char *text, gint64 first_page)
{
	while (*text != '\0') {
		if (*text == '&')
			text = header_code(out, text + 1, first_page);
		else
			g_string_append_c(out, *text++);
	}
}
