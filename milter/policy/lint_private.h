/* Shared by the checks of policies.  A check looks at a subject, or at all of them, and tells
 * through the lint. */
#ifndef MISSENT_POLICY_LINT_PRIVATE_H
#define MISSENT_POLICY_LINT_PRIVATE_H

#include "missent/config.h"
#include "missent/policylint.h"

#include "policy_private.h"

/* A block of a file: a policy, or a kind. */
typedef struct {
	const MsSection *section;
	const char *file, *text; /* text: the whole file, for lines of single values */
	MsPolicy *policy;        /* NULL: a kind */
	const MsKind *kind;      /* NULL: a policy, or a kind that could not be loaded */
	bool shadowed;           /* said already: another one does all that it does */
} Subject;

typedef struct {
	const MsLintOptions *options;
	const MsKinds *kinds;  /* NULL: they cannot be loaded */
	const MsPolicySet *set;
	GPtrArray *policies;   /* of Subject: those that could be loaded, in their order */
	GPtrArray *defined;    /* of Subject: kinds */
	GPtrArray *findings;
	GHashTable *told;      /* check, file and title: how often */
	const MsLintRow *row;  /* of the check that looks now */
} Lint;

/* With the weight of the row, at the line of `key`, or of `value` in its list (NULL: the key's
 * or block's). */
void lint_tell(Lint *lint, const Subject *s, const char *key, const char *value, const char *remedy,
	const char *format, ...) G_GNUC_PRINTF(6, 7);
/* At a place that is no block's. */
void lint_tell_at(Lint *lint, const char *file, int line, const char *about, const char *remedy,
	const char *format, ...) G_GNUC_PRINTF(6, 7);
/* Does the policy look at customers' identifiers? */
static inline bool lint_looks(const Subject *s)
{
	return !ms_policy_ignores_customers(s->policy);
}

/* ---- checks of one policy (lint_one.c) ---- */
/* Has the policy what that reason needs before it can come about? */
bool lint_can_come(const Subject *s, MsReasonCode code);
void lint_does_nothing(Lint *lint, Subject *s);
void lint_dead_limits(Lint *lint, Subject *s);
void lint_dead_actions(Lint *lint, Subject *s);
void lint_dead_beliefs(Lint *lint, Subject *s);
void lint_require(Lint *lint, Subject *s);
void lint_limits(Lint *lint, Subject *s);
void lint_mismatch(Lint *lint, Subject *s);
void lint_mismatch_tagged(Lint *lint, Subject *s);
void lint_unchecked(Lint *lint, Subject *s);
void lint_then_deliver(Lint *lint, Subject *s);
void lint_tolerates(Lint *lint, Subject *s);
void lint_guard_off(Lint *lint, Subject *s);

/* ---- what a policy applies to (lint_applies.c) ---- */
void lint_twice(Lint *lint, Subject *s);
void lint_broad_senders(Lint *lint, Subject *s);
void lint_below_alone(Lint *lint, Subject *s);
void lint_broad_networks(Lint *lint, Subject *s);
void lint_attachments(Lint *lint, Subject *s);
void lint_header_names(Lint *lint, Subject *s);
void lint_never_outgoing(Lint *lint, Subject *s);
void lint_mistyped_senders(Lint *lint, Subject *s);
void lint_never_seen(Lint *lint, Subject *s);
void lint_outgoing(Lint *lint);
void lint_not_read(Lint *lint);
void lint_for_nobody(Lint *lint);
/* All that the glob `b` matches, `a` matches too, of senders as they are written; else maybe
 * not. */
bool lint_sender_covers(const char *a, const char *b);

/* Does the value `a` of a condition fit all that `b` fits?  One a condition. */
typedef bool (*LintCovers)(const char *a, const char *b);
extern const LintCovers lint_covers[MS_N_CONDITIONS];
/* More comparisons than these are not made: then only what is written alike is known to be
 * covered. */
#define LINT_PAIRS 20000

/* ---- conditions that do not go together (lint_conditions.c) ---- */
void lint_contradictions(Lint *lint, Subject *s);
void lint_always(Lint *lint, Subject *s);
void lint_unasked(Lint *lint, Subject *s);
void lint_unused(Lint *lint);
/* Of those conditions on header fields that have patterns: the n-th that the policy has, and
 * its key; NULL: no more. */
const MsAsk *lint_header_ask(const Subject *s, guint n, const char **key_out);
/* What a condition or its twin lists, as it is written. */
const char *const *lint_listed(const Subject *s, MsCondition what, bool negated);

/* ---- two policies (lint_pairs.c) ---- */
void lint_shadowed(Lint *lint, Subject *s);
void lint_weaker(Lint *lint, Subject *s);

/* ---- patterns and kinds (lint_patterns.c) ---- */
void lint_patterns_empty(Lint *lint, Subject *s);
void lint_patterns_everything(Lint *lint, Subject *s);
void lint_patterns_run_away(Lint *lint, Subject *s);
void lint_kind_empty(Lint *lint, Subject *s);
void lint_kind_everything(Lint *lint, Subject *s);
void lint_kind_runs_away(Lint *lint, Subject *s);
void lint_kind_lengths(Lint *lint, Subject *s);
void lint_kind_labels(Lint *lint, Subject *s);
void lint_names(Lint *lint);

#endif
