/*
 * missent status: is missentd at work, what did it do today, what went by it, and is anything
 * wrong?  Read from the numbers that missentd publishes, from the records, from the file of a
 * pause, and from the files that a start or a reload would read; asks nobody.  The tool's one
 * thread.
 */
#include "config.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "missent/alert.h"
#include "missent/io.h"
#include "missent/numbers.h"
#include "missent/pause.h"

#include "cli.h"

#define STARTING_US (30 * (gint64)G_USEC_PER_SEC)
#define OVERDUE_S 60

char *cli_duration(gint64 seconds)
{
	static const struct {
		gint64 seconds;
		const char *unit;
	} units[] = {{86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};
	GString *out = g_string_new(NULL);
	for (gsize i = 0, shown = 0; i < G_N_ELEMENTS(units) && shown < 2; i++) {
		gint64 n = seconds / units[i].seconds;
		if (n > 0) {
			g_string_append_printf(out, "%s%" G_GINT64_FORMAT " %s",
				out->len > 0 ? " " : "", n, units[i].unit);
			shown++;
		}
		seconds %= units[i].seconds;
	}
	return g_string_free(out->len > 0 ? out : g_string_append(out, "0 s"), FALSE);
}

/* All that there is to say. */
typedef struct {
	const Cli *cli;
	MsSettings *settings;
	MsNumbersView numbers;
	char *trouble;       /* there are no numbers, and why */
	bool running, alive; /* there is a process; it publishes */
	MsPause pause;
	bool paused;
	MsRecordStats held;
	bool records;
	bool agent; /* it listens, or may not be asked */
	char *refused; /* a mapping was, and why; or NULL */
	char *unreadable; /* why the records cannot be read; or NULL */
	char *mistake; /* in kinds or policies as they stand now; or NULL */
	bool no_policy; /* there is none among them */
} Status;

/* missentd goes on with what it has read; who edited the files thinks that it is in effect. */
static char *find_mistake(const MsSettings *s, bool *no_policy_out)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsKinds) kinds = ms_engine_load_kinds(s, &error);
	g_autoptr(MsPolicies) policies = kinds != NULL
		? ms_policies_load(s->policy_dir, kinds, s->mode, &error) : NULL;
	*no_policy_out = policies != NULL && ms_policies_count(policies) == 0;
	return policies == NULL && !cli_lacks_rights(error->message) ? g_strdup(error->message)
								     : NULL;
}

/* There are none where none was ever made; what cannot be read is not none. */
static void take_records(Status *st)
{
	const char *path = st->settings->records_file;
	g_autoptr(GError) error = NULL;
	MsForgotten gone;
	if (ms_engine_records_gone(st->settings, &gone, &error)) {
		g_autofree char *known = ms_engine_forgotten_text(&gone);
		st->unreadable = g_strdup_printf("%s is gone: %s", path, known);
		return;
	}
	g_clear_error(&error);
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return;
	g_autoptr(MsLedger) ledger = ms_ledger_open_readonly(path, &error);
	st->records = ledger != NULL && ms_records_stats(ledger, &st->held, &error);
	if (error != NULL && !cli_lacks_rights(error->message))
		st->unreadable = g_strdup(error->message);
}

static void take(Status *st)
{
	const MsSettings *s = st->settings;
	g_autoptr(GError) error = NULL;
	gint64 now = g_get_real_time();
	if (!ms_numbers_read(s->numbers_file, &st->numbers, &error))
		st->trouble = g_strdup(error->message);
	st->running = ms_numbers_kept(s->numbers_file);
	st->alive = st->trouble == NULL && st->running &&
		ms_numbers_alive(&st->numbers);
	st->paused = ms_pause_read(s->state_dir, s->pause_ms, now, &st->pause, NULL) == MS_FOUND;
	take_records(st);
	st->refused = ms_alert_left(s->state_dir, MS_ALERT_REFUSED);
	st->mistake = find_mistake(s, &st->no_policy);
	errno = 0;
	st->agent = ms_io_somebody_listens(s->desk.socket) ||
		(errno != ENOENT && errno != ECONNREFUSED);
}

/* ---- on the terminal ------------------------------------------------------------------ */

static guint64 today(const Status *st, MsNumber number)
{
	return ms_numbers_today(&st->numbers, number);
}

static void line(const char *name, const char *text)
{
	printf("%-12s %s\n", name, text);
}

/* In its first moments nobody knows how the directory is; one that does not answer is soon told. */
static bool is_starting(const Status *st)
{
	return st->alive && st->numbers.value[MS_NUM_DIRECTORY_ASKED] == 0 &&
		ms_numbers_worked(&st->numbers) < STARTING_US;
}

static void print_daemon(const Status *st)
{
	const MsNumbersView *n = &st->numbers;
	const char *red = cli_colour(st->cli, RED), *plain = cli_colour(st->cli, PLAIN);
	gint64 now = g_get_real_time();
	if (st->trouble != NULL) {
		printf("%-12s %snot known%s: %s\n", "missentd", red, plain, st->trouble);
		return;
	}
	g_autofree char *since = cli_duration(ms_numbers_worked(n) / G_USEC_PER_SEC);
	g_autofree char *silent = cli_duration((now - n->published) / G_USEC_PER_SEC);
	if (st->alive)
		printf("%-12s at work for %s, version %s, %" G_GUINT64_FORMAT
		       " of %" G_GUINT64_FORMAT " %s enforced\n",
			"missentd", since, n->version, n->value[MS_NUM_ENFORCING],
			n->value[MS_NUM_POLICIES],
			n->value[MS_NUM_POLICIES] == 1 ? "policy" : "policies");
	else
		printf("%-12s %s%s%s for %s (journalctl -u missent)\n", "missentd", red,
			st->running ? "hangs: silent" : "stopped", plain, silent);
	if (n->value[MS_NUM_HANGING] > 0)
		printf("%-12s %s%" G_GUINT64_FORMAT " in hand for longer than hung-after%s\n",
			"hanging", red, n->value[MS_NUM_HANGING], plain);
	if (is_starting(st))
		line("directory", "starting: it is being asked");
	else if (st->alive && n->value[MS_NUM_DIRECTORY_UP] == 0)
		printf("%-12s %sunavailable%s (missent directory stats says why)\n", "directory",
			red, plain);
	else if (n->value[MS_NUM_DIRECTORY_LOADED] > 0) {
		g_autofree char *age = cli_duration(
			now / G_USEC_PER_SEC - (gint64)n->value[MS_NUM_DIRECTORY_LOADED]);
		g_autofree char *entries = ms_numbers_text(n->value[MS_NUM_DIRECTORY_ENTRIES]);
		printf("%-12s %s %s, imported %s ago\n", "directory", entries,
			n->value[MS_NUM_DIRECTORY_ENTRIES] == 1 ? "entry" : "entries", age);
	}
}

static void append(GString *out, guint64 n, const char *words)
{
	if (n == 0)
		return;
	g_autofree char *text = ms_numbers_text(n);
	g_string_append_printf(out, "%s%s %s", out->len > 0 ? ", " : "", text, words);
}

static void print_unsure(guint64 n)
{
	g_autofree char *text = ms_numbers_text(n);
	if (n > 0)
		printf("%-12s %s judged by a policy of which a condition was not known, and counted as met "
		       "(missent stats)\n",
			"not known", text);
}

/* How many messages of today did not go whole and at once (MS_NUM_ACTION), or would not have
 * (MS_NUM_WOULD). */
static guint64 kept_back(const Status *st, MsNumber first)
{
	guint64 n = 0;
	for (guint i = MS_SPLIT; i < MS_N_ACTIONS; i++)
		n += today(st, (MsNumber)(first + i));
	return n;
}

static void print_observed(const Status *st)
{
	guint64 would = kept_back(st, MS_NUM_WOULD), was = kept_back(st, MS_NUM_ACTION);
	g_autofree char *text = ms_numbers_text(would - MIN(was, would));
	if (would > was)
		printf("%-12s %s of these would have been kept back, were all enforced "
		       "(missent held list --observed)\n",
			"observed", text);
}

/* The parts of a table that are not nought, after their sum. */
static void print_today(const Status *st)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *judged = ms_numbers_text(today(st, MS_NUM_JUDGED));
	g_string_append_printf(out, "%s judged", judged);
	static const char *const words[MS_N_ACTIONS] = {
		"delivered", "tagged", "split", "delayed", "held", "rejected",
		"deferred"};
	for (guint i = 0; i < MS_N_ACTIONS; i++)
		append(out, today(st, (MsNumber)(MS_NUM_ACTION + i)), words[i]);
	append(out, today(st, MS_NUM_RELEASED), "released before, or missent's own");
	line("today", out->str);
	print_observed(st);
	g_string_truncate(out, 0);
	for (guint i = 0; i < MS_N_REASONS; i++)
		append(out, today(st, (MsNumber)(MS_NUM_REASON + i)), ms_reason_names[i]);
	if (out->len > 0)
		line("reasons", out->str);
	print_unsure(today(st, MS_NUM_UNSURE_MESSAGES));
	g_autofree char *unjudged = ms_numbers_unjudged(&st->numbers);
	if (*unjudged != '\0')
		line("not judged", unjudged);
	g_string_truncate(out, 0);
	append(out, today(st, MS_NUM_TEMPFAIL_OVERLOAD), "for overload");
	append(out, today(st, MS_NUM_TEMPFAIL_READER), "for want of a reader");
	append(out, today(st, MS_NUM_TEMPFAIL_WRITE), "not written down");
	append(out, today(st, MS_NUM_TEMPFAIL_LATE), "not judged in time");
	append(out, today(st, MS_NUM_TEMPFAIL_OTHER), "for other faults");
	if (out->len > 0)
		line("deferred", out->str);
}

/* Judged again by missent-agent: where it is stopped, they stay. */
static void print_delayed(const Status *st)
{
	gint64 left = (st->held.due - g_get_real_time()) / G_USEC_PER_SEC;
	g_autofree char *when = cli_duration(ABS(left));
	g_autofree char *n = ms_numbers_text((guint64)st->held.delayed);
	if (st->held.delayed > 0 && left >= -OVERDUE_S)
		printf("%-12s %s to be judged again, the first in %s\n", "waiting", n,
			left > 0 ? when : "a moment");
	else if (st->held.delayed > 0)
		printf("%-12s %s to be judged again, %sthe first %s ago%s (does missent-agent run?)\n",
			"waiting", n, cli_colour(st->cli, RED), when, cli_colour(st->cli, PLAIN));
}

static void print_status(const Status *st)
{
	if (st->paused) {
		g_autofree char *words = ms_pause_words(&st->pause);
		printf("%s%s%s\n", cli_colour(st->cli, RED), words, cli_colour(st->cli, PLAIN));
	}
	print_daemon(st);
	if (st->refused != NULL)
		printf("%-12s %sthe last import was refused%s: %s\n", "mapping",
			cli_colour(st->cli, RED), cli_colour(st->cli, PLAIN), st->refused);
	if (st->mistake != NULL)
		printf("%-12s %sa start or a reload would fail%s: %.*s%s\n", "policies",
			cli_colour(st->cli, RED), cli_colour(st->cli, PLAIN),
			(int)strcspn(st->mistake, "\n"), st->mistake,
			strchr(st->mistake, '\n') != NULL ? " (missent config check tells more)" : "");
	if (st->no_policy)
		printf("%-12s %sthere is none%s in %s: no mail is judged (missent config check)\n",
			"policies", cli_colour(st->cli, RED), cli_colour(st->cli, PLAIN),
			st->settings->policy_dir);
	g_autofree char *alerts = ms_alerts_remembered(st->settings->state_dir);
	if (*alerts != '\0')
		printf("%-12s %s%s%s\n", "alerts", cli_colour(st->cli, RED), alerts,
			cli_colour(st->cli, PLAIN));
	if (!st->agent)
		printf("%-12s %snot at work%s: no decision, no alert, nothing judged again "
		       "(systemctl start missent-agent; journalctl -u missent-agent)\n",
			"agent", cli_colour(st->cli, RED), cli_colour(st->cli, PLAIN));
	if (st->trouble == NULL)
		print_today(st);
	if (st->unreadable != NULL)
		printf("%-12s %snot known%s: %s\n", "held now", cli_colour(st->cli, RED),
			cli_colour(st->cli, PLAIN), st->unreadable);
	if (!st->records)
		return;
	g_autofree char *age = cli_duration((g_get_real_time() - st->held.oldest) / G_USEC_PER_SEC);
	g_autofree char *held = ms_numbers_text((guint64)st->held.held);
	printf("%-12s %s%s%s\n", "held now", held, st->held.held > 0 ? ", the oldest for " : "",
		st->held.held > 0 ? age : "");
	print_delayed(st);
}

/* ---- as JSON -------------------------------------------------------------------------- */

/* {"missent_messages_judged_total": 3, "missent_verdicts_total": {"hold": 1, ...}} */
static json_t *json_numbers(const guint64 *value)
{
	json_t *out = json_object();
	for (MsNumber i = 0; i < MS_N_NUMBERS; i++) {
		MsNumberRow row = ms_number_row(i);
		json_t *number = json_integer((json_int_t)value[i]);
		if (row.label == NULL) {
			json_object_set_new(out, row.name, number);
			continue;
		}
		if (json_object_get(out, row.name) == NULL)
			json_object_set_new(out, row.name, json_object());
		json_object_set_new(json_object_get(out, row.name), row.value, number);
	}
	return out;
}

static void print_json(const Status *st)
{
	json_t *out = json_pack("{s:b, s:b, s:b, s:b}", "alive", (int)st->alive, "starting",
		(int)is_starting(st), "paused", (int)st->paused, "agent", (int)st->agent);
	if (st->trouble != NULL)
		json_object_set_new(out, "trouble", json_string(st->trouble));
	if (st->refused != NULL)
		json_object_set_new(out, "import_refused", json_string(st->refused));
	if (st->mistake != NULL)
		json_object_set_new(out, "mistake", json_string(st->mistake));
	if (st->no_policy)
		json_object_set_new(out, "no_policy", json_true());
	if (st->paused)
		json_object_set_new(out, "pause",
			json_pack("{s:I, s:s, s:s}", "until",
				(json_int_t)ms_pause_until(&st->pause), "who",
				st->pause.who, "why", st->pause.why));
	if (st->trouble == NULL) {
		guint64 day[MS_N_NUMBERS];
		for (MsNumber i = 0; i < MS_N_NUMBERS; i++)
			day[i] = i < MS_NUM_FIRST_GAUGE ? today(st, i) : st->numbers.value[i];
		g_autofree char *unjudged = ms_numbers_unjudged(&st->numbers);
		json_object_set_new(out, "version", json_string(st->numbers.version));
		json_object_set_new(
			out, "published", json_integer(st->numbers.published / G_USEC_PER_SEC));
		json_object_set_new(out, "not_judged", json_string(unjudged));
		json_object_set_new(out, "today", json_numbers(day));
		json_object_set_new(out, "total", json_numbers(st->numbers.value));
	}
	if (st->unreadable != NULL)
		json_object_set_new(out, "records_trouble", json_string(st->unreadable));
	if (st->records)
		json_object_set_new(out, "held",
			json_pack("{s:I, s:I}", "messages", (json_int_t)st->held.held, "oldest",
				(json_int_t)(st->held.oldest / G_USEC_PER_SEC)));
	if (st->records)
		json_object_set_new(out, "waiting",
			json_pack("{s:I, s:I}", "messages", (json_int_t)st->held.delayed, "due",
				(json_int_t)(st->held.due / G_USEC_PER_SEC)));
	cli_print_json(out);
}

/* 1: something is wrong that an operator has to look at now. */
int cmd_status(Cli *cli, int argc, char **argv)
{
	gboolean json = FALSE;
	const GOptionEntry options[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "all numbers, as JSON", NULL},
		{NULL},
	};
	g_autoptr(GError) error = NULL;
	if (!cli_options(options, "- is missentd at work, and what did it do today", &argc, &argv))
		return EX_USAGE;
	if (argc > 1)
		return cli_fail(EX_USAGE, "usage: missent status [--json]");
	Status st = {.cli = cli, .settings = ms_settings_load_public(cli->config, &error)};
	if (st.settings == NULL)
		return cli_fail_error(error);
	take(&st);
	if (json)
		print_json(&st);
	else
		print_status(&st);
	bool fine = st.alive && st.refused == NULL && st.mistake == NULL &&
		st.unreadable == NULL && !st.no_policy &&
		st.numbers.value[MS_NUM_HANGING] == 0 &&
		(st.numbers.value[MS_NUM_DIRECTORY_UP] > 0 || is_starting(&st));
	ms_pause_clear(&st.pause);
	g_free(st.trouble);
	g_free(st.refused);
	g_free(st.mistake);
	g_free(st.unreadable);
	ms_settings_free(st.settings);
	return fine ? EX_OK : 1;
}
