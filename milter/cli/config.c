/*
 * `missent config check`: the settings come in, out goes what is wrong with them.  The tool's one
 * thread.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "missent/doctor.h"
#include "missent/store.h"

#include "cli.h"

/* How many of each weight are told. */
static bool complain_of(
	MsRuntime *runtime, const char *config, guint counts[MS_GRAVITY_FAULT + 1], GError **error)
{
	const MsDoctorOptions options = {.runtime = runtime, .config = config};
	g_autoptr(GPtrArray) complaints = ms_doctor_examine(&options, error);
	for (guint i = 0; complaints != NULL && i < complaints->len; i++) {
		const MsComplaint *complaint = complaints->pdata[i];
		counts[complaint->gravity]++;
		cli_fail(0, "%s: %s%s%s", ms_gravity_names[complaint->gravity], complaint->text,
			*complaint->remedy != '\0' ? ". " : "", complaint->remedy);
	}
	return complaints != NULL;
}

/* Addresses and files must do; that it answers now is not asked of a configuration. */
static bool check_redis(const MsSettings *s, GError **error)
{
	if (s->backend != MS_BACKEND_REDIS)
		return true;
	g_autoptr(MsRedis) redis = ms_redis_new(&s->redis, error);
	return redis != NULL;
}

static int check(Cli *cli)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsRuntime) runtime = ms_runtime_load(cli->config, 0, NULL, &error);
	if (runtime == NULL)
		return cli_fail_error(error);
	const MsPolicies *policies = ms_runtime_policies(runtime);
	for (guint i = 0; i < ms_policies_count(policies); i++) {
		bool enforced;
		const char *title = ms_policies_nth(policies, i, &enforced);
		printf("policy %s: %s\n", title, enforced ? "enforce" : "observe");
	}
	guint counts[MS_GRAVITY_FAULT + 1] = {0};
	if (!check_redis(ms_runtime_settings(runtime), &error) ||
		!complain_of(runtime, cli->config, counts, &error))
		return cli_fail_error(error);
	guint kinds = ms_kinds_count(ms_runtime_kinds(runtime)), n = ms_policies_count(policies);
	guint faults = counts[MS_GRAVITY_FAULT], warnings = counts[MS_GRAVITY_WARNING];
	printf("%s: ", cli->config);
	if (faults > 0)
		printf("%u fault%s, ", faults, CLI_S(faults));
	if (warnings > 0)
		printf("%u warning%s, ", warnings, CLI_S(warnings));
	printf("%s%u kind%s, %u %s\n", faults + warnings == 0 ? "fine, " : "", kinds,
		CLI_S(kinds), n, n == 1 ? "policy" : "policies");
	return faults > 0;
}

static int do_check(Cli *cli, int argc, char **argv)
{
	if (!cli_options(NULL, "- check configuration, kinds and policies", &argc, &argv))
		return EX_USAGE;
	return argc == 1 ? check(cli) : cli_fail(EX_USAGE, "config check: takes no arguments");
}

static int do_show(Cli *cli, int argc, char **argv)
{
	gboolean json = false, policies = false;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "for programs", NULL},
		{"policies", 0, 0, G_OPTION_ARG_NONE, &policies, "the policies too", NULL},
		{NULL},
	};
	if (!cli_options(entries, "- every setting in effect, and where it is said", &argc, &argv))
		return EX_USAGE;
	return argc == 1 ? cli_config_show(cli, json, policies)
			 : cli_fail(EX_USAGE, "config show: takes no arguments");
}

static const CliVerb verbs[] = {
	{"check", do_check, "check configuration, kinds and policies"},
	{"show", do_show, "every setting in effect"},
	{NULL, NULL, NULL},
};

int cmd_config(Cli *cli, int argc, char **argv)
{
	return cli_dispatch(cli, verbs, "missent config VERB ...", argc, argv);
}
