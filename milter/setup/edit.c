/*
 * The text of a settings file comes in; the same text with one value changed goes out, with every
 * comment and blank as it stood.  Pure functions.
 *
 * The syntax is config.h's: key = value, lists in braces, blocks, "..." with escapes, '...' as it
 * stands.
 */
#include "config.h"

#include <string.h>

#include "setup_private.h"

typedef enum { END, WORD, QUOTED, SIGN } Type;
typedef struct {
	Type type;
	gsize from, to;
	char sign; /* = { } , */
} Token;

/* Behind blanks and comments. */
static gsize skip(const char *text, gsize at)
{
	for (;;) {
		at += strspn(text + at, " \t\r\n");
		if (text[at] == '#' || (text[at] == '/' && text[at + 1] == '/')) {
			at += strcspn(text + at, "\n");
		} else if (text[at] == '/' && text[at + 1] == '*') {
			const char *end = strstr(text + at + 2, "*/");
			at = end != NULL ? (gsize)(end + 2 - text) : strlen(text);
		} else {
			return at;
		}
	}
}

static gsize end_of_quoted(const char *text, gsize at)
{
	char quote = text[at++];
	for (; text[at] != '\0' && text[at] != quote; at++)
		if (text[at] == '\\' && text[at + 1] != '\0')
			at++;
	return text[at] != '\0' ? at + 1 : at;
}

static Token next(const char *text, gsize at)
{
	Token t = {.from = skip(text, at)};
	char c = text[t.from];
	t.to = t.from + 1;
	if (c == '\0') {
		t.to = t.from;
	} else if (strchr("={},", c) != NULL) {
		t.type = SIGN;
		t.sign = c;
	} else if (c == '"' || c == '\'') {
		t.type = QUOTED;
		t.to = end_of_quoted(text, t.from);
	} else {
		t.type = WORD;
		t.to = t.from + strcspn(text + t.from, " \t\r\n={},\"'#");
		t.to += t.to == t.from;
	}
	return t;
}

/* Where a value is, or would be. */
typedef struct {
	bool section, found;
	gsize key, from, to; /* the key, and the value's ends */
	gsize insert;        /* a line more goes here */
} Place;

/* Of a value: one token, or all of { }. */
static gsize end_of_value(const char *text, gsize at)
{
	Token t = next(text, at);
	if (t.type != SIGN || t.sign != '{')
		return t.to;
	while (t.type != END && (t.type != SIGN || t.sign != '}'))
		t = next(text, t.to);
	return t.to;
}

static gsize start_of_line(const char *text, gsize at)
{
	while (at > 0 && text[at - 1] != '\n')
		at--;
	return at;
}

static gsize after_line(const char *text, gsize at)
{
	at += strcspn(text + at, "\n");
	return text[at] == '\n' ? at + 1 : at;
}

/* `policy "invoices"` is written with any blanks between. */
static bool is_named(const char *text, Token name, Token title, const char *section)
{
	if (section == NULL)
		return false;
	g_autofree char *head = g_strndup(text + name.from, name.to - name.from);
	g_autofree char *tail = title.type == QUOTED
		? g_strndup(text + title.from, title.to - title.from)
		: NULL;
	g_autofree char *whole = tail != NULL ? g_strconcat(head, " ", tail, NULL) : g_strdup(head);
	return strcmp(whole, section) == 0;
}

/* `key` NULL: the section alone. */
static Place find(const char *text, const char *section, const char *key)
{
	Place place = {.section = section == NULL};
	bool within = section == NULL, top = true;
	for (Token t = next(text, 0); t.type != END; t = next(text, t.to)) {
		if (t.type == SIGN && t.sign == '}') {
			gsize line = start_of_line(text, t.from);
			bool alone = skip(text, line) == t.from &&
				text[line + strspn(text + line, " \t")] == '}';
			if (section != NULL && within && !place.found)
				place.insert = alone ? line : t.from;
			within = section == NULL;
			top = true;
			continue;
		}
		Token second = next(text, t.to);
		if (second.type == SIGN && second.sign == '=') {
			gsize from = next(text, second.to).from, to = end_of_value(text, second.to);
			if (within && (section != NULL || top) && key != NULL && !place.found &&
				strlen(key) == t.to - t.from &&
				strncmp(text + t.from, key, t.to - t.from) == 0) {
				place.found = true;
				place.key = t.from;
				place.from = from;
				place.to = to;
			} else if (within && section == NULL && top) {
				place.insert = after_line(text, to);
			}
			t.to = to;
			continue;
		}
		Token brace = second.type == QUOTED ? next(text, second.to) : second;
		if (top && brace.type == SIGN && brace.sign == '{') {
			within = is_named(text, t, second, section);
			place.section = place.section || within;
			top = false;
			t.to = brace.to;
		}
	}
	return place;
}

static char *replaced(const char *text, gsize from, gsize to, const char *with)
{
	g_autofree char *head = g_strndup(text, from);
	return g_strconcat(head, with, text + to, NULL);
}

char *edit_set(const char *text, const char *section, const char *key, const char *value)
{
	Place place = find(text, section, key);
	if (place.found)
		return replaced(text, place.from, place.to, value);
	if (!place.section) {
		bool ends = *text == '\0' || g_str_has_suffix(text, "\n");
		return g_strdup_printf("%s%s%s%s {\n\t%s = %s\n}\n", text, ends ? "" : "\n",
			*text != '\0' ? "\n" : "", section, key, value);
	}
	bool whole = place.insert == 0 || text[place.insert - 1] == '\n';
	g_autofree char *line = g_strdup_printf(
		"%s%s%s = %s\n", whole ? "" : "\n", section != NULL ? "\t" : "", key, value);
	return replaced(text, place.insert, place.insert, line);
}

char *edit_unset(const char *text, const char *section, const char *key)
{
	Place place = find(text, section, key);
	return place.found ? replaced(text, place.key, place.key, "# ") : g_strdup(text);
}

char *edit_get(const char *text, const char *section, const char *key)
{
	Place place = find(text, section, key);
	return place.found ? g_strndup(text + place.from, place.to - place.from) : NULL;
}

bool edit_has_section(const char *text, const char *section)
{
	return find(text, section, NULL).section;
}

char *edit_quote(const char *value)
{
	GString *out = g_string_new("\"");
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\' || *value == '$')
			g_string_append_c(out, '\\');
		g_string_append_c(out, *value);
	}
	g_string_append_c(out, '"');
	return g_string_free(out, FALSE);
}

char *edit_quote_list(const char *const *values)
{
	GString *out = g_string_new("{");
	for (guint i = 0; values != NULL && values[i] != NULL; i++) {
		g_autofree char *one = edit_quote(values[i]);
		g_string_append_printf(out, "%s%s", i > 0 ? ", " : "", one);
	}
	g_string_append_c(out, '}');
	return g_string_free(out, FALSE);
}

GStrv edit_values(const char *written)
{
	g_autoptr(GStrvBuilder) out = g_strv_builder_new();
	for (Token t = next(written, 0); t.type != END; t = next(written, t.to)) {
		if (t.type == SIGN)
			continue;
		bool quoted = t.type == QUOTED;
		g_autofree char *one = g_strndup(
			written + t.from + quoted, t.to - t.from - (gsize)(2 * quoted));
		g_strv_builder_add(out, one);
	}
	return g_strv_builder_end(out);
}
