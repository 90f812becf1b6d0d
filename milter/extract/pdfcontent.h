/* Words of PDF syntax.  Private to pdf*.cc. */
#ifndef MISSENT_EXTRACT_PDFCONTENT_H
#define MISSENT_EXTRACT_PDFCONTENT_H

#include <glib.h>

#include <string>
#include <vector>

enum MsPdfToken {
	MS_PDF_END,
	MS_PDF_STRING, /* its bytes are in `text` */
	MS_PDF_NAME,
	MS_PDF_NUMBER,
	MS_PDF_OPEN, /* of an array or a dictionary */
	MS_PDF_CLOSE,
	MS_PDF_WORD,
};

struct MsPdfLexer {
	const char *data;
	gsize len, at, from = 0; /* `from` and `at`: where the token begins and ends */
	std::string text;
	GString *comments; /* or null: takes what comments say */

	MsPdfLexer(const char *dataA, gsize lenA, gsize atA, GString *commentsA)
		: data(dataA), len(lenA), at(atA), comments(commentsA) {}
	MsPdfToken next();

private:
	void skip_blank();
	void read_string();
	void read_hex();
};

bool ms_pdf_is_blank(char c);
/* Names are the words of the format; what a document may have put into one has digits, a blank
 * or an at sign. */
bool ms_pdf_is_telling_name(const char *name, gsize len);
/* A text string (ISO 32000-1, 7.9.2.2). */
std::string ms_pdf_to_utf8(const std::string &bytes);

/* Where the value that begins at `from` ends. */
gsize ms_pdf_value_end(const char *data, gsize from, gsize to, GString *comments);

/* What a content has for one who interprets it. */
struct MsPdfCensus {
	guint shows = 0;              /* operators that show some text */
	std::vector<gsize> unmatched; /* where a "Q" stands to which there is no "q" */
};

/* Appends the words of a content that are no operators, nor operands that these take; with
 * `shown` also not the strings that they show. */
MsPdfCensus ms_pdf_leftovers(const char *data, gsize len, bool shown, GString *out);

#endif
