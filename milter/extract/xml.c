#include "config.h"

#include <expat.h>
#include <string.h>

#include "missent/text.h"

#include "html.h"
#include "readers.h"
#include "xml.h"

/*
 * expat, told to expand nothing: an entity that a document declares itself is left standing and
 * noted, because a viewer may show what it stands for.
 */

#define CHUNK 65536

typedef struct {
	const MsXmlHandler *handler;
	void *user;
	XML_Parser parser;
	bool entities;
} Xml;

static const char *local(const char *name)
{
	const char *colon = strrchr(name, ':');
	return colon != NULL ? colon + 1 : name;
}

static void on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
	Xml *xml = user;
	xml->handler->start(xml->user, local(name), (const char *const *)attributes);
}

static void on_end(void *user, const XML_Char *name)
{
	Xml *xml = user;
	xml->handler->end(xml->user, local(name));
}

static void on_text(void *user, const XML_Char *text, int len)
{
	Xml *xml = user;
	xml->handler->text(xml->user, text, (gsize)len);
}

static void on_comment(void *user, const XML_Char *text)
{
	Xml *xml = user;
	if (xml->handler->comment != NULL)
		xml->handler->comment(xml->user, text, strlen(text));
}

static void on_instruction(void *user, const XML_Char *target, const XML_Char *text)
{
	(void)target;
	on_comment(user, text);
}

/* A default handler keeps expat from expanding entities; references come here as written. */
static void on_other(void *user, const XML_Char *text, int len)
{
	Xml *xml = user;
	if (len > 1 && text[0] == '&') {
		xml->entities = true;
		xml->handler->text(xml->user, text, (gsize)len);
	}
}

const char *ms_xml_attribute(const char *const *attributes, const char *name)
{
	for (; *attributes != NULL; attributes += 2)
		if (strcmp(local(attributes[0]), name) == 0)
			return attributes[1];
	return NULL;
}

/* The charset of the declaration; expat knows four, senders more. */
static char *declared(const guint8 *data, gsize len)
{
	gsize n = MIN(len, 200);
	const char *end = memchr(data, '>', n);
	const char *p = end != NULL
		? g_strstr_len((const char *)data, end - (const char *)data, "encoding") : NULL;
	if (p == NULL)
		return NULL;
	p += 8;
	while (p < end && (g_ascii_isspace(*p) || *p == '='))
		p++;
	if (*p != '"' && *p != '\'')
		return NULL;
	const char *stop = memchr(p + 1, *p, (gsize)(end - p - 1));
	return stop != NULL ? g_strndup(p + 1, (gsize)(stop - p - 1)) : NULL;
}

static const char *wide(const guint8 *data, gsize len)
{
	bool marked = len >= 2 && ((data[0] == 0xff && data[1] == 0xfe) || (data[0] == 0xfe && data[1] == 0xff));
	bool bare = len >= 4 && ((data[0] == 0 && data[1] == '<') || (data[0] == '<' && data[1] == 0));
	return marked || bare ? "UTF-16" : NULL;
}

/* Valid UTF-8 without the control characters that no XML may hold. */
static GString *to_utf8(const guint8 *data, gsize len)
{
	GString *text;
	if (len == 0) /* `data` may be NULL */
		return g_string_new(NULL);
	const char *charset = wide(data, len);
	g_autofree char *named = charset == NULL ? declared(data, len) : NULL;
	if (named != NULL && g_ascii_strncasecmp(named, "UTF-16", 6) != 0)
		charset = named;
	if (charset == NULL && len > 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
		charset = "UTF-8";
	/* Said to be UTF-8 (or nothing), but it is not: Windows-1252 by the byte. */
	ms_charset_decode(charset, data, len, &text);
	for (gsize i = 0; i < text->len; i++)
		if ((guchar)text->str[i] < 0x20 && strchr("\t\n\r", text->str[i]) == NULL)
			text->str[i] = ' ';
		else if (text->str[i] == '\0')
			text->str[i] = ' ';
	gsize blank = 0;
	while (blank < text->len && g_ascii_isspace(text->str[blank]))
		blank++;
	g_string_erase(text, 0, (gssize)blank); /* before the declaration expat takes none */
	return text;
}

const char *ms_xml_parse(const guint8 *data, gsize len, MsBudget *budget,
	const MsXmlHandler *handler, void *user)
{
	g_autoptr(GString) text = to_utf8(data, len);
	Xml xml = {handler, user, XML_ParserCreate("UTF-8"), false};
	const char *why = NULL;
	XML_SetUserData(xml.parser, &xml);
	XML_SetElementHandler(xml.parser, on_start, on_end);
	XML_SetCharacterDataHandler(xml.parser, on_text);
	XML_SetCommentHandler(xml.parser, on_comment);
	XML_SetProcessingInstructionHandler(xml.parser, on_instruction);
	XML_SetDefaultHandler(xml.parser, on_other);
	XML_SetParamEntityParsing(xml.parser, XML_PARAM_ENTITY_PARSING_NEVER);
	for (gsize at = 0; why == NULL && (at < text->len || at == 0); at += CHUNK) {
		gsize n = MIN(CHUNK, text->len - at);
		if (!ms_budget_time(budget))
			why = "the time for reading is over";
		else if (XML_Parse(xml.parser, text->str + at, (int)n, at + n >= text->len)
			!= XML_STATUS_OK)
			why = XML_ErrorString(XML_GetErrorCode(xml.parser));
	}
	XML_ParserFree(xml.parser);
	return why == NULL && xml.entities ? "it uses entities that it declares itself" : why;
}

/* ---- the root element ----------------------------------------------------------------- */

typedef struct {
	char *name;
} Root;

static void root_start(void *user, const char *name, const char *const *attributes)
{
	(void)attributes;
	Root *root = user;
	if (root->name == NULL)
		root->name = g_strdup(name);
}

static void ignore_end(void *user, const char *name)
{
	(void)user;
	(void)name;
}

static void ignore_text(void *user, const char *text, gsize len)
{
	(void)user;
	(void)text;
	(void)len;
}

char *ms_xml_root(const guint8 *data, gsize len)
{
	static const MsXmlHandler handler = {root_start, ignore_end, ignore_text, NULL};
	Root root = {NULL};
	MsLimits limits;
	ms_limits_default(&limits);
	MsBudget budget;
	ms_budget_init(&budget, &limits);
	/* The beginning is enough; that it ends in mid-element does not matter. */
	ms_xml_parse(data, MIN(len, 16384), &budget, &handler, &root);
	return root.name;
}

/* ---- any XML -------------------------------------------------------------------------- */

typedef struct {
	GString *text, *attributes;
} Any;

static void any_break(GString *out)
{
	if (out->len > 0 && out->str[out->len - 1] != '\n')
		g_string_append_c(out, '\n');
}

static void any_start(void *user, const char *name, const char *const *attributes)
{
	(void)name;
	Any *any = user;
	any_break(any->text);
	for (; *attributes != NULL; attributes += 2) {
		if (g_str_has_prefix(attributes[0], "xmlns"))
			continue;
		g_string_append(any->attributes, attributes[1]);
		g_string_append_c(any->attributes, '\n');
	}
}

static void any_end(void *user, const char *name)
{
	(void)name;
	Any *any = user;
	any_break(any->text);
}

static void any_text(void *user, const char *text, gsize len)
{
	Any *any = user;
	g_string_append_len(any->text, text, (gssize)len);
}

/* What is no XML to expat is text to a person: read it as a browser would show it. */
static void read_broken(const MsExtraction *to, const MsDocument *document, const char *why)
{
	bool late = strstr(why, "time") != NULL;
	ms_reading_unread(to->reading, document->where,
		late ? MS_UNREAD_TIME : strstr(why, "entities") != NULL ? MS_UNREAD_AMBIGUOUS
									 : MS_UNREAD_DAMAGED,
		"XML: %s", why);
	if (!late)
		ms_read_with(ms_html_document_read, to, document);
}

void ms_xml_document_read(const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory)
{
	ms_inventory_read(inventory, MS_ITEM_WHOLE);
	static const MsXmlHandler handler = {any_start, any_end, any_text, NULL};
	g_autofree char *root = ms_xml_root(document->data, document->len);
	const char *why;
	if (root != NULL && ms_einvoice_is(root)) {
		why = ms_einvoice_read(to, document->where, document->data, document->len);
	} else if (root != NULL && ms_is_flat_office(root)) {
		ms_flat_office_read(to, document, inventory);
		return;
	} else {
		g_autoptr(GString) text = g_string_new(NULL);
		g_autoptr(GString) attributes = g_string_new(NULL);
		Any any = {text, attributes};
		why = ms_xml_parse(document->data, document->len, to->budget, &handler, &any);
		ms_squeeze(text);
		ms_extract_span(to, document->where, text->str, text->len);
		g_autofree char *where = g_strconcat(document->where, " (attributes)", NULL);
		ms_extract_span(to, where, attributes->str, attributes->len);
	}
	if (why != NULL)
		read_broken(to, document, why);
}
