/*
 * missent check: messages come in from files, mailboxes or standard input, an envelope from
 * options; the judgement that the daemon would give goes out, for a person or as JSON, and as
 * the exit code.  The tool's one thread.
 */
#include "config.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/directory.h"
#include "missent/identifier.h"
#include "missent/stored.h"
#include "missent/text.h"

#include "cli.h"

/* What the exit code says. */
#define EXIT_DELIVER 0
#define EXIT_HELD 1
#define EXIT_UNJUDGED EX_TEMPFAIL

#define MAX_ROWS 40 /* of a table, for a person */
#define MAX_RELATIONS 1000 /* recipients, and accounts, of a finding */

typedef struct {
	Cli *cli;
	MsRuntime *runtime;
	CliEnvelope said;
	gboolean json, reveal, details;
	bool many; /* a line each, and a sum at the end */
	guint messages, failed, would[MS_N_ACTIONS];
} Check;

/* ---- envelope ------------------------------------------------------------------------- */

/* "": there was none. */
static char *said_or_none(const char *said)
{
	return said != NULL && *said != '\0' ? g_strdup(said) : NULL;
}

static gint64 time_of(const CliEnvelope *said, GError **error)
{
	gint64 now = g_get_real_time(), at = now;
	if (said->time != NULL)
		cli_when("time", said->time, now, &at, error);
	return at;
}

/* An MTA may have it all the same: it is judged, but what was meant would be judged otherwise. */
static void remark(const char *option, const char *said)
{
	g_autofree char *address = ms_address_bare(said), *safe = ms_text_escape(said, -1, 100);
	const char *why = *address != '\0' ? ms_recipient_problem(address) : NULL;
	if (why != NULL)
		g_printerr("missent: %s: \"%s\": %s; it is judged as it stands\n", option, safe, why);
}

int cli_envelope_check(const CliEnvelope *said)
{
	g_autoptr(GError) error = NULL;
	time_of(said, &error);
	if (error != NULL)
		return cli_fail_error(error);
	if (said->client != NULL && *said->client != '\0' &&
		!ms_network_contains("::/0", said->client))
		return cli_fail(EX_USAGE,
			"--client: \"%s\" is no IP address, such as 192.0.2.1 or 2001:db8::1 (\"\" for this host)",
			said->client);
	for (int i = 0; said->recipients != NULL && said->recipients[i] != NULL; i++) {
		if (said->recipients[i][strspn(said->recipients[i], " <>")] == '\0')
			return cli_fail(EX_USAGE, "--to: \"%s\" is no address of a recipient",
				said->recipients[i]);
		remark("--to", said->recipients[i]);
	}
	if (said->sender != NULL)
		remark("--from", said->sender);
	return 0;
}

static MsEnvelope *make_envelope(
	const CliEnvelope *said, const MsRuntime *runtime, const MsReading *reading, gsize len)
{
	MsEnvelope *envelope = ms_envelope_new();
	const char *from = ms_reading_header(reading, "Return-Path");
	envelope->host = g_strdup(ms_runtime_settings(runtime)->host);
	envelope->sender = said->sender != NULL
		? ms_address_bare(said->sender)
		: ms_address_bare(from != NULL ? from : ms_reading_header(reading, "From"));
	envelope->auth_user = said_or_none(said->user);
	envelope->client_address = said_or_none(said->client);
	envelope->arrived = time_of(said, NULL);
	envelope->unsaid = (said->user == NULL ? MS_UNSAID_USER : 0) |
		(said->client == NULL ? MS_UNSAID_CLIENT : 0) |
		(said->time == NULL ? MS_UNSAID_TIME : 0);
	envelope->size = len;
	for (int i = 0; said->recipients != NULL && said->recipients[i] != NULL; i++)
		g_ptr_array_add(envelope->recipients, ms_address_bare(said->recipients[i]));
	for (guint i = 0; said->recipients == NULL && i < reading->visible->len; i++)
		g_ptr_array_add(envelope->recipients, g_strdup(reading->visible->pdata[i]));
	return envelope;
}

int cli_judge(MsRuntime *runtime, const CliEnvelope *said, const char *name, const guint8 *data,
	gsize len, MsEnvelope **envelope_out, MsJudgement **judgement_out)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsJudgement) judgement = NULL;
	guint64 max = ms_runtime_settings(runtime)->limits.max_message;
	int fd = ms_memory_of("missent-check", data, MIN(len, max));
	if (fd < 0)
		return cli_fail(EX_OSERR, "%s: %s", name, g_strerror(errno));
	if (!ms_engine_read(runtime, NULL, fd, &judgement, &error)) {
		close(fd);
		return cli_fail_error(error);
	}
	judgement->stored = MIN(len, max);
	g_autoptr(MsEnvelope) envelope = make_envelope(said, runtime, judgement->reading, len);
	if (envelope->recipients->len > 0)
		ms_engine_decide(runtime, envelope, fd, judgement);
	close(fd);
	if (envelope->recipients->len == 0)
		return cli_fail(
			EX_DATAERR, "%s: no recipient in To or Cc; give them with --to", name);
	*envelope_out = g_steal_pointer(&envelope);
	*judgement_out = g_steal_pointer(&judgement);
	return 0;
}

void cli_envelope_clear(CliEnvelope *said)
{
	g_strfreev(said->recipients);
	g_free(said->sender);
	g_free(said->user);
	g_free(said->client);
	g_free(said->time);
}

/* The exit code that a verdict gives: 0 deliver, 1 held or rejected, 75 could not be judged. */
static int verdict_code(const MsVerdict *verdict)
{
	return verdict->would == MS_TEMPFAIL ? EXIT_UNJUDGED
		: verdict->would >= MS_DELAY ? EXIT_HELD
					     : EXIT_DELIVER;
}

/* ---- for people ----------------------------------------------------------------------- */

static Colour action_colour(MsAction action)
{
	return action <= MS_TAG ? GREEN : action == MS_TEMPFAIL ? YELLOW : RED;
}

static void print_head(const Check *check, const char *name, const MsEnvelope *envelope,
	const MsVerdict *v)
{
	const Cli *cli = check->cli;
	g_autofree char *codes = ms_verdict_codes(v, MS_TAG);
	g_autofree char *title = cli_cell(name, 0);
	g_autofree char *sender = cli_cell(envelope->sender, 0);
	printf("%s%s%s  %s%s%s", cli_colour(cli, BOLD), title, cli_colour(cli, PLAIN),
		cli_colour(cli, action_colour(v->would)), ms_action_names[v->would],
		cli_colour(cli, PLAIN));
	if (*codes != '\0')
		printf("  %s", codes);
	if (v->would != v->action)
		printf("  (in mode enforce; mode observe: %s)", ms_action_names[v->action]);
	if (check->many && !check->details) {
		putchar('\n');
		return;
	}
	printf("\n  from <%s>%s to %u recipient%s, policies: ", sender,
		*sender == '\0' ? " (a bounce)" : "", envelope->recipients->len,
		envelope->recipients->len == 1 ? "" : "s");
	for (guint i = 0; i < v->policies->len; i++)
		printf("%s%s", i > 0 ? ", " : "", (char *)v->policies->pdata[i]);
	printf("%s\n", v->policies->len == 0 ? "none applies" : "");
	for (guint i = 0; i < v->unsure->len; i++) {
		g_autofree char *text = cli_cell(v->unsure->pdata[i], 0);
		printf("  %snot known%s  counted as met by policy %s\n", cli_colour(cli, YELLOW),
			cli_colour(cli, PLAIN), text);
	}
}

static char *owners_text(const MsResolution *resolution, guint finding)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	guint all = ms_resolution_owners(resolution, finding, MS_HELD_NAMES, names);
	return ms_text_list(names, all);
}

enum { CELLS = 5 };

typedef struct {
	char *cells[CELLS];
	MsRelation relation;
} Row;

static void row_free(void *data)
{
	Row *row = data;
	for (int i = 0; i < CELLS; i++)
		g_free(row->cells[i]);
	g_free(row);
}

static Row *row_new(const Check *check, const MsEnvelope *envelope, const MsJudgement *judgement,
	guint finding, guint recipient)
{
	const MsFinding *f = g_ptr_array_index(judgement->reading->findings, finding);
	MsRelation relation = ms_resolution_relation(judgement->resolution, finding, recipient);
	g_autofree char *masked = ms_identifier_masked(f->value);
	g_autofree char *identifier = g_strdup_printf(
		"%s %s", f->kind, check->reveal ? f->value : masked);
	g_autofree char *owners = owners_text(judgement->resolution, finding);
	const MsPlace *place = f->places->len > 0 ? f->places->pdata[0] : NULL;
	g_autofree char *why = ms_belief_words(f->belief);
	g_autofree char *where = g_strdup_printf("%s%s (%s)", place != NULL ? place->where : "",
		f->count > 1 ? " and elsewhere" : "", why);
	const char *texts[CELLS] = {envelope->recipients->pdata[recipient], identifier,
		ms_relation_names[relation], *owners != '\0' ? owners : "-", where};
	Row *row = g_new0(Row, 1);
	row->relation = relation;
	for (int i = 0; i < CELLS; i++)
		row->cells[i] = cli_cell(texts[i], 0);
	return row;
}

/* Each column is as wide as what is in it, up to a limit: so that a line mostly fits. */
static void print_rows(const Check *check, const GPtrArray *rows)
{
	static const struct {
		const char *name;
		int most; /* 0: the last one */
	} columns[CELLS] = {{"recipient", 32}, {"identifier", 34}, {"relation", 8}, {"account", 18},
		{"where", 0}};
	int widths[CELLS] = {0};
	for (int i = 0; i < CELLS && columns[i].most > 0; i++) {
		int widest = cli_columns(columns[i].name);
		for (guint k = 0; k < rows->len; k++)
			widest = MAX(widest, cli_columns(((const Row *)rows->pdata[k])->cells[i]));
		widths[i] = MIN(widest, columns[i].most);
	}
	for (guint k = 0; k <= rows->len; k++) {
		const Row *row = k > 0 ? rows->pdata[k - 1] : NULL;
		Colour colour = row == NULL                ? DIM
			: row->relation == MS_OTHER   ? RED
			: row->relation == MS_UNKNOWN ? DIM
						      : GREEN;
		printf(" ");
		for (int i = 0; i < CELLS; i++) {
			g_autofree char *cell = cli_cell(
				row != NULL ? row->cells[i] : columns[i].name, widths[i]);
			bool coloured = row == NULL || i == 2;
			printf("%s%s%s%s", i == 0 ? " " : "  ",
				coloured ? cli_colour(check->cli, colour) : "", cell,
				coloured ? cli_colour(check->cli, PLAIN) : "");
		}
		printf("\n");
	}
}

static bool shown(const MsJudgement *judgement, guint finding)
{
	const MsFinding *f = g_ptr_array_index(judgement->reading->findings, finding);
	return !(f->belief & MS_BELIEF_TENTATIVE) ||
		ms_resolution_is_owned(judgement->resolution, finding);
}

static void print_table(const Check *check, const MsEnvelope *envelope,
	const MsJudgement *judgement)
{
	if (judgement->resolution == NULL)
		return;
	g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(row_free);
	guint64 all = 0;
	for (guint i = 0; i < judgement->reading->findings->len; i++)
		all += shown(judgement, i) ? envelope->recipients->len : 0;
	for (guint r = 0; r < envelope->recipients->len && rows->len < MAX_ROWS; r++)
		for (guint i = 0; i < judgement->reading->findings->len && rows->len < MAX_ROWS;
			i++)
			if (shown(judgement, i))
				g_ptr_array_add(rows, row_new(check, envelope, judgement, i, r));
	if (rows->len > 0)
		print_rows(check, rows);
	if (all > rows->len)
		printf("  ... and %" G_GUINT64_FORMAT
		       " row%s more (--json has all, up to %u recipients)\n",
			all - rows->len, CLI_S(all - rows->len), MAX_RELATIONS);
	if (rows->len == 0)
		printf("  no identifier was found\n");
}

static void print_reasons(const Check *check, const MsVerdict *v)
{
	for (guint i = 0; i < v->reasons->len; i++) {
		const MsReason *r = v->reasons->pdata[i];
		if (r->action == MS_DELIVER) /* strictest first; the table has these too */
			return;
		g_autofree char *text = cli_cell(r->text, 0);
		g_autofree char *where = cli_cell(r->where, 0);
		g_autofree char *recipient = cli_cell(r->recipient, 0);
		printf("  %s%-8s%s  %s: %s", cli_colour(check->cli, action_colour(r->action)),
			ms_action_names[r->action], cli_colour(check->cli, PLAIN),
			ms_reason_names[r->code], text);
		if (r->masked != NULL)
			printf(": %s", r->masked);
		if (r->owner != NULL)
			printf(" of %s", r->owner);
		if (*where != '\0')
			printf(", in %s", where);
		if (*recipient != '\0')
			printf(", for %s", recipient);
		if (r->recipients > 1)
			printf(" and %u more", r->recipients - 1);
		printf("  [%s]\n", r->policy);
	}
	if (v->more > 0)
		printf("  ... and %u reason%s more\n", v->more, CLI_S(v->more));
}

static void print_unread(const Check *check, const MsReading *reading)
{
	for (guint i = 0; i < reading->unread->len; i++) {
		const MsUnread *u = reading->unread->pdata[i];
		g_autofree char *where = cli_cell(u->where, 0);
		g_autofree char *detail = cli_cell(u->detail, 0);
		printf("  %snot read%s  %s: %s (%s)\n", cli_colour(check->cli, YELLOW),
			cli_colour(check->cli, PLAIN), where, detail, ms_unread_name(u->reason));
	}
}

static bool is_media(const char *type)
{
	return g_str_has_prefix(type, "image/") || g_str_has_prefix(type, "audio/")
		|| g_str_has_prefix(type, "video/") || strcmp(type, "application/ogg") == 0;
}

/* A label that says something else than the bytes is worth a look; not which picture it is. */
static void print_disguised(const Check *check, const MsReading *reading)
{
	for (guint i = 0; i < reading->parts->len; i++) {
		const MsPart *p = reading->parts->pdata[i];
		static const char *const unsaid[] = {"", "application/octet-stream", NULL};
		bool text = g_str_has_prefix(p->claimed, "text/") &&
			g_str_has_prefix(p->actual, "text/");
		if (*p->actual == '\0' || strcmp(p->claimed, p->actual) == 0 || text ||
			ms_part_is_packed(p) ||
			(is_media(p->claimed) && is_media(p->actual)) ||
			g_strv_contains(unsaid, p->claimed) || g_str_has_suffix(p->claimed, "xml"))
			continue;
		g_autofree char *name = cli_cell(p->name, 0);
		printf("  %sdisguised%s part %s %s: says %s, is %s\n",
			cli_colour(check->cli, YELLOW), cli_colour(check->cli, PLAIN), p->path,
			name, p->claimed, p->actual);
	}
}

/* ---- for programs --------------------------------------------------------------------- */

static json_t *strings(const GPtrArray *list)
{
	json_t *out = json_array();
	for (guint i = 0; i < list->len; i++) {
		g_autofree char *valid = g_utf8_make_valid(list->pdata[i], -1);
		json_array_append_new(out, json_string(valid));
	}
	return out;
}

/* What else is meant, perhaps, and what this would be to each recipient if it is not. */
static void json_either(const Check *check, const MsEnvelope *envelope,
	const MsJudgement *judgement, guint index, json_t *out)
{
	const MsFinding *f = g_ptr_array_index(judgement->reading->findings, index);
	json_t *either = json_array(), *meant = json_object();
	for (guint i = 0; i < f->either->len; i++) {
		const MsIdentifier *other = f->either->pdata[i];
		g_autofree char *masked = ms_identifier_masked(ms_identifier_raw(other));
		json_array_append_new(either,
			json_pack("{s:s, s:s}", "kind", other->kind, "identifier",
				check->reveal ? ms_identifier_raw(other) : masked));
	}
	for (guint r = 0; r < MIN(envelope->recipients->len, MAX_RELATIONS); r++) {
		g_autofree char *address = g_utf8_make_valid(envelope->recipients->pdata[r], -1);
		json_object_set_new(meant, address,
			json_string(ms_relation_names[ms_resolution_if_meant(
				judgement->resolution, index, r)]));
	}
	json_object_set_new(out, "either", either);
	json_object_set_new(out, "if-meant", meant);
}

static json_t *json_finding(const Check *check, const MsEnvelope *envelope,
	const MsJudgement *judgement, guint index)
{
	const MsFinding *f = g_ptr_array_index(judgement->reading->findings, index);
	g_autofree char *masked = ms_identifier_masked(f->value);
	json_t *places = json_array();
	for (guint i = 0; i < f->places->len; i++)
		json_array_append_new(places, json_string(((MsPlace *)f->places->pdata[i])->where));
	json_t *levels = json_array();
	for (guint i = 0; i < MS_N_LEVELS; i++)
		if (ms_belief_levels(f->belief) >> i & 1)
			json_array_append_new(levels, json_string(ms_level_names[i]));
	json_t *out = json_pack("{s:s, s:s, s:i, s:b, s:o, s:o}", "kind", f->kind, "identifier",
		check->reveal ? f->value : masked, "count", (int)f->count, "tentative",
		(f->belief & MS_BELIEF_TENTATIVE) != 0, "believed", levels, "places", places);
	if (judgement->resolution == NULL)
		return out;
	g_autoptr(GPtrArray) owners = g_ptr_array_new();
	ms_resolution_owners(judgement->resolution, index, MAX_RELATIONS, owners);
	json_object_set_new(out, "accounts", strings(owners));
	json_t *relations = json_object();
	for (guint r = 0; r < MIN(envelope->recipients->len, MAX_RELATIONS); r++) {
		g_autofree char *address = g_utf8_make_valid(envelope->recipients->pdata[r], -1);
		json_object_set_new(relations, address,
			json_string(ms_relation_names[ms_resolution_relation(judgement->resolution,
				index, r)]));
	}
	json_object_set_new(out, "relations", relations);
	if (f->either != NULL)
		json_either(check, envelope, judgement, index, out);
	return out;
}

static json_t *text_or_null(const char *text)
{
	g_autofree char *valid = text != NULL ? g_utf8_make_valid(text, -1) : NULL;
	return valid != NULL ? json_string(valid) : json_null();
}

static json_t *json_reasons(const MsVerdict *verdict)
{
	json_t *out = json_array();
	for (guint i = 0; i < verdict->reasons->len; i++) {
		const MsReason *r = verdict->reasons->pdata[i];
		json_array_append_new(out,
			json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:i, s:o}", "reason",
				ms_reason_names[r->code], "policy", r->policy, "action",
				ms_action_names[r->action], "enforced", (int)r->enforced, "kind",
				text_or_null(r->kind), "where", text_or_null(r->where), "account",
				text_or_null(r->owner), "recipient", text_or_null(r->recipient),
				"recipients", (int)r->recipients, "text", text_or_null(r->text)));
	}
	return out;
}

static json_t *json_parts(const MsReading *reading)
{
	json_t *out = json_array();
	for (guint i = 0; i < reading->parts->len; i++) {
		const MsPart *p = reading->parts->pdata[i];
		json_array_append_new(out,
			json_pack("{s:s, s:s, s:s, s:s, s:I}", "part", p->path, "says", p->claimed,
				"is", p->actual, "name", p->name, "size", (json_int_t)p->size));
	}
	return out;
}

static json_t *json_contradictions(const MsReading *reading)
{
	json_t *out = json_array();
	for (guint i = 0; i < reading->contradictions->len; i++) {
		const MsContradiction *c = reading->contradictions->pdata[i];
		json_array_append_new(out, json_pack("{s:s, s:s, s:s}", "where", c->where, "other",
			c->other, "detail", c->detail));
	}
	return out;
}

static void print_json(const Check *check, const char *name, const MsEnvelope *envelope,
	const MsJudgement *judgement)
{
	json_t *findings = json_array();
	for (guint i = 0; i < judgement->reading->findings->len; i++)
		json_array_append_new(findings, json_finding(check, envelope, judgement, i));
	json_t *unread = json_array();
	for (guint i = 0; i < judgement->reading->unread->len; i++) {
		const MsUnread *u = judgement->reading->unread->pdata[i];
		json_array_append_new(unread,
			json_pack("{s:s, s:s, s:s}", "where", u->where, "reason",
				ms_unread_name(u->reason), "detail", u->detail));
	}
	json_t *all = json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"message", text_or_null(name), "verdict",
		ms_action_names[judgement->verdict->action], "would",
		ms_action_names[judgement->verdict->would], "sender",
		text_or_null(envelope->sender), "recipients", strings(envelope->recipients),
		"policies", strings(judgement->verdict->policies), "reasons",
		json_reasons(judgement->verdict), "findings", findings, "unread", unread, "parts",
		json_parts(judgement->reading), "contradictions",
		json_contradictions(judgement->reading), "trouble",
		text_or_null(judgement->trouble));
	cli_print_json(all);
}

/* ---- the command ---------------------------------------------------------------------- */

/* Whoever says from where it comes wants to know whether that is watched. */
static void tell_concern(const Check *check, const char *name, const MsEnvelope *envelope)
{
	if (check->said.client == NULL && check->said.user == NULL)
		return;
	MsConcern concern = ms_engine_concern(check->runtime, envelope);
	if (concern != MS_CONCERNED && concern != MS_NO_POLICIES && concern != MS_NO_POLICY)
		cli_fail(0,
			"%s: not outgoing by section outgoing of missent.conf: missentd would let it by "
			"unread",
			name);
}

static int judge(const char *name, const guint8 *data, gsize len, void *user)
{
	Check *check = user;
	g_autoptr(MsJudgement) judgement = NULL;
	g_autoptr(MsEnvelope) envelope = NULL;
	int rc = cli_judge(check->runtime, &check->said, name, data, len, &envelope, &judgement);
	check->messages++;
	check->failed += rc != 0;
	if (rc != 0)
		return rc;
	check->would[judgement->verdict->would]++;
	tell_concern(check, name, envelope);
	const MsVerdict *v = judgement->verdict;
	if (check->json) {
		print_json(check, name, envelope, judgement);
	} else {
		print_head(check, name, envelope, v);
	}
	if (!check->json && (!check->many || check->details)) {
		print_table(check, envelope, judgement);
		print_unread(check, judgement->reading);
		print_disguised(check, judgement->reading);
		print_reasons(check, v);
		putchar('\n');
	}
	return verdict_code(v);
}

/* "36 messages: 30 deliver, 5 hold, 1 not judged" */
static void print_sum(const Check *check)
{
	printf("%u message%s%s", check->messages, CLI_S(check->messages),
		check->messages > 0 ? ":" : "");
	bool first = true;
	for (int i = 0; i < MS_N_ACTIONS; i++) {
		if (check->would[i] > 0)
			printf("%s %u %s", first ? "" : ",", check->would[i], ms_action_names[i]);
		first = first && check->would[i] == 0;
	}
	if (check->failed > 0)
		printf("%s %u could not be judged", first ? "" : ",", check->failed);
	printf("%s\n",
		check->details || check->messages == 0 ? "" : " (--details tells of each)");
}

static void check_clear(Check *check)
{
	ms_runtime_unref(check->runtime);
	cli_envelope_clear(&check->said);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Check, check_clear)

int cmd_check(Cli *cli, int argc, char **argv)
{
	g_auto(Check) check = {.cli = cli};
	const GOptionEntry entries[] = {
		CLI_ENVELOPE_OPTIONS(check.said),
		{"json", 0, 0, G_OPTION_ARG_NONE, &check.json, "one JSON object a line", NULL},
		{"details", 0, 0, G_OPTION_ARG_NONE, &check.details,
			"of many messages, tell of each what was found", NULL},
		{"reveal", 0, 0, G_OPTION_ARG_NONE, &check.reveal, "identifiers as they are", NULL},
		G_OPTION_ENTRY_NULL,
	};
	if (!cli_options(entries,
		    "FILE|MBOX|MAILDIR|-... - judge messages offline; exit 0: would be "
		    "delivered, 1: held or rejected, 75: could not be judged",
		    &argc, &argv))
		return EX_USAGE;
	if (argc < 2)
		return cli_fail(EX_USAGE, "check: which messages? (- for standard input)");
	g_autoptr(GError) error = NULL;
	g_autofree char *warning = NULL;
	int rc = cli_envelope_check(&check.said);
	if (rc != 0)
		return rc;
	check.runtime = ms_runtime_load(cli->config, MS_PARTS_CHECK, &warning, &error);
	if (check.runtime == NULL)
		return cli_fail_error(error);
	if (warning != NULL)
		cli_fail(0, "warning: %s", warning);
	int worst = 0;
	for (int i = 1; i < argc; i++)
		check.many = check.many || argc > 2 || ms_stored_is_many(argv[i]);
	for (int i = 1; i < argc; i++) {
		rc = cli_messages(argv[i], judge, &check);
		worst = MAX(worst, rc);
	}
	if (check.many && !check.json)
		print_sum(&check);
	return worst;
}
