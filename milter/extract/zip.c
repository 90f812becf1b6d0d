#include "config.h"

#include <string.h>

#include "members.h"

/*
 * A ZIP file names each member twice: before its bytes, and in the directory at its end (PKWARE
 * APPNOTE 4.3).  Programs differ on which they go by, so a file in which the two differ, or in
 * which bytes lie that no member accounts for, is not what it seems to one of them.
 */

#define LOCAL "PK\x03\x04"
#define CENTRAL "PK\x01\x02"
#define END "PK\x05\x06"
#define LOCAL_SIZE 30
#define CENTRAL_SIZE 46
#define END_SIZE 22
#define DESCRIPTOR_MAX 24 /* after the bytes of a member that was written as a stream */

static guint32 get16(const guint8 *p)
{
	return p[0] | (guint32)p[1] << 8;
}

static guint32 get32(const guint8 *p)
{
	return get16(p) | get16(p + 2) << 16;
}

static const guint8 *find_end(const guint8 *data, gsize len)
{
	gsize low = len > 65557 ? len - 65557 : 0;
	for (gsize at = len >= END_SIZE ? len - END_SIZE + 1 : 0; at > low; at--)
		if (memcmp(data + at - 1, END, 4) == 0)
			return data + at - 1;
	return NULL;
}

bool ms_zip_is_empty(const guint8 *data, gsize len)
{
	return len == END_SIZE && memcmp(data, END, 4) == 0 && get16(data + 10) == 0;
}

typedef struct {
	gsize start, end; /* of a member with its local header */
} Extent;

static int by_start(const void *a, const void *b)
{
	const Extent *x = a, *y = b;
	return x->start < y->start ? -1 : x->start > y->start;
}

/* Takes one entry of the directory; what is wrong with it, or NULL. */
static const char *check_entry(const guint8 *data, gsize len, const guint8 *entry, GArray *extents)
{
	gsize offset = get32(entry + 42), packed = get32(entry + 20);
	guint32 name = get16(entry + 28);
	if (offset == 0xffffffff || packed == 0xffffffff)
		return NULL; /* ZIP64: libarchive reads it; not looked at more closely */
	if (offset > len || len - offset < LOCAL_SIZE || memcmp(data + offset, LOCAL, 4) != 0)
		return "a ZIP file whose directory points at nothing";
	const guint8 *local = data + offset;
	if (get16(local + 26) != name || len - offset - LOCAL_SIZE < name
		|| memcmp(local + LOCAL_SIZE, entry + CENTRAL_SIZE, name) != 0)
		return "a ZIP file that names a member in two ways";
	if (get16(local + 8) != get16(entry + 10))
		return "a ZIP file that packs a member in two ways";
	Extent extent = {offset, offset + LOCAL_SIZE + name + get16(local + 28) + packed};
	g_array_append_val(extents, extent);
	return NULL;
}

static const char *check_gaps(const guint8 *data, GArray *extents, gsize directory)
{
	g_array_sort(extents, by_start);
	gsize at = 0;
	for (guint i = 0; i <= extents->len; i++) {
		gsize next = i < extents->len ? g_array_index(extents, Extent, i).start : directory;
		/* What lies between two members is hidden only if it is a member. */
		if (next > at + DESCRIPTOR_MAX && memmem(data + at, next - at, LOCAL, 4) != NULL)
			return "a ZIP file with members that its directory does not list";
		if (i < extents->len)
			at = MAX(at, g_array_index(extents, Extent, i).end);
	}
	return NULL;
}

const char *ms_zip_disagreement(const guint8 *data, gsize len)
{
	if (len < 4 || memcmp(data, LOCAL, 4) != 0)
		return NULL;
	const guint8 *end = find_end(data, len);
	if (end == NULL)
		return "a ZIP file without a directory";
	gsize at = get32(end + 16);
	guint n = get16(end + 10);
	if (at == 0xffffffff || n == 0xffff)
		return NULL;
	g_autoptr(GArray) extents = g_array_new(FALSE, FALSE, sizeof(Extent));
	gsize directory = at;
	for (guint i = 0; i < n; i++) {
		if (at > len || len - at < CENTRAL_SIZE || memcmp(data + at, CENTRAL, 4) != 0)
			return "a ZIP file whose directory is damaged";
		const guint8 *entry = data + at;
		gsize size = CENTRAL_SIZE + get16(entry + 28) + get16(entry + 30) + get16(entry + 32);
		if (len - at < size)
			return "a ZIP file whose directory is damaged";
		const char *wrong = check_entry(data, len, entry, extents);
		if (wrong != NULL)
			return wrong;
		at += size;
	}
	return check_gaps(data, extents, MIN(directory, len));
}
