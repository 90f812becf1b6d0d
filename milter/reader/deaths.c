/*
 * Workers that somebody else ended: the kernel for want of memory, an administrator.  A message
 * that such a one had is not at fault, and may be given to another.  What comes in: how each
 * worker ended, and which of them the supervisor itself kills.  What goes out: whether it was
 * another, told once.  The supervisor's one thread.
 */
#include "config.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "reader_private.h"

/* The oldest ones nobody has asked after: they were at leisure. */
#define MOST 1024

typedef struct {
	pid_t pid;
	bool ours;
} Death;

static Death kept[MOST];
static unsigned n_kept;

static void keep(pid_t pid, bool ours)
{
	if (n_kept == MOST) {
		memmove(kept, kept + 1, (MOST - 1) * sizeof *kept);
		n_kept--;
	}
	kept[n_kept++] = (Death){pid, ours};
}

static bool take(pid_t pid, bool ours)
{
	for (unsigned i = 0; i < n_kept; i++)
		if (kept[i].pid == pid && kept[i].ours == ours) {
			kept[i] = kept[--n_kept];
			return true;
		}
	return false;
}

void deaths_begin(pid_t pid)
{
	take(pid, true);
	take(pid, false);
}

void deaths_ours(pid_t pid)
{
	keep(pid, true);
}

/* What a program can come to by what it does itself, confined as it is: it may signal nobody,
 * itself with ABRT alone, and has no timers.  KILL is a limit's, or another's. */
static bool is_of_its_own(int number)
{
	switch (number) {
	case SIGSEGV:
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
	case SIGTRAP:
	case SIGABRT:
	case SIGSYS:
	case SIGPIPE:
	case SIGXCPU:
	case SIGXFSZ: return true;
	default: return false;
	}
}

/* The kernel counts by ticks what it tells in microseconds: a limit may be met a little early. */
static bool was_at_its_limit(const struct rusage *used, rlim_t seconds)
{
	rlim_t spent = (rlim_t)(used->ru_utime.tv_sec + used->ru_stime.tv_sec) + 1;
	return seconds != RLIM_INFINITY && spent >= seconds;
}

void deaths_see(pid_t pid, int status, const struct rusage *used, unsigned seconds)
{
	struct rlimit ours;
	bool outside = !take(pid, true) && WIFSIGNALED(status) && !is_of_its_own(WTERMSIG(status));
	if (!outside || was_at_its_limit(used, seconds)
		|| (getrlimit(RLIMIT_CPU, &ours) == 0 && was_at_its_limit(used, ours.rlim_max)))
		return;
	keep(pid, false);
}

bool deaths_tell(pid_t pid)
{
	return take(pid, false);
}
