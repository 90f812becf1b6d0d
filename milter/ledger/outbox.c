#include "config.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ledger_private.h"

/*
 * What others are to be told: written by who holds or decides, within his transaction; taken by the
 * agent, which sends it.  From any thread, and any process.
 */

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

static json_t *about(const char *event, const char *name, const char *uid, const char *host,
	const char *queue_id)
{
	return json_pack("{s:s, s:s, s:I, s:s, s:s, s:s}", "event", event, "delivery", name, "at",
		(json_int_t)(g_get_real_time() / G_USEC_PER_SEC), "uid", uid, "host", host,
		"queue_id", queue_id);
}

/* Takes `body`, which is NULL if a word in it was no UTF-8: then nobody is told. */
static bool add(MsLedger *ledger, const char *name, const char *uid, json_t *body, GError **error)
{
	char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	if (text == NULL)
		return true;
	bool fine = ledger_run(ledger,
		"INSERT INTO outbox (name, uid, body, made, tries, due) VALUES (:name, :uid, :body, :now, 0, :now)",
		MS_SQL_VALUES(MS_SQL_TEXT("name", name), MS_SQL_TEXT("uid", uid),
			MS_SQL_TEXT("body", text), MS_SQL_NUMBER("now", g_get_real_time())),
		error);
	free(text);
	return fine;
}

static const char *or_empty(const char *text)
{
	return text != NULL ? text : "";
}

bool ledger_outbox_held(MsLedger *ledger, const MsRecord *r, GError **error)
{
	if (!ledger->tells || r->state != MS_STATE_HELD)
		return true;
	g_autofree char *name = ms_record_name();
	json_t *body = about("held", name, r->uid, or_empty(r->host), or_empty(r->queue_id));
	json_t *more = json_pack("{s:s, s:s, s:I, s:I}", "reasons", or_empty(r->codes), "policies",
		or_empty(r->policies), "recipients", (json_int_t)r->n_recipients, "size",
		(json_int_t)r->size);
	if (body == NULL || more == NULL || json_object_update(body, more) != 0)
		g_clear_pointer(&body, json_decref);
	json_decref(more);
	return add(ledger, name, r->uid, body, error);
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
		json_t *body = about("decision", name, d->uid, place.host, place.queue_id);
		json_t *more = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "decision",
			d->id, "group", d->group, "verb", ms_verbs[d->verb].name, "state",
			ms_decision_state_names[state], "who", d->who, "second", second,
			"message_state", place.state, "to", (json_int_t)count_recipients(d));
		if (body == NULL || more == NULL || json_object_update(body, more) != 0)
			g_clear_pointer(&body, json_decref);
		json_decref(more);
		fine = add(ledger, name, d->uid, body, error);
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
	json_t *body = about("alert", name, "", or_empty(host), "");
	if (body != NULL) {
		json_object_set_new(body, "alert", json_string(alert));
		json_object_set_new(body, "state", json_string(on ? "on" : "off"));
	}
	return add(ledger, name, "", body, error);
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
	if (!ledger_ask(ledger,
		    "SELECT id, name, body, made, tries FROM outbox WHERE due <= :now ORDER BY id LIMIT :limit",
		    MS_SQL_VALUES(
			    MS_SQL_NUMBER("now", g_get_real_time()), MS_SQL_NUMBER("limit", limit)),
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
			MS_SQL_NUMBER("due", g_get_real_time() + wait_us)),
		error);
}

gint64 ms_outbox_forget(MsLedger *ledger, gint64 before, GError **error)
{
	gint64 changes = 0;
	MsAnswer answer = ms_sqlite_ask(ledger->db,
		"DELETE FROM outbox WHERE made < :before OR id <= (SELECT max(id) FROM outbox) - :most",
		MS_SQL_VALUES(
			MS_SQL_NUMBER("before", before), MS_SQL_NUMBER("most", MS_OUTBOX_MOST)),
		NULL, NULL, &changes, error);
	return answer == MS_FOUND ? changes : -1;
}
