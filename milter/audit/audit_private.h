/* What the files of this folder share. */
#ifndef MISSENT_AUDIT_PRIVATE_H
#define MISSENT_AUDIT_PRIVATE_H

#include <jansson.h>

#include "missent/audit.h"
#include "missent/tlog.h"

/* "2026-11-26T20:15:03.123Z"; the caller's. */
char *ms_audit_stamp(gint64 microseconds);
/* A line that is begun, with its time and type. */
json_t *ms_audit_line(const char *type);
/* Any bytes as a string; NULL as null. */
json_t *ms_audit_plain(const char *text);
/* What names a message: host, queue ID and when it came. */
void ms_audit_name(json_t *line, const MsEnvelope *envelope);
/* `key` may be NULL.  NULL: there is no memory. */
json_t *ms_audit_line_of_message(const MsAuditMessage *message, const guint8 *key);
/* Its text, in ASCII and in one line; the caller's to free(). */
char *ms_audit_dump(const json_t *line);
/* A line as entries (of char *, malloc()ed); takes `text`, which is ASCII and malloc()ed. */
GPtrArray *ms_audit_entries(char *text);
/* Keeps the key of this host's log beside its folder, unless one is kept. */
bool ms_audit_keep_key(const char *folder, const char *vkey);
/* The key of the log that is there now, instead. */
bool ms_audit_change_key(const char *folder);
/* Of the plain files of older versions. */
bool ms_audit_each_plain(
	const char *path, gint64 from, gint64 to, MsAuditTake take, void *user, GError **error);

#endif
