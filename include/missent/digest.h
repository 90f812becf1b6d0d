/*
 * digest.h - the site key, and what is written in place of customers' data.
 *
 * WHAT    Keys of their own for each use, made of the site key; keyed digests of values, and
 *         sealed account names that only a holder of the key can open.  A stolen dump of the directory tells nothing.
 * OWNS    MsKey, freed (and wiped) by ms_key_free(); strings are the caller's.
 * ERRORS  A key file that is missing, short or readable by others is MS_ERROR_CONFIG.
 * THREADS Read-only after load.
 * LIMITS  Key file: 64 hexadecimal digits (32 bytes).
 * NOT     Equal values have equal digests: who holds the key can test guesses.
 *
 * Source: BLAKE2b, RFC 7693; libsodium crypto_generichash.  The seal is a synthetic-IV
 * construction (as RFC 5297): iv = BLAKE2b-128(k1, name), text = name XOR XChaCha20(k2, iv).
 * Sealed are account names and the marks of a filter.  missent-directory(7) writes it out for
 * other programs.
 */
#ifndef MISSENT_DIGEST_H
#define MISSENT_DIGEST_H

#include <glib.h>
#include <stdbool.h>

typedef struct MsKey MsKey;

MsKey *ms_key_load(const char *path, GError **error);
/* Writes a fresh key, mode 0400, refusing to replace a file. */
bool ms_key_create(const char *path, GError **error);
void ms_key_free(MsKey *key);
char *ms_key_seal(const MsKey *key, const void *data, gsize len);
/* NULL when `sealed` was not made with this key.  A NUL follows the `*len_out` bytes. */
guint8 *ms_key_open(const MsKey *key, const char *sealed, gsize *len_out);
/* The key of marks (filter.h). */
void ms_key_filter(const MsKey *key, guint8 out[16]);
#define MS_DIGEST_BYTES 32
/* A key of its own for each purpose, of which none tells another; of NULL, where values are in the
 * open, one that anybody may make. */
void ms_key_subkey(const MsKey *key, const char *purpose, guint8 out[MS_DIGEST_BYTES]);
/* 32 random bytes. */
void ms_digest_random(guint8 key[MS_DIGEST_BYTES]);
/* In hexadecimal; the caller's. */
char *ms_hex(const guint8 *bytes, gsize n);
/* Takes the 2 * `n` hexadecimal digits that are all of `text` (NULL: none). */
bool ms_unhex(const char *text, guint8 *out, gsize n);
/* A random name: `bytes` (at most MS_DIGEST_BYTES) in hexadecimal.  The caller's. */
char *ms_digest_random_name(gsize bytes);
/* Keyed BLAKE2b of several pieces; their lengths count, so that pieces cannot shift. */
typedef struct {
	const void *data;
	gsize len;
} MsPiece;
void ms_digest_pieces(const guint8 key[MS_DIGEST_BYTES], const MsPiece *pieces, guint n,
	guint8 out[MS_DIGEST_BYTES]);
/* Keyed BLAKE2b of pieces, one after the other, as any implementation makes it. */
void ms_digest_plain(const guint8 key[MS_DIGEST_BYTES], const MsPiece *pieces, guint n, guint8 *out,
	gsize out_len);
/* The keys of a mapping's parts: of its entries, of nonces and seals, of boxes. */
typedef struct {
	guint8 entry[MS_DIGEST_BYTES], nonce[MS_DIGEST_BYTES], box[MS_DIGEST_BYTES];
} MsMappingKeys;
void ms_key_mapping(const MsKey *key, MsMappingKeys *out);
/* XChaCha20-Poly1305 (IETF).  A box has MS_BOX_MORE bytes more than its text. */
#define MS_BOX_NONCE 24
#define MS_BOX_MORE 16
void ms_box_close(const guint8 key[MS_DIGEST_BYTES], const guint8 nonce[MS_BOX_NONCE],
	const MsPiece *with, const void *text, gsize len, guint8 *box_out);
bool ms_box_open(const guint8 key[MS_DIGEST_BYTES], const guint8 nonce[MS_BOX_NONCE],
	const MsPiece *with, const guint8 *box, gsize len, guint8 *text_out);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsKey, ms_key_free)

#endif
