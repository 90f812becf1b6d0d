/*
 * A text comes in; out goes what its links say in ways that no reader sees: with percent escapes,
 * in one another, and in base64, base32 or hexadecimal digits, as portals and newsletters write
 * whose page or whose mail it is, packed or not; and the same of long words without a blank, as in
 * files that programs write for each other.  A worker's one thread.
 *
 * What decodes to printable text is a guess; it counts only where the directory knows it.
 */
#include "config.h"

#include <string.h>

#include "missent/scan.h"
#include "missent/text.h"
#include "missent/transfer.h"

#include "readers.h"

#define MAX_DEPTH 4 /* links in one another */
#define MIN_CODED 8 /* letters of base64 that are looked at */
#define MIN_PLAIN 5 /* bytes that they must make */
#define MIN_BASE32 16
#define MIN_PACKED 16 /* bytes */
#define MIN_WORD 32 /* bytes of a word that is no link */
#define MAX_OUT (4 << 20)

static bool is_edge(char c)
{
	return g_ascii_isspace(c) || c == '\0' || strchr("<>\"'`|\\^{}()[]", c) != NULL;
}

static bool is_escape(const char *p, const char *end)
{
	return end - p > 2 && *p == '%' && g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2]);
}

/* ---- base64 and hexadecimal digits ----------------------------------------------------- */

static bool is_plain(const guint8 *data, gsize len)
{
	gsize letters = 0;
	if (len < MIN_PLAIN || !ms_scan_utf8((const char *)data, len))
		return false;
	for (gsize i = 0; i < len; i++) {
		if (data[i] < 0x20 && !g_ascii_isspace((char)data[i]))
			return false;
		letters += g_ascii_isalnum((char)data[i]) || data[i] >= 0x80;
	}
	return letters * 2 >= len;
}

static void links_of(const char *p, const char *end, guint depth, GString *out);

static void read_pieces(const char *p, const char *end, guint depth, bool slash, GString *out);

/* May be encoded once more. */
static void put_text(const char *text, gsize len, guint depth, GString *out)
{
	g_string_append_len(out, text, (gssize)len);
	g_string_append_c(out, '\n');
	links_of(text, text + len, depth + 1, out);
	if (depth < MAX_DEPTH)
		read_pieces(text, text + len, depth + 1, true, out);
}

/* What was decoded, or what that unpacks to, if it is text. */
static void put_plain(GByteArray *bytes, guint depth, GString *out)
{
	if (bytes == NULL)
		return;
	const char *wide = NULL;
	g_autoptr(GByteArray) packed = NULL;
	bool plain = is_plain(bytes->data, bytes->len);
	if (!plain && bytes->len >= MIN_PACKED && depth < MAX_DEPTH)
		packed = ms_inflate_word(bytes->data, bytes->len);
	if (packed != NULL)
		put_plain(g_steal_pointer(&packed), depth + 1, out);
	if (plain)
		put_text((const char *)bytes->data, bytes->len, depth, out);
	else if (bytes->len > 0 && memchr(bytes->data, '\0', bytes->len) != NULL)
		wide = ms_charset_guess(bytes->data, bytes->len);
	GString *text = NULL;
	if (wide != NULL && ms_charset_decode(wide, bytes->data, bytes->len, &text) &&
		is_plain((const guint8 *)text->str, text->len))
		put_text(text->str, text->len, depth, out);
	if (text != NULL)
		g_string_free(text, TRUE);
	g_byte_array_unref(bytes);
}

static bool is_base64(char c, bool slash)
{
	return ms_transfer_is_base64(c) && (slash || c != '/');
}

static bool is_base32(const char *p, gsize len)
{
	for (gsize i = 0; i < len; i++)
		if (!g_ascii_isalpha(p[i]) && (p[i] < '2' || p[i] > '7'))
			return false;
	return len >= MIN_BASE32;
}

static GByteArray *undo_base32(const char *p, gsize len)
{
	GByteArray *out = g_byte_array_sized_new((guint)(len / 8 * 5 + 5));
	guint32 bits = 0;
	guint n = 0;
	for (gsize i = 0; i < len; i++) {
		char c = g_ascii_toupper(p[i]);
		bits = bits << 5 | (guint32)(g_ascii_isdigit(c) ? c - '2' + 26 : c - 'A');
		n += 5;
		if (n < 8)
			continue;
		n -= 8;
		guint8 byte = (guint8)(bits >> n);
		g_byte_array_append(out, &byte, 1);
	}
	return out;
}

/* `p` to `end`: letters of base64 alone, without padding. */
static void read_coded(const char *p, const char *end, guint depth, GString *out)
{
	gsize len = (gsize)(end - p), hex = 0, lower = 0, upper = 0;
	if (len < MIN_CODED)
		return;
	for (gsize i = 0; i < len; i++) {
		hex += g_ascii_isxdigit(p[i]) != 0;
		lower += g_ascii_islower(p[i]) != 0;
		upper += g_ascii_isupper(p[i]) != 0;
	}
	if (hex == len)
		put_plain(len % 2 == 0 ? ms_transfer_hex(p, len) : NULL, depth, out);
	else if ((lower == 0 || upper == 0) && is_base32(p, len))
		put_plain(undo_base32(p, len), depth, out);
	else if (lower > 0 && upper > 0) /* words and numbers are of one case */
		put_plain(ms_transfer_base64((const guint8 *)p, len), depth, out);
}

/* ---- one link -------------------------------------------------------------------------- */

/* `slash`: it may be a digit, not what sets pieces apart. */
static void read_pieces(const char *p, const char *end, guint depth, bool slash, GString *out)
{
	while (p < end && out->len <= MAX_OUT) {
		const char *from = p;
		while (p < end && is_base64(*p, slash))
			p++;
		read_coded(from, p, depth, out);
		while (p < end && !is_base64(*p, slash))
			p++;
	}
}

GString *ms_links_unescaped(const char *p, gsize len)
{
	g_autoptr(GByteArray) plain = ms_transfer_percent(p, len);
	return plain->len < len ? ms_text_repair((const char *)plain->data, plain->len) : NULL;
}

/* "https://a.example/?street=Main+Street+5&city=Springfield": what a form was filled in with, a
 * field a line. */
static void read_fields(const char *p, const char *end, GString *out)
{
	gsize len = (gsize)(end - p);
	if (memchr(p, '+', len) == NULL || memmem(p, len, "://", 3) == NULL)
		return;
	g_autofree char *fields = g_strndup(p, len);
	g_strdelimit(g_strdelimit(fields, "+", ' '), "/?#&;", '\n');
	g_autoptr(GString) plain = ms_links_unescaped(fields, strlen(fields));
	g_string_append(out, plain != NULL ? plain->str : fields);
	g_string_append_c(out, '\n');
}

static void read_link(const char *p, const char *end, guint depth, GString *out)
{
	read_pieces(p, end, depth, false, out);
	read_fields(p, end, out);
	g_autoptr(GString) valid = ms_links_unescaped(p, (gsize)(end - p));
	if (valid == NULL || depth >= MAX_DEPTH || out->len > MAX_OUT)
		return;
	g_string_append_len(out, valid->str, (gssize)valid->len);
	g_string_append_c(out, '\n');
	read_link(valid->str, valid->str + valid->len, depth + 1, out);
}

static const char *next_of(const char *p, const char *end, char c)
{
	const char *found = memchr(p, c, (gsize)(end - p));
	return found != NULL ? found : end;
}

/* "https://urldefense.proofpoint.com/v2/url?u=https-3A__a.example_b-3Fc-3Dd&d=...": the link that
 * Proofpoint has put into its own, escapes with a dash and slashes as lines. */
static void read_defended(const char *p, const char *end, guint depth, GString *out)
{
	static const char host[] = "urldefense.proofpoint.com/v2/url?u=";
	const char *from = memmem(p, (gsize)(end - p), host, sizeof host - 1);
	if (from == NULL)
		return;
	from += sizeof host - 1;
	const char *until = next_of(from, end, '&');
	g_autofree char *link = g_strndup(from, (gsize)(until - from));
	g_strdelimit(g_strdelimit(link, "-", '%'), "_", '/');
	read_link(link, link + strlen(link), depth, out);
}

static bool is_link(const char *p, const char *end)
{
	gsize len = (gsize)(end - p);
	if (memmem(p, len, "://", 3) != NULL || memmem(p, len, "mailto:", 7) != NULL)
		return true;
	for (const char *q = p; (q = memchr(q, '%', (gsize)(end - q))) != NULL; q++)
		if (is_escape(q, end))
			return true;
	return false;
}

/* The words of a text that are links. */
static void links_of(const char *p, const char *end, guint depth, GString *out)
{
	const char *colon = p, *percent = p; /* a link has one of the two */
	while (depth < MAX_DEPTH && p < end && out->len <= MAX_OUT) {
		colon = colon <= p ? next_of(p, end, ':') : colon;
		percent = percent <= p ? next_of(p, end, '%') : percent;
		const char *mark = MIN(colon, percent), *from = mark;
		if (mark == end)
			return;
		while (from > p && !is_edge(from[-1]))
			from--;
		for (p = mark; p < end && !is_edge(*p);)
			p++;
		if (p - from <= 6 || !is_link(from, p))
			continue;
		read_link(from, p, depth, out);
		read_defended(from, p, depth, out);
	}
}

/* ---- long words ------------------------------------------------------------------------ */

#define LOOK 16 /* bytes, in which nearly every text has a blank */

static bool has_blank(const char *p)
{
	guint64 any = 0;
	for (gsize i = 0; i < LOOK; i += 8) {
		guint64 eight;
		memcpy(&eight, p + i, sizeof eight);
		any |= (eight - 0x2121212121212121ULL) & ~eight & 0x8080808080808080ULL;
	}
	return any != 0;
}

/* Nearly all words are found that are long enough, the longer the surer. */
static void words_of(const char *text, gsize len, GString *out)
{
	const char *p = text, *end = text + len, *done = text;
	while (end - p >= LOOK && out->len <= MAX_OUT) {
		if (has_blank(p)) {
			p += 2 * LOOK;
			continue;
		}
		const char *from = p;
		while (from > done && !is_edge(from[-1]))
			from--;
		while (p < end && !is_edge(*p))
			p++;
		if (p - from >= MIN_WORD && !is_link(from, p))
			read_pieces(from, p, 0, true, out);
		done = p;
		p++;
	}
}

void ms_links_read(const MsExtraction *to, const MsSpan *span)
{
	g_autoptr(GString) out = g_string_new(NULL);
	links_of(span->text, span->text + span->len, 0, out);
	words_of(span->text, span->len, out);
	if (out->len == 0)
		return;
	g_autofree char *where = g_strconcat(span->where, " (links)", NULL);
	if (out->len > MAX_OUT)
		ms_reading_unread(to->reading, where, MS_UNREAD_LIMIT,
			"links of more than %d bytes within others", MAX_OUT);
	MsSpan links = {.type = MS_SPAN_ASIDE, .where = where, .text = out->str, .len = out->len};
	ms_extract_hand_over_alone(to, &links);
}
