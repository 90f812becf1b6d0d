/* What several programs of ours make when they come for the first time, at the same moment: one
 * makes it, and nobody sees a half of it. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/digest.h"
#include "missent/io.h"
#include "missent/tlog.h"

#include "../test.h"

#define AT_ONCE 8
#define ROUNDS 20

/* The exit code of each: MADE, FOUND (another had made it), or what went wrong. */
enum { MADE, FOUND, WRONG };

typedef int (*Comes)(const char *path);

typedef struct {
	pthread_barrier_t start, end;
} Gate;

static Gate *gate_new(void)
{
	Gate *gate = mmap(NULL, sizeof *gate, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_barrierattr_t attr;
	g_assert_true(gate != MAP_FAILED);
	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&gate->start, &attr, AT_ONCE);
	pthread_barrier_init(&gate->end, &attr, AT_ONCE);
	pthread_barrierattr_destroy(&attr);
	return gate;
}

/* All are there until the last has done. */
static void all_at_once(Comes comes, const char *path, guint counts[3])
{
	Gate *gate = gate_new();
	pid_t pids[AT_ONCE];
	for (int i = 0; i < AT_ONCE; i++) {
		pids[i] = fork();
		g_assert_cmpint(pids[i], >=, 0);
		if (pids[i] == 0) {
			pthread_barrier_wait(&gate->start);
			int code = comes(path);
			pthread_barrier_wait(&gate->end);
			_exit(code);
		}
	}
	for (int i = 0; i < AT_ONCE; i++) {
		int status;
		g_assert_cmpint(waitpid(pids[i], &status, 0), ==, pids[i]);
		g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= WRONG);
		counts[WEXITSTATUS(status)]++;
	}
	munmap(gate, sizeof *gate);
}

static int wrong(const char *what, const GError *error)
{
	g_printerr("%s: %s\n", what, error != NULL ? error->message : g_strerror(errno));
	return WRONG;
}

/* ---- what they come for ------------------------------------------------------------------ */

/* One that nobody listens on any more lies there half of the times. */
static void leave_socket(const char *path)
{
	int fd = ms_io_listen(path, NULL, 0600);
	g_assert_cmpint(fd, >=, 0);
	close(fd);
}

static int comes_for_socket(const char *path)
{
	int fd = ms_io_listen(path, NULL, 0600); /* closed by its end alone */
	return fd >= 0 ? MADE : errno == EADDRINUSE ? FOUND : wrong("socket", NULL);
}

static int comes_for_key(const char *path)
{
	g_autoptr(GError) why = NULL, error = NULL;
	bool made = ms_key_create(path, &why);
	g_autoptr(MsKey) key = ms_key_load(path, &error);
	return key == NULL ? wrong("key", error) : made ? MADE : FOUND;
}

static int comes_for_lock(const char *path)
{
	int fd = ms_io_open_lock(path);
	return fd >= 0 ? FOUND : wrong("lock", NULL);
}

/* The trail, its keys and its first lines. */
static int comes_for_trail(const char *path)
{
	const MsEntryText line = {"line", 4};
	g_autoptr(GError) error = NULL;
	g_autoptr(MsTlog) log = ms_tlog_open(path, "mx.example/missent", &error);
	guint done = 0;
	if (log == NULL || !ms_tlog_append(log, &line, 1, &done, &error))
		return wrong("trail", error);
	return ms_tlog_checkpoint(log)->size == 1 ? MADE : FOUND;
}

static int comes_for_file(const char *path)
{
	static const char text[] = "0123456789abcdef";
	bool made;
	g_autofree char *got = NULL;
	if (!ms_io_make(path, text, strlen(text), 0640, &made) ||
		!g_file_get_contents(path, &got, NULL, NULL) || strcmp(got, text) != 0)
		return wrong("file", NULL);
	return made ? MADE : FOUND;
}

static const struct {
	const char *name;
	Comes comes;
	guint makers;
	void (*before)(const char *path); /* every other time */
} rows[] = {
	{"socket", comes_for_socket, 1, leave_socket},
	{"key", comes_for_key, 1, NULL},
	{"lock", comes_for_lock, 0, NULL},
	{"trail", comes_for_trail, 1, NULL},
	{"file", comes_for_file, 1, NULL},
};

static void test_first(void)
{
	g_autofree char *dir = scratch_folder();
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		for (int round = 0; round < ROUNDS; round++) {
			g_autofree char *path =
				g_strdup_printf("%s/%s.%d", dir, rows[i].name, round);
			guint counts[3] = {0};
			if (rows[i].before != NULL && round % 2 == 0)
				rows[i].before(path);
			all_at_once(rows[i].comes, path, counts);
			if (counts[MADE] != rows[i].makers || counts[WRONG] > 0)
				g_error("%s, round %d: %u made it, %u found it, %u could not",
					rows[i].name, round, counts[MADE], counts[FOUND],
					counts[WRONG]);
		}
	}
	/* nothing is left but what was made */
	g_autoptr(GDir) all = g_dir_open(dir, 0, NULL);
	guint n = 0;
	while (g_dir_read_name(all) != NULL)
		n++;
	g_assert_cmpuint(n, ==, G_N_ELEMENTS(rows) * ROUNDS);
	remove_folder(dir);
}

/* Who holds the folder keeps nobody from listening in it. */
static void test_held_folder(void)
{
	g_autofree char *dir = scratch_folder();
	g_autofree char *path = g_build_filename(dir, "socket", NULL);
	int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_assert_no_errno(flock(folder, LOCK_SH));
	int fd = ms_io_listen(path, NULL, 0600);
	g_assert_cmpint(fd, >=, 0);
	close(fd);
	close(folder);
	remove_folder(dir);
}

/* ---- what is made --------------------------------------------------------------------- */

/* What is there stays; what cannot be made leaves nothing. */
static void test_make(void)
{
	g_autofree char *dir = scratch_folder();
	g_autofree char *path = g_build_filename(dir, "file", NULL), *text = NULL;
	g_autofree char *nowhere = g_build_filename(dir, "no", "file", NULL);
	struct stat st;
	bool made;
	g_assert_true(ms_io_make(path, "one", 3, 0400, &made) && made);
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 07777, ==, 0400);
	g_assert_true(ms_io_make(path, "two", 3, 0640, &made) && !made);
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_assert_cmpstr(text, ==, "one");
	g_assert_false(ms_io_make(nowhere, "one", 3, 0400, &made) || made);
	g_assert_cmpint(errno, ==, ENOENT);
	remove_folder(dir);
}

static guint files_in(const char *folder)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	guint n = 0;
	while (g_dir_read_name(dir) != NULL)
		n++;
	return n;
}

/* What was there is gone, or stays; nothing else is left. */
static void test_replace(void)
{
	g_autofree char *dir = scratch_folder();
	g_autofree char *path = g_build_filename(dir, "file", NULL);
	g_autofree char *link = g_build_filename(dir, "link", NULL);
	g_autofree char *folder = g_build_filename(dir, "folder", NULL);
	g_autofree char *nowhere = g_build_filename(dir, "no", "file", NULL);
	struct stat st;
	static const char *const texts[] = {"one", "another", ""};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *text = NULL;
		g_assert_true(ms_io_replace(path, texts[i], strlen(texts[i]), 0604, i != 1));
		g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
		g_assert_cmpstr(text, ==, texts[i]);
		g_assert_cmpint(stat(path, &st), ==, 0);
		g_assert_cmpint(st.st_mode & 07777, ==, 0604);
	}
	g_assert_no_errno(symlink(path, link));
	g_assert_true(ms_io_replace(link, "x", 1, 0600, false));
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpint(st.st_size, ==, 0); /* what the link led to is as it was */
	g_assert_no_errno(mkdir(folder, 0700));
	g_assert_false(ms_io_replace(folder, "x", 1, 0600, true));
	g_assert_cmpint(errno, ==, EISDIR);
	g_assert_false(ms_io_replace(nowhere, "x", 1, 0600, true));
	g_assert_cmpint(errno, ==, ENOENT);
	g_assert_cmpuint(files_in(dir), ==, 3);
	remove_folder(dir);
}

static void test_folder(void)
{
	g_autofree char *dir = scratch_folder();
	g_autofree char *path = g_build_filename(dir, "folder", NULL);
	g_autofree char *file = g_build_filename(path, "file", NULL);
	g_autofree char *nowhere = g_build_filename(dir, "no", "folder", NULL);
	struct stat st;
	for (int i = 0; i < 2; i++)
		g_assert_true(ms_io_make_folder(path, 0710));
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 07777, ==, 0710);
	g_assert_true(ms_io_make(file, "", 0, 0600, NULL));
	g_assert_false(ms_io_make_folder(file, 0710));
	g_assert_cmpint(errno, ==, EEXIST);
	g_assert_false(ms_io_make_folder(nowhere, 0710));
	g_assert_cmpint(errno, ==, ENOENT);
	remove_folder(dir);
}

static bool make_key(const char *path)
{
	return ms_key_create(path, NULL);
}

static bool make_file(const char *path)
{
	return ms_io_replace(path, "x", 1, 0400, false);
}

static bool make_folder(const char *path)
{
	return ms_io_make_folder(path, 0400);
}

/* What root makes is its folder's owner's, from the first moment on. */
static void test_owner(void)
{
	static bool (*const makes[])(const char *path) = {make_key, make_file, make_folder};
	g_autofree char *dir = scratch_folder();
	if (geteuid() != 0) {
		g_test_skip("needs root");
		remove_folder(dir);
		return;
	}
	g_assert_no_errno(chown(dir, 65534, 65534));
	for (gsize i = 0; i < G_N_ELEMENTS(makes); i++) {
		g_autofree char *path = g_strdup_printf("%s/%zu", dir, i);
		struct stat st;
		g_assert_true(makes[i](path));
		g_assert_no_errno(stat(path, &st));
		g_assert_cmpuint(st.st_uid, ==, 65534);
		g_assert_cmpuint(st.st_gid, ==, 65534);
		g_assert_cmpint(st.st_mode & 07777, ==, 0400);
	}
	remove_folder(dir);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/first/all-at-once", test_first);
	g_test_add_func("/first/held-folder", test_held_folder);
	g_test_add_func("/first/make", test_make);
	g_test_add_func("/first/replace", test_replace);
	g_test_add_func("/first/folder", test_folder);
	g_test_add_func("/first/owner", test_owner);
	return g_test_run();
}
