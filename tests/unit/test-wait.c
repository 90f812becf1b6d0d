/* Mail that waits: judged again when the directory or the policies have changed and when its time
 * is over, whatever becomes of clock, directory, policies and process meanwhile. */
#include "config.h"

#include "missent/clock.h"

#include "../test.h"
#include "../trail.h"
#include "world.h"

#define CONTAINS(text, part) \
	G_STMT_START { \
		if (strstr(text, part) == NULL) \
			g_error("\"%s\" is not in: %s", part, text); \
	} \
	G_STMT_END

#define SECOND ((gint64)G_USEC_PER_SEC)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

#define ROWS \
	"AC-1,recipient,a@alpha.example\nAC-1,customer-number,C-10001\n" \
	"AC-2,recipient,@beta.example\nAC-2,customer-number,C-10002\n"
#define NEW "new@delta.example"
#define COMES ROWS "AC-9,recipient," NEW "\nAC-9,customer-number,C-10009\n"
#define OTHER ROWS "AC-2,recipient," NEW "\nAC-1,customer-number,C-10009\n"
#define FIRST ROWS "AC-1,customer-number,C-10009\n"
#define FAN "on-fan-out = \"delay 30m then deliver\""
#define BODY "Your customer number: C-10009"

/* The whole time of a test is taken back at its end. */
static gint64 shifted[2];
static void shift(gint64 now, gint64 steady)
{
	ms_clock_shift(now, steady);
	shifted[0] += now;
	shifted[1] += steady;
}

static void end(void)
{
	ms_clock_shift(-shifted[0], -shifted[1]);
	shifted[0] = shifted[1] = 0;
}

static void write_policy(World *w, const char *rows)
{
	g_autofree char *text = g_strdup_printf(
		"policy \"invoices\" {\n sender = {\"billing@seller.example\"}\n"
		" kinds = {\"customer-number\"}\n%s\n}\n",
		rows);
	world_file(w, "policies/invoices.conf", text);
}

static char *state_of(World *w, const char *uid)
{
	g_autoptr(MsRecord) r = world_record(w, uid);
	g_autofree char *states = world_states(w, uid);
	return r->due != 0 ? g_strconcat("waits: ", states, NULL) : g_strdup(states);
}

static guint audit_lines(World *w, const char *what)
{
	g_autofree char *path = g_build_filename(w->state, "audit.jsonl", NULL);
	g_autofree char *text = trail_text(path);
	guint n = 0;
	for (const char *p = text; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

/* ---- what becomes of it ----------------------------------------------------------------- */

#define UNKNOWN "on-unknown-recipient = \"delay 30m\""

/* One step: time goes by, and something happens; then it is looked at. */
typedef struct {
	gint64 now, steady;
	const char *mapping, *policy; /* anew; NULL: as it was */
	bool restart, gone; /* another process; the message is no longer in the queue, */
	bool unseen;        /* or is, and cannot be read */
	const char *release; /* what the queue does then */
	enum { SMTP_TAKES, SMTP_LATER, SMTP_REFUSES } smtp;
	const char *want;
} Step;

static const struct {
	const char *name, *policy;
	MsReasonCode reason;
	const char *to; /* besides NEW */
	Step steps[5];
	guint delivered; /* by the MTA's queue, or over SMTP */
	const char *told; /* in the last act, or NULL */
} rows[] = {
	{"waits", UNKNOWN, MS_UNKNOWN_RECIPIENT, NULL,
		{{0, 0, .want = "waits: held"}, {10 * MINUTE, 10 * MINUTE, .want = "waits: held"},
			{10 * MINUTE, 10 * MINUTE, .want = "waits: held"}},
		0, NULL},
	{"its record comes", UNKNOWN, MS_UNKNOWN_RECIPIENT, NULL,
		{{0, 0, .want = "waits: held"},
			{MINUTE, MINUTE, .mapping = COMES, .want = "released"}},
		1, "nothing is against it any more"},
	{"another's record comes", UNKNOWN, MS_UNKNOWN_RECIPIENT, NULL,
		{{0, 0, .want = "waits: held"},
			{MINUTE, MINUTE, .mapping = OTHER, .want = "waits: held"},
			{30 * MINUTE, 30 * MINUTE, .want = "held"},
			{DAY, DAY, .mapping = COMES, .want = "held"}},
		0, "and still: mismatch"},
	{"its record comes after its time", UNKNOWN, MS_UNKNOWN_RECIPIENT, NULL,
		{{31 * MINUTE, 31 * MINUTE, .want = "held"},
			{MINUTE, MINUTE, .mapping = COMES, .want = "held"}},
		0, "and still: unknown-recipient"},
	{"nobody was there, and it has come", UNKNOWN, MS_UNKNOWN_RECIPIENT, NULL,
		{{20 * DAY, 20 * DAY, .mapping = COMES, .want = "released"}}, 1, NULL},
	{"nobody was there", UNKNOWN, MS_UNKNOWN_RECIPIENT, NULL,
		{{0, 0, .want = "waits: held"},
			{20 * DAY, 20 * DAY, .restart = true, .want = "waits: held"},
			{31 * MINUTE, 31 * MINUTE, .want = "held"}},
		0, NULL},
	{"restarted", UNKNOWN, MS_UNKNOWN_RECIPIENT, NULL,
		{{20 * MINUTE, 20 * MINUTE, .want = "waits: held"},
			{9 * MINUTE, 9 * MINUTE, .restart = true, .want = "waits: held"},
			{2 * MINUTE, 2 * MINUTE, .want = "held"}},
		0, NULL},

	/* ---- by the time alone ---- */
	{"then deliver", "on-unknown-recipient = \"delay 30m then deliver\"", MS_UNKNOWN_RECIPIENT,
		NULL,
		{{29 * MINUTE, 29 * MINUTE, .want = "waits: held"},
			{2 * MINUTE, 2 * MINUTE, .want = "released"}},
		1, "its policy has it delivered then"},
	{"then deliver, but a mismatch", "on-unknown-recipient = \"delay 30m then deliver\"",
		MS_UNKNOWN_RECIPIENT, NULL,
		{{29 * MINUTE, 29 * MINUTE, .mapping = OTHER, .want = "waits: held"},
			{2 * MINUTE, 2 * MINUTE, .want = "held"}},
		0, "mismatch"},
	{"of two delays one then holds",
		"on-unknown-recipient = \"delay 30m then deliver\"\n"
		"on-mismatch = \"delay 30m\"",
		MS_UNKNOWN_RECIPIENT, NULL,
		{{29 * MINUTE, 29 * MINUTE, .mapping = OTHER, .want = "waits: held"},
			{2 * MINUTE, 2 * MINUTE, .want = "held"}},
		0, "mismatch"},

	/* ---- clocks ---- */
	{"a day forward", "on-unknown-recipient = \"delay 30m then deliver\"", MS_UNKNOWN_RECIPIENT,
		NULL,
		{{0, 0, .want = "waits: held"}, {DAY, MINUTE, .want = "waits: held"},
			{28 * MINUTE, 28 * MINUTE, .want = "waits: held"},
			{2 * MINUTE, 2 * MINUTE, .want = "released"}},
		1, NULL},
	{"a day back", UNKNOWN, MS_UNKNOWN_RECIPIENT, NULL,
		{{0, 0, .want = "waits: held"}, {-DAY, 29 * MINUTE, .want = "waits: held"},
			{2 * MINUTE, 2 * MINUTE, .want = "held"}},
		0, NULL},
	{"ten days forward, restarted", "on-unknown-recipient = \"delay 30m then deliver\"",
		MS_UNKNOWN_RECIPIENT, NULL,
		{{0, 0, .want = "waits: held"},
			{10 * DAY, MINUTE, .restart = true, .want = "waits: held"},
			{28 * MINUTE, 28 * MINUTE, .want = "waits: held"},
			{2 * MINUTE, 2 * MINUTE, .want = "released"}},
		1, NULL},
	{"a day back, restarted", UNKNOWN, MS_UNKNOWN_RECIPIENT, NULL,
		{{0, 0, .want = "waits: held"},
			{-DAY, MINUTE, .restart = true, .want = "waits: held"},
			{31 * MINUTE, 31 * MINUTE, .want = "held"}},
		0, NULL},

	/* ---- policies ---- */
	{"its policy lets it go now", UNKNOWN, MS_UNKNOWN_RECIPIENT, NULL,
		{{0, 0, .want = "waits: held"},
			{MINUTE, MINUTE, .policy = "on-unknown-recipient = deliver",
				.want = "released"}},
		1, NULL},
	{"its policy tags it now", UNKNOWN, MS_UNKNOWN_RECIPIENT, NULL,
		{{0, 0, .want = "waits: held"},
			{MINUTE, MINUTE, .policy = "on-unknown-recipient = tag",
				.want = "released"}},
		1, NULL},
	{"its policy holds it now", UNKNOWN, MS_UNKNOWN_RECIPIENT, NULL,
		{{0, 0, .want = "waits: held"},
			{MINUTE, MINUTE, .policy = "on-unknown-recipient = hold",
				.want = "waits: held"},
			{30 * MINUTE, 30 * MINUTE, .want = "held"}},
		0, NULL},
	{"its policy rejects now", UNKNOWN, MS_UNKNOWN_RECIPIENT, NULL,
		{{31 * MINUTE, 31 * MINUTE, .policy = "on-unknown-recipient = reject",
			.want = "held"}},
		0, NULL},
	{"its policy observes now", UNKNOWN, MS_UNKNOWN_RECIPIENT, NULL,
		{{0, 0, .want = "waits: held"},
			{MINUTE, MINUTE, .policy = "mode = observe\n" UNKNOWN,
				.want = "waits: held"},
			{30 * MINUTE, 30 * MINUTE, .want = "held"}},
		0, NULL},
	{"its policy observes, and its record comes", UNKNOWN, MS_UNKNOWN_RECIPIENT, NULL,
		{{0, 0, .want = "waits: held"},
			{MINUTE, MINUTE, .policy = "mode = observe\n" UNKNOWN, .mapping = COMES,
				.want = "released"}},
		1, NULL},
	{"its policy is no more", UNKNOWN, MS_UNKNOWN_RECIPIENT, NULL,
		{{0, 0, .want = "waits: held"},
			{MINUTE, MINUTE, .policy = "GONE", .mapping = COMES, .want = "waits: held"},
			{30 * MINUTE, 30 * MINUTE, .want = "held"}},
		0, NULL},
	{"policies with a mistake", UNKNOWN, MS_UNKNOWN_RECIPIENT, NULL,
		{{0, 0, .want = "waits: held"},
			{MINUTE, MINUTE,
				.policy = "on-unknown-recipient = ", .want = "waits: held"},
			{MINUTE, MINUTE, .mapping = COMES, .want = "released"}},
		1, NULL},

	/* ---- what the guard counted ---- */
	{"counted", "on-fan-out = \"delay 30m\"", MS_FAN_OUT, NULL,
		{{0, 0, .mapping = COMES, .want = "waits: held"},
			{31 * MINUTE, 31 * MINUTE, .want = "held"}},
		0, NULL},
	{"counted, then deliver", "on-fan-out = \"delay 30m then deliver\"", MS_FAN_OUT, NULL,
		{{0, 0, .mapping = COMES, .want = "waits: held"},
			{31 * MINUTE, 31 * MINUTE, .want = "released"}},
		1, NULL},
	{"counted, then deliver, and wrong", "on-mismatch = split\n" FAN, MS_FAN_OUT, NULL,
		{{0, 0, .mapping = OTHER, .want = "waits: held"},
			{31 * MINUTE, 31 * MINUTE, .want = "held"}},
		0, "and still: mismatch"},
	{"counted, and let go since", "on-fan-out = \"delay 30m\"", MS_FAN_OUT, NULL,
		{{0, 0, .mapping = COMES, .want = "waits: held"},
			{MINUTE, MINUTE, .policy = "on-fan-out = deliver", .want = "released"}},
		1, NULL},

	/* ---- several recipients ---- */
	{"some may have it", UNKNOWN "\non-mismatch = split", MS_UNKNOWN_RECIPIENT,
		"a@alpha.example",
		{{0, 0, .want = "waits: held held"},
			{MINUTE, MINUTE, .mapping = OTHER, .want = "waits: held held"},
			{30 * MINUTE, 30 * MINUTE, .want = "held released"}},
		1, NULL},
	{"nobody may have it", UNKNOWN "\non-mismatch = split", MS_UNKNOWN_RECIPIENT,
		"b@beta.example",
		{{31 * MINUTE, 31 * MINUTE, .mapping = OTHER, .want = "held held"}}, 0, NULL},
	{"counted, and some may have it then", "on-mismatch = split\n" FAN, MS_FAN_OUT,
		"a@alpha.example",
		{{0, 0, .mapping = OTHER, .want = "waits: held held"},
			{31 * MINUTE, 31 * MINUTE, .want = "held released"}},
		1, "these may have it"},
	{"then deliver, and somebody may not have it",
		"on-unproven = deliver\non-mismatch = split\n"
		"on-unknown-recipient = \"delay 30m then deliver\"",
		MS_UNKNOWN_RECIPIENT, "b@beta.example",
		{{0, 0, .mapping = FIRST, .want = "waits: held held"},
			{31 * MINUTE, 31 * MINUTE, .want = "held held"}},
		0, "and still: "},
	{"then deliver, and nobody may", "on-unproven = \"delay 30m then deliver\"\non-mismatch = split",
		MS_UNPROVEN, "b@beta.example",
		{{0, 0, .mapping = FIRST, .want = "waits: held held"},
			{31 * MINUTE, 31 * MINUTE, .want = "held held"}},
		0, "and still: "},

	/* ---- what cannot be let go ---- */
	{"the queue fails once", "on-unknown-recipient = \"delay 30m then deliver\"",
		MS_UNKNOWN_RECIPIENT, NULL,
		{{0, 0, .want = "waits: held"},
			{31 * MINUTE, 31 * MINUTE, .release = "fail", .want = "waits: held"},
			{SECOND, SECOND, .want = "waits: held"},
			{MINUTE, MINUTE, .want = "released"}},
		1, "its policy has it delivered then"},
	{"its record comes, and the queue fails once", UNKNOWN, MS_UNKNOWN_RECIPIENT, NULL,
		{{0, 0, .want = "waits: held"},
			{MINUTE, MINUTE, .mapping = COMES, .release = "fail", .want = "waits: held"},
			{SECOND, SECOND, .want = "waits: held"},
			{MINUTE, MINUTE, .restart = true, .want = "released"}},
		1, "nothing is against it any more"},
	{"the queue fails once, and it is another's then", UNKNOWN, MS_UNKNOWN_RECIPIENT, NULL,
		{{0, 0, .want = "waits: held"},
			{MINUTE, MINUTE, .mapping = COMES, .release = "fail", .want = "waits: held"},
			{MINUTE, MINUTE, .mapping = OTHER, .want = "waits: held"},
			{30 * MINUTE, 30 * MINUTE, .want = "held"}},
		0, "and still: mismatch"},
	{"the queue fails once, and its record goes again",
		"on-unknown-recipient = \"delay 30m then deliver\"", MS_UNKNOWN_RECIPIENT, NULL,
		{{0, 0, .want = "waits: held"},
			{MINUTE, MINUTE, .mapping = COMES, .release = "fail", .want = "waits: held"},
			{MINUTE, MINUTE, .mapping = ROWS, .want = "waits: held"},
			{27 * MINUTE, 27 * MINUTE, .want = "waits: held"},
			{2 * MINUTE, 2 * MINUTE, .want = "released"}},
		1, "its policy has it delivered then"},
	{"the queue fails for hours", "on-unknown-recipient = \"delay 30m then deliver\"",
		MS_UNKNOWN_RECIPIENT, NULL,
		{{31 * MINUTE, 31 * MINUTE, .release = "fail always", .want = "waits: held"},
			{2 * HOUR, 2 * HOUR, .want = "waits: held"},
			{3 * HOUR, 3 * HOUR, .want = "held"}},
		0, "it could be released, and was not"},
	{"the queue says that it is another", "on-unknown-recipient = \"delay 30m then deliver\"",
		MS_UNKNOWN_RECIPIENT, NULL,
		{{31 * MINUTE, 31 * MINUTE, .release = "data", .want = "held"},
			{HOUR, HOUR, .want = "held"}},
		0, NULL},
	{"some may have it, and the MTA says later", UNKNOWN "\non-mismatch = split",
		MS_UNKNOWN_RECIPIENT, "a@alpha.example",
		{{MINUTE, MINUTE, .mapping = OTHER, .want = "waits: held held"},
			{30 * MINUTE, 30 * MINUTE, .smtp = SMTP_LATER, .want = "waits: held held"},
			{MINUTE, MINUTE, .want = "held released"}},
		1, NULL},
	{"some may have it, and the MTA refuses", UNKNOWN "\non-mismatch = split",
		MS_UNKNOWN_RECIPIENT, "a@alpha.example",
		{{MINUTE, MINUTE, .mapping = OTHER, .want = "waits: held held"},
			{30 * MINUTE, 30 * MINUTE, .smtp = SMTP_REFUSES, .want = "held held"}},
		0, NULL},

	/* ---- what cannot be judged ---- */
	{"gone from the queue", "on-unknown-recipient = \"delay 30m then deliver\"",
		MS_UNKNOWN_RECIPIENT, NULL,
		{{0, 0, .want = "waits: held"},
			{31 * MINUTE, 31 * MINUTE, .gone = true, .want = "waits: held"},
			{2 * HOUR, 2 * HOUR, .want = "gone"}},
		0, "the MTA's queue does not have it"},
	{"not to be read", "on-unknown-recipient = \"delay 30m then deliver\"",
		MS_UNKNOWN_RECIPIENT, NULL,
		{{0, 0, .want = "waits: held"},
			{31 * MINUTE, 31 * MINUTE, .unseen = true, .want = "waits: held"},
			{2 * HOUR, 2 * HOUR, .want = "waits: held"},
			{3 * HOUR, 3 * HOUR, .want = "held"}},
		0, "could not be judged again"},
	{"deferred by its policy now", UNKNOWN, MS_UNKNOWN_RECIPIENT, NULL,
		{{31 * MINUTE, 31 * MINUTE, .policy = "on-unknown-recipient = tempfail",
			 .want = "waits: held"},
			{5 * HOUR, 5 * HOUR, .want = "held"}},
		0, "could not be judged again"},
};

static guint deliveries(World *w)
{
	g_autoptr(GPtrArray) got = stub_take(w->stub);
	g_autofree char *log = world_log(w);
	guint n = got->len;
	for (const char *p = log; (p = strstr(p, "release ")) != NULL; p++)
		n++;
	for (const char *p = log; (p = strstr(p, "requeue ")) != NULL; p++)
		n++;
	return n;
}

/* On a machine that is busy a reader may come late, so that it is judged a little later. */
static char *settled(World *w, MsDesk *desk, const char *uid, const char *want)
{
	for (int i = 0;; i++) {
		ms_desk_work(desk, 0);
		ms_desk_tick(desk);
		char *state = state_of(w, uid);
		if (i == 10 || g_str_has_prefix(want, "waits") || strcmp(state, want) == 0)
			return state;
		g_free(state);
		shift(20 * SECOND, 20 * SECOND);
	}
}

static void take_step(World *w, MsDesk **desk, const char *uid, const Step *step)
{
	shift(step->now, step->steady);
	if (step->mapping != NULL)
		world_mapping(w, step->mapping);
	if (step->policy != NULL && strcmp(step->policy, "GONE") == 0)
		world_file(w, "policies/invoices.conf",
			"policy \"b\" {\n kinds = {\"customer-number\"}\n}\n");
	else if (step->policy != NULL)
		write_policy(w, step->policy);
	if (step->gone || step->unseen) {
		g_autoptr(MsRecord) r = world_record(w, uid);
		static const char *const endings[] = {"mail", "queue"};
		for (gsize i = 0; i < (step->gone ? 2 : 1); i++) {
			g_autofree char *path = g_strdup_printf(
				"%s/%s.%s", w->queue, r->queue_id, endings[i]);
			g_assert_cmpint(g_remove(path), ==, 0);
		}
	}
	if (step->release != NULL)
		world_orders(w, "release", step->release);
	if (step->smtp != SMTP_TAKES)
		stub_next(w->stub, AT_MAIL, step->smtp == SMTP_LATER ? STUB_LATER : STUB_REFUSE);
	if (step->restart) {
		ms_desk_free(*desk);
		*desk = world_desk(w);
	}
	g_autofree char *state = settled(w, *desk, uid, step->want);
	g_assert_cmpstr(state, ==, step->want);
}

static char *hold(World *w, MsReasonCode reason, const char *to)
{
	const WorldRecipient both[2] = {
		{NEW, MS_OUTCOME_UNKNOWN_RECIPIENT, ""}, {to, MS_OUTCOME_UNPROVEN, ""}};
	return world_hold(w,
		&(WorldHold){.to = both,
			.n = to != NULL ? 2 : 1,
			.body = BODY, .wait_us = 30 * MINUTE,
			.waits_for = reason,
			.codes = ms_reason_names[reason]});
}

static void test_row(gconstpointer data)
{
	gsize i = GPOINTER_TO_SIZE(data);
	World *w = world_new("", "");
	write_policy(w, rows[i].policy);
	world_mapping(w, ROWS);
	MsDesk *desk = world_desk(w);
	g_autofree char *uid = hold(w, rows[i].reason, rows[i].to);
	for (gsize k = 0; k < G_N_ELEMENTS(rows[i].steps) && rows[i].steps[k].want != NULL; k++) {
		g_test_message("step %zu", k);
		take_step(w, &desk, uid, &rows[i].steps[k]);
	}
	g_assert_cmpuint(deliveries(w), ==, rows[i].delivered);
	g_autoptr(MsRecord) r = world_record(w, uid);
	/* Each decision was told before it was taken, and so is that none was. */
	guint told = audit_lines(w, "\"wait-over\"") + audit_lines(w, "\"gone\"");
	g_assert_cmpuint(told, >=, MAX(r->decisions->len, r->due == 0));
	g_assert_cmpuint(told, <=, MAX(r->decisions->len + 1, r->due == 0));
	const MsAct *last = r->acts->len > 0 ? r->acts->pdata[r->acts->len - 1] : NULL;
	if (rows[i].told != NULL)
		CONTAINS(last->why, rows[i].told);
	ms_desk_free(desk);
	world_free(w);
	end();
}

/* ---- people ----------------------------------------------------------------------------- */

/* What ends it ends the wait; what does not, does not. */
static void test_decided(void)
{
	static const struct {
		WorldAsk ask;
		const char *said, *want;
	} asks[] = {
		{{"return"}, "done: ", "returned"},
		{{"delete"}, "done: ", "deleted"},
		{{"release"}, "done: ", "released"},
		{{"note"}, "done: ", "waits: held"},
		{{"rejudge"}, "done: ", "waits: held"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(asks); i++) {
		World *w = world_new("", "");
		write_policy(w, UNKNOWN);
		MsDesk *desk = world_desk(w);
		g_autofree char *uid = hold(w, MS_UNKNOWN_RECIPIENT, NULL);
		WorldAsk ask = asks[i].ask;
		ask.uids = uid;
		g_autofree char *said = world_said(desk, &ask);
		g_assert_true(g_str_has_prefix(said, asks[i].said));
		g_autofree char *state = state_of(w, uid);
		g_assert_cmpstr(state, ==, asks[i].want);
		shift(HOUR, HOUR); /* and the clock does nothing more to it */
		ms_desk_tick(desk);
		g_autofree char *later = state_of(w, uid);
		g_assert_cmpstr(later, ==, g_str_has_prefix(state, "waits") ? "held" : state);
		ms_desk_free(desk);
		world_free(w);
		end();
	}
}

static void test_withdrawn(void)
{
	World *w = world_new("", " two-person-above = 0\n");
	write_policy(w, UNKNOWN);
	MsDesk *desk = world_desk(w);
	g_autofree char *uid = hold(w, MS_UNKNOWN_RECIPIENT, NULL);
	g_autofree char *said = world_said(desk, &(WorldAsk){"release", uid});
	g_assert_cmpstr(said, ==, "waiting: ");
	g_autoptr(MsRecord) r = world_record(w, uid);
	g_assert_cmpint(r->due, ==, 0);
	g_autoptr(GPtrArray) done = ms_desk_agree(
		desk, ((MsDecision *)r->decisions->pdata[0])->id, "bert", false, NULL);
	g_assert_cmpuint(done->len, ==, 1);
	world_mapping(w, COMES);
	shift(HOUR, HOUR);
	ms_desk_tick(desk);
	g_autofree char *state = state_of(w, uid);
	g_assert_cmpstr(state, ==, "held");
	ms_desk_free(desk);
	world_free(w);
	end();
}

/* Nobody is told that it is held while it waits; when it is held its sender is. */
static void test_notices(void)
{
	World *w = world_new("", " notice-sender = yes\n notice-window = 0s\n");
	write_policy(w, UNKNOWN);
	MsDesk *desk = world_desk(w);
	g_autofree char *uid = hold(w, MS_UNKNOWN_RECIPIENT, NULL);
	g_autofree char *goes = hold(w, MS_UNKNOWN_RECIPIENT, NULL);
	for (int i = 0; i < 3; i++) {
		shift(5 * MINUTE, 5 * MINUTE);
		ms_desk_tick(desk);
	}
	g_autoptr(GPtrArray) none = stub_take(w->stub);
	g_assert_cmpuint(none->len, ==, 0);
	g_autofree char *said = world_said(desk, &(WorldAsk){"release", goes});
	g_assert_cmpstr(said, ==, "done: ");
	shift(20 * MINUTE, 20 * MINUTE);
	ms_desk_tick(desk);
	ms_desk_tick(desk);
	g_autoptr(GPtrArray) got = stub_take(w->stub);
	g_assert_cmpuint(got->len, ==, 1);
	CONTAINS(((Delivery *)got->pdata[0])->text, uid);
	ms_desk_free(desk);
	world_free(w);
	end();
}

static void test_counts(void)
{
	World *w = world_new("", "");
	MsRecordStats stats;
	g_autofree char *waits = hold(w, MS_UNKNOWN_RECIPIENT, NULL);
	g_autofree char *held G_GNUC_UNUSED = world_hold(w, &(WorldHold){.age_us = MINUTE});
	g_assert_true(ms_records_stats(w->ledger, &stats, NULL));
	g_assert_cmpint(stats.held, ==, 1);
	g_assert_cmpint(stats.delayed, ==, 1);
	g_assert_cmpint(stats.due, >, g_get_real_time());
	static const struct {
		int waiting;
		gint64 n;
	} filters[] = {{0, 2}, {1, 1}, {-1, 1}};
	for (gsize i = 0; i < G_N_ELEMENTS(filters); i++) {
		MsRecordFilter filter = {.state = MS_STATE_HELD, .waiting = filters[i].waiting};
		g_autoptr(GPtrArray) list = ms_records_list(w->ledger, &filter, NULL);
		g_assert_cmpuint(list->len, ==, filters[i].n);
		g_assert_cmpint(ms_records_count(w->ledger, &filter, 0, NULL), ==, filters[i].n);
		if (filters[i].waiting == 1)
			g_assert_cmpstr(((MsRecord *)list->pdata[0])->uid, ==, waits);
	}
	/* To other hosts, and back. */
	g_autoptr(MsRecord) r = world_record(w, waits);
	char *json = ms_record_to_json(r);
	g_autoptr(MsRecord) again = ms_record_from_json(json, strlen(json), NULL);
	g_assert_cmpint(again->due, ==, r->due);
	g_assert_cmpint(again->waits_since, ==, r->waits_since);
	g_assert_cmpstr(again->unclear, ==, "");
	free(json);
	world_free(w);
}

/* ---- killed ----------------------------------------------------------------------------- */

static void turn(MsDesk *desk, void *user)
{
	(void)user;
	ms_desk_work(desk, 0);
	ms_desk_tick(desk);
}

static const struct {
	const char *name, *policy, *mapping, *to;
	gint64 later;
	const char *want;
	guint delivered;
} crashes[] = {
	{"release", UNKNOWN, COMES, NULL, MINUTE, "released", 1},
	{"then-deliver", "on-unknown-recipient = \"delay 30m then deliver\"", ROWS, NULL, HOUR,
		"released", 1},
	{"hold", UNKNOWN, ROWS, NULL, HOUR, "held", 0},
	{"split", UNKNOWN "\non-mismatch = split", OTHER, "a@alpha.example", HOUR, "held released",
		1},
};

/* At each point that it comes by: what is left is done by who comes next, once. */
static void test_killed(gconstpointer data)
{
	gsize i = GPOINTER_TO_SIZE(data);
	bool killed = true;
	guint n = 0;
	for (guint nth = 1; killed; nth++) {
		World *w = world_new("", "");
		write_policy(w, crashes[i].policy);
		world_mapping(w, crashes[i].mapping);
		g_autofree char *uid = hold(w, MS_UNKNOWN_RECIPIENT, crashes[i].to);
		shift(crashes[i].later, crashes[i].later);
		killed = world_killed(w, NULL, nth, turn, NULL);
		n += killed;
		MsDesk *desk = world_desk(w);
		g_test_message("point %u", nth);
		g_autofree char *state = settled(w, desk, uid, crashes[i].want);
		g_assert_cmpstr(state, ==, crashes[i].want);
		g_assert_cmpuint(deliveries(w), ==, crashes[i].delivered);
		ms_desk_free(desk);
		world_free(w);
		end();
	}
	g_assert_cmpuint(n, >=, 2);
}

/* All of them go, though a turn has its time. */
static void test_many(void)
{
	World *w = world_new("", "");
	write_policy(w, UNKNOWN);
	MsDesk *desk = world_desk(w);
	g_autoptr(GPtrArray) uids = g_ptr_array_new_with_free_func(g_free);
	for (int i = 0; i < 20; i++)
		g_ptr_array_add(uids, hold(w, MS_UNKNOWN_RECIPIENT, NULL));
	ms_desk_tick(desk);
	world_mapping(w, COMES);
	for (int i = 0; i < 40; i++) {
		shift(10 * SECOND, 10 * SECOND);
		ms_desk_tick(desk);
	}
	for (guint i = 0; i < uids->len; i++) {
		g_autofree char *state = state_of(w, uids->pdata[i]);
		g_assert_cmpstr(state, ==, "released");
	}
	g_assert_cmpuint(deliveries(w), ==, uids->len);
	ms_desk_free(desk);
	world_free(w);
	end();
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *name = g_strdup_printf("/wait/row/%s", rows[i].name);
		g_strdelimit(name, " ,", '-');
		g_test_add_data_func(name, GSIZE_TO_POINTER(i), test_row);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(crashes); i++) {
		g_autofree char *name = g_strdup_printf("/wait/killed/%s", crashes[i].name);
		g_test_add_data_func(name, GSIZE_TO_POINTER(i), test_killed);
	}
	g_test_add_func("/wait/decided", test_decided);
	g_test_add_func("/wait/withdrawn", test_withdrawn);
	g_test_add_func("/wait/notices", test_notices);
	g_test_add_func("/wait/counts", test_counts);
	g_test_add_func("/wait/many", test_many);
	return g_test_run();
}
