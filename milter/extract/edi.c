/*
 * Statements of accounts (SWIFT MT940) and interchanges of EDIFACT (ISO 9735) and X12 come in; out
 * goes their text, and once more what some of their elements are by definition, each behind a
 * label: whose number it is says a code beside it, not a word.  A worker's one thread.
 */
#include "config.h"

#include <string.h>

#include "readers.h"

#define MAX_ELEMENTS 12
#define MAX_VALUE 70

typedef struct {
	char element, part, segment, release; /* '\0': none */
} Marks;

/* UNA has the marks of EDIFACT; the interchange header of X12 has a fixed length. */
static bool take_marks(const char *p, gsize len, Marks *marks)
{
	while (len > 0 && g_ascii_isspace(*p)) {
		p++;
		len--;
	}
	if (len > 20 && memcmp(p, "UNA", 3) == 0)
		*marks = (Marks){p[4], p[3], p[8], p[6] != ' ' ? p[6] : '\0'};
	else if (len > 20 && memcmp(p, "UNB+", 4) == 0)
		*marks = (Marks){'+', ':', '\'', '?'};
	else if (len > 106 && memcmp(p, "ISA", 3) == 0 && g_ascii_ispunct(p[3]) &&
		p[3] == p[103])
		*marks = (Marks){p[3], p[104], p[105], '\0'};
	else
		return false;
	return !g_ascii_isalnum(marks->element) && !g_ascii_isalnum(marks->segment);
}

/* ---- statements ----------------------------------------------------------------------- */

static bool is_statement(const char *p, gsize len)
{
	gsize n = MIN(len, 400);
	return memmem(p, n, ":20:", 4) != NULL && memmem(p, n, "\n:25:", 5) != NULL;
}

/* What is said of a payment is cut into pieces of 27 characters, "?20" to "?29" and "?60" to "?63",
 * and into lines, in mid-word: without them. */
static GString *whole_purposes(const char *p, const char *end)
{
	GString *out = g_string_new(NULL);
	while ((p = memmem(p, (gsize)(end - p), "\n:86:", 5)) != NULL) {
		for (p += 5; p < end && !(*p == '\n' && (p + 1 == end || strchr(":-", p[1]) != NULL));
			p++) {
			bool mark = *p == '?' && end - p > 2 && g_ascii_isdigit(p[1]) &&
				g_ascii_isdigit(p[2]);
			bool goes_on = mark && (p[1] == '2' || (p[1] == '6' && p[2] < '4'));
			if (mark && !goes_on)
				g_string_append_c(out, '\n');
			if (mark)
				p += 2;
			else if (*p != '\r' && *p != '\n')
				g_string_append_c(out, *p);
		}
		g_string_append_c(out, '\n');
	}
	return out;
}

/* Right behind what kind of payment it is (NTRF, F and S with three more) stands its reference. */
static void references(const char *p, const char *end, GString *out)
{
	while ((p = memmem(p, (gsize)(end - p), "\n:61:", 5)) != NULL) {
		const char *nl = memchr(p + 5, '\n', (gsize)(end - p - 5));
		const char *stop = nl != NULL ? nl : end;
		const char *comma = memchr(p, ',', (gsize)(stop - p));
		for (p = comma != NULL ? comma + 1 : stop; p < stop && g_ascii_isdigit(*p); p++)
			;
		if (stop - p > 4)
			g_string_append_len(out, p + 4, stop - p - 4);
		g_string_append_c(out, '\n');
		p = stop;
	}
}

bool ms_is_edi(const guint8 *data, gsize len)
{
	Marks marks;
	return take_marks((const char *)data, len, &marks) || is_statement((const char *)data, len);
}

/* ---- interchanges --------------------------------------------------------------------- */

/* Segments by their tag and first element; `at`: the element that has the value. */
static const struct {
	const char *tag, *code;
	guint at;
	const char *label;
} rows[] = {
	/* EDIFACT D.96A: 3035 (party), 1153 (reference), 1001 (document) */
	{"NAD", "BY", 2, "customer number"},
	{"NAD", "IV", 2, "customer number"},
	{"NAD", "DP", 2, "customer number"},
	{"NAD", "UC", 2, "customer number"},
	{"NAD", "PR", 2, "customer number"},
	{"RFF", "IT", 0, "customer number"},
	{"RFF", "AVC", 0, "customer number"},
	{"RFF", "ADE", 0, "customer number"},
	{"RFF", "API", 0, "customer number"},
	{"RFF", "ABO", 0, "customer number"},
	{"RFF", "AVE", 0, "contract number"},
	{"RFF", "Z13", 0, "contract number"},
	{"RFF", "IV", 0, "invoice number"},
	{"RFF", "CT", 0, "contract number"},
	{"RFF", "ON", 0, "order number"},
	{"RFF", "VA", 0, "VAT number"},
	{"BGM", NULL, 2, "invoice number"},
	/* X12 004010: 98 (party), 128 (reference) */
	{"N1", "BY", 4, "customer number"},
	{"N1", "BT", 4, "customer number"},
	{"N1", "ST", 4, "customer number"},
	{"REF", "CR", 2, "customer number"},
	{"REF", "IT", 2, "customer number"},
	{"REF", "11", 2, "account number"},
	{"REF", "12", 2, "account number"},
	{"REF", "CT", 2, "contract number"},
	{"REF", "IV", 2, "invoice number"},
	{"REF", "PO", 2, "order number"},
	{"BIG", NULL, 2, "invoice number"},
	{"BIG", NULL, 4, "order number"},
};

const char *ms_edi_label(const char *tag, const char *code)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (strcmp(rows[i].tag, tag) == 0 && g_strcmp0(rows[i].code, code) == 0)
			return rows[i].label;
	return NULL;
}

typedef struct {
	const char *text;
	gsize len;
} Piece;

static bool is_text(const Piece *piece, const char *text)
{
	return piece->len == strlen(text) && memcmp(piece->text, text, piece->len) == 0;
}

/* Up to the first mark between parts. */
static Piece first_part(const Piece *piece, char mark)
{
	const char *end = memchr(piece->text, mark, piece->len);
	return (Piece){piece->text, end != NULL ? (gsize)(end - piece->text) : piece->len};
}

static void put_value(GString *out, const char *label, const Piece *value)
{
	if (value->len > 0 && value->len <= MAX_VALUE)
		g_string_append_printf(
			out, "%s: %.*s\n\n", label, (int)value->len, value->text);
}

static void read_segment(const Piece *elements, guint n, const Marks *marks, GString *out)
{
	Piece code = n > 1 ? first_part(&elements[1], marks->part) : (Piece){"", 0};
	for (gsize i = 0; n > 1 && i < G_N_ELEMENTS(rows); i++) {
		if (!is_text(&elements[0], rows[i].tag) ||
			(rows[i].code != NULL && !is_text(&code, rows[i].code)))
			continue;
		Piece value = {"", 0};
		if (rows[i].at > 0 && rows[i].at < n) {
			value = first_part(&elements[rows[i].at], marks->part);
		} else if (rows[i].at == 0 && code.len < elements[1].len) {
			Piece rest = {code.text + code.len + 1, elements[1].len - code.len - 1};
			value = first_part(&rest, marks->part);
		}
		put_value(out, rows[i].label, &value);
	}
}

static GString *values_of(const char *p, const char *end, const Marks *marks)
{
	GString *out = g_string_new(NULL);
	while (p < end) {
		Piece elements[MAX_ELEMENTS];
		guint n = 0;
		while (p < end && g_ascii_isspace(*p))
			p++;
		for (const char *from = p;; p++) {
			bool stop = p >= end || *p == marks->segment;
			if (!stop && marks->release != '\0' && *p == marks->release &&
				p + 1 < end) {
				p++;
				continue;
			}
			if (!stop && *p != marks->element)
				continue;
			if (n < MAX_ELEMENTS)
				elements[n++] = (Piece){from, (gsize)(p - from)};
			from = p + 1;
			if (stop)
				break;
		}
		p++;
		read_segment(elements, n, marks, out);
	}
	return out;
}

void ms_edi_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory)
{
	Marks marks;
	const char *text = (const char *)document->data;
	ms_plain_read(to, document, inventory);
	if (is_statement(text, document->len)) {
		g_autoptr(GString) whole = whole_purposes(text, text + document->len);
		references(text, text + document->len, whole);
		ms_extract_span(to, document->where, whole->str, whole->len);
	}
	if (!take_marks(text, document->len, &marks))
		return;
	g_autoptr(GString) values = values_of(text, text + document->len, &marks);
	ms_extract_aside(to, document->where, false, values->str, values->len);
}
