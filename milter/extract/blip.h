/* Pictures and objects in the records of old Office.  Private to extract/. */
#ifndef MISSENT_EXTRACT_BLIP_H
#define MISSENT_EXTRACT_BLIP_H

#include "missent/extract.h"

/* Reads the pictures (MS-ODRAW 2.2.23) that lie anywhere in a stream at `where`, and appends the
 * words of what lies between them to `words`.  Returns their number. */
guint ms_blips_read(const MsExtraction *to, const char *where, const guint8 *data, gsize len,
	GString *words);
/* Reads the objects that a stream "PowerPoint Document" keeps (MS-PPT 2.10.34), packed or not. */
void ms_slide_objects_read(
	const MsExtraction *to, const char *where, const guint8 *data, gsize len);
/* What zlib's bytes unpack to, as far as they go, up to 16 MiB; NULL if they are none.  The
 * caller's. */
GByteArray *ms_zlib_of(const guint8 *data, gsize len);

#endif
