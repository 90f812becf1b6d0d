/*
 * In come the items that a reader lists and what it says became of them; out go unread items on
 * the reading for all that was left open.  In the worker's only thread.
 *
 * The question is turned round on purpose: readers used to look where text may be, and each
 * place that nobody had thought of was taken for clean.  Here the document is what must be
 * accounted for, and forgetting an item costs a hold, not a leak.
 */
#include "config.h"

#include <string.h>

#include "missent/inventory.h"
#include "missent/text.h"

typedef enum { OPEN, SETTLED, NOTED } Fate;

typedef struct {
	char *name;
	Fate fate;
} Item;

typedef struct {
	gsize from, to;
} Extent;

struct MsInventory {
	MsReading *reading;
	char *where;
	const char *format;
	gsize len;
	Fate whole;
	bool full;
	GArray *items;   /* of Item */
	GArray *extents; /* of Extent */
};

static void item_clear(gpointer data)
{
	g_free(((Item *)data)->name);
}

MsInventory *ms_inventory_open(MsReading *reading, const char *where, const char *format, gsize len)
{
	MsInventory *inventory = g_new0(MsInventory, 1);
	inventory->reading = reading;
	inventory->where = g_strdup(where);
	inventory->format = format;
	inventory->len = len;
	inventory->items = g_array_new(FALSE, FALSE, sizeof(Item));
	g_array_set_clear_func(inventory->items, item_clear);
	inventory->extents = g_array_new(FALSE, FALSE, sizeof(Extent));
	return inventory;
}

MsItem ms_inventory_item(MsInventory *inventory, const char *name)
{
	if (ms_structural(inventory->format, name) != NULL) {
		if (inventory->whole == OPEN && inventory->items->len == 0)
			inventory->whole = SETTLED;
		return MS_ITEM_STRUCTURAL;
	}
	if (inventory->items->len >= MS_INVENTORY_MAX) {
		inventory->full = true;
		return MS_ITEM_STRUCTURAL;
	}
	Item item = {g_strdup(name), OPEN};
	g_array_append_val(inventory->items, item);
	if (inventory->whole == OPEN)
		inventory->whole = SETTLED;
	return inventory->items->len;
}

void ms_inventory_bytes(MsInventory *inventory, MsItem item, gsize from, gsize to)
{
	(void)item;
	Extent extent = {MIN(from, inventory->len), MIN(to, inventory->len)};
	if (extent.from < extent.to && inventory->extents->len < MS_INVENTORY_MAX)
		g_array_append_val(inventory->extents, extent);
}

static void settle(MsInventory *inventory, MsItem item, Fate fate)
{
	if (item == MS_ITEM_STRUCTURAL)
		return;
	g_assert(item <= inventory->items->len);
	Fate *at = item == MS_ITEM_WHOLE ? &inventory->whole
					 : &g_array_index(inventory->items, Item, item - 1).fate;
	*at = MAX(*at, fate);
	if (item == MS_ITEM_WHOLE)
		ms_inventory_bytes(inventory, item, 0, inventory->len);
}

void ms_inventory_read(MsInventory *inventory, MsItem item)
{
	settle(inventory, item, SETTLED);
}

static char *place_of(const MsInventory *inventory, const char *name)
{
	g_autofree char *safe = ms_text_escape(name, -1, 80);
	return g_strdup_printf("%s > %s", inventory->where, safe);
}

void ms_inventory_unread(MsInventory *inventory, MsItem item, MsUnreadReason reason,
	const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *detail = g_strdup_vprintf(format, args);
	va_end(args);
	g_autofree char *place = item == MS_ITEM_WHOLE || item == MS_ITEM_STRUCTURAL
		? g_strdup(inventory->where)
		: place_of(inventory, g_array_index(inventory->items, Item, item - 1).name);
	ms_reading_unread(inventory->reading, place, reason, "%s", detail);
	settle(inventory, item, NOTED);
}

static int by_start(const void *a, const void *b)
{
	const Extent *x = a, *y = b;
	return x->from < y->from ? -1 : x->from > y->from;
}

static void note_gap(const MsInventory *inventory, gsize from, gsize to)
{
	g_autofree char *name =
		g_strdup_printf("bytes %" G_GSIZE_FORMAT "-%" G_GSIZE_FORMAT, from, to - 1);
	g_autofree char *place = place_of(inventory, name);
	ms_reading_unread(inventory->reading, place, MS_UNREAD_NO_READER,
		"bytes that belong to nothing in the document");
}

static void close_gaps(MsInventory *inventory, MsGapFunc gap, void *user)
{
	if (inventory->extents->len == 0)
		return;
	g_array_sort(inventory->extents, by_start);
	gsize at = 0;
	for (guint i = 0; i <= inventory->extents->len; i++) {
		Extent next = i < inventory->extents->len
			? g_array_index(inventory->extents, Extent, i)
			: (Extent){inventory->len, inventory->len};
		if (next.from > at && (gap == NULL || !gap(at, next.from, user)))
			note_gap(inventory, at, next.from);
		at = MAX(at, next.to);
	}
}

void ms_inventory_close(MsInventory *inventory, MsGapFunc gap, void *user)
{
	if (inventory->whole == OPEN)
		ms_reading_unread(inventory->reading, inventory->where, MS_UNREAD_NO_READER,
			"nothing of it was accounted for");
	for (guint i = 0; i < inventory->items->len; i++) {
		const Item *item = &g_array_index(inventory->items, Item, i);
		if (item->fate != OPEN)
			continue;
		g_autofree char *place = place_of(inventory, item->name);
		ms_reading_unread(inventory->reading, place, MS_UNREAD_NO_READER,
			"it was not accounted for");
	}
	if (inventory->full)
		ms_reading_unread(inventory->reading, inventory->where, MS_UNREAD_LIMIT,
			"more than %d items", MS_INVENTORY_MAX);
	close_gaps(inventory, gap, user);
	g_array_unref(inventory->items);
	g_array_unref(inventory->extents);
	g_free(inventory->where);
	g_free(inventory);
}
