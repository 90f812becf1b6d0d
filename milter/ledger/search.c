#include "config.h"

#include <string.h>

#include "ledger_private.h"

const char *const ms_sort_names[MS_N_SORTS + 1] = {"newest", "oldest", "sender", "recipients", "size",
	NULL};

/*
 * Finding records among many.  A page of a list costs the same wherever it is: the next one
 * begins at the cursor of the last row seen, which an index finds, instead of counting rows.
 */

/* ---- rows ----------------------------------------------------------------------------- */

#define HEAD "SELECT id, uid, state, place, host, queue_id, arrived, sender, size, digest, message," \
	" signed, codes, policies, cause, assignee, warned, changed, recipients," \
	" (SELECT address FROM recipient WHERE held=held.id ORDER BY rowid LIMIT 1) FROM held "

static void take_record(int n, const char *const *c, void *user)
{
	(void)n;
	MsRecord *r = ms_record_new();
	r->id = ledger_to_number(c[0]);
	r->uid = g_strdup(c[1]);
	r->state = (MsState)ms_record_word(ms_state_names, c[2]);
	r->place = (MsHeldPlace)ms_record_word(ms_held_place_names, c[3]);
	r->host = g_strdup(c[4]);
	r->queue_id = g_strdup(c[5]);
	r->arrived = ledger_to_number(c[6]);
	r->sender = g_strdup(c[7]);
	r->size = (guint64)ledger_to_number(c[8]);
	r->digest = g_strdup(c[9]);
	r->message = g_strdup(c[10]);
	r->is_signed = strcmp(c[11], "1") == 0;
	r->codes = g_strdup(c[12]);
	r->policies = g_strdup(c[13]);
	r->cause = g_strdup(c[14]);
	r->assignee = g_strdup(c[15]);
	r->warned = ledger_to_number(c[16]);
	r->changed = ledger_to_number(c[17]);
	if (c[19] != NULL)
		ms_record_recipient(r, c[19], r->state, MS_OUTCOME_UNPROVEN, "");
	r->n_recipients = (guint)ledger_to_number(c[18]);
	g_ptr_array_add(user, r);
}

static void take_recipient(int n, const char *const *c, void *user)
{
	(void)n;
	ms_record_recipient(user, c[0], (MsState)ms_record_word(ms_state_names, c[1]), ms_record_outcome(c[3]), c[2]);
}

static void take_reason(int n, const char *const *c, void *user)
{
	(void)n;
	MsReason *reason = g_new0(MsReason, 1);
	reason->code = (MsReasonCode)ms_record_word(ms_reason_names, c[0]);
	reason->policy = g_strdup(c[1]);
	reason->action = (MsAction)ms_record_word(ms_action_names, c[2]);
	reason->enforced = strcmp(c[3], "1") == 0;
	reason->kind = g_strdup(c[4]);
	reason->masked = g_strdup(c[5]);
	reason->where = g_strdup(c[6]);
	reason->owner = g_strdup(c[7]);
	reason->recipient = g_strdup(c[8]);
	reason->recipients = (guint)ledger_to_number(c[9]);
	reason->text = g_strdup(c[10]);
	g_ptr_array_add(((MsRecord *)user)->reasons, reason);
}

static void take_finding(int n, const char *const *c, void *user)
{
	(void)n;
	ms_record_finding(user,
		(MsHeldFinding){(char *)c[0], (char *)c[1], (char *)c[2], (char *)c[3], (char *)c[4],
			(char *)c[5], (guint)ledger_to_number(c[6]), (char *)c[7]});
}

static void take_account(int n, const char *const *c, void *user)
{
	(void)n;
	g_ptr_array_add(((MsRecord *)user)->accounts, g_strdup(c[0]));
}

static void take_act(int n, const char *const *c, void *user)
{
	(void)n;
	MsAct *act = g_new0(MsAct, 1);
	act->at = ledger_to_number(c[0]);
	act->who = g_strdup(c[1]);
	act->what = g_strdup(c[2]);
	act->why = g_strdup(c[3]);
	g_ptr_array_add(((MsRecord *)user)->acts, act);
}

static bool fill(MsLedger *ledger, MsRecord *record, GError **error)
{
	g_autofree char *id = ledger_number(record->id);
	g_ptr_array_set_size(record->recipients, 0);
	return ledger_ask(ledger, error, take_recipient, record,
		       "SELECT address, state, accounts, outcome FROM recipient WHERE held=CAST(?1 AS INTEGER)"
		       " ORDER BY rowid", id, NULL)
		&& ledger_ask(ledger, error, take_reason, record,
			"SELECT code, policy, action, enforced, kind, masked, place, owner, recipient,"
			" recipients, text FROM reason WHERE held=CAST(?1 AS INTEGER) ORDER BY rowid", id, NULL)
		&& ledger_ask(ledger, error, take_finding, record,
			"SELECT kind, masked, ref, owners, belief, place, count, relations FROM finding"
			" WHERE held=CAST(?1 AS INTEGER) ORDER BY rowid", id, NULL)
		&& ledger_ask(ledger, error, take_account, record,
			"SELECT name FROM account WHERE held=CAST(?1 AS INTEGER) ORDER BY name", id, NULL)
		&& ledger_ask(ledger, error, take_act, record,
			"SELECT at, who, what, why FROM act WHERE held=CAST(?1 AS INTEGER) ORDER BY rowid", id,
			NULL)
		&& ledger_ask(ledger, error, ledger_take_decision, record->decisions,
			"SELECT " DECISION_COLUMNS " FROM decision WHERE uid=?1 ORDER BY at", record->uid, NULL);
}

static bool fill_all(MsLedger *ledger, GPtrArray *list, GError **error)
{
	for (guint i = 0; i < list->len; i++)
		if (!fill(ledger, list->pdata[i], error))
			return false;
	return true;
}

static GPtrArray *new_list(void)
{
	return g_ptr_array_new_with_free_func((GDestroyNotify)ms_record_free);
}

/* ---- filters -------------------------------------------------------------------------- */

typedef struct {
	GString *sql;
	GPtrArray *params; /* of char * */
} Query;

/* A condition with `?` for its one parameter, which may stand in it several times. */
static void where(Query *q, const char *condition, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	g_ptr_array_add(q->params, g_strdup(value));
	g_string_append(q->sql, q->sql->len > 0 ? " AND " : "WHERE ");
	for (; *condition != '\0'; condition++) {
		g_string_append_c(q->sql, *condition);
		if (*condition == '?')
			g_string_append_printf(q->sql, "%u", q->params->len);
	}
}

static void where_number(Query *q, const char *condition, gint64 value)
{
	g_autofree char *text = value != 0 ? ledger_number(value) : NULL;
	where(q, condition, text);
}

/* A name that a record has is searched for as a name; else all addresses are looked through. */
static void add_search(MsLedger *ledger, Query *q, const char *search)
{
	gint64 named = 0;
	if (search == NULL || *search == '\0')
		return;
	ledger_ask(ledger, NULL, ledger_take_number, &named,
		"SELECT 1 FROM held WHERE queue_id=?1 OR uid=?1 LIMIT 1", search, NULL);
	where(q, named != 0 ? "id IN (SELECT id FROM held WHERE queue_id=? UNION SELECT id FROM held WHERE uid=?)"
			    : "(instr(lower(sender), lower(?)) > 0"
			      " OR id IN (SELECT held FROM recipient WHERE instr(lower(address), lower(?)) > 0))",
		search);
}

static void add_conditions(MsLedger *ledger, Query *q, const MsRecordFilter *f)
{
	where(q, "state=?", f->state >= 0 ? ms_state_names[f->state] : NULL);
	where(q, "host=?", f->host);
	where(q, "cause=?", f->cause);
	where(q, "assignee=?", f->assignee);
	where(q, "instr(', ' || codes || ',', ', ' || ? || ',') > 0", f->reason);
	where(q, "EXISTS (SELECT 1 FROM reason WHERE held=held.id AND policy=?)", f->policy);
	where(q, "id IN (SELECT held FROM account WHERE name=?)", f->account);
	where(q, "instr(lower(sender), lower(?)) > 0", f->sender);
	where(q, "id IN (SELECT held FROM recipient WHERE instr(lower(address), lower(?)) > 0)",
		f->recipient);
	add_search(ledger, q, f->search);
	where_number(q, "arrived <= CAST(? AS INTEGER)", f->older_than);
	where_number(q, "arrived >= CAST(? AS INTEGER)", f->newer_than);
	where_number(q, "changed <= CAST(? AS INTEGER)", f->up_to);
}

static const struct {
	const char *column, *direction, *compare;
	bool number;
} sorts[MS_N_SORTS] = {
	[MS_SORT_NEWEST] = {"arrived", "DESC", "<", true},
	[MS_SORT_OLDEST] = {"arrived", "ASC", ">", true},
	[MS_SORT_SENDER] = {"sender", "ASC", ">", false},
	[MS_SORT_RECIPIENTS] = {"recipients", "DESC", "<", true},
	[MS_SORT_SIZE] = {"size", "DESC", "<", true},
};

char *ms_record_cursor(const MsRecord *r, MsSort sort)
{
	switch (sort) {
	case MS_SORT_SENDER: return g_strdup_printf("%" G_GINT64_FORMAT ".%s", r->id, r->sender);
	case MS_SORT_RECIPIENTS: return g_strdup_printf("%" G_GINT64_FORMAT ".%u", r->id, r->n_recipients);
	case MS_SORT_SIZE: return g_strdup_printf("%" G_GINT64_FORMAT ".%" G_GUINT64_FORMAT, r->id, r->size);
	case MS_SORT_NEWEST:
	case MS_SORT_OLDEST:
	case MS_N_SORTS: break;
	}
	return g_strdup_printf("%" G_GINT64_FORMAT ".%" G_GINT64_FORMAT, r->id, r->arrived);
}

/* "ID.VALUE": everything behind the row that has these. */
static void add_cursor(Query *q, const MsRecordFilter *f)
{
	const char *dot = f->after != NULL ? strchr(f->after, '.') : NULL;
	if (dot == NULL)
		return;
	g_autofree char *id = g_strndup(f->after, (gsize)(dot - f->after));
	bool number = sorts[f->sort].number;
	g_ptr_array_add(q->params, g_strdup(dot + 1));
	g_ptr_array_add(q->params, g_steal_pointer(&id));
	g_string_append_printf(q->sql, "%s(%s, id) %s (%s?%u%s, CAST(?%u AS INTEGER))",
		q->sql->len > 0 ? " AND " : "WHERE ", sorts[f->sort].column, sorts[f->sort].compare,
		number ? "CAST(" : "", q->params->len - 1, number ? " AS INTEGER)" : "", q->params->len);
}

static bool run_query(MsLedger *ledger, Query *q, MsSqliteRow row, void *user, GError **error)
{
	g_ptr_array_add(q->params, NULL);
	return ms_sqlite_run(ledger->db, q->sql->str, (const char *const *)q->params->pdata, row, user,
		       NULL, error) == MS_FOUND;
}

GPtrArray *ms_records_list(MsLedger *ledger, const MsRecordFilter *filter, GError **error)
{
	g_autoptr(GString) sql = g_string_new(NULL);
	g_autoptr(GPtrArray) params = g_ptr_array_new_with_free_func(g_free);
	Query q = {sql, params};
	add_conditions(ledger, &q, filter);
	add_cursor(&q, filter);
	g_autofree char *limit = ledger_number(filter->limit > 0 ? filter->limit : G_MAXINT32);
	g_ptr_array_add(params, g_steal_pointer(&limit));
	g_string_prepend(sql, HEAD);
	g_string_append_printf(sql, " ORDER BY %s %s, id %s LIMIT CAST(?%u AS INTEGER)",
		sorts[filter->sort].column, sorts[filter->sort].direction,
		sorts[filter->sort].direction, params->len);
	g_autoptr(GPtrArray) list = new_list();
	if (!run_query(ledger, &q, take_record, list, error)
		|| (filter->whole && !fill_all(ledger, list, error)))
		return NULL;
	return g_steal_pointer(&list);
}

gint64 ms_records_count(MsLedger *ledger, const MsRecordFilter *filter, guint most, GError **error)
{
	g_autoptr(GString) sql = g_string_new(NULL);
	g_autoptr(GPtrArray) params = g_ptr_array_new_with_free_func(g_free);
	Query q = {sql, params};
	add_conditions(ledger, &q, filter);
	g_string_prepend(sql, "SELECT count(*) FROM (SELECT 1 FROM held ");
	g_string_append_printf(sql, " LIMIT %u)", most > 0 ? most : G_MAXINT32);
	gint64 n = -1;
	return run_query(ledger, &q, ledger_take_number, &n, error) ? n : -1;
}

MsRecord *ms_records_find(MsLedger *ledger, const char *name, GError **error)
{
	g_autoptr(GPtrArray) list = new_list();
	if (!ledger_ask(ledger, error, take_record, list,
		    HEAD "WHERE uid=?1 OR queue_id=?1 ORDER BY uid=?1 DESC, arrived DESC LIMIT 1", name, NULL)
		|| list->len == 0 || !fill(ledger, list->pdata[0], error))
		return NULL;
	return g_ptr_array_steal_index(list, 0);
}

GPtrArray *ms_records_changed(MsLedger *ledger, gint64 changed, guint limit, GError **error)
{
	g_autofree char *since = ledger_number(changed);
	g_autofree char *most = ledger_number(limit);
	g_autoptr(GPtrArray) list = new_list();
	if (!ledger_ask(ledger, error, take_record, list,
		    HEAD "WHERE changed > CAST(?1 AS INTEGER) ORDER BY changed LIMIT CAST(?2 AS INTEGER)",
		    since, most, NULL)
		|| !fill_all(ledger, list, error))
		return NULL;
	return g_steal_pointer(&list);
}

/* ---- sums ----------------------------------------------------------------------------- */

void ms_cause_free(MsCause *cause)
{
	g_free(cause->cause);
	g_free(cause);
}

static void take_cause(int n, const char *const *c, void *user)
{
	(void)n;
	MsCause *cause = g_new0(MsCause, 1);
	cause->cause = g_strdup(c[0]);
	cause->messages = ledger_to_number(c[1]);
	cause->oldest = ledger_to_number(c[2]);
	cause->newest = ledger_to_number(c[3]);
	g_ptr_array_add(user, cause);
}

GPtrArray *ms_records_causes(MsLedger *ledger, guint limit, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_cause_free);
	g_autofree char *most = ledger_number(limit);
	if (!ledger_ask(ledger, error, take_cause, list,
		    "SELECT cause, count(*), min(arrived), max(arrived) FROM held WHERE state='held'"
		    " GROUP BY cause ORDER BY 2 DESC, 1 LIMIT CAST(?1 AS INTEGER)", most, NULL))
		return NULL;
	return g_steal_pointer(&list);
}

static void take_stats(int n, const char *const *c, void *user)
{
	(void)n;
	*(MsRecordStats *)user = (MsRecordStats){ledger_to_number(c[0]), ledger_to_number(c[1]),
		ledger_to_number(c[2]), ledger_to_number(c[3])};
}

bool ms_records_stats(MsLedger *ledger, MsRecordStats *out, GError **error)
{
	return ledger_ask(ledger, error, take_stats, out,
		"SELECT (SELECT count(*) FROM held WHERE state='held'),"
		" (SELECT min(arrived) FROM held WHERE state='held'),"
		" (SELECT count(*) FROM decision WHERE state='waiting'), (SELECT n FROM counter)", NULL);
}
