/*
 * Office files that are locked with a password, made as MS-OFFCRYPTO says: for tests of who opens
 * them.  What is random elsewhere is made of counted bytes here.
 */
#ifndef MISSENT_TESTS_LOCKED_H
#define MISSENT_TESTS_LOCKED_H

#include <glib.h>
#include <gsf/gsf-outfile-msole.h>
#include <gsf/gsf-outfile.h>
#include <gsf/gsf-output-memory.h>
#include <openssl/evp.h>
#include <string.h>

typedef struct {
	const char
		*hash; /* NULL: the standard way of 2007, which has SHA1; as the file writes it */
	guint bits, spins;
	const char *password;
} Locking;

static inline gsize locked_hash(
	const char *name, const void *a, gsize n, const void *b, gsize m, guint8 *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	guint len;
	g_assert_cmpint(EVP_DigestInit_ex(ctx, EVP_get_digestbyname(name), NULL), ==, 1);
	g_assert_cmpint(EVP_DigestUpdate(ctx, a, n), ==, 1);
	g_assert_cmpint(EVP_DigestUpdate(ctx, b, m), ==, 1);
	g_assert_cmpint(EVP_DigestFinal_ex(ctx, out, &len), ==, 1);
	EVP_MD_CTX_free(ctx);
	return len;
}

static inline gsize locked_spin(const char *name, const guint8 *salt, gsize salt_len,
	const char *password, guint spins, guint8 *out)
{
	glong words;
	g_autofree gunichar2 *wide = g_utf8_to_utf16(password, -1, NULL, &words, NULL);
	gsize len = locked_hash(name, salt, salt_len, wide, (gsize)words * 2, out);
	for (guint32 i = 0; i < spins; i++)
		locked_hash(name, &i, 4, out, len, out); /* little-endian */
	return len;
}

static inline void locked_encrypt(const char *mode, guint bits, const guint8 *key, const guint8 *iv,
	const guint8 *in, gsize len, guint8 *out)
{
	g_autofree char *name = g_strdup_printf("AES-%u-%s", bits, mode);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int done;
	g_assert_cmpint(EVP_EncryptInit_ex(ctx, EVP_get_cipherbyname(name), NULL, key, iv), ==, 1);
	EVP_CIPHER_CTX_set_padding(ctx, 0);
	g_assert_cmpint(EVP_EncryptUpdate(ctx, out, &done, in, (int)len), ==, 1);
	g_assert_cmpint(done, ==, (int)len);
	EVP_CIPHER_CTX_free(ctx);
}

static inline void locked_fit(guint8 *to, gsize want, const guint8 *from, gsize len)
{
	memset(to, 0x36, want);
	memcpy(to, from, MIN(want, len));
}

/* Zeros behind it, to whole blocks. */
static inline GByteArray *locked_padded(const GByteArray *from)
{
	GByteArray *out = g_byte_array_new();
	g_byte_array_append(out, from->data, from->len);
	while (out->len % 16 != 0)
		g_byte_array_append(out, (const guint8 *)"", 1);
	return out;
}

static inline void locked_bytes(guint8 *out, gsize n, guint8 from)
{
	for (gsize i = 0; i < n; i++)
		out[i] = (guint8)(from + i);
}

/* ---- agile ---- */

static inline char *locked_value(const Locking *l, const guint8 *final, gsize len,
	const char *which, const guint8 *salt, const guint8 *plain, gsize plain_len)
{
	guint8 made[64], key[32], padded[96] = {0}, out[96];
	gsize whole = (plain_len + 15) / 16 * 16;
	locked_hash(l->hash, final, len, which, 8, made);
	locked_fit(key, l->bits / 8, made, len);
	memcpy(padded, plain, plain_len);
	locked_encrypt("CBC", l->bits, key, salt, padded, whole, out);
	return g_base64_encode(out, whole);
}

static inline GByteArray *locked_agile(const Locking *l, const GByteArray *plain, GByteArray *info)
{
	guint8 salt[16], key_salt[16], secret[32], input[16], final[64], value[64], iv[64],
		made[64];
	locked_bytes(salt, 16, 1), locked_bytes(key_salt, 16, 40), locked_bytes(secret, 32, 90),
		locked_bytes(input, 16, 7);
	gsize len = locked_spin(l->hash, key_salt, 16, l->password, l->spins, final);
	locked_hash(l->hash, input, 16, "", 0, value);
	g_autofree char *in64 = locked_value(l, final, len, "\xfe\xa7\xd2\x76\x3b\x4b\x9e\x79",
				key_salt, input, 16),
			*value64 = locked_value(l, final, len, "\xd7\xaa\x0f\x6d\x30\x61\x34\x4e",
				key_salt, value, len),
			*secret64 = locked_value(l, final, len, "\x14\x6e\x0b\xe7\xab\xac\xd0\xd6",
				key_salt, secret, l->bits / 8),
			*salt64 = g_base64_encode(salt, 16), *key64 = g_base64_encode(key_salt, 16);
	g_autofree char *xml = g_strdup_printf(
		"<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\r\n<encryption xmlns=\"http://schemas.microsoft.com/office/2006/encryption\" "
		"xmlns:p=\"http://schemas.microsoft.com/office/2006/keyEncryptor/password\"><keyData saltSize=\"16\" blockSize=\"16\" keyBits=\"%u\" "
		"hashSize=\"%" G_GSIZE_FORMAT
		"\" cipherAlgorithm=\"AES\" cipherChaining=\"ChainingModeCBC\" hashAlgorithm=\"%s\" saltValue=\"%s\"/>"
		"<keyEncryptors><keyEncryptor uri=\"http://schemas.microsoft.com/office/2006/keyEncryptor/password\"><p:encryptedKey spinCount=\"%u\" "
		"saltSize=\"16\" blockSize=\"16\" keyBits=\"%u\" hashSize=\"%" G_GSIZE_FORMAT
		"\" cipherAlgorithm=\"AES\" "
		"cipherChaining=\"ChainingModeCBC\" hashAlgorithm=\"%s\" saltValue=\"%s\" encryptedVerifierHashInput=\"%s\" "
		"encryptedVerifierHashValue=\"%s\" encryptedKeyValue=\"%s\"/></keyEncryptor></keyEncryptors></encryption>",
		l->bits, len, l->hash, salt64, l->spins, l->bits, len, l->hash, key64, in64,
		value64, secret64);
	g_byte_array_append(info, (const guint8 *)"\4\0\4\0\x40\0\0\0", 8);
	g_byte_array_append(info, (const guint8 *)xml, (guint)strlen(xml));
	GByteArray *out = locked_padded(plain);
	for (guint32 at = 0, n = 0; at < out->len; at += 4096, n++) {
		guint8 piece[4096];
		gsize size = MIN(4096, out->len - at);
		gsize got = locked_hash(l->hash, salt, 16, &n, 4, made);
		locked_fit(iv, 16, made, got);
		locked_encrypt("CBC", l->bits, secret, iv, out->data + at, size, piece);
		memcpy(out->data + at, piece, size);
	}
	return out;
}

/* ---- standard ---- */

static inline void locked_append32(GByteArray *out, guint32 n)
{
	g_byte_array_append(out, (const guint8 *)&n, 4);
}

static inline GByteArray *locked_standard(
	const Locking *l, const GByteArray *plain, GByteArray *info)
{
	static const guint8 zero[12] = {0};
	guint8 salt[16], input[16], final[64], made[40], key[32], check[32] = {0}, out16[16],
								  out32[32];
	locked_bytes(salt, 16, 3), locked_bytes(input, 16, 60);
	locked_spin("SHA1", salt, 16, l->password, l->spins, final);
	locked_hash("SHA1", final, 20, zero, 4, final);
	for (int half = 0; half < 2; half++) {
		guint8 pad[64];
		memset(pad, half == 0 ? 0x36 : 0x5c, sizeof pad);
		for (int i = 0; i < 20; i++)
			pad[i] ^= final[i];
		locked_hash("SHA1", pad, 64, "", 0, made + 20 * half);
	}
	memcpy(key, made, l->bits / 8);
	locked_hash("SHA1", input, 16, "", 0, check);
	locked_encrypt("ECB", l->bits, key, NULL, input, 16, out16);
	locked_encrypt("ECB", l->bits, key, NULL, check, 32, out32);
	g_byte_array_append(info, (const guint8 *)"\4\0\2\0\x24\0\0\0", 8);
	locked_append32(info, 32 + 4);
	const guint32 header[] = {0x24, 0, 0x660e, 0x8004, l->bits, 0x18, 0, 0};
	g_byte_array_append(info, (const guint8 *)header, sizeof header);
	g_byte_array_append(info, (const guint8 *)"M\0\0\0", 4); /* the provider's name */
	locked_append32(info, 16);
	g_byte_array_append(info, salt, 16);
	g_byte_array_append(info, out16, 16);
	locked_append32(info, 20);
	g_byte_array_append(info, out32, 32);
	g_autoptr(GByteArray) padded = locked_padded(plain);
	GByteArray *out = g_byte_array_sized_new(padded->len);
	g_byte_array_set_size(out, padded->len);
	locked_encrypt("ECB", l->bits, key, NULL, padded->data, padded->len, out->data);
	return out;
}

/* ---- the file ---- */

static inline void locked_stream(GsfOutfile *file, const char *name, const GByteArray *bytes)
{
	GsfOutput *stream = gsf_outfile_new_child(file, name, FALSE);
	g_assert_true(gsf_output_write(stream, bytes->len, bytes->data));
	g_assert_true(gsf_output_close(stream));
	g_object_unref(stream);
}

/* Of these two streams; takes neither. */
static inline GByteArray *locked_file(const GByteArray *info, const GByteArray *package)
{
	GsfOutput *memory = gsf_output_memory_new();
	GsfOutfile *file = gsf_outfile_msole_new(memory);
	GByteArray *out = g_byte_array_new();
	locked_stream(file, "EncryptedPackage", package);
	locked_stream(file, "EncryptionInfo", info);
	g_assert_true(gsf_output_close(GSF_OUTPUT(file)));
	g_byte_array_append(out, gsf_output_memory_get_bytes(GSF_OUTPUT_MEMORY(memory)),
		(guint)gsf_output_size(memory));
	g_object_unref(file);
	g_object_unref(memory);
	return out;
}

/* `plain` as Office would lock it; takes it. */
static inline GByteArray *make_locked(const Locking *l, GByteArray *plain)
{
	g_autoptr(GByteArray) info = g_byte_array_new(), package = g_byte_array_new();
	g_autoptr(GByteArray) locked = l->hash != NULL ? locked_agile(l, plain, info)
						       : locked_standard(l, plain, info);
	locked_append32(package, plain->len);
	locked_append32(package, 0);
	g_byte_array_append(package, locked->data, locked->len);
	g_byte_array_unref(plain);
	return locked_file(info, package);
}

#endif
