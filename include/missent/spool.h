/*
 * spool.h - held copies that are not in the MTA's queue.
 *
 * WHAT    A folder with a file a message, named by its record's uid.
 * OWNS    Nothing is kept open.
 * ERRORS  GError.  When ms_spool_write() returns true, the file and its name are on disk.
 * THREADS Safe: names are never shared.
 * LIMITS  The disk's: a full one is an error, and the message must be refused for now.
 * NOT     Knows no records: a file without one was left behind by a crash, or its record was lost
 *         (a held.db from a backup); it is set aside (sweep).
 */
#ifndef MISSENT_SPOOL_H
#define MISSENT_SPOOL_H

#include <glib.h>
#include <stdbool.h>

/* Copies the file `from` whole.  An older file of that name is an error unless `again`: then it
 * is what an interrupted attempt left. */
bool ms_spool_write(const char *dir, const char *uid, int from, bool again, GError **error);
/* Open for reading; -1 and MS_ERROR_INPUT when it is not there. */
int ms_spool_open(const char *dir, const char *uid, GError **error);
/* Also true when it is not there. */
bool ms_spool_remove(const char *dir, const char *uid, GError **error);
/* What is to become of a file: it is held, its message was decided on, or it is no
 * record's. */
typedef enum { MS_SPOOL_HELD, MS_SPOOL_DONE, MS_SPOOL_UNKNOWN } MsSpoolFate;
/* Where what nobody knows is set aside, in the spool's folder; removed there after
 * MS_SPOOL_ASIDE_DAYS (ms_spool_clear()). */
#define MS_SPOOL_ASIDE "unrecorded"
#define MS_SPOOL_ASIDE_DAYS 30
/* Looks at files older than an hour; how many were set aside. */
guint ms_spool_sweep(const char *dir, MsSpoolFate (*fate)(const char *uid, void *user), void *user);
/* How many copies are in that folder; of one that cannot be looked into, 0. */
guint ms_spool_count(const char *dir);
/* Nobody else has what is removed: for whoever knows that the clock can be believed. */
void ms_spool_clear(const char *dir);

#endif
