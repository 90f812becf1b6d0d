#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sheet.h"
#include "xml.h"

struct MsSheets {
	GPtrArray *strings;   /* shared strings, of char * */
	GHashTable *formats;  /* format number to char * */
	GArray *cells;        /* format number of each cell format, of guint */
};

/* ---- numbers -------------------------------------------------------------------------- */

/* Digits and blanks, dashes, points that only set them apart: no sign, date or decimals. */
static bool only_arranges(const char *format)
{
	guint places = 0;
	for (; *format != '\0' && *format != ';'; format++) {
		if (*format == '0')
			places++;
		else if (*format == '\\' && format[1] != '\0')
			format++;
		else if (*format == '"') {
			const char *end = strchr(format + 1, '"');
			if (end == NULL)
				return false;
			format = end;
		} else if (strchr("#- /()+", *format) == NULL)
			return false;
	}
	return places > 1;
}

/* The literal text and digit places of the format, filled from the right. */
static void arrange(GString *out, const char *digits, const char *format)
{
	g_autoptr(GString) reversed = g_string_new(NULL);
	gsize end = strcspn(format, ";");
	gssize left = (gssize)strlen(digits) - 1;
	for (gssize i = (gssize)end - 1; i >= 0; i--) {
		char c = format[i];
		bool escaped = i > 0 && format[i - 1] == '\\';
		if (escaped) {
			g_string_append_c(reversed, c);
			i--;
		} else if (c == '"') {
			for (i--; i >= 0 && format[i] != '"'; i--)
				g_string_append_c(reversed, format[i]);
		} else if (c == '0' || c == '#') {
			if (left >= 0)
				g_string_append_c(reversed, digits[left--]);
			else if (c == '0')
				g_string_append_c(reversed, '0');
		} else {
			g_string_append_c(reversed, c);
		}
	}
	while (left >= 0)
		g_string_append_c(reversed, digits[left--]);
	g_strreverse(reversed->str);
	g_string_append(out, reversed->str);
}

void ms_number_append(GString *out, double value, const char *format)
{
	char digits[G_ASCII_DTOSTR_BUF_SIZE];
	if (isfinite(value) && value == floor(value) && fabs(value) < 1e15)
		g_ascii_formatd(digits, sizeof digits, "%.0f", value);
	else
		g_ascii_formatd(digits, sizeof digits, "%.15g", value);
	g_string_append(out, digits);
	if (format == NULL || !only_arranges(format) || strspn(digits, "0123456789") != strlen(digits))
		return;
	g_string_append_c(out, ' ');
	arrange(out, digits, format);
}

/* ---- shared strings ------------------------------------------------------------------- */

typedef struct {
	GPtrArray *strings;
	GString *text;
	guint phonetic;
} Strings;

static void strings_start(void *user, const char *name, const char *const *attributes)
{
	(void)attributes;
	Strings *s = user;
	if (strcmp(name, "si") == 0)
		g_string_truncate(s->text, 0);
	s->phonetic += strcmp(name, "rPh") == 0;
}

static void strings_end(void *user, const char *name)
{
	Strings *s = user;
	if (strcmp(name, "si") == 0)
		g_ptr_array_add(s->strings, g_strndup(s->text->str, s->text->len));
	s->phonetic -= strcmp(name, "rPh") == 0 && s->phonetic > 0;
}

static void strings_text(void *user, const char *text, gsize len)
{
	Strings *s = user;
	if (s->phonetic == 0)
		g_string_append_len(s->text, text, (gssize)len);
}

/* ---- formats -------------------------------------------------------------------------- */

typedef struct {
	MsSheets *sheets;
	bool in_cells;
} Styles;

static void styles_start(void *user, const char *name, const char *const *attributes)
{
	Styles *s = user;
	const char *id = ms_xml_attribute(attributes, "numFmtId");
	if (strcmp(name, "cellXfs") == 0)
		s->in_cells = true;
	if (id == NULL)
		return;
	guint number = (guint)strtoul(id, NULL, 10);
	const char *code = ms_xml_attribute(attributes, "formatCode");
	if (strcmp(name, "numFmt") == 0 && code != NULL)
		g_hash_table_insert(s->sheets->formats, GUINT_TO_POINTER(number), g_strdup(code));
	else if (strcmp(name, "xf") == 0 && s->in_cells)
		g_array_append_val(s->sheets->cells, number);
}

static void styles_end(void *user, const char *name)
{
	if (strcmp(name, "cellXfs") == 0)
		((Styles *)user)->in_cells = false;
}

static void no_text(void *user, const char *text, gsize len)
{
	(void)user;
	(void)text;
	(void)len;
}

static void note(const MsExtraction *to, const char *where, const char *what, const char *why)
{
	if (why != NULL)
		ms_reading_unread(to->reading, where, MS_UNREAD_DAMAGED, "%s: %s", what, why);
}

MsSheets *ms_sheets_new(const MsExtraction *to, const char *where, const GByteArray *strings,
	const GByteArray *styles)
{
	MsSheets *sheets = g_new0(MsSheets, 1);
	sheets->strings = g_ptr_array_new_with_free_func(g_free);
	sheets->formats = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	sheets->cells = g_array_new(FALSE, FALSE, sizeof(guint));
	if (strings != NULL) {
		static const MsXmlHandler handler = {strings_start, strings_end, strings_text};
		Strings s = {sheets->strings, g_string_new(NULL), 0};
		note(to, where, "shared strings",
			ms_xml_parse(strings->data, strings->len, to->budget, &handler, &s));
		g_string_free(s.text, TRUE);
	}
	if (styles != NULL) {
		static const MsXmlHandler handler = {styles_start, styles_end, no_text};
		Styles s = {sheets, false};
		note(to, where, "styles",
			ms_xml_parse(styles->data, styles->len, to->budget, &handler, &s));
	}
	return sheets;
}

void ms_sheets_free(MsSheets *sheets)
{
	if (sheets == NULL)
		return;
	g_ptr_array_unref(sheets->strings);
	g_hash_table_unref(sheets->formats);
	g_array_free(sheets->cells, TRUE);
	g_free(sheets);
}

/* ---- a sheet -------------------------------------------------------------------------- */

typedef struct {
	const MsSheets *sheets;
	GString *out;
	GString *value;   /* of the element that is open */
	char type[12];    /* of the cell: "s", "str", "inlineStr", "b", "e", "n" */
	guint style;
	gsize row_start;
} Sheet;

static void sheet_start(void *user, const char *name, const char *const *attributes)
{
	Sheet *s = user;
	g_string_truncate(s->value, 0);
	if (strcmp(name, "c") != 0)
		return;
	const char *type = ms_xml_attribute(attributes, "t");
	const char *style = ms_xml_attribute(attributes, "s");
	g_strlcpy(s->type, type != NULL ? type : "n", sizeof s->type);
	s->style = style != NULL ? (guint)strtoul(style, NULL, 10) : 0;
}

static void put_value(Sheet *s)
{
	const MsSheets *sheets = s->sheets;
	if (strcmp(s->type, "s") == 0) {
		guint index = (guint)strtoul(s->value->str, NULL, 10);
		if (index < sheets->strings->len)
			g_string_append(s->out, sheets->strings->pdata[index]);
		return;
	}
	if (strcmp(s->type, "n") != 0) {
		g_string_append_len(s->out, s->value->str, (gssize)s->value->len);
		return;
	}
	char *end;
	double number = g_ascii_strtod(s->value->str, &end);
	const char *format = s->style < sheets->cells->len
		? g_hash_table_lookup(sheets->formats,
			  GUINT_TO_POINTER(g_array_index(sheets->cells, guint, s->style))) : NULL;
	if (*end == '\0' && s->value->len > 0)
		ms_number_append(s->out, number, format);
	else
		g_string_append_len(s->out, s->value->str, (gssize)s->value->len);
}

static void sheet_end(void *user, const char *name)
{
	Sheet *s = user;
	if (strcmp(name, "v") == 0) {
		put_value(s);
	} else if (strcmp(name, "c") == 0) {
		g_string_append_c(s->out, '\t');
	} else if (strcmp(name, "row") == 0) {
		g_string_append_c(s->out, '\n');
	} else if (s->value->len > 0) { /* inline strings, formulas, headers, footers */
		g_string_append_len(s->out, s->value->str, (gssize)s->value->len);
		if (strcmp(name, "t") != 0)
			g_string_append_c(s->out, ' ');
	}
	g_string_truncate(s->value, 0);
}

static void sheet_text(void *user, const char *text, gsize len)
{
	g_string_append_len(((Sheet *)user)->value, text, (gssize)len);
}

gsize ms_sheet_read(const MsExtraction *to, const char *place, const GByteArray *bytes,
	const MsSheets *sheets)
{
	static const MsXmlHandler handler = {sheet_start, sheet_end, sheet_text};
	Sheet s = {.sheets = sheets, .out = g_string_new(NULL), .value = g_string_new(NULL)};
	note(to, place, "XML", ms_xml_parse(bytes->data, bytes->len, to->budget, &handler, &s));
	gsize n = s.out->len;
	ms_extract_span(to, place, s.out->str, n);
	g_string_free(s.out, TRUE);
	g_string_free(s.value, TRUE);
	return n;
}
