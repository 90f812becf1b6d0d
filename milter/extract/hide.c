/*
 * Just enough of CSS to know which text a browser may not show, where its lines end, and by which
 * format Excel shows the number of a cell.  In come declarations and style sheets, out go flags
 * and formats; no state but the rules of one page, so any thread.
 *
 * No cascade and no media: a rule that hides an element on one device, or is overruled by
 * another, still makes two readings of the text, which html.c both hands out.  Of a
 * selector only its end counts: in "td .x:hover" that is the class x.  One that needs more than
 * names ("[lang=xx]", ":not(.k)", "p > *") may mean any element within a word.
 */
#include "config.h"

#include <string.h>

#include "hide.h"
#include "html.h"

struct MsHideRules {
	GHashTable *names; /* ".class", "#id", "tag" to flags */
	GHashTable *formats; /* ... and to formats of numbers, of those that have one */
	bool tags;         /* there are tags among them */
	guint any;         /* what rules do whose elements are not known here */
};

#define MAX_DECLARATIONS 4096 /* bytes of them that are looked at */
#define MAX_NAME 64

MsHideRules *ms_hide_new(void)
{
	return g_new0(MsHideRules, 1);
}

void ms_hide_free(MsHideRules *rules)
{
	if (rules->names != NULL)
		g_hash_table_unref(rules->names);
	if (rules->formats != NULL)
		g_hash_table_unref(rules->formats);
	g_free(rules);
}

/* The parts of "#rgb", "#rrggbb", "rgb(1 2 3 / 0)", "hsl(0,0%,100%)", of 255 each; how many. */
static guint colour_parts(const char *p, const char *end, double parts[4])
{
	guint n = 0;
	if (*p == '#') {
		gsize each = end - p > 5 ? 2 : 1;
		for (p++; n < 4 && p + each <= end && g_ascii_isxdigit(*p); p += each)
			parts[n++] = (each == 1 ? 17 : 16) * g_ascii_xdigit_value(*p);
		return n;
	}
	while (n < 4 && p < end) {
		while (p < end && !g_ascii_isdigit(*p) && *p != '.')
			p++;
		if (p == end)
			break;
		char *stop;
		parts[n] = g_ascii_strtod(p, &stop);
		if (*stop == '%')
			parts[n] *= 2.55;
		else if (n == 3)
			parts[n] *= 255;
		n++;
		p = stop;
	}
	return n;
}

#define PALE 224 /* of 255 */

bool ms_hide_is_pale(const char *value, const char *end)
{
	static const char *const colours[] = {"white", "transparent", "snow", "ivory", "azure",
		"whitesmoke", "ghostwhite", "floralwhite", "mintcream", "aliceblue", "seashell",
		NULL};
	char copy[40];
	double parts[4];
	gsize len = MIN((gsize)(end - value), sizeof copy - 1);
	while (len > 0 && g_ascii_isspace(value[len - 1]))
		len--;
	memcpy(copy, value, len);
	copy[len] = '\0';
	for (const char *const *c = colours; *c != NULL; c++)
		if (g_ascii_strcasecmp(*c, copy) == 0)
			return true;
	bool hsl = g_ascii_strncasecmp(copy, "hsl", 3) == 0;
	if (*copy != '#' && !hsl && g_ascii_strncasecmp(copy, "rgb", 3) != 0)
		return false;
	guint n = colour_parts(copy, copy + len, parts);
	if (n == 4 && parts[3] < 255 - PALE)
		return true;
	return n >= 3 && parts[2] >= PALE && (hsl || (parts[0] >= PALE && parts[1] >= PALE));
}

/* Is `value` nothing, in whatever unit?  "0", "0px", "0.0em", "1px" */
static bool is_tiny(const char *value)
{
	if (*value == '1' && g_str_has_prefix(value + 1, "px"))
		return true;
	if (*value != '0' && *value != '.')
		return false;
	value += strspn(value, "0.");
	return strchr("123456789", *value) == NULL || *value == '\0';
}

static bool is_one_of(const char *value, const char *const *list)
{
	for (; *list != NULL; list++)
		if (g_str_has_prefix(value, *list))
			return true;
	return false;
}

/* "13px", and not "1.2em" or "80%", which are nothing of nothing. */
static bool is_own_size(const char *value)
{
	static const char *const units[] = {
		"px", "pt", "pc", "rem", "mm", "cm", "in", "vw", "vh", NULL};
	return g_ascii_isdigit(*value) && is_one_of(value + strspn(value, "0123456789."), units);
}

static guint size_says(const char *name, const char *value)
{
	static const char *const sizes[] = {
		"max-height", "max-width", "height", "width", "line-height", NULL};
	static const char *const places[] = {
		"left", "right", "top", "bottom", "inset", "text-indent", "margin-left", NULL};
	if ((strcmp(name, "font-size") == 0 || strcmp(name, "font") == 0) && is_tiny(value))
		return *value == '1' ? MS_HIDE_MAYBE : MS_HIDE_SMALL;
	if ((strcmp(name, "font-size") == 0 && is_own_size(value)) ||
		(strcmp(name, "font") == 0 && is_own_size(value + strcspn(value, "0123456789"))))
		return MS_HIDE_SIZED;
	if ((strcmp(name, "opacity") == 0 || strcmp(name, "zoom") == 0) && is_tiny(value))
		return MS_HIDE_MAYBE;
	if (g_strv_contains(sizes, name) && is_tiny(value))
		return MS_HIDE_MAYBE;
	if (g_strv_contains(places, name) && *value == '-' &&
		strspn(value + 1, "0123456789") >= 3)
		return MS_HIDE_MAYBE;
	return 0;
}

static guint display_says(const char *value)
{
	static const char *const blocks[] = {
		"block", "table;", "table!", "table-row", "flex", "grid", "list-item", NULL};
	gsize len = strcspn(value, "!");
	if (len == strlen("inline") && g_str_has_prefix(value, "inline"))
		return MS_HIDE_INLINE;
	if (g_str_has_prefix(value, "table-cell"))
		return MS_HIDE_APART | MS_HIDE_CELL;
	return is_one_of(value, blocks) || strcmp(value, "table") == 0 ? MS_HIDE_BLOCK
								       : 0;
}

/* What is no declaration, or has more digits in a row than a length has. */
static bool has_number(const char *text)
{
	guint run = 0, all = 0;
	bool colour = false;
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '@')
			return true;
		if (!g_ascii_isdigit(*p)) {
			run = 0;
			colour = *p == '#' || (colour && g_ascii_isxdigit(*p));
			continue;
		}
		run++;
		all++;
		if (run > 4 && !colour)
			return true;
	}
	return all > 16;
}

#define NUMBER_FORMAT "mso-number-format"

/* One declaration, without white space and in lower case. */
static guint declaration_says(const char *name, const char *value)
{
	static const char *const gone[] = {"hidden", "collapse", NULL};
	static const char *const sides[] = {"left", "right", NULL};
	static const char *const clipped[] = {
		"rect(0", "rect(1px", "inset(", "circle(0", NULL};
	static const char *const flat[] = {
		"scale(0", "scalex(0", "scaley(0", "translatex(-", "translate(-", NULL};
	if ((strcmp(name, "display") == 0 && g_str_has_prefix(value, "none")) ||
		(strcmp(name, "visibility") == 0 && is_one_of(value, gone)) ||
		(strcmp(name, "mso-hide") == 0 && g_str_has_prefix(value, "all")))
		return MS_HIDE_SURE;
	if (strcmp(name, "display") == 0)
		return display_says(value);
	if (strcmp(name, "float") == 0 && is_one_of(value, sides))
		return MS_HIDE_APART;
	if (strcmp(name, NUMBER_FORMAT) == 0)
		return MS_HIDE_FORMAT;
	if (strcmp(name, "content-visibility") == 0 && is_one_of(value, gone))
		return MS_HIDE_MAYBE;
	if (strcmp(name, "unicode-bidi") == 0 && strstr(value, "override") != NULL)
		return MS_HIDE_TURNED;
	gsize len = strcspn(value, "!");
	if ((strcmp(name, "color") == 0 ||
		    strcmp(name, "-webkit-text-fill-color") == 0) &&
		ms_hide_is_pale(value, value + len))
		return MS_HIDE_MAYBE;
	if ((strcmp(name, "clip") == 0 || strcmp(name, "clip-path") == 0) &&
		is_one_of(value, clipped))
		return MS_HIDE_MAYBE;
	if (strcmp(name, "transform") == 0 && is_one_of(value, flat))
		return MS_HIDE_MAYBE;
	if (strcmp(name, "content") == 0 || g_str_has_prefix(name, "--"))
		return MS_HIDE_SPEAKS;
	return size_says(name, value);
}

static GString *without_comments(const char *css, gsize len)
{
	GString *out = g_string_sized_new(len);
	const char *p = css, *end = css + len;
	while (p < end) {
		const char *open = memmem(p, (gsize)(end - p), "/*", 2);
		g_string_append_len(out, p, (open != NULL ? open : end) - p);
		const char *close = open != NULL
					    ? memmem(open + 2, (gsize)(end - open - 2),
						      "*/", 2)
					    : NULL;
		p = close != NULL ? close + 2 : end;
	}
	return out;
}

/* Without comments, escapes undone. */
static GString *plain_css(const char *css, gsize len)
{
	g_autoptr(GString) bare = without_comments(css, len);
	GString *out = g_string_sized_new(bare->len);
	const char *end = bare->str + bare->len;
	for (const char *p = bare->str; p < end;) {
		if (*p == '\\' && p + 1 < end)
			p = ms_script_escape(out, p + 1, end);
		else
			g_string_append_c(out, *p++);
	}
	return out;
}

static bool has_words(const char *css)
{
	return strstr(css, "url(") != NULL;
}

guint ms_hide_style(const char *css, gsize len)
{
	char tight[MAX_DECLARATIONS + 3];
	gsize n = 0;
	bool comments = memmem(css, len, "/*", 2) != NULL;
	g_autoptr(GString) plain = comments || memchr(css, '\\', len) != NULL
		? plain_css(css, len) : NULL;
	if (plain != NULL) {
		css = plain->str;
		len = plain->len;
	}
	for (gsize i = 0; i < len && n < MAX_DECLARATIONS; i++) {
		if (g_ascii_isspace(css[i]) || css[i] == '\0')
			continue;
		if (i > 0 && n > 0 && g_ascii_isspace(css[i - 1]) && g_ascii_isdigit(css[i]) &&
			(g_ascii_isdigit(tight[n - 1]) || tight[n - 1] == '%'))
			tight[n++] = ','; /* "rgb(255 255 255)" */
		tight[n++] = g_ascii_tolower(css[i]);
	}
	tight[n] = '\0';
	guint says = comments || has_words(tight) || n >= MAX_DECLARATIONS ? MS_HIDE_SPEAKS : 0;
	for (char *p = tight; *p != '\0';) {
		char *stop = p + strcspn(p, ";");
		bool last = *stop == '\0';
		*stop = '\0';
		char *colon = strchr(p, ':');
		if ((colon == NULL && *p != '\0') || has_number(p))
			says |= MS_HIDE_SPEAKS;
		if (colon != NULL) {
			*colon = '\0';
			says |= declaration_says(p, colon + 1);
		}
		p = last ? stop : stop + 1;
	}
	return says;
}

/* One character of a format, at `p`: what is no letter or digit has a backslash before it, and
 * some are written as four digits of their code ("\\0022"). */
static const char *format_character(GString *out, const char *p, const char *end)
{
	if (*p != '\\' || p + 1 >= end) {
		g_string_append_c(out, *p);
		return p + 1;
	}
	guint code = 0, digits = 0;
	while (digits < 4 && p + 1 + digits < end && g_ascii_isxdigit(p[1 + digits]))
		code = code * 16 + (guint)g_ascii_xdigit_value(p[1 + digits++]);
	if (digits == 4 && code >= 0x20 && g_unichar_validate(code)) {
		g_string_append_unichar(out, code);
		return p + 1 + digits;
	}
	g_string_append_c(out, p[1]);
	return p + 2;
}

char *ms_hide_number_format(const char *css, gsize len)
{
	const char *end = css + len, *p = css;
	gsize n = strlen(NUMBER_FORMAT);
	while (p + n < end && g_ascii_strncasecmp(p, NUMBER_FORMAT, n) != 0)
		p++;
	if (p + n >= end)
		return NULL;
	for (p += n; p < end && (g_ascii_isspace(*p) || *p == ':');)
		p++;
	char quote = p < end && (*p == '"' || *p == '\'') ? *p++ : ';';
	GString *format = g_string_new(NULL);
	while (p < end && *p != quote && format->len < MAX_DECLARATIONS)
		p = format_character(format, p, end);
	/* "Fixed", "Short Date": none that writes anything of its own. */
	bool named = strpbrk(format->str, "0#?@") == NULL;
	return g_string_free(format, named);
}

static bool is_name(char c)
{
	return g_ascii_isalnum(c) || c == '-' || c == '_' || (c & 0x80) != 0 || c == '\\';
}

/* Where in a selector the element itself is described: behind the last " ", ">", "+" or "~". */
static const char *last_compound(const char *from, const char *until)
{
	guint depth = 0;
	while (until > from && g_ascii_isspace(until[-1]))
		until--;
	for (const char *p = until; p-- > from;) {
		if (*p == ')' || *p == ']')
			depth++;
		else if ((*p == '(' || *p == '[') && depth > 0)
			depth--;
		else if (depth == 0 && (g_ascii_isspace(*p) || (*p != '\0' && strchr(">+~", *p) != NULL)))
			return p + 1;
	}
	return from;
}

static void add_format(MsHideRules *rules, const char *name, const char *format)
{
	if (rules->formats == NULL)
		rules->formats = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_hash_table_insert(rules->formats, g_strdup(name), g_strdup(format));
}

/* The last class, id or tag of one selector. */
static void add_selector(MsHideRules *rules, const char *from, const char *until, guint says,
	const char *format)
{
	char name[MAX_NAME + 1];
	bool escaped = memchr(from, '\\', (gsize)(until - from)) != NULL;
	from = last_compound(from, until);
	/* Without a pseudo-class or an attribute behind it. */
	const char *plain = from;
	while (plain < until && strchr(":[", *plain) == NULL)
		plain++;
	if (escaped || plain < until || memchr(from, '*', (gsize)(until - from)) != NULL)
		rules->any |= says & MS_HIDE_MAYBE;
	until = plain;
	while (until > from && !is_name(until[-1]))
		until--;
	const char *start = until;
	while (start > from && is_name(start[-1]))
		start--;
	bool marked = start > from && (start[-1] == '.' || start[-1] == '#');
	start -= marked;
	gsize n = (gsize)(until - start);
	if (n == 0 || n > MAX_NAME)
		return;
	memcpy(name, start, n);
	name[n] = '\0';
	if (!marked) {
		g_autofree char *lower = g_ascii_strdown(name, -1);
		if (strcmp(lower, "body") == 0 || strcmp(lower, "html") == 0)
			return; /* then all would be hidden: a page for one device */
		strcpy(name, lower);
		rules->tags = true;
	}
	if (rules->names == NULL)
		rules->names = g_hash_table_new_full(
			g_str_hash, g_str_equal, g_free, NULL);
	guint before = GPOINTER_TO_UINT(g_hash_table_lookup(rules->names, name));
	g_hash_table_insert(
		rules->names, g_strdup(name), GUINT_TO_POINTER(before | says));
	if (format != NULL)
		add_format(rules, name, format);
}

static void add_selectors(MsHideRules *rules, const char *from, const char *until, guint says,
	const char *format)
{
	while (from < until) {
		const char *comma = memchr(from, ',', (gsize)(until - from));
		const char *stop = comma != NULL ? comma : until;
		add_selector(rules, from, stop, says, format);
		from = stop + 1;
	}
}

/* A rule may be overruled: what it hides for sure, it hides perhaps. */
static guint of_rule(guint says)
{
	if ((says & (MS_HIDE_SURE | MS_HIDE_SMALL)) != 0)
		says |= MS_HIDE_MAYBE;
	return says & ~(guint)(MS_HIDE_SURE | MS_HIDE_SMALL | MS_HIDE_SPEAKS);
}

void ms_hide_sheet(MsHideRules *rules, const char *css, gsize len)
{
	g_autoptr(GString) text = without_comments(css, len);
	const char *selector = text->str, *end = text->str + text->len;
	for (const char *p = text->str; p < end;) {
		p += strcspn(p, "{};");
		if (p >= end)
			return;
		if (*p != '{') {
			selector = ++p;
			continue;
		}
		const char *open = p++;
		gsize inside = strcspn(p, "{}");
		if (p + inside < end && p[inside] == '}') {
			guint says = of_rule(ms_hide_style(p, inside));
			g_autofree char *format = (says & MS_HIDE_FORMAT) != 0
				? ms_hide_number_format(p, inside) : NULL;
			if (says != 0)
				add_selectors(rules, selector, open, says, format);
			p += inside + 1;
		}
		selector = p; /* of the next rule, or of the first within @media */
	}
}

/* The next of blank-separated names, with its mark; returns behind it. */
static const char *next_name(char name[MAX_NAME + 2], char mark, const char *value, const char *end)
{
	while (value < end && g_ascii_isspace(*value))
		value++;
	gsize n = 0;
	name[n++] = mark;
	for (; value < end && !g_ascii_isspace(*value); value++)
		if (n <= MAX_NAME)
			name[n++] = *value;
	name[n] = '\0';
	return value;
}

guint ms_hide_names(
	const MsHideRules *rules, char mark, const char *value, const char *end)
{
	char name[MAX_NAME + 2];
	guint says = 0;
	while (rules->names != NULL && value < end) {
		value = next_name(name, mark, value, end);
		says |= GPOINTER_TO_UINT(g_hash_table_lookup(rules->names, name));
	}
	return says;
}

const char *ms_hide_names_format(
	const MsHideRules *rules, char mark, const char *value, const char *end)
{
	char name[MAX_NAME + 2];
	const char *format = NULL;
	while (rules->formats != NULL && format == NULL && value < end) {
		value = next_name(name, mark, value, end);
		format = g_hash_table_lookup(rules->formats, name);
	}
	return format;
}

const char *ms_hide_tag_format(const MsHideRules *rules, const char *tag)
{
	return rules->formats != NULL ? g_hash_table_lookup(rules->formats, tag) : NULL;
}

guint ms_hide_any(const MsHideRules *rules)
{
	return rules->any;
}

guint ms_hide_tag(const MsHideRules *rules, const char *tag)
{
	return rules->tags ? GPOINTER_TO_UINT(g_hash_table_lookup(rules->names, tag)) : 0;
}
