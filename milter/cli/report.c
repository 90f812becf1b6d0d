/*
 * missent policy report: what enforcing a policy would have held, from the audit trail, and
 * whether there is anything against enforcing it.  0: nothing is, of any policy that was asked
 * for; 1: something is.  The tool's one thread.
 */
#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "missent/answer.h"
#include "missent/ask.h"
#include "missent/audit.h"
#include "missent/history.h"
#include "missent/text.h"

#include "cli.h"

#define MONTH_US (30 * 86400 * (gint64)G_USEC_PER_SEC)
#define MOST_GROUPS 15

/* ---- what the lint says of it ---------------------------------------------------------- */

/* A policy that is odd is not to be enforced before somebody has looked at it. */
static bool add_lint(const MsSettings *s, const GPtrArray *reports, GError **error)
{
	const MsLintOptions options = {
		.dir = s->policy_dir, .kinds_file = s->kinds_file, .mode = s->mode, .settings = s};
	g_autoptr(GPtrArray) findings = ms_policy_lint(&options, error);
	for (guint i = 0; findings != NULL && i < reports->len; i++)
		ms_policy_report_lint(reports->pdata[i], findings);
	return findings != NULL;
}

/* ---- for people ------------------------------------------------------------------------ */

static void print_example(const MsReportExample *e)
{
	g_autofree char *time = cli_time(e->time), *sender = cli_cell(e->sender, 0),
			*recipient = cli_cell(e->recipient, 0);
	g_autofree char *identifier = cli_cell(e->identifier, 0), *where = cli_cell(e->where, 0),
			*account = cli_cell(e->account, 0);
	printf("        %s  %s  %s", time, *e->queue_id != '\0' ? e->queue_id : "-", sender);
	if (*recipient != '\0')
		printf(" to %s", recipient);
	if (*identifier != '\0')
		printf(": %s", identifier);
	if (*where != '\0')
		printf(" in %s", where);
	if (*account != '\0')
		printf(" of %s", account);
	printf("\n");
}

static void print_groups(const MsPolicyReport *r)
{
	for (guint i = 0; i < MIN(r->groups->len, MOST_GROUPS); i++) {
		const MsReportGroup *group = r->groups->pdata[i];
		g_autofree char *cause = cli_cell(group->cause, 0);
		printf("    %6" G_GUINT64_FORMAT "  %s (%.1f %% of what would not go, on %u %s)\n",
			group->messages, cause,
			100.0 * (double)group->messages /
				(double)MAX(r->held + r->delayed + r->rejected, 1),
			group->days, group->days == 1 ? "day" : "days");
		for (guint k = 0; k < group->examples->len; k++)
			print_example(group->examples->pdata[k]);
	}
	if (r->groups->len > MOST_GROUPS)
		printf("    %u causes more (--json)\n", r->groups->len - MOST_GROUPS);
}

static void print_report(const Cli *cli, const MsPolicyReport *r)
{
	g_autofree char *title = cli_cell(r->policy, 0);
	printf("%spolicy %s%s\n", cli_colour(cli, BOLD), title, cli_colour(cli, PLAIN));
	if (r->judged > 0) {
		g_autofree char *from = cli_time(r->from), *to = cli_time(r->to);
		printf("  %" G_GUINT64_FORMAT " messages from %s to %s; %s\n", r->judged, from, to,
			r->enforced == 0 ? "observed"
				: r->enforced ==
					r->held + r->delayed + r->rejected + r->deferred + r->tagged
				? "enforced"
				: "partly enforced");
		printf("  enforced, it holds %" G_GUINT64_FORMAT ", delays %" G_GUINT64_FORMAT
		       ", rejects %" G_GUINT64_FORMAT ", defers %" G_GUINT64_FORMAT
		       ", tags %" G_GUINT64_FORMAT "\n",
			r->held, r->delayed, r->rejected, r->deferred, r->tagged);
		printf("  work: %.0f minutes a day on average", r->minutes_a_day);
		if (r->worst > 0)
			printf(", at most %" G_GUINT64_FORMAT " messages a day (%s)", r->worst,
				r->worst_day);
		printf("; %u %s, each of which can be decided on at once\n", r->groups->len,
			r->groups->len == 1 ? "cause" : "causes");
		print_groups(r);
	}
	if (r->objections->len == 0) {
		printf("  %ssafe to enforce%s\n", cli_colour(cli, GREEN), cli_colour(cli, PLAIN));
		return;
	}
	printf("  %snot safe to enforce%s:\n", cli_colour(cli, RED), cli_colour(cli, PLAIN));
	for (guint i = 0; i < r->objections->len; i++) {
		g_autofree char *text = cli_cell(r->objections->pdata[i], 0);
		printf("    - %s\n", text);
	}
}

/* ---- for programs ----------------------------------------------------------------------- */

static json_t *json_of_group(const MsReportGroup *group)
{
	json_t *examples = json_array();
	for (guint i = 0; i < group->examples->len; i++) {
		const MsReportExample *e = group->examples->pdata[i];
		json_array_append_new(examples,
			json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "time",
				(json_int_t)(e->time / G_USEC_PER_SEC), "queue_id", e->queue_id,
				"record", e->record, "sender", e->sender, "recipient", e->recipient,
				"identifier", e->identifier, "where", e->where, "account",
				e->account));
	}
	return json_pack("{s:s, s:I, s:I, s:I, s:o}", "cause", group->cause, "messages",
		(json_int_t)group->messages, "recipients", (json_int_t)group->recipients, "days",
		(json_int_t)group->days, "examples", examples);
}

static json_t *json_of(const MsPolicyReport *r)
{
	json_t *groups = json_array(), *objections = ms_texts_to_json(r->objections);
	for (guint i = 0; i < r->groups->len; i++)
		json_array_append_new(groups, json_of_group(r->groups->pdata[i]));
	json_t *out = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "policy",
		r->policy, "from", (json_int_t)(r->from / G_USEC_PER_SEC), "to",
		(json_int_t)(r->to / G_USEC_PER_SEC), "judged", (json_int_t)r->judged, "held",
		(json_int_t)r->held, "delayed", (json_int_t)r->delayed, "rejected",
		(json_int_t)r->rejected, "deferred", (json_int_t)r->deferred, "tagged",
		(json_int_t)r->tagged, "enforced", (json_int_t)r->enforced, "worst",
		(json_int_t)r->worst);
	json_object_set_new(out, "worst_day", json_string(r->worst_day));
	json_object_set_new(out, "minutes_a_day", json_real(r->minutes_a_day));
	json_object_set_new(out, "causes", groups);
	json_object_set_new(out, "safe", json_boolean(json_array_size(objections) == 0));
	json_object_set_new(out, "objections", objections);
	return out;
}

static void print_json(const GPtrArray *reports)
{
	json_t *list = json_array();
	for (guint i = 0; i < reports->len; i++)
		json_array_append_new(list, json_of(reports->pdata[i]));
	cli_print_json(list);
}

/* ---- the command ------------------------------------------------------------------------ */

/* Those that were named, or all; NULL: one of them is none. */
static const char **titles_of(const MsPolicies *policies, int argc, char **argv)
{
	guint n = ms_policies_count(policies);
	bool enforced;
	g_autofree const char **all = g_new0(const char *, n + 1);
	for (guint i = 0; i < n; i++)
		all[i] = ms_policies_nth(policies, i, &enforced);
	if (argc < 2)
		return g_steal_pointer(&all);
	const char **some = g_new0(const char *, argc);
	for (int i = 1; i < argc; i++) {
		some[i - 1] = argv[i];
		if (g_strv_contains(all, argv[i]))
			continue;
		const char *near = ms_text_nearest(argv[i], all);
		cli_fail(EX_USAGE, "there is no policy \"%s\"%s%s%s", argv[i],
			near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
			near != NULL ? "\"?" : "");
		g_free(some);
		return NULL;
	}
	return some;
}

static int tell(Cli *cli, const GPtrArray *reports, bool json)
{
	int code = 0;
	for (guint i = 0; i < reports->len; i++) {
		const MsPolicyReport *r = reports->pdata[i];
		code |= r->objections->len > 0;
		if (!json)
			print_report(cli, r);
	}
	if (json)
		print_json(reports);
	return code;
}

int cli_policy_report(Cli *cli, int argc, char **argv)
{
	gboolean json = false;
	gint64 least = -1, most_a_day = -1;
	g_autofree char *since = NULL, *until = NULL, *trail = NULL;
	MsReportLimits limits;
	ms_report_limits(&limits);
	const GOptionEntry entries[] = {
		{"since", 0, 0, G_OPTION_ARG_STRING, &since, "2026-11-20, or -30d (which it is)",
			"TIME"},
		{"until", 0, 0, G_OPTION_ARG_STRING, &until, "now", "TIME"},
		{"trail", 0, 0, G_OPTION_ARG_FILENAME, &trail, "another trail", "FILE"},
		{"least", 0, 0, G_OPTION_ARG_INT64, &least, "messages that tell something (100)",
			"N"},
		{"most-held", 0, 0, G_OPTION_ARG_DOUBLE, &limits.most_held,
			"of its mail that may be held (2)", "PER CENT"},
		{"most-a-day", 0, 0, G_OPTION_ARG_INT64, &most_a_day,
			"messages that reviewers can look at (50)", "N"},
		{"minutes", 0, 0, G_OPTION_ARG_DOUBLE, &limits.minutes,
			"that one takes a reviewer (3)", "MINUTES"},
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "for programs", NULL},
		{NULL},
	};
	if (!cli_options(entries, "[POLICY...] - what enforcing would have held, and is it safe?",
		    &argc, &argv))
		return EX_USAGE;
	if (least < -1 || most_a_day < -1 || !(limits.most_held >= 0 && limits.most_held <= 100) ||
		!(limits.minutes >= 0))
		return cli_fail(EX_USAGE,
			"policy report: --least, --most-a-day and --minutes are 0 or more, --most-held 0 to 100 per cent");
	limits.least = least >= 0 ? (guint64)least : limits.least;
	limits.most_a_day = most_a_day >= 0 ? (guint64)most_a_day : limits.most_a_day;
	g_autoptr(GError) error = NULL;
	gint64 now = g_get_real_time(), from = now - MONTH_US, to = now;
	if (!cli_period(&(CliPeriod){"since", since, "until", until}, now, &from, &to, &error))
		return cli_fail(EX_USAGE, "%s", error->message);
	if (trail != NULL && !ms_audit_is_there(trail, &error))
		return cli_fail_error(error);
	g_autoptr(MsRuntime) runtime = ms_runtime_load(cli->config, 0, NULL, &error);
	if (runtime == NULL)
		return cli_fail_error(error);
	const MsSettings *s = ms_runtime_settings(runtime);
	g_autofree const char **titles = titles_of(ms_runtime_policies(runtime), argc, argv);
	if (titles == NULL)
		return EX_USAGE;
	g_autoptr(GPtrArray) reports = ms_policy_reports(
		trail != NULL ? trail : s->audit_file, titles, from, to, &limits, &error);
	if (reports == NULL || !add_lint(s, reports, &error))
		return cli_fail_error(error);
	return tell(cli, reports, json);
}
