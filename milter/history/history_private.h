/* Shared by who reads lines of the trail for policies. */
#ifndef MISSENT_HISTORY_PRIVATE_H
#define MISSENT_HISTORY_PRIVATE_H

#include <jansson.h>

#include "missent/history.h"
#include "missent/verdict.h"

const char *past_text(const json_t *object, const char *name); /* "" for none */
/* Its verdict was taken back: its sender tries again. */
bool past_undone(const json_t *line);
/* What a policy (NULL: any) does for its reasons in this line, were they enforced;
 * `*enforced_out`: they were. */
MsAction past_action(const json_t *line, const char *policy, bool *enforced_out);
/* "mismatch (customer-number, iban), for wrong": what of that policy (NULL: any) is more than
 * deliver, and what its recipients may get, so that messages whose recipients would get different
 * things are apart.  The caller's. */
char *past_cause(const json_t *line, const char *policy);
/* Is it one of a policy's reasons for which a message would not go? */
bool past_stops(const json_t *line, const char *policy, MsReasonCode code);
bool past_fell_under(const json_t *line, const char *policy);
char *past_day(gint64 time); /* "2026-11-27", local; the caller's */

#endif
