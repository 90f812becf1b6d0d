/*
 * Pictures, sound and film.  In come the bytes, out go the texts that stand in them (comments,
 * EXIF, IPTC, XMP, titles) and a note that the rest is a picture.  In the worker's only thread.
 *
 * A picture is one of these only if its structure can be walked to its end: a beginning is soon
 * imitated, and whatever is taken for a picture is tolerated by most policies.  One that was cut
 * off, as by a mail program's limit, ends within its pixels, and these are no text.  Blocks that
 * neither this file nor the table of structural items knows, and what lies behind the end, are
 * left as gaps of the inventory: read if they are text or a document, told if not.
 */
#include "config.h"

#include <string.h>

#include "missent/text.h"

#include "media.h"
#include "readers.h"
#include "xml.h"

#define HEIC_BLOCK 65536  /* bytes of an EXIF block within the media data */

/* ---- texts ---------------------------------------------------------------------------- */

static void xmp_start(void *user, const char *name, const char *const *attributes)
{
	(void)name;
	for (; *attributes != NULL; attributes += 2) {
		const char *colon = strrchr(attributes[0], ':');
		if (ms_structural("xmp", colon != NULL ? colon + 1 : attributes[0]) == NULL)
			g_string_append_printf(user, "%s\n", attributes[1]);
	}
}

static void xmp_end(void *user, const char *name)
{
	(void)name;
	g_string_append_c(user, '\n');
}

static void xmp_text(void *user, const char *text, gsize len)
{
	g_string_append_len(user, text, (gssize)len);
}

/* XMP (ISO 16684): what is damaged in it is read as far as it goes and told. */
static void read_xmp(const MsWalk *w, const char *place, const guint8 *data, gsize len)
{
	static const MsXmlHandler handler = {xmp_start, xmp_end, xmp_text};
	g_autoptr(GString) text = g_string_new(NULL);
	const char *wrong = ms_xml_parse(data, len, w->to->budget, &handler, text);
	ms_squeeze(text);
	ms_extract_span(w->to, place, text->str, text->len);
	if (wrong != NULL)
		ms_reading_unread(w->to->reading, place, MS_UNREAD_DAMAGED, "XMP: %s", wrong);
}

/* A name of four letters behind its size, as boxes have it, stands right before a text. */
static bool is_box_name(const guint8 *data, gsize len, gsize at)
{
	gsize n = at + 8 <= len ? ms_be32(data + at) : 0;
	if (n < 8 || n > len - at || data[at] != 0)
		return false;
	for (gsize i = at + 4; i < at + 8; i++)
		if (!g_ascii_isalnum(data[i]) && (i > at + 4 || data[i] != 0xa9))
			return false;
	return true;
}

/* The words of a block, and once more without the names of boxes that are glued to them. */
static void read_words(const MsWalk *w, const char *place, const guint8 *data, gsize len)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree guint8 *apart = NULL;
	ms_strings(text, data, len);
	for (gsize i = 0; i < len; i++)
		if (is_box_name(data, len, i)) {
			if (apart == NULL)
				apart = g_memdup2(data, len);
			memset(apart + i + 4, 0, 4);
		}
	if (apart != NULL)
		ms_strings(text, apart, len);
	ms_extract_span(w->to, place, text->str, text->len);
}

/* A block of which only texts concern us: they stand in it as they are. */
static void read_block(const MsWalk *w, const char *name, const guint8 *data, gsize len)
{
	g_autofree char *place = g_strdup_printf("%s %s", w->document->where, name);
	const guint8 *xmp = memmem(data, len, "<x:xmpmeta", 10);
	const guint8 *end = data + len;
	if (xmp != NULL) {
		const guint8 *close = memmem(xmp, (gsize)(end - xmp), "</x:xmpmeta>", 12);
		const guint8 *stop = close != NULL ? close + 12 : end;
		read_xmp(w, place, xmp, (gsize)(stop - xmp));
		read_words(w, place, data, (gsize)(xmp - data));
		read_words(w, place, stop, (gsize)(end - stop));
		return;
	}
	/* The small picture in EXIF is one more picture. */
	const guint8 *small = memmem(data, len, "\xff\xd8\xff", 3);
	const guint8 *last = small != NULL ? memmem(small, (gsize)(end - small), "\xff\xd9", 2)
					   : NULL;
	if (last != NULL) {
		read_words(w, place, data, (gsize)(small - data));
		read_words(w, place, last + 2, (gsize)(end - last - 2));
		return;
	}
	read_words(w, place, data, len);
}

/* ImageMagick's way to keep a block in a PNG: its name, its length, hexadecimal digits. */
static void read_raw_profile(const MsWalk *w, const guint8 *data, gsize len)
{
	g_autoptr(GByteArray) out = ms_bytes_new();
	guint lines = 0, half = 0;
	guint8 high = 0;
	for (gsize i = 0; i < len; i++) {
		lines += data[i] == '\n';
		int digit = lines >= 3 ? g_ascii_xdigit_value((char)data[i]) : -1;
		if (digit < 0)
			continue;
		guint8 byte = (guint8)(high << 4 | digit);
		if (half++ % 2 == 1)
			g_byte_array_append(out, &byte, 1);
		high = (guint8)digit;
	}
	read_block(w, "raw profile", out->data, out->len);
}

/* ---- what the walk says of each stretch ------------------------------------------------ */

void ms_walk_block(MsWalk *w, const char *name, gsize from, gsize to, bool speaks)
{
	if (w->inventory == NULL)
		return;
	if (ms_structural("picture", name) != NULL) {
		ms_inventory_bytes(w->inventory, ms_inventory_item(w->inventory, name), from, to);
	} else if (speaks || to - from <= MS_WALK_SMALL) {
		MsItem item = ms_inventory_item(w->inventory, name);
		ms_inventory_bytes(w->inventory, item, from, to);
		read_block(w, name, w->data + from, to - from);
		ms_inventory_read(w->inventory, item);
	}
}

bool ms_walk_step(MsWalk *w, gsize n)
{
	if (n > ms_walk_left(w) || ++w->blocks > MS_WALK_BLOCKS)
		return false;
	w->at += n;
	return true;
}

/* The file ends within the block at `from`, whose pixels begin `head` bytes later. */
static bool cut_off(MsWalk *w, const char *name, gsize from, gsize head)
{
	if (w->len - from <= head || ms_is_text(w->data + from + head, w->len - from - head))
		return false;
	ms_walk_block(w, name, from, w->len, false);
	w->at = w->len;
	w->cut = true;
	return true;
}

/* ---- PNG (ISO/IEC 15948) --------------------------------------------------------------- */

static void png_text(MsWalk *w, const char *name, const guint8 *data, gsize len)
{
	const guint8 *nul = memchr(data, 0, len);
	gsize key = nul != NULL ? (gsize)(nul - data) : len;
	g_autofree char *place = g_strdup_printf("%s %s", w->document->where, name);
	ms_extract_span(w->to, place, (const char *)data, key);
	gsize skip = key + 1;
	bool packed = strcmp(name, "PNG zTXt") == 0 || strcmp(name, "PNG iCCP") == 0;
	if (packed) {
		skip++;
	} else if (strcmp(name, "PNG iTXt") == 0 && len > key + 3) {
		packed = data[key + 1] == 1;
		skip = key + 3;
		for (int i = 0; i < 2 && skip < len; i++) { /* language, translated keyword */
			const guint8 *stop = memchr(data + skip, 0, len - skip);
			gsize n = (stop != NULL ? (gsize)(stop - data) : len) - skip;
			ms_extract_span(w->to, place, (const char *)data + skip, n);
			skip += n + 1;
		}
	}
	if (skip >= len)
		return;
	g_autoptr(GByteArray) whole = packed
		? ms_inflate(w->to, place, data + skip, len - skip, MS_ZLIB, NULL) : NULL;
	const guint8 *text = packed ? whole != NULL ? whole->data : NULL : data + skip;
	gsize n = packed ? whole != NULL ? whole->len : 0 : len - skip;
	if (g_str_has_prefix((const char *)data, "Raw profile type"))
		read_raw_profile(w, text, n);
	else
		read_block(w, name, text, n);
}

static bool walk_png(MsWalk *w)
{
	w->at = 8;
	ms_walk_block(w, "PNG signature", 0, 8, false);
	for (;;) {
		gsize from = w->at;
		if (ms_walk_left(w) < 12)
			return false;
		gsize n = ms_be32(w->data + from);
		const char *type = (const char *)w->data + from + 4;
		for (int i = 0; i < 4; i++)
			if (!g_ascii_isalpha(type[i]))
				return false;
		if (n > G_MAXINT32 || (from == 8 && memcmp(type, "IHDR", 4) != 0))
			return false;
		if (ms_walk_left(w) < n + 12 && memcmp(type, "IDAT", 4) == 0)
			return cut_off(w, "PNG IDAT", from, 8);
		if (!ms_walk_step(w, n + 12))
			return false;
		g_autofree char *name = g_strdup_printf("PNG %.4s", type);
		bool text = memcmp(type + 1, "TXt", 3) == 0 || memcmp(type + 1, "EXt", 3) == 0
			|| memcmp(type, "iCCP", 4) == 0;
		bool words = memcmp(type, "eXIf", 4) == 0 || memcmp(type, "sPLT", 4) == 0 ||
			n + 12 <= MS_WALK_SMALL;
		if (w->inventory != NULL && ms_structural("picture", name) == NULL &&
			(text || words)) {
			MsItem item = ms_inventory_item(w->inventory, name);
			ms_inventory_bytes(w->inventory, item, from, w->at);
			if (text)
				png_text(w, name, w->data + from + 8, n);
			else
				read_block(w, name, w->data + from + 8, n);
			ms_inventory_read(w->inventory, item);
		} else {
			ms_walk_block(w, name, from, w->at, false);
		}
		if (memcmp(type, "IEND", 4) == 0)
			return n == 0;
	}
}

/* ---- JPEG (ITU T.81) ------------------------------------------------------------------- */

/* To the next marker that is not part of the entropy-coded data. */
static bool skip_scan(MsWalk *w)
{
	gsize from = w->at;
	for (;;) {
		const guint8 *ff = memchr(w->data + w->at, 0xff, ms_walk_left(w));
		if (ff == NULL || (gsize)(ff - w->data) + 1 >= w->len)
			return cut_off(w, "JPEG scan", from, 0);
		w->at = (gsize)(ff - w->data);
		guint8 code = ff[1];
		if (code != 0 && code != 0xff && (code < 0xd0 || code > 0xd7))
			break;
		w->at += code == 0xff ? 1 : 2;
	}
	ms_walk_block(w, "JPEG scan", from, w->at, false);
	return true;
}

static bool walk_jpeg(MsWalk *w)
{
	w->at = 2;
	ms_walk_block(w, "JPEG start", 0, 2, false);
	bool frame = false;
	for (;;) {
		gsize from = w->at;
		while (ms_walk_left(w) >= 2 && w->data[w->at] == 0xff && w->data[w->at + 1] == 0xff)
			w->at++; /* fill bytes */
		if (ms_walk_left(w) < 2 || w->data[w->at] != 0xff)
			return false;
		guint8 code = w->data[w->at + 1];
		if (code == 0xd9) {
			w->at += 2;
			ms_walk_block(w, "JPEG end", from, w->at, false);
			return frame;
		}
		if (code < 0xc0 || code == 0xd8 || ms_walk_left(w) < 4)
			return false;
		gsize n = ms_be16(w->data + w->at + 2);
		if (n < 2 || !ms_walk_step(w, n + 2))
			return false;
		bool speaks = code == 0xfe || (code >= 0xe0 && code <= 0xef);
		g_autofree char *name = speaks
			? g_strdup_printf("JPEG %s%d", code == 0xfe ? "COM" : "APP",
				  code == 0xfe ? 0 : code - 0xe0)
			: g_strdup_printf("JPEG %02x", code);
		ms_walk_block(w, name, from, w->at, speaks);
		frame |= code >= 0xc0 && code <= 0xcf && code != 0xc4 && code != 0xc8 &&
			code != 0xcc;
		if (code == 0xda && !skip_scan(w))
			return false;
		if (w->cut)
			return frame;
	}
}

/* ---- GIF ------------------------------------------------------------------------------- */

static bool skip_sub_blocks(MsWalk *w)
{
	for (;;) {
		if (ms_walk_left(w) < 1)
			return false;
		gsize n = w->data[w->at];
		if (!ms_walk_step(w, n + 1))
			return false;
		if (n == 0)
			return true;
	}
}

/* The bytes of sub-blocks without their lengths. */
static void read_sub_blocks(const MsWalk *w, const char *name, gsize from, gsize to)
{
	g_autoptr(GByteArray) out = ms_bytes_new();
	for (gsize at = from; at < to && w->data[at] > 0; at += w->data[at] + 1u)
		g_byte_array_append(out, w->data + at + 1, (guint)MIN(w->data[at], to - at - 1));
	read_block(w, name, out->data, out->len);
}

static bool gif_extension(MsWalk *w)
{
	gsize from = w->at;
	guint8 label = ms_walk_left(w) >= 2 ? w->data[from + 1] : 0;
	w->at += 2;
	if (w->at > w->len || !skip_sub_blocks(w))
		return false;
	if (w->inventory == NULL)
		return true;
	if (label == 0xf9) {
		ms_walk_block(w, "GIF control", from, w->at, false);
	} else if (label == 0xfe || label == 0xff || label == 0x01) {
		MsItem item = ms_inventory_item(w->inventory, "GIF extension");
		ms_inventory_bytes(w->inventory, item, from, w->at);
		/* Of XMP the lengths are its own letters, so both readings. */
		if (memmem(w->data + from, w->at - from, "<x:xmpmeta", 10) != NULL)
			read_block(w, "extension", w->data + from, w->at - from);
		else
			read_sub_blocks(w, "extension", from + 2, w->at);
		ms_inventory_read(w->inventory, item);
	}
	return true;
}

/* An image with its colours and pixels.  The smallest pictures of the web are cut off here. */
static bool gif_image(MsWalk *w)
{
	gsize from = w->at;
	guint8 flags = ms_walk_left(w) > 9 ? w->data[from + 9] : 0;
	bool whole = ms_walk_left(w) >= 11 &&
		ms_walk_step(w, 11 + ((flags & 0x80) != 0 ? 3u << ((flags & 7) + 1) : 0)) &&
		skip_sub_blocks(w);
	if (!whole && w->len > MS_WALK_SMALL)
		return cut_off(w, "GIF image", from, 11);
	w->at = whole ? w->at : w->len;
	ms_walk_block(w, "GIF image", from, w->at, false);
	return true;
}

static bool walk_gif(MsWalk *w)
{
	if (w->len < 13)
		return false;
	guint8 flags = w->data[10];
	if (!ms_walk_step(w, 13 + ((flags & 0x80) != 0 ? 3u << ((flags & 7) + 1) : 0)))
		return false;
	ms_walk_block(w, "GIF header", 0, w->at, false);
	bool image = false;
	while (ms_walk_left(w) > 0) {
		gsize from = w->at;
		if (w->data[from] == 0x3b) {
			w->at++;
			ms_walk_block(w, "GIF end", from, w->at, false);
			return true;
		}
		bool extension = w->data[from] == 0x21;
		if ((!extension && w->data[from] != 0x2c) ||
			!(extension ? gif_extension(w) : gif_image(w)))
			return false;
		image |= !extension;
	}
	return image; /* some forget the end */
}

/* ---- BMP and icons --------------------------------------------------------------------- */

/* Size of a device-independent bitmap with its header; 0: it is none. */
static gsize dib_size(const guint8 *p, gsize len, bool icon)
{
	static const guint32 sizes[] = {12, 16, 40, 52, 56, 64, 108, 124};
	guint32 head = len >= 16 ? ms_le32(p) : 0;
	bool known = false;
	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++)
		known |= head == sizes[i];
	if (!known || len < head)
		return 0;
	bool old = head == 12;
	gint64 width = old ? (gint32)ms_le16(p + 4) : (gint32)ms_le32(p + 4);
	gint64 height = old ? (gint32)ms_le16(p + 6) : (gint32)ms_le32(p + 8);
	guint32 planes = ms_le16(p + (old ? 8 : 12)), bits = ms_le16(p + (old ? 10 : 14));
	guint32 packing = head >= 40 ? ms_le32(p + 16) : 0;
	height = ABS(height);
	if (planes > 1 || bits > 32 || width <= 0 || width > 65535 || height <= 0 ||
		height > 131070)
		return 0;
	guint32 used = head >= 40 ? ms_le32(p + 32) : 0;
	gsize colours = used > 0 && used <= 256 ? used : bits <= 8 ? (gsize)1 << bits : 0;
	gsize table = colours * (old ? 3 : 4) + (packing == 3 && head == 40 ? 12 : 0);
	gsize row = (gsize)((width * bits + 31) / 32 * 4);
	gsize pixels = packing == 0 || packing == 3 ? row * (gsize)height
		: head >= 40                        ? ms_le32(p + 20)
						    : 0;
	if (icon) /* colours over a mask of one bit */
		pixels = row * (gsize)(height / 2) +
			(gsize)((width + 31) / 32 * 4) * (gsize)(height / 2);
	return head + table + pixels;
}

static bool walk_bmp(MsWalk *w)
{
	if (w->len < 30)
		return false;
	gsize offset = ms_le32(w->data + 10), size = dib_size(w->data + 14, w->len - 14, false);
	gsize head = ms_le32(w->data + 14);
	if (size == 0 || offset < 14 + head || offset > w->len || size > w->len)
		return false;
	/* The pixels begin where the header says, not where its tables end. */
	gsize tables = MIN(offset, 14 + head + 1024 + 12);
	gsize claimed = ms_le32(w->data + 2);
	gsize end = MAX(14 + size, offset);
	if (end > w->len || (claimed > end && claimed <= w->len && claimed - end < 4))
		end = MIN(MAX(end, claimed), w->len);
	ms_walk_block(w, "BMP tables", 0, tables, false);
	ms_walk_block(w, "BMP pixels", offset, end, false);
	return true;
}

static bool walk_icon(MsWalk *w)
{
	guint n = w->len >= 6 ? ms_le16(w->data + 4) : 0;
	if (n == 0 || n > 256 || w->len < 6 + 16 * (gsize)n)
		return false;
	ms_walk_block(w, "icon list", 0, 6 + 16 * (gsize)n, false);
	for (guint i = 0; i < n; i++) {
		const guint8 *row = w->data + 6 + 16 * (gsize)i;
		gsize size = ms_le32(row + 8), at = ms_le32(row + 12);
		if (row[3] > 1 || at < 6 + 16 * (gsize)n || at > w->len || size > w->len - at ||
			size < 16)
			return false;
		const guint8 *p = w->data + at;
		bool png = memcmp(p, "\x89PNG", 4) == 0;
		if (!png && dib_size(p, size, true) == 0)
			return false;
		if (!png) /* a PNG is a gap: read as one */
			ms_walk_block(w, "icon pixels", at, at + MIN(size, dib_size(p, size, true)),
				false);
	}
	return true;
}

/* Icons of a Mac: blocks with a name and a size that has both in it.  A PNG is a gap. */
static bool walk_icns(MsWalk *w)
{
	static const char *const speak[] = {"icns TOC ", "icns name", "icns info", NULL};
	if (w->len < 16 || ms_be32(w->data + 4) != w->len)
		return false;
	w->at = 8;
	ms_walk_block(w, "icon list", 0, 8, false);
	while (ms_walk_left(w) >= 8) {
		gsize from = w->at, n = ms_be32(w->data + from + 4);
		if (n < 8 || !ms_walk_step(w, n))
			return false;
		const guint8 *p = w->data + from + 8;
		g_autofree char *name = g_strdup_printf("icns %.4s", (const char *)p - 8);
		bool png = n > 16 && memcmp(p, "\x89PNG", 4) == 0;
		ms_walk_block(w, "icon list", from, from + 8, false);
		if (g_strv_contains(speak, name))
			ms_walk_block(w, name, from + 8, w->at, true);
		else if (!png && !ms_is_text(p, n - 8))
			ms_walk_block(w, "icon pixels", from + 8, w->at, false);
	}
	return w->at == w->len;
}

/* The next number of a header in letters, behind blanks and comments; 0: there is none. */
static gsize next_number(MsWalk *w)
{
	gsize n = 0;
	while (w->at < w->len && (g_ascii_isspace(w->data[w->at]) || w->data[w->at] == '#')) {
		const guint8 *nl = w->data[w->at] == '#'
			? memchr(w->data + w->at, '\n', w->len - w->at) : w->data + w->at;
		w->at = nl != NULL ? (gsize)(nl - w->data) + 1 : w->len;
	}
	while (w->at < w->len && g_ascii_isdigit(w->data[w->at]) && n < 1000000)
		n = n * 10 + (gsize)(w->data[w->at++] - '0');
	return n;
}

/* Netpbm: width, height and depth in letters, then the pixels. */
static bool walk_netpbm(MsWalk *w)
{
	guint8 form = w->data[1];
	w->at = 2;
	gsize width = next_number(w), height = next_number(w);
	gsize depth = form == '4' ? 1 : next_number(w);
	gsize row = form == '4' ? (width + 7) / 8
		: width * (form == '6' ? 3 : 1) * (depth > 255 ? 2 : 1);
	gsize head = w->at + 1, n = row * height;
	if (n == 0 || depth == 0 || depth > 65535 || head > w->len || n > w->len - head)
		return false;
	ms_walk_block(w, "Netpbm header", 0, head, true);
	ms_walk_block(w, "Netpbm pixels", head, head + n, false);
	return n <= MS_WALK_SMALL || !ms_is_text(w->data + head, n);
}

/* ---- TIFF 6 ---------------------------------------------------------------------------- */

typedef struct {
	MsWalk *w;
	bool big;
	guint directories, strips;
	bool picture;
} Tiff;

static guint32 tiff16(const Tiff *t, gsize at)
{
	return t->big ? ms_be16(t->w->data + at) : ms_le16(t->w->data + at);
}

static guint32 tiff32(const Tiff *t, gsize at)
{
	return t->big ? ms_be32(t->w->data + at) : ms_le32(t->w->data + at);
}

static gsize tiff_number(const Tiff *t, gsize at, guint type, guint i)
{
	return type == 3 ? tiff16(t, at + 2 * (gsize)i) : tiff32(t, at + 4 * (gsize)i);
}

typedef struct {
	gsize at;
	guint type, count;
} Numbers;

static void cover_strips(Tiff *t, const Numbers *offsets, const Numbers *counts)
{
	for (guint i = 0; i < MIN(offsets->count, counts->count) && t->strips < MS_WALK_BLOCKS;
		i++) {
		t->strips++;
		gsize from = tiff_number(t, offsets->at, offsets->type, i);
		gsize n = tiff_number(t, counts->at, counts->type, i);
		if (from < t->w->len)
			ms_walk_block(
				t->w, "TIFF pixels", from, from + MIN(n, t->w->len - from), false);
	}
}

static bool tiff_directory(Tiff *t, gsize at);

/* One field: its value is text, numbers, or where more is.  False if it is out of bounds. */
static bool tiff_field(Tiff *t, gsize row, Numbers *offsets, Numbers *counts)
{
	static const guint8 widths[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4};
	guint tag = tiff16(t, row), type = tiff16(t, row + 2);
	gsize n = tiff32(t, row + 4);
	if (type == 0 || type >= G_N_ELEMENTS(widths) || n > t->w->len)
		return true; /* readers skip what they do not know */
	gsize size = n * widths[type], value = size <= 4 ? row + 8 : tiff32(t, row + 8);
	if (value > t->w->len || size > t->w->len - value)
		return false;
	bool numbers = (type == 3 || type == 4 || type == 13) && tag != 0x83bb;
	if (tag == 256)
		t->picture = true;
	/* Strips, tiles, and the small picture of old JPEG. */
	if (numbers && (tag == 273 || tag == 324 || tag == 513))
		*offsets = (Numbers){value, type, (guint)n};
	if (numbers && (tag == 279 || tag == 325 || tag == 514))
		*counts = (Numbers){value, type, (guint)n};
	bool words = tag == 0x83bb || type == 1 || type == 2 || type == 6 || type == 7;
	ms_walk_block(t->w, words ? "TIFF text" : "TIFF numbers", value, value + size, words);
	if (numbers && (tag == 330 || tag == 0x8769 || tag == 0x8825 || tag == 0xa005))
		for (guint i = 0; i < MIN(n, 64u); i++)
			if (!tiff_directory(t, tiff_number(t, value, type, i)))
				return false;
	return true;
}

static bool tiff_directory(Tiff *t, gsize at)
{
	while (at != 0) {
		if (++t->directories > 2000 || at > t->w->len || t->w->len - at < 6)
			return false;
		guint n = tiff16(t, at);
		gsize end = at + 2 + 12 * (gsize)n;
		if (n == 0 || end > t->w->len - 4)
			return false;
		ms_walk_block(t->w, "TIFF directory", at, end + 4, false);
		Numbers offsets = {0}, counts = {0};
		for (guint i = 0; i < n; i++)
			if (!tiff_field(t, at + 2 + 12 * (gsize)i, &offsets, &counts))
				return false;
		cover_strips(t, &offsets, &counts);
		at = tiff32(t, end);
	}
	return true;
}

static bool walk_tiff(MsWalk *w)
{
	Tiff t = {w, w->data[0] == 'M', 0, 0, false};
	ms_walk_block(w, "TIFF header", 0, 8, false);
	return w->len > 8 && tiff32(&t, 4) >= 8 && tiff_directory(&t, tiff32(&t, 4)) && t.picture;
}

/* ---- RIFF: WebP, WAV, AVI --------------------------------------------------------------- */

static bool walk_riff(MsWalk *w)
{
	gsize end = w->len >= 12 ? 8 + (gsize)ms_le32(w->data + 4) : 0;
	if (end < 12 || end > w->len + 1) /* the last pad byte is often left out */
		return false;
	end = MIN(end, w->len);
	w->at = 12;
	ms_walk_block(w, "RIFF header", 0, 12, false);
	while (w->at + 8 <= end) {
		gsize from = w->at, n = ms_le32(w->data + from + 4);
		if (n > end - from - 8)
			return false;
		ms_walk_step(w, 8 + MIN(n + (n & 1), end - from - 8));
		g_autofree char *name = g_strdup_printf("RIFF %.4s", (const char *)w->data + from);
		bool film = memcmp(w->data + from, "LIST", 4) == 0 && n >= 4
			&& memcmp(w->data + from + 8, "movi", 4) == 0;
		static const char *const speak[] = {"RIFF EXIF", "RIFF XMP ", "RIFF ICCP",
			"RIFF LIST", "RIFF INFO", "RIFF bext", "RIFF id3 ", "RIFF ID3 ",
			"RIFF iXML", "RIFF cue ", "RIFF smpl", NULL};
		ms_walk_block(
			w, film ? "RIFF movi" : name, from, w->at, g_strv_contains(speak, name));
		if (w->blocks > MS_WALK_BLOCKS)
			return false;
	}
	return w->at > 12;
}

/* ---- ISO base media (ISO/IEC 14496-12): MP4, HEIF, AVIF; JPEG 2000 ------------------------ */

/* HEIF keeps EXIF and XMP among the media data. */
static void read_media(MsWalk *w, gsize from, gsize to)
{
	if (w->inventory == NULL)
		return;
	ms_walk_block(w, "box mdat", from, to, false);
	const guint8 *xmp = memmem(w->data + from, to - from, "<x:xmpmeta", 10);
	if (xmp != NULL)
		read_block(w, "XMP", xmp, (gsize)(w->data + to - xmp) < HEIC_BLOCK * 4
				? (gsize)(w->data + to - xmp) : HEIC_BLOCK * 4);
	const guint8 *exif = memmem(w->data + from, to - from, "Exif\0\0", 6);
	if (exif != NULL)
		read_block(w, "EXIF", exif, MIN((gsize)(w->data + to - exif), HEIC_BLOCK));
}

static bool has_subtitles(const guint8 *data, gsize len)
{
	static const char *const handlers[] = {"sbtl", "subt", "clcp", "text"};
	for (const guint8 *p = data; (p = memmem(p, (gsize)(data + len - p), "hdlr", 4)) != NULL;
		p += 4)
		for (gsize i = 0; i < G_N_ELEMENTS(handlers); i++)
			if (data + len - p > 16 && memcmp(p + 12, handlers[i], 4) == 0)
				return true;
	return false;
}

static bool box(MsWalk *w)
{
	gsize from = w->at, n = ms_be32(w->data + from), head = 8;
	if (n == 1 && ms_walk_left(w) >= 16) {
		head = 16;
		n = ms_be32(w->data + from + 8) > 0 ? G_MAXSIZE : ms_be32(w->data + from + 12);
	} else if (n == 0) {
		n = ms_walk_left(w);
	}
	const guint8 *type = w->data + from + 4;
	for (int i = 0; i < 4; i++)
		if (type[i] < 0x20 || (type[i] > 0x7e && type[i] != 0xa9))
			return false;
	if (n < head || !ms_walk_step(w, n))
		return false;
	static const char *const speak[] = {"box ftyp", "box moov", "box meta", "box uuid",
		"box udta", "box moof", "box jp2h", "box xml ", "box styp", "box emsg",
		"box Exif", NULL};
	g_autofree char *name = g_strdup_printf("box %.4s", (const char *)type);
	if (memcmp(type, "mdat", 4) == 0)
		read_media(w, from, w->at);
	else
		ms_walk_block(w, name, from, w->at, g_strv_contains(speak, name));
	if (w->inventory != NULL && memcmp(type, "moov", 4) == 0 &&
		has_subtitles(w->data + from, n))
		ms_reading_unread(w->to->reading, w->document->where, MS_UNREAD_NO_READER,
			"a film with subtitles, which are not read");
	return true;
}

static bool walk_boxes(MsWalk *w)
{
	static const char *const bodies[] = {"moov", "mdat", "meta", "moof", "jp2c", "jxlc",
		"jxlp"};
	bool body = false;
	while (ms_walk_left(w) >= 8) {
		gsize from = w->at;
		if (!box(w)) {
			w->at = from;
			break; /* behind the last box something else begins: a gap */
		}
		for (gsize i = 0; i < G_N_ELEMENTS(bodies); i++)
			body |= memcmp(w->data + from + 4, bodies[i], 4) == 0;
	}
	return body;
}

/* ---- which ------------------------------------------------------------------------------ */

typedef struct {
	gsize offset;
	const char *magic;
	gsize len;
	const char *type;
	bool (*walk)(MsWalk *w);
} Form;

#define FORM(offset, magic, type, walk) {offset, magic, sizeof(magic) - 1, type, walk}
static const Form forms[] = {
	FORM(0, "\x89PNG\r\n\x1a\n", "image/png", walk_png),
	FORM(0, "\xff\xd8\xff", "image/jpeg", walk_jpeg),
	FORM(0, "GIF87a", "image/gif", walk_gif),
	FORM(0, "GIF89a", "image/gif", walk_gif),
	FORM(0, "II*\0", "image/tiff", walk_tiff),
	FORM(0, "MM\0*", "image/tiff", walk_tiff),
	FORM(0, "BM", "image/bmp", walk_bmp),
	FORM(0, "\0\0\1\0", "image/x-icon", walk_icon),
	FORM(8, "WEBP", "image/webp", walk_riff),
	FORM(8, "WAVE", "audio/wav", walk_riff),
	FORM(8, "AVI ", "video/x-msvideo", walk_riff),
	FORM(8, "ACON", "image/x-ani", walk_riff),
	FORM(4, "ftyphei", "image/heic", walk_boxes),
	FORM(4, "ftyphev", "image/heic", walk_boxes),
	FORM(4, "ftypmif1", "image/heif", walk_boxes),
	FORM(4, "ftypavif", "image/avif", walk_boxes),
	FORM(4, "ftypM4A", "audio/mp4", walk_boxes),
	FORM(4, "ftyp", "video/mp4", walk_boxes),
	FORM(4, "jP  \r\n\x87\n", "image/jp2", walk_boxes),
	FORM(4, "JXL \r\n\x87\n", "image/jxl", walk_boxes),
	FORM(0, "icns", "image/icns", walk_icns),
	FORM(0, "P4", "image/x-portable-bitmap", walk_netpbm),
	FORM(0, "P5", "image/x-portable-graymap", walk_netpbm),
	FORM(0, "P6", "image/x-portable-pixmap", walk_netpbm),
	FORM(0, "MThd", "audio/midi", ms_walk_midi),
	FORM(0, "FLV", "video/x-flv", ms_walk_flv),
	FORM(0, "\0\0\1\xba", "video/mpeg", ms_walk_packs),
	FORM(0, "G", "video/mp2t", ms_walk_broadcast),
	FORM(4, "G", "video/mp2t", ms_walk_broadcast),
	FORM(0, "OggS", "application/ogg", ms_walk_ogg),
	FORM(0, "ID3", "audio/mpeg", ms_walk_id3),
	FORM(0, "\xff\xfb", "audio/mpeg", ms_walk_mpeg),
	FORM(0, "\xff\xfa", "audio/mpeg", ms_walk_mpeg),
	FORM(0, "\xff\xf3", "audio/mpeg", ms_walk_mpeg),
	FORM(0, "\xff\xf2", "audio/mpeg", ms_walk_mpeg),
	FORM(0, "\xff\xfd", "audio/mpeg", ms_walk_mpeg),
	FORM(0, "\xff\xfc", "audio/mpeg", ms_walk_mpeg),
	FORM(0, "fLaC", "audio/flac", ms_walk_flac),
	FORM(0, "#!AMR\n", "audio/amr", ms_walk_amr),
	FORM(0, "#!AMR-WB\n", "audio/amr", ms_walk_amr),
	FORM(0, "\xff\xf1", "audio/aac", ms_walk_adts),
	FORM(0, "\xff\xf9", "audio/aac", ms_walk_adts),
	FORM(0, "FORM", "audio/aiff", ms_walk_aiff),
	FORM(0, "caff", "audio/x-caf", ms_walk_caf),
	FORM(0, ".snd", "audio/basic", ms_walk_au),
	FORM(0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-asf", ms_walk_asf),
	FORM(0, "\x1a\x45\xdf\xa3", "video/x-matroska", ms_walk_matroska),
};

static const Form *form_of(const guint8 *data, gsize len)
{
	for (gsize i = 0; i < G_N_ELEMENTS(forms); i++) {
		const Form *f = &forms[i];
		bool sure = f->walk == walk_riff ? len > 12 && memcmp(data, "RIFF", 4) == 0
			: f->walk == walk_netpbm ? len > 8 && g_ascii_isspace(data[2])
			: f->walk == ms_walk_broadcast ? ms_begins_as_broadcast(data, len)
						       : true;
		if (sure && len >= f->offset + f->len &&
			memcmp(data + f->offset, f->magic, f->len) == 0)
			return f;
	}
	return NULL;
}

bool ms_begins_as_picture(const guint8 *data, gsize len)
{
	return form_of(data, len) != NULL;
}

bool ms_is_picture(const guint8 *data, gsize len)
{
	const Form *form = form_of(data, len);
	MsWalk w = {.data = data, .len = len};
	return form != NULL && form->walk(&w);
}

const char *ms_picture_type(const guint8 *data, gsize len)
{
	return form_of(data, len)->type;
}

void ms_picture_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory)
{
	const Form *form = form_of(document->data, document->len);
	MsWalk w = {document->data, document->len, 0, 0, to, document, inventory};
	if (form == NULL || !form->walk(&w))
		ms_inventory_unread(
			inventory, MS_ITEM_WHOLE, MS_UNREAD_DAMAGED, "a picture that breaks off");
	else if (!ms_extract_picture(to, document->where, document->data, document->len, "image"))
		ms_inventory_unread(inventory, MS_ITEM_STRUCTURAL, MS_UNREAD_IMAGE,
			w.cut ? "a picture that breaks off" : "a picture, sound or film");
}

void ms_picture_stub_read(const MsExtraction *to, const MsDocument *document)
{
	MsWalk w = {.data = document->data, .len = document->len, .to = to, .document = document};
	read_words(&w, document->where, document->data, document->len);
	ms_reading_unread(
		to->reading, document->where, MS_UNREAD_IMAGE, "the beginning of a picture");
}

/* ---- what lies around ------------------------------------------------------------------- */

#define MAX_TAIL 4096 /* bytes that a camera or a program leaves behind the end */

/* Does a document begin anywhere in it? */
static bool has_document(const guint8 *data, gsize len)
{
	static const char *const magics[] = {"%PDF", "PK\x03\x04", "7z\xbc\xaf", "Rar!",
		"\x1f\x8b\x08", "BZh", "\3757zXZ", "\x28\xb5\x2f\xfd", "\xd0\xcf\x11\xe0", "{\\rt",
		"%!PS", "MSCF", "\x78\x9f\x3e\x22"};
	for (gsize i = 0; i < G_N_ELEMENTS(magics); i++)
		if (memmem(data, len, magics[i], strlen(magics[i])) != NULL)
			return true;
	return false;
}

/* Cameras note things behind a photo (Samsung's SEFT), programs forget to cut what they wrote over.
 * A moving photo has its film there: that is a gap of its own once its beginning is found. */
bool ms_picture_gap_read(const MsExtraction *to, const MsDocument *document, gsize from, gsize end)
{
	const guint8 *data = document->data + from;
	gsize len = end - from;
	const Form *form = form_of(document->data, document->len);
	bool behind = end == document->len && (form->walk == walk_jpeg || form->walk == walk_boxes);
	const guint8 *film = behind ? memmem(data, len, "ftyp", 4) : NULL;
	gsize before = film != NULL && film - data >= 4 ? (gsize)(film - data) - 4 : len;
	if (before > (behind ? MAX_TAIL : MS_WALK_SMALL) ||
		(before > MS_WALK_SMALL && has_document(data, before)))
		return false;
	MsWalk w = {.data = document->data, .len = document->len, .to = to, .document = document};
	read_words(&w, document->where, data, before);
	if (before < len)
		ms_extract_within(
			to, document->where, "film behind", NULL, data + before, len - before);
	return true;
}
