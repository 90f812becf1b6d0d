/* Records and the MTA's queue, set against each other: what the queue no longer has, has again, or
 * has under another name, and what it has without a record. */
#include "config.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/clock.h"
#include "missent/spool.h"

#include "../test.h"
#include "../trail.h"
#include "world.h"

#define SECOND ((gint64)G_USEC_PER_SEC)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

/* The whole time of a test is taken back at its end. */
static gint64 shifted;
static void later(gint64 by)
{
	ms_clock_shift(by, by);
	shifted += by;
}

static void end(World *w, MsDesk *desk)
{
	ms_desk_free(desk);
	world_free(w);
	ms_clock_shift(-shifted, -shifted);
	shifted = 0;
}

static char *queue_path(World *w, const char *id, const char *what)
{
	return g_strdup_printf("%s/%s.%s", w->queue, id, what);
}

static char *id_of(World *w, const char *uid)
{
	g_autoptr(MsRecord) r = world_record(w, uid);
	return g_strdup(r->queue_id);
}

/* "" takes it out of the queue; "deferred" lets it go; "hold" puts it back. */
static void put_in(World *w, const char *uid, const char *queue)
{
	g_autoptr(MsRecord) r = world_record(w, uid);
	g_autofree char *path = queue_path(w, r->queue_id, "queue");
	g_autoptr(GString) text = g_string_new(NULL);
	g_string_printf(
		text, "%s\n%s\n%" G_GINT64_FORMAT "\n", queue, r->sender, r->arrived / SECOND);
	for (guint i = 0; i < r->recipients->len; i++)
		g_string_append_printf(
			text, "%s ", ((MsHeldRecipient *)r->recipients->pdata[i])->address);
	if (*queue == '\0')
		g_assert_cmpint(g_unlink(path), ==, 0);
	else
		g_assert_true(g_file_set_contents(path, text->str, -1, NULL));
}

static void rename_in_queue(World *w, const char *from, const char *to)
{
	static const char *const what[] = {"queue", "mail"};
	for (gsize i = 0; i < G_N_ELEMENTS(what); i++) {
		g_autofree char *old = queue_path(w, from, what[i]);
		g_autofree char *fresh = queue_path(w, to, what[i]);
		g_assert_cmpint(g_rename(old, fresh), ==, 0);
	}
}

static char *trail_of(World *w)
{
	g_autofree char *path = g_build_filename(w->state, "audit.jsonl", NULL);
	return trail_text(path);
}

static guint told(World *w, const char *event)
{
	g_autofree char *text = trail_of(w);
	g_autofree char *word = g_strdup_printf("\"%s\"", event);
	guint n = 0;
	for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
		n++;
	return n;
}

/* ---- gone -------------------------------------------------------------------------------- */

typedef struct {
	gint64 by;         /* what goes by before this look */
	const char *queue; /* where its mail is then; NULL: as before */
	const char *order; /* of the queue's helper; NULL: none */
	const char *want;  /* the record's state after it */
} Step;

typedef struct {
	const char *name;
	const char *desk;
	Step steps[7];
	guint gone, found; /* lines of the trail */
} Row;

static const Row rows[] = {
	{"there", "", {{0, NULL, NULL, "held"}, {2 * HOUR, NULL, NULL, "held"}}, 0, 0},
	{"refused after all", "",
		{{0, "", NULL, "held"}, {20 * MINUTE, NULL, NULL, "held"},
			{39 * MINUTE, NULL, NULL, "held"}, {16 * MINUTE, NULL, NULL, "gone"},
			{HOUR, NULL, NULL, "gone"}},
		1, 0},
	/* only at the second look is it missing for longer than no time */
	{"not yet visible", "",
		{{0, "", NULL, "held"}, {30 * MINUTE, "hold", NULL, "held"},
			{2 * HOUR, "", NULL, "held"}, {50 * MINUTE, NULL, NULL, "held"}},
		0, 0},
	{"asleep for days", "", {{0, NULL, NULL, "held"}, {72 * HOUR, "", NULL, "held"}}, 0, 0},
	{"let go by hand", "", {{0, "deferred", NULL, "held"}, {61 * MINUTE, NULL, NULL, "gone"}},
		1, 0},
	{"comes in", "",
		{{0, "incoming", NULL, "held"}, {59 * MINUTE, NULL, NULL, "held"},
			{20 * MINUTE, "hold", NULL, "held"}},
		0, 0},
	{"back again", "",
		{{0, "", NULL, "held"}, {61 * MINUTE, NULL, NULL, "gone"},
			{61 * MINUTE, "hold", NULL, "held"}},
		1, 1},
	{"the queue cannot be asked", "",
		{{0, "", "fail always", "held"}, {61 * MINUTE, NULL, NULL, "held"},
			{61 * MINUTE, NULL, NULL, "held"}},
		0, 0},
	{"... once", "",
		{{0, "", NULL, "held"}, {61 * MINUTE, NULL, "fail", "held"},
			{2 * MINUTE, NULL, NULL, "gone"}},
		1, 0},
	{"its list cannot be read", "",
		{{0, "", "garbage always", "held"}, {61 * MINUTE, NULL, NULL, "held"},
			{61 * MINUTE, NULL, NULL, "held"}},
		0, 0},
	{"never", " lost-after = 0s\n", {{0, "", NULL, "held"}, {61 * MINUTE, NULL, NULL, "held"}},
		0, 0},
	{"sooner", " lost-after = 10m\n",
		{{0, "", NULL, "held"}, {11 * MINUTE, NULL, NULL, "gone"}}, 1, 0},
};

static void test_gone(gconstpointer data)
{
	const Row *row = data;
	World *w = world_new("", row->desk);
	g_autofree char *uid = world_hold(w, &(WorldHold){0});
	MsDesk *desk = world_desk(w);
	for (gsize i = 0; i < G_N_ELEMENTS(row->steps) && row->steps[i].want != NULL; i++) {
		const Step *step = &row->steps[i];
		later(step->by);
		if (step->queue != NULL)
			put_in(w, uid, step->queue);
		if (step->order != NULL)
			world_orders(w, "list", step->order);
		ms_desk_tick(desk);
		g_autoptr(MsRecord) r = world_record(w, uid);
		g_autofree char *states = world_states(w, uid);
		g_test_message("step %zu: %s", i, states);
		g_assert_cmpstr(ms_state_names[r->state], ==, step->want);
		g_assert_true(g_str_has_prefix(states, step->want));
	}
	g_assert_cmpuint(told(w, "gone"), ==, row->gone);
	g_assert_cmpuint(told(w, "found"), ==, row->found);
	end(w, desk);
}

/* Nothing is decided of it any more, and what waited has an end; it does not expire; where it is
 * back, what is decided is carried out. */
static void test_decisions(void)
{
	World *w = world_new("",
		" two-person-above = 0\n expire-after = 2h\n expire-warning = 1s\n"
		" notice-to = {\"desk@seller.example\"}\n");
	g_autofree char *uid = world_hold(w, &(WorldHold){0});
	MsDesk *desk = world_desk(w);
	g_autofree char *waits = world_said(
		desk, &(WorldAsk){.verb = "release", .uids = uid, .who = "anna", .others = 1});
	g_assert_true(g_str_has_prefix(waits, "waiting"));
	put_in(w, uid, "");
	ms_desk_tick(desk);
	later(61 * MINUTE);
	ms_desk_tick(desk);
	g_autoptr(MsRecord) gone = world_record(w, uid);
	g_assert_cmpint(gone->state, ==, MS_STATE_GONE);
	g_assert_cmpuint(gone->decisions->len, ==, 1);
	g_assert_cmpint(((MsDecision *)gone->decisions->pdata[0])->state, ==, MS_DECISION_FAILED);
	g_autofree char *again = world_said(
		desk, &(WorldAsk){.verb = "delete", .uids = uid, .who = "anna"});
	g_assert_nonnull(strstr(again, "is gone already"));
	for (int i = 0; i < 3; i++) {
		later(3 * HOUR);
		ms_desk_tick(desk);
	}
	g_autoptr(MsRecord) still = world_record(w, uid);
	g_assert_cmpuint(still->decisions->len, ==, 1);
	put_in(w, uid, "hold");
	later(HOUR);
	ms_desk_tick(desk);
	g_autofree char *states = world_states(w, uid);
	g_assert_cmpstr(states, ==, "held held held");
	end(w, desk);
}

/* ---- gone, and in the spool -------------------------------------------------------------- */

/* A ledger of before a message was moved there knows it as one of the queue's. */
static const struct {
	const char *name;
	bool begun;       /* the copy was begun, and somebody let it go from the queue */
	const char *text; /* of the copy; NULL: its own; "": there is none */
	MsState state;
	bool spooled, aside;
	guint found, set_aside; /* lines of the trail */
} copies[] = {
	{"its copy", false, NULL, MS_STATE_HELD, true, false, 1, 0},
	{"none", false, "", MS_STATE_GONE, false, false, 0, 0},
	{"of another", false, "Subject: x\n\nother\n", MS_STATE_GONE, false, true, 0, 1},
	{"one that does not count", true, NULL, MS_STATE_GONE, false, true, 0, 1},
};

static bool is_aside(const World *w, const char *uid)
{
	g_autofree char *path = g_strdup_printf("%s/" MS_SPOOL_ASIDE "/%s.eml", w->spool, uid);
	return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void put_copy(World *w, const char *uid, const char *text)
{
	g_autofree char *id = id_of(w, uid), *path = queue_path(w, id, "mail"), *own = NULL;
	g_autofree char *name = g_strdup_printf("state/spool/%s.eml", uid);
	g_assert_true(g_file_get_contents(path, &own, NULL, NULL));
	if (text == NULL || *text != '\0')
		world_file(w, name, text != NULL ? text : own);
}

static void test_copy(gconstpointer data)
{
	gsize i = GPOINTER_TO_SIZE(data);
	World *w = world_new("", "");
	g_autofree char *uid = world_hold(w, &(WorldHold){0});
	WorldAsk ask = {"release", .uids = uid, .to = "b@beta.example"};
	if (copies[i].begun)
		g_assert_true(world_killed(w, "copied", 1, world_ask, &ask));
	else
		put_copy(w, uid, copies[i].text);
	MsDesk *desk = world_desk(w);
	put_in(w, uid, "");
	ms_desk_work(desk, 0);
	ms_desk_tick(desk);
	for (int k = 0; k < 3; k++) {
		later(61 * MINUTE);
		ms_desk_tick(desk);
	}
	g_autoptr(MsRecord) r = world_record(w, uid);
	g_assert_cmpint(r->state, ==, copies[i].state);
	g_assert_cmpint(world_is_spooled(w, uid), ==, copies[i].spooled);
	g_assert_cmpint(is_aside(w, uid), ==, copies[i].aside);
	g_assert_cmpuint(told(w, "gone"), ==, 1);
	g_assert_cmpuint(told(w, "found"), ==, copies[i].found);
	g_assert_cmpuint(told(w, "set aside"), ==, copies[i].set_aside);
	g_autofree char *said = world_said(desk, &ask);
	g_assert_cmpint(g_str_has_prefix(said, "done: taken"), ==, copies[i].spooled);
	g_assert_cmpint(world_is_spooled(w, uid), ==, copies[i].spooled);
	end(w, desk);
}

/* ---- under another name ------------------------------------------------------------------ */

/* With the digest of its header, as the milter writes it. */
static char *hold(World *w, MsDesk *desk, const WorldHold *what)
{
	g_autofree char *plain = world_hold(w, what);
	g_autoptr(MsRecord) record = world_record(w, plain);
	g_autoptr(GError) error = NULL;
	g_assert_true(ms_records_take_back(w->ledger, record, &error));
	char *uid = ms_desk_adopt(desk, record->queue_id, "test", &error);
	g_assert_no_error(error);
	return uid;
}

static const WorldRecipient alone[] = {{"a@alpha.example", MS_OUTCOME_UNPROVEN, ""}};

/* By the look, or by who decides first. */
static void test_renamed(gconstpointer data)
{
	bool decides = GPOINTER_TO_INT(data) != 0;
	World *w = world_new("", "");
	MsDesk *desk = world_desk(w);
	g_autofree char *uid = hold(w, desk, &(WorldHold){.to = alone, .n = 1, .body = "one"});
	g_autofree char *other = hold(w, desk, &(WorldHold){.to = alone, .n = 1, .body = "two"});
	g_autofree char *was = id_of(w, uid), *theirs = id_of(w, other);
	rename_in_queue(w, was, "4bXyZ1abcdz");
	if (!decides)
		ms_desk_tick(desk);
	g_autofree char *said = world_said(
		desk, &(WorldAsk){.verb = "release", .uids = uid, .who = "anna"});
	g_assert_cmpstr(said, ==, "done: ");
	g_autofree char *id = id_of(w, uid), *still = id_of(w, other), *log = world_log(w);
	g_assert_cmpstr(id, ==, "4bXyZ1abcdz");
	g_assert_cmpstr(still, ==, theirs);
	g_assert_cmpstr(log, ==, "release 4bXyZ1abcdz,");
	g_assert_cmpuint(told(w, "found"), ==, 1);
	g_assert_cmpuint(told(w, "unrecorded"), ==, 0);
	end(w, desk);
}

/* Many at once, as where long queue IDs are switched, and all with one body. */
static void test_renamed_many(void)
{
	World *w = world_new("", "");
	MsDesk *desk = world_desk(w);
	char *uids[20], *fresh[20];
	for (guint i = 0; i < G_N_ELEMENTS(uids); i++) {
		uids[i] = hold(w, desk, &(WorldHold){.to = alone, .n = 1, .body = "the same"});
		fresh[i] = g_strdup_printf("4bXyZ1abc%02uz", i);
		g_autofree char *was = id_of(w, uids[i]);
		rename_in_queue(w, was, fresh[i]);
	}
	ms_desk_tick(desk);
	for (guint i = 0; i < G_N_ELEMENTS(uids); i++) {
		g_autofree char *id = id_of(w, uids[i]);
		g_assert_cmpstr(id, ==, fresh[i]);
		g_free(uids[i]);
		g_free(fresh[i]);
	}
	g_assert_cmpuint(told(w, "found"), ==, G_N_ELEMENTS(uids));
	g_assert_cmpuint(told(w, "unrecorded"), ==, 0);
	end(w, desk);
}

/* What is like it, and is not it, is never taken for it: its recipients would get another's. */
static void test_not_renamed(gconstpointer data)
{
	static const WorldRecipient others[] = {{"o@other.example", MS_OUTCOME_UNPROVEN, ""}};
	const char *what = data;
	World *w = world_new("", "");
	MsDesk *desk = world_desk(w);
	g_autofree char *uid = hold(w, desk, &(WorldHold){.to = alone, .n = 1, .body = "the same"});
	put_in(w, uid, "");
	g_autofree char *like = world_hold(w,
		&(WorldHold){.body = *what == 'b' ? "another" : "the same",
			.to = *what == 'r' ? others : alone,
			.n = 1,
			.age_us = *what == 't' ? 3 * HOUR : 0});
	g_autoptr(MsRecord) record = world_record(w, like);
	g_assert_true(ms_records_take_back(w->ledger, record, NULL));
	ms_desk_tick(desk);
	g_autofree char *said = world_said(
		desk, &(WorldAsk){.verb = "release", .uids = uid, .who = "anna"});
	g_assert_nonnull(strstr(said, "not in the hold queue"));
	g_assert_cmpuint(told(w, "found"), ==, 0);
	g_assert_cmpuint(told(w, "unrecorded"), ==, 1);
	later(61 * MINUTE);
	ms_desk_tick(desk);
	g_autoptr(MsRecord) after = world_record(w, uid);
	g_assert_cmpint(after->state, ==, MS_STATE_GONE);
	g_assert_cmpuint(told(w, "unrecorded"), ==, 1);
	end(w, desk);
}

/* ---- as several ------------------------------------------------------------------------- */

/* Sendmail's for some of its recipients each, with one body: `queued` is one more of them. */
static void put_part(World *w, const MsRecord *r, const char *id, const char *queue, const char *to)
{
	g_autofree char *own = queue_path(w, r->queue_id, "mail"), *mail = queue_path(w, id, "mail"),
			*path = queue_path(w, id, "queue");
	g_autofree char *text = g_strdup_printf("%s\n%s\n%" G_GINT64_FORMAT "\n%s\n", queue, r->sender,
		r->arrived / SECOND, to);
	if (strcmp(id, r->queue_id) != 0)
		g_assert_no_errno(link(own, mail));
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void drop_part(World *w, const char *id)
{
	g_autofree char *mail = queue_path(w, id, "mail"), *path = queue_path(w, id, "queue");
	g_assert_no_errno(unlink(mail));
	g_assert_no_errno(unlink(path));
}

/* The IDs are counted round, so that of the record is the first of them, the last or between. */
static const struct {
	const char *name, *others[2];
	bool recorded;     /* else it is adopted */
	const char *queue; /* where the part that has the record's ID is */
	const char *third; /* whom the last part is for */
	const char *states; /* once it was deleted; NULL: it has no record any more */
} splits[] = {
	{"first", {"Q0000002", "Q0000003"}, true, "hold", "n@nobody.example",
		"deleted deleted deleted"},
	{"between", {"Q0000000", "Q0000002"}, true, "hold", "n@nobody.example",
		"deleted deleted deleted"},
	{"last", {"Q00000--", "Q0000000"}, true, "hold", "n@nobody.example",
		"deleted deleted deleted"},
	{"no record", {"Q0000000", "Q0000002"}, false, "hold", "n@nobody.example", NULL},
	{"let go", {"Q0000000", "Q0000002"}, true, "deferred", "n@nobody.example",
		"gone deleted deleted"},
	{"let go, of another message", {"Q0000000", "Q0000002"}, true, "deferred",
		"x@nobody.example", NULL},
};

static void test_parts(gconstpointer data)
{
	const typeof(splits[0]) *row = data;
	World *w = world_new("mta = sendmail", "");
	MsDesk *desk = world_desk(w);
	g_autofree char *uid = hold(w, desk, &(WorldHold){0});
	g_autoptr(MsRecord) record = world_record(w, uid);
	g_autoptr(GError) error = NULL;
	put_part(w, record, record->queue_id, row->queue, "a@alpha.example");
	put_part(w, record, row->others[0], "hold", "b@beta.example");
	put_part(w, record, row->others[1], "hold", row->third);
	if (!row->recorded)
		g_assert_true(ms_records_take_back(w->ledger, record, NULL));
	ms_desk_tick(desk);
	later(61 * MINUTE);
	ms_desk_tick(desk);
	bool moved = row->states != NULL && strcmp(row->queue, "hold") != 0;
	g_autoptr(GPtrArray) list = ms_desk_unrecorded(desk, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(list->len, ==, row->states == NULL);
	g_assert_cmpuint(told(w, "unrecorded"), ==, list->len);
	g_assert_cmpuint(told(w, "gone"), ==, row->recorded && row->states == NULL);
	g_assert_cmpuint(told(w, "found"), ==, moved);
	if (list->len > 0) {
		const MsQueued *queued = list->pdata[0];
		g_assert_cmpstr(queued->queue_id, ==, row->others[0]);
		g_assert_cmpuint(queued->recipients->len, ==, row->recorded ? 2 : 3);
	}
	g_autofree char *said = world_said(
		desk, &(WorldAsk){.verb = "delete", .uids = uid, .who = "anna"});
	if (row->states != NULL) {
		g_autofree char *states = world_states(w, uid);
		g_assert_cmpstr(said, ==, "done: ");
		g_assert_cmpstr(states, ==, row->states);
	}
	end(w, desk);
}

/* A part that somebody let go is not decided on: whoever it was for is told as gone, and no line
 * says of him what was decided for the others.  Where the MTA has another address than the record
 * (an alias), it is not known for whom a part was. */
static const struct {
	const char *name, *verb, *to, *part_to, *queue; /* queue NULL: the part is delivered */
	const char *said, *states;
	guint ended;
	bool twice; /* the first of them, in capitals, in place of the last */
	bool own;   /* the part has the record's ID */
} let_go[] = {
	{"delete", "delete", "", "b@beta.example", NULL, "done: ", "deleted gone deleted", 2},
	{"delete, on its way", "delete", "", "B@Beta.example", "active", "done: ",
		"deleted gone deleted", 2},
	{"return", "return", "", "b@beta.example", NULL, "done: taken", "returned gone returned", 2},
	{"release", "release", "a@alpha.example n@nobody.example", "b@beta.example", NULL,
		"done: ", "released gone released", 2},
	{"release to one", "release", "a@alpha.example", "b@beta.example", NULL, "done: taken",
		"released gone held", 1},
	{"release to him", "release", "b@beta.example", "b@beta.example", NULL,
		"failed: Q0000001: is not held any more", "held gone held", 0},
	{"delete, of the record's ID", "delete", "", "b@beta.example", NULL, "done: ",
		"deleted gone deleted", 2, .own = true},
	{"delete, of the record's ID, on its way", "delete", "", "b@beta.example", "active",
		"done: ", "deleted gone deleted", 2, .own = true},
	{"return, of the record's ID", "return", "", "b@beta.example", NULL, "done: taken",
		"returned gone returned", 2, .own = true},
	{"release, of the record's ID", "release", "a@alpha.example n@nobody.example",
		"b@beta.example", NULL, "done: ", "released gone released", 2, .own = true},
	{"release to him, of the record's ID", "release", "b@beta.example", "b@beta.example", NULL,
		"failed: Q0000002: is not held any more", "held gone held", 0, .own = true},
	{"none", "delete", "", "b@beta.example", "hold", "done: ", "deleted deleted deleted", 3},
	{"an alias", "delete", "", "x@beta.example", "hold", "done: ", "deleted deleted deleted", 3},
	{"none, one of them twice", "delete", "", "b@beta.example", "hold", "done: ",
		"deleted deleted deleted", 3, true},
	{"note", "note", "", "b@beta.example", NULL, "done: ", "held held held", 3},
};

/* For how many the only decision that was carried out says so. */
static guint ended_for(World *w)
{
	g_autofree char *text = trail_of(w);
	const char *done = strstr(text, "\"detail\":\"done\"");
	const char *list = done != NULL ? strstr(done, "\"to\":[") : NULL;
	g_autofree char *ids = list != NULL ? g_strndup(list, strcspn(list, "]")) : g_strdup("");
	g_auto(GStrv) words = g_strsplit(ids, "\",\"", -1);
	return list != NULL ? g_strv_length(words) : 0;
}

static void test_let_go(gconstpointer data)
{
	const typeof(let_go[0]) *row = data;
	static const WorldRecipient twice[] = {{"a@alpha.example", MS_OUTCOME_RIGHT, "AC-1"},
		{"b@beta.example", MS_OUTCOME_WRONG, "AC-2"},
		{"A@ALPHA.example", MS_OUTCOME_RIGHT, "AC-1"}};
	World *w = world_new("mta = sendmail", "");
	MsDesk *desk = world_desk(w);
	g_autofree char *uid =
		hold(w, desk, &(WorldHold){.to = row->twice ? twice : world_to, .n = 3});
	g_autoptr(MsRecord) record = world_record(w, uid);
	put_part(w, record, row->own ? "Q0000003" : record->queue_id, "hold", "a@alpha.example");
	put_part(w, record, "Q0000002", "hold", row->twice ? "" : "n@nobody.example");
	if (row->queue != NULL)
		put_part(w, record, row->own ? record->queue_id : "Q0000003", row->queue,
			row->part_to);
	else if (row->own)
		drop_part(w, record->queue_id);
	g_autofree char *said = world_said(
		desk, &(WorldAsk){row->verb, uid, .to = row->to, .who = "anna"});
	g_autofree char *states = world_states(w, uid);
	if (!g_str_has_prefix(said, row->said) ||
		(g_str_has_suffix(row->said, " ") && strcmp(said, row->said) != 0))
		g_error("got \"%s\", want \"%s\"", said, row->said);
	g_assert_cmpstr(states, ==, row->states);
	g_assert_cmpuint(told(w, "gone"), ==, strstr(states, "gone") != NULL);
	g_assert_cmpuint(ended_for(w), ==, row->ended);
	end(w, desk);
}

/* ---- without a record -------------------------------------------------------------------- */

/* It is listed, gets a record that is judged as it would be now, and is decided as any other. */
static void test_adopt(void)
{
	World *w = world_new("", "");
	world_mapping(w,
		"AC-1,recipient,a@alpha.example\nAC-1,customer-number,C-10001\n"
		"AC-2,recipient,@beta.example\nAC-2,customer-number,C-10002\n");
	g_autofree char *lost = world_hold(
		w, &(WorldHold){.body = "Your customer number: C-10001"});
	g_autofree char *held G_GNUC_UNUSED = world_hold(w, &(WorldHold){0});
	g_autoptr(MsRecord) record = world_record(w, lost);
	g_assert_true(ms_records_take_back(w->ledger, record, NULL));
	MsDesk *desk = world_desk(w);
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) list = ms_desk_unrecorded(desk, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(list->len, ==, 1);
	g_assert_cmpstr(((MsQueued *)list->pdata[0])->queue_id, ==, record->queue_id);
	g_autofree char *uid = ms_desk_adopt(desk, record->queue_id, "anna", &error);
	g_assert_no_error(error);
	g_autoptr(MsRecord) made = world_record(w, uid);
	g_assert_cmpint(made->state, ==, MS_STATE_HELD);
	g_assert_cmpstr(made->digest, ==, record->digest);
	g_assert_cmpstr(made->sender, ==, WORLD_SENDER);
	g_assert_cmpuint(made->recipients->len, ==, 3);
	g_assert_cmpint(
		((MsHeldRecipient *)made->recipients->pdata[0])->outcome, ==, MS_OUTCOME_RIGHT);
	g_assert_cmpint(
		((MsHeldRecipient *)made->recipients->pdata[1])->outcome, ==, MS_OUTCOME_WRONG);
	g_assert_cmpuint(told(w, "adopt"), ==, 1);
	g_assert_null(ms_desk_adopt(desk, record->queue_id, "anna", &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
	g_autofree char *said = world_said(
		desk, &(WorldAsk){.verb = "delete", .uids = uid, .who = "anna"});
	g_assert_cmpstr(said, ==, "done: ");
	end(w, desk);
}

/* What is on hold though its record is over is in no other list: the queue's copy stayed, or
 * somebody put on hold what had been let go.  What a record still has is never listed. */
static const struct {
	const char *name;
	WorldHold hold;
	const char *undone; /* a decision that was begun; NULL: none */
	bool mirrored; /* it is another host's record that has its queue ID */
	bool listed;
} overs[] = {
	{"held", {0}, NULL, false, false},
	{"spooled, held", {.split = true}, NULL, false, false},
	{"returned", {.state = MS_STATE_RETURNED}, NULL, false, true},
	{"deleted", {.state = MS_STATE_DELETED}, NULL, false, true},
	{"released", {.state = MS_STATE_RELEASED}, NULL, false, true},
	{"observed", {.state = MS_STATE_OBSERVED}, NULL, false, true},
	{"a split's that is over", {.split = true, .state = MS_STATE_DELETED}, NULL, false, true},
	{"being released", {0}, "release", false, false},
	{"held on another host", {.host = "mx2.test"}, NULL, true, true},
};

static void test_over(gconstpointer data)
{
	const typeof(overs[0]) *row = data;
	World *w = world_new("", "");
	g_autoptr(GError) error = NULL;
	g_autofree char *old = world_hold(w, &row->hold);
	g_autoptr(MsRecord) record = world_record(w, old);
	WorldAsk ask = {row->undone, old, .others = 1};
	if (row->undone != NULL)
		g_assert_true(world_killed(w, row->undone, 1, world_ask, &ask));
	if (row->mirrored) {
		record->changed += 100;
		g_assert_true(ms_records_mirror(w->ledger, record, &error));
	}
	MsDesk *desk = world_desk(w);
	for (int i = 0; i < 2; i++) {
		g_autoptr(GPtrArray) list = ms_desk_unrecorded(desk, &error);
		g_assert_no_error(error);
		g_assert_cmpuint(list->len, ==, row->listed);
		g_assert_cmpuint(told(w, "unrecorded"), ==, i == 1 && row->listed);
		if (row->undone == NULL)
			ms_desk_tick(desk);
	}
	g_autofree char *uid = ms_desk_adopt(desk, record->queue_id, "anna", &error);
	g_assert_cmpint(uid != NULL, ==, row->listed);
	if (row->listed) {
		g_autoptr(GPtrArray) none = ms_desk_unrecorded(desk, &error);
		g_assert_cmpuint(none->len, ==, 0);
		g_autofree char *said = world_said(desk, &(WorldAsk){"delete", uid, .who = "anna"});
		g_autofree char *log = world_log(w);
		g_autofree char *want = g_strdup_printf("delete %s,", record->queue_id);
		g_assert_cmpstr(said, ==, "done: ");
		g_assert_cmpstr(log, ==, want);
		g_autoptr(MsRecord) still = world_record(w, old);
		g_assert_cmpint(still->state, ==, row->hold.state);
	}
	end(w, desk);
}

/* What was decided while the queue was asked was on hold then. */
static void test_over_meanwhile(void)
{
	World *w = world_new("", "");
	g_autoptr(GError) error = NULL;
	g_autofree char *uid = world_hold(w, &(WorldHold){0});
	g_autoptr(MsRecord) record = world_record(w, uid);
	gint64 before = 0, after = 0;
	bool claims = false;
	MsDesk *desk = world_desk(w);
	g_assert_true(ms_records_changes(w->ledger, &before, &error));
	g_autofree char *said = world_said(desk, &(WorldAsk){"delete", uid});
	g_assert_cmpstr(said, ==, "done: ");
	g_assert_true(ms_records_changes(w->ledger, &after, &error));
	const struct {
		gint64 changes, from;
		bool claims;
	} asks[] = {{before, 0, true}, {after, 0, false}, {-1, 0, true},
		{before, record->arrived + 1, false}};
	for (gsize i = 0; i < G_N_ELEMENTS(asks); i++) {
		g_assert_true(ms_records_claims(w->ledger, record->queue_id, asks[i].from,
			G_MAXINT64, asks[i].changes, &claims, &error));
		g_assert_cmpint(claims, ==, asks[i].claims);
	}
	g_assert_no_error(error);
	end(w, desk);
}

/* Judged or not, it is seen: nothing is proven of anybody then. */
static void test_adopt_unjudged(void)
{
	World *w = world_new("", "");
	g_autofree char *lost = world_hold(w, &(WorldHold){0});
	g_autoptr(MsRecord) record = world_record(w, lost);
	g_assert_true(ms_records_take_back(w->ledger, record, NULL));
	world_file(w, "policies/invoices.conf", "policy \"broken\" {\n");
	MsDesk *desk = world_desk(w);
	g_autoptr(GError) error = NULL;
	g_autofree char *uid = ms_desk_adopt(desk, record->queue_id, "anna", &error);
	g_assert_no_error(error);
	g_autoptr(MsRecord) made = world_record(w, uid);
	g_autoptr(GPtrArray) right = ms_record_rightful(made);
	g_assert_cmpint(made->state, ==, MS_STATE_HELD);
	g_assert_cmpuint(made->recipients->len, ==, 3);
	g_assert_cmpuint(right->len, ==, 0);
	end(w, desk);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strdup_printf("/missing/gone/%s", rows[i].name);
		g_test_add_data_func(path, &rows[i], test_gone);
	}
	g_test_add_func("/missing/gone/decisions", test_decisions);
	for (gsize i = 0; i < G_N_ELEMENTS(copies); i++) {
		g_autofree char *path = g_strdup_printf("/missing/spool/%s", copies[i].name);
		g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_copy);
	}
	g_test_add_data_func("/missing/renamed/look", GINT_TO_POINTER(0), test_renamed);
	g_test_add_data_func("/missing/renamed/decision", GINT_TO_POINTER(1), test_renamed);
	g_test_add_func("/missing/renamed/many", test_renamed_many);
	for (gsize i = 0; i < G_N_ELEMENTS(splits); i++) {
		g_autofree char *path = g_strdup_printf("/missing/parts/%s", splits[i].name);
		g_test_add_data_func(path, &splits[i], test_parts);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(let_go); i++) {
		g_autofree char *path = g_strdup_printf("/missing/let-go/%s", let_go[i].name);
		g_test_add_data_func(path, &let_go[i], test_let_go);
	}
	static const char *const likes[] = {"body", "recipients", "time", "header"};
	for (gsize i = 0; i < G_N_ELEMENTS(likes); i++) {
		g_autofree char *path = g_strdup_printf("/missing/renamed/another-%s", likes[i]);
		g_test_add_data_func(path, likes[i], test_not_renamed);
	}
	g_test_add_func("/missing/adopt", test_adopt);
	g_test_add_func("/missing/adopt/unjudged", test_adopt_unjudged);
	for (gsize i = 0; i < G_N_ELEMENTS(overs); i++) {
		g_autofree char *path = g_strdup_printf("/missing/over/%s", overs[i].name);
		g_test_add_data_func(path, &overs[i], test_over);
	}
	g_test_add_func("/missing/over/meanwhile", test_over_meanwhile);
	return g_test_run();
}
