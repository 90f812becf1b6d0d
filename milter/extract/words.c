/*
 * Encoded words (RFC 2047) to text, in header fields and wherever headers are quoted: delivery
 * reports, forwarded text.  Own decoder, because GMime 3.2.13 loses the second of two adjacent
 * words and the end of unpadded base64.  In come bytes, out goes valid UTF-8; linear, no state.
 */
#include "config.h"

#include <string.h>

#include "missent/extract.h"
#include "missent/text.h"
#include "missent/transfer.h"

typedef struct {
	const char *charset;
	gsize charset_len;
	char encoding;
	const char *text;
	gsize text_len;
	const char *after;
} Word;

/* The text to decode, and that from here on no word ends: so that looking for ends is linear. */
typedef struct {
	const char *end;
	const char *endless; /* or NULL */
} Source;

/* "=?charset*language?Q?text?=" at `p`, however long: some senders write a whole name as one. */
static bool take_word(Source *source, const char *p, Word *word)
{
	const char *end = source->end;
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
	const char *stop = source->endless != NULL && text >= source->endless
		? NULL : g_strstr_len(text, end - text, "?=");
	if (stop == NULL) {
		source->endless = source->endless != NULL ? MIN(source->endless, text) : text;
		return false;
	}
	const char *star = memchr(charset, '*', (gsize)(q - charset));
	*word = (Word){charset, (gsize)((star != NULL ? star : q) - charset), encoding, text,
		(gsize)(stop - text), stop + 2};
	return true;
}

/* Words of base64 that follow one another: as they are one by one, and all of their letters. */
typedef struct {
	GByteArray *bytes;
	GString *letters;
	bool open; /* one has no padding, and needed it */
	bool cut;  /* ... and it ends within a byte */
} Letters;

/* Some senders cut the letters where a line is full: no byte ends there. */
static void note_end(Letters *letters, const Word *word)
{
	gsize rest = word->text_len % 4;
	if (rest == 0 || memchr(word->text, '=', word->text_len) != NULL)
		return;
	char group[] = "AAAA"; /* zeros: what is behind the last byte */
	memcpy(group, word->text + word->text_len - rest, rest);
	g_autoptr(GByteArray) bytes = ms_transfer_base64((guint8 *)group, 4);
	letters->open = true;
	letters->cut = letters->cut || bytes->len < 3 || bytes->data[rest - 1] != 0;
}

/* Who pads the last word would have padded the others, had they been whole. */
static void end_letters(Letters *letters, GByteArray *out)
{
	const GString *all = letters->letters;
	bool padded = all->len > 0 && all->str[all->len - 1] == '=';
	g_autoptr(GByteArray) joined = letters->cut || (letters->open && padded)
		? ms_transfer_base64((const guint8 *)all->str, all->len)
		: g_byte_array_ref(letters->bytes);
	g_byte_array_append(out, joined->data, joined->len);
	g_byte_array_set_size(letters->bytes, 0);
	g_string_truncate(letters->letters, 0);
	letters->open = letters->cut = false;
}

static void word_bytes(const Word *word, Letters *letters, GByteArray *out)
{
	if (word->encoding == 'B') {
		g_autoptr(GByteArray) bytes =
			ms_transfer_base64((const guint8 *)word->text, word->text_len);
		g_byte_array_append(letters->bytes, bytes->data, bytes->len);
		g_string_append_len(letters->letters, word->text, (gssize)word->text_len);
		note_end(letters, word);
		return;
	}
	end_letters(letters, out);
	g_autofree char *copy = g_strndup(word->text, word->text_len);
	for (gsize i = 0; i < word->text_len; i++)
		if (copy[i] == '_')
			copy[i] = ' ';
	g_autoptr(GByteArray) bytes = ms_transfer_quoted_printable((guint8 *)copy, word->text_len);
	g_byte_array_append(out, bytes->data, bytes->len);
}

static bool same_charset(const Word *a, const Word *b)
{
	return a->charset_len == b->charset_len
		&& g_ascii_strncasecmp(a->charset, b->charset, a->charset_len) == 0;
}

/* A run of words of one charset is converted as a whole: senders cut within characters. */
static const char *take_run(Source *source, const char *p, GString *out, char **unknown_out)
{
	Word first, word;
	if (!take_word(source, p, &first))
		return NULL;
	g_autoptr(GByteArray) bytes = ms_bytes_new(), apart = ms_bytes_new();
	g_autoptr(GString) all = g_string_new(NULL);
	Letters letters = {.bytes = apart, .letters = all};
	word = first;
	const char *after;
	for (;;) {
		word_bytes(&word, &letters, bytes);
		after = word.after;
		const char *next = after;
		while (next < source->end && g_ascii_isspace(*next))
			next++;
		if (!take_word(source, next, &word))
			break;
		after = next; /* white space between two words is not text */
		if (!same_charset(&first, &word))
			break;
	}
	end_letters(&letters, bytes);
	g_autofree char *charset = g_strndup(first.charset, first.charset_len);
	GString *text;
	const char *said = *charset != '\0' ? charset : NULL;
	if (!ms_charset_decode(said, bytes->data, bytes->len, &text) && *unknown_out == NULL)
		*unknown_out = g_steal_pointer(&charset);
	g_string_append_len(out, text->str, (gssize)text->len);
	g_string_free(text, TRUE);
	return after;
}

/* Does the line go on with a blank? */
static bool is_folded(const char *p, const char *end)
{
	if (*p == '\r' && p + 1 < end && p[1] == '\n')
		p++;
	return p + 1 < end && (p[1] == ' ' || p[1] == '\t');
}

/* What is valid UTF-8, once. */
static GString *decode(const GString *valid, bool lines, char **unknown_out)
{
	GString *out = g_string_sized_new(valid->len);
	const char *p = valid->str, *end = valid->str + valid->len;
	Source source = {end, NULL};
	while (p < end) {
		const char *after = *p == '=' ? take_run(&source, p, out, unknown_out) : NULL;
		if (after != NULL) {
			p = after;
		} else {
			bool ends = *p == '\r' || *p == '\n';
			if (!ends ||
				(lines &&
					!is_folded(p,
						end))) /* folding: the blank that follows stays */
				g_string_append_c(out, *p);
			p++;
		}
	}
	/* A charset may have brought in what is not valid by itself, such as a lone surrogate. */
	GString *fine = ms_text_repair(out->str, out->len);
	ms_text_blank_nuls(fine);
	g_string_free(out, TRUE);
	return fine;
}

#define MAX_TIMES 4 /* programs encode what another has encoded already */

GString *ms_words_decode(const char *raw, gsize len, bool lines, char **unknown_out)
{
	GString *text = ms_text_repair(raw, len);
	ms_text_blank_nuls(text);
	for (guint times = 0; times < MAX_TIMES; times++) {
		GString *decoded = decode(text, lines, unknown_out);
		bool again = strstr(decoded->str, "=?") != NULL &&
			!g_string_equal(decoded, text);
		g_string_free(text, TRUE);
		text = decoded;
		if (!again)
			break;
	}
	return text;
}
