/*
 * HTML and plain text, charsets, and the inventory: what is read, what is told as unread, and
 * that time grows no faster than the input.
 */
#include "config.h"

#include <string.h>

#include "missent/extract.h"
#include "missent/inventory.h"

#include "../../milter/extract/html.h"
#include "../../milter/extract/plain.h"
#include "../test.h"

typedef struct {
	const char *html;
	/* must be contained; NULL: must be empty */
	const char *visible, *hidden, *attributes, *comments;
} Row;

static const Row rows[] = {
	{"<p>4711<wbr>0818</p>", "47110818", NULL, NULL, NULL},
	{"<b>47</b><span>11</span>", "4711", NULL, NULL, NULL},
	{"47<!-- x -->11", "4711", NULL, NULL, "x"},
	{"<td>Customer</td><td>4711</td>", "Customer\t4711", NULL, NULL, NULL},
	{"<p>a</p><p>b</p>", "a\nb", NULL, NULL, NULL},
	{"a<br>b<br/>c", "a\nb\nc", NULL, NULL, NULL},
	{"&#52;&#x37;&#49&#49;", "4711", NULL, NULL, NULL},
	{"M&uuml;ller &amp; S&ouml;hne &euro; &notit;",
		"M\xc3\xbcller & S\xc3\xb6hne \xe2\x82\xac \xc2\xacit;", NULL, NULL, NULL},
	{"&#128; &#0; &#xD800; &#1114112;", "\xe2\x82\xac", NULL, NULL, NULL},
	{"& &; &# &#x; &unknown;", "& &; &# &#x; &unknown;", NULL, NULL, NULL},
	{"a  \n  b", "a b", NULL, NULL, NULL},
	{"<pre>a\n  b</pre>", "a\n  b", NULL, NULL, NULL},
	{"47<span style=\"display: none\">secret</span>11", "4711", "secret", NULL, NULL},
	{"47<span style='DISPLAY:NONE'>x<span>y</span>z</span>11", "4711", "xyz", NULL, NULL},
	{"<div hidden>secret</div>shown", "shown", "secret", NULL, NULL},
	{"<p style=\"font-size:0\">secret</p>shown", "shown", "secret", NULL, NULL},
	{"<p style=\"font-size:0.9em\">shown</p>", "shown", NULL, NULL, NULL},
	/* Letters of no size, and within them those with a size of their own. */
	{"<p style='font-size:0'>secret<b style='font-size:1.2em'>ly</b></p>shown", "shown", "secretly",
		NULL, NULL},
	{"a<div style='font-size:0px'><span style='font-size:13px'>b</span></div>c", "a\nb\nc", NULL,
		NULL, NULL},
	{"<td style='font-size:0;padding:1px'><div style='font:bold 13px x'>Customer</div></td>"
	 "<td>4711</td>", "Customer\n4711", NULL, NULL, NULL},
	{"<div style='font-size:0'>no<div style='font-size:9pt'>yes</div></div>", "yes", "no", NULL,
		NULL},
	{"<div style='font-size:0'><p style='display:none'>no<b style='font-size:9pt'>no</b></p></div>yes",
		"yes", "nono", NULL, NULL},
	{"<script>var id = \"4711\";</script>x", "x", "4711", NULL, NULL},
	{"<style>.c4711{}</style>x", "x", "4711", NULL, NULL},
	{"<a href=\"https://x.example/?inv=INV%2D1&amp;b=2\">here</a>", "here", NULL,
		"?inv=INV-1&b=2", NULL},
	{"<a href=\"x?n=M%FCller,%20Ulm&amp;d=5% off&amp;i=INV%2D1\">here</a>", "here", NULL,
		"x?n=Müller, Ulm&d=5% off&i=INV-1", NULL},
	{"<img alt=\"INV-1\" src=x>", NULL, NULL, "INV-1", NULL},
	{"<input type=hidden value=INV-1>", NULL, NULL, "INV-1", NULL},
	{"a<input value=INV-1>b", "a INV-1 b", NULL, "INV-1", NULL},
	{"<i data-id='INV-1'>x</i>", "x", NULL, NULL, NULL},
	{"<!--[if mso]><td>INV-1</td><![endif]-->x", "x", NULL, NULL, "INV-1"},
	{"<!-- never closed INV-1", NULL, NULL, NULL, "INV-1"},
	{"<p never closed", NULL, NULL, NULL, NULL},
	{"a < b > c", "a < b > c", NULL, NULL, NULL},
	{"<title>INV-1</title>", "INV-1", NULL, NULL, NULL},
	{"</p></p>x", "x", NULL, NULL, NULL},
	{"<script>never closed INV-1", "INV-1", "INV-1", NULL, NULL},
	{"<a href=\"never closed INV-1", NULL, NULL, "INV-1", NULL},
	{"", NULL, NULL, NULL, NULL},
};

static void expect(gsize row, const char *what, const GString *got, const char *want)
{
	bool fine = want != NULL ? strstr(got->str, want) != NULL
				 : strspn(got->str, " \n\t") == got->len;
	if (!fine)
		g_error("row %zu, %s: got \"%s\", want \"%s\"", row, what, got->str,
			want ? want : "");
}

static void test_html(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(MsHtml) out = ms_html_new();
		gsize len = strlen(rows[i].html);
		char *input = exact_copy(rows[i].html, len);
		ms_html_read(input, len, out);
		free(input);
		expect(i, "visible", out->visible, rows[i].visible);
		expect(i, "hidden", out->hidden, rows[i].hidden);
		expect(i, "attributes", out->attributes, rows[i].attributes);
		expect(i, "comments", out->comments, rows[i].comments);
	}
}

/* Inputs on which parsers that build a tree are quadratic or recurse. */
static void test_html_linear(void)
{
	static const struct {
		const char *unit;
		gsize n;
	} bombs[] = {{"<div>", 400000}, {"<a b=c ", 300000}, {"&", 2000000}, {"<", 2000000},
		{"<!--", 500000}, {"<script>", 250000}, {"<b><i>", 300000}, {"&amp", 500000},
		{"<x style=\"", 200000}};
	for (gsize i = 0; i < G_N_ELEMENTS(bombs); i++) {
		g_autoptr(GString) text = g_string_new(NULL);
		for (gsize k = 0; k < bombs[i].n; k++)
			g_string_append(text, bombs[i].unit);
		g_autoptr(MsHtml) out = ms_html_new();
		gint64 start = cpu_time();
		ms_html_read(text->str, text->len, out);
		gint64 took = cpu_time() - start;
		g_test_message("%s: %" G_GINT64_FORMAT " us", bombs[i].unit, took);
		/* Quadratic would be hours. */
		g_assert_cmpint(took, <, 30 * G_USEC_PER_SEC);
	}
}

static void test_unflow(void)
{
	static const struct {
		const char *input;
		bool delsp;
		const char *want;
	} cases[] = {
		{"a \nb\n", false, "a b\n"},
		{"a \nb\n", true, "ab\n"},
		{"-- \nx\n", false, "-- \nx\n"},
		{" >a\n", false, ">a\n"},
		{">> a \n>> b\n", false, "a b\n"},
		{"a\r\nb", false, "a\nb\n"},
		{"", false, ""},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GString) got =
			ms_plain_unflow(cases[i].input, strlen(cases[i].input), cases[i].delsp);
		g_assert_cmpstr(got->str, ==, cases[i].want);
	}
}

static void test_charsets(void)
{
	static const struct {
		const char *charset, *input;
		gsize len;
		const char *want;
		bool known;
	} cases[] = {
		{"iso-8859-15", "\xa4", 1, "\xe2\x82\xac", true},
		{"LATIN1", "\xe9", 1, "\xc3\xa9", true},
		{"koi8-r", "\xd7", 1, "\xd0\xb2", true},
		{"gb2312", "\xb7\xa2", 2, "\xe5\x8f\x91", true},
		{"big5", "\xb5\x6f", 2, "\xe7\x99\xbc", true},
		{"shift_jis", "\x90\xbf", 2, "\xe8\xab\x8b", true},
		{"euc-kr", "\xc3\xbb", 2, "\xec\xb2\xad", true},
		{"utf-16be", "\0A", 2, "A", true},
		{"utf-16", "\xfe\xff\0A", 4, "A", true},
		{"utf-32", "A\0\0\0", 4, "A", true},
		{"us-ascii", "\xe9", 1, "\xc3\xa9", true},
		{"utf-8",
			"\xef\xbb\xbf"
			"A",
			4, "A", true},
		{"iso-8859-1",
			"\xff\xfe"
			"A\0",
			4, "A", true}, /* a mark is stronger than a label */
		{"utf-16", "A", 1, "\xef\xbf\xbd", true},
		{"utf-16le", "A\0B", 3, "AB", true}, /* who ends a string at its zeros */
		{"utf-16le", "A\0\xe9", 3, "A\xc3\xa9", true},
		{"utf-16be", "\0A\0", 3, "A\xef\xbf\xbd", true},
		{"utf-32le", "A\0\0\0B", 5, "AB", true},
		{"utf-32le", "A\0\0\0B\0\0", 7, "AB", true},
		{"utf-32be", "\0\0\0A\0\0\0", 7, "A\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", true},
		{"ibm01140", "\xd2", 1, "K", true},
		{"nonesuch", "A", 1, "A", true},
		{"nonesuch", "\xe9", 1, "\xc3\xa9", false},
		{"nonesuch", "A~{", 3, "A~{", false},
		{"", "A", 1, "A", true},
		{"", "\xe9", 1, "\xc3\xa9", false},
		{"unknown-8bit", "\xe9", 1, "\xc3\xa9", true},
		{"cp852", "\x82", 1, "\xc3\xa9", true},
		{"IBM866", "\x82", 1, "\xd0\x92", true},
		{NULL, "A", 1, "A", true},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *input = exact_copy(cases[i].input, cases[i].len);
		GString *got;
		bool known =
			ms_charset_decode(cases[i].charset, (guint8 *)input, cases[i].len, &got);
		g_test_message("%s", cases[i].charset);
		g_assert_cmpstr(got->str, ==, cases[i].want);
		g_assert_cmpint(known, ==, cases[i].known);
		g_string_free(got, TRUE);
		free(input);
	}
}

/* ---- the inventory -------------------------------------------------------------------- */

static bool take_even(gsize from, gsize to, void *user)
{
	*(guint *)user += 1;
	(void)to;
	return from % 2 == 0;
}

static void read_second(MsInventory *inventory, MsItem a, MsItem b)
{
	(void)a;
	ms_inventory_read(inventory, b);
}

static void bytes_of_both(MsInventory *inventory, MsItem a, MsItem b)
{
	ms_inventory_bytes(inventory, b, 10, 20);
	ms_inventory_bytes(inventory, a, 3, 8); /* gaps: 0-3, 8-10, 20-30 */
	ms_inventory_read(inventory, a);
	ms_inventory_read(inventory, b);
}

static void odd_gap(MsInventory *inventory, MsItem a, MsItem b)
{
	bytes_of_both(inventory, a, b);
	ms_inventory_bytes(inventory, a, 0, 9); /* gap: 9-10 */
}

static void note_first(MsInventory *inventory, MsItem a, MsItem b)
{
	ms_inventory_unread(inventory, a, MS_UNREAD_DAMAGED, "broken");
	ms_inventory_read(inventory, a); /* what was noted stays noted */
	ms_inventory_read(inventory, b);
}

static void leave_all(MsInventory *inventory, MsItem a, MsItem b)
{
	(void)inventory, (void)a, (void)b;
}

static void test_inventory(void)
{
	static const struct {
		const char *name;
		void (*reader)(MsInventory *inventory, MsItem a, MsItem b);
		guint unread, gaps;
		const char *where;
	} cases[] = {
		{"nothing settled", leave_all, 2, 0, "doc > a"},
		{"one of two", read_second, 1, 0, "doc > a"},
		{"one noted", note_first, 1, 0, "doc > a"},
		{"gaps that are taken", bytes_of_both, 0, 3, NULL},
		{"a gap that is not", odd_gap, 1, 2, "doc > bytes 9-9"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(MsReading) reading = ms_reading_new();
		MsInventory *inventory = ms_inventory_open(reading, "doc", "test", 30);
		guint gaps = 0;
		MsItem a = ms_inventory_item(inventory, "a");
		MsItem b = ms_inventory_item(inventory, "b");
		cases[i].reader(inventory, a, b);
		ms_inventory_close(inventory, take_even, &gaps);
		g_test_message("%s", cases[i].name);
		g_assert_cmpuint(reading->unread->len, ==, cases[i].unread);
		g_assert_cmpuint(gaps, ==, cases[i].gaps);
		if (cases[i].where != NULL)
			g_assert_cmpstr(
				((MsUnread *)reading->unread->pdata[0])->where, ==, cases[i].where);
	}
}

/* A reader that lists nothing has read nothing. */
static void test_inventory_forgotten(void)
{
	g_autoptr(MsReading) reading = ms_reading_new();
	ms_inventory_close(ms_inventory_open(reading, "doc", "test", 30), NULL, NULL);
	g_assert_cmpuint(reading->unread->len, ==, 1);
	ms_inventory_close(ms_inventory_open(reading, "whole", "test", 30), NULL, NULL);
	g_assert_cmpuint(reading->unread->len, ==, 2);
	MsInventory *whole = ms_inventory_open(reading, "read", "test", 30);
	ms_inventory_read(whole, MS_ITEM_WHOLE);
	ms_inventory_close(whole, NULL, NULL);
	g_assert_cmpuint(reading->unread->len, ==, 2);
}

/* More items than are walked are unread, however well the others were read. */
static void test_inventory_full(void)
{
	for (guint more = 0; more < 2; more++) {
		g_autoptr(MsReading) reading = ms_reading_new();
		MsInventory *inventory = ms_inventory_open(reading, "part 1", "test", 0);
		for (guint i = 0; i < MS_INVENTORY_MAX + more; i++)
			ms_inventory_read(inventory, ms_inventory_item(inventory, "an item"));
		ms_inventory_close(inventory, NULL, NULL);
		g_assert_cmpuint(reading->unread->len > 0, ==, more);
		if (more > 0)
			g_assert_cmpint(((MsUnread *)reading->unread->pdata[0])->reason, ==,
				MS_UNREAD_LIMIT);
	}
}

static void test_structural_item(const MsStructural *row, const char *item)
{
	g_test_message("%s %s", row->format, item);
	g_assert_cmpstr(ms_structural(row->format, item), ==, row->reason);
	/* one that names everything names nothing */
	g_assert_false(item[0] == '*' && item[1] == '\0');
	g_assert_false(item[0] == '?' && item[1] == '\0');
}

static void test_structural(void)
{
	const char *format = "";
	for (const MsStructural *row = ms_structural_rows; row->format != NULL; row++) {
		g_assert_cmpstr(format, <=, row->format);
		format = row->format;
		g_assert_cmpuint(strlen(row->reason), >, 10);
		for (const char *const *item = row->items; *item != NULL; item++)
			test_structural_item(row, *item);
	}
	g_assert_null(ms_structural("no such format", "x"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ms_charset_init();
	g_test_add_func("/extract/html/rows", test_html);
	g_test_add_func("/extract/html/linear", test_html_linear);
	g_test_add_func("/extract/plain/flowed", test_unflow);
	g_test_add_func("/extract/charsets", test_charsets);
	g_test_add_func("/extract/inventory/rows", test_inventory);
	g_test_add_func("/extract/inventory/forgotten", test_inventory_forgotten);
	g_test_add_func("/extract/inventory/full", test_inventory_full);
	g_test_add_func("/extract/structural", test_structural);
	return g_test_run();
}
