/*
 * `missent config check`: the settings come in, out goes what is wrong with them.  The tool's one thread.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "missent/doctor.h"
#include "missent/store.h"

#include "cli.h"

static bool complain_of(MsRuntime *runtime, const char *config, GError **error)
{
	const MsDoctorOptions options = {.runtime = runtime, .config = config};
	g_autoptr(GPtrArray) complaints = ms_doctor_examine(&options, error);
	for (guint i = 0; complaints != NULL && i < complaints->len; i++) {
		const MsComplaint *complaint = complaints->pdata[i];
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
	if (!check_redis(ms_runtime_settings(runtime), &error) || !complain_of(runtime, cli->config, &error))
		return cli_fail_error(error);
	printf("%s: fine, %u kinds, %u policies\n", cli->config,
		ms_kinds_count(ms_runtime_kinds(runtime)), ms_policies_count(policies));
	return 0;
}

int cmd_config(Cli *cli, int argc, char **argv)
{
	gboolean json = false, policies = false;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "show: for programs", NULL},
		{"policies", 0, 0, G_OPTION_ARG_NONE, &policies, "show: the policies too", NULL},
		{NULL},
	};
	if (!cli_options(entries, "check|show - check configuration, kinds and policies; show what is in effect, and where it "
			"is said", &argc, &argv))
		return EX_USAGE;
	if (argc == 2 && strcmp(argv[1], "check") == 0)
		return check(cli);
	if (argc != 2 || strcmp(argv[1], "show") != 0)
		return cli_fail(EX_USAGE, "config: check or show?");
	return cli_config_show(cli, json, policies);
}
