/*
 * In come commands, out go replies, on one socket that never blocks; one thread at a time has it.
 * hiredis writes and reads the protocol and nothing else: it makes replies through functions of
 * ours, so that a server which promises 2^31 items, or sends without end, is refused before memory
 * is spent, and every wait is ours, so that one deadline is for all of it.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <hiredis/hiredis.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "missent/clock.h"
#include "missent/io.h"

#include "redis_wire.h"

#define CHUNK 65536
#define MAX_ITEMS 1000000 /* in one reply */
#define MAX_DEPTH 6
#define MAX_BYTES (64 << 20)
#define COUNT_TRY_US (10 * 1000)

struct MsWire {
	int fd, call_off;
	char *name;
	MsTlsEnd *tls;
	redisReader *reader;
	GByteArray *out;
	gsize sent;
	/* of the reply that is being read */
	gsize bytes, max_bytes, items;
	const char *refused; /* why, static */
	char *error;         /* an error, wherever in the reply it stands */
};

/* ---- where ---------------------------------------------------------------------------- */

void ms_where_clear(MsWhere *where)
{
	g_clear_pointer(&where->path, g_free);
	g_clear_pointer(&where->host, g_free);
	g_clear_pointer(&where->name, g_free);
}

static bool parse_host(const char *address, MsWhere *where)
{
	const char *colon = strrchr(address, ':');
	gsize len = colon != NULL ? (gsize)(colon - address) : 0;
	bool bracketed = len > 2 && address[0] == '[' && address[len - 1] == ']';
	guint64 port = 0;
	if (len == 0 || len > 255 ||
		!g_ascii_string_to_unsigned(colon + 1, 10, 1, 65535, &port, NULL))
		return false;
	where->host = g_strndup(address + bracketed, len - (bracketed ? 2 : 0));
	where->port = (int)port;
	return true;
}

bool ms_where_parse(const char *address, const char *what, MsWhere *where, GError **error)
{
	memset(where, 0, sizeof *where);
	bool local = g_str_has_prefix(address, "unix:");
	if (local && address[5] == '/' &&
		strlen(address + 5) < sizeof((struct sockaddr_un *)NULL)->sun_path)
		where->path = g_strdup(address + 5);
	else if (local || !parse_host(address, where)) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"\"%s\" is no address of %s; write unix:/path/to/socket or host:port",
			address, what);
		return false;
	}
	where->name = g_strdup_printf("%s at %s", what, address);
	return true;
}

static bool is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)(const void *)address)
				       ->sin_addr.s_addr) >>
			24 ==
			127;
	const struct in6_addr *six =
		&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
	return IN6_IS_ADDR_LOOPBACK(six) || (IN6_IS_ADDR_V4MAPPED(six) && six->s6_addr[12] == 127);
}

static struct addrinfo *look_up(const char *host, int port, int flags, int *rc)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};
	struct addrinfo *found = NULL;
	g_autofree char *service = g_strdup_printf("%d", port);
	*rc = getaddrinfo(host, service, &hints, &found);
	return *rc == 0 ? found : NULL;
}

bool ms_where_is_here(const MsWhere *where)
{
	int rc;
	if (where->path != NULL || g_ascii_strcasecmp(where->host, "localhost") == 0)
		return true;
	struct addrinfo *found = look_up(where->host, where->port, AI_NUMERICHOST, &rc);
	bool here = found != NULL && is_loopback(found->ai_addr);
	if (found != NULL)
		freeaddrinfo(found);
	return here;
}

/* ---- names: the resolver knows no deadline, so a thread asks it -------------------------- */

typedef struct {
	gint refs; /* atomic */
	pthread_mutex_t lock;
	pthread_cond_t told;
	char *host;
	int port, rc;
	bool done;
	struct addrinfo *found;
} Question;

static void question_unref(Question *q)
{
	if (!g_atomic_int_dec_and_test(&q->refs))
		return;
	if (q->found != NULL)
		freeaddrinfo(q->found);
	pthread_mutex_destroy(&q->lock);
	pthread_cond_destroy(&q->told);
	g_free(q->host);
	g_free(q);
}

static void *ask_resolver(void *data)
{
	Question *q = data;
	int rc;
	struct addrinfo *found = look_up(q->host, q->port, AI_ADDRCONFIG, &rc);
	pthread_mutex_lock(&q->lock);
	q->found = found;
	q->rc = rc;
	q->done = true;
	pthread_cond_signal(&q->told);
	pthread_mutex_unlock(&q->lock);
	question_unref(q);
	return NULL;
}

static struct addrinfo *resolve(const char *host, int port, gint64 deadline, int *rc)
{
	struct addrinfo *found = look_up(host, port, AI_NUMERICHOST, rc);
	if (found != NULL)
		return found;
	Question *q = g_new0(Question, 1);
	q->refs = 1;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->told, NULL);
	q->host = g_strdup(host);
	q->port = port;
	g_atomic_int_inc(&q->refs);
	pthread_t thread;
	bool asks = ms_io_thread(&thread, "resolver", ask_resolver, q);
	if (asks)
		pthread_detach(thread);
	else
		question_unref(q);
	pthread_mutex_lock(&q->lock);
	while (asks && !q->done && ms_clock_wait(&q->told, &q->lock, deadline))
		;
	*rc = q->done ? q->rc : EAI_AGAIN;
	found = g_steal_pointer(&q->found);
	pthread_mutex_unlock(&q->lock);
	question_unref(q);
	return found;
}

/* ---- connecting ----------------------------------------------------------------------- */

MsWireEnd ms_wire_wait(int fd, short events, int call_off, gint64 deadline)
{
	struct pollfd fds[] = {{.fd = fd, .events = events}, {.fd = call_off, .events = POLLIN}};
	for (;;) {
		gint64 left = (deadline - g_get_monotonic_time() + 999) / 1000;
		if (left <= 0)
			return MS_WIRE_LATE;
		int n = poll(fds, 2, (int)MIN(left, 3600000));
		if (n < 0 && errno != EINTR)
			return MS_WIRE_CLOSED;
		if (n > 0 && fds[1].revents != 0)
			return MS_WIRE_CALLED_OFF;
		if (n > 0)
			return MS_WIRE_FINE;
	}
}

/* What errno says is the reason; 0 for a deadline. */
static MsWireEnd connect_one(int fd, const struct sockaddr *address, socklen_t len, int call_off,
	gint64 deadline)
{
	while (connect(fd, address, len) != 0) {
		MsWireEnd end;
		if (errno == EAGAIN) { /* a Unix socket whose queue is full */
			end = ms_wire_wait(-1, 0, call_off,
				MIN(deadline, g_get_monotonic_time() + COUNT_TRY_US));
			if (end != MS_WIRE_LATE || g_get_monotonic_time() >= deadline)
				return errno = 0, end;
			continue;
		}
		if (errno != EINPROGRESS && errno != EINTR)
			return MS_WIRE_CLOSED;
		end = ms_wire_wait(fd, POLLOUT, call_off, deadline);
		int why = 0;
		socklen_t size = sizeof why;
		if (end == MS_WIRE_FINE &&
			(getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &size) != 0 || why != 0))
			end = MS_WIRE_CLOSED;
		errno = why;
		return end;
	}
	return MS_WIRE_FINE;
}

static MsWireEnd connect_path(const MsWhere *where, int call_off, gint64 deadline, int *fd_out)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	g_strlcpy(address.sun_path, where->path, sizeof address.sun_path);
	*fd_out = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd_out < 0)
		return MS_WIRE_CLOSED;
	return connect_one(
		*fd_out, (struct sockaddr *)&address, sizeof address, call_off, deadline);
}

/* A host may have several addresses; each gets its share of the time. */
static MsWireEnd connect_host(
	const struct addrinfo *list, int call_off, gint64 deadline, int *fd_out)
{
	MsWireEnd end = MS_WIRE_CLOSED;
	gint64 n = 0;
	for (const struct addrinfo *at = list; at != NULL; at = at->ai_next)
		n++;
	for (; list != NULL; list = list->ai_next, n--) {
		gint64 now = g_get_monotonic_time();
		int on = 1,
		    fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (fd < 0)
			continue;
		end = connect_one(
			fd, list->ai_addr, list->ai_addrlen, call_off, now + (deadline - now) / n);
		if (end == MS_WIRE_FINE) {
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
			setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
			*fd_out = fd;
			return end;
		}
		ms_io_close(fd);
		if (end == MS_WIRE_CALLED_OFF)
			break;
	}
	return end;
}

static MsWireEnd fail(const char *name, MsWireEnd end, const char *why, GError **error)
{
	if (end == MS_WIRE_LATE)
		why = "no answer in time";
	else if (end == MS_WIRE_CALLED_OFF)
		why = "it does not answer";
	g_set_error(error, MS_ERROR, end == MS_WIRE_FORBIDDEN ? MS_ERROR_CONFIG : MS_ERROR_RETRY,
		"%s: %s", name, why);
	return end;
}

static MsWireEnd connect_to(
	const MsWhere *where, int call_off, gint64 deadline, int *fd_out, GError **error)
{
	MsWireEnd end;
	*fd_out = -1;
	if (where->path != NULL) {
		end = connect_path(where, call_off, deadline, fd_out);
	} else {
		int rc;
		struct addrinfo *list = resolve(where->host, where->port, deadline, &rc);
		if (list == NULL)
			return fail(where->name,
				g_get_monotonic_time() >= deadline ? MS_WIRE_LATE : MS_WIRE_CLOSED,
				gai_strerror(rc), error);
		end = connect_host(list, call_off, deadline, fd_out);
		freeaddrinfo(list);
	}
	if (end == MS_WIRE_FINE)
		return end;
	g_autofree char *why = g_strdup_printf("cannot connect: %s", g_strerror(errno));
	if (*fd_out >= 0)
		close(*fd_out);
	*fd_out = -1;
	return fail(where->name, end, why, error);
}

/* ---- replies -------------------------------------------------------------------------- */

static void *refuse(MsWire *wire, const char *why)
{
	wire->refused = wire->refused != NULL ? wire->refused : why;
	return NULL; /* hiredis then gives up */
}

/* A new reply in its place; NULL: no more. */
static MsReply *make(const redisReadTask *task, MsReplyType type)
{
	MsWire *wire = task->privdata;
	guint depth = 0;
	for (const redisReadTask *at = task->parent; at != NULL; at = at->parent)
		depth++;
	if (depth > MAX_DEPTH)
		return refuse(wire, "an answer nested too deeply");
	if (++wire->items > MAX_ITEMS)
		return refuse(wire, "an answer of too many items");
	MsReply *reply = g_new0(MsReply, 1);
	reply->type = type;
	if (task->parent != NULL)
		g_ptr_array_add(((MsReply *)task->parent->obj)->items, reply);
	return reply;
}

static void *make_text(const redisReadTask *task, char *text, size_t len)
{
	MsWire *wire = task->privdata;
	bool error = task->type == REDIS_REPLY_ERROR;
	if (!error && task->type != REDIS_REPLY_STRING && task->type != REDIS_REPLY_STATUS)
		return refuse(wire, "an answer of a kind that was not asked for");
	MsReply *reply = make(task, MS_REPLY_TEXT);
	if (reply == NULL)
		return NULL;
	reply->len = len;
	reply->text = g_malloc(len + 1);
	memcpy(reply->text, text, len);
	reply->text[len] = '\0';
	if (error && wire->error == NULL)
		wire->error = g_strndup(text, MIN(len, 500));
	return reply;
}

static void *make_list(const redisReadTask *task, gint64 n)
{
	MsWire *wire = task->privdata;
	if (task->type != REDIS_REPLY_ARRAY)
		return refuse(wire, "an answer of a kind that was not asked for");
	if (n < 0 || (guint64)n > MAX_ITEMS - MIN(wire->items, MAX_ITEMS))
		return refuse(wire, "an answer of too many items");
	MsReply *reply = make(task, MS_REPLY_LIST);
	if (reply != NULL)
		reply->items = g_ptr_array_new_with_free_func((GDestroyNotify)ms_reply_free);
	return reply;
}

#if HIREDIS_MAJOR >= 1
static void *make_array(const redisReadTask *task, size_t n)
{
	return make_list(task, n > G_MAXINT ? -1 : (gint64)n);
}

static void *make_double(const redisReadTask *task, double value, char *text, size_t len)
{
	(void)value, (void)text, (void)len;
	return refuse(task->privdata, "an answer of a kind that was not asked for");
}

static void *make_bool(const redisReadTask *task, int value)
{
	(void)value;
	return refuse(task->privdata, "an answer of a kind that was not asked for");
}
#else
static void *make_array(const redisReadTask *task, int n)
{
	return make_list(task, n);
}
#endif

static void *make_integer(const redisReadTask *task, long long value)
{
	MsReply *reply = make(task, MS_REPLY_INTEGER);
	if (reply != NULL)
		reply->integer = value;
	return reply;
}

static void *make_nil(const redisReadTask *task)
{
	return make(task, MS_REPLY_NIL);
}

static void free_reply(void *reply)
{
	ms_reply_free(reply);
}

static redisReplyObjectFunctions makers = {
	.createString = make_text,
	.createArray = make_array,
	.createInteger = make_integer,
	.createNil = make_nil,
#if HIREDIS_MAJOR >= 1
	.createDouble = make_double,
	.createBool = make_bool,
#endif
	.freeObject = free_reply,
};

void ms_reply_free(MsReply *reply)
{
	if (reply == NULL)
		return;
	g_free(reply->text);
	if (reply->items != NULL)
		g_ptr_array_unref(reply->items);
	g_free(reply);
}

/* ---- a connection --------------------------------------------------------------------- */

MsWireEnd ms_wire_open(const MsWhere *where, const MsWireHow *how, gint64 deadline,
	MsWire **wire_out, GError **error)
{
	int fd;
	MsTlsEnd *tls = NULL;
	MsWireEnd end = connect_to(where, how->call_off, deadline, &fd, error);
	if (end == MS_WIRE_FINE && how->tls != NULL) {
		g_autoptr(GError) why = NULL;
		end = ms_tls_begin(how->tls, fd, where, how->call_off, deadline, &tls, &why);
		if (end != MS_WIRE_FINE) {
			close(fd);
			if (end == MS_WIRE_LATE)
				g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
					"%s: no answer in time to TLS (is that port one of TLS?)",
					where->name);
			else
				fail(where->name, end, why != NULL ? why->message : "", error);
		}
	}
	if (end != MS_WIRE_FINE)
		return end;
	MsWire *wire = g_new0(MsWire, 1);
	wire->fd = fd;
	wire->tls = tls;
	wire->call_off = how->call_off;
	wire->name = g_strdup(where->name);
	wire->max_bytes = how->max_bytes > 0 ? how->max_bytes : MAX_BYTES;
	wire->out = g_byte_array_new();
	wire->reader = redisReaderCreateWithFunctions(&makers);
	g_assert(wire->reader != NULL);
	wire->reader->privdata = wire;
	*wire_out = wire;
	return end;
}

void ms_wire_free(MsWire *wire)
{
	if (wire == NULL)
		return;
	redisReaderFree(wire->reader);
	ms_tls_end_free(wire->tls);
	close(wire->fd);
	g_byte_array_unref(wire->out);
	g_free(wire->error);
	g_free(wire->name);
	g_free(wire);
}

void ms_wire_put(MsWire *wire, gsize argc, const char *const *argv, const gsize *lens)
{
	if (wire->sent > 0) {
		g_byte_array_remove_range(wire->out, 0, (guint)wire->sent);
		wire->sent = 0;
	}
	char *command = NULL;
	int len = redisFormatCommandArgv(&command, (int)argc, (const char **)argv, lens);
	g_assert(len > 0);
	g_byte_array_append(wire->out, (const guint8 *)command, (guint)len);
	redisFreeCommand(command);
}

gsize ms_wire_unsent(const MsWire *wire)
{
	return wire->out->len - wire->sent;
}

static gssize move(MsWire *wire, bool out, void *data, gsize len, short *events)
{
	if (wire->tls != NULL)
		return out ? ms_tls_write(wire->tls, data, len, events)
			   : ms_tls_read(wire->tls, data, len, events);
	*events = out ? POLLOUT : POLLIN;
	gssize n = out ? send(wire->fd, data, len, MSG_NOSIGNAL) : recv(wire->fd, data, len, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n == 0 && !out)
		errno = 0;
	return n > 0 ? n : -1;
}

void ms_wire_push(MsWire *wire)
{
	short events;
	while (ms_wire_unsent(wire) > 0) {
		gssize n = move(
			wire, true, wire->out->data + wire->sent, ms_wire_unsent(wire), &events);
		if (n <= 0)
			return;
		wire->sent += (gsize)n;
	}
}

/* Sends and takes what can be now; where that is nothing, `*wait` is what to wait for. */
static bool pump(MsWire *wire, short *wait)
{
	char chunk[CHUNK];
	short events;
	*wait = 0;
	if (ms_wire_unsent(wire) > 0) {
		gssize n = move(
			wire, true, wire->out->data + wire->sent, ms_wire_unsent(wire), &events);
		if (n < 0)
			return false;
		wire->sent += (gsize)n;
		if (ms_wire_unsent(wire) > 0)
			*wait = n == 0 ? events : POLLOUT;
	}
	gssize n = move(wire, false, chunk, sizeof chunk, &events);
	if (n < 0)
		return false;
	if (n > 0)
		redisReaderFeed(wire->reader, chunk, (size_t)n);
	wire->bytes += (gsize)n;
	*wait = n > 0 ? 0 : *wait | events;
	return true;
}

static MsWireEnd odd(MsWire *wire, GError **error)
{
	g_autofree char *why = g_strdup_printf("protocol error: %s",
		wire->refused != NULL ? wire->refused : wire->reader->errstr);
	return fail(wire->name, MS_WIRE_ODD, why, error);
}

/* The reply, or an error that is in it: a list with an error in it has told nothing. */
static MsReply *finished(MsWire *wire, MsReply *reply)
{
	if (wire->error != NULL) {
		ms_reply_free(reply);
		reply = g_new0(MsReply, 1);
		reply->type = MS_REPLY_ERROR;
		reply->text = g_steal_pointer(&wire->error);
	}
	wire->bytes = wire->items = 0;
	return reply;
}

MsWireEnd ms_wire_get(MsWire *wire, gint64 deadline, MsReply **reply_out, GError **error)
{
	for (;;) {
		void *reply = NULL;
		short wait;
		if (redisReaderGetReply(wire->reader, &reply) != REDIS_OK)
			return odd(wire, error);
		if (reply != NULL) {
			*reply_out = finished(wire, reply);
			return MS_WIRE_FINE;
		}
		if (wire->bytes > wire->max_bytes) {
			refuse(wire, "an answer of too many bytes");
			return odd(wire, error);
		}
		if (g_get_monotonic_time() > deadline)
			return fail(wire->name, MS_WIRE_LATE, NULL, error);
		if (!pump(wire, &wait))
			return fail(wire->name, MS_WIRE_CLOSED,
				errno != 0 ? g_strerror(errno) : "it closed the connection", error);
		MsWireEnd end = wait != 0 ? ms_wire_wait(wire->fd, wait, wire->call_off, deadline)
					  : MS_WIRE_FINE;
		if (end != MS_WIRE_FINE)
			return fail(wire->name, end, g_strerror(errno), error);
	}
}
