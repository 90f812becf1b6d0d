/* Bytes of connections that are taken ahead of need: as they were sent, and nobody else's. */
#undef _FORTIFY_SOURCE /* it has a read() of its own */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../milter/daemon/daemon.h"
#include "../test.h"

static char *dir;

typedef struct {
	int mta, ours;
} Pair;

/* As libmilter has them: what is accepted is read ahead. */
static Pair connection(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	g_autofree char *path = g_build_filename(dir, "socket", NULL);
	g_strlcpy(address.sun_path, path, sizeof address.sun_path);
	unlink(path);
	Pair pair = {socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), -1};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_no_errno(bind(listener, (struct sockaddr *)&address, sizeof address));
	g_assert_no_errno(listen(listener, 5));
	g_assert_no_errno(connect(pair.mta, (struct sockaddr *)&address, sizeof address));
	pair.ours = accept(listener, NULL, NULL);
	g_assert_cmpint(pair.ours, >=, 0);
	close(listener);
	return pair;
}

static void end(Pair *pair)
{
	if (pair->mta >= 0)
		close(pair->mta);
	close(pair->ours);
}

static void send_text(int fd, const char *text)
{
	g_assert_cmpint(send(fd, text, strlen(text), 0), ==, (int)strlen(text));
}

static int ask(int fd, short events, int timeout_ms)
{
	struct pollfd one = {fd, events, 0};
	int rc = poll(&one, 1, timeout_ms);
	g_assert_cmpint(rc, ==, one.revents != 0);
	return one.revents;
}

static void expect(int fd, const char *text)
{
	char got[64] = "";
	g_assert_cmpint(read(fd, got, strlen(text)), ==, (int)strlen(text));
	g_assert_cmpstr(got, ==, text);
}

static void test_pieces(void)
{
	Pair pair = connection();
	g_assert_cmpint(ask(pair.ours, POLLIN, 1), ==, 0);
	send_text(pair.mta, "12345the rest");
	send_text(pair.mta, "67890more");
	g_assert_cmpint(ask(pair.ours, POLLIN, 1000), ==, POLLIN);
	expect(pair.ours, "12345");
	g_assert_cmpint(ask(pair.ours, POLLIN | POLLPRI, 1000), ==, POLLIN);
	expect(pair.ours, "the rest");
	expect(pair.ours, "67890");
	g_assert_cmpint(ask(pair.ours, POLLIN, 0), ==, POLLIN);
	expect(pair.ours, "more");
	g_assert_cmpint(ask(pair.ours, POLLIN, 1), ==, 0);
	send_text(pair.mta, "again");
	expect(pair.ours, "again"); /* nobody asked first */
	end(&pair);
}

static void test_end(void)
{
	Pair pair = connection();
	char more;
	send_text(pair.mta, "the last");
	close(pair.mta);
	pair.mta = -1;
	expect(pair.ours, "the ");
	g_assert_cmpint(ask(pair.ours, POLLIN, 1000) & POLLIN, ==, POLLIN);
	expect(pair.ours, "last");
	for (int i = 0; i < 3; i++) {
		g_assert_cmpint(ask(pair.ours, POLLIN, 1000) & POLLIN, ==, POLLIN);
		g_assert_cmpint(read(pair.ours, &more, 1), ==, 0);
	}
	end(&pair);
}

/* A descriptor's number is another's later. */
static void test_number(void)
{
	for (int i = 0; i < 3; i++) {
		Pair pair = connection();
		int fds[2], number = pair.ours;
		send_text(pair.mta, "x and what nobody reads");
		g_assert_cmpint(ask(number, POLLIN, 1000), ==, POLLIN);
		expect(number, "x");
		g_assert_no_errno(pipe(fds));
		g_assert_no_errno(close(number));
		if (i < 2) {
			g_assert_cmpint(fcntl(fds[0], F_DUPFD_CLOEXEC, number), ==, number);
			g_assert_cmpint(ask(number, POLLIN, 1), ==, 0);
			g_assert_cmpint(write(fds[1], "another's", 9), ==, 9);
			expect(number, "another's");
			close(number);
		}
		close(fds[0]);
		close(fds[1]);
		Pair next = connection();
		g_assert_cmpint(ask(next.ours, POLLIN, 1), ==, 0);
		send_text(next.mta, "its own");
		expect(next.ours, "its own");
		end(&next);
		close(pair.mta);
	}
}

/* As many bytes as there are and were asked for, whether they are at hand or not. */
#define LONG 300000
static void *send_long(void *fd)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(1);
	g_autofree guint8 *data = g_malloc(LONG);
	for (guint i = 0; i < LONG; i++)
		data[i] = (guint8)(i * 31 % 251);
	for (guint at = 0; at < LONG;) {
		gsize n = MIN((gsize)g_rand_int_range(rand, 1, 40000), LONG - at);
		ssize_t sent = send(GPOINTER_TO_INT(fd), data + at, n, 0);
		g_assert_cmpint(sent, >, 0);
		at += (guint)sent;
	}
	return NULL;
}

static void test_long(void)
{
	Pair pair = connection();
	g_autoptr(GRand) rand = g_rand_new_with_seed(2);
	g_autofree guint8 *data = g_malloc(65536);
	GThread *thread = g_thread_new("mta", send_long, GINT_TO_POINTER(pair.mta));
	for (guint at = 0; at < LONG;) {
		gsize most = g_rand_boolean(rand) ? 5 : (gsize)g_rand_int_range(rand, 1, 65536);
		if (g_rand_boolean(rand))
			g_assert_cmpint(ask(pair.ours, POLLIN, 20000), ==, POLLIN);
		ssize_t n = read(pair.ours, data, most);
		g_assert_cmpint(n, >, 0);
		g_assert_cmpint(n, <=, (gssize)most);
		for (ssize_t i = 0; i < n; i++, at++)
			g_assert_cmpint(data[i], ==, (guint8)(at * 31 % 251));
	}
	g_thread_join(thread);
	end(&pair);
}

/* Of a piece of a body, as long as they come, what is behind its head is one read's. */
static void test_body(void)
{
	Pair pair = connection();
	g_autofree char *piece = g_strnfill(65540, 'b'), *got = g_malloc0(65540);
	g_assert_cmpint(send(pair.mta, piece, 65540, 0), ==, 65540);
	g_assert_cmpint(ask(pair.ours, POLLIN, 1000), ==, POLLIN);
	g_assert_cmpint(read(pair.ours, got, 5), ==, 5);
	g_assert_cmpint(ask(pair.ours, POLLIN, 0), ==, POLLIN);
	g_assert_cmpint(read(pair.ours, got + 5, 65535), ==, 65535);
	g_assert_cmpmem(got, 65540, piece, 65540);
	g_assert_cmpint(ask(pair.ours, POLLIN, 1), ==, 0);
	send_text(pair.mta, "next");
	expect(pair.ours, "next");
	end(&pair);
}

/* Who takes nothing is waited for. */
static void test_replies(void)
{
	Pair pair = connection();
	g_autofree char *much = g_strnfill(4096, 'r');
	send_text(pair.mta, "q");
	expect(pair.ours, "q");
	g_assert_cmpint(ask(pair.ours, POLLOUT, 1000), ==, POLLOUT);
	while (send(pair.ours, much, 4096, MSG_DONTWAIT) > 0)
		continue;
	guint said = 0;
	while (said < 1000 && ask(pair.ours, POLLOUT, 1) == POLLOUT)
		said++;
	g_assert_cmpuint(said, <, 100);
	end(&pair);
}

/* As an MTA sends one, in one piece or byte for byte, and libmilter reads it: the head, then what
 * it says.  Is it given? */
static bool is_given(Pair pair, guint32 length, const char *data, gsize len, bool bytewise)
{
	char got[64];
	guint32 head = g_htonl(length);
	g_autoptr(GByteArray) packet = g_byte_array_new();
	g_byte_array_append(packet, (const guint8 *)&head, sizeof head);
	g_byte_array_append(packet, (const guint8 *)data, (guint)len);
	for (guint at = 0, n = bytewise ? 1 : packet->len; at < packet->len; at += n)
		g_assert_cmpint(send(pair.mta, packet->data + at, n, 0), ==, (int)n);
	if (read(pair.ours, got, 5) != 5)
		return false;
	for (gsize at = 1; at < len;) {
		ssize_t n = read(pair.ours, got, MIN(bytewise ? 1 : 64, len - at));
		if (n < 0)
			g_assert_cmpint(errno, ==, EBADMSG);
		if (n <= 0)
			return false;
		g_assert_cmpmem(got, n, data + at, n);
		at += (gsize)n;
	}
	return true;
}

/* What libmilter would look beyond the end of is not given to it. */
static void test_form(void)
{
#define DATA(text) text, sizeof text - 1
	static const struct {
		const char *data;
		gsize len;
		guint32 length; /* where the head tells another one */
		bool given;
	} rows[] = {
		{DATA("DMi\0004ABC\0{auth_authen}\0anna\0"), 0, true},
		{DATA("DMi\0\0"), 0, true},
		{DATA("DC"), 0, true},
		{DATA("D"), 0, true},
		{DATA("DMi\0x\0rest without an end"), 0, true}, /* libmilter leaves it out */
		{DATA("DMi\0"), 0, false},
		{DATA("DM\0"), 0, false},
		{DATA("DEi\0004ABC\0{auth_authen}\0"), 0, false},
		{DATA("DMi\0x"), 0, false},
		{DATA("Cmx.example\0004\4\1127.0.0.1\0"), 0, true},
		{DATA("Cmx.example\0U"), 0, true},
		{DATA("C"), 0, false},
		{DATA("Cmx.example"), 0, false},
		{DATA("M<a@b.example>\0"), 0, true},
		{DATA("LSubject\0x\0"), 0, true},
		{DATA("LSubject\0"), 0, true}, /* libmilter looks at the form of these */
		{DATA("Bone\0two\0three\0"), 0, true},
		{DATA("Q"), 0, true},
		{DATA("Q"), G_MAXUINT32, false},
		{DATA("Q"), 0x80000000, false},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		for (int bytewise = 0; bytewise < 2; bytewise++) {
			Pair pair = connection();
			guint32 told = rows[i].length != 0 ? rows[i].length : (guint32)rows[i].len;
			g_test_message("row %zu, %s", i, bytewise ? "byte for byte" : "at once");
			g_assert_true(is_given(pair, 12, "LSubject\0x\0\0", 12, bytewise));
			g_assert_cmpint(is_given(pair, told, rows[i].data, rows[i].len, bytewise),
				==, rows[i].given);
			/* What comes next is looked at from its own beginning. */
			g_assert_true(!rows[i].given ||
				!is_given(pair, 4, "DMi", 4, bytewise));
			end(&pair);
		}
	Pair pair = connection();
	g_assert_false(is_given(pair, 0, "Q", 1, false));
	end(&pair);
}

/* What was not accepted is read as ever. */
static void test_others(void)
{
	int fds[2], second[2];
	char byte;
	g_assert_no_errno(pipe(fds));
	g_assert_no_errno(pipe(second));
	struct pollfd both[2] = {{fds[0], POLLIN, 0}, {second[0], POLLIN, 0}};
	g_assert_cmpint(poll(both, 2, 1), ==, 0);
	g_assert_cmpint(write(second[1], "ab", 2), ==, 2);
	g_assert_cmpint(poll(both, 2, -1), ==, 1);
	g_assert_cmpint(both[1].revents, ==, POLLIN);
	expect(second[0], "a");
	g_assert_cmpint(read(second[0], &byte, 1), ==, 1);
	g_assert_cmpint(read(-1, &byte, 1), ==, -1);
	g_assert_cmpint(errno, ==, EBADF);
	g_assert_cmpint(close(-1), ==, -1);
	g_assert_cmpint(errno, ==, EBADF);
	for (int i = 0; i < 2; i++) {
		close(fds[i]);
		close(second[i]);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	dir = scratch_folder();
	g_test_add_func("/ahead/pieces", test_pieces);
	g_test_add_func("/ahead/end", test_end);
	g_test_add_func("/ahead/number", test_number);
	g_test_add_func("/ahead/long", test_long);
	g_test_add_func("/ahead/body", test_body);
	g_test_add_func("/ahead/replies", test_replies);
	g_test_add_func("/ahead/others", test_others);
	g_test_add_func("/ahead/form", test_form);
	int rc = g_test_run();
	remove_folder(dir);
	g_free(dir);
	return rc;
}
