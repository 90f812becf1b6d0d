/*
 * text.h - small services on UTF-8 text that came from outside.
 *
 * WHAT    Escapes for logs, makes bytes valid UTF-8, folds text for recognition with a map
 *         back to the source, finds the nearest known name, writes fields of CSV, writes and
 *         reads times.
 * OWNS    Every char * returned is the caller's; MsFold is freed by ms_fold_free().
 * ERRORS  None; any bytes are accepted.
 * THREADS Pure functions.
 * LIMITS  All linear in the input.  Lengths are counted in bytes.
 * NOT     No charset conversion (extract).  Case is not folded: patterns ignore it.
 *
 * Source: the fold's table is made from the Unicode Character Database by milter/base/fold.py.
 */
#ifndef MISSENT_TEXT_H
#define MISSENT_TEXT_H

#include <glib.h>
#include <stdbool.h>

/* Would who reads it be misled?  Controls, what nobody sees, what turns the direction of what
 * follows, and what breaks a line.  (The two that say whether a sign is shown as a picture are
 * not: they are common, and seen.) */
bool ms_text_is_unseen(gunichar c);

/* Printable form: what is unseen (above) and invalid bytes become \xNN, and what is longer than
 * `max` bytes is cut with "...". */
char *ms_text_escape(const char *text, gssize len, gsize max);

/* Valid UTF-8 of `len` bytes: each invalid byte is read as Windows-1252. */
GString *ms_text_repair(const char *bytes, gsize len);

/* NULs become blanks: to who takes a text for one that ends at a NUL they would hide what is behind
 * them. */
void ms_text_blank_nuls(GString *text);

/* The character that a byte is in Windows-1252. */
gunichar ms_text_cp1252(guint8 byte);

/* The text as recognition sees it: same words, one spelling of each character.  Invisible
 * characters and accents are gone; blanks, dashes and digits of all scripts, letters of other
 * widths and those that only look like Latin ones are ASCII; a line ends with a line feed. */
typedef struct {
	char *text;  /* NUL after `len`, but NULs may stand within */
	gsize len;
	GArray *map; /* of MsFoldStep, ascending */
} MsFold;

typedef struct {
	gsize folded; /* from this offset on ... */
	gsize source; /* ... this is the offset in the source */
} MsFoldStep;

MsFold *ms_fold_new(const char *utf8, gsize len);
void ms_fold_free(MsFold *fold);
/* What a reader sees of an address: invisible characters and widths are gone, letters stay. */
char *ms_text_shown(const char *utf8, gsize len);
/* Where the folded offset came from. */
gsize ms_fold_source(const MsFold *fold, gsize offset);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsFold, ms_fold_free)

/* The name of `names` (NULL-terminated) most like `word`, one of the same words in another order
 * among them, or the shortest that begins or ends with it and a hyphen between; NULL if none is
 * near. */
const char *ms_text_nearest(const char *word, const char *const *names);

/* Appends the text, whose first line begins behind `indent` columns that are written already, in
 * lines of at most `columns`, but for words that are longer; `indent` blanks before the others, and
 * no line end behind the last. */
void ms_text_wrap(GString *out, const char *text, int indent, int columns);

/* Lower-case ASCII letters and digits of a short text (names, addresses): accents are
 * stripped, ß is ss, every other run of characters is one space.  NULL if over 4,096 bytes. */
char *ms_text_words(const char *utf8, gsize len);

/* Names as one text: "A, B and 7 more", where of `all` these are told.  A name with a comma or a
 * quotation mark in it, or that ends like the count, stands in quotation marks (doubled within, as
 * in RFC 4180): each comes back out of the text as it went in. */
char *ms_text_list(const GPtrArray *names, guint all);
/* The names of such a text; `*more_out` (may be NULL) is how many are not told. */
GStrv ms_text_list_apart(const char *list, guint *more_out);

/* A field of CSV, in quotes.  Spreadsheets work out what begins with =, +, - or @ ("=cmd|..."):
 * what is more than a number or a domain has an apostrophe before it, which they take for text and
 * do not show; so has what began with such an apostrophe already, that none is lost. */
void ms_text_add_cell(GString *out, const char *text, gsize len);
/* The text of a field as it was before, within `field`. */
const char *ms_text_of_cell(const char *field);

/* An empty array of bytes whose data is not NULL, as memchr() and its like want it. */
GByteArray *ms_bytes_new(void);

/* ---- times, in microseconds since 1970 --------------------------------------------------- */

/* As mail has it (RFC 5322, 3.3), in local time, whatever the locale. */
char *ms_text_mail_date(gint64 us);
typedef enum { MS_ZONE_LOCAL, MS_ZONE_UTC } MsZone;
#define MS_TIME_SECONDS "%Y-%m-%d %H:%M:%S"
#define MS_TIME_DAY "%Y-%m-%d"
/* In a form of g_date_time_format(); "" where no calendar has that time. */
char *ms_text_time(gint64 us, MsZone zone, const char *form);
/* "2026-12-01", "2026-12-01 14:00", "2026-12-01T14:00:00.5+01:00"; `zone` is that of one that says
 * none.  False: it is no time. */
bool ms_text_take_time(const char *text, MsZone zone, gint64 *us_out);

#endif
