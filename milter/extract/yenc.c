/*
 * yEnc (yenc.org, draft 1.3): a text comes in, out go the files that are written into it.  What is
 * no whole file is told.  The lines stay a part of the text, for most clients show them so; but
 * their bytes are no fault of the text.  A worker's one thread.
 */
#include "config.h"

#include <string.h>
#include <zlib.h>

#include "missent/scan.h"
#include "missent/text.h"

#include "plain.h"
#include "readers.h"

#define MAX_WORDS 1000 /* bytes of a line of words */

/* A file as it stands in the text. */
typedef struct {
	const guint8 *from, *body, *stop, *behind; /* its first line, its data, its last line */
} Block;

static bool begins(const guint8 *p, const guint8 *end, const char *word)
{
	gsize n = strlen(word);
	return (gsize)(end - p) >= n && memcmp(p, word, n) == 0;
}

bool ms_is_yenc(const guint8 *data, gsize len)
{
	return begins(data, data + len, "=ybegin ");
}

/* The next one from `p` on; false if there is none.  Without a last line it has all of the rest. */
static bool next_block(const guint8 *begin, const guint8 *p, const guint8 *end, Block *block)
{
	const char *text = (const char *)begin;
	gsize len = (gsize)(end - begin), at = (gsize)(p - begin);
	for (; (at = ms_scan_pair(text, len, at, "=y")) < len; at += 2) {
		p = begin + at;
		if (!begins(p, end, "=ybegin ") || (at > 0 && text[at - 1] != '\n'))
			continue;
		block->from = p;
		block->body = ms_line_after(p, end);
		if (begins(block->body, end, "=ypart "))
			block->body = ms_line_after(block->body, end);
		const guint8 *stop = block->body;
		while (stop < end && !begins(stop, end, "=yend"))
			stop = ms_line_after(stop, end);
		block->stop = stop;
		block->behind = ms_line_after(stop, end);
		return true;
	}
	return false;
}

/* "size=4711" of a line; false if it is not there. */
static bool number_of(
	const guint8 *line, const guint8 *end, const char *name, guint base, guint64 *value_out)
{
	const guint8 *stop = ms_line_after(line, end);
	g_autofree char *words =
		g_strndup((const char *)line, MIN((gsize)(stop - line), MAX_WORDS));
	g_autofree char *key = g_strconcat(" ", name, "=", NULL);
	const char *title = strstr(words, " name="); /* the last, and of any words */
	const char *at = strstr(words, key);
	if (at == NULL || (title != NULL && at > title))
		return false;
	*value_out = g_ascii_strtoull(at + strlen(key), NULL, base);
	return true;
}

static GByteArray *decode(const Block *block)
{
	GByteArray *out = ms_bytes_new();
	for (const guint8 *p = block->body; p < block->stop; p++) {
		bool escape = *p == '=' && p + 1 < block->stop;
		if (*p == '\r' || *p == '\n')
			continue;
		p += escape;
		guint8 byte = (guint8)(*p - (escape ? 64 : 0) - 42);
		g_byte_array_append(out, &byte, 1);
	}
	return out;
}

/* All of a file, as its lines say: its size, and its checksum if there is one. */
static bool is_whole(const Block *block, const guint8 *end, const GByteArray *file)
{
	guint64 size, again, sum;
	if (!number_of(block->from, end, "size", 10, &size) || size != file->len ||
		block->stop == end || !number_of(block->stop, end, "size", 10, &again) ||
		again != size)
		return false;
	return !number_of(block->stop, end, "crc32", 16, &sum) ||
		sum == crc32(0, file->data, file->len);
}

static void read_block(
	const MsExtraction *to, const char *where, const Block *block, const guint8 *end)
{
	g_autoptr(GByteArray) file = decode(block);
	if (is_whole(block, end, file))
		ms_extract_within(to, where, "yEnc file", NULL, file->data, file->len);
	else
		ms_reading_unread(
			to->reading, where, MS_UNREAD_ENCODING, "a yEnc file that is not whole");
}

void ms_yenc_read(const MsExtraction *to, const char *where, const guint8 *data, gsize len)
{
	const guint8 *end = data + len;
	Block block;
	for (const guint8 *p = data; next_block(data, p, end, &block) && ms_budget_time(to->budget);
		p = block.behind)
		read_block(to, where, &block, end);
}

GByteArray *ms_yenc_around(const guint8 *data, gsize len)
{
	const guint8 *end = data + len, *p = data;
	Block block;
	GByteArray *out = NULL;
	while (next_block(data, p, end, &block)) {
		out = out != NULL ? out : ms_bytes_new();
		g_byte_array_append(out, p, (guint)(block.from - p));
		p = block.behind;
	}
	return out != NULL ? g_byte_array_append(out, p, (guint)(end - p)) : NULL;
}
