/*
 * Finding records among many: a filter comes in, records go out, with their lists or without.  A
 * page of a list costs the same wherever it is: the next one begins at the cursor of the last row
 * seen, which an index finds, instead of counting rows.  Nothing is changed here; from any
 * thread.
 */
#include "config.h"

#include <string.h>

#include "missent/reading.h"
#include "missent/text.h"

#include "ledger_private.h"

const char *const ms_sort_names[MS_N_SORTS + 1] = {
	"newest", "oldest", "sender", "recipients", "size", NULL};

/* ---- rows ----------------------------------------------------------------------------- */

#define HEAD \
	"SELECT id, uid, state, place, host, queue_id, arrived, sender, size, digest, message," \
	" signed, codes, policies, cause, assignee, warned, changed, recipients, damaged, unclear," \
	" ifnull((SELECT due FROM wait WHERE held=held.id), 0) AS due," \
	" ifnull((SELECT asked FROM wait WHERE held=held.id), 0) AS asked," \
	" (SELECT address FROM recipient WHERE held=held.id " LEDGER_WORST ") AS first FROM held "

static void note_odd(const MsSqlRow *row, MsRecord *record, const char *what)
{
	if (ms_sql_is_odd(row))
		ms_record_damage(record, what, NULL);
}

static void take_record(MsSqlRow *row, void *user)
{
	MsRecord *r = ms_record_new();
	r->id = ms_sql_number(row, "id");
	r->uid = g_strdup(ms_sql_text(row, "uid"));
	if (*ms_sql_text(row, "damaged") != '\0')
		ms_record_damage(r, ms_sql_text(row, "damaged"), NULL);
	g_free(r->unclear);
	r->unclear = g_strdup(ms_sql_text(row, "unclear"));
	r->state = (MsState)ms_record_word(
		r, "state", ms_state_names, ms_sql_text(row, "state"), MS_STATE_HELD);
	r->place = (MsHeldPlace)ms_record_word(
		r, "place", ms_held_place_names, ms_sql_text(row, "place"), MS_PLACE_QUEUE);
	r->host = g_strdup(ms_sql_text(row, "host"));
	r->queue_id = g_strdup(ms_sql_text(row, "queue_id"));
	r->arrived = ms_sql_number(row, "arrived");
	r->sender = g_strdup(ms_sql_text(row, "sender"));
	r->size = (guint64)ms_sql_number(row, "size");
	r->digest = g_strdup(ms_sql_text(row, "digest"));
	r->message = g_strdup(ms_sql_text(row, "message"));
	r->is_signed = strcmp(ms_sql_text(row, "signed"), "1") == 0;
	r->codes = g_strdup(ms_sql_text(row, "codes"));
	r->policies = g_strdup(ms_sql_text(row, "policies"));
	r->cause = g_strdup(ms_sql_text(row, "cause"));
	r->assignee = g_strdup(ms_sql_text(row, "assignee"));
	r->warned = ms_sql_number(row, "warned");
	r->changed = ms_sql_number(row, "changed");
	r->due = ms_sql_number(row, "due");
	r->waits_since = ms_sql_number(row, "asked");
	const char *first = ms_sql_text_or_null(row, "first");
	if (first != NULL)
		ms_record_recipient(r, first, r->state, MS_OUTCOME_UNPROVEN, "");
	r->n_recipients = (guint)ms_sql_number(row, "recipients");
	note_odd(row, r, "head");
	g_ptr_array_add(user, r);
}

static void take_recipient(MsSqlRow *row, void *user)
{
	MsRecord *r = user;
	ms_record_recipient(r, ms_sql_text(row, "address"),
		(MsState)ms_record_word(r, "recipient state", ms_state_names,
			ms_sql_text(row, "state"), MS_STATE_HELD),
		(MsOutcome)ms_record_word(r, "outcome", ms_outcome_names,
			ms_sql_text(row, "outcome"), MS_OUTCOME_UNPROVEN),
		ms_sql_text(row, "accounts"));
	note_odd(row, r, "recipient");
}

static void take_reason(MsSqlRow *row, void *user)
{
	MsRecord *r = user;
	MsReason *reason = g_new0(MsReason, 1);
	reason->code = (MsReasonCode)ms_record_word(
		r, "reason", ms_reason_names, ms_sql_text(row, "code"), MS_MISMATCH);
	reason->policy = g_strdup(ms_sql_text(row, "policy"));
	reason->action = (MsAction)ms_record_word(
		r, "action", ms_action_names, ms_sql_text(row, "action"), MS_HOLD);
	reason->enforced = strcmp(ms_sql_text(row, "enforced"), "1") == 0;
	reason->kind = g_strdup(ms_sql_text_or_null(row, "kind"));
	reason->masked = g_strdup(ms_sql_text_or_null(row, "masked"));
	const char *place = ms_sql_text_or_null(row, "place");
	/* in older records it is not */
	reason->where = place != NULL ? ms_place_masked(place) : NULL;
	reason->owner = g_strdup(ms_sql_text_or_null(row, "owner"));
	reason->recipient = g_strdup(ms_sql_text_or_null(row, "recipient"));
	reason->recipients = (guint)ms_sql_number(row, "recipients");
	reason->text = g_strdup(ms_sql_text(row, "text"));
	note_odd(row, r, "reason");
	g_ptr_array_add(r->reasons, reason);
}

static void take_finding(MsSqlRow *row, void *user)
{
	g_autofree char *place = ms_place_masked(ms_sql_text(row, "place"));
	const char *relations = ms_sql_text(row, "relations");
	if (relations[strspn(relations, "ohx?")] != '\0')
		ms_record_damage(user, "relations", relations);
	ms_record_finding(user,
		(MsHeldFinding){.kind = (char *)ms_sql_text(row, "kind"),
			.masked = (char *)ms_sql_text(row, "masked"),
			.ref = (char *)ms_sql_text(row, "ref"),
			.owners = (char *)ms_sql_text(row, "owners"),
			.belief = (char *)ms_sql_text(row, "belief"),
			.where = place,
			.count = (guint)ms_sql_number(row, "count"),
			.relations = (char *)relations});
	note_odd(row, user, "finding");
}

static void take_account(MsSqlRow *row, void *user)
{
	g_ptr_array_add(((MsRecord *)user)->accounts, g_strdup(ms_sql_text(row, "name")));
}

static void take_act(MsSqlRow *row, void *user)
{
	MsAct *act = g_new0(MsAct, 1);
	act->at = ms_sql_number(row, "at");
	act->who = g_strdup(ms_sql_text(row, "who"));
	act->what = g_strdup(ms_sql_text(row, "what"));
	act->why = g_strdup(ms_sql_text(row, "why"));
	g_ptr_array_add(((MsRecord *)user)->acts, act);
}

static const struct {
	const char *sql;
	MsSqlTake take;
} lists[] = {
	{"SELECT address, state, accounts, outcome FROM recipient WHERE held=:id ORDER BY rowid",
		take_recipient},
	{"SELECT code, policy, action, enforced, kind, masked, place, owner, recipient, recipients, text"
	 " FROM reason WHERE held=:id ORDER BY rowid",
		take_reason},
	{"SELECT kind, masked, ref, owners, belief, place, count, relations FROM finding WHERE held=:id"
	 " ORDER BY rowid",
		take_finding},
	{"SELECT name FROM account WHERE held=:id ORDER BY name", take_account},
	{"SELECT at, who, what, why FROM act WHERE held=:id ORDER BY rowid", take_act},
};

static bool fill(MsLedger *ledger, MsRecord *record, GError **error)
{
	guint n = record->n_recipients; /* as the head says */
	g_ptr_array_set_size(record->recipients, 0);
	record->n_recipients = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
		if (!ledger_ask(ledger, lists[i].sql,
			    MS_SQL_VALUES(MS_SQL_NUMBER("id", record->id)), lists[i].take, record,
			    error))
			return false;
	if (record->n_recipients != n)
		ms_record_damage(record, "number of recipients", NULL);
	if (!ledger_fill_glance(ledger, record, error))
		return false;
	return ledger_ask(ledger,
		"SELECT " DECISION_COLUMNS " FROM decision WHERE uid=:uid ORDER BY at",
		MS_SQL_VALUES(MS_SQL_TEXT("uid", record->uid)), ledger_take_decision,
		record->decisions, error);
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
	GArray *values; /* of MsSqlValue, ended by one without a name */
	GPtrArray *own; /* texts of values */
} Query;

static Query query_new(void)
{
	return (Query){g_string_new(NULL), g_array_new(TRUE, TRUE, sizeof(MsSqlValue)),
		g_ptr_array_new_with_free_func(g_free)};
}

static void query_clear(Query *q)
{
	g_string_free(q->sql, TRUE);
	g_array_unref(q->values);
	g_ptr_array_unref(q->own);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Query, query_clear)

static void where(Query *q, const char *condition, const MsSqlValue *value)
{
	g_string_append_printf(q->sql, "%s%s", q->sql->len > 0 ? " AND " : "WHERE ", condition);
	if (value != NULL)
		g_array_append_val(q->values, *value);
}

static void where_text(Query *q, const char *condition, const char *name, const char *text)
{
	if (text != NULL)
		where(q, condition, &(MsSqlValue){.name = name, .text = text});
}

static void where_number(Query *q, const char *condition, const char *name, gint64 number)
{
	if (number != 0)
		where(q, condition,
			&(MsSqlValue){.name = name, .number = number, .is_number = true});
}

/* Nothing is waiting or under way that ends it.  By the number of the row, which every index
 * has. */
#define UNDECIDED                                                                            \
	"id NOT IN (SELECT h.id FROM decision d JOIN held h ON h.uid=d.uid WHERE d.state IN" \
	" ('waiting', 'approved', 'acting') AND d.verb IN ('release', 'return', 'delete'))"

/* One more way to be found: by the digests under that name. */
static void or_marked(Query *q, const char *condition, const char *name, const GPtrArray *digests)
{
	if (digests == NULL || digests->len == 0)
		return;
	MsSqlValue value = {.name = name, .text = ledger_list(digests)};
	g_ptr_array_add(q->own, (char *)value.text);
	g_array_append_val(q->values, value);
	g_string_append_printf(q->sql, " OR %s", condition);
}

/* A name that a record has is searched for as a name; else all addresses are looked through. */
static void add_search(MsLedger *ledger, Query *q, const MsRecordFilter *f)
{
	const char *search = f->search;
	gint64 named = 0;
	if (search == NULL)
		return;
	ledger_ask_number(ledger,
		"SELECT 1 AS n FROM held WHERE queue_id=:search OR uid=:search LIMIT 1",
		MS_SQL_VALUES(MS_SQL_TEXT("search", search)), &named, NULL);
	if (named != 0) {
		where_text(q,
			"id IN (SELECT id FROM held WHERE queue_id=:search UNION SELECT id FROM held WHERE uid=:search)",
			":search", search);
		return;
	}
	where_text(q, "(instr(lower(sender), lower(:search)) > 0 OR id IN"
		" (SELECT held FROM recipient WHERE instr(lower(address), lower(:search)) > 0)"
		" OR id IN (SELECT held FROM account WHERE name=:search)", ":search", search);
	or_marked(q,
		"id IN (SELECT held FROM finding WHERE ref IN (SELECT value FROM json_each(:refs)))",
		":refs", f->refs);
	or_marked(q,
		"id IN (SELECT held FROM word WHERE digest IN (SELECT value FROM json_each(:words))"
		" GROUP BY held HAVING count(*)=json_array_length(:words))",
		":words", f->words);
	g_string_append_c(q->sql, ')');
}

/* Is there a state that is none?  An index is skipped through: a look a state. */
static bool has_odd_states(MsLedger *ledger)
{
	gint64 n = 0;
	return ledger_ask_number(ledger,
		       "WITH RECURSIVE s (state) AS (SELECT min(state) FROM held UNION ALL"
		       " SELECT (SELECT min(h.state) FROM held h WHERE h.state > s.state) FROM s WHERE s.state IS NOT NULL)"
		       " SELECT count(*) AS n FROM s WHERE state IS NOT NULL AND state <> 'held' AND " LEDGER_IS_HELD,
		       NULL, &n, NULL) &&
		n > 0;
}

static void add_conditions(MsLedger *ledger, Query *q, const MsRecordFilter *f)
{
	if (f->state == MS_STATE_HELD && has_odd_states(ledger))
		where(q, LEDGER_IS_HELD, NULL);
	else if (f->state >= 0)
		where_text(q, "state=:state", ":state", ms_state_names[f->state]);
	where_text(q, "host=:host", ":host", f->host);
	where_text(q, "cause=:cause", ":cause", f->cause);
	where_text(q, "assignee=:assignee", ":assignee", f->assignee);
	where_text(
		q, "instr(', ' || codes || ',', ', ' || :reason || ',') > 0", ":reason", f->reason);
	where_text(q, "EXISTS (SELECT 1 FROM reason WHERE held=held.id AND policy=:policy)",
		":policy", f->policy);
	where_text(
		q, "id IN (SELECT held FROM account WHERE name=:account)", ":account", f->account);
	where_text(q, "instr(lower(sender), lower(:sender)) > 0", ":sender", f->sender);
	where_text(q,
		"id IN (SELECT held FROM recipient WHERE instr(lower(address), lower(:recipient)) > 0)",
		":recipient", f->recipient);
	add_search(ledger, q, f);
	where_text(q,
		"uid IN (SELECT uid FROM decision WHERE (grp=:judged_for AND verb='rejudge') OR id=:judged_for)",
		":judged_for", f->judged_for);
	if (f->waiting != 0)
		where(q,
			f->waiting > 0 ? "id IN (SELECT held FROM wait)"
				       : "id NOT IN (SELECT held FROM wait)",
			NULL);
	if (f->undecided)
		g_string_append_printf(
			q->sql, "%s" UNDECIDED, q->sql->len > 0 ? " AND " : "WHERE ");
	where_text(q,
		"NOT EXISTS (SELECT 1 FROM recipient WHERE held=held.id AND state='held' AND outcome<>:right)",
		":right", f->could_go ? ms_outcome_names[MS_OUTCOME_RIGHT] : NULL);
	where_number(q, "arrived <= :older", ":older", f->older_than);
	where_number(q, "arrived >= :newer", ":newer", f->newer_than);
	where_number(q, "changed <= :up_to", ":up_to", f->up_to);
}

static const struct {
	const char *column;
	bool descends, number;
} sorts[MS_N_SORTS] = {
	[MS_SORT_NEWEST] = {"arrived", true, true},
	[MS_SORT_OLDEST] = {"arrived", false, true},
	[MS_SORT_SENDER] = {"sender", false, false},
	[MS_SORT_RECIPIENTS] = {"recipients", true, true},
	[MS_SORT_SIZE] = {"size", true, true},
};

/* What stands before a row is looked for in the opposite order, and turned round. */
static bool descends(const MsRecordFilter *f)
{
	return sorts[f->sort].descends != (f->before != NULL);
}

static void turn_round(GPtrArray *list)
{
	for (guint i = 0, k = list->len; i + 1 < k; i++) {
		gpointer first = list->pdata[i];
		list->pdata[i] = list->pdata[--k];
		list->pdata[k] = first;
	}
}

char *ms_record_cursor(const MsRecord *r, MsSort sort)
{
	switch (sort) {
	case MS_SORT_SENDER: return g_strdup_printf("%" G_GINT64_FORMAT ".%s", r->id, r->sender);
	case MS_SORT_RECIPIENTS:
		return g_strdup_printf("%" G_GINT64_FORMAT ".%u", r->id, r->n_recipients);
	case MS_SORT_SIZE:
		return g_strdup_printf("%" G_GINT64_FORMAT ".%" G_GUINT64_FORMAT, r->id, r->size);
	case MS_SORT_NEWEST:
	case MS_SORT_OLDEST:
	case MS_N_SORTS: break;
	}
	return g_strdup_printf("%" G_GINT64_FORMAT ".%" G_GINT64_FORMAT, r->id, r->arrived);
}

/* "ID.VALUE": everything behind the row that has these, or before it. */
static void add_cursor(Query *q, const MsRecordFilter *f)
{
	const char *row = f->before != NULL ? f->before : f->after;
	const char *dot = row != NULL ? strchr(row, '.') : NULL;
	if (dot == NULL)
		return;
	MsSqlValue last = {.name = ":last", .text = dot + 1};
	if (sorts[f->sort].number)
		last = (MsSqlValue){.name = ":last",
			.number = g_ascii_strtoll(dot + 1, NULL, 10),
			.is_number = true};
	g_autofree char *condition = g_strdup_printf(
		"(%s, id) %s (:last, :last_id)", sorts[f->sort].column, descends(f) ? "<" : ">");
	where(q, condition, &last);
	g_array_append_val(q->values, ((MsSqlValue){.name = ":last_id",
		.number = g_ascii_strtoll(row, NULL, 10), .is_number = true}));
}

static bool run_query(MsLedger *ledger, const Query *q, MsSqlTake take, void *user, GError **error)
{
	return ledger_ask(
		ledger, q->sql->str, (const MsSqlValue *)q->values->data, take, user, error);
}

/* SQLite knows no LIMIT for all. */
static gint64 limit_of(guint limit)
{
	return limit > 0 ? limit : G_MAXINT32;
}

static void add_limit(Query *q, guint limit)
{
	MsSqlValue most = {.name = ":most", .number = limit_of(limit), .is_number = true};
	g_array_append_val(q->values, most);
}

GPtrArray *ms_records_list(MsLedger *ledger, const MsRecordFilter *filter, GError **error)
{
	g_auto(Query) q = query_new();
	if (!ms_filter_check(filter, error))
		return NULL;
	add_conditions(ledger, &q, filter);
	add_cursor(&q, filter);
	add_limit(&q, filter->limit);
	g_string_prepend(q.sql, HEAD);
	const char *direction = descends(filter) ? "DESC" : "ASC";
	g_string_append_printf(q.sql, " ORDER BY %s %s, id %s LIMIT :most",
		sorts[filter->sort].column, direction, direction);
	g_autoptr(GPtrArray) list = new_list();
	bool fine = ledger_look(ledger, error)
		&& ledger_end(ledger,
			run_query(ledger, &q, take_record, list, error)
				&& (!filter->whole || fill_all(ledger, list, error)),
			error);
	if (filter->before != NULL)
		turn_round(list);
	return fine ? g_steal_pointer(&list) : NULL;
}

gint64 ms_records_count(MsLedger *ledger, const MsRecordFilter *filter, guint most, GError **error)
{
	g_auto(Query) q = query_new();
	if (!ms_filter_check(filter, error))
		return -1;
	add_conditions(ledger, &q, filter);
	add_limit(&q, most);
	g_string_prepend(q.sql, "SELECT count(*) AS n FROM (SELECT 1 FROM held ");
	g_string_append(q.sql, " LIMIT :most)");
	gint64 n = -1;
	return ledger_ask_number(ledger, q.sql->str, (const MsSqlValue *)q.values->data, &n, error)
		? n
		: -1;
}

/* It names the first of them and no other; then that is all there is. */
static bool is_one(const char *name, GPtrArray *list, GError **error)
{
	const MsRecord *first = list->pdata[0];
	g_autoptr(GString) all = g_string_new(NULL);
	if (list->len == 1 || strcmp(first->uid, name) == 0) {
		g_ptr_array_set_size(list, 1);
		return true;
	}
	for (guint i = 0; i < list->len; i++) {
		const MsRecord *r = list->pdata[i];
		g_autofree char *time = ms_text_time(r->arrived, MS_ZONE_LOCAL, MS_TIME_SECONDS);
		g_string_append_printf(all, "%s %s (%s, %s, %s)", i > 0 ? ";" : "", r->uid, r->host,
			time, ms_state_names[r->state]);
	}
	return ms_fail_input(error,
		"%s: several messages had this queue ID; name the one that is meant by its reference:%s",
		name, all->str);
}

static bool find(MsLedger *ledger, const char *name, GPtrArray *list, GError **error)
{
	return ledger_ask(ledger,
		       HEAD
		       "WHERE uid=:name OR queue_id=:name ORDER BY uid=:name DESC, arrived DESC LIMIT 6",
		       MS_SQL_VALUES(MS_SQL_TEXT("name", name)), take_record, list, error) &&
		(list->len == 0 || is_one(name, list, error)) && fill_all(ledger, list, error);
}

MsRecord *ms_records_find(MsLedger *ledger, const char *name, GError **error)
{
	g_autoptr(GPtrArray) list = new_list();
	bool fine = *name != '\0' && ledger_look(ledger, error)
		&& ledger_end(ledger, find(ledger, name, list, error), error);
	return fine && list->len > 0 ? g_ptr_array_steal_index(list, 0) : NULL;
}

static bool find_changed(
	MsLedger *ledger, gint64 changed, guint limit, GPtrArray *list, GError **error)
{
	return ledger_ask(ledger, HEAD "WHERE changed > :since ORDER BY changed LIMIT :most",
		       MS_SQL_VALUES(MS_SQL_NUMBER("since", changed), MS_SQL_NUMBER("most", limit)),
		       take_record, list, error) &&
		fill_all(ledger, list, error);
}

GPtrArray *ms_records_changed(MsLedger *ledger, gint64 changed, guint limit, GError **error)
{
	g_autoptr(GPtrArray) list = new_list();
	bool fine = ledger_look(ledger, error)
		&& ledger_end(ledger, find_changed(ledger, changed, limit, list, error), error);
	return fine ? g_steal_pointer(&list) : NULL;
}

/* ---- sums ----------------------------------------------------------------------------- */

void ms_cause_free(MsCause *cause)
{
	g_free(cause->cause);
	g_free(cause);
}

static void take_cause(MsSqlRow *row, void *user)
{
	MsCause *cause = g_new0(MsCause, 1);
	cause->cause = g_strdup(ms_sql_text(row, "cause"));
	cause->messages = ms_sql_number(row, "messages");
	cause->oldest = ms_sql_number(row, "oldest");
	cause->newest = ms_sql_number(row, "newest");
	g_ptr_array_add(user, cause);
}

GPtrArray *ms_records_causes(MsLedger *ledger, guint limit, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_cause_free);
	if (!ledger_ask(ledger,
		    "SELECT cause, count(*) AS messages, min(arrived) AS oldest, max(arrived) AS newest FROM held"
		    " WHERE state='held' AND id NOT IN (SELECT held FROM wait) AND " UNDECIDED
		    " GROUP BY cause ORDER BY messages DESC, cause LIMIT :most",
		    MS_SQL_VALUES(MS_SQL_NUMBER("most", limit)), take_cause, list, error))
		return NULL;
	return g_steal_pointer(&list);
}

static void take_name(MsSqlRow *row, void *user)
{
	g_ptr_array_add(user, g_strdup(ms_sql_text(row, "name")));
}

GPtrArray *ms_records_names(MsLedger *ledger, MsNames names, GError **error)
{
	static const char *const ask[] = {
		[MS_NAMES_POLICY] = "SELECT DISTINCT policy AS name FROM reason",
		[MS_NAMES_HOST] = "SELECT DISTINCT host AS name FROM held",
		[MS_NAMES_ACCOUNT] = "SELECT DISTINCT name FROM account",
		[MS_NAMES_ASSIGNEE] =
			"SELECT DISTINCT assignee AS name FROM held WHERE assignee <> ''"};
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
	return ledger_ask(ledger, ask[names], NULL, take_name, list, error) ? g_steal_pointer(&list)
									    : NULL;
}

static void take_stats(MsSqlRow *row, void *user)
{
	*(MsRecordStats *)user = (MsRecordStats){.held = ms_sql_number(row, "held"),
		.oldest = ms_sql_number(row, "oldest"),
		.waiting = ms_sql_number(row, "waiting"),
		.changed = ms_sql_number(row, "changed"),
		.delayed = ms_sql_number(row, "delayed"),
		.due = ms_sql_number(row, "due")};
}

bool ms_records_stats(MsLedger *ledger, MsRecordStats *out, GError **error)
{
	return ledger_ask(ledger,
		"SELECT (SELECT count(*) FROM held WHERE state='held') - (SELECT count(*) FROM wait) AS held,"
		" (SELECT min(arrived) FROM held WHERE state='held' AND id NOT IN (SELECT held FROM wait)) AS oldest,"
		" (SELECT count(*) FROM wait) AS delayed, (SELECT min(due) FROM wait) AS due,"
		" (SELECT count(*) FROM decision WHERE state='waiting') AS waiting,"
		" (SELECT n FROM counter) AS changed",
		NULL, take_stats, out, error);
}
