/*
 * A file as some program exported it comes in, out go rows of the mapping.  What a spreadsheet has
 * made of a number is not guessed back: such a cell is bad, and says how to export it.  One thread.
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/scan.h"
#include "missent/text.h"

#include "entries.h"
#include "keys.h"
#include "spill.h"
#include "table.h"

typedef struct {
	guint index;
	char *name, *kind;
} Column;

struct MsTable {
	MsCsv *csv;
	int file; /* what was no table, as one; -1: it was */
	MsKinds *kinds;
	MsCsvRecord record;
	char delimiter;
	guint64 lines, bad;
	guint64 blamed; /* the last line that was */
	/* which column is what */
	bool mapped, headed;
	char *heading; /* that of the account's column; headed */
	guint n, account, kind, value;
	GArray *columns; /* of Column; mapped */
	/* what the record gives */
	GPtrArray *rows; /* of Row */
	guint next;
	GPtrArray *below; /* of Row: lines that stand below the table, if nothing more comes */
};

typedef struct {
	char *account, *value, *why;
	const char *kind;
	const char *column; /* or NULL */
	guint64 line;
	bool passed; /* it is no customer's */
} Row;

static void row_free(gpointer data)
{
	Row *row = data;
	g_free(row->account);
	g_free(row->value);
	g_free(row->why);
	g_free(row);
}

static void column_clear(gpointer data)
{
	g_free(((Column *)data)->name);
	g_free(((Column *)data)->kind);
}

void ms_table_free(MsTable *table)
{
	if (table == NULL)
		return;
	ms_csv_free(table->csv);
	if (table->file >= 0)
		close(table->file);
	ms_kinds_unref(table->kinds);
	g_array_unref(table->columns);
	g_ptr_array_unref(table->rows);
	g_ptr_array_unref(table->below);
	g_free(table->heading);
	g_free(table);
}

static bool refuse(GError **error, guint64 line, const char *format, ...) G_GNUC_PRINTF(3, 4);
static bool refuse(GError **error, guint64 line, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	if (line > 0)
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT,
			"line %" G_GUINT64_FORMAT ": %s; nothing is loaded", line, text);
	else
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT, "%s; nothing is loaded", text);
	return false;
}

static Row *add_row(
	MsTable *table, const char *account, const char *kind, const char *value, char *why)
{
	Row *row = g_new0(Row, 1);
	row->account = g_strdup(account);
	row->kind = kind;
	row->value = g_strdup(value);
	row->why = why;
	row->line = table->record.line;
	g_ptr_array_add(table->rows, row);
	return row;
}

/* ---- names ---------------------------------------------------------------------------- */

/* A heading, as it is compared: in a cell it may go over several lines. */
static char *folded(const char *text)
{
	g_autofree char *bare = ms_keys_bare(text);
	g_autofree char *valid = g_utf8_make_valid(bare, -1);
	g_auto(GStrv) words = g_strsplit_set(valid, " \t\r\n", -1);
	GString *out = g_string_new(NULL);
	for (char **word = words; *word != NULL; word++)
		if (**word != '\0')
			g_string_append_printf(out, "%s%s", out->len > 0 ? " " : "", *word);
	g_autofree char *line = g_string_free(out, FALSE);
	return g_utf8_casefold(line, -1);
}

/* The name of a kind, in whatever case, with _ or blanks for -.  NULL: there is none. */
static const char *kind_of(const MsTable *table, const char *text)
{
	g_autofree char *bare = ms_keys_bare(text);
	g_autofree char *name = g_ascii_strdown(bare, -1);
	g_strdelimit(name, " _", '-');
	for (const char *const *row = ms_rows_beside_kinds; *row != NULL; row++)
		if (strcmp(name, *row) == 0)
			return *row;
	const MsKind *kind = ms_kinds_find(table->kinds, name);
	return kind != NULL ? kind->name : NULL;
}

/* The name of a kind or of a setting; people's names have blanks and accents, too. */
static bool is_plain_word(const char *text)
{
	gsize n = 0;
	while (g_ascii_isalpha(text[n]) || text[n] == '-' || text[n] == '_')
		n++;
	return n > 0 && n <= 40 && text[n] == '\0';
}

/* A word, not what stands in a column that was taken for another. */
static bool may_be_shown(const char *text)
{
	return strlen(text) <= 40 && strpbrk(text, "0123456789@") == NULL &&
		g_utf8_validate(text, -1, NULL);
}

static char *no_kind(const MsTable *table, const char *text)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	for (const char *const *row = ms_rows_beside_kinds; *row != NULL; row++)
		g_ptr_array_add(names, (gpointer)*row);
	for (guint i = 0; i < ms_kinds_count(table->kinds); i++)
		g_ptr_array_add(names, ms_kinds_nth(table->kinds, i)->name);
	g_ptr_array_add(names, NULL);
	g_autofree char *word = ms_keys_bare(text);
	const char *near = may_be_shown(word)
		? ms_text_nearest(word, (const char *const *)names->pdata)
		: NULL;
	return g_strdup_printf(
		"\"%s\" is no kind of kinds.conf, nor recipient or receives-for%s%s%s",
		near != NULL || is_plain_word(word) ? word : "...",
		near != NULL ? " (is " : "", near != NULL ? near : "",
		near != NULL ? " meant?)" : "");
}

/* A first line with one value in it is no heading, and its other fields may be values too; one
 * that has a name which was said is a heading, whatever else its names have in them. */
static char *list_columns(const MsCsvRecord *record, bool headed)
{
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < record->n && !headed; i++)
		if (!may_be_shown(record->fields[i]))
			return g_string_assign(out, "what may be values, and is not shown"),
			       g_string_free(out, FALSE);
	for (guint i = 0; i < record->n && i < 20; i++) {
		g_autofree char *name = ms_keys_bare(record->fields[i]);
		g_string_append_printf(out, "%s%s", i > 0 ? ", " : "", name);
	}
	if (record->n > 20)
		g_string_append(out, ", ...");
	return g_string_free(out, FALSE);
}

/* Which column has that name; -1: none, -2: several. */
static int find_column(const MsCsvRecord *record, const char *name)
{
	g_autofree char *want = folded(name);
	int found = -1;
	for (guint i = 0; i < record->n; i++) {
		g_autofree char *have = folded(record->fields[i]);
		if (strcmp(have, want) == 0)
			found = found == -1 ? (int)i : -2;
	}
	return found;
}

/* "COLUMN=KIND" each; of char *.  A column's name may have commas in it, that of a kind has
 * none. */
static GPtrArray *map_items(const MsTableForm *form)
{
	GPtrArray *items = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) pieces = g_strsplit(form->map != NULL ? form->map : "", ",", -1);
	g_autoptr(GString) item = g_string_new(NULL);
	for (char **piece = pieces; *piece != NULL; piece++) {
		g_string_append_printf(item, "%s%s", item->len > 0 ? "," : "", *piece);
		if (item->len > 0 && (strchr(*piece, '=') != NULL || piece[1] == NULL)) {
			g_ptr_array_add(items, g_strdup(item->str));
			g_string_truncate(item, 0);
		}
	}
	return items;
}

/* The name before the last equals sign; the caller's. */
static char *item_name(const char *item)
{
	const char *equals = strrchr(item, '=');
	return g_strndup(item, equals != NULL ? (gsize)(equals - item) : strlen(item));
}

/* Has it a column that was said? */
static bool has_said(const MsCsvRecord *record, const MsTableForm *form)
{
	g_autoptr(GPtrArray) items = map_items(form);
	bool has = form->account != NULL && find_column(record, form->account) != -1;
	for (guint i = 0; i < items->len && !has; i++) {
		g_autofree char *name = item_name(items->pdata[i]);
		has = find_column(record, name) != -1;
	}
	return has;
}

static bool need_column(const MsCsvRecord *record, const MsTableForm *form, const char *name,
	guint *index_out, GError **error)
{
	int found = find_column(record, name);
	g_autofree char *columns = list_columns(record, has_said(record, form));
	if (found == -1)
		return refuse(error, record->line, "there is no column \"%s\"; the heading has: %s%s",
			name, columns,
			record->n == 1 ? " (what is between its fields, --delimiter says)" : "");
	if (found == -2)
		return refuse(error, record->line,
			"several columns are called \"%s\"; the heading has: %s", name, columns);
	*index_out = (guint)found;
	return true;
}

/* ---- the heading ---------------------------------------------------------------------- */

#define TITLE_LINES 20 /* above a heading */

/* Some programs print a title, and what was asked for, above the heading: goes on to the line that
 * has all these columns. */
static bool go_to_heading(MsTable *table, const char *const *names)
{
	MsCsvRecord *record = &table->record;
	for (int i = 0; i < TITLE_LINES; i++) {
		MsCsvResult result = ms_csv_next(table->csv, record);
		if (result == MS_CSV_END || result == MS_CSV_FAILED)
			return false;
		bool all = result == MS_CSV_RECORD;
		for (const char *const *name = names; *name != NULL && all; name++)
			all = find_column(record, *name) != -1;
		if (all)
			return true;
	}
	return false;
}

static bool add_column(
	MsTable *table, const MsTableForm *form, const char *item, GError **error)
{
	const char *equals = strrchr(item, '=');
	if (equals == NULL)
		return refuse(error, 0, "--map: \"%s\" is not COLUMN=KIND", item);
	g_autofree char *name = item_name(item);
	const char *kind = kind_of(table, equals + 1);
	g_autofree char *why = kind == NULL ? no_kind(table, equals + 1) : NULL;
	if (kind == NULL)
		return refuse(error, 0, "--map: %s", why);
	Column column = {0};
	if (!need_column(&table->record, form, name, &column.index, error))
		return false;
	column.name = g_steal_pointer(&name);
	column.kind = g_strdup(kind);
	g_array_append_val(table->columns, column);
	return true;
}

static bool take_map(MsTable *table, const MsTableForm *form, GError **error)
{
	table->mapped = table->headed = true;
	if (form->account == NULL)
		return refuse(
			error, 0, "--map needs --account, the column that says whose each line is");
	if (!need_column(&table->record, form, form->account, &table->account, error))
		return false;
	g_autoptr(GPtrArray) items = map_items(form);
	for (guint i = 0; i < items->len; i++)
		if (!add_column(table, form, items->pdata[i], error))
			return false;
	return table->columns->len > 0 ||
		refuse(error, 0,
			"--account needs --map COLUMN=KIND,..., which says what the other columns are");
}

static void refuse_columns(const MsCsvRecord *record, const char *columns, GError **error)
{
	if (record->n == 1)
		refuse(error, record->line,
			"has 1 column (%s), not account,kind,value: what is between its fields, "
			"--delimiter says",
			columns);
	else
		refuse(error, record->line,
			"has %u columns (%s), not account,kind,value; for a file with a line for each "
			"customer say --map 'COLUMN=KIND,...' --account COLUMN",
			record->n, columns);
}

/* Three words of which the second names no kind head a line for each customer, and so do others
 * beside one of account,kind,value. */
static bool heads_customers(const MsTable *table, bool named)
{
	const MsCsvRecord *record = &table->record;
	bool words = kind_of(table, record->fields[1]) == NULL;
	for (guint i = 0; i < record->n; i++)
		words = words && *record->fields[i] != '\0' && may_be_shown(record->fields[i]);
	return named || words;
}

/* Not a heading: the first line says something. */
static bool take_first(MsTable *table, GError **error)
{
	const MsCsvRecord *record = &table->record;
	int account = find_column(record, "account"), kind = find_column(record, "kind");
	int value = find_column(record, "value");
	if (account >= 0 && kind >= 0 && value >= 0) {
		table->headed = true;
		table->account = (guint)account;
		table->kind = (guint)kind;
		table->value = (guint)value;
		return true;
	}
	guint named = (account != -1) + (kind != -1) + (value != -1);
	g_autofree char *columns = list_columns(record, named > 0);
	if (account == -2 || kind == -2 || value == -2)
		return refuse(error, record->line,
			"several columns are called \"%s\"; the heading has: %s",
			account == -2 ? "account" : kind == -2 ? "kind" : "value", columns);
	if (record->n >= 3 && named == 2)
		return refuse(error, record->line, "there is no column \"%s\"; the heading has: %s",
			account < 0 ? "account" : kind < 0 ? "kind" : "value", columns);
	if (record->n == 3 && !heads_customers(table, named > 0)) {
		table->kind = 1;
		table->value = 2;
		return true;
	}
	refuse_columns(record, columns, error);
	if (go_to_heading(table, (const char *const[]){"account", "kind", "value", NULL}) &&
		error != NULL) {
		g_autofree char *text = (*error)->message;
		(*error)->message = g_strdup_printf("%s; line %" G_GUINT64_FORMAT
			" looks like the heading: take out what stands above it", text,
			record->line);
	}
	return false;
}

static bool unclosed(GError **error, const MsCsvRecord *record)
{
	return refuse(error, record->line,
		"a quote (\") is opened and not closed in its field, so lines cannot be told apart "
		"from here on");
}

/* The first line in which the account's column is; where there is none the first is at fault. */
static bool find_heading(MsTable *table, const MsTableForm *form, GString *told, GError **error)
{
	const MsCsvRecord *record = &table->record;
	guint ignored;
	if (form->account != NULL && find_column(record, form->account) == -1) {
		g_autoptr(GError) why = NULL;
		need_column(record, form, form->account, &ignored, &why);
		if (!go_to_heading(table, (const char *const[]){form->account, NULL})) {
			g_propagate_error(error, g_steal_pointer(&why));
			return false;
		}
		g_string_append_printf(told, "%s the heading is line %" G_GUINT64_FORMAT
			", what is above it is passed over", told->len > 0 ? "," : "",
			record->line);
	}
	table->n = record->n;
	return take_map(table, form, error);
}

/* The first record, which says how the others are to be read. */
static bool take_heading(MsTable *table, const MsTableForm *form, GString *told, GError **error)
{
	MsCsvRecord *record = &table->record;
	switch (ms_csv_next(table->csv, record)) {
	case MS_CSV_END: record->n = 0; return true;
	case MS_CSV_FAILED:
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s", record->why);
		return false;
	case MS_CSV_BAD:
		if (record->unclosed)
			return unclosed(error, record);
		if (form->map != NULL || form->account != NULL)
			return refuse(error, record->line, "%s", record->why);
		table->kind = 1;
		table->value = 2;
		table->lines = 1;
		add_row(table, "", "", "", g_strdup(record->why));
		return true;
	case MS_CSV_RECORD: break;
	}
	table->n = record->n;
	bool fine = form->map != NULL || form->account != NULL
		? find_heading(table, form, told, error) : take_first(table, error);
	if (fine && table->headed)
		table->heading = ms_keys_bare(record->fields[table->account]);
	return fine;
}

static bool find_out(MsTable *table, const MsTableForm *form, GString *told, GError **error)
{
	const char *encoding = form->encoding, *found = ms_csv_find_encoding(table->csv);
	if (encoding == NULL)
		encoding = found;
	if (!ms_csv_set_encoding(table->csv, encoding))
		return refuse(error, 0,
			"--encoding: nobody knows \"%s\" here (iconv -l lists them)", encoding);
	if (form->encoding == NULL && strcmp(found, "UTF-8") != 0)
		g_string_append_printf(told, "%s it is read as %s%s", told->len > 0 ? "," : "",
			found,
			g_str_has_prefix(found, "UTF") ? ""
				: strcmp(found, "windows-1252") == 0
				? " (Latin-1), since it is not UTF-8 (if that is wrong, say --encoding)"
				: ", in which its letters make words (if that is wrong, say --encoding)");
	table->delimiter = table->file >= 0    ? ','
		: form->delimiter != '\0' ? form->delimiter
					  : ms_csv_find_delimiter(table->csv);
	ms_csv_set_delimiter(table->csv, table->delimiter);
	if (form->delimiter == '\0' && table->delimiter != ',')
		g_string_append_printf(told, "%s fields end with %s", told->len > 0 ? "," : "",
			table->delimiter == '\t'          ? "tabulators"
				: table->delimiter == ';' ? "semicolons"
							  : "bars");
	return true;
}

/* A table is made of what is none, and is read instead. */
static bool convert(MsTable *table, const MsTableForm *form, GString *told, GError **error)
{
	const char *other = ms_csv_no_table(table->csv);
	bool ldif = form->ldif || other == ms_csv_ldif;
	if (other == NULL && !ldif)
		return true;
	if (!ldif && other != ms_csv_json)
		return refuse(error, 0, "it is %s; export it as CSV", other);
	if (ldif && (form->map == NULL || form->account == NULL))
		return refuse(error, 0, "it is LDIF: --map ATTRIBUTE=KIND,... and --account ATTRIBUTE say "
			"what its attributes are");
	table->file = ms_spill_file(error);
	if (table->file < 0 ||
		!ms_entries_to_csv(table->csv, table->file, form, !ldif, told, error))
		return false;
	ms_csv_free(table->csv);
	table->csv = ms_csv_new(table->file);
	return ms_csv_seek(table->csv, 0, 0); /* the heading is no line of its own */
}

MsTable *ms_table_new(int fd, const MsTableForm *form, MsKinds *kinds,
	void (*note)(const char *text, void *user), void *user, GError **error)
{
	g_autoptr(MsTable) table = g_new0(MsTable, 1);
	table->file = -1;
	table->csv = ms_csv_new(fd);
	table->kinds = ms_kinds_ref(kinds);
	table->columns = g_array_new(FALSE, FALSE, sizeof(Column));
	g_array_set_clear_func(table->columns, column_clear);
	table->rows = g_ptr_array_new_with_free_func(row_free);
	table->below = g_ptr_array_new_with_free_func(row_free);
	g_autoptr(GString) told = g_string_new(NULL);
	if (!convert(table, form, told, error) || !find_out(table, form, told, error) ||
		!take_heading(table, form, told, error))
		return NULL;
	if (told->len > 0 && note != NULL)
		note(told->str + 1, user);
	return g_steal_pointer(&table);
}

/* ---- cells ---------------------------------------------------------------------------- */

static bool is_address_kind(const MsTable *table, const char *kind)
{
	const MsKind *known = ms_kinds_find(table->kinds, kind);
	return known != NULL && known->form == MS_FORM_ADDRESS;
}

static bool is_mail(const MsTable *table, const char *kind)
{
	const MsKind *known = ms_kinds_find(table->kinds, kind);
	return strcmp(kind, MS_ROW_RECIPIENT) == 0 ||
		(known != NULL && known->form == MS_FORM_EMAIL);
}

/* 1,00E+05, 4.7E11, 12E+3; not 12E5, which a number may be. */
static bool is_exponent(const char *text)
{
	text += *text == '+' || *text == '-';
	gsize whole = strspn(text, "0123456789"), rest = 0;
	const char *at = text + whole;
	if ((*at == '.' || *at == ',') && whole > 0)
		rest = 1 + strspn(at + 1, "0123456789");
	at += rest;
	if (whole == 0 || rest == 1 || g_ascii_toupper(*at) != 'E')
		return false;
	bool sign = at[1] == '+' || at[1] == '-';
	at += 1 + sign;
	return (sign || rest > 0) && *at != '\0' && at[strspn(at, "0123456789")] == '\0';
}

static bool is_grouped(const char *text)
{
	gsize first = strspn(text, "0123456789");
	if (first < 1 || first > 3 || text[first] != ',')
		return false;
	for (text += first; *text == ','; text += 4)
		if (strspn(text + 1, "0123456789") != 3)
			return false;
	return *text == '\0';
}

static bool is_failed_formula(const char *text)
{
	static const char *const words[] = {"#N/A", "#NAME?", "#REF!", "#VALUE!", "#DIV/0!",
		"#NULL!", "#NUM!", "#NV", "#WERT!", "#BEZUG!", "#NOM?", "#VALEUR!", NULL};
	return text[0] == '#' &&
		(g_strv_contains(words, text) || strspn(text, "#") == strlen(text));
}

/* 48291746.0, as programs write a column of numbers in which one is missing; 4711.0 may be one. */
static bool is_fraction(const char *text)
{
	gsize whole = strspn(text, "0123456789");
	return whole > 4 && strcmp(text + whole, ".0") == 0;
}

/* What a spreadsheet left in a cell; NULL: nothing. */
static const char *spreadsheet_problem(const char *cell, bool number)
{
	if (cell[0] == '=')
		return "is a formula of a spreadsheet (=\"...\"): export the values, as text";
	if (is_failed_formula(cell))
		return "is the error of a spreadsheet's formula: export the values";
	if (number && cell[0] == '\'' && g_ascii_isalnum(cell[1]))
		return "begins with an apostrophe, by which a spreadsheet marks text: export it without";
	if (number && is_exponent(cell))
		return "is a number in exponent form (1,00E+05), whose digits a spreadsheet has dropped: export the column as "
		       "text";
	if (number && is_fraction(cell))
		return "is a number with a decimal (48291746.0), which no number of a customer has: export the column as text";
	return NULL;
}

/* "a@b"@c is an address, a@b@c is two that were run together. */
static bool has_two_at(const char *cell)
{
	const char *at = strchr(cell, '@');
	return at != NULL && strchr(cell, '"') == NULL && strchr(at + 1, '@') != NULL &&
		strpbrk(cell, ";,| \t\r\n<") == NULL;
}

static const char *cell_problem(const MsTable *table, const char *kind, const char *cell)
{
	bool address = is_address_kind(table, kind), mail = is_mail(table, kind);
	const char *why = spreadsheet_problem(cell, !address);
	if (why != NULL)
		return why;
	if (mail && has_two_at(cell))
		return "has more than one @";
	if (ms_kinds_find(table->kinds, kind) != NULL && !address && !mail && is_grouped(cell))
		return "may be one number or several: write it without commas, or put semicolons between";
	return NULL;
}

/* "-", "--", "n/a": who has none. */
static bool is_dash(const char *cell)
{
	while (*cell != '\0') {
		bool wide = g_str_has_prefix(cell, "\xe2\x80") && (guint8)cell[2] >= 0x90 &&
			(guint8)cell[2] <= 0x95; /* U+2010 to U+2015 */
		if (!wide && strchr("-./", *cell) == NULL)
			return false;
		cell += wide ? 3 : 1;
	}
	return true;
}

static bool is_nothing(const char *cell)
{
	return is_dash(cell) || g_ascii_strcasecmp(cell, "n/a") == 0 || cell[0] == '\0' ||
		strcmp(cell, "\\N") == 0 || g_ascii_strcasecmp(cell, "NULL") == 0 ||
		strcmp(cell, "(null)") == 0;
}

/* Is it one value as it stands, with what separates others in it? */
static bool is_one_value(const MsTable *table, const char *kind, const char *cell)
{
	const MsKind *known = ms_kinds_find(table->kinds, kind);
	const char *why;
	bool valid = known != NULL && g_utf8_validate(cell, -1, NULL);
	g_autofree char *canonical = valid && ms_kind_has_form(known, cell)
		? ms_kind_canonical(known, cell, strlen(cell), &why)
		: NULL;
	return canonical != NULL;
}

/* Is each piece between commas and line ends a number of the kind?  "HRB 12345, Amtsgericht" and
 * "4,711" are one. */
static bool are_values(const MsTable *table, const char *kind, const char *cell)
{
	g_auto(GStrv) pieces = g_strsplit_set(cell, ",\r\n", -1);
	guint n = 0;
	for (char **piece = pieces; *piece != NULL; piece++) {
		if (*g_strstrip(*piece) == '\0')
			continue;
		if (strpbrk(*piece, " \t") != NULL || !ms_has_digit(*piece, strlen(*piece)) ||
			!is_one_value(table, kind, *piece))
			return false;
		n++;
	}
	return n > 1;
}

/* What ends one of several values in a cell. */
static const char *separators(const MsTable *table, const char *kind, const char *cell)
{
	if (is_address_kind(table, kind))
		return "";
	if (is_mail(table, kind))
		return ";,| \t\r\n";
	if (strcmp(kind, MS_ROW_RECEIVES_FOR) == 0)
		return table->mapped ? ";|\r\n" : "";
	if (ms_kinds_find(table->kinds, kind) == NULL)
		return table->mapped ? ";,|\r\n" : ";|";
	bool several = !is_one_value(table, kind, cell) &&
		(table->mapped || are_values(table, kind, cell));
	return several ? ";,|\r\n" : ";|";
}

/* Without the cell: what is told may be logged. */
static char *problem_of(const char *what, const char *why)
{
	return g_strdup_printf("%s %s", what, why);
}

/* "Muster, Max <max@example.org>; <moritz@example.org>". */
static bool add_named(
	MsTable *table, const char *account, const char *kind, const char *cell, const char *what)
{
	guint added = 0;
	for (const char *at = cell; (at = strchr(at, '<')) != NULL; added++) {
		gsize n = strcspn(++at, ">");
		g_autofree char *value = g_strndup(at, n);
		const char *why = cell_problem(table, kind, value);
		add_row(table, account, kind, value, why != NULL ? problem_of(what, why) : NULL);
		at += n;
	}
	return added > 0;
}

static bool all_have_at(char *const *values)
{
	for (; *values != NULL; values++)
		if (*g_strstrip(*values) != '\0' && strchr(*values, '@') == NULL)
			return false;
	return true;
}

static void add_cell(
	MsTable *table, const char *account, const char *kind, const char *text, const char *what)
{
	g_autofree char *cell = ms_keys_bare(text);
	const char *why = cell_problem(table, kind, cell);
	if (why != NULL) {
		add_row(table, account, kind, cell, problem_of(what, why));
		return;
	}
	const char *between = separators(table, kind, cell);
	if (is_mail(table, kind) && add_named(table, account, kind, cell, what))
		return;
	if (*between == '\0' || strchr(cell, '"') != NULL) {
		add_row(table, account, kind, cell, NULL);
		return;
	}
	g_auto(GStrv) values = g_strsplit_set(cell, between, -1);
	guint added = 0;
	if (is_mail(table, kind) && !all_have_at(values)) {
		add_row(table, account, kind, cell, NULL); /* words are no addresses */
		return;
	}
	for (char **value = values; *value != NULL; value++) {
		why = *g_strstrip(*value) != '\0' ? cell_problem(table, kind, *value) : NULL;
		if (**value != '\0')
			add_row(table, account, kind, *value,
				why != NULL ? problem_of(what, why) : NULL);
		added += **value != '\0';
	}
	if (added == 0)
		/* who canonicalises it says what is wrong */
		add_row(table, account, kind, cell, NULL);
}

/* ---- records -------------------------------------------------------------------------- */

static guint fields_of(const MsTable *table)
{
	return table->headed ? table->n : 3;
}

/* A line within a quoted field that is itself a row: its quote was not to close there. */
static bool has_swallowed(const MsTable *table, const char *field)
{
	if (strchr(field, '\n') == NULL)
		return false;
	const char between[] = {table->delimiter, '\0'};
	guint n = fields_of(table);
	g_auto(GStrv) lines = g_strsplit(field, "\n", -1);
	for (char **line = lines + 1; *line != NULL; line++) {
		g_auto(GStrv) cells = g_strsplit(*line, between, -1);
		if (n < 2 || g_strv_length(cells) != n)
			continue;
		if (table->mapped ? n >= 3 : kind_of(table, cells[table->kind]) != NULL)
			return true;
	}
	return false;
}

static void expand_mapped(MsTable *table, const char *account)
{
	const MsCsvRecord *record = &table->record;
	for (guint i = 0; i < table->columns->len; i++) {
		const Column *column = &g_array_index(table->columns, Column, i);
		g_autofree char *cell = ms_keys_bare(record->fields[column->index]);
		guint before = table->rows->len;
		if (!is_nothing(cell))
			add_cell(table, account, column->kind, cell, column->kind);
		for (guint k = before; k < table->rows->len; k++)
			((Row *)table->rows->pdata[k])->column = column->name;
	}
}

static void expand_plain(MsTable *table, const char *account)
{
	const MsCsvRecord *record = &table->record;
	const char *said = record->fields[table->kind], *kind = kind_of(table, said);
	if (kind == NULL)
		add_row(table, account, "", "", no_kind(table, said));
	else
		add_cell(table, account, kind, record->fields[table->value], "the value");
}

static bool has_columns(const MsTable *table)
{
	const MsCsvRecord *record = &table->record;
	for (guint i = 0; i < table->columns->len; i++) {
		const Column *column = &g_array_index(table->columns, Column, i);
		if (find_column(record, column->name) != (int)column->index)
			return false;
	}
	return table->mapped || (find_column(record, "kind") == (int)table->kind &&
					find_column(record, "value") == (int)table->value);
}

/* A line below the table, in the words of those who export, with figures behind it or not. */
static bool is_total(const MsTable *table, const char *account)
{
	static const char *const words[] = {"total", "totals", "grand total", "subtotal", "sum",
		"count", "summe", "gesamt", "gesamtsumme", "zwischensumme", "gesamtergebnis", "ergebnis",
		"insgesamt", "anzahl", "somme", "total g\u00e9n\u00e9ral", "totale", "totale generale",
		"somma", "suma", "suma total", "totaal", "eindtotaal", "celkem", "spolu", "razem",
		"\u00f6sszesen", "summa", "yhteens\u00e4", "toplam", "genel toplam", "ukupno", "skupaj", NULL};
	for (guint i = 0; i < table->columns->len; i++) {
		const Column *column = &g_array_index(table->columns, Column, i);
		if (is_mail(table, column->kind) &&
			strchr(table->record.fields[column->index], '@') != NULL)
			return false;
	}
	g_autofree char *word = table->mapped ? folded(account) : g_strdup("");
	word[strcspn(word, "0123456789:=(")] = '\0';
	return g_strv_contains(words, g_strstrip(word));
}

static char *wrong_number(const MsTable *table, guint want)
{
	return table->headed
		? g_strdup_printf("has %u field%s, the heading has %u", table->record.n,
			  table->record.n == 1 ? "" : "s", want)
		: g_strdup_printf("has %u field%s, not the three fields account,kind,value",
			  table->record.n, table->record.n == 1 ? "" : "s");
}

/* The rows of the record that was read. */
static void expand(MsTable *table)
{
	const MsCsvRecord *record = &table->record;
	guint want = fields_of(table), n = record->n;
	while (n > want && *record->fields[n - 1] == '\0')
		n--; /* a delimiter at the end of a line */
	if (n != want) {
		add_row(table, "", "", "", wrong_number(table, want));
		return;
	}
	g_autofree char *account = ms_keys_bare(record->fields[table->account]);
	const char *why = !g_utf8_validate(account, -1, NULL) ? "is not UTF-8 (say --encoding)"
		: is_nothing(account) && *account != '\0'     ? "is none"
							      : spreadsheet_problem(account, true);
	/* Pages, and files that were put together, have the heading again. */
	bool heading = g_strcmp0(account, table->heading) == 0;
	if (heading && has_columns(table))
		return;
	if (heading)
		why = "is that of the heading, and other columns are not: import each file by itself";
	if (why != NULL)
		add_row(table, "", "", "", problem_of("the account", why));
	else if (is_total(table, account))
		add_row(table, "", "", "", g_strdup("has the word of a total as account"))
			->passed = true;
	else if (table->mapped)
		expand_mapped(table, account);
	else
		expand_plain(table, account);
}

/* ---- what is between and below -------------------------------------------------------- */

#define BELOW_LINES 20 /* more are bad */

/* Dashes between heading and values, printed for people; and what ends a file of DOS. */
static bool is_drawn(const MsCsvRecord *record)
{
	bool any = record->n == 1 && strcmp(record->fields[0], "\x1a") == 0;
	for (guint i = 0; i < record->n && !(any && i == 0); i++) {
		gsize n = strspn(record->fields[i], "-+=_*| ");
		if (record->fields[i][n] != '\0' || n == 1)
			return false;
	}
	for (guint i = 0; i < record->n && !any; i++)
		any = *record->fields[i] != '\0';
	return any;
}

/* "(2 rows)", "Generated by ...": one field, where the table has several.  A last line without an
 * end was cut. */
static bool may_be_below(const MsTable *table)
{
	return table->record.n == 1 && !table->record.cut && table->lines > 0 &&
		fields_of(table) > 1 && table->below->len < BELOW_LINES;
}

/* More lines came, or (passed) none. */
static void give_below(MsTable *table, bool passed)
{
	table->lines += passed ? 0 : table->below->len;
	while (table->below->len > 0) {
		Row *row = g_ptr_array_steal_index(table->below, 0);
		row->passed = passed;
		if (passed) {
			g_free(row->why);
			row->why = g_strdup("stands below the table");
		}
		g_ptr_array_add(table->rows, row);
	}
}

static MsTableResult give(MsTable *table, MsTableRow *out)
{
	const Row *row = table->rows->pdata[table->next++];
	*out = (MsTableRow){
		row->line, row->account, row->kind, row->value, row->column, row->why};
	return row->why == NULL ? MS_TABLE_ROW : row->passed ? MS_TABLE_PASSED : MS_TABLE_BAD;
}

/* False at the end of all, or where nothing more can be read. */
static bool next_record(MsTable *table, MsTableResult *result, GError **error)
{
	MsCsvRecord *record = &table->record;
	g_ptr_array_set_size(table->rows, 0);
	table->next = 0;
	*result = MS_TABLE_FAILED;
	switch (ms_csv_next(table->csv, record)) {
	case MS_CSV_END:
		give_below(table, true);
		*result = MS_TABLE_END;
		return table->rows->len > 0;
	case MS_CSV_FAILED:
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s", record->why);
		return false;
	case MS_CSV_BAD:
		if (record->unclosed)
			return unclosed(error, record);
		give_below(table, false);
		table->lines++;
		add_row(table, "", "", "", g_strdup(record->why));
		return true;
	case MS_CSV_RECORD: break;
	}
	for (guint i = 0; i < record->n; i++)
		if (has_swallowed(table, record->fields[i]))
			return unclosed(error, record);
	if (is_drawn(record))
		return true;
	bool below = may_be_below(table);
	if (!below)
		give_below(table, false);
	guint before = table->rows->len;
	expand(table);
	if (below)
		g_ptr_array_add(table->below, g_ptr_array_steal_index(table->rows, before));
	else
		table->lines += table->rows->len == before ||
			!((Row *)table->rows->pdata[before])->passed;
	return true;
}

MsTableResult ms_table_next(MsTable *table, MsTableRow *row, GError **error)
{
	MsTableResult result;
	/* A first line that is no heading is a row. */
	if (!table->headed && table->lines == 0 && table->record.n > 0) {
		table->lines++;
		expand(table);
	}
	while (table->next == table->rows->len)
		if (!next_record(table, &result, error))
			return result;
	return give(table, row);
}

void ms_table_blame(MsTable *table)
{
	const Row *row = table->rows->pdata[table->next - 1];
	table->bad += row->line != table->blamed;
	table->blamed = row->line;
}

guint64 ms_table_lines(const MsTable *table)
{
	return table->lines;
}

guint64 ms_table_bad(const MsTable *table)
{
	return table->bad;
}

guint64 ms_table_bytes(const MsTable *table)
{
	return ms_csv_bytes(table->csv);
}

bool ms_table_mark(const MsTable *table, MsTableMark *mark_out)
{
	if (table->next < table->rows->len || table->below->len > 0 ||
		!ms_csv_mark(table->csv, &mark_out->offset, &mark_out->line))
		return false;
	mark_out->lines = table->lines;
	mark_out->bad = table->bad;
	return true;
}

bool ms_table_seek(MsTable *table, const MsTableMark *mark)
{
	table->lines = mark->lines;
	table->bad = mark->bad;
	g_ptr_array_set_size(table->rows, 0);
	table->next = 0;
	return ms_csv_seek(table->csv, mark->offset, mark->line);
}
