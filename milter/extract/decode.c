/*
 * Bytes to text, in each way in which a client may do it.  A document comes in with the
 * charset that its label names; out goes its text, and further readings of it where the
 * document itself names another charset, or where its bytes are plainly of one that
 * nothing names.  What is read the same in all charsets, as most mail is, is read once.
 * One message, one thread.
 */
#include "config.h"

#include <string.h>

#include "missent/extract.h"
#include "missent/scan.h"
#include "missent/text.h"
#include "missent/transfer.h"

#include "readers.h"

static void note_unknown(const MsExtraction *to, const MsDocument *document, const char *charset)
{
	ms_reading_unread(to->reading, document->where, MS_UNREAD_CHARSET,
		"a charset that is not known (its name has %zu characters)", strlen(charset));
}

/* The text of a document in its charset; notes an unknown one. */
static GString *decode(const MsExtraction *to, const MsDocument *document)
{
	GString *text;
	if (!ms_charset_decode(document->charset, document->data, document->len, &text))
		note_unknown(to, document, document->charset);
	return text;
}

/* ---- what the bytes themselves look like ----------------------------------------------
 */

static bool has_high(const guint8 *data, gsize len)
{
	for (gsize i = 0;; i++) {
		i += ms_scan_ascii((const char *)data + i, len - i);
		if (i == len || data[i] >= 0x80) /* else a NUL */
			return i < len;
	}
}

/* Do these digits of base64, eight or more, make UTF-16 of letters and digits that need no
 * encoding?  In other text that is as good as never. */
static bool is_shifted_text(const guint8 *p, gsize n)
{
	g_autoptr(GByteArray) bytes = ms_transfer_base64(p, n);
	for (guint i = 0; i + 1 < bytes->len; i += 2) {
		guint unit = (guint)bytes->data[i] << 8 | bytes->data[i + 1];
		bool plain = (unit >= 0x20 && unit < 0x7f) ||
			     (unit >= 0xff01 && unit <= 0xff5e) || unit == '\n' ||
			     unit == '\r' || unit == '\t';
		if (!plain)
			return false;
	}
	return true;
}

static bool looks_utf7(const guint8 *data, gsize len)
{
	const guint8 *end = data + len;
	while (data < end && (data = memchr(data, '+', (gsize)(end - data))) != NULL) {
		const guint8 *start = ++data;
		while (data < end && (g_ascii_isalnum((char)*data) || *data == '/'))
			data++;
		if (data - start >= 8 && is_shifted_text(start, (gsize)(data - start)))
			return true;
	}
	return false;
}

/* ESC $ B, ESC $ ) C and so on (ISO 2022). */
static const char *looks_iso2022(const guint8 *data, gsize len)
{
	const guint8 *p = data + ms_scan_pair((const char *)data, len, 0, "\x1b$");
	if (data + len - p < 4)
		return NULL;
	if (p[2] == '@' || p[2] == 'B' || (p[2] == '(' && p[3] == 'D'))
		return "ISO-2022-JP-2";
	return p[2] == ')' && p[3] == 'C' ? "ISO-2022-KR" : NULL;
}

/* Letters and digits of full width are at the same places in the charsets of China, Japan
 * (EUC) and Korea; Big5 and Shift_JIS have others. */
static const char *looks_far_eastern(const guint8 *data, gsize len)
{
	guint gb = 0, big5 = 0, jis = 0;
	for (gsize i = 0; i + 1 < len; i++) {
		guint8 a = data[i], b = data[i + 1];
		if (a < 0x80)
			continue;
		gb += a == 0xa3 && b >= 0xb0 && b <= 0xfa;
		big5 += a == 0xa2 && b >= 0xaf && b <= 0xe8;
		jis += a == 0x82 && b >= 0x4f && b <= 0x9a;
		i++;
	}
	if (MAX(gb, MAX(big5, jis)) < 4)
		return NULL;
	return gb >= big5 && gb >= jis ? "GB18030" : big5 >= jis ? "BIG5-HKSCS" : "CP932";
}

/* ---- the readings ---------------------------------------------------------------------
 */

typedef struct {
	const MsExtraction *to;
	const MsDocument *document;
	const GString *first;
	MsTextRead read;
	guint said; /* readings beside the first */
} Readings;

/* False if the charset is not known. */
static bool read_as(Readings *r, const char *charset)
{
	GString *text;
	bool known = ms_charset_decode(charset, r->document->data, r->document->len, &text);
	if (!known || g_string_equal(text, r->first)) {
		g_string_free(text, TRUE);
		return known;
	}
	g_autofree char *name = ms_text_escape(charset, -1, 40);
	g_autofree char *where = g_strdup_printf("%s (as %s)", r->document->where, name);
	r->read(r->to, r->document, where, text);
	g_string_free(text, TRUE);
	r->said++;
	return true;
}

/* A charset that the document itself names.  Of valid UTF-8, one of single bytes would
 * show the accented letters wrong and all others the same. */
static bool may_differ(const MsDocument *document, const char *declared)
{
	if (ms_charset_same(document->charset, declared))
		return false;
	if (ms_charset_is_long(declared))
		return true;
	return has_high(document->data, document->len) &&
	       !ms_scan_utf8((const char *)document->data, document->len);
}

/* What the bytes plainly are, whatever the label says: programs write "utf-16" above what they have
 * made UTF-8 of, and "iso-8859-1" above what a host gave them in EBCDIC.  NULL: nothing else. */
static const char *plainly(const MsDocument *document, const GString *text)
{
	const char *said = document->charset;
	bool same = text->len == document->len &&
		memcmp(text->str, document->data, document->len) == 0;
	if (said == NULL || same ||
		g_ascii_strncasecmp(said, "iso-2022", 8) == 0 ||
		g_ascii_strncasecmp(said, "utf-7", 5) == 0 ||
		g_ascii_strncasecmp(said, "hz", 2) == 0)
		return NULL;
	const char *guess = ms_charset_guess(document->data, document->len);
	if (guess == NULL && ms_charset_is_long(said) &&
		ms_scan_utf8((const char *)document->data, document->len))
		guess = "UTF-8";
	return guess != NULL && !ms_charset_same(said, guess) ? guess : NULL;
}

#define LEAST_STRAY 16 /* bytes */

/* A line in ASCII within UTF-16, as a shell appends it to a file of another. */
static bool has_stray_lines(const guint8 *data, gsize len)
{
	gsize run = 0;
	if (len < 2 || (memcmp(data, "\xff\xfe", 2) != 0 && memcmp(data, "\xfe\xff", 2) != 0))
		return false;
	for (gsize i = 2; i < len && run < LEAST_STRAY; i++)
		run = data[i] >= 0x20 && data[i] < 0x7f ? run + 1 : 0;
	return run >= LEAST_STRAY;
}

static void read_stray_lines(Readings *r)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *where = g_strconcat(r->document->where, " (lines in ASCII)", NULL);
	ms_strings(text, r->document->data, r->document->len);
	r->read(r->to, r->document, where, text);
}

void ms_decode_each(const MsExtraction *to, const MsDocument *document,
	const char *declared, MsTextRead read)
{
	g_autoptr(GString) text = decode(to, document);
	Readings r = {to, document, text, read, 0};
	read(to, document, document->where, text);
	const guint8 *data = document->data;
	gsize len = document->len;
	if (declared != NULL && may_differ(document, declared) && !read_as(&r, declared)
		&& document->charset == NULL) /* else clients go by the label */
		note_unknown(to, document, declared);
	const char *plain = r.said == 0 ? plainly(document, text) : NULL;
	if (plain != NULL)
		read_as(&r, plain);
	const char *escaped = looks_iso2022(data, len);
	if (escaped != NULL && r.said == 0)
		read_as(&r, escaped);
	if (looks_utf7(data, len) && r.said == 0)
		read_as(&r, "UTF-7");
	const char *eastern = r.said == 0 && has_high(data, len) &&
			!ms_scan_utf8((const char *)data, len)
		? looks_far_eastern(data, len) : NULL;
	if (eastern != NULL)
		read_as(&r, eastern);
	if (has_stray_lines(data, len))
		read_stray_lines(&r);
}

/* ---- what HTML says of itself ---------------------------------------------------------
 */

#define PRESCAN 16384 /* a browser looks at 1,024 bytes, and again at what comes later \
		       */

static char *value_after(const char *p, const char *end, const char *name)
{
	gsize n = strlen(name);
	for (; p + n < end; p++) {
		if (g_ascii_strncasecmp(p, name, n) != 0)
			continue;
		const char *q = p + n;
		while (q < end && g_ascii_isspace(*q))
			q++;
		if (q == end || *q != '=')
			continue;
		q++;
		while (q < end && (g_ascii_isspace(*q) || *q == '"' || *q == '\''))
			q++;
		const char *start = q;
		while (q < end && (g_ascii_isalnum(*q) ||
					  (*q != '\0' && strchr("-_.:", *q) != NULL)))
			q++;
		if (q > start && q - start <= 40)
			return g_strndup(start, (gsize)(q - start));
	}
	return NULL;
}

char *ms_html_charset(const guint8 *data, gsize len)
{
	const char *p = (const char *)data, *end = p + MIN(len, PRESCAN);
	while (p < end && (p = memchr(p, '<', (gsize)(end - p))) != NULL) {
		p++;
		bool meta = end - p > 5 && g_ascii_strncasecmp(p, "meta", 4) == 0;
		bool xml = end - p > 5 && g_ascii_strncasecmp(p, "?xml", 4) == 0;
		if (!meta && !xml)
			continue;
		const char *close = memchr(p, '>', (gsize)(end - p));
		const char *stop = close != NULL ? close : end;
		char *found = value_after(p, stop, meta ? "charset" : "encoding");
		if (found != NULL)
			return found;
		p = stop;
	}
	return NULL;
}
