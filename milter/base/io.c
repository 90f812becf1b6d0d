/*
 * Bytes over sockets, whole or not at all; sockets and files, with the owners and modes they are
 * to have; becoming another user.  Any thread; listening and the last belong to a program's
 * start.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/io.h"

void ms_io_close(int fd)
{
	int why = errno;
	if (fd >= 0)
		close(fd);
	errno = why;
}

bool ms_io_send(int socket, const void *data, gsize len)
{
	for (const char *p = data; len > 0;) {
		ssize_t n = send(socket, p, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (gsize)n;
	}
	return true;
}

/* read(), which a confined worker may call. */
bool ms_io_receive(int socket, void *data, gsize len)
{
	for (char *p = data; len > 0;) {
		ssize_t n = read(socket, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (gsize)n;
	}
	return true;
}

/* A Unix socket whose queue is full says so at once; a moment later it may not be. */
static bool connect_within(int fd, const struct sockaddr *address, guint len, gint64 end)
{
	struct pollfd ready = {fd, POLLOUT, 0};
	int error = 0;
	socklen_t size = sizeof error;
	while (connect(fd, address, len) != 0) {
		gint64 left = (end - g_get_monotonic_time()) / 1000;
		if (errno == EINPROGRESS)
			return poll(&ready, 1, (int)MAX(left, 0)) == 1 &&
				getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 &&
				error == 0;
		if ((errno != EAGAIN && errno != EINTR) || left <= 0)
			return false;
		g_usleep(20000);
	}
	return true;
}

int ms_io_connect(const struct sockaddr *address, guint address_len, int ms)
{
	gint64 end = g_get_monotonic_time() + (gint64)ms * 1000;
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect_within(fd, address, address_len, end))
		return fd;
	ms_io_close(fd);
	return -1;
}

bool ms_io_answers(
	const struct sockaddr *address, guint address_len, const void *ask, gsize len, int ms)
{
	gint64 end = g_get_monotonic_time() + (gint64)ms * 1000;
	int fd = ms_io_connect(address, address_len, ms);
	bool answers = fd >= 0;
	if (answers && ms_io_send(fd, ask, len)) {
		struct pollfd ready = {fd, POLLIN, 0};
		answers = poll(&ready, 1, (int)MAX((end - g_get_monotonic_time()) / 1000, 0)) == 1;
	}
	ms_io_close(fd);
	return answers;
}

bool ms_io_give(const char *path, uid_t owner, gid_t group, guint mode)
{
	return lchown(path, owner, group) == 0 &&
		fchmodat(AT_FDCWD, path, (mode_t)mode, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool give(const char *path, const char *name, guint mode)
{
	const struct group *group = name != NULL ? getgrnam(name) : NULL;
	if (name != NULL && group == NULL)
		errno = EINVAL;
	return (name == NULL || group != NULL) &&
		ms_io_give(path, (uid_t)-1, group != NULL ? group->gr_gid : (gid_t)-1, mode);
}

bool ms_io_somebody_listens(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
		return false;
	int fd = ms_io_connect((struct sockaddr *)&address, sizeof address, 0);
	/* who takes no more connections, for he was stopped, has the socket all the same */
	bool listens = fd >= 0 || errno == EAGAIN;
	ms_io_close(fd);
	return listens;
}

int ms_io_claim_sockets(const char *path)
{
	g_autofree char *folder = g_path_get_dirname(path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Whoever may read the folder may hold it: then nobody of ours comes at this moment. */
	if (fd >= 0)
		ms_io_lock(fd, LOCK_EX, 2000);
	return fd;
}

static int listen_on(const char *path, const char *group, guint mode)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	errno = ENAMETOOLONG;
	if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
		return -1;
	if (ms_io_somebody_listens(path)) {
		errno = EADDRINUSE;
		return -1;
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unlink(path);
	mode_t before = umask(0177);
	bool fine = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
	umask(before);
	if (fine && give(path, group, mode) && listen(fd, 64) == 0)
		return fd;
	ms_io_close(fd);
	return -1;
}

int ms_io_listen(const char *path, const char *group, guint mode)
{
	int claim = ms_io_claim_sockets(path), fd = listen_on(path, group, mode);
	ms_io_close(claim);
	return fd;
}

/* Not unlink(), in whose place missentd has this. */
void ms_io_leave_socket(int listening, const char *path)
{
	ms_io_close(listening);
	int claim = ms_io_claim_sockets(path);
	if (!ms_io_somebody_listens(path))
		unlinkat(AT_FDCWD, path, 0);
	ms_io_close(claim);
}

/* ---- files that several make ------------------------------------------------------------- */

bool ms_io_write(int fd, const void *data, gsize len)
{
	for (const char *p = data; len > 0;) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0)
			return false;
		p += n;
		len -= (gsize)n;
	}
	return true;
}

int ms_io_open(const char *path, int flags)
{
	struct stat st;
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK, 0640);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	if (fd >= 0)
		errno = S_ISDIR(st.st_mode) ? EISDIR : EMEDIUMTYPE;
	else if (errno == ENXIO) /* a pipe that nobody reads from */
		errno = EMEDIUMTYPE;
	ms_io_close(fd);
	return -1;
}

/* NULL and errno. */
static GString *read_all(int fd)
{
	char piece[65536];
	GString *text = g_string_new(NULL);
	ssize_t n;
	while ((n = read(fd, piece, sizeof piece)) > 0 || (n < 0 && errno == EINTR))
		g_string_append_len(text, piece, MAX(n, 0));
	if (n == 0)
		return text;
	g_string_free(text, TRUE);
	return NULL;
}

bool ms_io_contents(const char *path, char **text_out, gsize *len_out, GError **error)
{
	int fd = ms_io_open(path, O_RDONLY);
	GString *text = fd >= 0 ? read_all(fd) : NULL;
	int why = errno;
	ms_io_close(fd);
	if (text == NULL) {
		g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(why), "%s: %s", path,
			why == EMEDIUMTYPE ? "is no file" : g_strerror(why));
		return false;
	}
	if (len_out != NULL)
		*len_out = text->len;
	*text_out = g_string_free(text, FALSE);
	return true;
}

bool ms_io_sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool fine = fd >= 0 && fsync(fd) == 0;
	ms_io_close(fd);
	return fine;
}

bool ms_io_is_want(int system)
{
	static const int wants[] = {ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM, EAGAIN, EIO, EROFS,
		ESTALE, ETIMEDOUT, ENOTCONN};
	for (gsize i = 0; i < G_N_ELEMENTS(wants); i++)
		if (system == wants[i])
			return true;
	return false;
}

bool ms_io_takes_nothing(const char *folder)
{
	int fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	bool refused = fd < 0 && (errno == EROFS || errno == EIO);
	ms_io_close(fd);
	return refused;
}

guint64 ms_io_files_left(const char *folder)
{
	struct statvfs fs;
	return statvfs(folder, &fs) == 0 && fs.f_files > 0 ? fs.f_favail : G_MAXUINT64;
}

/* Of a small one, a twentieth. */
#define FOR_MAIL ((guint64)64 << 20)

bool ms_io_has_room(const char *path, guint64 bytes)
{
	g_autofree char *folder = g_path_get_dirname(path);
	struct statvfs fs;
	if (statvfs(folder, &fs) != 0)
		return true;
	guint64 all = (guint64)fs.f_blocks * fs.f_frsize, left = (guint64)fs.f_bavail * fs.f_frsize;
	return left > MIN(FOR_MAIL, all / 20) + bytes;
}

bool ms_io_has_descriptors(guint n)
{
	int fd = open("/", O_PATH | O_CLOEXEC);
	bool fine = fd >= 0 && (n <= 1 || ms_io_has_descriptors(n - 1));
	ms_io_close(fd);
	return fine;
}

bool ms_io_fail(GError **error, const char *what, int system)
{
	g_set_error(error, MS_ERROR, ms_io_is_want(system) ? MS_ERROR_RETRY : MS_ERROR_CONFIG,
		"%s: %s", what, g_strerror(system));
	return false;
}

GDir *ms_io_open_folder(const char *path, GError **error)
{
	errno = 0;
	GDir *dir = g_dir_open(path, 0, NULL);
	if (dir == NULL)
		ms_io_fail(error, path, errno);
	return dir;
}

/* Not all file systems can refuse to replace a file. */
static bool take_name(const char *fresh, const char *path)
{
	if (renameat2(AT_FDCWD, fresh, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return true;
	return (errno == EINVAL || errno == ENOSYS) && link(fresh, path) == 0;
}

static bool sync_name(const char *path)
{
	g_autofree char *folder = g_path_get_dirname(path);
	return ms_io_sync_folder(folder);
}

/* Bytes, or all of another file. */
typedef struct {
	const void *data;
	gsize len;
	int from; /* -1: bytes */
} Content;

static bool copy(int from, int to)
{
	off_t at = 0;
	ssize_t n;
	while ((n = sendfile(to, from, &at, 1 << 20)) > 0 || (n < 0 && errno == EINTR))
		continue;
	return n == 0;
}

static bool write_content(int fd, const Content *content)
{
	return content->from >= 0 ? copy(content->from, fd)
				  : ms_io_write(fd, content->data, content->len);
}

/* errno stays as it is. */
static void forget_beside(char *fresh)
{
	int why = errno;
	if (fresh != NULL)
		unlink(fresh);
	g_free(fresh);
	errno = why;
}

#define BESIDE ".XXXXXX.new"

/* All of it under another name in that folder: the name, or NULL and errno. */
static char *write_beside(const char *path, const Content *content, guint mode, bool sync)
{
	char *fresh = g_strconcat(path, BESIDE, NULL);
	int fd = g_mkstemp_full(fresh, O_WRONLY | O_CLOEXEC, 0600);
	if (fd >= 0)
		ms_io_like_folder(fd, fresh);
	bool fine = fd >= 0 && write_content(fd, content) && fchmod(fd, (mode_t)mode) == 0 &&
		(!sync || fsync(fd) == 0);
	int why = errno;
	if (fd >= 0 && close(fd) != 0 && fine) {
		why = errno;
		fine = false;
	}
	errno = why;
	if (!fine)
		forget_beside(g_steal_pointer(&fresh));
	return fresh;
}

/* Where there is none of that name: else false and EEXIST. */
static bool take_free_name(const char *path, const Content *content, guint mode)
{
	char *fresh = write_beside(path, content, mode, true);
	bool made = fresh != NULL && take_name(fresh, path);
	forget_beside(fresh);
	return made;
}

bool ms_io_make(const char *path, const void *data, gsize len, guint mode, bool *made_out)
{
	struct stat st;
	if (made_out != NULL)
		*made_out = false;
	if (lstat(path, &st) == 0)
		return true;
	if (errno != ENOENT)
		return false;
	bool made = take_free_name(path, &(Content){data, len, -1}, mode);
	if (made_out != NULL)
		*made_out = made;
	return made ? sync_name(path) : errno == EEXIST;
}

static bool replace(const char *path, const Content *content, guint mode, bool sync)
{
	char *fresh = write_beside(path, content, mode, sync);
	bool fine = fresh != NULL && rename(fresh, path) == 0;
	forget_beside(fresh);
	return fine && (!sync || sync_name(path));
}

bool ms_io_replace(const char *path, const void *data, gsize len, guint mode, bool sync)
{
	return replace(path, &(Content){data, len, -1}, mode, sync);
}

bool ms_io_copy(const char *path, int from, guint mode, bool again)
{
	const Content content = {.from = from};
	if (again)
		return replace(path, &content, mode, true);
	if (!take_free_name(path, &content, mode))
		return false;
	if (sync_name(path))
		return true;
	int why = errno;
	unlink(path);
	errno = why;
	return false;
}

#define LEFT_SECONDS 3600

/* Files of ours that whoever was writing them would have renamed long since. */
static bool is_left(const char *path)
{
	struct stat st;
	gsize len = strlen(path), end = strlen(BESIDE);
	return len > end && path[len - end] == '.' && g_str_has_suffix(path, ".new") &&
		strspn(path + len - end + 1, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS) == 6 &&
		lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
		st.st_mtime <= time(NULL) - LEFT_SECONDS;
}

void ms_io_sweep(const char *folder)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		if (is_left(path))
			unlink(path);
	}
}

bool ms_io_make_folder(const char *path, guint mode)
{
	if (mkdir(path, (mode_t)mode) != 0)
		return errno == EEXIST && g_file_test(path, G_FILE_TEST_IS_DIR);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0)
		ms_io_like_folder(fd, path);
	ms_io_close(fd);
	return true;
}

bool ms_io_has_name(int fd, const char *path)
{
	struct stat mine, there;
	return fstat(fd, &mine) == 0 && stat(path, &there) == 0 && mine.st_ino == there.st_ino &&
		mine.st_dev == there.st_dev;
}

int ms_io_open_lock(const char *path)
{
	return ms_io_make(path, "", 0, 0640, NULL)
		? ms_io_open(path, O_RDWR | O_NOFOLLOW)
		: -1;
}

static void wake_up(int number)
{
	(void)number;
}

#define AGAIN_MS 10 /* the first signal may come before flock() waits */

static struct timespec duration(gint64 ms)
{
	return (struct timespec){ms / 1000, ms % 1000 * 1000000};
}

/* A timer's signal to this thread alone, which ends what it waits in. */
static bool start_timer(gint64 ms, timer_t *timer_out)
{
	const struct sigaction act = {.sa_handler = wake_up}; /* no SA_RESTART */
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};
	event._sigev_un._tid = gettid();
	const struct itimerspec when = {duration(AGAIN_MS), duration(ms)};
	if (sigaction(SIGRTMIN, &act, NULL) != 0 ||
		timer_create(CLOCK_MONOTONIC, &event, timer_out) != 0)
		return false;
	if (timer_settime(*timer_out, 0, &when, NULL) == 0)
		return true;
	timer_delete(*timer_out);
	return false;
}

/* In the kernel's line: who only looked now and then would hardly ever find it free beside others
 * that write all the time. */
static bool wait_for_lock(int fd, int how, gint64 wait_ms)
{
	gint64 end = g_get_monotonic_time() + wait_ms * 1000;
	timer_t timer;
	if (!start_timer(wait_ms, &timer))
		return false;
	int rc;
	while ((rc = flock(fd, how)) != 0 && errno == EINTR && g_get_monotonic_time() < end)
		continue;
	int why = errno == EINTR ? EWOULDBLOCK : errno;
	timer_delete(timer);
	errno = why;
	return rc == 0;
}

bool ms_io_lock(int fd, int how, gint64 wait_ms)
{
	if (flock(fd, how | LOCK_NB) == 0)
		return true;
	if ((errno != EWOULDBLOCK && errno != EINTR) || wait_ms <= 0)
		return false;
	sigset_t ours, before;
	sigemptyset(&ours);
	sigaddset(&ours, SIGRTMIN);
	pthread_sigmask(SIG_UNBLOCK, &ours, &before);
	bool locked = wait_for_lock(fd, how, wait_ms);
	int why = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = why;
	return locked;
}

void ms_io_like_folder(int fd, const char *path)
{
	g_autofree char *folder = g_path_get_dirname(path);
	struct stat st;
	if (geteuid() != 0 || stat(folder, &st) != 0)
		return;
	if (fchown(fd, st.st_uid, st.st_gid) != 0)
		return; /* whoever needs it will say that he may not */
}

bool ms_io_give_to(const char *path, const char *name, GError **error)
{
	if (geteuid() != 0 || name == NULL)
		return true;
	const struct passwd *user = getpwnam(name);
	if (user != NULL && ms_io_give(path, user->pw_uid, 0, 0400))
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_INPUT,
		"%s: is made, but cannot be given to user \"%s\": %s", path, name,
		user != NULL ? g_strerror(errno) : "there is none of that name yet");
	return false;
}

bool ms_io_become(const char *name, GError **error)
{
	if (geteuid() != 0)
		return true;
	const struct passwd *user = getpwnam(name);
	if (user == NULL || user->pw_uid == 0) {
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT, "user: \"%s\" %s", name,
			user == NULL ? "does not exist" : "is root");
		return false;
	}
	if (initgroups(user->pw_name, user->pw_gid) == 0 && setgid(user->pw_gid) == 0
		&& setuid(user->pw_uid) == 0 && setuid(0) != 0) {
		ms_io_private_memory(); /* the kernel has put it back to the system's default */
		return true;
	}
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "cannot become user %s: %s", name,
		g_strerror(errno));
	return false;
}

void ms_io_private_memory(void)
{
	const struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
#ifndef MS_SANITIZERS /* LeakSanitizer traces its own process */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

char *ms_io_stamp(const char *path)
{
	GStatBuf st = {0};
	return g_stat(path, &st) == 0
		? g_strdup_printf("%s %ju %jd %jd.%ld", path, (uintmax_t)st.st_ino,
			  (intmax_t)st.st_size, (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec)
		: g_strdup("");
}

void ms_io_remove_folder(const char *folder)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		bool is_folder = g_file_test(path, G_FILE_TEST_IS_DIR)
			&& !g_file_test(path, G_FILE_TEST_IS_SYMLINK);
		if (is_folder)
			ms_io_remove_folder(path);
		else
			g_unlink(path);
	}
	g_rmdir(folder);
}

/* ---- what goes with this process ---------------------------------------------------------- */

void ms_io_usual_start(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is a full disk */
	/* Where it is ignored, and a program inherits that, the kernel forgets how children end. */
	signal(SIGCHLD, SIG_DFL);
	/* Those that are closed: reading and writing fail as before. */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
			return;
}

bool ms_io_thread(pthread_t *thread_out, const char *name, void *(*run)(void *), void *user)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errno = pthread_create(thread_out, NULL, run, user);
	bool made = errno == 0;
	if (made)
		pthread_setname_np(*thread_out, name);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return made;
}

struct MsScratch {
	char *path;
	int end; /* of a pipe whose other end the keeper has; it closes with this process */
	pid_t keeper;
};

/* In the child: whoever interrupts the program of a terminal interrupts all of its group. */
static G_GNUC_NORETURN void keep_until_end(const char *path, int pipe)
{
	char byte;
	setsid();
	while (read(pipe, &byte, 1) < 0 && errno == EINTR)
		;
	ms_io_remove_folder(path);
	_exit(0);
}

static bool start_keeper(MsScratch *scratch)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	scratch->keeper = fork();
	if (scratch->keeper == 0) {
		close(ends[1]);
		keep_until_end(scratch->path, ends[0]);
	}
	close(ends[0]);
	scratch->end = ends[1];
	return scratch->keeper > 0;
}

MsScratch *ms_io_scratch(const char *name, GError **error)
{
	g_autofree char *form = g_strconcat(name, "-XXXXXX", NULL);
	char *path = g_dir_make_tmp(form, error);
	if (path == NULL)
		return NULL;
	MsScratch *scratch = g_new0(MsScratch, 1);
	*scratch = (MsScratch){path, -1, -1};
	if (start_keeper(scratch))
		return scratch;
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s: %s", path, g_strerror(errno));
	ms_io_scratch_end(scratch);
	return NULL;
}

const char *ms_io_scratch_path(const MsScratch *scratch)
{
	return scratch->path;
}

void ms_io_scratch_end(MsScratch *scratch)
{
	if (scratch == NULL)
		return;
	ms_io_close(scratch->end);
	if (scratch->keeper > 0)
		ms_io_wait(scratch->keeper);
	ms_io_remove_folder(scratch->path);
	g_free(scratch->path);
	g_free(scratch);
}
