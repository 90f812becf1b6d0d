/*
 * Entries of an import, put aside in a file until all of them are there, and given back in the
 * order of their digests: memory does not grow with their number.  A file with a name outlives
 * who was killed; what is in it is sealed like a part of the mapping.
 */
#ifndef MISSENT_DIRECTORY_SPILL_H
#define MISSENT_DIRECTORY_SPILL_H

#include "slice.h"

typedef struct MsSpill MsSpill;

typedef struct {
	const MsKeys *keys;
	const char *generation;
	char kind; /* a letter: which of the generation's */
	const char *path; /* NULL: without a name, in $TMPDIR or /var/tmp */
	/* Called again and again by whoever goes over it, or NULL; false ends that. */
	bool (*alive)(void *user, GError **error);
	void *user;
} MsSpillPlace;

/* A file without a name, in $TMPDIR or /var/tmp; -1: none can be made. */
int ms_spill_file(GError **error);
/* What `place` points to must outlive it. */
MsSpill *ms_spill_new(const MsSpillPlace *place, GError **error);
/* All that was added is in the file; what says where goes to the end of `out`. */
bool ms_spill_save(MsSpill *spill, GByteArray *out, GError **error);
/* As it was when it was saved.  NULL: the file is not there, or `saved` makes no sense. */
MsSpill *ms_spill_resume(const MsSpillPlace *place, const guint8 *saved, gsize len);
void ms_spill_free(MsSpill *spill);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsSpill, ms_spill_free)
bool ms_spill_add(MsSpill *spill, const guint8 digest[MS_ENTRY_DIGEST], const MsRecord *record,
	GError **error);
guint64 ms_spill_count(const MsSpill *spill);
/* Calls `take` for each different one, in order; until it says false. */
typedef bool (*MsSpillTake)(
	const guint8 digest[MS_ENTRY_DIGEST], const MsRecord *record, void *user, GError **error);
bool ms_spill_each(MsSpill *spill, MsSpillTake take, void *user, GError **error);

#endif
