#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "spill.h"

/*
 * By the first byte of their digests entries go into one of 256 heaps; a heap's blocks lie in the
 * file as they were filled.  One heap at a time is read back and put in order: 100 million entries
 * make heaps of some 20 MB.  One thread.
 */

#define HEAPS 256
#define BLOCK 16384

typedef struct {
	GArray *blocks; /* of gint64: where they are in the file */
	GByteArray *last;
} Heap;

struct MsSpill {
	int fd;
	gint64 end;
	guint64 count;
	Heap heaps[HEAPS];
};

/* How one lies there. */
typedef struct {
	guint8 digest[MS_ENTRY_DIGEST], link[MS_LINK_BYTES];
	guint16 said_len;
} __attribute__((packed)) Head;

static bool failed(const char *what, GError **error)
{
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "a temporary file cannot be %s: %s (TMPDIR says where)", what,
		g_strerror(errno));
	return false;
}

static int open_unnamed(const char *folder)
{
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	g_autofree char *path = g_build_filename(folder, "missent-import-XXXXXX", NULL);
	fd = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		unlink(path);
	return fd;
}

MsSpill *ms_spill_new(GError **error)
{
	const char *folder = g_getenv("TMPDIR");
	MsSpill *spill = g_new0(MsSpill, 1);
	spill->fd = open_unnamed(folder != NULL && *folder != '\0' ? folder : "/var/tmp");
	for (int i = 0; i < HEAPS; i++) {
		spill->heaps[i].blocks = g_array_new(FALSE, FALSE, sizeof(gint64));
		spill->heaps[i].last = g_byte_array_new();
	}
	if (spill->fd >= 0)
		return spill;
	failed("made", error);
	ms_spill_free(spill);
	return NULL;
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

static bool write_block(MsSpill *spill, Heap *heap, GError **error)
{
	for (gsize done = 0; done < BLOCK;) {
		ssize_t n = pwrite(spill->fd, heap->last->data + done, BLOCK - done, spill->end + (gint64)done);
		if (n < 0 && errno != EINTR)
			return failed("written", error);
		done += n > 0 ? (gsize)n : 0;
	}
	g_array_append_val(heap->blocks, spill->end);
	spill->end += BLOCK;
	g_byte_array_remove_range(heap->last, 0, BLOCK);
	return true;
}

bool ms_spill_add(MsSpill *spill, const guint8 digest[MS_ENTRY_DIGEST], const MsRecord *record, GError **error)
{
	Heap *heap = &spill->heaps[digest[0]];
	Head head = {.said_len = (guint16)record->said_len};
	memcpy(head.digest, digest, MS_ENTRY_DIGEST);
	memcpy(head.link, record->link, MS_LINK_BYTES);
	g_byte_array_append(heap->last, (const guint8 *)&head, sizeof head);
	g_byte_array_append(heap->last, record->said, (guint)record->said_len);
	spill->count++;
	return heap->last->len < BLOCK || write_block(spill, heap, error);
}

/* ---- out ------------------------------------------------------------------------------ */

static GByteArray *read_heap(MsSpill *spill, const Heap *heap, GError **error)
{
	g_autoptr(GByteArray) all = g_byte_array_new();
	for (guint i = 0; i < heap->blocks->len; i++) {
		guint at = all->len;
		g_byte_array_set_size(all, at + BLOCK);
		for (gsize done = 0; done < BLOCK;) {
			ssize_t n = pread(spill->fd, all->data + at + done, BLOCK - done,
				g_array_index(heap->blocks, gint64, i) + (gint64)done);
			if (n == 0)
				errno = EIO;
			if (n == 0 || (n < 0 && errno != EINTR)) {
				failed("read", error);
				return NULL;
			}
			done += n > 0 ? (gsize)n : 0;
		}
	}
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
	for (gsize at = 0; at < all->len;) {
		const Head *head = (const Head *)(all->data + at);
		g_ptr_array_add(heads, (gpointer)head);
		at += sizeof *head + head->said_len;
	}
	g_ptr_array_sort(heads, compare);
	for (guint i = 0; i < heads->len; i++) {
		if (i > 0 && compare(&heads->pdata[i - 1], &heads->pdata[i]) == 0)
			continue;
		const Head *head = heads->pdata[i];
		MsRecord record = {.said = (const guint8 *)(head + 1), .said_len = head->said_len};
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
		g_autoptr(GByteArray) all = read_heap(spill, &spill->heaps[i], error);
		if (all == NULL || !give_heap(all, take, user, error))
			return false;
	}
	return true;
}
