/*
 * missent directory import: a file goes in, what happens is told.  One thread.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "missent/alert.h"
#include "missent/answer.h"
#include "missent/audit.h"

#include "cli.h"

#define MAX_COMPLAINTS 100
#define MAX_ALIKE 10 /* of lines that are bad for one reason */
#define LINE_US (10 * G_USEC_PER_SEC) /* between lines where there is no terminal */
#define TIDY_PAUSE_US 2000

static volatile int stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

/* The first one ends it in order, the second at once.  HUP is a terminal that went away, and is
 * ignored by nohup. */
const volatile int *cli_catch_signals(void)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
	const struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
	struct sigaction before;
	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++)
		if (sigaction(ends[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			sigaction(ends[i], &action, NULL);
	return &stopped;
}

typedef struct {
	char *why;
	const char *name;
	guint64 line, n; /* the first that is bad for it; how many are */
} Alike;

typedef struct {
	const char *name;
	CliBad bad;
	bool terminal, drawn;
	MsImportPhase phase;
	gint64 begun, told; /* of this phase */
	char *compared;     /* with the mapping in use; or NULL */
	const char *why;    /* what moved is accepted; or NULL */
	json_t *findings;   /* of --json; or NULL: they are told */
} Progress;

/* With --json; else false.  `line` is 0 for what is said of the whole. */
static bool put(Progress *progress, guint64 line, const char *weight, const char *text)
{
	if (progress->findings == NULL)
		return false;
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	json_array_append_new(progress->findings,
		json_pack("{s:I, s:s, s:s}", "line", (json_int_t)line, "weight", weight, "text",
			valid));
	return true;
}

static void clear_line(Progress *progress)
{
	if (progress->drawn)
		fprintf(stderr, "\r\033[K");
	progress->drawn = false;
}

/* How many lines are bad for that reason, with this one; one that is not told is not counted. */
static guint64 count_alike(CliBad *bad, const char *name, guint64 line, const char *why)
{
	if (bad->alike == NULL)
		bad->alike = g_array_new(FALSE, FALSE, sizeof(Alike));
	for (guint i = 0; i < bad->alike->len; i++) {
		Alike *alike = &g_array_index(bad->alike, Alike, i);
		if (strcmp(alike->why, why) == 0)
			return ++alike->n;
	}
	const Alike alike = {
		bad->complaints < MAX_COMPLAINTS ? g_strdup(why) : NULL, name, line, 1};
	if (alike.why != NULL)
		g_array_append_val(bad->alike, alike);
	return 1;
}

void cli_bad(CliBad *bad, const char *name, guint64 line, const char *why)
{
	if (count_alike(bad, name, line, why) > MAX_ALIKE)
		return;
	if (++bad->complaints <= MAX_COMPLAINTS)
		cli_fail(0, "%s:%" G_GUINT64_FORMAT ": %s", name, line, why);
	else if (bad->complaints == MAX_COMPLAINTS + 1)
		cli_fail(0, "%s: more bad lines follow; they are counted only", name);
}

void cli_bad_end(CliBad *bad)
{
	for (guint i = 0; bad->alike != NULL && i < bad->alike->len; i++) {
		Alike *alike = &g_array_index(bad->alike, Alike, i);
		if (alike->n > MAX_ALIKE)
			cli_fail(0,
				"%s: %" G_GUINT64_FORMAT " more lines are bad as line %" G_GUINT64_FORMAT
				" is (directory lint --json tells all)",
				alike->name, alike->n - MAX_ALIKE, alike->line);
		g_free(alike->why);
	}
	if (bad->alike != NULL)
		g_array_free(bad->alike, TRUE);
	bad->alike = NULL;
}

static void on_bad(guint64 line, const char *why, void *user)
{
	Progress *progress = user;
	if (put(progress, line, "bad", why))
		return;
	clear_line(progress);
	cli_bad(&progress->bad, progress->name, line, why);
}

/* `line` is 0 for what is said of the whole, or with a place of its own, of another file. */
static void say(Progress *progress, guint64 line, const char *what, const char *text)
{
	clear_line(progress);
	if (line > 0)
		cli_fail(0, "%s:%" G_GUINT64_FORMAT ": %s%s", progress->name, line, what, text);
	else if (*text == '/')
		cli_fail(0, "%s%s", what, text);
	else
		cli_fail(0, "%s: %s%s", progress->name, what, text);
}

static void on_warning(guint64 line, const char *text, void *user)
{
	if (!put(user, line, "warning", text))
		say(user, line, "warning: ", text);
}

static void on_note(const char *text, void *user)
{
	if (!put(user, 0, "remark", text))
		say(user, 0, "", text);
}

static void on_example(guint64 line, const char *text, void *user)
{
	say(user, line, "", text);
}

static void on_compared(const char *text, void *user)
{
	Progress *progress = user;
	g_free(progress->compared);
	progress->compared = g_strdup(text);
}

static char *time_left(const MsImportProgress *p, double seconds)
{
	if (p->total == 0 || p->done == 0 || seconds < 1)
		return g_strdup("");
	double left = seconds * (double)(p->total - MIN(p->done, p->total)) / (double)p->done;
	return left < 90 ? g_strdup_printf(", %.0f s left", left)
			 : g_strdup_printf(", %.0f min left", left / 60);
}

static char *progress_text(const MsImportProgress *p, double seconds)
{
	static const char *const doing[] = {[MS_IMPORT_READ] = "reading",
		[MS_IMPORT_WRITE] = "writing",
		[MS_IMPORT_PROVE] = "reading back"};
	GString *out = g_string_new(doing[p->phase]);
	if (p->total > 0)
		g_string_append_printf(
			out, ": %.0f %%", 100.0 * (double)p->done / (double)p->total);
	if (p->phase == MS_IMPORT_READ) {
		g_string_append_printf(
			out, "%s %" G_GUINT64_FORMAT " lines", p->total > 0 ? "," : ":", p->lines);
		if (seconds >= 1)
			g_string_append_printf(out, " (%.0f a second)", (double)p->lines / seconds);
	}
	g_autofree char *left = time_left(p, seconds);
	g_string_append(out, left);
	return g_string_free(out, FALSE);
}

/* On a terminal one line that changes; else a line now and then, of a long one. */
static void on_progress(const MsImportProgress *p, void *user)
{
	Progress *progress = user;
	gint64 now = g_get_monotonic_time();
	if (progress->begun == 0 || progress->phase != p->phase)
		progress->begun = progress->told = now;
	progress->phase = p->phase;
	g_autofree char *text = progress_text(p, (double)(now - progress->begun) / G_USEC_PER_SEC);
	if (progress->terminal) {
		fprintf(stderr, "\r%s\033[K", text);
		fflush(stderr);
		progress->drawn = true;
	} else if (now - progress->told >= LINE_US) {
		fprintf(stderr, "%s\n", text);
		progress->told = now;
	}
}

/* What was in use before, a little at a time, so that nobody waits for it; what is left is for the
 * next import. */
static void tidy(MsDirectory *directory)
{
	bool more = true;
	g_autoptr(GError) error = NULL;
	while (more && !stopped && ms_directory_tidy(directory, &more, &error))
		g_usleep(TIDY_PAUSE_US);
	if (error != NULL)
		fprintf(stderr,
			"missent: warning: what is not in use any more is not removed, and takes room: %s\n",
			error->message);
}

/* ---- what a file looks like ------------------------------------------------------------ */

bool cli_form_has_file(const CliForm *form, bool file, const char *how)
{
	const char *said = form->maps != NULL ? "map"
		: form->account != NULL      ? "account"
		: form->encoding != NULL     ? "encoding"
		: form->delimiter != NULL    ? "delimiter"
					     : NULL;
	if (file || said == NULL)
		return true;
	cli_fail(EX_USAGE, "--%s says what a file is like: name it (%s)", said, how);
	return false;
}

int cli_form(CliForm *form, MsTableForm *out)
{
	const char *d = form->delimiter;
	if (d != NULL && strcmp(d, "tab") != 0 && (strlen(d) != 1 || strchr("\"\r\n", *d) != NULL))
		return cli_fail(EX_USAGE, "--delimiter: \"%s\" is not one character (or tab)", d);
	if (form->map == NULL && form->maps != NULL)
		form->map = g_strjoinv(",", form->maps);
	if ((form->map != NULL) != (form->account != NULL))
		return cli_fail(EX_USAGE,
			form->map != NULL
				? "--map needs --account, the column that says whose each line is"
				: "--account needs --map COLUMN=KIND,..., which says what the other columns are");
	char delimiter = d == NULL ? '\0' : strcmp(d, "tab") == 0 ? '\t' : *d;
	*out = (MsTableForm){form->encoding, delimiter, form->map, form->account, false};
	return 0;
}

void cli_form_clear(CliForm *form)
{
	g_free(form->encoding);
	g_free(form->delimiter);
	g_strfreev(form->maps);
	g_free(form->map);
	g_free(form->account);
}

/* Who took it into use: missentd says only that it judges by another mapping. */
static void note_import(
	const CliSession *session, const Progress *progress, const MsImportResult *result)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *detail = g_strdup_printf("%" G_GINT64_FORMAT " entries (%" G_GINT64_FORMAT
						  " before), from %s%s%s%s%s",
		result->entries, result->before, progress->name,
		progress->compared != NULL ? ": " : "",
		progress->compared != NULL ? progress->compared : "",
		result->accepted ? "; accepted: " : "", result->accepted ? progress->why : "");
	if (!cli_note(session, MS_EVENT_IMPORT, "", detail, &error))
		cli_fail(0, "it is in use, and the audit trail does not say by whom: %s",
			error->message);
}

/* What names its own place does not need the file's name. */
int cli_fail_file(GError *error, const char *name)
{
	if (g_error_matches(error, MS_ERROR, MS_ERROR_INPUT) && *error->message != '/' &&
		*error->message != '-')
		g_prefix_error(&error, "%s: ", name);
	return cli_fail_error(error);
}

bool cli_is_percent(const char *option, double value)
{
	if (value >= 0 && value <= 100)
		return true;
	cli_fail(EX_USAGE, "--%s %g: 0 to 100 per cent", option, value);
	return false;
}

/* Whoever watches the host is told that the mapping in use stays an old one: an import by a timer
 * has nobody who reads what it says.  The next that is taken into use ends it. */
static void leave_alert(const CliSession *session, const char *name, const char *why)
{
	g_autofree char *detail = why != NULL ? g_strdup_printf("%s: %s", name, why) : g_strdup("");
	if (!ms_alert_leave(session->settings->state_dir, MS_ALERT_REFUSED, detail))
		cli_fail(0, "%s: missent status and alerts do not %s: %s", session->settings->state_dir,
			why != NULL ? "tell it" : "know that it was imported", g_strerror(errno));
}

static void print_compared(const Progress *progress, const char *with)
{
	if (progress->compared != NULL)
		printf("%s: %s\n", with, progress->compared);
}

static int load(CliSession *session, int fd, MsImportOptions *options, Progress *progress)
{
	g_autoptr(GError) error = NULL;
	MsImportResult result;
	cli_catch_signals();
	bool fine = ms_directory_import(session->directory, fd, options, &result, &error);
	clear_line(progress);
	cli_bad_end(&progress->bad);
	if (!fine) {
		stopped = 0;
		if (!options->dry_run && !result.kept &&
			!g_error_matches(error, MS_ERROR, MS_ERROR_BUSY))
			tidy(session->directory);
		print_compared(progress, "against the one in use");
		fflush(stdout);
		if (result.refused && !options->dry_run)
			leave_alert(session, progress->name, error->message);
		return cli_fail_file(error, progress->name);
	}
	printf("%" G_GUINT64_FORMAT " line%s read, %" G_GUINT64_FORMAT " bad", result.lines,
		CLI_S(result.lines), result.bad);
	if (options->dry_run) {
		g_autofree char *in_use = result.unasked
			? g_strdup("nobody knows how many are in use")
			: g_strdup_printf("%" G_GINT64_FORMAT " in use", result.before);
		printf("; %" G_GINT64_FORMAT " %s (%s); nothing was changed (--dry-run)\n",
			result.entries, result.entries == 1 ? "entry" : "entries", in_use);
		print_compared(progress, "against the one in use");
		fflush(stdout);
		return result.unasked
			? cli_fail(EX_TEMPFAIL,
				  "%s: it was not compared with the mapping in use, which cannot be asked now",
				  progress->name)
			: 0;
	}
	printf("; %" G_GINT64_FORMAT " %s in use (%" G_GINT64_FORMAT " before)\n", result.entries,
		result.entries == 1 ? "entry" : "entries", result.before);
	print_compared(progress, "against the one before");
	fflush(stdout);
	note_import(session, progress, &result);
	leave_alert(session, progress->name, NULL);
	tidy(session->directory);
	return 0;
}

int cli_import_fd(CliSession *session, int fd, const char *name, const char *why,
	MsImportOptions *options)
{
	Progress progress = {.name = name, .why = why, .terminal = isatty(STDERR_FILENO)};
	options->bad = on_bad;
	options->note = on_note;
	options->warn = on_warning;
	options->progress = on_progress;
	options->user = &progress;
	options->source = progress.name;
	options->stop = &stopped;
	options->compared = on_compared;
	options->example = on_example;
	options->accept_moved = why != NULL;
	int rc = load(session, fd, options, &progress);
	g_free(progress.compared);
	return rc;
}

int cli_accept_moved(bool accept, const char *why)
{
	if (accept == (why != NULL) && (why == NULL || *why != '\0'))
		return 0;
	return cli_fail(EX_USAGE,
		"--accept-moved --why TEXT: both, and the reason for the trail is not empty");
}

int cli_open(const char *path, int *fd_out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return cli_fail(EX_NOINPUT, "%s: %s", path, g_strerror(errno));
	/* One opens, and only reading fails, as if it would work later. */
	if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
		close(fd);
		return cli_fail(EX_NOINPUT, "%s: it is a folder; name one file", path);
	}
	*fd_out = fd;
	return 0;
}

static int import_file(
	CliSession *session, const char *path, const char *why, MsImportOptions *options)
{
	bool standard = strcmp(path, "-") == 0;
	int fd = STDIN_FILENO, rc = standard ? 0 : cli_open(path, &fd);
	if (rc != 0)
		return rc;
	rc = cli_import_fd(session, fd, standard ? "standard input" : path, why, options);
	if (!standard)
		close(fd);
	return rc;
}

int cli_import(Cli *cli, int argc, char **argv)
{
	double max_bad = 1, max_shrink = 20, max_moved = 2;
	gboolean dry_run = FALSE, forget = FALSE, accept = FALSE;
	g_autofree char *why = NULL;
	g_auto(GStrv) positions = NULL;
	int many = MS_LINT_MANY;
	g_auto(CliForm) form = {0};
	const GOptionEntry entries[] = {
		CLI_FORM_OPTIONS(form),
		{"many", 0, 0, G_OPTION_ARG_INT, &many,
			"warn of values at more accounts (default 20)", "N"},
		{"max-bad", 0, 0, G_OPTION_ARG_DOUBLE, &max_bad,
			"refuse when more of the lines are bad (default 1)", "PERCENT"},
		{"max-shrink", 0, 0, G_OPTION_ARG_DOUBLE, &max_shrink,
			"refuse when the mapping would lose more (default 20)", "PERCENT"},
		{"max-moved", 0, 0, G_OPTION_ARG_DOUBLE, &max_moved,
			"refuse when more of a kind would move to others (default 2)",
			"PERCENT"},
		CLI_ACCEPT_OPTIONS(accept, why),
		{"position", 0, 0, G_OPTION_ARG_STRING_ARRAY, &positions,
			"the last change of a source that the file has", "SOURCE=ID"},
		{"forget-positions", 0, 0, G_OPTION_ARG_NONE, &forget,
			"changes are followed no more", NULL},
		{"dry-run", 'n', 0, G_OPTION_ARG_NONE, &dry_run, "check the lines, change nothing",
			NULL},
		G_OPTION_ENTRY_NULL,
	};
	if (!cli_options(entries, "FILE.csv|- - take a new mapping (account,kind,value) into use",
		    &argc, &argv))
		return EX_USAGE;
	if (argc != 2)
		return cli_fail(EX_USAGE, "directory import: give one file (- for standard input)");
	if (!cli_is_percent("max-bad", max_bad) || !cli_is_percent("max-shrink", max_shrink) ||
		!cli_is_percent("max-moved", max_moved) || cli_accept_moved(accept, why) != 0)
		return EX_USAGE;
	if (many < 1)
		return cli_fail(EX_USAGE, "--many %d: at least 1", many);
	MsTableForm table;
	int rc = cli_form(&form, &table);
	if (rc != 0)
		return rc;
	CliSession session = {0};
	rc = cli_begin(&session, cli);
	if (rc == 0) {
		MsImportOptions options = {
			.form = table,
			.many = (guint)MAX(many, 1),
			.max_shrink = max_shrink / 100,
			.max_bad = max_bad / 100,
			.max_moved = max_moved / 100,
			.dry_run = dry_run,
			.positions = (const char *const *)positions,
			.forget_positions = forget,
		};
		rc = import_file(&session, argv[1], why, &options);
	}
	cli_end(&session);
	return rc;
}

/* ---- lint ----------------------------------------------------------------------------- */

static void print_findings(
	json_t *findings, int rc, guint64 lines, guint64 bad, guint64 warnings)
{
	cli_print_json(json_pack("{s:i, s:I, s:I, s:I, s:O}", "exit", rc,
		"lines", (json_int_t)lines, "bad", (json_int_t)bad, "warnings",
		(json_int_t)warnings, "findings", findings));
}

/* `findings`: they are put there, and printed with what they are of; NULL: told. */
static int lint_mapping(CliSession *session, int many, int days, json_t *findings)
{
	g_autoptr(GError) error = NULL;
	Progress progress = {.name = "the mapping in use", .findings = findings};
	guint64 warnings = 0;
	if (ms_directory_lint(session->directory, (guint)MAX(many, 1), (guint)MAX(days, 0),
		    on_warning, &progress, &warnings, &error) != MS_FOUND)
		return cli_fail_error(error);
	if (findings != NULL)
		print_findings(findings, warnings > 0, 0, 0, warnings);
	else
		printf("%" G_GUINT64_FORMAT
		       " warning%s; what needs values is looked at in a file alone (directory lint FILE.csv)\n",
			warnings, warnings == 1 ? "" : "s");
	return warnings > 0;
}

static int lint_file(CliSession *session, int fd, const char *name, const MsTableForm *form,
	int many, json_t *findings)
{
	Progress progress = {.name = name, .findings = findings};
	MsImportOptions options = {.form = *form,
		.max_shrink = 1,
		.max_bad = 1,
		.max_moved = 1,
		.dry_run = true,
		.many = (guint)MAX(many, 1),
		.bad = on_bad,
		.note = on_note,
		.warn = on_warning,
		.user = &progress,
		.source = name};
	MsImportResult result = {0};
	g_autoptr(GError) error = NULL;
	bool fine = ms_directory_import(session->directory, fd, &options, &result, &error);
	cli_bad_end(&progress.bad);
	int rc = fine ? result.warnings + result.bad > 0 : cli_fail_file(error, name);
	if (findings != NULL)
		print_findings(findings, rc, result.lines, result.bad, result.warnings);
	else if (fine)
		printf("%" G_GUINT64_FORMAT " line%s, %" G_GUINT64_FORMAT " bad, %" G_GUINT64_FORMAT
		       " warning%s\n",
			result.lines, CLI_S(result.lines), result.bad, result.warnings,
			CLI_S(result.warnings));
	return rc;
}

int cli_lint(Cli *cli, int argc, char **argv)
{
	int many = MS_LINT_MANY, days = 30;
	gboolean json = FALSE;
	g_auto(CliForm) form = {0};
	const GOptionEntry entries[] = {
		CLI_FORM_OPTIONS(form),
		{"many", 0, 0, G_OPTION_ARG_INT, &many, "values at more accounts (default 20)",
			"N"},
		{"days", 0, 0, G_OPTION_ARG_INT, &days,
			"since the last import (default 30; 0: any)", "N"},
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "as JSON", NULL},
		G_OPTION_ENTRY_NULL,
	};
	if (!cli_options(entries,
		    "[FILE.csv] - what is odd, though it can be loaded; exit 1: something is",
		    &argc, &argv))
		return EX_USAGE;
	if (argc > 2)
		return cli_fail(
			EX_USAGE, "directory lint: give one file, or none for the mapping in use");
	if (many < 1 || days < 0)
		return cli_fail(EX_USAGE, "directory lint: --%s %d: %s",
			many < 1 ? "many" : "days", many < 1 ? many : days,
			many < 1 ? "1 or more" : "0 or more");
	if (!cli_form_has_file(&form, argc == 2, "directory lint FILE.csv"))
		return EX_USAGE;
	MsTableForm table;
	int rc = cli_form(&form, &table);
	if (rc != 0)
		return rc;
	CliSession session = {0};
	rc = cli_begin(&session, cli);
	json_t *findings = json ? json_array() : NULL;
	int fd = -1;
	if (rc == 0 && argc == 2)
		rc = cli_open(argv[1], &fd);
	if (rc == 0)
		rc = argc == 1 ? lint_mapping(&session, many, days, findings)
			       : lint_file(&session, fd, argv[1], &table, many, findings);
	json_decref(findings);
	if (fd >= 0)
		close(fd);
	cli_end(&session);
	return rc;
}
