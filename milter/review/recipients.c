/*
 * A list that grew out of hand has thousands: the wrong ones first, looked through, a page at a
 * time.  The request's own thread.
 */
#include "config.h"

#include <string.h>

#include "page.h"

#define PER_PAGE 100

guint wrong_for(const MsRecord *record, guint recipient, const char **owner_out)
{
	guint n = 0;
	for (guint i = 0; i < record->findings->len; i++) {
		const MsHeldFinding *f = record->findings->pdata[i];
		if (recipient < strlen(f->relations) && f->relations[recipient] == 'x') {
			*owner_out = f->owners;
			n++;
		}
	}
	return n;
}

static bool is_looked_for(const Request *r, const char *address)
{
	g_autofree char *in = g_ascii_strdown(address, -1);
	g_autofree char *text = g_ascii_strdown(query(r, "find"), -1);
	return strstr(in, text) != NULL;
}

Shown recipients_shown(const Request *r, const MsRecord *record)
{
	Shown shown = {.list = g_array_new(FALSE, FALSE, sizeof(guint))};
	guint64 from = g_ascii_strtoull(query(r, "from"), NULL, 10);
	for (int wrong = 1; wrong >= 0; wrong--) {
		for (guint i = 0; i < record->recipients->len; i++) {
			const MsHeldRecipient *to = record->recipients->pdata[i];
			if ((to->outcome >= MS_OUTCOME_WRONG) != wrong ||
				!is_looked_for(r, to->address))
				continue;
			if (shown.found >= from && shown.list->len < PER_PAGE)
				g_array_append_val(shown.list, i);
			shown.found++;
		}
	}
	shown.from = (guint)MIN(from, shown.found);
	return shown;
}

static void page_link(GString *out, const Request *r, const MsRecord *record, const Lookup *asked,
	gint64 from, const char *key, const char *text)
{
	g_autofree char *find = g_uri_escape_string(query(r, "find"), NULL, FALSE);
	html(out, " <a class=\"button quiet\"%S href=\"/message/%s", key, record->uid);
	if (asked->given)
		asked_query(out, asked);
	html(out, "%Sfind=%s&amp;from=%d\">%s</a>", asked->given ? "&amp;" : "?", find, from, text);
}

void recipients_pages(GString *out, const Request *r, const MsRecord *record, const Shown *shown,
	const Lookup *asked)
{
	if (record->recipients->len <= PER_PAGE)
		return;
	html(out,
		"<form class=\"filters of-many\" action=\"/message/%s\"><label>%s<input type=\"search\" name=\"find\" value=\"%s\">"
		"</label>",
		record->uid, T(r, "Recipients with this in them"), query(r, "find"));
	if (asked->given)
		asked_fields(out, asked);
	html(out, "<button>%s</button></form><p class=\"pages\">%s %d–%d / %d", T(r, "Show"),
		T(r, "Recipients"), (gint64)shown->from + (shown->list->len > 0),
		(gint64)shown->from + shown->list->len, (gint64)shown->found);
	if (shown->from > 0)
		page_link(out, r, record, asked, MAX((gint64)shown->from - PER_PAGE, 0), "",
			T(r, "Previous page"));
	if (shown->from + shown->list->len < shown->found)
		page_link(out, r, record, asked, (gint64)shown->from + PER_PAGE,
			" data-key=\"n\"", T(r, "Next page"));
	html(out, "</p>");
}
