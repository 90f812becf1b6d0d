/* Shared by directory.c, resolve.c and import.c. */
#ifndef MISSENT_DIRECTORY_PRIVATE_H
#define MISSENT_DIRECTORY_PRIVATE_H

#include "missent/filter.h"

#include "backend.h"
#include "keys.h"
#include "seen.h"

struct MsDirectory {
	MsKinds *kinds;
	MsBackend *backend;
	MsKeys keys;
	char *house;
	char *tag_separators;
	gint64 max_age; /* seconds; 0: any */
	MsLimits judging;
	MsSeen *seen;
};

char *ms_directory_canary(const MsDirectory *directory);
/* MS_CONFIG, and why. */
MsAnswer ms_directory_unfit(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* keys[0] is the canary's.  Found only in a mapping that is fit for use. */
MsAnswer ms_directory_look_up(MsDirectory *directory, GPtrArray *keys, MsLookup *lookup, GError **error);

/* One row of the mapping, ready for a backend. */
typedef struct {
	MsRowKeys keys;
	GPtrArray *others; /* what keys.other_keys is */
	GArray *marks;     /* of MsMark */
} MsRowStored;
MsRowStored *ms_row_new(MsDirectory *directory, const char *account, const char *kind,
	const char *value, gsize len, const char **why_out);
void ms_row_free(MsRowStored *row);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsRowStored, ms_row_free)
/* How marks are stored: sealed, if the mapping is. */
char *ms_marks_pack(const MsDirectory *directory, const GArray *marks);

#endif
