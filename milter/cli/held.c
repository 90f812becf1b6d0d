#include "config.h"

#include <jansson.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "missent/answer.h"

#include "cli.h"

typedef struct {
	Cli *cli;
	MsSettings *settings;
	MsRecords *records;
	MsMta mta;
} Held;

static int begin(Held *held, Cli *cli)
{
	g_autoptr(GError) error = NULL;
	held->cli = cli;
	held->settings = ms_settings_load(cli->config, &error);
	if (held->settings != NULL)
		held->records = ms_records_open(held->settings->records_file, &error);
	if (held->records == NULL)
		return cli_fail_error(error);
	held->mta = (MsMta){held->settings->release_program, held->settings->postfix_config};
	return 0;
}

static void end(Held *held)
{
	ms_records_free(held->records);
	ms_settings_free(held->settings);
}

/* Who acts: the name behind sudo, if there is one. */
static const char *who(void)
{
	const char *sudo = geteuid() == 0 ? g_getenv("SUDO_USER") : NULL;
	if (sudo != NULL)
		return sudo;
	const struct passwd *user = getpwuid(getuid());
	return user != NULL ? user->pw_name : "unknown";
}

/* ---- printing ------------------------------------------------------------------------- */

static json_t *json_texts(const GPtrArray *list)
{
	json_t *out = json_array();
	for (guint i = 0; i < list->len; i++)
		json_array_append_new(out, json_string(list->pdata[i]));
	return out;
}

static json_t *json_record(const MsRecord *r, const char *queue)
{
	json_t *out = json_pack("{s:s, s:s, s:s, s:I, s:s, s:o, s:I, s:s, s:s}", "queue_id",
		r->queue_id, "host", r->host, "state", ms_state_names[r->state], "arrived",
		(json_int_t)(r->arrived / G_USEC_PER_SEC), "sender", r->sender, "recipients",
		json_texts(r->recipients), "size", (json_int_t)r->size, "reasons", r->codes,
		"policies", r->policies);
	if (queue != NULL)
		json_object_set_new(out, "queue", json_string(queue));
	return out;
}

static void print_json(json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT);
	puts(text);
	free(text);
	json_decref(value);
}

static char *age_of(gint64 arrived)
{
	gint64 s = (g_get_real_time() - arrived) / G_USEC_PER_SEC;
	if (s < 3600)
		return g_strdup_printf("%" G_GINT64_FORMAT "m", s / 60);
	if (s < 86400 * 2)
		return g_strdup_printf("%" G_GINT64_FORMAT "h", s / 3600);
	return g_strdup_printf("%" G_GINT64_FORMAT "d", s / 86400);
}

/* Where the message is now: the record says held, the queue knows. */
static const char *queue_of(const MsRecord *record, GHashTable *queue)
{
	if (queue == NULL)
		return NULL;
	const MsQueued *queued = g_hash_table_lookup(queue, record->queue_id);
	return queued != NULL && ms_mta_is_same(record, queued) ? queued->queue : "gone";
}

static void print_line(const MsRecord *r, const char *queue)
{
	g_autofree char *age = age_of(r->arrived);
	g_autofree char *sender = cli_cell(r->sender, 30);
	g_autofree char *first =
		cli_cell(r->recipients->len > 0 ? r->recipients->pdata[0] : "-", 30);
	g_autofree char *id = cli_cell(r->queue_id, 16);
	bool missing = r->state == MS_STATE_HELD && queue != NULL && strcmp(queue, "hold") != 0;
	printf("%s  %-8s  %5s  %s  %s %4u  %s%s%s%s\n", id, ms_state_names[r->state], age, sender, first,
		r->recipients->len, r->codes, missing ? " (in the queue: " : "", missing ? queue : "",
		missing ? ")" : "");
}

/* ---- list ----------------------------------------------------------------------------- */

static gint64 before_now(const char *span, bool *fine)
{
	char *unit;
	gint64 n = g_ascii_strtoll(span, &unit, 10);
	static const struct {
		const char *name;
		gint64 seconds;
	} units[] = {{"m", 60}, {"h", 3600}, {"d", 86400}};
	for (gsize i = 0; i < G_N_ELEMENTS(units); i++)
		if (unit != span && strcmp(unit, units[i].name) == 0 && n >= 0)
			return g_get_real_time() - n * units[i].seconds * G_USEC_PER_SEC;
	*fine = false;
	return 0;
}

static int list_records(Held *held, const MsRecordFilter *filter, bool json)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) list = ms_records_list(held->records, filter, &error);
	if (list == NULL)
		return cli_fail_error(error);
	/* Without the queue the records are still worth seeing. */
	g_autoptr(GError) no_queue = NULL;
	g_autoptr(GHashTable) queue = ms_mta_queue(&held->mta, &no_queue);
	if (queue == NULL)
		cli_fail(0, "the queue cannot be looked at: %s", no_queue->message);
	if (!json && list->len > 0)
		printf("%-16s  %-8s  %5s  %-30s  %-30s %4s  %s\n", "queue ID", "state", "age", "from",
			"to", "n", "reasons");
	for (guint i = 0; i < list->len; i++) {
		const MsRecord *record = list->pdata[i];
		if (json)
			print_json(json_record(record, queue_of(record, queue)));
		else
			print_line(record, queue_of(record, queue));
	}
	if (!json)
		printf("%u message%s\n", list->len, list->len == 1 ? "" : "s");
	return 0;
}

static int do_list(Cli *cli, int argc, char **argv)
{
	g_autofree char *reason = NULL, *policy = NULL, *sender = NULL, *older = NULL, *newer = NULL;
	gboolean json = FALSE, all = FALSE, observed = FALSE;
	gint limit = 0;
	const GOptionEntry entries[] = {
		{"reason", 0, 0, G_OPTION_ARG_STRING, &reason, "only with this reason", "REASON"},
		{"policy", 0, 0, G_OPTION_ARG_STRING, &policy, "only by this policy", "TITLE"},
		{"sender", 0, 0, G_OPTION_ARG_STRING, &sender, "only from senders with this in them",
			"TEXT"},
		{"older", 0, 0, G_OPTION_ARG_STRING, &older, "only older than 30m, 12h, 3d", "AGE"},
		{"newer", 0, 0, G_OPTION_ARG_STRING, &newer, "only newer than", "AGE"},
		{"limit", 0, 0, G_OPTION_ARG_INT, &limit, "at most so many", "N"},
		{"all", 'a', 0, G_OPTION_ARG_NONE, &all, "also released, returned, deleted, observed",
			NULL},
		{"observed", 0, 0, G_OPTION_ARG_NONE, &observed,
			"those that would have been held in mode enforce", NULL},
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "one JSON object a line", NULL},
		G_OPTION_ENTRY_NULL,
	};
	if (!cli_options(entries, "- held mail, newest first", &argc, &argv))
		return EX_USAGE;
	bool fine = argc == 1;
	MsRecordFilter filter = {
		.state = all ? -1 : observed ? MS_STATE_OBSERVED : MS_STATE_HELD,
		.reason = reason,
		.policy = policy,
		.sender = sender,
		.older_than = older != NULL ? before_now(older, &fine) : 0,
		.newer_than = newer != NULL ? before_now(newer, &fine) : 0,
		.limit = limit > 0 ? (guint)limit : 0,
	};
	if (!fine)
		return cli_fail(EX_USAGE, "held list: an age is a number and m, h or d");
	Held held = {0};
	int rc = begin(&held, cli);
	if (rc == 0)
		rc = list_records(&held, &filter, json);
	end(&held);
	return rc;
}

/* ---- show ----------------------------------------------------------------------------- */

static json_t *json_reason(const MsReason *r)
{
	return json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:i, s:s}", "reason",
		ms_reason_names[r->code], "policy", r->policy, "action", ms_action_names[r->action],
		"kind", r->kind, "identifier", r->masked, "where", r->where, "account", r->owner,
		"recipient", r->recipient, "recipients", (int)r->recipients, "text", r->text);
}

static void show_json(const MsRecord *record)
{
	json_t *out = json_record(record, NULL);
	json_t *reasons = json_array(), *acts = json_array();
	for (guint i = 0; i < record->reasons->len; i++)
		json_array_append_new(reasons, json_reason(record->reasons->pdata[i]));
	for (guint i = 0; i < record->acts->len; i++) {
		const MsAct *act = record->acts->pdata[i];
		json_array_append_new(acts, json_pack("{s:I, s:s, s:s, s:s}", "at",
			(json_int_t)(act->at / G_USEC_PER_SEC), "who", act->who, "what", act->what,
			"why", act->why));
	}
	json_object_set_new(out, "why", reasons);
	json_object_set_new(out, "acts", acts);
	print_json(out);
}

static void show_text(const MsRecord *record)
{
	g_autofree char *time = cli_time(record->arrived);
	g_autofree char *sender = cli_cell(record->sender, 0);
	printf("queue ID    %s on %s\nstate       %s\narrived     %s\nsize        %" G_GUINT64_FORMAT
	       "\nfrom        <%s>\n", record->queue_id, record->host,
		ms_state_names[record->state], time, record->size, sender);
	for (guint i = 0; i < record->recipients->len && i < 20; i++) {
		g_autofree char *to = cli_cell(record->recipients->pdata[i], 0);
		printf("to          <%s>\n", to);
	}
	if (record->recipients->len > 20)
		printf("to          ... and %u more\n", record->recipients->len - 20);
	for (guint i = 0; i < record->reasons->len; i++) {
		const MsReason *r = record->reasons->pdata[i];
		g_autofree char *text = cli_cell(r->text, 0);
		g_autofree char *where = cli_cell(r->where, 0);
		printf("why         %s (%s, policy %s): %s", ms_reason_names[r->code],
			ms_action_names[r->action], r->policy, text);
		if (r->masked != NULL)
			printf(": %s", r->masked);
		if (r->owner != NULL)
			printf(" of account %s", r->owner);
		if (*where != '\0')
			printf(", in %s", where);
		if (r->recipient != NULL)
			printf(", for %u recipient%s (%s%s)", r->recipients, r->recipients == 1 ? "" : "s",
				r->recipient, r->recipients == 1 ? "" : ", ...");
		putchar('\n');
	}
	for (guint i = 0; i < record->acts->len; i++) {
		const MsAct *act = record->acts->pdata[i];
		g_autofree char *at = cli_time(act->at);
		g_autofree char *why = cli_cell(act->why, 0);
		printf("done        %s by %s at %s: %s\n", act->what, act->who, at, why);
	}
}

static MsRecord *find(Held *held, const char *queue_id, int *rc)
{
	g_autoptr(GError) error = NULL;
	MsRecord *record = ms_records_find(held->records, queue_id, &error);
	if (record == NULL)
		*rc = error != NULL
			? cli_fail_error(error)
			: cli_fail(EX_DATAERR, "%s: there is no record of a held message with this queue ID",
				  queue_id);
	return record;
}

static int do_show(Cli *cli, int argc, char **argv)
{
	gboolean json = FALSE, message = FALSE;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "as JSON", NULL},
		{"message", 'm', 0, G_OPTION_ARG_NONE, &message, "the message itself too; the look is "
			"recorded", NULL},
		G_OPTION_ENTRY_NULL,
	};
	if (!cli_options(entries, "QUEUEID - why it is held", &argc, &argv))
		return EX_USAGE;
	if (argc != 2)
		return cli_fail(EX_USAGE, "held show: which queue ID?");
	Held held = {0};
	int rc = begin(&held, cli);
	g_autoptr(MsRecord) record = rc == 0 ? find(&held, argv[1], &rc) : NULL;
	if (record != NULL && json)
		show_json(record);
	else if (record != NULL)
		show_text(record);
	if (record != NULL && message) {
		g_autoptr(GError) error = NULL;
		g_autofree char *text = NULL;
		if (ms_records_act(held.records, record->id, record->state, who(), "look", "", &error)
			&& ms_mta_run(&held.mta, "show", record->queue_id, &text, &error))
			printf("\n%s", text);
		else
			rc = cli_fail_error(error);
	}
	end(&held);
	return rc;
}

/* ---- deciding ------------------------------------------------------------------------- */

static bool still_there(Held *held, const MsRecord *record, GError **error)
{
	g_autoptr(GHashTable) queue = ms_mta_queue(&held->mta, error);
	if (queue == NULL)
		return false;
	const char *where = queue_of(record, queue);
	if (strcmp(where, "hold") == 0)
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_INPUT,
		"%s: the held message is not in the hold queue (%s); nothing was done", record->queue_id,
		where);
	return false;
}

static int decide(Held *held, const char *queue_id, const char *verb, MsState state,
	const char *why)
{
	int rc = 0;
	g_autoptr(MsRecord) record = find(held, queue_id, &rc);
	if (record == NULL)
		return rc;
	g_autoptr(GError) error = NULL;
	g_autofree char *output = NULL;
	if (record->state != MS_STATE_HELD)
		return cli_fail(EX_DATAERR, "%s: is %s already", queue_id, ms_state_names[record->state]);
	if (!still_there(held, record, &error)
		|| !ms_mta_run(&held->mta, verb, queue_id, &output, &error)
		|| !ms_records_act(held->records, record->id, state, who(), verb, why, &error))
		return cli_fail_error(error);
	printf("%s: %s\n", queue_id, ms_state_names[state]);
	return 0;
}

static int act(Cli *cli, int argc, char **argv, const char *summary, MsState state)
{
	g_autofree char *why = NULL;
	const GOptionEntry entries[] = {
		{"why", 'w', 0, G_OPTION_ARG_STRING, &why, "the reason, for the record", "TEXT"},
		G_OPTION_ENTRY_NULL,
	};
	if (!cli_options(entries, summary, &argc, &argv))
		return EX_USAGE;
	if (argc < 2)
		return cli_fail(EX_USAGE, "held %s: which queue IDs?", argv[0]);
	Held held = {0};
	int rc = begin(&held, cli);
	for (int i = 1; i < argc && held.records != NULL; i++) {
		int one = decide(&held, argv[i], argv[0], state, why != NULL ? why : "");
		rc = MAX(rc, one);
	}
	end(&held);
	return rc;
}

static int do_release(Cli *cli, int argc, char **argv)
{
	return act(cli, argc, argv, "QUEUEID... - let it go to its recipients", MS_STATE_RELEASED);
}

static int do_return(Cli *cli, int argc, char **argv)
{
	return act(cli, argc, argv, "QUEUEID... - return it to its sender", MS_STATE_RETURNED);
}

static int do_delete(Cli *cli, int argc, char **argv)
{
	return act(cli, argc, argv, "QUEUEID... - delete it for good", MS_STATE_DELETED);
}

static const CliVerb verbs[] = {
	{"list", do_list, "            held mail, newest first (--reason, --policy, --sender, --older)"},
	{"show", do_show, "QUEUEID     why it is held (--message: the message too)"},
	{"release", do_release, "QUEUEID...  let it go to its recipients"},
	{"return", do_return, "QUEUEID...  return it to its sender"},
	{"delete", do_delete, "QUEUEID...  delete it"},
	{NULL, NULL, NULL},
};

int cmd_held(Cli *cli, int argc, char **argv)
{
	return cli_dispatch(cli, verbs, "missent held VERB ...", argc, argv);
}
