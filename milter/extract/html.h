/* HTML to text; see html.c. */
#ifndef MISSENT_EXTRACT_HTML_H
#define MISSENT_EXTRACT_HTML_H

#include <glib.h>

#include "missent/extract.h"
#include "missent/named.h"

#include "headed.h"

/* A document within the page. */
typedef struct {
	const char *what; /* "srcdoc", "data URI", "drawing": an <svg> of the page itself */
	char *type;       /* as it says; or NULL */
	GByteArray *bytes;
} MsHtmlInner;

typedef struct {
	GString *visible;    /* what a reader sees */
	/* not displayed, scripts and styles; it leaves the company all the same */
	GString *hidden;
	GString *attributes; /* link targets, alternative texts, values; one a line */
	GString *comments;
	GString *variants;   /* lines of the visible text as other clients show them */
	MsNamedText *named;  /* attributes with names of the sender's own */
	MsHeaded *headed;    /* text that attributes of its element name */
	GPtrArray *inner;    /* of MsHtmlInner * */
} MsHtml;

MsHtml *ms_html_new(void);
void ms_html_free(MsHtml *html);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsHtml, ms_html_free)

/* Linear in `len`.  `html` is valid UTF-8. */
void ms_html_read(const char *html, gsize len, MsHtml *out);

/* The same, all of it handed over: the text of HTML that stands in a document at `where`. */
void ms_html_text_read(const MsExtraction *to, const char *where, const char *html, gsize len);

/* A character reference ("&nbsp;", "&#160;") at `p`: where it ends, its character at the end of
 * `out`; NULL and nothing if it is none. */
const char *ms_html_reference(const char *p, const char *end, GString *out);

/* Takes the contents of data: URIs (RFC 2397) out of `text` from `from` on, and adds them to
 * `inner` (of MsHtmlInner *). */
void ms_data_uris_take(GString *text, gsize from, GPtrArray *inner);
/* One escape of JavaScript or CSS, `p` behind the backslash; where it ends. */
const char *ms_script_escape(GString *out, const char *p, const char *end);
/* Adds to `text` what the strings in it from `from` on are to a script (script.c). */
void ms_script_strings(GString *text, gsize from, GPtrArray *inner);
/* Reads the data: URIs of a text that stays as it is. */
void ms_data_uris_read(const MsExtraction *to, const char *where, const char *text, gsize len);
void ms_inner_read(const MsExtraction *to, const char *where, const GPtrArray *inner);
/* For GPtrArray of MsHtmlInner *. */
GPtrArray *ms_inner_new(void);

#endif
