/* The text of one part of an Office document.  Private to extract/. */
#ifndef MISSENT_EXTRACT_FLOW_H
#define MISSENT_EXTRACT_FLOW_H

#include "missent/extract.h"

#include "attributes.h"
#include "book.h"
#include "numbering.h"
#include "odfstyle.h"
#include "sheet.h"

/* What the parts of one document share. */
typedef struct {
	const MsExtraction *to;
	const char *where;   /* of the document */
	bool mixed;          /* OpenDocument: blanks between elements of a paragraph are text */
	bool package;        /* Flat OPC: the one part has all of the others */
	MsAttributes *attributes;
	MsSheets *sheets;
	MsBook *book;
	MsNumbering *numbering;
	MsOdfStyles *styles; /* OpenDocument's */
	GHashTable *hiding;  /* Word's styles of text: name to the one that it goes by */
} MsOffice;

/* Reads one part, which is the sheet `sheet` of the book or NULL.  `strings`: its shared strings
 * are those of the cells.  NULL, or why it was not read to its end; the bytes of text that are
 * shown are added to `*text`. */
const char *ms_flow_read(MsOffice *office, const char *place, const char *sheet,
	const guint8 *data, gsize len, bool strings, gsize *text);

#endif
