/*
 * explain.h - the story of one verdict, and what would have to change for another.
 *
 * WHAT    Tells of a judged message what was found, whose it is, what each recipient has a right
 *         to, which policies applied and which did not and why, what was left out, and the
 *         smallest sets of changes to the mapping and to settings that give another verdict: each
 *         was judged, none is guessed.
 * OWNS    The story is the caller's (json_decref()).
 * ERRORS  None: where the directory cannot be asked the story says so.
 * THREADS As ms_engine_decide().
 * LIMITS  Of MS_EXPLAIN_FINDINGS findings and MS_EXPLAIN_RECIPIENTS recipients the story tells,
 *         those first that matter to the verdict.  MS_EXPLAIN_CANDIDATES single changes are
 *         tried, by one, two and three, for as long as is wished; "complete" is false where that
 *         was not all.
 * NOT     `mode`, actions made milder where another change would do, kinds that are switched off
 *         and house-recipients are no changes that it proposes: they stop judging instead of
 *         mending.  Counts of the guard stay as they are.  The message is not read anew: what a
 *         new row of the mapping would find in the text beside what was found is not known.
 *
 * {"verdict", "would", "reasons": "mismatch, ...", "now": {...} (only where it was judged before
 * and differs),
 *  "message": {"sender", "recipients", "size", "client", "auth-user", "attached": [...]},
 *  "findings": [{"kind", "identifier", "believed": [...], "count", "places": [...],
 *                "accounts": [...]}],
 *  "recipients": [{"address", "accounts": [...], "outcome", "others": [...], "own": [...]}],
 *  "policies": [{"policy", "file", "line", "applies", "enforced",
 *                "because" (where it does not apply),
 *                "reasons": [{"reason", "action", "text", "identifier", "where", "account",
 *                             "recipient"}]}],
 *  "left-out": [text],
 *  "changes": {"tried", "candidates", "complete", "none" (a text, where there is no set),
 *              "sets": [{"verdict", "changes": [{"text", "command" or "file" and "line",
 *                        "row": {"do", "account", "kind", "value"} or
 *                        "setting": {"policy", "key", "value"}}]}]}}
 */
#ifndef MISSENT_EXPLAIN_H
#define MISSENT_EXPLAIN_H

#include <glib.h>
#include <stdbool.h>

#include "missent/engine.h"
#include "missent/record.h"

#define MS_EXPLAIN_FINDINGS 200
#define MS_EXPLAIN_RECIPIENTS 200
#define MS_EXPLAIN_CANDIDATES 48
#define MS_EXPLAIN_SETS 200 /* told; "more" counts the rest */

/* Stands for an account that is not in the mapping yet. */
#define MS_EXPLAIN_NEW "NEW-ACCOUNT"

typedef struct {
	const char *recipient; /* of him alone; NULL: of all */
	bool reveal;           /* identifiers as they are, else masked */
	gint64 most_us;        /* how long to look for changes; 0: as long as it takes */
	/* of MsReason: what the guard had counted when it was judged first; or NULL */
	const GPtrArray *reasons;
} MsExplainWish;

struct json_t *ms_explain(MsRuntime *runtime, const MsEnvelope *envelope,
	const MsJudgement *judgement, const MsExplainWish *wish);
/* As far as its record tells it; `why` the message itself cannot be read. */
struct json_t *ms_explain_record(
	const MsRecord *record, const MsExplainWish *wish, const char *why);

#endif
