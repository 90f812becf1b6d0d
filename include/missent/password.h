/*
 * password.h - passwords of people.
 *
 * WHAT    Argon2id hashes to keep, and to compare with.
 * OWNS    The hash is the caller's.
 * ERRORS  NULL when there is no memory for hashing.
 * THREADS Safe; each call takes 64 MiB for a tenth of a second.
 * LIMITS  Passwords of MS_PASSWORD_MIN to 1024 bytes; ms_password_why() says what is wrong.
 * NOT     No list of bad passwords, no rules but length.
 *
 * Source: RFC 9106 through libsodium crypto_pwhash (interactive limits).
 */
#ifndef MISSENT_PASSWORD_H
#define MISSENT_PASSWORD_H

#include <stdbool.h>

#define MS_PASSWORD_MIN 10

/* NULL: it will do. */
const char *ms_password_why(const char *password);
char *ms_password_hash(const char *password);
/* With hash NULL it is false, and takes as long. */
bool ms_password_matches(const char *hash, const char *password);

#endif
