/*
 * Bytes and descriptors over the sockets between client, supervisor and worker: whole, or not at
 * all.  No state; in any process and thread.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "missent/wire.h"

#define MAX_FDS 4

bool ms_wire_send(int fd, const void *data, size_t len, const int *fds, unsigned n, int flags)
{
	union {
		char buffer[CMSG_SPACE(MAX_FDS * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {(void *)data, len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	memset(&control, 0, sizeof control);
	if (n > 0) {
		msg.msg_control = control.buffer;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	return sendmsg(fd, &msg, flags | MSG_NOSIGNAL) == (ssize_t)len;
}

bool ms_wire_is_short(int why)
{
	switch (why) {
	case EAGAIN:
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
	case ETOOMANYREFS: return true;
	default: return false;
	}
}

/* Of those that the kernel has made ours, those that nobody is to have are closed: there is room
 * for one more where an odd number is asked for, and they come along with no bytes, too. */
static void take_descriptors(struct cmsghdr *c, int *fds, unsigned n)
{
	unsigned have = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	for (unsigned i = 0; i < have; i++) {
		int fd;
		memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
		if (i < n)
			fds[i] = fd;
		else
			close(fd);
	}
}

ssize_t ms_wire_receive(int fd, void *data, size_t len, int *fds, unsigned n, int flags)
{
	union {
		char buffer[CMSG_SPACE(MAX_FDS * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {data, len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buffer,
		.msg_controllen = n > 0 ? CMSG_SPACE(n * sizeof(int)) : 0};
	for (unsigned i = 0; i < n; i++)
		fds[i] = -1;
	ssize_t got = recvmsg(fd, &msg, flags | MSG_CMSG_CLOEXEC);
	if (got < 0)
		return got;
	bool whole = (msg.msg_flags & MSG_TRUNC) == 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			take_descriptors(c, fds, got > 0 && whole ? n : 0);
	errno = whole ? errno : EMSGSIZE;
	return whole ? got : -1;
}
