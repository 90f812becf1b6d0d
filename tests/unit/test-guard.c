/*
 * The guard on both stores, by the same rows: each test runs on a fresh memory in SQLite and,
 * where there is a redis-server, in Redis; and random steps are answered alike by both.
 */
#include "config.h"

#include <signal.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>

#include "missent/answer.h"
#include "missent/guard.h"
#include "missent/policy.h"
#include "missent/store.h"

#include "../../milter/guard/step.h"
#include "../redis.h"
#include "../test.h"

static char *dir, *redis_address;
static guint8 key[32] = {1, 2, 3};
static MsKinds *kinds;
static guint prefixes;

static const char *const customers[] = {"customer-number", NULL};
static const MsGuardLimits usual = {.fan_out = 4,
	.fan_out_domains = 3,
	.fan_in = 3,
	.repeat = 3,
	.window = 86400,
	.customers = customers,
	.keep = 400 * 86400,
	.support = 2,
	.learn = 0,
	.breaker = 8,
	.breaker_recent = 3,
	.breaker_window = 3600,
	.probes = 2,
	.volume = 10};

#define NOON 1764158400
#define DAY 86400

static MsGuard *guard_with(bool on_redis, const MsGuardLimits *limits)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *prefix = g_strdup_printf("t%u", ++prefixes);
	const MsRedisSettings redis = {
		.address = redis_address, .timeout_ms = 5000, .connections = 2};
	const MsGuardSettings settings = {.on_redis = on_redis,
		.sqlite = ":memory:",
		.redis = &redis,
		.redis_prefix = prefix,
		.key = key,
		.tag_separators = "+",
		.limits = *limits};
	MsGuard *guard = ms_guard_open(&settings, &error);
	g_assert_no_error(error);
	return guard;
}

/* ---- messages ------------------------------------------------------------------------- */

typedef struct {
	MsGuard *guard;
	MsPolicies *policies;
	gint64 now;
	guint number; /* of the message */
	const char *sender;   /* NULL: the usual one */
	const char *text;     /* of the message, with its identifiers in it; NULL: none */
	const char *id;       /* its Message-ID; NULL: none */
	const char *greeted;  /* a name, canonical; or NULL */
	const char
		*accounts; /* of the directory: "value=account value=account"; NULL: it is empty */
	MsVerdict *last;
	MsGuardCounts *counts;
} Run;

static guint union_of(MsResolution *r, const char *account)
{
	guint list = ms_resolution_list(r, &account, 1);
	return ms_resolution_union(r, &list, 1);
}

static const char *account_of(const Run *run, const char *value, char **own)
{
	g_autofree char *needle = g_strconcat(" ", value, "=", NULL);
	g_autofree char *hay = g_strconcat(" ", run->accounts != NULL ? run->accounts : "", NULL);
	const char *at = strstr(hay, needle);
	if (at == NULL)
		return NULL;
	at += strlen(needle);
	return *own = g_strndup(at, strcspn(at, " "));
}

static MsResolution *resolve(const Run *run, const MsReading *reading, const MsEnvelope *e)
{
	MsResolution *r = ms_resolution_new("house", NULL);
	for (guint i = 0; i < reading->findings->len; i++) {
		g_autofree char *own = NULL;
		const char *account = account_of(
			run, ((MsFinding *)reading->findings->pdata[i])->value, &own);
		ms_resolution_identifier(r, account != NULL ? union_of(r, account) : 0, 0, 0);
	}
	for (guint i = 0; i < e->recipients->len; i++) {
		g_autofree char *own = NULL;
		const char *account = account_of(run, e->recipients->pdata[i], &own);
		guint mailbox = account != NULL ? union_of(r, account) : 0;
		ms_resolution_recipient(r, &mailbox, 1);
	}
	ms_resolution_settle(r);
	return r;
}

/* Without those that only say that the directory is empty. */
static char *codes_of(const MsVerdict *verdict)
{
	bool seen[MS_N_REASONS] = {[MS_UNKNOWN_IDENTIFIER] = true, [MS_UNKNOWN_RECIPIENT] = true};
	GString *out = g_string_new(NULL);
	for (int code = 0; code < MS_N_REASONS; code++) {
		for (guint i = 0; i < verdict->reasons->len; i++) {
			const MsReason *reason = verdict->reasons->pdata[i];
			if ((int)reason->code != code || seen[code])
				continue;
			seen[code] = true;
			g_string_append_printf(
				out, "%s%s", out->len > 0 ? ", " : "", ms_reason_names[code]);
		}
	}
	return g_string_free(out, FALSE);
}

/* "kind=value kind=value" to "address address"; the reasons of the verdict. */
static char *send_as(Run *run, const char *id, const char *what, const char *whom)
{
	g_autoptr(MsEnvelope) e = ms_envelope_new();
	g_autoptr(MsReading) reading = ms_reading_new();
	g_auto(GStrv) findings = g_strsplit(what, " ", -1);
	g_auto(GStrv) to = g_strsplit(whom, " ", -1);
	e->sender = g_strdup(run->sender != NULL ? run->sender : "billing@seller.example");
	e->host = g_strdup("mx1");
	e->queue_id = g_strdup(id);
	e->arrived = run->now * G_USEC_PER_SEC;
	for (int i = 0; findings[i] != NULL && *findings[i] != '\0'; i++) {
		char *equal = strchr(findings[i], '=');
		*equal = '\0';
		ms_reading_find(reading, findings[i], equal + 1, MS_BELIEF_LABELLED, 0,
			ms_place_new("part 1", "x", 0, 1, 1));
	}
	if (run->text != NULL) {
		g_ptr_array_add(reading->faces, g_strdup("message"));
		ms_reading_add_text(reading, 0, run->text, strlen(run->text));
		for (guint i = 0; i < reading->findings->len; i++)
			((MsFinding *)reading->findings->pdata[i])->texts = 1;
	}
	if (run->greeted != NULL)
		ms_reading_greet(reading, run->greeted);
	for (int i = 0; to[i] != NULL; i++)
		g_ptr_array_add(e->recipients, g_strdup(to[i]));
	MsHeader *subject = g_new0(MsHeader, 1);
	*subject = (MsHeader){g_strdup("Subject"), g_strdup("Your invoice")};
	g_ptr_array_add(reading->headers, subject);
	MsHeader *from = g_new0(MsHeader, 1);
	*from = (MsHeader){
		g_strdup("From"), g_strdup("\"Billing, Seller\" <Billing@Seller.example>")};
	g_ptr_array_add(reading->headers, from);
	if (run->id != NULL) {
		MsHeader *own = g_new0(MsHeader, 1);
		*own = (MsHeader){g_strdup("Message-ID"), g_strdup(run->id)};
		g_ptr_array_add(reading->headers, own);
	}
	g_autoptr(MsResolution) resolution = resolve(run, reading, e);
	ms_verdict_free(run->last);
	g_clear_pointer(&run->counts, ms_guard_counts_free);
	run->last = ms_policy_judge(run->policies, e, reading, resolution, NULL);
	MsGuardStream streams[MS_GUARD_STREAMS];
	guint n = ms_policy_streams(run->policies, run->last, streams);
	const MsGuardMessage m = {e, reading, resolution, run->last->outcomes, streams, n,
		run->last->action >= MS_HOLD, run->now,
		run->last->action == MS_SPLIT ? run->last->withheld : NULL};
	g_autoptr(GError) error = NULL;
	MsAnswer answer = ms_guard_count(run->guard, &m, &run->counts, &error);
	g_assert_true((answer == MS_FOUND) == (error == NULL));
	ms_policy_judge_counts(run->policies, e, reading, resolution, run->counts,
		error != NULL ? error->message : NULL, run->last);
	return codes_of(run->last);
}

static char *send_next(Run *run, const char *what, const char *whom)
{
	g_autofree char *id = g_strdup_printf("Q%u", ++run->number);
	run->now++;
	return send_as(run, id, what, whom);
}

#define SENT(run, what, whom, want)                                                                \
	do {                                                                                       \
		g_autofree char *got_ = send_next(run, what, whom);                                \
		g_assert_cmpstr(got_, ==, want);                                                   \
	} while (0)

static void run_begin(Run *run, bool on_redis, const MsGuardLimits *limits, const char *policy)
{
	g_autofree char *text = g_strdup_printf("policy \"p\" {\n%s\n}\n", policy);
	g_autoptr(GError) error = NULL;
	*run = (Run){.guard = guard_with(on_redis, limits), .now = NOON};
	run->policies = ms_policies_parse("p.conf", text, kinds, MS_MODE_ENFORCE, &error);
	g_assert_no_error(error);
}

static void run_end(Run *run)
{
	ms_guard_free(run->guard);
	ms_policies_free(run->policies);
	ms_verdict_free(run->last);
	ms_guard_counts_free(run->counts);
}

typedef void (*Test)(bool on_redis);
static void on_sqlite(gconstpointer test)
{
	((Test)test)(false);
}
static void on_redis(gconstpointer test)
{
	if (redis_address == NULL)
		g_test_skip("redis-server is not installed");
	else
		((Test)test)(true);
}

/* ---- rows ----------------------------------------------------------------------------- */

static void test_fan_out(bool redis)
{
	Run run;
	run_begin(&run, redis, &usual, "");
	SENT(&run, "invoice-number=R1 customer-number=C1", "a@x.example", "");
	SENT(&run, "invoice-number=R1 customer-number=C1", "b@x.example c@x.example", "");
	SENT(&run, "invoice-number=R1 customer-number=C1", "d@x.example", "");
	SENT(&run, "invoice-number=R1 customer-number=C1", "e@x.example", "fan-out");
	g_assert_cmpint(run.last->action, ==, MS_HOLD);
	/* Who got it already may get it again; and what was held did not make room smaller. */
	SENT(&run, "invoice-number=R1 customer-number=C1", "d@x.example", "");
	/* Another document of the customer. */
	SENT(&run, "invoice-number=R2 customer-number=C1", "a@x.example", "");
	/* Domains. */
	SENT(&run, "invoice-number=R3 customer-number=C3", "a@x.example b@y.example c@z.example",
		"");
	SENT(&run, "invoice-number=R3 customer-number=C3", "d@w.example", "fan-out");
	/* At once. */
	SENT(&run, "invoice-number=R4 customer-number=C4",
		"a@x.example b@x.example c@x.example d@x.example e@x.example", "fan-out, breaker");
	run_end(&run);
	/* It is forgotten in time. */
	run_begin(&run, redis, &usual, "");
	SENT(&run, "invoice-number=R1", "a@x.example b@x.example c@x.example d@x.example", "");
	run.now += 86400;
	SENT(&run, "invoice-number=R1", "e@x.example", "");
	run_end(&run);
}

/* What is in every document is the sender's own; what has no identifier is nobody's. */
/* One text to many, whatever it is found to have in it: a number in the name of its file, of which
 * each copy has another, and as many documents as copies. */
static void test_text(bool redis)
{
	Run run;
	run_begin(&run, redis, &usual, "on-repeat = deliver");
	run.text = "invoice for mr white number 4711";
	for (guint i = 0; i < 3; i++) {
		g_autofree char *what = g_strdup_printf("order-number=O%u", i),
				*whom = g_strdup_printf("c%u@d%u.example", i, i);
		SENT(&run, what, whom, "");
	}
	SENT(&run, "order-number=O9", "c2@d2.example", ""); /* he has it */
	SENT(&run, "order-number=O9", "c3@d3.example", "fan-out");
	g_assert_cmpint(g_array_index(run.counts->alarms, MsGuardAlarm, 0).document, ==, 0);
	run.text = "invoice for mr white number 4712";
	SENT(&run, "order-number=O9", "c3@d3.example", "");
	/* Without any, or with the sender's own alone, it is a newsletter. */
	run.text = "news of this week";
	for (guint i = 0; i < 20; i++) {
		g_autofree char *whom = g_strdup_printf("c%u@d%u.example", i, i);
		SENT(&run, "", whom, "");
	}
	run_end(&run);
	run_begin(&run, redis, &usual, "on-repeat = deliver");
	for (guint i = 0; i < 20; i++) {
		g_autofree char *what = g_strdup_printf("vat-id=DE136695976 order-number=O%u", i);
		g_autofree char *whom = g_strdup_printf("c%u@d%u.example", i, i);
		run.text = what;
		SENT(&run, what, whom, "");
	}
	run.text = "news of this week";
	for (guint i = 0; i < 20; i++) {
		g_autofree char *whom = g_strdup_printf("c%u@d%u.example", i, i);
		SENT(&run, "vat-id=DE136695976", whom, "");
	}
	run_end(&run);
}

/* Not of what stands beside it: all of these have one text, and each its number in the subject. */
static void test_text_beside(bool redis)
{
	Run run;
	run_begin(&run, redis, &usual, "on-repeat = deliver");
	for (guint i = 0; i < 20; i++) {
		g_autoptr(MsEnvelope) e = ms_envelope_new();
		g_autoptr(MsReading) reading = ms_reading_new();
		g_autoptr(GError) error = NULL;
		g_autofree char *number = g_strdup_printf("R%u", i);
		e->sender = g_strdup("billing@seller.example");
		e->queue_id = g_strdup(number);
		g_ptr_array_add(e->recipients, g_strdup_printf("c%u@d%u.example", i, i));
		g_ptr_array_add(reading->faces, g_strdup("message"));
		ms_reading_add_text(reading, 0, "your invoice", 12);
		ms_reading_find(reading, "invoice-number", number, MS_BELIEF_LABELLED, 0,
			ms_place_new("header Subject", "x", 0, 1, 1));
		g_autoptr(MsResolution) r = resolve(&run, reading, e);
		g_autoptr(MsVerdict) verdict = ms_policy_judge(run.policies, e, reading, r, NULL);
		MsGuardStream streams[MS_GUARD_STREAMS];
		guint n = ms_policy_streams(run.policies, verdict, streams);
		const MsGuardMessage m = {
			e, reading, r, verdict->outcomes, streams, n, false, NOON + i};
		g_clear_pointer(&run.counts, ms_guard_counts_free);
		g_assert_cmpint(ms_guard_count(run.guard, &m, &run.counts, &error), ==, MS_FOUND);
		g_assert_cmpuint(run.counts->alarms->len, ==, 0);
	}
	run_end(&run);
}

/* An address that stands in for many is greeted by the names of all of them, and a reseller's by
 * his. */
static void test_names(bool redis)
{
	MsGuardLimits young = usual;
	young.learn = 35 * DAY;
	young.fan_in_names = 4;
	young.fan_out = young.keep = young.breaker = young.breaker_recent = 0;
	Run run;
	run_begin(&run, redis, &young, "on-repeat = deliver");
	for (guint i = 0; i < 10; i++) {
		g_autofree char *what = g_strdup_printf("customer-number=C%u", i),
				*name = g_strdup_printf("person%u", i);
		run.greeted = name;
		SENT(&run, what, "all@x.example", i < 4 ? "" : "fan-in");
		SENT(&run, what,
			i % 2 == 0 ? "all@y.example copy@z.example"
				   : "copy@z.example all@y.example",
			"");
		SENT(&run, "", "all@w.example", "");
		run.greeted = i % 2 == 0 ? "petra weber" : "thomas klein";
		SENT(&run, what, "reseller@v.example", "");
	}
	run.greeted = "person2"; /* him they were before */
	SENT(&run, "customer-number=C2", "all@x.example", "");
	/* Twice as many as there were within a window before. */
	for (guint i = 0; i < 9; i++) {
		g_autofree char *name = g_strdup_printf("other%u", i);
		run.now += i == 0 ? DAY : 0;
		run.greeted = name;
		SENT(&run, "customer-number=C2", "all@x.example", i < 8 ? "" : "fan-in");
	}
	run_end(&run);
	run_begin(&run, redis, &young, "on-mismatch = deliver\non-repeat = deliver");
	run.accounts = "C1=A all@x.example=A";
	for (guint i = 0; i < 10; i++) { /* who has a right to it may be greeted as they like */
		g_autofree char *name = g_strdup_printf("person%u", i);
		run.greeted = name;
		SENT(&run, "customer-number=C1", "all@x.example", "");
	}
	run_end(&run);
}

static void test_common(bool redis)
{
	Run run;
	run_begin(&run, redis, &usual, "on-repeat = deliver");
	for (guint i = 0; i < 30; i++) {
		g_autofree char *what = g_strdup_printf("vat-id=DE136695976 invoice-number=R%u", i);
		g_autofree char *whom = g_strdup_printf("c%u@d%u.example", i, i);
		SENT(&run, what, whom, "");
	}
	run.now += 20 * DAY;
	for (guint i = 0; i < 30; i++) { /* a newsletter with the sender's VAT ID below */
		g_autofree char *whom = g_strdup_printf("c%u@d%u.example", i, i);
		SENT(&run, "vat-id=DE136695976", whom, "");
		SENT(&run, "", whom, "");
	}
	run_end(&run);
}

static void test_rights(bool redis)
{
	Run run;
	run_begin(&run, redis, &usual,
		"on-mismatch = deliver\non-repeat = deliver\nhouse-recipients = trusted");
	run.accounts =
		"C1=A R1=A H1=house a@x.example=A b@y.example=A c@z.example=A d@w.example=A e@v.example=A";
	SENT(&run, "customer-number=C1 invoice-number=R1",
		"a@x.example b@y.example c@z.example d@w.example e@v.example", "");
	for (guint i = 0; i < 12; i++) {
		g_autofree char *whom = g_strdup_printf("c%u@d%u.example", i, i);
		SENT(&run, "customer-number=H1", whom, "");
	}
	run_end(&run);
}

/* Whoever of the house gets a copy: what is a customer's is none of its own. */
static void test_house_copies(bool redis)
{
	static const struct {
		const char *before, *after, *what;
		bool others;
	} rows[] = {{"", "", "C1", true}, {"boss@seller.example ", "", "C2", true},
		{"", " boss@seller.example", "C3", true},
		{"boss@seller.example archive@seller.example ", "", "C4", true},
		{"", "", "H1", false}, {"boss@seller.example ", "", "H2", false}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		Run run;
		run_begin(&run, redis, &usual,
			"on-mismatch = deliver\non-repeat = deliver\nhouse-recipients = trusted");
		run.accounts =
			"C1=A C2=A C3=A C4=A H1=house H2=house boss@seller.example=house "
			"archive@seller.example=house";
		for (guint k = 0; k < 5; k++) {
			g_autofree char *whom = g_strdup_printf(
				"%sc%u@d%u.example%s", rows[i].before, k, k, rows[i].after);
			g_autofree char *what = g_strconcat("customer-number=", rows[i].what, NULL);
			g_autofree char *got = send_next(&run, what, whom);
			g_test_message("%s %u: %s", rows[i].what, k, got);
			bool fans_out = strstr(got, "fan-out") != NULL;
			g_assert_true(fans_out == (rows[i].others && k > 2));
		}
		run_end(&run);
	}
}

static void test_fan_in(bool redis)
{
	Run run;
	run_begin(&run, redis, &usual, "");
	SENT(&run, "customer-number=C1", "old@x.example", "");
	SENT(&run, "customer-number=C1 invoice-number=R1", "old@x.example", "");
	SENT(&run, "customer-number=C2", "old@x.example", "");
	SENT(&run, "customer-number=C3", "old@x.example", "");
	run.now += DAY; /* by now he is known to get three: six are allowed */
	for (guint i = 4; i <= 9; i++) {
		g_autofree char *what = g_strdup_printf("customer-number=C%u", i);
		SENT(&run, what, "old@x.example", "");
	}
	/* what he gets today makes no room for more */
	SENT(&run, "customer-number=C10", "old@x.example", "fan-in");
	run_end(&run);
	run_begin(&run, redis, &usual, "");
	SENT(&run, "customer-number=C1 customer-number=C2 customer-number=C3 customer-number=C4",
		"old@x.example", "fan-in");
	run_end(&run);
	/* A new memory allows five times as many. */
	MsGuardLimits young = usual;
	young.learn = 35 * DAY;
	run_begin(&run, redis, &young, "");
	SENT(&run, "customer-number=C1 customer-number=C2 customer-number=C3 customer-number=C4",
		"old@x.example", "");
	run_end(&run);
	/* By account, where kinds do not say it. */
	run_begin(&run, redis, &usual, "on-mismatch = deliver");
	run.accounts = "R1=A1 R2=A2 R3=A3 R4=A4";
	SENT(&run, "invoice-number=R1 invoice-number=R2 invoice-number=R3", "old@x.example",
		"mismatch");
	SENT(&run, "invoice-number=R4", "old@x.example", "mismatch, fan-in");
	run_end(&run);
}

static void test_repeat(bool redis)
{
	Run run;
	run_begin(&run, redis, &usual, "");
	for (guint i = 0; i < 3; i++)
		SENT(&run, "", "a@x.example", "");
	SENT(&run, "", "a@x.example", "repeat");
	SENT(&run, "", "b@x.example", "");
	SENT(&run, "invoice-number=R1", "a@x.example", ""); /* another message */
	run.text = "your code is 123456";
	SENT(&run, "", "a@x.example", "");
	run.text = "your code is 654321"; /* as long, and another one */
	for (guint i = 0; i < 3; i++)
		SENT(&run, "", "a@x.example", "");
	SENT(&run, "", "a@x.example", "repeat");
	run.text = NULL;
	run.now += DAY;
	SENT(&run, "", "a@x.example", "");
	run_end(&run);
}

/* One step a message, whatever happens to its answer. */
static void test_again(bool redis)
{
	Run run;
	run_begin(&run, redis, &usual, "");
	for (guint i = 0; i < 10; i++) {
		g_autofree char *codes = send_as(&run, "SAME", "", "a@x.example");
		g_assert_cmpstr(codes, ==, "");
	}
	SENT(&run, "", "a@x.example", "");
	SENT(&run, "", "a@x.example", "");
	SENT(&run, "", "a@x.example", "repeat");
	run_end(&run);
}

static void test_history(bool redis)
{
	Run run;
	run_begin(&run, redis, &usual, "on-unusual = hold\non-repeat = deliver");
	for (guint month = 0; month < 3; month++) {
		for (guint i = 0; i < 4; i++) {
			g_autofree char *what = g_strdup_printf("customer-number=C%u", i);
			g_autofree char *whom = g_strdup_printf("c%u@d%u.example", i, i);
			SENT(&run, what, whom, "");
		}
		run.now += 30 * DAY;
	}
	SENT(&run, "customer-number=C0", "other@d0.example", "");  /* a colleague */
	SENT(&run, "customer-number=C0", "new@nobody.example", ""); /* nothing is known of him */
	SENT(&run, "customer-number=C9", "c1@d1.example", "");     /* nor of it */
	SENT(&run, "customer-number=C1", "c2@d2.example", "unusual");
	g_assert_cmpint(run.last->action, ==, MS_HOLD);
	const MsReason *reason = run.last->reasons->pdata[0];
	g_assert_cmpstr(reason->text, ==,
		"customer-number that went 3 times to others since 2025-11-26, never to this recipient, who got others' 3 times");
	SENT(&run, "customer-number=C2", "c1@d1.example", "unusual");
	/* at once it stays unusual */
	SENT(&run, "customer-number=C1", "c2@d2.example", "unusual, breaker");
	run_end(&run);
	run_begin(&run, redis, &usual, "on-repeat = deliver");
	for (guint i = 0; i < 6; i++) {
		g_autofree char *what = g_strdup_printf("customer-number=C%u", i % 2);
		g_autofree char *whom = g_strdup_printf("c%u@d%u.example", i % 2, i % 2);
		SENT(&run, what, whom, "");
	}
	SENT(&run, "customer-number=C0", "c1@d1.example", "unusual");
	g_assert_cmpint(run.last->action, ==, MS_DELIVER);
	run.now += DAY;
	SENT(&run, "customer-number=C0", "c1@d1.example", ""); /* it came to stay */
	run_end(&run);
	/* Of what stands for no customer nothing is usual. */
	run_begin(&run, redis, &usual, "on-repeat = deliver");
	for (guint i = 0; i < 6; i++) {
		g_autofree char *what = g_strdup_printf("order-number=O%u", i % 2);
		g_autofree char *whom = g_strdup_printf("c%u@d%u.example", i % 2, i % 2);
		SENT(&run, what, whom, "");
	}
	SENT(&run, "order-number=O0", "c1@d1.example", "");
	run_end(&run);
}

static MsGuardStatus *status_of(const Run *run)
{
	g_autoptr(GError) error = NULL;
	MsGuardStatus *status = NULL;
	g_assert_cmpint(ms_guard_status(run->guard, &status, &error), ==, MS_FOUND);
	g_assert_no_error(error);
	return status;
}

static void test_breaker(bool redis)
{
	Run run;
	MsGuardLimits limits = usual;
	run_begin(&run, redis, &limits, "");
	run.accounts = "C1=A C2=B a@x.example=A";
	g_autoptr(MsGuardStatus) none = status_of(&run);
	g_assert_cmpuint(none->states->len, ==, 0);
	g_assert_cmpint(none->born, ==, 0);
	SENT(&run, "customer-number=C2", "a@x.example", "mismatch");
	SENT(&run, "customer-number=C1", "a@x.example", "");
	SENT(&run, "customer-number=C2", "a@x.example", "mismatch");
	SENT(&run, "customer-number=C2", "a@x.example", "mismatch, breaker");
	g_assert_cmpuint(run.counts->tripped, ==, 1);
	SENT(&run, "customer-number=C1", "a@x.example", "breaker");
	g_assert_cmpuint(run.counts->tripped, ==, 0);
	g_assert_cmpint(run.last->action, ==, MS_HOLD);
	run.now += 10 * DAY; /* it stays so */
	SENT(&run, "customer-number=C1", "a@x.example", "breaker");
	g_autoptr(MsGuardStatus) status = status_of(&run);
	g_assert_cmpuint(status->states->len, ==, 1);
	const MsGuardState *state = status->states->pdata[0];
	g_assert_cmpint(state->tripped, >, NOON);
	g_assert_cmpuint(state->held, ==, 3);
	g_assert_cmpuint(state->all_bad, ==, 3);
	g_assert_cmpstr(state->label, ==, "policy p, sender b***@s***.example");
	g_autoptr(GError) error = NULL;
	g_assert_cmpint(ms_guard_reset(run.guard, "00", run.now, &error), ==, MS_ABSENT);
	g_assert_cmpint(ms_guard_reset(run.guard, "000000000000000000000000", run.now, &error), ==,
		MS_ABSENT);
	g_assert_cmpint(ms_guard_reset(run.guard, state->id, run.now, &error), ==, MS_FOUND);
	g_assert_cmpint(ms_guard_reset(run.guard, state->id, run.now, &error), ==, MS_ABSENT);
	SENT(&run, "customer-number=C1", "a@x.example", "");
	SENT(&run, "customer-number=C2", "a@x.example", "mismatch");
	run_end(&run);
}

/* Of more streams that had bad mail than are listed the first ones make room. */
static void test_listed(bool redis)
{
	Run run;
	run_begin(&run, redis, &usual, "");
	run.accounts = "C1=A C2=B a@x.example=A";
	for (guint i = 0; i <= MS_GUARD_LISTED; i++) {
		g_autofree char *sender = g_strdup_printf(
			"s%c%c@seller.example", 'a' + i / 26, 'a' + i % 26);
		run.sender = sender;
		SENT(&run, "customer-number=C2", "a@x.example", "mismatch");
	}
	g_autoptr(MsGuardStatus) status = status_of(&run);
	g_assert_cmpuint(status->states->len, ==, MS_GUARD_LISTED);
	for (guint i = 0; i < status->states->len; i++)
		g_assert_cmpint(
			((MsGuardState *)status->states->pdata[i])->last_bad, >, NOON + 1);
	run_end(&run);
}

/* Wrong ones far apart do not add up; many in a window do, however many right ones are between. */
static void test_window(bool redis)
{
	Run run;
	run_begin(&run, redis, &usual, "on-repeat = deliver");
	run.accounts = "C1=A C2=B a@x.example=A";
	for (guint i = 0; i < 20; i++) {
		SENT(&run, "customer-number=C2", "a@x.example", "mismatch");
		for (guint k = 0; k < 20; k++)
			SENT(&run, "customer-number=C1", "a@x.example", "");
		run.now += 1800;
	}
	run_end(&run);
	run_begin(&run, redis, &usual, "on-repeat = deliver");
	run.accounts = "C1=A C2=B a@x.example=A";
	for (guint i = 0; i < 8; i++) {
		SENT(&run, "customer-number=C2", "a@x.example",
			i < 7 ? "mismatch" : "mismatch, breaker");
		for (guint k = 0; k < 20 && i < 7; k++)
			SENT(&run, "customer-number=C1", "a@x.example", "");
	}
	run_end(&run);
}

static void test_cool_down(bool redis)
{
	Run run;
	MsGuardLimits limits = usual;
	limits.cool_down = 600;
	run_begin(&run, redis, &limits, "on-repeat = deliver");
	run.accounts = "C1=A C2=B a@x.example=A";
	for (guint i = 0; i < 3; i++)
		SENT(&run, "customer-number=C2", "a@x.example",
			i < 2 ? "mismatch" : "mismatch, breaker");
	run.now += 500;
	SENT(&run, "customer-number=C1", "a@x.example", "breaker");
	run.now += 200;
	SENT(&run, "customer-number=C1", "a@x.example", "breaker"); /* one probe */
	SENT(&run, "customer-number=C2", "a@x.example", "mismatch, breaker");
	run.now += 700;
	SENT(&run, "customer-number=C1", "a@x.example", "breaker");
	SENT(&run, "customer-number=C1", "a@x.example", "");
	SENT(&run, "customer-number=C2", "a@x.example", "mismatch");
	run_end(&run);
}

static void send_pair(Run *run, guint customer, guint whom, const char *want)
{
	g_autofree char *what = g_strdup_printf("customer-number=C%u", customer);
	g_autofree char *to = g_strdup_printf("c%u@d%u.example", whom, whom);
	SENT(run, what, to, want);
}

/* One customer whose mail goes elsewhere is nothing; when it is that of half of them, the stream
 * goes wrong. */
static void test_moved(bool redis)
{
	Run run;
	MsGuardLimits limits = usual;
	limits.support = 1;
	run_begin(&run, redis, &limits, "");
	for (guint i = 0; i < 10; i++)
		send_pair(&run, i, i, "");
	for (guint i = 0; i < 6; i++)
		send_pair(&run, i, 100 + i, i < 5 ? "" : "breaker");
	g_assert_cmpuint(run.counts->tripped, ==, 1);
	g_autoptr(MsGuardStatus) status = status_of(&run);
	g_assert_cmpuint(status->states->len, ==, 1);
	run_end(&run);
	run_begin(&run, redis, &limits, "");
	for (guint i = 0; i < 40; i++) {
		send_pair(&run, i, i, "");
		if (i % 4 == 3)
			send_pair(&run, i, 100 + i, "");
	}
	run_end(&run);
	/* Who gets the mail of many may get that of one more. */
	run_begin(&run, redis, &limits, "");
	for (guint i = 0; i < 60; i++)
		send_pair(&run, i, i, "");
	limits.fan_in = 100;
	ms_guard_free(run.guard);
	run.guard = guard_with(redis, &limits);
	for (guint i = 0; i < 6; i++)
		send_pair(&run, 200 + i, 7, "");
	for (guint i = 0; i < 20; i++) {
		send_pair(&run, i, i, "");
		send_pair(&run, i, 7, "");
	}
	run_end(&run);
}

/* A mailbox is one with any tag and in any case; a stream is one with any token in its sender. */
static void test_spellings(bool redis)
{
	Run run;
	run_begin(&run, redis, &usual, "on-repeat = deliver");
	SENT(&run, "customer-number=C1", "old+1@x.example", "");
	SENT(&run, "customer-number=C2", "OLD+two@X.Example", "");
	SENT(&run, "customer-number=C3", "<old@x.example>", "");
	SENT(&run, "customer-number=C4", "old+4@x.example", "fan-in");
	for (guint i = 0; i < 20; i++) {
		g_autofree char *to = g_strdup_printf("same+%u@x.example", i);
		SENT(&run, "customer-number=C9 invoice-number=R9", to, "");
	}
	run_end(&run);
	run_begin(&run, redis, &usual, "");
	run.accounts = "C1=A C2=B a@x.example=A";
	for (guint i = 0; i < 3; i++) {
		g_autofree char *sender = g_strdup_printf(
			"bounce-%u-a=x.example@seller.example", 481230 + i);
		run.sender = sender;
		SENT(&run, "customer-number=C2", "a@x.example",
			i < 2 ? "mismatch" : "mismatch, breaker");
	}
	run.sender = "";
	SENT(&run, "customer-number=C1", "a@x.example", "breaker");
	run.sender = "BILLING@seller.example";
	SENT(&run, "customer-number=C1", "a@x.example", "breaker");
	run.sender = "support@seller.example";
	SENT(&run, "customer-number=C1", "a@x.example", "");
	run_end(&run);
}

/* A clock that was ahead, and is right again: what it wrote holds nothing, and stops nothing,
 * for years. */
static void test_clock(bool redis)
{
	Run run;
	run_begin(&run, redis, &usual, "on-repeat = deliver");
	run.accounts = "C2=B a@x.example=A";
	run.now += 1000 * DAY;
	for (guint i = 0; i < 4; i++) {
		g_autofree char *to = g_strdup_printf("b%u@x.example", i);
		SENT(&run, "invoice-number=R1", to, "");
	}
	for (guint i = 0; i < 2; i++)
		SENT(&run, "customer-number=C2", "a@x.example", "mismatch");
	run.now -= 1000 * DAY;
	SENT(&run, "invoice-number=R1", "c@x.example", "");
	for (guint i = 0; i < 20; i++)
		SENT(&run, "invoice-number=R2", "c@x.example", "");
	for (guint i = 0; i < 2; i++)
		SENT(&run, "customer-number=C2", "a@x.example", "mismatch");
	g_autoptr(MsGuardStatus) status = status_of(&run);
	g_assert_cmpint(status->born, <=, run.now);
	/* A little back is nothing: what was counted goes on. */
	for (guint i = 0; i < 3; i++) {
		g_autofree char *to = g_strdup_printf("d%u@x.example", i);
		SENT(&run, "invoice-number=R1", to, "");
	}
	run.now -= 3600;
	SENT(&run, "invoice-number=R1", "e@x.example", "fan-out, breaker");
	run_end(&run);
}

/* ---- keys and accounts ----------------------------------------------------------------- */

static MsGuard *guard_under(
	bool on_redis, const char *name, const guint8 *now, const guint8 *before)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *path = g_build_filename(dir, name, NULL);
	const MsRedisSettings redis = {
		.address = redis_address, .timeout_ms = 5000, .connections = 2};
	const MsGuardSettings settings = {.on_redis = on_redis,
		.sqlite = path,
		.redis = &redis,
		.redis_prefix = name,
		.key = now,
		.key_before = before,
		.limits = usual};
	MsGuard *guard = ms_guard_open(&settings, &error);
	g_assert_no_error(error);
	return guard;
}

static void change_guard(Run *run, MsGuard *guard)
{
	ms_guard_free(run->guard);
	run->guard = guard;
}

static void learn(Run *run)
{
	for (guint month = 0; month < 3; month++) {
		for (guint i = 0; i < 4; i++)
			send_pair(run, i, i, "");
		run->now += 30 * DAY;
	}
}

/* What the old key knows is known until it is taken away, by when the new one knows it too. */
static void test_keys(bool redis)
{
	static const guint8 first[32] = {7}, second[32] = {8};
	Run run;
	run_begin(&run, redis, &usual, "on-unusual = hold\non-repeat = deliver");
	change_guard(&run, guard_under(redis, "keys", first, NULL));
	learn(&run);
	change_guard(&run, guard_under(redis, "keys", second, NULL));
	send_pair(&run, 1, 2, ""); /* of another key: nothing is known */
	change_guard(&run, guard_under(redis, "keys", second, first));
	run.now += 2 * DAY;
	send_pair(&run, 2, 1, "unusual");
	learn(&run);
	send_pair(&run, 0, 3, "unusual");
	send_pair(&run, 3, 0, "unusual, breaker"); /* under both */
	g_autoptr(MsGuardStatus) status = status_of(&run);
	g_assert_cmpint(status->born, <, NOON + DAY);
	guint stopped = 0;
	for (guint i = 0; i < status->states->len; i++) {
		const MsGuardState *state = status->states->pdata[i];
		g_autoptr(GError) error = NULL;
		stopped += state->tripped != 0;
		if (state->tripped != 0)
			g_assert_cmpint(ms_guard_reset(run.guard, state->id, run.now, &error), ==,
				MS_FOUND);
	}
	g_assert_cmpuint(stopped, >, 0);
	send_pair(&run, 0, 0, "");
	change_guard(&run, guard_under(redis, "keys", second, NULL));
	send_pair(&run, 0, 3, "unusual, breaker"); /* the new one has learnt, and counted */
	run_end(&run);
}

static void test_forget(bool redis)
{
	Run run;
	guint values = 0;
	g_autoptr(GError) error = NULL;
	run_begin(&run, redis, &usual,
		"on-unusual = hold\non-repeat = deliver\non-mismatch = deliver");
	run.accounts =
		"C0=A C1=B C2=C C3=D c0@d0.example=A c1@d1.example=B c2@d2.example=C c3@d3.example=D";
	learn(&run);
	send_pair(&run, 1, 2, "mismatch, unusual");
	g_assert_cmpint(ms_guard_forget(run.guard, "", run.now, &values, &error), ==, MS_CONFIG);
	g_clear_error(&error);
	g_assert_cmpint(ms_guard_forget(run.guard, "E", run.now, &values, &error), ==, MS_FOUND);
	g_assert_cmpuint(values, ==, 0);
	g_assert_cmpint(ms_guard_forget(run.guard, "B", run.now, &values, &error), ==, MS_FOUND);
	g_assert_no_error(error);
	g_assert_cmpuint(values, >=, 4); /* C1, c1 at d1 and at its domain, and the list of them */
	values = 0;
	g_assert_cmpint(ms_guard_forget(run.guard, "B", run.now, &values, &error), ==, MS_FOUND);
	g_assert_cmpuint(values, ==, 0);
	run.now += 2 * DAY;
	send_pair(&run, 1, 3, "mismatch"); /* nothing is known of C1 */
	send_pair(&run, 2, 1, "mismatch"); /* nor of c1 */
	send_pair(&run, 2, 3, "mismatch, unusual"); /* but of others */
	run_end(&run);
}

/* From whom a split withholds it, he has not had it: neither does he stand for many, nor is it
 * usual that it goes to him. */
static void test_withheld(bool redis)
{
	Run run;
	MsGuardLimits limits = usual;
	limits.breaker = limits.breaker_recent = 0;
	run_begin(&run, redis, &limits,
		"on-unusual = hold\non-repeat = deliver\non-mismatch = split\n"
		"on-unknown-recipient = deliver");
	run.accounts = "C0=A C1=B C2=C C3=D c0@d0.example=A c1@d1.example=B c2@d2.example=C "
		       "c3@d3.example=D";
	for (guint month = 0; month < 3; month++) {
		for (guint i = 0; i < 4; i++) {
			g_autofree char *what = g_strdup_printf("customer-number=C%u", i);
			g_autofree char *whom = g_strdup_printf(
				"c%u@d%u.example c%u@d%u.example", i, i, 3 - i, 3 - i);
			SENT(&run, what, whom, "mismatch");
		}
		run.now += 30 * DAY;
	}
	send_pair(&run, 1, 2, "mismatch, unusual");
	run_end(&run);
}

static void test_list(bool redis)
{
	Run run;
	run_begin(&run, redis, &usual, "max-identifiers = 3");
	SENT(&run, "invoice-number=R1 invoice-number=R2 invoice-number=R3 iban=X", "a@x.example",
		"");
	SENT(&run, "invoice-number=R1 invoice-number=R2 invoice-number=R3 invoice-number=R4",
		"a@x.example", "list-attached");
	g_assert_cmpint(run.last->action, ==, MS_HOLD);
	run_end(&run);
}

/* ---- whose reasons they are ------------------------------------------------------------- */

static const char two_policies[] = "kinds = {\"customer-number\"}\n}\n"
				   "policy \"q\" {\nkinds = {\"invoice-number\"}\n}\n"
				   "policy \"r\" {\nkinds = {\"none\"}";

/* "p fan-out: its text", a line each, of what the guard counted. */
static void assert_said(const Run *run, const char *want)
{
	g_autoptr(GString) got = g_string_new(NULL);
	for (guint i = 0; i < run->last->reasons->len; i++) {
		const MsReason *r = run->last->reasons->pdata[i];
		if (ms_policy_is_counted(r->code) || r->code == MS_OVERSIZED)
			g_string_append_printf(got, "%s %s: %s%s%s%s%s\n", r->policy,
				ms_reason_names[r->code], r->text, r->recipient != NULL ? ", " : "",
				r->recipient != NULL ? r->recipient : "",
				r->masked != NULL ? ", " : "", r->masked != NULL ? r->masked : "");
	}
	g_assert_cmpstr(got->str, ==, want);
}

/* What is counted of one kind is no reason of a policy that looks at others, nor is a stream that
 * is stopped one of another's. */
static void test_whose(bool redis)
{
	Run run;
	run_begin(&run, redis, &usual, two_policies);
	for (guint i = 0; i < 4; i++) {
		g_autofree char *to = g_strdup_printf("x%u@x.example", i);
		SENT(&run, "invoice-number=R1", to, "");
	}
	SENT(&run, "invoice-number=R1", "x4@x.example", "fan-out");
	assert_said(&run, /* the message itself is everyone's */
		"p fan-out: a document that would have gone to 5 addresses in 1 domains lately\n"
		"q fan-out: invoice-number that would have gone to 5 addresses in 1 domains lately, **\n"
		"q fan-out: a document that would have gone to 5 addresses in 1 domains lately\n");
	for (guint i = 0; i < 3; i++) {
		g_autofree char *what = g_strdup_printf("customer-number=C%u", i);
		SENT(&run, what, "y@x.example", "");
	}
	SENT(&run, "customer-number=C3", "y@x.example", "fan-in");
	assert_said(&run,
		"p fan-in: the recipient would have got customer-number of 4 customers lately, at most 3 "
		"are usual, y@x.example, **\n");
	run_end(&run);
	run_begin(&run, redis, &usual, two_policies);
	for (guint i = 0; i < 3; i++)
		SENT(&run, "", "z@x.example", "");
	SENT(&run, "", "z@x.example", "repeat");
	assert_said(&run,
		"p repeat: the same message to the same recipient for the 4. time lately, at most 3 are "
		"allowed, z@x.example\n"
		"q repeat: the same message to the same recipient for the 4. time lately, at most 3 are "
		"allowed, z@x.example\n"
		"r repeat: the same message to the same recipient for the 4. time lately, at most 3 are "
		"allowed, z@x.example\n");
	run_end(&run);
	run_begin(&run, redis, &usual, two_policies);
	run.accounts = "C1=A C2=B a@x.example=A";
	for (guint i = 0; i < 3; i++)
		SENT(&run, "customer-number=C2", "a@x.example",
			i < 2 ? "mismatch" : "mismatch, breaker");
	SENT(&run, "customer-number=C1", "a@x.example", "breaker");
	assert_said(&run,
		"p breaker: mail of this sender is stopped: 3 of its last messages were wrong (see missent "
		"guard status)\n");
	run_end(&run);
}

/* One list in several transactions, of one sender and with one Message-ID. */
static void test_split(bool redis)
{
	Run run;
	run_begin(&run, redis, &usual, "max-recipients = 4");
	run.id = "<1@seller.example>";
	SENT(&run, "", "a@x.example b@x.example", "");
	SENT(&run, "", "b@x.example c@x.example d@x.example", "");
	run.id = "<2@seller.example>";
	SENT(&run, "", "e@x.example", "");
	run.id = NULL;
	SENT(&run, "", "e@x.example f@x.example", "");
	SENT(&run, "", "g@x.example h@x.example i@x.example", "");
	run.id = "<1@seller.example>";
	run.sender = "support@seller.example";
	SENT(&run, "", "e@x.example", "");
	run.sender = NULL;
	SENT(&run, "", "e@x.example", "oversized");
	g_assert_cmpint(run.last->action, ==, MS_HOLD);
	assert_said(&run,
		"p oversized: 5 recipients of one message in several transactions, at most 4 are "
		"allowed\n");
	SENT(&run, "", "d@x.example", ""); /* he has it */
	run.now += 2 * DAY;
	SENT(&run, "", "e@x.example", "");
	SENT(&run, "", "a@x.example b@x.example c@x.example d@x.example e@x.example", "oversized");
	assert_said(&run, "p oversized: 5 recipients, at most 4 are allowed\n");
	run_end(&run);
	/* Of two policies the one that is stricter minds it. */
	run_begin(&run, redis, &usual,
		"max-recipients = 2\n}\npolicy \"q\" {\nmax-recipients = 3");
	run.id = "<3@seller.example>";
	SENT(&run, "", "a@x.example b@x.example", "");
	SENT(&run, "", "c@x.example", "oversized");
	assert_said(&run,
		"p oversized: 3 recipients of one message in several transactions, at most 2 are "
		"allowed\n");
	run_end(&run);
	run_begin(&run, redis, &usual, "max-recipients = 2\non-oversized = deliver");
	SENT(&run, "", "a@x.example b@x.example", "");
	SENT(&run, "", "c@x.example", "");
	run_end(&run);
}

/* ---- how much a stream sends ------------------------------------------------------------ */

#define HOUR 3600

/* Hours with mail, `each` messages in each of them. */
static void spend_hours(Run *run, guint hours, guint each)
{
	for (guint i = 0; i < hours; i++) {
		for (guint k = 0; k < each; k++)
			SENT(run, "", "a@x.example", "");
		run->now += HOUR;
	}
}

static void spend(Run *run, guint n, const char *want)
{
	run->now -= run->now % HOUR;
	for (guint i = 0; i < n; i++) {
		run->now--; /* all of them in one hour */
		SENT(run, "", "a@x.example", i < n - 1 ? "" : want);
	}
}

static void test_volume(bool redis)
{
	static const char policy[] = "on-volume = hold\non-repeat = deliver";
	MsGuardLimits limits = usual;
	limits.volume = 200;
	Run run;
	run_begin(&run, redis, &limits, policy);
	spend_hours(&run, 24, 6);
	spend(&run, 1200, "");
	SENT(&run, "", "a@x.example", "volume");
	g_assert_cmpint(run.last->action, ==, MS_HOLD);
	assert_said(&run,
		"p volume: 1201 messages of this sender in one hour, the most before were 6\n");
	run.now += HOUR; /* what stays is usual */
	spend(&run, 1202, "");
	run_end(&run);
	/* A thousand are nothing; and of a stream of which little is known nothing is. */
	limits.volume = 10;
	run_begin(&run, redis, &limits, policy);
	spend_hours(&run, 23, 1);
	spend(&run, 1001, "");
	run_end(&run);
	run_begin(&run, redis, &limits, policy);
	spend_hours(&run, 24, 1);
	spend(&run, 1001, "volume");
	run_end(&run);
	limits.volume = 0;
	run_begin(&run, redis, &limits, policy);
	spend_hours(&run, 24, 1);
	spend(&run, 1001, "");
	run_end(&run);
	run_begin(&run, redis, &usual, "on-repeat = deliver");
	spend_hours(&run, 24, 1);
	spend(&run, 1001, "volume"); /* told, and delivered */
	g_assert_cmpint(run.last->action, ==, MS_DELIVER);
	run_end(&run);
}

static void send_to(Run *run, guint n, const char *want)
{
	g_autoptr(GString) to = g_string_new("a0@x.example");
	for (guint i = 1; i < n; i++)
		g_string_append_printf(to, " a%u@x.example", i);
	SENT(run, "", to->str, want);
}

static void test_creep(bool redis)
{
	static const char policy[] = "on-volume = hold\non-repeat = deliver";
	Run run;
	run_begin(&run, redis, &usual, policy);
	for (guint i = 0; i < 99; i++)
		send_to(&run, i == 50 ? 3 : 1, "");
	send_to(&run, 16, ""); /* it is the 100th: sixteen are usual now */
	send_to(&run, 80, "");
	send_to(&run, 401, "volume");
	assert_said(&run,
		"p volume: 401 recipients of one message of this sender, the most before were 80\n");
	run_end(&run);
	run_begin(&run, redis, &usual, policy);
	for (guint i = 0; i < 100; i++)
		send_to(&run, 1, "");
	send_to(&run, 11, "volume");
	send_to(&run, 12, "volume"); /* what stays is usual, but not at once */
	send_to(&run, 13, "");
	run_end(&run);
	run_begin(&run, redis, &usual, policy);
	for (guint i = 0; i < 100; i++)
		send_to(&run, 1, "");
	send_to(&run, 10, ""); /* ten are few */
	run_end(&run);
}

/* ---- both stores answer alike ----------------------------------------------------------- */

static void random_op(GRand *rand, MsStep *step, MsOpLetter letter)
{
	MsOp *op = ms_step_add(step, letter);
	op->key[0] = (guint8)g_rand_int_range(rand, 0, letter == MS_OP_STREAM ? 2 : 5);
	op->key2[0] = (guint8)g_rand_int_range(rand, 0, 5);
	op->key3[0] = (guint8)g_rand_int_range(rand, 100, 103);
	op->flags = letter == MS_OP_STREAM || letter == MS_OP_SET
		? (guint)g_rand_int_range(rand, 0, 4)
		: (guint)g_rand_int_range(rand, 0, 5) == 0;
	op->streams = (guint)g_rand_int_range(rand, 0, 4);
	op->holds = g_rand_int_range(rand, 0, 4) == 0;
	if (letter == MS_OP_FORGET)
		op->flags = g_rand_int_range(rand, 0, 2) == 0 ? 'i' : 'a';
	/* always the same of one key: what is too old may be gone, or not */
	op->window = 100 + 300 * op->key[0];
	op->limit = (guint32)g_rand_int_range(rand, 1, 8);
	op->limit2 = (guint32)g_rand_int_range(rand, 1, 8);
	op->asks = letter == MS_OP_FAN && g_rand_int_range(rand, 0, 3) == 0 ? 1 : 0;
	gsize size = letter == MS_OP_FAN ? 16
		: letter == MS_OP_PAIR   ? 24
		: letter == MS_OP_STREAM ? 5
		: letter == MS_OP_LINK   ? MS_LINK_BYTES
					 : 8;
	gsize n = letter == MS_OP_PAIR || letter == MS_OP_STREAM ? 1
		: (gsize)g_rand_int_range(rand, letter == MS_OP_FORGET ? 0 : 1, 5);
	for (gsize i = 0; i < size * n; i++) {
		guint8 byte = i % 8 == 0 ? (guint8)g_rand_int_range(rand, 'a', 'h') : 'x';
		g_byte_array_append(op->members, &byte, 1);
	}
}

static void random_step(GRand *rand, MsStep *step, guint32 now, guint number)
{
	ms_step_init(step);
	step->now = now;
	step->message[0] = (guint8)number;
	step->message[1] = (guint8)(number >> 8);
	step->held = g_rand_int_range(rand, 0, 8) == 0;
	step->keep = 1000000000;
	step->learn = 5000;
	step->cool_down = g_rand_int_range(rand, 0, 2) == 0 ? 0 : 300;
	step->probes = 3;
	step->volume = 2;
	step->recipients = (guint32)g_rand_int_range(
		rand, 1, g_rand_int_range(rand, 0, 50) == 0 ? 200 : 4);
	static const MsOpLetter letters[] = {MS_OP_FAN, MS_OP_FAN, MS_OP_SET, MS_OP_SET, MS_OP_PAIR,
		MS_OP_PAIR, MS_OP_STREAM, MS_OP_STREAM, MS_OP_LINK, MS_OP_FORGET};
	for (gsize i = 0; i < G_N_ELEMENTS(letters); i++)
		if (letters[i] != MS_OP_FORGET || g_rand_int_range(rand, 0, 30) == 0)
			random_op(rand, step, letters[i]);
}

static void test_alike(void)
{
	if (redis_address == NULL) {
		g_test_skip("redis-server is not installed");
		return;
	}
	const MsRedisSettings settings = {
		.address = redis_address, .timeout_ms = 5000, .connections = 2};
	MsGuardStore *stores[] = {ms_guard_store_sqlite(":memory:", NULL),
		ms_guard_store_redis(&settings, "alike", NULL)};
	g_autoptr(GRand) rand = g_rand_new_with_seed(20191216);
	guint32 now = NOON;
	guint over = 0;
	for (guint i = 0; i < 3000; i++) {
		MsStep step;
		MsStepped out[2];
		now += (guint32)g_rand_int_range(
			rand, 0, g_rand_int_range(rand, 0, 200) == 0 ? 90000 : 60);
		random_step(rand, &step, now, i);
		g_autoptr(GError) error = NULL;
		for (int s = 0; s < 2; s++) {
			stores[s]->step(stores[s], &step, &out[s], &error);
			g_assert_no_error(error);
		}
		for (guint k = 0; k < step.ops->len;
			k++) /* was there one to forget?  What is too old may be gone, or not. */
			for (int s = 0;
				s < 2 && g_array_index(step.ops, MsOp, k).letter == MS_OP_FORGET;
				s++)
				g_array_index(out[s].answers, MsOpAnswer, k).count = 0;
		g_autoptr(GBytes) a = ms_stepped_pack(&out[0]);
		g_autoptr(GBytes) b = ms_stepped_pack(&out[1]);
		for (guint k = 0; k < step.ops->len && !g_bytes_equal(a, b); k++) {
			const MsOp *op = &g_array_index(step.ops, MsOp, k);
			const MsOpAnswer *x = &g_array_index(out[0].answers, MsOpAnswer, k);
			const MsOpAnswer *y = &g_array_index(out[1].answers, MsOpAnswer, k);
			g_printerr(
				"%c flags %u: SQLite %d %u %u %u %u %u %u, Redis %d %u %u %u %u %u %u\n",
				op->letter, op->flags, x->over, x->count, x->other, x->since,
				x->more, x->x, x->y, y->over, y->count, y->other, y->since, y->more,
				y->x, y->y);
		}
		if (!g_bytes_equal(a, b))
			g_error("step %u is answered differently", i);
		for (guint k = 0; k < out[0].answers->len; k++)
			over += g_array_index(out[0].answers, MsOpAnswer, k).over;
		ms_stepped_clear(&out[0]);
		ms_stepped_clear(&out[1]);
		ms_step_clear(&step);
	}
	g_assert_cmpuint(over, >, 1000);
	for (int s = 0; s < 2; s++)
		stores[s]->close(stores[s]);
}

/* ---- what others wrote ------------------------------------------------------------------ */

static GBytes *any_bytes(const MsStepName *name, void *rand)
{
	(void)name;
	if (g_rand_int_range(rand, 0, 6) == 0)
		return NULL;
	gsize len = (gsize)g_rand_int_range(rand, 0, 200);
	char *data = g_malloc(len + 1);
	for (gsize i = 0; i < len; i++)
		data[i] = (char)(g_rand_int_range(rand, 0, 3) == 0 ? g_rand_int_range(rand, 0, 256)
								   : 0);
	char *copy = exact_copy(data, len);
	GBytes *bytes = g_bytes_new_with_free_func(copy, len, free, copy);
	g_free(data);
	return bytes;
}

static void drop(const MsStepName *name, GBytes *value, guint32 ttl, void *rand)
{
	(void)name;
	(void)ttl;
	(void)rand;
	g_assert_cmpuint(g_bytes_get_size(value), <, 70000);
}

/* A memory that is damaged is answered from, and read nowhere but where it is. */
static void test_damaged(void)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(7);
	const MsValues values = {any_bytes, drop, rand};
	for (guint i = 0; i < 5000; i++) {
		MsStep step;
		MsStepped out = {0};
		random_step(rand, &step, NOON, i);
		ms_step_run(&step, &values, &out);
		g_assert_cmpuint(out.answers->len, ==, step.ops->len);
		ms_stepped_clear(&out);
		ms_step_clear(&step);
		g_autoptr(GBytes) bytes = any_bytes(NULL, rand);
		gsize len = 0;
		const guint8 *data = bytes != NULL ? g_bytes_get_data(bytes, &len) : NULL;
		MsStream stream;
		ms_stream_unpack(&stream, data, len);
		g_free(stream.label);
		if (ms_stepped_unpack(&out, data, len, 2))
			ms_stepped_clear(&out);
	}
}

/* ---- a file ----------------------------------------------------------------------------- */

static MsGuard *guard_in(const char *path)
{
	g_autoptr(GError) error = NULL;
	const MsGuardSettings settings = {.sqlite = path, .key = key, .limits = usual};
	MsGuard *guard = ms_guard_open(&settings, &error);
	g_assert_no_error(error);
	return guard;
}

static bool is_born(MsGuard *guard)
{
	g_autoptr(MsGuardStatus) status = NULL;
	g_autoptr(GError) error = NULL;
	g_assert_cmpint(ms_guard_status(guard, &status, &error), ==, MS_FOUND);
	return status->born != 0;
}

/* The first stream; NULL: it runs. */
static char *stopped_in(MsGuard *guard)
{
	g_autoptr(MsGuardStatus) status = NULL;
	g_assert_cmpint(ms_guard_status(guard, &status, NULL), ==, MS_FOUND);
	const MsGuardState *state = status->states->pdata[0];
	return state->tripped != 0 ? g_strdup(state->id) : NULL;
}

/* What is counted another process sees soon, though nothing follows; and it may write meanwhile. */
static void test_soon(void)
{
	g_autofree char *path = g_build_filename(dir, "soon.db", NULL);
	Run run;
	run_begin(&run, false, &usual, "on-repeat = deliver");
	ms_guard_free(run.guard);
	run.guard = guard_in(path);
	g_autoptr(MsGuard) other = guard_in(path);
	SENT(&run, "customer-number=C1", "a@x.example", "");
	for (guint i = 0; i < 1000 && !is_born(other); i++)
		g_usleep(10000);
	g_assert_true(is_born(other));
	for (guint i = 0; i < 200; i++)
		SENT(&run, "customer-number=C1", "a@x.example", "");
	MsGuard *mine = run.guard;
	run.guard = other;
	SENT(&run, "customer-number=C1", "a@x.example", "");
	run.guard = mine;
	/* That a stream is stopped, or let go, others see at once; not only when it is late. */
	run.accounts = "C1=A C2=B a@x.example=A";
	for (guint i = 0; i < 24; i++) {
		SENT(&run, "customer-number=C2", "a@x.example",
			i % 3 < 2 ? "mismatch" : "mismatch, breaker");
		g_autofree char *id = i % 3 == 2 ? stopped_in(other) : NULL;
		g_assert_true((id != NULL) == (i % 3 == 2));
		if (id == NULL)
			continue;
		g_assert_cmpint(ms_guard_reset(mine, id, run.now, NULL), ==, MS_FOUND);
		g_assert_null(stopped_in(other));
	}
	run_end(&run);
	/* One that ends leaves nothing behind that was not written. */
	run_begin(&run, false, &usual, "");
	ms_guard_free(run.guard);
	for (guint i = 0; i < 6; i++) {
		g_autofree char *to = g_strdup_printf("b%u@x.example", i);
		run.guard = guard_in(path);
		SENT(&run, "customer-number=C2", to, i < 4 ? "" : "fan-out");
		if (i < 5)
			ms_guard_free(run.guard);
	}
	run_end(&run);
}

/* Its place is lost: that is told, and then it begins anew where it can. */
static void test_lost(void)
{
	g_autofree char *folder = g_build_filename(dir, "lost", NULL),
			*path = g_build_filename(folder, "guard.db", NULL);
	Run run;
	g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
	run_begin(&run, false, &usual, "on-repeat = deliver");
	ms_guard_free(run.guard);
	run.guard = guard_in(path);
	SENT(&run, "customer-number=C1", "a@x.example", "");
	g_autoptr(MsGuard) again = guard_in(path);
	ms_guard_free(run.guard);
	run.guard = g_steal_pointer(&again);
	SENT(&run, "customer-number=C1", "b@x.example", "");
	ms_guard_free(run.guard);
	g_assert_true(
		g_file_set_contents(path, "this is no database, whatever its name says", -1, NULL));
	g_autoptr(GError) error = NULL;
	const MsGuardSettings settings = {.sqlite = path, .key = key, .limits = usual};
	g_assert_null(ms_guard_open(&settings, &error));
	g_assert_nonnull(error);
	run.guard = guard_with(false, &usual);
	run_end(&run);
}

static void set_memory(const char *most)
{
	const MsRedisSettings settings = {
		.address = redis_address, .timeout_ms = 5000, .connections = 1};
	const char *argv[] = {"CONFIG", "SET", "maxmemory", most};
	g_autoptr(MsRedis) redis = ms_redis_new(&settings, NULL);
	g_autoptr(MsReply) reply = NULL;
	g_assert_cmpint(ms_redis_command(redis, 4, argv, &reply, NULL), ==, MS_FOUND);
}

/* A stream that is stopped is so also while the store cannot be asked: for who counted its mail,
 * and for who only heard of it; and for nobody once it was let go. */
static void test_stopped_still(bool redis)
{
	if (!redis)
		return; /* it is the same for any store, and Redis can be full */
	Run run, other;
	run_begin(&run, redis, &usual, "on-repeat = deliver");
	run.accounts = "C1=A C2=B a@x.example=A";
	other = run;
	prefixes--; /* the same memory */
	other.guard = guard_with(redis, &usual);
	for (int i = 0; i < 3; i++)
		g_free(send_next(&run, "customer-number=C2", "a@x.example"));
	g_autoptr(MsGuardStatus) heard = status_of(&other);
	g_assert_cmpuint(heard->states->len, ==, 1);
	Run *both[] = {&run, &other};
	set_memory("1");
	for (int i = 0; i < 2; i++) {
		both[i]->number += 100;
		both[i]->sender = NULL;
		SENT(both[i], "customer-number=C1", "a@x.example", "breaker, guard-unavailable");
		g_assert_cmpint(both[i]->last->action, ==, MS_HOLD);
		both[i]->sender = "other@seller.example";
		SENT(both[i], "customer-number=C1", "a@x.example", "guard-unavailable");
		g_assert_cmpint(both[i]->last->action, ==, MS_DELIVER);
	}
	set_memory("0");
	const MsGuardState *state = heard->states->pdata[0];
	g_assert_cmpint(ms_guard_reset(other.guard, state->id, run.now, NULL), ==, MS_FOUND);
	run.sender = NULL;
	SENT(&run, "customer-number=C1", "a@x.example", "");
	set_memory("1");
	SENT(&run, "customer-number=C1", "a@x.example", "guard-unavailable");
	set_memory("0");
	ms_guard_free(other.guard);
	ms_verdict_free(other.last);
	ms_guard_counts_free(other.counts);
	run_end(&run);
}

/* Of two keys each has its streams, and nothing is counted under either when the memory is full. */
static void test_stopped_under_one(bool redis)
{
	static const guint8 first[32] = {7}, second[32] = {8};
	if (!redis)
		return;
	for (guint i = 0; i < 2; i++) {
		Run run;
		g_autofree char *name = g_strdup_printf("one-key-%u", i);
		run_begin(&run, redis, &usual, "on-repeat = deliver");
		run.accounts = "C1=A C2=B a@x.example=A";
		change_guard(&run, guard_under(redis, name, i == 0 ? first : second, NULL));
		for (int k = 0; k < 3; k++)
			g_free(send_next(&run, "customer-number=C2", "a@x.example"));
		change_guard(&run, guard_under(redis, name, second, first));
		SENT(&run, "customer-number=C1", "a@x.example", "breaker");
		set_memory("1");
		SENT(&run, "customer-number=C1", "a@x.example", "breaker, guard-unavailable");
		g_assert_cmpint(run.last->action, ==, MS_HOLD);
		set_memory("0");
		run_end(&run);
	}
}

/* Nobody answers: that is no answer. */
static void test_away(void)
{
	const MsRedisSettings redis = {
		.address = "unix:/nonexistent/redis.sock", .timeout_ms = 200, .connections = 1};
	const MsGuardSettings settings = {.on_redis = true,
		.redis = &redis,
		.redis_prefix = "t",
		.key = key,
		.limits = usual};
	g_autoptr(GError) error = NULL;
	g_autoptr(MsGuard) guard = ms_guard_open(&settings, &error);
	g_assert_no_error(error);
	g_autoptr(MsEnvelope) e = ms_envelope_new();
	g_autoptr(MsReading) reading = ms_reading_new();
	e->sender = g_strdup("a@b.example");
	const MsGuardMessage m = {.envelope = e, .reading = reading, .now = NOON};
	MsGuardCounts *counts = NULL;
	g_assert_true(ms_guard_counts_again(guard, NOON)); /* nothing is known yet */
	g_assert_cmpint(ms_guard_count(guard, &m, &counts, &error), ==, MS_RETRY);
	g_assert_nonnull(error);
	g_assert_null(counts);
	g_assert_false(ms_guard_counts_again(guard, NOON));
}

/* What can be read but not written counts nothing, until it can be written again, though no
 * message says so. */
static void test_unwritten(bool redis)
{
	if (!redis)
		return;
	Run run;
	run_begin(&run, redis, &usual, "on-repeat = deliver");
	run.accounts = "C1=A C2=B a@x.example=A";
	MsGuard *guard = guard_under(redis, "unwritten", key, NULL);
	change_guard(&run, guard);
	SENT(&run, "customer-number=C1", "a@x.example", "");
	g_assert_true(ms_guard_counts_again(guard, NOON));
	set_memory("1");
	g_autoptr(MsGuardStatus) status = NULL;
	SENT(&run, "customer-number=C1", "a@x.example", "guard-unavailable");
	g_assert_cmpint(ms_guard_status(guard, &status, NULL), ==, MS_FOUND);
	g_assert_false(ms_guard_counts_again(guard, NOON));
	set_memory("0");
	g_assert_true(ms_guard_counts_again(guard, NOON));
	g_assert_true(ms_guard_counts_again(guard, NOON));
	run_end(&run);
}

/* ---- all of them ------------------------------------------------------------------------ */

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		Test test;
	} tests[] = {{"fan-out", test_fan_out}, {"house", test_house_copies}, {"text", test_text},
		{"text-beside", test_text_beside}, {"names", test_names}, {"common", test_common},
		{"rights", test_rights}, {"fan-in", test_fan_in}, {"repeat", test_repeat},
		{"again", test_again}, {"history", test_history}, {"breaker", test_breaker},
		{"listed", test_listed},
		{"stopped-still", test_stopped_still}, {"stopped-under-one", test_stopped_under_one},
		{"window", test_window}, {"cool-down", test_cool_down}, {"moved", test_moved},
		{"spellings", test_spellings}, {"clock", test_clock}, {"keys", test_keys},
		{"forget", test_forget}, {"withheld", test_withheld}, {"list", test_list}, {"whose", test_whose},
		{"unwritten", test_unwritten}, {"split", test_split}, {"volume", test_volume},
		{"creep", test_creep}};
	g_test_init(&argc, &argv, NULL);
	signal(SIGPIPE, SIG_IGN);
	g_autofree char *path = g_test_build_filename(G_TEST_DIST, "policies", "kinds.conf", NULL);
	g_autofree char *text = NULL;
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	kinds = ms_kinds_parse("kinds.conf", text, NULL);
	g_assert_nonnull(kinds);
	dir = scratch_folder();
	GPid redis = start_redis(dir, &redis_address);
	for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
		g_autofree char *sqlite = g_strconcat("/guard/sqlite/", tests[i].name, NULL);
		g_autofree char *other = g_strconcat("/guard/redis/", tests[i].name, NULL);
		g_test_add_data_func(sqlite, (gconstpointer)tests[i].test, on_sqlite);
		g_test_add_data_func(other, (gconstpointer)tests[i].test, on_redis);
	}
	g_test_add_func("/guard/alike", test_alike);
	g_test_add_func("/guard/damaged", test_damaged);
	g_test_add_func("/guard/soon", test_soon);
	g_test_add_func("/guard/lost", test_lost);
	g_test_add_func("/guard/away", test_away);
	int rc = g_test_run();
	if (redis != 0) {
		kill(redis, SIGTERM);
		waitpid(redis, NULL, 0);
	}
	ms_kinds_unref(kinds);
	remove_folder(dir);
	g_free(dir);
	g_free(redis_address);
	return rc;
}
