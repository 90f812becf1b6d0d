/*
 * Whom a letter greets, in the languages that there are words of, and whom it does not; names in
 * one spelling.
 */
#include "config.h"

#include <string.h>

#include "missent/greeting.h"

#include "../test.h"

/* ---- names ---------------------------------------------------------------------------- */

static void test_canonical(void)
{
	static const struct {
		const char *name, *want;
	} rows[] = {
		{"Petra Weber", "petra weber"},
		{"Weber, Petra", "weber petra"},
		{"Frau Dr. Petra Weber", "petra weber"},
		{"PETRA WEBER", "petra weber"},
		{"P. Weber", "weber"},
		{"Müller", "muller"},
		{"Mueller", "muller"},
		{"MUELLER", "muller"},
		{"Groß", "gross"},
		{"José García y López", "jose garcia lopez"},
		{"O'Brien", "obrien"},
		{"O\xe2\x80\x99"
		 "Brien",
			"obrien"},
		{"Petra Weber-Klein", "petra weber klein"},
		{"M. de la Tour", "de la tour"},
		{"Sig.ra Rossi", "rossi"},
		{"Dr.med. Weber", "weber"},
		{"van der Berg", "van der berg"},
		{"Jørgen Ærø", "jorgen aro"},
		{"Herr", "herr"},
		{"X", NULL},
		{"", NULL},
		{"4711", NULL},
		{"  ", NULL},
		{"a b c d", NULL},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *copy = exact_copy(rows[i].name, strlen(rows[i].name));
		g_autofree char *got = ms_name_canonical(copy, strlen(rows[i].name));
		if (g_strcmp0(got, rows[i].want) != 0)
			g_error("\"%s\": got %s, want %s", rows[i].name, got, rows[i].want);
		free(copy);
	}
}

static void test_words(void)
{
	static const struct {
		const char *name, *want;
	} rows[] = {{"petra weber", "petra weber"}, {"van der berg", "berg"}, {"de la", "de la"},
		{"le", "le"}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(GStrv) words = ms_name_words(rows[i].name);
		g_autofree char *got = g_strjoinv(" ", words);
		g_assert_cmpstr(got, ==, rows[i].want);
	}
}

/* ---- greetings ------------------------------------------------------------------------ */

static char *greeted_by(const char *text)
{
	char *copy = exact_copy(text, strlen(text));
	g_autoptr(MsFold) fold = ms_fold_new(copy, strlen(text));
	g_auto(MsGreeting) greeting = {0};
	ms_greeting_find(fold, &greeting);
	g_assert_cmpuint(greeting.from, <=, greeting.until);
	g_assert_cmpuint(greeting.until, <=, fold->len);
	g_assert_true((greeting.names->len > 0) == (greeting.until > 0));
	g_ptr_array_add(greeting.names, NULL);
	char *out = g_strjoinv(" + ", (char **)greeting.names->pdata);
	free(copy);
	return out;
}

static void test_greetings(void)
{
	static const struct {
		const char *text, *want; /* "a + b": two are greeted; "": nobody by name */
	} rows[] = {
		{"Dear Ms Weber,\nyour invoice", "weber"},
		{"Dear Petra,", "petra"},
		{"Dear Petra Weber\n\nyour invoice", "petra weber"},
		{"Dear Prof. Dr. Petra Weber:", "petra weber"},
		{"DEAR MR WHITE,", "white"},
		{"Hi Tom!", "tom"},
		{"Hello Mr. O'Brien - your invoice", "obrien"},
		{"Good morning Mrs. Smith,", "smith"},
		{"Sehr geehrte Frau Dr. Weber,\nanbei", "weber"},
		{"Sehr geehrter Herr von der Tann,", "von der tann"},
		{"Sehr geehrte/r Frau/Herr Weber,", "weber"},
		{"Liebe:r Anna,", "anna"},
		{"Hallo Anna,", "anna"},
		{"Guten Tag Herr Müller,", "muller"},
		{"Sehr geehrte Frau Weber, sehr geehrter Herr Klein,", "weber + klein"},
		{"Liebe Anna und lieber Tom,", "anna + tom"},
		{"Hallo Anna und Tom,", "anna + tom"},
		{"Dear Ms Weber and Mr Klein,", "weber + klein"},
		{"Dear Anna & Tom,", "anna + tom"},
		{"Bonjour Monsieur Morel,", "morel"},
		{"Cher Jean,", "jean"},
		{"Chère Madame Lefèvre,", "lefevre"},
		{"Madame Morel,\nvotre facture", "morel"},
		{"Cher(e) M. Morel,", "morel"},
		{"Bonjour Jean-Pierre,", "jean pierre"},
		{"Gentile Sig.ra Rossi,", "rossi"},
		{"Egregio Dott. Bianchi,", "bianchi"},
		{"Buongiorno Marco,", "marco"},
		{"Estimado Sr. García:", "garcia"},
		{"Hola María,", "maria"},
		{"Estimada Sra. Núñez López:", "nunez lopez"},
		{"Prezado Senhor Silva,", "silva"},
		{"Geachte heer De Vries,", "de vries"},
		{"Beste Jan,", "jan"},
		{"Hej Lars,", "lars"},
		{"Kære Mette Sørensen,", "mette sorensen"},
		{"Szanowny Panie Kowalski,", "kowalski"},
		{"Vážený pane Novák,", "novak"},
		{"Tisztelt Nagy Úr!", "nagy"},
		{"\n\n   Dear   Ms  Weber ,\n", "weber"},
		{"*Dear Ms Weber,*", "weber"},
		{"Example Ltd\nInvoice 4711\n\nDear Ms Weber,", "weber"},
		/* Nobody by name. */
		{"", ""},
		{"Dear customer,", ""},
		{"Dear Customer,", ""},
		{"Dear Sir or Madam,", ""},
		{"Dear Sirs,", ""},
		{"Hello,", ""},
		{"Hi all,", ""},
		{"Hello World!", ""},
		{"Sehr geehrte Damen und Herren,", ""},
		{"Liebe Kundin, lieber Kunde,", ""},
		{"Lieber Herr Kunde,", ""},
		{"Hallo zusammen,", ""},
		{"Madame, Monsieur,", ""},
		{"Chers clients,", ""},
		{"Gentile Cliente,", ""},
		{"Estimados señores:", ""},
		{"Geachte heer/mevrouw,", ""},
		{"Geachte klant,", ""},
		{"Dear Accounts Payable Team,", ""},
		{"Dear Example GmbH,", ""},
		{"Dear Accounting,", ""},
		{"Kære kunde,", ""},
		{"Spett. le Ditta,", ""},
		/* No greeting, or in doubt. */
		{"hello anna,", ""},
		{"Hello and welcome", ""},
		{"Hi we have news for you", ""},
		{"Dear 4711,", ""},
		{"Dear Ms 4711,", ""},
		{"Hello Fresh news of this week are here", ""},
		{"Liebe Grüße\nPetra Weber", ""},
		{"Beste Grüße", ""},
		{"Beste groeten,\nJan", ""},
		{"Dear Ms Weber (4711),", ""},
		{"Mr Smith, our director, will come", ""},
		{"Herr Weber\nHauptstraße 1", ""},
		{"Dear $firstname,", ""},
		{"Dear {{ name }},", ""},
		{"Dear [Name],", ""},
		{"Dear Name,", ""},
		{"Dear NULL,", ""},
		{"We wrote to you, Dear Ms Weber,", ""},
		{"Dear One Two Three Four Five Six Seven Eight Nine Ten,", ""},
		/* What is quoted. */
		{"> Dear Ms Weber,", ""},
		{"Thank you.\n> Dear Ms Weber,", ""},
		{"Thank you.\n\nOn 3 May Anna wrote:\nDear Ms Weber,", ""},
		{"Yes.\n-----Original Message-----\nDear Ms Weber,", ""},
		{"Yes.\nVon: Anna <a@b.example>\nHallo Tom,", ""},
		{"From: a@b.example\nDear Ms Weber,", ""},
		{"De : Jean\nBonjour Anna,", ""},
		{"1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\nDear Ms Weber,", ""},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = greeted_by(rows[i].text);
		if (strcmp(got, rows[i].want) != 0) {
			g_printerr("\"%s\": got \"%s\", want \"%s\"\n", rows[i].text, got,
				rows[i].want);
			g_test_fail();
		}
	}
}

/* What a greeting is taken out of: the same text, whoever is greeted. */
static void test_range(void)
{
	const char *text = "Invoice\nDear Ms Weber, your number is 4711";
	g_autoptr(MsFold) fold = ms_fold_new(text, strlen(text));
	g_auto(MsGreeting) greeting = {0};
	ms_greeting_find(fold, &greeting);
	g_autofree char *got = g_strndup(
		fold->text + greeting.from, greeting.until - greeting.from);
	g_assert_cmpstr(got, ==, "Dear Ms Weber");
}

/* Whatever bytes come: within the text, and words of letters alone. */
static void test_any_bytes(void)
{
	static const char *const pieces[] = {"Dear ", "dear", "Ms ", "Weber", "é", ",", "\n", "/",
		"'", ".", "&", "(", ")", " ", "-", "и", "and ", "\xf0\x9d\x92\x9c", "von ", ":",
		"> ", "4", "Sehr ", "geehrte", "\t", "*", "&", "E", "e", "a", "U"};
	g_autoptr(GRand) rand = g_rand_new_with_seed(2019);
	for (guint i = 0; i < 20000; i++) {
		g_autoptr(GString) text = g_string_new(i % 2 == 0 ? "Dear " : NULL);
		for (gint n = g_rand_int_range(rand, 0, 12); n > 0; n--)
			g_string_append(
				text, pieces[g_rand_int_range(rand, 0, G_N_ELEMENTS(pieces))]);
		g_autofree char *got = greeted_by(text->str);
		g_assert_null(strpbrk(got, "0123456789,.&/()\n\t"));
		g_autofree char *name = ms_name_canonical(text->str, text->len);
		g_autofree char *again = name != NULL ? ms_name_canonical(name, strlen(name))
						      : NULL;
		g_assert_true(name == NULL || again != NULL);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/greeting/canonical", test_canonical);
	g_test_add_func("/greeting/words", test_words);
	g_test_add_func("/greeting/greetings", test_greetings);
	g_test_add_func("/greeting/range", test_range);
	g_test_add_func("/greeting/any-bytes", test_any_bytes);
	return g_test_run();
}
