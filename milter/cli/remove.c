/*
 * missent directory remove ACCOUNT: what the mapping says of it is shown; asked, and on record, it
 * goes.  One thread.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/identifier.h"

#include "cli.h"

typedef struct {
	const char *account, *why;
	gboolean dry, yes;
} Options;

static void print_row(const char *account, const char *kind, const char *value, void *user)
{
	(void)account;
	(void)user;
	g_autofree char *first = cli_cell(kind, 22), *second = cli_cell(value, 0);
	printf("%s  %s\n", first, second);
}

static void print_accounts(const char *what, const GPtrArray *accounts)
{
	guint nameless = 0;
	for (guint i = 0; i < accounts->len; i++) {
		const char *name = accounts->pdata[i];
		nameless += *name == '\0';
		if (*name != '\0')
			print_row(NULL, what, name, NULL);
	}
	g_autofree char *rest = g_strdup_printf("%u of which nothing else is known", nameless);
	if (nameless > 0)
		print_row(NULL, what, rest, NULL);
}

/* What it is about, for a person and for the trail; the caller's. */
static char *counted(const MsAccountEntries *e)
{
	return g_strdup_printf("%" G_GINT64_FORMAT " of its own (identifiers, recipients, names), "
			       "receives for %u, received for by %u",
		e->own, e->receives_for->len, e->received_by->len);
}

static void show(const CliSession *session, const MsAccountEntries *e)
{
	if (session->settings->digests && e->own > 0) {
		g_autofree char *many = g_strdup_printf("%" G_GINT64_FORMAT
			" (identifiers, recipients and names, stored as digests)", e->own);
		print_row(NULL, "its own", many, NULL);
	}
	print_accounts("receives for", e->receives_for);
	print_accounts("received for by", e->received_by);
}

/* Would nothing be left? */
static bool is_all(const CliSession *session, const MsAccountEntries *e)
{
	MsDirectoryState state = {0};
	bool all = ms_directory_state(session->directory, &state, NULL) == MS_FOUND &&
		state.entries <= e->own + e->receives_for->len + e->received_by->len;
	ms_directory_state_clear(&state);
	return all;
}

static int is_sure(const Options *o)
{
	if (o->yes)
		return 0;
	if (!isatty(STDIN_FILENO))
		return cli_fail(EX_USAGE, "directory remove: nothing was changed; add --yes");
	printf("take all of account \"%s\" out of the mapping? [y/N] ", o->account);
	fflush(stdout);
	int answer = getchar();
	return answer == 'y' || answer == 'Y' ? 0 : cli_fail(1, "nothing was changed");
}

static bool note(const CliSession *session, const Options *o, const MsAccountEntries *e,
	bool failed, GError **error)
{
	g_autofree char *about = ms_directory_told_account(session->directory, o->account);
	g_autofree char *masked = ms_identifier_masked(o->account), *many = counted(e);
	g_autofree char *detail = g_strdup_printf(
		"%s%s: %s: %s", failed ? "failed: " : "", masked, many, o->why);
	return cli_note(session, MS_EVENT_ACCOUNT_REMOVED, about, detail, error);
}

/* The house may receive for it, which its file would bring back with the next import. */
static void keep_house(const CliSession *session, const Options *o, const MsAccountEntries *e)
{
	g_autoptr(GError) error = NULL;
	bool changed;
	if (g_ptr_array_find_with_equal_func(
		    e->received_by, session->settings->house, g_str_equal, NULL) &&
		!ms_directory_change_house(session->directory, true, MS_ROW_RECEIVES_FOR,
			o->account, &changed, &error))
		cli_fail(0, "the next import has \"%s\" again: %s", o->account, error->message);
}

static int carry_out(CliSession *session, const Options *o, const MsAccountEntries *e)
{
	g_autoptr(GError) error = NULL;
	gint64 removed = 0;
	if (!note(session, o, e, false, &error))
		return cli_fail_error(error);
	MsAnswer answer =
		ms_directory_remove_account(session->directory, o->account, &removed, &error);
	if (answer != MS_FOUND && answer != MS_ABSENT) {
		note(session, o, e, true, NULL);
		return cli_fail_error(error);
	}
	keep_house(session, o, e);
	printf("removed: %" G_GINT64_FORMAT " entr%s (until the next import, which replaces the mapping)\n",
		removed, removed == 1 ? "y" : "ies");
	return 0;
}

static int remove_account(CliSession *session, const Options *o)
{
	if (strcmp(o->account, session->settings->house) == 0)
		return cli_fail(EX_DATAERR,
			"directory remove: \"%s\" is what is your own, which is in nearly every "
			"mail: take its entries out one by one (missent directory delete)",
			o->account);
	g_autoptr(GError) error = NULL;
	g_auto(MsAccountEntries) entries = {0};
	MsAnswer answer = ms_directory_account_entries(
		session->directory, o->account, print_row, NULL, &entries, &error);
	if (answer == MS_ABSENT) {
		g_autofree char *near = cli_no_account(session, o->account);
		return cli_fail(1, "the directory knows no account \"%s\"%s", o->account,
			near != NULL ? near : "");
	}
	if (answer != MS_FOUND)
		return cli_fail_error(error);
	show(session, &entries);
	if (o->dry) {
		g_autofree char *many = counted(&entries);
		printf("%s would go; nothing was changed (--dry-run)\n", many);
		fflush(stdout);
		return is_all(session, &entries)
			? cli_fail(EX_DATAERR, "directory remove: that is all that the mapping has: "
					       "it would be refused")
			: 0;
	}
	fflush(stdout);
	int rc = is_sure(o);
	return rc == 0 ? carry_out(session, o, &entries) : rc;
}

int cli_remove(Cli *cli, int argc, char **argv)
{
	g_autofree char *why = NULL;
	Options o = {0};
	const GOptionEntry entries[] = {
		{"dry-run", 'n', 0, G_OPTION_ARG_NONE, &o.dry, "show what would go, and change nothing",
			NULL},
		{"why", 0, 0, G_OPTION_ARG_STRING, &why, "the reason, for the trail", "TEXT"},
		{"yes", 0, 0, G_OPTION_ARG_NONE, &o.yes, "do not ask", NULL},
		G_OPTION_ENTRY_NULL,
	};
	if (!cli_options(entries, "ACCOUNT - take all of an account out of the mapping", &argc,
		    &argv))
		return EX_USAGE;
	if (argc != 2 || *g_strstrip(argv[1]) == '\0' ||
		(!o.dry && (why == NULL || *g_strstrip(why) == '\0')))
		return cli_fail(EX_USAGE, "usage: missent directory remove [-n] --why TEXT [--yes] ACCOUNT");
	o.account = argv[1];
	o.why = why;
	CliSession session = {0};
	int rc = cli_begin(&session, cli);
	if (rc == 0)
		rc = remove_account(&session, &o);
	cli_end(&session);
	return rc;
}
