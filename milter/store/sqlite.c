#include "config.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/io.h"
#include "missent/store.h"

/*
 * One file of SQLite: SQL and text parameters come in, rows go out to a function.  From any thread:
 * each call holds the lock of its MsSqlite, and ms_sqlite_lock() holds it over several.  A commit
 * that returned is on disk.
 */

#define BUSY_MS 5000

struct MsSqlite {
	sqlite3 *db;
	char *path;
	pthread_mutex_t lock; /* recursive: ms_sqlite_lock() surrounds calls that lock again */
	GHashTable *statements; /* SQL to sqlite3_stmt */
	dev_t device; /* of the file that is open; 0 and 0 for one in memory */
	ino_t inode, wal; /* wal: of its log */
	/* as it was opened with */
	gint32 application_id;
	const MsSqliteUpgrade *upgrades;
	char *schema;
	bool create;
};

static MsAnswer answer_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE: return MS_FOUND;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_AUTH:
	case SQLITE_ERROR: return MS_CONFIG;
	default: return MS_RETRY;
	}
}

static MsAnswer fail(MsSqlite *db, int rc, GError **error)
{
	MsAnswer answer = answer_of(rc);
	g_set_error(error, MS_ERROR, answer == MS_CONFIG ? MS_ERROR_CONFIG : MS_ERROR_RETRY, "%s: %s",
		db->path, db->db != NULL ? sqlite3_errmsg(db->db) : sqlite3_errstr(rc));
	return answer;
}

static void finalize(gpointer stmt)
{
	sqlite3_finalize(stmt);
}

static void take_number(int n, const char *const *columns, void *user)
{
	(void)n;
	*(gint64 *)user = columns[0] != NULL ? g_ascii_strtoll(columns[0], NULL, 10) : 0;
}

static MsAnswer ask_number(MsSqlite *db, const char *sql, gint64 *out, GError **error)
{
	return ms_sqlite_run(db, sql, NULL, take_number, out, NULL, error);
}

/* Of an earlier version of ours: made new, once, whoever of several comes first. */
static MsAnswer upgrade(MsSqlite *db, gint32 application_id, const MsSqliteUpgrade *upgrades,
	bool create, gint64 *id, GError **error)
{
	const MsSqliteUpgrade *u = upgrades;
	while (u != NULL && u->application_id != 0 && u->application_id != *id)
		u++;
	if (u == NULL || u->application_id == 0)
		return MS_FOUND;
	if (!create) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "%s: is of an earlier version; start missentd, or "
			"run missent held list as its user, which bring it up to date", db->path);
		return MS_CONFIG;
	}
	if (sqlite3_exec(db->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		return fail(db, sqlite3_errcode(db->db), error);
	MsAnswer answer = ask_number(db, "PRAGMA application_id", id, error);
	g_autofree char *script = g_strdup_printf("%s; PRAGMA application_id=%d; COMMIT", u->sql, application_id);
	int rc = SQLITE_OK;
	if (answer == MS_FOUND && *id == u->application_id)
		rc = sqlite3_exec(db->db, script, NULL, NULL, NULL);
	if (rc == SQLITE_OK && answer == MS_FOUND)
		*id = application_id;
	else if (answer == MS_FOUND)
		answer = fail(db, rc, error);
	if (sqlite3_get_autocommit(db->db) == 0)
		sqlite3_exec(db->db, "ROLLBACK", NULL, NULL, NULL);
	return answer;
}

/* WAL with full sync: a commit that returned is on disk, and readers never wait. */
static MsAnswer set_up(MsSqlite *db, gint32 application_id, const MsSqliteUpgrade *upgrades,
	const char *schema, bool create, GError **error)
{
	gint64 id = 0, tables = 0;
	MsAnswer answer = ask_number(db, "PRAGMA application_id", &id, error);
	if (answer == MS_FOUND)
		answer = ask_number(db, "SELECT count(*) FROM sqlite_master", &tables, error);
	if (answer == MS_FOUND && tables > 0)
		answer = upgrade(db, application_id, upgrades, create, &id, error);
	if (answer != MS_FOUND)
		return answer;
	if (tables > 0 && id != application_id) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"%s: is a database of another program (application_id %" G_GINT64_FORMAT ")",
			db->path, id);
		return MS_CONFIG;
	}
	if (tables == 0 && !create) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "%s: is empty", db->path);
		return MS_CONFIG;
	}
	g_autofree char *pragmas = g_strdup_printf("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
		"PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;");
	if (!create)
		pragmas[0] = '\0';
	g_autofree char *script = g_strdup_printf("%s%s", pragmas,
		create ? schema : "PRAGMA query_only=ON;");
	int rc = sqlite3_exec(db->db, script, NULL, NULL, NULL);
	if (rc == SQLITE_OK && create && tables == 0) {
		g_autofree char *mark = g_strdup_printf("PRAGMA application_id=%d", application_id);
		rc = sqlite3_exec(db->db, mark, NULL, NULL, NULL);
	}
	return rc == SQLITE_OK ? MS_FOUND : fail(db, rc, error);
}

/* SQLite makes files with the umask; ours hold customers' data. */
static void make_private(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return;
	ms_io_like_folder(fd, path);
	close(fd);
}

static ino_t inode_of(const MsSqlite *db, const char *end)
{
	g_autofree char *path = g_strconcat(db->path, end, NULL);
	struct stat st;
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

/* A log belongs to its database by name alone: what ours left there would be taken for that of the
 * file that came in its place, and be written into it. */
static void remove_own_log(const MsSqlite *db)
{
	if (db->db == NULL || db->wal == 0 || inode_of(db, "-wal") != db->wal)
		return;
	static const char *const ends[] = {"-wal", "-shm"};
	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
		g_autofree char *path = g_strconcat(db->path, ends[i], NULL);
		unlink(path);
	}
}

/* Opens the file that has the name now. */
static MsAnswer open_file(MsSqlite *db, GError **error)
{
	struct stat st;
	/* A reader of a WAL database writes its shared memory, so it opens for writing too and
	 * forbids itself statements that write. */
	int rc = sqlite3_open_v2(db->path, &db->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK)
		return fail(db, rc, error);
	bool file = stat(db->path, &st) == 0;
	db->device = file ? st.st_dev : 0;
	db->inode = file ? st.st_ino : 0;
	sqlite3_busy_timeout(db->db, BUSY_MS);
	MsAnswer answer = set_up(db, db->application_id, db->upgrades, db->schema, db->create, error);
	db->wal = file ? inode_of(db, "-wal") : 0;
	return answer;
}

MsSqlite *ms_sqlite_open(const char *path, gint32 application_id, const char *schema, bool create,
	MsAnswer *answer_out, GError **error)
{
	return ms_sqlite_open_upgraded(path, application_id, NULL, schema, create, answer_out, error);
}

MsSqlite *ms_sqlite_open_upgraded(const char *path, gint32 application_id,
	const MsSqliteUpgrade *upgrades, const char *schema, bool create, MsAnswer *answer_out,
	GError **error)
{
	bool memory = strcmp(path, ":memory:") == 0;
	if (create && !memory)
		make_private(path);
	g_autoptr(MsSqlite) db = g_new0(MsSqlite, 1);
	db->path = g_strdup(path);
	db->statements = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, finalize);
	pthread_mutexattr_t attr;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&db->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	db->application_id = application_id;
	db->upgrades = upgrades;
	db->schema = g_strdup(schema);
	db->create = create;
	MsAnswer answer = open_file(db, error);
	if (answer_out != NULL)
		*answer_out = answer;
	return answer == MS_FOUND ? g_steal_pointer(&db) : NULL;
}

static bool has_moved(const MsSqlite *db)
{
	struct stat st;
	return db->inode != 0
		&& (stat(db->path, &st) != 0 || st.st_dev != db->device || st.st_ino != db->inode);
}

MsAnswer ms_sqlite_follow(MsSqlite *db, GError **error)
{
	pthread_mutex_lock(&db->lock);
	MsAnswer answer = MS_FOUND;
	if (has_moved(db) || db->db == NULL) {
		remove_own_log(db); /* while it is open: after that its inode may be another file's */
		g_hash_table_remove_all(db->statements);
		sqlite3_close(db->db);
		db->db = NULL;
		answer = open_file(db, error);
		if (answer != MS_FOUND) { /* the next one tries again */
			sqlite3_close(db->db);
			db->db = NULL;
		}
	}
	pthread_mutex_unlock(&db->lock);
	return answer;
}

void ms_sqlite_free(MsSqlite *db)
{
	if (db == NULL)
		return;
	g_hash_table_unref(db->statements);
	sqlite3_close(db->db);
	pthread_mutex_destroy(&db->lock);
	g_free(db->path);
	g_free(db->schema);
	g_free(db);
}

static sqlite3_stmt *statement(MsSqlite *db, const char *sql, int *rc)
{
	sqlite3_stmt *stmt = g_hash_table_lookup(db->statements, sql);
	if (stmt == NULL) {
		*rc = db->db == NULL ? SQLITE_CANTOPEN : SQLITE_OK; /* see ms_sqlite_follow() */
		if (*rc == SQLITE_OK)
			*rc = sqlite3_prepare_v3(db->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt,
				NULL);
		if (*rc != SQLITE_OK)
			return NULL;
		g_hash_table_insert(db->statements, g_strdup(sql), stmt);
	}
	return stmt;
}

#define MAX_COLUMNS 32

static int step_all(sqlite3_stmt *stmt, MsSqliteRow row, void *user)
{
	int rc;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *columns[MAX_COLUMNS];
		int n = MIN(sqlite3_column_count(stmt), MAX_COLUMNS);
		for (int i = 0; i < n; i++)
			columns[i] = (const char *)sqlite3_column_text(stmt, i);
		if (row != NULL)
			row(n, columns, user);
	}
	return rc;
}

MsAnswer ms_sqlite_run(MsSqlite *db, const char *sql, const char *const *params, MsSqliteRow row,
	void *user, gint64 *changes_out, GError **error)
{
	ms_sqlite_lock(db);
	int rc = SQLITE_OK;
	sqlite3_stmt *stmt = statement(db, sql, &rc);
	MsAnswer answer = MS_FOUND;
	if (stmt != NULL) {
		for (int i = 0; params != NULL && params[i] != NULL; i++)
			sqlite3_bind_text(stmt, i + 1, params[i], -1, SQLITE_TRANSIENT);
		rc = step_all(stmt, row, user);
		sqlite3_reset(stmt);
		sqlite3_clear_bindings(stmt);
	}
	if (rc != SQLITE_DONE)
		answer = fail(db, rc, error);
	else if (changes_out != NULL)
		*changes_out = sqlite3_changes(db->db);
	ms_sqlite_unlock(db);
	return answer;
}

void ms_sqlite_lock(MsSqlite *db)
{
	pthread_mutex_lock(&db->lock);
}

void ms_sqlite_unlock(MsSqlite *db)
{
	pthread_mutex_unlock(&db->lock);
}

gint64 ms_sqlite_last_row(MsSqlite *db)
{
	return sqlite3_last_insert_rowid(db->db);
}
