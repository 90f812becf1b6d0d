/*
 * Sessions without an MTA: calls in order and out of it, memory, what is counted, what a pause
 * and a trial change.
 */
#include "config.h"

#include "missent/answer.h"
#include "missent/bodydigest.h"
#include "missent/canary.h"
#include "missent/log.h"
#include "missent/trial.h"

#include "../../milter/daemon/daemon.h"
#include "../test.h"

/* The daemon's shared part, as small as sessions need it. */
struct Daemon {
	MsRuntime *runtime;
	guint64 memory, max_memory;
	guint busy;
	MsNumbers *numbers;
	bool paused;
};

MsRuntime *daemon_runtime(Daemon *daemon)
{
	return ms_runtime_ref(daemon->runtime);
}

bool daemon_clock_is_sure(Daemon *daemon)
{
	(void)daemon;
	return true;
}

bool daemon_take_memory(Daemon *daemon, guint64 bytes)
{
	if (daemon->memory + bytes > daemon->max_memory)
		return false;
	daemon->memory += bytes;
	return true;
}

void daemon_give_memory(Daemon *daemon, guint64 bytes)
{
	daemon->memory -= bytes;
}

void daemon_enter(Daemon *daemon)
{
	daemon->busy++;
}

void daemon_leave(Daemon *daemon)
{
	daemon->busy--;
}

MsNumbers *daemon_numbers(Daemon *daemon)
{
	return daemon->numbers;
}

bool daemon_paused(Daemon *daemon)
{
	return daemon->paused;
}

static Daemon daemon_state;
static char *dir;

static void test_socket(void)
{
	static const struct {
		const char *spec, *want;
	} rows[] = {
		{"unix:/run/x.sock", "local:/run/x.sock"},
		{"local:/run/x.sock", "local:/run/x.sock"},
		{"/run/x.sock", "local:/run/x.sock"},
		{"inet:8891@127.0.0.1", "inet:8891@127.0.0.1"},
		{"inet:127.0.0.1:8891", "inet:8891@127.0.0.1"},
		{"inet:localhost:8891", "inet:8891@localhost"},
		{"inet:8891", "inet:8891@127.0.0.1"},
		{"inet6:[::1]:8891", "inet6:8891@::1"},
		{"inet6:8891@::1", "inet6:8891@::1"},
		{"unix:relative", NULL},
		{"inet:host", NULL},
		{"inet:host:99999", NULL},
		{"inet:@host", NULL},
		{"", NULL},
		{"tcp:1:2", NULL},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *got = ms_socket_spec(rows[i].spec, &error);
		g_assert_cmpstr(got, ==, rows[i].want);
		g_assert_cmpint(error == NULL, ==, got != NULL);
	}
}

static MsAction send_message(Session *session, const char *sender, const char *to, const char *body,
	Decision *out)
{
	session_mail(session, sender, NULL);
	session_recipient(session, to);
	session_header(session, "From", " billing@seller.example", true);
	session_header(session, "Subject", "s", false);
	session_end_of_headers(session);
	session_body(session, body, strlen(body));
	session_end_of_message(session, "mx", "QID1", out);
	return out->action;
}

#define WRONG "customer number: C-10002\r\n"

static void test_session(void)
{
	Session *session = session_new(&daemon_state, "localhost", "127.0.0.1");
	Decision d;
	g_assert_cmpint(
		send_message(session, "<billing@seller.example>", "<a@alpha.example>", WRONG, &d),
		==, MS_HOLD);
	g_assert_cmpstr(d.reason, ==, "missent: mismatch");
	decision_clear(&d);
	/* the next message of the session begins anew */
	g_assert_cmpint(
		send_message(session, "billing@seller.example", "b@beta.example", WRONG, &d), ==,
		MS_DELIVER);
	decision_clear(&d);
	/* aborted, and begun again */
	session_mail(session, "<billing@seller.example>", NULL);
	session_recipient(session, "<a@alpha.example>");
	session_abort(session);
	g_assert_cmpint(
		send_message(session, "<billing@seller.example>", "<b@beta.example>", WRONG, &d),
		==, MS_DELIVER);
	decision_clear(&d);
	/* MAIL twice: the second counts, and what the first took is given back */
	g_autofree char *big = g_strnfill(200 * 1024, 'x');
	session_mail(session, "<billing@seller.example>", NULL);
	g_assert_true(session_body(session, big, 200 * 1024));
	g_assert_cmpuint(daemon_state.memory, >, 0);
	session_recipient(session, "<a@alpha.example>");
	g_assert_cmpint(
		send_message(session, "<billing@seller.example>", "<b@beta.example>", WRONG, &d),
		==, MS_DELIVER);
	decision_clear(&d);
	session_free(session);
	g_assert_cmpuint(daemon_state.memory, ==, 0);
	g_assert_cmpuint(daemon_state.busy, ==, 0);
}

/* Calls in an order that no MTA should use. */
static void test_disorder(void)
{
	Session *session = session_new(&daemon_state, NULL, NULL);
	Decision d;
	session_header(session, "a", "b", true);
	session_end_of_headers(session);
	g_assert_false(session_body(session, "x", 1));
	session_recipient(session, "<a@b>");
	session_abort(session);
	session_end_of_message(session, NULL, NULL, &d);
	g_assert_cmpint(d.action, ==, MS_TEMPFAIL);
	decision_clear(&d);
	session_free(session);
	session_free(NULL);
}

/* A body that nothing will look at is skipped; a network that is not ours is not outgoing. */
static void test_skip(void)
{
	Session *session = session_new(&daemon_state, "x", "203.0.113.9");
	session_mail(session, "<billing@seller.example>", NULL);
	g_assert_false(session_body(session, "x", 1));
	session_mail(session, "<billing@seller.example>", "user");
	g_assert_true(session_body(session, "x", 1));
	session_free(session);
	session = session_new(&daemon_state, "x", "127.0.0.1");
	session_mail(session, "<other@seller.example>", NULL);
	g_assert_false(session_body(session, "x", 1));
	session_free(session);
}

static void test_memory(void)
{
	daemon_state.max_memory = 100 * 1024;
	Session *session = session_new(&daemon_state, NULL, "127.0.0.1");
	g_autofree char *big = g_strnfill(200 * 1024, 'x');
	Decision d;
	g_assert_cmpint(
		send_message(session, "<billing@seller.example>", "<b@beta.example>", big, &d), ==,
		MS_TEMPFAIL);
	decision_clear(&d);
	g_assert_cmpuint(daemon_state.memory, ==, 0);
	/* recipients too are its sender's to make many of; those that did not fit are nowhere
	 * taken for not being there */
	session_mail(session, "<billing@seller.example>", NULL);
	session_recipient(session, "<b@beta.example>");
	for (int i = 0; i < 1000; i++)
		session_recipient(session, "<a@alpha.example>");
	session_header(session, "Subject", "s", false);
	session_end_of_headers(session);
	session_end_of_message(session, "mx", "QID2", &d);
	g_assert_cmpint(d.action, ==, MS_TEMPFAIL);
	decision_clear(&d);
	g_assert_cmpuint(daemon_state.memory, ==, 0);
	daemon_state.max_memory = G_MAXUINT32;
	/* over max-message: the rest is counted, and the message is unreadable, not clean */
	g_autofree char *huge = g_strnfill(300 * 1024, 'x');
	g_assert_cmpint(
		send_message(session, "<billing@seller.example>", "<b@beta.example>", huge, &d), ==,
		MS_HOLD);
	g_assert_nonnull(strstr(d.reason, "unreadable"));
	decision_clear(&d);
	session_free(session);
}

#define COUNT(number) ms_numbers_get(daemon_state.numbers, number)

/* Each message is counted once, by what became of it. */
static void test_counted(void)
{
	G_GNUC_UNUSED g_autoptr(MsNumbers) numbers = daemon_state.numbers = ms_numbers_new(NULL);
	static const struct {
		const char *client, *sender, *user, *to;
		bool wrong;
		MsNumber want;
	} rows[] = {
		{"127.0.0.1", "<billing@seller.example>", NULL, "<a@alpha.example>", true,
			MS_NUM_JUDGED},
		{"127.0.0.1", "<billing@seller.example>", NULL, "<b@beta.example>", false,
			MS_NUM_JUDGED},
		{"10.1.1.5", "<billing@seller.example>", NULL, "<a@alpha.example>", true,
			MS_NUM_OUT_PRIVATE},
		{"192.168.7.1", "<billing@seller.example>", NULL, "<a@alpha.example>", true,
			MS_NUM_OUT_PRIVATE},
		{"fd00::1", "<billing@seller.example>", NULL, "<a@alpha.example>", true,
			MS_NUM_OUT_PRIVATE},
		{"203.0.113.9", "<billing@seller.example>", NULL, "<a@alpha.example>", true,
			MS_NUM_OUT_PUBLIC},
		{"203.0.113.9", "<billing@seller.example>", "u", "<a@alpha.example>", true,
			MS_NUM_JUDGED},
		{"127.0.0.1", "<billing@seller.example> SIZE=10 SMTPUTF8", NULL,
			"<b@beta.example> NOTIFY=NEVER ORCPT=rfc822;b@beta.example", false,
			MS_NUM_JUDGED},
		{"127.0.0.1", "(c)<b\\illing@seller.example>", NULL, "<a@alpha.example>", true,
			MS_NUM_JUDGED},
		{"127.0.0.1", "<else@seller.example>", NULL, "<a@alpha.example>", true,
			MS_NUM_NO_ENVELOPE},
		{NULL, "<>", NULL, "<a@alpha.example>", true, MS_NUM_NO_ENVELOPE},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		Session *session = session_new(&daemon_state, "x", rows[i].client);
		guint64 before = COUNT(rows[i].want),
			held = COUNT((MsNumber)(MS_NUM_ACTION + MS_HOLD));
		Decision d;
		session_mail(session, rows[i].sender, rows[i].user);
		session_recipient(session, rows[i].to);
		session_end_of_headers(session);
		session_body(session, WRONG, strlen(WRONG));
		session_end_of_message(session, "mx", "QID3", &d);
		decision_clear(&d);
		session_free(session);
		g_assert_cmpuint(COUNT(rows[i].want), ==, before + 1);
		g_assert_cmpuint(COUNT((MsNumber)(MS_NUM_ACTION + MS_HOLD)), ==,
			held + (rows[i].wrong && rows[i].want == MS_NUM_JUDGED));
	}
	guint64 all = 0;
	for (MsNumber i = MS_NUM_JUDGED; i <= MS_NUM_NO_CONTENT; i++)
		all += COUNT(i);
	g_assert_cmpuint(all, ==, G_N_ELEMENTS(rows));
	daemon_state.numbers = NULL;
}

static guint held_for(const char *address)
{
	MsRecordFilter held = {.state = MS_STATE_HELD};
	g_autoptr(GPtrArray) records =
		ms_records_list(ms_runtime_ledger(daemon_state.runtime), &held, NULL);
	guint n = 0;
	for (guint i = 0; i < records->len; i++) {
		const MsRecord *record = records->pdata[i];
		const MsHeldRecipient *to = record->recipients->pdata[0];
		n += strcmp(to->address, address) == 0;
	}
	return n;
}

/* An address ends at its own bracket, whatever stands in quotes or behind it. */
static void test_brackets(void)
{
	static const struct {
		const char *given, *want;
	} rows[] = {
		{"<c@gamma.example>", "c@gamma.example"},
		{"c@gamma.example", "c@gamma.example"},
		{"<c@gamma.example> NOTIFY=NEVER", "c@gamma.example"},
		{"<c@gamma.example> ORCPT=rfc822;<x>", "c@gamma.example"},
		{"<\"c> d\"@gamma.example> NOTIFY=NEVER", "\"c> d\"@gamma.example"},
		{"<\"c\\\"> d\"@gamma.example> NOTIFY=NEVER", "\"c\\\"> d\"@gamma.example"},
		{"<\"c> d\"@gamma.example>", "\"c> d\"@gamma.example"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		Session *session = session_new(&daemon_state, "localhost", "127.0.0.1");
		guint before = held_for(rows[i].want);
		Decision d;
		send_message(session, "<billing@seller.example>", rows[i].given, WRONG, &d);
		g_assert_cmpint(d.action, ==, MS_HOLD);
		decision_clear(&d);
		session_free(session);
		g_test_message("%s", rows[i].given);
		g_assert_cmpuint(held_for(rows[i].want), ==, before + 1);
	}
}

/* Paused, what would be held is delivered, and stands on record as that. */
static void test_paused(void)
{
	G_GNUC_UNUSED g_autoptr(MsNumbers) numbers = daemon_state.numbers = ms_numbers_new(NULL);
	Session *session = session_new(&daemon_state, "localhost", "127.0.0.1");
	MsLedger *ledger = ms_runtime_ledger(daemon_state.runtime);
	MsRecordFilter observed = {.state = MS_STATE_OBSERVED}, held = {.state = MS_STATE_HELD};
	gint64 observed_before = ms_records_count(ledger, &observed, 0, NULL),
	       held_before = ms_records_count(ledger, &held, 0, NULL);
	Decision d;
	daemon_state.paused = true;
	g_assert_cmpint(
		send_message(session, "<billing@seller.example>", "<a@alpha.example>", WRONG, &d),
		==, MS_DELIVER);
	decision_clear(&d);
	g_assert_cmpint(ms_records_count(ledger, &observed, 0, NULL), ==, observed_before + 1);
	g_assert_cmpint(ms_records_count(ledger, &held, 0, NULL), ==, held_before);
	g_assert_cmpuint(COUNT(MS_NUM_PAUSED_DELIVERED), ==, 1);
	g_assert_cmpuint(COUNT((MsNumber)(MS_NUM_WOULD + MS_HOLD)), ==, 1);
	/* what cannot even be taken in goes too, and is counted */
	daemon_state.max_memory = 100;
	g_assert_cmpint(
		send_message(session, "<billing@seller.example>", "<a@alpha.example>", WRONG, &d),
		==, MS_DELIVER);
	decision_clear(&d);
	g_assert_cmpuint(COUNT(MS_NUM_UNCHECKED), ==, 1);
	g_assert_cmpuint(COUNT(MS_NUM_OVER_MEMORY), ==, 1);
	g_assert_cmpuint(COUNT(MS_NUM_TEMPFAIL_OVERLOAD), ==, 1);
	daemon_state.max_memory = G_MAXUINT32;
	daemon_state.paused = false;
	g_assert_cmpint(
		send_message(session, "<billing@seller.example>", "<a@alpha.example>", WRONG, &d),
		==, MS_HOLD);
	decision_clear(&d);
	session_free(session);
	daemon_state.numbers = NULL;
}

/* Other policies for a while. */
typedef struct {
	MsRuntime *before;
	char *path, *kept;
} Other;

static Other other_begin(const char *policies)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *conf = g_build_filename(dir, "missent.conf", NULL);
	Other other = {daemon_state.runtime, g_build_filename(dir, "policies", "p.conf", NULL), NULL};
	g_assert_true(g_file_get_contents(other.path, &other.kept, NULL, NULL));
	g_assert_true(g_file_set_contents(other.path, policies, -1, NULL));
	daemon_state.runtime =
		ms_runtime_load(conf, MS_PARTS_CHECK | MS_PARTS_WRITE, NULL, &error);
	g_assert_no_error(error);
	return other;
}

static void other_end(Other *other)
{
	ms_runtime_unref(daemon_state.runtime);
	daemon_state.runtime = other->before;
	g_assert_true(g_file_set_contents(other->path, other->kept, -1, NULL));
	g_free(other->path);
	g_free(other->kept);
}

/* A mail of ours that is recognised, and would go out for missent only observes, goes nowhere,
 * tagged or not; one that is not recognised goes out, and shows that. */
static void test_canary(void)
{
	static const struct {
		const char *policy;
		MsAction action;
		bool discarded;
	} rows[] = {
		{"policy \"p\" {\n mode = observe\n on-mismatch = hold\n}\n", MS_DELIVER, true},
		{"policy \"p\" {\n on-mismatch = tag\n}\n"
		 "policy \"tried\" {\n mode = observe\n on-mismatch = hold\n}\n",
			MS_DELIVER, true},
		{"policy \"p\" {\n on-mismatch = tag\n}\n", MS_TAG, false},
		{"policy \"p\" {\n on-mismatch = deliver\n}\n", MS_DELIVER, false},
		{"policy \"p\" {\n on-mismatch = hold\n}\n", MS_HOLD, false},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *body = g_strdup_printf(WRONG "\r\nReference: %zu\r\n", i);
		char digest[MS_BODY_DIGEST];
		MsBodyDigest sum;
		ms_body_digest_init(&sum);
		ms_body_digest_add(&sum, body, strlen(body));
		ms_body_digest_end(&sum, digest);
		Other other = other_begin(rows[i].policy);
		g_assert_true(ms_canaries_add(ms_runtime_ledger(daemon_state.runtime), body,
			"sendmail", digest, "billing@seller.example", "nobody@alpha.example", &error));
		Session *session = session_new(&daemon_state, "localhost", "127.0.0.1");
		Decision d;
		g_test_message("row %zu", i);
		g_assert_cmpint(send_message(session, "<billing@seller.example>",
					"<nobody@alpha.example>", body, &d),
			==, rows[i].action);
		g_assert_cmpint(d.discard, ==, rows[i].discarded);
		decision_clear(&d);
		session_free(session);
		other_end(&other);
	}
}

/* What goes out with the mail, or to its sender, is of what was done alone. */
static void test_told(void)
{
#define PROOF "\n require = {\"customer-number\"}\n on-unproven = "
#define TRIED "\n}\npolicy \"tried\" {\n mode = observe\n on-mismatch = "
	static const struct {
		const char *policy, *want;
	} rows[] = {
		{"on-mismatch = tag" PROOF "tag", "tag; reasons=\"mismatch, unproven\""},
		{"on-mismatch = deliver" PROOF "tag" TRIED "reject", "tag; reasons=\"unproven\""},
		{"on-mismatch = deliver" PROOF "hold" TRIED "reject", "missent: unproven"},
		{"on-mismatch = deliver" PROOF "\"delay 30m\"" TRIED "hold", "missent: unproven"},
		{"on-mismatch = deliver" PROOF "reject" TRIED "hold",
			"not sent: it does not fit its recipients (unproven; reference QID1)"},
		{"on-mismatch = reject" TRIED "deliver" PROOF "hold",
			"not sent: it does not fit its recipients (mismatch; reference QID1)"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf(
			"policy \"told %zu\" {\n %s\n}\n", i, rows[i].policy);
		Other other = other_begin(text);
		Session *session = session_new(&daemon_state, "localhost", "127.0.0.1");
		Decision d;
		send_message(session, "<billing@seller.example>", "<a@alpha.example>", WRONG, &d);
		g_test_message("row %zu", i);
		g_assert_cmpstr(d.header != NULL ? d.header : d.reason != NULL ? d.reason : d.reply,
			==, rows[i].want);
		decision_clear(&d);
		session_free(session);
		other_end(&other);
	}
}

/* One that is in hand for too long is told once, and not counted any more when it is done. */
static void test_hand(void)
{
	Hand first = {.stage = MS_STAGE_RESOLVE}, second = {.stage = MS_STAGE_READ};
	guint fresh;
	hand_begin(&first, "QID8");
	hand_begin(&second, "QID9");
	g_assert_cmpuint(hand_look(G_GINT64_CONSTANT(3600000000), &fresh), ==, 0);
	g_assert_cmpuint(fresh, ==, 0);
	g_assert_cmpuint(hand_look(0, &fresh), ==, 2);
	g_assert_cmpuint(fresh, ==, 2);
	g_assert_cmpuint(hand_look(0, &fresh), ==, 2);
	g_assert_cmpuint(fresh, ==, 0);
	hand_end(&first);
	g_assert_cmpuint(hand_look(0, &fresh), ==, 1);
	hand_end(&second);
	g_assert_cmpuint(hand_look(0, &fresh), ==, 0);
}

static void make_configuration(void)
{
	g_autofree char *policies = g_build_filename(dir, "policies", NULL);
	g_autofree char *state = g_build_filename(dir, "state", NULL);
	g_mkdir(policies, 0755);
	g_mkdir(state, 0755);
	g_autofree char *policy = g_build_filename(policies, "p.conf", NULL);
	g_autofree char *conf = g_build_filename(dir, "missent.conf", NULL);
	g_autofree char *reader = built_file("missent-reader");
	g_autofree char *kinds = source_file("policies/kinds.conf");
	g_autofree char *text = g_strdup_printf(
		"mode = enforce\nstate-dir = \"%s\"\nkinds-file = \"%s\"\n"
		"reader { program = \"%s\"\n max-message = 256K }\ndirectory { digests = no }\n"
		"canary { recipient = \"nobody@alpha.example\" }\n",
		state, kinds, reader);
	g_assert_true(g_file_set_contents(conf, text, -1, NULL));
	g_assert_true(g_file_set_contents(policy,
		"policy \"p\" { sender = {\"billing@seller.example\"} }", -1, NULL));
	g_autoptr(GError) error = NULL;
	daemon_state.runtime =
		ms_runtime_load(conf, MS_PARTS_CHECK | MS_PARTS_WRITE, NULL, &error);
	g_assert_no_error(error);
	daemon_state.max_memory = G_MAXUINT32;
	g_autofree char *csv = g_build_filename(dir, "m.csv", NULL);
	g_assert_true(g_file_set_contents(csv, "AC-1,recipient,@alpha.example\nAC-2,recipient,"
		"@beta.example\nAC-2,customer-number,C-10002\n", -1, NULL));
	FILE *in = g_fopen(csv, "r");
	MsImportOptions options = {.max_bad = 0, .max_shrink = 1, .source = "m.csv"};
	MsImportResult result;
	ms_directory_import(
		ms_runtime_directory(daemon_state.runtime), fileno(in), &options, &result, &error);
	g_assert_no_error(error);
	fclose(in);
}

static bool is_enforced(const MsRuntime *runtime)
{
	MsTerms terms;
	return ms_policies_terms(ms_runtime_policies(runtime), 0, &terms) && terms.enforced;
}

/* Messages that were judged before anybody looked after a policy on trial are of it, too: they are
 * counted, and in the report that is asked then. */
static void test_trial(void)
{
	static const char text[] = "policy \"p\" {\n\tmode = \"observe-until 3 messages\"\n"
				   "\tsender = {\"second@seller.example\"}\n}\n";
	g_autofree char *conf = g_build_filename(dir, "missent.conf", NULL);
	g_autofree char *policy = g_build_filename(dir, "policies", "p.conf", NULL);
	g_autoptr(GError) error = NULL;
	g_assert_true(g_file_set_contents(policy, text, -1, NULL));
	MsRuntime *before = daemon_state.runtime;
	daemon_state.runtime =
		ms_runtime_load(conf, MS_PARTS_CHECK | MS_PARTS_WRITE, NULL, &error);
	g_assert_no_error(error);
	trial_begin(daemon_state.runtime);
	Session *session = session_new(&daemon_state, "localhost", "127.0.0.1");
	for (int i = 0; i < 4; i++) {
		Decision d;
		send_message(session, "<second@seller.example>", "<b@beta.example>", WRONG, &d);
		decision_clear(&d);
	}
	session_free(session);
	g_assert_false(is_enforced(daemon_state.runtime));
	g_assert_true(trial_look(&daemon_state));
	g_autoptr(MsRuntime) after =
		ms_runtime_load(conf, MS_PARTS_CHECK | MS_PARTS_WRITE, NULL, &error);
	g_assert_no_error(error);
	g_assert_true(is_enforced(after));
	ms_runtime_unref(daemon_state.runtime);
	daemon_state.runtime = before;
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ms_log_open("test", false, false);
	dir = scratch_folder();
	make_configuration();
	g_test_add_func("/daemon/socket", test_socket);
	g_test_add_func("/daemon/session", test_session);
	g_test_add_func("/daemon/disorder", test_disorder);
	g_test_add_func("/daemon/skip", test_skip);
	g_test_add_func("/daemon/memory", test_memory);
	g_test_add_func("/daemon/counted", test_counted);
	g_test_add_func("/daemon/brackets", test_brackets);
	g_test_add_func("/daemon/paused", test_paused);
	g_test_add_func("/daemon/canary", test_canary);
	g_test_add_func("/daemon/told", test_told);
	g_test_add_func("/daemon/hand", test_hand);
	g_test_add_func("/daemon/trial", test_trial);
	int rc = g_test_run();
	ms_runtime_unref(daemon_state.runtime);
	remove_folder(dir);
	return rc;
}
