/*
 * SVG is a drawing with letters: where they stand makes the words.  In comes XML, out
 * goes the text in the order in which it is drawn, pieces that stand side by side joined;
 * the same sorted by lines; titles, descriptions, attributes; and the documents written
 * into it.  One message, one thread.
 *
 * Converters place each letter by itself (a <text> or <tspan> each), so pieces of a few
 * letters that follow each other on one line are one word.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "missent/extract.h"
#include "missent/named.h"

#include "hide.h"
#include "html.h"
#include "line.h"
#include "readers.h"
#include "xml.h"

#define SHORT 3    /* letters of a piece that may be part of a word */
#define FEW_USES 8 /* shapes used from elsewhere, before they are taken for letters */

typedef struct {
	double x, y;
	gsize from, until; /* in `text` */
	guint letters;
} Piece;

typedef struct {
	GString *text;  /* of all pieces, one after the other */
	GArray *pieces; /* of Piece */
	GString *rest;  /* what stands elsewhere: titles, descriptions, styles */
	MsNamedText *named;
	GPtrArray *inner;   /* of MsHtmlInner * */
	GHashTable *layout; /* names of attributes that the table of structural items has,
			       to 1 or 2 */
	guint text_depth;   /* open elements since <text>; 0: outside */
	guint aside;        /* that of the one in it that is not drawn; 0: all is */
	double x, y, shift_x, shift_y;
	guint uses, images;
} Svg;

bool ms_is_svg(const guint8 *data, gsize len)
{
	const char *p = (const char *)data, *end = p + MIN(len, 8192);
	if (end - p > 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	for (;;) {
		while (p < end && g_ascii_isspace(*p))
			p++;
		if (end - p < 5 || *p != '<')
			return false;
		const char *close;
		if (g_ascii_strncasecmp(p, "<!--", 4) == 0)
			close = memmem(p, (gsize)(end - p), "-->", 3);
		else if (p[1] == '!' || p[1] == '?')
			close = memchr(p, '>', (gsize)(end - p));
		else
			break;
		if (close == NULL)
			return false;
		/* A document type with entities of its own: "[ ... ]>" */
		const char *bracket = memchr(p, '[', (gsize)(close - p));
		if (bracket != NULL && p[1] == '!' && p[2] != '-')
			close = memmem(bracket, (gsize)(end - bracket), "]>", 2);
		if (close == NULL)
			return false;
		p = (const char *)memchr(close, '>', (gsize)(end - close)) + 1;
	}
	const char *name = p + 1;
	while (p < end && !g_ascii_isspace(*p) && *p != '>' && *p != '/')
		p++;
	return p - name >= 3 && g_ascii_strncasecmp(p - 3, "svg", 3) == 0 &&
	       (p - name == 3 || p[-4] == ':');
}

/* ---- where it stands ------------------------------------------------------------------
 */

static bool number_in(const char *text, double *out)
{
	char *end;
	if (text == NULL)
		return false;
	double value = g_ascii_strtod(text, &end);
	if (end == text || !isfinite(value))
		return false;
	*out = value;
	return true;
}

/* translate(x y), matrix(a b c d x y): the shift; what turns and scales does not part
 * words. */
static void take_transform(Svg *svg, const char *transform)
{
	if (transform == NULL)
		return;
	const char *p = strstr(transform, "translate(");
	int skip = 0;
	if (p == NULL) {
		p = strstr(transform, "matrix(");
		skip = 4;
	}
	if (p == NULL)
		return;
	p = strchr(p, '(') + 1;
	double values[6] = {0};
	for (int i = 0; i < skip + 2; i++) {
		char *end;
		p += strspn(p, " ,\t\r\n");
		values[i] = g_ascii_strtod(p, &end);
		if (end == p)
			return;
		p = end;
	}
	if (isfinite(values[skip]) && isfinite(values[skip + 1])) {
		svg->shift_x = values[skip];
		svg->shift_y = values[skip + 1];
	}
}

static void end_piece(Svg *svg)
{
	if (svg->pieces->len == 0)
		return;
	Piece *last = &g_array_index(svg->pieces, Piece, svg->pieces->len - 1);
	last->until = svg->text->len;
	last->letters = (guint)g_utf8_strlen(
		svg->text->str + last->from, (gssize)(last->until - last->from));
}

static void begin_piece(Svg *svg)
{
	end_piece(svg);
	Piece piece = {svg->x + svg->shift_x, svg->y + svg->shift_y, svg->text->len,
		svg->text->len, 0};
	g_array_append_val(svg->pieces, piece);
}

static void place(Svg *svg, const char *const *attributes, bool first)
{
	double shift;
	bool moved = first;
	moved = number_in(ms_xml_attribute(attributes, "x"), &svg->x) || moved;
	moved = number_in(ms_xml_attribute(attributes, "y"), &svg->y) || moved;
	if (number_in(ms_xml_attribute(attributes, "dy"), &shift) && fabs(shift) >= 0.9) {
		svg->y += shift;
		moved = true;
	}
	if (moved)
		begin_piece(svg);
}

/* ---- attributes -----------------------------------------------------------------------
 */

static bool is_layout_style(const char *value)
{
	return strstr(value, "url(") == NULL && strstr(value, "--") == NULL;
}

/* The table is asked once for each name. */
static bool is_layout(Svg *svg, const char *name)
{
	guint known = GPOINTER_TO_UINT(g_hash_table_lookup(svg->layout, name));
	if (known == 0) {
		g_autofree char *item = g_strconcat("@", name, NULL);
		known = ms_structural("svg", item) != NULL ? 1 : 2;
		g_hash_table_insert(svg->layout, g_strdup(name), GUINT_TO_POINTER(known));
	}
	return known == 1;
}

static void take_attribute(Svg *svg, const char *name, const char *value)
{
	if (is_layout(svg, name) ||
		(strcmp(name, "style") == 0 && is_layout_style(value)))
		return;
	g_autoptr(GString) text = g_string_new(value);
	ms_data_uris_take(text, 0, svg->inner);
	ms_named_value(svg->named, name, text->str, text->len);
}

/* ---- elements -------------------------------------------------------------------------
 */

/* Stands in the text, and is no letters of it. */
static bool is_aside(const char *name, const char *const *attributes)
{
	static const char *const names[] = {"desc", "metadata", "script", "style", "title", NULL};
	const char *display = ms_xml_attribute(attributes, "display");
	const char *style = ms_xml_attribute(attributes, "style");
	return g_strv_contains(names, name)
		|| (display != NULL && strcmp(display, "none") == 0)
		|| (style != NULL && (ms_hide_style(style, strlen(style)) & MS_HIDE_SURE) != 0);
}

static void on_start(void *user, const char *name, const char *const *attributes)
{
	Svg *svg = user;
	for (const char *const *a = attributes; *a != NULL; a += 2)
		take_attribute(svg, a[0], a[1]);
	if (strcmp(name, "use") == 0)
		svg->uses++;
	if (strcmp(name, "image") == 0)
		svg->images++;
	if (strcmp(name, "text") == 0 || strcmp(name, "flowRoot") == 0) {
		svg->text_depth = 1;
		svg->aside = 0;
		svg->x = svg->y = svg->shift_x = svg->shift_y = 0;
		take_transform(svg, ms_xml_attribute(attributes, "transform"));
		place(svg, attributes, true);
	} else if (svg->text_depth > 0) {
		svg->text_depth++;
		if (svg->aside == 0 && is_aside(name, attributes))
			svg->aside = svg->text_depth;
		if (svg->aside == 0)
			place(svg, attributes, false);
	} else {
		ms_separate(svg->rest, '\n');
	}
}

static void on_end(void *user, const char *name)
{
	Svg *svg = user;
	(void)name;
	if (svg->text_depth == svg->aside) /* or outside of any text */
		ms_separate(svg->rest, '\n');
	svg->aside = svg->text_depth == svg->aside ? 0 : svg->aside;
	svg->text_depth -= svg->text_depth > 0;
}

/* White space between elements is none; within text it is a blank. */
static void on_text(void *user, const char *text, gsize len)
{
	Svg *svg = user;
	bool drawn = svg->text_depth > 0 && svg->aside == 0;
	GString *out = drawn ? svg->text : svg->rest;
	if (drawn && strspn(text, " \t\r\n") >= len &&
		memchr(text, '\n', len) != NULL)
		return;
	g_string_append_len(out, text, (gssize)len);
}

/* ---- words ----------------------------------------------------------------------------
 */

static bool same_line(const Piece *a, const Piece *b)
{
	return fabs(a->y - b->y) < 0.6;
}

/* A letter after a letter: how wide one is, nobody says, so what is near is beside. */
static bool is_beside(const Piece *a, const Piece *b)
{
	double step = b->x - a->x;
	return a->letters <= SHORT && same_line(a, b) && step > 0 &&
	       step <= 22.0 * MAX(a->letters, 1U);
}

static void append_piece(
	GString *out, const Svg *svg, const Piece *last, const Piece *piece, bool join)
{
	if (last != NULL && !(join && is_beside(last, piece)))
		g_string_append_c(out, same_line(last, piece) ? '\t' : '\n');
	g_string_append_len(
		out, svg->text->str + piece->from, (gssize)(piece->until - piece->from));
}

static void lay_out(GString *out, const Svg *svg, const GArray *pieces, bool join)
{
	const Piece *last = NULL;
	for (guint i = 0; i < pieces->len; i++) {
		const Piece *piece = &g_array_index(pieces, Piece, i);
		append_piece(out, svg, last, piece, join);
		last = piece;
	}
}

static int by_place(const void *a, const void *b)
{
	const Piece *x = a, *y = b;
	double one = floor(x->y / 0.6), other = floor(y->y / 0.6);
	if (one != other)
		return one < other ? -1 : 1;
	if (x->x != y->x)
		return x->x < y->x ? -1 : 1;
	return x->from < y->from ? -1 : x->from > y->from;
}

static void span_unless(const MsExtraction *to, const char *where, const GString *text,
	const GString *other)
{
	if (!g_string_equal(text, other))
		ms_extract_span(to, where, text->str, text->len);
}

static void hand_over(const MsExtraction *to, const char *where, Svg *svg)
{
	end_piece(svg);
	g_autoptr(GString) drawn = g_string_new(NULL), apart = g_string_new(NULL),
			   sorted = g_string_new(NULL);
	lay_out(drawn, svg, svg->pieces, true);
	lay_out(apart, svg, svg->pieces, false);
	g_array_sort(svg->pieces, by_place);
	lay_out(sorted, svg, svg->pieces, true);
	ms_extract_span(to, where, drawn->str, drawn->len);
	span_unless(to, where, apart, drawn);
	span_unless(to, where, sorted, drawn);
	ms_extract_span(to, where, svg->rest->str, svg->rest->len);
	g_autofree char *place = g_strconcat(where, " (attributes)", NULL);
	ms_extract_named(to, place, svg->named);
	ms_inner_read(to, where, svg->inner);
}

static const char *read_svg(const MsExtraction *to, const char *where, const guint8 *data,
	gsize len, guint *uses_out)
{
	static const MsXmlHandler handler = {on_start, on_end, on_text};
	Svg svg = {.text = g_string_new(NULL),
		.rest = g_string_new(NULL),
		.pieces = g_array_new(FALSE, FALSE, sizeof(Piece)),
		.named = ms_named_new(),
		.inner = ms_inner_new(),
		.layout = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
	const char *why = ms_xml_parse(data, len, to->budget, &handler, &svg);
	hand_over(to, where, &svg);
	*uses_out = svg.text->len == 0 ? svg.uses : 0;
	g_string_free(svg.text, TRUE);
	g_string_free(svg.rest, TRUE);
	g_array_unref(svg.pieces);
	g_hash_table_unref(svg.layout);
	ms_named_free(svg.named);
	g_ptr_array_unref(svg.inner);
	return why;
}

void ms_svg_text_read(
	const MsExtraction *to, const char *where, const guint8 *data, gsize len)
{
	/* A drawing of a page that is no XML has been read as HTML. */
	g_autofree char *place = g_strconcat(where, " (drawing)", NULL);
	guint uses;
	read_svg(to, place, data, len, &uses);
}

void ms_svg_read(
	const MsExtraction *to, const MsDocument *document, MsInventory *inventory)
{
	ms_inventory_read(inventory, MS_ITEM_WHOLE);
	guint uses;
	const char *why = read_svg(
		to, document->where, document->data, document->len, &uses);
	ms_xml_asides_read(to, document);
	if (why != NULL)
		ms_xml_broken_read(to, document, why);
	else if (memmem(document->data, document->len, "oreignObject", 12) != NULL)
		ms_read_with(ms_html_document_read, to, document); /* a page within the drawing */
	else if (uses >= FEW_USES) /* a page whose letters are shapes, as PDF converters
				      draw it */
		ms_reading_unread(to->reading, document->where, MS_UNREAD_IMAGE_ONLY,
			"a drawing of shapes that are used again and again, without text");
}
