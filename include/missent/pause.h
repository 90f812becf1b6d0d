/*
 * pause.h - mail is let through for a while, as if missent only observed.
 *
 * WHAT    A file in state-dir that says since when, until when, who and why; looked at by
 *         missentd each second, and shown by all who show anything.
 * OWNS    MsPause: ms_pause_clear().
 * ERRORS  MS_ABSENT: there is none, or it is over.  MS_CONFIG: there is a file that is not
 *         believed, and why: then nothing is paused.
 * THREADS Safe; a file is replaced as a whole.
 * LIMITS  None lasts longer than pause-max from its beginning, whatever the file says.
 * NOT     Does not record: who pauses writes the audit line first.
 */
#ifndef MISSENT_PAUSE_H
#define MISSENT_PAUSE_H

#include <glib.h>
#include <stdbool.h>

#include "missent/answer.h"

#define MS_PAUSE_WHY 500 /* bytes at most, of why and of who */

typedef struct {
	gint64 since, until; /* microseconds since 1970 */
	char *who, *why;
} MsPause;
void ms_pause_clear(MsPause *pause);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MsPause, ms_pause_clear)

/* MS_FOUND: it is paused, at `now`. */
MsAnswer ms_pause_read(
	const char *state_dir, gint64 most_ms, gint64 now, MsPause *out, GError **error);
/* Takes the place of one that is there. */
bool ms_pause_begin(const char *state_dir, const MsPause *pause, GError **error);
/* MS_ABSENT: there was none. */
MsAnswer ms_pause_end(const char *state_dir, GError **error);
/* When it is over, as it is said: whole seconds since 1970, and never before it is. */
gint64 ms_pause_until(const MsPause *pause);
/* "missent is paused until 14:30 (anna: the billing run must go out): mail is let through as
 * observed"; the caller's. */
char *ms_pause_words(const MsPause *pause);

#endif
