/*
 * How far an import has come, kept beside what it put aside, so that one that was cut off goes on.
 * It is sealed like a part of the mapping, and good for the same file, read in the same way, alone.
 */
#ifndef MISSENT_DIRECTORY_PROGRESS_H
#define MISSENT_DIRECTORY_PROGRESS_H

#include "missent/filter.h"

#include "part.h"
#include "table.h"

#define MS_RECIPE 32
#define MS_SPILLS 3

typedef struct {
	char *generation;
	guint8 recipe[MS_RECIPE]; /* the digest of all that what comes out depends on */
	MsTableMark mark;         /* lines before it were taken */
	gint64 lists;             /* of marks: stored */
	MsFingerprint marks;      /* of them */
	bool read;                /* all lines were taken */
	guint32 slices;           /* stored */
	GByteArray *aside[MS_SPILLS]; /* what was put aside: see ms_spill_save() */
	GByteArray *pending;      /* marks that are not stored */
} MsProgress;

MsProgress *ms_progress_new(void);
void ms_progress_free(MsProgress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsProgress, ms_progress_free)

/* The recipe of a file that is read from its beginning, and of what is taken beside it (or NULL).
 * False: it cannot be read twice. */
bool ms_progress_recipe(int fd, const MsTableForm *form, const char *beside, const MsKinds *kinds,
	const MsKeys *keys, guint8 out[MS_RECIPE]);
bool ms_progress_write(
	const MsProgress *progress, const char *path, const MsKeys *keys, GError **error);
/* NULL: there is none of this recipe. */
MsProgress *ms_progress_read(const char *path, const MsKeys *keys, const guint8 recipe[MS_RECIPE]);

#endif
