/*
 * data: URIs (RFC 2397): a document written into an address, wherever addresses stand
 * (HTML, CSS, SVG, JSON, cards, plain text).  In comes text, out go the documents, which
 * are read like attachments.  One message, one thread.
 *
 * Where the address ends depends on what it stands in: at the quote or bracket that
 * stands before it, else at white space, or with the base64 letters.
 *
 * "data:" is a word of some languages, too ("Customer data: ...", "Data: 30.11.2026, ..." is a
 * date): an address has a media type in the form of one, or none at all, and what may be text stays
 * in the text as well.
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

static bool is_token(const char *p, const char *end)
{
	bool letter = p < end && g_ascii_isalpha(*p);
	while (p < end && (g_ascii_isalnum(*p) || strchr("!+-._", *p) != NULL))
		p++;
	return letter && p == end;
}

/* Of the top-level types (RFC 6838) those that are no text. */
static bool is_binary(const char *type)
{
	static const char *const tops[] = {
		"application/", "audio/", "font/", "image/", "model/", "video/", NULL};
	for (const char *const *top = tops; *top != NULL; top++)
		if (g_ascii_strncasecmp(type, *top, strlen(*top)) == 0)
			return true;
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

/* The type of what stands between "data:" and its comma, "" if it names none; NULL: it is no
 * address.  Blanks before the type programs skip, and so do those who write sentences. */
static char *media_type(const char *words)
{
	const char *semicolon = strchr(words, ';');
	g_autofree char *type = g_strndup(words, strcspn(words, ";"));
	g_strstrip(type);
	const char *slash = strchr(type, '/');
	bool spaced = g_ascii_isspace(*words);
	bool known = is_binary(type) || g_ascii_strncasecmp(type, "text/", 5) == 0;
	bool fine = slash != NULL ? (known || !spaced) && is_token(type, slash) &&
			is_token(slash + 1, slash + strlen(slash))
				  : *type == '\0' && !spaced;
	if (!fine && (semicolon == NULL || spaced || !says_base64(semicolon)))
		return NULL;
	return g_ascii_strdown(type, -1);
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

/* Takes `type`. */
static void add(GPtrArray *inner, char *type, const char *words, bool base64, const char *p,
	const char *end)
{
	GByteArray *plain = ms_transfer_percent(p, (gsize)(end - p));
	if (base64) {
		GByteArray *bytes = ms_transfer_base64(plain->data, plain->len);
		g_byte_array_unref(plain);
		plain = bytes;
	}
	if (plain->len == 0) {
		g_byte_array_unref(plain);
		g_free(type);
		return;
	}
	MsHtmlInner *one = g_new0(MsHtmlInner, 1);
	one->what = "data URI";
	one->type = *type != '\0' ? g_steal_pointer(&type) : g_strdup("text/plain");
	g_free(type);
	one->bytes = to_utf8(words, plain);
	g_ptr_array_add(inner, one);
}

/* Is it within a word, of whatever letters? */
static bool is_behind_letter(const char *text, const char *p)
{
	if (p == text || g_ascii_isalnum(p[-1]) || p[-1] == '_' || p[-1] == '-')
		return p > text;
	const char *before = (p[-1] & 0x80) != 0 ? g_utf8_find_prev_char(text, p) : NULL;
	gunichar c = before != NULL ? g_utf8_get_char_validated(before, p - before) : ' ';
	return c != (gunichar)-1 && c != (gunichar)-2 && g_unichar_isalnum(c);
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
	return is_behind_letter(text, p) ? NULL : p;
}

/* Of an address: what stands before its comma, and its type; where its payload stands, and what
 * stands in front of it. */
typedef struct {
	char *words, *type;
	const char *payload;
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
		g_autofree char *words = g_strndup(p, (gsize)(comma - p));
		char *type = media_type(words);
		if (type == NULL)
			continue;
		*out = (Address){g_steal_pointer(&words), type, comma + 1,
			begin > text ? begin[-1] : '\0'};
		return true;
	}
	return false;
}

/* `kept` takes the text without the payloads that are no text, or is NULL; false if there is
 * no address. */
static bool walk(const char *text, gsize len, GPtrArray *inner, GString *kept)
{
	const char *end = text + len, *at = text;
	Address address;
	bool found = false;
	while (find(text, at, end, &address)) {
		const char *payload = address.payload;
		g_autofree char *words = address.words;
		bool base64 = says_base64(words), text_too = !base64 && !is_binary(address.type);
		const char *stop = payload_end(payload, end, address.before, base64);
		if (kept != NULL)
			g_string_append_len(kept, at, (text_too ? stop : payload) - at);
		add(inner, address.type, words, base64, payload, stop);
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
	if (end - start < 6 || memchr(start, ':', (gsize)(end - start)) == NULL)
		return;
	g_autoptr(GString) kept = g_string_new(NULL);
	if (!walk(start, (gsize)(end - start), inner, kept))
		return;
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
		else if (g_str_has_prefix(one->type, "text/") &&
			ms_is_text(one->bytes->data, one->bytes->len))
			ms_extract_text_within(to, where, one->what, one->type, one->bytes->data,
				one->bytes->len);
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
