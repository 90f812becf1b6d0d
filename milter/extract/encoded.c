/*
 * Files that are written into a text in letters: uuencode and xxencode wherever "begin" stands,
 * and without it; BinHex; base64 and quoted-printable that were applied once more than the label
 * says; ascii85; hexadecimal digits, dumps of them; encoded words of quoted headers.  In comes a
 * text in UTF-8, out go the decoded files to ms_extract() and unread items for what is told only
 * (PGP).  One pass over the lines, one over all for ascii85; no state is kept.
 *
 * What stands so in a text is a guess: what decodes to nothing known is dropped, for it is a
 * key, a digest or a certificate far more often than a file.  A text that is nothing else than
 * base64, in lines as long as all programs make them, is no guess; shorter ones are a list of
 * numbers.  The worker's one thread.
 */
#include "config.h"

#include <string.h>

#include "missent/scan.h"
#include "missent/text.h"
#include "missent/transfer.h"

#include "bytes.h"
#include "plain.h"
#include "readers.h"

#define SHORTEST 40  /* letters of a line of base64 within other text */
#define WHOLE 16     /* letters of a text that is nothing else */
#define LONG 88      /* letters of base64 amid a line that nothing pads: a document's */
#define WORD 5       /* bytes of quoted-printable in a row that no link has */
#define UNKNOWN 512  /* decoded bytes that are too many for a key */

typedef struct {
	const MsExtraction *to;
	const char *where;
	const char *text, *end;
	/* quoted-printable: line breaks, bytes, and so many in a row that they are a word */
	bool soft, pairs, word;
	const char *dumped; /* no dump begins before it */
} Scan;

typedef struct {
	const char *p, *stop, *next; /* without its line end; the next line */
} Line;

static Line line_at(const Scan *scan, const char *p)
{
	const char *nl = memchr(p, '\n', (gsize)(scan->end - p));
	Line line = {p, nl != NULL ? nl : scan->end, nl != NULL ? nl + 1 : scan->end};
	if (line.stop > p && line.stop[-1] == '\r')
		line.stop--;
	return line;
}

/* Quoted mail has "> " before each line, lists have blanks. */
static const char *past_quote(const Line *line)
{
	const char *p = line->p;
	while (p < line->stop && (*p == '>' || *p == ' ' || *p == '\t'))
		p++;
	return p;
}

static void give(const Scan *scan, const char *name, GByteArray *data)
{
	if (data->len > 0)
		ms_extract_within(scan->to, scan->where, name, NULL, data->data, data->len);
}

/* ---- uuencode ------------------------------------------------------------------------- */

/* "begin 644 name", "begin 10644 name", "begin-base64 644 name". */
static bool is_begin(const char *p, const char *stop, bool *base64)
{
	if (stop - p < 9 || strncmp(p, "begin", 5) != 0)
		return false;
	p += 5;
	*base64 = stop - p > 7 && strncmp(p, "-base64", 7) == 0;
	p += *base64 ? 7 : 0;
	const char *mode = p + strspn(p, " \t");
	gsize digits = strspn(mode, "01234567");
	return mode > p && digits >= 3 &&
		(mode + digits >= stop || mode[digits] == ' ' || mode[digits] == '\t');
}

static bool is_uu(const Scan *scan, const char *p, gsize prefix, MsUuAlphabet alphabet)
{
	if (p >= scan->end)
		return false;
	Line line = line_at(scan, p);
	const char *from = MIN(line.p + prefix, line.stop);
	return line.stop > from &&
		ms_transfer_is_uu_line((const guint8 *)from, (gsize)(line.stop - from), alphabet);
}

/* Decodes lines from `p` on; where they end. */
static const char *uu_lines(const Scan *scan, const char *p, gsize prefix, MsUuAlphabet alphabet,
	GByteArray *out)
{
	while (is_uu(scan, p, prefix, alphabet)) {
		Line line = line_at(scan, p);
		const guint8 *from = (const guint8 *)line.p + prefix;
		gsize len = (gsize)(line.stop - line.p) - prefix;
		if (len == 3 && memcmp(from, "end", 3) == 0)
			break;
		p = line.next;
		if (!ms_transfer_uu_line(from, len, alphabet, out))
			break;
	}
	return p;
}

static const char *base64_lines(const Scan *scan, const char *p, GByteArray *out)
{
	const char *from = p;
	while (p < scan->end) {
		Line line = line_at(scan, p);
		const char *text = past_quote(&line);
		if (line.stop - text >= 4 && strncmp(text, "====", 4) == 0)
			break;
		if (!ms_transfer_base64_is_clean(
			    (const guint8 *)text, (gsize)(line.stop - text), 0))
			break;
		p = line.next;
	}
	g_autoptr(GByteArray) data = ms_transfer_base64((const guint8 *)from, (gsize)(p - from));
	g_byte_array_append(out, data->data, data->len);
	return p;
}

/* Two full lines, as of a file that has lost its "begin". */
static bool is_amid_uu(const Scan *scan, const Line *line, gsize prefix, MsUuAlphabet alphabet)
{
	char full = alphabet == MS_UU ? 'M' : 'h';
	const char *first = line->p + prefix, *second = line->next + prefix;
	return line->stop - first >= 61 && *first == full && second < scan->end &&
		*second == full && is_uu(scan, line->p, prefix, alphabet) &&
		is_uu(scan, line->next, prefix, alphabet);
}

/* A file that begins at `line`, with "begin" or without; where it ends, or NULL. */
static const char *read_uu(const Scan *scan, const Line *line, const char *text)
{
	gsize prefix = (gsize)(text - line->p);
	bool base64 = false;
	const char *after = NULL;
	if (line->stop == text || strchr("bMh", *text) == NULL) /* as nearly all lines */
		return NULL;
	g_autoptr(GByteArray) out = ms_bytes_new();
	bool begun = is_begin(text, line->stop, &base64);
	if (begun && base64)
		after = base64_lines(scan, line->next, out);
	for (MsUuAlphabet a = MS_UU; after == NULL && a <= MS_XX; a++)
		if (begun ? is_uu(scan, line->next, prefix, a) : is_amid_uu(scan, line, prefix, a))
			after = uu_lines(scan, begun ? line->next : line->p, prefix, a, out);
	if (after == NULL)
		return NULL;
	give(scan, base64 ? "base64 file" : "uuencoded file", out);
	return after;
}

/* ---- base64 --------------------------------------------------------------------------- */

static bool may_be_base64(char c)
{
	return ms_transfer_is_base64(c) || c == '=' || c == ' ';
}

/* "-----BEGIN PGP MESSAGE-----", and lines that are drawn; those that undo uuencode look for
 * "begin". */
static bool begins_another(const char *p, const char *stop)
{
	bool base64;
	bool drawn = stop - p >= 5 && strchr("-_=", *p) != NULL && memcmp(p, p + 1, 4) == 0;
	return drawn || is_begin(p, stop, &base64);
}

/* Most lines of prose end with a mark. */
static bool is_base64_line(const char *p, const char *stop)
{
	if (p == stop || !may_be_base64(stop[-1]) || begins_another(p, stop))
		return false;
	while (p < stop && may_be_base64(*p))
		p++;
	return p == stop;
}

/* Is it one that a program would open, or text that a person would read? */
static bool is_something(const guint8 *data, gsize len)
{
	return ms_extract_knows(data, len) ||
		(ms_is_text(data, len) &&
			(ms_scan_utf8((const char *)data, len) || len > 100));
}

/* Between letters, not at the end of the line. */
static bool has_blank(const char *p, const char *stop)
{
	while (stop > p && stop[-1] == ' ')
		stop--;
	return memchr(p, ' ', (gsize)(stop - p)) != NULL;
}

#define ENOUGH 512 /* letters, to see what it is */

static GByteArray *something_in(const char *p, const char *stop)
{
	g_autoptr(GByteArray) data = ms_transfer_base64((const guint8 *)p, (gsize)(stop - p));
	return is_something(data->data, data->len) ? g_steal_pointer(&data) : NULL;
}

/* Text whose first letters were lost, so that its groups of four begin elsewhere. */
static GByteArray *without_beginning(const char *p, const char *stop)
{
	for (guint lost = 1; lost < 4 && stop - p > SHORTEST; lost++) {
		const guint8 *from = (const guint8 *)p + lost;
		gsize len = (gsize)(stop - p) - lost;
		g_autoptr(GByteArray) head = ms_transfer_base64(from, MIN(len, SHORTEST));
		if (ms_scan_utf8((const char *)head->data, head->len / 4 * 3) &&
			ms_is_text(head->data, head->len))
			return ms_transfer_base64(from, len);
	}
	return NULL;
}

/* The first line of a file is as long as the second, unless that is the last. */
static bool begins_lines(const Scan *scan, const Line *line, const char *after)
{
	const char *p = line->next;
	while (p < after) {
		Line at = line_at(scan, p);
		if (at.stop > at.p)
			return at.stop - at.p == line->stop - line->p || at.next >= after;
		p = at.next;
	}
	return true;
}

/* Prose without a mark at its end is taken for a line of the file behind it: the line that begins
 * one, or `after`. */
static const char *behind_prose(const Scan *scan, const Line *first, const char *after)
{
	gsize before = (gsize)(first->stop - first->p);
	for (const char *p = first->next; p < after;) {
		Line at = line_at(scan, p);
		const char *text = past_quote(&at);
		gsize len = (gsize)(at.stop - at.p);
		if (len != before && at.stop - text >= SHORTEST && !has_blank(text, at.stop) &&
			begins_lines(scan, &at, after)) {
			g_autoptr(GByteArray)
				head = something_in(text, text + MIN(after - text, ENOUGH));
			g_autoptr(GByteArray) all = head != NULL ? something_in(text, after) : NULL;
			if (all != NULL)
				return at.p;
		}
		before = at.stop > text ? len : before;
		p = at.next;
	}
	return after;
}

/* Where the lines end that may be of one file: of one length, and a shorter one.  Blank lines
 * between them are skipped; words are prose behind it, and so is what is short below one. */
static const char *end_of_run(const Scan *scan, const Line *line, const char *text, bool *words)
{
	gsize full = (gsize)(line->stop - text), before = full;
	bool blanks = has_blank(text, line->stop), ended = false;
	const char *after = line->next;
	while (after < scan->end) {
		Line at = line_at(scan, after);
		const char *from = past_quote(&at);
		gsize len = (gsize)(at.stop - from);
		if (len > 0 && (!is_base64_line(from, at.stop) || (ended && len < full) ||
			(!blanks && has_blank(from, at.stop))))
			break;
		*words = *words || memchr(from, ' ', len) != NULL;
		ended = len == 0 && before < full;
		before = len > 0 ? len : before;
		after = at.next;
	}
	return after;
}

/* Base64 that begins at `line`: where it ends, or NULL if there is none. */
static const char *read_base64(const Scan *scan, const Line *line, const char *text)
{
	if (line->stop - text < WHOLE || !is_base64_line(text, line->stop))
		return NULL;
	bool first = line->p == scan->text,
	     words = memchr(text, ' ', (gsize)(line->stop - text)) != NULL;
	const char *after = end_of_run(scan, line, text, &words);
	bool whole = first && after == scan->end && !words;
	bool mixed = memchr(text, '=', (gsize)(line->stop - text)) != NULL || after != line->next;
	if (!whole && line->stop - text < SHORTEST && (words || !mixed))
		return behind_prose(scan, line, after);
	g_autoptr(GByteArray) data = something_in(text, after);
	if (data == NULL)
		data = without_beginning(text, after);
	if (data != NULL) {
		give(scan, "base64 text", data);
		return after;
	}
	const char *begin = behind_prose(scan, line, after);
	if (begin == after && whole && (after - text) / 4 * 3 > UNKNOWN &&
		line->stop - text >= SHORTEST)
		ms_reading_unread(scan->to->reading, scan->where, MS_UNREAD_NO_READER,
			"base64 text that nothing here reads");
	return begin;
}

/* Is it all of a field: a cell, what is in quotes?  Links have long words that are nothing. */
static bool is_field(const Line *line, const char *from, const char *stop)
{
	static const char marks[] = " \t;,|\"'";
	return from > line->p && strchr(marks, from[-1]) != NULL &&
		(stop == line->stop || strchr(marks, *stop) != NULL);
}

/* Where LONG digits in a row begin at `p`, which no digit is before, or behind it. */
static const char *long_run(const char *p, const char *stop)
{
	while (stop - p >= LONG) {
		const char *last = p + LONG;
		while (last > p && ms_transfer_is_base64(last[-1]))
			last--;
		if (last == p)
			return p;
		p = last;
	}
	return stop;
}

/* "data: !!binary S3VuZGU=": what ends in padding is base64 wherever it stands, and so is a field
 * that is a document; data: is read as such. */
static void read_amid(const Scan *scan, const Line *line)
{
	static const char address[] = ";base64,";
	const char *p = line->p, *from;
	bool padding = memchr(p, '=', (gsize)(line->stop - p)) != NULL;
	for (; (from = padding ? p : long_run(p, line->stop)) < line->stop; p = MAX(p, from + 1)) {
		p = from;
		while (p < line->stop && ms_transfer_is_base64(*p))
			p++;
		bool padded = p < line->stop && *p == '=';
		bool named = from - line->p >= 8 && memcmp(from - 8, address, 8) == 0;
		if (named || p - from < (padded ? WHOLE : LONG) ||
			(padded ? p + 1 < line->stop && g_ascii_isalnum(p[1])
				: !is_field(line, from, p)))
			continue;
		g_autoptr(GByteArray) data =
			ms_transfer_base64((const guint8 *)from, (gsize)(p - from));
		if (padded ? is_something(data->data, data->len)
			   : ms_is_document(data->data, data->len))
			give(scan, "base64 text", data);
	}
}

/* ---- ascii85 -------------------------------------------------------------------------- */

/* Five digits of base 85 as the four bytes that they are; of fewer, one less.  "<~" is before them,
 * "~>" behind (PostScript's form). */
static void read_ascii85(const Scan *scan, const char *p, const char *stop)
{
	g_autoptr(GByteArray) out = ms_bytes_new();
	guint64 number = 0;
	guint n = 0;
	for (; p < stop; p++) {
		if (*p == 'z' && n == 0)
			g_byte_array_append(out, (const guint8 *)"\0\0\0\0", 4);
		if (*p < '!' || *p > 'u') /* white space, "z", "~>" */
			continue;
		number = number * 85 + (guint64)(*p - '!');
		if (++n < 5)
			continue;
		guint32 four = GUINT32_TO_BE((guint32)number);
		g_byte_array_append(out, (const guint8 *)&four, 4);
		number = n = 0;
	}
	for (guint i = n; n > 1 && i < 5; i++)
		number = number * 85 + 84;
	guint32 rest = GUINT32_TO_BE((guint32)number);
	g_byte_array_append(out, (const guint8 *)&rest, n > 1 ? n - 1 : 0);
	if (is_something(out->data, out->len))
		give(scan, "ascii85 text", out);
}

static void look_for_ascii85(const Scan *scan)
{
	gsize len = (gsize)(scan->end - scan->text), at = 0, stop;
	for (; (at = ms_scan_pair(scan->text, len, at, "<~")) < len; at = stop) {
		stop = ms_scan_pair(scan->text, len, at, "~>");
		if (stop < len)
			read_ascii85(scan, scan->text + at + 2, scan->text + stop);
	}
}

/* ---- hexadecimal digits --------------------------------------------------------------- */

#define LEAST_HEX 10 /* digits */

static gsize hex_length(const char *p, const char *end)
{
	const char *from = p;
	while (p < end && g_ascii_isxdigit(*p))
		p++;
	return (gsize)(p - from) & ~(gsize)1;
}

static void give_hex(const Scan *scan, const char *p, gsize digits)
{
	g_autoptr(GByteArray) data = ms_transfer_hex(p, digits);
	if (is_something(data->data, data->len))
		give(scan, "hexadecimal digits", data);
}

static void hex_behind(const Scan *scan, const Line *line, char mark)
{
	const char *p = line->p, *end = line->stop;
	while ((p = memchr(p, mark, (gsize)(end - p))) != NULL) {
		p++;
		p += p < end && *p == '\'';
		gsize digits = hex_length(p, end);
		if (digits >= LEAST_HEX)
			give_hex(scan, p, digits);
		p += digits;
	}
}

/* "0x4b44...", "X'4b44...'", "\\x4b44...": what databases write of columns of bytes.  A line of
 * nothing else is such text as well. */
static void read_hex(const Scan *scan, const Line *line)
{
	gsize digits = hex_length(line->p, line->stop);
	if (digits >= SHORTEST && line->p + digits == line->stop)
		give_hex(scan, line->p, digits);
	hex_behind(scan, line, 'x');
	hex_behind(scan, line, 'X');
}

/* ---- dumps ---------------------------------------------------------------------------- */

#define LEAST_DUMPED 8 /* bytes */

/* One group of digits, with "0x" before it or not: where it ends, and how many digits it has; NULL:
 * it is none. */
static const char *take_group(const char *p, const char *stop, gsize *digits_out)
{
	if (stop - p > 3 && *p == '0' && (p[1] == 'x' || p[1] == 'X'))
		p += 2;
	const char *from = p;
	while (p < stop && g_ascii_isxdigit(*p))
		p++;
	*digits_out = (gsize)(p - from);
	return p > from && (p == stop || strchr(" \t,:;-|", *p) != NULL) ? p : NULL;
}

static const char *past_gap(const char *p, const char *stop)
{
	while (p < stop && strchr(" \t,:;-", *p) != NULL && *p != '\0')
		p++;
	return p;
}

/* A line of bytes, of two digits each or in groups of four or eight: "4b 44 2d", "0x4b, 0x44",
 * "4b:44"; with the place of the first before them, and the same as text behind.  False: it is
 * none. */
static bool take_dumped(const char *p, const char *stop, GByteArray *out)
{
	gsize digits, next, before = out->len, size = 0;
	const char *end = take_group(p, stop, &digits);
	if (end == NULL)
		return false;
	const char *second = past_gap(end, stop);
	bool placed = digits >= 4 && second > end &&
		((end + 1 < stop && *end == ':' && end[1] == ' ') ||
			(take_group(second, stop, &next) != NULL && next != digits));
	for (p = placed ? second : p; p < stop; p = past_gap(end, stop)) {
		end = take_group(p, stop, &digits);
		bool fits = end != NULL && (digits == 2 || digits == 4 || digits == 8) &&
			(size == 0 || digits <= size);
		if (!fits || (placed && out->len - before >= 16))
			break;
		size = size == 0 ? digits : size;
		g_autoptr(GByteArray) bytes = ms_transfer_hex(end - digits, digits);
		g_byte_array_append(out, bytes->data, bytes->len);
	}
	bool whole = p >= stop || placed;
	if (!whole)
		g_byte_array_set_size(out, (guint)before);
	return whole && out->len > before;
}

/* The lines of a dump that begin at `line`: where they end, or NULL if there is none. */
static const char *read_dump(Scan *scan, const Line *line, const char *text)
{
	if (!g_ascii_isxdigit(*text) || line->p < scan->dumped)
		return NULL;
	g_autoptr(GByteArray) out = ms_bytes_new();
	if (!take_dumped(text, line->stop, out))
		return NULL;
	const char *after = line->next;
	while (after < scan->end) {
		Line at = line_at(scan, after);
		if (!take_dumped(past_quote(&at), at.stop, out))
			break;
		after = at.next;
	}
	scan->dumped = after;
	if (out->len < LEAST_DUMPED || !is_something(out->data, out->len))
		return NULL;
	give(scan, "hexadecimal digits", out);
	return after;
}

/* ---- BinHex --------------------------------------------------------------------------- */

/* A header (the name, 22 bytes), the data fork and the resource fork, each with a checksum. */
static const char *read_binhex(const Scan *scan, const char *colon)
{
	gsize left = (gsize)(scan->end - colon - 1);
	const char *last = memchr(colon + 1, ':', left);
	gsize len = last != NULL ? (gsize)(last - colon - 1) : left;
	guint64 max = MIN(scan->to->budget->left[MS_COST_DECODED], G_MAXINT32);
	g_autoptr(GByteArray) out = ms_transfer_hqx((const guint8 *)colon + 1, len, (gsize)max);
	gsize name = out->len > 0 ? out->data[0] : 0, head = name + 22;
	gsize data = out->len >= head ? ms_be32(out->data + name + 12) : 0;
	gsize resource = out->len >= head ? ms_be32(out->data + name + 16) : 0;
	if (name == 0 || out->len < head + data || last == NULL) {
		ms_reading_unread(scan->to->reading, scan->where, MS_UNREAD_DAMAGED,
			"a BinHex file that does not decode");
		return last != NULL ? last + 1 : scan->end;
	}
	g_autofree char *title = g_strndup((const char *)out->data + 1, name);
	ms_extract_within(scan->to, scan->where, title, NULL, out->data + head, data);
	gsize from = MIN(head + data + 2, out->len);
	if (resource > 0) {
		g_autoptr(GString) words = g_string_new(NULL);
		ms_strings(words, out->data + from, MIN(resource, out->len - from));
		ms_extract_span(scan->to, scan->where, words->str, words->len);
	}
	return last + 1;
}

static bool is_binhex_line(const Line *line, const char *text)
{
	static const char letters[] =
		"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr";
	if (line->stop - text < 60 || line->stop - text > 70 || *text != ':')
		return false;
	return (gsize)(line->stop - text - 1) <= strspn(text + 1, letters);
}

/* ---- signed in clear (RFC 9580, 7) ------------------------------------------------------ */

/* What stands between the marks, with "- " before each line that begins with a dash.  It is read
 * without these where there are any, and where it is more than text: where it ends, or NULL. */
static const char *read_signed(const Scan *scan, const Line *line)
{
	static const char mark[] = "-----BEGIN PGP SIGNED MESSAGE-----";
	if ((gsize)(line->stop - line->p) < sizeof mark - 1 ||
		memcmp(line->p, mark, sizeof mark - 1) != 0)
		return NULL;
	g_autoptr(GString) out = g_string_new(NULL);
	bool header = true, dashed = false;
	const char *p = line->next;
	while (p < scan->end) {
		Line at = line_at(scan, p);
		bool dash = at.stop - at.p >= 2 && at.p[0] == '-';
		bool escaped = dash && at.p[1] == ' ';
		if (dash && at.p[1] == '-') /* a mark; what is signed has none */
			break;
		if (!header)
			g_string_append_len(out, at.p + (escaped ? 2 : 0),
				at.next - at.p - (escaped ? 2 : 0));
		dashed = dashed || (escaped && !header);
		header = header && at.stop > at.p;
		p = at.next;
	}
	if (!dashed && !ms_extract_knows((const guint8 *)out->str, out->len))
		return NULL;
	ms_extract_within(scan->to, scan->where, "signed text", NULL, (const guint8 *)out->str,
		out->len);
	return p;
}

/* ---- the pass ------------------------------------------------------------------------- */

static bool is_pair(const char *p, const char *end)
{
	return end - p > 2 && *p == '=' && p[1] != '\0' && p[2] != '\0' &&
		strchr("0123456789ABCDEF", p[1]) != NULL &&
		strchr("0123456789ABCDEF", p[2]) != NULL;
}

static void look_for_quoted(Scan *scan, const Line *line)
{
	scan->soft = scan->soft || (line->stop > line->p && line->stop[-1] == '=');
	for (const char *p = line->p;
		!scan->word && (p = memchr(p, '=', (gsize)(line->stop - p))) != NULL;) {
		guint pairs = 0;
		while (is_pair(p, line->stop) && pairs++ < WORD)
			p += 3;
		scan->pairs = scan->pairs || pairs > 0;
		scan->word = pairs >= WORD;
		p += pairs == 0;
	}
}

/* What begins at the line: where it ends, or NULL for a line like any other. */
static const char *read_line(Scan *scan, const Line *line)
{
	const char *text = past_quote(line);
	if (text == line->stop)
		return NULL;
	const char *after = read_uu(scan, line, text);
	if (after == NULL && is_binhex_line(line, text))
		after = read_binhex(scan, text);
	if (after == NULL)
		after = read_dump(scan, line, text);
	if (after == NULL)
		after = read_base64(scan, line, text);
	if (after == NULL && line->stop - text >= 22 &&
		strncmp(text, "-----BEGIN PGP MESSAGE", 22) == 0) /* or ", PART 1/2" */
		ms_reading_unread(scan->to->reading, scan->where, MS_UNREAD_ENCRYPTED,
			"a PGP message in the text");
	return after != NULL ? after : read_signed(scan, line);
}

/* Headers that are quoted: a delivery report has those of the mail that it is about. */
static void read_words(const Scan *scan)
{
	gsize len = (gsize)(scan->end - scan->text);
	if (ms_scan_pair(scan->text, len, 0, "?=") == len)
		return;
	char *unknown = NULL;
	g_autoptr(GString) decoded = ms_words_decode(scan->text, len, true, &unknown);
	g_free(unknown);
	if (decoded->len != len || memcmp(decoded->str, scan->text, len) != 0)
		ms_extract_span(scan->to, scan->where, decoded->str, decoded->len);
}

static char *lone_return(char *p, const char *end)
{
	while ((p = memchr(p, '\r', (gsize)(end - p))) != NULL && p + 1 < end && p[1] == '\n')
		p += 2;
	return p;
}

/* Lines of old Macs end with a carriage return alone. */
static char *with_newlines(const char *text, gsize len)
{
	if (lone_return((char *)text, text + len) == NULL)
		return NULL;
	char *copy = g_memdup2(text, len);
	for (char *p = copy; (p = lone_return(p, copy + len)) != NULL;)
		*p = '\n';
	return copy;
}

void ms_plain_embedded(const MsExtraction *to, const char *where, const char *text, gsize len)
{
	g_autofree char *lines = with_newlines(text, len);
	text = lines != NULL ? lines : text;
	Scan scan = {to, where, text, text + len, false, false, false, text};
	for (const char *p = text; p < scan.end;) {
		if (!ms_budget_time(to->budget)) {
			ms_reading_unread(
				to->reading, where, MS_UNREAD_TIME, "the time for reading is over");
			return;
		}
		Line line = line_at(&scan, p);
		look_for_quoted(&scan, &line);
		read_hex(&scan, &line);
		read_amid(&scan, &line);
		const char *after = read_line(&scan, &line);
		p = after != NULL ? MAX(after, line.next) : line.next;
	}
	look_for_ascii85(&scan);
	if (scan.word || (scan.soft && scan.pairs)) {
		g_autoptr(GByteArray)
			decoded = ms_transfer_quoted_printable((const guint8 *)text, len);
		give(&scan, "quoted-printable text", decoded);
	}
	if (ms_scan_pair(text, len, 0, "=?") < len)
		read_words(&scan);
}
