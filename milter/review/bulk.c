/*
 * Many messages decided as one: those of a cause, of a list, or with a mark in their boxes.  A
 * form comes in; out goes what became of it, host by host, or, before what is another's is let go
 * or anything is deleted, one sentence that says so and asks for the number.  The number is
 * counted again by the host that holds the mail (desk.h): this page only says it early.  The
 * request's own thread.
 */
#include "config.h"

#include <string.h>

#include "missent/io.h"

#include "page.h"

#define MOST MS_ASK_MOST
#define BULK "/bulk"

/* ---- in words ------------------------------------------------------------------------- */

/* "CUST0220 and 2 others" */
static char *owners_of(const Request *r, const MsTallies *t)
{
	GString *out = g_string_new(NULL);
	if (t->owners->len == 0)
		return g_string_free(g_string_append(out, T(r, "another account")), FALSE);
	const MsCauseCount *first = t->owners->pdata[0];
	gint64 more = (gint64)t->owners->len - 1;
	if (more == 0)
		html(out, "<b class=\"account\">%s</b>", first->name);
	else
		say(out, TN(r, more, "{owner} and {n} other", "{owner} and {n} others"), "@owner",
			first->name, "#n", more, NULL);
	return g_string_free(out, FALSE);
}

static char *counted(const char *sentence, gint64 n)
{
	GString *out = g_string_new(NULL);
	say(out, sentence, "#n", n, NULL);
	return g_string_free(out, FALSE);
}

void html_sentence(GString *out, const Request *r, const MsTallies *t)
{
	gint64 rest = t->recipients - t->wrong_recipients - t->unknown_recipients;
	if (t->wrong_recipients > 0) {
		g_autofree char *owners = owners_of(r, t);
		g_autofree char *messages = counted(
			TN(r, t->wrong_messages, "{n} message", "{n} messages"), t->wrong_messages);
		g_autofree char *to = counted(
			TN(r, t->wrong_recipients, "{n} recipient who may not have it",
				"{n} recipients who may not have it"),
			t->wrong_recipients);
		html(out, "<p class=\"sentence bad\">");
		say(out, T(r, "Releasing sends {messages} with data of {owners} to {recipients}."),
			"!messages", messages, "!owners", owners, "!recipients", to, NULL);
		html(out, "</p>");
	}
	if (t->unknown_recipients > 0) {
		html(out, "<p class=\"sentence warn\">");
		say(out,
			TN(r, t->unknown_recipients,
				"{n} recipient whom the directory does not know would get it.",
				"{n} recipients whom the directory does not know would get it."),
			"#n", t->unknown_recipients, NULL);
		html(out, "</p>");
	}
	if (rest > 0) {
		html(out, "<p class=\"sentence\">");
		say(out,
			TN(r, rest,
				"{n} recipient would get nothing that is known to be another's.",
				"{n} recipients would get nothing that is known to be another's."),
			"#n", rest, NULL);
		html(out, "</p>");
	}
}

#define SHOWN 8

static void tally_table(
	GString *out, const Request *r, const char *title, const GPtrArray *list, bool outcomes)
{
	if (list->len == 0)
		return;
	html(out, "<table class=\"tally\"><caption>%s</caption><tbody>", title);
	for (guint i = 0; i < list->len && i < SHOWN; i++) {
		const MsCauseCount *t = list->pdata[i];
		html(out, "<tr><th scope=\"row\"%S>",
			outcomes && strcmp(t->name, "wrong") == 0 ? " class=\"bad\"" : "");
		if (outcomes)
			html_explained(out, r, t->name);
		else
			html(out, "%s", t->name);
		html(out, "</th><td>%d</td></tr>", t->messages);
	}
	if (list->len > SHOWN)
		html(out, "<tr><th scope=\"row\"><small>+%d</small></th><td></td></tr>",
			(gint64)list->len - SHOWN);
	html(out, "</tbody></table>");
}

void html_tallies(GString *out, const Request *r, const MsTallies *t)
{
	html(out, "<div class=\"tallies\">");
	tally_table(out, r, T(r, "What recipients would get"), t->outcomes, true);
	tally_table(out, r, T(r, "Whose data"), t->owners, false);
	tally_table(out, r, T(r, "To which domains"), t->domains, false);
	html(out, "</div>");
}

/* ---- reasons to choose from ----------------------------------------------------------- */

static const char *const usual[] = {W("It has another customer's data"),
	W("The wrong document is attached"), W("Checked with the sender"),
	W("Checked with the customer"), W("The address is right"), W("A test")};

/* A line each; NULL: the page's own. */
static char **own_reasons(const Request *r)
{
	const char *path = r->site->settings->review.reasons_file;
	g_autofree char *text = NULL;
	if (path == NULL || !ms_io_contents(path, &text, NULL, NULL) ||
		!g_utf8_validate(text, -1, NULL))
		return NULL;
	return g_strsplit(g_strstrip(text), "\n", 30);
}

void html_reason_field(GString *out, const Request *r)
{
	g_auto(GStrv) own = own_reasons(r);
	html(out,
		"<div class=\"why-field\"><label>%s<select name=\"preset\"><option value=\"\">–</option>",
		T(r, "Reason, for the record"));
	for (int i = 0; own != NULL && own[i] != NULL; i++)
		if (*g_strstrip(own[i]) != '\0')
			html(out, "<option>%s</option>", own[i]);
	for (gsize i = 0; own == NULL && i < G_N_ELEMENTS(usual); i++)
		html(out, "<option>%s</option>", T(r, usual[i]));
	html(out,
		"</select></label><label>%s<input name=\"why\" maxlength=\"500\" autocomplete=\"off\"></label></div>",
		T(r, "or in your words"));
}

const char *form_reason(const Request *r)
{
	return *form(r, "why") != '\0' ? form(r, "why") : form(r, "preset");
}

/* ---- buttons -------------------------------------------------------------------------- */

static void button(GString *out, const char *class, const char *verb, const char *key,
	const char *text, gint64 n)
{
	html(out, "<button%S%S%S name=\"verb\" value=\"%s\" data-key=\"%s\">%s (%d)</button>",
		*class != '\0' ? " class=\"" : "", class, *class != '\0' ? "\"" : "", verb, key,
		text, n);
}

bool is_cleared(const char *cause)
{
	return g_str_has_prefix(cause, "nothing, for right, ");
}

void bulk_buttons(GString *out, const Request *r, const MsTallies *t, bool cleared)
{
	bool harmless = cleared && t->wrong_recipients == 0 && t->unknown_recipients == 0;
	html(out, "<div class=\"buttons\">");
	if (harmless)
		button(out, "", ms_verbs[MS_VERB_RELEASE].name, "r", T(r, "Release"), t->messages);
	button(out, harmless ? "quiet" : "", ms_verbs[MS_VERB_RETURN].name, "b",
		T(r, "Return to sender"), t->messages);
	if (!harmless && t->wrong_recipients == 0)
		button(out, "quiet", ms_verbs[MS_VERB_RELEASE].name, "r", T(r, "Release"),
			t->messages);
	if (t->wrong_recipients > 0 && t->wrong_recipients < t->recipients)
		html(out,
			"<button class=\"quiet\" name=\"verb\" value=\"release-right\" data-key=\"i\">%s</button>",
			T(r, "Release to those with a right"));
	html(out,
		"<button class=\"quiet\" name=\"verb\" value=\"rejudge\" data-key=\"g\">%s</button>",
		T(r, "Judge again"));
	if (t->wrong_recipients > 0)
		button(out, "danger", ms_verbs[MS_VERB_RELEASE].name, "r",
			T(r, "Release all the same"), t->messages);
	button(out, "danger", ms_verbs[MS_VERB_DELETE].name, "d", T(r, "Delete"), t->messages);
	html(out, "</div>");
}

/* ---- asking once more ----------------------------------------------------------------- */

/* All that was sent, once more in a form, but for what is said anew in it. */
static void form_again(GString *out, const Request *r)
{
	static const char *const anew[] = {"token", "verb", "preset", "why", "others", "sure", NULL};
	GHashTableIter iter;
	void *name, *values;
	g_hash_table_iter_init(&iter, r->form);
	while (g_hash_table_iter_next(&iter, &name, &values)) {
		const GPtrArray *list = values;
		for (guint i = 0; !g_strv_contains(anew, name) && i < list->len; i++)
			html(out, "<input type=\"hidden\" name=\"%s\" value=\"%s\">", (char *)name,
				(char *)list->pdata[i]);
	}
}

static void begin_again(Request *r, Answer *a, const char *action, const char *heading)
{
	html(a->html,
		"<form class=\"card decide confirm\" method=\"post\" autocomplete=\"off\" action=\"%S\"><h1>%s</h1>",
		action, heading);
	html_token(a->html, r);
	form_again(a->html, r);
}

/* Whoever thinks better of it is where he was: at the list, or at the message. */
static void end_again(
	Request *r, Answer *a, const char *action, const char *class, const char *button)
{
	bool list = g_str_has_prefix(action, BULK);
	html(a->html,
		"<div class=\"buttons\"><a class=\"button\" href=\"%S%S\" data-key=\"u\">%s</a>"
		"<button class=\"%S\" name=\"verb\" value=\"%s\">%s</button></div></form>",
		list ? "/" : "", list ? action + strlen(BULK) : action, T(r, "Do nothing"), class,
		form(r, "verb"), button);
}

/* In the words of the button that was pressed; of what ends a message. */
static const char *pressed_text(const char *button)
{
	MsVerb verb = ms_verb_named(button);
	return strcmp(button, "release-some") == 0     ? W("Release to the chosen")
		: strcmp(button, "release-right") == 0 ? W("Release to those with a right")
		: verb == MS_VERB_RETURN               ? W("Return to sender")
		: verb == MS_VERB_RELEASE              ? W("Release")
						       : W("Delete");
}

void reason_page(Request *r, Answer *a, const char *action)
{
	a->status = 400;
	a->title = T(r, "Reason, for the record");
	begin_again(r, a, action,
		T(r, "Choose a reason first, or write one: it is kept with the decision."));
	html_reason_field(a->html, r);
	end_again(r, a, action, "quiet", T(r, pressed_text(form(r, "verb"))));
}

void sure_page(Request *r, Answer *a, const char *action)
{
	a->title = T(r, "Delete");
	begin_again(r, a, action, T(r, "Delete it for good?"));
	html(a->html,
		"<input type=\"hidden\" name=\"why\" value=\"%s\">"
		"<input type=\"hidden\" name=\"sure\" value=\"1\">",
		form_reason(r));
	end_again(r, a, action, "danger", T(r, "Delete"));
}

void confirm_page(
	Request *r, Answer *a, const char *action, const MsTallies *t, const char *complaint)
{
	bool release = ms_verb_named(form(r, "verb")) == MS_VERB_RELEASE;
	gint64 n = release ? t->wrong_recipients : t->messages;
	a->title = T(r, release ? "Release" : "Delete");
	if (complaint != NULL)
		html_notice(a->html, false, complaint);
	begin_again(r, a, action,
		T(r,
			release ? "This is another's: release it all the same?"
				: "Delete them for good?"));
	html(a->html, "<input type=\"hidden\" name=\"why\" value=\"%s\">", form_reason(r));
	if (release)
		html_sentence(a->html, r, t);
	html_tallies(a->html, r, t);
	g_autofree char *label = said(release
		? T(r, "To release it, type the number of recipients who may not have it: {n}")
		: T(r, "To delete them, type how many they are: {n}"), n);
	html(a->html,
		"<label class=\"number\">%s<input name=\"others\" inputmode=\"numeric\" pattern=\"[0-9]*\" required autofocus "
		"autocomplete=\"off\"></label>",
		label);
	end_again(r, a, action, "danger", T(r, release ? "Release all the same" : "Delete"));
}

/* ---- which ---------------------------------------------------------------------------- */

/* What somebody else has decided meanwhile is not in it, and counted: he who chose it saw it held.
 * NULL: the records cannot be read. */
static GPtrArray *chosen_records(const Request *r, const Lookup *asked, gint64 *decided_out)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_record_free);
	g_autoptr(GError) error = NULL;
	const GPtrArray *uids = form_all(r, "uid");
	if (strcmp(form(r, "all"), "1") == 0) {
		MsRecordFilter filter = asked_filter(asked);
		filter.state = MS_STATE_HELD;
		filter.after = filter.before = NULL;
		filter.up_to = g_ascii_strtoll(form(r, "up_to"), NULL, 10);
		filter.limit = MOST;
		return filter.up_to > 0 ? ms_records_list(r->site->ledger, &filter, NULL)
					: g_steal_pointer(&list);
	}
	for (guint i = 0; uids != NULL && i < uids->len && i < MOST; i++) {
		g_autoptr(MsRecord)
			record = ms_records_find(r->site->ledger, uids->pdata[i], &error);
		if (error != NULL)
			return NULL;
		bool decided = record != NULL &&
			(record->state != MS_STATE_HELD || open_decision(record) != NULL);
		*decided_out += decided;
		if (record != NULL && !decided)
			g_ptr_array_add(list, g_steal_pointer(&record));
	}
	return g_steal_pointer(&list);
}

/* What one host is asked for.  `others` is what was counted before anybody said a number: what is
 * found wrong since then, while another host is asked, nobody has said. */
typedef struct {
	const char *host;
	GPtrArray *uids; /* both borrowed from the records */
	guint others;
} Part;

static void part_free(gpointer data)
{
	Part *part = data;
	g_ptr_array_unref(part->uids);
	g_free(part);
}

static Part *part_of(GPtrArray *parts, const char *host)
{
	for (guint i = 0; i < parts->len; i++)
		if (strcmp(((Part *)parts->pdata[i])->host, host) == 0)
			return parts->pdata[i];
	Part *part = g_new0(Part, 1);
	part->host = host;
	part->uids = g_ptr_array_new();
	g_ptr_array_add(parts, part);
	return part;
}

/* NULL: the records cannot be read. */
static GPtrArray *parts_of(const Request *r, const GPtrArray *list)
{
	g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(part_free);
	for (guint i = 0; i < list->len; i++) {
		const MsRecord *record = list->pdata[i];
		g_ptr_array_add(part_of(parts, record->host)->uids, record->uid);
	}
	for (guint i = 0; i < parts->len; i++) {
		Part *part = parts->pdata[i];
		g_autoptr(MsTallies) t = ms_records_tallies(r->site->ledger, part->uids, NULL);
		if (t == NULL)
			return NULL;
		part->others = (guint)t->wrong_recipients;
	}
	return g_steal_pointer(&parts);
}

static MsTallies *tallies_of(const Request *r, const GPtrArray *list)
{
	g_autoptr(GPtrArray) uids = g_ptr_array_new();
	for (guint i = 0; i < list->len; i++)
		g_ptr_array_add(uids, ((MsRecord *)list->pdata[i])->uid);
	return ms_records_tallies(r->site->ledger, uids, NULL);
}

/* ---- deciding ------------------------------------------------------------------------- */

/* "mx1: 5 are being done. 2 have nobody with a right to them and stay held." */
static char *host_words(const Request *r, const char *host, const json_t *decisions, gint64 asked)
{
	g_autoptr(GHashTable) uids = g_hash_table_new(g_str_hash, g_str_equal);
	for (size_t i = 0; i < json_array_size(decisions); i++)
		g_hash_table_add(uids, (char *)word(json_array_get(decisions, i), "uid"));
	gint64 n = g_hash_table_size(uids);
	const char *state = word(json_array_get(decisions, 0), "state");
	g_autofree char *first = strcmp(state, "waiting") == 0
		? said(TN(r, n, "{n} waits for a second person", "{n} wait for a second person"), n)
		: strcmp(state, "done") == 0
		? said(TN(r, n, "{n} is done", "{n} are done"), n)
		: said(TN(r, n, "{n} is being done", "{n} are being done"), n);
	if (n >= asked)
		return g_strdup_printf("%s: %s", host, first);
	g_autofree char *rest = said(
		TN(r, asked - n, "{n} has nobody with a right to it and stays held",
			"{n} have nobody with a right to them and stay held"),
		asked - n);
	return g_strdup_printf("%s: %s, %s", host, first, rest);
}

static void decide_at(Request *r, Answer *a, const Part *part, const MsAsk *asked)
{
	const char *host = part->host;
	g_autofree char *no = NULL;
	MsAsk ask = *asked;
	ask.uids = part->uids;
	if (ask.verb == MS_VERB_RELEASE && !ask.rightful)
		ask.others = part->others;
	json_t *reply = ask_decision(r, host, &ask, &no);
	const json_t *done = json_object_get(reply, "decisions");
	const json_t *least = least_done(done);
	bool failed = no != NULL || strcmp(word(least, "state"), "failed") == 0;
	g_autofree char *text = no != NULL ? g_strdup_printf("%s: %s", host, no)
		: failed ? g_strdup_printf("%s: %s", host, word(least, "outcome"))
			 : host_words(r, host, done, part->uids->len);
	html_notice(a->html, !failed, text);
	json_decref(reply);
}

static void decide_all(
	Request *r, Answer *a, const GPtrArray *parts, const Lookup *asked, const MsAsk *ask)
{
	a->title = T(r, "Decided");
	html(a->html, "<h1>%s</h1>", T(r, "Decided"));
	for (guint i = 0; i < parts->len; i++)
		decide_at(r, a, parts->pdata[i], ask);
	html(a->html, "<p><a href=\"/causes\" data-key=\"c\">← %s</a> · <a href=\"/",
		T(r, "By cause"));
	if (asked->filter.cause == NULL || *asked->filter.cause == '\0')
		asked_query(a->html, asked);
	html(a->html, "\" data-key=\"u\">%s</a> · <a href=\"/waiting\">%s</a></p>",
		T(r, "Held mail"), T(r, "Second person"));
}

/* The number that has to be typed; 0: none. */
static gint64 number_for(const MsAsk *ask, const GPtrArray *parts, const MsTallies *t)
{
	gint64 others = 0;
	for (guint i = 0; i < parts->len; i++)
		others += ((Part *)parts->pdata[i])->others;
	if (ask->verb == MS_VERB_RELEASE && !ask->rightful)
		return others;
	return ask->verb == MS_VERB_DELETE && t->messages > 1 ? t->messages : 0;
}

static char *bulk_action(const Lookup *asked)
{
	GString *action = g_string_new(BULK);
	asked_query(action, asked);
	return g_string_free(action, FALSE);
}

static void decide_or_ask(
	Request *r, Answer *a, const GPtrArray *list, const Lookup *asked, MsAsk *ask)
{
	const char *typed = form(r, "others");
	g_autoptr(MsTallies) t = tallies_of(r, list);
	g_autoptr(GPtrArray) parts = t != NULL ? parts_of(r, list) : NULL;
	if (!was_read(r, a, parts))
		return;
	gint64 number = number_for(ask, parts, t);
	g_autofree char *right = g_strdup_printf("%" G_GINT64_FORMAT, number);
	if (number > 0 && strcmp(typed, right) != 0) {
		g_autofree char *action = bulk_action(asked);
		confirm_page(r, a, action, t,
			*typed != '\0' ? T(r, "That is not the number; nothing was done.") : NULL);
		return;
	}
	g_autofree char *detail = g_strdup_printf("%s of %u", ms_verbs[ask->verb].name, list->len);
	ask->total = list->len;
	if (audit(r, "decide", "", detail))
		decide_all(r, a, parts, asked, ask);
	else
		say_no(r, a, 503,
			T(r, "The audit trail cannot be written (does missent-agent run?); nothing was done."));
}

void page_bulk(Request *r, Answer *a)
{
	g_auto(Lookup) asked = asked_take(r);
	g_auto(MsAsk) ask = {.recipients = g_ptr_array_new()};
	g_autoptr(GError) error = NULL;
	if (!asked_check(r, &asked, &error) || !pressed(r, &ask, &error) ||
		!ms_verbs[ask.verb].many) {
		say_no(r, a, 400,
			error != NULL ? error->message : T(r, "This cannot be done here."));
		return;
	}
	gint64 n = 0;
	g_autoptr(GPtrArray) list = chosen_records(r, &asked, &n);
	if (!was_read(r, a, list))
		return;
	g_autofree char *decided =
		said(TN(r, n, "{n} of them is decided already, and is left out.",
			     "{n} of them are decided already, and are left out."),
			n);
	if (n > 0)
		html_notice(a->html, false, decided);
	if (!may_decide(r, ask.verb)) {
		say_no(r, a, 403, T(r, "You have no right to this."));
	} else if (list->len == 0) {
		say_no(r, a, 400, n > 0 ? decided : T(r, "No message was chosen."));
	} else if (ms_verbs[ask.verb].final && ask.why == NULL) {
		g_autofree char *action = bulk_action(&asked);
		reason_page(r, a, action);
	} else {
		decide_or_ask(r, a, list, &asked, &ask);
	}
}
