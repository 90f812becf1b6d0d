/* The numbers that word processors write before paragraphs.  Private to extract/. */
#ifndef MISSENT_EXTRACT_NUMBERING_H
#define MISSENT_EXTRACT_NUMBERING_H

#include <glib.h>
#include <stdbool.h>

typedef struct MsNumbering MsNumbering;

MsNumbering *ms_numbering_new(void);
void ms_numbering_free(MsNumbering *numbering);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsNumbering, ms_numbering_free)

/* Takes the elements of word/numbering.xml and word/styles.xml; others are no matter to it. */
void ms_numbering_start(MsNumbering *numbering, const char *name, const char *const *attributes);
/* The end of one definition: its first labels go to `out`, one a line, where they say something. */
void ms_numbering_end(MsNumbering *numbering, const char *name, GString *out);
/* The label of the next paragraph of the list `id`; the caller's, NULL if there is no such list. */
char *ms_numbering_count(MsNumbering *numbering, const char *id, guint level);
/* A label that says something goes to `out`, and with it the word that the text of its paragraph
 * begins with; each with a line end. */
void ms_numbering_label(const char *label, const char *text, gsize len, GString *out);
/* The list that a style of paragraphs (or NULL) belongs to, and its level; borrowed, or NULL. */
const char *ms_numbering_of_style(const MsNumbering *numbering, const char *style, guint *level);
/* Defines a level of the list `id` otherwise: its label is `text`, in which "%1" stands for the
 * number of the first level. */
void ms_numbering_define(
	MsNumbering *numbering, const char *id, guint level, const char *text, gint64 start);
/* The next paragraph of the list has this number. */
void ms_numbering_restart(MsNumbering *numbering, const char *id, guint level, gint64 number);

#endif
