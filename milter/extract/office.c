/*
 * OOXML (ECMA-376) and OpenDocument (ISO/IEC 26300): in come the members of the package, out goes
 * their text.  In the worker's only thread.
 *
 * Every member is read; what it is, its bytes say: a part of XML is known by its outermost
 * element, and anything else by what other readers know.  The name of a member says nothing: any
 * sheet may be called "tabelle.xml" and lie anywhere (ECMA-376 part 2, 9).
 */
#include "config.h"

#include <string.h>

#include "missent/inventory.h"
#include "missent/text.h"

#include "flow.h"
#include "members.h"
#include "pivot.h"
#include "readers.h"
#include "xml.h"

#define MAX_LINKED 8 /* parts of one kind that are looked for in the relationships */

typedef struct {
	const MsMember *member;
	char root[48]; /* the outermost element of XML, without prefix; "" for anything else */
	bool done;
} Part;

typedef struct {
	MsOffice office;
	const MsDocument *document;
	const GPtrArray *members;
	MsInventory *inventory;
	Part *parts;
	GPtrArray *pivots; /* what pivot.c knows of each */
	gsize text;
	guint pictures;
	GHashTable *types; /* lower-case part name or ".extension" to content type, or NULL */
	GString *names;
} Package;

/* ---- what a member is ----------------------------------------------------------------- */

static const char *skip_past(const char *p, const char *end, const char *what)
{
	const char *at = g_strstr_len(p, end - p, what);
	return at != NULL ? at + strlen(what) : end;
}

/* The name of the outermost element without parsing; false if it is no XML of one byte. */
static bool sniff(const guint8 *data, gsize len, char *root, gsize size)
{
	const char *p = (const char *)data, *end = p + MIN(len, 65536);
	if (len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	while (p < end) {
		while (p < end && g_ascii_isspace(*p))
			p++;
		if (end - p < 3 || *p != '<')
			return false;
		if (p[1] == '?')
			p = skip_past(p, end, "?>");
		else if (end - p > 4 && memcmp(p, "<!--", 4) == 0)
			p = skip_past(p + 4, end, "-->");
		else if (p[1] == '!')
			p = skip_past(p, end, ">");
		else
			break;
	}
	if (end - p < 3 || !(g_ascii_isalpha(p[1]) || p[1] == '_' || (p[1] & 0x80) != 0))
		return false;
	p++;
	const char *stop = p;
	while (stop < end && !g_ascii_isspace(*stop) && *stop != '>' && *stop != '/') {
		if (*stop++ == ':')
			p = stop;
	}
	/* Not g_strlcpy(): it looks for the end of a string, which these bytes need not have. */
	gsize n = MIN(size - 1, (gsize)(stop - p));
	memcpy(root, p, n);
	root[n] = '\0';
	return *root != '\0';
}

static void find_root(Part *part)
{
	const GByteArray *bytes = part->member->bytes;
	if (bytes->len == 0 || sniff(bytes->data, bytes->len, part->root, sizeof part->root))
		return;
	part->root[0] = '\0';
	bool wide = bytes->len >= 4 && (memchr(bytes->data, 0, 4) != NULL
		|| (bytes->data[0] ^ bytes->data[1]) == 1);
	if (!wide || memchr(bytes->data, '<', MIN(bytes->len, 64)) == NULL)
		return;
	g_autofree char *root = ms_xml_root(bytes->data, bytes->len);
	if (root != NULL)
		g_strlcpy(part->root, root, sizeof part->root);
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

/* ---- content types -------------------------------------------------------------------- */

static void types_start(void *user, const char *name, const char *const *attributes)
{
	GHashTable *types = user;
	const char *type = ms_xml_attribute(attributes, "ContentType");
	const char *part = ms_xml_attribute(attributes, "PartName");
	const char *extension = ms_xml_attribute(attributes, "Extension");
	if (type == NULL)
		return;
	if (strcmp(name, "Override") == 0 && part != NULL)
		g_hash_table_replace(types, g_ascii_strdown(part + (*part == '/'), -1),
			g_ascii_strdown(type, -1));
	else if (strcmp(name, "Default") == 0 && extension != NULL) {
		g_autofree char *lower = g_ascii_strdown(extension, -1);
		g_hash_table_replace(
			types, g_strconcat(".", lower, NULL), g_ascii_strdown(type, -1));
	}
}

static void no_end(void *user, const char *name)
{
	(void)user;
	(void)name;
}

static void no_text(void *user, const char *text, gsize len)
{
	(void)user;
	(void)text;
	(void)len;
}

/* The content type of a part, lower case; "" if none is given. */
static const char *type_of(Package *p, const char *name)
{
	if (p->types == NULL) {
		static const MsXmlHandler handler = {types_start, no_end, no_text, NULL};
		const GByteArray *list = member_named(p->members, "[Content_Types].xml");
		p->types = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
		if (list != NULL)
			ms_xml_parse(
				list->data, list->len, p->office.to->budget, &handler, p->types);
	}
	g_autofree char *lower = g_ascii_strdown(name, -1);
	const char *type = g_hash_table_lookup(p->types, lower);
	const char *dot = strrchr(lower, '.');
	if (type == NULL && dot != NULL)
		type = g_hash_table_lookup(p->types, dot);
	return type != NULL ? type : "";
}

/* ---- members that are no XML ---------------------------------------------------------- */

static void extract(Package *p, const MsMember *member, const char *type)
{
	ms_extract_within(p->office.to, p->document->where, member->name, type, member->bytes->data,
		member->bytes->len);
}

static bool has_reader(const guint8 *data, gsize len)
{
	return ms_is_metafile(data, len) || ms_is_picture(data, len) || ms_is_archive(data, len) ||
		ms_is_ole(data, len) || ms_is_pdf(data, len) || ms_is_rtf(data, len) ||
		ms_is_tnef(data, len) || ms_is_pkcs7(data, len) || ms_is_html(data, len) ||
		ms_is_card(data, len);
}

/* Settings of printers and fonts, what an editor keeps to lay out a text faster, and drawings as
 * OpenOffice keeps them, whose strings are whole: the words can be picked out. */
static bool has_words_only(const char *name, const char *type, const GByteArray *bytes)
{
	if (bytes->len > 6 && memcmp(bytes->data, "VCLMTF", 6) == 0)
		return true;
	static const char *const types[] = {"printersettings", "customproperty", "obfuscatedfont",
		"font-sfnt", "font-ttf", "x-fontdata", "x-font-ttf", "font/", NULL};
	for (const char *const *t = types; *t != NULL; t++)
		if (strstr(type, *t) != NULL)
			return true;
	return strcmp(name, "layout-cache") == 0;
}

static void read_words(Package *p, const char *place, const GByteArray *bytes)
{
	g_autoptr(GString) text = g_string_new(NULL);
	ms_strings(text, bytes->data, bytes->len);
	ms_extract_span(p->office.to, place, text->str, text->len);
}

/* What a part can be shown as: its type, or its extension. */
static const char *label_of(const char *name, const char *type)
{
	static const struct {
		const char *what, *type;
	} rows[] = {{".mht", "message/rfc822"}, {".mhtml", "message/rfc822"},
		{".eml", "message/rfc822"}, {".htm", "text/html"}, {".html", "text/html"},
		{".xhtml", "text/html"}, {".txt", "text/plain"}};
	if (strcmp(type, "message/rfc822") == 0 || strcmp(type, "text/html") == 0
		|| strcmp(type, "text/plain") == 0)
		return type;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (g_str_has_suffix(name, rows[i].what))
			return rows[i].type;
	return NULL;
}

/* The parts of Excel's binary workbook: strings can be picked out, numbers cannot. */
static bool is_binary_sheet(const char *name, const char *type)
{
	return g_str_has_prefix(type, "application/vnd.ms-excel.") ||
		(g_str_has_suffix(name, ".bin") && g_str_has_prefix(name, "xl/") && *type == '\0');
}

/* A package is shrunk by filling members called [trash] (ECMA-376 part 2, annex F). */
static bool is_filler(const guint8 *data, gsize len)
{
	for (gsize i = 0; i < len; i++)
		if (data[i] != 0 && data[i] != 0xff)
			return false;
	return true;
}

static void read_bytes(Package *p, const char *place, const MsMember *member)
{
	const GByteArray *bytes = member->bytes;
	const char *type = type_of(p, member->name);
	g_autofree char *name = g_ascii_strdown(member->name, -1);
	if (is_filler(bytes->data, bytes->len)) {
		return;
	} else if (has_reader(bytes->data, bytes->len)) {
		p->pictures += (ms_is_picture(bytes->data, bytes->len) ||
				       ms_is_metafile(bytes->data, bytes->len)) &&
			strstr(name, "thumbnail") == NULL;
		extract(p, member, NULL);
	} else if (strcmp(member->name, "mimetype") == 0 && bytes->len < 100
		&& ms_is_text(bytes->data, bytes->len)) {
		ms_extract_span(p->office.to, place, (const char *)bytes->data, bytes->len);
	} else if (has_words_only(name, type, bytes)) {
		read_words(p, place, bytes);
	} else if (is_binary_sheet(name, type) && !ms_is_text(bytes->data, bytes->len)) {
		read_words(p, place, bytes);
		ms_reading_unread(p->office.to->reading, place, MS_UNREAD_NO_READER,
			"a binary workbook: its numbers are not read");
	} else {
		extract(p, member, label_of(name, type));
	}
}

/* ---- members that are XML ------------------------------------------------------------- */

static void note_broken(const MsExtraction *to, const char *place, const char *why)
{
	if (why != NULL)
		ms_reading_unread(to->reading, place,
			strstr(why, "time") != NULL               ? MS_UNREAD_TIME
				: strstr(why, "entities") != NULL ? MS_UNREAD_AMBIGUOUS
								  : MS_UNREAD_DAMAGED,
			"XML: %s", why);
}

static void read_part(Package *p, Part *part, bool strings)
{
	const GByteArray *bytes = part->member->bytes;
	g_autofree char *safe = ms_text_escape(part->member->name, -1, 80);
	g_autofree char *place = g_strdup_printf("%s > %s", p->document->where, safe);
	part->done = true;
	if (bytes->len == 0)
		return;
	if (part->root[0] == '\0') {
		read_bytes(p, place, part->member);
	} else if (strcmp(part->root, "html") == 0 || strcmp(part->root, "svg") == 0) {
		extract(p, part->member, NULL);
	} else if (ms_einvoice_is(part->root)) {
		MsDocument inner = {.where = place, .type = "application/xml", .data = bytes->data,
			.len = bytes->len};
		ms_read_with(ms_xml_document_read, p->office.to, &inner);
	} else {
		note_broken(p->office.to, place,
			ms_flow_read(&p->office, place,
				ms_book_sheet(p->office.book, part->member->name), bytes->data,
				bytes->len, strings, &p->text));
		if (g_str_has_prefix(part->root, "pivotCache"))
			ms_pivot_read(p->pivots, p->office.sheets, p->office.to, place, part->root,
				bytes->data, bytes->len);
	}
}

/* Does a relationship of the kind `kind` lead to this member? */
typedef struct {
	const char *kind, *name, *folder;
	bool found;
} Link;

/* The part that a relationship in a folder leads to, with a slash before it. */
static char *target_path(const char *folder, const char *target)
{
	g_autofree char *whole = *target == '/' ? g_strdup(target)
						: g_strconcat(folder, target, NULL);
	return g_canonicalize_filename(whole, "/");
}

static void link_start(void *user, const char *name, const char *const *attributes)
{
	Link *link = user;
	const char *type = ms_xml_attribute(attributes, "Type");
	const char *target = ms_xml_attribute(attributes, "Target");
	if (strcmp(name, "Relationship") != 0 || type == NULL || target == NULL
		|| !g_str_has_suffix(type, link->kind))
		return;
	g_autofree char *path = target_path(link->folder, target);
	link->found = link->found || g_ascii_strcasecmp(path + 1, link->name) == 0;
}

static bool is_linked(const Package *p, const char *kind, const char *name)
{
	static const MsXmlHandler handler = {link_start, no_end, no_text, NULL};
	for (guint i = 0; i < p->members->len; i++) {
		const MsMember *member = p->members->pdata[i];
		const char *rels = strstr(member->name, "_rels/");
		if (rels == NULL || strcmp(p->parts[i].root, "Relationships") != 0)
			continue;
		g_autofree char *folder = g_strdup_printf(
			"/%.*s", (int)(rels - member->name), member->name);
		Link link = {kind, name, folder, false};
		ms_xml_parse(member->bytes->data, member->bytes->len, p->office.to->budget,
			&handler, &link);
		if (link.found)
			return true;
	}
	return false;
}

/* The first part with this root, or of several the one that the workbook is linked with. */
static Part *part_of(Package *p, const char *root, const char *kind)
{
	Part *first = NULL;
	bool several = false;
	for (guint i = 0; i < p->members->len; i++) {
		if (strcmp(p->parts[i].root, root) != 0)
			continue;
		several = first != NULL;
		first = first != NULL ? first : &p->parts[i];
		if (several)
			break;
	}
	guint tried = 0;
	for (guint i = 0; several && i < p->members->len && tried < MAX_LINKED; i++)
		if (strcmp(p->parts[i].root, root) == 0 && ++tried > 0
			&& is_linked(p, kind, p->parts[i].member->name))
			return &p->parts[i];
	return first;
}

/* ---- names of sheets ------------------------------------------------------------------ */

#define MOST_SHEETS 1000
#define MOST_REFERENCE 200 /* bytes */

/* In comes the workbook, then its relationships. */
typedef struct {
	MsBook *book;
	const char *folder;
	GHashTable *names; /* relationship to name */
	char *given;       /* the name that is open, or NULL */
	GString *text;     /* what it stands for */
} Names;

static void sheet_start(void *user, const char *name, const char *const *attributes)
{
	Names *names = user;
	const char *id = ms_xml_attribute(attributes, "id");
	const char *called = ms_xml_attribute(attributes, "name");
	if (strcmp(name, "sheet") == 0 && id != NULL && called != NULL &&
		g_hash_table_size(names->names) < MOST_SHEETS)
		g_hash_table_replace(names->names, g_strdup(id), g_strdup(called));
	if (strcmp(name, "definedName") == 0 && called != NULL) {
		g_free(names->given);
		names->given = g_strdup(called);
		g_string_truncate(names->text, 0);
	}
}

static void sheet_text(void *user, const char *text, gsize len)
{
	Names *names = user;
	if (names->given != NULL && names->text->len + len <= MOST_REFERENCE)
		g_string_append_len(names->text, text, (gssize)len);
}

static void sheet_end(void *user, const char *name)
{
	Names *names = user;
	(void)name;
	if (names->given != NULL)
		ms_book_define(names->book, names->given, names->text->str);
	g_clear_pointer(&names->given, g_free);
}

static void target_start(void *user, const char *name, const char *const *attributes)
{
	const Names *names = user;
	(void)name;
	const char *id = ms_xml_attribute(attributes, "Id");
	const char *target = ms_xml_attribute(attributes, "Target");
	const char *called = id != NULL ? g_hash_table_lookup(names->names, id) : NULL;
	if (called == NULL || target == NULL)
		return;
	g_autofree char *path = target_path(names->folder, target);
	ms_book_name(names->book, path + 1, called);
}

static void name_sheets(Package *p)
{
	static const MsXmlHandler sheets = {sheet_start, sheet_end, sheet_text, NULL};
	static const MsXmlHandler targets = {target_start, no_end, no_text, NULL};
	const Part *book = part_of(p, "workbook", "/officeDocument");
	if (book == NULL)
		return;
	const char *name = book->member->name, *slash = strrchr(name, '/');
	g_autofree char *folder = slash != NULL
		? g_strdup_printf("/%.*s", (int)(slash + 1 - name), name) : g_strdup("/");
	g_autofree char *links = g_strdup_printf("%s_rels/%s.rels", folder + 1,
		slash != NULL ? slash + 1 : name);
	const GByteArray *bytes = member_named(p->members, links);
	Names names = {p->office.book, folder,
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free), NULL,
		g_string_new(NULL)};
	ms_xml_parse(book->member->bytes->data, book->member->bytes->len, p->office.to->budget,
		&sheets, &names);
	if (bytes != NULL)
		ms_xml_parse(
			bytes->data, bytes->len, p->office.to->budget, &targets, &names);
	g_hash_table_unref(names.names);
	g_string_free(names.text, TRUE);
	g_free(names.given);
}

static void work_out_formulas(Package *p)
{
	gsize limit = (gsize)p->office.to->budget->left[MS_COST_TEXT];
	g_autoptr(GString) texts = g_string_new(NULL);
	g_autofree char *place = g_strconcat(p->document->where, " (formulas)", NULL);
	if (!ms_book_work_out(p->office.book, texts, limit))
		ms_reading_unread(p->office.to->reading, place, MS_UNREAD_LIMIT,
			"more formulas or cells than are worked out");
	ms_extract_span(p->office.to, place, texts->str, texts->len);
}

/* ---- the parts in their order --------------------------------------------------------- */

static void read_parts(Package *p)
{
	/* What the others refer to comes first. */
	Part *strings = part_of(p, "sst", "/sharedStrings");
	Part *shared[] = {strings, part_of(p, "styleSheet", "/styles"),
		part_of(p, "numbering", "/numbering"), part_of(p, "styles", "/styles"),
		part_of(p, "document-styles", "/styles")};
	for (gsize i = 0; i < G_N_ELEMENTS(shared); i++)
		if (shared[i] != NULL)
			read_part(p, shared[i], shared[i] == strings);
	for (guint i = 0; i < p->members->len; i++)
		if (strcmp(p->parts[i].root, MS_PIVOT_DEFINITION) == 0)
			read_part(p, &p->parts[i], false);
	for (guint i = 0; i < p->members->len; i++) {
		const MsMember *member = p->members->pdata[i];
		MsItem item = ms_inventory_item(p->inventory, member->name);
		if (!ms_budget_time(p->office.to->budget)) {
			ms_inventory_unread(p->inventory, MS_ITEM_WHOLE, MS_UNREAD_TIME,
				"the time for reading is over");
			return;
		}
		if (!p->parts[i].done)
			read_part(p, &p->parts[i], false);
		if (item != MS_ITEM_STRUCTURAL)
			ms_inventory_read(p->inventory, item);
		g_string_append(p->names, member->name);
		g_string_append_c(p->names, '\n');
	}
}

static void read_unused_strings(Package *p)
{
	g_autoptr(GString) unused = g_string_new(NULL);
	g_autofree char *place = g_strconcat(
		p->document->where, " (strings that no cell shows)", NULL);
	ms_sheets_unused(p->office.sheets, unused);
	ms_extract_span(p->office.to, place, unused->str, unused->len);
}

static void office_open(MsOffice *office, const MsExtraction *to, const char *where, bool mixed)
{
	*office = (MsOffice){to, where, mixed, false, ms_attributes_new("office"),
		ms_sheets_new(), ms_book_new(), ms_numbering_new(),
		mixed ? ms_odf_styles_new() : NULL,
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free)};
}

static void office_close(MsOffice *office)
{
	ms_attributes_free(office->attributes);
	ms_sheets_free(office->sheets);
	ms_book_free(office->book);
	ms_numbering_free(office->numbering);
	ms_odf_styles_free(office->styles);
	g_hash_table_unref(office->hiding);
}

static void read_package(Package *p)
{
	for (guint i = 0; i < p->members->len; i++) {
		p->parts[i].member = p->members->pdata[i];
		find_root(&p->parts[i]);
	}
	name_sheets(p);
	read_parts(p);
	work_out_formulas(p);
	read_unused_strings(p);
	g_autofree char *place = g_strconcat(p->document->where, " (names of parts)", NULL);
	ms_extract_span(p->office.to, place, p->names->str, p->names->len);
	if (p->text < 40 && p->pictures > 0)
		ms_reading_unread(p->office.to->reading, p->document->where, MS_UNREAD_IMAGE_ONLY,
			"pictures with hardly any text");
}

static bool is_opendocument(const GPtrArray *members)
{
	const GByteArray *type = member_named(members, "mimetype");
	return type != NULL &&
		(g_strstr_len((const char *)type->data, type->len, "opendocument") != NULL ||
			g_strstr_len((const char *)type->data, type->len, "vnd.sun.xml") != NULL);
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
	Package p = {.document = document, .members = members,
		.inventory = ms_inventory_open(to->reading, document->where, "office", 0),
		.parts = g_new0(Part, members->len),
		.pivots = ms_pivot_heads_new(),
		.names = g_string_new(NULL)};
	ms_inventory_read(p.inventory, MS_ITEM_WHOLE);
	office_open(&p.office, to, document->where, is_opendocument(members));
	read_package(&p);
	office_close(&p.office);
	ms_inventory_close(p.inventory, NULL, NULL);
	g_clear_pointer(&p.types, g_hash_table_unref);
	g_string_free(p.names, TRUE);
	g_ptr_array_unref(p.pivots);
	g_free(p.parts);
}

/* ---- documents in a single file ------------------------------------------------------- */

/* OpenDocument (.fodt and so on), Word 2003, SpreadsheetML 2003, Flat OPC. */
bool ms_is_flat_office(const char *root)
{
	static const char *const roots[] = {
		"document", "wordDocument", "package", "Workbook", NULL};
	return g_strv_contains(roots, root);
}

void ms_flat_office_read(const MsExtraction *to, const char *root, const MsDocument *document,
	MsInventory *inventory)
{
	ms_inventory_read(inventory, MS_ITEM_WHOLE);
	bool mixed = memmem(document->data, MIN(document->len, 8192), "opendocument", 12) != NULL;
	MsOffice office;
	gsize text = 0;
	office_open(&office, to, document->where, mixed);
	office.package = strcmp(root, "package") == 0;
	note_broken(to, document->where,
		ms_flow_read(
			&office, document->where, NULL, document->data, document->len, false,
			&text));
	office_close(&office);
}
