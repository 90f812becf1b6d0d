/*
 * In comes a span whose stretches the document names (span.h), or plain text with tables in it;
 * out go the stretches that a label of a kind names, and what may be a value in them.
 *
 * A name vouches for its stretch alone, and text that looks like a label does not reach beyond
 * the stretch it stands in: else the name of one field would label the next.  Only where a
 * stretch is nothing but a label ("<Name>Customer number</Name><Value>4711</Value>") it is the
 * label of the next one in the same object, or of what in it is a value or a number by its name.
 *
 * Tables are lines with equally many cells below one in which a cell is nothing but a label.  The
 * worker's one thread.
 */
#include "config.h"

#include <string.h>

#include "missent/scan.h"

#include "detect_private.h"

#define MAX_CELL 60   /* bytes of a head's cell */
#define MAX_CELLS 200 /* of one line */
#define MAX_VALUE 300 /* bytes of a stretch that is taken as one value */
#define MAX_SERIES 12 /* bytes of what a number is of */
#define NEAR_SERIES 4 /* stretches */
#define LINES_STEP 64 /* between two looks at the clock */
#define MIN_TURNED 3  /* columns of numbers with other names */
#define MAX_OTHERS 2  /* lines in a table that are no rows */
#define MANY_NAMES 20000

/* ---- stretches ------------------------------------------------------------------------ */

const MsNameKinds *ms_detect_kinds_named(Search *s, const char *name, gsize len)
{
	gpointer kinds;
	g_autofree char *key = g_strndup(name, len);
	if (s->looked_up == NULL)
		s->looked_up = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (!g_hash_table_lookup_extended(s->looked_up, key, NULL, &kinds)) {
		kinds = (gpointer)ms_kinds_named(s->kinds, key);
		/* The table is no place for all that a text can make. */
		if (g_hash_table_size(s->looked_up) < MANY_NAMES)
			g_hash_table_insert(s->looked_up, g_steal_pointer(&key), kinds);
	}
	return kinds;
}

void ms_detect_add_named(Search *s, const MsNameKinds *kinds, gsize start, gsize end)
{
	for (guint i = 0; i < kinds->n && !s->full; i++) {
		Named named = {start, end, kinds->kinds[i]};
		g_array_append_val(s->named, named);
	}
}

static void take_named(Search *s)
{
	for (guint i = 0; i < s->named->len && !s->full; i++) {
		const Named *named = &g_array_index(s->named, Named, i);
		if (i % LINES_STEP == 0 &&
			!ms_detect_in_time(s, ms_kinds_nth(s->kinds, named->kind)))
			return;
		if (named->end - named->start <= MAX_VALUE)
			ms_detect_after_label(s, named->kind, named->start, named->end);
	}
}

/* The first word at or behind an offset of the source, from `word` on. */
static gsize word_at(const Search *s, gsize word, gsize source)
{
	while (word < s->compact->n_words &&
		ms_fold_source(s->fold, ms_detect_word_start(s, word)) < source)
		word++;
	return word;
}

static bool has_any(const char *name, const char *const *parts)
{
	while (*parts != NULL && strstr(name, *parts) == NULL)
		parts++;
	return *parts != NULL;
}

/* <Key>customer_no</Key><Value>4711</Value>: what a stretch says that is nothing but a name. */
static const MsNameKinds *said_by(Search *s, const MsNamed *name)
{
	const char *text = s->span->text + name->from;
	gsize len = name->until - name->from;
	if (len < 3 || len > MAX_CELL || ms_has_digit(text, len))
		return NULL;
	return ms_detect_kinds_named(s, text, len);
}

/* What a name says, asked once of each: equal ones are kept once. */
typedef struct {
	const MsNameKinds *kinds;
	bool value, series;
} Called;

static const Called *called(const Search *s, GHashTable *seen, const char *name)
{
	static const char *const values[] = {
		"val", "wert", "text", "testo", "content", "data", NULL};
	static const char *const series[] = {"serie", "seria", NULL};
	static const char *const serial[] = {"serial", NULL};
	Called *c = g_hash_table_lookup(seen, name);
	if (c != NULL)
		return c;
	const char *last = strrchr(name, '/');
	g_autofree char *own = g_ascii_strdown(last != NULL ? last + 1 : name, -1);
	c = g_new(Called, 1);
	*c = (Called){ms_kinds_named(s->kinds, name), has_any(own, values),
		has_any(own, series) && !has_any(own, serial)};
	g_hash_table_insert(seen, (gpointer)name, c);
	return c;
}

/* Of an object: what something in it says that its value is. */
typedef struct {
	const MsNameKinds *kinds;
	bool valued; /* it has a value of that name, or is an element with text */
} Said;

static Said *said_in(GHashTable *objects, guint object)
{
	Said *said = g_hash_table_lookup(objects, GUINT_TO_POINTER(object));
	if (said == NULL) {
		said = g_new0(Said, 1);
		g_hash_table_insert(objects, GUINT_TO_POINTER(object), said);
	}
	return said;
}

/* `says_out`: what each stretch says. */
static GHashTable *read_objects(Search *s, GHashTable *seen, const MsNameKinds **says_out)
{
	GHashTable *objects = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	for (gsize i = 0; i < s->span->n_names; i++) {
		const MsNamed *name = &s->span->names[i];
		says_out[i] = said_by(s, name);
		if (says_out[i] != NULL)
			said_in(objects, name->group)->kinds = says_out[i];
		else if (name->own != name->group || called(s, seen, name->name)->value)
			said_in(objects, name->own)->valued = true;
	}
	return objects;
}

/* {"value": 4711, "propertyID": "customer_no"}, <ID schemeName="Customer number">4711</ID>,
 * {"type": "customers", "id": 4711}: wherever in its object it stands, unless it is long.
 * `known`: its own name says something, which an attribute of the element only adds to. */
static const MsNameKinds *said_of(
	GHashTable *objects, const MsNamed *name, bool value, bool known)
{
	const Said *own = g_hash_table_lookup(objects, GUINT_TO_POINTER(name->own));
	const Said *said = g_hash_table_lookup(objects, GUINT_TO_POINTER(name->group));
	if (name->until - name->from > MAX_CELL)
		return NULL;
	if (name->own != name->group && own != NULL && own->kinds != NULL)
		return own->kinds;
	return !known && said != NULL && said->kinds != NULL &&
			(value || (!said->valued && ms_name_is_number(name->name)))
		? said->kinds
		: NULL;
}

/* The number may be before its series, or behind it. */
static void add_series(Search *s, gsize series)
{
	const MsNamed *names = s->span->names;
	g_autofree char *text = ms_compact_of(
		s->span->text + names[series].from, names[series].until - names[series].from);
	gsize first = series > NEAR_SERIES ? series - NEAR_SERIES : 0;
	for (gsize i = first; i < s->span->n_names && i <= series + NEAR_SERIES; i++) {
		if (i == series || names[i].group != names[series].group ||
			names[i].until - names[i].from > MAX_CELL)
			continue;
		g_autofree char *number = ms_compact_of(
			s->span->text + names[i].from, names[i].until - names[i].from);
		gsize word = word_at(s, 0, names[i].from);
		if (ms_has_digit(number, strlen(number)) && word < s->compact->n_words)
			ms_detect_add_both(s, ms_detect_word_start(s, word),
				ms_detect_word_end(s, word), text, strlen(text), number,
				strlen(number));
	}
}

static void by_stretches(Search *s)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	g_autofree const MsNameKinds **says = g_new(const MsNameKinds *, s->span->n_names);
	g_autoptr(GHashTable) objects = read_objects(s, seen, says);
	gsize word = 0;
	const MsNameKinds *said = NULL;
	guint group = 0;
	for (gsize i = 0; i < s->span->n_names; i++) {
		const MsNamed *name = &s->span->names[i];
		word = word_at(s, word, name->from);
		gsize behind = word_at(s, word, name->until);
		if (behind == word)
			continue;
		Border border = {ms_detect_word_start(s, word), ms_detect_word_end(s, behind - 1),
			name->group};
		g_array_append_val(s->borders, border);
		const Called *its = called(s, seen, name->name);
		const MsNameKinds *kinds = its->kinds;
		if (kinds == NULL && said != NULL && group == name->group && its->value)
			kinds = said;
		/* A word is a sample, or a type, more often than a number. */
		const MsNameKinds *also =
			ms_has_digit(s->fold->text + border.start, border.end - border.start)
			? said_of(objects, name, its->value, kinds != NULL)
			: NULL;
		if (kinds != NULL)
			ms_detect_add_named(s, kinds, border.start, border.end);
		if (also != NULL && also != kinds)
			ms_detect_add_named(s, also, border.start, border.end);
		if (its->series && name->until - name->from <= MAX_SERIES &&
			ms_filters_any(s->known))
			add_series(s, i);
		said = says[i];
		group = name->group;
		word = behind;
	}
}

/* The last element of an array, ordered by its first member (a gsize), that begins at `at` or
 * before; -1: none. */
static gint64 last_before(const GArray *array, gsize size, gsize at)
{
	gint64 low = -1, high = array->len;
	while (high - low > 1) {
		gint64 mid = low + (high - low) / 2;
		gsize start;
		memcpy(&start, array->data + (gsize)mid * size, sizeof start);
		if (start <= at)
			low = mid;
		else
			high = mid;
	}
	return low;
}

bool ms_detect_is_named(const Search *s, guint kind, gsize start, gsize end)
{
	for (gint64 i = last_before(s->named, sizeof(Named), start); i >= 0; i--) {
		const Named *named = &g_array_index(s->named, Named, i);
		if (named->end <= start)
			return false;
		if (named->kind == kind)
			return named->end >= end;
	}
	return false;
}

bool ms_detect_is_cell(const Search *s, gsize start, gsize end)
{
	gint64 i = last_before(s->named, sizeof(Named), start);
	const Named *named = i >= 0 ? &g_array_index(s->named, Named, i) : NULL;
	return named != NULL && named->start == start && named->end == end;
}

gsize ms_detect_reach(const Search *s, gsize start, gsize end)
{
	gint64 i = last_before(s->borders, sizeof(Border), start);
	if (i < 0)
		return s->fold->len;
	const Border *border = &g_array_index(s->borders, Border, i);
	if (start >= border->end) /* between two stretches */
		return s->fold->len;
	bool whole = border->start == start && border->end <= end + 2;
	const Border *next = (guint)i + 1 < s->borders->len ? border + 1 : NULL;
	return whole && next != NULL && next->group == border->group ? next->end
								     : MAX(border->end, end);
}

/* ---- tables --------------------------------------------------------------------------- */

/* What sets cells apart in place of a tab alone: each row ends with one. */
#define ROWS_END '\v'

typedef struct {
	gsize start, end; /* in the fold */
} Cell;

static void trim(const char *text, Cell *cell)
{
	while (cell->start < cell->end && strchr(" \r\"'", text[cell->start]) != NULL &&
		text[cell->start] != '\0')
		cell->start++;
	while (cell->end > cell->start && strchr(" \r\"':", text[cell->end - 1]) != NULL &&
		text[cell->end - 1] != '\0')
		cell->end--;
}

/* What cites a line, or indents it, is in none of its cells. */
static gsize skip_quoting(const char *text, gsize len, gsize at, char separator)
{
	while (at < len && (strchr("> ", text[at]) != NULL || text[at] == '\t') &&
		text[at] != separator && text[at] != '\0')
		at++;
	return at;
}

/* The cells of the line at `*at`, which is moved to the next line.  A quoted cell may have the
 * separator and line ends within, and one of a document, whose rows end with a tab each, line ends.
 * A line with more cells than `most` is not read to its end. */
static guint cut_line(
	const char *text, gsize len, gsize *at, char separator, guint most, Cell *cells)
{
	guint n = 0;
	bool quoted = false, tabs = separator == ROWS_END;
	separator = tabs ? '\t' : separator;
	gsize start = skip_quoting(text, len, *at, separator), i = start;
	for (;; i++) {
		bool within = (quoted || (tabs && i > start)) && i - start < MAX_VALUE;
		bool end = i >= len || (text[i] == '\n' && !within);
		if (i < len && text[i] == '"' && separator != '\t')
			quoted = !quoted;
		if (!end && (text[i] != separator || quoted))
			continue;
		if (n < MAX_CELLS) {
			cells[n] = (Cell){start, i};
			trim(text, &cells[n++]);
		}
		start = i + 1;
		if (end || n > most)
			break;
	}
	*at = i + 1;
	return n;
}

/* Marks that words have beside them, too, by their places in this; 0: none. */
static const guint8 marks[256] = {[','] = 1, ['~'] = 2, ['^'] = 3, [':'] = 4, ['#'] = 5, ['!'] = 6,
	['$'] = 7, ['*'] = 8, ['\\'] = 9, ['/'] = 10};
#define MARKS 11 /* with none */

bool ms_detect_sets_apart(char c)
{
	return marks[(guchar)c] > 0;
}

static void count_marks(const char *text, gsize from, gsize until, guint counts[static MARKS])
{
	for (; from < until; from++)
		counts[marks[(guchar)text[from]]]++;
}

/* One of them sets cells apart if the next line has as many, and a number. */
static char rare_separator(const char *text, gsize len, gsize from, gsize until)
{
	guint here[MARKS] = {0}, below[MARKS] = {0};
	gsize next = MIN(until + 1, len);
	const char *nl = memchr(text + next, '\n', len - next);
	gsize end = nl != NULL ? (gsize)(nl - text) : len;
	if (ms_scan_figure(text, end, next) == end)
		return '\0';
	count_marks(text, from, until, here);
	count_marks(text, next, end, below);
	for (gsize i = from; i < until; i++) {
		guint mark = marks[(guchar)text[i]];
		if (mark > 0 && here[mark] > 1)
			return here[mark] == below[mark] ? text[i] : '\0';
	}
	return '\0';
}

/* The separator of a line that may be a head; 0: none.  Prose has commas too, and blanks behind
 * them. */
static char separator_of(const char *text, gsize len, gsize from, gsize until)
{
	static const char all[] = "\t;|";
	for (gsize k = 0; all[k] != '\0'; k++)
		if (memchr(text + from, all[k], until - from) != NULL)
			return all[k];
	const char *at = text + from, *end = text + until;
	for (; (at = memchr(at, ',', (gsize)(end - at))) != NULL; at++)
		if (at + 1 < end && at[1] == ' ')
			break;
	bool comma = at == NULL && memchr(text + from, ',', until - from) != NULL;
	return comma && text[until - 1] != ',' ? ',' : rare_separator(text, len, from, until);
}

/* A line with a number is no head, but has a label and its value side by side. */
static bool has_number(const char *text, const Cell *cell)
{
	guint digits = 0;
	for (gsize i = cell->start; i < cell->end; i++)
		digits += g_ascii_isdigit(text[i]);
	return digits >= 3;
}

/* Three digits in a row are in one cell, so that the line need not be cut. */
static bool has_number_in(const char *text, gsize from, gsize until)
{
	for (; (from = ms_scan_figure(text, until, from)) + 2 < until; from++)
		if (g_ascii_isdigit(text[from]) && g_ascii_isdigit(text[from + 1]) &&
			g_ascii_isdigit(text[from + 2]))
			return true;
	return false;
}

/* What the cells of a head label; NULL where nothing.  How many do.  `prose`: the separator is one
 * of sentences too. */
static guint read_head(
	const Search *s, const Cell *cells, guint n, bool prose, const MsNameKinds **kinds)
{
	guint labels = 0;
	for (guint i = 0; i < n; i++) {
		gsize len = cells[i].end - cells[i].start;
		kinds[i] = NULL;
		if (has_number(s->fold->text, &cells[i]) || (len > MAX_CELL && prose))
			return 0;
		if (len < 2 || len > MAX_CELL || g_ascii_isdigit(s->fold->text[cells[i].start]))
			continue;
		g_autofree char *name = g_strndup(s->fold->text + cells[i].start, len);
		if (strchr(name, '/') == NULL)
			kinds[i] = ms_kinds_named(s->kinds, name);
		labels += kinds[i] != NULL;
	}
	return labels;
}

/* A name of a document's table that is above several columns is in the first of them; but by itself
 * it is of what should stand beside it. */
static void spread(const Cell *head, guint n, const MsNameKinds **kinds)
{
	guint names = 0;
	for (guint i = 0; i < n; i++)
		names += head[i].end > head[i].start;
	for (guint i = 1; i < n && names > 1; i++)
		if (head[i].start == head[i].end)
			kinds[i] = kinds[i - 1];
}

void ms_detect_close_head(Search *s, gsize start, gsize end)
{
	Border border = {start, end, s->borders->len};
	g_array_append_val(s->borders, border);
}

typedef struct {
	Cell cells[MAX_CELLS];
	guint n;
} Row;

static bool has_digit(const char *text, const Row *row, guint i)
{
	return i < row->n &&
		ms_has_digit(
			text + row->cells[i].start, row->cells[i].end - row->cells[i].start);
}

/* The only cell with something in it; `n`: none, or several have. */
static guint only_cell(const Cell *cells, guint n)
{
	guint only = n;
	for (guint i = 0; i < n; i++) {
		if (cells[i].end == cells[i].start)
			continue;
		if (only < n)
			return n;
		only = i;
	}
	return only;
}

/* Different words in a line, and none is a value's. */
static bool is_all_names(const char *text, const Row *row, guint n)
{
	const Cell *cells = row->cells;
	for (guint i = 0; i < n; i++) {
		gsize len = cells[i].end - cells[i].start;
		if (len < 2 || len > MAX_CELL || has_digit(text, row, i))
			return false;
		for (guint k = 0; k < i; k++)
			if (cells[k].end - cells[k].start == len &&
				memcmp(text + cells[k].start, text + cells[i].start, len) == 0)
				return false;
	}
	return true;
}

/* How many cells it has without what may be behind its last separator. */
static guint without_last(const Row *row)
{
	const Cell *last = &row->cells[row->n - 1];
	return row->n - (row->n > 1 && last->start == last->end);
}

/* Does a line end a column that stands by itself?  One of several names heads another table, one
 * with another name in it has values of its own, and one without a number may be such a name,
 * unless numbers stood below each other. */
static bool ends_column(const Search *s, const Row *row, guint only, bool list)
{
	if (without_last(row) > 1 && is_all_names(s->fold->text, row, without_last(row)))
		return true;
	if (only >= row->n || only_cell(row->cells, row->n) != only)
		return false;
	const Cell *cell = &row->cells[only];
	gsize len = cell->end - cell->start;
	if (len < 2 || len > MAX_CELL)
		return false;
	g_autofree char *name = g_strndup(s->fold->text + cell->start, len);
	return (!list && !has_digit(s->fold->text, row, only)) ||
		ms_kinds_named(s->kinds, name) != NULL;
}

/* Do numbers above a line of names, and numbers below it, say that it heads another table, the one
 * column too?  A line that says nothing ("n/a | n/a | - | Meyer") ends none. */
static bool is_next_head(const Search *s, const Row *above, const Row *row, gsize next,
	char separator, guint n, const MsNameKinds *const *kinds)
{
	const char *text = s->fold->text;
	guint turned = 0, whole = without_last(row);
	Row below;
	if (!is_all_names(text, row, whole) || next >= s->fold->len)
		return false;
	below.n = cut_line(text, s->fold->len, &next, separator, n + 1, below.cells);
	for (guint i = 0; i < n; i++) {
		bool turns = i < whole && has_digit(text, above, i) && has_digit(text, &below, i);
		if (kinds[i] != NULL && !turns)
			return false;
		turned += turns;
	}
	return turned >= MIN_TURNED;
}

/* Has a line as many cells as its head?  A last separator may be left out, but not the only one. */
static bool is_row(guint got, const Cell *head, guint n)
{
	bool only = got == 1 && n == 2 && head[1].end > head[1].start;
	return got + 1 >= n && got <= n + 1 && !only;
}

/* Is a line with fewer or more cells one of the table, or the first one behind a line that is none
 * ("February", "Total: 3")?  It begins as the row above it does, with a number or without, and
 * names nothing. */
static bool goes_on(const Search *s, const Row *above, const Row *row, char separator, guint n)
{
	const char *text = s->fold->text;
	guint first = row->cells[0].start == row->cells[0].end; /* "| 4711 | ..." */
	if (n < MIN_TURNED || row->n < 2 ||
		(separator == ',' && !is_row(row->n, row->cells, n)))
		return false;
	return !is_all_names(text, row, without_last(row)) &&
		(above->n == 0 ||
			has_digit(text, above, first) == has_digit(text, row, first));
}

/* Names what stands in the columns; whether it has a digit in one of them. */
static bool read_row(Search *s, const Row *row, guint n, const MsNameKinds *const *kinds)
{
	bool digits = false;
	for (guint i = 0; i < MIN(row->n, n); i++) {
		const Cell *cell = &row->cells[i];
		if (kinds[i] == NULL || cell->end == cell->start)
			continue;
		ms_detect_add_named(s, kinds[i], cell->start, cell->end);
		digits = digits || has_digit(s->fold->text, row, i);
	}
	return digits;
}

/* The lines below a head that have as many cells.  Rules, a line that is empty and few that are no
 * rows may be between; where the first one stands that is no more of the table. */
static gsize read_rows(Search *s, gsize at, char separator, const Cell *head, guint n,
	const MsNameKinds *const *kinds)
{
	const char *text = s->fold->text;
	gsize len = s->fold->len, end = at;
	Row above = {.n = 0}, row;
	bool closed = false, list = false;
	guint others = 0, only = only_cell(head, n);
	n = MIN(n, MAX_CELLS - 2);
	if (separator == '\t' && at > 1 && text[at - 2] == '\t')
		separator = ROWS_END;
	gsize first = ms_detect_skip_blank_line(text, len, at);
	bool spaced = first > at;
	at = first;
	for (guint lines = 1; at < len && !s->full; lines++) {
		gsize next = at;
		if (lines % LINES_STEP == 0 && !ms_budget_time(s->budget))
			return len; /* by_pattern() notes it */
		row.n = cut_line(text, len, &next, separator, n + 1, row.cells);
		if (ms_detect_is_rule(text, at, MIN(next - 1, len))) {
			at = next;
			continue;
		}
		if ((only < n && ends_column(s, &row, only, list)) ||
			is_next_head(s, &above, &row, next, separator, n, kinds))
			break;
		if ((others > 0 || !is_row(row.n, head, n)) &&
			!goes_on(s, &above, &row, separator, n)) {
			if (n < MIN_TURNED || row.n > 1 || ++others > MAX_OTHERS)
				break;
			at = next;
			continue;
		}
		if (read_row(s, &row, n, kinds) && !closed) {
			for (guint i = 0; i < n; i++)
				if (kinds[i] != NULL)
					ms_detect_close_head(s, head[i].start, head[i].end);
			closed = true;
		}
		list = list || (has_digit(text, &above, only) && has_digit(text, &row, only));
		others = 0;
		above = row;
		end = next;
		at = spaced && next < len ? ms_detect_skip_blank_line(text, len, next) : next;
	}
	return end;
}

/* ---- heads of several lines ---- */

#define MAX_WRAPPED 4 /* lines */

/* Where the row begins that ends with the line at `at`; each ends with a tab, and a head has no
 * number. */
static gsize row_start(const char *text, gsize at)
{
	gsize from = at;
	for (guint i = 0; i < MAX_WRAPPED && from > 1; i++) {
		const char *nl = memrchr(text, '\n', from - 1);
		gsize before = nl != NULL ? (gsize)(nl + 1 - text) : 0;
		if (strchr("\t\n", text[from - 2]) != NULL ||
			ms_has_digit(text + before, from - before))
			break;
		from = before;
	}
	return from;
}

/* "Customer\nno.", "Kunden-\nnummer", "Customer no.\n(ours)"; what stands further above may be
 * before the table.  "Item no.\ncustomer" is an item's. */
static const MsNameKinds *kinds_of_lines(Search *s, const Cell *cell)
{
	const MsFold *fold = s->fold;
	const char *text = fold->text + cell->start;
	const char *nl = memrchr(text, '\n', cell->end - cell->start);
	const char *last = nl != NULL ? nl + 1 : text, *end = fold->text + cell->end;
	const MsNameKinds *kinds = ms_detect_kinds_named(s, last, (gsize)(end - last));
	if (nl == NULL)
		return kinds;
	const char *before = memrchr(text, '\n', (gsize)(nl - text));
	text = before != NULL ? before + 1 : text;
	gsize first = (gsize)(text - fold->text), second = (gsize)(last - fold->text);
	if (kinds != NULL)
		return ms_detect_asks_for_number(fold, first, second) &&
				!ms_detect_asks_for_number(fold, second, cell->end)
			? NULL : kinds;
	bool hyphen = nl > text && nl[-1] == '-';
	g_autofree char *name = g_strdup_printf("%.*s%s%.*s", (int)(nl - hyphen - text), text,
		hyphen ? "" : " ", (int)(end - last), last);
	kinds = strlen(name) <= MAX_CELL ? ms_detect_kinds_named(s, name, strlen(name)) : NULL;
	return kinds == NULL && ms_detect_asks_for_number(fold, first, second) &&
			!ms_detect_asks_for_number(fold, second, cell->end)
		? ms_detect_kinds_named(s, text, (gsize)(nl - text)) : kinds;
}

/* The lines below a head whose cells have several, of which one is from `at` to `end`; 0: it is
 * none, or has one line. */
static gsize read_wrapped(Search *s, gsize at, gsize end)
{
	const char *text = s->fold->text;
	for (guint i = 1; i < MAX_WRAPPED && text[end - 1] != '\t' && end + 1 < s->fold->len; i++) {
		at = end + 1;
		end = ms_detect_line_end(text, s->fold->len, at);
	}
	gsize from = text[end - 1] == '\t' ? row_start(text, at) : at, next = end + 1;
	Cell cells[MAX_CELLS], row[MAX_CELLS];
	const MsNameKinds *kinds[MAX_CELLS];
	guint n = 0, labels = 0;
	if (from == at || end - from > MAX_VALUE || ms_has_digit(text + from, end - from))
		return 0;
	for (gsize start = from, i = from; i <= end && n < MAX_CELLS; i++) {
		if (i < end && text[i] != '\t')
			continue;
		cells[n] = (Cell){start, i};
		kinds[n] = i > start ? kinds_of_lines(s, &cells[n]) : NULL;
		labels += kinds[n++] != NULL;
		start = i + 1;
	}
	return labels > 0 && cut_line(text, s->fold->len, &next, '\t', n, row) == n
		? read_rows(s, end + 1, '\t', cells, n, kinds)
		: 0;
}

/* Where the words of a line begin that is indented or quoted. */
static gsize skip_indent(const char *text, gsize at, gsize end)
{
	while (at < end && strchr("\t >", text[at]) != NULL && text[at] != '\0')
		at++;
	return at;
}

static bool is_indented(const char *text, gsize at, gsize end)
{
	at = skip_indent(text, at, end);
	return memchr(text + at, '\t', end - at) == NULL;
}

/* What sets the cells of the line from `at` to `end` apart.  Tabs that but indent it, and the one
 * below, set none. */
static char find_separator(const char *text, gsize len, gsize at, gsize end)
{
	if (end - at <= 3 || end - at >= MAX_CELLS * MAX_CELL)
		return '\0';
	char separator = separator_of(text, len, at, end);
	if (separator != '\t' || !is_indented(text, at, end))
		return separator;
	gsize next = ms_detect_skip_blank_line(text, len, MIN(end + 1, len));
	if (!is_indented(text, next, ms_detect_line_end(text, len, next)))
		return separator;
	at = skip_indent(text, at, end);
	return at < end ? separator_of(text, len, at, end) : '\0';
}

static void by_tables(Search *s)
{
	const char *text = s->fold->text;
	gsize len = s->fold->len, lines = 0;
	Cell cells[MAX_CELLS];
	const MsNameKinds *kinds[MAX_CELLS];
	for (gsize at = 0; at < len && !s->full;) {
		gsize end = ms_detect_line_end(text, len, at), next = at;
		char separator = find_separator(text, len, at, end);
		if (++lines % LINES_STEP == 0 && !ms_budget_time(s->budget))
			return;
		if (separator == '\0' || has_number_in(text, at, end)) {
			at = end + 1;
			continue;
		}
		gsize behind = separator == '\t' ? read_wrapped(s, at, end) : 0;
		if (behind > 0) {
			at = behind;
			continue;
		}
		guint n = cut_line(text, end, &next, separator, MAX_CELLS, cells);
		guint labels = n > 1
			? read_head(s, cells, n, strchr("\t|", separator) == NULL, kinds)
			: 0;
		at = end + 1;
		if (labels > 0 && strchr("\t;", separator) != NULL)
			spread(cells, n, kinds);
		if (labels > 0)
			at = read_rows(s, at, separator, cells, n, kinds);
	}
}

/* A field that is of a kind by definition is one whatever it is called, and however it is written:
 * "417" in BT-1. */
static void by_term(Search *s)
{
	for (guint i = 0; i < ms_kinds_count(s->kinds); i++) {
		Named named = {0, s->fold->len, i};
		if (ms_detect_is_field_of(s, ms_kinds_nth(s->kinds, i)))
			g_array_prepend_val(s->named, named);
	}
}

/* Of Named, or Border: both begin with it. */
static int by_start(const void *a, const void *b)
{
	gsize x = *(const gsize *)a, y = *(const gsize *)b;
	return x < y ? -1 : x > y;
}

void ms_detect_names(Search *s)
{
	if (s->span->n_names > 0)
		by_stretches(s);
	else if (s->span->type == MS_SPAN_TEXT)
		by_tables(s);
	if (s->span->n_names == 0 && s->span->type != MS_SPAN_FIELD) {
		ms_detect_pairs(s);
		ms_detect_columns(s);
		if (!s->span->apart)
			ms_detect_lists(s);
		g_array_sort(s->named, by_start);
		g_array_sort(s->borders, by_start);
	}
	take_named(s);
	by_term(s);
}
