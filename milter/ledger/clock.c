/*
 * What a desk remembers of the clock from one process to the next.  From any thread.
 */
#include "config.h"

#include "ledger_private.h"

typedef struct {
	gint64 seen, since;
} Clock;

static void take_clock(MsSqlRow *row, void *user)
{
	*(Clock *)user = (Clock){ms_sql_number(row, "seen"), ms_sql_number(row, "since")};
}

bool ms_ledger_clock(MsLedger *ledger, gint64 *seen_out, gint64 *since_out, GError **error)
{
	Clock clock = {0};
	if (!ledger_ask(ledger, "SELECT seen, since FROM clock", NULL, take_clock, &clock, error))
		return false;
	*seen_out = clock.seen;
	*since_out = clock.since;
	return true;
}

bool ms_ledger_set_clock(MsLedger *ledger, gint64 seen, gint64 since, GError **error)
{
	return ledger_run(ledger,
		"INSERT OR REPLACE INTO clock (id, seen, since) VALUES (1, :seen, :since)",
		MS_SQL_VALUES(MS_SQL_NUMBER("seen", seen), MS_SQL_NUMBER("since", since)), error);
}
