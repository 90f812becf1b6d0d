/*
 * compact.h - letters and digits alone: what stays the same however an identifier is grouped.
 *
 * WHAT    "FR76 3000-6000", "fr7630006000" and "FR76\n3000.6000" are one compact text.  Words
 *         (runs without a break in the source) keep their borders and places.
 * OWNS    MsCompact, freed by ms_compact_free().
 * ERRORS  None.
 * THREADS Pure functions.
 * LIMITS  Linear.  Texts of 4 GiB; what is beyond is cut (no budget allows as much).
 * NOT     Does not fold: the input is a fold's text (text.h).
 */
#ifndef MISSENT_COMPACT_H
#define MISSENT_COMPACT_H

#include <glib.h>

typedef struct {
	guint32 start, end;  /* in the compact text */
	guint32 from, until; /* in the folded text */
} MsWord;

typedef struct {
	char *text;     /* lower case; NUL after `len`, and room for 16 bytes more */
	gsize len;
	MsWord *words;
	gsize n_words;
	guint32 *figures; /* which words have a digit of ASCII, in order: few of most texts */
	gsize n_figures;
} MsCompact;

MsCompact *ms_compact_new(const char *folded, gsize len);
void ms_compact_free(MsCompact *compact);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsCompact, ms_compact_free)

/* The compact form of a short text, folded before. */
char *ms_compact_of(const char *utf8, gsize len);

#endif
