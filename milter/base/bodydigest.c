/*
 * The bytes of a mail come in, in any pieces; out goes a digest of what is behind its header, the
 * same before and after an MTA has changed the header.  Any thread; state is the caller's.
 */
#include "config.h"

#include <string.h>

#include "missent/bodydigest.h"

#define BYTES 16

void ms_body_digest_init(MsBodyDigest *digest)
{
	if (sodium_init() >= 0)
		crypto_generichash_init(&digest->state, NULL, 0, BYTES);
	digest->in_body = false;
	digest->line_end = true;
}

/* Lines are short: many of them go into one step of the digest. */
typedef struct {
	MsBodyDigest *digest;
	size_t len;
	unsigned char data[4096];
} Lines;

static void flush(Lines *lines)
{
	if (lines->len > 0)
		crypto_generichash_update(&lines->digest->state, lines->data, lines->len);
	lines->len = 0;
}

static void put(Lines *lines, const unsigned char *data, size_t len)
{
	if (len > sizeof lines->data - lines->len)
		flush(lines);
	if (len > sizeof lines->data) {
		crypto_generichash_update(&lines->digest->state, data, len);
		return;
	}
	memcpy(lines->data + lines->len, data, len);
	lines->len += len;
}

void ms_body_digest_add(MsBodyDigest *digest, const void *data, size_t len)
{
	Lines lines;
	lines.digest = digest;
	lines.len = 0;
	for (const unsigned char *p = data, *end = p + len; p < end;) {
		const unsigned char *feed = memchr(p, '\n', (size_t)(end - p));
		const unsigned char *stop = feed != NULL ? feed : end;
		while (p < stop) {
			const unsigned char *back = memchr(p, '\r', (size_t)(stop - p));
			const unsigned char *until = back != NULL ? back : stop;
			put(&lines, p, (size_t)(until - p));
			p = until + (back != NULL);
		}
		p = stop + (feed != NULL);
	}
	flush(&lines);
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
