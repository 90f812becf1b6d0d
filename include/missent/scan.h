/*
 * scan.h - the next byte of a kind in a text, many bytes at once; the next line of one.
 *
 * WHAT    What each pass over a text looks for first: a pair of bytes, a digit, a control
 *         character, a byte outside ASCII.  Where the processor has SSE2 sixteen bytes are looked
 *         at together; the portable loop says the same of each.
 * OWNS    Nothing.
 * ERRORS  None; any bytes are accepted.
 * THREADS Pure functions.
 * LIMITS  Linear.  No byte at `len` or behind it is looked at.
 * NOT     glibc's memmem() looks at one byte after another for so short a needle.
 */
#ifndef MISSENT_SCAN_H
#define MISSENT_SCAN_H

#include <glib.h>
#include <stdbool.h>
#include <string.h>

/* Behind the line feed that ends the line at `p`, or `end`. */
static inline const void *ms_line_after(const void *p, const void *end)
{
	const char *nl = memchr(p, '\n', (gsize)((const char *)end - (const char *)p));
	return nl != NULL ? nl + 1 : end;
}
/* Where these two bytes stand one behind the other, from `at` on; `len`: nowhere. */
gsize ms_scan_pair(const char *text, gsize len, gsize at, const char pair[2]);
/* Where the next digit of ASCII is, or byte outside ASCII, from `at` on; or `len`. */
gsize ms_scan_figure(const char *text, gsize len, gsize at);
/* Where the next byte is with which something encoded may begin, a reference ("&#45;"), a tag or an
 * escape: & < = [ \ ] ^ _ or one outside ASCII, from `at` on; or `len`. */
gsize ms_scan_encoded(const char *text, gsize len, gsize at);
/* A blank of ASCII, as PCRE2's \\s has them (g_ascii_isspace() leaves VT out). */
static inline bool ms_is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}
static inline bool ms_has_digit(const char *text, gsize len)
{
	for (gsize i = 0; i < len; i++)
		if (g_ascii_isdigit(text[i]))
			return true;
	return false;
}

/* Nothing but white space of ASCII (without VT), or nothing. */
static inline bool ms_is_all_blank(const char *text, gsize len)
{
	for (gsize i = 0; i < len; i++)
		if (!g_ascii_isspace(text[i]))
			return false;
	return true;
}

/* As g_ascii_tolower(), without a call. */
static inline char ms_small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}
/* Where the next one is, from `at` on; or `len`. */
gsize ms_scan_blank(const char *text, gsize len, gsize at);
/* Where the next byte is that ends a line or a cell (HT, LF, CR, | or NUL), from `at` on; or
 * `len`. */
gsize ms_scan_cell(const char *text, gsize len, gsize at);
typedef gsize (*MsScan)(const char *text, gsize len, gsize at);
/* How many bytes from the beginning are of ASCII and not NUL. */
gsize ms_scan_ascii(const char *text, gsize len);
/* Has it a control character (DEL, too) that is no blank (HT, LF, VT, FF, CR)? */
bool ms_scan_controls(const char *text, gsize len);
/* Is it UTF-8 without a NUL (RFC 3629)?  As g_utf8_validate_len(). */
bool ms_scan_utf8(const char *text, gsize len);

#endif
