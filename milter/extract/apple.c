/*
 * What a Macintosh keeps beside a file, and sends along: AppleDouble and AppleSingle (RFC 1740),
 * also as "__MACOSX/._name" in its ZIP files, and .DS_Store, which has the names of the other
 * files of a folder.  In come bytes, out go the name, the comment and the data of the file, each
 * resource that is a document, and the words of the rest.  A worker's one thread.
 */
#include "config.h"

#include <string.h>

#include "missent/scan.h"

#include "bytes.h"
#include "readers.h"

enum { DATA = 1, RESOURCES = 2, NAME = 3, COMMENT = 4, FINDER = 9 }; /* entries */

#define HEAD 26 /* bytes before the first entry's descriptor */
#define DESCRIPTOR 12
#define SMALL 4096  /* bytes, more than dates, flags and attributes have */
#define MAP_HEAD 28 /* bytes of a map of resources before its types */

typedef struct {
	const MsExtraction *to;
	const char *where;
	MsInventory *inventory;
	GString *words;
} Apple;

/* Words in it count where the directory knows them: there are random marks among them. */
static void add_words(Apple *apple, const guint8 *data, gsize len)
{
	ms_strings(apple->words, data, len);
	g_string_append_c(apple->words, '\n');
}

static GString *text_of(const guint8 *data, gsize len)
{
	GString *out = NULL;
	bool utf8 = ms_scan_utf8((const char *)data, len);
	ms_charset_decode(utf8 ? "UTF-8" : "MACINTOSH", data, len, &out);
	return out;
}

/* ---- resources ------------------------------------------------------------------------- */

/* Pictures of the file on a desktop, and numbers for programs. */
static bool is_binary_type(const guint8 *type)
{
	static const char *const types[] = {"icns", "ICN#", "icl4", "icl8", "ics#", "ics4", "ics8",
		"il32", "is32", "l8mk", "s8mk", "it32", "t8mk", "alis", "cfrg", "SIZE", "CODE"};
	for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
		if (memcmp(type, types[i], 4) == 0)
			return true;
	return false;
}

/* One resource; false if it can be anything. */
static bool read_resource(Apple *apple, const guint8 *type, const guint8 *data, gsize len)
{
	if (ms_extract_knows(data, len)) {
		g_autofree char *name = g_strndup((const char *)type, 4);
		g_autofree char *valid = g_utf8_make_valid(name, -1);
		ms_extract_within(apple->to, apple->where, valid, NULL, data, len);
		return true;
	}
	return len <= SMALL || is_binary_type(type) || ms_is_text(data, len);
}

/* All resources of one type, whose references begin at `refs`. */
static bool read_type(Apple *apple, const guint8 *fork, gsize len, const guint8 *type, gsize refs)
{
	gsize n = ms_be16(type + 4) + 1u, base = ms_be32(fork);
	for (gsize i = 0; i < n; i++) {
		gsize ref = refs + i * DESCRIPTOR;
		if (len < DESCRIPTOR || ref > len - DESCRIPTOR ||
			!ms_budget_time(apple->to->budget))
			return false;
		gsize at = base + (ms_be32(fork + ref + 4) & 0xffffff);
		gsize size = at + 4 <= len ? ms_be32(fork + at) : 0;
		if (at + 4 > len || size > len - at - 4 ||
			!read_resource(apple, type, fork + at + 4, size))
			return false;
	}
	return true;
}

static bool read_resources(Apple *apple, const guint8 *fork, gsize len)
{
	add_words(apple, fork, len);
	gsize map = len >= 16 ? ms_be32(fork + 4) : len;
	if (map + MAP_HEAD + 2 > len || ms_be32(fork) > len)
		return false;
	gsize types = map + ms_be16(fork + map + 24);
	if (types + 2 > len)
		return false;
	gsize n = (ms_be16(fork + types) + 1u) & 0xffff; /* 0xffff: none */
	for (gsize i = 0; i < n; i++) {
		gsize type = types + 2 + i * 8;
		if (type + 8 > len ||
			!read_type(apple, fork, len, fork + type, types + ms_be16(fork + type + 6)))
			return false;
	}
	return true;
}

/* ---- entries --------------------------------------------------------------------------- */

/* False if nothing here reads it. */
static bool read_entry(Apple *apple, guint32 id, const guint8 *data, gsize len)
{
	if (id == RESOURCES)
		return len == 0 || read_resources(apple, data, len);
	if (id == DATA) {
		if (len > 0)
			ms_extract_within(apple->to, apple->where, "data fork", NULL, data, len);
	} else if (id == NAME || id == COMMENT) {
		g_autoptr(GString) text = text_of(data, len);
		if (id == NAME)
			ms_extract_name(apple->to, apple->where, text->str);
		else
			ms_extract_span(apple->to, apple->where, text->str, text->len);
	} else {
		add_words(apple, data, len);
		return id == FINDER || len <= SMALL;
	}
	return true;
}

bool ms_is_apple(const guint8 *data, gsize len)
{
	return len >= HEAD && memcmp(data, "\0\x05\x16", 3) == 0 && (data[3] == 7 || data[3] == 0);
}

void ms_apple_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory)
{
	const guint8 *data = document->data;
	g_autoptr(GString) words = g_string_new(NULL);
	Apple apple = {to, document->where, inventory, words};
	gsize n = document->len >= HEAD ? ms_be16(data + 24) : 0, behind = HEAD + n * DESCRIPTOR;
	MsItem head = ms_inventory_item(inventory, "descriptors");
	if (behind > document->len || n == 0) {
		ms_inventory_unread(inventory, MS_ITEM_WHOLE, MS_UNREAD_DAMAGED,
			"an AppleDouble file that breaks off");
		return;
	}
	ms_inventory_bytes(inventory, head, 0, behind);
	ms_inventory_read(inventory, head);
	for (gsize i = 0; i < n; i++) {
		const guint8 *entry = data + HEAD + i * DESCRIPTOR;
		guint32 id = ms_be32(entry), from = ms_be32(entry + 4), len = ms_be32(entry + 8);
		g_autofree char *name = g_strdup_printf("entry %u", id);
		MsItem item = ms_inventory_item(inventory, name);
		if (from > document->len || len > document->len - from) {
			ms_inventory_unread(inventory, item, MS_UNREAD_DAMAGED,
				"an AppleDouble file that breaks off");
			continue;
		}
		ms_inventory_bytes(inventory, item, from, (gsize)from + len);
		if (read_entry(&apple, id, data + from, len))
			ms_inventory_read(inventory, item);
		else
			ms_inventory_unread(inventory, item, MS_UNREAD_NO_READER,
				"what a Macintosh keeps beside a file, of no known kind");
	}
	ms_extract_aside(to, document->where, false, words->str, words->len);
}

/* ---- folders --------------------------------------------------------------------------- */

bool ms_is_ds_store(const guint8 *data, gsize len)
{
	return len >= 36 && memcmp(data, "\0\0\0\1Bud1", 8) == 0;
}

void ms_ds_store_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory)
{
	g_autoptr(GString) words = g_string_new(NULL);
	ms_strings(words, document->data, document->len);
	ms_extract_aside(to, document->where, false, words->str, words->len);
	ms_inventory_read(inventory, MS_ITEM_WHOLE);
}
