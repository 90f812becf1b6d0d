/*
 * `missent config check`: the settings come in, out goes what they are and what is wrong with them.  The
 * tool's one thread.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "missent/doctor.h"
#include "missent/store.h"

#include "cli.h"

static void show_value(const MsSection *section, const MsRow *row)
{
	const char *mark = ms_section_given(section, row->key) ? "" : "  # default";
	if (row->type == MS_ROW_LIST) {
		printf("%s = {", row->key);
		const char *const *p = ms_section_list(section, row->key);
		for (int i = 0; p[i] != NULL; i++)
			printf("%s\"%s\"", i > 0 ? ", " : "", p[i]);
		printf("}%s\n", mark);
	} else {
		const char *text = ms_section_text(section, row->key);
		if (text != NULL)
			printf("%s = \"%s\"%s\n", row->key, text, mark);
	}
}

static void show(const MsSection *section, const MsRow *rows, const char *indent)
{
	for (; rows->key != NULL; rows++) {
		printf("%s", rows->rows == NULL ? indent : "");
		if (rows->rows == NULL) {
			if (rows->type != MS_ROW_LIST && ms_section_text(section, rows->key) == NULL)
				printf("# %s is not set\n", rows->key);
			else
				show_value(section, rows);
		} else {
			printf("%s {\n", rows->key);
			show(ms_section_sub(section, rows->key), rows->rows, "\t");
			printf("}\n");
		}
	}
}

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
	if (!cli_options(NULL, "check|show - check configuration, kinds and policies; show what is in "
			"effect", &argc, &argv))
		return EX_USAGE;
	if (argc == 2 && strcmp(argv[1], "check") == 0)
		return check(cli);
	if (argc != 2 || strcmp(argv[1], "show") != 0)
		return cli_fail(EX_USAGE, "config: check or show?");
	g_autoptr(GError) error = NULL;
	g_autoptr(MsSection) root = ms_config_load(cli->config, ms_settings_rows, &error);
	if (root == NULL)
		return cli_fail_error(error);
	show(root, ms_settings_rows, "");
	return 0;
}
