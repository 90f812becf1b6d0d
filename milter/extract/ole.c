#include "config.h"

#include <gsf/gsf-infile-msole.h>
#include <gsf/gsf-input-memory.h>
#include <gsf/gsf-utils.h>
#include <string.h>

#include "missent/text.h"

#include "mapi.h"
#include "ole.h"
#include "readers.h"

/*
 * The compound format of old Word, Excel, PowerPoint and of Outlook's .msg: a small file system.
 * libgsf walks it.  Text lies in the streams as Windows-1252 or UTF-16 and is picked out; the
 * numbers of workbooks are binary and have a reader of their own.
 */

#define MAX_STREAMS 2000

typedef struct {
	const MsExtraction *to;
	const char *where;
	guint streams;
	GString *text;
} Ole;

static GByteArray *bytes_of(GsfInput *input)
{
	gsf_off_t size = gsf_input_size(input);
	if (size <= 0 || size > (64 << 20) || gsf_input_seek(input, 0, G_SEEK_SET))
		return NULL;
	GByteArray *bytes = g_byte_array_sized_new((guint)size);
	g_byte_array_set_size(bytes, (guint)size);
	if (gsf_input_read(input, (gsize)size, bytes->data) != NULL)
		return bytes;
	g_byte_array_unref(bytes);
	return NULL;
}

static void note_locked(const Ole *ole, const char *what)
{
	ms_reading_unread(ole->to->reading, ole->where, MS_UNREAD_PASSWORD, "%s with a password", what);
}

/* ---- Outlook -------------------------------------------------------------------------- */

static bool is_message(GsfInfile *storage)
{
	for (int i = 0; i < gsf_infile_num_children(storage) && i < MAX_STREAMS; i++) {
		const char *name = gsf_infile_name_by_index(storage, i);
		if (name != NULL && g_str_has_prefix(name, "__properties_version1.0"))
			return true;
	}
	return false;
}

static void read_message(Ole *ole, GsfInfile *storage, const char *where);

static void read_message_child(Ole *ole, MsMapi *mapi, GsfInfile *storage, int index)
{
	const char *name = gsf_infile_name_by_index(storage, index);
	GsfInput *child = gsf_infile_child_by_index(storage, index);
	if (name == NULL || child == NULL || ole->streams++ > MAX_STREAMS) {
		g_clear_object(&child);
		return;
	}
	bool folder = GSF_IS_INFILE(child) && gsf_infile_num_children(GSF_INFILE(child)) >= 0;
	if (folder) {
		/* Attachments, recipients, and a message that is attached to this one. */
		g_autofree char *where = g_str_has_prefix(name, "__attach")
			? g_strdup_printf("%s > attachment", mapi->where) : g_strdup(mapi->where);
		if (ole->to->budget->depth_left > 0) {
			ole->to->budget->depth_left--;
			read_message(ole, GSF_INFILE(child), where);
			ole->to->budget->depth_left++;
		} else {
			ms_reading_unread(ole->to->reading, where, MS_UNREAD_LIMIT, "deeper than max-depth");
		}
	} else if (g_str_has_prefix(name, "__substg1.0_") && strlen(name) >= 20) {
		guint tag = (guint)g_ascii_strtoull(name + 12, NULL, 16);
		g_autoptr(GByteArray) bytes = bytes_of(child);
		if (bytes != NULL)
			ms_mapi_property(mapi, tag >> 16, tag & 0xffff, bytes->data, bytes->len);
	}
	g_object_unref(child);
}

static void read_message(Ole *ole, GsfInfile *storage, const char *where)
{
	MsMapi mapi = {.to = ole->to, .where = where};
	int n = gsf_infile_num_children(storage);
	for (int i = 0; i < n && ms_budget_time(ole->to->budget); i++)
		read_message_child(ole, &mapi, storage, i);
	ms_mapi_finish(&mapi);
}

/* ---- Word, PowerPoint, anything ------------------------------------------------------- */

static guint32 get32(const guint8 *p)
{
	return p[0] | (guint32)p[1] << 8 | (guint32)p[2] << 16 | (guint32)p[3] << 24;
}

/* What "\1Ole10Native" holds after its size (MS-OLEDS 2.3.6): names of the file, then its
 * bytes. */
bool ms_ole_package(const MsExtraction *to, const char *where, const guint8 *data, gsize len)
{
	const guint8 *p = data, *end = p + len;
	if (len < 12)
		return false;
	const char *label = (const char *)p + 2;
	p += 2;
	for (int strings = 0; strings < 2 && p != NULL; strings++) {
		p = memchr(p, 0, (gsize)(end - p));
		p = p != NULL ? p + 1 : NULL;
	}
	if (p == NULL || end - p < 8 || (gsize)(end - p - 8) < get32(p + 4))
		return false;
	p += 8 + get32(p + 4);
	if (end - p < 4)
		return false;
	gsize size = MIN((gsize)get32(p), (gsize)(end - p - 4));
	g_autofree char *name = g_utf8_make_valid(label, -1);
	ms_extract_within(to, where, name, NULL, p + 4, size);
	g_autoptr(GString) names = g_string_new(NULL);
	ms_strings(names, data, (gsize)(p - data));
	ms_strings(names, p + 4 + size, (gsize)(end - p - 4) - size);
	ms_extract_span(to, where, names->str, names->len);
	return true;
}

static bool is_locked_word(const GByteArray *stream)
{
	return stream->len > 12 && (stream->data[11] & 0x01) != 0; /* FibBase.fEncrypted */
}

static void read_stream(Ole *ole, const char *name, GsfInput *input)
{
	g_autoptr(GByteArray) bytes = bytes_of(input);
	if (bytes == NULL)
		return;
	bool workbook = strcmp(name, "Workbook") == 0 || strcmp(name, "Book") == 0;
	if (strcmp(name, "EncryptedPackage") == 0 || strcmp(name, "EncryptedSummary") == 0) {
		note_locked(ole, "an Office file");
	} else if (strcmp(name, "WordDocument") == 0 && is_locked_word(bytes)) {
		note_locked(ole, "a Word file");
	} else if (workbook && !ms_biff_read(ole->to, ole->where, bytes->data, bytes->len)) {
		note_locked(ole, "a workbook");
	} else if (strcmp(name, "\001Ole10Native") == 0 && bytes->len > 4
		&& ms_ole_package(ole->to, ole->where, bytes->data + 4, bytes->len - 4)) {
		return;
	} else if (strcmp(name, "Package") == 0 || strcmp(name, "CONTENTS") == 0) {
		ms_extract_within(ole->to, ole->where, name, NULL, bytes->data, bytes->len);
	} else if (strcmp(name, "Pictures") != 0) {
		ms_strings(ole->text, bytes->data, bytes->len);
	}
}

static void read_storage(Ole *ole, GsfInfile *storage, guint depth)
{
	int n = gsf_infile_num_children(storage);
	for (int i = 0; i < n; i++) {
		const char *name = gsf_infile_name_by_index(storage, i);
		if (ole->streams++ > MAX_STREAMS || !ms_budget_time(ole->to->budget)) {
			ms_reading_unread(ole->to->reading, ole->where, MS_UNREAD_LIMIT,
				"more than %d streams", MAX_STREAMS);
			return;
		}
		GsfInput *child = gsf_infile_child_by_index(storage, i);
		if (child == NULL || name == NULL) {
			g_clear_object(&child);
			continue;
		}
		bool folder = GSF_IS_INFILE(child) && gsf_infile_num_children(GSF_INFILE(child)) >= 0;
		if (folder && depth < 16)
			read_storage(ole, GSF_INFILE(child), depth + 1);
		else if (!folder)
			read_stream(ole, name, child);
		g_object_unref(child);
	}
}

void ms_ole_read(const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory)
{
	ms_inventory_read(inventory, MS_ITEM_WHOLE);
	GsfInput *memory = gsf_input_memory_new(document->data, (gsf_off_t)document->len, FALSE);
	GsfInfile *root = gsf_infile_msole_new(memory, NULL);
	g_autoptr(GString) text = g_string_new(NULL);
	Ole ole = {to, document->where, 0, text};
	if (root == NULL) {
		ms_reading_unread(to->reading, document->where, MS_UNREAD_DAMAGED,
			"an Office file whose directory is damaged");
		ms_strings(text, document->data, document->len);
	} else if (is_message(root)) {
		read_message(&ole, root, document->where);
	} else {
		read_storage(&ole, root, 0);
	}
	ms_extract_span(to, document->where, text->str, text->len);
	g_clear_object(&root);
	g_object_unref(memory);
}
