/*
 * Decoders of transfer encodings beside one that goes digit by digit, with everything that
 * damages them.
 */
#include "config.h"

#include <string.h>

#include "missent/transfer.h"

#include "../test.h"

/* One digit after the other, without a table: what the decoder in base/ must agree with. */
static int slow_value(guint8 c, guint how)
{
	static const char abc[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c != 0 ? strchr(abc, c) : NULL;
	if (at == NULL && (how & MS_BASE64_PLAIN) == 0)
		return c == '-' ? 62 : c == '_' ? 63 : -1;
	return at != NULL ? (int)(at - abc) : -1;
}

static void slow_end(GByteArray *out, guint32 bits, guint n)
{
	for (guint i = 0; i + 1 < n; i++) {
		guint8 byte = (guint8)(bits << 6 * (4 - n) >> (16 - 8 * i));
		g_byte_array_append(out, &byte, 1);
	}
}

static GByteArray *slow(const guint8 *data, gsize len, guint how)
{
	GByteArray *out = g_byte_array_new();
	guint32 bits = 0;
	guint n = 0;
	for (gsize i = 0; i < len; i++) {
		bool end = data[i] == '=' && (how & MS_BASE64_RUN_ON) == 0;
		int v = slow_value(data[i], how);
		if (v >= 0) {
			bits = bits << 6 | (guint32)v;
			n++;
		}
		if (n < 4 && !end)
			continue;
		slow_end(out, bits, n);
		bits = n = 0;
	}
	slow_end(out, bits, n);
	return out;
}

static void compare(const guint8 *data, gsize len)
{
	for (guint how = 0; how <= (MS_BASE64_PLAIN | MS_BASE64_RUN_ON); how++) {
		g_autoptr(GByteArray) want = slow(data, len, how);
		g_autoptr(GByteArray) got = ms_transfer_base64_as(data, len, how);
		g_assert_cmpmem(got->data, got->len, want->data, want->len);
	}
	/* What need not be looked at makes no difference. */
	gsize plain = len + 1;
	g_autoptr(GByteArray) want = slow(data, len, 0);
	g_autoptr(GByteArray) got = ms_transfer_base64_long(data, len, &plain);
	g_assert_cmpmem(got->data, got->len, want->data, want->len);
	g_assert_cmpuint(plain, <=, len);
	g_assert_cmpuint(ms_transfer_base64_ways(data, len, plain), ==,
		ms_transfer_base64_ways(data, len, 0));
	g_assert_cmpint(ms_transfer_base64_is_clean(data, len, plain), ==,
		ms_transfer_base64_is_clean(data, len, 0));
}

/* Digits mostly, with line ends, padding and rubbish at any place. */
static void test_base64(void)
{
	static const char other[] = "\r\n== -_!\x80\xff";
	g_autoptr(GRand) rand = g_rand_new_with_seed(1);
	for (int round = 0; round < 20000; round++) {
		gsize len = (gsize)g_rand_int_range(rand, 0, 90);
		gint odd = g_rand_int_range(rand, 2, 40);
		g_autofree guint8 *data = g_malloc(len + 1);
		for (gsize i = 0; i < len; i++)
			data[i] = g_rand_int_range(rand, 0, odd) == 0
				? (guint8)other[g_rand_int_range(rand, 0, sizeof other)]
				: (guint8) "ABZabz019+/"[g_rand_int_range(rand, 0, 11)];
		compare(data, len);
	}
}

/* Lines as they are in mails, of every length, all digits, something odd anywhere. */
static void test_base64_lines(void)
{
	static const char abc[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	g_autoptr(GRand) rand = g_rand_new_with_seed(2);
	for (gsize line = 1; line < 140; line++)
		for (guint odd = 0; odd < 256; odd += line % 7 + 1) {
			gsize len = (gsize)g_rand_int_range(rand, 0, 500);
			g_autofree guint8 *data = g_malloc(MAX(len, 1));
			for (gsize i = 0; i < len; i++) {
				gsize at = i % (line + 2);
				data[i] = at == line ? '\r' : at > line ? '\n'
					: (guint8)abc[g_rand_int_range(rand, 0, 64)];
			}
			compare(data, len);
			g_assert_true(ms_transfer_base64_is_clean(data, len, 0));
			if (len > 0)
				data[g_rand_int_range(rand, 0, (gint32)len)] = (guint8)odd;
			compare(data, len);
		}
}

static void test_base64_short(void)
{
	static const char abc[] = "Ab=-\n";
	for (guint32 n = 0; n < 5 * 5 * 5 * 5 * 5 * 5; n++) {
		guint8 data[6];
		for (guint32 i = 0, rest = n; i < 6; i++, rest /= 5)
			data[i] = (guint8)abc[rest % 5];
		for (gsize len = 0; len <= sizeof data; len++) {
			g_autofree guint8 *exact = g_memdup2(data, len);
			compare(len > 0 ? exact : (const guint8 *)"", len);
		}
	}
}

/* What is no digit is found wherever it stands, blanks and padding only between digits. */
static void test_clean(void)
{
	guint8 data[80];
	for (gsize len = 1; len < sizeof data; len++) {
		memset(data, 'A', sizeof data);
		g_assert_true(ms_transfer_base64_is_clean(data, len, 0));
		for (gsize at = 0; at < len; at++) {
			static const char others[] = "\n\r=._:\x80 ";
			for (const char *c = others; *c != '\0'; c++) {
				data[at] = (guint8)*c;
				bool words = *c == ' ' && at > 0 && at + 1 < len;
				bool clean = strchr("\n\r=_ ", *c) != NULL && !words &&
					(*c != '=' || at == 0 || at + 1 == len);
				if (ms_transfer_base64_is_clean(data, len, 0) != clean)
					g_error("%02x at %zu of %zu", (guint)(guint8)*c, at, len);
			}
			data[at] = 'A';
		}
	}
}

static void test_behind(void)
{
	static const struct {
		const char *text;
		bool clean;
	} rows[] = {
		{"AAAA\r\nAAA=\r\n", true},
		{"AAAA\r\nAA==\r\n\r\n \r\n", true},
		{"\r\n\r\nAAAA\r\nAAAA\r\n", true},
		{"AAAA\nAAAA\n\n", true},
		{"AAA=\r\nK-20931-44\r\n", false},
		{"AAA=\r\n\r\nK2093144AAAAAAAAAAAA\r\n", false},
		{"AAAAAAAAAAAAAAAA\r\n\r\nK2093144\r\n", false},
		{"AAAA\n\nK2093144", false},
		{"A=A", false},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		g_assert_cmpint(ms_transfer_base64_is_clean((const guint8 *)rows[i].text,
					strlen(rows[i].text), 0), ==, rows[i].clean);
}

static void test_escapes(void)
{
	static const struct {
		const char *text, *hex, *percent;
	} rows[] = {
		{"4b44", "KD", "4b44"},
		{"4B4", "K", "4B4"},
		{"", "", ""},
		{"7", "", "7"},
		{"a%2Fb%", NULL, "a/b%"},
		{"%4", NULL, "%4"},
		{"%zz%41", NULL, "%zzA"},
		{"%%41", NULL, "%A"},
		{"%2541", NULL, "%41"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		gsize len = strlen(rows[i].text);
		char *text = exact_copy(rows[i].text, len);
		g_autoptr(GByteArray) hex = rows[i].hex != NULL ? ms_transfer_hex(text, len) : NULL;
		g_autoptr(GByteArray) percent = ms_transfer_percent(text, len);
		g_test_message("%s", rows[i].text);
		if (hex != NULL)
			g_assert_cmpmem(hex->data, hex->len, rows[i].hex, strlen(rows[i].hex));
		g_assert_cmpmem(percent->data, percent->len, rows[i].percent,
			strlen(rows[i].percent));
		free(text);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/transfer/base64", test_base64);
	g_test_add_func("/transfer/base64-lines", test_base64_lines);
	g_test_add_func("/transfer/base64-short", test_base64_short);
	g_test_add_func("/transfer/clean", test_clean);
	g_test_add_func("/transfer/behind", test_behind);
	g_test_add_func("/transfer/escapes", test_escapes);
	return g_test_run();
}
