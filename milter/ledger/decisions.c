#include "config.h"

#include <string.h>

#include "ledger_private.h"

/*
 * Decisions on held mail in the database: what was asked comes in, how far it got goes out, so that
 * one that was interrupted can be taken up again.  Each function is one transaction under the lock
 * of the database; from any thread, and any process.
 */

void ledger_take_decision(int n, const char *const *c, void *list)
{
	(void)n;
	MsDecision *d = g_new0(MsDecision, 1);
	d->id = g_strdup(c[0]);
	d->uid = g_strdup(c[1]);
	d->group = g_strdup(c[2]);
	d->verb = g_strdup(c[3]);
	d->recipients = g_strdup(c[4]);
	d->who = g_strdup(c[5]);
	d->second = g_strdup(c[6]);
	d->why = g_strdup(c[7]);
	d->outcome = g_strdup(c[8]);
	d->token = g_strdup(c[9]);
	d->step = g_strdup(c[10]);
	d->at = ledger_to_number(c[11]);
	d->state = (MsDecisionState)ms_record_word(ms_decision_state_names, c[12]);
	g_ptr_array_add(list, d);
}

bool ledger_add_decision(MsLedger *ledger, const MsDecision *d, GError **error)
{
	g_autofree char *at = ledger_number(d->at);
	return ledger_run(ledger, error,
		"INSERT OR REPLACE INTO decision VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
		" CAST(?12 AS INTEGER), ?13)",
		d->id, d->uid, d->group, d->verb, d->recipients, d->who, d->second, d->why, d->outcome,
		d->token, d->step, at, ms_decision_state_names[d->state], NULL);
}

static bool touch_of(MsLedger *ledger, const char *uid, GError **error)
{
	gint64 id = 0;
	if (!ledger_ask(ledger, error, ledger_take_number, &id, "SELECT id FROM held WHERE uid=?1", uid,
		    NULL))
		return false;
	g_autofree char *key = ledger_number(id);
	return ledger_touch(ledger, key, error);
}

static bool add_all(MsLedger *ledger, const GPtrArray *decisions, GError **error)
{
	for (guint i = 0; i < decisions->len; i++) {
		const MsDecision *d = decisions->pdata[i];
		if (!ledger_add_decision(ledger, d, error) || !touch_of(ledger, d->uid, error))
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
	if (!ledger_ask(ledger, error, ledger_take_decision, list,
		    "SELECT " DECISION_COLUMNS " FROM decision WHERE id=?1", id, NULL)
		|| list->len == 0)
		return NULL;
	return g_ptr_array_steal_index(list, 0);
}

GPtrArray *ms_decisions_list(MsLedger *ledger, int state, const char *group, GError **error)
{
	g_autoptr(GPtrArray) list = new_list();
	if (!ledger_ask(ledger, error, ledger_take_decision, list,
		    "SELECT " DECISION_COLUMNS " FROM decision WHERE (state=?1 OR"
		    " (?1='' AND state IN ('approved', 'acting'))) AND (?2='' OR grp=?2) ORDER BY grp<>'', at, id",
		    state >= 0 ? ms_decision_state_names[state] : "", group != NULL ? group : "", NULL))
		return NULL;
	return g_steal_pointer(&list);
}

bool ms_decisions_second(MsLedger *ledger, const MsDecision *d, const char *who, bool agrees,
	GError **error)
{
	MsDecisionState state = agrees ? MS_DECISION_APPROVED : MS_DECISION_WITHDRAWN;
	return ledger_begin(ledger, error)
		&& ledger_end(ledger,
			ledger_run(ledger, error,
				"UPDATE decision SET state=?2, second=?3 WHERE id=?1 AND state='waiting'", d->id,
				ms_decision_state_names[state], who, NULL)
				&& touch_of(ledger, d->uid, error),
			error);
}

static bool step(MsLedger *ledger, MsDecision *d, const char *place, GError **error)
{
	return ledger_run(ledger, error,
		       "UPDATE decision SET state='acting', step=?2, token=?3 WHERE id=?1", d->id, d->step,
		       d->token, NULL)
		&& (*place == '\0'
			|| ledger_run(ledger, error, "UPDATE held SET place=?2 WHERE uid=?1", d->uid, place, NULL))
		&& touch_of(ledger, d->uid, error);
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
		&& ledger_end(ledger, step(ledger, d, place >= 0 ? ms_held_place_names[place] : "", error),
			error);
}

static bool finish_recipients(MsLedger *ledger, const char *uid, const GPtrArray *addresses,
	MsState state, GError **error)
{
	for (guint i = 0; addresses != NULL && i < addresses->len; i++)
		if (!ledger_run(ledger, error,
			    "UPDATE recipient SET state=?3 WHERE address=?2 AND state='held'"
			    " AND held=(SELECT id FROM held WHERE uid=?1)",
			    uid, (char *)addresses->pdata[i], ms_state_names[state], NULL))
			return false;
	return addresses == NULL
		|| ledger_run(ledger, error,
			"UPDATE held SET state=?2 WHERE uid=?1 AND NOT EXISTS"
			" (SELECT 1 FROM recipient WHERE held=held.id AND state='held')",
			uid, ms_state_names[state], NULL);
}

static bool finish(MsLedger *ledger, MsDecision *d, bool fine, const GPtrArray *addresses,
	MsState state, GError **error)
{
	g_autofree char *now = ledger_number(g_get_real_time());
	g_autofree char *what = g_strdup_printf("%s%s", d->verb, fine ? "" : " (failed)");
	g_autofree char *who = *d->second != '\0' ? g_strdup_printf("%s, agreed by %s", d->who, d->second)
						  : g_strdup(d->who);
	g_autofree char *why = g_strdup_printf("%s%s%s%s", d->why,
		*d->why != '\0' && *d->outcome != '\0' ? " [" : "", d->outcome,
		*d->why != '\0' && *d->outcome != '\0' ? "]" : "");
	return ledger_run(ledger, error, "UPDATE decision SET state=?2, outcome=?3 WHERE id=?1", d->id,
		       ms_decision_state_names[d->state], d->outcome, NULL)
		&& (!fine || finish_recipients(ledger, d->uid, addresses, state, error))
		&& ledger_run(ledger, error,
			"INSERT INTO act SELECT id, CAST(?2 AS INTEGER), ?3, ?4, ?5 FROM held WHERE uid=?1", d->uid,
			now, who, what, why, NULL)
		&& touch_of(ledger, d->uid, error);
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
