/* The sheets of a workbook (ECMA-376 part 1, 18).  Private to extract/. */
#ifndef MISSENT_EXTRACT_SHEET_H
#define MISSENT_EXTRACT_SHEET_H

#include "missent/extract.h"

typedef struct MsSheets MsSheets;

/* What all sheets of a workbook share; either may be NULL. */
MsSheets *ms_sheets_new(const MsExtraction *to, const char *where, const GByteArray *strings,
	const GByteArray *styles);
void ms_sheets_free(MsSheets *sheets);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsSheets, ms_sheets_free)
/* Bytes of text found. */
gsize ms_sheet_read(const MsExtraction *to, const char *place, const GByteArray *bytes,
	const MsSheets *sheets);

/* Appends a number as it is stored, and as it is shown where `format` only arranges its digits
 * ("0000000" shows 4711 as 0004711); `format` may be NULL. */
void ms_number_append(GString *out, double value, const char *format);

#endif
