/*
 * missent pause, missent resume: when the business must go on, mail is let through as observed
 * for a while.  It is on record before it is so; missentd sees it within a second.  The tool's one
 * thread.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "missent/numbers.h"
#include "missent/pause.h"

#include "cli.h"

void cli_tell_pause(const Cli *cli)
{
	g_autoptr(MsSettings) s = ms_settings_load_public(cli->config, NULL);
	g_auto(MsPause) pause = {0};
	if (s == NULL ||
		ms_pause_read(s->state_dir, s->pause_ms, g_get_real_time(), &pause, NULL) !=
			MS_FOUND)
		return;
	g_autofree char *words = ms_pause_words(&pause);
	cli_fail(0, "%s", words);
}

/* "30m", "2h"; -1: it is none, and that was said. */
static gint64 take_time(const char *text, gint64 most_ms)
{
	static const MsRow rows[] = {
		{.key = "for", .type = MS_ROW_TIME, .min = 1000}, {.key = NULL}};
	g_autoptr(GError) error = NULL;
	g_autofree char *line = g_strdup_printf("for = %s\n", text);
	bool plain = text[strspn(text, "0123456789.mshd")] == '\0' && *text != '\0';
	g_autoptr(MsSection) section = plain ? ms_config_parse("--for", line, rows, &error) : NULL;
	if (section == NULL) {
		cli_fail(EX_USAGE, "--for %s: a time is wanted, such as 30m or 2h", text);
		return -1;
	}
	gint64 ms = ms_section_number(section, "for");
	if (ms <= most_ms)
		return ms;
	g_autofree char *most = cli_duration(most_ms / 1000);
	cli_fail(EX_USAGE, "--for %s: that is more than pause-max allows (%s)", text, most);
	return -1;
}

#define TAKEN_UP_US (5 * G_USEC_PER_SEC)

/* missentd looks once a second: what is said to be so is so.  `ends`: when the pause does, in
 * seconds since 1970; 0: there is none.  False: missentd is at work, and has not taken it up. */
static bool is_taken_up(const MsSettings *s, guint64 ends)
{
	gint64 last = g_get_monotonic_time() + TAKEN_UP_US;
	MsNumbersView view;
	while (ms_numbers_kept(s->numbers_file)) {
		bool over = ends > 0 && g_get_real_time() >= (gint64)ends * G_USEC_PER_SEC;
		if (over ||
			(ms_numbers_read(s->numbers_file, &view, NULL) &&
				view.value[MS_NUM_PAUSE_ENDS] == ends))
			return true;
		if (g_get_monotonic_time() > last)
			return false;
		g_usleep(50 * 1000);
	}
	return true; /* there is nobody yet */
}

static int tell_not_taken_up(void)
{
	return cli_fail(EX_TEMPFAIL,
		"missentd has not taken this up in %d s: see missent status and its log",
		(int)(TAKEN_UP_US / G_USEC_PER_SEC));
}

static int begin(const MsSettings *s, gint64 ms, const char *why)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsAudit) audit = ms_audit_new(s->audit_file);
	gint64 now = g_get_real_time();
	MsPause pause = {now, now + ms * 1000, (char *)cli_who(), (char *)why};
	g_autofree char *words = ms_pause_words(&pause);
	g_autofree char *length = cli_duration(ms / 1000);
	g_autofree char *detail = g_strdup_printf("for %s: %s", length, why);
	if (!ms_audit_event(audit, pause.who, "shell", MS_EVENT_PAUSE, "", detail, &error)
		|| !ms_pause_begin(s->state_dir, &pause, &error))
		return cli_fail_error(error);
	if (!is_taken_up(s, (guint64)ms_pause_until(&pause)))
		return tell_not_taken_up();
	printf("%s.\nIt ends by itself; missent resume ends it now.  Mail that was held stays held.\n",
		words);
	return EX_OK;
}

int cmd_pause(Cli *cli, int argc, char **argv)
{
	g_autofree char *length = NULL, *why = NULL;
	const GOptionEntry options[] = {
		{"for", 0, 0, G_OPTION_ARG_STRING, &length, "how long (pause-max at most)", "TIME"},
		{"why", 0, 0, G_OPTION_ARG_STRING, &why, "the reason, for the record", "TEXT"},
		{NULL},
	};
	g_autoptr(GError) error = NULL;
	if (!cli_options(options, "- let mail through as observed, for a while", &argc, &argv))
		return EX_USAGE;
	if (argc > 1 || length == NULL || why == NULL || *g_strstrip(why) == '\0')
		return cli_fail(EX_USAGE, "usage: missent pause --for 30m --why TEXT");
	if (strlen(why) > MS_PAUSE_WHY)
		return cli_fail(EX_USAGE, "--why: at most %d bytes", MS_PAUSE_WHY);
	g_autoptr(MsSettings) s = ms_settings_load_public(cli->config, &error);
	if (s == NULL)
		return cli_fail_error(error);
	gint64 ms = take_time(length, s->pause_ms);
	return ms > 0 ? begin(s, ms, why) : EX_USAGE;
}

int cmd_resume(Cli *cli, int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	g_auto(MsPause) pause = {0};
	if (!cli_options(NULL, "- end a pause", &argc, &argv))
		return EX_USAGE;
	if (argc > 1)
		return cli_fail(EX_USAGE, "usage: missent resume");
	g_autoptr(MsSettings) s = ms_settings_load_public(cli->config, &error);
	if (s == NULL)
		return cli_fail_error(error);
	bool paused = ms_pause_read(s->state_dir, s->pause_ms, g_get_real_time(), &pause, NULL) ==
		MS_FOUND;
	MsAnswer answer = ms_pause_end(s->state_dir, &error);
	if (answer == MS_RETRY)
		return cli_fail_error(error);
	if (!paused) {
		printf("missent is not paused.\n");
		return EX_OK;
	}
	/* It is over, whether or not that can be written down; missentd writes a line too. */
	g_autoptr(MsAudit) audit = ms_audit_new(s->audit_file);
	if (!ms_audit_event(audit, cli_who(), "shell", MS_EVENT_RESUME, "", "", &error))
		return cli_fail_error(error);
	if (!is_taken_up(s, 0))
		return tell_not_taken_up();
	printf("Mail is judged as before.\n");
	return EX_OK;
}
