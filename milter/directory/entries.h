/*
 * What is no table as one: LDIF (RFC 2849), as ldapsearch prints it, and JSON, objects one after
 * the other or in a list.  Each entry gives a line, and what the form maps a column; several
 * values stand on lines of their own in one cell.
 */
#ifndef MISSENT_DIRECTORY_ENTRIES_H
#define MISSENT_DIRECTORY_ENTRIES_H

#include <stdio.h>

#include "missent/directory.h"

#include "csv.h"

typedef struct {
	FILE *out;
	guint n;
	char **columns; /* their names */
	GPtrArray *cells; /* of GString, one each, of this entry */
	bool *seen;       /* some entry has it */
} MsEntries;

/* Writes `in` to `out` with a heading.  What no entry has is told at the end of `told`. */
bool ms_entries_to_csv(MsCsv *in, int out, const MsTableForm *form, bool json, GString *told,
	GError **error);

/* For those who read one form. */
bool entries_read_ldif(MsCsv *in, MsEntries *to, GError **error);
bool entries_read_json(MsCsv *in, MsEntries *to, GError **error);
void ms_entries_add(MsEntries *to, guint column, const char *text, gsize len);
/* False: it is longer than a record may be. */
bool ms_entries_end(MsEntries *to);

#endif
