/*
 * The form of a settings file: settings, lists, and blocks one level deep.
 *
 * libconfuse complains where it stumbles, which is lines behind the quote, comma or brace that is
 * missing.  So the text, without its comments, comes here first: a walk from word to word, with
 * its place, that ends at the first thing that is missing and says where.  What keys and values
 * mean is libconfuse's and the rows'.  Pure functions.
 */
#include "config.h"

#include <stdarg.h>
#include <string.h>

#include "missent/answer.h"
#include "missent/text.h"

#include "form.h"

typedef enum { END, WORD, EQUAL, OPEN, CLOSE, COMMA } Kind;

typedef struct {
	Kind kind;
	int line;
	char text[64]; /* the beginning, to be shown */
	bool quoted;
} Token;

typedef struct {
	const char *file, *at;
	int line;
	Token token;      /* the next one */
	int last_line;    /* of the one before */
	GHashTable *keys; /* of the block: key to its line */
	GPtrArray *blocks;
	GHashTable *sections; /* the same of blocks without titles, which are one: by name */
	const MsRow *rows; /* of the block; NULL: of one that is none */
	GError **error;
} Walk;

static bool fail(Walk *w, int line, const char *format, ...) G_GNUC_PRINTF(3, 4);
static bool fail(Walk *w, int line, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_autofree char *safe = ms_text_escape(text, -1, 300);
	g_set_error(w->error, MS_ERROR, MS_ERROR_CONFIG, "%s:%d: %s", w->file, line, safe);
	return false;
}

/* ---- words ---------------------------------------------------------------------------- */

static void keep(Token *token, const char *text, gsize len)
{
	gsize n = MIN(len, sizeof token->text - 1);
	memcpy(token->text, text, n);
	token->text[n] = '\0';
	const char *end;
	if (!g_utf8_validate(token->text, -1, &end))
		token->text[end - token->text] = '\0';
}

/* A text ends on its line, unless a backslash joins the next one.  In double quotes libconfuse
 * makes a backspace of \b, and a d of \d: a pattern, or DOMAIN\user, that fits nothing. */
static bool take_text(Walk *w, char quote)
{
	const char *start = ++w->at;
	int line = w->line;
	for (; *w->at != quote; w->at++) {
		if (*w->at == '\0' || *w->at == '\n')
			return fail(w, line,
				"the text that begins with %c is not closed on its line: %c is missing",
				quote, quote);
		if (quote == '"' && *w->at == '\\' && strchr("\\\"$ntr\n", w->at[1]) == NULL)
			return fail(w, w->line,
				"in \"double quotes\" a backslash is no letter of the text: put it in 'single quotes'");
		if (*w->at == '\\' && w->at[1] != '\0' &&
			(quote == '"' || w->at[1] == quote || w->at[1] == '\\'))
			w->line += *++w->at == '\n';
	}
	w->token = (Token){.kind = WORD, .line = line, .quoted = true};
	keep(&w->token, start, (gsize)(w->at - start));
	w->at++;
	return true;
}

static bool next(Walk *w)
{
	static const char marks[] = "={},";
	static const Kind kinds[] = {EQUAL, OPEN, CLOSE, COMMA};
	w->last_line = w->token.line;
	for (; *w->at != '\0' && g_ascii_isspace(*w->at); w->at++)
		w->line += *w->at == '\n';
	if (*w->at == '"' || *w->at == '\'')
		return take_text(w, *w->at);
	w->token = (Token){.kind = END, .line = w->line};
	if (*w->at == '\0')
		return true;
	/* To what is inherited, or a default, libconfuse would add nothing. */
	if (g_str_has_prefix(w->at, "+="))
		return fail(w, w->line, "nothing is added to a list with +=: write all of it, with =");
	const char *mark = strchr(marks, *w->at);
	if (mark != NULL) {
		w->token.kind = kinds[mark - marks];
		w->at++;
		return true;
	}
	/* libconfuse would pass over what follows, perhaps to the end of the file. */
	if (g_str_has_prefix(w->at, "/*") || g_str_has_prefix(w->at, "//"))
		return fail(w, w->line, "a comment begins with #, not with %.2s", w->at);
	gsize len = strcspn(w->at, " \t\r\n\v\f\"'={},");
	w->token.kind = WORD;
	keep(&w->token, w->at, len);
	w->at += len;
	return true;
}

static const MsRow *row_of(const MsRow *rows, const char *key)
{
	while (rows != NULL && rows->key != NULL && strcmp(rows->key, key) != 0)
		rows++;
	return rows != NULL && rows->key != NULL ? rows : NULL;
}

/* ---- settings ------------------------------------------------------------------------- */

static bool take_list(Walk *w, const Token *key)
{
	int line = w->token.line;
	Token before = {.kind = COMMA};
	bool any = false; /* {"a",} has one */
	for (;;) {
		if (!next(w))
			return false;
		Token now = w->token;
		any = any || now.kind == WORD;
		if (now.kind == CLOSE) {
			const MsRow *row = row_of(w->rows, key->text);
			if (!any && row != NULL && row->empty != NULL)
				return fail(w, line, "%s = {} %s", key->text, row->empty);
			return next(w);
		}
		if (now.kind == END || now.kind == OPEN || now.kind == EQUAL)
			return fail(w, line,
				"the list of %s that begins here is not closed: } is missing",
				key->text);
		if (now.kind == COMMA && before.kind == COMMA)
			return fail(w, now.line,
				"a value is missing before this comma, in the list of %s",
				key->text);
		if (now.kind == WORD && before.kind == WORD) {
			/* "key =" of the next line, or a value? */
			const char *ahead = w->at + strspn(w->at, " \t");
			if (!now.quoted && *ahead == '=')
				return fail(w, line,
					"the list of %s that begins here is not closed: } is missing",
					key->text);
			return fail(w, before.line,
				"a comma is missing between \"%s\" and \"%s\", in the list of %s",
				before.text, now.text, key->text);
		}
		before = now;
	}
}

static bool take_value(Walk *w, const Token *key)
{
	int line = w->token.line;
	if (!next(w))
		return false;
	const MsRow *row = row_of(w->rows, key->text);
	if (w->token.kind == OPEN && row != NULL && row->type != MS_ROW_LIST)
		return fail(w, line,
			"%s takes one value, and a list in { } stands here: write %s = VALUE",
			key->text, key->text);
	if (w->token.kind == OPEN)
		return take_list(w, key);
	const char *ahead = w->at + strspn(w->at, " \t");
	if (w->token.kind != WORD || (w->token.line > line && *ahead == '='))
		return fail(w, line, "%s has no value after its =", key->text);
	line = w->token.line;
	if (!next(w))
		return false;
	if (w->token.kind == COMMA)
		return fail(w, line,
			"a comma stands behind the value of %s: only values of a list, {a, b}, have commas",
			key->text);
	if (w->token.kind == WORD && w->token.line == line)
		return fail(w, line,
			"\"%s\" stands behind the value of %s: a value with blanks is put in \"quotes\"%s",
			w->token.text, key->text,
			row_of(w->rows, w->token.text) != NULL
				? ", another setting on a line of its own"
				: "");
	return true;
}

static bool take_setting(Walk *w, const Token *key)
{
	int before = GPOINTER_TO_INT(g_hash_table_lookup(w->keys, key->text));
	if (before > 0)
		return fail(w, key->line,
			"%s stands here already, at line %d: which of them is meant?", key->text,
			before);
	g_hash_table_insert(w->keys, g_strdup(key->text), GINT_TO_POINTER(key->line));
	if (!take_value(w, key))
		return false;
	if (w->token.kind == COMMA)
		return fail(w, w->token.line,
			"a comma stands behind the list of %s: there is none between settings",
			key->text);
	return true;
}

/* "key", of which the next word is not "=". */
static bool lacks_equal(Walk *w, const Token *key)
{
	if (g_str_has_suffix(key->text, ":"))
		return fail(w, key->line, "write %.*s = value, not %s", (int)strlen(key->text) - 1,
			key->text, key->text);
	return fail(w, key->line, "= is missing after %s", key->text);
}

/* ---- blocks --------------------------------------------------------------------------- */

static void block_free(gpointer data)
{
	MsBlock *block = data;
	g_free(block->name);
	g_free(block->title);
	g_free(block);
}

static char *called(const MsBlock *block)
{
	return block->title != NULL ? g_strdup_printf("%s \"%s\"", block->name, block->title)
				    : g_strdup(block->name);
}

static bool is_not_closed(Walk *w, const MsBlock *block)
{
	g_autofree char *name = called(block);
	if (w->token.kind == END)
		return fail(
			w, block->line, "%s, which begins here, is not closed: } is missing", name);
	return fail(w, block->line,
		"%s, which begins here, is not closed before line %d: } is missing", name,
		w->token.line);
}

/* Behind a key: `name {` or `name "title" {`, and not `list {"a"}` without its =. */
static bool begins_block(const Walk *w)
{
	const char *ahead = w->at + strspn(w->at, " \t\r\n");
	return w->token.kind == OPEN ? *ahead != '"' && *ahead != '\''
				     : w->token.kind == WORD && *ahead == '{';
}

/* A reference of the keys that stand in it, here and in others that are one with it. */
static GHashTable *keys_of(Walk *w, const MsBlock *block, const MsRow *row)
{
	GHashTable *keys = row != NULL && row->type == MS_ROW_SECTION
		? g_hash_table_lookup(w->sections, block->name)
		: NULL;
	if (keys != NULL)
		return g_hash_table_ref(keys);
	keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (row != NULL && row->type == MS_ROW_SECTION)
		g_hash_table_insert(w->sections, g_strdup(block->name), g_hash_table_ref(keys));
	return keys;
}

/* Within a block, from its { on. */
static bool take_block(Walk *w, const MsBlock *block)
{
	GHashTable *outer = w->keys;
	const MsRow *outer_rows = w->rows, *row = row_of(w->rows, block->name);
	g_autoptr(GHashTable) keys = keys_of(w, block, row);
	w->keys = keys;
	w->rows = row != NULL ? row->rows : NULL;
	bool fine = next(w);
	while (fine && w->token.kind != CLOSE) {
		Token key = w->token;
		if (key.kind == END)
			fine = is_not_closed(w, block);
		else if (key.kind != WORD)
			fine = fail(w, key.line, "%s is not closed, or a key is missing here",
				block->name);
		else
			fine = next(w);
		if (!fine)
			break;
		if (w->token.kind == EQUAL)
			fine = take_setting(w, &key);
		else if (begins_block(w))
			fine = is_not_closed(w, block);
		else
			fine = lacks_equal(w, &key);
	}
	w->keys = outer;
	w->rows = outer_rows;
	return fine && next(w);
}

static bool begin_block(Walk *w, const Token *name)
{
	MsBlock *block = g_new0(MsBlock, 1);
	g_ptr_array_add(w->blocks, block);
	block->name = g_strdup(name->text);
	block->line = name->line;
	if (w->token.kind == WORD) {
		block->title = g_strdup(w->token.text);
		if (!next(w))
			return false;
	}
	if (w->token.kind == OPEN)
		return take_block(w, block);
	g_autofree char *text = called(block);
	return fail(w, w->last_line, "{ is missing after %s", text);
}

static bool take_all(Walk *w)
{
	bool fine = next(w);
	while (fine && w->token.kind != END) {
		Token key = w->token;
		if (key.kind == CLOSE)
			return fail(w, key.line, "this } closes nothing");
		if (key.kind != WORD)
			return fail(w, key.line, "a key is missing here");
		if (!next(w))
			return false;
		if (w->token.kind == EQUAL)
			fine = take_setting(w, &key);
		else if (begins_block(w) ||
			(w->token.kind == WORD && w->token.quoted && w->token.line == key.line))
			fine = begin_block(w, &key);
		else
			fine = lacks_equal(w, &key);
	}
	return fine;
}

GPtrArray *ms_form_read(const char *file, const char *text, const MsRow *rows, GError **error)
{
	g_autoptr(GHashTable) keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) sections = g_hash_table_new_full(
		g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_hash_table_unref);
	g_autoptr(GPtrArray) blocks = g_ptr_array_new_with_free_func(block_free);
	Walk w = {.file = file,
		.at = text,
		.line = 1,
		.keys = keys,
		.blocks = blocks,
		.sections = sections,
		.rows = rows,
		.error = error};
	return take_all(&w) ? g_steal_pointer(&blocks) : NULL;
}
