/*
 * history.h - what the audit trail says of policies.
 *
 * WHAT    Which policies applied to mail of the past, and of whom it was.
 * OWNS    MsApplied; freed by its _free function.
 * ERRORS  GError: a trail that cannot be read.  None is no line.
 * THREADS One at a time.
 * LIMITS  Memory grows with the number of senders.
 * NOT     Knows addresses: senders are digests (audit.h), asked for by who has the key.
 */
#ifndef MISSENT_HISTORY_H
#define MISSENT_HISTORY_H

#include <glib.h>
#include <stdbool.h>

#include "missent/audit.h"
#include "missent/policylint.h"

typedef struct MsApplied MsApplied;
/* Of [from, to).  `key`: of the trail; NULL: senders are not known. */
MsApplied *ms_applied_read(const char *trail, gint64 from, gint64 to, const guint8 key[MS_AUDIT_KEY_BYTES], GError **error);
void ms_applied_free(MsApplied *applied);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsApplied, ms_applied_free)
/* For the lint; borrows. */
void ms_applied_lint(MsApplied *applied, MsLintMail *out);

#endif
