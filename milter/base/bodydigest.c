/*
 * The bytes of a mail come in, in any pieces; out goes a digest of what is behind its header, the same
 * before and after an MTA has changed the header.  Any thread; state is the caller's.
 */
#include "config.h"

#include "missent/bodydigest.h"

#define BYTES 16

void ms_body_digest_init(MsBodyDigest *digest)
{
	if (sodium_init() >= 0)
		crypto_generichash_init(&digest->state, NULL, 0, BYTES);
	digest->in_body = false;
	digest->line_end = true;
}

void ms_body_digest_add(MsBodyDigest *digest, const void *data, size_t len)
{
	const unsigned char *p = data, *end = p + len;
	while (p < end) {
		const unsigned char *stop = p;
		while (stop < end && *stop != '\r' && *stop != '\n')
			stop++;
		if (stop > p)
			crypto_generichash_update(&digest->state, p, (size_t)(stop - p));
		p = stop + (stop < end);
	}
}

/* The header ends at the first line with nothing in it. */
void ms_body_digest_message(MsBodyDigest *digest, const void *data, size_t len)
{
	const unsigned char *p = data;
	for (; len > 0 && !digest->in_body; p++, len--) {
		if (*p == '\n') {
			digest->in_body = digest->line_end;
			digest->line_end = true;
		} else if (*p != '\r') {
			digest->line_end = false;
		}
	}
	ms_body_digest_add(digest, p, len);
}

void ms_body_digest_end(MsBodyDigest *digest, char out[MS_BODY_DIGEST])
{
	unsigned char sum[BYTES];
	crypto_generichash_final(&digest->state, sum, sizeof sum);
	sodium_bin2hex(out, MS_BODY_DIGEST, sum, sizeof sum);
}
