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
	int rc = g_test_run();
	remove_folder(dir);
	g_free(dir);
	return rc;
}
