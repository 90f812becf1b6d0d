#include "config.h"

#include <string.h>

#include "missent/digest.h"
#include "missent/store.h"

#include "backend.h"

/*
 * In come keys and tokens, out go entries of the generation in use; from any thread, each call on a
 * pooled connection of its own.
 *
 * P:current       the name of the generation in use: random, never one that was used before
 * P:loading       the generation an import is writing now; expires when it dies
 * P:G:state       hash: loaded, entries, source, digests, changes, slices
 * P:G:marks       list of lists of marks; `changes` is its length
 * P:G:s:N         hash, one of `slices`: fields are keys, values their tokens, a line each; the
 *                 field "" has the number of the others
 *
 * A mapping proves itself: Redis drops whole keys (eviction, DEL) and with one a slice of the
 * mapping is gone, which each lookup in it sees, and each lookup looks at some others besides; a
 * single field that is missing makes the number wrong.  What is lost is then known as lost and
 * never as "not found".  A name that is random cannot come again after Redis lost its counters, so
 * that nobody takes one mapping for another, and no import writes where a reader looks.
 *
 * Many tokens of one key (a tax adviser's thousands of accounts) go on in the fields "KEY\n1",
 * "KEY\n2", ..., each begun when the one before has CHUNK bytes.
 *
 * Scripts find the generation and the entries in one step, so a lookup is one round trip and
 * never sees half of a change.  The keys they touch are not declared to Redis: this layout is
 * for one server with replicas, not for a cluster that spreads keys.
 */

#define CHUNK "4000"

/* Where the mapping is: `base`, and `S`, its number of slices. */
#define LUA_BEGIN                                                                                \
	"local p = string.sub(KEYS[1], 1, -8)\n"                                                   \
	"local g = redis.call('GET', KEYS[1])\n"

/* `slice_of(key)` is the hash that a key is in. */
#define LUA_SLICE                                                                                \
	"local function number_of(k)\n"                                                            \
	"  return tonumber(string.sub(redis.sha1hex(k), 1, 8), 16) % S\n"                          \
	"end\n"                                                                                    \
	"local function slice_of(k) return base .. 's:' .. number_of(k) end\n"

/* `tokens_in(slice, key)`, and the number of fields that they are in. */
#define LUA_TOKENS                                                                               \
	"local function tokens_in(slice, k)\n"                                                     \
	"  local out, n, f = {}, 0, k\n"                                                           \
	"  while true do\n"                                                                        \
	"    local v = redis.call('HGET', slice, f)\n"                                             \
	"    if not v then return out, n end\n"                                                    \
	"    for t in string.gmatch(v, '[^\\n]+') do out[#out + 1] = t end\n"                      \
	"    n = n + 1\n"                                                                          \
	"    if #v < " CHUNK " then return out, n end\n"                                           \
	"    f = k .. '\\n' .. n\n"                                                                \
	"  end\n"                                                                                  \
	"end\n"

/* `add(key, token)`: 1 if it was not there. */
#define LUA_ADD                                                                                  \
	"local function add(k, t)\n"                                                               \
	"  local slice, n, f, v = slice_of(k), 0, k, nil\n"                                        \
	"  while true do\n"                                                                        \
	"    v = redis.call('HGET', slice, f)\n"                                                   \
	"    if v and string.find('\\n' .. v .. '\\n', '\\n' .. t .. '\\n', 1, true) then return 0 end\n" \
	"    if not v or #v < " CHUNK " then break end\n"                                          \
	"    n = n + 1\n"                                                                          \
	"    f = k .. '\\n' .. n\n"                                                                \
	"  end\n"                                                                                  \
	"  redis.call('HSET', slice, f, v and v .. '\\n' .. t or t)\n"                             \
	"  if not v then redis.call('HINCRBY', slice, '', 1) end\n"                                \
	"  return 1\n"                                                                             \
	"end\n"

/* ARGV: where the sample of slices begins, their number; then the keys. */
static const char lookup_script[] =
	LUA_BEGIN
	"if not g then return {} end\n"
	"local base = p .. g .. ':'\n"
	"local state = redis.call('HGETALL', base .. 'state')\n"
	"local S, changes = 0, -1\n"
	"for i = 1, #state, 2 do\n"
	"  if state[i] == 'slices' then S = tonumber(state[i + 1])\n"
	"  elseif state[i] == 'changes' then changes = tonumber(state[i + 1]) end\n"
	"end\n"
	"if S == 0 then return {g, state, {}, {}, 'slices'} end\n"
	LUA_SLICE LUA_TOKENS
	"local lost, seen_slices = '', {}\n"
	"local function whole(n)\n"
	"  local slice = base .. 's:' .. n\n"
	"  if not seen_slices[n] then\n"
	"    seen_slices[n] = true\n"
	"    local said = redis.call('HGET', slice, '')\n"
	"    if not said or tonumber(said) ~= redis.call('HLEN', slice) - 1 then lost = 'entries' end\n"
	"  end\n"
	"  return slice\n"
	"end\n"
	"for i = 0, tonumber(ARGV[2]) - 1 do whole((tonumber(ARGV[1]) + i) % S) end\n"
	"if redis.call('LLEN', base .. 'marks') ~= changes then lost = 'marks' end\n"
	"local values, receivers, seen = {}, {}, {}\n"
	"for i = 3, #ARGV do\n"
	"  local tokens = tokens_in(whole(number_of(ARGV[i])), ARGV[i])\n"
	"  values[i - 2] = tokens\n"
	"  local first = string.sub(ARGV[i], 1, 1)\n"
	"  if first == 'i' or first == 'r' or first == 'a' then\n"
	"    for _, stored in ipairs(tokens) do\n"
	"      local t = string.match(stored, '^[^\t]*')\n"
	"      if not seen[t] then\n"
	"        seen[t] = true\n"
	"        local k = 'd:' .. t\n"
	"        local d = tokens_in(whole(number_of(k)), k)\n"
	"        if #d > 0 then receivers[#receivers + 1] = {t, d} end\n"
	"      end\n"
	"    end\n"
	"  end\n"
	"end\n"
	"return {g, state, values, receivers, lost}\n";

/* The generation in use is changed only while it is whole. */
#define LUA_CHANGE                                                                               \
	LUA_BEGIN                                                                                  \
	"if not g then return -1 end\n"                                                            \
	"local base = p .. g .. ':'\n"                                                             \
	"local S = tonumber(redis.call('HGET', base .. 'state', 'slices') or 0)\n"                 \
	"local changes = tonumber(redis.call('HGET', base .. 'state', 'changes') or -1)\n"         \
	"if S == 0 or redis.call('LLEN', base .. 'marks') ~= changes then return -2 end\n"         \
	LUA_SLICE                                                                                  \
	"for i = 1, #ARGV do\n"                                                                    \
	"  if i == 1 or i > 4 then\n"                                                              \
	"    local slice = slice_of(ARGV[i])\n"                                                    \
	"    local said = redis.call('HGET', slice, '')\n"                                         \
	"    if not said or tonumber(said) ~= redis.call('HLEN', slice) - 1 then return -2 end\n"  \
	"  end\n"                                                                                  \
	"end\n"

/* ARGV: key, token, token of other forms, marks, other keys. */
static const char put_script[] =
	LUA_CHANGE LUA_ADD
	"local n = add(ARGV[1], ARGV[2])\n"
	"for i = 5, #ARGV do add(ARGV[i], ARGV[3]) end\n"
	"if n > 0 then redis.call('HINCRBY', base .. 'state', 'entries', n) end\n"
	"if n > 0 and ARGV[4] ~= '' then\n"
	"  redis.call('HSET', base .. 'state', 'changes', redis.call('RPUSH', base .. 'marks', ARGV[4]))\n"
	"end\n"
	"return n\n";

static const char remove_script[] =
	LUA_CHANGE LUA_TOKENS LUA_ADD
	"local function remove(k, t)\n"
	"  local slice = slice_of(k)\n"
	"  local tokens, n = tokens_in(slice, k)\n"
	"  local there = false\n"
	"  for _, x in ipairs(tokens) do there = there or x == t end\n"
	"  if not there then return 0 end\n"
	"  for i = 0, n - 1 do redis.call('HDEL', slice, i == 0 and k or k .. '\\n' .. i) end\n"
	"  redis.call('HINCRBY', slice, '', -n)\n"
	"  for _, x in ipairs(tokens) do if x ~= t then add(k, x) end end\n"
	"  return 1\n"
	"end\n"
	"local n = remove(ARGV[1], ARGV[2])\n"
	"for i = 5, #ARGV do remove(ARGV[i], ARGV[3]) end\n"
	"if n > 0 then redis.call('HINCRBY', base .. 'state', 'entries', -n) end\n"
	"return n\n";

static const char marks_script[] =
	LUA_BEGIN
	"if not g then return {} end\n"
	"local base = p .. g .. ':'\n"
	"local from = 0\n"
	"if ARGV[1] == g then from = tonumber(ARGV[2]) end\n"
	"return {g, redis.call('HGETALL', base .. 'state'),\n"
	"  redis.call('LRANGE', base .. 'marks', from, from + tonumber(ARGV[3]) - 1)}\n";

/* KEYS[1]: P:G:, the generation that is written.  ARGV: its slices; then key, token, ...  How many
 * were not there; other forms are not counted. */
static const char load_script[] =
	"local base, S = KEYS[1], tonumber(ARGV[1])\n"
	LUA_SLICE LUA_ADD
	"local n = 0\n"
	"for i = 2, #ARGV, 2 do\n"
	"  local added = add(ARGV[i], ARGV[i + 1])\n"
	"  if string.sub(ARGV[i], 1, 1) ~= 'a' then n = n + added end\n"
	"end\n"
	"return n\n";

/* Slices ARGV[1] to ARGV[2] of a generation that is written: an empty one says so from now on.  How
 * many entries are in them, counted by reading them; -1 when one is not whole. */
static const char close_script[] =
	"local n = 0\n"
	"for i = tonumber(ARGV[1]), tonumber(ARGV[2]) do\n"
	"  local slice = KEYS[1] .. 's:' .. i\n"
	"  redis.call('HSETNX', slice, '', 0)\n"
	"  local all = redis.call('HGETALL', slice)\n"
	"  for k = 1, #all, 2 do\n"
	"    if all[k] == '' then\n"
	"      if tonumber(all[k + 1]) ~= #all / 2 - 1 then return -1 end\n"
	"    elseif string.sub(all[k], 1, 1) ~= 'a' then\n"
	"      n = n + 1\n"
	"      for _ in string.gmatch(all[k + 1], '\\n') do n = n + 1 end\n"
	"    end\n"
	"  end\n"
	"end\n"
	"return n\n";

static const char commit_script[] =
	"local p = string.sub(KEYS[1], 1, -8)\n"
	"if redis.call('GET', p .. 'loading') ~= ARGV[1] then return 0 end\n"
	"local base = p .. ARGV[1] .. ':'\n"
	"redis.call('HSET', base .. 'state', 'loaded', ARGV[2], 'entries', ARGV[3],"
	" 'source', ARGV[4], 'digests', ARGV[5], 'slices', ARGV[6],"
	" 'changes', redis.call('LLEN', base .. 'marks'))\n"
	"redis.call('SET', KEYS[1], ARGV[1])\n"
	"redis.call('DEL', p .. 'loading')\n"
	"return 1\n";

typedef struct {
	MsBackend base;
	MsRedis *redis;
	char *prefix;
	char *current; /* the key that names the generation in use; scripts get it */
	char *loading;
	/* of an import */
	char *written; /* P:G: */
	MsRedisBulk *bulk;
	gint64 slices;
	GPtrArray *batch; /* of char *: key, token, ... not sent yet */
	gint64 renewed;
} Redis;

#define CLAIM_MS "300000"
#define RENEW_US (30 * G_USEC_PER_SEC)
#define BATCH 400            /* keys and tokens that are sent as one */
#define SLICE_ENTRIES 64     /* aimed at: small hashes are stored compactly */
#define MAX_SLICES 4194304
#define SAMPLE "16"          /* slices that each lookup looks at besides */
#define CLOSE_AT_ONCE 256
#define NAME_BYTES 16        /* of a generation, random */

static Redis *self(MsBackend *backend)
{
	return (Redis *)backend;
}

static void close_redis(MsBackend *backend)
{
	Redis *r = self(backend);
	ms_redis_bulk_free(r->bulk);
	ms_redis_free(r->redis);
	g_ptr_array_unref(r->batch);
	g_free(r->written);
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

static MsAnswer lost(GError **error, const char *what)
{
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
		"%s of the mapping are lost: Redis dropped them (maxmemory-policy?), or somebody deleted them; "
		"nothing can be judged until it is imported again (missent directory import)", what);
	return MS_CONFIG;
}

static const GPtrArray *list_of(const MsReply *reply)
{
	return reply->type == MS_REPLY_LIST ? reply->items : NULL;
}

/* ---- looking up ----------------------------------------------------------------------- */

static MsAnswer lost_form(GError **error)
{
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "its state is lost, or it was imported by an earlier version; "
		"import it again (missent directory import)");
	return MS_CONFIG;
}

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
			ms_state_set_loaded(state, value);
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
	const gsize fixed = 3;
	g_autofree const char **argv = g_new0(const char *, n + fixed);
	g_autofree char *sample = g_strdup_printf("%d", g_random_int_range(0, MAX_SLICES));
	argv[0] = r->current;
	argv[1] = sample;
	argv[2] = SAMPLE;
	for (gsize i = 0; i < n; i++)
		argv[i + fixed] = keys[i];
	g_autoptr(MsReply) reply = NULL;
	MsAnswer answer = ms_redis_reading_script(r->redis, lookup_script, 1, n + fixed, argv, NULL, &reply, error);
	if (answer != MS_FOUND)
		return answer;
	const GPtrArray *parts = list_of(reply);
	if (parts != NULL && parts->len == 0)
		return MS_ABSENT;
	if (parts == NULL || parts->len != 5 || !take_state(parts->pdata[0], parts->pdata[1], &out->state))
		return nonsense(error);
	const MsReply *gone = parts->pdata[4];
	if (gone->type != MS_REPLY_TEXT)
		return nonsense(error);
	if (strcmp(gone->text, "slices") == 0)
		return lost_form(error);
	if (*gone->text != '\0')
		return lost(error, gone->text);
	const GPtrArray *values = list_of(parts->pdata[2]);
	if (values == NULL || values->len != n)
		return nonsense(error);
	for (guint i = 0; i < values->len; i++) {
		GPtrArray *tokens = ms_lookup_values(out);
		if (!take_texts(values->pdata[i], tokens))
			return nonsense(error);
		out->over = out->over || tokens->len > out->room;
		out->room -= MIN(out->room, tokens->len);
	}
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
		NULL, &reply, error);
	if (answer != MS_FOUND)
		return answer;
	if (reply->type != MS_REPLY_INTEGER)
		return nonsense(error);
	*changed = reply->integer > 0;
	if (reply->integer < -1)
		return lost(error, "entries");
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
	MsAnswer answer = ms_redis_reading_script(r->redis, marks_script, 1, 4, argv, NULL, &reply, error);
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
	if (base + lists->len < state->changes)
		return lost(error, "marks");
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
	void (*row)(const char *key, const char *token, void *user);
	void *user;
} Each;

/* A slice: its fields in pairs. */
static bool give_slice(Redis *r, const char *slice, const Each *each, GError **error)
{
	const char *argv[] = {"HGETALL", slice};
	g_autoptr(MsReply) reply = NULL;
	g_autoptr(GPtrArray) pairs = g_ptr_array_new_with_free_func(g_free);
	if (ms_redis_command(r->redis, 2, argv, &reply, error) != MS_FOUND)
		return false;
	if (!take_texts(reply, pairs)) {
		nonsense(error);
		return false;
	}
	for (guint i = 0; i + 1 < pairs->len; i += 2) {
		char *key = pairs->pdata[i];
		key[strcspn(key, "\n")] = '\0'; /* one that goes on in several fields */
		g_auto(GStrv) tokens = g_strsplit(*key != '\0' ? pairs->pdata[i + 1] : "", "\n", -1);
		for (char **token = tokens; *token != NULL; token++)
			each->row(key, *token, each->user);
	}
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
	g_autofree char *state = g_strdup_printf("%s:%s:state", r->prefix, generation);
	const char *argv[] = {"HGET", state, "slices"};
	g_autoptr(MsReply) reply = NULL;
	if (ms_redis_command(r->redis, 3, argv, &reply, error) != MS_FOUND)
		return MS_RETRY;
	gint64 slices = reply->type == MS_REPLY_TEXT ? g_ascii_strtoll(reply->text, NULL, 10) : 0;
	if (slices <= 0)
		return lost_form(error);
	Each each = {row, user};
	for (gint64 i = 0; i < slices; i++) {
		g_autofree char *slice = g_strdup_printf("%s:%s:s:%" G_GINT64_FORMAT, r->prefix, generation, i);
		if (!give_slice(r, slice, &each, error))
			return MS_RETRY;
	}
	return MS_FOUND;
}

/* ---- loading -------------------------------------------------------------------------- */

static bool unlink_old(Redis *r, const char *key, void *user, GError **error)
{
	/* Keep P:current, P:loading and the generations named. */
	const char *const *keep = user;
	const char *rest = key + strlen(r->prefix) + 1;
	gsize n = strspn(rest, "0123456789abcdef");
	bool numbered = n > 0 && strspn(rest, "0123456789") == n; /* by an earlier version */
	if (rest[n] != ':' || (n != 2 * NAME_BYTES && !numbered))
		return true;
	for (; *keep != NULL; keep++)
		if (strlen(*keep) == n && strncmp(*keep, rest, n) == 0)
			return true;
	const char *argv[] = {"UNLINK", key};
	return ms_redis_bulk_add(r->bulk, 2, argv, NULL, error);
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

static bool begin_redis(MsBackend *backend, gint64 expected, GError **error)
{
	Redis *r = self(backend);
	g_free(r->loading);
	/* A name that no generation had before, whatever Redis has forgotten. */
	r->loading = ms_digest_random_name(NAME_BYTES);
	if (!claim(r, error)) {
		g_clear_pointer(&r->loading, g_free);
		return false;
	}
	g_free(r->written);
	r->written = g_strdup_printf("%s:%s:", r->prefix, r->loading);
	r->slices = CLAMP(expected / SLICE_ENTRIES, 16, MAX_SLICES);
	r->renewed = g_get_monotonic_time();
	g_ptr_array_set_size(r->batch, 0);
	r->bulk = ms_redis_bulk_begin(r->redis, error);
	return r->bulk != NULL;
}

static bool send_batch(Redis *r, GError **error)
{
	gint64 now = g_get_monotonic_time();
	if (r->batch->len == 0)
		return true;
	if (now - r->renewed > RENEW_US && !renew_claim(r, error))
		return false;
	r->renewed = now - r->renewed > RENEW_US ? now : r->renewed;
	g_autofree char *slices = g_strdup_printf("%" G_GINT64_FORMAT, r->slices);
	const char *argv[5 + BATCH] = {"EVAL", load_script, "1", r->written, slices};
	for (guint i = 0; i < r->batch->len; i++)
		argv[5 + i] = r->batch->pdata[i];
	bool fine = ms_redis_bulk_add(r->bulk, 5 + r->batch->len, argv, NULL, error);
	g_ptr_array_set_size(r->batch, 0);
	return fine;
}

static bool add_redis(MsBackend *backend, const char *key, const char *token, GError **error)
{
	Redis *r = self(backend);
	g_ptr_array_add(r->batch, g_strdup(key));
	g_ptr_array_add(r->batch, g_strdup(token));
	return r->batch->len < BATCH || send_batch(r, error);
}

static bool add_marks_redis(MsBackend *backend, const char *marks, GError **error)
{
	Redis *r = self(backend);
	g_autofree char *full = g_strconcat(r->written, "marks", NULL);
	/* The script tells no number: a list's length must not be counted as entries. */
	const char *argv[] = {"EVAL", "redis.call('RPUSH', KEYS[1], ARGV[1]) return 'OK'", "1", full, marks};
	return ms_redis_bulk_add(r->bulk, 5, argv, NULL, error);
}

/* Each slice gets its number, and all that is in them is counted: what Redis dropped meanwhile is
 * known before anybody reads it. */
static bool close_slices(Redis *r, gint64 *entries, GError **error)
{
	*entries = 0;
	for (gint64 from = 0; from < r->slices; from += CLOSE_AT_ONCE) {
		g_autofree char *first = g_strdup_printf("%" G_GINT64_FORMAT, from);
		g_autofree char *last =
			g_strdup_printf("%" G_GINT64_FORMAT, MIN(from + CLOSE_AT_ONCE, r->slices) - 1);
		const char *argv[] = {r->written, first, last};
		g_autoptr(MsReply) reply = NULL;
		if (!renew_claim(r, error)
			|| ms_redis_script(r->redis, close_script, 1, 3, argv, NULL, &reply, error) != MS_FOUND)
			return false;
		if (reply->type != MS_REPLY_INTEGER || reply->integer < 0)
			return lost(error, "entries") == MS_FOUND;
		*entries += reply->integer;
	}
	return true;
}

static bool finish_redis(MsBackend *backend, gint64 *entries, GError **error)
{
	Redis *r = self(backend);
	gint64 sent = 0;
	bool fine = send_batch(r, error) && ms_redis_bulk_end(r->bulk, &sent, error);
	g_clear_pointer(&r->bulk, ms_redis_bulk_free);
	if (!fine || !close_slices(r, entries, error))
		return false;
	return *entries == sent || lost(error, "entries") == MS_FOUND;
}

static bool commit_redis(MsBackend *backend, const MsDirectoryState *state, GError **error)
{
	Redis *r = self(backend);
	g_autofree char *loaded = ms_state_loaded(state);
	g_autofree char *entries = g_strdup_printf("%" G_GINT64_FORMAT, state->entries);
	g_autofree char *slices = g_strdup_printf("%" G_GINT64_FORMAT, r->slices);
	const char *argv[] = {r->current, r->loading, loaded, entries, state->source,
		state->digests ? "1" : "0", slices};
	g_autoptr(MsReply) reply = NULL;
	if (ms_redis_script(r->redis, commit_script, 1, 7, argv, NULL, &reply, error) != MS_FOUND)
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
	MsRedis *redis = ms_redis_new(&settings->redis, error);
	if (redis == NULL)
		return NULL;
	Redis *r = g_new0(Redis, 1);
	r->base.ops = &redis_ops;
	r->redis = redis;
	r->batch = g_ptr_array_new_with_free_func(g_free);
	r->prefix = g_strdup(settings->redis_prefix);
	r->current = g_strconcat(settings->redis_prefix, ":current", NULL);
	return &r->base;
}
