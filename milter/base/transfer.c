/*
 * Encoded bytes come in, decoded ones go out, tolerantly: what clients skip is skipped.  Where
 * they differ on damaged base64, each way of taking it can be asked for.  No state; any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/text.h"
#include "missent/transfer.h"

#include "base64.h"

/* Of a base64 digit its value and this; padding; 0 for all else. */
#define DIGIT 64
#define PADDING 128
static const guint8 digits[256] = {
	['A'] = 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79,
		80, 81, 82, 83, 84, 85, 86, 87, 88, 89,
	['a'] = 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 102, 103, 104, 105,
		106, 107, 108, 109, 110, 111, 112, 113, 114, 115,
	['0'] = 116, 117, 118, 119, 120, 121, 122, 123, 124, 125,
	['+'] = 126, ['/'] = 127, ['-'] = 126, ['_'] = 127, ['='] = PADDING,
};

/* Eight digits are six bytes.  False, and nothing was written: not all are digits.  There must be
 * room for eight. */
static bool take_eight(const guint8 *table, const guint8 *p, guint8 *to)
{
	guint64 bits = 0;
	guint8 all = DIGIT;
	for (guint i = 0; i < 8; i++) {
		guint8 v = table[p[i]];
		all &= v;
		bits = bits << 6 | (v & 63);
	}
	if (all == 0)
		return false;
	bits = GUINT64_TO_BE(bits << 16);
	memcpy(to, &bits, sizeof bits);
	return true;
}

/* Whole groups, as nearly all are; where it stopped. */
static const guint8 *take_groups(
	const guint8 *table, const guint8 *p, const guint8 *end, guint8 **out)
{
	p = base64_groups(p, end, out);
	guint8 *to = *out;
	/* What follows has room for two bytes more. */
	while (end - p >= 12 && take_eight(table, p, to)) {
		to += 6;
		p += 8;
	}
	while (end - p >= 4) {
		guint32 a = table[p[0]], b = table[p[1]], c = table[p[2]], d = table[p[3]];
		if ((a & b & c & d & DIGIT) == 0)
			break;
		guint32 bits = (a & 63) << 18 | (b & 63) << 12 | (c & 63) << 6 | (d & 63);
		to[0] = (guint8)(bits >> 16);
		to[1] = (guint8)(bits >> 8);
		to[2] = (guint8)bits;
		to += 3;
		p += 4;
	}
	*out = to;
	return p;
}

/* The `n` digits of a group that may have ended early: one byte fewer. */
static guint8 *put_group(guint8 *to, guint32 bits, guint n)
{
	bits <<= 6 * (4 - n);
	for (guint i = 1; i < n; i++)
		*to++ = (guint8)(bits >> (24 - 8 * i));
	return to;
}

static GByteArray *undo_base64(const guint8 *data, gsize len, guint how, gsize *plain_out)
{
	GByteArray *out = g_byte_array_sized_new((guint)(len / 4 * 3 + 3));
	guint8 table[256], *to = out->data;
	memcpy(table, digits, sizeof table);
	if ((how & MS_BASE64_PLAIN) != 0)
		table['-'] = table['_'] = 0;
	if ((how & MS_BASE64_RUN_ON) != 0)
		table['='] = 0;
	guint32 bits = 0;
	guint n = 0;
	const guint8 *p = data, *end = data + len;
	p = base64_groups(p, end, &to);
	*plain_out = (gsize)(p - data);
	while (p < end) {
		if (n == 0)
			p = take_groups(table, p, end, &to);
		if (p == end)
			break;
		guint8 v = table[*p++];
		if ((v & DIGIT) != 0) {
			bits = bits << 6 | (v & 63);
			n++;
		}
		/* Four characters, or a padded end: after it the next group begins anew. */
		if (n == 4 || (v == PADDING && n >= 2))
			to = put_group(to, bits, n);
		else if (v != PADDING)
			continue;
		n = 0;
	}
	if (n >= 2) /* no padding at the end */
		to = put_group(to, bits, n);
	g_byte_array_set_size(out, (guint)(to - out->data));
	return out;
}

GByteArray *ms_transfer_base64_as(const guint8 *data, gsize len, guint how)
{
	gsize plain;
	return undo_base64(data, len, how, &plain);
}

GByteArray *ms_transfer_base64(const guint8 *data, gsize len)
{
	return ms_transfer_base64_as(data, len, 0);
}

GByteArray *ms_transfer_base64_long(const guint8 *data, gsize len, gsize *plain_out)
{
	return undo_base64(data, len, 0, plain_out);
}

guint ms_transfer_base64_ways(const guint8 *data, gsize len, gsize plain)
{
	guint ways = 0;
	const guint8 *rest = data + plain, *end = data + len;
	if (memchr(rest, '-', len - plain) != NULL || memchr(rest, '_', len - plain) != NULL)
		ways |= MS_BASE64_PLAIN;
	const guint8 *equals = memchr(rest, '=', len - plain);
	for (; equals != NULL && equals < end && (ways & MS_BASE64_RUN_ON) == 0; equals++)
		if (ms_transfer_is_base64((char)*equals) &&
			((ways & MS_BASE64_PLAIN) == 0 || (*equals != '-' && *equals != '_')))
			ways |= MS_BASE64_RUN_ON;
	return ways;
}

/* A blank between two letters: words. */
static bool is_between(const guint8 *data, gsize len, gsize i)
{
	return (data[i] == ' ' || data[i] == '\t') && i > 0 && i + 1 < len
		&& ms_transfer_is_base64((char)data[i - 1])
		&& ms_transfer_is_base64((char)data[i + 1]);
}

static bool are_digits(const guint8 *eight)
{
	guint8 all = DIGIT;
	for (guint i = 0; i < 8; i++)
		all &= digits[eight[i]];
	return all != 0;
}

static bool ends_empty_line(const guint8 *data, gsize i)
{
	if (data[i] != '\n' || i == 0)
		return false;
	return data[i - 1] == '\n' || (data[i - 1] == '\r' && i > 1 && data[i - 2] == '\n');
}

bool ms_transfer_base64_is_clean(const guint8 *data, gsize len, gsize plain)
{
	bool ended = false; /* somebody may have put a footer behind in clear */
	bool begun = plain > 0;
	for (gsize i = plain; i < len; i++) {
		bool digit = ms_transfer_is_base64((char)data[i]);
		if (digit && !ended) {
			while (len - i > 8 && are_digits(data + i))
				i += 8;
			begun = true;
			digit = ms_transfer_is_base64((char)data[i]);
		}
		if (digit ? ended
			  : digits[data[i]] == 0 && (!g_ascii_isspace((char)data[i]) ||
							    is_between(data, len, i)))
			return false;
		begun = begun || digit;
		ended = ended || (begun && (data[i] == '=' || ends_empty_line(data, i)));
	}
	return true;
}

/* ---- hexadecimal digits --------------------------------------------------------------- */

static bool is_pair(const guint8 *p, gsize left)
{
	return left >= 2 && g_ascii_isxdigit((char)p[0]) && g_ascii_isxdigit((char)p[1]);
}

static void put_pair(GByteArray *out, const guint8 *p)
{
	guint8 byte = (guint8)(g_ascii_xdigit_value((char)p[0]) << 4 |
		g_ascii_xdigit_value((char)p[1]));
	g_byte_array_append(out, &byte, 1);
}

GByteArray *ms_transfer_hex(const char *text, gsize len)
{
	GByteArray *out = g_byte_array_sized_new((guint)len / 2 + 1);
	for (gsize i = 0; i + 1 < len; i += 2)
		put_pair(out, (const guint8 *)text + i);
	return out;
}

GByteArray *ms_transfer_percent(const char *text, gsize len)
{
	GByteArray *out = g_byte_array_sized_new((guint)len + 1);
	const guint8 *p = (const guint8 *)text, *end = p + len;
	while (p < end) {
		const guint8 *mark = memchr(p, '%', (gsize)(end - p));
		const guint8 *stop = mark != NULL ? mark : end;
		g_byte_array_append(out, p, (guint)(stop - p));
		p = stop;
		if (p == end)
			break;
		bool escape = is_pair(p + 1, (gsize)(end - p) - 1);
		if (escape)
			put_pair(out, p + 1);
		else
			g_byte_array_append(out, p, 1);
		p += escape ? 3 : 1;
	}
	return out;
}

/* ---- quoted-printable ----------------------------------------------------------------- */

/* After "=": a hex pair or a soft break; returns how many bytes it took. */
static gsize quoted_escape(const guint8 *p, gsize left, GByteArray *out)
{
	if (is_pair(p, left)) {
		put_pair(out, p);
		return 2;
	}
	gsize i = 0;
	while (i < left && (p[i] == ' ' || p[i] == '\t')) /* blanks after the "=" are no text */
		i++;
	bool alone = i < left && p[i] == '\r'; /* which is a line end to Thunderbird */
	i += alone;
	if (i < left && p[i] == '\n')
		return i + 1;
	if (alone)
		return i;
	if (left == 0 || i == left)
		return i;
	g_byte_array_append(out, (const guint8 *)"=", 1);
	return 0;
}

GByteArray *ms_transfer_quoted_printable(const guint8 *data, gsize len)
{
	GByteArray *out = g_byte_array_sized_new((guint)len);
	gsize i = 0;
	while (i < len) {
		const guint8 *equals = memchr(data + i, '=', len - i);
		gsize stop = equals != NULL ? (gsize)(equals - data) : len;
		g_byte_array_append(out, data + i, (guint)(stop - i));
		i = stop;
		if (i < len) {
			i++;
			i += quoted_escape(data + i, len - i, out);
		}
	}
	return out;
}

/* ---- uuencode and xxencode ------------------------------------------------------------ */

static int uu_value(guint8 c)
{
	return c >= ' ' && c <= '`' ? (c - ' ') & 63 : -1;
}

static int xx_value(guint8 c)
{
	static const char alphabet[] =
		"+-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	const char *at = c != 0 ? strchr(alphabet, c) : NULL;
	return at != NULL ? (int)(at - alphabet) : -1;
}

static int value_of(guint8 c, MsUuAlphabet alphabet)
{
	return alphabet == MS_XX ? xx_value(c) : uu_value(c);
}

bool ms_transfer_is_uu_line(const guint8 *line, gsize len, MsUuAlphabet alphabet)
{
	int count = len > 0 ? value_of(line[0], alphabet) : -1;
	if (count < 0)
		return false;
	for (gsize i = 1; i < len; i++)
		if (value_of(line[i], alphabet) < 0)
			return false;
	/* Mailers strip blanks at line ends, which stand for zero bits; some encoders write the
	 * last group short, or a check character behind it. */
	gsize full = ((gsize)count + 2) / 3 * 4, stripped = alphabet == MS_UU ? full / 2 : 0;
	return len - 1 <= full + 2 && len - 1 + 3 + stripped >= full;
}

bool ms_transfer_uu_line(const guint8 *line, gsize len, MsUuAlphabet alphabet, GByteArray *out)
{
	int count = len > 0 ? value_of(line[0], alphabet) : 0;
	if (count <= 0)
		return false;
	/* Groups that are missing are zero bytes, and not made up. */
	for (gsize i = 1; count > 0 && i < len; i += 4) {
		guint32 bits = 0;
		for (gsize k = i; k < i + 4; k++) {
			int v = k < len ? value_of(line[k], alphabet) : 0;
			bits = bits << 6 | ((guint32)MAX(v, 0) & 63);
		}
		guint8 bytes[3] = {(guint8)(bits >> 16), (guint8)(bits >> 8), (guint8)bits};
		g_byte_array_append(out, bytes, (guint)MIN(count, 3));
		count -= MIN(count, 3);
	}
	return true;
}

GByteArray *ms_transfer_uudecode(const guint8 *data, gsize len)
{
	GByteArray *out = ms_bytes_new();
	const guint8 *p = data, *end = data + len;
	while (p < end) {
		const guint8 *nl = memchr(p, '\n', (gsize)(end - p));
		const guint8 *stop = nl != NULL ? nl : end;
		if (stop > p && stop[-1] == '\r')
			stop--;
		if (!ms_transfer_uu_line(p, (gsize)(stop - p), MS_UU, out))
			break;
		p = nl != NULL ? nl + 1 : end;
	}
	return out;
}

/* ---- BinHex 4.0, RFC 1741 ------------------------------------------------------------- */

static int hqx_value(guint8 c)
{
	static const char alphabet[] =
		"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr";
	const char *at = c != 0 ? strchr(alphabet, c) : NULL;
	return at != NULL ? (int)(at - alphabet) : -1;
}

/* Runs are written as byte, 0x90, count; a count of 0 is the byte 0x90 itself. */
static void hqx_byte(guint8 byte, bool *run, GByteArray *out, gsize max)
{
	if (!*run && byte == 0x90) {
		*run = true;
		return;
	}
	guint8 same = *run && byte > 0 && out->len > 0 ? out->data[out->len - 1]
		: *run                                 ? 0x90
						       : byte;
	guint n = !*run || byte == 0 ? 1 : byte - 1U;
	*run = false;
	for (guint i = 0; i < n && out->len < max; i++)
		g_byte_array_append(out, &same, 1);
}

GByteArray *ms_transfer_hqx(const guint8 *data, gsize len, gsize max)
{
	GByteArray *out = ms_bytes_new();
	guint32 bits = 0;
	guint n = 0;
	bool run = false;
	for (gsize i = 0; i < len && data[i] != ':' && out->len < max; i++) {
		int v = hqx_value(data[i]);
		if (v < 0)
			continue;
		bits = bits << 6 | (guint32)v;
		n += 6;
		if (n >= 8) {
			n -= 8;
			hqx_byte((guint8)(bits >> n), &run, out, max);
		}
	}
	return out;
}
