#include "config.h"

#include <string.h>

#include "missent/quarantine.h"
#include "missent/store.h"

#define APPLICATION_ID 0x6d73686c /* "mshl" */

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS held ("
	" id INTEGER PRIMARY KEY, state TEXT NOT NULL, host TEXT NOT NULL, queue_id TEXT NOT NULL,"
	" arrived INTEGER NOT NULL, sender TEXT NOT NULL, size INTEGER NOT NULL,"
	" codes TEXT NOT NULL, policies TEXT NOT NULL);"
	"CREATE INDEX IF NOT EXISTS held_queue_id ON held (queue_id);"
	"CREATE INDEX IF NOT EXISTS held_state ON held (state, arrived);"
	"CREATE TABLE IF NOT EXISTS recipient ("
	" held INTEGER NOT NULL REFERENCES held (id), address TEXT NOT NULL);"
	"CREATE INDEX IF NOT EXISTS recipient_held ON recipient (held);"
	"CREATE TABLE IF NOT EXISTS reason ("
	" held INTEGER NOT NULL REFERENCES held (id), code TEXT NOT NULL, policy TEXT NOT NULL,"
	" action TEXT NOT NULL, enforced TEXT NOT NULL, kind TEXT, masked TEXT, place TEXT, owner TEXT,"
	" recipient TEXT, recipients INTEGER NOT NULL, text TEXT NOT NULL);"
	"CREATE INDEX IF NOT EXISTS reason_held ON reason (held);"
	"CREATE TABLE IF NOT EXISTS act ("
	" held INTEGER NOT NULL REFERENCES held (id), at INTEGER NOT NULL, who TEXT NOT NULL,"
	" what TEXT NOT NULL, why TEXT NOT NULL);"
	"CREATE INDEX IF NOT EXISTS act_held ON act (held);";

const char *const ms_state_names[MS_N_STATES + 1] = {"held", "observed", "released", "returned",
	"deleted", NULL};

struct MsRecords {
	MsSqlite *db;
};

MsRecords *ms_records_open(const char *path, GError **error)
{
	MsSqlite *db = ms_sqlite_open(path, APPLICATION_ID, schema, true, NULL, error);
	if (db == NULL)
		return NULL;
	MsRecords *records = g_new0(MsRecords, 1);
	records->db = db;
	return records;
}

void ms_records_free(MsRecords *records)
{
	if (records == NULL)
		return;
	ms_sqlite_free(records->db);
	g_free(records);
}

static void act_free(gpointer data)
{
	MsAct *act = data;
	g_free(act->who);
	g_free(act->what);
	g_free(act->why);
	g_free(act);
}

void ms_record_free(MsRecord *record)
{
	if (record == NULL)
		return;
	g_free(record->host);
	g_free(record->queue_id);
	g_free(record->sender);
	g_free(record->codes);
	g_free(record->policies);
	g_ptr_array_unref(record->recipients);
	g_ptr_array_unref(record->reasons);
	g_ptr_array_unref(record->acts);
	g_free(record);
}

/* ---- writing -------------------------------------------------------------------------- */

static char *number(gint64 n)
{
	return g_strdup_printf("%" G_GINT64_FORMAT, n);
}

static bool run(MsRecords *records, const char *sql, const char *const *params, GError **error)
{
	return ms_sqlite_run(records->db, sql, params, NULL, NULL, NULL, error) == MS_FOUND;
}

static bool add_head(MsRecords *records, const MsEnvelope *envelope, const MsVerdict *verdict,
	MsState state, GError **error)
{
	g_autofree char *arrived = number(envelope->arrived);
	g_autofree char *size = number((gint64)envelope->size);
	g_autofree char *codes = ms_verdict_codes(verdict, MS_TAG);
	g_autofree char *sender = g_utf8_make_valid(envelope->sender, -1);
	GPtrArray *titles = g_ptr_array_copy(verdict->policies, (GCopyFunc)(void (*)(void))g_strdup, NULL);
	g_ptr_array_add(titles, NULL);
	g_autofree char *policies = g_strjoinv(", ", (char **)titles->pdata);
	g_ptr_array_unref(titles);
	const char *params[] = {ms_state_names[state], envelope->host,
		envelope->queue_id != NULL ? envelope->queue_id : "", arrived, sender, size, codes,
		policies, NULL};
	return run(records,
		"INSERT INTO held (state, host, queue_id, arrived, sender, size, codes, policies)"
		" VALUES (?1, ?2, ?3, CAST(?4 AS INTEGER), ?5, CAST(?6 AS INTEGER), ?7, ?8)",
		params, error);
}

static const char *text_or_empty(const char *text)
{
	return text != NULL ? text : "";
}

static bool add_reason(MsRecords *records, const char *id, const MsReason *reason, GError **error)
{
	g_autofree char *recipients = number(reason->recipients);
	g_autofree char *recipient = g_utf8_make_valid(text_or_empty(reason->recipient), -1);
	const char *params[] = {id, ms_reason_names[reason->code], reason->policy,
		ms_action_names[reason->action], reason->enforced ? "1" : "0",
		text_or_empty(reason->kind), text_or_empty(reason->masked),
		text_or_empty(reason->where), text_or_empty(reason->owner), recipient, recipients,
		reason->text, NULL};
	return run(records,
		"INSERT INTO reason VALUES (CAST(?1 AS INTEGER), ?2, ?3, ?4, ?5, nullif(?6, ''),"
		" nullif(?7, ''), nullif(?8, ''), nullif(?9, ''), nullif(?10, ''),"
		" CAST(?11 AS INTEGER), ?12)",
		params, error);
}

static bool add_all(MsRecords *records, const MsEnvelope *envelope, const MsVerdict *verdict,
	MsState state, GError **error)
{
	if (!add_head(records, envelope, verdict, state, error))
		return false;
	g_autofree char *id = number(ms_sqlite_last_row(records->db));
	for (guint i = 0; i < envelope->recipients->len; i++) {
		g_autofree char *address = g_utf8_make_valid(envelope->recipients->pdata[i], -1);
		const char *params[] = {id, address, NULL};
		if (!run(records, "INSERT INTO recipient VALUES (CAST(?1 AS INTEGER), ?2)", params, error))
			return false;
	}
	for (guint i = 0; i < verdict->reasons->len; i++)
		if (!add_reason(records, id, verdict->reasons->pdata[i], error))
			return false;
	return true;
}

/* Ends the transaction in which `fine` was found out. */
static bool in_transaction(MsRecords *records, bool fine, GError **error)
{
	const char *end = fine ? "COMMIT" : "ROLLBACK";
	GError **out = fine ? error : NULL;
	if (run(records, end, NULL, out))
		return fine;
	run(records, "ROLLBACK", NULL, NULL);
	return false;
}

bool ms_records_add(MsRecords *records, const MsEnvelope *envelope, const MsVerdict *verdict,
	MsState state, GError **error)
{
	ms_sqlite_lock(records->db);
	bool fine = run(records, "BEGIN IMMEDIATE", NULL, error);
	if (fine)
		fine = in_transaction(records, add_all(records, envelope, verdict, state, error), error);
	ms_sqlite_unlock(records->db);
	return fine;
}

bool ms_records_act(MsRecords *records, gint64 id, MsState state, const char *who, const char *what,
	const char *why, GError **error)
{
	g_autofree char *key = number(id);
	g_autofree char *now = number(g_get_real_time());
	const char *act[] = {key, now, who, what, why, NULL};
	const char *change[] = {key, ms_state_names[state], NULL};
	ms_sqlite_lock(records->db);
	bool fine = run(records, "BEGIN IMMEDIATE", NULL, error);
	if (fine)
		fine = in_transaction(records,
			run(records,
				"INSERT INTO act VALUES (CAST(?1 AS INTEGER), CAST(?2 AS INTEGER), ?3, ?4, ?5)",
				act, error)
				&& run(records, "UPDATE held SET state=?2 WHERE id=CAST(?1 AS INTEGER)",
					change, error),
			error);
	ms_sqlite_unlock(records->db);
	return fine;
}

/* ---- reading -------------------------------------------------------------------------- */

static int index_of(const char *const *names, const char *name)
{
	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return 0;
}

static gint64 to_number(const char *text)
{
	return text != NULL ? g_ascii_strtoll(text, NULL, 10) : 0;
}

static void take_record(int n, const char *const *c, void *user)
{
	(void)n;
	MsRecord *record = g_new0(MsRecord, 1);
	record->id = to_number(c[0]);
	record->state = (MsState)index_of(ms_state_names, c[1]);
	record->host = g_strdup(c[2]);
	record->queue_id = g_strdup(c[3]);
	record->arrived = to_number(c[4]);
	record->sender = g_strdup(c[5]);
	record->size = (guint64)to_number(c[6]);
	record->codes = g_strdup(c[7]);
	record->policies = g_strdup(c[8]);
	record->recipients = g_ptr_array_new_with_free_func(g_free);
	MsVerdict *verdict = ms_verdict_new(); /* for its list of reasons */
	record->reasons = g_ptr_array_ref(verdict->reasons);
	ms_verdict_free(verdict);
	record->acts = g_ptr_array_new_with_free_func(act_free);
	g_ptr_array_add(user, record);
}

static void take_recipient(int n, const char *const *c, void *user)
{
	(void)n;
	g_ptr_array_add(((MsRecord *)user)->recipients, g_strdup(c[0]));
}

static void take_reason(int n, const char *const *c, void *user)
{
	(void)n;
	MsReason *reason = g_new0(MsReason, 1);
	reason->code = (MsReasonCode)index_of(ms_reason_names, c[0]);
	reason->policy = g_strdup(c[1]);
	reason->action = (MsAction)index_of(ms_action_names, c[2]);
	reason->enforced = strcmp(c[3], "1") == 0;
	reason->kind = g_strdup(c[4]);
	reason->masked = g_strdup(c[5]);
	reason->where = g_strdup(c[6]);
	reason->owner = g_strdup(c[7]);
	reason->recipient = g_strdup(c[8]);
	reason->recipients = (guint)to_number(c[9]);
	reason->text = g_strdup(c[10]);
	g_ptr_array_add(((MsRecord *)user)->reasons, reason);
}

static void take_act(int n, const char *const *c, void *user)
{
	(void)n;
	MsAct *act = g_new0(MsAct, 1);
	act->at = to_number(c[0]);
	act->who = g_strdup(c[1]);
	act->what = g_strdup(c[2]);
	act->why = g_strdup(c[3]);
	g_ptr_array_add(((MsRecord *)user)->acts, act);
}

static bool fill(MsRecords *records, MsRecord *record, const char *sql, MsSqliteRow row,
	GError **error)
{
	g_autofree char *id = number(record->id);
	const char *params[] = {id, NULL};
	return ms_sqlite_run(records->db, sql, params, row, record, NULL, error) == MS_FOUND;
}

static bool fill_recipients(MsRecords *records, MsRecord *record, GError **error)
{
	return fill(records, record,
		"SELECT address FROM recipient WHERE held=CAST(?1 AS INTEGER) ORDER BY rowid",
		take_recipient, error);
}

#define HEAD "SELECT id, state, host, queue_id, arrived, sender, size, codes, policies FROM held "

GPtrArray *ms_records_list(MsRecords *records, const MsRecordFilter *filter, GError **error)
{
	g_autofree char *older = number(filter->older_than > 0 ? filter->older_than : G_MAXINT64);
	g_autofree char *newer = number(filter->newer_than);
	g_autofree char *limit = number(filter->limit > 0 ? filter->limit : G_MAXINT32);
	const char *params[] = {filter->state >= 0 ? ms_state_names[filter->state] : "",
		text_or_empty(filter->reason), text_or_empty(filter->policy),
		text_or_empty(filter->sender), older, newer, limit, NULL};
	g_autoptr(GPtrArray) list =
		g_ptr_array_new_with_free_func((GDestroyNotify)ms_record_free);
	if (ms_sqlite_run(records->db,
		    HEAD "WHERE (?1='' OR state=?1)"
			 " AND (?2='' OR EXISTS (SELECT 1 FROM reason WHERE held=held.id AND code=?2))"
			 " AND (?3='' OR EXISTS (SELECT 1 FROM reason WHERE held=held.id AND policy=?3))"
			 " AND (?4='' OR instr(lower(sender), lower(?4)) > 0)"
			 " AND arrived <= CAST(?5 AS INTEGER) AND arrived >= CAST(?6 AS INTEGER)"
			 " ORDER BY arrived DESC, id DESC LIMIT CAST(?7 AS INTEGER)",
		    params, take_record, list, NULL, error) != MS_FOUND)
		return NULL;
	for (guint i = 0; i < list->len; i++)
		if (!fill_recipients(records, list->pdata[i], error))
			return NULL;
	return g_steal_pointer(&list);
}

MsRecord *ms_records_find(MsRecords *records, const char *queue_id, GError **error)
{
	const char *params[] = {queue_id, NULL};
	g_autoptr(GPtrArray) list =
		g_ptr_array_new_with_free_func((GDestroyNotify)ms_record_free);
	if (ms_sqlite_run(records->db, HEAD "WHERE queue_id=?1 ORDER BY arrived DESC LIMIT 1", params,
		    take_record, list, NULL, error) != MS_FOUND
		|| list->len == 0)
		return NULL;
	g_autoptr(MsRecord) record = g_ptr_array_steal_index(list, 0);
	if (!fill_recipients(records, record, error)
		|| !fill(records, record,
			"SELECT code, policy, action, enforced, kind, masked, place, owner, recipient,"
			" recipients, text FROM reason WHERE held=CAST(?1 AS INTEGER) ORDER BY rowid",
			take_reason, error)
		|| !fill(records, record,
			"SELECT at, who, what, why FROM act WHERE held=CAST(?1 AS INTEGER) ORDER BY rowid",
			take_act, error))
		return NULL;
	return g_steal_pointer(&record);
}
