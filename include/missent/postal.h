/*
 * postal.h - what makes two spellings of a postal address the same place.
 *
 * WHAT    Keys of the addresses in a text: "10115/5/haupt" of "Hauptstr. 5, D-10115 Berlin" and
 *         of "10115 Berlin\nHauptstraße 5a".  Postcode, house number and street without its
 *         type, particles and accents; a type within a word is short ("lindenwg", but none of
 *         "-strasse"); for a box "pobox".  City and country do not count: with
 *         a postcode they add nothing, and they are spelled and left out in many ways.
 * OWNS    Nothing.
 * ERRORS  None: a text without an address has no keys.
 * THREADS Pure functions.
 * LIMITS  A postcode and a number within 60 words of each other; streets of 6 words.
 * NOT     A place with neither number nor box has no key, but for "s/n" and "bb".
 */
#ifndef MISSENT_POSTAL_H
#define MISSENT_POSTAL_H

#include <glib.h>
#include <stdbool.h>

/* "10115", "10115/5", "10115/5/haupt", "10115/5/haupt/acme": how much of a key. */
typedef enum { MS_POSTAL_CODE, MS_POSTAL_NUMBER, MS_POSTAL_STREET, MS_POSTAL_NAME } MsPostalDepth;

typedef struct {
	/* Is it worth to go on with this key?  Of an address to be stored: always. */
	bool (*may)(const char *key, MsPostalDepth depth, void *user);
	/* An address: `key` is of depth STREET or, after one of these, NAME. */
	void (*found)(const char *key, MsPostalDepth depth, gsize start, gsize end, void *user);
	void *user;
	bool towns; /* where there is no postcode, may a word stand for it: "~dubai/27/maktoum"? */
} MsPostalSink;
#define MS_POSTAL_TOWN "~"
/* Known to a filter that has an address without a key: by all its words alone. */
#define MS_POSTAL_WORDS "~=/"
#define MS_POSTAL_WORDS_MAX 120 /* bytes of these that a filter has */

/* `folded` as ms_fold_new() makes it.  `whole`: of each street only all its words are tried,
 * and, where all stands in one line, its last ones. */
void ms_postal_find(const char *folded, gsize len, bool whole, const MsPostalSink *sink);
/* The postcodes that may begin with these words, the second of which may be NULL; `dash`: what
 * stands between them is one.  Calls `code` with each. */
void ms_postal_codes(const char *first, const char *second, bool dash,
	void (*code)(const char *code, void *user), void *user);
/* The key of the address that the text is, or NULL. */
char *ms_postal_key(const char *folded, gsize len);

#endif
