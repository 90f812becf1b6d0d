/*
 * One program of the MTA or of ours for it: what it is called with comes in, how it ended goes
 * out.  One that hangs (postdrop does, where the queue cannot be written) would hang the canary,
 * or every decision of this host.  No state; from any thread.
 */
#include "config.h"

#include <unistd.h>

#include "missent/answer.h"
#include "missent/io.h"

#include "program.h"

/* So that what it started ends with it. */
static void own_group(gpointer unused)
{
	(void)unused;
	setpgid(0, 0);
}

static GSpawnFlags flags_of(const MtaProgram *program)
{
	return G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
		(program->out < 0 ? G_SPAWN_STDOUT_TO_DEV_NULL : 0) |
		(program->err < 0 ? G_SPAWN_STDERR_TO_DEV_NULL : 0);
}

/* Of processes, descriptors or memory; what is not there, or may not be run, will not be later. */
static bool is_want(const GError *why)
{
	static const GSpawnError wants[] = {G_SPAWN_ERROR_FORK, G_SPAWN_ERROR_NOMEM,
		G_SPAWN_ERROR_NFILE, G_SPAWN_ERROR_MFILE, G_SPAWN_ERROR_FAILED};
	for (gsize i = 0; i < G_N_ELEMENTS(wants); i++)
		if (g_error_matches(why, G_SPAWN_ERROR, (int)wants[i]))
			return true;
	return why->domain != G_SPAWN_ERROR; /* there are no pipes */
}

MtaRan mta_program_run(const MtaProgram *program, int *status_out, GError **error)
{
	gint64 end = g_get_monotonic_time() + program->timeout_ms * 1000;
	g_autoptr(GError) why = NULL;
	GPid pid;
	if (!g_spawn_async_with_pipes_and_fds("/", program->argv, NULL, flags_of(program),
		    program->alone ? NULL : own_group, NULL, program->in, program->out,
		    program->err, NULL, NULL, 0, &pid, NULL, NULL, NULL, &why)) {
		g_set_error_literal(error, MS_ERROR, is_want(why) ? MS_ERROR_BUSY : MS_ERROR_RETRY,
			why->message);
		return MTA_NOT_STARTED;
	}
	if (ms_io_ends(pid, end, NULL)) {
		*status_out = ms_io_wait(pid);
		return MTA_ENDED;
	}
	ms_io_kill(pid, !program->alone);
	g_autofree char *name = g_path_get_basename(program->argv[0]);
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s does not answer%s%s%s", name,
		program->setting != NULL ? " (" : "",
		program->setting != NULL ? program->setting : "",
		program->setting != NULL ? ")" : "");
	return MTA_LATE;
}
