/*
 * Messages that are held for one cause, which are decided as one.  A group comes out of the
 * ledger; out goes what would be sent, to how many, whose data, counts, a sample spread over
 * them, and the buttons below that.  The request's own thread.
 */
#include "config.h"

#include <string.h>

#include "page.h"

/* ---- a cause in words ----------------------------------------------------------------- */

/* "unproven and wrong" */
static void html_outcomes(GString *out, const Request *r, const char *text)
{
	g_auto(GStrv) words = g_strsplit(text, " and ", -1);
	for (int i = 0; words[i] != NULL; i++) {
		html(out, "%S<span class=\"outcome %s\">", i > 0 ? " " : "", words[i]);
		html_explained(out, r, words[i]);
		html(out, "</span>");
	}
}

/* "mismatch, oversized (iban, email)" */
static void html_codes(GString *out, const Request *r, const char *text)
{
	const char *open = strstr(text, " (");
	g_autofree char *codes = open != NULL ? g_strndup(text, (gsize)(open - text))
					      : g_strdup(text);
	html_list(out, r, codes);
	if (open == NULL)
		return;
	g_autofree char *kinds = g_strndup(open + 2, strcspn(open + 2, ")"));
	html(out, " <small>(");
	html_list(out, r, kinds);
	html(out, ")</small>");
}

/* "CODES (KINDS), for OUTCOMES, POLICIES, <SENDER>"; of older records as it is. */
void html_cause(GString *out, const Request *r, const char *cause)
{
	const char *for_whom = strstr(cause, ", for ");
	const char *rest = for_whom != NULL ? strchr(for_whom + 6, ',') : NULL;
	const char *sender = g_strrstr(cause, ", <");
	if (for_whom == NULL || rest == NULL || sender == NULL || sender < rest) {
		html(out, "<span lang=\"en\">%s</span>", cause);
		return;
	}
	g_autofree char *codes = g_strndup(cause, (gsize)(for_whom - cause));
	g_autofree char *outcomes = g_strndup(for_whom + 6, (gsize)(rest - for_whom - 6));
	g_autofree char *policies = sender > rest ? g_strndup(rest + 2, (gsize)(sender - rest - 2))
						  : g_strdup("");
	g_autofree char *address = g_strndup(sender + 3, strcspn(sender + 3, ">"));
	html_outcomes(out, r, outcomes);
	html(out, " ");
	if (strcmp(codes, "nothing") == 0)
		html(out, "%s", T(r, "could go now"));
	else
		html_codes(out, r, codes);
	html(out, " · <small>%s %s</small> · <small>%s</small>", T(r, "policy"), policies,
		*address != '\0' ? address : "<>");
}

/* ---- all causes ----------------------------------------------------------------------- */

static void cause_row(GString *out, const Request *r, const MsCause *cause)
{
	g_autofree char *age = age_text(r, cause->oldest);
	const char *const pairs[] = {"is", cause->cause, NULL};
	html(out,
		"<tr><td data-label=\"%s\"><b>%d</b></td><td data-label=\"%s\"><a class=\"go\" href=\"/cause",
		T(r, "Messages"), cause->messages, T(r, "Cause"));
	html_query(out, pairs);
	html(out, "\">");
	html_cause(out, r, cause->cause);
	html(out, "</a></td><td data-label=\"%s\">%s</td></tr>", T(r, "Oldest"), age);
}

void page_causes(Request *r, Answer *a)
{
	g_autoptr(GPtrArray) causes = ms_records_causes(r->site->ledger, 200, NULL);
	if (!was_read(r, a, causes))
		return;
	a->title = T(r, "By cause");
	html_done(a->html, r);
	html(a->html, "<h1>%s</h1><p>%s</p>", T(r, "By cause"),
		T(r, "Messages that one change broke are held for one cause. Look at a few, then decide on all of them."));
	if (causes->len == 0) {
		html(a->html, "<p class=\"empty\">%s</p>", T(r, "Nothing is held."));
		return;
	}
	html(a->html,
		"<table class=\"list causes\" aria-label=\"%s\"><thead><tr>", T(r, "By cause"));
	html_heads(a->html, r,
		(const char *const[]){W("Messages"), W("Cause"), W("Oldest"), NULL});
	html(a->html, "</tr></thead><tbody>");
	for (guint i = 0; i < causes->len; i++)
		cause_row(a->html, r, causes->pdata[i]);
	html(a->html, "</tbody></table>");
	html_legend(a->html, r);
}

/* ---- one cause ------------------------------------------------------------------------ */

#define SAMPLE 6
#define MOST 10000

static GPtrArray *uids_of(const GPtrArray *list)
{
	GPtrArray *uids = g_ptr_array_new();
	for (guint i = 0; i < list->len; i++)
		g_ptr_array_add(uids, ((MsRecord *)list->pdata[i])->uid);
	return uids;
}

void html_sample(GString *out, const Request *r, const GPtrArray *uids, const Lookup *asked)
{
	g_autoptr(GPtrArray) names = ms_records_sample(r->site->ledger, uids, SAMPLE, NULL);
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_record_free);
	for (guint i = 0; names != NULL && i < names->len; i++) {
		MsRecord *record = ms_records_find(r->site->ledger, names->pdata[i], NULL);
		if (record != NULL)
			g_ptr_array_add(list, record);
	}
	html_rows(out, r, list, asked, false, false);
}

static void sample(GString *out, const Request *r, const GPtrArray *uids, const Lookup *asked)
{
	html(out, "<h2>%s</h2>", T(r, "Some of them, as different as can be"));
	html_sample(out, r, uids, asked);
	html(out, "<p><a href=\"/");
	asked_query(out, asked);
	html(out, "\">%s</a></p>", T(r, "All of them, as a list"));
}

static void decide_form(GString *out, const Request *r, const Lookup *asked, const MsTallies *t)
{
	html(out,
		"<form class=\"card decide\" method=\"post\" autocomplete=\"off\" action=\"/bulk");
	asked_query(out, asked);
	html(out, "\">");
	html_no_default(out);
	html(out, "<h2>%s</h2>", T(r, "Decide on all of them"));
	html_token(out, r);
	html(out, "<input type=\"hidden\" name=\"all\" value=\"1\">");
	asked_as_of(out, asked->filter.up_to, asked->at);
	html_sentence(out, r, t);
	html_reason_field(out, r);
	bulk_buttons(out, r, t, is_cleared(asked->filter.cause));
	html(out, "<p><small>%s</small></p></form>",
		T(r, "What comes in from now on is not part of it."));
}

void page_cause(Request *r, Answer *a)
{
	Lookup asked = {.state = "held",
		.age = "",
		.at = g_get_real_time(),
		.filter = {.state = MS_STATE_HELD,
			.cause = query(r, "is"),
			.waiting = -1,
			.up_to = ms_records_newest_change(r->site->ledger),
			.undecided = true,
			.limit = MOST}};
	MsRecordFilter filter = asked_filter(&asked);
	g_autoptr(GPtrArray) list = filter.cause != NULL
		? ms_records_list(r->site->ledger, &filter, NULL)
		: g_ptr_array_new();
	if (!was_read(r, a, list))
		return;
	a->title = T(r, "By cause");
	html(a->html, "<p class=\"back\"><a href=\"/causes\" data-key=\"u\">← %s</a></p>",
		T(r, "By cause"));
	html(a->html, "<h1 class=\"cause\"><b>%d</b> · ", (gint64)list->len);
	html_cause(a->html, r, filter.cause != NULL ? filter.cause : "");
	html(a->html, "</h1>");
	if (list->len == 0) {
		html(a->html, "<p class=\"empty\">%s</p>",
			T(r, "Nothing here: no message is like this."));
		return;
	}
	g_autoptr(GPtrArray) uids = uids_of(list);
	g_autoptr(MsTallies) t = ms_records_tallies(r->site->ledger, uids, NULL);
	if (t != NULL) {
		html(a->html, "<div class=\"group\"><div>");
		html_tallies(a->html, r, t);
		html(a->html, "</div>");
		if (may(r, FOR_REVIEWER))
			decide_form(a->html, r, &asked, t);
		html(a->html, "</div>");
	}
	asked.filter.up_to = 0;
	sample(a->html, r, uids, &asked);
	html_legend(a->html, r);
}
