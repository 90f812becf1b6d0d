/* Tables of a page, by the places of its words.  Private to pdf*.cc. */
#ifndef MISSENT_EXTRACT_PDFGRID_H
#define MISSENT_EXTRACT_PDFGRID_H

#include <glib.h>

#include <string>
#include <vector>

struct MsPdfWord {
	double x1, x2, y, height; /* `y`: its middle, counted downwards */
	std::string text;
	bool apart;  /* from the one before it in its line, though that may be near */
	bool spaced; /* a blank is drawn before it */
	bool begins; /* the rest of a word that is drawn by itself */
	bool turned;
	gsize at;  /* in the text in reading order, byte for byte */
	int place; /* in the content */
};

using MsPdfRow = std::vector<MsPdfWord>;

/* The lines of names above the largest table of a page, for the next page to go on with. */
struct MsPdfHead {
	std::vector<MsPdfRow> rows;
};

/* Appends the tables that the words make, three empty lines behind each.  `plain_out` takes the
 * names of those in which nobody can take the value of one column for another's. */
void ms_pdf_grid(std::vector<MsPdfWord> &words, MsPdfHead *head, GString *out,
	std::vector<MsPdfRow> *plain_out);

#endif
