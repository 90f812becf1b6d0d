/* Files in Microsoft's compound format (MS-CFB).  Private to extract/. */
#ifndef MISSENT_EXTRACT_OLE_H
#define MISSENT_EXTRACT_OLE_H

#include "missent/extract.h"

/* biff.c: the cells of an Excel workbook's stream (MS-XLS, and the older BIFF5).  False when
 * the workbook is encrypted. */
bool ms_biff_read(const MsExtraction *to, const char *where, const guint8 *data, gsize len);

/* ole.c: reads the file in an object's native data, after the size.  False if none is there. */
bool ms_ole_package(const MsExtraction *to, const char *where, const guint8 *data, gsize len);

#endif
