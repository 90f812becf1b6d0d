#include "config.h"

#include <string.h>

#include "page.h"

#define PAGE 50
#define COUNT_UP_TO 10000

/* ---- what is asked for ---------------------------------------------------------------- */

typedef struct {
	MsRecordFilter filter;
	const char *state, *age;
	gint64 oldest;
} Asked;

static const struct {
	const char *name, *label;
	gint64 seconds;
} ages[] = {{"1h", "the last hour", 3600}, {"24h", "the last 24 hours", 86400},
	{"7d", "the last 7 days", 7 * 86400}, {"older7d", "older than 7 days", -7 * 86400}};

/* A field of the form that was left empty narrows nothing. */
static MsRecordFilter filter_of(const Asked *asked)
{
	MsRecordFilter f = asked->filter;
	const char **texts[] = {&f.search, &f.reason, &f.policy, &f.account, &f.host, &f.assignee};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		if (*texts[i] != NULL && **texts[i] == '\0')
			*texts[i] = NULL;
	return f;
}

static void take_age(Asked *asked)
{
	for (gsize i = 0; i < G_N_ELEMENTS(ages); i++) {
		if (strcmp(ages[i].name, asked->age) != 0)
			continue;
		gint64 at = g_get_real_time() - ABS(ages[i].seconds) * G_USEC_PER_SEC;
		if (ages[i].seconds > 0)
			asked->filter.newer_than = at;
		else
			asked->filter.older_than = at;
	}
}

static Asked take(const Request *r)
{
	Asked asked = {.state = query(r, "state"), .age = query(r, "age")};
	MsRecordFilter *f = &asked.filter;
	if (*asked.state == '\0')
		asked.state = "held";
	f->state = -1;
	for (int i = 0; i < MS_N_STATES; i++)
		if (strcmp(ms_state_names[i], asked.state) == 0)
			f->state = i;
	f->search = query(r, "search");
	f->reason = query(r, "reason");
	f->policy = query(r, "policy");
	f->account = query(r, "account");
	f->host = query(r, "host");
	f->assignee = query(r, "assignee");
	f->after = *query(r, "after") != '\0' ? query(r, "after") : NULL;
	for (int i = 0; i < MS_N_SORTS; i++)
		if (strcmp(ms_sort_names[i], query(r, "sort")) == 0)
			f->sort = (MsSort)i;
	f->limit = PAGE + 1;
	take_age(&asked);
	return asked;
}

/* ---- rows ----------------------------------------------------------------------------- */

static void row(GString *out, const Request *r, const MsRecord *record)
{
	const MsHeldRecipient *to = record->recipients->len > 0 ? record->recipients->pdata[0] : NULL;
	g_autofree char *age = age_text(r, record->arrived);
	html(out, "<tr><td data-label=\"%s\"><a class=\"id\" href=\"/message/%s\">%s</a>", T(r, "Message"), record->uid,
		*record->queue_id != '\0' ? record->queue_id : record->uid);
	if (r->site->settings->review.mirror)
		html(out, " <small>%s</small>", record->host);
	html(out, "</td><td data-label=\"%s\">", T(r, "Age"));
	html(out, "<span class=\"age\">%s</span></td><td data-label=\"%s\">%s</td><td data-label=\"%s\">", age,
		T(r, "From"), *record->sender != '\0' ? record->sender : "<>", T(r, "To"));
	html(out, "%s", to != NULL ? to->address : "–");
	if (record->n_recipients > 1)
		html(out, " <small>+%d</small>", (gint64)record->n_recipients - 1);
	html(out, "</td><td data-label=\"%s\">", T(r, "Why"));
	g_auto(GStrv) codes = g_strsplit(record->codes, ", ", -1);
	for (int i = 0; codes[i] != NULL; i++)
		html(out, "<span class=\"code\">%s</span> ", T(r, codes[i]));
	html(out, "</td><td data-label=\"%s\">", T(r, "State"));
	html_state(out, r, ms_state_names[record->state]);
	if (record->place == MS_PLACE_SPOOL)
		html(out, " <span class=\"chip\">%s</span>", T(r, "split"));
	if (*record->assignee != '\0')
		html(out, " <small>%s</small>", record->assignee);
	html(out, "</td></tr>");
}

void html_rows(GString *out, const Request *r, const GPtrArray *list)
{
	html(out, "<table class=\"list\"><thead><tr><th>%s</th><th>%s</th><th>%s</th><th>%s</th><th>%s</th>"
		"<th>%s</th></tr></thead><tbody>", T(r, "Message"), T(r, "Age"), T(r, "From"), T(r, "To"),
		T(r, "Why"), T(r, "State"));
	for (guint i = 0; i < list->len; i++)
		row(out, r, list->pdata[i]);
	html(out, "</tbody></table>");
}

/* ---- the form above ------------------------------------------------------------------- */

static void option(GString *out, const char *value, const char *text, const char *chosen)
{
	html(out, "<option value=\"%s\"%S>%s</option>", value, strcmp(value, chosen) == 0 ? " selected" : "",
		text);
}

static void filters(GString *out, const Request *r, const Asked *asked)
{
	html(out, "<form class=\"filters\" method=\"get\" action=\"/\" role=\"search\"><label class=\"wide\">%s"
		"<input type=\"search\" name=\"search\" value=\"%s\" placeholder=\"%s\"></label>",
		T(r, "Search"), asked->filter.search, T(r, "queue ID, sender or recipient"));
	html(out, "<label>%s<select name=\"state\">", T(r, "State"));
	for (int i = 0; i < MS_STATE_DELIVERED; i++)
		option(out, ms_state_names[i], T(r, ms_state_names[i]), asked->state);
	option(out, "all", T(r, "all"), asked->state);
	html(out, "</select></label><label>%s<select name=\"reason\">", T(r, "Reason"));
	option(out, "", T(r, "any"), asked->filter.reason);
	for (int i = 0; i < MS_N_REASONS; i++)
		option(out, ms_reason_names[i], T(r, ms_reason_names[i]), asked->filter.reason);
	html(out, "</select></label><label>%s<input name=\"account\" value=\"%s\"></label>", T(r, "Account"),
		asked->filter.account);
	html(out, "<label>%s<select name=\"age\">", T(r, "Age"));
	option(out, "", T(r, "any"), asked->age);
	for (gsize i = 0; i < G_N_ELEMENTS(ages); i++)
		option(out, ages[i].name, T(r, ages[i].label), asked->age);
	html(out, "</select></label><label>%s<select name=\"sort\">", T(r, "Sort"));
	for (int i = 0; i < MS_N_SORTS; i++)
		option(out, ms_sort_names[i], T(r, ms_sort_names[i]), ms_sort_names[asked->filter.sort]);
	html(out, "</select></label><button>%s</button></form>", T(r, "Show"));
}

/* ---- pages of the list ---------------------------------------------------------------- */

static void next_page(GString *out, const Request *r, const Asked *asked, const MsRecord *last)
{
	g_autofree char *cursor = ms_record_cursor(last, asked->filter.sort);
	const char *const pairs[] = {"state", asked->state, "search", asked->filter.search, "reason",
		asked->filter.reason, "policy", asked->filter.policy, "account", asked->filter.account, "host",
		asked->filter.host, "assignee", asked->filter.assignee, "age", asked->age, "sort",
		ms_sort_names[asked->filter.sort], "after", cursor, NULL};
	html(out, "<p class=\"pages\"><a rel=\"next\" class=\"button\" href=\"/");
	html_query(out, pairs);
	html(out, "\">%s</a></p>", T(r, "Next page"));
}

void page_list(Request *r, Answer *a)
{
	Asked asked = take(r);
	MsRecordFilter filter = filter_of(&asked);
	g_autoptr(GPtrArray) list = ms_records_list(r->site->ledger, &filter, NULL);
	gint64 n = ms_records_count(r->site->ledger, &filter, COUNT_UP_TO, NULL);
	if (list == NULL || n < 0) {
		say_no(r, a, 503, T(r, "The records cannot be read now."));
		return;
	}
	a->title = T(r, "Held mail");
	bool more = list->len > PAGE;
	if (more)
		g_ptr_array_set_size(list, PAGE);
	html(a->html, "<h1>%s <small>%d%S</small></h1>", T(r, "Held mail"), n, n >= COUNT_UP_TO ? "+" : "");
	filters(a->html, r, &asked);
	if (list->len == 0)
		html(a->html, "<p class=\"empty\">%s</p>", T(r, "Nothing here: no message is like this."));
	else
		html_rows(a->html, r, list);
	if (more)
		next_page(a->html, r, &asked, list->pdata[list->len - 1]);
}

void page_counter(Request *r, Answer *a)
{
	MsRecordStats stats = {0};
	ms_records_stats(r->site->ledger, &stats, NULL);
	g_autofree char *age = stats.held > 0 ? age_text(r, stats.oldest) : g_strdup("–");
	json_t *out = json_pack("{s:I, s:s}", "held", (json_int_t)stats.held, "oldest", age);
	char *text = json_dumps(out, JSON_COMPACT);
	a->type = "application/json";
	a->bytes = g_bytes_new(text, strlen(text));
	free(text);
	json_decref(out);
}

/* ---- by cause ------------------------------------------------------------------------- */

void page_causes(Request *r, Answer *a)
{
	g_autoptr(GPtrArray) causes = ms_records_causes(r->site->ledger, 200, NULL);
	a->title = T(r, "By cause");
	html(a->html, "<h1>%s</h1><p>%s</p>", T(r, "By cause"),
		T(r, "Messages that one change broke are held for one cause. Look at a few, then decide on all of them."));
	if (causes == NULL || causes->len == 0) {
		html(a->html, "<p class=\"empty\">%s</p>", T(r, "Nothing is held."));
		return;
	}
	html(a->html, "<table class=\"list\"><thead><tr><th>%s</th><th>%s</th><th>%s</th></tr></thead><tbody>",
		T(r, "Messages"), T(r, "Cause"), T(r, "Oldest"));
	for (guint i = 0; i < causes->len; i++) {
		const MsCause *cause = causes->pdata[i];
		g_autofree char *age = age_text(r, cause->oldest);
		const char *const pairs[] = {"is", cause->cause, NULL};
		html(a->html, "<tr><td data-label=\"%s\"><b>%d</b></td><td data-label=\"%s\"><a href=\"/cause",
			T(r, "Messages"), cause->messages, T(r, "Cause"));
		html_query(a->html, pairs);
		html(a->html, "\">%s</a></td><td data-label=\"%s\">%s</td></tr>", cause->cause, T(r, "Oldest"), age);
	}
	html(a->html, "</tbody></table>");
}

#define SAMPLE 5

static void decide_form(GString *out, const Request *r, const char *cause, gint64 n, gint64 up_to)
{
	g_autofree char *until = g_strdup_printf("%" G_GINT64_FORMAT, up_to);
	html(out, "<form class=\"card decide\" method=\"post\" action=\"/cause\"><h2>%s</h2>", T(r, "Decide on all of them"));
	html_token(out, r);
	html(out, "<input type=\"hidden\" name=\"cause\" value=\"%s\"><input type=\"hidden\" name=\"up_to\" "
		"value=\"%s\"><p>%s</p>", cause, until,
		T(r, "What comes in from now on is not part of it."));
	html(out, "<label class=\"wide\">%s<input name=\"why\" required maxlength=\"500\"></label>"
		"<label class=\"check\"><input type=\"checkbox\" name=\"sure\" value=\"1\" required> %s</label>",
		T(r, "Reason, for the record"), T(r, "I have looked at some of them"));
	html(out, "<div class=\"buttons\"><button name=\"verb\" value=\"release\">%s (%d)</button>"
		"<button class=\"quiet\" name=\"verb\" value=\"release-right\">%s</button>"
		"<button class=\"quiet\" name=\"verb\" value=\"return\">%s (%d)</button>"
		"<button class=\"danger\" name=\"verb\" value=\"delete\">%s (%d)</button></div></form>",
		T(r, "Release"), n, T(r, "Release to those with a right"), T(r, "Return to sender"), n, T(r, "Delete"), n);
}

void page_cause(Request *r, Answer *a)
{
	const char *cause = query(r, "is");
	MsRecordFilter filter = {.state = MS_STATE_HELD, .cause = cause, .limit = SAMPLE};
	MsRecordStats stats = {0};
	ms_records_stats(r->site->ledger, &stats, NULL);
	g_autoptr(GPtrArray) list = ms_records_list(r->site->ledger, &filter, NULL);
	gint64 n = MAX(ms_records_count(r->site->ledger, &filter, 0, NULL), 0);
	a->title = T(r, "By cause");
	html(a->html, "<p><a href=\"/causes\">← %s</a></p><h1>%s <small>%d</small></h1>", T(r, "By cause"), cause, n);
	if (list == NULL || list->len == 0) {
		html(a->html, "<p class=\"empty\">%s</p>", T(r, "Nothing is held."));
		return;
	}
	html(a->html, "<h2>%s</h2>", T(r, "Some of them"));
	html_rows(a->html, r, list);
	if (may(r, FOR_REVIEWER))
		decide_form(a->html, r, cause, n, stats.changed);
}

/* ---- what waits for a second person --------------------------------------------------- */

static void waiting_row(GString *out, const Request *r, const MsDecision *d, gint64 n)
{
	const char *id = *d->group != '\0' ? d->group : d->id;
	bool own = is_person(r, d->who);
	html(out, "<form class=\"card\" method=\"post\" action=\"/agree\"><p><b>%s</b>: %d %s · %s %s · ",
		T(r, ms_verbs[d->verb].name), n, T(r, n == 1 ? "message" : "messages"), T(r, "asked by"), d->who);
	html_time(out, d->at);
	html(out, "</p><p class=\"why\">%s</p>", d->why);
	html_token(out, r);
	html(out, "<input type=\"hidden\" name=\"id\" value=\"%s\"><p><a href=\"/message/%s\">%s</a></p>", id, d->uid,
		T(r, "Look at one of them"));
	if (may(r, FOR_REVIEWER)) {
		if (!own)
			html_proof(out, r);
		html(out, "<div class=\"buttons\">");
		if (!own)
			html(out, "<button name=\"agrees\" value=\"yes\">%s</button>", T(r, "Agree"));
		html(out, "<button class=\"quiet\" name=\"agrees\" value=\"no\" formnovalidate>%s</button></div>", T(r, "Withdraw"));
	}
	if (own)
		html(out, "<p><small>%s</small></p>", T(r, "You took this decision; another person must agree."));
	html(out, "</form>");
}

void page_waiting(Request *r, Answer *a)
{
	g_autoptr(GPtrArray) list =
		ms_decisions_list(r->site->ledger, MS_DECISION_WAITING, NULL, NULL);
	g_autoptr(GHashTable) counts = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	a->title = T(r, "Second person");
	html(a->html, "<h1>%s</h1>", T(r, "Waits for a second person"));
	if (list == NULL || list->len == 0) {
		html(a->html, "<p class=\"empty\">%s</p>", T(r, "Nothing waits."));
		return;
	}
	for (guint i = 0; i < list->len; i++) {
		const MsDecision *d = list->pdata[i];
		char *id = *d->group != '\0' ? d->group : d->id;
		g_hash_table_insert(counts, id,
			GINT_TO_POINTER(GPOINTER_TO_INT(g_hash_table_lookup(counts, id)) + 1));
	}
	for (guint i = 0; i < list->len; i++) {
		const MsDecision *d = list->pdata[i];
		char *id = *d->group != '\0' ? d->group : d->id;
		if (g_hash_table_add(seen, id))
			waiting_row(a->html, r, d, GPOINTER_TO_INT(g_hash_table_lookup(counts, id)));
	}
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
	html(a->html, "<table class=\"list\"><thead><tr><th>%s</th><th>%s</th><th>%s</th><th>%s</th></tr></thead><tbody>",
		T(r, "Host"), T(r, "State"), T(r, "Last heard of"), T(r, "Held mail"));
	for (guint i = 0; hosts != NULL && i < hosts->len; i++) {
		const MsLinkHost *host = hosts->pdata[i];
		bool down = g_get_real_time() - host->seen > MS_LINK_ALIVE_US;
		g_autofree char *age = age_text(r, host->seen);
		MsRecordFilter filter = {.state = MS_STATE_HELD, .host = host->name};
		html(a->html, "<tr><td data-label=\"%s\"><a href=\"/?host=%s\">%s</a></td><td data-label=\"%s\">",
			T(r, "Host"), host->name, host->name, T(r, "State"));
		html(a->html, "<span class=\"chip %S\">%s</span>", down ? "deleted" : "released",
			T(r, down ? "down: decisions wait" : "up"));
		html(a->html, "</td><td data-label=\"%s\">%s</td><td data-label=\"%s\">%d</td></tr>",
			T(r, "Last heard of"), age, T(r, "Held mail"),
			ms_records_count(r->site->ledger, &filter, 0, NULL));
	}
	html(a->html, "</tbody></table>");
}
