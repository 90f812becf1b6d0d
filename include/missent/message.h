/*
 * message.h - MIME to parts, parts to spans.
 *
 * WHAT    Walks a message within a budget, decodes what it finds, and hands every piece of
 *         text to `span`; facts and everything unread go to the reading.
 * OWNS    Nothing is kept after the call.
 * ERRORS  None: an odd message is a reading with unread items.
 * THREADS ms_message_init() once, before confinement and before threads; then one at a time.
 * LIMITS  MsBudget.
 * NOT     Runs only inside the confined worker: GMime 3.2.13 can be crashed by a header.
 *
 * Source: RFC 5322, 2045-2049, 2047, 2231, 3676 (flowed), 5337.
 */
#ifndef MISSENT_MESSAGE_H
#define MISSENT_MESSAGE_H

#include "missent/budget.h"
#include "missent/help.h"
#include "missent/reading.h"
#include "missent/span.h"

/* Opens and keeps what reading needs from the file system (charset converters). */
void ms_message_init(void);

typedef struct {
	MsBudget *budget;
	MsReading *reading;
	MsSpanFunc span;
	void *user;
	const char *const *passwords; /* tried on encrypted documents, or NULL */
	const MsHelp *help;           /* or NULL */
	guint ocr_dpi;
	bool last; /* the process ends after it: what it takes is not given back */
	const char *wanted; /* NULL, or the path of a part ("2.1") whose bytes are to be given */
	void (*part)(const guint8 *data, gsize len, void *user);
} MsMessageSink;

void ms_message_read(const guint8 *data, gsize len, const MsMessageSink *sink);
/* Reads one attachment by its bytes in a message; `as` is what `help->known` was given.  Its
 * place is MS_PLACE_HERE, and what it is, is in the reading's only part. */
void ms_message_read_document(const guint8 *data, gsize len, const char *as,
	const MsMessageSink *sink);

#endif
