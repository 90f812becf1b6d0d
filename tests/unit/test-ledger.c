/*
 * The ledger: records, pages of them, decisions, who may decide, what is forgotten and when,
 * tokens, counts.
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/bodydigest.h"
#include "missent/clock.h"
#include "missent/decision.h"
#include "missent/mta.h"
#include "missent/notice.h"
#include "missent/outbox.h"
#include "missent/spool.h"
#include "missent/token.h"
#include "missent/store.h"

#include "../test.h"

static char *dir;

/* A record as a judgement makes it. */
static MsRecord *record(const char *queue_id, const char *sender, gint64 arrived, MsReasonCode code,
	MsState state)
{
	MsRecord *r = ms_record_new();
	r->state = state;
	r->host = g_strdup("mx");
	r->queue_id = g_strdup(queue_id);
	r->sender = g_strdup(sender);
	r->arrived = arrived;
	r->size = 1234;
	r->digest = g_strdup("00");
	r->message = g_strdup("m");
	r->codes = g_strdup(ms_reason_names[code]);
	r->policies = g_strdup("invoices");
	r->cause = g_strdup_printf("%s, invoices", ms_reason_names[code]);
	ms_record_recipient(r, "a@x.example", state, MS_OUTCOME_RIGHT, "AC-1");
	ms_record_recipient(r, "b@x.example", state, MS_OUTCOME_UNKNOWN_RECIPIENT, "");
	ms_record_finding(r,
		(MsHeldFinding){(char *)"iban", (char *)"DE****00", (char *)"ref1", (char *)"AC-2",
			(char *)"exact", (char *)"part 2", 3, (char *)"xx"});
	g_ptr_array_add(r->accounts, g_strdup("AC-2"));
	MsReason *reason = g_new0(MsReason, 1);
	*reason = (MsReason){.code = code, .policy = g_strdup("invoices"), .action = MS_HOLD,
		.enforced = true, .kind = g_strdup("iban"), .masked = g_strdup("DE****00"),
		.where = g_strdup("part 2"), .owner = g_strdup("AC-2"),
		.recipient = g_strdup("a@x.example"), .recipients = 2, .text = g_strdup("why")};
	g_ptr_array_add(r->reasons, reason);
	return r;
}

static void add(MsLedger *ledger, const char *queue_id, const char *sender, gint64 arrived,
	MsReasonCode code, MsState state)
{
	g_autoptr(MsRecord) r = record(queue_id, sender, arrived, code, state);
	g_autoptr(GError) error = NULL;
	ms_records_add(ledger, r, &error);
	g_assert_no_error(error);
}

static MsLedger *open_ledger(const char *name)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autoptr(GError) error = NULL;
	MsLedger *ledger = ms_ledger_open(path, &error);
	g_assert_no_error(error);
	return ledger;
}

static char *queue_ids(MsLedger *ledger, const MsRecordFilter *filter)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) list = ms_records_list(ledger, filter, &error);
	g_assert_no_error(error);
	GString *got = g_string_new(NULL);
	for (guint k = 0; k < list->len; k++)
		g_string_append_printf(got, "%s ", ((MsRecord *)list->pdata[k])->queue_id);
	gint64 n = ms_records_count(ledger, filter, 0, &error);
	if (filter->limit == 0 && filter->after == NULL)
		g_assert_cmpint(n, ==, list->len);
	return g_string_free(got, FALSE);
}

static void test_records(void)
{
	g_autoptr(MsLedger) ledger = open_ledger("held.db");
	add(ledger, "A1", "x@s.example", 1000, MS_MISMATCH, MS_STATE_HELD);
	add(ledger, "B2", "y@s.example", 2000, MS_OVERSIZED, MS_STATE_HELD);
	add(ledger, "C3", "x@s.example", 3000, MS_MISMATCH, MS_STATE_OBSERVED);
	add(ledger, "A1", "z@s.example", 9000, MS_UNREADABLE, MS_STATE_HELD); /* ID used again */
	static const struct {
		MsRecordFilter filter;
		const char *want;
	} rows[] = {
		{{.state = MS_STATE_HELD}, "A1 B2 A1 "},
		{{.state = -1}, "A1 C3 B2 A1 "},
		{{.state = -1, .reason = "mismatch"}, "C3 A1 "},
		{{.state = -1, .reason = "unreadable"}, "A1 "},
		{{.state = -1, .policy = "invoices"}, "A1 C3 B2 A1 "},
		{{.state = -1, .policy = "other"}, ""},
		{{.state = -1, .sender = "Y@S"}, "B2 "},
		{{.state = -1, .recipient = "B@x"}, "A1 C3 B2 A1 "},
		{{.state = -1, .recipient = "c@x"}, ""},
		{{.state = -1, .account = "AC-2"}, "A1 C3 B2 A1 "},
		{{.state = -1, .account = "AC"}, ""},
		{{.state = -1, .cause = "oversized, invoices"}, "B2 "},
		{{.state = -1, .search = "B2"}, "B2 "},
		{{.state = -1, .search = "z@s"}, "A1 "},
		{{.state = -1, .search = "%"}, ""},
		{{.state = -1, .search = "' OR 1=1 --"}, ""},
		{{.state = -1, .older_than = 2000}, "B2 A1 "},
		{{.state = -1, .newer_than = 3000}, "A1 C3 "},
		{{.state = -1, .up_to = 2}, "B2 A1 "},
		{{.state = -1, .limit = 1}, "A1 "},
		{{.state = -1, .sort = MS_SORT_OLDEST}, "A1 B2 C3 A1 "},
		{{.state = -1, .sort = MS_SORT_SENDER}, "A1 C3 B2 A1 "},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = queue_ids(ledger, &rows[i].filter);
		g_assert_cmpstr(got, ==, rows[i].want);
	}
	g_autoptr(GError) error = NULL;
	const MsRecordFilter newest = {.state = -1, .limit = 1};
	g_autoptr(GPtrArray) list = ms_records_list(ledger, &newest, &error);
	/* Of two messages it names none; the references tell them apart. */
	g_assert_null(ms_records_find(ledger, "A1", &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
	g_assert_nonnull(strstr(error->message, ((MsRecord *)list->pdata[0])->uid));
	g_clear_error(&error);
	g_autoptr(MsRecord) other = ms_records_find(ledger, "B2", &error);
	g_assert_cmpstr(other->queue_id, ==, "B2");
	g_autoptr(MsRecord)
		r = ms_records_find(ledger, ((MsRecord *)list->pdata[0])->uid, &error);
	g_assert_cmpstr(r->sender, ==, "z@s.example");
	g_assert_cmpuint(r->recipients->len, ==, 2);
	const MsReason *reason = r->reasons->pdata[0];
	g_assert_cmpint(reason->code, ==, MS_UNREADABLE);
	g_assert_cmpstr(reason->masked, ==, "DE****00");
	g_assert_cmpstr(reason->owner, ==, "AC-2");
	g_autoptr(MsRecord) by_uid = ms_records_find(ledger, r->uid, &error);
	g_assert_cmpint(by_uid->id, ==, r->id);
	g_assert_null(ms_records_find(ledger, "Z9", &error));
	g_assert_no_error(error);
	g_assert_true(ms_records_act(ledger, r->id, "anna", "note", "fine", &error));
	g_autoptr(MsRecord) after = ms_records_find(ledger, r->uid, &error);
	g_assert_cmpint(after->changed, >, r->changed);
	const MsAct *act = after->acts->pdata[0];
	g_assert_cmpstr(act->who, ==, "anna");
	g_assert_cmpstr(act->why, ==, "fine");
	g_autofree char *path = g_build_filename(dir, "held.db", NULL);
	GStatBuf st;
	g_assert_cmpint(g_stat(path, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 0777, ==, 0640);
	g_autoptr(MsLedger) looking = ms_ledger_open_readonly(path, &error);
	g_assert_no_error(error);
	g_assert_false(ms_records_act(looking, r->id, "anna", "note", "", &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_CONFIG);
}

/* Every row once, in the same order as without pages. */
static void test_pages(void)
{
	g_autoptr(MsLedger) ledger = open_ledger("pages.db");
	for (int i = 0; i < 23; i++) {
		g_autofree char *id = g_strdup_printf("Q%02d", i);
		g_autofree char *sender = g_strdup_printf("s%d@s.example", i % 4);
		add(ledger, id, sender, 1000 + i / 3, MS_MISMATCH, MS_STATE_HELD); /* equal times */
	}
	for (int sort = 0; sort < MS_N_SORTS; sort++) {
		MsRecordFilter all = {.state = MS_STATE_HELD, .sort = (MsSort)sort};
		g_autofree char *want = queue_ids(ledger, &all);
		g_autoptr(GString) got = g_string_new(NULL);
		g_autofree char *after = NULL;
		for (int page = 0; page < 10; page++) {
			MsRecordFilter filter = {.state = MS_STATE_HELD,
				.sort = (MsSort)sort,
				.limit = 5,
				.after = after};
			g_autoptr(GPtrArray) list = ms_records_list(ledger, &filter, NULL);
			for (guint i = 0; i < list->len; i++)
				g_string_append_printf(
					got, "%s ", ((MsRecord *)list->pdata[i])->queue_id);
			if (list->len < 5)
				break;
			g_free(after);
			after = ms_record_cursor(list->pdata[4], (MsSort)sort);
		}
		g_assert_cmpstr(got->str, ==, want);
		/* ... and back from its last row */
		g_autoptr(GPtrArray) rows = ms_records_list(ledger, &all, NULL);
		const MsRecord *last = rows->pdata[rows->len - 1];
		g_autofree char *before = ms_record_cursor(last, (MsSort)sort);
		g_autofree char *back = g_strdup_printf("%s ", last->queue_id);
		for (;;) {
			MsRecordFilter filter = {.state = MS_STATE_HELD,
				.sort = (MsSort)sort,
				.limit = 5,
				.before = before};
			g_autoptr(GPtrArray) list = ms_records_list(ledger, &filter, NULL);
			if (list->len == 0)
				break;
			for (guint i = list->len; i-- > 0;) {
				char *more = g_strdup_printf("%s %s",
					((MsRecord *)list->pdata[i])->queue_id, back);
				g_free(back);
				back = more;
			}
			g_free(before);
			before = ms_record_cursor(list->pdata[0], (MsSort)sort);
		}
		g_assert_cmpstr(back, ==, want);
	}
	g_autoptr(GPtrArray) causes = ms_records_causes(ledger, 10, NULL);
	g_assert_cmpuint(causes->len, ==, 1);
	g_assert_cmpint(((MsCause *)causes->pdata[0])->messages, ==, 23);
	MsRecordStats stats;
	g_assert_true(ms_records_stats(ledger, &stats, NULL));
	g_assert_cmpint(stats.held, ==, 23);
	g_assert_cmpint(stats.oldest, ==, 1000);
}

/* ---- decisions, tokens, notices ------------------------------------------------------- */

static MsDecision *decision(const char *uid, MsVerb verb, MsDecisionState state)
{
	MsDecision *d = g_new0(MsDecision, 1);
	*d = (MsDecision){.id = ms_record_name(),
		.uid = g_strdup(uid),
		.group = g_strdup(""),
		.verb = verb,
		.recipients = g_strdup(""),
		.account = g_strdup(""),
		.identifier = g_strdup(""),
		.assignee = g_strdup(""),
		.who = g_strdup("anna"),
		.second = g_strdup(""),
		.why = g_strdup("because"),
		.outcome = g_strdup(""),
		.token = g_strdup(""),
		.step = g_strdup(""),
		.at = 5,
		.state = state};
	return d;
}

static void test_decisions(void)
{
	g_autoptr(MsLedger) ledger = open_ledger("decisions.db");
	g_autoptr(GError) error = NULL;
	g_autoptr(MsRecord) r = record("A1", "x@s.example", 1000, MS_MISMATCH, MS_STATE_HELD);
	g_assert_true(ms_records_add(ledger, r, &error));
	g_autoptr(GPtrArray)
		list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_decision_free);
	g_ptr_array_add(list, decision(r->uid, MS_VERB_RELEASE, MS_DECISION_WAITING));
	g_assert_true(ms_decisions_add(ledger, list, &error));
	g_autoptr(GPtrArray) todo = ms_decisions_list(ledger, -1, NULL, &error);
	g_assert_cmpuint(todo->len, ==, 0); /* it waits */
	g_assert_true(ms_decisions_second(ledger, list, "bert", true, &error));
	g_autoptr(GPtrArray) approved = ms_decisions_list(ledger, -1, NULL, &error);
	g_assert_cmpuint(approved->len, ==, 1);
	MsDecision *mine = approved->pdata[0];
	g_assert_cmpstr(mine->second, ==, "bert");
	g_assert_true(ms_decisions_step(ledger, mine, "moved", NULL, MS_PLACE_SPOOL, &error));
	/* one of two recipients: it stays held */
	g_autoptr(GPtrArray) to = g_ptr_array_new();
	g_ptr_array_add(to, (char *)"a@x.example");
	g_assert_true(
		ms_decisions_finish(ledger, mine, true, "sent", to, MS_STATE_RELEASED, &error));
	g_autoptr(MsRecord) after = ms_records_find(ledger, r->uid, &error);
	g_assert_cmpint(after->state, ==, MS_STATE_HELD);
	g_assert_cmpint(after->place, ==, MS_PLACE_SPOOL);
	g_assert_cmpint(
		((MsHeldRecipient *)after->recipients->pdata[0])->state, ==, MS_STATE_RELEASED);
	g_assert_cmpint(((MsHeldRecipient *)after->recipients->pdata[1])->state, ==, MS_STATE_HELD);
	g_assert_cmpstr(((MsAct *)after->acts->pdata[0])->who, ==, "anna, agreed by bert");
	g_assert_cmpstr(((MsAct *)after->acts->pdata[0])->why, ==, "because [sent]");
	/* the other: it is over */
	g_ptr_array_set_size(list, 0);
	g_ptr_array_add(list, decision(r->uid, MS_VERB_DELETE, MS_DECISION_APPROVED));
	g_assert_true(ms_decisions_add(ledger, list, &error));
	to->pdata[0] = (char *)"b@x.example";
	g_assert_true(ms_decisions_finish(
		ledger, list->pdata[0], true, "", to, MS_STATE_DELETED, &error));
	g_autoptr(MsRecord) end = ms_records_find(ledger, r->uid, &error);
	g_assert_cmpint(end->state, ==, MS_STATE_DELETED);
	/* one that failed changes no state */
	g_assert_true(ms_decisions_finish(
		ledger, list->pdata[0], false, "no", to, MS_STATE_RELEASED, &error));
	g_autoptr(MsRecord) same = ms_records_find(ledger, r->uid, &error);
	g_assert_cmpint(same->state, ==, MS_STATE_DELETED);
}

static guint count(MsLedger *ledger)
{
	MsRecordFilter all = {.state = -1};
	return (guint)ms_records_count(ledger, &all, 0, NULL);
}

/* An account is forgotten wholly, or not yet; others stay; no word is nobody. */
static void test_forget_account(void)
{
	g_autoptr(MsLedger) ledger = open_ledger("forget-account.db");
	g_autoptr(GError) error = NULL;
	static const struct {
		const char *account;
		MsState state;
	} rows[] = {
		{"AC-7", MS_STATE_RELEASED}, {"AC-7", MS_STATE_HELD}, {"AC-70", MS_STATE_DELETED}};
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)ms_record_free);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		MsRecord *r = record("A1", "x@s.example", 1000, MS_MISMATCH, rows[i].state);
		g_ptr_array_add(r->accounts, g_strdup(rows[i].account));
		g_ptr_array_add(all, r);
		g_assert_true(ms_records_add(ledger, r, &error));
	}
	g_assert_cmpint(ms_records_open_of(ledger, "AC-7", &error), ==, 1);
	g_assert_cmpint(ms_records_open_of(ledger, "AC-70", &error), ==, 0);
	g_assert_cmpint(ms_records_open_of(ledger, "AC", &error), ==, 0);
	g_assert_no_error(error);
	g_assert_cmpint(ms_records_open_of(ledger, "", &error), ==, -1);
	g_clear_error(&error);
	g_assert_cmpint(ms_records_forget_account(ledger, "", &error), ==, -1);
	g_clear_error(&error);
	g_assert_cmpint(ms_records_forget_account(ledger, "%", &error), ==, 0);
	/* not what is held */
	g_assert_cmpint(ms_records_forget_account(ledger, "AC-7", &error), ==, 1);
	g_autoptr(MsRecord)
		gone = ms_records_find(ledger, ((MsRecord *)all->pdata[0])->uid, &error);
	g_autoptr(MsRecord)
		held = ms_records_find(ledger, ((MsRecord *)all->pdata[1])->uid, &error);
	g_autoptr(MsRecord)
		other = ms_records_find(ledger, ((MsRecord *)all->pdata[2])->uid, &error);
	g_assert_true(gone == NULL && held != NULL && other != NULL);
	/* a decision that is under way keeps it, too */
	g_autoptr(GPtrArray)
		list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_decision_free);
	g_ptr_array_add(list, decision(other->uid, MS_VERB_NOTE, MS_DECISION_APPROVED));
	g_assert_true(ms_decisions_add(ledger, list, &error));
	g_assert_cmpint(ms_records_open_of(ledger, "AC-70", &error), ==, 1);
	g_assert_cmpint(ms_records_forget_account(ledger, "AC-70", &error), ==, 0);
	g_assert_no_error(error);
}

static void test_forget(void)
{
	g_autoptr(MsLedger) ledger = open_ledger("forget.db");
	g_autoptr(GError) error = NULL;
	static const struct {
		gint64 arrived;
		MsState state;
	} rows[] = {{1000, MS_STATE_HELD}, {1000, MS_STATE_OBSERVED}, {2000, MS_STATE_RELEASED},
		{3000, MS_STATE_DELETED}, {9000, MS_STATE_RETURNED}};
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)ms_record_free);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_ptr_array_add(all,
			record("A1", "x@s.example", rows[i].arrived, MS_MISMATCH, rows[i].state));
		g_assert_true(ms_records_add(ledger, all->pdata[i], &error));
	}
	MsRecord *deciding = all->pdata[3];
	g_autoptr(GPtrArray)
		list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_decision_free);
	g_ptr_array_add(list, decision(deciding->uid, MS_VERB_NOTE, MS_DECISION_APPROVED));
	g_assert_true(ms_decisions_add(ledger, list, &error));
	/* who was told of one that stays held is not told again */
	const char *held = ((MsRecord *)all->pdata[0])->uid;
	bool first;
	g_assert_true(ms_notices_first(ledger, held, "told", G_MAXINT64 / 4, &first, &error));
	g_assert_true(first);
	/* not what is held, is being decided, or is new */
	g_assert_cmpint(ms_records_forget(ledger, 5000, 1, &error), ==, 1);
	g_assert_cmpint(ms_records_forget(ledger, 5000, 10, &error), ==, 1);
	g_assert_cmpint(ms_records_forget(ledger, 5000, 10, &error), ==, 0);
	g_assert_cmpuint(count(ledger), ==, 3);
	g_assert_true(
		ms_decisions_finish(ledger, list->pdata[0], true, "", NULL, MS_STATE_HELD, &error));
	g_assert_cmpint(ms_records_forget(ledger, 5000, 10, &error), ==, 1);
	g_autoptr(MsRecord) gone = ms_records_find(ledger, deciding->uid, &error);
	g_autoptr(MsRecord)
		left = ms_records_find(ledger, ((MsRecord *)all->pdata[0])->uid, &error);
	g_assert_no_error(error);
	g_assert_true(gone == NULL && left != NULL);
	g_assert_cmpint(ms_records_forget(ledger, G_MAXINT64 / 2, 10, &error), ==, 1);
	g_assert_true(ms_notices_first(ledger, held, "told", G_MAXINT64 / 4, &first, &error));
	g_assert_false(first);
	/* one of another host, told again, does not come back */
	deciding->changed = 7;
	g_assert_true(ms_records_mirror(ledger, deciding, &error));
	g_assert_cmpint(ms_records_forget(ledger, 5000, 10, &error), ==, 1);
	g_assert_true(ms_records_mirror(ledger, deciding, &error));
	g_assert_cmpuint(count(ledger), ==, 1);
}

/* What was made before is good for nothing, spent or not; what was made after is as it was. */
static void test_forgotten(void)
{
	g_autoptr(MsLedger) ledger = open_ledger("forgotten.db");
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) to = g_ptr_array_new();
	g_ptr_array_add(to, (char *)"a@x");
	g_autofree char *spent_hash = NULL, *hash = NULL, *new_hash = NULL;
	g_autofree char *spent = ms_tokens_make(ledger, "d", "s@x", to, &spent_hash, &error);
	g_autofree char *old = ms_tokens_make(ledger, "d", "s@x", to, &hash, &error);
	g_assert_cmpint(ms_tokens_spend(ledger, spent, "d", "s@x", to, "Q1", &error), ==, MS_FOUND);
	g_usleep(2000);
	gint64 between = ms_clock_now();
	g_usleep(2000);
	g_autofree char *new = ms_tokens_make(ledger, "d", "s@x", to, &new_hash, &error);
	char *by;
	g_assert_true(ms_tokens_forget(ledger, between, &error));
	g_assert_true(ms_tokens_spent_by(ledger, "Q1", 0, G_MAXINT64, &by, &error));
	g_assert_null(by);
	g_assert_cmpint(ms_tokens_spend(ledger, old, "d", "s@x", to, "Q2", &error), ==, MS_ABSENT);
	g_assert_cmpint(
		ms_tokens_spend(ledger, spent, "d", "s@x", to, "Q2", &error), ==, MS_ABSENT);
	g_assert_cmpint(ms_tokens_spend(ledger, new, "d", "s@x", to, "Q2", &error), ==, MS_FOUND);
	g_assert_no_error(error);
}

static void test_tokens(void)
{
	g_autoptr(MsLedger) ledger = open_ledger("tokens.db");
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) to = g_ptr_array_new(), other = g_ptr_array_new(),
			     more = g_ptr_array_new();
	g_ptr_array_add(to, (char *)"b@x");
	g_ptr_array_add(to, (char *)"a@x");
	g_ptr_array_add(other, (char *)"a@x");
	g_ptr_array_add(more, (char *)"a@x");
	g_ptr_array_add(more, (char *)"b@x");
	g_autofree char *hash = NULL, *queue_id = NULL;
	g_autofree char *token = ms_tokens_make(ledger, "d1", "s@x", to, &hash, &error);
	g_assert_cmpuint(strlen(token), ==, 64);
	/* not for another body, sender, or recipients; not by its hash */
	const struct {
		const char *digest, *sender;
		const GPtrArray *to;
	} changed[] = {{"d2", "s@x", to}, {"d1", "t@x", to}, {"d1", "s@x", other}};
	for (gsize i = 0; i < G_N_ELEMENTS(changed); i++) {
		g_assert_cmpint(ms_tokens_spend(ledger, token, changed[i].digest, changed[i].sender,
					changed[i].to, "Q", &error),
			==, MS_CONFIG);
		g_assert_error(error, MS_ERROR, MS_ERROR_CONFIG);
		g_clear_error(&error);
	}
	g_assert_cmpint(ms_tokens_spend(ledger, hash, "d1", "s@x", to, "Q", &error), ==, MS_ABSENT);
	g_assert_cmpint(
		ms_tokens_spend(ledger, token, "d1", "s@x", more, "Q1", &error), ==, MS_FOUND);
	g_assert_cmpint(
		ms_tokens_spend(ledger, token, "d1", "s@x", to, "Q2", &error), ==, MS_ABSENT);
	g_assert_true(ms_tokens_void(ledger, hash, &queue_id, &error));
	g_assert_cmpstr(queue_id, ==, "Q1");
	g_autofree char *hash2 = NULL, *queue_id2 = NULL;
	g_autofree char *token2 = ms_tokens_make(ledger, "d1", "s@x", to, &hash2, &error);
	g_assert_true(ms_tokens_void(ledger, hash2, &queue_id2, &error));
	g_assert_null(queue_id2);
	g_assert_cmpint(
		ms_tokens_spend(ledger, token2, "d1", "s@x", to, "Q3", &error), ==, MS_ABSENT);
	bool first;
	g_assert_true(ms_notices_first(ledger, "a@x", "c", G_USEC_PER_SEC * 100, &first, &error));
	g_assert_true(first);
	g_assert_true(ms_notices_first(ledger, "a@x", "c", G_USEC_PER_SEC * 100, &first, &error));
	g_assert_false(first);
	g_assert_true(ms_notices_first(ledger, "a@x", "c", 0, &first, &error));
	g_assert_true(first);
	g_assert_true(ms_notices_first(ledger, "a@x", "d", G_USEC_PER_SEC * 100, &first, &error));
	g_assert_true(first);
}

/* ---- between hosts -------------------------------------------------------------------- */

static void test_json(void)
{
	g_autoptr(MsLedger) here = open_ledger("here.db"), there = open_ledger("there.db");
	g_autoptr(GError) error = NULL;
	g_autoptr(MsRecord) r = record("A1", "x@s.example", 1000, MS_MISMATCH, MS_STATE_HELD);
	g_assert_true(ms_records_add(here, r, &error));
	g_autoptr(GPtrArray)
		list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_decision_free);
	g_ptr_array_add(list, decision(r->uid, MS_VERB_RELEASE, MS_DECISION_WAITING));
	g_assert_true(ms_decisions_add(here, list, &error));
	g_autoptr(MsRecord) old = ms_records_find(here, r->uid, &error);
	g_assert_true(ms_records_act(here, r->id, "anna", "note", "x", &error));
	g_autoptr(MsRecord) whole = ms_records_find(here, r->uid, &error);
	char *text = ms_record_to_json(whole);
	for (int i = 0; i < 2; i++) { /* twice is as once */
		g_autoptr(MsRecord) back = ms_record_from_json(text, strlen(text), &error);
		g_assert_no_error(error);
		g_assert_true(ms_records_mirror(there, back, &error));
	}
	g_assert_true(ms_records_mirror(there, old, &error)); /* older: changes nothing */
	g_autoptr(MsRecord) got = ms_records_find(there, r->uid, &error);
	g_assert_cmpuint(got->acts->len, ==, 1);
	g_assert_cmpuint(got->decisions->len, ==, 1);
	g_assert_cmpuint(got->recipients->len, ==, 2);
	g_assert_cmpuint(got->reasons->len, ==, 1);
	g_assert_cmpstr(((MsReason *)got->reasons->pdata[0])->text, ==, "why");
	g_assert_cmpstr(got->sender, ==, "x@s.example");
	g_assert_cmpstr(((MsHeldFinding *)got->findings->pdata[0])->relations, ==, "xx");
	MsRecordFilter all = {.state = -1};
	g_assert_cmpint(ms_records_count(there, &all, 0, &error), ==, 1);
	/* What does not say whose it is is none; what else is wrong makes it damaged, and of a
	 * newer version unclear. */
	static const struct {
		const char *from, *to, *damaged, *unclear;
	} bad[] = {{"\"uid\":\"", "\"uid\":\"/", NULL, NULL}, {"{", "[", NULL, NULL},
		{"}", "", NULL, NULL}, {"\"changed\":", "\"change\":", NULL, NULL},
		{"\"state\":\"held\"", "\"state\":\"hold\"", "state \"hold\"", ""},
		{"\"size\":1234", "\"size\":-1", "size", ""},
		{"\"size\":1234", "\"size\":\"x\"", "size", ""},
		{"x@s.example", "x\\u0001@s", "sender", ""},
		{"\"acts\":[", "\"acts\":[1,", "acts", ""},
		{"\"acts\":[", "\"bcts\":[", "acts", "bcts"},
		{"\"outcome\":\"right\"", "\"outcome\":\"fine\"", "recipients outcome \"fine\"",
			""},
		{"\"outcome\":\"right\"", "\"outcome\":7",
			"recipients outcome, recipients outcome \"\"", ""},
		{"\"address\":\"a@x.example\"", "\"address\":\"\"", "recipients address", ""},
		{"\"signed\":", "\"sealed\":true,\"signed\":", "", "sealed"},
		{"\"address\":", "\"language\":\"fr\",\"address\":", "", "language"}};
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GString) changed = g_string_new(text);
		g_assert_cmpuint(g_string_replace(changed, bad[i].from, bad[i].to, 1), ==, 1);
		g_autoptr(GError) why = NULL;
		g_autofree char *copy = exact_copy(changed->str, changed->len);
		g_autoptr(MsRecord) odd = ms_record_from_json(copy, changed->len, &why);
		g_assert_cmpint(odd == NULL, ==, bad[i].damaged == NULL);
		if (odd == NULL) {
			g_assert_error(why, MS_ERROR, MS_ERROR_INPUT);
			continue;
		}
		g_assert_cmpstr(odd->damaged, ==, bad[i].damaged);
		g_assert_cmpstr(odd->unclear, ==, bad[i].unclear);
		odd->changed = 1000 + (gint64)i;
		g_assert_true(ms_records_mirror(there, odd, &error));
		g_autoptr(MsRecord) shown = ms_records_find(there, r->uid, &error);
		g_assert_cmpstr(shown->damaged, ==, bad[i].damaged);
		g_assert_cmpstr(shown->unclear, ==, bad[i].unclear);
		g_autoptr(GPtrArray) right = ms_record_rightful(shown);
		g_assert_cmpuint(right->len, ==, *bad[i].damaged == '\0');
	}
	free(text);
}

/* The same mail again, because an answer was lost: its copy is there already. */
static void test_twin(void)
{
	g_autoptr(MsLedger) ledger = open_ledger("twin.db");
	g_autoptr(MsRecord) r = record("A1", "x@s.example", 1000, MS_MISMATCH, MS_STATE_HELD);
	r->place = MS_PLACE_SPOOL;
	g_assert_true(ms_records_add(ledger, r, NULL));
	g_autoptr(MsRecord) again = record("B2", "x@s.example", 2000, MS_MISMATCH, MS_STATE_HELD);
	g_autofree char *uid = ms_records_twin(ledger, again);
	g_assert_cmpstr(uid, ==, r->uid);
	/* The first attempt was under way still, and fails: the copy is the second's now. */
	g_autoptr(GError) error = NULL;
	g_assert_false(ms_records_take_back(ledger, r, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
	g_autoptr(MsRecord) there = ms_records_find(ledger, r->uid, NULL);
	g_assert_cmpint(there->state, ==, MS_STATE_HELD);
	g_assert_cmpstr(((MsAct *)there->acts->pdata[0])->what, ==, "sent again");
	/* One that nobody counts on goes, and then has no twin. */
	g_autoptr(MsRecord) alone = record("C3", "y@s.example", 1000, MS_MISMATCH, MS_STATE_HELD);
	alone->place = MS_PLACE_SPOOL;
	g_assert_true(ms_records_add(ledger, alone, NULL));
	g_assert_true(ms_records_take_back(ledger, alone, NULL));
	g_assert_null(ms_records_twin(ledger, alone));
	((MsHeldRecipient *)again->recipients->pdata[0])->state = MS_STATE_DELIVERED;
	g_assert_null(ms_records_twin(ledger, again)); /* for other recipients */
	g_autoptr(MsRecord) unnamed = record("B2", "x@s.example", 2000, MS_MISMATCH, MS_STATE_HELD);
	g_free(unnamed->message);
	unnamed->message = g_strdup("");
	g_assert_null(ms_records_twin(ledger, unnamed));
}

/* What lies beside a database and is another's is named, with what to do: who put back a copy as
 * root looks at the database, and that is as it should be. */
static void open_as_nobody(const char *path, const char *want)
{
	g_autoptr(GError) error = NULL;
	if (setgid(65534) != 0 || setuid(65534) != 0)
		_exit(2);
	g_autoptr(MsLedger) ledger = ms_ledger_open(path, &error);
	if (want == NULL)
		_exit(ledger == NULL);
	_exit(ledger != NULL || !g_error_matches(error, MS_ERROR, MS_ERROR_CONFIG) ||
		strstr(error->message, want) == NULL);
}

static void test_beside(void)
{
	static const struct {
		const char *end;
		mode_t mode;
		uid_t owner;
		bool fine;
	} rows[] = {{"-wal", 0600, 0, false}, {"-shm", 0600, 0, false}, {"-wal", 0644, 0, false},
		{"-wal", 0600, 65534, true}, {"-x", 0600, 0, true}};
	if (geteuid() != 0) {
		g_test_skip("only root makes files of others");
		return;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *folder = scratch_folder(), *path = g_build_filename(folder, "held.db", NULL);
		g_autofree char *beside = g_strconcat(path, rows[i].end, NULL);
		g_autofree char *want = g_strdup_printf("%s is of user %u with mode %04o, and user 65534 must write it",
			beside, rows[i].owner, rows[i].mode);
		ms_ledger_free(ms_ledger_open(path, NULL));
		g_assert_true(g_file_set_contents(beside, "", 0, NULL));
		g_assert_no_errno(chown(folder, 65534, 65534));
		g_assert_no_errno(chown(path, 65534, 65534));
		g_assert_no_errno(chown(beside, rows[i].owner, rows[i].owner));
		g_assert_no_errno(chmod(beside, rows[i].mode));
		pid_t pid = fork();
		if (pid == 0)
			open_as_nobody(path, rows[i].fine ? NULL : want);
		int status;
		g_test_message("row %zu", i);
		g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
		g_assert_cmpint(status, ==, 0);
		remove_folder(folder);
	}
}

/* ---- the spool ------------------------------------------------------------------------ */

static MsSpoolFate fate_of(const char *uid, void *user)
{
	(void)uid;
	return *(const MsSpoolFate *)user;
}

static void test_spool(void)
{
	g_autoptr(GError) error = NULL;
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	g_assert_true(ms_spool_write(dir, "0123", from, false, &error));
	g_assert_false(ms_spool_write(dir, "0123", from, false, &error)); /* never over another */
	g_clear_error(&error);
	g_assert_true(ms_spool_write(dir, "0123", from, true, &error));
	int fd = ms_spool_open(dir, "0123", &error);
	g_assert_cmpint(lseek(fd, 0, SEEK_END), ==, lseek(from, 0, SEEK_END));
	struct stat st;
	g_assert_cmpint(fstat(fd, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 0777, ==, 0600);
	MsSpoolFate fate = MS_SPOOL_UNKNOWN;
	g_assert_cmpuint(ms_spool_sweep(dir, fate_of, &fate), ==, 0); /* too young */
	const struct timespec old[2] = {{1, 0}, {1, 0}};
	g_assert_cmpint(futimens(fd, old), ==, 0);
	fate = MS_SPOOL_HELD;
	g_assert_cmpuint(ms_spool_sweep(dir, fate_of, &fate), ==, 0);
	/* nobody knows it: its record may have been lost, the message is not */
	fate = MS_SPOOL_UNKNOWN;
	g_assert_cmpuint(ms_spool_sweep(dir, fate_of, &fate), ==, 1);
	g_autofree char *aside = g_build_filename(dir, MS_SPOOL_ASIDE, NULL);
	int kept = ms_spool_open(aside, "0123", NULL);
	g_assert_cmpint(lseek(kept, 0, SEEK_END), ==, lseek(from, 0, SEEK_END));
	close(kept);
	/* that of one that was decided on goes */
	fate = MS_SPOOL_DONE;
	g_assert_true(ms_spool_write(dir, "4567", from, false, NULL));
	int done = ms_spool_open(dir, "4567", NULL);
	g_assert_cmpint(futimens(done, old), ==, 0);
	close(done);
	g_assert_cmpuint(ms_spool_sweep(dir, fate_of, &fate), ==, 0);
	g_assert_cmpint(ms_spool_open(dir, "4567", NULL), ==, -1);
	g_assert_cmpint(ms_spool_open(aside, "4567", NULL), ==, -1);
	g_assert_cmpint(ms_spool_open(dir, "0123", &error), ==, -1);
	g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
	g_assert_true(ms_spool_remove(dir, "0123", NULL));
	close(fd);
	close(from);
}

static guint files_in(const char *folder, const char *ending)
{
	guint n = 0;
	g_autoptr(GDir) open = g_dir_open(folder, 0, NULL);
	for (const char *name; (name = g_dir_read_name(open)) != NULL;)
		n += g_str_has_suffix(name, ending);
	return n;
}

/* In a child, which the kernel ends when it has written so much. */
static void write_half(const char *folder, int from, bool again)
{
	pid_t pid = fork();
	if (pid == 0) {
		const struct rlimit most = {20000, 20000}, no_core = {0, 0};
		signal(SIGXFSZ, SIG_DFL);
		setrlimit(RLIMIT_CORE, &no_core);
		setrlimit(RLIMIT_FSIZE, &most);
		ms_spool_write(folder, "0123", from, again, NULL);
		_exit(0);
	}
	int status;
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_true(WIFSIGNALED(status));
}

/* Who is killed amid it leaves no half of a message, and takes no whole one away. */
static void test_spool_killed(void)
{
	MsSpoolFate fate = MS_SPOOL_HELD;
	const struct timespec old[2] = {{1, 0}, {1, 0}};
	g_autofree char *folder = scratch_folder();
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	write_half(folder, from, false);
	g_assert_cmpint(ms_spool_open(folder, "0123", NULL), ==, -1);
	g_assert_true(ms_spool_write(folder, "0123", from, false, NULL));
	write_half(folder, from, true);
	int fd = ms_spool_open(folder, "0123", NULL);
	g_assert_cmpint(lseek(fd, 0, SEEK_END), ==, lseek(from, 0, SEEK_END));
	close(fd);
	close(from);
	/* what they left is nobody's, but somebody may be writing it */
	ms_spool_sweep(folder, fate_of, &fate);
	g_assert_cmpuint(files_in(folder, ".new"), ==, 2);
	g_autoptr(GDir) open = g_dir_open(folder, 0, NULL);
	for (const char *name; (name = g_dir_read_name(open)) != NULL;) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		g_assert_no_errno(utimensat(AT_FDCWD, path, old, 0));
	}
	ms_spool_sweep(folder, fate_of, &fate);
	g_assert_cmpuint(files_in(folder, ".new"), ==, 0);
	g_assert_cmpuint(files_in(folder, ".eml"), ==, 1);
	remove_folder(folder);
}

static void test_body_digest(void)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{"S: x\r\n\r\nbody\r\nline\r\n", "Received: y\nS: x\n\nbody\nline\n", true},
		{"S: x\n\nbody\n", "S: x\n\nbody", true},
		{"S: x\n\nbody\n", "S: x\n\nbodx\n", false},
		{"S: x\n\n", "S: y\n", true},
		{"S: x\n\na", "S: a\n", false},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		char a[MS_BODY_DIGEST], b[MS_BODY_DIGEST];
		MsBodyDigest digest;
		ms_body_digest_init(&digest);
		ms_body_digest_message(&digest, rows[i].a, strlen(rows[i].a));
		ms_body_digest_end(&digest, a);
		ms_body_digest_init(&digest);
		for (const char *p = rows[i].b; *p != '\0'; p++) /* byte by byte */
			ms_body_digest_message(&digest, p, 1);
		ms_body_digest_end(&digest, b);
		g_assert_cmpint(strcmp(a, b) == 0, ==, rows[i].same);
	}
}

/* Whatever the lines are, and wherever it is cut: what is digested is all that ends no line. */
static void test_body_digest_lines(void)
{
	for (guint round = 0; round < 200; round++) {
		int mean = 1 << g_test_rand_int_range(0, 14);
		g_autoptr(GString) text = g_string_new(NULL), bare = g_string_new(NULL);
		for (int n = g_test_rand_int_range(0, 20000); n > 0; n--) {
			char c = g_test_rand_int_range(0, mean) == 0
				? "\r\n"[g_test_rand_int_range(0, 2)]
				: 'a' + n % 26;
			g_string_append_c(text, c);
			if (c != '\r' && c != '\n')
				g_string_append_c(bare, c);
		}
		unsigned char sum[16];
		char want[MS_BODY_DIGEST], got[MS_BODY_DIGEST];
		crypto_generichash(
			sum, sizeof sum, (const unsigned char *)bare->str, bare->len, NULL, 0);
		sodium_bin2hex(want, sizeof want, sum, sizeof sum);
		MsBodyDigest digest;
		ms_body_digest_init(&digest);
		for (gsize at = 0; at < text->len;) {
			gsize some = (gsize)g_test_rand_int_range(1, 9000),
			      n = MIN(some, text->len - at);
			ms_body_digest_add(&digest, text->str + at, n);
			at += n;
		}
		ms_body_digest_end(&digest, got);
		g_assert_cmpstr(got, ==, want);
	}
}

static void test_same(void)
{
	static const struct {
		gint64 recorded, arrived;
		bool want;
	} rows[] = {
		{1000, 1000, true}, {1000, 998, true}, {1000, 1002, true}, {1000, 1003, false},
		{1000, 1500, false}, {8200, 1000, true}, {8201, 1000, true}, {100000, 1000, true},
		{3000000, 1000, false},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		MsRecord record = {.arrived = rows[i].recorded * G_USEC_PER_SEC};
		MsQueued queued = {.arrived = rows[i].arrived};
		g_assert_cmpint(ms_mta_is_same(&record, &queued), ==, rows[i].want);
	}
}

/* The helper takes what it is made for and nothing else. */
static void test_release_arguments(void)
{
	g_autofree char *program = built_file("missent-release");
#define DIGEST "00112233445566778899aabbccddeeff"
	static const char *const bad[][7] = {
		{NULL},
		{"shell", NULL},
		{"release", NULL},
		{"release", "ALL;id", DIGEST, NULL},
		{"release", "-d", DIGEST, NULL},
		{"release", "A/../B", DIGEST, NULL},
		{"release", "ABCDE12", NULL},
		{"release", "ABCDE12", "XYZ99", NULL},
		{"release", "ABCDE12", DIGEST "0", NULL},
		{"release", "ABCDE12", DIGEST, "more", NULL},
		{"list", "ABCDE", NULL},
		{"release", "ALL", DIGEST, NULL},
		{"--config", "relative", "list", NULL},
		{"delete", "", DIGEST, NULL},
		{"show", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", NULL},
		{"show", "ABCDE12", DIGEST, NULL},
		{"--mta", "exim", "list", NULL},
		{"--shell", "/x", "list", NULL},
		{"--mta", "sendmail", "requeue", "ABCDE12", DIGEST, NULL},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		const char *argv[9] = {program};
		for (int k = 0; k < 7 && bad[i][k] != NULL; k++)
			argv[k + 1] = bad[i][k];
		g_autofree char *err = NULL;
		int status;
		g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL,
			NULL, &err, &status, NULL));
		g_assert_cmpint(status >> 8, ==, 64);
		g_assert_nonnull(strstr(err, "(see missent-release --help)"));
	}
}

/* Who has a right is what the judge said, not what the findings that are shown look like. */
static void test_rightful(void)
{
	g_autoptr(MsLedger) ledger = open_ledger("rightful.db");
	g_autoptr(GError) error = NULL;
	add(ledger, "R1", "s@x", 10, MS_MISMATCH, MS_STATE_HELD);
	g_autoptr(MsRecord) r = ms_records_find(ledger, "R1", &error);
	g_autoptr(GPtrArray) right = ms_record_rightful(r);
	g_assert_cmpuint(right->len, ==, 1);
	g_assert_cmpstr(right->pdata[0], ==, "a@x.example"); /* though its finding says "x" */
	/* Judged again: the other way round. */
	g_autoptr(MsRecord) again = ms_record_new();
	ms_record_recipient(again, "a@x.example", MS_STATE_HELD, MS_OUTCOME_WRONG, "AC-9");
	ms_record_recipient(again, "b@x.example", MS_STATE_HELD, MS_OUTCOME_RIGHT, "AC-2");
	g_assert_true(ms_records_rejudge(ledger, r, again->recipients, "anna", "", &error));
	g_autoptr(MsRecord) after = ms_records_find(ledger, "R1", &error);
	g_autoptr(GPtrArray) now = ms_record_rightful(after);
	g_assert_cmpuint(now->len, ==, 1);
	g_assert_cmpstr(now->pdata[0], ==, "b@x.example");
	g_assert_cmpstr(((MsHeldRecipient *)after->recipients->pdata[0])->accounts, ==, "AC-9");
	const MsAct *act = after->acts->pdata[after->acts->len - 1];
	g_assert_cmpstr(act->what, ==, "rejudge");
	g_assert_cmpstr(act->why, ==,
		"a@x.example: right, now wrong; b@x.example: unknown-recipient, now right");
	g_assert_cmpint(after->changed, >, r->changed);
}

/* ---- damage -------------------------------------------------------------------------- */

static void take_value(MsSqlRow *row, void *user)
{
	g_assert_cmpint(ms_sql_number(row, "value"), ==, 0);
	g_assert_cmpstr(ms_sql_text(row, "value"), ==, "");
	g_assert_null(ms_sql_bytes(row, "value"));
	*(bool *)user = ms_sql_is_odd(row);
}

/* A bit of a schema is another: the column is found, and is not called what the statement calls
 * it. */
static void test_other_letters(void)
{
	g_autofree char *path = g_build_filename(dir, "letters.db", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(MsSqlite) db = ms_sqlite_open(path, 0x6d736c31,
		"CREATE TABLE t (Value INTEGER NOT NULL); INSERT INTO t VALUES (7);", true, NULL,
		&error);
	g_assert_no_error(error);
	bool odd = false;
	g_assert_cmpint(
		ms_sqlite_ask(db, "SELECT value FROM t", NULL, take_value, &odd, NULL, &error), ==,
		MS_FOUND);
	g_assert_true(odd);
}

/* ---- wholly or not at all ------------------------------------------------------------ */

typedef struct {
	MsLedger *ledger;
	MsSqlite *db; /* the same file */
	MsRecord *record;
	GPtrArray *decisions; /* one, of which nothing is begun */
	GPtrArray *to;
} Store;

static const char *const tables[] = {"counter", "held", "recipient", "reason", "finding", "account",
	"act", "decision", "outbox", "wait", "mirrored", "glance", "word"};

static void take_dump(MsSqlRow *row, void *user)
{
	*(char **)user = g_strdup(ms_sql_text_or_null(row, "dump"));
}

static char *ask_dump(const Store *s, const char *sql)
{
	g_autoptr(GError) error = NULL;
	char *dump = NULL;
	ms_sqlite_ask(s->db, sql, NULL, take_dump, &dump, NULL, &error);
	g_assert_no_error(error);
	return dump != NULL ? dump : g_strdup("");
}

static char *dump_of(const Store *s, const char *table)
{
	g_autofree char *names = g_strdup_printf(
		"SELECT group_concat('quote(' || name || ')', '||') AS dump FROM pragma_table_info('%s')",
		table);
	g_autofree char *columns = ask_dump(s, names);
	g_autofree char *rows = g_strdup_printf(
		"SELECT group_concat(%s, char(10)) AS dump FROM %s", columns, table);
	return ask_dump(s, rows);
}

static void dump_all(const Store *s, char *dumps[G_N_ELEMENTS(tables)])
{
	for (gsize i = 0; i < G_N_ELEMENTS(tables); i++)
		dumps[i] = dump_of(s, tables[i]);
}

/* What waits, was decided on, and would be told to others. */
static Store store_new(void)
{
	static guint number;
	g_autofree char *name = g_strdup_printf("whole%u.db", ++number);
	g_autofree char *path = g_build_filename(dir, name, NULL);
	Store s = {.ledger = open_ledger(name)};
	ms_ledger_tell(s.ledger, true);
	s.db = ms_sqlite_open(path, 0x6d736834, "SELECT 1", true, NULL, NULL);
	g_assert_nonnull(s.db);
	s.record = record("A1", "x@s.example", 1000, MS_MISMATCH, MS_STATE_HELD);
	s.record->subject = g_strdup("s");
	s.record->attached = g_strdup(".pdf");
	s.record->due = 2000;
	s.record->waits_since = 1000;
	g_ptr_array_add(s.record->words, g_strdup("w1"));
	g_assert_true(ms_records_add(s.ledger, s.record, NULL));
	g_assert_true(ms_records_act(s.ledger, s.record->id, "anna", "note", "why", NULL));
	s.decisions = g_ptr_array_new_with_free_func((GDestroyNotify)ms_decision_free);
	g_ptr_array_add(
		s.decisions, decision(s.record->uid, MS_VERB_NOTE, MS_DECISION_WAITING));
	g_assert_true(ms_decisions_add(s.ledger, s.decisions, NULL));
	s.to = g_ptr_array_new();
	g_ptr_array_add(s.to, (char *)"a@x.example");
	return s;
}

static void store_clear(Store *s)
{
	ms_ledger_free(s->ledger);
	ms_sqlite_free(s->db);
	ms_record_free(s->record);
	g_ptr_array_unref(s->decisions);
	g_ptr_array_unref(s->to);
}

static bool do_add(Store *s)
{
	g_autoptr(MsRecord) r = record("A2", "x@s.example", 1, MS_MISMATCH, MS_STATE_HELD);
	g_autoptr(GError) error = NULL;
	r->due = 7;
	g_ptr_array_add(r->words, g_strdup("w1"));
	MsAct *act = g_new(MsAct, 1);
	*act = (MsAct){1, g_strdup("anna"), g_strdup("note"), g_strdup("")};
	g_ptr_array_add(r->acts, act);
	bool fine = ms_records_add(s->ledger, r, &error);
	g_assert_true(fine == (error == NULL));
	return fine;
}

static bool do_add_held(Store *s)
{
	g_autoptr(MsRecord) r = record("A2", "x@s.example", 1, MS_MISMATCH, MS_STATE_HELD);
	return ms_records_add(s->ledger, r, NULL);
}

static bool do_take_back(Store *s)
{
	return ms_records_take_back(s->ledger, s->record, NULL);
}

static bool do_mirror(Store *s)
{
	g_autoptr(MsRecord) r = record("A1", "x@s.example", 1, MS_MISMATCH, MS_STATE_HELD);
	r->uid = g_strdup(s->record->uid);
	r->changed = 99;
	g_ptr_array_add(r->decisions, decision(r->uid, MS_VERB_NOTE, MS_DECISION_DONE));
	return ms_records_mirror(s->ledger, r, NULL);
}

static bool do_decide(Store *s)
{
	g_autoptr(GPtrArray)
		list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_decision_free);
	g_ptr_array_add(list, decision(s->record->uid, MS_VERB_DELETE, MS_DECISION_WAITING));
	return ms_decisions_add(s->ledger, list, NULL);
}

static bool do_withdraw(Store *s)
{
	return ms_decisions_second(s->ledger, s->decisions, "bert", false, NULL);
}

static bool do_step(Store *s)
{
	return ms_decisions_step(
		s->ledger, s->decisions->pdata[0], "moved", "t", MS_PLACE_SPOOL, NULL);
}

static bool do_finish(Store *s)
{
	return ms_decisions_finish(
		s->ledger, s->decisions->pdata[0], true, "", s->to, MS_STATE_RELEASED, NULL);
}

static bool do_gone(Store *s)
{
	bool done = false;
	return ms_records_gone(s->ledger, s->record, "why", &done, NULL) && done;
}

static bool do_settle(Store *s)
{
	g_autoptr(MsRecord) again = record("A1", "x@s.example", 1, MS_MISMATCH, MS_STATE_HELD);
	((MsHeldRecipient *)again->recipients->pdata[0])->outcome = MS_OUTCOME_WRONG;
	return ms_records_settle(
		s->ledger, s->record, again->recipients, "cause", "anna", "why", NULL);
}

/* Whichever of the tables that it writes to cannot be written: then it says so, and nothing has
 * happened. */
static void test_whole(gconstpointer data)
{
	bool (*const run)(Store *) = *(bool (*const *)(Store *))data;
	char *before[G_N_ELEMENTS(tables)], *after[G_N_ELEMENTS(tables)];
	Store s = store_new();
	dump_all(&s, before);
	g_assert_true(run(&s));
	dump_all(&s, after);
	store_clear(&s);
	for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
		if (strcmp(before[i], after[i]) == 0)
			continue;
		static const char *const verbs[] = {"INSERT", "UPDATE", "DELETE"};
		char *was[G_N_ELEMENTS(tables)], *is[G_N_ELEMENTS(tables)];
		s = store_new();
		dump_all(&s, was);
		for (gsize k = 0; k < G_N_ELEMENTS(verbs); k++) {
			g_autofree char *sql = g_strdup_printf(
				"CREATE TRIGGER no_%s BEFORE %s ON %s"
				" BEGIN SELECT RAISE(ABORT, 'no'); END",
				verbs[k], verbs[k], tables[i]);
			g_free(ask_dump(&s, sql));
		}
		g_test_message("without %s", tables[i]);
		g_assert_false(run(&s));
		dump_all(&s, is);
		for (gsize k = 0; k < G_N_ELEMENTS(tables); k++) {
			g_assert_cmpstr(is[k], ==, was[k]);
			g_free(is[k]);
			g_free(was[k]);
		}
		store_clear(&s);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
		g_free(before[i]);
		g_free(after[i]);
	}
}

static const struct {
	bool (*run)(Store *); /* first */
	const char *name;
} wholes[] = {{do_add, "add"}, {do_add_held, "add-held"}, {do_take_back, "take-back"},
	{do_mirror, "mirror"}, {do_decide, "decide"}, {do_withdraw, "withdraw"}, {do_step, "step"},
	{do_finish, "finish"}, {do_gone, "gone"}, {do_settle, "settle"}};

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	dir = scratch_folder();
	g_test_add_func("/ledger/records", test_records);
	g_test_add_func("/ledger/pages", test_pages);
	g_test_add_func("/ledger/decisions", test_decisions);
	g_test_add_func("/ledger/rightful", test_rightful);
	g_test_add_func("/ledger/forget", test_forget);
	g_test_add_func("/ledger/forget-account", test_forget_account);
	g_test_add_func("/ledger/tokens", test_tokens);
	g_test_add_func("/ledger/forgotten", test_forgotten);
	g_test_add_func("/ledger/json", test_json);
	g_test_add_func("/ledger/twin", test_twin);
	g_test_add_func("/ledger/beside", test_beside);
	g_test_add_func("/ledger/spool", test_spool);
	g_test_add_func("/ledger/spool-killed", test_spool_killed);
	g_test_add_func("/ledger/body-digest", test_body_digest);
	g_test_add_func("/ledger/body-digest-lines", test_body_digest_lines);
	g_test_add_func("/ledger/same-message", test_same);
	g_test_add_func("/ledger/release-arguments", test_release_arguments);
	g_test_add_func("/ledger/other-letters", test_other_letters);
	for (gsize i = 0; i < G_N_ELEMENTS(wholes); i++) {
		g_autofree char *path = g_strconcat("/ledger/whole/", wholes[i].name, NULL);
		g_test_add_data_func(path, &wholes[i].run, test_whole);
	}
	int rc = g_test_run();
	remove_folder(dir);
	return rc;
}
