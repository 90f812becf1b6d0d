/*
 * The mapping of one host in a file.  In come parts (part.h), out go parts of the generation in
 * use, all of a lookup from one read transaction; from any thread.  A load writes parts of a
 * generation that nobody reads, many a transaction, and takes it into use in one.
 *
 * A part's row has its generation's number, its kind and its own number in one: rows of an integer
 * key lie beside each other and cost no index.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "missent/io.h"
#include "missent/store.h"

#include "backend.h"
#include "state.h"

#define APPLICATION_ID 0x6d736469 /* "msdi" */

/* What earlier versions wrote is left alone until something is imported: see find_current(). */
static const char schema[] =
	"CREATE TABLE IF NOT EXISTS part (id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
	"CREATE TABLE IF NOT EXISTS mapping ("
	" number INTEGER PRIMARY KEY, generation TEXT NOT NULL UNIQUE, state TEXT);"
	"CREATE TABLE IF NOT EXISTS current (one INTEGER PRIMARY KEY CHECK (one = 1), generation TEXT NOT NULL);";

/* of the generation's number; below it are two bits of kind, and the part's number */
#define NUMBER_SHIFT 36
#define KIND_SHIFT 34
#define BATCH_BYTES (8 << 20)
#define TIDY_ROWS 2000

typedef struct {
	MsBackend base;
	char *path;
	MsSqlite *db;
	/* of a load */
	char *loading;
	gint64 number;
	int lock; /* of the file beside the database, held during a load; -1 */
	gsize in_batch;
	bool open; /* a transaction is */
} Sqlite;

static Sqlite *self(MsBackend *backend)
{
	return (Sqlite *)backend;
}

static void let_go(Sqlite *s)
{
	ms_io_close(s->lock);
	s->lock = -1;
}

/* One import at a time.  Its end, however it comes, lets go. */
static bool claim(Sqlite *s, GError **error)
{
	if (strcmp(s->path, ":memory:") == 0)
		return true;
	g_autofree char *path = g_strconcat(s->path, ".lock", NULL);
	s->lock = ms_io_open_lock(path);
	if (s->lock < 0) {
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT,
			"%s: %s; it belongs to who imported first: remove it, or give it to "
			"who owns %s",
			path, g_strerror(errno), s->path);
		return false;
	}
	if (flock(s->lock, LOCK_EX | LOCK_NB) == 0)
		return true;
	let_go(s);
	g_set_error(error, MS_ERROR, MS_ERROR_BUSY, "%s: another import is running", path);
	return false;
}

static void close_sqlite(MsBackend *backend)
{
	Sqlite *s = self(backend);
	let_go(s);
	ms_sqlite_free(s->db);
	g_free(s->path);
	g_free(s->loading);
	g_free(s);
}

static MsAnswer run(Sqlite *s, const char *sql, GError **error)
{
	return ms_sqlite_ask(s->db, sql, NULL, NULL, NULL, NULL, error);
}

static gint64 row_of(gint64 number, MsPartId id)
{
	static const char kinds[] = {MS_PART_SLICE, MS_PART_GROUP, MS_PART_MARKS};
	const char *kind = memchr(kinds, MS_PART_KIND(id), sizeof kinds);
	g_assert(kind != NULL);
	return number << NUMBER_SHIFT | (gint64)(kind - kinds) << KIND_SHIFT | MS_PART_NUMBER(id);
}

/* ---- looking up ----------------------------------------------------------------------- */

static void take_generation(MsSqlRow *row, void *user)
{
	char **out = user;
	const char *text = ms_sql_text(row, "generation");
	if (*out == NULL && !ms_sql_is_odd(row))
		*out = g_strdup(text);
}

static void take_found(MsSqlRow *row, void *user)
{
	(void)row;
	*(bool *)user = true;
}

typedef struct {
	gint64 number;
	char *state;
} Row;

static void take_row(MsSqlRow *row, void *user)
{
	Row *out = user;
	out->number = ms_sql_number(row, "number");
	const char *state = ms_sql_text_or_null(row, "state");
	if (out->state == NULL && !ms_sql_is_odd(row))
		out->state = g_strdup(state);
}

static MsAnswer row_of_generation(Sqlite *s, const char *generation, Row *row, GError **error)
{
	return ms_sqlite_ask(s->db,
		"SELECT number, state FROM mapping WHERE generation=:generation",
		MS_SQL_VALUES(MS_SQL_TEXT("generation", generation)), take_row, row, NULL, error);
}

/* The name of the generation in use.  MS_ABSENT: there is none; one of an earlier version has a
 * name, and no state. */
static MsAnswer find_current(Sqlite *s, char **generation, GError **error)
{
	MsAnswer answer = ms_sqlite_ask(s->db, "SELECT generation FROM current", NULL,
		take_generation, generation, NULL, error);
	bool earlier = false;
	if (answer == MS_FOUND && *generation == NULL)
		answer = ms_sqlite_ask(s->db, "SELECT 1 FROM sqlite_master WHERE name='entry'",
			NULL, take_found, &earlier, NULL, error);
	if (earlier)
		*generation = g_strdup("0");
	return answer == MS_FOUND && *generation == NULL ? MS_ABSENT : answer;
}

typedef struct {
	MsView *view;
	MsPartId id;
} TakePart;

static void take_part(MsSqlRow *row, void *user)
{
	const TakePart *take = user;
	GBytes *data = ms_sql_bytes(row, "data");
	if (data != NULL)
		ms_view_take(take->view, take->id, data);
}

static MsAnswer get_part(Sqlite *s, gint64 number, MsPartId id, MsView *out, GError **error)
{
	if (ms_view_part(out, id) != NULL)
		return MS_FOUND;
	TakePart take = {out, id};
	return ms_sqlite_ask(s->db, "SELECT data FROM part WHERE id=:id",
		MS_SQL_VALUES(MS_SQL_NUMBER("id", row_of(number, id))), take_part, &take, NULL,
		error);
}

/* The slices that the links of an entry lead to. */
static MsAnswer join(Sqlite *s, gint64 number, const MsPlaces *places, GBytes *slice,
	const guint8 key[MS_ENTRY_KEY], MsView *out, GError **error)
{
	gsize len;
	const guint8 *data = g_bytes_get_data(slice, &len), *keys, *links;
	guint n, many;
	if (!ms_slice_clear(data, len, &n, &keys, &links))
		return MS_FOUND; /* it will not open, either */
	guint first = ms_slice_find(keys, n, key, &many);
	MsAnswer answer = MS_FOUND;
	for (guint i = first; i < first + MIN(many, MS_MANY_LINKS) && answer == MS_FOUND; i++)
		answer = get_part(s, number,
			MS_PART(MS_PART_SLICE,
				ms_place_account(places, links + (gsize)i * MS_LINK_BYTES)),
			out, error);
	return answer;
}

static MsAnswer get_wanted(
	Sqlite *s, gint64 number, const MsWanted *wanted, gsize n, MsView *out, GError **error)
{
	MsPlaces places;
	if (!ms_mapping_places(out->state, &places))
		return MS_FOUND; /* who reads the state says so */
	MsAnswer answer = MS_FOUND;
	for (gsize i = 0; i < n && answer == MS_FOUND; i++) {
		guint32 place = wanted[i].account ? ms_place_account(&places, wanted[i].digest)
						  : ms_place_entry(&places, wanted[i].digest);
		MsPartId id = MS_PART(MS_PART_SLICE, place);
		answer = get_part(s, number, id, out, error);
		GBytes *slice = ms_view_part(out, id);
		if (answer == MS_FOUND && wanted[i].join && slice != NULL)
			answer = join(s, number, &places, slice, wanted[i].digest + MS_PLACE_BYTES,
				out, error);
	}
	return answer;
}

/* What an import has stored so far is its own transaction.  One that was not committed stays open
 * for us, though SQLite rolled it back: no later COMMIT succeeds, until abandon_sqlite(). */
static bool end_batch(Sqlite *s, GError **error)
{
	s->in_batch = 0;
	s->open = s->open && run(s, "COMMIT", error) != MS_FOUND;
	return !s->open;
}

/* One read transaction: a new generation taken into use meanwhile is not half seen.  In the file
 * that has the name now.  Where it is not MS_FOUND there is none, and nothing to end. */
static MsAnswer begin_read(Sqlite *s, GError **error)
{
	ms_sqlite_lock(s->db);
	/* Of this thread, which imports and looks at what is in use, or at what it wrote: within
	 * its batch no other transaction begins, and the end of one would be the end of that. */
	MsAnswer answer = end_batch(s, error) ? ms_sqlite_follow_contents(s->db, error) : MS_RETRY;
	if (answer == MS_FOUND)
		answer = run(s, "BEGIN", error);
	if (answer != MS_FOUND)
		ms_sqlite_unlock(s->db);
	return answer;
}

static void end_read(Sqlite *s)
{
	run(s, "COMMIT", NULL);
	ms_sqlite_unlock(s->db);
}

static MsAnswer look_sqlite(
	MsBackend *backend, const MsWanted *wanted, gsize n, MsView *out, GError **error)
{
	Sqlite *s = self(backend);
	Row row = {0};
	MsAnswer answer = begin_read(s, error);
	if (answer != MS_FOUND)
		return answer;
	answer = find_current(s, &out->generation, error);
	if (answer == MS_FOUND)
		answer = row_of_generation(s, out->generation, &row, error);
	out->state = row.state;
	if (answer == MS_FOUND && out->state != NULL)
		answer = get_wanted(s, row.number, wanted, n, out, error);
	end_read(s);
	return answer;
}

static MsAnswer fetch_sqlite(MsBackend *backend, const char *generation, const MsPartId *ids,
	gsize n, MsView *out, GError **error)
{
	Sqlite *s = self(backend);
	Row row = {0};
	MsAnswer answer = begin_read(s, error);
	if (answer != MS_FOUND)
		return answer;
	answer = find_current(s, &out->generation, error);
	if (answer == MS_FOUND || answer == MS_ABSENT)
		answer = row_of_generation(s, generation, &row, error);
	out->state = row.state;
	for (gsize i = 0; i < n && answer == MS_FOUND; i++)
		answer = get_part(s, row.number, ids[i], out, error);
	end_read(s);
	return answer;
}

/* ---- changing ------------------------------------------------------------------------- */

static MsAnswer put_part(Sqlite *s, gint64 number, MsPartId id, GBytes *data, GError **error)
{
	return ms_sqlite_ask(s->db, "INSERT OR REPLACE INTO part VALUES (:id, :data)",
		MS_SQL_VALUES(MS_SQL_NUMBER("id", row_of(number, id)), MS_SQL_BYTES("data", data)),
		NULL, NULL, NULL, error);
}

static MsAnswer set_state(Sqlite *s, gint64 number, const char *state, GError **error)
{
	return ms_sqlite_ask(s->db, "UPDATE mapping SET state=:state WHERE number=:number",
		MS_SQL_VALUES(MS_SQL_TEXT("state", state), MS_SQL_NUMBER("number", number)), NULL,
		NULL, NULL, error);
}

static MsAnswer swap_all(Sqlite *s, const MsView *seen, const char *state, const MsPartId *ids,
	GBytes *const *data, gsize n, bool *swapped, GError **error)
{
	g_autofree char *current = NULL;
	Row row = {0};
	MsAnswer answer = find_current(s, &current, error);
	if (answer == MS_FOUND)
		answer = row_of_generation(s, current, &row, error);
	g_autofree char *now = row.state;
	if (answer != MS_FOUND || g_strcmp0(current, seen->generation) != 0 ||
		g_strcmp0(now, seen->state) != 0)
		return answer;
	answer = set_state(s, row.number, state, error);
	for (gsize i = 0; i < n && answer == MS_FOUND; i++)
		answer = put_part(s, row.number, ids[i], data[i], error);
	*swapped = answer == MS_FOUND;
	return answer;
}

static MsAnswer swap_sqlite(MsBackend *backend, const MsView *seen, const char *state,
	const MsPartId *ids, GBytes *const *data, gsize n, bool *swapped_out, GError **error)
{
	Sqlite *s = self(backend);
	bool swapped = false;
	ms_sqlite_lock(s->db);
	MsAnswer answer = ms_sqlite_follow_contents(s->db, error);
	if (answer == MS_FOUND)
		answer = run(s, "BEGIN IMMEDIATE", error);
	if (answer == MS_FOUND) {
		answer = swap_all(s, seen, state, ids, data, n, &swapped, error);
		if (answer == MS_FOUND)
			answer = run(s, "COMMIT", error);
		if (answer != MS_FOUND)
			run(s, "ROLLBACK", NULL);
	}
	if (swapped && answer == MS_FOUND)
		ms_sqlite_empty_log(s->db, NULL);
	ms_sqlite_unlock(s->db);
	*swapped_out = swapped && answer == MS_FOUND;
	return answer;
}

/* ---- loading -------------------------------------------------------------------------- */

static void take_number(MsSqlRow *row, void *user)
{
	*(gint64 *)user = ms_sql_number(row, "n");
}

/* Of a generation that an import goes on with there is one already. */
static bool new_row(Sqlite *s, const char **note_out, GError **error)
{
	bool cut_off = false;
	gint64 last = 0;
	Row row = {0};
	*note_out = NULL;
	if (row_of_generation(s, s->loading, &row, error) != MS_FOUND)
		return false;
	g_free(row.state);
	s->number = row.number;
	if (row.number > 0)
		return true;
	if (ms_sqlite_ask(s->db, "SELECT 1 FROM mapping WHERE state IS NULL", NULL, take_found,
		    &cut_off, NULL, error) != MS_FOUND ||
		ms_sqlite_ask(s->db, "SELECT ifnull(max(number), 0) AS n FROM mapping", NULL,
			take_number, &last, NULL, error) != MS_FOUND)
		return false;
	*note_out = cut_off
		? "an import was cut off before; this one begins anew, and removes what that one wrote"
		: NULL;
	s->number = last + 1;
	return ms_sqlite_ask(s->db, "INSERT INTO mapping VALUES (:number, :generation, NULL)",
		       MS_SQL_VALUES(MS_SQL_NUMBER("number", s->number),
			       MS_SQL_TEXT("generation", s->loading)),
		       NULL, NULL, NULL, error) == MS_FOUND;
}

static bool begin_sqlite(
	MsBackend *backend, const char *generation, const char **note_out, GError **error)
{
	Sqlite *s = self(backend);
	if (!claim(s, error))
		return false;
	g_free(s->loading);
	s->loading = g_strdup(generation);
	s->in_batch = 0;
	bool fine = ms_sqlite_follow_contents(s->db, error) == MS_FOUND &&
		new_row(s, note_out, error);
	if (!fine)
		let_go(s);
	return fine;
}

/* What is stored is in the log first, and then in the file as well.  Records of held mail and the
 * audit trail are most often on the same disk. */
static bool has_room(const Sqlite *s, GError **error)
{
	if (ms_io_has_room(s->path, 2 * s->in_batch))
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_FULL,
		"%s: an import would take the room that is left for mail on its disk; make room, and "
		"import again",
		s->path);
	return false;
}

static bool store_sqlite(MsBackend *backend, MsPartId id, GBytes *data, GError **error)
{
	Sqlite *s = self(backend);
	if (!s->open && run(s, "BEGIN IMMEDIATE", error) != MS_FOUND)
		return false;
	s->open = true;
	s->in_batch += g_bytes_get_size(data);
	return has_room(s, error) && put_part(s, s->number, id, data, error) == MS_FOUND
		&& (s->in_batch < BATCH_BYTES || end_batch(s, error));
}

static bool alive_sqlite(MsBackend *backend, GError **error)
{
	(void)backend;
	(void)error;
	return true; /* the lock lives as long as the process */
}

static bool settle_sqlite(MsBackend *backend, GError **error)
{
	return end_batch(self(backend), error);
}

static bool commit_sqlite(MsBackend *backend, const char *state, GError **error)
{
	Sqlite *s = self(backend);
	if (!end_batch(s, error))
		return false;
	ms_sqlite_lock(s->db);
	bool fine = run(s, "BEGIN IMMEDIATE", error) == MS_FOUND &&
		set_state(s, s->number, state, error) == MS_FOUND &&
		ms_sqlite_ask(s->db, "INSERT OR REPLACE INTO current VALUES (1, :generation)",
			MS_SQL_VALUES(MS_SQL_TEXT("generation", s->loading)), NULL, NULL, NULL,
			error) == MS_FOUND &&
		run(s, "COMMIT", error) == MS_FOUND;
	if (!fine)
		run(s, "ROLLBACK", NULL);
	ms_sqlite_unlock(s->db);
	if (fine) {
		ms_sqlite_empty_log(s->db, NULL);
		let_go(s);
	}
	return fine;
}

static void abandon_sqlite(MsBackend *backend)
{
	Sqlite *s = self(backend);
	if (s->open)
		run(s, "ROLLBACK", NULL);
	s->open = false;
	ms_sqlite_empty_log(s->db, NULL);
	let_go(s);
}

/* What earlier versions had. */
static bool drop_old_tables(Sqlite *s, GError **error)
{
	return run(s, "DROP TABLE IF EXISTS entry", error) == MS_FOUND &&
		run(s, "DROP TABLE IF EXISTS mark", error) == MS_FOUND &&
		run(s, "DROP TABLE IF EXISTS state", error) == MS_FOUND;
}

static bool tidy_sqlite(MsBackend *backend, bool *more_out, GError **error)
{
	Sqlite *s = self(backend);
	gint64 unused = 0, removed = 0;
	*more_out = false;
	if (!claim(s, error))
		return false;
	bool fine = drop_old_tables(s, error) &&
		ms_sqlite_ask(s->db,
			"SELECT ifnull(min(number), 0) AS n FROM mapping WHERE generation NOT IN"
			" (SELECT generation FROM current)",
			NULL, take_number, &unused, NULL, error) == MS_FOUND;
	if (fine && unused > 0) {
		fine = ms_sqlite_ask(s->db,
			       "DELETE FROM part WHERE id IN (SELECT id FROM part WHERE id >= :first"
			       " AND id < :end LIMIT " G_STRINGIFY(TIDY_ROWS) ")",
			       MS_SQL_VALUES(MS_SQL_NUMBER("first", unused << NUMBER_SHIFT),
				       MS_SQL_NUMBER("end", (unused + 1) << NUMBER_SHIFT)),
			       NULL, NULL, &removed, error) == MS_FOUND;
		*more_out = true;
		if (fine && removed == 0)
			fine = ms_sqlite_ask(s->db, "DELETE FROM mapping WHERE number=:number",
				       MS_SQL_VALUES(MS_SQL_NUMBER("number", unused)), NULL, NULL,
				       NULL, error) == MS_FOUND;
	} else if (fine) {
		ms_sqlite_empty_log(s->db, NULL);
	}
	let_go(s);
	return fine;
}

static const MsBackendOps sqlite_ops = {
	.name = "sqlite",
	.close = close_sqlite,
	.look = look_sqlite,
	.fetch = fetch_sqlite,
	.swap = swap_sqlite,
	.begin = begin_sqlite,
	.store = store_sqlite,
	.alive = alive_sqlite,
	.settle = settle_sqlite,
	.commit = commit_sqlite,
	.abandon = abandon_sqlite,
	.tidy = tidy_sqlite,
};

MsBackend *ms_backend_sqlite(const MsDirectorySettings *settings, GError **error)
{
	MsSqlite *db = ms_sqlite_open(settings->sqlite, APPLICATION_ID, schema, true, NULL, error);
	if (db == NULL)
		return NULL;
	Sqlite *s = g_new0(Sqlite, 1);
	s->base.ops = &sqlite_ops;
	s->path = g_strdup(settings->sqlite);
	s->lock = -1;
	s->db = db;
	return &s->base;
}
