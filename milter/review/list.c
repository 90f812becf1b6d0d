/*
 * Lists: held mail, what waits for a second person, hosts.  Records come out of the ledger, a
 * page at a time; out goes a table in which each row says whose data would have gone to whom, and
 * boxes to take several rows as one.  The request's own thread.
 */
#include "config.h"

#include <string.h>

#include "missent/text.h"

#include "page.h"

#define PAGE 50
#define COUNT_UP_TO 10000

/* ---- rows ----------------------------------------------------------------------------- */

void html_whose(GString *out, const Request *r, const char *owners, const char *recipient,
	const char *accounts, MsOutcome outcome, guint more)
{
	html(out,
		"<span class=\"whose\"><span class=\"%S\">%s</span> <span class=\"arrow\" aria-hidden=\"true\">→</span> "
		"<span class=\"unseen\">%s </span>",
		outcome == MS_OUTCOME_WRONG ? "account bad"
			: *owners != '\0'   ? "account"
					    : "none",
		*owners != '\0' ? owners : T(r, "no account found"), T(r, "would go to"));
	html(out, "<span class=\"to\">%s</span>", *recipient != '\0' ? recipient : "–");
	html(out, " <small>%s</small>", *accounts != '\0' ? accounts
		: outcome == MS_OUTCOME_UNKNOWN_RECIPIENT ? T(r, "not in the directory") : "");
	if (more > 0)
		html(out, " <small>+%d</small>", (gint64)more);
	html(out, "</span>");
}

void html_apart(GString *out, const Request *r, const MsRecord *record)
{
	if (record->place == MS_PLACE_SPOOL)
		html(out, " <span class=\"chip\" title=\"%s\">%s</span>",
			T(r, "Others have it already: those with a right to it got theirs at once."),
			T(r, "split"));
	if (record->due == 0)
		return;
	html(out, " <span class=\"chip\" title=\"%s\">%s ",
		T(r, "It is judged again then, and when the directory or the policies change; who decides now ends that."),
		T(r, "waits until"));
	html_time(out, record->due);
	html(out, "</span>");
}

static void reason_cell(GString *out, const Request *r, const MsRecord *record)
{
	g_auto(GStrv) codes = g_strsplit(record->codes, ", ", -1);
	html(out, "</td><td data-label=\"%s\">", T(r, "Reason"));
	for (int i = 0; codes[i] != NULL && *codes[i] != '\0'; i++) {
		html(out, "<span class=\"code\">");
		html_explained(out, r, codes[i]);
		html(out, "</span> ");
	}
	if (record->state != MS_STATE_HELD)
		html_state(out, r, ms_state_names[record->state]);
	html_apart(out, r, record);
	if (*record->damaged != '\0')
		html(out, " <span class=\"chip deleted\">%s</span>", T(r, "damaged"));
	if (*record->assignee != '\0')
		html(out, " <small>%s</small>", record->assignee);
	html(out, "</td>");
}

static void what_cells(GString *out, const Request *r, const MsGlance *g)
{
	const char *subject = g != NULL ? g->subject : "", *attached = g != NULL ? g->attached : "";
	html(out, "<td class=\"subject\" data-label=\"%s\">%s</td><td data-label=\"%s\">",
		T(r, "Subject"), *subject != '\0' ? subject : "–", T(r, "Attached"));
	g_auto(GStrv) endings = g_strsplit(attached, ", ", -1);
	for (int i = 0; endings[i] != NULL; i++)
		html(out, "<span class=\"ending\">%s</span> ", endings[i]);
	if (*attached == '\0')
		html(out, "–");
}

static void row(GString *out, const Request *r, const MsRecord *record, const Lookup *asked,
	bool box, bool checked)
{
	g_autoptr(MsGlance) g = ms_records_glance(r->site->ledger, record, NULL);
	const char *id = *record->queue_id != '\0' ? record->queue_id : record->uid;
	g_autofree char *age = age_text(r, record->arrived);
	html(out, "<tr>");
	if (box)
		html(out,
			"<td class=\"box\"><input type=\"checkbox\" name=\"uid\" value=\"%s\" aria-label=\"%s %s\"%S></td>",
			record->uid, T(r, "Choose"), id, checked ? " checked" : "");
	html(out, "<td class=\"main\" data-label=\"%s\"><a class=\"go\" href=\"/message/%s",
		T(r, "Whose data → who would get it"), record->uid);
	asked_query(out, asked);
	html(out, "\">");
	if (g != NULL)
		html_whose(out, r, g->owners, g->recipient, g->accounts, g->outcome,
			record->n_recipients > 1 ? record->n_recipients - 1 : 0);
	else /* it is there all the same */
		html(out, "%s", T(r, "The records cannot be read now."));
	html(out, "</a></td>");
	what_cells(out, r, g);
	reason_cell(out, r, record);
	html(out,
		"<td data-label=\"%s\"><span class=\"age\">%s</span></td><td data-label=\"%s\"><span class=\"id\">%s</span>",
		T(r, "Age"), age, T(r, "Queue ID"), id);
	if (r->site->settings->review.mirror)
		html(out, " <small>%s</small>", record->host);
	html(out, "</td></tr>");
}

void html_rows(GString *out, const Request *r, const GPtrArray *list, const Lookup *asked,
	bool boxes, bool checked)
{
	html(out, "<table class=\"list\" aria-label=\"%s\"><thead><tr>", T(r, "Messages"));
	if (boxes)
		html(out, "<th scope=\"col\" class=\"box\"><span class=\"unseen\">%s</span></th>",
			T(r, "Choose"));
	html_heads(out, r,
		(const char *const[]){W("Whose data → who would get it"), W("Subject"),
			W("Attached"), W("Reason"), W("Age"), W("Queue ID"), NULL});
	html(out, "</tr></thead><tbody>");
	for (guint i = 0; i < list->len; i++)
		row(out, r, list->pdata[i], asked, boxes, checked);
	html(out, "</tbody></table>");
}

/* ---- pages of the list ---------------------------------------------------------------- */

/* A page of what is asked for, and is there more before and behind it?  Where that has become too
 * little for a page, the first. */
static GPtrArray *take_page(
	const Request *r, const MsRecordFilter *asked, bool *before_out, bool *behind_out)
{
	MsRecordFilter f = *asked;
	f.limit = PAGE + 1;
	GPtrArray *list = ms_records_list(r->site->ledger, &f, NULL);
	if (list != NULL && ((f.before != NULL && list->len <= PAGE) ||
				    (f.after != NULL && list->len == 0))) {
		f.before = f.after = NULL;
		g_ptr_array_unref(list);
		list = ms_records_list(r->site->ledger, &f, NULL);
	}
	bool more = list != NULL && list->len > PAGE;
	if (more)
		g_ptr_array_remove_index(list, f.before != NULL ? 0 : PAGE);
	*before_out = f.before != NULL ? more : f.after != NULL;
	*behind_out = f.before != NULL || more;
	return list;
}

static void turn_link(
	GString *out, const Request *r, const Lookup *asked, bool back, const MsRecord *from)
{
	g_autofree char *cursor = ms_record_cursor(from, asked->filter.sort);
	g_autofree char *value = g_uri_escape_string(cursor, NULL, FALSE);
	html(out, "<a rel=\"%S\" class=\"button quiet\" data-key=\"%S\" href=\"/",
		back ? "prev" : "next", back ? "p" : "n");
	asked_query(out, asked);
	html(out, "&amp;%S=%s\">%s</a> ", back ? "before" : "after", value,
		T(r, back ? "Previous page" : "Next page"));
}

static void turn(GString *out, const Request *r, const Lookup *asked, bool before, bool behind,
	const GPtrArray *list)
{
	if (list->len == 0 || (!before && !behind))
		return;
	html(out, "<p class=\"pages\">");
	if (before)
		turn_link(out, r, asked, true, list->pdata[0]);
	if (behind)
		turn_link(out, r, asked, false, list->pdata[list->len - 1]);
	html(out, "</p>");
}

/* All of them, also those on further pages; what comes in from now on is not part of it. */
static void all_of_them(
	GString *out, const Request *r, const Lookup *asked, gint64 n, gint64 up_to)
{
	g_autofree char *text = said(
		TN(r, n, "{n}, all that are like this", "All {n} that are like this"), n);
	html(out,
		"<label class=\"check\"><input type=\"checkbox\" name=\"all\" value=\"1\"%S> %s</label>",
		asked->filter.could_go ? " checked" : "", text);
	asked_as_of(out, up_to, asked->at);
}

/* What is decided at once stands below the rows that are chosen. */
static void bulk_bar(
	GString *out, const Request *r, const Lookup *asked, gint64 n, gint64 up_to)
{
	html(out,
		"<div class=\"bar\" id=\"bar\"><div class=\"what\"><span class=\"chosen\" aria-live=\"polite\"><b data-chosen>0</b> %s</span>",
		T(r, "chosen"));
	if (n > 1 && n < COUNT_UP_TO && !asked->partial)
		all_of_them(out, r, asked, n, up_to);
	html(out, "</div>");
	html_reason_field(out, r);
	html(out, "<div class=\"buttons\">");
	if (asked->filter.could_go)
		html(out, "<button name=\"verb\" value=\"release\" data-key=\"r\">%s</button>",
			T(r, "Release"));
	html(out, "<button%S name=\"verb\" value=\"return\" data-key=\"b\">%s</button>",
		asked->filter.could_go ? " class=\"quiet\"" : "", T(r, "Return to sender"));
	if (!asked->filter.could_go)
		html(out,
			"<button class=\"quiet\" name=\"verb\" value=\"release\" data-key=\"r\">%s</button>",
			T(r, "Release"));
	html(out,
		"<button class=\"quiet\" name=\"verb\" value=\"rejudge\" data-key=\"g\">%s</button>"
		"<button class=\"danger\" name=\"verb\" value=\"delete\" data-key=\"d\">%s</button></div></div>",
		T(r, "Judge again"), T(r, "Delete"));
}

/* After a correction: how far it got. */
static void judged_note(GString *out, const Request *r, const Lookup *asked)
{
	if (asked->filter.judged_for == NULL || *asked->filter.judged_for == '\0')
		return;
	g_autoptr(GPtrArray)
		open = ms_decisions_list(r->site->ledger, -1, asked->filter.judged_for, NULL);
	gint64 n = open != NULL ? open->len : 0;
	html(out, "<p class=\"notice good\" role=\"status\">%s ",
		asked->filter.could_go
			? T(r, "These could now go: judged again, all for whom they are held may have them.")
			: T(r, "These were judged again because of a correction."));
	if (n > 0)
		say(out, TN(r, n, "{n} more is still to be judged; load this page again.",
			"{n} more are still to be judged; load this page again."), "#n", n, NULL);
	html(out, "</p>");
}

/* Nothing is found of an account that no record has: it may be mistyped. */
static void no_account(GString *out, const Request *r, const Lookup *asked)
{
	const char *account = asked->filter.account;
	g_autoptr(GPtrArray) names = *account != '\0'
		? ms_records_names(r->site->ledger, MS_NAMES_ACCOUNT, NULL) : NULL;
	if (names == NULL || g_ptr_array_find_with_equal_func(names, account, g_str_equal, NULL))
		return;
	g_ptr_array_add(names, NULL);
	const char *near = ms_text_nearest(account, (const char *const *)names->pdata);
	html(out, "<p class=\"warn\" role=\"status\">");
	say(out, T(r, "No message on record is about an account {account}."), "@account", account,
		NULL);
	if (near != NULL) {
		Lookup other = *asked;
		other.filter.account = near;
		html(out, " %s <a href=\"/", T(r, "Did you mean"));
		asked_query(out, &other);
		html(out, "\">%s</a>?", near);
	}
	html(out, "</p>");
}

static void the_list(Request *r, Answer *a, const Lookup *asked, const GPtrArray *list, gint64 n,
	gint64 up_to)
{
	bool decides = may(r, FOR_REVIEWER) && strcmp(asked->state, "held") == 0 && list->len > 0;
	if (list->len == 0) {
		html(a->html, "<p class=\"empty\">%s</p>",
			T(r, "Nothing here: no message is like this."));
		no_account(a->html, r, asked);
		return;
	}
	if (strcmp(asked->state, "observed") == 0)
		html(a->html, "<p class=\"warn\">%s</p>",
			T(r,
				"These were delivered: missent only observes, and tells what "
				"it would have held."));
	if (decides) {
		html(a->html,
			"<form class=\"bulk\" method=\"post\" autocomplete=\"off\" action=\"/bulk");
		asked_query(a->html, asked);
		html(a->html, "\">");
		html_no_default(a->html);
		html_token(a->html, r);
	}
	html_rows(a->html, r, list, asked, decides, asked->filter.could_go);
	if (decides) {
		bulk_bar(a->html, r, asked, n, up_to);
		html(a->html, "</form>");
	}
}

void page_list(Request *r, Answer *a)
{
	g_auto(Lookup) asked = asked_take(r);
	g_autoptr(GError) error = NULL;
	if (!asked_check(r, &asked, &error)) {
		say_no(r, a, 400, error->message);
		return;
	}
	/* before the list is: what comes in meanwhile is not shown, and so no part of it */
	gint64 up_to = ms_records_newest_change(r->site->ledger);
	if (asked.filter.up_to > 0)
		up_to = MIN(up_to, asked.filter.up_to);
	MsRecordFilter filter = asked_filter(&asked);
	if (!search_told(r, &filter)) {
		say_no(r, a, 503,
			T(r, "The audit trail cannot be written (does missent-agent run?); nothing is shown."));
		return;
	}
	bool before, behind;
	g_autoptr(GPtrArray) list = take_page(r, &filter, &before, &behind);
	gint64 n = ms_records_count(r->site->ledger, &filter, COUNT_UP_TO, NULL);
	if (!was_read(r, a, n >= 0 ? list : NULL))
		return;
	bool held = strcmp(asked.state, "held") == 0;
	a->title = T(r, held ? "Held mail" : "Messages");
	html_done(a->html, r);
	html(a->html, "<h1>%s%s%s <small>%d%S</small></h1>", a->title, held ? "" : ": ",
		held ? "" : T(r, asked.state), n, n >= COUNT_UP_TO ? "+" : "");
	asked_form(a->html, r, &asked);
	judged_note(a->html, r, &asked);
	if (asked.partial)
		html(a->html, "<p class=\"warn\" role=\"status\">%s</p>",
			T(r, "Only addresses, accounts and queue IDs could be searched just now: there may be more."));
	the_list(r, a, &asked, list, n, up_to);
	turn(a->html, r, &asked, before, behind, list);
	if (list->len > 0)
		html_legend(a->html, r);
}

/* As many as the list has that "Held mail" leads to, and since when. */
char *held_now(const Request *r, gint64 *n_out)
{
	MsRecordFilter filter = {.state = MS_STATE_HELD, .undecided = true, .sort = MS_SORT_OLDEST};
	*n_out = ms_records_count(r->site->ledger, &filter, 0, NULL);
	filter.limit = 1;
	g_autoptr(GPtrArray) list = ms_records_list(r->site->ledger, &filter, NULL);
	if (list == NULL || *n_out < 0)
		return NULL;
	return list->len > 0 ? age_text(r, ((const MsRecord *)list->pdata[0])->arrived)
			     : g_strdup("–");
}

void page_counter(Request *r, Answer *a)
{
	gint64 n;
	g_autofree char *age = held_now(r, &n);
	if (!was_read(r, a, age))
		return;
	json_t *out = json_pack("{s:I, s:s}", "held", (json_int_t)n, "oldest", age);
	char *text = json_dumps(out, JSON_COMPACT);
	a->type = "application/json";
	a->bytes = g_bytes_new(text, strlen(text));
	free(text);
	json_decref(out);
}

/* ---- what waits for a second person --------------------------------------------------- */

/* Each message once: one that goes to very many is several decisions. */
static GPtrArray *uids_of_group(const GPtrArray *group)
{
	GPtrArray *uids = g_ptr_array_new();
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < group->len; i++) {
		char *uid = ((MsDecision *)group->pdata[i])->uid;
		if (g_hash_table_add(seen, uid))
			g_ptr_array_add(uids, uid);
	}
	return uids;
}

#define SHOWN_NAMES 10
#define SHOWN_EACH 5

/* To whom it goes, each once, where somebody chose; the caller's. */
static char *names_of_group(const GPtrArray *group)
{
	GString *out = g_string_new(NULL);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < group->len; i++) {
		g_auto(GStrv) to = g_strsplit(
			((const MsDecision *)group->pdata[i])->recipients, "\n", -1);
		for (guint k = 0; to[k] != NULL; k++)
			if (g_hash_table_add(seen, g_strdup(to[k])))
				g_string_append_printf(
					out, "%s%s", out->len > 0 ? "\n" : "", to[k]);
	}
	return g_string_free(out, FALSE);
}

/* Whom somebody chose. */
static void html_names(GString *out, const char *names)
{
	g_auto(GStrv) list = g_strsplit(names, "\n", -1);
	guint n = g_strv_length(list);
	if (n == 0)
		return;
	html(out, "<ul>");
	for (guint i = 0; i < MIN(n, SHOWN_NAMES); i++)
		html(out, "<li>%s</li>", list[i]);
	if (n > SHOWN_NAMES)
		html(out, "<li>+%d</li>", (gint64)n - SHOWN_NAMES);
	html(out, "</ul>");
}

/* What agreeing lets go, and to whom; `group`: decisions that are agreed to as one. */
static void what_goes(GString *out, const Request *r, const GPtrArray *group, const GPtrArray *uids)
{
	const MsDecision *first = group->pdata[0];
	g_autofree char *named = names_of_group(group);
	if (first->rightful) {
		html(out, "<p class=\"sentence\">%s</p>", T(r, "Release to those with a right"));
		return;
	}
	html_names(out, named);
	if (*named == '\0' && uids->len > 1) {
		g_autoptr(MsTallies) t = ms_records_tallies(r->site->ledger, uids, NULL);
		if (t != NULL)
			html_sentence(out, r, t);
		return;
	}
	for (guint i = 0; i < MIN(uids->len, SHOWN_EACH); i++) {
		g_autoptr(MsRecord) record =
			ms_records_find(r->site->ledger, uids->pdata[i], NULL);
		if (record != NULL)
			html_consequences(out, r, record, named);
	}
	if (uids->len > SHOWN_EACH)
		html(out, "<p>+%d</p>", (gint64)uids->len - SHOWN_EACH);
}

static void waiting_row(GString *out, const Request *r, const GPtrArray *group)
{
	const MsDecision *d = group->pdata[0];
	const Lookup nothing = {.state = "", .age = ""};
	const char *id = *d->group != '\0' ? d->group : d->id;
	bool own = is_person(r, d->who);
	g_autoptr(GPtrArray) uids = uids_of_group(group);
	gint64 n = uids->len;
	html(out, "<form class=\"card\" method=\"post\" action=\"/agree\"><p><b>");
	html_act(out, r, ms_verbs[d->verb].name);
	html(out, "</b>: ");
	say(out, TN(r, n, "{n} message", "{n} messages"), "#n", n, NULL);
	html(out, " · ");
	say(out, T(r, "asked by {who}"), "who", d->who, NULL);
	html(out, " · ");
	html_time(out, d->at);
	html(out, "</p><p class=\"why\">%s</p>", d->why);
	html_token(out, r);
	html(out, "<input type=\"hidden\" name=\"id\" value=\"%s\">", id);
	if (d->verb == MS_VERB_RELEASE)
		what_goes(out, r, group, uids);
	html_sample(out, r, uids, &nothing);
	if (may(r, FOR_REVIEWER)) {
		if (!own)
			html_proof(out, r);
		html(out, "<div class=\"buttons\">");
		if (!own)
			html(out, "<button name=\"agrees\" value=\"yes\">%s</button>",
				T(r, "Agree"));
		html(out,
			"<button class=\"quiet\" name=\"agrees\" value=\"no\" formnovalidate>%s</button></div>",
			T(r, "Withdraw"));
	}
	if (own)
		html(out, "<p><small>%s</small></p>",
			T(r, "You took this decision; another person must agree."));
	html(out, "</form>");
}

/* In the order in which they were taken. */
static GPtrArray *groups_of(const GPtrArray *list)
{
	GPtrArray *groups = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
	g_autoptr(GHashTable) by_id = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < list->len; i++) {
		const MsDecision *d = list->pdata[i];
		char *id = *d->group != '\0' ? d->group : d->id;
		GPtrArray *group = g_hash_table_lookup(by_id, id);
		if (group == NULL) {
			group = g_ptr_array_new();
			g_hash_table_insert(by_id, id, group);
			g_ptr_array_add(groups, group);
		}
		g_ptr_array_add(group, list->pdata[i]);
	}
	return groups;
}

void page_waiting(Request *r, Answer *a)
{
	g_autoptr(GPtrArray) list =
		ms_decisions_list(r->site->ledger, MS_DECISION_WAITING, NULL, NULL);
	if (!was_read(r, a, list))
		return;
	a->title = T(r, "Second person");
	html(a->html, "<h1>%s</h1>", T(r, "Waits for a second person"));
	if (list->len == 0)
		html(a->html, "<p class=\"empty\">%s</p>", T(r, "Nothing waits."));
	g_autoptr(GPtrArray) groups = groups_of(list);
	for (guint i = 0; i < groups->len; i++)
		waiting_row(a->html, r, groups->pdata[i]);
}

/* ---- hosts ---------------------------------------------------------------------------- */

void page_hosts(Request *r, Answer *a)
{
	g_autofree char *why = NULL;
	g_autoptr(GPtrArray) hosts = hosts_of(r, &why);
	a->title = T(r, "Hosts");
	html(a->html, "<h1>%s</h1>", T(r, "Hosts"));
	if (hosts == NULL)
		html_notice(a->html, false, why);
	html(a->html,
		"<table class=\"list\" aria-label=\"%s\"><thead><tr>", T(r, "Hosts"));
	html_heads(a->html, r,
		(const char *const[]){W("Host"), W("State"), W("Last heard of"), W("Held mail"), NULL});
	html(a->html, "</tr></thead><tbody>");
	for (guint i = 0; hosts != NULL && i < hosts->len; i++) {
		const MsLinkHost *host = hosts->pdata[i];
		bool down = g_get_real_time() - host->seen > MS_LINK_ALIVE_US;
		g_autofree char *age = age_text(r, host->seen);
		MsRecordFilter filter = {.state = MS_STATE_HELD, .host = host->name};
		gint64 held = ms_records_count(r->site->ledger, &filter, 0, NULL);
		html(a->html,
			"<tr><td data-label=\"%s\"><a href=\"/?host=%s\">%s</a></td><td data-label=\"%s\">",
			T(r, "Host"), host->name, host->name, T(r, "State"));
		html(a->html, "<span class=\"chip %S\">%s</span>", down ? "deleted" : "released",
			T(r, down ? "down: decisions wait" : "up"));
		html(a->html,
			"</td><td data-label=\"%s\">%s</td><td data-label=\"%s\">",
			T(r, "Last heard of"), age, T(r, "Held mail"));
		if (held >= 0)
			html(a->html, "%d</td></tr>", held);
		else
			html(a->html, "%s</td></tr>", T(r, "The records cannot be read now."));
	}
	html(a->html, "</tbody></table>");
}

/* ---- streams that are stopped ----------------------------------------------------------- */

static void stream_row(GString *out, const Request *r, const json_t *stream)
{
	html(out, "<tr><td data-label=\"%s\">%s</td><td data-label=\"%s\">", T(r, "Stream"),
		word(stream, "stream"), T(r, "Stopped since"));
	html_time(out, json_integer_value(json_object_get(stream, "since")) * G_USEC_PER_SEC);
	html(out,
		"</td><td data-label=\"%s\">%d / %d</td><td data-label=\"%s\">%d</td>"
		"<td data-label=\"%s\"><code>missent guard reset %s --why …</code></td></tr>",
		T(r, "Wrong, of all"), json_integer_value(json_object_get(stream, "wrong")),
		json_integer_value(json_object_get(stream, "messages")), T(r, "Held since"),
		json_integer_value(json_object_get(stream, "held")), T(r, "Lets it run again"),
		word(stream, "id"));
}

void page_streams(Request *r, Answer *a)
{
	g_autofree char *why = NULL;
	json_t *reply = ask_agent(r, json_pack("{s:s}", "do", "streams"), &why, NULL);
	const json_t *list = json_object_get(reply, "streams");
	a->title = T(r, "Stopped streams");
	html(a->html, "<h1>%s</h1>", a->title);
	if (reply == NULL)
		html_notice(a->html, false, why);
	else if (json_array_size(list) == 0)
		html(a->html, "<p class=\"empty\">%s</p>", T(r, "No stream is stopped."));
	if (json_array_size(list) > 0) {
		html(a->html,
			"<p>%s <a href=\"/?reason=%s\">%s</a></p><table class=\"list\" aria-label=\"%s\"><thead><tr>",
			T(r, "Look at what is held, and have what sends it put right; then let the stream run again, on the host."),
			ms_reason_names[MS_BREAKER], T(r, "Mail that is stopped"), T(r, "Stopped streams"));
		html_heads(a->html, r,
			(const char *const[]){W("Stream"), W("Stopped since"), W("Wrong, of all"),
				W("Held since"), W("Lets it run again"), NULL});
		html(a->html, "</tr></thead><tbody>");
	}
	for (size_t i = 0; i < json_array_size(list); i++)
		stream_row(a->html, r, json_array_get(list, i));
	if (json_array_size(list) > 0)
		html(a->html, "</tbody></table>");
	json_decref(reply);
}
