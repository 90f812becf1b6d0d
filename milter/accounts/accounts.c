#include "config.h"

#include <pthread.h>
#include <stdarg.h>
#include <string.h>

#include "missent/accounts.h"
#include "missent/answer.h"
#include "missent/digest.h"
#include "missent/password.h"
#include "missent/store.h"

#define APPLICATION_ID 0x6d737277 /* "msrw" */
#define WINDOW_US (15 * 60 * (gint64)G_USEC_PER_SEC)

const char *const ms_role_names[MS_N_ROLES + 1] = {"viewer", "reviewer", "administrator", NULL};

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS user (name TEXT PRIMARY KEY, hash TEXT NOT NULL, role TEXT NOT NULL,"
	" download TEXT NOT NULL, disabled TEXT NOT NULL, seen INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS session (hash TEXT PRIMARY KEY, name TEXT NOT NULL, csrf TEXT NOT NULL,"
	" began INTEGER NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS session_name ON session (name);"
	"CREATE TABLE IF NOT EXISTS attempt (name TEXT NOT NULL, client TEXT NOT NULL,"
	" at INTEGER NOT NULL);"
	"CREATE INDEX IF NOT EXISTS attempt_at ON attempt (at);";

struct MsAccounts {
	MsSqlite *db;
	pthread_mutex_t hashing; /* one at a time: each takes 64 MiB */
};

MsAccounts *ms_accounts_open(const char *path, GError **error)
{
	MsSqlite *db = ms_sqlite_open(path, APPLICATION_ID, schema, true, NULL, error);
	MsAccounts *accounts = db != NULL ? g_new0(MsAccounts, 1) : NULL;
	if (accounts == NULL)
		return NULL;
	accounts->db = db;
	pthread_mutex_init(&accounts->hashing, NULL);
	return accounts;
}

void ms_accounts_free(MsAccounts *accounts)
{
	if (accounts == NULL)
		return;
	ms_sqlite_free(accounts->db);
	pthread_mutex_destroy(&accounts->hashing);
	g_free(accounts);
}

void ms_account_free(MsAccount *account)
{
	if (account == NULL)
		return;
	g_free(account->name);
	g_free(account);
}

void ms_session_free(MsSession *session)
{
	if (session == NULL)
		return;
	ms_account_free(session->account);
	g_free(session->csrf);
	g_free(session);
}

static bool run(MsAccounts *accounts, GError **error, MsSqliteRow row, void *user, const char *sql, ...)
	G_GNUC_NULL_TERMINATED;
static bool run(MsAccounts *accounts, GError **error, MsSqliteRow row, void *user, const char *sql, ...)
{
	const char *params[10];
	gsize n = 0;
	va_list args;
	va_start(args, sql);
	while ((params[n] = va_arg(args, const char *)) != NULL)
		g_assert(++n < G_N_ELEMENTS(params));
	va_end(args);
	return ms_sqlite_run(accounts->db, sql, params, row, user, NULL, error) == MS_FOUND;
}

static char *number(gint64 n)
{
	return g_strdup_printf("%" G_GINT64_FORMAT, n);
}

static char *random_id(void)
{
	guint8 random[MS_DIGEST_BYTES];
	ms_digest_random(random);
	GString *id = g_string_new(NULL);
	for (gsize i = 0; i < sizeof random; i++)
		g_string_append_printf(id, "%02x", random[i]);
	return g_string_free(id, FALSE);
}

static char *hash_of(const char *id)
{
	return g_compute_checksum_for_string(G_CHECKSUM_SHA256, id, -1);
}

/* ---- people --------------------------------------------------------------------------- */

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

static bool put(MsAccounts *accounts, const MsAccount *a, const char *hash, GError **error)
{
	return run(accounts, error, NULL, NULL,
		       "INSERT INTO user VALUES (?1, ?2, ?3, ?4, ?5, 0) ON CONFLICT DO UPDATE SET"
		       " hash=CASE ?2 WHEN '' THEN user.hash ELSE ?2 END, role=?3, download=?4, disabled=?5",
		       a->name, hash, ms_role_names[a->role], a->download ? "1" : "0", a->disabled ? "1" : "0",
		       NULL)
		&& run(accounts, error, NULL, NULL, "DELETE FROM session WHERE name=?1", a->name, NULL);
}

bool ms_accounts_put(MsAccounts *accounts, const MsAccount *account, const char *password,
	GError **error)
{
	const char *why = !is_name(account->name)
		? "a name has 1 to 100 characters, none of them blank, comma, quote or <>"
		: password != NULL ? ms_password_why(password)
				   : NULL;
	g_autofree char *hash = why == NULL && password != NULL ? ms_password_hash(password) : g_strdup("");
	if (hash == NULL && why == NULL)
		why = "no memory for hashing";
	if (why != NULL) {
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT, "%s", why);
		return false;
	}
	return put(accounts, account, hash, error);
}

bool ms_accounts_delete(MsAccounts *accounts, const char *name, GError **error)
{
	return run(accounts, error, NULL, NULL, "DELETE FROM session WHERE name=?1", name, NULL)
		&& run(accounts, error, NULL, NULL, "DELETE FROM user WHERE name=?1", name, NULL);
}

static MsAccount *account_of(const char *const *c)
{
	MsAccount *a = g_new0(MsAccount, 1);
	a->name = g_strdup(c[0]);
	for (int i = 0; i < MS_N_ROLES; i++)
		if (strcmp(ms_role_names[i], c[1]) == 0)
			a->role = (MsRole)i;
	a->download = strcmp(c[2], "1") == 0;
	a->disabled = strcmp(c[3], "1") == 0;
	a->seen = g_ascii_strtoll(c[4], NULL, 10);
	return a;
}

#define ACCOUNT "name, role, download, disabled, seen"

static void take_account(int n, const char *const *c, void *user)
{
	(void)n;
	g_ptr_array_add(user, account_of(c));
}

GPtrArray *ms_accounts_list(MsAccounts *accounts, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_account_free);
	if (!run(accounts, error, take_account, list, "SELECT " ACCOUNT " FROM user ORDER BY name", NULL))
		return NULL;
	return g_steal_pointer(&list);
}

MsAccount *ms_accounts_find(MsAccounts *accounts, const char *name, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_account_free);
	if (!run(accounts, error, take_account, list, "SELECT " ACCOUNT " FROM user WHERE name=?1", name, NULL)
		|| list->len == 0)
		return NULL;
	return g_ptr_array_steal_index(list, 0);
}

/* ---- logging in ----------------------------------------------------------------------- */

static void take_text(int n, const char *const *c, void *user)
{
	(void)n;
	*(char **)user = g_strdup(c[0]);
}

static void take_tries(int n, const char *const *c, void *user)
{
	(void)n;
	gint64 *tries = user;
	tries[0] = g_ascii_strtoll(c[0], NULL, 10);
	tries[1] = g_ascii_strtoll(c[1], NULL, 10);
}

static bool too_often(MsAccounts *accounts, const char *name, const char *client, GError **error)
{
	gint64 tries[2] = {0, 0};
	g_autofree char *since = number(g_get_real_time() - WINDOW_US);
	if (!run(accounts, error, NULL, NULL, "DELETE FROM attempt WHERE at < CAST(?1 AS INTEGER)", since, NULL)
		|| !run(accounts, error, take_tries, tries,
			"SELECT (SELECT count(*) FROM attempt WHERE name=?1),"
			" (SELECT count(*) FROM attempt WHERE client=?2)", name, client, NULL))
		return true;
	return tries[0] >= MS_TRIES_USER || tries[1] >= MS_TRIES_CLIENT;
}

static char *begin_session(MsAccounts *accounts, const char *name, GError **error)
{
	g_autofree char *id = random_id();
	g_autofree char *hash = hash_of(id);
	g_autofree char *csrf = random_id();
	g_autofree char *now = number(g_get_real_time());
	if (!run(accounts, error, NULL, NULL,
		    "INSERT INTO session VALUES (?1, ?2, ?3, CAST(?4 AS INTEGER), CAST(?4 AS INTEGER))", hash, name,
		    csrf, now, NULL)
		|| !run(accounts, error, NULL, NULL, "UPDATE user SET seen=CAST(?2 AS INTEGER) WHERE name=?1", name,
			now, NULL))
		return NULL;
	return g_steal_pointer(&id);
}

/* On disk before it is looked at. */
static bool note_attempt(MsAccounts *accounts, const char *name, const char *client, GError **error)
{
	g_autofree char *now = number(g_get_real_time());
	return run(accounts, error, NULL, NULL, "INSERT INTO attempt VALUES (?1, ?2, CAST(?3 AS INTEGER))",
		name, client, now, NULL);
}

static MsLogin check_password(MsAccounts *accounts, const char *name, const char *password,
	const char *client, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autofree char *hash = NULL;
	if (too_often(accounts, name, client, &why)) {
		if (why == NULL)
			return MS_LOGIN_TOO_OFTEN;
		g_propagate_error(error, g_steal_pointer(&why));
		return MS_LOGIN_ERROR;
	}
	if (!note_attempt(accounts, name, client, error)
		|| !run(accounts, error, take_text, &hash,
			"SELECT hash FROM user WHERE name=?1 AND disabled='0' AND hash<>''", name, NULL))
		return MS_LOGIN_ERROR;
	bool fine = strlen(password) <= 1024 && ms_password_matches(hash, password);
	return fine ? MS_LOGIN_FINE : MS_LOGIN_WRONG;
}

MsLogin ms_accounts_login(MsAccounts *accounts, const char *name, const char *password,
	const char *client, char **id_out, GError **error)
{
	/* One after another: many at the same moment do not get more tries, nor more memory. */
	pthread_mutex_lock(&accounts->hashing);
	MsLogin result = check_password(accounts, name, password, client, error);
	pthread_mutex_unlock(&accounts->hashing);
	if (result != MS_LOGIN_FINE)
		return result;
	if (!run(accounts, error, NULL, NULL, "DELETE FROM attempt WHERE name=?1", name, NULL))
		return MS_LOGIN_ERROR;
	*id_out = begin_session(accounts, name, error);
	return *id_out != NULL ? MS_LOGIN_FINE : MS_LOGIN_ERROR;
}

char *ms_accounts_admit(MsAccounts *accounts, const char *name, GError **error)
{
	g_autoptr(MsAccount) account = ms_accounts_find(accounts, name, error);
	return account != NULL && !account->disabled ? begin_session(accounts, name, error) : NULL;
}

/* ---- sessions ------------------------------------------------------------------------- */

static void take_session(int n, const char *const *c, void *user)
{
	(void)n;
	MsSession *session = g_new0(MsSession, 1);
	session->account = account_of(c);
	session->csrf = g_strdup(c[5]);
	*(MsSession **)user = session;
}

MsSession *ms_accounts_session(MsAccounts *accounts, const char *id, gint64 idle_us, gint64 age_us,
	GError **error)
{
	gint64 now = g_get_real_time();
	g_autofree char *hash = hash_of(id);
	g_autofree char *used = number(now - idle_us);
	g_autofree char *began = number(now - age_us);
	g_autofree char *at = number(now);
	g_autofree char *lately = number(now - MIN(10 * (gint64)G_USEC_PER_SEC, idle_us / 4));
	MsSession *session = NULL;
	if (run(accounts, error, take_session, &session,
		    "SELECT user.name, role, download, disabled, seen, csrf FROM session JOIN user USING (name)"
		    " WHERE session.hash=?1 AND used > CAST(?2 AS INTEGER) AND began > CAST(?3 AS INTEGER)"
		    " AND disabled='0'", hash, used, began, NULL)
		&& session != NULL)
		/* Not with each of many requests: a page and its pictures are one use. */
		run(accounts, NULL, NULL, NULL,
			"UPDATE session SET used=CAST(?2 AS INTEGER) WHERE hash=?1 AND used < CAST(?3 AS INTEGER)",
			hash, at, lately, NULL);
	return session;
}

bool ms_accounts_logout(MsAccounts *accounts, const char *id, GError **error)
{
	g_autofree char *hash = hash_of(id);
	g_autofree char *old = number(g_get_real_time() - 30 * 86400 * (gint64)G_USEC_PER_SEC);
	return run(accounts, error, NULL, NULL,
		"DELETE FROM session WHERE hash=?1 OR began < CAST(?2 AS INTEGER)", hash, old, NULL);
}
