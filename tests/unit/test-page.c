/*
 * The words of the page: which language, how many of something, what others wrote down in English.
 */
#include "config.h"

#include "../../milter/review/page.h"
#include "../test.h"

static Request in(const char *language)
{
	return (Request){.language = language_chosen(language, NULL)};
}

static void test_languages(void)
{
	static const struct {
		const char *cookie, *header, *want;
	} rows[] = {
		{NULL, NULL, "en"},
		{NULL, "", "en"},
		{"fr", NULL, "fr"},
		{"de", "fr", "de"},
		{"xx", "fr", "fr"}, /* a cookie of nothing that is there */
		{NULL, "fr-CH, fr;q=0.9, en;q=0.8", "fr"},
		{NULL, "en;q=0.2, de-AT;q=0.9", "de"},
		{NULL, "it, es;q=0.5", "en"},
		{NULL, "DE", "de"},
		{NULL, "frob", "en"},
		{NULL, ",;q=,,de", "de"},
		{NULL, "fr;q=0, de;q=0.1", "de"},
		{"../../x", NULL, "en"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		g_assert_cmpstr(language_code(language_chosen(rows[i].cookie, rows[i].header)), ==,
			rows[i].want);
}

static void test_plurals(void)
{
	static const struct {
		const char *language;
		gint64 n;
		const char *want;
	} rows[] = {
		{"en", 0, "0 messages"}, {"en", 1, "1 message"}, {"en", 2, "2 messages"},
		{"fr", 0, "0 message"}, {"fr", 1, "1 message"}, {"fr", 2, "2 messages"},
		{"de", 0, "0 Mails"}, {"de", 1, "1 Mail"}, {"de", 2, "2 Mails"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		Request request = in(rows[i].language), *r = &request;
		g_autofree char *got = said(
			TN(r, rows[i].n, "{n} message", "{n} messages"), rows[i].n);
		g_assert_cmpstr(got, ==, rows[i].want);
	}
}

/* Values are escaped, sentences are not trusted with markup, and order is the translator's. */
static void test_sentences(void)
{
	g_autoptr(GString) out = g_string_new(NULL);
	say(out, "{b}, {n} of <{a}> {none}", "a", "<script>", "=b", "x&y", "#n", (gint64)-3, NULL);
	g_assert_cmpstr(out->str, ==, "<b>x&amp;y</b>, -3 of &lt;&lt;script&gt;&gt; ");
	g_string_truncate(out, 0);
	say(out, "an open {brace", "brace", "x", NULL);
	g_assert_cmpstr(out->str, ==, "an open {brace");
}

static void test_places(void)
{
	static const struct {
		const char *language, *place, *want;
	} rows[] = {
		{"en", "part 3 (name of 31 characters, .pdf) page 12",
			"part 3 (a name of 31 characters) <code>.pdf</code>, page 12"},
		{"fr", "part 3.1 (name of 7 characters) (recognised)",
			"partie 3.1 (un nom de 7 caractères) (reconnu dans une image)"},
		{"de", "header Subject", "Feld Subject"},
		{"de", "part 2 text/html", "Teil 2 text/html"},
		{"fr", "message at byte 117", "le message à l&#39;octet 117"},
		{"en", "part <b>x", "part &lt;b&gt;x"},
		{"en", "", ""},
		{"de", "part 2 header (name of 9 characters)",
			"Teil 2, ein Feld mit einem Namen von 9 Zeichen"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		Request request = in(rows[i].language);
		g_autoptr(GString) out = g_string_new(NULL);
		html_place(out, &request, rows[i].place);
		g_assert_cmpstr(out->str, ==, rows[i].want);
	}
}

static void test_known_texts(void)
{
	static const struct {
		const char *language, *text, *want; /* NULL: not known */
	} rows[] = {
		{"fr", "60 recipients, at most 50 are allowed",
			"60 destinataires, 50 au plus sont permis"},
		{"de", "12 addresses in the header for all to see, at most 8 are allowed",
			"12 Adressen im Kopf der Mail für alle sichtbar, höchstens 8 sind erlaubt"},
		{"en", "as before", "as before"},
		{"fr", "C-10002", NULL},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		Request request = in(rows[i].language);
		g_autoptr(GString) out = g_string_new(NULL);
		g_assert_cmpint(
			html_known_text(out, &request, rows[i].text), ==, rows[i].want != NULL);
		g_assert_cmpstr(out->str, ==, rows[i].want != NULL ? rows[i].want : "");
	}
}

static void test_causes(void)
{
	Request request = in("en");
	g_autoptr(GString) out = g_string_new(NULL);
	html_cause(out, &request,
		"mismatch, unproven (iban, email), for right and wrong, a, b, <x@s.example>");
	g_assert_nonnull(strstr(out->str, "class=\"outcome right\""));
	g_assert_nonnull(strstr(out->str, "class=\"outcome wrong\""));
	g_assert_nonnull(strstr(out->str, "IBAN, e-mail address"));
	g_assert_nonnull(strstr(out->str, "policy a, b"));
	g_assert_nonnull(strstr(out->str, "x@s.example"));
	static const char *const odd[] = {"", "oversized, invoices", "x, for , <",
		"for <b>, for wrong, <", ", for wrong, , <>"};
	for (gsize i = 0; i < G_N_ELEMENTS(odd); i++) { /* older ones, and what nobody wrote */
		g_string_truncate(out, 0);
		html_cause(out, &request, odd[i]);
		g_assert_null(strstr(out->str, "<b>"));
	}
	g_assert_true(is_cleared("nothing, for right, invoices, <x>"));
	g_assert_false(is_cleared("nothing, for right and wrong, invoices, <x>"));
	g_assert_false(is_cleared("oversized, for right, invoices, <x>"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/page/languages", test_languages);
	g_test_add_func("/page/plurals", test_plurals);
	g_test_add_func("/page/sentences", test_sentences);
	g_test_add_func("/page/places", test_places);
	g_test_add_func("/page/known-texts", test_known_texts);
	g_test_add_func("/page/causes", test_causes);
	return g_test_run();
}
