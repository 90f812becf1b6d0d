/* Properties of Outlook's messages and attachments (MS-OXPROPS), which come in winmail.dat and
 * in .msg files.  Private to extract/. */
#ifndef MISSENT_EXTRACT_MAPI_H
#define MISSENT_EXTRACT_MAPI_H

#include "missent/extract.h"

typedef struct {
	const MsExtraction *to;
	const char *where;
	GString *text;     /* all properties that are text, one a line */
	char *name;        /* of an attachment */
	GByteArray *data;  /* of an attachment */
	guint page;        /* code page of texts that are not in Unicode; 0: not said so far */
	GPtrArray *narrow; /* of such texts: they wait until all is said */
} MsMapi;

/* Takes one property: text is collected, bodies are read, an attachment's bytes are kept. */
void ms_mapi_property(MsMapi *mapi, guint id, guint type, const guint8 *data, gsize len);
/* Takes the properties of a fixed length (MS-OXMSG 2.4), of which a user's own are read. */
void ms_mapi_fixed(MsMapi *mapi, const guint8 *data, gsize len);
/* Takes one of 4 bytes, if it is a code page. */
void ms_mapi_page(MsMapi *mapi, guint id, guint32 value);
/* Reads what was collected and begins anew, in the same code page. */
void ms_mapi_finish(MsMapi *mapi);

#endif
