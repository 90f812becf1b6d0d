/*
 * One file of SQLite: SQL and values by name and type come in, rows go out to a function, which
 * asks for columns by name and type.  Statements are prepared once and kept.  From any thread:
 * each call holds the lock of its MsSqlite, and ms_sqlite_lock() holds it over several.  A commit
 * that returned is on disk.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/io.h"
#include "missent/patience.h"
#include "missent/store.h"

/* How long a statement waits for another process that writes.  One that had to give up does so
 * for all that follow: until the lock is seen to be free they hardly wait. */
#define BUSY_MS 5000
#define PROBE_MS 100

struct MsSqlite {
	sqlite3 *db;
	char *path;
	pthread_mutex_t lock; /* recursive: ms_sqlite_lock() surrounds calls that lock again */
	GHashTable *statements; /* SQL to Statement */
	guint asking; /* statements whose rows are being taken */
	bool memory;  /* there is no file */
	dev_t device; /* of the file that is open */
	ino_t inode, wal; /* wal: of its log */
	/* of the file, as it was then; written: nanoseconds since 1970, 0: to be opened anew */
	gint64 size, written;
	/* as it was opened with */
	gint32 application_id;
	const MsSqliteUpgrade *upgrades;
	char *schema;
	bool create;
	bool locked; /* by another process, when it was last tried */
	gint64 waits_since;
	/* A lock that the system did not take back stays with the connection, which takes it for
	 * another's, whatever it tries: to be opened anew.  By SQLite's version it says so, or
	 * that the lock is another's, which it may be. */
	bool stuck;
};

static gint64 end_of_waiting(const MsSqlite *db)
{
	return db->waits_since + (db->locked ? PROBE_MS : BUSY_MS) * 1000;
}

/* As SQLite asks before each try; 0: no more of them.  A message that has no more time ends it, and
 * that does not count as a lock which is held for long. */
static int wait_for_lock(void *user, int tries)
{
	MsSqlite *db = user;
	gint64 now = g_get_monotonic_time();
	if (tries == 0)
		db->waits_since = now;
	gint64 left = ms_patience_here(end_of_waiting(db)) - now;
	if (left <= 0)
		return 0;
	g_usleep((gulong)MIN(left, 1000 * MIN(1 + tries, 20)));
	return 1;
}

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

/* What the system said of a file that SQLite could not open, read or write; 0: nothing.  Of one
 * that is there it says that it is not where one that it wants beside it cannot be made. */
static int system_error(const MsSqlite *db, int rc)
{
	int code = rc & 0xff;
	bool asks = code == SQLITE_CANTOPEN || code == SQLITE_IOERR || code == SQLITE_FULL;
	int said = db->db != NULL && asks ? sqlite3_system_errno(db->db) : 0;
	g_autofree char *folder = g_path_get_dirname(db->path);
	return said == ENOENT && access(db->path, F_OK) == 0 && access(folder, W_OK) != 0 ? errno
											  : said;
}

/* What SQLite says of a damaged file says not what to do. */
static const char *remedy_of(int rc)
{
	int code = rc & 0xff;
	return code == SQLITE_CORRUPT || code == SQLITE_NOTADB
		? "; the file is damaged: move it away, and restore it from a backup, or, where it is the "
		  "mapping, import that anew"
		: "";
}

/* Its log, or what readers of it share, that is there and may not be written (SQLite, as root,
 * makes them its owner's; somebody put back a copy), and what to do; the caller's, "": none. */
static char *closed_beside(const MsSqlite *db)
{
	static const char *const ends[] = {"-wal", "-shm"};
	struct stat st;
	for (gsize i = 0; i < G_N_ELEMENTS(ends) && !db->memory; i++) {
		g_autofree char *path = g_strconcat(db->path, ends[i], NULL);
		if (stat(path, &st) == 0 && access(path, R_OK | W_OK) != 0 && errno == EACCES)
			return g_strdup_printf(
				"; %s is of user %u with mode %04o, and user %u must write it: chown it, and "
				"chmod u+w",
				path, (guint)st.st_uid, (guint)st.st_mode & 07777,
				(guint)geteuid());
	}
	return g_strdup("");
}

/* SQLite opens what it cannot open for writing, for whatever reason, to be read alone, and tells
 * nobody; the file may well be one that may be written, or could be if its disk took something. */
static bool may_write(const MsSqlite *db)
{
	g_autofree char *folder = g_path_get_dirname(db->path);
	return (access(db->path, W_OK) == 0 && access(folder, W_OK) == 0) || ms_io_is_want(errno);
}

static MsAnswer fail(MsSqlite *db, int rc, GError **error)
{
	int system = system_error(db, rc), code = rc & 0xff;
	bool asks = code == SQLITE_CANTOPEN || code == SQLITE_READONLY || code == SQLITE_PERM;
	g_autofree char *closed = asks ? closed_beside(db) : g_strdup("");
	bool wants = ms_io_is_want(system) ||
		(db->create && code == SQLITE_READONLY && *closed == '\0' && may_write(db));
	MsAnswer answer = wants ? MS_RETRY : answer_of(rc);
	if (answer == MS_CONFIG)
		db->written = 0; /* what is remembered of it may be of several files */
	db->stuck = db->stuck || code == SQLITE_PROTOCOL;
	g_set_error(error, MS_ERROR, answer == MS_CONFIG ? MS_ERROR_CONFIG : MS_ERROR_RETRY,
		"%s: %s%s%s%s%s", db->path,
		db->db != NULL ? sqlite3_errmsg(db->db) : sqlite3_errstr(rc),
		system != 0 ? ": " : "", system != 0 ? g_strerror(system) : "", remedy_of(rc),
		closed);
	return answer;
}

/* A prepared statement, and at which place each of its columns is. */
typedef struct {
	sqlite3_stmt *stmt;
	GHashTable *columns; /* name to place */
} Statement;

static void statement_free(gpointer data)
{
	Statement *s = data;
	sqlite3_finalize(s->stmt);
	g_hash_table_unref(s->columns);
	g_free(s);
}

/* A PRAGMA or a count, of one column whose name is the caller's to give. */
typedef struct {
	const char *column;
	gint64 number;
} Number;

static void take_number(MsSqlRow *row, void *user)
{
	Number *number = user;
	number->number = ms_sql_number(row, number->column);
}

static MsAnswer ask_number(
	MsSqlite *db, const char *sql, const char *column, gint64 *out, GError **error)
{
	Number number = {column, *out};
	MsAnswer answer = ms_sqlite_ask(db, sql, NULL, take_number, &number, NULL, error);
	*out = number.number;
	return answer;
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
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"%s: is of an earlier version; start missentd, or "
			"run missent held list as its user, which bring it up to date",
			db->path);
		return MS_CONFIG;
	}
	if (sqlite3_exec(db->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		return fail(db, sqlite3_errcode(db->db), error);
	MsAnswer answer = ask_number(db, "PRAGMA application_id", "application_id", id, error);
	g_autofree char *script = g_strdup_printf(
		"%s; PRAGMA application_id=%d; COMMIT", u->sql, application_id);
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

/* Whose it is and how many tables it has, both at one moment: another may be making it. */
static MsAnswer ask_whose(MsSqlite *db, gint64 *id, gint64 *tables, GError **error)
{
	int rc = sqlite3_exec(db->db, "BEGIN", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return fail(db, rc, error);
	MsAnswer answer = ask_number(
		db, "SELECT count(*) AS n FROM sqlite_master", "n", tables, error);
	if (answer == MS_FOUND)
		answer = ask_number(db, "PRAGMA application_id", "application_id", id, error);
	sqlite3_exec(db->db, "COMMIT", NULL, NULL, NULL);
	return answer;
}

/* Tables and mark come together or not at all: between them it would be another program's, for
 * good if this one is killed there. */
static MsAnswer make_tables(MsSqlite *db, gint32 application_id, const char *schema, GError **error)
{
	g_autofree char *script = g_strdup_printf(
		"BEGIN IMMEDIATE; %s; PRAGMA application_id=%d; COMMIT", schema, application_id);
	int rc = sqlite3_exec(db->db, script, NULL, NULL, NULL);
	MsAnswer answer = rc == SQLITE_OK ? MS_FOUND : fail(db, rc, error);
	if (sqlite3_get_autocommit(db->db) == 0)
		sqlite3_exec(db->db, "ROLLBACK", NULL, NULL, NULL);
	return answer;
}

/* Two that both turn a new file to WAL would wait for each other: SQLite refuses one of them at
 * once, whatever its time to wait. */
static int execute_when_free(MsSqlite *db, const char *script)
{
	gint64 end = ms_patience_here(g_get_monotonic_time() + BUSY_MS * 1000);
	int rc;
	while ((rc = sqlite3_exec(db->db, script, NULL, NULL, NULL)) == SQLITE_BUSY &&
		g_get_monotonic_time() < end)
		g_usleep(2000);
	return rc;
}

/* WAL with full sync: a commit that returned is on disk, and readers never wait. */
#define PRAGMAS \
	"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;" \
	"PRAGMA temp_store=MEMORY;"

/* The last letter of a mark counts the forms of one database. */
static bool is_later(gint64 id, gint32 application_id)
{
	return id >> 8 == application_id >> 8 && id > application_id;
}

static MsAnswer set_up(MsSqlite *db, gint32 application_id, const MsSqliteUpgrade *upgrades,
	const char *schema, bool create, GError **error)
{
	gint64 id = 0, tables = 0;
	MsAnswer answer = ask_whose(db, &id, &tables, error);
	if (answer == MS_FOUND && tables > 0)
		answer = upgrade(db, application_id, upgrades, create, &id, error);
	if (answer != MS_FOUND)
		return answer;
	if (tables > 0 && is_later(id, application_id)) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"%s: is of a later version of missent, which made it new; run that one, or "
			"put back a copy of the file from before",
			db->path);
		return MS_CONFIG;
	}
	if (tables > 0 && id != application_id) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"%s: is a database of another program (application_id %" G_GINT64_FORMAT
			")",
			db->path, id);
		return MS_CONFIG;
	}
	if (tables == 0 && !create) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "%s: is empty", db->path);
		return MS_CONFIG;
	}
	int rc = execute_when_free(db, create ? PRAGMAS : "PRAGMA query_only=ON;");
	if (rc == SQLITE_OK && create && tables == 0)
		return make_tables(db, application_id, schema, error);
	/* It may be another's lock after all, and then what is read is still to be had: it has its
	 * tables. */
	if (rc == SQLITE_OK && create && !db->stuck)
		rc = sqlite3_exec(db->db, schema, NULL, NULL, NULL);
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

static gint64 nanoseconds(const struct timespec *t)
{
	return (gint64)t->tv_sec * G_GINT64_CONSTANT(1000000000) + t->tv_nsec;
}

/* Within this time a file may be written again and have the same time. */
#define SAME_TIME_NS 50000000

static void note_file(MsSqlite *db, const struct stat *st)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	gint64 written = nanoseconds(&st->st_ctim), age = nanoseconds(&now) - written;
	db->device = st->st_dev;
	db->inode = st->st_ino;
	db->size = st->st_size;
	db->written = age >= 0 && age < SAME_TIME_NS ? 0 : written;
}

/* errno: why. */
static MsAnswer cannot_see(const MsSqlite *db, GError **error)
{
	bool lost = errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EACCES;
	g_set_error(error, MS_ERROR, lost ? MS_ERROR_CONFIG : MS_ERROR_RETRY, "%s: %s", db->path,
		g_strerror(errno));
	return lost ? MS_CONFIG : MS_RETRY;
}

const char *ms_sqlite_in_the_way(const char *path)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return errno == ENOENT && lstat(path, &st) == 0 && S_ISLNK(st.st_mode)
			? "a link to a file that is not there" /* and none that came just now */
			: NULL;
	return S_ISREG(st.st_mode)    ? NULL
		: S_ISDIR(st.st_mode) ? "a folder"
		: S_ISFIFO(st.st_mode) ? "a pipe"
		: S_ISSOCK(st.st_mode) ? "a socket"
				       : "a device";
}

/* SQLite would open most of it, and then say that a disk fails. */
static bool is_in_the_way(const MsSqlite *db, GError **error)
{
	static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
	for (gsize i = 0; i < G_N_ELEMENTS(ends) && !db->memory; i++) {
		g_autofree char *path = g_strconcat(db->path, ends[i], NULL);
		const char *what = ms_sqlite_in_the_way(path);
		if (what == NULL)
			continue;
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"%s: is %s and no database: move it away%s", path, what,
			i == 0 ? ", and put the file back that was there" : "");
		return true;
	}
	return false;
}

/* Opens the file that has the name now. */
static MsAnswer open_file(MsSqlite *db, GError **error)
{
	struct stat st;
	if (is_in_the_way(db, error))
		return MS_CONFIG;
	/* A reader of a WAL database writes its shared memory, so it opens for writing too and
	 * forbids itself statements that write. */
	int rc = sqlite3_open_v2(
		db->path, &db->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK)
		return fail(db, rc, error);
	if (!db->memory && stat(db->path, &st) != 0)
		return cannot_see(db, error);
	if (!db->memory)
		note_file(db, &st);
	sqlite3_busy_handler(db->db, wait_for_lock, db);
	db->locked = db->locked && db->stuck;
	MsAnswer answer = set_up(
		db, db->application_id, db->upgrades, db->schema, db->create, error);
	db->stuck = false;
	db->wal = db->memory ? 0 : inode_of(db, "-wal");
	return answer;
}

MsSqlite *ms_sqlite_open(const char *path, gint32 application_id, const char *schema, bool create,
	MsAnswer *answer_out, GError **error)
{
	return ms_sqlite_open_upgraded(
		path, application_id, NULL, schema, create, answer_out, error);
}

MsSqlite *ms_sqlite_open_upgraded(const char *path, gint32 application_id,
	const MsSqliteUpgrade *upgrades, const char *schema, bool create, MsAnswer *answer_out,
	GError **error)
{
	g_autoptr(MsSqlite) db = g_new0(MsSqlite, 1);
	db->path = g_strdup(path);
	db->memory = strcmp(path, ":memory:") == 0;
	if (create && !db->memory)
		make_private(path);
	db->statements = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, statement_free);
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

bool ms_sqlite_can_write(MsSqlite *db, GError **error)
{
	struct stat st;
	if (db->memory || sqlite3_db_readonly(db->db, "main") != 1 || may_write(db)
		|| stat(db->path, &st) != 0)
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
		"%s: it is of user %u with mode %04o, and user %u must write it: chown it, and chmod u+w",
		db->path, (guint)st.st_uid, (guint)st.st_mode & 07777, (guint)geteuid());
	return false;
}

static bool has_moved(const MsSqlite *db, const struct stat *st)
{
	return st->st_dev != db->device || st->st_ino != db->inode;
}

/* Of a file that another was copied over SQLite would go on to tell what it remembers of the one
 * before: its log says that nothing has happened.  Whoever writes the log's pages into the file
 * changes it, too; then it is opened once more than it must be. */
static bool was_written(const MsSqlite *db, const struct stat *st)
{
	return db->written == 0 || nanoseconds(&st->st_ctim) != db->written ||
		st->st_size != db->size;
}

/* It does not close with a statement left; and pages of another file's log are not written into
 * this one. */
static void close_file(MsSqlite *db)
{
	g_hash_table_remove_all(db->statements);
	if (db->db != NULL)
		sqlite3_db_config(db->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_close(db->db);
	db->db = NULL;
}

static MsAnswer open_again(MsSqlite *db, GError **error)
{
	struct stat st;
	close_file(db);
	/* One that is being written over.  Tables made in it now would lie, in the log, over
	 * what it will be. */
	if (stat(db->path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
			"%s: it is empty now: somebody writes it over", db->path);
		return MS_RETRY;
	}
	MsAnswer answer = open_file(db, error);
	if (answer != MS_FOUND) /* the next one tries again */
		close_file(db);
	return answer;
}

/* Where none has the name, nobody would find what is written into the one that had it; that stays
 * open, and its log stays where it is: whoever moves them about moves one after the other. */
static MsAnswer follow(MsSqlite *db, bool contents, GError **error)
{
	struct stat st;
	if (db->memory || db->asking > 0 || ms_sqlite_in_transaction(db))
		return MS_FOUND;
	if (stat(db->path, &st) != 0)
		return cannot_see(db, error);
	bool moved = has_moved(db, &st);
	if (moved) {
		/* while it is open: after that its inode may be another file's */
		remove_own_log(db);
		db->stuck = false; /* it was the other one's */
	}
	return db->db == NULL || moved || db->stuck || (contents && was_written(db, &st))
		? open_again(db, error)
		: MS_FOUND;
}

MsAnswer ms_sqlite_follow_contents(MsSqlite *db, GError **error)
{
	ms_sqlite_lock(db);
	MsAnswer answer = follow(db, true, error);
	ms_sqlite_unlock(db);
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

/* ---- statements ----------------------------------------------------------------------- */

/* More than our code has; those of one filter or another are then prepared each time anew. */
#define MAX_STATEMENTS 400

static Statement *prepare(MsSqlite *db, const char *sql, int *rc)
{
	sqlite3_stmt *stmt = NULL;
	*rc = db->db == NULL ? SQLITE_CANTOPEN : SQLITE_OK;
	if (*rc == SQLITE_OK)
		*rc = sqlite3_prepare_v3(db->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
	if (*rc != SQLITE_OK)
		return NULL;
	Statement *s = g_new(Statement, 1);
	*s = (Statement){stmt, g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
	for (int i = 0; i < sqlite3_column_count(stmt); i++)
		g_hash_table_insert(
			s->columns, g_strdup(sqlite3_column_name(stmt, i)), GINT_TO_POINTER(i));
	return s;
}

/* `*own_out`: it is not kept, and freed by who asked for it. */
static Statement *statement(MsSqlite *db, const char *sql, bool *own_out, int *rc)
{
	Statement *s = g_hash_table_lookup(db->statements, sql);
	*own_out = false;
	if (s != NULL)
		return s;
	s = prepare(db, sql, rc);
	*own_out = s != NULL && g_hash_table_size(db->statements) >= MAX_STATEMENTS;
	if (s != NULL && !*own_out)
		g_hash_table_insert(db->statements, g_strdup(sql), s);
	return s;
}

static int bind_bytes(sqlite3_stmt *stmt, int at, GBytes *bytes)
{
	gsize len;
	const void *data = g_bytes_get_data(bytes, &len);
	return sqlite3_bind_blob64(stmt, at, data != NULL ? data : "", len, SQLITE_STATIC);
}

/* Every parameter has its value, and every value its parameter: else we are wrong.  One that
 * cannot be taken (it is too long) would be NULL, which is another question. */
static int bind_all(const Statement *s, const MsSqlValue *values)
{
	int n = 0, first = SQLITE_OK;
	for (const MsSqlValue *v = values; v != NULL && v->name != NULL; v++, n++) {
		int at = sqlite3_bind_parameter_index(s->stmt, v->name);
		g_assert(at > 0);
		int rc = v->bytes != NULL ? bind_bytes(s->stmt, at, v->bytes)
			: v->is_number    ? sqlite3_bind_int64(s->stmt, at, v->number)
			: v->text != NULL
			? sqlite3_bind_text(s->stmt, at, v->text, -1, SQLITE_STATIC)
			: sqlite3_bind_null(s->stmt, at);
		g_assert(rc == SQLITE_OK || rc == SQLITE_TOOBIG || rc == SQLITE_NOMEM);
		first = first != SQLITE_OK ? first : rc;
	}
	g_assert(n == sqlite3_bind_parameter_count(s->stmt));
	return first;
}

struct MsSqlRow {
	const Statement *statement;
	bool odd;
};

/* Of none that is there, SQLite makes a NULL: in a damaged file a column may be called otherwise
 * than the statement calls it (in letters of the other case). */
static int place(MsSqlRow *row, const char *column)
{
	void *at = NULL;
	bool named = g_hash_table_lookup_extended(row->statement->columns, column, NULL, &at);
	row->odd = row->odd || !named;
	return named ? GPOINTER_TO_INT(at) : -1;
}

gint64 ms_sql_number(MsSqlRow *row, const char *column)
{
	int at = place(row, column);
	int type = sqlite3_column_type(row->statement->stmt, at);
	row->odd = row->odd || (type != SQLITE_INTEGER && type != SQLITE_NULL);
	return type == SQLITE_INTEGER ? sqlite3_column_int64(row->statement->stmt, at) : 0;
}

const char *ms_sql_text_or_null(MsSqlRow *row, const char *column)
{
	int at = place(row, column);
	int type = sqlite3_column_type(row->statement->stmt, at);
	if (type == SQLITE_NULL)
		return NULL;
	const char *text = type == SQLITE_TEXT
		? (const char *)sqlite3_column_text(row->statement->stmt, at) : NULL;
	if (text != NULL &&
		g_utf8_validate(text, sqlite3_column_bytes(row->statement->stmt, at), NULL))
		return text;
	row->odd = true;
	return "";
}

const char *ms_sql_text(MsSqlRow *row, const char *column)
{
	const char *text = ms_sql_text_or_null(row, column);
	row->odd = row->odd || text == NULL;
	return text != NULL ? text : "";
}

GBytes *ms_sql_bytes(MsSqlRow *row, const char *column)
{
	int at = place(row, column);
	int type = sqlite3_column_type(row->statement->stmt, at);
	if (type == SQLITE_BLOB) {
		const void *data = sqlite3_column_blob(row->statement->stmt, at);
		return g_bytes_new(data, (gsize)sqlite3_column_bytes(row->statement->stmt, at));
	}
	return NULL;
}

bool ms_sql_is_odd(const MsSqlRow *row)
{
	return row->odd;
}

static void note_lock(MsSqlite *db, const Statement *s, int rc)
{
	bool busy = (rc & 0xff) == SQLITE_BUSY;
	if (busy ? g_get_monotonic_time() >= end_of_waiting(db)
		 : rc == SQLITE_DONE && !sqlite3_stmt_readonly(s->stmt))
		db->locked = db->stuck = busy;
}

static int step_all(const Statement *s, MsSqlTake take, void *user)
{
	int rc;
	while ((rc = sqlite3_step(s->stmt)) == SQLITE_ROW) {
		MsSqlRow row = {s, false};
		if (take != NULL)
			take(&row, user);
	}
	return rc;
}

static int run(
	MsSqlite *db, const Statement *s, const MsSqlValue *values, MsSqlTake take, void *user)
{
	g_assert(!sqlite3_stmt_busy(s->stmt)); /* from within its own rows */
	int rc = bind_all(s, values);
	db->asking++;
	if (rc == SQLITE_OK)
		rc = step_all(s, take, user);
	db->asking--;
	note_lock(db, s, rc);
	sqlite3_reset(s->stmt);
	sqlite3_clear_bindings(s->stmt);
	return rc;
}

static MsAnswer ask(MsSqlite *db, const char *sql, const MsSqlValue *values, MsSqlTake take,
	void *user, gint64 *changes_out, GError **error)
{
	bool own;
	int rc = SQLITE_OK;
	Statement *s = statement(db, sql, &own, &rc);
	if (s != NULL)
		rc = run(db, s, values, take, user);
	MsAnswer answer = rc == SQLITE_DONE ? MS_FOUND : fail(db, rc, error);
	if (answer == MS_FOUND && changes_out != NULL)
		*changes_out = sqlite3_changes(db->db);
	if (own)
		statement_free(s);
	return answer;
}

MsAnswer ms_sqlite_ask(MsSqlite *db, const char *sql, const MsSqlValue *values, MsSqlTake take,
	void *user, gint64 *changes_out, GError **error)
{
	ms_sqlite_lock(db);
	MsAnswer answer = follow(db, false, error);
	if (answer == MS_FOUND)
		answer = ask(db, sql, values, take, user, changes_out, error);
	ms_sqlite_unlock(db);
	return answer;
}

MsAnswer ms_sqlite_empty_log(MsSqlite *db, GError **error)
{
	return ms_sqlite_ask(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL, NULL, error);
}

void ms_sqlite_lock(MsSqlite *db)
{
	pthread_mutex_lock(&db->lock);
}

void ms_sqlite_unlock(MsSqlite *db)
{
	pthread_mutex_unlock(&db->lock);
}

bool ms_sqlite_in_transaction(MsSqlite *db)
{
	return db->db != NULL && sqlite3_get_autocommit(db->db) == 0;
}

gint64 ms_sqlite_last_row(MsSqlite *db)
{
	return sqlite3_last_insert_rowid(db->db);
}
