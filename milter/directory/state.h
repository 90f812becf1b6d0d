/*
 * What a mapping says of itself: lines "name=value", the last of which seals the others.  It names
 * the generation, how many slices there are, and the sums of all fingerprints, so that with it a
 * mapping is whole or known not to be.  missent-directory(7) writes it out.
 */
#ifndef MISSENT_DIRECTORY_STATE_H
#define MISSENT_DIRECTORY_STATE_H

#include "slice.h"

#define MS_MAPPING_FORM "10" /* the version of what is stored */

typedef struct {
	char *generation, *source;
	bool digests;
	MsPlaces places;
	gint64 loaded_us, entries; /* loaded: microseconds since 1970 */
	gint64 changes; /* lists of marks */
	gint64 version; /* changes since it was imported */
	MsFingerprint sum, marks; /* of all slices; of all lists of marks */
	GHashTable *positions; /* of sources of changes: name to the last one that is in it */
	GHashTable *kinds; /* by name: as what each was kept (kind.h); empty: that is not said */
	gint references; /* atomic; one that is shared is not changed */
} MsMapping;

MsMapping *ms_mapping_new(void);
MsMapping *ms_mapping_ref(MsMapping *mapping);
/* One reference of it. */
void ms_mapping_free(MsMapping *mapping);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsMapping, ms_mapping_free)
guint32 ms_mapping_slices(const MsPlaces *places);
guint32 ms_mapping_groups(const MsPlaces *places);

char *ms_mapping_write(const MsMapping *mapping, const MsKeys *keys);
/* NULL: `*why_out` (static) says what is wrong. */
MsMapping *ms_mapping_read(const char *text, const MsKeys *keys, const char **why_out);
/* Where entries are, without a key.  False: it has not the form of a state. */
bool ms_mapping_places(const char *text, MsPlaces *out);

#endif
