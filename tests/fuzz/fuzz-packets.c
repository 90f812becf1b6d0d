/*
 * Bytes come in as an MTA's at the milter's socket: what libmilter is given of them are those
 * bytes, in order, up to the first packet that it must not look at, and all if there is none.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../milter/daemon/ahead.h"

#include "../test.h"
#include "fuzz.h"

#define LONGEST_INPUT 60000 /* a socket takes it in one go */
#define HEAD 5

static guint texts_in(const uint8_t *data, size_t len)
{
	guint n = 0;
	for (size_t i = 0; i < len; i++)
		n += data[i] == '\0';
	return n;
}

/* How many bytes there are before the one with which a packet turns out to be none; `len`: all. */
static size_t sound_length(const uint8_t *data, size_t len)
{
	size_t at = 0;
	while (len - at >= HEAD) {
		guint32 length;
		memcpy(&length, data + at, sizeof length);
		length = GUINT32_FROM_BE(length);
		if (length == 0 || length > G_MAXINT32)
			return at + HEAD - 1;
		const uint8_t *text = data + at + HEAD;
		char what = (char)text[-1];
		size_t end = at + HEAD - 1 + length;
		if (end > len)
			return len;
		guint texts = texts_in(text, length - 1);
		if ((what == 'D' && texts % 2 != 0) || (what == 'C' && texts == 0))
			return end - 1;
		at = end;
	}
	return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const size_t sizes[] = {HEAD, 1, 300, 20000}; /* that are asked for, in turn */
	int fds[2];
	if (len < 1 || len > LONGEST_INPUT)
		return 0;
	size_t turn = data[0], given = 0;
	data++;
	len--;
	g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
	g_assert_cmpint(send(fds[1], data, len, 0), ==, (gssize)len);
	g_assert_no_errno(close(fds[1]));
	ahead_begin(fds[0]);
	size_t sound = sound_length(data, len);
	for (;;) {
		char piece[20000];
		gssize n;
		g_assert_true(ahead_read(fds[0], piece, sizes[turn++ % G_N_ELEMENTS(sizes)], &n));
		if (n <= 0) {
			g_assert_true(n == 0 ? sound == len : errno == EBADMSG && sound < len);
			g_assert_true(n < 0 || given == len);
			break;
		}
		g_assert_cmpmem(piece, (gsize)n, data + given, (gsize)n);
		given += (size_t)n;
		g_assert_cmpuint(given, <=, sound);
	}
	ahead_end(fds[0]);
	g_assert_no_errno(close(fds[0]));
	return 0;
}
