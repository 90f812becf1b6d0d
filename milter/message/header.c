#include "config.h"

#include <string.h>

#include "missent/extract.h"
#include "missent/text.h"
#include "missent/transfer.h"

#include "header.h"

/*
 * Own decoders, because GMime 3.2.13 loses the second of two adjacent encoded words and the
 * end of unpadded base64, and its address parser recurses until the stack ends.  Both here
 * are linear.
 */

/* ---- encoded words, RFC 2047 ---------------------------------------------------------- */

typedef struct {
	const char *charset;
	gsize charset_len;
	char encoding;
	const char *text;
	gsize text_len;
	const char *after;
} Word;

/* "=?charset*language?Q?text?=" at `p`. */
static bool take_word(const char *p, const char *end, Word *word)
{
	if (end - p < 8 || p[0] != '=' || p[1] != '?')
		return false;
	const char *charset = p + 2;
	const char *q = charset;
	while (q < end && *q != '?' && !g_ascii_isspace(*q) && q - charset < 64)
		q++;
	if (end - q < 4 || *q != '?' || q[2] != '?')
		return false;
	char encoding = g_ascii_toupper(q[1]);
	if (encoding != 'B' && encoding != 'Q')
		return false;
	const char *text = q + 3;
	const char *stop = g_strstr_len(text, MIN(end - text, 2000), "?=");
	if (stop == NULL)
		return false;
	const char *star = memchr(charset, '*', (gsize)(q - charset));
	*word = (Word){charset, (gsize)((star != NULL ? star : q) - charset), encoding, text,
		(gsize)(stop - text), stop + 2};
	return true;
}

static void word_bytes(const Word *word, GByteArray *out)
{
	g_autoptr(GByteArray) bytes = NULL;
	if (word->encoding == 'B') {
		bytes = ms_transfer_base64((const guint8 *)word->text, word->text_len);
	} else {
		g_autofree char *copy = g_strndup(word->text, word->text_len);
		for (gsize i = 0; i < word->text_len; i++)
			if (copy[i] == '_')
				copy[i] = ' ';
		bytes = ms_transfer_quoted_printable((guint8 *)copy, word->text_len);
	}
	g_byte_array_append(out, bytes->data, bytes->len);
}

static bool same_charset(const Word *a, const Word *b)
{
	return a->charset_len == b->charset_len
		&& g_ascii_strncasecmp(a->charset, b->charset, a->charset_len) == 0;
}

/* A run of words of one charset is converted as a whole: senders cut within characters. */
static const char *take_run(const char *p, const char *end, GString *out, char **unknown_out)
{
	Word first, word;
	if (!take_word(p, end, &first))
		return NULL;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	word = first;
	const char *after;
	for (;;) {
		word_bytes(&word, bytes);
		after = word.after;
		const char *next = after;
		while (next < end && g_ascii_isspace(*next))
			next++;
		if (!take_word(next, end, &word))
			break;
		after = next; /* white space between two words is not text */
		if (!same_charset(&first, &word))
			break;
	}
	g_autofree char *charset = g_strndup(first.charset, first.charset_len);
	GString *text;
	if (!ms_charset_decode(charset, bytes->data, bytes->len, &text) && *unknown_out == NULL)
		*unknown_out = g_steal_pointer(&charset);
	g_string_append_len(out, text->str, (gssize)text->len);
	g_string_free(text, TRUE);
	return after;
}

GString *ms_header_decode(const char *raw, gsize len, char **unknown_out)
{
	g_autoptr(GString) valid = ms_text_repair(raw, len);
	GString *out = g_string_sized_new(valid->len);
	const char *p = valid->str, *end = valid->str + valid->len;
	while (p < end) {
		const char *after = *p == '=' ? take_run(p, end, out, unknown_out) : NULL;
		if (after != NULL) {
			p = after;
		} else {
			if (*p != '\r' && *p != '\n') /* folding: the blank that follows stays */
				g_string_append_c(out, *p);
			p++;
		}
	}
	/* A charset may have brought in what is not valid by itself, such as a lone surrogate. */
	GString *fine = ms_text_repair(out->str, out->len);
	g_string_free(out, TRUE);
	return fine;
}

/* ---- addresses ------------------------------------------------------------------------ */

typedef struct {
	GPtrArray *addresses;
	guint max, count;
	GString *names;
} List;

static void add_address(List *list, const char *text, gsize len)
{
	while (len > 0 && g_ascii_isspace(*text)) {
		text++;
		len--;
	}
	while (len > 0 && g_ascii_isspace(text[len - 1]))
		len--;
	if (len == 0)
		return;
	if (memchr(text, '@', len) == NULL) { /* a bare name */
		g_string_append_len(list->names, text, (gssize)len);
		g_string_append_c(list->names, '\n');
		return;
	}
	list->count++;
	if (list->addresses->len < list->max) {
		g_autoptr(GString) valid = ms_text_repair(text, MIN(len, 1024));
		g_ptr_array_add(list->addresses, g_strdup(valid->str));
	}
}

/* To the end of "..." or (...), which may hold commas; comments nest. */
static const char *skip_quoted(const char *p, const char *end)
{
	char open = *p, close = open == '(' ? ')' : '"';
	guint depth = 0;
	for (; p < end; p++) {
		if (*p == '\\' && p + 1 < end)
			p++;
		else if (open == '(' && *p == '(')
			depth++;
		else if (*p == close && (open == '"' ? depth++ > 0 : --depth == 0))
			return p + 1;
	}
	return end;
}

guint ms_header_addresses(const char *raw, gsize len, GPtrArray *addresses, guint max,
	GString *names)
{
	List list = {addresses, max, 0, names};
	g_autoptr(GString) text = g_string_new(NULL); /* of the entry so far */
	bool angle = false;
	const char *p = raw, *end = raw + len;
	while (p < end) {
		if (*p == '"' || *p == '(') {
			const char *after = skip_quoted(p, end);
			bool local_part = *p == '"' && after < end && *after == '@';
			g_string_append_len(local_part ? text : names, p, after - p);
			if (!local_part)
				g_string_append_c(names, '\n');
			p = after;
		} else if (*p == '<') {
			const char *close = memchr(p, '>', (gsize)(end - p));
			const char *stop = close != NULL ? close : end;
			g_string_append_len(names, text->str, (gssize)text->len);
			g_string_append_c(names, '\n');
			g_string_truncate(text, 0);
			add_address(&list, p + 1, (gsize)(stop - p - 1));
			angle = true;
			p = close != NULL ? close + 1 : end;
		} else if (*p == ',' || *p == ';' || (*p == ':' && !angle)) {
			if (*p == ':') /* the name of a group */
				g_string_append_printf(names, "%s\n", text->str);
			else
				add_address(&list, text->str, text->len);
			g_string_truncate(text, 0);
			angle = false;
			p++;
		} else {
			g_string_append_c(text, *p == '\0' ? ' ' : *p);
			p++;
		}
	}
	add_address(&list, text->str, text->len);
	return list.count;
}
