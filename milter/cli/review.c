/*
 * Who may use the review page and its API: names and roles come in, the agent's file of accounts
 * is changed, whether the agent runs or not.  The tool's one thread.
 */
#include "config.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include "missent/accounts.h"
#include "missent/answer.h"
#include "missent/audit.h"
#include "missent/digest.h"
#include "missent/io.h"
#include "missent/text.h"

#include "cli.h"

/* What a version before kept in the page's folder. */
static char *old_file(const MsSettings *s)
{
	return g_build_filename(s->state_dir, "review", "accounts.db", NULL);
}

static void remove_database(const char *path)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
		g_autofree char *file = g_strconcat(path, ends[i], NULL);
		g_unlink(file);
	}
}

static bool give_to_agent(const MsSettings *s, const char *path, GError **error)
{
	const struct passwd *user = geteuid() == 0 && s->user != NULL ? getpwnam(s->user) : NULL;
	if (user == NULL || lchown(path, user->pw_uid, user->pw_gid) == 0)
		return true;
	return ms_io_fail(error, path, errno);
}

/* Accounts become the agent's; nothing to do where they are. */
static bool migrate(const MsSettings *s, bool *done_out, GError **error)
{
	g_autofree char *old = old_file(s);
	const char *path = s->review.accounts_file;
	*done_out = false;
	if (g_file_test(path, G_FILE_TEST_EXISTS) || !g_file_test(old, G_FILE_TEST_IS_REGULAR) ||
		strcmp(path, old) == 0)
		return true;
	if (!ms_accounts_folder(path, s->user, error) || !ms_accounts_adopt(old, path, error)
		|| !give_to_agent(s, path, error))
		return false;
	remove_database(old);
	*done_out = true;
	return true;
}

static MsAccounts *open_with(const MsSettings *s, GError **error)
{
	bool done;
	return migrate(s, &done, error) &&
			ms_accounts_folder(s->review.accounts_file, s->user, error)
		? ms_accounts_open(s->review.accounts_file, &s->desk.people, error)
		: NULL;
}

/* On the agent's trail, before it is done. */
static bool note(Cli *cli, MsEvent event, const char *about, GError **error)
{
	g_autoptr(MsSettings) settings = ms_settings_load_public(cli->config, error);
	MsAudit *audit = settings != NULL ? ms_audit_new(settings->audit_file) : NULL;
	bool fine = audit != NULL && ms_audit_event(audit, cli_who(), NULL, event, "", about, error);
	ms_audit_free(audit);
	return fine;
}

static MsAccounts *open_accounts(Cli *cli, int *rc)
{
	g_autoptr(GError) error = NULL;
	/* Its names are kept by the accounts themselves. */
	g_autoptr(MsSettings) settings = ms_settings_load_public(cli->config, &error);
	MsAccounts *accounts = settings != NULL ? open_with(settings, &error) : NULL;
	if (accounts == NULL)
		*rc = cli_fail_error(error);
	return accounts;
}

static volatile sig_atomic_t interrupted; /* by that signal; 0: by none */

static void on_interrupt(int signal)
{
	interrupted = signal;
}

/* A terminal that shows nothing shows all again, also where somebody thinks better of it. */
static bool read_hidden(char *line, int size)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	const struct sigaction note = {.sa_handler = on_interrupt}; /* waiting ends with it */
	struct sigaction before[G_N_ELEMENTS(ends)];
	struct termios shown, hidden;
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	sigset_t blocked, mask;
	sigemptyset(&blocked);
	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++)
		sigaddset(&blocked, ends[i]);
	sigprocmask(SIG_BLOCK, &blocked, &mask); /* they come while it is waited, and not before */
	tcgetattr(STDIN_FILENO, &shown);
	hidden = shown;
	hidden.c_lflag &= (tcflag_t)~ECHO;
	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++)
		sigaction(ends[i], &note, &before[i]);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	bool got = ppoll(&input, 1, NULL, &mask) > 0 && fgets(line, size, stdin) != NULL;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++)
		sigaction(ends[i], &before[i], NULL);
	fputc('\n', stderr);
	if (interrupted != 0)
		raise(interrupted);
	return got;
}

/* From the terminal without showing it, or the first line of standard input. */
static char *read_password(const char *prompt)
{
	char line[2000] = "";
	bool terminal = isatty(STDIN_FILENO);
	if (terminal)
		fprintf(stderr, "%s: ", prompt);
	bool got = terminal ? read_hidden(line, sizeof line)
			    : fgets(line, sizeof line, stdin) != NULL;
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

static int wrong_role(const char *role)
{
	return cli_fail_none_of("--role", role, ms_role_names);
}

/* Somebody's account was set anew, whether that was meant or not. */
static void tell_before(const MsAccount *before, bool password)
{
	fflush(stdout);
	cli_fail(0, "account \"%s\" was there already, %s%s%s: it is set anew%s (missent review moduser changes what it is told alone)",
		before->name, ms_role_names[before->role],
		before->download ? ", may download" : "", before->disabled ? ", disabled" : "",
		password ? ", with its password" : "");
}

static int do_adduser(Cli *cli, int argc, char **argv)
{
	g_autofree char *role = NULL;
	gboolean download = FALSE, disabled = FALSE, keep = FALSE;
	const GOptionEntry entries[] = {
		{"role", 0, 0, G_OPTION_ARG_STRING, &role,
			"viewer, reviewer (default) or administrator", "ROLE"},
		{"download", 0, 0, G_OPTION_ARG_NONE, &download, "may download attached files",
			NULL},
		{"disabled", 0, 0, G_OPTION_ARG_NONE, &disabled, "may not log in", NULL},
		{"no-password", 0, 0, G_OPTION_ARG_NONE, &keep,
			"ask for none: keep what there is; a new account needs a trusted proxy",
			NULL},
		G_OPTION_ENTRY_NULL,
	};
	int rc = EX_USAGE;
	if (!cli_options(entries, "NAME - add an account, or change it; the password is asked for",
		    &argc, &argv))
		return rc;
	int kind = role != NULL ? ms_role_of(role) : MS_ROLE_REVIEWER;
	if (argc != 2)
		return cli_fail(EX_USAGE, "review adduser: which name?");
	if (kind < 0)
		return wrong_role(role);
	g_autoptr(MsAccounts) accounts = open_accounts(cli, &rc);
	g_autofree char *password = accounts != NULL && !keep ? new_password() : NULL;
	if (accounts == NULL)
		return rc;
	if (!keep && password == NULL)
		return cli_fail(EX_DATAERR, "no password was given, or not the same twice");
	MsAccount account = {
		.name = argv[1], .role = (MsRole)kind, .download = download, .disabled = disabled};
	g_autoptr(GError) error = NULL;
	g_autoptr(MsAccount) before = ms_accounts_find(accounts, account.name, NULL);
	if (!note(cli, MS_EVENT_ACCOUNT, account.name, &error) ||
		!ms_accounts_put(accounts, &account, password, &error))
		return cli_fail_error(error);
	printf("%s: %s\n", argv[1], ms_role_names[account.role]);
	if (before != NULL)
		tell_before(before, password != NULL);
	return 0;
}

static int no_account(MsAccounts *accounts, const char *name)
{
	g_autoptr(GPtrArray) list = ms_accounts_list(accounts, NULL), names = g_ptr_array_new();
	for (guint i = 0; list != NULL && i < list->len; i++)
		g_ptr_array_add(names, ((MsAccount *)list->pdata[i])->name);
	g_ptr_array_add(names, NULL);
	const char *near = ms_text_nearest(name, (const char *const *)names->pdata);
	return cli_fail(EX_DATAERR, "there is no account \"%s\"%s%s%s", name,
		near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
		near != NULL ? "\"?" : "");
}

/* The account, or NULL after it was said that there is none. */
static MsAccount *find(MsAccounts *accounts, const char *name, int *rc)
{
	g_autoptr(GError) error = NULL;
	MsAccount *account = ms_accounts_find(accounts, name, &error);
	if (account == NULL)
		*rc = error != NULL ? cli_fail_error(error)
				    : no_account(accounts, name);
	return account;
}

/* Opens the accounts for a verb with one name; NULL: `*rc`. */
static MsAccounts *open_for(Cli *cli, const char *verb, const GOptionEntry *entries,
	const char *help, int *argc, char ***argv, int *rc)
{
	*rc = EX_USAGE;
	if (!cli_options(entries, help, argc, argv))
		return NULL;
	if (*argc == 2)
		return open_accounts(cli, rc);
	cli_fail(EX_USAGE, "review %s: which name?", verb);
	return NULL;
}

static int do_moduser(Cli *cli, int argc, char **argv)
{
	g_autofree char *role = NULL;
	gboolean download = FALSE, no_download = FALSE, disable = FALSE, enable = FALSE;
	const GOptionEntry entries[] = {
		{"role", 0, 0, G_OPTION_ARG_STRING, &role, "viewer, reviewer or administrator",
			"ROLE"},
		{"download", 0, 0, G_OPTION_ARG_NONE, &download, "may download attached files",
			NULL},
		{"no-download", 0, 0, G_OPTION_ARG_NONE, &no_download, "may not", NULL},
		{"disable", 0, 0, G_OPTION_ARG_NONE, &disable, "may not log in", NULL},
		{"enable", 0, 0, G_OPTION_ARG_NONE, &enable, "may again", NULL},
		G_OPTION_ENTRY_NULL,
	};
	int rc;
	g_autoptr(GError) error = NULL;
	g_autoptr(MsAccounts) accounts = open_for(cli, "moduser", entries,
		"NAME - change what is given of an account", &argc, &argv, &rc);
	if (accounts == NULL)
		return rc;
	if (role != NULL && ms_role_of(role) < 0)
		return wrong_role(role);
	if (role == NULL && !download && !no_download && !disable && !enable)
		return cli_fail(EX_USAGE,
			"review moduser: what is to change? --role, --download, --no-download, --disable or --enable");
	if ((download && no_download) || (disable && enable))
		return cli_fail(EX_USAGE, "review moduser: say one of --%s and --%s",
			download && no_download ? "download" : "disable",
			download && no_download ? "no-download" : "enable");
	g_autoptr(MsAccount) account = find(accounts, argv[1], &rc);
	if (account == NULL)
		return rc;
	account->role = role != NULL ? (MsRole)ms_role_of(role) : account->role;
	account->download = (account->download || download) && !no_download;
	account->disabled = (account->disabled || disable) && !enable;
	return note(cli, MS_EVENT_ACCOUNT, account->name, &error) &&
			ms_accounts_put(accounts, account, NULL, &error)
		? 0
		: cli_fail_error(error);
}

static int do_passwd(Cli *cli, int argc, char **argv)
{
	int rc;
	g_autoptr(GError) error = NULL;
	g_autoptr(MsAccounts) accounts = open_for(cli, "passwd", NULL,
		"NAME - a new password, which is asked for", &argc, &argv, &rc);
	g_autoptr(MsAccount) account = accounts != NULL ? find(accounts, argv[1], &rc) : NULL;
	g_autofree char *password = account != NULL ? new_password() : NULL;
	if (account == NULL)
		return rc;
	if (password == NULL)
		return cli_fail(EX_DATAERR, "no password was given, or not the same twice");
	return note(cli, MS_EVENT_PASSWORD, account->name, &error)
			&& ms_accounts_password(accounts, account->name, password, NULL, &error)
		? 0
		: cli_fail_error(error);
}

static int do_deluser(Cli *cli, int argc, char **argv)
{
	int rc;
	g_autoptr(GError) error = NULL;
	g_autoptr(MsAccounts) accounts = open_for(cli, "deluser", NULL,
		"NAME - remove an account; its sessions and tokens end", &argc, &argv, &rc);
	g_autoptr(MsAccount) account = accounts != NULL ? find(accounts, argv[1], &rc) : NULL;
	if (account == NULL)
		return rc;
	if (!note(cli, MS_EVENT_ACCOUNT_DELETED, account->name, &error) ||
		!ms_accounts_delete(accounts, account->name, &error))
		return cli_fail_error(error);
	printf("%s: removed\n", account->name);
	return 0;
}

static void print_users(const GPtrArray *list)
{
	for (guint i = 0; i < list->len; i++) {
		const MsAccount *a = list->pdata[i];
		g_autofree char *seen = a->seen > 0 ? cli_time(a->seen) : g_strdup("never");
		g_autofree char *name = cli_cell(a->name, 20);
		printf("%s %-14s %s%s%s%slast log-in %s\n", name, ms_role_names[a->role],
			a->download ? "download, " : "", a->disabled ? "disabled, " : "",
			a->totp ? "second factor, " : "", a->password ? "" : "no password, ", seen);
	}
}

static json_t *time_or_null(gint64 time)
{
	return time > 0 ? json_integer(time / G_USEC_PER_SEC) : json_null();
}

static void print_users_json(const GPtrArray *list)
{
	json_t *all = json_array();
	for (guint i = 0; i < list->len; i++) {
		const MsAccount *a = list->pdata[i];
		json_array_append_new(all,
			json_pack("{s:s, s:s, s:b, s:b, s:b, s:b, s:o}", "name", a->name, "role",
				ms_role_names[a->role], "download", (int)a->download, "disabled",
				(int)a->disabled, "second_factor", (int)a->totp, "password",
				(int)a->password, "last_log_in", time_or_null(a->seen)));
	}
	cli_print_json(all);
}

static int do_users(Cli *cli, int argc, char **argv)
{
	int rc = EX_USAGE;
	gboolean json = FALSE;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "as JSON", NULL},
		G_OPTION_ENTRY_NULL,
	};
	if (!cli_options(entries, "- accounts of the review page", &argc, &argv))
		return rc;
	g_autoptr(GError) error = NULL;
	g_autoptr(MsAccounts) accounts = open_accounts(cli, &rc);
	g_autoptr(GPtrArray) list = accounts != NULL ? ms_accounts_list(accounts, &error) : NULL;
	if (list == NULL)
		return accounts == NULL ? rc : cli_fail_error(error);
	if (json)
		print_users_json(list);
	else
		print_users(list);
	return 0;
}

/* ---- the second factor ---------------------------------------------------------------- */

/* Two rows of the picture a line, dark on light whatever the terminal's colours are. */
static void print_picture(const char *uri)
{
	g_auto(GStrv) rows = ms_totp_picture(uri);
	guint n = rows != NULL ? g_strv_length(rows) : 0;
	for (int y = -2; n > 0 && y < (int)n + 2; y += 2) {
		printf("\033[30;107m");
		for (int x = -2; x < (int)n + 2; x++) {
			bool in = x >= 0 && x < (int)n;
			bool up = in && y >= 0 && y < (int)n && rows[y][x] == '1';
			bool low = in && y + 1 >= 0 && y + 1 < (int)n && rows[y + 1][x] == '1';
			printf("%s", up && low ? "\u2588" : up ? "\u2580" : low ? "\u2584" : " ");
		}
		printf("\033[0m\n");
	}
}

static int set_up_totp(const MsSettings *s, MsAccounts *accounts, const char *name)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *secret = ms_totp_begin(accounts, name, &error);
	if (secret == NULL)
		return cli_fail_error(error);
	g_autofree char *uri = ms_totp_uri(s->review.name, name, secret);
	printf("%s\n", uri);
	if (isatty(STDOUT_FILENO))
		print_picture(uri);
	fflush(stdout);
	g_autofree char *code = read_password("its code now");
	g_auto(GStrv) codes = code != NULL ? ms_totp_confirm(accounts, name, code, &error) : NULL;
	if (codes == NULL)
		return code != NULL ? cli_fail_error(error)
				    : cli_fail(EX_DATAERR, "no code was given");
	printf("recovery codes, each good once:\n");
	for (int i = 0; codes[i] != NULL; i++)
		printf("%s\n", codes[i]);
	return 0;
}

static int do_totp(Cli *cli, int argc, char **argv)
{
	gboolean off = FALSE;
	const GOptionEntry entries[] = {
		{"off", 0, 0, G_OPTION_ARG_NONE, &off, "take it away", NULL},
		G_OPTION_ENTRY_NULL,
	};
	int rc;
	g_autoptr(GError) error = NULL;
	g_autoptr(MsAccounts) accounts = open_for(cli, "totp", entries,
		"NAME - set up a second factor: codes of an authenticator", &argc, &argv, &rc);
	g_autoptr(MsAccount) account = accounts != NULL ? find(accounts, argv[1], &rc) : NULL;
	g_autoptr(MsSettings)
		settings = account != NULL ? ms_settings_load_public(cli->config, &error) : NULL;
	if (account == NULL)
		return rc;
	if (!note(cli, MS_EVENT_FACTOR, account->name, &error))
		return cli_fail_error(error);
	if (off)
		return ms_totp_end(accounts, account->name, &error) ? 0 : cli_fail_error(error);
	return settings != NULL ? set_up_totp(settings, accounts, account->name)
				: cli_fail_error(error);
}

/* ---- tokens --------------------------------------------------------------------------- */

static void print_tokens(const GPtrArray *list)
{
	for (guint i = 0; i < list->len; i++) {
		const MsToken *t = list->pdata[i];
		g_autofree char *seen = t->seen > 0 ? cli_time(t->seen) : g_strdup("never");
		g_autofree char *end = t->expires > 0 ? cli_time(t->expires) : g_strdup("never");
		printf("%-20s %-14s for %s, %sexpires %s, last used %s\n", t->name,
			ms_role_names[t->role], t->owner, t->download ? "download, " : "", end,
			seen);
	}
}

static void print_tokens_json(const GPtrArray *list)
{
	json_t *all = json_array();
	for (guint i = 0; i < list->len; i++) {
		const MsToken *t = list->pdata[i];
		json_array_append_new(all,
			json_pack("{s:s, s:s, s:s, s:b, s:o, s:o}", "name", t->name, "role",
				ms_role_names[t->role], "for", t->owner, "download",
				(int)t->download, "expires", time_or_null(t->expires), "last_used",
				time_or_null(t->seen)));
	}
	cli_print_json(all);
}

static int do_token_list(Cli *cli, int argc, char **argv)
{
	int rc = EX_USAGE;
	gboolean json = FALSE;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "as JSON", NULL},
		G_OPTION_ENTRY_NULL,
	};
	if (!cli_options(entries, "- all tokens, without what they are used with", &argc, &argv))
		return rc;
	g_autoptr(GError) error = NULL;
	g_autoptr(MsAccounts) accounts = open_accounts(cli, &rc);
	if (accounts == NULL)
		return rc;
	g_autoptr(GPtrArray) list = ms_accounts_token_list(accounts, &error);
	if (list == NULL)
		return cli_fail_error(error);
	if (json)
		print_tokens_json(list);
	else
		print_tokens(list);
	return 0;
}

#define NEVER G_MAXINT /* days */
#define MAX_DAYS 36500

static int add_token(Cli *cli, MsToken *token, int days, const char *owner)
{
	int rc = EX_USAGE;
	g_autoptr(GError) error = NULL;
	g_autoptr(MsAccounts) accounts = open_accounts(cli, &rc);
	if (accounts == NULL)
		return rc;
	g_autoptr(MsAccount) answers = owner != NULL ? find(accounts, owner, &rc) : NULL;
	if (owner != NULL && answers == NULL)
		return rc;
	token->owner = owner != NULL ? answers->name : (char *)cli_who();
	token->expires = days != NEVER ? g_get_real_time() + (gint64)days * 86400 * G_USEC_PER_SEC
				       : 0;
	g_autofree char *secret = note(cli, MS_EVENT_TOKEN, token->name, &error)
		? ms_accounts_token_add(accounts, token, &error)
		: NULL;
	if (secret == NULL)
		return cli_fail_error(error);
	printf("%s\n", secret);
	if (isatty(STDOUT_FILENO))
		fprintf(stderr, "It is not shown again.\n");
	return 0;
}

static int do_token_add(Cli *cli, int argc, char **argv)
{
	g_autofree char *role = NULL, *owner = NULL;
	gboolean download = FALSE;
	int days = NEVER;
	const GOptionEntry entries[] = {
		{"role", 0, 0, G_OPTION_ARG_STRING, &role,
			"viewer (default), reviewer or administrator", "ROLE"},
		{"for", 0, 0, G_OPTION_ARG_STRING, &owner, "who answers for what it does (you)",
			"NAME"},
		{"download", 0, 0, G_OPTION_ARG_NONE, &download, "may download attached files",
			NULL},
		{"days", 0, 0, G_OPTION_ARG_INT, &days, "it expires then; never, if it is left out",
			"N"},
		G_OPTION_ENTRY_NULL,
	};
	if (!cli_options(entries, "NAME - a new token for the API (missent-api(7))", &argc, &argv))
		return EX_USAGE;
	int kind = role != NULL ? ms_role_of(role) : MS_ROLE_VIEWER;
	if (kind < 0)
		return wrong_role(role);
	if (argc != 2)
		return cli_fail(EX_USAGE, "review token add: give one name");
	if (days < 1 || (days > MAX_DAYS && days != NEVER))
		return cli_fail(EX_USAGE, "--days %d: from 1 to %d", days, MAX_DAYS);
	MsToken token = {.name = argv[1], .role = (MsRole)kind, .download = download};
	return add_token(cli, &token, days, owner);
}

static int do_token_delete(Cli *cli, int argc, char **argv)
{
	int rc = EX_USAGE;
	if (!cli_options(NULL, "NAME - delete a token; it ends at once", &argc, &argv))
		return rc;
	if (argc != 2)
		return cli_fail(EX_USAGE, "review token delete: give one name");
	g_autoptr(GError) error = NULL;
	g_autoptr(MsAccounts) accounts = open_accounts(cli, &rc);
	if (accounts == NULL)
		return rc;
	return note(cli, MS_EVENT_TOKEN_DELETED, argv[1], &error) &&
			ms_accounts_token_delete(accounts, argv[1], &error)
		? 0
		: cli_fail_error(error);
}

static int do_token(Cli *cli, int argc, char **argv)
{
	static const CliVerb verbs[] = {
		{"add", do_token_add, "a new one, which is printed once"},
		{"delete", do_token_delete, "delete one"},
		{"list", do_token_list, "all tokens: role, owner, end, last use"},
		{NULL, NULL, NULL},
	};
	return cli_dispatch(cli, verbs, "missent review token VERB ...", argc, argv);
}

/* ---- an earlier version --------------------------------------------------------------- */

/* The key that hosts share was the page's too; it is the agents' alone. */
static bool take_key(const MsSettings *s, GError **error)
{
	return s->desk.redis_key_file == NULL ||
		!g_file_test(s->desk.redis_key_file, G_FILE_TEST_IS_REGULAR) ||
		ms_io_give_to(s->desk.redis_key_file, s->user, error);
}

static int do_migrate(Cli *cli, int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	bool done = false;
	if (!cli_options(NULL, "- what an earlier version kept for the page becomes the agent's",
		    &argc, &argv))
		return EX_USAGE;
	g_autoptr(MsSettings) settings = ms_settings_load_public(cli->config, &error);
	if (settings == NULL || !migrate(settings, &done, &error) || !take_key(settings, &error))
		return cli_fail_error(error);
	g_autofree char *mirror = g_build_filename(
		settings->state_dir, "review", "held-everywhere.db", NULL);
	if (strcmp(mirror, settings->review.mirror_file) != 0)
		remove_database(mirror); /* the agent makes it anew */
	if (done)
		printf("accounts are missent-agent's now: %s\n", settings->review.accounts_file);
	return 0;
}

/* What the agents of several hosts share, whose records are on one page; or the key of the
 * webhook. */
static int do_key(Cli *cli, int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	if (!cli_options(NULL,
		    "FILE - make the key that the agents of several hosts share, or that signs what the webhook sends",
		    &argc, &argv))
		return EX_USAGE;
	if (argc != 2)
		return cli_fail(EX_USAGE, "review key: which file?");
	/* Settings that name a key are good only when there is one: of them the user is wanted. */
	g_autoptr(MsSettings) settings = ms_settings_load_public(cli->config, NULL);
	const char *user = settings != NULL    ? settings->user
		: getpwnam("missent") != NULL ? "missent"
					      : NULL;
	if (!ms_key_create(argv[1], &error) || !ms_io_give_to(argv[1], user, &error))
		return cli_fail_error(error);
	printf("%s: made; it is for missent-agent alone (on every host, where several are on one page)\n",
		argv[1]);
	return 0;
}

static const CliVerb verbs[] = {
	{"adduser", do_adduser, "add an account, or set it anew (--role, --download)", "NAME"},
	{"moduser", do_moduser, "change what is given (--role, --disable, --enable, ...)", "NAME"},
	{"passwd", do_passwd, "a new password", "NAME"},
	{"totp", do_totp, "set up a second factor (--off: take it away)", "NAME"},
	{"deluser", do_deluser, "remove an account", "NAME"},
	{"users", do_users, "list accounts"},
	{"token", do_token, "tokens for the API", "add | delete | list"},
	{"key", do_key, "make the key that several hosts share, or the webhook's",
		"FILE"},
	{"migrate", do_migrate, "what an earlier version kept for the page becomes the agent's"},
	{NULL, NULL, NULL},
};

int cmd_review(Cli *cli, int argc, char **argv)
{
	return cli_dispatch(cli, verbs, "missent review VERB ...", argc, argv);
}
