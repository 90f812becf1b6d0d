/*
 * missent directory verify: is all of the mapping in use what it should be?  One thread.
 */
#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "missent/answer.h"

#include "cli.h"

#define MAX_COMPLAINTS 100

typedef struct {
	const char *name; /* of the file that it is compared with */
	guint64 complaints;
	json_t *list; /* what is wrong; NULL: it is printed */
} Found;

static bool is_told(Found *found)
{
	if (++found->complaints == MAX_COMPLAINTS + 1 && found->list == NULL)
		puts("... more follow; they are counted only");
	return found->complaints <= MAX_COMPLAINTS;
}

static void on_wrong(const char *part, const char *why, void *user)
{
	Found *found = user;
	if (!is_told(found))
		return;
	if (found->list != NULL)
		json_array_append_new(
			found->list, json_pack("{s:s, s:s}", "part", part, "why", why));
	else
		printf("%s %s\n", part, why);
}

static void on_line(guint64 line, const char *why, void *user)
{
	Found *found = user;
	if (!is_told(found))
		return;
	if (found->list != NULL)
		json_array_append_new(
			found->list, json_pack("{s:I, s:s}", "line", (json_int_t)line, "why", why));
	else
		printf("%s:%" G_GUINT64_FORMAT ": %s\n", found->name, line, why);
}

static void set_json(json_t *all, json_t *more)
{
	json_object_update(all, more);
	json_decref(more);
}

/* What could not be looked at is told as an error, and is no JSON. */
static void print_or_drop(json_t *all, json_t *complaints, int rc)
{
	if (all == NULL)
		return;
	json_object_set_new(all, "exit", json_integer(rc));
	json_object_set_new(all, "complaints", complaints);
	if (rc <= 1)
		cli_print_json(all);
	else
		json_decref(all);
}

/* `all`: said there; NULL: printed. */
static int whole(CliSession *session, Found *found, json_t *all)
{
	g_autoptr(GError) error = NULL;
	MsVerified v;
	if (ms_directory_verify(session->directory, on_wrong, found, &v, &error) != MS_FOUND)
		return cli_fail_error(error);
	if (all != NULL)
		set_json(all,
			json_pack("{s:s, s:I, s:I, s:I, s:I}", "generation", v.state.generation,
				"parts", (json_int_t)v.parts, "entries", (json_int_t)v.entries,
				"other_forms", (json_int_t)v.other_forms, "wrong",
				(json_int_t)v.wrong));
	else
		printf("mapping %s: %" G_GINT64_FORMAT " parts, %" G_GINT64_FORMAT
		       " entries, %" G_GINT64_FORMAT " other forms; %" G_GINT64_FORMAT " wrong\n",
			v.state.generation, v.parts, v.entries, v.other_forms, v.wrong);
	int rc = v.wrong > 0;
	ms_verified_clear(&v);
	return rc;
}

static int compare(
	CliSession *session, const char *path, const MsTableForm *form, Found *found, json_t *all)
{
	g_autoptr(GError) error = NULL;
	int fd, rc = cli_open(path, &fd);
	if (rc != 0)
		return rc;
	guint64 right = 0;
	found->complaints = 0;
	MsAnswer answer = ms_directory_compare(
		session->directory, fd, form, on_line, found, &right, &error);
	close(fd);
	if (answer != MS_FOUND)
		return cli_fail_file(error, path);
	if (right == 0 && found->complaints == 0)
		return cli_fail(EX_DATAERR, "%s: it has no rows, so nothing was compared", path);
	if (all != NULL)
		set_json(all,
			json_pack("{s:I, s:I}", "rows_right", (json_int_t)right, "rows_wrong",
				(json_int_t)found->complaints));
	else
		printf("%s: %" G_GUINT64_FORMAT " row%s in the mapping, %" G_GUINT64_FORMAT
		       " %s not\n",
			path, right, right == 1 ? " is" : "s are", found->complaints,
			found->complaints == 1 ? "is" : "are");
	return found->complaints > 0;
}

int cli_verify(Cli *cli, int argc, char **argv)
{
	g_autofree char *against = NULL;
	gboolean as_json = FALSE;
	g_auto(CliForm) form = {0};
	const GOptionEntry entries[] = {
		CLI_FORM_OPTIONS(form),
		{"against", 0, 0, G_OPTION_ARG_FILENAME, &against,
			"each row of this file must be in it", "FILE.csv"},
		{"json", 0, 0, G_OPTION_ARG_NONE, &as_json, "as JSON", NULL},
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
	json_t *all = as_json ? json_object() : NULL;
	Found found = {.name = against, .list = as_json ? json_array() : NULL};
	if (rc == 0)
		rc = whole(&session, &found, all);
	if (rc == 0 && against != NULL)
		rc = compare(&session, against, &table, &found, all);
	print_or_drop(all, found.list, rc);
	cli_end(&session);
	return rc;
}
