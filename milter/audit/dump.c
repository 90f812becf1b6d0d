#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "audit_private.h"

/*
 * A line comes in as a tree of JSON, its text goes out: what json_dumps() gives with JSON_COMPACT
 * and JSON_ENSURE_ASCII, to the byte, for a fifth of what that takes.  Lines are what a message
 * costs most here: nearly all of it is ASCII that stands as it is.  Runs in any thread.
 */

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

/* jansson has nothing but valid UTF-8, which may have a NUL in it. */
static void add_text(GString *out, const char *text, gsize len)
{
	const char *end = text + len;
	g_string_append_c(out, '"');
	while (text < end) {
		const char *from = text;
		while (text < end && is_plain(*text))
			text++;
		g_string_append_len(out, from, text - from);
		if (text == end)
			break;
		add_escaped(out, g_utf8_get_char(text));
		text = g_utf8_next_char(text);
	}
	g_string_append_c(out, '"');
}

static void add_integer(GString *out, json_int_t n)
{
	char digits[24];
	gsize at = sizeof digits;
	guint64 left = n < 0 ? 0 - (guint64)n : (guint64)n;
	do
		digits[--at] = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	if (n < 0)
		digits[--at] = '-';
	g_string_append_len(out, digits + at, (gssize)(sizeof digits - at));
}

static void add_value(GString *out, const json_t *value);

static void add_object(GString *out, json_t *object)
{
	const char *name;
	json_t *value;
	g_string_append_c(out, '{');
	json_object_foreach(object, name, value) {
		if (out->str[out->len - 1] != '{')
			g_string_append_c(out, ',');
		add_text(out, name, strlen(name));
		g_string_append_c(out, ':');
		add_value(out, value);
	}
	g_string_append_c(out, '}');
}

static void add_array(GString *out, const json_t *array)
{
	g_string_append_c(out, '[');
	for (gsize i = 0; i < json_array_size(array); i++) {
		if (i > 0)
			g_string_append_c(out, ',');
		add_value(out, json_array_get(array, i));
	}
	g_string_append_c(out, ']');
}

static void add_real(GString *out, const json_t *value)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY);
	g_string_append(out, text != NULL ? text : "null");
	free(text);
}

static void add_value(GString *out, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT: add_object(out, (json_t *)value); break;
	case JSON_ARRAY: add_array(out, value); break;
	case JSON_STRING:
		add_text(out, json_string_value(value), json_string_length(value));
		break;
	case JSON_INTEGER: add_integer(out, json_integer_value(value)); break;
	case JSON_REAL: add_real(out, value); break;
	case JSON_TRUE: g_string_append(out, "true"); break;
	case JSON_FALSE: g_string_append(out, "false"); break;
	case JSON_NULL: g_string_append(out, "null"); break;
	}
}

char *ms_audit_dump(const json_t *line)
{
	GString *out = g_string_sized_new(4096);
	add_value(out, line);
	return g_string_free(out, FALSE);
}
