/*
 * greeting.h - whom a mail greets, and when two names are one person's.
 *
 * WHAT    Finds the names in the greeting of a letter ("Dear Ms Weber,"), and writes names down
 *         in one spelling: words of letters, without case, accents, titles and initials.
 * OWNS    Every char * returned is the caller's.
 * ERRORS  None: what is no name greets nobody.
 * THREADS Pure functions.
 * LIMITS  MS_NAME_WORDS words a name, MS_GREETED names a text, in one of its first
 *         MS_GREETING_LINES lines.
 * NOT     Not every greeting is found: where it is not sure that a person is meant, none is.
 *         Only words of Latin script begin one.
 *
 * The words are those of milter/kind/greetings.txt.
 */
#ifndef MISSENT_GREETING_H
#define MISSENT_GREETING_H

#include <glib.h>
#include <stdbool.h>

#include "missent/text.h"

#define MS_NAME_WORDS 6
#define MS_GREETED 4
#define MS_GREETING_LINES 12
#define MS_NAME_MAX 200 /* bytes */

/* "Weber, Dr. Petra" as "weber petra"; NULL: there is no word of two letters in it. */
char *ms_name_canonical(const char *text, gsize len);
/* Of such a name those words that tell one from another (not "van"), unless it has no others. */
char **ms_name_words(const char *canonical);

typedef struct {
	gsize from, until; /* in the fold: from its first word to its last name */
	GPtrArray *names;  /* of char *, canonical; with none of them nobody is greeted by name */
} MsGreeting;
void ms_greeting_find(const MsFold *fold, MsGreeting *out);
void ms_greeting_clear(MsGreeting *greeting);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MsGreeting, ms_greeting_clear)

#endif
