/*
 * HTML documents and the HTML that other documents hold: in come bytes or text, out go a
 * span for each kind of text that html.c tells apart, and the documents that are written
 * into the page. One message, one thread.
 */
#include "config.h"

#include <string.h>

#include "missent/extract.h"

#include "html.h"
#include "plain.h"
#include "readers.h"

#define MAX_TAG 1000

static void hand_over(const MsExtraction *to, const char *where, const MsHtml *html)
{
	const struct {
		const GString *text;
		const char *suffix;
		bool apart;
	} streams[] = {{html->visible, "", false}, {html->hidden, " (hidden)", false},
		{html->variants, " (as another client shows it)", false},
		{html->attributes, " (links and attributes)", true},
		{html->comments, " (comment)", false}};
	for (gsize i = 0; i < G_N_ELEMENTS(streams); i++) {
		g_autofree char *place = g_strconcat(where, streams[i].suffix, NULL);
		MsSpan span = {.where = place, .text = streams[i].text->str,
			.len = streams[i].text->len, .apart = streams[i].apart};
		ms_extract_hand_over(to, &span);
	}
	g_autofree char *place = g_strconcat(where, " (links and attributes)", NULL);
	ms_extract_named(to, place, html->named);
	ms_headed_hand_over(to, where, html->headed);
	ms_inner_read(to, where, html->inner);
}

/* Behind a tag and the line end that it is, or NULL.  Letters of uuencode are no small ones. */
static const char *past_tag(const char *p, const char *end)
{
	const char *name = p + 1 + (end - p > 1 && p[1] == '/');
	const char *close = name < end && g_ascii_islower(*name)
		? memchr(name, '>', MIN((gsize)(end - name), MAX_TAG))
		: NULL;
	if (close == NULL)
		return NULL;
	close += 1 + (close + 1 < end && close[1] == '\r');
	return close + (close < end && *close == '\n');
}

/* Files that are written into the page in letters, as it is saved, not as it is shown; but "&" and
 * "<" are letters of uuencode, and its lines are those that one sees. */
static void read_embedded(const MsExtraction *to, const char *where, const GString *text)
{
	const char *end = text->str + text->len;
	if (memmem(text->str, text->len, "begin ", 6) == NULL) {
		ms_plain_embedded(to, where, text->str, text->len);
		return;
	}
	g_autoptr(GString) meant = g_string_sized_new(text->len);
	for (const char *p = text->str, *after; p < end; p = after) {
		gsize before = meant->len;
		after = *p == '&' ? ms_html_reference(p, end, meant) : NULL;
		if (after != NULL && after[-1] == ';')
			continue;
		g_string_truncate(meant, before);
		after = *p == '<' ? past_tag(p, end) : NULL;
		g_string_append_c(meant, after != NULL ? '\n' : *p);
		after = after != NULL ? after : p + 1;
	}
	ms_plain_embedded(to, where, meant->str, meant->len);
}

void ms_html_text_read(
	const MsExtraction *to, const char *where, const char *text, gsize len)
{
	g_autoptr(MsHtml) html = ms_html_new();
	ms_html_read(text, len, html);
	hand_over(to, where, html);
}

static void read_page(const MsExtraction *to, const MsDocument *document,
	const char *where, const GString *text)
{
	(void)document;
	ms_html_text_read(to, where, text->str, text->len);
	read_embedded(to, where, text);
}

/* What is sent without a charset is shown in that which the page names; what is sent with
 * one, once it is kept as a file, too. */
void ms_html_document_read(
	const MsExtraction *to, const MsDocument *document, MsInventory *inventory)
{
	ms_inventory_read(inventory, MS_ITEM_WHOLE);
	g_autofree char *declared = ms_html_charset(document->data, document->len);
	ms_decode_each(to, document, declared, read_page);
}
