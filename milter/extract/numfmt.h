/* Numbers as a workbook's number formats show them (ECMA-376 part 1, 18.8.31).  Private to
 * extract/. */
#ifndef MISSENT_EXTRACT_NUMFMT_H
#define MISSENT_EXTRACT_NUMFMT_H

#include <glib.h>
#include <stdbool.h>

/* Appends the digits that are stored. */
void ms_number_stored(GString *out, double value);
/* Appends the digits before the point that are written, where a number in the machine has others:
 * more than it keeps, or zeros before them.  False, and nothing is appended, if they are the same;
 * `value` is what is made of `text`. */
bool ms_number_written(GString *out, const char *text, double value);
/* Appends the number as `format` (which may be NULL) shows it.  False, and nothing is appended,
 * if that is what ms_number_stored() appends. */
bool ms_number_shown(GString *out, double value, const char *format);
/* The same for a cell that holds text. */
bool ms_number_text_shown(GString *out, const char *text, const char *format);
/* The same for a value as it is written, a number or any text. */
bool ms_number_value_shown(GString *out, const char *text, const char *format);
/* Does the format write more than the digits of an amount: letters, or zeros before them? */
bool ms_number_format_tells(const char *format);
/* The format of a number below 164, which files need not spell out; NULL if there is none. */
const char *ms_number_builtin(guint id);

#endif
