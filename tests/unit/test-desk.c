/* The desk, with a queue and an SMTP server that can be told to go wrong (world.h): each verb, each
 * state, each point at which it may be killed.  Never lost, never twice, never to a wrong one. */
#include "config.h"

#include <locale.h>
#include <fcntl.h>
#include <jansson.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#include "missent/answer.h"
#include "missent/bodydigest.h"
#include "missent/decision.h"
#include "missent/digest.h"
#include "missent/spool.h"
#include "missent/token.h"

#include "../../milter/desk/desk_private.h"
#include "../test.h"
#include "../trail.h"
#include "world.h"

#define ALL "a@alpha.example b@beta.example n@nobody.example"
#define MINUTE (60 * (gint64)G_USEC_PER_SEC)
#define DAY (24 * 60 * MINUTE)

/* What came by SMTP: "a@alpha.example b@beta.example from billing@seller.example, ".  Nothing ever
 * comes that would be judged again. */
static char *arrived(World *w)
{
	g_autoptr(GPtrArray) got = stub_take(w->stub);
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < got->len; i++) {
		const Delivery *d = got->pdata[i];
		g_assert_true(d->unjudged);
		for (guint k = 0; k < d->recipients->len; k++)
			g_string_append_printf(out, "%s ", (char *)d->recipients->pdata[k]);
		g_string_append_printf(out, "from %s, ", d->sender);
	}
	return g_string_free(out, FALSE);
}

static void nothing_is_open(World *w)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) open = ms_decisions_list(w->ledger, -1, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(open->len, ==, 0);
}

#define CONTAINS(text, part)                                                                      \
	do {                                                                                      \
		if (strstr(text, part) == NULL)                                                   \
			g_error("%s:%d: got \"%s\", want \"...%s...\"", __FILE__, __LINE__, text, \
				part);                                                            \
	} while (0)

/* ---- verbs ---------------------------------------------------------------------------- */

static const WorldRecipient two_right[] = {{"a@alpha.example", MS_OUTCOME_RIGHT, "AC-1"},
	{"c@gamma.example", MS_OUTCOME_RIGHT, "AC-3"}};
static const WorldRecipient one_wrong[] = {{"b@beta.example", MS_OUTCOME_WRONG, "AC-2"}};
static const WorldRecipient none_right[] = {{"b@beta.example", MS_OUTCOME_WRONG, "AC-2"},
	{"u@beta.example", MS_OUTCOME_UNPROVEN, "AC-2"},
	{"r@beta.example", MS_OUTCOME_UNREAD, "AC-2"},
	{"n@nobody.example", MS_OUTCOME_UNKNOWN_RECIPIENT, ""}};

typedef struct {
	const char *name;
	WorldHold hold;
	WorldAsk ask;
	const char *settings;
	const char *said, *states, *log, *mail; /* log: with the queue ID for "*" */
	bool queued, spooled;                   /* afterwards */
} VerbRow;

static const VerbRow verb_rows[] = {
	{"release", {0}, {"release", .others = 1}, "", "done", "released released released",
		"release *,", "", false, false},
	{"release, old", {.age_us = 2 * DAY}, {"release", .others = 1}, "", "done",
		"released released released", "requeue *,", "", false, false},
	{"release, old, Sendmail", {.age_us = 2 * DAY}, {"release", .others = 1}, "mta = sendmail",
		"done: taken by the MTA as S", "released released released", "delete *,",
		ALL " from " WORLD_SENDER ", ", false, false},
	{"release, Sendmail", {0}, {"release", .others = 1}, "mta = sendmail", "done",
		"released released released", "release *,", "", false, false},
	{"release to one", {0}, {"release", .to = "b@beta.example"}, "",
		"done: taken by the MTA as S", "held released held", "delete *,",
		"b@beta.example from " WORLD_SENDER ", ", false, true},
	{"release to all, named", {0}, {"release", .to = ALL}, "", "done",
		"released released released", "release *,", "", false, false},
	{"release, of another's", {0}, {"release"}, "",
		"error: this would send what belongs to others to 1 recipient", "held held held",
		"", "", true, false},
	{"release, of more of another's", {0}, {"release", .others = 2}, "",
		"error: this would send", "held held held", "", "", true, false},
	{"release, of fewer of another's", {.to = one_wrong, .n = 1}, {"release", .others = 5}, "",
		"error: this would send what belongs to others to 1 recipient who may not have it, "
		"and --others 5",
		"held", "", "", true, false},
	{"release, of one of another's", {.to = one_wrong, .n = 1}, {"release", .others = 1}, "",
		"done", "released", "release *,", "", false, false},
	{"release, of none of another's", {.to = two_right, .n = 2}, {"release", .others = 1}, "",
		"error: this would send what belongs to others to 0 recipients", "held held", "",
		"", true, false},
	{"release to one, of another number", {0},
		{"release", .to = "b@beta.example", .others = 2}, "", "error: this would send",
		"held held held", "", "", true, false},
	{"release by right, of another number", {0}, {"release", .rightful = true, .others = 1}, "",
		"error: this would send", "held held held", "", "", true, false},
	{"release, of another number, with two persons", {0}, {"release", .others = 2},
		"desk { release-others = second-person }", "error: this would send", "held held held",
		"", "", true, false},
	{"release by right", {0}, {"release", .rightful = true}, "", "done: taken",
		"released held held", "delete *,", "a@alpha.example from " WORLD_SENDER ", ", false,
		true},
	{"release by right, all", {.to = two_right, .n = 2}, {"release", .rightful = true}, "",
		"done", "released released", "release *,", "", false, false},
	{"release by right, nobody", {.to = none_right, .n = 4}, {"release", .rightful = true}, "",
		"error: *: nobody for whom it is held has a right", "held held held held", "", "",
		true, false},
	{"release, spooled", {.spooled = true}, {"release", .others = 1}, "", "done: taken",
		"released released released", "", ALL " from " WORLD_SENDER ", ", false, false},
	{"release by right, spooled", {.spooled = true}, {"release", .rightful = true}, "",
		"done: taken", "released held held", "", "a@alpha.example from " WORLD_SENDER ", ",
		false, true},
	/* What has its queue ID went to those who may have it: it is nothing that is decided on. */
	{"release, split", {.split = true}, {"release", .others = 1}, "", "done: taken",
		"released released released", "", ALL " from " WORLD_SENDER ", ", true, false},
	{"release to one, split", {.split = true}, {"release", .to = "b@beta.example"}, "",
		"done: taken", "held released held", "", "b@beta.example from " WORLD_SENDER ", ",
		true, true},
	{"release by right, split", {.split = true}, {"release", .rightful = true}, "",
		"done: taken", "released held held", "", "a@alpha.example from " WORLD_SENDER ", ",
		true, true},
	{"release, split, old, Sendmail", {.split = true, .age_us = 2 * DAY},
		{"release", .others = 1}, "mta = sendmail", "done: taken",
		"released released released", "", ALL " from " WORLD_SENDER ", ", true, false},
	{"return, split", {.split = true}, {"return"}, "", "done: taken",
		"returned returned returned", "", WORLD_SENDER " from , ", true, false},
	{"delete, split", {.split = true}, {"delete"}, "", "done", "deleted deleted deleted", "",
		"", true, false},
	{"note, split", {.split = true}, {"note"}, "", "done", "held held held", "", "", true, true},
	/* It is the MTA's to let go, however many there are; what is not submitted is one act. */
	{"release, to more than a mail takes", {0}, {"release", .others = 1},
		"desk { submit-recipients = 2 }", "done", "released released released", "release *,",
		"", false, false},
	{"return, of more than a mail takes", {.spooled = true}, {"return"},
		"desk { submit-recipients = 2 }", "done: taken", "returned returned returned", "",
		WORLD_SENDER " from , ", false, false},
	/* That queue ID is another message's here. */
	{"release, of another host's", {.host = "mx9.example"}, {"release", .others = 1},
		"host = mx1.example", "error: *: is held on mx9.example, this is mx1.example",
		"held held held", "", "", true, false},
	{"delete, of another host's", {.host = "mx9.example"}, {"delete"}, "host = mx1.example",
		"error: *: is held on mx9.example, this is mx1.example", "held held held", "", "",
		true, false},
	{"release, of this host's", {.host = "mx1.example"}, {"release", .others = 1},
		"host = mx1.example", "done", "released released released", "release *,", "", false,
		false},
	{"return", {0}, {"return"}, "", "done: taken", "returned returned returned", "delete *,",
		WORLD_SENDER " from , ", false, false},
	{"return, spooled", {.spooled = true}, {"return"}, "", "done: taken",
		"returned returned returned", "", WORLD_SENDER " from , ", false, false},
	{"return, a bounce", {.sender = ""}, {"return"}, "", "error: *: it has no sender",
		"held held held", "", "", true, false},
	{"delete", {0}, {"delete"}, "", "done", "deleted deleted deleted", "delete *,", "", false,
		false},
	{"delete, spooled", {.spooled = true}, {"delete"}, "", "done", "deleted deleted deleted",
		"", "", false, false},
	{"delete, gone", {.gone = true}, {"delete"}, "",
		"failed: *: the held message is not in the hold queue (gone)", "gone gone gone", "",
		"", false, false},
	{"release, gone", {.gone = true}, {"release", .others = 1}, "",
		"failed: *: the held message is not in the hold queue (gone)", "held held held", "",
		"", false, false},
	{"release to one, gone", {.gone = true}, {"release", .to = "a@alpha.example"}, "",
		"failed: *: the held message is not in the hold queue", "held held held", "", "",
		false, false},
	{"return, gone", {.gone = true}, {"return"}, "", "failed: *: the held message is not",
		"held held held", "", "", false, false},
	{"release, spooled and gone", {.spooled = true, .gone = true}, {"release", .others = 1}, "",
		"failed: ", "held held held", "", "", false, false},
	/* The queue has the sender as Postfix rewrites it (canonical, masquerade, a domain that is
	 * added), and MAILER-DAEMON for the empty one; a filter has what the client said. */
	{"release, sender rewritten", {.queued_sender = "other@other.example"},
		{"release", .others = 1}, "", "done", "released released released", "release *,",
		"", false, false},
	{"release to one, sender rewritten", {.queued_sender = "other@other.example"},
		{"release", .to = "b@beta.example"}, "", "done: taken by the MTA as S",
		"held released held", "delete *,", "b@beta.example from " WORLD_SENDER ", ", false,
		true},
	{"return, sender rewritten", {.queued_sender = "other@other.example"}, {"return"}, "",
		"done: taken", "returned returned returned", "delete *,",
		WORLD_SENDER " from , ", false, false},
	{"delete, sender rewritten", {.queued_sender = "other@other.example"}, {"delete"}, "",
		"done", "deleted deleted deleted", "delete *,", "", false, false},
	{"release, a bounce", {.sender = "", .queued_sender = "MAILER-DAEMON"},
		{"release", .others = 1}, "", "done", "released released released", "release *,",
		"", false, false},
	{"delete, a bounce", {.sender = "", .queued_sender = "MAILER-DAEMON"}, {"delete"}, "",
		"done", "deleted deleted deleted", "delete *,", "", false, false},
	{"delete, a sender without a domain",
		{.sender = "billing", .queued_sender = "billing@seller.example"}, {"delete"}, "",
		"done", "deleted deleted deleted", "delete *,", "", false, false},
	{"delete, a sender that is no UTF-8",
		{.sender = "m\xef\xbf\xbdller@seller.example",
			.queued_sender = "m?ller@seller.example"},
		{"delete"}, "", "done", "deleted deleted deleted", "delete *,", "", false, false},
	{"note", {0}, {"note"}, "", "done", "held held held", "", "", true, false},
	{"note, empty", {0}, {"note", .why = ""}, "", "error: why: \"\" is an empty word",
		"held held held", "", "", true, false},
	{"assign", {0}, {"assign", .assignee = "bert"}, "", "done: to bert", "held held held", "",
		"", true, false},
	{"no verb", {0}, {"let-go"}, "", "error: verb: \"let-go\" is none of release, return",
		"held held held", "", "", true, false},
	{"nobody", {0}, {"release", .who = ""}, "", "error: who: \"\" is an empty word",
		"held held held", "", "", true, false},
	{"not among them", {0}, {"release", .to = "x@x.example"}, "",
		"error: *: recipient: \"x@x.example\" is not among those", "held held held", "", "",
		true, false},
	{"delete for one", {0}, {"delete", .to = "b@beta.example"}, "",
		"error: delete: recipients cannot be said with it", "held held held", "", "", true,
		false},
	{"may-receive, no account", {0}, {"may-receive", .to = "b@beta.example"}, "",
		"error: may-receive: account is needed", "held held held", "", "", true, false},
	{"observed", {.state = MS_STATE_OBSERVED}, {"release", .others = 1}, "",
		"error: *: is observed already", "observed observed observed", "", "", true, false},
	{"released", {.state = MS_STATE_RELEASED}, {"delete"}, "", "error: *: is released already",
		"released released released", "", "", true, false},
	{"released, to be judged again", {.state = MS_STATE_RELEASED}, {"rejudge"}, "",
		"error: *: is released already", "released released released", "", "", true, false},
	{"deleted, to be judged again", {.state = MS_STATE_DELETED}, {"rejudge"}, "",
		"error: *: is deleted already", "deleted deleted deleted", "", "", true, false},
};

/* "*" stands for the queue ID. */
static char *with_id(const char *text, const char *id)
{
	g_auto(GStrv) parts = g_strsplit(text, "*", -1);
	return g_strjoinv(id, parts);
}

typedef struct {
	const char *about;
	GString *to; /* of the last such line */
} Told;

static bool take_told(const MsAuditLine *line, void *user, GError **error)
{
	(void)error;
	Told *t = user;
	const char *about = json_string_value(json_object_get(line->json, "about"));
	const char *detail = json_string_value(json_object_get(line->json, "detail"));
	if (g_strcmp0(about, t->about) != 0 || g_strcmp0(detail, "done") != 0)
		return true;
	const json_t *to = json_object_get(line->json, "to");
	for (gsize i = 0; i < json_array_size(to); i++)
		g_string_append_printf(t->to, "%s ", json_string_value(json_array_get(to, i)));
	const char *as = json_string_value(json_object_get(line->json, "sent_as"));
	g_string_append_printf(t->to, "%s", as != NULL ? "as S" : "");
	g_assert_true(as == NULL || *as == 'S');
	return true;
}

/* The trail says who got it, and who will not: a record can be changed. */
static void expect_told(const World *w, const VerbRow *row, const MsRecord *before,
	const MsRecord *after, const char *said)
{
	bool ends = strcmp(row->ask.verb, "note") != 0 && strcmp(row->ask.verb, "assign") != 0;
	guint8 key[MS_AUDIT_KEY_BYTES];
	g_autofree char *trail = g_build_filename(w->state, "audit.jsonl", NULL);
	g_autoptr(GString) got = g_string_new(NULL), want = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	Told told = {before->uid, got};
	ms_key_subkey(NULL, MS_AUDIT_PURPOSE, key);
	g_assert_true(ms_audit_each(trail, 0, G_MAXINT64, take_told, &told, &error));
	g_assert_no_error(error);
	for (guint i = 0; i < after->recipients->len && g_str_has_prefix(said, "done"); i++) {
		const MsHeldRecipient *was = before->recipients->pdata[i],
				      *is = after->recipients->pdata[i];
		g_autofree char *id = ms_audit_id_of_address(key, is->address);
		if (!ends || is->state != was->state)
			g_string_append_printf(want, "%s ", id);
	}
	if (g_str_has_prefix(said, "done: taken"))
		g_string_append(want, "as S");
	g_assert_cmpstr(got->str, ==, want->str);
}

static void test_verb(gconstpointer data)
{
	const VerbRow *row = data;
	World *w = world_new(row->settings, "");
	g_autofree char *uid = world_hold(w, &row->hold);
	g_autoptr(MsRecord) before = world_record(w, uid);
	MsDesk *desk = world_desk(w);
	WorldAsk ask = row->ask;
	ask.uids = uid;
	g_autofree char *said = world_said(desk, &ask);
	g_autofree char *want_said = with_id(row->said, before->queue_id);
	g_autofree char *want_log = with_id(row->log, before->queue_id);
	g_autofree char *states = world_states(w, uid);
	g_autofree char *log = world_log(w);
	g_autofree char *mail = arrived(w);
	if (!g_str_has_prefix(said, want_said))
		g_error("%s: got \"%s\", want \"%s...\"", row->name, said, want_said);
	g_assert_cmpstr(states, ==, row->states);
	g_assert_cmpstr(log, ==, want_log);
	g_assert_cmpstr(mail, ==, row->mail);
	g_autoptr(MsRecord) after = world_record(w, uid);
	g_assert_cmpint(world_is_queued(w, after), ==, row->queued);
	g_assert_cmpint(world_is_spooled(w, uid), ==, row->spooled);
	expect_told(w, row, before, after, said);
	/* What was done stands in the record, once. */
	guint done = 0;
	for (guint i = 0; i < after->acts->len; i++)
		done += g_str_has_prefix(((MsAct *)after->acts->pdata[i])->what, row->ask.verb);
	g_assert_cmpuint(done, ==, g_str_has_prefix(said, "error") ? 0 : 1);
	nothing_is_open(w);
	ms_desk_free(desk);
	world_free(w);
}

/* Who corrects the mapping changes what goes out: the trail says what he said, as of an entry that
 * is put in a shell, before it is so. */
static void test_corrected(void)
{
	World *w = world_new("", "");
	g_autofree char *uid = world_hold(w, &(WorldHold){.to = NULL});
	MsDesk *desk = world_desk(w);
	g_autofree char *said = world_said(desk,
		&(WorldAsk){
			"may-receive", .uids = uid, .to = "n@nobody.example", .account = "AC-1"});
	g_autofree char *path = g_build_filename(w->state, "audit.jsonl", NULL);
	g_autofree char *trail = trail_text(path), *address = NULL, *account = NULL;
	guint8 key[MS_AUDIT_KEY_BYTES];
	ms_key_subkey(NULL, MS_AUDIT_PURPOSE, key);
	address = ms_audit_id_of_address(key, "n@nobody.example");
	account = ms_audit_id(key, "account", "AC-1");
	g_autofree char *want = g_strdup_printf(
		"\"event\":\"entry put\",\"who\":\"anna\",\"client\":null,"
		"\"about\":\"%s\",\"detail\":\"recipient n***@n***.example, account %s\"}",
		address, account);
	g_assert_cmpstr(said, ==, "done: for account AC-1");
	CONTAINS(trail, want);
	g_assert_true(strstr(trail, want) < strstr(trail, "\"detail\":\"done\""));
	g_assert_null(strstr(trail, "nobody"));
	ms_desk_free(desk);
	world_free(w);
}

/* ---- killed --------------------------------------------------------------------------- */

typedef struct {
	const char *name, *settings;
	WorldHold hold;
	WorldAsk ask;
	/* what is there in the end, wherever it was killed */
	const char *points, *states, *log, *mail;
	bool spooled;
} CrashRow;

#define DECIDED "decided "
static const CrashRow crash_rows[] = {
	{"release", "", {0}, {"release", .others = 1}, DECIDED "release,after release,on trail,finished",
		"released released released", "release *,", "", false},
	{"release, old", "", {.age_us = 2 * DAY}, {"release", .others = 1},
		DECIDED "release,after release,on trail,finished", "released released released",
		"requeue *,", "", false},
	{"release, old, Sendmail", "mta = sendmail", {.age_us = 2 * DAY}, {"release", .others = 1},
		DECIDED "moving,copied,moved,submit,submitted,on trail,finished",
		"released released released", "delete *,", ALL " from " WORLD_SENDER ", ", false},
	{"release to one", "", {0}, {"release", .to = "b@beta.example"},
		DECIDED "moving,copied,moved,submit,submitted,on trail,finished", "held released held",
		"delete *,", "b@beta.example from " WORLD_SENDER ", ", true},
	{"release by right", "", {0}, {"release", .rightful = true},
		DECIDED "moving,copied,moved,submit,submitted,on trail,finished", "released held held",
		"delete *,", "a@alpha.example from " WORLD_SENDER ", ", true},
	{"release, spooled", "", {.spooled = true}, {"release", .others = 1},
		DECIDED "submit,submitted,on trail,finished", "released released released", "",
		ALL " from " WORLD_SENDER ", ", false},
	{"return", "", {0}, {"return"}, DECIDED "submit,submitted,told,after return,on trail,finished",
		"returned returned returned", "delete *,", WORLD_SENDER " from , ", false},
	{"return, spooled", "", {.spooled = true}, {"return"},
		DECIDED "submit,submitted,told,after return,on trail,finished", "returned returned returned",
		"", WORLD_SENDER " from , ", false},
	{"delete", "", {0}, {"delete"}, DECIDED "delete,after delete,on trail,finished",
		"deleted deleted deleted", "delete *,", "", false},
	{"delete, spooled", "", {.spooled = true}, {"delete"},
		DECIDED "delete,after delete,on trail,finished", "deleted deleted deleted", "", "", false},
	{"release, split", "", {.split = true}, {"release", .others = 1},
		DECIDED "submit,submitted,on trail,finished", "released released released", "",
		ALL " from " WORLD_SENDER ", ", false},
	{"return, split", "", {.split = true}, {"return"},
		DECIDED "submit,submitted,told,after return,on trail,finished", "returned returned returned",
		"", WORLD_SENDER " from , ", false},
	{"delete, split", "", {.split = true}, {"delete"},
		DECIDED "delete,after delete,on trail,finished", "deleted deleted deleted", "", "", false},
	{"note", "", {0}, {"note"}, DECIDED "on trail,finished", "held held held", "", "", false},
	{"assign", "", {0}, {"assign", .assignee = "bert"}, DECIDED "on trail,finished", "held held held",
		"", "", false},
};

static void work(MsDesk *desk, void *user)
{
	(void)user;
	ms_desk_work(desk, 0);
}

typedef struct {
	const MsDecision *decision;
	guint once, again;
	bool sent;
} Ends;

static bool take_end(const MsAuditLine *line, void *user, GError **error)
{
	Ends *ends = user;
	(void)error;
	const char *id = json_string_value(json_object_get(line->json, "decision"));
	if (g_strcmp0(id, ends->decision->id) != 0)
		return true;
	bool again = json_object_get(line->json, "again") != NULL;
	ends->once += !again;
	ends->again += again;
	ends->sent = json_object_get(line->json, "sent_as") != NULL;
	g_assert_cmpstr(json_string_value(json_object_get(line->json, "about")), ==,
		ends->decision->uid);
	g_assert_cmpstr(
		json_string_value(json_object_get(line->json, "detail")), ==, MS_AUDIT_DONE);
	return true;
}

/* The trail has its end, however often it was killed, as one; and each time what was sent. */
static void expect_end(const World *w, const MsDecision *d, bool sent)
{
	g_autofree char *path = g_build_filename(w->state, "audit.jsonl", NULL);
	g_autoptr(GError) error = NULL;
	Ends ends = {.decision = d};
	g_assert_true(ms_audit_each(path, 0, G_MAXINT64, take_end, &ends, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(ends.once, ==, 1);
	g_assert_cmpuint(ends.again, <=, 2);
	g_assert_cmpint(ends.sent, ==, sent);
}

/* Killed there; killed again at the first point, then at the second, when it is taken up; then left
 * alone. */
static void kill_at(World *w, const CrashRow *row, const char *point, bool again)
{
	g_autofree char *uid = world_hold(w, &row->hold);
	g_autoptr(MsRecord) before = world_record(w, uid);
	WorldAsk ask = row->ask;
	ask.uids = uid;
	g_test_message(
		"%s, killed at %s%s", row->name, point, again ? ", and when it was taken up" : "");
	g_assert_true(world_killed(w, point, 1, world_ask, &ask));
	for (guint i = 1; again && i < 3; i++)
		world_killed(w, NULL, i, work, NULL);
	MsDesk *desk = world_desk(w);
	ms_desk_work(desk, 0);
	ms_desk_work(desk, 0);
	g_autofree char *states = world_states(w, uid);
	g_autofree char *log = world_log(w);
	g_autofree char *want_log = with_id(row->log, before->queue_id);
	g_autofree char *mail = arrived(w);
	g_assert_cmpstr(states, ==, row->states);
	g_assert_cmpstr(log, ==, want_log);
	g_assert_cmpstr(mail, ==, row->mail);
	nothing_is_open(w);
	g_autoptr(MsRecord) after = world_record(w, uid);
	const MsDecision *d = after->decisions->pdata[0];
	g_assert_cmpuint(after->decisions->len, ==, 1);
	g_assert_cmpint(d->state, ==, MS_DECISION_DONE);
	expect_end(w, d, *row->mail != '\0');
	g_assert_cmpint(world_is_spooled(w, uid), ==, row->spooled || after->state == MS_STATE_HELD
			? after->place == MS_PLACE_SPOOL : world_is_spooled(w, uid));
	/* A file that nobody needs goes in time; one that somebody needs, never. */
	g_autofree char *path = g_strdup_printf("%s/%s.eml", w->spool, uid);
	struct utimbuf old = {1, 1};
	utime(path, &old);
	ms_desk_tick(desk);
	g_assert_cmpint(world_is_spooled(w, uid), ==,
		after->state == MS_STATE_HELD && after->place == MS_PLACE_SPOOL);
	ms_desk_free(desk);
}

static void test_killed(gconstpointer data)
{
	const CrashRow *row = data;
	World *w = world_new(row->settings, "");
	g_autofree char *points = g_strdup(row->points);
	g_strdelimit(points, " ", ',');
	/* "after release" and the like are one name */
	g_auto(GStrv) each = g_strsplit(row->points + strlen(DECIDED), ",", -1);
	for (int again = 0; again < 2; again++) {
		kill_at(w, row, "decided", again);
		for (int i = 0; each[i] != NULL; i++)
			kill_at(w, row, each[i], again);
	}
	/* It comes by no other. */
	g_autofree char *uid = world_hold(w, &row->hold);
	WorldAsk ask = row->ask;
	ask.uids = uid;
	g_assert_false(world_killed(w, NULL, g_strv_length(each) + 2, world_ask, &ask));
	world_free(w);
}

/* A host that was away for days takes up what it had begun: what went is not looked for, and what
 * did not is sent as an old one. */
static void test_aged(void)
{
	static const struct {
		const char *settings, *point, *log, *mail;
	} rows[] = {{"", "release", "requeue *,", ""}, {"", "after release", "release *,", ""},
		{"mta = sendmail", "release", "delete *,", ALL " from " WORLD_SENDER ", "},
		{"mta = sendmail", "after release", "release *,", ""}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		World *w = world_new(rows[i].settings, "");
		g_autofree char *uid = world_hold(w, &(WorldHold){.age_us = DAY / 24});
		g_autoptr(MsRecord) before = world_record(w, uid);
		WorldAsk ask = {"release", .uids = uid, .others = 1};
		g_test_message("%s, killed at %s", rows[i].settings, rows[i].point);
		g_assert_true(world_killed(w, rows[i].point, 1, world_ask, &ask));
		world_settings(w, rows[i].settings, "requeue-after = \"1s\"");
		MsDesk *desk = world_desk(w);
		ms_desk_work(desk, 0);
		g_autofree char *states = world_states(w, uid);
		g_autofree char *log = world_log(w);
		g_autofree char *want_log = with_id(rows[i].log, before->queue_id);
		g_autofree char *mail = arrived(w);
		g_assert_cmpstr(states, ==, "released released released");
		g_assert_cmpstr(log, ==, want_log);
		g_assert_cmpstr(mail, ==, rows[i].mail);
		nothing_is_open(w);
		ms_desk_free(desk);
		world_free(w);
	}
}

/* ---- the host lacks something --------------------------------------------------------- */

static rlim_t descriptors_in_use(void)
{
	int next = open("/", O_PATH | O_CLOEXEC);
	close(next);
	return (rlim_t)next;
}

/* It is taken up by a process that has room for so few, and again when there is. */
static void work_in_want(MsDesk *desk, void *room)
{
	struct rlimit before, low;
	g_assert_no_errno(getrlimit(RLIMIT_NOFILE, &before));
	low = (struct rlimit){descriptors_in_use() + GPOINTER_TO_UINT(room), before.rlim_max};
	g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &low));
	ms_desk_work(desk, 0);
	g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &before));
	ms_desk_work(desk, 0);
}

/* Whatever step it is at then, it is done as it would have been, and not failed for good. */
static void test_want(gconstpointer data)
{
	const CrashRow *row = data;
	World *w = world_new(row->settings, "");
	static const guint rooms[] = {0, 1, 4, 30, 32, 34, 36};
	for (gsize i = 0; i < G_N_ELEMENTS(rooms); i++) {
		g_autofree char *uid = world_hold(w, &row->hold);
		g_autoptr(MsRecord) before = world_record(w, uid);
		WorldAsk ask = row->ask;
		ask.uids = uid;
		g_test_message("%s, room for %u descriptors", row->name, rooms[i]);
		g_assert_true(world_killed(w, "decided", 1, world_ask, &ask));
		world_killed(w, NULL, G_MAXUINT, work_in_want, GUINT_TO_POINTER(rooms[i]));
		g_autofree char *states = world_states(w, uid);
		g_autofree char *log = world_log(w);
		g_autofree char *want_log = with_id(row->log, before->queue_id);
		g_autofree char *mail = arrived(w);
		g_assert_cmpstr(states, ==, row->states);
		g_assert_cmpstr(log, ==, want_log);
		g_assert_cmpstr(mail, ==, row->mail);
		nothing_is_open(w);
	}
	world_free(w);
}

/* ---- the SMTP server goes wrong ------------------------------------------------------- */

/* Wherever it does: what is not taken stays held, and goes when it is asked for again; what is
 * taken is not sent a second time. */
static void try_fault(World *w, const char *verb, StubPoint point, StubFault fault)
{
	bool returns = strcmp(verb, "return") == 0;
	g_autofree char *uid = world_hold(w, &(WorldHold){0});
	WorldAsk ask = {verb, uid, .to = returns ? "" : "b@beta.example"};
	const char *want = returns ? WORLD_SENDER " from , "
				   : "b@beta.example from " WORLD_SENDER ", ";
	bool taken = point == AT_END && (fault == STUB_TAKE_DROP || fault == STUB_TAKE_SILENT);
	g_test_message("%s, fault %d at %d", verb, fault, point);
	MsDesk *desk = world_desk(w);
	stub_next(w->stub, point, fault);
	g_autofree char *said = world_said(desk, &ask);
	g_autofree char *first = arrived(w);
	g_autofree char *states = world_states(w, uid);
	g_assert_cmpstr(first, ==, taken ? want : "");
	g_assert_cmpstr(states, ==,
		!taken            ? "held held held"
			: returns ? "returned returned returned"
				  : "held released held");
	CONTAINS(said, taken ? "done: taken by the MTA" : "failed: the MTA");
	nothing_is_open(w);
	stub_next(w->stub, AT_NEVER, 0);
	if (!taken) {
		g_autofree char *again = world_said(desk, &ask);
		g_autofree char *second = arrived(w);
		CONTAINS(again, "done: taken");
		g_assert_cmpstr(second, ==, want);
	}
	ms_desk_free(desk);
}

static void test_smtp(void)
{
	World *w = world_new("", ""), *impatient = world_new("", " submit-timeout = 300ms\n");
	const char *const verbs[] = {"release", "return"};
	for (gsize v = 0; v < G_N_ELEMENTS(verbs); v++) {
		for (StubPoint point = AT_GREETING; point <= AT_END; point++) {
			try_fault(w, verbs[v], point, STUB_DROP);
			if (point == AT_BODY || point == AT_EHLO) /* after EHLO, HELO is tried */
				continue;
			try_fault(w, verbs[v], point, STUB_REFUSE);
			try_fault(w, verbs[v], point, STUB_LATER);
		}
		try_fault(w, verbs[v], AT_MAIL, STUB_STRANGE);
		try_fault(impatient, verbs[v], AT_RCPT, STUB_SILENT);
		try_fault(impatient, verbs[v], AT_END, STUB_SILENT);
		try_fault(w, verbs[v], AT_END, STUB_SPEND_REFUSE);
		try_fault(w, verbs[v], AT_END, STUB_SPEND_DROP);
		try_fault(w, verbs[v], AT_END, STUB_TAKE_DROP);
		try_fault(impatient, verbs[v], AT_END, STUB_TAKE_SILENT);
	}
	world_free(impatient);
	world_free(w);
}

/* The MTA may have it, and the queue does not tell: a person looks, nothing is sent by itself. */
static void test_unclear(void)
{
	World *w = world_new("", "");
	MsDesk *desk = world_desk(w);
	g_autofree char *uid = world_hold(w, &(WorldHold){0});
	stub_next(w->stub, AT_END, STUB_SPEND_DROP);
	g_autofree char *said = world_said(
		desk, &(WorldAsk){"release", uid, .to = "b@beta.example"});
	CONTAINS(said, "failed: the MTA had it as S");
	CONTAINS(said, "look for");
	g_assert_cmpuint(ms_desk_work(desk, 0), ==, 0);
	ms_desk_free(desk);
	world_free(w);
}

/* An MTA that does not ask missent takes the mail with its token: that is said. */
static void test_other_mta(void)
{
	World *w = world_new("", "");
	stub_free(w->stub);
	w->stub = stub_new(NULL, w->queue);
	world_settings(w, "", "");
	MsDesk *desk = world_desk(w);
	g_autofree char *uid = world_hold(w, &(WorldHold){0});
	g_autofree char *said = world_said(
		desk, &(WorldAsk){"release", uid, .to = "b@beta.example"});
	CONTAINS(said, "taken by an MTA that did not ask missent");
	ms_desk_free(desk);
	/* None at all. */
	world_settings(w, "", " submit = \"smtp://127.0.0.1:1\"\n");
	world_free(w);
}

/* A domain that is not ASCII is submitted as it is, in whatever language the shell is. */
static void test_other_letters(void)
{
	static const WorldRecipient to[] = {{"a@m\303\274nchen.example", MS_OUTCOME_RIGHT, "AC-1"},
		{"b@beta.example", MS_OUTCOME_WRONG, "AC-2"}};
	World *w = world_new("", "");
	MsDesk *desk = world_desk(w);
	g_autofree char *uid = world_hold(w,
		&(WorldHold){.sender = "billing@b\303\274ro.example", .to = to, .n = 2});
	g_assert_nonnull(setlocale(LC_ALL, "C.UTF-8"));
	g_autofree char *said = world_said(desk, &(WorldAsk){"release", uid, .to = to[0].address});
	setlocale(LC_ALL, "C");
	CONTAINS(said, "done: taken by the MTA as S");
	g_autofree char *mail = arrived(w);
	g_assert_cmpstr(mail, ==, "a@m\303\274nchen.example from billing@b\303\274ro.example, ");
	ms_desk_free(desk);
	world_free(w);
}

/* A short queue ID that is used again within a second, for the same text to somebody else: who
 * decides on the first one's record does not mean the second. */
static void test_used_again(void)
{
	static const struct {
		const char *verb, *said;
	} rows[] = {{"release", "failed: "}, {"return", "failed: "},
		{"delete", "failed: "}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		World *w = world_new("", "");
		MsDesk *desk = world_desk(w);
		g_autoptr(GError) error = NULL;
		g_autofree char *uid = world_hold(w, &(WorldHold){0});
		g_autoptr(MsRecord) second = world_record(w, uid);
		g_free(second->uid);
		second->uid = ms_record_name();
		second->arrived += 500000;
		g_assert_true(ms_records_add(w->ledger, second, &error));
		g_assert_no_error(error);
		g_autofree char *said =
			world_said(desk, &(WorldAsk){rows[i].verb, uid, .others = i == 0});
		if (!g_str_has_prefix(said, rows[i].said))
			g_error("%s: got \"%s\", want \"%s...\"", rows[i].verb, said, rows[i].said);
		g_assert_true(world_is_queued(w, second));
		g_autofree char *mail = arrived(w);
		g_assert_cmpstr(mail, ==, "");
		g_autofree char *later =
			world_said(desk, &(WorldAsk){"release", second->uid, .others = 1});
		g_assert_true(g_str_has_prefix(later, "done"));
		ms_desk_free(desk);
		world_free(w);
	}
}

/* ---- the queue goes wrong ------------------------------------------------------------- */

typedef struct {
	const char *name;
	WorldAsk ask;
	const char *verb, *order; /* of the helper */
	const char *said, *states, *log, *mail;
} QueueRow;

static const QueueRow queue_rows[] = {
	{"list fails", {"release", .others = 1}, "list", "fail",
		"failed: list: missent-release: postqueue: fatal", "held held held", "", ""},
	{"list dies", {"release", .others = 1}, "list", "before",
		"failed: list: ", "held held held", "", ""},
	{"list hangs", {"release", .others = 1}, "list", "hang",
		"failed: list: fake-release does not answer", "held held held", "", ""},
	{"list, garbage", {"release", .others = 1}, "list", "garbage", "done",
		"released released released", "release *,", ""},
	{"release fails", {"release", .others = 1}, "release", "fail",
		"failed: release *: missent-release: postsuper: fatal", "held held held", "", ""},
	{"release dies before", {"release", .others = 1}, "release", "before",
		"failed: release *: missent-release failed", "held held held", "", ""},
	{"release dies after", {"release", .others = 1}, "release", "after", "done",
		"released released released", "release *,", ""},
	{"release hangs before", {"release", .others = 1}, "release", "hang",
		"failed: release *: fake-release does not answer", "held held held", "", ""},
	{"release hangs after", {"release", .others = 1}, "release", "late", "done",
		"released released released", "release *,", ""},
	{"another message", {"release", .others = 1}, "release", "other",
		"failed: release *: missent-release: *", "held held held", "", ""},
	{"another message by its bytes", {"release", .others = 1}, "release", "data",
		"failed: release *: missent-release: *", "held held held", "", ""},
	{"show fails", {"release", .to = "b@beta.example"}, "show", "fail",
		"failed: show *: ", "held held held", "", ""},
	{"show dies", {"release", .to = "b@beta.example"}, "show", "before",
		"failed: show *: ", "held held held", "", ""},
	{"show hangs", {"release", .to = "b@beta.example"}, "show", "hang",
		"failed: show *: fake-release does not", "held held held", "", ""},
	{"show, another message", {"release", .to = "b@beta.example"}, "show", "other",
		"failed: *: is not, or is no longer, that message", "held held held", "", ""},
	{"delete fails for one", {"release", .to = "b@beta.example"}, "delete", "fail",
		"failed: delete *: ", "held held held", "", ""},
	{"delete dies after, for one", {"release", .to = "b@beta.example"}, "delete", "after",
		"done: taken", "held released held", "delete *,",
		"b@beta.example from " WORLD_SENDER ", "},
	{"delete fails", {"delete"}, "delete", "fail", "failed: delete *: ", "held held held", "",
		""},
	{"delete dies after", {"delete"}, "delete", "after", "done", "deleted deleted deleted",
		"delete *,", ""},
	{"delete, another message", {"delete"}, "delete", "other",
		"failed: delete *: ", "held held held", "", ""},
	{"return, another message", {"return"}, "show", "other",
		"failed: *: is not, or is no longer, that message", "held held held", "", ""},
	/* the sender was told, so that is what it is */
	{"return, then another message", {"return"}, "delete", "data",
		"done: the sender was told, but", "returned returned returned", "",
		WORLD_SENDER " from , "},
	/* ... unless somebody let it go between: nobody is said not to have it, or gets it again */
	{"return, let go", {"return"}, "delete", "let-go", "failed: *: the sender was told, but",
		"gone gone gone", "", WORLD_SENDER " from , "},
	{"return, taken", {"return"}, "delete", "take", "failed: *: the sender was told, but",
		"gone gone gone", "", WORLD_SENDER " from , "},
	{"release to one, let go", {"release", .to = "b@beta.example"}, "delete", "let-go",
		"failed: delete *: ", "gone gone gone", "", ""},
	{"release to one, taken", {"release", .to = "b@beta.example"}, "delete", "take",
		"failed: delete *: ", "gone gone gone", "", ""},
	{"return, delete dies after", {"return"}, "delete", "after", "done: taken",
		"returned returned returned", "delete *,", WORLD_SENDER " from , "},
};

static char *trail_of(const World *w)
{
	g_autofree char *path = g_build_filename(w->state, "audit.jsonl", NULL);
	return trail_text(path);
}

static void test_queue(gconstpointer data)
{
	const QueueRow *row = data;
	bool hangs = strcmp(row->order, "hang") == 0, late = strcmp(row->order, "late") == 0;
	World *w = world_new("", hangs ? " queue-timeout = 1s\n" /* the others may be slow */
				       : late ? " queue-timeout = 10s\n" : "");
	MsDesk *desk = world_desk(w);
	g_autofree char *uid = world_hold(w, &(WorldHold){0});
	g_autoptr(MsRecord) before = world_record(w, uid);
	WorldAsk ask = row->ask;
	ask.uids = uid;
	world_file(w, "queue/do.mail", "Subject: another\n\nof somebody else\n");
	world_file(w, "queue/do.queue", "hold\nother@seller.example\n1\n");
	g_autofree char *active = g_strdup_printf("active\n%s\n%" G_GINT64_FORMAT "\n",
		WORLD_SENDER, before->arrived / G_USEC_PER_SEC);
	world_file(w, "queue/do.active", active);
	world_orders(w, row->verb, row->order);
	g_autofree char *said = world_said(desk, &ask);
	g_autofree char *want = with_id(row->said, before->queue_id);
	g_autofree char *states = world_states(w, uid);
	g_autofree char *log = world_log(w);
	g_autofree char *want_log = with_id(row->log, before->queue_id);
	g_autofree char *mail = arrived(w);
	if (!g_str_has_prefix(said, want))
		g_error("%s: got \"%s\", want \"%s...\"", row->name, said, want);
	g_assert_cmpstr(states, ==, row->states);
	g_assert_cmpstr(log, ==, want_log);
	g_assert_cmpstr(mail, ==, row->mail);
	nothing_is_open(w);
	g_autofree char *trail = trail_of(w);
	g_assert_cmpint(strstr(trail, MS_AUDIT_LEFT) != NULL, ==,
		strstr(said, "by hand") != NULL);
	g_assert_false(strstr(states, "gone") != NULL && world_is_spooled(w, uid));
	/* What is held still can be decided on again, unless its queue ID is another's by now. */
	g_autoptr(MsRecord) after = world_record(w, uid);
	if (after->state == MS_STATE_HELD && strcmp(row->order, "other") != 0) {
		guint others = strcmp(states, "held held held") == 0; /* the second's is another's */
		g_autofree char *again = world_said(
			desk, &(WorldAsk){"release", uid, .others = others});
		g_assert_true(g_str_has_prefix(again, "done"));
	} else if (strcmp(row->order, "other") == 0) {
		g_autofree char *again = world_said(desk, &(WorldAsk){"release", uid, .others = 1});
		CONTAINS(again, "failed");
		g_assert_true(world_is_queued(w, after)); /* the other message is where it was */
	}
	ms_desk_free(desk);
	world_free(w);
}

/* Without missent-release, what only the spool has is decided on. */
static void test_spooled_alone(gconstpointer data)
{
	const VerbRow *row = data;
	World *w = world_new(row->settings, "");
	MsDesk *desk = world_desk(w);
	g_autofree char *uid = world_hold(w, &row->hold);
	static const char *const verbs[] = {"list", "show", "release", "requeue", "delete"};
	for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++)
		world_orders(w, verbs[i], "fail always");
	WorldAsk ask = row->ask;
	ask.uids = uid;
	g_autofree char *said = world_said(desk, &ask);
	g_autofree char *states = world_states(w, uid);
	g_autofree char *mail = arrived(w);
	CONTAINS(said, row->said);
	g_assert_cmpstr(states, ==, row->states);
	g_assert_cmpstr(mail, ==, row->mail);
	nothing_is_open(w);
	ms_desk_free(desk);
	world_free(w);
}

/* Moved into the spool, and the queue's copy stayed for that moment: whatever is decided next
 * takes it out, whoever it is for. */
static void test_moved_half(void)
{
	static const WorldAsk next[] = {{"release", .to = "b@beta.example"},
		{"release", .to = "a@alpha.example"}, {"release", .others = 1}, {"return"},
		{"delete"}};
	for (gsize i = 0; i < G_N_ELEMENTS(next); i++) {
		World *w = world_new("", "");
		MsDesk *desk = world_desk(w);
		g_autofree char *uid = world_hold(w, &(WorldHold){0});
		g_autoptr(MsRecord) record = world_record(w, uid);
		WorldAsk ask = next[i];
		ask.uids = uid;
		world_orders(w, "delete", "fail");
		g_autofree char *said = world_said(
			desk, &(WorldAsk){"release", uid, .to = "b@beta.example"});
		CONTAINS(said, "failed: delete Q");
		g_assert_true(world_is_queued(w, record));
		g_autofree char *again = world_said(desk, &ask);
		g_assert_true(g_str_has_prefix(again, "done"));
		g_assert_false(world_is_queued(w, record));
		g_autofree char *log = world_log(w);
		g_autofree char *want = with_id("delete *,", record->queue_id);
		g_assert_cmpstr(log, ==, want);
		ms_desk_free(desk);
		world_free(w);
	}
}

/* The sender was told, and the MTA cannot take the message out: it is held, and tried again, until
 * it is out, or somebody has let it go. */
static const struct {
	const char *name, *fails, *between; /* between: an order, "" for none */
	const char *states, *log;
} told_rows[] = {
	{"fails", "fail", "", "returned returned returned", "delete *,"},
	{"dies", "before", "", "returned returned returned", "delete *,"},
	{"fails again", "fail", "fail", "returned returned returned", "delete *,"},
	{"fails, and its end is not heard of", "fail", "after", "returned returned returned",
		"delete *,"},
	{"fails, then taken", "fail", "take", "returned returned returned", ""},
	{"fails, then let go", "fail", "let-go", "gone gone gone", ""},
};

static void test_told(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(told_rows); i++) {
		World *w = world_new("", "");
		MsDesk *desk = world_desk(w);
		g_autofree char *uid = world_hold(w, &(WorldHold){0});
		g_autoptr(MsRecord) record = world_record(w, uid);
		g_autofree char *active = g_strdup_printf("active\n%s\n%" G_GINT64_FORMAT "\n",
			WORLD_SENDER, record->arrived / G_USEC_PER_SEC);
		g_test_message("%s", told_rows[i].name);
		world_file(w, "queue/do.active", active);
		world_orders(w, "delete", told_rows[i].fails);
		g_autofree char *said = world_said(desk, &(WorldAsk){"return", uid});
		g_autofree char *states = world_states(w, uid), *trail = trail_of(w);
		g_assert_cmpstr(said, ==, "acting: ");
		g_assert_cmpstr(states, ==, "held held held");
		g_assert_null(strstr(trail, "\"detail\":\"done"));
		if (*told_rows[i].between != '\0')
			world_orders(w, "delete", told_rows[i].between);
		for (int k = 0; k < 3; k++)
			ms_desk_work(desk, 0);
		g_autofree char *after = world_states(w, uid), *log = world_log(w),
				*want = with_id(told_rows[i].log, record->queue_id),
				*mail = arrived(w);
		g_assert_cmpstr(after, ==, told_rows[i].states);
		g_assert_cmpstr(log, ==, want);
		g_assert_cmpstr(mail, ==, WORLD_SENDER " from , ");
		g_assert_false(world_is_queued(w, record));
		g_autofree char *end = trail_of(w);
		g_assert_null(strstr(end, MS_AUDIT_LEFT));
		nothing_is_open(w);
		ms_desk_free(desk);
		world_free(w);
	}
}

/* One that is let go after the move, and before what was begun is taken up again, goes from the
 * spool no more. */
static void test_moved_let_go(void)
{
	World *w = world_new("", "");
	MsDesk *desk = world_desk(w);
	g_autofree char *uid = world_hold(w, &(WorldHold){0});
	g_autoptr(MsRecord) record = world_record(w, uid);
	g_autofree char *queue = g_strdup_printf("queue/%s.queue", record->queue_id);
	g_autofree char *active = g_strdup_printf("active\n%s\n%" G_GINT64_FORMAT "\n",
		WORLD_SENDER, record->arrived / G_USEC_PER_SEC);
	world_orders(w, "delete", "fail");
	g_autofree char *said = world_said(
		desk, &(WorldAsk){"release", uid, .to = "b@beta.example"});
	CONTAINS(said, "failed: delete Q");
	world_file(w, queue, active);
	g_autofree char *again = world_said(
		desk, &(WorldAsk){"release", uid, .to = "b@beta.example"});
	CONTAINS(again, "is not in the hold queue (active)");
	g_autofree char *states = world_states(w, uid), *mail = arrived(w);
	g_assert_cmpstr(states, ==, "gone gone gone");
	g_assert_cmpstr(mail, ==, "");
	g_assert_false(world_is_spooled(w, uid));
	ms_desk_free(desk);
	world_free(w);
}

/* A copy that was damaged is not sent. */
static void test_damaged_copy(void)
{
	World *w = world_new("", "");
	MsDesk *desk = world_desk(w);
	g_autofree char *uid = world_hold(w, &(WorldHold){.spooled = true});
	g_autofree char *name = g_strdup_printf("state/spool/%s.eml", uid);
	world_file(w, name, "Subject: x\n\nsomething else\n");
	g_autofree char *said = world_said(desk, &(WorldAsk){"release", uid, .others = 1});
	g_autofree char *mail = arrived(w);
	CONTAINS(said, "failed");
	CONTAINS(said, "damaged");
	g_assert_cmpstr(mail, ==, "");
	g_autofree char *gone = world_said(desk, &(WorldAsk){"delete", uid});
	CONTAINS(gone, "done");
	ms_desk_free(desk);
	world_free(w);
}

/* ---- several messages ----------------------------------------------------------------- */

static void test_group(void)
{
	World *w = world_new("", "");
	MsDesk *desk = world_desk(w);
	g_autofree char *one = world_hold(w, &(WorldHold){0});
	g_autofree char *none = world_hold(w, &(WorldHold){.to = none_right, .n = 4});
	g_autofree char *both = world_hold(w, &(WorldHold){.to = two_right, .n = 2});
	g_autofree char *uids = g_strdup_printf("%s %s %s", one, none, both);
	g_autofree char *said = world_said(desk, &(WorldAsk){"release", uids, .rightful = true});
	g_autofree char *mail = arrived(w);
	g_autofree char *states = world_states(w, none);
	g_assert_true(g_str_has_prefix(said, "done: taken by the MTA as S"));
	g_assert_true(g_str_has_suffix(said, "; done: "));
	g_assert_cmpstr(mail, ==, "a@alpha.example from " WORLD_SENDER ", ");
	g_assert_cmpstr(states, ==, "held held held held");
	/* Of none: that is said.  One that is no message: nothing is written down. */
	g_autofree char *two = g_strdup_printf("%s %s", none, none);
	g_autofree char *nobody = world_said(desk, &(WorldAsk){"release", two, .rightful = true});
	CONTAINS(nobody, "of none of these messages");
	g_autofree char *bad = g_strdup_printf("%s 0000", none);
	g_autofree char *unknown = world_said(desk, &(WorldAsk){"delete", bad});
	CONTAINS(unknown, "error: 0000: there is no record");
	g_autofree char *empty = world_said(desk, &(WorldAsk){"delete", " "});
	CONTAINS(empty, "is an empty word");
	nothing_is_open(w);
	ms_desk_free(desk);
	world_free(w);
}

/* Why it was refused is what is told, not what the MTA says as one leaves. */
static void test_refused_words(void)
{
	static const StubPoint points[] = {AT_MAIL, AT_RCPT, AT_DATA, AT_END};
	World *w = world_new("", "");
	MsDesk *desk = world_desk(w);
	g_autofree char *uid = world_hold(w, &(WorldHold){.spooled = true});
	for (gsize i = 0; i < 2 * G_N_ELEMENTS(points); i++) {
		stub_next(w->stub, points[i / 2], i % 2 == 0 ? STUB_REFUSE : STUB_LATER);
		g_autofree char *said = world_said(
			desk, &(WorldAsk){"release", uid, .to = "b@beta.example"});
		CONTAINS(said, i % 2 == 0 ? "did not take it: 550" : "did not take it: 451");
	}
	/* and of a connection that broke, what it had said before is none */
	for (gsize i = 0; i < G_N_ELEMENTS(points); i++) {
		stub_next(w->stub, points[i], STUB_DROP);
		g_autofree char *said = world_said(
			desk, &(WorldAsk){"release", uid, .to = "b@beta.example"});
		g_assert_null(strstr(said, "did not take it: 2"));
		g_assert_null(strstr(said, "did not take it: 3"));
	}
	ms_desk_free(desk);
	world_free(w);
}

/* More recipients than an MTA takes for one mail: several mails, each its own decision. */
static void test_many_recipients(void)
{
	World *w = world_new("", " submit-recipients = 2\n");
	MsDesk *desk = world_desk(w);
	g_autofree char *uid = world_hold(
		w, &(WorldHold){.spooled = true, .to = none_right, .n = 4});
	stub_next(w->stub, AT_END, STUB_REFUSE);
	g_autofree char *said = world_said(desk, &(WorldAsk){"release", uid, .others = 1});
	g_autofree char *states = world_states(w, uid);
	CONTAINS(said, "failed: the MTA did not take it: 550");
	CONTAINS(said, "; done: taken");
	g_assert_cmpstr(states, ==, "held held released released");
	g_autofree char *again = world_said(desk, &(WorldAsk){"release", uid, .others = 1});
	g_autofree char *mail = arrived(w);
	CONTAINS(again, "done");
	g_assert_cmpstr(mail, ==, "r@beta.example n@nobody.example from " WORLD_SENDER ", "
		"b@beta.example u@beta.example from " WORLD_SENDER ", ");
	ms_desk_free(desk);
	world_free(w);
}

/* ---- two persons ---------------------------------------------------------------------- */

static char *agree(MsDesk *desk, const char *id, const char *who, bool agrees)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) done = ms_desk_agree(desk, id, who, agrees, &error);
	if (done == NULL)
		return g_strdup_printf("error: %s", error->message);
	return g_strdup(ms_decision_state_names[((MsDecision *)done->pdata[0])->state]);
}

static void test_two_persons(void)
{
	World *w = world_new("", " two-person-above = 2\n");
	MsDesk *desk = world_desk(w);
	g_autofree char *uid = world_hold(w, &(WorldHold){0});
	g_autofree char *other = world_hold(w, &(WorldHold){0});
	g_autofree char *waits = world_said(desk, &(WorldAsk){"release", uid, .others = 1});
	g_assert_cmpstr(waits, ==, "waiting: ");
	g_autofree char *busy = world_said(desk, &(WorldAsk){"delete", uid, .who = "carl"});
	CONTAINS(busy, "another decision on it is not finished (release by anna, waiting)");
	g_autoptr(MsRecord) r = world_record(w, uid);
	const char *id = ((MsDecision *)r->decisions->pdata[0])->id;
	static const char *const herself[] = {"anna", "Anna", " anna", "ANNA "};
	for (gsize i = 0; i < G_N_ELEMENTS(herself); i++) {
		g_autofree char *got = agree(desk, id, herself[i], true);
		CONTAINS(got, "another person must agree");
	}
	g_autofree char *empty = agree(desk, "", "bert", true);
	CONTAINS(empty, "error");
	g_autofree char *unknown = agree(desk, "0123456789abcdef", "bert", true);
	CONTAINS(unknown, "no decision waits under this name");
	g_autofree char *none = arrived(w);
	g_assert_cmpstr(none, ==, "");
	g_autofree char *done = agree(desk, id, "bert", true);
	g_autofree char *states = world_states(w, uid);
	g_assert_cmpstr(done, ==, "done");
	g_assert_cmpstr(states, ==, "released released released");
	g_autofree char *late = agree(desk, id, "carl", true);
	CONTAINS(late, "error");
	/* Withdrawn, it is as if it had never been. */
	g_autofree G_GNUC_UNUSED char *again = world_said(
		desk, &(WorldAsk){"release", other, .others = 1});
	g_autoptr(MsRecord) o = world_record(w, other);
	g_autofree char *withdrawn = agree(
		desk, ((MsDecision *)o->decisions->pdata[0])->id, "anna", false);
	g_assert_cmpstr(withdrawn, ==, "withdrawn");
	g_assert_true(world_is_queued(w, o));
	/* One by one is not fewer. */
	g_autofree char *first = world_said(
		desk, &(WorldAsk){"release", other, .to = "a@alpha.example"});
	g_autofree char *second = world_said(
		desk, &(WorldAsk){"release", other, .to = "b@beta.example"});
	g_autofree char *third = world_said(
		desk, &(WorldAsk){"release", other, .who = "Anna", .to = "n@nobody.example"});
	CONTAINS(first, "done");
	CONTAINS(second, "done");
	g_assert_cmpstr(third, ==, "waiting: ");
	ms_desk_free(desk);
	world_free(w);
}

/* A policy that asks for a second person, whatever its title is, and whatever others are for it. */
static void test_two_person_policies(void)
{
	static const struct {
		const char *of, *said;
	} rows[] = {
		{"\"bills, careful\"", "waiting: "},
		{"invoices, \"bills, careful\"", "waiting: "},
		{"bills, careful", "done: "}, /* two others */
		{"careful", "done: "},
		{"", "waiting: "}, /* adopted: it may be any */
	};
	World *w = world_new("", " two-person-policies = {\"bills, careful\"}\n");
	MsDesk *desk = world_desk(w);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *uid = world_hold(w, &(WorldHold){.policies = rows[i].of});
		g_autofree char *said = world_said(
			desk, &(WorldAsk){"release", uid, .to = "a@alpha.example"});
		g_assert_true(g_str_has_prefix(said, rows[i].said));
	}
	ms_desk_free(desk);
	world_free(w);
}

/* Who is left of several is not named by being the last: the command that was refused before is
 * refused still. */
static void test_rest(void)
{
	static const WorldRecipient both[] = {{"a@alpha.example", MS_OUTCOME_RIGHT, "AC-1"},
		{"b@beta.example", MS_OUTCOME_WRONG, "AC-2"}};
	World *w = world_new("", "");
	MsDesk *desk = world_desk(w);
	g_autofree char *uid = world_hold(w, &(WorldHold){.to = both, .n = 2});
	g_autofree char *all = world_said(desk, &(WorldAsk){"release", uid});
	CONTAINS(all, "error: this would send what belongs to others to 1 recipient");
	g_autofree char *right = world_said(desk, &(WorldAsk){"release", uid, .rightful = true});
	CONTAINS(right, "done");
	g_autofree char *again = world_said(desk, &(WorldAsk){"release", uid});
	CONTAINS(again, "error: this would send what belongs to others to 1 recipient");
	g_autofree char *states = world_states(w, uid);
	g_assert_cmpstr(states, ==, "released held");
	g_autofree char *named = world_said(desk, &(WorldAsk){"release", uid, .to = "b@beta.example"});
	CONTAINS(named, "done");
	ms_desk_free(desk);
	world_free(w);
}

/* What the directory learns lets later mail go: where that is not one person's to do, neither is
 * this. */
static void test_two_persons_correct(void)
{
	static const struct {
		const char *settings, *of;
		bool two;
	} rows[] = {
		{"", "bills", false},
		{" release-others = second-person\n", "bills", true},
		{" two-person-policies = {\"bills\"}\n", "bills", true},
		{" two-person-policies = {\"bills\"}\n", "letters", false},
		{" two-person-above = 0\n", "bills", false}, /* of how many it lets go nobody knows */
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		World *w = world_new("", rows[i].settings);
		MsDesk *desk = world_desk(w);
		const WorldHold hold = {.body = "customer number: C-10001", .to = one_wrong, .n = 1,
			.policies = rows[i].of};
		g_autofree char *one = world_hold(w, &hold), *two = world_hold(w, &hold);
		g_autofree char *said = world_said(desk,
			&(WorldAsk){"may-receive", one, .to = "b@beta.example", .account = "AC-1"});
		g_autofree char *judged = world_said(desk, &(WorldAsk){"rejudge", two});
		g_test_message("row %zu: %s; %s", i, said, judged);
		g_assert_true(g_str_has_prefix(said, "waiting") == rows[i].two);
		CONTAINS(judged, rows[i].two ? "0 of 1" : "1 of 1");
		if (rows[i].two) {
			g_autoptr(MsRecord) r = world_record(w, one);
			const char *id = ((MsDecision *)r->decisions->pdata[0])->id;
			g_autofree char *herself = agree(desk, id, "anna", true);
			CONTAINS(herself, "another person must agree");
			g_autofree char *agreed = agree(desk, id, "bert", true);
			g_assert_cmpstr(agreed, ==, "done");
			g_autofree char *again = world_said(desk, &(WorldAsk){"rejudge", two});
			CONTAINS(again, "1 of 1");
		}
		ms_desk_free(desk);
		world_free(w);
	}
}

/* Released by right, and judged again while it waits: who has no right any more does not get it. */
static void test_judged_meanwhile(void)
{
	World *w = world_new("", " two-person-above = 0\n");
	MsDesk *desk = world_desk(w);
	g_autofree char *uid = world_hold(
		w, &(WorldHold){.body = "customer number: C-10002", .to = two_right, .n = 2});
	g_autofree char *waits = world_said(desk, &(WorldAsk){"release", uid, .rightful = true});
	g_assert_cmpstr(waits, ==, "waiting: ");
	g_autofree char *judged = world_said(desk, &(WorldAsk){"rejudge", uid});
	g_assert_cmpstr(judged, ==, "done: 0 of 2 recipients may have it");
	g_autoptr(MsRecord) r = world_record(w, uid);
	const MsDecision *d = r->decisions->pdata[0];
	g_autofree char *agreed = agree(desk, d->id, "bert", true);
	g_autofree char *mail = arrived(w), *log = world_log(w), *states = world_states(w, uid);
	g_assert_cmpint(d->state, ==, MS_DECISION_FAILED);
	CONTAINS(d->outcome, "judged again since: ");
	CONTAINS(agreed, "no decision waits");
	g_assert_cmpstr(mail, ==, "");
	g_assert_cmpstr(log, ==, "");
	g_assert_cmpstr(states, ==, "held held");
	ms_desk_free(desk);
	world_free(w);
}

/* Killed between the agreement and what it is for. */
static void do_agree(MsDesk *desk, void *id)
{
	g_autofree G_GNUC_UNUSED char *said = agree(desk, id, "bert", true);
}

static void test_killed_agreeing(void)
{
	World *w = world_new("", " two-person-above = 0\n");
	MsDesk *desk = world_desk(w);
	g_autofree char *one = world_hold(w, &(WorldHold){0});
	g_autofree char *two = world_hold(w, &(WorldHold){0});
	g_autofree char *uids = g_strdup_printf("%s %s", one, two);
	g_autofree G_GNUC_UNUSED char *said = world_said(
		desk, &(WorldAsk){"release", uids, .to = "b@beta.example"});
	g_autoptr(MsRecord) r = world_record(w, one);
	const char *group = ((MsDecision *)r->decisions->pdata[0])->group;
	g_assert_cmpstr(group, !=, "");
	g_assert_true(world_killed(w, "agreed", 1, do_agree, (void *)group));
	ms_desk_work(desk, 1);
	ms_desk_work(desk, 0);
	g_autofree char *mail = arrived(w);
	g_assert_cmpstr(mail, ==,
		"b@beta.example from " WORLD_SENDER ", b@beta.example from " WORLD_SENDER ", ");
	nothing_is_open(w);
	ms_desk_free(desk);
	world_free(w);
}

/* ---- very many ------------------------------------------------------------------------ */

static gint64 spent_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

/* The time of this thread that it takes to decide on, and to agree to, one message for so many,
 * each of them named. */
static gint64 time_for(guint n)
{
	World *w = world_new("", " two-person-above = 0\n");
	MsDesk *desk = world_desk(w);
	g_autofree WorldRecipient *to = g_new0(WorldRecipient, n);
	g_autoptr(GString) names = g_string_new(NULL);
	g_autoptr(GPtrArray) addresses = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < n; i++) {
		/* alike to their ends, as those of one domain are */
		char *address = g_strdup_printf("a-recipient-with-a-long-name-%05u@a.example", i);
		g_ptr_array_add(addresses, address);
		to[i] = (WorldRecipient){address, MS_OUTCOME_RIGHT, ""};
		g_string_append_printf(names, "%s%s", i > 0 ? " " : "", address);
	}
	g_autofree char *uid = world_hold(w, &(WorldHold){.to = to, .n = n});
	gint64 start = spent_us();
	g_autofree char *said = world_said(desk, &(WorldAsk){"release", uid, .to = names->str});
	gint64 spent = spent_us() - start;
	g_assert_true(g_str_has_prefix(said, "waiting: "));
	ms_desk_free(desk);
	world_free(w);
	return spent;
}

/* The strstr() of sanitizers, of which g_strsplit() is made, looks at all of the rest each time. */
#ifdef MS_SANITIZERS
#define FEW 500
#else
#define FEW 4000
#endif

/* Four times as many, about four times the time; by each with each it is sixteen times.  Others use
 * the processor and its caches, too: the least of some. */
static void test_linear(void)
{
	gint64 few = G_MAXINT64, many = G_MAXINT64;
	for (int i = 0; i < 5 && (i == 0 || many >= 9 * few); i++) {
		few = MIN(few, time_for(FEW));
		many = MIN(many, time_for(FEW * 4));
		g_test_message("%" G_GINT64_FORMAT " us, %" G_GINT64_FORMAT " us", few, many);
	}
	g_assert_cmpint(many, <, 12 * few);
}

/* What waits under one name is agreed to as one: where it cannot be written down, nothing is. */
static void test_agreed_as_one(void)
{
	World *w = world_new("", " two-person-above = 2\n");
	MsDesk *desk = world_desk(w);
	g_autofree char *first = world_hold(w, &(WorldHold){0});
	g_autofree char *second = world_hold(w, &(WorldHold){0});
	g_autofree char *both = g_strdup_printf("%s %s", first, second);
	g_autoptr(GPtrArray)
		asked = world_decide(desk, &(WorldAsk){"release", both, .others = 2}, NULL);
	g_assert_cmpuint(asked->len, ==, 2);
	const MsDecision *last = asked->pdata[1];
	g_autofree char *path = g_build_filename(w->state, "held.db", NULL);
	g_autofree char *rule = g_strdup_printf(
		"CREATE TRIGGER no BEFORE UPDATE ON decision WHEN old.id='%s' BEGIN SELECT"
		" RAISE(ABORT, 'no'); END", last->id);
	sqlite3 *db;
	g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_exec(db, rule, NULL, NULL, NULL), ==, SQLITE_OK);
	g_autofree char *failed = agree(desk, last->group, "bert", true);
	CONTAINS(failed, "error");
	g_autoptr(GPtrArray) open = ms_decisions_list(w->ledger, MS_DECISION_WAITING, NULL, NULL);
	g_assert_cmpuint(open->len, ==, 2);
	g_assert_cmpint(sqlite3_exec(db, "DROP TRIGGER no", NULL, NULL, NULL), ==, SQLITE_OK);
	sqlite3_close(db);
	g_autofree char *done = agree(desk, last->group, "bert", true);
	g_assert_cmpstr(done, ==, "done");
	ms_desk_free(desk);
	world_free(w);
}

/* What cannot be brought to an end now keeps nobody else waiting, and whoever carries out does not
 * try it again without a pause. */
static void test_stuck(void)
{
	World *w = world_new("", "");
	MsDesk *desk = world_desk(w);
	g_autofree char *first = world_hold(w, &(WorldHold){0});
	g_autofree char *second = world_hold(w, &(WorldHold){0});
	g_autofree char *path = g_build_filename(w->state, "held.db", NULL);
	g_autofree char *rule = g_strdup_printf(
		"CREATE TRIGGER no BEFORE UPDATE ON decision WHEN old.uid='%s' BEGIN SELECT"
		" RAISE(ABORT, 'no'); END", first);
	sqlite3 *db;
	g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_exec(db, rule, NULL, NULL, NULL), ==, SQLITE_OK);
	ms_desk_leave_work(desk, 0);
	const char *const uids[] = {first, second};
	for (gsize i = 0; i < G_N_ELEMENTS(uids); i++) {
		g_autofree char *said = world_said(desk, &(WorldAsk){"return", uids[i]});
		CONTAINS(said, "approved");
	}
	g_assert_cmpuint(ms_desk_work(desk, 1), ==, 1);
	g_autofree char *states = world_states(w, second);
	g_assert_cmpstr(states, ==, "returned returned returned");
	g_assert_cmpuint(ms_desk_work(desk, 1), ==, 0);
	g_assert_cmpint(sqlite3_exec(db, "DROP TRIGGER no", NULL, NULL, NULL), ==, SQLITE_OK);
	sqlite3_close(db);
	g_assert_cmpuint(ms_desk_work(desk, 0), ==, 1);
	g_assert_cmpuint(ms_desk_work(desk, 0), ==, 0);
	nothing_is_open(w);
	ms_desk_free(desk);
	world_free(w);
}

/* ---- two desks ------------------------------------------------------------------------ */

typedef struct {
	World *w;
	const char *uid;
	gint done;
} Race;

static void *race(void *user)
{
	Race *r = user;
	MsDesk *desk = world_desk(r->w);
	g_autofree char *said = world_said(
		desk, &(WorldAsk){"release", r->uid, .to = "b@beta.example"});
	if (g_str_has_prefix(said, "done"))
		g_atomic_int_inc(&r->done);
	ms_desk_free(desk);
	return NULL;
}

/* Several decide the same at the same moment: it is done once. */
static void test_race(void)
{
	World *w = world_new("", "");
	for (int turn = 0; turn < 5; turn++) {
		g_autofree char *uid = world_hold(w, &(WorldHold){0});
		Race r = {w, uid, 0};
		GThread *threads[4];
		for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
			threads[i] = g_thread_new("race", race, &r);
		for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
			g_thread_join(threads[i]);
		g_autofree char *mail = arrived(w);
		g_assert_cmpstr(mail, ==, "b@beta.example from " WORLD_SENDER ", ");
		g_assert_cmpint(r.done, ==, 1);
	}
	world_free(w);
}

typedef struct {
	MsDesk *desk;
	const char *uid;
	char *said;
} Release;

static void *release_it(void *user)
{
	Release *r = user;
	r->said = world_said(r->desk, &(WorldAsk){"release", r->uid, .to = "b@beta.example"});
	return NULL;
}

/* Lock files that somebody took away while a desk was open: it locks what others lock now, not
 * what it had opened. */
static void test_lock_removed(void)
{
	static const char *const locks[] = {"decide.lock", "note.lock", "desk.lock"};
	World *w = world_new("", "");
	MsDesk *desk = world_desk(w);
	for (gsize i = 0; i < G_N_ELEMENTS(locks); i += 2) {
		g_autofree char *path = g_build_filename(w->state, locks[i], NULL);
		g_autofree char *uid = world_hold(w, &(WorldHold){0});
		g_assert_cmpint(unlink(path), ==, 0);
		int other = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
		g_assert_cmpint(flock(other, LOCK_EX), ==, 0);
		Release r = {desk, uid, NULL};
		GThread *thread = g_thread_new("release", release_it, &r);
		g_usleep(300000);
		g_autofree char *nothing = arrived(w);
		g_assert_cmpstr(nothing, ==, "");
		close(other);
		g_thread_join(thread);
		g_autofree char *mail = arrived(w);
		g_assert_cmpstr(mail, ==, "b@beta.example from " WORLD_SENDER ", ");
		g_assert_true(g_str_has_prefix(r.said, "done"));
		g_free(r.said);
	}
	ms_desk_free(desk);
	world_free(w);
}

/* Another process that has a lock, and keeps it: who asks is told so after his time, nothing was
 * done, and what he then asks for again is done. */
static void test_lock_kept(void)
{
	static const char *const locks[] = {"decide.lock", "desk.lock"};
	World *w = world_new("", "");
	MsDesk *desk = world_desk(w);
	desk->lock_ms = 300;
	for (gsize i = 0; i < G_N_ELEMENTS(locks); i++) {
		g_autofree char *path = g_build_filename(w->state, locks[i], NULL);
		g_autofree char *uid = world_hold(w, &(WorldHold){0});
		int other = open(path, O_RDWR | O_CLOEXEC);
		g_assert_cmpint(flock(other, LOCK_EX), ==, 0);
		gint64 start = g_get_monotonic_time();
		g_autofree char *said = world_said(
			desk, &(WorldAsk){"release", uid, .to = "b@beta.example"});
		g_assert_cmpint(g_get_monotonic_time() - start, >=, 290 * 1000);
		g_autofree char *nothing = arrived(w);
		g_assert_cmpstr(nothing, ==, "");
		g_test_message("%s: %s", locks[i], said);
		g_assert_false(g_str_has_prefix(said, "done"));
		close(other);
		ms_desk_work(desk, 0);
		g_autofree char *again G_GNUC_UNUSED = world_said(
			desk, &(WorldAsk){"release", uid, .to = "b@beta.example"});
		g_autofree char *mail = arrived(w);
		g_assert_cmpstr(mail, ==, "b@beta.example from " WORLD_SENDER ", ");
	}
	ms_desk_free(desk);
	world_free(w);
}

/* Who asks leaves the work to another thread, as in an agent. */
static void *carry(void *desk)
{
	ms_desk_await(desk, 10000);
	ms_desk_work(desk, 0);
	return NULL;
}

static void test_left(void)
{
	World *w = world_new("", "");
	MsDesk *desk = world_desk(w);
	g_autofree char *uid = world_hold(w, &(WorldHold){0});
	ms_desk_leave_work(desk, 10000);
	GThread *thread = g_thread_new("carry", carry, desk);
	g_autofree char *said = world_said(desk, &(WorldAsk){"delete", uid});
	g_assert_cmpstr(said, ==, "done: ");
	g_thread_join(thread);
	/* Nobody does it in time: it is said that it is being done, and it is done later. */
	g_autofree char *later = world_hold(w, &(WorldHold){0});
	ms_desk_leave_work(desk, 50);
	g_autofree char *waits = world_said(desk, &(WorldAsk){"delete", later});
	g_assert_cmpstr(waits, ==, "approved: ");
	g_assert_cmpuint(ms_desk_work(desk, 0), ==, 1);
	g_autofree char *states = world_states(w, later);
	g_assert_cmpstr(states, ==, "deleted deleted deleted");
	ms_desk_free(desk);
	world_free(w);
}

/* ---- judged again --------------------------------------------------------------------- */

/* A policy that asks for more than the record keeps of the session is for the message all the
 * same. */
static void test_rejudge_policies(void)
{
	static const struct {
		const char *policy, *sender, *said;
	} rows[] = {
		{"sender = {\"billing@seller.example\"}", NULL,
			"done: 1 of 3 recipients may have it"},
		{"sender = {\"billing@seller.example\"}", "",
			"done: 1 of 3 recipients may have it"},
		{"auth-user = {\"billing\"}", NULL, "done: 1 of 3 recipients may have it"},
		{"networks = {\"192.0.2.0/24\"}", NULL, "done: 1 of 3 recipients may have it"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		World *w = world_new("", "");
		g_autofree char *policy = g_strdup_printf(
			"policy \"invoices\" {\n %s\n kinds = {\"customer-number\"}\n}\n",
			rows[i].policy);
		world_file(w, "policies/invoices.conf", policy);
		MsDesk *desk = world_desk(w);
		g_autofree char *uid = world_hold(w, &(WorldHold){.sender = rows[i].sender});
		g_autofree char *said = world_said(desk, &(WorldAsk){"rejudge", uid});
		g_assert_cmpstr(said, ==, rows[i].said);
		/* One of a policy that is no more: nobody looks, so nobody is right. */
		g_autofree char *other = world_hold(
			w, &(WorldHold){.sender = "x@seller.example", .policies = "gone"});
		g_autofree char *none = world_said(desk, &(WorldAsk){"rejudge", other});
		CONTAINS(none, "failed: ");
		CONTAINS(none, "no policy of today is for it");
		ms_desk_free(desk);
		world_free(w);
	}
}

/* What is gone is judged by what the record has: it shows who must not have it; who may, only
 * where the record names all that was found.  All are told by which, and what was before. */
typedef struct {
	const char *name, *codes;
	WorldRecipient to;
	WorldFinding found[2];
	MsOutcome want;
	const char *more; /* rows of the mapping of today */
	guint n_more;     /* further findings that the record names */
} DigestRow;

static const DigestRow digest_rows[] = {
	{"as it was", "mismatch", {"a@alpha.example", MS_OUTCOME_RIGHT, "AC-1"},
		{{"r1", "AC-1", "o"}}, MS_OUTCOME_RIGHT, "", 0},
	{"another's", "mismatch", {"a@alpha.example", MS_OUTCOME_RIGHT, "AC-1"},
		{{"r1", "AC-1", "o"}, {"r2", "AC-2", "x"}}, MS_OUTCOME_WRONG, "", 0},
	{"may receive now", "mismatch", {"a@alpha.example", MS_OUTCOME_WRONG, "AC-1"},
		{{"r1", "AC-1", "o"}, {"r2", "AC-2", "x"}}, MS_OUTCOME_RIGHT,
		"AC-2,recipient,a@alpha.example\n", 0},
	{"may receive now, of many", "mismatch", {"a@alpha.example", MS_OUTCOME_WRONG, "AC-1"},
		{{"r2", "AC-2", "x"}}, MS_OUTCOME_WRONG, "AC-2,recipient,a@alpha.example\n", 100},
	{"may receive now, unread", "mismatch, unreadable",
		{"a@alpha.example", MS_OUTCOME_WRONG, "AC-1"}, {{"r2", "AC-2", "x"}},
		MS_OUTCOME_WRONG, "AC-2,recipient,a@alpha.example\n", 0},
	{"may receive now, contradiction", "contradiction, mismatch",
		{"a@alpha.example", MS_OUTCOME_UNPROVEN, "AC-1"}, {{"r1", "AC-1", "o"}},
		MS_OUTCOME_UNPROVEN, "", 0},
	{"may receive now, names cut", "mismatch", {"a@alpha.example", MS_OUTCOME_WRONG, "AC-1"},
		{{"r2", "AC-7, AC-8 and 3 more", "x"}}, MS_OUTCOME_WRONG, "", 0},
	{"known now", "unknown-recipient", {"n@nobody.example", MS_OUTCOME_UNKNOWN_RECIPIENT, ""},
		{{"r1", "AC-3", "?"}}, MS_OUTCOME_RIGHT, "AC-3,recipient,n@nobody.example\n", 0},
	{"may receive now, a name with a comma", "mismatch",
		{"a@alpha.example", MS_OUTCOME_WRONG, "AC-1"}, {{"r2", "\"Meyer, Hans\"", "x"}},
		MS_OUTCOME_RIGHT, "\"Meyer, Hans\",recipient,a@alpha.example\n", 0},
	{"another's, whose name has his in it", "mismatch",
		{"a@alpha.example", MS_OUTCOME_WRONG, "AC-1"}, {{"r2", "\"Meyer, AC-1\"", "x"}},
		MS_OUTCOME_WRONG, "", 0},
	{"as it was, names cut", "mismatch",
		{"a@alpha.example", MS_OUTCOME_RIGHT, "AC-1 and 2 more"}, {{"r1", "AC-4", "o"}},
		MS_OUTCOME_WRONG, "", 0},
	{"known now, of another", "unknown-recipient",
		{"n@nobody.example", MS_OUTCOME_UNKNOWN_RECIPIENT, ""}, {{"r1", "AC-3", "?"}},
		MS_OUTCOME_WRONG, "AC-2,recipient,n@nobody.example\n", 0},
	{"no longer known", "mismatch", {"z@zeta.example", MS_OUTCOME_RIGHT, "AC-9"},
		{{"r1", "AC-9", "o"}}, MS_OUTCOME_UNKNOWN_RECIPIENT, "", 0},
	{"nothing of his", "mismatch", {"a@alpha.example", MS_OUTCOME_RIGHT, "AC-1"},
		{{"r1", "", "?"}}, MS_OUTCOME_UNPROVEN, "", 0},
	{"by delegation", "mismatch", {"a@alpha.example", MS_OUTCOME_RIGHT, "AC-1"},
		{{"r1", "AC-4", "o"}}, MS_OUTCOME_RIGHT, "AC-1,receives-for,AC-4\n", 0},
	{"by a delegation that was taken back", "mismatch",
		{"a@alpha.example", MS_OUTCOME_RIGHT, "AC-1"}, {{"r1", "AC-4", "o"}},
		MS_OUTCOME_WRONG, "", 0},
	{"by delegation now", "mismatch", {"a@alpha.example", MS_OUTCOME_WRONG, "AC-1"},
		{{"r1", "AC-1", "o"}, {"r2", "AC-4", "x"}}, MS_OUTCOME_RIGHT,
		"AC-1,receives-for,AC-4\n", 0},
	{"received for him, not by him", "mismatch", {"a@alpha.example", MS_OUTCOME_WRONG, "AC-1"},
		{{"r2", "AC-4", "x"}}, MS_OUTCOME_WRONG, "AC-4,receives-for,AC-1\n", 0},
	{"by another's delegation", "mismatch", {"a@alpha.example", MS_OUTCOME_WRONG, "AC-1"},
		{{"r2", "AC-4", "x"}}, MS_OUTCOME_WRONG, "AC-2,receives-for,AC-4\n", 0},
	{"of the house", "mismatch", {"s@seller.example", MS_OUTCOME_RIGHT, "house"},
		{{"r2", "AC-2", "x"}}, MS_OUTCOME_RIGHT, "", 0},
	{"the house's", "mismatch", {"a@alpha.example", MS_OUTCOME_RIGHT, "AC-1"},
		{{"r1", "AC-1", "o"}, {"r2", "house", "h"}}, MS_OUTCOME_RIGHT, "", 0},
};

static void test_by_record(gconstpointer data)
{
	const DigestRow *row = data;
	World *w = world_new("", "");
	g_autofree char *rows = g_strconcat(
		"AC-1,recipient,a@alpha.example\nAC-2,recipient,@beta.example\n"
		"house,recipient,@seller.example\n",
		row->more, NULL);
	world_mapping(w, rows);
	WorldFinding found[102] = {row->found[0], row->found[1]};
	guint n = row->found[1].ref != NULL ? 2 : 1;
	for (guint i = 0; i < row->n_more; i++)
		found[n++] = (WorldFinding){"more", "AC-1", "o"};
	g_autofree char *uid = world_hold(w,
		&(WorldHold){.to = &row->to,
			.n = 1,
			.gone = true,
			.codes = row->codes,
			.found = found,
			.n_found = n});
	MsDesk *desk = world_desk(w);
	g_autofree char *said = world_said(desk, &(WorldAsk){"rejudge", uid});
	CONTAINS(said, "done: ");
	CONTAINS(said, "judged by the record alone, since the message cannot be read (");
	g_autoptr(MsRecord) r = world_record(w, uid);
	const MsHeldRecipient *to = r->recipients->pdata[0];
	g_assert_cmpstr(ms_outcome_names[to->outcome], ==, ms_outcome_names[row->want]);
	const MsAct *act = r->acts->pdata[0];
	g_autofree char *change = g_strdup_printf("%s: %s, now %s", row->to.address,
		ms_outcome_names[row->to.outcome], ms_outcome_names[row->want]);
	CONTAINS(act->why, row->want == row->to.outcome ? "as before" : change);
	CONTAINS(act->why, "by the record alone");
	ms_desk_free(desk);
	world_free(w);
}

/* ---- as JSON -------------------------------------------------------------------------- */

static void test_requests(void)
{
	static const struct {
		const char *ask, *want; /* "*" in `ask`: the uid */
	} rows[] = {
		{"", "the request is no JSON"},
		{"[]", "the request is no JSON object"},
		{"{\"do\":\"decide\",\"do\":\"decide\"}", "the request is no JSON: duplicate"},
		{"{}", "do: \\\"\\\" is an empty word"},
		{"{\"do\":7}", "do: \\\"\\\" is an empty word"},
		{"{\"do\":\"decide\"}", "\"ok\":false"},
		{"{\"do\":\"decide\",\"verb\":\"release\",\"uids\":[],\"recipients\":[],\"who\":\"anna\"}",
			"\"ok\":false"},
		{"{\"do\":\"decide\",\"verb\":\"release\",\"uids\":[\"\"],\"recipients\":[],\"who\":\"anna\"}",
			"\"ok\":false"},
		{"{\"do\":\"decide\",\"verb\":\"release\",\"uids\":[\"*\"],\"recipients\":[\"\"],\"who\":\"anna\"}",
			"\"ok\":false"},
		{"{\"do\":\"decide\",\"verb\":\"release\",\"uids\":[\"*\"],\"recipients\":[],\"who\":\"\"}",
			"\"ok\":false"},
		{"{\"do\":\"agree\",\"id\":\"\",\"who\":\"bert\",\"agrees\":true}", "\"ok\":false"},
		{"{\"do\":\"evidence\",\"uid\":\"0000\",\"who\":\"anna\"}", "\"ok\":false"},
		{"{\"do\":\"part\",\"uid\":\"0000\",\"path\":\"1\",\"who\":\"anna\"}",
			"\"ok\":false"},
		{"{\"do\":\"decide\",\"verb\":\"note\",\"uids\":[\"*\"],\"recipients\":[],\"who\":\"anna\",\"why\":\"seen\","
		 "\"id\":\"once\"}",
			"\"state\":\"done\""},
		{"{\"do\":\"decide\",\"verb\":\"note\",\"uids\":[\"*\"],\"recipients\":[],\"who\":\"anna\",\"why\":\"seen\","
		 "\"id\":\"once\"}",
			"\"state\":\"done\""},
		{"{\"do\":\"decide\",\"verb\":\"release\",\"uids\":[\"*\"],\"recipients\":[\"a@alpha.example\"],"
		 "\"who\":\"anna\",\"why\":\"fine\"}",
			"\"state\":\"done\""},
	};
	World *w = world_new("", "");
	MsDesk *desk = world_desk(w);
	g_autofree char *uid = world_hold(w, &(WorldHold){0});
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *ask = with_id(rows[i].ask, uid);
		char *copy = exact_copy(ask, strlen(ask));
		g_autofree char *got = ms_desk_request(desk, copy, strlen(ask));
		free(copy);
		CONTAINS(got, rows[i].want);
	}
	g_autoptr(MsRecord) r = world_record(w, uid);
	guint notes = 0; /* the same request twice is one */
	for (guint i = 0; i < r->decisions->len; i++)
		notes += ((MsDecision *)r->decisions->pdata[i])->verb == MS_VERB_NOTE;
	g_assert_cmpuint(notes, ==, 1);
	ms_desk_free(desk);
	world_free(w);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(verb_rows); i++) {
		g_autofree char *path = g_strdup_printf("/desk/verb/%s", verb_rows[i].name);
		g_test_add_data_func(path, &verb_rows[i], test_verb);
		g_autofree char *alone = g_strconcat(path, ", alone", NULL);
		if (verb_rows[i].hold.spooled && !verb_rows[i].hold.gone)
			g_test_add_data_func(alone, &verb_rows[i], test_spooled_alone);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(crash_rows); i++) {
		g_autofree char *path = g_strdup_printf("/desk/killed/%s", crash_rows[i].name);
		g_test_add_data_func(path, &crash_rows[i], test_killed);
		g_autofree char *want = g_strdup_printf("/desk/want/%s", crash_rows[i].name);
		g_test_add_data_func(want, &crash_rows[i], test_want);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(queue_rows); i++) {
		g_autofree char *path = g_strdup_printf("/desk/queue/%s", queue_rows[i].name);
		g_test_add_data_func(path, &queue_rows[i], test_queue);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(digest_rows); i++) {
		g_autofree char *path = g_strdup_printf(
			"/desk/rejudge/gone/%s", digest_rows[i].name);
		g_test_add_data_func(path, &digest_rows[i], test_by_record);
	}
	g_test_add_func("/desk/corrected", test_corrected);
	g_test_add_func("/desk/smtp", test_smtp);
	g_test_add_func("/desk/smtp/refused-words", test_refused_words);
	g_test_add_func("/desk/smtp/unclear", test_unclear);
	g_test_add_func("/desk/smtp/other-mta", test_other_mta);
	g_test_add_func("/desk/smtp/other-letters", test_other_letters);
	g_test_add_func("/desk/queue/used-again", test_used_again);
	g_test_add_func("/desk/spool/damaged", test_damaged_copy);
	g_test_add_func("/desk/spool/moved-half", test_moved_half);
	g_test_add_func("/desk/spool/moved-let-go", test_moved_let_go);
	g_test_add_func("/desk/told", test_told);
	g_test_add_func("/desk/group", test_group);
	g_test_add_func("/desk/many-recipients", test_many_recipients);
	g_test_add_func("/desk/two-persons", test_two_persons);
	g_test_add_func("/desk/two-persons-policies", test_two_person_policies);
	g_test_add_func("/desk/rest", test_rest);
	g_test_add_func("/desk/two-persons-correct", test_two_persons_correct);
	g_test_add_func("/desk/two-persons/judged-meanwhile", test_judged_meanwhile);
	g_test_add_func("/desk/aged", test_aged);
	g_test_add_func("/desk/two-persons/killed", test_killed_agreeing);
	g_test_add_func("/desk/many/linear", test_linear);
	g_test_add_func("/desk/two-persons/as-one", test_agreed_as_one);
	g_test_add_func("/desk/stuck", test_stuck);
	g_test_add_func("/desk/two-desks", test_race);
	g_test_add_func("/desk/two-desks/lock-removed", test_lock_removed);
	g_test_add_func("/desk/two-desks/lock-kept", test_lock_kept);
	g_test_add_func("/desk/left", test_left);
	g_test_add_func("/desk/rejudge/policies", test_rejudge_policies);
	g_test_add_func("/desk/requests", test_requests);
	return g_test_run();
}
