/*
 * Office files with a password: the two streams of MS-OFFCRYPTO and a password come in, the package
 * goes out as it was before it was locked.  Of the ways to lock one there are the "agile" one of
 * Office 2010 and later (2.3.4.10) and the "standard" one of 2007 (2.3.4.5), both with AES; RC4 and
 * what asks for a certificate stay locked.  A password is made slow by hashing, as often as the
 * file says; that is bounded here, and by the time of the message.  In the worker's only thread;
 * libcrypto computes, and was made ready before the worker was confined.
 */
#include "config.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "bytes.h"
#include "locked.h"
#include "xml.h"

#define BLOCK 16 /* of AES */
#define MAX_KEY 32
#define MAX_SALT 64
#define MAX_SPIN 1000000 /* Office writes 100,000 */
#define STANDARD_SPIN 50000
#define SEGMENT 4096
#define MAX_VALUE 128 /* bytes of what is locked besides the package */

static const char *const hashes[] = {"SHA1", "SHA256", "SHA384", "SHA512"};
static const char *const ciphers[] = {"AES-128-CBC", "AES-192-CBC", "AES-256-CBC", "AES-128-ECB",
	"AES-192-ECB", "AES-256-ECB"};

/* No file of settings is read, then or later; what is fetched once is known from then on. */
void ms_locked_init(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(hashes); i++)
		EVP_MD_free(EVP_MD_fetch(NULL, hashes[i], NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(ciphers); i++)
		EVP_CIPHER_free(EVP_CIPHER_fetch(NULL, ciphers[i], NULL));
}

/* ---- hashes --------------------------------------------------------------------------- */

typedef struct {
	EVP_MD *md;
	EVP_MD_CTX *ctx;
	guint size;
} Hash;

static void hash_close(Hash *h)
{
	EVP_MD_CTX_free(h->ctx);
	EVP_MD_free(h->md);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Hash, hash_close)

/* By the name that the file gives, with or without its dash. */
static bool hash_open(Hash *h, const char *name)
{
	g_auto(GStrv) parts = g_strsplit(name, "-", 3);
	g_autofree char *plain = g_strjoinv("", parts);
	for (gsize i = 0; i < G_N_ELEMENTS(hashes); i++)
		if (g_ascii_strcasecmp(plain, hashes[i]) == 0)
			h->md = EVP_MD_fetch(NULL, hashes[i], NULL);
	h->ctx = EVP_MD_CTX_new();
	h->size = h->md != NULL ? (guint)EVP_MD_get_size(h->md) : 0;
	return h->md != NULL && h->ctx != NULL;
}

/* Of two pieces; `out` may be one of them. */
static bool hash(const Hash *h, const void *a, gsize n, const void *b, gsize m, guint8 *out)
{
	return EVP_DigestInit_ex2(h->ctx, h->md, NULL) == 1 &&
		EVP_DigestUpdate(h->ctx, a, n) == 1 && EVP_DigestUpdate(h->ctx, b, m) == 1 &&
		EVP_DigestFinal_ex(h->ctx, out, NULL) == 1;
}

static void put32(guint8 *out, guint32 n)
{
	for (int i = 0; i < 4; i++)
		out[i] = (guint8)(n >> 8 * i);
}

/* So often that guessing is slow: it is for us as well. */
static bool spin(const Hash *h, MsBudget *budget, const guint8 *salt, gsize salt_len,
	const char *password, guint32 times, guint8 out[EVP_MAX_MD_SIZE])
{
	glong words;
	g_autofree gunichar2 *wide = g_utf8_to_utf16(password, -1, NULL, &words, NULL);
	if (wide == NULL)
		return false;
	for (glong i = 0; i < words; i++)
		wide[i] = GUINT16_TO_LE(wide[i]);
	if (!hash(h, salt, salt_len, wide, (gsize)words * 2, out))
		return false;
	for (guint32 i = 0; i < times; i++) {
		guint8 n[4];
		put32(n, i);
		if ((i % 8192 == 0 && !ms_budget_time(budget)) ||
			!hash(h, n, sizeof n, out, h->size, out))
			return false;
	}
	return true;
}

/* ---- ciphers -------------------------------------------------------------------------- */

/* Whole blocks, without padding; `iv` NULL: each by itself. */
static bool decrypt(guint bits, const guint8 *key, const guint8 *iv, const guint8 *in, gsize len,
	guint8 *out)
{
	g_autofree char *name = g_strdup_printf("AES-%u-%s", bits, iv != NULL ? "CBC" : "ECB");
	EVP_CIPHER *cipher = len % BLOCK == 0 && len <= G_MAXINT
		? EVP_CIPHER_fetch(NULL, name, NULL)
		: NULL;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int done = 0, rest = 0;
	bool fine = cipher != NULL && ctx != NULL &&
		EVP_DecryptInit_ex2(ctx, cipher, key, iv, NULL) == 1 &&
		EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
		EVP_DecryptUpdate(ctx, out, &done, in, (int)len) == 1 &&
		EVP_DecryptFinal_ex(ctx, out + done, &rest) == 1 && (gsize)(done + rest) == len;
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
	return fine;
}

/* The size of what was locked stands before it. */
static GByteArray *room_for(const GByteArray *package, gsize *size_out)
{
	gsize locked = package->len >= 8 ? (package->len - 8) / BLOCK * BLOCK : 0;
	if (locked == 0 || ms_le32(package->data + 4) != 0)
		return NULL;
	*size_out = MIN(ms_le32(package->data), locked);
	GByteArray *out = g_byte_array_sized_new((guint)locked);
	g_byte_array_set_size(out, (guint)locked);
	return out;
}

/* ---- standard (2007) ------------------------------------------------------------------- */

#define STANDARD_HEADER 12 /* version, flags, size of what follows: 20 bytes and a name */
#define STANDARD_VERIFIER (4 + BLOCK + BLOCK + 4 + 32)

static bool standard_key(
	const Hash *h, const guint8 final[EVP_MAX_MD_SIZE], guint bits, guint8 key[MAX_KEY])
{
	guint8 made[2 * EVP_MAX_MD_SIZE];
	for (guint half = 0; half < 2; half++) {
		guint8 pad[64];
		memset(pad, half == 0 ? 0x36 : 0x5c, sizeof pad);
		for (guint i = 0; i < h->size; i++)
			pad[i] ^= final[i];
		if (!hash(h, pad, sizeof pad, "", 0, made + half * h->size))
			return false;
	}
	memcpy(key, made, bits / 8);
	return true;
}

/* Is the password right?  `verifier`: size of the salt, salt, what was chosen, its size, its
 * hash. */
static bool standard_opens(const Hash *h, MsBudget *budget, const guint8 *verifier, guint bits,
	const char *password, guint8 key[MAX_KEY])
{
	static const guint8 block[4] = {0};
	guint8 final[EVP_MAX_MD_SIZE], plain[BLOCK], want[32], got[EVP_MAX_MD_SIZE];
	return ms_le32(verifier) == BLOCK &&
		spin(h, budget, verifier + 4, BLOCK, password, STANDARD_SPIN, final) &&
		hash(h, final, h->size, block, sizeof block, final) &&
		standard_key(h, final, bits, key) &&
		decrypt(bits, key, NULL, verifier + 4 + BLOCK, BLOCK, plain) &&
		decrypt(bits, key, NULL, verifier + 8 + 2 * BLOCK, 32, want) &&
		hash(h, plain, BLOCK, "", 0, got) && memcmp(want, got, h->size) == 0;
}

static GByteArray *open_standard(MsBudget *budget, const GByteArray *info,
	const GByteArray *package, const char *password)
{
	g_auto(Hash) h = {0};
	guint8 key[MAX_KEY];
	gsize size, header = info->len >= STANDARD_HEADER + 20 ? ms_le32(info->data + 8) : 0;
	if (header < 20 || header > info->len - STANDARD_HEADER ||
		info->len - STANDARD_HEADER - header < STANDARD_VERIFIER)
		return NULL;
	guint bits = ms_le32(info->data + STANDARD_HEADER + 16);
	bool known = bits == 128 || bits == 192 || bits == 256;
	if (!known || !hash_open(&h, "SHA1") ||
		!standard_opens(&h, budget, info->data + STANDARD_HEADER + header, bits, password,
			key))
		return NULL;
	g_autoptr(GByteArray) out = room_for(package, &size);
	if (out == NULL || !decrypt(bits, key, NULL, package->data + 8, out->len, out->data))
		return NULL;
	g_byte_array_set_size(out, (guint)size);
	return g_steal_pointer(&out);
}

/* ---- agile (2010 and later) -------------------------------------------------------------- */

/* How something is locked: the package, or its key. */
typedef struct {
	bool there;
	guint bits;
	guint32 spins;
	char *hash;
	guint8 salt[MAX_SALT];
	gsize salt_len;
} Lock;

typedef struct {
	Lock package, key;
	guint8 input[MAX_VALUE], value[MAX_VALUE], secret[MAX_VALUE];
	gsize input_len, value_len, secret_len;
} Agile;

static void agile_clear(Agile *a)
{
	g_free(a->package.hash);
	g_free(a->key.hash);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Agile, agile_clear)

static gsize take_bytes(const char *const *attributes, const char *name, guint8 *out, gsize most)
{
	const char *text = ms_xml_attribute(attributes, name);
	gsize len = 0;
	g_autofree guchar *bytes = text != NULL && strlen(text) <= 2 * most
		? g_base64_decode(text, &len)
		: NULL;
	if (bytes == NULL || len > most)
		return 0;
	memcpy(out, bytes, len);
	return len;
}

static guint take_number(const char *const *attributes, const char *name)
{
	const char *text = ms_xml_attribute(attributes, name);
	guint64 n = text != NULL ? g_ascii_strtoull(text, NULL, 10) : 0;
	return (guint)MIN(n, G_MAXUINT);
}

/* The first of each counts. */
static void take_lock(Lock *lock, const char *const *attributes)
{
	const char *cipher = ms_xml_attribute(attributes, "cipherAlgorithm"),
		   *mode = ms_xml_attribute(attributes, "cipherChaining"),
		   *name = ms_xml_attribute(attributes, "hashAlgorithm");
	lock->bits = take_number(attributes, "keyBits");
	lock->spins = take_number(attributes, "spinCount");
	lock->salt_len = take_bytes(attributes, "saltValue", lock->salt, sizeof lock->salt);
	lock->hash = g_strdup(name != NULL ? name : "");
	lock->there = g_strcmp0(cipher, "AES") == 0 && g_strcmp0(mode, "ChainingModeCBC") == 0 &&
		take_number(attributes, "blockSize") == BLOCK && lock->salt_len > 0 &&
		(lock->bits == 128 || lock->bits == 192 || lock->bits == 256) &&
		lock->spins <= MAX_SPIN;
}

static void agile_start(void *user, const char *name, const char *const *attributes)
{
	Agile *a = user;
	if (strcmp(name, "keyData") == 0 && a->package.hash == NULL) {
		take_lock(&a->package, attributes);
	} else if (strcmp(name, "encryptedKey") == 0 && a->key.hash == NULL &&
		ms_xml_attribute(attributes, "spinCount") != NULL) {
		take_lock(&a->key, attributes);
		a->input_len = take_bytes(
			attributes, "encryptedVerifierHashInput", a->input, MAX_VALUE);
		a->value_len = take_bytes(
			attributes, "encryptedVerifierHashValue", a->value, MAX_VALUE);
		a->secret_len = take_bytes(attributes, "encryptedKeyValue", a->secret, MAX_VALUE);
	}
}

static void agile_end(void *user, const char *name)
{
	(void)user, (void)name;
}

static void agile_text(void *user, const char *text, gsize len)
{
	(void)user, (void)text, (void)len;
}

/* Cut to its length, or made longer with 0x36 (2.3.4.12). */
static void fit(guint8 *to, gsize want, const guint8 *from, gsize len)
{
	memset(to, 0x36, want);
	memcpy(to, from, MIN(want, len));
}

/* One of the three things that the password opens, each by a key of its own (2.3.4.11). */
static bool open_value(const Hash *h, const Lock *lock, const guint8 final[EVP_MAX_MD_SIZE],
	const guint8 which[8], const guint8 *in, gsize len, guint8 *out)
{
	guint8 made[EVP_MAX_MD_SIZE], key[MAX_KEY], iv[BLOCK];
	if (len == 0 || !hash(h, final, h->size, which, 8, made))
		return false;
	fit(key, lock->bits / 8, made, h->size);
	fit(iv, BLOCK, lock->salt, lock->salt_len);
	return decrypt(lock->bits, key, iv, in, len, out);
}

/* The key of the package. */
static bool agile_opens(
	const Agile *a, MsBudget *budget, const char *password, guint8 key[MAX_VALUE])
{
	static const guint8 for_input[8] = {0xfe, 0xa7, 0xd2, 0x76, 0x3b, 0x4b, 0x9e, 0x79},
			    for_value[8] = {0xd7, 0xaa, 0x0f, 0x6d, 0x30, 0x61, 0x34, 0x4e},
			    for_key[8] = {0x14, 0x6e, 0x0b, 0xe7, 0xab, 0xac, 0xd0, 0xd6};
	const Lock *l = &a->key;
	g_auto(Hash) h = {0};
	guint8 final[EVP_MAX_MD_SIZE], input[MAX_VALUE], value[MAX_VALUE], got[EVP_MAX_MD_SIZE];
	return hash_open(&h, l->hash) && a->value_len >= h.size && a->input_len >= l->salt_len &&
		spin(&h, budget, l->salt, l->salt_len, password, l->spins, final) &&
		open_value(&h, l, final, for_input, a->input, a->input_len, input) &&
		open_value(&h, l, final, for_value, a->value, a->value_len, value) &&
		hash(&h, input, l->salt_len, "", 0, got) && memcmp(got, value, h.size) == 0 &&
		a->secret_len >= a->package.bits / 8 &&
		open_value(&h, l, final, for_key, a->secret, a->secret_len, key);
}

static bool open_segments(
	const Lock *lock, const guint8 *key, MsBudget *budget, const guint8 *in, GByteArray *out)
{
	g_auto(Hash) h = {0};
	if (!hash_open(&h, lock->hash))
		return false;
	for (guint at = 0, n = 0; at < out->len; at += SEGMENT, n++) {
		guint8 number[4], made[EVP_MAX_MD_SIZE], iv[BLOCK];
		put32(number, n);
		if ((n % 64 == 0 && !ms_budget_time(budget)) ||
			!hash(&h, lock->salt, lock->salt_len, number, sizeof number, made))
			return false;
		fit(iv, BLOCK, made, h.size);
		if (!decrypt(lock->bits, key, iv, in + at, MIN(SEGMENT, out->len - at),
			    out->data + at))
			return false;
	}
	return true;
}

static GByteArray *open_agile(MsBudget *budget, const GByteArray *info, const GByteArray *package,
	const char *password)
{
	static const MsXmlHandler handler = {agile_start, agile_end, agile_text, NULL};
	g_auto(Agile) a = {0};
	guint8 key[MAX_VALUE];
	gsize size;
	if (ms_xml_parse(info->data + 8, info->len - 8, budget, &handler, &a) != NULL ||
		!a.package.there || !a.key.there || !agile_opens(&a, budget, password, key))
		return NULL;
	g_autoptr(GByteArray) out = room_for(package, &size);
	if (out == NULL || !open_segments(&a.package, key, budget, package->data + 8, out))
		return NULL;
	g_byte_array_set_size(out, (guint)size);
	return g_steal_pointer(&out);
}

GByteArray *ms_locked_office(MsBudget *budget, const GByteArray *info, const GByteArray *package,
	const char *password)
{
	if (info->len < 8)
		return NULL;
	guint major = ms_le16(info->data), minor = ms_le16(info->data + 2);
	if (major == 4 && minor == 4)
		return open_agile(budget, info, package, password);
	return major >= 2 && major <= 4 && minor == 2
		? open_standard(budget, info, package, password)
		: NULL;
}
