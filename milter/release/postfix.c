#include "config.h"

#include <stddef.h>
#include <sysexits.h>

#include "release.h"

/* PROGRAM [-c CONFIG] OPTION... */
static int run(const Mta *mta, const char *program, const char *const *options)
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
	return release_run(argv);
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

static int delete(const Mta *mta, const char *id)
{
	return run(mta, "/usr/sbin/postsuper", (const char *const[]){"-d", id, "hold", NULL});
}

const Mta release_postfix = {list, show, release, requeue, delete, NULL, NULL, NULL};
