/* A paragraph that can be read in several ways.  Private to extract/. */
#ifndef MISSENT_EXTRACT_LINE_H
#define MISSENT_EXTRACT_LINE_H

#include "missent/extract.h"

/* Ways to read a paragraph; the bits say in which of them a text stands. */
enum {
	MS_SHOWN = 1,
	MS_BEFORE = 2,  /* the changes that are tracked */
	MS_HIDDEN = 4,  /* with what is hidden */
	MS_STORED = 8,  /* numbers as they are stored */
	MS_ALL_WAYS = MS_SHOWN | MS_BEFORE | MS_HIDDEN | MS_STORED,
};
#define MS_N_WAYS 3 /* other than what is shown */

typedef struct {
	GString *out;
	gsize start;             /* of the paragraph or row, in `out` */
	GString *way[MS_N_WAYS]; /* of that paragraph; NULL while it reads as what is shown */
	gsize told[MS_N_WAYS];   /* where in `out` that ends which was told beside a change */
	guint beside[MS_N_WAYS]; /* paragraphs to come that do */
} MsLine;

void ms_line_put(MsLine *line, guint bits, const char *text, gsize len);
/* Sets what comes off from what was before, but not from nothing. */
void ms_separate(GString *out, char c);
void ms_line_separate(MsLine *line, char c);
/* The cell that began at `from` of what is shown is over: what follows is in the next column. */
void ms_line_end_cell(MsLine *line, gsize from);
/* The row is over: nothing is left of it if nothing is in it. */
void ms_line_drop_empty(MsLine *line);
/* The paragraph is over: what else it could be goes to `changed`, with the paragraphs beside it. */
void ms_line_end(MsLine *line, GString *const changed[MS_N_WAYS]);

/* What is shown from `start` on is a row that has `row` stored. */
void ms_line_stored(
	MsLine *line, gsize start, const GString *row, GString *const changed[MS_N_WAYS]);

/* "Customer number:" as a line of its own, if the paragraph ends so until now, or NULL: its value
 * may be in a box that is drawn behind it. */
char *ms_line_label(const MsLine *line);
/* The paragraph ends: what was drawn before it goes to `out` behind its label, if it is one, and is
 * gone from `drawn`. */
void ms_line_label_after(const MsLine *line, GString *drawn, GString *out);

/* Hands over what was written to `changed` at `place`. */
void ms_extract_changed(
	const MsExtraction *to, const char *place, GString *const changed[MS_N_WAYS]);

#endif
