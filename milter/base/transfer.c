#include "config.h"

#include <string.h>

#include "missent/transfer.h"

static int base64_value(guint8 c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

GByteArray *ms_transfer_base64(const guint8 *data, gsize len)
{
	GByteArray *out = g_byte_array_sized_new((guint)(len / 4 * 3 + 3));
	guint32 bits = 0;
	guint n = 0;
	for (gsize i = 0; i < len; i++) {
		int v = base64_value(data[i]);
		if (v >= 0) {
			bits = bits << 6 | (guint32)v;
			if (++n < 4)
				continue;
		} else if (data[i] != '=' || n < 2) {
			if (data[i] == '=')
				n = 0;
			continue;
		}
		/* Four characters, or a padded end: after it the next group begins anew. */
		bits <<= 6 * (4 - n);
		guint8 bytes[3] = {(guint8)(bits >> 16), (guint8)(bits >> 8), (guint8)bits};
		g_byte_array_append(out, bytes, n - 1);
		bits = 0;
		n = 0;
	}
	if (n >= 2) { /* no padding at the end */
		bits <<= 6 * (4 - n);
		guint8 bytes[2] = {(guint8)(bits >> 16), (guint8)(bits >> 8)};
		g_byte_array_append(out, bytes, n - 1);
	}
	return out;
}

/* After "=": a hex pair or a soft break; returns how many bytes it took. */
static gsize quoted_escape(const guint8 *p, gsize left, GByteArray *out)
{
	if (left >= 2 && g_ascii_isxdigit((char)p[0]) && g_ascii_isxdigit((char)p[1])) {
		guint8 byte = (guint8)(g_ascii_xdigit_value((char)p[0]) << 4
			| g_ascii_xdigit_value((char)p[1]));
		g_byte_array_append(out, &byte, 1);
		return 2;
	}
	gsize i = 0;
	while (i < left && (p[i] == ' ' || p[i] == '\t')) /* blanks after the "=" are no text */
		i++;
	if (i < left && p[i] == '\r')
		i++;
	if (i < left && p[i] == '\n')
		return i + 1;
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

GByteArray *ms_transfer_uudecode(const guint8 *data, gsize len)
{
	GByteArray *out = g_byte_array_new();
	const guint8 *p = data, *end = data + len;
	while (p < end) {
		const guint8 *nl = memchr(p, '\n', (gsize)(end - p));
		const guint8 *stop = nl != NULL ? nl : end;
		guint count = (guint)(p[0] - ' ') & 63;
		if (p == stop || p[0] < ' ' || p[0] > '`' || count == 0)
			break;
		p++;
		/* Mailers strip blanks at line ends, which stand for zero bits: groups that are
		 * missing are zero bytes, and not made up. */
		while (count > 0 && p < stop && *p != '\r') {
			guint32 bits = 0;
			for (int k = 0; k < 4; k++) {
				guint8 c = p < stop && *p != '\r' ? *p++ : ' ';
				bits = bits << 6 | ((guint32)(c - ' ') & 63);
			}
			guint8 bytes[3] = {(guint8)(bits >> 16), (guint8)(bits >> 8), (guint8)bits};
			g_byte_array_append(out, bytes, MIN(count, 3));
			count -= MIN(count, 3);
		}
		p = nl != NULL ? nl + 1 : end;
	}
	return out;
}
