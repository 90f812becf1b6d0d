/*
 * Connections, from their opening to their end: one that has not sent a whole header, or the body
 * that belongs to it, within some seconds is ended, however slowly it goes on; and when there are
 * many, the oldest that waits makes room for the newest.  So a proxy, whose users have all one
 * address, needs no limit an address, and nobody who only holds connections keeps others out.
 * Threads of the server, and the one that sweeps.
 */
#include "config.h"

#include <sys/socket.h>

#include "page.h"

#define HEADER_US (10 * (gint64)G_USEC_PER_SEC)  /* also between two requests */
#define REQUEST_US (180 * (gint64)G_USEC_PER_SEC) /* a decision may take a minute */
#define CROWDED (CONNECTIONS_MOST * 3 / 4)

typedef struct {
	int fd;
	gint64 since;
	bool busy, ended;
} Visitor;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static GPtrArray *visitors; /* in the order in which they came */

void connections_start(void)
{
	pthread_mutex_lock(&lock);
	if (visitors == NULL)
		visitors = g_ptr_array_new_with_free_func(g_free);
	pthread_mutex_unlock(&lock);
}

/* The server sees the end, and closes it. */
static void end(Visitor *v)
{
	v->ended = true;
	shutdown(v->fd, SHUT_RDWR);
}

static void make_room(void)
{
	guint open = 0;
	Visitor *oldest = NULL;
	for (guint i = 0; i < visitors->len; i++) {
		Visitor *v = visitors->pdata[i];
		open += !v->ended;
		if (!v->ended && !v->busy && (oldest == NULL || v->since < oldest->since))
			oldest = v;
	}
	if (open > CROWDED && oldest != NULL)
		end(oldest);
}

static int socket_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	return info != NULL ? info->connect_fd : -1;
}

void connections_notify(void *user, struct MHD_Connection *connection, void **socket_context,
	enum MHD_ConnectionNotificationCode code)
{
	(void)user;
	pthread_mutex_lock(&lock);
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		Visitor *v = g_new0(Visitor, 1);
		v->fd = socket_of(connection);
		v->since = g_get_monotonic_time();
		make_room();
		g_ptr_array_add(visitors, v);
		*socket_context = v;
	} else {
		g_ptr_array_remove(visitors, *socket_context);
	}
	pthread_mutex_unlock(&lock);
}

void connections_busy(struct MHD_Connection *connection, bool busy)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	Visitor *v = info != NULL ? info->socket_context : NULL;
	if (v == NULL)
		return;
	pthread_mutex_lock(&lock);
	v->busy = busy;
	v->since = g_get_monotonic_time();
	pthread_mutex_unlock(&lock);
}

void connections_sweep(void)
{
	gint64 now = g_get_monotonic_time();
	pthread_mutex_lock(&lock);
	for (guint i = 0; visitors != NULL && i < visitors->len; i++) {
		Visitor *v = visitors->pdata[i];
		if (!v->ended && now - v->since > (v->busy ? REQUEST_US : HEADER_US))
			end(v);
	}
	pthread_mutex_unlock(&lock);
}
