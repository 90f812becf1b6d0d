/*
 * A message of ours to the MTA as a program of this host submits it: a memory file goes to
 * sendmail(1), which takes it or says why not.  No state; from any thread.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/io.h"
#include "missent/mta.h"
#include "missent/text.h"

MsSubmitted ms_mta_submit_locally(const MsMta *mta, const char *sender, const char *recipient,
	int message_fd, char **reply_out)
{
	const char *program = mta->sendmail && mta->sendmail_program != NULL ? mta->sendmail_program
									     : "/usr/sbin/sendmail";
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	const char *words[] = {program, "-C", mta->config, "-i", "-f", sender, "--", recipient};
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		if (mta->config != NULL || (i != 1 && i != 2))
			g_ptr_array_add(argv, (char *)words[i]);
	g_ptr_array_add(argv, NULL);
	g_autoptr(GError) error = NULL;
	GPid pid;
	if (lseek(message_fd, 0, SEEK_SET) != 0) {
		*reply_out = g_strdup(g_strerror(errno));
		return MS_LATER;
	}
	bool fine = g_spawn_async_with_pipes_and_fds("/", (const char *const *)argv->pdata, NULL,
		G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
		NULL, NULL, message_fd, -1, -1, NULL, NULL, 0, &pid, NULL, NULL, NULL, &error);
	if (!fine) {
		*reply_out = g_strdup(error->message);
		return MS_LATER;
	}
	int status = ms_io_wait(pid);
	*reply_out = g_strdup_printf(
		"%s: status %d", program, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	return status == 0 ? MS_SUBMITTED : MS_LATER;
}
