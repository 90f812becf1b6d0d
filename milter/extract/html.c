/*
 * A tokenizer, not a parser: identifiers need the text in order, and the tree-building
 * libraries of Debian are quadratic or recursive on hostile input.  HTML comes in as valid
 * UTF-8, its text goes out by where it is shown; pure functions, so any thread.
 *
 * Inline tags join what stands around them ("4711<wbr>0818" is one number to a reader), block
 * tags end a line, cells are set off by a tab, and each stands in its column: what is empty, and
 * what cells of several columns or rows take, has a tab as well.
 *
 * Clients do not agree on what is shown: a browser takes no notice of what stands in an <object>
 * that it can display, or of an element whose class a style sheet hides; a text client shows all.
 * So such text is a stretch of its line that may be missing, and a line with such stretches goes
 * out a second time as the other client has it (finish_line()).  What is hidden by its own
 * style= is not in the line, and the other line is the one with it.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <stdbool.h>

#include "missent/inventory.h"
#include "missent/kind.h"
#include "missent/named.h"
#include "missent/scan.h"
#include "missent/text.h"

#include "hide.h"
#include "html.h"
#include "numfmt.h"
#include "readers.h"

#define MAX_LISTS 16
#define REMEMBERED 1024 /* attribute values: a power of two */

/* Of one line of the visible text: what may be missing in it, or may stand in it. */
typedef struct {
	gsize from, until;  /* in the visible text */
	gsize hidden_from, hidden_until; /* in the hidden text; or equal */
	bool turned;        /* shown from right to left */
	bool beside;        /* it is in the text of Html.beside, not in the hidden one */
} Stretch;

#define MAX_DISPLAYS 16

/* An element that a style makes a block or a cell, or takes into the line. */
typedef struct {
	char tag[16];
	guint depth; /* open elements of that name since */
	char mark;   /* what sets it off: '\n', '\t' or nothing */
} Display;

#define MAX_TABLES 16
#define MAX_COLUMNS 48

/* A stretch of the source. */
typedef struct {
	const char *from, *until;
} Piece;

/* A table that is open, and in it the row. */
typedef struct {
	guint column;
	guint columns; /* of the cell that is open; 0: none is */
	gsize from;    /* where that began in the visible text */
	gsize head, row; /* where the first row and this one began there */
	bool headed;     /* the first row is over */
	bool in_line;    /* it has one cell, and begins one: it is what that is */
	/* how numbers are shown (numfmt.h) in it, in the row, in the cell that is open; or NULL */
	const char *format, *row_format, *cell_format;
	Piece kept;      /* what the cell keeps beside its text, or NULL */
	guint8 below[MAX_COLUMNS]; /* rows to come in which a cell above takes the column */
} Table;

typedef struct {
	gint64 next;
	int step;   /* of a list that is numbered from elsewhere than 1; else 0 */
} List;

typedef struct {
	guint64 hash; /* of an attribute's value, 0: none yet */
	guint says;   /* what hide.h makes of it */
} Remembered;

typedef struct {
	const char *p, *end;
	MsHtml *out;
	bool in_comment;   /* comments do not nest */
	char hidden_tag[16];
	guint hidden_depth; /* open elements named hidden_tag since the hidden one; 0: visible */
	gsize hidden_from;
	bool hidden_small, hidden_block; /* only by the size of its letters; on lines of its own */
	bool pre;
	gsize line_start;
	GArray *stretches;  /* of Stretch */
	GString *beside;    /* what is handed out elsewhere, and stands in a line to some clients */
	char optional_tag[16];
	guint optional_depth;
	gsize optional_from;
	bool optional_turned;
	Display displays[MAX_DISPLAYS];
	guint n_displays;
	Table tables[MAX_TABLES];
	guint n_tables; /* that are open, within one another */
	const char *old_comment_end; /* of what older clients take for a comment, or NULL */
	bool no_old_end;
	guint unclosed;      /* raw elements (RawTag) whose end tag never comes */
	guint foreign;       /* open <svg> and <math> */
	const char *svg_end, *cdata_end;
	List lists[MAX_LISTS];
	guint n_lists;
	MsHideRules *rules;
	GStringChunk *formats; /* of numbers; NULL: none yet */
	Remembered *remembered;
	Piece choice; /* what says what the choices of a list are, or NULL */
} Html;

#define MAX_SAYERS 8
#define MAX_ONE_CELL 4000 /* bytes of a table that is looked through for a second cell */
#define MOST_SHOWN 200 /* bytes of a cell that a format is for */
#define LEAST_OWN 4 /* letters of what a sender's own attribute says that a text is */
#define MOST_OWN 48

/* What the attributes of one tag say about the element. */
typedef struct {
	Piece value, type, alt;    /* or NULL */
	Piece sayers[MAX_SAYERS];  /* what says of the value what it is: name="customer_no" */
	guint n_sayers;
	guint says;
	bool numbered, reversed;
	gint64 number;
	gint64 columns, rows; /* of a cell, 0: one */
	Piece style, classes, id, number_format; /* or NULL */
} TagFacts;

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

static void break_text(GString *out, char c)
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

static void append_lines(GString *out, const GString *line)
{
	if (strspn(line->str, " \t\n") == line->len)
		return;
	g_string_append_len(out, line->str, (gssize)line->len);
	g_string_append_c(out, '\n');
}

static void append_turned(GString *out, const char *text, gsize len, bool turned)
{
	g_autofree char *piece = g_strndup(text, len);
	g_autofree char *reversed = turned ? g_utf8_strreverse(piece, -1) : NULL;
	g_string_append(out, turned ? reversed : piece);
}

/* The pieces that may be missing, by themselves and (as ruby is) one after the other. */
static void append_pieces(Html *h)
{
	const GString *visible = h->out->visible;
	GString *out = h->out->variants;
	g_autoptr(GString) all = g_string_new(NULL);
	guint pieces = 0;
	for (guint i = 0; i < h->stretches->len; i++) {
		const Stretch *s = &g_array_index(h->stretches, Stretch, i);
		gsize until = MIN(s->until, visible->len);
		if (until <= s->from)
			continue;
		g_string_append_len(out, visible->str + s->from, (gssize)(until - s->from));
		break_text(out, '\n');
		g_string_append_len(all, visible->str + s->from, (gssize)(until - s->from));
		pieces++;
	}
	if (pieces > 1)
		append_lines(out, all);
}

/* A line ends: if stretches of it may be missing, or others may stand in it, it is put down
 * once more with everything, and once more without. */
static void finish_line(Html *h)
{
	const GString *visible = h->out->visible;
	if (h->stretches->len > 0) {
		g_autoptr(GString) with = g_string_new(NULL), without = g_string_new(NULL);
		g_autoptr(GString) straight = g_string_new(NULL);
		gsize at = h->line_start;
		bool hidden = false, optional = false, turned = false;
		for (guint i = 0; i < h->stretches->len; i++) {
			Stretch s = g_array_index(h->stretches, Stretch, i);
			gsize from = CLAMP(s.from, at, visible->len);
			gsize until = CLAMP(s.until, from, visible->len);
			g_string_append_len(without, visible->str + at, (gssize)(from - at));
			g_string_append_len(with, visible->str + at, (gssize)(until - at));
			const GString *other = s.beside ? h->beside : h->out->hidden;
			g_string_append_len(with, other->str + s.hidden_from,
				(gssize)(s.hidden_until - s.hidden_from));
			hidden = hidden || s.hidden_until > s.hidden_from;
			optional = optional || until > from;
			turned = turned || s.turned;
			g_string_append_len(straight, visible->str + at, (gssize)(from - at));
			append_turned(straight, visible->str + from, until - from, s.turned);
			at = until;
		}
		g_string_append_len(with, visible->str + at, (gssize)(visible->len - at));
		g_string_append_len(without, visible->str + at, (gssize)(visible->len - at));
		g_string_append_len(straight, visible->str + at, (gssize)(visible->len - at));
		if (turned)
			append_lines(h->out->variants, straight);
		bool blank = strspn(without->str, " \t\n") == without->len;
		if (hidden && (!blank || h->stretches->len > 1))
			append_lines(h->out->variants, with);
		if (optional && !blank)
			append_lines(h->out->variants, without);
		if ((optional && !blank) || turned)
			append_pieces(h);
		g_array_set_size(h->stretches, 0);
	}
	h->line_start = visible->len;
}

static void put_break(Html *h, char c)
{
	GString *out = text_out(h);
	break_text(out, c);
	if (c == '\n' && out == h->out->visible && h->optional_depth == 0)
		finish_line(h);
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

const char *ms_html_reference(const char *p, const char *end, GString *out)
{
	return p + 1 < end && p[1] == '#' ? numeric_reference(p + 2, end, out)
					  : named_reference(p + 1, end, out);
}

/* One character or reference of text. */
static const char *put_character(const char *p, const char *end, GString *out)
{
	if (*p != '&') {
		g_string_append_c(out, *p);
		return p + 1;
	}
	const char *after = ms_html_reference(p, end, out);
	if (after != NULL)
		return after;
	g_string_append_c(out, '&');
	return p + 1;
}

/* Characters that stand for themselves, up to `end`. */
static gsize plain_length(const char *p, const char *end, bool pre)
{
	const char *start = p;
	while (p < end && *p != '<' && *p != '&' && (pre || !g_ascii_isspace(*p)))
		p++;
	return (gsize)(p - start);
}

static void text_run(Html *h, const char *end)
{
	GString *out = text_out(h);
	while (h->p < end && *h->p != '<') {
		gsize plain = plain_length(h->p, end, h->pre);
		if (plain > 0) {
			g_string_append_len(out, h->p, (gssize)plain);
			h->p += plain;
		} else if (*h->p == '&') {
			h->p = put_character(h->p, h->end, out);
		} else {
			if (!ends_blank(out))
				g_string_append_c(out, ' ');
			h->p++;
		}
	}
}

static void add_stretch(Html *h, Stretch s)
{
	g_array_append_val(h->stretches, s);
}

/* Text that some clients show at this place of the line. */
static void add_beside(Html *h, const char *text, gsize len)
{
	gsize blank = 0;
	while (blank < len && g_ascii_isspace(text[blank]))
		blank++;
	if (blank == len || h->in_comment || h->hidden_depth > 0)
		return;
	gsize from = h->beside->len, at = h->out->visible->len;
	g_string_append_len(h->beside, text, (gssize)len);
	add_stretch(h, (Stretch){at, at, from, h->beside->len, false, true});
}

/* ---- tags ----------------------------------------------------------------------------- */

enum {
	TAG_BLOCK = 1 << 0,
	TAG_CELL = 1 << 1,
	TAG_PRE = 1 << 2,
	TAG_VOID = 1 << 3,
	TAG_MAYBE = 1 << 4,  /* some clients show what is in it, others do not */
	TAG_LIST = 1 << 5,
	TAG_ITEM = 1 << 6,
	TAG_FOREIGN = 1 << 7,
	TAG_RUBY = 1 << 8,   /* ends the annotation before it */
	/* What is in it is no markup to a browser; all up to its end tag: */
	TAG_HIDDEN_RAW = 1 << 9,  /* is not shown */
	TAG_SHOWN_RAW = 1 << 10,  /* is shown as it stands */
	TAG_SHOWN_CHARS = 1 << 11, /* is shown, with references undone */
	TAG_NEVER_RAW = 1 << 12,  /* is shown by clients that do not know the tag */
	TAG_TABLE = 1 << 13,
	TAG_ROW = 1 << 14,
};
#define TAG_RAW (TAG_HIDDEN_RAW | TAG_SHOWN_RAW | TAG_SHOWN_CHARS | TAG_NEVER_RAW)

typedef struct {
	const char *name;
	guint is;
} Tag;

/* In the order of strcmp(). */
static const Tag tags[] = {
	{"a", 0},
	{"address", TAG_BLOCK},
	{"annotation", TAG_MAYBE},
	{"applet", TAG_MAYBE},
	{"area", TAG_VOID},
	{"article", TAG_BLOCK},
	{"aside", TAG_BLOCK},
	{"audio", TAG_MAYBE},
	{"b", 0},
	{"base", TAG_VOID},
	{"bdo", 0},
	{"bgsound", TAG_VOID},
	{"blockquote", TAG_BLOCK},
	{"body", TAG_BLOCK},
	{"br", TAG_BLOCK | TAG_VOID},
	{"button", 0},
	{"canvas", TAG_MAYBE},
	{"caption", TAG_BLOCK},
	{"center", TAG_BLOCK},
	{"col", TAG_VOID},
	{"comment", TAG_MAYBE},
	{"datalist", TAG_MAYBE},
	{"dd", TAG_BLOCK},
	{"del", TAG_MAYBE},
	{"desc", TAG_MAYBE},
	{"details", TAG_BLOCK},
	{"dialog", TAG_MAYBE},
	{"dir", TAG_BLOCK},
	{"div", TAG_BLOCK},
	{"dl", TAG_BLOCK},
	{"dt", TAG_BLOCK},
	{"em", 0},
	{"embed", TAG_VOID},
	{"fieldset", TAG_BLOCK},
	{"figcaption", TAG_BLOCK},
	{"figure", TAG_BLOCK},
	{"font", 0},
	{"footer", TAG_BLOCK},
	{"form", TAG_BLOCK},
	{"h1", TAG_BLOCK},
	{"h2", TAG_BLOCK},
	{"h3", TAG_BLOCK},
	{"h4", TAG_BLOCK},
	{"h5", TAG_BLOCK},
	{"h6", TAG_BLOCK},
	{"head", TAG_BLOCK},
	{"header", TAG_BLOCK},
	{"hr", TAG_BLOCK | TAG_VOID},
	{"html", TAG_BLOCK},
	{"i", 0},
	{"iframe", TAG_NEVER_RAW},
	{"img", TAG_VOID},
	{"input", TAG_VOID},
	{"legend", TAG_BLOCK},
	{"li", TAG_BLOCK | TAG_ITEM},
	{"link", TAG_VOID},
	{"listing", TAG_PRE | TAG_BLOCK},
	{"main", TAG_BLOCK},
	{"math", TAG_FOREIGN},
	{"menu", TAG_BLOCK},
	{"meta", TAG_VOID},
	{"meter", TAG_MAYBE},
	{"nav", TAG_BLOCK},
	{"noembed", TAG_NEVER_RAW},
	{"noframes", TAG_NEVER_RAW},
	{"nolayer", TAG_MAYBE},
	{"noscript", TAG_MAYBE},
	{"object", TAG_MAYBE},
	{"ol", TAG_BLOCK | TAG_LIST},
	{"optgroup", TAG_BLOCK},
	{"option", TAG_BLOCK},
	{"p", TAG_BLOCK},
	{"param", TAG_VOID},
	{"plaintext", TAG_HIDDEN_RAW},
	{"pre", TAG_PRE | TAG_BLOCK},
	{"progress", TAG_MAYBE},
	{"rb", TAG_RUBY},
	{"rp", TAG_RUBY | TAG_MAYBE},
	{"rt", TAG_RUBY | TAG_MAYBE},
	{"rtc", TAG_RUBY | TAG_MAYBE},
	{"ruby", TAG_RUBY},
	{"s", TAG_MAYBE},
	{"script", TAG_HIDDEN_RAW},
	{"search", TAG_BLOCK},
	{"section", TAG_BLOCK},
	{"select", TAG_BLOCK},
	{"source", TAG_VOID},
	{"span", 0},
	{"strike", TAG_MAYBE},
	{"strong", 0},
	{"style", TAG_HIDDEN_RAW},
	{"sub", TAG_MAYBE},
	{"summary", TAG_BLOCK},
	{"sup", TAG_MAYBE},
	{"svg", TAG_FOREIGN},
	{"table", TAG_BLOCK | TAG_TABLE},
	{"tbody", TAG_BLOCK},
	{"td", TAG_CELL},
	{"template", TAG_MAYBE},
	{"text", TAG_BLOCK},
	{"textarea", TAG_SHOWN_CHARS | TAG_BLOCK},
	{"tfoot", TAG_BLOCK},
	{"th", TAG_CELL},
	{"thead", TAG_BLOCK},
	{"title", TAG_SHOWN_CHARS | TAG_MAYBE},
	{"tr", TAG_BLOCK | TAG_ROW},
	{"track", TAG_VOID},
	{"u", 0},
	{"ul", TAG_BLOCK | TAG_LIST},
	{"video", TAG_MAYBE},
	{"wbr", TAG_VOID},
	{"xmp", TAG_SHOWN_RAW | TAG_BLOCK},
};

static int compare_tag(const void *key, const void *row)
{
	return strcmp(key, ((const Tag *)row)->name);
}

static const Tag *find_tag(const char *name)
{
	return bsearch(name, tags, G_N_ELEMENTS(tags), sizeof *tags, compare_tag);
}

static gsize take_name(Html *h, char *name, gsize size)
{
	gsize n = 0;
	for (; h->p < h->end && !g_ascii_isspace(*h->p) && *h->p != '/' && *h->p != '>'
		&& *h->p != '='; h->p++)
		if (n + 1 < size)
			name[n++] = g_ascii_tolower(*h->p);
	name[n] = '\0';
	return n;
}

/* ---- attributes ----------------------------------------------------------------------- */

static guint64 hash_of(const char *name, const char *value, const char *end)
{
	guint64 hash = 0xcbf29ce484222325;
	for (; *name != '\0'; name++)
		hash = (hash ^ (guchar)*name) * 0x100000001b3;
	for (; value < end; value++)
		hash = (hash ^ (guchar)*value) * 0x100000001b3;
	return hash | 1;
}

/* The place of a value that comes again and again: true if it is there already.  One that has
 * the place of another is only looked at once more. */
static bool remembered(Html *h, const char *name, const char *value, const char *end,
	Remembered **place)
{
	guint64 hash = hash_of(name, value, end);
	*place = &h->remembered[(hash >> 20) & (REMEMBERED - 1)];
	if ((*place)->hash == hash)
		return true;
	**place = (Remembered){hash, 0};
	return false;
}

/* Layout is a few letters, a length, a colour; what has more digits may be a number. */
static bool is_layout(const char *value, const char *end)
{
	guint digits = 0;
	if (end - value == 7 && *value == '#')
		return true;
	for (const char *p = value; p < end; p++)
		digits += g_ascii_isdigit(*p) != 0 || *p == '@';
	return end - value <= 40 && digits <= 4;
}

static void put_inner(Html *h, const char *what, const char *type, GByteArray *bytes)
{
	MsHtmlInner *inner = g_new0(MsHtmlInner, 1);
	inner->what = what;
	inner->type = g_strdup(type);
	inner->bytes = bytes;
	g_ptr_array_add(h->out->inner, inner);
}

static void put_decoded(GString *out, const char *value, const char *end)
{
	while (value < end) {
		const char *amp = memchr(value, '&', (gsize)(end - value));
		const char *stop = amp != NULL ? amp : end;
		g_string_append_len(out, value, stop - value);
		value = amp != NULL ? put_character(amp, end, out) : end;
	}
}

/* A link's target is read as it is sent and as it is meant. */
static void put_unescaped(GString *out, gsize start)
{
	if (memchr(out->str + start, '%', out->len - start) == NULL)
		return;
	gsize len = out->len - start - 1; /* its line's end */
	const char *from = out->str + start;
	g_autoptr(GString) plain = ms_links_unescaped(from, len);
	if (plain == NULL)
		return;
	g_string_append_len(out, plain->str, (gssize)plain->len);
	g_string_append_c(out, '\n');
}

static void put_attribute(Html *h, const char *name, const char *value, const char *end)
{
	GString *out = h->out->attributes;
	gsize start = out->len;
	put_decoded(out, value, end);
	ms_data_uris_take(out, start, h->out->inner);
	if (strcmp(name, "srcdoc") == 0) {
		put_inner(h, "srcdoc", "text/html", g_byte_array_append(ms_bytes_new(),
			(const guint8 *)out->str + start, (guint)(out->len - start)));
		g_string_truncate(out, start);
		return;
	}
	g_string_append_c(out, '\n');
	put_unescaped(out, start);
}

/* Names of rules and of elements: that they label something must not be taken for a label of
 * what comes next, so words stand between. */
static void put_word(Html *h, const char *name, const char *value, const char *end)
{
	g_string_append_printf(h->out->attributes, "is of the %s ", name);
	put_decoded(h->out->attributes, value, end);
	g_string_append_c(h->out->attributes, '\n');
}

/* An attribute of the sender's own: its name says what its value is. */
static void put_own(Html *h, const char *name, const char *value, const char *end)
{
	g_autoptr(GString) decoded = g_string_new(NULL);
	put_decoded(decoded, value, end);
	ms_data_uris_take(decoded, 0, h->out->inner);
	const char *own = g_str_has_prefix(name, "data-") ? name + 5 : name;
	ms_named_value(h->out->named, own, decoded->str, decoded->len);
}

static void take_style(Html *h, const char *value, const char *end, TagFacts *facts)
{
	Remembered *place;
	if (!remembered(h, "style", value, end, &place)) {
		g_autoptr(GString) text = g_string_new(NULL);
		put_decoded(text, value, end);
		place->says = ms_hide_style(text->str, text->len);
		if ((place->says & MS_HIDE_SPEAKS) != 0)
			put_attribute(h, "style", value, end);
	}
	facts->says |= place->says;
	facts->style = (Piece){value, end};
}

static void take_class(Html *h, const char *value, const char *end, TagFacts *facts)
{
	Remembered *place;
	if (!remembered(h, "class", value, end, &place)) {
		place->says = ms_hide_names(h->rules, '.', value, end);
		put_word(h, "class", value, end);
	}
	facts->says |= place->says;
	facts->classes = (Piece){value, end};
}

static gint64 number_of(const char *value, const char *end)
{
	char digits[20];
	gsize n = MIN((gsize)(end - value), sizeof digits - 1);
	memcpy(digits, value, n);
	digits[n] = '\0';
	return g_ascii_strtoll(digits, NULL, 10);
}

/* The words of the standard that carry text; what else stands in no table has a name of the
 * sender's own. */
static bool is_telling(const char *name)
{
	static const char *const names[] = {"action", "alt", "aria-label", "background", "cite",
		"code", "codebase", "content", "data", "datetime", "download", "formaction", "href",
		"imagesrcset", "label", "list", "longdesc", "name", "pattern", "ping",
		"placeholder", "poster", "src", "srcdoc", "srcset", "standby", "summary", "title",
		"usemap", "value", "xlink:href", NULL};
	return g_strv_contains(names, name);
}

/* A name that is no word of the standard: what was meant as text, such as <anna@b.example>. */
static void put_odd_name(Html *h, const char *from, const char *until)
{
	bool odd = false;
	for (const char *p = from; p < until && !odd; p++)
		odd = g_ascii_isdigit(*p) || *p == '@';
	if (!odd)
		return;
	put_decoded(h->out->comments, from, until);
	g_string_append_c(h->out->comments, '\n');
}

enum {
	IS_LAYOUT = 1, /* the table of structural items names it */
	IS_TELLING,
	IS_OWN,
	IS_STYLE,
	IS_CLASS,
	IS_NAME,
	IS_HIDDEN,
	IS_COLOUR,
	IS_NUMBER,
	IS_COLUMNS,
	IS_ROWS,
};

static guint ask_attribute(const char *name)
{
	static const struct {
		const char *name;
		guint is;
	} rows[] = {{"style", IS_STYLE}, {"class", IS_CLASS}, {"id", IS_NAME}, {"for", IS_NAME},
		{"headers", IS_NAME}, {"hidden", IS_HIDDEN}, {"color", IS_COLOUR},
		{"start", IS_NUMBER}, {"value", IS_NUMBER}, {"colspan", IS_COLUMNS},
		{"rowspan", IS_ROWS}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].is;
	g_autofree char *item = g_strconcat("@", name, NULL);
	if (ms_structural("html", item) != NULL)
		return IS_LAYOUT;
	return is_telling(name) ? IS_TELLING : IS_OWN;
}

static void take_layout(Html *h, const char *name, const char *value, const char *end)
{
	Remembered *place;
	if (!is_layout(value, end) && !remembered(h, name, value, end, &place))
		put_attribute(h, name, value, end);
}

static void take_number(Html *h, const char *name, const char *value, const char *end,
	TagFacts *facts)
{
	if (end > value) {
		facts->numbered = true;
		facts->number = number_of(value, end);
	}
	if (*name == 'v')
		put_attribute(h, name, value, end);
	else
		take_layout(h, name, value, end);
}

static bool asks(Html *h, const char *from, const char *until)
{
	Remembered *place;
	if (until - from < LEAST_OWN || until - from > MOST_OWN)
		return false;
	if (!remembered(h, "?", from, until, &place)) {
		g_autofree char *word = g_strndup(from, (gsize)(until - from));
		place->says = ms_name_asks(word);
	}
	return place->says != 0;
}

/* data-field="customerNumber": the sender's own, which says what the text is if it asks for a
 * number.  Not class, which is mostly of how all of a text looks: "reference-text". */
static void note_own(
	Html *h, TagFacts *facts, const char *name, const char *value, const char *end)
{
	if (facts->n_sayers < MAX_SAYERS && g_str_has_prefix(name, "data-") && asks(h, value, end))
		facts->sayers[facts->n_sayers++] = (Piece){value, end};
}

/* <input name="customer_no" value="4711">, <meta name="..." content="..."> */
static void note_pair(
	Html *h, TagFacts *facts, const char *name, const char *value, const char *end)
{
	static const char *const sayers[] = {"name", "itemprop", "property", "aria-label",
		"placeholder", "title", "id", "data-label", "data-title", "data-th", NULL};
	/* The number of a cell, whatever it shows: Excel's, LibreOffice's, of those that sort. */
	static const char *const kept[] = {"x:num", "sdval", "data-value", "data-order", "data-sort",
		"data-sort-value", NULL};
	const Piece piece = {value, end};
	if (strcmp(name, "value") == 0 || strcmp(name, "content") == 0 ||
		(facts->value.from == NULL && g_strv_contains(kept, name)))
		facts->value = piece;
	else if (strcmp(name, "type") == 0)
		facts->type = piece;
	else if (strcmp(name, "alt") == 0)
		facts->alt = piece;
	else if (strcmp(name, "sdnum") == 0)
		facts->number_format = piece;
	else if (facts->n_sayers < MAX_SAYERS && g_strv_contains(sayers, name))
		facts->sayers[facts->n_sayers++] = piece;
	else
		note_own(h, facts, name, value, end);
	if (facts->n_sayers > 1 && strcmp(name, "name") == 0) { /* what the sender's program reads */
		facts->sayers[facts->n_sayers - 1] = facts->sayers[0];
		facts->sayers[0] = piece;
	}
}

/* <textarea name="customer_no">4711</textarea>, <td data-label="Customer no.">4711</td>: what says
 * what the text of the element is. */
static void begin_headed(Html *h, guint64 key, const TagFacts *facts)
{
	g_autoptr(GString) names = NULL;
	for (guint i = 0; i < facts->n_sayers; i++) {
		names = names != NULL ? names : g_string_new(NULL);
		put_decoded(names, facts->sayers[i].from, facts->sayers[i].until);
		g_string_append_c(names, '\n');
	}
	/* Others of the name are counted, so that the right end is theirs. */
	if (names != NULL || ms_headed_is_open(h->out->headed, key))
		ms_headed_begin(h->out->headed, key, names != NULL ? names->str : NULL,
			text_out(h));
}

/* The choices of a list have their list's name. */
static void put_pairs(Html *h, const char *tag, TagFacts *facts)
{
	if (strcmp(tag, "select") == 0)
		h->choice = facts->n_sayers > 0 ? facts->sayers[0] : (Piece){NULL, NULL};
	else if (strcmp(tag, "option") == 0 && facts->n_sayers == 0 && h->choice.from != NULL)
		facts->sayers[facts->n_sayers++] = h->choice;
	const Piece *said = &facts->value;
	if (said->from == NULL || facts->n_sayers == 0 ||
		!ms_has_digit(said->from, (gsize)(said->until - said->from)))
		return;
	g_autoptr(GString) value = g_string_new(NULL);
	put_decoded(value, facts->value.from, facts->value.until);
	for (guint i = 0; i < facts->n_sayers; i++) {
		g_autoptr(GString) name = g_string_new(NULL);
		put_decoded(name, facts->sayers[i].from, facts->sayers[i].until);
		ms_named_value(h->out->named, name->str, value->str, value->len);
	}
}

/* What stands in a field of a form is seen where the field is. */
static void show_field(Html *h, const TagFacts *facts)
{
	static const char *const unseen[] = {"hidden", "checkbox", "radio", "file", "image",
		"password", "color", "range", NULL};
	g_autofree char *type = facts->type.from == NULL
		? g_strdup("text")
		: g_ascii_strdown(facts->type.from, facts->type.until - facts->type.from);
	if (facts->value.from == NULL || g_strv_contains(unseen, type))
		return;
	GString *out = text_out(h);
	g_string_append_c(out, ' ');
	put_decoded(out, facts->value.from, facts->value.until);
	g_string_append_c(out, ' ');
}

/* Where pictures are not fetched, their words stand in their places. */
static void show_alt(Html *h, const TagFacts *facts)
{
	g_autoptr(GString) text = g_string_new(NULL);
	if (facts->alt.from == NULL)
		return;
	put_decoded(text, facts->alt.from, facts->alt.until);
	add_beside(h, text->str, text->len);
}

static void take_attribute(Html *h, const char *name, const char *value, const char *end,
	TagFacts *facts)
{
	/* What a name is, is asked once for each. */
	Remembered *place;
	note_pair(h, facts, name, value, end);
	if (!remembered(h, name, NULL, NULL, &place))
		place->says = ask_attribute(name);
	switch (place->says) {
	case IS_STYLE:
		take_style(h, value, end, facts);
		break;
	case IS_CLASS:
		take_class(h, value, end, facts);
		break;
	case IS_NAME:
		facts->says |= ms_hide_names(h->rules, '#', value, end);
		facts->id = (Piece){value, end};
		put_word(h, name, value, end);
		break;
	case IS_HIDDEN:
		facts->says |= MS_HIDE_SURE;
		take_layout(h, name, value, end);
		break;
	case IS_COLOUR:
		facts->says |= ms_hide_is_pale(value, end) ? MS_HIDE_MAYBE : 0;
		take_layout(h, name, value, end);
		break;
	case IS_NUMBER:
		take_number(h, name, value, end, facts);
		break;
	case IS_COLUMNS:
	case IS_ROWS:
		*(place->says == IS_ROWS ? &facts->rows : &facts->columns) =
			number_of(value, end);
		take_layout(h, name, value, end);
		break;
	case IS_LAYOUT:
		take_layout(h, name, value, end);
		break;
	case IS_TELLING:
		put_attribute(h, name, value, end);
		break;
	default:
		put_odd_name(h, name, name + strlen(name));
		put_own(h, name, value, end);
	}
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

/* Up to and with ">". */
static void attributes(Html *h, TagFacts *facts)
{
	while (h->p < h->end && *h->p != '>') {
		if (g_ascii_isspace(*h->p) || *h->p == '/' || *h->p == '=') {
			h->p++;
			continue;
		}
		char name[32];
		const char *from = h->p;
		take_name(h, name, sizeof name);
		const char *until = h->p;
		while (h->p < h->end && g_ascii_isspace(*h->p))
			h->p++;
		if (h->p == h->end || *h->p != '=') {
			facts->says |= strcmp(name, "hidden") == 0 ? MS_HIDE_SURE : 0;
			facts->reversed = facts->reversed || strcmp(name, "reversed") == 0;
			put_odd_name(h, from, until);
			continue;
		}
		if ((gsize)(until - from) >= sizeof name)
			put_odd_name(h, from, until);
		h->p++;
		const char *start, *stop;
		take_value(h, &start, &stop);
		take_attribute(h, name, start, stop, facts);
	}
	if (h->p < h->end)
		h->p++;
}

/* ---- elements ------------------------------------------------------------------------- */

/* Where the end tag of an element without markup begins; NULL if it has none. */
static const char *raw_end(const Html *h, const char *name)
{
	gsize n = strlen(name);
	for (const char *p = h->p; p < h->end; p++) {
		p = memchr(p, '<', (gsize)(h->end - p));
		if (p == NULL || (gsize)(h->end - p) < n + 3)
			return NULL;
		if (p[1] == '/' && g_ascii_strncasecmp(p + 2, name, n) == 0
			&& (g_ascii_isspace(p[2 + n]) || p[2 + n] == '/' || p[2 + n] == '>'))
			return p;
	}
	return NULL;
}

static void open_optional(Html *h, const char *name)
{
	g_strlcpy(h->optional_tag, name, sizeof h->optional_tag);
	h->optional_depth = 1;
	h->optional_from = h->out->visible->len;
}

static void close_optional(Html *h)
{
	if (h->optional_depth == 0)
		return;
	h->optional_depth = 0;
	h->old_comment_end = NULL;
	add_stretch(h, (Stretch){h->optional_from, h->out->visible->len, 0, 0,
		h->optional_turned, false});
	h->optional_turned = false;
}

static void run(Html *h);

/* <iframe>, <noembed>, <noframes>: markup to clients that do not know them, nothing to others. */
static void never_shown(Html *h, const char *name, const char *stop)
{
	const char *end = h->end;
	bool first = h->optional_depth == 0 && text_out(h) == h->out->visible;
	if (first)
		open_optional(h, name);
	h->end = stop;
	run(h);
	h->end = end;
	if (first)
		close_optional(h);
}

static void style_text(Html *h, const char *from, const char *stop)
{
	gsize start = h->out->hidden->len;
	g_string_append_len(h->out->hidden, from, stop - from);
	if (ms_is_json((const guint8 *)from, (gsize)(stop - from))) /* <script type=...ld+json> */
		put_inner(h, "data", "application/json",
			g_byte_array_append(ms_bytes_new(), (const guint8 *)from,
				(guint)(stop - from)));
	ms_data_uris_take(h->out->hidden, start, h->out->inner);
	ms_script_strings(h->out->hidden, start, h->out->inner);
	break_text(h->out->hidden, '\n');
}

/* A title in the middle of a line is one that no client shows there. */
static void shown_characters(Html *h, const Tag *tag, const char *stop)
{
	bool within = (tag->is & TAG_MAYBE) != 0 && !h->in_comment && h->hidden_depth == 0 &&
		h->optional_depth == 0 && h->out->visible->len > h->line_start;
	if (within)
		open_optional(h, tag->name);
	put_decoded(text_out(h), h->p, stop);
	if (within)
		close_optional(h);
	else
		put_break(h, '\n');
}

/* The text of script, style and the like goes on to its own end tag; false if there is none:
 * then it is read as markup as well, for clients differ. */
static bool raw_text(Html *h, const Tag *tag)
{
	guint bit = 1U << ((guint)(tag - tags) % 31);
	const char *stop = (h->unclosed & bit) == 0 ? raw_end(h, tag->name) : NULL;
	if (stop == NULL) {
		if ((h->unclosed & bit) == 0 && (tag->is & TAG_HIDDEN_RAW) != 0)
			style_text(h, h->p, h->end);
		h->unclosed |= bit;
		return false;
	}
	if ((tag->is & TAG_NEVER_RAW) != 0) {
		never_shown(h, tag->name, stop);
	} else if ((tag->is & TAG_HIDDEN_RAW) != 0) {
		style_text(h, h->p, stop);
	} else if ((tag->is & TAG_SHOWN_RAW) != 0) {
		g_string_append_len(text_out(h), h->p, stop - h->p);
		put_break(h, '\n');
	} else {
		shown_characters(h, tag, stop);
	}
	h->p = stop;
	return true;
}

static void close_hidden(Html *h)
{
	const GString *hidden = h->out->hidden;
	gsize at = h->out->visible->len;
	if (hidden->len > h->hidden_from)
		add_stretch(h, (Stretch){at, at, h->hidden_from, hidden->len, false, false});
}

/* Builders of newsletters set the letters of all boxes to nothing, so that no blank between two
 * takes room, and give each piece of text its size again. */
static void show_sized(Html *h, guint says)
{
	if (h->hidden_depth == 0 || !h->hidden_small ||
		(says & (MS_HIDE_SIZED | MS_HIDE_SURE)) == 0)
		return;
	h->hidden_depth = 0;
	close_hidden(h);
	if (h->hidden_block)
		put_break(h, '\n');
}

static void track_hidden(Html *h, const char *name, bool closing, bool hides)
{
	if (h->hidden_depth == 0) {
		if (!closing && hides && !h->in_comment) {
			g_strlcpy(h->hidden_tag, name, sizeof h->hidden_tag);
			h->hidden_depth = 1;
			break_text(h->out->hidden, '\n');
			h->hidden_from = h->out->hidden->len;
		}
	} else if (strcmp(name, h->hidden_tag) == 0) {
		h->hidden_depth += closing ? -1U : 1U;
		if (h->hidden_depth == 0)
			close_hidden(h);
	}
}

/* Only what stands in the visible text can be missing in it. */
static void track_optional(Html *h, const char *name, guint is, bool closing, bool maybe)
{
	if (h->in_comment || h->hidden_depth > 0)
		return;
	if (h->optional_depth > 0) {
		if (strcmp(name, h->optional_tag) == 0)
			h->optional_depth += closing ? -1U : 1U;
		if (h->optional_depth > 0)
			return;
		h->optional_depth = 1;
		close_optional(h);
		if (closing)
			return;
	}
	if (!closing && maybe && (is & (TAG_VOID | TAG_RAW)) == 0)
		open_optional(h, name);
}

/* An annotation ends where the next one begins. */
static void end_ruby(Html *h, guint is)
{
	if ((is & TAG_RUBY) != 0 && h->optional_depth > 0 && h->optional_tag[0] == 'r')
		close_optional(h);
}

static void list_tag(Html *h, bool closing, const TagFacts *facts)
{
	if (closing) {
		h->n_lists -= h->n_lists > 0;
		return;
	}
	if (h->n_lists < MAX_LISTS)
		h->lists[h->n_lists] = (List){facts->number,
			!facts->numbered ? 0 : facts->reversed ? -1 : 1};
	h->n_lists++;
}

/* A number that a client writes before the item. */
static void item_tag(Html *h, const TagFacts *facts)
{
	List none = {0, 0};
	List *list = h->n_lists > 0 && h->n_lists <= MAX_LISTS ? &h->lists[h->n_lists - 1] : &none;
	if (facts->numbered)
		*list = (List){facts->number, list->step != 0 ? list->step : 1};
	if (list->step == 0)
		return;
	g_string_append_printf(text_out(h), "%" G_GINT64_FORMAT ". ", list->next);
	if (list->next > G_MININT32 && list->next < G_MAXINT32)
		list->next += list->step;
}

/* What sets the tag off from what stands before it, by a style or by itself: the end of a line, a
 * tab or nothing.  An element without an end tag is closed with the one around it. */
static char mark_of(Html *h, const char *name, guint is, bool closing, guint says)
{
	char plain = (is & TAG_CELL) != 0 ? '\t' : (is & TAG_BLOCK) != 0 ? '\n' : '\0';
	if (closing) {
		for (guint i = h->n_displays; i-- > 0;) {
			Display *d = &h->displays[i];
			if (strcmp(d->tag, name) != 0)
				continue;
			if (--d->depth > 0)
				return plain;
			h->n_displays = i;
			return d->mark;
		}
		return plain;
	}
	if ((is & (TAG_VOID | TAG_CELL)) != 0)
		return plain;
	char mark = (says & MS_HIDE_BLOCK) != 0    ? '\n'
		: (says & MS_HIDE_INLINE) != 0 ? '\0'
					       : plain;
	if ((plain == '\0' && (says & (MS_HIDE_APART | MS_HIDE_MAYBE)) == MS_HIDE_APART) ||
		(plain == '\n' && (says & MS_HIDE_CELL) != 0))
		mark = '\t';
	if (mark != plain && h->n_displays < MAX_DISPLAYS) {
		Display *d = &h->displays[h->n_displays++];
		*d = (Display){.depth = 1, .mark = mark, .tag = {0}};
		g_strlcpy(d->tag, name, sizeof d->tag);
		return mark;
	}
	for (guint i = 0; i < h->n_displays; i++)
		h->displays[i].depth += strcmp(h->displays[i].tag, name) == 0;
	return plain;
}

/* ---- formats of numbers ---------------------------------------------------------------- */

static const char *keep_format(Html *h, const char *format)
{
	if (h->formats == NULL)
		h->formats = g_string_chunk_new(1024);
	return g_string_chunk_insert_const(h->formats, format);
}

/* sdnum="1033;0;FORMAT", of languages by their numbers. */
static const char *libreoffice_format(Html *h, Piece said)
{
	g_autoptr(GString) all = g_string_new(NULL);
	put_decoded(all, said.from, said.until);
	const char *format = strchr(all->str, ';');
	format = format != NULL ? strchr(format + 1, ';') : NULL;
	return format != NULL ? keep_format(h, format + 1) : NULL;
}

/* By what an element of a table shows its numbers, if it says so; what is nearest counts. */
static const char *format_of(Html *h, const char *tag, const TagFacts *facts)
{
	const char *format = NULL;
	if (facts->number_format.from != NULL)
		return libreoffice_format(h, facts->number_format);
	if ((facts->says & MS_HIDE_FORMAT) == 0)
		return NULL;
	if (facts->style.from != NULL) {
		g_autoptr(GString) style = g_string_new(NULL);
		put_decoded(style, facts->style.from, facts->style.until);
		g_autofree char *own = ms_hide_number_format(style->str, style->len);
		format = own != NULL ? keep_format(h, own) : NULL;
	}
	if (format == NULL)
		format = ms_hide_names_format(h->rules, '#', facts->id.from, facts->id.until);
	if (format == NULL)
		format = ms_hide_names_format(
			h->rules, '.', facts->classes.from, facts->classes.until);
	return format != NULL ? format : ms_hide_tag_format(h->rules, tag);
}

/* What stands in a cell, or is kept of it, as Excel shows it: "KD-"0000 makes KD-0417 of 417. */
static void show_cell(Html *h, const Table *table)
{
	const char *format = table->cell_format != NULL ? table->cell_format
		: table->row_format != NULL ? table->row_format
					    : table->format;
	GString *out = h->out->variants;
	if (format == NULL)
		return;
	g_autoptr(GString) value = g_string_new(NULL);
	const GString *visible = h->out->visible;
	gsize from = MIN(table->from, visible->len);
	if (table->kept.until > table->kept.from)
		put_decoded(value, table->kept.from, table->kept.until);
	else
		g_string_append_len(value, visible->str + from, (gssize)(visible->len - from));
	g_strstrip(value->str);
	if (*value->str != '\0' && strlen(value->str) <= MOST_SHOWN &&
		ms_number_value_shown(out, value->str, format))
		g_string_append_c(out, '\n');
}

/* ---- tables --------------------------------------------------------------------------- */

/* The innermost one; NULL: there is none, or too many are open. */
static Table *table_of(Html *h)
{
	return h->n_tables > 0 && h->n_tables <= MAX_TABLES ? &h->tables[h->n_tables - 1] : NULL;
}

static void cut_off(Html *h, gsize len)
{
	g_string_truncate(h->out->visible, len);
	h->line_start = MIN(h->line_start, len);
}

/* The end of a line that a paragraph had in the cell is the cell's; not that of a row of a table in
 * it which has several. */
static void join_line(Html *h, gsize from)
{
	const GString *out = h->out->visible;
	gsize len = out->len;
	if (len > from && out->str[len - 1] == '\n' &&
		(len - 1 == from || out->str[len - 2] != '\t' ||
			memchr(out->str + from, '\n', len - from - 1) == NULL))
		cut_off(h, len - 1);
}

/* A paragraph that begins the cell sets nothing apart. */
static bool begins_cell(Html *h)
{
	const Table *table = table_of(h);
	return table != NULL && table->columns > 0 && (table->column > 0 || table->in_line) &&
		text_out(h) == h->out->visible && h->out->visible->len == table->from;
}

/* Does a tag of this name, of two letters, begin at `p`? */
static bool is_tag(const char *p, gsize left, char second)
{
	return left > 3 && g_ascii_tolower(p[1]) == 't' && g_ascii_tolower(p[2]) == second &&
		!g_ascii_isalpha(p[3]);
}

/* Has the table that begins here one cell alone, and so have those in it?  Mail is laid out with
 * them. */
static bool has_one_cell(const Html *h)
{
	const char *end = h->end - h->p > MAX_ONE_CELL ? h->p + MAX_ONE_CELL : h->end;
	guint tables = 1, cells = 0, open = 1;
	for (const char *p = h->p; (p = memchr(p, '<', (gsize)(end - p))) != NULL; p++) {
		gsize left = (gsize)(end - p);
		if (left > 6 && g_ascii_strncasecmp(p, "<table", 6) == 0) {
			tables++;
			open++;
		} else if (left > 7 && g_ascii_strncasecmp(p, "</table", 7) == 0 && --open == 0) {
			return cells <= tables;
		}
		cells += is_tag(p, left, 'd') || is_tag(p, left, 'h');
		if (cells > tables)
			return false;
	}
	return false;
}

/* Nothing of it is there yet. */
static bool begins_in_line(Html *h)
{
	const Table *table = table_of(h);
	return table != NULL && table->in_line && table->columns == 0 && table->column == 0;
}

static void end_cell(Html *h)
{
	Table *table = table_of(h);
	GString *out = h->out->visible;
	if (table == NULL || table->columns == 0 || text_out(h) != out) {
		put_break(h, '\t');
		return;
	}
	join_line(h, table->from);
	show_cell(h, table);
	if (out->len > table->from && out->str[out->len - 1] != '\n')
		break_text(out, '\t');
	else if (out->len <= table->from)
		g_string_append_c(out, '\t');
	for (guint i = 1; i < table->columns; i++)
		g_string_append_c(out, '\t');
	table->column += table->columns;
	table->columns = 0;
}

/* Passes over the columns that cells above take. */
static void skip_taken(Html *h, Table *table)
{
	for (; table->column < MAX_COLUMNS && table->below[table->column] > 0; table->column++) {
		table->below[table->column]--;
		g_string_append_c(h->out->visible, '\t');
	}
}

/* The text of the cell in a column of a row that begins at `p`. */
static char *cell_at(const char *p, const char *end, guint column)
{
	for (; column > 0 && p < end && *p != '\n'; p++)
		column -= *p == '\t';
	const char *from = p;
	while (p < end && *p != '\t' && *p != '\n')
		p++;
	return g_strndup(from, (gsize)(p - from));
}

/* What a cell keeps beside its text is of what its column's head and the cell before it say. */
static void name_kept(Html *h, const Table *table, const Piece *kept)
{
	const char *text = h->out->visible->str;
	if (kept->from == NULL || !ms_has_digit(kept->from, (gsize)(kept->until - kept->from)))
		return;
	g_autofree char *head = table->headed
		? cell_at(text + table->head, text + table->row, table->column) : NULL;
	g_autofree char *before = table->column > 0
		? cell_at(text + table->row, text + table->from, table->column - 1) : NULL;
	const char *const names[] = {head, before};
	g_autoptr(GString) value = g_string_new(NULL);
	put_decoded(value, kept->from, kept->until);
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		if (names[i] == NULL || *names[i] == '\0')
			continue;
		ms_named_open(h->out->named, NULL); /* of no object with others */
		ms_named_value(h->out->named, names[i], value->str, value->len);
		ms_named_close(h->out->named);
	}
}

static void begin_cell(Html *h, const TagFacts *facts, const char *format)
{
	Table *table = table_of(h);
	if (table == NULL || text_out(h) != h->out->visible) {
		put_break(h, '\t');
		return;
	}
	if (table->columns > 0)
		end_cell(h);
	if (table->column == 0)
		table->row = h->out->visible->len;
	if (!table->headed && table->column == 0)
		table->head = table->row;
	table->cell_format = format;
	skip_taken(h, table);
	table->from = h->out->visible->len;
	name_kept(h, table, &facts->value);
	table->kept = facts->value;
	table->columns = (guint)CLAMP(facts->columns, 1, MAX_COLUMNS);
	guint until = MIN(table->column + table->columns, MAX_COLUMNS);
	for (guint i = table->column; i < until && facts->rows > 1; i++)
		table->below[i] = (guint8)(MIN(facts->rows, G_MAXUINT8) - 1);
}

/* Nothing is left of a row in which nothing is. */
static void end_row(Html *h)
{
	Table *table = table_of(h);
	GString *out = h->out->visible;
	if (table == NULL || text_out(h) != out)
		return;
	if (table->columns > 0)
		end_cell(h);
	if (table->column > 0)
		skip_taken(h, table);
	for (guint i = table->column; table->column > 0 && i < MAX_COLUMNS; i++)
		table->below[i] -= table->below[i] > 0;
	table->headed = table->headed || table->column > 0;
	table->column = 0;
	gsize from = out->len;
	while (from > 0 && is_one_of(out->str[from - 1], " \t"))
		from--;
	if (from == 0 || out->str[from - 1] == '\n')
		cut_off(h, from);
}

/* A cell ends where the next one, its row or its table does, too. */
static void table_tag(Html *h, const char *name, guint is, bool closing, const TagFacts *facts)
{
	const char *format = closing ? NULL : format_of(h, name, facts);
	if ((is & TAG_CELL) != 0) {
		if (closing)
			end_cell(h);
		else
			begin_cell(h, facts, format);
	} else if ((is & TAG_ROW) != 0 || closing) {
		end_row(h);
		if ((is & TAG_ROW) != 0 && table_of(h) != NULL)
			table_of(h)->row_format = format;
	}
	if ((is & TAG_TABLE) == 0)
		return;
	if (closing) {
		h->n_tables -= h->n_tables > 0;
		return;
	}
	bool in_line = begins_cell(h) && has_one_cell(h);
	if (h->n_tables++ < MAX_TABLES)
		h->tables[h->n_tables - 1] = (Table){.format = format, .in_line = in_line};
}

/* A drawing within the page: what it shows is read by where it stands (svg.c), too. */
static void foreign_tag(Html *h, const char *name, const char *start, bool closing)
{
	if (closing) {
		h->foreign -= h->foreign > 0;
		return;
	}
	h->foreign++;
	if (strcmp(name, "svg") != 0 || start < h->svg_end || h->svg_end == h->end)
		return;
	const char *stop = raw_end(h, name);
	h->svg_end = stop != NULL ? stop + strlen("</svg>") : h->end;
	gsize len = (gsize)(h->svg_end - start);
	if (stop != NULL && memmem(start, len, "<text", 5) != NULL)
		put_inner(h, "drawing", NULL,
			g_byte_array_append(ms_bytes_new(), (const guint8 *)start, (guint)len));
}

static void tag(Html *h, bool closing)
{
	char name[16];
	const char *from = h->p;
	take_name(h, name, sizeof name);
	Remembered *place;
	if (!remembered(h, "<", name, name + strlen(name), &place)) {
		const Tag *found = find_tag(name);
		place->says = found != NULL ? (guint)(found - tags) + 1 : 0;
	}
	const Tag *known = place->says > 0 ? &tags[place->says - 1] : NULL;
	guint is = known != NULL ? known->is : 0;
	if (known == NULL)
		put_odd_name(h, from, h->p);
	TagFacts facts = {.says = closing ? 0 : ms_hide_tag(h->rules, name)};
	attributes(h, &facts);
	if (closing)
		ms_headed_end(h->out->headed, g_str_hash(name), text_out(h));
	if (facts.value.from != NULL || *name == 's')
		put_pairs(h, name, &facts);
	show_sized(h, facts.says);
	bool small = (facts.says & MS_HIDE_SURE) == 0;
	bool hides = (facts.says & (MS_HIDE_SURE | MS_HIDE_SMALL)) != 0 && (is & TAG_VOID) == 0;
	if (!closing && (is & (TAG_BLOCK | TAG_CELL)) == 0 && !ends_blank(text_out(h)))
		facts.says |= ms_hide_any(h->rules);
	bool maybe = (is & TAG_MAYBE) != 0 || (facts.says & MS_HIDE_MAYBE) != 0;
	end_ruby(h, is);
	/* A hidden block inside a word does not break it for the reader. */
	bool hidden = h->hidden_depth > 0;
	char mark = mark_of(h, name, is, closing, facts.says);
	bool of_table = (is & (TAG_CELL | TAG_ROW | TAG_TABLE)) != 0;
	if (of_table)
		table_tag(h, name, is, closing, &facts);
	if (mark == '\n' && (is & TAG_VOID) == 0 &&
		((!of_table && begins_cell(h)) || (!closing && begins_in_line(h))))
		mark = '\0';
	if ((mark == '\t' && (is & TAG_CELL) == 0) || (mark == '\n' && (hidden || !hides)))
		put_break(h, mark);
	bool turned = !closing && ((facts.says & MS_HIDE_TURNED) != 0 || strcmp(name, "bdo") == 0);
	track_optional(h, name, is, closing, (maybe || turned) && !hides);
	h->optional_turned = h->optional_turned || (turned && h->optional_depth > 0);
	track_hidden(h, name, closing, hides);
	if (!hidden && hides) {
		h->hidden_small = small;
		h->hidden_block = mark == '\n';
	}
	if ((is & TAG_PRE) != 0)
		h->pre = !closing;
	if ((is & TAG_LIST) != 0)
		list_tag(h, closing, &facts);
	else if ((is & TAG_ITEM) != 0 && !closing)
		item_tag(h, &facts);
	else if (strcmp(name, "input") == 0)
		show_field(h, &facts);
	else if (strcmp(name, "img") == 0)
		show_alt(h, &facts);
	else if ((is & TAG_FOREIGN) != 0)
		foreign_tag(h, name, from - 1, closing);
	if (!closing && (is & TAG_VOID) == 0)
		begin_headed(h, g_str_hash(name), &facts);
	if ((is & TAG_RAW) != 0 && !closing)
		raw_text(h, known);
}

/* ---- comments ------------------------------------------------------------------------- */

/* What a comment holds may be shown: Outlook renders <!--[if mso]>. */
static void read_comment(Html *h, const char *from, const char *stop)
{
	if (h->in_comment) {
		g_string_append_len(h->out->comments, from, stop - from);
		return;
	}
	Html inner = *h;
	inner.p = from;
	inner.end = stop;
	inner.in_comment = true;
	inner.hidden_depth = inner.optional_depth = 0;
	inner.old_comment_end = NULL;
	inner.pre = false;
	inner.unclosed = 0;
	bool outlook = stop - from > 4 && memcmp(from, "[if ", 4) == 0;
	const char *shown = outlook ? memchr(from, '>', (gsize)(stop - from)) : NULL;
	if (shown != NULL)
		inner.p = shown + 1;
	gsize start = h->out->comments->len;
	run(&inner);
	h->formats = inner.formats;
	if (shown != NULL)
		add_beside(h, h->out->comments->str + start, h->out->comments->len - start);
	put_break(&inner, '\n');
}

/* A browser ends the comment here, older clients at the next "-->": what stands between is text
 * to the one and none to the others. */
static void old_comment(Html *h)
{
	if (h->in_comment || h->hidden_depth > 0 || h->optional_depth > 0 || h->no_old_end)
		return;
	const char *close = memmem(h->p, (gsize)(h->end - h->p), "-->", 3);
	h->no_old_end = close == NULL;
	if (close == NULL)
		return;
	open_optional(h, "!--");
	h->old_comment_end = close + 3;
}

static void comment(Html *h)
{
	const char *from = h->p + 4;
	gsize left = (gsize)(h->end - from);
	if (left >= 1 && *from == '>') {
		h->p = from + 1;
		old_comment(h);
		return;
	}
	if (left >= 2 && from[0] == '-' && from[1] == '>') {
		h->p = from + 2;
		old_comment(h);
		return;
	}
	const char *p = from, *close = NULL;
	while (close == NULL && (p = memmem(p, (gsize)(h->end - p), "--", 2)) != NULL) {
		gsize after = (gsize)(h->end - p);
		if (after >= 3 && p[2] == '>')
			close = p;
		else if (after >= 4 && p[2] == '!' && p[3] == '>')
			close = p;
		else
			p++;
	}
	const char *stop = close != NULL ? close : h->end;
	h->p = close == NULL ? h->end : close[2] == '>' ? close + 3 : close + 4;
	read_comment(h, from, stop);
	if (close != NULL && close[2] == '!')
		old_comment(h);
}

/* <!x>, <?x>, </ x> */
static void bogus_comment(Html *h)
{
	const char *close = memchr(h->p, '>', (gsize)(h->end - h->p));
	const char *stop = close != NULL ? close : h->end;
	gsize len = (gsize)(stop - h->p) - 2;
	if (len != strlen("[endif]") || memcmp(h->p + 2, "[endif]", len) != 0) {
		g_string_append_len(h->out->comments, h->p + 2, (gssize)len);
		g_string_append_c(h->out->comments, '\n');
	}
	h->p = close != NULL ? close + 1 : h->end;
}

/* <![CDATA[...]]>: text in a drawing, and everywhere to clients that know XML; to a browser a
 * comment that ends at the first ">". */
static void cdata(Html *h)
{
	const char *from = h->p + 9;
	const char *close = NULL;
	if (from >= h->cdata_end)
		close = memmem(from, (gsize)(h->end - from), "]]>", 3);
	if (h->foreign > 0 && close != NULL) {
		g_string_append_len(text_out(h), from, close - from);
		h->p = close + 3;
		return;
	}
	if (close != NULL) {
		g_string_append_len(h->out->comments, from, close - from);
		g_string_append_c(h->out->comments, '\n');
	}
	/* One within another, and those that never end, are looked for once. */
	if (from >= h->cdata_end)
		h->cdata_end = close != NULL ? close : h->end;
	bogus_comment(h);
}

static void markup(Html *h)
{
	gsize left = (gsize)(h->end - h->p);
	if (left >= 4 && memcmp(h->p, "<!--", 4) == 0) {
		comment(h);
	} else if (left >= 9 && memcmp(h->p, "<![CDATA[", 9) == 0) {
		cdata(h);
	} else if (left >= 2 && (h->p[1] == '!' || h->p[1] == '?')) {
		bogus_comment(h);
	} else if (left >= 2 && g_ascii_isalpha(h->p[1])) {
		h->p++;
		tag(h, false);
	} else if (left >= 3 && h->p[1] == '/' && g_ascii_isalpha(h->p[2])) {
		h->p += 2;
		tag(h, true);
	} else if (left >= 3 && h->p[1] == '/') {
		bogus_comment(h);
	} else {
		g_string_append_c(text_out(h), '<');
		h->p++;
	}
}

static void run(Html *h)
{
	while (h->p < h->end) {
		const char *old = h->old_comment_end;
		text_run(h, old != NULL && old < h->end ? old : h->end);
		if (old != NULL && h->p >= old)
			close_optional(h);
		if (h->p < h->end && *h->p == '<')
			markup(h);
	}
}

/* ---- the whole ------------------------------------------------------------------------ */

MsHtml *ms_html_new(void)
{
	MsHtml *html = g_new0(MsHtml, 1);
	html->visible = g_string_new(NULL);
	html->hidden = g_string_new(NULL);
	html->attributes = g_string_new(NULL);
	html->comments = g_string_new(NULL);
	html->variants = g_string_new(NULL);
	html->named = ms_named_new();
	html->headed = ms_headed_new();
	html->inner = ms_inner_new();
	return html;
}

void ms_html_free(MsHtml *html)
{
	if (html == NULL)
		return;
	g_string_free(html->visible, TRUE);
	g_string_free(html->hidden, TRUE);
	g_string_free(html->attributes, TRUE);
	g_string_free(html->comments, TRUE);
	g_string_free(html->variants, TRUE);
	ms_named_free(html->named);
	ms_headed_free(html->headed);
	g_ptr_array_unref(html->inner);
	g_free(html);
}

/* What the style sheets hide is to be known before the first element. */
static void read_style_sheets(Html *h)
{
	const char *p = h->p;
	while ((p = memchr(p, '<', (gsize)(h->end - p))) != NULL) {
		p++;
		if (h->end - p < 6 || g_ascii_strncasecmp(p, "style", 5) != 0)
			continue;
		const char *from = memchr(p, '>', (gsize)(h->end - p));
		Html at = {.p = from, .end = h->end};
		const char *stop = from != NULL ? raw_end(&at, "style") : NULL;
		if (stop == NULL)
			return;
		ms_hide_sheet(h->rules, from + 1, (gsize)(stop - from - 1));
		p = stop;
	}
}

void ms_html_read(const char *html, gsize len, MsHtml *out)
{
	Html h = {.p = html, .end = html + len, .out = out, .svg_end = html, .cdata_end = html};
	h.rules = ms_hide_new();
	h.stretches = g_array_new(FALSE, FALSE, sizeof(Stretch));
	h.beside = g_string_new(NULL);
	h.remembered = g_new0(Remembered, REMEMBERED);
	read_style_sheets(&h);
	run(&h);
	if (h.hidden_depth > 0)
		close_hidden(&h);
	close_optional(&h);
	finish_line(&h);
	if (h.formats != NULL)
		g_string_chunk_free(h.formats);
	g_free(h.remembered);
	g_array_unref(h.stretches);
	g_string_free(h.beside, TRUE);
	ms_hide_free(h.rules);
}
