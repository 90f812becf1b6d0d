/*
 * A message of ours to the MTA as a program of this host submits it: a memory file goes to
 * sendmail(1), which takes it or says why not.  No state; from any thread.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/mta.h"

#include "program.h"

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
	if (lseek(message_fd, 0, SEEK_SET) != 0) {
		*reply_out = g_strdup(g_strerror(errno));
		return MS_LATER;
	}
	const MtaProgram run = {.argv = (const char *const *)argv->pdata,
		.in = message_fd,
		.out = -1,
		.err = -1,
		.timeout_ms = mta->timeout_ms,
		.setting = "queue-timeout"};
	int status;
	MtaRan ran = mta_program_run(&run, &status, &error);
	if (ran != MTA_ENDED) {
		*reply_out = g_strdup(error->message);
		return ran == MTA_LATE ? MS_UNCLEAR : MS_LATER;
	}
	*reply_out = g_strdup_printf(
		"%s: status %d", program, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	return status == 0 ? MS_SUBMITTED : MS_LATER;
}
