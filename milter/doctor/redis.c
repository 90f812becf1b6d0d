/*
 * Checks of the mapping, and of the Redis that it may be in: may it be used, who comes to it, is
 * it kept.
 *
 * Redis is asked by INFO, CONFIG GET and ACL WHOAMI.  A user who may not ask some of these is as
 * it should be; only what matters for that reason is told as not seen.  The thread of who examines
 * (doctor.h).
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "missent/alert.h"
#include "missent/numbers.h"
#include "missent/store.h"

#include "doctor_private.h"

/* What is said of INFO's sections needs Redis and an answer; that it is away is said by
 * "directory". */
static MsRedis *reach(const Patient *p, const MsRedisSettings *settings)
{
	MsRedisSettings any = *settings;
	any.refuse_eviction = false; /* to ask it about that */
	return p->s->backend == MS_BACKEND_REDIS ? ms_redis_new(&any, NULL) : NULL;
}

static MsReply *ask(MsRedis *redis, const char *a, const char *b, const char *c)
{
	const char *const argv[] = {a, b, c};
	MsReply *reply = NULL;
	gsize n = c != NULL ? 3 : b != NULL ? 2 : 1;
	return redis != NULL && ms_redis_command(redis, n, argv, &reply, NULL) == MS_FOUND ? reply
											   : NULL;
}

/* "name:value" of an INFO.  Caller frees; NULL. */
static char *info(const MsReply *reply, const char *name)
{
	if (reply == NULL || reply->type != MS_REPLY_TEXT)
		return NULL;
	g_auto(GStrv) lines = g_strsplit(reply->text, "\r\n", -1);
	g_autofree char *prefix = g_strconcat(name, ":", NULL);
	for (char **line = lines; *line != NULL; line++)
		if (g_str_has_prefix(*line, prefix))
			return g_strdup(*line + strlen(prefix));
	return NULL;
}

static gint64 info_number(const MsReply *reply, const char *name)
{
	g_autofree char *text = info(reply, name);
	return text != NULL ? g_ascii_strtoll(text, NULL, 10) : -1;
}

/* ---- the mapping ---------------------------------------------------------------------- */

/* To open a file that is not there makes it, and makes it ours. */
static bool is_made(const Patient *p)
{
	return p->s->backend != MS_BACKEND_SQLITE || access(p->s->sqlite_file, F_OK) == 0;
}

static MsAnswer is_usable(const Patient *p, GError **error)
{
	MsDirectoryState state = {0};
	g_autoptr(MsDirectory)
		directory = ms_engine_open_directory(p->s, ms_runtime_kinds(p->runtime), error);
	MsAnswer answer = directory != NULL ? ms_directory_state(directory, &state, error)
					    : MS_CONFIG;
	ms_directory_state_clear(&state);
	return answer;
}

void check_directory(Patient *p)
{
	const char *file = p->s->backend == MS_BACKEND_SQLITE ? p->s->sqlite_file : NULL;
	if (is_closed(p, file, false) || is_closed(p, p->s->key_file, false))
		return;
	if (!is_made(p)) {
		complain(p,
			"the directory is unavailable now, and mail is deferred: nothing was ever imported "
			"(missent directory import FILE.csv)");
		return;
	}
	g_autoptr(GError) error = NULL;
	if (is_usable(p, &error) != MS_FOUND)
		complain(p, "the directory is unavailable now, and mail is deferred: %s",
			error->message);
}

#define STARTED_US (15 * G_USEC_PER_SEC) /* it asks every five seconds */

/* What missentd itself says of it: false where it is not at work, or has only begun. */
static bool ask_daemon(const Patient *p, MsNumbersView *out)
{
	return ms_numbers_read(p->s->numbers_file, out, NULL) &&
		ms_numbers_kept(p->s->numbers_file) && ms_numbers_alive(out) &&
		ms_numbers_worked(out) > STARTED_US;
}

/* It is another user, has other rights, goes over all of the mapping, and has seen another. */
void check_directory_used(Patient *p)
{
	MsNumbersView now;
	if (!is_made(p) || !ask_daemon(p, &now) || now.value[MS_NUM_DIRECTORY_UP] != 0)
		return;
	if (is_usable(p, NULL) == MS_FOUND) /* else check_directory() tells */
		complain(p,
			"missentd cannot use the mapping, and mail is deferred, though this command can: a part of "
			"it may be lost or damaged, or missentd's user %s may not connect", p->s->user);
}

/* That Redis, which has both, is away, "directory" says. */
void check_guard_used(Patient *p)
{
	MsNumbersView now;
	if (ask_daemon(p, &now) && now.value[MS_NUM_GUARD_ON] != 0 &&
		now.value[MS_NUM_GUARD_UP] == 0 &&
		!(p->s->backend == MS_BACKEND_REDIS && is_usable(p, NULL) == MS_RETRY))
		complain(p,
			"missentd cannot count what goes where: nobody is told of mail that goes to "
			"too many, and no stream is stopped");
}

void check_refused(Patient *p)
{
	g_autofree char *why = ms_alert_left(p->s->state_dir, MS_ALERT_REFUSED);
	if (why != NULL)
		complain(p, "the last import was refused, and mail is judged by an older mapping: %s",
			why);
}

/* NULL: there is none, or check_directory() tells why it cannot be had. */
static MsDirectory *open_directory(const Patient *p)
{
	return is_made(p) ? ms_engine_open_directory(p->s, ms_runtime_kinds(p->runtime), NULL)
			  : NULL;
}

void check_house(Patient *p)
{
	g_autoptr(MsDirectory) directory = open_directory(p);
	if (directory != NULL &&
		ms_directory_has_account(directory, p->s->house, NULL, NULL) == MS_ABSENT)
		complain(p,
			"the mapping has no account \"%s\": your own addresses and numbers are nobody's",
			p->s->house);
}

/* No house has more entries of its own. */
#define HOUSE_MOST 10000

typedef struct {
	const char *house;
	bool customers;
} Names;

static void take_name(const char *name, void *user)
{
	Names *names = user;
	names->customers = names->customers || strcmp(name, names->house) != 0;
}

void check_customers(Patient *p)
{
	g_autoptr(MsDirectory) directory = open_directory(p);
	MsDirectoryState state = {0};
	Names names = {p->s->house, false};
	bool small = directory != NULL &&
		ms_directory_state(directory, &state, NULL) == MS_FOUND &&
		state.entries <= HOUSE_MOST;
	ms_directory_state_clear(&state);
	if (small && ms_directory_accounts(directory, take_name, &names, NULL) == MS_FOUND &&
		!names.customers)
		complain(p,
			"the mapping has no account but \"%s\": all recipients are unknown, and nobody's "
			"identifier is found",
			p->s->house);
}

/* ---- how it is reached ---------------------------------------------------------------- */

void check_redis_ways(Patient *p)
{
	const MsRedisSettings *r = &p->s->redis;
	guint sentinels = g_strv_length((char **)r->sentinels);
	bool local = sentinels == 0 && g_str_has_prefix(r->address, "unix:") &&
		strpbrk(r->address, " ,\t") == NULL;
	if (p->s->backend != MS_BACKEND_REDIS)
		return;
	if (r->plaintext && !r->tls)
		complain(p,
			"redis-plaintext = allowed: whoever is on the way to Redis reads its password and can change whose "
			"identifiers are whose");
	if (r->password == NULL && !local)
		complain(p,
			"redis-password-file is not set: whoever reaches Redis can change whose identifiers are whose");
	if (!r->refuse_eviction)
		complain(p,
			"trust-eviction-policy = yes: when Redis drops an entry, all mail is deferred");
	if (sentinels > 0 && sentinels < 3)
		complain(p,
			"redis-sentinels names %u: fewer than three cannot agree when one fails",
			sentinels);
	if (r->replica != NULL && r->max_lag_ms > 300000)
		complain(p,
			"redis-max-lag: mail is judged by a mapping that is %" G_GINT64_FORMAT
			" s old",
			r->max_lag_ms / 1000);
}

void check_redis_open(Patient *p)
{
	MsRedisSettings stranger = p->s->redis;
	stranger.user = stranger.password = NULL;
	stranger.database = 0;
	g_autoptr(MsRedis) redis = p->s->redis.password != NULL ? reach(p, &stranger) : NULL;
	g_autoptr(MsReply) reply = ask(redis, "PING", NULL, NULL);
	if (reply != NULL)
		complain(p,
			"Redis at %s answers who has no password: he can change whose identifiers are whose",
			p->s->redis.address);
}

void check_redis_user(Patient *p)
{
	g_autoptr(MsRedis) redis = p->s->redis.password != NULL ? reach(p, &p->s->redis) : NULL;
	g_autoptr(MsReply) reply = ask(redis, "ACL", "WHOAMI", NULL);
	if (reply != NULL && reply->type == MS_REPLY_TEXT && strcmp(reply->text, "default") == 0)
		complain(p,
			"missent is Redis's user default, who may do everything: flush, configure, replicate elsewhere");
}

/* ---- does it keep it? ----------------------------------------------------------------- */

static bool saves(const MsReply *config)
{
	const MsReply *value = config != NULL && config->type == MS_REPLY_LIST &&
			config->items->len == 2
		? config->items->pdata[1]
		: NULL;
	return value == NULL || value->type != MS_REPLY_TEXT || *value->text != '\0';
}

void check_redis_persistence(Patient *p)
{
	g_autoptr(MsRedis) redis = reach(p, &p->s->redis);
	g_autoptr(MsReply) state = ask(redis, "INFO", "persistence", NULL);
	g_autoptr(MsReply) config = ask(redis, "CONFIG", "GET", "save");
	g_autofree char *written = info(state, "aof_last_write_status"),
			*saved = info(state, "rdb_last_bgsave_status");
	if (state == NULL)
		return;
	bool log = info_number(state, "aof_enabled") == 1;
	if (!log && config == NULL)
		not_seen(p, "whether Redis saves its data: its user may not ask CONFIG GET save");
	else if (!log && !saves(config))
		complain(p,
			"Redis writes nothing to disk: after a restart the mapping is gone, and mail is deferred until the next "
			"import");
	if ((log && g_strcmp0(written, "err") == 0) ||
		(!log && saves(config) && g_strcmp0(saved, "err") == 0))
		complain_as(p, MS_GRAVITY_FAULT, "See Redis's log, and the disk it writes to.",
			"Redis could not write its data to disk the last time");
}

void check_redis_eviction(Patient *p)
{
	g_autoptr(MsRedis) redis = reach(p, &p->s->redis);
	g_autoptr(MsReply) memory = ask(redis, "INFO", "memory", NULL);
	g_autofree char *policy = info(memory, "maxmemory_policy");
	if (policy != NULL && g_str_has_prefix(policy, "allkeys-"))
		complain(p,
			"maxmemory-policy is %s: when Redis is full it drops entries of the mapping, and all mail is deferred",
			policy);
}

void check_redis_memory(Patient *p)
{
	g_autoptr(MsRedis) redis = reach(p, &p->s->redis);
	g_autoptr(MsReply) memory = ask(redis, "INFO", "memory", NULL);
	gint64 used = info_number(memory, "used_memory"), most = info_number(memory, "maxmemory");
	if (most > 0 && used >= most)
		complain_as(p, MS_GRAVITY_FAULT, NULL,
			"Redis's memory is full (%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
			" KiB): nothing can be imported or changed, and the guard counts nothing",
			used >> 10, most >> 10);
	/* An import makes a second mapping beside the one in use. */
	else if (most > 0 && used > most / 2)
		complain(p,
			"Redis uses %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
			" MiB: an import needs the room of the mapping once "
			"more",
			used >> 20, most >> 20);
}

void check_redis_replica(Patient *p)
{
	MsRedisSettings r = p->s->redis;
	if (r.replica == NULL)
		return;
	r.address = r.replica;
	r.replica = NULL;
	r.sentinels = NULL;
	r.cluster = false;
	g_autoptr(MsRedis) redis = reach(p, &r);
	g_autoptr(MsReply) state = ask(redis, "INFO", "replication", NULL);
	g_autofree char *role = info(state, "role"), *link = info(state, "master_link_status");
	if (redis != NULL && state == NULL)
		complain(p, "the replica at %s does not answer", r.address);
	else if (state != NULL && g_strcmp0(role, "slave") != 0)
		complain(
			p, "redis-replica %s is no replica: its mapping stays as it is", r.address);
	else if (state != NULL && g_strcmp0(link, "up") != 0)
		complain(p, "the replica at %s has lost its primary: its mapping gets older",
			r.address);
	else if (info_number(state, "master_last_io_seconds_ago") * 1000 > MAX(r.max_lag_ms, 15000))
		complain(p,
			"the replica at %s has heard nothing of its primary for %" G_GINT64_FORMAT
			" s",
			r.address, info_number(state, "master_last_io_seconds_ago"));
}
