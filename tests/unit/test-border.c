/* The border of the desk, on a mail host without root (world.h): names that are none, damaged
 * records, settings that change under it, and many threads at once. */
#include "config.h"

#include <sys/socket.h>
#include <unistd.h>

#include "missent/accounts.h"
#include "missent/answer.h"
#include "missent/decision.h"
#include "missent/link.h"
#include "missent/store.h"

#include "../test.h"
#include "world.h"

#define CONTAINS(text, part)                                                                      \
	do {                                                                                      \
		if (strstr(text, part) == NULL)                                                   \
			g_error("%s:%d: got \"%s\", want \"...%s...\"", __FILE__, __LINE__, text, \
				part);                                                            \
	} while (0)

/* ---- names ---------------------------------------------------------------------------- */

static void add_person(World *w, const char *name, MsRole role, bool disabled)
{
	g_autofree char *path = g_build_filename(w->state, "accounts.db", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(MsAccounts) accounts = ms_accounts_open(path, NULL, &error);
	g_assert_no_error(error);
	MsAccount account = {.name = (char *)name, .role = role, .disabled = disabled};
	g_assert_true(ms_accounts_put(accounts, &account, NULL, &error));
}

static void test_names(void)
{
	static const struct {
		WorldAsk ask;
		const char *want;
	} rows[] = {
		{{"may-receive", .to = "b@beta.example", .account = "AC-22"},
			"error: account: \"AC-22\" is no account that the directory knows; did you mean \"AC-2\"?"},
		{{"may-receive", .to = "b@beta.example", .account = "no such customer"},
			"error: account: \"no such customer\" is no account that the directory knows"},
		{{"may-receive", .to = "b@beta.example", .account = "house"},
			"done: for account house"},
		{{"may-receive", .to = "b@beta.example", .account = "AC-1"},
			"done: for account AC-1"},
		{{"may-receive", .to = "B@Beta.example", .account = "AC-1"},
			"done: for account AC-1"},
		{{"may-receive", .to = "@beta.example", .account = "AC-1"},
			"done: for account AC-1"},
		/* a typing error, a stranger, everybody */
		{{"may-receive", .to = "b@beta.exampel", .account = "AC-1"},
			"recipient: \"b@beta.exampel\" is no recipient of this message, nor the domain of one; did you mean \"b@beta.example\"?"},
		{{"may-receive", .to = "x@beta.example", .account = "AC-1"},
			"recipient: \"x@beta.example\" is no recipient of this message"},
		{{"may-receive", .to = "b@beta.example x@delta.example", .account = "AC-1"},
			"recipient: \"x@delta.example\" is no recipient of this message"},
		{{"may-receive", .to = "@delta.example", .account = "AC-1"},
			"recipient: \"@delta.example\" is no recipient of this message"},
		{{"may-receive", .to = "@example", .account = "AC-1"},
			"recipient: \"@example\" is no recipient of this message"},
		{{"may-receive", .to = "@gmail.com", .account = "AC-1"},
			"recipient: \"@gmail.com\" is a domain at which anybody can have an address"},
		{{"may-receive", .to = "@co.uk", .account = "AC-1"},
			"recipient: \"@co.uk\" is a domain at which anybody can have an address"},
		{{"may-receive", .to = "beta", .account = "AC-1"},
			"error: recipients: \"beta\" is no address"},
		{{"may-receive", .to = "b@beta.example", .account = ""},
			"error: account: \"\" is an empty word"},
		{{"assign", .assignee = "bret"},
			"error: assignee: \"bret\" is no reviewer's account; did you mean \"bert\"?"},
		/* may only look */
		{{"assign", .assignee = "vera"},
			"error: assignee: \"vera\" is no reviewer's account"},
		{{"assign", .assignee = "gone"},
			"error: assignee: \"gone\" is no reviewer's account"},
		{{"assign", .assignee = "Bert"}, "done: to Bert"},
		{{"assign"}, "done: to nobody"},
		{{"release", .to = "b@beta.exampel"}, "did you mean \"b@beta.example\"?"},
		{{"relase"}, "error: verb: \"relase\" is none of"},
	};
	World *w = world_new("", "");
	add_person(w, "bert", MS_ROLE_REVIEWER, false);
	add_person(w, "vera", MS_ROLE_VIEWER, false);
	add_person(w, "gone", MS_ROLE_ADMINISTRATOR, true);
	g_autofree char *review = g_strdup_printf(
		"review {\n accounts-file = \"%s/accounts.db\"\n}\n", w->state);
	world_settings(w, review, "");
	MsDesk *desk = world_desk(w);
	g_autofree char *uid = world_hold(w, &(WorldHold){0});
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		WorldAsk ask = rows[i].ask;
		ask.uids = uid;
		g_autofree char *said = world_said(desk, &ask);
		CONTAINS(said, rows[i].want);
	}
	g_autofree char *states = world_states(w, uid);
	g_assert_cmpstr(states, ==, "held held held");
	ms_desk_free(desk);
	world_free(w);
}

static void test_filters(void)
{
	static const struct {
		const char *policy, *host, *account, *assignee, *want; /* NULL: fine */
	} rows[] = {{"invoices"}, {"of yore"}, {"invoiecs", .want = "did you mean \"invoices\"?"},
		{"", .want = "is an empty word"},
		{"nothing like it", .want = "is no policy, and in no record"}, {.host = "mx.test"},
		{.host = "mx2.seller.example"},
		{.host = "mx3.seler.example", .want = "did you mean \"mx"},
		{.host = "elsewhere", .want = "is not this host, and in no record"},
		{.account = "OF-YORE"}, {.account = "AC-1"},
		{.account = "ac-1", .want = "did you mean \"AC-1\"?"},
		{.account = "nobody", .want = "is no account that the directory knows"},
		{.assignee = "olga"}};
	World *w = world_new("", "");
	MsDesk *desk = world_desk(w);
	g_autoptr(GError) error = NULL;
	g_autofree char *uid = world_hold(w, &(WorldHold){0});
	g_autoptr(MsRecord) r = world_record(w, uid);
	g_clear_pointer(&r->uid, g_free);
	MsReason *reason = g_new0(MsReason, 1); /* of a policy that is no more */
	*reason = (MsReason){
		.policy = g_strdup("of yore"), .action = MS_HOLD, .text = g_strdup("why")};
	g_ptr_array_add(r->reasons, reason);
	g_free(r->host);
	r->host = g_strdup("mx2.seller.example");
	g_free(r->assignee);
	r->assignee = g_strdup("olga");
	g_ptr_array_add(r->accounts, g_strdup("OF-YORE"));
	g_assert_true(ms_records_add(w->ledger, r, &error));
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) why = NULL;
		MsRecordFilter filter = {.state = -1,
			.policy = rows[i].policy,
			.host = rows[i].host,
			.account = rows[i].account,
			.assignee = rows[i].assignee};
		g_test_message("row %zu", i);
		g_assert_cmpint(
			ms_desk_check_filter(desk, &filter, &why), ==, rows[i].want == NULL);
		if (rows[i].want != NULL)
			CONTAINS(why->message, rows[i].want);
	}
	ms_desk_free(desk);
	world_free(w);
}

/* ---- damage --------------------------------------------------------------------------- */

static void damage(World *w, const char *statement)
{
	g_autofree char *path = g_build_filename(w->state, "held.db", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(MsSqlite) db = ms_sqlite_open(path, 0x6d736834, "", true, NULL, &error);
	g_assert_no_error(error);
	ms_sqlite_ask(db, statement, NULL, NULL, NULL, NULL, &error);
	g_assert_no_error(error);
}

static const char *const damages[] = {
	"UPDATE recipient SET outcome='fine' WHERE rowid=(SELECT max(rowid) FROM recipient)",
	"UPDATE recipient SET outcome='right', state='hold'",
	"UPDATE held SET state='parked'",
	"UPDATE held SET size='large'",
	"DELETE FROM recipient WHERE address='n@nobody.example'",
	"DELETE FROM recipient",
};

/* Not to anybody, in whatever words; returned or deleted, it is over. */
static void test_damage(void)
{
	static const WorldAsk lets_go[] = {{"release", .others = 1}, {"release", .rightful = true},
		{"release", .to = "a@alpha.example"}, {"belongs"}, {"rejudge"}};
	static const char *const ends[] = {"return", "delete"};
	for (gsize i = 0; i < G_N_ELEMENTS(damages) * G_N_ELEMENTS(ends); i++) {
		const char *end = ends[i % G_N_ELEMENTS(ends)];
		World *w = world_new("", "");
		MsDesk *desk = world_desk(w);
		g_autofree char *uid = world_hold(w, &(WorldHold){0});
		damage(w, damages[i / G_N_ELEMENTS(ends)]);
		g_test_message("%s: %s", damages[i / G_N_ELEMENTS(ends)], end);
		for (gsize k = 0; k < G_N_ELEMENTS(lets_go); k++) {
			WorldAsk ask = lets_go[k];
			ask.uids = uid;
			g_autofree char *said = world_said(desk, &ask);
			CONTAINS(said, "error: ");
		}
		g_autoptr(MsRecord) held = world_record(w, uid);
		g_assert_true(*held->damaged != '\0' && held->state == MS_STATE_HELD &&
			world_is_queued(w, held));
		g_autofree char *said = world_said(desk, &(WorldAsk){end, uid});
		CONTAINS(said, "done");
		g_autoptr(MsRecord) after = world_record(w, uid);
		g_assert_cmpstr(
			ms_state_names[after->state], ==, *end == 'r' ? "returned" : "deleted");
		g_assert_false(world_is_queued(w, after));
		g_autoptr(GPtrArray) got = stub_take(w->stub);
		for (guint k = 0; k < got->len; k++) /* the sender's notice alone */
			g_assert_cmpstr(((Delivery *)got->pdata[k])->sender, ==, "");
		ms_desk_free(desk);
		world_free(w);
	}
}

/* What was decided before the damage is not carried out after it. */
static void test_damage_since(void)
{
	static const char *const since[] = {
		"UPDATE recipient SET outcome='fine'",
		"UPDATE recipient SET outcome='wrong'", /* no damage: the right is lost */
		"UPDATE decision SET recipients=x'00'",
		"UPDATE decision SET verb='let go'",
	};
	for (gsize i = 0; i < G_N_ELEMENTS(since); i++) {
		World *w = world_new("", "");
		MsDesk *desk = world_desk(w);
		g_autoptr(GError) error = NULL;
		g_autoptr(GPtrArray) uids = g_ptr_array_new();
		g_autofree char *uid = world_hold(w, &(WorldHold){0});
		g_ptr_array_add(uids, uid);
		MsAsk ask = {.verb = MS_VERB_RELEASE,
			.uids = uids,
			.rightful = true,
			.who = "anna",
			.later = true};
		g_autoptr(GPtrArray) asked = ms_desk_decide(desk, &ask, &error);
		g_assert_no_error(error);
		damage(w, since[i]);
		ms_desk_work(desk, 0);
		g_test_message("%s", since[i]);
		g_autoptr(MsDecision) d = ms_decisions_find(
			w->ledger, ((MsDecision *)asked->pdata[0])->id, &error);
		g_assert_cmpint(d->state, ==, MS_DECISION_FAILED);
		g_autoptr(MsRecord) r = world_record(w, uid);
		g_assert_true(r->state == MS_STATE_HELD && world_is_queued(w, r));
		g_autoptr(GPtrArray) got = stub_take(w->stub);
		g_assert_cmpuint(got->len, ==, 0);
		ms_desk_free(desk);
		world_free(w);
	}
}

/* ---- settings ------------------------------------------------------------------------- */

static void test_settings(void)
{
	World *w = world_new("", "two-person-above = 0\n");
	MsDesk *desk = world_desk(w);
	g_autofree char *one = world_hold(w, &(WorldHold){0});
	g_autofree char *said = world_said(desk, &(WorldAsk){"delete", one});
	g_assert_cmpstr(said, ==, "waiting: ");
	world_settings(w, "", "");
	g_autofree char *two = world_hold(w, &(WorldHold){0});
	g_autofree char *now = world_said(desk, &(WorldAsk){"delete", two});
	g_assert_cmpstr(now, ==, "done: ");
	world_settings(w, "", "two-person-above = none of them\n"); /* a mistake: as before */
	g_autofree char *three = world_hold(w, &(WorldHold){0});
	g_autofree char *still = world_said(desk, &(WorldAsk){"delete", three});
	g_assert_cmpstr(still, ==, "done: ");
	ms_desk_free(desk);
	world_free(w);
}

/* ---- too much ------------------------------------------------------------------------- */

typedef struct {
	int fd;
	gsize len;
	bool sent;
} Sender;

static void *send_all(void *user)
{
	Sender *s = user;
	g_autofree char *text = g_strnfill(s->len, ' ');
	s->sent = ms_link_send(s->fd, text, s->len);
	return NULL;
}

/* More than a request may have is refused with the reason, by who receives it and by the desk. */
static void test_too_much(void)
{
	static const struct {
		gsize len, want; /* of what is told */
		bool taken;
	} rows[] = {{2, 2, true}, {MS_DESK_REQUEST_MAX, MS_DESK_REQUEST_MAX, true},
		{MS_DESK_REQUEST_MAX + 1, MS_DESK_REQUEST_MAX + 1, false},
		{10 << 20, 10 << 20, false}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		int ends[2];
		gsize len = 7;
		g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
		Sender sender = {ends[0], rows[i].len, false};
		GThread *thread = g_thread_new("sender", send_all, &sender);
		g_autofree char *got = ms_link_receive(ends[1], MS_DESK_REQUEST_MAX, &len);
		g_thread_join(thread);
		g_assert_true(sender.sent);
		g_assert_cmpint(got != NULL, ==, rows[i].taken);
		g_assert_cmpuint(len, ==, rows[i].want);
		close(ends[0]);
		close(ends[1]);
	}
	World *w = world_new("", "");
	MsDesk *desk = world_desk(w);
	g_autofree char *large = g_strnfill(MS_DESK_REQUEST_MAX + 1, ' ');
	g_autofree char *said = ms_desk_request(desk, large, MS_DESK_REQUEST_MAX + 1);
	CONTAINS(said, "the request has more than 4194304 bytes");
	ms_desk_free(desk);
	world_free(w);
}

/* ---- threads -------------------------------------------------------------------------- */

#define THREADS 8
#define EACH 6

typedef struct {
	World *w;
	MsDesk *desk;
	GPtrArray *uids; /* this thread's */
	gint *stop;
} Clerk;

static void *decide_all(void *user)
{
	const Clerk *clerk = user;
	for (guint i = 0; i < clerk->uids->len; i++) {
		const char *uid = clerk->uids->pdata[i];
		g_autofree char *noted = world_said(clerk->desk, &(WorldAsk){"note", uid});
		g_autofree char *assigned = world_said(
			clerk->desk, &(WorldAsk){"assign", uid, .assignee = "anna"});
		g_autofree char *queued = world_said(
			clerk->desk, &(WorldAsk){i % 2 == 0 ? "delete" : "return", uid});
		g_assert_cmpstr(noted, ==, "done: ");
		g_assert_cmpstr(assigned, ==, "done: to anna");
		CONTAINS(queued, "done: ");
		g_autoptr(GHashTable) queue = ms_desk_queue(clerk->desk, NULL);
		g_assert_nonnull(queue);
	}
	return NULL;
}

static void *carry(void *user)
{
	const Clerk *clerk = user;
	while (!g_atomic_int_get(clerk->stop)) {
		if (ms_desk_work(clerk->desk, 3) == 0)
			ms_desk_await(clerk->desk, 500);
		ms_desk_tick(clerk->desk);
	}
	return NULL;
}

/* One desk, one thread that carries out, eight that decide, and settings that change meanwhile:
 * each message has its one outcome. */
static void test_threads(void)
{
	World *w = world_new("", "");
	MsDesk *desk = world_desk(w);
	gint stop = 0;
	Clerk clerks[THREADS + 1];
	GThread *threads[THREADS + 1];
	for (int t = 0; t <= THREADS; t++) {
		clerks[t] = (Clerk){w, desk, g_ptr_array_new_with_free_func(g_free), &stop};
		for (int i = 0; t < THREADS && i < EACH; i++)
			g_ptr_array_add(clerks[t].uids, world_hold(w, &(WorldHold){0}));
	}
	ms_desk_leave_work(desk, 60000);
	for (int t = 0; t <= THREADS; t++)
		threads[t] = g_thread_new("clerk", t < THREADS ? decide_all : carry, &clerks[t]);
	for (int i = 0; i < 5; i++) {
		world_settings(w, "", i % 2 == 0 ? "two-person-above = 100\n" : "a mistake\n");
		g_usleep(50000);
	}
	for (int t = 0; t < THREADS; t++)
		g_thread_join(threads[t]);
	g_atomic_int_set(&stop, 1);
	ms_desk_wake(desk);
	g_thread_join(threads[THREADS]);
	g_autoptr(GPtrArray) notices = stub_take(w->stub);
	g_assert_cmpuint(notices->len, ==, THREADS * EACH / 2); /* a return each, once */
	for (int t = 0; t <= THREADS; t++) {
		for (guint i = 0; i < clerks[t].uids->len; i++) {
			g_autoptr(MsRecord) r = world_record(w, clerks[t].uids->pdata[i]);
			g_assert_cmpuint(r->decisions->len, ==, 3);
			g_assert_cmpint(
				r->state, ==, i % 2 == 0 ? MS_STATE_DELETED : MS_STATE_RETURNED);
			g_assert_cmpstr(r->assignee, ==, "anna");
		}
		g_ptr_array_unref(clerks[t].uids);
	}
	ms_desk_free(desk);
	world_free(w);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/border/names", test_names);
	g_test_add_func("/border/filters", test_filters);
	g_test_add_func("/border/damage", test_damage);
	g_test_add_func("/border/damage-since", test_damage_since);
	g_test_add_func("/border/settings", test_settings);
	g_test_add_func("/border/too-much", test_too_much);
	g_test_add_func("/border/threads", test_threads);
	return g_test_run();
}
