/*
 * In come the words of a page with their places, out go its tables: a line a row, a tab behind each
 * cell, empty ones too, as other documents have theirs.  In the worker's only thread.
 *
 * A PDF has no cells.  What stands in one line is a row, and where in all rows of a table nothing
 * stands, two columns part.  Blanks between words may lie one above the other as well, so what is
 * there parted is a column only if it is ever farther from its neighbour than a blank is wide,
 * parted from it without a blank in several rows, or there without it and it without this.
 */
#include "pdfgrid.h"

#include <algorithm>
#include <cmath>

#define WIDE 0.7        /* of the height of the letters: wider than a blank */
#define ROOM 0.1        /* of it: more than between letters */
#define WIDE_BLANK 1.5  /* of it: wider than one that fills up a line */
#define SAME_LINE 0.4   /* of it, between the middles of letters in one line */
#define FAR 4.0         /* of it, from row to row */
#define MIN_GAP 0.5     /* points */
#define SLACK 0.5       /* points at either end of a word that may be in a gap */
#define BEYOND 1e9      /* points: outside of any page */
#define ALIGNED 0.4     /* of the height of the letters, between lines of one name */
#define SAME_NAME 1.5   /* of it, between the lines of a name */
#define PITCH 1.2       /* of the distance of two rows, that of a head from the first one */
#define MIN_PARTED 2    /* rows */
#define MAX_OTHERS 2    /* lines in a table that run over its columns */
#define MAX_SINGLES 5   /* rows with one cell, one below the other */
#define LONG_SHARE 6    /* one in so many rows, and one more, may have a cell that is too long */
#define NAMES 4         /* beside each other, for one that has a blank */
#define MAX_HEAD 3      /* lines */
#define MAX_NAME 3      /* words of a line that may be one, or several */
#define MAX_COLUMNS 150
#define MAX_WORDS 200000 /* of a page */

namespace
{
struct Gap {
	double from, until;
	size_t of; /* the number of that which a row has between two cells; 0: none */
};

struct Table {
	std::vector<MsPdfRow> rows;
	std::vector<Gap> gaps; /* where no row has a word; the first and the last are the margins */
	size_t whole = 0;        /* rows up to the last one with several cells, */
	std::vector<Gap> parted; /* and the gaps of these */
	size_t parts = 0;        /* the last number of a gap */
	size_t others = 0, singles = 0, long_rows = 0;
	bool valued = false;   /* some row has a digit, */
	bool finer = false;    /* and one of these two cells in one column */
	size_t most = 0;       /* cells of a row */
	size_t above = 0;      /* rows above names that stand below values, if there are some, */
	size_t whole_above = 0;        /* and what was known of these */
	std::vector<Gap> parted_above;
	bool blanks = false;   /* where words of a name part, a blank is drawn */
	bool doubtful = false; /* the line right above it may be names */
};
} // namespace

static bool is_wide(const MsPdfWord &a, const MsPdfWord &b)
{
	double wide = (b.spaced ? WIDE_BLANK : WIDE) * std::fmin(a.height, b.height);
	return b.apart || b.x1 - a.x2 > wide;
}

static size_t count_cells(const MsPdfRow &row)
{
	size_t n = 1;
	for (size_t i = 1; i < row.size(); i++)
		n += is_wide(row[i - 1], row[i]);
	return n;
}

static bool has_cells(const MsPdfRow &row)
{
	return count_cells(row) > 1;
}

static bool has_digit(const MsPdfWord &word)
{
	for (char c : word.text)
		if (g_ascii_isdigit(c))
			return true;
	return false;
}

static bool has_digit(const MsPdfRow &row)
{
	for (const MsPdfWord &word : row)
		if (has_digit(word))
			return true;
	return false;
}

/* ---- rows and tables ------------------------------------------------------------------ */

/* Names that are turned begin, or end, at the row below them: those beside each other are a row. */
static void level(std::vector<MsPdfWord> &words)
{
	double last = -BEYOND;
	for (MsPdfWord &word : words)
		if (word.turned)
			last = std::fmax(last, word.y);
	for (MsPdfWord &word : words)
		if (word.turned && last - word.y < FAR * word.height * 3)
			word.y = last;
}

static std::vector<MsPdfRow> rows_of(std::vector<MsPdfWord> &words)
{
	std::vector<MsPdfRow> rows;
	level(words);
	std::stable_sort(words.begin(), words.end(),
		[](const MsPdfWord &a, const MsPdfWord &b) { return a.y < b.y; });
	for (MsPdfWord &word : words) {
		if (rows.empty() || word.y - rows.back()[0].y >
				SAME_LINE * std::fmin(word.height, rows.back()[0].height))
			rows.emplace_back();
		rows.back().push_back(std::move(word));
	}
	for (MsPdfRow &row : rows)
		std::stable_sort(row.begin(), row.end(),
			[](const MsPdfWord &a, const MsPdfWord &b) { return a.x1 < b.x1; });
	return rows;
}

/* What words leave of a gap.  One that stands over the next is too long for its column: that begins
 * where the next one does. */
static void narrow(const Gap &gap, const MsPdfRow &row, std::vector<Gap> *out)
{
	double from = gap.from;
	for (const MsPdfWord &word : row) {
		double begin = word.x1 + SLACK, end = word.x2 - SLACK;
		if (end <= gap.from || begin > gap.until + MIN_GAP)
			continue;
		bool within = begin < gap.until;
		if (within && begin - from >= MIN_GAP)
			out->push_back({from, begin, gap.of});
		else if (from > gap.from && (within || gap.until - from < MIN_GAP))
			out->push_back({begin, begin, gap.of});
		from = within ? std::fmax(from, end) : from;
	}
	if (gap.until - from >= MIN_GAP || from == gap.from)
		out->push_back({from, gap.until, gap.of});
}

static size_t count_parts(const std::vector<Gap> &gaps, std::vector<bool> *seen)
{
	size_t n = 0;
	for (const Gap &gap : gaps) {
		n += gap.of > 0 && !(*seen)[gap.of];
		(*seen)[gap.of] = true;
	}
	return n;
}

/* What a row leaves of a table's gaps.  Returns how many gaps between cells it closes; these are
 * kept in `kept_out`. */
static size_t narrow_all(const Table &table, const MsPdfRow &row, std::vector<Gap> *out,
	std::vector<Gap> *kept_out)
{
	std::vector<bool> before(table.parts + 1, false), seen(table.parts + 1, false);
	for (const Gap &gap : table.gaps)
		narrow(gap, row, out);
	size_t closed = count_parts(table.gaps, &before) - count_parts(*out, &seen), i = 0;
	for (const Gap &gap : table.gaps) {
		for (; i < out->size() && (*out)[i].from < gap.until; i++)
			kept_out->push_back((*out)[i]);
		if (gap.of > 0 && !seen[gap.of])
			kept_out->push_back(gap);
	}
	kept_out->insert(kept_out->end(), out->begin() + (ptrdiff_t)i, out->end());
	return closed;
}

/* Numbers the gaps that two cells of a row have between them, if none of these has a number. */
static void number(Table *table, const MsPdfRow &row)
{
	size_t k = 1, end = table->gaps.size() - 1;
	for (size_t i = 1; i < row.size(); i++) {
		if (!is_wide(row[i - 1], row[i]))
			continue;
		while (k < end && table->gaps[k].from < row[i - 1].x2 - SLACK)
			k++;
		size_t first = k, of = 0;
		for (; k < end && table->gaps[k].until <= row[i].x1 + SLACK; k++)
			of = std::max(of, table->gaps[k].of);
		for (; of == 0 && first < k; first++)
			table->gaps[first].of = table->parts + 1;
		table->parts += of == 0;
	}
}

/* Has a row two cells where the table has one column? */
static bool has_two_in_one(const Table &table, const MsPdfRow &row)
{
	for (size_t i = 1, k = 0; i < row.size(); i++) {
		if (!is_wide(row[i - 1], row[i]))
			continue;
		while (k < table.gaps.size() && table.gaps[k].until <= row[i - 1].x2)
			k++;
		if (k == table.gaps.size() || table.gaps[k].from >= row[i].x1)
			return true;
	}
	return false;
}

/* Names below values begin another table when these or what is below them has more columns; then
 * this one ends above them. */
static bool begins_another(Table *table, const MsPdfRow &row, size_t cells)
{
	bool values = has_digit(row), finer = !table->finer && has_two_in_one(*table, row);
	if (!values && table->valued && table->above == 0) {
		table->above = table->rows.size();
		table->whole_above = table->whole;
		table->parted_above = table->parted;
	}
	if (finer && table->above > 0 && (!values || table->whole > table->above)) {
		table->whole = table->whole_above;
		table->parted = table->parted_above;
		return true;
	}
	if (values)
		table->above = 0;
	table->finer |= values && finer;
	table->most = std::max(table->most, cells);
	table->valued |= values;
	return false;
}

/* Is the row one of the table?  One that runs over its columns may be between its rows; a cell that
 * is too long for its column does not close the gap. */
static bool take(Table *table, const MsPdfRow &row)
{
	size_t n = count_cells(row);
	bool cells = n > 1;
	if (begins_another(table, row, n))
		return false;
	std::vector<Gap> left, kept;
	std::vector<bool> seen(table->parts + 1, false);
	size_t parts = count_parts(table->gaps, &seen);
	size_t closed = narrow_all(*table, row, &left, &kept);
	if (kept.size() < 2 || kept.size() > MAX_COLUMNS)
		return false;
	if (!cells && closed > 0) {
		if (++table->others > MAX_OTHERS)
			return false;
	} else if (!cells && ++table->singles > MAX_SINGLES) {
		return false;
	} else if (closed * 2 > parts ||
		(closed > 0 && ++table->long_rows * LONG_SHARE > table->rows.size() + LONG_SHARE)) {
		return false;
	} else {
		table->gaps = std::move(kept);
		number(table, row);
	}
	table->rows.push_back(row);
	if (cells) {
		table->whole = table->rows.size();
		table->parted = table->gaps;
		table->others = table->singles = 0;
	}
	return true;
}

/* ---- columns -------------------------------------------------------------------------- */

/* The column with the most of a word.  Column i is between the gaps i and i + 1. */
static size_t column_of(const std::vector<Gap> &gaps, double from, double until)
{
	size_t best = 0;
	double most = -BEYOND;
	for (size_t i = 0; i + 1 < gaps.size(); i++) {
		double n = std::fmin(until, gaps[i + 1].from) - std::fmax(from, gaps[i].until);
		if (n > most) {
			most = n;
			best = i;
		}
	}
	return best;
}

using Cells = std::vector<std::vector<const MsPdfWord *>>;

/* Words with a blank between them are of one cell; where it ends. */
static size_t piece_end(const MsPdfRow &row, size_t at)
{
	while (++at < row.size() && row[at].spaced && !is_wide(row[at - 1], row[at]))
		continue;
	return at;
}

/* A name is where most of it is, a value where it begins. */
static Cells cut_pieces(const std::vector<Gap> &gaps, const MsPdfRow &row, bool names)
{
	Cells cells(gaps.size() - 1);
	for (size_t i = 0, end; i < row.size(); i = end) {
		end = piece_end(row, i);
		size_t column = column_of(gaps, row[i].x1, row[names ? end - 1 : i].x2);
		for (size_t k = i; k < end; k++)
			cells[column].push_back(&row[k]);
	}
	return cells;
}

static size_t count_filled(const Cells &cells)
{
	size_t n = 0;
	for (const auto &words : cells)
		n += !words.empty();
	return n;
}

/* Names may have a blank between them, too, if one is in each column only then; but not all names of
 * a line that others are below. */
static Cells cut(const std::vector<Gap> &gaps, const MsPdfRow &row, bool names, bool last)
{
	Cells pieces = cut_pieces(gaps, row, names), words(gaps.size() - 1);
	if (!names || (!last && piece_end(row, 0) == row.size()))
		return pieces;
	for (const MsPdfWord &word : row)
		words[column_of(gaps, word.x1, word.x2)].push_back(&word);
	return count_filled(words) > count_filled(pieces) ? words : pieces;
}

/* Is what a gap parts two columns? */
static bool parts(const std::vector<Cells> &rows, size_t left)
{
	size_t before = 0, behind = 0, parted = 0;
	for (const Cells &cells : rows) {
		bool a = !cells[left].empty(), b = !cells[left + 1].empty();
		before += a && !b;
		behind += b && !a;
		if (!a || !b)
			continue;
		if (is_wide(*cells[left].back(), *cells[left + 1].front()))
			return true;
		parted += !cells[left + 1].front()->spaced && !cells[left + 1].front()->begins;
	}
	return (before > 0 && behind > 0) || parted >= MIN_PARTED;
}

/* How many lines of names are above the rows of a table; 0: none. */
static size_t head_of(const Table &table)
{
	size_t n = 0;
	while (n < table.rows.size() && !has_digit(table.rows[n]))
		n++;
	return n <= MAX_HEAD && n < table.rows.size() ? n : 0;
}

/* Has a column its words above the first `head` rows alone, or below these alone? */
static bool is_part(const std::vector<Cells> &rows, size_t column, size_t head, bool above)
{
	size_t n = 0;
	for (size_t i = 0; i < rows.size(); i++) {
		bool any = !rows[i][column].empty();
		if (any && (i < head) != above)
			return false;
		n += any;
	}
	return n > 0;
}

/* Is a word of the names in a column, with a blank before it, another of the name on its left? */
static bool follows(const std::vector<Cells> &rows, size_t column, size_t head)
{
	for (size_t i = 0; i < head && column > 0; i++) {
		const auto &before = rows[i][column - 1], &own = rows[i][column];
		if (!before.empty() && !own.empty() && own.front()->spaced &&
			!is_wide(*before.back(), *own.front()))
			return true;
	}
	return false;
}

/* Do names stand as near to each other as words of one, and would no blank be drawn there? */
static bool may_follow(const std::vector<Cells> &rows, size_t column, size_t head)
{
	for (size_t i = 0; i < head && column > 0; i++) {
		const auto &before = rows[i][column - 1], &own = rows[i][column];
		if (!before.empty() && !own.empty() && !is_wide(*before.back(), *own.front()))
			return true;
	}
	return false;
}

/* Are the names of a column in one part of it, and its values in the other, to the right under a
 * name to the left? */
static bool completes(const std::vector<Cells> &rows, size_t left, size_t head)
{
	return head > 0 && left + 1 < rows[0].size() &&
		((is_part(rows, left, head, true) && is_part(rows, left + 1, head, false) &&
			 !follows(rows, left, head)) ||
			(is_part(rows, left, head, false) && is_part(rows, left + 1, head, true)));
}

static void join(Table *table, std::vector<Cells> *rows, size_t left)
{
	table->gaps.erase(table->gaps.begin() + (ptrdiff_t)left + 1);
	for (Cells &cells : *rows) {
		auto &from = cells[left + 1], &to = cells[left];
		to.insert(to.end(), from.begin(), from.end());
		cells.erase(cells.begin() + (ptrdiff_t)left + 1);
	}
}

static std::vector<Cells> cut_all(Table *table, size_t head)
{
	std::vector<Cells> rows;
	for (const MsPdfRow &row : table->rows)
		rows.push_back(cut(table->gaps, row, rows.size() < head, rows.size() + 1 == head));
	for (size_t i = 0; i + 1 < rows[0].size(); i++)
		if (completes(rows, i, head) ||
			(follows(rows, i + 1, head) && is_part(rows, i, head, true)))
			join(table, &rows, i);
	for (size_t i = 0; i + 1 < rows[0].size();) {
		if (parts(rows, i))
			i++;
		else
			join(table, &rows, i);
	}
	return rows;
}

/* ---- heads ---------------------------------------------------------------------------- */

/* Is a line of names some of them, which go on below those of the line before? */
static bool goes_on(const Cells &above, const Cells &below)
{
	for (size_t i = 0; i < above.size(); i++)
		if (above[i].empty() != below[i].empty())
			return true;
	return false;
}

/* How many lines the names of the first row have that wrap. */
static size_t wrapped(const std::vector<Cells> &rows, size_t head)
{
	size_t n = 1;
	while (n < head && goes_on(rows[n - 1], rows[n]))
		n++;
	return n;
}

/* ---- tables without a doubt ----------------------------------------------------------- */

namespace
{
struct Strip {
	double from = BEYOND, until = -BEYOND;

	bool any() const { return from < until; }
	void add(const std::vector<const MsPdfWord *> &words)
	{
		for (const MsPdfWord *word : words) {
			from = std::fmin(from, word->x1);
			until = std::fmax(until, word->x2);
		}
	}
};
} // namespace

/* "417", "01.11.2026", which only its column's name says the meaning of; but not "80786 Bonn". */
static bool is_number(const std::vector<const MsPdfWord *> &words)
{
	bool digits = false;
	for (const MsPdfWord *word : words) {
		digits |= has_digit(*word);
		for (char c : word->text)
			if (g_ascii_isalpha(c) || (c & 0x80) != 0)
				return false;
	}
	return digits;
}

/* Do the lines of a name that wraps begin, end, or have their middle, one below the other?  A name
 * that is above several columns and theirs do not. */
static bool is_aligned(const Strip &a, const Strip &b, double slack)
{
	return !a.any() || !b.any() || std::fabs(a.from - b.from) < slack ||
		std::fabs(a.until - b.until) < slack ||
		std::fabs(a.from + a.until - b.from - b.until) < 2 * slack;
}

static bool names_are_aligned(const std::vector<Cells> &rows, size_t column, size_t lines)
{
	Strip above;
	for (size_t i = 0; i < lines; i++) {
		Strip line;
		const auto &words = rows[i][column];
		line.add(words);
		if (!words.empty() && !is_aligned(above, line, ALIGNED * words[0]->height))
			return false;
		above = line.any() ? line : above;
	}
	return true;
}

/* Has each column with values a name, is all of it beside all of the next one, and are names and
 * values of several columns there?  A line in one piece may run over them if it has no number, and
 * names that are in each column. */
static bool is_plain(const Table &table, const std::vector<Cells> &rows, size_t head)
{
	size_t numbers = 0, lines = wrapped(rows, head);
	bool whole = false;
	double end = -BEYOND;
	for (size_t i = 0; i < head; i++)
		whole |= count_filled(rows[i]) == rows[i].size();
	for (size_t k = 0; head > 0 && !table.doubtful && k < rows[0].size(); k++) {
		Strip names, all;
		bool valued = false, digits = false;
		for (size_t i = 0; i < rows.size(); i++) {
			if (i >= head && !has_cells(table.rows[i]) && !has_digit(table.rows[i]))
				continue;
			if (i < head)
				names.add(rows[i][k]);
			if (i >= head || !whole)
				all.add(rows[i][k]);
			valued |= i >= head && !rows[i][k].empty();
			digits |= i >= head && is_number(rows[i][k]);
		}
		if ((valued && !names.any()) || all.from < end || follows(rows, k, head) ||
			(!table.blanks && may_follow(rows, k, head)) ||
			!names_are_aligned(rows, k, lines))
			return false;
		end = all.any() ? all.until : end;
		numbers += digits;
	}
	return numbers > 1;
}

/* ---- out ------------------------------------------------------------------------------ */

/* "N°" is one word, in whatever fonts it is set. */
static bool touches(const MsPdfWord &a, const MsPdfWord &b)
{
	return b.begins || (!b.spaced && std::fabs(b.x1 - a.x2) < ROOM * b.height);
}

static void put_cell(const std::vector<const MsPdfWord *> &words, GString *out)
{
	for (size_t i = 0; i < words.size(); i++) {
		if (i > 0 && !touches(*words[i - 1], *words[i]))
			g_string_append_c(out, ' ');
		g_string_append_len(out, words[i]->text.data(), (gssize)words[i]->text.size());
	}
}

/* `plain_out`: takes the names, if they are on this page. */
static void put_table(Table *table, GString *out, std::vector<MsPdfRow> *plain_out)
{
	size_t head = head_of(*table);
	const std::vector<Cells> rows = cut_all(table, head);
	if (plain_out != nullptr && is_plain(*table, rows, head))
		plain_out->insert(plain_out->end(), table->rows.begin(),
			table->rows.begin() + (ptrdiff_t)head);
	for (size_t i = 0, n; i < rows.size(); i += n) {
		n = i == 0 ? wrapped(rows, head) : 1;
		for (size_t k = 0; k < rows[i].size(); k++) {
			gsize begin = out->len;
			for (size_t line = i; line < i + n; line++) {
				if (out->len > begin && !rows[line][k].empty())
					g_string_append_c(out, '\n');
				put_cell(rows[line][k], out);
			}
			g_string_append_c(out, '\t');
		}
		g_string_append_c(out, '\n');
	}
	g_string_append(out, "\n\n\n");
}

/* Has a line a piece in each of the columns, and nothing else, or is each piece within one? */
static bool fits(const Table &table, const MsPdfRow &row)
{
	Table whole = table;
	std::vector<Gap> left, kept;
	size_t pieces = 0;
	cut_all(&whole, 0);
	for (size_t i = 0; i < row.size(); i = piece_end(row, i))
		pieces++;
	bool filled = pieces + 1 == whole.gaps.size() &&
		count_filled(cut_pieces(whole.gaps, row, true)) == pieces;
	narrow_all(whole, row, &left, &kept);
	return filled || left.size() >= whole.gaps.size();
}

/* A line in one piece that runs over several columns. */
static bool is_prose(const Table &table, const MsPdfRow &row)
{
	return piece_end(row, 0) == row.size() &&
		column_of(table.gaps, row[0].x1, row[0].x2) !=
			column_of(table.gaps, row.back().x1, row.back().x2);
}

/* Is it near the table's first row, or no farther from it than that is from the next one? */
static bool is_right_above(const Table &table, const MsPdfRow &row)
{
	double y = table.rows[0][0].y;
	double pitch = table.rows.size() > 1 ? table.rows[1][0].y - y : 0;
	return y - row[0].y <= std::fmax(FAR / 2 * row[0].height, pitch * PITCH);
}

/* Lines above the first row with several cells may be of its head: names that a blank's width
 * parts, or the first lines of some. */
static void take_above(Table *table, const std::vector<MsPdfRow> &rows, size_t first, size_t begin)
{
	for (size_t n = 0; n < MAX_HEAD && begin > first; n++) {
		const MsPdfRow &row = rows[--begin];
		std::vector<Gap> left, kept;
		bool named = !has_digit(table->rows[0]);
		if (has_digit(row) || !is_right_above(*table, row))
			return;
		size_t closed = narrow_all(*table, row, &left, &kept);
		bool plain = closed == 0 && left.size() >= table->gaps.size();
		if ((named && is_prose(*table, row)) || (!plain && !fits(*table, row))) {
			table->doubtful = n == 0 && row.size() <= MAX_NAME &&
				table->rows[0][0].y - row[0].y < SAME_NAME * row[0].height;
			return;
		}
		if (closed == 0)
			table->gaps = std::move(left);
		table->rows.insert(table->rows.begin(), row);
	}
}

/* Does a text of its own begin in a gap, right behind another that is cut off there? */
static bool touches_in_gap(const Table &table, const MsPdfRow &row)
{
	for (const MsPdfWord &word : row)
		for (size_t k = 1; word.begins && k + 1 < table.gaps.size(); k++)
			if (std::fabs(word.x1 - table.gaps[k].until) < SLACK * 2)
				return true;
	return false;
}

/* Rows above the first one with several cells are of the table if theirs touch where its columns
 * part. */
static void take_touching(
	Table *table, const std::vector<MsPdfRow> &rows, size_t first, size_t *begin)
{
	while (*begin > first) {
		const MsPdfRow &row = rows[*begin - 1];
		std::vector<Gap> left, kept;
		if (!is_right_above(*table, row) || !touches_in_gap(*table, row) ||
			narrow_all(*table, row, &left, &kept) > 0 ||
			left.size() < table->gaps.size())
			return;
		table->gaps = std::move(left);
		table->rows.insert(table->rows.begin(), row);
		--*begin;
	}
}

/* The head of the page before stands above a table that has none, if its names fit. */
static size_t take_head(Table *table, const MsPdfHead &head)
{
	Table whole;
	whole.gaps = table->gaps;
	whole.parts = table->parts;
	for (const MsPdfRow &row : head.rows)
		if (!take(&whole, row))
			return 0;
	table->gaps = whole.gaps;
	table->rows.insert(table->rows.begin(), head.rows.begin(), head.rows.end());
	return head.rows.size();
}

/* Are words without numbers parted by blanks that are drawn, and not by room alone?  Names of a
 * narrow table stand as near. */
static bool draws_blanks(const std::vector<MsPdfRow> &rows)
{
	size_t drawn = 0, left_out = 0;
	for (const MsPdfRow &row : rows)
		for (size_t i = 1; i < row.size(); i++) {
			const MsPdfWord &a = row[i - 1], &b = row[i];
			if (has_digit(a) || has_digit(b))
				continue;
			bool room = !is_wide(a, b) && b.x1 - a.x2 > ROOM * b.height;
			drawn += b.spaced;
			left_out += room && !b.spaced;
		}
	return drawn > 0 && drawn * NAMES >= left_out;
}

/* Names of fewer columns than there are above, and nearer to as many values below. */
static bool begins_coarser(const Table &table, const std::vector<MsPdfRow> &rows, size_t at)
{
	if (!table.valued || at + 1 >= rows.size())
		return false;
	const MsPdfRow &names = rows[at], &values = rows[at + 1];
	if (has_digit(names) || !has_digit(values))
		return false;
	double before = names[0].y - rows[at - 1][0].y, behind = values[0].y - names[0].y;
	size_t n = count_cells(names);
	return n > 1 && n < table.most && n == count_cells(values) && before > behind * PITCH;
}

/* The table from row `*at` on, which is moved behind it; it has no rows if there is none. */
static Table read_table(const std::vector<MsPdfRow> &rows, size_t *at)
{
	Table table;
	size_t first = *at;
	table.gaps.push_back({-BEYOND, BEYOND, 0});
	while (*at < rows.size() && !has_cells(rows[*at]))
		++*at;
	size_t begin = *at;
	while (*at < rows.size() &&
		(*at == begin ||
			rows[*at][0].y - rows[*at - 1][0].y < FAR * rows[*at][0].height) &&
		!begins_coarser(table, rows, *at) && take(&table, rows[*at]))
		++*at;
	table.rows.resize(table.whole);
	table.gaps = table.parted;
	*at = begin + std::max<size_t>(table.whole, 1);
	if (!table.rows.empty()) {
		take_touching(&table, rows, first, &begin);
		take_above(&table, rows, first, begin);
	}
	return table;
}

void ms_pdf_grid(std::vector<MsPdfWord> &words, MsPdfHead *head, GString *out,
	std::vector<MsPdfRow> *plain_out)
{
	if (words.size() > MAX_WORDS)
		return;
	const std::vector<MsPdfRow> rows = rows_of(words);
	MsPdfHead largest;
	size_t most = 0;
	bool first = true, blanks = draws_blanks(rows);
	for (size_t at = 0; at < rows.size();) {
		Table table = read_table(rows, &at);
		if (table.rows.empty())
			continue;
		table.blanks = blanks;
		size_t names = head_of(table);
		bool own = names > 0;
		if (!own && first)
			names = take_head(&table, *head);
		first = false;
		if (names > 0 && table.rows.size() > most) {
			most = table.rows.size();
			largest.rows.assign(table.rows.begin(),
				table.rows.begin() + (ptrdiff_t)names);
		}
		put_table(&table, out, own ? plain_out : nullptr);
	}
	if (most > 0)
		*head = std::move(largest);
}
