/* Names of elements, keys and columns, and the kinds that they label. */
#ifndef MISSENT_KIND_NAMES_H
#define MISSENT_KIND_NAMES_H

#include <glib.h>

#include "missent/kind.h"

/* What all spellings of a label have in common; the caller's. */
char *ms_name_key(const char *label);
/* Adds the words of a label that one may misspell; when all are there, they are sorted. */
void ms_name_add_words(GPtrArray *spelt, const char *label);
void ms_name_sort_words(GPtrArray *spelt);
/* The entry of `keys` (char * to MsNameKinds *) that the name says, or NULL. */
const MsNameKinds *ms_name_find(GHashTable *keys, const GPtrArray *spelt, const char *name);

#endif
