/*
 * Whole pages, made of records in a ledger: what stands on them, what does not, in each language.
 */
#include "config.h"

#include <sys/socket.h>
#include <unistd.h>

#include "missent/decision.h"
#include "missent/io.h"
#include "missent/link.h"
#include "missent/mta.h"

#include "../../milter/review/page.h"
#include "../test.h"

static char *dir;
static Site site;
static MsAccount account = {.name = (char *)"anna", .role = MS_ROLE_REVIEWER};
static MsSession session = {.account = &account, .csrf = (char *)"t"};

static Request request_of(const char *language, MsRole role)
{
	account.role = role;
	return (Request){.site = &site,
		.path = "/",
		.session = &session,
		.client = (char *)"::1",
		.form = g_hash_table_new_full(
			g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref),
		.language = language_chosen(language, NULL)};
}

static void field(Request *r, const char *name, const char *value)
{
	GPtrArray *values = g_hash_table_lookup(r->form, name);
	if (values == NULL) {
		values = g_ptr_array_new_with_free_func(g_free);
		g_hash_table_insert(r->form, g_strdup(name), values);
	}
	g_ptr_array_add(values, g_strdup(value));
}

/* ---- records -------------------------------------------------------------------------- */

static const char *holder = "mx";

typedef struct {
	const char *to;
	MsOutcome outcome;
} To;

static void add_reason(
	MsRecord *r, MsReasonCode code, const char *kind, const char *masked, const char *text)
{
	MsReason *reason = g_new0(MsReason, 1);
	*reason = (MsReason){.code = code,
		.policy = g_strdup("invoices"),
		.action = MS_HOLD,
		.enforced = true,
		.kind = g_strdup(kind),
		.masked = g_strdup(masked),
		.where = g_strdup("part 2 Rechnung K-70001 Hauptstr.pdf"),
		.owner = kind != NULL ? g_strdup("CUST0220") : NULL,
		.recipient = g_strdup("a@one.example"),
		.recipients = 1,
		.text = g_strdup(text)};
	g_ptr_array_add(r->reasons, reason);
}

static void add_finding(
	MsRecord *r, const char *kind, const char *masked, int i, const char *relations)
{
	g_autofree char *ref = g_strdup_printf("%024x", i);
	ms_record_finding(r,
		(MsHeldFinding){.kind = (char *)kind,
			.masked = (char *)masked,
			.ref = ref,
			.owners = (char *)"CUST0220",
			.belief = (char *)"exact, labelled",
			.where = (char *)"part 2 Rechnung K-70001 Hauptstr.pdf page 1",
			.count = 1,
			.relations = (char *)relations});
}

/* The caller's; with four identifiers of another where anybody is wrong, behind `n_own` of their
 * own. */
static char *add_with(
	MsState state, const char *cause, const char *relations, const To *to, int n_own)
{
	static const char *const kinds[] = {"customer-number", "iban", "vat-id", "email"};
	g_autoptr(MsRecord) r = ms_record_new();
	g_autoptr(GError) error = NULL;
	r->state = state;
	r->host = g_strdup(holder);
	r->queue_id = g_strdup("4jQUEUE");
	r->sender = g_strdup("billing@s.example");
	r->arrived = g_get_real_time();
	r->digest = g_strdup("00");
	r->codes = g_strdup("mismatch, oversized");
	r->policies = g_strdup("invoices");
	r->cause = g_strdup(cause);
	r->subject = g_strdup("Invoice ****02");
	r->attached = g_strdup(".pdf");
	for (; to->to != NULL; to++)
		ms_record_recipient(r, to->to,
			state == MS_STATE_OBSERVED ? MS_STATE_DELIVERED : state, to->outcome,
			"CUST0001");
	g_autofree char *own = g_strnfill(strlen(relations), 'o');
	for (int i = 0; i < n_own; i++) {
		g_autofree char *masked = g_strdup_printf("****own%d", i);
		add_finding(r, "invoice-number", masked, 100 + i, own);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_autofree char *masked = g_strdup_printf("****%d", (int)i);
		add_finding(r, kinds[i], masked, (int)i, relations);
		add_reason(r, MS_MISMATCH, kinds[i], masked, "of another account");
	}
	add_reason(r, MS_OVERSIZED, NULL, NULL, "60 recipients, at most 50 are allowed");
	add_reason(r, MS_UNREADABLE, NULL, NULL, "encrypted: <b>somewhat</b>");
	g_assert_true(ms_records_add(site.ledger, r, &error));
	g_assert_no_error(error);
	return g_strdup(r->uid);
}

static char *add(MsState state, const char *cause, const char *relations, const To *to)
{
	return add_with(state, cause, relations, to, 0);
}

static char *message_page(const char *uid, const char *language, MsRole role)
{
	Request r = request_of(language, role);
	g_autofree char *path = g_strdup_printf("/message/%s", uid);
	Answer a = {.status = 200, .html = g_string_new(NULL)};
	r.path = path;
	page_message(&r, &a);
	g_assert_cmpuint(a.status, ==, 200);
	GString *whole = frame(&r, &a);
	g_string_free(a.html, TRUE);
	g_free(a.about);
	g_hash_table_unref(r.form);
	return g_string_free(whole, FALSE);
}

#define HAS(page, text) g_assert_nonnull(strstr(page, text))
#define HAS_NOT(page, text) g_assert_null(strstr(page, text))

/* Whoever asks which keys there are is told all. */
static void keys_are_told(const char *page)
{
	static const char mark[] = "data-key=\"";
	for (const char *at = page; (at = strstr(at, mark)) != NULL;) {
		at += strlen(mark);
		g_autofree char *key = g_strdup_printf("<kbd>%.*s</kbd>", (int)strcspn(at, "\""), at);
		if (*at != '"' && strstr(page, key) == NULL)
			g_error("%s is none of the keys that are shown", key);
	}
}

/* The first button that stands on a page, from its tag on. */
static char *first_button(const char *page)
{
	const char *buttons = strstr(page, "class=\"buttons\""),
		   *at = buttons != NULL ? strstr(buttons, "<button") : NULL;
	return g_strndup(at != NULL ? at : "", at != NULL ? strcspn(at, ">") : 0);
}

/* ---- tests ---------------------------------------------------------------------------- */

static const To wrong_one[] = {{"a@one.example", MS_OUTCOME_WRONG}, {NULL, 0}};
static const To both[] = {
	{"a@one.example", MS_OUTCOME_WRONG}, {"b@two.example", MS_OUTCOME_RIGHT}, {NULL, 0}};
static const To right_one[] = {{"b@two.example", MS_OUTCOME_RIGHT}, {NULL, 0}};
static const To unknown_one[] = {{"x@new.example", MS_OUTCOME_UNKNOWN_RECIPIENT}, {NULL, 0}};

static void test_message(void)
{
	static const struct {
		const To *to;
		const char *cause, *relations, *first; /* verb of the first button */
		bool danger;
	} rows[] = {
		{wrong_one, "mismatch, for wrong, invoices, <billing@s.example>", "x", "return",
			true},
		{both, "mismatch, for right and wrong, invoices, <billing@s.example>", "xo",
			"return", true},
		{unknown_one, "mismatch, for unknown-recipient, invoices, <billing@s.example>", "?",
			"return", false},
		{right_one, "oversized, for right, invoices, <billing@s.example>", "o", "return",
			false},
		{right_one, "nothing, for right, invoices, <billing@s.example>", "o", "release",
			false},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *uid = add(
			MS_STATE_HELD, rows[i].cause, rows[i].relations, rows[i].to);
		g_autofree char *page = message_page(uid, "en", MS_ROLE_REVIEWER);
		g_autofree char *first = first_button(page);
		g_autofree char *verb = g_strdup_printf("value=\"%s\"", rows[i].first);
		HAS(first, verb);
		HAS_NOT(first, "danger");
		keys_are_told(page);
		g_assert_cmpint(
			strstr(page, "class=\"danger\" name=\"verb\" value=\"release\"") != NULL,
			==, rows[i].danger);
		/* one sentence for four reasons */
		HAS(page, "4 identifiers of <b class=\"account\">CUST0220</b>");
		HAS(page, "60 recipients, at most 50 are allowed");
		HAS(page, "<title>Held message 4jQUEUE · ");
		HAS(page, "title=\"It stands there as the directory has it.\"");
		HAS(page, "Invoice ****02");
		HAS_NOT(page, "K-70001"); /* a record of before had it in its places */
		HAS_NOT(page, "Hauptstr");
		HAS_NOT(page, "<b>somewhat</b>");
	}
}

/* Of many recipients and identifiers the wrong ones are seen, though they stand at the end, and how
 * many are not. */
static void test_many(void)
{
	To to[] = {{"a1@two.example", MS_OUTCOME_RIGHT}, {"a2@two.example", MS_OUTCOME_RIGHT},
		{"a3@two.example", MS_OUTCOME_RIGHT}, {"a4@two.example", MS_OUTCOME_RIGHT},
		{"a5@two.example", MS_OUTCOME_RIGHT}, {"a6@two.example", MS_OUTCOME_RIGHT},
		{"z@one.example", MS_OUTCOME_WRONG}, {NULL, 0}};
	g_autofree char *uid = add_with(MS_STATE_HELD,
		"mismatch, for right and wrong, invoices, <billing@s.example>", "oooooox", to, 36);
	g_autofree char *page = message_page(uid, "en", MS_ROLE_REVIEWER);
	const char *gets = strstr(page, "Who would have got it?"), *matrix = strstr(page, "<thead>"),
		   *evidence = strstr(page, "class=\"evidence\"");
	g_assert_true(g_str_has_prefix(strstr(gets, "<p>"), "<p>z@one.example "));
	HAS(gets, "a4@two.example <small>");
	HAS(gets, "<small>+2</small>");
	for (int i = 0; i < 2; i++) {
		const char *from = i == 0 ? matrix : evidence, *wrong = strstr(from, "****0</code>"),
			   *own = strstr(from, "****own0</code>");
		g_assert_true(wrong != NULL && own != NULL && wrong < own);
		HAS(from, "<small>+10</small>");
	}
	/* whoever hears the page hears whom it is wrong for */
	const char *box = strstr(page, "value=\"z@one.example\">");
	g_assert_nonnull(box);
	g_autofree char *label = g_strndup(box, (gsize)(strstr(box, "</label>") - box));
	HAS(label, "another&#39;s data");
}

static void test_viewer_and_observed(void)
{
	g_autofree char *held = add(MS_STATE_HELD,
		"mismatch, for wrong, invoices, <billing@s.example>", "x", wrong_one);
	g_autofree char *seen = add(MS_STATE_OBSERVED,
		"mismatch, for nobody, invoices, <billing@s.example>", "x", wrong_one);
	g_autofree char *viewer = message_page(held, "en", MS_ROLE_VIEWER);
	HAS_NOT(viewer, "name=\"verb\"");
	HAS_NOT(viewer, "/reveal");
	g_autofree char *observed = message_page(seen, "en", MS_ROLE_REVIEWER);
	HAS(observed, "It was delivered: missent only observes");
	HAS_NOT(observed, "name=\"verb\"");
}

static void test_languages(void)
{
	g_autofree char *uid = add(MS_STATE_HELD,
		"mismatch, for wrong, invoices, <billing@s.example>", "x", wrong_one);
	g_autofree char *french = message_page(uid, "fr", MS_ROLE_REVIEWER);
	g_autofree char *german = message_page(uid, "de", MS_ROLE_REVIEWER);
	HAS(french, "<html lang=\"fr\">");
	HAS(french, "a@one.example recevrait 4 identifiants de <b class=\"account\">CUST0220</b>");
	HAS(french, "60 destinataires, 50 au plus sont permis");
	HAS(german, "a@one.example bekäme 4 Kennungen von <b class=\"account\">CUST0220</b>");
	static const char *const english[] = {"Release", "Return", "Reason", "recipients",
		"identifiers", ">held<", "Whose", "another", "encrypted", ">labelled<"};
	for (gsize i = 0; i < G_N_ELEMENTS(english); i++) {
		HAS_NOT(french, english[i]);
		HAS_NOT(german, english[i]);
	}
}

static char *run(void (*page)(Request *, Answer *), Request *r, unsigned *status_out)
{
	Answer a = {.status = 200, .html = g_string_new(NULL)};
	page(r, &a);
	if (status_out != NULL)
		*status_out = a.status;
	g_hash_table_unref(r->form);
	g_free(a.location);
	return g_string_free(a.html, FALSE);
}

static void test_lists(void)
{
	Request r = request_of("en", MS_ROLE_REVIEWER);
	g_autofree char *list = run(page_list, &r, NULL);
	Request v = request_of("en", MS_ROLE_VIEWER);
	g_autofree char *seen = run(page_list, &v, NULL);
	Request c = request_of("de", MS_ROLE_VIEWER);
	g_autofree char *causes = run(page_causes, &c, NULL);
	HAS(list, "CUST0220");
	HAS(list, "a@one.example");
	HAS(list, "name=\"uid\"");
	HAS(list, "Invoice ****02");
	HAS_NOT(list, "K-70001");
	HAS_NOT(seen, "name=\"uid\"");
	HAS_NOT(seen, "name=\"verb\"");
	HAS(causes, "könnte jetzt gehen");
	HAS(causes, "outcome wrong");
}

/* Without its number what is another's is not let go; the agent, which is not there, is not even
 * asked. */
static void test_bulk(void)
{
	g_autofree char *one = add(MS_STATE_HELD,
		"mismatch, for wrong, invoices, <billing@s.example>", "x", wrong_one);
	g_autofree char *two = add(
		MS_STATE_HELD, "mismatch, for wrong, invoices, <billing@s.example>", "xo", both);
	static const struct {
		const char *verb, *why, *others;
		unsigned status;
		const char *want;
	} rows[] = {
		{"release", "", NULL, 400, "Choose a reason first"},
		{"release", "x", NULL, 200,
			"Releasing sends 2 messages with data of <b class=\"account\">CUST0220</b> to 2 recipients"},
		{"release", "x", "1", 200, "That is not the number"},
		{"release", "x", "02", 200, "That is not the number"},
		{"delete", "x", NULL, 200, "type how many they are: 2"},
		{"note", "x", NULL, 400, "cannot be done here"},
		{"nothing", "x", NULL, 400, "nothing"},
		{"", "x", NULL, 400, ""},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		Request r = request_of("en", MS_ROLE_REVIEWER);
		unsigned status;
		field(&r, "uid", one);
		field(&r, "uid", two);
		field(&r, "verb", rows[i].verb);
		field(&r, "why", rows[i].why);
		if (rows[i].others != NULL)
			field(&r, "others", rows[i].others);
		g_autofree char *page = run(page_bulk, &r, &status);
		g_assert_cmpuint(status, ==, rows[i].status);
		HAS(page, rows[i].want);
		HAS_NOT(page, "Decided");
		/* who is asked once more need not choose them again */
		if (strstr(page, "<form") == NULL)
			continue;
		for (int k = 0; k < 2; k++) {
			g_autofree char *again = g_strdup_printf(
				"<input type=\"hidden\" name=\"uid\" value=\"%s\">", k == 0 ? one : two);
			HAS(page, again);
		}
		g_autofree char *verb =
			g_strdup_printf("name=\"verb\" value=\"%s\"", rows[i].verb);
		HAS(page, verb);
		HAS(page, "<a class=\"button\" href=\"/?state=held\"");
	}
	Request none = request_of("en", MS_ROLE_REVIEWER);
	unsigned status;
	field(&none, "verb", "delete");
	field(&none, "why", "x");
	g_autofree char *page = run(page_bulk, &none, &status);
	g_assert_cmpuint(status, ==, 400);
	HAS(page, "No message was chosen");
}

/* What the agent was asked to decide; and what happens when it is asked so first. */
static GPtrArray *decided;
static MsRecord *turns_wrong;

static void note_decision(const char *ask)
{
	g_autoptr(MsRecord) again = ms_record_new();
	g_ptr_array_add(decided, g_strdup(ask));
	if (turns_wrong == NULL)
		return;
	ms_record_recipient(again, "b@two.example", MS_STATE_HELD, MS_OUTCOME_WRONG, "CUST0001");
	g_assert_true(ms_records_rejudge(
		site.ledger, turns_wrong, again->recipients, "carl", "", NULL));
	g_clear_pointer(&turns_wrong, ms_record_free);
}

/* While one host is asked, what another holds turns out to be wrong: of that nobody has said how
 * many they are, and so it is not said for him. */
static void test_turns_wrong(void)
{
	g_autofree char *one = add(
		MS_STATE_HELD, "mismatch, for wrong, invoices, <late@s.example>", "x", wrong_one);
	holder = "mx2";
	g_autofree char *two = add(
		MS_STATE_HELD, "oversized, for right, invoices, <late@s.example>", "o", right_one);
	holder = "mx";
	turns_wrong = ms_records_find(site.ledger, two, NULL);
	Request r = request_of("en", MS_ROLE_REVIEWER);
	field(&r, "uid", one);
	field(&r, "uid", two);
	field(&r, "verb", "release");
	field(&r, "why", "x");
	field(&r, "others", "1");
	g_autofree char *page = run(page_bulk, &r, NULL);
	HAS(page, "Decided");
	g_assert_null(turns_wrong);
	g_assert_cmpuint(decided->len, ==, 2);
	for (guint i = 0; i < decided->len; i++) {
		json_t *ask = json_loads(decided->pdata[i], 0, NULL);
		gint64 others = json_integer_value(json_object_get(ask, "others"));
		bool first = strcmp(json_string_value(json_object_get(ask, "host")), "mx") == 0;
		g_assert_cmpint(others, ==, first ? 1 : 0);
		json_decref(ask);
	}
}

/* Two choose from one list: of what the other has decided nothing is asked, of the rest all is. */
static void test_decided_meanwhile(void)
{
	g_autofree char *mine = add(
		MS_STATE_HELD, "oversized, for right, invoices, <two@s.example>", "o", right_one);
	g_autofree char *others = add(MS_STATE_RETURNED,
		"oversized, for right, invoices, <two@s.example>", "o", right_one);
	g_autofree char *begun = add(
		MS_STATE_HELD, "oversized, for right, invoices, <two@s.example>", "o", right_one);
	char none[] = "", carl[] = "carl";
	MsDecision decision = {.id = carl,
		.uid = begun,
		.group = none,
		.verb = MS_VERB_RETURN,
		.recipients = none,
		.account = none,
		.identifier = none,
		.assignee = none,
		.who = carl,
		.second = none,
		.why = none,
		.outcome = none,
		.token = none,
		.step = none,
		.state = MS_DECISION_APPROVED};
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	g_ptr_array_add(list, &decision);
	g_assert_true(ms_decisions_add(site.ledger, list, NULL));
	const char *const chosen[] = {mine, others, begun, NULL};
	guint before = decided->len;
	for (int i = 0; i < 2; i++) {
		Request r = request_of("en", MS_ROLE_REVIEWER);
		for (int k = i; chosen[k] != NULL; k++)
			field(&r, "uid", chosen[k]);
		field(&r, "verb", "return");
		field(&r, "why", "x");
		unsigned status;
		g_autofree char *page = run(page_bulk, &r, &status);
		HAS(page, "2 of them are decided already, and are left out.");
		g_assert_cmpuint(status, ==, i == 0 ? 200 : 400);
		g_assert_cmpint(strstr(page, "Decided") != NULL, ==, i == 0);
		g_assert_cmpuint(decided->len, ==, before + 1);
	}
	const char *ask = decided->pdata[before];
	HAS(ask, mine);
	HAS_NOT(ask, others);
	HAS_NOT(ask, begun);
}

static void test_single_asks(void)
{
	g_autofree char *uid = add(MS_STATE_HELD,
		"mismatch, for right and wrong, invoices, <billing@s.example>", "xo", both);
	Request r = request_of("en", MS_ROLE_REVIEWER);
	g_autofree char *path = g_strdup_printf("/message/%s", uid);
	r.path = path;
	field(&r, "verb", "release");
	field(&r, "preset", "Checked with the sender");
	g_autofree char *page = run(page_decide, &r, NULL);
	HAS(page, "Releasing sends 1 message with data of");
	HAS(page, "name=\"others\"");
	HAS(page, "value=\"Checked with the sender\"");
	/* without a reason nothing is done, and whom he chose is not to be chosen again */
	Request no = request_of("en", MS_ROLE_REVIEWER);
	no.path = path;
	field(&no, "verb", "release-some");
	field(&no, "to", "b@two.example");
	g_autofree char *asked = run(page_decide, &no, NULL);
	HAS(asked, "Choose a reason first");
	HAS(asked, "<select name=\"preset\">");
	HAS(asked, "<input type=\"hidden\" name=\"to\" value=\"b@two.example\">");
	HAS(asked, "value=\"release-some\">Release to the chosen</button>");
	g_autofree char *back = g_strdup_printf("<a class=\"button\" href=\"%s\"", path);
	HAS(asked, back);
	HAS(page, back);
}

/* Reasons of a site's own, a line each. */
static void test_reasons(void)
{
	g_autofree char *path = g_build_filename(dir, "reasons", NULL);
	g_assert_true(g_file_set_contents(path, "Falscher Anhang\n\n  <x>\n", -1, NULL));
	Request r = request_of("en", MS_ROLE_REVIEWER);
	g_autoptr(GString) own = g_string_new(NULL);
	g_autoptr(GString) usual = g_string_new(NULL);
	html_reason_field(usual, &r);
	HAS(usual->str, "Checked with the sender");
	site.settings->review.reasons_file = path;
	html_reason_field(own, &r);
	site.settings->review.reasons_file = NULL;
	HAS(own->str, "<option>Falscher Anhang</option><option>&lt;x&gt;</option></select>");
	HAS_NOT(own->str, "Checked");
	g_hash_table_unref(r.form);
}

/* Of the agent: it writes down what the page hands it, decides nothing, and knows nothing else. */
static void *take_notes(void *user)
{
	int door = *(const int *)user;
	for (int fd; (fd = accept(door, NULL, NULL)) >= 0; close(fd)) {
		gsize len;
		g_autofree char *ask = ms_link_receive(fd, MS_LINK_MAX, &len);
		bool told = ask != NULL && g_str_has_prefix(ask, "{\"do\":\"tell\",");
		const char *reply = told ? "{\"ok\":true}" : "{\"ok\":false,\"error\":\"no\"}";
		if (ask != NULL && strstr(ask, "\"do\":\"decide\"") != NULL)
			note_decision(ask);
		ms_link_send(fd, reply, strlen(reply));
	}
	return NULL;
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	dir = scratch_folder();
	g_autofree char *conf = g_build_filename(dir, "missent.conf", NULL);
	g_autofree char *agent = g_build_filename(dir, "agent.sock", NULL);
	g_autofree char *text = g_strdup_printf(
		"state-dir = \"%s\"\ndesk { socket = \"%s\" }\n", dir, agent);
	g_autofree char *db = g_build_filename(dir, "held.db", NULL);
	g_autoptr(GError) error = NULL;
	g_assert_true(g_file_set_contents(conf, text, -1, &error));
	site.settings = ms_settings_load_public(conf, &error);
	g_assert_no_error(error);
	site.ledger = ms_ledger_open(db, &error);
	g_assert_no_error(error);
	site.link = ms_link_open(site.settings, false, &error);
	g_assert_no_error(error);
	decided = g_ptr_array_new_with_free_func(g_free);
	int door = ms_io_listen(agent, NULL, 0600);
	g_assert_cmpint(door, >=, 0);
	GThread *notes = g_thread_new("notes", take_notes, &door);
	g_test_add_func("/reviewing/message", test_message);
	g_test_add_func("/reviewing/many", test_many);
	g_test_add_func("/reviewing/viewer-and-observed", test_viewer_and_observed);
	g_test_add_func("/reviewing/languages", test_languages);
	g_test_add_func("/reviewing/lists", test_lists);
	g_test_add_func("/reviewing/bulk", test_bulk);
	g_test_add_func("/reviewing/turns-wrong", test_turns_wrong);
	g_test_add_func("/reviewing/decided-meanwhile", test_decided_meanwhile);
	g_test_add_func("/reviewing/single-asks", test_single_asks);
	g_test_add_func("/reviewing/reasons", test_reasons);
	int rc = g_test_run();
	shutdown(door, SHUT_RDWR);
	g_thread_join(notes);
	close(door);
	g_ptr_array_unref(decided);
	ms_link_free(site.link);
	ms_ledger_free(site.ledger);
	ms_settings_free(site.settings);
	remove_folder(dir);
	return rc;
}
