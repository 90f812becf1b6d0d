/*
 * missent audit rejudge and export: the recorded past, judged again, and told to other programs.
 * The tool's one thread.
 */
#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "missent/answer.h"
#include "missent/incident.h"

#include "cli.h"

/* ---- rejudge ---------------------------------------------------------------------------- */

typedef struct {
	json_t *messages; /* of --json */
	CliBad bad;
} Found;

static void tell_bad(const char *csv, guint64 line, const char *why, void *user)
{
	cli_bad(&((Found *)user)->bad, csv, line, why);
}

static void print_found(const MsLookbackRow *row, void *user)
{
	(void)user;
	g_autofree char *time = cli_time(row->time), *host = cli_cell(row->host, 20),
			*id = cli_cell(row->queue_id, 16);
	g_autofree char *sender = cli_cell(row->sender, 24),
			*recipient = cli_cell(row->recipient, 24);
	printf("%s  %s  %s  %s -> %s  %s: %s (%u wrong)\n", time, host, id, sender, recipient,
		row->would, row->codes, row->wrong);
}

/* One of an older line may have no host. */
static void add_found(const MsLookbackRow *row, void *user)
{
	json_array_append_new(((Found *)user)->messages,
		json_pack("{s:I, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:i}", "time",
			(json_int_t)(row->time / G_USEC_PER_SEC), "host", row->host, "queue_id",
			row->queue_id, "sender", row->sender, "recipient", row->recipient, "was",
			row->was, "would", row->would, "reasons", row->codes, "wrong",
			(int)row->wrong));
}

static void print_sum_json(const MsLookbackSum *s, json_t *messages)
{
	const struct {
		const char *name;
		guint64 n;
	} rows[] = {{"exit", s->leaks > 0}, {"judged", s->judged}, {"again", s->again},
		{"should_have_been_held", s->leaks}, {"wrong", s->wrong}, {"known", s->known},
		{"let_go", s->let_go}, {"greet_others", s->greet_others}},
	  unseen[] = {{"without_digests", s->without_digests}, {"other_key", s->other_key},
		  {"cut", s->cut}, {"damaged", s->damaged}, {"not_whole", s->not_whole},
		  {"plain", s->plain}, {"bad_lines", s->bad}, {"no_policy", s->no_policy},
		  {"unknown_greeted", s->unknown_greeted},
		  {"unseen_identifiers", s->unseen_identifiers},
		  {"unseen_recipients", s->unseen_recipients}};
	json_t *all = json_object(), *not = json_object();
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		json_object_set_new(all, rows[i].name, json_integer((json_int_t)rows[i].n));
	for (gsize i = 0; i < G_N_ELEMENTS(unseen); i++)
		json_object_set_new(not, unseen[i].name, json_integer((json_int_t)unseen[i].n));
	json_object_set_new(all, "not_seen", not );
	json_object_set(all, "messages", messages);
	cli_print_json(all);
}

static void tell_unseen(const MsLookbackSum *s)
{
	const struct {
		guint64 n;
		const char *what;
	} rows[] = {
		{s->without_digests, "messages have no digests in their line: not judged again"},
		{s->other_key, "messages have digests of another key: not judged again"},
		{s->damaged, "lines are damaged"},
		{s->not_whole,
			"places of the trail are not as they should be (missent audit verify): what was removed or changed "
			"there is not known"},
		{s->plain, "trail that is a plain file: nothing proves its lines"},
		{s->bad, "lines of the mapping are bad, and left out: whose is what they say is not known"},
		{s->cut,
			"messages have more recipients or identifiers than a line keeps: judged by those that are there"},
		{s->no_policy,
			"messages were under policies none of which is among these: only such were asked as apply to all mail"},
		{s->unknown_greeted,
			"messages do not say whom they greet (lines of an older version)"},
		{s->unseen_identifiers,
			"identifiers of the trail are not in this mapping: nobody's"},
		{s->unseen_recipients,
			"recipients of the trail are not in this mapping: unknown (a tagged address, a+b@, too)"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (rows[i].n > 0)
			printf("  %" G_GUINT64_FORMAT " %s\n", rows[i].n, rows[i].what);
	printf("  What only this mapping would have recognised in a text left no digest, and is not seen here; nor are other\n"
	       "  forms of the same thing (a SIREN in a VAT ID), visible recipients, contradictions, headers, attachments.\n");
}

static void tell_sum(const MsLookbackSum *s)
{
	printf("%" G_GUINT64_FORMAT " message%s in this time, %" G_GUINT64_FORMAT " judged again\n",
		s->judged, CLI_S(s->judged), s->again);
	printf("%" G_GUINT64_FORMAT " were delivered and should have been held, %" G_GUINT64_FORMAT
	       " of them with another's data "
	       "for who got it\n",
		s->leaks, s->wrong);
	printf("%" G_GUINT64_FORMAT
	       " more were delivered although the judgement was known (mode observe); %" G_GUINT64_FORMAT
	       " were stopped and would go\n",
		s->known, s->let_go);
	printf("%" G_GUINT64_FORMAT
	       " of what was delivered greet nobody whose name the mapping has for who got it\n",
		s->greet_others);
	printf("What this cannot see:\n");
	tell_unseen(s);
}

typedef struct {
	char *from, *to, *policies, *trail;
	char **directory;
	gboolean json;
} Said;

static void said_clear(Said *said)
{
	g_free(said->from);
	g_free(said->to);
	g_strfreev(said->directory);
	g_free(said->policies);
	g_free(said->trail);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Said, said_clear)

static int rejudge(CliSession *session, const Said *said)
{
	g_autoptr(GError) error = NULL;
	guint8 key[MS_AUDIT_KEY_BYTES];
	MsLookbackSum sum;
	json_auto_t *messages = json_array();
	Found found = {.messages = messages};
	gint64 now = g_get_real_time();
	MsLookback ask = {.to = now,
		.csv = (const char *const *)said->directory,
		.policies = said->policies != NULL ? said->policies : session->settings->policy_dir,
		.kinds = session->kinds,
		.settings = session->settings,
		.key = key,
		.found = said->json ? add_found : print_found,
		.bad = tell_bad,
		.user = &found};
	if (!cli_period(&(CliPeriod){"from", said->from, "to", said->to}, now, &ask.from, &ask.to,
		    &error))
		return cli_fail(EX_USAGE, "%s", error->message);
	if (!cli_audit_key(session, key))
		return EX_CONFIG;
	if (said->trail != NULL && !ms_audit_is_there(said->trail, &error))
		return cli_fail_error(error);
	bool fine = ms_incident_look_back(
		&ask, said->trail != NULL ? said->trail : session->settings->audit_file, &sum,
		&error);
	cli_bad_end(&found.bad);
	if (!fine)
		return cli_fail_error(error);
	if (sum.judged == 0)
		return cli_fail(EX_NOINPUT,
			"there is no message of this time in the audit trail: nothing is known of it");
	if (said->json)
		print_sum_json(&sum, messages);
	else
		tell_sum(&sum);
	return sum.leaks > 0 ? 1 : 0;
}

int cli_rejudge(Cli *cli, int argc, char **argv)
{
	g_auto(Said) said = {0};
	const GOptionEntry entries[] = {
		{"from", 0, 0, G_OPTION_ARG_STRING, &said.from, "from when on (all)", "TIME"},
		{"to", 0, 0, G_OPTION_ARG_STRING, &said.to, "until when (now)", "TIME"},
		{"directory", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &said.directory,
			"the mapping: account,kind,value; again for more of it", "FILE.csv"},
		{"policies", 0, 0, G_OPTION_ARG_FILENAME, &said.policies,
			"the policies (those in use)", "FOLDER"},
		{"trail", 0, 0, G_OPTION_ARG_FILENAME, &said.trail, "another audit trail", "FILE"},
		{"json", 0, 0, G_OPTION_ARG_NONE, &said.json, "one JSON object", NULL},
		G_OPTION_ENTRY_NULL,
	};
	if (!cli_options(entries,
		    "--directory FILE.csv - what should have been held, by this mapping? exit 1: something",
		    &argc, &argv))
		return EX_USAGE;
	if (argc != 1 || said.directory == NULL)
		return cli_fail(EX_USAGE, "audit rejudge: name a mapping (--directory FILE.csv)");
	CliSession session = {0};
	int rc = cli_begin(&session, cli);
	rc = rc != 0 ? rc : rejudge(&session, &said);
	cli_end(&session);
	return rc;
}

/* ---- export ----------------------------------------------------------------------------- */

typedef struct {
	MsExport format;
	guint64 told, damaged;
} Export;

static bool export_line(const MsAuditLine *line, void *user, GError **error)
{
	Export *out = user;
	char *text = ms_audit_export(line, out->format);
	out->damaged += line->json == NULL;
	if (text == NULL)
		return true;
	out->told++;
	puts(text);
	free(text);
	return cli_is_written() || ms_fail_input(error, "the output cannot be written to");
}

int cli_export(Cli *cli, int argc, char **argv)
{
	gboolean ecs = FALSE, ocsf = FALSE;
	g_autofree char *from = NULL, *to = NULL, *trail = NULL;
	g_autoptr(GError) error = NULL;
	const GOptionEntry entries[] = {
		{"ecs", 0, 0, G_OPTION_ARG_NONE, &ecs, "Elastic Common Schema", NULL},
		{"ocsf", 0, 0, G_OPTION_ARG_NONE, &ocsf,
			"Open Cybersecurity Schema Framework (messages only)", NULL},
		{"from", 0, 0, G_OPTION_ARG_STRING, &from, "from when on (all)", "TIME"},
		{"to", 0, 0, G_OPTION_ARG_STRING, &to, "until when (now)", "TIME"},
		{"trail", 0, 0, G_OPTION_ARG_FILENAME, &trail, "another audit trail", "FILE"},
		G_OPTION_ENTRY_NULL,
	};
	gint64 now = g_get_real_time(), begin = 0, end = G_MAXINT64;
	if (!cli_options(entries,
		    "--ecs | --ocsf - the audit trail as other programs read it, a line of JSON each",
		    &argc, &argv))
		return EX_USAGE;
	if (argc != 1 || ecs == ocsf)
		return cli_fail(EX_USAGE, "audit export: say --ecs or --ocsf");
	if (!cli_period(&(CliPeriod){"from", from, "to", to}, now, &begin, &end, &error))
		return cli_fail(EX_USAGE, "%s", error->message);
	g_autoptr(MsSettings) settings = ms_settings_load(cli->config, &error);
	if (settings == NULL)
		return cli_fail_error(error);
	Export out = {.format = ecs ? MS_EXPORT_ECS : MS_EXPORT_OCSF};
	if ((trail != NULL && !ms_audit_is_there(trail, &error)) ||
		!ms_audit_each(trail != NULL ? trail : settings->audit_file, begin, end,
			export_line, &out, &error))
		return cli_fail_error(error);
	if (out.damaged > 0)
		cli_fail(0, "%" G_GUINT64_FORMAT " damaged lines are left out", out.damaged);
	return out.told > 0
		? 0
		: cli_fail(EX_NOINPUT, "there is no line of this time in the audit trail");
}
