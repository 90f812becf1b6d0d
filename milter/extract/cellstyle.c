/*
 * A cell of SpreadsheetML 2003 has a style, or that of its row, or that of its column; a style
 * has a format, or that of its parent.  In come the elements, out goes the format of a cell.  In
 * the worker's only thread.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cellstyle.h"
#include "xml.h"

#define MAX_COLUMNS 16384
#define MAX_PARENTS 8

typedef struct {
	guint first, last;
	char *style;
} Columns;

struct MsCellStyles {
	GHashTable *formats, *parents; /* of styles */
	GArray *columns;               /* of Columns, of this sheet, in their order */
	char *style;                   /* whose format comes */
	char *row, *cell;              /* the styles that they say, or NULL */
	guint column, next;            /* of the cell that is open; of <Column> */
};

static void free_columns(gpointer data)
{
	g_free(((Columns *)data)->style);
}

MsCellStyles *ms_cell_styles_new(void)
{
	MsCellStyles *styles = g_new0(MsCellStyles, 1);
	styles->next = 1;
	styles->formats = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	styles->parents = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	styles->columns = g_array_new(FALSE, FALSE, sizeof(Columns));
	g_array_set_clear_func(styles->columns, free_columns);
	return styles;
}

void ms_cell_styles_free(MsCellStyles *styles)
{
	if (styles == NULL)
		return;
	g_hash_table_unref(styles->formats);
	g_hash_table_unref(styles->parents);
	g_array_free(styles->columns, TRUE);
	g_free(styles->style);
	g_free(styles->row);
	g_free(styles->cell);
	g_free(styles);
}

static guint number_of(const char *const *attributes, const char *name, guint otherwise)
{
	const char *value = ms_xml_attribute(attributes, name);
	return value != NULL ? (guint)CLAMP(strtol(value, NULL, 10), 0, MAX_COLUMNS) : otherwise;
}

static void set(char **to, const char *value)
{
	g_free(*to);
	*to = g_strdup(value);
}

static void begin_style(MsCellStyles *styles, const char *const *attributes)
{
	const char *parent = ms_xml_attribute(attributes, "Parent");
	set(&styles->style, ms_xml_attribute(attributes, "ID"));
	if (styles->style != NULL && parent != NULL)
		g_hash_table_replace(styles->parents, g_strdup(styles->style), g_strdup(parent));
}

static void begin_column(MsCellStyles *styles, const char *style, const char *const *attributes)
{
	guint first = number_of(attributes, "Index", styles->next);
	guint last = MIN(first + number_of(attributes, "Span", 0), MAX_COLUMNS);
	if (first < styles->next)
		return;
	Columns columns = {first, last, g_strdup(style)};
	g_array_append_val(styles->columns, columns);
	styles->next = last + 1;
}

static const char *of_column(const MsCellStyles *styles, guint column)
{
	guint low = 0, high = styles->columns->len;
	while (low < high) {
		guint middle = (low + high) / 2;
		const Columns *at = &g_array_index(styles->columns, Columns, middle);
		if (column >= at->first && column <= at->last)
			return at->style;
		if (column < at->first)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

void ms_cell_styles_start(MsCellStyles *styles, const char *name, const char *const *attributes)
{
	const char *style = ms_xml_attribute(attributes, "StyleID");
	const char *format = ms_xml_attribute(attributes, "Format");
	if (strcmp(name, "Style") == 0) {
		begin_style(styles, attributes);
	} else if (strcmp(name, "NumberFormat") == 0 && format != NULL && styles->style != NULL) {
		g_hash_table_replace(styles->formats, g_strdup(styles->style), g_strdup(format));
	} else if (strcmp(name, "Table") == 0) {
		g_array_set_size(styles->columns, 0);
		styles->next = 1;
	} else if (strcmp(name, "Column") == 0) {
		begin_column(styles, style, attributes);
	} else if (strcmp(name, "Row") == 0) {
		set(&styles->row, style);
		styles->column = 1;
	} else if (strcmp(name, "Cell") == 0) {
		guint column = number_of(attributes, "Index", styles->column);
		if (style == NULL)
			style = styles->row;
		if (style == NULL)
			style = of_column(styles, column);
		set(&styles->cell, style);
		styles->column = column + 1 + number_of(attributes, "MergeAcross", 0);
	}
}

const char *ms_cell_styles_format(const MsCellStyles *styles)
{
	const char *style = styles->cell;
	for (guint i = 0; style != NULL && i < MAX_PARENTS; i++) {
		const char *format = g_hash_table_lookup(styles->formats, style);
		if (format != NULL)
			return format;
		style = g_hash_table_lookup(styles->parents, style);
	}
	return g_hash_table_lookup(styles->formats, "Default");
}
