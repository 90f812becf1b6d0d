/* Cells whose numbers a condition shows by another format.  Private to extract/. */
#ifndef MISSENT_EXTRACT_CONDITIONS_H
#define MISSENT_EXTRACT_CONDITIONS_H

#include <glib.h>
#include <stdbool.h>

typedef struct MsConditions MsConditions;

MsConditions *ms_conditions_new(void);
void ms_conditions_free(MsConditions *conditions);

/* Another sheet begins: its cells are others. */
void ms_conditions_sheet(MsConditions *conditions);
/* The value of a cell; one that is no number is not kept. */
void ms_conditions_cell(MsConditions *conditions, guint row, guint column, const char *value);
/* Appends what `format` (numfmt.h) makes of the cells in `ranges` ("A1:B9 C3", "'My sheet'.A1"),
 * one a line; false if that may not be all. */
bool ms_conditions_show(MsConditions *conditions, const char *ranges, const char *format,
	GString *out, gsize limit);

#endif
