/*
 * A text comes in; out goes where the next byte of a kind stands.  Any thread.
 *
 * Each search is told once, for sixteen bytes, as a mask of those that are meant, and once for a
 * single byte: what is left at the end, and all where there is no SSE2.
 */
#include "config.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "missent/scan.h"

#ifdef __SSE2__
#define STEP 16

static inline __m128i load(const char *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline __m128i all(char c)
{
	return _mm_set1_epi8(c);
}

/* Bytes of `low` to `low` + `more`, as 0xff. */
static inline __m128i in_range(__m128i bytes, char low, char more)
{
	__m128i from = _mm_sub_epi8(bytes, all(low));
	return _mm_cmpeq_epi8(_mm_min_epu8(from, all(more)), from);
}

static inline guint mask_of(__m128i bytes)
{
	return (guint)_mm_movemask_epi8(bytes);
}
#endif

gsize ms_scan_pair(const char *text, gsize len, gsize at, const char pair[2])
{
#ifdef STEP
	for (; at + STEP < len; at += STEP) {
		guint mask = mask_of(_mm_and_si128(_mm_cmpeq_epi8(load(text + at), all(pair[0])),
			_mm_cmpeq_epi8(load(text + at + 1), all(pair[1]))));
		if (mask != 0)
			return at + (gsize)__builtin_ctz(mask);
	}
#endif
	for (; at + 1 < len; at++)
		if (text[at] == pair[0] && text[at + 1] == pair[1])
			return at;
	return len;
}

gsize ms_scan_figure(const char *text, gsize len, gsize at)
{
#ifdef STEP
	for (; at + STEP <= len; at += STEP) {
		__m128i bytes = load(text + at);
		guint mask = mask_of(_mm_or_si128(bytes, in_range(bytes, '0', 9)));
		if (mask != 0)
			return at + (gsize)__builtin_ctz(mask);
	}
#endif
	while (at < len && text[at] >= 0 && !g_ascii_isdigit(text[at]))
		at++;
	return MIN(at, len);
}

gsize ms_scan_blank(const char *text, gsize len, gsize at)
{
#ifdef STEP
	for (; at + STEP <= len; at += STEP) {
		__m128i bytes = load(text + at);
		guint mask = mask_of(_mm_or_si128(
			_mm_cmpeq_epi8(bytes, all(' ')), in_range(bytes, '\t', '\r' - '\t')));
		if (mask != 0)
			return at + (gsize)__builtin_ctz(mask);
	}
#endif
	while (at < len && !ms_is_blank(text[at]))
		at++;
	return MIN(at, len);
}

gsize ms_scan_ascii(const char *text, gsize len)
{
	gsize n = 0;
#ifdef STEP
	for (; n + STEP <= len; n += STEP) {
		__m128i bytes = load(text + n);
		guint mask = mask_of(_mm_or_si128(bytes, _mm_cmpeq_epi8(bytes, all('\0'))));
		if (mask != 0)
			return n + (gsize)__builtin_ctz(mask);
	}
#endif
	while (n < len && text[n] > 0)
		n++;
	return n;
}

static bool is_control(char c)
{
	return (c >= 0 && c < ' ' && !(c >= '\t' && c <= '\r')) || c == 0x7f;
}

bool ms_scan_controls(const char *text, gsize len)
{
	gsize n = 0;
#ifdef STEP
	for (; n + STEP <= len; n += STEP) {
		__m128i bytes = load(text + n);
		__m128i low = _mm_andnot_si128(
			in_range(bytes, '\t', '\r' - '\t'), in_range(bytes, '\0', ' ' - 1));
		if (mask_of(_mm_or_si128(low, _mm_cmpeq_epi8(bytes, all(0x7f)))) != 0)
			return true;
	}
#endif
	while (n < len && !is_control(text[n]))
		n++;
	return n < len;
}

bool ms_scan_utf8(const char *text, gsize len)
{
	for (gsize i = 0;; i += (gsize)g_utf8_skip[(guchar)text[i]]) {
		i += ms_scan_ascii(text + i, len - i);
		if (i == len)
			return true;
		gunichar c = g_utf8_get_char_validated(text + i, (gssize)(len - i));
		if (c == 0 || c == (gunichar)-1 || c == (gunichar)-2)
			return false;
	}
}
