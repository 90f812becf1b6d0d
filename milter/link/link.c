/*
 * Requests to the host that holds a message go out, and its replies come in, over the agent's
 * socket or sealed through Redis; records of all hosts come the same way.  Each of the agent's
 * threads that reads a stream has a link of its own.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/digest.h"
#include "missent/io.h"
#include "missent/link.h"
#include "missent/store.h"

struct MsLink {
	char *socket, *host, *prefix;
	char *instance; /* of all that have the host's name, which one we are */
	MsRedis *redis; /* NULL: one host */
	MsKey *key;
	bool grouped;   /* the group that it reads is there, unless Redis lost it */
	bool caught_up; /* what was delivered to us before a crash has been taken */
};

/* ---- a socket ------------------------------------------------------------------------- */

bool ms_link_send(int fd, const char *json, gsize len)
{
	uint32_t size = htonl((uint32_t)len);
	return len <= MS_LINK_MAX && ms_io_send(fd, &size, sizeof size) &&
		ms_io_send(fd, json, len);
}

/* Read, and forgotten. */
static bool discard(int fd, gsize len)
{
	char buffer[16384];
	for (gsize n; len > 0; len -= n) {
		n = MIN(len, sizeof buffer);
		if (!ms_io_receive(fd, buffer, n))
			return false;
	}
	return true;
}

char *ms_link_receive(int fd, gsize most, gsize *len_out)
{
	uint32_t size;
	*len_out = 0;
	if (!ms_io_receive(fd, &size, sizeof size))
		return NULL;
	gsize len = ntohl(size);
	if (len > most) {
		if (len <= MS_LINK_MAX && discard(fd, len))
			*len_out = len;
		return NULL;
	}
	char *text = g_malloc(len + 1);
	text[len] = '\0';
	if (ms_io_receive(fd, text, len)) {
		*len_out = len;
		return text;
	}
	g_free(text);
	return NULL;
}

static int connect_to(const char *path, gint64 wait_ms)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval wait = {wait_ms / 1000, wait_ms % 1000 * 1000};
	if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) != 0
			       || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) != 0
			       || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static char *ask_socket(MsLink *link, const char *json, gint64 wait_ms, GError **error)
{
	gsize len;
	int fd = connect_to(link->socket, wait_ms);
	char *reply = fd >= 0 && ms_link_send(fd, json, strlen(json))
		? ms_link_receive(fd, MS_LINK_MAX, &len)
		: NULL;
	if (reply == NULL)
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "missent-agent does not answer on %s",
			link->socket);
	ms_io_close(fd);
	return reply;
}

/* ---- opening -------------------------------------------------------------------------- */

/* A name that stays the same as long as the host's state does; made when it is first asked for. */
static char *instance_of(const char *state_dir, GError **error)
{
	g_autofree char *path = g_build_filename(state_dir, "host.id", NULL);
	g_autofree char *name = ms_digest_random_name(8);
	char *text = NULL;
	if (!ms_io_make(path, name, strlen(name), 0640, NULL)) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s: %s", path, g_strerror(errno));
		return NULL;
	}
	if (!ms_io_contents(path, &text, NULL, error))
		return NULL;
	return g_strstrip(text);
}

MsLink *ms_link_open(const MsSettings *s, bool redis, GError **error)
{
	g_autoptr(MsLink) link = g_new0(MsLink, 1);
	link->socket = g_strdup(s->desk.socket);
	link->host = g_strdup(s->host);
	link->prefix = g_strdup(s->redis_prefix);
	if (!redis)
		return g_steal_pointer(&link);
	if (s->desk.redis_key_file == NULL) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"desk { key-file } is not set: several hosts share a key (missent review key FILE)");
		return NULL;
	}
	MsRedisSettings settings = s->redis;
	settings.timeout_ms = MAX(settings.timeout_ms, 5000); /* longer than any BLOCK below */
	settings.connections = 4;
	settings.max_bytes = (gsize)MS_LINK_MAX * 4; /* sealed, and some records at a time */
	settings.replica = NULL;
	settings.refuse_eviction = false;
	link->instance = instance_of(s->state_dir, error);
	link->key = link->instance != NULL ? ms_key_load(s->desk.redis_key_file, error) : NULL;
	link->redis = link->key != NULL ? ms_redis_new(&settings, error) : NULL;
	return link->redis != NULL ? g_steal_pointer(&link) : NULL;
}

void ms_link_free(MsLink *link)
{
	if (link == NULL)
		return;
	ms_redis_free(link->redis);
	ms_key_free(link->key);
	g_free(link->socket);
	g_free(link->host);
	g_free(link->prefix);
	g_free(link->instance);
	g_free(link);
}

/* ---- Redis ---------------------------------------------------------------------------- */

static bool run(MsLink *link, MsReply **reply, GError **error, ...) G_GNUC_NULL_TERMINATED;
static bool run(MsLink *link, MsReply **reply, GError **error, ...)
{
	const char *argv[20];
	gsize n = 0;
	va_list args;
	va_start(args, error);
	while ((argv[n] = va_arg(args, const char *)) != NULL) {
		n++;
		g_assert(n < G_N_ELEMENTS(argv));
	}
	va_end(args);
	g_autoptr(MsReply) ignored = NULL;
	return ms_redis_command(link->redis, n, argv, reply != NULL ? reply : &ignored, error) ==
		MS_FOUND;
}

static char *key_of(const MsLink *link, const char *what, const char *name)
{
	return g_strdup_printf("%s:%s%s%s", link->prefix, what, name != NULL ? ":" : "",
		name != NULL ? name : "");
}

static bool make_group(MsLink *link, const char *stream, const char *group, GError **error)
{
	g_autoptr(GError) why = NULL;
	if (run(link, NULL, &why, "XGROUP", "CREATE", stream, group, "0", "MKSTREAM", NULL)
		|| strstr(why->message, "BUSYGROUP") != NULL)
		return true;
	g_propagate_error(error, g_steal_pointer(&why));
	return false;
}

/* Who reads what, and how much of it at a time. */
typedef struct {
	const char *stream, *group, *consumer, *count;
} Reading;

typedef bool (*Entry)(MsLink *link, const char *text, gsize len, void *user, GError **error);

static const MsReply *item(const MsReply *list, guint n)
{
	return list != NULL && list->type == MS_REPLY_LIST && n < list->items->len
		? list->items->pdata[n]
		: NULL;
}

/* An entry is [id, [name, value]].  What our key does not open is nobody's request. */
static bool take_entry(MsLink *link, const Reading *from, const MsReply *entry, Entry func,
	void *user, GError **error)
{
	const MsReply *id = item(entry, 0), *value = item(item(entry, 1), 1);
	if (id == NULL || id->text == NULL)
		return true;
	gsize len = 0;
	g_autofree char *text = value != NULL && value->text != NULL
		? (char *)ms_key_open(link->key, value->text, &len)
		: NULL;
	if (text != NULL && !func(link, text, len, user, error))
		return false; /* stays pending */
	return run(link, NULL, error, "XACK", from->stream, from->group, id->text, NULL);
}

/* First what was delivered to us and not acknowledged, then what is new. */
static gint64 read_group(MsLink *link, const Reading *from, gint64 wait_ms, Entry func, void *user,
	GError **error)
{
	g_autofree char *block = g_strdup_printf("%" G_GINT64_FORMAT, CLAMP(wait_ms, 1, 2000));
	g_autoptr(MsReply) reply = NULL;
	if (!link->grouped && !make_group(link, from->stream, from->group, error))
		return -1;
	link->grouped = run(link, &reply, error, "XREADGROUP", "GROUP", from->group, from->consumer,
		"COUNT", from->count, "BLOCK", block, "STREAMS", from->stream,
		link->caught_up ? ">" : "0", NULL);
	if (!link->grouped)
		return -1;
	const MsReply *entries = item(item(reply, 0), 1);
	guint n = entries != NULL && entries->type == MS_REPLY_LIST ? entries->items->len : 0;
	for (guint i = 0; i < n; i++)
		if (!take_entry(link, from, entries->items->pdata[i], func, user, error)) {
			link->caught_up = false;
			return -1;
		}
	if (n == 0)
		link->caught_up = true;
	return n;
}

/* The host is in what is sealed: a request is good for that one alone. */
static char *sealed_request(MsLink *link, const char *host, const char *id, const char *json)
{
	json_t *outer = json_pack("{s:s, s:s, s:s}", "host", host, "id", id, "ask", json);
	char *text = json_dumps(outer, JSON_COMPACT);
	char *sealed = ms_key_seal(link->key, text, strlen(text));
	free(text);
	json_decref(outer);
	return sealed;
}

/* As a request is good for one host, a reply is for one request: put under another's key it is
 * none. */
static char *sealed_reply(MsLink *link, const char *id, const char *reply)
{
	json_t *outer = json_pack("{s:s, s:s}", "id", id, "reply", reply);
	char *text = outer != NULL ? json_dumps(outer, JSON_COMPACT) : NULL;
	char *sealed = text != NULL ? ms_key_seal(link->key, text, strlen(text)) : NULL;
	free(text);
	json_decref(outer);
	return sealed;
}

static char *open_reply(MsLink *link, const char *id, const char *sealed)
{
	gsize len = 0;
	g_autofree char *text = (char *)ms_key_open(link->key, sealed, &len);
	json_t *outer = text != NULL ? json_loadb(text, len, 0, NULL) : NULL;
	const char *whose = json_string_value(json_object_get(outer, "id"));
	char *reply = whose != NULL && strcmp(whose, id) == 0
		? g_strdup(json_string_value(json_object_get(outer, "reply")))
		: NULL;
	json_decref(outer);
	return reply;
}

static char *wait_for_reply(
	MsLink *link, const char *id, const char *reply_key, gint64 wait_ms, GError **error)
{
	gint64 end = g_get_monotonic_time() + wait_ms * 1000;
	do {
		g_autoptr(MsReply) reply = NULL;
		if (!run(link, &reply, error, "BLPOP", reply_key, "1", NULL))
			return NULL;
		const MsReply *value = item(reply, 1);
		char *text = value != NULL && value->text != NULL
			? open_reply(link, id, value->text)
			: NULL;
		if (text != NULL)
			return text;
	} while (g_get_monotonic_time() < end);
	return NULL;
}

char *ms_link_ask(MsLink *link, const char *host, const char *json, gint64 wait_ms, GError **error)
{
	if (link->redis == NULL)
		return ask_socket(link, json, wait_ms, error);
	g_autofree char *id = ms_record_name();
	g_autofree char *stream = key_of(link, "desk", host);
	g_autofree char *reply_key = key_of(link, "reply", id);
	g_autofree char *sealed = sealed_request(link, host, id, json);
	g_autoptr(GError) why = NULL;
	if (!run(link, NULL, error, "XADD", stream, "MAXLEN", "~", "100000", "*", "ask", sealed,
		    NULL))
		return NULL;
	char *reply = wait_for_reply(link, id, reply_key, wait_ms, &why);
	if (reply == NULL && why != NULL)
		g_propagate_error(error, g_steal_pointer(&why));
	else if (reply == NULL)
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
			"%s does not answer now; what was asked of it waits until it does", host);
	return reply;
}

void ms_link_host_free(MsLinkHost *host)
{
	g_free(host->name);
	g_free(host);
}

GPtrArray *ms_link_hosts(MsLink *link, GError **error)
{
	g_autoptr(GPtrArray)
		list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_link_host_free);
	g_autofree char *key = key_of(link, "hosts", NULL);
	g_autoptr(MsReply) reply = NULL;
	if (link->redis == NULL)
		return g_steal_pointer(&list);
	if (!run(link, &reply, error, "HGETALL", key, NULL))
		return NULL;
	for (guint i = 0; item(reply, i + 1) != NULL; i += 2) {
		MsLinkHost *host = g_new0(MsLinkHost, 1);
		host->name = g_strdup(item(reply, i)->text);
		host->seen = g_ascii_strtoll(item(reply, i + 1)->text, NULL, 10);
		g_ptr_array_add(list, host);
	}
	return g_steal_pointer(&list);
}

static bool mirror_one(MsLink *link, const char *text, gsize len, void *user, GError **error)
{
	(void)link;
	g_autoptr(MsRecord) record = ms_record_from_json(text, len, NULL);
	/* One that is none will not become one by waiting. */
	return record == NULL || ms_records_mirror(user, record, error);
}

gint64 ms_link_mirror(MsLink *link, MsLedger *ledger, gint64 wait_ms, GError **error)
{
	g_autofree char *stream = key_of(link, "held", NULL);
	g_autofree char *group = g_strdup_printf("review@%s", link->host);
	MsRecordFilter all = {.state = -1};
	/* Whoever has nothing has lost what was delivered to him: all of it again. */
	if (!link->caught_up && ms_records_count(ledger, &all, 1, NULL) == 0
		&& (!make_group(link, stream, group, error)
			|| !run(link, NULL, error, "XGROUP", "SETID", stream, group, "0", NULL)))
		return -1;
	Reading from = {stream, group, link->host, "100"};
	return read_group(link, &from, wait_ms, mirror_one, ledger, error);
}

/* ---- the agent's end ------------------------------------------------------------------ */

typedef struct {
	MsLinkAnswer answer;
	void *user;
} Server;

#define REPLY_SECONDS "120"

static bool serve_one(MsLink *link, const char *text, gsize len, void *user, GError **error)
{
	const Server *server = user;
	json_t *outer = json_loadb(text, len, 0, NULL);
	const char *host = json_string_value(json_object_get(outer, "host"));
	const char *id = json_string_value(json_object_get(outer, "id"));
	const char *ask = json_string_value(json_object_get(outer, "ask"));
	bool fine = true;
	if (host != NULL && strcmp(host, link->host) == 0 && id != NULL && ask != NULL) {
		g_autofree char *reply = server->answer(ask, strlen(ask), server->user);
		g_autofree char *sealed = sealed_reply(link, id, reply);
		g_autofree char *key = key_of(link, "reply", id);
		fine = sealed == NULL || run(link, NULL, error, "LPUSH", key, sealed, NULL);
		fine = fine && run(link, NULL, error, "EXPIRE", key, REPLY_SECONDS, NULL);
	}
	json_decref(outer);
	return fine;
}

/* "WHEN INSTANCE": is it of one that lives, and not ours? */
static bool is_another(const MsLink *link, const char *said, gint64 now)
{
	char *end;
	gint64 when = g_ascii_strtoll(said, &end, 10);
	return *end == ' ' && strcmp(end + 1, link->instance) != 0 &&
		ABS(now - when) < MS_LINK_ALIVE_US;
}

bool ms_link_alive(MsLink *link, GError **error)
{
	g_autofree char *key = key_of(link, "hosts", NULL);
	gint64 now = g_get_real_time();
	g_autofree char *mine = g_strdup_printf("%" G_GINT64_FORMAT " %s", now, link->instance);
	g_autoptr(MsReply) before = NULL;
	if (!run(link, &before, error, "HGET", key, link->host, NULL))
		return false;
	if (before->text != NULL && is_another(link, before->text, now)) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"another machine answers for host %s: give each a name of "
			"its own (host in missent.conf; a copied state-dir needs its host.id removed)",
			link->host);
		return false;
	}
	return run(link, NULL, error, "HSET", key, link->host, mine, NULL);
}

/* Sealed with its host, as a reply is with its request. */
bool ms_link_remember(MsLink *link, const char *text, GError **error)
{
	g_autofree char *key = key_of(link, "trails", NULL),
			*sealed = sealed_reply(link, link->host, text);
	return run(link, NULL, error, "HSET", key, link->host, sealed, NULL);
}

char *ms_link_recall(MsLink *link, GError **error)
{
	g_autofree char *key = key_of(link, "trails", NULL);
	g_autoptr(MsReply) reply = NULL;
	if (!run(link, &reply, error, "HGET", key, link->host, NULL))
		return NULL;
	char *text = reply->text != NULL ? open_reply(link, link->host, reply->text) : NULL;
	return text != NULL ? text : g_strdup("");
}

bool ms_link_serve(MsLink *link, unsigned nth, MsLinkAnswer answer, void *user, gint64 wait_ms,
	GError **error)
{
	Server server = {answer, user};
	g_autofree char *stream = key_of(link, "desk", link->host);
	g_autofree char *consumer = g_strdup_printf("%s/%u", link->host, nth);
	/* One at a time: what waits behind one that takes long is for the others. */
	Reading from = {stream, "agent", consumer, "1"};
	return read_group(link, &from, wait_ms, serve_one, &server, error) >= 0;
}

bool ms_link_publish(MsLink *link, const MsRecord *record, GError **error)
{
	g_autofree char *stream = key_of(link, "held", NULL);
	char *text = ms_record_to_json(record);
	if (text == NULL)
		return true;
	g_autofree char *sealed = ms_key_seal(link->key, text, strlen(text));
	free(text);
	return run(link, NULL, error, "XADD", stream, "MAXLEN", "~", "500000", "*", "record",
		sealed, NULL);
}
