/*
 * A step is packed, sent to the primary with the script that has the rules of step.c
 * (script.lua), and its answers are unpacked; from any thread, one round trip.  All names begin
 * alike, with one hash tag, so that on a Cluster they are on one node.
 */
#include "config.h"

#include <string.h>

#include "missent/store.h"

#include "step.h"

#include "milter/guard/script.inc"

typedef struct {
	MsGuardStore ops; /* first */
	MsRedis *redis;
	char *prefix;
} Store;

static char *base_of(const Store *store, const guint8 *key_name)
{
	return g_strdup_printf("%s:{guard}:2%02x%02x%02x%02x:", store->prefix, key_name[0],
		key_name[1], key_name[2], key_name[3]);
}

static void add_number(GByteArray *out, guint32 n)
{
	guint32 big = GUINT32_TO_BE(n);
	g_byte_array_append(out, (const guint8 *)&big, sizeof big);
}

static void add_byte(GByteArray *out, guint n)
{
	guint8 byte = (guint8)n;
	g_byte_array_append(out, &byte, 1);
}

static GByteArray *pack_head(const MsStep *step)
{
	GByteArray *out = g_byte_array_new();
	const guint32 rest[] = {step->keep, step->learn, step->cool_down, step->probes,
		step->volume, step->recipients};
	add_number(out, step->now);
	g_byte_array_append(out, step->message, MS_KEY_BYTES);
	add_byte(out, step->held);
	for (gsize i = 0; i < G_N_ELEMENTS(rest); i++)
		add_number(out, rest[i]);
	return out;
}

static GByteArray *pack_ops(const MsStep *step)
{
	GByteArray *out = g_byte_array_new();
	for (guint i = 0; i < step->ops->len; i++) {
		const MsOp *op = &g_array_index(step->ops, MsOp, i);
		const guint32 numbers[] = {
			op->streams, op->window, op->limit, op->limit2, op->asks};
		add_byte(out, op->letter);
		g_byte_array_append(out, op->key, MS_KEY_BYTES);
		g_byte_array_append(out, op->key2, MS_KEY_BYTES);
		g_byte_array_append(out, op->key3, MS_KEY_BYTES);
		add_byte(out, op->flags);
		add_byte(out, op->holds);
		for (gsize k = 0; k < G_N_ELEMENTS(numbers); k++)
			add_number(out, numbers[k]);
		g_assert(op->members->len <= 65535);
		add_byte(out, op->members->len >> 8);
		add_byte(out, op->members->len & 255);
		g_byte_array_append(out, op->members->data, op->members->len);
	}
	return out;
}

static MsAnswer step(MsGuardStore *ops, const MsStep *step, MsStepped *out, GError **error)
{
	Store *store = (Store *)ops;
	g_autoptr(GByteArray) head = pack_head(step);
	g_autoptr(GByteArray) all = pack_ops(step);
	g_autofree char *base = base_of(store, step->key_name);
	const char *argv[] = {base, (const char *)head->data, (const char *)all->data};
	const gsize lens[] = {strlen(base), head->len, all->len};
	g_autoptr(MsReply) reply = NULL;
	memset(out, 0, sizeof *out);
	MsAnswer answer = ms_redis_script(
		store->redis, guard_script, 1, 3, argv, lens, &reply, error);
	if (answer != MS_FOUND)
		return answer;
	if (reply->type == MS_REPLY_TEXT
		&& ms_stepped_unpack(out, (const guint8 *)reply->text, reply->len, step->ops->len))
		return MS_FOUND;
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
		"Redis gave an answer of the wrong form: is this prefix ours?");
	return MS_RETRY;
}

static MsAnswer value(MsGuardStore *ops, const guint8 *key_name, const MsStepName *name,
	GBytes **value_out, GError **error)
{
	Store *store = (Store *)ops;
	g_autoptr(GByteArray) whole = g_byte_array_new();
	g_autofree char *base = base_of(store, key_name);
	g_byte_array_append(whole, (const guint8 *)base, (guint)strlen(base));
	g_byte_array_append(whole, name->bytes, sizeof name->bytes);
	const char *argv[] = {"GET", (const char *)whole->data};
	const gsize lens[] = {3, whole->len};
	g_autoptr(MsReply) reply = NULL;
	MsAnswer answer = ms_redis_command_sized(store->redis, 2, argv, lens, &reply, error);
	if (answer != MS_FOUND)
		return answer;
	if (reply->type != MS_REPLY_TEXT)
		return MS_ABSENT;
	*value_out = g_bytes_new(reply->text, reply->len);
	return MS_FOUND;
}

static void close_store(MsGuardStore *ops)
{
	Store *store = (Store *)ops;
	ms_redis_free(store->redis);
	g_free(store->prefix);
	g_free(store);
}

MsGuardStore *ms_guard_store_redis(const MsRedisSettings *redis, const char *prefix, GError **error)
{
	MsRedis *connections = ms_redis_new(redis, error);
	if (connections == NULL)
		return NULL;
	Store *store = g_new0(Store, 1);
	store->ops = (MsGuardStore){close_store, step, value};
	store->redis = connections;
	store->prefix = g_strdup(prefix);
	return &store->ops;
}
