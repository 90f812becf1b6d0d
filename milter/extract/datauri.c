/*
 * data: URIs (RFC 2397): a document written into an address, wherever addresses stand
 * (HTML, CSS, SVG, JSON, cards, plain text).  In comes text, out go the documents, which
 * are read like attachments.  One message, one thread.
 *
 * Where the address ends depends on what it stands in: at the quote or bracket that
 * stands before it, else at white space, or with the base64 letters.
 */
#include "config.h"

#include <string.h>

#include "missent/extract.h"
#include "missent/inventory.h"
#include "missent/text.h"
#include "missent/transfer.h"

#include "html.h"
#include "readers.h"

#define MAX_TYPE 300 /* bytes of media type and parameters */

static void free_inner(gpointer data)
{
	MsHtmlInner *inner = data;
	g_byte_array_unref(inner->bytes);
	g_free(inner->type);
	g_free(inner);
}

GPtrArray *ms_inner_new(void)
{
	return g_ptr_array_new_with_free_func(free_inner);
}

void ms_base64_take(const char *text, gsize len, GPtrArray *inner)
{
	GByteArray *bytes = ms_base64_text(text, len);
	if (bytes == NULL)
		return;
	if (bytes->len == 0 || !ms_is_document(bytes->data, bytes->len)) {
		g_byte_array_unref(bytes);
		return;
	}
	MsHtmlInner *one = g_new0(MsHtmlInner, 1);
	one->what = "base64";
	one->type = g_strdup("");
	one->bytes = bytes;
	g_ptr_array_add(inner, one);
}

static bool is_type_character(char c)
{
	return g_ascii_isalnum(c) ||
	       (c != '\0' && strchr("/+.;=_-%\"'*! \t\r\n", c) != NULL);
}

/* The comma behind the media type, or NULL: then it is no such address. */
static const char *comma_after(const char *p, const char *end)
{
	const char *limit = MIN(end, p + MAX_TYPE);
	while (p < limit && is_type_character(*p))
		p++;
	return p < limit && *p == ',' ? p : NULL;
}

/* Escaped as in an address, or folded as in a program. */
static bool is_payload(char c)
{
	return ms_transfer_is_base64(c) || (c != '\0' && strchr("=% \t\r\n\\", c) != NULL);
}

/* `before` is the character in front of "data:", or NUL at the beginning of the text. */
static const char *payload_end(const char *p, const char *end, char before, bool base64)
{
	char closing = before == '('                                      ? ')'
		       : before == '"' || before == '\'' || before == '`' ? before
									  : '\0';
	if (closing != '\0') {
		const char *close = memchr(p, closing, (gsize)(end - p));
		return close != NULL ? close : end;
	}
	if (base64) {
		while (p < end && is_payload(*p))
			p++;
		return p;
	}
	if (before == '\0')
		return end;
	while (p < end && !g_ascii_isspace(*p) && strchr("\"'<>)`", *p) == NULL)
		p++;
	return p;
}

static char *parameter(const char *words, const char *name)
{
	g_auto(GStrv) list = g_strsplit(words, ";", -1);
	gsize n = strlen(name);
	for (char **word = list; *word != NULL; word++) {
		g_strstrip(*word);
		if (g_ascii_strncasecmp(*word, name, n) == 0 && (*word)[n] == '=') {
			char *value = g_strdup(*word + n + 1);
			g_strdelimit(value, "\"'", ' ');
			return g_strstrip(value);
		}
	}
	return NULL;
}

/* Text is handed on as UTF-8: the charset stands here and nowhere else.  Of a font programs that
 * pack pages say one, too. */
static GByteArray *to_utf8(const char *words, GByteArray *bytes)
{
	g_autofree char *charset = parameter(words, "charset");
	GString *text;
	if (charset == NULL || bytes->len == 0 || ms_is_font(bytes->data, bytes->len))
		return bytes;
	if (!ms_charset_decode(charset, bytes->data, bytes->len, &text)) {
		g_string_free(text, TRUE);
		return bytes;
	}
	GByteArray *out = ms_bytes_new();
	g_byte_array_append(out, (const guint8 *)text->str, (guint)text->len);
	g_string_free(text, TRUE);
	g_byte_array_unref(bytes);
	return out;
}

static void add(
	GPtrArray *inner, const char *words, bool base64, const char *p, const char *end)
{
	GByteArray *plain = ms_transfer_percent(p, (gsize)(end - p));
	if (base64) {
		GByteArray *bytes = ms_transfer_base64(plain->data, plain->len);
		g_byte_array_unref(plain);
		plain = bytes;
	}
	if (plain->len == 0) {
		g_byte_array_unref(plain);
		return;
	}
	MsHtmlInner *one = g_new0(MsHtmlInner, 1);
	g_autofree char *type = g_strndup(words, strcspn(words, ";"));
	one->what = "data URI";
	one->type = g_ascii_strdown(*g_strstrip(type) != '\0' ? type : "text/plain", -1);
	one->bytes = to_utf8(words, plain);
	g_ptr_array_add(inner, one);
}

/* Where "data" before the colon begins, or NULL.  Browsers take tabs and line ends out of an
 * address before they look at it. */
static const char *scheme_begin(const char *text, const char *colon)
{
	static const char name[] = "data";
	const char *p = colon;
	for (gsize n = sizeof name - 1; n-- > 0;) {
		while (p > text && strchr("\t\r\n", p[-1]) != NULL && p[-1] != '\0')
			p--;
		if (p == text || g_ascii_tolower(p[-1]) != name[n])
			return NULL;
		p--;
	}
	return p > text && g_ascii_isalnum(p[-1]) ? NULL : p;
}

/* Of an address: where its media type and its payload stand, and what stands in front of it. */
typedef struct {
	const char *type, *payload;
	char before; /* NUL at the beginning of the text */
} Address;

/* The next address from `p` on. */
static bool find(const char *text, const char *p, const char *end, Address *out)
{
	while ((p = memchr(p, ':', (gsize)(end - p))) != NULL) {
		const char *begin = scheme_begin(text, p++);
		const char *comma = begin != NULL ? comma_after(p, end) : NULL;
		if (comma == NULL)
			continue;
		*out = (Address){p, comma + 1, begin > text ? begin[-1] : '\0'};
		return true;
	}
	return false;
}

static bool says_base64(const char *words)
{
	g_autoptr(GString) tight = g_string_new(NULL);
	for (; *words != '\0'; words++)
		if (strchr(" \t\r\n\"'", *words) == NULL)
			g_string_append_c(tight, g_ascii_tolower(*words));
	return g_str_has_suffix(tight->str, "base64");
}

/* `kept` takes the text without the payloads, or is NULL; false if there is none. */
static bool walk(const char *text, gsize len, GPtrArray *inner, GString *kept)
{
	const char *end = text + len, *at = text;
	Address address;
	bool found = false;
	while (find(text, at, end, &address)) {
		const char *payload = address.payload;
		g_autofree char *words =
			g_strndup(address.type, (gsize)(payload - 1 - address.type));
		bool base64 = says_base64(words);
		const char *stop = payload_end(payload, end, address.before, base64);
		if (kept != NULL)
			g_string_append_len(kept, at, payload - at);
		add(inner, words, base64, payload, stop);
		found = true;
		at = stop;
	}
	if (found && kept != NULL)
		g_string_append_len(kept, at, end - at);
	return found;
}

void ms_data_uris_take(GString *text, gsize from, GPtrArray *inner)
{
	const char *start = text->str + from, *end = text->str + text->len;
	Address first;
	if (end - start < 6 || !find(start, start, end, &first))
		return;
	g_autoptr(GString) kept = g_string_new(NULL);
	walk(start, (gsize)(end - start), inner, kept);
	g_string_truncate(text, from);
	g_string_append_len(text, kept->str, (gssize)kept->len);
}

/* ---- reading them ---------------------------------------------------------------------
 */

/* A font that nothing here unpacks, by what it says and by its bytes; others are read. */
static bool is_packed_font(const MsHtmlInner *inner)
{
	const GByteArray *bytes = inner->bytes;
	g_autofree char *item = g_strconcat("data:", inner->type, NULL);
	return bytes->len > 4 && memcmp(bytes->data, "wOF2", 4) == 0 &&
		ms_structural("html", item) != NULL && ms_is_font(bytes->data, bytes->len);
}

void ms_inner_read(const MsExtraction *to, const char *where, const GPtrArray *inner)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(
		g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
	for (guint i = 0; i < inner->len; i++) {
		const MsHtmlInner *one = inner->pdata[i];
		/* The same picture comes once for each row of a table. */
		GBytes *bytes = g_bytes_new_static(one->bytes->data, one->bytes->len);
		if (!g_hash_table_add(seen, bytes))
			continue;
		if (one->type == NULL)
			ms_svg_text_read(to, where, one->bytes->data, one->bytes->len);
		else if (!is_packed_font(one))
			ms_extract_within(to, where, one->what, one->type,
				one->bytes->data, one->bytes->len);
	}
}

void ms_data_uris_read(
	const MsExtraction *to, const char *where, const char *text, gsize len)
{
	g_autoptr(GPtrArray) inner = ms_inner_new();
	if (walk(text, len, inner, NULL))
		ms_inner_read(to, where, inner);
}
