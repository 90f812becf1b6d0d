/*
 * iCalendar (RFC 5545), vCard 2.1 to 4 (RFC 6350) and LDIF (RFC 2849): lines
 * "NAME;parameters:value", long ones folded, values encoded each in its way.  In come
 * bytes, out go the values with their names, and the files that stand in them.  One
 * message, one thread.
 *
 * The text as it stands is read, too: it is what is seen in an editor, and what is left
 * of a line that is none.
 */
#include "config.h"

#include <string.h>

#include "missent/named.h"
#include "missent/scan.h"
#include "missent/text.h"
#include "missent/transfer.h"

#include "html.h"
#include "readers.h"

typedef struct {
	const MsExtraction *to;
	const MsDocument *document;
	const char *p, *end;
	MsNamedText *named;
	GPtrArray *inner; /* of MsHtmlInner * */
} Card;

typedef struct {
	const char *name;       /* lower case, without its group */
	const char *parameters; /* upper case, or "" */
	const char *written;    /* the parameters as they stand */
	const char *value;
	gsize len;
} Property;

/* ---- lines ----------------------------------------------------------------------------
 */

static gsize line_length(const char *p, const char *end)
{
	const char *nl = memchr(p, '\n', (gsize)(end - p));
	gsize n = (gsize)((nl != NULL ? nl : end) - p);
	return n > 0 && p[n - 1] == '\r' ? n - 1 : n;
}

/* One line with those that it goes on in: they begin with a blank, which is no part of
 * it. */
static GString *take_line(Card *card)
{
	GString *line = g_string_new(NULL);
	gsize n = line_length(card->p, card->end);
	g_string_append_len(line, card->p, (gssize)n);
	card->p = ms_line_after(card->p, card->end);
	while (card->p < card->end && (*card->p == ' ' || *card->p == '\t')) {
		n = line_length(card->p, card->end);
		g_string_append_len(line, card->p + 1, n > 0 ? (gssize)n - 1 : 0);
		card->p = ms_line_after(card->p, card->end);
	}
	ms_text_blank_nuls(line);
	return line;
}

/* Quoted-printable goes on in the next line without a fold. */
static void take_soft_lines(Card *card, GString *line)
{
	while (line->len > 0 && line->str[line->len - 1] == '=' && card->p < card->end) {
		g_string_append_c(line, '\n');
		g_autoptr(GString) more = take_line(card);
		g_string_append_len(line, more->str, (gssize)more->len);
	}
}

/* Some write base64 without folds, up to an empty line. */
static void take_base64_lines(Card *card, GString *line)
{
	while (card->p < card->end) {
		gsize n = line_length(card->p, card->end);
		gsize digits = 0;
		for (; digits < n; digits++)
			if (!ms_transfer_is_base64(card->p[digits]) &&
				memchr("= \t", card->p[digits], 3) == NULL)
				return;
		if (n == 0)
			return;
		g_string_append_len(line, card->p, (gssize)n);
		card->p = ms_line_after(card->p, card->end);
	}
}

/* The colon behind the name and its parameters, in which quotes may hold others. */
static const char *colon_of(const GString *line)
{
	bool quoted = false;
	for (gsize i = 0; i < line->len; i++) {
		if (line->str[i] == '"')
			quoted = !quoted;
		else if (line->str[i] == ':' && !quoted)
			return line->str + i;
	}
	return memchr(line->str, ':', line->len);
}

/* ---- values ---------------------------------------------------------------------------
 */

static GString *to_text(
	const MsDocument *document, const char *charset, const guint8 *data, gsize len)
{
	GString *text;
	ms_charset_decode(
		charset != NULL ? charset : document->charset, data, len, &text);
	ms_text_blank_nuls(text);
	return text;
}

static char *charset_of(const char *parameters)
{
	const char *p = strstr(parameters, "CHARSET=");
	if (p == NULL)
		return NULL;
	p += 8;
	p += *p == '"';
	return g_strndup(p, strcspn(p, ";:\""));
}

static GString *without_escapes(const GString *text)
{
	GString *out = g_string_sized_new(text->len);
	for (gsize i = 0; i < text->len; i++) {
		const char *p = text->str + i;
		if (*p != '\\' || i + 1 == text->len) {
			g_string_append_c(out, *p);
			continue;
		}
		i++;
		g_string_append_c(out, p[1] == 'n' || p[1] == 'N' ? '\n' : p[1]);
	}
	return out;
}

/* Box; extension; street; place; region; code; country: as it stands on an envelope. */
static void put_address(Card *card, const char *value)
{
	g_auto(GStrv) parts = g_strsplit(value, ";", -1);
	if (g_strv_length(parts) < 6)
		return;
	const char *country = parts[6] != NULL ? parts[6] : "";
	g_autofree char *lines = g_strdup_printf("%s\n%s\n%s\n%s %s\n%s\n%s\n%s %s\n%s\n",
		parts[0], parts[1], parts[2], parts[5], parts[3], country, parts[2],
		parts[3], parts[5], country);
	g_autoptr(GString) text = g_string_new(lines);
	ms_squeeze(text);
	ms_named_value(card->named, "address", text->str, text->len);
}

static void put_text(Card *card, const Property *property, const GString *text)
{
	g_autoptr(GString) plain = without_escapes(text);
	ms_data_uris_take(plain, 0, card->inner);
	ms_named_value(card->named, property->name, plain->str, plain->len);
	if (strcmp(property->name, "adr") == 0)
		put_address(card, plain->str);
	const char *tag = memchr(plain->str, '<', plain->len);
	if (tag != NULL && strchr(tag, '>') != NULL)
		ms_html_text_read(
			card->to, card->document->where, plain->str, plain->len);
}

/* Keys and certificates have names in them, but no reader. */
static bool is_key(const char *name)
{
	return strcmp(name, "key") == 0 || g_str_has_prefix(name, "usercertificate") ||
	       g_str_has_prefix(name, "usersmimecertificate") ||
	       g_str_has_prefix(name, "cacertificate");
}

static void put_bytes(Card *card, const Property *property, const GByteArray *bytes)
{
	if (bytes->len == 0)
		return;
	if (is_key(property->name)) {
		g_autoptr(GString) words = g_string_new(NULL);
		ms_strings(words, bytes->data, bytes->len);
		ms_named_value(card->named, property->name, words->str, words->len);
		return;
	}
	g_autofree char *charset = charset_of(property->parameters);
	g_autoptr(GString)
		text = ms_is_text(bytes->data, bytes->len)
			       ? to_text(card->document, charset, bytes->data, bytes->len)
			       : NULL;
	if (text != NULL)
		ms_named_value(card->named, property->name, text->str, text->len);
	ms_extract_within(card->to, card->document->where, property->name, NULL,
		bytes->data, bytes->len);
}

static bool has_parameter(const Property *property, const char *word)
{
	const char *hit = strstr(property->parameters, word);
	return hit != NULL &&
	       (hit == property->parameters || strchr(";=", hit[-1]) != NULL);
}

static bool is_base64(const Property *property)
{
	return has_parameter(property, "BASE64") ||
	       strstr(property->parameters, "ENCODING=B") != NULL;
}

static void read_property(Card *card, const Property *property)
{
	g_autofree char *charset = charset_of(property->parameters);
	/* Other files and names in the parameters: ALTREP="data:...", CN="Anna". */
	g_autoptr(GString) parameters = to_text(card->document, NULL,
		(const guint8 *)property->written, strlen(property->written));
	g_string_replace(parameters, "^n", "\n", 0); /* RFC 6868 */
	g_string_replace(parameters, "^'", "\"", 0);
	g_string_replace(parameters, "^^", "^", 0);
	ms_data_uris_take(parameters, 0, card->inner);
	ms_named_value(card->named, NULL, parameters->str, parameters->len);
	if (is_base64(property)) {
		g_autoptr(GByteArray) bytes = ms_transfer_base64(
			(const guint8 *)property->value, property->len);
		put_bytes(card, property, bytes);
	} else if (has_parameter(property, "QUOTED-PRINTABLE")) {
		g_autoptr(GByteArray) bytes = ms_transfer_quoted_printable(
			(const guint8 *)property->value, property->len);
		g_autoptr(GString)
			text = to_text(card->document, charset, bytes->data, bytes->len);
		put_text(card, property, text);
	} else {
		g_autoptr(GString) text = to_text(card->document, charset,
			(const guint8 *)property->value, property->len);
		put_text(card, property, text);
	}
}

static void take_property(Card *card)
{
	g_autoptr(GString) line = take_line(card);
	const char *colon = colon_of(line);
	if (colon == NULL)
		return;
	g_autofree char *head = g_strndup(line->str, (gsize)(colon - line->str));
	char *semicolon = strchr(head, ';');
	g_autofree char *written = g_strdup(semicolon != NULL ? semicolon + 1 : "");
	g_autofree char *parameters = g_ascii_strup(written, -1);
	if (semicolon != NULL)
		*semicolon = '\0';
	const char *group = strrchr(head, '.');
	g_autofree char *name = g_ascii_strdown(group != NULL ? group + 1 : head, -1);
	Property property = {name, parameters, written, NULL, 0};
	gsize start = (gsize)(colon + 1 - line->str);
	if (has_parameter(&property, "QUOTED-PRINTABLE"))
		take_soft_lines(card, line);
	else if (is_base64(&property))
		take_base64_lines(card, line);
	property.value = line->str + start;
	property.len = line->len - start;
	read_property(card, &property);
}

/* ---- LDIF -----------------------------------------------------------------------------
 */

bool ms_is_ldif(const guint8 *data, gsize len)
{
	const char *p = (const char *)data, *end = p + MIN(len, 4096);
	while (p < end && (*p == '#' || *p == '\n' || *p == '\r' || *p == ' ' ||
				  g_ascii_strncasecmp(
					  p, "version:", MIN((gsize)(end - p), 8)) == 0))
		p = ms_line_after(p, end);
	return end - p > 4 && g_ascii_strncasecmp(p, "dn:", 3) == 0;
}

static void take_ldif_line(Card *card)
{
	g_autoptr(GString) line = take_line(card);
	const char *colon = memchr(line->str, ':', line->len);
	if (line->len == 0) { /* the next entry */
		ms_named_close(card->named);
		ms_named_open(card->named, NULL);
	}
	if (colon == NULL)
		return;
	g_autofree char *head = g_strndup(line->str, (gsize)(colon - line->str));
	g_autofree char *name = g_ascii_strdown(head, -1);
	bool encoded = colon[1] == ':';
	const char *value = colon + 1 + encoded;
	Property property = {name, "", "", value, line->len - (gsize)(value - line->str)};
	if (!encoded) {
		g_autoptr(GString) text = to_text(
			card->document, NULL, (const guint8 *)value, property.len);
		g_strchug(text->str);
		text->len = strlen(text->str);
		put_text(card, &property, text);
		return;
	}
	g_autoptr(GByteArray)
		bytes = ms_transfer_base64((const guint8 *)value, property.len);
	put_bytes(card, &property, bytes);
}

/* ---- the whole ------------------------------------------------------------------------
 */

static void read_as_text(const MsExtraction *to, const MsDocument *document,
	const char *where, const GString *text)
{
	(void)document;
	ms_extract_span(to, where, text->str, text->len);
}

static void read_lines(
	const MsExtraction *to, const MsDocument *document, void (*take)(Card *card))
{
	Card card = {to, document, (const char *)document->data,
		(const char *)document->data + document->len, ms_named_new(),
		ms_inner_new()};
	g_autoptr(GString) wide = NULL;
	if (ms_charset_guess(document->data, document->len) != NULL ||
		(document->len > 1 && document->data[0] >= 0xfe)) {
		ms_charset_decode(NULL, document->data, document->len, &wide);
		card.p = wide->str;
		card.end = wide->str + wide->len;
	}
	ms_named_open(card.named, NULL);
	while (card.p < card.end && ms_budget_time(to->budget))
		take(&card);
	if (card.p < card.end)
		ms_reading_unread(to->reading, document->where, MS_UNREAD_TIME,
			"the time for reading is over");
	ms_extract_named(to, document->where, card.named);
	ms_inner_read(to, document->where, card.inner);
	ms_named_free(card.named);
	g_ptr_array_unref(card.inner);
	ms_decode_each(to, document, NULL, read_as_text);
}

void ms_card_read(
	const MsExtraction *to, const MsDocument *document, MsInventory *inventory)
{
	ms_inventory_read(inventory, MS_ITEM_WHOLE);
	read_lines(to, document, take_property);
}

void ms_ldif_read(
	const MsExtraction *to, const MsDocument *document, MsInventory *inventory)
{
	ms_inventory_read(inventory, MS_ITEM_WHOLE);
	read_lines(to, document, take_ldif_line);
}
