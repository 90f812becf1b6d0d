/*
 * A log is kept by another host, then written anew with its own key, rolled back, lost, given
 * another key: each is refused, and what is kept stays.  And a checkpoint is found again in what
 * people and programs make of it.
 */
#include "config.h"

#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>

#include "missent/answer.h"
#include "missent/witness.h"

#include "milter/audit/audit_private.h"
#include "../test.h"

static char *dir;
static gint64 lines_ms; /* how long lines are kept where others' checkpoints are */

static char *path_in(const char *name)
{
	return g_build_filename(dir, name, NULL);
}

static void append(MsTlog *log, const char *word, guint n)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
	g_autofree MsEntryText *entries = g_new(MsEntryText, n + 1);
	guint done;
	for (guint i = 0; i < n; i++) {
		char *text = g_strdup_printf("{\"%s\":%u}", word, i);
		entries[i] = (MsEntryText){text, strlen(text)};
		g_ptr_array_add(texts, text);
	}
	g_assert_true(ms_tlog_append(log, entries, n, &done, &error));
	g_assert_no_error(error);
}

/* A log of `n` entries; with the key of `like`. */
static MsTlog *make(const char *name, const char *like, const char *word, guint n)
{
	g_autofree char *folder = path_in(name);
	g_autoptr(GError) error = NULL;
	if (like != NULL) {
		static const char *const both[] = {"key", "vkey"};
		g_assert_cmpint(g_mkdir(folder, 0750), ==, 0);
		for (gsize i = 0; i < G_N_ELEMENTS(both); i++) {
			g_autofree char *from = g_build_filename(dir, like, both[i], NULL),
					*text = NULL;
			g_autofree char *to = g_build_filename(folder, both[i], NULL);
			gsize len;
			g_assert_true(g_file_get_contents(from, &text, &len, NULL));
			g_assert_true(g_file_set_contents(to, text, (gssize)len, NULL));
			g_assert_cmpint(g_chmod(to, 0400), ==, 0);
		}
	}
	MsTlog *log = ms_tlog_open(folder, "mx.example/missent", &error);
	g_assert_no_error(error);
	append(log, word, n);
	return log;
}

/* The log `name` answers who keeps `host`; what he makes of it. */
static MsWitness take(const char *name, const char *host, char **why_out)
{
	g_autofree char *folder = path_in("kept"), *file = g_strconcat(name, ".jsonl", NULL),
			*path = path_in(file);
	g_auto(MsKept) kept = {0};
	g_autoptr(GError) error = NULL;
	MsWitness how = MS_WITNESS_SAME;
	*why_out = NULL;
	bool known = ms_witness_kept(folder, host, &kept, &error);
	g_assert_no_error(error);
	json_t *answer = ms_witness_answer(path, known ? kept.checkpoint.size : 0, &error);
	g_assert_no_error(error);
	g_assert_true(ms_witness_take(folder, host, answer, lines_ms, &how, why_out, &error));
	g_assert_no_error(error);
	json_decref(answer);
	return how;
}

static guint64 size_kept(const char *host)
{
	g_autofree char *folder = path_in("kept");
	g_auto(MsKept) kept = {0};
	return ms_witness_kept(folder, host, &kept, NULL) ? kept.checkpoint.size : 0;
}

static void expect(const char *name, const char *host, MsWitness want, const char *words)
{
	g_autofree char *why = NULL;
	MsWitness got = take(name, host, &why);
	if (got != want || (words == NULL) != (why == NULL) ||
		(words != NULL && strstr(why, words) == NULL))
		g_error("%s: got %d (%s), want %d (%s)", name, got, why, want, words);
}

/* ---- what is refused ------------------------------------------------------------------ */

static void test_refused(void)
{
	static const guint sizes[] = {1, 2, 7, 255, 256, 257, 700};
	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		guint n = sizes[i];
		g_autofree char *host = g_strdup_printf("../mx%u", n),
				*log = g_strdup_printf("log%u", n);
		g_autofree char *anew = g_strdup_printf("anew%u", n),
				*back = g_strdup_printf("back%u", n);
		g_autofree char *key = g_strdup_printf("key%u", n),
				*same = g_strdup_printf("same%u", n);
		g_autoptr(MsTlog) real = make(log, NULL, "real", n);
		expect(log, host, MS_WITNESS_FIRST, NULL);
		expect(log, host, MS_WITNESS_SAME, NULL);
		append(real, "real", 3);
		expect(log, host, MS_WITNESS_GREW, NULL);
		g_assert_cmpuint(size_kept(host), ==, n + 3);
		/* Root has the key, or the machine was cloned: */
		g_autoptr(MsTlog) G_GNUC_UNUSED a = make(anew, log, "forged", n + 300);
		g_autoptr(MsTlog) G_GNUC_UNUSED b = make(same, log, "forged", n + 3);
		g_autoptr(MsTlog) G_GNUC_UNUSED c = make(back, log, "real", n + 2);
		g_autoptr(MsTlog) G_GNUC_UNUSED d = make(key, NULL, "real", n + 3);
		expect(anew, host, MS_WITNESS_REFUSED, "written anew");
		expect(same, host, MS_WITNESS_REFUSED, "written anew");
		expect(back, host, MS_WITNESS_REFUSED, "rolled back");
		expect(key, host, MS_WITNESS_REFUSED, "another key");
		expect("nothing", host, MS_WITNESS_REFUSED, "no trail any more");
		/* ... and its copy answers by another name. */
		expect(log, "clone", MS_WITNESS_REFUSED, "has the key of ../mx");
		expect(back, "clone", MS_WITNESS_REFUSED, "has the key of ../mx");
		g_assert_cmpuint(size_kept(host), ==, n + 3);
		append(real, "real", 400);
		expect(log, host, MS_WITNESS_GREW, NULL);
	}
	/* A damaged one; then a new one that somebody believes. */
	g_autofree char *head = g_build_filename(dir, "log7", "head.1", NULL),
			*folder = path_in("kept");
	g_autoptr(GPtrArray) hosts = ms_witness_hosts(folder);
	g_autoptr(GError) error = NULL;
	g_assert_cmpuint(hosts->len, ==, G_N_ELEMENTS(sizes));
	g_assert_true(g_file_set_contents(head, "", 0, NULL));
	expect("log7", "../mx7", MS_WITNESS_REFUSED, "damaged");
	g_assert_true(ms_witness_forget(folder, "../mx7", &error));
	expect("key7", "../mx7", MS_WITNESS_FIRST, NULL);
	g_assert_false(ms_witness_forget(folder, "nobody", &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
}

/* As if it had been taken so long ago. */
static void age(const char *host, gint64 seconds)
{
	g_autofree char *file = g_strdup_printf("of-%s.checkpoint", host), *text = NULL;
	g_autofree char *path = g_build_filename(dir, "kept", file, NULL);
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_auto(GStrv) parts = g_strsplit(text, "\n", 3);
	g_autofree char *fresh = g_strdup_printf("%s\n%" G_GINT64_FORMAT "\n%s", parts[0],
		g_get_real_time() - seconds * G_USEC_PER_SEC, parts[2]);
	g_assert_true(g_file_set_contents(path, fresh, -1, NULL));
}

/* A host was away for longer than lines are kept: what leads from the checkpoint that is kept to
 * its trail is gone there.  That is no alarm; of a younger one it is, for who writes all anew may
 * say it too. */
static void test_away(void)
{
	static const struct {
		gint64 lines_ms, seconds;
		bool rewritten;
		MsWitness want;
		const char *words;
	} rows[] = {
		{86400000, 100000, false, MS_WITNESS_RESUMED, NULL},
		{86400000, 80000, false, MS_WITNESS_REFUSED, "are kept longer"},
		{86400000, 0, false, MS_WITNESS_REFUSED, "are kept longer"},
		{0, 1000000000, false, MS_WITNESS_REFUSED, "for ever"},
		{86400000, 100, true, MS_WITNESS_REFUSED, "are kept longer"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *host = g_strdup_printf("away%zu", i),
				*anew = g_strconcat(host, "-anew", NULL);
		g_autoptr(GError) error = NULL;
		g_autoptr(MsTlog) log = make(host, NULL, "real", 300);
		expect(host, host, MS_WITNESS_FIRST, NULL);
		g_autoptr(MsTlog) other = rows[i].rewritten ? make(anew, host, "forged", 300)
							    : NULL;
		MsTlog *now = other != NULL ? other : log;
		append(now, "later", 800);
		g_assert_true(ms_tlog_prune(now, 512, &error));
		age(host, rows[i].seconds);
		lines_ms = rows[i].lines_ms;
		expect(other != NULL ? anew : host, host, rows[i].want, rows[i].words);
		g_assert_cmpuint(
			size_kept(host), ==, rows[i].want == MS_WITNESS_RESUMED ? 1100 : 300);
		if (rows[i].want != MS_WITNESS_RESUMED)
			continue;
		expect(host, host, MS_WITNESS_SAME, NULL);
		append(log, "later", 1);
		expect(host, host, MS_WITNESS_GREW, NULL);
	}
	lines_ms = 0;
}

static void test_answers(void)
{
	static const char *const rows[] = {"{}", "{\"vkey\":\"x\"}",
		"{\"vkey\":1,\"checkpoint\":[]}", "[]", "{\"none\":false}",
		"{\"vkey\":\"a+b+c\",\"checkpoint\":\"a\\n1\\nx\\n\\n\"}"};
	g_autofree char *folder = path_in("kept");
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		json_t *answer = json_loads(rows[i], 0, NULL);
		g_autofree char *why = NULL;
		g_autoptr(GError) error = NULL;
		MsWitness how;
		g_assert_true(ms_witness_take(folder, "odd", answer, 0, &how, &why, &error));
		g_assert_cmpint(how, ==, MS_WITNESS_REFUSED);
		json_decref(answer);
	}
	g_assert_cmpuint(size_kept("odd"), ==, 0);
}

/* What is told of it stands in our trail, in an alert and in a mail. */
static void test_long_answers(void)
{
	static const char *const keys[] = {"damaged", "vkey", "checkpoint"};
	g_autofree char *folder = path_in("kept"), *long_text = g_strnfill(1 << 20, 'x');
	g_autoptr(MsTlog) G_GNUC_UNUSED log = make("long", NULL, "real", 3);
	expect("long", "long", MS_WITNESS_FIRST, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		json_t *answer = json_pack("{s:s}", keys[i], long_text);
		g_autofree char *why = NULL;
		g_autoptr(GError) error = NULL;
		MsWitness how;
		g_assert_true(ms_witness_take(folder, "long", answer, 0, &how, &why, &error));
		g_assert_cmpint(how, ==, MS_WITNESS_REFUSED);
		g_assert_cmpuint(strlen(why), <, 1200);
		json_decref(answer);
	}
}

/* ---- where a checkpoint is found ------------------------------------------------------- */

/* "%": the note, "@": in one line. */
static char *fill(const char *form, const char *note)
{
	g_autofree char *line = ms_checkpoint_line(note);
	GString *out = g_string_new(NULL);
	for (const char *p = form; *p != '\0'; p++)
		if (*p == '%' || *p == '@')
			g_string_append(out, *p == '%' ? note : line);
		else
			g_string_append_c(out, *p);
	return g_string_free(out, FALSE);
}

static void test_find(void)
{
	static const struct {
		const char *form, *from, *to;
		bool found, quoted; /* quoted-printable */
	} rows[] = {
		{"%", NULL, NULL, true},
		{"Nov 27 00:12:01 mx missentd[812]: audit: checkpoint=@\n", NULL, NULL, true},
		{"Nov 27 00:12:01 mx missentd[812]: audit: checkpoint=@", NULL, NULL, true},
		{"Nov 27 00:12:01 mx missentd[812]: audit: checkpoint=@\n", "\xe2\x80\x94",
			"#342#200#224", true},
		{"2026-11-27T00:12:01 mx missent-agent: mx2 @ more\n", NULL, NULL, true},
		{"Subject: 3 held\r\n\r\nKeep this mail:\r\n\r\n%", "\n", "\r\n", true},
		{"> Keep this mail:\n>\n> %\n\nThanks\n", "\n", "\n> ", true},
		{"Keep it:\n\n%\n-- \nmissent\n", "\xe2\x80\x94", "=E2=80=94", true, true},
		{"Keep it:\n\n%", "missent ", "missent =\r\n", true, true},
		{"  %", "\n", "\n  ", true},
		{"%", "/missent\n7", "/missent\n8", false},
		{"%", "mx.example/missent", "mx2.example/missent", false},
		{"nothing", NULL, NULL, false},
		{"", NULL, NULL, false},
		{"checkpoint=", NULL, NULL, false},
	};
	g_autoptr(MsTlog) log = make("find", NULL, "x", 7);
	const char *note = ms_tlog_checkpoint(log)->text;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *plain = fill(rows[i].form, note);
		g_autoptr(GString) text = g_string_new(plain);
		if (rows[i].quoted)
			g_string_replace(text, "=", "=3D", 0);
		if (rows[i].from != NULL)
			g_string_replace(text, rows[i].from, rows[i].to, 0);
		g_auto(MsCheckpoint) got = {0};
		g_autoptr(GError) error = NULL;
		bool found = ms_checkpoint_find(
			text->str, text->len, ms_tlog_vkey(log), &got, &error);
		if (found != rows[i].found ||
			(found && !ms_checkpoint_same(&got, ms_tlog_checkpoint(log))))
			g_error("row %zu: got %d, want %d: %s\n%s", i, found, rows[i].found,
				error != NULL ? error->message : "", text->str);
	}
	/* The newest of many. */
	g_autofree char *old = ms_checkpoint_line(note);
	append(log, "y", 5);
	g_autofree char *new = ms_checkpoint_line(ms_tlog_checkpoint(log)->text);
	g_autofree char *many = g_strdup_printf(
		"a checkpoint=%s\nb checkpoint=%s\nc checkpoint=%s\n", old, new, old);
	g_auto(MsCheckpoint) got = {0};
	g_assert_true(ms_checkpoint_find(many, strlen(many), ms_tlog_vkey(log), &got, NULL));
	g_assert_cmpuint(got.size, ==, 12);
}

/* What is kept beside the folder is the latest, of this host's own key. */
static void test_kept(void)
{
	g_autoptr(MsTlog) log = make("kept", NULL, "x", 3), other = make("other", NULL, "x", 30);
	g_autofree char *folder = path_in("kept"), *file = path_in("kept.checkpoint");
	const char *key = ms_tlog_vkey(log);
	g_autoptr(GError) error = NULL;
	g_auto(MsCheckpoint) first = {0};
	const MsCheckpoint none = {0}, *now = ms_tlog_checkpoint(log);
	g_assert_true(ms_audit_keep(folder, key, &none, &error));
	g_assert_false(g_file_test(file, G_FILE_TEST_EXISTS));
	g_assert_true(ms_checkpoint_parse(now->text, strlen(now->text), key, &first, &error));
	g_assert_true(ms_audit_keep_key(folder, key));
	static const guint64 want[] = {3, 8, 8, 8};
	for (gsize i = 0; i < G_N_ELEMENTS(want); i++) {
		if (i == 1)
			append(log, "y", 5);
		g_assert_true(i < 3 ? ms_audit_keep(folder, key,
					      i < 2 ? ms_tlog_checkpoint(log) : &first, &error)
				    : ms_audit_keep(folder, ms_tlog_vkey(other),
					      ms_tlog_checkpoint(other), &error));
		g_auto(MsCheckpoint) kept = {0};
		g_test_message("step %zu", i);
		g_assert_true(ms_audit_kept(folder, key, &kept));
		g_assert_cmpuint(kept.size, ==, want[i]);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	dir = scratch_folder();
	g_test_add_func("/witness/refused", test_refused);
	g_test_add_func("/witness/long-answers", test_long_answers);
	g_test_add_func("/witness/away", test_away);
	g_test_add_func("/witness/answers", test_answers);
	g_test_add_func("/witness/find", test_find);
	g_test_add_func("/witness/kept", test_kept);
	int rc = g_test_run();
	remove_folder(dir);
	return rc;
}
