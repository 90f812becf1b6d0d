/*
 * The Unix socket: connections come in, one request and one reply each.  Who is not the page's
 * user, root or ours is refused by what the kernel says of him.  One thread accepts; a few read
 * and answer what is short (log-ins, sessions), others do what may take long (held mail), so that
 * no decision that hangs keeps anybody from logging in.
 */
#include "config.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "missent/log.h"

#include "agent.h"

#define SHORT_AT_ONCE 64 /* more than may wait to have a password hashed */
#define LONG_AT_ONCE 16
#define QUEUE_MOST 512 /* connections that wait; more are not taken */
#define PAUSE_US (10 * 1000) /* meanwhile the others wait in the kernel */

typedef struct {
	Agent *agent;
	GThreadPool *quick, *slow;
} Door;

typedef struct {
	int fd;
	json_t *ask; /* NULL: not read yet, or no JSON */
} Visit;

static void leave(Visit *visit)
{
	close(visit->fd);
	json_decref(visit->ask);
	g_free(visit);
}

static void reply(const Visit *visit, const char *text)
{
	ms_link_send(visit->fd, text, strlen(text));
}

static bool may_ask(const Agent *agent, uid_t uid)
{
	return uid == 0 || uid == geteuid() || (agent->page != (uid_t)-1 && uid == agent->page);
}

static bool is_allowed(const Agent *agent, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof peer;
	bool fine = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
		may_ask(agent, peer.uid);
	if (!fine)
		ms_log(LOG_WARNING, NULL,
			"refused: a process of user ID %u is not the page (review { user })",
			(unsigned)peer.uid);
	return fine;
}

static void answer(gpointer data, gpointer user)
{
	Visit *visit = data;
	g_autofree char *text = agent_answer(((Door *)user)->agent, visit->ask);
	reply(visit, text);
	leave(visit);
}

#define TOO_LARGE \
	"{\"ok\":false,\"error\":\"the request is larger than this host takes\",\"code\":\"input\"}"

static void receive(gpointer data, gpointer user)
{
	Visit *visit = data;
	Door *door = user;
	struct timeval wait = {5, 0};
	setsockopt(visit->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	setsockopt(visit->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
	if (!is_allowed(door->agent, visit->fd)) {
		reply(visit,
			"{\"ok\":false,\"error\":\"you are not the page's user\",\"code\":\"role\"}");
		leave(visit);
		return;
	}
	gsize len;
	g_autofree char *text = ms_link_receive(visit->fd, MS_DESK_REQUEST_MAX, &len);
	if (text == NULL && len > 0)
		reply(visit, TOO_LARGE);
	if (text == NULL) {
		leave(visit);
		return;
	}
	visit->ask = agent_read(text, len);
	if (agent_is_slow(visit->ask))
		g_thread_pool_push(door->slow, visit, NULL);
	else
		answer(visit, door);
}

void agent_serve(Agent *agent)
{
	Door door = {.agent = agent};
	door.quick = g_thread_pool_new(receive, &door, SHORT_AT_ONCE, FALSE, NULL);
	door.slow = g_thread_pool_new(answer, &door, LONG_AT_ONCE, FALSE, NULL);
	while (!agent_stopping) {
		agent_watch(agent);
		struct pollfd ready = {agent->listening, POLLIN, 0};
		if (g_thread_pool_unprocessed(door.quick) >= QUEUE_MOST) {
			g_usleep(PAUSE_US);
			continue;
		}
		if (poll(&ready, 1, 500) <= 0)
			continue;
		int fd = accept4(agent->listening, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0) { /* without a descriptor for it, it is ready all the time */
			g_usleep(PAUSE_US);
			continue;
		}
		Visit *visit = g_new0(Visit, 1);
		visit->fd = fd;
		g_thread_pool_push(door.quick, visit, NULL);
	}
	g_thread_pool_free(door.quick, FALSE, TRUE);
	g_thread_pool_free(door.slow, FALSE, TRUE);
}
