/*
 * In come parts (part.h), out go parts of the generation in use; from any thread, each call on a
 * pooled connection of its own.
 *
 * P:current   the name of the generation in use: random, never one that was used before
 * P:loading   the claim of an import that is writing now; expires when it dies
 * P:G:now     the state of a generation
 * P:G:s:N     its slices; P:G:g:N and P:G:m:N its groups and marks
 *
 * One key is one part: whatever drops keys (eviction, DEL) is seen by whoever looks for it.  A
 * random name cannot come again after Redis lost what it had, so that no import writes where a
 * reader looks.
 *
 * A script finds the generation, the slices, and those of who receives for the accounts in them, so
 * a lookup is one round trip and never sees half of a change.  The keys it touches are not declared
 * to Redis; all other commands declare theirs.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "missent/digest.h"
#include "missent/store.h"

#include "spread.h"

/* ARGV: where the sample begins, its size, how many links of an entry are followed; then what is
 * wanted: a letter (e: an entry, j: with what its links lead to, a: of an account) and its
 * digest. */
static const char look_script[] =
	"local format, find, byte, floor = string.format, string.find, string.byte, math.floor\n"
	"local g = redis.call('GET', KEYS[1])\n"
	"if not g then return {} end\n"
	"local base = string.sub(KEYS[1], 1, -8) .. g .. ':'\n"
	"local state = redis.call('GET', base .. 'now')\n"
	"if not state then return {g} end\n"
	"local S = tonumber(string.match(state, '\\nslices=(%d+)\\n') or '')\n"
	"local A = tonumber(string.match(state, '\\naccounts=(%d+)\\n') or '')\n"
	"local out, lost = {}, 0\n"
	"if not S or not A then return {g, state, out, lost} end\n"
	"local names, numbers, at, got = {}, {}, {}, {}\n"
	"local function want(n)\n"
	"  local place = at[n]\n"
	"  if not place then\n"
	"    place = #names + 1\n"
	"    at[n], numbers[place], names[place] = place, n, format('%ss:%d', base, n)\n"
	"  end\n"
	"  return place\n"
	"end\n"
	"local function get(from)\n"
	"  for first = from, #names, 1000 do\n"
	"    local values = redis.call('MGET', unpack(names, first, math.min(first + 999, #names)))\n"
	"    for i = 1, #values do\n"
	"      local b, place = values[i], first + i - 1\n"
	"      got[place] = b\n"
	"      if b then out[#out + 1] = numbers[place]; out[#out + 1] = b end\n"
	"    end\n"
	"  end\n"
	"end\n"
	"local function account(a, b, c)\n"
	"  want(S + floor((a * 65536 + b * 256 + c) * A / 16777216))\n"
	"end\n"
	"local function follow(s, key)\n"
	"  local a, b, c, d = byte(s, 17, 20)\n"
	"  if not d then return end\n"
	"  local stop = 21 + 8 * (((a * 256 + b) * 256 + c) * 256 + d)\n"
	"  local at = find(s, key, 21, true)\n"
	"  while at and at < stop and (at - 21) % 8 ~= 0 do at = find(s, key, at + 1, true) end\n"
	"  local left = tonumber(ARGV[3])\n"
	"  while at and at < stop and left > 0 and string.sub(s, at, at + 7) == key do\n"
	"    local link = stop + 3 * (at - 21) / 8\n"
	"    local x, y, z = byte(s, link, link + 2)\n"
	"    if not z then return end\n"
	"    account(x, y, z)\n"
	"    at = at + 8\n"
	"    left = left - 1\n"
	"  end\n"
	"end\n"
	"local sample = {}\n"
	"for i = 1, tonumber(ARGV[2]) do sample[i] = format('%ss:%d', base, (ARGV[1] + i) % (S + A)) end\n"
	"local lists = tonumber(string.match(state, '\\nchanges=(%d+)\\n') or '')\n"
	"if lists and lists > 0 then sample[#sample + 1] = format('%sm:%d', base, ARGV[1] % lists) end\n"
	"if #sample > 0 and redis.call('EXISTS', unpack(sample)) < #sample then lost = 1 end\n"
	"local joined, places = {}, {}\n"
	"for i = 4, #ARGV do\n"
	"  local kind, a, b, c, d = byte(ARGV[i], 1, 5)\n"
	"  if kind == 97 then\n"
	"    account(a, b, c)\n"
	"  else\n"
	"    local place = want(floor((((a * 256 + b) * 256 + c) * 256 + d) * S / 4294967296))\n"
	"    if kind == 106 then joined[#joined + 1] = i; places[#joined] = place end\n"
	"  end\n"
	"end\n"
	"get(1)\n"
	"local before = #names\n"
	"for k = 1, #joined do\n"
	"  local s = got[places[k]]\n"
	"  if s then follow(s, string.sub(ARGV[joined[k]], 6, 13)) end\n"
	"end\n"
	"get(before + 1)\n"
	"return {g, state, out, lost}\n";

/* KEYS: P:current, P:G:now, parts. */
static const char fetch_script[] =
	"local out = {}\n"
	"for i = 1, #KEYS do out[i] = redis.call('GET', KEYS[i]) end\n"
	"return out\n";

/* KEYS: P:current, P:G:now, parts.  ARGV: what the first two must be, the new state, the parts. */
static const char swap_script[] =
	"if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end\n"
	"redis.call('SET', KEYS[2], ARGV[3])\n"
	"for i = 3, #KEYS do redis.call('SET', KEYS[i], ARGV[i + 1]) end\n"
	"return 1\n";

/* KEYS: P:loading.  ARGV: the claim, and how long it is good. */
static const char renew_script[] =
	"if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end\n"
	"return redis.call('PEXPIRE', KEYS[1], ARGV[2])\n";

/* KEYS: P:loading.  ARGV: the claim of the dead. */
static const char bury_script[] =
	"if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end\n"
	"return redis.call('DEL', KEYS[1])\n";

/* KEYS: P:current, P:loading, P:G:now.  ARGV: the claim, G, the state.  A script is not undone
 * where it fails: what takes the mapping into use comes last, behind what takes another right. */
static const char commit_script[] =
	"if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end\n"
	"redis.call('DEL', KEYS[2])\n"
	"redis.call('SET', KEYS[3], ARGV[3])\n"
	"redis.call('SET', KEYS[1], ARGV[2])\n"
	"return 1\n";

typedef struct {
	MsBackend base;
	MsRedis *redis;
	MsSpread *spread; /* on a Cluster, where parts are on all nodes; else NULL */
	char *prefix;
	char *current; /* the key that names the generation in use */
	char *claimed; /* the key of an import's claim */
	/* of an import */
	char *loading, *claim;
	MsRedisBulk *bulk;
	gint64 renewed;
	char *cursor; /* of what is being tidied */
} Redis;

#define CLAIM_MS "60000"
#define RENEW_US (10 * G_USEC_PER_SEC)

static Redis *self(MsBackend *backend)
{
	return (Redis *)backend;
}

static void close_redis(MsBackend *backend)
{
	Redis *r = self(backend);
	ms_redis_bulk_free(r->bulk);
	ms_spread_free(r->spread);
	ms_redis_free(r->redis);
	g_free(r->loading);
	g_free(r->claim);
	g_free(r->prefix);
	g_free(r->current);
	g_free(r->claimed);
	g_free(r->cursor);
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

/* The words of a command, which may be any bytes. */
typedef struct {
	GPtrArray *words;
	GArray *lens; /* of gsize */
	GPtrArray *own;
} Words;

static void words_init(Words *w)
{
	w->words = g_ptr_array_new();
	w->lens = g_array_new(FALSE, FALSE, sizeof(gsize));
	w->own = g_ptr_array_new_with_free_func(g_free);
}

static void words_clear(Words *w)
{
	g_ptr_array_unref(w->words);
	g_array_unref(w->lens);
	g_ptr_array_unref(w->own);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Words, words_clear)

static void add_bytes(Words *w, const void *data, gsize len)
{
	g_ptr_array_add(w->words, (gpointer)data);
	g_array_append_val(w->lens, len);
}

static void add_word(Words *w, const char *word)
{
	add_bytes(w, word, strlen(word));
}

/* Takes `word`. */
static void add_own(Words *w, char *word)
{
	g_ptr_array_add(w->own, word);
	add_word(w, word);
}

static MsAnswer command(Redis *r, const Words *w, MsReply **reply, GError **error)
{
	return ms_redis_command_sized(r->redis, w->words->len, (const char *const *)w->words->pdata,
		(const gsize *)(const void *)w->lens->data, reply, error);
}

/* `reading`: the replica may answer. */
static MsAnswer script(Redis *r, const char *text, gsize n_keys, const Words *w, bool reading,
	MsReply **reply, GError **error)
{
	return (reading ? ms_redis_reading_script : ms_redis_script)(r->redis, text, n_keys,
		w->words->len, (const char *const *)w->words->pdata,
		(const gsize *)(const void *)w->lens->data, reply, error);
}

/* What is not a part. */
static char *control_key(const Redis *r, const char *name)
{
	return r->spread != NULL ? ms_spread_control(r->prefix, name)
				 : g_strconcat(r->prefix, ":", name, NULL);
}

static char *state_key(const Redis *r, const char *generation)
{
	g_autofree char *name = g_strconcat(generation, ":now", NULL);
	return control_key(r, name);
}

static char *part_key(const Redis *r, const char *generation, MsPartId id)
{
	return ms_spread_part(r->prefix, generation, id);
}

/* ---- looking up ----------------------------------------------------------------------- */

static void add_wanted(Words *w, const MsWanted *wanted)
{
	char *word = g_malloc(1 + MS_ENTRY_DIGEST);
	word[0] = wanted->account ? 'a' : wanted->join ? 'j' : 'e';
	memcpy(word + 1, wanted->digest, MS_ENTRY_DIGEST);
	g_ptr_array_add(w->own, word);
	add_bytes(w, word, 1 + MS_ENTRY_DIGEST);
}

static GBytes *bytes_of(const MsReply *reply)
{
	return g_bytes_new(reply->text, reply->len);
}

static bool take_slices(const MsReply *list, MsView *out)
{
	const GPtrArray *items = list_of(list);
	for (guint i = 0; items != NULL && i + 1 < items->len; i += 2) {
		const MsReply *number = items->pdata[i], *data = items->pdata[i + 1];
		if (number->type != MS_REPLY_INTEGER || number->integer < 0 ||
			number->integer > G_MAXUINT32 || data->type != MS_REPLY_TEXT)
			return false;
		ms_view_take(out, MS_PART(MS_PART_SLICE, (guint32)number->integer), bytes_of(data));
	}
	return items != NULL && items->len % 2 == 0;
}

static bool take_look(const GPtrArray *parts, MsView *out)
{
	if (parts == NULL || (parts->len != 1 && parts->len != 4))
		return false;
	const MsReply *generation = parts->pdata[0];
	if (generation->type != MS_REPLY_TEXT)
		return false;
	out->generation = g_strdup(generation->text);
	if (parts->len == 1)
		return true;
	const MsReply *state = parts->pdata[1], *gone = parts->pdata[3];
	if (state->type != MS_REPLY_TEXT || gone->type != MS_REPLY_INTEGER)
		return false;
	out->state = g_strdup(state->text);
	out->lost = gone->integer != 0;
	return take_slices(parts->pdata[2], out);
}

static MsAnswer look_redis(
	MsBackend *backend, const MsWanted *wanted, gsize n, MsView *out, GError **error)
{
	Redis *r = self(backend);
	if (r->spread != NULL)
		return ms_spread_look(r->spread, wanted, n, out, error);
	g_auto(Words) w;
	words_init(&w);
	add_word(&w, r->current);
	add_own(&w, g_strdup_printf("%d", g_random_int_range(0, G_MAXINT32)));
	add_word(&w, G_STRINGIFY(MS_SAMPLE));
	add_word(&w, G_STRINGIFY(MS_MANY_LINKS));
	for (gsize i = 0; i < n; i++)
		add_wanted(&w, &wanted[i]);
	g_autoptr(MsReply) reply = NULL;
	MsAnswer answer = script(r, look_script, 1, &w, !out->primary, &reply, error);
	if (answer != MS_FOUND)
		return answer;
	const GPtrArray *parts = list_of(reply);
	if (parts != NULL && parts->len == 0)
		return MS_ABSENT;
	return take_look(parts, out) ? MS_FOUND : nonsense(error);
}

static MsAnswer fetch_redis(MsBackend *backend, const char *generation, const MsPartId *ids,
	gsize n, MsView *out, GError **error)
{
	Redis *r = self(backend);
	if (r->spread != NULL)
		return ms_spread_fetch(r->spread, generation, ids, n, out, error);
	g_auto(Words) w;
	words_init(&w);
	add_word(&w, r->current);
	add_own(&w, state_key(r, generation));
	for (gsize i = 0; i < n; i++)
		add_own(&w, part_key(r, generation, ids[i]));
	g_autoptr(MsReply) reply = NULL;
	MsAnswer answer = script(r, fetch_script, n + 2, &w, !out->primary, &reply, error);
	if (answer != MS_FOUND)
		return answer;
	const GPtrArray *items = list_of(reply);
	if (items == NULL || items->len != n + 2)
		return nonsense(error);
	const MsReply *current = items->pdata[0], *state = items->pdata[1];
	out->generation = current->type == MS_REPLY_TEXT ? g_strdup(current->text) : NULL;
	out->state = state->type == MS_REPLY_TEXT ? g_strdup(state->text) : NULL;
	for (gsize i = 0; i < n; i++) {
		const MsReply *part = items->pdata[i + 2];
		if (part->type == MS_REPLY_TEXT)
			ms_view_take(out, ids[i], bytes_of(part));
	}
	return MS_FOUND;
}

/* ---- changing ------------------------------------------------------------------------- */

static MsAnswer swap_redis(MsBackend *backend, const MsView *seen, const char *state,
	const MsPartId *ids, GBytes *const *data, gsize n, bool *swapped_out, GError **error)
{
	Redis *r = self(backend);
	if (r->spread != NULL)
		return ms_spread_swap(r->spread, seen, state, ids, data, n, swapped_out, error);
	g_auto(Words) w;
	words_init(&w);
	add_word(&w, r->current);
	add_own(&w, state_key(r, seen->generation));
	for (gsize i = 0; i < n; i++)
		add_own(&w, part_key(r, seen->generation, ids[i]));
	add_word(&w, seen->generation);
	add_word(&w, seen->state);
	add_word(&w, state);
	for (gsize i = 0; i < n; i++)
		add_bytes(&w, g_bytes_get_data(data[i], NULL), g_bytes_get_size(data[i]));
	g_autoptr(MsReply) reply = NULL;
	MsAnswer answer = script(r, swap_script, n + 2, &w, false, &reply, error);
	if (answer != MS_FOUND)
		return answer;
	if (reply->type != MS_REPLY_INTEGER)
		return nonsense(error);
	*swapped_out = reply->integer == 1;
	return MS_FOUND;
}

/* ---- loading: the claim --------------------------------------------------------------- */

/* Host, space of process numbers, number: whether it lives can be told on this host only. */
static char *our_place(void)
{
	char space[64] = "";
	if (readlink("/proc/self/ns/pid", space, sizeof space - 1) < 0)
		space[0] = '\0';
	return g_strdup_printf("%s/%s/", g_get_host_name(), space);
}

static bool is_dead(const char *claim)
{
	g_autofree char *place = our_place();
	const char *at = strchr(claim, '@');
	if (at == NULL || !g_str_has_prefix(at + 1, place))
		return false;
	gint64 pid = g_ascii_strtoll(at + 1 + strlen(place), NULL, 10);
	return pid > 0 && pid <= G_MAXINT && kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

/* One import at a time, or one would tidy away what another writes. */
static MsAnswer try_claim(Redis *r, bool *claimed, GError **error)
{
	const char *argv[] = {"SET", r->claimed, r->claim, "NX", "PX", CLAIM_MS};
	g_autoptr(MsReply) reply = NULL;
	MsAnswer answer = ms_redis_command(r->redis, G_N_ELEMENTS(argv), argv, &reply, error);
	*claimed = answer == MS_FOUND && reply->type == MS_REPLY_TEXT;
	return answer;
}

/* The claim of an import that died on this host. */
static bool bury(Redis *r, GError **error)
{
	const char *get[] = {"GET", r->claimed};
	g_autoptr(MsReply) reply = NULL;
	if (ms_redis_command(r->redis, 2, get, &reply, error) != MS_FOUND)
		return false;
	if (reply->type != MS_REPLY_TEXT || !is_dead(reply->text)) {
		g_set_error(error, MS_ERROR, MS_ERROR_BUSY,
			"another import is running%s%s (one that died is forgotten "
			"within a minute)",
			reply->type == MS_REPLY_TEXT ? ": " : "",
			reply->type == MS_REPLY_TEXT ? reply->text : "");
		return false;
	}
	const char *argv[] = {r->claimed, reply->text};
	g_autoptr(MsReply) gone = NULL;
	return ms_redis_script(r->redis, bury_script, 1, 2, argv, NULL, &gone, error) == MS_FOUND;
}

static void abandon_redis(MsBackend *backend)
{
	Redis *r = self(backend);
	g_clear_pointer(&r->bulk, ms_redis_bulk_free);
	if (r->claim == NULL)
		return;
	const char *argv[] = {r->claimed, r->claim};
	g_autoptr(MsReply) reply = NULL;
	ms_redis_script(r->redis, bury_script, 1, 2, argv, NULL, &reply, NULL);
	g_clear_pointer(&r->claim, g_free);
}

static bool begin_redis(
	MsBackend *backend, const char *generation, const char **note_out, GError **error)
{
	Redis *r = self(backend);
	*note_out = NULL;
	g_free(r->loading);
	g_free(r->claim);
	g_autofree char *place = our_place();
	r->loading = g_strdup(generation);
	r->claim = g_strdup_printf("%s@%s%d", generation, place, (int)getpid());
	bool claimed = false;
	MsAnswer answer = try_claim(r, &claimed, error);
	if (answer == MS_FOUND && !claimed) {
		answer = bury(r, error) ? try_claim(r, &claimed, error) : MS_RETRY;
		*note_out =
			"an import was cut off before; this one begins anew, and removes what that one wrote";
		if (answer == MS_FOUND && !claimed)
			g_set_error(error, MS_ERROR, MS_ERROR_BUSY, "another import is running");
	}
	r->renewed = g_get_monotonic_time();
	if (!claimed)
		g_clear_pointer(&r->claim, g_free);
	r->bulk = claimed ? ms_redis_bulk_begin(r->redis, error) : NULL;
	if (r->bulk == NULL)
		abandon_redis(backend);
	return r->bulk != NULL;
}

static bool lost_claim(GError **error)
{
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
		"the import took too long between two steps and lost its claim; nothing was changed");
	return false;
}

static bool alive_redis(MsBackend *backend, GError **error)
{
	Redis *r = self(backend);
	gint64 now = g_get_monotonic_time();
	if (now - r->renewed < RENEW_US)
		return true;
	r->renewed = now;
	const char *argv[] = {r->claimed, r->claim, CLAIM_MS};
	g_autoptr(MsReply) reply = NULL;
	if (ms_redis_script(r->redis, renew_script, 1, 3, argv, NULL, &reply, error) != MS_FOUND)
		return false;
	return reply->integer == 1 || lost_claim(error);
}

/* ---- loading: parts ------------------------------------------------------------------- */

static bool store_redis(MsBackend *backend, MsPartId id, GBytes *data, GError **error)
{
	Redis *r = self(backend);
	g_autofree char *key = part_key(r, r->loading, id);
	gsize len;
	const char *bytes = g_bytes_get_data(data, &len);
	const char *argv[] = {"SET", key, bytes};
	const gsize lens[] = {3, strlen(key), len};
	return alive_redis(backend, error) && ms_redis_bulk_add(r->bulk, 3, argv, lens, error);
}

static bool settle_redis(MsBackend *backend, GError **error)
{
	Redis *r = self(backend);
	gint64 ignored = 0;
	return ms_redis_bulk_end(r->bulk, &ignored, error);
}

static bool is_current(Redis *r)
{
	const char *argv[] = {"GET", r->current};
	g_autoptr(MsReply) reply = NULL;
	return ms_redis_command(r->redis, 2, argv, &reply, NULL) == MS_FOUND &&
		reply->type == MS_REPLY_TEXT && strcmp(reply->text, r->loading) == 0;
}

static bool commit_redis(MsBackend *backend, const char *state, GError **error)
{
	Redis *r = self(backend);
	if (!settle_redis(backend, error))
		return false;
	g_autofree char *now = state_key(r, r->loading);
	const char *argv[] = {r->current, r->claimed, now, r->claim, r->loading, state};
	g_autoptr(MsReply) reply = NULL;
	if (ms_redis_script(r->redis, commit_script, 3, G_N_ELEMENTS(argv), argv, NULL, &reply,
		    error) != MS_FOUND)
		return false;
	g_clear_pointer(&r->bulk, ms_redis_bulk_free);
	/* Said twice because the answer was lost, it was done the first time. */
	if (reply->integer != 1 && !is_current(r))
		return lost_claim(error);
	g_clear_pointer(&r->claim, g_free);
	return true;
}

/* ---- tidying -------------------------------------------------------------------------- */

/* The generation that a key is of; NULL: it is none of ours. */
static char *generation_of(const Redis *r, const char *key)
{
	const char *rest = key + strlen(r->prefix) + 1;
	gsize n = strspn(rest, "0123456789abcdef");
	bool numbered = n > 0 && strspn(rest, "0123456789") == n; /* by an earlier version */
	return rest[n] == ':' && (n >= 16 || numbered) ? g_strndup(rest, n) : NULL;
}

/* The keys of one step of SCAN, which gives every key that was there all the time, some twice. */
static const GPtrArray *some_keys(Redis *r, MsReply **reply, GError **error)
{
	g_autofree char *pattern = g_strconcat(r->prefix, ":*", NULL);
	const char *argv[] = {
		"SCAN", r->cursor != NULL ? r->cursor : "0", "MATCH", pattern, "COUNT", "1000"};
	if (ms_redis_command(r->redis, G_N_ELEMENTS(argv), argv, reply, error) != MS_FOUND)
		return NULL;
	const GPtrArray *parts = list_of(*reply);
	const MsReply *cursor = parts != NULL && parts->len == 2 ? parts->pdata[0] : NULL;
	const GPtrArray *keys = cursor != NULL && cursor->type == MS_REPLY_TEXT
		? list_of(parts->pdata[1])
		: NULL;
	if (keys == NULL) {
		nonsense(error);
		return NULL;
	}
	g_free(r->cursor);
	r->cursor = g_strdup(cursor->text);
	return keys;
}

/* What is in use, and what is being written; asked after the keys, so that none of theirs is taken
 * for one of nobody's. */
static bool ask_kept(Redis *r, char *kept[2], GError **error)
{
	const char *argv[] = {"MGET", r->current, r->claimed};
	g_autoptr(MsReply) reply = NULL;
	if (ms_redis_command(r->redis, 3, argv, &reply, error) != MS_FOUND)
		return false;
	const GPtrArray *items = list_of(reply);
	for (guint i = 0; items != NULL && i < 2; i++) {
		const MsReply *item = items->pdata[i];
		kept[i] = item->type == MS_REPLY_TEXT
			? g_strndup(item->text, strcspn(item->text, "@"))
			: g_strdup("");
	}
	return items != NULL || nonsense(error) == MS_FOUND;
}

static bool tidy_redis(MsBackend *backend, bool *more_out, GError **error)
{
	Redis *r = self(backend);
	g_autoptr(MsReply) reply = NULL;
	char *kept[2] = {NULL, NULL};
	const GPtrArray *keys = some_keys(r, &reply, error);
	if (keys == NULL || !ask_kept(r, kept, error))
		return false;
	g_auto(Words) w;
	words_init(&w);
	add_word(&w, "UNLINK");
	for (guint i = 0; i < keys->len; i++) {
		const MsReply *key = keys->pdata[i];
		g_autofree char *generation = key->type == MS_REPLY_TEXT
			? generation_of(r, key->text)
			: NULL;
		if (generation != NULL && strcmp(generation, kept[0]) != 0 &&
			strcmp(generation, kept[1]) != 0)
			add_word(&w, key->text);
	}
	g_free(kept[0]);
	g_free(kept[1]);
	g_autoptr(MsReply) gone = NULL;
	if (r->spread != NULL)
		g_ptr_array_remove_index(w.words, 0);
	bool fine = r->spread != NULL ? ms_spread_unlink(r->spread, w.words, error) == MS_FOUND
		: w.words->len == 1 || command(r, &w, &gone, error) == MS_FOUND;
	*more_out = fine && strcmp(r->cursor, "0") != 0;
	return fine;
}

static const MsBackendOps redis_ops = {
	.name = "redis",
	.close = close_redis,
	.look = look_redis,
	.fetch = fetch_redis,
	.swap = swap_redis,
	.begin = begin_redis,
	.store = store_redis,
	.alive = alive_redis,
	.settle = settle_redis,
	.commit = commit_redis,
	.abandon = abandon_redis,
	.tidy = tidy_redis,
};

MsBackend *ms_backend_redis(const MsDirectorySettings *settings, GError **error)
{
	MsRedis *redis = ms_redis_new(&settings->redis, error);
	if (redis == NULL)
		return NULL;
	Redis *r = g_new0(Redis, 1);
	r->base.ops = &redis_ops;
	r->redis = redis;
	r->prefix = g_strdup(settings->redis_prefix);
	/* With a prefix in braces all is in one slot, and scripts may have it. */
	if (ms_redis_is_cluster(redis) && strchr(r->prefix, '{') == NULL)
		r->spread = ms_spread_new(redis, r->prefix);
	r->current = control_key(r, "current");
	r->claimed = control_key(r, "loading");
	return &r->base;
}
