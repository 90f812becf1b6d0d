/*
 * Canaries: the agent writes one down before it is sent, the daemon notes once what it judged, the
 * agent ends it.  What the daemon does is one statement, from any thread; the agent's, of two, are
 * for one at a time.
 */
#include "config.h"

#include <string.h>

#include "missent/canary.h"
#include "missent/clock.h"
#include "missent/digest.h"
#include "missent/kind.h"

#include "ledger_private.h"

#define KEEP_US (7 * 86400 * (gint64)G_USEC_PER_SEC)

void ms_canary_free(MsCanary *canary)
{
	if (canary == NULL)
		return;
	g_free(canary->id);
	g_free(canary->listener);
	g_free(canary->digest);
	g_free(canary->became);
	g_free(canary->queue_id);
	g_free(canary);
}

char *ms_canaries_name(void)
{
	return ms_digest_random_name(MS_DIGEST_BYTES);
}

/* An MTA may write an address otherwise. */
static char *plain(const char *address)
{
	char *canonical = ms_address_canonical(address, strlen(address));
	return canonical != NULL ? canonical : g_ascii_strdown(address, -1);
}

bool ms_canaries_add(MsLedger *ledger, const char *id, const char *listener, const char *digest,
	const char *sender, const char *recipient, GError **error)
{
	g_autofree char *from = plain(sender), *to = plain(recipient);
	gint64 now = ms_clock_now();
	return ledger_run(ledger, "DELETE FROM canary WHERE ended=1 AND sent < :before",
		       MS_SQL_VALUES(MS_SQL_NUMBER("before", now - KEEP_US)), error) &&
		ledger_run(ledger,
			"INSERT INTO canary (id, listener, digest, sender, recipient, sent, became, queue_id, ended)"
			" VALUES (:id, :listener, :digest, :sender, :recipient, :sent, '" MS_CANARY_SENT
			"', '', 0)",
			MS_SQL_VALUES(MS_SQL_TEXT("id", id), MS_SQL_TEXT("listener", listener),
				MS_SQL_TEXT("digest", digest), MS_SQL_TEXT("sender", from),
				MS_SQL_TEXT("recipient", to), MS_SQL_NUMBER("sent", now)),
			error);
}

/* Refused for now, it comes again. */
#define THIS_ONE                                                                                \
	" digest=:digest AND sender=:sender AND recipient=:recipient AND became IN ('"          \
	MS_CANARY_SENT "', '" MS_CANARY_LATER "') AND ended=0"

MsAnswer ms_canaries_is(MsLedger *ledger, const char *digest, const char *sender,
	const char *recipient, GError **error)
{
	g_autofree char *from = plain(sender), *to = plain(recipient);
	gint64 n = 0;
	if (!ledger_ask_number(ledger, "SELECT count(*) AS n FROM canary WHERE" THIS_ONE,
		    MS_SQL_VALUES(MS_SQL_TEXT("digest", digest), MS_SQL_TEXT("sender", from),
			    MS_SQL_TEXT("recipient", to)),
		    &n, error))
		return MS_RETRY;
	return n > 0 ? MS_FOUND : MS_ABSENT;
}

MsAnswer ms_canaries_judged(MsLedger *ledger, const char *digest, const char *sender,
	const char *recipient, const char *queue_id, const char *became, GError **error)
{
	g_autofree char *from = plain(sender), *to = plain(recipient);
	gint64 changes = 0;
	MsAnswer answer = ms_sqlite_ask(ledger->db,
		"UPDATE canary SET became=:became, queue_id=:queue_id WHERE" THIS_ONE,
		MS_SQL_VALUES(MS_SQL_TEXT("digest", digest), MS_SQL_TEXT("sender", from),
			MS_SQL_TEXT("recipient", to), MS_SQL_TEXT("became", became),
			MS_SQL_TEXT("queue_id", queue_id != NULL ? queue_id : "")),
		NULL, NULL, &changes, error);
	return answer == MS_FOUND && changes == 0 ? MS_ABSENT : answer;
}

bool ms_canaries_take_back(MsLedger *ledger, const char *sender, const char *recipient,
	const char *queue_id, GError **error)
{
	g_autofree char *from = plain(sender), *to = plain(recipient);
	return ledger_run(ledger,
		"UPDATE canary SET became='" MS_CANARY_LATER "' WHERE sender=:sender"
		" AND recipient=:recipient AND queue_id=:queue_id AND ended=0",
		MS_SQL_VALUES(MS_SQL_TEXT("sender", from), MS_SQL_TEXT("recipient", to),
			MS_SQL_TEXT("queue_id", queue_id != NULL ? queue_id : "")),
		error);
}

static void take_canary(MsSqlRow *row, void *user)
{
	MsCanary *canary = g_new0(MsCanary, 1);
	canary->id = g_strdup(ms_sql_text(row, "id"));
	canary->listener = g_strdup(ms_sql_text(row, "listener"));
	canary->digest = g_strdup(ms_sql_text(row, "digest"));
	canary->became = g_strdup(ms_sql_text(row, "became"));
	canary->queue_id = g_strdup(ms_sql_text(row, "queue_id"));
	canary->sent = ms_sql_number(row, "sent");
	g_ptr_array_add(user, canary);
}

MsCanary *ms_canaries_find(MsLedger *ledger, const char *id, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_canary_free);
	if (!ledger_ask(ledger,
		    "SELECT id, listener, digest, became, queue_id, sent FROM canary WHERE id=:id",
		    MS_SQL_VALUES(MS_SQL_TEXT("id", id)), take_canary, list, error) ||
		list->len == 0)
		return NULL;
	return g_ptr_array_steal_index(list, 0);
}

GPtrArray *ms_canaries_open(MsLedger *ledger, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_canary_free);
	if (!ledger_ask(ledger,
		    "SELECT id, listener, digest, became, queue_id, sent FROM canary WHERE ended=0 ORDER BY sent",
		    NULL, take_canary, list, error))
		return NULL;
	return g_steal_pointer(&list);
}

bool ms_canaries_end(MsLedger *ledger, const char *id, GError **error)
{
	return ledger_run(ledger, "UPDATE canary SET ended=1 WHERE id=:id",
		MS_SQL_VALUES(MS_SQL_TEXT("id", id)), error);
}

bool ms_canaries_newest(MsLedger *ledger, gint64 *sent_out, GError **error)
{
	return ledger_ask_number(
		ledger, "SELECT max(sent) AS n FROM canary", NULL, sent_out, error);
}

bool ms_canaries_state(
	MsLedger *ledger, const char *listener, bool well, bool *changed_out, GError **error)
{
	gint64 before = 1; /* nothing is told of one that is well from the beginning */
	*changed_out = false;
	if (!ledger_ask_number(ledger,
		    "SELECT well AS n FROM canary_state WHERE listener=:listener UNION ALL SELECT 1 AS n LIMIT 1",
		    MS_SQL_VALUES(MS_SQL_TEXT("listener", listener)), &before, error) ||
		!ledger_run(ledger,
			"INSERT INTO canary_state (listener, well) VALUES (:listener, :well)"
			" ON CONFLICT DO UPDATE SET well=excluded.well",
			MS_SQL_VALUES(
				MS_SQL_TEXT("listener", listener), MS_SQL_NUMBER("well", well)),
			error))
		return false;
	*changed_out = (before != 0) != well;
	return true;
}

static void take_listener(MsSqlRow *row, void *user)
{
	g_ptr_array_add(user, g_strdup(ms_sql_text(row, "listener")));
}

GPtrArray *ms_canaries_unwell(MsLedger *ledger, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	if (!ledger_ask(ledger, "SELECT listener FROM canary_state WHERE well=0 ORDER BY listener",
		    NULL, take_listener, names, error))
		return NULL;
	return g_steal_pointer(&names);
}
