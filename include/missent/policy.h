/*
 * policy.h - from facts to a verdict.
 *
 * WHAT    Reads the policy files of a directory; says which policies may apply to an envelope;
 *         judges a reading.  ms_policy_judge() is a pure function: same input, same verdict,
 *         unless the purse of judging (resolution.h) runs out.
 * OWNS    MsPolicies owns its policies; immutable.
 * ERRORS  Mistakes in files are MS_ERROR_CONFIG with file, line, key and what is allowed.
 * THREADS Immutable after load.
 * LIMITS  1000 policies.
 * NOT     Carries nothing out, looks nothing up.
 */
#ifndef MISSENT_POLICY_H
#define MISSENT_POLICY_H

#include <glib.h>
#include <stdbool.h>

#include "missent/directory.h"
#include "missent/envelope.h"
#include "missent/guard.h"
#include "missent/reading.h"
#include "missent/settings.h"
#include "missent/verdict.h"

typedef struct MsPolicies MsPolicies;

/* Every file *.conf of `dir` but kinds.conf, with what they include, in the order of their
 * names. */
MsPolicies *ms_policies_load(const char *dir, const MsKinds *kinds, MsMode mode, GError **error);
/* The setting subaddress, beside "+"; before anything is judged. */
void ms_policies_tags(MsPolicies *policies, const char *separators);
/* Every file of which something was taken (policies, what they include, lists) with its place in
 * the folder, as it was when it was read. */
const char *ms_policies_text(const MsPolicies *policies);
/* Are they still as they were when they were read? */
bool ms_policies_current(const MsPolicies *policies);
/* As they stand in the files of `dir`, with what they include and inherit, whatever is wrong
 * with them beyond their rows. */
bool ms_policies_sections(const char *dir,
	void (*each)(const MsSection *policy, const MsRow *rows, void *user), void *user,
	GError **error);
/* One file's text, for tests and tools. */
MsPolicies *ms_policies_parse(const char *file, const char *text, const MsKinds *kinds, MsMode mode,
	GError **error);
void ms_policies_free(MsPolicies *policies);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsPolicies, ms_policies_free)

guint ms_policies_count(const MsPolicies *policies);
/* Title and whether it is enforced; for tools. */
const char *ms_policies_nth(const MsPolicies *policies, guint n, bool *enforced_out);

/* The file and the line that it begins at; borrowed. */
const char *ms_policies_place(const MsPolicies *policies, guint n, int *line_out);
/* The first of its conditions that this message does not meet, in words; NULL: it applies.  The
 * caller's. */
char *ms_policy_why_not(const MsPolicies *policies, guint n, const MsEnvelope *envelope,
	const MsReading *reading, const MsResolution *resolution);
/* Of one that applies: which of its conditions are not known to be met, and why; NULL: all are
 * known. What is not known never takes a policy away.  `resolution` may be NULL.  The caller's. */
char *ms_policy_unsure(const MsPolicies *policies, guint n, const MsEnvelope *envelope,
	const MsReading *reading, const MsResolution *resolution);

/* A test that stands beside policies (missent-policy(5)): a message, its envelope, a mapping of
 * its own, and what is expected.  backtest.h runs it. */
typedef struct {
	char *title, *file;
	int line;
	char *policy; /* it is judged as being under this one, whatever its conditions; or NULL */
	char *from, *user, *client;
	gint64 arrived; /* microseconds since 1970; 0: it is not said */
	char **to, **headers;
	char *text, *path; /* one of the two */
	char **mapping;    /* "account,kind,value" */
	int expect;        /* MsAction, as if all policies were enforced */
	char **reasons;
} MsPolicyTest;
const GPtrArray *ms_policies_tests(const MsPolicies *policies); /* of MsPolicyTest */

/* One setting of one policy, as if it were another.  `key` as in its file: a limit (max-...), an
 * action (on-...), or one word more in tolerate, require.  All is borrowed. */
typedef struct {
	const char *policy, *key, *value;
} MsPolicyChange;
/* The same policies with these changes; it borrows from `policies`, and is freed before them. */
MsPolicies *ms_policies_with(const MsPolicies *policies, const MsPolicyChange *changes, guint n);
/* What the limit `key` of a policy is, -1 for none; what it does for a reason; whether it asks
 * for proof. */
gint64 ms_policies_limit(const MsPolicies *policies, const char *title, const char *key);
MsAction ms_policies_action(const MsPolicies *policies, const char *title, MsReasonCode code);
/* The same, and of a delay whether it is delivered when its time is over. */
MsAction ms_policies_doing(
	const MsPolicies *policies, const char *title, MsReasonCode code, bool *delivers_out);
bool ms_policies_looks_at(const MsPolicies *policies, const char *title, const char *kind);

/* How many domains they are in, as max-domains counts them. */
guint ms_policy_count_domains(const GPtrArray *addresses);

/* Could any policy apply to this envelope, whatever the message says?  If not, it need not be
 * read.  Recipients may still be missing. */
bool ms_policy_may_apply(const MsPolicies *policies, const MsEnvelope *envelope);
/* Could any that is enforced? */
bool ms_policy_may_be_enforced(const MsPolicies *policies, const MsEnvelope *envelope);

/* What reading a message of this envelope may cost: of all policies that may apply to it, the
 * most that any of them allows, where one that says nothing allows what `own` has.  Reading
 * more than one of them asks for leaks nothing; reading less could.  `envelope` NULL: of all
 * policies.  `ocr`: pages that are recognised where a policy wants that and `own` does not. */
void ms_policies_reading(const MsPolicies *policies, const MsEnvelope *envelope,
	const MsLimits *own, guint ocr, MsLimits *out);

/* Takes those addresses out of a reading and its resolution that stand only where the message names
 * its sender and its recipients, and are theirs; they stay in the reading's `dropped`. */
void ms_policy_drop_addressed(
	const MsEnvelope *envelope, MsReading *reading, MsResolution *resolution);

/* `identifiers` are the findings' in order.  `resolution` is NULL when the directory could not be
 * asked; `trouble` then says why.  When the purse runs out the message is unreadable for every
 * policy that was not done with it, whatever it tolerates, and nobody's outcome is right. */
/* The names that are set against those of the recipient's account (canonical, of char *, borrowed);
 * NULL where it goes to several, or greets nobody by name. */
const GPtrArray *ms_policy_greeted(const MsEnvelope *envelope, const MsReading *reading);

MsVerdict *ms_policy_judge(const MsPolicies *policies, const MsEnvelope *envelope,
	const MsReading *reading, MsResolution *resolution, const char *trouble);

/* The second half of the judgement, once it is known what went where lately.  The streams that a
 * verdict's policies make, at most MS_GUARD_STREAMS, as the guard is asked about them; then its
 * counts (NULL: there are none) become reasons, and `trouble`, where it could not be asked; a
 * policy that had no stream is told so. */
guint ms_policy_streams(const MsPolicies *policies, const MsVerdict *verdict,
	MsGuardStream streams_out[MS_GUARD_STREAMS]);
void ms_policy_judge_counts(const MsPolicies *policies, const MsEnvelope *envelope,
	const MsReading *reading, const MsResolution *resolution, const MsGuardCounts *counts,
	const char *trouble, MsVerdict *verdict);
/* Is it the guard's alone?  Of an oversized list that cannot be told. */
bool ms_policy_is_counted(MsReasonCode code);

#endif
