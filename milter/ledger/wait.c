/*
 * Mail that is kept, and waits for a time or a change of the directory before people need to look
 * at it: a row beside its record, which is that of a held message in all else.  The row is written
 * with the record, and goes with the first final decision on it, or when it is settled that it is
 * held; whoever finds no row finds a message that is held.  From any thread, and any process.
 */
#include "config.h"

#include <string.h>

#include "ledger_private.h"

bool ledger_add_wait(MsLedger *ledger, const MsRecord *r, GError **error)
{
	return r->due == 0 ||
		ledger_run(ledger,
			"INSERT INTO wait (held, asked, due) VALUES (:held, :asked, :due)",
			MS_SQL_VALUES(MS_SQL_NUMBER("held", r->id),
				MS_SQL_NUMBER("asked", r->waits_since),
				MS_SQL_NUMBER("due", r->due)),
			error);
}

bool ledger_end_wait(MsLedger *ledger, const char *uid, GError **error)
{
	return ledger_run(ledger,
		"DELETE FROM wait WHERE held=(SELECT id FROM held WHERE uid=:uid)",
		MS_SQL_VALUES(MS_SQL_TEXT("uid", uid)), error);
}

void ms_waiting_free(MsWaiting *waiting)
{
	g_free(waiting->uid);
	g_free(waiting);
}

static void take_waiting(MsSqlRow *row, void *user)
{
	MsWaiting *w = g_new(MsWaiting, 1);
	*w = (MsWaiting){g_strdup(ms_sql_text(row, "uid")), ms_sql_number(row, "asked"),
		ms_sql_number(row, "due")};
	g_ptr_array_add(user, w);
}

GPtrArray *ms_records_waiting(MsLedger *ledger, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_waiting_free);
	if (!ledger_ask(ledger,
		    "SELECT uid, asked, due FROM wait JOIN held ON id=held ORDER BY due, held",
		    NULL, take_waiting, list, error))
		return NULL;
	return g_steal_pointer(&list);
}

bool ms_records_wait_again(
	MsLedger *ledger, const MsRecord *record, gint64 since, gint64 due, GError **error)
{
	return ledger_begin(ledger, error) &&
		ledger_end(ledger,
			ledger_run(ledger,
				"INSERT OR REPLACE INTO wait (held, asked, due)"
				" SELECT id, :asked, :due FROM held WHERE id=:held AND state='held'",
				MS_SQL_VALUES(MS_SQL_NUMBER("held", record->id),
					MS_SQL_NUMBER("asked", since), MS_SQL_NUMBER("due", due)),
				error) &&
				ledger_touch(ledger, record->id, error),
			error);
}

/* ---- it is held after all -------------------------------------------------------------- */

static bool settle(MsLedger *ledger, const MsRecord *record, const GPtrArray *again,
	const char *cause, const char *who, const char *why, GError **error)
{
	gint64 waits = 0;
	if (!ledger_ask_number(ledger, "SELECT count(*) AS n FROM wait WHERE held=:held",
		    MS_SQL_VALUES(MS_SQL_NUMBER("held", record->id)), &waits, error))
		return false;
	if (waits == 0)
		return true; /* somebody decided on it meanwhile */
	return (again == NULL || ledger_rejudge(ledger, record, again, who, "", error)) &&
		(cause == NULL || ledger_recause(ledger, record->id, cause, error)) &&
		ledger_end_wait(ledger, record->uid, error) &&
		ledger_act(ledger, record->id, who, "hold", why, error) &&
		ledger_outbox_held(ledger, record, error);
}

bool ms_records_settle(MsLedger *ledger, const MsRecord *record, const GPtrArray *again,
	const char *cause, const char *who, const char *why, GError **error)
{
	return ledger_begin(ledger, error)
		&& ledger_end(ledger, settle(ledger, record, again, cause, who, why, error), error);
}
