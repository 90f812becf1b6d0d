/*
 * A list may begin at 7740912 and write "KD-%1" before each paragraph: a number that stands
 * nowhere in the text (ECMA-376 part 1, 17.9).  In come the definitions and the paragraphs in
 * their order, out go labels, and the label "KD-" with the word that it stands before.  "1." and
 * "a)" say nothing and are left out.  The worker's one thread.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "missent/scan.h"

#include "numbering.h"
#include "xml.h"

#define LEVELS 9
#define MAX_DEFINITIONS 10000
#define TELLING 4 /* letters and digits */
#define MAX_LABEL 400
#define MAX_WORD 40

typedef struct {
	char *text[LEVELS];    /* "KD-%1" */
	gint64 start[LEVELS], count[LEVELS];
	bool begun[LEVELS];
} Definition;

struct MsNumbering {
	GHashTable *definitions; /* abstractNumId to Definition */
	GHashTable *lists;       /* numId to Definition, borrowed */
	GHashTable *styles;      /* of paragraphs, to numId */
	GHashTable *levels;      /* of such a style, plus one */
	char *style;             /* that is open */
	Definition *open;
	guint level;
	char *list;
};

static void definition_free(gpointer data)
{
	Definition *definition = data;
	for (guint i = 0; i < LEVELS; i++)
		g_free(definition->text[i]);
	g_free(definition);
}

MsNumbering *ms_numbering_new(void)
{
	MsNumbering *n = g_new0(MsNumbering, 1);
	n->definitions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, definition_free);
	n->lists = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	n->styles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	n->levels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return n;
}

void ms_numbering_free(MsNumbering *n)
{
	if (n == NULL)
		return;
	g_hash_table_unref(n->lists);
	g_hash_table_unref(n->definitions);
	g_hash_table_unref(n->styles);
	g_hash_table_unref(n->levels);
	g_free(n->style);
	g_free(n->list);
	g_free(n);
}

static guint level_of(const char *const *attributes)
{
	const char *level = ms_xml_attribute(attributes, "ilvl");
	return level != NULL ? (guint)strtoul(level, NULL, 10) : 0;
}

/* Most numbered paragraphs say no more than their style, which says the list. */
static void start_in_style(MsNumbering *n, const char *name, const char *value)
{
	if (value == NULL || g_hash_table_size(n->styles) >= MAX_DEFINITIONS)
		return;
	if (strcmp(name, "numId") == 0)
		g_hash_table_replace(n->styles, g_strdup(n->style), g_strdup(value));
	else if (strcmp(name, "ilvl") == 0)
		g_hash_table_replace(n->levels, g_strdup(n->style),
			GUINT_TO_POINTER((guint)strtoul(value, NULL, 10) + 1));
}

const char *ms_numbering_of_style(const MsNumbering *n, const char *style, guint *level)
{
	const char *list = style != NULL ? g_hash_table_lookup(n->styles, style) : NULL;
	guint at = list != NULL ? GPOINTER_TO_UINT(g_hash_table_lookup(n->levels, style)) : 0;
	*level = at > 0 ? at - 1 : *level;
	return list;
}

static Definition *define(MsNumbering *n, const char *id)
{
	Definition *definition = g_hash_table_lookup(n->definitions, id);
	if (definition != NULL || g_hash_table_size(n->definitions) >= MAX_DEFINITIONS)
		return definition;
	definition = g_new0(Definition, 1);
	g_hash_table_insert(n->definitions, g_strdup(id), definition);
	g_hash_table_insert(n->lists, g_strdup(id), definition);
	return definition;
}

void ms_numbering_define(
	MsNumbering *n, const char *id, guint level, const char *text, gint64 start)
{
	Definition *definition = level < LEVELS ? define(n, id) : NULL;
	if (definition == NULL)
		return;
	definition->start[level] = start;
	g_free(definition->text[level]);
	definition->text[level] = g_strndup(text, MAX_LABEL);
}

void ms_numbering_restart(MsNumbering *n, const char *id, guint level, gint64 number)
{
	Definition *definition = g_hash_table_lookup(n->lists, id);
	if (definition == NULL || level >= LEVELS)
		return;
	definition->begun[level] = number > G_MININT64;
	definition->count[level] = number - definition->begun[level];
}

void ms_numbering_start(MsNumbering *n, const char *name, const char *const *attributes)
{
	const char *value = ms_xml_attribute(attributes, "val");
	if (strcmp(name, "style") == 0) {
		g_free(n->style);
		n->style = g_strdup(ms_xml_attribute(attributes, "styleId"));
	} else if (n->style != NULL) {
		start_in_style(n, name, value);
	} else if (strcmp(name, "abstractNum") == 0) {
		const char *id = ms_xml_attribute(attributes, "abstractNumId");
		n->open = g_new0(Definition, 1);
		n->level = 0;
		g_autofree char *unnamed = id == NULL || g_hash_table_contains(n->definitions, id)
			? g_strdup_printf("?%u", g_hash_table_size(n->definitions)) : NULL;
		if (g_hash_table_size(n->definitions) < MAX_DEFINITIONS) {
			g_hash_table_insert(
				n->definitions, g_strdup(unnamed != NULL ? unnamed : id), n->open);
		} else {
			g_clear_pointer(&n->open, definition_free);
		}
	} else if (strcmp(name, "num") == 0) {
		const char *id = ms_xml_attribute(attributes, "numId");
		g_free(n->list);
		n->list = g_strdup(id);
		n->open = NULL;
	} else if (strcmp(name, "abstractNumId") == 0 && n->list != NULL && value != NULL) {
		n->open = g_hash_table_lookup(n->definitions, value);
		if (n->open != NULL && g_hash_table_size(n->lists) < MAX_DEFINITIONS)
			g_hash_table_replace(n->lists, g_strdup(n->list), n->open);
	} else if (strcmp(name, "lvl") == 0 || strcmp(name, "lvlOverride") == 0) {
		n->level = level_of(attributes);
	} else if (n->open != NULL && n->level < LEVELS && value != NULL) {
		if (strcmp(name, "start") == 0 || strcmp(name, "startOverride") == 0) {
			n->open->start[n->level] = g_ascii_strtoll(value, NULL, 10);
		} else if (strcmp(name, "lvlText") == 0) {
			g_free(n->open->text[n->level]);
			n->open->text[n->level] = g_strndup(value, MAX_LABEL);
		}
	}
}

static GString *label_of(const Definition *definition, guint level)
{
	GString *out = g_string_new(NULL);
	for (const char *p = definition->text[level]; p != NULL && *p != '\0'; p++) {
		if (*p == '%' && p[1] >= '1' && p[1] <= '9') {
			guint at = (guint)(*++p - '1');
			gint64 count = definition->begun[at] ? definition->count[at]
							     : definition->start[at];
			g_string_append_printf(out, "%" G_GINT64_FORMAT, count);
		} else {
			g_string_append_c(out, *p);
		}
	}
	return out;
}

void ms_numbering_label(const char *label, const char *text, gsize len, GString *out)
{
	guint telling = 0, letters = 0;
	for (const char *p = label; *p != '\0'; p++) {
		telling += g_ascii_isalnum(*p);
		letters += g_ascii_isalpha(*p);
	}
	if (telling >= TELLING)
		g_string_append_printf(out, "%s\n", label);
	gsize word = 0;
	while (word < len && !g_ascii_isspace(text[word]))
		word++;
	if ((letters < 2 && telling < TELLING) || word > MAX_WORD || !ms_has_digit(text, word))
		return;
	/* What follows the label may be a blank: two numbers are not made one. */
	bool apart = *label != '\0' && g_ascii_isalnum(label[strlen(label) - 1]) &&
		g_ascii_isalnum(*text);
	g_string_append_printf(out, "%s%s%.*s\n", label, apart ? " " : "", (int)word, text);
}

static void put_start(const Definition *definition, guint level, GString *out)
{
	g_autoptr(GString) label = label_of(definition, level);
	ms_numbering_label(label->str, NULL, 0, out);
}

void ms_numbering_end(MsNumbering *n, const char *name, GString *out)
{
	if (strcmp(name, "style") == 0)
		g_clear_pointer(&n->style, g_free);
	bool definition = strcmp(name, "abstractNum") == 0;
	if (!definition && strcmp(name, "num") != 0)
		return;
	for (guint i = 0; n->open != NULL && i < LEVELS; i++)
		put_start(n->open, i, out);
	n->open = NULL;
	g_clear_pointer(&n->list, g_free);
}

char *ms_numbering_count(MsNumbering *n, const char *id, guint level)
{
	Definition *definition = g_hash_table_lookup(n->lists, id);
	if (definition == NULL || level >= LEVELS)
		return NULL;
	if (definition->begun[level])
		definition->count[level]++;
	else
		definition->count[level] = definition->start[level];
	definition->begun[level] = true;
	for (guint i = level + 1; i < LEVELS; i++)
		definition->begun[i] = false;
	return g_string_free(label_of(definition, level), FALSE);
}
