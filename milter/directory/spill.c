/*
 * By the first byte of their digests entries go into one of 256 heaps; a heap's blocks lie in the
 * file as they were filled, sealed, so that one that was torn by a crash is known as that.  One
 * heap at a time is read back and put in order: 100 million entries make heaps of some 20 MB.
 * One thread.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "spill.h"

#define HEAPS 256
#define BLOCK 16384

/* Where a block is in the file. */
typedef struct {
	gint64 at;
	guint32 len, number;
	guint8 heap;
} __attribute__((packed)) Block;

typedef struct {
	GArray *blocks; /* of Block */
	GByteArray *last;
} Heap;

struct MsSpill {
	MsSpillPlace place;
	int fd;
	gint64 end;
	guint64 count;
	guint32 blocks;
	Heap heaps[HEAPS];
};

/* How one lies there. */
typedef struct {
	guint8 digest[MS_ENTRY_DIGEST], link[MS_LINK_BYTES];
	guint32 line;
	guint16 kind, written, said_len;
} __attribute__((packed)) Head;

static bool failed(const char *what, GError **error)
{
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
		"a temporary file cannot be %s: %s (TMPDIR says where)", what, g_strerror(errno));
	return false;
}

static int open_unnamed(void)
{
	const char *said = g_getenv("TMPDIR");
	const char *folder = said != NULL && *said != '\0' ? said : "/var/tmp";
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	g_autofree char *path = g_build_filename(folder, "missent-import-XXXXXX", NULL);
	fd = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		unlink(path);
	return fd;
}

int ms_spill_file(GError **error)
{
	int fd = open_unnamed();
	if (fd < 0)
		failed("made", error);
	return fd;
}

static MsSpill *alloc(const MsSpillPlace *place, int fd)
{
	MsSpill *spill = g_new0(MsSpill, 1);
	spill->place = *place;
	spill->fd = fd;
	for (int i = 0; i < HEAPS; i++) {
		spill->heaps[i].blocks = g_array_new(FALSE, FALSE, sizeof(Block));
		spill->heaps[i].last = g_byte_array_new();
	}
	return spill;
}

MsSpill *ms_spill_new(const MsSpillPlace *place, GError **error)
{
	int fd = place->path != NULL
		? open(place->path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600)
		: open_unnamed();
	if (fd < 0) {
		failed("made", error);
		return NULL;
	}
	return alloc(place, fd);
}

void ms_spill_free(MsSpill *spill)
{
	if (spill == NULL)
		return;
	if (spill->fd >= 0)
		close(spill->fd);
	for (int i = 0; i < HEAPS; i++) {
		g_array_unref(spill->heaps[i].blocks);
		g_byte_array_unref(spill->heaps[i].last);
	}
	g_free(spill);
}

guint64 ms_spill_count(const MsSpill *spill)
{
	return spill->count;
}

/* ---- in ------------------------------------------------------------------------------- */

static bool write_all(MsSpill *spill, const guint8 *data, gsize len, GError **error)
{
	for (gsize done = 0; done < len;) {
		ssize_t n = pwrite(spill->fd, data + done, len - done, spill->end + (gint64)done);
		if (n < 0 && errno != EINTR)
			return failed("written", error);
		done += n > 0 ? (gsize)n : 0;
	}
	return true;
}

/* The first `len` bytes of what is not in the file yet. */
static bool write_block(MsSpill *spill, guint8 number, gsize len, GError **error)
{
	Heap *heap = &spill->heaps[number];
	g_autoptr(GBytes) sealed = ms_part_seal(spill->place.keys, spill->place.generation,
		MS_PART(spill->place.kind, spill->blocks), NULL, 0, heap->last->data, len);
	gsize size;
	const guint8 *data = g_bytes_get_data(sealed, &size);
	if (!write_all(spill, data, size, error))
		return false;
	const Block block = {spill->end, (guint32)size, spill->blocks++, number};
	g_array_append_val(heap->blocks, block);
	spill->end += (gint64)size;
	g_byte_array_remove_range(heap->last, 0, (guint)len);
	return true;
}

bool ms_spill_add(MsSpill *spill, const guint8 digest[MS_ENTRY_DIGEST], const MsRecord *record,
	GError **error)
{
	Heap *heap = &spill->heaps[digest[0]];
	Head head = {.line = record->line,
		.kind = record->kind,
		.written = record->written,
		.said_len = (guint16)record->said_len};
	memcpy(head.digest, digest, MS_ENTRY_DIGEST);
	memcpy(head.link, record->link, MS_LINK_BYTES);
	g_byte_array_append(heap->last, (const guint8 *)&head, sizeof head);
	g_byte_array_append(heap->last, record->said, (guint)record->said_len);
	spill->count++;
	return heap->last->len < BLOCK || write_block(spill, digest[0], BLOCK, error);
}

/* ---- out ------------------------------------------------------------------------------ */

static bool read_block(MsSpill *spill, const Block *block, GByteArray *all, GError **error)
{
	g_autofree guint8 *data = g_malloc(block->len);
	for (gsize done = 0; done < block->len;) {
		ssize_t n = pread(
			spill->fd, data + done, block->len - done, block->at + (gint64)done);
		if (n == 0)
			errno = EIO;
		if (n == 0 || (n < 0 && errno != EINTR))
			return failed("read", error);
		done += n > 0 ? (gsize)n : 0;
	}
	gsize len;
	g_autofree guint8 *entries = ms_part_open(spill->place.keys, spill->place.generation,
		MS_PART(spill->place.kind, block->number), data, block->len, 0, &len);
	if (entries == NULL) {
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT,
			"what an import put aside is damaged; the mapping in use is "
			"unchanged, and the same command begins anew");
		return false;
	}
	g_byte_array_append(all, entries, (guint)len);
	return true;
}

static GByteArray *read_heap(MsSpill *spill, const Heap *heap, GError **error)
{
	g_autoptr(GByteArray) all = g_byte_array_new();
	for (guint i = 0; i < heap->blocks->len; i++)
		if (!read_block(spill, &g_array_index(heap->blocks, Block, i), all, error))
			return NULL;
	g_byte_array_append(all, heap->last->data, heap->last->len);
	return g_steal_pointer(&all);
}

static gint compare(gconstpointer a, gconstpointer b)
{
	const Head *x = *(const Head *const *)a, *y = *(const Head *const *)b;
	int digests = memcmp(x->digest, y->digest, MS_ENTRY_DIGEST);
	if (digests != 0)
		return digests;
	int said = memcmp(x + 1, y + 1, MIN(x->said_len, y->said_len));
	return said != 0 ? said : (gint)x->said_len - (gint)y->said_len;
}

static bool give_heap(const GByteArray *all, MsSpillTake take, void *user, GError **error)
{
	g_autoptr(GPtrArray) heads = g_ptr_array_new();
	for (gsize at = 0; at + sizeof(Head) <= all->len;) {
		const Head *head = (const Head *)(all->data + at);
		g_ptr_array_add(heads, (gpointer)head);
		at += sizeof *head + head->said_len;
	}
	g_ptr_array_sort(heads, compare);
	for (guint i = 0; i < heads->len; i++) {
		if (i > 0 && compare(&heads->pdata[i - 1], &heads->pdata[i]) == 0)
			continue;
		const Head *head = heads->pdata[i];
		MsRecord record = {.said = (const guint8 *)(head + 1),
			.said_len = head->said_len,
			.line = head->line,
			.kind = head->kind,
			.written = head->written};
		memcpy(record.key, head->digest + MS_PLACE_BYTES, MS_ENTRY_KEY);
		memcpy(record.link, head->link, MS_LINK_BYTES);
		if (!take(head->digest, &record, user, error))
			return false;
	}
	return true;
}

bool ms_spill_each(MsSpill *spill, MsSpillTake take, void *user, GError **error)
{
	for (int i = 0; i < HEAPS; i++) {
		if (spill->place.alive != NULL && !spill->place.alive(spill->place.user, error))
			return false;
		g_autoptr(GByteArray) all = read_heap(spill, &spill->heaps[i], error);
		if (all == NULL || !give_heap(all, take, user, error))
			return false;
	}
	return true;
}

/* ---- going on ------------------------------------------------------------------------- */

/* What is saved begins with it; blocks follow. */
typedef struct {
	gint64 end;
	guint64 count;
	guint32 blocks;
} __attribute__((packed)) Saved;

bool ms_spill_save(MsSpill *spill, GByteArray *out, GError **error)
{
	for (int i = 0; i < HEAPS; i++)
		if (spill->heaps[i].last->len > 0
			&& !write_block(spill, (guint8)i, spill->heaps[i].last->len, error))
			return false;
	const Saved saved = {spill->end, spill->count, spill->blocks};
	g_byte_array_append(out, (const guint8 *)&saved, sizeof saved);
	for (int i = 0; i < HEAPS; i++)
		g_byte_array_append(out, (const guint8 *)spill->heaps[i].blocks->data,
			spill->heaps[i].blocks->len * (guint)sizeof(Block));
	return true;
}

MsSpill *ms_spill_resume(const MsSpillPlace *place, const guint8 *saved, gsize len)
{
	Saved head;
	if (len < sizeof head || (len - sizeof head) % sizeof(Block) != 0)
		return NULL;
	int fd = open(place->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	memcpy(&head, saved, sizeof head);
	MsSpill *spill = alloc(place, fd);
	spill->end = head.end;
	spill->count = head.count;
	spill->blocks = head.blocks;
	for (gsize at = sizeof head; at < len; at += sizeof(Block)) {
		Block block;
		memcpy(&block, saved + at, sizeof block);
		g_array_append_val(spill->heaps[block.heap].blocks, block);
	}
	return spill;
}
