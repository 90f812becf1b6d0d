/*
 * Deflated bytes (RFC 1950 to 1952) as they stand in ZIP, gzip and PNG.  In come packed bytes, out
 * go those that they unpack to, and how many were used: what lies behind them is not ours.  In
 * the worker's only thread.
 */
#include "config.h"

#include <zlib.h>

#include "missent/text.h"

#include "bytes.h"
#include "readers.h"

#define MAX_RATIO 300        /* unpacked to packed; above it something else is meant */
#define RATIO_FREE (4 << 20) /* bytes below which the ratio does not matter */

static const char *over_limit(const MsExtraction *to, gsize out, gsize packed)
{
	if (out > MIN(to->budget->left[MS_COST_DECODED], MS_MEMBER_MAX))
		return "larger than max-decoded or 64 MiB";
	if (out > RATIO_FREE && out / MAX_RATIO > packed)
		return "packed more than 300 times smaller than it is";
	if (!ms_budget_time(to->budget))
		return "the time for reading is over";
	return NULL;
}

GByteArray *ms_inflate(const MsExtraction *to, const char *where, const guint8 *data, gsize len,
	MsDeflate form, gsize *used)
{
	z_stream z = {.next_in = (guint8 *)data, .avail_in = (guint)MIN(len, G_MAXUINT)};
	if (inflateInit2(&z, form == MS_ZLIB ? MAX_WBITS : -MAX_WBITS) != Z_OK)
		return NULL;
	GByteArray *out = ms_bytes_new();
	guint8 buffer[16384];
	int rc = Z_OK;
	while (rc == Z_OK) {
		z.next_out = buffer;
		z.avail_out = sizeof buffer;
		rc = inflate(&z, Z_NO_FLUSH);
		g_byte_array_append(out, buffer, (guint)(sizeof buffer - z.avail_out));
		const char *over = over_limit(to, out->len, len);
		if (over != NULL) {
			ms_reading_unread(to->reading, where, MS_UNREAD_LIMIT, "%s", over);
			break;
		}
	}
	if (used != NULL)
		*used = rc == Z_STREAM_END ? (gsize)(z.next_in - data) : len;
	if (rc != Z_STREAM_END && rc != Z_OK)
		ms_reading_unread(
			to->reading, where, MS_UNREAD_DAMAGED, "packed data that breaks off");
	inflateEnd(&z);
	return out;
}

#define MAX_GUESS (1 << 20) /* bytes of text that a word may unpack to */

GByteArray *ms_inflate_word(const guint8 *data, gsize len)
{
	bool zlib = len > 2 && (data[0] & 0x0f) == 8 && ms_be16(data) % 31 == 0;
	bool gzip = len > 2 && data[0] == 0x1f && data[1] == 0x8b;
	z_stream z = {.next_in = (guint8 *)data, .avail_in = (guint)MIN(len, G_MAXUINT)};
	if (inflateInit2(&z, zlib || gzip ? MAX_WBITS + 32 : -MAX_WBITS) != Z_OK)
		return NULL;
	GByteArray *out = ms_bytes_new();
	guint8 buffer[4096];
	int rc = Z_OK;
	while (rc == Z_OK && out->len < MAX_GUESS) {
		z.next_out = buffer;
		z.avail_out = sizeof buffer;
		rc = inflate(&z, Z_NO_FLUSH);
		g_byte_array_append(out, buffer, (guint)(sizeof buffer - z.avail_out));
	}
	bool whole = rc == Z_STREAM_END && z.avail_in <= 2; /* padding of base64 */
	inflateEnd(&z);
	if (whole)
		return out;
	g_byte_array_unref(out);
	return NULL;
}
