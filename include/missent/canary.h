/*
 * canary.h - made-up mails of ours that must be held: what was sent, and what became of it.
 *
 * WHAT    The ledger's list of canaries.  The daemon notes what was judged of one, the agent what
 *         it found.
 * OWNS    MsCanary: ms_canary_free().
 * ERRORS  GError.
 * THREADS Safe, and safe among processes.
 * LIMITS  One is known by the digest of its body, which has a random name in it, its sender and
 *         its recipient, and once: a copy of it is a mail like any other.  What is refused for
 *         now, or whose verdict is taken back, comes again.
 * NOT     Sends none (desk.h).  Nothing of a message says that it is one.
 */
#ifndef MISSENT_CANARY_H
#define MISSENT_CANARY_H

#include <glib.h>
#include <stdbool.h>

#include "missent/answer.h"
#include "missent/ledger.h"

/* What became of one that would be held, were the mode not observe; and of one that nobody
 * judged yet. */
#define MS_CANARY_OBSERVED "observed"
#define MS_CANARY_SENT "sent"
/* And of one that was refused for now, which comes again: the action's name. */
#define MS_CANARY_LATER "tempfail"
/* Before the listener of one that somebody sent by hand, and looks after himself. */
#define MS_CANARY_PROBE "probe "

typedef struct {
	char *id, *listener, *digest;
	char *became;   /* MS_CANARY_SENT, MS_CANARY_OBSERVED, or the verdict's action */
	char *queue_id; /* "" while it is not judged */
	gint64 sent;    /* microseconds since 1970 */
} MsCanary;
void ms_canary_free(MsCanary *canary);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsCanary, ms_canary_free)

/* A random name for one. */
char *ms_canaries_name(void);
/* On disk before it is sent. */
bool ms_canaries_add(MsLedger *ledger, const char *id, const char *listener, const char *digest,
	const char *sender, const char *recipient, GError **error);
/* Is this message one that was sent and not judged yet?  MS_FOUND, MS_ABSENT, or could not look. */
MsAnswer ms_canaries_is(MsLedger *ledger, const char *digest, const char *sender,
	const char *recipient, GError **error);
/* The same, and notes what became of it; from then on it is none any more. */
MsAnswer ms_canaries_judged(MsLedger *ledger, const char *digest, const char *sender,
	const char *recipient, const char *queue_id, const char *became, GError **error);
/* Its verdict came to nothing. */
bool ms_canaries_take_back(MsLedger *ledger, const char *sender, const char *recipient,
	const char *queue_id, GError **error);
/* Those that are not ended, of MsCanary. */
GPtrArray *ms_canaries_open(MsLedger *ledger, GError **error);
/* What is known of one, ended or not; NULL: none has that name, or GError. */
MsCanary *ms_canaries_find(MsLedger *ledger, const char *id, GError **error);
/* Nothing is left of it to do. */
bool ms_canaries_end(MsLedger *ledger, const char *id, GError **error);
/* When the newest was sent; 0: none was. */
bool ms_canaries_newest(MsLedger *ledger, gint64 *sent_out, GError **error);
/* Is all well with that listener?  `*changed_out`: it was otherwise before. */
bool ms_canaries_state(
	MsLedger *ledger, const char *listener, bool well, bool *changed_out, GError **error);
/* The names of those with which it is not, sorted, of char *; NULL on error. */
GPtrArray *ms_canaries_unwell(MsLedger *ledger, GError **error);

#endif
