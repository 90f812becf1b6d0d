/*
 * Functions that are named like the C library's, and stand before them for libmilter.
 *
 * libmilter ends the filter at SIGHUP, as if nothing were wrong, so that nobody starts it again;
 * who rotates logs sends it.  Its thread that waits for signals does not get it: it is a reload.
 *
 * libmilter takes connections until no descriptor is left, and ends the filter when accept() has
 * failed sixteen times.  So connections are taken here: as long as there is room for the messages
 * that are in hand, what they need to be read and judged being kept back.  One for which there is
 * no room is closed at once: its MTA answers "try again later".
 *
 * Nor does libmilter look again at a connection for which it could make no thread, nor close it.
 * So the thread is made within a second; else the MTA is told by an end of the connection, which
 * the thread sees when there may be one.
 *
 * Five system calls a step of a message are most of what libmilter costs; what the MTA has sent
 * already is at hand (ahead.c), for connections that were taken here and for nothing else.
 *
 * A thread that has read all there is gives its connection back to the one that waits for all of
 * them, which has to be waked for it, and wakes a thread when more comes: three changes of threads,
 * and a look at every connection, for what mostly comes within a moment.  So the moment is waited
 * for first.
 *
 * That descriptors are given from the lowest on tells how many are in use: one of number n was
 * not given before all below it were.
 *
 * libmilter looks only every five seconds whether it shall end, as long as nobody connects.  A
 * signal that ends it ends its wait, too.
 *
 * When it ends, libmilter takes the socket's file away, which may be another's by now.
 */
#undef _FORTIFY_SOURCE /* it defines some of them too */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "missent/io.h"

#include "ahead.h"
#include "daemon.h"

#define AGAIN_US 50000
#define LINGER_MS 20 /* for the next step of a message, or the next message */
#define LOOK_US 1000
#define HIGHEST_LISTENER 64 /* it is opened early: descriptors are given from the lowest on */

static atomic_int room = G_MAXINT, listener = -1, wake = -1;
static atomic_uint refused[N_LACKS];
static _Atomic(const char *) own_socket;
static int (*descriptor_of)(void *context); /* set before there are connections */
static _Thread_local int last = -1; /* that this thread took, or read from */

int accept(int fd, struct sockaddr *restrict address, socklen_t *restrict len);

int accept(int fd, struct sockaddr *restrict address, socklen_t *restrict len)
{
	int got = (int)syscall(SYS_accept4, fd, address, len, SOCK_CLOEXEC);
	if (got >= 0 && got < atomic_load(&room)) {
		ahead_begin(got);
		last = got;
		return got;
	}
	if (got >= 0) {
		close(got);
	} else {
		bool lacking = errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			errno == ENOBUFS;
		if (!lacking)
			return -1;
		usleep(AGAIN_US); /* until who comes is somebody else's */
	}
	atomic_fetch_add(&refused[LACK_DESCRIPTORS], 1);
	errno = EINTR; /* the one error that libmilter takes for none */
	return -1;
}

typedef struct {
	void *(*run)(void *);
	void *arg;
	int fd; /* of its connection */
} Late;

static pthread_mutex_t late_lock = PTHREAD_MUTEX_INITIALIZER;
static GQueue late = G_QUEUE_INIT; /* of Late */

typedef int Create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

/* A sanitizer's own stands before the library's. */
extern Create __interceptor_pthread_create __attribute__((weak));

static Create *real_create(void)
{
	return __interceptor_pthread_create != NULL ? __interceptor_pthread_create
						    : (Create *)dlsym(RTLD_NEXT, "pthread_create");
}

/* Those of its start have no connection. */
static bool serves_connection(void *(*run)(void *), const void *arg)
{
	Dl_info its, libmilter;
	return arg != NULL && dladdr((void *)run, &its) != 0 &&
		dladdr(dlsym(RTLD_DEFAULT, "smfi_main"), &libmilter) != 0 &&
		its.dli_fbase == libmilter.dli_fbase;
}

int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attr,
	void *(*run)(void *), void *restrict arg)
{
	int rc = real_create()(thread, attr, run, arg);
	if (rc != EAGAIN || !serves_connection(run, arg))
		return rc;
	int known = descriptor_of(arg);
	Late *one = g_new(Late, 1);
	*one = (Late){run, arg, known >= 0 ? known : last};
	pthread_mutex_lock(&late_lock);
	g_queue_push_tail(&late, one);
	pthread_mutex_unlock(&late_lock);
	*thread = pthread_self();
	return 0;
}

void threads_make(void)
{
	pthread_t thread; /* which detaches itself */
	pthread_mutex_lock(&late_lock);
	for (Late *one; (one = g_queue_peek_head(&late)) != NULL; g_free(g_queue_pop_head(&late)))
		if (real_create()(&thread, NULL, one->run, one->arg) != 0)
			break;
	for (GList *l = late.head; l != NULL; l = l->next) {
		Late *one = l->data;
		if (one->fd < 0)
			continue;
		shutdown(one->fd, SHUT_RDWR);
		one->fd = -1;
		atomic_fetch_add(&refused[LACK_THREADS], 1);
	}
	pthread_mutex_unlock(&late_lock);
}

int close(int fd)
{
	int listens = fd;
	ahead_end(fd);
	atomic_compare_exchange_strong(&listener, &listens, -1); /* its number may be another's */
	return (int)syscall(SYS_close, fd);
}

ssize_t read(int fd, void *data, size_t len)
{
	ssize_t n;
	last = fd;
	return ahead_read(fd, data, len, &n) ? n : (ssize_t)syscall(SYS_read, fd, data, len);
}

int unlink(const char *path)
{
	const char *own = atomic_load(&own_socket);
	if (own == NULL || strcmp(path, own) != 0)
		return unlinkat(AT_FDCWD, path, 0);
	ms_io_leave_socket(-1, own);
	return 0;
}

/* Once it shall end, nothing comes any more: libmilter looks whether it shall when a wait is
 * over. */
static int poll_listener(struct pollfd *one, const struct timespec *wait)
{
	struct pollfd both[] = {*one, {.fd = atomic_load(&wake), .events = POLLIN}};
	int rc = ppoll(both, G_N_ELEMENTS(both), wait, NULL);
	bool over = rc > 0 && both[1].revents != 0;
	if (over)
		usleep(LOOK_US);
	one->revents = over ? 0 : both[0].revents;
	return over ? 0 : rc;
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	int rc;
	if (n == 1 && ahead_poll(fds, &rc))
		return rc;
	if (timeout == 0 && n == 1 && ahead_waits(fds))
		timeout = LINGER_MS;
	const struct timespec wait = {timeout / 1000, timeout % 1000 * 1000000L},
			      *until = timeout >= 0 ? &wait : NULL;
	if (n == 1 && fds->fd >= 0 && fds->fd == atomic_load(&listener))
		return poll_listener(fds, until);
	rc = ppoll(fds, n, until, NULL);
	if (rc == 0 && n == 1)
		ahead_idle(fds->fd);
	return rc;
}

int sigwait(const sigset_t *restrict set, int *restrict signal);

int sigwait(const sigset_t *restrict set, int *restrict signal)
{
	for (;;) {
		int got = sigwaitinfo(set, NULL);
		if (got < 0 && errno != EINTR)
			return errno;
		if (got == SIGHUP) {
			kill(getpid(), SIGUSR1);
		} else if (got > 0) {
			*signal = got;
			eventfd_write(atomic_load(&wake), 1);
			return 0;
		}
	}
}

/* Of an MTA's host that went without a word TCP knows nothing for two hours, and libmilter waits as
 * long: what it was sending keeps memory that others need.  Connections have this from their
 * listener; a Unix socket has none of it. */
static void ask_who_is_there(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {{SOL_SOCKET, SO_KEEPALIVE, 1}, {IPPROTO_TCP, TCP_KEEPIDLE, 60},
		{IPPROTO_TCP, TCP_KEEPINTVL, 10}, {IPPROTO_TCP, TCP_KEEPCNT, 6}};
	for (gsize i = 0; i < G_N_ELEMENTS(options); i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			sizeof options[i].value);
}

/* The one socket on which this process listens. */
void listener_find(const char *path, int (*descriptor)(void *context))
{
	descriptor_of = descriptor;
	atomic_store(&own_socket, g_strdup(path)); /* as long as this process */
	for (int fd = 0; fd < HIGHEST_LISTENER; fd++) {
		int listens = 0;
		socklen_t len = sizeof listens;
		if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && listens != 0)
			atomic_store(&listener, fd);
	}
	ask_who_is_there(atomic_load(&listener));
	atomic_store(&wake, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

void listener_leave(void)
{
	const char *path = atomic_load(&own_socket);
	if (path != NULL)
		ms_io_leave_socket(atomic_exchange(&listener, -1), path);
}

int room_last(void)
{
	return last;
}

guint room_refused(Lack lack)
{
	return atomic_exchange(&refused[lack], 0);
}

/* As many descriptors as this process may have; of them `needed` for messages in hand. */
void room_keep(guint needed)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		getrlimit(RLIMIT_NOFILE, &limit);
	rlim_t all = MIN(limit.rlim_cur, (rlim_t)G_MAXINT);
	atomic_store(&room, (int)(all - MIN((rlim_t)needed, all * 2 / 3)));
}

int room_left(int fd)
{
	return atomic_load(&room) - fd;
}
