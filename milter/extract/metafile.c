/*
 * Drawings as Windows keeps them: EMF (MS-EMF, with the records of MS-EMFPLUS in it) and WMF
 * (MS-WMF).  In come records of a type and a length, out goes the text that they draw, once a
 * record a line, and once what stands on one line joined, for programs draw letter by letter.  A
 * picture in it is told as one; a drawing without any text may be letters drawn as curves.  In
 * the worker's only thread.
 */
#include "config.h"

#include <string.h>

#include "missent/inventory.h"

#include "bytes.h"
#include "readers.h"

#define MAX_RECORDS 2000000

enum {
	EMR_COMMENT = 70, EMR_TEXT_A = 83, EMR_TEXT_W = 84, EMR_SMALL_TEXT = 108,
	PLUS_STRING = 0x401c, PLUS_DRIVER_STRING = 0x4036, PLUS_OBJECT = 0x4008,
	META_TEXT = 0x0521, META_EXT_TEXT = 0x0a32, OPTION_GLYPHS = 0x10,
};

typedef struct {
	const MsExtraction *to;
	const guint8 *data;
	gsize len;
	GString *records, *joined, *words;
	gint32 y;
	bool any, raster, curves;
	bool glyphs; /* text given as numbers of glyphs, without its characters */
} Drawing;

static bool is_emf(const guint8 *data, gsize len)
{
	return len >= 44 && ms_le32(data) == 1 && memcmp(data + 40, " EMF", 4) == 0;
}

static bool is_wmf(const guint8 *data, gsize len)
{
	if (len >= 4 && memcmp(data, "\xd7\xcd\xc6\x9a", 4) == 0)
		return true;
	return len >= 18 && (ms_le16(data) == 1 || ms_le16(data) == 2) && ms_le16(data + 2) == 9
		&& (ms_le16(data + 4) == 0x300 || ms_le16(data + 4) == 0x100);
}

bool ms_is_metafile(const guint8 *data, gsize len)
{
	return is_emf(data, len) || is_wmf(data, len);
}

/* One text at the height `y`, of `n` characters. */
static void put(Drawing *d, gint32 y, const guint8 *text, gsize n, bool wide)
{
	GString *utf8;
	ms_charset_decode(wide ? "UTF-16LE" : "WINDOWS-1252", text, wide ? n * 2 : n, &utf8);
	g_string_append_len(d->records, utf8->str, (gssize)utf8->len);
	g_string_append_c(d->records, '\n');
	if (d->any && y != d->y)
		g_string_append_c(d->joined, '\n');
	g_string_append_len(d->joined, utf8->str, (gssize)utf8->len);
	g_string_free(utf8, TRUE);
	d->any = d->any || n > 0;
	d->y = y;
}

/* ---- EMF ------------------------------------------------------------------------------ */

static bool text_record(Drawing *d, const guint8 *p, gsize size, bool wide)
{
	if (size < 76)
		return false;
	gsize n = ms_le32(p + 44), at = ms_le32(p + 48), bytes = wide ? n * 2 : n;
	if (n > size || at > size || bytes > size - at)
		return false;
	if ((ms_le32(p + 52) & OPTION_GLYPHS) != 0)
		d->glyphs = d->glyphs || n > 0;
	else
		put(d, (gint32)ms_le32(p + 40), p + at, n, wide);
	return true;
}

static bool small_text(Drawing *d, const guint8 *p, gsize size)
{
	if (size < 36)
		return false;
	gsize n = ms_le32(p + 16);
	guint32 options = ms_le32(p + 20);
	gsize at = (options & 0x100) != 0 ? 36 : 52;
	bool wide = (options & 0x200) == 0;
	if (n > size || at > size || (wide ? n * 2 : n) > size - at)
		return false;
	if ((options & OPTION_GLYPHS) != 0)
		d->glyphs = d->glyphs || n > 0;
	else
		put(d, (gint32)ms_le32(p + 12), p + at, n, wide);
	return true;
}

/* The records of EMF+ within a comment; `p` is after its signature. */
static void plus_records(Drawing *d, const guint8 *p, gsize len)
{
	while (len >= 12) {
		gsize size = ms_le32(p + 4);
		guint type = ms_le16(p);
		if (size < 12 || size > len)
			break;
		if (type == PLUS_STRING && size >= 40) {
			gsize n = MIN(ms_le32(p + 20), (size - 40) / 2);
			put(d, (gint32)ms_le32(p + 28), p + 40, n, true);
		} else if (type == PLUS_DRIVER_STRING && size >= 28) {
			gsize n = MIN(ms_le32(p + 24), (size - 28) / 2);
			if ((ms_le32(p + 16) & 1) == 0)
				d->glyphs = d->glyphs || n > 0;
			else
				put(d, 0, p + 28, n, true);
		} else if (type == PLUS_OBJECT && (ms_le16(p + 2) >> 8 & 0x7f) == 5) {
			d->raster = true;
		} else {
			ms_strings(d->words, p + 12, size - 12);
		}
		p += size;
		len -= size;
	}
	ms_strings(d->words, p, len);
}

static bool is_emf_picture(guint32 type)
{
	return (type >= 76 && type <= 81) || type == 114 || type == 116;
}

static bool is_emf_curve(guint32 type)
{
	return (type >= 2 && type <= 8) || (type >= 85 && type <= 92) || type == 62 || type == 63;
}

static void emf_record(Drawing *d, guint32 type, const guint8 *p, gsize size)
{
	bool known = false;
	if (type == EMR_TEXT_A || type == EMR_TEXT_W)
		known = text_record(d, p, size, type == EMR_TEXT_W);
	else if (type == EMR_SMALL_TEXT)
		known = small_text(d, p, size);
	else if (type == EMR_COMMENT && size >= 16 && memcmp(p + 12, "EMF+", 4) == 0) {
		plus_records(d, p + 16, size - 16);
		known = true;
	}
	d->raster = d->raster || is_emf_picture(type);
	d->curves = d->curves || is_emf_curve(type);
	if (!known && !is_emf_picture(type) && !is_emf_curve(type))
		ms_strings(d->words, p, size);
}

/* How far the records go. */
static gsize read_emf(Drawing *d)
{
	gsize at = 0;
	for (guint n = 0; n < MAX_RECORDS && d->len - at >= 8 && ms_budget_time(d->to->budget);
		n++) {
		const guint8 *p = d->data + at;
		guint32 type = ms_le32(p);
		gsize size = ms_le32(p + 4);
		if (size < 8 || size > d->len - at)
			return at;
		emf_record(d, type, p, size);
		at += size;
		if (type == 14) /* the end */
			return at;
	}
	return at;
}

/* ---- WMF ------------------------------------------------------------------------------ */

static bool is_wmf_picture(guint function)
{
	return function == 0x0940 || function == 0x0b41 || function == 0x0f43 || function == 0x0d33
		|| function == 0x0922 || function == 0x0b23;
}

static bool is_wmf_curve(guint function)
{
	return function == 0x0324 || function == 0x0325 || function == 0x0538;
}

static bool wmf_text(Drawing *d, guint function, const guint8 *p, gsize size)
{
	if (function == META_TEXT && size >= 8) {
		gsize n = ms_le16(p + 6), even = (n + 1) & ~(gsize)1;
		if (8 + n > size)
			return false;
		gint32 y = 8 + even + 2 <= size ? (gint16)ms_le16(p + 8 + even) : 0;
		put(d, y, p + 8, n, false);
		return true;
	}
	if (function == META_EXT_TEXT && size >= 14) {
		gsize n = ms_le16(p + 10), at = (ms_le16(p + 12) & 6) != 0 ? 22 : 14;
		if (at > size || n > size - at)
			return false;
		if ((ms_le16(p + 12) & OPTION_GLYPHS) != 0)
			d->glyphs = d->glyphs || n > 0;
		else
			put(d, (gint16)ms_le16(p + 6), p + at, n, false);
		return true;
	}
	return false;
}

static gsize read_wmf(Drawing *d)
{
	gsize at = memcmp(d->data, "\xd7\xcd\xc6\x9a", 4) == 0 ? 22 : 0;
	if (d->len < at + 18)
		return 0;
	at += 18;
	for (guint n = 0; n < MAX_RECORDS && d->len - at >= 6 && ms_budget_time(d->to->budget);
		n++) {
		const guint8 *p = d->data + at;
		gsize size = (gsize)ms_le32(p) * 2;
		guint function = ms_le16(p + 4);
		if (size < 6 || size > d->len - at)
			return at;
		if (!wmf_text(d, function, p, size) && !is_wmf_picture(function) &&
			!is_wmf_curve(function))
			ms_strings(d->words, p, size);
		d->raster = d->raster || is_wmf_picture(function);
		d->curves = d->curves || is_wmf_curve(function);
		at += size;
		if (function == 0) /* the end */
			return at;
	}
	return at;
}

/* ---- a drawing ------------------------------------------------------------------------ */

static void hand_over(const Drawing *d, const char *where)
{
	ms_extract_span(d->to, where, d->records->str, d->records->len);
	if (strcmp(d->records->str, d->joined->str) != 0) {
		g_autofree char *place = g_strconcat(where, " (joined)", NULL);
		ms_extract_span(d->to, place, d->joined->str, d->joined->len);
	}
	g_autofree char *place = g_strconcat(where, " (other records)", NULL);
	ms_extract_span(d->to, place, d->words->str, d->words->len);
}

void ms_metafile_read(const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory)
{
	MsItem item = ms_inventory_item(inventory, "drawing");
	Drawing d = {.to = to,
		.data = document->data,
		.len = document->len,
		.records = g_string_new(NULL),
		.joined = g_string_new(NULL),
		.words = g_string_new(NULL)};
	gsize read = is_emf(d.data, d.len) ? read_emf(&d) : read_wmf(&d);
	hand_over(&d, document->where);
	ms_inventory_bytes(inventory, item, 0, read);
	if (read == 0)
		ms_inventory_unread(
			inventory, item, MS_UNREAD_DAMAGED, "a drawing without records");
	else if (d.glyphs)
		ms_inventory_unread(inventory, item, MS_UNREAD_CHARSET,
			"text that is given as numbers of glyphs");
	else if (d.curves && !d.any)
		ms_inventory_unread(inventory, item, MS_UNREAD_IMAGE_ONLY,
			"a drawing whose letters, if any, are curves");
	else if (d.raster)
		ms_inventory_unread(inventory, item, MS_UNREAD_IMAGE, "a picture in a drawing");
	else
		ms_inventory_read(inventory, item);
	g_string_free(d.records, TRUE);
	g_string_free(d.joined, TRUE);
	g_string_free(d.words, TRUE);
}
