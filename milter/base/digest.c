/*
 * The site key comes in from its file; out go subkeys, one for each use, keyed digests of values,
 * and sealed texts.  Any thread: a key does not change.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/digest.h"
#include "missent/io.h"

#define KEY_BYTES 32
#define IV_BYTES 16
#define MAX_SEALED (1 << 20)

struct MsKey {
	unsigned char iv[KEY_BYTES];     /* for the synthetic IV of a seal */
	unsigned char stream[KEY_BYTES]; /* for the key stream of a seal */
	unsigned char filter[KEY_BYTES]; /* for the marks of a filter */
	unsigned char further[KEY_BYTES]; /* for keys of further uses */
	MsMappingKeys mapping;           /* for the parts of a mapping */
};

static bool sodium_ready(GError **error)
{
	if (sodium_init() >= 0)
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "libsodium cannot be initialised");
	return false;
}

/* Subkeys, so that no two uses share one. */
static void derive(unsigned char *out, const unsigned char *master, const char *purpose)
{
	crypto_generichash(out, KEY_BYTES, (const unsigned char *)purpose, strlen(purpose), master,
		KEY_BYTES);
}

static bool check_mode(int fd, const char *path, GError **error)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"%s: the site key is not a regular file", path);
		return false;
	}
	if (st.st_mode & 027) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"%s: the site key has mode %04o; make it 0640 or stricter (chmod 0640 %s)",
			path, st.st_mode & 07777, path);
		return false;
	}
	return true;
}

MsKey *ms_key_load(const char *path, GError **error)
{
	if (!sodium_ready(error))
		return NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe is not waited for */
	if (fd < 0) {
		g_set_error(error, MS_ERROR,
			ms_io_is_want(errno) ? MS_ERROR_RETRY : MS_ERROR_CONFIG,
			"%s: cannot read the site key: %s%s", path, g_strerror(errno),
			errno == ENOENT ? " (make one with: missent directory key)" : "");
		return NULL;
	}
	char hex[KEY_BYTES * 2 + 2] = "";
	bool fine = check_mode(fd, path, error);
	ssize_t got = fine ? read(fd, hex, sizeof hex - 1) : -1;
	int why = errno;
	close(fd);
	if (!fine)
		return NULL;
	if (got < 0 && ms_io_is_want(why)) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s: cannot read the site key: %s",
			path, g_strerror(why));
		return NULL;
	}
	unsigned char master[KEY_BYTES];
	size_t len = 0;
	if (got < KEY_BYTES * 2
		|| sodium_hex2bin(master, sizeof master, hex, KEY_BYTES * 2, NULL, &len, NULL) != 0
		|| len != KEY_BYTES) {
		sodium_memzero(hex, sizeof hex);
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"%s: not a site key: expected %d hexadecimal digits", path, KEY_BYTES * 2);
		return NULL;
	}
	MsKey *key = g_new0(MsKey, 1);
	derive(key->iv, master, "missent seal iv");
	derive(key->stream, master, "missent seal stream");
	derive(key->filter, master, "missent filter");
	derive(key->further, master, "missent further uses");
	derive(key->mapping.entry, master, "missent mapping entry");
	derive(key->mapping.nonce, master, "missent mapping nonce");
	derive(key->mapping.box, master, "missent mapping box");
	sodium_memzero(hex, sizeof hex);
	sodium_memzero(master, sizeof master);
	return key;
}

bool ms_key_create(const char *path, GError **error)
{
	if (!sodium_ready(error))
		return false;
	unsigned char master[KEY_BYTES];
	char hex[KEY_BYTES * 2 + 1];
	bool made;
	randombytes_buf(master, sizeof master);
	sodium_bin2hex(hex, sizeof hex, master, sizeof master);
	hex[KEY_BYTES * 2] = '\n';
	bool there = ms_io_make(path, hex, sizeof hex, 0400, &made);
	int why = there ? EEXIST : errno;
	sodium_memzero(hex, sizeof hex);
	sodium_memzero(master, sizeof master);
	if (!made)
		g_set_error(error, MS_ERROR, there ? MS_ERROR_INPUT : MS_ERROR_RETRY,
			there ? "%s: there is a file already (%s), and it is kept: what was made with a "
				"key can be read with that one alone"
			      : "%s: cannot create the key: %s",
			path, g_strerror(why));
	return made;
}

void ms_key_free(MsKey *key)
{
	if (key == NULL)
		return;
	sodium_memzero(key, sizeof *key);
	g_free(key);
}

static void make_iv(const MsKey *key, const unsigned char *name, gsize len, unsigned char *iv)
{
	crypto_generichash(iv, IV_BYTES, name, len, key->iv, KEY_BYTES);
}

static void stream_xor(const MsKey *key, const unsigned char *iv, unsigned char *data, gsize len)
{
	unsigned char nonce[crypto_stream_xchacha20_NONCEBYTES] = {0};
	memcpy(nonce, iv, IV_BYTES);
	crypto_stream_xchacha20_xor(data, data, len, nonce, key->stream);
}

char *ms_key_seal(const MsKey *key, const void *data, gsize len)
{
	g_autofree unsigned char *raw = g_malloc(IV_BYTES + len);
	if (len == 0)
		data = ""; /* NULL, perhaps */
	make_iv(key, data, len, raw);
	memcpy(raw + IV_BYTES, data, len);
	stream_xor(key, raw, raw + IV_BYTES, len);
	gsize size = sodium_base64_encoded_len(IV_BYTES + len,
		sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	char *out = g_malloc(size);
	return sodium_bin2base64(out, size, raw, IV_BYTES + len,
		sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

guint8 *ms_key_open(const MsKey *key, const char *sealed, gsize *len_out)
{
	gsize room = strlen(sealed);
	if (room > MAX_SEALED)
		return NULL;
	g_autofree unsigned char *raw = g_malloc(room + 1);
	size_t len = 0;
	if (sodium_base642bin(raw, room, sealed, room, NULL, &len, NULL,
		    sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0
		|| len < IV_BYTES)
		return NULL;
	unsigned char iv[IV_BYTES];
	gsize n = len - IV_BYTES;
	stream_xor(key, raw, raw + IV_BYTES, n);
	make_iv(key, raw + IV_BYTES, n, iv);
	if (sodium_memcmp(iv, raw, IV_BYTES) != 0)
		return NULL;
	guint8 *out = g_malloc(n + 1);
	memcpy(out, raw + IV_BYTES, n);
	out[n] = '\0';
	*len_out = n;
	return out;
}

void ms_key_filter(const MsKey *key, guint8 out[16])
{
	memcpy(out, key->filter, 16);
}

void ms_key_subkey(const MsKey *key, const char *purpose, guint8 out[MS_DIGEST_BYTES])
{
	static const guint8 open[MS_DIGEST_BYTES] = "missent, in open";
	const MsPiece piece = {purpose, strlen(purpose)};
	if (key != NULL)
		derive(out, key->further, purpose);
	else
		ms_digest_pieces(open, &piece, 1, out);
}

void ms_key_mapping(const MsKey *key, MsMappingKeys *out)
{
	*out = key->mapping;
}

/* ---- boxes ---------------------------------------------------------------------------- */

void ms_box_close(const guint8 key[MS_DIGEST_BYTES], const guint8 nonce[MS_BOX_NONCE],
	const MsPiece *with, const void *text, gsize len, guint8 *box_out)
{
	G_STATIC_ASSERT(MS_BOX_NONCE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
	G_STATIC_ASSERT(MS_BOX_MORE == crypto_aead_xchacha20poly1305_ietf_ABYTES);
	crypto_aead_xchacha20poly1305_ietf_encrypt(
		box_out, NULL, text, len, with->data, with->len, NULL, nonce, key);
}

bool ms_box_open(const guint8 key[MS_DIGEST_BYTES], const guint8 nonce[MS_BOX_NONCE],
	const MsPiece *with, const guint8 *box, gsize len, guint8 *text_out)
{
	return crypto_aead_xchacha20poly1305_ietf_decrypt(
		       text_out, NULL, NULL, box, len, with->data, with->len, nonce, key) == 0;
}

/* ---- digests of bytes ----------------------------------------------------------------- */

void ms_digest_random(guint8 key[MS_DIGEST_BYTES])
{
	randombytes_buf(key, MS_DIGEST_BYTES);
}

void ms_digest_pieces(const guint8 key[MS_DIGEST_BYTES], const MsPiece *pieces, guint n,
	guint8 out[MS_DIGEST_BYTES])
{
	crypto_generichash_state state;
	crypto_generichash_init(&state, key, MS_DIGEST_BYTES, MS_DIGEST_BYTES);
	for (guint i = 0; i < n; i++) {
		guint64 len = pieces[i].len;
		crypto_generichash_update(&state, (const guint8 *)&len, sizeof len);
		crypto_generichash_update(&state, pieces[i].data, pieces[i].len);
	}
	crypto_generichash_final(&state, out, MS_DIGEST_BYTES);
}

char *ms_hex(const guint8 *bytes, gsize n)
{
	char *text = g_malloc(2 * n + 1);
	return sodium_bin2hex(text, 2 * n + 1, bytes, n);
}

bool ms_unhex(const char *text, guint8 *out, gsize n)
{
	size_t len = 0;
	return text != NULL && strlen(text) == 2 * n &&
		sodium_hex2bin(out, n, text, 2 * n, NULL, &len, NULL) == 0 &&
		len == n;
}

char *ms_digest_random_name(gsize bytes)
{
	guint8 random[MS_DIGEST_BYTES];
	g_assert(bytes <= sizeof random);
	ms_digest_random(random);
	return ms_hex(random, bytes);
}

void ms_digest_plain(const guint8 key[MS_DIGEST_BYTES], const MsPiece *pieces, guint n, guint8 *out,
	gsize out_len)
{
	crypto_generichash_state state;
	crypto_generichash_init(&state, key, MS_DIGEST_BYTES, out_len);
	for (guint i = 0; i < n; i++)
		crypto_generichash_update(&state, pieces[i].data, pieces[i].len);
	crypto_generichash_final(&state, out, out_len);
}
