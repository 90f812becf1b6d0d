/*
 * audit.h - one line for every message that was judged.
 *
 * WHAT    Appends a JSON object a line to the audit file.
 * OWNS    MsAudit; ms_audit_free().
 * ERRORS  GError when a line could not be written whole, with the system's reason.
 * THREADS Safe: lines do not mix.
 * LIMITS  A line has at most 50 reasons; `reasons_more` counts the rest.
 * NOT     Identifiers, accounts and addresses are masked.
 */
#ifndef MISSENT_AUDIT_H
#define MISSENT_AUDIT_H

#include <glib.h>
#include <stdbool.h>

#include "missent/envelope.h"
#include "missent/reading.h"
#include "missent/verdict.h"

typedef struct MsAudit MsAudit;

MsAudit *ms_audit_new(const char *path);
void ms_audit_free(MsAudit *audit);
/* `reading` may be NULL when the message could not be judged. */
bool ms_audit_write(MsAudit *audit, const MsEnvelope *envelope, const MsReading *reading,
	const MsVerdict *verdict, gint64 microseconds, GError **error);
/* Something that a person did, or tried: a log-in, a look, a decision.  `about` is a record's uid
 * or "".  Nothing of a message's content. */
bool ms_audit_event(MsAudit *audit, const char *who, const char *client, const char *what,
	const char *about, const char *detail, GError **error);

#endif
