/* HTML to text; see html.c. */
#ifndef MISSENT_EXTRACT_HTML_H
#define MISSENT_EXTRACT_HTML_H

#include <glib.h>

typedef struct {
	GString *visible;    /* what a reader sees */
	GString *hidden;     /* not displayed, scripts and styles; it leaves the company all the same */
	GString *attributes; /* link targets, alternative texts, values; one a line */
	GString *comments;
} MsHtml;

/* Linear in `len`.  `html` is valid UTF-8. */
void ms_html_read(const char *html, gsize len, MsHtml *out);

#endif
