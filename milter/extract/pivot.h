/* What the pivot tables of a workbook keep of their source.  Private to extract/. */
#ifndef MISSENT_EXTRACT_PIVOT_H
#define MISSENT_EXTRACT_PIVOT_H

#include "missent/extract.h"

#include "sheet.h"

#define MS_PIVOT_DEFINITION "pivotCacheDefinition" /* the outermost element of one */

/* For what is known of the fields of definitions, which come before records. */
GPtrArray *ms_pivot_heads_new(void);
/* Hands over the table that a part with this outermost element keeps; `sheets` has its formats. */
void ms_pivot_read(GPtrArray *heads, const MsSheets *sheets, const MsExtraction *to,
	const char *place, const char *root, const guint8 *data, gsize len);

#endif
