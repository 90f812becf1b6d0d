/*
 * Held mail taken together: what would be sent of it, to whom, and what lists show of it.
 */
#include "config.h"

#include "missent/answer.h"
#include "missent/reading.h"

#include "../../milter/desk/desk_private.h"
#include "../test.h"

static char *dir;

typedef struct {
	const char *queue_id, *owners; /* NULL: of the recipient's own account */
	const char *to[4];
	MsOutcome outcome[4];
} Row;

/* Three swapped invoices, two of them of one customer; two to nobody known; one that may go. */
static const Row rows[] = {
	{"A1", "CUST1", {"a@one.example"}, {MS_OUTCOME_WRONG}},
	{"A2", "CUST1", {"b@two.example", "c@two.example"}, {MS_OUTCOME_WRONG, MS_OUTCOME_RIGHT}},
	{"A3", "CUST2", {"a@one.example"}, {MS_OUTCOME_WRONG}},
	{"A4", "CUST3", {"x@new.example"}, {MS_OUTCOME_UNKNOWN_RECIPIENT}},
	{"A5", "CUST3", {"y@new.example"}, {MS_OUTCOME_UNKNOWN_RECIPIENT}},
	{"A6", NULL, {"d@four.example"}, {MS_OUTCOME_RIGHT}},
};

static MsRecord *record_of(const Row *row, gint64 arrived)
{
	MsRecord *r = ms_record_new();
	r->host = g_strdup("mx");
	r->queue_id = g_strdup(row->queue_id);
	r->sender = g_strdup("billing@s.example");
	r->arrived = arrived;
	r->digest = g_strdup("00");
	r->codes = g_strdup("mismatch");
	r->policies = g_strdup("invoices");
	r->cause = g_strdup("mismatch, for wrong, invoices, <billing@s.example>");
	r->subject = g_strdup_printf("Invoice of %s", row->queue_id);
	r->attached = g_strdup(".pdf");
	g_ptr_array_add(r->words, g_strdup("w-invoice"));
	g_ptr_array_add(r->words, g_strdup_printf("w-%s", row->queue_id));
	GString *relations = g_string_new(NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(row->to) && row->to[i] != NULL; i++) {
		ms_record_recipient(r, row->to[i], MS_STATE_HELD, row->outcome[i], "");
		g_string_append_c(relations, row->outcome[i] == MS_OUTCOME_WRONG ? 'x'
						: row->outcome[i] == MS_OUTCOME_RIGHT ? 'o' : '?');
	}
	g_autofree char *ref = g_strdup_printf("ref-%s", row->owners != NULL ? row->owners : "own");
	ms_record_finding(r,
		(MsHeldFinding){(char *)"iban", (char *)"DE****00", ref,
			(char *)(row->owners != NULL ? row->owners : "CUST9"), (char *)"exact",
			(char *)"part 3 Rechnung C-10002 Hauptstr. 5.pdf page 1", 1,
			relations->str});
	g_string_free(relations, TRUE);
	g_ptr_array_add(r->accounts, g_strdup(row->owners != NULL ? row->owners : "CUST9"));
	return r;
}

/* The uids of the rows, in `out`. */
static MsLedger *filled(const char *name, GPtrArray *out)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autoptr(GError) error = NULL;
	MsLedger *ledger = ms_ledger_open(path, &error);
	g_assert_no_error(error);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(MsRecord) r = record_of(&rows[i], 1000 + (gint64)i);
		g_assert_true(ms_records_add(ledger, r, &error));
		g_ptr_array_add(out, g_strdup(r->uid));
	}
	return ledger;
}

static char *words_of(const GPtrArray *tallies)
{
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < tallies->len; i++) {
		const MsCauseCount *t = tallies->pdata[i];
		g_string_append_printf(
			out, "%s:%d/%d ", t->name, (int)t->messages, (int)t->recipients);
	}
	return g_string_free(out, FALSE);
}

static void test_tallies(void)
{
	g_autoptr(GPtrArray) uids = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(MsLedger) ledger = filled("tallies.db", uids);
	g_autoptr(GError) error = NULL;
	g_autoptr(MsTallies) t = ms_records_tallies(ledger, uids, &error);
	g_assert_no_error(error);
	g_autofree char *outcomes = words_of(t->outcomes), *owners = words_of(t->owners),
			*domains = words_of(t->domains);
	g_assert_cmpstr(outcomes, ==, "wrong:3/3 right:2/2 unknown-recipient:2/2 ");
	g_assert_cmpstr(owners, ==, "CUST1:2/0 CUST2:1/0 ");
	g_assert_cmpstr(
		domains, ==, "new.example:2/2 one.example:2/2 four.example:1/1 two.example:1/2 ");
	g_assert_cmpint(t->messages, ==, 6);
	g_assert_cmpint(t->recipients, ==, 7);
	g_assert_cmpint(t->wrong_messages, ==, 3);
	g_assert_cmpint(t->wrong_recipients, ==, 3);
	g_assert_cmpint(t->unknown_recipients, ==, 2);
}

/* One of each kind comes before a second one of any. */
static void test_sample(void)
{
	g_autoptr(GPtrArray) uids = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(MsLedger) ledger = filled("sample.db", uids);
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) three = ms_records_sample(ledger, uids, 3, &error);
	g_assert_no_error(error);
	g_autoptr(GHashTable) outcomes = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < three->len; i++) {
		g_autoptr(MsRecord) r = ms_records_find(ledger, three->pdata[i], NULL);
		MsOutcome worst = ((MsHeldRecipient *)r->recipients->pdata[0])->outcome;
		g_hash_table_add(outcomes, (char *)ms_outcome_names[worst]);
	}
	g_assert_cmpuint(g_hash_table_size(outcomes), ==, 3);
	g_autoptr(GPtrArray) all = ms_records_sample(ledger, uids, 100, &error);
	g_assert_cmpuint(all->len, ==, 6);
}

static char *found(MsLedger *ledger, const MsRecordFilter *filter)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) list = ms_records_list(ledger, filter, &error);
	g_assert_no_error(error);
	g_assert_cmpint(ms_records_count(ledger, filter, 0, &error), ==, list->len);
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < list->len; i++)
		g_string_append_printf(out, "%s ", ((MsRecord *)list->pdata[i])->queue_id);
	return g_string_free(out, FALSE);
}

static GPtrArray *list_of(const char *a, const char *b)
{
	GPtrArray *list = g_ptr_array_new();
	g_ptr_array_add(list, (char *)a);
	if (b != NULL)
		g_ptr_array_add(list, (char *)b);
	return list;
}

static void test_search(void)
{
	g_autoptr(GPtrArray) uids = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(MsLedger) ledger = filled("search.db", uids);
	static const struct {
		const char *search, *ref, *word[2], *want;
		bool could_go;
	} cases[] = {
		{"CUST2", NULL, {NULL}, "A3 ", false},               /* an account */
		{"something", "ref-CUST1", {NULL}, "A2 A1 ", false}, /* an identifier's digest */
		{"invoice A4", NULL, {"w-invoice", "w-A4"}, "A4 ", false}, /* all of its words */
		{"invoice A9", NULL, {"w-invoice", "w-A9"}, "", false},
		{"new.example", NULL, {"w-new"}, "A5 A4 ", false},
		{"A2", "ref-CUST1", {NULL}, "A2 ", false}, /* a queue ID is nothing else */
		{NULL, NULL, {NULL}, "A6 ", true},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GPtrArray) refs = cases[i].ref != NULL ? list_of(cases[i].ref, NULL)
								 : NULL;
		g_autoptr(GPtrArray) words = cases[i].word[0] != NULL
			? list_of(cases[i].word[0], cases[i].word[1])
			: NULL;
		MsRecordFilter filter = {.state = MS_STATE_HELD,
			.search = cases[i].search,
			.refs = refs,
			.words = words,
			.could_go = cases[i].could_go};
		g_autofree char *got = found(ledger, &filter);
		g_assert_cmpstr(got, ==, cases[i].want);
	}
}

static void test_glance(void)
{
	g_autoptr(GPtrArray) uids = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(MsLedger) ledger = filled("glance.db", uids);
	g_autoptr(GError) error = NULL;
	g_autoptr(MsRecord) r = ms_records_find(ledger, "A2", &error);
	g_autoptr(MsGlance) g = ms_records_glance(ledger, r, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(g->owners, ==, "CUST1");
	g_assert_cmpstr(g->recipient, ==, "b@two.example");
	g_assert_cmpint(g->outcome, ==, MS_OUTCOME_WRONG);
	g_assert_cmpstr(g->subject, ==, "Invoice of A2");
	g_assert_cmpstr(g->attached, ==, ".pdf");
	/* a place that an older version wrote down with the name in it */
	const MsHeldFinding *f = r->findings->pdata[0];
	g_assert_null(strstr(f->where, "10002"));
	g_assert_null(strstr(f->where, "Hauptstr"));
	g_assert_nonnull(strstr(f->where, ".pdf"));
	/* to other hosts, and back */
	g_autofree char *json = NULL;
	char *text = ms_record_to_json(r);
	json = g_strdup(text);
	free(text);
	g_autoptr(MsRecord) again = ms_record_from_json(json, strlen(json), &error);
	g_assert_no_error(error);
	g_assert_cmpstr(again->subject, ==, "Invoice of A2");
	g_assert_cmpstr(again->attached, ==, ".pdf");
	g_assert_cmpuint(again->words->len, ==, 2);
}

static void test_concerned(void)
{
	g_autoptr(GPtrArray) uids = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(MsLedger) ledger = filled("concerned.db", uids);
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) nobody = g_ptr_array_new();
	g_autoptr(GPtrArray) one = list_of("a@one.example", NULL);
	g_autoptr(GPtrArray)
		by_ref = ms_records_concerned(ledger, "ref-CUST3", nobody, 100, &error);
	g_autoptr(GPtrArray) by_address = ms_records_concerned(ledger, "", one, 100, &error);
	g_autoptr(GPtrArray) none = ms_records_concerned(ledger, "", nobody, 100, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(by_ref->len, ==, 2);
	g_assert_cmpuint(by_address->len, ==, 2);
	g_assert_cmpuint(none->len, ==, 0);
	g_autoptr(MsRecord) r = ms_records_find(ledger, "A4", &error);
	g_assert_true(
		ms_records_recause(ledger, r->id, "nothing, for right, invoices, <x>", &error));
	MsRecordFilter filter = {
		.state = MS_STATE_HELD, .cause = "nothing, for right, invoices, <x>"};
	g_autofree char *got = found(ledger, &filter);
	g_assert_cmpstr(got, ==, "A4 ");
}

/* Two are held for one cause; when those with a right to one of them have theirs, it is held for
 * another. */
static void test_rest(void)
{
	g_autoptr(GPtrArray) uids = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(MsLedger) ledger = filled("rest.db", uids);
	g_autoptr(GError) error = NULL;
	g_autoptr(MsRecord) r = ms_records_find(ledger, "A2", &error);
	g_assert_true(ms_records_recause(ledger, r->id,
		"mismatch (iban), for right and wrong, a, b, <x@s.example>", &error));
	g_autoptr(GPtrArray) one = list_of("c@two.example", NULL);
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	g_autoptr(MsDecision) d = g_new0(MsDecision, 1);
	*d = (MsDecision){.id = g_strdup("d1"),
		.uid = g_strdup(r->uid),
		.group = g_strdup(""),
		.verb = MS_VERB_RELEASE,
		.recipients = g_strdup("c@two.example"),
		.account = g_strdup(""),
		.identifier = g_strdup(""),
		.assignee = g_strdup(""),
		.who = g_strdup("anna"),
		.second = g_strdup(""),
		.why = g_strdup("x"),
		.outcome = g_strdup(""),
		.token = g_strdup(""),
		.step = g_strdup(""),
		.at = 5,
		.state = MS_DECISION_APPROVED};
	g_ptr_array_add(list, d);
	g_assert_true(ms_decisions_add(ledger, list, &error));
	/* while that is under way nobody is asked for a decision on it */
	MsRecordFilter filter = {.state = MS_STATE_HELD, .undecided = true};
	g_autofree char *before = found(ledger, &filter);
	g_assert_cmpstr(before, ==, "A6 A5 A4 A3 A1 ");
	g_assert_true(ms_decisions_finish(ledger, d, true, "sent", one, MS_STATE_RELEASED, &error));
	g_assert_no_error(error);
	g_autofree char *after = found(ledger, &filter);
	g_assert_cmpstr(after, ==, "A6 A5 A4 A3 A2 A1 ");
	MsRecordFilter rest = {
		.state = MS_STATE_HELD, .cause = "mismatch (iban), for wrong, a, b, <x@s.example>"};
	g_autofree char *got = found(ledger, &rest);
	g_assert_cmpstr(got, ==, "A2 ");
}

/* ---- what is another's ---------------------------------------------------------------- */

static void test_others(void)
{
	static const struct {
		MsVerb verb;
		const char *named; /* NULL: nobody is */
		bool rightful, two, by_rule;
		guint others;
		gsize from, n; /* of the rows */
		bool fine, waits;
	} cases[] = {
		{MS_VERB_RELEASE, NULL, false, false, false, 0, 0, 6, false, false},
		{MS_VERB_RELEASE, NULL, false, false, false, 3, 0, 6, true, false},
		/* the number of messages is another */
		{MS_VERB_RELEASE, NULL, false, false, false, 6, 0, 6, false, false},
		/* by setting */
		{MS_VERB_RELEASE, NULL, false, true, false, 0, 0, 6, true, true},
		{MS_VERB_RELEASE, NULL, false, false, true, 0, 0, 6, true, false},
		{MS_VERB_RETURN, NULL, false, false, false, 0, 0, 6, true, false},
		{MS_VERB_DELETE, NULL, false, false, false, 0, 0, 6, true, false},
		/* nobody known is nobody's other */
		{MS_VERB_RELEASE, NULL, false, false, false, 0, 3, 3, true, false},
		/* one message for one */
		{MS_VERB_RELEASE, NULL, false, false, false, 0, 0, 1, true, false},
		{MS_VERB_RELEASE, NULL, false, true, false, 0, 0, 1, true, true},
		/* one for two */
		{MS_VERB_RELEASE, NULL, false, false, false, 0, 1, 1, false, false},
		{MS_VERB_RELEASE, "b@two.example", false, false, false, 0, 1, 1, true, false},
		{MS_VERB_RELEASE, "c@two.example", false, false, false, 0, 1, 1, true, false},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		MsSettings settings = {.desk.others_need_two = cases[i].two};
		g_autoptr(GPtrArray) uids = g_ptr_array_new();
		g_autoptr(GPtrArray) to = g_ptr_array_new();
		MsAsk ask = {.verb = cases[i].verb,
			.uids = uids,
			.recipients = to,
			.others = cases[i].others,
			.by_rule = cases[i].by_rule};
		if (cases[i].named != NULL)
			g_ptr_array_add(to, (char *)cases[i].named);
		for (gsize k = 0; k < cases[i].n; k++)
			g_ptr_array_add(uids, (char *)rows[k].queue_id);
		MsAskOthers others = {0};
		for (gsize k = 0; k < cases[i].n; k++) {
			g_autoptr(MsRecord) r = record_of(&rows[cases[i].from + k], 1);
			ms_ask_count_others(&others, &ask, r, to);
		}
		bool two = false;
		g_autoptr(GError) error = NULL;
		g_assert_cmpint(desk_others_confirmed(&settings, &ask, &others, &two, &error), ==,
			cases[i].fine);
		g_assert_cmpint(two, ==, cases[i].waits);
		if (!cases[i].fine)
			g_assert_nonnull(strstr(error->message, "--others"));
	}
}

/* ---- subjects ------------------------------------------------------------------------- */

static void test_subjects(void)
{
	static const struct {
		const char *subject, *want, *words;
	} cases[] = {
		{"Invoice 2024-100234 for Alpha GmbH", "Invoice ****-****34 for A**** G***",
			"invoice 2024 100234 for alpha gmbh"},
		{"Ihre Rechnung C-10002", "Ihre Rechnung C-*****", "ihre rechnung 10002"},
		{"Hauptstraße 5, 12345 Köln", "H******** *, ***** K***", "hauptstrasse 12345 köln"},
		{"facture n° FR7630006000011234567890189", "facture n° ********89",
			"facture fr7630006000011234567890189"},
		{"", "", ""},
		{"Re: RE: Müller", "Re: RE: M*****", "re müller"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *got = ms_subject_shown(cases[i].subject, false);
		g_assert_cmpstr(got, ==, cases[i].want);
		g_autoptr(GPtrArray) words = ms_subject_words(cases[i].subject);
		g_ptr_array_add(words, NULL);
		g_autofree char *all = g_strjoinv(" ", (char **)words->pdata);
		g_assert_cmpstr(all, ==, cases[i].words);
	}
	static const char *const names[][2] = {{"Rechnung Müller C-10002.PDF", ".pdf"},
		{"x.tar.gz", ".gz"}, {"invoice", "?"}, {"Meier.10002", "?"}, {"", "?"}};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *got = ms_name_ending(names[i][0]);
		g_assert_cmpstr(got, ==, names[i][1]);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	dir = scratch_folder();
	g_test_add_func("/causes/tallies", test_tallies);
	g_test_add_func("/causes/sample", test_sample);
	g_test_add_func("/causes/search", test_search);
	g_test_add_func("/causes/glance", test_glance);
	g_test_add_func("/causes/concerned", test_concerned);
	g_test_add_func("/causes/rest", test_rest);
	g_test_add_func("/causes/others", test_others);
	g_test_add_func("/causes/subjects", test_subjects);
	int rc = g_test_run();
	remove_folder(dir);
	return rc;
}
