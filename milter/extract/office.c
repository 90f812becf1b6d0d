#include "config.h"

#include <string.h>

#include "members.h"
#include "readers.h"
#include "sheet.h"
#include "xml.h"

/*
 * OOXML (ECMA-376) and OpenDocument (ISO/IEC 26300) as text.  Word splits a number over many
 * runs for reasons of its own, so that runs are joined without anything between them, and only
 * paragraphs, cells and breaks separate.
 */

typedef struct {
	GString *text;
	GString *more; /* stored values, link targets, alternative texts */
	guint phonetic;
} Flow;

static const char *const lines[] = {"p", "tr", "row", "br", "cr", "line-break", "h", "table-row", "sld",
	"comment", "footnote", "endnote", "pt", "v", "f", "oddHeader", "oddFooter", "evenHeader",
	"evenFooter", "title", "si", "annotation", "note", "lvl", "text", NULL};
static const char *const tabs[] = {"tc", "tab", "table-cell", "covered-table-cell", "ptab", NULL};
/* Attributes that people see, or that a program would act on. */
static const char *const shown[] = {"descr", "title", "Target", "instr", "href", "value",
	"string-value", "date-value", "author", "display", "tooltip", "location", "name", "val",
	"formula", "alt", NULL};

static void separate(GString *out, char c)
{
	if (out->len > 0 && out->str[out->len - 1] != '\n' && out->str[out->len - 1] != c)
		g_string_append_c(out, c);
}

static void keep_attributes(Flow *flow, const char *const *attributes)
{
	for (; *attributes != NULL; attributes += 2) {
		const char *colon = strrchr(attributes[0], ':');
		const char *name = colon != NULL ? colon + 1 : attributes[0];
		if (strlen(attributes[1]) > 2 && g_strv_contains(shown, name)) {
			g_string_append(flow->more, attributes[1]);
			g_string_append_c(flow->more, '\n');
		}
	}
}

static void flow_start(void *user, const char *name, const char *const *attributes)
{
	Flow *flow = user;
	keep_attributes(flow, attributes);
	if (strcmp(name, "noBreakHyphen") == 0)
		g_string_append_c(flow->text, '-');
	else if (strcmp(name, "s") == 0 && ms_xml_attribute(attributes, "c") != NULL)
		g_string_append_c(flow->text, ' '); /* text:s: a run of blanks */
	else if (strcmp(name, "s") == 0 && *attributes == NULL)
		g_string_append_c(flow->text, ' ');
	else if (strcmp(name, "tab") == 0 || strcmp(name, "ptab") == 0)
		g_string_append_c(flow->text, '\t');
	else if (strcmp(name, "br") == 0 || strcmp(name, "cr") == 0 || strcmp(name, "line-break") == 0)
		g_string_append_c(flow->text, '\n');
	flow->phonetic += strcmp(name, "rPh") == 0;
}

static void flow_end(void *user, const char *name)
{
	Flow *flow = user;
	if (g_strv_contains(lines, name))
		separate(flow->text, '\n');
	else if (g_strv_contains(tabs, name)) {
		/* The paragraph in a cell ended a line; the cell sets its neighbours off by a tab. */
		if (flow->text->len > 0 && flow->text->str[flow->text->len - 1] == '\n')
			g_string_truncate(flow->text, flow->text->len - 1);
		separate(flow->text, '\t');
	}
	flow->phonetic -= strcmp(name, "rPh") == 0 && flow->phonetic > 0;
}

static void flow_text(void *user, const char *text, gsize len)
{
	Flow *flow = user;
	/* How a word is pronounced is no part of the word. */
	if (flow->phonetic == 0)
		g_string_append_len(flow->text, text, (gssize)len);
}

static void note_broken(const MsExtraction *to, const char *place, const char *why)
{
	if (why != NULL)
		ms_reading_unread(to->reading, place, MS_UNREAD_DAMAGED, "XML: %s", why);
}

static gsize read_flow(const MsExtraction *to, const char *place, const GByteArray *bytes)
{
	static const MsXmlHandler handler = {flow_start, flow_end, flow_text};
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GString) more = g_string_new(NULL);
	Flow flow = {text, more, 0};
	note_broken(to, place, ms_xml_parse(bytes->data, bytes->len, to->budget, &handler, &flow));
	ms_extract_span(to, place, text->str, text->len);
	g_autofree char *values = g_strconcat(place, " (values and links)", NULL);
	ms_extract_span(to, values, more->str, more->len);
	return text->len;
}

/* Documents in a single XML file: OpenDocument (.fodt and so on), Word 2003, Flat OPC. */
bool ms_is_flat_office(const char *root)
{
	static const char *const roots[] = {"document", "wordDocument", "package", "Workbook", NULL};
	return g_strv_contains(roots, root);
}

void ms_flat_office_read(const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory)
{
	ms_inventory_read(inventory, MS_ITEM_WHOLE);
	const GByteArray bytes = {(guint8 *)document->data, (guint)document->len};
	read_flow(to, document->where, &bytes);
}

/* ---- members -------------------------------------------------------------------------- */

/* Of a member: what it is in the document. */
typedef enum { SKIP, FLOW, PROPERTIES, SHEET, BINARY, PICTURE, EMBEDDED } Role;

static Role role_of(const char *name)
{
	static const char *const skipped[] = {"[Content_Types].xml", "mimetype", "xl/styles.xml",
		"xl/sharedStrings.xml", "META-INF/manifest.xml", "xl/calcChain.xml",
		"word/fontTable.xml", "word/webSettings.xml", "Configurations2/accelerator/current.xml", NULL};
	g_autofree char *lower = g_ascii_strdown(name, -1);
	if (g_strv_contains(skipped, name) || strstr(lower, "/theme") != NULL
		|| strstr(lower, "printersettings") != NULL || g_str_has_suffix(lower, ".odttf")
		|| strstr(lower, "thumbnail") != NULL || strcmp(lower, "layout-cache") == 0
		|| g_str_has_prefix(lower, "objectreplacements/") || g_str_has_prefix(lower, "[trash]/"))
		return SKIP;
	if (g_str_has_prefix(lower, "xl/worksheets/sheet") && g_str_has_suffix(lower, ".xml"))
		return SHEET;
	if (g_str_has_prefix(lower, "docprops/") || g_str_has_prefix(lower, "customxml/")
		|| strcmp(lower, "meta.xml") == 0)
		return g_str_has_suffix(lower, ".rels") ? FLOW : PROPERTIES;
	if (strstr(lower, "/media/") != NULL || g_str_has_prefix(lower, "pictures/"))
		return PICTURE;
	if (g_str_has_suffix(lower, ".xml") || g_str_has_suffix(lower, ".rels") || g_str_has_suffix(lower, ".vml"))
		return FLOW;
	if (g_str_has_prefix(lower, "xl/") && g_str_has_suffix(lower, ".bin") && strstr(lower, "vba") == NULL)
		return BINARY;
	return EMBEDDED;
}

static const GByteArray *member_named(const GPtrArray *members, const char *name)
{
	for (guint i = 0; i < members->len; i++) {
		const MsMember *member = members->pdata[i];
		if (g_ascii_strcasecmp(member->name, name) == 0)
			return member->bytes;
	}
	return NULL;
}

/* The binary workbook of Excel: its strings can be picked out, its numbers cannot. */
static gsize read_binary(const MsExtraction *to, const char *place, const GByteArray *bytes)
{
	g_autoptr(GString) text = g_string_new(NULL);
	ms_strings(text, bytes->data, bytes->len);
	ms_extract_span(to, place, text->str, text->len);
	ms_reading_unread(to->reading, place, MS_UNREAD_NO_READER,
		"a binary workbook: its numbers are not read");
	return text->len;
}

static gsize read_member(const MsExtraction *to, const MsDocument *document, const MsMember *member,
	const MsSheets *sheets)
{
	g_autofree char *place = g_strdup_printf("%s > %s", document->where, member->name);
	MsDocument inner = {.where = place, .type = "application/xml", .data = member->bytes->data,
		.len = member->bytes->len};
	switch (role_of(member->name)) {
	case SKIP: return 0;
	case FLOW: return read_flow(to, place, member->bytes);
	case SHEET: return ms_sheet_read(to, place, member->bytes, sheets);
	case BINARY: return read_binary(to, place, member->bytes);
	case PROPERTIES: ms_read_with(ms_xml_document_read, to, &inner); return 0;
	case PICTURE:
	case EMBEDDED:
		ms_extract_within(to, document->where, member->name, NULL, member->bytes->data,
			member->bytes->len);
		return 0;
	}
	return 0;
}

static bool is_locked(const GPtrArray *members)
{
	const GByteArray *manifest = member_named(members, "META-INF/manifest.xml");
	return manifest != NULL
		&& memmem(manifest->data, manifest->len, "encryption-data", 15) != NULL;
}

void ms_office_read(const MsExtraction *to, const MsDocument *document, const GPtrArray *members)
{
	if (is_locked(members)) {
		ms_reading_unread(to->reading, document->where, MS_UNREAD_PASSWORD,
			"an OpenDocument file with a password");
		return;
	}
	g_autoptr(MsSheets) sheets = ms_sheets_new(to, document->where,
		member_named(members, "xl/sharedStrings.xml"), member_named(members, "xl/styles.xml"));
	gsize text = 0;
	guint pictures = 0;
	for (guint i = 0; i < members->len; i++) {
		const MsMember *member = members->pdata[i];
		if (!ms_budget_time(to->budget)) {
			ms_reading_unread(to->reading, document->where, MS_UNREAD_TIME,
				"the time for reading is over");
			return;
		}
		pictures += role_of(member->name) == PICTURE;
		if (member->bytes->len > 0)
			text += read_member(to, document, member, sheets);
	}
	if (text < 40 && pictures > 0)
		ms_reading_unread(to->reading, document->where, MS_UNREAD_IMAGE_ONLY,
			"pictures with hardly any text");
}
