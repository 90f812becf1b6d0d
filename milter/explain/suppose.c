/*
 * A judged message comes in, with rows of the mapping and settings that are supposed to be
 * others; out goes what would be done with it then.  The directory is asked once; nothing is
 * written anywhere.  The thread of who asks.
 */
#include "config.h"

#include <string.h>

#include "missent/answer.h"
#include "missent/identifier.h"

#include "explain_private.h"

struct Supposing {
	MsRuntime *runtime;
	const MsEnvelope *envelope;
	const MsJudgement *judgement;
	const GPtrArray *counted; /* of MsReason, or NULL */
	/* all that was found, borrowed, in the order in which it was asked about */
	GPtrArray *findings;
	MsAsked *asked;
};

void supposing_free(Supposing *s)
{
	if (s == NULL)
		return;
	g_ptr_array_unref(s->findings);
	ms_asked_free(s->asked);
	g_free(s);
}

static void add_all(GPtrArray *to, const GPtrArray *from)
{
	for (guint i = 0; i < from->len; i++)
		g_ptr_array_add(to, from->pdata[i]);
}

Supposing *supposing_new(MsRuntime *runtime, const MsEnvelope *envelope,
	const MsJudgement *judgement, const GPtrArray *counted, GError **error)
{
	g_autoptr(Supposing) s = g_new0(Supposing, 1);
	*s = (Supposing){runtime, envelope, judgement, counted, g_ptr_array_new(), NULL};
	/* Those that the judge took out come back where their recipient has no right to them. */
	add_all(s->findings, judgement->reading->findings);
	add_all(s->findings, judgement->reading->dropped);
	g_autoptr(GPtrArray) identifiers = ms_reading_identifiers(s->findings);
	if (ms_directory_ask(ms_runtime_directory(runtime),
		    (const MsIdentifier *const *)identifiers->pdata, identifiers->len,
		    (const char *const *)envelope->recipients->pdata, envelope->recipients->len,
		    ms_policy_greeted(envelope, judgement->reading), &s->asked, error) != MS_FOUND)
		return NULL;
	return g_steal_pointer(&s);
}

bool supposing_matters(const Supposing *supposing, const MsSuppose *row)
{
	return ms_asked_matters(supposing->asked, row);
}

/* What the guard had counted was counted: only what is done for it can change. */
static MsAction for_counts(const Supposing *s, const MsPolicies *policies)
{
	MsAction most = MS_DELIVER;
	for (guint i = 0; s->counted != NULL && i < s->counted->len; i++) {
		const MsReason *r = s->counted->pdata[i];
		most = MAX(most, ms_policies_action(policies, r->policy, r->code));
	}
	return most;
}

static MsAction judge(const Supposing *s, const MsPolicies *policies, MsResolution *resolution)
{
	/* The judge takes findings out of it: of a list of its own. */
	MsReading reading = *s->judgement->reading;
	g_autoptr(GPtrArray) findings = g_ptr_array_sized_new(s->findings->len);
	g_autoptr(GPtrArray) dropped = g_ptr_array_new();
	add_all(findings, s->findings);
	reading.findings = findings;
	reading.dropped = dropped;
	ms_policy_drop_addressed(s->envelope, &reading, resolution);
	g_autoptr(MsVerdict)
		verdict = ms_policy_judge(policies, s->envelope, &reading, resolution, NULL);
	MsAction would = verdict->would;
	if (would == MS_SPLIT && s->judgement->stored < s->envelope->size)
		would = MS_HOLD; /* half a copy is none */
	return MAX(would, for_counts(s, policies));
}

MsAction supposing_judge(const Supposing *s, const MsSuppose *rows, guint n_rows,
	const MsPolicyChange *changes, guint n_changes)
{
	g_autoptr(MsResolution) resolution = ms_asked_resolve(s->asked, rows, n_rows);
	g_autoptr(MsPolicies) policies = n_changes > 0
		? ms_policies_with(ms_runtime_policies(s->runtime), changes, n_changes)
		: NULL;
	return judge(s, policies != NULL ? policies : ms_runtime_policies(s->runtime), resolution);
}
