/*
 * Ways to an identifier: its own shape (an IBAN), a label before it ("customer number: 4711"), a
 * field of an e-invoice that is one by definition, and that the directory knows it (known.c,
 * emails.c, addresses.c).  What stands after a label is read in more than one way, because
 * numbers are written with blanks and a label may stand in another cell; only the plainest
 * reading is a finding by itself, the others are tentative and count only if the directory knows
 * them.  The worker's one thread.
 */
#include "config.h"

#include <string.h>

#include "missent/dispatch.h"
#include "missent/greeting.h"
#include "missent/identifier.h"
#include "missent/postal.h"
#include "missent/scan.h"

#include "block.h"
#include "detect_private.h"

#define WINDOW 65536       /* bytes searched between two looks at the clock */
#define MAX_AFTER_LABEL 4  /* values tried after one label */
#define MAX_LINE_VALUE 120
#define MAX_SHORTER 16     /* ends tried of one match */
#define FAR_BACK 256       /* bytes: no label that has been looked behind is as long */
#define MAX_AND 3          /* letters */
#define BIG_STEP 256       /* words between two looks at the clock */
#define MANY_BLOCKS 100 /* addresses after labels; of more in one text only the plainest reading */

bool ms_detect_gave_up(const Search *s, const MsKind *kind, MsUnreadReason reason, const char *what)
{
	ms_reading_unread(s->reading, s->span->where, reason, "kind %s: %s", kind->name, what);
	return false;
}

bool ms_detect_in_time(const Search *s, const MsKind *kind)
{
	return ms_budget_time(s->budget)
		|| ms_detect_gave_up(s, kind, MS_UNREAD_TIME, "the time for reading is over");
}

const MsLabel *ms_detect_label_of(const Search *s, guint kind, gsize start)
{
	gsize distance = ms_kinds_nth(s->kinds, kind)->distance;
	for (guint i = s->labels->len; i-- > 0;) {
		const MsLabel *label = &g_array_index(s->labels, MsLabel, i);
		if (label->end <= start && start - label->end > 500)
			return NULL;
		if (label->kind == kind && label->end <= start && start - label->end <= distance
			&& start < label->reach && !ms_detect_heads_another(s, label, start))
			return label;
	}
	return NULL;
}

bool ms_detect_labelled(const Search *s, guint kind, gsize start)
{
	return ms_detect_is_named(s, kind, start, start) ||
		ms_detect_label_of(s, kind, start) != NULL;
}

/* Where the directory has a value, under whatever other form of it, the filter has it as well;
 * but an address of e-mail may be known by its domain alone, and a company's number by another
 * kind's. */
static bool has_no_owner(const Search *s, const MsKind *kind, const char *value)
{
	gsize len = strlen(value);
	char small[MS_FILTER_MAX];
	if (kind->form == MS_FORM_ADDRESS)
		len = MIN(len, MS_POSTAL_WORDS_MAX);
	if (!ms_filters_any(s->known) || !kind->known || kind->form == MS_FORM_EMAIL ||
		kind->family != MS_FAMILY_NONE || len < MS_FILTER_MIN || len > MS_FILTER_MAX)
		return false;
	if (kind->form == MS_FORM_ADDRESS)
		return !ms_filters_have(s->known, kind->tag, value, len);
	for (gsize i = 0; i < len; i++) {
		if (!g_ascii_isalnum(value[i])) {
			g_autofree char *compact = ms_compact_of(value, len);
			gsize n = strlen(compact);
			return n >= MS_FILTER_MIN && n <= MS_FILTER_MAX &&
				!ms_filters_have(s->known, kind->tag, compact, n);
		}
		small[i] = g_ascii_tolower(value[i]);
	}
	return !ms_filters_have(s->known, kind->tag, small, len);
}

/* Of a kind that is never found but tentatively. */
static bool is_never_firm(const MsKind *kind)
{
	return kind->block && kind->shapes->len == 0;
}

static MsPlace *place_of(
	const Search *s, const MsKind *kind, gsize start, gsize end, const char *value)
{
	gsize from = ms_fold_source(s->fold, start), to = MAX(ms_fold_source(s->fold, end), from);
	MsPlace *place = ms_place_new(s->span->where, s->span->text, from, to, s->span->len);
	place->search = s->reading->searches;
	place->start = start;
	if (kind->hidden) {
		g_free(place->text);
		place->text = ms_identifier_masked(value);
	}
	return place;
}

/* A pattern, a label and the directory may all find what stands there. */
static bool is_there_already(const Search *s, const MsFinding *finding, gsize start)
{
	for (guint i = finding->places->len; i > 0; i--) {
		const MsPlace *place = finding->places->pdata[i - 1];
		if (place->search != s->reading->searches)
			return false;
		if (place->start == start)
			return true;
	}
	return false;
}

/* What an e-invoice says of its sender and of the account to pay to. */
static bool is_sellers(const MsSpan *span)
{
	return span->party != NULL &&
		(strcmp(span->party, "seller") == 0 || strcmp(span->party, "payee") == 0);
}

/* What the digest of a face's text is of. */
static bool is_text(const MsSpan *span)
{
	return span->of != MS_OF_HEADER &&
		(span->type == MS_SPAN_TEXT || span->type == MS_SPAN_FIELD);
}

bool ms_detect_add_value(Search *s, const MsKind *kind, gsize start, gsize end, const char *value,
	guint belief)
{
	if (s->full)
		return false;
	if (ms_kind_checked(kind, value))
		belief |= MS_BELIEF_CHECKED;
	if (is_sellers(s->span))
		belief |= MS_BELIEF_SELLER;
	guint face = s->span->face;
	if (s->span->type == MS_SPAN_ASIDE || s->span->type == MS_SPAN_ADDRESSES)
		belief |= MS_BELIEF_TENTATIVE;
	if (s->span->type == MS_SPAN_ADDRESSES) {
		belief |= MS_BELIEF_ADDRESSED;
		face = MS_READING_MAX_FACES - 1; /* who gets it says nothing of whom it is about */
	}
	bool guess = (belief & MS_BELIEF_TENTATIVE) && has_no_owner(s, kind, value);
	if (guess && s->known->lean && is_never_firm(kind))
		return true;
	if ((belief & MS_BELIEF_TENTATIVE) && !guess && kind->check == MS_CHECK_NONE &&
		(ms_detect_is_decimal(s->fold, start, end) || ms_detect_is_group(s, start, end)))
		return true;
	const MsFinding *before = ms_reading_has(s->reading, kind->name, value, s->either);
	/* Prose may be full of what might be a value after a label: no limit is for that. */
	if (guess && before == NULL && s->reading->guesses >= MS_READING_MAX_GUESSES)
		return true;
	bool fresh = before == NULL || (before->belief & MS_BELIEF_GUESS);
	bool again = before != NULL && is_there_already(s, before, start);
	MsFinding *f = ms_reading_find_either(s->reading, kind->name, value, s->either,
		belief | (guess ? MS_BELIEF_GUESS : 0), face,
		again ? NULL : place_of(s, kind, start, end, value));
	if (!guess && is_text(s->span) && (end <= s->greeting || start >= s->greeted))
		f->texts |= 1ULL << MIN(face, MS_READING_MAX_FACES - 1);
	/* One that comes again costs no more than the places that are kept of it. */
	bool fits = guess || !fresh ||
		ms_budget_charge(s->budget, MS_COST_FINDING,
			1 + (s->either != NULL ? s->either->len : 0));
	fits = fits &&
		(guess || again || f->count > MS_MAX_PLACES ||
			ms_budget_charge(s->budget, MS_COST_READING, 600));
	s->full = !fits;
	return fits ||
		ms_detect_gave_up(
			s, kind, MS_UNREAD_LIMIT, "more identifiers than max-findings allows");
}

gsize ms_detect_word_between(const Search *s, gsize at, gsize low, gsize high)
{
	while (low < high) {
		gsize mid = low + (high - low) / 2;
		if (ms_detect_word_start(s, mid) < at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The first word that begins at `at` or behind it; near the one asked for before. */
static gsize word_from(Search *s, gsize at)
{
	const MsCompact *c = s->compact;
	gsize low = 0, high = c->n_words;
	if (s->word < c->n_words && c->words[s->word].from <= at) {
		low = s->word;
		for (gsize step = 8; low + step < high; step *= 2)
			if (c->words[low + step].from > at)
				high = low + step;
	}
	s->word = ms_detect_word_between(s, at, low, high);
	return s->word;
}

/* The compact text of a stretch of whole words of ASCII: its length; 0: it is none. */
static gsize compact_of(Search *s, gsize start, gsize end, const char **text_out)
{
	const MsCompact *c = s->compact;
	gsize first = word_from(s, start), last = first;
	if (first >= c->n_words || c->words[first].from >= end ||
		(first > 0 && c->words[first - 1].until > start))
		return 0;
	while (last + 1 < c->n_words && c->words[last + 1].from < end)
		last++;
	gsize from = c->words[first].start, len = c->words[last].end - from;
	*text_out = c->text + from;
	return c->words[last].until <= end && ms_scan_ascii(*text_out, len) == len ? len : 0;
}

/* A tentative value that the directory has not got counts for nothing; who wants verdicts alone is
 * not told of it. */
static bool is_idle_guess(Search *s, const MsKind *kind, const char *text, gsize len)
{
	char upper[MS_FILTER_MAX + 1];
	if (s->known == NULL || !s->known->lean || !ms_filters_any(s->known) || !kind->known ||
		kind->names_buyer || kind->form != MS_FORM_ALNUM ||
		kind->check != MS_CHECK_NONE || kind->family != MS_FAMILY_NONE ||
		len < MS_FILTER_MIN || len > MS_FILTER_MAX ||
		ms_filters_have(s->known, kind->tag, text, len))
		return false;
	for (gsize i = 0; i < len; i++)
		upper[i] = (char)(text[i] >= 'a' && text[i] <= 'z' ? text[i] & ~0x20 : text[i]);
	upper[len] = '\0';
	return ms_reading_has(s->reading, kind->name, upper, NULL) == NULL;
}

/* What can be said without making the value, which is dear: that there is none, or none that
 * counts.  False: nothing. */
static bool is_settled(
	Search *s, const MsKind *kind, gsize start, gsize end, guint belief, bool *adds)
{
	const char *text;
	if (kind->form != MS_FORM_ALNUM && kind->form != MS_FORM_DIGITS)
		return false;
	gsize len = compact_of(s, start, end, &text);
	*adds = false;
	if (len == 0)
		return false;
	if (len < kind->min_length || len > kind->max_length)
		return true;
	for (gsize i = 0; i < len && kind->form == MS_FORM_DIGITS; i++)
		if (!g_ascii_isdigit(text[i]))
			return true;
	*adds = true;
	return ((belief & MS_BELIEF_TENTATIVE) && is_idle_guess(s, kind, text, len)) ||
		((belief & MS_BELIEF_LABELLED) && ms_detect_is_shared(s, kind, text, len));
}

bool ms_detect_add(Search *s, const MsKind *kind, gsize start, gsize end, guint belief)
{
	const char *why;
	bool adds;
	if (is_settled(s, kind, start, end, belief, &adds))
		return adds;
	if (ms_detect_is_plain(kind) && ms_detect_is_number(s->fold->text + start, end - start) &&
		ms_detect_is_at_bank(s, start, end))
		return false;
	gsize from = ms_fold_source(s->fold, start), to = ms_fold_source(s->fold, end);
	/* From the source: the fold has lost the accents, which count in some kinds' values. */
	g_autofree char *value = ms_kind_canonical(
		kind, s->span->text + from, MAX(to, from) - from, &why);
	if (value == NULL)
		return false;
	if (kind->family == MS_FAMILY_REGISTRATION && kind->check == MS_CHECK_NONE &&
		s->company_register != NULL && !g_str_has_prefix(value, s->company_register)) {
		g_autofree char *number = value;
		value = g_strconcat(s->company_register, number, NULL);
	}
	/* One with check digits that do not agree may be anything. */
	if (belief == MS_BELIEF_SHAPE && kind->check != MS_CHECK_NONE &&
		kind->family != MS_FAMILY_NONE && !ms_kind_checked(kind, value))
		belief |= MS_BELIEF_TENTATIVE;
	return ms_detect_add_value(s, kind, start, end, value, belief);
}

/* What is checked may have been taken too long, with the number that stands behind it. */
static bool add_checked(Search *s, const MsKind *kind, gsize start, gsize end, guint belief)
{
	for (int i = 0; i < MAX_SHORTER && end > start; i++) {
		if (ms_detect_add(s, kind, start, end, belief))
			return true;
		if (kind->check == MS_CHECK_NONE)
			return false;
		while (end > start &&
			(g_ascii_isalnum(s->fold->text[end - 1]) ||
				(s->fold->text[end - 1] & 0x80)))
			end--;
		while (end > start && !g_ascii_isalnum(s->fold->text[end - 1]))
			end--;
	}
	return false;
}

/* What `scan` finds next, at `at` or behind it; or the end.  However often it is asked about places
 * near each other, it looks at each byte once or twice. */
static inline gsize look_ahead(const Search *s, MsAhead *ahead, MsScan scan, gsize at)
{
	if (at + FAR_BACK < ahead->from || at > ahead->at) {
		ahead->from = at;
		ahead->at = scan(s->fold->text, s->fold->len, at);
	} else if (at < ahead->from) {
		gsize near = scan(s->fold->text, ahead->from, at);
		if (near < ahead->from)
			return near;
		ahead->from = at;
	}
	return ahead->at;
}

/* The next digit, or byte outside ASCII. */
static gsize next_figure(Search *s, gsize at)
{
	return look_ahead(s, &s->figure, ms_scan_figure, at);
}

static gsize next_blank(Search *s, gsize at)
{
	return look_ahead(s, &s->blank, ms_scan_blank, at);
}

/* Where, in [from, until), the first match may begin that has the digit it must have at `figure`,
 * the next one, or behind it; `until`: nowhere. */
static gsize first_start(
	Search *s, const MsRegex *regex, gsize from, gsize until, gsize figure)
{
	gsize digit = ms_regex_digit(regex);
	if (figure >= from + digit)
		from = figure - digit + 1;
	if (from >= until || figure == s->fold->len)
		return until;
	if (!ms_regex_digit_unbroken(regex))
		return from;
	if (figure >= until && next_blank(s, until - 1) < figure)
		return until;
	gsize start = MIN(figure, until);
	while (start > from && !ms_is_blank(s->fold->text[start - 1]))
		start--;
	return start;
}

/* Behind the digits, and what is not ASCII, from `at` on. */
static gsize figure_end(const Search *s, gsize at, gsize until)
{
	while (at < until &&
		((s->fold->text[at] & 0x80) || g_ascii_isdigit(s->fold->text[at])))
		at++;
	return at;
}

/* The next match that starts in [from, until); false when there is none or it gave up.  Where the
 * digit that each must have is not near, none is looked for. */
static bool next_match(Search *s, const MsKind *kind, const MsRegex *regex, gsize from,
	gsize until, MsMatch *match)
{
	bool has_digit = ms_regex_digit(regex) != MS_REGEX_NO_DIGIT ||
		ms_regex_digit_unbroken(regex);
	while (from < until) {
		gsize figure = has_digit ? next_figure(s, from) : from;
		if (has_digit)
			from = first_start(s, regex, from, until, figure);
		if (from == until || !ms_detect_in_time(s, kind))
			return false;
		gsize stop = MIN(until, from + WINDOW);
		if (has_digit && figure < stop)
			stop = figure_end(s, figure, stop);
		switch (ms_regex_match(regex, s->fold->text, s->fold->len, from, stop - 1, match)) {
		case MS_MATCH: return true;
		case MS_MATCH_LIMIT:
			return ms_detect_gave_up(s, kind, MS_UNREAD_PATTERN, "the pattern gave up");
		case MS_NO_MATCH: break;
		}
		from = stop;
		while (from < until && ((guchar)s->fold->text[from] & 0xc0) == 0x80)
			from++;
	}
	return false;
}

/* ---- after a label -------------------------------------------------------------------- */

/* Past what stands between a label and its value; quoted mail has "> " at line starts. */
static gsize skip_separators(const MsFold *fold, gsize from, gsize until, const char *set)
{
	while (from < until) {
		if (strchr(set, fold->text[from]) != NULL && fold->text[from] != '\0')
			from++;
		else if (g_str_has_prefix(fold->text + from, "\xc2\xb0")
			|| g_str_has_prefix(fold->text + from, "\xc2\xba")) /* degree, ordinal */
			from += 2;
		else
			break;
	}
	return from;
}

/* The value is the rest of the line, or of the cell, after the label. */
static void by_line(Search *s, const MsKind *kind, gsize label_end, gsize until, gsize reach)
{
	gsize start = skip_separators(s->fold, label_end, until, " \t\r\n:#.=>|*-");
	gsize end = MIN(look_ahead(s, &s->cell, ms_scan_cell, start), reach);
	if (end == start || end - start >= MAX_LINE_VALUE)
		return;
	ms_detect_add(s, kind, start, end, MS_BELIEF_LABELLED | MS_BELIEF_TENTATIVE);
}

/* "invoice no. 4711", "invoice for 4711"; but of "the contract that was made in 4711 pieces" the
 * number is most likely none. */
static bool is_far(const Search *s, gsize label_end, gsize value)
{
	guint words = 0;
	for (gsize i = label_end; i < value; i++)
		words += g_ascii_isalpha(s->fold->text[i]) &&
			(i == label_end || !g_ascii_isalpha(s->fold->text[i - 1]));
	return words > 1;
}

/* Letters and digits: behind a date that stands between it and its label it is meant, too. */
static bool is_code(const MsFold *fold, gsize start, gsize end)
{
	guint letters = 0, digits = 0;
	for (gsize i = start; i < end; i++) {
		letters += g_ascii_isalpha(fold->text[i]) != 0;
		digits += g_ascii_isdigit(fold->text[i]) != 0;
	}
	return letters > 0 && digits >= 4;
}

/* Check digits that agree say more than what stands beside. */
static MsFigure figure_of(
	const Search *s, const MsKind *kind, gsize label, gsize label_end, gsize start, gsize end)
{
	MsFigure figure = ms_detect_figure(s->fold, label, label_end, start, end);
	if (figure == MS_FIGURE_NONE || figure == MS_FIGURE_SURELY || kind->check == MS_CHECK_NONE)
		return figure;
	const char *why;
	g_autofree char *value = ms_kind_canonical(kind, s->fold->text + start, end - start, &why);
	return value != NULL && ms_kind_checked(kind, value) ? MS_FIGURE_NONE : figure;
}

/* `belief`: beside that it is labelled.  The label is from `label` to `label_end`. */
static void by_label_pattern(Search *s, guint k, gsize label, gsize label_end, gsize until,
	gsize reach, guint belief)
{
	const MsKind *kind = ms_kinds_nth(s->kinds, k);
	const MsLabel head = {.kind = k, .start = label, .end = label_end};
	gsize next = next_figure(s, label_end);
	guint found = 0, figures = 0;
	gsize dated_end, dated = next < until
		? ms_detect_dated(s->fold, label, label_end, until, &dated_end)
		: G_MAXSIZE;
	if (dated < reach && kind->form == MS_FORM_ALNUM && kind->check == MS_CHECK_NONE)
		found += ms_detect_add(s, kind, dated, dated_end, MS_BELIEF_LABELLED | belief);
	for (guint i = 0; i < kind->patterns->len; i++) {
		const MsRegex *regex = g_ptr_array_index(kind->patterns, i);
		gsize from = label_end;
		MsMatch match;
		while (found < MAX_AFTER_LABEL && next_match(s, kind, regex, from, until, &match)
			&& match.group_start < reach) {
			gsize end = MIN(match.group_end, reach);
			MsFigure figure = figure_of(
				s, kind, label, label_end, match.group_start, end);
			bool second = found > figures ||
				(found > 0 && !is_code(s->fold, match.group_start, end));
			bool guess = second || figure != MS_FIGURE_NONE ||
				is_far(s, label_end, match.group_start);
			from = MAX(match.end, match.start + 1);
			if (ms_detect_heads_another(s, &head, match.group_start))
				continue;
			if (kind->check == MS_CHECK_NONE &&
				ms_detect_is_anothers(s, &head, match.group_start, end, figure))
				continue;
			figures += figure != MS_FIGURE_NONE;
			found += figure == MS_FIGURE_SURELY ||
				add_checked(s, kind, match.group_start, end,
					MS_BELIEF_LABELLED | belief |
						(guess ? MS_BELIEF_TENTATIVE : 0));
		}
	}
}

typedef struct {
	Search *search;
	const MsKind *kind;
} Block;

static void add_block_range(gsize start, gsize end, void *user)
{
	const Block *block = user;
	ms_detect_add(
		block->search, block->kind, start, end, MS_BELIEF_LABELLED | MS_BELIEF_TENTATIVE);
}

static void in_block(Search *s, const MsKind *kind, gsize start, gsize reach)
{
	Block block = {s, kind};
	if (ms_filters_any(s->known) && s->known->lean && kind->known && is_never_firm(kind) &&
		kind->form == MS_FORM_ADDRESS && !ms_detect_may_be_address(s, kind, start, reach))
		return;
	ms_block_ranges(
		s->fold->text, reach, start, ++s->blocks > MANY_BLOCKS, add_block_range, &block);
}

/* What stands before the first digit of a line, without marks. */
static char *letters_before(const char *text, gsize from, gsize until)
{
	GString *out = g_string_new(NULL);
	for (; from < until && !g_ascii_isdigit(text[from]); from++)
		if (g_ascii_isalpha(text[from]) || (text[from] & 0x80) != 0)
			g_string_append_c(out, text[from]);
	return g_string_free(out, FALSE);
}

/* Is nothing but marks before its first digit, or in all of it? */
static bool begins_with_marks(const char *text, gsize from, gsize until)
{
	while (from < until && !g_ascii_isalnum(text[from]) && (text[from] & 0x80) == 0)
		from++;
	return from == until || g_ascii_isdigit(text[from]);
}

/* The line in which the value of a label stands that ends its own: the first one below that says
 * anything, if that has a number, which it begins with where other words stand before the label;
 * else where the label ends. */
static gsize value_line(const MsFold *fold, gsize label, gsize label_end, gsize until)
{
	const char *text = fold->text;
	gsize from = label, at = label_end;
	while (from > 0 && text[from - 1] != '\n' && !g_ascii_isalnum(text[from - 1]) &&
		(text[from - 1] & 0x80) == 0)
		from--;
	bool alone = from == 0 || text[from - 1] == '\n';
	for (gsize end; at < until; at = end + 1) {
		end = MIN(ms_detect_line_end(text, fold->len, at), until);
		bool marks = begins_with_marks(text, at, end);
		if (ms_has_digit(text + at, end - at) && (alone || at == label_end || marks))
			return at;
		if (!marks)
			break;
	}
	return label_end;
}

/* Where the first word of a line at `from` ends, which is put behind marks that cite or list it. */
static gsize item_end(const char *text, gsize *from, gsize until)
{
	while (*from < until && memchr(" \t>*+-|\r", text[*from], 8) != NULL)
		++*from;
	gsize end = *from;
	while (end < until &&
		(g_ascii_isalnum(text[end]) || memchr("-./_", text[end], 4) != NULL))
		end++;
	return end;
}

/* Is the line a number, of the same form as what begins at `own`, and nothing else; or has each a
 * name behind it ("4711 Meyer", "4712 Smith")? */
static bool is_like(const char *text, gsize own, gsize own_end, gsize from, gsize until)
{
	gsize own_word = item_end(text, &own, own_end), word = item_end(text, &from, until);
	gsize own_rest = own_word, rest = word;
	while (own_rest < own_end && memchr(" \r.", text[own_rest], 3) != NULL)
		own_rest++;
	while (rest < until && memchr(" \r.", text[rest], 3) != NULL)
		rest++;
	return ms_detect_is_number(text + own, own_word - own) ==
		ms_detect_is_number(text + from, word - from) &&
		(rest == until ||
			(own_rest < own_end && g_ascii_isupper(text[own_rest]) &&
				g_ascii_isupper(text[rest])));
}

/* Does the line from the value at `value` to `end` end with the name of another, in a cell of its
 * own or written large: "4711\tQuantity:", "4711 Menge:", but not "4711 wurde zu:"? */
static bool names_next(const char *text, gsize value, gsize end)
{
	while (end > value && g_ascii_isspace(text[end - 1]))
		end--;
	if (end == value || text[--end] != ':')
		return false;
	while (end > value && text[end - 1] == ' ')
		end--;
	gsize at = item_end(text, &value, end);
	bool cell = memchr(text + at, '\t', end - at) != NULL;
	while (at < end && memchr(" \t|", text[at], 3) != NULL)
		at++;
	return at < end && (g_ascii_isalnum(text[end - 1]) || (text[end - 1] & 0x80) != 0) &&
		(cell || g_ascii_isupper(text[at]) || (text[at] & 0x80) != 0);
}

/* Does a line that ends at `end` go on in one that begins at `next`: "4711,", "4711 und", "/ 530"?
 * Or has it no value yet: "Customer no. (5 digits):"? */
static bool goes_on(const char *text, gsize from, gsize end, gsize next, gsize until)
{
	while (end > from && g_ascii_isspace(text[end - 1]))
		end--;
	while (next < until && memchr(" \t>", text[next], 3) != NULL)
		next++;
	gsize word = end;
	while (word > from && end - word <= MAX_AND && g_ascii_islower(text[word - 1]))
		word--;
	return (end > from && memchr(",;/&+:-(", text[end - 1], 8) != NULL) ||
		(next < until && memchr(",;/&+", text[next], 5) != NULL) ||
		(word < end && end - word <= MAX_AND && word > from && text[word - 1] == ' ');
}

#define MIN_VALUE 3 /* digits one behind the other */

/* Where the first number from `from` on begins that may be a value and no year, or `until`. */
static gsize value_start(const char *text, gsize from, gsize until)
{
	for (gsize n; from < until; from += n + 1) {
		for (n = 0; from + n < until && g_ascii_isdigit(text[from + n]); n++)
			;
		if (n >= MIN_VALUE && !ms_detect_is_year(text + from, n))
			return from;
	}
	return until;
}

/* How far a label reaches that has its value beside it, or in the line below: not to a line further
 * below with other words before its number, for that is of them ("Customer no. C-10001\nFleet
 * 308"), nor to one that begins with a number, unless it goes on with the value or is a list of
 * such ("Customer no. 4711\n5013 Springfield", "Customer no. 4711\n\n5013"). */
static gsize reach_beside(const MsFold *fold, gsize label, gsize label_end, gsize until)
{
	const char *text = fold->text;
	gsize from = value_line(fold, label, label_end, until);
	gsize end = MIN(ms_detect_line_end(text, fold->len, from), until);
	if (end == until || !ms_has_digit(text + from, end - from))
		return until;
	g_autofree char *own = letters_before(text, from, end);
	bool many = ms_kind_label_of_many(text + label, label_end - label), empty = false;
	gsize value = value_start(text, from, end), last = end;
	bool single = value < end && !many, joined = false;
	for (gsize next; end < until; end = next) {
		next = MIN(ms_detect_line_end(text, fold->len, end + 1), until);
		g_autofree char *other = letters_before(text, end + 1, next);
		if (strlen(other) <= MAX_AND && !ms_has_digit(text + end + 1, next - end - 1)) {
			empty = empty || *other == '\0';
			joined = joined || *other != '\0'; /* "und" */
			continue;
		}
		if (*other != '\0' ? strcmp(own, other) != 0
				   : single && !joined &&
					(names_next(text, value, last) ||
						(!goes_on(text, from, last, end + 1, next) &&
							(empty || !is_like(text, value, last,
									  end + 1, next)))))
			return end;
		joined = empty = false;
		from = end + 1;
		last = next;
		value = MIN(value_start(text, from, last), last);
	}
	return until;
}

/* "Akt", where a label is "акт": in its own alphabet it is another word. */
static bool is_of_other_alphabet(const Search *s, const MsKind *kind, gsize start, gsize end)
{
	gsize from = ms_fold_source(s->fold, start), until = ms_fold_source(s->fold, end);
	for (char **label = kind->turned; *label != NULL; label++)
		if (strlen(*label) == end - start &&
			g_ascii_strncasecmp(*label, s->fold->text + start, end - start) == 0)
			return ms_scan_ascii(s->span->text + from, until - from) == until - from;
	return false;
}

static void by_label(Search *s, guint k, gsize label_start, gsize label_end)
{
	const MsKind *kind = ms_kinds_nth(s->kinds, k);
	if (is_of_other_alphabet(s, kind, label_start, label_end))
		return;
	gsize reach = ms_detect_reach(s, label_start, label_end);
	gsize until = MIN(reach, label_end + kind->distance);
	if (!kind->block && kind->check == MS_CHECK_NONE) {
		gsize beside = reach_beside(s->fold, label_start, label_end, until);
		reach = beside < until ? beside : reach;
		until = beside;
	}
	MsLabel label = {k, label_start, label_end, reach};
	g_array_append_val(s->labels, label);
	if (kind->block) {
		in_block(s, kind, skip_separators(s->fold, label_end, reach, " \t\r:.=-"), reach);
	} else {
		if (kind->family == MS_FAMILY_REGISTRATION)
			s->company_register = ms_kind_register_of_label(
				s->fold->text + label_start, label_end - label_start);
		by_label_pattern(s, k, label_start, label_end, until, reach, 0);
		by_line(s, kind, label_end, until, reach);
		s->company_register = NULL;
	}
}

void ms_detect_after_label(Search *s, guint k, gsize start, gsize end)
{
	const MsKind *kind = ms_kinds_nth(s->kinds, k);
	if (kind->block) {
		in_block(s, kind, start, end);
		return;
	}
	by_label_pattern(s, k, start, start, end, end, MS_BELIEF_TENTATIVE);
	gsize digit = next_figure(s, start);
	if (digit >= end ||
		ms_detect_figure(s->fold, start, start, digit, end) != MS_FIGURE_SURELY)
		ms_detect_add(s, kind, start, end, MS_BELIEF_LABELLED | MS_BELIEF_TENTATIVE);
}

/* ---- shapes and labels ---------------------------------------------------------------- */

typedef struct {
	Search *search;
	const MsPatterns *all;
	gsize *next; /* of each pattern: where it may match again */
} Run;

static void try_pattern(Run *run, guint n, gsize at)
{
	Search *s = run->search;
	const MsPatternOwner *owner = &g_array_index(run->all->owners, MsPatternOwner, n);
	const MsKind *kind = ms_kinds_nth(s->kinds, owner->kind);
	MsMatch match;
	if (at < run->next[n])
		return;
	switch (ms_regex_at(
		run->all->patterns->pdata[n], s->fold->text, s->fold->len, at, &match)) {
	case MS_NO_MATCH: return;
	case MS_MATCH_LIMIT:
		ms_detect_gave_up(s, kind, MS_UNREAD_PATTERN, "the pattern gave up");
		return;
	case MS_MATCH: break;
	}
	run->next[n] = match.end;
	if (owner->label)
		by_label(s, owner->kind, match.start, match.end);
	else
		add_checked(s, kind, match.group_start, match.group_end, MS_BELIEF_SHAPE);
}

static bool may_match(const Run *run, guint n, gsize at, gsize figure)
{
	return figure < at + g_array_index(run->all->owners, MsPatternOwner, n).digit;
}

static void try_label(Run *run, const MsLabelled *label, gsize at)
{
	if (label->end == MS_DISPATCH_ASK) {
		try_pattern(run, label->pattern, at);
	} else if (at >= run->next[label->pattern]) {
		run->next[label->pattern] = label->end;
		by_label(run->search,
			g_array_index(run->all->owners, MsPatternOwner, label->pattern).kind, at,
			label->end);
	}
}

/* In the order of kinds.conf, which findings keep. */
static void try_both(Run *run, gsize at, const guint16 *shapes, guint n, const MsLabelled *labels,
	guint m)
{
	gsize figure = next_figure(run->search, at);
	for (guint i = 0, k = 0; i < n || k < m;) {
		bool shape = k == m || (i < n && shapes[i] < labels[k].pattern);
		if (!shape)
			try_label(run, &labels[k], at);
		else if (may_match(run, shapes[i], at, figure))
			try_pattern(run, shapes[i], at);
		i += shape;
		k += !shape;
	}
}

static void try_all(Run *run, gsize at)
{
	guint n;
	const guint16 *list = ms_dispatch_at(
		run->all->dispatch, run->search->fold->text, run->search->fold->len, at, &n);
	try_both(run, at, list, n, NULL, 0);
}

static void try_word(Run *run, const MsWord *word)
{
	MsLabelled labels[MS_DISPATCH_MAX];
	const Search *s = run->search;
	const MsDispatch *dispatch = run->all->dispatch;
	const MsFold *fold = s->fold;
	guint n, m = ms_dispatch_word(dispatch, fold->text, fold->len, word->from,
			 s->compact->text + word->start, word->end - word->start, labels);
	const guint16 *shapes = ms_dispatch_at(dispatch, fold->text, fold->len, word->from, &n);
	if (n + m > 0)
		try_both(run, word->from, shapes, n, labels, m);
}

/* No value begins within a word. */
static void by_pattern(Search *s)
{
	Run run = {s, ms_kinds_patterns(s->kinds), NULL};
	run.next = g_new0(gsize, run.all->patterns->len + 1);
	const MsDispatch *dispatch = run.all->dispatch;
	const MsCompact *compact = s->compact;
	const char *text = s->fold->text;
	gsize figure = 0;
	for (gsize i = 0; i < compact->n_words && !s->full;) {
		gsize until = MIN(compact->n_words, (i / BIG_STEP + 1) * BIG_STEP);
		if (i % BIG_STEP == 0 && !ms_budget_time(s->budget)) {
			ms_reading_unread(s->reading, s->span->where, MS_UNREAD_TIME,
				"the time for reading is over");
			break;
		}
		i = ms_dispatch_next(dispatch, text, s->fold->len, compact, i, until, &figure);
		if (i == until)
			continue;
		gsize at = ms_detect_word_start(s, i);
		for (gsize k = at; k > 0 && ms_dispatch_marked(dispatch, text[k - 1]); k--)
			try_all(&run, k - 1);
		try_word(&run, &compact->words[i++]);
	}
	g_free(run.next);
}

/* ---- fields --------------------------------------------------------------------------- */

bool ms_detect_is_field_of(const Search *s, const MsKind *kind)
{
	const char *term = s->span->type == MS_SPAN_FIELD ? s->span->term : NULL;
	for (guint i = 0; term != NULL && i < kind->fields->len; i++)
		if (strcmp(kind->fields->pdata[i], term) == 0)
			return true;
	return false;
}

/* "0088" and "4304171000002" of two attributes are one participant. */
static bool add_participant(Search *s, const MsKind *kind)
{
	const char *scheme = s->span->scheme, *why;
	if (kind->family != MS_FAMILY_PARTICIPANT || scheme == NULL || strlen(scheme) != 4
		|| strspn(scheme, "0123456789") != 4 || g_str_has_prefix(s->span->text, scheme))
		return false;
	g_autofree char *whole = g_strdup_printf(
		"%s:%.*s", scheme, (int)s->span->len, s->span->text);
	g_autofree char *value = ms_kind_canonical(kind, whole, strlen(whole), &why);
	return value != NULL &&
		ms_detect_add_value(
			s, kind, 0, s->fold->len, value, MS_BELIEF_FIELD | MS_BELIEF_SCHEME);
}

/* A field's whole value; of an address each run of lines, for the directory may have fewer. */
static void by_field(Search *s)
{
	for (guint i = 0; i < ms_kinds_count(s->kinds); i++) {
		const MsKind *kind = ms_kinds_nth(s->kinds, i);
		if (!ms_detect_is_field_of(s, kind))
			continue;
		Block block = {s, kind};
		s->company_register = s->span->scheme != NULL
			? ms_kind_register_of_scheme(s->span->scheme)
			: NULL;
		if (kind->block)
			ms_block_ranges(
				s->fold->text, s->fold->len, 0, false, add_block_range, &block);
		else if (!add_participant(s, kind))
			ms_detect_add(s, kind, 0, s->fold->len,
				MS_BELIEF_FIELD |
					(s->span->scheme != NULL && *s->span->scheme != '\0'
							? MS_BELIEF_SCHEME
							: 0));
	}
	s->company_register = NULL;
}

/* ---- the text as a whole -------------------------------------------------------------- */

/* Two mails that differ in whom they greet alone have one text. */
static void take_text(Search *s)
{
	const MsCompact *c = s->compact;
	gsize first = 0, last = 0;
	if (!is_text(s->span))
		return;
	while (first < c->n_words && c->words[first].from < s->greeting)
		first++;
	for (last = first; last < c->n_words && c->words[last].from < s->greeted;)
		last++;
	gsize from = first < c->n_words ? c->words[first].start : c->len;
	gsize until = last < c->n_words ? c->words[last].start : c->len;
	ms_reading_add_text(s->reading, s->span->face, c->text, from);
	ms_reading_add_text(s->reading, s->span->face, c->text + until, c->len - until);
}

static void take_greeting(Search *s)
{
	if (s->span->of != MS_OF_LETTER || s->span->type != MS_SPAN_TEXT)
		return;
	g_auto(MsGreeting) greeting = {0};
	ms_greeting_find(s->fold, &greeting);
	s->greeting = greeting.from;
	s->greeted = greeting.until;
	for (guint i = 0; i < greeting.names->len; i++)
		ms_reading_greet(s->reading, greeting.names->pdata[i]);
}

static void search(const MsKinds *kinds, const MsFilters *known, const MsSpan *span,
	MsBudget *budget, MsReading *reading, bool again);

static void in_spaced(const Search *s)
{
	gsize len = 0;
	g_autofree char *text = ms_detect_spaced(s, &len);
	if (text == NULL)
		return;
	if (!ms_budget_charge(s->budget, MS_COST_TEXT, len)) {
		ms_reading_unread(s->reading, s->span->where, MS_UNREAD_LIMIT,
			"more text than %s allows", ms_cost_name(MS_COST_TEXT));
		return;
	}
	MsSpan span = *s->span;
	span.type = span.type == MS_SPAN_FIELD ? MS_SPAN_TEXT : span.type;
	span.text = text;
	span.len = len;
	span.names = NULL;
	span.n_names = 0;
	search(s->kinds, s->known, &span, s->budget, s->reading, true);
}

/* `again`: a text that is there already, written otherwise. */
static void search(const MsKinds *kinds, const MsFilters *known, const MsSpan *span,
	MsBudget *budget, MsReading *reading, bool again)
{
	g_autoptr(MsFold) fold = ms_fold_new(span->text, span->len);
	g_autoptr(MsCompact) compact = ms_compact_new(fold->text, fold->len);
	g_autoptr(GArray) labels = g_array_new(FALSE, FALSE, sizeof(MsLabel));
	g_autoptr(GArray) named = g_array_new(FALSE, FALSE, sizeof(Named));
	g_autoptr(GArray) borders = g_array_new(FALSE, FALSE, sizeof(Border));
	g_autoptr(GArray) codes = ms_detect_codes();
	Search s = {.kinds = kinds,
		.known = known,
		.span = span,
		.fold = fold,
		.compact = compact,
		.budget = budget,
		.reading = reading,
		.labels = labels,
		.named = named,
		.borders = borders,
		.codes = codes};
	ms_detect_fill_words();
	s.figure.at = ms_scan_figure(fold->text, fold->len, 0);
	s.blank.at = ms_scan_blank(fold->text, fold->len, 0);
	s.cell.at = ms_scan_cell(fold->text, fold->len, 0);
	reading->searches++;
	if (!again) {
		take_greeting(&s);
		take_text(&s);
	}
	ms_detect_names(&s);
	if (span->type == MS_SPAN_FIELD)
		by_field(&s);
	by_pattern(&s);
	ms_detect_emails(&s);
	ms_detect_known(&s);
	ms_detect_within(&s);
	ms_detect_addresses(&s);
	g_clear_pointer(&s.looked_up, g_hash_table_unref);
	if (!again)
		in_spaced(&s);
}

void ms_detect(const MsKinds *kinds, const MsFilters *known, const MsSpan *span, MsBudget *budget,
	MsReading *reading)
{
	search(kinds, known, span, budget, reading, false);
}
