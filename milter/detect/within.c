/*
 * A label and its value without a mark between them are one word: "KdNr48291746",
 * "IBANDE89 3704 0044 ...", "RG20260042317".  In comes the compact text; what the directory knows
 * of a kind is found behind each beginning of a word that is a label of that kind.  An IBAN is
 * found anywhere in a word, for of letters and digits as many as these no other number is made;
 * and a number of digits alone behind zeros that fill up a column, or with its power of ten.  The
 * worker's one thread.
 */
#include "config.h"

#include <string.h>

#include "detect_private.h"

#define MAX_LABEL 24   /* letters */
#define MIN_VALUE 4    /* characters */
#define MAX_FOLLOWING 8 /* words after the first that may belong to a value */
#define MAX_PIECES 64  /* characters of a word that may hold one */
#define MIN_WITHOUT_ZEROS 5
#define MIN_POWER 5  /* digits behind the point */
#define MAX_POWER 17 /* of which such a number keeps all */
#define MIN_IBAN 15
#define MAX_IBAN 34
#define BIG_STEP 256   /* words between two looks at the clock */

static bool is_near(const Search *s, gsize word)
{
	return word + 1 < s->compact->n_words &&
		ms_detect_word_start(s, word + 1) - ms_detect_word_end(s, word) <= 1;
}

static gsize letters_of(const char *text, gsize len)
{
	gsize n = 0;
	while (n < len && g_ascii_isalpha(text[n]))
		n++;
	return n;
}

/* How many bytes from the beginning are of this class: another word follows without a blank. */
static gsize span_of(const char *text, gsize len, char first, char last)
{
	gsize n = 0;
	while (n < len && text[n] >= first && text[n] <= last)
		n++;
	return n;
}

/* What stands from `skip` on in word `first`, and the words behind it as far as they make what is
 * known of a kind. */
static void behind_label(Search *s, guint k, gsize first, gsize skip)
{
	const MsKind *kind = ms_kinds_nth(s->kinds, k);
	const MsWord *words = s->compact->words;
	gsize start = words[first].start + skip, from = words[first].from + skip;
	if (!kind->known || kind->form == MS_FORM_ADDRESS || kind->form == MS_FORM_EMAIL)
		return;
	for (gsize last = first; last < s->compact->n_words && last - first <= MAX_FOLLOWING;
		last++) {
		gsize len = words[last].end - start;
		const char *text = s->compact->text + start;
		if (len > MS_FILTER_MAX)
			break;
		if (len >= MIN_VALUE && ms_has_digit(text, len) &&
			ms_filters_have(s->known, kind->tag, text, len) &&
			!ms_detect_is_figure(ms_detect_figure(s->fold, words[first].from, from,
				from, words[last].until))) {
			g_autofree char *value = g_ascii_strup(text, (gssize)len);
			ms_detect_add_value(s, kind, from, words[last].until, value,
				MS_BELIEF_TENTATIVE | MS_BELIEF_SHAPE | MS_BELIEF_LABELLED);
		}
		if (!is_near(s, last))
			break;
	}
}

/* Is the word before of letters alone, and goes on behind a mark with this one: "RGFV-2026"? */
static bool goes_on(const Search *s, gsize word)
{
	const MsWord *w = &s->compact->words[word];
	return word > 0 && w->from == w[-1].until + 1 && w[-1].end - w[-1].start >= 3 &&
		w[-1].end - w[-1].start <= MAX_PIECES &&
		strchr("-/._", s->fold->text[w->from - 1]) != NULL &&
		g_ascii_isdigit(s->compact->text[w->start]) &&
		letters_of(s->compact->text + w[-1].start, w[-1].end - w[-1].start) ==
			w[-1].end - w[-1].start;
}

/* "kd" as well as "kdnr". */
static const MsNameKinds *labels(Search *s, const char *text, gsize len)
{
	const MsNameKinds *kinds = ms_detect_kinds_named(s, text, len);
	if (kinds != NULL || len > MAX_LABEL || (len == 2 && memcmp(text, "id", 2) == 0))
		return kinds;
	char name[MAX_LABEL + 4];
	memcpy(name, text, len);
	memcpy(name + len, " nr", 3);
	return ms_detect_kinds_named(s, name, len + 3);
}

/* "numberF26-0721" behind "Invoice ": the kinds that both name. */
static const MsNameKinds *labels_before(Search *s, gsize word, const char *text, gsize len)
{
	const MsWord *w = &s->compact->words[word];
	if (word == 0 || w->from - w[-1].until > 2 || !ms_detect_says_number(text, len))
		return NULL;
	return ms_detect_kinds_named(s, s->fold->text + w[-1].from, w->from + len - w[-1].from);
}

static void by_labels(Search *s, gsize word, const char *text, gsize len, gsize letters)
{
	for (gsize n = 2; n <= MIN(letters, MAX_LABEL) && n < len; n++) {
		const MsNameKinds *kinds = labels(s, text, n);
		if (kinds == NULL)
			kinds = labels_before(s, word, text, n);
		for (guint i = 0; kinds != NULL && i < kinds->n; i++)
			behind_label(s, kinds->kinds[i], word, n);
	}
}

/* A whole number of digits alone that words `first` to `last` are, in another form. */
static void take_number(Search *s, gsize first, gsize last, const char *text, gsize len)
{
	gsize start = ms_detect_word_start(s, first), end = ms_detect_word_end(s, last);
	for (guint k = 0; k < ms_kinds_count(s->kinds); k++) {
		const MsKind *kind = ms_kinds_nth(s->kinds, k);
		bool number = kind->form == MS_FORM_ALNUM || kind->form == MS_FORM_DIGITS;
		if (!number || !kind->known || kind->check != MS_CHECK_NONE ||
			kind->family != MS_FAMILY_NONE ||
			!ms_filters_have(s->known, kind->tag, text, len))
			continue;
		bool labelled = ms_detect_labelled(s, k, start) ||
			ms_detect_is_told(s, k, first, last);
		if (!labelled && (len < MAX(kind->bare_digits, MIN_WITHOUT_ZEROS) ||
					 ms_detect_is_glued(s, start, end, true,
						 len >= kind->joined_digits)))
			continue;
		ms_detect_add_known(s, k, start, end, text, len, labelled ? MS_BELIEF_LABELLED : 0);
	}
}

/* "4.8291746E7", as programs print a number that they hold for a measure: of a whole one all
 * digits are there.  Word `word` is what stands behind the point. */
static void in_powers(Search *s, gsize word, const char *text, gsize len)
{
	gsize digits = span_of(text, len, '0', '9'), power = digits + 1, last = word;
	if (digits < MIN_POWER || digits > MAX_POWER || digits >= len || text[digits] != 'e')
		return;
	const MsWord *words = s->compact->words;
	const char *fold = s->fold->text;
	if (word == 0 || words[word - 1].until + 1 != words[word].from ||
		words[word - 1].end - words[word - 1].start != 1 ||
		strchr(".,", fold[words[word - 1].until]) == NULL)
		return;
	if (power == len && is_near(s, word) && fold[words[word].until] == '+') {
		last = word + 1; /* "e+07" */
		len = words[last].end - words[word].start;
	}
	gsize left = len > power ? len - power : 0;
	if (left == 0 || left > 2 || span_of(text + power, left, '0', '9') < left)
		return;
	gsize n = 0;
	for (; power < len; power++)
		n = n * 10 + (gsize)(text[power] - '0');
	if (n < digits || n > MAX_POWER)
		return;
	g_autofree char *zeros = g_strnfill(n - digits, '0');
	g_autofree char *value = g_strdup_printf("%c%.*s%s",
		s->compact->text[words[word - 1].start], (int)digits, text, zeros);
	take_number(s, word - 1, last, value, n + 1);
}

/* "0048291746" is 48291746 in a table of fixed width.  The word has no other characters. */
static void behind_zeros(Search *s, gsize word, const char *text, gsize len)
{
	gsize zeros = span_of(text, len, '0', '0');
	if (zeros >= len || len - zeros < MIN_VALUE - 1)
		return;
	take_number(s, word, word, text + zeros, len - zeros);
}

const MsKind *ms_detect_iban_kind(const Search *s)
{
	for (guint i = 0; i < ms_kinds_count(s->kinds); i++)
		if (ms_kinds_nth(s->kinds, i)->check == MS_CHECK_IBAN)
			return ms_kinds_nth(s->kinds, i);
	return NULL;
}

static bool begins_iban(const char *text, gsize len)
{
	return len >= 4 && g_ascii_isalpha(text[0]) && g_ascii_isalpha(text[1]) &&
		g_ascii_isdigit(text[2]) && g_ascii_isdigit(text[3]);
}

/* From `skip` on in word `word`; it may end within a word as well.  One that is all of some words
 * its pattern finds. */
static bool is_iban(Search *s, const MsKind *kind, gsize word, gsize skip)
{
	const MsWord *words = s->compact->words;
	gsize start = words[word].start + skip, last = word, room = words[word].end - start;
	const char *text = s->compact->text + start;
	while (room < MAX_IBAN && is_near(s, last))
		room = words[++last].end - start;
	gsize at = word;
	for (gsize len = MIN_IBAN; len <= MIN(room, MAX_IBAN); len++) {
		if (!ms_filters_have(s->known, kind->tag, text, len))
			continue;
		while (words[at].end < start + len)
			at++;
		if (skip == 0 && words[at].end == start + len)
			continue;
		g_autofree char *value = g_ascii_strup(text, (gssize)len);
		gsize until = words[at].from + (start + len - words[at].start);
		return ms_detect_add_value(s, kind, words[word].from + skip, until, value,
			MS_BELIEF_TENTATIVE | MS_BELIEF_SHAPE);
	}
	return false;
}

static void for_ibans(Search *s, const MsKind *kind, gsize word, const char *text, gsize len)
{
	for (gsize skip = 0; skip + 4 <= len; skip++)
		if (begins_iban(text + skip, len - skip) && is_iban(s, kind, word, skip))
			return;
}

/* Is the word before "RF", of a reference in groups: "RF18 5390 0754", "RF 18 5390"? */
static bool is_rf(const Search *s, gsize word)
{
	const MsWord *w = &s->compact->words[word];
	return word > 0 && w[-1].end - w[-1].start == 2 &&
		memcmp(s->compact->text + w[-1].start, "rf", 2) == 0;
}

/* "RF81", "SI00", "HR01": what stands before a payment's reference. */
static bool begins_reference(const char *text)
{
	return g_ascii_isdigit(*text) || memcmp(text, "rf", 2) == 0 ||
		memcmp(text, "si", 2) == 0 || memcmp(text, "hr", 2) == 0;
}

/* It has a digit. */
static void in_word(Search *s, const MsKind *iban, gsize word)
{
	const MsWord *w = &s->compact->words[word];
	const char *text = s->compact->text + w->start;
	gsize len = w->end - w->start, letters = letters_of(text, len);
	if (len > 1 && begins_reference(text))
		ms_detect_payments(s, word);
	if (len >= 5 && g_ascii_isdigit(*text))
		ms_detect_payloads(s, word);
	if (iban != NULL && len <= MAX_IBAN)
		ms_detect_accounts(s, iban, word);
	if (word > 1)
		ms_detect_series(s, word);
	if (len <= MAX_PIECES)
		ms_detect_short(s, word);
	if (len < 3 || len > MAX_PIECES)
		return;
	ms_detect_seams(s, word);
	if (*text == '0' && len > MIN_WITHOUT_ZEROS && ms_detect_is_number(text, len))
		behind_zeros(s, word, text, len);
	if (len > MIN_POWER && g_ascii_isdigit(text[1]))
		in_powers(s, word, text, len);
	if (letters >= 2)
		by_labels(s, word, text, len, letters);
	if (iban != NULL && (letters > 1 || len > 3))
		for_ibans(s, iban, word, text, len);
}

void ms_detect_within(Search *s)
{
	if (!ms_filters_any(s->known))
		return;
	const MsKind *iban = ms_detect_iban_kind(s);
	if (iban != NULL && !(iban->known && ms_filters_have_some(s->known, iban->tag)))
		iban = NULL;
	for (gsize i = 0; i < s->compact->n_figures && !s->full; i++) {
		gsize word = s->compact->figures[i];
		if (i % BIG_STEP == 0 && !ms_budget_time(s->budget))
			return; /* by_pattern() notes it */
		if (is_rf(s, word))
			ms_detect_payments(s, word - 1);
		if (goes_on(s, word)) {
			const MsWord *before = &s->compact->words[word - 1];
			gsize len = before->end - before->start;
			by_labels(s, word - 1, s->compact->text + before->start, len, len);
		}
		in_word(s, iban, word);
	}
}
