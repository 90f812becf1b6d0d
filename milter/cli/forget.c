/*
 * missent forget ACCOUNT: records of it that are decided, and what the guard remembers of it, go;
 * the trail says so before it is done.  The mapping is another's to change.  One thread.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "missent/answer.h"
#include "missent/audit.h"
#include "missent/identifier.h"
#include "missent/ledger.h"

#include "cli.h"

/* Is any of it held still?  Mail is not lost for that: somebody decides of it first. */
static int refuse_open(const char *account, gint64 open)
{
	return cli_fail(EX_TEMPFAIL,
		"%" G_GINT64_FORMAT
		" message%s that concern%s %s %s held, or being decided of: decide first "
		"(missent held list --account %s); nothing was forgotten",
		open, CLI_S(open), open == 1 ? "s" : "", account, open == 1 ? "is" : "are", account);
}

static bool is_told(const MsSettings *s, const char *account, const char *why, GError **error)
{
	g_autoptr(MsAudit) audit = ms_audit_new(s->audit_file);
	g_autofree char *masked = ms_identifier_masked(account);
	g_autofree char *detail = g_strdup_printf("%s: %s", masked, why);
	return ms_audit_event(audit, cli_who(), "shell", MS_EVENT_FORGOTTEN, "", detail, error);
}

/* A name that was mistyped must not look as if it were done. */
static int nothing_known(Cli *cli, const char *account)
{
	CliSession session = {0};
	g_autofree char *none = cli_begin(&session, cli) == 0
		? cli_no_account(&session, account)
		: NULL;
	cli_end(&session);
	return cli_fail(1, "nothing was known of \"%s\": no record that is decided, nothing of the guard's%s%s",
		account, none != NULL ? "; nor is it an account that the directory knows" : "",
		none != NULL ? none : "");
}

static int forget(Cli *cli, const MsSettings *s, const char *account, const char *why)
{
	g_autoptr(GError) error = NULL;
	guint values = 0;
	/* All that may refuse comes before the line in the trail. */
	g_autoptr(MsGuard) guard = ms_engine_open_guard(s, &error);
	g_autoptr(MsLedger) ledger = error == NULL ? ms_engine_open_records(s, &error) : NULL;
	gint64 open = ledger != NULL ? ms_records_open_of(ledger, account, &error) : -1;
	if (open > 0)
		return refuse_open(account, open);
	if (open < 0 || !is_told(s, account, why, &error))
		return cli_fail_error(error);
	gint64 records = ms_records_forget_account(ledger, account, &error);
	if (records < 0)
		return cli_fail_error(error);
	if (guard != NULL &&
		ms_guard_forget(guard, account, g_get_real_time() / G_USEC_PER_SEC, &values,
			&error) != MS_FOUND)
		return cli_fail_error(error);
	if (records == 0 && values == 0)
		return nothing_known(cli, account);
	printf("forgotten: %" G_GINT64_FORMAT " record%s, %u value%s of the guard\n", records,
		CLI_S(records), values, CLI_S(values));
	return EX_OK;
}

int cmd_forget(Cli *cli, int argc, char **argv)
{
	g_autofree char *why = NULL;
	const GOptionEntry options[] = {
		{"why", 0, 0, G_OPTION_ARG_STRING, &why, "the reason, for the trail", "TEXT"},
		{NULL},
	};
	g_autoptr(GError) error = NULL;
	if (!cli_options(options, "ACCOUNT - forget an account in the records and in the guard",
		    &argc, &argv))
		return EX_USAGE;
	if (argc != 2 || *g_strstrip(argv[1]) == '\0' || why == NULL || *g_strstrip(why) == '\0')
		return cli_fail(EX_USAGE, "usage: missent forget ACCOUNT --why TEXT");
	g_autoptr(MsSettings) s = ms_settings_load(cli->config, &error);
	return s != NULL ? forget(cli, s, argv[1], why) : cli_fail_error(error);
}
