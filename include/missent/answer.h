/*
 * answer.h - how a question that can fail is answered.
 *
 * WHAT    One enum for lookups, one GError domain for everything else.
 * OWNS    Nothing.
 * ERRORS  MS_ABSENT is an answer, MS_RETRY and MS_CONFIG are not: "could not look"
 *         must never be taken for "not found".
 * THREADS Constants only.
 * LIMITS  None.
 * NOT     Not for a message that is odd; that is a fact on its reading (reading.h).
 */
#ifndef MISSENT_ANSWER_H
#define MISSENT_ANSWER_H

#include <glib.h>
#include <stdbool.h>

typedef enum {
	MS_FOUND,  /* looked, and here it is */
	MS_ABSENT, /* looked, and it is not there */
	MS_RETRY,  /* could not look now; another time it may work */
	MS_CONFIG, /* could not look until somebody changes something */
} MsAnswer;

typedef enum {
	MS_ERROR_CONFIG, /* a file or key is wrong: say file, line, key */
	MS_ERROR_RETRY,  /* the world failed: disk, Redis, a process */
	MS_ERROR_INPUT,  /* what was given is malformed */
	MS_ERROR_BUSY,   /* a limit on concurrent work, ours or the host's: nothing was begun */
	MS_ERROR_FULL,   /* the world has no room: what lies there in vain is to go */
	MS_ERROR_ABSENT, /* a file that was named is not there, or cannot be read */
} MsError;

#define MS_ERROR (ms_error_quark())
GQuark ms_error_quark(void);
/* MS_ERROR_INPUT with these words; false, always. */
bool ms_fail_input(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

#endif
