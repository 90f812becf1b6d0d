/* The newest mapping that was used; see seen.c. */
#ifndef MISSENT_SEEN_H
#define MISSENT_SEEN_H

#include "missent/directory.h"

typedef struct MsSeen MsSeen;

/* `file` may be NULL: remembered in memory only. */
MsSeen *ms_seen_new(const char *file);
void ms_seen_free(MsSeen *seen);
/* Is it at least as new as what was used before?  MS_FOUND: it is what was used last from now on;
 * MS_ABSENT: it is older, and `*newest_out` is when that was imported; MS_RETRY: that is not known
 * now. */
MsAnswer ms_seen_check(
	MsSeen *seen, const MsDirectoryState *state, gint64 *newest_out, GError **error);
/* Knows all that `before` does, if it is of the same place. */
void ms_seen_succeed(MsSeen *seen, MsSeen *before);
/* An operator says that it is the one, though it may be older. */
bool ms_seen_accept(MsSeen *seen, const MsDirectoryState *state, GError **error);
/* When the newest was imported: microseconds since 1970; 0: none was seen. */
gint64 ms_seen_newest(MsSeen *seen);

#endif
