/* A PDF as Poppler's own interface has it.  Private to pdf*.cc. */
#ifndef MISSENT_EXTRACT_PDFDOC_H
#define MISSENT_EXTRACT_PDFDOC_H

#include <glib.h>

#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <GfxFont.h>
#include <Object.h>
#include <PDFDoc.h>
#include <XRef.h>
#include <poppler-features.h>

#include "pdf.h"
#include "pdfcontent.h"
#include "pdfgrid.h"

/* What a font says about the letters that it draws. */
struct MsFontTrust {
	bool cid = false, mapped = false, type3 = false;
	bool numbers = false; /* its codes are numbers of glyphs and nothing more */
	char named[256] = {};  /* codes whose glyphs the document names */
	Unicode meant[256];    /* what these names mean */

	void learn(XRef *xref, const GfxFont *font);
	bool believes(const GfxFont *font, CharCode code, const Unicode *u, int n);
	/* The letter that one sees where a program is told another; 0 if there is none. */
	Unicode shows(CharCode code, const Unicode *u, int n) const;
};

struct MsPdf {
	std::unique_ptr<PDFDoc> document;
	const guint8 *data = nullptr;
	gsize len = 0;
	MsBudget *budget = nullptr;
	std::unordered_map<int, MsFontTrust> fonts;
	std::unordered_set<int> shown; /* numbers of forms that a page has drawn */
	MsPdfHead head;                /* of a table that may go on on the next page */

	MsFontTrust *trust_of(const GfxFont *font);
};

#define MS_PDF_MAX_STREAM (64 << 20)

/* The bytes of a stream, with its filters undone.  False if not all could be had. */
bool ms_pdf_decode(const MsPdf *pdf, const Object &stream, MsBudget *budget, std::string &out,
	GString *behind);

/* Interprets a content that no page has shown, and appends to `rest` what is not shown. */
void ms_pdf_content(MsPdf *pdf, std::string &bytes, Dict *resources, GString *rest,
	MsPdfPage *out);

/* Contents that write what is typed into the fields of a page, and stands over it: their values,
 * and what is drawn where that is another text.  "" if nothing is. */
void ms_pdf_filled(MsPdf *pdf, Page *page, std::string out[2]);
/* The fonts that it asks for. */
Object ms_pdf_filled_resources(XRef *xref);

/* Shows all layers, or none; false if there are none. */
bool ms_pdf_set_layers(PDFDoc *document, bool on);

/* What Poppler complained of since the last reset, if after it it stops reading a content or
 * gives no more bytes of a stream; else NULL. */
void ms_pdf_trouble_reset();
const char *ms_pdf_trouble();

#endif
