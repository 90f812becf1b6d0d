/*
 * missent policy test: stored mail comes in; what these policies would have done with it is
 * printed, and where another set of them would have done otherwise.  The tool's one thread;
 * judging has its own.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "missent/backtest.h"
#include "missent/io.h"

#include "cli.h"

#define MAX_CAUSES 20 /* for a person */
#define MAX_DIFFERENCES 50

typedef struct {
	Cli *cli;
	char **against, **archive;
	char *policies, *baseline, *directory, *html, *state;
	gboolean json, rows, afresh;
	int jobs;
	MsScratch *scratch; /* a folder of ours that goes at the end; NULL: none */
} Test;

/* ---- what is compared ------------------------------------------------------------------- */

static const char *scratch(Test *t)
{
	if (t->scratch == NULL)
		t->scratch = ms_io_scratch("missent-test", NULL);
	return t->scratch != NULL ? ms_io_scratch_path(t->scratch) : "/nowhere";
}

static bool run_program(const char *const *argv, GError **error)
{
	g_autofree char *said = NULL;
	int status = 0;
	if (!g_spawn_sync(NULL, (char **)argv, NULL,
		    G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &said,
		    &status, error))
		return false;
	if (g_spawn_check_wait_status(status, NULL))
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_INPUT, "%s", g_strchomp(said));
	return false;
}

/* The folder of policies as it was in a revision of its repository. */
static char *checked_out(Test *t, const char *folder, const char *revision, GError **error)
{
	g_autofree char *tar = g_build_filename(scratch(t), "policies.tar", NULL);
	g_autofree char *output = g_strconcat("--output=", tar, NULL);
	g_autofree char *out = g_build_filename(scratch(t), "baseline", NULL);
	const char *const archive[] = {"git", "-C", folder, "archive", output, revision, ".", NULL};
	const char *const unpack[] = {"tar", "-x", "-f", tar, "-C", out, NULL};
	if (*revision == '-' || g_mkdir(out, 0700) != 0 || !run_program(archive, error) ||
		!run_program(unpack, error)) {
		g_prefix_error(error,
			"--baseline %s: there is no such folder, and as a revision of %s: ",
			revision, folder);
		return NULL;
	}
	return g_steal_pointer(&out);
}

static bool find_baseline(Test *t, const char *policies, GError **error)
{
	if (t->baseline == NULL || g_file_test(t->baseline, G_FILE_TEST_IS_DIR))
		return true;
	char *folder = checked_out(t, policies, t->baseline, error);
	if (folder == NULL && error != NULL && *error == NULL)
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT,
			"--baseline %s: there is no such folder", t->baseline);
	g_free(t->baseline);
	t->baseline = folder;
	return folder != NULL;
}

typedef struct {
	CliBad bad;
	const char *name;
} Bad;

static void on_bad(guint64 line, const char *why, void *user)
{
	Bad *bad = user;
	cli_bad(&bad->bad, bad->name, line, why);
}

/* A mapping of its own, beside the one in use. */
static int import(Test *t, CliSession *session, char **mapping_out)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *file = g_build_filename(scratch(t), "mapping.db", NULL);
	const MsSettings *s = session->settings;
	const MsDirectorySettings settings = {.backend = MS_BACKEND_SQLITE,
		.sqlite = file,
		.key_file = s->key_file,
		.digests = s->digests,
		.house = s->house,
		.house_file = s->house_file,
		.house_needed = s->house_needed,
		.tag_separators = s->tag_separators,
		.judging = &s->judging};
	g_autoptr(MsDirectory) directory = ms_directory_open(&settings, session->kinds, &error);
	Bad bad = {.name = t->directory};
	MsImportOptions options = {.max_shrink = 1,
		.max_moved = 1,
		.source = t->directory,
		.bad = on_bad,
		.user = &bad};
	MsImportResult result;
	if (directory == NULL)
		return cli_fail_error(error);
	int fd, rc = cli_open(t->directory, &fd);
	if (rc != 0)
		return rc;
	bool fine = ms_directory_import(directory, fd, &options, &result, &error);
	close(fd);
	cli_bad_end(&bad.bad);
	if (!fine)
		return cli_fail_file(error, t->directory);
	*mapping_out = g_steal_pointer(&file);
	return 0;
}

/* ---- the result ------------------------------------------------------------------------- */

static void print_counts(const json_t *json, const json_t *other)
{
	const char *key;
	json_t *n;
	if (json_object_size(json) + json_object_size(other) == 0)
		printf("  none\n");
	json_object_foreach((json_t *)json, key, n)
	{
		printf("  %-22s %8" JSON_INTEGER_FORMAT, key, json_integer_value(n));
		if (other != NULL)
			printf("   baseline %8" JSON_INTEGER_FORMAT,
				json_integer_value(json_object_get(other, key)));
		printf("\n");
	}
	json_object_foreach((json_t *)(other != NULL ? other : NULL), key,
		n) if (json_object_get(json, key) == NULL)
		printf("  %-22s %8d   baseline %8" JSON_INTEGER_FORMAT "\n", key, 0,
			json_integer_value(n));
}

static void print_causes(const Test *t, const MsBacktest *b)
{
	g_autoptr(GArray) causes = ms_backtest_causes(b);
	if (causes->len > 0)
		printf("%scauses, the largest first%s\n", cli_colour(t->cli, BOLD),
			cli_colour(t->cli, PLAIN));
	for (guint i = 0; i < MIN(causes->len, MAX_CAUSES); i++) {
		const MsBacktestCause *c = &g_array_index(causes, MsBacktestCause, i);
		g_autofree char *example = cli_cell(c->example->name, 0),
				*cause = cli_cell(c->cause, 0);
		printf("  %6u  %-7s  %s\n                   for example %s\n", c->messages,
			ms_action_names[c->would], cause, example);
	}
	if (causes->len > MAX_CAUSES)
		printf("  and %u more (--json has all)\n", causes->len - MAX_CAUSES);
}

static void print_view(const char *name, const MsBacktestView *view)
{
	printf("    %s: %s", name, ms_action_names[view->would]);
	for (guint i = 0; i < view->reasons->len; i++) {
		g_autofree char *safe = cli_cell(view->reasons->pdata[i], 0);
		printf("\n      %s", safe);
	}
	printf("\n");
}

static guint print_differences(const Test *t, const MsBacktest *b)
{
	guint n = 0;
	printf("%sjudged differently%s\n", cli_colour(t->cli, BOLD), cli_colour(t->cli, PLAIN));
	for (guint i = 0; i < ms_backtest_count(b); i++) {
		const MsBacktestRow *row = ms_backtest_row(b, i);
		if (!ms_backtest_differs(row) || n++ >= MAX_DIFFERENCES)
			continue;
		g_autofree char *name = cli_cell(row->name, 0);
		printf("  %s\n", name);
		print_view("baseline", &row->baseline);
		print_view("these policies", &row->now);
	}
	if (n > MAX_DIFFERENCES)
		printf("  and %u more (--json has all)\n", n - MAX_DIFFERENCES);
	if (n == 0)
		printf("  nothing\n");
	return n;
}

static void print_failed(const MsBacktest *b)
{
	guint n = 0;
	for (guint i = 0; i < ms_backtest_count(b); i++) {
		const MsBacktestRow *row = ms_backtest_row(b, i);
		if (row->failed == NULL || n++ >= MAX_CAUSES)
			continue;
		g_autofree char *name = cli_cell(row->name, 0), *why = cli_cell(row->failed, 0);
		printf("  not judged: %s: %s\n", name, why);
	}
	if (n > MAX_CAUSES)
		printf("  and %u more that could not be judged\n", n - MAX_CAUSES);
}

static guint print_result(const Test *t, const MsBacktest *b, const json_t *json)
{
	MsBatchProgress p;
	ms_backtest_progress(b, &p);
	double seconds = (double)p.us / G_USEC_PER_SEC;
	printf("%u message%s", p.done, p.done == 1 ? "" : "s");
	if (p.before > 0)
		printf(", %u of them before", p.before);
	printf("; %.1f s, %.1f a second, %.2f processors used of %u\n", seconds,
		seconds > 0 ? (p.done - p.before) / seconds : 0,
		seconds > 0 ? (double)p.cpu_us / G_USEC_PER_SEC / seconds : 0,
		g_get_num_processors());
	const GPtrArray *notes = ms_backtest_notes(b);
	for (guint i = 0; i < notes->len; i++)
		printf("  note: %s\n", (char *)notes->pdata[i]);
	printf("%swould be%s\n", cli_colour(t->cli, BOLD), cli_colour(t->cli, PLAIN));
	print_counts(json_object_get(json, "would"), json_object_get(json, "baseline"));
	print_failed(b);
	printf("%swho the recipients were is known by%s (headers: To and Cc; who was in Bcc is not known)\n",
		cli_colour(t->cli, BOLD), cli_colour(t->cli, PLAIN));
	print_counts(json_object_get(json, "recipients-by"), NULL);
	if (t->baseline != NULL)
		return print_differences(t, b);
	printf("%sreasons, messages of each%s\n", cli_colour(t->cli, BOLD),
		cli_colour(t->cli, PLAIN));
	print_counts(json_object_get(json, "reasons"), NULL);
	print_causes(t, b);
	return 0;
}

/* There were some, and each of them failed. */
static bool none_judged(const MsBacktest *b)
{
	guint n = ms_backtest_count(b);
	for (guint i = 0; i < n; i++)
		if (ms_backtest_row(b, i)->failed == NULL)
			return false;
	return n > 0;
}

static int tell(Test *t, const MsBacktest *b)
{
	g_autoptr(GError) error = NULL;
	json_t *json = ms_backtest_to_json(b, t->rows);
	guint differ = (guint)json_integer_value(json_object_get(json, "differ"));
	if (t->json) {
		cli_print_json(json);
	} else {
		print_result(t, b, json);
		json_decref(json);
	}
	g_autofree char *page = t->html != NULL
		? ms_backtest_to_html(b, "What these policies would have done")
		: NULL;
	if (page != NULL &&
		!g_file_set_contents_full(
			t->html, page, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error))
		return cli_fail_error(error);
	if (!ms_backtest_is_whole(b))
		return cli_fail(
			EX_TEMPFAIL, "stopped before the end; the same command goes on from here");
	if (none_judged(b))
		return cli_fail(EX_DATAERR,
			"no message could be judged: nothing is known of these policies");
	return differ > 0 ? 1 : 0;
}

/* ---- the command ------------------------------------------------------------------------ */

static int run(Test *t, const char *mapping)
{
	g_autoptr(GError) error = NULL;
	/* Standard input is there once. */
	bool again = !g_strv_contains((const char *const *)t->against, "-");
	const char *const what[] = {t->policies != NULL ? t->policies : "",
		t->baseline != NULL ? t->baseline : "", t->directory != NULL ? t->directory : "",
		NULL};
	g_autofree char *state = again ? cli_state_file(t->cli, t->state, t->against, "test", what)
				       : NULL;
	const MsBacktestAsk ask = {.config = t->cli->config,
		.policies = t->policies,
		.baseline = t->baseline,
		.mapping = mapping,
		.paths = (const char *const *)t->against,
		.archive = (const char *const *)t->archive,
		.state = state,
		.afresh = t->afresh,
		.threads = (guint)t->jobs,
		.stop = cli_catch_signals()};
	g_autoptr(MsBacktest) b = ms_backtest_run(&ask, cli_progress(), NULL, &error);
	cli_progress_end();
	if (b == NULL)
		return cli_fail_error(error);
	int rc = tell(t, b);
	if (rc != EX_TEMPFAIL && state != NULL && t->state == NULL)
		g_unlink(state);
	return rc;
}

static int prepare_and_run(Test *t)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *mapping = NULL;
	CliSession session = {0};
	int rc = cli_begin(&session, t->cli);
	if (rc == 0 &&
		!find_baseline(t, t->policies != NULL ? t->policies : session.settings->policy_dir,
			&error))
		rc = cli_fail(EX_USAGE, "%s", error->message);
	if (rc == 0 && t->directory != NULL)
		rc = import(t, &session, &mapping);
	cli_end(&session);
	return rc != 0 ? rc : run(t, mapping);
}

static void test_clear(Test *t)
{
	ms_io_scratch_end(t->scratch);
	g_strfreev(t->against);
	g_strfreev(t->archive);
	char *const texts[] = {t->policies, t->baseline, t->directory, t->html, t->state};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		g_free(texts[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Test, test_clear)

int cli_backtest(Cli *cli, int argc, char **argv)
{
	g_auto(Test) t = {.cli = cli};
	const GOptionEntry entries[] = {
		{"against", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &t.against,
			"mail to judge, repeatable: file, mbox, Maildir, folder, our own spool",
			"PATH"},
		{"policies", 0, 0, G_OPTION_ARG_FILENAME, &t.policies,
			"these, and the kinds.conf in that folder (those in use)", "DIR"},
		{"baseline", 0, 0, G_OPTION_ARG_FILENAME, &t.baseline,
			"only what these judge otherwise: a folder, or its git revision",
			"DIR|REVISION"},
		{"directory", 0, 0, G_OPTION_ARG_FILENAME, &t.directory,
			"by this mapping (the one in use)", "FILE.csv"},
		{"archive", 0, 0, G_OPTION_ARG_STRING_ARRAY, &t.archive,
			"the archive's own address, which is no recipient; repeatable", "ADDRESS"},
		{"html", 0, 0, G_OPTION_ARG_FILENAME, &t.html, "a page with charts", "FILE"},
		{"json", 0, 0, G_OPTION_ARG_NONE, &t.json, "one JSON object", NULL},
		{"rows", 0, 0, G_OPTION_ARG_NONE, &t.rows, "with --json: a row for each message",
			NULL},
		{"jobs", 'j', 0, G_OPTION_ARG_INT, &t.jobs,
			"messages at a time (as many as there are processors)", "N"},
		{"state", 0, 0, G_OPTION_ARG_FILENAME, &t.state,
			"keep what was done in this file, and do not remove it", "FILE"},
		{"afresh", 0, 0, G_OPTION_ARG_NONE, &t.afresh,
			"do not go on from where it was stopped", NULL},
		G_OPTION_ENTRY_NULL,
	};
	if (!cli_options(entries,
		    "--against PATH - what these policies would have done with stored mail; exit 1: --baseline would "
		    "have done otherwise, 75: stopped",
		    &argc, &argv))
		return EX_USAGE;
	if (argc > 1 || t.against == NULL)
		return cli_fail(EX_USAGE, "policy test: name the mail with --against PATH");
	if (t.rows && !t.json)
		return cli_fail(EX_USAGE, "policy test: --rows is of --json: give both");
	if (t.jobs < 0 || t.jobs > 1000)
		return cli_fail(EX_USAGE, "policy test: --jobs %d: 1 to 1000", t.jobs);
	return prepare_and_run(&t);
}
