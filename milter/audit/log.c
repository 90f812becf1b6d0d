/*
 * Entries come in, in batches; they are on disk, and under a signed checkpoint, when they are
 * said to be.
 *
 *	lock        held while somebody appends (or, shared, while somebody begins to look)
 *	key, vkey   what signs, and what verifies
 *	head.N      the entries after the last whole bundle, in the form of one; becomes it
 *	latest      the checkpoint of all that is in it, signed anew with every batch
 *	checkpoint, tile/  the same for others, as tlog-tiles: published every so often
 *	minimum     before it, entries may be gone
 *
 *	latest.new  the one before it: the next is written into it, and the two change places;
 *	            who appends keeps both open
 *
 * One fsync a batch: of the head, before `latest` is written.  After a crash the head may have
 * entries that no checkpoint speaks of yet, or half of one: the half is cut off, the others stay,
 * and are told.  Never may it have less than `latest` says.  An open log is one thread's; processes
 * are kept apart by the lock.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/io.h"

#include "note.h"
#include "tlog_private.h"

struct MsTlog {
	char *folder;
	int lock, head_fd;
	int latest_fd, before_fd; /* of latest and latest.new, both or none (-1) */
	dev_t lock_device;
	ino_t lock_inode;
	bool looks, torn_latest;
	bool cannot_change; /* this file system cannot exchange two files */
	MsSigner *signer;
	char *vkey;
	bool held;  /* by another process, when its lock was last tried */
	bool stale; /* an append failed: all is read anew before the next */
	MsCheckpoint latest;
	MsCheckpoint
		known; /* the last one that was ours, or that continued it; its text is not kept */
	guint64 bundles, minimum, recovered;
	MsEdge edge;
	GArray *levels[MS_LEVELS]; /* of MsHash: the last tile, not whole */
	GString *head;
	GArray *slots; /* of the head */
	gsize torn;    /* bytes that were cut off */
};

static bool fails(GError **error, const char *path, const char *what)
{
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "the audit trail %s cannot be %s: %s", path,
		what, g_strerror(errno));
	return false;
}

static bool damaged(const MsTlog *log, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);
static bool damaged(const MsTlog *log, GError **error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *why = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, MS_ERROR, MS_ERROR_INPUT, "the audit trail %s is damaged: %s",
		log->folder, why);
	return false;
}

static guint64 size_of(const MsTlog *log)
{
	return log->bundles * MS_TILE + log->slots->len;
}

/* ---- files ---------------------------------------------------------------------------- */

static bool sync_folder(const char *path, GError **error)
{
	return ms_io_sync_folder(path) || fails(error, path, "written to");
}

static bool make_folder(const char *path, GError **error)
{
	if (g_file_test(path, G_FILE_TEST_IS_DIR))
		return true;
	g_autofree char *parent = g_path_get_dirname(path);
	return (strlen(parent) <= 1 || make_folder(parent, error)) &&
		(ms_io_make_folder(path, 0750) || fails(error, path, "made"));
}

bool ms_tlog_replace_file(
	const char *path, const void *data, gsize len, bool sync, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	return make_folder(folder, error) && (ms_io_replace(path, data, len, 0640, sync) ||
						     fails(error, path, "written to"));
}

static char *path_in(const MsTlog *log, const char *name)
{
	return g_build_filename(log->folder, name, NULL);
}

static char *head_path(const MsTlog *log)
{
	return g_strdup_printf("%s/head.%" G_GUINT64_FORMAT, log->folder, log->bundles);
}

static bool is_there(const MsTlog *log, int level, guint64 n, guint width)
{
	g_autofree char *path = ms_tile_path(log->folder, level, n, width);
	return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* ---- hashes --------------------------------------------------------------------------- */

static void leaves_of(const GArray *slots, MsHash *out)
{
	for (guint i = 0; i < slots->len; i++) {
		const MsSlot *slot = &g_array_index(slots, MsSlot, i);
		ms_merkle_leaf(slot->data, slot->len, &out[i]);
	}
}

static bool read_small(const MsTlog *log, const char *name, char **text_out, GError **error);

/* Of who looks without the lock: were they removed after their time, since he began? */
static bool is_pruned(const MsTlog *log, guint64 n)
{
	g_autofree char *text = NULL;
	return log->looks && (n + 1) * MS_TILE > log->minimum &&
		read_small(log, "minimum", &text, NULL) && text != NULL &&
		(n + 1) * MS_TILE <= g_ascii_strtoull(text, NULL, 10);
}

static GBytes *bundle_of(const MsTlog *log, guint64 n, GError **error)
{
	if (n == log->bundles)
		return g_bytes_new(log->head->str, log->head->len);
	g_autofree char *path = ms_tile_path(log->folder, MS_ENTRIES, n, MS_TILE);
	g_autoptr(GError) why = NULL;
	GBytes *bytes = ms_tile_file(path, &why);
	if (why != NULL)
		g_propagate_error(error, g_steal_pointer(&why));
	else if (bytes == NULL && is_pruned(log, n))
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
			"lines of %s were removed after their time while it was looked at; try again",
			log->folder);
	else if (bytes == NULL)
		damaged(log, error, "the entries from %" G_GUINT64_FORMAT " on are %s", n * MS_TILE,
			(n + 1) * MS_TILE <= log->minimum ? "pruned" : "missing");
	return bytes;
}

static bool tile_read(
	const MsTlog *log, int level, guint64 n, guint width, MsHash *out, GError **error);

/* Those from `from` on, from what is below it. */
static bool tile_make(const MsTlog *log, int level, guint64 n, guint from, guint width, MsHash *out,
	GError **error)
{
	MsHash below[MS_TILE];
	if (level > 0) {
		for (guint i = from; i < width; i++) {
			if (!tile_read(log, level - 1, n * MS_TILE + i, MS_TILE, below, error))
				return false;
			ms_merkle_full(below, MS_TILE, &out[i]);
		}
		return true;
	}
	g_autoptr(GBytes) bytes = bundle_of(log, n, error);
	g_autoptr(GArray) slots = g_array_new(FALSE, FALSE, sizeof(MsSlot));
	gsize len = 0;
	if (bytes == NULL)
		return false;
	const char *data = g_bytes_get_data(bytes, &len);
	if (!ms_bundle_parse(data != NULL ? data : "", len, slots, NULL) || slots->len < width ||
		slots->len > MS_TILE)
		return damaged(log, error,
			"the entries from %" G_GUINT64_FORMAT " on are no bundle of %u",
			n * MS_TILE, width);
	leaves_of(slots, below);
	memcpy(out + from, below + from, (width - from) * sizeof *out);
	return true;
}

/* Of the head there is no tile to be trusted: its entries have not been compared with one. */
static bool tile_read(
	const MsTlog *log, int level, guint64 n, guint width, MsHash *out, GError **error)
{
	g_autoptr(GError) why = NULL;
	bool is_head = level == 0 && n == log->bundles;
	guint have = is_head ? 0 : ms_tile_hashes(log->folder, level, n, width, out, &why);
	if (why != NULL) {
		g_propagate_error(error, g_steal_pointer(&why));
		return false;
	}
	return have == width || tile_make(log, level, n, have, width, out, error);
}

/* The root of the leaves [first, first + 2**height), which are all there. */
static bool node_of(
	const MsTlog *log, guint64 size, guint64 first, guint height, MsHash *out, GError **error)
{
	MsHash hashes[MS_TILE];
	int level = (int)height / 8;
	guint64 at = first >> (8 * level), n = at / MS_TILE;
	guint64 width = MIN((size >> (8 * level)) - n * MS_TILE, MS_TILE);
	if (!tile_read(log, level, n, (guint)width, hashes, error))
		return false;
	ms_merkle_full(hashes + at % MS_TILE, 1u << (height % 8), out);
	return true;
}

/* The tree hash of the leaves [first, last) of a log of `size`. */
static bool range_of(
	const MsTlog *log, guint64 size, guint64 first, guint64 last, MsHash *out, GError **error)
{
	guint64 n = last - first;
	if ((n & (n - 1)) == 0)
		return node_of(log, size, first, (guint)(g_bit_storage((gulong)n) - 1), out, error);
	guint64 k = ms_merkle_split(n);
	MsHash left, right;
	if (!range_of(log, size, first, first + k, &left, error) ||
		!range_of(log, size, first + k, last, &right, error))
		return false;
	ms_merkle_node(&left, &right, out);
	return true;
}

bool ms_tlog_root(MsTlog *log, guint64 size, guint8 root[MS_HASH_BYTES], GError **error)
{
	MsHash hash;
	MsEdge none = {0};
	if (size > size_of(log))
		return damaged(log, error,
			"it has %" G_GUINT64_FORMAT " entries, and had %" G_GUINT64_FORMAT,
			size_of(log), size);
	if (size == 0)
		ms_edge_root(&none, &hash);
	else if (!range_of(log, size_of(log), 0, size, &hash, error))
		return false;
	memcpy(root, hash.bytes, MS_HASH_BYTES);
	return true;
}

/* ---- tiles ---------------------------------------------------------------------------- */

static void made(guint height, const MsHash *node, void *user)
{
	MsTlog *log = user;
	if (height % 8 == 0 && height / 8 < MS_LEVELS)
		g_array_append_vals(log->levels[height / 8], node, 1);
}

/* Partial tiles and bundles whose whole one is there. */
static void remove_partial(const MsTlog *log, int level, guint64 n)
{
	g_autofree char *path = ms_tile_path(log->folder, level, n, MS_TILE);
	g_autofree char *folder = g_strconcat(path, ".p", NULL);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
		g_autofree char *file = g_build_filename(folder, name, NULL);
		unlink(file);
	}
	if (dir != NULL)
		rmdir(folder);
}

/* The tiles that are whole with so many bundles, from the lowest up, without removed ones. */
static bool write_whole(MsTlog *log, guint64 bundles, GError **error)
{
	guint64 n = bundles;
	for (int level = 0; level < MS_LEVELS && n > 0; level++, n /= MS_TILE) {
		MsHash hashes[MS_TILE];
		bool gone = n * ((guint64)MS_TILE << (8 * level)) <= log->minimum;
		if (!gone && !is_there(log, level, n - 1, MS_TILE)) {
			g_autofree char *path = ms_tile_path(log->folder, level, n - 1, MS_TILE);
			if (!tile_make(log, level, n - 1, 0, MS_TILE, hashes, error) ||
				!ms_tlog_replace_file(path, hashes, sizeof hashes, true, error))
				return false;
		}
		remove_partial(log, level, n - 1);
		if (level == 0)
			remove_partial(log, MS_ENTRIES, n - 1);
		if (n % MS_TILE != 0)
			break;
	}
	return true;
}

/* The head, which has all entries of a bundle, becomes it. */
static bool roll(MsTlog *log, GError **error)
{
	g_autofree char *head = head_path(log);
	g_autofree char *bundle = ms_tile_path(log->folder, MS_ENTRIES, log->bundles, MS_TILE);
	g_autofree char *folder = g_path_get_dirname(bundle);
	g_assert(log->slots->len == MS_TILE);
	if (!make_folder(folder, error))
		return false;
	if (g_rename(head, bundle) != 0)
		return fails(error, bundle, "written to");
	ms_io_close(log->head_fd);
	log->head_fd = -1;
	log->bundles++;
	g_string_truncate(log->head, 0);
	g_array_set_size(log->slots, 0);
	for (int level = 0; level < MS_LEVELS; level++)
		if (log->levels[level]->len == MS_TILE)
			g_array_set_size(log->levels[level], 0);
	return sync_folder(folder, error) && sync_folder(log->folder, error) &&
		write_whole(log, log->bundles, error);
}

/* ---- opening -------------------------------------------------------------------------- */

/* A crash may have caught it between two of its states; then there is the one before. */
static bool read_before(const MsTlog *log, MsCheckpoint *out)
{
	g_autofree char *path = path_in(log, "latest.new");
	g_autoptr(GBytes) bytes = ms_tile_file(path, NULL);
	return bytes != NULL &&
		ms_checkpoint_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
			log->vkey, out, NULL);
}

static bool read_latest(MsTlog *log, GError **error)
{
	g_autofree char *path = path_in(log, "latest");
	g_autoptr(GError) why = NULL;
	g_autoptr(GBytes) bytes = ms_tile_file(path, &why);
	MsCheckpoint latest = {0};
	if (why != NULL) {
		g_propagate_error(error, g_steal_pointer(&why));
		return false;
	}
	log->torn_latest = bytes != NULL &&
		!ms_checkpoint_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
			log->vkey, &latest, &why);
	if (log->torn_latest && !read_before(log, &latest))
		return damaged(log, error, "%s: %s", path, why->message);
	ms_checkpoint_clear(&log->latest);
	log->latest = latest;
	return true;
}

static void close_places(MsTlog *log)
{
	ms_io_close(log->latest_fd);
	ms_io_close(log->before_fd);
	log->latest_fd = log->before_fd = -1;
}

static bool open_places(MsTlog *log, const char *path, const char *fresh)
{
	if (log->latest_fd >= 0)
		return true;
	log->latest_fd = ms_io_open(path, O_RDWR | O_NOFOLLOW);
	log->before_fd = ms_io_open(fresh, O_RDWR | O_NOFOLLOW);
	if (log->latest_fd >= 0 && log->before_fd >= 0)
		return true;
	close_places(log);
	return false;
}

/* Is it a file that may become the latest, under a name still? */
static bool takes_text(int fd, gsize len)
{
	struct stat st;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
		st.st_size == (off_t)len;
}

/* Into the file before the last, which then takes the last one's place: no file is made and none
 * removed, which costs more than all else.  Who looks at them has the lock, or takes what is
 * there for a hint.  False: it is to be made. */
static bool change_places(
	MsTlog *log, const char *path, const char *fresh, const char *text, gsize len)
{
	if (log->cannot_change || !open_places(log, path, fresh))
		return false;
	bool changed = takes_text(log->before_fd, len) &&
		pwrite(log->before_fd, text, len, 0) == (ssize_t)len;
	if (changed) {
		changed = renameat2(AT_FDCWD, fresh, AT_FDCWD, path, RENAME_EXCHANGE) == 0;
		log->cannot_change = !changed && (errno == EINVAL || errno == ENOSYS);
	}
	int fd = log->latest_fd;
	log->latest_fd = log->before_fd;
	log->before_fd = fd;
	if (!changed)
		close_places(log);
	return changed;
}

static bool put_latest(MsTlog *log, const char *path, const char *text, GError **error)
{
	g_autofree char *fresh = g_strconcat(path, ".new", NULL);
	gsize len = strlen(text);
	bool first = log->latest.text == NULL;
	if (!first && change_places(log, path, fresh, text, len))
		return true;
	if (!ms_tlog_replace_file(path, text, len, first, error))
		return false;
	/* What the next one is written into; of one that could not be made another is made then. */
	int fd = log->cannot_change
		? -1
		: ms_io_open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
	if (fd >= 0) {
		if (ms_io_write(fd, text, len))
			ms_io_like_folder(fd, fresh);
		close(fd);
	}
	return true;
}

static void know(MsTlog *log)
{
	log->known = log->latest;
	log->known.text = log->known.origin = NULL;
}

static bool write_latest(MsTlog *log, GError **error)
{
	MsHash root;
	ms_edge_root(&log->edge, &root);
	g_autofree char *path = path_in(log, "latest");
	char *text = ms_signer_checkpoint(log->signer, size_of(log), &root);
	if (!put_latest(log, path, text, error)) {
		g_free(text);
		return false;
	}
	ms_checkpoint_clear(&log->latest);
	log->latest = (MsCheckpoint){
		text, g_strdup(ms_signer_name(log->signer)), size_of(log), {0}};
	memcpy(log->latest.root, root.bytes, MS_HASH_BYTES);
	know(log);
	return true;
}

/* Of a small file; NULL: there is none.  False: it is not known whether there is. */
static bool read_small(const MsTlog *log, const char *name, char **text_out, GError **error)
{
	g_autofree char *path = path_in(log, name);
	g_autoptr(GError) why = NULL;
	if (ms_io_contents(path, text_out, NULL, &why) ||
		g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOENT))
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "the audit trail cannot be read: %s",
		why->message);
	return false;
}

static bool read_minimum(MsTlog *log, GError **error)
{
	g_autofree char *text = NULL;
	if (!read_small(log, "minimum", &text, error))
		return false;
	log->minimum = text != NULL ? g_ascii_strtoull(text, NULL, 10) : 0;
	return true;
}

/* The edge, from what each level has of its last tile. */
static bool load_levels(MsTlog *log, GError **error)
{
	guint64 counts[MS_LEVELS] = {0}, n = log->bundles;
	for (int level = 1; level < MS_LEVELS; level++, n /= MS_TILE)
		counts[level] = n;
	log->edge.n = 0;
	for (int level = MS_LEVELS - 1; level >= 0; level--) {
		MsHash hashes[MS_TILE];
		guint width = (guint)(counts[level] % MS_TILE);
		g_array_set_size(log->levels[level], 0);
		if (width > 0 &&
			!tile_read(log, level, counts[level] / MS_TILE, width, hashes, error))
			return false;
		for (guint i = 0; i < width; i++) {
			ms_edge_add(&log->edge, 8 * (guint)level, &hashes[i], NULL, NULL);
			g_array_append_vals(log->levels[level], &hashes[i], 1);
		}
	}
	return true;
}

/* Entries of the head, up to the checkpoint for who only looks. */
static bool load_head(MsTlog *log, GError **error)
{
	g_autofree char *path = head_path(log);
	g_autoptr(GError) why = NULL;
	g_autoptr(GBytes) bytes = ms_tile_file(path, &why);
	gsize len = 0, whole = 0;
	if (why != NULL) {
		g_propagate_error(error, g_steal_pointer(&why));
		return false;
	}
	const char *data = bytes != NULL ? g_bytes_get_data(bytes, &len) : "";
	g_string_truncate(log->head, 0);
	g_string_append_len(log->head, data, (gssize)len);
	ms_bundle_parse(log->head->str, log->head->len, log->slots, &whole);
	log->torn = len - whole;
	g_string_truncate(log->head, whole);
	if (log->slots->len > MS_TILE)
		return damaged(log, error, "%s has more entries than a bundle", path);
	guint64 first = log->bundles * MS_TILE;
	if (log->looks && log->latest.size >= first && first + log->slots->len > log->latest.size) {
		log->recovered = first + log->slots->len - log->latest.size;
		g_array_set_size(log->slots, (guint)(log->latest.size - first));
		gsize end = 0;
		for (guint i = 0; i < log->slots->len; i++)
			end += 2 + g_array_index(log->slots, MsSlot, i).len;
		g_string_truncate(log->head, end);
	}
	return true;
}

static bool check_latest(MsTlog *log, GError **error)
{
	guint8 root[MS_HASH_BYTES];
	if (log->latest.text == NULL)
		return size_of(log) == 0 || damaged(log, error, "its latest checkpoint is gone");
	if (log->latest.size > size_of(log))
		return damaged(log, error,
			"it has %" G_GUINT64_FORMAT
			" entries, and its checkpoint says %" G_GUINT64_FORMAT,
			size_of(log), log->latest.size);
	if (!ms_tlog_root(log, log->latest.size, root, error))
		return false;
	return memcmp(root, log->latest.root, sizeof root) == 0 ||
		damaged(log, error, "its entries are not those that were signed");
}

/* All of it, anew. */
static bool load(MsTlog *log, GError **error)
{
	ms_io_close(log->head_fd);
	log->head_fd = -1;
	close_places(log);
	if (!read_latest(log, error) || !read_minimum(log, error))
		return false;
	log->bundles = log->latest.size / MS_TILE;
	/* A head that is full becomes a bundle with the next entry only. */
	while (log->bundles > 0 && !is_there(log, MS_ENTRIES, log->bundles - 1, MS_TILE)) {
		g_autofree char *head = g_strdup_printf(
			"%s/head.%" G_GUINT64_FORMAT, log->folder, log->bundles - 1);
		if (!g_file_test(head, G_FILE_TEST_EXISTS)) {
			if (log->bundles * MS_TILE <= log->minimum)
				break;
			return damaged(log, error,
				"the entries from %" G_GUINT64_FORMAT " on are missing",
				(log->bundles - 1) * MS_TILE);
		}
		log->bundles--;
	}
	while (is_there(log, MS_ENTRIES, log->bundles, MS_TILE))
		log->bundles++;
	if (!load_levels(log, error) || !load_head(log, error) || !check_latest(log, error))
		return false;
	MsHash leaves[MS_TILE];
	leaves_of(log->slots, leaves);
	for (guint i = 0; i < log->slots->len; i++)
		ms_edge_add(&log->edge, 0, &leaves[i], made, log);
	return true;
}

bool ms_tlog_continues(MsTlog *log, const MsCheckpoint *before, GError **error)
{
	guint8 root[MS_HASH_BYTES];
	if (before->size == 0 || before->size < log->minimum)
		return true; /* what it would be compared with is pruned */
	return ms_tlog_root(log, before->size, root, error) &&
		(memcmp(root, before->root, sizeof root) == 0 ||
			damaged(log, error,
				"its first %" G_GUINT64_FORMAT " entries are not those that it had",
				before->size));
}

/* What a crash has left is finished. */
static bool mend(MsTlog *log, GError **error)
{
	g_autofree char *path = head_path(log);
	if (log->torn > 0 && truncate(path, (off_t)log->head->len) != 0)
		return fails(error, path, "mended");
	if (!write_whole(log, log->bundles, error))
		return false;
	if (log->latest.text != NULL && log->latest.size == size_of(log) && !log->torn_latest)
		return true;
	log->recovered += size_of(log) - log->latest.size;
	return write_latest(log, error);
}

static MsTlog *log_new(const char *folder, bool looks)
{
	MsTlog *log = g_new0(MsTlog, 1);
	log->folder = g_strdup(folder);
	log->looks = looks;
	log->lock = log->head_fd = log->latest_fd = log->before_fd = -1;
	log->head = g_string_new(NULL);
	log->slots = g_array_new(FALSE, FALSE, sizeof(MsSlot));
	for (int i = 0; i < MS_LEVELS; i++)
		log->levels[i] = g_array_new(FALSE, FALSE, sizeof(MsHash));
	return log;
}

void ms_tlog_free(MsTlog *log)
{
	if (log == NULL)
		return;
	ms_io_close(log->lock);
	ms_io_close(log->head_fd);
	close_places(log);
	ms_signer_free(log->signer);
	ms_checkpoint_clear(&log->latest);
	g_free(log->vkey);
	g_string_free(log->head, TRUE);
	g_array_unref(log->slots);
	for (int i = 0; i < MS_LEVELS; i++)
		g_array_unref(log->levels[i]);
	g_free(log->folder);
	g_free(log);
}

/* One that has it and does not let go (it was stopped, or is no program of ours) keeps no mail
 * waiting for good. */
static bool take_lock(MsTlog *log, int how, GError **error)
{
	bool taken = ms_io_lock(log->lock, how, log->held ? MS_IO_PROBE_MS : MS_IO_LOCK_MS);
	log->held = !taken && errno == EWOULDBLOCK;
	if (log->held)
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
			"the audit trail %s is locked by another process", log->folder);
	return taken || log->held ? taken : fails(error, log->folder, "locked");
}

static bool read_vkey(MsTlog *log, char **name_out, GError **error)
{
	g_autofree char *path = path_in(log, "vkey");
	if (!read_small(log, "vkey", &log->vkey, error))
		return false;
	if (log->vkey == NULL)
		return damaged(log, error, "%s is missing", path);
	g_strstrip(log->vkey);
	*name_out = ms_vkey_name(log->vkey);
	return *name_out != NULL || damaged(log, error, "%s is no verifier key", path);
}

/* Makes what a new log has. */
static bool found(MsTlog *log, const char *origin, GError **error)
{
	g_autofree char *key = path_in(log, "key"), *vkey = path_in(log, "vkey");
	if (g_file_test(vkey, G_FILE_TEST_EXISTS))
		return true;
	g_autofree char *latest = path_in(log, "latest");
	if (g_file_test(latest, G_FILE_TEST_EXISTS))
		return damaged(log, error, "%s is missing", vkey);
	if (!ms_signer_create(key, error))
		return false;
	g_autoptr(MsSigner) signer = ms_signer_load(key, origin, error);
	if (signer == NULL)
		return false;
	g_autofree char *text = ms_signer_vkey(signer);
	g_autofree char *line = g_strconcat(text, "\n", NULL);
	return ms_tlog_replace_file(vkey, line, strlen(line), true, error);
}

static bool open_keys(MsTlog *log, GError **error)
{
	g_autofree char *name = NULL, *path = path_in(log, "key");
	if (!read_vkey(log, &name, error))
		return false;
	log->signer = ms_signer_load(path, name, error);
	if (log->signer == NULL)
		return false;
	g_autofree char *vkey = ms_signer_vkey(log->signer);
	return strcmp(vkey, log->vkey) == 0 || damaged(log, error, "%s is another log's key", path);
}

static bool open_lock(MsTlog *log, bool create, GError **error)
{
	g_autofree char *path = path_in(log, "lock");
	bool there = !create || ms_io_make(path, "", 0, 0640, NULL);
	log->lock = there ? ms_io_open(path, O_RDONLY | O_NOFOLLOW) : -1;
	struct stat st;
	if (log->lock < 0 && !create && errno == ENOENT)
		return damaged(log, error, "no trail is in it (is a disk mounted over it?)");
	if (log->lock < 0 || fstat(log->lock, &st) != 0)
		return fails(error, path, "opened");
	log->lock_device = st.st_dev;
	log->lock_inode = st.st_ino;
	return true;
}

MsTlog *ms_tlog_open(const char *folder, const char *origin, GError **error)
{
	g_autoptr(MsTlog) log = log_new(folder, false);
	g_autofree char *parent = g_path_get_dirname(folder);
	if (!g_file_test(parent, G_FILE_TEST_IS_DIR)) {
		errno = ENOENT;
		fails(error, folder, "opened");
		return NULL;
	}
	if ((origin != NULL && !make_folder(folder, error)) ||
		!open_lock(log, origin != NULL, error) || !take_lock(log, LOCK_EX, error))
		return NULL;
	bool fine = (origin == NULL || found(log, origin, error)) && open_keys(log, error) &&
		load(log, error) && mend(log, error);
	know(log);
	flock(log->lock, LOCK_UN);
	return fine ? g_steal_pointer(&log) : NULL;
}

bool ms_tlog_is_there(const MsTlog *log)
{
	g_autofree char *path = path_in(log, "lock");
	struct stat there;
	return stat(path, &there) == 0 && there.st_ino == log->lock_inode &&
		there.st_dev == log->lock_device;
}

MsTlog *ms_tlog_look(const char *folder, GError **error)
{
	g_autoptr(MsTlog) log = log_new(folder, true);
	g_autofree char *name = NULL;
	if (!open_lock(log, false, error) || !take_lock(log, LOCK_SH, error))
		return NULL;
	bool fine = read_vkey(log, &name, error) && load(log, error);
	flock(log->lock, LOCK_UN);
	return fine ? g_steal_pointer(&log) : NULL;
}

/* ---- appending ------------------------------------------------------------------------ */

static bool open_head(MsTlog *log, GError **error)
{
	if (log->head_fd >= 0)
		return true;
	g_autofree char *path = head_path(log);
	log->head_fd = ms_io_open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW);
	if (log->head_fd < 0)
		return fails(error, path, "opened");
	ms_io_like_folder(log->head_fd, path);
	return sync_folder(log->folder, error);
}

/* As it was before; who fails at that reads all anew. */
static bool take_back(MsTlog *log, gsize len)
{
	g_string_truncate(log->head, len);
	return ftruncate(log->head_fd, (off_t)len) == 0;
}

/* Where the entries of the head are, of which those before `from` were at `before`. */
static void set_slots(MsTlog *log, const char *before, gsize from)
{
	if (log->head->str != before) {
		ms_bundle_parse(log->head->str, log->head->len, log->slots, NULL);
		return;
	}
	g_autoptr(GArray) more = g_array_new(FALSE, FALSE, sizeof(MsSlot));
	ms_bundle_parse(log->head->str + from, log->head->len - from, more, NULL);
	g_array_append_vals(log->slots, more->data, more->len);
}

static bool write_head(MsTlog *log, gsize from, GError **error)
{
	if (ms_io_write(log->head_fd, log->head->str + from, log->head->len - from) &&
		fdatasync(log->head_fd) == 0)
		return true;
	g_autofree char *path = head_path(log);
	fails(error, path, "written to");
	if (!take_back(log, from))
		g_prefix_error(error, "(a part of a line is left) ");
	return false;
}

/* As many as the head has room for. */
static bool append_some(MsTlog *log, const MsEntryText *entries, guint n, GError **error)
{
	gsize before = log->head->len;
	const char *place = log->head->str;
	if (!open_head(log, error))
		return false;
	for (guint i = 0; i < n; i++) {
		const guint8 prefix[2] = {(guint8)(entries[i].len >> 8), (guint8)entries[i].len};
		g_string_append_len(log->head, (const char *)prefix, sizeof prefix);
		g_string_append_len(log->head, entries[i].data, (gssize)entries[i].len);
	}
	if (!write_head(log, before, error))
		return false;
	set_slots(log, place, before);
	for (guint i = 0; i < n; i++) {
		MsHash leaf;
		ms_merkle_leaf(entries[i].data, entries[i].len, &leaf);
		ms_edge_add(&log->edge, 0, &leaf, made, log);
	}
	if (write_latest(log, error))
		return true;
	take_back(log, before);
	return false;
}

/* The file that we have open is under its name, and has this text. */
static bool is_open_latest(const MsTlog *log, const char *path, const char *text)
{
	char now[1024]; /* of a longer one all is read anew */
	gsize len = strlen(text);
	return len < sizeof now && ms_io_has_name(log->latest_fd, path) &&
		pread(log->latest_fd, now, sizeof now, 0) == (ssize_t)len &&
		memcmp(now, text, len) == 0;
}

/* Is the file of the last checkpoint what it was?  Its text alone tells: two lines of another
 * program within one tick of the file system's clock bring the same file back, with the same
 * time. */
static bool is_latest(const MsTlog *log)
{
	g_autofree char *path = path_in(log, "latest");
	const char *mine = log->latest.text;
	if (log->latest_fd >= 0)
		return mine != NULL && is_open_latest(log, path, mine);
	g_autoptr(GBytes) there = ms_tile_file(path, NULL);
	if (there == NULL || mine == NULL)
		return there == NULL && mine == NULL;
	return g_bytes_get_size(there) == strlen(mine) &&
		memcmp(g_bytes_get_data(there, NULL), mine, strlen(mine)) == 0;
}

/* ... and the head?  One that was killed may have left a line, or a part of one, behind it. */
static bool is_head(const MsTlog *log)
{
	g_autofree char *path = head_path(log);
	struct stat st;
	if (log->head_fd >= 0 && !ms_io_has_name(log->head_fd, path))
		return false;
	if (stat(path, &st) != 0)
		return errno == ENOENT && log->head->len == 0;
	return (guint64)st.st_size == log->head->len;
}

/* Has another process appended since, or begun to? */
static bool refresh(MsTlog *log, GError **error)
{
	if (!log->stale && is_latest(log) && is_head(log))
		return true;
	log->stale = true;
	if (!load(log, error) || !ms_tlog_continues(log, &log->known, error) || !mend(log, error))
		return false;
	log->stale = false;
	know(log);
	return true;
}

static bool append(
	MsTlog *log, const MsEntryText *entries, guint n, guint *done_out, GError **error)
{
	if (!refresh(log, error))
		return false;
	for (guint some; *done_out < n; *done_out += some) {
		if (log->slots->len == MS_TILE && !roll(log, error))
			return false;
		some = MIN(n - *done_out, MS_TILE - log->slots->len);
		if (!append_some(log, entries + *done_out, some, error))
			return false;
	}
	return true;
}

bool ms_tlog_append(
	MsTlog *log, const MsEntryText *entries, guint n, guint *done_out, GError **error)
{
	*done_out = 0;
	g_assert(!log->looks);
	for (guint i = 0; i < n; i++)
		g_assert(entries[i].len <= MS_TLOG_MAX_ENTRY);
	if (!take_lock(log, LOCK_EX, error))
		return false;
	bool fine = append(log, entries, n, done_out, error);
	if (!fine)
		log->stale = true;
	flock(log->lock, LOCK_UN);
	return fine;
}

/* ---- for others ----------------------------------------------------------------------- */

static bool publish_tiles(MsTlog *log, guint64 size, GError **error)
{
	for (int level = MS_ENTRIES; level < MS_LEVELS; level++) {
		guint64 at = level == MS_ENTRIES ? size : size >> (8 * level);
		guint width = (guint)(at % MS_TILE);
		if (at == 0)
			break;
		if (width == 0 || is_there(log, level, at / MS_TILE, width))
			continue;
		MsHash hashes[MS_TILE];
		g_autofree char *path = ms_tile_path(log->folder, level, at / MS_TILE, width);
		if (level != MS_ENTRIES &&
			!tile_read(log, level, at / MS_TILE, width, hashes, error))
			return false;
		const void *data = level == MS_ENTRIES ? (const void *)log->head->str : hashes;
		gsize len = level == MS_ENTRIES ? log->head->len : width * sizeof *hashes;
		if (!ms_tlog_replace_file(path, data, len, false, error))
			return false;
	}
	return true;
}

static bool publish(MsTlog *log, GError **error)
{
	if (!refresh(log, error) || (log->slots->len == MS_TILE && !roll(log, error)))
		return false;
	if (log->latest.text == NULL)
		return true;
	g_autofree char *path = path_in(log, "checkpoint");
	return publish_tiles(log, log->latest.size, error) &&
		ms_tlog_replace_file(path, log->latest.text, strlen(log->latest.text), true, error);
}

bool ms_tlog_publish(MsTlog *log, GError **error)
{
	g_assert(!log->looks);
	if (!take_lock(log, LOCK_EX, error))
		return false;
	bool fine = publish(log, error);
	flock(log->lock, LOCK_UN);
	return fine;
}

/* Whole files whose last entry is before `minimum`: upwards as far as there are any, and downwards
 * what one that was killed at it has left. */
static void remove_before(const MsTlog *log, int level, guint64 from, guint64 minimum)
{
	guint64 each = (guint64)MS_TILE << (level == MS_ENTRIES ? 0 : 8 * level), n = from / each;
	bool more = true;
	for (; (n + 1) * each <= minimum; n++) {
		g_autofree char *path = ms_tile_path(log->folder, level, n, MS_TILE);
		unlink(path);
	}
	while (more && n > 0) {
		g_autofree char *path = ms_tile_path(log->folder, level, --n, MS_TILE);
		more = unlink(path) == 0 || n * each >= from;
	}
}

static bool write_minimum(MsTlog *log, guint64 minimum, GError **error)
{
	g_autofree char *path = path_in(log, "minimum");
	g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT "\n", minimum);
	if (minimum > size_of(log))
		return damaged(log, error, "%" G_GUINT64_FORMAT " is beyond its end", minimum);
	/* What is made of tiles that go has to be there. */
	if (!publish(log, error) || !ms_tlog_replace_file(path, text, strlen(text), true, error))
		return false;
	log->minimum = minimum;
	return true;
}

static bool prune(MsTlog *log, guint64 minimum, GError **error)
{
	if (!refresh(log, error))
		return false;
	guint64 before = log->minimum;
	if (minimum > before && !write_minimum(log, minimum, error))
		return false;
	for (int level = MS_ENTRIES; level < MS_LEVELS; level++)
		remove_before(log, level, before, log->minimum);
	return true;
}

bool ms_tlog_prune(MsTlog *log, guint64 minimum, GError **error)
{
	g_assert(!log->looks);
	if (!take_lock(log, LOCK_EX, error))
		return false;
	bool fine = prune(log, minimum, error);
	flock(log->lock, LOCK_UN);
	return fine;
}

/* ---- asking --------------------------------------------------------------------------- */

const MsCheckpoint *ms_tlog_checkpoint(const MsTlog *log)
{
	return &log->latest;
}

const char *ms_tlog_vkey(const MsTlog *log)
{
	return log->vkey;
}

guint64 ms_tlog_minimum(const MsTlog *log)
{
	return log->minimum;
}

guint64 ms_tlog_recovered(MsTlog *log)
{
	guint64 n = log->recovered;
	log->recovered = 0;
	return n;
}

bool ms_tlog_each(MsTlog *log, guint64 first, MsTakeEntry take, void *user, GError **error)
{
	g_autoptr(GArray) slots = g_array_new(FALSE, FALSE, sizeof(MsSlot));
	first = MAX(first, log->minimum / MS_TILE * MS_TILE);
	for (guint64 n = first / MS_TILE; n <= log->bundles; n++) {
		g_autoptr(GBytes) bytes = bundle_of(log, n, error);
		gsize len = 0;
		if (bytes == NULL)
			return false;
		const char *data = g_bytes_get_data(bytes, &len);
		if (!ms_bundle_parse(data != NULL ? data : "", len, slots, NULL) ||
			(n < log->bundles && slots->len != MS_TILE))
			return damaged(log, error,
				"the entries from %" G_GUINT64_FORMAT " on are no bundle",
				n * MS_TILE);
		for (guint i = n * MS_TILE < first ? (guint)(first % MS_TILE) : 0; i < slots->len;
			i++) {
			const MsSlot *slot = &g_array_index(slots, MsSlot, i);
			if (!take(n * MS_TILE + i, slot->data, slot->len, user, error))
				return error == NULL || *error == NULL;
		}
	}
	return true;
}

static bool take_one(guint64 index, const char *data, gsize len, void *user, GError **error)
{
	(void)index, (void)error;
	*(GBytes **)user = g_bytes_new(data, len);
	return false;
}

GBytes *ms_tlog_entry(MsTlog *log, guint64 index, GError **error)
{
	GBytes *entry = NULL;
	if (index >= size_of(log) || index < log->minimum / MS_TILE * MS_TILE) {
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT,
			"there is no entry %" G_GUINT64_FORMAT ": the trail has %" G_GUINT64_FORMAT
			" to %" G_GUINT64_FORMAT,
			index, log->minimum / MS_TILE * MS_TILE, size_of(log) - 1);
		return NULL;
	}
	return ms_tlog_each(log, index, take_one, &entry, error) ? entry : NULL;
}

/* RFC 6962, 2.1.1: from the leaf upwards. */
bool ms_tlog_prove(MsTlog *log, guint64 index, MsProof *out, GError **error)
{
	guint64 size = size_of(log), first = 0, last = size;
	MsHash path[MS_PROOF_MAX];
	guint n = 0;
	if (size > 0 && index >= size)
		return ms_fail_input(error,
			"there is no entry %" G_GUINT64_FORMAT ": the last one is %" G_GUINT64_FORMAT,
			index, size - 1);
	if (index >= size || log->latest.text == NULL)
		return damaged(log, error, "there is no entry %" G_GUINT64_FORMAT, index);
	while (last - first > 1) {
		guint64 middle = first + ms_merkle_split(last - first);
		bool left = index < middle;
		if (!range_of(log, size, left ? middle : first, left ? last : middle, &path[n++],
			    error))
			return false;
		*(left ? &last : &first) = middle;
	}
	MsProof proof = {.index = index, .n = n};
	for (guint i = 0; i < n; i++)
		memcpy(proof.hashes[i], path[n - 1 - i].bytes, MS_HASH_BYTES);
	if (!ms_checkpoint_parse(log->latest.text, strlen(log->latest.text), log->vkey,
		    &proof.checkpoint, error))
		return false;
	*out = proof;
	return true;
}

/* RFC 6962, 2.1.2, from the largest subtree on; turned round at the end. */
bool ms_tlog_consistency(
	MsTlog *log, guint64 old, guint8 hashes[][MS_HASH_BYTES], guint *n_out, GError **error)
{
	guint64 size = size_of(log), first = 0, last = size, m = old;
	MsHash path[MS_PROOF_MAX];
	guint n = 0;
	bool whole = true;
	if (old > size)
		return damaged(log, error, "it never had %" G_GUINT64_FORMAT " entries", old);
	*n_out = 0;
	if (old == 0 || old == size)
		return true;
	while (m != last - first) {
		guint64 k = ms_merkle_split(last - first), middle = first + k;
		bool left = m <= k;
		if (!range_of(log, size, left ? middle : first, left ? last : middle, &path[n++],
			    error))
			return false;
		if (left) {
			last = middle;
		} else {
			first = middle;
			m -= k;
			whole = false;
		}
	}
	if (!whole && !range_of(log, size, first, last, &path[n++], error))
		return false;
	for (guint i = 0; i < n; i++)
		memcpy(hashes[i], path[n - 1 - i].bytes, MS_HASH_BYTES);
	*n_out = n;
	return true;
}
