/*
 * In come many commands of one thread, which go out on connections of their own, one to each node
 * that has keys of theirs; replies are read when enough are on the way.  Each reply has a deadline,
 * all of it has none: an import takes as long as it takes.
 */
#include "config.h"

#include <string.h>

#include "redis_private.h"

#define DEPTH 1000 /* commands on the way before their replies are read */
#define BYTES (4 << 20)
#define BULK_TIMEOUT_US (10 * G_USEC_PER_SEC)

/* A connection to one node, and what is on its way: a Cluster may send it elsewhere. */
typedef struct {
	MsServer *server;
	MsWire *wire;
	guint pending;
	GQueue commands; /* of Copy, on a Cluster */
} End;

typedef struct {
	GPtrArray *words;
	gsize *lens;
} Copy;

struct MsRedisBulk {
	MsRedis *redis;
	bool cluster;
	GPtrArray *ends; /* of End */
	gint64 timeout_us, sum;
};

static void copy_free(gpointer data)
{
	Copy *copy = data;
	g_ptr_array_unref(copy->words);
	g_free(copy->lens);
	g_free(copy);
}

static Copy *copy_new(const MsCommand *command)
{
	Copy *copy = g_new0(Copy, 1);
	copy->words = g_ptr_array_new_with_free_func(g_free);
	copy->lens = g_new(gsize, command->argc);
	for (gsize i = 0; i < command->argc; i++) {
		copy->lens[i] = command->lens != NULL ? command->lens[i] : strlen(command->argv[i]);
		char *word = g_malloc(copy->lens[i] + 1);
		memcpy(word, command->argv[i], copy->lens[i]);
		word[copy->lens[i]] = '\0';
		g_ptr_array_add(copy->words, word);
	}
	return copy;
}

static void end_free(gpointer data)
{
	End *end = data;
	ms_wire_free(end->wire);
	ms_server_unref(end->server);
	g_queue_clear_full(&end->commands, copy_free);
	g_free(end);
}

static End *end_at(MsRedisBulk *bulk, MsServer *server, GError **error)
{
	for (guint i = 0; i < bulk->ends->len; i++)
		if (((End *)bulk->ends->pdata[i])->server == server)
			return bulk->ends->pdata[i];
	MsWire *wire;
	if (ms_server_open(server, &wire, error) != MS_FOUND)
		return NULL;
	End *end = g_new0(End, 1);
	g_queue_init(&end->commands);
	end->server = ms_server_ref(server);
	end->wire = wire;
	g_ptr_array_add(bulk->ends, end);
	return end;
}

MsRedisBulk *ms_redis_bulk_begin(MsRedis *redis, GError **error)
{
	MsRedisBulk *bulk = g_new0(MsRedisBulk, 1);
	bulk->redis = redis;
	bulk->cluster = ms_redis_is_cluster(redis);
	bulk->ends = g_ptr_array_new_with_free_func(end_free);
	bulk->timeout_us = MAX(ms_redis_timeout(redis), BULK_TIMEOUT_US);
	if (bulk->cluster)
		return bulk;
	g_autoptr(MsServer) server = ms_redis_server_of(redis, NULL, error);
	if (server != NULL && end_at(bulk, server, error) != NULL)
		return bulk;
	ms_redis_bulk_free(bulk);
	return NULL;
}

/* What a node did not take, since its slot has moved or is being moved. */
static bool send_again(MsRedisBulk *bulk, const Copy *copy, MsReply **reply, GError **error)
{
	g_clear_pointer(reply, ms_reply_free);
	return ms_redis_command_sized(bulk->redis, copy->words->len,
		       (const char *const *)copy->words->pdata, copy->lens, reply,
		       error) == MS_FOUND;
}

static bool is_elsewhere(const MsReply *reply)
{
	return reply->type == MS_REPLY_ERROR
		&& (g_str_has_prefix(reply->text, "MOVED ") || g_str_has_prefix(reply->text, "ASK ")
			|| g_str_has_prefix(reply->text, "TRYAGAIN"));
}

static bool drain(MsRedisBulk *bulk, End *end, GError **error)
{
	for (; end->pending > 0; end->pending--) {
		g_autoptr(MsReply) reply = NULL;
		gint64 deadline = g_get_monotonic_time() + bulk->timeout_us;
		if (ms_wire_get(end->wire, deadline, &reply, error) != MS_WIRE_FINE)
			return false;
		Copy *copy = g_queue_pop_head(&end->commands);
		bool fine = copy == NULL || !is_elsewhere(reply) ||
			send_again(bulk, copy, &reply, error);
		if (copy != NULL)
			copy_free(copy);
		if (!fine)
			return false;
		if (reply->type == MS_REPLY_ERROR)
			return ms_server_error(end->server, reply->text, error) == MS_FOUND;
		if (reply->type == MS_REPLY_INTEGER)
			bulk->sum += reply->integer;
	}
	return true;
}

bool ms_redis_bulk_add(MsRedisBulk *bulk, gsize argc, const char *const *argv, const gsize *lens,
	GError **error)
{
	const MsCommand command = {argc, argv, lens};
	End *end = bulk->ends->len > 0 ? bulk->ends->pdata[0] : NULL;
	if (bulk->cluster) {
		g_autoptr(MsServer) server = ms_redis_server_of(bulk->redis, &command, error);
		end = server != NULL ? end_at(bulk, server, error) : NULL;
		if (end == NULL)
			return false;
		g_queue_push_tail(&end->commands, copy_new(&command));
	}
	ms_wire_put(end->wire, argc, argv, lens);
	bool full = ++end->pending >= DEPTH || ms_wire_unsent(end->wire) > BYTES;
	return !full || drain(bulk, end, error);
}

bool ms_redis_bulk_end(MsRedisBulk *bulk, gint64 *sum_out, GError **error)
{
	bool fine = true;
	for (guint i = 0; i < bulk->ends->len && fine; i++)
		fine = drain(bulk, bulk->ends->pdata[i], error);
	*sum_out = bulk->sum;
	return fine;
}

void ms_redis_bulk_free(MsRedisBulk *bulk)
{
	if (bulk == NULL)
		return;
	g_ptr_array_unref(bulk->ends);
	g_free(bulk);
}
