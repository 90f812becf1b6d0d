/*
 * Several programs append to one log and take turns: what one of them did, or left when it was
 * killed in the middle of it, the next one sees before it writes.  Every line that was said to be
 * on disk is there, once, in the order of its writer, and the log is whole.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/tlog.h"

#include "../test.h"

static char *dir;

static MsTlog *open_log(const char *folder, const char *origin)
{
	g_autoptr(GError) error = NULL;
	MsTlog *log = ms_tlog_open(folder, origin, &error);
	g_assert_no_error(error);
	return log;
}

static bool append(MsTlog *log, const char *text, GError **error)
{
	const MsEntryText entry = {text, strlen(text)};
	guint done;
	return ms_tlog_append(log, &entry, 1, &done, error);
}

static void must_append(MsTlog *log, const char *text)
{
	g_autoptr(GError) error = NULL;
	append(log, text, &error);
	g_assert_no_error(error);
}

static void on_wrong(guint64 index, const char *why, void *user)
{
	(void)user;
	g_error("%" G_GUINT64_FORMAT ": %s", index, why);
}

static void expect_whole(const char *folder, guint64 n)
{
	MsTlogVerified v;
	g_autoptr(GError) error = NULL;
	g_assert_true(ms_tlog_verify(folder, on_wrong, NULL, NULL, &v, &error));
	g_assert_cmpuint(v.entries, ==, n);
}

static bool take_text(guint64 index, const char *data, gsize len, void *user, GError **error)
{
	(void)index, (void)error;
	g_ptr_array_add(user, g_strndup(data, len));
	return true;
}

static GPtrArray *all_of(const char *folder)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsTlog) log = ms_tlog_look(folder, &error);
	g_assert_no_error(error);
	GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
	g_assert_true(ms_tlog_each(log, 0, take_text, texts, &error));
	return texts;
}

/* ---- what the other one did -------------------------------------------------------------- */

/* Two lines of another program within one tick of the file system's clock: the file of the
 * checkpoint is the same one as before (two change places), of the same length and time, and only
 * its text tells. */
static void test_same_moment(void)
{
	g_autofree char *folder = g_build_filename(dir, "moment", NULL);
	g_autofree char *latest = g_build_filename(folder, "latest", NULL);
	g_autoptr(MsTlog) one = open_log(folder, "mx.example/missent");
	g_autoptr(MsTlog) two = open_log(folder, NULL);
	for (int i = 0; i < 10; i++)
		must_append(one, "first");
	GStatBuf before;
	g_assert_cmpint(g_stat(latest, &before), ==, 0);
	must_append(two, "second");
	must_append(two, "third");
	const struct timespec same[] = {before.st_atim, before.st_mtim};
	g_assert_cmpint(utimensat(AT_FDCWD, latest, same, 0), ==, 0);
	must_append(one, "fourth");
	expect_whole(folder, 13);
}

/* Where a writer may be killed: after a part of a line, after one line and a part, after whole
 * lines. */
static void test_left_behind(void)
{
	static const struct {
		const char *text;
		gsize len;
		guint whole;
	} rows[] = {
		{"\0", 1, 0},
		{"\0\x10{\"time\":", 10, 0},
		{"\0\3abc", 5, 1},
		{"\0\3abc\0\3de", 9, 1},
		{"\0\3abc\0\3def", 10, 2},
	};
	guint64 size = 0;
	g_autofree char *folder = g_build_filename(dir, "left", NULL);
	g_autofree char *head = g_build_filename(folder, "head.0", NULL);
	g_autoptr(MsTlog) one = open_log(folder, "mx.example/missent");
	g_autoptr(MsTlog) two = open_log(folder, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		must_append(one, "one");
		must_append(two, "two");
		int fd = open(head, O_WRONLY | O_APPEND | O_CLOEXEC);
		g_assert_cmpint(write(fd, rows[i].text, rows[i].len), ==, rows[i].len);
		close(fd);
		must_append(i % 2 == 0 ? one : two, "next");
		size += 3 + rows[i].whole;
		expect_whole(folder, size);
		g_assert_cmpuint(ms_tlog_recovered(i % 2 == 0 ? one : two), ==, rows[i].whole);
	}
}

/* Killed after the full head was put in its place, before anything else was: no line of another
 * fails. */
static void test_left_rolled(void)
{
	g_autofree char *folder = g_build_filename(dir, "rolled", NULL);
	g_autoptr(MsTlog) one = open_log(folder, "mx.example/missent");
	for (int i = 0; i < 256; i++)
		must_append(one, "line");
	g_autofree char *head = g_build_filename(folder, "head.0", NULL);
	g_autofree char *bundles = g_build_filename(folder, "tile", "entries", NULL);
	g_autofree char *bundle = g_build_filename(bundles, "000", NULL);
	g_assert_cmpint(g_mkdir_with_parents(bundles, 0750), ==, 0);
	g_assert_cmpint(g_rename(head, bundle), ==, 0);
	must_append(one, "next");
	expect_whole(folder, 257);
}

/* ---- killed at any moment ---------------------------------------------------------------- */

#define WRITERS 4
#define ROUNDS 12

/* Says each number when its line is on disk. */
static void write_for_ever(const char *folder, guint writer, guint64 from, int to)
{
	MsTlog *log = ms_tlog_open(folder, NULL, NULL);
	for (guint64 i = from;; i++) {
		g_autofree char *text = g_strdup_printf(
			"{\"writer\":%u,\"line\":%" G_GUINT64_FORMAT "}", writer, i);
		if (log == NULL || !append(log, text, NULL))
			_exit(2);
		if (write(to, &i, sizeof i) != sizeof i)
			_exit(1);
	}
}

typedef struct {
	pid_t pid;
	int from;
	guint64 next; /* after what it said last */
} Writer;

static void start(Writer *w, const char *folder, guint number)
{
	int fds[2];
	g_assert_cmpint(pipe(fds), ==, 0);
	w->pid = fork();
	if (w->pid == 0)
		write_for_ever(folder, number, w->next + 1000000, fds[1]); /* a gap: another life */
	w->next += 1000000;
	close(fds[1]);
	w->from = fds[0];
}

static void hear(Writer *w, guint n)
{
	for (guint i = 0; i < n; i++) {
		guint64 done;
		g_assert_cmpint(read(w->from, &done, sizeof done), ==, sizeof done);
		w->next = done + 1;
	}
}

static void end(Writer *w)
{
	guint64 done;
	int status;
	kill(w->pid, SIGKILL);
	while (read(w->from, &done, sizeof done) == sizeof done)
		w->next = done + 1;
	close(w->from);
	g_assert_cmpint(waitpid(w->pid, &status, 0), ==, w->pid);
	g_assert_true(WIFSIGNALED(status)); /* none of them failed */
}

/* What a writer said is there, in its order; of what it was at when it was killed there may be
 * one more. */
static void expect_said(
	const GPtrArray *texts, guint writer, const guint64 *begins, const guint64 *ends)
{
	g_autofree char *mine = g_strdup_printf("{\"writer\":%u,", writer);
	guint life = 0;
	guint64 want = begins[0];
	for (guint i = 0; i < texts->len; i++) {
		const char *text = texts->pdata[i];
		if (!g_str_has_prefix(text, mine))
			continue;
		guint64 line = g_ascii_strtoull(strstr(text, "\"line\":") + 7, NULL, 10);
		while (line != want && life + 1 < ROUNDS) {
			g_assert_cmpuint(want, >=, ends[life]);
			want = begins[++life];
		}
		g_assert_cmpuint(line, ==, want);
		want++;
		g_assert_cmpuint(want, <=, ends[life] + 1);
	}
	g_assert_cmpuint(life, ==, ROUNDS - 1);
	g_assert_cmpuint(want, >=, ends[life]);
}

/* One after the other is killed while all of them write. */
static void test_killed(void)
{
	g_autofree char *folder = g_build_filename(dir, "killed", NULL);
	Writer writers[WRITERS] = {0};
	guint64 begins[WRITERS][ROUNDS], ends[WRITERS][ROUNDS];
	ms_tlog_free(open_log(folder, "mx.example/missent"));
	for (guint i = 0; i < WRITERS; i++) {
		start(&writers[i], folder, i);
		begins[i][0] = writers[i].next;
	}
	for (guint round = 0; round < ROUNDS; round++)
		for (guint i = 0; i < WRITERS; i++) {
			hear(&writers[i], 3 + round + i);
			end(&writers[i]);
			ends[i][round] = writers[i].next;
			if (round + 1 < ROUNDS) {
				start(&writers[i], folder, i);
				begins[i][round + 1] = writers[i].next;
			}
		}
	ms_tlog_free(open_log(folder, NULL)); /* what the last one left is finished */
	g_autoptr(GPtrArray) texts = all_of(folder);
	expect_whole(folder, texts->len);
	for (guint i = 0; i < WRITERS; i++)
		expect_said(texts, i, begins[i], ends[i]);
}

/* Killed while it removed what is too old: what is left of that goes with the next time. */
static void test_killed_pruning(void)
{
	g_autofree char *folder = g_build_filename(dir, "pruning", NULL);
	g_autofree char *first = g_build_filename(folder, "tile", "entries", "000", NULL);
	g_autofree char *second = g_build_filename(folder, "tile", "entries", "001", NULL);
	g_autofree char *kept = NULL;
	gsize len;
	g_autoptr(GError) error = NULL;
	g_autoptr(MsTlog) log = open_log(folder, "mx.example/missent");
	for (int i = 0; i < 3 * 256 + 5; i++)
		must_append(log, "line");
	g_assert_true(g_file_get_contents(second, &kept, &len, NULL));
	g_assert_true(ms_tlog_prune(log, 512, &error));
	g_assert_false(g_file_test(first, G_FILE_TEST_EXISTS));
	g_assert_false(g_file_test(second, G_FILE_TEST_EXISTS));
	g_assert_true(g_file_set_contents(second, kept, (gssize)len, NULL));
	g_assert_true(ms_tlog_prune(log, 512, &error));
	g_assert_false(g_file_test(second, G_FILE_TEST_EXISTS));
	MsTlogVerified v;
	g_assert_true(ms_tlog_verify(folder, on_wrong, NULL, NULL, &v, &error));
	g_assert_cmpuint(v.entries, ==, 256 + 5);
}

/* A file of it that another has replaced by what was in it: lines go where others find them. */
static void test_copied(void)
{
	static const char *const names[] = {"head.0", "latest", "latest.new", "lock"};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *place = g_strdelimit(g_strdup(names[i]), ".", '-');
		g_autofree char *name = g_strconcat("copied-", place, NULL);
		g_autofree char *folder = g_build_filename(dir, name, NULL);
		g_autofree char *path = g_build_filename(folder, names[i], NULL);
		g_autofree char *text = NULL;
		gsize len;
		g_autoptr(MsTlog) log = open_log(folder, "mx.example/missent");
		for (int n = 0; n < 3; n++)
			must_append(log, "before");
		g_assert_true(g_file_get_contents(path, &text, &len, NULL));
		g_assert_true(g_file_set_contents(path, text, (gssize)len, NULL));
		for (int n = 0; n < 3; n++)
			must_append(log, "after");
		expect_whole(folder, 6);
	}
}

/* A host that was away: all whole bundles are removed, and then it starts anew. */
static void test_all_pruned(void)
{
	static const guint sizes[] = {256, 257, 512, 700, 768};
	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		guint n = sizes[i];
		guint64 minimum = n / 256 * 256;
		g_autofree char *name = g_strdup_printf("all%u", n),
				*folder = g_build_filename(dir, name, NULL);
		g_autoptr(GError) error = NULL;
		g_autoptr(MsTlog) log = open_log(folder, "mx.example/missent");
		for (guint k = 0; k < n; k++)
			must_append(log, "line");
		g_assert_true(ms_tlog_prune(log, minimum, &error));
		g_autoptr(MsTlog) again = open_log(folder, NULL);
		must_append(again, "after");
		must_append(log, "and after");
		expect_whole(folder, n + 2 - minimum);
		for (guint k = 0; k < 300; k++)
			must_append(again, "more");
		expect_whole(folder, n + 302 - minimum);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	dir = scratch_folder();
	g_test_add_func("/writers/same-moment", test_same_moment);
	g_test_add_func("/writers/left-behind", test_left_behind);
	g_test_add_func("/writers/left-rolled", test_left_rolled);
	g_test_add_func("/writers/killed", test_killed);
	g_test_add_func("/writers/killed-pruning", test_killed_pruning);
	g_test_add_func("/writers/copied", test_copied);
	g_test_add_func("/writers/all-pruned", test_all_pruned);
	int rc = g_test_run();
	remove_folder(dir);
	g_free(dir);
	return rc;
}
