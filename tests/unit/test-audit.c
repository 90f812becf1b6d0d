/*
 * Lines of the trail as a judgement makes them, and what is read back: bounds, failures, older
 * forms, many writers.
 */
#include "config.h"

#include <glib/gstdio.h>
#include <jansson.h>

#include "missent/answer.h"
#include "missent/audit.h"

#include "missent/tlog.h"

#include "../test.h"
#include "../trail.h"

/* What the directory would say: C-10002 is of ACME-4711, who is the recipient too. */
static guint names_of(const void *who, guint index, guint most, GPtrArray *names_out)
{
	(void)index, (void)most;
	g_ptr_array_add(names_out, (void *)who);
	return 7;
}

/* The first recipient may not have it. */
static bool is_other(const void *who, guint index, guint recipient)
{
	(void)who, (void)index;
	return recipient == 0;
}

static const guint8 key[MS_AUDIT_KEY_BYTES] = "a key of this test";

static void expect(json_t *line, const char *field, const char *want)
{
	const char *got = json_string_value(json_object_get(line, field));
	if (g_strcmp0(got, want) != 0)
		g_error("%s: got \"%s\", want \"%s\"", field, got, want);
}

static void expect_id(json_t *line, const char *field, const char *domain, const char *value)
{
	g_autofree char *want = ms_audit_id(key, domain, value);
	expect(line, field, want);
}

/* Of each face's text, whatever the reading says of it; the same for the same text. */
static void check_texts(json_t *line)
{
	guint8 digest[MS_TEXT_DIGEST];
	g_autoptr(MsReading) same = ms_reading_new();
	g_autoptr(GString) hex = g_string_new(NULL);
	ms_reading_face(same, "part 2 a.pdf");
	ms_reading_add_text(same, 0, "invoicec10002", 13);
	g_assert_true(ms_reading_text(same, 0, digest));
	for (gsize i = 0; i < sizeof digest; i++)
		g_string_append_printf(hex, "%02x", digest[i]);
	json_t *texts = json_object_get(line, "texts");
	g_assert_cmpuint(json_array_size(texts), ==, 2);
	expect(json_array_get(texts, 0), "where", "part 1 text/plain");
	expect(json_array_get(texts, 1), "where", "part 2 (name of 11 characters, .pdf)");
	expect_id(json_array_get(texts, 1), "id", "text", hex->str);
}

static void check_line(json_t *line)
{
	check_texts(line);
	expect(line, "type", "message");
	expect(line, "queue_id", "A1");
	expect(line, "verdict", "hold");
	expect_id(line, "sender_domain", "domain", "seller.example");
	expect_id(line, "body", "body", "0123");
	g_autofree char *number = ms_audit_key_number(key);
	expect(line, "key", number);
	json_t *to = json_array_get(json_object_get(line, "to"), 0);
	expect_id(to, "id", "address", "kunde@alpha.example");
	expect_id(to, "domain", "domain", "alpha.example");
	expect(to, "outcome", "wrong");
	expect(line, "record", "00000000000000ab");
	g_autofree char *other = ms_audit_id(key, "customer-number", "C-10002");
	g_assert_cmpstr(
		json_string_value(json_array_get(json_object_get(to, "others"), 0)), ==, other);
	g_assert_cmpint(json_integer_value(json_object_get(to, "accounts_more")), ==, 2);
	json_t *identifier = json_array_get(json_object_get(line, "identifiers"), 0);
	expect_id(identifier, "id", "customer-number", "C-10002");
	json_t *accounts = json_object_get(identifier, "accounts");
	g_autofree char *account = ms_audit_id(key, "account", "ACME-4711");
	g_assert_cmpstr(json_string_value(json_array_get(accounts, 0)), ==, account);
	json_t *versions = json_object_get(line, "versions");
	expect(versions, "policies", "p1");
	expect(versions, "kinds", "k1");
	expect(versions, "mapping", "m1");
	json_t *kinds = json_object_get(line, "findings_by_kind");
	g_assert_cmpint(json_integer_value(json_object_get(kinds, "customer-number")), ==, 1);
	json_t *causes = json_object_get(line, "unread_causes");
	g_assert_cmpint(json_integer_value(json_object_get(causes, "encrypted")), ==, 1);
	json_t *stages = json_object_get(line, "stages");
	g_assert_cmpint(json_integer_value(json_object_get(stages, "resolve")), ==, 2);
	g_assert_cmpint(json_integer_value(json_object_get(line, "microseconds")), ==, 6);
}

static MsReading *a_reading(void)
{
	MsReading *reading = ms_reading_new();
	ms_reading_face(reading, "part 1 text/plain");
	ms_reading_face(reading, "part 2 Invoice.pdf");
	ms_reading_add_text(reading, 0, "dearcustomer", 12);
	ms_reading_add_text(reading, 1, "invoice", 7);
	ms_reading_add_text(reading, 1, "c10002", 6);
	ms_reading_find(reading, "customer-number", "C-10002", MS_BELIEF_EXACT, 0,
		ms_place_new("part 1", "C-10002", 0, 7, 7));
	ms_reading_unread(reading, "part 2", MS_UNREAD_ENCRYPTED, "encrypted");
	return reading;
}

/* Somebody owns the finding of this number alone. */
static guint one_owner(const void *number, guint index, guint most, GPtrArray *names_out)
{
	(void)most;
	if (index != GPOINTER_TO_UINT(number))
		return 0;
	g_ptr_array_add(names_out, (char *)"ACME-4711");
	return 1;
}

/* Bounded whatever comes, with those it is wrong for and what somebody owns, though it may be
 * none, and with the number of what is left out. */
static void test_bounds(void)
{
	g_autofree char *dir = scratch_folder();
	g_autofree char *path = g_build_filename(dir, "audit.jsonl", NULL);
	MsAudit *audit = ms_audit_new(path);
	ms_audit_key(audit, key);
	g_autoptr(MsEnvelope) e = ms_envelope_new();
	e->sender = g_strdup("billing@seller.example");
	g_autoptr(MsVerdict) v = ms_verdict_new();
	g_autoptr(MsReading) reading = a_reading();
	const guint n = 30000;
	for (guint i = 0; i < n; i++) {
		guint8 outcome = i == n - 1 ? MS_OUTCOME_WRONG : MS_OUTCOME_RIGHT;
		g_ptr_array_add(e->recipients, g_strdup_printf("r%u@a.example", i));
		g_byte_array_append(v->outcomes, &outcome, 1);
	}
	for (guint i = 0; i < 5000; i++) {
		g_autofree char *value = g_strdup_printf("C-%u", 20000 + i);
		ms_reading_find(reading, "customer-number", value, MS_BELIEF_SHAPE, 0,
			ms_place_new("part 1", value, 0, 7, 7));
		ms_reading_find(reading, "tentative", value, MS_BELIEF_TENTATIVE, 0,
			ms_place_new("part 1", value, 0, 7, 7));
	}
	const MsAuditMessage message = {.envelope = e,
		.verdict = v,
		.reading = reading,
		.owners = one_owner,
		.who = GUINT_TO_POINTER(reading->findings->len - 1)};
	g_autoptr(GError) error = NULL;
	g_assert_true(ms_audit_write(audit, &message, &error));
	g_autofree char *text = trail_text(path);
	g_assert_cmpuint(strlen(text), <, 600000);
	json_t *line = json_loads(strchr(text, '\n'), 0, NULL), *to = json_object_get(line, "to");
	g_assert_cmpuint(json_array_size(to), ==, MS_AUDIT_MAX);
	expect(json_array_get(to, 0), "outcome", "wrong");
	g_assert_cmpint(json_integer_value(json_object_get(line, "to_more")), ==, n - MS_AUDIT_MAX);
	json_t *identifiers = json_object_get(line, "identifiers");
	g_assert_cmpuint(json_array_size(identifiers), ==, MS_AUDIT_MAX);
	expect(json_array_get(identifiers, 0), "kind", "tentative");
	expect(json_array_get(identifiers, 1), "kind", "customer-number");
	g_assert_cmpint(json_integer_value(json_object_get(line, "identifiers_more")), ==,
		5002 - MS_AUDIT_MAX);
	json_decref(line);
	ms_audit_free(audit);
	remove_folder(dir);
}

static void test_line(void)
{
	g_autofree char *dir = scratch_folder();
	g_autofree char *path = g_build_filename(dir, "audit.jsonl", NULL);
	MsAudit *audit = ms_audit_new(path);
	ms_audit_key(audit, key);
	g_autoptr(MsEnvelope) e = ms_envelope_new();
	e->host = g_strdup("mx");
	e->queue_id = g_strdup("A1");
	e->sender = g_strdup("billing\xff@seller.example");
	g_ptr_array_add(e->recipients, g_strdup("kunde@alpha.example"));
	g_autoptr(MsVerdict) v = ms_verdict_new();
	v->action = v->would = MS_HOLD;
	MsReason *r = g_new0(MsReason, 1);
	*r = (MsReason){.code = MS_MISMATCH,
		.policy = g_strdup("p"),
		.action = MS_HOLD,
		.kind = g_strdup("iban"),
		.masked = g_strdup("DE****00"),
		.owner = g_strdup("ACME-4711"),
		.where = g_strdup("part 3.1 Invoice C-10002.pdf page 1"),
		.recipient = g_strdup("kunde@alpha.example"),
		.recipients = 1,
		.text = g_strdup("t")};
	g_ptr_array_add(v->reasons, r);
	g_byte_array_append(v->outcomes, (const guint8 *)"\3", 1);
	g_autoptr(GError) error = NULL;
	g_autoptr(MsReading) reading = a_reading();
	const MsAuditMessage message = {.envelope = e,
		.verdict = v,
		.reading = reading,
		.body = "0123",
		.read_us = 1,
		.resolve_us = 2,
		.judge_us = 3,
		.policies = "p1",
		.kinds = "k1",
		.generation = "m1",
		.owners = names_of,
		.accounts = names_of,
		.other = is_other,
		.who = "ACME-4711",
		.record = "00000000000000ab"};
	for (int i = 0; i < 3; i++)
		g_assert_true(ms_audit_write(audit, &message, &error));
	g_autofree char *text = trail_text(path);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_assert_cmpuint(g_strv_length(lines), ==, 5); /* the first tells that the log begins */
	json_t *line = json_loads(lines[1], 0, NULL);
	g_assert_nonnull(line);
	check_line(line);
	json_decref(line);
	g_assert_null(strstr(text, "kunde@"));
	g_assert_null(strstr(text, "ACME-4711"));
	g_assert_null(strstr(text, "C-10002"));
	g_assert_nonnull(strstr(text, "part 3.1 (name of 19 characters, .pdf) page 1"));
	GStatBuf st;
	g_autofree char *folder = ms_audit_folder(path),
			*head = g_build_filename(folder, "head.0", NULL);
	g_autofree char *secret = g_build_filename(folder, "key", NULL);
	g_assert_cmpint(g_stat(head, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 0777, ==, 0640);
	g_assert_cmpint(g_stat(secret, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 0777, ==, 0400);
	/* moved away: the next line goes to a new log */
	g_autofree char *old = g_strconcat(folder, ".away", NULL);
	g_assert_cmpint(g_rename(folder, old), ==, 0);
	g_assert_true(ms_audit_write(audit, &message, &error));
	g_autofree char *anew = trail_text(path);
	g_auto(GStrv) others = g_strsplit(anew, "\n", -1);
	g_assert_cmpuint(g_strv_length(others), ==, 3);
	g_assert_nonnull(strstr(others[0], "\"type\":\"begin\""));
	/* ... and what is published is published there, of whom no line comes first */
	g_autofree char *older = g_strconcat(folder, ".older", NULL);
	g_assert_cmpint(g_rename(folder, older), ==, 0);
	g_assert_true(ms_audit_publish(audit, NULL, &error));
	g_assert_true(ms_audit_write(audit, &message, &error));
	ms_audit_free(audit);
	remove_folder(dir);
}

static void test_failure(void)
{
	MsAudit *audit = ms_audit_new("/nonexistent/audit.jsonl");
	g_autoptr(MsEnvelope) e = ms_envelope_new();
	e->sender = g_strdup("");
	g_autoptr(MsVerdict) v = ms_verdict_new();
	g_autoptr(GError) error = NULL;
	const MsAuditMessage message = {.envelope = e, .verdict = v};
	g_assert_false(ms_audit_write(audit, &message, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_RETRY);
	ms_audit_free(audit);
}

/* ---- reading -------------------------------------------------------------------------- */

static bool take(const MsAuditLine *line, void *user, GError **error)
{
	(void)error;
	GString *out = user;
	g_assert_cmpuint(strlen(line->text), ==, line->len);
	const char *name = line->json != NULL ? json_string_value(json_object_get(line->json, "n"))
					      : "?";
	g_string_append_printf(out, "%" G_GUINT64_FORMAT "%s:%s ", line->number, line->type, name);
	return strcmp(name, "stop") != 0;
}

static void put(const char *dir, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void expect_lines(const char *path, const char *from, const char *to, const char *want)
{
	g_autoptr(GDateTime) a = g_date_time_new_from_iso8601(from, NULL),
			     b = g_date_time_new_from_iso8601(to, NULL);
	g_autoptr(GString) got = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	g_assert_true(ms_audit_each(path, g_date_time_to_unix(a) * G_USEC_PER_SEC,
		g_date_time_to_unix(b) * G_USEC_PER_SEC, take, got, &error));
	g_assert_no_error(error);
	g_assert_cmpstr(got->str, ==, want);
}

#define AT(time, rest) "{\"time\":\"2026-11-" time "Z\"," rest "}\n"

static void test_each(void)
{
	g_autofree char *dir = scratch_folder();
	g_autofree char *path = g_build_filename(dir, "audit.jsonl", NULL);
	expect_lines(path, "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z", "");
	put(dir, "audit.jsonl",
		AT("20T10:00:00.500", "\"type\":\"message\",\"n\":\"e\"") "{\"time\":\"2026-11\n" AT(
			"20T10:00:01.000", "\"n\":\"f\""));
	/* Of before there were types. */
	put(dir, "audit.jsonl.1", AT("10T10:00:00.000", "\"event\":\"look\",\"n\":\"c\"")
		AT("10T10:00:01.000", "\"n\":\"d\""));
	put(dir, "audit.jsonl-20261102",
		AT("02T10:00:00.000", "\"n\":\"a\"") AT("02T11:00:00.000", "\"n\":\"b\""));
	put(dir, "audit.jsonl.bak", AT("02T10:00:00.000", "\"n\":\"no\""));
	put(dir, "other", AT("02T10:00:00.000", "\"n\":\"no\""));
	expect_lines(path, "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z",
		"0message:a 1message:b 2act:c 3message:d 4message:e 5:? 6message:f ");
	expect_lines(path, "2026-11-02T10:30:00Z", "2026-11-10T10:00:01Z", "1message:b 2act:c ");
	expect_lines(path, "2026-11-12T00:00:00Z", "2026-11-13T00:00:00Z", "");
	put(dir, "audit.jsonl.1",
		AT("10T10:00:00.000", "\"n\":\"stop\"") AT("10T10:00:01.000", "\"n\":\"d\""));
	expect_lines(path, "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z",
		"0message:a 1message:b 2message:stop ");
	g_autofree char *loop = g_build_filename(dir, "loop", NULL);
	g_autoptr(GError) error = NULL;
	g_assert_cmpint(g_mkdir(loop, 0700), ==, 0);
	g_autoptr(GString) got = g_string_new(NULL);
	g_assert_false(ms_audit_each(loop, 0, G_MAXINT64, take, got, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_RETRY);
	remove_folder(dir);
}

/* An interruption between the line of a decision's end and the ledger has it told twice. */
#define END(time, n, decision, about, detail) \
	AT(time, "\"type\":\"act\",\"n\":\"" n "\",\"event\":\"release\",\"decision\":\"" decision \
		 "\",\"about\":\"" about "\",\"detail\":\"" detail "\"")

static bool take_again(const MsAuditLine *line, void *user, GError **error)
{
	GString *out = user;
	(void)error;
	g_string_append_printf(out, "%s%s ",
		json_string_value(json_object_get(line->json, "n")),
		json_object_get(line->json, "again") != NULL ? "!" : "");
	return true;
}

static void expect_again(const char *path, gint64 from, const char *want)
{
	g_autoptr(GError) error = NULL;
	for (int proven = 0; proven < 2; proven++) {
		g_autoptr(GString) got = g_string_new(NULL);
		g_auto(MsAuditProof) proof = {0};
		g_assert_true(proven ? ms_audit_each_proven(path, from, G_MAXINT64, take_again, got,
					       &proof, &error)
				     : ms_audit_each(path, from, G_MAXINT64, take_again, got,
					       &error));
		g_assert_no_error(error);
		g_assert_cmpstr(got->str, ==, want);
	}
}

static void test_again(void)
{
	g_autofree char *dir = scratch_folder();
	g_autofree char *path = g_build_filename(dir, "audit.jsonl", NULL);
	g_autoptr(GDateTime) late = g_date_time_new_from_iso8601("2026-11-20T10:00:05Z", NULL);
	put(dir, "audit.jsonl",
		END("20T10:00:00.000", "a", "d1", "u1", MS_AUDIT_DONE)
		END("20T10:00:01.000", "b", "d1", "u1", MS_AUDIT_DONE)
		/* another one of that name, as an API gives them; another's end */
		END("20T10:00:02.000", "c", "d1", "u2", MS_AUDIT_DONE)
		END("20T10:00:03.000", "d", "d2", "u1", "failed")
		END("20T10:00:04.000", "e", "d2", "u1", MS_AUDIT_LEFT)
		END("20T10:00:05.000", "f", "d2", "u1", MS_AUDIT_DONE)
		END("20T10:00:06.000", "g", "d2", "u1", "failed")
		END("20T10:00:07.000", "h", "d1", "u1", MS_AUDIT_DONE)
		/* of before they had names */
		END("20T10:00:08.000", "i", "", "u1", MS_AUDIT_DONE)
		END("20T10:00:09.000", "j", "", "u1", MS_AUDIT_DONE)
		AT("20T10:00:10.000", "\"type\":\"message\",\"n\":\"k\",\"decision\":\"d1\","
			"\"about\":\"u1\",\"detail\":\"done\""));
	expect_again(path, 0, "a b! c d e f! g! h! i j k ");
	/* what was not asked for was not told */
	expect_again(path, g_date_time_to_unix(late) * G_USEC_PER_SEC, "f g h i j k ");
	remove_folder(dir);
}

/* What older versions wrote is in the log, every line of it, damaged ones too, and once. */
static void test_upgrade(void)
{
	g_autofree char *dir = scratch_folder();
	g_autofree char *path = g_build_filename(dir, "audit.jsonl", NULL),
			*long_one = g_strnfill(200000, 'x');
	g_autofree char *long_line = g_strdup_printf(
		AT("21T10:00:02.000", "\"n\":\"%s\""), long_one);
	put(dir, "audit.jsonl.1", AT("10T10:00:00.000", "\"event\":\"look\",\"n\":\"c\""));
	g_autofree char *text = g_strconcat(AT("20T10:00:00.500", "\"n\":\"e\""),
		"{\"time\":\"2026-11\n", AT("20T10:00:01.000", "\"n\":\"f\""), long_line, NULL);
	put(dir, "audit.jsonl", text);
	g_autofree char *before = trail_text(path);
	g_autoptr(GError) error = NULL;
	for (int i = 0; i < 2; i++) { /* a start and another one */
		MsAudit *audit = ms_audit_new(path);
		g_assert_true(ms_audit_note(audit, "start", "missentd", "", &error));
		g_assert_no_error(error);
		ms_audit_free(audit);
	}
	g_autofree char *after = trail_text(path);
	g_assert_true(g_str_has_prefix(after, before));
	g_auto(GStrv) lines = g_strsplit(after + strlen(before), "\n", -1);
	g_assert_cmpuint(g_strv_length(lines), ==, 4);
	g_assert_nonnull(strstr(lines[0], "\"older_lines\":5"));
	g_autofree char *said = g_strdup_printf(
		"\"type\":\"start\",\"host\":\"%s\",\"program\":\"missentd\"", g_get_host_name());
	g_assert_nonnull(strstr(lines[1], said));
	expect_lines(path, "2026-11-20T10:00:01Z", "2026-11-21T00:00:00Z", "3message:f ");
	expect_lines(path, "2026-11-01T00:00:00Z", "2026-11-11T00:00:00Z", "0act:c ");
	g_autofree char *kept = NULL;
	g_assert_true(g_file_get_contents(path, &kept, NULL, NULL));
	g_assert_cmpstr(kept, ==, text);
	remove_folder(dir);
}

/* ---- many at a time ------------------------------------------------------------------- */

static MsAudit *shared;

static void *write_some(void *user)
{
	for (int i = 0; i < 50; i++) {
		g_autofree char *about = g_strdup_printf("%d-%d", GPOINTER_TO_INT(user), i);
		g_autoptr(GError) error = NULL;
		g_assert_true(ms_audit_event(shared, "w", NULL, MS_EVENT_LOOK, about, "", &error));
		if (i % 20 == 0)
			g_assert_true(ms_audit_beat(shared, "test", &error));
	}
	return NULL;
}

static void count_wrong(guint64 index, const char *why, void *user)
{
	(void)user;
	g_error("%" G_GUINT64_FORMAT ": %s", index, why);
}

/* Each line once, and the log is whole whenever somebody looks. */
static void test_together(void)
{
	g_autofree char *dir = scratch_folder();
	g_autofree char *path = g_build_filename(dir, "audit.jsonl", NULL),
			*folder = ms_audit_folder(path);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GThread *threads[12];
	MsTlogVerified v;
	g_autoptr(GError) error = NULL;
	shared = ms_audit_new(path);
	for (int i = 0; i < 12; i++)
		threads[i] = g_thread_new("writer", write_some, GINT_TO_POINTER(i));
	while (!g_file_test(folder, G_FILE_TEST_EXISTS))
		g_usleep(1000);
	for (int i = 0; i < 20; i++) {
		g_assert_true(ms_tlog_verify(folder, count_wrong, NULL, NULL, &v, &error));
		g_assert_true(ms_audit_publish(shared, NULL, &error)); /* borrows the log */
	}
	for (int i = 0; i < 12; i++)
		g_thread_join(threads[i]);
	g_assert_true(ms_tlog_verify(folder, count_wrong, NULL, NULL, &v, &error));
	g_autofree char *text = trail_text(path);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **l = lines; *l != NULL; l++)
		if (strstr(*l, "\"look\"") != NULL)
			g_assert_true(g_hash_table_add(seen, g_strdup(strstr(*l, "\"about\""))));
	g_assert_cmpuint(g_hash_table_size(seen), ==, 12 * 50);
	ms_audit_free(shared);
	remove_folder(dir);
}

/* What a line names by its digest is there to be read, as it was, or is not believed. */
static void test_texts(void)
{
	g_autofree char *dir = scratch_folder();
	g_autofree char *path = g_build_filename(dir, "audit.jsonl", NULL);
	g_autoptr(GError) error = NULL;
	char first[MS_AUDIT_TEXT_ID], second[MS_AUDIT_TEXT_ID];
	ms_audit_text_id("one\n", first);
	ms_audit_text_id("two\n", second);
	g_assert_cmpstr(first, ==, "2c8b08da5ce60398e1f19af0e5dccc74"); /* sha256sum(1) */
	g_assert_null(ms_audit_text(path, MS_AUDIT_POLICIES, first, &error));
	g_assert_no_error(error);
	for (int i = 0; i < 2; i++)
		g_assert_true(ms_audit_keep_text(path, MS_AUDIT_POLICIES, "one\n", &error));
	g_assert_true(ms_audit_keep_text(path, MS_AUDIT_KINDS, "two\n", &error));
	g_autoptr(GPtrArray) all = ms_audit_texts(path);
	g_assert_cmpuint(all->len, ==, 2);
	g_autofree char *text = ms_audit_text(path, MS_AUDIT_POLICIES, first, &error);
	g_assert_cmpstr(text, ==, "one\n");
	g_assert_null(ms_audit_text(path, MS_AUDIT_POLICIES, second, &error)); /* of kinds */
	g_assert_no_error(error);
	g_autofree char *file = g_strdup_printf("%s/audit.texts/policies-%s", dir, first);
	g_assert_cmpint(g_chmod(file, 0600), ==, 0);
	g_assert_true(g_file_set_contents(file, "one, or so\n", -1, NULL));
	g_assert_null(ms_audit_text(path, MS_AUDIT_POLICIES, first, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
	remove_folder(dir);
	g_clear_error(&error);
	g_assert_false(ms_audit_keep_text(path, MS_AUDIT_POLICIES, "one\n", &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_RETRY);
}

/* Lines that say who writes them: several are made within the millisecond that they tell. */
static bool writes_as(MsAudit *audit, const char *who, guint n)
{
	bool fine = true;
	for (guint i = 0; i < n; i++)
		fine = ms_audit_event(audit, who, "shell", MS_EVENT_REVEAL, "ab", "", NULL) && fine;
	return fine;
}

static bool writes(MsAudit *audit, guint n)
{
	return writes_as(audit, "anna", n);
}

static void run(const char *format, ...) G_GNUC_PRINTF(1, 2);
static void run(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *command = g_strdup_vprintf(format, args);
	va_end(args);
	const char *argv[] = {"sh", "-ec", command, NULL};
	int status = 1;
	g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
		NULL, &status, NULL));
	g_assert_cmpint(status, ==, 0);
}

/* The programs that wrote it: go on, were stopped before, or killed after the last beat. */
typedef enum { AT_WORK, STOPPED, KILLED } Were;

/* Who has the key and a copy makes a trail that verifies; a program that is at work knows what it
 * wrote, and one that is started later finds a checkpoint of it beside the folder.  The copy is of
 * `kept` lines, to which `more` are added; `how` puts it in the trail's place. */
static void test_rolled_back(void)
{
	static const char in_place[] = "cp -a audit/. aside; cp -a copy/. audit",
			  exchanged[] = "mv audit aside; mv copy audit",
			  moved[] = "cp -a audit/. again; mv audit aside; mv again audit",
			  all_of_it[] = "mv audit aside; mv copy audit; rm audit.checkpoint";
	static const struct {
		guint kept, more;
		const char *how;
		Were were;
		bool begin, want;
	} rows[] = {{3, 0, in_place, AT_WORK, false, false},
		{300, 0, in_place, AT_WORK, false, false},
		{3, 0, exchanged, AT_WORK, false, false}, {3, 2, exchanged, AT_WORK, false, false},
		{3, 9, exchanged, AT_WORK, false, false},
		{300, 90, exchanged, AT_WORK, false, false},
		{3, 9, in_place, AT_WORK, false, false}, {3, 0, "", AT_WORK, false, true},
		{3, 0, moved, AT_WORK, false, true}, {3, 0, "", AT_WORK, true, true},
		{3, 0, exchanged, AT_WORK, true, true},
		/* while nobody was at work */
		{3, 0, in_place, STOPPED, false, false}, {3, 0, exchanged, STOPPED, false, false},
		{300, 90, exchanged, STOPPED, false, false},
		{3, 9, exchanged, STOPPED, false, false}, {3, 0, "", STOPPED, false, true},
		{3, 0, moved, STOPPED, false, true}, {3, 0, exchanged, STOPPED, true, true},
		{3, 0, exchanged, KILLED, false, false}, {3, 9, in_place, KILLED, false, false},
		{3, 0, "", KILLED, false, true}, {3, 0, exchanged, KILLED, true, true},
		/* who puts back what stands beside it, too, is found from elsewhere alone */
		{3, 0, all_of_it, STOPPED, false, true}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *dir = scratch_folder(), *aside = NULL;
		g_autofree char *path = g_build_filename(dir, "audit.jsonl", NULL);
		g_autofree char *copy = g_build_filename(dir, "copy.jsonl", NULL);
		g_autofree char *folder = g_build_filename(dir, "audit", NULL);
		g_autoptr(MsAudit) audit = ms_audit_new(path), other = ms_audit_new(path),
				   forger = ms_audit_new(copy), killed = NULL;
		g_autoptr(GError) error = NULL;
		g_assert_true(writes(audit, rows[i].kept));
		run("cd %s; cp -a audit copy", dir);
		g_assert_true(writes(audit, 5));
		g_assert_true(rows[i].were != KILLED || ms_audit_publish(audit, NULL, &error));
		g_assert_true(rows[i].were != KILLED || writes(audit, 2));
		if (rows[i].were == KILLED)
			killed = g_steal_pointer(&audit);
		else if (rows[i].were == STOPPED)
			g_clear_pointer(&audit, ms_audit_free);
		g_assert_true(writes_as(forger, "forger", rows[i].more));
		run("cd %s; %s", dir, rows[i].how);
		if (audit == NULL)
			audit = ms_audit_new(path);
		if (rows[i].begin)
			g_assert_true(ms_audit_begin(path, "anna", "why", &aside, &error));
		g_assert_no_error(error);
		/* nor with the next line; and what another one adds is no harm */
		if (writes(audit, 1) != rows[i].want || writes(audit, 1) != rows[i].want ||
			(rows[i].want && (!writes(other, 2) || !writes(audit, 1))))
			g_error("row %zu: %s", i, rows[i].want ? "refused" : "written");
		g_autofree char *told = ms_audit_not_as_kept(folder);
		bool in_memory = rows[i].were == AT_WORK && rows[i].how == in_place;
		if (!in_memory && (told == NULL) != rows[i].want)
			g_error("row %zu: told \"%s\"", i, told);
		remove_folder(dir);
	}
}

/* The last line that was known of the old trail is in the first one of the new; and the old one
 * still tells what it has not. */
static void test_begun_behind(void)
{
	g_autofree char *dir = scratch_folder(), *aside = NULL;
	g_autofree char *path = g_build_filename(dir, "audit.jsonl", NULL);
	g_autoptr(MsAudit) audit = ms_audit_new(path);
	g_autoptr(GError) error = NULL;
	g_assert_true(writes(audit, 3));
	run("cd %s; cp -a audit copy", dir);
	g_assert_true(writes(audit, 5));
	g_clear_pointer(&audit, ms_audit_free);
	run("cd %s; rm -r audit; mv copy audit", dir);
	g_assert_true(ms_audit_begin(path, "anna", "put back", &aside, &error));
	g_autofree char *told = ms_audit_not_as_kept(aside), *folder = ms_audit_folder(path);
	g_assert_nonnull(told);
	g_assert_nonnull(strstr(told, "9 entries"));
	g_assert_null(ms_audit_not_as_kept(folder));
	g_autoptr(MsTlog) log = ms_tlog_look(folder, &error);
	g_assert_no_error(error);
	g_autoptr(GBytes) first = ms_tlog_entry(log, 0, &error);
	g_assert_nonnull(g_strstr_len(g_bytes_get_data(first, NULL),
		(gssize)g_bytes_get_size(first), "/missent|9|"));
	remove_folder(dir);
}

/* A checkpoint that somebody else has, who was not restored with us. */
static void test_reminded(void)
{
	g_autofree char *dir = scratch_folder(), *then = NULL, *later = NULL;
	g_autofree char *path = g_build_filename(dir, "audit.jsonl", NULL);
	g_autofree char *else_path = g_build_filename(dir, "else.jsonl", NULL), *others = NULL;
	g_autoptr(MsAudit) audit = ms_audit_new(path), another = ms_audit_new(else_path);
	g_autoptr(GError) error = NULL;
	g_assert_true(ms_audit_remind(path, "", &error)); /* there is no trail yet */
	g_assert_true(writes(another, 20) && ms_audit_publish(another, &others, &error));
	g_assert_true(writes(audit, 3) && ms_audit_publish(audit, &then, &error));
	run("cd %s; cp -a audit copy", dir);
	g_assert_true(writes(audit, 5) && ms_audit_publish(audit, &later, &error));
	const char *fine[] = {then, later, others, "", "nonsense\n9\nx\n\n", NULL};
	for (const char **note = fine; *note != NULL; note++)
		g_assert_true(ms_audit_remind(path, *note, &error));
	g_clear_pointer(&audit, ms_audit_free);
	run("cd %s; rm -r audit audit.checkpoint; mv copy audit", dir);
	audit = ms_audit_new(path);
	g_assert_true(writes(audit, 1)); /* nobody remembers any more */
	g_assert_true(ms_audit_remind(path, then, &error));
	g_assert_false(ms_audit_remind(path, later, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
	g_clear_error(&error);
	/* who has it open hears of it with the next beat */
	g_assert_false(ms_audit_beat(audit, "test", &error));
	g_assert_false(writes(audit, 1));
	g_clear_error(&error);
	remove_folder(dir);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/audit/line", test_line);
	g_test_add_func("/audit/bounds", test_bounds);
	g_test_add_func("/audit/failure", test_failure);
	g_test_add_func("/audit/each", test_each);
	g_test_add_func("/audit/again", test_again);
	g_test_add_func("/audit/upgrade", test_upgrade);
	g_test_add_func("/audit/together", test_together);
	g_test_add_func("/audit/texts", test_texts);
	g_test_add_func("/audit/rolled-back", test_rolled_back);
	g_test_add_func("/audit/begun-behind", test_begun_behind);
	g_test_add_func("/audit/reminded", test_reminded);
	return g_test_run();
}
