/*
 * Names of actions, reasons, relations and outcomes, and the life of a verdict: what the judge
 * fills (judge.c) and others read.  Plain data of one message; no lock, no state.
 */
#include "config.h"

#include <string.h>

#include "missent/verdict.h"

const char *const ms_action_names[MS_N_ACTIONS + 1] = {"deliver", "tag", "split", "delay", "hold",
	"reject", "tempfail", NULL};
const char *const ms_reason_names[MS_N_REASONS + 1] = {"mismatch", "unproven", "unknown-identifier",
	"unknown-recipient", "routed-recipient", "oversized", "mixed-accounts",
	"exposed-recipients", "contradiction", "unreadable", "directory-unavailable", "salutation",
	"list-attached", "fan-out", "fan-in", "repeat", "unusual", "volume", "breaker",
	"guard-unavailable", NULL};
const char *const ms_outcome_names[MS_N_OUTCOMES + 1] = {"right", "unproven", "unread", "wrong",
	"unknown-recipient", NULL};
const char *const ms_relation_names[] = {"own", "house", "other", "unknown", NULL};

static void reason_free(gpointer data)
{
	MsReason *reason = data;
	g_free(reason->policy);
	g_free(reason->kind);
	g_free(reason->masked);
	g_free(reason->where);
	g_free(reason->owner);
	g_free(reason->recipient);
	g_free(reason->text);
	g_free(reason);
}

MsVerdict *ms_verdict_new(void)
{
	MsVerdict *verdict = g_new0(MsVerdict, 1);
	verdict->policies = g_ptr_array_new_with_free_func(g_free);
	verdict->unsure = g_ptr_array_new_with_free_func(g_free);
	verdict->reasons = g_ptr_array_new_with_free_func(reason_free);
	verdict->withheld = g_byte_array_new();
	verdict->outcomes = g_byte_array_new();
	return verdict;
}

void ms_verdict_free(MsVerdict *verdict)
{
	if (verdict == NULL)
		return;
	g_ptr_array_unref(verdict->policies);
	g_ptr_array_unref(verdict->unsure);
	g_ptr_array_unref(verdict->reasons);
	g_byte_array_unref(verdict->withheld);
	g_byte_array_unref(verdict->outcomes);
	g_free(verdict);
}

bool ms_verdict_is_observed(const MsVerdict *verdict)
{
	return verdict->action <= MS_TAG && verdict->would >= MS_SPLIT;
}

void ms_verdict_unsplit(MsVerdict *verdict)
{
	if (verdict->action == MS_SPLIT) {
		verdict->action = MS_HOLD;
		verdict->would = MAX(verdict->would, MS_HOLD);
	}
	if (verdict->would == MS_SPLIT)
		verdict->would = MS_HOLD;
	if (verdict->then == MS_SPLIT)
		verdict->then = MS_HOLD;
}

void ms_verdict_pause(MsVerdict *verdict)
{
	verdict->action = verdict->then = MS_DELIVER;
	verdict->paused = true;
	memset(verdict->withheld->data, 0, verdict->withheld->len);
	for (guint i = 0; i < verdict->reasons->len; i++)
		((MsReason *)verdict->reasons->pdata[i])->enforced = false;
}

static char *codes_of(const MsVerdict *verdict, MsAction at_least, bool enforced)
{
	bool seen[MS_N_REASONS] = {false};
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < verdict->reasons->len; i++) {
		const MsReason *reason = verdict->reasons->pdata[i];
		if (reason->action < at_least || seen[reason->code] ||
			(enforced && !reason->enforced))
			continue;
		seen[reason->code] = true;
		g_string_append_printf(out, "%s%s", out->len > 0 ? ", " : "",
			ms_reason_names[reason->code]);
	}
	return g_string_free(out, FALSE);
}

char *ms_verdict_codes(const MsVerdict *verdict, MsAction at_least)
{
	return codes_of(verdict, at_least, false);
}

char *ms_verdict_causes(const MsVerdict *verdict, MsAction at_least)
{
	return codes_of(verdict, at_least, true);
}
