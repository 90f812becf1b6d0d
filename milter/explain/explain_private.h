/* Shared by the files of explain/. */
#ifndef MISSENT_EXPLAIN_PRIVATE_H
#define MISSENT_EXPLAIN_PRIVATE_H

#include <jansson.h>

#include "missent/explain.h"

/* ---- suppose.c: the same message, judged as if ------------------------------------------ */

typedef struct Supposing Supposing;
/* NULL: the directory cannot be asked. */
Supposing *supposing_new(MsRuntime *runtime, const MsEnvelope *envelope,
	const MsJudgement *judgement, const GPtrArray *counted, GError **error);
void supposing_free(Supposing *supposing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Supposing, supposing_free)
/* Is it a change at all? */
bool supposing_matters(const Supposing *supposing, const MsSuppose *row);
MsAction supposing_judge(const Supposing *supposing, const MsSuppose *rows, guint n_rows,
	const MsPolicyChange *changes, guint n_changes);

/* ---- candidates.c: single changes that have to do with a verdict ------------------------- */

typedef struct {
	bool is_row;
	MsSuppose row;          /* points into `own` */
	MsPolicyChange setting; /* the same */
	char *own[3];
} Candidate;
/* Of Candidate, those first that are usual; at most MS_EXPLAIN_CANDIDATES, `*more_out`: there
 * are more. */
GPtrArray *candidates_of(const Supposing *supposing, MsRuntime *runtime, const MsEnvelope *envelope,
	const MsJudgement *judgement, const GPtrArray *counted, bool *more_out);

/* ---- search.c --------------------------------------------------------------------------- */

json_t *search_changes(MsRuntime *runtime, const MsEnvelope *envelope, const MsJudgement *judgement,
	const MsExplainWish *wish);

/* ---- explain.c -------------------------------------------------------------------------- */

json_t *explain_text(const char *words); /* NULL: null */
/* Of MsReason: those of that policy. */
void explain_reasons(json_t *out, const GPtrArray *reasons, const char *title);
/* The value of an identifier or address, as the wish asks for it. */
char *explain_value(const MsExplainWish *wish, const char *value);

#endif
