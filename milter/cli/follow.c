/*
 * missent directory follow: changes come in as they are made, and go into the mapping.  One
 * thread.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/io.h"

#include "cli.h"

#define WAIT_MS 1000
#define PAUSE_US (2 * G_USEC_PER_SEC)

typedef struct {
	CliSession session;
	MsChanges *changes;
	const char *source, *file;
	int aside; /* what was set aside is appended to it; -1: opened with the first */
	char *aside_path;
	char *trouble; /* told last */
	MsFollowed all;
	const volatile int *stop;
} Follow;

/* ---- what is set aside ------------------------------------------------------------------- */

static bool open_aside(Follow *f, GError **error)
{
	if (f->aside >= 0)
		return true;
	f->aside = open(
		f->aside_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (f->aside < 0)
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s: %s", f->aside_path,
			g_strerror(errno));
	else
		ms_io_like_folder(f->aside, f->aside_path);
	return f->aside >= 0;
}

/* On disk before the position moves on: a crash may set it aside twice, and never loses it. */
static bool set_aside(const MsChange *change, void *user, GError **error)
{
	Follow *f = user;
	g_autofree char *line = g_strdup_printf("%s\n", change->raw);
	if (change->line > 0)
		cli_fail(0, "%s:%" G_GUINT64_FORMAT ": %s; set aside", f->file, change->line,
			change->why);
	else
		cli_fail(0, "%s: change %s %s; set aside", f->source, change->id, change->why);
	if (!open_aside(f, error))
		return false;
	if (ms_io_write(f->aside, line, strlen(line)) && fdatasync(f->aside) == 0)
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s: %s", f->aside_path, g_strerror(errno));
	return false;
}

/* ---- following --------------------------------------------------------------------------- */

/* Once for each reason, and when it is over. */
static void tell(Follow *f, const char *text)
{
	if (text != NULL && g_strcmp0(f->trouble, text) != 0)
		cli_fail(0, "%s; trying again", text);
	else if (text == NULL && f->trouble != NULL)
		cli_fail(0, "goes on");
	g_free(f->trouble);
	f->trouble = g_strdup(text);
}

/* False: stopped, or (with *rc_out) cannot go on. */
static bool wait_after(Follow *f, MsAnswer answer, GError *error, int *rc_out)
{
	if (answer == MS_CONFIG) {
		*rc_out = cli_fail_error(error);
		return false;
	}
	tell(f, error->message);
	for (gint64 end = g_get_monotonic_time() + PAUSE_US;
		*f->stop == 0 && g_get_monotonic_time() < end;)
		g_usleep(100 * 1000);
	return *f->stop == 0;
}

static void warn(guint64 line, const char *text, void *user)
{
	const Follow *f = user;
	if (line > 0)
		cli_fail(0, "%s:%" G_GUINT64_FORMAT ": warning: %s", f->file, line, text);
	else
		cli_fail(0, "%s: warning: %s", f->source, text);
}

/* As an import tells it. */
static void tell_odd(Follow *f, const GPtrArray *batch)
{
	for (guint i = 0; i < batch->len; i++) {
		const MsChange *c = batch->pdata[i];
		if (c->why == NULL && !c->remove)
			ms_directory_lint_row(
				f->session.directory, c->line, c->kind, c->value, warn, f);
	}
}

/* What came is not thrown away before it is in the mapping. */
static bool put_in(Follow *f, GPtrArray *batch, int *rc_out)
{
	for (;;) {
		MsFollowed followed = {0};
		g_autoptr(GError) error = NULL;
		MsAnswer answer = ms_directory_follow(
			f->session.directory, f->source, batch, set_aside, f, &followed, &error);
		if (answer == MS_FOUND) {
			tell(f, NULL);
			tell_odd(f, batch);
			f->all.applied += followed.applied;
			f->all.repeated += followed.repeated;
			f->all.bad += followed.bad;
			return true;
		}
		if (!wait_after(f, answer, error, rc_out))
			return false;
	}
}

/* False: stopped, or it cannot be. */
static bool begin_at(Follow *f, int *rc_out)
{
	for (;;) {
		MsAnswer answer;
		g_autoptr(GError) error = NULL;
		g_autofree char *position = ms_directory_position(
			f->session.directory, f->source, &answer, &error);
		if (position != NULL) {
			ms_changes_begin(f->changes, position);
			return true;
		}
		if (!wait_after(f, answer, error, rc_out))
			return false;
	}
}

static int follow(Follow *f)
{
	int rc = 0;
	if (!begin_at(f, &rc))
		return rc;
	while (*f->stop == 0) {
		g_autoptr(GPtrArray) batch = ms_changes_batch();
		g_autoptr(GError) error = NULL;
		MsAnswer answer = ms_changes_next(f->changes, batch, WAIT_MS, &error);
		if (answer == MS_ABSENT)
			break;
		if (answer != MS_FOUND) {
			if (!wait_after(f, MS_RETRY, error, &rc))
				break;
			continue;
		}
		if (batch->len > 0 && !put_in(f, batch, &rc))
			break;
		/* What is not acknowledged comes again, and is known. */
		ms_changes_done(f->changes, batch, NULL);
	}
	printf("%u changes made, %u were there already, %u set aside\n", f->all.applied,
		f->all.repeated, f->all.bad);
	return rc == 0 && f->all.bad > 0 ? 1 : rc;
}

/* ---- options ----------------------------------------------------------------------------- */

typedef struct {
	char *format, *source, *aside, *stream, *group, *consumer;
	gboolean wait;
} Options;

static int open_lines(Follow *f, const Options *o, const char *path)
{
	bool standard = path == NULL || strcmp(path, "-") == 0;
	bool csv = g_strcmp0(o->format, "csv") == 0;
	static const char *const formats[] = {"json", "csv", NULL};
	if (o->format != NULL && !g_strv_contains(formats, o->format))
		return cli_fail_none_of("--format", o->format, formats);
	if (o->source == NULL)
		return cli_fail(EX_USAGE,
			"directory follow: name the source (--source NAME): its position is kept by that");
	int fd = STDIN_FILENO, rc = standard ? 0 : cli_open(path, &fd);
	if (rc != 0)
		return rc;
	f->file = standard ? "standard input" : path;
	f->changes = ms_changes_from_file(fd, csv, o->wait && !standard);
	return 0;
}

static int open_stream(Follow *f, const Options *o)
{
	g_autoptr(GError) error = NULL;
	MsRedisSettings redis = f->session.settings->redis;
	redis.replica = NULL;
	f->changes = ms_changes_from_stream(&redis, o->stream,
		o->group != NULL ? o->group : "missent",
		o->consumer != NULL ? o->consumer : "missent", &error);
	return f->changes != NULL ? 0 : cli_fail_error(error);
}

static int run(Follow *f, const Options *o, const char *path)
{
	int rc = cli_begin(&f->session, f->session.cli);
	if (rc == 0)
		rc = o->stream != NULL ? open_stream(f, o) : open_lines(f, o, path);
	if (rc != 0)
		return rc;
	f->source = o->source != NULL ? o->source : o->stream;
	if (!ms_directory_source_valid(f->source))
		return cli_fail(EX_USAGE,
			"directory follow: \"%s\" is no name of a source: letters, digits and . _ : - (--source)",
			f->source);
	f->aside_path = o->aside != NULL
		? g_strdup(o->aside)
		: g_strdup_printf("%s/changes-set-aside", f->session.settings->state_dir);
	f->stop = cli_catch_signals();
	return follow(f);
}

int cli_follow(Cli *cli, int argc, char **argv)
{
	Options o = {0};
	const GOptionEntry entries[] = {
		{"source", 0, 0, G_OPTION_ARG_STRING, &o.source,
			"whose changes they are (default: the stream's key)", "NAME"},
		{"format", 0, 0, G_OPTION_ARG_STRING, &o.format, "of lines: json (default) or csv",
			"FORM"},
		{"wait", 0, 0, G_OPTION_ARG_NONE, &o.wait, "for the file to grow", NULL},
		{"set-aside", 0, 0, G_OPTION_ARG_FILENAME, &o.aside, "where bad changes go",
			"FILE"},
		{"stream", 0, 0, G_OPTION_ARG_STRING, &o.stream,
			"a stream of Redis instead of lines", "KEY"},
		{"group", 0, 0, G_OPTION_ARG_STRING, &o.group,
			"of consumers of the stream (missent)", "NAME"},
		{"consumer", 0, 0, G_OPTION_ARG_STRING, &o.consumer, "this one's name (missent)",
			"NAME"},
		G_OPTION_ENTRY_NULL,
	};
	if (!cli_options(
		    entries, "[FILE|-] - take changes into the mapping as they come", &argc, &argv))
		return EX_USAGE;
	Follow f = {.session = {.cli = cli}, .aside = -1};
	int rc = argc > 2 || (argc == 2 && o.stream != NULL)
		? cli_fail(EX_USAGE,
			  "directory follow: give one file (- for standard input), or --stream")
		: run(&f, &o, argc == 2 ? argv[1] : NULL);
	ms_changes_free(f.changes);
	cli_end(&f.session);
	ms_io_close(f.aside);
	g_free(f.aside_path);
	g_free(f.trouble);
	char *const texts[] = {o.format, o.source, o.aside, o.stream, o.group, o.consumer};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		g_free(texts[i]);
	return rc;
}
