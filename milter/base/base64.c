/*
 * Base64 32 characters at a time: what a picture or a document is in a mail.  In come encoded
 * bytes, out go decoded ones, and where the digits end; where the processor cannot do it nothing is
 * done, and transfer.c takes all.  No state; any thread.
 *
 * Source: Mula, Lemire, "Faster Base64 Encoding and Decoding using AVX2 Instructions" (2018).
 */
#include "config.h"

#include <stdbool.h>

#include "base64.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define WIDE 32
/* Of so many characters what is decoded has room for a whole register. */
#define WIDE_LEFT 44

/* What a character may be by its upper half, and by its lower half: no bit in common, a digit. */
#define UPPER                                                                                     \
	0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, \
		0x10
#define LOWER                                                                                     \
	0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, \
		0x1a
/* From a character to its value, by its upper half; '/' has the place before. */
#define SHIFT 0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0
/* Three bytes of each four, in their order. */
#define PACK 2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1

/* One bit a character: it is a digit. */
__attribute__((target("avx2"))) static inline guint32 digits_of(__m256i text)
{
	const __m256i half = _mm256_set1_epi8(0x2f);
	__m256i upper = _mm256_shuffle_epi8(
		_mm256_setr_epi8(UPPER, UPPER), _mm256_and_si256(_mm256_srli_epi32(text, 4), half));
	__m256i lower = _mm256_shuffle_epi8(
		_mm256_setr_epi8(LOWER, LOWER), _mm256_and_si256(text, half));
	__m256i fine = _mm256_cmpeq_epi8(_mm256_and_si256(upper, lower), _mm256_setzero_si256());
	return (guint32)_mm256_movemask_epi8(fine);
}

__attribute__((target("avx2"))) static inline __m256i decode(__m256i text)
{
	const __m256i half = _mm256_set1_epi8(0x2f);
	__m256i upper = _mm256_and_si256(_mm256_srli_epi32(text, 4), half);
	__m256i slash = _mm256_cmpeq_epi8(text, half);
	__m256i values = _mm256_add_epi8(text,
		_mm256_shuffle_epi8(_mm256_setr_epi8(SHIFT, SHIFT), _mm256_add_epi8(slash, upper)));
	__m256i pairs = _mm256_maddubs_epi16(values, _mm256_set1_epi32(0x01400140));
	__m256i groups = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000));
	return _mm256_permutevar8x32_epi32(
		_mm256_shuffle_epi8(groups, _mm256_setr_epi8(PACK, PACK)),
		_mm256_setr_epi32(0, 1, 2, 4, 5, 6, -1, -1));
}

__attribute__((target("avx2"))) static inline __m256i load(const guint8 *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

/* Behind the line that ends here, if one does, and if the next begins at once. */
static const guint8 *next_line(const guint8 *p)
{
	const guint8 *next = p + (*p == '\r');
	return *next == '\n' && (g_ascii_isalnum((char)next[1]) || next[1] == '+' || next[1] == '/')
		? next + 1
		: p;
}

/* A line as long as the one before: its end goes into a register that lies over the one before it,
 * so that none of these steps waits for another.  False: not all are digits. */
__attribute__((target("avx2"))) static inline bool take_line(
	const guint8 *p, gsize line, guint8 *to)
{
	__m256i first = load(p), second = load(p + WIDE), last = load(p + line - WIDE);
	guint32 digits = digits_of(first) & digits_of(second) & digits_of(last);
	_mm256_storeu_si256((__m256i *)(void *)to, decode(first));
	_mm256_storeu_si256((__m256i *)(void *)(to + WIDE / 4 * 3), decode(second));
	_mm256_storeu_si256((__m256i *)(void *)(to + (line - WIDE) / 4 * 3), decode(last));
	return digits == G_MAXUINT32;
}

/* Lines of that length, one after the other; where they end, or where one is not like that. */
__attribute__((target("avx2"))) static inline const guint8 *take_lines(
	const guint8 *p, const guint8 *end, gsize line, guint8 **out)
{
	while (line > WIDE * 2 && line <= WIDE * 3 && end - p >= WIDE * 4 &&
		take_line(p, line, *out)) {
		const guint8 *next = next_line(p + line);
		if (next == p + line)
			break;
		*out += line / 4 * 3;
		p = next;
	}
	return p;
}

/* A line is some full registers and a part of one; that all is well is guessed, not waited for. */
__attribute__((target("avx2"))) static const guint8 *wide_groups(
	const guint8 *p, const guint8 *end, guint8 **out)
{
	guint8 *to = *out;
	const guint8 *begin = p; /* of a line */
	while (end - p >= WIDE_LEFT) {
		__m256i text = load(p);
		guint32 digits = digits_of(text);
		_mm256_storeu_si256((__m256i *)(void *)to, decode(text));
		if (digits == G_MAXUINT32) {
			to += WIDE / 4 * 3;
			p += WIDE;
			continue;
		}
		guint n = (guint)__builtin_ctz(~digits) & ~3u;
		to += n / 4 * 3;
		p += n;
		const guint8 *next = next_line(p);
		if (next == p)
			break;
		begin = p = take_lines(next, end, (gsize)(p - begin), &to);
	}
	*out = to;
	return p;
}

const guint8 *base64_groups(const guint8 *p, const guint8 *end, guint8 **out)
{
	return __builtin_cpu_supports("avx2") ? wide_groups(p, end, out) : p;
}

#else

const guint8 *base64_groups(const guint8 *p, const guint8 *end, guint8 **out)
{
	(void)end;
	(void)out;
	return p;
}

#endif
