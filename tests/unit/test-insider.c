/* Somebody with a right to decide who wants more: to have agreed to what nobody looked at, or to
 * have sent what turned out to be another's.  The desk, with the world of world.h. */
#include "config.h"

#include <string.h>

#include "missent/decision.h"

#include "../test.h"
#include "world.h"

static guint arrived(World *w)
{
	g_autoptr(GPtrArray) got = stub_take(w->stub);
	return got->len;
}

static char *ask_named(MsDesk *desk, const char *who, const char *id, const char *verb,
	const char *first, const char *second)
{
	g_autoptr(GPtrArray) uids = g_ptr_array_new();
	g_autoptr(GError) error = NULL;
	MsAsk ask = {.uids = uids, .who = who, .why = "test", .id = id};
	g_assert_true(ms_verb_parse("verb", verb, &ask.verb, NULL));
	g_ptr_array_add(uids, (char *)first);
	if (second != NULL)
		g_ptr_array_add(uids, (char *)second);
	g_autoptr(GPtrArray) done = ms_desk_decide(desk, &ask, &error);
	return done != NULL
		? g_strdup(ms_decision_state_names[((MsDecision *)done->pdata[0])->state])
		: g_strdup_printf("error: %s", error->message);
}

static char *agreed(MsDesk *desk, const char *id, const char *who)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) done = ms_desk_agree(desk, id, who, true, &error);
	return done != NULL ? g_strdup_printf("%u %s", done->len,
			ms_decision_state_names[((MsDecision *)done->pdata[0])->state])
			    : g_strdup_printf("error: %s", error->message);
}

static const WorldRecipient of_one[] = {{"a@alpha.example", MS_OUTCOME_RIGHT, "AC-1"}};

/* ---- names of decisions --------------------------------------------------------------- */

/* What waits has a name of its own, or that of its group; a later request that has it joins
 * nothing and takes nothing's place.  %s: the name of what waits. */
static const struct {
	const char *name, *first_id;
	guint waiting; /* messages */
	const char *forged;
	bool two; /* messages of the later one */
} names[] = {
	{"a group", NULL, 2, "group", true},
	{"a group, one more", NULL, 2, "group", false},
	{"one of a group", NULL, 2, "decision", true},
	{"a single one", NULL, 1, "decision", true},
	{"a single one, for one", NULL, 1, "decision", false},
	{"a named group's member", "ticket-1", 2, "decision", true},
	{"a named single one", "ticket-1", 1, "decision", true},
	{"the beginning of a name", "ticket-0", 2, "ticket", false},
};

static void test_name(gconstpointer data)
{
	gsize i = (gsize)GPOINTER_TO_UINT(data);
	World *w = world_new("", " two-person-above = 0\n");
	MsDesk *desk = world_desk(w);
	g_autofree char *uids[4];
	for (gsize k = 0; k < 4; k++)
		uids[k] = world_hold(w, &(WorldHold){.to = of_one, .n = 1});
	g_autofree char *first = ask_named(desk, "anna", names[i].first_id, "release", uids[0],
		names[i].waiting > 1 ? uids[1] : NULL);
	g_assert_cmpstr(first, ==, "waiting");
	g_autoptr(MsRecord) r = world_record(w, uids[0]);
	const MsDecision *d = r->decisions->pdata[0];
	const char *name = *d->group != '\0' ? d->group : d->id;
	const char *forged = strcmp(names[i].forged, "group") == 0 ? d->group
		: strcmp(names[i].forged, "decision") == 0          ? d->id
								     : names[i].forged;
	g_autofree char *later = ask_named(
		desk, "carl", forged, "release", uids[2], names[i].two ? uids[3] : NULL);
	if (!g_str_has_prefix(later, "error: ") ||
		strstr(later, "another decision has this name") == NULL)
		g_error("%s: %s", names[i].name, later);
	/* Who looked at the first agrees to the first. */
	g_autofree char *want = g_strdup_printf("%u done", names[i].waiting);
	g_autofree char *got = agreed(desk, name, "bert");
	g_assert_cmpstr(got, ==, want);
	for (gsize k = 0; k < 4; k++) {
		g_autofree char *states = world_states(w, uids[k]);
		g_assert_cmpstr(states, ==, k < names[i].waiting ? "released" : "held");
		if (k > 0)
			g_free(uids[k]);
	}
	ms_desk_free(desk);
	world_free(w);
}

/* The same request is answered as before; another one with its name is none of the kind. */
static void test_repeated(void)
{
	static const struct {
		const char *who, *verb;
		int first, second; /* which messages; -1: none */
		bool repeated;
	} rows[] = {
		{"anna", "release", 0, -1, true},
		{"Anna", "release", 0, -1, true},
		{"carl", "release", 0, -1, false},
		{"anna", "release", 1, -1, false},
		{"anna", "delete", 0, -1, false},
		{"anna", "note", 1, -1, false},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		World *w = world_new("", "");
		MsDesk *desk = world_desk(w);
		g_autofree char *one = world_hold(w, &(WorldHold){.to = of_one, .n = 1});
		g_autofree char *two = world_hold(w, &(WorldHold){.to = of_one, .n = 1});
		const char *uids[] = {one, two};
		g_autofree char *first = ask_named(desk, "anna", "ticket", "release", one, NULL);
		g_assert_cmpstr(first, ==, "done");
		g_autofree char *again = ask_named(
			desk, rows[i].who, "ticket", rows[i].verb, uids[rows[i].first], NULL);
		g_autofree char *states = world_states(w, two);
		g_assert_cmpstr(states, ==, "held");
		g_assert_cmpint(g_str_has_prefix(again, "error: "), ==, !rows[i].repeated);
		ms_desk_free(desk);
		world_free(w);
	}
}

/* ---- the same message twice ----------------------------------------------------------- */

/* By two of its names, too: what the MTA did with the first is not tried once more by the
 * second. */
static void test_twice(void)
{
	static const struct {
		const char *verb, *to;
		guint others;
		bool by_queue_id;
		StubFault fault;
		const char *said, *states;
	} rows[] = {
		{"release", "b@beta.example", 0, false, STUB_N_FAULTS, "done: taken",
			"held released held"},
		{"release", "b@beta.example", 0, true, STUB_N_FAULTS, "done: taken",
			"held released held"},
		{"release", "b@beta.example", 0, true, STUB_SPEND_DROP,
			"failed: the MTA had it as ", "held held held"},
		{"release", "a@alpha.example", 0, true, STUB_TAKE_DROP, "done: taken",
			"released held held"},
		{"release", "", 1, true, STUB_N_FAULTS, "done: ", "released released released"},
		{"return", "", 0, true, STUB_N_FAULTS, "done: ", "returned returned returned"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		World *w = world_new("", "");
		MsDesk *desk = world_desk(w);
		g_autofree char *uid = world_hold(w, &(WorldHold){0});
		g_autoptr(MsRecord) r = world_record(w, uid);
		g_autofree char *both = g_strdup_printf(
			"%s %s", uid, rows[i].by_queue_id ? r->queue_id : uid);
		if (rows[i].fault != STUB_N_FAULTS)
			stub_next(w->stub, AT_END, rows[i].fault);
		g_autofree char *said = world_said(desk,
			&(WorldAsk){
				rows[i].verb, both, .to = rows[i].to, .others = rows[i].others});
		g_autofree char *states = world_states(w, uid);
		if (!g_str_has_prefix(said, rows[i].said) || strstr(said, "; done") != NULL ||
			strstr(said, "; failed") != NULL || strcmp(states, rows[i].states) != 0)
			g_error("row %zu: %s, %s", i, said, states);
		ms_desk_free(desk);
		world_free(w);
	}
}

/* ---- judged again between decision and deed ------------------------------------------- */

/* Nothing said that it is another's when it was decided; now it is said, and nobody was asked. */
static const struct {
	const char *name, *desk, *to;
	MsOutcome before;
	bool later; /* approved and not begun; else it waits for a second person */
	bool goes;
} judged[] = {
	{"right, waits", " two-person-above = 0\n", "", MS_OUTCOME_RIGHT, false, false},
	{"unknown, waits", " two-person-above = 0\n", "", MS_OUTCOME_UNKNOWN_RECIPIENT, false,
		false},
	{"unproven, waits", " two-person-above = 0\n", "", MS_OUTCOME_UNPROVEN, false, false},
	{"unread, approved", "", "", MS_OUTCOME_UNREAD, true, false},
	{"right, approved", "", "", MS_OUTCOME_RIGHT, true, false},
	{"unknown, approved", "", "", MS_OUTCOME_UNKNOWN_RECIPIENT, true, false},
	/* somebody said already that it is another's: there is nothing new */
	{"wrong, approved", "", "", MS_OUTCOME_WRONG, true, true},
};

static void test_judged(gconstpointer data)
{
	gsize i = (gsize)GPOINTER_TO_UINT(data);
	World *w = world_new("", judged[i].desk);
	MsDesk *desk = world_desk(w);
	g_autoptr(GError) error = NULL;
	WorldRecipient to = {"a@alpha.example", judged[i].before, "AC-1"};
	/* it is AC-2's */
	g_autofree char *uid = world_hold(
		w, &(WorldHold){.to = &to, .n = 1, .body = "customer number: C-10002"});
	g_autoptr(GPtrArray) uids = g_ptr_array_new();
	g_ptr_array_add(uids, uid);
	MsAsk ask = {.verb = MS_VERB_RELEASE,
		.uids = uids,
		.who = "anna",
		.why = "test",
		.later = judged[i].later};
	g_autoptr(GPtrArray) taken = ms_desk_decide(desk, &ask, &error);
	g_assert_no_error(error);
	g_autofree char *said = world_said(desk, &(WorldAsk){"rejudge", uid, .who = "carl"});
	g_assert_cmpstr(said, ==, "done: 0 of 1 recipient may have it");
	g_autofree char *id = g_strdup(((MsDecision *)taken->pdata[0])->id);
	/* Who had it in hand before goes no step further, and does not say how it ended. */
	if (judged[i].later && !judged[i].goes) {
		MsDecision *in_hand = taken->pdata[0];
		g_assert_false(ms_decisions_step(w->ledger, in_hand, "release", NULL, -1, &error));
		g_assert_error(error, MS_ERROR, MS_ERROR_ABSENT);
		g_clear_error(&error);
		g_assert_true(ms_decisions_finish(
			w->ledger, in_hand, false, "no", NULL, MS_STATE_HELD, &error));
	}
	g_autofree G_GNUC_UNUSED char *second = judged[i].later ? NULL : agreed(desk, id, "bert");
	ms_desk_work(desk, 0);
	g_autofree char *states = world_states(w, uid), *log = world_log(w);
	g_assert_cmpstr(states, ==, judged[i].goes ? "released" : "held");
	g_assert_cmpint(*log != '\0', ==, judged[i].goes);
	g_assert_cmpuint(arrived(w), ==, 0);
	if (!judged[i].goes) {
		g_autoptr(MsDecision) d = ms_decisions_find(w->ledger, id, &error);
		g_assert_cmpint(d->state, ==, MS_DECISION_FAILED);
		g_assert_nonnull(
			strstr(d->outcome, "judged again since: a@alpha.example may not have it"));
		/* decided anew, knowing it */
		g_autofree char *anew = world_said(
			desk, &(WorldAsk){"release", uid, .to = "a@alpha.example"});
		g_assert_true(g_str_has_prefix(anew, judged[i].later ? "done" : "waiting"));
	}
	ms_desk_free(desk);
	world_free(w);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_strdup_printf("/insider/name/%s", names[i].name);
		g_test_add_data_func(path, GUINT_TO_POINTER((guint)i), test_name);
	}
	g_test_add_func("/insider/repeated", test_repeated);
	g_test_add_func("/insider/twice", test_twice);
	for (gsize i = 0; i < G_N_ELEMENTS(judged); i++) {
		g_autofree char *path = g_strdup_printf("/insider/judged/%s", judged[i].name);
		g_test_add_data_func(path, GUINT_TO_POINTER((guint)i), test_judged);
	}
	return g_test_run();
}
