/*
 * A number and the series that it is of, which the directory has as one, and a document apart:
 * "Seria ABC nr. 417", "Serie F26, número 417", <Serie>A</Serie><Folio>4471</Folio>.  In comes the
 * number, or two stretches with names; out go the identifiers that both make together.  A worker's
 * only thread.
 */
#include "config.h"

#include <string.h>

#include "detect_private.h"

#define MAX_SERIES 12 /* characters */
#define MAX_NUMBER 24
#define MIN_BOTH 4
#define MAX_NEAR 24 /* bytes */
#define MAX_WORDS 3 /* of the number */

static bool is_series(const char *word, gsize len)
{
	static const MsListed words[] = {
		MS_LISTED("serie"), MS_LISTED("series"), MS_LISTED("seria"), MS_LISTED("serija"),
		MS_LISTED("serii"), MS_LISTED("seri"), MS_LISTED("sorozat")};
	return ms_detect_is_listed(words, G_N_ELEMENTS(words), word, len);
}

void ms_detect_add_both(Search *s, gsize start, gsize end, const char *series, gsize series_len,
	const char *number, gsize number_len)
{
	char text[MAX_SERIES + MAX_NUMBER + 1];
	gsize len = series_len + number_len;
	if (series_len == 0 || series_len > MAX_SERIES || number_len == 0 ||
		number_len > MAX_NUMBER || len < MIN_BOTH)
		return;
	memcpy(text, series, series_len);
	memcpy(text + series_len, number, number_len);
	text[len] = '\0';
	for (guint k = 0; k < ms_kinds_count(s->kinds); k++) {
		const MsKind *kind = ms_kinds_nth(s->kinds, k);
		if (!kind->known || kind->form != MS_FORM_ALNUM || kind->check != MS_CHECK_NONE ||
			kind->family != MS_FAMILY_NONE ||
			!ms_filters_have(s->known, kind->tag, text, len))
			continue;
		ms_detect_add_known(s, k, start, end, text, len, MS_BELIEF_LABELLED);
	}
}

void ms_detect_series(Search *s, gsize word)
{
	const MsWord *words = s->compact->words;
	const char *text = s->compact->text;
	gsize at = word;
	for (guint dropped = 0; at > 0 && dropped < 2; dropped++) {
		const MsWord *w = &words[at - 1];
		if (!ms_detect_says_number(text + w->start, w->end - w->start))
			break;
		at--;
	}
	if (at < 2 || words[word].from - words[at - 2].until > MAX_NEAR ||
		!is_series(text + words[at - 2].start, words[at - 2].end - words[at - 2].start))
		return;
	const MsWord *series = &words[at - 1];
	for (gsize last = word; last < word + MAX_WORDS; last++) {
		ms_detect_add_both(s, series->from, words[last].until, text + series->start,
			series->end - series->start, text + words[word].start,
			words[last].end - words[word].start);
		if (last + 1 >= s->compact->n_words || !ms_detect_is_joint(s, last))
			break;
	}
}
