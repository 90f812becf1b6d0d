/*
 * The values of a line come in, one after the other, its text grows: what json_dumps() gives with
 * JSON_COMPACT and JSON_ENSURE_ASCII of the same tree, to the byte, but no tree is made.  Nearly
 * all of it is ASCII that stands as it is.  Runs in any thread.
 */
#include "config.h"

#include "audit_private.h"

static void add_escaped(GString *out, gunichar c)
{
	static const char letters[] = "btnvfr"; /* from 8 on; \v has none in JSON */
	if (c == '"' || c == '\\') {
		const char two[2] = {'\\', (char)c};
		g_string_append_len(out, two, sizeof two);
	} else if (c >= 8 && c <= 13 && c != 11) {
		const char two[2] = {'\\', letters[c - 8]};
		g_string_append_len(out, two, sizeof two);
	} else if (c < 0x10000) {
		g_string_append_printf(out, "\\u%04X", c);
	} else {
		c -= 0x10000;
		g_string_append_printf(
			out, "\\u%04X\\u%04X", 0xD800 | c >> 10, 0xDC00 | (c & 0x3ff));
	}
}

static bool is_plain(char c)
{
	return (guchar)c >= 0x20 && (guchar)c < 0x80 && c != '"' && c != '\\';
}

/* Valid UTF-8. */
static void add_rest(GString *out, const char *text)
{
	while (*text != '\0') {
		const char *from = text;
		while (is_plain(*text))
			text++;
		g_string_append_len(out, from, text - from);
		if (*text == '\0')
			break;
		add_escaped(out, g_utf8_get_char(text));
		text = g_utf8_next_char(text);
	}
}

/* Any bytes. */
static void add_text(GString *out, const char *text)
{
	const char *end = text;
	while (is_plain(*end))
		end++;
	g_string_append_c(out, '"');
	g_string_append_len(out, text, end - text);
	if (*end != '\0') {
		g_autofree char *valid = g_utf8_make_valid(end, -1);
		add_rest(out, valid);
	}
	g_string_append_c(out, '"');
}

/* A comma, unless it is the first: a text ends with a quote, so a bracket is one of JSON's. */
static void begin(GString *out, const char *name)
{
	const char last = out->len > 0 ? out->str[out->len - 1] : '[';
	if (last != '{' && last != '[')
		g_string_append_c(out, ',');
	if (name == NULL)
		return;
	add_text(out, name);
	g_string_append_c(out, ':');
}

void ms_put_open(GString *out, const char *name, char bracket)
{
	begin(out, name);
	g_string_append_c(out, bracket);
}

void ms_put_close(GString *out, char bracket)
{
	g_string_append_c(out, bracket);
}

void ms_put_truth(GString *out, const char *name, bool is)
{
	begin(out, name);
	g_string_append(out, is ? "true" : "false");
}

void ms_put_text(GString *out, const char *name, const char *text)
{
	begin(out, name);
	if (text != NULL)
		add_text(out, text);
	else
		g_string_append(out, "null");
}

void ms_put_integer(GString *out, const char *name, gint64 n)
{
	char digits[24];
	gsize at = sizeof digits;
	guint64 left = n < 0 ? 0 - (guint64)n : (guint64)n;
	do
		digits[--at] = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	if (n < 0)
		digits[--at] = '-';
	begin(out, name);
	g_string_append_len(out, digits + at, (gssize)(sizeof digits - at));
}
