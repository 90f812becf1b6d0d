/*
 * RTF 1.9.1.  In come its bytes, out go spans and the files in it.  In the worker's only thread.
 *
 * What a group is for, its first control word says.  Text that is shown goes on through groups;
 * what stands elsewhere on the page, or nowhere (notes, shapes, field instructions, whatever \*
 * begins) goes to a text of its own, so that it does not break a number in two.  Fonts, styles and
 * colours are structural by the table.  Pictures and objects stand in hexadecimal or as bytes.
 * HTML wrapped in RTF (MS-OXRTFEX) is read as HTML as well: its tags stand in groups of their own.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "missent/inventory.h"
#include "missent/text.h"

#include "bytes.h"
#include "headed.h"
#include "line.h"
#include "numbering.h"
#include "ole.h"
#include "readers.h"

#define MAX_DEPTH 200

typedef enum {
	BODY,
	ASIDE,
	NOTHING,  /* structural */
	PICTURE, OBJECT, FILE_OF_WORD, /* bytes in hexadecimal */
	LEVEL_TEXT, /* of a list: a template in which small bytes stand for numbers */
	OLD_LIST, OLD_BEFORE, OLD_AFTER, /* of the paragraph itself */
	BOX,
	FIELD, FIELD_NAME, MARK, MARK_END, /* say what text is that is shown */
} Purpose;

/* Where the text of a group goes. */
typedef struct {
	Purpose purpose;
	guint depth;        /* of the group that opened it */
	MsLine line;
	GByteArray *bytes;
	int half;           /* the first digit of a byte, or -1 */
	bool words;         /* among the digits stood what is none */
	bool apart;         /* each group in it is a text of its own */
	gsize label;        /* bytes of the label before it, which begins it */
} Destination;

typedef struct {
	bool html_tag;   /* {\*\htmltag ...} */
	bool hidden_rtf; /* \htmlrtf: for viewers of RTF only */
	bool hidden, deleted, inserted;
	int uc;          /* characters that stand for a \u where Unicode is not known */
} Group;

typedef struct {
	const MsExtraction *to;
	const char *where;
	const guint8 *p, *end;
	GString *unlabelled; /* boxes of the paragraph that have no label before them */
	GString *aside, *boxes, *changed[MS_N_WAYS], *html;
	GString *bytes;   /* of the document's code page, not yet converted */
	GArray *destinations; /* of Destination; the last one takes the text */
	Group stack[MAX_DEPTH];
	guint depth;
	guint too_deep;   /* groups beyond the stack */
	int skip_after_u; /* characters still to be passed over */
	gunichar high;    /* the first half of a character that takes two \u */
	MsNumbering *numbering; /* of the lists "1", "2", ... and "old" */
	GHashTable *lists, *styles; /* number that a list, a \ls has: to the list's place, from 1 */
	guint list, list_level; /* that is defined; the level from 1 */
	long list_id; /* of which a \ls is said, or 0 */
	long level_start; /* of the list level that is open */
	char counted[16]; /* the list of the paragraph, or "" */
	guint counted_level;
	GString *before, *after, *old; /* of the list of this paragraph; what it was */
	bool other; /* the next group is for who knows no Unicode */
	MsHeaded *headed;
	GString *names; /* of the field that is open, one a line */
	bool from_html;
	bool star;        /* \* was just seen */
	bool fresh;       /* no text yet in this group */
	const guint8 *last; /* after the brace that ends the document, or NULL */
	char charset[24];
} Rtf;

static Group *top(Rtf *r)
{
	return &r->stack[r->depth];
}

static Destination *destination(Rtf *r)
{
	return &g_array_index(r->destinations, Destination, r->destinations->len - 1);
}

/* ---- text ----------------------------------------------------------------------------- */

static void put_bits(Rtf *r, const char *text, gsize len)
{
	const Group *group = top(r);
	guint bits = MS_ALL_WAYS;
	if (group->deleted)
		bits &= MS_BEFORE;
	if (group->inserted)
		bits &= ~(guint)MS_BEFORE;
	if (group->hidden)
		bits &= ~(guint)(MS_SHOWN | MS_STORED | MS_BEFORE);
	if (bits != 0)
		ms_line_put(&destination(r)->line, bits, text, len);
}

static void put_text(Rtf *r, const char *text, gsize len)
{
	if (destination(r)->purpose == NOTHING)
		return;
	bool body = destination(r)->purpose == BODY;
	if (top(r)->html_tag || (r->from_html && body && !top(r)->hidden_rtf))
		g_string_append_len(r->html, text, (gssize)len);
	if (!top(r)->html_tag)
		put_bits(r, text, len);
}

static void flush(Rtf *r)
{
	if (r->bytes->len == 0)
		return;
	GString *text;
	ms_charset_decode(r->charset, (const guint8 *)r->bytes->str, r->bytes->len, &text);
	put_text(r, text->str, text->len);
	g_string_free(text, TRUE);
	g_string_truncate(r->bytes, 0);
}

static int hex(guint8 c)
{
	return g_ascii_xdigit_value((char)c);
}

static void put_hex(Destination *to, guint8 byte)
{
	int digit = hex(byte);
	if (digit < 0)
		return;
	if (to->half < 0) {
		to->half = digit;
		return;
	}
	guint8 whole = (guint8)(to->half * 16 + digit);
	to->half = -1;
	g_byte_array_append(to->bytes, &whole, 1);
}

static void put_byte(Rtf *r, guint8 byte)
{
	if (r->skip_after_u > 0) {
		r->skip_after_u--;
		return;
	}
	r->fresh = false;
	Destination *to = destination(r);
	if (to->bytes != NULL) {
		to->words = to->words || (hex(byte) < 0 && !g_ascii_isspace((char)byte));
		put_hex(to, byte);
	}
	if (to->bytes == NULL || to->words)
		g_string_append_c(r->bytes, (char)byte);
}

static void put_char(Rtf *r, gunichar c)
{
	char utf8[6];
	flush(r);
	r->fresh = false;
	put_text(r, utf8, (gsize)g_unichar_to_utf8(c, utf8));
}

/* What is drawn may be anchored before its label. */
static void label_boxes(Rtf *r)
{
	flush(r);
	ms_line_label_after(&destination(r)->line, r->unlabelled, r->boxes);
}

static void end_line(Rtf *r)
{
	if (destination(r)->purpose == BODY)
		label_boxes(r);
	put_char(r, '\n');
	ms_line_end(&destination(r)->line, r->changed);
}

/* ---- destinations --------------------------------------------------------------------- */

static void open_destination(Rtf *r, Purpose purpose)
{
	flush(r);
	Destination to = {.purpose = purpose, .depth = r->depth, .half = -1,
		.line = {.out = g_string_new(NULL)}};
	if (purpose == PICTURE || purpose == OBJECT || purpose == FILE_OF_WORD ||
		purpose == LEVEL_TEXT)
		to.bytes = purpose != LEVEL_TEXT ? ms_bytes_new() : NULL;
	g_array_append_val(r->destinations, to);
}

/* What is drawn has the label before it in the text. */
static void open_box(Rtf *r)
{
	guint body = r->destinations->len - 1;
	while (body > 0 && g_array_index(r->destinations, Destination, body).purpose != BODY)
		body--;
	flush(r);
	g_autofree char *label =
		ms_line_label(&g_array_index(r->destinations, Destination, body).line);
	open_destination(r, BOX);
	if (label == NULL)
		return;
	put_bits(r, label, strlen(label));
	destination(r)->label = destination(r)->line.out->len;
}

/* A string of OLE 1 with its length before it; returns after it, or NULL. */
static const guint8 *skip_string(const guint8 *p, const guint8 *end)
{
	if (p == NULL || end - p < 4 || (gsize)(end - p - 4) < ms_le32(p))
		return NULL;
	return p + 4 + ms_le32(p);
}

#define OLE_VERSION 0x501

/* The bytes of an object (MS-OLEDS 2.2.5) and where they end; NULL if it is none. */
static const guint8 *native_data(const GByteArray *bytes, gsize *len, bool *package)
{
	const guint8 *p = bytes->data, *end = p + bytes->len;
	if (bytes->len < 24 || ms_le32(p + 4) != 2)
		return NULL;
	*package = ms_le32(p + 8) == 8 && memcmp(p + 12, "Package", 7) == 0;
	p = skip_string(skip_string(skip_string(p + 8, end), end), end);
	if (p == NULL || end - p < 4 || (gsize)(end - p - 4) < ms_le32(p) || ms_le32(p) == 0)
		return NULL;
	*len = ms_le32(p);
	return p + 4;
}

static void put_strings(Rtf *r, const guint8 *data, gsize len)
{
	ms_strings(r->aside, data, len);
	ms_separate(r->aside, '\n');
}

static void read_object(Rtf *r, const GByteArray *bytes)
{
	static const char *const marks[] = {"\xd0\xcf\x11\xe0", "PK\x03\x04", "%PDF", NULL};
	/* A link has nothing but its names. */
	bool names = bytes->len <= 4 || ms_le32(bytes->data) == OLE_VERSION;
	gsize len = 0;
	bool package = false;
	const guint8 *data = native_data(bytes, &len, &package);
	const guint8 *end = bytes->data + bytes->len;
	if (data != NULL) {
		if (!package || !ms_ole_package(r->to, r->where, data, len))
			ms_extract_within(r->to, r->where, "object", NULL, data, len);
		put_strings(r, bytes->data, (gsize)(data - bytes->data));
		put_strings(r, data + len, (gsize)(end - data - len)); /* its picture */
		return;
	}
	for (const char *const *m = marks; *m != NULL && bytes->len > 4; m++)
		if ((data = memmem(bytes->data, bytes->len, *m, 4)) != NULL)
			break;
	if (data != NULL)
		ms_extract_within(r->to, r->where, "object", NULL, data, (gsize)(end - data));
	else if (!names)
		ms_extract_within(r->to, r->where, "object", NULL, bytes->data, bytes->len);
	put_strings(r, bytes->data, data != NULL ? (gsize)(data - bytes->data) : bytes->len);
}

static void read_bytes(Rtf *r, const Destination *from)
{
	if (from->bytes->len == 0)
		return;
	if (from->purpose == OBJECT)
		read_object(r, from->bytes);
	else
		ms_extract_within(r->to, r->where,
			from->purpose == PICTURE ? "picture" : "data of the document", NULL,
			from->bytes->data, from->bytes->len);
}

/* "\5KD-\0;" with the start of the level in place of the small bytes; and what to count with. */
static void put_level_text(Rtf *r, const GString *text)
{
	g_autoptr(GString) label = g_string_new(NULL);
	guint level = r->list_level > 0 ? r->list_level - 1 : 0;
	for (gsize i = 1; i < text->len; i++) {
		guchar c = (guchar)text->str[i];
		if (c < 9)
			g_string_append_printf(r->aside, "%ld", r->level_start);
		else if (c != ';')
			g_string_append_c(r->aside, (char)c);
		if (c < 9)
			g_string_append_printf(label, "%%%u", c + 1u);
		else if (c != ';')
			g_string_append_c(label, (char)c);
	}
	ms_separate(r->aside, '\n');
	char id[16];
	g_snprintf(id, sizeof id, "%u", r->list);
	ms_numbering_define(r->numbering, id, level, label->str, r->level_start);
}

/* Each paragraph says its list anew; it goes on while it is the same. */
static void begin_old_list(Rtf *r)
{
	g_autoptr(GString) now = g_string_new(NULL);
	g_string_append_printf(now, "%s\n%s\n%ld", r->before->str, r->after->str, r->level_start);
	g_autofree char *label = g_strdup_printf("%s%%1%s", r->before->str, r->after->str);
	ms_numbering_define(r->numbering, "old", 0, label, r->level_start);
	if (!g_string_equal(now, r->old))
		ms_numbering_restart(r->numbering, "old", 0, G_MININT64);
	g_string_assign(r->old, now->str);
	g_strlcpy(r->counted, "old", sizeof r->counted);
	r->counted_level = 0;
}

/* Groups have their depth as a key. */
#define MARK_KEY(name) ((guint64)1 << 33 | g_str_hash(name))

/* What stands in a destination that is over names what comes next. */
static void take_name(Rtf *r, Purpose purpose, const char *text)
{
	if (purpose == FIELD)
		ms_headed_field(r->names, text);
	else if (purpose == FIELD_NAME)
		g_string_append_printf(r->names, "%s\n", text);
	else if (purpose == MARK)
		ms_headed_begin(r->headed, MARK_KEY(text), text, destination(r)->line.out);
	else
		ms_headed_end(r->headed, MARK_KEY(text), destination(r)->line.out);
}

#define LEAST_HEX 8 /* digits */

/* What stands aside in hexadecimal, such as the value of a field of a form: its bytes say more. */
static void put_hex_text(Rtf *r, const GString *text)
{
	Destination digits = {.half = -1, .bytes = ms_bytes_new()};
	bool all = text->len >= LEAST_HEX;
	for (gsize i = 0; i < text->len && all; i++) {
		all = hex((guint8)text->str[i]) >= 0 || g_ascii_isspace(text->str[i]);
		put_hex(&digits, (guint8)text->str[i]);
	}
	if (all && digits.half < 0)
		put_strings(r, digits.bytes->data, digits.bytes->len);
	g_byte_array_unref(digits.bytes);
}

static void close_destination(Rtf *r)
{
	flush(r);
	Destination from = *destination(r);
	if (from.line.out->len == from.label) /* nothing is in it */
		g_string_truncate(from.line.out, 0);
	ms_line_end(&from.line, r->changed);
	g_array_set_size(r->destinations, r->destinations->len - 1);
	if (from.purpose == LEVEL_TEXT) {
		put_level_text(r, from.line.out);
	} else {
		if (from.purpose == OLD_BEFORE || from.purpose == OLD_AFTER)
			g_string_assign(from.purpose == OLD_BEFORE ? r->before : r->after,
				from.line.out->str);
		else if (from.purpose == OLD_LIST)
			begin_old_list(r);
		else if (from.purpose >= FIELD)
			take_name(r, from.purpose, from.line.out->str);
		if (from.purpose == BOX && from.label == 0)
			g_string_append(r->unlabelled, from.line.out->str);
		if (from.purpose == ASIDE)
			put_hex_text(r, from.line.out);
		GString *to = from.purpose == BOX ? r->boxes : r->aside;
		g_string_append_len(to, from.line.out->str, (gssize)from.line.out->len);
		ms_separate(to, '\n');
	}
	if (from.bytes != NULL) {
		read_bytes(r, &from);
		g_byte_array_unref(from.bytes);
	}
	g_string_free(from.line.out, TRUE);
}

/* Is the word the first of its group, and does it say what the group is for? */
static bool begin_destination(Rtf *r, const char *word, bool star)
{
	static const char *const asides[] = {"annotation", "author", "atnid", "atnauthor",
		"comment", "company", "category", "doccomm", "docvar", "fldinst", "footer",
		"footerf", "footerl", "footerr", "footnote", "header", "headerf", "headerl",
		"headerr", "hlinkbase", "info", "keywords", "levelnumbers", "listname", "listtable",
		"listoverridetable", "manager", "nonshppict", "operator",
		"private", "revtbl", "shp", "shpinst", "shprslt", "sn", "sp", "subject",
		"sv", "tc", "template", "title", "tcn", "txe", "xe", "do", "objclass", "objname",
		"bkmkstart", "bkmkend", "aftncn", "aftnsep", "aftnsepc", "background", "filetbl",
		"ftncn", "ftnsep", "ftnsepc", "nextfile", "stylesheet", "fonttbl", "colortbl",
		"propname", "staticval", "linkval", "xmlattrname", "xmlattrvalue", NULL};
	static const char *const shown[] = {
		"shppict", "pnseclvl", "ud", "listtext", "pntext", NULL};
	static const struct {
		const char *word;
		Purpose purpose;
	} names[] = {{"fldinst", FIELD}, {"ffname", FIELD_NAME}, {"ffhelptext", FIELD_NAME},
		{"ffstattext", FIELD_NAME}, {"bkmkstart", MARK}, {"bkmkend", MARK_END}};
	Purpose purpose;
	if (!r->fresh && !star)
		return false;
	if (strcmp(word, "field") == 0)
		g_string_truncate(r->names, 0);
	else if (strcmp(word, "fldrslt") == 0)
		ms_headed_begin(r->headed, r->depth, r->names->str, destination(r)->line.out);
	if (ms_structural("rtf", word) != NULL)
		purpose = NOTHING;
	else if (strcmp(word, "pict") == 0)
		purpose = PICTURE;
	else if (strcmp(word, "objdata") == 0 || strcmp(word, "datastore") == 0)
		purpose = OBJECT;
	else if (strcmp(word, "themedata") == 0 || strcmp(word, "colorschememapping") == 0)
		purpose = FILE_OF_WORD;
	else if (strcmp(word, "leveltext") == 0)
		purpose = LEVEL_TEXT;
	else if (strcmp(word, "shptxt") == 0 || strcmp(word, "dptxbxtext") == 0)
		purpose = BOX;
	else if (strcmp(word, "pn") == 0)
		purpose = OLD_LIST;
	else if (strcmp(word, "pntxtb") == 0 || strcmp(word, "pntxta") == 0)
		purpose = word[5] == 'b' ? OLD_BEFORE : OLD_AFTER;
	else if (g_strv_contains(shown, word) || (!star && !g_strv_contains(asides, word)))
		return false;
	else
		purpose = ASIDE;
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (strcmp(names[i].word, word) == 0)
			purpose = names[i].purpose;
	if (purpose == BOX)
		open_box(r);
	else
		open_destination(r, purpose);
	if (purpose == OLD_LIST) {
		g_string_truncate(r->before, 0);
		g_string_truncate(r->after, 0);
		r->level_start = 1;
	}
	destination(r)->apart = strcmp(word, "docvar") == 0 || strcmp(word, "revtbl") == 0;
	return true;
}

/* ---- control words -------------------------------------------------------------------- */

static void unicode(Rtf *r, long number)
{
	gunichar c = (gunichar)(number < 0 ? number + 65536 : number);
	if (c >= 0xd800 && c < 0xdc00) {
		r->high = c;
	} else {
		if (c >= 0xdc00 && c < 0xe000)
			c = r->high != 0 ? 0x10000 + ((r->high - 0xd800) << 10) + (c - 0xdc00)
					 : 0xfffd;
		r->high = 0;
		put_char(r, c <= 0x10ffff ? c : 0xfffd);
	}
	r->skip_after_u = top(r)->uc;
}

static void set_charset(Rtf *r, long number)
{
	flush(r);
	g_snprintf(r->charset, sizeof r->charset, "CP%ld", number);
}

/* How a character looks: whether it is there at all. */
static bool set_look(Rtf *r, const char *word, bool on)
{
	Group *group = top(r);
	bool *to = strcmp(word, "v") == 0      ? &group->hidden
		: strcmp(word, "deleted") == 0 ? &group->deleted
		: strcmp(word, "revised") == 0 ? &group->inserted
					       : NULL;
	bool plain = strcmp(word, "plain") == 0;
	if (to == NULL && !plain)
		return false;
	flush(r);
	if (plain)
		group->hidden = group->deleted = group->inserted = false;
	else
		*to = on;
	return true;
}

/* What stands for characters.  False if the word does not. */
static bool character_word(Rtf *r, const char *word)
{
	static const char *const breaks[] = {
		"par", "line", "sect", "page", "row", "column", "nestrow", NULL};
	static const struct {
		const char *word;
		gunichar c;
	} characters[] = {{"tab", '\t'}, {"cell", '\t'}, {"nestcell", '\t'}, {"endash", '-'},
		{"emdash", '-'}, {"emspace", ' '}, {"enspace", ' '}, {"qmspace", ' '},
		{"lquote", '\''}, {"rquote", '\''}, {"ldblquote", '"'}, {"rdblquote", '"'},
		{"bullet", 0x2022}};
	if (g_strv_contains(breaks, word)) {
		end_line(r);
		return true;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(characters); i++)
		if (strcmp(word, characters[i].word) == 0) {
			put_char(r, characters[i].c);
			return true;
		}
	return false;
}

/* ---- lists ---------------------------------------------------------------------------- */

#define MAX_LISTS 10000

static void remember(GHashTable *places, long number, guint place)
{
	if (place > 0 && g_hash_table_size(places) < MAX_LISTS)
		g_hash_table_replace(
			places, GINT_TO_POINTER((int)number), GUINT_TO_POINTER(place));
}

static guint place_of(GHashTable *places, long number)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(places, GINT_TO_POINTER((int)number)));
}

/* The tables of lists come first: levels, then the list's number; then which \ls is which list. */
static void list_style(Rtf *r, long number)
{
	if (r->list_id != 0) {
		remember(r->styles, number, place_of(r->lists, r->list_id));
		r->list_id = 0;
		return;
	}
	guint place = destination(r)->purpose == BODY ? place_of(r->styles, number) : 0;
	if (place > 0)
		g_snprintf(r->counted, sizeof r->counted, "%u", place);
}

static bool list_word(Rtf *r, const char *word, long number)
{
	static const char *const starts[] = {"pgnstart", "pgnstarts", "ftnstart", "aftnstart",
		"sftnstart", "saftnstart", NULL};
	if (strcmp(word, "levelstartat") == 0 || strcmp(word, "pnstart") == 0) {
		r->level_start = number;
	} else if (strcmp(word, "listlevel") == 0) {
		r->list_level++;
		r->level_start = 1;
	} else if (strcmp(word, "listid") == 0) {
		if (r->list_id < 0)
			r->list_id = number;
		else
			remember(r->lists, number, r->list);
	} else if (strcmp(word, "ls") == 0) {
		list_style(r, number);
	} else if (strcmp(word, "ilvl") == 0) {
		r->counted_level = (guint)CLAMP(number, 0, 9);
	} else if (strcmp(word, "pard") == 0) {
		r->counted[0] = '\0';
		r->counted_level = 0;
	} else if (g_strv_contains(starts, word)) {
		g_string_append_printf(r->aside, "%ld\n", number);
	} else {
		if (strcmp(word, "list") == 0) {
			r->list++;
			r->list_level = 0;
		}
		if (strcmp(word, "listoverride") == 0)
			r->list_id = -1;
		return false;
	}
	return true;
}

/* What a list writes before the paragraph that ends here. */
static void end_paragraph(Rtf *r)
{
	bool room = r->aside->len < (gsize)r->to->budget->left[MS_COST_TEXT];
	if (r->counted[0] == '\0' || destination(r)->purpose != BODY || !room)
		return;
	flush(r);
	const MsLine *line = &destination(r)->line;
	g_autofree char *label =
		ms_numbering_count(r->numbering, r->counted, r->counted_level);
	if (label != NULL)
		ms_numbering_label(label, line->out->str + line->start,
			line->out->len - line->start, r->aside);
}

static void take_binary(Rtf *r, long number)
{
	gsize n = MIN((gsize)number, (gsize)(r->end - r->p));
	Destination *to = destination(r);
	if (to->bytes != NULL)
		g_byte_array_append(to->bytes, r->p, (guint)n);
	else
		put_strings(r, r->p, n);
	r->p += n;
}

static void control_word(Rtf *r, const char *word, long number, bool has_number)
{
	bool star = r->star;
	r->star = false;
	if (strcmp(word, "par") == 0)
		end_paragraph(r);
	if (strcmp(word, "u") == 0 && has_number) {
		unicode(r, number);
	} else if (strcmp(word, "uc") == 0 && has_number) {
		top(r)->uc = (int)CLAMP(number, 0, 10);
	} else if (strcmp(word, "ansicpg") == 0 && has_number && number > 0 && number < 100000) {
		set_charset(r, number);
	} else if (strcmp(word, "upr") == 0) {
		r->other = true;
	} else if (strcmp(word, "bin") == 0 && number > 0) {
		take_binary(r, number);
	} else if (strcmp(word, "fromhtml") == 0) {
		r->from_html = true;
	} else if (strcmp(word, "htmlrtf") == 0) {
		flush(r);
		top(r)->hidden_rtf = !has_number || number != 0;
	} else if (star && strcmp(word, "htmltag") == 0) {
		flush(r);
		top(r)->html_tag = true;
	} else if (!list_word(r, word, number) &&
		!set_look(r, word, !has_number || number != 0) && !character_word(r, word)) {
		begin_destination(r, word, star);
	}
}

static void symbol(Rtf *r, guint8 c)
{
	if (c == '\'' && r->end - r->p >= 2 && hex(r->p[0]) >= 0 && hex(r->p[1]) >= 0) {
		put_byte(r, (guint8)(hex(r->p[0]) * 16 + hex(r->p[1])));
		r->p += 2;
	} else if (c == '*') {
		r->star = true;
	} else if (c == '~') {
		put_char(r, ' ');
	} else if (c == '_') {
		put_char(r, '-');
	} else if (c == '\\' || c == '{' || c == '}') {
		put_byte(r, c);
	} else if (c == '\r' || c == '\n') {
		end_line(r);
	} /* \- is a place where the line may break: nothing is seen */
}

static void control(Rtf *r)
{
	if (r->p >= r->end)
		return;
	if (!g_ascii_isalpha((char)*r->p)) {
		symbol(r, *r->p++);
		return;
	}
	char word[33];
	gsize n = 0;
	for (; r->p < r->end && g_ascii_isalpha((char)*r->p); r->p++)
		if (n < sizeof word - 1)
			word[n++] = (char)*r->p;
	word[n] = '\0';
	bool negative = r->p < r->end && *r->p == '-';
	r->p += negative;
	bool has_number = r->p < r->end && g_ascii_isdigit((char)*r->p);
	long number = 0;
	for (; r->p < r->end && g_ascii_isdigit((char)*r->p); r->p++)
		if (number < 1000000000)
			number = number * 10 + (*r->p - '0');
	if (r->p < r->end && *r->p == ' ')
		r->p++;
	control_word(r, word, negative ? -number : number, has_number);
}

/* ---- groups --------------------------------------------------------------------------- */

static void open_group(Rtf *r)
{
	flush(r);
	r->fresh = true;
	r->star = false;
	if (r->depth + 1 >= MAX_DEPTH) {
		r->too_deep++;
		return;
	}
	Group copy = *top(r);
	copy.html_tag = false;
	r->stack[++r->depth] = copy;
	r->skip_after_u = 0;
	if (r->other)
		open_destination(r, ASIDE);
	r->other = false;
}

static void close_group(Rtf *r)
{
	flush(r);
	r->skip_after_u = 0;
	r->fresh = false;
	if (r->too_deep > 0) {
		r->too_deep--;
		return;
	}
	while (r->destinations->len > 1 && destination(r)->depth >= r->depth)
		close_destination(r);
	ms_headed_end(r->headed, r->depth, destination(r)->line.out);
	if (destination(r)->apart)
		ms_separate(destination(r)->line.out, '\n');
	if (r->depth > 0 && --r->depth == 0)
		r->last = r->p;
}

static void run(Rtf *r)
{
	while (r->p < r->end && r->last == NULL && ms_budget_time(r->to->budget)) {
		guint8 c = *r->p++;
		switch (c) {
		case '{': open_group(r); break;
		case '}': close_group(r); break;
		case '\\': control(r); break;
		case '\r':
		case '\n':
		case '\0': break;
		default: put_byte(r, c);
		}
	}
	flush(r);
}

static void finish(Rtf *r)
{
	if (r->last == NULL && r->p < r->end)
		ms_reading_unread(
			r->to->reading, r->where, MS_UNREAD_TIME, "the time for reading is over");
	else if (r->depth > 0)
		ms_reading_unread(
			r->to->reading, r->where, MS_UNREAD_DAMAGED, "RTF that breaks off");
	while (r->destinations->len > 1)
		close_destination(r);
	MsLine *body = &destination(r)->line;
	ms_line_end(body, r->changed);
	ms_extract_span(r->to, r->where, body->out->str, body->out->len);
	g_autofree char *aside = g_strconcat(r->where, " (notes, fields)", NULL);
	ms_extract_span(r->to, aside, r->aside->str, r->aside->len);
	g_autofree char *boxes = g_strconcat(r->where, " (text boxes)", NULL);
	ms_extract_span(r->to, boxes, r->boxes->str, r->boxes->len);
	ms_headed_hand_over(r->to, r->where, r->headed);
	ms_extract_changed(r->to, r->where, r->changed);
	if (r->from_html) {
		MsDocument html = {.where = r->where, .type = "text/html", .charset = "UTF-8",
			.data = (guint8 *)r->html->str, .len = r->html->len};
		ms_read_with(ms_html_document_read, r->to, &html);
	} else {
		ms_extract_span(r->to, r->where, r->html->str, r->html->len);
	}
	g_string_free(body->out, TRUE);
	g_array_unref(r->destinations);
	g_string_free(r->aside, TRUE);
	g_string_free(r->boxes, TRUE);
	g_string_free(r->unlabelled, TRUE);
	for (guint i = 0; i < MS_N_WAYS; i++)
		g_string_free(r->changed[i], TRUE);
	g_string_free(r->html, TRUE);
	g_string_free(r->bytes, TRUE);
	ms_numbering_free(r->numbering);
	g_hash_table_unref(r->lists);
	g_hash_table_unref(r->styles);
	g_string_free(r->before, TRUE);
	g_string_free(r->after, TRUE);
	g_string_free(r->old, TRUE);
	ms_headed_free(r->headed);
	g_string_free(r->names, TRUE);
}

/* How much of it the document is; what follows its last brace is somebody else's. */
static gsize read_rtf(const MsExtraction *to, const char *where, const guint8 *data, gsize len)
{
	Rtf r = {.to = to,
		.where = where,
		.p = data,
		.end = data + len,
		.aside = g_string_new(NULL),
		.boxes = g_string_new(NULL),
		.unlabelled = g_string_new(NULL),
		.html = g_string_new(NULL),
		.bytes = g_string_new(NULL),
		.charset = "WINDOWS-1252",
		.numbering = ms_numbering_new(),
		.lists = g_hash_table_new(NULL, NULL),
		.styles = g_hash_table_new(NULL, NULL),
		.before = g_string_new(NULL),
		.after = g_string_new(NULL),
		.old = g_string_new(NULL),
		.headed = ms_headed_new(),
		.names = g_string_new(NULL),
		.destinations = g_array_new(FALSE, FALSE, sizeof(Destination))};
	for (guint i = 0; i < MS_N_WAYS; i++)
		r.changed[i] = g_string_new(NULL);
	Destination body = {.purpose = BODY, .half = -1, .line = {.out = g_string_new(NULL)}};
	g_array_append_val(r.destinations, body);
	r.stack[0].uc = 1;
	run(&r);
	finish(&r);
	return r.last != NULL ? (gsize)(r.last - data) : len;
}

void ms_rtf_text(const MsExtraction *to, const char *where, const guint8 *data, gsize len)
{
	gsize read = read_rtf(to, where, data, len);
	if (read == len)
		return;
	g_autoptr(GString) rest = g_string_new(NULL);
	ms_strings(rest, data + read, len - read);
	ms_extract_span(to, where, rest->str, rest->len);
}

void ms_rtf_read(const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory)
{
	MsItem item = ms_inventory_item(inventory, "document");
	ms_inventory_bytes(inventory, item, 0,
		read_rtf(to, document->where, document->data, document->len));
	ms_inventory_read(inventory, item);
}

/* ---- compressed RTF ------------------------------------------------------------------- */

GByteArray *ms_lzfu(const guint8 *data, gsize len, gsize max)
{
	static const char preset[] =
		"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern "
		"\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0"
		"\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
	if (len < 16)
		return NULL;
	GByteArray *out = ms_bytes_new();
	if (memcmp(data + 8, "MELA", 4) == 0) {
		g_byte_array_append(out, data + 16, (guint)(len - 16));
		return out;
	}
	guint8 window[4096] = {0};
	memcpy(window, preset, sizeof preset - 1);
	guint at = sizeof preset - 1;
	const guint8 *p = data + 16, *end = data + len;
	while (p < end && out->len < max) {
		guint8 flags = *p++;
		for (guint bit = 0; bit < 8 && p < end; bit++, flags >>= 1) {
			if ((flags & 1) == 0) {
				g_byte_array_append(out, p, 1);
				window[at] = *p++;
				at = (at + 1) & 4095;
				continue;
			}
			if (end - p < 2)
				return out;
			guint from = (guint)(p[0] << 4 | p[1] >> 4), n = (p[1] & 15u) + 2;
			p += 2;
			if (from == at) /* the end mark */
				return out;
			for (guint i = 0; i < n; i++) {
				guint8 c = window[(from + i) & 4095];
				g_byte_array_append(out, &c, 1);
				window[at] = c;
				at = (at + 1) & 4095;
			}
		}
	}
	return out;
}
