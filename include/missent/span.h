/*
 * span.h - a piece of text with the place it came from.
 *
 * WHAT    What message and extract hand to detect.
 * OWNS    A span borrows everything; it is good for the length of the call that hands it over.
 * ERRORS  None.
 * THREADS One message, one thread.
 * LIMITS  The giver has charged its length to the budget (MS_COST_TEXT).
 * NOT     Not kept: detect copies what it needs.
 */
#ifndef MISSENT_SPAN_H
#define MISSENT_SPAN_H

#include <glib.h>
#include <stdbool.h>

typedef enum {
	MS_SPAN_TEXT,  /* text as a reader sees it */
	MS_SPAN_NAME,  /* the name of a file, in which _ and - set words apart */
	MS_SPAN_FIELD, /* the value of a named field of a structured document */
	/* what machines write beside the text: counts only where the directory knows it */
	MS_SPAN_ASIDE,
	MS_SPAN_ADDRESSES, /* the same, of an address field of the message itself */
} MsSpanType;

/* Of what it is the text. */
typedef enum { MS_OF_DOCUMENT, MS_OF_LETTER, MS_OF_HEADER } MsSpanOf;

/* A stretch of the text that the document itself names: the value of an XML element or attribute,
 * of a JSON key, of a cell below a head.  The name vouches for this stretch and for no other. */
typedef struct {
	gsize from, until; /* bytes of the span's text; stretches ascend and do not overlap */
	const char *name;  /* as written, after what encloses it: "Customer/accountID" */
	guint group;       /* stretches of one object (element, row) have the same */
	guint own;         /* what was opened last: of a text its element, as of attributes */
} MsNamed;

typedef struct {
	MsSpanType type;
	const char *where; /* "header Subject", "part 2 text/html" */
	const char *text;  /* valid UTF-8; NULs may stand within */
	gsize len;
	MsSpanOf of;       /* the mail's own text, fields, or what came with it */
	guint face;        /* which face of the message it belongs to (reading.h) */
	const char *term;  /* fields: EN 16931 term ("BT-48"); else NULL */
	const char
		*party; /* fields: "buyer", "seller", "payee", "delivery", "document"; else NULL */
	const char *scheme; /* fields: identification scheme ("0088"), or NULL */
	const char *own; /* the domain of the mail's author, in lower case ("seller.example"), or NULL */
	const MsNamed *names; /* or NULL; made with named.h */
	gsize n_names;
	bool apart; /* each line is a text of its own, such as an attribute of a page */
} MsSpan;

typedef void (*MsSpanFunc)(const MsSpan *span, void *user);

#endif
