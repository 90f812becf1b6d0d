/*
 * The strings of scripts and style sheets, as a program has them: escapes undone, those
 * that follow each other ("KD-77" + "40912") joined, base64 decoded.  In comes the text
 * of one element at the end of `text`, out go lines behind it and documents in `inner`.
 * Pure functions.
 */
#include "config.h"

#include <string.h>

#include "html.h"
#include "readers.h"

#define LEAST_BASE64 16

const char *ms_script_escape(GString *out, const char *p, const char *end)
{
	static const char from[] = "bfnrt", into[] = "\b\f\n\r\t";
	guint32 code = 0;
	guint digits = 0, most = 6;
	bool css = true;
	if (*p == 'x' || *p == 'u') {
		css = false;
		most = *p == 'x' ? 2 : 4;
		p++;
		if (p < end && *p == '{') {
			most = 6;
			p++;
		}
	}
	const char *known = css && !g_ascii_isxdigit(*p) ? strchr(from, *p) : NULL;
	if (known != NULL && *p != '\0') {
		g_string_append_c(out, into[known - from]);
		return p + 1;
	}
	for (; p < end && digits < most && g_ascii_isxdigit(*p); p++, digits++)
		code = code << 4 | (guint32)g_ascii_xdigit_value(*p);
	if (digits > 0)
		g_string_append_unichar(out,
			code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)
				? 0xfffd
				: code);
	else if (p < end && css)
		g_string_append_c(out, *p++);
	if (digits > 0 && p < end && ((css && *p == ' ') || *p == '}'))
		p++;
	return p;
}

/* Behind the string that begins at the quote `p`; strings end with their line. */
static const char *string_end(const char *p, const char *end)
{
	char quote = *p++;
	while (p < end && *p != quote && (*p != '\n' || quote == '`'))
		p += *p == '\\' && p + 1 < end ? 2 : 1;
	return MIN(p, end);
}

typedef struct {
	GString *out;   /* lines */
	GString *group; /* strings that are joined */
	guint strings;  /* in the group */
	bool escaped;   /* something in it was */
	GPtrArray *inner;
	const char *begin; /* of the script */
} Strings;

static void end_group(Strings *s)
{
	if (s->escaped || s->strings > 1)
		g_string_append_printf(s->out, "%s\n", s->group->str);
	g_string_truncate(s->group, 0);
	s->strings = 0;
	s->escaped = false;
}

static void take_string(Strings *s, const char *from, const char *until)
{
	for (const char *p = from; p < until;) {
		const char *mark = memchr(p, '\\', (gsize)(until - p));
		const char *stop = mark != NULL ? mark : until;
		g_string_append_len(s->group, p, stop - p);
		if (mark == NULL)
			break;
		s->escaped = true;
		p = mark + 1 < until ? ms_script_escape(s->group, mark + 1, until) : until;
	}
	s->strings++;
	if (until - from >= LEAST_BASE64)
		ms_base64_take(from, (gsize)(until - from), s->inner);
}

/* Behind a comment that begins at `p`, or `p`. */
static const char *past_comment(const char *p, const char *end)
{
	if (end - p < 4 || p[0] != '/' || p[1] != '*')
		return p;
	const char *close = memmem(p + 2, (gsize)(end - p - 2), "*/", 2);
	return close != NULL ? close + 2 : p;
}

static bool joins(const char *p, const char *end)
{
	while (p < end) {
		const char *after = past_comment(p, end);
		if (after == p && !g_ascii_isspace(*p) && *p != '+')
			return false;
		p = after + (after == p);
	}
	return true;
}

/* "String.fromCharCode(75,68,0x2d)" is a string that is written in numbers.  `p` is its
 * bracket: returns where the word begins, or NULL. */
static const char *code_begin(const Strings *s, const char *p)
{
	static const char name[] = "String.fromCharCode";
	gsize n = sizeof name - 1;
	if ((gsize)(p - s->begin) < n || memcmp(p - n, name, n) != 0)
		return NULL;
	return p - n;
}

/* The script is a string that ends with NUL: no number is read beyond its end. */
static const char *take_codes(Strings *s, const char *p, const char *end)
{
	for (p++; p < end; p++) {
		char *stop;
		gint64 code = g_ascii_strtoll(p, &stop, 0);
		if (stop == p || code <= 0 || code >= 0xd800)
			break;
		g_string_append_unichar(s->group, (gunichar)code);
		s->escaped = true;
		p = stop + strspn(stop, " \t\r\n");
		if (*p != ',')
			break;
	}
	s->strings++;
	return p < end && *p == ')' ? p + 1 : MIN(p, end);
}

void ms_script_strings(GString *text, gsize from, GPtrArray *inner)
{
	const char *p = text->str + from, *end = text->str + text->len, *last = NULL;
	Strings s = {g_string_new(NULL), g_string_new(NULL), 0, false, inner, p};
	while (p < end) {
		const char *after = past_comment(p, end);
		if (after > p || strchr("\"'`(", *p) == NULL || *p == '\0') {
			p = after + (after == p);
			continue;
		}
		const char *begin = *p == '(' ? code_begin(&s, p) : p;
		if (begin == NULL) {
			p++;
			continue;
		}
		if (last == NULL || !joins(last, begin))
			end_group(&s);
		if (*p == '(') {
			last = p = take_codes(&s, p, end);
			continue;
		}
		const char *close = string_end(p, end);
		take_string(&s, p + 1, MAX(close, p + 1));
		last = p = MIN(close + 1, end);
	}
	end_group(&s);
	if (s.out->len > 0)
		g_string_append_printf(text, "\n%s", s.out->str);
	g_string_free(s.out, TRUE);
	g_string_free(s.group, TRUE);
}
