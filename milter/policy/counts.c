/*
 * The second half of the judgement: what the guard counted (guard.h) becomes reasons of the
 * policies that applied.  Pure functions of their arguments.
 */
#include "config.h"

#include <string.h>

#include "missent/text.h"

#include "policy_private.h"

/* What each of the guard's alarms is to a policy. */
static const MsReasonCode codes[MS_N_GUARD] = {
	[MS_GUARD_FAN_OUT] = MS_FAN_OUT,
	[MS_GUARD_FAN_IN] = MS_FAN_IN,
	[MS_GUARD_NAMES] = MS_FAN_IN,
	[MS_GUARD_REPEAT] = MS_REPEAT,
	[MS_GUARD_SPLIT] = MS_OVERSIZED,
	[MS_GUARD_UNUSUAL] = MS_UNUSUAL,
	[MS_GUARD_VOLUME] = MS_VOLUME,
	[MS_GUARD_CREEP] = MS_VOLUME,
	[MS_GUARD_BREAKER] = MS_BREAKER,
};

bool ms_policy_is_counted(MsReasonCode code)
{
	if (code == MS_OVERSIZED)
		return false;
	for (gsize i = 0; i < G_N_ELEMENTS(codes); i++)
		if (codes[i] == code)
			return true;
	return code == MS_GUARD_UNAVAILABLE;
}

/* Whatever a policy does for them: a stream of such mail goes wrong. */
static bool is_bad(const MsVerdict *verdict, const MsPolicy *policy)
{
	static const MsReasonCode bad[] = {MS_MISMATCH, MS_MIXED_ACCOUNTS, MS_CONTRADICTION,
		MS_LIST_ATTACHED, MS_EXPOSED_RECIPIENTS};
	for (guint i = 0; i < verdict->reasons->len; i++) {
		const MsReason *r = verdict->reasons->pdata[i];
		if (r->action < MS_TAG || strcmp(r->policy, policy->title) != 0)
			continue;
		for (gsize k = 0; k < G_N_ELEMENTS(bad); k++)
			if (r->code == bad[k])
				return true;
	}
	return false;
}

/* The unusual counts for the breaker even where it is only observed. */
static bool minds(const MsPolicy *policy, MsGuardWhat what)
{
	return what == MS_GUARD_UNUSUAL || policy->on[codes[what]] >= MS_TAG;
}

guint ms_policy_streams(const MsPolicies *policies, const MsVerdict *verdict,
	MsGuardStream streams_out[MS_GUARD_STREAMS])
{
	guint n = 0;
	for (guint i = 0; i < verdict->policies->len && n < MS_GUARD_STREAMS; i++) {
		const MsPolicy *policy = ms_policy_find(policies, verdict->policies->pdata[i]);
		if (policy == NULL)
			continue;
		MsGuardStream *s = &streams_out[n++];
		*s = (MsGuardStream){.policy = policy->title,
			.kinds = policy->kinds,
			.counts_customers = !ms_policy_ignores_customers(policy),
			.bad = is_bad(verdict, policy),
			.max_recipients = policy->on[MS_OVERSIZED] >= MS_TAG
				? policy->max_recipients
				: -1};
		for (int what = 0; what < MS_N_GUARD; what++) {
			s->minds |= minds(policy, (MsGuardWhat)what) ? 1U << what : 0;
			s->holds |= policy->enforced && policy->on[codes[what]] > MS_TAG
				? 1U << what
				: 0;
		}
	}
	return n;
}

/* ---- words ---------------------------------------------------------------------------- */

static char *words_of(const MsGuardAlarm *a, const MsReading *reading)
{
	const char *kind = a->finding >= 0
		? ((MsFinding *)reading->findings->pdata[a->finding])->kind
		: NULL;
	g_autofree char *since = ms_text_time(
		a->since * G_USEC_PER_SEC, MS_ZONE_UTC, MS_TIME_DAY);
	switch (a->what) {
	case MS_GUARD_FAN_OUT:
		return kind != NULL
			? g_strdup_printf(
				  "%s that would have gone to %u addresses in %u domains lately",
				  kind, a->count, a->other)
			: g_strdup_printf(
				  "a document that would have gone to %u addresses in %u domains lately",
				  a->count, a->other);
	case MS_GUARD_FAN_IN:
		return g_strdup_printf(
			"the recipient would have got %s of %u customers lately, at most %u are usual",
			kind != NULL ? kind : "identifiers", a->count, a->limit);
	case MS_GUARD_NAMES:
		return g_strdup_printf(
			"mail to this recipient alone would have greeted %u different people lately, at "
			"most %u are usual",
			a->count, a->limit);
	case MS_GUARD_REPEAT:
		return g_strdup_printf(
			"the same message to the same recipient for the %u. time lately, at most %u are allowed",
			a->count, a->limit);
	case MS_GUARD_SPLIT:
		return g_strdup_printf(
			"%u recipients of one message in several transactions, at most %u are allowed",
			a->count, a->limit);
	case MS_GUARD_UNUSUAL:
		return g_strdup_printf(
			"%s that went %u times to others since %s, never to this recipient, who got others' %u "
			"times",
			kind, a->count, since, a->other);
	case MS_GUARD_VOLUME:
		return g_strdup_printf(
			"%u messages of this sender in one hour, the most before were %u", a->count,
			a->limit);
	case MS_GUARD_CREEP:
		return g_strdup_printf(
			"%u recipients of one message of this sender, the most before were %u",
			a->count, a->limit);
	case MS_GUARD_BREAKER:
		return a->since == 0
			? g_strdup("mail of this sender was stopped when that was last known (see missent "
				   "guard status)")
			: g_strdup_printf(
				  "mail of this sender is stopped: %u of its last messages were wrong (see "
				  "missent guard status)",
				  a->count);
	case MS_N_GUARD: break;
	}
	return g_strdup("");
}

/* ---- judging -------------------------------------------------------------------------- */

/* A policy that comes after as many has no stream: nothing was counted for it alone. */
#define WITHOUT_STREAM \
	"the guard counts for the first " G_STRINGIFY(MS_GUARD_STREAMS) " policies of a message"

typedef struct {
	const MsEnvelope *envelope;
	const MsReading *reading;
	const MsResolution *resolution;
	const MsGuardCounts *counts;
	MsAdding adding;
	guint stream; /* the policy's */
} Counting;

static bool concerns(const Counting *c, const MsGuardAlarm *a)
{
	const MsPolicy *policy = c->adding.policy;
	if (a->stream >= 0)
		return (guint)a->stream == c->stream;
	if (a->what == MS_GUARD_REPEAT)
		return true;
	if (ms_policy_ignores_customers(policy))
		return false;
	const MsFinding *f = a->finding >= 0 ? c->reading->findings->pdata[a->finding] : NULL;
	return f == NULL || g_hash_table_size(policy->kinds) == 0 ||
		g_hash_table_contains(policy->kinds, f->kind);
}

static void judge_alarm(Counting *c, const MsGuardAlarm *a)
{
	if (!concerns(c, a) || !ms_adding_count(&c->adding, codes[a->what]))
		return;
	MsReason *reason = ms_adding_keep(&c->adding, codes[a->what], words_of(a, c->reading));
	if (a->finding >= 0)
		ms_reason_about(reason, c->reading->findings->pdata[a->finding], c->resolution,
			(guint)a->finding);
	if (a->recipient >= 0) {
		reason->recipient = g_strdup(c->envelope->recipients->pdata[a->recipient]);
		reason->recipients = 1;
	}
}

static void judge_policy(Counting *c, const char *trouble)
{
	for (guint i = 0; c->counts != NULL && i < c->counts->alarms->len; i++)
		judge_alarm(c, &g_array_index(c->counts->alarms, MsGuardAlarm, i));
	if (trouble != NULL && ms_adding_count(&c->adding, MS_GUARD_UNAVAILABLE))
		ms_adding_keep(&c->adding, MS_GUARD_UNAVAILABLE, g_strdup(trouble));
}

void ms_policy_judge_counts(const MsPolicies *policies, const MsEnvelope *envelope,
	const MsReading *reading, const MsResolution *resolution, const MsGuardCounts *counts,
	const char *trouble, MsVerdict *verdict)
{
	guint stream = 0;
	bool over = resolution != NULL && ms_resolution_over(resolution) != NULL;
	for (guint i = 0; i < verdict->policies->len; i++) {
		Counting c = {envelope, reading, over ? NULL : resolution, counts,
			{.policy = ms_policy_find(policies, verdict->policies->pdata[i]),
				.verdict = verdict},
			stream};
		if (c.adding.policy == NULL)
			continue;
		bool counted = counts == NULL || stream++ < MS_GUARD_STREAMS;
		judge_policy(&c, trouble != NULL || counted ? trouble : WITHOUT_STREAM);
	}
	ms_verdict_sort(verdict);
}
