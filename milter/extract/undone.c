/*
 * A text comes in; out go once more those of its lines in which something was encoded once too
 * often, or undone once too seldom: "FR14&nbsp;2004" in a plain text, "FR14=C2=A02004",
 * "KD\u20117740912", "FR14Â 2004" (UTF-8 that was taken for Windows-1252), "KD-77<b>40912</b>",
 * "KD_x002D_7740912" of a spreadsheet, letters that are turned round.  The recipient understands
 * what is meant.  A worker's one thread.
 *
 * What was meant is a guess; it counts only where the directory knows it.
 */
#include "config.h"

#include <string.h>

#include "missent/scan.h"
#include "missent/text.h"

#include "html.h"
#include "readers.h"

#define ROUNDS 3 /* "&amp;nbsp;" */
#define MAX_TAG 300
#define MAX_RUN 8 /* encoded bytes between two letters */
#define MAX_OUT (4 << 20)

/* What stands at a place: where it ends if something is to be undone, or NULL. */
typedef const char *UndoFunc(const char *begin, const char *p, const char *end, GString *out);

static bool begins(const char *p, const char *end, const char *word)
{
	gsize n = strlen(word);
	return (gsize)(end - p) >= n && memcmp(p, word, n) == 0;
}

/* The number of `digits` hexadecimal ones, or -1; -1 for what is no character, too. */
static gint32 hex_at(const char *p, const char *end, guint digits)
{
	guint32 code = 0;
	if (end - p < (gssize)digits)
		return -1;
	for (guint i = 0; i < digits; i++) {
		if (!g_ascii_isxdigit(p[i]))
			return -1;
		code = code << 4 | (guint32)g_ascii_xdigit_value(p[i]);
	}
	return code <= 0x10ffff ? (gint32)code : -1;
}

/* A character; one that is half of two (UTF-16) or none at all is a blank. */
static void put_character(GString *out, gint32 code)
{
	bool fine = code > 0 && code <= 0x10ffff && (code < 0xd800 || code >= 0xe000);
	g_string_append_unichar(out, fine ? (gunichar)code : ' ');
}

/* ---- one encoding each ----------------------------------------------------------------- */

static const char *reference(const char *begin, const char *p, const char *end, GString *out)
{
	(void)begin;
	gsize before = out->len;
	const char *after = ms_html_reference(p, end, out);
	if (after != NULL && after[-1] == ';')
		return after;
	g_string_truncate(out, before);
	return NULL;
}

/* What of a tag (HTML's, or that of a forum in brackets) or of a comment a reader does not see:
 * within a word it divides nothing, or a line. */
static const char *tag(const char *begin, const char *p, const char *end, GString *out)
{
	static const char *const within[] = {"b", "i", "u", "em", "strong", "span", "font", "a",
		"small", "big", "sub", "sup", "code", "tt", "s", "wbr", "nobr", "mark", "ins",
		"color", "size", NULL};
	char shut = *p == '[' ? ']' : '>';
	(void)begin;
	if (begins(p, end, "<!--")) {
		const char *stop = memmem(p, MIN((gsize)(end - p), MAX_TAG), "-->", 3);
		return stop != NULL ? stop + 3 : NULL;
	}
	const char *name = p + 1 + (p + 1 < end && p[1] == '/'), *stop = name;
	while (stop < end &&
		(g_ascii_isalnum(*stop) ||
			(*stop == ':' && stop + 1 < end && g_ascii_isalpha(stop[1]))))
		stop++;
	if (stop == name || stop == end || !g_ascii_isalpha(*name) ||
		(*stop != shut && strchr(*p == '[' ? "=" : " \t/", *stop) == NULL))
		return NULL;
	const char *close = memchr(stop, shut, MIN((gsize)(end - stop), MAX_TAG));
	if (close == NULL || memchr(stop, *p, (gsize)(close - stop)) != NULL)
		return NULL;
	g_autofree char *lower = g_ascii_strdown(name, stop - name);
	if (*p == '[' && !g_strv_contains(within, lower))
		return NULL;
	if (!g_strv_contains(within, lower))
		g_string_append_c(
			out, strcmp(lower, "br") == 0 || strcmp(lower, "p") == 0 ? '\n' : ' ');
	return close + 1;
}

/* "=C2=A0", "=20", "=2D" within a value; letters and digits are not encoded. */
static const char *quoted_printable(const char *begin, const char *p, const char *end, GString *out)
{
	g_autoptr(GString) bytes = g_string_new(NULL);
	if (p == begin || !g_ascii_isalnum(p[-1]))
		return NULL;
	for (gint32 c;
		bytes->len < MAX_RUN && p < end && *p == '=' && (c = hex_at(p + 1, end, 2)) >= 0;
		p += 3) {
		if (g_ascii_islower(p[1]) || g_ascii_islower(p[2]) || g_ascii_isalnum(c) || c == 0)
			break;
		g_string_append_c(bytes, (char)c);
	}
	if (bytes->len == 0 || p == end || !g_ascii_isalnum(*p))
		return NULL;
	g_autoptr(GString) valid = ms_text_repair(bytes->str, bytes->len);
	g_string_append_len(out, valid->str, (gssize)valid->len);
	return p;
}

/* "\302\240": bytes as the C language writes them. */
static const char *octal(const char *p, const char *end, GString *out)
{
	g_autoptr(GString) bytes = g_string_new(NULL);
	while (end - p > 3 && *p == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' &&
		p[2] <= '7' && p[3] >= '0' && p[3] <= '7') {
		char c = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
		g_string_append_c(bytes, c != '\0' ? c : ' ');
		p += 4;
	}
	if (bytes->len == 0)
		return NULL;
	g_autoptr(GString) valid = ms_text_repair(bytes->str, bytes->len);
	g_string_append_len(out, valid->str, (gssize)valid->len);
	return p;
}

/* "^FH^FDKD_2D7740912": what a printer of labels is told byte by byte, each behind the sign that
 * stands next to ^FH, or "_". */
static const char *of_label_bytes(
	const char *begin, const char *p, const char *end, GString *out)
{
	const char *from = p - begin > MAX_TAG ? p - MAX_TAG : begin;
	const char *said = g_strrstr_len(from, p - from, "^FH");
	if (said == NULL || p - said < 4)
		return NULL;
	char sign = said[3] == '^' ? '_' : said[3];
	g_autoptr(GString) bytes = g_string_new(NULL);
	for (gint32 c; p < end && *p == sign && (c = hex_at(p + 1, end, 2)) > 0; p += 3)
		g_string_append_c(bytes, (char)c);
	if (bytes->len == 0)
		return NULL;
	g_autoptr(GString) valid = ms_text_repair(bytes->str, bytes->len);
	g_string_append_len(out, valid->str, (gssize)valid->len);
	return p;
}

/* "{2d}": so many digits as its braces hold. */
static const char *in_braces(const char *p, const char *end, GString *out)
{
	guint digits = 0;
	while (digits < 8 && p + 1 + digits < end && g_ascii_isxdigit(p[1 + digits]))
		digits++;
	const char *close = p + 1 + digits;
	if (p >= end || *p != '{' || digits == 0 || close >= end || *close != '}')
		return NULL;
	put_character(out, hex_at(p + 1, end, digits));
	return close + 1;
}

/* Escapes of JSON, JavaScript, TOML, properties files and the like. */
static const char *backslash(const char *begin, const char *p, const char *end, GString *out)
{
	const char *label = of_label_bytes(begin, p, end, out);
	if (label != NULL || end - p < 2)
		return label;
	guint digits = p[1] == 'u' ? 4 : p[1] == 'x' ? 2 : p[1] == 'U' ? 8 : 0;
	gint32 code = digits > 0 ? hex_at(p + 2, end, digits) : -1;
	if (code >= 0) {
		put_character(out, code);
		return p + 2 + digits;
	}
	const char *braced = digits > 0 ? in_braces(p + 2, end, out) : NULL;
	if (braced != NULL)
		return braced;
	const char *after = octal(p, end, out);
	if (after != NULL)
		return after;
	if (strchr("nrtf", p[1]) == NULL)
		return NULL;
	g_string_append_c(out, ' ');
	return p + 2;
}

/* "^FDKD-7740912^FS": what a printer of labels is told (ZPL). */
static const char *of_label(const char *begin, const char *p, const char *end, GString *out)
{
	(void)begin;
	if (end - p < 3 || !g_ascii_isupper(p[1]) || !g_ascii_isalnum(p[2]) ||
		g_ascii_islower(p[2]))
		return NULL;
	g_string_append_c(out, ' ');
	return p + 3;
}

/* "_x000D_" */
static const char *of_sheet(const char *begin, const char *p, const char *end, GString *out)
{
	gint32 code = end - p >= 7 && p[1] == 'x' && p[6] == '_' ? hex_at(p + 2, end, 4) : -1;
	if (code < 0)
		return of_label_bytes(begin, p, end, out);
	put_character(out, code >= 0x20 ? code : ' ');
	return p + 7;
}

/* The character at `p` as the byte that it is in Windows-1252, or -1; how long it is. */
static int byte_of(const char *p, const char *end, gsize *len_out)
{
	gunichar c = g_utf8_get_char_validated(p, MIN(end - p, 6));
	if (c < 0x80 || c > 0x2122) /* not UTF-8, too */
		return -1;
	*len_out = (gsize)(g_utf8_next_char(p) - p);
	if (c < 0x100)
		return (int)c;
	for (int byte = 0x80; byte < 0xa0; byte++)
		if (ms_text_cp1252((guint8)byte) == c)
			return byte;
	return -1;
}

static gsize utf8_length(int byte)
{
	return byte < 0xc2 ? 0 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : byte < 0xf5 ? 4 : 0;
}

/* "Â " and "â€‘": UTF-8 whose bytes were taken for characters. */
static const char *twice_encoded(const char *begin, const char *p, const char *end, GString *out)
{
	char bytes[5] = "";
	gsize len = 0, want = 0;
	int byte = byte_of(p, end, &len);
	const char *at = p + len;
	want = utf8_length(byte);
	if (want == 0)
		return NULL;
	/* Whose no-break space has become a space since. */
	if (byte == 0xc2 && at < end && *at == ' ' && p > begin && g_ascii_isalnum(p[-1])) {
		g_string_append_c(out, ' ');
		return at + 1;
	}
	bytes[0] = (char)byte;
	for (gsize n = 1; n < want; n++) {
		byte = at < end ? byte_of(at, end, &len) : -1;
		if (byte < 0 || (byte & 0xc0) != 0x80)
			return NULL;
		bytes[n] = (char)byte;
		at += len;
	}
	gunichar c = g_utf8_get_char_validated(bytes, (gssize)want);
	if (c >= (gunichar)-2)
		return NULL;
	g_string_append_unichar(out, c);
	return at;
}

/* The no-break space and dashes of one charset, taken for another: what they are is told by the
 * digits beside them. */
static const char *wrong_charset(const char *begin, const char *p, const char *end, GString *out)
{
	static const struct {
		const char *is, *means;
	} rows[] = {{"\u00ca", " "}, {"\u00ff", " "}, {"\u00e1", " "}, {"\u2020", " "},
		{"\u00ac\u2020", " "}, {"\u252c\u00e1", " "}, {"\u00c2", " "}, {"\u00fb", "-"},
		{"\u00f9", "-"}, {"\u00f1", "-"}, {"\u00f3", "-"}};
	if (p == begin || !g_ascii_isalnum(p[-1]))
		return NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *after = p + strlen(rows[i].is);
		if (!begins(p, end, rows[i].is) || after >= end || !g_ascii_isalnum(*after) ||
			(!g_ascii_isdigit(p[-1]) && !g_ascii_isdigit(*after)))
			continue;
		g_string_append(out, rows[i].means);
		return after;
	}
	return NULL;
}

/* To the end of what a mark turns round, or of its line. */
static const char *turned(const char *p, const char *end, GString *out)
{
	const char *from = p + 3, *stop = memmem(from, (gsize)(end - from), "\u202c", 3);
	const char *until = stop != NULL ? stop : end;
	g_autoptr(GString) valid = ms_text_repair(from, (gsize)(until - from));
	g_autofree char *round = g_utf8_strreverse(valid->str, (gssize)valid->len);
	g_string_append(out, round);
	return stop != NULL ? stop + 3 : end;
}

/* Lines and corners of a table that is drawn with letters. */
static const char *box(const char *p, GString *out)
{
	gunichar c = g_utf8_get_char(p);
	bool upright = c == 0x2502 || c == 0x2503 || c == 0x2551 || c == 0x2506 || c == 0x250a;
	g_string_append_c(out, upright ? '|' : '-');
	return p + 3;
}

/* A letter of Western Europe between others, as most are: no byte but "Â" stands for one alone. */
static bool is_usual_letter(const char *begin, const char *p, const char *end)
{
	return (guchar)*p == 0xc3 && end - p > 2 && (guchar)p[1] != 0x82 && (p[2] & 0x80) == 0 &&
		!g_ascii_isdigit(p[2]) && (p == begin || !g_ascii_isdigit(p[-1]));
}

static const char *not_ascii(const char *begin, const char *p, const char *end, GString *out)
{
	if (is_usual_letter(begin, p, end))
		return NULL;
	if (begins(p, end, "\u202e"))
		return turned(p, end, out);
	const char *after = twice_encoded(begin, p, end, out);
	if (after == NULL)
		after = wrong_charset(begin, p, end, out);
	bool drawn = end - p > 2 && (guchar)p[0] == 0xe2 && ((guchar)p[1] & 0xfe) == 0x94;
	return after == NULL && drawn ? box(p, out) : after;
}

/* ---- a line ---------------------------------------------------------------------------- */

/* With bytes that ms_scan_encoded() finds. */
static UndoFunc *const undo[256] = {['&'] = reference,
	['<'] = tag,
	['['] = tag,
	['^'] = of_label,
	['='] = quoted_printable,
	['\\'] = backslash,
	['_'] = of_sheet,
	[0xc2] = not_ascii,
	[0xc3] = not_ascii,
	[0xe2] = not_ascii};

/* What was meant by a line, at the end of `out`; false and nothing if it is what it says. */
static bool undo_line(const char *begin, const char *end, GString *meant, GString *out)
{
	const char *kept = begin;
	for (const char *p = begin; (p += ms_scan_encoded(p, (gsize)(end - p), 0)) < end;) {
		UndoFunc *func = undo[(guchar)*p];
		if (func == NULL) {
			p++;
			continue;
		}
		g_string_truncate(meant, 0);
		const char *after = func(begin, p, end, meant);
		if (after == NULL) {
			p++;
			continue;
		}
		g_string_append_len(out, kept, p - kept);
		g_string_append_len(out, meant->str, (gssize)meant->len);
		kept = p = after;
	}
	if (kept == begin)
		return false;
	g_string_append_len(out, kept, end - kept);
	g_string_append_c(out, '\n');
	return true;
}

/* ---- the whole ------------------------------------------------------------------------- */

/* Lines that say something else, with those before and after them: a value may go on there. */
static void undo_text(const char *text, gsize len, GString *out)
{
	const char *before = NULL, *end = text + len, *mark = text;
	bool follows = false;
	g_autoptr(GString) meant = g_string_new(NULL);
	for (const char *p = text; p < end && out->len <= MAX_OUT;) {
		const char *nl = memchr(p, '\n', (gsize)(end - p));
		const char *stop = nl != NULL ? nl : end, *next = nl != NULL ? nl + 1 : end;
		gsize at = out->len;
		if (mark <= p)
			mark = p + ms_scan_encoded(p, (gsize)(end - p), 0);
		bool other = mark < stop && undo_line(p, stop, meant, out);
		if (other && before != NULL)
			g_string_insert_len(out, (gssize)at, before, p - before);
		if (!other && follows)
			g_string_append_len(out, p, next - p);
		before = other || follows ? NULL : p;
		follows = other;
		p = next;
	}
}

/* What `text` says otherwise, handed over; NULL if nothing. */
static GString *read_round(const MsExtraction *to, const char *where, const char *text, gsize len)
{
	GString *out = g_string_new(NULL);
	undo_text(text, len, out);
	if (out->len > MAX_OUT)
		ms_reading_unread(to->reading, where, MS_UNREAD_LIMIT,
			"more than %d bytes that were encoded twice", MAX_OUT);
	MsSpan undone = {.type = MS_SPAN_ASIDE, .where = where, .text = out->str, .len = out->len};
	if (out->len > 0 && out->len <= MAX_OUT) {
		ms_extract_hand_over_alone(to, &undone);
		return out;
	}
	g_string_free(out, TRUE);
	return NULL;
}

void ms_undone_read(const MsExtraction *to, const MsSpan *span)
{
	g_autofree char *where = g_strconcat(span->where, " (undone)", NULL);
	GString *text = read_round(to, where, span->text, span->len);
	for (guint i = 1; i < ROUNDS && text != NULL; i++) {
		GString *next = read_round(to, where, text->str, text->len);
		g_string_free(text, TRUE);
		text = next;
	}
	if (text != NULL)
		g_string_free(text, TRUE);
}
