/*
 * Fonts: OpenType and TrueType (ISO/IEC 14496-22), and their packed form WOFF (W3C).  In come
 * bytes, out go the words that stand in them: names, licences, names of glyphs, drawings in SVG.
 * In the worker's only thread.
 *
 * What their letters say stands in a text that is read elsewhere; their shapes are structural as in
 * a PDF.  A beginning is soon imitated: a font is one whose tables all lie within the file, and
 * which has the table "head" with its magic number.  Of WOFF 2 only the outside is looked at: its
 * tables are packed with what nothing here unpacks.
 */
#include "config.h"

#include <string.h>

#include "media.h"

#define MAX_TABLES 256 /* of a font; there are some seventy kinds */
#define MAX_FONTS 64   /* of a collection */
#define HEAD_MAGIC 0x5f0f3cf5

typedef struct {
	char tag[5];
	gsize at, len, whole; /* `whole`: unpacked; equal to `len` if it is not packed */
} Table;

static Table table_at(const guint8 *row, bool woff)
{
	Table table = {.at = ms_be32(row + (woff ? 4 : 8)), .len = ms_be32(row + (woff ? 8 : 12))};
	memcpy(table.tag, row, 4);
	table.whole = woff ? ms_be32(row + 12) : table.len;
	return table;
}

/* The list of tables at `at`: where its rows begin and how many they are.  False: it is none. */
static bool list_at(const guint8 *data, gsize len, gsize at, bool woff, gsize *rows, guint *n)
{
	gsize head = woff ? 44 : 12, width = woff ? 20 : 16;
	if (at > len || len - at < head)
		return false;
	*rows = at + head;
	*n = ms_be16(data + at + (woff ? 12 : 4));
	if (*n == 0 || *n > MAX_TABLES || len - *rows < *n * width)
		return false;
	bool has_head = false;
	for (guint i = 0; i < *n; i++) {
		Table t = table_at(data + *rows + i * width, woff);
		if (t.at > len || t.len > len - t.at || t.len > t.whole)
			return false;
		bool is_head = strcmp(t.tag, "head") == 0;
		has_head |= is_head &&
			(t.len < t.whole ||
				(t.len >= 16 && ms_be32(data + t.at + 12) == HEAD_MAGIC));
	}
	return has_head;
}

static bool begins(const guint8 *data, gsize len, const char *magic)
{
	return len > 48 && memcmp(data, magic, 4) == 0;
}

static bool is_sfnt(const guint8 *data, gsize len)
{
	return begins(data, len, "\0\1\0\0") || begins(data, len, "OTTO") ||
		begins(data, len, "true");
}

/* Its whole length, that of its tables, and nothing else in it. */
static bool is_woff2(const guint8 *data, gsize len)
{
	return begins(data, len, "wOF2") && ms_be32(data + 8) == len && ms_be16(data + 12) > 0 &&
		ms_be32(data + 20) < len - 48 && len - ms_be32(data + 20) < 48 + 16 * MAX_TABLES &&
		ms_be32(data + 28) == 0 && ms_be32(data + 32) == 0 && ms_be32(data + 40) == 0 &&
		ms_be32(data + 44) == 0;
}

bool ms_is_font(const guint8 *data, gsize len)
{
	gsize rows;
	guint n;
	if (begins(data, len, "ttcf")) {
		guint32 fonts = ms_be32(data + 8);
		if (fonts == 0 || fonts > MAX_FONTS || len < 12 + 4 * (gsize)fonts)
			return false;
		for (guint i = 0; i < fonts; i++)
			if (!list_at(data, len, ms_be32(data + 12 + 4 * i), false, &rows, &n))
				return false;
		return true;
	}
	bool woff = begins(data, len, "wOFF");
	return (woff || is_sfnt(data, len)) ? list_at(data, len, 0, woff, &rows, &n)
					    : is_woff2(data, len);
}

/* ---- reading --------------------------------------------------------------------------- */

static void read_words(const MsExtraction *to, const char *place, const guint8 *data, gsize len)
{
	g_autoptr(GString) text = g_string_new(NULL);
	ms_strings(text, data, len);
	ms_extract_aside(to, place, false, text->str, text->len);
}

/* Drawings of letters: documents of their own, which a head says the places of. */
static void read_drawings(const MsExtraction *to, const char *where, const guint8 *data, gsize len)
{
	gsize list = len >= 10 ? ms_be32(data + 2) : len;
	guint n = list <= len && len - list >= 2 ? ms_be16(data + list) : 0;
	for (guint i = 0; i < n && list + 14 + 12 * (gsize)i <= len; i++) {
		gsize at = list + ms_be32(data + list + 6 + 12 * i),
		      size = ms_be32(data + list + 10 + 12 * i);
		if (at < len && size <= len - at)
			ms_extract_within(to, where, "drawing.svg", NULL, data + at, size);
	}
	read_words(to, where, data, len);
}

/* False: nobody knows what stands in it. */
static bool read_table(
	const MsExtraction *to, const char *where, const char *tag, const guint8 *data, gsize len)
{
	static const char *const words[] = {"name", "post", "meta", "CFF ", "ltag", "DSIG", NULL};
	g_autofree char *place = g_strdup_printf("%s > table %s", where, tag);
	if (strcmp(tag, "SVG ") == 0)
		read_drawings(to, place, data, len);
	else if (g_strv_contains(words, tag) || len <= MS_WALK_SMALL)
		read_words(to, place, data, len);
	else if (ms_is_document(data, len))
		ms_extract_within(to, where, tag, NULL, data, len);
	else
		return false;
	return true;
}

static void take_table(
	const MsExtraction *to, const MsDocument *document, MsInventory *inventory, const Table *t)
{
	g_autofree char *tag = g_strcanon(g_strdup(t->tag),
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/ ", '_');
	MsItem item = ms_inventory_item(inventory, tag);
	ms_inventory_bytes(inventory, item, t->at, t->at + t->len);
	if (item == MS_ITEM_STRUCTURAL)
		return;
	const guint8 *data = document->data + t->at;
	g_autoptr(GByteArray) unpacked = t->len < t->whole
		? ms_inflate(to, document->where, data, t->len, MS_ZLIB, NULL)
		: NULL;
	bool read = unpacked != NULL
		? read_table(to, document->where, tag, unpacked->data, unpacked->len)
		: read_table(to, document->where, tag, data, t->len);
	if (read)
		ms_inventory_read(inventory, item);
	else
		ms_inventory_unread(inventory, item, MS_UNREAD_NO_READER,
			"a table of a font that nothing here reads");
}

static void take_font(const MsExtraction *to, const MsDocument *document, MsInventory *inventory,
	gsize at, bool woff)
{
	gsize rows, width = woff ? 20 : 16;
	guint n;
	if (!list_at(document->data, document->len, at, woff, &rows, &n))
		return;
	ms_inventory_bytes(
		inventory, ms_inventory_item(inventory, "list of tables"), at, rows + n * width);
	for (guint i = 0; i < n; i++) {
		Table t = table_at(document->data + rows + i * width, woff);
		take_table(to, document, inventory, &t);
	}
}

/* What WOFF keeps of itself: an XML text, packed. */
static void read_metadata(
	const MsExtraction *to, const MsDocument *document, MsInventory *inventory)
{
	gsize at = ms_be32(document->data + 24), n = ms_be32(document->data + 28);
	if (at == 0 || at > document->len || n > document->len - at)
		return;
	MsItem item = ms_inventory_item(inventory, "metadata");
	ms_inventory_bytes(inventory, item, at, at + n);
	g_autoptr(GByteArray)
		text = ms_inflate(to, document->where, document->data + at, n, MS_ZLIB, NULL);
	if (text != NULL)
		ms_extract_within(to, document->where, "metadata.xml", NULL, text->data, text->len);
	ms_inventory_read(inventory, item);
}

void ms_font_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory)
{
	const guint8 *data = document->data;
	if (begins(data, document->len, "wOF2")) {
		ms_inventory_unread(inventory, MS_ITEM_WHOLE, MS_UNREAD_IMAGE,
			"a font (WOFF 2), whose shapes of letters nothing here unpacks");
	} else if (begins(data, document->len, "ttcf")) {
		guint32 fonts = ms_be32(data + 8);
		ms_inventory_bytes(inventory, ms_inventory_item(inventory, "list of fonts"), 0,
			12 + 4 * (gsize)fonts);
		for (guint i = 0; i < fonts; i++)
			take_font(to, document, inventory, ms_be32(data + 12 + 4 * i), false);
	} else {
		bool woff = begins(data, document->len, "wOFF");
		take_font(to, document, inventory, 0, woff);
		if (woff)
			read_metadata(to, document, inventory);
	}
}
