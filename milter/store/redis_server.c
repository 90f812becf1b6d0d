/*
 * In come commands from any thread, each on a connection that it takes from the pool and gives
 * back; the lock is held for the pool and the breaker alone, never while waiting.
 *
 * The breaker: a failure that took time, while nobody else was answered, opens it.  `gone` is then
 * readable, which ends the waiting of all others; the prober (redis.c) asks now and then, and the
 * first answer of any kind closes it: a server that says LOADING or NOAUTH says so at once.
 */
#include "config.h"

#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "missent/patience.h"

#include "redis_server.h"

#define FIRST_PROBE_US (200 * 1000)
#define LAST_PROBE_US (5 * G_USEC_PER_SEC)
/* whether it may drop keys: that can be set at any time */
#define LOOK_AGAIN_US (60 * G_USEC_PER_SEC)

typedef struct {
	MsWire *wire;
	gint64 looked_at; /* when its eviction policy was seen to be harmless */
} Line;

struct MsServer {
	gint refs; /* atomic */
	MsWhere where;
	const MsServerHow *how;
	pthread_mutex_t lock;
	GPtrArray *idle; /* of Line */
	gint64 heard_at; /* the last answer */
	gint64 down_at;  /* 0: the breaker is closed */
	gint64 probe_at, probe_after;
	char *why;
	int gone;
};

/* ---- what servers say ------------------------------------------------------------------- */

typedef struct {
	const char *word;
	MsAnswer answer;
	const char *hint;
} Error;

static const Error errors[] = {
	{"LOADING", MS_RETRY, "it is reading its data from disk"},
	{"BUSY ", MS_RETRY, "a script holds it up"},
	{"MASTERDOWN", MS_RETRY, "it is a replica that lost its primary"},
	{"TRYAGAIN", MS_RETRY, NULL},
	{"CLUSTERDOWN", MS_RETRY, "its Cluster lacks nodes"},
	{"OOM", MS_RETRY, "its memory is full: maxmemory"},
	{"READONLY", MS_RETRY, "it is a replica, not the primary"},
	{"MISCONF", MS_RETRY, "it cannot write its disk"},
	{"NOREPLICAS", MS_RETRY, "it has too few replicas to take writes"},
	{"ERR max number of clients", MS_RETRY, NULL},
	{"NOAUTH", MS_CONFIG, "it asks for a password: redis-password-file"},
	{"WRONGPASS", MS_CONFIG, "redis-user or the password is wrong"},
	{"NOPERM", MS_CONFIG, "its user lacks a right, see missent-directory(7)"},
	{"ERR The user executing the script can't", MS_CONFIG,
		"its user lacks a right, see missent-directory(7)"},
	{"DENIED", MS_CONFIG, NULL},
	{"WRONGTYPE", MS_CONFIG, "another program's key has that name: redis-prefix"},
	{"ERR DB index", MS_CONFIG, "redis-database"},
	{"ERR This instance has cluster", MS_CONFIG, "it is no node of a Cluster: redis-cluster"},
	{"ERR No such master", MS_CONFIG, "redis-master"},
	{"ERR unknown command 'SENTINEL'", MS_CONFIG, "it is Redis, not Sentinel"},
	{"MOVED", MS_CONFIG, "it is a node of a Cluster: redis-cluster"},
	{"ASK ", MS_CONFIG, "it is a node of a Cluster: redis-cluster"},
	{"CROSSSLOT", MS_CONFIG, "it is a node of a Cluster: redis-cluster"},
};

/* An error reply: of the moment, or until somebody changes something? */
MsAnswer ms_server_error(const MsServer *server, const char *text, GError **error)
{
	MsAnswer answer = MS_CONFIG;
	MsError code = g_str_has_prefix(text, "OOM") ? MS_ERROR_FULL : MS_ERROR_RETRY;
	const char *hint = NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(errors); i++) {
		if (g_str_has_prefix(text, errors[i].word)) {
			answer = errors[i].answer;
			hint = errors[i].hint;
			break;
		}
	}
	g_set_error(error, MS_ERROR, answer == MS_RETRY ? code : MS_ERROR_CONFIG,
		"%s: %s%s%s%s", server->where.name, text, hint != NULL ? " (" : "",
		hint != NULL ? hint : "", hint != NULL ? ")" : "");
	return answer;
}

char *ms_info_value(const char *info, const char *name)
{
	gsize len = strlen(name);
	for (const char *line = info; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, len) == 0 && line[len] == ':')
			return g_strndup(line + len + 1, strcspn(line + len + 1, "\r\n"));
	}
	return NULL;
}

/* Our keys have no expiry, so only a policy for all keys can drop them. */
static MsAnswer judge_eviction(const MsServer *server, const MsReply *info, GError **error)
{
	g_autoptr(GError) why = NULL;
	MsAnswer answer = info->type == MS_REPLY_ERROR ? ms_server_error(server, info->text, &why)
						       : MS_FOUND;
	bool hidden = why != NULL &&
		(strstr(info->text, "NOPERM") != NULL || strstr(info->text, "unknown") != NULL);
	if (why != NULL && !hidden) {
		g_propagate_error(error, g_steal_pointer(&why));
		return answer;
	}
	g_autofree char *policy = info->type == MS_REPLY_TEXT
		? ms_info_value(info->text, "maxmemory_policy")
		: NULL;
	if (policy != NULL && !g_str_has_prefix(policy, "allkeys-"))
		return MS_FOUND;
	if (policy != NULL)
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"%s: may drop entries of the mapping: its maxmemory-policy is "
			"%s; set it to noeviction, or set trust-eviction-policy = yes",
			server->where.name, policy);
	else
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"%s: whether it may drop entries of the mapping cannot be "
			"seen (%s): allow +info, or set trust-eviction-policy = yes",
			server->where.name,
			hidden ? info->text : "INFO does not tell; is it Sentinel?");
	return MS_CONFIG;
}

/* ---- a server --------------------------------------------------------------------------- */

static void line_free(gpointer data)
{
	Line *line = data;
	if (line == NULL)
		return;
	ms_wire_free(line->wire);
	g_free(line);
}

MsServer *ms_server_new(const char *address, const MsServerHow *how, GError **error)
{
	MsWhere where;
	if (!ms_where_parse(address, how->what, &where, error))
		return NULL;
	MsServer *server = g_new0(MsServer, 1);
	server->refs = 1;
	server->where = where;
	server->how = how;
	pthread_mutex_init(&server->lock, NULL);
	server->idle = g_ptr_array_new();
	server->gone = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return server;
}

MsServer *ms_server_ref(MsServer *server)
{
	g_atomic_int_inc(&server->refs);
	return server;
}

void ms_server_unref(MsServer *server)
{
	if (server == NULL || !g_atomic_int_dec_and_test(&server->refs))
		return;
	g_ptr_array_foreach(server->idle, (GFunc)(void (*)(void))line_free, NULL);
	g_ptr_array_unref(server->idle);
	pthread_mutex_destroy(&server->lock);
	ms_where_clear(&server->where);
	if (server->gone >= 0)
		close(server->gone);
	g_free(server->why);
	g_free(server);
}

const char *ms_server_name(const MsServer *server)
{
	return server->where.name;
}

const char *ms_server_host(const MsServer *server)
{
	return server->where.host;
}

bool ms_server_is_here(const MsServer *server)
{
	return ms_where_is_here(&server->where);
}

/* ---- the breaker ------------------------------------------------------------------------ */

static gint64 jittered(gint64 us)
{
	return (gint64)((double)us * g_random_double_range(0.75, 1.25));
}

static void signal_gone(MsServer *server, bool gone)
{
	guint64 n = 1;
	if (server->gone < 0)
		return;
	gssize ignored = gone ? write(server->gone, &n, sizeof n)
			      : read(server->gone, &n, sizeof n);
	(void)ignored; /* it is readable already, or is no more */
}

static void drop_idle(MsServer *server, GPtrArray *dropped)
{
	g_ptr_array_extend_and_steal(dropped, server->idle);
	server->idle = g_ptr_array_new();
}

/* A failure of a request that was begun at `asked_at`. */
static void failed(MsServer *server, gint64 asked_at, MsWireEnd end, const GError *why)
{
	gint64 now = g_get_monotonic_time();
	/* Late for a message that had no more time is not late. */
	bool dear = (end == MS_WIRE_LATE && now - asked_at >= server->how->timeout_us) ||
		(end == MS_WIRE_CLOSED && now - asked_at > server->how->timeout_us / 4);
	g_autoptr(GPtrArray) dropped = g_ptr_array_new_with_free_func(line_free);
	pthread_mutex_lock(&server->lock);
	bool opens = dear && server->down_at == 0 && server->heard_at < asked_at;
	if (opens) {
		const char *prefix = server->where.name;
		const char *text = why != NULL ? why->message : "";
		g_free(server->why);
		server->why = g_strdup(
			g_str_has_prefix(text, prefix) ? text + strlen(prefix) + 2 : text);
		server->down_at = now;
		server->probe_after = FIRST_PROBE_US;
		server->probe_at = now + jittered(FIRST_PROBE_US);
		signal_gone(server, true);
		drop_idle(server, dropped);
	}
	pthread_mutex_unlock(&server->lock);
	if (opens && server->how->trouble != NULL)
		server->how->trouble(server->how->user_data);
}

static void heard(MsServer *server)
{
	pthread_mutex_lock(&server->lock);
	server->heard_at = g_get_monotonic_time();
	if (server->down_at != 0) {
		server->down_at = 0;
		signal_gone(server, false);
	}
	pthread_mutex_unlock(&server->lock);
}

static bool is_down(MsServer *server, GError **error)
{
	pthread_mutex_lock(&server->lock);
	gint64 since = server->down_at;
	if (since != 0)
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
			"%s: %s (for %" G_GINT64_FORMAT " s; probed until it answers)",
			server->where.name, server->why,
			(g_get_monotonic_time() - since) / G_USEC_PER_SEC);
	pthread_mutex_unlock(&server->lock);
	return since != 0;
}

gint64 ms_server_probe_at(MsServer *server)
{
	pthread_mutex_lock(&server->lock);
	gint64 at = server->down_at != 0 ? server->probe_at : 0;
	pthread_mutex_unlock(&server->lock);
	return at;
}

void ms_server_give_up(MsServer *server)
{
	pthread_mutex_lock(&server->lock);
	if (server->down_at == 0) {
		server->down_at = g_get_monotonic_time();
		server->probe_at = G_MAXINT64;
		g_free(server->why);
		server->why = g_strdup("given up");
		signal_gone(server, true);
	}
	pthread_mutex_unlock(&server->lock);
}

void ms_server_probe(MsServer *server, int call_off)
{
	MsWireHow how = {server->how->tls, server->how->max_bytes, call_off};
	gint64 deadline = g_get_monotonic_time() + server->how->timeout_us;
	const char *ping[] = {"PING"};
	MsWire *wire = NULL;
	g_autoptr(MsReply) reply = NULL;
	MsWireEnd end = ms_wire_open(&server->where, &how, deadline, &wire, NULL);
	if (end == MS_WIRE_FINE) {
		ms_wire_put(wire, 1, ping, NULL);
		end = ms_wire_get(wire, deadline, &reply, NULL);
	}
	ms_wire_free(wire);
	/* What fails at once needs no breaker: let who asks see why. */
	if (end != MS_WIRE_LATE && end != MS_WIRE_CALLED_OFF) {
		heard(server);
		return;
	}
	pthread_mutex_lock(&server->lock);
	server->probe_after = MIN(server->probe_after * 2, LAST_PROBE_US);
	server->probe_at = g_get_monotonic_time() + jittered(server->probe_after);
	pthread_mutex_unlock(&server->lock);
}

/* ---- connections -------------------------------------------------------------------------- */

static const char *const info_memory[] = {"INFO", "memory"};

/* OK, or what the server says. */
static MsAnswer greeted(
	MsServer *server, Line *line, gint64 deadline, bool info, MsWireEnd *end, GError **error)
{
	g_autoptr(MsReply) reply = NULL;
	*end = ms_wire_get(line->wire, deadline, &reply, error);
	if (*end != MS_WIRE_FINE)
		return *end == MS_WIRE_FORBIDDEN ? MS_CONFIG : MS_RETRY;
	heard(server);
	if (info) {
		MsAnswer answer = judge_eviction(server, reply, error);
		line->looked_at = answer == MS_FOUND ? g_get_monotonic_time() : 0;
		return answer;
	}
	return reply->type == MS_REPLY_ERROR ? ms_server_error(server, reply->text, error)
					     : MS_FOUND;
}

/* Who says nothing to the first word did not understand it. */
static void add_hint(const MsServer *server, GError **error)
{
	const char *hint = server->how->tls != NULL
		? "does it want this host's certificate? redis-tls-certificate"
		: "is that port one of TLS? redis-tls";
	if (server->where.path != NULL || error == NULL || *error == NULL)
		return;
	char *text = g_strdup_printf("%s (%s)", (*error)->message, hint);
	g_free((*error)->message);
	(*error)->message = text;
}

/* One round trip. */
static MsAnswer log_in(
	MsServer *server, Line *line, gint64 deadline, MsWireEnd *end, GError **error)
{
	const MsServerHow *how = server->how;
	bool steps[3] = {how->password != NULL, how->database != NULL, how->refuse_eviction};
	if (steps[0]) {
		const char *argv[3] = {
			"AUTH", how->user != NULL ? how->user : how->password, how->password};
		ms_wire_put(line->wire, how->user != NULL ? 3 : 2, argv, NULL);
	}
	if (steps[1]) {
		const char *argv[2] = {"SELECT", how->database};
		ms_wire_put(line->wire, 2, argv, NULL);
	}
	if (steps[2])
		ms_wire_put(line->wire, 2, info_memory, NULL);
	MsAnswer answer = MS_FOUND;
	for (int i = 0; i < 3 && answer == MS_FOUND; i++)
		if (steps[i])
			answer = greeted(server, line, deadline, i == 2, end, error);
	if (*end == MS_WIRE_CLOSED)
		add_hint(server, error);
	return answer;
}

static MsAnswer open_line(
	MsServer *server, gint64 deadline, Line **line_out, MsWireEnd *end, GError **error)
{
	MsWireHow how = {server->how->tls, server->how->max_bytes, server->gone};
	Line *line = g_new0(Line, 1);
	*end = ms_wire_open(&server->where, &how, deadline, &line->wire, error);
	MsAnswer answer = *end == MS_WIRE_FINE ? log_in(server, line, deadline, end, error)
		: *end == MS_WIRE_FORBIDDEN    ? MS_CONFIG
					       : MS_RETRY;
	if (answer == MS_FOUND)
		*line_out = line;
	else
		line_free(line);
	return answer;
}

static Line *take_idle(MsServer *server)
{
	pthread_mutex_lock(&server->lock);
	Line *line = server->idle->len > 0
		? g_ptr_array_steal_index(server->idle, server->idle->len - 1)
		: NULL;
	pthread_mutex_unlock(&server->lock);
	return line;
}

static void give_back(MsServer *server, Line *line)
{
	pthread_mutex_lock(&server->lock);
	bool keep = server->idle->len < server->how->keep && server->down_at == 0;
	if (keep)
		g_ptr_array_add(server->idle, line);
	pthread_mutex_unlock(&server->lock);
	if (!keep)
		line_free(line);
}

/* ---- asking ------------------------------------------------------------------------------- */

struct MsPending {
	MsServer *server;
	Line *line;
	bool pooled, look; /* its eviction policy is asked for first */
	gint64 asked_at, deadline;
};

static void pending_free(MsPending *pending)
{
	line_free(pending->line);
	ms_server_unref(pending->server);
	g_free(pending);
}

/* Tells everybody what was learnt by a failure, and the caller why. */
static MsAnswer tell(MsServer *server, gint64 asked_at, MsWireEnd end, MsAnswer answer, GError *why,
	GError **error)
{
	failed(server, asked_at, end, why);
	if (end == MS_WIRE_CALLED_OFF && is_down(server, error)) {
		g_clear_error(&why);
		return MS_RETRY;
	}
	g_propagate_error(error, why);
	return answer;
}

static MsAnswer begin(MsServer *server, const MsCommand *commands, gsize n, gint64 asked_at,
	MsPending **out, GError **error)
{
	gint64 deadline = ms_patience_here(asked_at + server->how->timeout_us);
	Line *line = take_idle(server);
	bool pooled = line != NULL;
	if (!pooled) {
		GError *why = NULL;
		MsWireEnd end = MS_WIRE_FINE;
		MsAnswer answer = open_line(server, deadline, &line, &end, &why);
		if (answer != MS_FOUND)
			return tell(server, asked_at, end, answer, why, error);
	}
	bool look = server->how->refuse_eviction &&
		g_get_monotonic_time() - line->looked_at > LOOK_AGAIN_US;
	if (look)
		ms_wire_put(line->wire, 2, info_memory, NULL);
	for (gsize i = 0; i < n; i++)
		ms_wire_put(line->wire, commands[i].argc, commands[i].argv, commands[i].lens);
	ms_wire_push(line->wire);
	MsPending *pending = g_new0(MsPending, 1);
	*pending = (MsPending){ms_server_ref(server), line, pooled, look, asked_at, deadline};
	*out = pending;
	return MS_FOUND;
}

MsAnswer ms_server_begin(MsServer *server, const MsCommand *commands, gsize n,
	MsPending **pending_out, GError **error)
{
	if (is_down(server, error))
		return MS_RETRY;
	return begin(server, commands, n, g_get_monotonic_time(), pending_out, error);
}

static MsAnswer take_replies(
	const MsPending *pending, gsize n, GPtrArray *replies, MsWireEnd *end, GError **error)
{
	MsServer *server = pending->server;
	MsAnswer answer = MS_FOUND;
	*end = MS_WIRE_FINE;
	if (pending->look)
		answer = greeted(server, pending->line, pending->deadline, true, end, error);
	for (gsize i = 0; i < n && answer == MS_FOUND; i++) {
		MsReply *reply;
		*end = ms_wire_get(pending->line->wire, pending->deadline, &reply, error);
		if (*end != MS_WIRE_FINE)
			return MS_RETRY;
		g_ptr_array_add(replies, reply);
	}
	if (answer == MS_FOUND)
		heard(server);
	return answer;
}

MsAnswer ms_server_finish(
	MsPending *pending, const MsCommand *commands, gsize n, GPtrArray *replies, GError **error)
{
	guint before = replies->len;
	for (;;) {
		GError *why = NULL;
		MsWireEnd end;
		MsAnswer answer = take_replies(pending, n, replies, &end, &why);
		if (answer == MS_FOUND) {
			give_back(pending->server, g_steal_pointer(&pending->line));
			pending_free(pending);
			return answer;
		}
		g_ptr_array_set_size(replies, (int)before);
		g_autoptr(MsServer) server = ms_server_ref(pending->server);
		bool again = pending->pooled && end == MS_WIRE_CLOSED;
		gint64 asked_at = pending->asked_at;
		pending_free(pending); /* replies may be on the way yet */
		if (!again)
			return tell(server, asked_at, end, answer, why, error);
		/* It had died unseen in the pool. */
		g_clear_error(&why);
		answer = begin(server, commands, n, asked_at, &pending, error);
		if (answer != MS_FOUND)
			return answer;
	}
}

MsAnswer ms_server_ask(
	MsServer *server, const MsCommand *commands, gsize n, GPtrArray *replies, GError **error)
{
	MsPending *pending;
	MsAnswer answer = ms_server_begin(server, commands, n, &pending, error);
	return answer == MS_FOUND ? ms_server_finish(pending, commands, n, replies, error) : answer;
}

MsAnswer ms_server_open(MsServer *server, MsWire **wire_out, GError **error)
{
	gint64 asked_at = g_get_monotonic_time();
	Line *line;
	MsWireEnd end;
	g_autoptr(GError) why = NULL;
	if (is_down(server, error))
		return MS_RETRY;
	MsAnswer answer = open_line(server, asked_at + server->how->timeout_us, &line, &end, &why);
	if (answer != MS_FOUND) {
		failed(server, asked_at, end, why);
		g_propagate_error(error, g_steal_pointer(&why));
		return answer;
	}
	*wire_out = g_steal_pointer(&line->wire);
	line_free(line);
	return MS_FOUND;
}
