/*
 * Rows of the mapping from a file of any shape: account,kind,value, or a line for each customer
 * with a column for each kind.
 */
#ifndef MISSENT_DIRECTORY_TABLE_H
#define MISSENT_DIRECTORY_TABLE_H

#include "missent/directory.h"

#include "csv.h"

typedef struct MsTable MsTable;

/* What was found out is told by `note` (or NULL).  NULL: it is no such table; `*error` says why. */
MsTable *ms_table_new(int fd, const MsTableForm *form, MsKinds *kinds,
	void (*note)(const char *text, void *user), void *user, GError **error);
void ms_table_free(MsTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsTable, ms_table_free)

typedef enum {
	MS_TABLE_ROW,
	MS_TABLE_BAD,
	MS_TABLE_PASSED, /* a line of the table's, and no customer's: a total, or below it */
	MS_TABLE_END,
	MS_TABLE_FAILED,
} MsTableResult;

/* Good until the next call. */
typedef struct {
	guint64 line;
	const char *account, *kind, *value;
	const char *column; /* its name, as the map has it; or NULL */
	const char *why; /* MS_TABLE_BAD, MS_TABLE_PASSED */
} MsTableRow;

/* A line may give several rows, and several bad ones.  MS_TABLE_FAILED: no more can be read, or
 * what follows cannot be told apart; `*error` says why. */
MsTableResult ms_table_next(MsTable *table, MsTableRow *row, GError **error);
/* Lines that were read, without the heading and those that are passed over; and those of them that
 * were blamed. */
guint64 ms_table_lines(const MsTable *table);
void ms_table_blame(MsTable *table); /* the line of the last row */
guint64 ms_table_bad(const MsTable *table);
guint64 ms_table_bytes(const MsTable *table);

/* Where it is, at the end of a line; and going on there. */
typedef struct {
	guint64 offset, line, lines, bad;
} MsTableMark;
bool ms_table_mark(const MsTable *table, MsTableMark *mark_out);
bool ms_table_seek(MsTable *table, const MsTableMark *mark);

#endif
