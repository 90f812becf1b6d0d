/*
 * Properties of an Outlook message come in, one by one; out go its texts, once all are there.  A
 * worker's one thread.
 */
#include "config.h"

#include <string.h>

#include "missent/scan.h"
#include "missent/text.h"

#include "bytes.h"
#include "mapi.h"
#include "numfmt.h"
#include "readers.h"

enum {
	TYPE_INTEGER = 0x03,
	TYPE_DOUBLE = 0x05,
	TYPE_OBJECT = 0x0d,
	TYPE_INTEGER64 = 0x14,
	TYPE_STRING8 = 0x1e,
	TYPE_UNICODE = 0x1f,
	TYPE_BINARY = 0x102,

	PROP_HEADERS = 0x007d,
	PROP_BODY = 0x1000,
	PROP_RTF_COMPRESSED = 0x1009,
	PROP_HTML = 0x1013,
	PROP_ATTACH_DATA = 0x3701,
	PROP_ATTACH_FILENAME = 0x3704,
	PROP_ATTACH_LONG_FILENAME = 0x3707,
	PROP_INTERNET_PAGE = 0x3fde,
	PROP_MESSAGE_PAGE = 0x3ffd,
	PROP_NAMED = 0x8000, /* and above: of a user's own, or of a kind of item */
};

#define MAX_RTF (32 << 20)
#define ROW 16 /* bytes: type and name, flags, value */

static GString *text_of(MsMapi *mapi)
{
	if (mapi->text == NULL)
		mapi->text = g_string_new(NULL);
	return mapi->text;
}

static void add_text(
	MsMapi *mapi, guint id, const char *charset, const guint8 *data, gsize len)
{
	GString *text;
	if (!ms_charset_decode(charset, data, len, &text))
		ms_reading_unread(mapi->to->reading, mapi->where, MS_UNREAD_CHARSET,
			"text in a code page that is not known (%s)", charset);
	while (text->len > 0 && text->str[text->len - 1] == '\0')
		g_string_truncate(text, text->len - 1);
	if (id == PROP_ATTACH_LONG_FILENAME || (id == PROP_ATTACH_FILENAME && mapi->name == NULL)) {
		g_free(mapi->name);
		mapi->name = g_strdup(text->str);
	}
	g_string_append_len(text_of(mapi), text->str, (gssize)text->len);
	g_string_append_c(mapi->text, '\n');
	if (id == PROP_HEADERS) {
		g_autofree char *unknown G_GNUC_UNUSED = NULL;
		GString *words = ms_words_decode(text->str, text->len, true, &unknown);
		g_string_append_len(mapi->text, words->str, (gssize)words->len);
		g_string_append_c(mapi->text, '\n');
		g_string_free(words, TRUE);
	}
	g_string_free(text, TRUE);
}

/* A text that is not in Unicode. */
typedef struct {
	guint id;
	GByteArray *bytes;
} Narrow;

static void narrow_free(gpointer data)
{
	Narrow *narrow = data;
	g_byte_array_unref(narrow->bytes);
	g_free(narrow);
}

/* Its code page may be said later; in ASCII none matters. */
static void add_narrow(MsMapi *mapi, guint id, const guint8 *data, gsize len)
{
	if (ms_scan_ascii((const char *)data, len) == len && mapi->page == 0) {
		add_text(mapi, id, NULL, data, len);
		return;
	}
	if (mapi->narrow == NULL)
		mapi->narrow = g_ptr_array_new_with_free_func(narrow_free);
	Narrow *narrow = g_new(Narrow, 1);
	narrow->id = id;
	narrow->bytes = g_byte_array_append(ms_bytes_new(), data, (guint)len);
	g_ptr_array_add(mapi->narrow, narrow);
}

static void end_narrow(MsMapi *mapi)
{
	g_autofree char *charset = g_strdup_printf("CP%u", mapi->page != 0 ? mapi->page : 1252);
	for (guint i = 0; mapi->narrow != NULL && i < mapi->narrow->len; i++) {
		const Narrow *narrow = mapi->narrow->pdata[i];
		add_text(mapi, narrow->id, charset, narrow->bytes->data, narrow->bytes->len);
	}
	g_clear_pointer(&mapi->narrow, g_ptr_array_unref);
}

void ms_mapi_page(MsMapi *mapi, guint id, guint32 value)
{
	if (id == PROP_MESSAGE_PAGE || (id == PROP_INTERNET_PAGE && mapi->page == 0))
		mapi->page = value;
}

static void read_html(MsMapi *mapi, const guint8 *data, gsize len)
{
	MsDocument html = {.where = mapi->where, .type = "text/html", .data = data, .len = len};
	ms_read_with(ms_html_document_read, mapi->to, &html);
}

static void read_rtf(MsMapi *mapi, const guint8 *data, gsize len)
{
	g_autoptr(GByteArray) rtf = ms_lzfu(data, len, MAX_RTF);
	if (rtf != NULL && rtf->len < MAX_RTF)
		ms_rtf_text(mapi->to, mapi->where, rtf->data, rtf->len);
	else
		ms_reading_unread(mapi->to->reading, mapi->where, MS_UNREAD_DAMAGED,
			"its RTF cannot be unpacked");
}

/* Keys and identifiers, which may hold addresses; notes of an appointment, a file. */
static void read_binary(MsMapi *mapi, const guint8 *data, gsize len)
{
	if (len > 16 && (memcmp(data + 8, "LZFu", 4) == 0 || memcmp(data + 8, "MELA", 4) == 0))
		read_rtf(mapi, data, len);
	else if (ms_extract_lays_out(data, len))
		ms_extract_within(mapi->to, mapi->where, "property", NULL, data, len);
	ms_strings(text_of(mapi), data, len);
}

/* Only those that somebody gave a name to say more than how the message is to be treated. */
static void add_number(MsMapi *mapi, guint id, guint type, const guint8 *data, gsize len)
{
	gint64 bits = 0;
	double number;
	if (len < (type == TYPE_INTEGER ? sizeof(gint32) : sizeof bits))
		return;
	for (gsize i = sizeof bits; i > 0; i--)
		bits = (gint64)((guint64)bits << 8 | (i <= len ? data[i - 1] : 0));
	memcpy(&number, &bits, sizeof number);
	if (type == TYPE_INTEGER)
		ms_mapi_page(mapi, id, (guint32)bits);
	if (id < PROP_NAMED)
		return;
	if (type == TYPE_DOUBLE)
		ms_number_stored(text_of(mapi), number);
	else if (type == TYPE_INTEGER)
		g_string_append_printf(text_of(mapi), "%d", (gint32)bits);
	else if (type == TYPE_INTEGER64)
		g_string_append_printf(text_of(mapi), "%" G_GINT64_FORMAT, bits);
	else
		return;
	g_string_append_c(mapi->text, '\n');
}

void ms_mapi_property(MsMapi *mapi, guint id, guint type, const guint8 *data, gsize len)
{
	/* Objects begin with the identifier of their interface. */
	if (id == PROP_ATTACH_DATA && type == TYPE_OBJECT && len > 16) {
		data += 16;
		len -= 16;
		type = TYPE_BINARY;
	}
	if (type == TYPE_UNICODE) {
		add_text(mapi, id, "UTF-16LE", data, len);
	} else if (type == TYPE_STRING8) {
		add_narrow(mapi, id, data, len);
	} else if (type == TYPE_INTEGER || type == TYPE_INTEGER64 || type == TYPE_DOUBLE) {
		add_number(mapi, id, type, data, len);
	} else if (type == TYPE_OBJECT) {
		read_binary(mapi, data, len);
	} else if (type != TYPE_BINARY) {
		return;
	} else if (id == PROP_ATTACH_DATA) {
		if (mapi->data != NULL) /* a file that no mark sets apart from the next */
			ms_mapi_finish(mapi);
		mapi->data = g_byte_array_append(ms_bytes_new(), data, (guint)len);
	} else if (id == PROP_RTF_COMPRESSED) {
		read_rtf(mapi, data, len);
	} else if (id == PROP_HTML) {
		read_html(mapi, data, len);
	} else {
		read_binary(mapi, data, len);
	}
}

void ms_mapi_fixed(MsMapi *mapi, const guint8 *data, gsize len)
{
	/* A head of 32, 24 or 8 bytes, then rows of 16. */
	for (gsize at = len % ROW; at + ROW <= len; at += ROW) {
		const guint8 *row = data + at;
		guint type = ms_le16(row), id = ms_le16(row + 2);
		add_number(mapi, id, type, row + 8, 8);
	}
}

void ms_mapi_finish(MsMapi *mapi)
{
	end_narrow(mapi);
	if (mapi->text != NULL) {
		ms_extract_span(mapi->to, mapi->where, mapi->text->str, mapi->text->len);
		g_string_free(mapi->text, TRUE);
	}
	if (mapi->data != NULL) {
		ms_extract_within(mapi->to, mapi->where,
			mapi->name != NULL ? mapi->name : "attachment", NULL, mapi->data->data,
			mapi->data->len);
		g_byte_array_unref(mapi->data);
	}
	g_free(mapi->name);
	mapi->text = NULL;
	mapi->data = NULL;
	mapi->name = NULL;
}
