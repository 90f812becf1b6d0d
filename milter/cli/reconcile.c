/*
 * missent audit reconcile: logs of the MTA come in, what was not judged, or went otherwise than
 * it was judged, goes out.  No address is printed: a queue ID and a time name a message well
 * enough in its own log.  One thread.
 */
#include "config.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/ask.h"
#include "missent/audit.h"
#include "missent/digest.h"
#include "missent/doctor.h"
#include "missent/reconcile.h"
#include "missent/text.h"

#include "cli.h"

#define NOT_ALL_KNOWN 2
#define FIRST_RUN (2 * 3600 * (gint64)G_USEC_PER_SEC)
#define A_DAY_MORE (24 * 3600 * (gint64)G_USEC_PER_SEC)
/* Debian's hosts have no other log since 2023. */
#define OF_THE_JOURNAL \
	"journalctl -o export --facility=mail | missent audit reconcile -"

typedef struct {
	gboolean json, record, begin;
	int year;
	char *since, *acknowledge;
	bool last; /* since the last run */
	gint64 since_us;
} Options;

/* ---- what is needed --------------------------------------------------------------------- */

typedef struct {
	MsRuntime *runtime;
	MsLedger *ledger;
	MsDirectory *directory;
	MsWays *ways;
	guint8 key[MS_AUDIT_KEY_BYTES], before[MS_AUDIT_KEY_BYTES];
	bool has_key, has_before;
} Means;

static void means_clear(Means *means)
{
	ms_ways_free(means->ways);
	ms_directory_free(means->directory);
	ms_ledger_free(means->ledger);
	ms_runtime_unref(means->runtime);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Means, means_clear)

/* What was the site key, as the guard is told: lines of then are compared under it. */
static void take_key_before(const char *path, Means *means)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(MsKey) key = path != NULL ? ms_key_load(path, &why) : NULL;
	if (why != NULL)
		cli_fail(0, "%s", why->message);
	if (key == NULL)
		return;
	ms_key_subkey(key, MS_AUDIT_PURPOSE, means->before);
	means->has_before = true;
}

/* Without ledger or key less is known, and that is said: the trail alone tells what was judged. */
static bool means_open(const Cli *cli, bool writes, Means *means, GError **error)
{
	means->runtime = ms_runtime_load(cli->config, writes ? MS_PARTS_WRITE : 0, NULL, error);
	if (means->runtime == NULL)
		return false;
	means->ways = ms_ways_new(means->runtime);
	const MsSettings *settings = ms_runtime_settings(means->runtime);
	g_autoptr(GError) why = NULL;
	if (g_file_test(settings->records_file, G_FILE_TEST_EXISTS))
		means->ledger = ms_ledger_open_readonly(settings->records_file, &why);
	if (why != NULL)
		cli_fail(0, "%s", why->message);
	g_clear_error(&why);
	means->directory = ms_engine_open_directory(
		settings, ms_runtime_kinds(means->runtime), &why);
	if (means->directory != NULL) {
		ms_directory_subkey(means->directory, MS_AUDIT_PURPOSE, means->key);
		means->has_key = true;
	} else {
		cli_fail(0, "%s", why->message);
	}
	take_key_before(settings->guard.key_file_before, means);
	return true;
}

/* ---- as text ---------------------------------------------------------------------------- */

static void print_row(const Cli *cli, const MsPassedRow *row)
{
	g_autofree char *time = cli_time(row->mail->first), *id = cli_cell(row->mail->queue_id, 18);
	g_autofree char *why = ms_text_escape(row->why, -1, 400);
	const char *colour = cli_colour(cli,
		ms_passed_is_wrong(row->what)                      ? RED
			: row->what == MS_PASSED_UNKNOWN ? YELLOW
							 : DIM);
	printf("%s  %s %s%-15s%s ", time, id, colour, ms_passed_names[row->what],
		cli_colour(cli, PLAIN));
	if (row->recipients > 0)
		printf("to %u: ", row->recipients);
	puts(why);
}

static void print_sum(const MsReconciliation *r, const MsMaillogNotes *notes)
{
	g_autofree char *from = cli_time(notes->from), *to = cli_time(notes->to);
	if (notes->used > 0)
		printf("from %s to %s: %" G_GUINT64_FORMAT " message%s; judged %" G_GUINT64_FORMAT
		       ", released %" G_GUINT64_FORMAT ", missent's own %" G_GUINT64_FORMAT
		       ", one with a judged one %" G_GUINT64_FORMAT
		       ", not outgoing or of no policy %" G_GUINT64_FORMAT "\n",
			from, to, r->mails, CLI_S(r->mails), r->judged, r->released, r->own,
			r->chained, r->exempt);
	for (int i = 0; i < MS_N_PASSED; i++)
		if (r->counts[i] > 0)
			printf("%s: %" G_GUINT64_FORMAT "\n", ms_passed_names[i], r->counts[i]);
	if (r->replaced > 0)
		printf("in the place of a recipient who was judged (an alias, a forward, REDIRECT of a table): %" G_GUINT64_FORMAT
		       "\n",
			r->replaced);
	if (r->before > 0)
		printf("in the queue before this log begins, and not in the trail: %" G_GUINT64_FORMAT
		       ", not known\n",
			r->before);
	if (notes->again > 0)
		printf("lines that stand there more than once, counted once: %" G_GUINT64_FORMAT
		       "\n",
			notes->again);
	if (r->elsewhere > 0)
		printf("of other hosts, not looked at: %" G_GUINT64_FORMAT "\n", r->elsewhere);
	for (guint i = 0; i < r->unknown->len; i++) {
		g_autofree char *safe = ms_text_escape(r->unknown->pdata[i], -1, 400);
		printf("not known: %s\n", safe);
	}
}

/* ---- as JSON ---------------------------------------------------------------------------- */

static json_t *iso(gint64 at)
{
	g_autofree char *text = ms_text_time(at, MS_ZONE_UTC, "%Y-%m-%dT%H:%M:%SZ");
	return json_string(text);
}

static json_t *row_json(const MsPassedRow *row)
{
	return json_pack("{s:o, s:s, s:s, s:s, s:s, s:i, s:s}", "time", iso(row->mail->first),
		"queue_id", row->mail->queue_id, "instance", row->mail->instance, "came",
		ms_came_names[row->mail->came], "what", ms_passed_names[row->what], "recipients",
		(int)row->recipients, "why", row->why);
}

static void print_json(const MsReconciliation *r, const MsMaillogNotes *notes)
{
	json_t *rows = json_array(), *unknown = ms_texts_to_json(r->unknown),
	       *counts = json_object();
	for (guint i = 0; i < r->rows->len; i++)
		json_array_append_new(rows, row_json(r->rows->pdata[i]));
	for (int i = 0; i < MS_N_PASSED; i++)
		json_object_set_new(
			counts, ms_passed_names[i], json_integer((json_int_t)r->counts[i]));
	json_t *all = json_pack(
		"{s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}",
		"from", iso(notes->from), "to", iso(notes->to), "messages", (json_int_t)r->mails,
		"judged", (json_int_t)r->judged, "released", (json_int_t)r->released, "own",
		(json_int_t)r->own, "one_with_judged", (json_int_t)r->chained,
		"in_place_of_judged", (json_int_t)r->replaced, "exempt", (json_int_t)r->exempt,
		"other_hosts", (json_int_t)r->elsewhere, "before", (json_int_t)r->before,
		"lines_again", (json_int_t)notes->again, "counts", counts,
		"rows", rows, "not_known", unknown);
	char *text = json_dumps(all, JSON_INDENT(2));
	puts(text != NULL ? text : "{}");
	free(text);
	json_decref(all);
}

/* ---- the command ------------------------------------------------------------------------ */

/* "2h", a time, or "last". */
static bool take_since(Options *o)
{
	o->last = g_strcmp0(o->since, "last") == 0;
	return o->since == NULL || o->last || cli_ago(o->since, g_get_real_time(), &o->since_us) ||
		ms_text_take_time(o->since, MS_ZONE_LOCAL, &o->since_us);
}

/* What was found stands in the trail. */
static bool write_record(const Means *means, const MsReconciliation *r, GError **error)
{
	GString *detail = g_string_new(NULL);
	g_string_append_printf(
		detail, "%" G_GUINT64_FORMAT " message%s", r->mails, CLI_S(r->mails));
	for (int i = 0; i < MS_N_PASSED; i++)
		g_string_append_printf(
			detail, ", %s %" G_GUINT64_FORMAT, ms_passed_names[i], r->counts[i]);
	g_string_append_printf(detail, ", not known %u", r->unknown->len);
	g_autofree char *text = g_string_free(detail, FALSE);
	return ms_audit_event(
		ms_runtime_audit(means->runtime), cli_who(), NULL, MS_EVENT_RECONCILE, "", text, error);
}

static int result_of(const MsReconciliation *r)
{
	for (int i = 0; i < MS_N_PASSED; i++)
		if (ms_passed_is_wrong((MsPassed)i) && r->counts[i] > 0)
			return 1;
	return r->counts[MS_PASSED_UNKNOWN] > 0 || r->unknown->len > 0 ? NOT_ALL_KNOWN : 0;
}

static char *configured(const MsMail *mail, bool open, void *user)
{
	MsWay way = open                      ? MS_WAY_OPEN
		: mail->came == MS_CAME_LOCAL ? MS_WAY_LOCAL
					      : MS_WAY_LISTENER;
	return ms_ways_why(user, way, mail->instance, mail->service);
}

static int reconcile(Cli *cli, const Options *o, const char *const *paths)
{
	g_autoptr(GError) error = NULL;
	g_auto(Means) means = {0};
	const MsMaillogOptions options = {.year = o->year};
	g_autoptr(MsMaillog) log = ms_maillog_new(&options);
	if (!means_open(cli, o->record, &means, &error) || !ms_maillog_read(log, paths, &error))
		return cli_fail_error(error);
	const MsReconcileWith with = {means.runtime, means.ledger, means.has_key ? means.key : NULL,
		log, configured, means.ways, means.has_before ? means.before : NULL};
	g_autoptr(MsReconciliation) r = ms_reconcile(&with, &error);
	if (r == NULL)
		return cli_fail_error(error);
	MsReconciled state;
	const char *state_dir = ms_runtime_settings(means.runtime)->state_dir;
	ms_reconciled_load(state_dir, &state);
	gint64 since = o->last ? ms_reconciled_since(&state) : o->since_us;
	ms_reconciliation_drop_old(r, since);
	if (o->last)
		ms_reconciled_tell_hole(&state, ms_maillog_notes(log), r);
	if (o->json) {
		print_json(r, ms_maillog_notes(log));
	} else {
		for (guint i = 0; i < r->rows->len; i++)
			print_row(cli, r->rows->pdata[i]);
		print_sum(r, ms_maillog_notes(log));
	}
	ms_reconciled_take(&state, r, ms_maillog_notes(log), since, o->last);
	if (o->record && (!write_record(&means, r, &error) ||
				 !ms_reconciled_save(state_dir, &state, &error)))
		return cli_fail_error(error);
	return result_of(r);
}

/* From when on a log is needed: a day more than what is told, so that mail is known by its
 * beginning. */
static int print_begin(const Cli *cli)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsRuntime) runtime = ms_runtime_load(cli->config, 0, NULL, &error);
	MsReconciled state;
	if (runtime == NULL)
		return cli_fail_error(error);
	ms_reconciled_load(ms_runtime_settings(runtime)->state_dir, &state);
	gint64 since = state.until > 0 ? ms_reconciled_since(&state)
				       : g_get_real_time() - FIRST_RUN;
	printf("@%" G_GINT64_FORMAT "\n", (since - A_DAY_MORE) / G_USEC_PER_SEC);
	return 0;
}

/* Somebody has seen what passed the filter, and says so. */
static int acknowledge(const Cli *cli, const char *why)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsRuntime) runtime = ms_runtime_load(cli->config, MS_PARTS_WRITE, NULL, &error);
	MsReconciled state;
	if (runtime == NULL)
		return cli_fail_error(error);
	const char *state_dir = ms_runtime_settings(runtime)->state_dir;
	ms_reconciled_load(state_dir, &state);
	if (state.wrong == 0) {
		puts("nothing waits to be acknowledged");
		return 0;
	}
	g_autofree char *detail = g_strdup_printf(
		"acknowledged %" G_GUINT64_FORMAT ": %s", state.wrong, why);
	state.wrong = 0;
	state.wrong_since = 0;
	if (!ms_audit_event(ms_runtime_audit(runtime), cli_who(), NULL, MS_EVENT_RECONCILE, "",
		    detail, &error) ||
		!ms_reconciled_save(state_dir, &state, &error))
		return cli_fail_error(error);
	return 0;
}

int cli_reconcile(Cli *cli, int argc, char **argv)
{
	Options o = {0};
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &o.json, "for programs", NULL},
		{"since", 0, 0, G_OPTION_ARG_STRING, &o.since,
			"what did something since then only: 2h, a time, or last (run with it)", "WHEN"},
		{"begin", 0, 0, G_OPTION_ARG_NONE, &o.begin,
			"print from when on --since last needs a log, for journalctl --since", NULL},
		{"acknowledge", 0, 0, G_OPTION_ARG_STRING, &o.acknowledge,
			"end the alert on what passed the filter", "WHY"},
		{"record", 0, 0, G_OPTION_ARG_NONE, &o.record,
			"write into the trail what was found", NULL},
		{"year", 0, 0, G_OPTION_ARG_INT, &o.year,
			"of the first line, where stamps have none; else the file's time tells",
			"YYYY"},
		{NULL},
	};
	if (!cli_options(entries, "MAILLOG|-... - was every message judged, and delivered as it was? "
			"exit 0: yes, 1: no, 2: not all can be known", &argc, &argv))
		return EX_USAGE;
	g_autofree char *since G_GNUC_UNUSED = o.since, *why G_GNUC_UNUSED = o.acknowledge;
	if (o.begin)
		return print_begin(cli);
	if (o.acknowledge != NULL)
		return acknowledge(cli, o.acknowledge);
	if (argc < 2)
		return cli_fail(EX_USAGE,
			"which log? missent audit reconcile /var/log/mail.log*, or " OF_THE_JOURNAL);
	if (!take_since(&o))
		return cli_fail(EX_USAGE,
			"--since %s: is neither like 2h nor a time like 2026-11-26 or 2026-11-26T09:00, nor last",
			o.since);
	if (o.since_us > g_get_real_time())
		return cli_fail(EX_USAGE,
			"--since %s: is still to come: nothing would be told", o.since);
	if (o.year != 0 && (o.year < 1970 || o.year > 2999))
		return cli_fail(EX_USAGE, "--year %d: is no year", o.year);
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "-") != 0 && access(argv[i], F_OK) != 0)
			return cli_fail(EX_NOINPUT, "%s: %s%s", argv[i], g_strerror(errno),
				errno == ENOENT ? "; where the journal alone has the log: " OF_THE_JOURNAL : "");
	return reconcile(cli, &o, (const char *const *)argv + 1);
}
