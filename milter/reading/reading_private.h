/* What the two files of a reading share: reading.c, which fills it, and coding.c, which has it
 * cross the wings.  Private to reading/. */
#ifndef MISSENT_READING_PRIVATE_H
#define MISSENT_READING_PRIVATE_H

#include <glib.h>

#define MAX_TEXT 200   /* bytes of a place, of what stands there, of why it is unread */
#define MAX_GREETED 200
#define MAX_CONTEXT 60 /* ... of what stands before and behind it */

/* Up to `max` bytes of valid UTF-8 from `text`, not cutting a character. */
char *reading_cut(const char *text, gsize len, gsize max);
/* For `n` places of a finding, of MsPlace. */
GPtrArray *reading_places(guint n);

#endif
