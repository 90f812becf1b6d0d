/* A mapping that goes back in time is no mapping: an older copy that comes back. */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "milter/directory/directory_private.h"
#include "milter/directory/seen.h"
#include "missent/answer.h"
#include "missent/clock.h"
#include "missent/digest.h"

#include "../test.h"

static char *dir;

static MsDirectoryState state_of(const char *generation, gint64 loaded, gint64 changes)
{
	return (MsDirectoryState){
		.generation = (char *)generation, .loaded_us = loaded, .version = changes};
}

static bool check(MsSeen *seen, const MsDirectoryState *state, gint64 *newest_out)
{
	g_autoptr(GError) error = NULL;
	MsAnswer answer = ms_seen_check(seen, state, newest_out, &error);
	g_assert_no_error(error);
	g_assert_true(answer == MS_FOUND || answer == MS_ABSENT);
	return answer == MS_FOUND;
}

/* What is asked one after another, and whether it may be used. */
static void test_order(void)
{
	static const struct {
		const char *generation;
		gint64 loaded, changes;
		bool fine;
	} rows[] = {
		{"b", 200, 3, true},
		{"b", 200, 3, true},
		{"b", 200, 5, true},  /* something was added */
		{"b", 200, 4, false}, /* and is gone */
		{"a", 100, 9, false}, /* a dump of before */
		{"a", 199, 9, false},
		{"c", 200, 1, true},  /* imported at the same moment */
		{"b", 200, 5, true},
		{"d", 300, 1, true},
		{"d", 300, 0, false},
		{"d", 300, 1, true},
	};
	g_autofree char *file = g_build_filename(dir, "order", NULL);
	MsSeen *seen = ms_seen_new(file), *memory = ms_seen_new(NULL);
	gint64 newest;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		MsDirectoryState state = state_of(
			rows[i].generation, rows[i].loaded, rows[i].changes);
		g_assert_cmpint(check(seen, &state, &newest), ==, rows[i].fine);
		g_assert_cmpint(check(memory, &state, &newest), ==, rows[i].fine);
	}
	g_assert_cmpint(ms_seen_newest(seen), ==, 300);
	ms_seen_free(memory);
	ms_seen_free(seen);
}

/* After a restart, and where an operator accepts what is older. */
static void test_restart(void)
{
	g_autofree char *file = g_build_filename(dir, "restart", NULL);
	MsDirectoryState old = state_of("old", 100, 7), new = state_of("new", 200, 1);
	gint64 newest;
	MsSeen *before = ms_seen_new(file);
	g_assert_true(check(before, &old, &newest));
	g_assert_true(check(before, &new, &newest));
	ms_seen_free(before);
	MsSeen *after = ms_seen_new(file);
	g_assert_false(check(after, &old, &newest));
	g_assert_cmpint(newest, ==, 200);
	/* another process says so: the one that runs takes it up */
	MsSeen *tool = ms_seen_new(file);
	g_autoptr(GError) error = NULL;
	g_assert_true(ms_seen_accept(tool, &old, &error));
	ms_seen_free(tool);
	g_assert_true(check(after, &old, &newest));
	ms_seen_free(after);
}

#define PAUSE_IS_OVER 6 * (gint64)G_USEC_PER_SEC

/* What came too soon to be written down, or could not be, is with the next answer: nothing more
 * need change for that. */
static void test_caught_up(void)
{
	static const char *const folders[] = {".", "later"}; /* one is made later */
	for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autofree char *folder = g_build_filename(dir, folders[i], NULL);
		g_autofree char *file = g_build_filename(folder, "caught-up", NULL);
		MsDirectoryState first = state_of("a", 100, 1), last = state_of("a", 100, 2);
		gint64 newest;
		MsSeen *before = ms_seen_new(file);
		g_assert_true(check(before, &first, &newest));
		g_assert_true(check(before, &last, &newest));
		g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
		ms_clock_shift(0, PAUSE_IS_OVER);
		g_assert_true(check(before, &last, &newest));
		ms_seen_free(before);
		MsSeen *after = ms_seen_new(file);
		g_assert_false(check(after, &first, &newest));
		g_assert_true(check(after, &last, &newest));
		ms_seen_free(after);
	}
}

/* One process has seen more than the file says yet, and an older copy comes back: another, which
 * knows no more than the file, brings nothing down by using it. */
static void test_ahead_of_file(void)
{
	g_autofree char *file = g_build_filename(dir, "ahead-of-file", NULL);
	MsDirectoryState v1 = state_of("a", 100, 1), v2 = state_of("a", 100, 2),
			 v3 = state_of("a", 100, 3);
	gint64 newest;
	MsSeen *daemon = ms_seen_new(file);
	g_assert_true(check(daemon, &v1, &newest));
	g_assert_true(check(daemon, &v3, &newest)); /* too soon to be written */
	MsSeen *tool = ms_seen_new(file);
	g_assert_true(check(tool, &v2, &newest));
	g_assert_false(check(daemon, &v2, &newest));
	g_assert_true(check(daemon, &v3, &newest));
	g_assert_false(check(daemon, &v2, &newest));
	/* and whoever asks from now on learns it */
	ms_seen_free(tool);
	tool = ms_seen_new(file);
	g_assert_false(check(tool, &v2, &newest));
	/* what an operator accepts is another thing */
	g_assert_true(ms_seen_accept(tool, &v1, NULL));
	ms_seen_free(tool);
	g_assert_true(check(daemon, &v1, &newest));
	g_assert_true(check(daemon, &v2, &newest));
	g_assert_false(check(daemon, &v1, &newest));
	ms_seen_free(daemon);
	/* what was too soon to be written is so at the end, and nothing is over what says more */
	MsSeen *after = ms_seen_new(file), *late = ms_seen_new(file);
	MsDirectoryState v4 = state_of("a", 100, 4), v5 = state_of("a", 100, 5);
	g_assert_true(check(late, &v3, &newest));
	g_assert_true(check(late, &v4, &newest));
	g_assert_true(check(after, &v3, &newest));
	g_assert_true(check(after, &v5, &newest));
	ms_seen_free(after);
	ms_seen_free(late);
	after = ms_seen_new(file);
	g_assert_false(check(after, &v4, &newest));
	ms_seen_free(after);
}

/* A reload has the next one before the one before has written down all. */
static void test_succeeded(void)
{
	g_autofree char *file = g_build_filename(dir, "succeeded", NULL);
	MsDirectoryState v1 = state_of("a", 100, 1), v2 = state_of("a", 100, 2);
	gint64 newest;
	MsSeen *before = ms_seen_new(file);
	g_assert_true(check(before, &v1, &newest));
	g_assert_true(check(before, &v2, &newest));
	MsSeen *next = ms_seen_new(file);
	ms_seen_succeed(next, before);
	g_assert_false(check(next, &v1, &newest));
	ms_seen_free(before);
	ms_seen_free(next);
}

/* A full disk makes nothing forgotten, and is caught up with. */
static void test_full(void)
{
	g_autofree char *file = g_build_filename(dir, "full", NULL);
	MsDirectoryState first = state_of("a", 100, 1), middle = state_of("a", 100, 2),
			 last = state_of("a", 100, 3);
	struct rlimit was, none;
	gint64 newest;
	MsSeen *seen = ms_seen_new(file);
	g_assert_true(check(seen, &first, &newest));
	ms_clock_shift(0, PAUSE_IS_OVER);
	signal(SIGXFSZ, SIG_IGN);
	g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &was), ==, 0);
	none = (struct rlimit){0, was.rlim_max};
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &none), ==, 0);
	bool taken = check(seen, &last, &newest), older = check(seen, &middle, &newest);
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &was), ==, 0);
	g_assert_true(taken && !older);
	ms_clock_shift(0, PAUSE_IS_OVER);
	g_assert_true(check(seen, &last, &newest));
	ms_seen_free(seen);
	MsSeen *after = ms_seen_new(file);
	g_assert_false(check(after, &middle, &newest));
	ms_seen_free(after);
}

/* Nothing that is in the file is more than a file can say. */
static void test_file(void)
{
	static const char *const texts[] = {
		"", "x", "100", "100 7", "100 7 ", "-1 -1 \n", "\n\n\n"};
	g_autofree char *file = g_build_filename(dir, "file", NULL);
	MsDirectoryState state = state_of("a", 50, 1);
	gint64 newest;
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_assert_true(g_file_set_contents(file, texts[i], -1, NULL));
		MsSeen *seen = ms_seen_new(file);
		g_assert_true(check(seen, &state, &newest));
		ms_seen_free(seen);
	}
	g_autofree char *nowhere = g_build_filename(dir, "none", "file", NULL);
	MsSeen *seen = ms_seen_new(nowhere);
	MsDirectoryState newer = state_of("b", 60, 1);
	g_assert_true(check(seen, &newer, &newest));
	g_assert_false(check(seen, &state, &newest)); /* remembered all the same */
	g_autoptr(GError) error = NULL;
	g_assert_false(ms_seen_accept(seen, &state, &error));
	g_assert_nonnull(strstr(error->message, nowhere));
	ms_seen_free(seen);
}

/* A file that is there and cannot be read now is not one that says nothing: what it says stays, and
 * counts when it can be read again. */
static void test_unread(void)
{
	g_autofree char *file = g_build_filename(dir, "unread", NULL), *text = NULL;
	MsDirectoryState old = state_of("old", 100, 7), new = state_of("new", 200, 1);
	gint64 newest;
	struct rlimit files, few;
	g_autoptr(GError) error = NULL;
	MsSeen *before = ms_seen_new(file);
	g_assert_true(check(before, &new, &newest));
	ms_seen_free(before);
	getrlimit(RLIMIT_NOFILE, &files);
	few = files;
	few.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &few);
	MsSeen *after = ms_seen_new(file);
	MsAnswer answer = ms_seen_check(after, &old, &newest, &error);
	setrlimit(RLIMIT_NOFILE, &files);
	g_assert_cmpint(answer, ==, MS_RETRY);
	g_assert_error(error, MS_ERROR, MS_ERROR_RETRY);
	g_assert_nonnull(strstr(error->message, "Too many open files"));
	g_assert_false(check(after, &old, &newest));
	g_assert_cmpint(newest, ==, 200);
	g_assert_true(check(after, &new, &newest));
	ms_seen_free(after);
	g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
	g_assert_nonnull(strstr(text, "new"));
}

/* ---- through the directory -------------------------------------------------------------- */

static void import(MsDirectory *directory, const char *text)
{
	g_autofree char *path = g_build_filename(dir, "in.csv", NULL);
	g_autoptr(GError) error = NULL;
	MsImportResult result;
	MsImportOptions options = {.max_shrink = 1, .source = "in.csv"};
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	int fd = open(path, O_RDONLY);
	g_assert_true(ms_directory_import(directory, fd, &options, &result, &error));
	g_assert_no_error(error);
	close(fd);
}

static void copy(const char *from, const char *to)
{
	g_autofree char *data = NULL;
	gsize len;
	g_assert_true(g_file_get_contents(from, &data, &len, NULL));
	g_assert_true(g_file_set_contents(to, data, (gssize)len, NULL));
}

static MsAnswer state_now(MsDirectory *directory, char **why_out)
{
	g_autoptr(GError) error = NULL;
	MsDirectoryState state = {0};
	MsAnswer answer = ms_directory_state(directory, &state, &error);
	ms_directory_state_clear(&state);
	*why_out = g_strdup(error != NULL ? error->message : "");
	return answer;
}

static void test_restored(void)
{
	g_autofree char *path = g_build_filename(dir, "directory.db", NULL);
	g_autofree char *kept = g_build_filename(dir, "kept.db", NULL);
	g_autofree char *key = g_build_filename(dir, "site.key", NULL);
	g_autofree char *seen = g_build_filename(dir, "restored", NULL);
	g_autofree char *text = read_source("policies/kinds.conf");
	g_autoptr(GError) error = NULL;
	MsKinds *kinds = ms_kinds_parse("kinds.conf", text, NULL);
	g_assert_true(ms_key_create(key, &error));
	MsDirectorySettings settings = {.backend = MS_BACKEND_SQLITE,
		.sqlite = path,
		.key_file = key,
		.digests = true,
		.house = "house",
		.tag_separators = "+",
		.seen_file = seen};
	MsDirectory *directory = ms_directory_open(&settings, kinds, &error);
	g_assert_no_error(error);
	import(directory, "account,kind,value\nAC-1,recipient,a@alpha.example\n");
	ms_directory_free(directory);
	copy(path, kept);
	directory = ms_directory_open(&settings, kinds, &error);
	import(directory, "account,kind,value\nAC-2,recipient,a@alpha.example\n");
	g_autofree char *fine = NULL, *why = NULL, *again = NULL, *accepted = NULL;
	g_assert_cmpint(state_now(directory, &fine), ==, MS_FOUND);
	g_assert_cmpint(rename(kept, path), ==, 0);
	g_assert_cmpint(state_now(directory, &why), ==, MS_CONFIG);
	g_assert_nonnull(strstr(why, "an older copy has come back"));
	g_assert_nonnull(strstr(why, "missent directory accept"));
	ms_directory_free(directory);
	/* another place is another mapping, though it was loaded before */
	g_autofree char *elsewhere = g_build_filename(dir, "elsewhere.db", NULL), *moved = NULL;
	copy(path, elsewhere);
	settings.sqlite = elsewhere;
	directory = ms_directory_open(&settings, kinds, &error);
	g_assert_cmpint(state_now(directory, &moved), ==, MS_FOUND);
	ms_directory_free(directory);
	settings.sqlite = path;
	/* a restart does not make it good; an operator, or an import, does */
	directory = ms_directory_open(&settings, kinds, &error);
	g_assert_cmpint(state_now(directory, &again), ==, MS_CONFIG);
	g_assert_cmpint(ms_directory_accept(directory, &error), ==, MS_FOUND);
	g_assert_cmpint(state_now(directory, &accepted), ==, MS_FOUND);
	ms_directory_free(directory);
	/* one that was there once is gone: not as if there had been none */
	g_autofree char *gone = NULL;
	g_assert_cmpint(unlink(path), ==, 0);
	directory = ms_directory_open(&settings, kinds, &error);
	g_assert_cmpint(state_now(directory, &gone), ==, MS_CONFIG);
	g_assert_nonnull(strstr(gone, "that was used here until now is gone"));
	ms_directory_free(directory);
	ms_kinds_unref(kinds);
}

static MsAnswer put(MsDirectory *directory, const char *value, char **why_out)
{
	g_autoptr(GError) error = NULL;
	bool changed = false;
	MsAnswer answer = ms_directory_put(
		directory, "AC-1", MS_ROW_RECIPIENT, value, &changed, &error);
	*why_out = g_strdup(error != NULL ? error->message : "");
	return answer;
}

/* An older copy is not changed: its changes would count up to those that are gone, and it would
 * look as new as what was there. */
static void test_changed(void)
{
	g_autofree char *path = g_build_filename(dir, "changed.db", NULL);
	g_autofree char *kept = g_build_filename(dir, "changed-kept.db", NULL);
	g_autofree char *seen = g_build_filename(dir, "changed", NULL);
	g_autofree char *kinds_text = read_source("policies/kinds.conf"), *why = NULL;
	MsKinds *kinds = ms_kinds_parse("kinds.conf", kinds_text, NULL);
	MsDirectorySettings settings = {.backend = MS_BACKEND_SQLITE,
		.sqlite = path,
		.house = "house",
		.tag_separators = "+",
		.seen_file = seen};
	MsDirectory *directory = ms_directory_open(&settings, kinds, NULL);
	import(directory, "account,kind,value\nAC-1,recipient,a@alpha.example\n"
			  "AC-2,recipient,b@alpha.example\n");
	ms_directory_free(directory);
	copy(path, kept);
	/* who changes it has seen what he made of it, though nobody asked since */
	directory = ms_directory_open(&settings, kinds, NULL);
	g_assert_cmpint(put(directory, "c@alpha.example", &why), ==, MS_FOUND);
	ms_directory_free(directory);
	g_assert_cmpint(rename(kept, path), ==, 0);
	directory = ms_directory_open(&settings, kinds, NULL);
	for (int i = 0; i < 3; i++) {
		g_autofree char *asked = NULL, *changed = NULL;
		g_autoptr(GError) error = NULL;
		gint64 removed;
		g_assert_cmpint(state_now(directory, &asked), ==, MS_CONFIG);
		g_assert_nonnull(strstr(asked, "changes that were made to it are gone"));
		g_assert_cmpint(put(directory, "d@alpha.example", &changed), ==, MS_CONFIG);
		g_assert_cmpstr(changed, ==, asked);
		MsAnswer gone = ms_directory_remove_account(directory, "AC-2", &removed, &error);
		g_assert_cmpint(gone, ==, MS_CONFIG);
		g_assert_cmpstr(error->message, ==, asked);
	}
	g_autofree char *accepted = NULL;
	g_assert_cmpint(ms_directory_accept(directory, NULL), ==, MS_FOUND);
	g_assert_cmpint(put(directory, "d@alpha.example", &accepted), ==, MS_FOUND);
	ms_directory_free(directory);
	ms_kinds_unref(kinds);
}

/* Somebody's clock was a year ahead when the mapping was imported, and what is imported later is
 * later: the remedy that is told is one. */
static void test_ahead(void)
{
	static const char *const rows = "account,kind,value\nAC-1,recipient,a@alpha.example\n";
	g_autofree char *path = g_build_filename(dir, "ahead.db", NULL), *why = NULL, *fine = NULL;
	g_autofree char *elsewhere = g_build_filename(dir, "ahead-2.db", NULL);
	g_autofree char *seen = g_build_filename(dir, "ahead", NULL), *kinds_text = NULL;
	kinds_text = read_source("policies/kinds.conf");
	MsKinds *kinds = ms_kinds_parse("kinds.conf", kinds_text, NULL);
	MsDirectorySettings settings = {.backend = MS_BACKEND_SQLITE,
		.sqlite = path,
		.house = "house",
		.tag_separators = "+",
		.max_age_ms = 86400 * 1000,
		.seen_file = seen};
	MsDirectory *directory = ms_directory_open(&settings, kinds, NULL);
	import(directory, rows);
	MsDirectoryState state = state_of("of the year to come",
		g_get_real_time() + (gint64)365 * 86400 * G_USEC_PER_SEC, 1);
	g_assert_true(ms_seen_accept(directory->seen, &state, NULL));
	import(directory, rows);
	g_assert_cmpint(state_now(directory, &why), ==, MS_CONFIG);
	g_assert_nonnull(strstr(why, "was ahead: import into another redis-prefix or sqlite-file"));
	ms_directory_free(directory);
	settings.sqlite = elsewhere;
	directory = ms_directory_open(&settings, kinds, NULL);
	import(directory, rows);
	g_assert_cmpint(state_now(directory, &fine), ==, MS_FOUND);
	ms_directory_free(directory);
	ms_kinds_unref(kinds);
}

typedef struct {
	const char *file, *generation;
	bool fine;
} Writer;

static gpointer accept_often(gpointer data)
{
	Writer *w = data;
	MsSeen *seen = ms_seen_new(w->file);
	const MsDirectoryState state = state_of(w->generation, 1, 1);
	w->fine = true;
	for (int i = 0; i < 200 && w->fine; i++)
		w->fine = ms_seen_accept(seen, &state, NULL);
	ms_seen_free(seen);
	return NULL;
}

/* A reload has two of them in one process for a while: neither writes into what the other does. */
static void test_two(void)
{
	g_autofree char *file = g_build_filename(dir, "two", NULL);
	Writer writers[] = {{file, "a", false}, {file, "b", false}};
	GThread *threads[G_N_ELEMENTS(writers)];
	for (gsize i = 0; i < G_N_ELEMENTS(writers); i++)
		threads[i] = g_thread_new("writer", accept_often, &writers[i]);
	for (gsize i = 0; i < G_N_ELEMENTS(writers); i++) {
		g_thread_join(threads[i]);
		g_assert_true(writers[i].fine);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	dir = scratch_folder();
	g_test_add_func("/seen/order", test_order);
	g_test_add_func("/seen/restart", test_restart);
	g_test_add_func("/seen/caught-up", test_caught_up);
	g_test_add_func("/seen/ahead-of-file", test_ahead_of_file);
	g_test_add_func("/seen/succeeded", test_succeeded);
	g_test_add_func("/seen/full", test_full);
	g_test_add_func("/seen/file", test_file);
	g_test_add_func("/seen/unread", test_unread);
	g_test_add_func("/seen/restored", test_restored);
	g_test_add_func("/seen/changed", test_changed);
	g_test_add_func("/seen/ahead", test_ahead);
	g_test_add_func("/seen/two", test_two);
	int rc = g_test_run();
	remove_folder(dir);
	g_free(dir);
	return rc;
}
