/*
 * What others are to be told: written by who holds or decides, within his transaction; taken by the
 * agent, which sends it.  From any thread, and any process.
 */
#include "config.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "missent/clock.h"

#include "ledger_private.h"

void ms_ledger_tell(MsLedger *ledger, bool tell)
{
	ledger->tells = tell;
}

void ms_outbox_item_free(MsOutboxItem *item)
{
	if (item == NULL)
		return;
	g_free(item->name);
	g_free(item->body);
	g_free(item);
}

/* ---- writing -------------------------------------------------------------------------- */

/* A word that is no UTF-8 keeps nobody from being told. */
static json_t *word(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text != NULL ? text : "", -1);
	return json_string(valid);
}

static json_t *about(const char *event, const char *name, const char *uid, const char *host,
	const char *queue_id)
{
	return json_pack("{s:s, s:s, s:I, s:s, s:o, s:o}", "event", event, "delivery", name, "at",
		(json_int_t)(ms_clock_now() / G_USEC_PER_SEC), "uid", uid, "host", word(host),
		"queue_id", word(queue_id));
}

/* Takes `body` and `more`. */
static bool add(MsLedger *ledger, const char *name, const char *uid, json_t *body, json_t *more,
	GError **error)
{
	g_assert(body != NULL && more != NULL);
	json_object_update(body, more);
	json_decref(more);
	char *text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	bool fine = ledger_run(ledger,
		"INSERT INTO outbox (name, uid, body, made, tries, due) VALUES (:name, :uid, :body, :now, 0, :now)",
		MS_SQL_VALUES(MS_SQL_TEXT("name", name), MS_SQL_TEXT("uid", uid),
			MS_SQL_TEXT("body", text), MS_SQL_NUMBER("now", ms_clock_now())),
		error);
	free(text);
	return fine;
}

bool ledger_outbox_held(MsLedger *ledger, const MsRecord *r, GError **error)
{
	if (!ledger->tells || r->state != MS_STATE_HELD)
		return true;
	g_autofree char *name = ms_record_name();
	return add(ledger, name, r->uid, about("held", name, r->uid, r->host, r->queue_id),
		json_pack("{s:o, s:o, s:I, s:I}", "reasons", word(r->codes), "policies",
			word(r->policies), "recipients", (json_int_t)r->n_recipients, "size",
			(json_int_t)r->size),
		error);
}

bool ledger_outbox_taken_back(MsLedger *ledger, const char *uid, GError **error)
{
	return ledger_run(ledger, "DELETE FROM outbox WHERE uid=:uid",
		MS_SQL_VALUES(MS_SQL_TEXT("uid", uid)), error);
}

typedef struct {
	char *host, *queue_id, *state;
} Place;

static void take_place(MsSqlRow *row, void *user)
{
	Place *place = user;
	place->host = g_strdup(ms_sql_text(row, "host"));
	place->queue_id = g_strdup(ms_sql_text(row, "queue_id"));
	place->state = g_strdup(ms_sql_text(row, "state"));
}

/* Of some recipients: how many; of all that were held: 0. */
static gint64 count_recipients(const MsDecision *d)
{
	gint64 n = *d->recipients != '\0';
	for (const char *p = d->recipients; *p != '\0'; p++)
		n += *p == '\n';
	return n;
}

bool ledger_outbox_decided(MsLedger *ledger, const MsDecision *d, MsDecisionState state,
	const char *second, GError **error)
{
	Place place = {NULL, NULL, NULL};
	if (!ledger->tells)
		return true;
	bool fine = ledger_ask(ledger, "SELECT host, queue_id, state FROM held WHERE uid=:uid",
		MS_SQL_VALUES(MS_SQL_TEXT("uid", d->uid)), take_place, &place, error);
	if (fine && place.host != NULL) {
		g_autofree char *name = ms_record_name();
		fine = add(ledger, name, d->uid,
			about("decision", name, d->uid, place.host, place.queue_id),
			json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:I}", "decision", d->id,
				"group", d->group, "verb", ms_verbs[d->verb].name, "state",
				ms_decision_state_names[state], "who", word(d->who), "second",
				word(second), "message_state", word(place.state), "to",
				(json_int_t)count_recipients(d)),
			error);
	}
	g_free(place.host);
	g_free(place.queue_id);
	g_free(place.state);
	return fine;
}

bool ms_outbox_alert(MsLedger *ledger, const char *alert, bool on, const char *host, GError **error)
{
	if (!ledger->tells)
		return true;
	g_autofree char *name = ms_record_name();
	return add(ledger, name, "", about("alert", name, "", host, ""),
		json_pack("{s:s, s:s}", "alert", alert, "state", on ? "on" : "off"), error);
}

/* ---- taking --------------------------------------------------------------------------- */

static void take_item(MsSqlRow *row, void *list)
{
	MsOutboxItem *item = g_new0(MsOutboxItem, 1);
	item->id = ms_sql_number(row, "id");
	item->name = g_strdup(ms_sql_text(row, "name"));
	item->body = g_strdup(ms_sql_text(row, "body"));
	item->made = ms_sql_number(row, "made");
	item->tries = (guint)ms_sql_number(row, "tries");
	g_ptr_array_add(list, item);
}

GPtrArray *ms_outbox_due(MsLedger *ledger, guint limit, GError **error)
{
	g_autoptr(GPtrArray)
		list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_outbox_item_free);
	gint64 now = ms_clock_now();
	if (!ledger_ask(ledger,
		    "SELECT id, name, body, made, tries FROM outbox WHERE due <= :now OR due > :ahead"
		    " ORDER BY id LIMIT :limit",
		    MS_SQL_VALUES(MS_SQL_NUMBER("now", now),
			    /* put off by a clock that was ahead */
			    MS_SQL_NUMBER("ahead", now + MS_OUTBOX_WAIT_MOST_US),
			    MS_SQL_NUMBER("limit", limit)),
		    take_item, list, error))
		return NULL;
	return g_steal_pointer(&list);
}

bool ms_outbox_sent(MsLedger *ledger, const MsOutboxItem *item, GError **error)
{
	return ledger_run(ledger, "DELETE FROM outbox WHERE id=:id",
		MS_SQL_VALUES(MS_SQL_NUMBER("id", item->id)), error);
}

bool ms_outbox_later(MsLedger *ledger, const MsOutboxItem *item, gint64 wait_us, GError **error)
{
	return ledger_run(ledger, "UPDATE outbox SET tries=tries+1, due=:due WHERE id=:id",
		MS_SQL_VALUES(MS_SQL_NUMBER("id", item->id),
			MS_SQL_NUMBER("due", ms_clock_now() + MIN(wait_us, MS_OUTBOX_WAIT_MOST_US))),
		error);
}

/* What was hardly tried is not old, whatever the clock says. */
#define TRIED "20"

gint64 ms_outbox_forget(MsLedger *ledger, gint64 before, GError **error)
{
	gint64 changes = 0;
	MsAnswer answer = ms_sqlite_ask(ledger->db,
		"DELETE FROM outbox WHERE made < :before AND tries >= " TRIED
		" OR id <= (SELECT max(id) FROM outbox) - :most",
		MS_SQL_VALUES(
			MS_SQL_NUMBER("before", before), MS_SQL_NUMBER("most", MS_OUTBOX_MOST)),
		NULL, NULL, &changes, error);
	return answer == MS_FOUND ? changes : -1;
}
