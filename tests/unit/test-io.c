/* Sockets, files and users as io.h promises them, and descriptors that come along sockets. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/io.h"
#include "missent/wire.h"

#include "../test.h"

/* ---- who listens there? ---------------------------------------------------------------- */

typedef struct {
	int listening;
	const char *says; /* NULL: closes at once; "": nothing, for as long as it is asked */
} Server;

static void *serve(void *user)
{
	const Server *server = user;
	char byte;
	int fd = accept(server->listening, NULL, NULL);
	g_assert_cmpint(fd, >=, 0);
	if (server->says != NULL && read(fd, &byte, 1) == 1)
		g_assert_true(ms_io_send(fd, server->says, strlen(server->says)));
	while (server->says != NULL && read(fd, &byte, 1) > 0)
		continue;
	close(fd);
	return NULL;
}

static socklen_t address_of(const char *path, struct sockaddr_un *out)
{
	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	g_assert_cmpuint(
		g_strlcpy(out->sun_path, path, sizeof out->sun_path), <, sizeof out->sun_path);
	return sizeof *out;
}

static bool asks(const char *path, int ms)
{
	struct sockaddr_un address;
	socklen_t len = address_of(path, &address);
	return ms_io_answers((struct sockaddr *)&address, len, "?", 1, ms);
}

#define WAIT_MS 300

static void test_answers(void)
{
	static const struct {
		const char *name, *says;
		bool want;
	} rows[] = {{"answers", "here", true}, {"closes", NULL, true}, {"is silent", "", false}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *dir = scratch_folder();
		g_autofree char *path = g_build_filename(dir, "socket", NULL);
		Server server = {ms_io_listen(path, NULL, 0600), rows[i].says};
		pthread_t thread;
		g_assert_cmpint(server.listening, >=, 0);
		g_assert_cmpint(pthread_create(&thread, NULL, serve, &server), ==, 0);
		gint64 before = g_get_monotonic_time();
		if (asks(path, rows[i].want ? 60000 : WAIT_MS) != rows[i].want)
			g_error("who %s: got %d, want %d", rows[i].name, !rows[i].want,
				rows[i].want);
		if (!rows[i].want)
			g_assert_cmpint(g_get_monotonic_time() - before, >, WAIT_MS * 1000 / 2);
		pthread_join(thread, NULL);
		close(server.listening);
		remove_folder(dir);
	}
}

/* One that nobody takes from its queue is waited for, and no longer; nobody at all is not. */
static void test_nobody_answers(void)
{
	g_autofree char *dir = scratch_folder();
	g_autofree char *path = g_build_filename(dir, "socket", NULL);
	struct sockaddr_un address;
	socklen_t len = address_of(path, &address);
	int full = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), waiting[8];
	gint64 before = g_get_monotonic_time();
	g_assert_false(asks(path, 60000));
	g_assert_no_errno(bind(full, (struct sockaddr *)&address, len));
	g_assert_false(asks(path, 60000));
	g_assert_cmpint(g_get_monotonic_time() - before, <, 30 * G_USEC_PER_SEC);
	g_assert_no_errno(listen(full, 0));
	for (gsize i = 0; i < G_N_ELEMENTS(waiting); i++) {
		waiting[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)!connect(waiting[i], (struct sockaddr *)&address, len);
	}
	before = g_get_monotonic_time();
	g_assert_false(asks(path, WAIT_MS));
	g_assert_cmpint(g_get_monotonic_time() - before, >, WAIT_MS * 1000 / 2);
	/* He is there, and nobody takes his place. */
	alarm(60);
	g_assert_true(ms_io_somebody_listens(path));
	g_assert_cmpint(ms_io_listen(path, NULL, 0600), ==, -1);
	g_assert_cmpint(errno, ==, EADDRINUSE);
	alarm(0);
	for (gsize i = 0; i < G_N_ELEMENTS(waiting); i++)
		close(waiting[i]);
	close(full);
	remove_folder(dir);
}

/* Who ends takes away his own file, and one that is nobody's, but no successor's. */
static void test_left(void)
{
	g_autofree char *dir = scratch_folder();
	g_autofree char *path = g_build_filename(dir, "socket", NULL);
	int first = ms_io_listen(path, NULL, 0600);
	g_assert_cmpint(first, >=, 0);
	g_assert_no_errno(unlink(path));
	int second = ms_io_listen(path, NULL, 0600);
	g_assert_cmpint(second, >=, 0);
	ms_io_leave_socket(first, path);
	g_assert_true(ms_io_somebody_listens(path));
	ms_io_leave_socket(second, path);
	g_assert_cmpint(access(path, F_OK), ==, -1);
	ms_io_leave_socket(-1, path);
	remove_folder(dir);
}

/* ---- what is made ---------------------------------------------------------------------- */

/* Whatever the umask of who comes first. */
static void test_mode(void)
{
	static const guint modes[] = {0400, 0600, 0640, 0644, 0666};
	g_autofree char *dir = scratch_folder();
	for (gsize i = 0; i < 2 * G_N_ELEMENTS(modes); i++) {
		g_autofree char *name = g_strdup_printf("%zu", i);
		g_autofree char *path = g_build_filename(dir, name, NULL);
		struct stat st;
		mode_t before = umask(i % 2 == 0 ? 0 : 077);
		g_assert_true(ms_io_make(path, "x", 1, modes[i / 2], NULL));
		umask(before);
		g_assert_no_errno(stat(path, &st));
		g_assert_cmpuint(st.st_mode & 07777, ==, modes[i / 2]);
	}
	remove_folder(dir);
}

/* A link in a folder of others leads to nothing of ours. */
static void test_give(void)
{
	g_autofree char *dir = scratch_folder();
	g_autofree char *file = g_build_filename(dir, "file", NULL);
	g_autofree char *name = g_build_filename(dir, "name", NULL);
	uid_t owner = geteuid() == 0 ? 65534 : geteuid();
	struct stat st;
	g_assert_true(ms_io_make(file, "x", 1, 0600, NULL));
	g_assert_no_errno(symlink(file, name));
	g_assert_false(ms_io_give(name, owner, (gid_t)-1, 0666));
	g_assert_no_errno(stat(file, &st));
	g_assert_cmpuint(st.st_mode & 07777, ==, 0600);
	g_assert_cmpuint(st.st_uid, ==, geteuid());
	g_assert_true(ms_io_give(file, owner, (gid_t)-1, 0640));
	g_assert_no_errno(stat(file, &st));
	g_assert_cmpuint(st.st_mode & 07777, ==, 0640);
	g_assert_cmpuint(st.st_uid, ==, owner);
	int socket = ms_io_listen(name, NULL, 0660);
	g_assert_cmpint(socket, >=, 0);
	g_assert_no_errno(lstat(name, &st));
	g_assert_cmpuint(st.st_mode & 07777, ==, 0660);
	close(socket);
	remove_folder(dir);
}

/* ---- becoming a user ------------------------------------------------------------------- */

#define ORDINARY "nobody"

/* In a process of its own; what does not hold, or NULL. */
static const char *become(const char *name)
{
	const gid_t roots[] = {0, 4242};
	gid_t groups[64];
	uid_t uid[3];
	gid_t gid[3];
	struct rlimit core;
	g_autoptr(GError) error = NULL;
	const struct passwd *user = getpwnam(name);
	if (setgroups(G_N_ELEMENTS(roots), roots) != 0)
		return "setgroups";
	if (!ms_io_become(name, &error))
		return error->code == MS_ERROR_INPUT ? "no such user" : error->message;
	if (getresuid(&uid[0], &uid[1], &uid[2]) != 0 || getresgid(&gid[0], &gid[1], &gid[2]) != 0)
		return "ids";
	for (int i = 0; i < 3; i++)
		if (uid[i] != user->pw_uid || gid[i] != user->pw_gid)
			return "an id of root's is left";
	int n = getgroups(G_N_ELEMENTS(groups), groups);
	for (int i = 0; i < n; i++)
		if (groups[i] == 0 || groups[i] == 4242)
			return "a group of root's is left";
	if (seteuid(0) == 0 || setuid(0) == 0 || setgid(0) == 0)
		return "root can be had again";
	return getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0 ? NULL : "writes a core";
}

static void test_become(void)
{
	static const struct {
		const char *name, *want;
	} rows[] = {{ORDINARY, NULL}, {"root", "no such user"}, {"no-such-user", "no such user"}};
	if (geteuid() != 0 || getpwnam(ORDINARY) == NULL) {
		g_assert_true(geteuid() == 0 || ms_io_become("no-such-user", NULL));
		g_test_skip("needs root, and a user " ORDINARY);
		return;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		int status;
		pid_t pid = fork();
		g_assert_cmpint(pid, >=, 0);
		if (pid == 0) {
			const char *got = become(rows[i].name);
			if (g_strcmp0(got, rows[i].want) != 0)
				g_printerr(
					"%s: got %s, want %s\n", rows[i].name, got, rows[i].want);
			_exit(g_strcmp0(got, rows[i].want) != 0);
		}
		g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
		g_assert_cmpint(status, ==, 0);
	}
}

/* ---- descriptors along sockets --------------------------------------------------------- */

static guint count_descriptors(void)
{
	g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
	guint n = 0;
	while (g_dir_read_name(dir) != NULL)
		n++;
	return n;
}

/* As many as there is room for, whoever asks, and none is taken by asking. */
static void test_room(void)
{
	const rlim_t soft[] = {64, 80};
	struct rlimit before, limit;
	g_assert_no_errno(getrlimit(RLIMIT_NOFILE, &before));
	limit = before;
	for (gsize i = 0; i < G_N_ELEMENTS(soft); i++) {
		guint left = 0;
		for (int fd = 0; fd < (int)soft[i]; fd++)
			left += fcntl(fd, F_GETFD) < 0;
		g_assert_cmpuint(left, >, 1);
		limit.rlim_cur = soft[i];
		g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &limit));
		bool some = ms_io_has_descriptors(1), all = ms_io_has_descriptors(left),
		     more = ms_io_has_descriptors(left + 1), again = ms_io_has_descriptors(left);
		g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &before));
		g_assert_true(some && all && again);
		g_assert_false(more);
	}
}

/* Whoever sends more than is asked for, or sends them with nothing, takes none from us. */
static void test_descriptors(void)
{
	static const struct {
		gsize bytes;
		unsigned sent, asked;
		ssize_t want;
		unsigned have;
	} rows[] = {{4, 0, 0, 4, 0}, {4, 0, 2, 4, 0}, {4, 1, 1, 4, 1}, {4, 1, 2, 4, 1},
		{4, 2, 2, 4, 2}, {4, 2, 1, 4, 1}, {4, 4, 1, 4, 1}, {4, 4, 3, 4, 3}, {4, 1, 0, 4, 0},
		{0, 1, 1, 0, 0}, {0, 4, 2, 0, 0}, {9, 0, 1, -1, 0}, {9, 1, 1, -1, 0},
		{4, 4, 4, 4, 4}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		int ends[2], got[4], files[4] = {0, 0, 0, 0};
		char data[8];
		g_assert_no_errno(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
		guint before = count_descriptors();
		g_assert_true(
			ms_wire_send(ends[0], "012345678", rows[i].bytes, files, rows[i].sent, 0));
		ssize_t n = ms_wire_receive(
			ends[1], data, sizeof data, got, rows[i].asked, MSG_DONTWAIT);
		if (n != rows[i].want)
			g_error("row %zu: got %zd, want %zd", i, n, rows[i].want);
		if (n < 0)
			g_assert_cmpint(errno, ==, EMSGSIZE);
		for (unsigned k = 0; k < rows[i].asked; k++) {
			g_assert_cmpint(got[k] >= 0, ==, k < rows[i].have);
			if (got[k] >= 0)
				g_assert_cmpint(fcntl(got[k], F_GETFD), ==, FD_CLOEXEC);
		}
		if (count_descriptors() != before + rows[i].have)
			g_error("row %zu: got %u descriptors, want %u", i,
				count_descriptors() - before, rows[i].have);
		for (unsigned k = 0; k < rows[i].have; k++)
			close(got[k]);
		close(ends[0]);
		close(ends[1]);
	}
}

/* Instead of the system's. */
static struct statvfs disk;

int statvfs(const char *path, struct statvfs *out)
{
	(void)path;
	*out = disk;
	return 0;
}

/* One that counts none has room for more. */
static void test_files_left(void)
{
	disk = (struct statvfs){.f_frsize = 1, .f_blocks = 1 << 30, .f_bavail = 1 << 30};
	g_assert_cmpuint(ms_io_files_left("/"), >=, MS_IO_FEW_FILES);
	disk.f_files = 100000;
	disk.f_favail = 3;
	g_assert_cmpuint(ms_io_files_left("/"), ==, 3);
}

/* Nobody waits for who comes to the other end of what has a file's name. */
static void test_no_file(void)
{
	g_autofree char *dir = scratch_folder(), *pipe = g_build_filename(dir, "pipe", NULL),
			*link = g_build_filename(dir, "link", NULL), *file = g_build_filename(dir, "file", NULL);
	const struct {
		const char *path;
		int flags, want; /* errno; 0: it is opened */
	} rows[] = {
		{pipe, O_RDONLY, EMEDIUMTYPE},
		{pipe, O_WRONLY | O_APPEND | O_CREAT, EMEDIUMTYPE},
		{pipe, O_RDWR, EMEDIUMTYPE},
		{dir, O_RDONLY, EISDIR},
		{link, O_RDONLY | O_NOFOLLOW, ELOOP},
		{link, O_RDONLY, 0},
		{file, O_RDONLY, 0},
		{"/nonexistent", O_RDONLY, ENOENT},
	};
	char *text = NULL;
	gsize len = 0;
	g_autoptr(GError) error = NULL;
	g_assert_no_errno(mkfifo(pipe, 0600));
	g_assert_no_errno(symlink(file, link));
	g_assert_true(g_file_set_contents(file, "a\0b", 3, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		int fd = ms_io_open(rows[i].path, rows[i].flags), why = fd < 0 ? errno : 0;
		if (why != rows[i].want)
			g_error("row %u: got %s, want %s", (guint)i, g_strerror(why),
				g_strerror(rows[i].want));
		ms_io_close(fd);
	}
	g_assert_false(ms_io_contents(pipe, &text, NULL, &error));
	g_assert_nonnull(strstr(error->message, "is no file"));
	g_clear_error(&error);
	g_assert_false(ms_io_contents("/nonexistent", &text, NULL, &error));
	g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
	g_assert_true(ms_io_contents(file, &text, &len, NULL));
	g_assert_cmpmem(text, len + 1, "a\0b", 4);
	g_free(text);
}

/* What is opened first is not what is printed into. */
static void test_usual_start(void)
{
	int status = -1;
	pid_t pid = fork();
	g_assert_cmpint(pid, >=, 0);
	if (pid == 0) {
		char byte = 0;
		for (int fd = 0; fd < 3; fd++)
			close(fd);
		ms_io_usual_start();
		bool fine = read(0, &byte, 1) < 0 && write(1, &byte, 1) < 0 &&
			write(2, &byte, 1) < 0 && open("/dev/null", O_RDWR) > 2;
		_exit(!fine);
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_cmpint(status, ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/io/answers", test_answers);
	g_test_add_func("/io/nobody-answers", test_nobody_answers);
	g_test_add_func("/io/left", test_left);
	g_test_add_func("/io/mode", test_mode);
	g_test_add_func("/io/give", test_give);
	g_test_add_func("/io/become", test_become);
	g_test_add_func("/io/room", test_room);
	g_test_add_func("/io/descriptors", test_descriptors);
	g_test_add_func("/io/files-left", test_files_left);
	g_test_add_func("/io/no-file", test_no_file);
	g_test_add_func("/io/usual-start", test_usual_start);
	return g_test_run();
}
