/*
 * Statements of accounts (SWIFT MT940), interchanges of EDIFACT (ISO 9735), X12 and TRADACOMS, or
 * messages that stand by themselves, and SAP's IDocs come in; out goes their text, and once more
 * what some of their elements are by definition, each behind a label: whose number it is says a
 * code beside it, or its place, not a word.  A worker's one thread.
 */
#include "config.h"

#include <string.h>

#include "readers.h"

#define MAX_ELEMENTS 12
#define MAX_VALUE 70

typedef struct {
	char element, part, segment, release; /* '\0': none */
	char tag; /* between a segment's tag and its first element */
} Marks;

/* A message of X12 without its interchange: "ST*810*0001~BIG*...": its marks are where that has
 * them. */
static bool take_set_marks(const char *p, gsize len, Marks *marks)
{
	if (len < 12 || memcmp(p, "ST", 2) != 0 || !g_ascii_ispunct(p[2]) || p[6] != p[2])
		return false;
	const char *end = p + MIN(len, 40), *stop = p + 7;
	for (guint i = 3; i < 6; i++)
		if (!g_ascii_isdigit(p[i]))
			return false;
	while (stop < end && (g_ascii_isalnum(*stop) || *stop == p[2]))
		stop++;
	*marks = (Marks){p[2], '\0', stop < end ? *stop : '\0', '\0', p[2]};
	return stop < end;
}

/* UNA has the marks of EDIFACT; the interchange header of X12 has a fixed length. */
static bool take_marks(const char *p, gsize len, Marks *marks)
{
	while (len > 0 && g_ascii_isspace(*p)) {
		p++;
		len--;
	}
	if (len > 20 && memcmp(p, "UNA", 3) == 0)
		*marks = (Marks){p[4], p[3], p[8], p[6] != ' ' ? p[6] : '\0', p[4]};
	else if (len > 20 && (memcmp(p, "UNB+", 4) == 0 || memcmp(p, "UNH+", 4) == 0))
		*marks = (Marks){'+', ':', '\'', '?', '+'};
	else if (len > 20 && (memcmp(p, "STX=", 4) == 0 || memcmp(p, "MHD=", 4) == 0))
		*marks = (Marks){'+', ':', '\'', '?', '='};
	else if (len > 106 && memcmp(p, "ISA", 3) == 0 && g_ascii_ispunct(p[3]) &&
		p[3] == p[103])
		*marks = (Marks){p[3], p[104], p[105], '\0', p[3]};
	else
		return take_set_marks(p, len, marks);
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

/* SAP's IDocs as files: lines with fields of fixed length. */
static bool is_idoc(const char *p, gsize len)
{
	return len > 8 && memcmp(p, "EDI_DC40", 8) == 0;
}

bool ms_is_edi(const guint8 *data, gsize len)
{
	Marks marks;
	const char *p = (const char *)data;
	return take_marks(p, len, &marks) || is_statement(p, len) || is_idoc(p, len);
}

/* ---- interchanges --------------------------------------------------------------------- */

/* Segments by their tag and the code that their first element begins with, blank between two; the
 * part of an element that has the value. */
static const struct {
	const char *tag, *codes;
	guint at, part;
	const char *label;
} rows[] = {
	/* EDIFACT D.96A: 3035 (party), 1153 (reference), 1001 (document) */
	{"UNB", NULL, 3, 0, "customer number"},
	{"NAD", " BS BT BY CN CO DO DP GO IM IT ITO IV MR OB OY PM PN PR SN SO ST UC UD ", 2, 0,
		"customer number"},
	{"RFF", " ABO ADE AP API AVC IT ", 1, 1, "customer number"},
	{"RFF", " CR UC ", 1, 1, "customer reference"},
	{"RFF", " AVE BC CT Z13 ", 1, 1, "contract number"},
	{"RFF", " IV OI ", 1, 1, "invoice number"},
	{"RFF", " CO ON VN ", 1, 1, "order number"},
	{"RFF", " VA ", 1, 1, "VAT number"},
	{"RFF", " AHP FC GN ", 1, 1, "tax number"},
	{"RFF", " XA ", 1, 1, "company registration"},
	{"BGM", " 105 220 221 224 226 227 228 258 ", 2, 0, "order number"},
	{"BGM", NULL, 2, 0, "invoice number"},
	/* X12 004010: 98 (party), 128 (reference) */
	{"ISA", NULL, 8, 0, "customer number"},
	{"GS", NULL, 3, 0, "customer number"},
	{"N1", " BS BT BY CN EN IA IT IV LW MA OB PR SN SO ST UC UD Z7 ", 4, 0,
		"customer number"},
	{"NM1", " IL QC ", 9, 0, "member number"},
	{"REF", " 0F 1W AJ AP CR IT ", 2, 0, "customer number"},
	{"REF", " 11 12 14 ", 2, 0, "account number"},
	{"REF", " 1L BC CT IG ", 2, 0, "contract number"},
	{"REF", " IV OI ", 2, 0, "invoice number"},
	{"REF", " CO EU PO VN ", 2, 0, "order number"},
	{"REF", " VX ", 2, 0, "VAT number"},
	{"REF", " EI GT TJ ", 2, 0, "tax number"},
	{"BIG", NULL, 2, 0, "invoice number"},
	{"BIG", NULL, 4, 0, "order number"},
	{"BEG", NULL, 3, 0, "order number"},
	{"BEG", NULL, 6, 0, "contract number"},
	{"BAK", NULL, 3, 0, "order number"},
	/* TRADACOMS: the customer, and where he has it delivered, in each one's own numbers */
	{"CDT", NULL, 1, 1, "customer number"},
	{"CLO", NULL, 1, 1, "customer number"},
	{"CLO", NULL, 1, 2, "customer number"},
	{"IRF", NULL, 1, 0, "invoice number"},
	{"CRF", NULL, 1, 0, "invoice number"},
	{"ORD", NULL, 1, 0, "order number"},
	{"ORD", NULL, 1, 1, "order number"},
	{"ODD", NULL, 2, 0, "order number"},
	{"ODD", NULL, 2, 1, "order number"},
	/* IDocs of SAP: what a document's number (BELNR) and a partner's (PARTN) is of */
	{"QUALF", " 001 002 ", 1, 0, "order number"},
	{"QUALF", " 005 006 ", 1, 0, "contract number"},
	{"QUALF", " 009 ", 1, 0, "invoice number"},
	{"PARVW", " AG RE RG WE ", 1, 0, "customer number"},
};

static bool is_listed(const char *codes, const char *code, gsize len)
{
	const char *at = len > 0 ? codes : NULL;
	while (at != NULL && (at = strchr(at, ' ')) != NULL && *++at != '\0')
		if (strncmp(at, code, len) == 0 && at[len] == ' ')
			return true;
	return false;
}

/* References stand in X12 by themselves and in the details of a message: REF and N9. */
static bool is_tag(const char *tag, const char *text, gsize len)
{
	if (len == 2 && memcmp(text, "N9", 2) == 0)
		return strcmp(tag, "REF") == 0;
	return strlen(tag) == len && memcmp(tag, text, len) == 0;
}

const char *ms_edi_label(const char *tag, const char *code)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (strcmp(rows[i].tag, tag) == 0 && rows[i].codes != NULL &&
			is_listed(rows[i].codes, code, strlen(code)))
			return rows[i].label;
	return NULL;
}

typedef struct {
	const char *text;
	gsize len;
} Piece;

/* The part `n` of an element, without the blanks of a field of fixed length. */
static Piece part_of(const Piece *piece, char mark, guint n)
{
	const char *p = piece->text, *end = p + piece->len, *stop;
	while ((stop = mark != '\0' ? memchr(p, mark, (gsize)(end - p)) : NULL) != NULL && n > 0) {
		p = stop + 1;
		n--;
	}
	if (n > 0)
		return (Piece){"", 0};
	stop = stop != NULL ? stop : end;
	while (stop > p && stop[-1] == ' ')
		stop--;
	return (Piece){p, (gsize)(stop - p)};
}

static void put_value(GString *out, const char *label, const Piece *value)
{
	if (value->len > 0 && value->len <= MAX_VALUE)
		g_string_append_printf(
			out, "%s: %.*s\n\n", label, (int)value->len, value->text);
}

static void read_segment(const Piece *elements, guint n, const Marks *marks, GString *out)
{
	Piece code = n > 1 ? part_of(&elements[1], marks->part, 0) : (Piece){"", 0};
	bool coded = false; /* and so not what it is without that code */
	for (gsize i = 0; n > 1 && i < G_N_ELEMENTS(rows); i++) {
		if (rows[i].at >= n || !is_tag(rows[i].tag, elements[0].text, elements[0].len) ||
			(rows[i].codes != NULL ? !is_listed(rows[i].codes, code.text, code.len)
					       : coded))
			continue;
		coded = rows[i].codes != NULL;
		Piece value = part_of(&elements[rows[i].at], marks->part, rows[i].part);
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
			if (!stop && *p != (n == 0 ? marks->tag : marks->element))
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

#define IDOC_HEAD 63 /* name, client, numbers of document and segment, level */

/* The segments of an IDoc that say with a code whose number, or what document's, they have. */
static GString *values_of_idoc(const char *p, const char *end)
{
	static const struct {
		const char *segment, *field; /* without "E1" or "E2" */
		guint len;
	} coded[] = {{"EDKA1", "PARVW", 17}, {"EDPA1", "PARVW", 17}, {"EDK02", "QUALF", 35},
		{"EDP02", "QUALF", 35}};
	GString *out = g_string_new(NULL);
	for (const char *next; p < end; p = next) {
		const char *nl = memchr(p, '\n', (gsize)(end - p));
		gsize len = (gsize)((nl != NULL ? nl : end) - p);
		next = p + len + (nl != NULL);
		for (gsize i = 0; i < G_N_ELEMENTS(coded) && len > IDOC_HEAD + 3; i++) {
			if (memcmp(p + 2, coded[i].segment, 5) != 0)
				continue;
			g_autofree char *code = g_strstrip(g_strndup(p + IDOC_HEAD, 3));
			const char *label = ms_edi_label(coded[i].field, code);
			Piece value = {p + IDOC_HEAD + 3, MIN(len - IDOC_HEAD - 3, coded[i].len)};
			value = part_of(&value, '\0', 0);
			if (label != NULL)
				put_value(out, label, &value);
		}
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
	bool idoc = is_idoc(text, document->len);
	if (!idoc && !take_marks(text, document->len, &marks))
		return;
	g_autoptr(GString) values = idoc ? values_of_idoc(text, text + document->len)
					 : values_of(text, text + document->len, &marks);
	ms_extract_aside(to, document->where, false, values->str, values->len);
}
