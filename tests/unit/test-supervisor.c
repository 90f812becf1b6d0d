/* What becomes of other people's mail when a reader process dies, hangs or lacks something. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/filter.h"
#include "missent/reader.h"

#include "../test.h"
#include "workers.h"

static MsKinds *kinds;

static MsReader *start_caching(const char *program, guint workers, gint64 wait_ms, guint64 cache)
{
	MsReaderSettings settings = {.program = program,
		.kinds = kinds,
		.workers = workers,
		.jobs = 1,
		.cache_bytes = cache,
		.wait_ms = wait_ms};
	ms_limits_default(&settings.limits);
	g_autoptr(GError) error = NULL;
	MsReader *reader = ms_reader_new(&settings, NULL, &error);
	g_assert_no_error(error);
	return reader;
}

static MsReader *start_program(const char *program, guint workers, gint64 wait_ms)
{
	return start_caching(program, workers, wait_ms, 0);
}

static MsReader *start(guint workers)
{
	g_autofree char *program = built_file("tests/tools/misbehaving-reader");
	return start_program(program, workers, 60000);
}

static bool read_text(MsReader *reader, const char *text, MsReading **out, GError **error)
{
	int fd = ms_memory_file("test");
	gsize len = strlen(text);
	g_assert_cmpint(write(fd, text, len), ==, (gssize)len);
	g_assert_true(ms_memory_seal(fd));
	bool fine = ms_reader_read(reader, fd, NULL, out, NULL, error);
	close(fd);
	return fine;
}

#define VALUE "IBAN DE89 3704 0044 0532 0130 00\r\n"
#define GOOD "Subject: s\r\n\r\n" VALUE
#define SLOW "Subject: s\r\n\r\n" VALUE "MISBEHAVE wait\r\n"

static bool is_good(const MsReading *r)
{
	for (guint i = 0; i < r->unread->len; i++)
		g_test_message("unread: %s", ((MsUnread *)r->unread->pdata[i])->detail);
	return r->unread->len == 0 && r->findings->len == 1;
}

static void expect_good(MsReader *reader)
{
	MsReading *r = NULL;
	g_autoptr(GError) error = NULL;
	bool fine = read_text(reader, GOOD, &r, &error);
	g_assert_no_error(error);
	g_assert_true(fine && is_good(r));
	ms_reading_free(r);
}

typedef struct {
	MsReader *reader;
	const char *text;
	MsReading *reading;
	GError *error;
	pthread_t thread;
} Message;

static void *read_message(void *user)
{
	Message *m = user;
	read_text(m->reader, m->text, &m->reading, &m->error);
	return NULL;
}

static void begin(Message *m, MsReader *reader, const char *text)
{
	*m = (Message){.reader = reader, .text = text};
	g_assert_cmpint(pthread_create(&m->thread, NULL, read_message, m), ==, 0);
}

/* Was it read, wholly? */
static bool end_good(Message *m)
{
	pthread_join(m->thread, NULL);
	g_assert_no_error(m->error);
	bool good = is_good(m->reading);
	ms_reading_free(m->reading);
	return good;
}

/* ---- it dies, it is stopped ----------------------------------------------------------- */

/* All that its workers had is read once more. */
static void fall(int number, gint64 seconds)
{
	g_autoptr(MsReader) reader = start(4);
	Message messages[3];
	MsReaderStats stats;
	expect_good(reader);
	for (guint i = 0; i < G_N_ELEMENTS(messages); i++)
		begin(&messages[i], reader, SLOW);
	g_usleep(G_USEC_PER_SEC);
	gint64 then = g_get_monotonic_time();
	g_assert_cmpuint(signal_children(number), ==, 1);
	for (;;) {
		ms_reader_stats(reader, &stats);
		if (stats.replaced > 0)
			break;
		g_usleep(50000);
		g_assert_cmpint(g_get_monotonic_time() - then, <, seconds * G_USEC_PER_SEC);
	}
	for (guint i = 0; i < G_N_ELEMENTS(messages); i++)
		g_assert_true(end_good(&messages[i]));
	ms_reader_stats(reader, &stats);
	g_assert_cmpuint(stats.replaced, ==, 1);
	g_autofree char *news = ms_reader_news(reader);
	g_assert_nonnull(news);
	g_assert_nonnull(strstr(news, number == SIGKILL ? "died" : "did not answer"));
	g_assert_null(ms_reader_news(reader));
	expect_good(reader);
}

static void test_killed(void)
{
	fall(SIGKILL, 60);
}

/* What it had may be read to its end meanwhile: its workers were not stopped. */
static void test_stopped(void)
{
	fall(SIGSTOP, 120);
}

static volatile gint stopping;

static void *kill_all_the_time(void *user)
{
	(void)user;
	while (!g_atomic_int_get(&stopping)) {
		signal_children(SIGKILL);
		g_usleep(300000);
	}
	return NULL;
}

/* The second process dies with it as well: then it is unreadable, which policy sees, and no more is
 * tried.  (That the killing is ours and not the message's, nobody can know.) */
static void test_killed_twice(void)
{
	g_autoptr(MsReader) reader = start(2);
	pthread_t killer;
	Message message;
	expect_good(reader);
	begin(&message, reader, SLOW);
	g_usleep(500000);
	g_atomic_int_set(&stopping, 0);
	g_assert_cmpint(pthread_create(&killer, NULL, kill_all_the_time, NULL), ==, 0);
	pthread_join(message.thread, NULL);
	g_atomic_int_set(&stopping, 1);
	pthread_join(killer, NULL);
	if (message.error == NULL) {
		g_assert_cmpuint(message.reading->unread->len, ==, 1);
		const MsUnread *u = message.reading->unread->pdata[0];
		g_assert_cmpstr(ms_unread_name(u->reason), ==, ms_unread_name(MS_UNREAD_WORKER));
		g_assert_nonnull(strstr(u->detail, "a second one"));
	} else {
		/* It was killed before it could take the message. */
		g_assert_error(message.error, MS_ERROR, MS_ERROR_RETRY);
		g_clear_error(&message.error);
	}
	ms_reading_free(message.reading);
	expect_good(reader);
}

static void expect_again(MsReader *reader, guint times)
{
	MsReaderStats stats;
	ms_reader_stats(reader, &stats);
	g_assert_cmpuint(stats.read_again, ==, times);
	g_assert_cmpuint(stats.replaced, ==, 0);
	expect_good(reader);
}

static void expect_lost(const MsReading *r, const char *words)
{
	g_assert_cmpuint(r->unread->len, ==, 1);
	const MsUnread *u = r->unread->pdata[0];
	g_assert_cmpstr(ms_unread_name(u->reason), ==, ms_unread_name(MS_UNREAD_WORKER));
	g_assert_nonnull(strstr(u->detail, words));
}

/* A worker that dies by itself costs its message, once: another process would not help. */
static void test_worker_dies(void)
{
	static const char *const words[] = {
		"crash", "stack", "socket", "process", "file", "half", "code",
#ifndef MS_SANITIZERS
		"memory",
#endif
	};
	g_autoptr(MsReader) reader = start(2);
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
		g_autofree char *text =
			g_strdup_printf("Subject: s\r\n\r\nMISBEHAVE %s\r\n", words[i]);
		MsReading *r = NULL;
		g_test_message("%s", words[i]);
		g_assert_true(read_text(reader, text, &r, NULL));
		expect_lost(r, "died");
		ms_reading_free(r);
		expect_again(reader, 0);
	}
}

/* ... and one that meets its limit of computing, which kills as anybody would. */
static void test_worker_meets_limit(void)
{
	g_autoptr(MsReader) reader = start(2);
	const struct rlimit two = {2, 2};
	MsReading *r = NULL;
	expect_good(reader);
	g_auto(GStrv) pids = children_of(getpid());
	g_assert_cmpint(
		prlimit((pid_t)g_ascii_strtoll(pids[0], NULL, 10), RLIMIT_CPU, &two, NULL), ==, 0);
	for (int i = 0; i < 20; i++) /* those that were there have another one */
		expect_good(reader);
	g_assert_true(read_text(reader, "Subject: s\r\n\r\nMISBEHAVE loop\r\n", &r, NULL));
	expect_lost(r, "died");
	ms_reading_free(r);
	expect_again(reader, 0);
}

/* Somebody sends the signal, `times` at the most, to workers that compute. */
static const struct {
	const char *what;
	int number;
	guint times, again;
	bool good;
} ended[] = {
	{"killed", SIGKILL, 1, 1, true},
	{"killed-twice", SIGKILL, 2, 1, false},
	{"quit", SIGQUIT, 1, 1, true},
	{"alarm", SIGALRM, 1, 1, true},
	/* as if it had done that itself */
	{"abort", SIGABRT, 1, 0, false},
	{"fault", SIGSEGV, 1, 0, false},
	/* which nobody but its supervisor is to have */
	{"term", SIGTERM, 1, 0, true},
};

/* It was not the message's doing: another reads it, once. */
static void test_worker_ended(gconstpointer data)
{
	gsize i = GPOINTER_TO_SIZE(data);
	g_autoptr(MsReader) reader = start(2);
	Message m;
	expect_good(reader);
	begin(&m, reader, SLOW);
	for (guint n = 0; n < ended[i].times; n++) {
		g_usleep(1000000); /* until the one before is dead, and another has it */
		signal_one(ended[i].number);
	}
	pthread_join(m.thread, NULL);
	g_assert_no_error(m.error);
	if (ended[i].good)
		g_assert_true(is_good(m.reading));
	else
		expect_lost(m.reading, ended[i].again > 0 ? "ended from outside" : "died");
	ms_reading_free(m.reading);
	expect_again(reader, ended[i].again);
}

/* ... of a document that is read by a worker of its own: that one is given to another, too. */
static void test_document_ended(void)
{
	g_autofree char *program = built_file("tests/tools/misbehaving-reader");
	g_autoptr(MsReader) reader = start_caching(program, 3, 60000, 1 << 20);
	g_autofree char *words = g_strnfill(6000, 'x');
	g_autofree char *text = g_strdup_printf(
		"Subject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n"
		"--b\r\nContent-Type: application/octet-stream\r\n"
		"Content-Disposition: attachment; filename=a.bin\r\n\r\n"
		"%sMISBEHAVE document-waits\r\n%s\r\n--b--\r\n",
		VALUE, words);
	MsReaderStats stats = {0};
	MsReading *first = NULL;
	g_assert_true(read_text(reader, text, &first, NULL)); /* the second time it is to be kept */
	ms_reading_free(first);
	for (int i = 0; i < 20 && stats.cache_hits == 0; i++) {
		Message m;
		begin(&m, reader, text);
		g_usleep(1000000);
		if (i == 0)
			signal_one(SIGKILL);
		g_assert_true(end_good(&m));
		ms_reader_stats(reader, &stats);
	}
	g_assert_cmpuint(stats.cache_hits, >, 0);
	expect_again(reader, 1);
}

/* A filter goes with the reader, from process to process. */
static void test_filter(void)
{
	static const guint8 key[MS_FILTER_KEY_BYTES] = {1};
	g_autoptr(MsReader) reader = start(2);
	MsMark mark;
	memset(&mark, 0, sizeof mark);
	g_autoptr(GBytes) image = ms_filter_build(key, &mark, 1);
	g_assert_true(ms_reader_know(reader, image, 7, NULL));
	expect_good(reader);
	g_assert_cmpuint(signal_children(SIGKILL), >=, 1);
	expect_good(reader);
	g_assert_cmpuint(ms_reader_known(reader), ==, 7);
}

/* ---- it lacks something --------------------------------------------------------------- */

typedef struct {
	char *folder, *program;
} Poor;

/* In place, for it is mapped; the letters are those of tests/tools/poor-reader.c. */
static void poor_lack(const Poor *poor, const char *letters)
{
	g_autofree char *path = g_build_filename(poor->folder, "lacking", NULL);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	g_assert_cmpint(pwrite(fd, letters, 3, 0), ==, 3);
	close(fd);
}

static Poor poor_new(void)
{
	g_autofree char *built = built_file("tests/tools/poor-reader");
	Poor poor = {.folder = scratch_folder()};
	poor.program = g_build_filename(poor.folder, "poor-reader", NULL);
	g_assert_cmpint(symlink(built, poor.program), ==, 0);
	poor_lack(&poor, "...");
	return poor;
}

static void poor_free(Poor *poor)
{
	remove_folder(poor->folder);
	g_free(poor->folder);
	g_free(poor->program);
}

static const struct {
	const char *what, *letters, *words;
} lacking[] = {
	{"no-process", "p..", "fork: Resource temporarily unavailable"},
	{"no-descriptor", "d..", "socketpair: Too many open files"},
};

/* Each message is told so and tried again; nobody is advised to do without confinement; and the
 * reader goes on as soon as there is what was lacking. */
static void test_lacks(gconstpointer data)
{
	gsize i = GPOINTER_TO_SIZE(data);
	Poor poor = poor_new();
	MsReader *reader = start_program(poor.program, 2, 6000);
	g_autoptr(GError) error = NULL;
	MsReaderStats stats;
	expect_good(reader);
	poor_lack(&poor, lacking[i].letters);
	for (int n = 0; n < 20 && error == NULL; n++) { /* some workers are there still */
		MsReading *r = NULL;
		if (read_text(reader, GOOD, &r, &error))
			g_assert_true(is_good(r));
		ms_reading_free(r);
	}
	g_assert_error(error, MS_ERROR, MS_ERROR_RETRY);
	g_test_message("%s", error->message);
	g_assert_nonnull(strstr(error->message, lacking[i].words));
	g_assert_null(strstr(error->message, "sandbox"));
	poor_lack(&poor, "...");
	expect_good(reader);
	expect_good(reader);
	ms_reader_stats(reader, &stats);
	g_assert_cmpuint(stats.replaced, ==, 0);
	ms_reader_free(reader);
	poor_free(&poor);
}

/* Once it is warm, a message is read at once by a worker that has what is known: even when no other
 * can be made. */
static void test_warm(void)
{
	static const guint8 key[MS_FILTER_KEY_BYTES] = {1};
	MsMark mark;
	memset(&mark, 0, sizeof mark);
	g_autoptr(GBytes) image = ms_filter_build(key, &mark, 1);
	Poor poor = poor_new();
	MsReader *reader = start_program(poor.program, 2, 6000);
	g_assert_true(ms_reader_know(reader, image, 7, NULL));
	g_assert_true(ms_reader_warm(reader, 60000));
	poor_lack(&poor, "p..");
	expect_good(reader);
	g_assert_true(ms_reader_know(reader, image, 8, NULL));
	g_assert_false(ms_reader_warm(reader, 300));
	poor_lack(&poor, "...");
	g_assert_true(ms_reader_warm(reader, 60000));
	expect_good(reader);
	ms_reader_free(reader);
	poor_free(&poor);
}

static void test_lacks_at_start(void)
{
	Poor poor = poor_new();
	poor_lack(&poor, "p..");
	MsReaderSettings settings = {
		.program = poor.program, .kinds = kinds, .workers = 1, .jobs = 1, .wait_ms = 1000};
	ms_limits_default(&settings.limits);
	g_autoptr(GError) error = NULL;
	g_assert_null(ms_reader_new(&settings, NULL, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_RETRY); /* not CONFIG: it is to be tried again */
	g_assert_nonnull(strstr(error->message, "fork: Resource temporarily unavailable"));
	g_assert_null(strstr(error->message, "sandbox"));
	poor_free(&poor);
}

/* One that does nothing any more is noticed like one that is stopped. */
static void test_hangs(void)
{
	Poor poor = poor_new();
	MsReader *reader = start_program(poor.program, 2, 60000);
	MsReaderStats stats = {0};
	expect_good(reader);
	g_usleep(500000); /* until workers are ready */
	poor_lack(&poor, "l..");
	expect_good(reader); /* it makes another worker, and hangs */
	gint64 end = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
	while (stats.replaced == 0) {
		g_usleep(100000);
		ms_reader_stats(reader, &stats);
		g_assert_cmpint(g_get_monotonic_time(), <, end);
	}
	poor_lack(&poor, "...");
	expect_good(reader);
	ms_reader_free(reader);
	poor_free(&poor);
}

/* missentd itself has no descriptor left: that is not the supervisor's death. */
static void test_no_descriptors(void)
{
	g_autofree char *program = built_file("tests/tools/misbehaving-reader");
	g_autoptr(MsReader) reader = start_program(program, 2, 500);
	g_autoptr(GError) error = NULL;
	MsReading *r = NULL;
	MsReaderStats stats;
	struct rlimit before, low;
	int kept[256], n = 0;
	expect_good(reader);
	int fd = ms_memory_file("test");
	g_assert_cmpint(write(fd, GOOD, strlen(GOOD)), ==, (gssize)strlen(GOOD));
	ms_memory_seal(fd);
	getrlimit(RLIMIT_NOFILE, &before);
	low = before;
	low.rlim_cur = 128;
	setrlimit(RLIMIT_NOFILE, &low);
	while (n < 256 && (kept[n] = dup(fd)) >= 0)
		n++;
	g_assert_false(ms_reader_read(reader, fd, NULL, &r, NULL, &error));
	close(kept[--n]); /* one is not enough for a worker, which comes with two */
	g_autoptr(GError) second = NULL;
	g_assert_false(ms_reader_read(reader, fd, NULL, &r, NULL, &second));
	while (n > 0)
		close(kept[--n]);
	setrlimit(RLIMIT_NOFILE, &before);
	close(fd);
	g_assert_error(error, MS_ERROR, MS_ERROR_RETRY);
	g_assert_nonnull(strstr(error->message, "descriptor"));
	g_assert_nonnull(strstr(second->message, "descriptor"));
	expect_good(reader);
	ms_reader_stats(reader, &stats);
	g_assert_cmpuint(stats.replaced, ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* A shell has jobs behind & ignore it, and the workers would. */
	signal(SIGQUIT, SIG_DFL);
	g_autofree char *text = read_source("policies/kinds.conf");
	kinds = ms_kinds_parse("kinds.conf", text, NULL);
	g_assert_nonnull(kinds);
	g_test_add_func("/supervisor/killed", test_killed);
	g_test_add_func("/supervisor/stopped", test_stopped);
	g_test_add_func("/supervisor/killed-twice", test_killed_twice);
	g_test_add_func("/supervisor/hangs", test_hangs);
	g_test_add_func("/supervisor/worker-dies", test_worker_dies);
	g_test_add_func("/supervisor/worker-meets-limit", test_worker_meets_limit);
	for (gsize i = 0; i < G_N_ELEMENTS(ended); i++) {
		g_autofree char *path = g_strdup_printf("/supervisor/ended/%s", ended[i].what);
		g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_worker_ended);
	}
	g_test_add_func("/supervisor/document-ended", test_document_ended);
	g_test_add_func("/supervisor/filter", test_filter);
	for (gsize i = 0; i < G_N_ELEMENTS(lacking); i++) {
		g_autofree char *path = g_strdup_printf("/supervisor/%s", lacking[i].what);
		g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_lacks);
	}
	g_test_add_func("/supervisor/lacks-at-start", test_lacks_at_start);
	g_test_add_func("/supervisor/warm", test_warm);
	g_test_add_func("/supervisor/no-descriptors", test_no_descriptors);
	int rc = g_test_run();
	ms_kinds_unref(kinds);
	return rc;
}
