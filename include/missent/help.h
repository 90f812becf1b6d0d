/*
 * help.h - what a worker may ask for while it reads.
 *
 * WHAT    Two questions: is there a reading of this attachment already, and what is written in
 *         this picture; and to be let go of a message that needs a reader with more libraries.
 * OWNS    The reading returned is the caller's.
 * ERRORS  NULL, also instead of a function: no.  Then the document is read here, or stays unread.
 * THREADS One message, one thread.
 * LIMITS  Those of whoever answers.
 * NOT     Not needed: everything works with no help at all.
 */
#ifndef MISSENT_HELP_H
#define MISSENT_HELP_H

#include "missent/reading.h"

typedef struct {
	/* A reading of bytes start to end of the message, taken as `as` says. */
	MsReading *(*known)(void *user, gsize start, gsize end, const char *as);
	/* A reading of a picture: `as` is "grey WIDTH HEIGHT DPI" for rows of bytes, 0 black, or
	 * "image" for a file of a picture. */
	MsReading *(*recognise)(void *user, const guint8 *data, gsize len, const char *as);
	/* The message has a document that is not read here: another reader begins with it anew.
	 * Does not return. */
	void (*beyond)(void *user);
	void *user;
} MsHelp;

#endif
