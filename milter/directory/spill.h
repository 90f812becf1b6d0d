/*
 * Entries of an import, put aside in a file without a name until all of them are there, and given
 * back in the order of their digests: memory does not grow with their number.
 */
#ifndef MISSENT_DIRECTORY_SPILL_H
#define MISSENT_DIRECTORY_SPILL_H

#include "slice.h"

typedef struct MsSpill MsSpill;

/* In $TMPDIR, or /var/tmp. */
MsSpill *ms_spill_new(GError **error);
void ms_spill_free(MsSpill *spill);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsSpill, ms_spill_free)
bool ms_spill_add(MsSpill *spill, const guint8 digest[MS_ENTRY_DIGEST], const MsRecord *record, GError **error);
guint64 ms_spill_count(const MsSpill *spill);
/* Calls `take` for each different one, in order; until it says false. */
typedef bool (*MsSpillTake)(const guint8 digest[MS_ENTRY_DIGEST], const MsRecord *record, void *user,
	GError **error);
bool ms_spill_each(MsSpill *spill, MsSpillTake take, void *user, GError **error);

#endif
