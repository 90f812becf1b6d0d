/*
 * A text comes in; out goes where the next byte of a kind stands.  Any thread.
 *
 * Each search is told twice: for sixteen bytes at once, and for a single one, which is for the end
 * of a text, and for all of it where there is no SSE2.
 */
#include "config.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "missent/scan.h"

/* ---- one byte ------------------------------------------------------------------------- */

/* Is it meant?  `of`: what is looked for, where that is not known before. */
typedef bool One(const char *p, const char *of);

static bool is_pair(const char *p, const char *of)
{
	return p[0] == of[0] && p[1] == of[1];
}

static bool is_figure(const char *p, const char *of)
{
	(void)of;
	return *p < 0 || g_ascii_isdigit(*p);
}

static bool is_blank(const char *p, const char *of)
{
	(void)of;
	return ms_is_blank(*p);
}

static bool is_cell_end(const char *p, const char *of)
{
	(void)of;
	return memchr("\t\n\r|", *p, 5) != NULL;
}

static bool is_encoded(const char *p, const char *of)
{
	(void)of;
	return *p < 0 || memchr("&<=[\\]^_", *p, 8) != NULL;
}

static bool is_not_ascii(const char *p, const char *of)
{
	(void)of;
	return *p <= 0;
}

static bool is_control(const char *p, const char *of)
{
	(void)of;
	return (*p >= 0 && *p < ' ' && !(*p >= '\t' && *p <= '\r')) || *p == 0x7f;
}

/* ---- sixteen -------------------------------------------------------------------------- */

#ifdef __SSE2__
#define STEP 16

/* Of the bytes from `p` on: those that are meant have their highest bit. */
typedef __m128i Many(const char *p, const char *of);

static inline __m128i load(const char *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline __m128i is(__m128i bytes, char c)
{
	return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c));
}

static inline __m128i either(__m128i a, __m128i b)
{
	return _mm_or_si128(a, b);
}

/* From `first` to `last`. */
static inline __m128i in_range(__m128i bytes, char first, char last)
{
	__m128i from = _mm_sub_epi8(bytes, _mm_set1_epi8(first));
	return _mm_cmpeq_epi8(_mm_min_epu8(from, _mm_set1_epi8((char)(last - first))), from);
}

static inline __m128i pairs(const char *p, const char *of)
{
	return _mm_and_si128(is(load(p), of[0]), is(load(p + 1), of[1]));
}

static inline __m128i figures(const char *p, const char *of)
{
	(void)of;
	return either(load(p), in_range(load(p), '0', '9'));
}

static inline __m128i blanks(const char *p, const char *of)
{
	(void)of;
	return either(is(load(p), ' '), in_range(load(p), '\t', '\r'));
}

static inline __m128i cell_ends(const char *p, const char *of)
{
	(void)of;
	__m128i lines = either(in_range(load(p), '\t', '\n'), is(load(p), '\r'));
	return either(lines, either(is(load(p), '|'), is(load(p), '\0')));
}

static inline __m128i encodeds(const char *p, const char *of)
{
	(void)of;
	__m128i escapes = either(in_range(load(p), '[', '_'), is(load(p), '='));
	return either(either(load(p), escapes), either(is(load(p), '&'), is(load(p), '<')));
}

static inline __m128i not_asciis(const char *p, const char *of)
{
	(void)of;
	return either(load(p), is(load(p), '\0'));
}

static inline __m128i controls(const char *p, const char *of)
{
	(void)of;
	__m128i blank = in_range(load(p), '\t', '\r');
	return either(is(load(p), 0x7f), _mm_andnot_si128(blank, in_range(load(p), '\0', '\x1f')));
}

static inline guint mask_of(__m128i bytes)
{
	return (guint)_mm_movemask_epi8(bytes);
}
#endif

/* ---- searches ------------------------------------------------------------------------- */

#ifdef STEP
#define LOOK(many, one, of, width) look(text, len, at, many, one, of, width)
#else
#define LOOK(many, one, of, width) look(text, len, at, one, of, width)
#endif

/* The first place from `at` on; `len`: there is none.  `width`: how many bytes are looked at for
 * each.  Where it is called the functions are known, so that nothing is left of calls. */
static inline __attribute__((always_inline)) gsize look(const char *text, gsize len, gsize at,
#ifdef STEP
	Many *many,
#endif
	One *one, const char *of, gsize width)
{
	gsize end = len >= width ? len - width + 1 : 0;
#ifdef STEP
	for (; at + 2 * STEP <= end; at += 2 * STEP) {
		__m128i here = many(text + at, of), next = many(text + at + STEP, of);
		if (mask_of(either(here, next)) != 0)
			return at + (gsize)__builtin_ctz(mask_of(here) | mask_of(next) << STEP);
	}
	if (at + STEP <= end) {
		guint mask = mask_of(many(text + at, of));
		if (mask != 0)
			return at + (gsize)__builtin_ctz(mask);
		at += STEP;
	}
#endif
	while (at < end && !one(text + at, of))
		at++;
	return at < end ? at : len;
}

gsize ms_scan_pair(const char *text, gsize len, gsize at, const char pair[2])
{
	/* Many a text has not even the first. */
	const char *first = at < len ? memchr(text + at, pair[0], len - at) : NULL;
	if (first == NULL)
		return len;
	at = (gsize)(first - text);
	return LOOK(pairs, is_pair, pair, 2);
}

gsize ms_scan_figure(const char *text, gsize len, gsize at)
{
	return LOOK(figures, is_figure, NULL, 1);
}

gsize ms_scan_blank(const char *text, gsize len, gsize at)
{
	return LOOK(blanks, is_blank, NULL, 1);
}

gsize ms_scan_cell(const char *text, gsize len, gsize at)
{
	return LOOK(cell_ends, is_cell_end, NULL, 1);
}

gsize ms_scan_encoded(const char *text, gsize len, gsize at)
{
	return LOOK(encodeds, is_encoded, NULL, 1);
}

gsize ms_scan_ascii(const char *text, gsize len)
{
	gsize at = 0;
	return LOOK(not_asciis, is_not_ascii, NULL, 1);
}

bool ms_scan_controls(const char *text, gsize len)
{
	gsize at = 0;
	return LOOK(controls, is_control, NULL, 1) < len;
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
