#include "config.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "missent/digest.h"
#include "missent/store.h"

#include "backend.h"

/*
 * The mapping of one host in a file.  In come keys and tokens (backend.h), out go entries of the
 * generation in use, all of a lookup from one read transaction; from any thread.  A load writes rows
 * of a generation that nobody reads, a batch a transaction, and takes it into use in one.
 */

#define APPLICATION_ID 0x6d736469 /* "msdi" */

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS entry ("
	" generation INTEGER NOT NULL, key TEXT NOT NULL, token TEXT NOT NULL,"
	" PRIMARY KEY (generation, key, token)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS mark ("
	" generation INTEGER NOT NULL, number INTEGER NOT NULL, marks TEXT NOT NULL,"
	" PRIMARY KEY (generation, number)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;";

#define CURRENT "(SELECT CAST(value AS INTEGER) FROM state WHERE name='current')"
#define BATCH 20000

typedef struct {
	MsBackend base;
	char *path;
	MsSqlite *db;
	char *loading; /* the generation that is being written */
	int lock;      /* of the file beside the database, held during a load; -1 */
	guint in_batch;
	gint64 added, mark_lists;
} Sqlite;

static Sqlite *self(MsBackend *backend)
{
	return (Sqlite *)backend;
}

static void let_go(Sqlite *s)
{
	if (s->lock >= 0)
		close(s->lock);
	s->lock = -1;
}

/* One import at a time, or two would write into one generation. */
static bool claim(Sqlite *s, GError **error)
{
	if (strcmp(s->path, ":memory:") == 0)
		return true;
	g_autofree char *path = g_strconcat(s->path, ".lock", NULL);
	s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (s->lock >= 0 && flock(s->lock, LOCK_EX | LOCK_NB) == 0)
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

static MsAnswer run(Sqlite *s, const char *sql, const char *const *params, gint64 *changes,
	GError **error)
{
	return ms_sqlite_run(s->db, sql, params, NULL, NULL, changes, error);
}

/* In the file that has the name now. */
static MsAnswer begin_read(Sqlite *s, GError **error)
{
	MsAnswer answer = ms_sqlite_follow(s->db, error);
	return answer == MS_FOUND ? run(s, "BEGIN", NULL, NULL, error) : answer;
}

/* ---- looking up ----------------------------------------------------------------------- */

static void take_state(int n, const char *const *columns, void *user)
{
	(void)n;
	MsDirectoryState *state = user;
	if (strcmp(columns[0], "current") == 0) {
		g_free(state->generation);
		state->generation = g_strdup(columns[1]);
	} else if (strcmp(columns[0], "source") == 0) {
		g_free(state->source);
		state->source = g_strdup(columns[1]);
	} else if (strcmp(columns[0], "loaded") == 0) {
		ms_state_set_loaded(state, columns[1]);
	} else if (strcmp(columns[0], "entries") == 0) {
		state->entries = g_ascii_strtoll(columns[1], NULL, 10);
	} else if (strcmp(columns[0], "changes") == 0) {
		state->changes = g_ascii_strtoll(columns[1], NULL, 10);
	} else if (strcmp(columns[0], "digests") == 0) {
		state->digests = strcmp(columns[1], "1") == 0;
	}
}

static void take_token(int n, const char *const *columns, void *user)
{
	(void)n;
	g_ptr_array_add(user, g_strdup(columns[0]));
}

static MsAnswer tokens_of(Sqlite *s, const char *key, GPtrArray *tokens, MsLookup *out, GError **error)
{
	g_autofree char *most = g_strdup_printf("%" G_GUINT64_FORMAT, MIN(out->room, G_MAXINT32) + 1);
	const char *params[] = {key, most, NULL};
	MsAnswer answer = ms_sqlite_run(s->db,
		"SELECT token FROM entry WHERE generation=" CURRENT " AND key=?1 LIMIT CAST(?2 AS INTEGER)", params,
		take_token, tokens, NULL, error);
	out->over = out->over || tokens->len > out->room;
	out->room -= MIN(out->room, tokens->len);
	return answer;
}

static MsAnswer look_up_receivers(Sqlite *s, const char *key, const GPtrArray *tokens,
	MsLookup *out, GError **error)
{
	if (strchr("ira", key[0]) == NULL)
		return MS_FOUND;
	for (guint i = 0; i < tokens->len && !out->over; i++) {
		const char *stored = tokens->pdata[i];
		g_autofree char *token = g_strndup(stored, strcspn(stored, (char[]){MS_TOKEN_END, '\0'}));
		if (g_hash_table_contains(out->receivers, token))
			continue;
		g_autofree char *below = g_strconcat("d:", token, NULL);
		GPtrArray *receivers = g_ptr_array_new_with_free_func(g_free);
		g_hash_table_insert(out->receivers, g_strdup(token), receivers);
		MsAnswer answer = tokens_of(s, below, receivers, out, error);
		if (answer != MS_FOUND)
			return answer;
	}
	return MS_FOUND;
}

static MsAnswer state_of(Sqlite *s, MsDirectoryState *state, GError **error)
{
	MsAnswer answer = ms_sqlite_run(s->db, "SELECT name, value FROM state", NULL, take_state, state,
		NULL, error);
	return answer == MS_FOUND && state->generation == NULL ? MS_ABSENT : answer;
}

static MsAnswer look_up_all(Sqlite *s, const char *const *keys, gsize n, MsLookup *out,
	GError **error)
{
	MsAnswer answer = state_of(s, &out->state, error);
	for (gsize i = 0; i < n && answer == MS_FOUND; i++) {
		GPtrArray *tokens = ms_lookup_values(out);
		if (out->over)
			continue; /* with or without them, it is not whole */
		answer = tokens_of(s, keys[i], tokens, out, error);
		if (answer == MS_FOUND && i < out->owned)
			answer = look_up_receivers(s, keys[i], tokens, out, error);
	}
	return answer;
}

static MsAnswer lookup_sqlite(MsBackend *backend, const char *const *keys, gsize n, MsLookup *out,
	GError **error)
{
	Sqlite *s = self(backend);
	/* One read transaction: a new generation taken into use meanwhile is not half seen. */
	ms_sqlite_lock(s->db);
	MsAnswer answer = begin_read(s, error);
	if (answer == MS_FOUND) {
		answer = look_up_all(s, keys, n, out, error);
		run(s, "COMMIT", NULL, NULL, NULL);
	}
	ms_sqlite_unlock(s->db);
	return answer;
}

/* ---- single entries ------------------------------------------------------------------- */

/* All statements of one change of an entry; `count` is 1 or -1. */
static MsAnswer change_all(Sqlite *s, const char *sql, const MsRowKeys *row, const char *count,
	gint64 *changed, GError **error)
{
	const char *params[] = {row->key, row->token, NULL};
	MsAnswer answer = run(s, sql, params, changed, error);
	for (const char *const *other = row->other_keys; *other != NULL && answer == MS_FOUND; other++) {
		const char *other_params[] = {*other, row->other_token, NULL};
		answer = run(s, sql, other_params, NULL, error);
	}
	const char *counted[] = {count, NULL};
	if (answer == MS_FOUND && *changed > 0)
		answer = run(s, "UPDATE state SET value=CAST(value AS INTEGER)+?1 WHERE name='entries'",
			counted, NULL, error);
	return answer;
}

static MsAnswer append_marks(Sqlite *s, const char *marks, GError **error)
{
	const char *params[] = {marks, NULL};
	MsAnswer answer = run(s, "UPDATE state SET value=CAST(value AS INTEGER)+1 WHERE name='changes'", NULL,
		NULL, error);
	return answer != MS_FOUND ? answer : run(s, "INSERT INTO mark SELECT " CURRENT ", CAST(value AS INTEGER), ?1"
		" FROM state WHERE name='changes'", params, NULL, error);
}

static MsAnswer change(Sqlite *s, const char *sql, const MsRowKeys *row, const char *count,
	const char *marks, bool *changed, GError **error)
{
	gint64 n = 0;
	ms_sqlite_lock(s->db);
	MsAnswer answer = ms_sqlite_follow(s->db, error);
	if (answer == MS_FOUND)
		answer = run(s, "BEGIN IMMEDIATE", NULL, NULL, error);
	if (answer == MS_FOUND) {
		answer = change_all(s, sql, row, count, &n, error);
		if (answer == MS_FOUND && marks != NULL && n > 0)
			answer = append_marks(s, marks, error);
		if (answer == MS_FOUND)
			answer = run(s, "COMMIT", NULL, NULL, error);
		if (answer != MS_FOUND)
			run(s, "ROLLBACK", NULL, NULL, NULL);
	}
	ms_sqlite_unlock(s->db);
	*changed = n > 0;
	return answer;
}

static MsAnswer put_sqlite(MsBackend *backend, const MsRowKeys *row, bool *changed, GError **error)
{
	return change(self(backend),
		"INSERT OR IGNORE INTO entry SELECT CAST(value AS INTEGER), ?1, ?2 FROM state"
		" WHERE name='current'", row, "1", row->marks, changed, error);
}

static MsAnswer remove_sqlite(MsBackend *backend, const MsRowKeys *row, bool *changed, GError **error)
{
	return change(self(backend),
		"DELETE FROM entry WHERE generation=" CURRENT " AND key=?1 AND token=?2", row, "-1", NULL,
		changed, error);
}

typedef struct {
	void (*take)(const char *marks, void *user);
	void *user;
} Marks;

static void give_marks(int n, const char *const *columns, void *user)
{
	(void)n;
	Marks *marks = user;
	marks->take(columns[0], marks->user);
}

static MsAnswer marks_sqlite(MsBackend *backend, const char *generation, gint64 from,
	MsDirectoryState *state, void (*take)(const char *marks, void *user), void *user, GError **error)
{
	Sqlite *s = self(backend);
	ms_sqlite_lock(s->db);
	MsAnswer answer = begin_read(s, error);
	if (answer == MS_FOUND) {
		answer = state_of(s, state, error);
		bool same = generation != NULL && g_strcmp0(state->generation, generation) == 0;
		g_autofree char *after = g_strdup_printf("%" G_GINT64_FORMAT, same ? from : 0);
		const char *params[] = {after, NULL};
		Marks marks = {take, user};
		if (answer == MS_FOUND)
			answer = ms_sqlite_run(s->db, "SELECT marks FROM mark WHERE generation=" CURRENT
				" AND number > CAST(?1 AS INTEGER) ORDER BY number", params, give_marks, &marks, NULL,
				error);
		run(s, "COMMIT", NULL, NULL, NULL);
	}
	ms_sqlite_unlock(s->db);
	return answer;
}

typedef struct {
	void (*row)(const char *key, const char *token, void *user);
	void *user;
} Each;

static void give_row(int n, const char *const *columns, void *user)
{
	(void)n;
	Each *each = user;
	each->row(columns[0], columns[1], each->user);
}

static MsAnswer each_sqlite(MsBackend *backend,
	void (*row)(const char *key, const char *token, void *user), void *user, GError **error)
{
	Each each = {row, user};
	return ms_sqlite_run(self(backend)->db,
		"SELECT key, token FROM entry WHERE generation=" CURRENT " ORDER BY key, token", NULL,
		give_row, &each, NULL, error);
}

/* ---- loading -------------------------------------------------------------------------- */

static bool do_run(Sqlite *s, const char *sql, const char *const *params, gint64 *changes,
	GError **error)
{
	return run(s, sql, params, changes, error) == MS_FOUND;
}

/* Rows of generations that are not in use: an earlier load that was cut off, or replaced.  In
 * pieces, so that nobody waits long for the file. */
static bool sweep(Sqlite *s, GError **error)
{
	gint64 n = 1;
	if (!do_run(s, "DELETE FROM mark WHERE generation != ifnull(" CURRENT ", -1)", NULL, NULL, error))
		return false;
	while (n > 0)
		if (!do_run(s,
			    "DELETE FROM entry WHERE (generation, key, token) IN (SELECT generation, key, token"
			    " FROM entry WHERE generation < ifnull(" CURRENT ", 1 << 62)"
			    " OR generation > ifnull(" CURRENT ", 0) LIMIT 20000)",
			    NULL, &n, error))
			return false;
	return true;
}

/* A number that no generation had before, whatever this file was a moment ago. */
static char *new_generation(void)
{
	guint8 random[MS_DIGEST_BYTES];
	guint64 number = 0;
	ms_digest_random(random);
	memcpy(&number, random, sizeof number);
	return g_strdup_printf("%" G_GUINT64_FORMAT, (number >> 2) + 1); /* below 2^62: see sweep() */
}

static bool begin_sqlite(MsBackend *backend, gint64 expected, GError **error)
{
	(void)expected;
	Sqlite *s = self(backend);
	if (!claim(s, error) || ms_sqlite_follow(s->db, error) != MS_FOUND || !sweep(s, error))
		return false;
	g_free(s->loading);
	s->loading = new_generation();
	s->in_batch = 0;
	s->added = 0;
	s->mark_lists = 0;
	return true;
}

static bool end_batch(Sqlite *s, GError **error)
{
	if (s->in_batch == 0)
		return true;
	s->in_batch = 0;
	return do_run(s, "COMMIT", NULL, NULL, error);
}

static bool add_sqlite(MsBackend *backend, const char *key, const char *token, GError **error)
{
	Sqlite *s = self(backend);
	const char *params[] = {s->loading, key, token, NULL};
	gint64 n = 0;
	if (s->in_batch == 0 && !do_run(s, "BEGIN IMMEDIATE", NULL, NULL, error))
		return false;
	s->in_batch++;
	if (!do_run(s, "INSERT OR IGNORE INTO entry VALUES (CAST(?1 AS INTEGER), ?2, ?3)", params, &n,
		    error))
		return false;
	s->added += key[0] != 'a' ? n : 0;
	return s->in_batch < BATCH || end_batch(s, error);
}

static bool add_marks_sqlite(MsBackend *backend, const char *marks, GError **error)
{
	Sqlite *s = self(backend);
	g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, ++s->mark_lists);
	const char *params[] = {s->loading, number, marks, NULL};
	return do_run(s, "INSERT INTO mark VALUES (CAST(?1 AS INTEGER), CAST(?2 AS INTEGER), ?3)", params,
		NULL, error);
}

static bool finish_sqlite(MsBackend *backend, gint64 *entries, GError **error)
{
	Sqlite *s = self(backend);
	*entries = s->added;
	return end_batch(s, error);
}

static bool set_state(Sqlite *s, const char *name, const char *value, GError **error)
{
	const char *params[] = {name, value, NULL};
	return do_run(s, "INSERT OR REPLACE INTO state VALUES (?1, ?2)", params, NULL, error);
}

static bool commit_sqlite(MsBackend *backend, const MsDirectoryState *state, GError **error)
{
	Sqlite *s = self(backend);
	g_autofree char *loaded = ms_state_loaded(state);
	g_autofree char *entries = g_strdup_printf("%" G_GINT64_FORMAT, state->entries);
	g_autofree char *changes = g_strdup_printf("%" G_GINT64_FORMAT, s->mark_lists);
	ms_sqlite_lock(s->db);
	bool fine = do_run(s, "BEGIN IMMEDIATE", NULL, NULL, error)
		&& set_state(s, "current", s->loading, error) && set_state(s, "loaded", loaded, error)
		&& set_state(s, "entries", entries, error) && set_state(s, "changes", changes, error)
		&& set_state(s, "source", state->source, error)
		&& set_state(s, "digests", state->digests ? "1" : "0", error)
		&& do_run(s, "COMMIT", NULL, NULL, error);
	if (!fine)
		run(s, "ROLLBACK", NULL, NULL, NULL);
	ms_sqlite_unlock(s->db);
	fine = fine && sweep(s, error);
	let_go(s);
	return fine;
}

static void abandon_sqlite(MsBackend *backend)
{
	Sqlite *s = self(backend);
	if (s->in_batch > 0)
		run(s, "ROLLBACK", NULL, NULL, NULL);
	s->in_batch = 0;
	if (s->lock >= 0 || strcmp(s->path, ":memory:") == 0)
		sweep(s, NULL);
	let_go(s);
}

static const MsBackendOps sqlite_ops = {
	.name = "sqlite",
	.close = close_sqlite,
	.lookup = lookup_sqlite,
	.put = put_sqlite,
	.remove = remove_sqlite,
	.each = each_sqlite,
	.begin = begin_sqlite,
	.marks = marks_sqlite,
	.add = add_sqlite,
	.add_marks = add_marks_sqlite,
	.finish = finish_sqlite,
	.commit = commit_sqlite,
	.abandon = abandon_sqlite,
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
