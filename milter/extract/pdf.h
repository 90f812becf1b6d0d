/* What the PDF reader (pdf.c) asks of Poppler's own interface (pdfdoc.cc, pdfpage.cc,
 * pdfobject.cc), for its C interface has neither content order nor objects.  C and C++. */
#ifndef MISSENT_EXTRACT_PDF_H
#define MISSENT_EXTRACT_PDF_H

#include <glib.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "readers.h"

#define MS_PDF_MAX_TEXT (8u << 20) /* bytes of one content, and of one kind of text in objects */

typedef struct MsPdf MsPdf;

/* `data` must live as long as the document.  NULL if it cannot be opened; `*locked_out`: for want
 * of a password. */
MsPdf *ms_pdf_open(const guint8 *data, gsize len, const char *password, bool *locked_out);
void ms_pdf_close(MsPdf *pdf);
int ms_pdf_pages(const MsPdf *pdf);

typedef struct {
	gsize from, until;
} MsPdfPiece;

/* What one interpretation of a content gives. */
typedef struct {
	char *text;     /* in reading order */
	GString *cells; /* its tables, with a tab behind each cell */
	GArray *named[2]; /* MsPdfPiece, in order: where in `text` and in `raw` names of tables
			   * stand that only `cells` has over their columns; or NULL */
	char *filled;   /* `text` with what is typed into its fields, or NULL if nothing is */
	GString *raw;   /* in the order of the content, whatever its angle */
	GString *rest;  /* what stands in the content and is not shown */
	guint runs;     /* most characters in a row of which nobody knows what they are */
	double pictured; /* share of the page under pictures with hardly any text on them */
	bool strip;     /* a picture as wide as a line of text, where a page has its text */
	guint outlines; /* most letter-like shapes in one line */
	guint letter_like; /* all of these */
	guint small;    /* shapes of that size, of any form */
	guint painted;  /* shapes and pictures of any kind */
	const char *broken; /* why reading of the content stopped before its end, or NULL */
} MsPdfPage;

/* False if there is no such page; numbers from 0.  What is hidden is read like the rest. */
bool ms_pdf_page(MsPdf *pdf, int number, MsPdfPage *out);
void ms_pdf_page_clear(MsPdfPage *page);

/* Walks all objects, used or not, and settles each in the inventory; after the pages, so that it
 * knows what these have shown.  `pdf` may be NULL for a file of objects alone (FDF).  Appends to
 * `fields` what fields and notes say. */
void ms_pdf_walk(MsPdf *pdf, const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory, GString *fields);

#ifdef __cplusplus
}
#endif

#endif
