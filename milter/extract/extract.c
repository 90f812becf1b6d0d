#include "config.h"

#include <string.h>

#include "missent/extract.h"
#include "missent/text.h"

#include "html.h"
#include "plain.h"

/* A reader is one function and one row here. */
typedef struct {
	const char *type; /* content type; a final "/" matches all its subtypes */
	void (*read)(const MsExtraction *to, const MsDocument *document);
} Reader;

static void read_plain(const MsExtraction *to, const MsDocument *document);
static void read_html(const MsExtraction *to, const MsDocument *document);

static void note_image(const MsExtraction *to, const MsDocument *document)
{
	ms_reading_unread(to->reading, document->where, MS_UNREAD_IMAGE, "%s", document->type);
}

static void note_signature(const MsExtraction *to, const MsDocument *document)
{
	ms_reading_unread(to->reading, document->where, MS_UNREAD_SIGNATURE, "%s", document->type);
}

static void note_encrypted(const MsExtraction *to, const MsDocument *document)
{
	ms_reading_unread(to->reading, document->where, MS_UNREAD_ENCRYPTED, "%s", document->type);
}

static void note_partial(const MsExtraction *to, const MsDocument *document)
{
	ms_reading_unread(to->reading, document->where, MS_UNREAD_PARTIAL,
		"a fragment, or kept elsewhere (%s)", document->type);
}

static const Reader readers[] = {
	{"text/plain", read_plain},
	{"text/html", read_html},
	{"text/csv", read_plain},
	{"text/tab-separated-values", read_plain},
	{"text/markdown", read_plain},
	{"text/rfc822-headers", read_plain},
	{"message/delivery-status", read_plain},
	{"message/disposition-notification", read_plain},
	{"message/partial", note_partial},
	{"message/external-body", note_partial},
	{"application/pgp-signature", note_signature},
	{"application/pkcs7-signature", note_signature},
	{"application/x-pkcs7-signature", note_signature},
	{"application/pgp-encrypted", note_encrypted},
	{"application/pkcs7-mime", note_encrypted},
	{"application/x-pkcs7-mime", note_encrypted},
	{"image/", note_image},
	{"audio/", note_image},
	{"video/", note_image},
};

static bool has_type(const char *type, const char *row)
{
	gsize n = strlen(row);
	return row[n - 1] == '/' ? strncmp(type, row, n) == 0 : strcmp(type, row) == 0;
}

void ms_extract_span(const MsExtraction *to, const char *where, const char *text, gsize len)
{
	if (len == 0)
		return;
	if (!ms_budget_charge(to->budget, MS_COST_TEXT, len)) {
		ms_reading_unread(to->reading, where, MS_UNREAD_LIMIT,
			"more text than %s allows", ms_cost_name(MS_COST_TEXT));
		return;
	}
	to->reading->text_bytes += len;
	MsSpan span = {.type = MS_SPAN_TEXT, .where = where, .text = text, .len = len};
	to->span(&span, to->user);
}

static GString *decode(const MsExtraction *to, const MsDocument *document)
{
	GString *text;
	if (!ms_charset_decode(document->charset, document->data, document->len, &text)) {
		g_autofree char *name = ms_text_escape(document->charset, -1, 40);
		ms_reading_unread(to->reading, document->where, MS_UNREAD_CHARSET,
			"charset \"%s\" is not known", name);
	}
	return text;
}

/* A label that says text on a document that is none: what opens it is not what we read. */
static const char *binary_kind(const guint8 *data, gsize len)
{
	static const struct {
		const char *magic;
		gsize len;
		const char *name;
	} magics[] = {
		{"%PDF-", 5, "PDF"}, {"PK\x03\x04", 4, "ZIP"}, {"\x1f\x8b", 2, "gzip"},
		{"\xd0\xcf\x11\xe0", 4, "OLE"}, {"{\\rtf", 5, "RTF"}, {"7z\xbc\xaf", 4, "7z"},
		{"Rar!", 4, "RAR"}, {"\x89PNG", 4, "PNG"}, {"\xff\xd8\xff", 3, "JPEG"},
		{"BZh", 3, "bzip2"}, {"\xfd" "7zXZ", 5, "xz"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(magics); i++)
		if (len >= magics[i].len && memcmp(data, magics[i].magic, magics[i].len) == 0)
			return magics[i].name;
	return NULL;
}

static void read_plain(const MsExtraction *to, const MsDocument *document)
{
	g_autoptr(GString) text = decode(to, document);
	if (document->flowed) {
		g_autoptr(GString) joined = ms_plain_unflow(text->str, text->len, document->delsp);
		ms_extract_span(to, document->where, joined->str, joined->len);
	}
	/* Flowed text is read as it stands too: a client that ignores the format shows it so. */
	ms_extract_span(to, document->where, text->str, text->len);
	ms_plain_embedded(to, document->where, text->str, text->len);
}

static void read_html(const MsExtraction *to, const MsDocument *document)
{
	g_autoptr(GString) text = decode(to, document);
	g_autoptr(GString) visible = g_string_new(NULL);
	g_autoptr(GString) hidden = g_string_new(NULL);
	g_autoptr(GString) attributes = g_string_new(NULL);
	g_autoptr(GString) comments = g_string_new(NULL);
	MsHtml html = {visible, hidden, attributes, comments};
	ms_html_read(text->str, text->len, &html);
	const struct {
		const GString *text;
		const char *suffix;
	} streams[] = {{visible, ""}, {hidden, " (hidden)"}, {attributes, " (links and attributes)"},
		{comments, " (comment)"}};
	for (gsize i = 0; i < G_N_ELEMENTS(streams); i++) {
		g_autofree char *where = g_strconcat(document->where, streams[i].suffix, NULL);
		g_autoptr(GString) valid = ms_text_repair(streams[i].text->str, streams[i].text->len);
		ms_extract_span(to, where, valid->str, valid->len);
	}
}

void ms_extract(const MsExtraction *to, const MsDocument *document)
{
	const char *binary = binary_kind(document->data, document->len);
	if (binary != NULL && g_str_has_prefix(document->type, "text/")) {
		ms_reading_unread(to->reading, document->where, MS_UNREAD_NO_READER,
			"says %s but is %s", document->type, binary);
		return;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(readers); i++) {
		if (has_type(document->type, readers[i].type)) {
			readers[i].read(to, document);
			return;
		}
	}
	ms_reading_unread(to->reading, document->where, MS_UNREAD_NO_READER, "%s", document->type);
}
