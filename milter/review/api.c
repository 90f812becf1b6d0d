/*
 * The API: what the page shows and does, as JSON for programs (missent-api(7)).  A request with a
 * token comes in; keys, types and words are checked here, the token and what it may by
 * missent-agent, and the same requests as the page's own go on.  Cookies count for nothing here.
 * Threads of requests.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "missent/answer.h"
#include "missent/ask.h"

#include "page.h"

#define BODY_MOST (1u << 20)
#define SWALLOW_MOST (64u << 20) /* of what is too long, so that its sender hears why */
#define LIST_MOST 500

/* ---- replies -------------------------------------------------------------------------- */

/* Takes `json`. */
static void reply(Answer *a, unsigned status, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);
	a->status = status;
	a->type = "application/json";
	g_clear_pointer(&a->bytes, g_bytes_unref);
	a->bytes = text != NULL ? g_bytes_new(text, strlen(text))
				: g_bytes_new_static("{\"ok\":false}", 12);
	free(text);
	json_decref(json);
}

/* The words of the agent's refusals, and ours. */
static const struct {
	const char *code;
	unsigned status;
} statuses[] = {{"input", 400}, {"session", 401}, {"role", 403}, {"proof", 403}, {"none", 404},
	{"method", 405}, {"desk", 409}, {"size", 413}, {"type", 415}, {"wait", 429},
	{"retry", 503}};

static void refuse(Answer *a, const char *code, const char *why)
{
	unsigned status = 503;
	for (gsize i = 0; i < G_N_ELEMENTS(statuses); i++)
		if (strcmp(statuses[i].code, code) == 0)
			status = statuses[i].status;
	a->authenticate = status == 401 ? "Bearer" : NULL;
	a->retry_after = status == 429 || status == 503 ? "5" : NULL;
	g_autofree char *valid = g_utf8_make_valid(why, -1);
	reply(a, status, json_pack("{s:b, s:s, s:s}", "ok", 0, "code", code, "error", valid));
}

/* Takes the error. */
static void refuse_error(Answer *a, GError *error)
{
	refuse(a, "input", error->message);
	g_error_free(error);
}

/* Takes `fields`. */
static void fine(Answer *a, json_t *fields)
{
	json_object_set_new(fields, "ok", json_true());
	reply(a, 200, fields);
}

/* ---- looking -------------------------------------------------------------------------- */

static void get_stats(Request *r, Answer *a, const json_t *body)
{
	(void)body;
	MsRecordStats stats = {0};
	if (!ms_records_stats(r->site->ledger, &stats, NULL))
		refuse(a, "retry", "the records cannot be read now");
	else
		fine(a,
			json_pack("{s:I, s:I, s:I, s:I}", "held", (json_int_t)stats.held, "oldest",
				(json_int_t)(stats.oldest / G_USEC_PER_SEC), "waiting",
				(json_int_t)stats.waiting, "delayed", (json_int_t)stats.delayed));
}

typedef struct {
	MsRecordFilter filter;
	GError *error;
} Asked;

static bool take_limit(const char *value, guint *out, GError **error)
{
	char *end;
	gint64 n = g_ascii_strtoll(value, &end, 10);
	if (*end != '\0' || end == value || n < 1 || n > LIST_MOST)
		return ms_word_refuse("limit", value, "is no number from 1 to 500", NULL, error);
	*out = (guint)n;
	return true;
}

static enum MHD_Result take_filter(
	void *user, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	Asked *asked = user;
	value = value != NULL ? value : "";
	bool good = strcmp(name, "limit") == 0
		? take_limit(value, &asked->filter.limit, &asked->error)
		: strcmp(name, "after") == 0
		? ms_word_check(MS_WORD_ANY, name, value, &asked->error)
		: ms_filter_take(&asked->filter, name, value, &asked->error);
	if (good && strcmp(name, "after") == 0)
		asked->filter.after = value;
	return good ? MHD_YES : MHD_NO;
}

/* What the page's list shows: whose data would have gone to whom, and why it did not. */
static json_t *summary_of(const MsRecord *record, const MsGlance *g)
{
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:I, s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}",
		"uid", record->uid, "host", record->host, "queue_id", record->queue_id, "state",
		ms_state_names[record->state], "arrived",
		(json_int_t)(record->arrived / G_USEC_PER_SEC), "sender", record->sender,
		"recipients", (json_int_t)record->n_recipients, "recipient", g->recipient,
		"outcome", ms_outcome_names[g->outcome], "accounts", g->owners, "subject",
		g->subject, "attached", g->attached, "reasons", record->codes, "policies",
		record->policies, "cause", record->cause, "assignee", record->assignee, "due",
		(json_int_t)(record->due / G_USEC_PER_SEC));
}

static void get_list(Request *r, Answer *a, const json_t *body)
{
	(void)body;
	Asked asked = {.filter = {.state = MS_STATE_HELD, .limit = 50}};
	MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, take_filter, &asked);
	if (asked.error != NULL) {
		refuse_error(a, asked.error);
		return;
	}
	if (!search_told(r, &asked.filter)) {
		refuse(a, "retry", "the search cannot be recorded now");
		return;
	}
	guint limit = asked.filter.limit++;
	g_auto(Lookup) lookup = {.filter = asked.filter};
	asked_marks(r, &lookup);
	if (lookup.partial) {
		refuse(a, "retry", "nobody answers who can look for it now (does missent-agent run?)");
		return;
	}
	g_autoptr(GPtrArray) list = ms_records_list(r->site->ledger, &lookup.filter, NULL);
	if (list == NULL) {
		refuse(a, "retry", "the records cannot be read now");
		return;
	}
	json_t *out = json_array();
	for (guint i = 0; i < list->len && i < limit; i++) {
		const MsRecord *record = list->pdata[i];
		g_autoptr(MsGlance) glance = ms_records_glance(r->site->ledger, record, NULL);
		if (glance == NULL) { /* whose it is, and for whom, is not nobody */
			json_decref(out);
			refuse(a, "retry", "the records cannot be read now");
			return;
		}
		json_array_append_new(out, summary_of(record, glance));
	}
	g_autofree char *after = list->len > limit
		? ms_record_cursor(list->pdata[limit - 1], asked.filter.sort)
		: NULL;
	json_t *fields = json_pack("{s:o}", "messages", out);
	if (after != NULL)
		json_object_set_new(fields, "after", json_string(after));
	fine(a, fields);
}

/* The record of a path, or of a word in a request; NULL: it was said that there is none. */
static MsRecord *record_of(const Request *r, Answer *a, const char *name)
{
	g_autoptr(GError) error = NULL;
	if (!ms_word_check(MS_WORD_MESSAGE, "message", name, &error)) {
		refuse(a, "input", error->message);
		return NULL;
	}
	MsRecord *record = ms_records_find(r->site->ledger, name, &error);
	g_autofree char *none = g_strdup_printf("%s: there is no record of such a message", name);
	bool unclear = g_error_matches(error, MS_ERROR, MS_ERROR_INPUT);
	if (record == NULL)
		refuse(a, unclear ? "input" : error != NULL ? "retry" : "none",
			error != NULL ? error->message : none);
	return record;
}

/* The last part of the path but for `/evidence`. */
static char *name_of(const Request *r)
{
	char *name = g_strdup(below(r, API_PREFIX "held/"));
	char *slash = strchr(name, '/');
	if (slash != NULL)
		*slash = '\0';
	return name;
}

static void get_message(Request *r, Answer *a, const json_t *body)
{
	(void)body;
	g_autofree char *name = name_of(r);
	g_autoptr(MsRecord) record = record_of(r, a, name);
	if (record == NULL)
		return;
	char *text = audit(r, "look", record->uid, "") ? ms_record_to_json(record) : NULL;
	json_t *json = text != NULL ? json_loads(text, 0, NULL) : NULL;
	free(text);
	if (json == NULL)
		refuse(a, "retry", "it cannot be shown now");
	else
		fine(a, json_pack("{s:o}", "message", json));
}

static void get_causes(Request *r, Answer *a, const json_t *body)
{
	(void)body;
	g_autoptr(GPtrArray) causes = ms_records_causes(r->site->ledger, LIST_MOST, NULL);
	if (causes == NULL) {
		refuse(a, "retry", "the records cannot be read now");
		return;
	}
	json_t *out = json_array();
	for (guint i = 0; i < causes->len; i++) {
		const MsCause *c = causes->pdata[i];
		json_array_append_new(out,
			json_pack("{s:s, s:I, s:I, s:I}", "cause", c->cause, "messages",
				(json_int_t)c->messages, "oldest",
				(json_int_t)(c->oldest / G_USEC_PER_SEC), "newest",
				(json_int_t)(c->newest / G_USEC_PER_SEC)));
	}
	fine(a, json_pack("{s:o}", "causes", out));
}

static json_t *waiting_of(const MsDecision *d)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "id", d->id, "group", d->group,
		"uid", d->uid, "verb", ms_verbs[d->verb].name, "who", d->who, "why", d->why, "at",
		(json_int_t)(d->at / G_USEC_PER_SEC));
}

static void get_waiting(Request *r, Answer *a, const json_t *body)
{
	(void)body;
	g_autoptr(GPtrArray)
		list = ms_decisions_list(r->site->ledger, MS_DECISION_WAITING, NULL, NULL);
	if (list == NULL) {
		refuse(a, "retry", "the records cannot be read now");
		return;
	}
	json_t *out = json_array();
	for (guint i = 0; i < list->len; i++)
		json_array_append_new(out, waiting_of(list->pdata[i]));
	fine(a, json_pack("{s:o}", "decisions", out));
}

/* In clear: on the record, and on both trails, before it is read. */
static void post_evidence(Request *r, Answer *a, const json_t *body)
{
	(void)body;
	g_autofree char *name = name_of(r), *why = NULL;
	const char *code = NULL;
	g_autoptr(MsRecord) record = record_of(r, a, name);
	if (record == NULL)
		return;
	if (!audit(r, "reveal", record->uid, "")) {
		refuse(a, "retry",
			"the audit trail cannot be written (does missent-agent run?); nothing is shown");
		return;
	}
	json_t *ask = json_pack(
		"{s:s, s:s, s:s}", "do", "evidence", "uid", record->uid, "host", record->host);
	json_t *out = ask_agent(r, ask, &why, &code);
	if (out == NULL)
		refuse(a, code, why);
	else
		fine(a, json_pack("{s:O}", "evidence", json_object_get(out, "evidence")));
	json_decref(out);
}

/* ---- deciding ------------------------------------------------------------------------- */

static const MsKeyRow decide_keys[] = {
	{"verb", MS_KEY_TEXT, true, MS_WORD_ANY},
	{"uids", MS_KEY_TEXTS, true, MS_WORD_MESSAGE},
	{"recipients", MS_KEY_TEXTS, false, MS_WORD_ADDRESS},
	{"rightful", MS_KEY_YES, false, MS_WORD_ANY},
	{"others", MS_KEY_NUMBER, false, MS_WORD_ANY},
	{"account", MS_KEY_TEXT, false, MS_WORD_ACCOUNT},
	{"identifier", MS_KEY_TEXT, false, MS_WORD_IDENTIFIER},
	{"assignee", MS_KEY_TEXT, false, MS_WORD_PERSON},
	{"why", MS_KEY_TEXT, false, MS_WORD_TEXT},
	{"later", MS_KEY_YES, false, MS_WORD_ANY},
	{"id", MS_KEY_TEXT, false, MS_WORD_DECISION},
	{NULL, MS_KEY_TEXT, false, MS_WORD_ANY},
};

static const MsKeyRow rejudge_keys[] = {
	{"uids", MS_KEY_TEXTS, true, MS_WORD_MESSAGE},
	{NULL, MS_KEY_TEXT, false, MS_WORD_ANY},
};

static const MsKeyRow agree_keys[] = {
	{"id", MS_KEY_TEXT, true, MS_WORD_DECISION},
	{"agrees", MS_KEY_YES, true, MS_WORD_ANY},
	{"name", MS_KEY_TEXT, false, MS_WORD_PERSON},
	{"password", MS_KEY_TEXT, false, MS_WORD_ANY},
	{"code", MS_KEY_TEXT, false, MS_WORD_ANY},
	{NULL, MS_KEY_TEXT, false, MS_WORD_ANY},
};

typedef struct {
	char *host;
	json_t *uids; /* those that it holds */
	MsAskOthers others;
	guint share; /* of the number that was said */
} Part;

static void part_clear(gpointer data)
{
	Part *part = data;
	g_free(part->host);
	json_decref(part->uids);
}

static Part *part_of(GArray *parts, const char *host)
{
	for (guint i = 0; i < parts->len; i++)
		if (strcmp(g_array_index(parts, Part, i).host, host) == 0)
			return &g_array_index(parts, Part, i);
	const Part part = {.host = g_strdup(host), .uids = json_array()};
	g_array_append_val(parts, part);
	return &g_array_index(parts, Part, parts->len - 1);
}

/* To whom it goes: nobody of whom it is another's, where it is for those with a right. */
static void count_others(Part *part, const MsAsk *ask, const MsRecord *record)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	if (!ask->rightful)
		ms_ask_count_others(&part->others, ask, record,
			ask->recipients != NULL ? ask->recipients : all);
}

static bool share_others(GArray *parts, const MsAsk *ask, GError **error)
{
	g_autofree MsAskOthers *of = g_new0(MsAskOthers, parts->len);
	g_autofree guint *shares = g_new0(guint, parts->len);
	for (guint i = 0; i < parts->len; i++)
		of[i] = g_array_index(parts, Part, i).others;
	if (!ms_ask_share_others(ask, of, parts->len, shares, error))
		return false;
	for (guint i = 0; i < parts->len; i++)
		g_array_index(parts, Part, i).share = shares[i];
	return true;
}

/* What each host is asked for, of Part; NULL: of one there is no record, or the number is another,
 * which was said. */
static GArray *by_host(const Request *r, Answer *a, const MsAsk *ask)
{
	g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(Part));
	g_autoptr(GError) error = NULL;
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_array_set_clear_func(parts, part_clear);
	for (guint i = 0; i < ask->uids->len; i++) {
		g_autoptr(MsRecord) record = record_of(r, a, ask->uids->pdata[i]);
		if (record == NULL)
			return NULL;
		if (!g_hash_table_add(seen, g_strdup(record->uid)))
			continue; /* by whatever name */
		Part *part = part_of(parts, record->host);
		json_array_append_new(part->uids, json_string(record->uid));
		count_others(part, ask, record);
	}
	if (share_others(parts, ask, &error))
		return g_steal_pointer(&parts);
	refuse(a, "input", error->message);
	return NULL;
}

/* Asks one host, and adds what it says to the whole. */
static void gather(
	const Request *r, json_t *ask, json_t *decisions, char **why_out, const char **code_out)
{
	g_autofree char *why = NULL;
	const char *code = NULL;
	json_t *out = ask_agent(r, ask, &why, &code);
	json_array_extend(decisions, json_object_get(out, "decisions"));
	json_decref(out);
	if (out == NULL && *why_out == NULL) {
		*why_out = g_steal_pointer(&why);
		*code_out = code;
	}
}

/* Takes `decisions`: those that were taken are told even where another host refused. */
static void conclude(Answer *a, json_t *decisions, const char *why, const char *code)
{
	if (why == NULL) {
		fine(a, json_pack("{s:o}", "decisions", decisions));
		return;
	}
	refuse(a, code, why);
	if (json_array_size(decisions) > 0)
		reply(a, a->status,
			json_pack("{s:b, s:s, s:s, s:O}", "ok", 0, "code", code, "error", why,
				"decisions", decisions));
	json_decref(decisions);
}

/* What a decision is called: a request with an "id" has one name however often it comes, and no
 * other request has it.  An ID as it came could be that of what waits on another host for a
 * second person, who would agree to both. */
static char *name_of_decision(const Request *r, const json_t *ask)
{
	if (json_object_get(ask, "id") == NULL)
		return ms_record_name();
	char *text = json_dumps(ask, JSON_COMPACT | JSON_SORT_KEYS);
	g_autofree char *whole = g_strconcat(r->session->actor, "\n", text, NULL);
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, whole, -1);
	free(text);
	return g_strndup(sum, 32);
}

/* Of what one host is asked: as one of several its decisions have names of their own, for the page
 * has those of all, and a name is that of one. */
static json_t *ask_of(const json_t *ask, const Part *part, const char *id, bool one)
{
	g_autofree char *whole = g_strconcat(id, "\n", part->host, NULL);
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, whole, -1);
	g_autofree char *own = g_strndup(sum, 32);
	json_t *out = json_copy((json_t *)ask);
	json_object_set(out, "uids", part->uids);
	json_object_set_new(out, "host", json_string(part->host));
	json_object_set_new(out, "id", json_string(one ? id : own));
	if (part->share > 0)
		json_object_set_new(out, "others", json_integer(part->share));
	else
		json_object_del(out, "others");
	return out;
}

/* Takes `ask`, a whole decision as the desk takes it. */
static void decide(Request *r, Answer *a, json_t *ask)
{
	g_auto(MsAsk) checked = {.uids = NULL};
	g_autoptr(GError) error = NULL;
	g_autofree char *id = name_of_decision(r, ask), *why = NULL;
	const char *code = NULL;
	json_object_set_new(ask, "do", json_string("decide"));
	json_object_set_new(ask, "id", json_string(id));
	json_object_set_new(ask, "total",
		json_integer((json_int_t)json_array_size(json_object_get(ask, "uids"))));
	g_autoptr(GArray) parts = NULL;
	if (!ms_ask_from_json(ask, &checked, &error))
		refuse(a, "input", error->message);
	else if (!audit(r, "decide", "", ms_verbs[checked.verb].name))
		refuse(a, "retry",
			"the audit trail cannot be written (does missent-agent run?); nothing was done");
	else
		parts = by_host(r, a, &checked);
	json_t *decisions = json_array();
	for (guint i = 0; parts != NULL && i < parts->len; i++)
		gather(r, ask_of(ask, &g_array_index(parts, Part, i), id, parts->len == 1),
			decisions, &why, &code);
	if (parts != NULL)
		conclude(a, decisions, why, code);
	else
		json_decref(decisions);
	json_decref(ask);
}

static void post_decide(Request *r, Answer *a, const json_t *body)
{
	decide(r, a, json_copy((json_t *)body));
}

static void post_rejudge(Request *r, Answer *a, const json_t *body)
{
	json_t *ask = json_copy((json_t *)body);
	json_object_set_new(ask, "verb", json_string(ms_verbs[MS_VERB_REJUDGE].name));
	decide(r, a, ask);
}

GPtrArray *hosts_of_decision(const Request *r, const char *id)
{
	g_autoptr(GPtrArray)
		list = ms_decisions_list(r->site->ledger, MS_DECISION_WAITING, NULL, NULL);
	if (list == NULL)
		return NULL;
	g_autoptr(GPtrArray) hosts = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) error = NULL;
	for (guint i = 0; i < list->len; i++) {
		const MsDecision *d = list->pdata[i];
		if (strcmp(d->id, id) != 0 && strcmp(d->group, id) != 0)
			continue;
		g_autoptr(MsRecord) record = ms_records_find(r->site->ledger, d->uid, &error);
		if (error != NULL)
			return NULL;
		if (record != NULL &&
			!g_ptr_array_find_with_equal_func(hosts, record->host, g_str_equal, NULL))
			g_ptr_array_add(hosts, g_strdup(record->host));
	}
	return g_steal_pointer(&hosts);
}

static void post_agree(Request *r, Answer *a, const json_t *body)
{
	const char *id = word(body, "id"), *code = NULL;
	bool agrees = json_is_true(json_object_get(body, "agrees"));
	g_autofree char *why = NULL;
	g_autoptr(GPtrArray) hosts = hosts_of_decision(r, id);
	if (hosts == NULL) {
		refuse(a, "retry", "the records cannot be read now");
		return;
	}
	if (hosts->len == 0) {
		refuse(a, "none", "no decision waits under this name");
		return;
	}
	if (!audit(r, ms_verbs[agrees ? MS_VERB_AGREE : MS_VERB_WITHDRAW].name, "", id)) {
		refuse(a, "retry",
			"the audit trail cannot be written (does missent-agent run?); nothing was done");
		return;
	}
	json_t *decisions = json_array();
	for (guint i = 0; i < hosts->len; i++) {
		json_t *ask = json_copy((json_t *)body);
		json_object_set_new(ask, "do", json_string("agree"));
		json_object_set_new(ask, "host", json_string(hosts->pdata[i]));
		gather(r, ask, decisions, &why, &code);
	}
	conclude(a, decisions, why, code);
}

/* ---- addresses ------------------------------------------------------------------------ */

typedef struct {
	const char *method,
		*path; /* one that ends with "*" takes one part more; "**": and /evidence */
	Right right;
	const MsKeyRow *keys; /* of the body; NULL: it has none */
	void (*run)(Request *r, Answer *a, const json_t *body);
} Row;

static const Row rows[] = {
	{"GET", "stats", FOR_VIEWER, NULL, get_stats},
	{"GET", "held", FOR_VIEWER, NULL, get_list},
	{"GET", "held/*", FOR_VIEWER, NULL, get_message},
	{"GET", "causes", FOR_VIEWER, NULL, get_causes},
	{"GET", "waiting", FOR_VIEWER, NULL, get_waiting},
	{"POST", "held/*/evidence", FOR_REVIEWER, NULL, post_evidence},
	{"POST", "decide", FOR_REVIEWER, decide_keys, post_decide},
	{"POST", "rejudge", FOR_REVIEWER, rejudge_keys, post_rejudge},
	{"POST", "agree", FOR_REVIEWER, agree_keys, post_agree},
};

/* A star is one part of a path. */
static bool is_path(const char *pattern, const char *path)
{
	g_auto(GStrv) want = g_strsplit(pattern, "/", -1);
	g_auto(GStrv) got = g_strsplit(path, "/", 10);
	guint n = g_strv_length(want);
	if (g_strv_length(got) != n)
		return false;
	for (guint i = 0; i < n; i++)
		if (strcmp(want[i], "*") == 0 ? *got[i] == '\0' : strcmp(want[i], got[i]) != 0)
			return false;
	return true;
}

/* NULL: `*allow_out` are the methods that there are, or NULL. */
static const Row *row_for(const char *method, const char *path, const char **allow_out)
{
	*allow_out = NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (!is_path(rows[i].path, path))
			continue;
		if (strcmp(rows[i].method, method) == 0)
			return &rows[i];
		*allow_out = rows[i].method;
	}
	return NULL;
}

/* ---- what comes in -------------------------------------------------------------------- */

json_t *api_body(const char *text, gsize len, const MsKeyRow *keys, GError **error)
{
	json_error_t why;
	json_t *json = len > 0 ? json_loadb(text, len, JSON_REJECT_DUPLICATES, &why)
			       : json_object();
	if (json == NULL) {
		g_autofree char *said = g_utf8_make_valid(why.text, -1);
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT, "the body is no JSON: %s, at byte %d",
			said, why.position);
		return NULL;
	}
	static const MsKeyRow none[] = {{NULL, MS_KEY_TEXT, false, MS_WORD_ANY}};
	if (ms_ask_keys(keys != NULL ? keys : none, json, error))
		return json;
	json_decref(json);
	return NULL;
}

const MsKeyRow *api_keys(const char *method, const char *path)
{
	const char *allow;
	const Row *row = row_for(method, path, &allow);
	return row != NULL ? row->keys : NULL;
}

char *api_token(const char *authorization)
{
	if (authorization == NULL || g_ascii_strncasecmp(authorization, "Bearer ", 7) != 0)
		return NULL;
	g_autofree char *token = g_strstrip(g_strdup(authorization + 7));
	return ms_accounts_token_form(token) ? g_steal_pointer(&token) : NULL;
}

void api_begin(Request *r)
{
	r->body = g_byte_array_new();
}

bool api_take(Request *r, const char *data, gsize len)
{
	r->form_bytes += len;
	if (r->form_bytes <= BODY_MOST)
		g_byte_array_append(r->body, (const guint8 *)data, (guint)len);
	else
		r->broken = true;
	return r->form_bytes <= SWALLOW_MOST;
}

static bool is_json(const Request *r)
{
	const char *type = header(r, "Content-Type");
	return r->body->len == 0
		|| (type != NULL && g_ascii_strncasecmp(type, "application/json", 16) == 0
			&& (type[16] == '\0' || type[16] == ';' || type[16] == ' '));
}

static const Row *admitted(Request *r, Answer *a, const char *method)
{
	g_autofree char *why = NULL;
	const char *code = NULL;
	const Row *row = row_for(method, below(r, API_PREFIX), &a->allow);
	r->token = api_token(header(r, "Authorization"));
	if (r->token != NULL)
		find_token(r, &why, &code);
	if (r->token == NULL)
		refuse(a, "session", "this needs a token: Authorization: Bearer mst_...");
	else if (code != NULL)
		refuse(a, code, why);
	else if (r->session == NULL)
		refuse(a, "session", "this token is not good, or not any more");
	else if (row == NULL)
		refuse(a, a->allow != NULL ? "method" : "none",
			a->allow != NULL ? "not by this method" : "there is no such address");
	else if (!may(r, row->right))
		refuse(a, "role", "this token may not do this");
	else
		return row;
	if (r->session != NULL && row != NULL)
		audit(r, "refused", "", r->path);
	return NULL;
}

void api_answer(Request *r, Answer *a, const char *method)
{
	g_autoptr(GError) error = NULL;
	const Row *row = admitted(r, a, method);
	if (row == NULL)
		return;
	a->allow = NULL;
	if (r->broken) {
		refuse(a, "size", "the body has more than a megabyte");
		return;
	}
	if (!has_text(r)) {
		refuse(a, "input", MS_NO_TEXT);
		return;
	}
	if (!is_json(r)) {
		refuse(a, "type", "the body is to be application/json");
		return;
	}
	json_t *body = api_body((const char *)r->body->data, r->body->len, row->keys, &error);
	if (body == NULL)
		refuse(a, "input", error->message);
	else
		row->run(r, a, body);
	json_decref(body);
}
