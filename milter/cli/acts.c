/*
 * missent audit acts: the trail's lines of people, and of missent itself, come in; out goes who did
 * what, when, about which message, for whom, and why.  The trail has digests of recipients alone,
 * and no reasons: these come from the records, as long as they are kept.  The tool's one thread.
 */
#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "missent/answer.h"
#include "missent/audit.h"
#include "missent/text.h"

#include "cli.h"

#define NAMED 10 /* recipients; --json has all */
/* Between the line of a decision and its act on record. */
#define APART_US (G_GINT64_CONSTANT(60) * G_USEC_PER_SEC)

typedef struct {
	const char *who, *act, *about; /* NULL: any */
	char *uid;                     /* of the record that `about` names; NULL: of none */
	gboolean json;
	MsLedger *ledger; /* NULL: there are no records */
	guint8 key[MS_AUDIT_KEY_BYTES];
	char *key_number; /* NULL: there is no key */
	GHashTable *people;
	guint64 told, again, damaged; /* again: of those that were told */
} Acts;

static void acts_clear(Acts *a)
{
	g_free(a->uid);
	g_free(a->key_number);
	ms_ledger_free(a->ledger);
	g_clear_pointer(&a->people, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Acts, acts_clear)

static const char *field(const json_t *line, const char *name)
{
	const char *text = json_string_value(json_object_get(line, name));
	return text != NULL ? text : "";
}

/* The end of a decision that a line before had: an interruption came between. */
static bool is_again(const MsAuditLine *line)
{
	return json_is_true(json_object_get(line->json, "again"));
}

/* For whom the line says that it was, of those who are on record; borrowed from the record. */
static GPtrArray *known_of(const Acts *a, const json_t *line, const MsRecord *record)
{
	GPtrArray *known = g_ptr_array_new();
	const json_t *to = json_object_get(line, "to"), *id;
	size_t i;
	if (record == NULL || a->key_number == NULL ||
		strcmp(field(line, "key"), a->key_number) != 0)
		return known;
	g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);
	json_array_foreach(to, i, id)
		if (json_is_string(id))
			g_hash_table_add(ids, (char *)json_string_value(id));
	for (guint r = 0; r < record->recipients->len; r++) {
		const MsHeldRecipient *recipient = record->recipients->pdata[r];
		g_autofree char *its = ms_audit_id_of_address(a->key, recipient->address);
		if (g_hash_table_contains(ids, its))
			g_ptr_array_add(known, recipient->address);
	}
	return known;
}

/* What was said with it: that of the nearest such act on record; "". */
static const char *why_of(const MsAuditLine *line, const MsRecord *record)
{
	const MsAct *best = NULL;
	gint64 apart = APART_US;
	for (guint i = 0; record != NULL && i < record->acts->len; i++) {
		const MsAct *act = record->acts->pdata[i];
		gint64 between = ABS(act->at - line->time);
		if (between > apart || !g_str_has_prefix(act->what, field(line->json, "event")) ||
			!g_str_has_prefix(act->who, field(line->json, "who")))
			continue; /* "anna, agreed by bert" */
		best = act;
		apart = between;
	}
	return best != NULL ? best->why : "";
}

/* ", to a@x.example, b@x.example and 3 more", the caller's; "" where the line names nobody. */
static char *words_of(const GPtrArray *known, gint64 all)
{
	g_autoptr(GString) out = g_string_new(NULL);
	guint n = MIN(known->len, NAMED);
	for (guint i = 0; i < n; i++)
		g_string_append_printf(out, "%s%s", i > 0 ? ", " : ", to ",
			(const char *)known->pdata[i]);
	if (n > 0 && all > n)
		g_string_append_printf(out, " and %" G_GINT64_FORMAT " more", all - n);
	else if (all > n)
		g_string_append_printf(out, ", to %" G_GINT64_FORMAT " recipient%s whose record is gone",
			all, CLI_S(all));
	return g_string_free(g_steal_pointer(&out), FALSE);
}

static void print_json(
	const MsAuditLine *line, const MsRecord *record, const GPtrArray *known, gint64 all)
{
	json_t *row = json_pack("{s:I, s:I, s:s, s:s, s:s, s:s, s:I}", "line",
		(json_int_t)line->number, "time", (json_int_t)(line->time / G_USEC_PER_SEC), "who",
		field(line->json, "who"), "act", field(line->json, "event"), "about",
		field(line->json, "about"), "detail", field(line->json, "detail"), "recipients",
		(json_int_t)all);
	json_t *to = json_array();
	for (guint i = 0; i < known->len; i++)
		json_array_append_new(to, json_string(known->pdata[i]));
	json_object_set_new(row, "to", to);
	json_object_set_new(row, "decision", json_string(field(line->json, "decision")));
	json_object_set_new(row, "again", json_boolean(is_again(line)));
	json_object_set_new(row, "why", json_string(why_of(line, record)));
	json_object_set_new(row, "client", json_string(field(line->json, "client")));
	json_object_set_new(row, "queue_id", json_string(record != NULL ? record->queue_id : ""));
	cli_print_json(row);
}

static void print_line(
	const MsAuditLine *line, const MsRecord *record, const GPtrArray *known, gint64 all)
{
	g_autofree char *time = cli_time(line->time), *to = words_of(known, all);
	g_autofree char *who = cli_cell(field(line->json, "who"), 16),
			*act = cli_cell(field(line->json, "event"), 16);
	bool queued = record != NULL && *record->queue_id != '\0';
	g_autofree char *about = cli_cell(
		queued ? record->queue_id : field(line->json, "about"), 16);
	const char *why = why_of(line, record);
	g_autofree char *more = g_strconcat(
		field(line->json, "detail"), is_again(line) ? " (told again)" : "", to,
		*why != '\0' ? ": " : "", why, NULL);
	g_autofree char *safe = cli_cell(g_str_has_prefix(more, ", ") ? more + 2 : more, 0);
	printf("%s  %s  %s  %s  %s\n", time, who, act, about, safe);
}

static bool is_asked_for(const Acts *a, const json_t *line)
{
	const char *about = field(line, "about");
	return (a->act == NULL || strcmp(a->act, field(line, "event")) == 0) &&
		(a->who == NULL || strcmp(a->who, field(line, "who")) == 0) &&
		(a->about == NULL || strcmp(a->about, about) == 0 || g_strcmp0(a->uid, about) == 0);
}

static bool take_line(const MsAuditLine *line, void *user, GError **error)
{
	Acts *a = user;
	a->damaged += line->json == NULL;
	if (line->json == NULL || strcmp(line->type, MS_AUDIT_ACT) != 0)
		return true;
	g_hash_table_add(a->people, g_strdup(field(line->json, "who")));
	if (!is_asked_for(a, line->json))
		return true;
	const char *about = field(line->json, "about");
	g_autoptr(MsRecord) record = a->ledger != NULL && *about != '\0'
		? ms_records_find(a->ledger, about, NULL) : NULL;
	g_autoptr(GPtrArray) known = known_of(a, line->json, record);
	gint64 all = json_integer_value(json_object_get(line->json, "recipients"));
	a->told++;
	a->again += is_again(line);
	(a->json ? print_json : print_line)(line, record, known, all);
	return cli_is_written() || ms_fail_input(error, "the output cannot be written to");
}

/* Nothing found, which is not that nothing was done: a name may be mistyped. */
static int tell_none(const Acts *a)
{
	g_autofree const char **people =
		(const char **)g_hash_table_get_keys_as_array(a->people, NULL);
	bool other = a->who != NULL && !g_hash_table_contains(a->people, a->who);
	const char *near = other ? ms_text_nearest(a->who, people) : NULL;
	return cli_fail(EX_NOINPUT, "the audit trail has no such act of this time%s%s%s%s%s%s%s",
		other ? ", and none of \"" : "", other ? a->who : "", other ? "\"" : "",
		near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
		near != NULL ? "\"?" : "",
		a->damaged > 0 ? "; damaged lines were left out (missent audit verify)" : "");
}

/* A message is named by its queue ID as well; the trail has the uid of its record. */
static bool find_about(Acts *a, GError **error)
{
	g_autoptr(MsRecord) record = a->about != NULL && a->ledger != NULL
		? ms_records_find(a->ledger, a->about, error) : NULL;
	a->uid = record != NULL ? g_strdup(record->uid) : NULL;
	return error == NULL || *error == NULL;
}

static void print_count(const Acts *a)
{
	guint64 n = a->told - a->again;
	printf("%" G_GUINT64_FORMAT " act%s", n, CLI_S(n));
	if (a->again > 0)
		printf("; %" G_GUINT64_FORMAT " line%s told again after an interruption", a->again,
			a->again == 1 ? " is" : "s are");
	printf("\n");
}

static int list(Acts *a, const char *trail, gint64 from, gint64 to, Cli *cli)
{
	g_autoptr(GError) error = NULL;
	if (!find_about(a, &error) || !ms_audit_is_there(trail, &error) ||
		!ms_audit_each(trail, from, to, take_line, a, &error))
		return cli_fail_error(error);
	if (!a->json && from > 0)
		cli_tell_begin(cli, ms_audit_first(trail), from);
	if (a->told == 0)
		return tell_none(a);
	if (!a->json)
		print_count(a);
	if (a->damaged > 0)
		cli_fail(0, "%" G_GUINT64_FORMAT " damaged line%s left out (missent audit verify)",
			a->damaged, a->damaged == 1 ? " is" : "s are");
	return 0;
}

int cli_audit_acts(Cli *cli, int argc, char **argv)
{
	gboolean json = FALSE;
	g_autofree char *from = NULL, *to = NULL, *trail = NULL;
	g_autofree char *who = NULL, *act = NULL, *about = NULL;
	const GOptionEntry entries[] = {
		{"from", 0, 0, G_OPTION_ARG_STRING, &from, "from when on (all)", "TIME"},
		{"to", 0, 0, G_OPTION_ARG_STRING, &to, "until when (now)", "TIME"},
		{"who", 0, 0, G_OPTION_ARG_STRING, &who, "of this person or program", "NAME"},
		{"act", 0, 0, G_OPTION_ARG_STRING, &act, "release, delete, reveal, import, ...", "ACT"},
		{"about", 0, 0, G_OPTION_ARG_STRING, &about, "about this message", "QUEUE-ID"},
		{"trail", 0, 0, G_OPTION_ARG_FILENAME, &trail, "another audit trail", "FILE"},
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "one JSON object a line", NULL},
		G_OPTION_ENTRY_NULL,
	};
	static const char summary[] = "- who did what, when, about which message, and for whom";
	g_autoptr(GError) error = NULL;
	gint64 begin = 0, end = G_MAXINT64;
	if (!cli_options(entries, summary, &argc, &argv))
		return EX_USAGE;
	if (argc != 1)
		return cli_fail(EX_USAGE, "audit acts: takes no arguments");
	if (act != NULL && ms_event_named(act) == MS_N_EVENTS)
		return cli_fail_none_of("--act", act, ms_event_names);
	CliPeriod period = {"from", from, "to", to};
	if (!cli_period(&period, g_get_real_time(), &begin, &end, &error))
		return cli_fail(EX_USAGE, "%s", error->message);
	CliSession session = {0};
	int partial = cli_begin(&session, cli), rc = partial;
	if (session.settings != NULL) {
		g_auto(Acts) a = {.who = who, .act = act, .about = about, .json = json,
			.ledger = ms_ledger_open_readonly(session.settings->records_file, NULL),
			.people = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
		if (cli_audit_key(&session, a.key))
			a.key_number = ms_audit_key_number(a.key);
		const char *own = session.settings->audit_file;
		rc = list(&a, trail != NULL ? trail : own, begin, end, cli);
	}
	cli_end(&session);
	return rc != 0 ? rc : partial;
}
