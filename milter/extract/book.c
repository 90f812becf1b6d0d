/*
 * ="KD-"&Data!A2: programs that write workbooks leave it to Excel to work that out, and the sheets
 * are parts in any order.  In come the names of sheets and of cells, then cells and formulas; out
 * go the texts of the formulas, and what has a name, when all sheets are read.  In the worker's
 * only thread.
 */
#include "config.h"

#include <string.h>

#include "book.h"
#include "formula.h"

#define MAX_SHEETS 1000
#define MAX_CELLS 200000
#define MAX_FORMULAS 100000

typedef struct {
	const char *sheet; /* of `names` */
	char *text;
} Formula;

typedef struct {
	const char *name; /* of `names` */
	GArray *cells;
	GString *values;
} Sheet;

struct MsBook {
	GHashTable *names; /* lower-case part to lower-case name */
	GHashTable *given; /* upper-case names that cells have to "sheet!A5" */
	GString *constants; /* "name: value" of names that stand for a value */
	GArray *sheets;    /* of Sheet */
	GHashTable *cut;   /* names of sheets to the row from which on not all cells are kept */
	guint cells;       /* of all of them */
	GArray *formulas;  /* of Formula */
	bool more;         /* than are kept */
};

static void clear_formula(gpointer data)
{
	g_free(((Formula *)data)->text);
}

static void clear_sheet(gpointer data)
{
	Sheet *sheet = data;
	g_array_unref(sheet->cells);
	g_string_free(sheet->values, TRUE);
}

MsBook *ms_book_new(void)
{
	MsBook *book = g_new0(MsBook, 1);
	book->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	book->given = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	book->constants = g_string_new(NULL);
	book->sheets = g_array_new(FALSE, FALSE, sizeof(Sheet));
	book->cut = g_hash_table_new(g_str_hash, g_str_equal);
	g_array_set_clear_func(book->sheets, clear_sheet);
	book->formulas = g_array_new(FALSE, FALSE, sizeof(Formula));
	g_array_set_clear_func(book->formulas, clear_formula);
	return book;
}

void ms_book_free(MsBook *book)
{
	if (book == NULL)
		return;
	g_hash_table_unref(book->names);
	g_hash_table_unref(book->given);
	g_string_free(book->constants, TRUE);
	g_array_unref(book->sheets);
	g_hash_table_unref(book->cut);
	g_array_unref(book->formulas);
	g_free(book);
}

void ms_book_name(MsBook *book, const char *part, const char *name)
{
	if (g_hash_table_size(book->names) < MAX_SHEETS)
		g_hash_table_replace(
			book->names, g_ascii_strdown(part, -1), g_ascii_strdown(name, -1));
}

/* A blank line behind it, so that it labels nothing else. */
static void put_named(GString *out, const char *name, const char *value)
{
	if (*value != '\0')
		g_string_append_printf(out, "%s: %s\n\n", name, value);
}

/* 4711 or "KD-4711" */
static void define_constant(MsBook *book, const char *name, const char *text)
{
	g_autofree char *value = g_strdup(text);
	gsize n = strlen(value);
	if (n > 2 && value[0] == '"' && strchr(value + 1, '"') == value + n - 1) {
		value[n - 1] = '\0';
		put_named(book->constants, name, value + 1);
	} else if (strspn(value, "0123456789") == n) {
		put_named(book->constants, name, value);
	}
}

void ms_book_define(MsBook *book, const char *name, const char *reference)
{
	const char *mark = strrchr(reference, '!');
	gsize n = mark != NULL ? (gsize)(mark - reference) : 0;
	if (mark == NULL)
		define_constant(book, name, reference);
	if (n == 0 || strpbrk(mark, ",: ") != NULL || g_hash_table_size(book->given) >= MAX_SHEETS)
		return;
	bool quoted = n > 2 && *reference == '\'' && mark[-1] == '\'';
	g_autofree char *written = g_strndup(reference + quoted, n - 2 * quoted);
	g_auto(GStrv) parts = g_strsplit(written, "\'\'", -1);
	g_autofree char *sheet = g_strjoinv("'", parts);
	g_auto(GStrv) cell = g_strsplit(mark + 1, "$", -1);
	g_autofree char *place = g_strjoinv(NULL, cell);
	g_autofree char *lower = g_ascii_strdown(sheet, -1);
	g_hash_table_replace(book->given, g_ascii_strup(name, -1),
		g_strconcat(lower, "!", place, NULL));
}

const char *ms_book_sheet(const MsBook *book, const char *part)
{
	g_autofree char *lower = g_ascii_strdown(part, -1);
	return g_hash_table_lookup(book->names, lower);
}

guint ms_book_row(const char *name)
{
	while (g_ascii_isalpha(*name))
		name++;
	guint64 row = g_ascii_isdigit(*name) ? g_ascii_strtoull(name, NULL, 10) : 0;
	return (guint)MIN(row, G_MAXUINT);
}

void ms_book_take(MsBook *book, const char *name, GArray *cells, GString *values, guint cut)
{
	Sheet sheet = {name, cells, values};
	if (cut > 0)
		g_hash_table_replace(book->cut, (char *)name, GUINT_TO_POINTER(cut));
	bool fits = book->cells + cells->len <= MAX_CELLS;
	book->more = book->more || !fits;
	if (fits) {
		book->cells += cells->len;
		g_array_append_val(book->sheets, sheet);
	} else {
		clear_sheet(&sheet);
	}
}

/* Sums and the like make no text. */
static bool makes_text(const char *formula)
{
	return strpbrk(formula, "&\"") != NULL || strstr(formula, "CONCAT") != NULL;
}

void ms_book_formula(MsBook *book, const char *sheet, const char *text)
{
	Formula formula = {sheet, NULL};
	if (!makes_text(text))
		return;
	book->more = book->more || book->formulas->len >= MAX_FORMULAS;
	if (book->formulas->len >= MAX_FORMULAS)
		return;
	formula.text = g_strdup(text);
	g_array_append_val(book->formulas, formula);
}

typedef struct {
	GHashTable *cells; /* "sheet!A5" to value */
	GHashTable *given; /* of the book */
	GHashTable *cut;   /* of the book */
	const char *sheet;
	bool *missed_out; /* a cell that is not kept */
} Place;

/* "sheet!A5" */
static const char *kept_at(const Place *place, const char *key)
{
	const char *value = g_hash_table_lookup(place->cells, key);
	const char *mark = strrchr(key, '!');
	if (value != NULL || mark == NULL || g_hash_table_size(place->cut) == 0)
		return value;
	g_autofree char *sheet = g_strndup(key, (gsize)(mark - key));
	guint cut = GPOINTER_TO_UINT(g_hash_table_lookup(place->cut, sheet));
	*place->missed_out = *place->missed_out || (cut > 0 && ms_book_row(mark + 1) >= cut);
	return NULL;
}

static const char *cell_named(void *user, const char *name)
{
	const Place *place = user;
	const char *mark = strrchr(name, '!');
	g_autofree char *sheet = mark != NULL ? g_ascii_strdown(name, mark - name) : NULL;
	g_autofree char *key = g_strconcat(sheet != NULL ? sheet : place->sheet, "!",
		mark != NULL ? mark + 1 : name, NULL);
	const char *value = kept_at(place, key);
	const char *given = value == NULL ? g_hash_table_lookup(place->given, name) : NULL;
	return given != NULL ? kept_at(place, given) : value;
}

static GHashTable *all_cells(const MsBook *book)
{
	GHashTable *all = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < book->sheets->len; i++) {
		const Sheet *sheet = &g_array_index(book->sheets, Sheet, i);
		for (guint j = 0; j < sheet->cells->len; j++) {
			const MsBookCell *cell = &g_array_index(sheet->cells, MsBookCell, j);
			g_hash_table_replace(all, g_strconcat(sheet->name, "!", cell->name, NULL),
				sheet->values->str + cell->at);
		}
	}
	return all;
}

/* What a name says of its cell, wherever that is. */
static void put_named_cells(const MsBook *book, const Place *in, GString *out)
{
	GHashTableIter iter;
	gpointer name, place;
	g_hash_table_iter_init(&iter, book->given);
	while (g_hash_table_iter_next(&iter, &name, &place)) {
		const char *value = kept_at(in, place);
		if (value != NULL)
			put_named(out, name, value);
	}
}

bool ms_book_work_out(const MsBook *book, GString *out, gsize limit)
{
	if (book->formulas->len == 0 && g_hash_table_size(book->given) == 0) {
		g_string_append(out, book->constants->str);
		return true;
	}
	g_autoptr(GHashTable) cells = all_cells(book);
	bool missed = false;
	Place place = {cells, book->given, book->cut, NULL, &missed};
	for (guint i = 0; i < book->formulas->len && out->len < limit; i++) {
		const Formula *formula = &g_array_index(book->formulas, Formula, i);
		place.sheet = formula->sheet;
		ms_formula_texts(out, formula->text, cell_named, &place);
	}
	put_named_cells(book, &place, out);
	g_string_append(out, book->constants->str);
	return !book->more && !missed && out->len < limit;
}
