#include "config.h"

#include <pthread.h>
#include <string.h>

#include "missent/clock.h"
#include "missent/store.h"

#include "step.h"

/*
 * Values under names in a table of one file; a step runs within a transaction (step.c), from any
 * thread, one at a time.  A transaction takes up several steps: pages that they share are written
 * once.  It ends after BATCH steps, at once when a stream is stopped or runs again, and at the
 * latest after BATCH_MS, by a thread of the store's own that exists once there was a step.  A
 * commit need not be on disk when it returns.  So a process that is killed forgets what it
 * counted in the last BATCH_MS, and a loss of power somewhat more, which costs less than a wait
 * for each message; a transaction that cannot be ended is told by the next step.  Another process
 * that writes (a reset) finds its turn within a second: for a part of each no transaction stays
 * open.  What is too old is removed as the steps go, a few rows at a time.
 */

#define APPLICATION_ID 0x4d534745 /* MSGE */
#define APPLICATION_ID_BEFORE 0x4d534744
#define BATCH 64
#define BATCH_MS 200
#define TURN_MS 1000   /* of this ... */
#define BATCHED_MS 850 /* ... steps share transactions */
#define TIDY_EVERY 16
#define TIDY_ROWS "256"

typedef struct {
	MsGuardStore ops; /* first */
	MsSqlite *db;
	/* Under the lock of db. */
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

static void take_value(MsSqlRow *row, void *user)
{
	GBytes **out = user;
	*out = ms_sql_bytes(row, "value");
}

static GBytes *get(const MsStepName *name, void *user)
{
	Within *w = user;
	GBytes *value = NULL;
	if (w->answer == MS_FOUND)
		w->answer = ms_sqlite_ask(w->store->db,
			"SELECT value FROM counts WHERE name=:name AND expires>:now",
			MS_SQL_VALUES(MS_SQL_NUMBER("name", number_of(w->key_name, name)),
				MS_SQL_NUMBER("now", w->now)),
			take_value, &value, NULL, w->error);
	return value;
}

static void set(const MsStepName *name, GBytes *value, guint32 ttl, void *user)
{
	Within *w = user;
	if (w->answer == MS_FOUND)
		w->answer = ms_sqlite_ask(w->store->db,
			"REPLACE INTO counts (name, letter, expires, value) VALUES (:name, :letter, :expires, :value)",
			MS_SQL_VALUES(MS_SQL_NUMBER("name", number_of(w->key_name, name)),
				MS_SQL_NUMBER("letter", name->bytes[0]),
				MS_SQL_NUMBER("expires", (gint64)w->now + ttl),
				MS_SQL_BYTES("value", value)),
			NULL, NULL, NULL, w->error);
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

static void commit(Within *w)
{
	if (!ms_sqlite_in_transaction(w->store->db))
		return;
	w->answer = ask(w, "COMMIT");
	if (ms_sqlite_in_transaction(w->store->db))
		ms_sqlite_ask(w->store->db, "ROLLBACK", NULL, NULL, NULL, NULL, NULL);
	w->store->waiting = 0;
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
	w->answer = ms_sqlite_follow(store->db, w->error);
	if (w->answer == MS_FOUND)
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
		store->started = pthread_create(&store->thread, NULL, commit_late, store) == 0;
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
			(++store->waiting >= BATCH || alone || is_news(step, out) ||
				!leave_open(store)))
			commit(&within);
		if (within.answer != MS_FOUND)
			ms_stepped_clear(out);
	}
	if (within.answer != MS_FOUND && ms_sqlite_in_transaction(store->db)) {
		ms_sqlite_ask(store->db, "ROLLBACK", NULL, NULL, NULL, NULL, NULL);
		store->waiting = 0;
	}
	ms_sqlite_unlock(store->db);
	return within.answer;
}

static MsAnswer value(MsGuardStore *ops, const guint8 *key_name, const MsStepName *name,
	GBytes **value_out, GError **error)
{
	Store *store = (Store *)ops;
	Within within = {store, key_name, 0, MS_FOUND, error};
	ms_sqlite_lock(store->db);
	if (!ms_sqlite_in_transaction(store->db))
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
	g_clear_error(&store->lost);
	g_free(store);
}

MsGuardStore *ms_guard_store_sqlite(const char *path, GError **error)
{
	MsSqlite *db = ms_sqlite_open_upgraded(
		path, APPLICATION_ID, upgrades, schema, true, NULL, error);
	if (db == NULL)
		return NULL;
	ms_sqlite_ask(db, "PRAGMA synchronous=NORMAL", NULL, NULL, NULL, NULL, NULL);
	ms_sqlite_ask(db, "PRAGMA cache_size=-8000", NULL, NULL, NULL, NULL, NULL);
	ms_sqlite_ask(db, "PRAGMA wal_autocheckpoint=4000", NULL, NULL, NULL, NULL, NULL);
	Store *store = g_new0(Store, 1);
	store->ops = (MsGuardStore){close_store, step, value};
	store->db = db;
	store->tidied = G_MININT64;
	pthread_mutex_init(&store->lock, NULL);
	pthread_cond_init(&store->wake, NULL);
	return &store->ops;
}
