/*
 * In come the parts of a workbook that hold what its pivot tables keep of their source (ECMA-376
 * 18.10): the definition, with the names of the fields and the values of some, and the records;
 * out goes the table that they were made of.  In the worker's only thread.
 *
 * The definition comes first.  Which one a list of records belongs to, a relationship says; here
 * all are taken that have as many fields.
 */
#include "config.h"

#include <string.h>

#include "pivot.h"
#include "xml.h"

typedef struct {
	GPtrArray *heads; /* of definitions: of char *, names of fields, each with a tab */
	bool records;
	guint depth;
	gsize limit;    /* bytes of text */
	GString *text;
	GString *row;   /* the record that is open; of a definition, all names */
	char *field;    /* that is open, or NULL */
	bool headed, full;
} Walk;

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
	g_free(walk->field);
	walk->field = g_strdup(name != NULL ? name : "");
	if (kept == NULL || strcmp(kept, "0") != 0)
		put(walk, walk->row, walk->field, '\t');
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
	else if (!walk->records && walk->field != NULL && value != NULL) {
		put(walk, walk->text, walk->field, '\t');
		put(walk, walk->text, value, '\n');
	}
	walk->depth++;
}

static guint columns(const char *row)
{
	guint n = 0;
	for (; *row != '\0'; row++)
		n += *row == '\t';
	return n;
}

static void end_record(Walk *walk)
{
	const GPtrArray *heads = walk->heads;
	for (guint i = 0; i < heads->len && !walk->headed; i++)
		if (columns(heads->pdata[i]) == columns(walk->row->str))
			put(walk, walk->text, heads->pdata[i], '\n');
	walk->headed = true;
	g_string_append_printf(walk->text, "%s\n", walk->row->str);
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

void ms_pivot_read(GPtrArray *heads, const MsExtraction *to, const char *place, const char *root,
	const guint8 *data, gsize len)
{
	static const MsXmlHandler handler = {start, end, no_text, NULL};
	Walk walk = {.heads = heads,
		.records = strcmp(root, "pivotCacheRecords") == 0,
		.limit = (gsize)to->budget->left[MS_COST_TEXT],
		.text = g_string_new(NULL),
		.row = g_string_new(NULL)};
	ms_xml_parse(data, len, to->budget, &handler, &walk);
	if (walk.full)
		ms_reading_unread(to->reading, place, MS_UNREAD_LIMIT, "more text than %s allows",
			ms_cost_name(MS_COST_TEXT));
	ms_extract_span(to, place, walk.text->str, walk.text->len);
	if (!walk.records)
		g_ptr_array_add(heads, g_strdup(walk.row->str));
	g_string_free(walk.row, TRUE);
	g_string_free(walk.text, TRUE);
	g_free(walk.field);
}
