/* Plain text: format=flowed, and files that are written into the text. */
#ifndef MISSENT_EXTRACT_PLAIN_H
#define MISSENT_EXTRACT_PLAIN_H

#include "missent/extract.h"

/* Joins soft line breaks (RFC 3676 4.1, 4.5). */
GString *ms_plain_unflow(const char *text, gsize len, bool delsp);
/* Reads the files that are written into a text (encoded.c); notes what is told only. */
void ms_plain_embedded(const MsExtraction *to, const char *where, const char *text, gsize len);
/* Reads the yEnc files in a text as it came (yenc.c). */
void ms_yenc_read(const MsExtraction *to, const char *where, const guint8 *data, gsize len);
/* What is around them; NULL if there are none. */
GByteArray *ms_yenc_around(const guint8 *data, gsize len);
bool ms_is_yenc(const guint8 *data, gsize len);
/* The text once more where its characters are not what is shown: control characters, letters
 * that are struck over, the tags of text/enriched (`type`), data: URIs (shown.c). */
void ms_plain_shown(const MsExtraction *to, const char *where, const char *type,
	const GString *text);
/* What the formulas in a list of values make of their constants (celltext.c). */
void ms_cell_formulas_read(const MsExtraction *to, const char *where, const GString *text);

#endif
