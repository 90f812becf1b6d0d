/*
 * The webhook's outbox: what an item says, and does not say, of a record, and when it is sent.
 */
#include "config.h"

#include <jansson.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/clock.h"
#include "missent/decision.h"
#include "missent/mta.h"
#include "missent/outbox.h"

#include "../test.h"

static char *dir;

static MsLedger *open_ledger(const char *name, bool tell)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autoptr(GError) error = NULL;
	MsLedger *ledger = ms_ledger_open(path, &error);
	g_assert_no_error(error);
	ms_ledger_tell(ledger, tell);
	return ledger;
}

/* A record with everything in it that is nobody else's business. */
static MsRecord *record(MsState state)
{
	MsRecord *r = ms_record_new();
	static int n;
	r->state = state;
	r->host = g_strdup("mx");
	r->queue_id = g_strdup_printf("Q%d", n++);
	r->sender = g_strdup("secret-sender@seller.example");
	r->arrived = g_get_real_time();
	r->digest = g_strdup("00");
	r->codes = g_strdup("mismatch");
	r->policies = g_strdup("invoices");
	r->cause = g_strdup("secret-cause");
	r->subject = g_strdup("secret-subject");
	ms_record_recipient(r, "secret-recipient@x.example", state, MS_OUTCOME_WRONG, "SECRET-1");
	g_ptr_array_add(r->accounts, g_strdup("SECRET-2"));
	r->n_recipients = 1;
	return r;
}

static char *hold(MsLedger *ledger, MsState state)
{
	g_autoptr(MsRecord) r = record(state);
	g_autoptr(GError) error = NULL;
	ms_records_add(ledger, r, &error);
	g_assert_no_error(error);
	return g_strdup(r->uid);
}

static MsDecision *decision(const char *uid, MsDecisionState state)
{
	MsDecision *d = g_new0(MsDecision, 1);
	d->id = ms_record_name();
	d->uid = g_strdup(uid);
	d->verb = MS_VERB_RELEASE;
	d->who = g_strdup("anna");
	d->why = g_strdup("secret-why");
	d->recipients = g_strdup("secret-recipient@x.example");
	char **empty[] = {&d->group, &d->account, &d->identifier, &d->assignee, &d->second,
		&d->outcome, &d->token, &d->step};
	for (gsize i = 0; i < G_N_ELEMENTS(empty); i++)
		*empty[i] = g_strdup("");
	d->at = g_get_real_time();
	d->state = state;
	return d;
}

static GPtrArray *due(MsLedger *ledger)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *list = ms_outbox_due(ledger, 100, &error);
	g_assert_no_error(error);
	return list;
}

/* What the item says under that key. */
static char *said(const GPtrArray *list, guint n, const char *key)
{
	const MsOutboxItem *item = list->pdata[n];
	json_t *json = json_loads(item->body, 0, NULL);
	g_assert_null(strstr(item->body, "secret"));
	g_assert_null(strstr(item->body, "SECRET"));
	g_assert_cmpstr(json_string_value(json_object_get(json, "delivery")), ==, item->name);
	char *text = g_strdup(json_string_value(json_object_get(json, key)));
	json_decref(json);
	return text;
}

#define assert_said(list, n, key, want) \
	do { \
		g_autofree char *got_ = said(list, n, key); \
		g_assert_cmpstr(got_, ==, want); \
	} while (0)

static void test_held(void)
{
	g_autoptr(MsLedger) silent = open_ledger("held.db", false);
	g_autofree G_GNUC_UNUSED char *none = hold(silent, MS_STATE_HELD);
	g_autoptr(MsLedger) ledger = open_ledger("held.db", true);
	g_autofree char *held = hold(ledger, MS_STATE_HELD);
	g_autofree G_GNUC_UNUSED char *observed = hold(ledger, MS_STATE_OBSERVED);
	g_autoptr(GPtrArray) list = due(ledger);
	g_assert_cmpuint(list->len, ==, 1);
	assert_said(list, 0, "event", "held");
	assert_said(list, 0, "uid", held);
	assert_said(list, 0, "reasons", "mismatch");
	/* a copy of another host's is its own to tell */
	g_autoptr(MsRecord) other = record(MS_STATE_HELD);
	other->uid = ms_record_name();
	g_assert_true(ms_records_mirror(ledger, other, NULL));
	g_autoptr(GPtrArray) same = due(ledger);
	g_assert_cmpuint(same->len, ==, 1);
}

/* What was not held after all, nobody is told. */
static void test_taken_back(void)
{
	g_autoptr(MsLedger) ledger = open_ledger("back.db", true);
	g_autoptr(MsRecord) r = record(MS_STATE_HELD);
	g_assert_true(ms_records_add(ledger, r, NULL));
	g_assert_true(ms_records_take_back(ledger, r, NULL));
	g_autoptr(GPtrArray) list = due(ledger);
	g_assert_cmpuint(list->len, ==, 0);
}

static void test_decided(void)
{
	g_autoptr(MsLedger) ledger = open_ledger("decided.db", true);
	g_autofree char *uid = hold(ledger, MS_STATE_HELD);
	g_autoptr(GPtrArray)
		decisions = g_ptr_array_new_with_free_func((GDestroyNotify)ms_decision_free);
	g_ptr_array_add(decisions, decision(uid, MS_DECISION_WAITING));
	g_ptr_array_add(decisions, decision(uid, MS_DECISION_WAITING));
	MsDecision *some = decisions->pdata[0], *all = decisions->pdata[1];
	g_free(some->recipients);
	some->recipients = g_strdup("secret-recipient@x.example\nb@x.example");
	*all->recipients = '\0';
	g_assert_true(ms_decisions_add(ledger, decisions, NULL));
	for (guint i = 0; i < decisions->len; i++) {
		g_autoptr(GPtrArray) one = g_ptr_array_new();
		g_ptr_array_add(one, decisions->pdata[i]);
		g_assert_true(ms_decisions_second(ledger, one, "bert", i == 1, NULL));
	}
	g_autoptr(MsDecision)
		agreed = ms_decisions_find(ledger, ((MsDecision *)decisions->pdata[1])->id, NULL);
	g_autoptr(GPtrArray) to = g_ptr_array_new();
	g_ptr_array_add(to, (char *)"secret-recipient@x.example");
	g_assert_true(ms_decisions_finish(
		ledger, agreed, true, "secret-outcome", to, MS_STATE_RELEASED, NULL));
	g_autoptr(GPtrArray) list = due(ledger);
	static const char *const states[] = {"waiting", "waiting", "withdrawn", "done"};
	g_assert_cmpuint(list->len, ==, 5);
	for (guint i = 0; i < G_N_ELEMENTS(states); i++) {
		assert_said(list, i + 1, "event", "decision");
		assert_said(list, i + 1, "state", states[i]);
		assert_said(list, i + 1, "who", "anna");
		const MsOutboxItem *item = list->pdata[i + 1];
		g_assert_nonnull(strstr(item->body, i % 2 == 0 ? "\"to\":2" : "\"to\":0"));
	}
	assert_said(list, 4, "second", "bert");
	assert_said(list, 4, "message_state", "released");
}

/* Kept until it is sent, over a restart too; later and later; not for ever. */
static void test_until_sent(void)
{
	g_autofree char *first = NULL;
	{
		g_autoptr(MsLedger) ledger = open_ledger("until.db", true);
		g_autofree G_GNUC_UNUSED char *a = hold(ledger, MS_STATE_HELD);
		g_autofree G_GNUC_UNUSED char *b = hold(ledger, MS_STATE_HELD);
		g_autoptr(GPtrArray) list = due(ledger);
		const MsOutboxItem *item = list->pdata[0];
		first = g_strdup(item->name);
		g_assert_true(ms_outbox_later(ledger, item, 3600 * (gint64)G_USEC_PER_SEC, NULL));
		g_autoptr(GPtrArray) rest = due(ledger);
		g_assert_cmpuint(rest->len, ==, 1);
		g_assert_true(ms_outbox_later(ledger, item, 0, NULL));
	}
	g_autoptr(MsLedger) ledger = open_ledger("until.db", true);
	g_autoptr(GPtrArray) list = due(ledger);
	const MsOutboxItem *item = list->pdata[0];
	g_assert_cmpuint(list->len, ==, 2);
	g_assert_cmpstr(item->name, ==, first);
	g_assert_cmpuint(item->tries, ==, 2);
	g_assert_true(ms_outbox_sent(ledger, item, NULL));
	g_autoptr(GPtrArray) left = due(ledger);
	g_assert_cmpuint(left->len, ==, 1);
	g_assert_cmpint(
		ms_outbox_forget(ledger, g_get_real_time() - G_USEC_PER_SEC * 60, NULL), ==, 0);
	g_assert_cmpint(ms_outbox_forget(ledger, g_get_real_time(), NULL), ==, 0);
	for (guint i = 0; i < 20; i++)
		g_assert_true(ms_outbox_later(ledger, left->pdata[0], 0, NULL));
	g_assert_cmpint(ms_outbox_forget(ledger, g_get_real_time(), NULL), ==, 1);
}

/* One that was ahead, when a try failed or now, keeps nothing back and drops nothing. */
static void test_clock_set(void)
{
	const gint64 year = 365 * 86400 * (gint64)G_USEC_PER_SEC;
	g_autoptr(MsLedger) ledger = open_ledger("clock.db", true);
	g_autofree G_GNUC_UNUSED char *uid = hold(ledger, MS_STATE_HELD);
	g_autoptr(GPtrArray) list = due(ledger);
	ms_clock_shift(year, 0);
	g_assert_true(ms_outbox_later(ledger, list->pdata[0], MS_OUTBOX_WAIT_MOST_US, NULL));
	g_autoptr(GPtrArray) waits = due(ledger);
	g_assert_cmpuint(waits->len, ==, 0);
	g_assert_cmpint(ms_outbox_forget(ledger, ms_clock_now() - year / 50, NULL), ==, 0);
	ms_clock_shift(-year, 0);
	g_autoptr(GPtrArray) again = due(ledger);
	g_assert_cmpuint(again->len, ==, 1);
}

/* What is no UTF-8 is told as well as it can be: the file of a policy, a name from a proxy. */
static void test_words(void)
{
	g_autoptr(MsLedger) ledger = open_ledger("words.db", true);
	g_autoptr(MsRecord) r = record(MS_STATE_HELD);
	g_free(r->policies);
	r->policies = g_strdup("rechn\xfcngen");
	g_assert_true(ms_records_add(ledger, r, NULL));
	g_autoptr(MsDecision) d = decision(r->uid, MS_DECISION_WAITING);
	g_free(d->who);
	d->who = g_strdup("j\xf6rg");
	g_autoptr(GPtrArray) decisions = g_ptr_array_new();
	g_ptr_array_add(decisions, d);
	g_assert_true(ms_decisions_add(ledger, decisions, NULL));
	g_assert_true(ms_outbox_alert(ledger, "disk", true, "h\xe4user", NULL));
	g_assert_true(ms_outbox_alert(ledger, "disk", false, "h\xe4user", NULL));
	g_autoptr(GPtrArray) list = due(ledger);
	g_assert_cmpuint(list->len, ==, 4);
	assert_said(list, 0, "policies", "rechn\xef\xbf\xbdngen");
	assert_said(list, 1, "who", "j\xef\xbf\xbdrg");
	assert_said(list, 2, "host", "h\xef\xbf\xbduser");
	assert_said(list, 2, "state", "on");
	assert_said(list, 3, "state", "off");
}

/* RFC 4231, test case 2, with a time before it: another program can say the same. */
static void test_signature(void)
{
	g_autofree char *got = ms_hook_signature("Jefe", 1, "what do ya want for nothing?");
	g_autofree char *want = g_compute_hmac_for_string(
		G_CHECKSUM_SHA256, (const guchar *)"Jefe", 4, "1.what do ya want for nothing?", -1);
	g_assert_true(g_str_has_prefix(got, "t=1,v1="));
	g_assert_cmpstr(got + strlen("t=1,v1="), ==, want);
	g_autofree char *other = ms_hook_signature("Jefe", 2, "what do ya want for nothing?");
	g_assert_cmpstr(got, !=, other);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	dir = scratch_folder();
	g_test_add_func("/outbox/held", test_held);
	g_test_add_func("/outbox/taken-back", test_taken_back);
	g_test_add_func("/outbox/decided", test_decided);
	g_test_add_func("/outbox/until-sent", test_until_sent);
	g_test_add_func("/outbox/clock-set", test_clock_set);
	g_test_add_func("/outbox/words", test_words);
	g_test_add_func("/outbox/signature", test_signature);
	int rc = g_test_run();
	remove_folder(dir);
	return rc;
}
