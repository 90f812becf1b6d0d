#include "config.h"

#include <unistd.h>

#include "missent/answer.h"
#include "missent/desk.h"
#include "missent/person.h"

#include "../test.h"

static char *dir;

/* ---- names ---------------------------------------------------------------------------- */

static const char *const domains[] = {"corp", "Corp.Example", "@other\\", NULL};
static const char *const aliases[] = {"aschmidt=anna", "CORP\\as = Anna", "loop=pool", "pool=loop", NULL};
static const MsPersonRules rules = {domains, aliases};

static void test_one_name(void)
{
	static const struct {
		const char *spelled, *want;
	} rows[] = {
		{"anna", "anna"},
		{"Anna", "anna"},
		{"ANNA", "anna"},
		{" anna\t", "anna"},
		{"anna\xc2\xa0", "anna"},                 /* a blank that does not break */
		{"an\xe2\x80\x8bna", "anna"},             /* zero width */
		{"an\xc2\xadna", "anna"},                 /* soft hyphen */
		{"\xef\xbb\xbf" "anna", "anna"},          /* byte order mark */
		{"\xe2\x80\xaa" "anna\xe2\x80\xac", "anna"},
		{"\xef\xbd\x81nna", "anna"},              /* wide letter */
		{"Zo\xc3\xab", "zo\xc3\xab"},
		{"Zoe\xcc\x88", "zo\xc3\xab"},            /* two characters for one letter */
		{"STRASSE", "strasse"},
		{"Stra\xc3\x9f" "e", "strasse"},
		{"Anna  Maria ", "anna maria"},
		{"anna@corp", "anna"},
		{"ANNA@CORP", "anna"},
		{"anna@corp.example", "anna"},
		{"anna@elsewhere.example", "anna@elsewhere.example"},
		{"CORP\\Anna", "anna"},
		{"other\\anna", "anna"},
		{"third\\anna", "third\\anna"},
		{"CORP\\anna@corp.example", "anna"},
		{"corp\\", "corp\\"},
		{"@corp", "@corp"},
		{"aschmidt", "anna"},
		{"ASchmidt@corp", "anna"},
		{"as", "anna"},
		{"loop", "pool"},
		{"anna via billing", "anna"},
		{"CORP\\Anna via billing", "anna"},
		{"bad\xff", "bad\xef\xbf\xbd"},
		{"", ""},
		{" \xe2\x80\x8b ", ""},
		{NULL, ""},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = ms_person_name(&rules, rows[i].spelled);
		g_autofree char *again = ms_person_name(&rules, got);
		g_assert_cmpstr(got, ==, rows[i].want);
		if (strcmp(got, "pool") != 0)
			g_assert_cmpstr(again, ==, got);
	}
	g_assert_true(ms_person_is(&rules, "Anna", "CORP\\aschmidt"));
	g_assert_false(ms_person_is(&rules, "anna", "bert"));
	g_assert_false(ms_person_is(NULL, "anna", "anna@corp"));
	g_assert_true(ms_person_is(NULL, "anna", "Anna "));
}

/* ---- the rule of the second person ---------------------------------------------------- */

static MsDesk *open_desk(const char *more)
{
	g_autofree char *conf = g_build_filename(dir, "missent.conf", NULL);
	g_autofree char *text = g_strdup_printf("state-dir = \"%s\"\nhost = \"mx\"\ndesk {\n"
		"person-domains = {\"corp\"}\nperson-aliases = {\"aschmidt=anna\"}\n%s\n}\n", dir, more);
	g_autoptr(GError) error = NULL;
	g_assert_true(g_file_set_contents(conf, text, -1, NULL));
	MsDesk *desk = ms_desk_open(conf, &error);
	g_assert_no_error(error);
	return desk;
}

static char *hold(MsDesk *desk, guint recipients)
{
	g_autoptr(MsRecord) r = ms_record_new();
	static int n;
	g_autoptr(GError) error = NULL;
	r->state = MS_STATE_HELD;
	r->host = g_strdup("mx");
	r->queue_id = g_strdup_printf("Q%d", n++);
	r->sender = g_strdup("billing@seller.example");
	r->arrived = g_get_real_time();
	r->digest = g_strdup("00");
	for (guint i = 0; i < recipients; i++) {
		g_autofree char *address = g_strdup_printf("r%u@x.example", i);
		ms_record_recipient(r, address, MS_STATE_HELD, MS_OUTCOME_WRONG, "");
	}
	r->n_recipients = recipients;
	ms_records_add(ms_desk_ledger(desk), r, &error);
	g_assert_no_error(error);
	return g_strdup(r->uid);
}

/* The state of what was decided, or -1 and why not. */
static int let_go(MsDesk *desk, const char *uid, const char *who, const char *recipient)
{
	g_autoptr(GPtrArray) uids = g_ptr_array_new();
	g_autoptr(GPtrArray) to = g_ptr_array_new();
	g_ptr_array_add(uids, (char *)uid);
	if (recipient != NULL)
		g_ptr_array_add(to, (char *)recipient);
	MsAsk ask = {.verb = MS_VERB_RELEASE, .uids = uids, .recipients = to, .who = who, .why = "x", .later = true};
	g_autoptr(GPtrArray) done = ms_desk_decide(desk, &ask, NULL);
	if (done == NULL)
		return -1;
	MsDecision *d = done->pdata[0];
	int state = d->state;
	g_autoptr(GPtrArray) address = g_ptr_array_new();
	g_ptr_array_add(address, (char *)recipient);
	if (state == MS_DECISION_APPROVED) /* as if it had been carried out */
		g_assert_true(ms_decisions_finish(ms_desk_ledger(desk), d, true, "", address, MS_STATE_RELEASED, NULL));
	return state;
}

/* One by one is no more than at once, in whatever spelling, and whatever token stands between. */
static void test_one_by_one(void)
{
	g_autoptr(MsDesk) desk = open_desk("two-person-above = 2");
	static const char *const spelled[] = {"anna", "CORP\\Anna", "aschmidt via billing"};
	g_autofree char *uid = hold(desk, 5);
	g_assert_cmpint(let_go(desk, uid, spelled[0], "r0@x.example"), ==, MS_DECISION_APPROVED);
	g_assert_cmpint(let_go(desk, uid, spelled[1], "r1@x.example"), ==, MS_DECISION_APPROVED);
	g_assert_cmpint(let_go(desk, uid, spelled[2], "r2@x.example"), ==, MS_DECISION_WAITING);
	/* another person, another message: each has a count of its own */
	g_autofree char *other = hold(desk, 5);
	g_assert_cmpint(let_go(desk, other, "bert", "r0@x.example"), ==, MS_DECISION_APPROVED);
	g_assert_cmpint(let_go(desk, other, "anna", "r1@x.example"), ==, MS_DECISION_APPROVED);
	g_assert_cmpint(let_go(desk, other, "bert", "r2@x.example"), ==, MS_DECISION_APPROVED);
	g_assert_cmpint(let_go(desk, other, "bert", "r3@x.example"), ==, MS_DECISION_WAITING);
}

static void test_second_person(void)
{
	g_autoptr(MsDesk) desk = open_desk("two-person-above = 0");
	static const struct {
		const char *first, *second;
		bool one;
	} rows[] = {{"anna", "anna", true}, {"anna", "Anna ", true}, {"CORP\\anna", "ANNA@corp", true},
		{"anna", "aschmidt", true}, {"anna via billing", "anna", true}, {"anna", "anna via billing", true},
		{"\xef\xbd\x81nna", "anna", true}, {"anna", "bert", false}, {"anna via billing", "bert", false}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *uid = hold(desk, 1);
		g_autoptr(GError) error = NULL;
		g_assert_cmpint(let_go(desk, uid, rows[i].first, NULL), ==, MS_DECISION_WAITING);
		g_autoptr(MsRecord) r = ms_records_find(ms_desk_ledger(desk), uid, NULL);
		const MsDecision *d = r->decisions->pdata[0];
		ms_desk_leave_work(desk, 0); /* carried out by nobody */
		g_autoptr(GPtrArray) done = ms_desk_agree(desk, d->id, rows[i].second, true, &error);
		g_test_message("%s, %s", rows[i].first, rows[i].second);
		if (rows[i].one)
			g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
		else
			g_assert_no_error(error);
		g_assert_cmpint(done == NULL, ==, rows[i].one);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	dir = scratch_folder();
	g_test_add_func("/people/one-name", test_one_name);
	g_test_add_func("/people/one-by-one", test_one_by_one);
	g_test_add_func("/people/second-person", test_second_person);
	int rc = g_test_run();
	remove_folder(dir);
	return rc;
}
