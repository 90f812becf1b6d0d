/*
 * Lists as programs print them for paper: a line of names that blanks set apart, perhaps a line of
 * dashes, and below each name its values.  In comes such text; out go the stretches below a name
 * that is a label of a kind.  Tables with tabs or marks between their cells are names.c's.  The
 * worker's one thread.
 */
#include "config.h"

#include <string.h>

#include "missent/scan.h"

#include "detect_private.h"

#define MAX_CELLS 24
#define MAX_NAME 40
#define MAX_LINE 400
#define MAX_ROWS 2000
#define LINES_STEP 64 /* between two looks at the clock */
#define MIN_COLUMNS 3 /* of a list that has other lines in it */
#define MAX_OTHERS 2

typedef struct {
	gsize start, end; /* in the fold */
} Cell;

static bool is_between(char c)
{
	return c == ' ' || c == '|' || c == '\r';
}

/* What two blanks or a bar set apart. */
static guint cut(const char *text, gsize from, gsize until, Cell *cells)
{
	guint n = 0;
	while (from < until && n < MAX_CELLS) {
		while (from < until && is_between(text[from]))
			from++;
		gsize end = from;
		while (end < until && (!is_between(text[end]) ||
					      (text[end] == ' ' && end + 1 < until &&
						      !is_between(text[end + 1]))))
			end++;
		if (end > from)
			cells[n++] = (Cell){from, end};
		from = end;
	}
	return n;
}

bool ms_detect_is_rule(const char *text, gsize from, gsize until)
{
	gsize marks = 0;
	while (from < until && strchr("> ", text[from]) != NULL && text[from] != '\0')
		from++;
	for (; from < until; from++) {
		if (strchr("-=_+*", text[from]) != NULL && text[from] != '\0')
			marks++;
		else if (!g_ascii_isspace(text[from]) && text[from] != '|')
			return false;
	}
	return marks >= 3;
}

#define MIN_DIGITS 3 /* one after the other in a value */

/* Digits as many as a value has, that are no year. */
static bool has_number(const char *text, gsize len)
{
	for (gsize i = 0, n; i < len; i += n + 1) {
		for (n = 0; i + n < len && g_ascii_isdigit(text[i + n]); n++)
			continue;
		if (n >= MIN_DIGITS && !ms_detect_is_year(text + i, n))
			return true;
	}
	return false;
}

/* "Customer no.    4711": then the name is that value's alone.  Heads have figures too: "0-30 |
 * 31-60", "Q3/2026", "8400 | 8300", a date. */
static bool has_value(const MsFold *fold, const Cell *cell, const Cell *next)
{
	const char *text = fold->text + cell->start;
	gsize len = cell->end - cell->start;
	bool figures = next != NULL &&
		ms_has_digit(fold->text + next->start, next->end - next->start);
	return has_number(text, len) && memchr(text, ' ', len) == NULL && !figures &&
		ms_detect_of_date(fold, cell->start, cell->end) != MS_DATED_WHOLE;
}

/* "Customer no.:   Date:" */
static bool have_colons(const char *text, const Cell *cells, guint n)
{
	while (n > 0 && text[cells[n - 1].end - 1] == ':')
		n--;
	return n == 0;
}

static guint read_head(Search *s, const Cell *cells, guint n, const MsNameKinds **kinds)
{
	const char *text = s->fold->text;
	guint labels = 0;
	bool colons = have_colons(text, cells, n);
	for (guint i = 0; i < n; i++) {
		gsize len = cells[i].end - cells[i].start - colons;
		kinds[i] = NULL;
		if (len < 2 || len > MAX_NAME || ms_has_digit(text + cells[i].start, len) ||
			memchr(text + cells[i].start, ':', len) != NULL ||
			memchr(text + cells[i].start, '/', len) != NULL)
			continue;
		kinds[i] = ms_detect_kinds_named(s, text + cells[i].start, len);
		if (kinds[i] != NULL && i + 1 < n &&
			has_value(s->fold, &cells[i + 1], i + 2 < n ? &cells[i + 2] : NULL))
			kinds[i] = NULL;
		labels += kinds[i] != NULL;
	}
	return labels;
}

typedef struct {
	gsize line; /* where it begins */
	guint n;
	Cell cells[MAX_CELLS];
	const MsNameKinds *kinds[MAX_CELLS];
} Head;

static bool has_digit(const char *text, const Cell *cell)
{
	return ms_has_digit(text + cell->start, cell->end - cell->start);
}

/* Is the `k`th of `n` cells below the `i`th head?  Where a row has as many cells as its heads are,
 * they are counted, for not all that set blanks between them count those as well; but what is flush
 * with a head is its own, too, as a name may have a gap in it, unless bars say where it ends. */
static bool is_below(const char *text, const Head *head, guint i, gsize line, const Cell *cells,
	guint k, guint n)
{
	gsize from = head->cells[i].start - head->line, until = head->cells[i].end - head->line;
	gsize start = cells[k].start - line, end = cells[k].end - line;
	if (n == head->n)
		return k == i ||
			((start == from || end == until) &&
				memchr(text + line, '|', cells[n - 1].end - line) == NULL);
	return start < until && end > from;
}

/* Names what stands in the columns; whether it has a digit in one of them. */
static bool read_row(Search *s, const Head *head, gsize line, const Cell *cells, guint n)
{
	bool digits = false;
	for (guint i = 0; i < head->n; i++) {
		for (guint k = 0; head->kinds[i] != NULL && k < n; k++) {
			if (!is_below(s->fold->text, head, i, line, cells, k, n))
				continue;
			ms_detect_add_named(s, head->kinds[i], cells[k].start, cells[k].end);
			digits = digits || has_digit(s->fold->text, &cells[k]);
		}
	}
	return digits;
}

gsize ms_detect_skip_blank_line(const char *text, gsize len, gsize at)
{
	gsize end = at;
	while (end < len && (text[end] == ' ' || text[end] == '\r'))
		end++;
	return end < len && text[end] == '\n' ? end + 1 : at;
}

gsize ms_detect_line_end(const char *text, gsize len, gsize at)
{
	const char *nl = memchr(text + at, '\n', len - at);
	return nl != NULL ? (gsize)(nl - text) : len;
}

/* The lines below a head; where the first one stands that is none.  Few that are none may be
 * between ("February"), and in a head; what is behind them begins as the lines above do. */
static gsize read_rows(Search *s, const Head *head, gsize at)
{
	const char *text = s->fold->text;
	gsize len = s->fold->len, behind = at;
	guint others = 0, above = 0;
	bool led = false, closed = false;
	gsize first = ms_detect_skip_blank_line(text, len, at);
	bool spaced = first > at;
	at = first;
	for (guint rows = 1; at < len && rows < MAX_ROWS && !s->full; rows++) {
		gsize end = ms_detect_line_end(text, len, at);
		Cell cells[MAX_CELLS];
		if (rows % LINES_STEP == 0 && !ms_budget_time(s->budget))
			return len; /* by_pattern() notes it */
		guint n = end - at <= MAX_LINE ? cut(text, at, end, cells) : 0;
		bool leads = n > 0 && has_digit(text, &cells[0]);
		bool like = others == 0 || above == 0 || (n == above && leads == led);
		if (ms_detect_is_rule(text, at, end)) {
			behind = end + 1;
		} else if (n > 1 && like) {
			bool digits = read_row(s, head, at, cells, n);
			for (guint i = 0; digits && !closed && i < head->n; i++)
				if (head->kinds[i] != NULL)
					ms_detect_close_head(
						s, head->cells[i].start, head->cells[i].end);
			closed = closed || digits;
			others = 0;
			above = n;
			led = leads;
			behind = end + 1;
		} else if (n > 1 || head->n < MIN_COLUMNS || ++others > MAX_OTHERS) {
			break;
		}
		at = spaced && end < len ? ms_detect_skip_blank_line(text, len, end + 1) : end + 1;
	}
	return behind;
}

/* ---- heads of two lines ---- */

/* "Customer" above "number", "Kunden-" above "nummer". */
static const MsNameKinds *kinds_of_two(Search *s, const Cell *above, const Cell *below)
{
	const char *text = s->fold->text;
	gsize end = above->end - (text[above->end - 1] == '-');
	if (below->end - below->start + above->end - above->start > MAX_NAME)
		return NULL;
	g_autofree char *name = g_strdup_printf("%.*s%s%.*s", (int)(end - above->start),
		text + above->start, end < above->end ? "" : " ",
		(int)(below->end - below->start), text + below->start);
	return ms_detect_kinds_named(s, name, strlen(name));
}

/* Adds what a line of names says together with the next one; where what is below them begins. */
static gsize join_heads(Search *s, Head *head, gsize next)
{
	const char *text = s->fold->text;
	gsize end = ms_detect_line_end(text, s->fold->len, next);
	Cell cells[MAX_CELLS];
	bool joined = false;
	if (end - next > MAX_LINE || ms_has_digit(text + head->line, end - head->line) ||
		ms_detect_is_rule(text, next, end))
		return next;
	guint n = cut(text, next, end, cells);
	for (guint i = 0; i < head->n && n + head->n > 2; i++) {
		for (guint k = 0; k < n; k++) {
			gsize from = cells[k].start - next, until = cells[k].end - next;
			if (from >= head->cells[i].end - head->line ||
				until <= head->cells[i].start - head->line)
				continue;
			const MsNameKinds *both = kinds_of_two(s, &head->cells[i], &cells[k]);
			if (both == NULL)
				continue;
			head->kinds[i] = both;
			head->cells[i].start = MIN(head->cells[i].start, head->line + from);
			head->cells[i].end = MAX(head->cells[i].end, head->line + until);
			joined = true;
			break;
		}
	}
	return joined ? end + 1 : next;
}

void ms_detect_columns(Search *s)
{
	const char *text = s->fold->text;
	gsize len = s->fold->len, lines = 0;
	for (gsize from = 0; !s->full;) {
		gsize at = ms_scan_pair(text, len, from, "  ");
		if (at == len || (++lines % LINES_STEP == 0 && !ms_budget_time(s->budget)))
			return;
		const char *nl = memrchr(text + from, '\n', at - from);
		Head head = {.line = nl != NULL ? (gsize)(nl + 1 - text) : from};
		gsize end = ms_detect_line_end(text, len, at);
		from = end < len ? end + 1 : len;
		if (end - head.line < 8 || end - head.line > MAX_LINE)
			continue;
		head.n = cut(text, head.line, end, head.cells);
		guint labels = read_head(s, head.cells, head.n, head.kinds);
		gsize below = join_heads(s, &head, from);
		if (below > from || (head.n >= 2 && labels > 0))
			from = read_rows(s, &head, MIN(below, len));
	}
}
