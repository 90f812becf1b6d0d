/*
 * Decisions on held mail in the database: what was asked comes in, how far it got goes out, so that
 * one that was interrupted can be taken up again.  Each function is one transaction under the lock
 * of the database; from any thread, and any process.
 */
#include "config.h"

#include <string.h>

#include "missent/clock.h"

#include "ledger_private.h"

void ledger_take_decision(MsSqlRow *row, void *list)
{
	MsDecision *d = g_new0(MsDecision, 1);
	d->id = g_strdup(ms_sql_text(row, "id"));
	d->uid = g_strdup(ms_sql_text(row, "uid"));
	d->group = g_strdup(ms_sql_text(row, "grp"));
	d->verb = ms_verb_named(ms_sql_text(row, "verb"));
	d->recipients = g_strdup(ms_sql_text(row, "recipients"));
	d->who = g_strdup(ms_sql_text(row, "who"));
	d->second = g_strdup(ms_sql_text(row, "second"));
	d->why = g_strdup(ms_sql_text(row, "why"));
	d->outcome = g_strdup(ms_sql_text(row, "outcome"));
	d->token = g_strdup(ms_sql_text(row, "token"));
	d->step = g_strdup(ms_sql_text(row, "step"));
	d->at = ms_sql_number(row, "at");
	d->rightful = ms_sql_number(row, "rightful") != 0;
	d->account = g_strdup(ms_sql_text(row, "account"));
	d->identifier = g_strdup(ms_sql_text(row, "identifier"));
	d->assignee = g_strdup(ms_sql_text(row, "assignee"));
	/* What cannot be read is not carried out, and keeps nobody from deciding anew. */
	int state = 0;
	bool known = ms_word_choose(
		ms_decision_state_names, "state", ms_sql_text(row, "state"), &state, NULL);
	d->state = known ? (MsDecisionState)state : MS_DECISION_FAILED;
	d->damaged = !known || d->verb == MS_VERB_UNKNOWN || ms_sql_is_odd(row);
	g_ptr_array_add(list, d);
}

bool ledger_add_decision(MsLedger *ledger, const MsDecision *d, GError **error)
{
	return ledger_run(ledger,
		"INSERT OR REPLACE INTO decision (" DECISION_COLUMNS
		") VALUES (:id, :uid, :grp, :verb,"
		" :recipients, :who, :second, :why, :outcome, :token, :step, :at, :state, :rightful, :account,"
		" :identifier, :assignee)",
		MS_SQL_VALUES(MS_SQL_TEXT("id", d->id), MS_SQL_TEXT("uid", d->uid),
			MS_SQL_TEXT("grp", d->group), MS_SQL_TEXT("verb", ms_verbs[d->verb].name),
			MS_SQL_TEXT("recipients", d->recipients), MS_SQL_TEXT("who", d->who),
			MS_SQL_TEXT("second", d->second), MS_SQL_TEXT("why", d->why),
			MS_SQL_TEXT("outcome", d->outcome), MS_SQL_TEXT("token", d->token),
			MS_SQL_TEXT("step", d->step), MS_SQL_NUMBER("at", d->at),
			MS_SQL_TEXT("state", ms_decision_state_names[d->state]),
			MS_SQL_NUMBER("rightful", d->rightful), MS_SQL_TEXT("account", d->account),
			MS_SQL_TEXT("identifier", d->identifier),
			MS_SQL_TEXT("assignee", d->assignee)),
		error);
}

static bool touch_of(MsLedger *ledger, const char *uid, GError **error)
{
	gint64 id = 0;
	return ledger_ask_number(ledger, "SELECT id AS n FROM held WHERE uid=:uid",
		       MS_SQL_VALUES(MS_SQL_TEXT("uid", uid)), &id, error)
		&& ledger_touch(ledger, id, error);
}

static bool add_all(MsLedger *ledger, const GPtrArray *decisions, GError **error)
{
	for (guint i = 0; i < decisions->len; i++) {
		const MsDecision *d = decisions->pdata[i];
		if (!ledger_add_decision(ledger, d, error)
			|| (ms_verbs[d->verb].final && !ledger_end_wait(ledger, d->uid, error))
			|| !touch_of(ledger, d->uid, error)
			|| (d->state == MS_DECISION_WAITING
				&& !ledger_outbox_decided(ledger, d, d->state, "", error)))
			return false;
	}
	return true;
}

bool ms_decisions_add(MsLedger *ledger, const GPtrArray *decisions, GError **error)
{
	return ledger_begin(ledger, error)
		&& ledger_end(ledger, add_all(ledger, decisions, error), error);
}

static GPtrArray *new_list(void)
{
	return g_ptr_array_new_with_free_func((GDestroyNotify)ms_decision_free);
}

MsDecision *ms_decisions_find(MsLedger *ledger, const char *id, GError **error)
{
	g_autoptr(GPtrArray) list = new_list();
	if (!ledger_ask(ledger, "SELECT " DECISION_COLUMNS " FROM decision WHERE id=:id",
		    MS_SQL_VALUES(MS_SQL_TEXT("id", id)), ledger_take_decision, list, error)
		|| list->len == 0)
		return NULL;
	return g_ptr_array_steal_index(list, 0);
}

bool ms_decisions_named(MsLedger *ledger, const char *name, gint64 *n_out, GError **error)
{
	return ledger_ask_number(ledger,
		"SELECT count(*) AS n FROM decision WHERE id=:name OR grp=:name",
		MS_SQL_VALUES(MS_SQL_TEXT("name", name)), n_out, error);
}

GPtrArray *ms_decisions_list(MsLedger *ledger, int state, const char *group, GError **error)
{
	g_autoptr(GPtrArray) list = new_list();
	if (!ledger_ask(ledger,
		    "SELECT " DECISION_COLUMNS " FROM decision WHERE (state=:state OR"
		    " (:state IS NULL AND state IN ('approved', 'acting'))) AND (:grp IS NULL OR grp=:grp)"
		    " ORDER BY grp<>'', at, id",
		    MS_SQL_VALUES(MS_SQL_TEXT("state",
					  state >= 0 ? ms_decision_state_names[state] : NULL),
			    MS_SQL_TEXT("grp", group)),
		    ledger_take_decision, list, error))
		return NULL;
	return g_steal_pointer(&list);
}

static bool second(
	MsLedger *ledger, const MsDecision *d, const char *who, bool agrees, GError **error)
{
	MsDecisionState state = agrees ? MS_DECISION_APPROVED : MS_DECISION_WITHDRAWN;
	return ledger_run(ledger,
		       "UPDATE decision SET state=:state, second=:second WHERE id=:id AND state='waiting'",
		       MS_SQL_VALUES(MS_SQL_TEXT("id", d->id),
			       MS_SQL_TEXT("state", ms_decision_state_names[state]),
			       MS_SQL_TEXT("second", who)),
		       error) &&
		touch_of(ledger, d->uid, error) &&
		(agrees || ledger_outbox_decided(ledger, d, state, who, error));
}

static bool second_all(MsLedger *ledger, const GPtrArray *decisions, const char *who, bool agrees,
	GError **error)
{
	for (guint i = 0; i < decisions->len; i++)
		if (!second(ledger, decisions->pdata[i], who, agrees, error))
			return false;
	return true;
}

bool ms_decisions_second(MsLedger *ledger, const GPtrArray *decisions, const char *who,
	bool agrees, GError **error)
{
	return ledger_begin(ledger, error) &&
		ledger_end(ledger, second_all(ledger, decisions, who, agrees, error), error);
}

/* Whoever carries it out took it out of here a while ago: meanwhile the message may have been
 * judged again. */
static bool is_open(MsLedger *ledger, const MsDecision *d, GError **error)
{
	gint64 n = 0;
	bool fine = ledger_ask_number(ledger,
		"SELECT count(*) AS n FROM decision WHERE id=:id"
		" AND state IN ('waiting', 'approved', 'acting')",
		MS_SQL_VALUES(MS_SQL_TEXT("id", d->id)), &n, error);
	if (fine && n == 0)
		g_set_error(error, MS_ERROR, MS_ERROR_ABSENT,
			"%s: has come to its end meanwhile; decide again", d->id);
	return n > 0;
}

static bool step(MsLedger *ledger, MsDecision *d, int place, GError **error)
{
	return is_open(ledger, d, error) && ledger_run(ledger,
		       "UPDATE decision SET state='acting', step=:step, token=:token WHERE id=:id",
		       MS_SQL_VALUES(MS_SQL_TEXT("id", d->id), MS_SQL_TEXT("step", d->step),
			       MS_SQL_TEXT("token", d->token)),
		       error) &&
		(place < 0 ||
			ledger_run(ledger, "UPDATE held SET place=:place WHERE uid=:uid",
				MS_SQL_VALUES(MS_SQL_TEXT("uid", d->uid),
					MS_SQL_TEXT("place", ms_held_place_names[place])),
				error)) &&
		touch_of(ledger, d->uid, error);
}

bool ms_decisions_step(MsLedger *ledger, MsDecision *d, const char *name, const char *token,
	int place, GError **error)
{
	g_free(d->step);
	d->step = g_strdup(name);
	if (token != NULL) {
		g_free(d->token);
		d->token = g_strdup(token);
	}
	d->state = MS_DECISION_ACTING;
	return ledger_begin(ledger, error)
		&& ledger_end(ledger, step(ledger, d, place, error), error);
}

bool ledger_end_for(MsLedger *ledger, const char *uid, const GPtrArray *addresses, MsState state,
	GError **error)
{
	for (guint i = 0; addresses != NULL && i < addresses->len; i++)
		if (!ledger_run(ledger,
			    "UPDATE recipient SET state=:state WHERE address=:address AND " LEDGER_IS_HELD
			    " AND held=(SELECT id FROM held WHERE uid=:uid)",
			    MS_SQL_VALUES(MS_SQL_TEXT("uid", uid),
				    MS_SQL_TEXT("address", addresses->pdata[i]),
				    MS_SQL_TEXT("state", ms_state_names[state])),
			    error))
			return false;
	return addresses == NULL ||
		(ledger_run(ledger,
			 "UPDATE held SET state=:state WHERE uid=:uid AND NOT EXISTS"
			 " (SELECT 1 FROM recipient WHERE held=held.id AND " LEDGER_IS_HELD ")",
			 MS_SQL_VALUES(MS_SQL_TEXT("uid", uid),
				 MS_SQL_TEXT("state", ms_state_names[state])),
			 error) &&
			ledger_cause_of_rest(ledger, uid, error));
}

static bool finish(MsLedger *ledger, MsDecision *d, bool fine, const GPtrArray *addresses,
	MsState state, GError **error)
{
	g_autoptr(GError) closed = NULL;
	if (!fine && !is_open(ledger, d, &closed)) {
		bool ended = g_error_matches(closed, MS_ERROR, MS_ERROR_ABSENT);
		if (!ended)
			g_propagate_error(error, g_steal_pointer(&closed));
		return ended;
	}
	g_autofree char *what = g_strdup_printf(
		"%s%s", ms_verbs[d->verb].name, fine ? "" : " (failed)");
	g_autofree char *who = *d->second != '\0'
		? g_strdup_printf("%s, agreed by %s", d->who, d->second)
		: g_strdup(d->who);
	g_autofree char *why = g_strdup_printf("%s%s%s%s", d->why,
		*d->why != '\0' && *d->outcome != '\0' ? " [" : "", d->outcome,
		*d->why != '\0' && *d->outcome != '\0' ? "]" : "");
	return ledger_run(ledger, "UPDATE decision SET state=:state, outcome=:outcome WHERE id=:id",
		       MS_SQL_VALUES(MS_SQL_TEXT("id", d->id),
			       MS_SQL_TEXT("state", ms_decision_state_names[d->state]),
			       MS_SQL_TEXT("outcome", d->outcome)),
		       error) &&
		(!fine || ledger_end_for(ledger, d->uid, addresses, state, error)) &&
		ledger_run(ledger,
			"INSERT INTO act (held, at, who, what, why)"
			" SELECT id, :at, :who, :what, :why FROM held WHERE uid=:uid",
			MS_SQL_VALUES(MS_SQL_TEXT("uid", d->uid),
				MS_SQL_NUMBER("at", ms_clock_now()), MS_SQL_TEXT("who", who),
				MS_SQL_TEXT("what", what), MS_SQL_TEXT("why", why)),
			error) &&
		touch_of(ledger, d->uid, error) &&
		ledger_outbox_decided(ledger, d, d->state, d->second, error);
}

bool ms_decisions_finish(MsLedger *ledger, MsDecision *d, bool fine, const char *outcome,
	const GPtrArray *addresses, MsState state, GError **error)
{
	g_free(d->outcome);
	d->outcome = g_strdup(outcome);
	d->state = fine ? MS_DECISION_DONE : MS_DECISION_FAILED;
	return ledger_begin(ledger, error)
		&& ledger_end(ledger, finish(ledger, d, fine, addresses, state, error), error);
}

static bool fail_all(MsLedger *ledger, const GPtrArray *list, const char *outcome, GError **error)
{
	bool fine = true;
	for (guint i = 0; fine && i < list->len; i++) {
		MsDecision *d = list->pdata[i];
		g_free(d->outcome);
		d->outcome = g_strdup(outcome);
		d->state = MS_DECISION_FAILED;
		fine = finish(ledger, d, false, NULL, MS_STATE_HELD, error);
	}
	return fine;
}

/* Inside of a transaction: what was decided, and is not begun, while this recipient's outcome
 * was better. */
bool ledger_undo_releases(MsLedger *ledger, const char *uid, const char *address, GError **error)
{
	g_autoptr(GPtrArray) list = new_list();
	bool fine = ledger_ask(ledger,
		"SELECT " DECISION_COLUMNS " FROM decision WHERE uid=:uid AND verb='release'"
		" AND state IN ('waiting', 'approved') AND step='' AND (recipients='' OR"
		" instr(char(10) || recipients || char(10), char(10) || :address || char(10)) > 0)",
		MS_SQL_VALUES(MS_SQL_TEXT("uid", uid), MS_SQL_TEXT("address", address)),
		ledger_take_decision, list, error);
	g_autofree char *outcome =
		g_strdup_printf("judged again since: %s may not have it; decide again", address);
	return fine && fail_all(ledger, list, outcome, error);
}

bool ledger_fail_unbegun(MsLedger *ledger, const char *uid, const char *why, GError **error)
{
	g_autoptr(GPtrArray) list = new_list();
	return ledger_ask(ledger,
		       "SELECT " DECISION_COLUMNS " FROM decision WHERE uid=:uid"
		       " AND state IN ('waiting', 'approved') AND step=''",
		       MS_SQL_VALUES(MS_SQL_TEXT("uid", uid)), ledger_take_decision, list, error) &&
		fail_all(ledger, list, why, error);
}
