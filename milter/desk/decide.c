/*
 * What is asked, looked at: may it be done, and which decisions are to be written down for it?
 * An ask that was checked (ask.h) comes in, decisions go out, none of which is written yet; under
 * DESK_WRITING, in the thread of who asks.
 */
#include "config.h"

#include <string.h>

#include "missent/answer.h"
#include "missent/clock.h"
#include "missent/text.h"

#include "desk_private.h"

bool desk_is_same_person(const MsSettings *s, const char *a, const char *b)
{
	return ms_person_is(&s->desk.people, a, b);
}

/* To how many recipients this person has let it go already, or returned it for: the rule counts
 * what one person lets out of one message, in however many acts. */
static guint let_go_before(const MsSettings *s, const MsRecord *record, const char *who)
{
	guint n = 0;
	for (guint i = 0; i < record->decisions->len; i++) {
		const MsDecision *d = record->decisions->pdata[i];
		if (!ms_verbs[d->verb].final || d->state == MS_DECISION_WITHDRAWN ||
			d->state == MS_DECISION_FAILED || *d->second != '\0' ||
			!desk_is_same_person(s, d->who, who))
			continue;
		for (const char *p = d->recipients; *p != '\0'; p++)
			n += *p == '\n';
		n += *d->recipients != '\0';
	}
	return n;
}

/* Names the first of `chosen` for whom it is not held, and who was perhaps meant. */
static bool refuse_stranger(const MsRecord *record, const GPtrArray *chosen, GError **error)
{
	g_autoptr(GPtrArray) held = desk_held_for(record, "");
	g_autoptr(GHashTable) known = desk_set(held);
	const char *stranger = "";
	for (guint i = 0; i < chosen->len && *stranger == '\0'; i++)
		if (!g_hash_table_contains(known, chosen->pdata[i]))
			stranger = chosen->pdata[i];
	g_ptr_array_add(held, NULL);
	g_autofree char *field = g_strdup_printf("%s: recipient", record->queue_id);
	return ms_word_refuse(field, stranger, "is not among those for whom it is held",
		(const char *const *)held->pdata, error);
}

/* To how many recipients it goes if it is released so; 0 and an error when it cannot be. */
static guint deliveries(const MsRecord *record, const GPtrArray *chosen, GError **error)
{
	guint n = 0;
	g_autoptr(GHashTable) named = desk_set(chosen);
	for (guint i = 0; i < record->recipients->len; i++) {
		const MsHeldRecipient *to = record->recipients->pdata[i];
		n += to->state == MS_STATE_HELD &&
			(chosen->len == 0 || g_hash_table_contains(named, to->address));
	}
	if (chosen->len > 0 && n < chosen->len) {
		refuse_stranger(record, chosen, error);
		return 0;
	}
	return n;
}

/* Of a message without any, which was adopted, nobody knows which it would have had. */
static bool named_policy(const MsSettings *s, const MsRecord *record)
{
	if (*record->policies == '\0')
		return *s->desk.two_person_policies != NULL;
	g_auto(GStrv) policies = ms_text_list_apart(record->policies, NULL);
	for (int i = 0; policies[i] != NULL; i++)
		if (g_strv_contains(s->desk.two_person_policies, policies[i]))
			return true;
	return false;
}

/* The same queue ID on another host is another message. */
static bool is_here(const MsSettings *s, const MsRecord *record, GError **error)
{
	if (!s->host_given || strcmp(s->host, record->host) == 0)
		return true;
	return desk_fail(
		error, "%s: is held on %s, this is %s", record->queue_id, record->host, s->host);
}

/* A reference that is mistyped is none of it; of one that was judged before records had them, only
 * its message can tell. */
static bool has_identifier(const MsRecord *record, const char *ref, GError **error)
{
	g_autoptr(GPtrArray) refs = g_ptr_array_new();
	for (guint i = 0; i < record->findings->len; i++) {
		const MsHeldFinding *f = record->findings->pdata[i];
		if (f->ref == NULL || *f->ref == '\0' || strcmp(f->ref, ref) == 0)
			return true;
		g_ptr_array_add(refs, f->ref);
	}
	if (refs->len == 0 || refs->len >= MS_HELD_FINDINGS) /* more are not kept */
		return true;
	g_ptr_array_add(refs, NULL);
	g_autofree char *field = g_strdup_printf("%s: identifier", record->queue_id);
	return ms_word_refuse(field, ref, "is none of those that were found in it (held show)",
		(const char *const *)refs->pdata, error);
}

static bool check_record(const MsSettings *s, const MsAsk *ask, const MsRecord *record,
	const GPtrArray *chosen, guint *n_out, GError **error)
{
	const MsVerbRow *verb = &ms_verbs[ask->verb];
	bool final = verb->final;
	if (!is_here(s, record, error))
		return false;
	if ((verb->from & (1u << record->state)) == 0)
		return desk_fail(error, "%s: is %s already", record->queue_id,
			ms_state_names[record->state]);
	if (*record->damaged != '\0' && !verb->of_damaged)
		return desk_fail(error,
			"%s: its record is damaged (%s), so nobody knows what is in it for whom: return "
			"it or delete it",
			record->queue_id, record->damaged);
	if (ask->verb == MS_VERB_MAY_RECEIVE && !desk_check_receivers(record, chosen, error))
		return false;
	if (ask->verb == MS_VERB_BELONGS && !has_identifier(record, ask->identifier, error))
		return false;
	if (ask->of_wait && record->due == 0)
		return desk_fail(error, "%s: does not wait any more", record->queue_id);
	if (ask->rightful && chosen->len == 0)
		return desk_fail(error, "%s: %s", record->queue_id, MS_DESK_NO_RIGHT);
	if (ask->verb == MS_VERB_RETURN && *record->sender == '\0')
		return desk_fail(error,
			"%s: it has no sender to be returned to (a bounce); release or delete it",
			record->queue_id);
	for (guint i = 0; final && i < record->decisions->len; i++) {
		const MsDecision *d = record->decisions->pdata[i];
		if (d->state < MS_DECISION_DONE && ms_verbs[d->verb].final)
			return desk_fail(error,
				"%s: another decision on it is not finished (%s by %s, %s)",
				record->queue_id, ms_verbs[d->verb].name, d->who,
				ms_decision_state_names[d->state]);
	}
	*n_out = final ? deliveries(record, chosen, error) : 1;
	return *n_out > 0 || (*record->damaged != '\0' && (error == NULL || *error == NULL));
}

/* ---- one message ---------------------------------------------------------------------- */

/* What is being put together. */
typedef struct {
	Desk *desk;
	const MsAsk *ask;
	GPtrArray *list; /* of MsDecision */
	GHashTable *seen; /* uids of theirs */
	char *group;
	guint sum; /* recipients, of all messages */
	bool two;  /* a policy asks for a second person */
	MsAskOthers others;
} Making;

MsDecision *desk_decision(
	MsVerb verb, const char *uid, const char *group, const char *who, const char *why)
{
	MsDecision *d = g_new0(MsDecision, 1);
	char **texts[] = {&d->recipients, &d->account, &d->identifier, &d->assignee, &d->second,
		&d->outcome, &d->token, &d->step};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		*texts[i] = g_strdup("");
	d->id = ms_record_name();
	d->uid = g_strdup(uid);
	d->group = g_strdup(group);
	d->verb = verb;
	d->who = g_strdup(who);
	d->why = g_strdup(why != NULL ? why : "");
	d->at = ms_clock_now();
	d->state = MS_DECISION_APPROVED;
	return d;
}

static void set_said(char **place, const char *text)
{
	if (text == NULL)
		return;
	g_free(*place);
	*place = g_strdup(text);
}

/* `n` of the addresses from `first` on; none: all that are held. */
static MsDecision *make_decision(
	const Making *m, const char *uid, const GPtrArray *addresses, guint first, guint n)
{
	const MsAsk *ask = m->ask;
	MsDecision *d = desk_decision(ask->verb, uid, m->group, ask->who, ask->why);
	g_autofree char *id = ask->id != NULL ? g_strdup_printf("%s-%u", ask->id, m->list->len)
					      : NULL;
	g_autoptr(GString) to = g_string_new(NULL);
	for (guint i = first; i < first + n; i++)
		g_string_append_printf(
			to, "%s%s", i > first ? "\n" : "", (char *)addresses->pdata[i]);
	set_said(&d->id, id);
	set_said(&d->recipients, to->str);
	d->rightful = ask->rightful;
	set_said(&d->account, ask->account);
	set_said(&d->identifier, ask->identifier);
	set_said(&d->assignee, ask->assignee);
	return d;
}

/* Will it be submitted, rather than let go by the MTA? */
static bool is_submitted(
	const MsSettings *s, const MsAsk *ask, const MsRecord *record, const GPtrArray *chosen)
{
	if (ask->verb != MS_VERB_RELEASE)
		return false;
	return chosen->len > 0 || record->place == MS_PLACE_SPOOL ||
		(s->sendmail && desk_is_old(s, record));
}

/* More than an MTA takes for one mail become several decisions, each with its own outcome. */
static void add_decisions(Making *m, const MsRecord *record, const GPtrArray *chosen)
{
	const MsSettings *s = m->desk->settings;
	guint most = (guint)s->desk.submit_recipients;
	g_autoptr(GPtrArray) held = desk_held_for(record, "");
	const GPtrArray *to = chosen->len > 0 ? chosen : held;
	if (to->len <= most || !is_submitted(s, m->ask, record, chosen)) {
		g_ptr_array_add(m->list, make_decision(m, record->uid, chosen, 0, chosen->len));
		return;
	}
	for (guint at = 0; at < to->len; at += most)
		g_ptr_array_add(
			m->list, make_decision(m, record->uid, to, at, MIN(most, to->len - at)));
}

/* ---- all of them ---------------------------------------------------------------------- */

static bool add_message(Making *m, const char *uid, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(MsRecord) record = ms_records_find(m->desk->ledger, uid, &why);
	guint n = 0;
	if (record == NULL && why == NULL)
		desk_fail(&why, "%s: there is no record of a held message with this queue ID", uid);
	/* Named twice, by whatever name: decided once, else the second would do what the first
	 * left open. */
	if (record != NULL && !g_hash_table_add(m->seen, g_strdup(record->uid)))
		return true;
	g_autoptr(GPtrArray) right = record != NULL && m->ask->rightful ? ms_record_rightful(record)
									: NULL;
	g_autoptr(GPtrArray) nobody = g_ptr_array_new();
	const GPtrArray *chosen = right != NULL ? right
		: m->ask->recipients != NULL    ? m->ask->recipients
						: nobody;
	if (right != NULL && right->len == 0 && record->state == MS_STATE_HELD &&
		m->ask->uids->len > 1)
		return true; /* left out: the others need not wait for it */
	if (why != NULL || !check_record(m->desk->settings, m->ask, record, chosen, &n, &why)) {
		g_propagate_error(error, g_steal_pointer(&why));
		return false;
	}
	m->sum += n +
		(ms_verbs[m->ask->verb].final
				? let_go_before(m->desk->settings, record, m->ask->who)
				: 0);
	m->two = m->two ||
		((ms_verbs[m->ask->verb].final || ms_verbs[m->ask->verb].corrects) &&
			named_policy(m->desk->settings, record));
	ms_ask_count_others(&m->others, m->ask, record, chosen);
	add_decisions(m, record, chosen);
	return true;
}

GPtrArray *desk_make_decisions(Desk *desk, const MsAsk *ask, GError **error)
{
	g_autoptr(GPtrArray) list =
		g_ptr_array_new_with_free_func((GDestroyNotify)ms_decision_free);
	g_autofree char *group = ask->id != NULL ? g_strdup(ask->id) : ms_record_name();
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	Making m = {.desk = desk, .ask = ask, .list = list, .seen = seen, .group = group};
	for (guint i = 0; i < ask->uids->len; i++)
		if (!add_message(&m, ask->uids->pdata[i], error))
			return NULL;
	if (list->len == 0) {
		desk_fail(error,
			"of none of these messages has anybody a right to all that is in it");
		return NULL;
	}
	if (list->len == 1 && ask->total <= 1)
		*((MsDecision *)list->pdata[0])->group = '\0'; /* one is no group */
	gint64 most = desk->settings->desk.two_person;
	bool two = m.two ||
		(ms_verbs[ask->verb].final && most >= 0 && MAX(m.sum, ask->total) > most) ||
		(ms_verbs[ask->verb].corrects && desk->settings->desk.others_need_two);
	if (!desk_others_confirmed(desk->settings, ask, &m.others, &two, error))
		return NULL;
	for (guint i = 0; two && !ask->by_rule && i < list->len; i++)
		((MsDecision *)list->pdata[i])->state = MS_DECISION_WAITING;
	return g_steal_pointer(&list);
}
