/*
 * Bytes come in; a signature, a hash, or whether one is right goes out.  The state of SHA-256 is
 * kept by each thread: to look the algorithm up takes longer than to hash a line.
 */
#include "config.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>

#include "missent/sign.h"

static pthread_key_t state_key;
static pthread_once_t state_once = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;

static void free_state(void *state)
{
	EVP_MD_CTX_free(state);
}

static void make_key(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	g_assert(sha256 != NULL);
	pthread_key_create(&state_key, free_state);
}

static EVP_MD_CTX *state(void)
{
	pthread_once(&state_once, make_key);
	EVP_MD_CTX *mine = pthread_getspecific(state_key);
	if (mine == NULL) {
		mine = EVP_MD_CTX_new();
		g_assert(mine != NULL);
		pthread_setspecific(state_key, mine);
	}
	return mine;
}

void ms_sha256_of(const void *data, gsize len, guint8 out[MS_SHA256_BYTES])
{
	EVP_MD_CTX *s = state();
	int fine = EVP_DigestInit_ex2(s, sha256, NULL) && EVP_DigestUpdate(s, data, len) &&
		EVP_DigestFinal_ex(s, out, NULL);
	g_assert(fine);
}

void ms_sha256(guint8 prefix, const void *one, gsize one_len, const void *two, gsize two_len,
	guint8 out[MS_SHA256_BYTES])
{
	EVP_MD_CTX *s = state();
	int fine = EVP_DigestInit_ex2(s, sha256, NULL) && EVP_DigestUpdate(s, &prefix, 1) &&
		EVP_DigestUpdate(s, one, one_len) && EVP_DigestUpdate(s, two, two_len) &&
		EVP_DigestFinal_ex(s, out, NULL);
	g_assert(fine);
}

void ms_sign_keypair(const guint8 seed[MS_SIGN_SEED], guint8 public[MS_SIGN_PUBLIC],
	guint8 secret[MS_SIGN_SECRET])
{
	G_STATIC_ASSERT(MS_SIGN_SEED == crypto_sign_SEEDBYTES &&
		MS_SIGN_SECRET == crypto_sign_SECRETKEYBYTES);
	G_STATIC_ASSERT(
		MS_SIGN_PUBLIC == crypto_sign_PUBLICKEYBYTES && MS_SIGN_BYTES == crypto_sign_BYTES);
	crypto_sign_seed_keypair(public, secret, seed);
}

void ms_sign(
	const guint8 secret[MS_SIGN_SECRET], const void *data, gsize len, guint8 out[MS_SIGN_BYTES])
{
	crypto_sign_detached(out, NULL, data, len, secret);
}

bool ms_sign_check(const guint8 public[MS_SIGN_PUBLIC], const void *data, gsize len,
	const guint8 signature[MS_SIGN_BYTES])
{
	return crypto_sign_verify_detached(signature, data, len, public) == 0;
}

gssize ms_sign_unbase64(const char *text, gsize len, guint8 *out, gsize room)
{
	size_t got = 0;
	const char *end = NULL;
	if (sodium_base642bin(
		    out, room, text, len, NULL, &got, &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
		end != text + len)
		return -1;
	return (gssize)got;
}
