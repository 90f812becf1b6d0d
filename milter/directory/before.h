/* The mapping in use, a slice at a time, in order: for who compares another with it. */
#ifndef MISSENT_DIRECTORY_BEFORE_H
#define MISSENT_DIRECTORY_BEFORE_H

#include "directory_private.h"

typedef struct MsBefore MsBefore;

typedef struct {
	const guint8 *key;
	MsSaid said;
	bool met; /* the caller's */
} MsBeforeEntry;

/* Both are borrowed. */
MsBefore *ms_before_new(MsDirectory *directory, const MsMapping *mapping);
void ms_before_free(MsBefore *before);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsBefore, ms_before_free)
/* The entries of one slice, in the order of their keys, good until the next call.  MS_CONFIG: it
 * is not what it should be. */
MsAnswer ms_before_slice(MsBefore *before, guint32 number, MsBeforeEntry **entries_out,
	guint *n_out, GError **error);

#endif
