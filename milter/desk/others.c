/*
 * What a release sends to somebody of whom the judgement says that it is not his.  The page, the
 * API and the shell come by here, before anything is written down: such a recipient was named by
 * a person, or a person said how many there are, or a second person will agree (release-others).
 * And whom a correction of the directory concerns.  In the thread of who asks, or of who carries
 * out.
 */
#include "config.h"

#include <string.h>

#include "missent/answer.h"
#include "missent/clock.h"

#include "desk_private.h"

/* A number is right of all of them, and of those who are not named. */
static bool is_wrong_number(const MsAsk *ask, const MsAskOthers *others)
{
	return ask->others != 0 && ask->others != others->wrong && ask->others != others->unnamed;
}

bool desk_others_confirmed(
	const MsSettings *s, const MsAsk *ask, const MsAskOthers *others, bool *two_out,
	GError **error)
{
	/* Whatever else would let it go: who says another number means something else. */
	if (is_wrong_number(ask, others))
		return desk_fail(error,
			"this would send what belongs to others to %u recipient%s who may not have "
			"it, and --others %u was said; nothing was done",
			others->wrong, others->wrong == 1 ? "" : "s", ask->others);
	if (others->wrong == 0 || ask->by_rule || *two_out)
		return true;
	if (s->desk.others_need_two) {
		*two_out = true;
		return true;
	}
	if (others->unnamed == 0 || ask->others == others->unnamed)
		return true;
	return desk_fail(error,
		"this would send what belongs to others to %u recipient%s who may not have it, in %u "
		"message%s: who decides that says their number, %u (--others %u)",
		others->unnamed, others->unnamed == 1 ? "" : "s", others->messages,
		others->messages == 1 ? "" : "s", others->unnamed, others->unnamed);
}

/* ---- corrections ---------------------------------------------------------------------- */

/* So many are judged again because of one correction; the next correction takes further ones. */
#define MOST_CONCERNED 1000

static MsDecision *rejudging(const MsDecision *correction, const char *uid)
{
	g_autofree char *why = g_strdup_printf("after a correction at another message (%s)",
		ms_verbs[correction->verb].name);
	return desk_decision(MS_VERB_REJUDGE, uid, correction->id, correction->who, why);
}

guint desk_judge_concerned(Desk *desk, const MsDecision *correction, const char *ref,
	const GPtrArray *addresses)
{
	g_autoptr(GPtrArray)
		uids = ms_records_concerned(desk->ledger, ref, addresses, MOST_CONCERNED, NULL);
	g_autoptr(GPtrArray)
		list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_decision_free);
	for (guint i = 0; uids != NULL && i < uids->len; i++)
		if (strcmp(uids->pdata[i], correction->uid) != 0)
			g_ptr_array_add(list, rejudging(correction, uids->pdata[i]));
	if (list->len == 0 || !ms_decisions_add(desk->ledger, list, NULL))
		return 0;
	if (desk_leaves_work(desk->of)) {
		ms_desk_wake(desk->of);
		return list->len;
	}
	for (guint i = 0; i < list->len; i++) /* a shell's: nobody else does it */
		desk_carry_out(desk, list->pdata[i]);
	return list->len;
}
