#include "config.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include "missent/accounts.h"
#include "missent/answer.h"
#include "missent/digest.h"
#include "missent/io.h"

#include "cli.h"

/* Who may use the review page. */

/* The page's own folder, and so everything in it, is the page's user's. */
static bool make_folder(const MsSettings *s, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(s->review.accounts_file);
	bool fresh = !g_file_test(folder, G_FILE_TEST_IS_DIR);
	const struct passwd *user =
		getpwnam(s->review.user != NULL ? s->review.user : "missent-review");
	if (g_mkdir_with_parents(folder, 0750) == 0
		&& (!fresh || geteuid() != 0 || user == NULL || chown(folder, user->pw_uid, user->pw_gid) == 0))
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "%s: %s", folder, g_strerror(errno));
	return false;
}

static MsAccounts *open_accounts(Cli *cli, int *rc)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsSettings) settings = ms_settings_load(cli->config, &error);
	MsAccounts *accounts = NULL;
	if (settings != NULL && make_folder(settings, &error))
		accounts = ms_accounts_open(settings->review.accounts_file, &error);
	if (accounts == NULL)
		*rc = cli_fail_error(error);
	return accounts;
}

/* From the terminal without showing it, or the first line of standard input. */
static char *read_password(const char *prompt)
{
	struct termios shown, hidden;
	bool terminal = tcgetattr(STDIN_FILENO, &shown) == 0;
	if (terminal) {
		fprintf(stderr, "%s: ", prompt);
		hidden = shown;
		hidden.c_lflag &= (tcflag_t)~ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	}
	char line[2000] = "";
	bool got = fgets(line, sizeof line, stdin) != NULL;
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
		fputc('\n', stderr);
	}
	line[strcspn(line, "\n")] = '\0';
	return got ? g_strdup(line) : NULL;
}

static char *new_password(void)
{
	g_autofree char *first = read_password("password");
	if (first == NULL || !isatty(STDIN_FILENO))
		return g_steal_pointer(&first);
	g_autofree char *second = read_password("again");
	return g_strcmp0(first, second) == 0 ? g_steal_pointer(&first) : NULL;
}

static int role_of(const char *name)
{
	for (int i = 0; name != NULL && i < MS_N_ROLES; i++)
		if (strcmp(ms_role_names[i], name) == 0)
			return i;
	return name == NULL ? MS_ROLE_REVIEWER : -1;
}

static int do_adduser(Cli *cli, int argc, char **argv)
{
	g_autofree char *role = NULL;
	gboolean download = FALSE, disabled = FALSE, keep = FALSE;
	const GOptionEntry entries[] = {
		{"role", 0, 0, G_OPTION_ARG_STRING, &role, "viewer, reviewer (default) or administrator", "ROLE"},
		{"download", 0, 0, G_OPTION_ARG_NONE, &download, "may download attached files", NULL},
		{"disabled", 0, 0, G_OPTION_ARG_NONE, &disabled, "may not log in", NULL},
		{"no-password", 0, 0, G_OPTION_ARG_NONE, &keep, "ask for none: keep the one there is; a new account "
			"is for use behind a trusted proxy", NULL},
		G_OPTION_ENTRY_NULL,
	};
	int rc = EX_USAGE;
	if (!cli_options(entries, "NAME - add an account, or change it; the password is asked for", &argc, &argv))
		return rc;
	if (argc != 2 || role_of(role) < 0)
		return cli_fail(EX_USAGE, argc != 2 ? "review adduser: which name?"
						    : "--role is viewer, reviewer or administrator");
	g_autoptr(MsAccounts) accounts = open_accounts(cli, &rc);
	g_autofree char *password = accounts != NULL && !keep ? new_password() : NULL;
	if (accounts == NULL)
		return rc;
	if (!keep && password == NULL)
		return cli_fail(EX_DATAERR, "no password was given, or not the same twice");
	MsAccount account = {argv[1], (MsRole)role_of(role), download, disabled, 0};
	g_autoptr(GError) error = NULL;
	if (!ms_accounts_put(accounts, &account, password, &error))
		return cli_fail_error(error);
	printf("%s: %s\n", argv[1], ms_role_names[account.role]);
	return 0;
}

static int do_deluser(Cli *cli, int argc, char **argv)
{
	int rc = EX_USAGE;
	if (!cli_options(NULL, "NAME - remove an account; its sessions end", &argc, &argv))
		return rc;
	if (argc != 2)
		return cli_fail(EX_USAGE, "review deluser: which name?");
	g_autoptr(MsAccounts) accounts = open_accounts(cli, &rc);
	g_autoptr(GError) error = NULL;
	g_autoptr(MsAccount) account = accounts != NULL ? ms_accounts_find(accounts, argv[1], &error) : NULL;
	if (account == NULL)
		return accounts == NULL ? rc
			: error != NULL ? cli_fail_error(error)
					: cli_fail(EX_DATAERR, "there is no account \"%s\"", argv[1]);
	return ms_accounts_delete(accounts, argv[1], &error) ? 0 : cli_fail_error(error);
}

static int do_users(Cli *cli, int argc, char **argv)
{
	int rc = EX_USAGE;
	if (!cli_options(NULL, "- accounts of the review page", &argc, &argv))
		return rc;
	g_autoptr(GError) error = NULL;
	g_autoptr(MsAccounts) accounts = open_accounts(cli, &rc);
	g_autoptr(GPtrArray) list = accounts != NULL ? ms_accounts_list(accounts, &error) : NULL;
	if (list == NULL)
		return accounts == NULL ? rc : cli_fail_error(error);
	for (guint i = 0; i < list->len; i++) {
		const MsAccount *a = list->pdata[i];
		g_autofree char *seen = a->seen > 0 ? cli_time(a->seen) : g_strdup("never");
		printf("%-20s %-14s %s%slast log-in %s\n", a->name, ms_role_names[a->role],
			a->download ? "download, " : "", a->disabled ? "disabled, " : "", seen);
	}
	return 0;
}

/* What hosts and page share, where records of several hosts are on one page. */
static int do_key(Cli *cli, int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	if (!cli_options(NULL, "FILE - make the key that hosts and page share", &argc, &argv))
		return EX_USAGE;
	if (argc != 2)
		return cli_fail(EX_USAGE, "review key: which file?");
	/* The page's user is in the group of the agent's. */
	g_autoptr(MsSettings) settings = ms_settings_load_public(cli->config, &error);
	if (settings == NULL || !ms_key_create(argv[1], &error)
		|| !ms_io_give_to(argv[1], settings->user, true, &error))
		return cli_fail_error(error);
	printf("%s: made; copy it to every host, readable for the group of missent alone\n", argv[1]);
	return 0;
}

static const CliVerb verbs[] = {
	{"adduser", do_adduser, "NAME   add an account, or change it (--role, --download)"},
	{"deluser", do_deluser, "NAME   remove an account"},
	{"users", do_users, "       list accounts"},
	{"key", do_key, "FILE   make the key that several hosts and the page share"},
	{NULL, NULL, NULL},
};

int cmd_review(Cli *cli, int argc, char **argv)
{
	return cli_dispatch(cli, verbs, "missent review VERB ...", argc, argv);
}
