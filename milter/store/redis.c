/*
 * In come commands from any thread, out go replies: from the primary, at one of its addresses or
 * where Sentinel says it is; or, for what only reads, from a replica that shows with each answer
 * how recent it is.
 *
 * Two threads of ours, started when first needed, wait so that no message does: the prober asks
 * servers that were given up whether they are back, the follower asks Sentinel who is primary and
 * the primary how far its stream is.  The lock is for the few pointers that they change.
 */
#include "config.h"

#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "missent/clock.h"
#include "missent/io.h"

#include "redis_private.h"

#define FOLLOW_US (G_USEC_PER_SEC) /* how often Sentinel is asked */
#define ROLE_US (G_USEC_PER_SEC)   /* how often the only one is asked its role */
/* So long what Sentinel said counts: within twice the time that a failover waits for by default. */
#define NAMED_US (60 * G_USEC_PER_SEC)

typedef struct {
	const char *script; /* where it was; another may be there now */
	char *copy, *sha;
} ScriptName;

struct MsRedis {
	MsServerHow how;
	bool plaintext;
	pthread_mutex_t lock;
	GArray *scripts; /* of ScriptName */
	/* of MsServer: addresses of the primary, the one that answered last first */
	GPtrArray *primaries;
	gint64 found_at;        /* by Sentinel */
	gint64 role_at;         /* when one last said that it is primary; 0: never */
	MsServer *replica;
	bool replica_only;
	MsLag *lag;
	MsSentinels *sentinels;
	MsCluster *cluster;
	pthread_mutex_t finding;         /* one asks Sentinel, or the primary's offset, at a time */
	pthread_cond_t wake;
	pthread_t prober, follower;
	bool probes, follows; /* these threads are there */
	bool ending;
	int end;                /* readable then */
};

static void clear_script(gpointer data)
{
	ScriptName *name = data;
	g_free(name->copy);
	g_free(name->sha);
}

static void on_trouble(void *user);

/* ---- opening ------------------------------------------------------------------------------ */

/* A password, and what the mapping says of customers, is not sent in clear over a network. */
static bool check_plaintext(const MsRedis *redis, const MsServer *server, GError **error)
{
	if (redis->plaintext || redis->how.tls != NULL || ms_server_is_here(server))
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
		"%s: is not this host, and is not asked in plain text: set redis-tls "
		"= yes, use a tunnel, or set redis-plaintext = allowed if the network between is yours alone",
		ms_server_name(server));
	return false;
}

static MsServer *new_server(MsRedis *redis, const char *address, GError **error)
{
	g_autoptr(MsServer) server = ms_server_new(address, &redis->how, error);
	return server != NULL && check_plaintext(redis, server, error) ? g_steal_pointer(&server)
								       : NULL;
}

static MsServer *make_node(void *user, const char *address, GError **error)
{
	return new_server(user, address, error);
}

static bool take_addresses(MsRedis *redis, const char *list, GError **error)
{
	g_auto(GStrv) words = g_strsplit_set(list, " ,\t", -1);
	for (char **word = words; *word != NULL; word++) {
		MsServer *server = **word != '\0' ? new_server(redis, *word, error) : NULL;
		if (server != NULL)
			g_ptr_array_add(redis->primaries, server);
		else if (**word != '\0')
			return false;
	}
	if (redis->primaries->len > 0)
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "no address of Redis is given");
	return false;
}

static bool take_sentinels(MsRedis *redis, const MsRedisSettings *settings, GError **error)
{
	if (settings->master == NULL) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"redis-master is not set: what Sentinel calls the primary");
		return false;
	}
	redis->sentinels = ms_sentinels_new(settings, &redis->how, error);
	if (redis->sentinels == NULL)
		return false;
	const GPtrArray *servers = ms_sentinels_servers(redis->sentinels);
	for (guint i = 0; i < servers->len; i++)
		if (!check_plaintext(redis, servers->pdata[i], error))
			return false;
	return true;
}

static void take_how(MsRedis *redis, const MsRedisSettings *settings)
{
	redis->how.what = "Redis";
	redis->how.user = g_strdup(settings->user);
	redis->how.password = g_strdup(settings->password);
	if (settings->database > 0)
		redis->how.database = g_strdup_printf("%" G_GINT64_FORMAT, settings->database);
	redis->how.keep = settings->connections;
	redis->how.timeout_us = settings->timeout_ms * 1000;
	redis->how.max_bytes = settings->max_bytes;
	redis->how.refuse_eviction = settings->refuse_eviction;
	redis->how.trouble = on_trouble;
	redis->how.user_data = redis;
	redis->plaintext = settings->plaintext;
}

MsRedis *ms_redis_new(const MsRedisSettings *settings, GError **error)
{
	g_autoptr(MsRedis) redis = g_new0(MsRedis, 1);
	pthread_mutex_init(&redis->lock, NULL);
	pthread_mutex_init(&redis->finding, NULL);
	pthread_cond_init(&redis->wake, NULL);
	redis->end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	redis->primaries = g_ptr_array_new_with_free_func((GDestroyNotify)ms_server_unref);
	redis->scripts = g_array_new(FALSE, FALSE, sizeof(ScriptName));
	g_array_set_clear_func(redis->scripts, clear_script);
	take_how(redis, settings);
	if (settings->tls) {
		redis->how.tls = ms_tls_new(settings, error);
		if (redis->how.tls == NULL)
			return NULL;
	}
	bool sentinel = settings->sentinels != NULL && settings->sentinels[0] != NULL;
	if (sentinel ? !take_sentinels(redis, settings, error)
		     : !take_addresses(redis, settings->address, error))
		return NULL;
	if (settings->cluster) {
		if (sentinel || settings->replica != NULL || settings->database > 0) {
			g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
				"redis-cluster goes with no redis-sentinels, "
				"redis-replica or redis-database");
			return NULL;
		}
		redis->cluster = ms_cluster_new(make_node, redis, redis->primaries);
	}
	if (settings->replica != NULL) {
		redis->replica = new_server(redis, settings->replica, error);
		if (redis->replica == NULL)
			return NULL;
		redis->replica_only = settings->replica_only;
		redis->lag = ms_lag_new(settings->max_lag_ms * 1000);
	}
	return g_steal_pointer(&redis);
}

/* Every server there is now, each with a reference. */
static GPtrArray *all_servers(MsRedis *redis)
{
	GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)ms_server_unref);
	pthread_mutex_lock(&redis->lock);
	for (guint i = 0; i < redis->primaries->len; i++)
		g_ptr_array_add(all, ms_server_ref(redis->primaries->pdata[i]));
	pthread_mutex_unlock(&redis->lock);
	if (redis->replica != NULL)
		g_ptr_array_add(all, ms_server_ref(redis->replica));
	const GPtrArray *sentinels = redis->sentinels != NULL
		? ms_sentinels_servers(redis->sentinels)
		: NULL;
	for (guint i = 0; sentinels != NULL && i < sentinels->len; i++)
		g_ptr_array_add(all, ms_server_ref(sentinels->pdata[i]));
	if (redis->cluster != NULL)
		g_ptr_array_extend_and_steal(all, ms_cluster_nodes(redis->cluster));
	return all;
}

static void end_threads(MsRedis *redis)
{
	guint64 n = 1;
	pthread_mutex_lock(&redis->lock);
	redis->ending = true;
	pthread_cond_broadcast(&redis->wake);
	pthread_mutex_unlock(&redis->lock);
	gssize ignored = redis->end >= 0 ? write(redis->end, &n, sizeof n) : 0;
	(void)ignored;
	if (redis->follows) {
		g_autoptr(GPtrArray) all = all_servers(redis);
		g_ptr_array_foreach(all, (GFunc)(void (*)(void))ms_server_give_up, NULL);
		pthread_join(redis->follower, NULL);
	}
	if (redis->probes)
		pthread_join(redis->prober, NULL);
}

void ms_redis_free(MsRedis *redis)
{
	if (redis == NULL)
		return;
	end_threads(redis);
	ms_cluster_free(redis->cluster);
	g_ptr_array_unref(redis->primaries);
	g_array_unref(redis->scripts);
	ms_server_unref(redis->replica);
	ms_sentinels_free(redis->sentinels);
	ms_lag_free(redis->lag);
	ms_tls_free(redis->how.tls);
	pthread_mutex_destroy(&redis->lock);
	pthread_mutex_destroy(&redis->finding);
	pthread_cond_destroy(&redis->wake);
	if (redis->end >= 0)
		close(redis->end);
	g_free(redis->how.user);
	g_free(redis->how.password);
	g_free(redis->how.database);
	g_free(redis);
}

/* ---- the prober --------------------------------------------------------------------------- */

/* Probes what is due; when the next one is. */
static gint64 probe_all(MsRedis *redis)
{
	g_autoptr(GPtrArray) all = all_servers(redis);
	gint64 next = G_MAXINT64;
	for (guint i = 0; i < all->len; i++) {
		gint64 at = ms_server_probe_at(all->pdata[i]);
		if (at != 0 && at <= g_get_monotonic_time()) {
			ms_server_probe(all->pdata[i], redis->end);
			at = ms_server_probe_at(all->pdata[i]);
		}
		next = at != 0 ? MIN(next, at) : next;
	}
	return next;
}

static void *run_prober(void *data)
{
	MsRedis *redis = data;
	pthread_mutex_lock(&redis->lock);
	while (!redis->ending) {
		pthread_mutex_unlock(&redis->lock);
		gint64 next = probe_all(redis);
		pthread_mutex_lock(&redis->lock);
		/* At most so long, so that no wake can be missed for ever. */
		gint64 soon = g_get_monotonic_time() + G_USEC_PER_SEC;
		if (!redis->ending)
			ms_clock_wait(&redis->wake, &redis->lock, MIN(next, soon));
	}
	pthread_mutex_unlock(&redis->lock);
	return NULL;
}

static void on_trouble(void *user)
{
	MsRedis *redis = user;
	pthread_mutex_lock(&redis->lock);
	if (!redis->probes && !redis->ending)
		redis->probes = ms_io_thread(&redis->prober, "redis probes", run_prober, redis);
	pthread_cond_broadcast(&redis->wake);
	pthread_mutex_unlock(&redis->lock);
}

/* ---- who is primary? -------------------------------------------------------------------- */

/* Asks Sentinel, unless somebody did after `since`. */
static bool find_primary(MsRedis *redis, gint64 since, GError **error)
{
	pthread_mutex_lock(&redis->finding);
	pthread_mutex_lock(&redis->lock);
	bool found = redis->found_at > since;
	pthread_mutex_unlock(&redis->lock);
	if (found) {
		pthread_mutex_unlock(&redis->finding);
		return true;
	}
	gint64 now = ms_clock_steady();
	g_autofree char *address = ms_sentinels_primary(redis->sentinels, error);
	MsServer *server = address != NULL ? new_server(redis, address, error) : NULL;
	if (server != NULL) {
		pthread_mutex_lock(&redis->lock);
		const MsServer *had = redis->primaries->len > 0 ? redis->primaries->pdata[0] : NULL;
		redis->found_at = now;
		if (had == NULL || strcmp(ms_server_name(had), ms_server_name(server)) != 0) {
			g_ptr_array_set_size(redis->primaries, 0);
			g_ptr_array_add(redis->primaries, ms_server_ref(server));
		}
		pthread_mutex_unlock(&redis->lock);
	}
	ms_server_unref(server);
	pthread_mutex_unlock(&redis->finding);
	return server != NULL;
}

/* Sentinel said lately who is primary: without it the one that was goes on to say that it is. */
static bool is_named(MsRedis *redis, gint64 now)
{
	pthread_mutex_lock(&redis->lock);
	bool named = redis->primaries->len > 0 && now - redis->found_at < NAMED_US;
	pthread_mutex_unlock(&redis->lock);
	return named;
}

static GPtrArray *primaries(MsRedis *redis)
{
	GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)ms_server_unref);
	pthread_mutex_lock(&redis->lock);
	for (guint i = 0; i < redis->primaries->len; i++)
		g_ptr_array_add(all, ms_server_ref(redis->primaries->pdata[i]));
	pthread_mutex_unlock(&redis->lock);
	return all;
}

/* The one that answered is asked first from now on. */
static void prefer(MsRedis *redis, const MsServer *server, bool told_role)
{
	pthread_mutex_lock(&redis->lock);
	if (told_role)
		redis->role_at = g_get_monotonic_time();
	for (guint i = 1; i < redis->primaries->len; i++) {
		if (redis->primaries->pdata[i] == server) {
			MsServer *it = g_ptr_array_steal_index(redis->primaries, i);
			g_ptr_array_insert(redis->primaries, 0, it);
		}
	}
	pthread_mutex_unlock(&redis->lock);
}

static const char *const info_replication[] = {"INFO", "replication"};

static MsAnswer check_role(const MsServer *server, const MsReply *info, GError **error)
{
	if (info->type == MS_REPLY_ERROR)
		return ms_server_error(server, info->text, error);
	g_autofree char *role = info->type == MS_REPLY_TEXT ? ms_info_value(info->text, "role")
							    : NULL;
	if (g_strcmp0(role, "master") == 0)
		return MS_FOUND;
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s: is not the primary, its role is %s",
		ms_server_name(server), role != NULL ? role : "not told");
	return MS_RETRY;
}

/* One command, and what the server says of replication first: what came before is not newer than
 * it. */
static MsAnswer ask_with_info(MsServer *server, const MsCommand *command, MsReply **info_out,
	MsReply **reply_out, GError **error)
{
	MsCommand both[2] = {{2, info_replication, NULL}, *command};
	g_autoptr(GPtrArray)
		replies = g_ptr_array_new_with_free_func((GDestroyNotify)ms_reply_free);
	MsAnswer answer = ms_server_ask(server, both, 2, replies, error);
	if (answer != MS_FOUND)
		return answer;
	*info_out = g_ptr_array_steal_index(replies, 0);
	*reply_out = g_ptr_array_steal_index(replies, 0);
	return MS_FOUND;
}

static MsAnswer ask_one(MsServer *server, const MsCommand *command, bool role, MsReply **reply_out,
	GError **error)
{
	g_autoptr(MsReply) info = NULL;
	g_autoptr(MsReply) reply = NULL;
	MsAnswer answer;
	if (role) {
		answer = ask_with_info(server, command, &info, &reply, error);
		if (answer == MS_FOUND)
			answer = check_role(server, info, error);
	} else {
		g_autoptr(GPtrArray)
			replies = g_ptr_array_new_with_free_func((GDestroyNotify)ms_reply_free);
		answer = ms_server_ask(server, command, 1, replies, error);
		if (answer == MS_FOUND)
			reply = g_ptr_array_steal_index(replies, 0);
	}
	if (answer != MS_FOUND)
		return answer;
	if (reply->type == MS_REPLY_ERROR && !g_str_has_prefix(reply->text, "NOSCRIPT"))
		return ms_server_error(server, reply->text, error);
	*reply_out = g_steal_pointer(&reply);
	return MS_FOUND;
}

/* Of several, or of one that Sentinel names, each answer is proved to be the primary's.  The only
 * one may be made a replica as well, which goes on to answer what is read, however far it is
 * behind. */
static bool asks_role(MsRedis *redis, guint listed)
{
	if (redis->sentinels != NULL || listed > 1)
		return true;
	pthread_mutex_lock(&redis->lock);
	bool old = redis->role_at == 0 || g_get_monotonic_time() - redis->role_at > ROLE_US;
	pthread_mutex_unlock(&redis->lock);
	return redis->how.refuse_eviction && old; /* else it may not have INFO */
}

/* Whatever is wrong with one, another may answer: one that was built anew has not even our user.
 * Where all fail, the first is told. */
static MsAnswer ask_listed(MsRedis *redis, const GPtrArray *list, const MsCommand *command,
	MsReply **reply_out, GError **error)
{
	g_autoptr(GError) first = NULL;
	MsAnswer answer = MS_RETRY;
	bool role = asks_role(redis, list->len);
	for (guint i = 0; i < list->len; i++) {
		MsAnswer its = ask_one(list->pdata[i], command, role, reply_out,
			first == NULL ? &first : NULL);
		if (its == MS_FOUND) {
			prefer(redis, list->pdata[i], role);
			return its;
		}
		answer = i == 0 ? its : answer;
	}
	if (first != NULL)
		g_propagate_error(error, g_steal_pointer(&first));
	else
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "Sentinel has named no primary yet");
	return answer;
}

static void start_following(MsRedis *redis);

/* The reply may be the error NOSCRIPT and no other. */
static MsAnswer ask_primary(
	MsRedis *redis, const MsCommand *command, MsReply **reply_out, GError **error)
{
	g_autoptr(GError) why = NULL;
	gint64 asked_at = ms_clock_steady();
	if (redis->sentinels != NULL) {
		start_following(redis);
		if (!is_named(redis, asked_at) &&
			!find_primary(redis, asked_at - NAMED_US, error))
			return MS_RETRY;
	}
	g_autoptr(GPtrArray) asked = primaries(redis);
	MsAnswer answer = ask_listed(redis, asked, command, reply_out, &why);
	/* Another may be primary by now, than the one that was asked: whoever found it. */
	if (answer != MS_FOUND && redis->sentinels != NULL) {
		bool found = find_primary(redis, asked_at, NULL);
		g_autoptr(GPtrArray) now = primaries(redis);
		if (found && now->len > 0 &&
			(asked->len == 0 || asked->pdata[0] != now->pdata[0]))
			return ask_listed(redis, now, command, reply_out, error);
	}
	if (why != NULL)
		g_propagate_error(error, g_steal_pointer(&why));
	return answer;
}

/* ---- the follower ------------------------------------------------------------------------- */

static void take_sample(MsRedis *redis)
{
	const MsCommand command = {2, info_replication, NULL};
	gint64 asked_at = g_get_monotonic_time();
	g_autoptr(MsReply) info = NULL;
	if (ask_primary(redis, &command, &info, NULL) != MS_FOUND || info->type != MS_REPLY_TEXT)
		return;
	g_autofree char *role = ms_info_value(info->text, "role");
	if (g_strcmp0(role, "master") == 0)
		ms_lag_sample(redis->lag, info->text, asked_at);
}

static void *run_follower(void *data)
{
	MsRedis *redis = data;
	gint64 period = redis->lag != NULL ? MIN(ms_lag_period(redis->lag), FOLLOW_US) : FOLLOW_US;
	gint64 found_at = 0;
	pthread_mutex_lock(&redis->lock);
	while (!redis->ending) {
		pthread_mutex_unlock(&redis->lock);
		gint64 now = g_get_monotonic_time();
		if (redis->sentinels != NULL && now - found_at >= FOLLOW_US) {
			find_primary(redis, ms_clock_steady(), NULL);
			found_at = now;
		}
		if (redis->lag != NULL)
			take_sample(redis);
		pthread_mutex_lock(&redis->lock);
		gint64 until = now + period;
		while (!redis->ending && ms_clock_wait(&redis->wake, &redis->lock, until))
			;
	}
	pthread_mutex_unlock(&redis->lock);
	return NULL;
}

static void start_following(MsRedis *redis)
{
	pthread_mutex_lock(&redis->lock);
	if (!redis->follows && !redis->ending)
		redis->follows =
			ms_io_thread(&redis->follower, "redis follower", run_follower, redis);
	pthread_mutex_unlock(&redis->lock);
}

/* ---- a replica ---------------------------------------------------------------------------- */

static MsAnswer ask_replica(
	MsRedis *redis, const MsCommand *command, MsReply **reply_out, GError **why)
{
	g_autoptr(MsReply) info = NULL;
	g_autoptr(MsReply) reply = NULL;
	g_autofree char *unfit = NULL;
	start_following(redis);
	MsAnswer answer = ask_with_info(redis->replica, command, &info, &reply, why);
	if (answer != MS_FOUND)
		return answer;
	if (info->type == MS_REPLY_ERROR)
		return ms_server_error(redis->replica, info->text, why);
	if (reply->type == MS_REPLY_ERROR && !g_str_has_prefix(reply->text, "NOSCRIPT"))
		return ms_server_error(redis->replica, reply->text, why);
	if (!ms_lag_is_known(
		    redis->lag)) { /* the follower has only begun, or the primary is away */
		pthread_mutex_lock(&redis->finding);
		bool known = ms_lag_is_known(redis->lag);
		pthread_mutex_unlock(&redis->finding);
		if (!known)
			take_sample(redis);
	}
	if (info->type == MS_REPLY_TEXT && ms_lag_fits(redis->lag, info->text, &unfit)) {
		*reply_out = g_steal_pointer(&reply);
		return MS_FOUND;
	}
	g_set_error(why, MS_ERROR, MS_ERROR_RETRY, "%s: %s", ms_server_name(redis->replica),
		unfit != NULL ? unfit : "INFO does not tell");
	return MS_RETRY;
}

/* ---- a Cluster -------------------------------------------------------------------------- */

/* What an error of the node that has `key` means. */
static MsAnswer cluster_error(MsRedis *redis, const char *key, const char *text, GError **error)
{
	g_autoptr(MsServer) owner = redis->cluster != NULL
		? ms_cluster_owner(redis->cluster, key != NULL ? key : "", NULL)
		: NULL;
	return ms_server_error(owner != NULL ? owner : redis->primaries->pdata[0], text, error);
}

/* An error is the caller's, but for NOSCRIPT. */
static MsAnswer ask_cluster(
	MsRedis *redis, const MsCommand *command, MsReply **reply_out, GError **error)
{
	g_autoptr(GPtrArray)
		replies = g_ptr_array_new_with_free_func((GDestroyNotify)ms_reply_free);
	MsAnswer answer = ms_cluster_ask(
		redis->cluster, command, 1, redis->how.timeout_us, replies, error);
	if (answer != MS_FOUND)
		return answer;
	MsReply *reply = replies->pdata[0];
	if (reply->type == MS_REPLY_ERROR && !g_str_has_prefix(reply->text, "NOSCRIPT"))
		return cluster_error(redis, ms_cluster_key(command), reply->text, error);
	*reply_out = g_ptr_array_steal_index(replies, 0);
	return MS_FOUND;
}

/* The cursor is the node's place among the nodes, a slash, and its own; or 0 at the beginning
 * and the end. */
static MsAnswer scan_cluster(
	MsRedis *redis, const MsCommand *command, MsReply **reply_out, GError **error)
{
	const char *at = command->argv[1], *slash = strchr(at, '/');
	guint place = slash != NULL ? (guint)g_ascii_strtoull(at, NULL, 10) : 0;
	/* so that nodes are known */
	g_autoptr(MsServer) first = ms_cluster_owner(redis->cluster, "", error);
	g_autoptr(GPtrArray) nodes = ms_cluster_nodes(redis->cluster);
	g_autoptr(GPtrArray)
		replies = g_ptr_array_new_with_free_func((GDestroyNotify)ms_reply_free);
	if (first == NULL || place >= nodes->len)
		return first == NULL ? MS_RETRY : MS_CONFIG;
	g_autofree const char **argv = g_memdup2(command->argv, command->argc * sizeof *argv);
	argv[1] = slash != NULL ? slash + 1 : "0";
	const MsCommand own = {command->argc, argv, NULL};
	MsAnswer answer = ms_server_ask(nodes->pdata[place], &own, 1, replies, error);
	if (answer != MS_FOUND)
		return answer;
	MsReply *reply = replies->pdata[0];
	if (reply->type == MS_REPLY_ERROR)
		return ms_server_error(nodes->pdata[place], reply->text, error);
	MsReply *cursor = reply->type == MS_REPLY_LIST && reply->items->len > 0
		? reply->items->pdata[0]
		: NULL;
	if (cursor != NULL && cursor->type == MS_REPLY_TEXT) {
		bool over = strcmp(cursor->text, "0") == 0;
		g_autofree char *own_cursor = g_steal_pointer(&cursor->text);
		cursor->text = over && place + 1 == nodes->len
			? g_strdup("0")
			: g_strdup_printf("%u/%s", place + over, own_cursor);
		cursor->len = strlen(cursor->text);
	}
	*reply_out = g_ptr_array_steal_index(replies, 0);
	return MS_FOUND;
}

MsAnswer ms_redis_many(
	MsRedis *redis, const MsCommand *commands, gsize n, MsReply **reply_out, GError **error)
{
	g_autoptr(MsReply) list = g_new0(MsReply, 1);
	list->type = MS_REPLY_LIST;
	list->items = g_ptr_array_new_with_free_func((GDestroyNotify)ms_reply_free);
	MsAnswer answer = MS_FOUND;
	if (redis->cluster != NULL)
		answer = ms_cluster_ask(
			redis->cluster, commands, n, redis->how.timeout_us, list->items, error);
	for (gsize i = 0; redis->cluster == NULL && i < n && answer == MS_FOUND; i++) {
		MsReply *reply;
		answer = ask_primary(redis, &commands[i], &reply, error);
		if (answer == MS_FOUND)
			g_ptr_array_add(list->items, reply);
	}
	for (guint i = 0; answer == MS_FOUND && i < list->items->len; i++) {
		const MsReply *reply = list->items->pdata[i];
		if (reply->type == MS_REPLY_ERROR)
			answer = cluster_error(
				redis, ms_cluster_key(&commands[i]), reply->text, error);
	}
	if (answer == MS_FOUND)
		*reply_out = g_steal_pointer(&list);
	return answer;
}

static MsAnswer ask_any(
	MsRedis *redis, const MsCommand *command, bool reads, MsReply **reply_out, GError **error)
{
	g_autoptr(GError) why = NULL;
	if (redis->cluster != NULL && strcmp(command->argv[0], "SCAN") == 0)
		return scan_cluster(redis, command, reply_out, error);
	if (redis->cluster != NULL)
		return ask_cluster(redis, command, reply_out, error);
	if (!reads || redis->replica == NULL)
		return ask_primary(redis, command, reply_out, error);
	MsAnswer answer = ask_replica(redis, command, reply_out, &why);
	if (answer == MS_FOUND)
		return answer;
	if (!redis->replica_only)
		return ask_primary(redis, command, reply_out, error);
	g_propagate_error(error, g_steal_pointer(&why));
	return answer;
}

bool ms_redis_is_cluster(const MsRedis *redis)
{
	return redis->cluster != NULL;
}

/* ---- commands ----------------------------------------------------------------------------- */

MsAnswer ms_redis_command(MsRedis *redis, gsize argc, const char *const *argv, MsReply **reply_out,
	GError **error)
{
	return ms_redis_command_sized(redis, argc, argv, NULL, reply_out, error);
}

MsAnswer ms_redis_command_sized(MsRedis *redis, gsize argc, const char *const *argv,
	const gsize *lens, MsReply **reply_out, GError **error)
{
	const MsCommand command = {argc, argv, lens};
	return ask_any(redis, &command, false, reply_out, error);
}

/* SHA-1 is how Redis names scripts; it protects nothing here.  Those that are used often are
 * kept. */
#define MAX_SCRIPTS 16

static char *name_of_script(MsRedis *redis, const char *script)
{
	char *sha = NULL;
	pthread_mutex_lock(&redis->lock);
	for (guint i = 0; i < redis->scripts->len && sha == NULL; i++) {
		const ScriptName *known = &g_array_index(redis->scripts, ScriptName, i);
		if (known->script == script && strcmp(known->copy, script) == 0)
			sha = g_strdup(known->sha);
	}
	if (sha == NULL) {
		sha = g_compute_checksum_for_string(G_CHECKSUM_SHA1, script, -1);
		ScriptName name = {script, g_strdup(script), g_strdup(sha)};
		if (redis->scripts->len >= MAX_SCRIPTS)
			g_array_remove_index(redis->scripts, 0);
		g_array_append_val(redis->scripts, name);
	}
	pthread_mutex_unlock(&redis->lock);
	return sha;
}

static MsAnswer run_script(MsRedis *redis, bool reads, const char *script, gsize n_keys, gsize argc,
	const char *const *argv, const gsize *lens, MsReply **reply_out, GError **error)
{
	g_autofree char *sha = name_of_script(redis, script);
	g_autofree char *keys = g_strdup_printf("%zu", n_keys);
	g_autofree const char **all = g_new0(const char *, argc + 3);
	g_autofree gsize *sizes = g_new(gsize, argc + 3);
	const char *head[] = {"EVALSHA", sha, keys};
	memcpy(all, head, sizeof head);
	if (argc > 0)
		memcpy(all + 3, argv, argc * sizeof *argv);
	for (gsize i = 0; i < argc + 3; i++)
		sizes[i] = i < 3 || lens == NULL ? strlen(all[i]) : lens[i - 3];
	const MsCommand command = {argc + 3, all, sizes};
	g_autoptr(MsReply) reply = NULL;
	MsAnswer answer = ask_any(redis, &command, reads, &reply, error);
	if (answer == MS_FOUND && reply->type == MS_REPLY_ERROR) { /* NOSCRIPT */
		g_clear_pointer(&reply, ms_reply_free);
		all[0] = "EVAL";
		all[1] = script;
		sizes[0] = strlen(all[0]);
		sizes[1] = strlen(script);
		answer = ask_any(redis, &command, reads, &reply, error);
	}
	if (answer == MS_FOUND)
		*reply_out = g_steal_pointer(&reply);
	return answer;
}

MsAnswer ms_redis_script(MsRedis *redis, const char *script, gsize n_keys, gsize argc,
	const char *const *argv, const gsize *lens, MsReply **reply_out, GError **error)
{
	return run_script(redis, false, script, n_keys, argc, argv, lens, reply_out, error);
}

MsAnswer ms_redis_reading_script(MsRedis *redis, const char *script, gsize n_keys, gsize argc,
	const char *const *argv, const gsize *lens, MsReply **reply_out, GError **error)
{
	return run_script(redis, true, script, n_keys, argc, argv, lens, reply_out, error);
}

/* ---- for redis_bulk.c ------------------------------------------------------------------- */

MsServer *ms_redis_server_of(MsRedis *redis, const MsCommand *command, GError **error)
{
	if (redis->cluster != NULL) {
		const char *key = ms_cluster_key(command);
		return ms_cluster_owner(redis->cluster, key != NULL ? key : "", error);
	}
	const MsCommand which = {2, info_replication, NULL};
	g_autoptr(MsReply) info = NULL;
	if (ask_primary(redis, &which, &info, error) != MS_FOUND)
		return NULL;
	g_autoptr(GPtrArray) list = primaries(redis);
	return ms_server_ref(list->pdata[0]);
}

gint64 ms_redis_timeout(const MsRedis *redis)
{
	return redis->how.timeout_us;
}
