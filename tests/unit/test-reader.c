/*
 * The readers as processes: what one message can cost another, confinement, supervisors that
 * die, descriptors that leak.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/reader.h"

#include "../../milter/client/cache.h"
#include "../test.h"

static MsKinds *kinds;

static MsReader *start_caching(guint workers, guint jobs, gint64 deadline_ms, guint64 cache)
{
	g_autofree char *program = built_file("tests/tools/misbehaving-reader");
	MsReaderSettings settings = {
		.program = program,
		.kinds = kinds,
		.workers = workers,
		.jobs = jobs,
		.wait_ms = 60000,
		.cache_bytes = cache,
	};
	ms_limits_default(&settings.limits);
	settings.limits.milliseconds = deadline_ms;
	g_autofree char *warning = NULL;
	g_autoptr(GError) error = NULL;
	MsReader *reader = ms_reader_new(&settings, &warning, &error);
	g_assert_no_error(error);
	g_assert_null(warning);
	return reader;
}

static MsReader *start(guint workers, guint jobs, gint64 deadline_ms)
{
	return start_caching(workers, jobs, deadline_ms, 0);
}

static int message_file(const char *text)
{
	int fd = ms_memory_file("test");
	gsize len = strlen(text);
	g_assert_cmpint(write(fd, text, len), ==, (gssize)len);
	g_assert_true(ms_memory_seal(fd));
	return fd;
}

static MsReading *read_text(MsReader *reader, const char *text)
{
	int fd = message_file(text);
	MsReading *reading = NULL;
	g_autoptr(GError) error = NULL;
	g_assert_true(ms_reader_read(reader, fd, NULL, &reading, NULL, &error));
	g_assert_no_error(error);
	close(fd);
	return reading;
}

#define GOOD "Subject: s\r\n\r\nIBAN DE89 3704 0044 0532 0130 00\r\n"

static void expect_good(MsReader *reader)
{
	g_autoptr(MsReading) r = read_text(reader, GOOD);
	g_assert_cmpuint(r->unread->len, ==, 0);
	g_assert_cmpuint(r->findings->len, ==, 1);
	g_assert_cmpstr(((MsFinding *)r->findings->pdata[0])->value, ==, "DE89370400440532013000");
}

static void test_good(void)
{
	g_autoptr(MsReader) reader = start(2, 1, 20000);
	for (int i = 0; i < 20; i++)
		expect_good(reader);
	MsReaderStats stats;
	ms_reader_stats(reader, &stats);
	g_assert_cmpuint(stats.messages, ==, 20);
	g_assert_cmpuint(stats.workers_lost, ==, 0);
}

/* Each costs its own message alone: that one is unreadable, the next one is read. */
static const struct {
	const char *word;
	MsUnreadReason reason;
} acts[] = {
	{"crash", MS_UNREAD_WORKER},
	{"stack", MS_UNREAD_WORKER},
	{"memory", MS_UNREAD_WORKER},
	{"socket", MS_UNREAD_WORKER},
	{"file", MS_UNREAD_WORKER},
	{"create", MS_UNREAD_WORKER},
	{"program", MS_UNREAD_WORKER},
	{"process", MS_UNREAD_WORKER},
	{"code", MS_UNREAD_WORKER},
	{"protect", MS_UNREAD_WORKER},
	{"signal", MS_UNREAD_WORKER},
	{"lie", MS_UNREAD_WORKER},
	{"boast", MS_UNREAD_WORKER},
	{"half", MS_UNREAD_WORKER},
	{"loop", MS_UNREAD_TIME},
};

static void misbehave(gconstpointer data)
{
	const char *word = acts[GPOINTER_TO_SIZE(data)].word;
#ifdef MS_SANITIZERS
	/* Address space cannot be limited under AddressSanitizer, and its stack is checked. */
	if (strcmp(word, "memory") == 0) {
		g_test_skip("no limit of memory under AddressSanitizer");
		return;
	}
#endif
	g_autoptr(MsReader) reader = start(2, 1, strcmp(word, "loop") == 0 ? 1000 : 10000);
	g_autofree char *text = g_strdup_printf("Subject: s\r\n\r\nMISBEHAVE %s\r\n", word);
	gint64 begin = g_get_monotonic_time();
	g_autoptr(MsReading) r = read_text(reader, text);
	gint64 took = g_get_monotonic_time() - begin;
	g_assert_cmpuint(r->unread->len, ==, 1);
	const MsUnread *u = r->unread->pdata[0];
	g_assert_cmpstr(ms_unread_name(u->reason), ==,
		ms_unread_name(acts[GPOINTER_TO_SIZE(data)].reason));
	g_assert_cmpint(took, <, 60 * G_USEC_PER_SEC);
	expect_good(reader);
	expect_good(reader);
	expect_good(reader);
	g_assert_false(g_file_test("/tmp/missent-was-here", G_FILE_TEST_EXISTS));
}

/* The supervisor is killed: the next message gets a new one. */
static void test_supervisor_dies(void)
{
	g_autoptr(MsReader) reader = start(3, 1, 20000);
	expect_good(reader);
	g_autofree char *children = NULL;
	g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/children", getpid(), getpid());
	g_assert_true(g_file_get_contents(path, &children, NULL, NULL));
	kill((pid_t)g_ascii_strtoll(children, NULL, 10), SIGKILL);
	g_usleep(200 * 1000);
	expect_good(reader);
	expect_good(reader);
}

/* What all workers have is put on their supervisor, once. */
static void test_supervisor_is_confined(void)
{
#ifdef MS_SANITIZERS
	g_test_skip("nothing is shared where sanitizers have calls of their own to make");
#else
	g_autoptr(MsReader) reader = start(1, 1, 20000);
	expect_good(reader);
	g_autofree char *children = NULL, *status = NULL;
	g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/children", getpid(), getpid());
	g_assert_true(g_file_get_contents(path, &children, NULL, NULL));
	g_autofree char *of = g_strdup_printf("/proc/%d/status", atoi(children));
	g_assert_true(g_file_get_contents(of, &status, NULL, NULL));
	g_assert_nonnull(strstr(status, "\nSeccomp:\t2\n"));
#endif
}

static void test_jobs(void)
{
	g_autoptr(MsReader) reader = start(1, 5, 20000);
	for (int i = 0; i < 12; i++)
		expect_good(reader);
	g_autoptr(MsReading) r = read_text(reader, "Subject: s\r\n\r\nMISBEHAVE crash\r\n");
	g_assert_cmpuint(r->unread->len, ==, 1);
	expect_good(reader);
}

static void *many(void *user)
{
	for (int i = 0; i < 25; i++)
		expect_good(user);
	return NULL;
}

static void test_threads(void)
{
	for (guint jobs = 1; jobs <= 4; jobs += 3) {
		g_autoptr(MsReader) reader = start(3, jobs, 20000);
		pthread_t threads[8];
		for (int i = 0; i < 8; i++)
			g_assert_cmpint(pthread_create(&threads[i], NULL, many, reader), ==, 0);
		for (int i = 0; i < 8; i++)
			pthread_join(threads[i], NULL);
	}
}

/* Messages on which GMime crashes, recurses or takes quadratic time.  Whatever happens to the
 * worker, there is a reading in time, it says that not all was read, and the next one is fine. */
static char *repeat(const char *head, const char *unit, gsize n, const char *tail)
{
	GString *out = g_string_new(head);
	for (gsize i = 0; i < n; i++)
		g_string_append(out, unit);
	g_string_append(out, tail);
	return g_string_free(out, FALSE);
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n"

static void test_bombs(void)
{
	struct {
		const char *name;
		char *text;
		bool unread;
	} bombs[] = {
		{"address groups", repeat("Cc: ", "g:", 100000, "\r\n\r\nx\r\n"), false},
		{"address groups, nested",
			repeat(MIXED "--b\r\nContent-Type: message/rfc822\r\n\r\nCc: ", "g:",
				100000, "\r\n\r\nx\r\n--b--\r\n"),
			true},
		{"parameters", repeat("Content-Type: text/plain", "; a=b", 50000, "\r\n\r\nx\r\n"),
			false},
		{"parameters over the limit",
			repeat("Content-Type: text/plain", "; a=b", 200000, "\r\n\r\nx\r\n"), true},
		{"headers", repeat("", "X: y\r\n", 1000000, "\r\nx\r\n"), true},
		{"parts", repeat(MIXED, "--b\r\n\r\nx\r\n", 200000, "--b--\r\n"), true},
		{"nested messages",
			repeat("", "Content-Type: message/rfc822\r\n\r\n", 100000, "x\r\n"), true},
		{"nested multiparts", repeat("", MIXED "--b\r\n", 20000, "\r\nx\r\n"), true},
		{"addresses",
			repeat("To: ", "a@b.example,\r\n ", 10000, "c@d.example\r\n\r\nx\r\n"),
			false},
		{"encoded words", repeat("Subject: ", "=?utf-8?q?a?= ", 15000, "\r\n\r\nx\r\n"),
			false},
		{"folds", repeat("Subject: a", "\r\n b", 40000, "\r\n\r\nx\r\n"), false},
		{"open tags", repeat("Content-Type: text/html\r\n\r\n", "<div>", 1000000, "x\r\n"),
			false},
		{"labels", repeat("\r\n", "invoice number: ", 200000, "\r\n"), false},
	};
	g_autoptr(MsReader) reader = start(2, 1, 10000);
	for (gsize i = 0; i < G_N_ELEMENTS(bombs); i++) {
		gint64 begin = g_get_monotonic_time();
		g_autoptr(MsReading) r = read_text(reader, bombs[i].text);
		gint64 took = (g_get_monotonic_time() - begin) / 1000;
		g_test_message("%s: %u unread, %" G_GINT64_FORMAT " ms", bombs[i].name,
			r->unread->len, took);
		g_assert_cmpint(took, <, 60000); /* its deadline is 10 s */
		if (bombs[i].unread)
			g_assert_cmpuint(r->unread->len, >, 0);
		g_free(bombs[i].text);
		expect_good(reader);
	}
}

/* What the daemon takes for sealed cannot be changed under the worker. */
static void test_sealed(void)
{
	int fd = message_file("abc");
	g_assert_cmpint(write(fd, "d", 1), ==, -1);
	g_assert_cmpint(ftruncate(fd, 1), ==, -1);
	close(fd);
}

static void test_no_program(void)
{
	MsReaderSettings settings = {.program = "/nonexistent/reader", .kinds = kinds, .workers = 1,
		.jobs = 1, .wait_ms = 1000};
	ms_limits_default(&settings.limits);
	g_autoptr(GError) error = NULL;
	g_assert_null(ms_reader_new(&settings, NULL, &error));
	g_assert_nonnull(strstr(error->message, "reader { program }: "));
	g_assert_nonnull(strstr(error->message, "/nonexistent/reader"));
	g_assert_nonnull(error);
	g_clear_error(&error);
	settings.program = "/bin/true";
	g_assert_null(ms_reader_new(&settings, NULL, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_RETRY);
}

static guint descriptors(void)
{
	g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
	guint n = 0;
	while (g_dir_read_name(dir) != NULL)
		n++;
	return n;
}

static void test_no_leak(void)
{
	MsReader *reader = start(2, 1, 20000);
	expect_good(reader);
	guint before = descriptors();
	for (int i = 0; i < 50; i++)
		expect_good(reader);
	g_assert_cmpuint(descriptors(), ==, before);
	ms_reader_free(reader);
	g_assert_cmpuint(descriptors(), <, before);
}

/* Characters that a PDF names by number only: Poppler looks them up in its tables, the one
 * place in the file system that a worker can see. */
static void test_cjk(void)
{
	if (!g_file_test("/usr/share/poppler/cMap/Adobe-GB1/UniGB-UCS2-H", G_FILE_TEST_EXISTS)) {
		g_test_skip("poppler-data is not installed");
		return;
	}
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 0) {
		g_test_skip("no Landlock here: a worker that opens a table is killed");
		return;
	}
	static const char iban[] = "DE89370400440532013000";
	g_autoptr(GString) hex = g_string_new("4E2D6587"); /* "Chinese", in Chinese */
	for (const char *p = iban; *p != '\0'; p++)
		g_string_append_printf(hex, "%04X", (guint)*p);
	g_autofree char *stream = g_strdup_printf("BT /F 12 Tf 40 700 Td <%s> Tj ET", hex->str);
	g_autofree char *text = g_strdup_printf(
		"Subject: s\r\nContent-Type: application/pdf\r\n\r\n%%PDF-1.4\n"
		"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
		"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
		"/Resources<</Font<</F 5 0 R>>>>>>endobj\n4 0 obj<</Length %zu>>stream\n%s\nendstream endobj\n"
		"5 0 obj<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H/DescendantFonts[6 0 R]>>endobj\n"
		"6 0 obj<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/CIDSystemInfo"
		"<</Registry(Adobe)/Ordering(GB1)/Supplement 2>>/FontDescriptor 7 0 R>>endobj\n"
		"7 0 obj<</Type/FontDescriptor/FontName/STSong-Light/Flags 6>>endobj\n"
		"trailer<</Root 1 0 R>>\n",
		strlen(stream), stream);
	g_autoptr(MsReader) reader = start(1, 1, 20000);
	g_autoptr(MsReading) r = read_text(reader, text);
	g_assert_cmpuint(r->unread->len, ==, 0);
	g_assert_cmpuint(r->findings->len, ==, 1);
	const MsFinding *f = r->findings->pdata[0];
	g_assert_cmpstr(f->value, ==, iban);
	g_assert_nonnull(strstr(((MsPlace *)f->places->pdata[0])->before, "\xe6\x96\x87"));
}

/* ---- attachments that come again ------------------------------------------------------ */

/* An attachment of some size: `text`, then words. */
static char *attachment(const char *name, const char *text)
{
	g_autofree char *words = g_strnfill(6000, 'x');
	return g_strdup_printf("--b\r\nContent-Type: application/octet-stream\r\n"
			       "Content-Disposition: attachment; filename=%s\r\n\r\n%s\r\n%s\r\n",
		name, text, words);
}

static MsReading *read_attachments(MsReader *reader, const char *first, const char *second)
{
	g_autofree char *text = g_strdup_printf(
		"Subject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
		"--b\r\n\r\nhello\r\n%s%s--b--\r\n",
		first, second);
	return read_text(reader, text);
}

static bool has_value(const MsReading *r, const char *value)
{
	for (guint i = 0; i < r->findings->len; i++)
		if (strcmp(((MsFinding *)r->findings->pdata[i])->value, value) == 0)
			return true;
	return false;
}

#define TERMS "IBAN DE89 3704 0044 0532 0130 00"

static void test_cache(void)
{
	g_autoptr(MsReader) reader = start_caching(3, 1, 20000, 1 << 20);
	MsReaderStats stats = {0};
	guint64 asked = 0;
	/* The second time it is read for keeping, or later where no worker is at leisure at
	 * once. */
	for (int i = 0; i < 200 && stats.cache_hits < 3; i++) {
		/* The name is the message's; the bytes are the same. */
		g_autofree char *name = g_strdup_printf("terms-%d.bin", i);
		g_autofree char *part = attachment(name, TERMS);
		g_autoptr(MsReading) r = read_attachments(reader, part, "");
		g_assert_true(has_value(r, "DE89370400440532013000"));
		g_assert_cmpuint(r->unread->len, ==, 0);
		const MsFinding *f = r->findings->pdata[0];
		g_autofree char *where = g_strdup_printf("part 2 %s", name);
		g_assert_cmpstr(((MsPlace *)f->places->pdata[0])->where, ==, where);
		g_assert_cmpuint(f->faces, ==, 2);
		g_assert_cmpstr(r->faces->pdata[1], ==, where);
		g_assert_cmpstr(((MsPart *)r->parts->pdata[1])->actual, ==, "text/plain");
		g_assert_cmpstr(((MsPart *)r->parts->pdata[1])->name, ==, name);
		ms_reader_stats(reader, &stats);
		g_assert_cmpuint(stats.cache_asked, ==, ++asked);
		g_assert_true(stats.cache_hits == 0 || asked >= 3);
	}
	g_assert_cmpuint(stats.cache_hits, ==, 3);
}

/* A document that has taken its worker over says what it likes of itself; of what else is in
 * the message, nothing that it says is ever kept. */
static void test_planted(void)
{
	g_autoptr(MsReader) reader = start_caching(3, 1, 20000, 1 << 20);
	g_autofree char *evil = attachment("evil.bin", "MISBEHAVE plant\r\nof its own");
	g_autofree char *terms = attachment("terms.bin", TERMS);
	MsReaderStats stats = {0};
	for (int i = 0; i < 200 && (i < 4 || stats.cache_hits == 0); i++) {
		g_autoptr(MsReading) both = read_attachments(reader, evil, terms);
		g_assert_true(has_value(both, "PLANTED"));
		ms_reader_stats(reader, &stats);
	}
	g_autoptr(MsReading) alone = read_attachments(reader, terms, "");
	g_assert_false(has_value(alone, "PLANTED"));
	g_assert_true(has_value(alone, "DE89370400440532013000"));
	g_assert_cmpuint(stats.cache_hits, >, 0);
}

/* Workers that serve several messages may have met such a document before: none of them reads
 * for keeping. */
static void test_cache_fresh(void)
{
	g_autoptr(MsReader) reader = start_caching(2, 1000, 20000, 1 << 20);
	g_autofree char *terms = attachment("terms.bin", TERMS);
	MsReaderStats stats = {0};
	for (int i = 0; i < 200 && stats.cache_hits < 3; i++) {
		/* Whoever has read this puts something into all that it reads later. */
		ms_reading_free(read_text(reader, "Subject: s\r\n\r\nMISBEHAVE remember\r\n"));
		g_autoptr(MsReading) r = read_attachments(reader, terms, "");
		g_assert_true(has_value(r, "DE89370400440532013000"));
		g_assert_true(has_value(r, "REMEMBERED BY MESSAGE"));
		g_assert_false(has_value(r, "REMEMBERED BY DOCUMENT"));
		ms_reader_stats(reader, &stats);
	}
	g_assert_cmpuint(stats.cache_hits, ==, 3);
}

static void test_cache_incomplete(void)
{
	g_autoptr(MsReader) reader = start_caching(3, 1, 20000, 1 << 20);
	g_autofree char *broken = attachment("a.pdf", "%PDF-1.4 of nothing");
	for (int i = 0; i < 4; i++) {
		g_autoptr(MsReading) r = read_attachments(reader, broken, "");
		g_assert_cmpuint(r->unread->len, ==, 1);
		g_assert_cmpstr(((MsUnread *)r->unread->pdata[0])->where, ==, "part 2 a.pdf");
	}
	MsReaderStats stats;
	ms_reader_stats(reader, &stats);
	g_assert_cmpuint(stats.cache_bytes, ==, 0);
}

/* A picture that nobody recognises is read sooner than looked up, whatever it is called. */
static void test_cache_pictures(void)
{
	static const struct {
		const char *begin;
		guint asked;
	} rows[] = {{"\x89PNG\r\n\x1a\n", 0}, {"\xff\xd8\xff\xe0", 0}, {"%PDF-1.4\n", 1}};
	g_autoptr(MsReader) reader = start_caching(2, 1, 20000, 1 << 20);
	guint64 asked = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		guint8 data[6000] = {0};
		memcpy(data, rows[i].begin, strlen(rows[i].begin));
		g_autofree char *text = g_base64_encode(data, sizeof data);
		g_autofree char *part = g_strdup_printf(
			"--b\r\nContent-Type: application/pdf; name=a.pdf\r\n"
			"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment\r\n\r\n%s\r\n",
			text);
		ms_reading_free(read_attachments(reader, part, ""));
		MsReaderStats stats;
		ms_reader_stats(reader, &stats);
		asked += rows[i].asked;
		g_assert_cmpuint(stats.cache_asked, ==, asked);
	}
}

/* Questions that make no sense end the worker, not the daemon. */
static void test_bad_questions(void)
{
	static const char *const words[] = {
		"ask-beyond", "ask-backwards", "ask-huge", "ask-endless", "ask-deaf"};
	g_autoptr(MsReader) reader = start_caching(2, 1, 3000, 1 << 20);
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
		g_autofree char *text = g_strdup_printf(
			"Subject: s\r\n\r\nMISBEHAVE %s\r\n", words[i]);
		g_autoptr(MsReading) r = read_text(reader, text);
		g_test_message("%s", words[i]);
		g_assert_cmpuint(r->unread->len, ==, 1);
		MsUnreadReason reason = ((MsUnread *)r->unread->pdata[0])->reason;
		g_assert_true(reason == MS_UNREAD_WORKER || reason == MS_UNREAD_TIME);
		expect_good(reader);
	}
}

/* The daemon looks at what it is asked for: at a message twice, and no more however often it is
 * asked.  Then it says no, and the message is read. */
static void test_asked_much(void)
{
	g_autoptr(MsReader) reader = start_caching(2, 1, 20000, 1 << 20);
	g_autofree char *words = g_strnfill(940, 'x');
	g_autofree char *text = g_strdup_printf(
		"Subject: s\r\n\r\nMISBEHAVE ask-much\r\n" TERMS "\r\n%s\r\n", words);
	g_autoptr(MsReading) r = read_text(reader, text);
	MsReaderStats stats;
	ms_reader_stats(reader, &stats);
	g_assert_true(has_value(r, "DE89370400440532013000"));
	g_assert_cmpuint(r->unread->len, ==, 0);
	g_assert_cmpuint(stats.cache_asked, ==, strlen(text) * 2 / 200);
}

/* A document's own worker has nothing to ask: one that was taken over would otherwise have
 * itself read again and again, by every worker there is. */
static void test_document_asks(void)
{
	g_autoptr(MsReader) reader = start_caching(4, 1, 20000, 1 << 20);
	g_autofree char *evil = attachment("evil.bin", "MISBEHAVE document-asks\r\nx");
	MsReaderStats stats;
	for (int i = 0; i < 2; i++)
		ms_reading_free(read_attachments(reader, evil, ""));
	ms_reader_stats(reader, &stats);
	g_assert_cmpuint(stats.cache_asked, ==, 2);
	g_assert_cmpuint(stats.workers_lost, ==, 1);
	g_assert_cmpuint(stats.cache_bytes, ==, 0);
}

static void test_cache_keys(void)
{
	MsCache *cache = ms_cache_new(1 << 20);
	MsCacheKey k1, k2, k3, k4;
	ms_cache_key(cache, "bytes", 5, "as", 1, &k1);
	ms_cache_key(cache, "bytes", 5, "as", 1, &k2);
	ms_cache_key(cache, "bytes", 5, "sa", 1, &k3);
	ms_cache_key(cache, "bytez", 5, "as", 1, &k4);
	g_assert_cmpmem(&k1, sizeof k1, &k2, sizeof k2);
	g_assert_cmpint(memcmp(&k1, &k3, sizeof k1), !=, 0);
	g_assert_cmpint(memcmp(&k1, &k4, sizeof k1), !=, 0);
	/* where one ends and the other begins counts */
	ms_cache_key(cache, "s", 1, "bytea", 1, &k2);
	ms_cache_key(cache, "as", 2, "byte", 1, &k3);
	g_assert_cmpint(memcmp(&k2, &k3, sizeof k2), !=, 0);
	/* what was read in vain is not read for keeping again, what is like it is */
	bool again;
	for (guint64 message = 1; message < 6; message++) {
		g_assert_null(ms_cache_find(cache, &k1, message, &again));
		g_assert_true(again == (message == 2));
		if (again)
			ms_cache_give_up(cache, &k1);
		g_assert_null(ms_cache_find(cache, &k4, message, &again));
		g_assert_true(again == (message > 1));
	}
	ms_cache_free(cache);
}

/* The same attachment under other settings: another reader, another cache. */
static void test_cache_settings(void)
{
	g_autofree char *terms = attachment("terms.bin", TERMS);
	g_autoptr(MsReader) first = start_caching(3, 1, 20000, 1 << 20);
	for (int i = 0; i < 4; i++)
		ms_reading_free(read_attachments(first, terms, ""));
	MsKinds *all = kinds;
	kinds = ms_kinds_parse("k", "kind \"x\" {\n pattern = {'DE[0-9]{2} 3704'}\n}\n", NULL);
	g_autoptr(MsReader) second = start_caching(3, 1, 20000, 1 << 20);
	g_autoptr(MsReading) r = read_attachments(second, terms, "");
	ms_kinds_unref(kinds);
	kinds = all;
	g_assert_true(has_value(r, "DE893704"));
	g_assert_false(has_value(r, "DE89370400440532013000"));
}

static void test_cache_bounds(void)
{
	MsCache *cache = ms_cache_new(100000);
	g_autofree char *big = g_strnfill(20000, 'x');
	g_autoptr(GBytes) too_big = g_bytes_new(big, 20000), small = g_bytes_new(big, 1000);
	MsCacheKey first, key;
	bool again;
	ms_cache_key(cache, "first", 5, "", 1, &first);
	for (guint message = 1; message <= 3; message++)
		for (int i = 0; i < 2; i++) {
			g_assert_null(ms_cache_find(cache, &first, message, &again));
			/* Two readers may ask for one message. */
			g_assert_cmpint(again, ==, message > 1 && i == 0);
		}
	ms_cache_keep(cache, &first, too_big);
	g_assert_cmpuint(ms_cache_bytes(cache), ==, 0);
	ms_cache_keep(cache, &first, small);
	ms_cache_keep(cache, &first, small);
	for (int i = 0; i < 1000; i++) {
		ms_cache_key(cache, &i, sizeof i, "", 1, &key);
		ms_cache_keep(cache, &key, small);
		g_assert_cmpuint(ms_cache_bytes(cache), <=, 100000);
		if (i < 500) { /* what is used stays */
			GBytes *found = ms_cache_find(cache, &first, 9, &again);
			g_assert_nonnull(found);
			g_bytes_unref(found);
		}
	}
	g_assert_cmpuint(ms_cache_bytes(cache), >, 50000);
	g_assert_null(ms_cache_find(cache, &first, 9, &again));
	ms_cache_free(cache);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_autofree char *text = read_source("policies/kinds.conf");
	kinds = ms_kinds_parse("kinds.conf", text, NULL);
	g_assert_nonnull(kinds);
	g_test_add_func("/reader/good", test_good);
	for (gsize i = 0; i < G_N_ELEMENTS(acts); i++) {
		g_autofree char *path = g_strdup_printf("/reader/misbehave/%s", acts[i].word);
		g_test_add_data_func(path, GSIZE_TO_POINTER(i), misbehave);
	}
	g_test_add_func("/reader/supervisor-dies", test_supervisor_dies);
	g_test_add_func("/reader/supervisor-is-confined", test_supervisor_is_confined);
	g_test_add_func("/reader/jobs", test_jobs);
	g_test_add_func("/reader/threads", test_threads);
	g_test_add_func("/reader/bombs", test_bombs);
	g_test_add_func("/reader/sealed", test_sealed);
	g_test_add_func("/reader/no-program", test_no_program);
	g_test_add_func("/reader/no-leak", test_no_leak);
	g_test_add_func("/reader/cjk", test_cjk);
	g_test_add_func("/reader/cache", test_cache);
	g_test_add_func("/reader/cache/planted", test_planted);
	g_test_add_func("/reader/cache/fresh", test_cache_fresh);
	g_test_add_func("/reader/cache/incomplete", test_cache_incomplete);
	g_test_add_func("/reader/cache/pictures", test_cache_pictures);
	g_test_add_func("/reader/cache/document-asks", test_document_asks);
	g_test_add_func("/reader/cache/keys", test_cache_keys);
	g_test_add_func("/reader/cache/settings", test_cache_settings);
	g_test_add_func("/reader/cache/bounds", test_cache_bounds);
	g_test_add_func("/reader/bad-questions", test_bad_questions);
	g_test_add_func("/reader/asked-much", test_asked_much);
	int rc = g_test_run();
	ms_kinds_unref(kinds);
	return rc;
}
