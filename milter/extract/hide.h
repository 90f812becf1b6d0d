/* What style sheets do to the text: hide it, break its lines; see hide.c.  Private to extract/. */
#ifndef MISSENT_EXTRACT_HIDE_H
#define MISSENT_EXTRACT_HIDE_H

#include <glib.h>
#include <stdbool.h>

enum {
	MS_HIDE_SURE = 1 << 0,   /* not shown */
	MS_HIDE_MAYBE = 1 << 1,  /* not seen, or not by all clients */
	MS_HIDE_SPEAKS = 1 << 2, /* the declarations have words or addresses in them */
	MS_HIDE_BLOCK = 1 << 3,  /* stands on lines of its own */
	MS_HIDE_INLINE = 1 << 4, /* stands within its line */
	MS_HIDE_TURNED = 1 << 5, /* its letters run from right to left */
	MS_HIDE_SMALL = 1 << 6,  /* no size of letters, but where one is set again */
	MS_HIDE_SIZED = 1 << 7,  /* its letters have a size of their own */
	MS_HIDE_APART = 1 << 8,  /* stands beside what is in its line, as a cell does */
	MS_HIDE_FORMAT = 1 << 9, /* has a format of numbers */
	MS_HIDE_CELL = 1 << 10,  /* is a cell, of a table that styles make */
};

typedef struct MsHideRules MsHideRules;

MsHideRules *ms_hide_new(void);
void ms_hide_free(MsHideRules *rules);
/* Takes in the text of a style sheet. */
void ms_hide_sheet(MsHideRules *rules, const char *css, gsize len);

/* What the declarations of a style attribute do. */
guint ms_hide_style(const char *css, gsize len);
/* What the rules do to elements with these blank-separated names: '.' classes, '#' ids. */
guint ms_hide_names(const MsHideRules *rules, char mark, const char *value, const char *end);
guint ms_hide_tag(const MsHideRules *rules, const char *tag);
/* The format (numfmt.h) that declarations give to numbers; the caller's, or NULL. */
char *ms_hide_number_format(const char *css, gsize len);
/* ... that rules give to elements with these names, with this tag; borrowed, or NULL. */
const char *ms_hide_names_format(
	const MsHideRules *rules, char mark, const char *value, const char *end);
const char *ms_hide_tag_format(const MsHideRules *rules, const char *tag);
/* What rules do to elements that they do not name: any within a word may be meant. */
guint ms_hide_any(const MsHideRules *rules);
/* A colour that is none on a white page. */
bool ms_hide_is_pale(const char *value, const char *end);

#endif
