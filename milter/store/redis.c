#include "config.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "missent/store.h"

/* A hiredis context belongs to one thread and dies with its first error: an idle one waits in
 * the pool, one that failed is thrown away. */

#define MAX_ITEMS 1000000
#define BULK_DEPTH 1000 /* commands on the way before their replies are read */

struct MsRedis {
	char *unix_path, *host;
	int port;
	char *user, *password;
	gint64 database;
	struct timeval timeout;
	guint keep;
	pthread_mutex_t lock;
	GPtrArray *idle; /* of redisContext */
};

/* ---- addresses ------------------------------------------------------------------------ */

static bool parse_address(MsRedis *redis, const char *address, GError **error)
{
	if (g_str_has_prefix(address, "unix:")) {
		redis->unix_path = g_strdup(address + 5);
		if (redis->unix_path[0] == '/')
			return true;
	} else {
		const char *colon = strrchr(address, ':');
		gsize len = colon != NULL ? (gsize)(colon - address) : 0;
		bool bracketed = len > 2 && address[0] == '[' && address[len - 1] == ']';
		redis->host = g_strndup(address + bracketed, len - (bracketed ? 2 : 0));
		redis->port = colon != NULL ? atoi(colon + 1) : 0;
		if (len > 0 && redis->port > 0 && redis->port < 65536)
			return true;
	}
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
		"\"%s\" is no Redis address; write unix:/path/to/socket or host:port", address);
	return false;
}

static char *describe(const MsRedis *redis)
{
	return redis->unix_path != NULL ? g_strdup_printf("Redis at unix:%s", redis->unix_path)
					: g_strdup_printf("Redis at %s:%d", redis->host, redis->port);
}

MsRedis *ms_redis_new(const MsRedisSettings *settings, GError **error)
{
	g_autoptr(MsRedis) redis = g_new0(MsRedis, 1);
	pthread_mutex_init(&redis->lock, NULL);
	redis->idle = g_ptr_array_new();
	redis->user = g_strdup(settings->user);
	redis->password = g_strdup(settings->password);
	redis->database = settings->database;
	redis->keep = settings->connections;
	redis->timeout.tv_sec = settings->timeout_ms / 1000;
	redis->timeout.tv_usec = settings->timeout_ms % 1000 * 1000;
	if (!parse_address(redis, settings->address, error))
		return NULL;
	return g_steal_pointer(&redis);
}

void ms_redis_free(MsRedis *redis)
{
	if (redis == NULL)
		return;
	for (guint i = 0; i < redis->idle->len; i++)
		redisFree(redis->idle->pdata[i]);
	g_ptr_array_unref(redis->idle);
	pthread_mutex_destroy(&redis->lock);
	g_free(redis->unix_path);
	g_free(redis->host);
	g_free(redis->user);
	g_free(redis->password);
	g_free(redis);
}

/* ---- replies -------------------------------------------------------------------------- */

void ms_reply_free(MsReply *reply)
{
	if (reply == NULL)
		return;
	g_free(reply->text);
	if (reply->items != NULL)
		g_ptr_array_unref(reply->items);
	g_free(reply);
}

static MsReply *convert(const redisReply *from)
{
	MsReply *reply = g_new0(MsReply, 1);
	switch (from->type) {
	case REDIS_REPLY_INTEGER:
		reply->type = MS_REPLY_INTEGER;
		reply->integer = from->integer;
		break;
	case REDIS_REPLY_STRING:
	case REDIS_REPLY_STATUS:
		reply->type = MS_REPLY_TEXT;
		reply->len = (gsize)from->len;
		reply->text = g_malloc(reply->len + 1);
		memcpy(reply->text, from->str, reply->len);
		reply->text[reply->len] = '\0';
		break;
	case REDIS_REPLY_ARRAY:
		reply->type = MS_REPLY_LIST;
		reply->items = g_ptr_array_new_with_free_func((GDestroyNotify)ms_reply_free);
		for (size_t i = 0; i < from->elements && i < MAX_ITEMS; i++)
			g_ptr_array_add(reply->items, convert(from->element[i]));
		break;
	default: reply->type = MS_REPLY_NIL;
	}
	return reply;
}

/* An error reply: of the moment, or until somebody changes something? */
static MsAnswer error_answer(const MsRedis *redis, const char *text, GError **error)
{
	static const char *const passing[] = {"LOADING", "BUSY", "MASTERDOWN", "TRYAGAIN",
		"CLUSTERDOWN", "OOM", "READONLY", "MISCONF", "NOREPLICAS", NULL};
	MsAnswer answer = MS_CONFIG;
	for (int i = 0; passing[i] != NULL; i++)
		if (g_str_has_prefix(text, passing[i]))
			answer = MS_RETRY;
	g_autofree char *where = describe(redis);
	g_set_error(error, MS_ERROR, answer == MS_RETRY ? MS_ERROR_RETRY : MS_ERROR_CONFIG, "%s: %s",
		where, text);
	return answer;
}

/* ---- connections ---------------------------------------------------------------------- */

static MsAnswer lost(const MsRedis *redis, const redisContext *context, GError **error)
{
	g_autofree char *where = describe(redis);
	const char *why = context == NULL ? "no memory"
		: context->err == REDIS_ERR_IO && errno == EAGAIN
		? "no answer in time"
		: context->errstr;
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s: %s", where, why);
	return MS_RETRY;
}

/* OK, or what the server says. */
static MsAnswer greet(const MsRedis *redis, redisContext *context, int argc, const char **argv,
	GError **error)
{
	redisReply *reply = redisCommandArgv(context, argc, argv, NULL);
	if (reply == NULL)
		return lost(redis, context, error);
	MsAnswer answer = MS_FOUND;
	if (reply->type == REDIS_REPLY_ERROR)
		answer = error_answer(redis, reply->str, error);
	freeReplyObject(reply);
	return answer;
}

static MsAnswer log_in(const MsRedis *redis, redisContext *context, GError **error)
{
	MsAnswer answer = MS_FOUND;
	if (redis->password != NULL) {
		const char *argv[3] = {"AUTH", redis->user, redis->password};
		if (redis->user == NULL)
			argv[1] = redis->password;
		answer = greet(redis, context, redis->user != NULL ? 3 : 2, argv, error);
	}
	if (answer == MS_FOUND && redis->database > 0) {
		g_autofree char *n = g_strdup_printf("%" G_GINT64_FORMAT, redis->database);
		const char *argv[2] = {"SELECT", n};
		answer = greet(redis, context, 2, argv, error);
	}
	return answer;
}

static MsAnswer connect_new(const MsRedis *redis, redisContext **out, GError **error)
{
	redisContext *context = redis->unix_path != NULL
		? redisConnectUnixWithTimeout(redis->unix_path, redis->timeout)
		: redisConnectWithTimeout(redis->host, redis->port, redis->timeout);
	MsAnswer answer = MS_FOUND;
	if (context == NULL || context->err != 0)
		answer = lost(redis, context, error);
	else if (redisSetTimeout(context, redis->timeout) != REDIS_OK)
		answer = lost(redis, context, error);
	else
		answer = log_in(redis, context, error);
	if (answer == MS_FOUND)
		*out = context;
	else if (context != NULL)
		redisFree(context);
	return answer;
}

static redisContext *take_idle(MsRedis *redis)
{
	pthread_mutex_lock(&redis->lock);
	redisContext *context = redis->idle->len > 0
		? g_ptr_array_steal_index(redis->idle, redis->idle->len - 1)
		: NULL;
	pthread_mutex_unlock(&redis->lock);
	return context;
}

static void give_back(MsRedis *redis, redisContext *context)
{
	pthread_mutex_lock(&redis->lock);
	bool keep = context->err == 0 && redis->idle->len < redis->keep;
	if (keep)
		g_ptr_array_add(redis->idle, context);
	pthread_mutex_unlock(&redis->lock);
	if (!keep)
		redisFree(context);
}

/* ---- commands ------------------------------------------------------------------------- */

static MsAnswer run(MsRedis *redis, redisContext *context, gsize argc, const char *const *argv,
	const gsize *lens, MsReply **reply_out, GError **error)
{
	redisReply *raw = redisCommandArgv(context, (int)argc, (const char **)argv, lens);
	if (raw == NULL)
		return lost(redis, context, error);
	MsAnswer answer = MS_FOUND;
	if (raw->type == REDIS_REPLY_ERROR)
		answer = error_answer(redis, raw->str, error);
	else
		*reply_out = convert(raw);
	freeReplyObject(raw);
	return answer;
}

MsAnswer ms_redis_command(MsRedis *redis, gsize argc, const char *const *argv, MsReply **reply_out,
	GError **error)
{
	return ms_redis_command_sized(redis, argc, argv, NULL, reply_out, error);
}

MsAnswer ms_redis_command_sized(MsRedis *redis, gsize argc, const char *const *argv, const gsize *lens,
	MsReply **reply_out, GError **error)
{
	redisContext *context;
	/* Pooled ones may have died unseen: the server restarted, or closed them for idleness. */
	while ((context = take_idle(redis)) != NULL) {
		g_autoptr(GError) why = NULL;
		MsAnswer answer = run(redis, context, argc, argv, lens, reply_out, &why);
		bool dead = context->err == REDIS_ERR_EOF
			|| (context->err == REDIS_ERR_IO && (errno == EPIPE || errno == ECONNRESET));
		give_back(redis, context);
		if (dead)
			continue;
		if (why != NULL)
			g_propagate_error(error, g_steal_pointer(&why));
		return answer;
	}
	MsAnswer answer = connect_new(redis, &context, error);
	if (answer != MS_FOUND)
		return answer;
	answer = run(redis, context, argc, argv, lens, reply_out, error);
	give_back(redis, context);
	return answer;
}

MsAnswer ms_redis_script(MsRedis *redis, const char *script, gsize n_keys, gsize argc,
	const char *const *argv, const gsize *lens, MsReply **reply_out, GError **error)
{
	/* SHA-1 is how Redis names scripts; it protects nothing here. */
	g_autofree char *sha = g_compute_checksum_for_string(G_CHECKSUM_SHA1, script, -1);
	g_autofree char *keys = g_strdup_printf("%zu", n_keys);
	g_autofree const char **all = g_new0(const char *, argc + 3);
	all[0] = "EVALSHA";
	all[1] = sha;
	all[2] = keys;
	memcpy(all + 3, argv, argc * sizeof *argv);
	g_autofree gsize *sizes = g_new(gsize, argc + 3);
	for (gsize i = 0; i < argc + 3; i++)
		sizes[i] = i < 3 || lens == NULL ? strlen(all[i]) : lens[i - 3];
	g_autoptr(GError) why = NULL;
	MsAnswer answer = ms_redis_command_sized(redis, argc + 3, all, sizes, reply_out, &why);
	if (why != NULL && strstr(why->message, "NOSCRIPT") != NULL) {
		all[0] = "EVAL";
		all[1] = script;
		sizes[0] = strlen(all[0]);
		sizes[1] = strlen(script);
		return ms_redis_command_sized(redis, argc + 3, all, sizes, reply_out, error);
	}
	if (why != NULL)
		g_propagate_error(error, g_steal_pointer(&why));
	return answer;
}

/* ---- bulk ----------------------------------------------------------------------------- */

struct MsRedisBulk {
	MsRedis *redis;
	redisContext *context;
	guint pending;
	gint64 sum;
};

MsRedisBulk *ms_redis_bulk_begin(MsRedis *redis, GError **error)
{
	redisContext *context;
	if (connect_new(redis, &context, error) != MS_FOUND)
		return NULL;
	MsRedisBulk *bulk = g_new0(MsRedisBulk, 1);
	bulk->redis = redis;
	bulk->context = context;
	return bulk;
}

static bool drain(MsRedisBulk *bulk, GError **error)
{
	for (; bulk->pending > 0; bulk->pending--) {
		void *raw;
		if (redisGetReply(bulk->context, &raw) != REDIS_OK) {
			lost(bulk->redis, bulk->context, error);
			return false;
		}
		redisReply *reply = raw;
		bool fine = reply->type != REDIS_REPLY_ERROR;
		if (!fine)
			error_answer(bulk->redis, reply->str, error);
		else if (reply->type == REDIS_REPLY_INTEGER)
			bulk->sum += reply->integer;
		freeReplyObject(reply);
		if (!fine)
			return false;
	}
	return true;
}

bool ms_redis_bulk_add(MsRedisBulk *bulk, gsize argc, const char *const *argv, const gsize *lens,
	GError **error)
{
	redisAppendCommandArgv(bulk->context, (int)argc, (const char **)argv, lens);
	return ++bulk->pending < BULK_DEPTH || drain(bulk, error);
}

bool ms_redis_bulk_end(MsRedisBulk *bulk, gint64 *sum_out, GError **error)
{
	bool fine = drain(bulk, error);
	*sum_out = bulk->sum;
	return fine;
}

void ms_redis_bulk_free(MsRedisBulk *bulk)
{
	if (bulk == NULL)
		return;
	redisFree(bulk->context);
	g_free(bulk);
}
