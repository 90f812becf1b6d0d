/* What the files of this folder share. */
#ifndef MISSENT_AUDIT_PRIVATE_H
#define MISSENT_AUDIT_PRIVATE_H

#include <jansson.h>

#include "missent/audit.h"

/* "2026-11-26T20:15:03.123Z"; the caller's. */
char *ms_audit_stamp(gint64 microseconds);
/* Any bytes as a string; NULL as null. */
json_t *ms_audit_plain(const char *text);
/* `key` may be NULL.  NULL: there is no memory. */
json_t *ms_audit_line_of_message(const MsAuditMessage *message, const guint8 *key);

#endif
