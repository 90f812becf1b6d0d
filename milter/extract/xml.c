/*
 * expat.  An entity that a document declares in itself is what it stands for, as every program
 * shows it; one that stands elsewhere, or makes much of little, is left standing and noted.  The
 * worker's one thread.
 */
#include "config.h"

#define XML_DTD 1 /* the limits of entities are declared for who asks so */
#include <expat.h>
#include <string.h>

#include "missent/scan.h"
#include "missent/text.h"

#include "html.h"
#include "readers.h"
#include "xml.h"

#define CHUNK 65536
#define MOST_MADE (1 << 20) /* bytes of entities, and ten times what is in the file beyond these */

typedef struct {
	const MsXmlHandler *handler;
	void *user;
	XML_Parser parser;
	bool entities;
} Xml;

const char *ms_xml_local(const char *name)
{
	const char *colon = strrchr(name, ':');
	return colon != NULL ? colon + 1 : name;
}

static void on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
	Xml *xml = user;
	xml->handler->start(xml->user, ms_xml_local(name), (const char *const *)attributes);
}

static void on_end(void *user, const XML_Char *name)
{
	Xml *xml = user;
	xml->handler->end(xml->user, ms_xml_local(name));
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

/* References to what is not in the document come here as written. */
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
		if (strcmp(ms_xml_local(attributes[0]), name) == 0)
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
	bool marked = len >= 2 &&
		((data[0] == 0xff && data[1] == 0xfe) || (data[0] == 0xfe && data[1] == 0xff));
	bool bare = len >= 4 &&
		((data[0] == 0 && data[1] == '<') || (data[0] == '<' && data[1] == 0));
	const char *guess = len >= 4 ? ms_charset_guess(data, len) : NULL;
	if (guess != NULL && g_str_has_prefix(guess, "UTF-32"))
		return "UTF-32";
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
	if (named != NULL && g_ascii_strncasecmp(named, "UTF-16", 6) != 0 &&
		g_ascii_strncasecmp(named, "UTF-32", 6) != 0)
		charset = named;
	if (charset == NULL && len > 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
		charset = "UTF-8";
	/* Said to be UTF-8 (or nothing), but it is not: Windows-1252 by the byte. */
	ms_charset_decode(charset, data, len, &text);
	for (gsize i = 0; i < text->len; i++)
		if ((guchar)text->str[i] < 0x20 && strchr("\t\n\r", text->str[i]) == NULL)
			text->str[i] = ' ';
	ms_text_blank_nuls(text);
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
	XML_SetDefaultHandlerExpand(xml.parser, on_other);
	XML_SetBillionLaughsAttackProtectionActivationThreshold(xml.parser, MOST_MADE);
	XML_SetBillionLaughsAttackProtectionMaximumAmplification(xml.parser, 10);
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
	return why == NULL && xml.entities ? "it uses entities that are not in it" : why;
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

/* Elements whose text runs through others are put together once; what is longer is prose, in
 * which no number is broken by a tag only. */
#define MAX_MIXED 4096

typedef struct {
	gsize start; /* in `run` */
	bool text, children;
} Element;

typedef struct {
	MsNamedText *named;      /* text and attributes, with the names of their elements */
	GString *value;          /* text since the last tag */
	GString *run, *mixed;
	GArray *open;            /* of Element */
	GPtrArray *inner;
	gsize len;
	const char *coded; /* IDoc: what the code before says that a number is of */
} Any;

static Element *innermost(Any *any)
{
	return any->open->len > 0 ? &g_array_index(any->open, Element, any->open->len - 1) : NULL;
}

static void flush_value(Any *any)
{
	if (!ms_is_all_blank(any->value->str, any->value->len)) {
		Element *element = innermost(any);
		if (element != NULL)
			element->text = true;
		ms_data_uris_take(any->value, 0, any->inner);
		ms_base64_take(any->value->str, any->value->len, any->inner);
		g_strstrip(any->value->str);
		ms_named_value(any->named, NULL, any->value->str, strlen(any->value->str));
	}
	g_string_truncate(any->value, 0);
}

static void any_attribute(Any *any, const char *name, const char *value)
{
	if (g_str_has_prefix(name, "xmlns"))
		return;
	g_autoptr(GString) text = g_string_new(value);
	ms_data_uris_take(text, 0, any->inner);
	ms_base64_take(text->str, text->len, any->inner);
	ms_named_value(any->named, name, text->str, text->len);
}

/* ISO 20022: what is in it says what stands beside it. */
static bool is_transparent(const char *name)
{
	return strcmp(name, "SchmeNm") == 0;
}

/* <QUALF>009</QUALF><BELNR>4711</BELNR> */
static void take_coded(Any *any, const char *name, const Element *element)
{
	bool code = strcmp(name, "QUALF") == 0;
	if (element->children)
		any->coded = NULL;
	if (!code && (any->coded == NULL || strcmp(name, "BELNR") != 0))
		return;
	g_autofree char *value = g_strstrip(g_strdup(any->run->str + element->start));
	if (code)
		any->coded = ms_edi_label(name, value);
	else
		ms_named_value(any->named, any->coded, value, strlen(value));
}

static void any_start(void *user, const char *name, const char *const *attributes)
{
	Any *any = user;
	flush_value(any);
	Element *outer = innermost(any);
	if (outer != NULL)
		outer->children = true;
	if (!is_transparent(name))
		ms_named_open(any->named, name);
	Element element = {any->run->len, false, false};
	g_array_append_val(any->open, element);
	for (; *attributes != NULL; attributes += 2)
		any_attribute(any, attributes[0], attributes[1]);
}

static void any_end(void *user, const char *name)
{
	Any *any = user;
	flush_value(any);
	const Element *element = innermost(any);
	if (element == NULL)
		return;
	gsize length = any->run->len - element->start;
	if (element->text && element->children && length <= MAX_MIXED
		&& any->mixed->len < 4 * any->len) {
		g_string_append_len(any->mixed, any->run->str + element->start, (gssize)length);
		g_string_append_c(any->mixed, '\n');
	}
	take_coded(any, name, element);
	g_array_set_size(any->open, any->open->len - 1);
	if (!is_transparent(name))
		ms_named_close(any->named);
}

static void any_text(void *user, const char *text, gsize len)
{
	Any *any = user;
	g_string_append_len(any->value, text, (gssize)len);
	g_string_append_len(any->run, text, (gssize)len);
}

static const char *read_any(const MsExtraction *to, const MsDocument *document)
{
	static const MsXmlHandler handler = {any_start, any_end, any_text};
	Any any = {ms_named_new(), g_string_new(NULL), g_string_new(NULL), g_string_new(NULL),
		g_array_new(FALSE, FALSE, sizeof(Element)), ms_inner_new(), document->len};
	const char *why = ms_xml_parse(document->data, document->len, to->budget, &handler, &any);
	flush_value(&any);
	ms_extract_named(to, document->where, any.named);
	ms_extract_span(to, document->where, any.mixed->str, any.mixed->len);
	ms_inner_read(to, document->where, any.inner);
	ms_named_free(any.named);
	g_string_free(any.value, TRUE);
	g_string_free(any.run, TRUE);
	g_string_free(any.mixed, TRUE);
	g_array_unref(any.open);
	g_ptr_array_unref(any.inner);
	return why;
}

/* ---- what stands aside ---------------------------------------------------------------- */

/* Behind the aside that begins at `p`; comments, instructions and the document type go to
 * `out`. */
static const char *take_aside(const char *p, const char *end, GString *out)
{
	gsize left = (gsize)(end - p);
	bool comment = left >= 4 && memcmp(p, "<!--", 4) == 0;
	bool cdata = left >= 9 && memcmp(p, "<![CDATA[", 9) == 0;
	const char *mark = comment ? "-->" : cdata ? "]]>" : p[1] == '?' ? "?>" : ">";
	const char *close = memmem(p + 2, left - 2, mark, strlen(mark));
	if (!comment && !cdata && p[1] == '!') {
		/* The entities of a document type stand in brackets. */
		const char *bracket = close != NULL ? memchr(p, '[', (gsize)(close - p)) : NULL;
		if (bracket != NULL)
			close = memmem(bracket, (gsize)(end - bracket), "]>", 2);
	}
	const char *stop = close != NULL ? close : end;
	if (!cdata) {
		g_string_append_len(out, p + 2, stop - p - 2);
		g_string_append_c(out, '\n');
	}
	return close != NULL ? close + strlen(mark) : end;
}

#define ODD_DIGITS 6 /* http://schemas.microsoft.com/office/2009/9/main has five */

/* Names of elements and attributes are words, and vocabularies have a year; what has more digits
 * may be anything. */
static bool is_odd(const char *p, const char *end)
{
	guint digits = 0;
	for (; p < end; p++)
		digits += g_ascii_isdigit(*p) != 0;
	return digits >= ODD_DIGITS;
}

static void take_names(const char *p, const char *end, GString *out)
{
	bool vocabulary = false;
	while (p < end) {
		const char *from = p, *until;
		if (*p == '"' || *p == '\'') {
			const char *close = memchr(p + 1, *p, (gsize)(end - p - 1));
			from = p + 1;
			until = close != NULL ? close : end;
			p = close != NULL ? close + 1 : end;
			if (!vocabulary)
				continue;
			vocabulary = false;
		} else {
			while (p < end && !g_ascii_isspace(*p) && *p != '=' && *p != '"' &&
				*p != '\'')
				p++;
			until = p;
			if (until == from) {
				p++;
				continue;
			}
			vocabulary = until - from >= 5 && memcmp(from, "xmlns", 5) == 0;
		}
		if (is_odd(from, until)) {
			g_string_append_len(out, from, until - from);
			g_string_append_c(out, '\n');
		}
	}
}

/* The end of a tag: a ">" may stand within quotes. */
static const char *tag_end(const char *p, const char *end)
{
	while (p < end && *p != '>') {
		const char *close = *p == '"' || *p == '\''
			? memchr(p + 1, *p, (gsize)(end - p - 1))
			: p;
		p = close != NULL ? close + 1 : end;
	}
	return p;
}

void ms_xml_asides_read(const MsExtraction *to, const MsDocument *document)
{
	g_autoptr(GString) text = to_utf8(document->data, document->len);
	g_autoptr(GString) out = g_string_new(NULL);
	const char *end = text->str + text->len;
	for (const char *p = text->str;
		p < end && (p = memchr(p, '<', (gsize)(end - p))) != NULL;) {
		if (end - p > 2 && (p[1] == '!' || p[1] == '?')) {
			p = take_aside(p, end, out);
			continue;
		}
		const char *stop = tag_end(p, end);
		if (p + 1 < end && p[1] != '/')
			take_names(p + 1, stop, out);
		p = stop;
	}
	g_autofree char *where = g_strconcat(document->where, " (comments and names)", NULL);
	ms_data_uris_read(to, where, out->str, out->len);
	ms_extract_span(to, where, out->str, out->len);
}

/* What is no XML to expat is text to a person: read it as a browser would show it. */
void ms_xml_broken_read(const MsExtraction *to, const MsDocument *document, const char *why)
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
	g_autofree char *root = ms_xml_root(document->data, document->len);
	const char *why;
	if (root != NULL && strcmp(root, "svg") == 0) {
		ms_svg_read(to, document, inventory);
		return;
	}
	ms_xml_asides_read(to, document);
	if (root != NULL && ms_einvoice_is(root)) {
		why = ms_einvoice_read(to, document->where, document->data, document->len);
	} else if (root != NULL && ms_is_flat_office(root)) {
		ms_flat_office_read(to, root, document, inventory);
		return;
	} else {
		why = read_any(to, document);
	}
	if (why != NULL)
		ms_xml_broken_read(to, document, why);
}
