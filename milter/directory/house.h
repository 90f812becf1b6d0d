/* The house's own rows, beside those of what is imported. */
#ifndef MISSENT_DIRECTORY_HOUSE_H
#define MISSENT_DIRECTORY_HOUSE_H

#include "missent/directory.h"

#include "table.h"

/* `*text_out`: what the file has; NULL: there is none, and need not be. */
bool ms_house_read(MsDirectory *directory, char **text_out, GError **error);
/* Each of its rows.  Any mistake in it ends it, with file and line. */
typedef bool (*MsHouseRow)(const MsTableRow *row, void *user, GError **error);
bool ms_house_each(
	MsDirectory *directory, const char *text, MsHouseRow func, void *user, GError **error);

#endif
