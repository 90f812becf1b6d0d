/* The members of archives and what is made of them.  Private to extract/. */
#ifndef MISSENT_EXTRACT_MEMBERS_H
#define MISSENT_EXTRACT_MEMBERS_H

#include "missent/extract.h"

typedef struct {
	char *name;
	GByteArray *bytes;
} MsMember;

/* office.c: the members (of MsMember) of an Office file that is a ZIP: OOXML or OpenDocument. */
void ms_office_read(const MsExtraction *to, const MsDocument *document, const GPtrArray *members);

/* zip.c: a ZIP file that says itself that it has no members. */
bool ms_zip_is_empty(const guint8 *data, gsize len);
/* What one program would show of a ZIP file and another would not; NULL if all agree. */
const char *ms_zip_disagreement(const guint8 *data, gsize len);

#endif
