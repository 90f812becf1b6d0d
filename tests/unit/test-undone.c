/*
 * Texts in which something was encoded once too often, or decoded once too seldom, and tables whose
 * cells go on in the lines below: what must be said beside them.  And right ones, beside which
 * nothing is said.
 */
#include "config.h"

#include "missent/message.h"

#include "../test.h"

typedef struct {
	const char *place;
	GString *out;
} Aside;

static void collect(const MsSpan *span, void *user)
{
	const Aside *aside = user;
	if (g_str_has_suffix(span->where, aside->place)) {
		g_assert_cmpint(span->type, ==, MS_SPAN_ASIDE);
		g_string_append_len(aside->out, span->text, (gssize)span->len);
	}
}

/* What is said beside a text of this type, at `place`. */
static char *beside(const char *place, const char *type, const char *text)
{
	MsLimits limits;
	ms_limits_default(&limits);
	MsBudget budget;
	ms_budget_init(&budget, &limits);
	g_autoptr(MsReading) reading = ms_reading_new();
	Aside aside = {place, g_string_new(NULL)};
	g_autofree char *message = g_strdup_printf(
		"MIME-Version: 1.0\r\nContent-Type: text/%s\r\n\r\n%s", type, text);
	char *input = exact_copy(message, strlen(message));
	MsMessageSink sink = {
		.budget = &budget, .reading = reading, .span = collect, .user = &aside};
	ms_message_read((guint8 *)input, strlen(message), &sink);
	free(input);
	return g_string_free(aside.out, FALSE);
}

typedef struct {
	const char *name, *type, *text, *found;
} Row;

#define UTF8 "plain; charset=utf-8"
#define LATIN "plain; charset=iso-8859-1"

static const Row rows[] = {
	{"reference", UTF8, "FR14&nbsp;2004&nbsp;1010", "FR14\u00a02004\u00a01010"},
	{"reference by number", UTF8, "KD&#45;7740912 KD&#x2D;7740913", "KD-7740912 KD-7740913"},
	{"reference twice", UTF8, "KD&amp;ndash;7740912", "KD\u20137740912"},
	{"reference twice in HTML", "html", "<p>KD&amp;ndash;7740912</p>", "KD\u20137740912"},
	{"reference in HTML", "html", "<p>FR14&amp;nbsp;2004</p>", "FR14\u00a02004"},
	{"tag in a word", UTF8, "KD-77<b>40912</b>", "KD-7740912"},
	{"tag with an attribute", UTF8, "KD-77<span style=\"color:red\">40912</span>", "KD-7740912"},
	{"tag that ends a line", UTF8, "FR14 2004<br/>1010 0505", "FR14 2004\n1010 0505"},
	{"tag between words", UTF8, "<td>4711</td><td>4712</td>", " 4711  4712 "},
	{"escaped tags in HTML", "html", "<p>KD-77&lt;b&gt;40912&lt;/b&gt;</p>", "KD-7740912"},
	{"tag of a forum", UTF8, "KD-77[b]40912[/b]", "KD-7740912"},
	{"tag of a forum with a value", UTF8, "KD-77[color=red]40912[/color]", "KD-7740912"},
	{"comment in a word", UTF8, "KD-77<!-- x -->40912", "KD-7740912"},
	{"label of a printer", UTF8, "^XA^FO50,50^FDKD-7740912^FS^XZ", " KD-7740912  "},
	{"label of a printer, its bytes", UTF8, "^XA^FO50,50^FH^FDKD_2D774_30912^FS^XZ", " KD-7740912  "},
	{"label of a printer, bytes of its own sign", UTF8, "^XA^FH\\^FDKD\\2D7740912^FS^XZ", " KD-7740912  "},
	{"label of a printer, bytes of one letter", UTF8, "^FH^FDM_C3_BCller 4711^FS", " M\u00fcller 4711"},
	{"twin: no label, no bytes", UTF8, "Rechnung_2D7740912_2026_20774 _4B", NULL},
	{"quoted-printable", UTF8, "FR14=C2=A02004=201010", "FR14\u00a02004 1010"},
	{"quoted-printable of another charset", UTF8, "FR14=A02004", "FR14\u00a02004"},
	{"escape of JSON", UTF8, "KD\\u20117740912", "KD\u20117740912"},
	{"escape of TOML", UTF8, "KD\\U0000002d7740912", "KD-7740912"},
	{"... that is no character", UTF8, "KD\\UFFFFFF2d7740912", NULL},
	{"escape in braces", UTF8, "KD\\u{2d}77\\u{000034}0912", "KD-7740912"},
	{"... of Perl and C++", UTF8, "KD\\x{2d}7740912", "KD-7740912"},
	{"... that do not close", UTF8, "KD\\u{2d7740912", NULL},
	{"escape of a byte", UTF8, "KD\\x2d7740912", "KD-7740912"},
	{"escape of bytes, octal", UTF8, "FR14\\302\\2402004", "FR14\u00a02004"},
	{"escaped line end", UTF8, "FR14 2004\\n1010", "FR14 2004 1010"},
	{"escape of a sheet", UTF8, "KD_x002D_7740912", "KD-7740912"},
	{"escaped line end of a sheet", UTF8, "FR14 2004_x000D_1010", "FR14 2004 1010"},
	{"UTF-8 twice", UTF8, "FR14\u00c2\u00a02004\u00c2\u00a01010", "FR14\u00a02004\u00a01010"},
	{"UTF-8 twice, its blanks made plain", UTF8, "FR14\u00c2 2004\u00c2 1010", "FR14 2004 1010"},
	{"UTF-8 twice, three bytes", UTF8, "KD\u00e2\u20ac\u201c7740912", "KD\u20137740912"},
	{"UTF-8 twice, thin blank", UTF8, "FR14\u00e2\u20ac\u00af2004", "FR14\u202f2004"},
	{"UTF-8 that says Latin", LATIN, "FR14\xc2\xa0" "2004", "FR14\u00a02004"},
	{"blank of the Macintosh", LATIN, "FR14\xca" "2004\xca" "1010", "FR14 2004 1010"},
	{"blank of DOS", LATIN, "FR14\xff" "2004", "FR14 2004"},
	{"blank of Windows in DOS", LATIN, "FR14\xe1" "2004", "FR14 2004"},
	{"UTF-8 in DOS", UTF8, "FR14\u252c\u00e12004", "FR14 2004"},
	{"UTF-8 in the Macintosh", UTF8, "FR14\u00ac\u20202004", "FR14 2004"},
	{"dash of Windows in DOS", UTF8, "KD\u00fb7740912", "KD-7740912"},
	{"letters turned round", UTF8, "\u202e2190477-DK\u202c of", "KD-7740912 of"},
	{"letters turned round to the end", UTF8, "of \u202e2190477-DK", "of KD-7740912"},
	{"drawn table", UTF8, "\u2502 4711 \u2502 4712 \u2502", "| 4711 | 4712 |"},
	{"the next line", UTF8, "FR14&nbsp;2004\n1010 0505\nhello", "FR14\u00a02004\n1010 0505\n"},
	{"the line before", UTF8, "hello\nFR14 2004\n1010&nbsp;0505", "FR14 2004\n1010\u00a00505\n"},
	{"subject", "plain\r\nSubject: KD&#45;7740912", "hello", "KD-7740912"},
	{"twin: accents", UTF8, "M\u00fcller, Stra\u00dfe 4, 1\u00e8re, \u00c2ge, S\u00e3o \u00e1 4", NULL},
	{"twin: accents in Latin", LATIN, "M\xfcller 4\xb0 \xa7 5 Se\xf1or 12 \xc2 b", NULL},
	{"twin: links", UTF8, "https://a.example/?a=1&b=2&copy=3&id=20", NULL},
	{"twin: signs", UTF8, "AT&T, R&D; 1 < 2 > 0, a=b, a == b, C:\\Users\\me, snake_x_case", NULL},
	{"twin: brackets", UTF8, "a[1] [x] [Anna] [1]: m^2, 10^4", NULL},
	{"twin: an address", UTF8, "Anna <anna@alpha.example> wrote <https://a.example/>:", NULL},
	{"twin: typography", UTF8, "\u201cKD\u201d \u2013 4711 \u2020 4\u00a0000 \u20ac", NULL},
	{"twin: half of one", UTF8, "& &# &; <b <> =C =\\ \\u00 _x00_ \u00e2\u20ac \u202c", NULL},
};

#define IBAN "FR14 2004 1010 0505\n0001 3M02 606\n\n"

static const Row columns[] = {
	{"beside another", UTF8, "Name  IBAN                 Sum\n----  -------------------  ---\n"
		"Anna  FR14 2004 1010 0505  12\n      0001 3M02 606\nBert  DE\n", IBAN},
	{"between bars", UTF8, "| Anna | FR14 2004 1010 0505 | 12 |\n|      | 0001 3M02 606 | |\n", IBAN},
	{"a drawn table", UTF8, "\u2502 Anna \u2502 FR14 2004 1010 0505 \u2502 12 \u2502\n"
		"\u2502 \u2502 0001 3M02 606 \u2502 \u2502\n", IBAN},
	{"tabs", UTF8, "Anna\tFR14 2004 1010 0505\t12\n\t0001 3M02 606\n", IBAN},
	{"quoted", UTF8, "> Anna  FR14 2004 1010 0505  12\n>       0001 3M02 606\n", IBAN},
	{"behind other letters", UTF8, "M\u00fcller  FR14 2004 1010 0505  12\r\n        0001 3M02 606\r\n",
		IBAN},
	{"three lines", UTF8, "Anna  KD-77  12\n      409\n      12\n", "KD-77\n409\n12\n\n"},
	{"an address", UTF8, "Anna  c.d@     12\n      customer.example\n", "c.d@\ncustomer.example"},
	{"two columns", UTF8, "Anna  KD-77  Bonn 5311\n      409    3\n",
		"KD-77\n409\n\nBonn 5311\n3\n\n"},
	{"names above values", UTF8, "Day\tCustomer no.\tSum due\n\t4711\t8899\n",
		"Customer no.\n4711Sum due\n8899"},
	{"twin: figures", UTF8, "Anna  4829  12\n      1746  13\n", NULL},
	{"twin: another row", UTF8, "Anna  KD-77  12\nBert  40912  13\n", NULL},
	{"twin: another column", UTF8, "Anna  KD-77  12\n    40912\n", NULL},
	{"twin: another row between bars", UTF8, "| Anna | KD-77 | 12 |\n| Bert | 40912 | 13 |\n", NULL},
	{"twin: a line between", UTF8, "Anna  KD-77  12\n\n      40912\n", NULL},
	{"twin: words", UTF8, "  We thank you\n    for 4711\n", NULL},
};

static void test_row(gconstpointer data)
{
	const Row *row = data;
	bool column = row >= columns && row < columns + G_N_ELEMENTS(columns);
	g_autofree char *got =
		beside(column ? " (columns)" : " (undone)", row->type, row->text);
	if (row->found != NULL && strstr(got, row->found) == NULL)
		g_error("got \"%s\", want \"%s\" in it", got, row->found);
	if (row->found == NULL && *got != '\0')
		g_error("got \"%s\", want nothing", got);
}

/* However long a line is, and whatever it has in it. */
static void test_linear(void)
{
	const char *const pieces[] = {"<b", "&amp;", "\u202e", "\\", "=C2", "_x", "\u00e2\u20ac", "<",
		"  a", "|", "a  b1@\n   "};
	for (gsize i = 0; i < G_N_ELEMENTS(pieces); i++) {
		g_autoptr(GString) text = g_string_new(NULL);
		while (text->len < 400000)
			g_string_append(text, pieces[i]);
		gint64 start = g_get_monotonic_time();
		g_free(beside(" (undone)", UTF8, text->str));
		gint64 took = g_get_monotonic_time() - start;
		if (took > 5 * G_USEC_PER_SEC)
			g_error("\"%s\" took %" G_GINT64_FORMAT " us", pieces[i], took);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ms_message_init();
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strdup_printf("/undone/%s", rows[i].name);
		g_test_add_data_func(path, &rows[i], test_row);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(columns); i++) {
		g_autofree char *path = g_strdup_printf("/columns/%s", columns[i].name);
		g_test_add_data_func(path, &columns[i], test_row);
	}
	g_test_add_func("/undone/linear", test_linear);
	return g_test_run();
}
