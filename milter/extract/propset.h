/* Sets of properties in compound files (MS-OLEPS).  Private to extract/. */
#ifndef MISSENT_EXTRACT_PROPSET_H
#define MISSENT_EXTRACT_PROPSET_H

#include <glib.h>

/* Appends the numbers among the properties that a user gave to a document, one a line.  Their
 * texts stand in the stream as words. */
void ms_propset_numbers(GString *out, const guint8 *data, gsize len);

#endif
