/*
 * In comes the first word of what may be a payment's reference: "0000 0000 4829 1746",
 * "482917462", "RF81 4829 1746", "+++048/2917/46197+++"; out goes the number of the directory that
 * it was made of, without the zeros that fill it up, its prefix and its check digits (ISO 11649,
 * OCR, KID, QR-bill, betalingskenmerk, gestructureerde mededeling).  A worker's only thread.
 *
 * Digits alone are one only behind a word that says so, or where their form does.
 */
#include "config.h"

#include <string.h>

#include "detect_private.h"

#define MIN_ALL 8
#define MAX_ALL 35
#define MAX_WORDS 9
#define RF 4        /* "RF81" */
#define QR 27       /* digits of a reference of a Swiss QR-bill */
#define MAX_CHECK 2 /* check digits behind */
#define FAR 48      /* bytes from the word that says so */

/* Of a line that machines read: "# 482137739 # 1250 00 4 >", "7000000048213773+ 0000000041+",
 * "+71<000000482137738+12345678<", "(8020)48213773".  Mail is quoted with a mark, too. */
static bool is_machines(const MsFold *fold, gsize from, gsize until)
{
	const char *text = fold->text;
	char before = from > 1 && text[from - 2] != '\n' ? text[from - 1] : '\0',
	     behind = until < fold->len ? text[until] : '\0';
	bool last = until + 1 >= fold->len || !g_ascii_isalnum(text[until + 1]);
	if (before == '<' || before == '>' || behind == '<' || behind == '>' ||
		(behind == '+' && last))
		return true;
	return (from >= 2 && until + 2 <= fold->len && memcmp(text + from - 2, "# ", 2) == 0 &&
		       memcmp(text + until, " #", 2) == 0) ||
		(from >= 6 && memcmp(text + from - 6, "(8020)", 6) == 0);
}

/* Is it a reference, as the words before it say or the marks around it? */
static bool is_said(const Search *s, gsize from, gsize until)
{
	static const char *const words[] = {"kenmerk", "ocr", "kid", "viite", "referen",
		"mededeling", "communication", "symbol", "payment", "betalning", "betaling",
		"zahlung", "esr", NULL};
	const char *text = s->fold->text;
	gsize begin = from > FAR ? from - FAR : 0;
	const char *line = memrchr(text + begin, '\n', from - begin);
	if (line != NULL && from - (gsize)(line - text) > 3)
		begin = (gsize)(line - text);
	g_autofree char *before = g_ascii_strdown(text + begin, (gssize)(from - begin));
	for (const char *const *w = words; *w != NULL; w++)
		if (strstr(before, *w) != NULL)
			return true;
	if (is_machines(s->fold, from, until))
		return true;
	bool ogm = from >= 3 && until + 3 <= s->fold->len &&
		(memcmp(text + from - 3, "+++", 3) == 0 || memcmp(text + from - 3, "***", 3) == 0);
	return ogm && memcmp(text + from - 3, text + until, 3) == 0;
}

static void take(Search *s, gsize from, gsize until, const char *text, gsize len)
{
	for (guint k = 0; k < ms_kinds_count(s->kinds); k++) {
		const MsKind *kind = ms_kinds_nth(s->kinds, k);
		bool number = kind->form == MS_FORM_ALNUM || kind->form == MS_FORM_DIGITS;
		if (!number || !kind->known || kind->check != MS_CHECK_NONE ||
			kind->family != MS_FAMILY_NONE || len < kind->bare_digits ||
			!ms_filters_have(s->known, kind->name, text, len))
			continue;
		g_autofree char *value = g_ascii_strup(text, (gssize)len);
		ms_detect_add_value(
			s, kind, from, until, value, MS_BELIEF_TENTATIVE | MS_BELIEF_SHAPE);
	}
}

/* Without zeros and check digits; a check digit may stand before the zeros as well. */
static void take_digits(Search *s, gsize from, gsize until, const char *text, gsize len)
{
	gsize zeros = strspn(text, "0"), led = strspn(text + 1, "0");
	for (gsize check = 0; check <= MAX_CHECK; check++) {
		if (zeros + check < len)
			take(s, from, until, text + zeros, len - zeros - check);
		if (zeros == 0 && led > 0 && led + 1 < len && check == 0)
			take(s, from, until, text + 1 + led, len - 1 - led);
	}
}

/* Words that a blank or a slash sets apart at most. */
static bool goes_on(const Search *s, gsize word)
{
	const MsWord *w = &s->compact->words[word];
	if (word + 1 >= s->compact->n_words || w[1].from > w->until + 1)
		return false;
	return w[1].from == w->until || strchr(" /", s->fold->text[w->until]) != NULL;
}

void ms_detect_payments(Search *s, gsize word)
{
	const MsWord *words = s->compact->words, *first = &words[word];
	const char *text = s->compact->text + first->start;
	gsize len = first->end - first->start, last = word;
	bool rf = len >= RF && memcmp(text, "rf", 2) == 0 && ms_detect_is_number(text + 2, 2);
	if (!rf &&
		(!ms_detect_is_number(text, len) ||
			(word > 0 && goes_on(s, word - 1) &&
				g_ascii_isdigit(s->compact->text[first->start - 1]))))
		return;
	while (last - word < MAX_WORDS && goes_on(s, last) &&
		(rf ||
			ms_detect_is_number(s->compact->text + words[last + 1].start,
				words[last + 1].end - words[last + 1].start))) {
		last++;
		if (rf && words[last].end - first->start <= MAX_ALL)
			take(s, first->from, words[last].until, text + RF,
				words[last].end - first->start - RF);
	}
	len = words[last].end - first->start;
	if (rf && last == word && len > RF)
		take(s, first->from, first->until, text + RF, len - RF);
	else if (!rf && len >= MIN_ALL && len <= MAX_ALL &&
		(len == QR || is_said(s, first->from, words[last].until))) {
		g_autofree char *digits = g_strndup(text, len);
		take_digits(s, first->from, words[last].until, digits, len);
	}
}
