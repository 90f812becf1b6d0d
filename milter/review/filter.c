/*
 * What a list is asked for.  It comes in as the query of an address and goes out as a filter for
 * the ledger, and as the query of whatever is reached from the list, so that after a decision the
 * next mail of the same list appears.  What is searched for may be a customer's number or a word
 * of a subject: records have keyed digests of these, which the host makes, since the page has no
 * key.  The request's own thread.
 */
#include "config.h"

#include <string.h>

#include "missent/identifier.h"

#include "page.h"

static const struct {
	const char *name, *label;
	gint64 seconds;
} ages[] = {{"1h", W("the last hour"), 3600}, {"24h", W("the last 24 hours"), 86400},
	{"7d", W("the last 7 days"), 7 * 86400}, {"older7d", W("older than 7 days"), -7 * 86400}};

static void take_age(Lookup *asked)
{
	for (gsize i = 0; i < G_N_ELEMENTS(ages); i++) {
		if (strcmp(ages[i].name, asked->age) != 0)
			continue;
		gint64 at = asked->at - ABS(ages[i].seconds) * G_USEC_PER_SEC;
		if (ages[i].seconds > 0)
			asked->filter.newer_than = at;
		else
			asked->filter.older_than = at;
	}
}

/* ---- what is searched for ------------------------------------------------------------- */

static GPtrArray *texts_of(const json_t *list)
{
	GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_is_string(json_array_get(list, i)))
			g_ptr_array_add(out, g_strdup(json_string_value(json_array_get(list, i))));
	return out;
}

void asked_marks(const Request *r, Lookup *asked)
{
	if (asked->filter.search == NULL || *asked->filter.search == '\0')
		return;
	g_autofree char *no = NULL;
	json_t *reply = ask_agent(
		r, json_pack("{s:s, s:s}", "do", "marks", "text", asked->filter.search), &no, NULL);
	asked->partial = reply == NULL;
	if (reply == NULL)
		return;
	asked->refs = texts_of(json_object_get(reply, "refs"));
	asked->words = texts_of(json_object_get(reply, "words"));
	asked->filter.refs = asked->refs;
	asked->filter.words = asked->words;
	json_decref(reply);
}

/* ---- the query ------------------------------------------------------------------------ */

Lookup asked_take(const Request *r)
{
	Lookup asked = {.state = query(r, "state"),
		.age = query(r, "age"),
		.at = g_ascii_strtoll(form(r, "at"), NULL, 10)};
	MsRecordFilter *f = &asked.filter;
	if (asked.at <= 0)
		asked.at = g_get_real_time();
	asked.given = *asked.state != '\0';
	if (!asked.given)
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
	f->cause = query(r, "cause");
	f->assignee = query(r, "assignee");
	f->judged_for = query(r, "judged");
	f->waiting = strcmp(query(r, "waiting"), "1") == 0 ? 1
		: strcmp(query(r, "waiting"), "0") == 0    ? -1
							   : 0;
	f->could_go = strcmp(query(r, "go"), "1") == 0;
	f->undecided = f->state == MS_STATE_HELD && *f->search == '\0';
	f->up_to = g_ascii_strtoll(query(r, "up_to"), NULL, 10);
	f->after = *query(r, "after") != '\0' ? query(r, "after") : NULL;
	f->before = *query(r, "before") != '\0' ? query(r, "before") : NULL;
	for (int i = 0; i < MS_N_SORTS; i++)
		if (strcmp(ms_sort_names[i], query(r, "sort")) == 0)
			f->sort = (MsSort)i;
	take_age(&asked);
	asked_marks(r, &asked);
	return asked;
}

void asked_clear(Lookup *asked)
{
	g_clear_pointer(&asked->refs, g_ptr_array_unref);
	g_clear_pointer(&asked->words, g_ptr_array_unref);
}

/* What was left empty narrows nothing. */
MsRecordFilter asked_filter(const Lookup *asked)
{
	MsRecordFilter f = asked->filter;
	const char **texts[] = {&f.search, &f.reason, &f.policy, &f.account, &f.host, &f.cause,
		&f.assignee, &f.judged_for};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		if (*texts[i] != NULL && **texts[i] == '\0')
			*texts[i] = NULL;
	return f;
}

/* Whether mail about somebody is held is about him as well. */
bool search_told(const Request *r, const MsRecordFilter *f)
{
	g_autofree char *whom = ms_filter_whom(f);
	return whom == NULL || audit(r, "search", "", whom);
}

static bool is_one_of(const Request *r, const char *key, const char *const *names, GError **error)
{
	const char *word = query(r, key);
	int place;
	return *word == '\0' || ms_word_choose(names, key, word, &place, error);
}

bool asked_check(const Request *r, const Lookup *asked, GError **error)
{
	static const char *const yes[] = {"1", "0", NULL};
	const char *states[MS_N_STATES + 2] = {"all", NULL}, *times[G_N_ELEMENTS(ages) + 1] = {NULL};
	for (int i = 0; i < MS_N_STATES; i++)
		states[i + 1] = ms_state_names[i];
	for (gsize i = 0; i < G_N_ELEMENTS(ages); i++)
		times[i] = ages[i].name;
	MsRecordFilter filter = asked_filter(asked);
	return is_one_of(r, "state", states, error) && is_one_of(r, "age", times, error) &&
		is_one_of(r, "sort", ms_sort_names, error) && is_one_of(r, "waiting", yes, error) &&
		is_one_of(r, "go", yes, error) && ms_filter_check(&filter, error);
}

/* Name and value in turn, ended by NULL; "" for what is not asked for. */
static GStrv asked_pairs(const Lookup *asked)
{
	const MsRecordFilter *f = &asked->filter;
	g_autofree char *up_to = f->up_to > 0 ? g_strdup_printf("%" G_GINT64_FORMAT, f->up_to)
					      : NULL;
	const char *const pairs[] = {"state", asked->state, "search", f->search, "reason",
		f->reason, "policy", f->policy, "account", f->account, "host", f->host, "cause",
		f->cause, "assignee", f->assignee, "age", asked->age, "sort",
		f->sort != MS_SORT_NEWEST ? ms_sort_names[f->sort] : "", "judged", f->judged_for,
		"go", f->could_go ? "1" : "", "waiting",
		f->waiting > 0           ? "1"
			: f->waiting < 0 ? "0"
					 : "",
		"up_to", up_to};
	GStrv all = g_new0(char *, G_N_ELEMENTS(pairs) + 1);
	for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++)
		all[i] = g_strdup(pairs[i] != NULL ? pairs[i] : "");
	return all;
}

void asked_query(GString *out, const Lookup *asked)
{
	g_auto(GStrv) pairs = asked_pairs(asked);
	html_query(out, (const char *const *)pairs);
}

static void hidden(GString *out, const char *name, const char *value)
{
	if (value != NULL && *value != '\0')
		html(out, "<input type=\"hidden\" name=\"%s\" value=\"%s\">", name, value);
}

void asked_fields(GString *out, const Lookup *asked)
{
	g_auto(GStrv) pairs = asked_pairs(asked);
	for (gsize i = 0; pairs[i] != NULL; i += 2)
		hidden(out, pairs[i], pairs[i + 1]);
}

void asked_as_of(GString *out, gint64 up_to, gint64 at)
{
	html(out,
		"<input type=\"hidden\" name=\"up_to\" value=\"%d\"><input type=\"hidden\" name=\"at\" value=\"%d\">",
		up_to, at);
}

MsRecord *asked_next(const Request *r, const Lookup *asked, const MsRecord *record, bool before)
{
	MsRecordFilter filter = asked_filter(asked);
	g_autofree char *cursor = ms_record_cursor(record, filter.sort);
	filter.after = before ? NULL : cursor;
	filter.before = before ? cursor : NULL;
	filter.limit = 1;
	g_autoptr(GPtrArray) list = ms_records_list(r->site->ledger, &filter, NULL);
	return list != NULL && list->len > 0 ? g_ptr_array_steal_index(list, 0) : NULL;
}

/* ---- the form above a list ------------------------------------------------------------ */

static void html_option(GString *out, const char *value, const char *text, const char *chosen)
{
	html(out, "<option value=\"%s\"%S>%s</option>", value,
		strcmp(value, chosen) == 0 ? " selected" : "", text);
}

void asked_form(GString *out, const Request *r, const Lookup *asked)
{
	const MsRecordFilter *f = &asked->filter;
	const char *waiting = f->waiting > 0 ? "1" : f->waiting < 0 ? "0" : "";
	html(out,
		"<form class=\"filters\" method=\"get\" action=\"/\" role=\"search\"><label class=\"wide\">%s"
		"<input type=\"search\" name=\"search\" value=\"%s\" placeholder=\"%s\"></label>",
		T(r, "Search"), f->search,
		T(r, "subject, customer number, account, address, queue ID"));
	html(out, "<label>%s<select name=\"state\">", T(r, "State"));
	for (int i = 0; i < MS_STATE_DELIVERED; i++)
		html_option(out, ms_state_names[i], T(r, ms_state_names[i]), asked->state);
	html_option(out, "all", T(r, "all"), asked->state);
	html(out, "</select></label><label>%s<select name=\"reason\">", T(r, "Reason"));
	html_option(out, "", T(r, "any"), f->reason);
	for (int i = 0; i < MS_N_REASONS; i++)
		html_option(out, ms_reason_names[i], T(r, ms_reason_names[i]), f->reason);
	html(out, "</select></label><label>%s<input name=\"account\" value=\"%s\"></label>",
		T(r, "Account"), f->account);
	html(out, "<label>%s<select name=\"waiting\">", T(r, "Waits"));
	html_option(out, "", T(r, "any"), waiting);
	html_option(out, "1", T(r, "only those that wait"), waiting);
	html_option(out, "0", T(r, "without those that wait"), waiting);
	html(out, "</select></label><label>%s<select name=\"age\">", T(r, "Age"));
	html_option(out, "", T(r, "any"), asked->age);
	for (gsize i = 0; i < G_N_ELEMENTS(ages); i++)
		html_option(out, ages[i].name, T(r, ages[i].label), asked->age);
	html(out, "</select></label><label>%s<select name=\"sort\">", T(r, "Sort"));
	for (int i = 0; i < MS_N_SORTS; i++)
		html_option(out, ms_sort_names[i], T(r, ms_sort_names[i]), ms_sort_names[f->sort]);
	html(out, "</select></label>");
	hidden(out, "host", f->host);
	hidden(out, "assignee", f->assignee);
	html(out, "<button class=\"quiet\">%s</button></form>", T(r, "Show"));
}
