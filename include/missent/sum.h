/*
 * sum.h - a running digest without a key: are two texts the same?
 *
 * WHAT    Bytes in any pieces; at any time the digest of those so far.
 * OWNS    MsSum, freed by ms_sum_free().
 * ERRORS  None.
 * THREADS One at a time for each MsSum; the first of a process before it is confined.
 * NOT     Whoever may test guesses must not get one of few possible texts (digest.h has keys).
 *
 * Source: RFC 7693 (BLAKE2b), libsodium crypto_generichash: a tenth of what SHA-256 costs in GLib.
 */
#ifndef MISSENT_SUM_H
#define MISSENT_SUM_H

#include <glib.h>

#define MS_SUM_BYTES 16

typedef struct MsSum MsSum;

MsSum *ms_sum_new(void);
void ms_sum_free(MsSum *sum);
void ms_sum_add(MsSum *sum, const void *data, gsize len);
/* Of all that was added; more may be added afterwards. */
void ms_sum_get(const MsSum *sum, guint8 digest[MS_SUM_BYTES]);

#endif
