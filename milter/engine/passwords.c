/*
 * The recipients of a message come in; out go the passwords that the operator's command prints
 * for them.
 *
 * The command is started as it is, without a shell, as the user that missentd runs as, in a
 * process group of its own, with an environment of nothing but PATH, few resources, and a
 * deadline.  It is given the recipients, one a line, on its standard input, and prints
 * candidates, one a line.  They are kept in one block of memory that is overwritten when it is
 * freed, and go nowhere but to the reader.  The thread of the message.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/io.h"

#include "passwords.h"

#define MAX_OUTPUT (MS_PASSWORDS_MOST * (MS_PASSWORD_BYTES + 2))
#define MEMORY (512u << 20)

struct MsPasswords {
	char *block; /* all of them, each with a NUL */
	gsize size;
	GPtrArray *list; /* of char *, in the block; ends with NULL */
};

void ms_passwords_free(MsPasswords *passwords)
{
	if (passwords == NULL)
		return;
	explicit_bzero(passwords->block, passwords->size);
	g_free(passwords->block);
	g_ptr_array_unref(passwords->list);
	g_free(passwords);
}

const char *const *ms_passwords_list(const MsPasswords *passwords)
{
	return passwords != NULL ? (const char *const *)passwords->list->pdata : NULL;
}

/* ---- the command ------------------------------------------------------------------------ */

typedef struct {
	bool become;
	uid_t uid;
	gid_t gid;
	rlim_t seconds;
} Child;

static void limit(int what, rlim_t most)
{
	const struct rlimit r = {most, most};
	if (setrlimit(what, &r) != 0)
		_exit(126);
}

/* Between fork and exec, in a program of many threads: system calls alone. */
static void set_up(gpointer user)
{
	const Child *child = user;
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL); /* which programs that ask have ignored */
	if (setpgid(0, 0) != 0)
		_exit(126);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_CPU, child->seconds);
	limit(RLIMIT_AS, MEMORY);
	if (child->become &&
		(setgroups(0, NULL) != 0 || setgid(child->gid) != 0 || setuid(child->uid) != 0))
		_exit(126);
}

/* As root (a person at the command line) nothing of the operator's is run. */
static bool child_of(const MsPasswordCommand *command, Child *out, GError **error)
{
	*out = (Child){.seconds = (rlim_t)(command->timeout_ms / 1000 + 1)};
	if (geteuid() != 0)
		return true;
	const struct passwd *user = command->user != NULL ? getpwnam(command->user) : NULL;
	if (user == NULL || user->pw_uid == 0) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"it is not run as root: set user, and it is run as that");
		return false;
	}
	out->become = true;
	out->uid = user->pw_uid;
	out->gid = user->pw_gid;
	return true;
}

typedef struct {
	GPid pid;
	int in, out;
} Running;

static bool start(
	const MsPasswordCommand *command, const Child *child, Running *out, GError **error)
{
	static const char *const environment[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	return g_spawn_async_with_pipes("/", (char **)command->argv, (char **)environment,
		G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDERR_TO_DEV_NULL | G_SPAWN_CLOEXEC_PIPES,
		set_up, (gpointer)child, &out->pid, &out->in, &out->out, NULL, error);
}

/* One a line: what has a line end in it cannot be asked about. */
static char *lines_of(const GPtrArray *recipients)
{
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < recipients->len; i++)
		if (strpbrk(recipients->pdata[i], "\r\n") == NULL)
			g_string_append_printf(out, "%s\n", (const char *)recipients->pdata[i]);
	return g_string_free(out, FALSE);
}

/* One that reads nothing must not hold the thread: what it does not take is left out. */
static void feed(Running *run, const char **text)
{
	ssize_t n = write(run->in, *text, MIN(strlen(*text), 4096));
	if (n > 0)
		*text += n;
	if ((n < 0 && errno != EAGAIN && errno != EINTR) || **text == '\0') {
		close(run->in);
		run->in = -1;
	}
}

/* True: it has closed its output in time, and has not printed too much. */
static bool talk(
	Running *run, const char *text, gint64 end, char *block, gsize *len, const char **why)
{
	fcntl(run->in, F_SETFL, fcntl(run->in, F_GETFL) | O_NONBLOCK);
	*why = "it took too long";
	for (;;) {
		struct pollfd fds[2] = {{run->out, POLLIN, 0}, {run->in, POLLOUT, 0}};
		gint64 left = (end - g_get_monotonic_time()) / 1000;
		int rc = left > 0 ? poll(fds, run->in >= 0 ? 2 : 1, (int)MIN(left, 60000)) : 0;
		if (rc == 0 && left <= 0)
			return false;
		if (rc <= 0)
			continue;
		if (run->in >= 0 && fds[1].revents != 0)
			feed(run, &text);
		if (fds[0].revents == 0)
			continue;
		ssize_t n = read(run->out, block + *len, MAX_OUTPUT - *len);
		if (n == 0)
			return true;
		*len += n > 0 ? (gsize)n : 0;
		if (*len >= MAX_OUTPUT) {
			*why = "it printed too much";
			return false;
		}
	}
}

/* It, and whatever it has started, is gone afterwards. */
static bool finish(Running *run, gint64 end, const char **why)
{
	ms_io_close(run->in);
	close(run->out);
	bool done = ms_io_ends(run->pid, end, NULL);
	int status = ms_io_kill(run->pid, true);
	*why = done ? "it failed" : "it took too long";
	return done && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- candidates ------------------------------------------------------------------------- */

/* Each line that may be one; what is longer than any password is left out. */
static void split(MsPasswords *passwords, gsize len)
{
	char *at = passwords->block, *end = passwords->block + len;
	while (at < end && passwords->list->len < MS_PASSWORDS_MOST) {
		char *nl = memchr(at, '\n', (gsize)(end - at));
		char *stop = nl != NULL ? nl : end;
		char *last = stop > at && stop[-1] == '\r' ? stop - 1 : stop;
		*last = '\0';
		if (*at != '\0' && strlen(at) <= MS_PASSWORD_BYTES &&
			strlen(at) == (gsize)(last - at))
			g_ptr_array_add(passwords->list, at);
		at = stop + 1;
	}
	g_ptr_array_add(passwords->list, NULL);
}

MsPasswords *ms_passwords_ask(
	const MsPasswordCommand *command, const GPtrArray *recipients, GError **error)
{
	Child child;
	Running run = {.in = -1, .out = -1};
	const char *why = NULL, *late = NULL;
	if (!child_of(command, &child, error) || !start(command, &child, &run, error))
		return NULL;
	gint64 end = g_get_monotonic_time() + command->timeout_ms * 1000;
	g_autoptr(MsPasswords) passwords = g_new0(MsPasswords, 1);
	g_autofree char *text = lines_of(recipients);
	gsize len = 0;
	passwords->size = MAX_OUTPUT + 1;
	passwords->block = g_malloc0(passwords->size);
	passwords->list = g_ptr_array_new();
	bool told = talk(&run, text, end, passwords->block, &len, &why);
	bool fine = finish(&run, told ? end : 0, &late) && told;
	if (!fine) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s", told ? late : why);
		return NULL;
	}
	split(passwords, len);
	return g_steal_pointer(&passwords);
}
