/*
 * The file of accounts: opening it (and what an earlier version left), and the people in it.  The
 * agent and the operator's `missent review` have it open; from any thread.
 */
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
#include "missent/io.h"
#include "missent/password.h"

#include "accounts_private.h"

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

/* ---- statements ----------------------------------------------------------------------- */

bool accounts_run(
	MsAccounts *accounts, const char *sql, const MsSqlValue *values, GError **error)
{
	return ms_sqlite_ask(accounts->db, sql, values, NULL, NULL, NULL, error) ==
	       MS_FOUND;
}

bool accounts_ask(MsAccounts *accounts, const char *sql, const MsSqlValue *values,
	MsSqlTake take, void *user, GError **error)
{
	return ms_sqlite_ask(accounts->db, sql, values, take, user, NULL, error) ==
	       MS_FOUND;
}

static void take_number(MsSqlRow *row, void *user)
{
	*(gint64 *)user = ms_sql_number(row, "n");
}

bool accounts_ask_number(MsAccounts *accounts, const char *sql, const MsSqlValue *values,
	gint64 *out, GError **error)
{
	return accounts_ask(accounts, sql, values, take_number, out, error);
}

bool accounts_begin(MsAccounts *accounts, GError **error)
{
	ms_sqlite_lock(accounts->db);
	if (accounts_run(accounts, "BEGIN IMMEDIATE", NULL, error))
		return true;
	ms_sqlite_unlock(accounts->db);
	return false;
}

bool accounts_end(MsAccounts *accounts, bool fine, GError **error)
{
	if (fine)
		fine = accounts_run(accounts, "COMMIT", NULL, error);
	if (!fine)
		accounts_run(accounts, "ROLLBACK", NULL, NULL);
	ms_sqlite_unlock(accounts->db);
	return fine;
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
		return ms_io_fail(error, folder, errno);
	if ((st.st_uid != geteuid() && st.st_uid != 0 && geteuid() != 0) ||
		(st.st_mode & 0022) != 0)
		return fail_config(error, folder,
			"others may write to this folder, in which the accounts are; leave "
			"accounts-file out, and run missent review migrate as root");
	if (lstat(path, &file) != 0)
		return errno == ENOENT || ms_io_fail(error, path, errno);
	if (!S_ISREG(file.st_mode) ||
		(file.st_uid != st.st_uid && file.st_uid != geteuid() && file.st_uid != 0))
		return fail_config(error, path,
			"is not the folder's owner's; run missent review migrate as root");
	if ((file.st_mode & 0077) != 0 && !ms_io_give(path, (uid_t)-1, (gid_t)-1, 0600))
		return ms_io_fail(error, path, errno);
	return true;
}

bool ms_accounts_folder(const char *path, const char *name, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	const struct passwd *user = geteuid() == 0 && name != NULL ? getpwnam(name) : NULL;
	if (g_file_test(folder, G_FILE_TEST_IS_DIR))
		return true;
	if (g_mkdir_with_parents(folder, 0700) == 0
		&& (user == NULL || ms_io_give(folder, user->pw_uid, user->pw_gid, 0700)))
		return true;
	return ms_io_fail(error, folder, errno);
}

static void take_names(MsSqlRow *row, void *user)
{
	g_ptr_array_add(user, g_strdup(ms_sql_text(row, "name")));
}

/* Two accounts that are one person, by spelling or by a rule that is new: the other spelling is
 * taken away from log-in, never merged, for nobody gets rights by it. */
static bool rename_one(MsAccounts *accounts, const char *name, const char *want, GError **error)
{
	/* All that is a person's, wherever his name stands. */
	static const char *const statements[] = {
		"UPDATE user SET name=:want WHERE name=:name",
		"UPDATE recovery SET name=:want WHERE name=:name",
		"UPDATE session SET name=:want WHERE name=:name",
		"UPDATE OR REPLACE known SET name=:want WHERE name=:name",
	};
	gint64 there = 0;
	if (!accounts_ask_number(accounts,
		    "SELECT count(*) AS n FROM user WHERE name=:want",
		    MS_SQL_VALUES(MS_SQL_TEXT("want", want)), &there, error))
		return false;
	if (there > 0)
		return accounts_run(accounts, "UPDATE user SET disabled='1' WHERE name=:name",
			MS_SQL_VALUES(MS_SQL_TEXT("name", name)), error);
	for (gsize i = 0; i < G_N_ELEMENTS(statements); i++)
		if (!accounts_run(accounts, statements[i],
			    MS_SQL_VALUES(MS_SQL_TEXT("name", name), MS_SQL_TEXT("want", want)),
			    error))
			return false;
	return true;
}

static bool rename_owner(MsAccounts *accounts, const char *name, const char *want, GError **error)
{
	return accounts_run(accounts, "UPDATE token SET owner=:want WHERE owner=:name",
		MS_SQL_VALUES(MS_SQL_TEXT("name", name), MS_SQL_TEXT("want", want)), error);
}

typedef bool (*Rename)(MsAccounts *accounts, const char *name, const char *want, GError **error);

static bool rename_each(MsAccounts *accounts, const char *query, Rename rename, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	if (!accounts_ask(accounts, query, NULL, take_names, names, error))
		return false;
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *want = accounts_name(accounts, names->pdata[i]);
		if (*want != '\0' && strcmp(want, names->pdata[i]) != 0
			&& !rename(accounts, names->pdata[i], want, error))
			return false;
	}
	return true;
}

/* Of two accounts, the one that is used.  Who answers for a token need have none, and is known by
 * the same name where he gets one: with it his tokens go. */
static bool rename_all(MsAccounts *accounts, GError **error)
{
	return rename_each(accounts, "SELECT name FROM user ORDER BY seen DESC, name", rename_one,
		       error) &&
		rename_each(accounts,
			"SELECT DISTINCT owner AS name FROM token", rename_owner, error);
}

MsAccounts *ms_accounts_open(const char *path, const MsPersonRules *people, GError **error)
{
	if (!is_ours_alone(path, error))
		return NULL;
	MsSqlite *db = ms_sqlite_open_upgraded(
		path, APPLICATION_ID, upgrades, schema, true, NULL, error);
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
	if (!is_ours_alone(path, error) || !ms_sqlite_can_write(db, error)
		|| !rename_all(accounts, error))
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
	MsSqlite *db = ms_sqlite_open_upgraded(
		old, 0x6d737277, NULL, "", true, NULL, error);
	bool fine = db != NULL && ms_sqlite_ask(db, "VACUUM INTO :path",
					  MS_SQL_VALUES(MS_SQL_TEXT("path", path)), NULL,
					  NULL, NULL, error) == MS_FOUND;
	ms_sqlite_free(db);
	if (fine && !ms_io_give(path, (uid_t)-1, (gid_t)-1, 0600))
		return ms_io_fail(error, path, errno);
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
	return accounts_run(accounts,
		"DELETE FROM session WHERE name=:name AND hash<>:hash",
		MS_SQL_VALUES(MS_SQL_TEXT("name", name), MS_SQL_TEXT("hash", hash)),
		error);
}

static bool put(MsAccounts *accounts, const char *name, const MsAccount *a, const char *hash,
	GError **error)
{
	return accounts_run(accounts,
		       "INSERT INTO user (name, hash, role, download, disabled, seen) VALUES (:name, :hash, :role, :download, :disabled, 0)"
		       " ON CONFLICT DO UPDATE SET hash=CASE :hash WHEN '' THEN user.hash ELSE :hash END, role=:role,"
		       " download=:download, disabled=:disabled",
		       MS_SQL_VALUES(MS_SQL_TEXT("name", name), MS_SQL_TEXT("hash", hash),
			       MS_SQL_TEXT("role", ms_role_names[a->role]),
			       MS_SQL_TEXT("download", a->download ? "1" : "0"),
			       MS_SQL_TEXT("disabled", a->disabled ? "1" : "0")),
		       error) &&
		end_sessions(accounts, name, NULL, error);
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
	ms_fail_input(error, "%s", why);
	g_free(hash);
	return NULL;
}

bool ms_accounts_put(MsAccounts *accounts, const MsAccount *account, const char *password,
	GError **error)
{
	if (!is_name(account->name))
		return ms_fail_input(error, NAME_WHY);
	g_autofree char *name = accounts_name(accounts, account->name);
	if (!is_name(name))
		return ms_fail_input(error, NAME_WHY);
	g_autofree char *hash = hash_password(password, error);
	return hash != NULL && accounts_begin(accounts, error)
		&& accounts_end(accounts, put(accounts, name, account, hash, error), error);
}

bool ms_accounts_password(MsAccounts *accounts, const char *spelled, const char *password,
	const char *session, GError **error)
{
	g_autofree char *name = accounts_name(accounts, spelled);
	g_autofree char *hash = hash_password(password, error);
	return hash != NULL && *hash != '\0' && accounts_begin(accounts, error) &&
	       accounts_end(accounts,
		       accounts_run(accounts,
			       "UPDATE user SET hash=:hash WHERE name=:name",
			       MS_SQL_VALUES(MS_SQL_TEXT("name", name),
				       MS_SQL_TEXT("hash", hash)),
			       error) &&
			       end_sessions(accounts, name, session, error),
		       error);
}

static bool delete_all(MsAccounts *accounts, const char *name, GError **error)
{
	static const char *const from[] = {"DELETE FROM session WHERE name=:name",
		"DELETE FROM recovery WHERE name=:name",
		"DELETE FROM known WHERE name=:name",
		"DELETE FROM token WHERE owner=:name",
		"DELETE FROM user WHERE name=:name"};
	for (gsize i = 0; i < G_N_ELEMENTS(from); i++)
		if (!accounts_run(accounts, from[i],
			    MS_SQL_VALUES(MS_SQL_TEXT("name", name)), error))
			return false;
	return true;
}

bool ms_accounts_delete(MsAccounts *accounts, const char *spelled, GError **error)
{
	g_autofree char *name = accounts_name(accounts, spelled);
	return accounts_begin(accounts, error)
		&& accounts_end(accounts, delete_all(accounts, name, error), error);
}

/* A word that is none gives no right. */
MsAccount *accounts_account(MsSqlRow *row)
{
	MsAccount *a = g_new0(MsAccount, 1);
	a->name = g_strdup(ms_sql_text(row, "name"));
	a->role = (MsRole)MAX(ms_role_of(ms_sql_text(row, "role")), 0);
	a->download = strcmp(ms_sql_text(row, "download"), "1") == 0;
	a->disabled = strcmp(ms_sql_text(row, "disabled"), "0") != 0;
	a->seen = ms_sql_number(row, "seen");
	a->password = ms_sql_number(row, "has_password") != 0;
	a->totp = ms_sql_number(row, "has_totp") != 0;
	return a;
}

static void take_account(MsSqlRow *row, void *user)
{
	g_ptr_array_add(user, accounts_account(row));
}

GPtrArray *ms_accounts_list(MsAccounts *accounts, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_account_free);
	if (!accounts_ask(accounts, "SELECT " ACCOUNT " FROM user ORDER BY name", NULL,
		    take_account, list, error))
		return NULL;
	return g_steal_pointer(&list);
}

MsAccount *ms_accounts_find(MsAccounts *accounts, const char *spelled, GError **error)
{
	g_autofree char *name = accounts_name(accounts, spelled);
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_account_free);
	if (!accounts_ask(accounts, "SELECT " ACCOUNT " FROM user WHERE name=:name",
		    MS_SQL_VALUES(MS_SQL_TEXT("name", name)), take_account, list,
		    error) ||
		list->len == 0)
		return NULL;
	return g_ptr_array_steal_index(list, 0);
}
