/*
 * transfer.h - content transfer encodings, undone as tolerantly as mail clients do.
 *
 * WHAT    base64, quoted-printable, uuencode, xxencode and BinHex to bytes.
 * OWNS    The arrays returned are the caller's.
 * ERRORS  None: what is not of the encoding is skipped.
 * THREADS Pure functions.
 * LIMITS  Output is never longer than input; BinHex's never longer than asked for.
 * NOT     GMime's decoders are not used: base64's stops at the first padding and loses what
 *         follows, which clients show.
 *
 * Source: RFC 2045 6.7, 6.8; POSIX uuencode.
 */
#ifndef MISSENT_TRANSFER_H
#define MISSENT_TRANSFER_H

#include <glib.h>
#include <stdbool.h>

GByteArray *ms_transfer_base64(const guint8 *data, gsize len);
/* Is it a digit of one of its two alphabets (RFC 4648, 4 and 5)?  Padding is none. */
static inline bool ms_transfer_is_base64(char c)
{
	return g_ascii_isalnum(c) || c == '+' || c == '/' || c == '-' || c == '_';
}
/* The same.  `*plain_out`: so many of its first bytes are digits and single line ends between them,
 * at least; who looks at it below need not look at those. */
GByteArray *ms_transfer_base64_long(const guint8 *data, gsize len, gsize *plain_out);
GByteArray *ms_transfer_quoted_printable(const guint8 *data, gsize len);
/* What pairs of hexadecimal digits stand for; one that is left over is dropped. */
GByteArray *ms_transfer_hex(const char *text, gsize len);
/* With its percent escapes (RFC 3986, 2.1) undone; as long as it was if it has none. */
GByteArray *ms_transfer_percent(const char *text, gsize len);
/* `data` begins after the "begin" line. */
GByteArray *ms_transfer_uudecode(const guint8 *data, gsize len);

/* Ways of taking damaged base64 beside the usual one, as a set. */
typedef enum {
	MS_BASE64_PLAIN = 1,  /* '-' and '_' are foreign, not the two digits of RFC 4648, 5 */
	MS_BASE64_RUN_ON = 2, /* '=' is foreign, not the end of a piece */
} MsBase64Way;
GByteArray *ms_transfer_base64_as(const guint8 *data, gsize len, guint how);
/* The ways in which clients may differ on these bytes; 0 where all agree. */
guint ms_transfer_base64_ways(const guint8 *data, gsize len, gsize plain);
/* Nothing in it but base64 and white space, and no letter behind its padding or an empty line. */
bool ms_transfer_base64_is_clean(const guint8 *data, gsize len, gsize plain);

typedef enum { MS_UU, MS_XX } MsUuAlphabet;
/* May this be a line of a file that is encoded so?  Without its line end. */
bool ms_transfer_is_uu_line(const guint8 *line, gsize len, MsUuAlphabet alphabet);
/* Appends the bytes of one line; false at the last one, which has none. */
bool ms_transfer_uu_line(const guint8 *line, gsize len, MsUuAlphabet alphabet, GByteArray *out);
/* BinHex 4.0, from after the first ':' on; its runs are unpacked up to `max` bytes. */
GByteArray *ms_transfer_hqx(const guint8 *data, gsize len, gsize max);

#endif
