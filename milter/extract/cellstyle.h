/* The formats of cells in SpreadsheetML 2003.  Private to extract/. */
#ifndef MISSENT_EXTRACT_CELLSTYLE_H
#define MISSENT_EXTRACT_CELLSTYLE_H

#include <glib.h>

typedef struct MsCellStyles MsCellStyles;

MsCellStyles *ms_cell_styles_new(void);
void ms_cell_styles_free(MsCellStyles *styles);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsCellStyles, ms_cell_styles_free)

/* Takes each element of the workbook as it begins. */
void ms_cell_styles_start(MsCellStyles *styles, const char *name, const char *const *attributes);
/* The number format of the cell that began last; borrowed, or NULL. */
const char *ms_cell_styles_format(const MsCellStyles *styles);

#endif
