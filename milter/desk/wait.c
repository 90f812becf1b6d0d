/*
 * Mail that waits (action delay): judged again by the directory and the policies as they are now,
 * when either has changed, and when its time is over.  What nothing is against any more is
 * released, by a decision as a reviewer takes it; what is not to go by the end of its time is held
 * from then on.  Records that wait come in, once a second, in the thread of ms_desk_tick(), under
 * its lock; decisions and settled records go out.
 *
 * Nothing is let go by a clock alone but what a policy says is to be, and nothing that could not be
 * judged: that waits on, and is held when it lasts.  How much of its time is over is told by the
 * steady clock where this process saw it begin; from before, by the wall clock, of which what it
 * went ahead of itself does not count (clock.c): it ends late rather than early.  A step that was
 * interrupted is done again: until there is a decision, or the record is settled, it still waits.
 * A release that the MTA could not do now is tried again, less and less often, for as long as what
 * cannot be judged waits on: nobody looks at its outcome.
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/clock.h"

#include "desk_private.h"

#define TURN_US ((gint64)G_USEC_PER_SEC) /* of one turn; then decisions are carried out */
#define PAUSE_US (5 * (gint64)G_USEC_PER_SEC)
#define MOST_PAUSE_US (5 * 60 * (gint64)G_USEC_PER_SEC)

/* One of them, as this process knows it; by the steady clock. */
typedef struct {
	gint64 ends;  /* its time is over */
	gint64 next;  /* it is not looked at before */
	guint failed; /* times in a row that it could not be judged */
	char *seen;   /* by what it was judged last; NULL: not by this process */
} Wait;

static void wait_free(gpointer data)
{
	Wait *w = data;
	g_free(w->seen);
	g_free(w);
}

/* ---- what it is now --------------------------------------------------------------------- */

typedef struct {
	MsAction action; /* by the policies of now; those that it waits for count as enforced */
	MsAction then;   /* what they do when it has waited */
	char *why;       /* what is against it, or why it could not be judged */
	bool judged;
	GPtrArray *to;   /* of char *, borrowed from the record: those who may have it; NULL: all */
	MsRecord *again; /* its recipients, judged anew */
} Look;

static void look_clear(Look *look)
{
	g_free(look->why);
	g_clear_pointer(&look->to, g_ptr_array_unref);
	ms_record_free(look->again);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Look, look_clear)

static bool is_there(const MsPolicies *policies, const char *title)
{
	bool enforced;
	for (guint i = 0; i < ms_policies_count(policies); i++)
		if (strcmp(ms_policies_nth(policies, i, &enforced), title) == 0)
			return true;
	return false;
}

/* Did it come in while that policy was enforced, and had it something against it? */
static bool was_enforced(const MsRecord *record, const char *policy)
{
	for (guint i = 0; i < record->reasons->len; i++) {
		const MsReason *r = record->reasons->pdata[i];
		if (r->enforced && r->action > MS_TAG && strcmp(r->policy, policy) == 0)
			return true;
	}
	return false;
}

/* What the guard counted when it came in, and counts no second time: a list that a client split,
 * too. */
static bool is_counted(MsReasonCode code)
{
	return code == MS_OVERSIZED || ms_policy_is_counted(code);
}

static void raise_to(Look *look, MsAction action, bool delivers)
{
	look->action = MAX(look->action, action);
	look->then = MAX(look->then, ms_action_then(action, delivers));
}

/* A policy may observe again by now, or on this host; what it made wait goes when it lets it go. */
static void weigh_observing(Look *look, const MsRecord *record, const MsVerdict *v)
{
	for (guint i = 0; i < v->reasons->len; i++) {
		const MsReason *r = v->reasons->pdata[i];
		if (!r->enforced && r->action > MS_TAG && was_enforced(record, r->policy))
			raise_to(look, r->action == MS_SPLIT ? MS_HOLD : r->action, false);
	}
}

static void weigh_past(Look *look, const MsRecord *record, const MsPolicies *policies)
{
	for (guint i = 0; i < record->reasons->len; i++) {
		const MsReason *r = record->reasons->pdata[i];
		bool then = false;
		if (!r->enforced || r->action <= MS_TAG)
			continue;
		/* Whatever a policy asked for that is no more, nobody asks now. */
		MsAction action = ms_policies_doing(policies, r->policy, r->code, &then);
		if (!is_there(policies, r->policy))
			raise_to(look, MS_HOLD, false);
		else if (is_counted(r->code))
			raise_to(look, action, then);
	}
}

/* Who is not kept from it by a split; none where all may have it. */
static void take_recipients(Look *look, const MsRecord *record, const MsVerdict *v)
{
	look->to = g_ptr_array_new();
	for (guint i = 0; i < record->recipients->len && i < v->withheld->len; i++) {
		const MsHeldRecipient *to = record->recipients->pdata[i];
		if (!v->withheld->data[i] && to->state == MS_STATE_HELD)
			g_ptr_array_add(look->to, to->address);
	}
	if (look->to->len == 0)
		look->then = MS_HOLD;
}

static void weigh(Desk *desk, const MsRecord *record, const MsJudgement *judgement, Look *out)
{
	const MsVerdict *v = judgement->verdict;
	const MsPolicies *policies = ms_runtime_policies(desk->runtime);
	g_autoptr(MsEnvelope) envelope = desk_envelope(record);
	out->judged = v->action != MS_TEMPFAIL;
	out->action = v->policies->len > 0 ? v->action : MS_HOLD;
	out->then = v->policies->len > 0 ? v->then : MS_HOLD;
	weigh_observing(out, record, v);
	weigh_past(out, record, policies);
	out->why = ms_verdict_codes(v, MS_SPLIT);
	out->again = ms_engine_record(desk->runtime, envelope, judgement, record->digest);
	if (out->then == MS_SPLIT)
		take_recipients(out, record, v);
	if (*out->why == '\0' && out->action > MS_TAG) {
		g_free(out->why);
		out->why = g_strdup(
			v->policies->len == 0 ? "no policy of today is for it" : record->codes);
	}
}

static void look_at(Desk *desk, const MsRecord *record, Look *out)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsJudgement) judgement = NULL;
	int fd = desk_open_message(desk, record, &error);
	bool fine = fd >= 0 && desk_judge(desk, record, fd, &judgement, &error);
	if (fd >= 0)
		close(fd);
	if (fine && judgement->resolution != NULL)
		weigh(desk, record, judgement, out);
	else
		out->why = g_strdup(!fine                    ? error->message
				: judgement->trouble != NULL ? judgement->trouble
							     : "the directory cannot be asked now");
}

/* ---- what becomes of it ----------------------------------------------------------------- */

static bool tell(Desk *desk, const MsRecord *record, const char *became)
{
	bool fine = desk_audit(desk, DESK_CLOCK, MS_EVENT_WAIT_OVER, record->uid, became, NULL);
	desk_point("wait told");
	return fine;
}

/* From now on it is one of those that people decide on. */
static bool settle(Desk *desk, const MsRecord *record, const Look *look, const char *why)
{
	g_autofree char *became = g_strdup_printf("held: %s", why);
	g_autofree char *cause = look->again != NULL ? ms_engine_cause_again(look->again) : NULL;
	bool fine = tell(desk, record, became) &&
		ms_records_settle(desk->ledger, record,
			look->again != NULL ? look->again->recipients : NULL, cause, DESK_CLOCK,
			why, NULL);
	desk_point("wait settled");
	return fine;
}

static bool settle_unreleased(
	Desk *desk, const MsRecord *record, const Look *look, const char *why)
{
	g_autofree char *no = g_strdup_printf("it could be released, and was not: %s", why);
	return settle(desk, record, look, no);
}

static bool is_of_clock(const MsDecision *d)
{
	return d->verb == MS_VERB_RELEASE && strcmp(d->who, DESK_CLOCK) == 0;
}

bool desk_waits_on(const MsDecision *decision, const GError *why)
{
	return is_of_clock(decision) && g_error_matches(why, MS_ERROR, MS_ERROR_RETRY);
}

/* How often it was released, and since when; the last outcome. */
static guint releases(const MsRecord *record, gint64 *since_out, const char **outcome_out)
{
	guint n = 0;
	*since_out = ms_clock_now();
	*outcome_out = "";
	for (guint i = 0; i < record->decisions->len; i++) {
		const MsDecision *d = record->decisions->pdata[i];
		if (!is_of_clock(d))
			continue;
		n++;
		*since_out = MIN(*since_out, d->at);
		*outcome_out = d->outcome;
	}
	return n;
}

static bool release(Desk *desk, const MsRecord *record, const Look *look, const char *why)
{
	g_autoptr(GError) error = NULL;
	gint64 since;
	const char *outcome;
	g_autoptr(GPtrArray) uids = g_ptr_array_new();
	g_autofree char *became = g_strdup_printf("released: %s", why);
	g_autoptr(MsRecord) now = ms_records_find(desk->ledger, record->uid, NULL);
	if (now == NULL || now->due == 0)
		return true; /* somebody decided while we judged */
	if (releases(now, &since, &outcome) > 0 &&
		ms_clock_now() - since >= desk->settings->desk.delay_patience_ms * 1000)
		return settle_unreleased(desk, record, look, outcome);
	g_ptr_array_add(uids, record->uid);
	MsAsk ask = {.verb = MS_VERB_RELEASE,
		.uids = uids,
		.recipients = look->to,
		.who = DESK_CLOCK,
		.why = why,
		.by_rule = true,
		.of_wait = true,
		/* Who carries out is who calls us. */
		.later = desk_leaves_work(desk->of)};
	if (!tell(desk, record, became) ||
		!ms_records_rejudge(
			desk->ledger, record, look->again->recipients, DESK_CLOCK, "", NULL))
		return false;
	desk_point("wait judged");
	g_autoptr(GPtrArray) done = ms_desk_decide(desk->of, &ask, &error);
	if (done != NULL)
		return true;
	return settle_unreleased(desk, record, look, error->message);
}

/* It could not be judged. */
static bool wait_on(Desk *desk, const MsRecord *record, Wait *w, const Look *look, gint64 now)
{
	w->failed++;
	w->next = now + MIN(PAUSE_US << MIN(w->failed, 10u), MOST_PAUSE_US);
	if (now < w->ends + desk->settings->desk.delay_patience_ms * 1000)
		return true;
	g_autofree char *why = g_strdup_printf(
		"it waited, and could not be judged again: %s", look->why);
	return settle(desk, record, look, why);
}

/* Before its time is over only what nothing is against: what is wrong now may soon be right. */
static bool conclude(Desk *desk, const MsRecord *record, const Look *look, bool due)
{
	g_autofree char *why = g_strdup_printf("it waited, and still: %s", look->why);
	if (look->action <= MS_TAG)
		return release(desk, record, look,
			"it waited; judged again, nothing is against it any more");
	if (!due)
		return true;
	if (look->then == MS_SPLIT)
		return release(desk, record, look, "it waited; judged again, these may have it");
	if (look->then <= MS_TAG)
		return release(desk, record, look,
			"it waited; its policy has it delivered then (then deliver)");
	return settle(desk, record, look, why);
}

static void look_again(Desk *desk, const char *uid, Wait *w, bool due)
{
	g_auto(Look) look = {.action = MS_HOLD, .then = MS_HOLD};
	g_autoptr(MsRecord) record = ms_records_find(desk->ledger, uid, NULL);
	if (record == NULL || record->due == 0)
		return; /* decided on meanwhile */
	look_at(desk, record, &look);
	gint64 now = ms_clock_steady();
	w->next = due ? now + PAUSE_US : MIN(now + PAUSE_US, MAX(w->ends, now));
	if (!look.judged) {
		wait_on(desk, record, w, &look, now);
		return;
	}
	w->failed = 0;
	conclude(desk, record, &look, due);
}

/* ---- when ------------------------------------------------------------------------------- */

/* How much of its time is left by the wall clock, late rather than early. */
static gint64 left_of(const MsWaiting *waiting, gint64 since)
{
	gint64 now = ms_clock_now(), whole = waiting->due - waiting->asked,
	       left = waiting->due - now;
	if (since > waiting->asked)
		left = MAX(left, whole - (now - since)); /* the clock jumped while it waited */
	return CLAMP(left, 0, whole);
}

static Wait *known(Desk *desk, const MsWaiting *waiting)
{
	if (desk->of->waits == NULL)
		desk->of->waits = g_hash_table_new_full(
			g_str_hash, g_str_equal, g_free, wait_free);
	Wait *w = g_hash_table_lookup(desk->of->waits, waiting->uid);
	if (w != NULL)
		return w;
	w = g_new0(Wait, 1);
	w->ends = ms_clock_steady() + left_of(waiting, desk_clock_since(desk));
	g_hash_table_insert(desk->of->waits, g_strdup(waiting->uid), w);
	return w;
}

/* What it is judged by: another word where the mapping, the policies or the kinds have changed.
 * NULL: the directory cannot be asked. */
static char *judged_by(Desk *desk)
{
	MsRuntime *runtime = desk_runtime(desk, NULL);
	MsDirectoryState state = {0};
	if (runtime == NULL)
		return NULL;
	bool up = ms_directory_state(ms_runtime_directory(runtime), &state, NULL) == MS_FOUND;
	char *out = up
		? g_strdup_printf("%s %" G_GINT64_FORMAT " %s %s", state.generation, state.version,
			  ms_runtime_policies_version(runtime), ms_runtime_kinds_version(runtime))
		: NULL;
	ms_directory_state_clear(&state);
	return out;
}

void desk_wait_again(Desk *desk, const MsRecord *record)
{
	gint64 since, now = ms_clock_now(), steady = ms_clock_steady();
	const char *outcome;
	guint n = releases(record, &since, &outcome);
	gint64 pause = MIN(PAUSE_US << MIN(n, 10u), MOST_PAUSE_US);
	const Wait *was = desk->of->waits != NULL
		? g_hash_table_lookup(desk->of->waits, record->uid)
		: NULL;
	/* Of one that another process saw wait nobody knows when its time is over: not yet. */
	gint64 left = was != NULL ? was->ends - steady
				  : desk->settings->desk.delay_patience_ms * 1000;
	left = MAX(left, pause);
	const MsWaiting waiting = {record->uid, now, now + left};
	if (!ms_records_wait_again(desk->ledger, record, now, now + left, NULL))
		return;
	Wait *w = known(desk, &waiting);
	w->ends = steady + left;
	w->next = steady + pause;
	g_clear_pointer(&w->seen, g_free); /* whatever changes till then */
}

static void forget_others(Desk *desk, const GPtrArray *list)
{
	g_autoptr(GHashTable) uids = g_hash_table_new(g_str_hash, g_str_equal);
	GHashTableIter iter;
	gpointer uid;
	for (guint i = 0; i < list->len; i++)
		g_hash_table_add(uids, ((MsWaiting *)list->pdata[i])->uid);
	g_hash_table_iter_init(&iter, desk->of->waits);
	while (g_hash_table_iter_next(&iter, &uid, NULL))
		if (!g_hash_table_contains(uids, uid))
			g_hash_table_iter_remove(&iter);
}

static void look_at_each(Desk *desk, const GPtrArray *list)
{
	g_autofree char *by = judged_by(desk); /* which may load all anew */
	gint64 end = g_get_monotonic_time() + TURN_US;
	for (guint i = 0; i < list->len && g_get_monotonic_time() < end; i++) {
		const MsWaiting *waiting = list->pdata[i];
		Wait *w = known(desk, waiting);
		gint64 now = ms_clock_steady();
		bool due = now >= w->ends, other = by != NULL && g_strcmp0(by, w->seen) != 0;
		if ((!due && !other && w->failed == 0) || now < w->next)
			continue;
		g_free(w->seen);
		w->seen = g_strdup(by);
		look_again(desk, waiting->uid, w, due);
	}
}

void desk_judge_waiting(Desk *desk)
{
	g_autoptr(GPtrArray) list = ms_records_waiting(desk->ledger, NULL);
	if (list == NULL)
		return;
	if (desk->of->waits != NULL)
		forget_others(desk, list);
	if (list->len > 0)
		look_at_each(desk, list);
}
