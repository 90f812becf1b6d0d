/* What the sheets of a workbook share (ECMA-376 part 1, 18).  Private to extract/. */
#ifndef MISSENT_EXTRACT_SHEET_H
#define MISSENT_EXTRACT_SHEET_H

#include <glib.h>
#include <stdbool.h>

typedef struct MsSheets MsSheets;

MsSheets *ms_sheets_new(void);
void ms_sheets_free(MsSheets *sheets);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsSheets, ms_sheets_free)

/* Takes the elements of a part with styles, from its root on; others are no matter to it. */
void ms_sheets_style_start(MsSheets *sheets, const char *name, const char *const *attributes);
void ms_sheets_style_end(MsSheets *sheets, const char *name);
/* The next of the shared strings. */
void ms_sheets_add_string(MsSheets *sheets, const char *text, gsize len);
/* Appends those that no cell shows, one a line. */
void ms_sheets_unused(const MsSheets *sheets, GString *out);

/* The format of numbers (numfmt.h) with this number; NULL if there is none. */
const char *ms_sheets_format(const MsSheets *sheets, guint number);
/* ... of the look (dxf) that conditions name by this number. */
const char *ms_sheets_other_format(const MsSheets *sheets, guint look);

typedef struct {
	char name[12]; /* "A5", or empty */
	char type[12]; /* "s", "str", "inlineStr", "b", "e", "n" */
	guint style;
} MsCell;

void ms_cell_begin(MsCell *cell, const char *const *attributes);
/* From 0, which one without a name has too. */
guint ms_cell_column(const MsCell *cell);
#define MS_NO_ROW G_MAXUINT

/* Of the cell that was written last; before the first one its row is MS_NO_ROW. */
typedef struct {
	guint row, column;
} MsSheetPlace;

/* Sets a cell off from the last one.  Empty ones between are not stored by all formats, but those
 * below have the same columns. */
void ms_sheet_begin_cell(GString *out, MsSheetPlace *last, guint row, guint column);
/* The last cell of a row has a tab behind it as well, for cells may have several lines. */
void ms_sheet_end_row(GString *out, MsSheetPlace *last);
/* The value of a cell as it is shown, and as it is stored if that differs (else empty). */
void ms_cell_value(const MsCell *cell, MsSheets *sheets, const char *value, gsize len,
	GString *shown, GString *stored);
/* The text of a header or footer without the codes that lay it out, on the page with the number
 * `first_page`. */
void ms_header_text(GString *out, const char *text, gint64 first_page);

#endif
