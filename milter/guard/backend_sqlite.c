#include "config.h"

#include <string.h>

#include "missent/store.h"

#include "step.h"

/*
 * Values under keys in a table of one file; a step is one transaction (step.c), from any thread, one at
 * a time.  What is too old is removed now and then.  A commit need not be on disk when it returns:
 * after a loss of power the last messages were not counted, which costs less than a wait for each.
 */

#define APPLICATION_ID 0x4d534744 /* MSGD */
#define TIDY_EVERY 200

typedef struct {
	MsGuardStore ops; /* first */
	MsSqlite *db;
	char *key_name;
	gint steps; /* atomic */
} Store;

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value BLOB NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS state_expires ON state (expires);";

typedef struct {
	Store *store;
	guint32 now;
	MsAnswer answer;
	GError **error;
} Within;

static void take_value(MsSqlRow *row, void *user)
{
	GBytes **out = user;
	*out = ms_sql_bytes(row, "value");
}

static GBytes *get(const char *name, void *user)
{
	Within *w = user;
	GBytes *value = NULL;
	g_autofree char *whole = g_strconcat(w->store->key_name, name, NULL);
	if (w->answer == MS_FOUND)
		w->answer = ms_sqlite_ask(w->store->db, "SELECT value FROM state WHERE name=:name AND expires>:now",
			MS_SQL_VALUES(MS_SQL_TEXT("name", whole), MS_SQL_NUMBER("now", w->now)), take_value, &value, NULL,
			w->error);
	return value;
}

/* Up, so that the index by time need not change with each message. */
static gint64 rounded(gint64 at, gint64 step)
{
	return step > 1 ? (at + step - 1) / step * step : at;
}

static void set(const char *name, GBytes *value, guint32 ttl, void *user)
{
	Within *w = user;
	g_autofree char *whole = g_strconcat(w->store->key_name, name, NULL);
	if (w->answer == MS_FOUND)
		w->answer = ms_sqlite_ask(w->store->db,
			"INSERT INTO state (name, value, expires) VALUES (:name, :value, :expires)"
			" ON CONFLICT (name) DO UPDATE SET value=excluded.value, expires=excluded.expires",
			MS_SQL_VALUES(MS_SQL_TEXT("name", whole), MS_SQL_BYTES("value", value),
				MS_SQL_NUMBER("expires", rounded((gint64)w->now + ttl, ttl / 8))), NULL, NULL, NULL, w->error);
}

static void tidy(Within *w)
{
	if (g_atomic_int_add(&w->store->steps, 1) % TIDY_EVERY != 0 || w->answer != MS_FOUND)
		return;
	w->answer = ms_sqlite_ask(w->store->db, "DELETE FROM state WHERE name IN"
		" (SELECT name FROM state WHERE expires<=:now LIMIT 5000)",
		MS_SQL_VALUES(MS_SQL_NUMBER("now", w->now)), NULL, NULL, NULL, w->error);
}

static MsAnswer step(MsGuardStore *ops, const MsStep *step, MsStepped *out, GError **error)
{
	Store *store = (Store *)ops;
	Within within = {store, step->now, MS_FOUND, error};
	const MsValues values = {get, set, &within};
	ms_sqlite_lock(store->db);
	within.answer = ms_sqlite_follow(store->db, error);
	if (within.answer == MS_FOUND)
		within.answer = ms_sqlite_ask(store->db, "BEGIN IMMEDIATE", NULL, NULL, NULL, NULL, error);
	if (within.answer == MS_FOUND) {
		ms_step_run(step, &values, out);
		tidy(&within);
		if (within.answer == MS_FOUND)
			within.answer = ms_sqlite_ask(store->db, "COMMIT", NULL, NULL, NULL, NULL, error);
		if (within.answer != MS_FOUND)
			ms_stepped_clear(out);
	}
	if (ms_sqlite_in_transaction(store->db))
		ms_sqlite_ask(store->db, "ROLLBACK", NULL, NULL, NULL, NULL, NULL);
	ms_sqlite_unlock(store->db);
	return within.answer;
}

static MsAnswer value(MsGuardStore *ops, const char *name, GBytes **value_out, GError **error)
{
	Store *store = (Store *)ops;
	Within within = {store, 0, MS_FOUND, error};
	ms_sqlite_lock(store->db);
	within.answer = ms_sqlite_follow(store->db, error);
	GBytes *found = get(name, &within);
	ms_sqlite_unlock(store->db);
	if (within.answer == MS_FOUND && found == NULL)
		return MS_ABSENT;
	if (within.answer == MS_FOUND)
		*value_out = found;
	return within.answer;
}

static void close_store(MsGuardStore *ops)
{
	Store *store = (Store *)ops;
	ms_sqlite_free(store->db);
	g_free(store->key_name);
	g_free(store);
}

MsGuardStore *ms_guard_store_sqlite(const char *path, const char *key_name, GError **error)
{
	MsSqlite *db = ms_sqlite_open(path, APPLICATION_ID, schema, true, NULL, error);
	if (db == NULL)
		return NULL;
	ms_sqlite_ask(db, "PRAGMA synchronous=NORMAL", NULL, NULL, NULL, NULL, NULL);
	Store *store = g_new0(Store, 1);
	store->ops = (MsGuardStore){close_store, step, value};
	store->db = db;
	store->key_name = g_strdup(key_name);
	return &store->ops;
}
