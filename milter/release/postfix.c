/*
 * What missent-release does with Postfix's queue: a queue ID that was checked comes in;
 * postsuper, postcat and postqueue are run with it, without a shell, and what they print goes
 * out.  The program's one thread.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "release.h"

#define MOST_WORDS 10
#define HEARD 4096 /* bytes of what a program says */

/* PROGRAM [-c CONFIG] OPTION... */
static void words(
	const Mta *mta, const char *program, const char *const *options, const char **argv)
{
	int n = 0;
	argv[n++] = program;
	if (mta->config != NULL) {
		argv[n++] = "-c";
		argv[n++] = mta->config;
	}
	while (*options != NULL && n < MOST_WORDS - 1)
		argv[n++] = *options++;
	argv[n] = NULL;
}

/* With standard output to `out` (-1: ours). */
static int run_to(const Mta *mta, const char *program, const char *const *options, int out)
{
	const char *argv[MOST_WORDS];
	words(mta, program, options, argv);
	return release_run(argv, out);
}

static int run(const Mta *mta, const char *program, const char *const *options)
{
	return run_to(mta, program, options, -1);
}

static int list(const Mta *mta)
{
	return run(mta, "/usr/sbin/postqueue", (const char *const[]){"-j", NULL});
}

static int show(const Mta *mta, const char *id)
{
	return run(mta, "/usr/sbin/postcat", (const char *const[]){"-bhq", id, NULL});
}

/* Into the deferred queue; then an attempt at once.  If that cannot be had, the next queue run
 * is one. */
static int release(const Mta *mta, const char *id)
{
	int rc = run(mta, "/usr/sbin/postsuper", (const char *const[]){"-H", id, NULL});
	if (rc == EX_OK)
		run(mta, "/usr/sbin/postqueue", (const char *const[]){"-i", id, NULL});
	return rc;
}

/* A new queue file with a new arrival time: after a long hold, -H alone could mean that the first
 * failed attempt returns the message as too old.  pickup(8) looks for it once a minute, or now. */
static int requeue(const Mta *mta, const char *id)
{
	int rc = run(mta, "/usr/sbin/postsuper", (const char *const[]){"-r", id, NULL});
	if (rc == EX_OK)
		run(mta, "/usr/sbin/postkick",
			(const char *const[]){"public", "pickup", "W", NULL});
	return rc;
}

/* Passes on what comes from `from`, which it closes; the beginning of it goes to `heard`. */
static void hear(int from, char heard[HEARD])
{
	char buffer[HEARD];
	size_t have = 0;
	ssize_t n;
	while ((n = read(from, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR)) {
		size_t fits = n > 0 ? (size_t)n : 0;
		fwrite(buffer, 1, fits, stderr);
		if (fits > HEARD - 1 - have)
			fits = HEARD - 1 - have;
		memcpy(heard + have, buffer, fits);
		have += fits;
	}
	heard[have] = '\0';
	close(from);
}

static int delete_held(const Mta *mta, const char *id, bool *deleted_out)
{
	const char *argv[MOST_WORDS];
	char heard[HEARD];
	int pipes[2];
	words(mta, "/usr/sbin/postsuper", (const char *const[]){"-d", id, "hold", NULL}, argv);
	if (pipe2(pipes, O_CLOEXEC) != 0)
		return release_fail(EX_OSERR, "pipe");
	pid_t pid = release_start(argv, -1, pipes[1]);
	close(pipes[1]);
	hear(pipes[0], heard);
	*deleted_out = strstr(heard, "Deleted: 1 message") != NULL;
	return pid != 0 ? release_wait(pid) : release_fail(EX_OSERR, "fork");
}

static bool is_there(const Mta *mta, const char *id)
{
	int none = open("/dev/null", O_WRONLY | O_CLOEXEC);
	bool there = none < 0 ||
		run_to(mta, "/usr/sbin/postcat", (const char *const[]){"-eq", id, NULL}, none) ==
			EX_OK;
	if (none >= 0)
		close(none);
	return there;
}

/* Of what is not in the hold queue any more postsuper says nothing: somebody has let it go, and it
 * was not deleted.  Only then is it looked for: postcat waits a second where there is none. */
static int delete(const Mta *mta, const char *id)
{
	bool deleted;
	int rc = delete_held(mta, id, &deleted);
	if (rc != EX_OK || deleted || !is_there(mta, id))
		return rc;
	errno = ENOENT;
	return release_fail(EX_DATAERR, "not in the hold queue any more");
}

const Mta release_postfix = {list, show, release, requeue, delete, NULL, NULL, NULL};
