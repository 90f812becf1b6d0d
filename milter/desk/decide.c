#include "config.h"

#include <string.h>

#include "missent/answer.h"

#include "desk_private.h"

/* What is asked, looked at: may it be done, and which decisions are to be written down for it? */

const char *const ms_desk_verbs[] = {"release", "return", "delete", "note", "assign", "belongs",
	"may-receive", "rejudge", NULL};

bool desk_is_same_person(const MsSettings *s, const char *a, const char *b)
{
	return ms_person_is(&s->desk.people, a, b);
}

/* To how many recipients this person has let it go already, or returned it for: the rule counts what
 * one person lets out of one message, in however many acts. */
static guint let_go_before(const MsSettings *s, const MsRecord *record, const char *who)
{
	guint n = 0;
	for (guint i = 0; i < record->decisions->len; i++) {
		const MsDecision *d = record->decisions->pdata[i];
		if (!desk_is_final(d->verb) || d->state == MS_DECISION_WITHDRAWN || d->state == MS_DECISION_FAILED
			|| *d->second != '\0' || !desk_is_same_person(s, d->who, who))
			continue;
		for (const char *p = d->recipients; *p != '\0'; p++)
			n += *p == '\n';
		n += *d->recipients != '\0';
	}
	return n;
}

bool desk_is_final(const char *verb)
{
	return strcmp(verb, "release") == 0 || strcmp(verb, "return") == 0 || strcmp(verb, "delete") == 0;
}

/* To how many recipients it goes if it is released so; 0 and an error when it cannot be. */
static guint deliveries(const MsRecord *record, const GPtrArray *chosen, GError **error)
{
	guint n = 0;
	for (guint i = 0; i < record->recipients->len; i++) {
		const MsHeldRecipient *to = record->recipients->pdata[i];
		n += to->state == MS_STATE_HELD
			&& (chosen->len == 0
				|| g_ptr_array_find_with_equal_func((GPtrArray *)chosen, to->address, g_str_equal, NULL));
	}
	if (chosen->len > 0 && n < chosen->len) {
		desk_fail(error, "%s: not all of the chosen recipients are among those for whom it is held",
			record->queue_id);
		return 0;
	}
	return n;
}

static bool named_policy(const MsSettings *s, const MsRecord *record)
{
	g_auto(GStrv) policies = g_strsplit(record->policies, ", ", -1);
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
	return desk_fail(error, "%s: is held on %s, this is %s", record->queue_id, record->host, s->host);
}

static bool check_record(const MsSettings *s, const MsAsk *ask, const MsRecord *record,
	const GPtrArray *chosen, guint *n_out, GError **error)
{
	bool final = desk_is_final(ask->verb);
	if (!is_here(s, record, error))
		return false;
	if (final && record->state != MS_STATE_HELD)
		return desk_fail(error, "%s: is %s already", record->queue_id, ms_state_names[record->state]);
	if (ask->rightful && chosen->len == 0)
		return desk_fail(error, "%s: %s", record->queue_id, MS_DESK_NO_RIGHT);
	if (final && strcmp(ask->verb, "release") != 0 && chosen->len > 0)
		return desk_fail(error, "only a release can be for some of the recipients");
	if (strcmp(ask->verb, "return") == 0 && *record->sender == '\0')
		return desk_fail(error, "%s: it has no sender to be returned to (a bounce); release or delete it",
			record->queue_id);
	for (guint i = 0; final && i < record->decisions->len; i++) {
		const MsDecision *d = record->decisions->pdata[i];
		if (d->state < MS_DECISION_DONE && desk_is_final(d->verb))
			return desk_fail(error, "%s: another decision on it is not finished (%s by %s, %s)",
				record->queue_id, d->verb, d->who, ms_decision_state_names[d->state]);
	}
	*n_out = final ? deliveries(record, chosen, error) : 1;
	return *n_out > 0;
}

/* ---- one message ---------------------------------------------------------------------- */

/* What is being put together. */
typedef struct {
	MsDesk *desk;
	const MsAsk *ask;
	GPtrArray *list; /* of MsDecision */
	char *group;
	guint sum; /* recipients, of all messages */
	bool two;  /* a policy asks for a second person */
	Others others;
} Making;

/* `n` of the addresses from `first` on; none: all that are held. */
static MsDecision *make_decision(const Making *m, const char *uid, const GPtrArray *addresses, guint first,
	guint n)
{
	const MsAsk *ask = m->ask;
	MsDecision *d = g_new0(MsDecision, 1);
	d->id = ask->id != NULL ? g_strdup_printf("%s-%u", ask->id, m->list->len) : ms_record_name();
	d->uid = g_strdup(uid);
	d->group = g_strdup(m->group);
	d->verb = g_strdup(ask->verb);
	GString *to = g_string_new(NULL);
	for (guint i = first; i < first + n; i++)
		g_string_append_printf(to, "%s%s", i > first ? "\n" : "", (char *)addresses->pdata[i]);
	d->recipients = g_string_free(to, FALSE);
	d->who = g_strdup(ask->who);
	d->second = g_strdup("");
	d->why = g_strdup(ask->why != NULL ? ask->why : "");
	d->outcome = g_strdup(ask->detail != NULL ? ask->detail : "");
	d->token = g_strdup("");
	d->step = g_strdup("");
	d->at = g_get_real_time();
	d->state = MS_DECISION_APPROVED;
	return d;
}

/* Will it be submitted, rather than let go by the MTA? */
static bool is_submitted(const MsSettings *s, const MsAsk *ask, const MsRecord *record, const GPtrArray *chosen)
{
	if (strcmp(ask->verb, "release") != 0)
		return false;
	return chosen->len > 0 || record->place == MS_PLACE_SPOOL || (s->sendmail && desk_is_old(s, record));
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
		g_ptr_array_add(m->list, make_decision(m, record->uid, to, at, MIN(most, to->len - at)));
}

/* ---- all of them ---------------------------------------------------------------------- */

static bool check_ask(const MsAsk *ask, GError **error)
{
	if (!g_strv_contains(ms_desk_verbs, ask->verb))
		return desk_fail(error, "there is no decision \"%s\"", ask->verb);
	if (ask->who == NULL || *ask->who == '\0')
		return desk_fail(error, "nobody is named who decides");
	if (ask->uids->len == 0 || ask->uids->len > MS_DESK_MOST)
		return desk_fail(error, "a decision is about 1 to %d messages", MS_DESK_MOST);
	for (guint i = 0; i < ask->uids->len; i++)
		if (*(const char *)ask->uids->pdata[i] == '\0')
			return desk_fail(error, "the name of a message is empty");
	for (guint i = 0; i < ask->recipients->len; i++)
		if (*(const char *)ask->recipients->pdata[i] == '\0')
			return desk_fail(error, "the address of a recipient is empty");
	bool needs_detail = strcmp(ask->verb, "belongs") == 0 || strcmp(ask->verb, "may-receive") == 0;
	if (needs_detail && (ask->detail == NULL || *ask->detail == '\0'))
		return desk_fail(error, "%s: which account?", ask->verb);
	if (strcmp(ask->verb, "note") == 0 && (ask->why == NULL || *ask->why == '\0'))
		return desk_fail(error, "an empty note");
	return true;
}

static bool add_message(Making *m, const char *uid, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(MsRecord) record = ms_records_find(m->desk->ledger, uid, &why);
	guint n = 0;
	if (record == NULL && why == NULL)
		desk_fail(&why, "%s: there is no record of a held message with this queue ID", uid);
	g_autoptr(GPtrArray) right = record != NULL && m->ask->rightful ? ms_record_rightful(record) : NULL;
	const GPtrArray *chosen = right != NULL ? right : m->ask->recipients;
	if (right != NULL && right->len == 0 && record->state == MS_STATE_HELD && m->ask->uids->len > 1)
		return true; /* left out: the others need not wait for it */
	if (why != NULL || !check_record(m->desk->settings, m->ask, record, chosen, &n, &why)) {
		g_propagate_error(error, g_steal_pointer(&why));
		return false;
	}
	m->sum += n + (desk_is_final(m->ask->verb) ? let_go_before(m->desk->settings, record, m->ask->who) : 0);
	m->two = m->two || (desk_is_final(m->ask->verb) && named_policy(m->desk->settings, record));
	desk_count_others(&m->others, m->ask, record, chosen);
	add_decisions(m, record, chosen);
	return true;
}

GPtrArray *desk_make_decisions(MsDesk *desk, const MsAsk *ask, GError **error)
{
	g_autoptr(GPtrArray) list =
		g_ptr_array_new_with_free_func((GDestroyNotify)ms_decision_free);
	g_autofree char *group = ask->id != NULL ? g_strdup(ask->id) : ms_record_name();
	Making m = {.desk = desk, .ask = ask, .list = list, .group = group};
	if (!check_ask(ask, error))
		return NULL;
	for (guint i = 0; i < ask->uids->len; i++)
		if (!add_message(&m, ask->uids->pdata[i], error))
			return NULL;
	if (list->len == 0) {
		desk_fail(error, "of none of these messages has anybody a right to all that is in it");
		return NULL;
	}
	if (list->len == 1 && ask->total <= 1)
		*((MsDecision *)list->pdata[0])->group = '\0'; /* one is no group */
	gint64 most = desk->settings->desk.two_person;
	bool two = m.two || (desk_is_final(ask->verb) && most >= 0 && MAX(m.sum, ask->total) > most);
	if (!desk_others_confirmed(desk->settings, ask, &m.others, &two, error))
		return NULL;
	for (guint i = 0; two && !ask->by_rule && i < list->len; i++)
		((MsDecision *)list->pdata[i])->state = MS_DECISION_WAITING;
	return g_steal_pointer(&list);
}
