/*
 * Lists of one column in plain text: a line that is nothing but a name, and below it lines that are
 * nothing but a number each, perhaps with somebody's name behind it.  In comes such text; out go
 * the numbers below a name that is a label of a kind, however many they are.  Lists with tabs or
 * marks between their cells are names.c's, with blanks columns.c's.  The worker's one thread.
 */
#include "config.h"

#include <string.h>

#include "missent/scan.h"

#include "detect_private.h"

#define MAX_NAME 60
#define MAX_VALUE 40
#define MAX_LINE 120 /* what a number may stand in with all that leads to it */
#define MIN_LETTERS 2 /* that all numbers of a kind begin with */
#define MAX_ITEM 3 /* bytes of what numbers a list */
#define LINES_STEP 64 /* between two looks at the clock */
#define LEADS " \t>*+-|\"'(" /* to what is in a line, or cites or lists it */
#define TRAILS " \t\r:;,.|\"')" /* behind it */

typedef struct {
	gsize start, end; /* of what a line says, in the fold */
	gsize line, next; /* where it begins, and the next one */
} Line;

static gsize skip_leads(const char *text, gsize at, gsize end)
{
	while (at < end && memchr(LEADS, text[at], strlen(LEADS)) != NULL)
		at++;
	return at;
}

/* Behind "12. ", "12) " or a sign outside ASCII, where a blank follows: these number a list. */
static gsize behind_item(const char *text, gsize at, gsize end)
{
	gsize stop = at;
	while (stop < end && stop - at < MAX_ITEM &&
		(g_ascii_isdigit(text[stop]) || (text[stop] & 0x80) != 0))
		stop++;
	bool number = stop > at && g_ascii_isdigit(text[at]);
	stop += number && stop < end && (text[stop] == '.' || text[stop] == ')');
	bool item = stop > at && stop < end && text[stop] == ' ';
	return item && !g_ascii_isdigit(text[stop - 1]) ? stop : at;
}

static Line line_at(const MsFold *fold, gsize at)
{
	const char *text = fold->text;
	gsize end = ms_detect_line_end(text, fold->len, at);
	Line line = {at, end, at, MIN(end + 1, fold->len)};
	line.start = skip_leads(text, line.start, line.end);
	line.start = skip_leads(text, behind_item(text, line.start, line.end), line.end);
	while (line.end > line.start && memchr(TRAILS, text[line.end - 1], strlen(TRAILS)) != NULL)
		line.end--;
	return line;
}

/* Behind the line at `at`, if that says nothing: it is empty, or a rule. */
static gsize skip_empty(const MsFold *fold, gsize at)
{
	Line line = line_at(fold, at);
	return line.end == line.start ? line.next : at;
}

/* "01.11.2026", "129.00": of a list of customers none is. */
static bool is_other(const MsFold *fold, gsize start, gsize end)
{
	const char *text = fold->text, *point = memchr(text + start, '.', end - start);
	gsize whole = point != NULL ? (gsize)(point - text) - start : 0;
	return ms_detect_of_date(fold, start, end) == MS_DATED_WHOLE ||
		(point != NULL && text + end - point == 3 &&
			ms_detect_is_number(text + start, whole) &&
			ms_detect_is_number(point + 1, 2));
}

/* Where the word with a digit ends that a line begins with; 0: it begins with none. */
static gsize value_end(const MsFold *fold, const Line *line)
{
	const char *text = fold->text;
	gsize end = line->start;
	while (end < line->end &&
		(g_ascii_isalnum(text[end]) || strchr("-./_", text[end]) != NULL))
		end++;
	gsize len = end - line->start;
	return len <= MAX_VALUE && ms_has_digit(text + line->start, len) &&
			!is_other(fold, line->start, end)
		? end
		: 0;
}

/* Is it a number alone, or (`named`) one with a name behind it? */
static bool is_value(const MsFold *fold, const Line *line, bool named)
{
	gsize end = value_end(fold, line);
	const char *text = fold->text, *name = text + end + (text[end] == ',');
	if (end == 0 || end == line->end || !named)
		return end > 0 && end == line->end;
	const char *comma = memchr(name, ',', (gsize)(text + line->end - name));
	return name[0] == ' ' && (g_ascii_isupper(name[1]) || (name[1] & 0x80) != 0) &&
		!ms_has_digit(name, (gsize)((comma != NULL ? comma : text + line->end) - name));
}

/* What the line above the one that begins at `at` says, an empty one between passed over. */
static bool line_above(const MsFold *fold, gsize at, Line *out)
{
	for (guint empty = 0; empty < 2 && at > 0; empty++) {
		const char *nl = memrchr(fold->text, '\n', at - 1);
		gsize before = nl != NULL ? (gsize)(nl + 1 - fold->text) : 0;
		if (at - before > MAX_LINE)
			return false;
		*out = line_at(fold, at = before);
		if (out->end > out->start)
			return true;
	}
	return false;
}

/* What a line above numbers calls them; in `*of_out`, how many digits the number has that stands
 * behind the name already, as "customer 4711" has. */
static const MsNameKinds *kinds_of(Search *s, const Line *line, gsize *of_out)
{
	const char *text = s->fold->text + line->start;
	gsize len = line->end - line->start, end = len;
	while (end > 0 && g_ascii_isdigit(text[end - 1]))
		end--;
	*of_out = len - end;
	while (end > 0 && *of_out > 0 && strchr(" :#\t", text[end - 1]) != NULL)
		end--;
	bool glued = *of_out > 0 && end + *of_out == len;
	if (end < 2 || end > MAX_NAME || glued || ms_has_digit(text, end) ||
		memmem(text, end, "  ", 2) != NULL)
		return NULL;
	for (gsize i = 0; i < end; i++)
		if (strchr("\t/;|", text[i]) != NULL)
			return NULL;
	return ms_detect_kinds_named(s, text, end);
}

/* "Quantity customer", which is cut from a table, may be two names. */
static bool may_be_two(Search *s, const Line *line)
{
	const char *word = s->fold->text + line->start, *end = s->fold->text + line->end;
	while ((word = memchr(word, ' ', (gsize)(end - word))) != NULL) {
		word++;
		if (ms_detect_kinds_named(s, word, (gsize)(end - word)) != NULL)
			return *end != ':';
	}
	return false;
}

typedef struct {
	const MsNameKinds *kinds;
	gsize first; /* where the first line begins */
	gsize of;    /* digits that each of them has; 0: whatever */
	bool digits; /* the first one is nothing else */
	bool single; /* one number makes a list */
	bool spaced; /* lines that say nothing may be between */
	bool named;  /* names are behind the numbers */
} List;

static void add_line(Search *s, const List *list, const Line *line)
{
	gsize end = value_end(s->fold, line), len = end - line->start;
	if (!s->full && !ms_detect_is_year(s->fold->text + line->start, len))
		ms_detect_add_named(s, list->kinds, line->start, end);
}

/* Below "4711" of customers "KD5300" is one, too, but not "5013-A", "v5013" or "2011-2012". */
static bool is_other_form(const MsFold *fold, const Line *line)
{
	const char *text = fold->text + line->start;
	gsize len = value_end(fold, line) - line->start, letters = 0;
	while (letters < len && g_ascii_isalpha(text[letters]))
		letters++;
	return !ms_detect_is_number(text, len) && letters < MIN_LETTERS;
}

static bool is_of(const MsFold *fold, const List *list, const Line *line)
{
	const char *text = fold->text + line->start;
	return is_value(fold, line, list->named) &&
		!(list->digits && is_other_form(fold, line)) &&
		(list->of == 0 ||
			(line->end - line->start == list->of &&
				ms_detect_is_number(text, list->of)));
}

/* Where the first line begins that is not of the list. */
static gsize read_list(Search *s, const List *list)
{
	const MsFold *fold = s->fold;
	gsize at = list->first;
	Line first = {0};
	guint n = 0;
	for (; at < fold->len && !s->full; n++) {
		Line line = line_at(fold, at);
		if (!is_of(fold, list, &line) ||
			(n % LINES_STEP == 1 && !ms_budget_time(s->budget)))
			break;
		if (n == 1)
			add_line(s, list, &first);
		if (n > 0)
			add_line(s, list, &line);
		else
			first = line;
		at = list->spaced ? skip_empty(fold, line.next) : line.next;
	}
	if (n == 1 && list->single)
		add_line(s, list, &first);
	return at;
}

/* "Customer" above 4711 is its name, but "Customers" says how many, and below "Quantity" and
 * "Customer" it may be the quantity. */
static bool names_one(Search *s, const MsNameKinds *kinds, const Line *name)
{
	const MsFold *fold = s->fold;
	if (kinds == NULL || ms_detect_may_be_of_many(s, kinds->kinds[0], name->end))
		return false;
	if (name->line == 0)
		return true;
	const char *nl = memrchr(fold->text, '\n', name->line - 1);
	Line above = line_at(fold, nl != NULL ? (gsize)(nl + 1 - fold->text) : 0);
	return above.end == above.start || strchr(".,", fold->text[above.end]) != NULL ||
		ms_has_digit(fold->text + above.start, above.end - above.start);
}

void ms_detect_lists(Search *s)
{
	const MsFold *fold = s->fold;
	gsize lines = 0;
	for (gsize at = 0; !s->full;) {
		gsize figure = ms_scan_figure(fold->text, fold->len, at);
		if (figure == fold->len ||
			(++lines % LINES_STEP == 0 && !ms_budget_time(s->budget)))
			return;
		const char *nl = memrchr(fold->text + at, '\n', figure - at);
		Line line = line_at(fold, nl != NULL ? (gsize)(nl + 1 - fold->text) : at), name;
		at = line.next;
		if (at == fold->len && line.end == line.start)
			return;
		if (!is_value(fold, &line, true) || !line_above(fold, line.line, &name))
			continue;
		List list = {.first = line.line, .named = !is_value(fold, &line, false)};
		list.digits = ms_detect_is_number(
			fold->text + line.start, value_end(fold, &line) - line.start);
		list.kinds = kinds_of(s, &name, &list.of);
		list.single = list.of > 0 ||
			ms_detect_asks_for_number(fold, name.start, name.end) ||
			(!list.named && names_one(s, list.kinds, &name));
		list.spaced = skip_empty(fold, name.next) > name.next;
		if (list.kinds != NULL && !(list.named && may_be_two(s, &name)))
			at = MAX(at, read_list(s, &list));
	}
}
