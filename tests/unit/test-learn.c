/*
 * Mail in a few words comes in, what is proposed of it is compared: a row a world.  "3* c:K1 i:R1
 * > a@x.example" are three messages with a customer number and an invoice number to one recipient.
 */
#include "config.h"

#include "milter/learn/learn_private.h"
#include "tests/test.h"
#include "../trail.h"

static const char kinds_text[] =
	"kind \"customer-number\" {\n\tpattern = {\"K[0-9A-Z]+\"}\n\tlabel-required = yes\n\tlabels = {\"customer\"}\n"
	"\tnames-buyer = yes\n}\n"
	"kind \"invoice-number\" {\n\tpattern = {\"R[0-9A-Z]+\"}\n\tlabel-required = yes\n\tlabels = {\"invoice\"}\n}\n"
	"kind \"reference\" {\n\tpattern = {\"V[0-9A-Z]+\"}\n\tlabel-required = yes\n\tlabels = {\"ref\"}\n}\n";

typedef struct {
	Tally *tally;
	MsKinds *kinds;
	MsLearned *learned;
	guint messages;
} Site;

static void add_found(LearnMail *mail, const char *word)
{
	const char *kind = *word == 'c' ? "customer-number"
		: *word == 'i'          ? "invoice-number"
					: "reference";
	const LearnFound found = {
		g_strdup(kind), g_strdup(word + 2), g_strdup(word + 2), 1, word[1] == '!'};
	g_array_append_val(mail->found, found);
}

static LearnMail *mail_of(Site *site, const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", -1);
	json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:i, s:[]}", "name", "m", "digest", "d",
		"sender", "billing@seller.example", "subject", "", "date",
		(int)(1700000000 + 86400 * site->messages), "found");
	LearnMail *mail = learn_mail_from_json(json);
	json_decref(json);
	g_free(mail->name);
	mail->name = g_strdup_printf("mail-%03u", site->messages++);
	bool to = false;
	for (int i = 0; words[i] != NULL; i++) {
		if (*words[i] == '\0')
			continue;
		if (strcmp(words[i], ">") == 0)
			to = true;
		else if (to)
			g_ptr_array_add(mail->to, g_strdup(words[i]));
		else
			add_found(mail, words[i]);
	}
	return mail;
}

static void add_line(Site *site, const char *line)
{
	char *end;
	guint64 n = g_ascii_strtoull(line, &end, 10);
	bool times = n > 0 && *end == '*';
	for (guint64 i = 0; i < (times ? n : 1); i++) {
		LearnMail *mail = mail_of(site, times ? end + 2 : line);
		tally_add(site->tally, mail);
		learn_mail_free(mail);
	}
}

static void add_all(Site *site, const char *mail, bool backwards)
{
	g_auto(GStrv) lines = g_strsplit(mail, "\n", -1);
	guint n = g_strv_length(lines);
	for (guint i = 0; i < n; i++)
		add_line(site, lines[backwards ? n - 1 - i : i]);
}

static void setup(Site *site)
{
	g_autoptr(GError) error = NULL;
	site->messages = 0;
	site->tally = tally_new(MS_LEARN_MEMORY);
	site->kinds = ms_kinds_parse("kinds", kinds_text, &error);
	g_assert_no_error(error);
	site->learned = g_new0(MsLearned, 1);
	site->learned->rows = g_array_new(FALSE, FALSE, sizeof(MsLearnRow));
	site->learned->conflicts = g_array_new(FALSE, FALSE, sizeof(MsLearnConflict));
	site->learned->notes = g_ptr_array_new_with_free_func(g_free);
	site->learned->words = g_string_chunk_new(4096);
}

static void conclude(Site *site)
{
	World world = {.tally = site->tally,
		.kinds = site->kinds,
		.house = MS_LEARN_HOUSE,
		.house_account = "house",
		.notes = site->learned->notes};
	Accounts accounts;
	tally_settle(site->tally);
	world_fill(&world);
	accounts_find(&accounts, &world);
	learn_propose(site->learned, &world, &accounts);
	accounts_clear(&accounts);
	world_clear(&world);
}

static void teardown(Site *site)
{
	tally_free(site->tally);
	ms_kinds_unref(site->kinds);
	ms_learned_free(site->learned);
}

/* "K1: R1 a@x.example; ...": rows by account. */
static char *proposed(const Site *site)
{
	const GArray *rows = ms_learned_rows(site->learned);
	GString *out = g_string_new(NULL);
	const char *account = "";
	for (guint i = 0; i < rows->len; i++) {
		const MsLearnRow *r = &g_array_index(rows, MsLearnRow, i);
		if (strcmp(account, r->account) != 0)
			g_string_append_printf(out, "%s%s:", out->len > 0 ? "; " : "", r->account);
		account = r->account;
		g_string_append_printf(out, " %s", r->value);
	}
	return g_string_free(out, FALSE);
}

static char *conflicts(const Site *site)
{
	const GArray *all = ms_learned_conflicts(site->learned);
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < all->len; i++) {
		const MsLearnConflict *c = &g_array_index(all, MsLearnConflict, i);
		g_string_append_printf(out, "%s%u %s %s%s%s", out->len > 0 ? "; " : "", c->number,
			ms_learn_conflict_names[c->type], c->value,
			*c->recipient != '\0' ? " " : "", c->recipient);
	}
	return g_string_free(out, FALSE);
}

#define TWO "3* c:K1 > a@x.example\n3* c:K2 > b@y.example\n"

static const struct {
	const char *name, *mail, *rows, *conflicts;
} cases[] = {
	{"two customers", TWO "c:K1 i:R1 > a@x.example",
		"K1: a@x.example K1 R1; K2: b@y.example K2", ""},
	{"an invoice without a number is his who got it", TWO "i:R1 > a@x.example",
		"K1: a@x.example K1 R1; K2: b@y.example K2", ""},
	{"a wrong one, of a customer who is known", TWO "c:K1 i:R9 > b@y.example",
		"K1: a@x.example K1; K2: b@y.example K2",
		"1 elsewhere K1 b@y.example; 1 elsewhere R9 b@y.example"},
	{"a wrong one to a stranger", TWO "c:K1 i:R9 > z@z.example",
		"K1: a@x.example K1; K2: b@y.example K2",
		"1 elsewhere K1 z@z.example; 1 elsewhere R9 z@z.example"},
	{"the same invoice right and wrong, nothing else known",
		"i:R1 v:V1 > a@x.example\ni:R1 v:V1 > b@y.example", "",
		"1 tie R1 a@x.example; 1 tie V1 a@x.example; 1 tie R1 b@y.example; 1 tie V1 b@y.example"},
	{"an invoice right and wrong beside a number",
		TWO "c:K1 i:R1 > a@x.example\nc:K1 i:R1 > b@y.example",
		"K1: a@x.example K1 R1; K2: b@y.example K2",
		"1 elsewhere K1 b@y.example; 1 elsewhere R1 b@y.example"},
	{"an accountant",
		"4* c:K1 > acc@z.example\n4* c:K2 > acc@z.example\n4* c:K3 > acc@z.example", "",
		"1 several K1 acc@z.example; 1 several K2 acc@z.example; 1 several K3 acc@z.example"},
	{"one of a customer not seen elsewhere, to another",
		TWO "2* c:K2 > b@y.example\n3* c:K2 > b@y.example\n"
		    "c:K9 > b@y.example",
		"K1: a@x.example K1; K2: b@y.example K2", "1 several K9 b@y.example"},
	{"two at one company", "3* c:K1 > a@x.example\n3* c:K1 > b@x.example",
		"K1: @x.example a@x.example b@x.example K1", ""},
	{"two at one company, below it", "3* c:K1 > a@x.example\n3* c:K1 > b@mail.x.example",
		"K1: a@x.example b@mail.x.example K1", ""},
	{"two at a provider are two", "3* c:K1 > a@gmail.com\n3* c:K2 > b@gmail.com",
		"K1: a@gmail.com K1; K2: b@gmail.com K2", ""},
	{"and one of the one to the other is told",
		"3* c:K1 > a@gmail.com\n3* c:K2 > b@gmail.com\nc:K1 > b@gmail.com",
		"K1: a@gmail.com K1; K2: b@gmail.com K2", "1 elsewhere K1 b@gmail.com"},
	{"a provider that no list has",
		"3* c:K1 > a@isp.example\n3* c:K2 > b@isp.example\n3* c:K3 > c@isp.example\n"
		"c:K1 > b@isp.example",
		"K1: a@isp.example K1; K2: b@isp.example K2; K3: c@isp.example K3",
		"1 elsewhere K1 b@isp.example"},
	{"home and office, again and again", "4* c:K1 > a@x.example\n4* c:K1 > a@gmail.com",
		"K1: a@gmail.com a@x.example K1", ""},
	{"one document with two customers joins nothing", TWO "c:K1 c:K2 i:R5 > a@x.example",
		"K1: a@x.example K1 R5; K2: b@y.example K2", "1 elsewhere K2 a@x.example"},
	{"a list of all, without numbers, joins nothing",
		"2* i:R1 > a@x.example\n2* i:R2 > b@y.example\n"
		"2* i:R3 > c@z.example\ni:R1 i:R2 i:R3 > a@x.example",
		"x.example: a@x.example R1; y.example: b@y.example R2; z.example: c@z.example R3",
		"1 elsewhere R2 a@x.example; 2 elsewhere R3 a@x.example"},
	{"what two customers share is neither's alone",
		"4* c:K1 v:V1 > a@x.example\n4* c:K2 v:V1 > b@y.example",
		"K1: a@x.example K1; K2: b@y.example K2",
		"1 tie V1 a@x.example; 1 tie V1 b@y.example"},
	{"what is in all mail is the house's",
		"4* c:K1 v:V0 > a@x.example\n4* c:K2 v:V0 > b@y.example\n"
		"4* c:K3 v:V0 > c@z.example\n4* c:K4 v:V0 > d@v.example\n4* c:K5 v:V0 > e@w.example",
		"house: @seller.example V0; K1: a@x.example K1; K2: b@y.example K2; K3: c@z.example K3; "
		"K4: d@v.example K4; K5: e@w.example K5",
		""},
	{"of few customers too, where it is in nearly all",
		"4* c:K1 v:V0 > a@x.example\n"
		"4* c:K2 v:V0 > b@y.example\n4* c:K3 v:V0 > c@z.example",
		"house: @seller.example V0; K1: a@x.example K1; K2: b@y.example K2; K3: c@z.example K3",
		""},
	{"what is in mail to many, and little, is a question",
		"9* c:K1 > a@x.example\n9* c:K2 > b@y.example\n"
		"9* c:K3 > c@z.example\n9* c:K4 > d@v.example\nc:K1 v:V0 > a@x.example\nc:K2 v:V0 > b@y.example\n"
		"c:K3 v:V0 > c@z.example\nc:K4 v:V0 > d@v.example",
		"house: @seller.example; K1: a@x.example K1; K2: b@y.example K2; K3: c@z.example K3; K4: d@v.example K4",
		"1 of-many V0"},
	{"what a document calls its sender's is no customer's", "3* c:K1 v!V7 > a@x.example",
		"house: @seller.example V7; K1: a@x.example K1", ""},
	{"a copy to the house", TWO "3* c:K1 > a@x.example sales@seller.example",
		"K1: a@x.example K1; K2: b@y.example K2", ""},
	{"names are nobody else's, nor the house's",
		"3* i:R1 > a@gmail.com\n3* i:R2 > b@gmail.com\n3* c:KUSTOMER > c@z.example",
		"KUSTOMER: c@z.example KUSTOMER; customer: a@gmail.com R1; customer-2: b@gmail.com R2", ""},
	{"nothing", "v:V1 > ", "", ""},
};

static void run_case(gconstpointer data)
{
	const gsize n = GPOINTER_TO_SIZE(data);
	for (int backwards = 0; backwards < 2; backwards++) {
		Site site;
		setup(&site);
		add_all(&site, cases[n].mail, backwards);
		conclude(&site);
		g_autofree char *rows = proposed(&site), *told = conflicts(&site);
		g_autoptr(GString) bare = g_string_new(rows);
		/* The house's domain is proposed with every one of them. */
		if (strstr(cases[n].rows, "house:") == NULL)
			g_string_replace(bare, "house: @seller.example; ", "", 0);
		if (strcmp(bare->str, "house: @seller.example") == 0)
			g_string_truncate(bare, 0);
		g_assert_cmpstr(bare->str, ==, cases[n].rows);
		g_assert_cmpstr(told, ==, cases[n].conflicts);
		teardown(&site);
	}
}

static void test_crowd(void)
{
	g_autoptr(GString) line = g_string_new("c:K1 >");
	Site site;
	setup(&site);
	for (int i = 0; i < 60; i++)
		g_string_append_printf(line, " r%d@d%d.example", i, i);
	add_all(&site, TWO, false);
	add_line(&site, line->str);
	conclude(&site);
	g_autofree char *rows = proposed(&site), *told = conflicts(&site);
	g_assert_cmpstr(rows, ==, "house: @seller.example; K1: a@x.example K1; K2: b@y.example K2");
	g_assert_cmpstr(told, ==, "1 to-many K1");
	g_assert_cmpuint(
		g_array_index(ms_learned_conflicts(site.learned), MsLearnConflict, 0).recipients,
		==, 60);
	teardown(&site);
}

/* What a customer has one of is told by the mail: here invoices, one for each, are no such
 * thing. */
static void test_many_invoices(void)
{
	Site site;
	setup(&site);
	for (int i = 0; i < 8; i++)
		for (int k = 0; k < 4; k++) {
			g_autofree char *line = g_strdup_printf("i:R%d%d > a@x%d.example", i, k, i);
			add_line(&site, line);
		}
	conclude(&site);
	g_assert_cmpuint(ms_learned_conflicts(site.learned)->len, ==, 0);
	g_assert_cmpuint(site.learned->sum.accounts, ==, 8);
	teardown(&site);
}

static void test_memory(void)
{
	Site site;
	setup(&site);
	site.tally->most = 4000;
	for (int i = 0; i < 100; i++) {
		g_autofree char *line = g_strdup_printf("c:K%d > a@x%d.example", i, i);
		add_line(&site, line);
	}
	g_assert_cmpuint(site.tally->sum.over, >, 50);
	g_assert_cmpuint(site.tally->sum.over + site.tally->sum.learned, ==, 100);
	g_assert_cmpuint(site.tally->memory, <, 8000);
	conclude(&site);
	teardown(&site);
}

/* A trail has digests: they add to pairs that are known, and make those that are not seen in
 * the mail. */
static void test_history(void)
{
	static const guint8 key[MS_AUDIT_KEY_BYTES] = "a key of the trail";
	static const char *const lines[][2] = {{"K1", "a@x.example"}, {"K1", "a@x.example"},
		{"K2", "a@x.example"}, {"K7", "a@x.example"}, {"K1", "a@x.example"}};
	g_autoptr(GError) error = NULL;
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *number = ms_audit_key_number(key), *folder = scratch_folder();
	g_autofree char *path = g_build_filename(folder, "audit.jsonl", NULL);
	Site site;
	setup(&site);
	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autofree char *id = ms_audit_id(key, "customer-number", lines[i][0]);
		g_autofree char *to = ms_audit_id_of_address(key, lines[i][1]);
		g_string_append_printf(text,
			"{\"time\":\"2026-11-20T09:0%d:00.000000Z\",\"type\":\"message\",\"host\":\"mx\",\"queue_id\":\"Q%d\",\"arrived\":\"a\",\"key\":\"%s\","
			"\"identifiers\":[{\"id\":\"%s\"}],\"to\":[{\"id\":\"%s\"}]}\n",
			(int)i, (int)i, number, id, to);
	}
	trail_undo(text, "2026-11-20T09:09:00.000Z", "mx", "Q4", "a"); /* its sender tries again */
	g_string_append(text, "{\"time\":\"2026-11-20T09:0");
	g_assert_true(g_file_set_contents(path, text->str, -1, &error));
	add_all(&site, TWO, false);
	g_assert_true(learn_history(site.tally, path, 0, key, &error));
	g_assert_no_error(error);
	conclude(&site);
	g_autofree char *told = conflicts(&site);
	g_assert_cmpuint(site.tally->sum.trail_messages, ==, 3);
	g_assert_cmpstr(told, ==, "1 elsewhere K2 a@x.example");
	const MsLearnConflict *c = &g_array_index(
		ms_learned_conflicts(site.learned), MsLearnConflict, 0);
	g_assert_cmpstr(c->where, ==, "audit trail, entry 2, Q2");
	const MsLearnRow *row = &g_array_index(ms_learned_rows(site.learned), MsLearnRow, 2);
	g_assert_cmpstr(row->value, ==, "K1");
	g_assert_cmpuint(row->messages, ==, 3);
	g_assert_cmpuint(row->trail, ==, 2);
	teardown(&site);
	remove_folder(folder);
}

static void test_dates(void)
{
	static const struct {
		const char *text;
		gint64 want;
	} rows[] = {
		{"Fri, 27 Nov 2026 03:39:52 +0000", 1795750792},
		{"27 Nov 2026 04:39:52 +0100", 1795750792},
		{"Thu, 26 Nov 2026 22:39:52 -0500 (EST)", 1795750792},
		{"Fri, 27 Nov 2026 03:39 GMT", 1795750740},
		{"27 NOV 26 03:39:52 +0000", 1795750792},
		{"1 Jan 1970 00:00:00 +0000", 0},
		{"31 Feb 2026 00:00:00 +0000", 0},
		{"27 Nove 2026 03:39:52", 0},
		{"27 anf 2026 03:39:52", 0},
		{"99 Nov 2026 03:39:52", 0},
		{"27 Nov 99999999999 03:39:52", 0},
		{"2026-11-27T03:39:52Z", 0},
		{",,,", 0},
		{"", 0},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *copy = exact_copy(rows[i].text, strlen(rows[i].text) + 1);
		g_assert_cmpint(learn_date(copy), ==, rows[i].want);
	}
}

/* What was written down is the same again; what is no row is none. */
static void test_json(void)
{
	Site site;
	setup(&site);
	LearnMail *mail = mail_of(&site, "c:K1 i:R1 > a@x.example b@y.example");
	json_t *json = learn_mail_to_json(mail);
	LearnMail *again = learn_mail_from_json(json);
	json_t *twice = learn_mail_to_json(again);
	g_assert_true(json_equal(json, twice));
	json_array_append_new(json_object_get(json, "to"), json_string("x"));
	g_assert_null(learn_mail_from_json(json));
	json_array_remove(json_object_get(json, "to"), 2);
	json_array_append_new(json_object_get(json, "found"), json_string("x"));
	g_assert_null(learn_mail_from_json(json));
	json_decref(json);
	json_decref(twice);
	learn_mail_free(mail);
	learn_mail_free(again);
	teardown(&site);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strdup_printf("/learn/%s", cases[i].name);
		g_test_add_data_func(path, GSIZE_TO_POINTER(i), run_case);
	}
	g_test_add_func("/learn/a crowd", test_crowd);
	g_test_add_func("/learn/invoices", test_many_invoices);
	g_test_add_func("/learn/memory", test_memory);
	g_test_add_func("/learn/history", test_history);
	g_test_add_func("/learn/dates", test_dates);
	g_test_add_func("/learn/json", test_json);
	return g_test_run();
}
