/*
 * Waiting for a child of ours: its number comes in, and whether and how it ended goes out.  No
 * state; from any thread.
 *
 * It is looked at again and again, at first quickly: what tells of the end of one child alone
 * (pidfd_open) a container's filter or a lack of descriptors may deny, and then a wait would have
 * no end.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "missent/io.h"

#define SHORTEST_US 200
#define LONGEST_US 20000

int ms_io_wait(pid_t pid)
{
	int status = -1;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return status;
}

/* It is not taken note of; one that is no child of ours has ended as well. */
static bool has_ended(pid_t pid)
{
	siginfo_t ended = {0};
	return waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 ||
		ended.si_pid != 0;
}

bool ms_io_ends(pid_t pid, gint64 end, const volatile int *stop)
{
	gint64 begun = g_get_monotonic_time();
	while (!has_ended(pid)) {
		gint64 now = g_get_monotonic_time();
		if (now >= end || (stop != NULL && *stop))
			return false;
		gint64 pause = CLAMP((now - begun) / 8, SHORTEST_US, LONGEST_US);
		g_usleep((gulong)MIN(pause, end - now));
	}
	return true;
}

int ms_io_kill(pid_t pid, bool group)
{
	gint64 end = g_get_monotonic_time() + MS_IO_KILL_MS * 1000;
	if (group)
		kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	return ms_io_ends(pid, end, NULL) ? ms_io_wait(pid) : -1;
}
