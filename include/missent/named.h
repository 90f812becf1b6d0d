/*
 * named.h - text whose pieces have names, from structured formats.
 *
 * WHAT    A reader of XML, JSON, CSV or key-value lists says what names are open and which value
 *         stands under them; out comes one span, a value a line, in which detect knows the name of
 *         each.  "customerNumber", "customer_number", "Kunden-Nr." label a value as they would
 *         before a colon.
 * OWNS    MsNamedText owns copies of all it is given; freed by ms_named_free().
 * ERRORS  None; any bytes are accepted.
 * THREADS One message, one thread.
 * LIMITS  MS_NAMED_MAX values have names; more are text without, and noted as unread (limit).
 * NOT     Does not know which names label what: that is kinds.conf.
 */
#ifndef MISSENT_NAMED_H
#define MISSENT_NAMED_H

#include <glib.h>

#include "missent/extract.h"

#define MS_NAMED_MAX 500000

typedef struct MsNamedText MsNamedText;

MsNamedText *ms_named_new(void);
void ms_named_free(MsNamedText *named);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsNamedText, ms_named_free)

/* An element, object or key begins (NULL, "": one without a name, such as an array's item) and
 * ends.  More ends than beginnings are allowed. */
void ms_named_open(MsNamedText *named, const char *name);
void ms_named_close(MsNamedText *named);
/* One value, below `name` (or NULL) in what is open. */
void ms_named_value(MsNamedText *named, const char *name, const char *text, gsize len);
/* Text as it stands, already laid out. */
void ms_named_append(MsNamedText *named, const char *text, gsize len);

/* Hands it over as one span. */
void ms_extract_named(const MsExtraction *to, const char *where, const MsNamedText *named);
/* The same, of what is no text that a reader sees. */
void ms_extract_named_as(const MsExtraction *to, MsSpanType type, const char *where,
	const MsNamedText *named);

#endif
