/*
 * Whose bytes are whose in an archive.  libarchive gives the members, and says nothing of what is
 * before, between and behind them, nor of comments.  In come the bytes, out go the texts of
 * headers and, in the inventory, all that the format accounts for; the rest is read like any gap.
 * In the worker's only thread.
 */
#include "config.h"

#include <string.h>

#include "missent/text.h"

#include "bytes.h"
#include "members.h"
#include "readers.h"

#define MAX_HEADERS 200000 /* per archive */

typedef struct {
	const guint8 *data;
	gsize len, at;
	guint headers;
	const MsExtraction *to;
	const MsDocument *document;
	MsInventory *inventory;
} Layout;

static guint64 le64(const guint8 *p)
{
	return ms_le32(p) | (guint64)ms_le32(p + 4) << 32;
}

static gsize left(const Layout *l)
{
	return l->len - l->at;
}

/* The bytes up to `n` from here on are accounted for. */
static bool take(Layout *l, guint64 n)
{
	if (n == 0 || n > left(l) || ++l->headers > MAX_HEADERS || !ms_budget_time(l->to->budget))
		return false;
	ms_inventory_bytes(l->inventory, MS_ITEM_STRUCTURAL, l->at, l->at + (gsize)n);
	l->at += (gsize)n;
	return true;
}

static void words(const Layout *l, const guint8 *data, gsize len)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *place = g_strconcat(l->document->where, " headers", NULL);
	ms_strings(text, data, len);
	ms_extract_span(l->to, place, text->str, text->len);
}

static void tell(const Layout *l, MsUnreadReason reason, const char *what)
{
	ms_reading_unread(l->to->reading, l->document->where, reason, "%s", what);
}

/* ---- tar (POSIX ustar and pax, GNU) ------------------------------------------------------ */

static guint64 tar_number(const guint8 *p, gsize n)
{
	guint64 value = 0;
	if ((p[0] & 0x80) != 0) { /* base 256, of GNU */
		for (gsize i = n - 8; i < n; i++)
			value = value << 8 | p[i];
		return value;
	}
	g_autofree char *field = g_strndup((const char *)p, n);
	return g_ascii_strtoull(g_strstrip(field), NULL, 8);
}

static bool tar_checksum(const guint8 *p)
{
	guint sum = 0;
	for (guint i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? ' ' : p[i];
	return sum == tar_number(p + 148, 8);
}

static bool layout_tar(Layout *l)
{
	while (left(l) >= 512 && l->data[l->at] != 0 && tar_checksum(l->data + l->at)) {
		const guint8 *p = l->data + l->at;
		guint64 size = tar_number(p + 124, 12);
		words(l, p, 100);         /* name */
		words(l, p + 157, 100);   /* of a link: where to */
		words(l, p + 265, 64);    /* owner and group */
		words(l, p + 345, 167);   /* prefix, and room */
		if (!take(l, 512))
			return true;
		if (size > left(l))
			return true;
		char type = (char)p[156];
		if (strchr("xgLK", type) != NULL && type != 0)
			words(l, l->data + l->at, (gsize)size);
		/* A link or folder has no bytes; if it has, they are a gap. */
		bool file = strchr("123456", type) == NULL || type == 0;
		if (file && size > 0 && !take(l, size))
			return true;
		if (!file)
			l->at += (gsize)size;
		l->at = MIN(l->len, (l->at + 511) & ~(gsize)511);
	}
	return true;
}

/* ---- cpio, ar --------------------------------------------------------------------------- */

static bool layout_cpio(Layout *l)
{
	bool old = memcmp(l->data, "070707", 6) == 0;
	gsize head = old ? 76 : 110;
	while (left(l) >= head && memcmp(l->data + l->at, "0707", 4) == 0) {
		const char *p = (const char *)l->data + l->at;
		g_autofree char *name_field = g_strndup(p + (old ? 59 : 94), old ? 6 : 8);
		g_autofree char *size_field = g_strndup(p + (old ? 65 : 54), old ? 11 : 8);
		guint64 name = g_ascii_strtoull(name_field, NULL, old ? 8 : 16);
		guint64 size = g_ascii_strtoull(size_field, NULL, old ? 8 : 16);
		if (name > left(l) - head)
			return true;
		bool last = name == 11 && memcmp(p + head, "TRAILER!!!", 10) == 0;
		words(l, l->data + l->at + head, (gsize)name);
		gsize pad = old ? 0 : (4 - (head + (gsize)name) % 4) % 4;
		if (!take(l, MIN(head + name + pad, left(l))) || size > left(l))
			return true;
		if (last)
			return true;
		if (size > 0 && !take(l, size))
			return true;
		l->at = old ? l->at : MIN(l->len, (l->at + 3) & ~(gsize)3);
	}
	return true;
}

static bool layout_ar(Layout *l)
{
	take(l, 8);
	while (left(l) >= 60 && memcmp(l->data + l->at + 58, "`\n", 2) == 0) {
		g_autofree char *field = g_strndup((const char *)l->data + l->at + 48, 10);
		guint64 size = g_ascii_strtoull(field, NULL, 10);
		words(l, l->data + l->at, 16);
		if (!take(l, 60) || (size > 0 && !take(l, size)))
			return true;
		l->at = MIN(l->len, l->at + (l->at & 1));
	}
	return true;
}

/* ---- 7z, cabinet, LHA ------------------------------------------------------------------- */

static bool layout_7z(Layout *l)
{
	guint64 end = l->len >= 32 ? le64(l->data + 12) + le64(l->data + 20) : G_MAXUINT64;
	take(l, end < l->len - 32 ? 32 + end : l->len);
	return true;
}

static bool layout_cab(Layout *l)
{
	if (l->len < 36)
		return false;
	gsize size = ms_le32(l->data + 8), files = ms_le32(l->data + 16);
	words(l, l->data + 36, MIN(files, l->len) > 36 ? MIN(files, l->len) - 36 : 0);
	take(l, MIN(size, l->len));
	return true;
}

static bool layout_lha(Layout *l)
{
	while (left(l) > 22 && l->data[l->at] != 0) {
		const guint8 *p = l->data + l->at;
		guint level = p[20];
		gsize head = level >= 2 ? ms_le16(p) : p[0] + 2u;
		if (level > 2 || head > left(l))
			return true;
		words(l, p + 21, head > 21 ? head - 21 : 0);
		if (!take(l, MIN(head + (guint64)ms_le32(p + 7), left(l))))
			return true;
	}
	return true;
}

/* ---- RAR -------------------------------------------------------------------------------- */

/* A comment can be packed in RAR's own way; streams beside a file are given by nobody. */
static void rar_service(
	const Layout *l, const guint8 *head, gsize n, const guint8 *data, gsize size)
{
	bool comment = memmem(head, n, "CMT", 3) != NULL,
	     stream = memmem(head, n, "STM", 3) != NULL;
	if (!comment && !stream)
		return;
	words(l, data, size);
	if (ms_is_binary(data, size) || !ms_is_text(data, size))
		tell(l, MS_UNREAD_NO_READER,
			comment ? "a packed comment" : "a stream beside a file");
}

static bool rar_varint(const guint8 **p, const guint8 *end, guint64 *value)
{
	*value = 0;
	for (guint shift = 0; *p < end && shift < 63; shift += 7) {
		guint8 byte = *(*p)++;
		*value |= (guint64)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return true;
	}
	return false;
}

static bool layout_rar5(Layout *l)
{
	take(l, 8);
	guint64 type = 0;
	while (left(l) > 7 && type != 5) {
		const guint8 *p = l->data + l->at + 4, *end = l->data + l->len;
		guint64 head, flags, extra = 0, size = 0;
		if (!rar_varint(&p, end, &head) || head == 0 || head > (guint64)(end - p))
			return true;
		const guint8 *start = p, *stop = p + head;
		if (!rar_varint(&p, stop, &type) || !rar_varint(&p, stop, &flags) ||
			((flags & 1) != 0 && !rar_varint(&p, stop, &extra)) ||
			((flags & 2) != 0 && !rar_varint(&p, stop, &size)) ||
			size > (guint64)(end - stop))
			return true;
		words(l, p, (gsize)(stop - p));
		if (type == 3)
			rar_service(l, start, (gsize)head, stop, (gsize)size);
		if (type == 4) /* what follows is encrypted, headers and all */
			return take(l, left(l));
		if (!take(l, (gsize)(stop - l->data) - l->at + size))
			return true;
	}
	return true;
}

static bool layout_rar4(Layout *l)
{
	take(l, 7);
	guint8 type = 0;
	while (left(l) >= 7 && type != 0x7b) {
		const guint8 *p = l->data + l->at;
		type = p[2];
		guint flags = ms_le16(p + 3);
		gsize head = ms_le16(p + 5);
		bool more = (flags & 0x8000) != 0 || type == 0x74 || type == 0x7a;
		guint64 size = more && head >= 11 && left(l) >= 11 ? ms_le32(p + 7) : 0;
		if (head < 7 || head + size > left(l))
			return true;
		if (type == 0x73 && (flags & 0x80) != 0)
			return take(l, left(l));
		words(l, p + 7, head - 7);
		if (type == 0x7a || type == 0x75)
			rar_service(l, type == 0x75 ? (const guint8 *)"CMT" : p,
				type == 0x75 ? 3 : head, p + head, type == 0x75 ? 0 : (gsize)size);
		if (!take(l, head + size))
			return true;
	}
	return true;
}

/* ---- one packed file: does it end where its format does? --------------------------------- */

/* The mark of the end stands at any bit, 32 bits of checksum and a filled byte before the end. */
static bool ends_as_bzip2(const guint8 *data, gsize len)
{
	if (len < 14)
		return false;
	for (guint pad = 0; pad < 8; pad++) {
		guint64 value = 0;
		gsize bit = len * 8 - 80 - pad;
		for (guint i = 0; i < 48; i++, bit++)
			value = value << 1 | (data[bit / 8] >> (7 - bit % 8) & 1);
		if (value == G_GUINT64_CONSTANT(0x177245385090))
			return true;
	}
	return false;
}

static bool ends_as_lzip(const guint8 *data, gsize len)
{
	while (len >= 36) {
		guint64 size = le64(data + len - 8);
		if (size < 36 || size > len)
			return false;
		len -= (gsize)size;
	}
	return len == 0;
}

/* Frames anybody may skip are a gap, to be read as what they are. */
static bool skippable(Layout *l)
{
	if (left(l) < 8 || (ms_le32(l->data + l->at) & 0xfffffff0u) != 0x184d2a50u)
		return false;
	gsize n = ms_le32(l->data + l->at + 4);
	if (!take(l, 8))
		return false;
	l->at += MIN(n, left(l));
	return true;
}

/* RFC 8878, 3.1.1 */
static bool zstd_frame(Layout *l)
{
	static const guint8 dictionaries[] = {0, 1, 2, 4}, sizes[] = {0, 2, 4, 8};
	if (left(l) < 6 || ms_le32(l->data + l->at) != 0xfd2fb528u)
		return false;
	guint8 flags = l->data[l->at + 4];
	bool single = (flags & 0x20) != 0;
	gsize n = 5 + (single ? 0 : 1) + dictionaries[flags & 3] +
		(flags >> 6 == 0 ? single : sizes[flags >> 6]);
	if (!take(l, n))
		return false;
	for (bool last = false; !last;) {
		if (left(l) < 3)
			return false;
		guint32 head = ms_le16(l->data + l->at) | (guint32)l->data[l->at + 2] << 16;
		last = (head & 1) != 0;
		if (!take(l, 3 + ((head >> 1 & 3) == 1 ? 1 : head >> 3)))
			return false;
	}
	return (flags & 4) == 0 || take(l, 4);
}

static bool lz4_frame(Layout *l)
{
	if (left(l) < 11 || ms_le32(l->data + l->at) != 0x184d2204u)
		return false;
	guint8 flags = l->data[l->at + 4];
	if (!take(l, 7 + ((flags & 8) != 0 ? 8u : 0) + ((flags & 1) != 0 ? 4u : 0)))
		return false;
	for (;;) {
		if (left(l) < 4)
			return false;
		guint32 size = ms_le32(l->data + l->at);
		if (size == 0)
			return take(l, (flags & 4) != 0 ? 8 : 4);
		if (!take(l, 4 + (guint64)(size & 0x7fffffff) + ((flags & 0x10) != 0 ? 4 : 0)))
			return false;
	}
}

static bool layout_frames(Layout *l)
{
	while (zstd_frame(l) || lz4_frame(l) || skippable(l))
		;
	return true;
}

static bool layout_whole(Layout *l, bool (*ends)(const guint8 *data, gsize len))
{
	if (!ends(l->data, l->len))
		tell(l, MS_UNREAD_AMBIGUOUS, "bytes behind the end of what is packed");
	return take(l, l->len);
}

/* The footer ends with "YZ", at a multiple of four. */
static bool layout_xz(Layout *l)
{
	for (gsize end = l->len & ~(gsize)3; end >= 32; end -= 4)
		if (memcmp(l->data + end - 2, "YZ", 2) == 0 && l->data[end - 4] == 0)
			return take(l, end);
	return take(l, l->len);
}

static bool layout_bzip2(Layout *l)
{
	return layout_whole(l, ends_as_bzip2);
}

static bool layout_lzip(Layout *l)
{
	return layout_whole(l, ends_as_lzip);
}

/* ---- which ------------------------------------------------------------------------------ */

static const struct {
	gsize offset;
	const char *magic;
	gsize len;
	bool (*account)(Layout *l);
} layouts[] = {
	{0, "070701", 6, layout_cpio},
	{0, "070702", 6, layout_cpio},
	{0, "070707", 6, layout_cpio},
	{0, "!<arch>\n", 8, layout_ar},
	{0, "7z\xbc\xaf\x27\x1c", 6, layout_7z},
	{0, "MSCF", 4, layout_cab},
	{2, "-lh", 3, layout_lha},
	{0, "Rar!\x1a\x07\x01\x00", 8, layout_rar5},
	{0, "Rar!\x1a\x07\x00", 7, layout_rar4},
	{0,
		"\xfd"
		"7zXZ",
		5, layout_xz},
	{0, "BZh", 3, layout_bzip2},
	{0, "LZIP", 4, layout_lzip},
	{0, "\x28\xb5\x2f\xfd", 4, layout_frames},
	{0, "\x04\x22\x4d\x18", 4, layout_frames},
};

bool ms_layout_account(const MsExtraction *to, const MsDocument *document, MsInventory *inventory,
	gsize *end_out)
{
	Layout l = {document->data, document->len, 0, 0, to, document, inventory};
	bool (*account)(Layout *l) = l.len >= 512 && tar_checksum(l.data) ? layout_tar : NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(layouts); i++)
		if (l.len > layouts[i].offset + layouts[i].len &&
			memcmp(l.data + layouts[i].offset, layouts[i].magic, layouts[i].len) == 0)
			account = layouts[i].account;
	bool known = account != NULL && account(&l);
	*end_out = known ? l.at : l.len;
	return known;
}

/* ---- gzip (RFC 1952) --------------------------------------------------------------------- */

bool ms_is_gzip(const guint8 *data, gsize len)
{
	return len >= 18 && memcmp(data, "\x1f\x8b\x08", 3) == 0;
}

static bool skip_string(Layout *l, gsize from, gsize *at, GString *name)
{
	const guint8 *nul = from < l->len ? memchr(l->data + from, 0, l->len - from) : NULL;
	if (nul == NULL)
		return false;
	gsize n = (gsize)(nul - l->data) - from;
	words(l, l->data + from, n);
	if (name != NULL && name->len == 0)
		g_string_append_len(name, (const char *)l->data + from, (gssize)n);
	*at = from + n + 1;
	return true;
}

/* Where the packed bytes of the member begin; 0: there is none. */
static gsize gzip_header(Layout *l, GString *name)
{
	if (!ms_is_gzip(l->data + l->at, left(l)))
		return 0;
	guint8 flags = l->data[l->at + 3];
	gsize at = l->at + 10;
	if ((flags & 4) != 0) {
		gsize n = l->len - at >= 2 ? ms_le16(l->data + at) : G_MAXUINT16;
		if (l->len - at < 2 + n)
			return 0;
		words(l, l->data + at + 2, n);
		if (n > 64 && ms_is_binary(l->data + at + 2, n))
			tell(l, MS_UNREAD_NO_READER, "extra data of no known kind");
		at += 2 + n;
	}
	if (((flags & 8) != 0 && !skip_string(l, at, &at, name))
		|| ((flags & 16) != 0 && !skip_string(l, at, &at, NULL)))
		return 0;
	at += (flags & 2) != 0 ? 2 : 0;
	return at < l->len ? at : 0;
}

void ms_gzip_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory)
{
	Layout l = {document->data, document->len, 0, 0, to, document, inventory};
	g_autoptr(GByteArray) all = ms_bytes_new();
	g_autoptr(GString) name = g_string_new(NULL);
	gsize at;
	while ((at = gzip_header(&l, name)) > 0) {
		gsize used = 0;
		g_autoptr(GByteArray) bytes = ms_inflate(
			to, document->where, l.data + at, l.len - at, MS_DEFLATED, &used);
		if (bytes == NULL)
			break;
		g_byte_array_append(all, bytes->data, bytes->len);
		if (!take(&l, MIN(at - l.at + used + 8, left(&l))))
			break;
		if (all->len > MIN(to->budget->left[MS_COST_DECODED], MS_MEMBER_MAX)) {
			tell(&l, MS_UNREAD_LIMIT, "larger than max-decoded or 64 MiB");
			return;
		}
	}
	if (l.at == 0)
		ms_inventory_unread(
			inventory, MS_ITEM_WHOLE, MS_UNREAD_DAMAGED, "gzip that breaks off");
	else
		ms_extract_within(to, document->where, name->len > 0 ? name->str : "data", NULL,
			all->data != NULL ? all->data : (const guint8 *)"", all->len);
}
