/*
 * Pages of XPS and OpenXPS (ECMA-388), the members of such a file that show text: <Glyphs> with a
 * string, or with numbers of glyphs alone.  In comes the XML of one page, out go its strings in
 * the order of their places; all other attributes but numbers are text too.  In the worker's only
 * thread.
 */
#include "config.h"

#include <string.h>

#include "placed.h"
#include "readers.h"
#include "xml.h"

typedef struct {
	MsPlaced *placed;
	GString *other;
	bool bare; /* glyphs without characters */
} Page;

bool ms_is_fixed_page(const guint8 *data, gsize len)
{
	g_autofree char *root = ms_is_xml(data, len) ? ms_xml_root(data, len) : NULL;
	return root != NULL && strcmp(root, "FixedPage") == 0;
}

static double number(const char *const *attributes, const char *name)
{
	const char *value = ms_xml_attribute(attributes, name);
	return value != NULL ? g_ascii_strtod(value, NULL) : 0;
}

static void page_start(void *user, const char *name, const char *const *attributes)
{
	Page *page = user;
	if (strcmp(name, "Glyphs") == 0) {
		const char *text = ms_xml_attribute(attributes, "UnicodeString");
		const char *indices = ms_xml_attribute(attributes, "Indices");
		if (text != NULL && g_str_has_prefix(text, "{}"))
			text += 2;
		bool empty = text == NULL || *text == '\0';
		page->bare |= empty && indices != NULL && *indices != '\0';
		if (!empty)
			ms_placed_add(page->placed, number(attributes, "OriginX"),
				number(attributes, "OriginY"),
				number(attributes, "FontRenderingEmSize"), text, strlen(text));
	}
	for (; *attributes != NULL; attributes += 2)
		if (strcmp(attributes[0], "UnicodeString") != 0
			&& ms_structural("xps", attributes[0]) == NULL)
			g_string_append_printf(page->other, "%s\n", attributes[1]);
}

static void page_end(void *user, const char *name)
{
	(void)user;
	(void)name;
}

static void page_text(void *user, const char *text, gsize len)
{
	Page *page = user;
	g_string_append_len(page->other, text, (gssize)len);
}

void ms_xps_page_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory)
{
	static const MsXmlHandler handler = {page_start, page_end, page_text};
	g_autoptr(GString) other = g_string_new(NULL);
	Page page = {ms_placed_new(), other, false};
	ms_inventory_read(inventory, MS_ITEM_WHOLE);
	const char *wrong = ms_xml_parse(
		document->data, document->len, to->budget, &handler, &page);
	ms_placed_end(page.placed, to, document->where);
	ms_squeeze(other);
	g_autofree char *place = g_strconcat(document->where, " (attributes)", NULL);
	ms_extract_span(to, place, other->str, other->len);
	if (page.bare)
		ms_reading_unread(to->reading, document->where, MS_UNREAD_CHARSET,
			"text that is given as numbers of glyphs");
	if (wrong != NULL)
		ms_reading_unread(
			to->reading, document->where, MS_UNREAD_DAMAGED, "XML: %s", wrong);
}
