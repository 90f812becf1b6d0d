/*
 * A pattern comes in; out goes how soon each of its matches has a digit.  Any thread.
 *
 * Most of a text has no digit near, and there such a pattern need not be run at all.  Only what is
 * understood for certain is answered: anything else in a pattern means that nothing is known.
 */
#include "config.h"

#include <string.h>

#include "missent/regex.h"

#define NEVER MS_REGEX_NO_DIGIT
#define MAX_DEPTH 20

/* Of a piece: how many characters it has at most, and within how many a digit is for certain. */
typedef struct {
	gsize most, digit;
	bool blank;    /* it may have one in it */
	bool unbroken; /* a digit is for certain, and no blank before it */
} Extent;

typedef struct {
	const char *p;
	bool unknown;
	guint depth;
} Parser;

static gsize sum(gsize a, gsize b)
{
	return a >= NEVER || b >= NEVER ? NEVER : MIN(a + b, NEVER);
}

static gsize times(gsize a, gsize n)
{
	return a == 0 || n == 0 ? 0 : a >= NEVER || n >= NEVER ? NEVER : MIN(a * n, NEVER);
}

static Extent give_up(Parser *parser)
{
	parser->unknown = true;
	return (Extent){NEVER, NEVER, true, false};
}

static Extent alternatives(Parser *parser);

/* What stands behind a backslash: letters, numbers and marks that are written so are none. */
static bool may_be_blank(const char *p)
{
	if (*p == 'p')
		return p[1] == '{' ? p[2] != 'L' && p[2] != 'N' && p[2] != 'G' &&
				(p[2] != 'C' || p[3] != 'y') /* Cyrillic; Common has blanks */
				   : p[1] != 'L' && p[1] != 'N';
	return *p != 'd' && *p != 'w' && !g_ascii_ispunct(*p);
}

/* [0-9], [\d]: nothing but digits? */
static Extent class(Parser *parser)
{
	const char *p = parser->p + 1;
	bool digits = *p != '^', first = true, blank = !digits;
	p += *p == '^';
	for (; *p != '\0' && (*p != ']' || first); first = false, p++) {
		if (p[0] == '[' && (p[1] == ':' || p[1] == '.' || p[1] == '='))
			return give_up(parser);
		if (*p == '\\') {
			p++;
			if (*p == '\0' || strchr("QExocNgku", *p) != NULL)
				return give_up(parser);
			digits = digits && *p == 'd';
			blank = blank || may_be_blank(p);
			if ((*p == 'p' || *p == 'P') && p[1] == '{')
				p += strcspn(p, "}");
			if (*p == '\0')
				return give_up(parser);
			continue;
		}
		/* a range may go over a blank */
		blank = blank || g_ascii_isspace(*p) ||
			(*p == '-' && !first && (guchar)p[-1] <= ' ');
		digits = digits &&
			(g_ascii_isdigit(*p) ||
				(*p == '-' && !first && g_ascii_isdigit(p[1]) &&
					g_ascii_isdigit(p[-1])));
	}
	if (*p != ']')
		return give_up(parser);
	parser->p = p + 1;
	return (Extent){1, digits ? 1 : NEVER, blank, digits};
}

static Extent escape(Parser *parser)
{
	char c = parser->p[1];
	bool blank = may_be_blank(parser->p + 1);
	parser->p += 2;
	if (c == 'd')
		return (Extent){1, 1, false, true};
	if (c == 'p' || c == 'P') {
		const char *end = *parser->p == '{' ? strchr(parser->p, '}') : parser->p;
		if (end == NULL || *end == '\0')
			return give_up(parser);
		parser->p = end + 1;
		return (Extent){1, NEVER, blank, false};
	}
	if (c != '\0' && strchr("bBAzZG", c) != NULL)
		return (Extent){0, NEVER, false, false};
	if (c == '\0' || (g_ascii_isalnum(c) && strchr("sSwWDhHvVnrtfea", c) == NULL))
		return give_up(parser);
	return (Extent){1, NEVER, blank, false};
}

/* What stands behind "(?"; in `look` whether it takes no characters: 1 if it must match. */
static bool open_special(Parser *parser, int *look)
{
	const char *p = parser->p;
	*look = 0;
	if (*p == '=' || *p == '!') {
		*look = *p == '=' ? 1 : 2;
		parser->p = p + 1;
		return true;
	}
	if (p[0] == '<' && (p[1] == '!' || p[1] == '=')) {
		*look = 2;
		parser->p = p + 2;
		return true;
	}
	if (*p != '>')
		p += strspn(p, "ims-"); /* no x: blanks would mean something else */
	parser->p = p + 1;
	return *p == ':' || *p == '>';
}

static Extent group(Parser *parser)
{
	int look = 0;
	parser->p++;
	if (*parser->p == '*' || parser->depth >= MAX_DEPTH)
		return give_up(parser);
	if (*parser->p == '?') {
		parser->p++;
		if (!open_special(parser, &look))
			return give_up(parser);
	}
	parser->depth++;
	Extent inner = alternatives(parser);
	parser->depth--;
	if (*parser->p != ')')
		return give_up(parser);
	parser->p++;
	return look == 0
		? inner
		: (Extent){0, look == 1 ? inner.digit : NEVER, false, look == 1 && inner.unbroken};
}

static Extent atom(Parser *parser)
{
	char c = *parser->p;
	if (c == '(')
		return group(parser);
	if (c == '[')
		return class(parser);
	if (c == '\\')
		return escape(parser);
	if (strchr("*+?{", c) != NULL)
		return give_up(parser);
	parser->p++;
	while (((guchar)*parser->p & 0xc0) == 0x80) /* the rest of one character */
		parser->p++;
	return (Extent){c != '^' && c != '$', g_ascii_isdigit(c) ? 1 : NEVER,
		g_ascii_isspace(c) || c == '.', g_ascii_isdigit(c)};
}

static bool take_number(Parser *parser, gsize *n)
{
	char *end;
	if (!g_ascii_isdigit(*parser->p))
		return false;
	*n = (gsize)g_ascii_strtoull(parser->p, &end, 10);
	parser->p = end;
	return true;
}

static void quantifier(Parser *parser, gsize *least, gsize *most)
{
	char c = *parser->p;
	*least = *most = 1;
	if (c == '\0' || strchr("*+?{", c) == NULL)
		return;
	parser->p++;
	*least = c == '+';
	*most = c == '?' ? 1 : NEVER;
	if (c == '{') {
		if (!take_number(parser, least)) {
			give_up(parser);
			return;
		}
		*most = *least;
		if (*parser->p == ',') {
			parser->p++;
			if (!take_number(parser, most))
				*most = NEVER;
		}
		if (*parser->p != '}')
			give_up(parser);
		else
			parser->p++;
	}
	if (*parser->p == '+' || *parser->p == '?')
		parser->p++;
}

static Extent sequence(Parser *parser)
{
	Extent all = {0, NEVER, false, false};
	while (!parser->unknown && *parser->p != '\0' && *parser->p != '|' && *parser->p != ')') {
		gsize least, most;
		Extent one = atom(parser);
		quantifier(parser, &least, &most);
		if (least > 0) {
			all.digit = MIN(all.digit, sum(all.most, one.digit));
			all.unbroken = all.unbroken || (one.unbroken && !all.blank);
		}
		all.blank = all.blank || (most > 0 && one.blank);
		all.most = sum(all.most, times(one.most, most));
	}
	return all;
}

static Extent alternatives(Parser *parser)
{
	Extent all = sequence(parser);
	while (!parser->unknown && *parser->p == '|') {
		parser->p++;
		Extent one = sequence(parser);
		all.most = MAX(all.most, one.most);
		all.digit = MAX(all.digit, one.digit);
		all.blank = all.blank || one.blank;
		all.unbroken = all.unbroken && one.unbroken;
	}
	return all;
}

gsize ms_regex_digit_of(const char *pattern, bool *unbroken_out)
{
	Parser parser = {.p = pattern};
	Extent all = alternatives(&parser);
	bool known = !parser.unknown && *parser.p == '\0';
	*unbroken_out = known && all.unbroken;
	return known ? all.digit : NEVER;
}
