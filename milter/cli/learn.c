/*
 * missent directory learn: stored outgoing mail comes in; a file of rows that a person looks
 * through and then imports goes out, and beside it one of what contradicts itself.  The tool's one
 * thread; reading has its own.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "missent/learn.h"
#include "missent/text.h"

#include "cli.h"

#define HEADING "account,kind,value,messages,trail,first,last"
#define CONFLICTS                                                                          \
	"conflict,what,account,kind,value,recipient,recipients,messages,trail,first,last," \
	"usual-recipient,usual-messages,message,date,subject"

#define MAX_TOLD 20

typedef struct {
	Cli *cli;
	char **from, **archive;
	char *since, *output, *conflicts, *state, *trail;
	gboolean history, afresh;
	int jobs, support, memory;
	double house;
	guint few; /* rows left out: --min-support */
} Learn;

/* ---- files ------------------------------------------------------------------------------ */

/* A line a row, whatever a subject has in it. */
static void put_field(FILE *out, const char *text, char after)
{
	g_autofree char *flat = g_strdup(text);
	for (char *p = flat; *p != '\0'; p++)
		*p = g_ascii_iscntrl(*p) ? ' ' : *p;
	cli_csv_field(out, flat, after);
}

static void put_day(FILE *out, gint64 seconds, char after)
{
	g_autofree char *day = ms_text_time(seconds * G_USEC_PER_SEC, MS_ZONE_UTC, MS_TIME_DAY);
	fprintf(out, "%s%c", seconds > 0 ? day : "", after);
}

static void put_rows(Learn *l, FILE *out, const MsLearned *learned)
{
	const GArray *rows = ms_learned_rows(learned);
	fputs(HEADING "\n", out);
	for (guint i = 0; i < rows->len; i++) {
		const MsLearnRow *r = &g_array_index(rows, MsLearnRow, i);
		if (r->messages + r->trail < (guint)l->support) {
			l->few++;
			continue;
		}
		put_field(out, r->account, ',');
		put_field(out, r->kind, ',');
		put_field(out, r->value, ',');
		fprintf(out, "%u,%u,", r->messages, r->trail);
		put_day(out, r->first, ',');
		put_day(out, r->last, '\n');
	}
}

static void put_conflicts(FILE *out, const MsLearned *learned)
{
	const GArray *conflicts = ms_learned_conflicts(learned);
	fputs(CONFLICTS "\n", out);
	for (guint i = 0; i < conflicts->len; i++) {
		const MsLearnConflict *c = &g_array_index(conflicts, MsLearnConflict, i);
		fprintf(out, "%u,%s,", c->number, ms_learn_conflict_names[c->type]);
		put_field(out, c->account, ',');
		put_field(out, c->kind, ',');
		put_field(out, c->value, ',');
		put_field(out, c->recipient, ',');
		fprintf(out, "%u,%u,%u,", c->recipients, c->messages, c->trail);
		put_day(out, c->first, ',');
		put_day(out, c->last, ',');
		put_field(out, c->usual, ',');
		fprintf(out, "%u,", c->usual_messages);
		put_field(out, c->where, ',');
		put_day(out, c->date, ',');
		put_field(out, c->subject, '\n');
	}
}

/* Values in clear: for nobody else's eyes.  Whole, or not at all. */
static int put_file(const char *path, void (*put)(FILE *, const MsLearned *, Learn *), Learn *l,
	const MsLearned *learned)
{
	g_autofree char *fresh = g_strconcat(path, ".XXXXXX", NULL);
	int fd = g_mkstemp_full(fresh, O_WRONLY | O_CLOEXEC, 0600);
	FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (out == NULL)
		return cli_fail(EX_CANTCREAT, "%s: %s", path, g_strerror(errno));
	put(out, learned, l);
	bool fine = fflush(out) == 0 && !ferror(out) && fsync(fd) == 0;
	fine = fclose(out) == 0 && fine && g_rename(fresh, path) == 0;
	if (fine)
		return 0;
	int rc = cli_fail(EX_IOERR, "%s: %s", path, g_strerror(errno));
	g_unlink(fresh);
	return rc;
}

static void put_rows_func(FILE *out, const MsLearned *learned, Learn *l)
{
	put_rows(l, out, learned);
}

static void put_conflicts_func(FILE *out, const MsLearned *learned, Learn *l)
{
	(void)l;
	put_conflicts(out, learned);
}

/* ---- for a person: masked --------------------------------------------------------------- */

static char *masked_recipient(const MsLearnConflict *c)
{
	return *c->recipient != '\0' ? ms_identifier_masked(c->recipient)
				     : g_strdup_printf("%u recipients", c->recipients);
}

static void tell_one(FILE *out, const MsLearnConflict *c, guint pairs)
{
	g_autofree char *value = ms_identifier_masked(c->value), *to = masked_recipient(c);
	g_autofree char *usual = *c->usual != '\0' ? ms_identifier_masked(c->usual) : NULL;
	g_autofree char *where = cli_cell(c->where, 0);
	fprintf(out, "  %s: %s %s -> %s, %u message%s", ms_learn_conflict_names[c->type], c->kind,
		value, to, c->messages + c->trail, CLI_S(c->messages + c->trail));
	if (usual != NULL)
		fprintf(out, "; %s has %u", usual, c->usual_messages);
	if (pairs > 1)
		fprintf(out, "; and %u more", pairs - 1);
	fprintf(out, "\n      for example %s\n", where);
}

static guint tell_conflicts(const Learn *l, FILE *out, const MsLearned *learned)
{
	const GArray *all = ms_learned_conflicts(learned);
	guint n = 0;
	for (guint i = 0, to; i < all->len; i = to) {
		const MsLearnConflict *c = &g_array_index(all, MsLearnConflict, i);
		for (to = i; to < all->len &&
			g_array_index(all, MsLearnConflict, to).number == c->number;
			to++)
			;
		if (n == 0)
			fprintf(out, "%sconflicts: of each, a person has to say what it was%s\n",
				cli_colour(l->cli, BOLD), cli_colour(l->cli, PLAIN));
		if (n++ < MAX_TOLD)
			tell_one(out, c, to - i);
	}
	if (n > MAX_TOLD)
		fprintf(out, "  and %u more\n", n - MAX_TOLD);
	return n;
}

static void tell_count(FILE *out, guint n, const char *what)
{
	if (n > 0)
		fprintf(out, "  %u %s\n", n, what);
}

static void tell_left_out(FILE *out, const MsLearnSum *s)
{
	tell_count(out, s->failed - s->no_recipient, "could not be read");
	tell_count(out, s->no_recipient, "without a recipient, or reports that cannot be read");
	tell_count(out, s->old, "older than --since");
	tell_count(out, s->undated, "without a date (counted all the same)");
	tell_count(out, s->bare, "with nothing in them to learn from");
	tell_count(out, s->over,
		"left out: --memory is used up, so what follows is of a part only");
	if (s->unread_any > 0) {
		fprintf(out, "  %u not read to the end:", s->unread_any);
		for (guint i = 0, told = 0; i < MS_N_UNREAD; i++)
			if (s->unread[i] > 0)
				fprintf(out, "%s %s %u", told++ > 0 ? "," : "", ms_unread_names[i],
					s->unread[i]);
		fputc('\n', out);
	}
	tell_count(out, s->unwritable, "of the identifiers cannot be said in a mapping");
	tell_count(out, s->unplaced,
		"not proposed, of the groups of identifiers: without a sure recipient");
}

static void tell_sum(FILE *out, const MsLearned *learned, const MsLearnSum *s)
{
	double seconds = (double)s->progress.us / G_USEC_PER_SEC;
	const GPtrArray *notes = ms_learned_notes(learned);
	fprintf(out, "%u message%s", s->progress.done, CLI_S(s->progress.done));
	if (s->progress.before > 0)
		fprintf(out, ", %u of them before", s->progress.before);
	fprintf(out, "; %.1f s, %.1f a second; learned from %u", seconds,
		seconds > 0 ? (s->progress.done - s->progress.before) / seconds : 0, s->learned);
	if (s->trail_messages > 0)
		fprintf(out, ", and counted in %u of the audit trail", s->trail_messages);
	fprintf(out, "\n");
	tell_left_out(out, s);
	fprintf(out, "  recipients known by");
	for (guint i = 0; i < MS_N_KNOWN_BY; i++)
		if (s->by[i] > 0)
			fprintf(out, " %s %u", ms_backtest_by_names[i], s->by[i]);
	fprintf(out, " (headers: To and Cc; who was in Bcc is not known)\n");
	for (guint i = 0; i < notes->len; i++)
		fprintf(out, "  note: %s\n", (char *)notes->pdata[i]);
}

static void tell(Learn *l, const MsLearned *learned, guint conflicts)
{
	FILE *out = stderr;
	MsLearnSum s;
	ms_learned_sum(learned, &s);
	guint rows = ms_learned_rows(learned)->len - l->few;
	fprintf(out, "%sproposed%s: %u row%s, %u account%s", cli_colour(l->cli, BOLD),
		cli_colour(l->cli, PLAIN), rows, CLI_S(rows), s.accounts, CLI_S(s.accounts));
	if (l->few > 0)
		fprintf(out, "; %u row%s with less support left out (--min-support %d)", l->few,
			CLI_S(l->few), l->support);
	fprintf(out, "\n");
	if (l->output != NULL)
		fprintf(out,
			"%s%s%s: values in clear, mode 0600.  Look through them, the conflicts first, strike out what is "
			"wrong; then: missent directory lint %s; missent directory import %s\n",
			l->output, l->conflicts != NULL ? " and " : "",
			l->conflicts != NULL ? l->conflicts : "", l->output, l->output);
	else if (conflicts > 0)
		fprintf(out, "The conflicts are told whole with -o FILE, in FILE.conflicts.csv.\n");
}

/* An earlier proposal is put aside, since somebody may have looked through it; what is anything
 * else is never overwritten. */
static int may_write(const char *path, const char *heading)
{
	char first[1024] = "";
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return 0; /* if it cannot be written, that is told then */
	bool ours = fgets(first, sizeof first, file) != NULL && g_str_has_prefix(first, heading);
	fclose(file);
	return ours ? 0 : cli_fail(EX_CANTCREAT, "%s: it is there already, and no earlier proposal; name another file", path);
}

/* "FILE~", "FILE~2", ...: what was put aside before stays, for somebody may have written in it. */
static char *name_aside(const char *path, guint n)
{
	return n == 1 ? g_strconcat(path, "~", NULL) : g_strdup_printf("%s~%u", path, n);
}

static bool is_taken(const char *path, guint n)
{
	g_autofree char *aside = name_aside(path, n);
	return g_file_test(aside, G_FILE_TEST_EXISTS) || g_file_test(aside, G_FILE_TEST_IS_SYMLINK);
}

static int put_aside(const char *path, guint n)
{
	g_autofree char *aside = name_aside(path, n);
	if (g_rename(path, aside) == 0 || errno == ENOENT)
		return 0;
	return cli_fail(EX_CANTCREAT, "%s: %s", aside, g_strerror(errno));
}

/* The two of one run get the same number. */
static int put_both_aside(const Learn *l)
{
	guint n = 1;
	while (is_taken(l->output, n) || is_taken(l->conflicts, n))
		n++;
	int rc = put_aside(l->output, n);
	return rc != 0 ? rc : put_aside(l->conflicts, n);
}

static int give(Learn *l, const MsLearned *learned)
{
	int rc = 0;
	MsLearnSum s;
	ms_learned_sum(learned, &s);
	tell_sum(stderr, learned, &s);
	guint conflicts = tell_conflicts(l, stderr, learned);
	if (l->output != NULL) {
		rc = put_both_aside(l);
		rc = rc != 0 ? rc : put_file(l->conflicts, put_conflicts_func, l, learned);
		rc = rc != 0 ? rc : put_file(l->output, put_rows_func, l, learned);
	} else {
		put_rows(l, stdout, learned);
		rc = fflush(stdout) == 0 || cli_is_unread() ? 0 : cli_fail(EX_IOERR, "%s", g_strerror(errno));
	}
	if (rc == 0)
		tell(l, learned, conflicts);
	return rc != 0 ? rc : conflicts > 0;
}

/* ---- the command ------------------------------------------------------------------------ */

/* The audit trail, by the key of its digests. */
static int ask_trail(Learn *l, MsLearnAsk *ask, guint8 key[MS_AUDIT_KEY_BYTES])
{
	CliSession session = {0};
	g_autoptr(GError) error = NULL;
	if (l->trail != NULL && !ms_audit_is_there(l->trail, &error))
		return cli_fail_error(error);
	int rc = l->history ? cli_begin(&session, l->cli) : 0;
	if (rc == 0 && l->history && !cli_audit_key(&session, key))
		rc = EX_CONFIG;
	if (rc == 0 && l->history) {
		if (l->trail == NULL)
			l->trail = g_strdup(session.settings->audit_file);
		ask->trail = l->trail;
		ask->trail_key = key;
	}
	cli_end(&session);
	return rc;
}

static int run(Learn *l)
{
	g_autoptr(GError) error = NULL;
	guint8 key[MS_AUDIT_KEY_BYTES];
	gint64 since = 0, now = g_get_real_time(), until = now;
	bool again = !g_strv_contains((const char *const *)l->from, "-"); /* it is there once */
	if (!cli_period(&(CliPeriod){"since", l->since, "until", NULL}, now, &since, &until, &error))
		return cli_fail(EX_USAGE, "%s", error->message);
	const char *const what[] = {NULL};
	g_autofree char *state = again ? cli_state_file(l->cli, l->state, l->from, "learn", what)
				       : NULL;
	MsLearnAsk ask = {.config = l->cli->config,
		.archive = (const char *const *)l->archive,
		.since = since / G_USEC_PER_SEC,
		.house = l->house,
		.memory = (guint64)l->memory << 20,
		.batch = {.paths = (const char *const *)l->from,
			.state = state,
			.afresh = l->afresh,
			.threads = (guint)l->jobs,
			.stop = cli_catch_signals()}};
	int rc = ask_trail(l, &ask, key);
	if (rc != 0)
		return rc;
	g_autoptr(MsLearned) learned = ms_learn(&ask, cli_progress(), NULL, &error);
	cli_progress_end();
	if (learned == NULL)
		return cli_fail_error(error);
	MsLearnSum s;
	ms_learned_sum(learned, &s);
	if (!s.whole)
		return cli_fail(EX_TEMPFAIL,
			"stopped before the end; the same command goes on from here.  What was read is in %s, "
			"in clear, mode 0600",
			state != NULL ? state : "nothing");
	rc = give(l, learned);
	if (rc <= 1 && state != NULL && l->state == NULL)
		g_unlink(state);
	return rc;
}

static void learn_clear(Learn *l)
{
	g_strfreev(l->from);
	g_strfreev(l->archive);
	char *const texts[] = {l->since, l->output, l->conflicts, l->state, l->trail};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		g_free(texts[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Learn, learn_clear)

static int check(const Learn *l, int argc)
{
	if (argc > 1 || l->from == NULL)
		return cli_fail(EX_USAGE, "directory learn: name the mail with --from PATH");
	if (l->jobs < 0 || l->jobs > 1000)
		return cli_fail(EX_USAGE, "directory learn: --jobs %d: 1 to 1000", l->jobs);
	if (l->support < 1)
		return cli_fail(
			EX_USAGE, "directory learn: --min-support %d: 1 or more", l->support);
	if (l->memory < 1)
		return cli_fail(
			EX_USAGE, "directory learn: --memory %d: megabytes, 1 or more", l->memory);
	if (l->house <= 0 || l->house > 100)
		return cli_fail(
			EX_USAGE, "directory learn: --house %g: percent, above 0 to 100", l->house);
	if (l->trail != NULL && !l->history)
		return cli_fail(EX_USAGE, "directory learn: --trail goes with --with-history");
	return 0;
}

int cli_learn(Cli *cli, int argc, char **argv)
{
	g_auto(Learn) l = {.cli = cli,
		.support = 1,
		.memory = (int)(MS_LEARN_MEMORY >> 20),
		.house = MS_LEARN_HOUSE};
	const GOptionEntry entries[] = {
		{"from", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &l.from,
			"outgoing mail, repeatable: file, mbox, Maildir, folder, our own spool",
			"PATH"},
		{"since", 0, 0, G_OPTION_ARG_STRING, &l.since, "mail of before does not count",
			"TIME"},
		{"output", 'o', 0, G_OPTION_ARG_FILENAME, &l.output,
			"rows to this file, conflicts to FILE.conflicts.csv (rows to standard output)",
			"FILE"},
		{"min-support", 0, 0, G_OPTION_ARG_INT, &l.support,
			"leave out what stands on fewer messages (1)", "N"},
		{"house", 0, 0, G_OPTION_ARG_DOUBLE, &l.house,
			"what is in so many messages, to many, is the sender's own (20)",
			"PERCENT"},
		{"archive", 0, 0, G_OPTION_ARG_STRING_ARRAY, &l.archive,
			"the archive's own address, which is no recipient; repeatable", "ADDRESS"},
		{"with-history", 0, 0, G_OPTION_ARG_NONE, &l.history,
			"the audit trail adds to the counts", NULL},
		{"trail", 0, 0, G_OPTION_ARG_FILENAME, &l.trail, "another audit trail", "FILE"},
		{"memory", 0, 0, G_OPTION_ARG_INT, &l.memory, "megabytes that it may keep (1024)",
			"MB"},
		{"jobs", 'j', 0, G_OPTION_ARG_INT, &l.jobs,
			"messages at a time (as many as there are processors)", "N"},
		{"state", 0, 0, G_OPTION_ARG_FILENAME, &l.state,
			"keep what was read in this file, in clear, and do not remove it", "FILE"},
		{"afresh", 0, 0, G_OPTION_ARG_NONE, &l.afresh,
			"do not go on from where it was stopped", NULL},
		G_OPTION_ENTRY_NULL,
	};
	if (!cli_options(entries,
		    "--from PATH - a mapping proposed from stored mail, for a person to look through; exit 1: with "
		    "conflicts, 75: stopped",
		    &argc, &argv))
		return EX_USAGE;
	int rc = check(&l, argc);
	if (rc == 0 && l.output != NULL) {
		l.conflicts = g_strconcat(l.output, ".conflicts.csv", NULL);
		rc = may_write(l.output, HEADING);
		rc = rc != 0 ? rc : may_write(l.conflicts, CONFLICTS);
	}
	return rc != 0 ? rc : run(&l);
}
