/* A worker that a message has taken over reads the next one as if it were new, or reads none. */
#include "config.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "missent/reader.h"

#include "../test.h"
#include "workers.h"

static MsKinds *kinds;

static MsReader *start(const char *name, guint workers, bool restore)
{
	g_autofree char *program = built_file(name);
	MsReaderSettings settings = {.program = program,
		.kinds = kinds,
		.workers = workers,
		.jobs = 1,
		.restore = restore,
		.wait_ms = 60000};
	ms_limits_default(&settings.limits);
	settings.limits.milliseconds = 3000;
	g_autoptr(GError) error = NULL;
	MsReader *reader = ms_reader_new(&settings, NULL, &error);
	g_assert_no_error(error);
	return reader;
}

#define VALUE "IBAN DE89 3704 0044 0532 0130 00\r\n"

typedef struct {
	bool good;
	char process[32], digest[32];
} Read;

static void take(const MsReading *r, const char *what, char *out)
{
	*out = '\0';
	for (guint i = 0; i < r->findings->len; i++) {
		const MsFinding *f = r->findings->pdata[i];
		if (g_str_has_prefix(f->value, what))
			g_strlcpy(out, f->value, 32);
	}
}

static Read read_one(MsReader *reader, const char *word)
{
	Read out = {0};
	g_autofree char *text = g_strdup_printf("Subject: s\r\n\r\n" VALUE "TAKE %s\r\n", word);
	int fd = ms_memory_of("test", text, strlen(text));
	MsReading *r = NULL;
	g_autoptr(GError) error = NULL;
	const MsErrand errand = {.shape = MS_SHAPE_TEXT}; /* known to cost little */
	bool had = ms_reader_read(reader, fd, &errand, &r, NULL, &error);
	g_assert_no_error(error);
	close(fd);
	g_assert_true(had);
	out.good = r->unread->len == 0 && r->findings->len == 3;
	take(r, "PROCESS", out.process);
	take(r, "DIGEST", out.digest);
	ms_reading_free(r);
	return out;
}

#define MESSAGES 12 /* in which each worker has some */

/* What becomes of the worker: it is put back, and reads more; or it is gone.  One whose message was
 * lost may be either, by who hears of it first. */
typedef enum { STAYS, GOES, EITHER } Fate;

static const struct {
	const char *word;
	Fate fate;
} rows[] = {
	{"remember", STAYS},
	{"scribble", STAYS},
	{"file", STAYS},
	{"more", STAYS},
	{"registers", STAYS},
	{"base", STAYS},
	{"rseq", STAYS},
	{"line", STAYS},
	{"stop", EITHER},
	{"much", STAYS},
	{"map", GOES},
	{"map-over", GOES},
	{"unmap", GOES},
	{"drop", GOES},
	{"protect", GOES},
	{"move", GOES},
	{"grow", GOES},
	{"block", GOES},
	{"return", GOES},
	{"close-line", GOES},
	{"close-null", GOES},
	{"urgent", GOES},
	{"deep", GOES},
	{"crash", GOES},
	{"end", GOES},
};

static GHashTable *processes(MsReader *reader, char *digest)
{
	GHashTable *all = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < MESSAGES; i++) {
		Read r = read_one(reader, "nothing");
		g_assert_true(r.good);
		if (*digest == '\0')
			g_strlcpy(digest, r.digest, 32);
		g_assert_cmpstr(r.digest, ==, digest);
		g_hash_table_add(all, g_strdup(r.process));
	}
	return all;
}

static guint in_common(GHashTable *a, GHashTable *b)
{
	GHashTableIter iter;
	gpointer key;
	guint n = 0;
	g_hash_table_iter_init(&iter, a);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		n += g_hash_table_contains(b, key);
	return n;
}

/* Not under sanitizers, which would not let the tool look at memory, either. */
static bool is_offered(MsReader *reader)
{
#ifdef MS_SANITIZERS
	return reader == NULL;
#endif
	/* Those that are forked are told apart by what they have of themselves. */
	g_autoptr(GHashTable) all = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < MESSAGES; i++)
		g_hash_table_add(all, g_strdup(read_one(reader, "nothing").process));
	return g_hash_table_size(all) < MESSAGES;
}

static void test_taken_over(void)
{
	g_autoptr(MsReader) reader = start("tests/tools/taken-over", 1, true);
	char digest[32] = "";
	if (!is_offered(reader)) {
		g_test_skip("workers cannot be put back here");
		return;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_test_message("%s", rows[i].word);
		g_autoptr(GHashTable) before = processes(reader, digest);
		read_one(reader, rows[i].word);
		g_autoptr(GHashTable) after = processes(reader, digest);
		guint stayed = in_common(before, after), were = g_hash_table_size(before);
		g_test_message("%u of %u stayed", stayed, were);
		/* Who is not root cannot put back one that stepped back, if the machine is slow. */
		if (rows[i].fate == STAYS && geteuid() == 0)
			g_assert_cmpuint(stayed, ==, were);
		if (rows[i].fate == GOES)
			g_assert_cmpuint(stayed, <, were);
	}
}

/* ---- many at once --------------------------------------------------------------------- */

#define THREADS 6
#define EACH 60

typedef struct {
	MsReader *reader;
	const char *digest;
	guint number, bad;
	pthread_t thread;
} Sender;

/* What is lost of one message must not be another's worker. */
static void *send_many(void *user)
{
	Sender *sender = user;
	for (guint i = 0; i < EACH; i++) {
		guint at = (i * THREADS + sender->number) % (G_N_ELEMENTS(rows) * 2);
		bool hostile = at < G_N_ELEMENTS(rows);
		Read r = read_one(sender->reader, hostile ? rows[at].word : "nothing");
		if (i == EACH / 2 && sender->number == 0)
			read_one(sender->reader, "loop");
		sender->bad += !hostile && (!r.good || strcmp(r.digest, sender->digest) != 0);
	}
	return NULL;
}

static void test_many(void)
{
	g_autoptr(MsReader) reader = start("tests/tools/taken-over", 4, true);
	Sender senders[THREADS];
	if (!is_offered(reader)) {
		g_test_skip("workers cannot be put back here");
		return;
	}
	Read first = read_one(reader, "nothing");
	for (guint i = 0; i < THREADS; i++) {
		senders[i] = (Sender){.reader = reader, .digest = first.digest, .number = i};
		g_assert_cmpint(
			pthread_create(&senders[i].thread, NULL, send_many, &senders[i]), ==, 0);
	}
	for (guint i = 0; i < THREADS; i++) {
		pthread_join(senders[i].thread, NULL);
		g_assert_cmpuint(senders[i].bad, ==, 0);
	}
}

/* ---- ended by others ------------------------------------------------------------------ */

static void *read_loop(void *user)
{
	Read r = read_one(user, "loop");
	g_assert_false(r.good); /* nobody reads it to its end */
	return NULL;
}

/* A message whose worker somebody ends is read once more, as with those that are forked. */
static void test_ended(void)
{
	g_autoptr(MsReader) reader = start("tests/tools/taken-over", 2, true);
	MsReaderStats stats = {0};
	pthread_t thread;
	if (!is_offered(reader)) {
		g_test_skip("workers cannot be put back here");
		return;
	}
	g_assert_cmpint(pthread_create(&thread, NULL, read_loop, reader), ==, 0);
	for (int i = 0; i < 2; i++) {
		g_usleep(300000); /* until the one before is dead */
		signal_one(SIGKILL);
	}
	pthread_join(thread, NULL);
	ms_reader_stats(reader, &stats);
	g_assert_cmpuint(stats.read_again, ==, 1);
	g_assert_cmpuint(stats.died, ==, 2);
	g_assert_true(read_one(reader, "nothing").good);
}

/* ---- the same ------------------------------------------------------------------------- */

static GBytes *read_file(MsReader *reader, const char *data, gsize len)
{
	int fd = ms_memory_of("test", data, len);
	MsReading *r = NULL;
	g_autoptr(GError) error = NULL;
	bool had = ms_reader_read(reader, fd, NULL, &r, NULL, &error);
	close(fd);
	g_assert_no_error(error);
	g_assert_true(had);
	r->microseconds = 0;
	GBytes *bytes = ms_reading_encode(r);
	ms_reading_free(r);
	return bytes;
}

/* Whatever was read before. */
static void test_same(void)
{
	g_autoptr(MsReader) forked = start("missent-reader", 1, false);
	g_autoptr(MsReader) restored = start("missent-reader", 1, true);
	g_autofree char *folder = source_file("tests/fuzz/fuzz-message.corpus");
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	guint n = 0;
	for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL; n++) {
		g_autofree char *path = g_build_filename(folder, name, NULL), *data = NULL;
		gsize len;
		g_assert_true(g_file_get_contents(path, &data, &len, NULL));
		g_autoptr(GBytes) want = read_file(forked, data, len);
		for (guint i = 0; i < 2; i++) {
			g_autoptr(GBytes) got = read_file(restored, data, len);
			if (!g_bytes_equal(got, want))
				g_error("%s is read otherwise", name);
		}
	}
	g_assert_cmpuint(n, >, 10);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_autofree char *text = read_source("policies/kinds.conf");
	kinds = ms_kinds_parse("kinds.conf", text, NULL);
	g_test_add_func("/restored/taken-over", test_taken_over);
	g_test_add_func("/restored/many", test_many);
	g_test_add_func("/restored/ended", test_ended);
	g_test_add_func("/restored/same", test_same);
	int rc = g_test_run();
	ms_kinds_unref(kinds);
	return rc;
}
