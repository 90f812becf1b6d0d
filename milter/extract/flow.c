/*
 * In comes one part of OOXML (ECMA-376), OpenDocument (ISO/IEC 26300), Word 2003 or SpreadsheetML
 * 2003 as XML; out go its spans.  In the worker's only thread.
 *
 * Word splits a number over many runs for reasons of its own, so within a paragraph nothing
 * stands between two texts; outside of one, each element's text is a line.  What stands between
 * two halves of a number on paper does not stand between them here: notes, text boxes, field
 * instructions and pronunciation go to a text of their own ("aside").  And where one paragraph
 * can be read in several ways (before and after tracked changes, with and without hidden text,
 * numbers as shown and as stored), each way is written down whole, from the paragraph's beginning.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "missent/named.h"
#include "missent/scan.h"
#include "missent/text.h"

#include "cellstyle.h"
#include "chart.h"
#include "conditions.h"
#include "flow.h"
#include "formula.h"
#include "headed.h"
#include "html.h"
#include "line.h"
#include "numfmt.h"
#include "readers.h"
#include "xml.h"

/* Where text goes: the part itself, or what stands aside of a paragraph. */
typedef struct {
	MsLine line;
	guint depth;         /* of the element that opened it */
	guint paragraphs;    /* open */
	gsize cell;          /* the cell that is open began here */
	gsize beside;        /* bytes of the label before it, which begins it */
	/* the mark of the paragraph is deleted or hidden: the next one goes on */
	bool plain_end;
	char *deletion;      /* OpenDocument: of this change it is the deleted text, or NULL */
} Target;

typedef enum {
	OTHER,
	ANNOTATION,
	BASED_ON,
	BINARY,
	BLOB,
	BREAK,
	CACHE,
	CELL,
	CHANGE,
	CHANGE_END,
	CHANGE_START,
	CODES,
	COLUMNS,
	CONDITION,
	CONDITIONS,
	CONDITION_FORMAT,
	CONTENT,
	COUNTED,
	DATA,
	DELETED,
	DELETED_TEXT,
	DELETION,
	FIELD,
	FORMAT_CODE,
	FORMULA,
	HIDING,
	HYPHEN,
	INLINE,
	INSERTED,
	INSERTION,
	INSTRUCTION,
	LIST_STYLE,
	LEVEL,
	MARK,
	MARK_END,
	NAMED_WITHIN,
	NAMING,
	NUMBER,
	NUMBERING,
	PAGES,
	PAGE_CODES,
	PARAGRAPH,
	PARAGRAPH_STYLE,
	PART,
	PROPERTIES,
	RANGES,
	REGION,
	ROW,
	RUN,
	RUN_STYLE,
	SHEET_CELL,
	SHEET_ROW,
	SPACE,
	STRING,
	STYLE,
	SYMBOL,
	TAB,
	TEXT,
	VALUE,
	VANISH,
	PHONETIC,
} Kind;

/* Sorted by name. */
static const struct {
	const char *name;
	Kind kind;
} kinds[] = {
	{"Cell", CELL},
	{"CustomDocumentProperties", NAMED_WITHIN},
	{"Data", DATA},
	{"DataMashup", BINARY},
	{"Fallback", ANNOTATION},
	{"Footer", PAGE_CODES},
	{"Header", PAGE_CODES},
	{"Row", ROW},
	{"abstractNum", NUMBERING},
	{"annotation", ANNOTATION},
	{"basedOn", BASED_ON},
	{"binData", BINARY},
	{"binary-data", BINARY},
	{"binaryData", BINARY},
	{"blob", BLOB},
	{"bookmark-end", MARK_END},
	{"bookmark-start", MARK},
	{"bookmarkEnd", MARK_END},
	{"bookmarkStart", MARK},
	{"br", BREAK},
	{"buAutoNum", COUNTED},
	{"c", SHEET_CELL},
	{"calculatedColumnFormula", FORMULA},
	{"cfRule", CONDITION},
	{"change", CHANGE},
	{"change-end", CHANGE_END},
	{"change-info", ANNOTATION},
	{"change-start", CHANGE_START},
	{"changed-region", REGION},
	{"conditionalFormatting", CONDITIONS},
	{"covered-table-cell", CELL},
	{"cr", BREAK},
	{"definedName", FORMULA},
	{"del", DELETED},
	{"delInstrText", INSTRUCTION},
	{"delText", DELETED_TEXT},
	{"deletion", DELETION},
	{"evenFooter", CODES},
	{"evenHeader", CODES},
	{"f", FORMULA},
	{"ffData", NAMING},
	{"firstFooter", CODES},
	{"firstHeader", CODES},
	{"fldChar", FIELD},
	{"fldData", BINARY},
	{"footnote", ANNOTATION},
	{"formatCode", FORMAT_CODE},
	{"formula", FORMULA},
	{"formula1", FORMULA},
	{"formula2", FORMULA},
	{"frame", ANNOTATION},
	{"gridSpan", COLUMNS},
	{"h", PARAGRAPH},
	{"hidden-text", HIDING},
	{"ilvl", LEVEL},
	{"ins", INSERTED},
	{"insertion", INSERTION},
	{"instrText", INSTRUCTION},
	{"is", INLINE},
	{"line-break", BREAK},
	{"list-level-style-number", LIST_STYLE},
	{"lvl", NUMBERING},
	{"moveFrom", DELETED},
	{"moveTo", INSERTED},
	{"noBreakHyphen", HYPHEN},
	{"note", ANNOTATION},
	{"num", NUMBERING},
	{"numCache", CACHE},
	{"numFmt", CONDITION_FORMAT},
	{"numId", NUMBER},
	{"numLit", CACHE},
	{"oddFooter", CODES},
	{"oddHeader", CODES},
	{"p", PARAGRAPH},
	{"pPr", PROPERTIES},
	{"pStyle", PARAGRAPH_STYLE},
	{"pageSetup", PAGES},
	{"part", PART},
	{"ptab", TAB},
	{"r", RUN},
	{"rPh", PHONETIC},
	{"rStyle", RUN_STYLE},
	{"reference-mark-end", MARK_END},
	{"reference-mark-start", MARK},
	{"row", SHEET_ROW},
	{"rt", ANNOTATION},
	{"ruby-text", ANNOTATION},
	{"s", SPACE},
	{"script", ANNOTATION},
	{"sdtContent", CONTENT},
	{"sdtPr", NAMING},
	{"si", STRING},
	{"sqref", RANGES},
	{"style", STYLE},
	{"sym", SYMBOL},
	{"t", TEXT},
	{"tab", TAB},
	{"table-cell", CELL},
	{"table-row", ROW},
	{"tc", CELL},
	{"text", STRING},
	{"text-box", ANNOTATION},
	{"textbox", ANNOTATION},
	{"totalsRowFormula", FORMULA},
	{"tr", ROW},
	{"txbxContent", ANNOTATION},
	{"v", VALUE},
	{"vanish", VANISH},
};

typedef struct {
	MsOffice *office;
	const char *place;
	bool strings;
	GArray *targets;     /* of Target; the last one takes the text */
	GArray *open;        /* of guint8: the kind of each open element */
	GString *aside, *changed[MS_N_WAYS];
	GString *unlabelled; /* boxes of the paragraph that have no label before them */
	GString *collected;  /* text that is made something of at the end of its element */
	bool collects;
	/* blanks were left out: a space, if text follows in the same element */
	bool blank;
	guint deleted, inserted;
	bool hidden;         /* within a run */
	char *style;         /* Word's, that is open, or NULL */
	guint hiding;        /* open elements of which the text is not shown */
	guint properties;    /* open pPr */
	GByteArray *fields;  /* of each open field: are we in its instruction? */
	guint instructions;
	GString *instruction;
	/* OpenDocument's tracked changes */
	char *region;
	GHashTable *deletions; /* id to GString */
	GHashTable *insertions;
	guint inserting;
	/* lists */
	char *list;
	guint level;
	gint64 counted_from, counted; /* PowerPoint: the list that is open, and how far it is */
	/* cells */
	MsCell cell;
	bool in_cell;
	guint column;        /* of the row, that the next cell is in */
	guint spare;         /* columns that the open cell has besides its own */
	GString *shown, *stored;
	char *formula;       /* of the cell that is open, or NULL */
	char *kept;          /* OpenDocument: what the cell that is open has beside its text */
	GString *row;        /* ... and the row, as it has it; NULL while that is as shown */
	gsize row_from;
	const char *sheet;   /* its name in a book, or NULL */
	GArray *cells;       /* of MsBookCell: cells of the sheet with a value */
	GString *values;     /* theirs */
	guint cut;           /* the first row of which some are not kept; 0: all are */
	GPtrArray *formulas; /* of char *: those that nobody worked out */
	char *cache_format;
	bool in_cache;
	MsChart *chart;      /* that is open, or NULL */
	MsConditions *conditions;
	char *ranges;        /* of the cells that the open ones are about, or NULL */
	GPtrArray *inner;    /* documents in attributes */
	GPtrArray *other_formats; /* of char *: of conditions whose ranges come behind */
	guint sheet_row;
	gint64 first_page;   /* the number that the sheet's has */
	MsCellStyles *styles; /* SpreadsheetML 2003, or NULL */
	bool formatted;      /* a Data that its cell's format is for */
	char *part;          /* Flat OPC: its name */
	bool standard;       /* of a schema whose attributes the table of structural items names */
	gsize limit;         /* bytes of text */
	bool full;
	bool defines;        /* a part with styles or lists, or a document in one file */
	MsNamedText *named;  /* of a part whose elements say what their values are, or NULL */
	GString *value;      /* of the element that is open there */
	bool properties_part;
	MsHeaded *headed;
	GString *names;      /* of the control or field that comes next, one a line */
	guint naming;        /* open elements that say them */
} Flow;

#define MAX_STYLES 10000
#define MAX_STYLES_ON 10 /* one on the other */
#define MAX_CELLS 100000 /* of a sheet, that its formulas may name */

/* ---- where text goes ------------------------------------------------------------------ */

static Target *top(Flow *f)
{
	return &g_array_index(f->targets, Target, f->targets->len - 1);
}

/* One string may be shown by any number of cells: what is more than may be read is not kept. */
static void put(Flow *f, guint bits, const char *text, gsize len)
{
	if (top(f)->line.out->len + len > f->limit) {
		f->full = true;
		return;
	}
	ms_line_put(&top(f)->line, bits, text, len);
}

static void put_separator(Flow *f, char c)
{
	Target *t = top(f);
	if (t->line.out->len > t->cell) /* what is empty needs no end */
		ms_line_separate(&t->line, c);
}

#define MAX_EMPTY 64 /* cells one beside the other; more are the rest of a sheet */

static void put_empty(Flow *f, guint cells)
{
	for (guint i = 0; i < cells && cells <= MAX_EMPTY; i++)
		put(f, MS_ALL_WAYS, "\t", 1);
	f->column += cells;
}

/* One that names its column stands in it. */
static void begin_in_column(Flow *f, guint column)
{
	if (column > f->column)
		put_empty(f, column - f->column);
	top(f)->cell = top(f)->line.out->len;
	f->spare = 0;
}

/* Empty ones count, for those below have the same columns. */
static void end_in_column(Flow *f)
{
	ms_line_end_cell(&top(f)->line, top(f)->cell);
	f->column++;
	put_empty(f, f->spare);
	f->spare = 0;
}

/* The paragraph or row is over: what else it could be goes to its own text. */
static void begin_line(Flow *f)
{
	ms_line_end(&top(f)->line, f->changed);
}

static void end_line(Flow *f)
{
	ms_line_separate(&top(f)->line, '\n');
	begin_line(f);
}

static void push_target(Flow *f)
{
	Target target = {.line = {.out = g_string_new(NULL)}, .depth = f->open->len};
	g_array_append_val(f->targets, target);
}

/* A box has the label before it. */
static void push_beside(Flow *f)
{
	g_autofree char *label = ms_line_label(&top(f)->line);
	push_target(f);
	if (label != NULL)
		put(f, MS_ALL_WAYS, label, strlen(label));
	top(f)->beside = top(f)->line.out->len;
}

static void put_aside(Flow *f, const GString *text)
{
	g_string_append_len(f->aside, text->str, (gssize)text->len);
	ms_separate(f->aside, '\n');
}

static void pop_target(Flow *f)
{
	end_line(f);
	Target target = *top(f);
	if (target.line.out->len == target.beside) /* nothing is in it */
		g_string_truncate(target.line.out, 0);
	g_array_set_size(f->targets, f->targets->len - 1);
	put_aside(f, target.line.out);
	if (target.beside == 0 && f->targets->len == 1)
		g_string_append_len(
			f->unlabelled, target.line.out->str, (gssize)target.line.out->len);
	if (target.deletion != NULL)
		g_hash_table_replace(f->deletions, target.deletion, target.line.out);
	else
		g_string_free(target.line.out, TRUE);
}

/* In which readings of the paragraph a text stands here. */
static guint bits_here(const Flow *f)
{
	guint bits = MS_ALL_WAYS;
	if (f->deleted > 0)
		bits &= MS_BEFORE;
	if (f->inserted > 0 || f->inserting > 0)
		bits &= ~(guint)MS_BEFORE;
	if (f->hidden || f->hiding > 0)
		bits &= ~(guint)(MS_SHOWN | MS_STORED | MS_BEFORE);
	return bits;
}

static void set_text(char **to, const char *value)
{
	g_free(*to);
	*to = g_strdup(value);
}

/* ---- conditional formatting ----------------------------------------------------------- */

#define MAX_OTHER 64 /* formats in one list of conditions */

static void show_condition(Flow *f, const char *ranges, const char *format)
{
	if (!ms_conditions_show(f->conditions, ranges, format, f->aside, f->limit))
		f->full = true;
}

/* The one in the sheet names a look of the styles, by its number; later ones have their own. */
static void begin_condition(Flow *f, Kind kind, const char *const *attributes)
{
	const char *look = ms_xml_attribute(attributes, "dxfId");
	const char *code = ms_xml_attribute(attributes, "formatCode");
	if (kind == CONDITIONS)
		set_text(&f->ranges, ms_xml_attribute(attributes, "sqref"));
	else if (kind == CONDITION && look != NULL && f->ranges != NULL)
		show_condition(f, f->ranges,
			ms_sheets_other_format(
				f->office->sheets, (guint)strtoul(look, NULL, 10)));
	else if (kind == CONDITION_FORMAT && code != NULL && f->chart == NULL && !f->defines &&
		f->other_formats->len < MAX_OTHER)
		g_ptr_array_add(f->other_formats, g_strdup(code));
}

static void end_ranges(Flow *f)
{
	for (guint i = 0; i < f->other_formats->len; i++)
		show_condition(f, f->collected->str, f->other_formats->pdata[i]);
	g_ptr_array_set_size(f->other_formats, 0);
	put_aside(f, f->collected);
}

/* ---- what is collected ---------------------------------------------------------------- */

static void collect(Flow *f)
{
	g_string_truncate(f->collected, 0);
	f->collects = true;
}

static void read_binary(Flow *f)
{
	g_autoptr(GByteArray) bytes = ms_base64_text(f->collected->str, f->collected->len);
	if (bytes == NULL || bytes->len == 0)
		put_aside(f, f->collected);
	else if (!ms_mashup_read(f->office->to, f->place, bytes->data, bytes->len))
		ms_extract_within(f->office->to, f->place,
			f->part != NULL ? f->part : "binary data", NULL, bytes->data, bytes->len);
}

/* Bytes that a program put there, of no kind that is said. */
static void read_blob(Flow *f)
{
	g_autoptr(GByteArray) bytes = ms_base64_text(f->collected->str, f->collected->len);
	if (bytes == NULL || bytes->len == 0)
		put_aside(f, f->collected);
	else if (ms_extract_lays_out(bytes->data, bytes->len))
		read_binary(f);
	else
		ms_strings(f->aside, bytes->data, bytes->len);
}

static void put_codes(Flow *f, const char *codes)
{
	g_autoptr(GString) text = g_string_new(NULL);
	ms_header_text(text, codes, f->first_page);
	put(f, MS_ALL_WAYS, text->str, text->len);
	end_line(f);
}

/* A number with a format: as shown, and as stored in the reading that has it so. */
static void put_value(Flow *f, const GString *shown, const GString *stored)
{
	if (stored->len == 0) {
		put(f, MS_ALL_WAYS, shown->str, shown->len);
		return;
	}
	put(f, MS_ALL_WAYS & ~(guint)MS_STORED, shown->str, shown->len);
	put(f, MS_STORED, stored->str, stored->len);
}

static void put_number(Flow *f, const char *format)
{
	g_string_truncate(f->shown, 0);
	g_string_truncate(f->stored, 0);
	g_string_append_len(
		ms_number_value_shown(f->shown, f->collected->str, format) ? f->stored : f->shown,
		f->collected->str, (gssize)f->collected->len);
	put_value(f, f->shown, f->stored);
}

static void end_value(Flow *f)
{
	if (f->in_cache) {
		put_number(f, f->cache_format);
		end_line(f);
		return;
	}
	g_string_truncate(f->shown, 0);
	g_string_truncate(f->stored, 0);
	ms_cell_value(&f->cell, f->office->sheets, f->collected->str, f->collected->len, f->shown,
		f->stored);
	put_value(f, f->shown, f->stored);
}

static void end_collecting(Flow *f, Kind kind)
{
	f->collects = false;
	switch ((guint)kind) {
	case BINARY: read_binary(f); break;
	case BLOB: read_blob(f); break;
	case CODES:
		put_codes(f, f->collected->str);
		put_aside(f, f->collected);
		break;
	case VALUE: end_value(f); break;
	case FORMULA:
		put_aside(f, f->collected);
		if (f->in_cell) {
			g_free(f->formula);
			f->formula = g_strdup(f->collected->str);
		} else {
			ms_formula_texts(f->aside, f->collected->str, NULL, NULL);
		}
		break;
	case RANGES: end_ranges(f); break;
	case DATA:
		put_number(f, f->styles != NULL ? ms_cell_styles_format(f->styles) : NULL);
		break;
	case FORMAT_CODE:
		g_free(f->cache_format);
		f->cache_format = g_strndup(f->collected->str, f->collected->len);
		break;
	default: break;
	}
	g_string_truncate(f->collected, 0);
}

static void keep_cell(Flow *f, const char *value)
{
	if (f->cells->len < MAX_CELLS && f->values->len < f->limit) {
		MsBookCell kept = {.at = (guint)f->values->len};
		g_strlcpy(kept.name, f->cell.name, sizeof kept.name);
		g_array_append_val(f->cells, kept);
		g_string_append_len(f->values, value, (gssize)strlen(value) + 1);
		return;
	}
	guint row = MAX(ms_book_row(f->cell.name), 1);
	f->cut = f->cut > 0 ? MIN(f->cut, row) : row;
}

/* A cell is over.  What is worked out nowhere ("0" stands there, or nothing) may need cells that
 * come later. */
static void end_cell(Flow *f)
{
	Target *t = top(f);
	f->in_cell = false;
	const char *shown = t->line.out->len > t->cell ? t->line.out->str + t->cell : "";
	const char *value = f->stored->len > 0 ? f->stored->str : shown;
	bool none = *value == '\0' || strcmp(value, "0") == 0;
	if (f->formula != NULL && !none)
		ms_formula_texts(f->aside, f->formula, NULL, NULL);
	else if (f->formula != NULL)
		g_ptr_array_add(f->formulas, g_steal_pointer(&f->formula));
	g_clear_pointer(&f->formula, g_free);
	if (!none && *f->cell.name != '\0')
		keep_cell(f, value);
	ms_conditions_cell(f->conditions, f->sheet_row, f->column, value);
	end_in_column(f);
}

/* ---- formulas ------------------------------------------------------------------------- */

typedef struct {
	GHashTable *values; /* by their names */
	guint cut;
	bool missed; /* one that is not kept */
} Cells;

static const char *cell_named(void *user, const char *name)
{
	Cells *cells = user;
	const char *value = g_hash_table_lookup(cells->values, name);
	cells->missed = cells->missed ||
		(value == NULL && cells->cut > 0 && ms_book_row(name) >= cells->cut);
	return value;
}

static void work_out(Flow *f)
{
	for (guint i = 0; f->sheet != NULL && i < f->formulas->len; i++)
		ms_book_formula(f->office->book, f->sheet, f->formulas->pdata[i]);
	if (f->formulas->len == 0 || f->sheet != NULL)
		return;
	g_autoptr(GHashTable) values = g_hash_table_new(g_str_hash, g_str_equal);
	Cells cells = {values, f->cut, false};
	for (guint i = 0; i < f->cells->len; i++) {
		MsBookCell *kept = &g_array_index(f->cells, MsBookCell, i);
		g_hash_table_insert(values, kept->name, f->values->str + kept->at);
	}
	for (guint i = 0; i < f->formulas->len && f->aside->len < f->limit; i++)
		ms_formula_texts(f->aside, f->formulas->pdata[i], cell_named, &cells);
	if (cells.missed)
		ms_reading_unread(f->office->to->reading, f->place, MS_UNREAD_LIMIT,
			"more cells than formulas are worked out with");
}

/* For formulas of other sheets. */
static void keep_cells(Flow *f)
{
	if (f->sheet != NULL)
		ms_book_take(f->office->book, f->sheet, g_steal_pointer(&f->cells),
			g_steal_pointer(&f->values), f->cut);
}

/* ---- elements that begin -------------------------------------------------------------- */

static Kind kind_of(const char *name)
{
	gsize low = 0, high = G_N_ELEMENTS(kinds);
	while (low < high) {
		gsize middle = (low + high) / 2;
		int order = (guchar)name[0] - (guchar)kinds[middle].name[0];
		if (order == 0)
			order = strcmp(name, kinds[middle].name);
		if (order == 0)
			return kinds[middle].kind;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return OTHER;
}

static bool is_off(const char *const *attributes)
{
	const char *value = ms_xml_attribute(attributes, "val");
	return value != NULL && (strcmp(value, "0") == 0 || strcmp(value, "false") == 0
		|| strcmp(value, "off") == 0);
}

/* A symbol of a font: the fonts of signs have theirs at F000 (ECMA-376 17.3.3.30). */
static void put_symbol(Flow *f, const char *const *attributes)
{
	const char *code = ms_xml_attribute(attributes, "char");
	gunichar c = code != NULL ? (gunichar)strtoul(code, NULL, 16) : 0;
	if (c >= 0xf000 && c <= 0xf0ff)
		c -= 0xf000;
	char utf8[6];
	if (c >= 0x20 && g_unichar_validate(c))
		put(f, bits_here(f), utf8, (gsize)g_unichar_to_utf8(c, utf8));
}

/* Elements have their depth as a key. */
#define FIELD_KEY(n) ((guint64)1 << 32 | (n))
#define MARK_KEY(name) ((guint64)1 << 33 | g_str_hash(name))

/* What SET and ASK make is kept for other fields, and not shown. */
static bool keeps(const char *instruction)
{
	while (g_ascii_isspace(*instruction))
		instruction++;
	return g_ascii_strncasecmp(instruction, "SET ", 4) == 0 ||
		g_ascii_strncasecmp(instruction, "ASK ", 4) == 0;
}

static void field_char(Flow *f, const char *const *attributes)
{
	const char *type = ms_xml_attribute(attributes, "fldCharType");
	static const guint8 in = 1;
	if (type == NULL)
		return;
	if (strcmp(type, "begin") == 0) {
		g_byte_array_append(f->fields, &in, 1);
		f->instructions++;
		g_string_truncate(f->names, 0);
		return;
	}
	if (f->fields->len == 0 ||
		(f->instructions == 1 && strcmp(type, "separate") == 0 &&
			keeps(f->instruction->str)))
		return;
	guint8 *last = &f->fields->data[f->fields->len - 1];
	f->instructions -= *last;
	*last = 0;
	if (strcmp(type, "end") == 0) {
		ms_headed_end(f->headed, FIELD_KEY(f->fields->len), top(f)->line.out);
		g_byte_array_set_size(f->fields, f->fields->len - 1);
	} else if (f->instructions == 0) {
		ms_headed_field(f->names, f->instruction->str);
		ms_headed_begin(f->headed, FIELD_KEY(f->fields->len), f->names->str,
			top(f)->line.out);
	}
	if (f->instructions == 0) {
		put_aside(f, f->instruction);
		g_string_truncate(f->instruction, 0);
	}
}

static void begin_region(Flow *f, const char *const *attributes)
{
	const char *id = ms_xml_attribute(attributes, "id");
	g_free(f->region);
	f->region = g_strdup(id);
}

static void begin_deletion(Flow *f)
{
	push_target(f);
	top(f)->deletion = g_strdup(f->region != NULL ? f->region : "");
}

static void change(Flow *f, Kind kind, const char *const *attributes)
{
	const char *id = ms_xml_attribute(attributes, "change-id");
	const GString *deletion = id != NULL ? g_hash_table_lookup(f->deletions, id) : NULL;
	if (kind == CHANGE && deletion != NULL) {
		gsize len = deletion->len;
		len -= len > 0 && deletion->str[len - 1] == '\n';
		put(f, MS_BEFORE, deletion->str, len);
		g_hash_table_remove(f->deletions, id); /* it stood in one place */
	} else if (kind == CHANGE_START && id != NULL && g_hash_table_contains(f->insertions, id)) {
		f->inserting++;
	} else if (kind == CHANGE_END && f->inserting > 0 && id != NULL
		&& g_hash_table_contains(f->insertions, id)) {
		f->inserting--;
	}
}

static void list_style(Flow *f, const char *const *attributes)
{
	const char *prefix = ms_xml_attribute(attributes, "num-prefix");
	const char *start = ms_xml_attribute(attributes, "start-value");
	const char *suffix = ms_xml_attribute(attributes, "num-suffix");
	if (prefix == NULL && start == NULL)
		return;
	g_string_append_printf(f->aside, "%s%s%s", prefix != NULL ? prefix : "",
		start != NULL ? start : "1", suffix != NULL ? suffix : "");
	ms_separate(f->aside, '\n');
}

/* PowerPoint: each paragraph of a list says where it begins. */
static void count_on(Flow *f, const char *const *attributes)
{
	const char *value = ms_xml_attribute(attributes, "startAt");
	gint64 from = value != NULL ? g_ascii_strtoll(value, NULL, 10) : 1;
	f->counted = from == f->counted_from ? f->counted + 1 : from;
	f->counted_from = from;
	if (f->counted >= 1000 && f->aside->len < f->limit)
		g_string_append_printf(f->aside, "%" G_GINT64_FORMAT "\n", f->counted);
}

static void begin_data(Flow *f, const char *const *attributes)
{
	const char *type = ms_xml_attribute(attributes, "Type");
	const char *format = f->styles != NULL ? ms_cell_styles_format(f->styles) : NULL;
	f->formatted = (type != NULL && strcmp(type, "Number") == 0) ||
		(format != NULL && strchr(format, '@') != NULL);
	if (f->formatted)
		collect(f);
	else
		top(f)->paragraphs++;
}

static void begin_paragraph(Flow *f)
{
	Target *t = top(f);
	if (t->paragraphs++ == 0 && !t->plain_end) {
		put_separator(f, '\n');
		begin_line(f);
	}
	t->plain_end = false;
	g_clear_pointer(&f->list, g_free);
	f->level = 0;
}

/* The element around the properties that this one stands in. */
static bool is_of(const Flow *f, Kind kind)
{
	return f->open->len >= 3 && g_array_index(f->open, guint8, f->open->len - 3) == kind;
}

#define HIDES "" /* what a style is based on that hides text itself: no style has this name */

/* A style of Word's: `on` is HIDES, the one that it goes by, or NULL where it shows its text. */
static void keep_style(Flow *f, const char *on)
{
	GHashTable *all = f->office->hiding;
	if (f->style != NULL && g_hash_table_size(all) < MAX_STYLES)
		g_hash_table_replace(all, g_strdup(f->style), g_strdup(on));
}

static bool style_hides(const Flow *f, const char *style)
{
	for (guint i = 0; style != NULL && i < MAX_STYLES_ON; i++) {
		style = g_hash_table_lookup(f->office->hiding, style);
		if (style != NULL && strcmp(style, HIDES) == 0)
			return true;
	}
	return false;
}

static void begin_mark(Flow *f, Kind kind, const char *const *attributes)
{
	/* In the properties of a paragraph these are said of its mark. */
	if (f->properties > 0) {
		if (kind != INSERTED && !is_off(attributes))
			top(f)->plain_end = true;
	} else if (kind == VANISH && is_of(f, RUN)) {
		f->hidden = !is_off(attributes);
	} else if (kind == VANISH && is_of(f, STYLE)) {
		keep_style(f, is_off(attributes) ? NULL : HIDES);
	}
	f->deleted += kind == DELETED;
	f->inserted += kind == INSERTED;
}

static void begin_row(Flow *f)
{
	f->row_from = top(f)->line.out->len;
	if (f->row != NULL)
		g_string_free(f->row, TRUE);
	f->row = NULL;
	f->column = 0;
}

/* How many it has besides its own. */
static guint columns_of(const char *number)
{
	gint64 n = g_ascii_strtoll(number, NULL, 10);
	return n > 1 && n <= MAX_EMPTY ? (guint)n - 1 : 0;
}

static void begin_sheet_row(Flow *f, const char *const *attributes)
{
	const char *number = ms_xml_attribute(attributes, "r");
	end_line(f);
	f->column = 0;
	f->sheet_row = number != NULL ? (guint)strtoul(number, NULL, 10) - 1 : f->sheet_row + 1;
}

static void begin_cell(Flow *f, const char *const *attributes)
{
	const char *index = ms_xml_attribute(attributes, "Index");
	const char *repeated = ms_xml_attribute(attributes, "number-columns-repeated");
	const char *merged = ms_xml_attribute(attributes, "MergeAcross");
	begin_in_column(f, index != NULL ? columns_of(index) : 0);
	f->spare = repeated != NULL ? columns_of(repeated)
		: merged != NULL    ? columns_of(merged) + 1
				    : 0;
}

static void begin_other(Flow *f, Kind kind, const char *const *attributes)
{
	const char *value;
	switch ((guint)kind) {
	case LIST_STYLE: list_style(f, attributes); break;
	case DATA: begin_data(f, attributes); break;
	case ROW: begin_row(f); break;
	case CELL: begin_cell(f, attributes); break;
	case COLUMNS:
		value = ms_xml_attribute(attributes, "val");
		f->spare = value != NULL ? columns_of(value) : 0;
		break;
	case PAGE_CODES:
		if (f->styles != NULL && ms_xml_attribute(attributes, "Data") != NULL)
			put_codes(f, ms_xml_attribute(attributes, "Data"));
		break;
	case LEVEL: f->level = (guint)strtoul(ms_xml_attribute(attributes, "val") != NULL
				? ms_xml_attribute(attributes, "val") : "0", NULL, 10); break;
	case COUNTED: count_on(f, attributes); break;
	case PAGES:
		value = ms_xml_attribute(attributes, "firstPageNumber");
		f->first_page = value != NULL ? g_ascii_strtoll(value, NULL, 10) : 1;
		break;
	case CONDITION:
	case CONDITIONS:
	case CONDITION_FORMAT: begin_condition(f, kind, attributes); break;
	case PARAGRAPH_STYLE:
		if (f->list == NULL)
			set_text(&f->list,
				ms_numbering_of_style(f->office->numbering,
					ms_xml_attribute(attributes, "val"), &f->level));
		break;
	case NUMBER: set_text(&f->list, ms_xml_attribute(attributes, "val")); break;
	case STYLE: set_text(&f->style, ms_xml_attribute(attributes, "styleId")); break;
	case BASED_ON: keep_style(f, ms_xml_attribute(attributes, "val")); break;
	case RUN_STYLE:
		if (is_of(f, RUN))
			f->hidden = style_hides(f, ms_xml_attribute(attributes, "val"));
		break;
	case CACHE:
		f->in_cache = true;
		g_clear_pointer(&f->cache_format, g_free);
		break;
	case PART: set_text(&f->part, ms_xml_attribute(attributes, "name")); break;
	case HIDING: f->hiding++; break;
	case REGION: begin_region(f, attributes); break;
	case DELETION: begin_deletion(f); break;
	case INSERTION:
		if (f->region != NULL)
			g_hash_table_add(f->insertions, g_strdup(f->region));
		break;
	case CHANGE:
	case CHANGE_START:
	case CHANGE_END: change(f, kind, attributes); break;
	default: break;
	}
}

static void begin_text(Flow *f, Kind kind, const char *const *attributes)
{
	bool within = top(f)->paragraphs > 0;
	switch ((guint)kind) {
	case HYPHEN: put(f, bits_here(f), "-", 1); break;
	case SPACE:
		if (within)
			put(f, bits_here(f), " ", 1);
		break;
	case TAB:
		if (f->properties == 0 && within)
			put(f, bits_here(f), "\t", 1);
		break;
	case BREAK:
		if (within)
			put(f, bits_here(f), "\n", 1);
		break;
	case SYMBOL: put_symbol(f, attributes); break;
	case FIELD: field_char(f, attributes); break;
	case DELETED:
	case INSERTED:
	case VANISH: begin_mark(f, kind, attributes); break;
	case PROPERTIES: f->properties++; break;
	case PARAGRAPH:
	case STRING: begin_paragraph(f); break;
	case INLINE:
		if (f->in_cell)
			push_target(f);
		top(f)->paragraphs++;
		break;
	case SHEET_ROW: begin_sheet_row(f, attributes); break;
	case SHEET_CELL:
		ms_cell_begin(&f->cell, attributes);
		begin_in_column(f, ms_cell_column(&f->cell));
		g_string_truncate(f->stored, 0);
		f->in_cell = true;
		break;
	case BINARY:
	case BLOB:
	case CODES:
	case FORMULA:
	case RANGES:
	case FORMAT_CODE: collect(f); break;
	case VALUE:
		if (f->in_cell || f->in_cache)
			collect(f);
		break;
	case ANNOTATION:
		if (within || f->targets->len > 1)
			push_beside(f);
		break;
	case PHONETIC: push_target(f); break;
	default: begin_other(f, kind, attributes);
	}
}

/* Roots of the standards: in other XML (data of a customer's own) no attribute is structural. */
static bool is_office(const char *root)
{
	static const char *const roots[] = {"Properties", "Relationships", "Types", "Workbook",
		"body", "calcChain", "chart", "chartSpace", "chartsheet", "clrMapOvr", "clrMap",
		"cmAuthorLst", "cmLst", "colorStyle", "colorsDef", "comments", "commentsEx",
		"commentsExtensible", "commentsIds", "coreProperties", "chartStyle", "dataModel",
		"datastoreItem", "dialogsheet", "document", "document-content", "document-meta",
		"document-settings", "document-styles", "drawing", "endnotes", "externalLink",
		"fonts", "footnotes", "ftr", "glossaryDocument", "handoutMaster", "hdr",
		"layoutDef", "macrosheet", "manifest", "metadata", "notes", "notesMaster",
		"numbering", "package", "people", "personList", "pivotCacheDefinition",
		"pivotCacheRecords", "pivotTableDefinition", "presProps", "presentation",
		"presentationPr", "presentationProperties", "queryTable", "settings", "sld",
		"sldLayout", "sldMaster", "sst", "styleSheet", "styles", "stylesWithEffects",
		"styleDef", "table", "tblStyleLst", "theme", "themeOverride", "userShapes",
		"viewPr", "webSettings", "wordDocument", "workbook", "worksheet", "wsDr", "xml",
		"RDF", "Signature", "document-signatures", "connections", "slicers",
		"slicerCacheDefinition", "timelines", "timelineCacheDefinition", NULL};
	return g_strv_contains(roots, root);
}

/* Data that fields and content controls show, and properties. */
static bool names_values(const char *root)
{
	static const char *const also[] = {"Properties", "document-meta", NULL};
	return !is_office(root) || g_strv_contains(also, root);
}

static void end_named(Flow *f)
{
	g_strstrip(f->value->str);
	gsize len = strlen(f->value->str);
	if (len > 0)
		ms_named_value(f->named, NULL, f->value->str, len);
	g_string_truncate(f->value, 0);
}

/* <Customer>4711</Customer>, <property name="Customer"><lpwstr>4711</lpwstr></property>: there an
 * element within says of which type the value is. */
static void begin_named(Flow *f, const char *name, const char *const *attributes)
{
	const char *own = ms_xml_attribute(attributes, "name");
	end_named(f);
	if (own != NULL)
		name = own;
	else if (f->properties_part && f->open->len > 1)
		name = NULL;
	ms_named_open(f->named, name);
}

static bool defines(const char *root)
{
	static const char *const roots[] = {
		"numbering", "styleSheet", "styles", "wordDocument", NULL};
	return g_strv_contains(roots, root);
}

/* What an element says of its text. */
static void take_names(GString *names, const char *const *attributes)
{
	static const char *const all[] = {"name", "column-name", "ref-name", "description", "alias",
		"tag", "element", NULL};
	for (; *attributes != NULL; attributes += 2) {
		const char *local = ms_xml_local(attributes[0]);
		if (strcmp(local, "instr") == 0)
			ms_headed_field(names, attributes[1]);
		else if (g_strv_contains(all, local))
			g_string_append_printf(names, "%s\n", attributes[1]);
	}
}

static void begin_mark_of(Flow *f, Kind kind, const char *const *attributes)
{
	const char *name = ms_xml_attribute(attributes, "name");
	const char *id = ms_xml_attribute(attributes, "id");
	id = id != NULL ? id : name;
	if (id != NULL && kind == MARK)
		ms_headed_begin(f->headed, MARK_KEY(id), name, top(f)->line.out);
	else if (id != NULL)
		ms_headed_end(f->headed, MARK_KEY(id), top(f)->line.out);
}

/* A control, field, bookmark or property names what is in it. */
static void begin_headed(Flow *f, Kind kind, const char *name, const char *const *attributes)
{
	static const char *const naming[] = {"alias", "tag", "name", "statusText", "helpText", NULL};
	guint64 key = f->open->len;
	if (kind == NAMING) {
		g_string_truncate(f->names, 0);
		f->naming++;
	} else if (kind == CONTENT) {
		ms_headed_begin(f->headed, key, f->names->str, top(f)->line.out);
	} else if (f->naming > 0) {
		const char *value = ms_xml_attribute(attributes, "val");
		if (value != NULL && g_strv_contains(naming, name))
			g_string_append_printf(f->names, "%s\n", value);
	} else if (kind == MARK || kind == MARK_END) {
		begin_mark_of(f, kind, attributes);
	} else {
		g_autoptr(GString) names = g_string_new(NULL);
		take_names(names, attributes);
		if (key > 1 && g_array_index(f->open, guint8, key - 2) == NAMED_WITHIN)
			g_string_append(names, name);
		if (names->len > 0)
			ms_headed_begin(f->headed, key, names->str, top(f)->line.out);
	}
}

/* OpenDocument: what the styles make of an element; its kind. */
static Kind begin_styled(Flow *f, Kind kind, const char *name, const char *const *attributes)
{
	if (f->aside->len < f->limit)
		ms_odf_styles_start(f->office->styles, name, attributes, f->aside, f->limit);
	if (kind == CELL) {
		const char *text = ms_xml_attribute(attributes, "string-value");
		set_text(&f->kept, text != NULL ? text : ms_xml_attribute(attributes, "value"));
	}
	bool hides = kind == OTHER && ms_odf_styles_hides(f->office->styles, attributes);
	return hides ? HIDING : kind;
}

#define LEAST_PACKED 64 /* no document is shorter in base64 */

/* Word keeps what VML cannot say of a shape as a package in an attribute (o:gfxdata). */
static void take_packed(Flow *f, const char *const *attributes)
{
	for (; *attributes != NULL; attributes += 2) {
		gsize len = strlen(attributes[1]);
		if (len >= LEAST_PACKED)
			ms_base64_take(attributes[1], len, f->inner);
	}
}

static void flow_start(void *user, const char *name, const char *const *attributes)
{
	Flow *f = user;
	Kind kind = kind_of(name);
	if (f->office->mixed && strcmp(name, "text") == 0)
		kind = OTHER; /* office:text holds all paragraphs, number:text none */
	if (f->open->len == 0) {
		f->defines = defines(name);
		f->standard = is_office(name);
		f->styles = strcmp(name, "Workbook") == 0 ? ms_cell_styles_new() : NULL;
		f->properties_part = strcmp(name, "Properties") == 0;
		f->named = names_values(name) ? ms_named_new() : NULL;
	}
	if (f->named != NULL)
		begin_named(f, name, attributes);
	if (f->styles != NULL)
		ms_cell_styles_start(f->styles, name, attributes);
	if (f->chart == NULL && strcmp(name, "chartSpace") == 0)
		f->chart = ms_chart_new();
	if (f->chart != NULL)
		ms_chart_start(f->chart, name, attributes);
	if (f->office->styles != NULL)
		kind = begin_styled(f, kind, name, attributes);
	if (*attributes != NULL) {
		ms_attributes_keep(f->office->attributes, name, attributes, f->standard);
		take_packed(f, attributes);
	}
	f->blank = false;
	/* The ends of elements are told by what they were, not by their names: so it is kept. */
	guint8 stored = (guint8)kind;
	if (kind == OTHER && ms_attributes_no_text(f->office->attributes, name) && f->standard)
		stored = G_MAXUINT8;
	g_array_append_val(f->open, stored);
	if (f->defines) {
		ms_numbering_start(f->office->numbering, name, attributes);
		ms_sheets_style_start(f->office->sheets, name, attributes);
	}
	if (kind != OTHER)
		begin_text(f, kind, attributes);
	if (!f->standard)
		ms_headed_attributes(f->headed, name, attributes);
	else if (kind != SHEET_CELL && kind != RUN)
		begin_headed(f, kind, name, attributes);
}

/* ---- elements that end ---------------------------------------------------------------- */

/* What a list writes before the paragraph. */
static void put_label(Flow *f)
{
	const MsLine *line = &top(f)->line;
	g_autofree char *label = f->office->styles != NULL
		? ms_odf_styles_label(f->office->styles)
		: f->list != NULL ? ms_numbering_count(f->office->numbering, f->list, f->level)
				  : NULL;
	if (label != NULL && f->aside->len < f->limit)
		ms_numbering_label(label, line->out->str + line->start,
			line->out->len - line->start, f->aside);
	g_clear_pointer(&f->list, g_free);
}

static void end_paragraph(Flow *f)
{
	Target *t = top(f);
	put_label(f);
	t->paragraphs -= t->paragraphs > 0;
	if (t->paragraphs > 0)
		return;
	if (f->targets->len == 1)
		ms_line_label_after(&t->line, f->unlabelled, f->aside);
	if (!t->plain_end) {
		end_line(f);
		return;
	}
	/* Before the change, or with hidden text, there was an end. */
	put(f, MS_BEFORE | MS_HIDDEN, "\n", 1);
}

static void end_string(Flow *f)
{
	Target *t = top(f);
	t->paragraphs -= t->paragraphs > 0;
	if (!f->strings || f->targets->len > 1 || t->paragraphs > 0) {
		end_line(f);
		return;
	}
	ms_sheets_add_string(f->office->sheets, t->line.out->str + t->line.start,
		t->line.out->len - t->line.start);
	g_string_truncate(t->line.out, t->line.start);
	end_line(f);
}

/* The text of a cell that stands in it: it has a format as well. */
static void end_inline(Flow *f)
{
	top(f)->paragraphs -= top(f)->paragraphs > 0;
	if (f->targets->len < 2 || top(f)->depth != f->open->len)
		return;
	end_line(f);
	GString *text = top(f)->line.out;
	g_array_set_size(f->targets, f->targets->len - 1);
	gsize len = text->len - (text->len > 0 && text->str[text->len - 1] == '\n');
	g_string_truncate(f->collected, 0);
	g_string_append_len(f->collected, text->str, (gssize)len);
	g_string_free(text, TRUE);
	end_value(f);
}

/* A cell of a table in a text.  OpenDocument: the number of "1,05E+07" stands beside its text. */
static void end_table_cell(Flow *f)
{
	const GString *out = top(f)->line.out;
	gsize from = MIN(top(f)->cell, out->len), begin = MIN(f->row_from, from);
	if (f->kept != NULL && out->len == from)
		put(f, bits_here(f), f->kept, strlen(f->kept)); /* it is shown */
	const char *shown = out->str + from;
	gsize len = out->len - from;
	len -= len > 0 && shown[len - 1] == '\n';
	if (f->office->styles != NULL && f->aside->len < f->limit)
		ms_odf_styles_end_cell(f->office->styles, shown, len, f->aside);
	bool other = f->kept != NULL &&
		(strlen(f->kept) != len || memcmp(f->kept, shown, len) != 0);
	if (other && f->row == NULL)
		f->row = g_string_new_len(out->str + begin, (gssize)(from - begin));
	if (f->row != NULL && out->len < f->limit)
		g_string_append_len(f->row, other ? f->kept : shown,
			(gssize)(other ? strlen(f->kept) : len));
	g_clear_pointer(&f->kept, g_free);
	guint column = f->column;
	end_in_column(f);
	for (; f->row != NULL && out->len < f->limit && column < f->column; column++)
		g_string_append_c(f->row, '\t');
}

static void end_row(Flow *f)
{
	ms_line_drop_empty(&top(f)->line);
	if (top(f)->paragraphs > 0)
		return;
	end_line(f);
	if (f->row != NULL)
		ms_line_stored(&top(f)->line, f->row_from, f->row, f->changed);
	begin_row(f);
}

static void end_text(Flow *f, Kind kind)
{
	switch ((guint)kind) {
	case DELETED: f->deleted -= f->deleted > 0; break;
	case INSERTED: f->inserted -= f->inserted > 0; break;
	case PROPERTIES: f->properties -= f->properties > 0; break;
	case RUN: f->hidden = false; break;
	case PARAGRAPH: end_paragraph(f); break;
	case STRING: end_string(f); break;
	case DATA:
		if (!f->formatted)
			top(f)->paragraphs -= top(f)->paragraphs > 0;
		break;
	case INLINE: end_inline(f); break;
	case CELL: end_table_cell(f); break;
	case SHEET_CELL: end_cell(f); break;
	case SHEET_ROW:
	case ROW: end_row(f); break;
	case CACHE: f->in_cache = false; break;
	case HIDING: f->hiding -= f->hiding > 0; break;
	case PART: g_clear_pointer(&f->part, g_free); break;
	case NAMING: f->naming -= f->naming > 0; break;
	default:
		/* Outside of a paragraph each text is a line; in a cell, the cell ends it. */
		if (top(f)->paragraphs == 0 && !f->in_cell)
			put_separator(f, '\n');
	}
}

static void end_in_chart(Flow *f, const char *name)
{
	ms_chart_end(f->chart, name);
	if (strcmp(name, "chartSpace") != 0)
		return;
	f->full = !ms_chart_show(f->chart, f->aside, f->limit) || f->full;
	g_clear_pointer(&f->chart, ms_chart_free);
}

static void flow_end(void *user, const char *name)
{
	Flow *f = user;
	if (f->open->len == 0)
		return;
	guint8 stored = g_array_index(f->open, guint8, f->open->len - 1);
	Kind kind = stored == G_MAXUINT8 ? OTHER : (Kind)stored;
	f->blank = false;
	if (f->named != NULL) {
		end_named(f);
		ms_named_close(f->named);
	}
	if (f->collects &&
		(kind == BINARY || kind == BLOB || kind == CODES || kind == FORMULA ||
			kind == FORMAT_CODE || kind == RANGES || kind == VALUE || kind == DATA))
		end_collecting(f, kind);
	ms_headed_end(f->headed, f->open->len, top(f)->line.out);
	end_text(f, kind);
	if (f->defines) {
		ms_numbering_end(f->office->numbering, name, f->aside);
		ms_sheets_style_end(f->office->sheets, name);
	}
	if (f->office->styles != NULL)
		f->full = !ms_odf_styles_end(f->office->styles, name, f->aside, f->limit) ||
			f->full;
	if (f->chart != NULL)
		end_in_chart(f, name);
	while (f->targets->len > 1 && top(f)->depth == f->open->len)
		pop_target(f);
	g_array_set_size(f->open, f->open->len - 1);
}

/* ---- text ----------------------------------------------------------------------------- */

/* OpenDocument: a run of white space is one space (6.1.2). */
static void put_collapsed(Flow *f, const char *text, gsize len)
{
	guint bits = bits_here(f);
	gsize at = 0;
	while (at < len) {
		gsize n = 0;
		while (at + n < len && !g_ascii_isspace(text[at + n]))
			n++;
		if (n > 0)
			put(f, bits, text + at, n);
		at += n;
		gsize blanks = 0;
		while (at + blanks < len && g_ascii_isspace(text[at + blanks]))
			blanks++;
		const GString *out = top(f)->line.out;
		if (blanks > 0 && out->len > top(f)->line.start &&
			!g_ascii_isspace(out->str[out->len - 1]))
			put(f, bits, " ", 1);
		at += blanks;
	}
}

static void put_text(Flow *f, Kind kind, const char *text, gsize len)
{
	bool within = top(f)->paragraphs > 0;
	bool exact = kind == TEXT || kind == DELETED_TEXT || kind == DATA;
	if (within && f->office->mixed && !exact) {
		put_collapsed(f, text, len);
		return;
	}
	if (!exact && ms_is_all_blank(text, len)) {
		f->blank = true; /* indentation, unless more text of the same element follows */
		return;
	}
	guint bits = bits_here(f);
	if (kind == DELETED_TEXT)
		bits = MS_BEFORE;
	if (f->blank)
		put(f, bits, " ", 1);
	f->blank = false;
	put(f, bits, text, len);
}

static void flow_text(void *user, const char *text, gsize len)
{
	Flow *f = user;
	guint8 stored = f->open->len > 0 ? g_array_index(f->open, guint8, f->open->len - 1)
					 : (guint8)OTHER;
	if (stored == G_MAXUINT8)
		return;
	if (f->office->styles != NULL)
		ms_odf_styles_text(f->office->styles, text, len);
	if (f->chart != NULL)
		ms_chart_text(f->chart, text, len);
	if (f->named != NULL && !f->collects && f->value->len < f->limit)
		g_string_append_len(f->value, text, (gssize)len);
	if (f->collects)
		g_string_append_len(f->collected, text, (gssize)len);
	else if (stored == INSTRUCTION || (f->instructions > 0 && stored == TEXT))
		g_string_append_len(f->instruction, text, (gssize)len);
	else
		put_text(f, (Kind)stored, text, len);
}

static void flow_comment(void *user, const char *text, gsize len)
{
	Flow *f = user;
	g_string_append_len(f->aside, text, (gssize)len);
	ms_separate(f->aside, '\n');
}

/* ---- a part --------------------------------------------------------------------------- */

static void gstring_free(gpointer data)
{
	g_string_free(data, TRUE);
}

static Flow *flow_new(MsOffice *office, const char *place, bool strings)
{
	Flow *f = g_new0(Flow, 1);
	f->office = office;
	f->place = place;
	f->strings = strings;
	f->limit = (gsize)office->to->budget->left[MS_COST_TEXT] + 1; /* one too many is told */
	f->targets = g_array_new(FALSE, FALSE, sizeof(Target));
	f->open = g_array_new(FALSE, FALSE, 1);
	f->aside = g_string_new(NULL);
	f->unlabelled = g_string_new(NULL);
	for (guint i = 0; i < MS_N_WAYS; i++)
		f->changed[i] = g_string_new(NULL);
	f->collected = g_string_new(NULL);
	f->fields = ms_bytes_new();
	f->instruction = g_string_new(NULL);
	f->deletions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, gstring_free);
	f->insertions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	f->shown = g_string_new(NULL);
	f->stored = g_string_new(NULL);
	f->cells = g_array_new(FALSE, FALSE, sizeof(MsBookCell));
	f->values = g_string_new(NULL);
	f->formulas = g_ptr_array_new_with_free_func(g_free);
	f->conditions = ms_conditions_new();
	f->inner = ms_inner_new();
	f->other_formats = g_ptr_array_new_with_free_func(g_free);
	f->sheet_row = G_MAXUINT; /* before the first */
	f->first_page = 1;
	f->value = g_string_new(NULL);
	f->headed = ms_headed_new();
	f->names = g_string_new(NULL);
	push_target(f);
	return f;
}

static void flow_free(Flow *f)
{
	g_string_free(top(f)->line.out, TRUE);
	g_array_unref(f->targets);
	g_array_unref(f->open);
	g_string_free(f->aside, TRUE);
	g_string_free(f->unlabelled, TRUE);
	for (guint i = 0; i < MS_N_WAYS; i++)
		g_string_free(f->changed[i], TRUE);
	g_string_free(f->collected, TRUE);
	g_byte_array_unref(f->fields);
	g_string_free(f->instruction, TRUE);
	g_free(f->region);
	g_hash_table_unref(f->deletions);
	g_hash_table_unref(f->insertions);
	g_free(f->list);
	g_string_free(f->shown, TRUE);
	g_string_free(f->stored, TRUE);
	g_free(f->formula);
	g_free(f->kept);
	if (f->row != NULL)
		g_string_free(f->row, TRUE);
	g_clear_pointer(&f->cells, g_array_unref);
	if (f->values != NULL)
		g_string_free(f->values, TRUE);
	g_ptr_array_unref(f->formulas);
	ms_conditions_free(f->conditions);
	g_ptr_array_unref(f->inner);
	g_free(f->ranges);
	g_ptr_array_unref(f->other_formats);
	g_free(f->cache_format);
	ms_chart_free(f->chart);
	ms_cell_styles_free(f->styles);
	ms_named_free(f->named);
	g_string_free(f->value, TRUE);
	ms_headed_free(f->headed);
	g_string_free(f->names, TRUE);
	g_free(f->part);
	g_free(f->style);
	g_free(f);
}

static void span(const Flow *f, MsSpanType type, const char *suffix, const GString *text)
{
	g_autofree char *where = g_strconcat(f->place, suffix, NULL);
	MsSpan span = {.type = type, .where = where, .text = text->str, .len = text->len};
	ms_extract_hand_over(f->office->to, &span);
}

/* Hands over all that was read; what broke off in mid-element too. */
static void finish(Flow *f, gsize *text)
{
	if (f->collects)
		put(f, MS_ALL_WAYS, f->collected->str, f->collected->len);
	put_aside(f, f->instruction);
	while (f->targets->len > 1)
		pop_target(f);
	end_line(f);
	work_out(f);
	keep_cells(f);
	*text += top(f)->line.out->len + f->aside->len;
	if (f->full)
		ms_reading_unread(f->office->to->reading, f->place, MS_UNREAD_LIMIT,
			"more text than %s allows", ms_cost_name(MS_COST_TEXT));
	span(f, MS_SPAN_TEXT, "", top(f)->line.out);
	span(f, MS_SPAN_TEXT, " (notes, fields)", f->aside);
	if (f->named != NULL)
		ms_extract_named(f->office->to, f->place, f->named);
	ms_headed_hand_over(f->office->to, f->place, f->headed);
	ms_extract_changed(f->office->to, f->place, f->changed);
	/* What stands behind a word in them may be another element's, and a measure. */
	g_autoptr(GString) attributes = ms_attributes_take(f->office->attributes);
	span(f, MS_SPAN_ASIDE, " (attributes)", attributes);
	ms_inner_read(f->office->to, f->place, f->inner);
}

/* In one file, what defines may stand behind what is defined. */
static void define_start(void *user, const char *name, const char *const *attributes)
{
	Flow *f = user;
	ms_numbering_start(f->office->numbering, name, attributes);
	ms_sheets_style_start(f->office->sheets, name, attributes);
}

static void define_end(void *user, const char *name)
{
	Flow *f = user;
	ms_numbering_end(f->office->numbering, name, f->aside);
	ms_sheets_style_end(f->office->sheets, name);
}

static void define_text(void *user, const char *text, gsize len)
{
	(void)user;
	(void)text;
	(void)len;
}

const char *ms_flow_read(MsOffice *office, const char *place, const char *sheet,
	const guint8 *data, gsize len, bool strings, gsize *text)
{
	static const MsXmlHandler handler = {flow_start, flow_end, flow_text, flow_comment};
	static const MsXmlHandler first = {define_start, define_end, define_text, NULL};
	Flow *f = flow_new(office, place, strings);
	f->sheet = sheet;
	if (office->package)
		ms_xml_parse(data, len, office->to->budget, &first, f);
	const char *why = ms_xml_parse(data, len, office->to->budget, &handler, f);
	finish(f, text);
	flow_free(f);
	return why;
}
