/*
 * sign.h - Ed25519 signatures, and SHA-256 at the speed of the machine.
 *
 * WHAT    What a log that proves itself is made of.
 * OWNS    Nothing.
 * ERRORS  None: a signature is right or not.
 * THREADS Safe.
 * LIMITS  None.
 * NOT     Knows no format.
 *
 * Source: RFC 8032 (libsodium), FIPS 180-4 (libcrypto, three times as fast as libsodium's).
 */
#ifndef MISSENT_SIGN_H
#define MISSENT_SIGN_H

#include <glib.h>
#include <stdbool.h>

#define MS_SIGN_SEED 32
#define MS_SIGN_PUBLIC 32
#define MS_SIGN_SECRET 64
#define MS_SIGN_BYTES 64

void ms_sign_keypair(const guint8 seed[MS_SIGN_SEED], guint8 public[MS_SIGN_PUBLIC],
	guint8 secret[MS_SIGN_SECRET]);
void ms_sign(const guint8 secret[MS_SIGN_SECRET], const void *data, gsize len,
	guint8 out[MS_SIGN_BYTES]);
bool ms_sign_check(const guint8 public[MS_SIGN_PUBLIC], const void *data, gsize len,
	const guint8 signature[MS_SIGN_BYTES]);
/* Base 64 (RFC 4648, 4) in the one way to write it; how many bytes of at most `room`, or -1. */
gssize ms_sign_unbase64(const char *text, gsize len, guint8 *out, gsize room);

#define MS_SHA256_BYTES 32
void ms_sha256_of(const void *data, gsize len, guint8 out[MS_SHA256_BYTES]);
/* Of `prefix` and two pieces. */
void ms_sha256(guint8 prefix, const void *one, gsize one_len, const void *two, gsize two_len,
	guint8 out[MS_SHA256_BYTES]);

#endif
