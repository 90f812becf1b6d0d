/*
 * missent-release: what a reviewer may do to the MTA's queue, and nothing else.
 *
 * It may be installed set-user-ID root and executable by one group alone, since the queue tools
 * are root's.  So: fixed verbs, a queue ID of letters and digits, fixed programs, no shell, an
 * empty environment; anything else than the MTA's default paths only for who is root already.
 * What changes a message asks for the digest of its body (bodydigest.h): a queue ID that names
 * another message by now is refused here, in the process that has the right.  The program's one
 * thread.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "missent/bodydigest.h"
#include "missent/usage.h"

#include "release.h"

static const MsOption options[] = {
	{'m', "mta", "MTA", "postfix or sendmail (postfix)"},
	{'c', "config", "PATH", "Postfix's folder, or the sendmail.cf (the MTA's own)"},
	{'q', "queue", "DIR", "Sendmail's queue (the MTA's own)"},
	{'p', "program", "PATH", "Sendmail's program (the MTA's own)"},
	{0},
};
static const MsUsage usage = {"missent-release",
	"what missent-agent may do to the MTA's queue, and nothing else", options,
	"VERB [ID [DIGEST]]",
	"  list                what the queue holds, one JSON object a line\n"
	"  show ID             the message itself\n"
	"  release ID DIGEST   let it go\n"
	"  requeue ID DIGEST   let it go as if it had come just now (Postfix)\n"
	"  delete ID DIGEST    delete it\n\n"
	"Other paths than the MTA's own are for root.  See missent-agent(8)."};

int release_usage(const char *why)
{
	return ms_usage_wrong(&usage, why);
}

int release_fail(int code, const char *what)
{
	fprintf(stderr, "missent-release: %s: %s\n", what, strerror(errno));
	return code;
}

/* postsuper and sendmail look at the real user. */
bool release_become_root(void)
{
	return geteuid() != 0 || (setgid(getegid()) == 0 && setuid(0) == 0);
}

/* With an empty environment, standard output to `out` and standard error to `err` (-1: ours).  0:
 * could not. */
pid_t release_start(const char *const *argv, int out, int err)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", lang[] = "LANG=C";
	char *const env[] = {path, lang, NULL};
	pid_t pid = fork();
	if (pid != 0)
		return pid > 0 ? pid : 0;
	if ((out < 0 || dup2(out, STDOUT_FILENO) >= 0) &&
		(err < 0 || dup2(err, STDERR_FILENO) >= 0) && release_become_root())
		execve(argv[0], (char *const *)argv, env);
	perror(argv[0]);
	_exit(EX_UNAVAILABLE);
}

int release_wait(pid_t pid)
{
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return EX_OSERR;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
}

int release_run(const char *const *argv, int out)
{
	pid_t pid = release_start(argv, out, -1);
	return pid != 0 ? release_wait(pid) : release_fail(EX_OSERR, "fork");
}

/* What `show` prints, into a digest: it runs in a process of its own, as every verb does.  Its
 * exit code. */
static int digest_of(const Mta *mta, const char *id, char out[MS_BODY_DIGEST])
{
	int pipes[2];
	if (pipe2(pipes, O_CLOEXEC) != 0)
		return release_fail(EX_OSERR, "pipe");
	pid_t pid = fork();
	if (pid == 0) {
		if (dup2(pipes[1], STDOUT_FILENO) < 0)
			_exit(EX_OSERR);
		int rc = mta->show(mta, id);
		fflush(stdout);
		_exit(rc);
	}
	close(pipes[1]);
	MsBodyDigest digest;
	ms_body_digest_init(&digest);
	static char buffer[65536];
	ssize_t n;
	while (pid > 0 &&
		((n = read(pipes[0], buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR)))
		if (n > 0)
			ms_body_digest_message(&digest, buffer, (size_t)n);
	close(pipes[0]);
	ms_body_digest_end(&digest, out);
	return pid > 0 ? release_wait(pid) : release_fail(EX_OSERR, "fork");
}

/* So says who has looked and found none; postcat says 1 of all that is wrong. */
static bool is_none(int code)
{
	return code == 1 || code == EX_NOINPUT;
}

/* Short IDs are hexadecimal, long ones have letters and digits without vowels.  Never "ALL". */
static bool is_queue_id(const char *id)
{
	size_t len = strlen(id);
	return len >= 5 && len <= 32 &&
		strspn(id, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == len;
}

static bool is_digest(const char *text)
{
	return strlen(text) == MS_BODY_DIGEST - 1 &&
		strspn(text, "0123456789abcdef") == MS_BODY_DIGEST - 1;
}

static int change(const Mta *mta, const char *id, const char *digest,
	int (*verb)(const Mta *, const char *))
{
	char got[MS_BODY_DIGEST];
	int code = digest_of(mta, id, got);
	if (code != EX_OK && !is_none(code))
		return code; /* which message it is, nobody knows */
	if (code != EX_OK || strcmp(got, digest) != 0) {
		fprintf(stderr, "missent-release: %s is not, or is no longer, that message\n", id);
		return EX_DATAERR;
	}
	return verb(mta, id);
}

static int run_verb(const Mta *mta, int argc, char **argv)
{
	const struct {
		const char *name;
		int (*change)(const Mta *, const char *);
	} changes[] = {
		{"release", mta->release}, {"requeue", mta->requeue}, {"delete", mta->delete}};
	if (argc == 0)
		return release_usage("no verb");
	if (strcmp(argv[0], "list") == 0)
		return argc == 1 ? mta->list(mta) : release_usage("list takes no arguments");
	if (argc > 1 && !is_queue_id(argv[1]))
		return release_usage("this is no queue ID");
	if (strcmp(argv[0], "show") == 0)
		return argc == 2 ? mta->show(mta, argv[1]) : release_usage("show takes a queue ID");
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		if (strcmp(argv[0], changes[i].name) != 0 || changes[i].change == NULL)
			continue;
		if (argc != 3 || !is_digest(argv[2]))
			return release_usage("this verb takes a queue ID and a digest");
		return change(mta, argv[1], argv[2], changes[i].change);
	}
	return release_usage("unknown verb");
}

/* Whoever starts it may have set all that a program takes over.  Without the end of a process there
 * is no exit code of it; a file of the queue that ends at a limit is a damaged message; and what is
 * open is none of ours, but for what the C library itself sees to (0 to 2). */
static void take_nothing_over(void)
{
	static const int usual[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGALRM, SIGTERM, SIGUSR1,
		SIGUSR2, SIGCHLD, SIGXFSZ, SIGXCPU};
	const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	sigset_t none;
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
		signal(usual[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	alarm(0);
	umask(077);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	if (geteuid() != 0)
		return;
	setrlimit(RLIMIT_FSIZE, &all); /* a container may not */
	setrlimit(RLIMIT_CPU, &all);
	if (chdir("/") != 0)
		exit(release_fail(EX_OSERR, "/"));
}

/* False: it may not be, or is none. */
static bool take_path(const char **to, const char *path, const char **why)
{
	*why = getuid() != 0     ? "other paths than the MTA's own are for root"
		: path[0] != '/' ? "a path begins with /"
				 : NULL;
	*to = path;
	return *why == NULL;
}

int main(int argc, char **argv)
{
	Mta mta = release_postfix;
	const char *argument, *why = NULL;
	int rest;
	if (argc < 1)
		return EX_USAGE;
	take_nothing_over();
	for (int option; (option = ms_usage_next(&usage, argc, argv, &argument, &rest)) != -1;) {
		if (option == 'm') {
			if (strcmp(argument, "postfix") != 0 && strcmp(argument, "sendmail") != 0)
				return release_usage("the MTA is postfix or sendmail");
			mta = *argument == 'p' ? release_postfix : release_sendmail;
		} else if (!take_path(option == 'c'        ? &mta.config
					   : option == 'q' ? &mta.queue
							   : &mta.program,
				   argument, &why)) {
			return release_usage(why);
		}
	}
	return run_verb(&mta, argc - rest, argv + rest);
}
