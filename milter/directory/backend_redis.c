#include "config.h"

#include <string.h>

#include "missent/store.h"

#include "backend.h"

/*
 * P:current       the number of the generation in use
 * P:last          counts generations
 * P:loading       the generation an import is writing now; expires when it dies
 * P:N:state       hash: loaded, entries, source, digests, changes
 * P:N:marks       list of lists of marks; `changes` is its length
 * P:N:KEY         hash: one field a token
 *
 * Scripts find the generation and the entries in one step, so a lookup is one round trip and
 * never sees half of a change.  The keys they touch are not declared to Redis: this layout is
 * for one server with replicas, not for a cluster that spreads keys.
 */

static const char lookup_script[] =
	"local p = string.sub(KEYS[1], 1, -8)\n"
	"local g = redis.call('GET', KEYS[1])\n"
	"if not g then return {} end\n"
	"local base = p .. g .. ':'\n"
	"local values, receivers, seen = {}, {}, {}\n"
	"for i = 1, #ARGV do\n"
	"  local tokens = redis.call('HKEYS', base .. ARGV[i])\n"
	"  values[i] = tokens\n"
	"  local first = string.sub(ARGV[i], 1, 1)\n"
	"  if first == 'i' or first == 'r' or first == 'a' then\n"
	"    for _, stored in ipairs(tokens) do\n"
	"      local t = string.match(stored, '^[^\t]*')\n"
	"      if not seen[t] then\n"
	"        seen[t] = true\n"
	"        local d = redis.call('HKEYS', base .. 'd:' .. t)\n"
	"        if #d > 0 then receivers[#receivers + 1] = {t, d} end\n"
	"      end\n"
	"    end\n"
	"  end\n"
	"end\n"
	"return {g, redis.call('HGETALL', base .. 'state'), values, receivers}\n";

static const char put_script[] =
	"local p = string.sub(KEYS[1], 1, -8)\n"
	"local g = redis.call('GET', KEYS[1])\n"
	"if not g then return -1 end\n"
	"local base = p .. g .. ':'\n"
	"local n = redis.call('HSET', base .. ARGV[1], ARGV[2], '')\n"
	"for i = 5, #ARGV do redis.call('HSET', base .. ARGV[i], ARGV[3], '') end\n"
	"if n > 0 then redis.call('HINCRBY', base .. 'state', 'entries', n) end\n"
	"if n > 0 and ARGV[4] ~= '' then\n"
	"  redis.call('HSET', base .. 'state', 'changes', redis.call('RPUSH', base .. 'marks', ARGV[4]))\n"
	"end\n"
	"return n\n";

static const char marks_script[] =
	"local p = string.sub(KEYS[1], 1, -8)\n"
	"local g = redis.call('GET', KEYS[1])\n"
	"if not g then return {} end\n"
	"local base = p .. g .. ':'\n"
	"local from = 0\n"
	"if ARGV[1] == g then from = tonumber(ARGV[2]) end\n"
	"return {g, redis.call('HGETALL', base .. 'state'),\n"
	"  redis.call('LRANGE', base .. 'marks', from, from + tonumber(ARGV[3]) - 1)}\n";

static const char remove_script[] =
	"local p = string.sub(KEYS[1], 1, -8)\n"
	"local g = redis.call('GET', KEYS[1])\n"
	"if not g then return -1 end\n"
	"local base = p .. g .. ':'\n"
	"local n = redis.call('HDEL', base .. ARGV[1], ARGV[2])\n"
	"for i = 5, #ARGV do redis.call('HDEL', base .. ARGV[i], ARGV[3]) end\n"
	"if n > 0 then redis.call('HINCRBY', base .. 'state', 'entries', -n) end\n"
	"return n\n";

static const char commit_script[] =
	"local p = string.sub(KEYS[1], 1, -8)\n"
	"if redis.call('GET', p .. 'loading') ~= ARGV[1] then return 0 end\n"
	"local base = p .. ARGV[1] .. ':'\n"
	"redis.call('HSET', base .. 'state', 'loaded', ARGV[2], 'entries', ARGV[3],"
	" 'source', ARGV[4], 'digests', ARGV[5], 'changes', redis.call('LLEN', base .. 'marks'))\n"
	"redis.call('SET', KEYS[1], ARGV[1])\n"
	"redis.call('DEL', p .. 'loading')\n"
	"return 1\n";

typedef struct {
	MsBackend base;
	MsRedis *redis;
	char *prefix;
	char *current; /* the key that names the generation in use; scripts get it */
	char *loading;
	MsRedisBulk *bulk;
	guint64 added;
} Redis;

#define CLAIM_MS "300000"
#define RENEW_EVERY 50000

static Redis *self(MsBackend *backend)
{
	return (Redis *)backend;
}

static void close_redis(MsBackend *backend)
{
	Redis *r = self(backend);
	ms_redis_bulk_free(r->bulk);
	ms_redis_free(r->redis);
	g_free(r->prefix);
	g_free(r->current);
	g_free(r->loading);
	g_free(r);
}

static MsAnswer nonsense(GError **error)
{
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
		"Redis gave an answer of the wrong form: is it Redis, and this prefix ours?");
	return MS_RETRY;
}

static const GPtrArray *list_of(const MsReply *reply)
{
	return reply->type == MS_REPLY_LIST ? reply->items : NULL;
}

/* ---- looking up ----------------------------------------------------------------------- */

static bool take_texts(const MsReply *list, GPtrArray *out)
{
	const GPtrArray *items = list_of(list);
	if (items == NULL)
		return false;
	for (guint i = 0; i < items->len; i++) {
		const MsReply *item = items->pdata[i];
		if (item->type != MS_REPLY_TEXT)
			return false;
		g_ptr_array_add(out, g_strdup(item->text));
	}
	return true;
}

static bool take_state(const MsReply *generation, const MsReply *list, MsDirectoryState *state)
{
	g_autoptr(GPtrArray) pairs = g_ptr_array_new_with_free_func(g_free);
	if (generation->type != MS_REPLY_TEXT || !take_texts(list, pairs))
		return false;
	state->generation = g_strdup(generation->text);
	for (guint i = 0; i + 1 < pairs->len; i += 2) {
		const char *name = pairs->pdata[i], *value = pairs->pdata[i + 1];
		if (strcmp(name, "loaded") == 0)
			state->loaded = g_ascii_strtoll(value, NULL, 10);
		else if (strcmp(name, "entries") == 0)
			state->entries = g_ascii_strtoll(value, NULL, 10);
		else if (strcmp(name, "changes") == 0)
			state->changes = g_ascii_strtoll(value, NULL, 10);
		else if (strcmp(name, "digests") == 0)
			state->digests = strcmp(value, "1") == 0;
		else if (strcmp(name, "source") == 0)
			state->source = g_strdup(value);
	}
	return true;
}

static bool take_receivers(const MsReply *list, MsLookup *out)
{
	const GPtrArray *items = list_of(list);
	for (guint i = 0; items != NULL && i < items->len; i++) {
		const GPtrArray *pair = list_of(items->pdata[i]);
		if (pair == NULL || pair->len != 2)
			return false;
		const MsReply *token = pair->pdata[0];
		GPtrArray *receivers = g_ptr_array_new_with_free_func(g_free);
		if (token->type != MS_REPLY_TEXT || !take_texts(pair->pdata[1], receivers)) {
			g_ptr_array_unref(receivers);
			return false;
		}
		g_hash_table_insert(out->receivers, g_strdup(token->text), receivers);
	}
	return items != NULL;
}

static MsAnswer lookup_redis(MsBackend *backend, const char *const *keys, gsize n, MsLookup *out,
	GError **error)
{
	Redis *r = self(backend);
	g_autofree const char **argv = g_new0(const char *, n + 1);
	argv[0] = r->current;
	for (gsize i = 0; i < n; i++)
		argv[i + 1] = keys[i];
	g_autoptr(MsReply) reply = NULL;
	MsAnswer answer = ms_redis_script(r->redis, lookup_script, 1, n + 1, argv, &reply, error);
	if (answer != MS_FOUND)
		return answer;
	const GPtrArray *parts = list_of(reply);
	if (parts != NULL && parts->len == 0)
		return MS_ABSENT;
	if (parts == NULL || parts->len != 4 || !take_state(parts->pdata[0], parts->pdata[1], &out->state))
		return nonsense(error);
	const GPtrArray *values = list_of(parts->pdata[2]);
	if (values == NULL || values->len != n)
		return nonsense(error);
	for (guint i = 0; i < values->len; i++)
		if (!take_texts(values->pdata[i], ms_lookup_values(out)))
			return nonsense(error);
	return take_receivers(parts->pdata[3], out) ? MS_FOUND : nonsense(error);
}

/* ---- single entries ------------------------------------------------------------------- */

static MsAnswer change(Redis *r, const char *script, const MsRowKeys *row, bool *changed, GError **error)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	const char *fixed[] = {r->current, row->key, row->token, row->other_token,
		row->marks != NULL ? row->marks : ""};
	for (gsize i = 0; i < G_N_ELEMENTS(fixed); i++)
		g_ptr_array_add(argv, (gpointer)fixed[i]);
	for (const char *const *other = row->other_keys; *other != NULL; other++)
		g_ptr_array_add(argv, (gpointer)*other);
	g_autoptr(MsReply) reply = NULL;
	MsAnswer answer = ms_redis_script(r->redis, script, 1, argv->len, (const char *const *)argv->pdata,
		&reply, error);
	if (answer != MS_FOUND)
		return answer;
	if (reply->type != MS_REPLY_INTEGER)
		return nonsense(error);
	*changed = reply->integer > 0;
	return reply->integer < 0 ? MS_ABSENT : MS_FOUND;
}

static MsAnswer put_redis(MsBackend *backend, const MsRowKeys *row, bool *changed, GError **error)
{
	return change(self(backend), put_script, row, changed, error);
}

static MsAnswer remove_redis(MsBackend *backend, const MsRowKeys *row, bool *changed, GError **error)
{
	return change(self(backend), remove_script, row, changed, error);
}

/* ---- marks ---------------------------------------------------------------------------- */

#define LISTS_AT_ONCE 64
#define MAX_RESTARTS 5

/* The next lists; `*last_out` when there are no more.  MS_ABSENT: no generation. */
static MsAnswer next_lists(Redis *r, const char *generation, gint64 from, MsDirectoryState *state,
	GPtrArray *lists, bool *last_out, GError **error)
{
	g_autofree char *first = g_strdup_printf("%" G_GINT64_FORMAT, from);
	const char *argv[] = {r->current, generation != NULL ? generation : "", first, G_STRINGIFY(LISTS_AT_ONCE)};
	g_autoptr(MsReply) reply = NULL;
	MsAnswer answer = ms_redis_script(r->redis, marks_script, 1, 4, argv, &reply, error);
	if (answer != MS_FOUND)
		return answer;
	const GPtrArray *parts = list_of(reply);
	if (parts != NULL && parts->len == 0)
		return MS_ABSENT;
	guint before = lists->len;
	ms_directory_state_clear(state);
	if (parts == NULL || parts->len != 3 || !take_state(parts->pdata[0], parts->pdata[1], state)
		|| !take_texts(parts->pdata[2], lists))
		return nonsense(error);
	*last_out = lists->len - before < LISTS_AT_ONCE;
	return MS_FOUND;
}

/* Another generation may be taken into use in the middle: then from its beginning. */
static MsAnswer marks_redis(MsBackend *backend, const char *generation, gint64 from,
	MsDirectoryState *state, void (*take)(const char *marks, void *user), void *user, GError **error)
{
	Redis *r = self(backend);
	g_autoptr(GPtrArray) lists = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *seen = g_strdup(generation);
	gint64 base = from;
	bool last = false;
	for (int restarts = 0; !last; restarts++) {
		MsAnswer answer = next_lists(r, seen, base + lists->len, state, lists, &last, error);
		if (answer != MS_FOUND)
			return answer;
		if (g_strcmp0(seen, state->generation) == 0) {
			restarts = 0;
			continue;
		}
		if (restarts > MAX_RESTARTS)
			return nonsense(error);
		g_free(seen);
		seen = g_strdup(state->generation);
		base = 0;
		last = false;
		g_ptr_array_set_size(lists, 0);
	}
	state->changes = base + lists->len;
	for (guint i = 0; i < lists->len; i++)
		take(lists->pdata[i], user);
	return MS_FOUND;
}

/* ---- all keys ------------------------------------------------------------------------- */

typedef bool (*KeyFunc)(Redis *r, const char *key, void *user, GError **error);

/* SCAN may give a key twice, and gives every key that was there all the time. */
static bool each_key(Redis *r, const char *pattern, KeyFunc func, void *user, GError **error)
{
	g_autofree char *cursor = g_strdup("0");
	do {
		const char *argv[] = {"SCAN", cursor, "MATCH", pattern, "COUNT", "1000"};
		g_autoptr(MsReply) reply = NULL;
		if (ms_redis_command(r->redis, 6, argv, &reply, error) != MS_FOUND)
			return false;
		const GPtrArray *parts = list_of(reply);
		g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
		if (parts == NULL || parts->len != 2
			|| ((MsReply *)parts->pdata[0])->type != MS_REPLY_TEXT
			|| !take_texts(parts->pdata[1], keys)) {
			nonsense(error);
			return false;
		}
		g_free(cursor);
		cursor = g_strdup(((MsReply *)parts->pdata[0])->text);
		for (guint i = 0; i < keys->len; i++)
			if (!func(r, keys->pdata[i], user, error))
				return false;
	} while (strcmp(cursor, "0") != 0);
	return true;
}

static char *current_generation(Redis *r, GError **error)
{
	const char *argv[] = {"GET", r->current};
	g_autoptr(MsReply) reply = NULL;
	if (ms_redis_command(r->redis, 2, argv, &reply, error) != MS_FOUND)
		return NULL;
	return g_strdup(reply->type == MS_REPLY_TEXT ? reply->text : "");
}

typedef struct {
	gsize skip;
	void (*row)(const char *key, const char *token, void *user);
	void *user;
	GHashTable *seen;
} Each;

static bool give_rows(Redis *r, const char *key, void *user, GError **error)
{
	Each *each = user;
	const char *name = key + each->skip;
	if (strcmp(name, "state") == 0 || strcmp(name, "marks") == 0 || !g_hash_table_add(each->seen, g_strdup(key)))
		return true;
	const char *argv[] = {"HKEYS", key};
	g_autoptr(MsReply) reply = NULL;
	g_autoptr(GPtrArray) tokens = g_ptr_array_new_with_free_func(g_free);
	if (ms_redis_command(r->redis, 2, argv, &reply, error) != MS_FOUND)
		return false;
	if (!take_texts(reply, tokens)) {
		nonsense(error);
		return false;
	}
	for (guint i = 0; i < tokens->len; i++)
		each->row(name, tokens->pdata[i], each->user);
	return true;
}

static MsAnswer each_redis(MsBackend *backend,
	void (*row)(const char *key, const char *token, void *user), void *user, GError **error)
{
	Redis *r = self(backend);
	g_autofree char *generation = current_generation(r, error);
	if (generation == NULL)
		return MS_RETRY;
	if (*generation == '\0')
		return MS_ABSENT;
	g_autofree char *base = g_strdup_printf("%s:%s:", r->prefix, generation);
	g_autofree char *pattern = g_strconcat(base, "*", NULL);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	Each each = {strlen(base), row, user, seen};
	return each_key(r, pattern, give_rows, &each, error) ? MS_FOUND : MS_RETRY;
}

/* ---- loading -------------------------------------------------------------------------- */

static bool unlink_old(Redis *r, const char *key, void *user, GError **error)
{
	/* Keep P:current, P:last and the generations named. */
	const char *const *keep = user;
	const char *rest = key + strlen(r->prefix) + 1;
	gsize n = strspn(rest, "0123456789");
	if (n == 0 || rest[n] != ':')
		return true;
	for (; *keep != NULL; keep++)
		if (strlen(*keep) == n && strncmp(*keep, rest, n) == 0)
			return true;
	const char *argv[] = {"UNLINK", key};
	return ms_redis_bulk_add(r->bulk, 2, argv, error);
}

/* Generations that are not in use: replaced, or of a load that was cut off. */
static bool sweep(Redis *r, const char *keep, GError **error)
{
	g_autofree char *current = current_generation(r, error);
	if (current == NULL)
		return false;
	const char *names[] = {current, keep, NULL};
	g_autofree char *pattern = g_strconcat(r->prefix, ":*", NULL);
	gint64 ignored;
	r->bulk = ms_redis_bulk_begin(r->redis, error);
	bool fine = r->bulk != NULL && each_key(r, pattern, unlink_old, names, error)
		&& ms_redis_bulk_end(r->bulk, &ignored, error);
	g_clear_pointer(&r->bulk, ms_redis_bulk_free);
	return fine;
}

/* One import at a time, or one would sweep away what another writes. */
static bool claim(Redis *r, GError **error)
{
	g_autofree char *key = g_strconcat(r->prefix, ":loading", NULL);
	const char *argv[] = {"SET", key, r->loading, "NX", "PX", CLAIM_MS};
	g_autoptr(MsReply) reply = NULL;
	if (ms_redis_command(r->redis, 6, argv, &reply, error) != MS_FOUND)
		return false;
	if (reply->type == MS_REPLY_TEXT)
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_BUSY,
		"another import is running (or one died within the last minutes: delete the key %s)", key);
	return false;
}

static bool renew_claim(Redis *r, GError **error)
{
	g_autofree char *key = g_strconcat(r->prefix, ":loading", NULL);
	const char *argv[] = {"PEXPIRE", key, CLAIM_MS};
	g_autoptr(MsReply) reply = NULL;
	return ms_redis_command(r->redis, 3, argv, &reply, error) == MS_FOUND;
}

static bool begin_redis(MsBackend *backend, GError **error)
{
	Redis *r = self(backend);
	g_autofree char *last = g_strconcat(r->prefix, ":last", NULL);
	const char *argv[] = {"INCR", last};
	g_autoptr(MsReply) reply = NULL;
	if (ms_redis_command(r->redis, 2, argv, &reply, error) != MS_FOUND)
		return false;
	g_free(r->loading);
	r->loading = g_strdup_printf("%" G_GINT64_FORMAT, reply->integer);
	r->added = 0;
	if (!claim(r, error)) {
		g_clear_pointer(&r->loading, g_free);
		return false;
	}
	r->bulk = ms_redis_bulk_begin(r->redis, error);
	return r->bulk != NULL;
}

static bool add_redis(MsBackend *backend, const char *key, const char *token, GError **error)
{
	Redis *r = self(backend);
	g_autofree char *full = g_strdup_printf("%s:%s:%s", r->prefix, r->loading, key);
	/* HMSET tells no number, so what it adds is not counted. */
	const char *argv[] = {key[0] == 'a' ? "HMSET" : "HSET", full, token, ""};
	if (++r->added % RENEW_EVERY == 0 && !renew_claim(r, error))
		return false;
	return ms_redis_bulk_add(r->bulk, 4, argv, error);
}

static bool add_marks_redis(MsBackend *backend, const char *marks, GError **error)
{
	Redis *r = self(backend);
	g_autofree char *full = g_strdup_printf("%s:%s:marks", r->prefix, r->loading);
	/* The script tells no number either: a list's length must not be counted as entries. */
	const char *argv[] = {"EVAL", "redis.call('RPUSH', KEYS[1], ARGV[1]) return 'OK'", "1", full, marks};
	return ms_redis_bulk_add(r->bulk, 5, argv, error);
}

static bool finish_redis(MsBackend *backend, gint64 *entries, GError **error)
{
	Redis *r = self(backend);
	bool fine = ms_redis_bulk_end(r->bulk, entries, error);
	g_clear_pointer(&r->bulk, ms_redis_bulk_free);
	return fine;
}

static bool commit_redis(MsBackend *backend, const MsDirectoryState *state, GError **error)
{
	Redis *r = self(backend);
	g_autofree char *loaded = g_strdup_printf("%" G_GINT64_FORMAT, state->loaded);
	g_autofree char *entries = g_strdup_printf("%" G_GINT64_FORMAT, state->entries);
	const char *argv[] = {r->current, r->loading, loaded, entries, state->source,
		state->digests ? "1" : "0"};
	g_autoptr(MsReply) reply = NULL;
	if (ms_redis_script(r->redis, commit_script, 1, 6, argv, &reply, error) != MS_FOUND)
		return false;
	if (reply->integer != 1) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
			"the import took too long between two steps and lost its claim; nothing was changed");
		return false;
	}
	return sweep(r, r->loading, error);
}

static void abandon_redis(MsBackend *backend)
{
	Redis *r = self(backend);
	g_clear_pointer(&r->bulk, ms_redis_bulk_free);
	if (r->loading == NULL)
		return;
	g_autofree char *key = g_strconcat(r->prefix, ":loading", NULL);
	const char *argv[] = {"DEL", key};
	g_autoptr(MsReply) reply = NULL;
	sweep(r, NULL, NULL);
	ms_redis_command(r->redis, 2, argv, &reply, NULL);
}

static const MsBackendOps redis_ops = {
	.name = "redis",
	.close = close_redis,
	.lookup = lookup_redis,
	.put = put_redis,
	.remove = remove_redis,
	.each = each_redis,
	.begin = begin_redis,
	.marks = marks_redis,
	.add = add_redis,
	.add_marks = add_marks_redis,
	.finish = finish_redis,
	.commit = commit_redis,
	.abandon = abandon_redis,
};

MsBackend *ms_backend_redis(const MsDirectorySettings *settings, GError **error)
{
	MsRedisSettings connection = {
		.address = settings->redis,
		.user = settings->redis_user,
		.password = settings->redis_password,
		.database = settings->redis_database,
		.timeout_ms = settings->timeout_ms,
		.connections = settings->connections,
	};
	MsRedis *redis = ms_redis_new(&connection, error);
	if (redis == NULL)
		return NULL;
	Redis *r = g_new0(Redis, 1);
	r->base.ops = &redis_ops;
	r->redis = redis;
	r->prefix = g_strdup(settings->redis_prefix);
	r->current = g_strconcat(settings->redis_prefix, ":current", NULL);
	return &r->base;
}
