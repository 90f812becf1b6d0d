/*
 * What commands that work off stored mail have in common: where they write down what was done, and
 * what a person sees of it meanwhile.  The tool's one thread.
 */
#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "cli.h"

char *cli_state_file(
	const Cli *cli, const char *said, char **paths, const char *name, const char *const *more)
{
	if (said != NULL)
		return g_strdup(said);
	g_autoptr(GString) all = g_string_new(cli->config);
	for (int i = 0; paths[i] != NULL; i++) {
		g_autofree char *path = g_canonicalize_filename(paths[i], NULL);
		g_string_append_printf(all, "\n%s", path);
	}
	for (; *more != NULL; more++)
		g_string_append_printf(all, "\n%s", *more);
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, all->str, -1);
	g_autofree char *folder = g_build_filename(g_get_user_cache_dir(), "missent", NULL);
	sum[16] = '\0';
	if (g_mkdir_with_parents(folder, 0700) != 0)
		return NULL;
	g_autofree char *file = g_strconcat(name, "-", sum, ".jsonl", NULL);
	return g_build_filename(folder, file, NULL);
}

static void print_progress(const MsBatchProgress *p, void *user)
{
	(void)user;
	guint now = p->done - p->before;
	double rate = p->us > 0 ? now * (double)G_USEC_PER_SEC / (double)p->us : 0;
	double share = p->total > 0 ? (double)p->bytes / (double)p->total : 0;
	g_autofree char *left = share > 0.01 && now > 0
		? cli_duration((gint64)((double)p->us / G_USEC_PER_SEC * (1 - share) / share))
		: g_strdup("?");
	fprintf(stderr, "\r%u messages, %.0f%%, %.1f a second, %s left    ", p->done, 100 * share,
		rate, left);
	fflush(stderr);
}

CliProgress cli_progress(void)
{
	return isatty(STDERR_FILENO) ? print_progress : NULL;
}

void cli_progress_end(void)
{
	if (cli_progress() != NULL)
		fprintf(stderr, "\r%60s\r", "");
}
