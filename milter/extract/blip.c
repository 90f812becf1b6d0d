/*
 * Word keeps its pictures in "Data", Excel among its records, PowerPoint in "Pictures", and each
 * with other bytes before them; PowerPoint packs the workbooks that its slides show.  In comes the
 * stream, out go pictures and objects, told by the heads of their own records, and the words of
 * what is left.  In the worker's only thread.
 */
#include "config.h"

#include <gio/gio.h>
#include <string.h>

#include "missent/text.h"

#include "blip.h"
#include "bytes.h"
#include "readers.h"

#define MAX_UNPACKED (16 << 20)
#define HEAD 8 /* bytes of a record's: version and instance, type, length */

enum { BLIP_EMF = 0xf01a, BLIP_PICT = 0xf01c, BLIP_LAST = 0xf02a, OBJECT = 0x1011 };

GByteArray *ms_zlib_of(const guint8 *data, gsize len)
{
	if (len < 8 || (data[0] & 0x0f) != 8 || ms_be16(data) % 31 != 0)
		return NULL;
	g_autoptr(GZlibDecompressor) z = g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_ZLIB);
	GByteArray *out = ms_bytes_new();
	guint8 buffer[16384];
	gsize read, written;
	for (GConverterResult rc = G_CONVERTER_CONVERTED;
		rc == G_CONVERTER_CONVERTED && out->len < MAX_UNPACKED; data += read, len -= read) {
		read = written = 0;
		rc = g_converter_convert(G_CONVERTER(z), data, len, buffer, sizeof buffer,
			G_CONVERTER_INPUT_AT_END, &read, &written, NULL);
		if (rc == G_CONVERTER_ERROR)
			break;
		g_byte_array_append(out, buffer, (guint)written);
	}
	if (out->len == 0)
		g_clear_pointer(&out, g_byte_array_unref);
	return out;
}

/* ---- pictures ------------------------------------------------------------------------- */

/* One picture without the head of its record.  Drawings have 34 bytes more before them than
 * pictures of dots, of which the last but one says whether they are packed. */
static void read_blip(
	const MsExtraction *to, const char *where, guint type, const guint8 *p, gsize len, bool two)
{
	gsize head = (two ? 32 : 16) + (type <= BLIP_PICT ? 34 : 1);
	if (len <= head)
		return;
	g_autoptr(GByteArray) drawing =
		type <= BLIP_PICT && p[head - 2] == 0 ? ms_zlib_of(p + head, len - head) : NULL;
	ms_extract_within(to, where, "picture", NULL, drawing != NULL ? drawing->data : p + head,
		drawing != NULL ? drawing->len : len - head);
}

/* Do the bytes at `p` begin the record of a picture?  Only these instances do. */
static bool is_blip(const guint8 *p, gsize left)
{
	static const guint16 instances[] = {0x3d4, 0x216, 0x542, 0x46a, 0x6e0, 0x6e2, 0x6e4, 0x7a8};
	if (left < HEAD || p[3] != 0xf0 || ms_le32(p + 4) > left - HEAD)
		return false;
	guint type = ms_le16(p + 2), instance = ms_le16(p) >> 4;
	if (type < BLIP_EMF || type > BLIP_LAST || (p[0] & 0x0f) != 0)
		return false;
	for (gsize i = 0; i < G_N_ELEMENTS(instances); i++)
		if ((instance & ~1u) == instances[i])
			return true;
	return false;
}

/* Where the next picture begins, or `end`. */
static const guint8 *next_blip(const guint8 *p, const guint8 *end)
{
	while (end - p > HEAD) {
		const guint8 *mark = memchr(p + 3, 0xf0, (gsize)(end - p) - 3);
		if (mark == NULL)
			break;
		if (is_blip(mark - 3, (gsize)(end - mark) + 3))
			return mark - 3;
		p = mark - 2;
	}
	return end;
}

guint ms_blips_read(const MsExtraction *to, const char *where, const guint8 *data, gsize len,
	GString *words)
{
	guint n = 0;
	const guint8 *p = data, *end = data + len;
	for (; p < end && ms_budget_time(to->budget); n++) {
		const guint8 *blip = next_blip(p, end);
		ms_strings(words, p, (gsize)(blip - p));
		if (blip == end)
			break;
		guint instance = ms_le16(blip) >> 4;
		/* Those of dots that are shared have an odd instance, JPEG of CMYK its own pair. */
		read_blip(to, where, ms_le16(blip + 2), blip + HEAD, ms_le32(blip + 4),
			(instance & 1) != 0);
		p = blip + HEAD + ms_le32(blip + 4);
	}
	return n;
}

/* ---- objects of slides ---------------------------------------------------------------- */

void ms_slide_objects_read(
	const MsExtraction *to, const char *where, const guint8 *data, gsize len)
{
	while (len >= HEAD && ms_budget_time(to->budget)) {
		guint instance = ms_le16(data) >> 4;
		gsize size = MIN((gsize)ms_le32(data + 4), len - HEAD);
		const guint8 *body = data + HEAD;
		if (ms_le16(data + 2) == OBJECT && instance == 0) {
			ms_extract_within(to, where, "object", NULL, body, size);
		} else if (ms_le16(data + 2) == OBJECT && size > 4) {
			g_autoptr(GByteArray) object = ms_zlib_of(body + 4, size - 4);
			if (object != NULL)
				ms_extract_within(to, where, "object", NULL, object->data, object->len);
			else
				ms_reading_unread(to->reading, where, MS_UNREAD_DAMAGED,
					"an object that cannot be unpacked");
		}
		data = body + size;
		len -= HEAD + size;
	}
}
