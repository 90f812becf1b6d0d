/* What public headers say of limits, and of what is done beyond them, where it would be a leak, a
 * loss or a false hold if it were not so: up to the limit it is taken, one more is refused, and
 * said. */
#include "config.h"

#include <fcntl.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/ask.h"
#include "missent/audit.h"
#include "missent/config.h"
#include "missent/detect.h"
#include "missent/reader.h"
#include "missent/kind.h"
#include "missent/log.h"
#include "missent/password.h"
#include "missent/policy.h"
#include "missent/reading.h"
#include "missent/tlog.h"
#include "missent/word.h"

#include "../test.h"

static char *dir;

static char *path_of(const char *name)
{
	return g_build_filename(dir, name, NULL);
}

static char *filled(const char *begin, gsize len)
{
	char *text = g_malloc(len + 1);
	memset(text, 'x', len);
	memcpy(text, begin, strlen(begin));
	text[len] = '\0';
	return text;
}

/* config.h: files of 4 MiB; an empty one, and one with a NUL byte, is an error. */
static void test_config(void)
{
	static const struct {
		gsize len;
		const char *want; /* NULL: it is read */
	} rows[] = {{4 << 20, NULL}, {(4 << 20) + 1, "larger than 4 MiB"}, {0, ""}};
	g_autofree char *path = path_of("large.conf");
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = filled(rows[i].len > 0 ? "# " : "", rows[i].len);
		g_autoptr(GError) error = NULL;
		g_assert_true(g_file_set_contents(path, text, (gssize)rows[i].len, NULL));
		g_autofree char *got = ms_config_read(path, &error);
		g_assert_cmpint(got != NULL, ==, rows[i].want == NULL);
		if (rows[i].want == NULL)
			continue;
		g_assert_error(error, MS_ERROR, MS_ERROR_CONFIG);
		g_assert_nonnull(strstr(error->message, rows[i].want));
	}
	g_autoptr(GError) error = NULL;
	g_assert_true(g_file_set_contents(path, "a\0b", 3, NULL));
	g_assert_null(ms_config_read(path, &error));
	g_assert_nonnull(strstr(error->message, "NUL"));
}

static MsKinds *kinds_of(guint n, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	for (guint i = 0; i < n; i++)
		g_string_append_printf(
			text, "kind \"kind-%u\" {\n pattern = {'K%uX[0-9]{6}'}\n}\n", i, i);
	return ms_kinds_parse("kinds.conf", text->str, error);
}

/* kind.h: 1,000 kinds. */
static void test_kinds(void)
{
	g_autoptr(GError) error = NULL;
	MsKinds *all = kinds_of(1000, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(ms_kinds_count(all), ==, 1000);
	ms_kinds_unref(all);
	g_assert_null(kinds_of(1001, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_CONFIG);
}

/* All of them may have one label: none is left out, neither in a text nor as a field's name. */
static void test_label_of_many(void)
{
	static const char text[] = "Ref: K999X123456\n";
	g_autoptr(GString) conf = g_string_new(NULL);
	for (guint i = 0; i < 1000; i++)
		g_string_append_printf(conf,
			"kind \"kind-%u\" {\n pattern = {'K%uX[0-9]{6}'}\n labels = {\"Ref\"}\n"
			" label-required = yes\n}\n",
			i, i);
	g_autoptr(GError) error = NULL;
	MsKinds *kinds = ms_kinds_parse("kinds.conf", conf->str, &error);
	g_assert_no_error(error);
	const MsNameKinds *named = ms_kinds_named(kinds, "Ref");
	g_assert_cmpuint(named->n, ==, 1000);
	g_assert_cmpuint(named->kinds[999], ==, 999);
	g_autoptr(MsReading) reading = ms_reading_new();
	MsLimits limits;
	MsBudget budget;
	ms_limits_default(&limits);
	ms_budget_init(&budget, &limits);
	MsSpan span = {.where = "part 1", .text = text, .len = sizeof text - 1};
	ms_detect(kinds, NULL, &span, &budget, reading);
	bool found = false;
	for (guint i = 0; i < reading->findings->len; i++) {
		const MsFinding *f = reading->findings->pdata[i];
		found = found || (strcmp(f->kind, "kind-999") == 0 &&
			strcmp(f->value, "K999X123456") == 0 && (f->belief & MS_BELIEF_LABELLED));
	}
	g_assert_true(found);
	ms_kinds_unref(kinds);
}

static MsPolicies *policies_of(const MsKinds *kinds, guint n, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *folder = path_of("policies"), *path = path_of("policies/all.conf");
	for (guint i = 0; i < n; i++)
		g_string_append_printf(text, "policy \"p%u\" {\n}\n", i);
	g_mkdir(folder, 0700);
	g_assert_true(g_file_set_contents(path, text->str, -1, NULL));
	return ms_policies_load(folder, kinds, MS_MODE_ENFORCE, error);
}

/* policy.h: 1000 policies; of more none is left out silently. */
static void test_policies(void)
{
	g_autoptr(GError) error = NULL;
	MsKinds *kinds = kinds_of(1, &error);
	MsPolicies *all = policies_of(kinds, 1000, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(ms_policies_count(all), ==, 1000);
	ms_policies_free(all);
	g_assert_null(policies_of(kinds, 1001, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_CONFIG);
	ms_kinds_unref(kinds);
}

/* identifier.h: a canonical value has at most MS_IDENTIFIER_MAX bytes; the kind with the longest
 * values has fewer. */
static void test_identifier(void)
{
	g_autoptr(GError) error = NULL;
	MsKinds *kinds = ms_kinds_parse("kinds.conf",
		"kind \"any\" {\n pattern = {'[0-9A-Z]{4,500}'}\n max-length = 500\n}\n", &error);
	g_assert_no_error(error);
	for (gsize len = 499; len <= 5 * MS_IDENTIFIER_MAX; len++) {
		g_autofree char *text = filled("1", len);
		const char *why = NULL;
		g_autofree char *value = ms_kind_canonical(ms_kinds_nth(kinds, 0), text, len, &why);
		g_assert_cmpint(value != NULL, ==, len <= 500);
		g_assert_cmpint(why != NULL, ==, value == NULL);
	}
	ms_kinds_unref(kinds);
}

/* finding.h: MS_MAX_PLACES places are kept of a finding; `count` has them all. */
static void test_places(void)
{
	g_autoptr(MsReading) reading = ms_reading_new();
	for (guint i = 0; i < 3 * MS_MAX_PLACES; i++)
		ms_reading_find(reading, "iban", "DE1", MS_BELIEF_LABELLED, 0,
			ms_place_new("part 1", "DE1", 0, 3, 3));
	const MsFinding *finding = ms_reading_has(reading, "iban", "DE1", NULL);
	g_assert_cmpuint(finding->places->len, ==, MS_MAX_PLACES);
	g_assert_cmpuint(finding->count, ==, 3 * MS_MAX_PLACES);
}

/* ask.h: MS_ASK_MOST messages in one, and not none. */
static void test_ask(void)
{
	g_autoptr(GPtrArray) uids = g_ptr_array_new();
	MsAsk ask = {.verb = MS_VERB_NOTE, .uids = uids, .who = "anna", .why = "seen"};
	for (guint n = 0; n <= MS_ASK_MOST + 1; n++) {
		g_autoptr(GError) error = NULL;
		bool edge = n <= 1 || n >= MS_ASK_MOST;
		g_assert_true(!edge || ms_ask_check(&ask, &error) == (n > 0 && n <= MS_ASK_MOST));
		g_assert_true(!edge || (error == NULL) == (n > 0 && n <= MS_ASK_MOST));
		g_ptr_array_add(uids, (char *)"0123456789abcdef");
	}
}

/* word.h: MS_WORD_MAX bytes; a text MS_WORD_TEXT_MAX; an account's name 200 (directory.h). */
static void test_words(void)
{
	static const struct {
		MsWordKind kind;
		gsize most;
	} rows[] = {{MS_WORD_ACCOUNT, 200}, {MS_WORD_MESSAGE, MS_WORD_MAX},
		{MS_WORD_TEXT, MS_WORD_TEXT_MAX}, {MS_WORD_CAUSE, MS_WORD_TEXT_MAX}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		for (gsize len = rows[i].most; len <= rows[i].most + 1; len++) {
			g_autofree char *text = filled("a", len);
			g_autoptr(GError) error = NULL;
			g_assert_cmpint(ms_word_check(rows[i].kind, "word", text, &error), ==,
				len == rows[i].most);
			g_assert_cmpint(error == NULL, ==, len == rows[i].most);
		}
}

/* password.h: of MS_PASSWORD_MIN to 1024 bytes; who has a longer one is told, it is not cut. */
static void test_passwords(void)
{
	static const gsize lengths[][2] = {
		{MS_PASSWORD_MIN - 1, 0}, {MS_PASSWORD_MIN, 1}, {1024, 1}, {1025, 0}};
	for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++) {
		g_autofree char *text = filled("aB3", lengths[i][0]);
		g_assert_cmpint(ms_password_why(text) == NULL, ==, lengths[i][1] == 1);
	}
}

static bool take_text(const MsAuditLine *line, void *user, GError **error)
{
	(void)error;
	g_string_append(user, line->text);
	return line->json != NULL;
}

/* tlog.h: entries of MS_TLOG_MAX_ENTRY bytes.  A line of the trail that is longer is several
 * entries, and whole when it is read. */
static void test_entries(void)
{
	g_autofree char *path = path_of("audit.jsonl"), *large = filled("{", 3 * MS_TLOG_MAX_ENTRY);
	for (gsize len = MS_TLOG_MAX_ENTRY - 200; len < 3 * MS_TLOG_MAX_ENTRY; len += 20011) {
		g_autofree char *detail = g_strndup(large, len);
		g_autoptr(MsAudit) audit = ms_audit_new(path);
		g_autoptr(GError) error = NULL;
		g_autoptr(GString) all = g_string_new(NULL);
		ms_audit_event(audit, "anna", NULL, MS_EVENT_NOTE, "uid", detail, &error);
		g_assert_no_error(error);
		g_assert_true(ms_audit_each(path, 0, G_MAXINT64, take_text, all, &error));
		g_assert_nonnull(strstr(all->str, detail));
	}
}

/* log.h: what is said is cut at 2,000 bytes, an ID at 64; control and invalid bytes are escaped as
 * \xNN: what a sender
 * wrote makes no line of its own, and no terminal do anything. */
static void test_log(void)
{
	int saved = dup(STDERR_FILENO), file = ms_memory_file("log");
	g_autofree char *large = filled("y", 5000);
	char text[8192] = "";
	g_assert_cmpint(dup2(file, STDERR_FILENO), ==, STDERR_FILENO);
	ms_log_open("test", false, false);
	ms_log(LOG_NOTICE, "ABC", "a=%s", "one\ntwo\r\x1b[31m\x7f\xff end");
	ms_log(LOG_NOTICE, NULL, "b=%s", large);
	ms_log(LOG_DEBUG, NULL, "not asked for");
	dup2(saved, STDERR_FILENO);
	close(saved);
	g_assert_cmpint(pread(file, text, sizeof text - 1, 0), >, 0);
	close(file);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_assert_cmpuint(g_strv_length(lines), ==, 3); /* and what is behind the last */
	g_assert_nonnull(strstr(lines[0], "ABC: a=one\\x0atwo\\x0d\\x1b[31m\\x7f\\xff end"));
	g_assert_nonnull(strstr(lines[1], "NOQUEUE: b=y"));
	g_assert_cmpuint(strlen(lines[1]), <=, 64 + 2 + 2000);
	g_assert_cmpuint(strlen(lines[1]), >, 1800);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	dir = scratch_folder();
	g_test_add_func("/claims/config", test_config);
	g_test_add_func("/claims/kinds", test_kinds);
	g_test_add_func("/claims/label-of-many", test_label_of_many);
	g_test_add_func("/claims/policies", test_policies);
	g_test_add_func("/claims/identifier", test_identifier);
	g_test_add_func("/claims/places", test_places);
	g_test_add_func("/claims/ask", test_ask);
	g_test_add_func("/claims/words", test_words);
	g_test_add_func("/claims/passwords", test_passwords);
	g_test_add_func("/claims/entries", test_entries);
	g_test_add_func("/claims/log", test_log);
	int rc = g_test_run();
	remove_folder(dir);
	g_free(dir);
	return rc;
}
