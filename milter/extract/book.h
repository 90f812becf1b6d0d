/* The cells of a workbook, for formulas of one sheet that name those of another.  Private to
 * extract/. */
#ifndef MISSENT_EXTRACT_BOOK_H
#define MISSENT_EXTRACT_BOOK_H

#include <glib.h>
#include <stdbool.h>

typedef struct MsBook MsBook;

MsBook *ms_book_new(void);
void ms_book_free(MsBook *book);

/* The sheet that is called `name` is the part `part` of the package. */
void ms_book_name(MsBook *book, const char *part, const char *name);
/* `name` stands for the cell `reference` ("Data!$A$5") or for a constant; other formulas that have
 * a name are no matter. */
void ms_book_define(MsBook *book, const char *name, const char *reference);
/* The name of the sheet that this part is; borrowed, NULL if it is none. */
const char *ms_book_sheet(const MsBook *book, const char *part);

/* A cell: its name ("A5"), and where its value begins among those of its sheet. */
typedef struct {
	char name[12];
	guint at;
} MsBookCell;

/* The row of a cell's name: 5 of "A5"; 0 of other names. */
guint ms_book_row(const char *name);
/* Takes the cells (of MsBookCell) of the sheet `sheet` and their values.  `cut`: from this row on
 * there are others; 0: there are none. */
void ms_book_take(
	MsBook *book, const char *sheet, GArray *cells, GString *values, guint cut);
/* A formula of that sheet that nobody worked out. */
void ms_book_formula(MsBook *book, const char *sheet, const char *formula);
/* Appends the texts that the formulas make, one a line, and "NAME: value" of each name; false if
 * those may not be all. */
bool ms_book_work_out(const MsBook *book, GString *out, gsize limit);

#endif
