/*
 * The content of a leaf: encoded bytes come in, documents go out to ms_extract(), once for each
 * way in which clients undo a damaged encoding.  What stands beside the encoded lines is read as
 * text, for a client that does not decode shows it.  The worker's one thread.
 */
#include "config.h"

#include <string.h>

#include "missent/scan.h"
#include "missent/text.h"
#include "missent/transfer.h"

#include "walk.h"

static bool is_one_of(const char *encoding, const char *const *names)
{
	for (; *names != NULL; names++)
		if (strcmp(encoding, *names) == 0)
			return true;
	return false;
}

static bool is_uuencode(const char *encoding)
{
	static const char *const names[] = {"x-uuencode", "uuencode", "x-uue", "uue", NULL};
	return is_one_of(encoding, names);
}

/* Where the lines of the first file begin: after "begin", or at once. */
static gsize uu_start(const guint8 *data, gsize len)
{
	const guint8 *end = data + len;
	for (const guint8 *p = data, *next; p < end; p = next) {
		next = ms_line_after(p, end);
		if (end - p > 6 && memcmp(p, "begin ", 6) == 0)
			return (gsize)(next - data);
	}
	gsize blank = 0;
	while (blank < len && g_ascii_isspace((char)data[blank]) && data[blank] != ' ')
		blank++;
	return blank;
}

GByteArray *ms_walk_decode(Walk *walk, Leaf *leaf)
{
	/* Those of the standard, and what programs write that think of a charset. */
	static const char *const none[] = {"", "7bit", "8bit", "binary", "7-bit", "8-bit",
		"8bitmime", "utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "none", "plain",
		"text", "identity", NULL};
	if (strcmp(leaf->encoding, "base64") == 0)
		return ms_transfer_base64_long(leaf->data, leaf->len, &leaf->plain);
	if (strcmp(leaf->encoding, "quoted-printable") == 0)
		return ms_transfer_quoted_printable(leaf->data, leaf->len);
	if (is_uuencode(leaf->encoding)) {
		gsize start = uu_start(leaf->data, leaf->len);
		return ms_transfer_uudecode(leaf->data + start, leaf->len - start);
	}
	if (!is_one_of(leaf->encoding, none))
		ms_reading_unread(walk->reading, leaf->where, MS_UNREAD_ENCODING,
			"a transfer encoding that is not known (its name has %zu characters)",
			strlen(leaf->encoding));
	return NULL;
}

/* Decoded content, whatever it is; what it really is. */
static const char *read_as(
	Walk *walk, const Leaf *leaf, const char *type, const guint8 *data, gsize len)
{
	MsDocument document = {
		.where = leaf->where,
		.type = type,
		.charset = leaf->charset,
		.flowed = leaf->flowed,
		.delsp = leaf->delsp,
		.data = len > 0 ? data : (const guint8 *)"",
		.len = len,
	};
	return ms_extract(&walk->to, &document);
}

bool ms_walk_charge(Walk *walk, const Leaf *leaf)
{
	if (ms_budget_charge(walk->budget, MS_COST_DECODED, leaf->len))
		return true;
	ms_reading_unread(walk->reading, leaf->where, MS_UNREAD_LIMIT, "larger than %s allows",
		ms_cost_name(MS_COST_DECODED));
	return false;
}

/* Damaged base64, as other clients than most take it.  `whole`: all was read as most take it.  Of
 * what each line was padded for, others make bytes that nothing shows: what stands in them counts,
 * that they are unread does not. */
static void read_other_ways(Walk *walk, const Leaf *leaf, const GByteArray *usual, bool whole)
{
	guint ways = ms_transfer_base64_ways(leaf->data, leaf->len, leaf->plain);
	for (guint how = 1; how <= ways; how++) {
		if ((how & ~ways) != 0 || !ms_walk_charge(walk, leaf))
			continue;
		g_autoptr(GByteArray) other = ms_transfer_base64_as(leaf->data, leaf->len, how);
		if (other->len == usual->len &&
			memcmp(other->data, usual->data, usual->len) == 0)
			continue;
		guint unread = walk->reading->unread->len;
		read_as(walk, leaf, leaf->type, other->data, other->len);
		if (whole && !ms_extract_may_show(other->data, other->len) &&
			walk->reading->unread->len > unread)
			g_ptr_array_set_size(walk->reading->unread, (gint)unread);
	}
}

const char *ms_walk_content(Walk *walk, const Leaf *leaf, const GByteArray *decoded)
{
	const guint8 *data = decoded != NULL ? decoded->data : leaf->data;
	guint unread = walk->reading->unread->len;
	const char *actual = read_as(
		walk, leaf, leaf->type, data, decoded != NULL ? decoded->len : leaf->len);
	if (decoded == NULL)
		return actual;
	bool base64 = strcmp(leaf->encoding, "base64") == 0;
	if (base64)
		read_other_ways(walk, leaf, decoded, walk->reading->unread->len == unread);
	/* Beside uuencoded files stand their names. */
	if ((base64 && !ms_transfer_base64_is_clean(leaf->data, leaf->len, leaf->plain)) ||
		is_uuencode(leaf->encoding))
		if (ms_walk_charge(walk, leaf))
			read_as(walk, leaf, "text/plain", leaf->data, leaf->len);
	return actual;
}
