/*
 * missent-audit(5) against the lines themselves: one of each type, with all that it can have, is
 * written, and each of its fields has to be in the manual; what the manual names has to be in a
 * line.
 */
#include "config.h"

#include <jansson.h>
#include <string.h>

#include "missent/answer.h"
#include "missent/audit.h"
#include "missent/tlog.h"
#include "missent/verb.h"

#include "../test.h"

static char *dir, *path;
static GHashTable *written, *documented; /* "type field", "part-of-a-line field" */

static void note(GHashTable *set, const char *context, const char *field)
{
	g_hash_table_add(set, g_strdup_printf("%s %s", context, field));
}

/* ---- lines ----------------------------------------------------------------------------- */

static const guint8 key[MS_AUDIT_KEY_BYTES] = "a key of this test";

static guint names_of(const void *who, guint index, guint most, GPtrArray *names_out)
{
	(void)index, (void)most;
	g_ptr_array_add(names_out, (void *)who);
	return 9;
}

static bool is_other(const void *who, guint index, guint recipient)
{
	(void)who, (void)index, (void)recipient;
	return true;
}

static void add_part(MsReading *reading, const char *name)
{
	MsPart *part = g_new0(MsPart, 1);
	*part = (MsPart){g_strdup("2"), g_strdup("application/pdf"), g_strdup("application/pdf"),
		g_strdup(name), 700, true};
	g_ptr_array_add(reading->parts, part);
}

/* More of everything than a line keeps. */
static MsReading *much(void)
{
	MsReading *reading = ms_reading_new();
	for (guint i = 0; i < 6000; i++) {
		g_autofree char *value = g_strdup_printf("C-%05u", i);
		ms_reading_find(reading, "customer-number", value, MS_BELIEF_EXACT, 0,
			ms_place_new("part 1", value, 0, 7, 7));
	}
	g_autoptr(GPtrArray) either = ms_identifiers_new();
	g_ptr_array_add(either, ms_identifier_new("customer-number", "C-1"));
	ms_reading_find_either(reading, "order-number", "O-1", either, MS_BELIEF_EXACT, 0,
		ms_place_new("part 1", "", 0, 0, 0));
	g_ptr_array_insert(reading->findings, 0,
		g_ptr_array_steal_index(reading->findings, reading->findings->len - 1));
	for (guint i = 0; i <= MS_AUDIT_MAX; i++)
		add_part(reading, "invoice.pdf");
	ms_reading_face(reading, "part 1 text/plain");
	ms_reading_add_text(reading, 0, "yourinvoice", 11);
	ms_reading_greet(reading, "petra weber");
	ms_reading_unread(reading, "part 2", MS_UNREAD_ENCRYPTED, "encrypted");
	return reading;
}

static MsVerdict *a_verdict(guint recipients, MsAction action)
{
	MsVerdict *v = ms_verdict_new();
	const guint8 wrong = MS_OUTCOME_WRONG, kept = 1;
	v->action = v->would = action;
	v->delay_us = 30 * (gint64)G_USEC_PER_SEC;
	v->paused = true;
	MsReason *r = g_new0(MsReason, 1);
	*r = (MsReason){.code = MS_MISMATCH,
		.policy = g_strdup("p"),
		.action = MS_HOLD,
		.kind = g_strdup("iban"),
		.masked = g_strdup("DE****00"),
		.owner = g_strdup("AC-1"),
		.where = g_strdup("part 3 a.pdf page 1"),
		.recipient = g_strdup("k@alpha.example"),
		.recipients = 1,
		.text = g_strdup("t")};
	g_ptr_array_add(v->reasons, r);
	for (guint i = 0; i < recipients; i++) {
		g_byte_array_append(v->outcomes, &wrong, 1);
		g_byte_array_append(v->withheld, &kept, 1);
	}
	for (guint i = 0; i < 101; i++) {
		g_ptr_array_add(v->policies, g_strdup("p"));
		g_ptr_array_add(v->unsure, g_strdup("p: header (there was no time left to look)"));
	}
	return v;
}

static void write_message(MsAudit *audit, bool canary, MsAction action)
{
	g_autoptr(MsEnvelope) e = ms_envelope_new();
	g_autoptr(MsReading) reading = much();
	g_autoptr(MsVerdict) v = a_verdict(MS_AUDIT_MAX + 1, action);
	g_autoptr(GError) error = NULL;
	e->host = g_strdup("mx");
	e->queue_id = g_strdup("A1");
	e->sender = g_strdup("billing@seller.example");
	e->canary = canary;
	for (guint i = 0; i <= MS_AUDIT_MAX; i++)
		g_ptr_array_add(e->recipients, g_strdup_printf("r%u@alpha.example", i));
	const MsAuditMessage message = {.envelope = e,
		.verdict = v,
		.reading = reading,
		.body = "01",
		.trouble = "it does not answer",
		.policies = "p1",
		.kinds = "k1",
		.generation = "m1",
		.owners = names_of,
		.accounts = names_of,
		.other = is_other,
		.who = "AC-1",
		.record = "00000000000000ab"};
	ms_audit_write(audit, &message, &error);
	g_assert_no_error(error);
}

/* As long as three bundles, so that some can be removed. */
static void put_older_lines(void)
{
	g_autoptr(GString) text = g_string_new(NULL);
	for (int i = 0; i < 700; i++)
		g_string_append(
			text, "{\"time\":\"2025-11-01T00:00:00.000Z\",\"type\":\"message\"}\n");
	g_assert_true(g_file_set_contents(path, text->str, -1, NULL));
}

/* A line that a program had written when it was killed, under no checkpoint. */
static void leave_one(void)
{
	g_autofree char *folder = ms_audit_folder(path), *name = NULL, *text = NULL;
	g_autoptr(GDir) files = g_dir_open(folder, 0, NULL);
	gsize len;
	for (const char *file; (file = g_dir_read_name(files)) != NULL;)
		if (g_str_has_prefix(file, "head."))
			name = g_build_filename(folder, file, NULL);
	g_assert_true(g_file_get_contents(name, &text, &len, NULL));
	g_autoptr(GString) more = g_string_new_len(text, (gssize)len);
	g_string_append_len(more, "\0\2{}", 4);
	g_assert_true(g_file_set_contents(name, more->str, (gssize)more->len, NULL));
}

static void write_every_type(void)
{
	static const char *const notes[] = {MS_AUDIT_START, MS_AUDIT_STOP, MS_AUDIT_RELOAD,
		MS_AUDIT_IMPORT, MS_AUDIT_WITNESS, MS_AUDIT_RESUMED, MS_AUDIT_REFUSED};
	g_autofree char *aside = NULL;
	g_autoptr(GError) error = NULL;
	put_older_lines();
	g_autoptr(MsAudit) audit = ms_audit_new(path);
	ms_audit_key(audit, key);
	for (gsize i = 0; i < G_N_ELEMENTS(notes); i++)
		g_assert_true(ms_audit_note(audit, notes[i], "missentd", "words", &error));
	g_assert_true(ms_audit_beat(audit, "missentd", &error));
	g_assert_true(
		ms_audit_event(audit, "anna", "192.0.2.1", MS_EVENT_LOOK, "ab", "", &error));
	g_autoptr(GPtrArray) to = g_ptr_array_new();
	for (guint i = 0; i <= MS_AUDIT_MAX; i++)
		g_ptr_array_add(to, (void *)"k@alpha.example");
	const MsAuditDone done = {"anna", MS_EVENT_RELEASE, "d1", "ab", "done", to, "B2"};
	g_assert_true(ms_audit_done(audit, &done, &error));
	g_autoptr(MsEnvelope) e = ms_envelope_new();
	e->host = g_strdup("mx");
	g_assert_true(ms_audit_undone(audit, e, "hold; why", &error));
	g_assert_true(ms_audit_prune(audit, g_get_real_time() - G_TIME_SPAN_DAY, &error));
	leave_one();
	write_message(audit, true, MS_SPLIT);
	write_message(audit, true, MS_DELAY);
	g_assert_true(ms_audit_begin(path, "anna", "a disk", &aside, &error));
	g_assert_no_error(error);
	write_message(audit, false, MS_SPLIT);
	write_message(audit, false, MS_DELAY);
}

/* ---- their fields ------------------------------------------------------------------------ */

/* Whose fields are words of their own: verdicts, kinds, causes. */
static const char *const counts[] = {"written", "findings_by_kind", "unread_causes", NULL};

static void take_fields(const char *context, const char *before, const json_t *object)
{
	static const char *const lists[][2] = {{"reasons", "reason"}, {"to", "recipient"},
		{"identifiers", "identifier"}, {"documents", "document"}, {"texts", "text"}};
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)object, name, value)
	{
		g_autofree char *field = g_strconcat(before, name, NULL);
		g_autofree char *below = g_strconcat(field, ".", NULL);
		if (json_is_object(value) && !g_strv_contains(counts, name)) {
			take_fields(context, below, value);
			continue;
		}
		note(written, context, field);
		for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
			for (gsize k = 0;
				strcmp(lists[i][0], field) == 0 && k < json_array_size(value); k++)
				take_fields(lists[i][1], "", json_array_get(value, k));
	}
}

static bool take_line(const MsAuditLine *line, void *user, GError **error)
{
	(void)user, (void)error;
	g_assert_true(line->json != NULL);
	if (json_object_size(line->json) > 2 || *line->type == '\0')
		take_fields(line->type, "", line->json);
	return true;
}

static bool take_part(guint64 index, const char *data, gsize len, void *user, GError **error)
{
	(void)index, (void)user, (void)error;
	json_t *json = json_loadb(data, len, 0, NULL);
	if (g_strcmp0(json_string_value(json_object_get(json, "type")), MS_AUDIT_PART) == 0)
		take_fields(MS_AUDIT_PART, "", json);
	json_decref(json);
	return true;
}

static bool is_true_line(const MsAuditLine *line, void *user, GError **error)
{
	/* "{}", which leave_one() left, is none. */
	return line->json == NULL || take_line(line, user, error);
}

static void read_trail(const char *file)
{
	g_autofree char *folder = ms_audit_folder(file);
	g_autoptr(GError) error = NULL;
	g_assert_true(ms_audit_each(file, G_MININT64, G_MAXINT64, is_true_line, NULL, &error));
	g_assert_no_error(error);
	g_autoptr(MsTlog) log = ms_tlog_look(folder, &error);
	g_assert_no_error(error);
	g_assert_true(ms_tlog_each(log, 0, take_part, NULL, &error));
}

/* ---- the manual -------------------------------------------------------------------------- */

static bool is_field(const char *word)
{
	return *word != '\0' && strspn(word, "abcdefghijklmnopqrstuvwxyz_.") == strlen(word) &&
		strcmp(word, ".") != 0;
}

/* What stands behind that macro, up to another one. */
static void take_words(char **words, const char *macro, GPtrArray *out)
{
	bool in = false;
	for (; *words != NULL; words++) {
		bool is_macro = g_ascii_isupper((*words)[0]);
		in = is_macro ? strcmp(*words, macro) == 0 : in;
		if (in && !is_macro && (is_field(*words) || strchr(*words, '-') != NULL))
			g_ptr_array_add(out, *words);
	}
}

/* "Of a message", "Of an identifier". */
static const char *subject_of(const char *line)
{
	const char *subject = g_str_has_prefix(line, ".Ss Of an ") ? line + 10
		: g_str_has_prefix(line, ".Ss Of a ")              ? line + 9
								   : NULL;
	return subject;
}

/* What the fields that follow are of: every line, the types that an item names, or what a heading
 * says. */
static void set_contexts(const char *line, char **words, GPtrArray *contexts)
{
	g_autoptr(GPtrArray) types = g_ptr_array_new();
	const char *subject = subject_of(line);
	if (g_str_has_prefix(line, ".It Cm "))
		take_words(words + 1, "Cm", types);
	if (subject == NULL && types->len == 0)
		return;
	g_ptr_array_set_size(contexts, 0);
	for (guint i = 0; i < types->len; i++)
		g_ptr_array_add(contexts, g_strdup(types->pdata[i]));
	if (subject != NULL)
		g_ptr_array_add(contexts, g_strdup(subject));
	if (g_strcmp0(subject, MS_AUDIT_MESSAGE) == 0)
		g_ptr_array_add(contexts, g_strdup(MS_AUDIT_CANARY));
}

static void read_manual(void)
{
	g_autofree char *text = read_source("milter/audit/missent-audit.5");
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	char **l = lines;
	g_autoptr(GPtrArray) contexts = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; ms_audit_types[i] != NULL; i++)
		g_ptr_array_add(contexts, g_strdup(ms_audit_types[i]));
	while (*l != NULL && strcmp(*l, ".Sh LINES") != 0)
		l++;
	for (l += *l != NULL; *l != NULL && !g_str_has_prefix(*l, ".Sh "); l++) {
		g_auto(GStrv) words = g_strsplit(**l == '.' ? *l + 1 : "", " ", -1);
		g_autoptr(GPtrArray) fields = g_ptr_array_new();
		set_contexts(*l, words, contexts);
		take_words(words, "Va", fields);
		for (guint i = 0; i < fields->len; i++)
			for (guint k = 0; k < contexts->len; k++)
				note(documented, contexts->pdata[k], fields->pdata[i]);
	}
}

static void expect_within(GHashTable *set, GHashTable *in, const char *what)
{
	g_autoptr(GString) missing = g_string_new(NULL);
	g_autoptr(GList) all = g_list_sort(g_hash_table_get_keys(set), (GCompareFunc)strcmp);
	for (const GList *l = all; l != NULL; l = l->next)
		if (!g_hash_table_contains(in, l->data))
			g_string_append_printf(missing, "\n%s", (char *)l->data);
	if (missing->len > 0)
		g_error("%s:%s", what, missing->str);
}

/* What its items name in the part on acts: ".It Li "look" , "reveal"". */
static void take_events(GHashTable *events)
{
	g_autofree char *manual = read_source("milter/audit/missent-audit.5");
	g_auto(GStrv) lines = g_strsplit(manual, "\n", -1);
	bool within = false;
	for (char **l = lines; *l != NULL; l++) {
		if (g_str_has_prefix(*l, ".Ss "))
			within = strcmp(*l, ".Ss Of an act") == 0;
		if (!within || !g_str_has_prefix(*l, ".It Li "))
			continue;
		g_auto(GStrv) parts = g_strsplit(*l, "\"", -1);
		for (guint i = 1; i < g_strv_length(parts); i += 2)
			if (!g_hash_table_add(events, g_strdup(parts[i])))
				g_error("\"%s\" stands twice in missent-audit(5)", parts[i]);
	}
}

/* ---- tests ------------------------------------------------------------------------------- */

/* Each has a name of its own, and the manual has all of them and no other. */
static void test_events(void)
{
	g_autoptr(GHashTable) events = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	take_events(events);
	for (int i = 0; i < MS_N_EVENTS; i++) {
		g_assert_cmpint(ms_event_named(ms_event_names[i]), ==, i);
		if (!g_hash_table_remove(events, ms_event_names[i]))
			g_error("the act \"%s\" is not in missent-audit(5)", ms_event_names[i]);
	}
	g_autoptr(GList) left = g_hash_table_get_keys(events);
	if (left != NULL)
		g_error("missent-audit(5) has the act \"%s\", and nothing writes it",
			(char *)left->data);
	g_assert_cmpint(ms_event_named("looks"), ==, MS_N_EVENTS);
}

/* What is decided is an act of the same name. */
static void test_verbs(void)
{
	for (int i = 0; i < MS_N_VERBS; i++)
		g_assert_cmpint(ms_event_named(ms_verbs[i].name), <, MS_N_EVENTS);
}

static void test_manual(void)
{
	expect_within(written, documented, "fields of lines that missent-audit(5) does not have");
	expect_within(documented, written, "what missent-audit(5) names and no line has");
}

static void test_types(void)
{
	for (guint i = 0; ms_audit_types[i] != NULL; i++) {
		g_autofree char *one = g_strconcat(ms_audit_types[i], " time", NULL);
		if (!g_hash_table_contains(written, one))
			g_error("no line of the type \"%s\" was looked at", ms_audit_types[i]);
	}
}

/* A field that only some message has is named in the source all the same. */
static void test_source(void)
{
	g_autofree char *text = read_source("milter/audit/message.c");
	g_autoptr(GRegex) word = g_regex_new("\"([a-z][a-z_]*)\"", 0, 0, NULL);
	g_autoptr(GMatchInfo) match = NULL;
	g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GHashTableIter iter;
	gpointer one;
	g_hash_table_iter_init(&iter, documented);
	while (g_hash_table_iter_next(&iter, &one, NULL)) {
		g_auto(GStrv) parts = g_strsplit_set(strchr(one, ' ') + 1, ".", -1);
		for (char **p = parts; *p != NULL; p++)
			g_hash_table_add(names, g_strdup(*p));
	}
	g_hash_table_add(names, g_strdup("account")); /* domains of digests */
	for (g_regex_match(word, text, 0, &match); g_match_info_matches(match);
		g_match_info_next(match, NULL)) {
		g_autofree char *name = g_match_info_fetch(match, 1);
		if (!g_hash_table_contains(names, name))
			g_error("\"%s\" of message.c is not in missent-audit(5)", name);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	dir = scratch_folder();
	path = g_build_filename(dir, "audit.jsonl", NULL);
	written = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	documented = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	write_every_type();
	g_autoptr(GDir) files = g_dir_open(dir, 0, NULL);
	for (const char *name; (name = g_dir_read_name(files)) != NULL;) {
		g_autofree char *folder = g_build_filename(dir, name, NULL);
		g_autofree char *file = g_strconcat(folder, ".jsonl", NULL);
		if (g_str_has_prefix(name, "audit") && g_file_test(folder, G_FILE_TEST_IS_DIR))
			read_trail(file);
	}
	read_manual();
	g_test_add_func("/fields/types", test_types);
	g_test_add_func("/fields/manual", test_manual);
	g_test_add_func("/fields/source", test_source);
	g_test_add_func("/fields/events", test_events);
	g_test_add_func("/fields/verbs", test_verbs);
	int rc = g_test_run();
	g_hash_table_unref(written);
	g_hash_table_unref(documented);
	remove_folder(dir);
	g_free(path);
	g_free(dir);
	return rc;
}
