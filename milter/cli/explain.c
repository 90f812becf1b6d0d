/*
 * missent explain: a file, or the queue ID or reference of a held message, comes in; the story of
 * its verdict is printed.  The tool's one thread.
 */
#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "missent/answer.h"
#include "missent/desk.h"
#include "missent/explain.h"

#include "cli.h"

#define MAX_SETS 10 /* for a person */

typedef struct {
	Cli *cli;
	MsRuntime *runtime;
	CliEnvelope said;
	char *recipient;
	gboolean json, reveal;
	bool held; /* it is a message on record, not a file */
	int seconds;
} Explain;

/* ---- printing --------------------------------------------------------------------------- */

static const char *word(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));
	return text != NULL ? text : "";
}

static gint64 number(const json_t *json, const char *key)
{
	return json_integer_value(json_object_get(json, key));
}

/* "a, b and 3 more"; `none` for an empty list.  The caller's. */
static char *list(const json_t *json, const char *key, gint64 more, const char *none)
{
	GString *out = g_string_new(NULL);
	gsize i;
	json_t *item;
	json_array_foreach(json_object_get(json, key), i, item)
	{
		g_autofree char *safe = cli_cell(json_string_value(item), 0);
		g_string_append_printf(out, "%s%s", i > 0 ? ", " : "", safe);
	}
	if (more > 0)
		g_string_append_printf(out, " and %" G_GINT64_FORMAT " more", more);
	if (out->len == 0)
		g_string_append(out, none);
	return g_string_free(out, FALSE);
}

static void title(const Explain *e, const char *text)
{
	printf("\n%s%s%s\n", cli_colour(e->cli, BOLD), text, cli_colour(e->cli, PLAIN));
}

static void print_head(const Explain *e, const char *name, const json_t *story)
{
	const json_t *message = json_object_get(story, "message"),
		     *before = json_object_get(story, "before");
	const char *verdict = word(story, "verdict"), *would = word(story, "would");
	bool held = strcmp(would, "deliver") != 0 && strcmp(would, "tag") != 0;
	g_autofree char *safe = cli_cell(name, 0), *sender = cli_cell(word(message, "sender"), 0);
	printf("%s%s%s  %s%s%s  %s\n", cli_colour(e->cli, BOLD), safe, cli_colour(e->cli, PLAIN),
		cli_colour(e->cli, held ? RED : GREEN), would, cli_colour(e->cli, PLAIN),
		word(story, "reasons"));
	if (strcmp(verdict, would) != 0)
		printf("  its policies observe: it is delivered, and would be \"%s\" in mode enforce\n",
			would);
	if (before != NULL)
		printf("  it is %s for: %s; above, judged again now\n", word(before, "state"),
			word(before, "reasons"));
	gint64 n = number(message, "recipients");
	printf("  from <%s> to %" G_GINT64_FORMAT " recipient%s, %" G_GINT64_FORMAT " bytes",
		sender, n, n == 1 ? "" : "s", number(message, "size"));
	if (*word(message, "client") != '\0')
		printf(", client %s", word(message, "client"));
	if (*word(message, "auth-user") != '\0')
		printf(", logged in as %s", word(message, "auth-user"));
	printf("\n");
	if (*word(story, "trouble") != '\0')
		printf("  the directory could not be asked: %s\n", word(story, "trouble"));
}

static void print_attached(const json_t *story)
{
	gsize i;
	json_t *part;
	json_array_foreach(json_object_get(json_object_get(story, "message"), "attached"), i, part)
		printf("  attached: part %s, %s, %" G_GINT64_FORMAT " bytes\n", word(part, "part"),
			word(part, "type"), number(part, "size"));
}

static void print_findings(const Explain *e, const json_t *story)
{
	gsize i;
	json_t *f;
	title(e, "What was found, and whose it is");
	json_array_foreach(json_object_get(story, "findings"), i, f)
	{
		g_autofree char *accounts = list(f, "accounts", number(f, "more-accounts"),
			json_is_true(json_object_get(f, "partial"))
				? "of a part of a company that is known"
				: "nobody's that is known");
		g_autofree char *why = list(f, "believed", 0, "-"),
				*places = list(f, "places", 0, "-");
		g_autofree char *safe = cli_cell(word(f, "identifier"), 0);
		printf("  %s %s: %s%s%s\n    believed, since it is: %s; in %s\n", word(f, "kind"),
			safe, cli_colour(e->cli, BOLD), accounts, cli_colour(e->cli, PLAIN), why,
			places);
	}
	if (i == 0)
		printf("  no identifier\n");
}

static void print_recipients(const Explain *e, const json_t *story)
{
	gsize i;
	json_t *r;
	title(e, "Who gets it, and what he has a right to");
	json_array_foreach(json_object_get(story, "recipients"), i, r)
	{
		g_autofree char *accounts = list(
			r, "accounts", number(r, "more-accounts"), "no account that is known");
		g_autofree char *own = list(r, "own", 0, "nothing"),
				*others = list(r, "others", 0, "nothing");
		g_autofree char *safe = cli_cell(word(r, "address"), 0);
		const char *outcome = word(r, "outcome");
		printf("  %s: %s%s%s\n    may receive for: %s%s\n    his own in it: %s\n    another's in it: %s\n",
			safe, cli_colour(e->cli, strcmp(outcome, "right") == 0 ? GREEN : RED),
			outcome, cli_colour(e->cli, PLAIN), accounts,
			json_is_true(json_object_get(r, "house")) ? " (your own company)" : "", own,
			others);
	}
	if (i == 0)
		printf("  nobody of that address\n");
}

static void print_reasons(const Explain *e, const json_t *policy)
{
	gsize i;
	json_t *r;
	json_array_foreach(json_object_get(policy, "reasons"), i, r)
	{
		const char *action = word(r, "action");
		bool mild = strcmp(action, "deliver") == 0 || strcmp(action, "tag") == 0;
		g_autofree char *text = cli_cell(word(r, "text"), 0),
				*where = cli_cell(word(r, "where"), 0);
		g_autofree char *recipient = cli_cell(word(r, "recipient"), 0),
				*account = cli_cell(word(r, "account"), 0);
		printf("    %s%s%s  %s: %s", cli_colour(e->cli, mild ? DIM : RED), action,
			cli_colour(e->cli, PLAIN), word(r, "reason"), text);
		if (*word(r, "identifier") != '\0')
			printf(": %s", word(r, "identifier"));
		if (*account != '\0')
			printf(" of %s", account);
		if (*where != '\0')
			printf(", in %s", where);
		if (*recipient != '\0')
			printf(", for %s", recipient);
		if (number(r, "recipients") > 1)
			printf(" and %" G_GINT64_FORMAT " more", number(r, "recipients") - 1);
		printf("\n");
	}
	if (i == 0)
		printf("    has nothing against it\n");
}

static void print_policies(const Explain *e, const json_t *story)
{
	gsize i;
	json_t *p;
	title(e, "Policies");
	json_array_foreach(json_object_get(story, "policies"), i, p)
	{
		bool applies = json_is_true(json_object_get(p, "applies"));
		g_autofree char *because = cli_cell(word(p, "because"), 0);
		printf("  %s", word(p, "policy"));
		if (*word(p, "file") != '\0')
			printf(" (%s, line %" G_GINT64_FORMAT ")", word(p, "file"),
				number(p, "line"));
		printf("%s\n",
			!applies                                               ? ": does not apply"
				: json_is_true(json_object_get(p, "enforced")) ? ""
									       : ", observes");
		g_autofree char *unsure = cli_cell(word(p, "unsure"), 0);
		if (*unsure != '\0')
			printf("    not known, and counted as met: %s\n", unsure);
		if (applies)
			print_reasons(e, p);
		else
			printf("    %s\n", because);
	}
	if (i == 0)
		printf("  there is none\n");
}

static void print_left_out(const Explain *e, const json_t *story)
{
	gsize i;
	json_t *text;
	if (json_array_size(json_object_get(story, "left-out")) == 0)
		return;
	title(e, "Left out");
	json_array_foreach(json_object_get(story, "left-out"), i, text)
	{
		g_autofree char *safe = cli_cell(json_string_value(text), 0);
		printf("  %s\n", safe);
	}
}

static void print_set(const Explain *e, const json_t *set)
{
	gsize i;
	json_t *c;
	printf("  %s%s%s, if\n", cli_colour(e->cli, BOLD), word(set, "verdict"),
		cli_colour(e->cli, PLAIN));
	json_array_foreach(json_object_get(set, "changes"), i, c)
	{
		g_autofree char *text = cli_cell(word(c, "text"), 0),
				*command = cli_cell(word(c, "command"), 0);
		printf("    %s%s\n", i > 0 ? "and " : "", text);
		if (*command != '\0')
			printf("      %s%s%s\n", cli_colour(e->cli, DIM), command,
				cli_colour(e->cli, PLAIN));
		else
			printf("      %s%s, line %" G_GINT64_FORMAT "%s\n", cli_colour(e->cli, DIM),
				word(c, "file"), number(c, "line"), cli_colour(e->cli, PLAIN));
	}
}

/* Who types what is masked gives the directory asterisks. */
static void tell_masked(const Explain *e, const json_t *sets, gsize n)
{
	bool masked = false;
	for (gsize i = 0; i < n && !e->reveal; i++) {
		size_t k;
		json_t *c;
		json_array_foreach(json_object_get(json_array_get(sets, i), "changes"), k, c)
			masked = masked || strchr(word(c, "command"), '*') != NULL;
	}
	if (masked)
		printf("  what is masked in these commands is shown by %s\n",
			e->held ? "missent held show --reveal" : "--reveal");
}

static void print_changes(const Explain *e, const json_t *story)
{
	const json_t *changes = json_object_get(story, "changes");
	const json_t *sets = json_object_get(changes, "sets");
	gsize n = json_array_size(sets);
	gint64 more = (gint64)n + number(changes, "more") - MIN(n, MAX_SETS);
	title(e, "What would have to change for another verdict");
	for (gsize i = 0; i < MIN(n, MAX_SETS); i++)
		print_set(e, json_array_get(sets, i));
	if (more > 0)
		printf("  and %" G_GINT64_FORMAT " more (--json has %s)\n", more,
			number(changes, "more") > 0 ? "the first ones" : "all");
	tell_masked(e, sets, MIN(n, MAX_SETS));
	if (n == 0)
		printf("  %s\n", word(changes, "none"));
	else if (!json_is_true(json_object_get(changes, "complete")))
		printf("  not all was tried: %" G_GINT64_FORMAT " sets of %" G_GINT64_FORMAT
		       " changes were (--seconds)\n",
			number(changes, "tried"), number(changes, "candidates"));
}

/* As the exit status of check: what could not be judged is not told as if it had been. */
static int print_story(const Explain *e, const char *name, json_t *story)
{
	bool unjudged = strcmp(word(story, "would"), ms_action_names[MS_TEMPFAIL]) == 0;
	if (e->json) {
		json_object_set_new(story, "name", json_string(name));
		cli_print_json(json_incref(story));
		return unjudged ? EX_TEMPFAIL : 0;
	}
	print_head(e, name, story);
	print_attached(story);
	print_findings(e, story);
	print_recipients(e, story);
	print_policies(e, story);
	print_left_out(e, story);
	print_changes(e, story);
	return unjudged ? EX_TEMPFAIL : 0;
}

/* ---- where it comes from ------------------------------------------------------------------ */

static int explain_message(const char *name, const guint8 *data, gsize len, void *user)
{
	Explain *e = user;
	g_autoptr(MsJudgement) judgement = NULL;
	g_autoptr(MsEnvelope) envelope = NULL;
	int rc = cli_judge(e->runtime, &e->said, name, data, len, &envelope, &judgement);
	if (rc != 0)
		return rc;
	const MsExplainWish wish = {
		e->recipient, e->reveal, e->seconds * (gint64)G_USEC_PER_SEC, NULL};
	json_t *story = ms_explain(e->runtime, envelope, judgement, &wish);
	rc = print_story(e, name, story);
	json_decref(story);
	return rc;
}

static int explain_files(Explain *e, int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *warning = NULL;
	int told = cli_envelope_check(&e->said);
	if (told != 0)
		return told;
	e->runtime = ms_runtime_load(e->cli->config, MS_PARTS_CHECK, &warning, &error);
	if (e->runtime == NULL)
		return cli_fail_error(error);
	if (warning != NULL)
		cli_fail(0, "warning: %s", warning);
	int worst = 0;
	for (int i = 1; i < argc; i++) {
		int rc = cli_messages(argv[i], explain_message, e);
		worst = MAX(worst, rc);
	}
	ms_runtime_unref(e->runtime);
	return worst;
}

/* What the trail says of a message that has no record, for it was delivered. */
typedef struct {
	const Explain *e;
	const char *queue_id;
	guint found;
} Looked;

static bool take_line(const MsAuditLine *line, void *user, GError **error)
{
	(void)error;
	Looked *l = user;
	if (line->json == NULL || strcmp(line->type, "message") != 0 ||
		g_strcmp0(json_string_value(json_object_get(line->json, "queue_id")),
			l->queue_id) != 0)
		return true;
	char *text = json_dumps(
		line->json, l->e->json ? JSON_COMPACT : JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	if (l->found++ == 0 && !l->e->json)
		printf("%s has no record: it was not held, nor would it have been.  The audit trail says of it:\n",
			l->queue_id);
	puts(text);
	free(text);
	return true;
}

static int explain_line(const Explain *e, MsDesk *desk, const char *name)
{
	g_autoptr(GError) error = NULL;
	Looked l = {.e = e, .queue_id = name};
	if (!ms_audit_each(ms_desk_settings(desk)->audit_file, G_MININT64, G_MAXINT64, take_line,
		    &l, &error))
		return cli_fail_error(error);
	return l.found > 0
		? 0
		: cli_fail(EX_DATAERR,
			  "%s: there is no such file, no record of a held message and no line of "
			  "the audit trail with this queue ID or reference",
			  name);
}

static int explain_record(const Explain *e, MsDesk *desk, const char *name)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsRecord) record = ms_records_find(ms_desk_ledger(desk), name, &error);
	if (error != NULL)
		return cli_fail_error(error);
	if (record == NULL)
		return explain_line(e, desk, name);
	char *text = ms_desk_explain(desk, record->uid, e->recipient, cli_who(), &error);
	json_t *story = text != NULL ? json_loads(text, 0, NULL) : NULL;
	free(text);
	if (story == NULL)
		return cli_fail_error(error);
	int rc = print_story(e, name, story);
	json_decref(story);
	return rc;
}

static int explain_records(const Explain *e, int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsDesk) desk = ms_desk_open(e->cli->config, &error);
	if (desk == NULL)
		return cli_fail_error(error);
	int worst = 0;
	for (int i = 1; i < argc; i++) {
		int rc = explain_record(e, desk, argv[i]);
		worst = MAX(worst, rc);
	}
	return worst;
}

static int run(Explain *e, int argc, char **argv)
{
	int files = 0;
	for (int i = 1; i < argc; i++)
		files += strcmp(argv[i], "-") == 0 || g_file_test(argv[i], G_FILE_TEST_EXISTS);
	if (argc < 2)
		return cli_fail(EX_USAGE,
			"explain: which message? A file, - for standard input, or a queue ID or reference");
	if (files == argc - 1)
		return explain_files(e, argc, argv);
	if (files > 0)
		return cli_fail(EX_USAGE, "explain: files, or held messages, not both");
	if (e->reveal)
		return cli_fail(EX_USAGE,
			"explain: --reveal is for files; missent held show --reveal reveals a held one");
	e->held = true;
	return explain_records(e, argc, argv);
}

int cmd_explain(Cli *cli, int argc, char **argv)
{
	Explain e = {.cli = cli, .seconds = 10};
	const GOptionEntry entries[] = {
		{"recipient", 'r', 0, G_OPTION_ARG_STRING, &e.recipient,
			"tell of this recipient alone", "ADDRESS"},
		CLI_ENVELOPE_OPTIONS(e.said),
		{"json", 0, 0, G_OPTION_ARG_NONE, &e.json, "one JSON object a line", NULL},
		{"reveal", 0, 0, G_OPTION_ARG_NONE, &e.reveal, "identifiers as they are (of files)",
			NULL},
		{"seconds", 0, 0, G_OPTION_ARG_INT, &e.seconds,
			"look for changes for so long at most (10; 0: until all is tried)",
			"N"},
		G_OPTION_ENTRY_NULL,
	};
	if (!cli_options(entries,
		    "FILE|QUEUE-ID|REFERENCE... - tell the story of a verdict, and what would have to change "
		    "for another",
		    &argc, &argv))
		return EX_USAGE;
	int rc = e.seconds < 0 ? cli_fail(EX_USAGE, "explain: --seconds %d: at least 0", e.seconds)
			       : run(&e, argc, argv);
	cli_envelope_clear(&e.said);
	g_free(e.recipient);
	return rc;
}
