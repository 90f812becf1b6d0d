#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "missent/answer.h"

#include "cli.h"

/* missent directory verify: is all of the mapping in use what it should be?  One thread. */

#define MAX_COMPLAINTS 100

typedef struct {
	const char *name; /* of the file that it is compared with */
	guint64 complaints;
} Found;

static void complain(Found *found, const char *text)
{
	if (++found->complaints <= MAX_COMPLAINTS)
		puts(text);
	else if (found->complaints == MAX_COMPLAINTS + 1)
		puts("... more follow; they are counted only");
}

static void on_wrong(const char *part, const char *why, void *user)
{
	g_autofree char *text = g_strdup_printf("%s %s", part, why);
	complain(user, text);
}

static void on_line(guint64 line, const char *why, void *user)
{
	Found *found = user;
	g_autofree char *text = g_strdup_printf(
		"%s:%" G_GUINT64_FORMAT ": %s", found->name, line, why);
	complain(found, text);
}

static int whole(CliSession *session, Found *found)
{
	g_autoptr(GError) error = NULL;
	MsVerified v;
	if (ms_directory_verify(session->directory, on_wrong, NULL, found, &v, &error) != MS_FOUND)
		return cli_fail_error(error);
	printf("mapping %s: %" G_GINT64_FORMAT " parts, %" G_GINT64_FORMAT
	       " entries, %" G_GINT64_FORMAT " other forms; %" G_GINT64_FORMAT " wrong\n",
		v.state.generation, v.parts, v.entries, v.other_forms, v.wrong);
	int rc = v.wrong > 0;
	ms_verified_clear(&v);
	return rc;
}

static int compare(CliSession *session, const char *path, const MsTableForm *form, Found *found)
{
	g_autoptr(GError) error = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return cli_fail(EX_NOINPUT, "%s: %s", path, g_strerror(errno));
	guint64 right = 0;
	found->complaints = 0;
	MsAnswer answer = ms_directory_compare(
		session->directory, fd, form, on_line, found, &right, &error);
	close(fd);
	if (answer != MS_FOUND)
		return cli_fail_error(error);
	printf("%s: %" G_GUINT64_FORMAT " row%s in the mapping, %" G_GUINT64_FORMAT " %s not\n",
		path, right, right == 1 ? " is" : "s are", found->complaints,
		found->complaints == 1 ? "is" : "are");
	return found->complaints > 0;
}

int cli_verify(Cli *cli, int argc, char **argv)
{
	g_autofree char *against = NULL;
	g_auto(CliForm) form = {0};
	const GOptionEntry entries[] = {
		CLI_FORM_OPTIONS(form),
		{"against", 0, 0, G_OPTION_ARG_FILENAME, &against,
			"each row of this file must be in it", "FILE.csv"},
		G_OPTION_ENTRY_NULL,
	};
	if (!cli_options(entries, "- is all of the mapping what it should be? exit 0: yes, 1: no",
		    &argc, &argv))
		return EX_USAGE;
	if (argc != 1)
		return cli_fail(EX_USAGE, "directory verify: takes no arguments");
	if (!cli_form_has_file(&form, against != NULL, "--against FILE.csv"))
		return EX_USAGE;
	MsTableForm table;
	int rc = cli_form(&form, &table);
	if (rc != 0)
		return rc;
	CliSession session = {0};
	rc = cli_begin(&session, cli);
	Found found = {against, 0};
	if (rc == 0)
		rc = whole(&session, &found);
	if (rc == 0 && against != NULL)
		rc = compare(&session, against, &table, &found);
	cli_end(&session);
	return rc;
}
