/*
 * In comes a text; out go its lines with words in letter-spacing, as headings and labels are set
 * ("K u n d e n n u m m e r :  4 7 1 1"), in another text where those are words again.  A worker's
 * only thread.
 *
 * One blank is within a word, more are between two; so is a small letter before a capital, for
 * HTML leaves but one blank of many.
 */
#include "config.h"

#include <string.h>

#include "detect_private.h"

#define STEP 4         /* words looked at together: a run of more is met */
#define MIN_RUN 7      /* letters */
#define MAX_BEHIND 120 /* bytes of the text behind such a line: its value may stand there */
#define MAX_LINE 600
#define MAX_LINES 200

/* Are these one letter each, a blank after each? */
static bool is_spaced(const MsCompact *c, gsize word, gsize n)
{
	return c->words[word + n - 1].end - c->words[word].start == n &&
		c->words[word + n - 1].until - c->words[word].from <= 3 * n;
}

/* How many letters in a row are so from `word` on; no more than a line of them. */
static gsize run_from(const Search *s, gsize word)
{
	gsize n = 0;
	for (; n < MAX_LINE && word + n < s->compact->n_words; n++) {
		const MsWord *w = &s->compact->words[word + n];
		if (w->end - w->start > 1 || (n > 0 && w->from - w[-1].until > 5))
			break;
	}
	return n;
}

static bool has_letters(const Search *s, gsize word, gsize n)
{
	gsize letters = 0;
	for (gsize i = 0; i < n; i++)
		letters += g_ascii_isalpha(s->compact->text[s->compact->words[word + i].start]);
	return letters >= MIN_RUN - 1;
}

static gsize char_len(const char *text, gsize at, gsize until)
{
	return MIN((gsize)g_utf8_skip[(guchar)text[at]], until - at);
}

/* A blank of Latin 1 or one of the source's other scripts folds to a plain one. */
static bool is_blank_at(const char *text, gsize at, gsize n)
{
	return text[at] == ' ' || (n == 2 && memcmp(text + at, "\xc2\xa0", 2) == 0) ||
		(n == 3 && memcmp(text + at, "\xe2\x80", 2) == 0 && (guchar)text[at + 2] <= 0x8a);
}

/* Appends a line without the blanks within its words. */
static void join_line(GString *out, const char *text, gsize from, gsize until)
{
	gsize blanks = 0, token = 0, before = 0; /* characters of this token and of the last */
	char last = '\0';
	for (gsize at = from; at < until;) {
		gsize n = char_len(text, at, until);
		if (is_blank_at(text, at, n)) {
			before = token > 0 ? token : before;
			token = 0;
			blanks++;
			at += n;
			continue;
		}
		gsize next = at + n;
		bool single = next >= until ||
			is_blank_at(text, next, char_len(text, next, until)) ||
			!g_ascii_isalnum(text[next]);
		bool joined = blanks == 1 && before == 1 && single &&
			!(g_ascii_islower(last) && g_ascii_isupper(text[at]));
		if (blanks > 0 && !joined && out->len > 0)
			g_string_append_c(out, ' ');
		g_string_append_len(out, text + at, (gssize)n);
		last = text[at];
		token++;
		blanks = 0;
		at = next;
	}
	g_string_append_c(out, '\n');
}

/* The line of a run, and the beginning of what stands behind it; where it ends, in the fold. */
static gsize take_line(const Search *s, gsize word, GString *out)
{
	const char *fold = s->fold->text;
	gsize from = ms_detect_word_start(s, word), least = from > MAX_LINE ? from - MAX_LINE : 0;
	const char *nl = memrchr(fold + least, '\n', from - least);
	from = nl != NULL ? (gsize)(nl + 1 - fold) : from;
	nl = memchr(fold + from, '\n', MIN(MAX_LINE, s->fold->len - from));
	gsize until = nl != NULL ? (gsize)(nl - fold) : MIN(s->fold->len, from + MAX_LINE);
	gsize a = ms_fold_source(s->fold, from), b = ms_fold_source(s->fold, until);
	join_line(out, s->span->text, a, MAX(a, b));
	gsize behind = MIN(s->span->len - MAX(a, b), MAX_BEHIND);
	const char *text = s->span->text + MAX(a, b);
	while (behind > 0 && behind < s->span->len - MAX(a, b) && (text[behind] & 0xc0) == 0x80)
		behind--;
	g_string_append_len(out, text, (gssize)behind);
	g_string_append(out, "\n\n");
	return until;
}

char *ms_detect_spaced(const Search *s, gsize *len_out)
{
	GString *out = NULL;
	guint lines = 0;
	for (gsize i = 0; i + STEP <= s->compact->n_words && lines < MAX_LINES; i += STEP) {
		gsize first = i;
		if (!is_spaced(s->compact, i, STEP))
			continue;
		while (first > 0 && i - first < STEP && is_spaced(s->compact, first - 1, 2))
			first--;
		gsize n = run_from(s, first);
		if (n < MIN_RUN || !has_letters(s, first, n)) {
			/* None of it is looked at again. */
			i += MAX(first + n, i + STEP) - (i + STEP);
			continue;
		}
		out = out != NULL ? out : g_string_new(NULL);
		gsize end = take_line(s, first, out);
		lines++;
		while (i + STEP < s->compact->n_words && ms_detect_word_start(s, i + STEP) < end)
			i += STEP;
	}
	*len_out = out != NULL ? out->len : 0;
	return out != NULL ? g_string_free(out, FALSE) : NULL;
}
