/*
 * In come the parts of a workbook that hold what its pivot tables keep of their source (ECMA-376
 * 18.10): the definition, with the names of the fields and the values of some, and the records;
 * out goes the table that they were made of, and each record once more as the formats of its fields
 * show it.  In the worker's only thread.
 *
 * The definition comes first.  Which one a list of records belongs to, a relationship says; here
 * all are taken that have as many fields.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "numfmt.h"
#include "pivot.h"
#include "xml.h"

/* Of a definition. */
typedef struct {
	GString *names;     /* of fields, each with a tab */
	GPtrArray *formats; /* of their numbers, of char * or NULL */
	bool tells;         /* one of them does */
} Head;

typedef struct {
	GPtrArray *heads;   /* of Head */
	const MsSheets *sheets;
	Head *head;         /* of the definition; of the records, once one is known */
	bool records;
	guint depth;
	gsize limit;    /* bytes of text */
	GString *text;
	GString *row;   /* the record that is open */
	GString *shown; /* ... as its formats show it */
	char *field;    /* that is open, or NULL */
	bool headed, full;
} Walk;

static void head_free(gpointer data)
{
	Head *head = data;
	g_string_free(head->names, TRUE);
	g_ptr_array_unref(head->formats);
	g_free(head);
}

GPtrArray *ms_pivot_heads_new(void)
{
	return g_ptr_array_new_with_free_func(head_free);
}

static void put(Walk *walk, GString *to, const char *text, char behind)
{
	walk->full = walk->full || walk->text->len + to->len + strlen(text) >= walk->limit;
	if (walk->full)
		return;
	g_string_append(to, text);
	g_string_append_c(to, behind);
}

/* A field that is worked out of others has no value in the records. */
static void begin_field(Walk *walk, const char *const *attributes)
{
	const char *name = ms_xml_attribute(attributes, "name");
	const char *kept = ms_xml_attribute(attributes, "databaseField");
	const char *format = ms_xml_attribute(attributes, "numFmtId");
	g_free(walk->field);
	walk->field = g_strdup(name != NULL ? name : "");
	if (kept != NULL && strcmp(kept, "0") == 0)
		return;
	put(walk, walk->head->names, walk->field, '\t');
	const char *code = format != NULL
		? ms_sheets_format(walk->sheets, (guint)strtoul(format, NULL, 10)) : NULL;
	bool tells = code != NULL && ms_number_format_tells(code);
	g_ptr_array_add(walk->head->formats, tells ? g_strdup(code) : NULL);
	walk->head->tells = walk->head->tells || tells;
}

/* Of the field that is open. */
static void put_shared(Walk *walk, const char *value)
{
	const GPtrArray *formats = walk->head->formats;
	g_autoptr(GString) shown = g_string_new(NULL);
	put(walk, walk->text, walk->field, '\t');
	put(walk, walk->text, value, '\n');
	if (formats->len == 0 ||
		!ms_number_value_shown(shown, value, formats->pdata[formats->len - 1]))
		return;
	put(walk, walk->text, walk->field, '\t');
	put(walk, walk->text, shown->str, '\n');
}

static void start(void *user, const char *name, const char *const *attributes)
{
	Walk *walk = user;
	const char *value = ms_xml_attribute(attributes, "v");
	bool index = strcmp(name, "x") == 0; /* of a value that the definition lists */
	if (walk->records && walk->depth == 2)
		put(walk, walk->row, value != NULL && !index ? value : "", '\t');
	else if (!walk->records && strcmp(name, "cacheField") == 0)
		begin_field(walk, attributes);
	else if (!walk->records && walk->field != NULL && value != NULL)
		put_shared(walk, value);
	walk->depth++;
}

static guint columns(const char *row)
{
	guint n = 0;
	for (; *row != '\0'; row++)
		n += *row == '\t';
	return n;
}

/* Does any value of the record show otherwise than it is kept? */
static bool show_record(Walk *walk)
{
	bool other = false;
	if (walk->head == NULL || !walk->head->tells)
		return false;
	g_string_truncate(walk->shown, 0);
	g_auto(GStrv) values = g_strsplit(walk->row->str, "\t", -1);
	for (guint i = 0; i < walk->head->formats->len && values[i] != NULL; i++) {
		bool shows = ms_number_value_shown(
			walk->shown, values[i], walk->head->formats->pdata[i]);
		g_string_append_printf(walk->shown, "%s\t", shows ? "" : values[i]);
		other = other || shows;
	}
	return other;
}

static void end_record(Walk *walk)
{
	const GPtrArray *heads = walk->heads;
	for (guint i = 0; i < heads->len && !walk->headed; i++) {
		Head *head = heads->pdata[i];
		if (columns(head->names->str) != columns(walk->row->str))
			continue;
		put(walk, walk->text, head->names->str, '\n');
		walk->head = walk->head != NULL ? walk->head : head;
	}
	walk->headed = true;
	put(walk, walk->text, walk->row->str, '\n');
	if (show_record(walk))
		put(walk, walk->text, walk->shown->str, '\n');
	g_string_truncate(walk->row, 0);
}

static void end(void *user, const char *name)
{
	Walk *walk = user;
	walk->depth -= walk->depth > 0;
	if (walk->records && walk->depth == 1)
		end_record(walk);
	else if (!walk->records && strcmp(name, "cacheField") == 0)
		g_clear_pointer(&walk->field, g_free);
}

static void no_text(void *user, const char *text, gsize len)
{
	(void)user;
	(void)text;
	(void)len;
}

void ms_pivot_read(GPtrArray *heads, const MsSheets *sheets, const MsExtraction *to,
	const char *place, const char *root, const guint8 *data, gsize len)
{
	static const MsXmlHandler handler = {start, end, no_text, NULL};
	Walk walk = {.heads = heads,
		.sheets = sheets,
		.records = strcmp(root, "pivotCacheRecords") == 0,
		.limit = (gsize)to->budget->left[MS_COST_TEXT],
		.text = g_string_new(NULL),
		.row = g_string_new(NULL),
		.shown = g_string_new(NULL)};
	if (!walk.records) {
		walk.head = g_new0(Head, 1);
		walk.head->names = g_string_new(NULL);
		walk.head->formats = g_ptr_array_new_with_free_func(g_free);
		g_ptr_array_add(heads, walk.head);
	}
	ms_xml_parse(data, len, to->budget, &handler, &walk);
	if (walk.full)
		ms_reading_unread(to->reading, place, MS_UNREAD_LIMIT, "more text than %s allows",
			ms_cost_name(MS_COST_TEXT));
	ms_extract_span(to, place, walk.text->str, walk.text->len);
	g_string_free(walk.row, TRUE);
	g_string_free(walk.shown, TRUE);
	g_string_free(walk.text, TRUE);
	g_free(walk.field);
}
