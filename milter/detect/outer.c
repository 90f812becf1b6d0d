/*
 * In comes a name that stands before its value in text and says little by itself: "number", "id";
 * out go the kinds that it labels together with what encloses it: the line above that is not as far
 * in (YAML), the head of its section (INI, TOML), what stands before its bracket or brace
 * ("customer[number]=", "customer: {number: 4711").  A worker's only thread.
 */
#include "config.h"

#include <string.h>

#include "detect_private.h"

#define MAX_INNER 16  /* bytes of the name; longer ones say enough by themselves */
#define MAX_OUTER 40
#define MAX_BACK 1500 /* bytes that are looked at before it */
#define MAX_BRACES 400

static bool is_of_name(char c)
{
	return g_ascii_isalnum(c) || (c & 0x80) || c == '_' || c == '-' || c == '.';
}

static bool is_mark(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

gsize ms_detect_inner_end(const char *text, gsize end)
{
	if (end > 1 && text[end - 1] == ']')
		return end - 1;
	if (end > 3 && memcmp(text + end - 3, "%5d", 3) == 0)
		return end - 3;
	return end;
}

static bool says_half(const char *name, gsize len)
{
	static const char words[] = " number no nr num numero nummer nbr numer n nro nmr id ident "
				    "identifier code codigo codice kod ref reference ";
	if (len > 3 && memcmp(name, "%5b", 3) == 0) {
		name += 3;
		len -= 3;
	}
	if (len > 1 && *name == '5' && name[1] == 'b') {
		name += 2;
		len -= 2;
	}
	g_autofree char *word = g_strdup_printf(" %.*s ", (int)MIN(len, MAX_INNER), name);
	return len <= MAX_INNER && strstr(words, word) != NULL;
}

/* Both as the path of an element is written. */
static const MsNameKinds *both(Search *s, gsize from, gsize until, gsize start, gsize end)
{
	const char *text = s->fold->text;
	if (until <= from || until - from > MAX_OUTER)
		return NULL;
	g_autofree char *name = g_strdup_printf("%.*s/%.*s", (int)(until - from), text + from,
		(int)(end - start), text + start);
	return ms_detect_kinds_named(s, name, strlen(name));
}

/* The name that ends at `until`. */
static gsize name_from(const char *text, gsize until)
{
	gsize from = until;
	while (from > 0 && until - from <= MAX_OUTER && is_of_name(text[from - 1]))
		from--;
	return from;
}

/* "customer[number]=", with brackets as they are or as links have them. */
static const MsNameKinds *in_bracket(Search *s, gsize start, gsize end)
{
	const char *text = s->fold->text;
	gsize until = start;
	if (start > 1 && text[start - 1] == '[')
		until = start - 1;
	else if (start > 3 && memcmp(text + start - 3, "%5b", 3) == 0)
		until = start - 3;
	else if (start > 1 && end - start > 2 && memcmp(text + start - 1, "%5b", 3) == 0)
		return both(s, name_from(text, start - 1), start - 1, start + 2, end);
	else
		return NULL;
	return both(s, name_from(text, until), until, start, end);
}

/* "customer: {name: Beta, number: 4711}", as scripts and YAML have it. */
static const MsNameKinds *in_brace(Search *s, gsize start, gsize end)
{
	const char *text = s->fold->text;
	gsize at = start;
	for (gsize depth = 0; at > 0 && start - at < MAX_BRACES; at--) {
		char c = text[at - 1];
		if (c == '{' && depth-- == 0)
			break;
		depth += c == '}';
	}
	if (at == 0 || text[at - 1] != '{')
		return NULL;
	for (at--; at > 0 && is_mark(text[at - 1], " \t\r\n:=\"'([");)
		at--;
	return both(s, name_from(text, at), at, start, end);
}

typedef struct {
	gsize start, end; /* of a line, without blanks before and behind */
	gsize indent, begin;
} Line;

/* The line that ends at `end`, which is where its line end stands, or the text's end; false: it is
 * longer than what is looked at. */
static bool take_line(const char *text, gsize end, Line *line)
{
	gsize begin = end;
	while (begin > 0 && text[begin - 1] != '\n' && end - begin < MAX_BACK)
		begin--;
	if (begin > 0 && text[begin - 1] != '\n')
		return false;
	line->begin = line->start = begin;
	line->end = end;
	while (line->start < end && is_mark(text[line->start], " \t>"))
		line->start++;
	while (line->start + 1 < end && memcmp(text + line->start, "- ", 2) == 0)
		line->start += 2; /* an item of a list */
	while (line->end > line->start && g_ascii_isspace(text[line->end - 1]))
		line->end--;
	line->indent = line->start - begin;
	return true;
}

/* "customer:" or "[customer]", which has no value of its own. */
static bool is_head(const char *text, const Line *line, bool section, Line *name)
{
	gsize from = line->start, until = line->end;
	if (until - from < 3 || text[until - 1] != (section ? ']' : ':'))
		return false;
	for (until--; section && from < until && text[from] == '[';)
		from++;
	while (!section && from < until && is_mark(text[from], " \"'"))
		from++;
	while (until > from && is_mark(text[until - 1], "] \"'"))
		until--;
	*name = (Line){.start = name_from(text, until), .end = until};
	return name->start == from && until > from;
}

/* The lines above: the first that is not as far in, or else the head of the section. */
static const MsNameKinds *below_line(Search *s, gsize start, gsize end)
{
	const char *text = s->fold->text;
	Line line, name;
	if (!take_line(text, end, &line))
		return NULL;
	gsize indent = start - line.begin;
	bool nested = indent > 0;
	while (line.begin > 0 && start - line.begin < MAX_BACK) {
		if (!take_line(text, line.begin - 1, &line))
			return NULL;
		if (line.start == line.end)
			continue;
		bool section = text[line.start] == '[';
		if (!section && (!nested || line.indent >= indent))
			continue;
		if (is_head(text, &line, section, &name))
			return both(s, name.start, name.end, start, end);
		if (section)
			return NULL;
		nested = false; /* it has a value of its own: nothing further out encloses */
	}
	return NULL;
}

const MsNameKinds *ms_detect_kinds_enclosed(Search *s, gsize start, gsize end)
{
	if (!says_half(s->fold->text + start, end - start))
		return NULL;
	const MsNameKinds *kinds = in_bracket(s, start, end);
	if (kinds == NULL)
		kinds = in_brace(s, start, end);
	return kinds != NULL ? kinds : below_line(s, start, end);
}
