/* Words, verbs, what is asked, and the database between versions and with damage in it: rows. */
#include "config.h"

#include <jansson.h>

#include "missent/answer.h"
#include "missent/ask.h"
#include "missent/decision.h"
#include "missent/store.h"

#include "../test.h"

static char *dir;

#define CONTAINS(text, part)                                                                      \
	do {                                                                                      \
		if (strstr(text, part) == NULL)                                                   \
			g_error("%s:%d: got \"%s\", want \"...%s...\"", __FILE__, __LINE__, text, \
				part);                                                            \
	} while (0)

/* Is it refused with words that have `want` in them; "": it is taken. */
static void look_at(bool fine, const GError *error, const char *want)
{
	if (*want == '\0') {
		g_assert_no_error(error);
		g_assert_true(fine);
		return;
	}
	g_assert_false(fine);
	g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
	CONTAINS(error->message, want);
}

#define EXPECT(call, want) \
	do { \
		bool fine_ = (call); /* before its error is looked at */ \
		look_at(fine_, error, want); \
	} while (0)

/* ---- words ---------------------------------------------------------------------------- */

static void test_empty(void)
{
	static const char *const empty[] = {"", " ", "\t \n", "\xc2\xa0", "\xe2\x80\x8b", NULL};
	for (int kind = 0; kind < MS_N_WORD_KINDS; kind++)
		for (gsize i = 0; i < G_N_ELEMENTS(empty); i++) {
			g_autoptr(GError) error = NULL;
			g_autofree char *copy = empty[i] != NULL
				? exact_copy(empty[i], strlen(empty[i]) + 1)
				: NULL;
			EXPECT(ms_word_check((MsWordKind)kind, "--to", copy, &error),
				"is an empty word");
		}
}

static void test_words(void)
{
	static const struct {
		MsWordKind kind;
		const char *word, *want;
	} rows[] = {
		{MS_WORD_MESSAGE, "4jXfpR2nhgz1bY3s", ""},
		{MS_WORD_MESSAGE, "../held", "is no ID"},
		{MS_WORD_MESSAGE, "A1 B2", "is no ID"},
		{MS_WORD_DECISION, "721a0d4285ff18a7", ""},
		{MS_WORD_DECISION, "<x>", "is no ID"},
		{MS_WORD_ADDRESS, "anna@customer.example", ""},
		{MS_WORD_ADDRESS, "root", ""},
		{MS_WORD_ADDRESS, "\"anna b\"@customer.example", ""},
		{MS_WORD_ADDRESS, "anna@x\nbert@x", "has control characters"},
		{MS_WORD_MAILBOX, "anna@customer.example", ""},
		{MS_WORD_MAILBOX, "@customer.example", ""},
		{MS_WORD_MAILBOX, "anna", "is no address"},
		{MS_WORD_MAILBOX, "anna@", "is no address"},
		{MS_WORD_MAILBOX, "anna@a b", "is no address"},
		/* its last part is one: the directory refuses it */
		{MS_WORD_MAILBOX, "anna@a, bert@b", ""},
		{MS_WORD_ACCOUNT, "CUST 0220", ""},
		{MS_WORD_ACCOUNT, "A\tB", "has control characters"},
		{MS_WORD_IDENTIFIER, "49869ee1406920029423e980", ""},
		{MS_WORD_IDENTIFIER, "REF AC-1", "is no reference"},
		{MS_WORD_PERSON, "anna via billing", ""},
		{MS_WORD_PERSON, "an\x7fna", "has control characters"},
		{MS_WORD_PART, "1.2", ""},
		{MS_WORD_PART, "1/../2", "is no part"},
		{MS_WORD_TEXT, "two\nlines", ""},
		{MS_WORD_TEXT, "a bell \a", "has control characters"},
		{MS_WORD_TEXT, "\xff", "is no UTF-8"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		char *copy = exact_copy(rows[i].word, strlen(rows[i].word) + 1);
		EXPECT(ms_word_check(rows[i].kind, "field", copy, &error), rows[i].want);
		free(copy);
	}
	for (int kind = 0; kind < MS_N_WORD_KINDS; kind++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *longest = g_strnfill(MS_WORD_TEXT_MAX + 1, '1');
		EXPECT(ms_word_check((MsWordKind)kind, "field", longest, &error), "is too long");
	}
}

static void test_choices(void)
{
	static const struct {
		const char *word, *want;
	} rows[] = {{"mismatch", ""}, {"mismach", "did you mean \"mismatch\"?"},
		{"Mismatch", "did you mean \"mismatch\"?"},
		{"something else", "is none of mismatch, unproven"}, {"", "is an empty word"}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		int place = -1;
		EXPECT(ms_word_choose(ms_reason_names, "--reason", rows[i].word, &place, &error),
			rows[i].want);
		g_assert_cmpint(place, ==, *rows[i].want == '\0' ? 0 : -1);
	}
}

/* ---- the table ------------------------------------------------------------------------ */

static void test_table(void)
{
	for (int i = 0; i < MS_VERB_UNKNOWN; i++) {
		const MsVerbRow *row = &ms_verbs[i];
		g_autoptr(GError) error = NULL;
		MsVerb verb = MS_VERB_UNKNOWN;
		g_assert_true(ms_verb_parse("verb", row->name, &verb, &error));
		g_assert_cmpint(verb, ==, i);
		g_assert_cmpint(ms_verb_named(row->name), ==, i);
		g_assert_true(
			*row->help != '\0' && *row->arguments != '\0' && row->role < MS_N_ROLES);
		/* What is final ends in another state, and only from held; nothing else does. */
		g_assert_cmpint(row->final, ==, row->to >= 0);
		if (row->final)
			g_assert_cmpuint(row->from, ==, 1u << MS_STATE_HELD);
		/* What lets mail go asks to know what is in it. */
		g_assert_false(row->to == MS_STATE_RELEASED && row->of_damaged);
		for (const MsVerbSay *a = row->says; a->option != NULL; a++)
			for (const MsVerbSay *b = a + 1; b->option != NULL; b++)
				g_assert_cmpstr(a->option, !=, b->option);
	}
	static const struct {
		const char *word, *want;
	} rows[] = {{"relase", "did you mean \"release\"?"}, {"unknown", "is none of"},
		{"Release", "did you mean"}, {"release ", "did you mean"},
		{"", "is an empty word"}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		MsVerb verb;
		EXPECT(ms_verb_parse("verb", rows[i].word, &verb, &error), rows[i].want);
		g_assert_cmpint(ms_verb_named(rows[i].word), ==, MS_VERB_UNKNOWN);
	}
}

/* ---- what is asked -------------------------------------------------------------------- */

#define DECIDE "{\"do\":\"decide\",\"who\":\"anna\",\"uids\":[\"A1\"],"

static void test_asks(void)
{
	static const struct {
		const char *json, *want;
	} rows[] = {
		{DECIDE "\"verb\":\"release\"}", ""},
		{DECIDE "\"verb\":\"release\",\"recipients\":[],\"rightful\":false,\"later\":true,\"total\":3,\"others\":2}",
			""},
		{DECIDE "\"verb\":\"release\",\"recipients\":[\"a@x\"],\"why\":\"asked\",\"id\":\"once\"}",
			""},
		{DECIDE "\"verb\":\"relase\"}", "verb: \"relase\" is none of"},
		{DECIDE "\"verb\":\"\"}", "verb: \"\" is an empty word"},
		{DECIDE "\"verb\":7}", "verb: is no text"},
		{DECIDE "\"verb\":\"agree\"}", "agree: is nothing that is decided of a message"},
		{DECIDE "\"verb\":\"release\",\"recipients\":[\"\"]}",
			"recipients: \"\" is an empty word"},
		{DECIDE "\"verb\":\"release\",\"recipients\":\"a@x\"}", "recipients: is no list"},
		{DECIDE "\"verb\":\"release\",\"recipients\":[7]}",
			"recipients: has something in it that is no text"},
		{DECIDE "\"verb\":\"release\",\"recipient\":[\"a@x\"]}",
			"key: \"recipient\" is none of this request; did you mean \"recipients\"?"},
		{DECIDE "\"verb\":\"release\",\"rightful\":\"yes\"}",
			"rightful: is neither true nor false"},
		{DECIDE "\"verb\":\"release\",\"rightful\":true,\"recipients\":[\"a@x\"]}",
			"either to those with a right"},
		{DECIDE "\"verb\":\"release\",\"total\":-1}", "total: is no number from 0"},
		{DECIDE "\"verb\":\"release\",\"total\":1e3}", "total: is no number"},
		{DECIDE "\"verb\":\"release\",\"why\":\"\"}", "why: \"\" is an empty word"},
		{DECIDE "\"verb\":\"release\",\"why\":null}", "why: is no text"},
		{DECIDE "\"verb\":\"release\",\"account\":\"AC-1\"}",
			"release: account cannot be said with it"},
		{DECIDE "\"verb\":\"return\",\"others\":1}",
			"return: others cannot be said with it"},
		{DECIDE "\"verb\":\"delete\",\"rightful\":true}",
			"delete: rightful cannot be said with it"},
		{DECIDE "\"verb\":\"note\"}", "note: why is needed"},
		{DECIDE "\"verb\":\"assign\"}", ""}, /* to nobody */
		{DECIDE "\"verb\":\"assign\",\"assignee\":\"\"}",
			"assignee: \"\" is an empty word"},
		{DECIDE "\"verb\":\"belongs\",\"identifier\":\"ref\"}",
			"belongs: account is needed"},
		{DECIDE "\"verb\":\"belongs\",\"account\":\"AC-1\"}",
			"belongs: identifier is needed"},
		{DECIDE "\"verb\":\"belongs\",\"account\":\"AC-1\",\"identifier\":\"ref\"}", ""},
		{DECIDE "\"verb\":\"may-receive\",\"account\":\"AC-1\"}",
			"may-receive: recipients is needed"},
		{DECIDE "\"verb\":\"may-receive\",\"account\":\"AC-1\",\"recipients\":[\"anna\"]}",
			"recipients: \"anna\" is no address"},
		{DECIDE "\"verb\":\"may-receive\",\"account\":\"AC-1\",\"recipients\":[\"@a.example\"]}",
			""},
		{"{\"do\":\"decide\",\"verb\":\"release\",\"who\":\"anna\"}", "uids: is missing"},
		{"{\"do\":\"decide\",\"verb\":\"release\",\"who\":\"anna\",\"uids\":[]}",
			"a decision is about 1 to 10000 messages"},
		{"{\"do\":\"decide\",\"verb\":\"release\",\"who\":\"anna\",\"uids\":[\" \"]}",
			"is an empty word"},
		{"{\"do\":\"decide\",\"verb\":\"release\",\"who\":\"\",\"uids\":[\"A1\"]}",
			"who: \"\" is an empty word"},
		{"{\"do\":\"decide\",\"verb\":\"release\",\"uids\":[\"A1\"]}",
			"who: \"\" is an empty word"},
		{"[]", "the request is no JSON object"},
		{"7", "the request is no JSON object"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		json_t *json = json_loads(rows[i].json, JSON_DECODE_ANY, NULL);
		g_assert_nonnull(json);
		g_auto(MsAsk) ask = {.uids = NULL};
		bool fine = ms_ask_from_json(json, &ask, &error) && ms_ask_check(&ask, &error);
		g_test_message("%s", rows[i].json);
		look_at(fine, error, rows[i].want);
		if (fine) { /* and the same again */
			g_auto(MsAsk) again = {.uids = NULL};
			json_t *out = ms_ask_to_json(&ask);
			g_assert_true(ms_ask_from_json(out, &again, &error));
			json_t *same = ms_ask_to_json(&again);
			g_assert_true(json_equal(out, same));
			json_decref(same);
			json_decref(out);
		}
		json_decref(json);
	}
}

/* ---- filters -------------------------------------------------------------------------- */

/* The number that is said is that of all hosts, and each is told its own. */
static void test_others(void)
{
	static const struct {
		guint said;
		MsAskOthers of[3];
		guint n, shares[3];
		const char *want; /* "": it is right */
	} rows[] = {
		{5, {{3, 3, 1}, {2, 2, 1}}, 2, {3, 2}, ""},
		{5, {{3, 3, 1}, {0, 0, 0}, {2, 2, 2}}, 3, {3, 0, 2}, ""},
		{3, {{3, 3, 1}, {3, 3, 1}}, 2, {0}, "to 6 recipients of 2 hosts"},
		{3, {{3, 3, 1}, {2, 2, 1}}, 2, {0}, "others 3 was said"},
		/* those who are not named, or all */
		{2, {{3, 1, 1}, {2, 1, 1}}, 2, {1, 1}, ""},
		{5, {{3, 1, 1}, {2, 1, 1}}, 2, {3, 2}, ""},
		{4, {{3, 1, 1}, {2, 1, 1}}, 2, {0}, "to 2 recipients"},
		{1, {{0, 0, 0}, {0, 0, 0}}, 2, {0}, "to 0 recipients"},
		/* it is for the host to say so */
		{0, {{3, 3, 1}, {2, 2, 1}}, 2, {0, 0}, ""},
		{7, {{3, 3, 1}}, 1, {7}, ""},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const MsAsk ask = {.verb = MS_VERB_RELEASE, .others = rows[i].said};
		guint shares[3] = {0};
		g_autoptr(GError) error = NULL;
		bool fine = ms_ask_share_others(&ask, rows[i].of, rows[i].n, shares, &error);
		g_test_message("row %zu: %s", i, error != NULL ? error->message : "fine");
		look_at(fine, error, rows[i].want);
		for (guint k = 0; k < rows[i].n; k++)
			g_assert_cmpuint(shares[k], ==, rows[i].shares[k]);
	}
}

static void test_filters(void)
{
	static const struct {
		const char *name, *value, *want;
	} rows[] = {
		{"reason", "mismatch", ""},
		{"reason", "mismach", "reason: \"mismach\" is none of"},
		{"older", "3d", ""},
		{"older", "3 days", "is no age"},
		{"newer", "-3h", "is no age"},
		{"newer", "3", "is no age"},
		{"older", "99999999999999999999d", "is no age"},
		{"state", "released", ""},
		{"state", "all", ""},
		{"state", "relased", "did you mean \"released\"?"},
		{"sort", "size", ""},
		{"sort", "seize", "did you mean \"size\"?"},
		{"sender", "@seller", ""},
		{"account", "AC-1", ""},
		{"cause", "mismatch, for wrong", ""},
		{"colour", "red", "is nothing that a list can be narrowed by"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		MsRecordFilter filter = {.state = MS_STATE_HELD};
		bool fine = ms_filter_take(&filter, rows[i].name, rows[i].value, &error) &&
			ms_filter_check(&filter, &error);
		look_at(fine, error, rows[i].want);
	}
	g_autofree char *path = g_build_filename(dir, "filters.db", NULL);
	g_autoptr(MsLedger) ledger = ms_ledger_open(path, NULL);
	for (const MsFilterWord *word = ms_filter_words; word->name != NULL; word++) {
		g_autoptr(GError) error = NULL;
		MsRecordFilter filter = {.state = MS_STATE_HELD};
		EXPECT(ms_filter_take(&filter, word->name, "", &error), "is an empty word");
		g_assert_cmpint(filter.state, ==, MS_STATE_HELD);
	}
	/* One that was filled in by hand is looked at too. */
	const MsRecordFilter empty[] = {{.state = -1, .sender = ""}, {.state = -1, .cause = " "},
		{.state = -1, .host = ""}, {.state = -1, .search = ""}, {.state = -1, .reason = ""},
		{.state = -1, .assignee = ""}};
	for (gsize i = 0; i < G_N_ELEMENTS(empty); i++) {
		g_autoptr(GError) error = NULL;
		g_assert_null(ms_records_list(ledger, &empty[i], &error));
		g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
		g_assert_cmpint(ms_records_count(ledger, &empty[i], 0, NULL), ==, -1);
	}
}

/* ---- the database between versions ---------------------------------------------------- */

static MsRecord *record(const char *queue_id)
{
	MsRecord *r = ms_record_new();
	r->host = g_strdup("mx");
	r->queue_id = g_strdup(queue_id);
	r->sender = g_strdup("x@s.example");
	r->digest = g_strdup("00");
	r->arrived = 1000;
	ms_record_recipient(r, "a@x.example", MS_STATE_HELD, MS_OUTCOME_RIGHT, "AC-1");
	ms_record_recipient(r, "b@x.example", MS_STATE_HELD, MS_OUTCOME_WRONG, "AC-2");
	ms_record_finding(r,
		(MsHeldFinding){(char *)"iban", (char *)"DE****00", (char *)"ref1", (char *)"AC-2",
			(char *)"exact", (char *)"part 2", 3, (char *)"xo"});
	return r;
}

static void sql(const char *path, gint32 id, const char *statement)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsSqlite) db = ms_sqlite_open(path, id, "", true, NULL, &error);
	g_assert_no_error(error);
	ms_sqlite_ask(db, statement, NULL, NULL, NULL, NULL, &error);
	g_assert_no_error(error);
}

/* As it was: a decision's row, what was said in its outcome. */
static void add_old_decision(const char *path, gint32 id, const char *name, const char *uid,
	const char *verb, const char *state, const char *outcome)
{
	g_autofree char *statement = g_strdup_printf(
		"INSERT INTO decision (id, uid, grp, verb, recipients, who, second, why, outcome, token, step, at, state) VALUES ('%s', '%s', '', '%s', '', 'anna', '',"
		" 'because', '%s', '', '', 5, '%s')",
		name, uid, verb, outcome, state);
	sql(path, id, statement);
}

#define MSH2 0x6d736832
#define MSH3 0x6d736833
#define MSH4 0x6d736834

/* Undoes what came since. */
static void make_old(const char *path, gint32 id)
{
	static const char *const newer[] = {"ALTER TABLE held DROP COLUMN damaged",
		"ALTER TABLE held DROP COLUMN unclear", "ALTER TABLE decision DROP COLUMN rightful",
		"ALTER TABLE decision DROP COLUMN account",
		"ALTER TABLE decision DROP COLUMN identifier",
		"ALTER TABLE decision DROP COLUMN assignee", "DROP TABLE glance",
		"DROP TABLE word"};
	for (gsize i = 0; i < G_N_ELEMENTS(newer); i++)
		sql(path, MSH4, newer[i]);
	if (id == MSH2)
		sql(path, MSH4, "ALTER TABLE recipient DROP COLUMN outcome");
	g_autofree char *mark = g_strdup_printf("PRAGMA application_id=%d", id);
	sql(path, MSH4, mark);
}

static const MsDecision *decision_named(const MsRecord *r, const char *id)
{
	for (guint i = 0; i < r->decisions->len; i++)
		if (strcmp(((MsDecision *)r->decisions->pdata[i])->id, id) == 0)
			return r->decisions->pdata[i];
	g_assert_not_reached();
}

static void test_upgrade(void)
{
	static const gint32 versions[] = {MSH2, MSH3};
	for (gsize v = 0; v < G_N_ELEMENTS(versions); v++) {
		g_autofree char *name = g_strdup_printf("old%" G_GSIZE_FORMAT ".db", v);
		g_autofree char *path = g_build_filename(dir, name, NULL);
		g_autoptr(GError) error = NULL;
		g_autoptr(MsRecord) r = record("O1");
		MsLedger *ledger = ms_ledger_open(path, &error);
		g_assert_true(ms_records_add(ledger, r, &error));
		ms_ledger_free(ledger);
		make_old(path, versions[v]);
		sql(path, versions[v],
			"INSERT INTO reason (held, code, policy, action, enforced, recipients, text) SELECT id,"
			" 'unreadable', 'p', 'hold', '1', 1, 'encrypted: part 2 Rechnung C-10002.pdf: no key' FROM held");
		add_old_decision(path, versions[v], "d-release", r->uid, "release", "waiting", "");
		add_old_decision(path, versions[v], "d-belongs", r->uid, "belongs", "approved",
			"ref1 CUST 0220");
		add_old_decision(
			path, versions[v], "d-may", r->uid, "may-receive", "acting", "AC-9");
		add_old_decision(
			path, versions[v], "d-assign", r->uid, "assign", "approved", "bert");
		add_old_decision(path, versions[v], "d-done", r->uid, "assign", "done", "to bert");
		/* who only looks changes nothing */
		g_assert_null(ms_ledger_open_readonly(path, &error));
		g_assert_error(error, MS_ERROR, MS_ERROR_CONFIG);
		g_clear_error(&error);
		for (int i = 0; i < 2; i++) {
			g_autoptr(MsLedger) now = ms_ledger_open(path, &error);
			g_assert_no_error(error);
			g_autoptr(MsRecord) got = ms_records_find(now, "O1", &error);
			g_assert_no_error(error);
			g_assert_cmpstr(got->damaged, ==, "");
			g_assert_cmpuint(got->recipients->len, ==, 2);
			g_assert_cmpint(got->state, ==, MS_STATE_HELD);
			/* what msh2 says nothing of is not proven */
			g_autoptr(GPtrArray) right = ms_record_rightful(got);
			g_assert_cmpuint(right->len, ==, versions[v] == MSH2 ? 0 : 1);
			/* nor does the name of a file stay in it */
			const MsReason *unread = got->reasons->pdata[got->reasons->len - 1];
			g_assert_cmpstr(unread->text, ==, "encrypted");
			g_assert_cmpint(
				decision_named(got, "d-release")->state, ==, MS_DECISION_WAITING);
			g_assert_cmpint(
				decision_named(got, "d-release")->verb, ==, MS_VERB_RELEASE);
			g_assert_cmpstr(decision_named(got, "d-belongs")->identifier, ==, "ref1");
			g_assert_cmpstr(decision_named(got, "d-belongs")->account, ==, "CUST 0220");
			g_assert_cmpstr(decision_named(got, "d-may")->account, ==, "AC-9");
			g_assert_cmpstr(decision_named(got, "d-assign")->assignee, ==, "bert");
			g_assert_cmpstr(decision_named(got, "d-done")->outcome, ==, "to bert");
			g_assert_cmpstr(decision_named(got, "d-done")->assignee, ==, "");
			g_autoptr(GPtrArray) todo = ms_decisions_list(now, -1, NULL, &error);
			g_assert_cmpuint(todo->len, ==, 3);
		}
	}
}

/* Whoever goes back to an earlier version is told so, and nothing is changed. */
static void test_later(void)
{
	static const struct {
		gint32 id;
		const char *says;
	} rows[] = {{MSH4 + 1, "is of a later version of missent"},
		{MSH4 + 256, "is a database of another program"},
		{MSH2 - 1, "is a database of another program"}};
	g_autofree char *path = g_build_filename(dir, "later.db", NULL);
	ms_ledger_free(ms_ledger_open(path, NULL));
	gint32 before = MSH4;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *mark = g_strdup_printf("PRAGMA application_id=%d", rows[i].id);
		sql(path, before, mark);
		before = rows[i].id;
		for (int reads = 0; reads < 2; reads++) {
			g_autoptr(GError) error = NULL;
			MsLedger *got = reads ? ms_ledger_open_readonly(path, &error)
					      : ms_ledger_open(path, &error);
			g_assert_null(got);
			g_assert_error(error, MS_ERROR, MS_ERROR_CONFIG);
			CONTAINS(error->message, rows[i].says);
		}
	}
}

/* ---- damage --------------------------------------------------------------------------- */

static void test_damage(void)
{
	static const struct {
		const char *sql, *want; /* "": not damaged */
	} rows[] = {
		{"UPDATE held SET assignee='bert'", ""},
		{"UPDATE held SET state='hold'", "state \"hold\""},
		{"UPDATE held SET state=''", "state \"\""},
		{"UPDATE held SET place='pocket'", "place \"pocket\""},
		{"UPDATE held SET arrived='yesterday'", "head"},
		{"UPDATE held SET sender=x'ff00'", "head"},
		{"UPDATE held SET sender=CAST(x'ff41' AS TEXT)", "head"},
		{"UPDATE held SET recipients=3", "number of recipients"},
		{"UPDATE recipient SET state='lost'", "recipient state \"lost\""},
		{"UPDATE recipient SET outcome='fine'", "outcome \"fine\""},
		{"UPDATE recipient SET outcome='RIGHT'", "outcome \"RIGHT\""},
		{"UPDATE recipient SET outcome=x'7269676874'", "outcome"},
		{"UPDATE recipient SET address=x'00'", "recipient"},
		{"DELETE FROM recipient WHERE address='b@x.example'", "number of recipients"},
		{"DELETE FROM recipient", "number of recipients"},
		{"UPDATE finding SET relations='xz'", "relations \"xz\""},
		{"UPDATE finding SET count='many'", "finding"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_build_filename(dir, "damaged.db", NULL);
		g_unlink(path);
		g_autoptr(GError) error = NULL;
		g_autoptr(MsRecord) r = record("D1");
		g_autoptr(MsLedger) ledger = ms_ledger_open(path, &error);
		g_assert_true(ms_records_add(ledger, r, &error));
		sql(path, MSH4, rows[i].sql);
		g_test_message("%s", rows[i].sql);
		g_autoptr(MsRecord) got = ms_records_find(ledger, r->uid, &error);
		g_assert_no_error(error);
		g_assert_cmpint(*got->damaged != '\0', ==, *rows[i].want != '\0');
		CONTAINS(got->damaged, rows[i].want);
		g_autoptr(GPtrArray) right = ms_record_rightful(got);
		g_assert_cmpuint(right->len, ==, *rows[i].want == '\0');
		/* Whatever it was, it is held, is listed so, and is not forgotten. */
		MsRecordFilter held = {.state = MS_STATE_HELD, .whole = true};
		g_autoptr(GPtrArray) list = ms_records_list(ledger, &held, &error);
		g_assert_cmpuint(list->len, ==, 1);
		g_assert_cmpint(got->state, ==, MS_STATE_HELD);
		g_assert_cmpint(ms_records_forget(ledger, G_MAXINT64 / 2, 10, &error), ==, 0);
		g_assert_no_error(error);
	}
}

/* A decision that cannot be read is not carried out: without its recipients it would be to all. */
static void test_damaged_decisions(void)
{
	static const char *const rows[] = {"UPDATE decision SET verb='relase'",
		"UPDATE decision SET recipients=x'61'", "UPDATE decision SET at='soon'",
		"UPDATE decision SET state='aproved'", "UPDATE decision SET account=7.5 || x'ff'"};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_build_filename(dir, "decisions.db", NULL);
		g_unlink(path);
		g_autoptr(GError) error = NULL;
		g_autoptr(MsRecord) r = record("D1");
		g_autoptr(MsLedger) ledger = ms_ledger_open(path, &error);
		g_assert_true(ms_records_add(ledger, r, &error));
		add_old_decision(path, MSH4, "d1", r->uid, "release", "approved", "");
		sql(path, MSH4, rows[i]);
		g_test_message("%s", rows[i]);
		g_autoptr(MsDecision) d = ms_decisions_find(ledger, "d1", &error);
		g_assert_true(d->damaged);
		g_autoptr(MsRecord) got = ms_records_find(ledger, r->uid, &error);
		g_assert_cmpstr(got->damaged, ==, ""); /* another decision can be taken on it */
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	dir = scratch_folder();
	g_test_add_func("/verbs/empty", test_empty);
	g_test_add_func("/verbs/words", test_words);
	g_test_add_func("/verbs/choices", test_choices);
	g_test_add_func("/verbs/table", test_table);
	g_test_add_func("/verbs/asks", test_asks);
	g_test_add_func("/verbs/others", test_others);
	g_test_add_func("/verbs/filters", test_filters);
	g_test_add_func("/verbs/upgrade", test_upgrade);
	g_test_add_func("/verbs/later", test_later);
	g_test_add_func("/verbs/damage", test_damage);
	g_test_add_func("/verbs/damaged-decisions", test_damaged_decisions);
	int rc = g_test_run();
	remove_folder(dir);
	return rc;
}
