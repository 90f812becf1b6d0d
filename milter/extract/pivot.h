/* What the pivot tables of a workbook keep of their source.  Private to extract/. */
#ifndef MISSENT_EXTRACT_PIVOT_H
#define MISSENT_EXTRACT_PIVOT_H

#include "missent/extract.h"

#define MS_PIVOT_DEFINITION "pivotCacheDefinition" /* the outermost element of one */

/* Hands over the table that a part with this outermost element keeps.  `heads`, of char *, is for
 * the names of its fields: definitions come before records. */
void ms_pivot_read(GPtrArray *heads, const MsExtraction *to, const char *place, const char *root,
	const guint8 *data, gsize len);

#endif
