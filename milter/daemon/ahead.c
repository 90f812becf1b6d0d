/*
 * What an MTA has sent already, taken from its connection in one go.
 *
 * libmilter asks three times whether there is something to read, and reads twice, for each step
 * of a message, and an MTA that waits for no reply sends twenty of them at once.  interpose.c
 * asks here first: bytes that are at hand are given without a system call, and whether there are
 * any is found out by taking them.  That there is room for a reply is not asked for the first few
 * after something came: an MTA that goes on has read those before.
 *
 * Of what it is given libmilter believes the form: it looks for a macro behind the end of a list in
 * which the last one has no value, and for the end of a client's name behind that of a packet.  So
 * each packet is followed here as it is given, and a connection ends with the first that no MTA
 * sends.
 *
 * A connection is one thread's at a time, which is libmilter's to see to.  Its bytes are nobody
 * else's: they are dropped with it.  One that nothing comes from has no memory.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ahead.h"

#define MOST 65536   /* connections of greater numbers are read as they were */
#define BYTES 16384  /* most messages in one go */
#define REPLIES 8    /* which the MTA has read, or has room for */
#define HEAD 5       /* of a packet: its length, and what it is */

typedef struct {
	atomic_bool open;
	bool ended;     /* nothing comes after what is at hand */
	guint replies;  /* since something came */
	gsize at, len;
	char *data;     /* NULL: nothing is at hand */
	guint8 head[HEAD];
	guint heads;    /* bytes of it that were given */
	guint32 left;   /* of the packet behind it */
	guint texts;    /* in it, that have an end */
} Ahead;

/* By descriptor; never freed, so that who looks needs no lock. */
static _Atomic(Ahead *) connections[MOST];

static Ahead *find(int fd)
{
	Ahead *a = fd >= 0 && fd < MOST ? atomic_load(&connections[fd]) : NULL;
	return a != NULL && atomic_load(&a->open) ? a : NULL;
}

static void forget(Ahead *a)
{
	g_clear_pointer(&a->data, g_free);
	a->at = a->len = 0;
}

void ahead_begin(int fd)
{
	if (fd < 0 || fd >= MOST)
		return;
	Ahead *a = atomic_load(&connections[fd]);
	if (a == NULL) {
		a = g_new0(Ahead, 1);
		atomic_store(&connections[fd], a);
	}
	/* Whoever had that number before has let go of it: what he did is seen from here on. */
	atomic_load(&a->open);
	forget(a);
	a->ended = false;
	a->heads = 0;
	a->replies = REPLIES; /* nothing has come yet */
	atomic_store(&a->open, true);
}

void ahead_end(int fd)
{
	Ahead *a = find(fd);
	if (a == NULL)
		return;
	forget(a);
	atomic_store(&a->open, false);
}

/* What there is now, or, without MSG_DONTWAIT, once there is something. */
static ssize_t fill(Ahead *a, int fd, int flags)
{
	if (a->data == NULL)
		a->data = g_malloc(BYTES);
	ssize_t n = recv(fd, a->data, BYTES, flags);
	a->at = 0;
	a->len = n > 0 ? (gsize)n : 0;
	a->ended = n == 0;
	if (n > 0)
		a->replies = 0;
	return n;
}

static int has(struct pollfd *one, short what)
{
	one->revents = what;
	return 1;
}

bool ahead_poll(struct pollfd *one, int *rc_out)
{
	Ahead *a = find(one->fd);
	bool reads = one->events & POLLIN;
	if (a == NULL)
		return false;
	if (!reads && (one->events & POLLOUT) && a->replies < REPLIES) {
		a->replies++;
		*rc_out = has(one, POLLOUT);
		return true;
	}
	bool fine = reads && (a->len > 0 || a->ended || fill(a, one->fd, MSG_DONTWAIT) >= 0);
	if (fine)
		*rc_out = has(one, POLLIN);
	return fine;
}

bool ahead_waits(const struct pollfd *one)
{
	return (one->events & POLLIN) && find(one->fd) != NULL;
}

void ahead_idle(int fd)
{
	Ahead *a = find(fd);
	if (a != NULL && a->len == 0)
		forget(a);
}

static gsize take(Ahead *a, void *data, gsize len)
{
	gsize n = MIN(len, a->len - a->at);
	memcpy(data, a->data + a->at, n);
	a->at += n;
	if (a->at == a->len)
		a->at = a->len = 0;
	return n;
}

/* Of a piece of a body the beginning is at hand, behind its head; the rest, if it is there, goes
 * where it is wanted. */
static gsize rest(int fd, char *data, gsize len)
{
	ssize_t n = len >= BYTES / 2 ? recv(fd, data, len, MSG_DONTWAIT) : 0;
	return n > 0 ? (gsize)n : 0; /* who asks once more hears why not */
}

/* ---- the form of packets -------------------------------------------------------------- */

/* An MTA's longest is a megabyte; of one without any length there is not even a letter. */
static bool begin_packet(Ahead *a)
{
	guint32 length = 0;
	for (guint i = 0; i < HEAD - 1; i++)
		length = length << 8 | a->head[i];
	a->left = length - 1;
	a->texts = 0;
	return length > 0 && length <= G_MAXINT32;
}

static bool is_sound(const Ahead *a)
{
	switch (a->head[HEAD - 1]) {
	case 'D': return a->texts % 2 == 0; /* macros: each has a name and a value */
	case 'C': return a->texts > 0;      /* a connection: the client's name has an end */
	default: return true;
	}
}

static void count_texts(Ahead *a, const char *data, gsize len)
{
	guint8 what = a->head[HEAD - 1];
	for (gsize i = 0; (what == 'D' || what == 'C') && i < len; i++)
		a->texts += data[i] == '\0';
}

/* These are given; false: and end a packet that must not be looked at. */
static bool follow(Ahead *a, const char *data, gsize len)
{
	while (len > 0) {
		if (a->heads < HEAD) {
			a->head[a->heads++] = (guint8)*data++;
			len--;
			if (a->heads == HEAD && !begin_packet(a))
				return false;
		}
		gsize n = a->heads == HEAD ? MIN(len, a->left) : 0;
		count_texts(a, data, n);
		data += n;
		len -= n;
		a->left -= (guint32)n;
		if (a->heads == HEAD && a->left == 0) {
			if (!is_sound(a))
				return false;
			a->heads = 0;
		}
	}
	return true;
}

/* ---- reading -------------------------------------------------------------------------- */

static ssize_t give(Ahead *a, int fd, void *data, gsize len)
{
	if (a->len == 0 && a->ended)
		return 0;
	if (a->len == 0 && len >= BYTES / 2) { /* a piece of a body */
		a->replies = 0;
		return recv(fd, data, len, 0);
	}
	ssize_t n = a->len > 0 ? (ssize_t)a->len : fill(a, fd, 0);
	if (n <= 0)
		return n;
	gsize got = take(a, data, len);
	return (ssize_t)(got + rest(fd, (char *)data + got, len - got));
}

bool ahead_read(int fd, void *data, gsize len, ssize_t *n_out)
{
	Ahead *a = find(fd);
	if (a == NULL)
		return false;
	ssize_t n = give(a, fd, data, len);
	if (n > 0 && !follow(a, data, (gsize)n)) {
		errno = EBADMSG;
		n = -1;
	}
	*n_out = n;
	return true;
}
