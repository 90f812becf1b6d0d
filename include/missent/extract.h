/*
 * extract.h - documents to text.
 *
 * WHAT    One table of readers by content type; each turns the decoded bytes of a part into
 *         spans.
 * OWNS    Nothing is kept after the call.
 * ERRORS  What cannot be read is an unread item on the reading.
 * THREADS One message, one thread.
 * LIMITS  MsBudget.
 * NOT     No MIME (message.h) and no identifiers (detect.h).
 */
#ifndef MISSENT_EXTRACT_H
#define MISSENT_EXTRACT_H

#include <stdbool.h>

#include "missent/budget.h"
#include "missent/reading.h"
#include "missent/span.h"

typedef struct {
	const char *where;
	const char *type;    /* claimed content type, lower case */
	const char *charset; /* claimed charset or NULL */
	bool flowed;         /* text/plain; format=flowed (RFC 3676) */
	bool delsp;
	const guint8 *data;  /* transfer encoding already undone */
	gsize len;
} MsDocument;

typedef struct {
	MsBudget *budget;
	MsReading *reading;
	MsSpanFunc span;
	void *user;
} MsExtraction;

void ms_extract(const MsExtraction *to, const MsDocument *document);
/* Opens and keeps one converter per charset. */
void ms_charset_init(void);
/* Valid UTF-8 of bytes in `charset` (NULL: not said).  False when the charset is not known;
 * `*out` then has a guess. */
bool ms_charset_decode(const char *charset, const guint8 *data, gsize len, GString **out);
/* Charges and hands over one span of text. */
void ms_extract_span(const MsExtraction *to, const char *where, const char *text, gsize len);

#endif
