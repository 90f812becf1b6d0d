/*
 * decision.h - what was decided of held mail, and how far it was carried out.
 *
 * WHAT    Keeps decisions in the ledger, step by step, so that one that was interrupted can be
 *         taken up again.
 * OWNS    What is returned is the caller's.
 * ERRORS  GError.
 * THREADS Safe, and safe among processes.
 * LIMITS  None of its own.
 * NOT     Carries nothing out, and asks nobody's right to decide (desk.h).
 */
#ifndef MISSENT_DECISION_H
#define MISSENT_DECISION_H

#include <glib.h>
#include <stdbool.h>

#include "missent/ledger.h"

/* All of them, or none. */
bool ms_decisions_add(MsLedger *ledger, const GPtrArray *decisions, GError **error);
MsDecision *ms_decisions_find(MsLedger *ledger, const char *id, GError **error);
/* How many have that name, for themselves or for their group. */
bool ms_decisions_named(MsLedger *ledger, const char *name, gint64 *n_out, GError **error);
/* Of MsDecision; `state` -1: those that are approved or were begun.  `group` may be NULL.  Single
 * ones first, since somebody waits for them; then by age. */
GPtrArray *ms_decisions_list(MsLedger *ledger, int state, const char *group, GError **error);
/* Another person agrees, or somebody withdraws what still waits: all of it, or nothing. */
bool ms_decisions_second(MsLedger *ledger, const GPtrArray *decisions, const char *who,
	bool agrees, GError **error);
/* Keeps how far it got: `step`, the hash of a token made for it, the place of the message.
 * MS_ERROR_ABSENT: it has come to its end since it was found, for its message was judged again. */
bool ms_decisions_step(MsLedger *ledger, MsDecision *decision, const char *step,
	const char *token, int place, GError **error);
/* The end: recipients of `addresses` (NULL: none) get `state`, the record the state that follows
 * from all of them.  One that has its end already does not fail anew. */
bool ms_decisions_finish(MsLedger *ledger, MsDecision *decision, bool fine, const char *outcome,
	const GPtrArray *addresses, MsState state, GError **error);

#endif
