#include "config.h"

#include <string.h>

#include "missent/detect.h"
#include "missent/identifier.h"
#include "missent/text.h"

#include "block.h"

/*
 * Three ways to an identifier: its own shape (an IBAN), a label before it ("customer number:
 * 4711"), or a field of an e-invoice that is one by definition.  What stands after a label is read in more than one way, because numbers are written
 * with blanks and a label may stand in another cell; only the plainest reading is a finding by
 * itself, the others are tentative and count only if the directory knows them.
 */

#define WINDOW 65536       /* bytes searched between two looks at the clock */
#define MAX_AFTER_LABEL 4  /* values tried after one label */
#define MAX_LINE_VALUE 120

typedef struct {
	const MsKind *kind;
	const MsSpan *span;
	const MsFold *fold;
	MsBudget *budget;
	MsReading *reading;
} Search;

static bool gave_up(const Search *s, MsUnreadReason reason, const char *what)
{
	ms_reading_unread(s->reading, s->span->where, reason, "kind %s: %s", s->kind->name, what);
	return false;
}

/* Adds the finding if the text from start to end (in the fold) is a value of the kind. */
static bool add(const Search *s, gsize start, gsize end, guint belief)
{
	const char *why;
	gsize from = ms_fold_source(s->fold, start), to = ms_fold_source(s->fold, end);
	/* From the source: the fold has lost the accents, which count in some kinds' values. */
	g_autofree char *value = ms_kind_canonical(s->kind, s->span->text + from,
		MAX(to, from) - from, &why);
	if (value == NULL)
		return false;
	if (!ms_budget_charge(s->budget, MS_COST_FINDING, 1)
		|| !ms_budget_charge(s->budget, MS_COST_READING, 600)) {
		gave_up(s, MS_UNREAD_LIMIT, "more identifiers than max-findings allows");
		return false;
	}
	if (s->kind->check == MS_CHECK_IBAN || s->kind->check == MS_CHECK_LUHN)
		belief |= MS_BELIEF_CHECKED;
	/* What an e-invoice says of its sender and of the account to pay to. */
	if (s->span->party != NULL
		&& (strcmp(s->span->party, "seller") == 0 || strcmp(s->span->party, "payee") == 0))
		belief |= MS_BELIEF_SELLER;
	ms_reading_find(s->reading, s->kind->name, value, belief, s->span->face,
		ms_place_new(s->span->where, s->span->text, from, MAX(to, from), s->span->len));
	return true;
}

/* The next match that starts in [from, until); false when there is none or it gave up. */
static bool next_match(const Search *s, const MsRegex *regex, gsize from, gsize until, MsMatch *match)
{
	while (from < until) {
		if (!ms_budget_time(s->budget))
			return gave_up(s, MS_UNREAD_TIME, "the time for reading is over");
		gsize stop = MIN(until, from + WINDOW);
		switch (ms_regex_match(regex, s->fold->text, s->fold->len, from, stop - 1, match)) {
		case MS_MATCH: return true;
		case MS_MATCH_LIMIT: return gave_up(s, MS_UNREAD_PATTERN, "the pattern gave up");
		case MS_NO_MATCH: break;
		}
		from = stop;
		while (from < until && ((guchar)s->fold->text[from] & 0xc0) == 0x80)
			from++;
	}
	return false;
}

static void by_shape(const Search *s)
{
	for (guint i = 0; i < s->kind->patterns->len; i++) {
		const MsRegex *regex = g_ptr_array_index(s->kind->patterns, i);
		gsize from = 0;
		MsMatch match;
		while (next_match(s, regex, from, s->fold->len, &match)) {
			add(s, match.group_start, match.group_end, MS_BELIEF_SHAPE);
			from = MAX(match.end, match.start + 1);
			while (from < s->fold->len && ((guchar)s->fold->text[from] & 0xc0) == 0x80)
				from++;
		}
	}
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
static void by_line(const Search *s, gsize label_end)
{
	gsize limit = MIN(s->fold->len, label_end + s->kind->distance);
	gsize start = skip_separators(s->fold, label_end, limit, " \t\r\n:#.=>|*-");
	gsize end = start;
	while (end < s->fold->len && end - start < MAX_LINE_VALUE
		&& strchr("\t\r\n|", s->fold->text[end]) == NULL)
		end++;
	if (end == start || end - start >= MAX_LINE_VALUE)
		return;
	add(s, start, end, MS_BELIEF_LABELLED | MS_BELIEF_TENTATIVE);
}

static void by_label_pattern(const Search *s, gsize label_end)
{
	gsize until = MIN(s->fold->len, label_end + s->kind->distance);
	guint found = 0;
	for (guint i = 0; i < s->kind->patterns->len; i++) {
		const MsRegex *regex = g_ptr_array_index(s->kind->patterns, i);
		gsize from = label_end;
		MsMatch match;
		while (found < MAX_AFTER_LABEL && next_match(s, regex, from, until, &match)) {
			guint tentative = found > 0 ? MS_BELIEF_TENTATIVE : 0;
			found += add(s, match.group_start, match.group_end,
				MS_BELIEF_LABELLED | tentative);
			from = MAX(match.end, match.start + 1);
		}
	}
}

static void add_block_range(gsize start, gsize end, void *user)
{
	add(user, start, end, MS_BELIEF_LABELLED | MS_BELIEF_TENTATIVE);
}

static void by_label(const Search *s)
{
	gsize from = 0;
	MsMatch label;
	while (next_match(s, s->kind->labels, from, s->fold->len, &label)) {
		if (s->kind->block) {
			gsize start = skip_separators(s->fold, label.end, s->fold->len, " \t\r:.=-");
			ms_block_ranges(s->fold->text, s->fold->len, start, add_block_range, (void *)s);
		} else {
			by_label_pattern(s, label.end);
			by_line(s, label.end);
		}
		from = label.end > from ? label.end : from + 1;
	}
}

static bool is_field_of(const MsKind *kind, const char *term)
{
	for (guint i = 0; i < kind->fields->len; i++)
		if (strcmp(kind->fields->pdata[i], term) == 0)
			return true;
	return false;
}

/* A field's whole value; of an address each run of lines, for the directory may have fewer. */
static void by_field(const Search *s)
{
	if (s->kind->block)
		ms_block_ranges(s->fold->text, s->fold->len, 0, add_block_range, (void *)s);
	else
		add(s, 0, s->fold->len, MS_BELIEF_FIELD
			| (s->span->scheme != NULL && *s->span->scheme != '\0' ? MS_BELIEF_SCHEME : 0));
}

void ms_detect(const MsKinds *kinds, const MsSpan *span, MsBudget *budget, MsReading *reading)
{
	g_autoptr(MsFold) fold = ms_fold_new(span->text, span->len);
	for (guint i = 0; i < ms_kinds_count(kinds); i++) {
		Search search = {ms_kinds_nth(kinds, i), span, fold, budget, reading};
		if (span->type == MS_SPAN_FIELD && is_field_of(search.kind, span->term))
			by_field(&search);
		if (!search.kind->label_required && !search.kind->block)
			by_shape(&search);
		if (search.kind->labels != NULL)
			by_label(&search);
	}
}
