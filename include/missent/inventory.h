/*
 * inventory.h - what a container consists of, and what became of each item.
 *
 * WHAT    A reader lists all that its document consists of (objects, members, parts, streams,
 *         stretches of bytes) and settles each item once: read, structural, or unread.  What a
 *         reader leaves open, and bytes that no item accounts for, are unread when the
 *         inventory is closed.  ms_extract() opens and closes it around each reader, so a
 *         reader that forgets it reads nothing.
 * OWNS    The inventory owns its items; ms_inventory_close() frees it.
 * ERRORS  None: what is not settled is an unread item on the reading.
 * THREADS One message, one thread.
 * LIMITS  MS_INVENTORY_MAX items; more is noted as unread (limit).
 * NOT     Knows no format.  Which items of a format are structural stands in one table
 *         (structural.c), each with its reason; what no row names is not structural.
 */
#ifndef MISSENT_INVENTORY_H
#define MISSENT_INVENTORY_H

#include <glib.h>
#include <stdbool.h>

#include "missent/reading.h"

#define MS_INVENTORY_MAX 1000000

typedef struct MsInventory MsInventory;

/* Items are numbered from 1; 0 is the document as a whole: settling it settles all of its bytes.
 * Once other items are listed it needs no settling of its own. */
typedef guint MsItem;
#define MS_ITEM_WHOLE 0
/* Said by ms_inventory_item(): a structural item, settled already. */
#define MS_ITEM_STRUCTURAL G_MAXUINT

/* `format` names the rows of the table of structural items; `len` is the size of the document. */
MsInventory *ms_inventory_open(
	MsReading *reading, const char *where, const char *format, gsize len);

/* Lists an item by its name within the format ("annotation", "xl/theme/theme1.xml").
 * MS_ITEM_STRUCTURAL if the table names it: then nothing remains to be done. */
MsItem ms_inventory_item(MsInventory *inventory, const char *name);
/* The bytes `from` up to (not including) `to` of the document belong to this item: a container
 * that says so of any item is asked for all its bytes.  MS_ITEM_STRUCTURAL is allowed. */
void ms_inventory_bytes(MsInventory *inventory, MsItem item, gsize from, gsize to);

void ms_inventory_read(MsInventory *inventory, MsItem item);
/* `format` as with printf: what is wrong with it, in words without a value of the document. */
void ms_inventory_unread(MsInventory *inventory, MsItem item, MsUnreadReason reason,
	const char *format, ...) G_GNUC_PRINTF(4, 5);

/* Called for each stretch of bytes that no item has; true if it settled them. */
typedef bool (*MsGapFunc)(gsize from, gsize to, void *user);
/* Notes what was left open as unread, hands gaps to `gap` (which may be NULL), and frees. */
void ms_inventory_close(MsInventory *inventory, MsGapFunc gap, void *user);

/* ---- the table of structural items (structural.c) ---- */
typedef struct {
	const char *format; /* as given to ms_inventory_open(), or the reader's own word */
	const char *reason; /* why these can carry no customer's data */
	const char *const *items; /* patterns with * and ?, ended by NULL */
} MsStructural;

/* The reason of the row for values that programs make at random, however many digits they have. */
#define MS_MADE_AT_RANDOM "a mark that the program makes to tell things apart"

/* The rows, ended by one without a format; for those who print or check them. */
extern const MsStructural ms_structural_rows[];
/* The reason why an item is structural, or NULL: then it is to be read.  Cheap: for inner loops
 * (attributes, elements) that need no item of their own. */
const char *ms_structural(const char *format, const char *item);

#endif
