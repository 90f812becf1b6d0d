#include "config.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <pwd.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/digest.h"
#include "missent/password.h"

#include "accounts_private.h"

/*
 * The file of accounts: opening it (and what an earlier version left), and the people in it.  The agent
 * and the operator's `missent review` have it open; from any thread.
 */

#define APPLICATION_ID 0x6d737232 /* "msr2" */

const char *const ms_role_names[MS_N_ROLES + 1] = {"viewer", "reviewer", "administrator", NULL};

/* Sessions of the version before say nothing of how somebody came in. */
static const MsSqliteUpgrade upgrades[] = {
	{0x6d737277, "ALTER TABLE user ADD COLUMN totp TEXT NOT NULL DEFAULT '';"
		     "ALTER TABLE user ADD COLUMN pending TEXT NOT NULL DEFAULT '';"
		     "ALTER TABLE user ADD COLUMN counter INTEGER NOT NULL DEFAULT 0;"
		     "DROP TABLE session; DROP TABLE attempt"},
	{0, NULL},
};

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS user (name TEXT PRIMARY KEY, hash TEXT NOT NULL, role TEXT NOT NULL,"
	" download TEXT NOT NULL, disabled TEXT NOT NULL, seen INTEGER NOT NULL, totp TEXT NOT NULL DEFAULT '',"
	" pending TEXT NOT NULL DEFAULT '', counter INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS recovery (name TEXT NOT NULL, hash TEXT NOT NULL,"
	" PRIMARY KEY (name, hash)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS session (hash TEXT PRIMARY KEY, name TEXT NOT NULL, csrf TEXT NOT NULL,"
	" began INTEGER NOT NULL, used INTEGER NOT NULL, how TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS session_name ON session (name);"
	/* who failed how often: a source, a name, or both */
	"CREATE TABLE IF NOT EXISTS failure (what TEXT PRIMARY KEY, n INTEGER NOT NULL, at INTEGER NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS failure_at ON failure (at);"
	/* when a source may try a name that is guessed at */
	"CREATE TABLE IF NOT EXISTS slot (what TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS slot_at ON slot (at);"
	/* from where, or with which browser, a name has logged in */
	"CREATE TABLE IF NOT EXISTS known (name TEXT NOT NULL, what TEXT NOT NULL, at INTEGER NOT NULL,"
	" PRIMARY KEY (name, what)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS token (name TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE,"
	" owner TEXT NOT NULL, role TEXT NOT NULL, download TEXT NOT NULL, made INTEGER NOT NULL,"
	" expires INTEGER NOT NULL, seen INTEGER NOT NULL) WITHOUT ROWID;";

int ms_role_of(const char *name)
{
	for (int i = 0; name != NULL && i < MS_N_ROLES; i++)
		if (strcmp(ms_role_names[i], name) == 0)
			return i;
	return -1;
}

bool accounts_input(GError **error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, MS_ERROR, MS_ERROR_INPUT, "%s", text);
	return false;
}

/* ---- statements ----------------------------------------------------------------------- */

bool accounts_run(MsAccounts *accounts, GError **error, MsSqliteRow row, void *user, const char *sql, ...)
{
	const char *params[12];
	gsize n = 0;
	va_list args;
	va_start(args, sql);
	while ((params[n] = va_arg(args, const char *)) != NULL)
		g_assert(++n < G_N_ELEMENTS(params));
	va_end(args);
	return ms_sqlite_run(accounts->db, sql, params, row, user, NULL, error) == MS_FOUND;
}

bool accounts_begin(MsAccounts *accounts, GError **error)
{
	ms_sqlite_lock(accounts->db);
	if (accounts_run(accounts, error, NULL, NULL, "BEGIN IMMEDIATE", NULL))
		return true;
	ms_sqlite_unlock(accounts->db);
	return false;
}

bool accounts_end(MsAccounts *accounts, bool fine, GError **error)
{
	if (fine)
		fine = accounts_run(accounts, error, NULL, NULL, "COMMIT", NULL);
	if (!fine)
		accounts_run(accounts, NULL, NULL, NULL, "ROLLBACK", NULL);
	ms_sqlite_unlock(accounts->db);
	return fine;
}

char *accounts_number(gint64 n)
{
	return g_strdup_printf("%" G_GINT64_FORMAT, n);
}

char *accounts_random(void)
{
	return ms_digest_random_name(MS_DIGEST_BYTES);
}

/* Of what is random enough to need no salt. */
char *accounts_hash(const char *secret)
{
	return g_compute_checksum_for_string(G_CHECKSUM_SHA256, secret, -1);
}

void accounts_take_text(int n, const char *const *c, void *user)
{
	(void)n;
	g_free(*(char **)user);
	*(char **)user = g_strdup(c[0]);
}

void accounts_take_number(int n, const char *const *c, void *user)
{
	(void)n;
	*(gint64 *)user = c[0] != NULL ? g_ascii_strtoll(c[0], NULL, 10) : 0;
}

/* ---- opening -------------------------------------------------------------------------- */

static bool fail_config(GError **error, const char *path, const char *why)
{
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "%s: %s", path, why);
	return false;
}

/* Who may write to the folder may put another file there. */
static bool is_ours_alone(const char *path, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	struct stat st, file;
	if (stat(folder, &st) != 0)
		return fail_config(error, folder, g_strerror(errno));
	if ((st.st_uid != geteuid() && st.st_uid != 0 && geteuid() != 0) || (st.st_mode & 0022) != 0)
		return fail_config(error, folder, "others may write to this folder, in which the accounts are; leave "
			"accounts-file out, and run missent review migrate as root");
	if (lstat(path, &file) != 0)
		return errno == ENOENT || fail_config(error, path, g_strerror(errno));
	if (!S_ISREG(file.st_mode) || (file.st_uid != st.st_uid && file.st_uid != geteuid() && file.st_uid != 0))
		return fail_config(error, path, "is not the folder's owner's; run missent review migrate as root");
	if ((file.st_mode & 0077) != 0 && chmod(path, 0600) != 0)
		return fail_config(error, path, g_strerror(errno));
	return true;
}

bool ms_accounts_folder(const char *path, const char *name, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	const struct passwd *user = geteuid() == 0 && name != NULL ? getpwnam(name) : NULL;
	if (g_file_test(folder, G_FILE_TEST_IS_DIR))
		return true;
	if (g_mkdir_with_parents(folder, 0700) == 0
		&& (user == NULL || chown(folder, user->pw_uid, user->pw_gid) == 0))
		return true;
	return fail_config(error, folder, g_strerror(errno));
}

static void take_names(int n, const char *const *c, void *user)
{
	(void)n;
	g_ptr_array_add(user, g_strdup(c[0]));
}

/* Two accounts that are one person, by spelling or by a rule that is new: the other spelling is taken
 * away from log-in, never merged, for nobody gets rights by it. */
static bool rename_one(MsAccounts *accounts, const char *name, const char *want, GError **error)
{
	gint64 there = 0;
	if (!accounts_run(accounts, error, accounts_take_number, &there, "SELECT count(*) FROM user WHERE name=?1",
		    want, NULL))
		return false;
	return there > 0
		? accounts_run(accounts, error, NULL, NULL, "UPDATE user SET disabled='1' WHERE name=?1", name, NULL)
		: accounts_run(accounts, error, NULL, NULL, "UPDATE user SET name=?2 WHERE name=?1", name, want, NULL)
			&& accounts_run(accounts, error, NULL, NULL, "UPDATE recovery SET name=?2 WHERE name=?1", name,
				want, NULL);
}

static bool rename_all(MsAccounts *accounts, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	/* of two, the one that is used */
	if (!accounts_run(accounts, error, take_names, names, "SELECT name FROM user ORDER BY seen DESC, name", NULL))
		return false;
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *want = accounts_name(accounts, names->pdata[i]);
		if (*want != '\0' && strcmp(want, names->pdata[i]) != 0
			&& !rename_one(accounts, names->pdata[i], want, error))
			return false;
	}
	return true;
}

MsAccounts *ms_accounts_open(const char *path, const MsPersonRules *people, GError **error)
{
	if (!is_ours_alone(path, error))
		return NULL;
	MsSqlite *db = ms_sqlite_open_upgraded(path, APPLICATION_ID, upgrades, schema, true, NULL, error);
	if (db == NULL)
		return NULL;
	g_autoptr(MsAccounts) accounts = g_new0(MsAccounts, 1);
	guint half = MAX(g_get_num_processors() / 2, 1);
	accounts->db = db;
	accounts->domains = people != NULL ? g_strdupv((char **)people->domains) : NULL;
	accounts->aliases = people != NULL ? g_strdupv((char **)people->aliases) : NULL;
	accounts->people = (MsPersonRules){(const char *const *)accounts->domains,
		(const char *const *)accounts->aliases};
	lane_init(&accounts->strangers, half, 16);
	lane_init(&accounts->known, 1, 24);
	if (!is_ours_alone(path, error) || !rename_all(accounts, error))
		return NULL;
	return g_steal_pointer(&accounts);
}

void ms_accounts_free(MsAccounts *accounts)
{
	if (accounts == NULL)
		return;
	ms_sqlite_free(accounts->db);
	g_strfreev(accounts->domains);
	g_strfreev(accounts->aliases);
	lane_destroy(&accounts->strangers);
	lane_destroy(&accounts->known);
	g_free(accounts);
}

/* A copy, not the file itself: somebody may have that open. */
bool ms_accounts_adopt(const char *old, const char *path, GError **error)
{
	MsSqlite *db = ms_sqlite_open_upgraded(old, 0x6d737277, NULL, "", true, NULL, error);
	const char *params[] = {path, NULL};
	bool fine = db != NULL
		&& ms_sqlite_run(db, "VACUUM INTO ?1", params, NULL, NULL, NULL, error) == MS_FOUND;
	ms_sqlite_free(db);
	if (fine && chmod(path, 0600) != 0)
		return fail_config(error, path, g_strerror(errno));
	return fine;
}

/* ---- people --------------------------------------------------------------------------- */

void ms_account_free(MsAccount *account)
{
	if (account == NULL)
		return;
	g_free(account->name);
	g_free(account);
}

char *accounts_name(MsAccounts *accounts, const char *spelled)
{
	char *name = ms_person_name(&accounts->people, spelled);
	if (strlen(name) > 100)
		*g_utf8_find_prev_char(name, name + 101) = '\0';
	return name;
}

static bool is_name(const char *name)
{
	gsize len = strlen(name);
	if (len == 0 || len > 100 || !g_utf8_validate(name, -1, NULL))
		return false;
	for (const char *p = name; *p != '\0'; p++)
		if ((guchar)*p <= ' ' || strchr(",<>\"'", *p) != NULL)
			return false;
	return true;
}

#define NAME_WHY "a name has 1 to 100 characters, none of them blank, comma, quote or <>"

static bool end_sessions(MsAccounts *accounts, const char *name, const char *but, GError **error)
{
	g_autofree char *hash = but != NULL ? accounts_hash(but) : g_strdup("");
	return accounts_run(accounts, error, NULL, NULL, "DELETE FROM session WHERE name=?1 AND hash<>?2", name, hash,
		NULL);
}

static bool put(MsAccounts *accounts, const char *name, const MsAccount *a, const char *hash, GError **error)
{
	return accounts_run(accounts, error, NULL, NULL,
		       "INSERT INTO user (name, hash, role, download, disabled, seen) VALUES (?1, ?2, ?3, ?4, ?5, 0)"
		       " ON CONFLICT DO UPDATE SET hash=CASE ?2 WHEN '' THEN user.hash ELSE ?2 END, role=?3,"
		       " download=?4, disabled=?5",
		       name, hash, ms_role_names[a->role], a->download ? "1" : "0", a->disabled ? "1" : "0", NULL)
		&& end_sessions(accounts, name, NULL, error);
}

/* "" for none; NULL: it cannot be. */
static char *hash_password(const char *password, GError **error)
{
	const char *why = password != NULL ? ms_password_why(password) : NULL;
	char *hash = why == NULL && password != NULL ? ms_password_hash(password) : g_strdup("");
	if (hash == NULL)
		why = "no memory for hashing";
	if (why == NULL)
		return hash;
	accounts_input(error, "%s", why);
	g_free(hash);
	return NULL;
}

bool ms_accounts_put(MsAccounts *accounts, const MsAccount *account, const char *password,
	GError **error)
{
	if (!is_name(account->name))
		return accounts_input(error, NAME_WHY);
	g_autofree char *name = accounts_name(accounts, account->name);
	if (!is_name(name))
		return accounts_input(error, NAME_WHY);
	g_autofree char *hash = hash_password(password, error);
	return hash != NULL && accounts_begin(accounts, error)
		&& accounts_end(accounts, put(accounts, name, account, hash, error), error);
}

bool ms_accounts_password(MsAccounts *accounts, const char *spelled, const char *password,
	const char *session, GError **error)
{
	g_autofree char *name = accounts_name(accounts, spelled);
	g_autofree char *hash = hash_password(password, error);
	return hash != NULL && *hash != '\0' && accounts_begin(accounts, error)
		&& accounts_end(accounts,
			accounts_run(accounts, error, NULL, NULL, "UPDATE user SET hash=?2 WHERE name=?1", name, hash, NULL)
				&& end_sessions(accounts, name, session, error),
			error);
}

static bool delete_all(MsAccounts *accounts, const char *name, GError **error)
{
	static const char *const from[] = {"DELETE FROM session WHERE name=?1", "DELETE FROM recovery WHERE name=?1",
		"DELETE FROM known WHERE name=?1", "DELETE FROM token WHERE owner=?1", "DELETE FROM user WHERE name=?1"};
	for (gsize i = 0; i < G_N_ELEMENTS(from); i++)
		if (!accounts_run(accounts, error, NULL, NULL, from[i], name, NULL))
			return false;
	return true;
}

bool ms_accounts_delete(MsAccounts *accounts, const char *spelled, GError **error)
{
	g_autofree char *name = accounts_name(accounts, spelled);
	return accounts_begin(accounts, error)
		&& accounts_end(accounts, delete_all(accounts, name, error), error);
}

MsAccount *accounts_account(const char *const *c)
{
	MsAccount *a = g_new0(MsAccount, 1);
	a->name = g_strdup(c[0]);
	a->role = (MsRole)MAX(ms_role_of(c[1]), 0);
	a->download = strcmp(c[2], "1") == 0;
	a->disabled = strcmp(c[3], "1") == 0;
	a->seen = g_ascii_strtoll(c[4], NULL, 10);
	a->password = strcmp(c[5], "1") == 0;
	a->totp = strcmp(c[6], "1") == 0;
	return a;
}

static void take_account(int n, const char *const *c, void *user)
{
	(void)n;
	g_ptr_array_add(user, accounts_account(c));
}

GPtrArray *ms_accounts_list(MsAccounts *accounts, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_account_free);
	if (!accounts_run(accounts, error, take_account, list, "SELECT " ACCOUNT " FROM user ORDER BY name", NULL))
		return NULL;
	return g_steal_pointer(&list);
}

MsAccount *ms_accounts_find(MsAccounts *accounts, const char *spelled, GError **error)
{
	g_autofree char *name = accounts_name(accounts, spelled);
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_account_free);
	if (!accounts_run(accounts, error, take_account, list, "SELECT " ACCOUNT " FROM user WHERE name=?1", name, NULL)
		|| list->len == 0)
		return NULL;
	return g_ptr_array_steal_index(list, 0);
}
