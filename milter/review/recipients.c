/*
 * A list that grew out of hand has thousands: the wrong ones first, looked through, a page at a
 * time.
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

static void page_link(
	GString *out, const Request *r, const MsRecord *record, gint64 from, const char *text)
{
	g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, from);
	const char *const pairs[] = {
		"find", query(r, "find"), "from", from > 0 ? number : "", NULL};
	html(out, " <a class=\"button quiet\" href=\"/message/%s", record->uid);
	html_query(out, pairs);
	html(out, "\">%s</a>", text);
}

void recipients_pages(GString *out, const Request *r, const MsRecord *record, const Shown *shown)
{
	if (record->recipients->len <= PER_PAGE)
		return;
	html(out,
		"<form class=\"filters of-many\" action=\"/message/%s\"><label>%s<input type=\"search\" name=\"find\" value=\"%s\">"
		"</label><button>%s</button></form><p class=\"pages\">",
		record->uid, T(r, "Recipients with this in them"), query(r, "find"), T(r, "Show"));
	html(out, "%s %d–%d / %d", T(r, "Recipients"), (gint64)shown->from + (shown->list->len > 0),
		(gint64)shown->from + shown->list->len, (gint64)shown->found);
	if (shown->from > 0)
		page_link(out, r, record, MAX((gint64)shown->from - PER_PAGE, 0),
			T(r, "Previous page"));
	if (shown->from + shown->list->len < shown->found)
		page_link(out, r, record, (gint64)shown->from + PER_PAGE, T(r, "Next page"));
	html(out, "</p>");
}
