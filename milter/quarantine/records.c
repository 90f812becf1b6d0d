#include "config.h"

#include <string.h>

#include "missent/digest.h"

#include "records_private.h"

#define APPLICATION_ID 0x6d736833 /* "msh3" */

/* Records of the version before say nothing of outcomes: nothing is proven of their recipients, so
 * that nothing is let go by right before a person, or the judge, has looked again. */
static const MsSqliteUpgrade upgrades[] = {
	{0x6d736832, "ALTER TABLE recipient ADD COLUMN outcome TEXT NOT NULL DEFAULT 'unproven'"},
	{0, NULL},
};

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS counter (n INTEGER NOT NULL);"
	"INSERT INTO counter SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM counter);"
	"CREATE TABLE IF NOT EXISTS held ("
	" id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, state TEXT NOT NULL, place TEXT NOT NULL,"
	" host TEXT NOT NULL, queue_id TEXT NOT NULL, arrived INTEGER NOT NULL, sender TEXT NOT NULL,"
	" size INTEGER NOT NULL, digest TEXT NOT NULL, message TEXT NOT NULL, signed TEXT NOT NULL,"
	" codes TEXT NOT NULL, policies TEXT NOT NULL, cause TEXT NOT NULL, assignee TEXT NOT NULL,"
	" warned INTEGER NOT NULL, changed INTEGER NOT NULL, recipients INTEGER NOT NULL);"
	"CREATE INDEX IF NOT EXISTS held_queue_id ON held (queue_id);"
	"CREATE INDEX IF NOT EXISTS held_state ON held (state, arrived);"
	"CREATE INDEX IF NOT EXISTS held_arrived ON held (arrived);"
	"CREATE INDEX IF NOT EXISTS held_sender ON held (state, sender);"
	"CREATE INDEX IF NOT EXISTS held_recipients ON held (state, recipients);"
	"CREATE INDEX IF NOT EXISTS held_size ON held (state, size);"
	"CREATE INDEX IF NOT EXISTS held_cause ON held (state, cause, arrived);"
	"CREATE INDEX IF NOT EXISTS held_changed ON held (changed);"
	"CREATE INDEX IF NOT EXISTS held_digest ON held (digest);"
	"CREATE TABLE IF NOT EXISTS recipient ("
	" held INTEGER NOT NULL REFERENCES held (id), address TEXT NOT NULL, state TEXT NOT NULL,"
	" accounts TEXT NOT NULL, outcome TEXT NOT NULL DEFAULT 'unproven');"
	"CREATE INDEX IF NOT EXISTS recipient_held ON recipient (held);"
	"CREATE TABLE IF NOT EXISTS reason ("
	" held INTEGER NOT NULL REFERENCES held (id), code TEXT NOT NULL, policy TEXT NOT NULL,"
	" action TEXT NOT NULL, enforced TEXT NOT NULL, kind TEXT, masked TEXT, place TEXT, owner TEXT,"
	" recipient TEXT, recipients INTEGER NOT NULL, text TEXT NOT NULL);"
	"CREATE INDEX IF NOT EXISTS reason_held ON reason (held);"
	"CREATE TABLE IF NOT EXISTS finding ("
	" held INTEGER NOT NULL REFERENCES held (id), kind TEXT NOT NULL, masked TEXT NOT NULL,"
	" ref TEXT NOT NULL, owners TEXT NOT NULL, belief TEXT NOT NULL, place TEXT NOT NULL,"
	" count INTEGER NOT NULL, relations TEXT NOT NULL);"
	"CREATE INDEX IF NOT EXISTS finding_held ON finding (held);"
	"CREATE TABLE IF NOT EXISTS account ("
	" name TEXT NOT NULL, held INTEGER NOT NULL REFERENCES held (id), PRIMARY KEY (name, held))"
	" WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS account_held ON account (held);"
	"CREATE TABLE IF NOT EXISTS act ("
	" held INTEGER NOT NULL REFERENCES held (id), at INTEGER NOT NULL, who TEXT NOT NULL,"
	" what TEXT NOT NULL, why TEXT NOT NULL);"
	"CREATE INDEX IF NOT EXISTS act_held ON act (held);"
	"CREATE TABLE IF NOT EXISTS decision ("
	" id TEXT PRIMARY KEY, uid TEXT NOT NULL REFERENCES held (uid), grp TEXT NOT NULL,"
	" verb TEXT NOT NULL, recipients TEXT NOT NULL, who TEXT NOT NULL, second TEXT NOT NULL,"
	" why TEXT NOT NULL, outcome TEXT NOT NULL, token TEXT NOT NULL, step TEXT NOT NULL,"
	" at INTEGER NOT NULL, state TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS decision_uid ON decision (uid);"
	"CREATE INDEX IF NOT EXISTS decision_state ON decision (state);"
	"CREATE INDEX IF NOT EXISTS decision_group ON decision (grp);"
	"CREATE TABLE IF NOT EXISTS token ("
	" hash TEXT PRIMARY KEY, digest TEXT NOT NULL, sender TEXT NOT NULL, recipients TEXT NOT NULL,"
	" made INTEGER NOT NULL, spent INTEGER NOT NULL, queue_id TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS notice ("
	" address TEXT NOT NULL, cause TEXT NOT NULL, at INTEGER NOT NULL,"
	" PRIMARY KEY (address, cause)) WITHOUT ROWID;"
	/* records of other hosts: each host's own count of changes */
	"CREATE TABLE IF NOT EXISTS mirrored (uid TEXT PRIMARY KEY, origin INTEGER NOT NULL)"
	" WITHOUT ROWID;";

static MsRecords *records_of(MsSqlite *db)
{
	MsRecords *records = db != NULL ? g_new0(MsRecords, 1) : NULL;
	if (records != NULL)
		records->db = db;
	return records;
}

MsRecords *ms_records_open(const char *path, GError **error)
{
	return records_of(ms_sqlite_open_upgraded(path, APPLICATION_ID, upgrades, schema, true, NULL, error));
}

MsRecords *ms_records_open_readonly(const char *path, GError **error)
{
	return records_of(ms_sqlite_open_upgraded(path, APPLICATION_ID, upgrades, schema, false, NULL, error));
}

void ms_records_free(MsRecords *records)
{
	if (records == NULL)
		return;
	ms_sqlite_free(records->db);
	g_free(records);
}

char *ms_records_name(void)
{
	return ms_digest_random_name(8);
}

/* ---- statements ----------------------------------------------------------------------- */

char *records_number(gint64 n)
{
	return g_strdup_printf("%" G_GINT64_FORMAT, n);
}

gint64 records_to_number(const char *text)
{
	return text != NULL ? g_ascii_strtoll(text, NULL, 10) : 0;
}

void records_take_number(int n, const char *const *columns, void *user)
{
	(void)n;
	*(gint64 *)user = records_to_number(columns[0]);
}

int records_index(const char *const *names, const char *name)
{
	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return 0;
}

MsOutcome records_outcome(const char *name)
{
	return g_strv_contains(ms_outcome_names, name)
		? (MsOutcome)records_index(ms_outcome_names, name) : MS_OUTCOME_UNPROVEN;
}

#define MAX_PARAMS 24

static bool ask(MsRecords *records, GError **error, MsSqliteRow row, void *user, const char *sql,
	va_list args)
{
	const char *params[MAX_PARAMS + 1];
	int n = 0;
	while ((params[n] = va_arg(args, const char *)) != NULL)
		g_assert(++n <= MAX_PARAMS);
	return ms_sqlite_run(records->db, sql, params, row, user, NULL, error) == MS_FOUND;
}

bool records_ask(MsRecords *records, GError **error, MsSqliteRow row, void *user, const char *sql, ...)
{
	va_list args;
	va_start(args, sql);
	bool fine = ask(records, error, row, user, sql, args);
	va_end(args);
	return fine;
}

bool records_run(MsRecords *records, GError **error, const char *sql, ...)
{
	va_list args;
	va_start(args, sql);
	bool fine = ask(records, error, NULL, NULL, sql, args);
	va_end(args);
	return fine;
}

bool records_begin(MsRecords *records, GError **error)
{
	ms_sqlite_lock(records->db);
	if (records_run(records, error, "BEGIN IMMEDIATE", NULL))
		return true;
	ms_sqlite_unlock(records->db);
	return false;
}

bool records_end(MsRecords *records, bool fine, GError **error)
{
	if (fine)
		fine = records_run(records, error, "COMMIT", NULL);
	if (!fine)
		records_run(records, NULL, "ROLLBACK", NULL);
	ms_sqlite_unlock(records->db);
	return fine;
}

bool records_touch(MsRecords *records, const char *id, GError **error)
{
	return records_run(records, error, "UPDATE counter SET n = n + 1", NULL)
		&& records_run(records, error,
			"UPDATE held SET changed=(SELECT n FROM counter) WHERE id=CAST(?1 AS INTEGER)", id, NULL);
}

/* ---- adding --------------------------------------------------------------------------- */

static const char *or_empty(const char *text)
{
	return text != NULL ? text : "";
}

static bool add_head(MsRecords *records, MsRecord *r, GError **error)
{
	g_autofree char *arrived = records_number(r->arrived);
	g_autofree char *size = records_number((gint64)r->size);
	g_autofree char *warned = records_number(r->warned);
	g_autofree char *recipients = records_number(r->n_recipients);
	g_autofree char *sender = g_utf8_make_valid(or_empty(r->sender), -1);
	if (r->uid == NULL)
		r->uid = ms_records_name();
	if (!records_run(records, error,
		    "INSERT INTO held (uid, state, place, host, queue_id, arrived, sender, size, digest,"
		    " message, signed, codes, policies, cause, assignee, warned, changed, recipients)"
		    " VALUES (?1, ?2, ?3, ?4, ?5, CAST(?6 AS INTEGER), ?7, CAST(?8 AS INTEGER), ?9, ?10,"
		    " ?11, ?12, ?13, ?14, ?15, CAST(?16 AS INTEGER), 0, CAST(?17 AS INTEGER))",
		    r->uid, ms_state_names[r->state], ms_held_place_names[r->place], or_empty(r->host),
		    or_empty(r->queue_id), arrived, sender, size, or_empty(r->digest),
		    or_empty(r->message), r->is_signed ? "1" : "0", or_empty(r->codes),
		    or_empty(r->policies), or_empty(r->cause), or_empty(r->assignee), warned, recipients,
		    NULL))
		return false;
	r->id = ms_sqlite_last_row(records->db);
	return true;
}

static bool add_reason(MsRecords *records, const char *id, const MsReason *reason, GError **error)
{
	g_autofree char *recipients = records_number(reason->recipients);
	g_autofree char *recipient = g_utf8_make_valid(or_empty(reason->recipient), -1);
	return records_run(records, error,
		"INSERT INTO reason VALUES (CAST(?1 AS INTEGER), ?2, ?3, ?4, ?5, nullif(?6, ''),"
		" nullif(?7, ''), nullif(?8, ''), nullif(?9, ''), nullif(?10, ''),"
		" CAST(?11 AS INTEGER), ?12)",
		id, ms_reason_names[reason->code], reason->policy, ms_action_names[reason->action],
		reason->enforced ? "1" : "0", or_empty(reason->kind), or_empty(reason->masked),
		or_empty(reason->where), or_empty(reason->owner), recipient, recipients, reason->text, NULL);
}

static bool add_finding(MsRecords *records, const char *id, const MsHeldFinding *f, GError **error)
{
	g_autofree char *count = records_number(f->count);
	return records_run(records, error,
		"INSERT INTO finding VALUES (CAST(?1 AS INTEGER), ?2, ?3, ?4, ?5, ?6, ?7,"
		" CAST(?8 AS INTEGER), ?9)",
		id, f->kind, f->masked, f->ref, f->owners, f->belief, f->where, count, f->relations, NULL);
}

static bool add_act(MsRecords *records, const char *id, const MsAct *act, GError **error)
{
	g_autofree char *at = records_number(act->at);
	return records_run(records, error,
		"INSERT INTO act VALUES (CAST(?1 AS INTEGER), CAST(?2 AS INTEGER), ?3, ?4, ?5)", id, at,
		act->who, act->what, act->why, NULL);
}

static bool add_lists(MsRecords *records, const MsRecord *r, const char *id, GError **error)
{
	bool fine = true;
	for (guint i = 0; i < r->recipients->len && fine; i++) {
		const MsHeldRecipient *to = r->recipients->pdata[i];
		fine = records_run(records, error,
			"INSERT INTO recipient (held, address, state, accounts, outcome)"
			" VALUES (CAST(?1 AS INTEGER), ?2, ?3, ?4, ?5)", id, to->address,
			ms_state_names[to->state], to->accounts, ms_outcome_names[to->outcome], NULL);
	}
	for (guint i = 0; i < r->reasons->len && fine; i++)
		fine = add_reason(records, id, r->reasons->pdata[i], error);
	for (guint i = 0; i < r->findings->len && fine; i++)
		fine = add_finding(records, id, r->findings->pdata[i], error);
	for (guint i = 0; i < r->accounts->len && fine; i++)
		fine = records_run(records, error,
			"INSERT OR IGNORE INTO account VALUES (?2, CAST(?1 AS INTEGER))", id,
			(char *)r->accounts->pdata[i], NULL);
	for (guint i = 0; i < r->acts->len && fine; i++)
		fine = add_act(records, id, r->acts->pdata[i], error);
	for (guint i = 0; i < r->decisions->len && fine; i++)
		fine = records_add_decision(records, r->decisions->pdata[i], error);
	return fine;
}

static bool add_all(MsRecords *records, MsRecord *r, GError **error)
{
	if (!add_head(records, r, error))
		return false;
	g_autofree char *id = records_number(r->id);
	return add_lists(records, r, id, error) && records_touch(records, id, error);
}

bool ms_records_add(MsRecords *records, MsRecord *record, GError **error)
{
	return records_begin(records, error)
		&& records_end(records, add_all(records, record, error), error);
}

static bool remove_all(MsRecords *records, const char *id, const char *uid, GError **error)
{
	static const char *const tables[] = {"recipient", "reason", "finding", "account", "act"};
	bool fine = records_run(records, error, "DELETE FROM decision WHERE uid=?1", uid, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(tables) && fine; i++) {
		g_autofree char *sql =
			g_strdup_printf("DELETE FROM %s WHERE held=CAST(?1 AS INTEGER)", tables[i]);
		fine = records_run(records, error, sql, id, NULL);
	}
	return fine && records_run(records, error, "DELETE FROM held WHERE id=CAST(?1 AS INTEGER)", id, NULL);
}

static void take_two(int n, const char *const *columns, void *user)
{
	(void)n;
	gint64 *two = user;
	two[0] = records_to_number(columns[0]);
	two[1] = records_to_number(columns[1]);
}

/* What a record says of itself is ordered by its host's own count of changes. */
static bool mirror(MsRecords *records, MsRecord *r, GError **error)
{
	gint64 known[2] = {0, -1};
	if (!records_ask(records, error, take_two, known,
		    "SELECT ifnull((SELECT id FROM held WHERE uid=?1), 0),"
		    " ifnull((SELECT origin FROM mirrored WHERE uid=?1), -1)", r->uid, NULL))
		return false;
	if (known[1] >= r->changed) /* that is here, or was and has been forgotten */
		return true;
	g_autofree char *id = records_number(known[0]);
	g_autofree char *origin = records_number(r->changed);
	return (known[0] == 0 || remove_all(records, id, r->uid, error)) && add_all(records, r, error)
		&& records_run(records, error,
			"INSERT OR REPLACE INTO mirrored VALUES (?1, CAST(?2 AS INTEGER))", r->uid, origin, NULL);
}

bool ms_records_mirror(MsRecords *records, MsRecord *record, GError **error)
{
	return records_begin(records, error)
		&& records_end(records, mirror(records, record, error), error);
}

typedef struct {
	char *id, *uid;
} Old;

static void old_free(gpointer data)
{
	Old *old = data;
	g_free(old->id);
	g_free(old->uid);
	g_free(old);
}

static void take_old(int n, const char *const *columns, void *user)
{
	(void)n;
	Old *old = g_new(Old, 1);
	*old = (Old){g_strdup(columns[0]), g_strdup(columns[1])};
	g_ptr_array_add(user, old);
}

static bool forget(MsRecords *records, gint64 before, guint most, GPtrArray *list, GError **error)
{
	g_autofree char *time = records_number(before);
	g_autofree char *limit = records_number(most);
	bool fine = records_ask(records, error, take_old, list,
		"SELECT id, uid FROM held WHERE arrived < CAST(?1 AS INTEGER) AND state <> 'held' AND NOT EXISTS"
		" (SELECT 1 FROM decision d WHERE d.uid=held.uid AND d.state IN ('waiting', 'approved', 'acting'))"
		" ORDER BY arrived LIMIT CAST(?2 AS INTEGER)", time, limit, NULL);
	for (guint i = 0; fine && i < list->len; i++) {
		const Old *old = list->pdata[i];
		fine = remove_all(records, old->id, old->uid, error);
	}
	/* Who was told of a record, with it; who was told of a cause, when no window is that long. */
	g_autofree char *month_before = records_number(before - 30 * 86400 * (gint64)G_USEC_PER_SEC);
	return fine
		&& (list->len == 0
			|| records_run(records, error,
				"DELETE FROM notice WHERE CASE cause WHEN 'told' THEN address NOT IN (SELECT uid FROM held)"
				" ELSE at < CAST(?1 AS INTEGER) END", month_before, NULL));
}

gint64 ms_records_forget(MsRecords *records, gint64 before, guint most, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(old_free);
	bool fine = records_begin(records, error)
		&& records_end(records, forget(records, before, most, list, error), error);
	return fine ? (gint64)list->len : -1;
}

static void take_text(int n, const char *const *columns, void *user)
{
	(void)n;
	char **out = user;
	if (*out == NULL)
		*out = g_strdup(columns[0]);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *records_join(const GPtrArray *addresses)
{
	g_autoptr(GPtrArray) sorted = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < addresses->len; i++)
		g_ptr_array_add(sorted, g_utf8_make_valid(addresses->pdata[i], -1));
	g_ptr_array_sort(sorted, compare);
	g_ptr_array_add(sorted, NULL);
	return g_strjoinv("\n", (char **)sorted->pdata);
}

static char *held_addresses(const MsRecord *record)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	for (guint i = 0; i < record->recipients->len; i++) {
		const MsHeldRecipient *to = record->recipients->pdata[i];
		if (to->state == MS_STATE_HELD)
			g_ptr_array_add(list, to->address);
	}
	return records_join(list);
}

char *ms_records_twin(MsRecords *records, const MsRecord *record)
{
	char *uid = NULL;
	if (record->message == NULL || *record->message == '\0')
		return NULL; /* without a name two messages cannot be told apart */
	g_autofree char *addresses = held_addresses(record);
	records_ask(records, NULL, take_text, &uid,
		"SELECT uid FROM held WHERE digest=?1 AND message=?2 AND sender=?3 AND state='held'"
		" AND place='spool' AND ?4=(SELECT group_concat(address, char(10)) FROM"
		" (SELECT address FROM recipient WHERE held=held.id AND state='held' ORDER BY address))",
		record->digest, record->message, record->sender, addresses, NULL);
	return uid;
}

/* ---- acts ----------------------------------------------------------------------------- */

static bool now_act(MsRecords *records, const char *id, const char *who, const char *what,
	const char *why, GError **error)
{
	MsAct act = {g_get_real_time(), (char *)who, (char *)what, (char *)why};
	return add_act(records, id, &act, error) && records_touch(records, id, error);
}

bool ms_records_act(MsRecords *records, gint64 id, const char *who, const char *what,
	const char *why, GError **error)
{
	g_autofree char *key = records_number(id);
	return records_begin(records, error)
		&& records_end(records, now_act(records, key, who, what, why, error), error);
}

static const MsHeldRecipient *recipient_named(const MsRecord *record, const char *address)
{
	for (guint i = 0; i < record->recipients->len; i++)
		if (strcmp(((MsHeldRecipient *)record->recipients->pdata[i])->address, address) == 0)
			return record->recipients->pdata[i];
	return NULL;
}

/* "a@b.example: wrong, now right": the judgement before stays to be read in the acts. */
static char *changes_of(const MsRecord *record, const GPtrArray *again)
{
	const guint most = 20;
	guint n = 0;
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < again->len; i++) {
		const MsHeldRecipient *now = again->pdata[i], *before = recipient_named(record, now->address);
		if (before == NULL || before->outcome == now->outcome || n++ >= most)
			continue;
		g_string_append_printf(out, "%s%s: %s, now %s", n > 1 ? "; " : "", now->address,
			ms_outcome_names[before->outcome], ms_outcome_names[now->outcome]);
	}
	if (n > most)
		g_string_append_printf(out, "; and %u more", n - most);
	return g_string_free(n > 0 ? out : g_string_append(out, "as before"), FALSE);
}

static bool rejudge(MsRecords *records, const MsRecord *record, const GPtrArray *again, const char *who,
	GError **error)
{
	g_autofree char *id = records_number(record->id);
	g_autofree char *changes = changes_of(record, again);
	for (guint i = 0; i < again->len; i++) {
		const MsHeldRecipient *now = again->pdata[i];
		if (!records_run(records, error,
			    "UPDATE recipient SET outcome=?3, accounts=?4 WHERE held=CAST(?1 AS INTEGER)"
			    " AND address=?2 AND state='held'", id, now->address, ms_outcome_names[now->outcome],
			    now->accounts, NULL))
			return false;
	}
	return now_act(records, id, who, "rejudge", changes, error);
}

bool ms_records_rejudge(MsRecords *records, const MsRecord *record, const GPtrArray *again,
	const char *who, GError **error)
{
	return records_begin(records, error)
		&& records_end(records, rejudge(records, record, again, who, error), error);
}

static bool set(MsRecords *records, gint64 id, const char *sql, const char *value, GError **error)
{
	g_autofree char *key = records_number(id);
	return records_begin(records, error)
		&& records_end(records,
			records_run(records, error, sql, key, value, NULL) && records_touch(records, key, error),
			error);
}

bool ms_records_assign(MsRecords *records, gint64 id, const char *assignee, GError **error)
{
	return set(records, id, "UPDATE held SET assignee=?2 WHERE id=CAST(?1 AS INTEGER)", assignee, error);
}

bool ms_records_warned(MsRecords *records, gint64 id, gint64 when, GError **error)
{
	g_autofree char *text = records_number(when);
	return set(records, id, "UPDATE held SET warned=CAST(?2 AS INTEGER) WHERE id=CAST(?1 AS INTEGER)",
		text, error);
}
