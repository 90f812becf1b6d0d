/*
 * In come commands with a key each, from any thread; out go their replies, in order.  Each goes to
 * the node that has the slot of its key, those of one node together, and all nodes are asked before
 * any is waited for: a round costs as long as the slowest.
 *
 * Which node has which slot is a map that never changes; a new one takes its place when a node
 * says MOVED or does not answer.  While a slot is being moved, a node says ASK for what has gone
 * already: that one command is asked of the other.
 */
#include "config.h"

#include <pthread.h>
#include <string.h>

#include "redis_private.h"

#define SLOTS 16384
#define MAX_NODES 1000
#define MAX_ROUNDS 8
#define PAUSE_US (10 * 1000)

typedef struct {
	gint refs; /* atomic */
	GPtrArray *nodes; /* of MsServer */
	gint16 owner[SLOTS]; /* -1: none */
} Map;

struct MsCluster {
	MsClusterMake make;
	void *user;
	GPtrArray *seeds; /* of MsServer */
	pthread_mutex_t lock, learning;
	Map *map;
	gint64 learnt_at;
};

/* ---- keys ------------------------------------------------------------------------------- */

/* CRC-16/XMODEM, as the Cluster specification has it. */
static guint16 crc16(const char *data, gsize len)
{
	guint16 crc = 0;
	for (gsize i = 0; i < len; i++) {
		crc ^= (guint16)((guint8)data[i] << 8);
		for (int bit = 0; bit < 8; bit++)
			crc = (guint16)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
	}
	return crc;
}

static guint slot_of(const char *key)
{
	const char *open = strchr(key, '{');
	const char *close = open != NULL ? strchr(open + 1, '}') : NULL;
	if (close != NULL && close > open + 1)
		return crc16(open + 1, (gsize)(close - open - 1)) % SLOTS;
	return crc16(key, strlen(key)) % SLOTS;
}

/* The key of a command; NULL: it has none. */
const char *ms_cluster_key(const MsCommand *command)
{
	static const char *const none[] = {
		"PING", "INFO", "SCAN", "CLUSTER", "ASKING", "ACL", "TIME", NULL};
	const char *const *argv = command->argv;
	if (g_strv_contains(none, argv[0]) || command->argc < 2)
		return NULL;
	if (g_str_has_prefix(argv[0], "EVAL"))
		return command->argc > 3 && strcmp(argv[2], "0") != 0 ? argv[3] : NULL;
	if (strcmp(argv[0], "XGROUP") == 0)
		return command->argc > 2 ? argv[2] : NULL;
	if (g_str_has_prefix(argv[0], "XREAD")) {
		for (gsize i = 1; i + 1 < command->argc; i++)
			if (strcmp(argv[i], "STREAMS") == 0)
				return argv[i + 1];
		return NULL;
	}
	return argv[1];
}

/* ---- the map ---------------------------------------------------------------------------- */

static Map *map_ref(Map *map)
{
	g_atomic_int_inc(&map->refs);
	return map;
}

static void map_unref(Map *map)
{
	if (map == NULL || !g_atomic_int_dec_and_test(&map->refs))
		return;
	g_ptr_array_unref(map->nodes);
	g_free(map);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Map, map_unref)

static Map *map_new(void)
{
	Map *map = g_new0(Map, 1);
	map->refs = 1;
	map->nodes = g_ptr_array_new_with_free_func((GDestroyNotify)ms_server_unref);
	for (int i = 0; i < SLOTS; i++)
		map->owner[i] = -1;
	return map;
}

static Map *current_map(MsCluster *cluster)
{
	pthread_mutex_lock(&cluster->lock);
	Map *map = cluster->map != NULL ? map_ref(cluster->map) : NULL;
	pthread_mutex_unlock(&cluster->lock);
	return map;
}

static MsServer *find_node(const GPtrArray *nodes, const char *address)
{
	for (guint i = 0; i < nodes->len; i++)
		if (g_str_has_suffix(ms_server_name(nodes->pdata[i]), address) &&
			strcmp(strstr(ms_server_name(nodes->pdata[i]), " at ") + 4, address) == 0)
			return nodes->pdata[i];
	return NULL;
}

/* The server at `address`, with its pool if there is one. */
static MsServer *server_at(MsCluster *cluster, const Map *map, const char *address, GError **error)
{
	g_autoptr(Map) before = current_map(cluster);
	MsServer *found = map != NULL ? find_node(map->nodes, address) : NULL;
	if (found == NULL && before != NULL)
		found = find_node(before->nodes, address);
	if (found == NULL)
		found = find_node(cluster->seeds, address);
	return found != NULL ? ms_server_ref(found) : cluster->make(cluster->user, address, error);
}

/* A node that does not know its own address is at the one that it was asked at. */
static char *address_of(const MsServer *asked, const char *host, gint64 port)
{
	if (host == NULL || *host == '\0')
		host = ms_server_host(asked);
	if (host == NULL || strcmp(host, "?") == 0)
		return NULL;
	return g_strdup_printf(
		strchr(host, ':') != NULL ? "[%s]:%" G_GINT64_FORMAT : "%s:%" G_GINT64_FORMAT, host,
		port);
}

/* [from, to, [host, port, ...], ...] */
static bool take_range(MsCluster *cluster, Map *map, const MsServer *asked, const MsReply *range)
{
	if (range->type != MS_REPLY_LIST || range->items->len < 3)
		return false;
	const MsReply *from = range->items->pdata[0], *to = range->items->pdata[1],
		      *node = range->items->pdata[2];
	if (from->type != MS_REPLY_INTEGER || to->type != MS_REPLY_INTEGER || from->integer < 0 ||
		to->integer >= SLOTS || node->type != MS_REPLY_LIST || node->items->len < 2)
		return false;
	const MsReply *host = node->items->pdata[0], *port = node->items->pdata[1];
	g_autofree char *address = port->type == MS_REPLY_INTEGER
		? address_of(asked, host->type == MS_REPLY_TEXT ? host->text : NULL, port->integer)
		: NULL;
	MsServer *server = address != NULL ? find_node(map->nodes, address) : NULL;
	if (server == NULL && address != NULL && map->nodes->len < MAX_NODES) {
		server = server_at(cluster, map, address, NULL);
		if (server != NULL)
			g_ptr_array_add(map->nodes, server);
	}
	guint index;
	if (server == NULL || !g_ptr_array_find(map->nodes, server, &index))
		return true; /* those slots have no node that we may ask */
	for (gint64 slot = from->integer; slot <= to->integer; slot++)
		map->owner[slot] = (gint16)index;
	return true;
}

static Map *ask_map(MsCluster *cluster, MsServer *server, GError **error)
{
	const char *argv[] = {"CLUSTER", "SLOTS"};
	const MsCommand command = {2, argv, NULL};
	g_autoptr(GPtrArray)
		replies = g_ptr_array_new_with_free_func((GDestroyNotify)ms_reply_free);
	if (ms_server_ask(server, &command, 1, replies, error) != MS_FOUND)
		return NULL;
	const MsReply *list = replies->pdata[0];
	if (list->type == MS_REPLY_ERROR) {
		ms_server_error(server, list->text, error);
		return NULL;
	}
	g_autoptr(Map) map = map_new();
	bool fine = list->type == MS_REPLY_LIST && list->items->len > 0;
	for (guint i = 0; fine && i < list->items->len; i++)
		fine = take_range(cluster, map, server, list->items->pdata[i]);
	if (fine)
		return g_steal_pointer(&map);
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s: does not tell which nodes have the slots",
		ms_server_name(server));
	return NULL;
}

/* Asks the nodes that are known, then those of the settings, until one tells; not if somebody did
 * after `since`. */
static bool learn(MsCluster *cluster, gint64 since, GError **error)
{
	pthread_mutex_lock(&cluster->learning);
	g_autoptr(Map) before = current_map(cluster);
	pthread_mutex_lock(&cluster->lock);
	bool fresh = before != NULL && cluster->learnt_at > since;
	pthread_mutex_unlock(&cluster->lock);
	gint64 now = g_get_monotonic_time(); /* what is told is not newer than the question */
	Map *map = NULL;
	g_autoptr(GError) first = NULL;
	g_autoptr(GPtrArray) asked = g_ptr_array_new();
	for (guint i = 0; !fresh && before != NULL && i < before->nodes->len; i++)
		g_ptr_array_add(asked, before->nodes->pdata[i]);
	for (guint i = 0; !fresh && i < cluster->seeds->len; i++)
		if (!g_ptr_array_find(asked, cluster->seeds->pdata[i], NULL))
			g_ptr_array_add(asked, cluster->seeds->pdata[i]);
	for (guint i = 0; map == NULL && i < asked->len; i++)
		map = ask_map(cluster, asked->pdata[i], first == NULL ? &first : NULL);
	if (map != NULL) {
		pthread_mutex_lock(&cluster->lock);
		Map *old = cluster->map;
		cluster->map = map;
		cluster->learnt_at = now;
		pthread_mutex_unlock(&cluster->lock);
		map_unref(old);
	}
	pthread_mutex_unlock(&cluster->learning);
	if (map == NULL && !fresh && first != NULL)
		g_propagate_error(error, g_steal_pointer(&first));
	return fresh || map != NULL;
}

MsCluster *ms_cluster_new(MsClusterMake make, void *user, GPtrArray *seeds)
{
	MsCluster *cluster = g_new0(MsCluster, 1);
	cluster->make = make;
	cluster->user = user;
	cluster->seeds = g_ptr_array_ref(seeds);
	pthread_mutex_init(&cluster->lock, NULL);
	pthread_mutex_init(&cluster->learning, NULL);
	return cluster;
}

void ms_cluster_free(MsCluster *cluster)
{
	if (cluster == NULL)
		return;
	map_unref(cluster->map);
	g_ptr_array_unref(cluster->seeds);
	pthread_mutex_destroy(&cluster->lock);
	pthread_mutex_destroy(&cluster->learning);
	g_free(cluster);
}

GPtrArray *ms_cluster_nodes(MsCluster *cluster)
{
	GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)ms_server_unref);
	g_autoptr(Map) map = current_map(cluster);
	for (guint i = 0; map != NULL && i < map->nodes->len; i++)
		g_ptr_array_add(all, ms_server_ref(map->nodes->pdata[i]));
	return all;
}

MsServer *ms_cluster_owner(MsCluster *cluster, const char *key, GError **error)
{
	g_autoptr(Map) map = current_map(cluster);
	if (map == NULL && learn(cluster, 0, error))
		map = current_map(cluster);
	int owner = map != NULL ? map->owner[slot_of(key)] : -1;
	if (owner >= 0)
		return ms_server_ref(map->nodes->pdata[owner]);
	if (map != NULL)
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "Redis Cluster: no node has slot %u", slot_of(key));
	return NULL;
}

/* ---- asking ----------------------------------------------------------------------------- */

/* Where a command goes, once it does not go by the map. */
typedef struct {
	MsServer *server;
	bool asking;
	MsServer *asked; /* this round; NULL: none was there to ask */
} Route;

/* What goes to one node together. */
typedef struct {
	MsServer *server;
	GArray *commands; /* of MsCommand */
	GArray *which;    /* of gint64: the number of each; -1: ASKING */
	MsPending *pending;
} Group;

typedef struct {
	MsCluster *cluster;
	const MsCommand *commands;
	gsize n;
	MsReply **got;
	Route *routes;
	GPtrArray *groups;
	gint64 begun;
	bool pause;   /* before the next round */
	bool stale;   /* the map is */
	GError *why;  /* what the last round failed of */
	MsAnswer end; /* MS_FOUND: go on */
} Round;

static void group_free(gpointer data)
{
	Group *group = data;
	g_array_unref(group->commands);
	g_array_unref(group->which);
	ms_server_unref(group->server);
	g_free(group);
}

static Group *group_for(Round *r, MsServer *server)
{
	for (guint i = 0; i < r->groups->len; i++)
		if (((Group *)r->groups->pdata[i])->server == server)
			return r->groups->pdata[i];
	Group *group = g_new0(Group, 1);
	group->server = ms_server_ref(server);
	group->commands = g_array_new(FALSE, FALSE, sizeof(MsCommand));
	group->which = g_array_new(FALSE, FALSE, sizeof(gint64));
	g_ptr_array_add(r->groups, group);
	return group;
}

static void add_command(Group *group, const MsCommand *command, gint64 which)
{
	g_array_append_val(group->commands, *command);
	g_array_append_val(group->which, which);
}

static MsServer *server_for(Round *r, gsize i)
{
	const char *key = ms_cluster_key(&r->commands[i]);
	if (r->routes[i].server != NULL)
		return ms_server_ref(r->routes[i].server);
	return ms_cluster_owner(r->cluster, key != NULL ? key : "", &r->why);
}

static bool gather(Round *r)
{
	static const char *const asking[] = {"ASKING"};
	static const MsCommand ask = {1, asking, NULL};
	g_clear_error(&r->why);
	g_ptr_array_set_size(r->groups, 0);
	for (gsize i = 0; i < r->n; i++) {
		if (r->got[i] != NULL)
			continue;
		MsServer *server = server_for(r, i);
		ms_server_unref(r->routes[i].asked);
		r->routes[i].asked = server;
		if (server == NULL)
			return false;
		Group *group = group_for(r, server);
		if (r->routes[i].asking)
			add_command(group, &ask, -1);
		add_command(group, &r->commands[i], (gint64)i);
	}
	return true;
}

static void route(Round *r, gsize i, const MsServer *asked, const char *text, bool asking)
{
	const char *space = strrchr(text, ' '), *colon = strrchr(text, ':');
	g_autofree char *host = space != NULL && colon > space
		? g_strndup(space + 1, (gsize)(colon - space - 1))
		: NULL;
	g_autofree char *address = host != NULL
		? address_of(asked, host, g_ascii_strtoll(colon + 1, NULL, 10))
		: NULL;
	ms_server_unref(r->routes[i].server);
	r->routes[i].server = address != NULL ? server_at(r->cluster, NULL, address, NULL) : NULL;
	r->routes[i].asking = asking;
	r->stale = r->stale || !asking;
	r->pause = r->pause || address == NULL;
}

/* An error that says where else to ask, or to ask again. */
static bool redirected(Round *r, gsize i, const MsServer *asked, const MsReply *reply)
{
	if (reply->type != MS_REPLY_ERROR)
		return false;
	bool moved = g_str_has_prefix(reply->text, "MOVED "),
	     ask = g_str_has_prefix(reply->text, "ASK ");
	if (moved || ask) {
		route(r, i, asked, reply->text, ask);
	} else if (g_str_has_prefix(reply->text, "TRYAGAIN")) {
		r->pause = true;
	} else if (g_str_has_prefix(reply->text, "CLUSTERDOWN")) {
		r->stale = true;
		r->end = MS_RETRY; /* unless others have the slot by now */
	} else {
		return false;
	}
	if (r->why == NULL)
		ms_server_error(asked, reply->text, &r->why);
	return true;
}

static void take_group(Round *r, Group *group)
{
	g_autoptr(GPtrArray) replies = g_ptr_array_new();
	GError *why = NULL;
	const MsCommand *commands = (const MsCommand *)(void *)group->commands->data;
	MsAnswer answer = ms_server_finish(
		group->pending, commands, group->commands->len, replies, &why);
	if (answer != MS_FOUND) {
		r->stale = true;
		r->end = answer;
		g_clear_error(&r->why);
		r->why = why;
		return;
	}
	for (guint k = 0; k < replies->len; k++) {
		gint64 i = g_array_index(group->which, gint64, k);
		MsReply *reply = replies->pdata[k];
		if (i < 0 || redirected(r, (gsize)i, group->server, reply))
			ms_reply_free(reply);
		else
			r->got[i] = reply;
	}
}

/* All nodes are asked, then all are waited for. */
static void one_round(Round *r)
{
	r->pause = r->stale = false;
	r->end = MS_FOUND;
	if (!gather(r)) {
		r->stale = true;
		r->end = MS_RETRY;
		return;
	}
	for (guint g = 0; g < r->groups->len; g++) {
		Group *group = r->groups->pdata[g];
		GError *why = NULL;
		const MsCommand *commands = (const MsCommand *)(void *)group->commands->data;
		MsAnswer answer = ms_server_begin(
			group->server, commands, group->commands->len, &group->pending, &why);
		if (answer == MS_FOUND)
			continue;
		group->pending = NULL;
		r->stale = true;
		r->end = answer;
		g_clear_error(&r->why);
		r->why = why;
	}
	for (guint g = 0; g < r->groups->len; g++)
		if (((Group *)r->groups->pdata[g])->pending != NULL)
			take_group(r, r->groups->pdata[g]);
}

static bool answered(const Round *r)
{
	for (gsize i = 0; i < r->n; i++)
		if (r->got[i] == NULL)
			return false;
	return true;
}

/* A node failed: is another than the one that was asked known to have its slots by now, whoever
 * learnt of it?  Those that it did not answer go by the map again. */
static bool moved_on(Round *r)
{
	if (r->end == MS_CONFIG || !learn(r->cluster, r->begun, NULL))
		return false;
	g_autoptr(Map) map = current_map(r->cluster);
	bool changed = false;
	for (gsize i = 0; i < r->n; i++) {
		const char *key = r->got[i] == NULL ? ms_cluster_key(&r->commands[i]) : NULL;
		if (key == NULL)
			continue;
		g_clear_pointer(&r->routes[i].server, ms_server_unref);
		int owner = map->owner[slot_of(key)];
		changed = changed ||
			(owner >= 0 && map->nodes->pdata[owner] != r->routes[i].asked);
	}
	return changed;
}

static bool go_on(Round *r, int round, gint64 timeout_us)
{
	/* A node that let us wait in vain leaves time to ask who took its place. */
	bool more = round + 1 < MAX_ROUNDS &&
		g_get_monotonic_time() - r->begun < timeout_us + timeout_us / 4;
	if (r->end != MS_FOUND && (!more || !moved_on(r)))
		return false;
	if (more && r->end == MS_FOUND && r->stale)
		learn(r->cluster, r->begun, NULL);
	if (more && r->pause)
		g_usleep(PAUSE_US << MIN(round, 4));
	return more;
}

MsAnswer ms_cluster_ask(MsCluster *cluster, const MsCommand *commands, gsize n, gint64 timeout_us,
	GPtrArray *replies, GError **error)
{
	g_autoptr(GPtrArray) groups = g_ptr_array_new_with_free_func(group_free);
	g_autofree MsReply **got = g_new0(MsReply *, n);
	g_autofree Route *routes = g_new0(Route, n);
	Round r = {.cluster = cluster,
		.commands = commands,
		.n = n,
		.got = got,
		.routes = routes,
		.groups = groups,
		.begun = g_get_monotonic_time()};
	for (int round = 0;; round++) {
		one_round(&r);
		if (answered(&r) || !go_on(&r, round, timeout_us))
			break;
	}
	bool fine = answered(&r);
	for (gsize i = 0; i < n; i++) {
		ms_server_unref(routes[i].server);
		ms_server_unref(routes[i].asked);
		if (fine)
			g_ptr_array_add(replies, got[i]);
		else
			ms_reply_free(got[i]);
	}
	if (fine)
		g_clear_error(&r.why);
	else if (r.why != NULL)
		g_propagate_error(error, r.why);
	else
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "Redis Cluster: no node answered");
	return fine ? MS_FOUND : r.end == MS_CONFIG ? MS_CONFIG : MS_RETRY;
}
