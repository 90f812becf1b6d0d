/*
 * missent reload: missentd reads its files anew, and how that went is the exit code.
 *
 * A number goes with the signal; missentd writes it, and the outcome, into a file of its
 * state-dir, which is waited for.  Which process it is, the kernel says of who listens at the
 * socket.  The tool's one thread.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "missent/io.h"

#include "cli.h"

#define ANSWER_MS 5000

static bool ask_peer(const struct sockaddr *address, guint len, void *user)
{
	struct ucred peer = {0};
	socklen_t size = sizeof peer;
	int fd = address->sa_family == AF_UNIX ? ms_io_connect(address, len, ANSWER_MS) : -1;
	bool fine = fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
	ms_io_close(fd);
	*(pid_t *)user = peer.pid;
	return fine && peer.pid > 0;
}

/* 0: and it was said why, with a code. */
static pid_t find_daemon(const MsSettings *s, int *code_out)
{
	pid_t pid = 0;
	g_autofree char *spec = ms_socket_spec(s->socket, NULL);
	errno = 0;
	if (spec != NULL && ms_socket_use(spec, ask_peer, &pid))
		return pid;
	*code_out = errno == EACCES
		? cli_fail(EX_NOPERM, "%s: %s", s->socket, g_strerror(errno))
		: errno == EAGAIN
		? cli_fail(EX_TEMPFAIL,
			  "%s: who listens there takes no connection (is it stopped?); name it by --pid",
			  s->socket)
		: cli_fail(EX_UNAVAILABLE, "no missentd listens at %s; name it by --pid", s->socket);
	return 0;
}

static bool ask(pid_t pid, int number)
{
	return sigqueue(pid, SIGUSR1, (union sigval){.sival_int = number}) == 0;
}

/* What is said of that number, or NULL. */
static char *read_answer(const char *path, int number)
{
	g_autofree char *text = NULL;
	g_autofree char *mark = g_strdup_printf("%d ", number);
	if (!ms_io_contents(path, &text, NULL, NULL) || !g_str_has_prefix(text, mark))
		return NULL;
	return g_strchomp(g_strdup(text + strlen(mark)));
}

/* Somebody else was answered since we looked last: our question may have been lost behind his, or
 * our answer beneath his. */
static void ask_again(const char *path, pid_t pid, int number, char **stamp)
{
	g_autofree char *now = ms_io_stamp(path);
	if (strcmp(now, *stamp) == 0)
		return;
	g_free(*stamp);
	*stamp = g_steal_pointer(&now);
	ask(pid, number);
}

static int ask_and_wait(const MsSettings *s, pid_t pid, int seconds)
{
	int number = g_random_int_range(1, G_MAXINT);
	g_autofree char *path = ms_reload_file(s);
	g_autofree char *stamp = ms_io_stamp(path);
	gint64 end = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
	if (!ask(pid, number))
		return cli_fail(EX_NOPERM, "process %d: %s", pid, g_strerror(errno));
	for (; g_get_monotonic_time() < end; g_usleep(20000)) {
		g_autofree char *said = read_answer(path, number);
		if (said == NULL && kill(pid, 0) != 0 && errno == ESRCH)
			return cli_fail(EX_UNAVAILABLE, "missentd has ended");
		if (said == NULL) {
			ask_again(path, pid, number, &stamp);
			continue;
		}
		const char *policies = g_str_has_prefix(said, "done ") ? said + 5 : NULL;
		if (policies == NULL)
			return cli_fail(EX_CONFIG,
				"reload failed, the running configuration is kept: %s",
				g_str_has_prefix(said, "failed ") ? said + 7 : said);
		printf("reloaded, policies: %s\n", policies);
		return 0;
	}
	return cli_fail(
		EX_TEMPFAIL, "missentd has not said within %d s how the reload went", seconds);
}

/* Of any other process the signal would be the end. */
static bool is_missentd(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/comm", pid), *name = NULL;
	return !g_file_get_contents(path, &name, NULL, NULL) || strcmp(g_strchomp(name), "missentd") == 0;
}

int cmd_reload(Cli *cli, int argc, char **argv)
{
	gint pid = CLI_NOT_SAID, seconds = 60;
	const GOptionEntry entries[] = {
		{"pid", 0, 0, G_OPTION_ARG_INT, &pid, "of missentd; else who listens at its socket",
			"PID"},
		{"wait", 0, 0, G_OPTION_ARG_INT, &seconds, "at most so many seconds (60)",
			"SECONDS"},
		{NULL},
	};
	if (!cli_options(entries, "- have missentd read its files anew; fails if that does", &argc,
		    &argv))
		return EX_USAGE;
	g_autoptr(GError) error = NULL;
	g_autoptr(MsSettings) s = ms_settings_load_public(cli->config, &error);
	if (s == NULL)
		return cli_fail_error(error);
	if (pid < 1 || seconds < 1)
		return cli_fail(EX_USAGE, "reload: --%s %d: at least 1", pid < 1 ? "pid" : "wait",
			pid < 1 ? pid : seconds);
	if (pid != CLI_NOT_SAID && !is_missentd(pid))
		return cli_fail(EX_USAGE, "process %d is no missentd", pid);
	int rc = 0;
	if (pid == CLI_NOT_SAID)
		pid = find_daemon(s, &rc);
	return rc != 0 ? rc : ask_and_wait(s, pid, seconds);
}
