/* What a formula makes of its constants.  Private to extract/. */
#ifndef MISSENT_EXTRACT_FORMULA_H
#define MISSENT_EXTRACT_FORMULA_H

#include <glib.h>

/* What a cell of the same sheet ("A5") or of another one ("Data!A5") has in it, or one that has a
 * name ("NUMBER"); NULL: it is not known. */
typedef const char *MsFormulaCell(void *user, const char *name);

/* Appends the texts that a formula of a sheet (Excel's, or OpenDocument's) joins from strings,
 * numbers, CHAR() and TEXT(), one a line: "KD-"&TEXT(7740912,"0").  Texts of one piece are left
 * out: they stand in the formula as they are.  `cell` may be NULL: no cell is known. */
void ms_formula_texts(GString *out, const char *formula, MsFormulaCell *cell, void *user);

#endif
