#include "config.h"

#include <jansson.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/desk.h"

#include "cli.h"

/* Who acts: the name behind sudo, if there is one. */
static const char *who(void)
{
	const char *sudo = geteuid() == 0 ? g_getenv("SUDO_USER") : NULL;
	if (sudo != NULL)
		return sudo;
	const struct passwd *user = getpwuid(getuid());
	return user != NULL ? user->pw_name : "unknown";
}

/* NULL: it was said why, and `*rc` is set. */
static MsDesk *open_desk(Cli *cli, int *rc)
{
	g_autoptr(GError) error = NULL;
	MsDesk *desk = ms_desk_open(cli->config, &error);
	if (desk == NULL)
		*rc = cli_fail_error(error);
	return desk;
}

/* ---- printing ------------------------------------------------------------------------- */

static void print_json(const MsRecord *record, const char *queue)
{
	char *text = ms_record_to_json(record);
	if (text == NULL)
		cli_fail(0, "%s: cannot be told as JSON", record->queue_id);
	else if (queue != NULL)
		printf("{\"queue\":\"%s\",%s\n", queue, text + 1);
	else
		puts(text);
	free(text);
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
	if (record->place == MS_PLACE_SPOOL)
		return "spool";
	if (queue == NULL)
		return NULL;
	const MsQueued *queued = g_hash_table_lookup(queue, record->queue_id);
	return queued != NULL && ms_mta_is_same(record, queued) ? queued->queue : "gone";
}

static void print_line(const MsRecord *r, const char *queue)
{
	g_autofree char *age = age_of(r->arrived);
	g_autofree char *sender = cli_cell(r->sender, 30);
	const MsHeldRecipient *to = r->recipients->len > 0 ? r->recipients->pdata[0] : NULL;
	g_autofree char *first = cli_cell(to != NULL ? to->address : "-", 30);
	g_autofree char *id = cli_cell(*r->queue_id != '\0' ? r->queue_id : r->uid, 16);
	bool missing = r->state == MS_STATE_HELD && queue != NULL && strcmp(queue, "hold") != 0
		&& strcmp(queue, "spool") != 0;
	printf("%s  %-8s  %5s  %s  %s %4u  %s%s%s%s%s%s\n", id, ms_state_names[r->state], age, sender, first,
		r->n_recipients, r->codes, r->place == MS_PLACE_SPOOL ? " (split)" : "",
		missing ? " (in the queue: " : "", missing ? queue : "", missing ? ")" : "",
		*r->assignee != '\0' ? " *" : "");
}

static void print_heading(void)
{
	printf("%-16s  %-8s  %5s  %-30s  %-30s %4s  %s\n", "queue ID", "state", "age", "from", "to", "n",
		"reasons");
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

static int list_records(MsDesk *desk, const MsRecordFilter *filter, bool json)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) list = ms_records_list(ms_desk_ledger(desk), filter, &error);
	if (list == NULL)
		return cli_fail_error(error);
	/* Without the queue the records are still worth seeing. */
	g_autoptr(GError) no_queue = NULL;
	GHashTable *queue = ms_desk_queue(desk, &no_queue);
	if (queue == NULL)
		cli_fail(0, "the queue cannot be looked at: %s", no_queue->message);
	if (!json && list->len > 0)
		print_heading();
	for (guint i = 0; i < list->len; i++) {
		const MsRecord *record = list->pdata[i];
		if (json)
			print_json(record, queue_of(record, queue));
		else
			print_line(record, queue_of(record, queue));
	}
	if (!json)
		printf("%u message%s\n", list->len, list->len == 1 ? "" : "s");
	return 0;
}

/* What a list, or a decision about many, is about. */
typedef struct {
	char *reason, *policy, *sender, *recipient, *account, *cause, *older, *newer, *search, *sort;
	char *assignee;
} Filter;

static void filter_clear(Filter *f)
{
	char **all[] = {&f->reason, &f->policy, &f->sender, &f->recipient, &f->account, &f->cause, &f->older,
		&f->newer, &f->search, &f->sort, &f->assignee};
	for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
		g_clear_pointer(all[i], g_free);
}

/* An unset variable of a shell must not mean everything. */
static bool has_empty_word(const Filter *f)
{
	const struct {
		const char *option, *value;
	} words[] = {{"reason", f->reason}, {"policy", f->policy}, {"sender", f->sender},
		{"recipient", f->recipient}, {"account", f->account}, {"cause", f->cause}, {"older", f->older},
		{"newer", f->newer}, {"search", f->search}, {"sort", f->sort}, {"assigned", f->assignee}};
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
		if (words[i].value == NULL || words[i].value[strspn(words[i].value, " \t\n")] != '\0')
			continue;
		cli_fail(0, "--%s \"\": an empty word; leave the option out to mean any", words[i].option);
		return true;
	}
	return false;
}

static bool is_reason(const char *name)
{
	if (name == NULL || g_strv_contains(ms_reason_names, name))
		return true;
	g_autofree char *list = g_strjoinv(", ", (char **)ms_reason_names);
	cli_fail(0, "--reason %s: there is no such reason; it is one of %s", name, list);
	return false;
}

static bool filter_take(const Filter *f, int state, MsRecordFilter *out)
{
	bool fine = !has_empty_word(f) && is_reason(f->reason);
	if (!fine)
		return false;
	*out = (MsRecordFilter){.state = state,
		.reason = f->reason,
		.policy = f->policy,
		.sender = f->sender,
		.recipient = f->recipient,
		.account = f->account,
		.cause = f->cause,
		.assignee = f->assignee,
		.search = f->search,
		.older_than = f->older != NULL ? before_now(f->older, &fine) : 0,
		.newer_than = f->newer != NULL ? before_now(f->newer, &fine) : 0};
	if (!fine)
		cli_fail(0, "an age is a number and m, h or d");
	for (int i = 0; fine && f->sort != NULL && strcmp(ms_sort_names[out->sort], f->sort) != 0; i++) {
		fine = ms_sort_names[i] != NULL;
		if (fine)
			out->sort = (MsSort)i;
		else
			cli_fail(0, "--sort is one of newest, oldest, sender, recipients, size");
	}
	return fine;
}

static int do_list(Cli *cli, int argc, char **argv)
{
	Filter f = {0};
	gboolean json = FALSE, all = FALSE, observed = FALSE;
	gint limit = 0;
	const GOptionEntry entries[] = {
		{"reason", 0, 0, G_OPTION_ARG_STRING, &f.reason, "only with this reason", "REASON"},
		{"policy", 0, 0, G_OPTION_ARG_STRING, &f.policy, "only by this policy", "TITLE"},
		{"sender", 0, 0, G_OPTION_ARG_STRING, &f.sender, "only from senders with this in them", "TEXT"},
		{"recipient", 0, 0, G_OPTION_ARG_STRING, &f.recipient, "only to recipients with this in them",
			"TEXT"},
		{"account", 0, 0, G_OPTION_ARG_STRING, &f.account, "only about this account", "ACCOUNT"},
		{"cause", 0, 0, G_OPTION_ARG_STRING, &f.cause, "only for this cause (see held causes)", "CAUSE"},
		{"assigned", 0, 0, G_OPTION_ARG_STRING, &f.assignee, "only those of this reviewer", "WHO"},
		{"search", 0, 0, G_OPTION_ARG_STRING, &f.search, "a queue ID, or a part of an address", "TEXT"},
		{"older", 0, 0, G_OPTION_ARG_STRING, &f.older, "only older than 30m, 12h, 3d", "AGE"},
		{"newer", 0, 0, G_OPTION_ARG_STRING, &f.newer, "only newer than", "AGE"},
		{"sort", 0, 0, G_OPTION_ARG_STRING, &f.sort, "newest, oldest, sender, recipients, size", "ORDER"},
		{"limit", 0, 0, G_OPTION_ARG_INT, &limit, "at most so many", "N"},
		{"all", 'a', 0, G_OPTION_ARG_NONE, &all, "also released, returned, deleted, observed", NULL},
		{"observed", 0, 0, G_OPTION_ARG_NONE, &observed,
			"those that would have been held in mode enforce", NULL},
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "one JSON object a line", NULL},
		G_OPTION_ENTRY_NULL,
	};
	MsRecordFilter filter;
	int rc = EX_USAGE;
	if (cli_options(entries, "- held mail, newest first", &argc, &argv)
		&& filter_take(&f, all ? -1 : observed ? MS_STATE_OBSERVED : MS_STATE_HELD, &filter)) {
		filter.limit = limit > 0 ? (guint)limit : 0;
		filter.whole = json;
		g_autoptr(MsDesk) desk = open_desk(cli, &rc);
		if (desk != NULL)
			rc = list_records(desk, &filter, json);
	}
	filter_clear(&f);
	return rc;
}

static int do_causes(Cli *cli, int argc, char **argv)
{
	gboolean json = FALSE;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "one JSON object a line", NULL},
		G_OPTION_ENTRY_NULL,
	};
	int rc = EX_USAGE;
	if (!cli_options(entries, "- what held messages have in common", &argc, &argv))
		return rc;
	g_autoptr(GError) error = NULL;
	g_autoptr(MsDesk) desk = open_desk(cli, &rc);
	g_autoptr(GPtrArray) causes =
		desk != NULL ? ms_records_causes(ms_desk_ledger(desk), 1000, &error) : NULL;
	if (causes == NULL)
		return error != NULL ? cli_fail_error(error) : rc;
	for (guint i = 0; i < causes->len; i++) {
		const MsCause *cause = causes->pdata[i];
		g_autofree char *age = age_of(cause->oldest);
		g_autofree char *text = cli_cell(cause->cause, 0);
		json_t *row = json_pack("{s:s, s:I, s:I}", "cause", cause->cause, "messages",
			(json_int_t)cause->messages, "oldest", (json_int_t)(cause->oldest / G_USEC_PER_SEC));
		char *line = json_dumps(row, JSON_COMPACT);
		if (json)
			puts(line);
		else
			printf("%6" G_GINT64_FORMAT "  oldest %5s  %s\n", cause->messages, age, text);
		free(line);
		json_decref(row);
	}
	return 0;
}

/* ---- numbers -------------------------------------------------------------------------- */

static int do_stats(Cli *cli, int argc, char **argv)
{
	gboolean json = FALSE;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "as JSON", NULL},
		G_OPTION_ENTRY_NULL,
	};
	int rc = EX_USAGE;
	if (!cli_options(entries, "- how many are held, and since when", &argc, &argv))
		return rc;
	g_autoptr(GError) error = NULL;
	MsRecordStats stats;
	g_autoptr(MsDesk) desk = open_desk(cli, &rc);
	if (desk == NULL)
		return rc;
	if (!ms_records_stats(ms_desk_ledger(desk), &stats, &error))
		return cli_fail_error(error);
	gint64 age = stats.held > 0 ? (g_get_real_time() - stats.oldest) / G_USEC_PER_SEC : 0;
	g_autofree char *words = age_of(stats.held > 0 ? stats.oldest : g_get_real_time());
	if (json)
		printf("{\"held\":%" G_GINT64_FORMAT ",\"oldest_seconds\":%" G_GINT64_FORMAT ",\"waiting\":%"
		       G_GINT64_FORMAT "}\n", stats.held, age, stats.waiting);
	else
		printf("held     %" G_GINT64_FORMAT "\noldest   %s\nwaiting  %" G_GINT64_FORMAT
		       " (for a second person)\n", stats.held, words, stats.waiting);
	return 0;
}

/* ---- show ----------------------------------------------------------------------------- */

static void show_recipients(const MsRecord *record)
{
	for (guint i = 0; i < record->recipients->len && i < 20; i++) {
		const MsHeldRecipient *to = record->recipients->pdata[i];
		g_autofree char *address = cli_cell(to->address, 0);
		printf("to          <%s>%s%s%s%s%s\n", address, *to->accounts != '\0' ? ", receives for " : "",
			to->accounts, to->state != record->state ? " (" : "",
			to->state != record->state ? ms_state_names[to->state] : "",
			to->state != record->state ? ")" : "");
	}
	if (record->recipients->len > 20)
		printf("to          ... and %u more\n", record->recipients->len - 20);
}

static void show_reason(const MsReason *r)
{
	g_autofree char *text = cli_cell(r->text, 0);
	g_autofree char *where = cli_cell(r->where, 0);
	printf("why         %s (%s, policy %s): %s", ms_reason_names[r->code], ms_action_names[r->action],
		r->policy, text);
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

static void show_findings(const MsRecord *record)
{
	for (guint i = 0; i < record->findings->len; i++) {
		const MsHeldFinding *f = record->findings->pdata[i];
		g_autofree char *where = cli_cell(f->where, 0);
		printf("found       %s %s (%s)%s%s, in %s  [%s]\n", f->kind, f->masked, f->belief,
			*f->owners != '\0' ? " of account " : ", not known", f->owners, where, f->ref);
	}
}

static void show_acts(const MsRecord *record)
{
	for (guint i = 0; i < record->acts->len; i++) {
		const MsAct *act = record->acts->pdata[i];
		g_autofree char *at = cli_time(act->at);
		g_autofree char *why = cli_cell(act->why, 0);
		printf("done        %s by %s at %s: %s\n", act->what, act->who, at, why);
	}
	for (guint i = 0; i < record->decisions->len; i++) {
		const MsDecision *d = record->decisions->pdata[i];
		if (d->state < MS_DECISION_DONE)
			printf("%-11s %s by %s, decision %s\n", ms_decision_state_names[d->state], d->verb, d->who,
				*d->group != '\0' ? d->group : d->id);
	}
}

static void show_text(const MsRecord *record)
{
	g_autofree char *time = cli_time(record->arrived);
	g_autofree char *sender = cli_cell(record->sender, 0);
	g_autofree char *cause = cli_cell(record->cause, 0);
	printf("queue ID    %s on %s\nreference   %s\nstate       %s%s\narrived     %s\n"
	       "size        %" G_GUINT64_FORMAT "\nfrom        <%s>\n",
		record->queue_id, record->host, record->uid, ms_state_names[record->state],
		record->place == MS_PLACE_SPOOL ? ", in missent's spool" : "", time, record->size, sender);
	show_recipients(record);
	printf("cause       %s\n", cause);
	if (*record->assignee != '\0')
		printf("assigned    %s\n", record->assignee);
	if (record->place == MS_PLACE_SPOOL && !record->is_signed)
		printf("signature   none: if your mail is signed with DKIM, missent must come after the signer\n");
	for (guint i = 0; i < record->reasons->len; i++)
		show_reason(record->reasons->pdata[i]);
	show_findings(record);
	show_acts(record);
}

static MsRecord *find(MsDesk *desk, const char *name, int *rc)
{
	g_autoptr(GError) error = NULL;
	MsRecord *record = ms_records_find(ms_desk_ledger(desk), name, &error);
	if (record == NULL)
		*rc = error != NULL
			? cli_fail_error(error)
			: cli_fail(EX_DATAERR, "%s: there is no record of a held message with this queue ID", name);
	return record;
}

static int print_message(MsDesk *desk, const MsRecord *record)
{
	g_autoptr(GError) error = NULL;
	int fd = ms_desk_message(desk, record->uid, who(), &error);
	if (fd < 0)
		return cli_fail_error(error);
	char buffer[65536];
	off_t at = 0;
	putchar('\n');
	for (ssize_t n; (n = pread(fd, buffer, sizeof buffer, at)) > 0; at += n)
		fwrite(buffer, 1, (size_t)n, stdout);
	close(fd);
	return 0;
}

static int print_evidence(MsDesk *desk, const MsRecord *record)
{
	g_autoptr(GError) error = NULL;
	char *text = ms_desk_evidence(desk, record->uid, who(), &error);
	if (text == NULL)
		return cli_fail_error(error);
	puts(text);
	free(text);
	return 0;
}

/* The bytes of an attached file, on standard output. */
static int print_part(MsDesk *desk, const MsRecord *record, const char *path)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = ms_desk_part(desk, record->uid, path, false, who(), &error);
	if (bytes == NULL)
		return cli_fail_error(error);
	gsize len;
	const void *data = g_bytes_get_data(bytes, &len);
	return fwrite(data, 1, len, stdout) == len ? 0 : EX_IOERR;
}

static int do_show(Cli *cli, int argc, char **argv)
{
	gboolean json = FALSE, message = FALSE, reveal = FALSE;
	g_autofree char *part = NULL;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "as JSON", NULL},
		{"message", 'm', 0, G_OPTION_ARG_NONE, &message, "the message itself too; the look is "
			"recorded", NULL},
		{"reveal", 'r', 0, G_OPTION_ARG_NONE, &reveal, "what was found, in clear, as JSON; the look is "
			"recorded", NULL},
		{"part", 0, 0, G_OPTION_ARG_STRING, &part, "the bytes of this part (see --reveal) alone; the look "
			"is recorded", "PATH"},
		G_OPTION_ENTRY_NULL,
	};
	int rc = EX_USAGE;
	if (!cli_options(entries, "QUEUEID - why it is held", &argc, &argv))
		return rc;
	if (argc != 2)
		return cli_fail(EX_USAGE, "held show: which queue ID?");
	g_autoptr(MsDesk) desk = open_desk(cli, &rc);
	g_autoptr(MsRecord) record = desk != NULL ? find(desk, argv[1], &rc) : NULL;
	if (record == NULL)
		return rc;
	if (part != NULL)
		return print_part(desk, record, part);
	rc = 0;
	if (json)
		print_json(record, NULL);
	else if (!reveal)
		show_text(record);
	if (reveal)
		rc = print_evidence(desk, record);
	return rc == 0 && message ? print_message(desk, record) : rc;
}

/* ---- deciding ------------------------------------------------------------------------- */

static void print_outcome_json(const char *name, const char *uid, const char *decision, const char *verb,
	const char *state, const char *outcome)
{
	json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "queue_id", name, "uid", uid, "decision",
		decision, "verb", verb, "state", state, "outcome", outcome);
	char *text = json_dumps(row, JSON_COMPACT);
	puts(text);
	free(text);
	json_decref(row);
}

static int print_outcome(const MsDecision *d, const char *name, bool json)
{
	bool fine = d->state == MS_DECISION_DONE || d->state == MS_DECISION_WAITING
		|| d->state == MS_DECISION_WITHDRAWN;
	if (json) {
		print_outcome_json(name, d->uid, *d->group != '\0' ? d->group : d->id, d->verb,
			ms_decision_state_names[d->state], d->outcome);
	} else if (!fine) {
		return cli_fail(EX_TEMPFAIL, "%s", d->outcome);
	} else if (d->state == MS_DECISION_WAITING) {
		printf("%s: %s waits for a second person: missent held agree %s\n", name, d->verb,
			*d->group != '\0' ? d->group : d->id);
	} else {
		printf("%s: %s %s%s%s\n", name, d->verb, ms_decision_state_names[d->state],
			*d->outcome != '\0' ? ", " : "", d->outcome);
	}
	return fine ? 0 : EX_TEMPFAIL;
}

/* What a release to those with a right left out. */
static void print_left(MsDesk *desk, const GPtrArray *uids, const GPtrArray *done, bool json)
{
	g_autoptr(GHashTable) decided = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < done->len; i++)
		g_hash_table_add(decided, ((MsDecision *)done->pdata[i])->uid);
	for (guint i = 0; i < uids->len; i++) {
		g_autoptr(MsRecord) record = ms_records_find(ms_desk_ledger(desk), uids->pdata[i], NULL);
		if (record == NULL || g_hash_table_contains(decided, record->uid))
			continue;
		if (json)
			print_outcome_json(record->queue_id, record->uid, "", "release", "left", MS_DESK_NO_RIGHT);
		else
			printf("%s: stays held, %s\n", record->queue_id, MS_DESK_NO_RIGHT);
	}
}

static int print_outcomes(MsDesk *desk, const GPtrArray *done, bool json)
{
	int rc = 0;
	for (guint i = 0; i < done->len; i++) {
		const MsDecision *d = done->pdata[i];
		g_autoptr(MsRecord) record = ms_records_find(ms_desk_ledger(desk), d->uid, NULL);
		int one = print_outcome(d, record != NULL && *record->queue_id != '\0' ? record->queue_id : d->uid,
			json);
		rc = MAX(rc, one);
	}
	return rc;
}

#define SAMPLE 5

/* What is about to be decided, and a question, unless it was answered with --yes. */
static bool confirmed(const GPtrArray *list, const char *verb, bool yes, bool json)
{
	if (!json) {
		print_heading();
		for (guint i = 0; i < list->len && i < SAMPLE; i++)
			print_line(list->pdata[i], NULL);
		if (list->len > SAMPLE)
			printf("... and %u more\n", list->len - SAMPLE);
	}
	if (yes)
		return true;
	if (!isatty(STDIN_FILENO)) {
		cli_fail(0, "held %s: %u messages; add --yes", verb, list->len);
		return false;
	}
	printf("%s %u message%s? [y/N] ", verb, list->len, list->len == 1 ? "" : "s");
	fflush(stdout);
	int answer = getchar();
	return answer == 'y' || answer == 'Y';
}

typedef struct {
	Filter filter;
	char *why, *detail, *ref;
	char **to;
	int others;
	gboolean yes, json, rightful;
} Options;

static void options_clear(Options *o)
{
	filter_clear(&o->filter);
	g_free(o->why);
	g_free(o->detail);
	g_free(o->ref);
	g_strfreev(o->to);
}

static bool is_filtered(const Filter *f)
{
	return f->cause != NULL || f->reason != NULL || f->policy != NULL || f->sender != NULL
		|| f->recipient != NULL || f->account != NULL || f->older != NULL || f->newer != NULL;
}

/* The records that were named, or those that a filter finds. */
static GPtrArray *which(MsDesk *desk, Options *o, const char *verb, int argc, char **argv, int *rc)
{
	g_autoptr(GPtrArray) uids = g_ptr_array_new_with_free_func(g_free);
	for (int i = 1; i < argc; i++)
		g_ptr_array_add(uids, g_strdup(argv[i]));
	*rc = EX_USAGE;
	if (!is_filtered(&o->filter)) {
		if (uids->len == 0)
			cli_fail(0, "held %s: which queue IDs?", verb);
		return uids->len > 0 ? g_steal_pointer(&uids) : NULL;
	}
	MsRecordFilter filter;
	if (uids->len > 0)
		cli_fail(0, "held %s: either queue IDs, or what they have in common", verb);
	if (uids->len > 0 || !filter_take(&o->filter, MS_STATE_HELD, &filter))
		return NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) list = ms_records_list(ms_desk_ledger(desk), &filter, &error);
	if (list == NULL) {
		*rc = cli_fail_error(error);
		return NULL;
	}
	*rc = list->len == 0 ? cli_fail(EX_DATAERR, "held %s: no held message is like this", verb) : 0;
	if (list->len > 0 && !confirmed(list, verb, o->yes, o->json))
		*rc = EX_USAGE;
	if (*rc != 0)
		return NULL;
	for (guint i = 0; i < list->len; i++)
		g_ptr_array_add(uids, g_strdup(((MsRecord *)list->pdata[i])->uid));
	return g_steal_pointer(&uids);
}

static int decide(Cli *cli, Options *o, const char *verb, int argc, char **argv)
{
	int rc = 0;
	g_autoptr(GError) error = NULL;
	g_autoptr(MsDesk) desk = open_desk(cli, &rc);
	g_autoptr(GPtrArray) uids = desk != NULL ? which(desk, o, verb, argc, argv, &rc) : NULL;
	if (uids == NULL)
		return rc;
	g_autoptr(GPtrArray) to = g_ptr_array_new();
	for (int i = 0; o->to != NULL && o->to[i] != NULL; i++)
		g_ptr_array_add(to, o->to[i]);
	g_autofree char *detail = o->ref != NULL ? g_strdup_printf("%s %s", o->ref, o->detail) : NULL;
	MsAsk ask = {.verb = verb, .uids = uids, .recipients = to, .rightful = o->rightful, .others = (guint)MAX(o->others, 0), .who = who(),
		.why = o->why,
		.detail = detail != NULL ? detail : o->detail};
	g_autoptr(GPtrArray) done = ms_desk_decide(desk, &ask, &error);
	if (done == NULL)
		return cli_fail_error(error);
	rc = print_outcomes(desk, done, o->json);
	if (o->rightful)
		print_left(desk, uids, done, o->json);
	return rc;
}

/* release, return, delete, rejudge: also of all that have something in common. */
static int final(Cli *cli, int argc, char **argv, const char *summary)
{
	Options o = {0};
	const char *verb = argv[0];
	Filter *f = &o.filter;
	const GOptionEntry entries[] = {
		{"why", 'w', 0, G_OPTION_ARG_STRING, &o.why, "the reason, for the record", "TEXT"},
		{"to", 0, strcmp(verb, "release") == 0 ? 0 : G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING_ARRAY,
			&o.to, "only to this recipient (several times: to these)", "ADDRESS"},
		{"rightful", 0, strcmp(verb, "release") == 0 ? 0 : G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &o.rightful,
			"only to those with a right to it", NULL},
		{"others", 0, strcmp(verb, "release") == 0 ? 0 : G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_INT, &o.others,
			"so many recipients would get what is another's, and may", "NUMBER"},
		{"cause", 0, 0, G_OPTION_ARG_STRING, &f->cause, "all that are held for it", "CAUSE"},
		{"reason", 0, 0, G_OPTION_ARG_STRING, &f->reason, "all with this reason", "REASON"},
		{"policy", 0, 0, G_OPTION_ARG_STRING, &f->policy, "all by this policy", "TITLE"},
		{"sender", 0, 0, G_OPTION_ARG_STRING, &f->sender, "all from such senders", "TEXT"},
		{"recipient", 0, 0, G_OPTION_ARG_STRING, &f->recipient, "all to such recipients", "TEXT"},
		{"account", 0, 0, G_OPTION_ARG_STRING, &f->account, "all about this account", "ACCOUNT"},
		{"older", 0, 0, G_OPTION_ARG_STRING, &f->older, "all older than 30m, 12h, 3d", "AGE"},
		{"newer", 0, 0, G_OPTION_ARG_STRING, &f->newer, "all newer than", "AGE"},
		{"yes", 'y', 0, G_OPTION_ARG_NONE, &o.yes, "do not ask", NULL},
		{"json", 0, 0, G_OPTION_ARG_NONE, &o.json, "one JSON object a line", NULL},
		G_OPTION_ENTRY_NULL,
	};
	int rc = EX_USAGE;
	if (cli_options(entries, summary, &argc, &argv))
		rc = decide(cli, &o, verb, argc, argv);
	options_clear(&o);
	return rc;
}

static int do_release(Cli *cli, int argc, char **argv)
{
	return final(cli, argc, argv, "QUEUEID... - let it go to its recipients");
}

static int do_return(Cli *cli, int argc, char **argv)
{
	return final(cli, argc, argv, "QUEUEID... - return it to its sender");
}

static int do_delete(Cli *cli, int argc, char **argv)
{
	return final(cli, argc, argv, "QUEUEID... - delete it for good");
}

static int do_rejudge(Cli *cli, int argc, char **argv)
{
	return final(cli, argc, argv, "QUEUEID... - judge it again by the directory and policies of now");
}

/* note, assign, belongs, may-receive */
static int other(Cli *cli, int argc, char **argv, const char *summary)
{
	Options o = {0};
	const char *verb = argv[0];
	bool belongs = strcmp(verb, "belongs") == 0, receives = strcmp(verb, "may-receive") == 0;
	bool assign = strcmp(verb, "assign") == 0;
	const GOptionEntry entries[] = {
		{"why", 'w', 0, G_OPTION_ARG_STRING, &o.why,
			strcmp(verb, "note") == 0 ? "what is to be noted" : "the reason, for the record", "TEXT"},
		{"to", 0, assign ? 0 : G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &o.detail,
			"whom (nobody, if it is left out)", "WHO"},
		{"account", 0, belongs || receives ? 0 : G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &o.detail,
			"which account", "ACCOUNT"},
		{"identifier", 0, belongs ? 0 : G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &o.ref,
			"which one: what stands in brackets in held show", "REF"},
		{"recipient", 0, receives ? 0 : G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING_ARRAY, &o.to,
			"which recipient (several times: these)", "ADDRESS"},
		{"json", 0, 0, G_OPTION_ARG_NONE, &o.json, "one JSON object a line", NULL},
		G_OPTION_ENTRY_NULL,
	};
	int rc = EX_USAGE;
	if (!cli_options(entries, summary, &argc, &argv))
		rc = EX_USAGE;
	else if (belongs && (o.ref == NULL || o.detail == NULL))
		rc = cli_fail(EX_USAGE, "held belongs: --identifier and --account are needed");
	else if (receives && (o.to == NULL || o.detail == NULL))
		rc = cli_fail(EX_USAGE, "held may-receive: --recipient and --account are needed");
	else
		rc = decide(cli, &o, verb, argc, argv);
	options_clear(&o);
	return rc;
}

static int do_note(Cli *cli, int argc, char **argv)
{
	return other(cli, argc, argv, "QUEUEID... - add a note");
}

static int do_assign(Cli *cli, int argc, char **argv)
{
	return other(cli, argc, argv, "QUEUEID... - give it to a reviewer");
}

static int do_belongs(Cli *cli, int argc, char **argv)
{
	return other(cli, argc, argv, "QUEUEID - this identifier belongs to that account");
}

static int do_may_receive(Cli *cli, int argc, char **argv)
{
	return other(cli, argc, argv, "QUEUEID - this recipient may receive for that account");
}

static int second(Cli *cli, int argc, char **argv, bool agrees)
{
	gboolean json = FALSE;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "one JSON object a line", NULL},
		G_OPTION_ENTRY_NULL,
	};
	int rc = EX_USAGE;
	if (!cli_options(entries, "DECISION - what waits for a second person", &argc, &argv))
		return rc;
	if (argc != 2)
		return cli_fail(EX_USAGE, "held %s: which decision?", argv[0]);
	g_autoptr(GError) error = NULL;
	g_autoptr(MsDesk) desk = open_desk(cli, &rc);
	if (desk == NULL)
		return rc;
	g_autoptr(GPtrArray) done = ms_desk_agree(desk, argv[1], who(), agrees, &error);
	return done != NULL ? print_outcomes(desk, done, json) : cli_fail_error(error);
}

static int do_agree(Cli *cli, int argc, char **argv)
{
	return second(cli, argc, argv, true);
}

static int do_withdraw(Cli *cli, int argc, char **argv)
{
	return second(cli, argc, argv, false);
}

/* What was interrupted is finished; expiry, notices, digests: for hosts without missent-agent. */
static int do_work(Cli *cli, int argc, char **argv)
{
	int rc = EX_USAGE;
	if (!cli_options(NULL, "- finish what was interrupted; expiry, notices, digests", &argc, &argv))
		return rc;
	g_autoptr(MsDesk) desk = open_desk(cli, &rc);
	if (desk == NULL)
		return rc;
	guint n = ms_desk_work(desk, 0);
	ms_desk_tick(desk);
	printf("%u decision%s finished\n", n, n == 1 ? "" : "s");
	return 0;
}

static const CliVerb verbs[] = {
	{"list", do_list, "             held mail, newest first (--reason, --sender, --account, --older, ...)"},
	{"causes", do_causes, "             what held messages have in common, and how many they are"},
	{"stats", do_stats, "             how many are held, and since when"},
	{"show", do_show, "QUEUEID      why it is held (--message: the message too; --reveal)"},
	{"release", do_release, "QUEUEID...   let it go (--to: to some; --cause: all of one cause)"},
	{"return", do_return, "QUEUEID...   return it to its sender"},
	{"delete", do_delete, "QUEUEID...   delete it"},
	{"agree", do_agree, "DECISION     agree, as the second person, to what waits"},
	{"withdraw", do_withdraw, "DECISION     withdraw what waits"},
	{"note", do_note, "QUEUEID...   add a note (-w TEXT)"},
	{"assign", do_assign, "QUEUEID...   give it to a reviewer (--to WHO)"},
	{"belongs", do_belongs, "QUEUEID      this --identifier belongs to that --account"},
	{"may-receive", do_may_receive, "QUEUEID   this --recipient may receive for that --account"},
	{"rejudge", do_rejudge, "QUEUEID...   judge it again by today's directory and policies (--cause: all of one)"},
	{"work", do_work, "             finish what was interrupted; expiry, notices, digests"},
	{NULL, NULL, NULL},
};

int cmd_held(Cli *cli, int argc, char **argv)
{
	return cli_dispatch(cli, verbs, "missent held VERB ...", argc, argv);
}
