/*
 * transfer.h - content transfer encodings, undone as tolerantly as mail clients do.
 *
 * WHAT    base64, quoted-printable and uuencode to bytes.
 * OWNS    The arrays returned are the caller's.
 * ERRORS  None: what is not of the encoding is skipped.
 * THREADS Pure functions.
 * LIMITS  Output is never longer than input.
 * NOT     GMime's decoders are not used: base64's stops at the first padding and loses what
 *         follows, which clients show.
 *
 * Source: RFC 2045 6.7, 6.8; POSIX uuencode.
 */
#ifndef MISSENT_TRANSFER_H
#define MISSENT_TRANSFER_H

#include <glib.h>

GByteArray *ms_transfer_base64(const guint8 *data, gsize len);
GByteArray *ms_transfer_quoted_printable(const guint8 *data, gsize len);
/* `data` begins after the "begin" line. */
GByteArray *ms_transfer_uudecode(const guint8 *data, gsize len);

#endif
