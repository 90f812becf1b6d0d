/*
 * filter.h - is this piece of text one of the identifiers that the directory knows?
 *
 * WHAT    A set of keyed marks of compact values (compact.h), asked for every piece of a text
 *         that begins and ends with a word: the directory's identifiers are found however they
 *         are grouped, without a pattern.  A hit is a guess that the directory confirms.
 * OWNS    An image (GBytes) is plain memory that may be copied, shared and mapped.  MsFilter
 *         borrows it.  MsStyle borrows its letters.
 * ERRORS  ms_filter_open() refuses what is not an image (MS_ERROR_INPUT).
 * THREADS Images are immutable.
 * LIMITS  Compact values of MS_FILTER_MIN to MS_FILTER_MAX bytes.  38 bits an identifier and
 *         up to 4 MiB beside; a piece that is none is taken for one once in a million.
 * NOT     Holds no value: who has the image can test guesses, as with the directory's digests.
 *
 * The mark is a polynomial of the bytes modulo 2^64 at a secret point (Karp and Rabin 1987),
 * because that of each piece of a text follows from two prefixes'.  Texts can be made whose
 * pieces collide; the directory knows none of them.
 */
#ifndef MISSENT_FILTER_H
#define MISSENT_FILTER_H

#include <glib.h>
#include <stdbool.h>

#include "missent/compact.h"

#define MS_FILTER_MIN 3
#define MS_FILTER_MAX 128
#define MS_FILTER_KEY_BYTES 16
#define MS_FILTER_MAGIC "MSFILT04" /* its version */

typedef struct {
	guint8 bytes[12]; /* 7 of the whole value's mark, 3 of its beginning's, length, tag */
} MsMark;

/* False when the value is too short or too long to be in a filter. */
bool ms_mark_make(const guint8 key[MS_FILTER_KEY_BYTES], const char *kind, const char *compact,
	gsize len, MsMark *mark_out);

/* How numbers of a kind are made: these letters, and zeros before the rest to so many digits
 * (0: to none).  A style goes among the marks, as one of nothing: who does not know of styles finds
 * nothing by it. */
typedef struct {
	guint8 tag; /* of the kind */
	const char *letters; /* small */
	gsize len, width;
} MsStyle;
#define MS_STYLE_LETTERS 8
void ms_style_mark(const MsStyle *style, MsMark *mark_out);
void ms_style_read(const MsMark *mark, MsStyle *style_out); /* which borrows from the mark */

/* The image of a filter that has these marks. */
GBytes *ms_filter_build(const guint8 key[MS_FILTER_KEY_BYTES], const MsMark *marks, gsize n);

typedef struct MsFilter MsFilter;

/* `image` must be aligned to 8 bytes and outlive the filter. */
MsFilter *ms_filter_open(const void *image, gsize size, GError **error);
void ms_filter_free(MsFilter *filter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsFilter, ms_filter_free)

/* A filter and what was added after it was made; either may be NULL. */
typedef struct {
	const MsFilter *parts[2];
	bool lean; /* guesses that they rule out need not be told (finding.h) */
} MsFilters;
bool ms_filters_any(const MsFilters *filters); /* NULL: none */
/* Any of this kind at all?  NULL: none. */
bool ms_filters_have_some(const MsFilters *filters, guint8 tag);
bool ms_filters_have_any(const MsFilters *filters, const char *compact, gsize len);
bool ms_filters_have(const MsFilters *filters, guint8 tag, const char *compact, gsize len);
/* Number `n`, from 0; false: there are not so many. */
bool ms_filters_style(const MsFilters *filters, guint n, MsStyle *style_out);

/* From word `first` to the end of word `last`. */
typedef struct {
	gsize first, last;
	guint8 tag; /* of the kind (kind.h) */
} MsHit;

/* Calls `hit` for each piece that is in the filter, in the order of their beginnings, until it
 * says false. */
void ms_filter_scan(const MsFilter *filter, const MsCompact *text,
	bool (*hit)(const MsHit *hit, void *user), void *user);

#endif
