#include "config.h"

#include <string.h>

#include "page.h"

/* One message: whose is it, who would have got it, why do we think so, what happens if it goes. */

#define SHOWN_FINDINGS 30

MsRecord *find_record(const Request *r, Answer *a, const char *uid)
{
	g_autoptr(GError) error = NULL;
	MsRecord *record = strlen(uid) == 16 ? ms_records_find(r->site->ledger, uid, &error) : NULL;
	if (record == NULL)
		say_no(r, a, error != NULL ? 503 : 404,
			T(r, error != NULL ? "The records cannot be read now." : "There is no such message."));
	return record;
}

/* ---- at a glance ---------------------------------------------------------------------- */

static void whose(GString *out, const Request *r, const MsRecord *record)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	html(out, "<section class=\"card\"><h2>%s</h2>", T(r, "Whose is it?"));
	for (guint i = 0; i < record->findings->len; i++) {
		const MsHeldFinding *f = record->findings->pdata[i];
		if (*f->owners != '\0' && strspn(f->relations, "h") != strlen(f->relations)
			&& g_hash_table_add(seen, f->owners))
			html(out, "<p><b class=\"account\">%s</b> <small>%s %s</small></p>", f->owners, f->kind, f->masked);
	}
	if (g_hash_table_size(seen) == 0)
		html(out, "<p>%s</p>", T(r, "Nothing in it belongs to an account that the directory knows."));
	html(out, "</section>");
}

static void who_gets(GString *out, const Request *r, const MsRecord *record)
{
	html(out, "<section class=\"card\"><h2>%s</h2>", T(r, "Who would have got it?"));
	for (guint i = 0; i < record->recipients->len && i < 5; i++) {
		const MsHeldRecipient *to = record->recipients->pdata[i];
		html(out, "<p>%s <small>%s</small></p>", to->address,
			*to->accounts != '\0' ? to->accounts : T(r, "no account is known"));
	}
	if (record->n_recipients > 5)
		html(out, "<p><small>+%d</small></p>", (gint64)record->n_recipients - 5);
	html(out, "</section>");
}

static void why(GString *out, const Request *r, const MsRecord *record)
{
	html(out, "<section class=\"card\"><h2>%s</h2><ul class=\"reasons\">", T(r, "Why do we think so?"));
	for (guint i = 0; i < record->reasons->len && i < 12; i++) {
		const MsReason *reason = record->reasons->pdata[i];
		const char *sentence = reason_sentence(r, reason->code);
		html(out, "<li><span class=\"code\">%s</span> %s", T(r, ms_reason_names[reason->code]),
			sentence != NULL ? sentence : reason->text);
		if (sentence != NULL && reason->kind != NULL)
			html(out, " (%s)", reason->kind);
		/* Numbers and what could not be read stand in the words of the record. */
		if (sentence != NULL && reason->code > MS_ROUTED_RECIPIENT)
			html(out, " <small>%s</small>", reason->text);
		if (reason->masked != NULL)
			html(out, ": <code>%s</code>", reason->masked);
		if (reason->where != NULL)
			html(out, " <small>%s %s</small>", T(r, "in"), reason->where);
		html(out, " <small>(%s %s)</small></li>", T(r, "policy"), reason->policy);
	}
	html(out, "</ul></section>");
}

static guint held_for(const MsRecord *record)
{
	guint n = 0;
	for (guint i = 0; i < record->recipients->len; i++)
		n += ((MsHeldRecipient *)record->recipients->pdata[i])->state == MS_STATE_HELD;
	return n;
}

/* The outcome is the judge's; what is told with it is what the record keeps to be shown. */
static void consequence(GString *out, const Request *r, const MsRecord *record, guint recipient)
{
	const MsHeldRecipient *to = record->recipients->pdata[recipient];
	const char *owner = "";
	guint n = wrong_for(record, recipient, &owner);
	html(out, "<p class=\"warn\">%s ", to->address);
	if (to->outcome == MS_OUTCOME_UNKNOWN_RECIPIENT)
		html(out, "%s</p>", T(r, "is not known to the directory"));
	else if (n == 0)
		html(out, "%s</p>", T(r, "would receive what belongs to another account"));
	else
		html(out, "%s <b>%d</b> %s <b class=\"account\">%s</b></p>", T(r, "would receive"), (gint64)n,
			T(r, n == 1 ? "identifier of" : "identifiers of"), owner);
}

static void consequences(GString *out, const Request *r, const MsRecord *record)
{
	guint listed = 0, held = held_for(record);
	html(out, "<section class=\"card\"><h2>%s</h2>", T(r, "What happens if it is released?"));
	for (guint i = 0; i < record->recipients->len; i++) {
		const MsHeldRecipient *to = record->recipients->pdata[i];
		if (to->outcome < MS_OUTCOME_WRONG || to->state != MS_STATE_HELD || listed++ >= 5)
			continue;
		consequence(out, r, record, i);
	}
	if (listed > 5)
		html(out, "<p><small>+%d%s</small></p>", (gint64)listed - 5,
			record->recipients->len > MS_HELD_RELATIONS ? T(r, " or more") : "");
	if (held == 0)
		html(out, "<p>%s</p>", T(r, "It is decided already."));
	else if (listed == 0)
		html(out, "<p>%s</p>", T(r, "Nobody would receive what the directory knows to be another account's."));
	if (held > 0 && record->place == MS_PLACE_SPOOL && !record->is_signed)
		html(out, "<p class=\"warn\">%s</p>", T(r, "It has no DKIM signature: if your mail is signed, missent "
			"stands before the signer, and a copy that is released stays unsigned."));
	html(out, "</section>");
}

/* ---- recipients and identifiers ------------------------------------------------------- */

static void relation_cell(GString *out, const Request *r, const char *relations, guint recipient)
{
	static const struct {
		char letter;
		const char *name, *sign;
	} names[] = {{'o', "own", "✓"}, {'h', "house", "·"}, {'x', "another's", "✗"}, {'?', "unknown", "?"}};
	if (recipient >= strlen(relations)) { /* of so many, the record does not keep it */
		html(out, "<td class=\"rel none\">–</td>");
		return;
	}
	char letter = relations[recipient];
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (names[i].letter == letter)
			html(out, "<td class=\"rel %S\"><span aria-hidden=\"true\">%S</span> %s</td>",
				letter == 'x' ? "other" : letter == 'o' ? "own" : "none", names[i].sign,
				T(r, names[i].name));
}

static void matrix_head(GString *out, const Request *r, const MsRecord *record)
{
	html(out, "<thead><tr><th>%s</th>", T(r, "Recipient"));
	for (guint k = 0; k < record->findings->len && k < SHOWN_FINDINGS; k++) {
		const MsHeldFinding *f = record->findings->pdata[k];
		html(out, "<th>%s<br><code>%s</code><br><small>%s</small></th>", f->kind, f->masked,
			*f->owners != '\0' ? f->owners : T(r, "not known"));
	}
	html(out, "</tr></thead>");
}

static void matrix(GString *out, const Request *r, const MsRecord *record, const Shown *shown)
{
	if (record->findings->len == 0)
		return;
	html(out, "<h2>%s</h2><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\">"
		"<table class=\"matrix\">", T(r, "Recipients and identifiers"), T(r, "Recipients and identifiers"));
	matrix_head(out, r, record);
	html(out, "<tbody>");
	for (guint n = 0; n < shown->list->len; n++) {
		guint i = g_array_index(shown->list, guint, n);
		const MsHeldRecipient *to = record->recipients->pdata[i];
		html(out, "<tr><th scope=\"row\">%s<br><small>%s</small> ", to->address, to->accounts);
		html_state(out, r, ms_state_names[to->state]);
		html(out, "</th>");
		for (guint k = 0; k < record->findings->len && k < SHOWN_FINDINGS; k++)
			relation_cell(out, r, ((MsHeldFinding *)record->findings->pdata[k])->relations, i);
		html(out, "</tr>");
	}
	html(out, "</tbody></table></div>");
}

/* ---- in clear ------------------------------------------------------------------------- */

static void evidence_findings(GString *out, const json_t *evidence)
{
	size_t i, k;
	json_t *finding, *place;
	json_array_foreach(json_object_get(evidence, "findings"), i, finding)
	{
		html(out, "<div class=\"finding\"><b>%s</b> <code>%s</code> <small>%s</small>", word(finding, "kind"),
			word(finding, "value"), word(finding, "accounts"));
		json_array_foreach(json_object_get(finding, "places"), k, place)
		{
			html(out, "<p><small>%s</small><br>%s<mark>%s</mark>%s</p>", word(place, "where"),
				word(place, "before"), word(place, "text"), word(place, "after"));
		}
		html(out, "</div>");
	}
}

static void evidence_parts(GString *out, const Request *r, const MsRecord *record, const json_t *evidence)
{
	size_t i;
	json_t *part;
	json_array_foreach(json_object_get(evidence, "parts"), i, part)
	{
		const char *is = word(part, "is"), *path = word(part, "path");
		html(out, "<div class=\"part\"><b>%s</b> %s <small>%s · %d %s</small>", path,
			*word(part, "name") != '\0' ? word(part, "name") : word(part, "says"), *is != '\0' ? is : "?",
			(gint64)json_integer_value(json_object_get(part, "size")), T(r, "bytes"));
		if (r->session->account->download) {
			html(out, "<form method=\"post\" action=\"/message/%s/part\">", record->uid);
			html_token(out, r);
			html(out, "<input type=\"hidden\" name=\"path\" value=\"%s\"><input type=\"hidden\" name=\"name\" "
				"value=\"%s\"><button class=\"quiet\">%s</button></form>", path, word(part, "name"),
				T(r, "Download"));
		}
		if (strcmp(is, "application/pdf") == 0)
			html(out, "<img class=\"first-page\" loading=\"lazy\" alt=\"%s\" src=\"/message/%s/picture/%s\">",
				T(r, "First page"), record->uid, path);
		html(out, "</div>");
	}
}

static void evidence_texts(GString *out, const json_t *evidence)
{
	size_t i;
	json_t *text;
	json_array_foreach(json_object_get(evidence, "texts"), i, text)
		html(out, "<details open><summary>%s</summary><pre>%s</pre></details>", word(text, "where"),
			word(text, "text"));
}

static void evidence_unread(GString *out, const Request *r, const json_t *evidence)
{
	size_t i;
	json_t *unread;
	json_array_foreach(json_object_get(evidence, "unread"), i, unread)
		html(out, "<p class=\"warn\">%s: %s (%s) %s</p>", T(r, "Not read"), word(unread, "where"),
			word(unread, "reason"), word(unread, "detail"));
}

static void revealed(GString *out, const Request *r, const MsRecord *record, const json_t *evidence)
{
	size_t i;
	json_t *header;
	html(out, "<section class=\"evidence\" id=\"evidence\"><h2>%s</h2><p><small>%s</small></p>", T(r, "In clear"),
		T(r, "This look is on record."));
	html(out, "<p>%s <b>%s</b> %s</p>", T(r, "Judged again now, it would be:"), T(r, word(evidence, "verdict")),
		word(evidence, "reasons"));
	if (*word(evidence, "stale") != '\0')
		html(out, "<p class=\"warn\">%s %s</p>", T(r, "By the policies as they were before a mistake came in:"),
			word(evidence, "stale"));
	evidence_findings(out, evidence);
	evidence_unread(out, r, evidence);
	html(out, "<h3>%s</h3><dl>", T(r, "Header"));
	json_array_foreach(json_object_get(evidence, "headers"), i, header)
		html(out, "<dt>%s</dt><dd>%s</dd>", word(header, "name"), word(header, "value"));
	html(out, "</dl><h3>%s</h3>", T(r, "Parts"));
	evidence_parts(out, r, record, evidence);
	html(out, "<h3>%s</h3>", T(r, "Text"));
	evidence_texts(out, evidence);
	html(out, "</section>");
}

static void masked(GString *out, const Request *r, const MsRecord *record)
{
	html(out, "<section class=\"evidence\"><h2>%s</h2>", T(r, "Evidence"));
	for (guint i = 0; i < record->findings->len && i < SHOWN_FINDINGS; i++) {
		const MsHeldFinding *f = record->findings->pdata[i];
		html(out, "<div class=\"finding\"><b>%s</b> <code>%s</code> <small>%s · %s · %s</small></div>", f->kind,
			f->masked, f->belief, f->where, *f->owners != '\0' ? f->owners : T(r, "not known"));
	}
	if (may(r, FOR_REVIEWER) && record->state == MS_STATE_HELD) {
		html(out, "<form method=\"post\" action=\"/message/%s/reveal#evidence\">", record->uid);
		html_token(out, r);
		html(out, "<button class=\"quiet\">%s</button> <small>%s</small></form>", T(r, "Show in clear"),
			T(r, "with the text around it; who looked is put on record"));
	}
	html(out, "</section>");
}

/* ---- deciding ------------------------------------------------------------------------- */

static void begin_form(GString *out, const Request *r, const MsRecord *record, const char *title)
{
	html(out, "<form class=\"card decide\" method=\"post\" action=\"/message/%s\"><h2>%s</h2>", record->uid, title);
	html_token(out, r);
}

static void recipient_boxes(GString *out, const Request *r, const MsRecord *record, const Shown *shown)
{
	html(out, "<fieldset><legend>%s</legend>", T(r, "Recipients"));
	for (guint n = 0; n < shown->list->len; n++) {
		guint i = g_array_index(shown->list, guint, n);
		const MsHeldRecipient *to = record->recipients->pdata[i];
		if (to->state != MS_STATE_HELD)
			continue;
		html(out, "<label class=\"check\"><input type=\"checkbox\" name=\"to\" value=\"%s\"> %s%S</label>",
			to->address, to->address, to->outcome >= MS_OUTCOME_WRONG ? " <span class=\"bad\">✗</span>" : "");
	}
	html(out, "</fieldset>");
}

/* With one recipient there is nothing to choose. */
static void release_buttons(GString *out, const Request *r, const MsRecord *record, bool choice)
{
	if (!choice) {
		html(out, "<button name=\"verb\" value=\"release\">%s</button>", T(r, "Release"));
		return;
	}
	g_autoptr(GPtrArray) right = ms_record_rightful(record);
	html(out, "<button name=\"verb\" value=\"release-some\">%s</button>", T(r, "Release to the chosen"));
	if (right->len > 0 && right->len < record->recipients->len)
		html(out, "<button class=\"quiet\" name=\"verb\" value=\"release-right\">%s (%d)</button>",
			T(r, "Release to those with a right"), (gint64)right->len);
	html(out, "<button class=\"quiet\" name=\"verb\" value=\"release\">%s</button>", T(r, "Release to all"));
}

static void final_form(GString *out, const Request *r, const MsRecord *record, const Shown *shown)
{
	bool choice = held_for(record) > 1;
	begin_form(out, r, record, T(r, "Decide"));
	if (choice)
		recipient_boxes(out, r, record, shown);
	html(out, "<label class=\"wide\">%s<input name=\"why\" required maxlength=\"500\"></label><div class=\"buttons\">",
		T(r, "Reason, for the record"));
	release_buttons(out, r, record, choice);
	if (*record->sender != '\0')
		html(out, "<button class=\"quiet\" name=\"verb\" value=\"return\">%s</button>", T(r, "Return to sender"));
	html(out, "<button class=\"danger\" name=\"verb\" value=\"delete\">%s</button></div></form>", T(r, "Delete"));
}

static void note_form(GString *out, const Request *r, const MsRecord *record)
{
	begin_form(out, r, record, T(r, "Work together"));
	html(out, "<label class=\"wide\">%s<input name=\"why\" maxlength=\"500\"></label>", T(r, "Note"));
	html(out, "<label>%s<input name=\"assignee\" maxlength=\"100\" value=\"%s\"></label><div class=\"buttons\">"
		"<button class=\"quiet\" name=\"verb\" value=\"note\">%s</button>", T(r, "Assigned to"),
		*record->assignee != '\0' ? record->assignee : r->session->account->name, T(r, "Add the note"));
	html(out, "<button class=\"quiet\" name=\"verb\" value=\"assign\">%s</button></div></form>", T(r, "Assign"));
}

static void teach_form(GString *out, const Request *r, const MsRecord *record, const Shown *shown)
{
	begin_form(out, r, record, T(r, "The directory is wrong"));
	html(out, "<p><small>%s</small></p><label>%s<select name=\"ref\">",
		T(r, "It is changed at once, for all mail; who and why is put on record."), T(r, "This identifier"));
	for (guint i = 0; i < record->findings->len; i++) {
		const MsHeldFinding *f = record->findings->pdata[i];
		html(out, "<option value=\"%s\">%s %s</option>", f->ref, f->kind, f->masked);
	}
	html(out, "</select></label><label>%s<input name=\"account\" list=\"accounts\" maxlength=\"200\"></label>"
		"<datalist id=\"accounts\">", T(r, "belongs to account"));
	for (guint i = 0; i < record->accounts->len; i++)
		html(out, "<option value=\"%s\">", (char *)record->accounts->pdata[i]);
	html(out, "</datalist><button class=\"quiet\" name=\"verb\" value=\"belongs\">%s</button>", T(r, "Belongs"));
	html(out, "<label>%s<select name=\"recipient\">", T(r, "This recipient"));
	for (guint n = 0; n < shown->list->len; n++) {
		const MsHeldRecipient *to = record->recipients->pdata[g_array_index(shown->list, guint, n)];
		html(out, "<option>%s</option>", to->address);
	}
	html(out, "</select></label><label>%s<input name=\"receives\" list=\"accounts\" maxlength=\"200\"></label>"
		"<button class=\"quiet\" name=\"verb\" value=\"may-receive\">%s</button>", T(r, "may receive for account"),
		T(r, "May receive"));
	html(out, "<label class=\"wide\">%s<input name=\"why\" maxlength=\"500\"></label>"
		"<button class=\"quiet\" name=\"verb\" value=\"rejudge\">%s</button></form>",
		T(r, "Reason, for the record"), T(r, "Judge again"));
}

static void history(GString *out, const Request *r, const MsRecord *record)
{
	html(out, "<h2>%s</h2><ol class=\"history\">", T(r, "History"));
	html(out, "<li>");
	html_time(out, record->arrived);
	html(out, " <b>missent</b> %s</li>", record->cause);
	for (guint i = 0; i < record->acts->len; i++) {
		const MsAct *act = record->acts->pdata[i];
		html(out, "<li>");
		html_time(out, act->at);
		html(out, " <b>%s</b> %s %s</li>", act->who, T(r, act->what), act->why);
	}
	for (guint i = 0; i < record->decisions->len; i++) {
		const MsDecision *d = record->decisions->pdata[i];
		if (d->state >= MS_DECISION_DONE)
			continue;
		html(out, "<li>");
		html_time(out, d->at);
		html(out, " <b>%s</b> %s: %s %s</li>", d->who, T(r, ms_verbs[d->verb].name),
			T(r, d->state == MS_DECISION_WAITING ? "waits for a second person" : "is being done"), d->why);
	}
	html(out, "</ol>");
}

static void head(GString *out, const Request *r, const MsRecord *record)
{
	g_autofree char *age = age_text(r, record->arrived);
	html(out, "<p><a href=\"/\">← %s</a></p><h1>%s ", T(r, "Held mail"),
		*record->queue_id != '\0' ? record->queue_id : record->uid);
	html_state(out, r, ms_state_names[record->state]);
	if (record->place == MS_PLACE_SPOOL)
		html(out, " <span class=\"chip\">%s</span>", T(r, "split"));
	html(out, "</h1><dl class=\"facts\"><dt>%s</dt><dd>%s</dd><dt>%s</dt><dd>", T(r, "From"),
		*record->sender != '\0' ? record->sender : "<>", T(r, "Arrived"));
	html_time(out, record->arrived);
	html(out, " (%s)</dd><dt>%s</dt><dd>%s</dd><dt>%s</dt><dd>%d %s</dd><dt>%s</dt><dd><code>%s</code></dd>"
		"<dt>%s</dt><dd>%s</dd>", age, T(r, "Host"), record->host, T(r, "Size"), (gint64)record->size,
		T(r, "bytes"), T(r, "Reference"), record->uid, T(r, "Assigned to"),
		*record->assignee != '\0' ? record->assignee : "–");
	gint64 expire = r->site->settings->desk.expire_ms;
	if (expire > 0 && record->state == MS_STATE_HELD) {
		html(out, "<dt>%s</dt><dd>", T(r, "Expires"));
		html_time(out, record->arrived + expire * 1000);
		html(out, "</dd>");
	}
	html(out, "</dl>");
}

void message_body(GString *out, const Request *r, const MsRecord *record, const json_t *evidence)
{
	head(out, r, record);
	html(out, "<div class=\"glance\">");
	whose(out, r, record);
	who_gets(out, r, record);
	why(out, r, record);
	consequences(out, r, record);
	html(out, "</div>");
	Shown shown = recipients_shown(r, record);
	recipients_pages(out, r, record, &shown);
	if (may(r, FOR_REVIEWER) && record->state == MS_STATE_HELD) {
		html(out, "<div class=\"forms\">");
		final_form(out, r, record, &shown);
		note_form(out, r, record);
		if (record->findings->len > 0)
			teach_form(out, r, record, &shown);
		html(out, "</div>");
	}
	matrix(out, r, record, &shown);
	g_array_unref(shown.list);
	if (evidence != NULL)
		revealed(out, r, record, evidence);
	else
		masked(out, r, record);
	history(out, r, record);
}

void page_message(Request *r, Answer *a)
{
	g_autoptr(MsRecord) record = find_record(r, a, below(r, "/message/"));
	if (record == NULL)
		return;
	a->title = record->state == MS_STATE_HELD ? T(r, "Held message") : T(r, "Message");
	if (!audit(r, "look", record->uid, "masked")) {
		say_no(r, a, 503, T(r, "The audit trail cannot be written; nothing is shown."));
		return;
	}
	if (*query(r, "done") != '\0')
		html_notice(a->html, *query(r, "fine") == '1', query(r, "done"));
	message_body(a->html, r, record, NULL);
}

/* "/message/UID/more": the record. */
static MsRecord *record_below(const Request *r, Answer *a)
{
	g_autofree char *uid = g_strndup(below(r, "/message/"), strcspn(below(r, "/message/"), "/"));
	return find_record(r, a, uid);
}

void page_reveal(Request *r, Answer *a)
{
	g_autoptr(MsRecord) record = record_below(r, a);
	if (record == NULL)
		return;
	g_autofree char *no = NULL;
	if (!audit(r, "reveal", record->uid, "")) {
		say_no(r, a, 503, T(r, "The audit trail cannot be written; nothing is shown."));
		return;
	}
	json_t *reply = ask_host(r, record->host, json_pack("{s:s, s:s}", "do", "evidence", "uid", record->uid), &no);
	a->title = T(r, "Held message");
	if (no != NULL)
		html_notice(a->html, false, no);
	g_autoptr(MsRecord) now = ms_records_find(r->site->ledger, record->uid, NULL); /* with this look */
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
		say_no(r, a, 503, T(r, "The audit trail cannot be written; nothing is shown."));
		return;
	}
	json_t *reply = ask_host(r, record->host,
		json_pack("{s:s, s:s, s:s, s:b}", "do", "part", "uid", record->uid, "path", path, "picture", (int)picture),
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
