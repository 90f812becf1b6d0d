/*
 * token.h - mail that need not be judged again: single-use tokens.
 *
 * WHAT    A token lets one message with one body go from one sender to exactly the named
 *         recipients, once.  The ledger keeps its hash.
 * OWNS    What is returned is the caller's.
 * ERRORS  GError.
 * THREADS Safe, and safe among processes.
 * LIMITS  None of its own.
 * NOT     Says nothing of who may have one made (desk.h).
 */
#ifndef MISSENT_TOKEN_H
#define MISSENT_TOKEN_H

#include <glib.h>
#include <stdbool.h>

#include "missent/answer.h"
#include "missent/ledger.h"

/* The header field that carries one.  The daemon takes it off. */
#define MS_TOKEN_HEADER "X-Missent-Release"

/* So long the ledger knows which message spent one. */
#define MS_TOKEN_KEPT (30 * 86400 * (gint64)G_USEC_PER_SEC)

/* A token (the caller's) that lets one message with this body go from `sender` to exactly
 * `recipients`, once, unjudged.  Its hash, which is all that is kept, in `*hash_out`. */
char *ms_tokens_make(MsLedger *ledger, const char *digest, const char *sender,
	const GPtrArray *recipients, char **hash_out, GError **error);
/* Spends it.  MS_ABSENT: it is good for nothing.  MS_CONFIG: it is good, but for another message,
 * which is what this one was when it was submitted. */
MsAnswer ms_tokens_spend(MsLedger *ledger, const char *token, const char *digest,
	const char *sender, const GPtrArray *recipients, const char *queue_id, GError **error);
/* Was one spent by the message of that queue ID, within that time?  Then the recipients that it was
 * for, a line each (the caller's), else NULL.  True: could look. */
bool ms_tokens_spent_by(MsLedger *ledger, const char *queue_id, gint64 from, gint64 to,
	char **recipients_out, GError **error);
/* Makes sure that it will never be good again.  `*queue_id_out` (the caller's): it was spent
 * already, by the message with that queue ID; NULL: it never was. */
bool ms_tokens_void(MsLedger *ledger, const char *hash, char **queue_id_out, GError **error);
/* Those made before are good for nothing any more. */
bool ms_tokens_forget(MsLedger *ledger, gint64 before, GError **error);

#endif
