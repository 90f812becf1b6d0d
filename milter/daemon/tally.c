/*
 * What became of a message, counted: by the thread that answers for it, with atomic additions.
 */
#include "config.h"

#include "missent/identifier.h"

#include "daemon.h"

static MsNumber number_of(MsConcern concern)
{
	switch (concern) {
	case MS_NOT_OUTGOING_PRIVATE: return MS_NUM_OUT_PRIVATE;
	case MS_NOT_OUTGOING_PUBLIC: return MS_NUM_OUT_PUBLIC;
	case MS_NOT_OUTGOING_AUTHENTICATED: return MS_NUM_OUT_AUTHENTICATED;
	case MS_NOT_OUTGOING_LOCAL: return MS_NUM_OUT_LOCAL;
	case MS_NO_POLICIES: return MS_NUM_NO_POLICIES;
	case MS_NO_POLICY: return MS_NUM_NO_ENVELOPE;
	case MS_CONCERNED: break;
	}
	return MS_NUM_JUDGED;
}

static void without_policy(MsNumbers *numbers, MsNumber cause, const MsEnvelope *envelope)
{
	g_autofree char *valid = g_utf8_make_valid(envelope->sender, -1);
	g_autofree char *masked = *valid != '\0' ? ms_identifier_masked(valid) : g_strdup("<>");
	ms_numbers_add(numbers, cause, 1);
	ms_numbers_top(numbers, MS_TOP_NO_POLICY, masked);
}

void tally_passed(MsNumbers *numbers, MsConcern concern, const MsEnvelope *envelope)
{
	const char *client = envelope->client_address;
	if (concern >= MS_NO_POLICIES) {
		without_policy(numbers, number_of(concern), envelope);
		return;
	}
	ms_numbers_add(numbers, number_of(concern), 1);
	ms_numbers_top(numbers, MS_TOP_OUT, client != NULL ? client : "this host");
}

/* The strictest action of each policy that applied. */
static void tally_policies(MsNumbers *numbers, const MsVerdict *verdict)
{
	for (guint i = 0; i < verdict->policies->len; i++) {
		const char *title = verdict->policies->pdata[i];
		MsAction action = MS_DELIVER;
		for (guint r = 0; r < verdict->reasons->len; r++) {
			const MsReason *reason = verdict->reasons->pdata[r];
			if (g_strcmp0(reason->policy, title) == 0)
				action = MAX(action, reason->action);
		}
		ms_numbers_policy(numbers, title, action);
	}
}

static void tally_reasons(MsNumbers *numbers, const MsVerdict *verdict)
{
	bool seen[MS_N_REASONS] = {false};
	for (guint i = 0; i < verdict->reasons->len; i++)
		seen[((MsReason *)verdict->reasons->pdata[i])->code] = true;
	for (guint i = 0; i < MS_N_REASONS; i++)
		ms_numbers_add(numbers, (MsNumber)(MS_NUM_REASON + i), seen[i]);
}

void tally_judged(MsNumbers *numbers, const MsEnvelope *envelope, const MsJudgement *judgement)
{
	const MsVerdict *verdict = judgement->verdict;
	ms_numbers_add(numbers, MS_NUM_JUDGED, 1);
	ms_numbers_add(numbers, (MsNumber)(MS_NUM_ACTION + (int)verdict->action), 1);
	ms_numbers_add(numbers, (MsNumber)(MS_NUM_WOULD + (int)verdict->would), 1);
	ms_numbers_add(numbers, MS_NUM_UNREAD_MESSAGES, judgement->reading->unread->len > 0);
	ms_numbers_add(numbers, MS_NUM_UNSURE_MESSAGES, verdict->unsure->len > 0);
	ms_numbers_add(
		numbers, MS_NUM_PAUSED_DELIVERED, verdict->paused && verdict->would > MS_TAG);
	if (verdict->policies->len == 0)
		without_policy(numbers, MS_NUM_NO_CONTENT, envelope);
	tally_policies(numbers, verdict);
	tally_reasons(numbers, verdict);
	ms_numbers_time(numbers, MS_STAGE_READ, judgement->read_us);
	ms_numbers_time(numbers, MS_STAGE_RESOLVE, judgement->resolve_us);
	ms_numbers_time(numbers, MS_STAGE_JUDGE, judgement->judge_us);
}
