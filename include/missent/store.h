/*
 * store.h - connections to Redis and files of SQLite, and nothing about what is in them.
 *
 * WHAT    Redis over TCP, TLS or a Unix socket: found through Sentinel or by address, asked on
 *         pooled connections; SQLite with durable settings.  Callers bring commands and SQL.
 * OWNS    MsRedis, MsSqlite, MsReply: freed by their _free functions.
 * ERRORS  GError, with the server's name; MsAnswer tells a fault of the moment (MS_RETRY: not
 *         reachable, timed out, loading, full) from one of configuration (MS_CONFIG: wrong
 *         password, not a database, no right to a command).  A server that did not answer in time
 *         is not waited for again until it has answered a probe: an outage costs one timeout.  The
 *         same holds for a file of SQLite that another process keeps locked: one wait, then probes.
 * THREADS Safe: Redis connections are pooled, an MsSqlite is locked for each call.
 * LIMITS  An answer of Redis: one timeout for all of it, 1,000,000 items, max_bytes.
 * NOT     On a Redis Cluster (redis-cluster) a command goes by its first key alone, and no
 *         replica is read.
 */
#ifndef MISSENT_STORE_H
#define MISSENT_STORE_H

#include <glib.h>
#include <stdbool.h>

#include "missent/answer.h"
#include "missent/redis.h"

/* ---- Redis ---- */

typedef struct MsRedis MsRedis;
typedef struct MsRedisBulk MsRedisBulk;

typedef enum {
	MS_REPLY_NIL,
	MS_REPLY_INTEGER,
	MS_REPLY_TEXT,
	MS_REPLY_LIST,
	MS_REPLY_ERROR
} MsReplyType;
/* Callers of the functions below never see MS_REPLY_ERROR. */
typedef struct MsReply {
	MsReplyType type;
	gint64 integer;
	char *text;       /* NUL-terminated, and of `len` bytes that may be NUL too */
	gsize len;
	GPtrArray *items; /* of MsReply */
} MsReply;
void ms_reply_free(MsReply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsReply, ms_reply_free)

/* Connects to nobody yet. */
MsRedis *ms_redis_new(const MsRedisSettings *settings, GError **error);
void ms_redis_free(MsRedis *redis);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsRedis, ms_redis_free)
/* One command to the primary, or the node of its key, one round trip.  (SCAN goes from node to
 * node: its cursor is a text.)  A pooled connection that turns out to be dead is replaced, and a
 * primary that another has become, and the command sent once more: commands must be repeatable. */
MsAnswer ms_redis_command(MsRedis *redis, gsize argc, const char *const *argv, MsReply **reply_out,
	GError **error);
/* The same for words that may have NUL in them: their lengths, or NULL. */
MsAnswer ms_redis_command_sized(MsRedis *redis, gsize argc, const char *const *argv,
	const gsize *lens, MsReply **reply_out, GError **error);
/* A script by its digest, sent whole only when the server does not have it yet.  `lens`: of `argv`,
 * or NULL. */
MsAnswer ms_redis_script(MsRedis *redis, const char *script, gsize n_keys, gsize argc,
	const char *const *argv, const gsize *lens, MsReply **reply_out, GError **error);
/* The same for one that writes nothing: the replica may answer, if it is not too far behind. */
MsAnswer ms_redis_reading_script(MsRedis *redis, const char *script, gsize n_keys, gsize argc,
	const char *const *argv, const gsize *lens, MsReply **reply_out, GError **error);

typedef struct {
	gsize argc;
	const char *const *argv;
	const gsize *lens; /* of the words, or NULL */
} MsCommand;
/* Commands with one key each, in one round trip to each node that has some: a list of their
 * replies.  None is of the same moment as another. */
MsAnswer ms_redis_many(
	MsRedis *redis, const MsCommand *commands, gsize n, MsReply **reply_out, GError **error);
/* Keys are on several servers: no command and no script may have such of two slots. */
bool ms_redis_is_cluster(const MsRedis *redis);

/* Many commands to the primary on a connection of their own; replies are integers and are
 * summed. */
MsRedisBulk *ms_redis_bulk_begin(MsRedis *redis, GError **error);
bool ms_redis_bulk_add(MsRedisBulk *bulk, gsize argc, const char *const *argv, const gsize *lens,
	GError **error);
bool ms_redis_bulk_end(MsRedisBulk *bulk, gint64 *sum_out, GError **error);
void ms_redis_bulk_free(MsRedisBulk *bulk);

/* When a certificate in PEM form ends, in seconds since 1970. */
bool ms_certificate_ends(const char *path, gint64 *ends_out, GError **error);

/* ---- SQLite ---- */

typedef struct MsSqlite MsSqlite;

/* Opens `path` (made with `schema` and mode 0640 if `create`) and checks `application_id`:
 * a database of something else is refused. */
MsSqlite *ms_sqlite_open(const char *path, gint32 application_id, const char *schema, bool create,
	MsAnswer *answer_out, GError **error);
/* The same, for a database whose form has changed: one with the application id of a row is made
 * to what the current schema says by `sql`, wholly or not at all; a reader (`create` false)
 * leaves it to the next writer and refuses it. */
typedef struct {
	gint32 application_id; /* 0: the end */
	const char *sql;
} MsSqliteUpgrade;
MsSqlite *ms_sqlite_open_upgraded(const char *path, gint32 application_id,
	const MsSqliteUpgrade *upgrades, const char *schema, bool create, MsAnswer *answer_out,
	GError **error);
/* What has the name of a file of ours and is none ("a pipe"); NULL: a file has, or nothing. */
const char *ms_sqlite_in_the_way(const char *path);
/* May who has it open write it?  SQLite opens what it cannot open for writing to be read alone,
 * and says so with the first statement that writes.  (That its disk takes nothing for now is for
 * that to say.) */
bool ms_sqlite_can_write(MsSqlite *db, GError **error);
/* It is the file that has its name: if another was put there, the next statement outside a
 * transaction opens that one in its place; while there is none, statements fail (MS_CONFIG), and
 * none is made.  This has it opened anew also where another was copied over it; of files that are
 * seldom written. */
MsAnswer ms_sqlite_follow_contents(MsSqlite *db, GError **error);
/* Writes the log's pages into the file: what is copied over it is not mixed with them. */
MsAnswer ms_sqlite_empty_log(MsSqlite *db, GError **error);
void ms_sqlite_free(MsSqlite *db);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsSqlite, ms_sqlite_free)

/* The value of a parameter, which has the same name in the SQL: MS_SQL_TEXT("uid", uid) is that
 * of ":uid".  A text that is NULL is SQL's NULL.  A parameter without a value, a value without a
 * parameter and a column that is not there are mistakes of the program, and end it. */
typedef struct {
	const char *name;
	const char *text;
	gint64 number;
	bool is_number;
	GBytes *bytes; /* instead of text and number */
} MsSqlValue;
#define MS_SQL_TEXT(parameter, value) {.name = ":" parameter, .text = (value)}
#define MS_SQL_NUMBER(parameter, value)                                     \
	{                                                                   \
		.name = ":" parameter, .number = (value), .is_number = true \
	}
#define MS_SQL_BYTES(parameter, value) {.name = ":" parameter, .bytes = (value)}
#define MS_SQL_VALUES(...) ((const MsSqlValue[]){__VA_ARGS__, {.name = NULL}})

/* A row, while it is being taken.  What is not of the type that is asked for, or no UTF-8, is 0
 * or "", and makes the row odd: somebody else wrote it, or the file is damaged. */
typedef struct MsSqlRow MsSqlRow;
typedef void (*MsSqlTake)(MsSqlRow *row, void *user);
gint64 ms_sql_number(MsSqlRow *row, const char *column); /* NULL is 0 */
const char *ms_sql_text(MsSqlRow *row, const char *column); /* NULL is "", and odd */
const char *ms_sql_text_or_null(MsSqlRow *row, const char *column);
GBytes *ms_sql_bytes(MsSqlRow *row, const char *column); /* the caller's; NULL is NULL */
bool ms_sql_is_odd(const MsSqlRow *row);

/* One statement, prepared at its first use and kept.  `values` may be NULL where it has no
 * parameters, `take` where it has no rows, `changes_out` always. */
MsAnswer ms_sqlite_ask(MsSqlite *db, const char *sql, const MsSqlValue *values, MsSqlTake take,
	void *user, gint64 *changes_out, GError **error);
/* Several statements as one: lock, then run, then unlock. */
void ms_sqlite_lock(MsSqlite *db);
void ms_sqlite_unlock(MsSqlite *db);
/* Some errors end one by themselves. */
bool ms_sqlite_in_transaction(MsSqlite *db);
gint64 ms_sqlite_last_row(MsSqlite *db);

#endif
