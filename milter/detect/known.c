/*
 * What the directory knows is found by itself, without a pattern; then it is to be told from
 * what only looks the same: a year, an amount, the end of another number, two words of prose
 * that make a value together.  kinds.conf says how much a value must have to count by itself.  The
 * worker's one thread.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "detect_private.h"

#define MAX_GAP 6      /* bytes between two words of one value: a blank, a line's end and "> " */
#define MAX_INDENT 200 /* the same where the value goes on in the next line, however far in */
#define MIN_ADDRESS 12 /* bytes of letters and digits */
#define MANY_DIGITS 11
#define NEAR_MONEY 6   /* bytes before an amount */
#define FEW_DIGITS 4
#define BESIDE 8       /* numbers below one and above it */
#define MAX_AROUND 4   /* words on each side that may belong to a longer value */

static bool is_small_gap(const MsFold *fold, gsize from, gsize until)
{
	guint lines = 0;
	if (until - from <= MAX_GAP)
		return true;
	if (until - from > MAX_INDENT)
		return false;
	for (; from < until; from++) {
		lines += fold->text[from] == '\n';
		if (!g_ascii_isspace(fold->text[from]) && strchr(">|-", fold->text[from]) == NULL)
			return false;
	}
	return lines == 1;
}

static bool gaps_are_small(const Search *s, const MsHit *hit)
{
	for (gsize i = hit->first; i < hit->last; i++)
		if (!is_small_gap(
			    s->fold, ms_detect_word_end(s, i), ms_detect_word_start(s, i + 1)))
			return false;
	return true;
}

static bool is_any_known(const Search *s, gsize first, gsize last)
{
	const MsWord *words = s->compact->words;
	const char *text = s->compact->text + words[first].start;
	gsize len = words[last].end - words[first].start;
	if (!ms_filters_have_any(s->known, text, len))
		return false;
	for (guint i = 0; i < ms_kinds_count(s->kinds); i++) {
		const MsKind *kind = ms_kinds_nth(s->kinds, i);
		if (kind->known && ms_filters_have(s->known, kind->tag, text, len))
			return true;
	}
	return false;
}

static bool is_known_as(const Search *s, const MsKind *kind, gsize first, gsize last)
{
	const MsWord *words = s->compact->words;
	const char *text = s->compact->text + words[first].start;
	gsize len = words[last].end - words[first].start;
	return kind == NULL ? is_any_known(s, first, last)
			    : ms_filters_have(s->known, kind->tag, text, len);
}

/* "X81-0708", "C 00530": may what is behind word `word` go on with it? */
static bool goes_on(const Search *s, gsize word)
{
	const MsWord *w = &s->compact->words[word];
	return ms_detect_is_joint(s, word) ||
		(w[1].from == w->until + 1 && s->fold->text[w->until] == ' ' &&
			!ms_has_digit(s->compact->text + w->start, w->end - w->start));
}

bool ms_detect_is_part_of_known(const Search *s, const MsKind *kind, gsize word, gsize until)
{
	gsize first = word;
	for (guint left = 0; left <= MAX_AROUND; left++) {
		gsize last = until;
		for (guint right = 0; right <= MAX_AROUND; right++) {
			if (left + right > 0 && is_known_as(s, kind, first, last))
				return true;
			if (last + 1 >= s->compact->n_words || !ms_detect_is_joint(s, last))
				break;
			last++;
		}
		if (first == 0 || !goes_on(s, first - 1))
			break;
		first--;
	}
	return false;
}

/* What an IBAN is within its country stands in the whole one, too: "DE89 3704 ...",
 * "PL 61 1090". */
static bool is_rest_of_iban(const Search *s, const MsKind *kind, const MsHit *hit)
{
	const MsWord *words = s->compact->words;
	if (kind->check != MS_CHECK_IBAN)
		return false;
	for (gsize first = hit->first; first > 0 && hit->first - first < 2; first--) {
		const char *text = s->compact->text + words[first - 1].start;
		gsize len = words[hit->last].end - words[first - 1].start;
		if (!is_small_gap(s->fold, ms_detect_word_end(s, first - 1),
			    ms_detect_word_start(s, first)))
			return false;
		if (g_ascii_isalpha(text[0]) && ms_filters_have(s->known, kind->tag, text, len))
			return true;
	}
	return false;
}

/* One word, or several with one mark between each two: "10-2024", not "10 2024". */
static bool is_one_piece(const Search *s, const MsHit *hit)
{
	for (gsize i = hit->first; i < hit->last; i++) {
		gsize end = ms_detect_word_end(s, i);
		if (ms_detect_word_start(s, i + 1) - end > 1 ||
			(ms_detect_word_start(s, i + 1) > end &&
				strchr("-./_@", s->fold->text[end]) == NULL))
			return false;
	}
	return true;
}

/* "contract 1,897.85 EUR" where one has the number 1897; and "$39.99" in a column "Account". */
static bool is_amount(const Search *s, guint k, gsize start, gsize end)
{
	gsize near = start > NEAR_MONEY ? start - NEAR_MONEY : 0;
	if (ms_detect_is_named(s, k, start, end))
		return ms_detect_figure(s->fold, near, near, start, end) == MS_FIGURE_SURELY;
	const MsLabel *label = ms_detect_label_of(s, k, start);
	return label != NULL &&
		ms_detect_figure(s->fold, label->start, label->end, start, end) == MS_FIGURE_SURELY;
}

bool ms_detect_is_right_behind(const Search *s, guint k, gsize start, bool *alone)
{
	const MsLabel *label = ms_detect_label_of(s, k, start);
	*alone = label != NULL;
	for (gsize i = label != NULL ? label->end : start; i < start; i++) {
		gsize from = i;
		gsize sign = ms_detect_sign(s->fold->text + i);
		if (sign > 0) {
			i += sign - 1;
			continue;
		}
		while (i < start && ms_detect_is_letter(s->fold->text[i]))
			i++;
		if (i > from && !ms_detect_says_number(s->fold->text + from, i - from))
			return false;
		*alone = *alone && (i == start || !g_ascii_isdigit(s->fold->text[i]));
	}
	return label != NULL;
}

/* The digits of a date or a time that make what is known, by chance: "17/01/2026" and the invoice
 * 1701/2026, "2026-09-28" and 202609.  But right behind a label, or where the document names it, a
 * number may have a date's form. */
static bool is_of_date(const Search *s, guint k, const MsHit *hit, gsize start, gsize end)
{
	bool alone;
	switch (ms_detect_of_date(s->fold, start, end)) {
	case MS_DATED_NOT: return false;
	case MS_DATED_WHOLE:
	case MS_DATED_BEGINS:
		return !ms_detect_is_named(s, k, start, end) &&
			!(ms_detect_is_right_behind(s, k, start, &alone) && alone);
	case MS_DATED_BEHIND: return true;
	case MS_DATED_ACROSS: return !is_one_piece(s, hit);
	}
	return false;
}

/* Numbers of two cells, or hours and minutes: "2026";"110128", "2026;10:14:29".  Behind a year a
 * tabulator is as much. */
static bool is_of_cells(const Search *s, const MsHit *hit)
{
	const MsWord *words = s->compact->words;
	for (gsize i = hit->first; i < hit->last; i++) {
		bool year = ms_detect_is_year(
			s->compact->text + words[i].start, words[i].end - words[i].start);
		const char *gap = s->fold->text + words[i].until;
		gsize len = words[i + 1].from - words[i].until;
		for (gsize k = 0; k < len; k++)
			if (gap[k] != '\0' && strchr(year ? ";:\"\t|" : ";:\"", gap[k]) != NULL)
				return true;
	}
	return false;
}

/* Of digits alone.  In a file's name marks stand for blanks, and nobody sets amounts. */
static gsize least_digits(const Search *s, const MsKind *kind, const MsHit *hit)
{
	if (hit->first == hit->last)
		return kind->bare_digits;
	return s->span->type == MS_SPAN_NAME && is_one_piece(s, hit)
		? MIN(kind->joined_digits, kind->bare_digits + 1)
		: kind->joined_digits;
}

/* Is nothing between the words that is not within a number as well?  Numbers of two lines or cells
 * are two, and so are those of "plan x 1 $35.59". */
static bool is_of_one_number(const Search *s, const MsHit *hit)
{
	const MsWord *words = s->compact->words;
	for (gsize i = hit->first; i < hit->last; i++)
		for (gsize k = words[i].until; k < words[i + 1].from; k++)
			if (strchr(" .,-/_'", s->fold->text[k]) == NULL)
				return false;
	return true;
}

/* Is the label, above it and others, the name of another cell? */
static bool is_of_other(
	const Search *s, guint k, const MsHit *hit, const MsLabel *label, gsize start)
{
	const char *between = s->fold->text + label->end;
	gsize at = 0, len = start - label->end;
	while (at < len && !g_ascii_isalnum(between[at]))
		at++;
	return at < len && memchr(between, '\n', len) != NULL &&
		ms_detect_is_of_other(s, k, hit->first, hit->last);
}

/* Does a label, or what stands around it, say that it is of the kind?  `odd`: it is a piece of a
 * longer number, a year or several numbers, which a label means only if it is right behind it: of
 * "contract 4711, items: 1001.25, May 2026" neither is meant. */
static bool is_called(const Search *s, guint k, const MsHit *hit, gsize start, gsize end, bool odd)
{
	bool alone;
	const MsLabel *label = ms_detect_label_of(s, k, start);
	if (ms_detect_is_named(s, k, start, end) ||
		(odd ? ms_detect_is_right_behind(s, k, start, &alone)
		     : label != NULL && !ms_detect_is_anothers(s, label, start, end,
					 ms_detect_figure(s->fold, label->start,
						 label->end, start, end)) &&
				!is_of_other(s, k, hit, label, start)))
		return true;
	return ms_detect_is_told(s, k, hit->first, hit->last) ||
		ms_detect_in_billing(s, start, end);
}

/* Has the directory nearly every number beside these few digits as well?  Then being known says
 * nothing, and only its place can tell it from any other number. */
static bool is_among_many(const Search *s, const MsKind *kind, const char *digits, gsize len)
{
	char text[FEW_DIGITS + 2] = "";
	guint all = 0, known = 0;
	long number = strtol(strncpy(text, digits, len), NULL, 10);
	for (long beside = number - BESIDE; beside <= number + BESIDE; beside++) {
		if (beside < 0 || beside == number ||
			g_snprintf(text, sizeof text, "%0*ld", (int)len, beside) != (int)len)
			continue;
		all++;
		known += ms_filters_have(s->known, kind->tag, text, len);
	}
	return known * 2 > all;
}

/* "+49 171 9876543"; but "NAD+9876543" sets values apart. */
static bool is_last_dialled(const Search *s, gsize start, gsize end)
{
	return start > 0 && s->fold->text[start - 1] != '+' &&
		ms_detect_is_dialled(s->fold, 0, start, end);
}

/* How clearly its place says that it is of the kind: its form alone, what stands around it, its
 * label or field. */
static guint said(const Search *s, guint k, const MsHit *hit, gsize start, gsize end)
{
	bool alone;
	if (ms_detect_is_field_of(s, ms_kinds_nth(s->kinds, k)) ||
		ms_detect_is_named(s, k, start, end) ||
		(ms_detect_is_right_behind(s, k, start, &alone) && alone))
		return 2;
	return ms_detect_is_told(s, k, hit->first, hit->last) ? 1 : 0;
}

/* Do these digits have a place that says so?  Of few of them, where many such are known, it must
 * say it clearly. */
static bool is_placed(const Search *s, guint k, const MsHit *hit, gsize start, gsize end, bool odd)
{
	const MsKind *kind = ms_kinds_nth(s->kinds, k);
	const MsWord *words = s->compact->words;
	const char *text = s->compact->text + words[hit->first].start;
	gsize len = words[hit->last].end - words[hit->first].start;
	bool few = !odd && len <= FEW_DIGITS;
	if (few && (ms_detect_is_meant(s, k, hit->first, hit->last) ||
			   ms_detect_in_billing(s, start, end)))
		return true;
	if (few && is_among_many(s, kind, text, len))
		return false;
	return is_called(s, k, hit, start, end, odd) ||
		(!few && !odd && len < least_digits(s, kind, hit) &&
			ms_detect_is_meant(s, k, hit->first, hit->last));
}

static bool counts(const Search *s, guint k, const MsHit *hit, gsize start, gsize end)
{
	const MsKind *kind = ms_kinds_nth(s->kinds, k);
	const MsWord *words = s->compact->words;
	const char *text = s->compact->text + words[hit->first].start;
	gsize len = words[hit->last].end - words[hit->first].start;
	bool digits = ms_detect_is_number(text, len), joined = hit->last > hit->first;
	if ((joined && !gaps_are_small(s, hit)) || is_rest_of_iban(s, kind, hit))
		return false;
	if (kind->form == MS_FORM_EMAIL) /* "anna_customer.example.pdf" */
		return (memchr(s->fold->text + start, '@', end - start) != NULL &&
			       !ms_detect_domain_goes_on(s, end)) ||
			(s->span->type == MS_SPAN_NAME && is_one_piece(s, hit));
	if (digits && (is_of_date(s, k, hit, start, end) ||
			      (ms_detect_is_plain(kind) && ms_detect_is_at_bank(s, start, end))))
		return false;
	bool glued = digits
		? ms_detect_is_glued(s, start, end, true, len >= kind->joined_digits) &&
			!ms_detect_is_one_of_several(s, k, hit->first, hit->last)
		: ms_detect_is_code_glued(s, start, end);
	bool odd = digits &&
		(glued || ms_detect_is_year(text, len) || !is_of_one_number(s, hit));
	if ((digits ? is_placed(s, k, hit, start, end, odd)
		    : is_called(s, k, hit, start, end, odd)) &&
		!is_amount(s, k, start, end) &&
		!(glued && ms_detect_is_part_of_known(s, NULL, hit->first, hit->last)))
		return true;
	/* Without its country a VAT ID of digits is a number like any other, unless it has many. */
	if (kind->check == MS_CHECK_VAT && digits && (joined || len < MANY_DIGITS))
		return false;
	if (glued && (digits || len < kind->joined_length))
		return false;
	if (digits)
		return len >= least_digits(s, kind, hit) && !is_of_cells(s, hit) &&
			!ms_detect_is_date(text, len) &&
			(kind->form == MS_FORM_PHONE || !is_last_dialled(s, start, end));
	if (len < (joined && !is_one_piece(s, hit) ? kind->joined_length : kind->bare_length) ||
		(len < kind->joined_length &&
			ms_detect_is_part_of_known(s, NULL, hit->first, hit->last)))
		return false;
	/* Letters alone are words. */
	return ms_has_digit(text, len);
}

bool ms_detect_is_shared(const Search *s, const MsKind *kind, const char *text, gsize len)
{
	if (s->known == NULL || !ms_detect_is_plain(kind) || len < MS_FILTER_MIN ||
		len > MS_FILTER_MAX || !ms_filters_have(s->known, kind->tag, text, len))
		return false;
	for (guint i = 0; i < ms_kinds_count(s->kinds); i++) {
		const MsKind *other = ms_kinds_nth(s->kinds, i);
		if (other != kind && ms_detect_is_plain(other) &&
			ms_filters_have(s->known, other->tag, text, len))
			return true;
	}
	return false;
}

/* "10400751", which is one customer's number and the invoice of another: what else it may be, or
 * NULL.  False: it is not of this kind, since its place says more clearly that it is of another.
 * `whole`: it is all that the words have, and of another kind only if it counts as that. */
static bool tell_apart(const Search *s, guint k, const MsHit *hit, const char *text, gsize len,
	bool whole, const char *value, GPtrArray **either_out)
{
	gsize start = ms_detect_word_start(s, hit->first), end = ms_detect_word_end(s, hit->last);
	if (!ms_detect_is_shared(s, ms_kinds_nth(s->kinds, k), text, len))
		return true;
	g_autoptr(GPtrArray) either = ms_identifiers_new();
	guint own = said(s, k, hit, start, end);
	for (guint i = 0; i < ms_kinds_count(s->kinds); i++) {
		const MsKind *other = ms_kinds_nth(s->kinds, i);
		if (i == k || !ms_detect_is_plain(other) ||
			!ms_filters_have(s->known, other->tag, text, len) ||
			(whole && !counts(s, i, hit, start, end)))
			continue;
		guint others = said(s, i, hit, start, end);
		if (others > own)
			return false;
		if (others == own && either->len < MS_MAX_EITHER)
			g_ptr_array_add(either, ms_identifier_new(other->name, value));
	}
	if (either->len > 0)
		*either_out = g_steal_pointer(&either);
	return true;
}

static void add(Search *s, guint k, const MsHit *hit, gsize start, gsize end, const char *text,
	gsize len, bool whole, guint belief)
{
	g_autofree char *value = g_utf8_strup(text, (gssize)len);
	g_autoptr(GPtrArray) either = NULL;
	if (!tell_apart(s, k, hit, text, len, whole, value, &either))
		return;
	s->either = either;
	ms_detect_add_value(s, ms_kinds_nth(s->kinds, k), start, end, value, belief);
	s->either = NULL;
}

void ms_detect_add_known(Search *s, guint k, gsize start, gsize end, const char *text, gsize len,
	guint belief)
{
	gsize first = ms_detect_word_between(s, start + 1, 0, s->compact->n_words);
	MsHit hit = {.first = MAX(first, 1) - 1};
	hit.last = MAX(ms_detect_word_between(s, end, first, s->compact->n_words), 1) - 1;
	add(s, k, &hit, start, end, text, len, false,
		belief | MS_BELIEF_TENTATIVE | MS_BELIEF_SHAPE);
}

static void take(Search *s, guint k, const MsHit *hit)
{
	const MsKind *kind = ms_kinds_nth(s->kinds, k);
	gsize start = ms_detect_word_start(s, hit->first), end = ms_detect_word_end(s, hit->last);
	if (!counts(s, k, hit, start, end))
		return;
	const MsWord *words = s->compact->words;
	g_autofree char *piece = g_strndup(s->compact->text + words[hit->first].start,
		words[hit->last].end - words[hit->first].start);
	guint belief = MS_BELIEF_TENTATIVE |
		(is_one_piece(s, hit) ? MS_BELIEF_EXACT : MS_BELIEF_SHAPE);
	if (ms_detect_labelled(s, k, start))
		belief |= MS_BELIEF_LABELLED;
	if (kind->form == MS_FORM_EMAIL) {
		/* As it is written, if that is an address and not one that only looks like it. */
		const char *why;
		gsize from = ms_fold_source(s->fold, start), until = ms_fold_source(s->fold, end);
		g_autofree char *written = ms_kind_canonical(
			kind, s->span->text + from, until - from, &why);
		g_autofree char *letters = written != NULL ? ms_compact_of(written, strlen(written))
							   : NULL;
		bool plain = letters != NULL && strcmp(letters, piece) == 0 &&
			g_str_is_ascii(written);
		ms_detect_add_value(s, kind, start, end, plain ? written : piece, belief);
		return;
	}
	add(s, k, hit, start, end, piece, strlen(piece), true, belief);
}

/* As it stands in the directory, of a country whose addresses are not known; others are found by
 * their parts (addresses.c), in whatever order. */
static void take_address(Search *s, const MsKind *kind, const MsHit *hit)
{
	const MsWord *words = s->compact->words;
	if (words[hit->last].end - words[hit->first].start >= MIN_ADDRESS && gaps_are_small(s, hit))
		ms_detect_add(s, kind, ms_detect_word_start(s, hit->first),
			ms_detect_word_end(s, hit->last),
			MS_BELIEF_TENTATIVE | MS_BELIEF_EXACT);
}

static bool on_hit(const MsHit *hit, void *user)
{
	Search *s = user;
	for (guint i = 0; i < ms_kinds_count(s->kinds); i++) {
		const MsKind *kind = ms_kinds_nth(s->kinds, i);
		if (!kind->known || kind->tag != hit->tag)
			continue;
		if (kind->form == MS_FORM_ADDRESS)
			take_address(s, kind, hit);
		else
			take(s, i, hit);
	}
	return !s->full;
}

void ms_detect_known(Search *s)
{
	for (gsize i = 0; s->known != NULL && i < G_N_ELEMENTS(s->known->parts); i++)
		if (s->known->parts[i] != NULL)
			ms_filter_scan(s->known->parts[i], s->compact, on_hit, s);
}
