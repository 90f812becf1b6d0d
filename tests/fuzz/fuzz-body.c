/*
 * Bytes come in as a message: its body's digest is the same whole, in pieces, and with other
 * line ends.
 */
#include "config.h"

#include "missent/bodydigest.h"

#include "../test.h"
#include "fuzz.h"

/* The digest of a message is the same whole, in pieces, and with other line ends. */
static void digest(const uint8_t *data, size_t len, size_t piece, char out[MS_BODY_DIGEST])
{
	MsBodyDigest d;
	ms_body_digest_init(&d);
	for (size_t at = 0; at < len; at += piece)
		ms_body_digest_message(&d, data + at, MIN(piece, len - at));
	ms_body_digest_end(&d, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char whole[MS_BODY_DIGEST], pieces[MS_BODY_DIGEST], unix_ends[MS_BODY_DIGEST];
	g_autofree uint8_t *copy = (uint8_t *)exact_copy(data, len);
	digest(copy, len, len + 1, whole);
	digest(copy, len, 3, pieces);
	g_assert_cmpstr(whole, ==, pieces);
	size_t n = 0;
	for (size_t i = 0; i < len; i++)
		if (data[i] != '\r')
			copy[n++] = data[i];
	digest(copy, n, n + 1, unix_ends);
	g_assert_cmpstr(whole, ==, unix_ends);
	return 0;
}
