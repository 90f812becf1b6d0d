/*
 * The files of a log come in; what is wrong with it goes out.  All entries are hashed, by all
 * processors, and compared with what the tiles and the checkpoints say: where they differ tells
 * where it was changed.  Nothing here is taken from how the log is written (log.c) but the names
 * of its files, and two things that are no damage: files that were removed after their time since
 * it was begun (begun again, or MS_ERROR_RETRY), and tiles of a last bundle behind which nothing
 * is (who made it was killed, and they are made with the next line; its entries are what the latest
 * checkpoint was signed for).  Threads for this alone, one a processor; who asks waits for them.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/io.h"
#include "missent/sign.h"

#include "note.h"
#include "tlog_private.h"

#define AT_ONCE 16  /* bundles that are in memory */
#define MAX_TOLD 20 /* entries of one bundle */
#define MAX_THREADS 16
#define MAX_BUNDLE (MS_TILE * (MS_TLOG_MAX_ENTRY + 2))

typedef struct {
	guint64 number;
	bool last;  /* the head */
	bool there; /* false: missing */
	bool ready; /* it is hashed */
	char *data; /* its room is used again for another */
	gsize len, room;
	char *trouble; /* why it could not be read */
	GArray *slots;
	gsize torn; /* bytes after the last whole entry */
	MsHash leaves[MS_TILE + 1], root;
	bool differs[MS_TILE]; /* from what its tile has */
	guint n;
} Bundle;

typedef struct {
	const char *folder;
	MsWrong wrong;
	MsTakeEntry take;
	void *user;
	MsTlogVerified *out;
	char *vkey;
	MsCheckpoint latest, published;
	guint64 minimum, size; /* entries that are there, or were */
	guint64 bundles;       /* whole ones, when it was begun */
	GBytes *head;          /* what comes after them */
	MsEdge edge;
	bool broken; /* from here on no root can be right, and none is asked for */
	bool pruned; /* what it needs was removed after its time, since it was begun */
	bool shown;  /* an entry was given to who asks */
	GArray *levels[MS_LEVELS];
	guint64 done[MS_LEVELS];
} Check;

static void tell(Check *c, guint64 index, const char *format, ...) G_GNUC_PRINTF(3, 4);
static void tell(Check *c, guint64 index, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *why = g_strdup_vprintf(format, args);
	va_end(args);
	c->out->wrong++;
	c->wrong(index, why, c->user);
}

static guint64 read_number(const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(folder, name, NULL), *text = NULL;
	return ms_io_contents(path, &text, NULL, NULL) ? g_ascii_strtoull(text, NULL, 10) : 0;
}

/* A file of the entries before `end` is missing: were they removed after their time?  That they may
 * be is written before they are. */
static bool is_pruned(Check *c, guint64 end)
{
	guint64 minimum = c->minimum < end ? read_number(c->folder, "minimum") : 0;
	c->pruned = c->pruned || minimum >= end;
	return minimum >= end;
}

/* Is the entry before `end` the last one of all? */
static bool is_end(const Check *c, guint64 end)
{
	return c->latest.text != NULL && c->latest.size == end && end == c->bundles * MS_TILE &&
		(c->head == NULL || g_bytes_get_size(c->head) == 0);
}

/* ---- bundles -------------------------------------------------------------------------- */

static void set_trouble(Bundle *b, const char *path, const char *why)
{
	b->there = false;
	b->trouble = g_strdup_printf("%s: %s", path, why);
}

static bool read_all(int fd, char *data, gsize len)
{
	for (gsize got = 0; got < len;) {
		ssize_t n = read(fd, data + got, len - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		got += (gsize)n;
	}
	return true;
}

/* In the thread that hashes it, into room that is there already: to read costs as much as to
 * hash. */
static void load_bundle(const char *folder, Bundle *b)
{
	g_autofree char *path = ms_tile_path(folder, MS_ENTRIES, b->number, MS_TILE);
	struct stat st;
	int fd = ms_io_open(path, O_RDONLY);
	b->there = fd >= 0;
	if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
		set_trouble(b, path, g_strerror(errno));
	if (fd < 0)
		return;
	if (fstat(fd, &st) != 0 || st.st_size > MAX_BUNDLE) {
		set_trouble(b, path, "it is no file of a bundle");
	} else {
		b->len = (gsize)st.st_size;
		if (b->len > b->room) {
			b->room = b->len + b->len / 4;
			g_free(b->data);
			b->data = g_malloc(b->room);
		}
		if (!read_all(fd, b->data, b->len))
			set_trouble(b, path, "it cannot be read");
	}
	close(fd);
}

/* The byte before an entry is the second one of its length, which has been read: what RFC 6962 puts
 * before a leaf takes its place, so that it is hashed in one piece. */
static void hash_leaf(const Bundle *b, const MsSlot *slot, MsHash *out)
{
	char *leaf = b->data + (slot->data - b->data) - 1;
	*leaf = 0;
	ms_sha256_of(leaf, slot->len + 1, out->bytes);
}

static void hash_bundle(const char *folder, Bundle *b)
{
	gsize whole = 0;
	b->n = 0;
	b->torn = 0;
	memset(b->differs, 0, sizeof b->differs);
	if (!b->last)
		load_bundle(folder, b);
	if (!b->there)
		return;
	ms_bundle_parse(b->len > 0 ? b->data : "", b->len, b->slots, &whole);
	b->torn = b->len - whole;
	b->n = MIN(b->slots->len, MS_TILE + 1);
	for (guint i = 0; i < b->n; i++)
		hash_leaf(b, &g_array_index(b->slots, MsSlot, i), &b->leaves[i]);
	if (b->n == MS_TILE)
		ms_merkle_full(b->leaves, MS_TILE, &b->root);
}

/* As it was when the lock was held. */
static void take_head(GBytes *head, Bundle *b)
{
	b->there = head != NULL;
	b->len = b->there ? g_bytes_get_size(head) : 0;
	g_free(b->data);
	b->data = b->there ? g_memdup2(g_bytes_get_data(head, NULL), b->len) : NULL;
	b->room = b->len;
}

/* Who compares and the threads that read and hash share a ring of bundles: they go on while he
 * looks at the ones before, and he hashes too where he would wait. */
typedef struct {
	const char *folder;
	GBytes *head;       /* the last one */
	guint64 next, last; /* the next one to be taken, and the last one */
	guint64 first;      /* the oldest one in the ring: it is compared */
	bool over;          /* an error: nobody needs the rest */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	Bundle ring[AT_ONCE];
	pthread_t threads[MAX_THREADS];
	guint n_threads;
} Hashing;

/* NULL: there is none to be taken now.  The lock is held. */
static Bundle *take_bundle(Hashing *h)
{
	if (h->over || h->next > h->last || h->next >= h->first + AT_ONCE)
		return NULL;
	Bundle *b = &h->ring[h->next % AT_ONCE];
	b->number = h->next++;
	b->last = b->number == h->last;
	b->ready = false;
	return b;
}

/* The next one that nobody has begun with, or until something has changed.  The lock is held,
 * before and after. */
static void hash_or_wait(Hashing *h)
{
	Bundle *b = take_bundle(h);
	if (b == NULL) {
		pthread_cond_wait(&h->changed, &h->lock);
		return;
	}
	pthread_mutex_unlock(&h->lock);
	if (b->last)
		take_head(h->head, b);
	hash_bundle(h->folder, b);
	pthread_mutex_lock(&h->lock);
	b->ready = true;
	pthread_cond_broadcast(&h->changed);
}

static void *hash_some(void *user)
{
	Hashing *h = user;
	pthread_mutex_lock(&h->lock);
	while (!h->over && h->next <= h->last)
		hash_or_wait(h);
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

static Hashing *hashing_new(const char *folder, GBytes *head, guint64 first, guint64 last)
{
	Hashing *h = g_new0(Hashing, 1);
	h->folder = folder;
	h->head = head;
	h->next = h->first = first;
	h->last = last;
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->changed, NULL);
	for (guint i = 0; i < AT_ONCE; i++)
		h->ring[i].slots = g_array_sized_new(FALSE, FALSE, sizeof(MsSlot), MS_TILE + 1);
	guint most = MIN(g_get_num_processors(), MAX_THREADS);
	while (h->n_threads + 1 < most && last - first > h->n_threads &&
		ms_io_thread(&h->threads[h->n_threads], "audit hashes", hash_some, h))
		h->n_threads++;
	return h;
}

static void hashing_free(Hashing *h)
{
	pthread_mutex_lock(&h->lock);
	h->over = true;
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
	for (guint i = 0; i < h->n_threads; i++)
		pthread_join(h->threads[i], NULL);
	for (guint i = 0; i < AT_ONCE; i++) {
		g_array_unref(h->ring[i].slots);
		g_free(h->ring[i].data);
		g_free(h->ring[i].trouble);
	}
	pthread_cond_destroy(&h->changed);
	pthread_mutex_destroy(&h->lock);
	g_free(h);
}

/* The next one, hashed; until give_back(). */
static Bundle *next_bundle(Hashing *h)
{
	pthread_mutex_lock(&h->lock);
	Bundle *wanted = &h->ring[h->first % AT_ONCE];
	while (h->next <= h->first || !wanted->ready)
		hash_or_wait(h);
	pthread_mutex_unlock(&h->lock);
	return wanted;
}

static void give_back(Hashing *h, Bundle *b)
{
	g_clear_pointer(&b->trouble, g_free);
	pthread_mutex_lock(&h->lock);
	h->first++;
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
}

/* ---- tiles ---------------------------------------------------------------------------- */

static GBytes *read_tile(Check *c, int level, guint64 n)
{
	g_autofree char *path = ms_tile_path(c->folder, level, n, MS_TILE);
	g_autoptr(GError) error = NULL;
	GBytes *bytes = ms_tile_file(path, &error);
	if (error != NULL)
		tell(c, n * MS_TILE, "%s", error->message);
	return bytes;
}

/* What the tile has, against what its entries have. */
static void compare_leaves(Check *c, Bundle *b)
{
	g_autoptr(GBytes) tile = read_tile(c, 0, b->number);
	guint64 first = b->number * MS_TILE, end = first + MS_TILE;
	if (tile == NULL && (is_end(c, end) || is_pruned(c, end)))
		return;
	if (tile == NULL || g_bytes_get_size(tile) != MS_TILE * sizeof(MsHash)) {
		tell(c, first, "tile 0/%" G_GUINT64_FORMAT " is %s", b->number,
			tile == NULL ? "missing" : "cut short");
		return;
	}
	const MsHash *want = g_bytes_get_data(tile, NULL);
	guint differ = 0;
	for (guint i = 0; i < MIN(b->n, MS_TILE); i++) {
		b->differs[i] = memcmp(&want[i], &b->leaves[i], sizeof *want) != 0;
		if (b->differs[i] && differ++ < MAX_TOLD)
			tell(c, first + i, "the entry is not the one that was written");
	}
	if (differ > MAX_TOLD)
		tell(c, first, "%u more entries of this bundle are not those that were written",
			differ - MAX_TOLD);
}

static void add_level(guint height, const MsHash *node, void *user)
{
	Check *c = user;
	if (height % 8 == 0 && height > 0 && height / 8 < MS_LEVELS)
		g_array_append_vals(c->levels[height / 8], node, 1);
}

/* Tiles of higher levels, when all that is below them is known. */
static void compare_levels(Check *c)
{
	for (int level = 1; level < MS_LEVELS && c->levels[level]->len == MS_TILE; level++) {
		guint64 n = c->done[level]++;
		guint64 each = (guint64)MS_TILE << (8 * level), first = n * each;
		g_autoptr(GBytes) tile = read_tile(c, level, n);
		bool awaited = tile == NULL &&
			(is_end(c, first + each) || is_pruned(c, first + each));
		if (tile == NULL && !awaited)
			tell(c, first, "tile %d/%" G_GUINT64_FORMAT " is missing", level, n);
		else if (tile != NULL &&
			(g_bytes_get_size(tile) != MS_TILE * sizeof(MsHash) ||
				memcmp(g_bytes_get_data(tile, NULL), c->levels[level]->data,
					MS_TILE * sizeof(MsHash)) != 0))
			tell(c, first,
				"tile %d/%" G_GUINT64_FORMAT
				" does not agree with what is below it",
				level, n);
		g_array_set_size(c->levels[level], 0);
	}
}

/* Does a checkpoint of this size agree? */
static void compare_root(Check *c, const MsCheckpoint *checkpoint, const char *name)
{
	MsHash root;
	if (checkpoint->text == NULL || c->size != checkpoint->size)
		return;
	ms_edge_root(&c->edge, &root);
	if (!c->broken && memcmp(root.bytes, checkpoint->root, MS_HASH_BYTES) != 0)
		tell(c, c->size,
			"the first %" G_GUINT64_FORMAT
			" entries are not those that %s was signed for",
			c->size, name);
}

static void add_leaf(Check *c, const MsHash *leaf)
{
	ms_edge_add(&c->edge, 0, leaf, add_level, c);
	c->size++;
	compare_root(c, &c->latest, "the latest checkpoint");
	compare_root(c, &c->published, "the published checkpoint");
}

/* Is a checkpoint's size within it? */
static bool ends_within(const Check *c, const MsCheckpoint *checkpoint)
{
	return checkpoint->text != NULL && checkpoint->size > c->size &&
		checkpoint->size < c->size + MS_TILE;
}

static void add_bundle(Check *c, const Bundle *b)
{
	if (b->n == MS_TILE && !ends_within(c, &c->latest) && !ends_within(c, &c->published)) {
		ms_edge_add(&c->edge, 8, &b->root, add_level, c);
		c->size += MS_TILE;
		compare_root(c, &c->latest, "the latest checkpoint");
		compare_root(c, &c->published, "the published checkpoint");
	} else {
		for (guint i = 0; i < b->n && i < MS_TILE; i++)
			add_leaf(c, &b->leaves[i]);
	}
	compare_levels(c);
}

/* The bundle is gone, but its hashes may be there: what follows can still be checked. */
static void add_missing(Check *c, const Bundle *b)
{
	guint64 first = b->number * MS_TILE;
	if (is_pruned(c, first + MS_TILE))
		return;
	g_autoptr(GBytes) tile = read_tile(c, 0, b->number);
	tell(c, first, "the entries %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT " are missing",
		first, first + MS_TILE - 1);
	Bundle made = {.number = b->number, .n = MS_TILE};
	if (tile != NULL && g_bytes_get_size(tile) == sizeof(MsHash) * MS_TILE) {
		memcpy(made.leaves, g_bytes_get_data(tile, NULL), MS_TILE * sizeof(MsHash));
		ms_merkle_full(made.leaves, MS_TILE, &made.root);
		add_bundle(c, &made);
		return;
	}
	c->broken = true;
	c->size += MS_TILE;
}

static bool show(Check *c, const Bundle *b, GError **error)
{
	for (guint i = 0; i < b->n && c->take != NULL; i++) {
		const MsSlot *slot = &g_array_index(b->slots, MsSlot, i);
		bool differs = i < MS_TILE && b->differs[i];
		c->out->bytes += slot->len;
		c->shown = true;
		if (!c->take(b->number * MS_TILE + i, differs ? NULL : slot->data,
			    differs ? 0 : slot->len, c->user, error))
			return false;
	}
	return true;
}

static bool check_bundle(Check *c, Bundle *b, GError **error)
{
	guint64 first = b->number * MS_TILE;
	if (b->trouble != NULL)
		tell(c, first, "%s", b->trouble);
	if (!b->there && !b->last) {
		add_missing(c, b);
		return true;
	}
	if (!b->last && (b->n != MS_TILE || b->torn > 0)) {
		tell(c, first,
			"the bundle %" G_GUINT64_FORMAT
			" has %u entries and %zu bytes more, not %d",
			b->number, b->n, b->torn, MS_TILE);
		compare_leaves(c, b);
		c->broken = true;
		c->size += MS_TILE;
		return show(c, b, error);
	}
	if (b->torn > 0)
		tell(c, first + b->n, "the last line is cut short: %zu bytes of it are there",
			b->torn);
	if (!b->last)
		compare_leaves(c, b);
	add_bundle(c, b);
	c->out->entries += b->n;
	return show(c, b, error);
}

/* ---- all of it ------------------------------------------------------------------------ */

static char *head_path(const Check *c, guint64 n)
{
	return g_strdup_printf("%s/head.%" G_GUINT64_FORMAT, c->folder, n);
}

/* A head that is full becomes a bundle with the next entry only. */
static void count_bundles(Check *c)
{
	guint64 n = MAX(c->latest.size, c->published.size) / MS_TILE;
	for (;; n++) {
		g_autofree char *path = ms_tile_path(c->folder, MS_ENTRIES, n, MS_TILE);
		if (!g_file_test(path, G_FILE_TEST_EXISTS))
			break;
	}
	g_autofree char *full = n > 0 ? head_path(c, n - 1) : g_strdup("");
	g_autofree char *bundle = n > 0 ? ms_tile_path(c->folder, MS_ENTRIES, n - 1, MS_TILE)
					: g_strdup("");
	if (n > 0 && !g_file_test(bundle, G_FILE_TEST_EXISTS) &&
		g_file_test(full, G_FILE_TEST_EXISTS))
		n--;
	c->bundles = n;
	g_autofree char *head = head_path(c, n);
	g_autoptr(GError) error = NULL;
	c->head = ms_tile_file(head, &error);
	if (error != NULL)
		tell(c, n * MS_TILE, "%s", error->message);
}

/* What is before the minimum may be gone; the tiles that have to stay have its hashes. */
static guint64 skip_pruned(Check *c)
{
	guint64 first = c->minimum / MS_TILE, counts[MS_LEVELS] = {0}, n = first;
	for (int level = 1; level < MS_LEVELS; level++, n /= MS_TILE)
		counts[level] = n;
	for (int level = MS_LEVELS - 1; level > 0; level--) {
		MsHash hashes[MS_TILE];
		guint width = (guint)(counts[level] % MS_TILE);
		guint64 end = (counts[level] / MS_TILE + 1) * ((guint64)MS_TILE << (8 * level));
		if (width > 0 &&
			ms_tile_hashes(c->folder, level, counts[level] / MS_TILE, width, hashes,
				NULL) != width) {
			if (!is_pruned(c, end))
				tell(c, 0, "of the entries that were pruned a tile of level %d is missing",
					level);
			c->broken = true;
			break;
		}
		for (guint i = 0; i < width; i++)
			ms_edge_add(&c->edge, 8 * (guint)level, &hashes[i], NULL, NULL);
		g_array_append_vals(c->levels[level], hashes, width);
		c->done[level] = counts[level] / MS_TILE;
	}
	c->size = first * MS_TILE;
	return first;
}

static bool check_all(Check *c, GError **error)
{
	guint64 first = skip_pruned(c);
	Hashing *h = hashing_new(c->folder, c->head, first, c->bundles);
	bool fine = true;
	for (guint64 at = first; fine && !c->pruned && at <= c->bundles; at++) {
		Bundle *b = next_bundle(h);
		fine = check_bundle(c, b, error);
		give_back(h, b);
	}
	hashing_free(h);
	if (fine && c->pruned)
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
			"lines of %s were removed after their time while it was looked at; try again",
			c->folder);
	return fine && !c->pruned;
}

static bool read_note(Check *c, const char *name, MsCheckpoint *out)
{
	g_autofree char *path = g_build_filename(c->folder, name, NULL), *text = NULL;
	gsize len = 0;
	g_autoptr(GError) error = NULL;
	if (!ms_io_contents(path, &text, &len, NULL))
		return false;
	if (!ms_checkpoint_parse(text, len, c->vkey, out, &error))
		tell(c, 0, "the file %s: %s", name, error->message);
	return true;
}

static void check_ends(Check *c)
{
	const MsCheckpoint *both[] = {&c->latest, &c->published};
	for (gsize i = 0; i < G_N_ELEMENTS(both); i++)
		if (both[i]->text != NULL && both[i]->size > c->size) {
			tell(c, c->size,
				"the trail ends here, and a checkpoint says that it has %" G_GUINT64_FORMAT
				" entries",
				both[i]->size);
			return;
		}
	if (c->published.text != NULL && c->latest.text != NULL &&
		c->published.size > c->latest.size)
		tell(c, c->latest.size, "the latest checkpoint is older than the published one");
	/* What a crash leaves is signed by who opens the log next. */
	if (c->latest.text != NULL && c->size > c->latest.size)
		tell(c, c->latest.size, "%" G_GUINT64_FORMAT " entries are under no checkpoint",
			c->size - c->latest.size);
}

/* As it is at one moment, between two batches. */
static bool take_moment(Check *c, GError **error)
{
	g_autofree char *path = g_build_filename(c->folder, "lock", NULL);
	int lock = ms_io_open(path, O_RDONLY | O_NOFOLLOW);
	if (lock >= 0 && !ms_io_lock(lock, LOCK_SH, MS_IO_LOCK_MS)) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s cannot be locked: %s", c->folder,
			errno == EWOULDBLOCK ? "another process has it" : g_strerror(errno));
		close(lock);
		return false;
	}
	c->minimum = read_number(c->folder, "minimum");
	if (!read_note(c, "latest", &c->latest))
		tell(c, 0, "the latest checkpoint is missing");
	read_note(c, "checkpoint", &c->published);
	count_bundles(c);
	ms_io_close(lock);
	return true;
}

static bool start(Check *c, GError **error)
{
	g_autofree char *path = g_build_filename(c->folder, "vkey", NULL);
	g_autoptr(GError) why = NULL;
	if (access(c->folder, F_OK) != 0 && errno != ENOENT) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s cannot be read: %s", c->folder,
			g_strerror(errno));
		return false;
	}
	if (!g_file_test(c->folder, G_FILE_TEST_IS_DIR)) {
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT,
			"there is no audit trail in %s: one begins with missentd's first line", c->folder);
		return false;
	}
	if (!ms_io_contents(path, &c->vkey, NULL, &why)) {
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT,
			"%s is no audit trail, or its key is gone: %s", c->folder, why->message);
		return false;
	}
	g_strstrip(c->vkey);
	if (!take_moment(c, error))
		return false;
	compare_root(c, &c->latest, "the latest checkpoint"); /* of an empty one */
	return true;
}

static void check_clear(Check *c)
{
	for (int i = 0; i < MS_LEVELS; i++)
		g_array_unref(c->levels[i]);
	g_clear_pointer(&c->head, g_bytes_unref);
	ms_checkpoint_clear(&c->latest);
	ms_checkpoint_clear(&c->published);
	g_free(c->vkey);
}

/* `*again_out`: it was pruned meanwhile, and nobody has been given anything. */
static bool check_once(Check *c, bool *again_out, GError **error)
{
	*c->out = (MsTlogVerified){0};
	for (int i = 0; i < MS_LEVELS; i++)
		c->levels[i] = g_array_new(FALSE, FALSE, sizeof(MsHash));
	bool fine = start(c, error) && check_all(c, error);
	if (fine)
		check_ends(c);
	*again_out = c->pruned && !c->shown && c->out->wrong == 0;
	c->out->minimum = c->minimum;
	c->out->size = c->latest.text != NULL ? c->latest.size : 0;
	memcpy(c->out->root, c->latest.root, sizeof c->out->root);
	check_clear(c);
	return fine;
}

#define MOST_AGAIN 3

bool ms_tlog_verify(const char *folder, MsWrong wrong, MsTakeEntry take, void *user,
	MsTlogVerified *out, GError **error)
{
	bool fine = false, again = true;
	g_autoptr(GError) why = NULL;
	for (int i = 0; again && i < MOST_AGAIN; i++) {
		Check c = {.folder = folder, .wrong = wrong, .take = take, .user = user,
			.out = out};
		g_clear_error(&why);
		fine = check_once(&c, &again, &why);
	}
	if (!fine)
		g_propagate_error(error, g_steal_pointer(&why));
	return fine;
}
