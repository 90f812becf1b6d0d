/*
 * Decisions of the page: a button comes in as a form, what is asked goes to the host that holds the
 * message, and what became of it is shown.  In a thread of the web server's pool.
 */
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

json_t *ask_host(const Request *r, const char *host, json_t *ask, char **why_out)
{
	json_object_set_new(ask, "host", json_string(host));
	return ask_agent(r, ask, why_out, NULL);
}

/* ---- one message ---------------------------------------------------------------------- */

/* A field of the form; NULL: it was left empty. */
static const char *given(const Request *r, const char *name)
{
	return *form(r, name) != '\0' ? form(r, name) : NULL;
}

/* What was pressed, in the words of the desk: "release-right" and "release-some" are a release with a
 * condition.  False: what is missing, or is none. */
static bool pressed(const Request *r, MsAsk *ask, GError **error)
{
	const char *button = form(r, "verb");
	bool right = strcmp(button, "release-right") == 0, some = strcmp(button, "release-some") == 0;
	ask->verb = MS_VERB_RELEASE;
	if (!right && !some && !ms_verb_parse("verb", button, &ask->verb, error))
		return false;
	ask->rightful = right;
	ask->who = r->session->account->name;
	ask->why = given(r, "why");
	if (ms_verb_says(ask->verb, MS_SAY_IDENTIFIER) != NULL)
		ask->identifier = given(r, "ref");
	if (ms_verb_says(ask->verb, MS_SAY_ACCOUNT) != NULL)
		ask->account = given(r, ask->verb == MS_VERB_MAY_RECEIVE ? "receives" : "account");
	if (ms_verb_says(ask->verb, MS_SAY_ASSIGNEE) != NULL)
		ask->assignee = given(r, "assignee");
	const GPtrArray *to = some ? form_all(r, "to") : NULL;
	for (guint i = 0; to != NULL && i < to->len; i++)
		g_ptr_array_add(ask->recipients, to->pdata[i]);
	if (ask->verb == MS_VERB_MAY_RECEIVE && given(r, "recipient") != NULL)
		g_ptr_array_add(ask->recipients, (char *)given(r, "recipient"));
	if (some && ask->recipients->len == 0) /* else it would be to all */
		return ms_word_check(MS_WORD_ADDRESS, "recipients", "", error);
	return true;
}

static json_t *ask_decision(const Request *r, const char *host, MsAsk *ask, char **why_out)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *id = ms_record_name();
	ask->id = id;
	ask->later = ask->uids->len > 5;
	if (ms_ask_check(ask, &error))
		return ask_host(r, host, ms_ask_to_json(ask), why_out);
	*why_out = g_strdup(error->message);
	return NULL;
}

static bool may_decide(const Request *r, MsVerb verb)
{
	return may(r, (Right)(FOR_VIEWER + (int)ms_verbs[verb].role));
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

void page_decide(Request *r, Answer *a)
{
	g_autoptr(MsRecord) record = find_record(r, a, below(r, "/message/"));
	if (record == NULL)
		return;
	g_autofree char *no = NULL;
	g_autoptr(GError) error = NULL;
	g_auto(MsAsk) ask = {.uids = g_ptr_array_new(), .recipients = g_ptr_array_new()};
	g_ptr_array_add(ask.uids, record->uid);
	if (!pressed(r, &ask, &error)) {
		tell(r, a, record->uid, NULL, error->message);
		return;
	}
	if (!may_decide(r, ask.verb)) {
		say_no(r, a, 403, T(r, "You have no right to this."));
		return;
	}
	if (!audit(r, "decide", record->uid, ms_verbs[ask.verb].name)) {
		say_no(r, a, 503, T(r, "The audit trail cannot be written; nothing was done."));
		return;
	}
	json_t *reply = ask_decision(r, record->host, &ask, &no);
	tell(r, a, record->uid, reply, no);
	json_decref(reply);
}

/* ---- many ----------------------------------------------------------------------------- */

/* The messages of each host, asked of that host. */
static GHashTable *by_host(const GPtrArray *list)
{
	GHashTable *hosts = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
	for (guint i = 0; i < list->len; i++) {
		const MsRecord *record = list->pdata[i];
		GPtrArray *uids = g_hash_table_lookup(hosts, record->host);
		if (uids == NULL) {
			uids = g_ptr_array_new();
			g_hash_table_insert(hosts, record->host, uids);
		}
		g_ptr_array_add(uids, record->uid);
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

static void decide_all(Request *r, Answer *a, const GPtrArray *list, const MsAsk *asked)
{
	g_autoptr(GHashTable) hosts = by_host(list);
	GHashTableIter iter;
	void *host, *uids;
	g_hash_table_iter_init(&iter, hosts);
	a->title = T(r, "By cause");
	html(a->html, "<h1>%s</h1>", T(r, "Decided"));
	while (g_hash_table_iter_next(&iter, &host, &uids)) {
		g_autofree char *no = NULL;
		MsAsk ask = *asked;
		ask.uids = uids;
		ask.total = list->len;
		gint64 n = ask.uids->len;
		json_t *reply = ask_decision(r, host, &ask, &no);
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
	g_auto(MsAsk) ask = {.recipients = g_ptr_array_new()};
	MsRecordFilter filter = {.state = MS_STATE_HELD, .cause = given(r, "cause"),
		.up_to = g_ascii_strtoll(form(r, "up_to"), NULL, 10), .limit = MS_ASK_MOST};
	g_autoptr(GPtrArray) list = filter.cause != NULL && pressed(r, &ask, NULL) && ms_verbs[ask.verb].many
			&& may_decide(r, ask.verb) && strcmp(form(r, "sure"), "1") == 0
		? ms_records_list(r->site->ledger, &filter, NULL)
		: NULL;
	if (list == NULL || list->len == 0) {
		say_no(r, a, 400, T(r, "Nothing is held for this cause, or you have not said that you looked."));
		return;
	}
	g_autofree char *detail = g_strdup_printf("%s of %u", ms_verbs[ask.verb].name, list->len);
	if (audit(r, "decide", "", detail))
		decide_all(r, a, list, &ask);
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
	if (!audit(r, ms_verbs[agrees ? MS_VERB_AGREE : MS_VERB_WITHDRAW].name, "", id)) {
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
		json_t *ask = json_pack("{s:s, s:s, s:b}", "do", "agree", "id", id, "agrees", (int)agrees);
		add_proof(r, ask);
		json_t *reply = ask_host(r, record->host, ask, &no);
		html_notice(a->html, no == NULL, no != NULL ? no : T(r, agrees ? "Agreed." : "Withdrawn."));
		json_decref(reply);
	}
	if (g_hash_table_size(done) == 0)
		html_notice(a->html, false, T(r, "Nothing waits."));
	html(a->html, "<p><a href=\"/waiting\">← %s</a></p>", T(r, "Second person"));
}
