/*
 * The log against the RFC's own definition of its tree, at many sizes; then every way to damage
 * one that comes to mind: each has to be found, where it is, and none where there is none.
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/tlog.h"

#include "../proof.h"
#include "../test.h"

static char *dir;

static char *entry_text(guint64 i)
{
	return g_strdup_printf("{\"time\":\"2026-11-26T10:00:%02u.000Z\",\"n\":%" G_GUINT64_FORMAT
			       ",\"fill\":\"%.*s\"}",
		(guint)(i % 60), i, (int)(i % 90),
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
}

/* The number of the first one. */
static guint64 append(MsTlog *log, guint64 from, guint n)
{
	g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
	g_autofree MsEntryText *entries = g_new(MsEntryText, n);
	for (guint i = 0; i < n; i++) {
		char *text = entry_text(from + i);
		g_ptr_array_add(texts, text);
		entries[i] = (MsEntryText){text, strlen(text)};
	}
	guint done = 0;
	g_autoptr(GError) error = NULL;
	g_assert_true(ms_tlog_append(log, entries, n, &done, &error));
	g_assert_no_error(error);
	return ms_tlog_checkpoint(log)->size - n;
}

static MsTlog *make_log(const char *folder, guint64 n)
{
	g_autoptr(GError) error = NULL;
	MsTlog *log = ms_tlog_open(folder, "mx.example/missent", &error);
	g_assert_no_error(error);
	for (guint64 i = 0; i < n; i += 100)
		append(log, i, (guint)MIN(100, n - i));
	return log;
}

/* ---- the tree ------------------------------------------------------------------------- */

typedef struct {
	guint8 b[32];
} Hash;

static Hash sha256(guint8 prefix, const void *one, gsize n, const void *two, gsize m)
{
	Hash out;
	gsize len = sizeof out;
	GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
	g_checksum_update(sum, &prefix, 1);
	g_checksum_update(sum, one, (gssize)n);
	g_checksum_update(sum, two, (gssize)m);
	g_checksum_get_digest(sum, out.b, &len);
	g_checksum_free(sum);
	return out;
}

/* RFC 6962, 2.1, word for word. */
static Hash mth(const Hash *leaves, guint n)
{
	if (n == 1)
		return leaves[0];
	guint k = 1;
	while (2 * k < n)
		k *= 2;
	Hash left = mth(leaves, k), right = mth(leaves + k, n - k);
	return sha256(1, &left, 32, &right, 32);
}

/* As https://c2sp.org/tlog-proof has it. */
static char *printed(const MsProof *proof)
{
	GString *out = g_string_new(NULL);
	g_string_printf(out, "c2sp.org/tlog-proof@v1\nindex %" G_GUINT64_FORMAT "\n", proof->index);
	for (guint i = 0; i < proof->n; i++) {
		g_autofree char *hash = g_base64_encode(proof->hashes[i], MS_HASH_BYTES);
		g_string_append_printf(out, "%s\n", hash);
	}
	g_string_append_printf(out, "\n%s", proof->checkpoint.text);
	return g_string_free(out, FALSE);
}

static void check_proofs(MsTlog *log, guint64 size)
{
	g_autoptr(GError) error = NULL;
	for (guint64 i = 0; i < size; i += size > 20 ? size / 9 : 1) {
		g_auto(MsProof) proof = {0};
		g_assert_true(ms_tlog_prove(log, i, &proof, &error));
		g_assert_no_error(error);
		g_autofree char *text = ms_proof_print(&proof), *entry = entry_text(i);
		g_autofree char *want = printed(&proof);
		g_assert_cmpstr(text, ==, want);
		g_assert_true(proof_shows(&proof, entry, strlen(entry)));
		g_assert_false(proof_shows(&proof, entry, strlen(entry) - 1));
		proof.index++;
		g_assert_false(proof_shows(&proof, entry, strlen(entry)) && size > 1);
		g_autoptr(GBytes) bytes = ms_tlog_entry(log, i, &error);
		g_assert_no_error(error);
		g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), entry,
			strlen(entry));
	}
}

static void check_consistency(MsTlog *log, const Hash *leaves, guint64 size)
{
	g_autoptr(GError) error = NULL;
	for (guint64 old = 1; old <= size; old += size > 20 ? size / 11 : 1) {
		guint8 hashes[MS_PROOF_MAX][MS_HASH_BYTES];
		guint n = 0;
		MsCheckpoint first = {.size = old};
		Hash root = mth(leaves, (guint)old);
		memcpy(first.root, root.b, 32);
		g_assert_true(ms_tlog_consistency(log, old, hashes, &n, &error));
		g_assert_true(ms_consistency_check(&first, ms_tlog_checkpoint(log), hashes, n));
		g_assert_true(ms_consistency_check(ms_tlog_checkpoint(log), &first, hashes, n) ==
			(old == size)); /* a log does not become smaller */
		first.root[3] ^= 1;
		g_assert_false(ms_consistency_check(&first, ms_tlog_checkpoint(log), hashes, n));
	}
}

static void count_wrong(guint64 index, const char *why, void *user)
{
	g_test_message("%" G_GUINT64_FORMAT ": %s", index, why);
	g_string_append_printf(user, "%" G_GUINT64_FORMAT ": %s\n", index, why);
}

static void expect_whole(const char *folder, guint64 entries)
{
	g_autoptr(GString) wrong = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	MsTlogVerified v;
	g_assert_true(ms_tlog_verify(folder, count_wrong, NULL, wrong, &v, &error));
	g_assert_cmpstr(wrong->str, ==, "");
	g_assert_cmpuint(v.entries, ==, entries);
}

static void expect_damaged(const char *folder, const char *want)
{
	g_autoptr(GString) wrong = g_string_new(NULL);
	MsTlogVerified v;
	g_assert_true(ms_tlog_verify(folder, count_wrong, NULL, wrong, &v, NULL));
	if (strstr(wrong->str, want) == NULL)
		g_error("got \"%s\", want \"%s\"", wrong->str, want);
}

static void test_tree(void)
{
	static const guint sizes[] = {
		1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65, 255, 256, 257, 511, 512, 513, 700, 1024, 1300};
	g_autofree char *folder = g_build_filename(dir, "tree", NULL);
	g_autofree Hash *leaves = g_new(Hash, 2000);
	g_autoptr(MsTlog) log = make_log(folder, 0);
	g_autoptr(GError) error = NULL;
	guint64 size = 0;
	for (guint i = 0; i < 2000; i++) {
		g_autofree char *text = entry_text(i);
		leaves[i] = sha256(0, text, strlen(text), "", 0);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_assert_cmpuint(append(log, size, (guint)(sizes[i] - size)), ==, size);
		size = sizes[i];
		Hash root = mth(leaves, (guint)size);
		const MsCheckpoint *now = ms_tlog_checkpoint(log);
		g_assert_cmpuint(now->size, ==, size);
		g_assert_cmpmem(now->root, 32, root.b, 32);
		check_proofs(log, size);
		check_consistency(log, leaves, size);
		if (i % 3 == 0)
			g_assert_true(ms_tlog_publish(log, &error));
		expect_whole(folder, size);
		if (i % 2 == 0) { /* another process goes on with it */
			ms_tlog_free(log);
			log = ms_tlog_open(folder, NULL, &error);
			g_assert_no_error(error);
			g_assert_cmpuint(ms_tlog_recovered(log), ==, 0);
		}
		g_autoptr(MsTlog) looker = ms_tlog_look(folder, &error);
		g_assert_no_error(error);
		g_assert_true(
			ms_checkpoint_same(ms_tlog_checkpoint(looker), ms_tlog_checkpoint(log)));
		check_proofs(looker, size);
	}
}

/* Tiles of the second level: 256 bundles. */
static void test_large(void)
{
	g_autofree char *folder = g_build_filename(dir, "large", NULL);
	const guint n = 256 * 256 + 300;
	g_autofree Hash *leaves = g_new(Hash, n);
	g_autofree MsEntryText *entries = g_new(MsEntryText, n);
	g_autoptr(MsTlog) log = make_log(folder, 0);
	g_autoptr(GError) error = NULL;
	guint done = 0;
	for (guint i = 0; i < n; i++) {
		entries[i] = (MsEntryText){g_strdup_printf("%u", i), 0};
		entries[i].len = strlen(entries[i].data);
		leaves[i] = sha256(0, entries[i].data, entries[i].len, "", 0);
	}
	g_assert_true(ms_tlog_append(log, entries, n, &done, &error));
	g_assert_no_error(error);
	Hash root = mth(leaves, n);
	g_assert_cmpmem(ms_tlog_checkpoint(log)->root, 32, root.b, 32);
	g_assert_true(ms_tlog_publish(log, &error));
	expect_whole(folder, n);
	check_consistency(log, leaves, n);
	g_autofree char *tile = g_build_filename(folder, "tile/1/000", NULL);
	g_assert_true(g_file_test(tile, G_FILE_TEST_EXISTS));
	/* A tile of a higher level is what is below it. */
	g_autofree char *whole = NULL;
	gsize len = 0;
	g_assert_true(g_file_get_contents(tile, &whole, &len, NULL));
	whole[len / 2] ^= 1;
	g_assert_true(g_file_set_contents(tile, whole, (gssize)len, NULL));
	expect_damaged(folder, "tile 1/0 does not agree with what is below it");
	g_unlink(tile);
	expect_damaged(folder, "tile 1/0 is missing");
	whole[len / 2] ^= 1;
	g_assert_true(g_file_set_contents(tile, whole, (gssize)len, NULL));
	expect_whole(folder, n);
	/* Pruned: the proofs of what is left are the same. */
	g_autofree char *gone = g_build_filename(folder, "tile/entries/000", NULL);
	g_assert_true(ms_tlog_prune(log, 40000, &error));
	g_assert_no_error(error);
	g_assert_false(g_file_test(gone, G_FILE_TEST_EXISTS));
	expect_whole(folder, n - 40000 / 256 * 256);
	ms_tlog_free(log);
	log = ms_tlog_open(folder, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(ms_tlog_minimum(log), ==, 40000);
	g_auto(MsProof) proof = {0};
	g_assert_true(ms_tlog_prove(log, 50000, &proof, &error));
	g_assert_true(proof_shows(&proof, "50000", 5));
	g_assert_null(ms_tlog_entry(log, 100, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
	g_clear_error(&error);
	append(log, 0, 700);
	expect_whole(folder, n + 700 - 40000 / 256 * 256);
	g_assert_true(ms_tlog_prune(log, 66000, &error));
	append(log, 0, 600);
	ms_tlog_free(log);
	log = ms_tlog_open(folder, NULL, &error);
	g_assert_no_error(error);
	append(log, 0, 1);
	expect_whole(folder, n + 1301 - 66000 / 256 * 256);
	for (guint i = 0; i < n; i++)
		g_free((void *)entries[i].data);
}

/* ---- damage --------------------------------------------------------------------------- */

#define SIZE 1000

static char *slurp(const char *folder, const char *name, gsize *len)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	char *text = NULL;
	g_assert_true(g_file_get_contents(path, &text, len, NULL));
	return text;
}

static void spit(const char *folder, const char *name, const char *text, gsize len)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_assert_true(g_file_set_contents(path, text, (gssize)len, NULL));
}

/* Where entry `n` of a bundle begins. */
static gsize offset(const char *bundle, guint n)
{
	gsize at = 0;
	while (n-- > 0)
		at += 2 + (gsize)((guint8)bundle[at] << 8 | (guint8)bundle[at + 1]);
	return at;
}

static void edit(const char *folder)
{
	gsize len;
	g_autofree char *b = slurp(folder, "tile/entries/001", &len);
	b[offset(b, 44) + 20] ^= 1;
	spit(folder, "tile/entries/001", b, len);
}

/* Its hash in the tile as well. */
static void edit_tile(const char *folder)
{
	gsize len, tile_len;
	g_autofree char *b = slurp(folder, "tile/entries/001", &len),
			*t = slurp(folder, "tile/0/001", &tile_len);
	gsize at = offset(b, 44), end = offset(b, 45);
	b[at + 20] ^= 1;
	Hash leaf = sha256(0, b + at + 2, end - at - 2, "", 0);
	memcpy(t + 44 * 32, leaf.b, 32);
	spit(folder, "tile/entries/001", b, len);
	spit(folder, "tile/0/001", t, tile_len);
}

static void delete_one(const char *folder)
{
	gsize len;
	g_autofree char *b = slurp(folder, "tile/entries/002", &len);
	gsize at = offset(b, 10), end = offset(b, 11);
	memmove(b + at, b + end, len - end);
	spit(folder, "tile/entries/002", b, len - (end - at));
}

static void swap_two(const char *folder)
{
	gsize len;
	g_autofree char *b = slurp(folder, "tile/entries/000", &len);
	gsize one = offset(b, 3), two = offset(b, 4), three = offset(b, 5);
	g_autofree char *first = g_memdup2(b + one, two - one),
			*second = g_memdup2(b + two, three - two);
	memcpy(b + one, second, three - two);
	memcpy(b + one + (three - two), first, two - one);
	spit(folder, "tile/entries/000", b, len);
}

static void insert_one(const char *folder)
{
	gsize len;
	g_autofree char *b = slurp(folder, "tile/entries/001", &len);
	gsize at = offset(b, 7);
	g_autoptr(GString) text = g_string_new_len(b, (gssize)len);
	g_string_insert_len(text, (gssize)at, "\0\5other", 7);
	spit(folder, "tile/entries/001", text->str, text->len);
}

static void truncate_head(const char *folder)
{
	gsize len;
	g_autofree char *b = slurp(folder, "head.3", &len);
	spit(folder, "head.3", b, offset(b, 100));
}

static void tear_head(const char *folder)
{
	gsize len;
	g_autofree char *b = slurp(folder, "head.3", &len);
	spit(folder, "head.3", b, len - 3);
}

static void lose(const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_assert_cmpint(g_unlink(path), ==, 0);
}

static void lose_bundle(const char *folder)
{
	lose(folder, "tile/entries/001");
}

static void lose_bundle_and_tile(const char *folder)
{
	lose(folder, "tile/entries/001");
	lose(folder, "tile/0/001");
}

static void lose_tile(const char *folder)
{
	lose(folder, "tile/0/002");
}

static void lose_head(const char *folder)
{
	lose(folder, "head.3");
}

static void lose_latest(const char *folder)
{
	lose(folder, "latest");
}

/* Who wrote past the lock. */
static void two_writers(const char *folder)
{
	gsize len;
	g_autofree char *b = slurp(folder, "head.3", &len);
	g_autoptr(GString) text = g_string_new_len(b, (gssize)len);
	g_string_append_len(text, "\0\5other", 7);
	spit(folder, "head.3", text->str, text->len);
}

static void two_bundles(const char *folder)
{
	gsize len;
	g_autofree char *b = slurp(folder, "tile/entries/000", &len), *c = NULL;
	gsize c_len;
	c = slurp(folder, "tile/entries/001", &c_len);
	spit(folder, "tile/entries/000", c, c_len);
	spit(folder, "tile/entries/001", b, len);
}

/* The log as it was before: it verifies by itself, the published checkpoint is newer. */
static void roll_back_head(const char *folder)
{
	gsize len;
	g_autofree char *other = g_strconcat(folder, ".older", NULL);
	g_autofree char *latest = slurp(other, "latest", &len);
	spit(folder, "latest", latest, len);
	g_autofree char *head = slurp(other, "head.3", &len);
	spit(folder, "head.3", head, len);
}

static void other_key(const char *folder)
{
	gsize len;
	g_autofree char *other = g_strconcat(folder, ".other", NULL);
	g_autofree char *vkey = slurp(other, "vkey", &len);
	spit(folder, "vkey", vkey, len);
}

static void other_bundle(const char *folder)
{
	gsize len;
	g_autofree char *other = g_strconcat(folder, ".other", NULL);
	g_autofree char *b = slurp(other, "tile/entries/001", &len);
	spit(folder, "tile/entries/001", b, len);
}

static void other_checkpoint(const char *folder)
{
	gsize len;
	g_autofree char *other = g_strconcat(folder, ".other", NULL);
	g_autofree char *b = slurp(other, "latest", &len);
	spit(folder, "latest", b, len);
}

static void edit_checkpoint(const char *folder)
{
	gsize len;
	g_autofree char *b = slurp(folder, "checkpoint", &len);
	char *size = strchr(b, '\n') + 1;
	*size = *size == '1' ? '2' : '1';
	spit(folder, "checkpoint", b, len);
}

static void raise_minimum(const char *folder)
{
	spit(folder, "minimum", "700\n", 4);
	lose(folder, "tile/entries/000");
	lose(folder, "tile/0/000");
	lose(folder, "tile/1/000.p/3");
}

static const struct {
	const char *name;
	void (*damage)(const char *folder);
	const char *want; /* the first that is told */
} damages[] = {
	{"edited", edit, "300: the entry is not the one"},
	{"edited with its hash", edit_tile, "1000: the first 1000 entries are not those"},
	{"deleted", delete_one, "512: the bundle 2 has 255 entries"},
	{"swapped", swap_two, "3: the entry is not the one"},
	{"inserted", insert_one, "256: the bundle 1 has 257 entries"},
	{"truncated", truncate_head, "868: the trail ends here"},
	{"cut within a line", tear_head, "999: the last line is cut short"},
	{"bundle lost", lose_bundle, "256: the entries 256 to 511 are missing"},
	{"bundle and tile lost", lose_bundle_and_tile, "256: the entries 256 to 511 are missing"},
	{"tile lost", lose_tile, "512: tile 0/2 is missing"},
	{"head lost", lose_head, "768: the trail ends here"},
	{"latest checkpoint lost", lose_latest, "0: the latest checkpoint is missing"},
	{"two writers", two_writers, "1000: 1 entries are under no checkpoint"},
	{"bundles exchanged", two_bundles, "0: the entry is not the one"},
	{"rolled back", roll_back_head, "900: the trail ends here"},
	{"key replaced", other_key, "0: the file latest: signed note: it is not signed"},
	{"another log's bundle", other_bundle, "256: the entry is not the one"},
	{"another log's checkpoint", other_checkpoint,
		"0: the file latest: signed note: it is not signed"},
	{"checkpoint edited", edit_checkpoint,
		"0: the file checkpoint: signed note: a signature is wrong"},
	{"pruned by hand", raise_minimum, "0: of the entries that were pruned a tile"},
};

typedef struct {
	guint shown, hidden;
	guint64 last_hidden;
} Seen;

static void pass_over(guint64 index, const char *why, void *user)
{
	(void)index;
	(void)why;
	(void)user;
}

static bool see_entry(guint64 index, const char *data, gsize len, void *user, GError **error)
{
	(void)error;
	Seen *seen = user;
	g_autofree char *want = entry_text(index);
	if (data == NULL) {
		seen->hidden++;
		seen->last_hidden = index;
	} else {
		g_assert_cmpmem(data, len, want, strlen(want));
		seen->shown++;
	}
	return true;
}

/* What was changed is shown to nobody as what was written. */
static void test_shown(void)
{
	g_autofree char *folder = g_build_filename(dir, "shown", NULL);
	g_autoptr(GError) error = NULL;
	MsTlogVerified v;
	Seen seen = {0};
	ms_tlog_free(make_log(folder, 1000));
	edit(folder); /* the entry 300 */
	g_assert_true(ms_tlog_verify(folder, pass_over, see_entry, &seen, &v, &error));
	g_assert_cmpuint(seen.shown, ==, 999);
	g_assert_cmpuint(seen.hidden, ==, 1);
	g_assert_cmpuint(seen.last_hidden, ==, 300);
}

static void copy_folder(const char *from, const char *to)
{
	const char *argv[] = {"cp", "-a", from, to, NULL};
	g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
		NULL, NULL, NULL));
}

static void test_damage(void)
{
	g_autofree char *good = g_build_filename(dir, "good", NULL),
			*older = g_build_filename(dir, "older", NULL);
	g_autofree char *other = g_build_filename(dir, "other", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(MsTlog) log = make_log(good, 900);
	copy_folder(good, older);
	append(log, 900, 100);
	g_assert_true(ms_tlog_publish(log, &error));
	g_assert_no_error(error);
	MsTlog *another = make_log(other, 0);
	append(another, 5000, 1000);
	ms_tlog_free(another);
	for (gsize i = 0; i < G_N_ELEMENTS(damages); i++) {
		g_autofree char *folder = g_strdup_printf("%s/damaged-%zu", dir, i);
		g_autofree char *a = g_strconcat(folder, ".older", NULL),
				*b = g_strconcat(folder, ".other", NULL);
		copy_folder(good, folder);
		g_assert_cmpint(symlink(older, a) | symlink(other, b), ==, 0);
		damages[i].damage(folder);
		g_autoptr(GString) wrong = g_string_new(NULL);
		MsTlogVerified v;
		g_assert_true(ms_tlog_verify(folder, count_wrong, NULL, wrong, &v, &error));
		if (!g_str_has_prefix(wrong->str, damages[i].want))
			g_error("%s: got \"%s\", want \"%s\"", damages[i].name, wrong->str,
				damages[i].want);
	}
	expect_whole(good, SIZE);
}

/* ---- crashes -------------------------------------------------------------------------- */

/* Killed at any moment while it writes: every entry that was said to be on disk is there, once,
 * and the log goes on. */
static void test_killed(void)
{
	g_autofree char *folder = g_build_filename(dir, "killed", NULL);
	g_autoptr(GError) error = NULL;
	ms_tlog_free(make_log(folder, 200));
	guint64 promised = 200;
	for (int round = 0; round < 30; round++) {
		int fds[2];
		g_assert_cmpint(pipe(fds), ==, 0);
		pid_t pid = fork();
		if (pid == 0) {
			MsTlog *log = ms_tlog_open(folder, NULL, NULL);
			for (guint64 i = ms_tlog_checkpoint(log)->size;; i++) {
				guint64 done = append(log, i, 1) + 1;
				if (write(fds[1], &done, sizeof done) != sizeof done)
					_exit(1);
			}
		}
		close(fds[1]);
		guint64 done;
		for (int i = 0; i < 5 + round; i++)
			g_assert_cmpint(read(fds[0], &done, sizeof done), ==, sizeof done);
		kill(pid, SIGKILL);
		while (read(fds[0], &done, sizeof done) == sizeof done)
			;
		close(fds[0]);
		waitpid(pid, NULL, 0);
		g_assert_cmpuint(done, >, promised);
		promised = done;
		g_autoptr(MsTlog) log = ms_tlog_open(folder, NULL, &error);
		g_assert_no_error(error);
		guint64 size = ms_tlog_checkpoint(log)->size;
		g_assert_cmpuint(size, >=, promised);
		g_assert_cmpuint(size, <=, promised + 2);
		expect_whole(folder, size);
		promised = size;
	}
	g_autoptr(MsTlog) log = ms_tlog_look(folder, &error);
	for (guint64 i = 0; i < promised; i++) {
		g_autoptr(GBytes) bytes = ms_tlog_entry(log, i, &error);
		g_autofree char *want = entry_text(i);
		g_assert_cmpmem(
			g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), want, strlen(want));
	}
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = MIN(bytes, limit.rlim_max);
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
}

/* Killed between a bundle and its tile (SIGXFSZ: the tile is the first file that is larger):
 * nothing is lost, and who looks says so; what is, is said all the same. */
static void killed_at_tile(const char *folder)
{
	pid_t pid = fork();
	if (pid == 0) {
		MsTlog *log = ms_tlog_open(folder, NULL, NULL);
		limit_files(8000);
		append(log, ms_tlog_checkpoint(log)->size, 1);
		_exit(0);
	}
	int status;
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
}

static void test_rolled(void)
{
	static const char changed[] = "#0";
	g_autofree char *folder = g_build_filename(dir, "rolled", NULL);
	g_autofree char *tile = g_build_filename(folder, "tile/0/001", NULL);
	g_autoptr(GError) error = NULL;
	gsize len;
	ms_tlog_free(make_log(folder, 512));
	expect_whole(folder, 512);
	killed_at_tile(folder);
	g_assert_false(g_file_test(tile, G_FILE_TEST_EXISTS));
	expect_whole(folder, 512);
	g_autoptr(MsTlog) looker = ms_tlog_look(folder, &error);
	g_assert_no_error(error);
	check_proofs(looker, 512);
	/* its entries are compared all the same */
	g_autofree char *bundle = slurp(folder, "tile/entries/001", &len);
	g_autofree char *other = g_memdup2(bundle, len);
	memcpy(other + 2, changed, 2);
	spit(folder, "tile/entries/001", other, len);
	expect_damaged(folder, "are not those that the latest checkpoint was signed for");
	spit(folder, "tile/entries/001", bundle, len);
	/* one before it that is missing is */
	g_autofree char *before = slurp(folder, "tile/0/000", &len);
	lose(folder, "tile/0/000");
	expect_damaged(folder, "tile 0/0 is missing");
	spit(folder, "tile/0/000", before, len);
	/* it is made with the next line, and then it is missing too where it is */
	g_autoptr(MsTlog) log = ms_tlog_open(folder, NULL, &error);
	g_assert_no_error(error);
	g_assert_true(g_file_test(tile, G_FILE_TEST_EXISTS));
	g_assert_cmpuint(append(log, 512, 1), ==, 512);
	expect_whole(folder, 513);
	lose(folder, "tile/0/001");
	expect_damaged(folder, "tile 0/1 is missing");
}

/* What is removed after its time while somebody looks is no damage; nor is what he was given all
 * that there is. */
typedef struct {
	MsTlog *log;
	guint64 at, minimum; /* it is pruned when he has the entry `at` */
	guint64 n;
	GString *wrong;
	const char *loses; /* a file that is lost then, or NULL */
} Pruning;

static bool prune_at(guint64 index, const char *data, gsize len, void *user, GError **error)
{
	Pruning *p = user;
	(void)data, (void)len, (void)error;
	if (index == p->at && p->loses != NULL)
		g_assert_cmpint(g_unlink(p->loses), ==, 0);
	else if (index == p->at)
		g_assert_true(ms_tlog_prune(p->log, p->minimum, NULL));
	p->n++;
	return true;
}

static void wrong_meanwhile(guint64 index, const char *why, void *user)
{
	count_wrong(index, why, ((Pruning *)user)->wrong);
}

static void test_pruned_meanwhile(void)
{
	static const struct {
		guint64 at, minimum;
		bool again; /* to try again is said; else he has all that he began with */
	} rows[] = {{0, 9000, true}, {300, 20 * 256, true}, {9999, 9000, false}, {0, 256, false}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows) * 2; i++) {
		bool proven = i % 2 == 1;
		g_autofree char *name = g_strdup_printf("meanwhile-%zu", i);
		g_autofree char *folder = g_build_filename(dir, name, NULL);
		g_autoptr(MsTlog) log = make_log(folder, 10000);
		g_autoptr(GString) wrong = g_string_new(NULL);
		g_autoptr(GError) error = NULL;
		Pruning p = {log, rows[i / 2].at, rows[i / 2].minimum, 0, wrong, NULL};
		MsTlogVerified v;
		g_autoptr(MsTlog) looker = ms_tlog_look(folder, &error);
		bool fine = proven
			? ms_tlog_verify(folder, wrong_meanwhile, prune_at, &p, &v, &error)
			: ms_tlog_each(looker, 0, prune_at, &p, &error);
		g_test_message("row %zu, %s: %s", i / 2, proven ? "proven" : "each",
			error != NULL ? error->message : "fine");
		g_assert_cmpstr(wrong->str, ==, "");
		g_assert_cmpint(fine, ==, !rows[i / 2].again);
		if (rows[i / 2].again)
			g_assert_error(error, MS_ERROR, MS_ERROR_RETRY);
		else
			g_assert_cmpuint(p.n, ==, 10000);
		expect_whole(folder, 10000 - ms_tlog_minimum(log) / 256 * 256);
	}
}

/* ... and what is lost meanwhile is. */
static void test_lost_meanwhile(void)
{
	g_autofree char *folder = g_build_filename(dir, "lost-meanwhile", NULL);
	g_autofree char *bundle = g_build_filename(folder, "tile/entries/030", NULL);
	g_autoptr(MsTlog) log = make_log(folder, 10000);
	g_autoptr(GString) wrong = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	Pruning p = {log, 10, 0, 0, wrong, bundle};
	MsTlogVerified v;
	g_assert_true(ms_tlog_prune(log, 256, &error));
	p.at = 300;
	g_assert_true(ms_tlog_verify(folder, wrong_meanwhile, prune_at, &p, &v, &error));
	g_assert_nonnull(strstr(wrong->str, "the entries 7680 to 7935 are missing"));
}

/* What a crash leaves in the head: signed by who comes next, told, and the half of a line is not
 * one. */
static void test_recovered(void)
{
	g_autofree char *folder = g_build_filename(dir, "recovered", NULL);
	g_autoptr(GError) error = NULL;
	ms_tlog_free(make_log(folder, 300));
	gsize len;
	g_autofree char *head = slurp(folder, "head.1", &len);
	g_autoptr(GString) text = g_string_new_len(head, (gssize)len);
	g_string_append_len(text, "\0\3abc\0\7abc", 10);
	spit(folder, "head.1", text->str, text->len);
	g_autoptr(MsTlog) looker = ms_tlog_look(folder, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(ms_tlog_recovered(looker), ==, 1);
	g_assert_cmpuint(ms_tlog_checkpoint(looker)->size, ==, 300);
	g_autoptr(MsTlog) log = ms_tlog_open(folder, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(ms_tlog_recovered(log), ==, 1);
	expect_whole(folder, 301);
	g_autoptr(GBytes) last = ms_tlog_entry(log, 300, &error);
	g_assert_cmpmem(g_bytes_get_data(last, NULL), g_bytes_get_size(last), "abc", 3);
}

/* Who has no descriptor left has not found damage. */
static void test_no_descriptors(void)
{
	g_autofree char *folder = g_build_filename(dir, "starving", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(MsTlog) log = ms_tlog_open(folder, "test.example/starving", &error);
	struct rlimit before, few;
	append(log, 0, 3);
	getrlimit(RLIMIT_NOFILE, &before);
	for (int more = 0; more < 4; more++) {
		int next = dup(STDERR_FILENO);
		close(next);
		few = (struct rlimit){(rlim_t)(next + more), before.rlim_max};
		setrlimit(RLIMIT_NOFILE, &few);
		g_autoptr(GError) why = NULL;
		g_autoptr(MsTlog) looker = ms_tlog_look(folder, &why);
		setrlimit(RLIMIT_NOFILE, &before);
		g_assert_true((looker == NULL) == (why != NULL));
		g_assert_true(looker != NULL || g_error_matches(why, MS_ERROR, MS_ERROR_RETRY));
		g_assert_true(more < 3 || looker != NULL);
	}
}

/* A crash in the middle of writing the checkpoint: the one before it is there, and what came
 * since is told.  Without that one it is no crash's doing. */
static void test_torn_checkpoint(void)
{
	static const char *const torn[] = {"", "mx.exam", NULL /* the first half is the new one */};
	for (gsize i = 0; i < G_N_ELEMENTS(torn); i++) {
		g_autofree char *name = g_strdup_printf("torn%zu", i),
				*folder = g_build_filename(dir, name, NULL);
		g_autoptr(GError) error = NULL;
		MsTlog *log = make_log(folder, 300);
		append(log, 300, 1);
		append(log, 301, 2);
		ms_tlog_free(log);
		gsize len;
		g_autofree char *latest = slurp(folder, "latest", &len);
		if (torn[i] == NULL)
			latest[len - 20] ^= 1;
		spit(folder, "latest", torn[i] != NULL ? torn[i] : latest,
			torn[i] != NULL ? strlen(torn[i]) : len);
		log = ms_tlog_open(folder, NULL, &error);
		g_assert_no_error(error);
		g_assert_cmpuint(ms_tlog_recovered(log), ==, 2);
		g_assert_cmpuint(ms_tlog_checkpoint(log)->size, ==, 303);
		ms_tlog_free(log);
		expect_whole(folder, 303);
		spit(folder, "latest", "", 0);
		spit(folder, "latest.new", "", 0);
		log = ms_tlog_open(folder, NULL, &error);
		g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
		g_assert_null(log);
	}
}

static void cut_in_place(const char *folder)
{
	g_autofree char *path = g_build_filename(folder, "latest.new", NULL);
	g_assert_cmpint(truncate(path, 3), ==, 0);
}

static void longer_before(const char *folder)
{
	char text[500];
	memset(text, 'x', sizeof text);
	spit(folder, "latest.new", text, sizeof text);
}

static void lose_before(const char *folder)
{
	lose(folder, "latest.new");
}

static void same_latest(const char *folder)
{
	gsize len;
	g_autofree char *latest = slurp(folder, "latest", &len);
	spit(folder, "latest", latest, len);
}

/* Who appends keeps both files of checkpoints open: what becomes of their names is noticed. */
static void test_places(void)
{
	static void (*const acts[])(const char *) = {
		cut_in_place, longer_before, lose_before, same_latest};
	g_autofree char *folder = g_build_filename(dir, "places", NULL);
	g_autoptr(MsTlog) log = make_log(folder, 3);
	guint64 size = 3;
	for (gsize i = 0; i < G_N_ELEMENTS(acts); i++) {
		for (int k = 0; k < 3; k++) {
			g_assert_cmpuint(append(log, size, 1), ==, size);
			expect_whole(folder, ++size);
		}
		acts[i](folder);
	}
	g_assert_cmpuint(append(log, size, 1), ==, size);
	expect_whole(folder, ++size);
}

/* A disk that is full at any byte: an error, and the log is as before; with room again it goes
 * on. */
static void test_full(void)
{
	g_autofree char *folder = g_build_filename(dir, "full", NULL);
	g_autoptr(GError) error = NULL;
	signal(SIGXFSZ, SIG_IGN);
	g_autoptr(MsTlog) log = make_log(folder, 256);
	guint64 size = 256;
	guint none;
	/* The bundle is whole: its tiles cannot be written. */
	limit_files(10);
	g_assert_false(ms_tlog_append(log, &(MsEntryText){"x", 1}, 1, &none, &error));
	limit_files(RLIM_INFINITY);
	g_clear_error(&error);
	g_assert_cmpuint(append(log, size, 4), ==, size);
	expect_whole(folder, size += 4);
	for (rlim_t room = 0; room < 60; room += 7) {
		gsize len;
		g_autofree char *name = g_strdup_printf(
			"head.%" G_GUINT64_FORMAT, (size - 1) / 256);
		g_free(slurp(folder, name, &len));
		g_autofree char *text = entry_text(size);
		const MsEntryText entry = {text, strlen(text)};
		guint done;
		limit_files(len + room);
		g_assert_false(ms_tlog_append(log, &entry, 1, &done, &error));
		limit_files(RLIM_INFINITY);
		g_assert_error(error, MS_ERROR, MS_ERROR_RETRY);
		g_clear_error(&error);
		expect_whole(folder, size);
		g_assert_cmpuint(append(log, size, 1), ==, size);
		expect_whole(folder, ++size);
	}
	/* The line is there, the checkpoint over it has no room: it is taken back. */
	g_autofree char *small = g_build_filename(dir, "small", NULL);
	g_autoptr(MsTlog) few = make_log(small, 1);
	for (guint i = 1; i < 4; i++) {
		limit_files(120);
		g_assert_false(ms_tlog_append(few, &(MsEntryText){"x", 1}, 1, &none, &error));
		limit_files(RLIM_INFINITY);
		g_assert_error(error, MS_ERROR, MS_ERROR_RETRY);
		g_assert_cmpuint(none, ==, 0);
		g_clear_error(&error);
		expect_whole(small, 1);
	}
	g_assert_cmpuint(append(few, 1, 1), ==, 1);
	expect_whole(small, 2);
}

/* Several processes at a time: each line once, none lost. */
static void test_together(void)
{
	g_autofree char *folder = g_build_filename(dir, "together", NULL);
	g_autoptr(GError) error = NULL;
	ms_tlog_free(make_log(folder, 0));
	pid_t pids[4];
	for (guint p = 0; p < 4; p++) {
		pids[p] = fork();
		if (pids[p] == 0) {
			MsTlog *log = ms_tlog_open(folder, NULL, NULL);
			for (guint i = 0; i < 100; i++)
				append(log, p * 100 + i, 1);
			_exit(0);
		}
	}
	for (guint p = 0; p < 4; p++) {
		int status;
		g_assert_cmpint(waitpid(pids[p], &status, 0), ==, pids[p]);
		g_assert_cmpint(status, ==, 0);
	}
	expect_whole(folder, 400);
	g_autoptr(MsTlog) log = ms_tlog_look(folder, &error);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(
		g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
	for (guint64 i = 0; i < 400; i++)
		g_assert_true(g_hash_table_add(seen, ms_tlog_entry(log, i, &error)));
}

/* ---- notes ---------------------------------------------------------------------------- */

/* C2SP's own example, and what is not one. */
#define DASH "\xe2\x80\x94 "

static void test_notes(void)
{
	static const char vkey[] =
		"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
	static const char example[] =
		"This is an example message.\n\n"
		"\xe2\x80\x94 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
	g_autoptr(GError) error = NULL;
	g_auto(MsCheckpoint) c = {0};
	/* Its signature is right: what it lacks are the lines of a checkpoint. */
	g_assert_false(ms_checkpoint_parse(example, strlen(example), vkey, &c, &error));
	g_assert_nonnull(strstr(error->message, "three lines"));
	g_autofree char *folder = g_build_filename(dir, "notes", NULL);
	g_autoptr(MsTlog) log = make_log(folder, 3);
	const char *good = ms_tlog_checkpoint(log)->text;
	g_assert_true(ms_checkpoint_parse(good, strlen(good), ms_tlog_vkey(log), &c, NULL));
	g_assert_cmpuint(c.size, ==, 3);
	g_assert_cmpstr(c.origin, ==, "mx.example/missent");
	for (gsize i = 0; i < strlen(good); i++) { /* any byte changed, and any end */
		g_autofree char *other = g_strdup(good);
		g_auto(MsCheckpoint) d = {0};
		other[i] ^= 1;
		g_assert_false(
			ms_checkpoint_parse(other, strlen(other), ms_tlog_vkey(log), &d, NULL));
		g_assert_false(ms_checkpoint_parse(good, i, ms_tlog_vkey(log), &d, NULL));
	}
	g_assert_false(ms_checkpoint_parse(good, strlen(good), vkey, &c, NULL));
	g_assert_false(ms_checkpoint_parse(good, strlen(good), "no key", &c, NULL));
	/* Another's signature beside ours is none of our business, if it is one. */
	static const struct {
		const char *more;
		bool fine;
	} rows[] = {
		{DASH "other.example AAAAAAAAAAAA\n", true},
		{DASH "other.example AAAAAAAA\n", true}, /* an id, and two bytes */
		{DASH "other.example AAAAAA==\n", false}, /* an id and nothing */
		{DASH "other.example AAAA\n", false},
		{DASH "other.example \n", false},
		{DASH "other.example !!!!!!!!!!!!\n", false},
		{DASH "other.example\n", false},
		{DASH " AAAAAAAAAAAA\n", false},
		{DASH "o+ther AAAAAAAAAAAA\n", false},
		{"- other.example AAAAAAAAAAAA\n", false},
		{"other.example AAAAAAAAAAAA\n", false},
		{"\n", false},
		{"\x01\n", false},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strconcat(good, rows[i].more, NULL);
		g_autofree char *copy = exact_copy(text, strlen(text));
		g_auto(MsCheckpoint) d = {0};
		bool fine = ms_checkpoint_parse(
			copy, strlen(text), ms_tlog_vkey(log), &d, NULL);
		if (fine != rows[i].fine)
			g_error("\"%s\": got %d", rows[i].more, fine);
	}
	/* A number has one way to be written, and a root has as many bytes as a hash. */
	static const char *const wrong[] = {"03", "3x", " 3", "+3", "-3", "", "1234567890123456789"};
	const char *size = strchr(good, '\n') + 1, *root = size + 2;
	for (gsize i = 0; i <= G_N_ELEMENTS(wrong); i++) {
		bool fine = i == G_N_ELEMENTS(wrong);
		g_autofree char *text = g_strdup_printf("%.*s%s\n%s", (int)(size - good), good,
			fine ? "3" : wrong[i], root);
		g_autofree char *copy = exact_copy(text, strlen(text));
		g_auto(MsCheckpoint) d = {0};
		if (ms_checkpoint_parse(copy, strlen(text), NULL, &d, NULL) != fine)
			g_error("the size \"%s\"", fine ? "3" : wrong[i]);
		g_autofree char *longer = g_strdup_printf("%.*s3\nAAAA%s", (int)(size - good), good, root);
		g_assert_false(ms_checkpoint_parse(longer, strlen(longer), NULL, &d, NULL));
	}
	/* Whoever signed it: what it says in further lines is text, and none of them is empty. */
	static const char *const more[] = {"a note", "a\x1b[2J", "\na note"};
	const char *gap = strstr(good, "\n\n") + 1;
	for (gsize i = 0; i < G_N_ELEMENTS(more); i++) {
		g_autofree char *text = g_strdup_printf(
			"%.*s%s\n%s", (int)(gap - good), good, more[i], gap);
		g_auto(MsCheckpoint) d = {0};
		g_assert_true(
			ms_checkpoint_parse(text, strlen(text), NULL, &d, NULL) == (i == 0));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	dir = scratch_folder();
	g_test_add_func("/tlog/notes", test_notes);
	g_test_add_func("/tlog/tree", test_tree);
	g_test_add_func("/tlog/damage", test_damage);
	g_test_add_func("/tlog/shown", test_shown);
	g_test_add_func("/tlog/recovered", test_recovered);
	g_test_add_func("/tlog/no-descriptors", test_no_descriptors);
	g_test_add_func("/tlog/torn-checkpoint", test_torn_checkpoint);
	g_test_add_func("/tlog/places", test_places);
	g_test_add_func("/tlog/killed", test_killed);
	g_test_add_func("/tlog/rolled", test_rolled);
	g_test_add_func("/tlog/pruned-meanwhile", test_pruned_meanwhile);
	g_test_add_func("/tlog/lost-meanwhile", test_lost_meanwhile);
	g_test_add_func("/tlog/full", test_full);
	g_test_add_func("/tlog/together", test_together);
	g_test_add_func("/tlog/large", test_large);
	int rc = g_test_run();
	remove_folder(dir);
	g_free(dir);
	return rc;
}
