/*
 * One message: whose is it, who would have got it, why do we think so, what happens if it goes.
 * The record comes in, masked; out goes a page whose first screen has the answer and the
 * decision.  In clear only what a reviewer asked the host for, after that was put on record.  The
 * request's own thread.
 */
#include "config.h"

#include <string.h>

#include "missent/text.h"

#include "page.h"

#define SHOWN_FINDINGS 30
#define SHOWN_RECIPIENTS 5

MsRecord *find_record(const Request *r, Answer *a, const char *uid)
{
	g_autoptr(GError) error = NULL;
	MsRecord *record = strlen(uid) == 16 ? ms_records_find(r->site->ledger, uid, &error) : NULL;
	if (record == NULL)
		say_no(r, a, error != NULL ? 503 : 404,
			T(r,
				error != NULL ? "The records cannot be read now."
					      : "There is no such message."));
	return record;
}

static guint held_for(const MsRecord *record)
{
	guint n = 0;
	for (guint i = 0; i < record->recipients->len; i++)
		n += ((MsHeldRecipient *)record->recipients->pdata[i])->state == MS_STATE_HELD;
	return n;
}

/* ---- at a glance ---------------------------------------------------------------------- */

static const char *or_dash(const char *text)
{
	return text != NULL && *text != '\0' ? text : "–";
}

static void step_link(
	GString *out, const Request *r, const Lookup *asked, const MsRecord *record, bool before)
{
	g_autoptr(MsRecord) next = asked_next(r, asked, record, before);
	if (next == NULL)
		return;
	html(out, "<a rel=\"%S\" data-key=\"%S\" href=\"/message/%s", before ? "prev" : "next",
		before ? "k" : "j", next->uid);
	asked_query(out, asked);
	html(out, "\">%s</a> ", T(r, before ? "← Previous" : "Next →"));
}

static void way(GString *out, const Request *r, const MsRecord *record, const Lookup *asked)
{
	html(out, "<p class=\"back\"><a data-key=\"u\" href=\"/");
	if (asked->given)
		asked_query(out, asked);
	html(out, "\">↑ %s</a> ", T(r, "Held mail"));
	if (asked->given) {
		step_link(out, r, asked, record, true);
		step_link(out, r, asked, record, false);
	}
	html(out, "</p>");
}

const MsDecision *open_decision(const MsRecord *record)
{
	for (guint i = 0; i < record->decisions->len; i++) {
		const MsDecision *d = record->decisions->pdata[i];
		if (d->state < MS_DECISION_DONE && ms_verbs[d->verb].final)
			return d;
	}
	return NULL;
}

static void open_note(GString *out, const Request *r, const MsRecord *record)
{
	const MsDecision *d = open_decision(record);
	if (d == NULL)
		return;
	bool waits = d->state == MS_DECISION_WAITING;
	html(out, "<p class=\"notice bad\" role=\"status\"><b>%s</b> ", d->who);
	html_act(out, r, ms_verbs[d->verb].name);
	html(out, ": %s", T(r, waits ? "waits for a second person" : "is being done"));
	if (waits)
		html(out, " <a href=\"/waiting\">%s</a>", T(r, "Second person"));
	html(out, "</p>");
}

static void title(GString *out, const Request *r, const MsRecord *record)
{
	g_autoptr(MsGlance) g = ms_records_glance(r->site->ledger, record, NULL);
	html(out, "<h1 class=\"whose-title\">");
	if (g != NULL)
		html_whose(out, r, g->owners, g->recipient, g->accounts, g->outcome,
			record->n_recipients > 1 ? record->n_recipients - 1 : 0);
	html(out, " ");
	html_state(out, r, ms_state_names[record->state]);
	html_apart(out, r, record);
	html(out, "</h1>");
	open_note(out, r, record);
	if (*record->damaged != '\0')
		html(out, "<p class=\"notice bad\">%s <small>%s</small></p>",
			T(r,
				"Its record is damaged: it can be returned or "
				"deleted, not released."),
			record->damaged);
	if (*record->unclear != '\0')
		html(out, "<p class=\"warn\">%s <small>%s</small></p>",
			T(r,
				"Its host says more than this version of missent "
				"understands."),
			record->unclear);
	if (record->state == MS_STATE_OBSERVED)
		html(out, "<p class=\"notice bad\">%s</p>",
			T(r,
				"It was delivered: missent only observes for now. What "
				"stands here would have been the reason to hold it."));
}

static void whose(GString *out, const Request *r, const MsRecord *record)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	html(out, "<section class=\"card\"><h2>%s</h2>", T(r, "Whose is it?"));
	for (guint i = 0; i < record->findings->len; i++) {
		const MsHeldFinding *f = record->findings->pdata[i];
		if (*f->owners != '\0' && strspn(f->relations, "h") != strlen(f->relations)
			&& g_hash_table_add(seen, f->owners))
			html(out, "<p><b class=\"%S\">%s</b> <small>%s %s</small></p>",
				strchr(f->relations, 'x') != NULL ? "account" : "own", f->owners,
				T(r, f->kind), f->masked);
	}
	if (g_hash_table_size(seen) == 0)
		html(out, "<p>%s</p>",
			T(r, "Nothing in it belongs to an account that the directory knows."));
	html(out, "</section>");
}

static void outcome_word(GString *out, const Request *r, MsOutcome outcome)
{
	html(out, " <span class=\"outcome %s\">", ms_outcome_names[outcome]);
	html_explained(out, r, ms_outcome_names[outcome]);
	html(out, "</span>");
}

/* Those first who should not. */
static void who_gets(GString *out, const Request *r, const MsRecord *record)
{
	guint shown = 0;
	html(out, "<section class=\"card\"><h2>%s</h2>", T(r, "Who would have got it?"));
	for (int wrong = 1; wrong >= 0; wrong--)
		for (guint i = 0; i < record->recipients->len && shown < SHOWN_RECIPIENTS; i++) {
			const MsHeldRecipient *to = record->recipients->pdata[i];
			if ((to->outcome >= MS_OUTCOME_WRONG) != wrong)
				continue;
			html(out, "<p>%s <small>%s</small>", to->address,
				*to->accounts != '\0' ? to->accounts
						      : T(r, "no account is known"));
			outcome_word(out, r, to->outcome);
			html(out, "</p>");
			shown++;
		}
	if (record->n_recipients > shown)
		html(out, "<p><small>+%d</small></p>", (gint64)record->n_recipients - shown);
	html(out, "</section>");
}

static void why(GString *out, const Request *r, const MsRecord *record)
{
	html(out, "<section class=\"card\"><h2>%s</h2>", T(r, "Why do we think so?"));
	html_reasons(out, r, record);
	html(out, "</section>");
}

static void facts(GString *out, const Request *r, const MsRecord *record)
{
	g_autofree char *age = age_text(r, record->arrived);
	html(out,
		"<section class=\"card\"><dl class=\"facts\"><dt>%s</dt><dd>%s</dd><dt>%s</dt><dd>%s</dd><dt>%s</dt><dd>%s</dd>",
		T(r, "From"), *record->sender != '\0' ? record->sender : "<>", T(r, "Subject"),
		or_dash(record->subject), T(r, "Attached"), or_dash(record->attached));
	html(out, "<dt>%s</dt><dd>", T(r, "Arrived"));
	html_time(out, record->arrived);
	html(out, " (%s)</dd><dt>%s</dt><dd class=\"id\">%s</dd><dt>%s</dt><dd>%s</dd>", age,
		T(r, "Queue ID"), or_dash(record->queue_id), T(r, "Assigned to"),
		or_dash(record->assignee));
	gint64 expire = r->site->settings->desk.expire_ms;
	if (expire > 0 && record->state == MS_STATE_HELD) {
		html(out, "<dt>%s</dt><dd>", T(r, "Expires"));
		html_time(out, record->arrived + expire * 1000);
		html(out, "</dd>");
	}
	html(out,
		"<dt>%s</dt><dd>%s</dd><dt>%s</dt><dd>%d %s</dd><dt>%s</dt><dd class=\"id\">%s</dd></dl></section>",
		T(r, "Host"), record->host, T(r, "Size"), (gint64)record->size, T(r, "bytes"),
		T(r, "Reference"), record->uid);
}

/* The outcome is the judge's; what is told with it is what the record keeps to be shown. */
static void consequence(GString *out, const Request *r, const MsRecord *record, guint recipient)
{
	const MsHeldRecipient *to = record->recipients->pdata[recipient];
	const char *owner = "";
	guint n = wrong_for(record, recipient, &owner);
	html(out, "<p class=\"%S\">",
		to->outcome == MS_OUTCOME_WRONG ? "sentence bad" : "sentence warn");
	if (to->outcome == MS_OUTCOME_UNKNOWN_RECIPIENT)
		say(out, T(r, "{who} is not known to the directory"), "who", to->address, NULL);
	else if (n == 0)
		say(out, T(r, "{who} would receive what belongs to another account"), "who",
			to->address, NULL);
	else
		say(out,
			TN(r, n, "{who} would receive {n} identifier of {owner}",
				"{who} would receive {n} identifiers of {owner}"),
			"who", to->address, "#n", (gint64)n, "@owner", owner, NULL);
	html(out, "</p>");
}

#define SHOWN_WRONG 3

void html_consequences(
	GString *out, const Request *r, const MsRecord *record, const char *recipients)
{
	guint listed = 0, held = held_for(record);
	g_auto(GStrv) named = g_strsplit(recipients, "\n", -1);
	html(out, "<h2>%s</h2>", T(r, "What happens if it is released?"));
	for (guint i = 0; i < record->recipients->len; i++) {
		const MsHeldRecipient *to = record->recipients->pdata[i];
		bool goes = to->state == MS_STATE_HELD &&
			(named[0] == NULL ||
				g_strv_contains((const char *const *)named, to->address));
		if (goes && to->outcome >= MS_OUTCOME_WRONG && listed++ < SHOWN_WRONG)
			consequence(out, r, record, i);
	}
	if (listed > SHOWN_WRONG)
		html(out, "<p><small>+%d%s</small></p>", (gint64)listed - SHOWN_WRONG,
			record->recipients->len > MS_HELD_RELATIONS ? T(r, " or more") : "");
	if (held == 0)
		html(out, "<p>%s</p>",
			T(r,
				record->state == MS_STATE_OBSERVED ? "It is delivered already."
								   : "It is decided already."));
	else if (listed == 0)
		html(out, "<p class=\"sentence\">%s</p>",
			T(r, "Nobody would receive what the directory knows to be another account's."));
	if (held > 0 && record->place == MS_PLACE_SPOOL && !record->is_signed)
		html(out, "<p class=\"warn\">%s</p>",
			T(r,
				"It has no DKIM signature: if your mail is signed, missent "
				"stands before the signer, and a copy that is released stays unsigned."));
}

/* ---- recipients and identifiers ------------------------------------------------------- */

static void relation_cell(GString *out, const Request *r, const char *relations, guint recipient)
{
	static const struct {
		char letter;
		const char *name, *sign;
	} names[] = {{'o', W("own"), "✓"}, {'h', W("house"), "·"}, {'x', W("another's"), "✗"},
		{'?', W("unknown"), "?"}};
	if (recipient >= strlen(relations)) { /* of so many, the record does not keep it */
		html(out, "<td class=\"rel none\">–</td>");
		return;
	}
	char letter = relations[recipient];
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (names[i].letter == letter)
			html(out,
				"<td class=\"rel %S\"><span aria-hidden=\"true\">%S</span> %s</td>",
				letter == 'x'           ? "other"
					: letter == 'o' ? "own"
							: "none",
				names[i].sign, T(r, names[i].name));
}

/* Of MsHeldFinding, borrowed: as many as are shown, those first that are another's for somebody. */
static GPtrArray *shown_findings(const MsRecord *record)
{
	GPtrArray *shown = g_ptr_array_new();
	for (int wrong = 1; wrong >= 0; wrong--)
		for (guint i = 0; i < record->findings->len && shown->len < SHOWN_FINDINGS; i++) {
			MsHeldFinding *f = record->findings->pdata[i];
			if ((strchr(f->relations, 'x') != NULL) == wrong)
				g_ptr_array_add(shown, f);
		}
	return shown;
}

/* How many are not. */
static void further_findings(GString *out, const MsRecord *record)
{
	if (record->findings->len > SHOWN_FINDINGS)
		html(out, "<p><small>+%d%S</small></p>",
			(gint64)record->findings->len - SHOWN_FINDINGS,
			record->findings->len >= MS_HELD_FINDINGS ? "…" : "");
}

static void matrix_head(GString *out, const Request *r, const GPtrArray *findings)
{
	html(out, "<thead><tr><th scope=\"col\">%s</th>", T(r, "Recipient"));
	for (guint k = 0; k < findings->len; k++) {
		const MsHeldFinding *f = findings->pdata[k];
		html(out, "<th scope=\"col\">%s<br><code>%s</code><br><small>%s</small></th>",
			T(r, f->kind), f->masked, *f->owners != '\0' ? f->owners : T(r, "not known"));
	}
	html(out, "</tr></thead>");
}

static void matrix(GString *out, const Request *r, const MsRecord *record, const Shown *shown)
{
	if (record->findings->len == 0)
		return;
	html(out,
		"<h2>%s</h2><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\">"
		"<table class=\"matrix\" aria-label=\"%s\">",
		T(r, "Recipients and identifiers"), T(r, "Recipients and identifiers"),
		T(r, "Recipients and identifiers"));
	g_autoptr(GPtrArray) findings = shown_findings(record);
	matrix_head(out, r, findings);
	html(out, "<tbody>");
	for (guint n = 0; n < shown->list->len; n++) {
		guint i = g_array_index(shown->list, guint, n);
		const MsHeldRecipient *to = record->recipients->pdata[i];
		html(out, "<tr><th scope=\"row\">%s<br><small>%s</small> ", to->address,
			to->accounts);
		html_state(out, r, ms_state_names[to->state]);
		html(out, "</th>");
		for (guint k = 0; k < findings->len; k++)
			relation_cell(
				out, r, ((MsHeldFinding *)findings->pdata[k])->relations, i);
		html(out, "</tr>");
	}
	html(out, "</tbody></table></div>");
	further_findings(out, record);
}

/* ---- in clear ------------------------------------------------------------------------- */

static void html_belief(GString *out, const Request *r, const char *belief)
{
	g_auto(GStrv) levels = g_strsplit(belief, ", ", -1);
	for (int i = 0; levels[i] != NULL; i++) {
		html(out, "%S", i > 0 ? ", " : "");
		html_explained(out, r, levels[i]);
	}
}

static void evidence_findings(GString *out, const Request *r, const json_t *evidence)
{
	size_t i, k;
	json_t *finding, *place;
	json_array_foreach(json_object_get(evidence, "findings"), i, finding)
	{
		html(out, "<div class=\"finding\"><b>%s</b> <code>%s</code> <small>",
			T(r, word(finding, "kind")), word(finding, "value"));
		html_belief(out, r, word(finding, "belief"));
		html(out, " · %s</small>", word(finding, "accounts"));
		json_array_foreach(json_object_get(finding, "places"), k, place)
		{
			html(out, "<p><small>%s</small><br>%s<mark>%s</mark>%s</p>",
				word(place, "where"), word(place, "before"), word(place, "text"),
				word(place, "after"));
		}
		html(out, "</div>");
	}
	json_int_t more = json_integer_value(json_object_get(evidence, "findings_more"));
	if (more > 0)
		html(out, "<p class=\"warn\">+%d</p>", (gint64)more);
}

static void evidence_parts(
	GString *out, const Request *r, const MsRecord *record, const json_t *evidence)
{
	size_t i;
	json_t *part;
	json_array_foreach(json_object_get(evidence, "parts"), i, part)
	{
		const char *is = word(part, "is"), *path = word(part, "path");
		html(out, "<div class=\"part\"><b>%s</b> %s <small>%s · %d %s</small>", path,
			*word(part, "name") != '\0' ? word(part, "name") : word(part, "says"),
			*is != '\0' ? is : "?",
			(gint64)json_integer_value(json_object_get(part, "size")), T(r, "bytes"));
		if (r->session->account->download) {
			html(out, "<form method=\"post\" action=\"/message/%s/part\">",
				record->uid);
			html_token(out, r);
			html(out,
				"<input type=\"hidden\" name=\"path\" value=\"%s\"><input type=\"hidden\" name=\"name\" "
				"value=\"%s\"><button class=\"quiet\">%s</button></form>",
				path, word(part, "name"), T(r, "Download"));
		}
		if (strcmp(is, "application/pdf") == 0)
			html(out,
				"<img class=\"first-page\" loading=\"lazy\" alt=\"%s\" src=\"/message/%s/picture/%s\">",
				T(r, "First page"), record->uid, path);
		html(out, "</div>");
	}
}

static void evidence_texts(GString *out, const json_t *evidence)
{
	size_t i;
	json_t *text;
	json_array_foreach(json_object_get(evidence, "texts"), i, text)
		html(out, "<details open><summary>%s</summary><pre>%s</pre></details>",
			word(text, "where"), word(text, "text"));
}

static void evidence_unread(GString *out, const Request *r, const json_t *evidence)
{
	size_t i;
	json_t *unread;
	json_array_foreach(json_object_get(evidence, "unread"), i, unread) html(out,
		"<p class=\"warn\">%s: %s (%s) <span lang=\"en\">%s</span></p>", T(r, "Not read"),
		word(unread, "where"), T(r, word(unread, "reason")), word(unread, "detail"));
}

#define SHOWN_SETS 10

static void story_policies(GString *out, const Request *r, const json_t *story)
{
	size_t i;
	json_t *policy;
	bool any = false;
	json_array_foreach(json_object_get(story, "policies"), i, policy)
	{
		if (json_is_true(json_object_get(policy, "applies")))
			continue;
		if (!any)
			html(out, "<h3>%s</h3>", T(r, "Policies that do not apply"));
		any = true;
		html(out, "<p><b>%s</b> <span lang=\"en\">%s</span></p>", word(policy, "policy"),
			word(policy, "because"));
	}
}

/* What a policy asks for and nobody knew, so that it applied. */
static void story_unsure(GString *out, const Request *r, const json_t *story)
{
	size_t i;
	json_t *policy;
	bool any = false;
	json_array_foreach(json_object_get(story, "policies"), i, policy)
	{
		const char *unsure = word(policy, "unsure");
		if (*unsure == '\0')
			continue;
		if (!any)
			html(out, "<h3>%s</h3>",
				T(r, "Policies that apply because a condition is not known"));
		any = true;
		html(out, "<p class=\"warn\"><b>%s</b> <span lang=\"en\">%s</span></p>",
			word(policy, "policy"), unsure);
	}
}

static void story_changes(GString *out, const Request *r, const json_t *changes)
{
	size_t i, k;
	json_t *set, *change;
	html(out, "<h3>%s</h3><div class=\"changes\">",
		T(r, "What would have to change for another verdict"));
	json_array_foreach(json_object_get(changes, "sets"), i, set)
	{
		if (i >= SHOWN_SETS)
			break;
		html(out, "<p><b>%s</b>", T(r, word(set, "verdict")));
		json_array_foreach(json_object_get(set, "changes"), k, change) html(out,
			"%S <span lang=\"en\">%s</span>", k > 0 ? "," : ":", word(change, "text"));
		html(out, "</p>");
	}
	if (i == 0)
		html(out, "<p lang=\"en\">%s</p>", word(changes, "none"));
	html(out, "</div>");
}

static void revealed(GString *out, const Request *r, const MsRecord *record, const json_t *evidence)
{
	const json_t *story = json_object_get(evidence, "story");
	size_t i;
	json_t *header;
	html(out, "<section class=\"evidence\" id=\"evidence\"><h2>%s</h2><p><small>%s</small></p>",
		T(r, "In clear"), T(r, "This look is on record."));
	html(out, "<p>%s <b>%s</b> ", T(r, "Judged again now, it would be:"),
		T(r, word(evidence, "verdict")));
	html_list(out, r, word(evidence, "reasons"));
	html(out, "</p>");
	if (*word(evidence, "stale") != '\0')
		html(out, "<p class=\"warn\">%s %s</p>",
			T(r, "By the policies as they were before a mistake came in:"),
			word(evidence, "stale"));
	evidence_findings(out, r, evidence);
	evidence_unread(out, r, evidence);
	if (story != NULL) {
		story_unsure(out, r, story);
		story_policies(out, r, story);
		story_changes(out, r, json_object_get(story, "changes"));
	}
	html(out, "<h3>%s</h3><dl>", T(r, "Header"));
	json_array_foreach(json_object_get(evidence, "headers"), i, header)
		html(out, "<dt>%s</dt><dd>%s</dd>", word(header, "name"), word(header, "value"));
	html(out, "</dl><h3>%s</h3>", T(r, "Parts"));
	evidence_parts(out, r, record, evidence);
	html(out, "<h3>%s</h3>", T(r, "Text"));
	evidence_texts(out, evidence);
	html(out, "</section>");
}

static void masked_finding(GString *out, const Request *r, const MsHeldFinding *f)
{
	html(out, "<div class=\"finding\"><b>%s</b> <code>%s</code> <small>", T(r, f->kind),
		f->masked);
	html_belief(out, r, f->belief);
	html(out, " · ");
	html_place(out, r, f->where);
	html(out, " · %s</small></div>", *f->owners != '\0' ? f->owners : T(r, "not known"));
}

static void masked(GString *out, const Request *r, const MsRecord *record, const Lookup *asked)
{
	html(out, "<section class=\"evidence\"><h2>%s</h2>", T(r, "Evidence"));
	g_autoptr(GPtrArray) findings = shown_findings(record);
	for (guint i = 0; i < findings->len; i++)
		masked_finding(out, r, findings->pdata[i]);
	further_findings(out, record);
	if (may(r, FOR_REVIEWER) && record->state == MS_STATE_HELD) {
		html(out, "<form method=\"post\" action=\"/message/%s/reveal", record->uid);
		if (asked->given)
			asked_query(out, asked);
		html(out, "#evidence\">");
		html_token(out, r);
		html(out,
			"<button class=\"quiet\" data-key=\"s\">%s</button> <small>%s</small></form>",
			T(r, "Show in clear"),
			T(r, "with the text around it; who looked is put on record"));
	}
	html(out, "</section>");
}

/* ---- deciding ------------------------------------------------------------------------- */

static void begin_form(GString *out, const Request *r, const MsRecord *record, const Lookup *asked,
	const char *heading)
{
	html(out,
		"<form class=\"card decide\" method=\"post\" autocomplete=\"off\" action=\"/message/%s",
		record->uid);
	if (asked->given)
		asked_query(out, asked);
	html(out, "\">");
	html_no_default(out);
	if (heading != NULL)
		html(out, "<h2>%s</h2>", heading);
	html_token(out, r);
}

static void recipient_boxes(
	GString *out, const Request *r, const MsRecord *record, const Shown *shown)
{
	html(out, "<fieldset><legend>%s</legend>", T(r, "Recipients"));
	for (guint n = 0; n < shown->list->len; n++) {
		guint i = g_array_index(shown->list, guint, n);
		const MsHeldRecipient *to = record->recipients->pdata[i];
		if (to->state != MS_STATE_HELD)
			continue;
		html(out,
			"<label class=\"check\"><input type=\"checkbox\" name=\"to\" value=\"%s\"> %s",
			to->address, to->address);
		if (to->outcome >= MS_OUTCOME_WRONG)
			outcome_word(out, r, to->outcome);
		html(out, "</label>");
	}
	html(out, "</fieldset>");
}

/* How many of those for whom it is held have that outcome. */
static guint held_with(const MsRecord *record, MsOutcome outcome)
{
	guint n = 0;
	for (guint i = 0; i < record->recipients->len; i++) {
		const MsHeldRecipient *to = record->recipients->pdata[i];
		n += to->state == MS_STATE_HELD && to->outcome == outcome;
	}
	return n;
}

static void verb_button(
	GString *out, const char *class, const char *verb, const char *key, const char *text)
{
	html(out, "<button%S%S%S name=\"verb\" value=\"%s\"%S%S%S>%s</button>",
		*class != '\0' ? " class=\"" : "", class, *class != '\0' ? "\"" : "", verb,
		*key != '\0' ? " data-key=\"" : "", key, *key != '\0' ? "\"" : "", text);
}

/* The first one is what does no harm; what lets go another's stands apart, and asks for the
 * number. */
static void final_buttons(GString *out, const Request *r, const MsRecord *record)
{
	guint held = held_for(record), wrong = held_with(record, MS_OUTCOME_WRONG),
	      right = held_with(record, MS_OUTCOME_RIGHT);
	bool harmless = right == held && is_cleared(record->cause), back = *record->sender != '\0';
	if (*record->damaged != '\0') { /* nobody knows what is in it for whom */
		if (back)
			verb_button(out, "", ms_verbs[MS_VERB_RETURN].name, "b",
				T(r, "Return to sender"));
		verb_button(out, "danger", ms_verbs[MS_VERB_DELETE].name, "d", T(r, "Delete"));
		return;
	}
	if (harmless)
		verb_button(out, "", ms_verbs[MS_VERB_RELEASE].name, "r",
			T(r, held > 1 ? "Release to all" : "Release"));
	if (back)
		verb_button(out, harmless ? "quiet" : "", ms_verbs[MS_VERB_RETURN].name, "b",
			T(r, "Return to sender"));
	if (held > 1)
		verb_button(out, "quiet", "release-some", "t", T(r, "Release to the chosen"));
	if (right > 0 && right < held) {
		g_autofree char *text = said(T(r, "Release to those with a right ({n})"), right);
		verb_button(out, "quiet", "release-right", "i", text);
	}
	if (!harmless && wrong == 0)
		verb_button(out, "quiet", ms_verbs[MS_VERB_RELEASE].name, "r",
			T(r, held > 1 ? "Release to all" : "Release"));
	if (wrong > 0)
		verb_button(out, "danger", ms_verbs[MS_VERB_RELEASE].name, "r",
			T(r, "Release all the same"));
	verb_button(out, "danger", ms_verbs[MS_VERB_DELETE].name, "d", T(r, "Delete"));
}

static void final_form(GString *out, const Request *r, const MsRecord *record, const Shown *shown,
	const Lookup *asked)
{
	begin_form(out, r, record, asked, NULL);
	html_consequences(out, r, record, "");
	if (held_for(record) > 1)
		recipient_boxes(out, r, record, shown);
	html_reason_field(out, r);
	html(out, "<div class=\"buttons\">");
	final_buttons(out, r, record);
	html(out, "</div></form>");
}

static void note_form(GString *out, const Request *r, const MsRecord *record, const Lookup *asked)
{
	begin_form(out, r, record, asked, T(r, "Work together"));
	html(out, "<label class=\"wide\">%s<input name=\"why\" maxlength=\"500\"></label>",
		T(r, "Note"));
	html(out,
		"<label>%s<input name=\"assignee\" maxlength=\"100\" value=\"%s\"></label><div class=\"buttons\">",
		T(r, "Assigned to"),
		*record->assignee != '\0' ? record->assignee : r->session->account->name);
	verb_button(out, "quiet", ms_verbs[MS_VERB_NOTE].name, "", T(r, "Add the note"));
	verb_button(out, "quiet", ms_verbs[MS_VERB_ASSIGN].name, "a", T(r, "Assign"));
	html(out, "</div></form>");
}

/* The account that all that is another's in it belongs to; "" where there are several. */
static char *account_found(const MsRecord *record)
{
	g_autofree char *found = g_strdup("");
	for (guint i = 0; i < record->findings->len; i++) {
		const MsHeldFinding *f = record->findings->pdata[i];
		bool others = strpbrk(f->relations, "x?") != NULL;
		guint more;
		g_auto(GStrv) owners = ms_text_list_apart(f->owners, &more);
		if (!others || owners[0] == NULL)
			continue;
		bool other = *found != '\0' && strcmp(found, owners[0]) != 0;
		if (more > 0 || owners[1] != NULL || other)
			return g_strdup("");
		g_free(found);
		found = g_strdup(owners[0]);
	}
	return g_steal_pointer(&found);
}

static void receives_fields(
	GString *out, const Request *r, const MsRecord *record, const Shown *shown)
{
	html(out, "<label>%s<select name=\"recipient\">", T(r, "This recipient"));
	for (guint n = 0; n < shown->list->len; n++) {
		const MsHeldRecipient *to =
			record->recipients->pdata[g_array_index(shown->list, guint, n)];
		html(out, "<option>%s</option>", to->address);
	}
	g_autofree char *account = account_found(record);
	html(out,
		"</select></label><label>%s<input name=\"receives\" list=\"accounts\" maxlength=\"200\" value=\"%s\"></label>",
		T(r, "may receive for account"), account);
	verb_button(out, "quiet", ms_verbs[MS_VERB_MAY_RECEIVE].name, "m", T(r, "May receive"));
}

static void belongs_fields(GString *out, const Request *r, const MsRecord *record)
{
	html(out, "<label>%s<select name=\"ref\">", T(r, "This identifier"));
	for (guint i = 0; i < record->findings->len; i++) {
		const MsHeldFinding *f = record->findings->pdata[i];
		html(out, "<option value=\"%s\">%s %s</option>", f->ref, T(r, f->kind), f->masked);
	}
	html(out,
		"</select></label><label>%s<input name=\"account\" list=\"accounts\" maxlength=\"200\"></label>"
		"<datalist id=\"accounts\">",
		T(r, "belongs to account"));
	for (guint i = 0; i < record->accounts->len; i++)
		html(out, "<option value=\"%s\">", (char *)record->accounts->pdata[i]);
	html(out, "</datalist>");
	verb_button(out, "quiet", ms_verbs[MS_VERB_BELONGS].name, "", T(r, "Belongs"));
}

static void teach_form(GString *out, const Request *r, const MsRecord *record, const Shown *shown,
	const Lookup *asked)
{
	begin_form(out, r, record, asked, T(r, "The directory is wrong"));
	html(out, "<p><small>%s</small></p>",
		T(r,
			"It is changed at once, for all mail; who and why is put on record. "
			"What else it concerns is judged again."));
	receives_fields(out, r, record, shown);
	if (record->findings->len > 0)
		belongs_fields(out, r, record);
	html(out, "<label class=\"wide\">%s<input name=\"why\" maxlength=\"500\"></label>",
		T(r, "Reason, for the record"));
	verb_button(out, "quiet", ms_verbs[MS_VERB_REJUDGE].name, "g", T(r, "Judge again"));
	html(out, "</form>");
}

static void history(GString *out, const Request *r, const MsRecord *record)
{
	html(out, "<h2>%s</h2><ol class=\"history\"><li>", T(r, "History"));
	html_time(out, record->arrived);
	html(out, " <b>missent</b> ");
	html_cause(out, r, record->cause);
	html(out, "</li>");
	for (guint i = 0; i < record->acts->len; i++) {
		const MsAct *act = record->acts->pdata[i];
		html(out, "<li>");
		html_time(out, act->at);
		html(out, " <b>%s</b> ", act->who);
		html_act(out, r, act->what);
		html(out, " ");
		if (!html_known_text(out, r, act->why))
			html(out, "%s", act->why);
		html(out, "</li>");
	}
	for (guint i = 0; i < record->decisions->len; i++) {
		const MsDecision *d = record->decisions->pdata[i];
		if (d->state >= MS_DECISION_DONE)
			continue;
		html(out, "<li>");
		html_time(out, d->at);
		html(out, " <b>%s</b> ", d->who);
		html_act(out, r, ms_verbs[d->verb].name);
		html(out, ": %s %s</li>",
			T(r,
				d->state == MS_DECISION_WAITING ? "waits for a second person"
								: "is being done"),
			d->why);
	}
	html(out, "</ol>");
}

/* After a correction: how many others it lets go. */
static void could_go_note(GString *out, const Request *r)
{
	const char *correction = query(r, "corrected");
	if (*correction == '\0')
		return;
	MsRecordFilter filter = {.state = MS_STATE_HELD, .judged_for = correction};
	gint64 all = ms_records_count(r->site->ledger, &filter, 0, NULL) - 1; /* without this one */
	filter.could_go = true;
	gint64 fine = ms_records_count(r->site->ledger, &filter, 0, NULL);
	if (all <= 0)
		return;
	html(out, "<p class=\"notice good\" role=\"status\">");
	say(out, TN(r, all, "{n} other held message is judged again because of this.",
		"{n} other held messages are judged again because of this."), "#n", all, NULL);
	html(out,
		" <a class=\"button\" data-key=\"o\" href=\"/?state=held&amp;go=1&amp;judged=%s\">",
		correction);
	say(out,
		fine > 0 ? TN(r, fine, "This {n} could now go", "These {n} could now go")
			 : T(r, "What could now go"),
		"#n", fine, NULL);
	html(out, "</a></p>");
}

static void message_body(
	GString *out, const Request *r, const MsRecord *record, const json_t *evidence)
{
	g_auto(Lookup) asked = asked_take(r);
	bool decides = may(r, FOR_REVIEWER) && record->state == MS_STATE_HELD;
	Shown shown = recipients_shown(r, record);
	way(out, r, record, &asked);
	title(out, r, record);
	html(out, "<div class=\"first\"><div class=\"act\">");
	if (decides && open_decision(record) == NULL) {
		final_form(out, r, record, &shown, &asked);
	} else {
		html(out, "<section class=\"card\">");
		html_consequences(out, r, record, "");
		html(out, "</section>");
	}
	html(out, "</div><div class=\"answers\">");
	why(out, r, record);
	html(out, "<div class=\"pair\">");
	whose(out, r, record);
	who_gets(out, r, record);
	html(out, "</div>");
	facts(out, r, record);
	html(out, "</div></div>");
	recipients_pages(out, r, record, &shown, &asked);
	if (decides) {
		html(out, "<div class=\"forms\">");
		teach_form(out, r, record, &shown, &asked);
		note_form(out, r, record, &asked);
		html(out, "</div>");
	}
	matrix(out, r, record, &shown);
	g_array_unref(shown.list);
	if (evidence != NULL)
		revealed(out, r, record, evidence);
	else
		masked(out, r, record, &asked);
	history(out, r, record);
	html_legend(out, r);
}

/* Who hears the page has to hear that it is another one. */
static void entitle(const Request *r, Answer *a, const MsRecord *record)
{
	a->title = record->state == MS_STATE_HELD ? T(r, "Held message") : T(r, "Message");
	a->about = g_strdup(*record->queue_id != '\0' ? record->queue_id : record->uid);
}

void page_message(Request *r, Answer *a)
{
	g_autoptr(MsRecord) record = find_record(r, a, below(r, "/message/"));
	if (record == NULL)
		return;
	entitle(r, a, record);
	if (!audit(r, "look", record->uid, "masked")) {
		say_no(r, a, 503,
			T(r, "The audit trail cannot be written (does missent-agent run?); nothing is shown."));
		return;
	}
	html_done(a->html, r);
	could_go_note(a->html, r);
	message_body(a->html, r, record, NULL);
}

/* "/message/UID/more": the record. */
static MsRecord *record_below(const Request *r, Answer *a)
{
	g_autofree char *uid = g_strndup(
		below(r, "/message/"), strcspn(below(r, "/message/"), "/"));
	return find_record(r, a, uid);
}

void page_reveal(Request *r, Answer *a)
{
	g_autoptr(MsRecord) record = record_below(r, a);
	if (record == NULL)
		return;
	g_autofree char *no = NULL;
	if (!audit(r, "reveal", record->uid, "")) {
		say_no(r, a, 503,
			T(r, "The audit trail cannot be written (does missent-agent run?); nothing is shown."));
		return;
	}
	json_t *reply = ask_host(r, record->host,
		json_pack("{s:s, s:s}", "do", "evidence", "uid", record->uid), &no);
	entitle(r, a, record);
	if (no != NULL)
		html_notice(a->html, false, no);
	/* with this look */
	g_autoptr(MsRecord) now = ms_records_find(r->site->ledger, record->uid, NULL);
	message_body(a->html, r, now != NULL ? now : record, json_object_get(reply, "evidence"));
	json_decref(reply);
}

static void send_bytes(Request *r, Answer *a, const char *path, bool picture)
{
	g_autoptr(MsRecord) record = record_below(r, a);
	if (record == NULL)
		return;
	g_autofree char *no = NULL;
	if (!audit(r, picture ? "picture" : "download", record->uid, path)) {
		say_no(r, a, 503,
			T(r, "The audit trail cannot be written (does missent-agent run?); nothing is shown."));
		return;
	}
	json_t *reply = ask_host(r, record->host,
		json_pack("{s:s, s:s, s:s, s:b}", "do", "part", "uid", record->uid, "path", path,
			"picture", (int)picture),
		&no);
	gsize len = 0;
	guchar *bytes = no == NULL ? g_base64_decode(word(reply, "bytes"), &len) : NULL;
	json_decref(reply);
	if (bytes == NULL) {
		say_no(r, a, 404, no != NULL ? no : T(r, "There is no such page."));
		return;
	}
	a->bytes = g_bytes_new_take(bytes, len);
	a->type = picture ? "image/png" : "application/octet-stream";
}

void page_picture(Request *r, Answer *a)
{
	if (may(r, FOR_REVIEWER))
		send_bytes(r, a, strrchr(r->path, '/') + 1, true);
	else
		say_no(r, a, 403, T(r, "Your account may not do this."));
}

/* Never shown by the browser: it is saved, as bytes of no type. */
void page_part(Request *r, Answer *a)
{
	if (!r->session->account->download) {
		audit(r, "refused", "", r->path);
		say_no(r, a, 403, T(r, "Your account may not do this."));
		return;
	}
	send_bytes(r, a, form(r, "path"), false);
	if (a->bytes != NULL)
		a->file_name = g_strdup(*form(r, "name") != '\0' ? form(r, "name") : "part.bin");
}
