#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <stdbool.h>

#include "missent/text.h"

#include "html.h"

/*
 * A tokenizer, not a parser: identifiers need the text in order, and the tree-building
 * libraries of Debian are quadratic or recursive on hostile input.  Inline tags join what
 * stands around them ("4711<wbr>0818" is one number to a reader), block tags end a line, cells
 * are set off by a tab.
 */

typedef struct {
	const char *p, *end;
	MsHtml *out;
	bool in_comment;   /* comments do not nest */
	char hidden_tag[16];
	guint hidden_depth; /* open elements named hidden_tag since the hidden one; 0: visible */
	bool pre;
} Html;

typedef struct {
	const char *name, *value;
} Entity;

static const Entity entities[] = {
#include "entities.inc"
};

/* strchr() would find the NUL that ends the set, too. */
static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* ---- text ----------------------------------------------------------------------------- */

static GString *text_out(Html *h)
{
	if (h->in_comment)
		return h->out->comments;
	return h->hidden_depth > 0 ? h->out->hidden : h->out->visible;
}

static bool ends_blank(const GString *s)
{
	return s->len == 0 || is_one_of(s->str[s->len - 1], " \t\n");
}

static void put_break(GString *out, char c)
{
	if (c == '\n') {
		while (out->len > 0 && out->str[out->len - 1] == ' ')
			g_string_truncate(out, out->len - 1);
		if (out->len > 0 && out->str[out->len - 1] != '\n')
			g_string_append_c(out, '\n');
	} else if (out->len > 0 && out->str[out->len - 1] != '\n' && out->str[out->len - 1] != c) {
		g_string_append_c(out, c);
	}
}

static int compare_entity(const void *key, const void *row)
{
	return strcmp(key, ((const Entity *)row)->name);
}

static const Entity *find_entity(const char *name)
{
	return bsearch(name, entities, G_N_ELEMENTS(entities), sizeof *entities, compare_entity);
}

/* WHATWG: numeric references to 0x80..0x9f mean Windows-1252. */
static void put_code(GString *out, guint32 code)
{
	if (code >= 0x80 && code <= 0x9f) {
		g_string_append_unichar(out, ms_text_cp1252((guint8)code));
	} else if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
		g_string_append(out, "\xef\xbf\xbd");
	} else {
		g_string_append_unichar(out, code);
	}
}

/* `p` is after "&#"; returns where the reference ends, or NULL if it is none. */
static const char *numeric_reference(const char *p, const char *end, GString *out)
{
	bool hex = p < end && (*p == 'x' || *p == 'X');
	p += hex;
	guint32 code = 0;
	const char *start = p;
	for (; p < end && (hex ? g_ascii_isxdigit(*p) : g_ascii_isdigit(*p)); p++)
		if (code <= 0x10ffff)
			code = code * (hex ? 16 : 10) + (guint32)g_ascii_xdigit_value(*p);
	if (p == start)
		return NULL;
	put_code(out, code);
	return p < end && *p == ';' ? p + 1 : p;
}

#define MAX_ENTITY 32

/* `p` is after "&". */
static const char *named_reference(const char *p, const char *end, GString *out)
{
	char name[MAX_ENTITY + 1];
	gsize n = 0;
	while (n < MAX_ENTITY && p + n < end && g_ascii_isalnum(p[n])) {
		name[n] = p[n];
		n++;
	}
	if (n < MAX_ENTITY && p + n < end && p[n] == ';') {
		name[n++] = ';';
	}
	for (; n > 1; n--) { /* the longest known beginning: "&notit" is "¬it" */
		name[n] = '\0';
		const Entity *entity = find_entity(name);
		if (entity != NULL) {
			g_string_append(out, entity->value);
			return p + n;
		}
	}
	return NULL;
}

/* One character or reference of text. */
static const char *put_character(const char *p, const char *end, GString *out)
{
	if (*p != '&') {
		g_string_append_c(out, *p);
		return p + 1;
	}
	const char *after = p + 1 < end && p[1] == '#' ? numeric_reference(p + 2, end, out)
						       : named_reference(p + 1, end, out);
	if (after != NULL)
		return after;
	g_string_append_c(out, '&');
	return p + 1;
}

static void text_run(Html *h)
{
	GString *out = text_out(h);
	while (h->p < h->end && *h->p != '<') {
		if (!h->pre && g_ascii_isspace(*h->p)) {
			if (!ends_blank(out))
				g_string_append_c(out, ' ');
			h->p++;
		} else {
			h->p = put_character(h->p, h->end, out);
		}
	}
}

/* ---- tags ----------------------------------------------------------------------------- */

typedef enum { TAG_INLINE, TAG_BLOCK, TAG_CELL, TAG_RAW, TAG_PRE } TagType;

static const struct {
	const char *name;
	TagType type;
} tags[] = {
	{"address", TAG_BLOCK}, {"article", TAG_BLOCK}, {"blockquote", TAG_BLOCK},
	{"body", TAG_BLOCK}, {"br", TAG_BLOCK}, {"caption", TAG_BLOCK}, {"center", TAG_BLOCK},
	{"dd", TAG_BLOCK}, {"div", TAG_BLOCK}, {"dl", TAG_BLOCK}, {"dt", TAG_BLOCK},
	{"fieldset", TAG_BLOCK}, {"footer", TAG_BLOCK}, {"form", TAG_BLOCK}, {"h1", TAG_BLOCK},
	{"h2", TAG_BLOCK}, {"h3", TAG_BLOCK}, {"h4", TAG_BLOCK}, {"h5", TAG_BLOCK},
	{"h6", TAG_BLOCK}, {"head", TAG_BLOCK}, {"header", TAG_BLOCK}, {"hr", TAG_BLOCK},
	{"html", TAG_BLOCK}, {"li", TAG_BLOCK}, {"main", TAG_BLOCK}, {"nav", TAG_BLOCK},
	{"ol", TAG_BLOCK}, {"option", TAG_BLOCK}, {"p", TAG_BLOCK}, {"pre", TAG_PRE},
	{"script", TAG_RAW}, {"section", TAG_BLOCK}, {"style", TAG_RAW}, {"table", TAG_BLOCK},
	{"tbody", TAG_BLOCK}, {"td", TAG_CELL}, {"textarea", TAG_PRE}, {"tfoot", TAG_BLOCK},
	{"th", TAG_CELL}, {"thead", TAG_BLOCK}, {"title", TAG_BLOCK}, {"tr", TAG_BLOCK},
	{"ul", TAG_BLOCK}, {"xmp", TAG_RAW},
};

static TagType tag_type(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(tags); i++)
		if (strcmp(tags[i].name, name) == 0)
			return tags[i].type;
	return TAG_INLINE;
}

static bool is_void(const char *name)
{
	static const char list[] = " area base br col embed hr img input link meta param source "
				   "track wbr ";
	g_autofree char *needle = g_strdup_printf(" %s ", name);
	return strstr(list, needle) != NULL;
}

/* Attributes that carry words or targets; the rest is layout. */
static bool is_telling(const char *name)
{
	static const char list[] = " action alt aria-label background cite content data href "
				   "label longdesc placeholder src srcset summary title value ";
	if (g_str_has_prefix(name, "data-"))
		return true;
	g_autofree char *needle = g_strdup_printf(" %s ", name);
	return strstr(list, needle) != NULL;
}

static void put_attribute(Html *h, const char *value, const char *end)
{
	GString *out = h->out->attributes;
	gsize start = out->len;
	while (value < end)
		value = put_character(value, end, out);
	/* A link's target is read as it is sent and as it is meant. */
	g_autofree char *plain = g_uri_unescape_segment(out->str + start, out->str + out->len, NULL);
	g_string_append_c(out, '\n');
	if (plain != NULL && strlen(plain) != out->len - start - 1
		&& g_utf8_validate(plain, -1, NULL))
		g_string_append_printf(out, "%s\n", plain);
}

static bool style_hides(const char *value, const char *end)
{
	g_autoptr(GString) tight = g_string_new(NULL);
	for (; value < end && tight->len < 4096; value++)
		if (!g_ascii_isspace(*value))
			g_string_append_c(tight, g_ascii_tolower(*value));
	const char *zero = strstr(tight->str, "font-size:0");
	return strstr(tight->str, "display:none") != NULL
		|| strstr(tight->str, "visibility:hidden") != NULL
		|| strstr(tight->str, "mso-hide:all") != NULL
		|| (zero != NULL && !is_one_of(zero[11], "123456789."));
}

static gsize take_name(Html *h, char *name, gsize size)
{
	gsize n = 0;
	for (; h->p < h->end && !g_ascii_isspace(*h->p) && !is_one_of(*h->p, "/>="); h->p++)
		if (n + 1 < size)
			name[n++] = g_ascii_tolower(*h->p);
	name[n] = '\0';
	return n;
}

/* The value after "="; sets its bounds. */
static void take_value(Html *h, const char **start, const char **stop)
{
	while (h->p < h->end && g_ascii_isspace(*h->p))
		h->p++;
	*start = *stop = h->p;
	if (h->p == h->end)
		return;
	if (*h->p == '"' || *h->p == '\'') {
		char quote = *h->p;
		*start = ++h->p;
		const char *close = memchr(h->p, quote, (gsize)(h->end - h->p));
		*stop = close != NULL ? close : h->end;
		h->p = close != NULL ? close + 1 : h->end;
		return;
	}
	while (h->p < h->end && !g_ascii_isspace(*h->p) && *h->p != '>')
		h->p++;
	*stop = h->p;
}

/* Up to and with ">"; true when an attribute hides the element. */
static bool attributes(Html *h)
{
	bool hides = false;
	while (h->p < h->end && *h->p != '>') {
		if (g_ascii_isspace(*h->p) || *h->p == '/' || *h->p == '=') {
			h->p++;
			continue;
		}
		char name[32];
		take_name(h, name, sizeof name);
		while (h->p < h->end && g_ascii_isspace(*h->p))
			h->p++;
		if (h->p == h->end || *h->p != '=') {
			hides = hides || strcmp(name, "hidden") == 0;
			continue;
		}
		h->p++;
		const char *start, *stop;
		take_value(h, &start, &stop);
		if (strcmp(name, "style") == 0)
			hides = hides || style_hides(start, stop);
		else if (strcmp(name, "hidden") == 0)
			hides = true;
		else if (is_telling(name))
			put_attribute(h, start, stop);
	}
	if (h->p < h->end)
		h->p++;
	return hides;
}

/* The text of script, style and xmp goes on to its own end tag. */
static void raw_text(Html *h, const char *name)
{
	gsize n = strlen(name);
	const char *from = h->p;
	const char *p = h->p;
	for (; p < h->end; p++) {
		p = memchr(p, '<', (gsize)(h->end - p));
		if (p == NULL || (gsize)(h->end - p) < n + 2) {
			p = h->end;
			break;
		}
		if (p[1] == '/' && g_ascii_strncasecmp(p + 2, name, n) == 0)
			break;
	}
	GString *out = strcmp(name, "xmp") == 0 ? text_out(h) : h->out->hidden;
	g_string_append_len(out, from, p - from);
	put_break(out, '\n');
	h->p = p;
}

static void track_hidden(Html *h, const char *name, bool closing, bool hides)
{
	if (h->hidden_depth == 0) {
		if (!closing && hides && !is_void(name) && strlen(name) < sizeof h->hidden_tag) {
			g_strlcpy(h->hidden_tag, name, sizeof h->hidden_tag);
			h->hidden_depth = 1;
			put_break(h->out->hidden, '\n');
		}
	} else if (strcmp(name, h->hidden_tag) == 0) {
		if (closing)
			h->hidden_depth--;
		else
			h->hidden_depth++;
	}
}

static void tag(Html *h, bool closing)
{
	char name[16];
	take_name(h, name, sizeof name);
	TagType type = tag_type(name);
	bool hides = attributes(h);
	/* A hidden block inside a word does not break it for the reader. */
	if (type == TAG_CELL)
		put_break(text_out(h), '\t');
	else if (type != TAG_INLINE && !(hides && h->hidden_depth == 0))
		put_break(text_out(h), '\n');
	track_hidden(h, name, closing, hides);
	if (type == TAG_PRE)
		h->pre = !closing;
	if (type == TAG_RAW && !closing)
		raw_text(h, name);
}

static void comment(Html *h);

static void markup(Html *h)
{
	gsize left = (gsize)(h->end - h->p);
	if (left >= 4 && memcmp(h->p, "<!--", 4) == 0) {
		comment(h);
	} else if (left >= 2 && (h->p[1] == '!' || h->p[1] == '?')) {
		const char *close = memchr(h->p, '>', left);
		const char *stop = close != NULL ? close : h->end;
		g_string_append_len(h->out->comments, h->p + 2, stop - h->p - 2);
		g_string_append_c(h->out->comments, '\n');
		h->p = close != NULL ? close + 1 : h->end;
	} else if (left >= 2 && g_ascii_isalpha(h->p[1])) {
		h->p++;
		tag(h, false);
	} else if (left >= 3 && h->p[1] == '/' && g_ascii_isalpha(h->p[2])) {
		h->p += 2;
		tag(h, true);
	} else {
		g_string_append_c(text_out(h), '<');
		h->p++;
	}
}

static void run(Html *h)
{
	while (h->p < h->end) {
		text_run(h);
		if (h->p < h->end)
			markup(h);
	}
}

/* What a comment holds may be shown: Outlook renders <!--[if mso]>. */
static void comment(Html *h)
{
	const char *from = h->p + 4;
	const char *close = g_strstr_len(from, h->end - from, "-->");
	const char *stop = close != NULL ? close : h->end;
	h->p = close != NULL ? close + 3 : h->end;
	if (h->in_comment) {
		g_string_append_len(h->out->comments, from, stop - from);
		return;
	}
	Html inner = {.p = from, .end = stop, .out = h->out, .in_comment = true};
	run(&inner);
	put_break(h->out->comments, '\n');
}

void ms_html_read(const char *html, gsize len, MsHtml *out)
{
	Html h = {.p = html, .end = html + len, .out = out};
	run(&h);
}
