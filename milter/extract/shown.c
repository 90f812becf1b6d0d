/*
 * What a screen or a printer shows of a text whose characters are more than letters: in
 * comes decoded text, out goes a second span for each way in which it is shown otherwise.
 * One message, one thread.
 */
#include "config.h"

#include <string.h>

#include "missent/scan.h"

#include "html.h"
#include "plain.h"

/* ESC [ ... letter, ESC ] ... BEL, and shorter ones (ECMA-48 5.3, 5.4); how long it is.
 */
static gsize escape_length(const char *p, const char *end)
{
	const char *start = p++;
	if (p == end)
		return 1;
	if (*p != '[' && *p != ']')
		return 2;
	bool text = *p++ == ']';
	while (p < end && p - start < 200 &&
		(text ? *p != '\a' && *p != '\x1b' : *p >= 0x20 && *p < 0x40))
		p++;
	return (gsize)(p - start) + (p < end);
}

static void step_back(GString *out)
{
	if (out->len == 0 || out->str[out->len - 1] == '\n')
		return;
	const char *last = g_utf8_find_prev_char(out->str, out->str + out->len);
	g_string_truncate(out, (gsize)(last - out->str));
}

/* "K\bK" is a bold K; colours are nothing; a lone carriage return begins the line again.
 */
static GString *on_screen(const GString *text)
{
	GString *out = g_string_sized_new(text->len);
	const char *end = text->str + text->len;
	for (const char *p = text->str; p < end;) {
		if (*p == '\x1b') {
			p += escape_length(p, end);
		} else if (*p == '\b') {
			step_back(out);
			p++;
		} else {
			if (!ms_scan_controls(p, 1))
				g_string_append_c(out, *p);
			p++;
		}
	}
	return out;
}

/* ---- text/enriched --------------------------------------------------------------------
 */

/* RFC 1896: "<<" is "<", commands are <word>; <param>...</param> belongs to them.  A
 * line's end is a blank, two are one. */
static GString *without_commands(const GString *text, bool join)
{
	GString *out = g_string_sized_new(text->len);
	const char *end = text->str + text->len;
	for (const char *p = text->str; p < end;) {
		if (*p == '<' && p + 1 < end && p[1] == '<') {
			g_string_append_c(out, '<');
			p += 2;
			continue;
		}
		const char *close = *p == '<' ? memchr(p, '>', MIN((gsize)(end - p), 80))
					      : NULL;
		if (close != NULL) {
			bool line = g_ascii_strncasecmp(p, "<nl>", 4) == 0 ||
				    g_ascii_strncasecmp(p, "<paragraph>", 11) == 0;
			if (line)
				g_string_append_c(out, '\n');
			p = close + 1;
		} else if (*p == '\n' && join) {
			const char *start = p;
			while (p < end && (*p == '\n' || *p == '\r'))
				p++;
			g_string_append_c(out, p - start > 2 ? '\n' : ' ');
		} else {
			if (*p != '\r')
				g_string_append_c(out, *p);
			p++;
		}
	}
	return out;
}

void ms_plain_shown(
	const MsExtraction *to, const char *where, const char *type, const GString *text)
{
	g_autofree char *place = g_strconcat(where, " (as shown)", NULL);
	if (ms_scan_controls(text->str, text->len)) {
		g_autoptr(GString) shown = on_screen(text);
		ms_extract_span(to, place, shown->str, shown->len);
	}
	if (strcmp(type, "text/enriched") == 0 || strcmp(type, "text/richtext") == 0) {
		for (int join = 0; join < 2; join++) {
			g_autoptr(GString) shown = without_commands(text, join != 0);
			ms_extract_span(to, place, shown->str, shown->len);
		}
	}
	ms_data_uris_read(to, where, text->str, text->len);
}
