#include "config.h"

#include <string.h>

#include "readers.h"

/*
 * iCalendar (RFC 5545) and vCard (RFC 6350): lines "NAME;parameters:value", long ones folded.
 * Unfolded, with the escapes undone, they are text like any other.
 */
void ms_card_read(const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory)
{
	ms_inventory_read(inventory, MS_ITEM_WHOLE);
	g_autoptr(GString) text = ms_decode(to, document);
	g_autoptr(GString) out = g_string_sized_new(text->len);
	for (gsize i = 0; i < text->len; i++) {
		const char *p = text->str + i;
		gsize eol = p[0] == '\r' && p[1] == '\n' ? 2 : p[0] == '\n' ? 1 : 0;
		if (eol > 0 && (p[eol] == ' ' || p[eol] == '\t')) {
			i += eol; /* folded: the line goes on after the blank */
		} else if (p[0] == '\\' && (p[1] == 'n' || p[1] == 'N')) {
			g_string_append_c(out, '\n');
			i++;
		} else if (p[0] == '\\' && p[1] != '\0' && strchr("\\,;", p[1]) != NULL) {
			g_string_append_c(out, p[1]);
			i++;
		} else {
			g_string_append_c(out, p[0]);
		}
	}
	ms_extract_span(to, document->where, out->str, out->len);
}
