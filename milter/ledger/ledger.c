/*
 * The records of all holds, written: a record comes in from the engine, or from another host, and
 * is on disk when its function returns; acts, assignments and new judgements are added to it.
 * Each change is one transaction under the lock of the database and moves the record to the end
 * of what changed.  From any thread, and any process.
 */
#include "config.h"

#include <string.h>

#include "missent/answer.h"
#include "missent/clock.h"
#include "missent/digest.h"

#include "ledger_private.h"

#define APPLICATION_ID 0x6d736834 /* "msh4" */

/* What was said with a verb stood in the outcome until there was one: "REF ACCOUNT", the account,
 * or the assignee. */
#define SAID_WITH_VERBS \
	/* what could not be read was told with names in it */ \
	"UPDATE reason SET text=substr(text, 1, instr(text || ':', ':') - 1) WHERE code='unreadable';" \
	"ALTER TABLE held ADD COLUMN damaged TEXT NOT NULL DEFAULT '';" \
	"ALTER TABLE held ADD COLUMN unclear TEXT NOT NULL DEFAULT '';" \
	"ALTER TABLE decision ADD COLUMN rightful INTEGER NOT NULL DEFAULT 0;" \
	"ALTER TABLE decision ADD COLUMN account TEXT NOT NULL DEFAULT '';" \
	"ALTER TABLE decision ADD COLUMN identifier TEXT NOT NULL DEFAULT '';" \
	"ALTER TABLE decision ADD COLUMN assignee TEXT NOT NULL DEFAULT '';" \
	"UPDATE decision SET identifier=substr(outcome, 1, instr(outcome, ' ') - 1)," \
	" account=substr(outcome, instr(outcome, ' ') + 1), outcome=''" \
	" WHERE verb='belongs' AND state IN ('waiting', 'approved', 'acting') AND instr(outcome, ' ') > 0;" \
	"UPDATE decision SET account=outcome, outcome=''" \
	" WHERE verb='may-receive' AND state IN ('waiting', 'approved', 'acting');" \
	"UPDATE decision SET assignee=outcome, outcome=''" \
	" WHERE verb='assign' AND state IN ('waiting', 'approved', 'acting')"

/* Records of msh2 say nothing of outcomes: nothing is proven of their recipients, so that nothing
 * is let go by right before a person, or the judge, has looked again. */
static const MsSqliteUpgrade upgrades[] = {
	{0x6d736832,
		"ALTER TABLE recipient ADD COLUMN outcome TEXT NOT NULL DEFAULT 'unproven';" SAID_WITH_VERBS},
	{0x6d736833, SAID_WITH_VERBS},
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
	" warned INTEGER NOT NULL, changed INTEGER NOT NULL, recipients INTEGER NOT NULL,"
	" damaged TEXT NOT NULL DEFAULT '', unclear TEXT NOT NULL DEFAULT '');"
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
	"CREATE INDEX IF NOT EXISTS recipient_address ON recipient (held, address);" /* a message may have very many */
	"DROP INDEX IF EXISTS recipient_held;"
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
	"CREATE INDEX IF NOT EXISTS account_held ON account (held);" LEDGER_GLANCE_SCHEMA
	"CREATE TABLE IF NOT EXISTS act ("
	" held INTEGER NOT NULL REFERENCES held (id), at INTEGER NOT NULL, who TEXT NOT NULL,"
	" what TEXT NOT NULL, why TEXT NOT NULL);"
	"CREATE INDEX IF NOT EXISTS act_held ON act (held);"
	"CREATE TABLE IF NOT EXISTS decision ("
	" id TEXT PRIMARY KEY, uid TEXT NOT NULL REFERENCES held (uid), grp TEXT NOT NULL,"
	" verb TEXT NOT NULL, recipients TEXT NOT NULL, who TEXT NOT NULL, second TEXT NOT NULL,"
	" why TEXT NOT NULL, outcome TEXT NOT NULL, token TEXT NOT NULL, step TEXT NOT NULL,"
	" at INTEGER NOT NULL, state TEXT NOT NULL, rightful INTEGER NOT NULL DEFAULT 0,"
	" account TEXT NOT NULL DEFAULT '', identifier TEXT NOT NULL DEFAULT '',"
	" assignee TEXT NOT NULL DEFAULT '') WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS decision_uid ON decision (uid);"
	"CREATE INDEX IF NOT EXISTS decision_state ON decision (state);"
	"CREATE INDEX IF NOT EXISTS decision_group ON decision (grp);"
	"CREATE TABLE IF NOT EXISTS token ("
	" hash TEXT PRIMARY KEY, digest TEXT NOT NULL, sender TEXT NOT NULL, recipients TEXT NOT NULL,"
	" made INTEGER NOT NULL, spent INTEGER NOT NULL, queue_id TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS notice ("
	" address TEXT NOT NULL, cause TEXT NOT NULL, at INTEGER NOT NULL,"
	" PRIMARY KEY (address, cause)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS clock (id INTEGER PRIMARY KEY, seen INTEGER NOT NULL,"
	" since INTEGER NOT NULL);"
	/* what others are to be told */
	"CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL,"
	" uid TEXT NOT NULL, body TEXT NOT NULL, made INTEGER NOT NULL, tries INTEGER NOT NULL,"
	" due INTEGER NOT NULL);"
	"CREATE INDEX IF NOT EXISTS outbox_due ON outbox (due);"
	"CREATE INDEX IF NOT EXISTS outbox_uid ON outbox (uid);"
	/* mails of ours that must be held */
	"CREATE TABLE IF NOT EXISTS canary (id TEXT PRIMARY KEY, listener TEXT NOT NULL, digest TEXT NOT NULL,"
	" sender TEXT NOT NULL, recipient TEXT NOT NULL, sent INTEGER NOT NULL, became TEXT NOT NULL,"
	" queue_id TEXT NOT NULL, ended INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS canary_state (listener TEXT PRIMARY KEY, well INTEGER NOT NULL) WITHOUT ROWID;"
	/* those that wait */
	"CREATE TABLE IF NOT EXISTS wait (held INTEGER PRIMARY KEY REFERENCES held (id), asked INTEGER NOT NULL,"
	" due INTEGER NOT NULL);"
	/* records of other hosts: each host's own count of changes */
	"CREATE TABLE IF NOT EXISTS mirrored (uid TEXT PRIMARY KEY, origin INTEGER NOT NULL)"
	" WITHOUT ROWID;";

static MsLedger *ledger_of(MsSqlite *db)
{
	MsLedger *ledger = db != NULL ? g_new0(MsLedger, 1) : NULL;
	if (ledger != NULL) {
		ledger->db = db;
		ledger->adding = ledger_adding_new();
	}
	return ledger;
}

MsLedger *ms_ledger_open(const char *path, GError **error)
{
	g_autoptr(MsSqlite) db =
		ms_sqlite_open_upgraded(path, APPLICATION_ID, upgrades, schema, true, NULL, error);
	bool fine = db != NULL && ms_sqlite_can_write(db, error);
	return fine ? ledger_of(g_steal_pointer(&db)) : NULL;
}

MsLedger *ms_ledger_open_readonly(const char *path, GError **error)
{
	return ledger_of(ms_sqlite_open_upgraded(
		path, APPLICATION_ID, upgrades, schema, false, NULL, error));
}

void ms_ledger_free(MsLedger *ledger)
{
	if (ledger == NULL)
		return;
	ledger_adding_free(ledger->adding);
	ms_sqlite_free(ledger->db);
	g_free(ledger);
}

char *ms_record_name(void)
{
	return ms_digest_random_name(8);
}

/* ---- statements ----------------------------------------------------------------------- */

bool ledger_run(MsLedger *ledger, const char *sql, const MsSqlValue *values, GError **error)
{
	return ms_sqlite_ask(ledger->db, sql, values, NULL, NULL, NULL, error) == MS_FOUND;
}

bool ledger_ask(MsLedger *ledger, const char *sql, const MsSqlValue *values, MsSqlTake take,
	void *user, GError **error)
{
	return ms_sqlite_ask(ledger->db, sql, values, take, user, NULL, error) == MS_FOUND;
}

static void take_number(MsSqlRow *row, void *user)
{
	*(gint64 *)user = ms_sql_number(row, "n");
}

bool ledger_ask_number(MsLedger *ledger, const char *sql, const MsSqlValue *values, gint64 *out,
	GError **error)
{
	gint64 n = 0;
	bool fine = ledger_ask(ledger, sql, values, take_number, &n, error);
	if (fine)
		*out = n;
	return fine;
}

bool ledger_begin(MsLedger *ledger, GError **error)
{
	ms_sqlite_lock(ledger->db);
	if (ledger_run(ledger, "BEGIN IMMEDIATE", NULL, error))
		return true;
	ms_sqlite_unlock(ledger->db);
	return false;
}

bool ledger_end(MsLedger *ledger, bool fine, GError **error)
{
	if (fine)
		fine = ledger_run(ledger, "COMMIT", NULL, error);
	if (!fine)
		ledger_run(ledger, "ROLLBACK", NULL, NULL);
	ms_sqlite_unlock(ledger->db);
	return fine;
}

bool ledger_look(MsLedger *ledger, GError **error)
{
	ms_sqlite_lock(ledger->db);
	if (ledger_run(ledger, "BEGIN", NULL, error))
		return true;
	ms_sqlite_unlock(ledger->db);
	return false;
}

bool ledger_touch(MsLedger *ledger, gint64 id, GError **error)
{
	return ledger_run(ledger, "UPDATE counter SET n = n + 1", NULL, error) &&
		ledger_run(ledger, "UPDATE held SET changed=(SELECT n FROM counter) WHERE id=:id",
			MS_SQL_VALUES(MS_SQL_NUMBER("id", id)), error);
}

/* ---- adding --------------------------------------------------------------------------- */

static const char *or_empty(const char *text)
{
	return text != NULL ? text : "";
}

static bool add_head(MsLedger *ledger, MsRecord *r, GError **error)
{
	g_autofree char *sender = g_utf8_make_valid(or_empty(r->sender), -1);
	if (r->uid == NULL)
		r->uid = ms_record_name();
	if (!ledger_run(ledger,
		    "INSERT INTO held (uid, state, place, host, queue_id, arrived, sender, size, digest,"
		    " message, signed, codes, policies, cause, assignee, warned, changed, recipients,"
		    " damaged, unclear) VALUES (:uid, :state, :place, :host, :queue_id, :arrived, :sender, :size, :digest,"
		    " :message, :signed, :codes, :policies, :cause, :assignee, :warned, 0, :recipients,"
		    " :damaged, :unclear)",
		    MS_SQL_VALUES(MS_SQL_TEXT("uid", r->uid),
			    MS_SQL_TEXT("state", ms_state_names[r->state]),
			    MS_SQL_TEXT("place", ms_held_place_names[r->place]),
			    MS_SQL_TEXT("host", or_empty(r->host)),
			    MS_SQL_TEXT("queue_id", or_empty(r->queue_id)),
			    MS_SQL_NUMBER("arrived", r->arrived), MS_SQL_TEXT("sender", sender),
			    MS_SQL_NUMBER("size", (gint64)r->size),
			    MS_SQL_TEXT("digest", or_empty(r->digest)),
			    MS_SQL_TEXT("message", or_empty(r->message)),
			    MS_SQL_TEXT("signed", r->is_signed ? "1" : "0"),
			    MS_SQL_TEXT("codes", or_empty(r->codes)),
			    MS_SQL_TEXT("policies", or_empty(r->policies)),
			    MS_SQL_TEXT("cause", or_empty(r->cause)),
			    MS_SQL_TEXT("assignee", or_empty(r->assignee)),
			    MS_SQL_NUMBER("warned", r->warned),
			    MS_SQL_NUMBER("recipients", r->n_recipients),
			    MS_SQL_TEXT("damaged", r->damaged), MS_SQL_TEXT("unclear", r->unclear)),
		    error))
		return false;
	r->id = ms_sqlite_last_row(ledger->db);
	return true;
}

static bool add_recipient(MsLedger *ledger, gint64 id, const MsHeldRecipient *to, GError **error)
{
	return ledger_run(ledger,
		"INSERT INTO recipient (held, address, state, accounts, outcome)"
		" VALUES (:held, :address, :state, :accounts, :outcome)",
		MS_SQL_VALUES(MS_SQL_NUMBER("held", id), MS_SQL_TEXT("address", to->address),
			MS_SQL_TEXT("state", ms_state_names[to->state]),
			MS_SQL_TEXT("accounts", to->accounts),
			MS_SQL_TEXT("outcome", ms_outcome_names[to->outcome])),
		error);
}

static const char *or_null(const char *text)
{
	return text != NULL && *text != '\0' ? text : NULL;
}

static bool add_reason(MsLedger *ledger, gint64 id, const MsReason *reason, GError **error)
{
	g_autofree char *recipient = g_utf8_make_valid(or_empty(reason->recipient), -1);
	return ledger_run(ledger,
		"INSERT INTO reason (held, code, policy, action, enforced, kind, masked, place, owner, recipient,"
		" recipients, text) VALUES (:held, :code, :policy, :action, :enforced, :kind, :masked, :place,"
		" :owner, :recipient, :recipients, :text)",
		MS_SQL_VALUES(MS_SQL_NUMBER("held", id),
			MS_SQL_TEXT("code", ms_reason_names[reason->code]),
			MS_SQL_TEXT("policy", reason->policy),
			MS_SQL_TEXT("action", ms_action_names[reason->action]),
			MS_SQL_TEXT("enforced", reason->enforced ? "1" : "0"),
			MS_SQL_TEXT("kind", or_null(reason->kind)),
			MS_SQL_TEXT("masked", or_null(reason->masked)),
			MS_SQL_TEXT("place", or_null(reason->where)),
			MS_SQL_TEXT("owner", or_null(reason->owner)),
			MS_SQL_TEXT("recipient", or_null(recipient)),
			MS_SQL_NUMBER("recipients", reason->recipients),
			MS_SQL_TEXT("text", reason->text)),
		error);
}

static bool add_finding(MsLedger *ledger, gint64 id, const MsHeldFinding *f, GError **error)
{
	return ledger_run(ledger,
		"INSERT INTO finding (held, kind, masked, ref, owners, belief, place, count, relations)"
		" VALUES (:held, :kind, :masked, :ref, :owners, :belief, :place, :count, :relations)",
		MS_SQL_VALUES(MS_SQL_NUMBER("held", id), MS_SQL_TEXT("kind", f->kind),
			MS_SQL_TEXT("masked", f->masked), MS_SQL_TEXT("ref", f->ref),
			MS_SQL_TEXT("owners", f->owners), MS_SQL_TEXT("belief", f->belief),
			MS_SQL_TEXT("place", f->where), MS_SQL_NUMBER("count", f->count),
			MS_SQL_TEXT("relations", f->relations)),
		error);
}

static bool add_account(MsLedger *ledger, gint64 id, const char *name, GError **error)
{
	return ledger_run(ledger,
		"INSERT OR IGNORE INTO account (name, held) VALUES (:name, :held)",
		MS_SQL_VALUES(MS_SQL_TEXT("name", name), MS_SQL_NUMBER("held", id)), error);
}

static bool add_act(MsLedger *ledger, gint64 id, const MsAct *act, GError **error)
{
	return ledger_run(ledger,
		"INSERT INTO act (held, at, who, what, why) VALUES (:held, :at, :who, :what, :why)",
		MS_SQL_VALUES(MS_SQL_NUMBER("held", id), MS_SQL_NUMBER("at", act->at),
			MS_SQL_TEXT("who", act->who), MS_SQL_TEXT("what", act->what),
			MS_SQL_TEXT("why", act->why)),
		error);
}

static bool add_lists(MsLedger *ledger, const MsRecord *r, GError **error)
{
	bool fine = true;
	for (guint i = 0; i < r->recipients->len && fine; i++)
		fine = add_recipient(ledger, r->id, r->recipients->pdata[i], error);
	for (guint i = 0; i < r->reasons->len && fine; i++)
		fine = add_reason(ledger, r->id, r->reasons->pdata[i], error);
	for (guint i = 0; i < r->findings->len && fine; i++)
		fine = add_finding(ledger, r->id, r->findings->pdata[i], error);
	for (guint i = 0; i < r->accounts->len && fine; i++)
		fine = add_account(ledger, r->id, r->accounts->pdata[i], error);
	for (guint i = 0; i < r->acts->len && fine; i++)
		fine = add_act(ledger, r->id, r->acts->pdata[i], error);
	for (guint i = 0; i < r->decisions->len && fine; i++)
		fine = ledger_add_decision(ledger, r->decisions->pdata[i], error);
	return fine && ledger_add_glance(ledger, r, error);
}

bool ledger_add_record(MsLedger *ledger, MsRecord *r, GError **error)
{
	return add_head(ledger, r, error) && add_lists(ledger, r, error) &&
		ledger_add_wait(ledger, r, error) && ledger_touch(ledger, r->id, error);
}

static bool remove_all(MsLedger *ledger, gint64 id, const char *uid, GError **error)
{
	static const char *const statements[] = {"DELETE FROM recipient WHERE held=:id",
		"DELETE FROM reason WHERE held=:id", "DELETE FROM finding WHERE held=:id",
		"DELETE FROM account WHERE held=:id", "DELETE FROM act WHERE held=:id",
		"DELETE FROM glance WHERE held=:id", "DELETE FROM word WHERE held=:id",
		"DELETE FROM wait WHERE held=:id", "DELETE FROM held WHERE id=:id"};
	bool fine = ledger_run(ledger, "DELETE FROM decision WHERE uid=:uid",
		MS_SQL_VALUES(MS_SQL_TEXT("uid", uid)), error);
	for (gsize i = 0; i < G_N_ELEMENTS(statements) && fine; i++)
		fine = ledger_run(
			ledger, statements[i], MS_SQL_VALUES(MS_SQL_NUMBER("id", id)), error);
	return fine;
}

typedef struct {
	gint64 id, origin;
} Known;

static void take_known(MsSqlRow *row, void *user)
{
	*(Known *)user = (Known){ms_sql_number(row, "id"), ms_sql_number(row, "origin")};
}

/* What a record says of itself is ordered by its host's own count of changes. */
static bool mirror(MsLedger *ledger, MsRecord *r, GError **error)
{
	Known known = {0, -1};
	if (!ledger_ask(ledger,
		    "SELECT ifnull((SELECT id FROM held WHERE uid=:uid), 0) AS id,"
		    " ifnull((SELECT origin FROM mirrored WHERE uid=:uid), -1) AS origin",
		    MS_SQL_VALUES(MS_SQL_TEXT("uid", r->uid)), take_known, &known, error))
		return false;
	if (known.origin >= r->changed) /* that is here, or was and has been forgotten */
		return true;
	return (known.id == 0 || remove_all(ledger, known.id, r->uid, error)) &&
		ledger_add_record(ledger, r, error) &&
		ledger_run(ledger,
			"INSERT OR REPLACE INTO mirrored (uid, origin) VALUES (:uid, :origin)",
			MS_SQL_VALUES(
				MS_SQL_TEXT("uid", r->uid), MS_SQL_NUMBER("origin", r->changed)),
			error);
}

bool ms_records_mirror(MsLedger *ledger, MsRecord *record, GError **error)
{
	return ledger_begin(ledger, error)
		&& ledger_end(ledger, mirror(ledger, record, error), error);
}

typedef struct {
	gint64 id;
	char *uid;
} Old;

static void old_free(gpointer data)
{
	Old *old = data;
	g_free(old->uid);
	g_free(old);
}

static void take_old(MsSqlRow *row, void *user)
{
	Old *old = g_new(Old, 1);
	*old = (Old){ms_sql_number(row, "id"), g_strdup(ms_sql_text(row, "uid"))};
	g_ptr_array_add(user, old);
}

static bool forget(MsLedger *ledger, gint64 before, guint most, GPtrArray *list, GError **error)
{
	bool fine = ledger_ask(ledger,
		"SELECT id, uid FROM held WHERE arrived < :before AND NOT " LEDGER_IS_HELD
		" AND NOT EXISTS"
		" (SELECT 1 FROM decision d WHERE d.uid=held.uid AND d.state IN ('waiting', 'approved', 'acting'))"
		" ORDER BY arrived LIMIT :most",
		MS_SQL_VALUES(MS_SQL_NUMBER("before", before), MS_SQL_NUMBER("most", most)),
		take_old, list, error);
	for (guint i = 0; fine && i < list->len; i++) {
		const Old *old = list->pdata[i];
		fine = remove_all(ledger, old->id, old->uid, error);
	}
	/* Who was told of a record, with it; who was told of a cause, when no window is that
	 * long. */
	gint64 month_before = before - 30 * 86400 * (gint64)G_USEC_PER_SEC;
	return fine &&
		(list->len == 0 ||
			ledger_run(ledger,
				"DELETE FROM notice WHERE CASE cause WHEN 'told' THEN address NOT IN (SELECT uid FROM held)"
				" ELSE at < :before END",
				MS_SQL_VALUES(MS_SQL_NUMBER("before", month_before)), error));
}

gint64 ms_records_forget(MsLedger *ledger, gint64 before, guint most, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(old_free);
	bool fine = ledger_begin(ledger, error)
		&& ledger_end(ledger, forget(ledger, before, most, list, error), error);
	return fine ? (gint64)list->len : -1;
}

/* ---- an account ----------------------------------------------------------------------- */

#define CONCERNS "id IN (SELECT held FROM account WHERE name=:account)"
#define IS_OPEN                                                                        \
	"(" LEDGER_IS_HELD " OR EXISTS (SELECT 1 FROM decision d WHERE d.uid=held.uid" \
	" AND d.state IN ('waiting', 'approved', 'acting')))"

static bool is_named(const char *account, GError **error)
{
	if (*account != '\0')
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_INPUT, "no account is named");
	return false;
}

static void take_count(MsSqlRow *row, void *user)
{
	*(gint64 *)user = ms_sql_number(row, "n");
}

gint64 ms_records_open_of(MsLedger *ledger, const char *account, GError **error)
{
	gint64 n = 0;
	bool fine = is_named(account, error) &&
		ledger_ask(ledger, "SELECT count(*) AS n FROM held WHERE " CONCERNS " AND " IS_OPEN,
			MS_SQL_VALUES(MS_SQL_TEXT("account", account)), take_count, &n, error);
	return fine ? n : -1;
}

static bool forget_account(MsLedger *ledger, const char *account, GPtrArray *list, GError **error)
{
	bool fine = ledger_ask(ledger,
		"SELECT id, uid FROM held WHERE " CONCERNS " AND NOT " IS_OPEN,
		MS_SQL_VALUES(MS_SQL_TEXT("account", account)), take_old, list, error);
	for (guint i = 0; fine && i < list->len; i++) {
		const Old *old = list->pdata[i];
		fine = remove_all(ledger, old->id, old->uid, error);
	}
	return fine;
}

gint64 ms_records_forget_account(MsLedger *ledger, const char *account, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(old_free);
	bool fine = is_named(account, error) && ledger_begin(ledger, error)
		&& ledger_end(ledger, forget_account(ledger, account, list, error), error);
	return fine ? (gint64)list->len : -1;
}

/* The act by which another attempt of its sender counts on a copy. */
#define SENT_AGAIN "sent again"

static bool take_back(MsLedger *ledger, const MsRecord *record, GError **error)
{
	gint64 n = 0;
	if (!ledger_ask_number(ledger,
		    "SELECT (SELECT count(*) FROM act WHERE held=:id AND what='" SENT_AGAIN "')"
		    " + (SELECT count(*) FROM decision WHERE uid=:uid AND state IN ('acting', 'done')) AS n",
		    MS_SQL_VALUES(MS_SQL_NUMBER("id", record->id), MS_SQL_TEXT("uid", record->uid)),
		    &n, error))
		return false;
	if (n > 0)
		return ms_fail_input(error, "%s: is counted on", record->uid);
	return remove_all(ledger, record->id, record->uid, error) &&
		ledger_outbox_taken_back(ledger, record->uid, error);
}

bool ms_records_take_back(MsLedger *ledger, const MsRecord *record, GError **error)
{
	return ledger_begin(ledger, error)
		&& ledger_end(ledger, take_back(ledger, record, error), error);
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

typedef struct {
	gint64 id;
	char *uid;
} Twin;

static void take_twin(MsSqlRow *row, void *user)
{
	Twin *twin = user;
	if (twin->uid == NULL)
		*twin = (Twin){ms_sql_number(row, "id"), g_strdup(ms_sql_text(row, "uid"))};
}

static bool find_twin(MsLedger *ledger, const MsRecord *record, Twin *out)
{
	g_autofree char *addresses = held_addresses(record);
	g_clear_pointer(&out->uid, g_free);
	return ledger_ask(ledger,
		       "SELECT id, uid FROM held WHERE digest=:digest AND message=:message AND sender=:sender AND state='held'"
		       " AND place='spool' AND :addresses=(SELECT group_concat(address, char(10)) FROM"
		       " (SELECT address FROM recipient WHERE held=held.id AND state='held' ORDER BY address))",
		       MS_SQL_VALUES(MS_SQL_TEXT("digest", record->digest),
			       MS_SQL_TEXT("message", record->message),
			       MS_SQL_TEXT("sender", record->sender),
			       MS_SQL_TEXT("addresses", addresses)),
		       take_twin, out, NULL) &&
		out->uid != NULL;
}

/* The first attempt may be under way still, and fail: it leaves what this one counts on. */
static bool count_on(MsLedger *ledger, const Twin *twin)
{
	return ledger_act(ledger, twin->id, "missent", SENT_AGAIN,
		"its sender did not hear our answer; this copy counts for both", NULL);
}

char *ms_records_twin(MsLedger *ledger, const MsRecord *record)
{
	Twin twin = {0};
	if (record->message == NULL || *record->message == '\0')
		return NULL; /* without a name two messages cannot be told apart */
	/* Nearly none has one: only those wait for who writes. */
	if (find_twin(ledger, record, &twin) && ledger_begin(ledger, NULL) &&
		ledger_end(ledger,
			find_twin(ledger, record, &twin) && count_on(ledger, &twin), NULL))
		return twin.uid;
	g_free(twin.uid);
	return NULL;
}

/* ---- acts ----------------------------------------------------------------------------- */

bool ledger_act(MsLedger *ledger, gint64 id, const char *who, const char *what, const char *why,
	GError **error)
{
	MsAct act = {ms_clock_now(), (char *)who, (char *)what, (char *)why};
	return add_act(ledger, id, &act, error) && ledger_touch(ledger, id, error);
}

bool ms_records_act(MsLedger *ledger, gint64 id, const char *who, const char *what,
	const char *why, GError **error)
{
	return ledger_begin(ledger, error)
		&& ledger_end(ledger, ledger_act(ledger, id, who, what, why, error), error);
}

/* "a@b.example: wrong, now right": the judgement before stays to be read in the acts. */
static char *changes_of(const MsRecord *record, const GPtrArray *again)
{
	const guint most = MS_HELD_RELATIONS;
	guint n = 0;
	GString *out = g_string_new(NULL);
	g_autoptr(GHashTable) all = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = record->recipients->len; i-- > 0;) /* of one address the first */
		g_hash_table_insert(all, ((MsHeldRecipient *)record->recipients->pdata[i])->address,
			record->recipients->pdata[i]);
	for (guint i = 0; i < again->len; i++) {
		const MsHeldRecipient *now = again->pdata[i],
				      *before = g_hash_table_lookup(all, now->address);
		if (before == NULL || before->outcome == now->outcome || n++ >= most)
			continue;
		g_string_append_printf(out, "%s%s: %s, now %s", n > 1 ? "; " : "", now->address,
			ms_outcome_names[before->outcome], ms_outcome_names[now->outcome]);
	}
	if (n > most)
		g_string_append_printf(out, "; and %u more", n - most);
	return g_string_free(n > 0 ? out : g_string_append(out, "as before"), FALSE);
}

/* What was decided when nothing said that it is not his. */
static bool undo_releases(
	MsLedger *ledger, const MsRecord *record, const MsHeldRecipient *now, GError **error)
{
	for (guint i = 0; now->outcome == MS_OUTCOME_WRONG && i < record->recipients->len; i++) {
		const MsHeldRecipient *before = record->recipients->pdata[i];
		if (before->outcome != MS_OUTCOME_WRONG &&
			strcmp(before->address, now->address) == 0)
			return ledger_undo_releases(ledger, record->uid, now->address, error);
	}
	return true;
}

bool ledger_rejudge(MsLedger *ledger, const MsRecord *record, const GPtrArray *again,
	const char *who, const char *how, GError **error)
{
	g_autofree char *changed = changes_of(record, again);
	g_autofree char *changes = g_strconcat(changed, *how != '\0' ? "; " : "", how, NULL);
	for (guint i = 0; i < again->len; i++) {
		const MsHeldRecipient *now = again->pdata[i];
		if (!ledger_run(ledger,
			    "UPDATE recipient SET outcome=:outcome, accounts=:accounts WHERE held=:held"
			    " AND address=:address AND " LEDGER_IS_HELD,
			    MS_SQL_VALUES(MS_SQL_TEXT("outcome", ms_outcome_names[now->outcome]),
				    MS_SQL_TEXT("accounts", now->accounts),
				    MS_SQL_NUMBER("held", record->id),
				    MS_SQL_TEXT("address", now->address)),
			    error) ||
			!undo_releases(ledger, record, now, error))
			return false;
	}
	return ledger_act(ledger, record->id, who, ms_verbs[MS_VERB_REJUDGE].name, changes, error);
}

bool ms_records_rejudge(MsLedger *ledger, const MsRecord *record, const GPtrArray *again,
	const char *who, const char *how, GError **error)
{
	return ledger_begin(ledger, error) &&
		ledger_end(ledger, ledger_rejudge(ledger, record, again, who, how, error), error);
}

static bool set(
	MsLedger *ledger, gint64 id, const char *sql, const MsSqlValue *values, GError **error)
{
	return ledger_begin(ledger, error) &&
		ledger_end(ledger,
			ledger_run(ledger, sql, values, error) && ledger_touch(ledger, id, error),
			error);
}

bool ms_records_assign(MsLedger *ledger, gint64 id, const char *assignee, GError **error)
{
	return set(ledger, id, "UPDATE held SET assignee=:assignee WHERE id=:id",
		MS_SQL_VALUES(MS_SQL_TEXT("assignee", assignee), MS_SQL_NUMBER("id", id)), error);
}

bool ms_records_warned(MsLedger *ledger, gint64 id, gint64 when, GError **error)
{
	return set(ledger, id, "UPDATE held SET warned=:warned WHERE id=:id",
		MS_SQL_VALUES(MS_SQL_NUMBER("warned", when), MS_SQL_NUMBER("id", id)), error);
}
