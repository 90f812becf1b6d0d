/*
 * digest.h - the site key, and what is written in place of customers' data.
 *
 * WHAT    Keyed BLAKE2b-128 digests of values, and sealed account names that only a holder
 *         of the key can open.  A stolen dump of the directory tells nothing.
 * OWNS    MsKey, freed (and wiped) by ms_key_free(); strings are the caller's.
 * ERRORS  A key file that is missing, short or readable by others is MS_ERROR_CONFIG.
 * THREADS Read-only after load.
 * LIMITS  Key file: 64 hexadecimal digits (32 bytes).
 * NOT     Equal values have equal digests: who holds the key can test guesses.
 *
 * Source: BLAKE2b, RFC 7693; libsodium crypto_generichash.  The seal is a synthetic-IV
 * construction (as RFC 5297): iv = BLAKE2b-128(k1, name), text = name XOR XChaCha20(k2, iv).  Sealed
 * are account names and the marks of a filter.
 * missent-directory(7) writes it out for other programs.
 */
#ifndef MISSENT_DIGEST_H
#define MISSENT_DIGEST_H

#include <glib.h>
#include <stdbool.h>

typedef struct MsKey MsKey;

MsKey *ms_key_load(const char *path, GError **error);
/* Writes a fresh key, mode 0640, refusing to replace a file. */
bool ms_key_create(const char *path, GError **error);
void ms_key_free(MsKey *key);
/* 32 hexadecimal digits for `domain` NUL `value`. */
char *ms_key_digest(const MsKey *key, const char *domain, const char *value);
char *ms_key_seal(const MsKey *key, const void *data, gsize len);
/* NULL when `sealed` was not made with this key.  A NUL follows the `*len_out` bytes. */
guint8 *ms_key_open(const MsKey *key, const char *sealed, gsize *len_out);
/* The key of marks (filter.h). */
void ms_key_filter(const MsKey *key, guint8 out[16]);
#define MS_DIGEST_BYTES 32
/* 32 random bytes. */
void ms_digest_random(guint8 key[MS_DIGEST_BYTES]);
/* A random name: `bytes` (at most MS_DIGEST_BYTES) in hexadecimal.  The caller's. */
char *ms_digest_random_name(gsize bytes);
/* Keyed BLAKE2b of several pieces; their lengths count, so that pieces cannot shift. */
typedef struct {
	const void *data;
	gsize len;
} MsPiece;
void ms_digest_pieces(const guint8 key[MS_DIGEST_BYTES], const MsPiece *pieces, guint n,
	guint8 out[MS_DIGEST_BYTES]);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsKey, ms_key_free)

#endif
