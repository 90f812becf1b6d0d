/*
 * stored.h - messages that are kept in files: one a file, mbox, Maildir, folders.
 *
 * WHAT    Calls back for each message, in the order of names and, in an mbox, of the file (RFC
 *         4155; a message also begins where only its empty line, or only its date, is missing).
 * OWNS    Nothing outlives the call.
 * ERRORS  With the path.  MS_ERROR_ABSENT: not there, not readable, nor a folder below it, too
 *         deep, a folder without a message.  MS_ERROR_INPUT: a message of more than MS_STORED_MOST.
 * THREADS Safe; a file that is written meanwhile is read as it was when it was opened.
 * LIMITS  A file is mapped, not read: an mbox may be larger than memory.
 * NOT     Parses no message.
 */
#ifndef MISSENT_STORED_H
#define MISSENT_STORED_H

#include <glib.h>
#include <stdbool.h>

#define MS_STORED_MOST ((gsize)G_MAXUINT) /* bytes of one message */

typedef struct {
	const char *name; /* "path", or "path:3" of an mbox */
	const guint8 *data;
	gsize len;
	guint64 at; /* bytes of all that was asked for, up to the end of this one */
	bool cut;   /* the mailbox ends within it */
} MsStored;
/* False: stop. */
typedef bool (*MsStoredTake)(const MsStored *message, void *user);
/* "-" is standard input.  *.eml of a folder, cur and new of a Maildir, at most 20 folders deep;
 * links to folders are not followed. */
bool ms_stored_each(const char *path, MsStoredTake take, void *user, GError **error);
/* May there be several messages: a folder, or an mbox? */
bool ms_stored_is_many(const char *path);
/* Bytes of all files that would be read. */
guint64 ms_stored_size(const char *path);

#endif
