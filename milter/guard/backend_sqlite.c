/*
 * Values under names in a table of one file; a step runs within a transaction (step.c), from any
 * thread, one at a time.  A transaction takes up several steps: pages that they share are written
 * once, and values that they share are read once, and written once, when it ends: nobody else
 * writes meanwhile.  It ends after BATCH steps or BATCH_BYTES of values, at once when a stream is
 * stopped or runs again, and at the latest after BATCH_MS, by a thread of the store's own that
 * exists once there was a step.  A commit need not be on disk when it returns.  So a process that
 * is killed forgets what it counted in the last BATCH_MS, and a loss of power somewhat more,
 * which costs less than a wait for each message; a transaction that cannot be ended is told by
 * the next step.  Another process that writes (a reset) finds its turn within a second: for a
 * part of each no transaction stays open.  What is too old is removed as the steps go, a few rows
 * at a time.
 */
#include "config.h"

#include <pthread.h>
#include <string.h>

#include "missent/clock.h"
#include "missent/io.h"
#include "missent/store.h"

#include "step.h"

#define APPLICATION_ID 0x4d534745 /* MSGE */
#define APPLICATION_ID_BEFORE 0x4d534744
#define BATCH 64
#define BATCH_BYTES (1 << 20)
#define BATCH_MS 200
#define TURN_MS 1000   /* of this ... */
#define BATCHED_MS 850 /* ... steps share transactions */
#define TIDY_EVERY 16
#define TIDY_ROWS "256"

/* A value as it is within the transaction. */
typedef struct {
	gint64 name;   /* first: the key is it */
	GBytes *value; /* NULL: there is none */
	gint64 expires;
	guint8 letter;
	bool changed; /* it is yet to be written */
} Kept;

typedef struct {
	MsGuardStore ops; /* first */
	MsSqlite *db;
	/* Under the lock of db. */
	GHashTable *kept; /* of Kept, by name; empty outside a transaction */
	gsize kept_bytes;
	guint waiting, steps;
	gint64 tidied; /* up to this name */
	GError *lost;
	/* The thread, and what it is told. */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool started, open, ending;
} Store;

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS counts"
	" (name INTEGER PRIMARY KEY, letter INTEGER NOT NULL, expires INTEGER NOT NULL, value BLOB NOT NULL);";
static const MsSqliteUpgrade upgrades[] = {
	{APPLICATION_ID_BEFORE, "DROP TABLE IF EXISTS state"}, {0, NULL}};

typedef struct {
	Store *store;
	const guint8 *key_name;
	guint32 now;
	MsAnswer answer;
	GError **error;
} Within;

static MsAnswer ask(const Within *w, const char *sql)
{
	return ms_sqlite_ask(w->store->db, sql, NULL, NULL, NULL, NULL, w->error);
}

/* ---- values --------------------------------------------------------------------------- */

/* Eight bytes of a keyed digest are as good as all of them; what has none is told apart by its
 * letter. */
static gint64 number_of(const guint8 *key_name, const MsStepName *name)
{
	guint64 mix = 0xcbf29ce484222325u, key;
	for (int i = 0; i < MS_KEY_NAME_BYTES; i++)
		mix = (mix ^ key_name[i]) * 0x100000001b3u;
	mix = (mix ^ name->bytes[0]) * 0x100000001b3u;
	memcpy(&key, name->bytes + 1, sizeof key);
	key = GUINT64_FROM_BE(key) ^ mix;
	gint64 number;
	memcpy(&number, &key, sizeof number);
	return number;
}

static void kept_free(gpointer data)
{
	Kept *kept = data;
	g_clear_pointer(&kept->value, g_bytes_unref);
	g_free(kept);
}

static void take_value(MsSqlRow *row, void *user)
{
	Kept *kept = user;
	g_clear_pointer(&kept->value, g_bytes_unref);
	kept->value = ms_sql_bytes(row, "value");
	kept->expires = ms_sql_number(row, "expires");
}

static void keep(Store *store, Kept *kept)
{
	store->kept_bytes += sizeof *kept + (kept->value ? g_bytes_get_size(kept->value) : 0);
	g_hash_table_replace(store->kept, &kept->name, kept);
}

static void let_go(Store *store)
{
	g_hash_table_remove_all(store->kept);
	store->kept_bytes = 0;
}

static GBytes *current(const Kept *kept, gint64 now)
{
	return kept->value != NULL && kept->expires > now ? g_bytes_ref(kept->value) : NULL;
}

static GBytes *get(const MsStepName *name, void *user)
{
	Within *w = user;
	gint64 number = number_of(w->key_name, name);
	const Kept *known = g_hash_table_lookup(w->store->kept, &number);
	if (known != NULL || w->answer != MS_FOUND)
		return known != NULL ? current(known, w->now) : NULL;
	Kept *kept = g_new(Kept, 1);
	*kept = (Kept){.name = number};
	w->answer = ms_sqlite_ask(w->store->db,
		"SELECT value, expires FROM counts WHERE name=:name",
		MS_SQL_VALUES(MS_SQL_NUMBER("name", number)), take_value, kept, NULL, w->error);
	GBytes *value = w->answer == MS_FOUND ? current(kept, w->now) : NULL;
	if (w->answer == MS_FOUND && ms_sqlite_in_transaction(w->store->db))
		keep(w->store, kept);
	else
		kept_free(kept);
	return value;
}

static void set(const MsStepName *name, GBytes *value, guint32 ttl, void *user)
{
	Within *w = user;
	if (w->answer != MS_FOUND)
		return;
	Kept *kept = g_new(Kept, 1);
	*kept = (Kept){number_of(w->key_name, name), g_bytes_ref(value), (gint64)w->now + ttl,
		name->bytes[0], true};
	keep(w->store, kept);
}

static void write_changed(Within *w)
{
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, w->store->kept);
	while (w->answer == MS_FOUND && g_hash_table_iter_next(&iter, NULL, &value)) {
		const Kept *kept = value;
		if (kept->changed)
			w->answer = ms_sqlite_ask(w->store->db,
				"REPLACE INTO counts (name, letter, expires, value)"
				" VALUES (:name, :letter, :expires, :value)",
				MS_SQL_VALUES(MS_SQL_NUMBER("name", kept->name),
					MS_SQL_NUMBER("letter", kept->letter),
					MS_SQL_NUMBER("expires", kept->expires),
					MS_SQL_BYTES("value", kept->value)),
				NULL, NULL, NULL, w->error);
	}
}

static void take_name(MsSqlRow *row, void *user)
{
	gint64 *out = user;
	*out = ms_sql_number(row, "name");
}

/* From where it stopped, and from the beginning again after the last. */
static void tidy(Within *w)
{
	Store *store = w->store;
	if (++store->steps % TIDY_EVERY != 0 || w->answer != MS_FOUND)
		return;
	gint64 from = store->tidied, upto = G_MAXINT64;
	w->answer = ms_sqlite_ask(store->db,
		"SELECT name FROM counts WHERE name>:from ORDER BY name"
		" LIMIT 1 OFFSET " TIDY_ROWS,
		MS_SQL_VALUES(MS_SQL_NUMBER("from", from)), take_name, &upto, NULL, w->error);
	if (w->answer == MS_FOUND)
		w->answer = ms_sqlite_ask(store->db,
			"DELETE FROM counts WHERE name>:from AND name<=:upto AND expires<=:now",
			MS_SQL_VALUES(MS_SQL_NUMBER("from", from), MS_SQL_NUMBER("upto", upto),
				MS_SQL_NUMBER("now", w->now)),
			NULL, NULL, NULL, w->error);
	store->tidied = upto != G_MAXINT64 ? upto : G_MININT64;
}

/* ---- transactions --------------------------------------------------------------------- */

static void roll_back(Store *store)
{
	if (ms_sqlite_in_transaction(store->db))
		ms_sqlite_ask(store->db, "ROLLBACK", NULL, NULL, NULL, NULL, NULL);
	store->waiting = 0;
	let_go(store);
}

static void commit(Within *w)
{
	if (!ms_sqlite_in_transaction(w->store->db))
		return;
	write_changed(w);
	if (w->answer == MS_FOUND)
		w->answer = ask(w, "COMMIT");
	roll_back(w->store); /* of what could not be ended */
}

static void begin(Within *w)
{
	Store *store = w->store;
	if (store->lost != NULL) {
		g_propagate_error(w->error, g_steal_pointer(&store->lost));
		w->answer = MS_RETRY;
		return;
	}
	if (ms_sqlite_in_transaction(store->db))
		return;
	let_go(store); /* an error may have ended the one before */
	w->answer = ask(w, "BEGIN IMMEDIATE");
}

/* Waits for a transaction that was left open, and then so long. */
static bool wait_for_work(Store *store)
{
	pthread_mutex_lock(&store->lock);
	while (!store->open && !store->ending)
		pthread_cond_wait(&store->wake, &store->lock);
	gint64 until = g_get_monotonic_time() + BATCH_MS * 1000;
	while (!store->ending && ms_clock_wait(&store->wake, &store->lock, until))
		continue;
	store->open = false;
	bool goes_on = !store->ending;
	pthread_mutex_unlock(&store->lock);
	return goes_on;
}

static void *commit_late(void *user)
{
	Store *store = user;
	while (wait_for_work(store)) {
		g_autoptr(GError) error = NULL;
		Within within = {store, NULL, 0, MS_FOUND, &error};
		ms_sqlite_lock(store->db);
		commit(&within);
		if (error != NULL && store->lost == NULL)
			store->lost = g_steal_pointer(&error);
		ms_sqlite_unlock(store->db);
	}
	return NULL;
}

/* False: there is no thread that would end it. */
static bool leave_open(Store *store)
{
	pthread_mutex_lock(&store->lock);
	if (!store->started)
		store->started = ms_io_thread(
			&store->thread, "guard commits", commit_late, store);
	bool left = store->started;
	if (!store->open && left) {
		store->open = true;
		pthread_cond_signal(&store->wake);
	}
	pthread_mutex_unlock(&store->lock);
	return left;
}

/* Stopped, running again, or an operator's act. */
static bool is_news(const MsStep *step, const MsStepped *out)
{
	for (guint i = 0; i < step->ops->len; i++) {
		const MsOp *op = &g_array_index(step->ops, MsOp, i);
		guint more = g_array_index(out->answers, MsOpAnswer, i).more;
		if (op->letter == MS_OP_FORGET)
			return true;
		if (op->letter == MS_OP_STREAM &&
			((op->flags & 4) != 0 || (more & (MS_NEWS_TRIPPED | MS_NEWS_CLOSED)) != 0))
			return true;
	}
	return false;
}

static MsAnswer step(MsGuardStore *ops, const MsStep *step, MsStepped *out, GError **error)
{
	Store *store = (Store *)ops;
	Within within = {store, step->key_name, step->now, MS_FOUND, error};
	const MsValues values = {get, set, &within};
	ms_sqlite_lock(store->db);
	begin(&within);
	if (within.answer == MS_FOUND) {
		ms_step_run(step, &values, out);
		tidy(&within);
		bool alone = g_get_monotonic_time() / 1000 % TURN_MS >= BATCHED_MS;
		if (within.answer == MS_FOUND &&
			(++store->waiting >= BATCH || store->kept_bytes >= BATCH_BYTES || alone ||
				is_news(step, out) || !leave_open(store)))
			commit(&within);
		if (within.answer != MS_FOUND)
			ms_stepped_clear(out);
	}
	if (within.answer != MS_FOUND)
		roll_back(store);
	ms_sqlite_unlock(store->db);
	return within.answer;
}

static MsAnswer value(MsGuardStore *ops, const guint8 *key_name, const MsStepName *name,
	GBytes **value_out, GError **error)
{
	Store *store = (Store *)ops;
	Within within = {store, key_name, 0, MS_FOUND, error};
	ms_sqlite_lock(store->db);
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
	Within within = {store, NULL, 0, MS_FOUND, NULL};
	pthread_mutex_lock(&store->lock);
	store->ending = true;
	pthread_cond_signal(&store->wake);
	pthread_mutex_unlock(&store->lock);
	if (store->started)
		pthread_join(store->thread, NULL);
	commit(&within);
	pthread_mutex_destroy(&store->lock);
	pthread_cond_destroy(&store->wake);
	ms_sqlite_free(store->db);
	g_hash_table_unref(store->kept);
	g_clear_error(&store->lost);
	g_free(store);
}

MsGuardStore *ms_guard_store_sqlite(const char *path, GError **error)
{
	MsSqlite *db = ms_sqlite_open_upgraded(
		path, APPLICATION_ID, upgrades, schema, true, NULL, error);
	if (db == NULL || !ms_sqlite_can_write(db, error)) {
		ms_sqlite_free(db);
		return NULL;
	}
	ms_sqlite_ask(db, "PRAGMA synchronous=NORMAL", NULL, NULL, NULL, NULL, NULL);
	ms_sqlite_ask(db, "PRAGMA cache_size=-8000", NULL, NULL, NULL, NULL, NULL);
	ms_sqlite_ask(db, "PRAGMA wal_autocheckpoint=4000", NULL, NULL, NULL, NULL, NULL);
	Store *store = g_new0(Store, 1);
	store->ops = (MsGuardStore){close_store, step, value};
	store->db = db;
	store->kept = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, kept_free);
	store->tidied = G_MININT64;
	pthread_mutex_init(&store->lock, NULL);
	pthread_cond_init(&store->wake, NULL);
	return &store->ops;
}
