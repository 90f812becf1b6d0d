#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sysexits.h>
#include <unistd.h>

#include "release.h"

/* PROGRAM [-c CONFIG] OPTION..., with standard output to `out` (-1: ours) */
static int run_to(const Mta *mta, const char *program, const char *const *options, int out)
{
	const char *argv[10];
	int n = 0;
	argv[n++] = program;
	if (mta->config != NULL) {
		argv[n++] = "-c";
		argv[n++] = mta->config;
	}
	while (*options != NULL && n < 9)
		argv[n++] = *options++;
	argv[n] = NULL;
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

/* Of what is not in the hold queue any more postsuper says nothing: somebody has let it go, and it
 * was not deleted. */
static int delete(const Mta *mta, const char *id)
{
	int rc = run(mta, "/usr/sbin/postsuper", (const char *const[]){"-d", id, "hold", NULL});
	int none = rc == EX_OK ? open("/dev/null", O_WRONLY | O_CLOEXEC) : -1;
	if (none < 0)
		return rc != EX_OK ? rc : release_fail(EX_OSERR, "/dev/null");
	bool there = run_to(mta, "/usr/sbin/postcat", (const char *const[]){"-eq", id, NULL}, none)
		== EX_OK;
	close(none);
	errno = ENOENT;
	return there ? release_fail(EX_DATAERR, "not in the hold queue any more") : EX_OK;
}

const Mta release_postfix = {list, show, release, requeue, delete, NULL, NULL, NULL};
