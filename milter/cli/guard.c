/*
 * missent guard: which streams of mail are stopped, and letting them run again.  One thread.
 */
#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "missent/answer.h"
#include "missent/audit.h"

#include "cli.h"

typedef struct {
	MsSettings *settings;
	MsGuard *guard;
	MsAudit *audit;
} GuardSession;

static int begin(GuardSession *session, const Cli *cli)
{
	g_autoptr(GError) error = NULL;
	session->settings = ms_settings_load(cli->config, &error);
	if (session->settings == NULL)
		return cli_fail_error(error);
	if (!session->settings->guard.enabled)
		return cli_fail(EX_CONFIG, "the guard is switched off: guard { enabled = no }");
	session->audit = ms_audit_new(session->settings->audit_file);
	session->guard = ms_engine_open_guard(session->settings, &error);
	return session->guard != NULL ? 0 : cli_fail_error(error);
}

static void end(GuardSession *session)
{
	ms_guard_free(session->guard);
	ms_audit_free(session->audit);
	ms_settings_free(session->settings);
}

/* ---- status --------------------------------------------------------------------------- */

static void print_state(const Cli *cli, const MsGuardState *s)
{
	g_autofree char *label = cli_cell(s->label, 0);
	g_autofree char *when = cli_time(
		(s->tripped != 0 ? s->tripped : s->last_bad) * G_USEC_PER_SEC);
	printf("%s%s%s %s\n", cli_colour(cli, s->tripped != 0 ? RED : GREEN),
		s->tripped != 0 ? "stopped" : "runs   ", cli_colour(cli, PLAIN), label);
	if (s->tripped != 0)
		printf("        since %s, %u message%s since; ", when, s->held, CLI_S(s->held));
	else
		printf("        last wrong one %s; ", when);
	printf("%u of the last %u wrong, %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
	       " in all\n        %s\n",
		s->bad, s->recent, s->all_bad, s->all, s->id);
}

static void print_json(const MsGuardStatus *status)
{
	json_t *list = json_array();
	for (guint i = 0; i < status->states->len; i++) {
		const MsGuardState *s = status->states->pdata[i];
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "id", s->id,
				"stream", s->label, "stopped", (int)(s->tripped != 0), "stopped_at",
				(json_int_t)s->tripped, "last_wrong", (json_int_t)s->last_bad,
				"wrong_of_last", (json_int_t)s->bad, "last", (json_int_t)s->recent,
				"since_stopped", (json_int_t)s->held, "messages",
				(json_int_t)s->all, "wrong", (json_int_t)s->all_bad));
	}
	json_t *all = json_pack("{s:I, s:o}", "born", (json_int_t)status->born, "streams", list);
	cli_print_json(all);
}

static int print_status(const Cli *cli, const GuardSession *session, bool json)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsGuardStatus) status = NULL;
	if (ms_guard_status(session->guard, &status, &error) != MS_FOUND)
		return cli_fail_error(error);
	guint stopped = 0;
	for (guint i = 0; i < status->states->len; i++)
		stopped += ((MsGuardState *)status->states->pdata[i])->tripped != 0;
	if (json) {
		print_json(status);
		return stopped > 0;
	}
	g_autofree char *since = status->born != 0 ? cli_time(status->born * G_USEC_PER_SEC) : NULL;
	if (since == NULL)
		printf("nothing was counted yet (or all of it is lost, or was counted with another key)\n");
	else
		printf("counts since %s; %u stream%s stopped\n", since, stopped, CLI_S(stopped));
	gint64 age = g_get_real_time() / G_USEC_PER_SEC - status->born;
	if (since != NULL && age < session->settings->guard.limits.learn)
		printf("it still learns: who usually gets what is not known well yet\n");
	for (guint i = 0; i < status->states->len; i++)
		print_state(cli, status->states->pdata[i]);
	return stopped > 0;
}

static int do_status(Cli *cli, int argc, char **argv)
{
	gboolean json = FALSE;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "as JSON", NULL},
		G_OPTION_ENTRY_NULL,
	};
	if (!cli_options(entries,
		    "- streams that are stopped or had wrong mail; exit 1: one is stopped", &argc,
		    &argv))
		return EX_USAGE;
	if (argc != 1)
		return cli_fail(EX_USAGE, "guard status: takes no arguments");
	GuardSession session = {0};
	int rc = begin(&session, cli);
	if (rc == 0)
		rc = print_status(cli, &session, json);
	end(&session);
	return rc;
}

/* ---- reset ---------------------------------------------------------------------------- */

static int reset_one(const GuardSession *session, const MsGuardState *state, const char *why)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *detail = g_strdup_printf("%s: %s", state->label, why);
	/* Written down before it is done: an act without a line there is none. */
	if (!ms_audit_event(
		    session->audit, cli_who(), "", MS_EVENT_STREAM_RESET, state->id, detail, &error))
		return cli_fail_error(error);
	MsAnswer answer = ms_guard_reset(
		session->guard, state->id, g_get_real_time() / G_USEC_PER_SEC, &error);
	if (answer == MS_ABSENT)
		return 0; /* another was faster */
	if (answer != MS_FOUND)
		return cli_fail_error(error);
	g_autofree char *label = cli_cell(state->label, 0);
	printf("runs again: %s\n", label);
	return 0;
}

static int reset(const GuardSession *session, const char *which, const char *why)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsGuardStatus) status = NULL;
	if (ms_guard_status(session->guard, &status, &error) != MS_FOUND)
		return cli_fail_error(error);
	guint n = 0;
	int rc = 0;
	for (guint i = 0; i < status->states->len && rc == 0; i++) {
		const MsGuardState *state = status->states->pdata[i];
		if (state->tripped == 0 || (which != NULL && strcmp(state->id, which) != 0))
			continue;
		n++;
		rc = reset_one(session, state, why);
	}
	if (n == 0)
		return cli_fail(which != NULL ? EX_DATAERR : 1,
			which != NULL
				? "no stream that is stopped has this ID; see missent guard status"
				: "no stream is stopped");
	return rc;
}

static int do_reset(Cli *cli, int argc, char **argv)
{
	gboolean all = FALSE;
	g_autofree char *why = NULL;
	const GOptionEntry entries[] = {
		{"all", 0, 0, G_OPTION_ARG_NONE, &all, "all streams that are stopped", NULL},
		{"why", 0, 0, G_OPTION_ARG_STRING, &why, "the reason, for the trail", "TEXT"},
		G_OPTION_ENTRY_NULL,
	};
	if (!cli_options(entries, "ID - lets a stream run again", &argc, &argv))
		return EX_USAGE;
	if (argc != (all ? 1 : 2) || why == NULL || *why == '\0')
		return cli_fail(EX_USAGE,
			"guard reset: give an ID of missent guard status, or --all, and --why TEXT");
	GuardSession session = {0};
	int rc = begin(&session, cli);
	if (rc == 0)
		rc = reset(&session, all ? NULL : argv[1], why);
	end(&session);
	return rc;
}

int cmd_guard(Cli *cli, int argc, char **argv)
{
	static const CliVerb verbs[] = {
		{"status", do_status, "which streams are stopped, or had wrong mail"},
		{"reset", do_reset, "let a stream run again"},
		{NULL, NULL, NULL},
	};
	return cli_dispatch(cli, verbs, "missent guard VERB ...", argc, argv);
}
