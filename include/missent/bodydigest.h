/*
 * bodydigest.h - is this still the message that was judged?
 *
 * WHAT    An unkeyed BLAKE2b-128 of a message's body, the same whether it is taken at the
 *         milter, from a queue file or from the spool: CR and LF do not count.
 * OWNS    MsBodyDigest is plain memory; nothing to free.
 * ERRORS  None.
 * THREADS One digest, one thread.
 * LIMITS  None.
 * NOT     No secret: it tells two messages apart, it does not hide what is in them.  Headers
 *         are left out, since MTAs fold, add and reorder them.  Needs no GLib, because the
 *         set-user-ID helper uses it.
 *
 * Source: RFC 7693 (BLAKE2b), libsodium crypto_generichash.
 */
#ifndef MISSENT_BODYDIGEST_H
#define MISSENT_BODYDIGEST_H

#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>

#define MS_BODY_DIGEST 33 /* 32 hexadecimal digits and a NUL */

typedef struct {
	crypto_generichash_state state;
	bool in_body;   /* of ms_body_digest_message(): the header is over */
	bool line_end;  /* ... what came last ended a line */
} MsBodyDigest;

void ms_body_digest_init(MsBodyDigest *digest);
/* Bytes of the body. */
void ms_body_digest_add(MsBodyDigest *digest, const void *data, size_t len);
/* Bytes of a whole message, header and all, lines ended by LF or CRLF. */
void ms_body_digest_message(MsBodyDigest *digest, const void *data, size_t len);
void ms_body_digest_end(MsBodyDigest *digest, char out[MS_BODY_DIGEST]);

#endif
