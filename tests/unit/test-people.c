/*
 * Reviewers: names, roles, the rule of the second person, passwords, second factors, sessions,
 * tokens, guessers.
 */
#include "config.h"

#include <sys/stat.h>
#include <unistd.h>

#include <liboath/oath.h>
#include <sqlite3.h>

#include "missent/accounts.h"
#include "missent/answer.h"
#include "missent/clock.h"
#include "missent/desk.h"
#include "missent/password.h"
#include "missent/person.h"
#include "missent/store.h"

#include "../test.h"

static char *dir;

/* ---- names ---------------------------------------------------------------------------- */

static const char *const domains[] = {"corp", "Corp.Example", "@other\\", NULL};
static const char *const aliases[] = {
	"aschmidt=anna", "CORP\\as = Anna", "loop=pool", "pool=loop", NULL};
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
	g_autofree char *text = g_strdup_printf(
		"state-dir = \"%s\"\nhost = \"mx\"\ndesk {\n"
		"person-domains = {\"corp\"}\nperson-aliases = {\"aschmidt=anna\"}\n%s\n}\n",
		dir, more);
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
	MsAsk ask = {.verb = MS_VERB_RELEASE,
		.uids = uids,
		.recipients = to,
		.who = who,
		.why = "x",
		.later = true};
	g_autoptr(GPtrArray) done = ms_desk_decide(desk, &ask, NULL);
	if (done == NULL)
		return -1;
	MsDecision *d = done->pdata[0];
	int state = d->state;
	g_autoptr(GPtrArray) address = g_ptr_array_new();
	g_ptr_array_add(address, (char *)recipient);
	if (state == MS_DECISION_APPROVED) /* as if it had been carried out */
		g_assert_true(ms_decisions_finish(
			ms_desk_ledger(desk), d, true, "", address, MS_STATE_RELEASED, NULL));
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
	} rows[] = {{"anna", "anna", true}, {"anna", "Anna ", true},
		{"CORP\\anna", "ANNA@corp", true}, {"anna", "aschmidt", true},
		{"anna via billing", "anna", true}, {"anna", "anna via billing", true},
		{"\xef\xbd\x81nna", "anna", true}, {"anna", "bert", false},
		{"anna via billing", "bert", false}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *uid = hold(desk, 1);
		g_autoptr(GError) error = NULL;
		g_assert_cmpint(let_go(desk, uid, rows[i].first, NULL), ==, MS_DECISION_WAITING);
		g_autoptr(MsRecord) r = ms_records_find(ms_desk_ledger(desk), uid, NULL);
		const MsDecision *d = r->decisions->pdata[0];
		ms_desk_leave_work(desk, 0); /* carried out by nobody */
		g_autoptr(GPtrArray)
			done = ms_desk_agree(desk, d->id, rows[i].second, true, &error);
		g_test_message("%s, %s", rows[i].first, rows[i].second);
		if (rows[i].one)
			g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
		else
			g_assert_no_error(error);
		g_assert_cmpint(done == NULL, ==, rows[i].one);
	}
}

/* ---- accounts ------------------------------------------------------------------------- */

#define HOUR (3600 * (gint64)G_USEC_PER_SEC)

static MsAccounts *open_accounts(const char *name)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autoptr(GError) error = NULL;
	MsAccounts *accounts = ms_accounts_open(path, &rules, &error);
	g_assert_no_error(error);
	return accounts;
}

static void put(
	MsAccounts *accounts, const char *name, MsRole role, const char *password, bool disabled)
{
	MsAccount account = {.name = (char *)name, .role = role, .disabled = disabled};
	g_autoptr(GError) error = NULL;
	ms_accounts_put(accounts, &account, password, &error);
	g_assert_no_error(error);
}

static MsLogin try_code(MsAccounts *accounts, const char *name, const char *password,
	const char *code, const char *source, const char *device, MsPass *pass)
{
	MsTry try = {name, password, code, source, device};
	g_autoptr(GError) error = NULL;
	ms_pass_clear(pass);
	MsLogin result = ms_accounts_login(accounts, &try, pass, &error);
	g_assert_no_error(error);
	return result;
}

static MsLogin try_login(MsAccounts *accounts, const char *name, const char *password,
	const char *source, MsPass *pass)
{
	return try_code(accounts, name, password, "", source, "", pass);
}

/* An alias that is new makes two names one person: what the other name had is his, and goes with
 * him. */
static void test_renamed(void)
{
	static const struct {
		const char *there; /* an account of that name, too, before the alias; or NULL */
		bool account;      /* has the other name one? */
	} rows[] = {{NULL, true}, {"anna", true}, {"anna", false}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *name = g_strdup_printf("renamed-%zu.db", i);
		g_autofree char *path = g_build_filename(dir, name, NULL);
		g_autoptr(GError) error = NULL;
		g_autofree char *secret = NULL;
		g_auto(MsPass) pass = {0};
		{
			g_autoptr(MsAccounts) before = ms_accounts_open(path, NULL, &error);
			g_assert_no_error(error);
			if (rows[i].there != NULL)
				put(before, rows[i].there, MS_ROLE_REVIEWER, "a good password", false);
			if (rows[i].account) {
				put(before, "aschmidt", MS_ROLE_REVIEWER, "a good password", false);
				g_assert_cmpint(try_login(before, "aschmidt", "a good password",
							"192.0.2.1", &pass), ==, MS_LOGIN_FINE);
			}
			const MsToken token = {.name = (char *)"billing", .owner = (char *)"aschmidt",
				.role = MS_ROLE_ADMINISTRATOR};
			secret = ms_accounts_token_add(before, &token, &error);
			g_assert_no_error(error);
		}
		g_autoptr(MsAccounts) accounts = open_accounts(name);
		g_autoptr(MsSession) session = ms_accounts_token(accounts, secret, &error);
		g_assert_cmpstr(session->actor, ==, "anna via billing");
		g_assert_cmpint(session->account->role, ==, MS_ROLE_REVIEWER);
		if (rows[i].there == NULL) { /* she is logged in as before */
			g_autoptr(MsSession) own =
				ms_accounts_session(accounts, pass.session, HOUR, HOUR, &error);
			g_assert_cmpstr(own->account->name, ==, "anna");
		}
		g_assert_true(ms_accounts_delete(accounts, "anna", &error));
		g_assert_null(ms_accounts_token(accounts, secret, &error));
		g_assert_no_error(error);
	}
}

static void test_login(void)
{
	g_autoptr(MsAccounts) accounts = open_accounts("login.db");
	g_autoptr(GError) error = NULL;
	g_auto(MsPass) pass = {0}, none = {0};
	put(accounts, "Anna", MS_ROLE_REVIEWER, "a good password", false);
	put(accounts, "bert", MS_ROLE_VIEWER, "another password", true);
	put(accounts, "proxy-only", MS_ROLE_VIEWER, NULL, false);
	g_assert_cmpint(try_login(accounts, "CORP\\anna", "a good password", "192.0.2.1", &pass),
		==, MS_LOGIN_FINE);
	g_assert_cmpuint(strlen(pass.session), ==, 64);
	static const char *const wrong[][2] = {{"anna", "a good passwor"}, {"anna", ""},
		{"bert", "another password"}, {"carl", "a good password"}, {"proxy-only", ""},
		{"", ""}, {"' OR 1=1 --", "x"}};
	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autofree char *source = g_strdup_printf("198.51.100.%d", (int)i);
		g_assert_cmpint(try_login(accounts, wrong[i][0], wrong[i][1], source, &none), ==,
			MS_LOGIN_WRONG);
		g_assert_null(none.session);
	}
	g_autoptr(MsSession)
		session = ms_accounts_session(accounts, pass.session, HOUR, HOUR, &error);
	g_assert_cmpstr(session->account->name, ==, "anna");
	g_assert_cmpstr(session->actor, ==, "anna");
	g_assert_cmpint(session->account->role, ==, MS_ROLE_REVIEWER);
	g_assert_true(session->account->password && !session->account->totp);
	g_assert_cmpuint(strlen(session->csrf), ==, 64);
	g_assert_null(ms_accounts_session(accounts, "0000", HOUR, HOUR, &error));
	/* idle for too long */
	g_assert_null(ms_accounts_session(accounts, pass.session, 0, HOUR, &error));
	g_assert_null(ms_accounts_session(accounts, pass.session, HOUR, 0, &error)); /* too old */
	/* changed rights end sessions */
	put(accounts, "ANNA", MS_ROLE_VIEWER, NULL, false);
	g_assert_null(ms_accounts_session(accounts, pass.session, HOUR, HOUR, &error));
	g_assert_cmpint(try_login(accounts, "anna", "a good password", "192.0.2.1", &pass), ==,
		MS_LOGIN_FINE);
	g_assert_true(ms_accounts_logout(accounts, pass.session, &error));
	g_assert_null(ms_accounts_session(accounts, pass.session, HOUR, HOUR, &error));
	g_autofree char *admitted = ms_accounts_admit(accounts, "Proxy-Only@corp", &error);
	g_autoptr(MsSession) by_proxy = ms_accounts_session(accounts, admitted, HOUR, HOUR, &error);
	g_assert_cmpint(by_proxy->by, ==, MS_BY_PROXY);
	g_assert_null(ms_accounts_admit(accounts, "bert", &error)); /* disabled */
	g_assert_null(ms_accounts_admit(accounts, "carl", &error));
	g_assert_true(ms_accounts_delete(accounts, "Proxy-only", &error));
	g_assert_null(ms_accounts_session(accounts, admitted, HOUR, HOUR, &error));
}

/* A session that was begun while the clock was ahead ends when that is set right, and is in
 * nobody's way then: behind a proxy there are many. */
static void test_clock_set(void)
{
	g_autoptr(MsAccounts) accounts = open_accounts("clock.db");
	g_autoptr(GError) error = NULL;
	put(accounts, "anna", MS_ROLE_REVIEWER, NULL, false);
	ms_clock_shift(400 * 24 * HOUR, 0);
	g_autofree char *early = NULL;
	for (int i = 0; i < 60; i++) {
		g_free(early);
		early = ms_accounts_admit(accounts, "anna", &error);
	}
	g_autoptr(MsSession) ahead = ms_accounts_session(accounts, early, HOUR, HOUR, &error);
	ms_clock_shift(-400 * 24 * HOUR, 0);
	g_assert_nonnull(ahead);
	g_assert_null(ms_accounts_session(accounts, early, HOUR, HOUR, &error));
	g_autofree char *now = ms_accounts_admit(accounts, "anna", &error);
	g_autoptr(MsSession) session = ms_accounts_session(accounts, now, HOUR, HOUR, &error);
	g_assert_no_error(error);
	g_assert_nonnull(session);
}

/* One's own password: other sessions end, this one goes on. */
/* Accounts that are put in the place of others while the page has these open: who is not among
 * them is out at once, with his session. */
static void test_replaced(void)
{
	g_autofree char *path = g_build_filename(dir, "replaced.db", NULL);
	g_autofree char *fresh = g_build_filename(dir, "replaced-by.db", NULL);
	g_autoptr(MsAccounts) accounts = open_accounts("replaced.db");
	g_autoptr(GError) error = NULL;
	g_auto(MsPass) pass = {0}, none = {0};
	put(accounts, "anna", MS_ROLE_REVIEWER, "a good password", false);
	g_assert_cmpint(try_login(accounts, "anna", "a good password", "192.0.2.1", &pass), ==,
		MS_LOGIN_FINE);
	MsAccounts *others = open_accounts("replaced-by.db");
	put(others, "bert", MS_ROLE_REVIEWER, "another password", false);
	ms_accounts_free(others);
	g_assert_cmpint(rename(fresh, path), ==, 0);
	g_assert_null(ms_accounts_session(accounts, pass.session, HOUR, HOUR, &error));
	g_assert_no_error(error);
	g_assert_cmpint(try_login(accounts, "anna", "a good password", "192.0.2.1", &none), !=,
		MS_LOGIN_FINE);
	g_assert_cmpint(try_login(accounts, "bert", "another password", "192.0.2.2", &none), ==,
		MS_LOGIN_FINE);
}

static void test_own_password(void)
{
	g_autoptr(MsAccounts) accounts = open_accounts("own.db");
	g_autoptr(GError) error = NULL;
	g_auto(MsPass) here = {0}, there = {0};
	put(accounts, "anna", MS_ROLE_REVIEWER, "a good password", false);
	try_login(accounts, "anna", "a good password", "192.0.2.1", &here);
	try_login(accounts, "anna", "a good password", "192.0.2.2", &there);
	g_assert_false(ms_accounts_password(accounts, "anna", "short", here.session, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
	g_clear_error(&error);
	g_assert_true(
		ms_accounts_password(accounts, "anna", "a better password", here.session, &error));
	g_autoptr(MsSession) still = ms_accounts_session(accounts, here.session, HOUR, HOUR, NULL);
	g_assert_nonnull(still);
	g_assert_null(ms_accounts_session(accounts, there.session, HOUR, HOUR, NULL));
	g_assert_cmpint(try_login(accounts, "anna", "a good password", "192.0.2.1", &there), ==,
		MS_LOGIN_WRONG);
	g_assert_cmpint(try_login(accounts, "anna", "a better password", "192.0.2.1", &there), ==,
		MS_LOGIN_FINE);
}

/* Who never comes back with his session does not fill the disk with them; the one in use stays. */
static void test_many_sessions(void)
{
	g_autoptr(MsAccounts) accounts = open_accounts("sessions.db");
	put(accounts, "paul", MS_ROLE_VIEWER, NULL, false);
	g_autofree char *first = ms_accounts_admit(accounts, "paul", NULL);
	g_autofree char *last = NULL;
	for (int i = 0; i < 120; i++) {
		g_free(last);
		last = ms_accounts_admit(accounts, "paul", NULL);
	}
	g_autoptr(MsSession) old = ms_accounts_session(accounts, first, HOUR, HOUR, NULL);
	g_autoptr(MsSession) new = ms_accounts_session(accounts, last, HOUR, HOUR, NULL);
	g_assert_null(old);
	g_assert_nonnull(new);
}

/* ---- who guesses waits ---------------------------------------------------------------- */

static void test_guesser_waits(void)
{
	g_autoptr(MsAccounts) accounts = open_accounts("tries.db");
	g_auto(MsPass) pass = {0}, own = {0};
	put(accounts, "anna", MS_ROLE_REVIEWER, "a good password", false);
	put(accounts, "bert", MS_ROLE_REVIEWER, "a good password", false);
	for (int i = 0; i < MS_TRIES; i++)
		g_assert_cmpint(
			try_login(accounts, "anna", "x", "203.0.113.9", &pass), ==, MS_LOGIN_WRONG);
	/* the source waits, whatever it tries */
	g_assert_cmpint(try_login(accounts, "anna", "a good password", "203.0.113.9", &pass), ==,
		MS_LOGIN_WAIT);
	g_assert_cmpint(pass.wait, >, 0);
	g_assert_cmpint(try_login(accounts, "bert", "a good password", "203.0.113.9", &pass), ==,
		MS_LOGIN_WAIT);
	g_assert_cmpint(try_login(accounts, "anna", "a good password", "::ffff:203.0.113.9", &pass),
		==, MS_LOGIN_WAIT);
	/* the owner does not, from elsewhere */
	g_assert_cmpint(try_login(accounts, "anna", "a good password", "192.0.2.1", &own), ==,
		MS_LOGIN_FINE);
	/* and after it with that browser, wherever it is */
	g_assert_cmpint(
		try_code(accounts, "anna", "a good password", "", "203.0.113.9", own.device, &pass),
		==, MS_LOGIN_FINE);
	/* a browser that another name was given is no help */
	g_assert_cmpint(
		try_code(accounts, "bert", "a good password", "", "203.0.113.9", own.device, &pass),
		==, MS_LOGIN_WAIT);
}

/* One customer of a provider has more addresses than there are guesses. */
static void test_network(void)
{
	g_autoptr(MsAccounts) accounts = open_accounts("network.db");
	g_auto(MsPass) pass = {0};
	put(accounts, "anna", MS_ROLE_REVIEWER, "a good password", false);
	for (int i = 0; i < MS_TRIES; i++) {
		g_autofree char *source = g_strdup_printf("2001:db8:1:2::%x", i);
		g_assert_cmpint(
			try_login(accounts, "anna", "x", source, &pass), ==, MS_LOGIN_WRONG);
	}
	g_assert_cmpint(
		try_login(accounts, "anna", "x", "2001:db8:1:2:ffff::1", &pass), ==, MS_LOGIN_WAIT);
	g_assert_cmpint(try_login(accounts, "anna", "a good password", "2001:db8:1:3::1", &pass),
		==, MS_LOGIN_FINE);
}

/* From many sources: each that is new waits for itself, and then has its try, whatever the
 * others do. */
static void test_many_sources(void)
{
	g_autoptr(MsAccounts) accounts = open_accounts("many.db");
	g_auto(MsPass) pass = {0}, own = {0};
	put(accounts, "anna", MS_ROLE_REVIEWER, "a good password", false);
	g_assert_cmpint(try_login(accounts, "anna", "a good password", "192.0.2.1", &own), ==,
		MS_LOGIN_FINE);
	int wrong = 0;
	for (int i = 0; i < 30; i++) {
		g_autofree char *source = g_strdup_printf("198.51.100.%d", i);
		wrong += try_login(accounts, "anna", "x", source, &pass) == MS_LOGIN_WRONG;
	}
	g_assert_cmpint(wrong, ==, 20);
	/* from where he was before, and with his browser from elsewhere */
	g_assert_cmpint(try_login(accounts, "anna", "a good password", "192.0.2.1", &pass), ==,
		MS_LOGIN_FINE);
	g_assert_cmpint(try_code(accounts, "anna", "a good password", "", "198.51.100.200",
				own.device, &pass),
		==, MS_LOGIN_FINE);
	g_assert_cmpint(try_login(accounts, "anna", "a good password", "203.0.113.1", &pass), ==,
		MS_LOGIN_WAIT);
	gint64 wait = pass.wait;
	g_assert_cmpint(wait, <=, 30);
	for (int i = 0; i < 5; i++) { /* what others try meanwhile does not make it longer */
		g_autofree char *source = g_strdup_printf("198.51.101.%d", i);
		try_login(accounts, "anna", "x", source, &pass);
	}
	g_usleep((gulong)(wait * G_USEC_PER_SEC + 100000));
	g_assert_cmpint(try_login(accounts, "anna", "a good password", "203.0.113.1", &pass), ==,
		MS_LOGIN_FINE);
}

/* All that was written down is of a clock that was ahead by a day. */
static void set_back(const char *name)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	sqlite3 *db = NULL;
	g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
	sqlite3_busy_timeout(db, 60000);
	g_assert_cmpint(sqlite3_exec(db,
				"UPDATE failure SET at = at + 86400000000;"
				"UPDATE slot SET at = at + 86400000000",
				NULL, NULL, NULL),
		==, SQLITE_OK);
	sqlite3_close(db);
}

/* Nobody waits for longer than he would have to, however the clock is set. */
static void test_clock_back(void)
{
	g_autoptr(MsAccounts) accounts = open_accounts("back.db");
	g_auto(MsPass) pass = {0};
	put(accounts, "anna", MS_ROLE_REVIEWER, "a good password", false);
	try_login(accounts, "anna", "a good passwor", "192.0.2.1", &pass);
	set_back("back.db");
	g_assert_cmpint(try_login(accounts, "anna", "a good password", "192.0.2.1", &pass), ==,
		MS_LOGIN_FINE); /* one failure is none to wait for */
	for (int i = 0; i < MS_TRIES + 2; i++)
		try_login(accounts, "anna", "a good passwor", "198.51.100.7", &pass);
	set_back("back.db");
	g_assert_cmpint(try_login(accounts, "anna", "a good password", "198.51.100.7", &pass), ==,
		MS_LOGIN_WAIT);
	g_assert_cmpint(pass.wait, <=, 60);
	/* ... and then it is over */
	gint64 wait = (pass.wait + 1) * G_USEC_PER_SEC;
	ms_clock_shift(wait, wait);
	g_assert_cmpint(try_login(accounts, "anna", "a good password", "198.51.100.7", &pass), ==,
		MS_LOGIN_FINE);
	/* from many places, and of codes */
	for (int i = 0; i < 25; i++) {
		g_autofree char *from = g_strdup_printf("203.0.113.%d", i);
		try_login(accounts, "anna", "a good passwor", from, &pass);
	}
	g_assert_cmpint(try_login(accounts, "anna", "a good password", "192.0.2.99", &pass), ==,
		MS_LOGIN_WAIT);
	set_back("back.db");
	g_assert_cmpint(try_login(accounts, "anna", "a good password", "192.0.2.99", &pass), ==,
		MS_LOGIN_WAIT);
	g_assert_cmpint(pass.wait, <=, 30);
	gint64 more = (pass.wait + 1) * G_USEC_PER_SEC;
	ms_clock_shift(more, more);
	g_assert_cmpint(try_login(accounts, "anna", "a good password", "192.0.2.99", &pass), ==,
		MS_LOGIN_FINE);
	ms_clock_shift(-wait - more, -wait - more);
}

/* On this host's own address (a tunnel, a proxy that does not say for whom) one guesser is not
 * all. */
static void test_shared_address(void)
{
	g_autoptr(MsAccounts) accounts = open_accounts("shared.db");
	g_auto(MsPass) pass = {0};
	put(accounts, "anna", MS_ROLE_REVIEWER, "a good password", false);
	put(accounts, "bert", MS_ROLE_REVIEWER, "a good password", false);
	for (int i = 0; i < MS_TRIES; i++)
		g_assert_cmpint(
			try_login(accounts, "anna", "x", "127.0.0.1", &pass), ==, MS_LOGIN_WRONG);
	g_assert_cmpint(try_login(accounts, "anna", "a good password", "127.0.0.1", &pass), ==,
		MS_LOGIN_WAIT);
	g_assert_cmpint(try_login(accounts, "bert", "a good password", "127.0.0.1", &pass), ==,
		MS_LOGIN_FINE);
}

static gint wrong_tries, busy_tries;

typedef struct {
	MsAccounts *accounts;
	char *source;
} Guesser;

static void *guess(void *user)
{
	const Guesser *g = user;
	MsTry try = {"anna", "x", "", g->source, ""};
	g_auto(MsPass) pass = {0};
	MsLogin result = ms_accounts_login(g->accounts, &try, &pass, NULL);
	if (result == MS_LOGIN_WRONG)
		g_atomic_int_inc(&wrong_tries);
	if (result == MS_LOGIN_BUSY)
		g_atomic_int_inc(&busy_tries);
	return NULL;
}

/* Many guesses at the same moment are not more guesses. */
static void test_at_once(void)
{
	g_autoptr(MsAccounts) accounts = open_accounts("at-once.db");
	GThread *threads[30];
	Guesser g = {accounts, (char *)"203.0.113.1"};
	put(accounts, "anna", MS_ROLE_REVIEWER, "a good password", false);
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("guess", guess, &g);
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		g_thread_join(threads[i]);
	g_assert_cmpint(wrong_tries, ==, MS_TRIES);
}

/* A flood of guesses, each from elsewhere, hashes no more at a time than the machine can bear,
 * and who was here before passes it by. */
static void test_flood(void)
{
	g_autoptr(MsAccounts) accounts = open_accounts("flood.db");
	g_auto(MsPass) own = {0}, pass = {0};
	GThread *threads[60];
	Guesser guessers[G_N_ELEMENTS(threads)];
	put(accounts, "anna", MS_ROLE_REVIEWER, "a good password", false);
	put(accounts, "bert", MS_ROLE_REVIEWER, "a good password", false);
	try_login(accounts, "bert", "a good password", "192.0.2.1", &own);
	gint64 before = cpu_time();
	try_login(accounts, "nobody", "x", "192.0.2.77", &pass);
	gint64 one = cpu_time() - before;
	before = cpu_time();
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
		guessers[i] = (Guesser){accounts, g_strdup_printf("198.51.100.%d", (int)i)};
		threads[i] = g_thread_new("guess", guess, &guessers[i]);
	}
	gint64 at = g_get_monotonic_time();
	g_assert_cmpint(try_login(accounts, "bert", "a good password", "192.0.2.1", &pass), ==,
		MS_LOGIN_FINE);
	gint64 late = g_get_monotonic_time() - at;
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
		g_thread_join(threads[i]);
		g_free(guessers[i].source);
	}
	g_test_message("%d were told to come again, bert waited %d ms, %d ms a hash", busy_tries,
		(int)(late / 1000), (int)(one / 1000));
	/* 20 tries for the name, or fewer; no queue of 60 */
	g_assert_cmpint(cpu_time() - before, <, 26 * one + G_USEC_PER_SEC);
}

static void test_same_work(void)
{
	g_autoptr(MsAccounts) accounts = open_accounts("work.db");
	g_auto(MsPass) pass = {0};
	put(accounts, "anna", MS_ROLE_REVIEWER, "a good password", false);
	put(accounts, "shut", MS_ROLE_REVIEWER, "a good password", true);
	static const char *const names[] = {"anna", "shut", "nobody"};
	gint64 took[3];
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		gint64 before = cpu_time();
		g_assert_cmpint(try_login(accounts, names[i], "x", "203.0.113.5", &pass), ==,
			MS_LOGIN_WRONG);
		took[i] = cpu_time() - before;
	}
	g_assert_cmpint(took[1], >, took[0] / 2);
	g_assert_cmpint(took[2], >, took[0] / 2);
}

/* ---- names, passwords, the file -------------------------------------------------------- */

static void test_names(void)
{
	g_autoptr(MsAccounts) accounts = open_accounts("names.db");
	static const struct {
		const char *name, *password, *want;
	} rows[] = {{"", "a good password", "a name has"}, {"a b", "a good password", "a name has"},
		{"a<b", "a good password", "a name has"}, {"a,b", "a good password", "a name has"},
		{"\xe2\x80\x8b", "a good password", "a name has"},
		{"anna via x", "a good password", "a name has"}, {"anna", "short", "at least 10"},
		{"anna@example.com", "a good password", NULL}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		MsAccount account = {.name = (char *)rows[i].name, .role = MS_ROLE_VIEWER};
		bool fine = ms_accounts_put(accounts, &account, rows[i].password, &error);
		g_assert_cmpint(fine, ==, rows[i].want == NULL);
		if (!fine)
			g_assert_nonnull(strstr(error->message, rows[i].want));
	}
	/* one account, however it is spelled */
	put(accounts, "Zo\xc3\xab", MS_ROLE_VIEWER, "a good password", false);
	put(accounts, "ZOE\xcc\x88", MS_ROLE_REVIEWER, NULL, false);
	g_autoptr(MsAccount) zoe = ms_accounts_find(accounts, "zo\xc3\xab", NULL);
	g_assert_cmpint(zoe->role, ==, MS_ROLE_REVIEWER);
	g_assert_true(zoe->password);
	g_autofree char *a = ms_password_hash("same password"),
			*b = ms_password_hash("same password");
	g_assert_true(g_str_has_prefix(a, "$argon2id$"));
	g_assert_cmpstr(a, !=, b);
	g_assert_true(ms_password_matches(a, "same password"));
	g_assert_false(ms_password_matches(a, "same passwore"));
	g_assert_false(ms_password_matches(NULL, "same password"));
}

/* A file of the version before, with two accounts that are one person. */
static void make_old(const char *path)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *hash = ms_password_hash("a good password");
	static const char old[] =
		"CREATE TABLE user (name TEXT PRIMARY KEY, hash TEXT NOT NULL, role TEXT NOT NULL, download TEXT NOT NULL,"
		" disabled TEXT NOT NULL, seen INTEGER NOT NULL) WITHOUT ROWID;"
		"CREATE TABLE session (hash TEXT PRIMARY KEY, name TEXT NOT NULL, csrf TEXT NOT NULL, began INTEGER NOT NULL,"
		" used INTEGER NOT NULL) WITHOUT ROWID;"
		"CREATE TABLE attempt (name TEXT NOT NULL, client TEXT NOT NULL, at INTEGER NOT NULL);";
	MsSqlite *db = ms_sqlite_open(path, 0x6d737277, old, true, NULL, &error);
	g_assert_no_error(error);
	static const char *const rows[][3] = {
		{"Anna", "administrator", "5"}, {"anna", "viewer", "3"}, {"bert", "reviewer", "0"}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		ms_sqlite_ask(db, "INSERT INTO user VALUES (:name, :hash, :role, '0', '0', :seen)",
			MS_SQL_VALUES(MS_SQL_TEXT("name", rows[i][0]), MS_SQL_TEXT("hash", hash),
				MS_SQL_TEXT("role", rows[i][1]),
				MS_SQL_NUMBER("seen", atoi(rows[i][2]))),
			NULL, NULL, NULL, &error);
		g_assert_no_error(error);
	}
	ms_sqlite_free(db);
}

static void test_migration(void)
{
	g_autofree char *old = g_build_filename(dir, "old.db", NULL);
	g_autofree char *path = g_build_filename(dir, "adopted.db", NULL);
	g_autoptr(GError) error = NULL;
	g_auto(MsPass) pass = {0};
	struct stat st;
	make_old(old);
	g_assert_true(ms_accounts_adopt(old, path, &error));
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 0777, ==, 0600);
	g_autoptr(MsAccounts) accounts = open_accounts("adopted.db");
	/* the one that is used has the name, and its rights alone */
	g_autoptr(GPtrArray) list = ms_accounts_list(accounts, &error);
	int able = 0;
	for (guint i = 0; i < list->len; i++)
		able += !((MsAccount *)list->pdata[i])->disabled;
	g_assert_cmpint(able, ==, 2);
	g_assert_cmpint(try_login(accounts, "bert", "a good password", "192.0.2.1", &pass), ==,
		MS_LOGIN_FINE);
	/* a file in which others may write is not taken */
	g_autofree char *open_folder = g_build_filename(dir, "open", NULL);
	g_autofree char *inside = g_build_filename(open_folder, "accounts.db", NULL);
	g_assert_cmpint(g_mkdir(open_folder, 0777), ==, 0);
	g_assert_cmpint(chmod(open_folder, 0777), ==, 0);
	g_assert_null(ms_accounts_open(inside, &rules, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_CONFIG);
}

/* ---- the second factor ---------------------------------------------------------------- */

/* Not at the end of a step: the codes of this one are to count for some seconds. */
static void early(void)
{
	while (time(NULL) % 30 > 20)
		g_usleep(200 * 1000);
}

/* What an authenticator shows, `steps` from now. */
static char *code_of(const char *secret, int steps)
{
	char *bytes = NULL, code[7];
	size_t len = 0;
	g_assert_cmpint(oath_base32_decode(secret, strlen(secret), &bytes, &len), ==, OATH_OK);
	g_assert_cmpint(oath_totp_generate(bytes, len, time(NULL) + steps * 30, 30, 0, 6, code), ==,
		OATH_OK);
	free(bytes);
	return g_strdup(code);
}

static void test_totp(void)
{
	g_autoptr(MsAccounts) accounts = open_accounts("totp.db");
	g_autoptr(GError) error = NULL;
	g_auto(MsPass) pass = {0};
	put(accounts, "anna", MS_ROLE_REVIEWER, "a good password", false);
	g_autofree char *secret = ms_totp_begin(accounts, "Anna", &error);
	g_assert_cmpuint(strlen(secret), ==, 32);
	/* not before it is confirmed */
	g_assert_cmpint(try_login(accounts, "anna", "a good password", "192.0.2.1", &pass), ==,
		MS_LOGIN_FINE);
	early();
	g_assert_null(ms_totp_confirm(accounts, "anna", "000000", &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
	g_clear_error(&error);
	g_autofree char *first = code_of(secret, -1), *second = code_of(secret, 0),
			*third = code_of(secret, 1);
	g_auto(GStrv) codes = ms_totp_confirm(accounts, "anna", first, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(g_strv_length(codes), ==, 8);
	static const char source[] = "192.0.2.1";
	g_assert_cmpint(
		try_login(accounts, "anna", "a good password", source, &pass), ==, MS_LOGIN_CODE);
	g_assert_cmpint(try_code(accounts, "anna", "a good password", "123456", source, "", &pass),
		==, MS_LOGIN_WRONG);
	g_assert_cmpint(try_code(accounts, "anna", "a bad password", second, source, "", &pass), ==,
		MS_LOGIN_WRONG);
	g_autofree char *spaced = g_strdup_printf("%.3s %s", second, second + 3);
	g_assert_cmpint(try_code(accounts, "anna", "a good password", spaced, source, "", &pass),
		==, MS_LOGIN_FINE);
	/* once, and none before it */
	g_assert_cmpint(try_code(accounts, "anna", "a good password", second, source, "", &pass),
		==, MS_LOGIN_WRONG);
	g_assert_cmpint(try_code(accounts, "anna", "a good password", first, source, "", &pass), ==,
		MS_LOGIN_WRONG);
	g_assert_cmpint(try_code(accounts, "anna", "a good password", third, source, "", &pass), ==,
		MS_LOGIN_FINE);
	/* a recovery code, once */
	g_autofree char *small = g_ascii_strdown(codes[0], -1);
	g_assert_cmpint(try_code(accounts, "anna", "a good password", small, source, "", &pass), ==,
		MS_LOGIN_FINE);
	g_assert_cmpint(try_code(accounts, "anna", "a good password", codes[0], source, "", &pass),
		==, MS_LOGIN_WRONG);
	g_assert_true(ms_totp_end(accounts, "anna", &error));
	g_assert_cmpint(
		try_login(accounts, "anna", "a good password", source, &pass), ==, MS_LOGIN_FINE);
	g_assert_null(ms_totp_begin(accounts, "nobody", &error));
	g_autofree char *uri = ms_totp_uri("my site", "anna@x", secret);
	g_assert_true(g_str_has_prefix(uri, "otpauth://totp/my%20site:anna%40x?secret="));
}

/* Who has the second factor is not kept waiting because others guess at his name. */
static void test_code_passes(void)
{
	g_autoptr(MsAccounts) accounts = open_accounts("passes.db");
	g_auto(MsPass) pass = {0};
	put(accounts, "anna", MS_ROLE_REVIEWER, "a good password", false);
	g_autofree char *secret = ms_totp_begin(accounts, "anna", NULL);
	early();
	g_autofree char *first = code_of(secret, -1), *second = code_of(secret, 0);
	g_auto(GStrv) G_GNUC_UNUSED codes = ms_totp_confirm(accounts, "anna", first, NULL);
	for (int i = 0; i < 25; i++) {
		g_autofree char *source = g_strdup_printf("198.51.100.%d", i);
		try_login(accounts, "anna", "x", source, &pass);
	}
	g_assert_cmpint(
		try_code(accounts, "anna", "a good password", "000000", "203.0.113.1", "", &pass),
		==, MS_LOGIN_WAIT);
	g_assert_cmpint(
		try_code(accounts, "anna", "a good password", second, "203.0.113.2", "", &pass), ==,
		MS_LOGIN_FINE);
}

/* Who knows the password, or guesses at the name from many addresses, guesses at the code: after
 * some guesses the right one is not taken either, but from a browser that was here before. */
static void test_code_guessed(void)
{
	static const struct {
		const char *name, *password; /* of the guesses */
		int before, most;
		MsLogin own; /* right, with the right password, from elsewhere */
	} rows[] = {
		{"one.db", "a good password", 0, MS_TRIES, MS_LOGIN_WAIT},
		{"two.db", "a good password", 25, 0, MS_LOGIN_WAIT},
		{"three.db", "a bad password", 25, 0, MS_LOGIN_WAIT},
		/* who knows no password keeps nobody waiting */
		{"four.db", "a bad password", 0, 10, MS_LOGIN_FINE},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(MsAccounts) accounts = open_accounts(rows[i].name);
		g_auto(MsPass) pass = {0}, own = {0};
		int looked = 0, most = MAX(rows[i].most, 1);
		put(accounts, "anna", MS_ROLE_REVIEWER, "a good password", false);
		try_login(accounts, "anna", "a good password", "192.0.2.1", &own);
		g_autofree char *secret = ms_totp_begin(accounts, "anna", NULL);
		early();
		g_autofree char *first = code_of(secret, -1), *second = code_of(secret, 0),
				*third = code_of(secret, 1);
		g_auto(GStrv) G_GNUC_UNUSED
			codes = ms_totp_confirm(accounts, "anna", first, NULL);
		for (int k = 0; k < rows[i].before; k++) {
			g_autofree char *source = g_strdup_printf("198.51.100.%d", k);
			try_login(accounts, "anna", "x", source, &pass);
		}
		for (int k = 0; k < (rows[i].most > 0 ? most : 30); k++) {
			g_autofree char *source = g_strdup_printf("2001:db8:0:%x::1", k);
			looked += try_code(accounts, "anna", rows[i].password, "000000", source, "",
					  &pass) == MS_LOGIN_WRONG;
		}
		g_assert_cmpint(looked, ==, rows[i].most);
		g_test_message("%s", rows[i].name);
		g_assert_cmpint(try_code(accounts, "anna", "a good password", second,
					"2001:db8:1::1", "", &pass),
			==, rows[i].own);
		g_assert_cmpint(try_code(accounts, "anna", "a good password", third, "203.0.113.9",
					own.device, &pass),
			==, MS_LOGIN_FINE);
	}
}

static MsLogin prove(MsAccounts *accounts, const char *name, const char *password, const char *code)
{
	MsTry try = {name, password, code, "192.0.2.1", ""};
	gint64 wait = 0;
	g_autoptr(GError) error = NULL;
	MsLogin result = ms_accounts_prove(accounts, &try, &wait, &error);
	g_assert_no_error(error);
	return result;
}

static void test_prove(void)
{
	g_autoptr(MsAccounts) accounts = open_accounts("prove.db");
	put(accounts, "anna", MS_ROLE_REVIEWER, "a good password", false);
	put(accounts, "bert", MS_ROLE_REVIEWER, NULL, false);
	put(accounts, "carl", MS_ROLE_REVIEWER, "a good password", true);
	g_assert_cmpint(prove(accounts, "anna", "a good password", ""), ==, MS_LOGIN_FINE);
	g_assert_cmpint(prove(accounts, "anna", "", ""), ==, MS_LOGIN_WRONG);
	/* a proxy's word is no proof */
	g_assert_cmpint(prove(accounts, "bert", "", ""), ==, MS_LOGIN_UNABLE);
	g_assert_cmpint(prove(accounts, "carl", "a good password", ""), ==, MS_LOGIN_UNABLE);
	g_assert_cmpint(prove(accounts, "nobody", "a good password", ""), ==, MS_LOGIN_UNABLE);
	g_autofree char *secret = ms_totp_begin(accounts, "anna", NULL);
	early();
	g_autofree char *first = code_of(secret, -1), *second = code_of(secret, 0);
	g_auto(GStrv) codes = ms_totp_confirm(accounts, "anna", first, NULL);
	/* a password alone no more */
	g_assert_cmpint(prove(accounts, "anna", "a good password", ""), ==, MS_LOGIN_CODE);
	g_assert_cmpint(prove(accounts, "anna", "", second), ==, MS_LOGIN_FINE);
	g_assert_cmpint(prove(accounts, "anna", "", second), ==, MS_LOGIN_WRONG);
	for (int i = 0; i < MS_TRIES; i++)
		prove(accounts, "anna", "", "000000");
	g_assert_cmpint(prove(accounts, "anna", "", codes[0]), ==, MS_LOGIN_WAIT);
}

static void test_picture(void)
{
	g_auto(GStrv) rows = ms_totp_picture("otpauth://totp/x");
	guint n = rows != NULL ? g_strv_length(rows) : 0;
	if (n == 0) {
		g_test_skip("built without libqrencode");
		return;
	}
	g_assert_cmpuint(n, >=, 21);
	for (guint i = 0; i < n; i++) {
		g_assert_cmpuint(strlen(rows[i]), ==, n);
		g_assert_cmpuint(strspn(rows[i], "01"), ==, n);
	}
	g_assert_true(g_str_has_prefix(rows[0], "1111111")); /* the corner by which it is found */
}

/* On a slow machine it may have ended before it is looked at: then one that is good for longer. */
static void expect_expiry(MsAccounts *accounts)
{
	g_autofree char *soon = NULL;
	g_autoptr(MsSession) good = NULL;
	for (gint64 us = 300000; good == NULL && us < 100000000; us *= 4) {
		g_autofree char *name = g_strdup_printf("late-%d", (int)us);
		MsToken late = {.name = name,
			.owner = (char *)"anna",
			.expires = g_get_real_time() + us};
		g_free(soon);
		soon = ms_accounts_token_add(accounts, &late, NULL);
		good = ms_accounts_token(accounts, soon, NULL);
	}
	g_assert_nonnull(good);
	MsSession *still = good;
	for (int i = 0; i < 2000 && still != NULL; i++) {
		g_usleep(50000);
		still = ms_accounts_token(accounts, soon, NULL);
		ms_session_free(still);
	}
	g_assert_null(still);
}

/* ---- tokens --------------------------------------------------------------------------- */

static void test_tokens(void)
{
	g_autoptr(MsAccounts) accounts = open_accounts("token.db");
	g_autoptr(GError) error = NULL;
	put(accounts, "anna", MS_ROLE_REVIEWER, "a good password", false);
	MsToken token = {
		.name = (char *)"billing", .owner = (char *)"Anna", .role = MS_ROLE_ADMINISTRATOR};
	g_autofree char *secret = ms_accounts_token_add(accounts, &token, &error);
	g_assert_no_error(error);
	g_assert_true(ms_accounts_token_form(secret));
	g_autoptr(MsSession) session = ms_accounts_token(accounts, secret, &error);
	g_assert_cmpstr(session->actor, ==, "anna via billing");
	g_assert_cmpint(session->account->role, ==, MS_ROLE_REVIEWER); /* no more than hers */
	g_assert_cmpint(session->by, ==, MS_BY_TOKEN);
	/* kept hashed, told once, one of a name */
	g_autofree char *path = g_build_filename(dir, "token.db-wal", NULL);
	g_autofree char *kept = NULL;
	gsize len;
	g_assert_true(g_file_get_contents(path, &kept, &len, NULL));
	g_assert_null(memmem(kept, len, secret + 4, 64));
	g_assert_null(ms_accounts_token_add(accounts, &token, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
	g_clear_error(&error);
	/* not good */
	static const char *const bad[] = {"", "mst_",
		"mst_0000000000000000000000000000000000000000000000000000000000000000", "billing",
		"mst_' OR 1=1 --"};
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_null(ms_accounts_token(accounts, bad[i], NULL));
	static const char *const names[] = {"", "a b", "x via y", "a/b"};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		MsToken odd = {.name = (char *)names[i], .owner = (char *)"anna"};
		g_assert_null(ms_accounts_token_add(accounts, &odd, NULL));
	}
	expect_expiry(accounts);
	MsToken over = {.name = (char *)"over", .owner = (char *)"anna", .expires = 1};
	g_assert_null(ms_accounts_token_add(accounts, &over, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
	g_clear_error(&error);
	/* taken back, and nobody else's */
	MsToken second = {.name = (char *)"second", .owner = (char *)"anna"};
	g_autofree char *other = ms_accounts_token_add(accounts, &second, &error);
	g_autoptr(MsSession) before = ms_accounts_token(accounts, other, &error);
	g_assert_nonnull(before);
	g_assert_false(ms_accounts_token_delete(accounts, "secon", &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
	g_clear_error(&error);
	g_assert_true(ms_accounts_token_delete(accounts, "second", &error));
	g_assert_no_error(error);
	g_assert_null(ms_accounts_token(accounts, other, NULL));
	g_autoptr(MsSession) still = ms_accounts_token(accounts, secret, &error);
	g_assert_nonnull(still);
	/* who answers for it may not log in; is gone */
	put(accounts, "anna", MS_ROLE_REVIEWER, NULL, true);
	g_assert_null(ms_accounts_token(accounts, secret, NULL));
	put(accounts, "anna", MS_ROLE_VIEWER, NULL, false);
	g_autoptr(MsSession) less = ms_accounts_token(accounts, secret, NULL);
	g_assert_cmpint(less->account->role, ==, MS_ROLE_VIEWER);
	g_assert_true(ms_accounts_delete(accounts, "anna", NULL));
	g_assert_null(ms_accounts_token(accounts, secret, NULL));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	dir = scratch_folder();
	g_test_add_func("/people/clock-back", test_clock_back);
	g_test_add_func("/people/one-name", test_one_name);
	g_test_add_func("/people/one-by-one", test_one_by_one);
	g_test_add_func("/people/second-person", test_second_person);
	g_test_add_func("/people/login", test_login);
	g_test_add_func("/people/renamed", test_renamed);
	g_test_add_func("/people/replaced", test_replaced);
	g_test_add_func("/people/clock-set", test_clock_set);
	g_test_add_func("/people/own-password", test_own_password);
	g_test_add_func("/people/many-sessions", test_many_sessions);
	g_test_add_func("/people/guesser-waits", test_guesser_waits);
	g_test_add_func("/people/network", test_network);
	g_test_add_func("/people/many-sources", test_many_sources);
	g_test_add_func("/people/shared-address", test_shared_address);
	g_test_add_func("/people/at-once", test_at_once);
	g_test_add_func("/people/flood", test_flood);
	g_test_add_func("/people/same-work", test_same_work);
	g_test_add_func("/people/names", test_names);
	g_test_add_func("/people/migration", test_migration);
	g_test_add_func("/people/totp", test_totp);
	g_test_add_func("/people/code-passes", test_code_passes);
	g_test_add_func("/people/code-guessed", test_code_guessed);
	g_test_add_func("/people/prove", test_prove);
	g_test_add_func("/people/picture", test_picture);
	g_test_add_func("/people/tokens", test_tokens);
	int rc = g_test_run();
	remove_folder(dir);
	return rc;
}
