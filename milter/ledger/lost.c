/*
 * Records of which the MTA's queue is asked whether it still has their mail: those come out of
 * here, and what was seen comes back: the mail is gone though nobody decided so, is there again, or
 * has another queue ID.  Each change looks again, in its own transaction, whether the record is
 * still what it was when the queue was looked at.  From any thread, and any process.
 */
#include "config.h"

#include <string.h>

#include "ledger_private.h"

static void take_queued(MsSqlRow *row, void *user)
{
	int state = MS_STATE_HELD;
	ms_word_choose(ms_state_names, "state", ms_sql_text(row, "state"), &state, NULL);
	MsRecord *r = ms_record_new();
	r->id = ms_sql_number(row, "id");
	r->uid = g_strdup(ms_sql_text(row, "uid"));
	r->state = (MsState)state;
	r->host = g_strdup(ms_sql_text(row, "host"));
	r->queue_id = g_strdup(ms_sql_text(row, "queue_id"));
	r->arrived = ms_sql_number(row, "arrived");
	r->digest = g_strdup(ms_sql_text(row, "digest"));
	g_ptr_array_add(user, r);
}

GPtrArray *ms_records_queued(MsLedger *ledger, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_record_free);
	if (!ledger_ask(ledger,
		    "SELECT id, uid, state, host, queue_id, arrived, digest FROM held"
		    " WHERE (state='gone' OR " LEDGER_IS_HELD ") AND place='queue'"
		    " AND uid NOT IN (SELECT uid FROM mirrored)",
		    NULL, take_queued, list, error))
		return NULL;
	return g_steal_pointer(&list);
}

/* Canaries are written down when they are sent. */
#define CANARY_IS "queue_id=:id AND sent BETWEEN :from - 2000000 AND :to"

bool ms_records_last(MsLedger *ledger, const char *queue_id, gint64 from, gint64 to,
	gint64 *arrived_out, GError **error)
{
	return ledger_ask_number(ledger,
		"SELECT max((SELECT ifnull(max(arrived), 0) FROM held WHERE queue_id=:id AND arrived BETWEEN :from AND :to),"
		" (SELECT ifnull(max(sent), 0) FROM canary WHERE " CANARY_IS ")) AS n",
		MS_SQL_VALUES(MS_SQL_TEXT("id", queue_id), MS_SQL_NUMBER("from", from),
			MS_SQL_NUMBER("to", to)),
		arrived_out, error);
}

bool ms_records_changes(MsLedger *ledger, gint64 *n_out, GError **error)
{
	return ledger_ask_number(ledger, "SELECT n FROM counter", NULL, n_out, error);
}

/* Other hosts have queue IDs of their own. */
bool ms_records_claims(MsLedger *ledger, const char *queue_id, gint64 from, gint64 to,
	gint64 changes, bool *claims_out, GError **error)
{
	gint64 n = 0;
	bool fine = ledger_ask_number(ledger,
		"SELECT (SELECT count(*) FROM held WHERE queue_id=:id AND arrived BETWEEN :from AND :to"
		" AND (changed > :changes OR state='gone' OR " LEDGER_IS_HELD " OR EXISTS (SELECT 1 FROM decision d"
		" WHERE d.uid=held.uid AND d.state IN ('waiting', 'approved', 'acting')))"
		" AND uid NOT IN (SELECT uid FROM mirrored))"
		" + (SELECT count(*) FROM canary WHERE " CANARY_IS ") AS n",
		MS_SQL_VALUES(MS_SQL_TEXT("id", queue_id), MS_SQL_NUMBER("from", from),
			MS_SQL_NUMBER("to", to), MS_SQL_NUMBER("changes", changes)),
		&n, error);
	if (fine)
		*claims_out = n > 0;
	return fine;
}

/* ---- gone, and back -------------------------------------------------------------------- */

/* What is being carried out knows better what becomes of it. */
#define IS_STILL                                                                                   \
	"SELECT count(*) AS n FROM held WHERE id=:id AND place='queue' AND queue_id=:queue_id AND" \
	" NOT EXISTS (SELECT 1 FROM decision d WHERE d.uid=held.uid AND"                           \
	" (d.state='acting' OR (d.state IN ('waiting', 'approved') AND d.step<>''))) AND "

static bool is_still(
	MsLedger *ledger, const MsRecord *r, bool gone, bool *still_out, GError **error)
{
	gint64 n = 0;
	bool fine = ledger_ask_number(ledger,
		gone ? IS_STILL "state='gone'" : IS_STILL LEDGER_IS_HELD,
		MS_SQL_VALUES(MS_SQL_NUMBER("id", r->id), MS_SQL_TEXT("queue_id", r->queue_id)), &n,
		error);
	*still_out = n > 0;
	return fine;
}

static bool set_state(MsLedger *ledger, const MsRecord *r, bool gone, GError **error)
{
	const MsSqlValue *values = MS_SQL_VALUES(MS_SQL_NUMBER("id", r->id));
	return ledger_run(ledger,
		       gone ? "UPDATE recipient SET state='gone' WHERE held=:id AND " LEDGER_IS_HELD
			    : "UPDATE recipient SET state='held' WHERE held=:id AND state='gone'",
		       values, error) &&
		ledger_run(ledger,
			gone ? "UPDATE held SET state='gone' WHERE id=:id"
			     /* it is announced anew before it expires */
			     : "UPDATE held SET state='held', warned=0 WHERE id=:id",
			values, error);
}

static bool set_gone(
	MsLedger *ledger, const MsRecord *r, const char *why, bool *done_out, GError **error)
{
	return is_still(ledger, r, false, done_out, error) &&
		(!*done_out ||
			(ledger_fail_unbegun(ledger, r->uid, why, error) &&
				ledger_end_wait(ledger, r->uid, error) &&
				set_state(ledger, r, true, error) &&
				ledger_act(ledger, r->id, "missent", ms_state_names[MS_STATE_GONE],
					why, error)));
}

bool ms_records_gone(
	MsLedger *ledger, const MsRecord *r, const char *why, bool *done_out, GError **error)
{
	return ledger_begin(ledger, error) &&
		ledger_end(ledger, set_gone(ledger, r, why, done_out, error), error);
}

static bool set_gone_for(MsLedger *ledger, const MsRecord *r, const GPtrArray *addresses,
	const char *why, bool *done_out, GError **error)
{
	return is_still(ledger, r, false, done_out, error) &&
		(!*done_out ||
			(ledger_end_for(ledger, r->uid, addresses, MS_STATE_GONE, error) &&
				ledger_act(ledger, r->id, "missent", ms_state_names[MS_STATE_GONE],
					why, error)));
}

bool ms_records_gone_for(MsLedger *ledger, const MsRecord *r, const GPtrArray *addresses,
	const char *why, bool *done_out, GError **error)
{
	return ledger_begin(ledger, error) &&
		ledger_end(ledger, set_gone_for(ledger, r, addresses, why, done_out, error), error);
}

static bool set_found(MsLedger *ledger, const MsRecord *r, const char *queue_id, const char *why,
	bool *done_out, GError **error)
{
	bool gone = r->state == MS_STATE_GONE;
	return is_still(ledger, r, gone, done_out, error) &&
		(!*done_out ||
			(ledger_run(ledger, "UPDATE held SET queue_id=:queue_id WHERE id=:id",
				 MS_SQL_VALUES(MS_SQL_NUMBER("id", r->id),
					 MS_SQL_TEXT("queue_id", queue_id)),
				 error) &&
				(!gone || set_state(ledger, r, false, error)) &&
				ledger_act(ledger, r->id, "missent", "found", why, error)));
}

bool ms_records_found(MsLedger *ledger, const MsRecord *r, const char *queue_id, const char *why,
	bool *done_out, GError **error)
{
	return ledger_begin(ledger, error) &&
		ledger_end(ledger, set_found(ledger, r, queue_id, why, done_out, error), error);
}

static bool set_spooled(
	MsLedger *ledger, const MsRecord *r, const char *why, bool *done_out, GError **error)
{
	return is_still(ledger, r, true, done_out, error) &&
		(!*done_out ||
			(ledger_run(ledger, "UPDATE held SET place='spool' WHERE id=:id",
				 MS_SQL_VALUES(MS_SQL_NUMBER("id", r->id)), error) &&
				set_state(ledger, r, false, error) &&
				ledger_act(ledger, r->id, "missent", "found", why, error)));
}

bool ms_records_spooled(
	MsLedger *ledger, const MsRecord *r, const char *why, bool *done_out, GError **error)
{
	return ledger_begin(ledger, error) &&
		ledger_end(ledger, set_spooled(ledger, r, why, done_out, error), error);
}
