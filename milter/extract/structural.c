#include "config.h"

#include <string.h>

#include "missent/inventory.h"

/*
 * The only place that says which items of a document need not be read, and why.  A row must
 * give a reason why no customer's data can stand there by a mistake of a billing system; "no
 * program shows it" is none.  In comes the name of an item, out goes the reason or NULL; no
 * state but the table, so any thread.
 *
 * Formats in alphabetical order.
 */
const MsStructural ms_structural_rows[] = {
	{NULL, NULL, NULL},
};

/* * and ? as in GPatternSpec, without its allocation: this is asked for each attribute. */
static bool matches(const char *pattern, const char *name)
{
	const char *star = NULL, *again = NULL;
	while (*name != '\0') {
		if (*pattern == '*') {
			star = pattern++;
			again = name;
		} else if (*pattern == '?' || *pattern == *name) {
			pattern++;
			name++;
		} else if (star != NULL) {
			pattern = star + 1;
			name = ++again;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

const char *ms_structural(const char *format, const char *item)
{
	for (const MsStructural *row = ms_structural_rows; row->format != NULL; row++)
		if (strcmp(row->format, format) == 0 && matches(row->item, item))
			return row->reason;
	return NULL;
}
