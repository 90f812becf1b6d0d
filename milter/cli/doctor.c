/*
 * missent doctor: all checks, for people, for programs (--json), and for monitoring (the exit
 * code).
 *
 * 0 nothing, 1 a warning, 2 a fault, 3 something that could not be looked at: what Nagios and its
 * kin take.  The tool's one thread.
 */
#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "missent/desk.h"
#include "missent/doctor.h"

#include "cli.h"

static const char *sign_of(MsGravity gravity)
{
	return gravity == MS_GRAVITY_UNKNOWN ? "not looked at" : ms_gravity_names[gravity];
}

static void print_people(const Cli *cli, const GPtrArray *complaints, bool quiet)
{
	static const Colour colours[] = {DIM, YELLOW, RED};
	guint counts[3] = {0};
	for (guint i = 0; i < complaints->len; i++) {
		const MsComplaint *c = complaints->pdata[i];
		counts[c->gravity]++;
		printf("%s%s%s (%s): %s\n", cli_colour(cli, colours[c->gravity]),
			sign_of(c->gravity), cli_colour(cli, PLAIN), c->check, c->text);
		if (*c->remedy != '\0')
			printf("    %s\n", c->remedy);
	}
	if (complaints->len > 0)
		printf("%u %s, %u %s, %u not looked at\n", counts[2],
			counts[2] == 1 ? "fault" : "faults", counts[1],
			counts[1] == 1 ? "warning" : "warnings", counts[0]);
	else if (!quiet)
		printf("nothing is wrong\n");
}

static void print_json(const GPtrArray *complaints, int code)
{
	json_t *list = json_array();
	for (guint i = 0; i < complaints->len; i++) {
		const MsComplaint *c = complaints->pdata[i];
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:s, s:s}", "check", c->check, "gravity",
				ms_gravity_names[c->gravity], "text", c->text, "remedy",
				c->remedy));
	}
	json_t *all = json_pack("{s:i, s:o}", "exit", code, "complaints", list);
	cli_print_json(all);
}

static int code_of(const GPtrArray *complaints)
{
	static const int codes[] = {3, 1, 2};
	return complaints->len == 0 ? 0
				    : codes[((const MsComplaint *)complaints->pdata[0])->gravity];
}

static int list_checks(const Cli *cli)
{
	const MsCheckRow *row;
	for (guint i = 0; (row = ms_doctor_row(i)) != NULL; i++) {
		cli_check_row(cli, row->name, ms_gravity_names[row->gravity], row->looks);
		printf("%30s%s\n", "", row->remedy);
	}
	return 0;
}

#define PROBE_MS 20000

static bool send_probe(const char *config, MsDoctorTell tell, void *user, GError **error)
{
	g_autoptr(MsDesk) desk = ms_desk_open(config, error);
	return desk != NULL && ms_desk_probe(desk, PROBE_MS, tell, user, error);
}

int cmd_doctor(Cli *cli, int argc, char **argv)
{
	gboolean json = false, list = false, quiet = false, probe = false;
	g_autofree char *only = NULL, *log = NULL;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "for programs", NULL},
		{"quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "say nothing when nothing is wrong",
			NULL},
		{"list", 0, 0, G_OPTION_ARG_NONE, &list,
			"the checks: what each looks at, and what to do", NULL},
		{"only", 0, 0, G_OPTION_ARG_STRING, &only, "one check", "CHECK"},
		{"probe", 0, 0, G_OPTION_ARG_NONE, &probe,
			"send mail that must be held through each listener, and see", NULL},
		{"mail-log", 0, 0, G_OPTION_ARG_FILENAME, &log, "the MTA's log", "FILE"},
		{NULL},
	};
	if (!cli_options(
		    entries, "- find what is wrong with this installation, or open", &argc, &argv))
		return EX_USAGE;
	if (list)
		return list_checks(cli);
	g_autoptr(GError) error = NULL;
	g_autoptr(MsRuntime) runtime = ms_runtime_load(cli->config, 0, NULL, &error);
	const MsDoctorOptions options = {.runtime = runtime,
		.config = cli->config,
		.all = true,
		.mail_log = log,
		.only = only,
		.probe = probe || g_strcmp0(only, "probe") == 0 ? send_probe : NULL};
	g_autoptr(GPtrArray) complaints = runtime != NULL ? ms_doctor_examine(&options, &error)
							  : NULL;
	if (complaints == NULL)
		return cli_fail_error(error);
	if (json)
		print_json(complaints, code_of(complaints));
	else
		print_people(cli, complaints, quiet);
	return code_of(complaints);
}
