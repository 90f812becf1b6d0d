/*
 * missent held: what is held, and deciding about it, in a shell.  The verbs, their options and
 * their help are those of the table in verb.h, the words that narrow a list those of ledger.h;
 * words are checked here, before a desk is opened, and again by the desk.  The tool's one thread.
 */
#include "config.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/desk.h"
#include "missent/engine.h"
#include "missent/spool.h"
#include "missent/text.h"

#include "cli.h"

/* NULL: it was said why, and `*rc` is set. */
static MsDesk *open_desk(Cli *cli, int *rc)
{
	g_autoptr(GError) error = NULL;
	MsDesk *desk = ms_desk_open(cli->config, &error);
	if (desk == NULL)
		*rc = cli_fail_error(error);
	return desk;
}

/* Are there such policies?  If not, it was said, and `*rc` is set. */
static bool is_known(MsDesk *desk, const MsRecordFilter *filter, int *rc)
{
	g_autoptr(GError) error = NULL;
	bool fine = ms_desk_check_filter(desk, filter, &error);
	if (!fine)
		*rc = cli_fail(EX_USAGE, "--%s", error->message);
	return fine;
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
	gint64 s = MAX(g_get_real_time() - arrived, 0) / G_USEC_PER_SEC;
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
	g_autoptr(GError) unknown = NULL;
	const MsQueued *queued = ms_mta_queued(queue, record, &unknown);
	return queued != NULL ? queued->queue : unknown != NULL ? NULL : "gone";
}

static const char *state_of(const MsRecord *r)
{
	return r->due != 0 ? "waits" : ms_state_names[r->state];
}

/* When one that waits is judged again at the latest. */
static char *until_of(const MsRecord *r)
{
	g_autofree char *due = cli_time(r->due);
	return r->due == 0                   ? g_strdup("")
		: r->due < g_get_real_time() ? g_strdup(" (due)")
					     : g_strdup_printf(" (until %s)", due);
}

/* Of the columns of addresses: no wider than what is in them, so that a line mostly fits. */
typedef struct {
	int from, to;
} Widths;

#define WIDEST 30

static const char *first_of(const MsRecord *r)
{
	return r->recipients->len > 0
		? ((const MsHeldRecipient *)r->recipients->pdata[0])->address
		: "-";
}

static int wider(int width, const char *text)
{
	g_autofree char *safe = cli_cell(text, 0);
	return MIN(MAX(width, cli_columns(safe)), WIDEST);
}

static Widths widths_of(const GPtrArray *list, guint most)
{
	Widths w = {cli_columns("from"), cli_columns("to")};
	for (guint i = 0; i < MIN(list->len, most); i++) {
		const MsRecord *r = list->pdata[i];
		w = (Widths){wider(w.from, r->sender), wider(w.to, first_of(r))};
	}
	return w;
}

static void print_line(const MsRecord *r, const char *queue, Widths widths)
{
	g_autofree char *age = age_of(r->arrived);
	g_autofree char *sender = cli_cell(r->sender, widths.from);
	g_autofree char *first = cli_cell(first_of(r), widths.to);
	g_autofree char *id = cli_cell(*r->queue_id != '\0' ? r->queue_id : r->uid, 16);
	g_autofree char *until = until_of(r);
	bool missing = r->state == MS_STATE_HELD && queue != NULL && strcmp(queue, "hold") != 0
		&& strcmp(queue, "spool") != 0;
	printf("%s  %-8s  %5s  %s  %s %4u  %s%s%s%s%s%s%s\n", id, state_of(r), age, sender, first,
		r->n_recipients, r->codes, r->place == MS_PLACE_SPOOL ? " (split)" : "", until,
		missing ? " (in the queue: " : "", missing ? queue : "", missing ? ")" : "",
		*r->damaged != '\0'            ? " (damaged)"
			: *r->assignee != '\0' ? " *"
					       : "");
}

static void print_heading(Widths widths)
{
	printf("%-16s  %-8s  %5s  %-*s  %-*s %4s  %s\n", "queue ID", "state", "age", widths.from,
		"from", widths.to, "to", "n", "reasons");
}

/* ---- on record ------------------------------------------------------------------------ */

/* As on the page: who asks for somebody is on the trail; and who takes all of each record, as a
 * program may, has looked at each.  If not, it was said, and `*rc` is set. */
static bool search_told(MsDesk *desk, const MsRecordFilter *filter, int *rc)
{
	g_autofree char *whom = ms_filter_whom(filter);
	g_autofree char *detail = !filter->whole ? g_strdup(whom)
		: whom != NULL ? g_strconcat(whom, ", whole records", NULL)
			       : g_strdup("whole records");
	g_autoptr(GError) error = NULL;
	if (detail == NULL ||
		ms_desk_reads(desk, cli_who(), MS_EVENT_SEARCH, "", detail, &error))
		return true;
	*rc = cli_fail_error(error);
	return false;
}

/* ---- list ----------------------------------------------------------------------------- */

#define UNRECORDED_NAMED 3

/* Without the queue the records are still worth seeing; that there may be more is the status. */
static int no_queue(GError *error)
{
	cli_fail(0, "what is on hold in the MTA's queue is not known");
	return cli_fail_error(error);
}

/* What is on hold in the MTA's queue and in no record: held by something else, or its record was
 * lost. */
static int tell_unrecorded(MsDesk *desk)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) list = ms_desk_unrecorded(desk, &error);
	g_autoptr(GString) named = g_string_new(NULL);
	guint n = list != NULL ? list->len : 0;
	for (guint i = 0; i < MIN(n, UNRECORDED_NAMED); i++)
		g_string_append_printf(named, "%s%s", i > 0 ? ", " : "",
			((const MsQueued *)list->pdata[i])->queue_id);
	fflush(stdout);
	if (list == NULL)
		return no_queue(error);
	g_autofree char *aside = g_build_filename(
		ms_desk_settings(desk)->spool_dir, MS_SPOOL_ASIDE, NULL);
	guint copies = ms_spool_count(aside);
	if (copies > 0)
		cli_fail(0,
			"%u held cop%s without a record in %s, each removed %d days after it came there: for whom they are "
			"the trail and the mail itself tell",
			copies, copies == 1 ? "y is" : "ies are", aside, MS_SPOOL_ASIDE_DAYS);
	if (n > 0)
		cli_fail(0,
			"%u message%s on hold in the MTA's queue without a record here, or with one that is over (%s%s): held by "
			"something else, by missent before its records were restored from a backup, or not taken out when it "
			"was decided on; missent held adopt makes a record of each that you name, so that it is reviewed",
			n, n == 1 ? " is" : "s are", named->str, n > UNRECORDED_NAMED ? ", ..." : "");
	return 0;
}

static int list_records(MsDesk *desk, const MsRecordFilter *filter, bool json)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) list = ms_records_list(ms_desk_ledger(desk), filter, &error);
	if (list == NULL)
		return cli_fail_error(error);
	g_autoptr(GHashTable) queue = ms_desk_queue(desk, &error);
	int rc = queue == NULL ? no_queue(error) : 0;
	Widths widths = widths_of(list, list->len);
	if (!json && list->len > 0)
		print_heading(widths);
	for (guint i = 0; i < list->len; i++) {
		const MsRecord *record = list->pdata[i];
		if (json)
			print_json(record, queue_of(record, queue));
		else
			print_line(record, queue_of(record, queue), widths);
	}
	if (!json)
		printf("%u message%s%s\n", list->len, CLI_S(list->len),
			filter->limit > 0 && list->len >= filter->limit
				? "; there may be more (--limit)"
				: "");
	return !json && queue != NULL ? tell_unrecorded(desk) : rc;
}

/* What was said of a list, or of a decision about many: a word for each row of ms_filter_words. */
#define MAX_WORDS 24

typedef struct {
	char *said[MAX_WORDS];
	gboolean yes[MAX_WORDS]; /* of those without an argument */
} Filter;

static void filter_clear(Filter *f)
{
	for (gsize i = 0; i < MAX_WORDS; i++)
		g_clear_pointer(&f->said[i], g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Filter, filter_clear)

/* An option of each word, but for those that `without` has. */
static void add_filter_options(GArray *options, Filter *f, const char *const *without)
{
	for (gsize i = 0; ms_filter_words[i].name != NULL; i++) {
		const MsFilterWord *w = &ms_filter_words[i];
		g_assert(i < MAX_WORDS);
		if (g_strv_contains(without, w->name))
			continue;
		GOptionEntry entry = {.long_name = w->name,
			.arg = w->argument != NULL ? G_OPTION_ARG_STRING : G_OPTION_ARG_NONE,
			.arg_data = w->argument != NULL ? (gpointer)&f->said[i]
							: (gpointer)&f->yes[i],
			.description = w->help,
			.arg_description = w->argument};
		g_array_append_val(options, entry);
	}
}

static void add_option(GArray *options, const char *name, char letter, GOptionArg arg, void *data,
	const char *help, const char *argument)
{
	GOptionEntry entry = {.long_name = name, .short_name = letter, .arg = arg, .arg_data = data,
		.description = help, .arg_description = argument};
	g_array_append_val(options, entry);
}

static GArray *new_options(void)
{
	return g_array_new(TRUE, TRUE, sizeof(GOptionEntry));
}

static bool is_filtered(const Filter *f)
{
	for (gsize i = 0; i < MAX_WORDS; i++)
		if (f->said[i] != NULL || f->yes[i])
			return true;
	return false;
}

static bool filter_take(const Filter *f, MsRecordFilter *out)
{
	g_autoptr(GError) error = NULL;
	for (gsize i = 0; ms_filter_words[i].name != NULL; i++) {
		const char *said = f->yes[i] ? "yes" : f->said[i];
		if (said == NULL || ms_filter_take(out, ms_filter_words[i].name, said, &error))
			continue;
		cli_fail(0, "--%s", error->message);
		return false;
	}
	return true;
}

/* What is searched for may be an identifier, or words of a subject, of which records have keyed
 * digests alone: made here as for the page.  Not 0: they cannot be made, which was said, and only
 * the rest is searched. */
static int take_marks(
	MsDesk *desk, MsRecordFilter *filter, GPtrArray *refs, GPtrArray **words_out)
{
	g_autoptr(GError) error = NULL;
	if (filter->search == NULL)
		return 0;
	*words_out = ms_desk_marks(desk, filter->search, refs, &error);
	if (*words_out == NULL) {
		cli_fail(0, "only addresses, accounts and queue IDs are searched: there may be more");
		return cli_fail_error(error);
	}
	filter->refs = refs;
	filter->words = *words_out;
	return 0;
}

static int do_list(Cli *cli, int argc, char **argv)
{
	static const char *const all_words[] = {NULL};
	g_auto(Filter) f = {{NULL}, {FALSE}};
	gboolean json = FALSE, all = FALSE, observed = FALSE;
	gint limit = CLI_NOT_SAID;
	g_autoptr(GArray) options = new_options();
	add_filter_options(options, &f, all_words);
	add_option(options, "limit", 0, G_OPTION_ARG_INT, &limit, "at most so many", "N");
	add_option(options, "all", 'a', G_OPTION_ARG_NONE, &all,
		"also released, returned, deleted, gone, observed", NULL);
	add_option(options, "observed", 0, G_OPTION_ARG_NONE, &observed,
		"those that would have been held in mode enforce", NULL);
	add_option(options, "json", 0, G_OPTION_ARG_NONE, &json, "one JSON object a line", NULL);
	MsRecordFilter filter = {.state = MS_STATE_HELD};
	int rc = EX_USAGE;
	if (!cli_options((GOptionEntry *)options->data, "- held mail, newest first", &argc, &argv))
		return rc;
	if (argc > 1)
		return cli_fail(rc, "held list: \"%s\" is no option (see --help)", argv[1]);
	if (limit < 1)
		return cli_fail(rc, "held list: --limit %d: at least 1", limit);
	filter.state = all ? -1 : observed ? MS_STATE_OBSERVED : MS_STATE_HELD;
	if (!filter_take(&f, &filter))
		return rc;
	filter.limit = (guint)limit;
	filter.whole = json;
	g_autoptr(MsDesk) desk = open_desk(cli, &rc);
	if (desk == NULL || !is_known(desk, &filter, &rc) || !search_told(desk, &filter, &rc))
		return rc;
	g_autoptr(GPtrArray) refs = g_ptr_array_new_with_free_func(g_free), words = NULL;
	int partial = take_marks(desk, &filter, refs, &words);
	rc = list_records(desk, &filter, json);
	return partial != 0 ? partial : rc;
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
	if (causes->len == 0 && !json)
		puts("nothing is held");
	for (guint i = 0; i < causes->len; i++) {
		const MsCause *cause = causes->pdata[i];
		g_autofree char *age = age_of(cause->oldest);
		g_autofree char *text = cli_cell(cause->cause, 0);
		json_t *row = json_pack("{s:s, s:I, s:I}", "cause", cause->cause, "messages",
			(json_int_t)cause->messages, "oldest",
			(json_int_t)(cause->oldest / G_USEC_PER_SEC));
		char *line = json_dumps(row, JSON_COMPACT);
		if (json)
			puts(line);
		else
			printf("%6" G_GINT64_FORMAT "  oldest %5s  %s\n", cause->messages, age,
				text);
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
		printf("{\"held\":%" G_GINT64_FORMAT ",\"oldest_seconds\":%" G_GINT64_FORMAT
		       ",\"waiting\":%" G_GINT64_FORMAT ",\"delayed\":%" G_GINT64_FORMAT "}\n",
			stats.held, age, stats.waiting, stats.delayed);
	else
		printf("held     %" G_GINT64_FORMAT "\noldest   %s\nwaiting  %" G_GINT64_FORMAT
		       " (for a second person)\ndelayed  %" G_GINT64_FORMAT
		       " (to be judged again)\n",
			stats.held, words, stats.waiting, stats.delayed);
	return 0;
}

/* ---- show ----------------------------------------------------------------------------- */

#define LINE_MOST 4000

/* One line, whatever is in it: addresses, names and what others wrote may have in them what a
 * terminal obeys. */
static void line(const char *format, ...) G_GNUC_PRINTF(1, 2);
static void line(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_autofree char *safe = ms_text_escape(text, -1, LINE_MOST);
	puts(safe);
}

static void show_recipients(const MsRecord *record)
{
	for (guint i = 0; i < record->recipients->len && i < 20; i++) {
		const MsHeldRecipient *to = record->recipients->pdata[i];
		line("to          <%s>%s%s%s%s%s", to->address,
			*to->accounts != '\0' ? ", receives for " : "", to->accounts,
			to->state != record->state ? " (" : "",
			to->state != record->state ? ms_state_names[to->state] : "",
			to->state != record->state ? ")" : "");
	}
	if (record->recipients->len > 20)
		line("to          ... and %u more", record->recipients->len - 20);
}

static void show_reason(const MsReason *r)
{
	g_autoptr(GString) more = g_string_new(NULL);
	if (r->masked != NULL)
		g_string_append_printf(more, ": %s", r->masked);
	if (r->owner != NULL)
		g_string_append_printf(more, " of account %s", r->owner);
	if (r->where != NULL && *r->where != '\0')
		g_string_append_printf(more, ", in %s", r->where);
	if (r->recipient != NULL)
		g_string_append_printf(more, ", for %u recipient%s (%s%s)", r->recipients,
			r->recipients == 1 ? "" : "s", r->recipient,
			r->recipients == 1 ? "" : ", ...");
	line("why         %s (%s, policy %s): %s%s", ms_reason_names[r->code],
		ms_action_names[r->action], r->policy, r->text, more->str);
}

static void show_findings(const MsRecord *record)
{
	for (guint i = 0; i < record->findings->len; i++) {
		const MsHeldFinding *f = record->findings->pdata[i];
		line("found       %s %s (%s)%s%s, in %s  [%s]", f->kind, f->masked, f->belief,
			*f->owners != '\0' ? " of account " : ", not known", f->owners, f->where,
			f->ref);
	}
}

static void show_acts(const MsRecord *record)
{
	for (guint i = 0; i < record->acts->len; i++) {
		const MsAct *act = record->acts->pdata[i];
		g_autofree char *at = cli_time(act->at);
		line("done        %s by %s at %s: %s", act->what, act->who, at, act->why);
	}
	for (guint i = 0; i < record->decisions->len; i++) {
		const MsDecision *d = record->decisions->pdata[i];
		if (d->state < MS_DECISION_DONE)
			line("%-11s %s by %s, decision %s", ms_decision_state_names[d->state],
				ms_verbs[d->verb].name, d->who,
				*d->group != '\0' ? d->group : d->id);
	}
}

static void show_head(const MsRecord *record)
{
	g_autofree char *time = cli_time(record->arrived);
	line("queue ID    %s on %s", record->queue_id, record->host);
	line("reference   %s", record->uid);
	line("state       %s%s", state_of(record),
		record->place == MS_PLACE_SPOOL ? ", in missent's spool" : "");
	line("arrived     %s", time);
	line("size        %" G_GUINT64_FORMAT, record->size);
	line("from        <%s>", record->sender);
	if (record->due == 0)
		return;
	g_autofree char *due = cli_time(record->due);
	line("waits       until %s: judged again then, and when the directory or the policies change",
		due);
}

static void show_text(const MsRecord *record)
{
	show_head(record);
	show_recipients(record);
	line("cause       %s", record->cause);
	if (*record->damaged != '\0')
		line("damaged     %s: it can be returned or deleted, not released",
			record->damaged);
	if (*record->unclear != '\0')
		line("unclear     %s: of a newer version of missent", record->unclear);
	if (*record->assignee != '\0')
		line("assigned    %s", record->assignee);
	if (record->place == MS_PLACE_SPOOL && !record->is_signed)
		line("signature   none: if your mail is signed with DKIM, missent must come after the signer");
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
			: cli_fail(EX_DATAERR,
				  "%s: there is no record of a held message with this queue ID",
				  name);
	return record;
}

/* What a terminal would obey is shown instead: the sender may mean who reads it. */
static void print_shown(const char *bytes, gsize len, guint8 *before)
{
	for (gsize i = 0; i < len; i++) {
		guint8 c = (guint8)bytes[i];
		bool c1 = *before == 0xc2 && c >= 0x80 && c < 0xa0; /* ISO 6429, in UTF-8 */
		if (c1 || c == 0x7f || (c < ' ' && c != '\t' && c != '\r' && c != '\n'))
			printf("\\x%02x", c);
		else
			putchar(c);
		*before = c;
	}
}

static int print_message(MsDesk *desk, const MsRecord *record)
{
	g_autoptr(GError) error = NULL;
	int fd = ms_desk_message(desk, record->uid, cli_who(), &error);
	if (fd < 0)
		return cli_fail_error(error);
	char buffer[65536];
	off_t at = 0;
	guint8 before = 0;
	putchar('\n');
	ssize_t n;
	for (; (n = pread(fd, buffer, sizeof buffer, at)) > 0; at += n)
		if (isatty(STDOUT_FILENO))
			print_shown(buffer, (gsize)n, &before);
		else
			fwrite(buffer, 1, (size_t)n, stdout);
	int rc = n == 0 ? 0 : cli_fail(EX_IOERR, "the message cannot be read: %s", g_strerror(errno));
	close(fd);
	return rc;
}

static int print_evidence(MsDesk *desk, const MsRecord *record)
{
	g_autoptr(GError) error = NULL;
	char *text = ms_desk_evidence(desk, record->uid, cli_who(), &error);
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
	g_autoptr(GBytes) bytes = ms_desk_part(desk, record->uid, path, false, cli_who(), &error);
	if (bytes == NULL)
		return cli_fail_error(error);
	gsize len;
	const void *data = g_bytes_get_data(bytes, &len);
	return fwrite(data, 1, len, stdout) == len || cli_is_unread() ? 0 : EX_IOERR;
}

static int do_show(Cli *cli, int argc, char **argv)
{
	gboolean json = FALSE, message = FALSE, reveal = FALSE;
	g_autofree char *part = NULL;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "as JSON", NULL},
		{"message", 'm', 0, G_OPTION_ARG_NONE, &message,
			"the message itself too",
			NULL},
		{"reveal", 'r', 0, G_OPTION_ARG_NONE, &reveal,
			"what was found, in clear, as JSON",
			NULL},
		{"part", 0, 0, G_OPTION_ARG_STRING, &part,
			"the bytes of this part (see --reveal) alone",
			"PATH"},
		G_OPTION_ENTRY_NULL,
	};
	int rc = EX_USAGE;
	if (!cli_options(entries, "QUEUEID - why it is held; the look is recorded", &argc, &argv))
		return rc;
	g_autoptr(GError) error = NULL;
	if (argc != 2)
		return cli_fail(EX_USAGE, "held show: which queue ID?");
	if (!ms_word_check(MS_WORD_MESSAGE, "queue ID", argv[1], &error))
		return cli_fail(EX_USAGE, "held show: %s", error->message);
	g_autoptr(MsDesk) desk = open_desk(cli, &rc);
	g_autoptr(MsRecord) record = desk != NULL ? find(desk, argv[1], &rc) : NULL;
	if (record == NULL)
		return rc;
	if (part != NULL)
		return print_part(desk, record, part);
	if ((json || !reveal) &&
		!ms_desk_reads(desk, cli_who(), MS_EVENT_LOOK, record->uid, "masked", &error))
		return cli_fail_error(error);
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

static void print_outcome_json(const char *name, const char *uid, const char *decision,
	const char *verb, const char *state, const char *outcome)
{
	json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "queue_id", name, "uid", uid,
		"decision", decision, "verb", verb, "state", state, "outcome", outcome);
	cli_print_json(row);
}

static int print_outcome(const MsDecision *d, const char *name, bool json)
{
	bool fine = d->state == MS_DECISION_DONE || d->state == MS_DECISION_WAITING
		|| d->state == MS_DECISION_WITHDRAWN;
	if (json) {
		print_outcome_json(name, d->uid, *d->group != '\0' ? d->group : d->id,
			ms_verbs[d->verb].name, ms_decision_state_names[d->state], d->outcome);
	} else if (!fine && *d->outcome == '\0') { /* it is open: begun, or not even that */
		return cli_fail(EX_TEMPFAIL,
			"%s: %s is decided, and what is left of it is done as soon as that can be: see "
			"missent held show %s",
			name, ms_verbs[d->verb].name, name);
	} else if (!fine) {
		return cli_fail(EX_TEMPFAIL, "%s", d->outcome);
	} else if (d->state == MS_DECISION_WAITING) {
		printf("%s: %s waits for a second person: missent held %s %s\n", name,
			ms_verbs[d->verb].name, ms_verbs[MS_VERB_AGREE].name,
			*d->group != '\0' ? d->group : d->id);
	} else {
		printf("%s: %s %s%s%s\n", name, ms_verbs[d->verb].name,
			ms_decision_state_names[d->state], *d->outcome != '\0' ? ", " : "",
			d->outcome);
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
		g_autoptr(MsRecord)
			record = ms_records_find(ms_desk_ledger(desk), uids->pdata[i], NULL);
		if (record == NULL || g_hash_table_contains(decided, record->uid))
			continue;
		if (json)
			print_outcome_json(record->queue_id, record->uid, "",
				ms_verbs[MS_VERB_RELEASE].name, "left", MS_DESK_NO_RIGHT);
		else
			printf("%s: stays held, %s\n", record->queue_id, MS_DESK_NO_RIGHT);
	}
}

#define REST_NAMED 5

/* Who does not get it by a release to some. */
static void print_rest(const MsRecord *record)
{
	g_autoptr(GPtrArray) left = g_ptr_array_new();
	guint n = 0;
	for (guint i = 0; i < record->recipients->len; i++) {
		const MsHeldRecipient *to = record->recipients->pdata[i];
		if (to->state == MS_STATE_HELD && n++ < REST_NAMED)
			g_ptr_array_add(left, to->address);
	}
	g_autofree char *names = ms_text_list(left, n);
	if (n > 0)
		printf("%s: stays held for %s\n", record->queue_id, names);
}

static int print_outcomes(MsDesk *desk, const GPtrArray *done, bool json)
{
	int rc = 0;
	for (guint i = 0; i < done->len; i++) {
		const MsDecision *d = done->pdata[i];
		g_autoptr(MsRecord) record = ms_records_find(ms_desk_ledger(desk), d->uid, NULL);
		int one = print_outcome(d,
			record != NULL && *record->queue_id != '\0' ? record->queue_id : d->uid,
			json);
		if (!json && record != NULL && d->verb == MS_VERB_RELEASE &&
			d->state == MS_DECISION_DONE && *d->recipients != '\0')
			print_rest(record);
		rc = MAX(rc, one);
	}
	return rc;
}

#define SAMPLE 5

/* What is about to be decided, and a question, unless it was answered with --yes. */
static bool confirmed(const GPtrArray *list, MsVerb which, bool yes, bool json)
{
	const char *verb = ms_verbs[which].name;
	if (!json) {
		Widths widths = widths_of(list, SAMPLE);
		print_heading(widths);
		for (guint i = 0; i < list->len && i < SAMPLE; i++)
			print_line(list->pdata[i], NULL, widths);
		if (list->len > SAMPLE)
			printf("... and %u more\n", list->len - SAMPLE);
	}
	if (yes)
		return true;
	if (!isatty(STDIN_FILENO)) {
		cli_fail(0, "held %s: %u message%s; add --yes", verb, list->len, CLI_S(list->len));
		return false;
	}
	printf("%s %u message%s? [y/N] ", verb, list->len, list->len == 1 ? "" : "s");
	fflush(stdout);
	int answer = getchar();
	return answer == 'y' || answer == 'Y';
}

/* What was said with a verb: a text for each MsSay that is one. */
typedef struct {
	Filter filter;
	char *said[MS_N_SAYS];
	char **to; /* MS_SAY_RECIPIENTS */
	gint others; /* or CLI_NOT_SAID */
	gboolean yes, json, rightful;
} Options;

static void options_clear(Options *o)
{
	filter_clear(&o->filter);
	for (gsize i = 0; i < MS_N_SAYS; i++)
		g_free(o->said[i]);
	g_strfreev(o->to);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

/* The options of a verb are what can be said with it. */
static GArray *options_of(MsVerb verb, Options *o)
{
	static const char *const no_words[] = {"state", "sort", "search", "host", "assigned", NULL};
	GArray *options = new_options();
	for (const MsVerbSay *say = ms_verbs[verb].says; say->option != NULL; say++) {
		void *data = &o->said[say->say];
		GOptionArg arg = G_OPTION_ARG_STRING;
		if (say->say == MS_SAY_RECIPIENTS) {
			data = &o->to;
			arg = G_OPTION_ARG_STRING_ARRAY;
		} else if (say->say == MS_SAY_RIGHTFUL) {
			data = &o->rightful;
			arg = G_OPTION_ARG_NONE;
		} else if (say->say == MS_SAY_OTHERS) {
			data = &o->others;
			arg = G_OPTION_ARG_INT;
		}
		add_option(options, say->option, say->say == MS_SAY_WHY ? 'w' : 0, arg, data,
			say->help, say->argument);
	}
	if (ms_verbs[verb].many) {
		add_filter_options(options, &o->filter, no_words);
		add_option(options, "yes", 'y', G_OPTION_ARG_NONE, &o->yes, "do not ask", NULL);
	}
	add_option(options, "json", 0, G_OPTION_ARG_NONE, &o->json, "one JSON object a line", NULL);
	return options;
}

/* The uids of what a filter finds, once somebody has said yes; NULL: `*rc` is set. */
static GPtrArray *filtered(
	MsDesk *desk, const Options *o, MsVerb verb, const MsRecordFilter *filter, int *rc)
{
	g_autoptr(GError) error = NULL;
	if (!is_known(desk, filter, rc) || !search_told(desk, filter, rc))
		return NULL;
	g_autoptr(GPtrArray) list = ms_records_list(ms_desk_ledger(desk), filter, &error);
	if (list == NULL) {
		*rc = cli_fail_error(error);
		return NULL;
	}
	*rc = list->len == 0
		? cli_fail(EX_DATAERR, "held %s: no held message is like this", ms_verbs[verb].name)
		: 0;
	if (list->len > 0 && !confirmed(list, verb, o->yes, o->json))
		*rc = EX_USAGE;
	if (*rc != 0)
		return NULL;
	GPtrArray *uids = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < list->len; i++)
		g_ptr_array_add(uids, g_strdup(((MsRecord *)list->pdata[i])->uid));
	return uids;
}

static int carry_out(MsDesk *desk, const MsAsk *ask, bool json)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) done = ms_desk_decide(desk, ask, &error);
	if (done == NULL)
		return cli_fail_error(error);
	int rc = print_outcomes(desk, done, json);
	if (ask->rightful)
		print_left(desk, ask->uids, done, json);
	return rc;
}

/* By the names that options have; what they may be together the ask itself knows (ask.h). */
static bool is_said_well(
	const Options *o, MsVerb verb, const GPtrArray *named, const GPtrArray *to, GError **error)
{
	const char *name = ms_verbs[verb].name;
	for (guint i = 0; i < named->len; i++)
		if (!ms_word_check(MS_WORD_MESSAGE, "queue ID", named->pdata[i], error))
			return false;
	for (const MsVerbSay *say = ms_verbs[verb].says; say->option != NULL; say++) {
		g_autofree char *option = g_strdup_printf("--%s", say->option);
		const char *text = o->said[say->say];
		bool many = say->say == MS_SAY_RECIPIENTS;
		if (say->needed && (many ? to->len == 0 : text == NULL))
			return ms_fail_input(error, "%s: %s %s is needed", name, option, say->argument);
		if (text != NULL && !ms_word_check(say->kind, option, text, error))
			return false;
		for (guint i = 0; many && i < to->len; i++)
			if (!ms_word_check(say->kind, option, to->pdata[i], error))
				return false;
	}
	return o->others >= 1 ||
		ms_fail_input(error, "--others %d: at least 1; leave it out where all have a right",
			o->others);
}

static int decide(Cli *cli, const Options *o, MsVerb verb, int argc, char **argv)
{
	int rc = EX_USAGE;
	bool many = is_filtered(&o->filter);
	MsRecordFilter filter = {.state = MS_STATE_HELD};
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) named = g_ptr_array_new(), to = g_ptr_array_new(), found = NULL;
	for (int i = 1; i < argc; i++)
		g_ptr_array_add(named, argv[i]);
	for (int i = 0; o->to != NULL && o->to[i] != NULL; i++)
		g_ptr_array_add(to, o->to[i]);
	if (many == (named->len > 0))
		return cli_fail(rc, "held %s: %s", ms_verbs[verb].name,
			many ? "either queue IDs, or what they have in common"
			     : "which queue IDs?");
	if (many && !filter_take(&o->filter, &filter))
		return rc;
	if (!is_said_well(o, verb, named, to, &error))
		return cli_fail(rc, "held %s", error->message);
	MsAsk ask = {.verb = verb, .uids = named, .recipients = to, .rightful = o->rightful,
		.others = o->others == CLI_NOT_SAID ? 0 : (guint)o->others, .who = cli_who(),
		.why = o->said[MS_SAY_WHY], .account = o->said[MS_SAY_ACCOUNT],
		.identifier = o->said[MS_SAY_IDENTIFIER], .assignee = o->said[MS_SAY_ASSIGNEE]};
	if (!many && !ms_ask_check(&ask, &error))
		return cli_fail(rc, "held %s", error->message);
	g_autoptr(MsDesk) desk = open_desk(cli, &rc);
	if (desk != NULL && many)
		ask.uids = found = filtered(desk, o, verb, &filter, &rc);
	return desk != NULL && ask.uids != NULL ? carry_out(desk, &ask, o->json) : rc;
}

static int do_decide(Cli *cli, MsVerb verb, int argc, char **argv)
{
	g_auto(Options) o = {.others = CLI_NOT_SAID};
	g_autoptr(GArray) options = options_of(verb, &o);
	g_autofree char *summary = g_strdup_printf(
		"%s - %s", ms_verbs[verb].arguments, ms_verbs[verb].help);
	if (!cli_options((GOptionEntry *)options->data, summary, &argc, &argv))
		return EX_USAGE;
	return decide(cli, &o, verb, argc, argv);
}

static int do_second(Cli *cli, MsVerb verb, int argc, char **argv)
{
	gboolean json = FALSE;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "one JSON object a line", NULL},
		G_OPTION_ENTRY_NULL,
	};
	int rc = EX_USAGE;
	g_autofree char *summary = g_strdup_printf(
		"%s - %s", ms_verbs[verb].arguments, ms_verbs[verb].help);
	if (!cli_options(entries, summary, &argc, &argv))
		return rc;
	g_autoptr(GError) error = NULL;
	if (argc != 2)
		return cli_fail(EX_USAGE, "held %s: which decision?", ms_verbs[verb].name);
	if (!ms_word_check(MS_WORD_DECISION, "decision", argv[1], &error))
		return cli_fail(EX_USAGE, "held %s: %s", ms_verbs[verb].name, error->message);
	g_autoptr(MsDesk) desk = open_desk(cli, &rc);
	if (desk == NULL)
		return rc;
	g_autoptr(GPtrArray)
		done = ms_desk_agree(desk, argv[1], cli_who(), verb == MS_VERB_AGREE, &error);
	return done != NULL ? print_outcomes(desk, done, json) : cli_fail_error(error);
}

static int do_verb(Cli *cli, int argc, char **argv)
{
	MsVerb verb = ms_verb_named(argv[0]);
	return ms_verbs[verb].of_decision ? do_second(cli, verb, argc, argv)
					  : do_decide(cli, verb, argc, argv);
}

static GPtrArray *as_they_are_now(MsLedger *ledger, const GPtrArray *decisions)
{
	GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_decision_free);
	for (guint i = 0; i < decisions->len; i++) {
		const MsDecision *before = decisions->pdata[i];
		MsDecision *d = ms_decisions_find(ledger, before->id, NULL);
		if (d != NULL)
			g_ptr_array_add(list, d);
	}
	return list;
}

/* What was interrupted is finished; expiry, notices, digests: for hosts without missent-agent. */
static int do_work(Cli *cli, int argc, char **argv)
{
	int rc = EX_USAGE;
	if (!cli_options(
		    NULL, "- finish what was interrupted; expiry, notices, digests", &argc, &argv))
		return rc;
	g_autoptr(MsDesk) desk = open_desk(cli, &rc);
	if (desk == NULL)
		return rc;
	MsLedger *ledger = ms_desk_ledger(desk);
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) open = ms_decisions_list(ledger, -1, NULL, &error);
	if (open == NULL)
		return cli_fail(EX_TEMPFAIL, "%s", error->message);
	guint n = ms_desk_work(desk, 0);
	ms_desk_tick(desk);
	printf("%u decision%s finished\n", n, n == 1 ? "" : "s");
	g_autoptr(GPtrArray) now = as_they_are_now(ledger, open);
	return print_outcomes(desk, now, false);
}

/* ---- adopt ---------------------------------------------------------------------------- */

static int list_unrecorded(const GPtrArray *list)
{
	for (guint i = 0; i < list->len; i++) {
		const MsQueued *queued = list->pdata[i];
		g_autofree char *time = cli_time(queued->arrived * G_USEC_PER_SEC);
		g_autofree char *sender = cli_cell(queued->sender, 40);
		g_autofree char *id = cli_cell(queued->queue_id, 16);
		printf("%s  %s  %s  %u recipient%s\n", id, time, sender, queued->recipients->len,
			CLI_S(queued->recipients->len));
	}
	printf("%u on hold without a record\n", list->len);
	return 0;
}

static int adopt(MsDesk *desk, const char *queue_id)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *uid = ms_desk_adopt(desk, queue_id, cli_who(), &error);
	if (uid == NULL)
		return cli_fail_error(error);
	g_autofree char *id = cli_cell(queue_id, 16);
	printf("%s  has a record now: missent held show %s\n", id, uid);
	return 0;
}

/* Held mail that has no record gets one. */
static int do_adopt(Cli *cli, int argc, char **argv)
{
	gboolean all = FALSE;
	const GOptionEntry entries[] = {
		{"all", 0, 0, G_OPTION_ARG_NONE, &all, "whatever is on hold without a record", NULL},
		G_OPTION_ENTRY_NULL,
	};
	int rc = EX_USAGE;
	if (!cli_options(entries, "[QUEUEID...] - make records of held mail that has none", &argc, &argv))
		return rc;
	if (all && argc > 1)
		return cli_fail(rc, "held adopt: either --all, or queue IDs");
	g_autoptr(MsDesk) desk = open_desk(cli, &rc);
	if (desk == NULL)
		return rc;
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) list = argc == 1 ? ms_desk_unrecorded(desk, &error) : NULL;
	g_autoptr(GPtrArray) ids = g_ptr_array_new();
	if (error != NULL)
		return cli_fail_error(error);
	if (list != NULL && !all)
		return list_unrecorded(list);
	rc = 0;
	for (guint i = 0; list != NULL && i < list->len; i++)
		g_ptr_array_add(ids, ((const MsQueued *)list->pdata[i])->queue_id);
	for (int i = 1; i < argc; i++)
		g_ptr_array_add(ids, argv[i]);
	for (guint i = 0; i < ids->len; i++) {
		int one = adopt(desk, ids->pdata[i]);
		rc = MAX(rc, one);
	}
	return rc;
}

/* ---- begin ---------------------------------------------------------------------------- */

/* Records that are gone are not missed in silence: by hand, and on the trail. */
static bool begin_records(const MsSettings *s, const char *why, GError **error)
{
	MsForgotten gone;
	g_autoptr(GError) unknown = NULL;
	if (!ms_engine_records_gone(s, &gone, &unknown)) {
		if (unknown != NULL)
			g_propagate_error(error, g_steal_pointer(&unknown));
		else
			g_set_error(error, MS_ERROR, MS_ERROR_INPUT,
				"%s: no records are gone: they are there, or begin with the first held message",
				s->records_file);
		return false;
	}
	g_autoptr(MsAudit) audit = ms_audit_new(s->audit_file);
	g_autofree char *known = ms_engine_forgotten_text(&gone);
	g_autofree char *detail = g_strdup_printf("%s; %s", known, why);
	g_autoptr(MsLedger) ledger = ms_audit_event(audit, cli_who(), "shell", MS_EVENT_RECORDS_BEGUN,
						     "", detail, error)
		? ms_ledger_open(s->records_file, error)
		: NULL;
	if (ledger != NULL)
		printf("The records begin anew; %s.\n", known);
	return ledger != NULL;
}

static int do_begin(Cli *cli, int argc, char **argv)
{
	g_autofree char *why = NULL;
	const GOptionEntry entries[] = {
		{"why", 0, 0, G_OPTION_ARG_STRING, &why, "what happened to them, for the trail", "TEXT"},
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GError) error = NULL;
	int rc = EX_USAGE;
	if (!cli_options(entries, "- begin new records where held.db is gone", &argc, &argv))
		return rc;
	if (argc != 1 || why == NULL || *g_strstrip(why) == '\0')
		return cli_fail(rc, "usage: missent held begin --why TEXT");
	g_autoptr(MsSettings) s = ms_settings_load_public(cli->config, &error);
	if (s == NULL || !begin_records(s, why, &error))
		return cli_fail_error(error);
	g_autoptr(MsDesk) desk = open_desk(cli, &rc);
	return desk != NULL ? tell_unrecorded(desk) : rc;
}

/* What only looks, or works through what waits. */
static const CliVerb looks[] = {
	{"list", do_list, "held mail, newest first (--reason, --sender, --account, --older, ...)"},
	{"causes", do_causes, "what held messages have in common, and how many they are"},
	{"stats", do_stats, "how many are held, and since when"},
	{"show", do_show, "why it is held (--message: the message too; --reveal)", "QUEUEID"},
	{"adopt", do_adopt, "make records of held mail that has none (--all)", "[QUEUEID...]"},
	{"begin", do_begin, "new records, where held.db is gone (--why)"},
	{"work", do_work, "finish what was interrupted; expiry, notices, digests"},
};

int cmd_held(Cli *cli, int argc, char **argv)
{
	CliVerb all[G_N_ELEMENTS(looks) + MS_N_VERBS] = {{NULL}};
	gsize n = 0;
	for (; n < G_N_ELEMENTS(looks); n++)
		all[n] = looks[n];
	for (int i = 0; i < MS_VERB_UNKNOWN; i++)
		all[n++] = (CliVerb){
			ms_verbs[i].name, do_verb, ms_verbs[i].help, ms_verbs[i].arguments};
	return cli_dispatch(cli, all, "missent held VERB ...", argc, argv);
}
