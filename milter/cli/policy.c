/*
 * missent policy: what is odd in policies, for people, for programs (--json), and for CI (the
 * exit code).
 *
 * 0 nothing, 1 a warning, 2 a fault; a folder or file that cannot be read is none of these, but a
 * failure.  The tool's one thread.
 */
#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "missent/audit.h"
#include "missent/backtest.h"
#include "missent/history.h"
#include "missent/maillog.h"
#include "missent/policylint.h"

#include "cli.h"

/* ---- lint ----------------------------------------------------------------------------- */

typedef struct {
	char *trail, *since, *log, *dir;
	gboolean json, list, no_trail;
} Said;

static void said_clear(Said *said)
{
	g_free(said->trail);
	g_free(said->since);
	g_free(said->log);
	g_free(said->dir);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Said, said_clear)

static void print_people(const Cli *cli, const GPtrArray *findings)
{
	static const Colour colours[MS_N_LINT] = {YELLOW, RED};
	guint counts[MS_N_LINT] = {0};
	for (guint i = 0; i < findings->len; i++) {
		const MsLintFinding *f = findings->pdata[i];
		g_autofree char *text = cli_cell(f->text, 0), *about = cli_cell(f->about, 0),
				*file = cli_cell(f->file, 0);
		counts[f->weight]++;
		g_autofree char *line = f->line > 0 ? g_strdup_printf(":%d", f->line)
						    : g_strdup("");
		printf("%s%s: %s%s%s (%s): %s%s%s%s\n", file, line,
			cli_colour(cli, colours[f->weight]), ms_lint_weight_names[f->weight],
			cli_colour(cli, PLAIN), f->check, *about != '\0' ? "\"" : "", about,
			*about != '\0' ? "\": " : "", text);
		if (*f->remedy != '\0')
			printf("    %s\n", f->remedy);
	}
	if (findings->len > 0)
		printf("%u %s, %u %s\n", counts[MS_LINT_FAULT],
			counts[MS_LINT_FAULT] == 1 ? "fault" : "faults", counts[MS_LINT_WARNING],
			counts[MS_LINT_WARNING] == 1 ? "warning" : "warnings");
	else
		printf("nothing is odd\n");
}

static int code_of(const GPtrArray *findings)
{
	int code = 0;
	for (guint i = 0; i < findings->len; i++)
		code = MAX(code,
			((const MsLintFinding *)findings->pdata[i])->weight == MS_LINT_FAULT ? 2
											     : 1);
	return code;
}

static void print_json(const GPtrArray *findings)
{
	json_t *list = json_array();
	for (guint i = 0; i < findings->len; i++) {
		const MsLintFinding *f = findings->pdata[i];
		g_autofree char *file = g_utf8_make_valid(f->file, -1),
				*text = g_utf8_make_valid(f->text, -1);
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:s, s:i, s:s, s:s, s:s}", "check", f->check,
				"weight", ms_lint_weight_names[f->weight], "file", file, "line",
				f->line, "about", f->about, "text", text, "remedy", f->remedy));
	}
	json_t *all = json_pack("{s:i, s:o}", "exit", code_of(findings), "findings", list);
	cli_print_json(all);
}

static int list_rows(const Cli *cli)
{
	const MsLintRow *row;
	for (guint i = 0; (row = ms_policy_lint_row(i)) != NULL; i++)
		cli_check_row(cli, row->name, ms_lint_weight_names[row->weight], row->looks);
	return 0;
}

static GPtrArray *read_log(const char *path, GError **error)
{
	const MsMaillogOptions options = {0};
	const char *const paths[] = {path, NULL};
	g_autoptr(MsMaillog) log = ms_maillog_new(&options);
	if (!ms_maillog_read(log, paths, error))
		return NULL;
	GPtrArray *envelopes = g_ptr_array_new_with_free_func((GDestroyNotify)ms_envelope_free);
	const GPtrArray *mails = ms_maillog_mails(log);
	for (guint i = 0; i < mails->len; i++) {
		const MsMail *mail = mails->pdata[i];
		if (mail->sender == NULL || !mail->accepted ||
			(mail->came != MS_CAME_SMTP && mail->came != MS_CAME_LOCAL))
			continue;
		MsEnvelope *envelope = ms_envelope_new();
		envelope->sender = g_strdup(mail->sender);
		envelope->client_address = g_strdup(mail->client);
		envelope->auth_user = g_strdup(mail->auth_user);
		envelope->arrived = mail->first;
		g_ptr_array_add(envelopes, envelope);
	}
	return envelopes;
}

#define MONTH (30 * 86400 * (gint64)G_USEC_PER_SEC)

/* The key alone; without it digests of senders are not compared. */
static MsApplied *read_trail(Cli *cli, const char *trail, const char *since, GError **error)
{
	guint8 key[MS_AUDIT_KEY_BYTES];
	gint64 now = g_get_real_time(), from = now - MONTH;
	gint64 to = now;
	if (!cli_period(&(CliPeriod){"since", since, "until", NULL}, now, &from, &to, error))
		return NULL;
	CliSession session = {0};
	bool has = cli_begin(&session, cli) == 0 && cli_audit_key(&session, key);
	cli_end(&session);
	MsApplied *applied = ms_applied_read(trail, from, now, has ? key : NULL, error);
	explicit_bzero(key, sizeof key);
	return applied;
}

static int run_lint(Cli *cli, const Said *said, const MsSettings *s, const MsLintOptions *options)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsApplied) applied = NULL;
	g_autoptr(GPtrArray) envelopes = NULL;
	MsLintMail mail = {0};
	MsLintOptions with = *options;
	const char *trail = said->trail != NULL  ? said->trail
		: s != NULL && said->dir == NULL ? s->audit_file
						 : NULL;
	if (said->trail != NULL && !ms_audit_is_there(said->trail, &error))
		return cli_fail_error(error);
	if (trail != NULL && !said->no_trail) {
		applied = read_trail(cli, trail, said->since, &error);
		if (applied == NULL)
			return cli_fail_error(error);
		ms_applied_lint(applied, &mail);
	}
	if (said->log != NULL && (envelopes = read_log(said->log, &error)) == NULL)
		return cli_fail_error(error);
	mail.envelopes = envelopes;
	with.mail = &mail;
	g_autoptr(GPtrArray) findings = ms_policy_lint(&with, &error);
	if (findings == NULL)
		return cli_fail_error(error);
	if (said->json)
		print_json(findings);
	else
		print_people(cli, findings);
	return code_of(findings);
}

static int lint(Cli *cli, int argc, char **argv)
{
	g_auto(Said) said = {0};
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &said.json, "for programs", NULL},
		{"list", 0, 0, G_OPTION_ARG_NONE, &said.list, "the checks: what each looks at",
			NULL},
		{"policies", 0, 0, G_OPTION_ARG_FILENAME, &said.dir,
			"this folder, with the kinds.conf in it; missent.conf is not read", "DIR"},
		{"mail-log", 0, 0, G_OPTION_ARG_FILENAME, &said.log,
			"the MTA's log: which policies does none of its mail fall under?", "FILE"},
		{"trail", 0, 0, G_OPTION_ARG_FILENAME, &said.trail, "another audit trail", "FILE"},
		{"since", 0, 0, G_OPTION_ARG_STRING, &said.since, "of the trail (-30d)", "TIME"},
		{"no-trail", 0, 0, G_OPTION_ARG_NONE, &said.no_trail, "leave the trail out", NULL},
		{NULL},
	};
	if (!cli_options(entries, "- find what is odd in policies and kinds", &argc, &argv))
		return EX_USAGE;
	if (argc > 1)
		return cli_fail(EX_USAGE, "lint takes no argument; --policies DIR names a folder");
	if (said.list)
		return list_rows(cli);
	g_autoptr(GError) error = NULL;
	g_autofree char *kinds = said.dir != NULL ? g_build_filename(said.dir, "kinds.conf", NULL)
						  : NULL;
	g_autoptr(MsSettings) s = said.dir == NULL ? ms_settings_load_public(cli->config, &error)
						   : NULL;
	if (error != NULL)
		return cli_fail_error(error);
	const MsLintOptions options = {.dir = said.dir != NULL ? said.dir : s->policy_dir,
		.kinds_file = kinds != NULL ? kinds : s->kinds_file,
		.mode = s != NULL ? s->mode : MS_MODE_OBSERVE,
		.settings = s,
		.in_use = said.dir == NULL};
	return run_lint(cli, &said, s, &options);
}

static void print_failed(const MsPolicyTest *test, const char *problem, void *user)
{
	(void)user;
	printf("%s:%d: test \"%s\": %s\n", test->file, test->line, test->title, problem);
}

static int check(Cli *cli, int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *dir = NULL;
	guint tests = 0;
	const GOptionEntry entries[] = {
		{"policies", 0, 0, G_OPTION_ARG_FILENAME, &dir,
			"of this folder, with the kinds.conf in it (those in use)", "DIR"},
		{NULL},
	};
	if (!cli_options(entries, "- run the tests that stand beside policies; exit 1: one failed",
		    &argc, &argv))
		return EX_USAGE;
	if (argc > 1)
		return cli_fail(EX_USAGE, "check takes no argument; --policies DIR names a folder");
	bool fine = ms_backtest_beside(cli->config, dir, print_failed, NULL, &tests, &error);
	if (error != NULL)
		return cli_fail_error(error);
	if (fine && tests == 0)
		printf("there is no test beside these policies (missent-policy(5) says how to write one)\n");
	else if (fine)
		printf("%u test%s passed\n", tests, tests == 1 ? "" : "s");
	return fine ? 0 : 1;
}

static const CliVerb verbs[] = {
	{"check", check, "run the tests that stand beside them"},
	{"lint", lint, "find what is odd in policies and kinds"},
	{"report", cli_policy_report, "what enforcing would have held, and is it safe?"},
	{"test", cli_backtest,
		"what they would have done with stored mail, and where others would do otherwise"},
	{NULL, NULL, NULL},
};

int cmd_policy(Cli *cli, int argc, char **argv)
{
	return cli_dispatch(cli, verbs, "missent policy VERB ...", argc, argv);
}
