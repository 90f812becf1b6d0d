/*
 * missent directory sync: what a command of the settings prints is imported, once it has ended
 * well; one that fails in the middle has printed half a mapping.  One thread.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/io.h"

#include "cli.h"

static int temporary(void)
{
	const char *folder = g_getenv("TMPDIR");
	if (folder == NULL || *folder == '\0')
		folder = "/var/tmp";
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		cli_fail(EX_CANTCREAT, "a temporary file cannot be made: %s (TMPDIR says where)",
			g_strerror(errno));
	return fd;
}

/* 0: it has ended well; else an exit status that was told. */
static int wait_for(GPid pid, const char *name, gint64 timeout_ms, const volatile int *stop)
{
	if (!ms_io_ends(pid, g_get_monotonic_time() + timeout_ms * 1000, stop)) {
		ms_io_kill(pid, true);
		return cli_fail(EX_TEMPFAIL, "%s %s; the mapping in use is unchanged", name,
			*stop ? "was stopped" : "took longer than sync { timeout }");
	}
	int status = ms_io_wait(pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return cli_fail(EX_TEMPFAIL, "%s ended with %s %d; the mapping in use is unchanged", name,
		WIFEXITED(status) ? "status" : "signal",
		WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

static void own_group(gpointer data)
{
	(void)data;
	setpgid(0, 0);
}

static int run_command(
	const char *const *command, gint64 timeout_ms, const volatile int *stop, int out)
{
	g_autoptr(GError) error = NULL;
	GPid pid;
	if (!g_spawn_async_with_fds("/", (char **)command, NULL,
		    G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, own_group, NULL, &pid, -1, out,
		    -1, &error))
		return cli_fail(EX_UNAVAILABLE, "sync { command }: %s", error->message);
	return wait_for(pid, command[0], timeout_ms, stop);
}

int cli_sync(Cli *cli, int argc, char **argv)
{
	gboolean dry_run = FALSE, accept = FALSE;
	g_autofree char *why = NULL;
	const GOptionEntry entries[] = {
		{"dry-run", 'n', 0, G_OPTION_ARG_NONE, &dry_run,
			"run the command and check what it prints, change nothing", NULL},
		CLI_ACCEPT_OPTIONS(accept, why),
		G_OPTION_ENTRY_NULL,
	};
	if (!cli_options(
		    entries, "- import what sync { command } of the settings prints", &argc, &argv))
		return EX_USAGE;
	if (argc != 1)
		return cli_fail(EX_USAGE,
			"directory sync: takes no arguments; missent.conf says what is run (sync)");
	if (cli_accept_moved(accept, why) != 0)
		return EX_USAGE;
	CliSession session = {0};
	int rc = cli_begin(&session, cli);
	const MsSyncSettings *sync = rc == 0 ? &session.settings->sync : NULL;
	if (rc == 0 && sync->command[0] == NULL)
		rc = cli_fail(EX_CONFIG, "%s: sync { command } is not set", cli->config);
	const volatile int *stop = cli_catch_signals();
	int fd = rc == 0 ? temporary() : -1;
	if (rc == 0)
		rc = fd < 0 ? EX_CANTCREAT : run_command(sync->command, sync->timeout_ms, stop, fd);
	if (rc == 0) {
		lseek(fd, 0, SEEK_SET);
		MsImportOptions options = {
			.form = {sync->encoding, '\0', sync->map, sync->account, sync->ldif},
			.max_shrink = (double)sync->max_shrink / 100,
			.max_bad = (double)sync->max_bad / 100,
			.max_moved = (double)sync->max_moved / 100,
			.dry_run = dry_run,
		};
		rc = cli_import_fd(&session, fd, sync->command[0], why, &options);
		if (rc == EX_DATAERR)
			cli_fail(rc, "of a sync, map, account, encoding, max-bad, max-shrink and "
				     "max-moved are said in sync { } of %s",
				cli->config);
	}
	ms_io_close(fd);
	cli_end(&session);
	return rc;
}
