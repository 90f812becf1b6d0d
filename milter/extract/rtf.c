#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "missent/text.h"

#include "readers.h"

/*
 * RTF 1.9.1.  Text in groups that hold something else (fonts, pictures, styles) is left out;
 * field instructions stay, for they carry link targets.  HTML wrapped in RTF (MS-OXRTFEX) is
 * read as HTML as well: its tags stand in groups of their own.
 */

#define MAX_DEPTH 200

typedef struct {
	bool skip;     /* a destination that is no text */
	bool html_tag; /* {\*\htmltag ...} */
	bool hidden_rtf; /* \htmlrtf: for viewers of RTF only */
	int uc;        /* characters that stand for a \u where Unicode is not known */
} Group;

typedef struct {
	const MsExtraction *to;
	const guint8 *p, *end;
	GString *text, *html;
	GString *bytes;   /* of the document's code page, not yet converted */
	Group stack[MAX_DEPTH];
	guint depth;
	guint too_deep;   /* groups beyond the stack */
	int skip_after_u; /* characters still to be passed over */
	bool from_html;
	bool star;        /* \* was just seen */
	char charset[24];
} Rtf;

static Group *top(Rtf *r)
{
	return &r->stack[r->depth];
}

static void flush(Rtf *r)
{
	if (r->bytes->len == 0)
		return;
	GString *text;
	ms_charset_decode(r->charset, (const guint8 *)r->bytes->str, r->bytes->len, &text);
	if (top(r)->html_tag || (r->from_html && !top(r)->hidden_rtf))
		g_string_append_len(r->html, text->str, (gssize)text->len);
	if (!top(r)->html_tag)
		g_string_append_len(r->text, text->str, (gssize)text->len);
	g_string_free(text, TRUE);
	g_string_truncate(r->bytes, 0);
}

static void put_byte(Rtf *r, guint8 byte)
{
	if (r->skip_after_u > 0) {
		r->skip_after_u--;
		return;
	}
	if (!top(r)->skip)
		g_string_append_c(r->bytes, (char)byte);
}

static void put_char(Rtf *r, gunichar c)
{
	if (top(r)->skip)
		return;
	flush(r);
	if (top(r)->html_tag || (r->from_html && !top(r)->hidden_rtf))
		g_string_append_unichar(r->html, c);
	if (!top(r)->html_tag)
		g_string_append_unichar(r->text, c);
}

static void skip_group(Rtf *r)
{
	top(r)->skip = true;
}

static void control_word(Rtf *r, const char *word, long number, bool has_number)
{
	static const char *const breaks[] = {"par", "line", "sect", "page", "row", "column", NULL};
	static const char *const skipped[] = {"fonttbl", "colortbl", "stylesheet", "pict", "listtable",
		"listoverridetable", "rsidtbl", "themedata", "colorschememapping", "datastore",
		"latentstyles", "objdata", "generator", "fldrslt-none", NULL};
	static const char *const kept_stars[] = {"fldinst", "annotation", "atnauthor", "bkmkstart",
		"footnote", "shpinst", "shptxt", "mhtmltag", "userprops", "xmlopen", "docvar", "txe",
		"xe", "nonshppict-no", NULL};
	bool star = r->star;
	r->star = false;
	if (strcmp(word, "u") == 0 && has_number) {
		gunichar c = (gunichar)(number < 0 ? number + 65536 : number);
		if (c >= 0xd800 && c < 0xe000)
			c = 0xfffd;
		put_char(r, c);
		r->skip_after_u = top(r)->uc;
	} else if (strcmp(word, "uc") == 0 && has_number) {
		top(r)->uc = (int)CLAMP(number, 0, 10);
	} else if (strcmp(word, "ansicpg") == 0 && has_number && number > 0 && number < 100000) {
		g_snprintf(r->charset, sizeof r->charset, number == 932 || number == 949 || number == 936
			? "CP%ld" : number == 950 ? "BIG5" : number == 65001 ? "UTF-8" : "WINDOWS-%ld", number);
	} else if (g_strv_contains(breaks, word)) {
		put_char(r, '\n');
	} else if (strcmp(word, "tab") == 0 || strcmp(word, "cell") == 0 || strcmp(word, "nestcell") == 0) {
		put_char(r, '\t');
	} else if (strcmp(word, "endash") == 0 || strcmp(word, "emdash") == 0) {
		put_char(r, '-');
	} else if (strcmp(word, "emspace") == 0 || strcmp(word, "enspace") == 0) {
		put_char(r, ' ');
	} else if (strcmp(word, "lquote") == 0 || strcmp(word, "rquote") == 0) {
		put_char(r, '\'');
	} else if (strcmp(word, "fromhtml") == 0) {
		r->from_html = true;
	} else if (strcmp(word, "htmlrtf") == 0) {
		flush(r);
		top(r)->hidden_rtf = !has_number || number != 0;
	} else if (star && strcmp(word, "htmltag") == 0) {
		top(r)->html_tag = true;
	} else if (g_strv_contains(skipped, word) || (star && !g_strv_contains(kept_stars, word))) {
		skip_group(r);
	} else if (strcmp(word, "bin") == 0 && number > 0) {
		r->p += MIN((gsize)number, (gsize)(r->end - r->p));
	}
}

static int hex(guint8 c)
{
	return g_ascii_xdigit_value((char)c);
}

static void control(Rtf *r)
{
	if (r->p >= r->end)
		return;
	guint8 c = *r->p;
	if (!g_ascii_isalpha((char)c)) {
		r->p++;
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
			put_char(r, '\n');
		} /* \- is a place where the line may break: nothing is seen */
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
		if (number < 100000000)
			number = number * 10 + (*r->p - '0');
	if (r->p < r->end && *r->p == ' ')
		r->p++;
	control_word(r, word, negative ? -number : number, has_number);
}

static void open_group(Rtf *r)
{
	flush(r);
	if (r->depth + 1 >= MAX_DEPTH) {
		r->too_deep++;
		return;
	}
	Group copy = *top(r);
	copy.html_tag = false;
	r->stack[++r->depth] = copy;
	r->skip_after_u = 0;
}

static void close_group(Rtf *r)
{
	flush(r);
	r->skip_after_u = 0;
	if (r->too_deep > 0)
		r->too_deep--;
	else if (r->depth > 0)
		r->depth--;
}

static void run(Rtf *r)
{
	while (r->p < r->end && ms_budget_time(r->to->budget)) {
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

void ms_rtf_text(const MsExtraction *to, const char *where, const guint8 *data, gsize len)
{
	Rtf r = {.to = to, .p = data, .end = data + len, .text = g_string_new(NULL),
		.html = g_string_new(NULL), .bytes = g_string_new(NULL), .charset = "WINDOWS-1252"};
	r.stack[0].uc = 1;
	run(&r);
	if (r.p < r.end)
		ms_reading_unread(to->reading, where, MS_UNREAD_TIME, "the time for reading is over");
	else if (r.depth > 0)
		ms_reading_unread(to->reading, where, MS_UNREAD_DAMAGED, "RTF that breaks off");
	ms_extract_span(to, where, r.text->str, r.text->len);
	if (r.from_html) {
		MsDocument html = {.where = where, .type = "text/html", .charset = "UTF-8",
			.data = (guint8 *)r.html->str, .len = r.html->len};
		ms_read_with(ms_html_document_read, to, &html);
	}
	g_string_free(r.text, TRUE);
	g_string_free(r.html, TRUE);
	g_string_free(r.bytes, TRUE);
}

/* Files that are embedded stand in hexadecimal: {\*\objdata 0105...}. */
static void read_objects(const MsExtraction *to, const MsDocument *document)
{
	const guint8 *p = document->data, *end = p + document->len;
	while ((p = memmem(p, (gsize)(end - p), "\\objdata", 8)) != NULL) {
		g_autoptr(GByteArray) bytes = g_byte_array_new();
		for (p += 8; p < end && *p != '}' && *p != '\\'; p++) {
			if (p + 1 < end && hex(p[0]) >= 0 && hex(p[1]) >= 0) {
				guint8 byte = (guint8)(hex(p[0]) * 16 + hex(p[1]));
				g_byte_array_append(bytes, &byte, 1);
				p++;
			}
		}
		/* An OLE 1 header stands before the file itself, which begins with a known mark. */
		static const char *const marks[] = {"\xd0\xcf\x11\xe0", "PK\x03\x04", "%PDF", NULL};
		const guint8 *inner = NULL;
		for (const char *const *m = marks; *m != NULL && inner == NULL && bytes->len > 4; m++)
			inner = memmem(bytes->data, bytes->len, *m, 4);
		if (inner != NULL) {
			ms_extract_within(to, document->where, "object", NULL, inner,
				(gsize)(bytes->data + bytes->len - inner));
		} else if (bytes->len > 0) {
			g_autoptr(GString) strings = g_string_new(NULL);
			ms_strings(strings, bytes->data, bytes->len);
			ms_extract_span(to, document->where, strings->str, strings->len);
		}
	}
}

void ms_rtf_read(const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory)
{
	ms_inventory_read(inventory, MS_ITEM_WHOLE);
	ms_rtf_text(to, document->where, document->data, document->len);
	read_objects(to, document);
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
	GByteArray *out = g_byte_array_new();
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
