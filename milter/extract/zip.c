/*
 * A ZIP file names each member twice: before its bytes, and in the directory at its end (PKWARE
 * APPNOTE 4.3).  Programs differ on which they go by, so a file in which the two differ is not
 * what it seems to one of them.  In come the bytes, out go the directory, its texts (comments,
 * extra fields, names of folders) and, in the inventory, whose each byte is: what lies before,
 * between and behind the members is read like any gap.  In the worker's only thread.
 */
#include "config.h"

#include <string.h>

#include "missent/text.h"

#include "bytes.h"
#include "members.h"
#include "readers.h"

#define LOCAL "PK\x03\x04"
#define CENTRAL "PK\x01\x02"
#define END "PK\x05\x06"
#define END64 "PK\x06\x06"
#define LOCATOR64 "PK\x06\x07"
#define DESCRIPTOR "PK\x07\x08"
#define LOCAL_SIZE 30
#define CENTRAL_SIZE 46
#define END_SIZE 22
#define END64_SIZE 56
#define LOCATOR64_SIZE 20
#define MAX_EXTRA 64 /* bytes of an unknown extra field that is read as words */

bool ms_zip_is_empty(const guint8 *data, gsize len)
{
	return len == END_SIZE && memcmp(data, END, 4) == 0 && ms_le16(data + 10) == 0;
}

/* ---- the directory ---------------------------------------------------------------------- */

/* Does the record at `at` have a directory before it? */
static bool find_list(const guint8 *data, gsize at, MsZip *zip)
{
	const guint8 *end = data + at;
	guint64 size = ms_le32(end + 12), offset = ms_le32(end + 16), n = ms_le16(end + 10);
	gsize stop = at;
	if (at >= LOCATOR64_SIZE + END64_SIZE && memcmp(end - LOCATOR64_SIZE, LOCATOR64, 4) == 0) {
		/* The record of ZIP64 stands right before its locator. */
		const guint8 *far = end - LOCATOR64_SIZE - END64_SIZE;
		if (memcmp(far, END64, 4) != 0)
			return false;
		n = ms_le64(far + 32);
		size = ms_le64(far + 40);
		offset = ms_le64(far + 48);
		stop = at - LOCATOR64_SIZE - END64_SIZE;
	}
	if (n > 0 &&
		(size < CENTRAL_SIZE || size > stop ||
			memcmp(data + stop - size, CENTRAL, 4) != 0)) {
		/* Some go by where it begins, and not by its size. */
		if (offset > stop || stop - offset < CENTRAL_SIZE ||
			memcmp(data + offset, CENTRAL, 4) != 0)
			return false;
		size = stop - offset;
	} else if (size > stop) {
		return false;
	}
	*zip = (MsZip){.list = stop - (gsize)size, .list_end = stop, .end = at, .count = n};
	/* Bytes in front (a program that unpacks) may be counted in the offsets, or not. */
	zip->shift = offset <= zip->list ? zip->list - (gsize)offset : 0;
	return n > 0 || at == 0 || ms_zip_is_empty(end, END_SIZE);
}

static bool find_end(const guint8 *data, gsize len, MsZip *zip)
{
	gsize low = len > 65557 ? len - 65557 : 0;
	for (gsize at = len >= END_SIZE ? len - END_SIZE + 1 : 0; at > low; at--)
		if (memcmp(data + at - 1, END, 4) == 0 && find_list(data, at - 1, zip)) {
			zip->comment = MIN(ms_le16(data + at - 1 + 20), len - (at - 1) - END_SIZE);
			return true;
		}
	return false;
}

/* Sizes and place over 4 GiB stand in an extra field, in this order, if they are needed. */
static void read_zip64(MsZipEntry *entry)
{
	const guint8 *p = entry->extra, *end = p + entry->extra_len;
	while (end - p >= 4) {
		gsize n = MIN(ms_le16(p + 2), (gsize)(end - p - 4));
		if (ms_le16(p) == 1) {
			guint64 *fields[] = {&entry->size, &entry->packed, &entry->offset};
			const guint8 *q = p + 4;
			for (guint i = 0; i < 3; i++)
				if (*fields[i] == G_MAXUINT32 && (gsize)(q - p - 4) + 8 <= n) {
					*fields[i] = ms_le64(q);
					q += 8;
				}
			return;
		}
		p += 4 + n;
	}
}

/* Of what is behind the bytes of a member that was written as a stream: checksum and sizes, with or
 * without a mark, of 4 bytes each or of 8.  There are programs that do not say that it is there
 * (MuPDF's). */
static gsize descriptor_size(const guint8 *p, gsize left, const MsZipEntry *entry)
{
	gsize mark = left >= 4 && memcmp(p, DESCRIPTOR, 4) == 0 ? 4 : 0;
	bool wide = left >= mark + 20 && ms_le64(p + mark + 4) == entry->packed
		&& ms_le64(p + mark + 12) == entry->size;
	bool narrow = left >= mark + 12 && ms_le32(p + mark + 4) == entry->packed
		&& ms_le32(p + mark + 8) == entry->size;
	bool said = (entry->flags & 8) != 0 || (mark > 0 && (wide || narrow));
	return said ? MIN(left, mark + (wide ? 20 : 12)) : 0;
}

/* The local header, and where the bytes of the member end; what is wrong, or NULL. */
static const char *find_local(const guint8 *data, gsize len, const MsZip *zip, MsZipEntry *entry)
{
	guint64 at = entry->offset + zip->shift;
	if (at > len || len - at < LOCAL_SIZE || memcmp(data + at, LOCAL, 4) != 0)
		return "a ZIP file whose directory points at nothing";
	const guint8 *local = data + at;
	guint name = ms_le16(local + 26), extra = ms_le16(local + 28);
	if (len - at - LOCAL_SIZE < name + extra ||
		entry->packed > len - at - LOCAL_SIZE - name - extra)
		return "a ZIP file whose member is longer than the file";
	entry->at = (gsize)at;
	entry->data = (gsize)at + LOCAL_SIZE + name + extra;
	entry->local_extra = local + LOCAL_SIZE + name;
	entry->local_extra_len = extra;
	entry->stop = entry->data + (gsize)entry->packed;
	entry->stop += descriptor_size(data + entry->stop, len - entry->stop, entry);
	if (name != entry->name_len || memcmp(local + LOCAL_SIZE, entry->name, name) != 0)
		return "a ZIP file that names a member in two ways";
	if (ms_le16(local + 8) != entry->method)
		return "a ZIP file that packs a member in two ways";
	return NULL;
}

const char *ms_zip_list(const guint8 *data, gsize len, MsZip *zip)
{
	if (!find_end(data, len, zip))
		return "a ZIP file without a directory";
	zip->entries = g_array_new(FALSE, TRUE, sizeof(MsZipEntry));
	zip->start = zip->list;
	const char *wrong = NULL;
	gsize at = zip->list;
	for (guint64 i = 0; i < zip->count; i++) {
		if (zip->list_end - at < CENTRAL_SIZE || memcmp(data + at, CENTRAL, 4) != 0)
			return "a ZIP file whose directory is damaged";
		const guint8 *p = data + at;
		guint name = ms_le16(p + 28), extra = ms_le16(p + 30), comment = ms_le16(p + 32);
		if (zip->list_end - at - CENTRAL_SIZE < (gsize)name + extra + comment)
			return "a ZIP file whose directory is damaged";
		MsZipEntry entry = {.flags = ms_le16(p + 8),
			.method = ms_le16(p + 10),
			.packed = ms_le32(p + 20),
			.size = ms_le32(p + 24),
			.offset = ms_le32(p + 42),
			.name = (const char *)p + CENTRAL_SIZE,
			.name_len = name,
			.extra = p + CENTRAL_SIZE + name,
			.extra_len = extra,
			.comment = (const char *)p + CENTRAL_SIZE + name + extra,
			.comment_len = comment};
		read_zip64(&entry);
		const char *local = find_local(data, len, zip, &entry);
		wrong = wrong != NULL ? wrong : local;
		if (entry.data > 0)
			zip->start = MIN(zip->start, entry.at);
		g_array_append_val(zip->entries, entry);
		at += CENTRAL_SIZE + name + extra + comment;
	}
	zip->list_end = at; /* what its size has more is a gap */
	return wrong;
}

void ms_zip_clear(MsZip *zip)
{
	if (zip->entries != NULL)
		g_array_unref(zip->entries);
	zip->entries = NULL;
}

static int by_start(const void *a, const void *b)
{
	const MsZipEntry *x = a, *y = b;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* What lies between two members is hidden only if it is a member. */
static const char *check_gaps(const guint8 *data, const MsZip *zip)
{
	g_array_sort(zip->entries, by_start);
	gsize at = 0;
	for (guint i = 0; i <= zip->entries->len; i++) {
		const MsZipEntry *entry = i < zip->entries->len
			? &g_array_index(zip->entries, MsZipEntry, i) : NULL;
		gsize next = entry != NULL ? entry->at : zip->list;
		if (next > at && memmem(data + at, next - at, LOCAL, 4) != NULL)
			return "a ZIP file with members that its directory does not list";
		if (entry != NULL && entry->at < at)
			return "a ZIP file with members that lie in each other";
		at = entry != NULL ? MAX(at, entry->stop) : at;
	}
	return NULL;
}

const char *ms_zip_disagreement(const guint8 *data, gsize len)
{
	MsZip zip = {0};
	const char *wrong = ms_zip_list(data, len, &zip);
	if (wrong == NULL)
		wrong = check_gaps(data, &zip);
	ms_zip_clear(&zip);
	return wrong;
}

/* ---- accounting --------------------------------------------------------------------------- */

static void read_words(const MsExtraction *to, const char *place, const guint8 *data, gsize len)
{
	g_autoptr(GString) text = g_string_new(NULL);
	ms_strings(text, data, len);
	ms_extract_span(to, place, text->str, text->len);
}

static void read_extra(const MsExtraction *to, const char *place, const guint8 *p, gsize len)
{
	const guint8 *end = len > 0 ? p + len : p; /* NULL where there is none */
	while (end - p >= 4) {
		gsize n = MIN(ms_le16(p + 2), (gsize)(end - p - 4));
		g_autofree char *name = g_strdup_printf("extra %04x", ms_le16(p));
		if (ms_structural("zip", name) == NULL) {
			read_words(to, place, p + 4, n);
			gsize filled = n; /* some only make room for later */
			while (filled > 0 && p[3 + filled] == 0)
				filled--;
			if (filled > MAX_EXTRA && ms_is_binary(p + 4, filled))
				ms_reading_unread(to->reading, place, MS_UNREAD_NO_READER,
					"an extra field of no known kind (%s)", name);
		}
		p += 4 + n;
	}
	read_words(to, place, p, (gsize)(end - p));
}

/* A folder has bytes only by mistake, or to hide them. */
static void read_folder(const MsExtraction *to, const MsDocument *document, const MsZipEntry *entry,
	const char *name)
{
	g_autofree char *safe = ms_text_escape(name, -1, 80);
	g_autofree char *place = g_strdup_printf("%s > %s", document->where, safe);
	ms_extract_name(to, place, name);
	if (entry->packed == 0 || entry->data == 0)
		return;
	const guint8 *bytes = document->data + entry->data;
	if (entry->method == 0) {
		ms_extract_within(to, document->where, name, NULL, bytes, (gsize)entry->packed);
	} else if (entry->method == 8 && (entry->flags & 1) == 0) {
		g_autoptr(GByteArray) whole = ms_inflate(
			to, place, bytes, (gsize)entry->packed, MS_DEFLATED, NULL);
		if (whole != NULL && whole->len > 0)
			ms_extract_within(to, document->where, name, NULL, whole->data, whole->len);
	} else {
		ms_reading_unread(
			to->reading, place, MS_UNREAD_NO_READER, "a folder with bytes of its own");
	}
}

static bool is_folder(const MsZipEntry *entry)
{
	return entry->name_len > 0 && entry->name[entry->name_len - 1] == '/';
}

void ms_zip_account(const MsExtraction *to, const MsDocument *document, const MsZip *zip,
	MsInventory *inventory)
{
	for (guint i = 0; i < zip->entries->len && ms_budget_time(to->budget); i++) {
		const MsZipEntry *entry = &g_array_index(zip->entries, MsZipEntry, i);
		g_autoptr(GString) name = ms_text_repair(entry->name, entry->name_len);
		ms_text_blank_nuls(name);
		g_autofree char *safe = ms_text_escape(name->str, -1, 80);
		g_autofree char *place = g_strdup_printf("%s > %s", document->where, safe);
		/* To libarchive a name ends there; some programs show more of it. */
		if (memchr(entry->name, '\0', entry->name_len) != NULL)
			ms_extract_name(to, place, name->str);
		ms_inventory_bytes(inventory, MS_ITEM_STRUCTURAL, entry->at, entry->stop);
		read_extra(to, place, entry->extra, entry->extra_len);
		if (entry->local_extra_len != entry->extra_len || entry->extra_len == 0
			|| memcmp(entry->local_extra, entry->extra, entry->extra_len) != 0)
			read_extra(to, place, entry->local_extra, entry->local_extra_len);
		ms_extract_span(to, place, entry->comment, entry->comment_len);
		if (is_folder(entry))
			read_folder(to, document, entry, name->str);
	}
	const guint8 *end = document->data + zip->end;
	ms_inventory_bytes(inventory, MS_ITEM_STRUCTURAL, zip->list, zip->list_end);
	if (zip->end >= LOCATOR64_SIZE + END64_SIZE &&
		memcmp(end - LOCATOR64_SIZE, LOCATOR64, 4) == 0)
		ms_inventory_bytes(inventory, MS_ITEM_STRUCTURAL,
			zip->end - LOCATOR64_SIZE - END64_SIZE, zip->end);
	ms_inventory_bytes(
		inventory, MS_ITEM_STRUCTURAL, zip->end, zip->end + END_SIZE + zip->comment);
	g_autofree char *place = g_strconcat(document->where, " comment", NULL);
	ms_extract_span(to, place, (const char *)end + END_SIZE, zip->comment);
}

static const MsZipEntry *member(const MsZip *zip, const char *name)
{
	gsize n = strlen(name);
	for (guint i = 0; i < zip->entries->len; i++) {
		const MsZipEntry *entry = &g_array_index(zip->entries, MsZipEntry, i);
		if (entry->name_len == n && g_ascii_strncasecmp(entry->name, name, n) == 0)
			return entry;
	}
	return NULL;
}

/* A small member; NULL if it is empty, large or packed in another way. */
static GByteArray *peek(const MsExtraction *to, const MsDocument *document, const MsZipEntry *entry)
{
	if (entry == NULL || entry->data == 0 || (entry->flags & 1) != 0 ||
		entry->packed > (1 << 20))
		return NULL;
	const guint8 *bytes = document->data + entry->data;
	g_autoptr(GByteArray) out = NULL;
	if (entry->method == 8)
		out = ms_inflate(
			to, document->where, bytes, (gsize)entry->packed, MS_DEFLATED, NULL);
	else if (entry->method == 0)
		out = g_byte_array_append(ms_bytes_new(), bytes, (guint)entry->packed);
	return out != NULL && out->len > 0 ? g_steal_pointer(&out) : NULL;
}

/* XPS has content types too, and pages of its own. */
static bool has_xps_page(const MsZip *zip)
{
	for (guint i = 0; i < zip->entries->len; i++) {
		const MsZipEntry *entry = &g_array_index(zip->entries, MsZipEntry, i);
		if (entry->name_len > 6 &&
			memcmp(entry->name + entry->name_len - 6, ".fpage", 6) == 0)
			return true;
	}
	return false;
}

bool ms_zip_is_office(const MsExtraction *to, const MsDocument *document, const MsZip *zip)
{
	g_autoptr(GByteArray) types = peek(to, document, member(zip, "[Content_Types].xml"));
	if (types != NULL && memmem(types->data, types->len, "Types", 5) != NULL)
		return !has_xps_page(zip);
	static const char *const open[] = {
		"application/vnd.oasis.opendocument.", "application/vnd.sun.xml."};
	g_autoptr(GByteArray) kind = peek(to, document, member(zip, "mimetype"));
	for (gsize i = 0; kind != NULL && i < G_N_ELEMENTS(open); i++)
		if (kind->len >= strlen(open[i]) && kind->len < 100
			&& memcmp(kind->data, open[i], strlen(open[i])) == 0)
			return true;
	return false;
}
