/* Names in other alphabets. */
#ifndef MISSENT_KIND_LATIN_H
#define MISSENT_KIND_LATIN_H

#include <glib.h>
#include <stdbool.h>

/* In small letters; NULL if there is none of such letters in the text, which is valid UTF-8. */
char *ms_latin_of(const char *text, gsize len);

#endif
