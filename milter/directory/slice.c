/*
 * Slices come in as bytes from a store that nobody has to trust, and go out as entries; and back.
 * Bounds are checked even within what opened: another program may have written it.  From any
 * thread.
 */
#include "config.h"

#include <string.h>

#include "slice.h"

#define HEAD 4 /* the number of entries */

guint32 ms_place_entry(const MsPlaces *places, const guint8 digest[MS_PLACE_BYTES])
{
	guint32 place;
	memcpy(&place, digest, sizeof place);
	return (guint32)((guint64)GUINT32_FROM_BE(place) * places->slices >> 32);
}

guint32 ms_place_account(const MsPlaces *places, const guint8 link[MS_LINK_BYTES])
{
	guint64 place = (guint64)link[0] << 16 | (guint64)link[1] << 8 | link[2];
	return places->slices + (guint32)(place * places->accounts >> 24);
}

/* ---- what an entry says ---------------------------------------------------------------- */

#define OTHER_FORM 0xff

static void put_byte(GByteArray *out, gsize value)
{
	guint8 byte = (guint8)value;
	g_byte_array_append(out, &byte, 1);
}

void ms_said_write(GByteArray *out, const MsKeys *keys, const MsSaid *said)
{
	if (said->ref != NULL)
		put_byte(out, OTHER_FORM);
	put_byte(out, said->account_len);
	g_byte_array_append(out, (const guint8 *)said->account, (guint)said->account_len);
	if (said->ref != NULL)
		g_byte_array_append(out, said->ref, MS_REF_BYTES);
	if (keys->digests)
		return;
	put_byte(out, said->text_len >> 8);
	put_byte(out, said->text_len & 0xff);
	g_byte_array_append(out, (const guint8 *)said->text, (guint)said->text_len);
}

static const guint8 *take(const guint8 **at, const guint8 *end, gsize len)
{
	if ((gsize)(end - *at) < len)
		return NULL;
	const guint8 *here = *at;
	*at += len;
	return here;
}

bool ms_said_read(const MsKeys *keys, const guint8 **where, const guint8 *end, MsSaid *out)
{
	const guint8 *at = *where;
	const guint8 *len = take(&at, end, 1);
	bool other = len != NULL && *len == OTHER_FORM;
	if (other)
		len = take(&at, end, 1);
	*out = (MsSaid){.account_len = len != NULL ? *len : 0};
	if (out->account_len == 0 || out->account_len > 200)
		return false;
	out->account = (const char *)take(&at, end, out->account_len);
	if (out->account == NULL || memchr(out->account, 0, out->account_len) != NULL)
		return false;
	if (other && (out->ref = take(&at, end, MS_REF_BYTES)) == NULL)
		return false;
	if (!keys->digests) {
		const guint8 *size = take(&at, end, 2);
		out->text_len = size != NULL ? (gsize)size[0] << 8 | size[1] : 0;
		out->text = size != NULL ? (const char *)take(&at, end, out->text_len) : NULL;
		if (out->text == NULL)
			return false;
	}
	*where = at;
	return true;
}

/* ---- reading ---------------------------------------------------------------------------- */

bool ms_slice_clear(const guint8 *data, gsize len, guint *n_out, const guint8 **keys_out,
	const guint8 **links_out)
{
	if (len < MS_FINGERPRINT + HEAD)
		return false;
	guint32 n;
	memcpy(&n, data + MS_FINGERPRINT, sizeof n);
	n = GUINT32_FROM_BE(n);
	if ((guint64)n * (MS_ENTRY_KEY + MS_LINK_BYTES) > len - MS_FINGERPRINT - HEAD)
		return false;
	*n_out = n;
	*keys_out = data + MS_FINGERPRINT + HEAD;
	*links_out = *keys_out + (gsize)n * MS_ENTRY_KEY;
	return true;
}

static gsize clear_len(guint n)
{
	return HEAD + (gsize)n * (MS_ENTRY_KEY + MS_LINK_BYTES);
}

MsSlice *ms_slice_open(const MsKeys *keys, const char *generation, guint32 number, GBytes *data)
{
	gsize len;
	const guint8 *bytes = g_bytes_get_data(data, &len);
	g_autoptr(MsSlice) slice = g_new0(MsSlice, 1);
	if (!ms_slice_clear(bytes, len, &slice->n, &slice->keys, &slice->links))
		return NULL;
	slice->secret = ms_part_open(keys, generation, MS_PART(MS_PART_SLICE, number), bytes, len,
		clear_len(slice->n), &slice->secret_len);
	slice->data = g_bytes_ref(data);
	return slice->secret != NULL ? g_steal_pointer(&slice) : NULL;
}

void ms_slice_free(MsSlice *slice)
{
	if (slice == NULL)
		return;
	if (slice->data != NULL)
		g_bytes_unref(slice->data);
	g_free(slice->secret);
	g_free(slice);
}

guint ms_slice_find(const guint8 *keys, guint n, const guint8 key[MS_ENTRY_KEY], guint *many_out)
{
	guint low = 0, high = n, many = 0;
	while (low < high) {
		guint middle = low + (high - low) / 2;
		if (memcmp(keys + (gsize)middle * MS_ENTRY_KEY, key, MS_ENTRY_KEY) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (low + many < n &&
		memcmp(keys + (gsize)(low + many) * MS_ENTRY_KEY, key, MS_ENTRY_KEY) == 0)
		many++;
	*many_out = many;
	return low;
}

/* Entries `from` to `until`. */
static const char *walk(const MsKeys *keys, const MsSlice *slice, guint from, guint until,
	void (*each)(const guint8 key[MS_ENTRY_KEY], const MsSaid *said, void *user), void *user)
{
	const guint8 *at = slice->secret, *end = at + slice->secret_len;
	MsSaid said;
	for (guint i = 0; i < until; i++) {
		if (!ms_said_read(keys, &at, end, &said))
			return "what its entries say has not the right form";
		if (i >= from)
			each(slice->keys + (gsize)i * MS_ENTRY_KEY, &said, user);
	}
	return until < slice->n || at == end ? NULL : "there is more in it than its entries";
}

const char *ms_slice_each(const MsKeys *keys, const MsSlice *slice,
	void (*each)(const guint8 key[MS_ENTRY_KEY], const MsSaid *said, void *user), void *user)
{
	return walk(keys, slice, 0, slice->n, each, user);
}

static void take_account(const guint8 *key, const MsSaid *said, void *user)
{
	(void)key;
	g_ptr_array_add(user, g_strndup(said->account, said->account_len));
}

const char *ms_slice_accounts(const MsKeys *keys, const MsSlice *slice,
	const guint8 key[MS_ENTRY_KEY], GPtrArray *accounts)
{
	guint many, first = ms_slice_find(slice->keys, slice->n, key, &many);
	return many > 0 ? walk(keys, slice, first, first + many, take_account, accounts) : NULL;
}

/* ---- writing ---------------------------------------------------------------------------- */

gint ms_record_compare(const MsRecord *a, const MsRecord *b)
{
	int keys = memcmp(a->key, b->key, MS_ENTRY_KEY);
	if (keys != 0)
		return keys;
	int said = memcmp(a->said, b->said, MIN(a->said_len, b->said_len));
	return said != 0 ? said : (a->said_len > b->said_len) - (a->said_len < b->said_len);
}

GBytes *ms_slice_seal(const MsKeys *keys, const char *generation, guint32 number,
	const MsRecord *records, guint n)
{
	g_autoptr(GByteArray) clear = g_byte_array_sized_new((guint)clear_len(n));
	g_autoptr(GByteArray) secret = g_byte_array_new();
	guint32 count = GUINT32_TO_BE(n);
	g_byte_array_append(clear, (const guint8 *)&count, sizeof count);
	for (guint i = 0; i < n; i++)
		g_byte_array_append(clear, records[i].key, MS_ENTRY_KEY);
	for (guint i = 0; i < n; i++) {
		g_byte_array_append(clear, records[i].link, MS_LINK_BYTES);
		g_byte_array_append(secret, records[i].said, (guint)records[i].said_len);
	}
	return ms_part_seal(keys, generation, MS_PART(MS_PART_SLICE, number), clear->data,
		clear->len, secret->data, secret->len);
}

/* The records of an opened slice; NULL: it makes no sense. */
static GArray *records_of(const MsKeys *keys, const MsSlice *slice)
{
	GArray *records = g_array_sized_new(FALSE, FALSE, sizeof(MsRecord), slice->n + 1);
	const guint8 *at = slice->secret, *end = at + slice->secret_len;
	for (guint i = 0; i < slice->n; i++) {
		MsRecord record = {.said = at};
		MsSaid said;
		if (!ms_said_read(keys, &at, end, &said)) {
			g_array_unref(records);
			return NULL;
		}
		record.said_len = (gsize)(at - record.said);
		memcpy(record.key, slice->keys + (gsize)i * MS_ENTRY_KEY, MS_ENTRY_KEY);
		memcpy(record.link, slice->links + (gsize)i * MS_LINK_BYTES, MS_LINK_BYTES);
		g_array_append_val(records, record);
	}
	return records;
}

static bool edit(const MsKeys *keys, const char *generation, guint32 number, GBytes **data,
	const MsRecord *record, bool put)
{
	g_autoptr(MsSlice) slice = ms_slice_open(keys, generation, number, *data);
	g_autoptr(GArray) records = slice != NULL ? records_of(keys, slice) : NULL;
	if (records == NULL)
		return false;
	guint at = 0;
	gint order = 1;
	while (at < records->len &&
		(order = ms_record_compare(&g_array_index(records, MsRecord, at), record)) < 0)
		at++;
	bool there = at < records->len && order == 0;
	if (there == put)
		return false;
	if (put)
		g_array_insert_val(records, at, *record);
	else
		g_array_remove_index(records, at);
	GBytes *changed = ms_slice_seal(keys, generation, number,
		(const MsRecord *)(const void *)records->data, records->len);
	g_bytes_unref(*data);
	*data = changed;
	return true;
}

bool ms_slice_put(const MsKeys *keys, const char *generation, guint32 number, GBytes **data,
	const MsRecord *record)
{
	return edit(keys, generation, number, data, record, true);
}

bool ms_slice_remove(const MsKeys *keys, const char *generation, guint32 number, GBytes **data,
	const MsRecord *record)
{
	return edit(keys, generation, number, data, record, false);
}

bool ms_slice_strip(const MsKeys *keys, const char *generation, guint32 number, GBytes **data,
	MsSliceGoes goes, void *user, gint64 *rows_out)
{
	g_autoptr(MsSlice) slice = ms_slice_open(keys, generation, number, *data);
	g_autoptr(GArray) records = slice != NULL ? records_of(keys, slice) : NULL;
	if (records == NULL)
		return false;
	guint left = 0;
	for (guint i = 0; i < records->len; i++) {
		MsRecord record = g_array_index(records, MsRecord, i);
		const guint8 *at = record.said;
		MsSaid said;
		ms_said_read(keys, &at, at + record.said_len, &said);
		if (goes(record.key, &said, user))
			*rows_out += said.ref == NULL;
		else
			g_array_index(records, MsRecord, left++) = record;
	}
	if (left == records->len)
		return true;
	GBytes *changed = ms_slice_seal(keys, generation, number,
		(const MsRecord *)(const void *)records->data, left);
	g_bytes_unref(*data);
	*data = changed;
	return true;
}
