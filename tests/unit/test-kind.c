/*
 * Kinds: canonical forms, check digits, other forms of a value, labels, masks, and mistakes in
 * kinds.conf.
 */
#include "config.h"

#include "missent/answer.h"
#include "missent/compact.h"
#include "missent/identifier.h"
#include "missent/kind.h"

#include "../test.h"

static MsKinds *shipped(void)
{
	g_autofree char *text = read_source("policies/kinds.conf");
	g_autoptr(GError) error = NULL;
	MsKinds *kinds = ms_kinds_parse("kinds.conf", text, &error);
	g_assert_no_error(error);
	return kinds;
}

/* ---- one form of each value ----------------------------------------------------------- */

static void expect_form(const MsKind *kind, const char *want, const char *text, const char *how)
{
	const char *why = NULL;
	g_autofree char *value = ms_kind_canonical(kind, text, strlen(text), &why);
	g_autofree char *mark = ms_compact_of(want, strlen(want));
	g_autofree char *met = ms_compact_of(text, strlen(text));
	g_test_message("%s: \"%s\"", how, text);
	g_assert_cmpstr(value, ==, want);
	g_assert_cmpstr(met, ==, mark);
}

/* However a value is stored, mail has it in any case, composed or not: it is one identifier, its
 * form is its own form, and a text is compared with what the mark was made of. */
static void test_one_form(void)
{
	static const char *const values[] = {"кл-7790", "Клиент-77903", "договор-77908", "Πα77849",
		"Дв-77907", "зак-778123", "Й-100", "ёж-77901", "Ώρα-77902", "πας-77904", "ΐδα-5",
		"Straße-77", "ﬁx-99", "ŉ-12345", "քաղաք-77", "և-771", "ǰ-77123", "ſ-7712", "ド-7712",
		"ﾄﾞ-7712", "が-77", "ქართ-771", "Ꭰ-771", "İzmir-77", "ısı-77", "\u212a-1000", "ЗАКАЗ-З1",
		"ϐeta-77", "ᲀ-77", "Ѓ-9001", "µ-77", "əƏ-771", "C-10001", "ÄÖ-77", "ﻌﺮﺑ-77", "豈-771"};
	g_autoptr(MsKinds) kinds = shipped();
	const MsKind *kind = ms_kinds_find(kinds, "customer-number");
	for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
		const char *why, *v = values[i];
		g_autofree char *upper = g_utf8_strup(v, -1), *lower = g_utf8_strdown(v, -1);
		g_autofree char *turned = g_utf8_strup(lower, -1);
		g_autofree char *want = ms_kind_canonical(kind, v, strlen(v), &why);
		g_assert_nonnull(want);
		expect_form(kind, want, want, "its own");
		expect_form(kind, want, upper, "in capitals");
		expect_form(kind, want, lower, "small");
		expect_form(kind, want, turned, "small, in capitals");
		for (int mode = G_NORMALIZE_DEFAULT; mode <= G_NORMALIZE_ALL_COMPOSE; mode++) {
			g_autofree char *other = g_utf8_normalize(v, -1, (GNormalizeMode)mode);
			g_autofree char *capitals =
				g_utf8_normalize(upper, -1, (GNormalizeMode)mode);
			expect_form(kind, want, other, "composed otherwise");
			expect_form(kind, want, capitals, "composed otherwise, in capitals");
		}
	}
}

/* The same of every letter there is, by itself. */
static void test_every_letter(void)
{
	g_autoptr(MsKinds) kinds = shipped();
	const MsKind *kind = ms_kinds_find(kinds, "customer-number");
	guint letters = 0;
	for (gunichar c = 0x80; c < 0x20000; c++) {
		const char *why;
		if (!g_unichar_isalpha(c) || !g_unichar_validate(c))
			continue;
		g_autoptr(GString) text = g_string_new("77x-"), other = g_string_new("77x-"),
				   third = g_string_new("77x-");
		g_string_append_unichar(text, c);
		g_string_append_unichar(other, g_unichar_toupper(c));
		g_string_append_unichar(third, g_unichar_tolower(c));
		g_autofree char *want = ms_kind_canonical(kind, text->str, text->len, &why);
		if (want == NULL) /* too short without it */
			continue;
		expect_form(kind, want, want, "its own");
		expect_form(kind, want, other->str, "in capitals");
		expect_form(kind, want, third->str, "small");
		letters++;
	}
	g_assert_cmpuint(letters, >, 20000);
}

/* What is another value stays one. */
static void test_others(void)
{
	static const char *const rows[][2] = {{"кл-7790", "кд-7790"}, {"кл-7790", "л-7790"},
		{"З-77901", "3-77901"},
		{"Πα77849", "Ππ77849"}, {"зак-778123", "зак-77812"}, {"ш-7790", "щ-7790"}, {"カ-771", "キ-771"}};
	g_autoptr(MsKinds) kinds = shipped();
	const MsKind *kind = ms_kinds_find(kinds, "customer-number");
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *why;
		g_autofree char *a = ms_kind_canonical(kind, rows[i][0], strlen(rows[i][0]), &why);
		g_autofree char *b = ms_kind_canonical(kind, rows[i][1], strlen(rows[i][1]), &why);
		g_assert_cmpstr(a, !=, b);
	}
}

static void test_canonical(void)
{
	static const struct {
		const char *kind, *input, *want; /* NULL: refused */
	} rows[] = {
		{"iban", "DE89 3704 0044 0532 0130 00", "DE89370400440532013000"},
		{"iban", "fr76 3000 6000 0112 3456 7890 189", "FR7630006000011234567890189"},
		{"iban",
			"DE89\xc2\xa0"
			"3704\xc2\xa0"
			"0044\xc2\xa0"
			"0532\xc2\xa0"
			"0130\xc2\xa0"
			"00",
			"DE89370400440532013000"},
		{"iban", "DE88 3704 0044 0532 0130 00", NULL},
		{"iban", "DE8937040044053201300", NULL},
		{"iban", "", NULL},
		{"subscription-id", "6F1D2A33-0b64-4c02-9d7e-5a1f0c9b7e21",
			"6F1D2A330B644C029D7E5A1F0C9B7E21"},
		{"subscription-id", "00000000-0000-0000-0000-000000000000", NULL},
		{"subscription-id", "6f1d2a33-0b64-4c02-9d7e-5a1f0c9b7e2", NULL},
		{"vat-id", "DE 136.695.976", "DE136695976"},
		{"vat-id", "ATU12345678", "ATU12345678"},
		{"vat-id", "CHE-123.456.789 MWST", "CHE123456789MWST"},
		{"vat-id", "NL123456789B01", "NL123456789B01"},
		{"vat-id", "NL5790000435975", NULL},
		{"vat-id", "ZZ123456789", NULL},
		{"vat-id", "DE12345678", NULL},
		{"tax-id", "145671245603003", "145671245603003"},
		{"tax-id", "51 824 753 556", "51824753556"},
		{"tax-id", "DE136695976", NULL},
		{"tax-id", "12 34", NULL},
		{"email", "John.Doe@Example.COM", "john.doe@example.com"},
		{"email", "<john@k\xc3\xb6ln.example>", "john@xn--kln-sna.example"},
		{"email", "john@xn--kln-sna.example", "john@xn--kln-sna.example"},
		{"email", "john", NULL},
		{"email", "john@localhost", NULL},
		{"email", "@example.com", NULL},
		{"customer-number", "C-10 001", "C10001"},
		{"customer-number", "c.10/001", "C10001"},
		{"customer-number", "--", NULL},
		{"billing-address", "Pappelallee 15, 12345 Leipzig, DE", "12345/15/pappelal"},
		{"billing-address", "12345 LEIPZIG\nPappelallee 15\nDE", "12345/15/pappelal"},
		{"billing-address",
			"Teststra\xc3\x9f"
			"e, 12345 Testhausen",
			"12345 testhausen teststrasse"},
		{"billing-address", "no number here", NULL},
	};
	g_autoptr(MsKinds) kinds = shipped();
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const MsKind *kind = ms_kinds_find(kinds, rows[i].kind);
		g_assert_nonnull(kind);
		gsize len = strlen(rows[i].input);
		char *input = exact_copy(rows[i].input, len);
		const char *why = NULL;
		g_autofree char *got = ms_kind_canonical(kind, input, len, &why);
		g_test_message("%s \"%s\"", rows[i].kind, rows[i].input);
		g_assert_cmpstr(got, ==, rows[i].want);
		if (got == NULL)
			g_assert_nonnull(why);
		free(input);
	}
}

/* Check digits of tax numbers; with one digit changed they are wrong. */
static void test_tax(void)
{
	static const char *const right[] = {"27AAPFU0939F1ZV", "51824753556", "004085616",
		"4540536920", "11222333000181", "5835678256246", "2208162517", "91110000600037341L",
		"4190251432", "7707083893", "20267565393", "125319092", "2131234321", "20100070970",
		"001561191000066", "123026635RT0001", "49091850", "32855961", "101134702",
		"GODE561231GR8", "T5835678256246", "AU51824753556"};
	g_autoptr(MsKinds) kinds = shipped();
	const MsKind *kind = ms_kinds_find(kinds, "tax-id");
	guint wrong = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(right); i++) {
		g_autofree char *other = g_strdup(right[i]);
		char *digit = other + strcspn(other, "3456789");
		*digit = (char)(*digit - 1);
		if (!ms_kind_checked(kind, right[i]) || ms_kind_checked(kind, other)) {
			g_test_message("%s: %d, %s: %d", right[i], ms_kind_checked(kind, right[i]),
				other, ms_kind_checked(kind, other));
			wrong++;
		}
	}
	g_assert_cmpuint(wrong, ==, 0);
	/* no check digits that are public */
	g_assert_false(ms_kind_checked(kind, "100234567800003"));
}

/* ISO/IEC 7064, MOD 97-10: what has check digits of it leaves one. */
static void test_97(void)
{
	static const struct {
		int before;
		const char *text;
		int want;
	} rows[] = {
		{0, "", 0}, {5, "", 5}, {0, "96", 96}, {0, "97", 0}, {1, "00", 3}, {0, "A", 10},
		{0, "Z", 35}, {0, "529900T8BM49AURSDO55", 1}, {0, "529900T8BM49AURSDO56", 2},
		{0, "370400440532013000DE89", 1}, {0, "04052 1", -1}, {0, "12a4", -1}, {0, "-1", -1},
		{-1, "12", -1}, {-1, "", -1},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		gsize len = strlen(rows[i].text);
		char *text = exact_copy(rows[i].text, len);
		g_test_message("%d \"%s\"", rows[i].before, rows[i].text);
		g_assert_cmpint(ms_kind_mod_97(rows[i].before, text, len), ==, rows[i].want);
		free(text);
	}
	/* of companies by the older rule, of sole traders by this one */
	static const char *const dutch[][2] = {{"NL004495445B01", "NL004495446B01"},
		{"NL123456789B13", "NL123456789B14"}, {"NL000099998B57", "NL000099998B75"}};
	g_autoptr(MsKinds) kinds = shipped();
	const MsKind *vat = ms_kinds_find(kinds, "vat-id");
	for (gsize i = 0; i < G_N_ELEMENTS(dutch); i++) {
		g_assert_true(ms_kind_checked(vat, dutch[i][0]));
		g_assert_false(ms_kind_checked(vat, dutch[i][1]));
	}
}

/* The directory knows values under other forms too, which a text may have: no check digits agree
 * in one that has not the form of its kind, and nothing behind its end is looked at. */
static void test_other_forms(void)
{
	static const struct {
		const char *kind, *value;
	} rows[] = {
		{"vat-id", "DE136695976"}, {"vat-id", "DE1366959765"}, {"vat-id", "DE13669597"},
		{"vat-id", "BE0428759497"}, {"vat-id", "ROMANIA"}, {"vat-id", "RO12345678901234567890"},
		{"vat-id", "HR123456789"}, {"vat-id", "SE123456789"}, {"vat-id", "IT"},
		{"vat-id", "CHE123456788MWST"}, {"vat-id", "ES"}, {"vat-id", "136695976"},
		{"iban", "DE44500105175407324931"}, {"iban", "500105175407324931"},
		{"iban", "20001453990800"}, {"tax-id", "DE136695976"}, {"tax-id", "1"},
		{"gln", "4304171000002"}, {"gln", "430417100000"}, {"lei", "529900T8BM49AURSDO55"},
		{"lei", "529900T8BM49"}, {"payment-card", "4111111111111111"},
	};
	g_autoptr(MsKinds) kinds = shipped();
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const MsKind *kind = ms_kinds_find(kinds, rows[i].kind);
		const char *why;
		g_assert_nonnull(kind);
		g_autofree char *value = exact_copy(rows[i].value, strlen(rows[i].value) + 1);
		g_autofree char *canonical = ms_kind_canonical(kind, value, strlen(value), &why);
		if (canonical == NULL && ms_kind_checked(kind, value))
			g_error("%s %s: it is refused, and its check digits agree", rows[i].kind, value);
	}
}

static void test_luhn(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsKinds) kinds = ms_kinds_parse("k",
		"kind \"card\" { pattern = {'\\d{16}'}\n check = luhn\n canonical = digits }",
		&error);
	g_assert_no_error(error);
	const MsKind *kind = ms_kinds_find(kinds, "card");
	const char *why;
	g_autofree char *good = ms_kind_canonical(kind, "4111 1111 1111 1111", 19, &why);
	g_autofree char *bad = ms_kind_canonical(kind, "4111 1111 1111 1112", 19, &why);
	g_autofree char *letters = ms_kind_canonical(kind, "4111x", 5, &why);
	g_assert_cmpstr(good, ==, "4111111111111111");
	g_assert_null(bad);
	g_assert_null(letters);
}

static void test_mistakes(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"", "defines no kind"},
		{"kind \"A b\" { pattern = {'x'} }", "lower-case letters"},
		{"kind \"a\" { }", "pattern: is missing"},
		{"kind \"a\" { pattern = {'('} }", "bad pattern at character"},
		{"kind \"a\" {\npattern = {'x'}\ncheck = ibam }", "did you mean \"iban\"?"},
		{"kind \"a\" { pattern = {'x'}\n label-required = yes }", "labels: is missing"},
		{"kind \"a\" { pattern = {'x'}\n min-length = 9\n max-length = 3 }",
			"greater than"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_assert_null(ms_kinds_parse("k.conf", rows[i].text, &error));
		g_assert_error(error, MS_ERROR, MS_ERROR_CONFIG);
		if (strstr(error->message, rows[i].want) == NULL)
			g_error("got \"%s\", want \"%s\"", error->message, rows[i].want);
	}
}

/* What Postfix and Sendmail make of an address that ends at them. */
static void test_routes(void)
{
	static const struct {
		const char *input, *want;
	} rows[] = {
		{"a@b.example", "a@b.example"},
		{"<a@b.example>", "a@b.example"},
		{"\"a\"@b.example", "a@b.example"},
		{"a+b=c.example@d.example", "a+b=c.example@d.example"},
		{"a%b.example@c.example", "a%b.example@c.example a@b.example"},
		{"b.example!a@c.example", "b.example!a@c.example a@b.example"},
		{"\"a@b.example\"@c.example", "a@b.example@c.example a@b.example"},
		{"a\\@b.example@c.example", "a@b.example@c.example a@b.example"},
		{"a@b.example@c.example", "a@b.example@c.example a@b.example"},
		{"@x.example,@y.example:a@b.example", "a@b.example"},
		{"@x.example:a%b.example@c.example", "a%b.example@c.example a@b.example"},
		{"\"a%b.example\"@c.example", "a%b.example@c.example a@b.example"},
		{"b.example::a@c.example", "b.example::a@c.example a@b.example"},
		{"a%b.example%d.example@c.example",
			"a%b.example%d.example@c.example a%b.example@d.example a@b.example"},
		{"d.example!b.example!a@c.example",
			"d.example!b.example!a@c.example b.example!a@d.example a@b.example"},
		{"b.example!a", "a@b.example"},
		{"a%b.example", "a@b.example"},
		{"a", ""},
		{"", ""},
		/* Each of these is a mailbox to Postfix. */
		{"a\\b@c.example", "ab@c.example"},
		{"\"a\\b\"@c.example", "ab@c.example"},
		{"\"a@b.example\"", "a@b.example"},
		{"a@\"b.example\"", "a@b.example"},
		{"a@b\\c.example", "a@bc.example"},
		{"a@b.example(c)", "a@b.example"},
		{"a(c (d) \\) e)@b.example", "a@b.example"},
		{"(@c.example)a@b.example", "a@b.example"},
		{" a @ b.example ", "a@b.example"},
		{"a(c) @ b . example", "a@b.example"},
		{"Name <a@b.example>", "a@b.example"},
		{"<a@b.example> ORCPT=rfc822;c@d.example", "a@b.example"}, /* Sendmail 8.17.1 */
		{"<<a@b.example>>", "a@b.example"},
		{"<@x.example:a@b.example>", "a@b.example"},
		/* And of these nobody knows. */
		{"a b@c.example", ""},
		{"\"a b\"@c.example", ""},
		{"a@b.example c@d.example", ""},
		{"\"a@b.example>", ""},
		{"a@b.example)", ""},
		{"<>", ""},
		{"\\", ""},
		{"100%@b.example", "100%@b.example"},
		{"a!@b.example", "a!@b.example"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GPtrArray) got = ms_address_readings(rows[i].input);
		g_ptr_array_add(got, NULL);
		g_autofree char *joined = g_strjoinv(" ", (char **)got->pdata);
		g_test_message("\"%s\"", rows[i].input);
		g_assert_cmpstr(joined, ==, rows[i].want);
	}
	g_autofree char *many = g_strnfill(300, '!');
	for (int i = 0; i < 300; i += 2)
		many[i] = 'a';
	g_autoptr(GPtrArray) got = ms_address_readings(many);
	g_assert_cmpuint(got->len, <=, 20);
	g_assert_cmpstr(got->pdata[got->len - 1], ==, ""); /* too many to follow: nobody's */
	g_assert_true(ms_address_is_routed("@x.example:a@b.example"));
	g_assert_true(ms_address_is_routed("a%b.example@c.example"));
	g_assert_false(ms_address_is_routed("a@b.example"));
	static const char *const wrapped[] = {"@x.example:a@b.example", " @x.example,@y.example:a@b.example",
		"(c)@x.example:a@b.example", "<a@b.example>", "Anna <a@b.example>", "\"A\" <@x.example:a@b.example>"};
	static const char *const bare[] = {"a@b.example", "\"a\"@b.example", "a%b.example@c.example",
		"b.example!a", "a@b.example.", "a(c)@b.example", ""};
	for (gsize i = 0; i < G_N_ELEMENTS(wrapped); i++)
		g_assert_true(ms_address_is_wrapped(wrapped[i]));
	for (gsize i = 0; i < G_N_ELEMENTS(bare); i++)
		g_assert_false(ms_address_is_wrapped(bare[i]));
}

static void test_address(void)
{
	static const struct {
		const char *input, *want;
	} rows[] = {
		{"A@B.example", "a@b.example"}, {"<a@b.example>", "a@b.example"},
		{"\"a\"@b.example", "a@b.example"}, {"@B.example", "@b.example"},
		{"*@b.example", "@b.example"}, {"a@b.example.", "a@b.example"},
		{"a@M\xc3\x9cnchen.example", "a@xn--mnchen-3ya.example"}, {"a b@c.example", NULL},
		{"a@b example", NULL}, {"", NULL}, {"@", NULL}, {"a@", NULL}, {"a@b,c", NULL},
		{"<>", NULL},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = ms_address_canonical(rows[i].input, strlen(rows[i].input));
		g_test_message("\"%s\"", rows[i].input);
		g_assert_cmpstr(got, ==, rows[i].want);
	}
	g_autofree char *a = ms_address_untagged("a+b@c.example", "+");
	g_autofree char *b = ms_address_untagged("a-b@c.example", "+-");
	g_assert_cmpstr(a, ==, "a@c.example");
	g_assert_cmpstr(b, ==, "a@c.example");
	g_assert_null(ms_address_untagged("a@c+d.example", "+"));
	g_assert_null(ms_address_untagged("+b@c.example", "+"));
	g_assert_null(ms_address_untagged("a+b@c.example", ""));
}

static void test_masked(void)
{
	static const struct {
		const char *value, *want;
	} rows[] = {
		{"DE89370400440532013000", "DE**************00"}, {"4711", "****"},
		{"C10001", "****01"}, {"john@customer.example", "j***@c***.example"},
		{"12345 15 de leipzig", "1*** 1*** d***"}, {"", ""},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = ms_identifier_masked(rows[i].value);
		g_assert_cmpstr(got, ==, rows[i].want);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/kind/one-form", test_one_form);
	g_test_add_func("/kind/every-letter", test_every_letter);
	g_test_add_func("/kind/others", test_others);
	g_test_add_func("/kind/canonical", test_canonical);
	g_test_add_func("/kind/routes", test_routes);
	g_test_add_func("/kind/luhn", test_luhn);
	g_test_add_func("/kind/97", test_97);
	g_test_add_func("/kind/tax", test_tax);
	g_test_add_func("/kind/other-forms", test_other_forms);
	g_test_add_func("/kind/mistakes", test_mistakes);
	g_test_add_func("/kind/address", test_address);
	g_test_add_func("/kind/masked", test_masked);
	return g_test_run();
}
