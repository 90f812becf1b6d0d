/*
 * Every stream of the file is an item of the inventory, and what no stream has (free sectors,
 * bytes behind the last) is looked through for words.
 *
 * The compound format of old Word, Excel, PowerPoint and of Outlook's .msg: a small file system.
 * libgsf walks it.  Text lies in the streams as Windows-1252 or UTF-16 and is picked out; the
 * numbers of workbooks are binary and have a reader of their own.  The worker's one thread.
 */
#include "config.h"

#include <gsf/gsf-infile-msole.h>
#include <gsf/gsf-input-memory.h>
#include <gsf/gsf-utils.h>
#include <string.h>

#include "missent/inventory.h"
#include "missent/text.h"

#include "blip.h"
#include "bytes.h"
#include "locked.h"
#include "mapi.h"
#include "ole.h"
#include "propset.h"
#include "readers.h"

#define MAX_STREAMS 2000
#define CHUNK 4096             /* of a macro's source, unpacked */
#define MAX_SOURCE (4 << 20)   /* of a macro */
#define MAX_TABLES 4096

/* Names in a message (MS-OXMSG 2.1.2, 2.2.2) */
#define PROPERTIES "__properties_version1.0"
#define ATTACHED_OBJECT "__substg1.0_3701000D"

#define PACKED_LEAST 512 /* bytes of which it can be told whether they are packed */

typedef struct {
	const MsExtraction *to;
	const char *where;
	guint streams;
	GString *text;
	MsInventory *inventory;
	GByteArray *info; /* how the package is locked, or NULL */
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
	ms_reading_unread(
		ole->to->reading, ole->where, MS_UNREAD_PASSWORD, "%s with a password", what);
}

/* ---- Outlook -------------------------------------------------------------------------- */

static bool is_message(GsfInfile *storage)
{
	for (int i = 0; i < gsf_infile_num_children(storage) && i < MAX_STREAMS; i++) {
		const char *name = gsf_infile_name_by_index(storage, i);
		if (name != NULL && g_str_has_prefix(name, PROPERTIES))
			return true;
	}
	return false;
}

static void read_message(Ole *ole, GsfInfile *storage, const char *where);
static void read_storage(Ole *ole, GsfInfile *storage, const char *folder, guint depth);

/* Attachments, recipients, a message that is attached to this one, or an object of another
 * program, which is a file system of its own. */
static void read_message_folder(Ole *ole, GsfInfile *folder, const char *name, const char *where)
{
	MsBudget *budget = ole->to->budget;
	if (budget->depth_left == 0) {
		ms_reading_unread(
			ole->to->reading, where, MS_UNREAD_LIMIT, "deeper than max-depth");
		return;
	}
	budget->depth_left--;
	if (strcmp(name, ATTACHED_OBJECT) != 0 || is_message(folder)) {
		read_message(ole, folder, where);
	} else {
		Ole object = *ole;
		object.where = where;
		read_storage(&object, folder, "", 0);
		ole->streams = object.streams;
	}
	budget->depth_left++;
}

static void read_message_child(Ole *ole, MsMapi *mapi, GsfInfile *storage, int index)
{
	const char *name = gsf_infile_name_by_index(storage, index);
	GsfInput *child = gsf_infile_child_by_index(storage, index);
	if (name == NULL || child == NULL || ole->streams++ > MAX_STREAMS) {
		ms_reading_unread(ole->to->reading, mapi->where,
			child == NULL ? MS_UNREAD_DAMAGED : MS_UNREAD_LIMIT,
			"a stream that cannot be read");
		g_clear_object(&child);
		return;
	}
	bool folder = GSF_IS_INFILE(child) && gsf_infile_num_children(GSF_INFILE(child)) >= 0;
	if (folder) {
		g_autofree char *where = g_str_has_prefix(name, "__attach")
			? g_strdup_printf("%s > attachment", mapi->where) : g_strdup(mapi->where);
		read_message_folder(ole, GSF_INFILE(child), name, where);
	} else if (g_str_has_prefix(name, "__substg1.0_") && strlen(name) >= 20) {
		guint tag = (guint)g_ascii_strtoull(name + 12, NULL, 16);
		g_autoptr(GByteArray) bytes = bytes_of(child);
		/* Of several values the first stream has the lengths, and each value one of its
		 * own. */
		if (bytes != NULL)
			ms_mapi_property(mapi, tag >> 16,
				strchr(name + 12, '-') != NULL ? tag & 0xfff : tag & 0xffff,
				bytes->data, bytes->len);
		else if (gsf_input_size(child) > 0)
			ms_reading_unread(ole->to->reading, mapi->where, MS_UNREAD_DAMAGED,
				"a property that cannot be read");
	} else {
		g_autoptr(GByteArray) bytes = bytes_of(child);
		if (bytes != NULL && g_str_has_prefix(name, PROPERTIES))
			ms_mapi_fixed(mapi, bytes->data, bytes->len);
		if (bytes != NULL)
			ms_strings(ole->text, bytes->data, bytes->len);
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
	if (p == NULL || end - p < 8 || (gsize)(end - p - 8) < ms_le32(p + 4))
		return false;
	p += 8 + ms_le32(p + 4);
	if (end - p < 4)
		return false;
	gsize size = MIN((gsize)ms_le32(p), (gsize)(end - p - 4));
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

/* ---- macros --------------------------------------------------------------------------- */

/* One chunk (MS-OVBA 2.4.1.3): literal bytes, and copies of what came before in the chunk. */
static void expand_chunk(GByteArray *out, const guint8 *p, const guint8 *end)
{
	guint start = out->len;
	while (p < end) {
		guint8 flags = *p++;
		for (guint bit = 0; bit < 8 && p < end; bit++, flags >>= 1) {
			if ((flags & 1) == 0) {
				g_byte_array_append(out, p++, 1);
				continue;
			}
			guint done = out->len - start, bits = 4;
			if (end - p < 2 || done == 0)
				return;
			guint token = ms_le16(p);
			p += 2;
			while ((1u << bits) < done)
				bits++;
			guint len = (token & (0xffffu >> bits)) + 3,
			      back = (token >> (16 - bits)) + 1;
			for (guint i = 0; i < len && back <= out->len - start
				&& out->len - start < CHUNK; i++) {
				guint8 c = out->data[out->len - back];
				g_byte_array_append(out, &c, 1);
			}
		}
	}
}

/* The source that is compressed at `p`, as far as it goes. */
static void read_source(Ole *ole, const guint8 *p, const guint8 *end)
{
	g_autoptr(GByteArray) out = ms_bytes_new();
	if (end - p < 4 || *p++ != 1)
		return;
	while (end - p > 2 && out->len < MAX_SOURCE) {
		guint head = ms_le16(p);
		gsize size = MIN((gsize)(head & 0xfff) + 3, (gsize)(end - p));
		if ((head >> 12 & 7) != 3)
			break;
		if ((head & 0x8000) != 0)
			expand_chunk(out, p + 2, p + size);
		else
			g_byte_array_append(out, p + 2, (guint)size - 2);
		p += size;
	}
	ms_strings(ole->text, out->data != NULL ? out->data : (const guint8 *)"", out->len);
}

/* A module begins with a cache of the program; its source is found by its first words. */
static void read_macros(Ole *ole, const char *name, const GByteArray *bytes)
{
	const guint8 *end = bytes->data + bytes->len;
	if (strcmp(name, "dir") == 0) {
		read_source(ole, bytes->data, end);
		return;
	}
	const guint8 *at = memmem(bytes->data, bytes->len, "\0Attribut", 9);
	if (at != NULL && at - bytes->data >= 3)
		read_source(ole, at - 3, end);
}

/* ---- locked ---------------------------------------------------------------------------- */

/* With it Excel locks a workbook that anybody may read and nobody shall change, and opens it
 * without asking. */
#define ANYBODYS "VelvetSweatshop"

static void read_locked(const Ole *ole, const GByteArray *bytes)
{
	const char *const passwords[] = {
		ole->to->password != NULL ? ole->to->password : ANYBODYS, ANYBODYS};
	g_autoptr(GByteArray) package = NULL;
	for (gsize i = 0; ole->info != NULL && package == NULL && i < G_N_ELEMENTS(passwords); i++)
		if (i == 0 || ole->to->password != NULL)
			package = ms_locked_office(
				ole->to->budget, ole->info, bytes, passwords[i]);
	if (package != NULL)
		ms_extract_within(ole->to, ole->where, "package", NULL, package->data, package->len);
	else
		note_locked(ole, "an Office file");
}

/* ---- streams -------------------------------------------------------------------------- */

/* Names are told apart without their case (MS-CFB 2.6.4). */
static bool is_named(const char *name, const char *what)
{
	return g_ascii_strcasecmp(name, what) == 0;
}

/* Packed or encrypted: of letters, numbers and addresses some bytes are more frequent. */
static bool is_packed(const guint8 *data, gsize len)
{
	gsize counts[256] = {0};
	double sum = 0;
	for (gsize i = 0; i < len; i++)
		counts[data[i]]++;
	for (gsize i = 0; i < G_N_ELEMENTS(counts); i++)
		sum += (double)counts[i] * (double)counts[i];
	return len >= PACKED_LEAST && sum < (double)len * (double)len / 128;
}

/* Of Visio and of Hangul, which pack text in ways that are not read here. */
static bool is_packed_part(const char *path)
{
	return is_named(path, "VisioDocument") || g_str_has_prefix(path, "BodyText/")
		|| g_str_has_prefix(path, "ViewText/");
}

/* A stream that has no reader of its own: what it is, its bytes say.  What other programs than
 * Word, Excel and PowerPoint packed in their ways is not read. */
static void read_other(
	Ole *ole, MsItem item, const char *path, const char *name, const GByteArray *bytes)
{
	g_autoptr(GByteArray) unpacked = ms_zlib_of(bytes->data, bytes->len);
	bool known = ms_extract_lays_out(bytes->data, bytes->len);
	if (unpacked != NULL)
		ms_extract_within(
			ole->to, ole->where, name, NULL, unpacked->data, unpacked->len);
	else if (known)
		ms_extract_within(ole->to, ole->where, name, NULL, bytes->data, bytes->len);
	guint pictures =
		ms_blips_read(ole->to, ole->where, bytes->data, bytes->len, ole->text);
	if (is_packed_part(path) || (unpacked == NULL && !known && pictures == 0
		&& is_packed(bytes->data, bytes->len)))
		ms_inventory_unread(ole->inventory, item, MS_UNREAD_NO_READER,
			"a stream that some program packed");
}

static bool is_locked_stream(
	const Ole *ole, const char *path, const char *name, const GByteArray *bytes)
{
	bool package = is_named(name, "EncryptedPackage");
	bool word = is_named(name, "WordDocument") && is_locked_word(bytes);
	if (package && strcmp(path, name) == 0)
		read_locked(ole, bytes);
	else if (package || is_named(name, "EncryptedSummary"))
		note_locked(ole, "an Office file");
	else if (word)
		note_locked(ole, "a Word file");
	else
		return false;
	return true;
}

/* Records of a workbook: it, or what its pivot tables keep of their source. */
static bool is_workbook(const char *path, const char *name)
{
	return is_named(name, "Workbook") || is_named(name, "Book")
		|| strstr(path, "_SX_DB_CUR/") != NULL;
}

static void read_stream_bytes(
	Ole *ole, MsItem item, const char *path, const char *name, const GByteArray *bytes)
{
	if (is_locked_stream(ole, path, name, bytes))
		return;
	if (is_workbook(path, name)) {
		if (!ms_biff_read(ole->to, ole->where, bytes->data, bytes->len))
			note_locked(ole, "a workbook");
		return;
	}
	if (is_named(name, "\001Ole10Native") && bytes->len > 4
		&& ms_ole_package(ole->to, ole->where, bytes->data + 4, bytes->len - 4))
		return;
	if (is_named(name, "Package") || is_named(name, "CONTENTS")) {
		ms_extract_within(ole->to, ole->where, name, NULL, bytes->data, bytes->len);
		return;
	}
	if (is_named(name, "PowerPoint Document"))
		ms_slide_objects_read(ole->to, ole->where, bytes->data, bytes->len);
	if (strstr(path, "VBA/") != NULL)
		read_macros(ole, name, bytes);
	if (g_str_has_prefix(name, "\005"))
		ms_propset_numbers(ole->text, bytes->data, bytes->len);
	read_other(ole, item, path, name, bytes);
}

static void read_stream(Ole *ole, const char *path, const char *name, GsfInput *input)
{
	MsItem item = ms_inventory_item(ole->inventory, path);
	g_autoptr(GByteArray) bytes = bytes_of(input);
	if (bytes != NULL)
		read_stream_bytes(ole, item, path, name, bytes);
	else if (gsf_input_size(input) > (64 << 20))
		ms_inventory_unread(ole->inventory, item, MS_UNREAD_LIMIT, "larger than 64 MiB");
	else if (gsf_input_size(input) > 0)
		ms_inventory_unread(
			ole->inventory, item, MS_UNREAD_DAMAGED, "a stream that breaks off");
	ms_inventory_read(ole->inventory, item);
}

static void read_child(Ole *ole, GsfInfile *storage, int index, const char *folder, guint depth);

static void read_storage(Ole *ole, GsfInfile *storage, const char *folder, guint depth)
{
	int n = gsf_infile_num_children(storage);
	for (int i = 0; i < n; i++) {
		if (ole->streams++ > MAX_STREAMS || !ms_budget_time(ole->to->budget)) {
			ms_reading_unread(ole->to->reading, ole->where, MS_UNREAD_LIMIT,
				"more than %d streams", MAX_STREAMS);
			return;
		}
		read_child(ole, storage, i, folder, depth);
	}
}

static void read_child(Ole *ole, GsfInfile *storage, int index, const char *folder, guint depth)
{
	const char *name = gsf_infile_name_by_index(storage, index);
	GsfInput *child = gsf_infile_child_by_index(storage, index);
	if (child == NULL || name == NULL) {
		ms_reading_unread(ole->to->reading, ole->where, MS_UNREAD_DAMAGED,
			"a stream that breaks off");
		g_clear_object(&child);
		return;
	}
	g_autofree char *path = g_strconcat(folder, name, NULL);
	g_autofree char *below = g_strconcat(path, "/", NULL);
	/* Names are anybody's to choose. */
	ms_strings(ole->text, (const guint8 *)name, strlen(name));
	if (!GSF_IS_INFILE(child) || gsf_infile_num_children(GSF_INFILE(child)) < 0)
		read_stream(ole, path, name, child);
	else if (depth < 16)
		read_storage(ole, GSF_INFILE(child), below, depth + 1);
	else
		ms_reading_unread(
			ole->to->reading, ole->where, MS_UNREAD_LIMIT, "storages deeper than 16");
	g_object_unref(child);
}

/* ---- what no stream has --------------------------------------------------------------- */

/* The number of the sector that has the nth part of the table of sectors (MS-CFB 2.5). */
static guint32 table_sector(const guint8 *data, gsize len, guint n, guint shift)
{
	if (n < 109)
		return ms_le32(data + 76 + n * 4);
	guint each = (1u << shift) / 4 - 1;
	guint32 sector = ms_le32(data + 68);
	for (n -= 109; n >= each; n -= each) {
		gsize at = ((gsize)sector + 1) << shift;
		if (sector >= 0xfffffffa || at + (1u << shift) > len)
			return G_MAXUINT32;
		sector = ms_le32(data + at + each * 4);
	}
	gsize at = ((gsize)sector + 1) << shift;
	return sector < 0xfffffffa && at + (1u << shift) <= len ? ms_le32(data + at + n * 4)
								: G_MAXUINT32;
}

/* Words in sectors that are free, and behind all that the table has. */
static void read_free(const MsDocument *document, GString *out)
{
	const guint8 *data = document->data;
	gsize len = document->len, sector = 0;
	guint shift = len >= 512 ? ms_le16(data + 30) : 0;
	if (shift < 7 || shift > 16)
		return;
	gsize size = (gsize)1 << shift, each = size / 4;
	guint tables = MIN(ms_le32(data + 44), MAX_TABLES);
	for (guint t = 0; t < tables; t++) {
		guint32 table = table_sector(data, len, t, shift);
		gsize at = ((gsize)table + 1) << shift;
		if (table >= 0xfffffffa || at + size > len)
			break;
		for (gsize i = 0; i < each; i++, sector++) {
			gsize from = (sector + 1) << shift;
			if (from >= len)
				return;
			if (ms_le32(data + at + i * 4) == 0xffffffff)
				ms_strings(out, data + from, MIN(size, len - from));
		}
	}
	gsize from = (sector + 1) << shift;
	if (from < len)
		ms_strings(out, data + from, len - from);
}

/* What a package is locked by, before the package is come to; the caller's.  NULL: nothing. */
static GByteArray *lock_of(GsfInfile *root)
{
	GsfInput *child = gsf_infile_child_by_name(root, "EncryptionInfo");
	GByteArray *bytes = child != NULL ? bytes_of(child) : NULL;
	g_clear_object(&child);
	return bytes;
}

void ms_ole_read(const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory)
{
	GsfInput *memory = gsf_input_memory_new(document->data, (gsf_off_t)document->len, FALSE);
	GsfInfile *root = gsf_infile_msole_new(memory, NULL);
	g_autoptr(GString) text = g_string_new(NULL);
	Ole ole = {to, document->where, 0, text, inventory, NULL};
	if (root == NULL) {
		ms_reading_unread(to->reading, document->where, MS_UNREAD_DAMAGED,
			"an Office file whose directory is damaged");
		ms_strings(text, document->data, document->len);
	} else if (is_message(root)) {
		read_message(&ole, root, document->where);
	} else {
		g_autoptr(GByteArray) info = lock_of(root);
		ole.info = info;
		read_storage(&ole, root, "", 0);
	}
	ms_inventory_read(inventory, MS_ITEM_WHOLE);
	ms_extract_span(to, document->where, text->str, text->len);
	g_autoptr(GString) rest = g_string_new(NULL);
	g_autofree char *place = g_strconcat(document->where, " (outside of its streams)", NULL);
	if (root != NULL)
		read_free(document, rest);
	ms_extract_span(to, place, rest->str, rest->len);
	g_clear_object(&root);
	g_object_unref(memory);
}
