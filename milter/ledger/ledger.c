#include "config.h"

#include <string.h>

#include "missent/digest.h"

#include "ledger_private.h"

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

static MsLedger *ledger_of(MsSqlite *db)
{
	MsLedger *ledger = db != NULL ? g_new0(MsLedger, 1) : NULL;
	if (ledger != NULL)
		ledger->db = db;
	return ledger;
}

MsLedger *ms_ledger_open(const char *path, GError **error)
{
	return ledger_of(ms_sqlite_open_upgraded(path, APPLICATION_ID, upgrades, schema, true, NULL, error));
}

MsLedger *ms_ledger_open_readonly(const char *path, GError **error)
{
	return ledger_of(ms_sqlite_open_upgraded(path, APPLICATION_ID, upgrades, schema, false, NULL, error));
}

void ms_ledger_free(MsLedger *ledger)
{
	if (ledger == NULL)
		return;
	ms_sqlite_free(ledger->db);
	g_free(ledger);
}

char *ms_record_name(void)
{
	return ms_digest_random_name(8);
}

/* ---- statements ----------------------------------------------------------------------- */

char *ledger_number(gint64 n)
{
	return g_strdup_printf("%" G_GINT64_FORMAT, n);
}

gint64 ledger_to_number(const char *text)
{
	return text != NULL ? g_ascii_strtoll(text, NULL, 10) : 0;
}

void ledger_take_number(int n, const char *const *columns, void *user)
{
	(void)n;
	*(gint64 *)user = ledger_to_number(columns[0]);
}

#define MAX_PARAMS 24

static bool ask(MsLedger *ledger, GError **error, MsSqliteRow row, void *user, const char *sql,
	va_list args)
{
	const char *params[MAX_PARAMS + 1];
	int n = 0;
	while ((params[n] = va_arg(args, const char *)) != NULL)
		g_assert(++n <= MAX_PARAMS);
	return ms_sqlite_run(ledger->db, sql, params, row, user, NULL, error) == MS_FOUND;
}

bool ledger_ask(MsLedger *ledger, GError **error, MsSqliteRow row, void *user, const char *sql, ...)
{
	va_list args;
	va_start(args, sql);
	bool fine = ask(ledger, error, row, user, sql, args);
	va_end(args);
	return fine;
}

bool ledger_run(MsLedger *ledger, GError **error, const char *sql, ...)
{
	va_list args;
	va_start(args, sql);
	bool fine = ask(ledger, error, NULL, NULL, sql, args);
	va_end(args);
	return fine;
}

bool ledger_begin(MsLedger *ledger, GError **error)
{
	ms_sqlite_lock(ledger->db);
	if (ledger_run(ledger, error, "BEGIN IMMEDIATE", NULL))
		return true;
	ms_sqlite_unlock(ledger->db);
	return false;
}

bool ledger_end(MsLedger *ledger, bool fine, GError **error)
{
	if (fine)
		fine = ledger_run(ledger, error, "COMMIT", NULL);
	if (!fine)
		ledger_run(ledger, NULL, "ROLLBACK", NULL);
	ms_sqlite_unlock(ledger->db);
	return fine;
}

bool ledger_touch(MsLedger *ledger, const char *id, GError **error)
{
	return ledger_run(ledger, error, "UPDATE counter SET n = n + 1", NULL)
		&& ledger_run(ledger, error,
			"UPDATE held SET changed=(SELECT n FROM counter) WHERE id=CAST(?1 AS INTEGER)", id, NULL);
}

/* ---- adding --------------------------------------------------------------------------- */

static const char *or_empty(const char *text)
{
	return text != NULL ? text : "";
}

static bool add_head(MsLedger *ledger, MsRecord *r, GError **error)
{
	g_autofree char *arrived = ledger_number(r->arrived);
	g_autofree char *size = ledger_number((gint64)r->size);
	g_autofree char *warned = ledger_number(r->warned);
	g_autofree char *recipients = ledger_number(r->n_recipients);
	g_autofree char *sender = g_utf8_make_valid(or_empty(r->sender), -1);
	if (r->uid == NULL)
		r->uid = ms_record_name();
	if (!ledger_run(ledger, error,
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
	r->id = ms_sqlite_last_row(ledger->db);
	return true;
}

static bool add_reason(MsLedger *ledger, const char *id, const MsReason *reason, GError **error)
{
	g_autofree char *recipients = ledger_number(reason->recipients);
	g_autofree char *recipient = g_utf8_make_valid(or_empty(reason->recipient), -1);
	return ledger_run(ledger, error,
		"INSERT INTO reason VALUES (CAST(?1 AS INTEGER), ?2, ?3, ?4, ?5, nullif(?6, ''),"
		" nullif(?7, ''), nullif(?8, ''), nullif(?9, ''), nullif(?10, ''),"
		" CAST(?11 AS INTEGER), ?12)",
		id, ms_reason_names[reason->code], reason->policy, ms_action_names[reason->action],
		reason->enforced ? "1" : "0", or_empty(reason->kind), or_empty(reason->masked),
		or_empty(reason->where), or_empty(reason->owner), recipient, recipients, reason->text, NULL);
}

static bool add_finding(MsLedger *ledger, const char *id, const MsHeldFinding *f, GError **error)
{
	g_autofree char *count = ledger_number(f->count);
	return ledger_run(ledger, error,
		"INSERT INTO finding VALUES (CAST(?1 AS INTEGER), ?2, ?3, ?4, ?5, ?6, ?7,"
		" CAST(?8 AS INTEGER), ?9)",
		id, f->kind, f->masked, f->ref, f->owners, f->belief, f->where, count, f->relations, NULL);
}

static bool add_act(MsLedger *ledger, const char *id, const MsAct *act, GError **error)
{
	g_autofree char *at = ledger_number(act->at);
	return ledger_run(ledger, error,
		"INSERT INTO act VALUES (CAST(?1 AS INTEGER), CAST(?2 AS INTEGER), ?3, ?4, ?5)", id, at,
		act->who, act->what, act->why, NULL);
}

static bool add_lists(MsLedger *ledger, const MsRecord *r, const char *id, GError **error)
{
	bool fine = true;
	for (guint i = 0; i < r->recipients->len && fine; i++) {
		const MsHeldRecipient *to = r->recipients->pdata[i];
		fine = ledger_run(ledger, error,
			"INSERT INTO recipient (held, address, state, accounts, outcome)"
			" VALUES (CAST(?1 AS INTEGER), ?2, ?3, ?4, ?5)", id, to->address,
			ms_state_names[to->state], to->accounts, ms_outcome_names[to->outcome], NULL);
	}
	for (guint i = 0; i < r->reasons->len && fine; i++)
		fine = add_reason(ledger, id, r->reasons->pdata[i], error);
	for (guint i = 0; i < r->findings->len && fine; i++)
		fine = add_finding(ledger, id, r->findings->pdata[i], error);
	for (guint i = 0; i < r->accounts->len && fine; i++)
		fine = ledger_run(ledger, error,
			"INSERT OR IGNORE INTO account VALUES (?2, CAST(?1 AS INTEGER))", id,
			(char *)r->accounts->pdata[i], NULL);
	for (guint i = 0; i < r->acts->len && fine; i++)
		fine = add_act(ledger, id, r->acts->pdata[i], error);
	for (guint i = 0; i < r->decisions->len && fine; i++)
		fine = ledger_add_decision(ledger, r->decisions->pdata[i], error);
	return fine;
}

static bool add_all(MsLedger *ledger, MsRecord *r, GError **error)
{
	if (!add_head(ledger, r, error))
		return false;
	g_autofree char *id = ledger_number(r->id);
	return add_lists(ledger, r, id, error) && ledger_touch(ledger, id, error);
}

bool ms_records_add(MsLedger *ledger, MsRecord *record, GError **error)
{
	return ledger_begin(ledger, error)
		&& ledger_end(ledger, add_all(ledger, record, error), error);
}

static bool remove_all(MsLedger *ledger, const char *id, const char *uid, GError **error)
{
	static const char *const tables[] = {"recipient", "reason", "finding", "account", "act"};
	bool fine = ledger_run(ledger, error, "DELETE FROM decision WHERE uid=?1", uid, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(tables) && fine; i++) {
		g_autofree char *sql =
			g_strdup_printf("DELETE FROM %s WHERE held=CAST(?1 AS INTEGER)", tables[i]);
		fine = ledger_run(ledger, error, sql, id, NULL);
	}
	return fine && ledger_run(ledger, error, "DELETE FROM held WHERE id=CAST(?1 AS INTEGER)", id, NULL);
}

static void take_two(int n, const char *const *columns, void *user)
{
	(void)n;
	gint64 *two = user;
	two[0] = ledger_to_number(columns[0]);
	two[1] = ledger_to_number(columns[1]);
}

/* What a record says of itself is ordered by its host's own count of changes. */
static bool mirror(MsLedger *ledger, MsRecord *r, GError **error)
{
	gint64 known[2] = {0, -1};
	if (!ledger_ask(ledger, error, take_two, known,
		    "SELECT ifnull((SELECT id FROM held WHERE uid=?1), 0),"
		    " ifnull((SELECT origin FROM mirrored WHERE uid=?1), -1)", r->uid, NULL))
		return false;
	if (known[1] >= r->changed) /* that is here, or was and has been forgotten */
		return true;
	g_autofree char *id = ledger_number(known[0]);
	g_autofree char *origin = ledger_number(r->changed);
	return (known[0] == 0 || remove_all(ledger, id, r->uid, error)) && add_all(ledger, r, error)
		&& ledger_run(ledger, error,
			"INSERT OR REPLACE INTO mirrored VALUES (?1, CAST(?2 AS INTEGER))", r->uid, origin, NULL);
}

bool ms_records_mirror(MsLedger *ledger, MsRecord *record, GError **error)
{
	return ledger_begin(ledger, error)
		&& ledger_end(ledger, mirror(ledger, record, error), error);
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

static bool forget(MsLedger *ledger, gint64 before, guint most, GPtrArray *list, GError **error)
{
	g_autofree char *time = ledger_number(before);
	g_autofree char *limit = ledger_number(most);
	bool fine = ledger_ask(ledger, error, take_old, list,
		"SELECT id, uid FROM held WHERE arrived < CAST(?1 AS INTEGER) AND state <> 'held' AND NOT EXISTS"
		" (SELECT 1 FROM decision d WHERE d.uid=held.uid AND d.state IN ('waiting', 'approved', 'acting'))"
		" ORDER BY arrived LIMIT CAST(?2 AS INTEGER)", time, limit, NULL);
	for (guint i = 0; fine && i < list->len; i++) {
		const Old *old = list->pdata[i];
		fine = remove_all(ledger, old->id, old->uid, error);
	}
	/* Who was told of a record, with it; who was told of a cause, when no window is that long. */
	g_autofree char *month_before = ledger_number(before - 30 * 86400 * (gint64)G_USEC_PER_SEC);
	return fine
		&& (list->len == 0
			|| ledger_run(ledger, error,
				"DELETE FROM notice WHERE CASE cause WHEN 'told' THEN address NOT IN (SELECT uid FROM held)"
				" ELSE at < CAST(?1 AS INTEGER) END", month_before, NULL));
}

gint64 ms_records_forget(MsLedger *ledger, gint64 before, guint most, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(old_free);
	bool fine = ledger_begin(ledger, error)
		&& ledger_end(ledger, forget(ledger, before, most, list, error), error);
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

char *ledger_join(const GPtrArray *addresses)
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
	return ledger_join(list);
}

char *ms_records_twin(MsLedger *ledger, const MsRecord *record)
{
	char *uid = NULL;
	if (record->message == NULL || *record->message == '\0')
		return NULL; /* without a name two messages cannot be told apart */
	g_autofree char *addresses = held_addresses(record);
	ledger_ask(ledger, NULL, take_text, &uid,
		"SELECT uid FROM held WHERE digest=?1 AND message=?2 AND sender=?3 AND state='held'"
		" AND place='spool' AND ?4=(SELECT group_concat(address, char(10)) FROM"
		" (SELECT address FROM recipient WHERE held=held.id AND state='held' ORDER BY address))",
		record->digest, record->message, record->sender, addresses, NULL);
	return uid;
}

/* ---- acts ----------------------------------------------------------------------------- */

static bool now_act(MsLedger *ledger, const char *id, const char *who, const char *what,
	const char *why, GError **error)
{
	MsAct act = {g_get_real_time(), (char *)who, (char *)what, (char *)why};
	return add_act(ledger, id, &act, error) && ledger_touch(ledger, id, error);
}

bool ms_records_act(MsLedger *ledger, gint64 id, const char *who, const char *what,
	const char *why, GError **error)
{
	g_autofree char *key = ledger_number(id);
	return ledger_begin(ledger, error)
		&& ledger_end(ledger, now_act(ledger, key, who, what, why, error), error);
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

static bool rejudge(MsLedger *ledger, const MsRecord *record, const GPtrArray *again, const char *who,
	GError **error)
{
	g_autofree char *id = ledger_number(record->id);
	g_autofree char *changes = changes_of(record, again);
	for (guint i = 0; i < again->len; i++) {
		const MsHeldRecipient *now = again->pdata[i];
		if (!ledger_run(ledger, error,
			    "UPDATE recipient SET outcome=?3, accounts=?4 WHERE held=CAST(?1 AS INTEGER)"
			    " AND address=?2 AND state='held'", id, now->address, ms_outcome_names[now->outcome],
			    now->accounts, NULL))
			return false;
	}
	return now_act(ledger, id, who, "rejudge", changes, error);
}

bool ms_records_rejudge(MsLedger *ledger, const MsRecord *record, const GPtrArray *again,
	const char *who, GError **error)
{
	return ledger_begin(ledger, error)
		&& ledger_end(ledger, rejudge(ledger, record, again, who, error), error);
}

static bool set(MsLedger *ledger, gint64 id, const char *sql, const char *value, GError **error)
{
	g_autofree char *key = ledger_number(id);
	return ledger_begin(ledger, error)
		&& ledger_end(ledger,
			ledger_run(ledger, error, sql, key, value, NULL) && ledger_touch(ledger, key, error),
			error);
}

bool ms_records_assign(MsLedger *ledger, gint64 id, const char *assignee, GError **error)
{
	return set(ledger, id, "UPDATE held SET assignee=?2 WHERE id=CAST(?1 AS INTEGER)", assignee, error);
}

bool ms_records_warned(MsLedger *ledger, gint64 id, gint64 when, GError **error)
{
	g_autofree char *text = ledger_number(when);
	return set(ledger, id, "UPDATE held SET warned=CAST(?2 AS INTEGER) WHERE id=CAST(?1 AS INTEGER)",
		text, error);
}
