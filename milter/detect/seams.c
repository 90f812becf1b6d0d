/*
 * In comes a word of letters and digits both: "20260042317v2", "RE202600533R1", "X48291746"; out
 * go the identifiers of the directory that it would have if its letters and its digits were words.
 * One may begin in a word before it, and end in one behind it: "RE-2026-00533R1", "RE 2026
 * 00533vom".  A worker's only thread.
 *
 * What has both itself is hardly anything else if it is long.  Digits alone are: "20260042317A" may
 * be an article, unless it is the name of a file; and "AB48291746" is an order's number there as
 * well, where "Rechnung48291746" is not.  Words of many such pieces were made at random.  Behind a
 * label, letters before digits or one behind them are what the billing system prints and its
 * directory leaves out: "Kundennummer: D48291746"; and "Nr48291746" says by itself what it is.
 */
#include "config.h"

#include <string.h>

#include "detect_private.h"

#define MAX_PIECES 5   /* of a word */
#define MAX_AROUND 4   /* words before and behind, as a UUID has */
#define MAX_ENDS ((2 * MAX_AROUND + 1) * MAX_PIECES)
#define MIN_BOTH 8     /* characters of letters and digits */
#define MIN_BOTH_IN_NAME 6
#define MIN_DIGITS 4
#define MAX_SERIES 2   /* letters that a labelled number has before it; one of them behind it */
#define MIN_SAID 5     /* digits of one */
#define MIN_WORD 3     /* letters before digits that are no part of the same number */
#define DATE 8
#define MIN_DATED (DATE + 7)
#define UUID_FIRST 8
#define UUID_LAST 12

typedef struct {
	gsize at;   /* in the compact text */
	gsize fold;
	bool seam;  /* within a word */
} Edge;

typedef struct {
	Edge begins[MAX_ENDS], ends[MAX_ENDS];
	guint n_begins, n_ends;
} Edges;

/* "2026112748291746", "4829174620261127": a date and a number. */
static gsize date_seam(const char *text, gsize len)
{
	if (len < MIN_DATED || !ms_detect_is_number(text, len))
		return 0;
	if (memcmp(text, "20", 2) == 0 && ms_detect_is_date(text, DATE))
		return DATE;
	const char *last = text + len - DATE;
	return memcmp(last, "20", 2) == 0 && ms_detect_is_date(last, DATE) ? len - DATE : 0;
}

/* Where letters and digits meet in a word, in order; how often.  More than there is room for: the
 * word is none of words. */
static guint seams_of(const char *text, gsize len, gsize seams[MAX_PIECES])
{
	guint n = 0;
	gsize dated = date_seam(text, len);
	if (dated > 0)
		seams[n++] = dated;
	for (gsize i = 1; i < len; i++) {
		if (!g_ascii_isdigit(text[i - 1]) == !g_ascii_isdigit(text[i]))
			continue;
		if (n == MAX_PIECES - 1)
			return MAX_PIECES;
		seams[n++] = i;
	}
	return n;
}

static void add_word(const Search *s, Edges *b, gsize i)
{
	const MsWord *w = &s->compact->words[i];
	gsize seams[MAX_PIECES];
	guint n = seams_of(s->compact->text + w->start, w->end - w->start, seams);
	if (n == MAX_PIECES)
		n = 0;
	b->begins[b->n_begins++] = (Edge){w->start, w->from, false};
	for (guint k = 0; k < n; k++) {
		const Edge seam = {w->start + seams[k], w->from + seams[k], true};
		b->begins[b->n_begins++] = seam;
		b->ends[b->n_ends++] = seam;
	}
	b->ends[b->n_ends++] = (Edge){w->end, w->until, false};
}

static bool fits(const MsKind *kind, const char *text, gsize len, bool cut_before,
	bool lettered, bool in_name)
{
	gsize digits = 0;
	for (gsize i = 0; i < len; i++) {
		if (text[i] & 0x80)
			return false;
		digits += g_ascii_isdigit(text[i]) != 0;
	}
	if (!kind->known || (kind->form != MS_FORM_ALNUM && kind->form != MS_FORM_DIGITS) ||
		digits < MIN_DIGITS)
		return false;
	if (kind->check == MS_CHECK_VAT && g_ascii_isdigit(text[0]))
		return false;
	if (digits == len)
		return in_name && !lettered && len >= kind->bare_digits &&
			!ms_detect_is_date(text, len);
	return len >= (in_name && !cut_before ? MIN_BOTH_IN_NAME : MIN_BOTH);
}

/* Do one or two letters stand before digits alone? */
static bool is_lettered(const Search *s, const Edge *begin)
{
	const char *text = s->compact->text;
	gsize n = 0;
	while (n < MIN_WORD && n < begin->at && g_ascii_isalpha(text[begin->at - 1 - n]) &&
		g_ascii_isalnum(s->fold->text[begin->fold - 1 - n]))
		n++;
	return begin->seam && n > 0 && n < MIN_WORD;
}

/* What stands behind the value of a label has none. */
static bool is_first_behind(const Search *s, const MsLabel *label, gsize at)
{
	return label != NULL && label->end <= at &&
		!ms_has_digit(s->fold->text + label->end, at - label->end);
}

/* Is it the one number of word `word`, and is that one of the kind by what stands before it? */
static bool is_said(const Search *s, guint k, gsize word, const Edge *begin, const Edge *end)
{
	const MsKind *kind = ms_kinds_nth(s->kinds, k);
	const MsWord *w = &s->compact->words[word];
	const char *text = s->compact->text;
	gsize len = end->at - begin->at;
	if (begin->at < w->start || end->at > w->end || len < MIN_SAID || !kind->known ||
		(kind->form != MS_FORM_ALNUM && kind->form != MS_FORM_DIGITS) ||
		kind->check != MS_CHECK_NONE || kind->family != MS_FAMILY_NONE ||
		!ms_detect_is_number(text + begin->at, len) ||
		ms_filters_have_any(s->known, text + w->start, w->end - w->start))
		return false;
	gsize before = begin->at - w->start, behind = w->end - end->at;
	bool says = before > 1 && behind == 0 &&
		ms_detect_says_number(text + w->start, before);
	if (says && len >= kind->bare_digits && !ms_detect_is_date(text + begin->at, len) &&
		!ms_detect_is_glued(s, w->from, w->until, false, false))
		return true;
	if (!says && (before > MAX_SERIES || behind >= MAX_SERIES ||
			     (behind > 0 && g_ascii_islower(s->fold->text[w->until - 1]))))
		return false; /* "48291m" */
	return is_first_behind(s, ms_detect_label_of(s, k, w->from), w->from) ||
		ms_detect_is_named(s, k, w->from, w->until) ||
		ms_detect_is_beside(s, k, word, word);
}

static void take(Search *s, gsize word, const Edge *begin, const Edge *end, bool in_name)
{
	const char *text = s->compact->text + begin->at;
	gsize len = end->at - begin->at;
	bool lettered = is_lettered(s, begin);
	for (guint k = 0; k < ms_kinds_count(s->kinds); k++) {
		const MsKind *kind = ms_kinds_nth(s->kinds, k);
		if (!ms_filters_have(s->known, kind->tag, text, len) ||
			(!fits(kind, text, len, begin->seam, lettered, in_name) &&
				!is_said(s, k, word, begin, end)))
			continue;
		ms_detect_add_known(s, k, begin->fold, end->fold, text, len, 0);
	}
}

/* Pieces that begin or end at a seam of this word. */
static void try_pairs(Search *s, const Edges *b, const MsWord *word, bool in_name)
{
	for (guint i = 0; i < b->n_begins; i++) {
		const Edge *begin = &b->begins[i];
		bool begins = begin->seam && begin->at > word->start && begin->at < word->end;
		for (guint k = 0; k < b->n_ends; k++) {
			const Edge *end = &b->ends[k];
			bool ends = end->seam && end->at > word->start && end->at < word->end;
			if (end->at < begin->at + MIN_SAID || (!begins && !ends) ||
				end->at - begin->at > MS_FILTER_MAX)
				continue;
			if (ms_filters_have_any(s->known, s->compact->text + begin->at,
				    end->at - begin->at))
				take(s, (gsize)(word - s->compact->words), begin, end, in_name);
		}
	}
}

/* A UUID in its five groups (RFC 9562), whatever its first and last ones are glued to: it is of
 * many pieces itself. */
static void take_uuid(Search *s, gsize word)
{
	static const gsize groups[] = {4, 4, 4};
	const MsWord *last = &s->compact->words[word], *first = last - G_N_ELEMENTS(groups) - 1;
	if (word <= G_N_ELEMENTS(groups) || last->end - last->start < UUID_LAST)
		return;
	for (gsize i = 0; i <= G_N_ELEMENTS(groups); i++)
		if (!ms_detect_is_joint(s, word - 1 - i) || (i > 0 &&
				last[-(gssize)i].end - last[-(gssize)i].start != groups[i - 1]))
			return;
	gsize before = first->end - first->start, behind = last->end - last->start - UUID_LAST;
	if (before < UUID_FIRST || (before == UUID_FIRST && behind == 0))
		return;
	const Edge begin = {first->end - UUID_FIRST, first->until - UUID_FIRST, true},
		   end = {last->start + UUID_LAST, last->from + UUID_LAST, true};
	if (ms_filters_have_any(s->known, s->compact->text + begin.at, end.at - begin.at))
		take(s, word, &begin, &end, false);
}

/* One behind the other, or with a blank or a mark between them. */
static bool is_next(const Search *s, gsize word)
{
	gsize end = ms_detect_word_end(s, word);
	return ms_detect_is_joint(s, word) ||
		(ms_detect_word_start(s, word + 1) == end + 1 && s->fold->text[end] == ' ');
}

void ms_detect_seams(Search *s, gsize word)
{
	const MsWord *w = &s->compact->words[word];
	gsize seams[MAX_PIECES], first = word, last = word;
	guint n = seams_of(s->compact->text + w->start, w->end - w->start, seams);
	take_uuid(s, word);
	if (n == 0 || n == MAX_PIECES)
		return;
	while (first > 0 && word - first < MAX_AROUND && is_next(s, first - 1))
		first--;
	while (last + 1 < s->compact->n_words && last - word < MAX_AROUND &&
		is_next(s, last))
		last++;
	Edges edges = {.n_begins = 0};
	for (gsize i = first; i <= last; i++)
		add_word(s, &edges, i);
	try_pairs(s, &edges, w, ms_detect_in_file_name(s, w->until));
}
