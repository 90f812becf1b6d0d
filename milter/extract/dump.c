/*
 * Tables as databases write them out: "INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y');", the same
 * without names where CREATE TABLE stood before, and PostgreSQL's "COPY t (a, b) FROM stdin;".  In
 * comes a text; out go the values of each row with the names of their columns, and the text without
 * what was handed over so, for there each name would vouch for whatever stands next to it.  What
 * stands around the values (names of tables and columns, functions, comments) goes out beside the
 * text, and comments stay in it as well.  In the worker's only thread.
 *
 * Nothing is taken but whole rows with as many values as there are names; all else stays text.
 * Programs differ on whether a backslash in a string means anything: the way of the row before is
 * tried first, and then the other one.
 */
#include "config.h"

#include <string.h>

#include "missent/named.h"
#include "missent/scan.h"
#include "missent/transfer.h"

#include "readers.h"

#define MAX_HEAD 300    /* bytes between INSERT and its bracket */
#define MAX_COLUMNS 2000
#define MAX_TABLES 20000
#define MAX_COMMENT 2000 /* bytes */
#define MAX_VALUES 100000 /* that are handed over at once */
#define ROWS_STEP 64      /* between two looks at the clock */
/* Bytes that are looked at, for each of the text: what breaks off is looked at again. */
#define MAX_LOOKS 8
#define LEAST_LOOKS 65536

/* A value of a row. */
typedef struct {
	gsize from, until; /* in the row's text */
	bool hex;          /* it is bytes */
} Cell;

typedef struct {
	const char *from, *until;
} Stretch;

typedef struct {
	const MsExtraction *to;
	const char *where;
	const char *text, *end;
	gsize looks;          /* that are left */
	bool backslash;       /* means something in strings */
	GHashTable *tables;   /* name in small letters to GPtrArray of char * */
	MsNamedText *named;
	gsize values, rows;
	GString *row;
	GArray *cells;        /* of Cell */
	GString *others;      /* what else stands in a row, or a definition */
	GString *texts;       /* values that have names, tables or lines of their own */
	GArray *taken;        /* of Stretch: what of the row's text its values are */
	const char *said;     /* of the statement all before it is handed over, or will be */
	GString *asides;      /* what stands around the values */
	GString *remarks;     /* the comments of the statement */
	GHashTable *seen;     /* of GBytes: what is in `asides` */
	GString *rest;        /* the text without what was taken, or NULL */
	const char *kept;     /* what is behind it is not in `rest` yet */
} Dump;

typedef enum { NO_HEAD, HEAD_INSERT, HEAD_TABLE, HEAD_COPY } HeadKind;

/* What stands before a bracket. */
typedef struct {
	HeadKind kind;
	const char *from; /* where its word begins */
	const char *name; /* of the table, and where it ends; or NULL */
	gsize len;
	bool values;      /* VALUES is the last word */
	bool created;     /* CREATE stands before it */
} Head;

/* ---- words ----------------------------------------------------------------------------- */

static bool is_of_word(char c)
{
	return g_ascii_isalnum(c) || (c & 0x80) || c == '_' || c == '$' || c == '#' || c == '@';
}

static bool begins_comment(const char *p, const char *end)
{
	return end - p > 2 && (memcmp(p, "/*", 2) == 0 || memcmp(p, "--", 2) == 0);
}

/* Behind the comment at `p`, or NULL: there is none, or it is long. */
static const char *behind_comment(const char *p, const char *end)
{
	gsize room = MIN((gsize)(end - p), MAX_COMMENT);
	if (!begins_comment(p, end))
		return NULL;
	if (*p == '-')
		return memchr(p, '\n', room);
	const char *stop = memmem(p, room, "*/", 2);
	return stop != NULL ? stop + 2 : NULL;
}

/* Blanks and comments. */
static const char *skip_blanks(const char *p, const char *end)
{
	for (;;) {
		while (p < end && g_ascii_isspace(*p))
			p++;
		const char *stop = behind_comment(p, end);
		if (stop == NULL)
			return p;
		p = stop;
	}
}

/* A name, in quotes or not, at `p`; behind it, or NULL. */
static const char *take_name(const char *p, const char *end, const char **name, gsize *len)
{
	char quote = p < end ? (*p == '[' ? ']' : *p) : '\0';
	if (quote == '`' || quote == '"' || quote == ']') {
		const char *stop = memchr(p + 1, quote, MIN((gsize)(end - p - 1), MAX_HEAD));
		if (stop == NULL || stop == p + 1)
			return NULL;
		*name = p + 1;
		*len = (gsize)(stop - p - 1);
		return stop + 1;
	}
	const char *from = p;
	while (p < end && p - from < MAX_HEAD && is_of_word(*p))
		p++;
	*name = from;
	*len = (gsize)(p - from);
	return p > from ? p : NULL;
}

static bool says(const char *name, gsize len, const char *word)
{
	return strlen(word) == len && g_ascii_strncasecmp(name, word, len) == 0;
}

static bool is_one_of(const char *name, gsize len, const char *const *words)
{
	while (*words != NULL && !says(name, len, *words))
		words++;
	return *words != NULL;
}

static HeadKind begins(const Head *head, const char *name, gsize len)
{
	if (says(name, len, "INTO") || says(name, len, "INSERT"))
		return HEAD_INSERT;
	if (says(name, len, "TABLE") && head->created)
		return HEAD_TABLE;
	return says(name, len, "COPY") ? HEAD_COPY : NO_HEAD;
}

/* The next word of a head; `joined`: a full stop is before it. */
static void take_word(Head *head, const char *name, gsize len, bool bare, bool joined)
{
	static const char *const fillers[] = {"OR", "REPLACE", "TEMP", "TEMPORARY", "GLOBAL", "LOCAL",
		"UNLOGGED", "CACHED", "MEMORY", "COLUMN", "IF", "NOT", "EXISTS", "IGNORE", "DELAYED",
		"LOW_PRIORITY", "HIGH_PRIORITY", "ONLY", "OVERWRITE", NULL};
	HeadKind kind = bare ? begins(head, name, len) : NO_HEAD;
	if (kind != NO_HEAD) {
		const char *from = kind == head->kind && head->name == NULL ? head->from : name;
		*head = (Head){.kind = kind, .from = from};
	} else if (bare && says(name, len, "CREATE")) {
		*head = (Head){.created = true};
	} else if (bare && head->name != NULL && !joined &&
		(says(name, len, "VALUES") || says(name, len, "VALUE"))) {
		head->values = true;
	} else if (head->values || (head->name != NULL && !joined)) {
		*head = (Head){.kind = NO_HEAD};
	} else if (!bare || !is_one_of(name, len, fillers)) {
		head->name = name;
		head->len = len;
	}
}

/* What the words before the bracket at `bracket` say. */
static bool find_head(const Dump *d, const char *bracket, Head *head)
{
	const char *p = bracket, *name;
	while (p > d->kept && bracket - p < MAX_HEAD && p[-1] != '\0' && strchr("();'", p[-1]) == NULL)
		p--;
	*head = (Head){.kind = NO_HEAD};
	gsize len;
	bool joined = false;
	for (const char *next; (p = skip_blanks(p, bracket)) < bracket; p = next) {
		next = take_name(p, bracket, &name, &len);
		bool stop = next == NULL && *p == '.' && head->name != NULL; /* "public.invoices" */
		if (next != NULL)
			take_word(head, name, len, name == p, joined);
		else if (!stop)
			*head = (Head){.kind = NO_HEAD};
		next = next != NULL ? next : p + 1;
		joined = stop;
	}
	return head->kind != NO_HEAD && head->name != NULL;
}

/* ---- values ---------------------------------------------------------------------------- */

static bool may_look(Dump *d, gsize n)
{
	d->looks -= MIN(n, d->looks);
	return d->looks > 0;
}

static void put_escaped(GString *out, char c)
{
	static const char from[] = "nrt0bZ", into[] = "\n\r\t \b ";
	const char *known = strchr(from, c);
	g_string_append_c(out, known != NULL && c != '\0' ? into[known - from] : c);
}

/* What a string has that begins at the quote `p`, which is doubled within; behind it, or NULL. */
static const char *take_string(Dump *d, const char *p, bool backslash, GString *out)
{
	for (char quote = *p++; p < d->end;) {
		const char *plain = p;
		while (p < d->end && *p != quote && *p != '\\')
			p++;
		g_string_append_len(out, plain, p - plain);
		if (!may_look(d, (gsize)(p - plain) + 1) || p == d->end)
			return NULL;
		bool doubled = p + 1 < d->end && *p == quote && p[1] == quote;
		bool escape = p + 1 < d->end && *p == '\\' && backslash;
		if (*p == quote && !doubled)
			return p + 1;
		if (escape)
			put_escaped(out, p[1]);
		else
			g_string_append_c(out, *p);
		p += 1 + (doubled || escape);
	}
	return NULL;
}

/* One expression: how deep in brackets it is, and how much of it is known. */
typedef struct {
	guint depth, literals;
	Cell cell;
} Value;

static bool is_first(const Value *v)
{
	return v->literals == 0 || v->depth == 0;
}

/* Of "cast('4711' as char(10))" the first is the value; the others are of no column. */
static GString *literal_of(Dump *d, const Value *v)
{
	return is_first(v) ? d->row : d->others;
}

static void end_literal(Dump *d, Value *v, bool hex)
{
	if (!is_first(v))
		g_string_append_c(d->others, '\n');
	else
		v->cell.hex = hex;
	v->literals++;
}

static void note_taken(Dump *d, const char *from, const char *until)
{
	Stretch stretch = {from, until};
	g_array_append_val(d->taken, stretch);
}

/* A word or number that stands without quotes; "4711 AS int" is the number. */
static const char *take_bare(Dump *d, const char *p, Value *v)
{
	const char *from = p;
	while (p < d->end && strchr("'\"(),;", *p) == NULL)
		p++;
	gsize len = (gsize)(p - from), word = 0;
	bool before = p < d->end && strchr("'\"(", *p) != NULL; /* N'', _utf8'', cast( */
	if (!may_look(d, len) || !ms_has_digit(from, len) || (before && !g_ascii_isdigit(*from)))
		return p;
	while (word < len && !g_ascii_isspace(from[word]))
		word++;
	bool hex = word > 2 && from[0] == '0' && ms_small(from[1]) == 'x';
	g_string_append_len(literal_of(d, v), from + 2 * hex, (gssize)(word - 2 * hex));
	end_literal(d, v, hex);
	if (ms_has_digit(from + word, len - word)) {
		g_string_append_len(d->others, from + word, (gssize)(len - word));
		g_string_append_c(d->others, '\n');
		word = len;
	}
	note_taken(d, from, from + word);
	return p;
}

/* What stands right before the quote at `p`. */
static bool is_before(const Dump *d, const char *p, char small)
{
	return p > d->text && ms_small(p[-1]) == small &&
		(p - 1 == d->text || !is_of_word(p[-2]));
}

static const char *take_quoted(Dump *d, const char *p, bool backslash, Value *v)
{
	bool escapes = is_before(d, p, 'e') || (backslash && !is_before(d, p, 'n'));
	bool hex = is_before(d, p, 'x');
	const char *behind = take_string(d, p, escapes, literal_of(d, v));
	end_literal(d, v, hex);
	if (behind != NULL)
		note_taken(d, p, behind);
	return behind;
}

/* The expression at `p`, up to its comma or bracket, or NULL. */
static const char *take_value(Dump *d, const char *p, bool backslash)
{
	Value v = {.cell = {.from = d->row->len}};
	for (p = skip_blanks(p, d->end); p != NULL && p < d->end && may_look(d, 1);) {
		if (*p == '\'' || *p == '"') {
			p = take_quoted(d, p, backslash, &v);
		} else if (*p == ';' || ((*p == ',' || *p == ')') && v.depth == 0)) {
			break;
		} else if (*p == ',' || *p == ')' || *p == '(') {
			v.depth += *p == '(';
			v.depth -= *p == ')';
			p++;
		} else {
			p = take_bare(d, p, &v);
		}
	}
	v.cell.until = d->row->len;
	g_array_append_val(d->cells, v.cell);
	return p != NULL && p < d->end && *p != ';' ? p : NULL;
}

static void begin_row(Dump *d)
{
	g_string_truncate(d->row, 0);
	g_string_truncate(d->others, 0);
	g_array_set_size(d->cells, 0);
	g_array_set_size(d->taken, 0);
}

/* The row that begins with the bracket at `p`; behind it, or NULL where it has not `n` values. */
static const char *take_row(Dump *d, const char *p, bool backslash, guint n)
{
	begin_row(d);
	for (guint i = 0; i < n; i++) {
		p = take_value(d, p + 1, backslash);
		if (p == NULL || *p != (i + 1 < n ? ',' : ')'))
			return NULL;
	}
	return p + 1;
}

/* ---- names ----------------------------------------------------------------------------- */

static GPtrArray *names_new(void)
{
	return g_ptr_array_new_with_free_func(g_free);
}

/* "(id, kundennr)": behind it, or NULL. */
static const char *take_columns(Dump *d, const char *p, GPtrArray *names)
{
	do {
		const char *name;
		gsize len;
		const char *from = skip_blanks(p + 1, d->end);
		p = take_name(from, d->end, &name, &len);
		if (p == NULL || names->len >= MAX_COLUMNS || !may_look(d, len))
			return NULL;
		g_ptr_array_add(names, g_strndup(name, len));
		p = skip_blanks(p, d->end);
	} while (p < d->end && *p == ',');
	return p < d->end && *p == ')' ? p + 1 : NULL;
}

/* What a part of CREATE TABLE begins with that is no column. */
static bool is_constraint(const char *name, gsize len)
{
	static const char *const words[] = {"PRIMARY", "KEY", "UNIQUE", "CONSTRAINT", "FOREIGN",
		"INDEX", "CHECK", "FULLTEXT", "SPATIAL", "EXCLUDE", "LIKE", "PERIOD", NULL};
	return is_one_of(name, len, words);
}

/* Is "id" only what the table counts its rows by, for another column is its number: "customers (id,
 * customer_no)", "kunden (id, nr)"? */
static bool is_counted(const GPtrArray *names, const char *table)
{
	static const char *const numbers[] = {
		"nr", "no", "num", "nbr", "number", "nummer", "numero", "code", NULL};
	gsize stem = strlen(table);
	stem -= stem > 4 && (table[stem - 1] == 's' || table[stem - 1] == 'n');
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *name = g_ascii_strdown(names->pdata[i], -1);
		bool own = strncmp(name, table, stem) == 0;
		for (const char *const *number = numbers; *number != NULL; number++)
			if (strcmp(name, *number) == 0 || (own && g_str_has_suffix(name, *number)))
				return true;
	}
	return false;
}

static void hand_over(Dump *d)
{
	g_autofree char *place = g_strconcat(d->where, " (rows)", NULL);
	if (d->values > 0)
		ms_extract_named(d->to, place, d->named);
	MsSpan texts = {.type = MS_SPAN_TEXT,
		.where = place,
		.text = d->texts->str,
		.len = d->texts->len};
	ms_extract_hand_over_alone(d->to, &texts);
	g_string_truncate(d->texts, 0);
	ms_named_free(d->named);
	d->named = ms_named_new();
	d->values = 0;
}

/* What has no name, and is of no object. */
static void put_others(Dump *d, const char *text, gsize len)
{
	ms_named_open(d->named, NULL);
	ms_named_value(d->named, NULL, text, len);
	ms_named_close(d->named);
	d->values++;
}

/* What is a text of its own is read as one, too. */
static void put_value(Dump *d, const char *name, const char *text, gsize len)
{
	ms_named_value(d->named, name, text, len);
	for (gsize i = 0; i < len; i++) {
		if (text[i] == '\0' || strchr("\n\t{=|", text[i]) == NULL)
			continue;
		g_string_append_len(d->texts, text, (gssize)len);
		g_string_append(d->texts, "\n\n");
		return;
	}
}

static bool is_hex(const char *digits, gsize len)
{
	while (len > 0 && g_ascii_isxdigit(digits[len - 1]))
		len--;
	return len == 0;
}

/* Bytes: the text that they are, or the document. */
static void put_bytes(Dump *d, const char *name, const char *digits, gsize len)
{
	if (len % 2 != 0 || !is_hex(digits, len)) {
		ms_named_value(d->named, name, digits, len);
		return;
	}
	g_autoptr(GByteArray) bytes = ms_transfer_hex(digits, len);
	if (ms_is_text(bytes->data, bytes->len))
		put_value(d, name, (const char *)bytes->data, bytes->len);
	else if (ms_is_document(bytes->data, bytes->len))
		ms_extract_within(d->to, d->where, name, NULL, bytes->data, bytes->len);
	else
		ms_named_value(d->named, name, digits, len);
}

static void put_row(Dump *d, const GPtrArray *names, const char *table, bool counted)
{
	if (d->values > MAX_VALUES)
		hand_over(d);
	ms_named_open(d->named, table);
	for (guint i = 0; i < d->cells->len; i++) {
		const Cell *cell = &g_array_index(d->cells, Cell, i);
		const char *text = d->row->str + cell->from, *name = names->pdata[i];
		gsize len = cell->until - cell->from;
		bool bytea = len > 2 && text[0] == '\\' && text[1] == 'x';
		if (counted && g_ascii_strcasecmp(name, "id") == 0)
			name = "row";
		if (cell->hex || bytea)
			put_bytes(d, name, text + 2 * bytea, len - 2 * bytea);
		else
			put_value(d, name, text, len);
	}
	d->values += d->cells->len;
	ms_named_close(d->named);
	if (d->others->len > 0)
		put_others(d, d->others->str, d->others->len);
}

/* ---- what is around the values --------------------------------------------------------- */

/* Are there letters or digits between? */
static bool has_word(const char *p, const char *until)
{
	while (p < until && !g_ascii_isalnum(*p) && (*p & 0x80) == 0)
		p++;
	return p < until;
}

/* A comment is text like that between statements: it stays in it. */
static void put_remarks(Dump *d, const char *p, const char *until)
{
	while (p < until) {
		const char *stop = behind_comment(p, until);
		if (stop == NULL && begins_comment(p, until))
			return; /* it has no end */
		if (stop != NULL) {
			g_string_append_len(d->remarks, p, stop - p);
			g_string_append_c(d->remarks, '\n');
		}
		p = stop != NULL ? stop : p + 1;
	}
}

/* What no value is of the statement's text before `until`; in a dump most of it comes again and
 * again, and is handed over once. */
static void put_aside(Dump *d, const char *until)
{
	const char *from = d->said;
	d->said = MAX(from, until);
	if (from >= until || !has_word(from, until))
		return;
	if (!g_hash_table_add(d->seen, g_bytes_new_static(from, (gsize)(until - from))))
		return;
	g_string_append_len(d->asides, from, until - from);
	g_string_append(d->asides, "\n\n");
	put_remarks(d, from, until);
}

/* What stands around the values of the row. */
static void put_around(Dump *d)
{
	for (guint i = 0; i < d->taken->len; i++) {
		const Stretch *taken = &g_array_index(d->taken, Stretch, i);
		put_aside(d, taken->from);
		d->said = taken->until;
	}
}

/* ---- statements ------------------------------------------------------------------------ */

/* The values that are from `from` to `until` were handed over. */
static void cut_out(Dump *d, const char *from, const char *until)
{
	put_aside(d, until);
	if (d->rest == NULL)
		d->rest = g_string_sized_new((gsize)(d->end - d->text) / 2);
	g_string_append_len(d->rest, d->kept, from - d->kept);
	g_string_append_c(d->rest, '\n');
	g_string_append_len(d->rest, d->remarks->str, (gssize)d->remarks->len);
	g_string_truncate(d->remarks, 0);
	d->kept = until;
}

static char *table_name(const Head *head)
{
	g_autofree char *name = g_strndup(head->name, head->len);
	return g_ascii_strdown(name, -1);
}

/* The rows that begin at `p`; behind the last one. */
static const char *take_rows(Dump *d, const char *p, const GPtrArray *names, const char *table)
{
	bool counted = is_counted(names, table);
	const char *behind = p;
	for (p = skip_blanks(p, d->end); p < d->end && *p == '(';) {
		if (++d->rows % ROWS_STEP == 0 && !ms_budget_time(d->to->budget))
			break;
		const char *next = take_row(d, p, d->backslash, names->len);
		if (next == NULL) {
			next = take_row(d, p, !d->backslash, names->len);
			d->backslash = next != NULL ? !d->backslash : d->backslash;
		}
		if (next == NULL)
			break;
		put_row(d, names, table, counted);
		put_around(d);
		behind = next;
		p = skip_blanks(next, d->end);
		if (p == d->end || *p != ',')
			break;
		p = skip_blanks(p + 1, d->end);
	}
	return behind;
}

static const char *skip_word(const char *p, const char *end, const char *word)
{
	const char *name;
	gsize len;
	p = skip_blanks(p, end);
	const char *next = take_name(p, end, &name, &len);
	return next != NULL && name == p && says(name, len, word) ? next : NULL;
}

static void take_insert(Dump *d, const Head *head, const char *bracket)
{
	g_autofree char *table = table_name(head);
	g_autoptr(GPtrArray) own = names_new();
	const GPtrArray *names = own;
	const char *p = bracket;
	if (head->values) {
		names = g_hash_table_lookup(d->tables, table);
	} else {
		p = take_columns(d, bracket, own);
		const char *values = p != NULL ? skip_word(p, d->end, "VALUES") : NULL;
		p = values != NULL || p == NULL ? values : skip_word(p, d->end, "VALUE");
	}
	if (p == NULL || names == NULL)
		return;
	const char *until = take_rows(d, p, names, table);
	if (until > p)
		cut_out(d, head->from, until);
}

static bool is_type(const char *name, gsize len)
{
	static const char *const types[] = {"int", "integer", "bigint", "smallint", "tinyint",
		"mediumint", "serial", "bigserial", "char", "character", "varchar", "varchar2",
		"nvarchar", "nvarchar2", "nchar", "text", "ntext", "tinytext", "mediumtext",
		"longtext", "clob", "blob", "longblob", "decimal", "numeric", "number", "money",
		"real", "float", "double", "date", "time", "datetime", "datetime2", "timestamp",
		"timestamptz", "bool", "boolean", "bit", "uuid", "uniqueidentifier", "json",
		"jsonb", "xml", "bytea", "varbinary", "binary", "image", "enum", "set", "year",
		"citext", NULL};
	return is_one_of(name, len, types);
}

/* The part of CREATE TABLE at `p`: a column's name and what it is.  Behind it, or NULL; `*typed` is
 * taken away if it is nothing that is known. */
static const char *take_definition(Dump *d, const char *p, GPtrArray *names, bool *typed)
{
	const char *name, *type, *from = skip_blanks(p, d->end);
	gsize len, type_len;
	const char *next = take_name(from, d->end, &name, &len);
	if (next == NULL || names->len >= MAX_COLUMNS)
		return NULL;
	if (name != from || !is_constraint(name, len)) {
		g_ptr_array_add(names, g_strndup(name, len));
		*typed = *typed &&
			take_name(skip_blanks(next, d->end), d->end, &type, &type_len) != NULL &&
			is_type(type, type_len);
	}
	return take_value(d, next, d->backslash);
}

/* "varchar(20)" is no customer 20; but what only looks like a table may be anything, and stays. */
static void take_table(Dump *d, const Head *head, const char *bracket)
{
	g_autoptr(GPtrArray) names = names_new();
	const char *p = bracket;
	bool typed = true;
	begin_row(d);
	do
		p = take_definition(d, p + 1, names, &typed);
	while (p != NULL && *p == ',');
	if (p == NULL || names->len == 0 || g_hash_table_size(d->tables) >= MAX_TABLES)
		return;
	g_hash_table_replace(d->tables, table_name(head), g_steal_pointer(&names));
	if (!typed)
		return;
	for (guint i = 0; i < d->cells->len; i++) {
		const Cell *cell = &g_array_index(d->cells, Cell, i);
		put_others(d, d->row->str + cell->from, cell->until - cell->from);
	}
	put_others(d, d->others->str, d->others->len);
	put_around(d);
	cut_out(d, head->from, p + 1);
}

/* Undoes a field of COPY. */
static void put_field(Dump *d, const char *p, const char *stop)
{
	Cell cell = {.from = d->row->len};
	if (stop - p == 2 && memcmp(p, "\\N", 2) == 0)
		p = stop;
	for (; p < stop; p++) {
		if (*p == '\\' && p + 1 < stop)
			put_escaped(d->row, *++p);
		else
			g_string_append_c(d->row, *p);
	}
	cell.until = d->row->len;
	g_array_append_val(d->cells, cell);
}

/* A line of COPY; false if it has not `n` fields. */
static bool take_fields(Dump *d, const char *p, const char *stop, guint n)
{
	begin_row(d);
	for (guint i = 0; i < n; i++) {
		const char *tab = memchr(p, '\t', (gsize)(stop - p));
		if ((tab == NULL) != (i + 1 == n))
			return false;
		put_field(d, p, tab != NULL ? tab : stop);
		p = tab != NULL ? tab + 1 : stop;
	}
	return true;
}

static void take_copy(Dump *d, const Head *head, const char *bracket)
{
	g_autofree char *table = table_name(head);
	g_autoptr(GPtrArray) names = names_new();
	const char *p = take_columns(d, bracket, names);
	p = p != NULL ? skip_word(p, d->end, "FROM") : NULL;
	p = p != NULL ? skip_word(p, d->end, "stdin") : NULL;
	if (p == NULL)
		return;
	const char *first = ms_line_after(p, d->end), *line = first;
	bool counted = is_counted(names, table);
	while (line < d->end) {
		const char *next = ms_line_after(line, d->end), *stop = next;
		while (stop > line && (stop[-1] == '\n' || stop[-1] == '\r'))
			stop--;
		bool ends = stop - line == 2 && memcmp(line, "\\.", 2) == 0;
		if (ends || !may_look(d, (gsize)(next - line)) ||
			(++d->rows % ROWS_STEP == 0 && !ms_budget_time(d->to->budget)) ||
			!take_fields(d, line, stop, names->len))
			break;
		put_row(d, names, table, counted);
		put_aside(d, line);
		d->said = next;
		line = next;
	}
	if (line > first)
		cut_out(d, head->from, line);
}

static void take_statement(Dump *d, const char *bracket)
{
	Head head;
	if (!find_head(d, bracket, &head))
		return;
	d->said = head.from;
	switch (head.kind) {
	case HEAD_INSERT: take_insert(d, &head, bracket); break;
	case HEAD_TABLE: take_table(d, &head, bracket); break;
	case HEAD_COPY: take_copy(d, &head, bracket); break;
	case NO_HEAD: break;
	}
}

static void names_free(gpointer names)
{
	g_ptr_array_unref(names);
}

GString *ms_dump_read(const MsExtraction *to, const MsSpan *span)
{
	const char *end = span->text + span->len, *p = memchr(span->text, '(', span->len);
	if (p == NULL)
		return NULL;
	Dump d = {.to = to,
		.where = span->where,
		.text = span->text,
		.end = end,
		.looks = LEAST_LOOKS + MAX_LOOKS * span->len,
		.backslash = true,
		.tables = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, names_free),
		.named = ms_named_new(),
		.row = g_string_new(NULL),
		.others = g_string_new(NULL),
		.texts = g_string_new(NULL),
		.cells = g_array_new(FALSE, FALSE, sizeof(Cell)),
		.taken = g_array_new(FALSE, FALSE, sizeof(Stretch)),
		.asides = g_string_new(NULL),
		.remarks = g_string_new(NULL),
		.seen = g_hash_table_new_full(
			g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL),
		.kept = span->text};
	for (; p != NULL && d.looks > 0; p = memchr(p, '(', (gsize)(end - p))) {
		const char *kept = d.kept;
		take_statement(&d, p);
		p = d.kept > kept ? d.kept : p + 1;
	}
	hand_over(&d);
	ms_extract_aside(to, d.where, false, d.asides->str, d.asides->len);
	if (d.rest != NULL)
		g_string_append_len(d.rest, d.kept, end - d.kept);
	g_hash_table_unref(d.tables);
	ms_named_free(d.named);
	g_string_free(d.row, TRUE);
	g_string_free(d.others, TRUE);
	g_string_free(d.texts, TRUE);
	g_array_unref(d.cells);
	g_array_unref(d.taken);
	g_string_free(d.asides, TRUE);
	g_string_free(d.remarks, TRUE);
	g_hash_table_unref(d.seen);
	return d.rest;
}
