/*
 * Decisions of the page: a button comes in as a form, what is asked goes to the host that holds the
 * message, and what became of it is shown.  In a thread of the web server's pool.
 */
#include "config.h"

#include <string.h>

#include "page.h"

/* ---- what all need -------------------------------------------------------------------- */

/* The trail is missent-agent's, which knows whose session it is. */
bool audit(const Request *r, const char *what, const char *about, const char *detail)
{
	g_autofree char *why = NULL, *plain = g_utf8_make_valid(detail, -1);
	json_t *reply = ask_agent(r,
		json_pack("{s:s, s:s, s:s, s:s}", "do", "tell", "event", what, "about", about,
			"detail", plain),
		&why, NULL);
	json_decref(reply);
	return reply != NULL;
}

void lead_on(const Request *r, Answer *a, unsigned status, const char *text, const char *address,
	const char *name)
{
	a->status = status;
	a->title = T(r, "missent");
	g_clear_pointer(&a->about, g_free);
	g_string_truncate(a->html, 0);
	g_clear_pointer(&a->bytes, g_bytes_unref);
	a->type = NULL;
	html(a->html,
		"<div class=\"card alone\"><h1>%d</h1><p>%s</p><p><a href=\"%s\">%s</a></p></div>",
		(gint64)status, text, address, name);
}

void say_no(const Request *r, Answer *a, unsigned status, const char *text)
{
	lead_on(r, a, status, text, "/", T(r, "Held mail"));
}

bool was_read(const Request *r, Answer *a, const void *what)
{
	if (what == NULL)
		say_no(r, a, 503, T(r, "The records cannot be read now."));
	return what != NULL;
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

/* What was pressed, in the words of the desk: "release-right" and "release-some" are a release
 * with a condition.  False: what is missing, or is none. */
bool pressed(const Request *r, MsAsk *ask, GError **error)
{
	const char *button = form(r, "verb");
	bool right = strcmp(button, "release-right") == 0,
	     some = strcmp(button, "release-some") == 0;
	ask->verb = MS_VERB_RELEASE;
	if (!right && !some && !ms_verb_parse("verb", button, &ask->verb, error))
		return false;
	ask->rightful = right;
	ask->who = r->session->account->name;
	ask->why = *form_reason(r) != '\0' ? form_reason(r) : NULL;
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

json_t *ask_decision(const Request *r, const char *host, MsAsk *ask, char **why_out)
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

bool may_decide(const Request *r, MsVerb verb)
{
	return may(r, (Right)(FOR_VIEWER + (int)ms_verbs[verb].role));
}

/* Of several decisions (many recipients) the one that is furthest from done says what there is
 * to say. */
const json_t *least_done(const json_t *decisions)
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

/* The query of the list that the message was reached from, for an address. */
static char *list_query(const Lookup *asked)
{
	g_autoptr(GString) out = g_string_new(NULL);
	if (asked->given)
		asked_query(out, asked);
	g_string_replace(out, "&amp;", "&", 0);
	return g_string_free(g_steal_pointer(&out), FALSE);
}

/* "release-some" and "release-right" are a release too. */
static MsVerb verb_of(const char *button)
{
	const char *release = ms_verbs[MS_VERB_RELEASE].name;
	return g_str_has_prefix(button, release) ? MS_VERB_RELEASE : ms_verb_named(button);
}

/* After a decision the next one of the same list; else back to the message.  With what became of
 * it. */
static void tell(
	const Request *r, Answer *a, const MsRecord *record, const json_t *reply, const char *no)
{
	g_auto(Lookup) asked = asked_take(r);
	const json_t *least = least_done(json_object_get(reply, "decisions"));
	const char *state = word(least, "state"), *outcome = word(least, "outcome"),
		   *verb = form(r, "verb");
	bool failed = no != NULL || least == NULL || strcmp(state, "failed") == 0;
	g_autofree char *text = no != NULL ? g_strdup(no)
		: failed                   ? g_strdup(outcome)
					   : outcome_words(r, state, outcome);
	bool goes_on = !failed && asked.given && ms_verbs[verb_of(verb)].final;
	g_autoptr(MsRecord) next = goes_on ? asked_next(r, &asked, record, false) : NULL;
	g_autofree char *list = list_query(&asked), *said = in_address(text),
			*pressed = in_address(verb);
	const char *sign = *list != '\0' ? "&" : "?";
	bool taught = !failed && ms_verbs[verb_of(verb)].corrects && strcmp(state, "waiting") != 0;
	if (goes_on && next == NULL)
		redirect(a, "/%s%sfine=1&was=%s&verb=%s&done=%s", list, sign, record->uid,
			pressed, said);
	else
		redirect(a, "/message/%s%s%sfine=%d&was=%s&verb=%s&done=%s%s%s",
			goes_on ? next->uid : record->uid, list, sign, !failed,
			goes_on ? record->uid : "", pressed, said, taught ? "&corrected=" : "",
			taught ? word(least, "id") : "");
}

void html_done(GString *out, const Request *r)
{
	const char *was = query(r, "was"), *verb = query(r, "verb");
	if (*query(r, "done") == '\0')
		return;
	/* read out first, though it was there when the page came */
	html(out, "<p class=\"notice %S\" role=\"status\" tabindex=\"-1\" autofocus>",
		*query(r, "fine") == '1' ? "good" : "bad");
	if (*was != '\0' && strlen(was) == 16)
		html(out, "<a href=\"/message/%s\">%s</a> · ", was, T(r, "The one before"));
	if (*verb != '\0') {
		html_act(out, r, ms_verbs[verb_of(verb)].name);
		html(out, ": ");
	}
	html(out, "%s</p>", query(r, "done"));
}

static MsTallies *tallies_of(const Request *r, const MsRecord *record)
{
	g_autoptr(GPtrArray) uids = g_ptr_array_new();
	g_ptr_array_add(uids, record->uid);
	return ms_records_tallies(r->site->ledger, uids, NULL);
}

static char *message_action(const Request *r, const MsRecord *record)
{
	g_auto(Lookup) asked = asked_take(r);
	GString *action = g_string_new(NULL);
	g_string_printf(action, "/message/%s", record->uid);
	if (asked.given)
		asked_query(action, &asked);
	return g_string_free(action, FALSE);
}

/* Deleted: whether it is meant, which app.js asks where there is JavaScript.  Released to all, some
 * of whom may not have it: the number is typed first.  `*n_out`: that number. */
static bool must_ask(Request *r, Answer *a, const MsRecord *record, gint64 *n_out)
{
	if (ms_verb_named(form(r, "verb")) == MS_VERB_DELETE && strcmp(form(r, "sure"), "1") != 0) {
		g_autofree char *again = message_action(r, record);
		sure_page(r, a, again);
		return true;
	}
	if (ms_verb_named(form(r, "verb")) != MS_VERB_RELEASE)
		return false;
	g_autoptr(MsTallies) t = tallies_of(r, record);
	if (!was_read(r, a, t))
		return true;
	if (t->wrong_recipients == 0)
		return false;
	g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, t->wrong_recipients);
	*n_out = t->wrong_recipients;
	if (strcmp(form(r, "others"), number) == 0)
		return false;
	g_autofree char *action = message_action(r, record);
	confirm_page(r, a, action, t,
		*form(r, "others") != '\0' ? T(r, "That is not the number; nothing was done.")
					   : NULL);
	return true;
}

/* A correction that says not which account. */
static bool is_incomplete(const MsAsk *ask)
{
	const MsVerbSay *account = ms_verb_says(ask->verb, MS_SAY_ACCOUNT);
	return account != NULL && account->needed && ask->account == NULL;
}

void page_decide(Request *r, Answer *a)
{
	g_autoptr(MsRecord) record = find_record(r, a, below(r, "/message/"));
	if (record == NULL)
		return;
	g_autofree char *no = NULL;
	g_autoptr(GError) error = NULL;
	g_auto(MsAsk) ask = {.uids = g_ptr_array_new(), .recipients = g_ptr_array_new()};
	gint64 others = 0;
	g_ptr_array_add(ask.uids, record->uid);
	bool fine = pressed(r, &ask, &error);
	if (!fine || is_incomplete(&ask)) {
		bool known = is_incomplete(&ask) || strcmp(form(r, "verb"), "release-some") == 0;
		tell(r, a, record, NULL,
			known ? T(r, "Choose recipients, or an account, first.") : error->message);
		return;
	}
	if (ms_verbs[ask.verb].final && ask.why == NULL) {
		g_autofree char *action = message_action(r, record);
		reason_page(r, a, action);
		return;
	}
	if (!may_decide(r, ask.verb)) {
		say_no(r, a, 403, T(r, "You have no right to this."));
		return;
	}
	if (must_ask(r, a, record, &others))
		return;
	ask.others = (guint)others;
	if (!audit(r, "decide", record->uid, ms_verbs[ask.verb].name)) {
		say_no(r, a, 503,
			T(r, "The audit trail cannot be written (does missent-agent run?); nothing was done."));
		return;
	}
	json_t *reply = ask_decision(r, record->host, &ask, &no);
	tell(r, a, record, reply, no);
	json_decref(reply);
}

/* ---- the second person ----------------------------------------------------------------- */

/* A group may be on several hosts: each is asked; one that has none of it says so. */
void page_agree(Request *r, Answer *a)
{
	const char *id = form(r, "id");
	bool agrees = strcmp(form(r, "agrees"), "yes") == 0;
	g_autoptr(GPtrArray) hosts = hosts_of_decision(r, id);
	if (!was_read(r, a, hosts))
		return;
	if (!audit(r, ms_verbs[agrees ? MS_VERB_AGREE : MS_VERB_WITHDRAW].name, "", id)) {
		say_no(r, a, 503,
			T(r, "The audit trail cannot be written (does missent-agent run?); nothing was done."));
		return;
	}
	a->title = T(r, "Second person");
	html(a->html, "<h1>%s</h1>", T(r, "Decided"));
	for (guint i = 0; i < hosts->len; i++) {
		g_autofree char *no = NULL;
		json_t *ask = json_pack(
			"{s:s, s:s, s:b}", "do", "agree", "id", id, "agrees", (int)agrees);
		add_proof(r, ask);
		json_t *reply = ask_host(r, hosts->pdata[i], ask, &no);
		html_notice(a->html, no == NULL,
			no != NULL ? no : T(r, agrees ? "Agreed." : "Withdrawn."));
		json_decref(reply);
	}
	if (hosts->len == 0)
		html_notice(a->html, false, T(r, "Nothing waits."));
	html(a->html, "<p><a href=\"/waiting\">← %s</a></p>", T(r, "Second person"));
}
