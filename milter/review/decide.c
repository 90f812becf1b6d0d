#include "config.h"

#include <string.h>

#include "page.h"

/* ---- what all need -------------------------------------------------------------------- */

bool audit(const Request *r, const char *what, const char *about, const char *detail)
{
	return ms_audit_event(r->site->audit, r->session != NULL ? r->session->account->name : NULL, r->client,
		what, about, detail, NULL);
}

void say_no(const Request *r, Answer *a, unsigned status, const char *text)
{
	a->status = status;
	a->title = T(r, "missent");
	g_string_truncate(a->html, 0);
	g_clear_pointer(&a->bytes, g_bytes_unref);
	a->type = NULL;
	html(a->html, "<div class=\"card alone\"><h1>%d</h1><p>%s</p><p><a href=\"/\">%s</a></p></div>",
		(gint64)status, text, T(r, "Held mail"));
}

#define WAIT_MS 60000
#define WAIT_SEVERAL_MS 15000

json_t *ask_host(const Request *r, const char *host, json_t *ask, char **why_out)
{
	g_autoptr(GError) error = NULL;
	char *text = json_dumps(ask, JSON_COMPACT);
	json_decref(ask);
	g_autofree char *reply = ms_link_ask(r->site->link, host, text,
		r->site->settings->review.mirror ? WAIT_SEVERAL_MS : WAIT_MS, &error);
	free(text);
	json_t *out = reply != NULL ? json_loads(reply, 0, NULL) : NULL;
	const char *why = json_string_value(json_object_get(out, "error"));
	if (out != NULL && json_is_true(json_object_get(out, "ok")))
		return out;
	*why_out = g_strdup(error != NULL ? error->message : why != NULL ? why : "the host gave no answer");
	json_decref(out);
	return NULL;
}

/* ---- one message ---------------------------------------------------------------------- */

static json_t *list_of(const GPtrArray *values)
{
	json_t *list = json_array();
	for (guint i = 0; values != NULL && i < values->len; i++)
		json_array_append_new(list, json_string(values->pdata[i]));
	return list;
}

/* "Release to those with a right": a release, with a condition. */
static bool by_right(const Request *r)
{
	return strcmp(form(r, "verb"), "release-right") == 0;
}

static json_t *decision(const Request *r, const char *verb, json_t *uids, json_t *recipients,
	const char *detail, gint64 total)
{
	g_autofree char *id = ms_record_name();
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:s, s:s, s:s, s:I, s:b, s:b}", "do", "decide", "id", id, "verb",
		verb, "uids", uids, "recipients", recipients, "who", r->session->account->name, "why", form(r, "why"),
		"detail", detail, "total", (json_int_t)total, "later", json_array_size(uids) > 5, "rightful",
		(int)by_right(r));
}

/* Of several decisions (many recipients) the one that is furthest from done says what there is to say. */
static const json_t *least_done(const json_t *decisions)
{
	static const char *const order[] = {"failed", "waiting", "approved", "acting", "done"};
	for (gsize k = 0; k < G_N_ELEMENTS(order); k++)
		for (size_t i = 0; i < json_array_size(decisions); i++)
			if (strcmp(word(json_array_get(decisions, i), "state"), order[k]) == 0)
				return json_array_get(decisions, i);
	return NULL;
}

static char *outcome_words(const Request *r, const char *state, const char *outcome)
{
	if (strcmp(state, "waiting") == 0)
		return g_strdup(T(r, "It waits for a second person."));
	if (strcmp(state, "done") == 0)
		return g_strdup_printf("%s %s", T(r, "Done."), outcome);
	return g_strdup(T(r, "It is being done; this page tells when it is."));
}

/* Back to the message, with what became of it. */
static void tell(const Request *r, Answer *a, const char *uid, const json_t *reply, const char *no)
{
	const json_t *least = least_done(json_object_get(reply, "decisions"));
	const char *state = word(least, "state"), *outcome = word(least, "outcome");
	bool failed = no != NULL || least == NULL || strcmp(state, "failed") == 0;
	g_autofree char *text = no != NULL ? g_strdup(no)
		: failed                   ? g_strdup(outcome)
					   : outcome_words(r, state, outcome);
	g_autofree char *escaped = g_uri_escape_string(text, NULL, FALSE);
	redirect(a, "/message/%s?fine=%d&done=%s", uid, !failed, escaped);
}

/* Which button was pressed, in the words of the desk; NULL: something is missing. */
static const char *pressed(const Request *r, char **detail_out, GPtrArray *to)
{
	const char *verb = form(r, "verb");
	*detail_out = g_strdup("");
	if (by_right(r))
		return "release";
	if (strcmp(verb, "release-some") == 0) {
		const GPtrArray *chosen = form_all(r, "to");
		for (guint i = 0; chosen != NULL && i < chosen->len; i++)
			g_ptr_array_add(to, chosen->pdata[i]);
		return to->len > 0 ? "release" : NULL;
	}
	g_free(*detail_out);
	*detail_out = strcmp(verb, "belongs") == 0
		? g_strdup_printf("%s %s", form(r, "ref"), form(r, "account"))
		: g_strdup(strcmp(verb, "may-receive") == 0 ? form(r, "receives")
				   : strcmp(verb, "assign") == 0    ? form(r, "assignee")
								    : "");
	if (strcmp(verb, "may-receive") == 0)
		g_ptr_array_add(to, (char *)form(r, "recipient"));
	if (strcmp(verb, "belongs") == 0 && *form(r, "account") == '\0')
		return NULL;
	return verb;
}

void page_decide(Request *r, Answer *a)
{
	g_autoptr(MsRecord) record = find_record(r, a, below(r, "/message/"));
	if (record == NULL)
		return;
	g_autofree char *detail = NULL, *no = NULL;
	g_autoptr(GPtrArray) to = g_ptr_array_new();
	const char *verb = pressed(r, &detail, to);
	if (verb == NULL) {
		tell(r, a, record->uid, NULL, T(r, "Choose recipients, or an account, first."));
		return;
	}
	if (!audit(r, "decide", record->uid, verb)) {
		say_no(r, a, 503, T(r, "The audit trail cannot be written; nothing was done."));
		return;
	}
	json_t *uids = json_pack("[s]", record->uid);
	json_t *reply = ask_host(r, record->host, decision(r, verb, uids, list_of(to), detail, 0), &no);
	tell(r, a, record->uid, reply, no);
	json_decref(reply);
}

/* ---- many ----------------------------------------------------------------------------- */

/* The messages of each host, asked of that host. */
static GHashTable *by_host(const GPtrArray *list)
{
	GHashTable *hosts = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)json_decref);
	for (guint i = 0; i < list->len; i++) {
		const MsRecord *record = list->pdata[i];
		json_t *uids = g_hash_table_lookup(hosts, record->host);
		if (uids == NULL) {
			uids = json_array();
			g_hash_table_insert(hosts, record->host, uids);
		}
		json_array_append_new(uids, json_string(record->uid));
	}
	return hosts;
}

/* "mx1: 5 are being done, 2 have nobody with a right to them and stay held" */
static char *host_words(const Request *r, const char *host, const json_t *decisions, gint64 asked)
{
	g_autoptr(GHashTable) uids = g_hash_table_new(g_str_hash, g_str_equal);
	for (size_t i = 0; i < json_array_size(decisions); i++)
		g_hash_table_add(uids, (char *)word(json_array_get(decisions, i), "uid"));
	gint64 n = g_hash_table_size(uids);
	const char *state = word(json_array_get(decisions, 0), "state");
	GString *out = g_string_new(NULL);
	g_string_append_printf(out, "%s: %" G_GINT64_FORMAT " %s", host, n,
		T(r, strcmp(state, "waiting") == 0 ? "wait for a second person" : "are being done"));
	if (n < asked)
		g_string_append_printf(out, ", %" G_GINT64_FORMAT " %s", asked - n,
			T(r, "have nobody with a right to them and stay held"));
	return g_string_free(out, FALSE);
}

static void decide_all(Request *r, Answer *a, const GPtrArray *list)
{
	g_autoptr(GHashTable) hosts = by_host(list);
	GHashTableIter iter;
	void *host, *uids;
	g_hash_table_iter_init(&iter, hosts);
	a->title = T(r, "By cause");
	html(a->html, "<h1>%s</h1>", T(r, "Decided"));
	while (g_hash_table_iter_next(&iter, &host, &uids)) {
		g_autofree char *no = NULL;
		gint64 n = (gint64)json_array_size(uids);
		json_t *reply = ask_host(r, host,
			decision(r, by_right(r) ? "release" : form(r, "verb"), json_incref(uids), json_array(), "",
				list->len), &no);
		g_autofree char *text = no != NULL
			? g_strdup_printf("%s: %s", (char *)host, no)
			: host_words(r, host, json_object_get(reply, "decisions"), n);
		html_notice(a->html, no == NULL, text);
		json_decref(reply);
	}
	html(a->html, "<p><a href=\"/causes\">← %s</a> · <a href=\"/waiting\">%s</a></p>", T(r, "By cause"),
		T(r, "Second person"));
}

void page_decide_cause(Request *r, Answer *a)
{
	MsRecordFilter filter = {.state = MS_STATE_HELD, .cause = form(r, "cause"),
		.up_to = g_ascii_strtoll(form(r, "up_to"), NULL, 10), .limit = 10000};
	g_autoptr(GPtrArray) list = *filter.cause != '\0' && strcmp(form(r, "sure"), "1") == 0
		? ms_records_list(r->site->ledger, &filter, NULL)
		: NULL;
	if (list == NULL || list->len == 0) {
		say_no(r, a, 400, T(r, "Nothing is held for this cause, or you have not said that you looked."));
		return;
	}
	g_autofree char *detail = g_strdup_printf("%s of %u", form(r, "verb"), list->len);
	if (audit(r, "decide", "", detail))
		decide_all(r, a, list);
	else
		say_no(r, a, 503, T(r, "The audit trail cannot be written; nothing was done."));
}

/* A group may be on several hosts: each is asked; one that has none of it says so. */
void page_agree(Request *r, Answer *a)
{
	const char *id = form(r, "id");
	bool agrees = strcmp(form(r, "agrees"), "yes") == 0;
	g_autoptr(GPtrArray) list =
		ms_decisions_list(r->site->ledger, MS_DECISION_WAITING, NULL, NULL);
	g_autoptr(GHashTable) done = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (!audit(r, agrees ? "agree" : "withdraw", "", id)) {
		say_no(r, a, 503, T(r, "The audit trail cannot be written; nothing was done."));
		return;
	}
	a->title = T(r, "Second person");
	html(a->html, "<h1>%s</h1>", T(r, "Decided"));
	for (guint i = 0; list != NULL && i < list->len; i++) {
		const MsDecision *d = list->pdata[i];
		if (strcmp(d->id, id) != 0 && strcmp(d->group, id) != 0)
			continue;
		g_autoptr(MsRecord) record = ms_records_find(r->site->ledger, d->uid, NULL);
		if (record == NULL || !g_hash_table_add(done, g_strdup(record->host)))
			continue;
		g_autofree char *no = NULL;
		json_t *reply = ask_host(r, record->host, json_pack("{s:s, s:s, s:s, s:b}", "do", "agree", "id", id,
			"who", r->session->account->name, "agrees", (int)agrees), &no);
		html_notice(a->html, no == NULL, no != NULL ? no : T(r, agrees ? "Agreed." : "Withdrawn."));
		json_decref(reply);
	}
	if (g_hash_table_size(done) == 0)
		html_notice(a->html, false, T(r, "Nothing waits."));
	html(a->html, "<p><a href=\"/waiting\">← %s</a></p>", T(r, "Second person"));
}
