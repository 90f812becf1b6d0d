/*
 * C2SP signed-note, tlog-checkpoint and tlog-proof: text comes in and is taken apart with
 * distrust, or sizes and roots come in and text that a key has signed goes out.  No state; any
 * thread.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/digest.h"
#include "missent/io.h"
#include "missent/sign.h"

#include "note.h"

#define SEED_BYTES MS_SIGN_SEED
#define ID_BYTES 4
#define ED25519 1
#define MAX_SIGNATURES 64
#define DASH "\xe2\x80\x94 "

static bool bad(GError **error, const char *what, const char *why)
{
	g_set_error(error, MS_ERROR, MS_ERROR_INPUT, "%s: %s", what, why);
	return false;
}

static char *base64(const guint8 *data, gsize len)
{
	return g_base64_encode(data, len);
}

/* Exactly `len` bytes of it, in the one way to write them. */
static bool unbase64(const char *text, gsize text_len, guint8 *out, gsize len)
{
	return ms_sign_unbase64(text, text_len, out, len) == (gssize)len;
}

/* ---- keys ----------------------------------------------------------------------------- */

struct MsSigner {
	char *name;
	guint8 public[MS_SIGN_PUBLIC], secret[MS_SIGN_SECRET];
};

typedef struct {
	char *name;
	guint8 id[ID_BYTES], public[MS_SIGN_PUBLIC];
} Vkey;

/* SHA-256(name, newline, type, key)[:4] */
static void key_id(const char *name, const guint8 *public, guint8 out[ID_BYTES])
{
	guint8 sum[32];
	gsize len = sizeof sum;
	g_autoptr(GChecksum) s = g_checksum_new(G_CHECKSUM_SHA256);
	g_checksum_update(s, (const guint8 *)name, (gssize)strlen(name));
	g_checksum_update(s, (const guint8 *)"\n\x01", 2);
	g_checksum_update(s, public, MS_SIGN_PUBLIC);
	g_checksum_get_digest(s, sum, &len);
	memcpy(out, sum, ID_BYTES);
}

MsSigner *ms_signer_load(const char *path, const char *name, GError **error)
{
	char hex[2 * SEED_BYTES + 1] = "";
	guint8 seed[SEED_BYTES];
	struct stat st;
	int fd = ms_io_open(path, O_RDONLY | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) != 0) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
			"the audit trail's key %s cannot be read: %s", path, g_strerror(errno));
		ms_io_close(fd);
		return NULL;
	}
	ssize_t n = read(fd, hex, 2 * SEED_BYTES);
	close(fd);
	bool fine = n == 2 * SEED_BYTES && (st.st_mode & 077) == 0 &&
		ms_unhex(hex, seed, SEED_BYTES);
	explicit_bzero(hex, sizeof hex);
	if (!fine) {
		bad(error, path,
			st.st_mode & 077 ? "others than its owner may read the audit trail's key"
					 : "not a key of an audit trail");
		return NULL;
	}
	MsSigner *signer = g_new0(MsSigner, 1);
	signer->name = g_strdup(name);
	ms_sign_keypair(seed, signer->public, signer->secret);
	explicit_bzero(seed, sizeof seed);
	return signer;
}

bool ms_signer_create(const char *path, GError **error)
{
	guint8 seed[SEED_BYTES];
	ms_digest_random(seed);
	char *hex = ms_hex(seed, sizeof seed);
	hex[2 * SEED_BYTES] = '\n'; /* instead of the NUL */
	bool fine = ms_io_make(path, hex, 2 * SEED_BYTES + 1, 0400, NULL);
	if (!fine)
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
			"the audit trail's key %s cannot be made: %s", path, g_strerror(errno));
	explicit_bzero(seed, sizeof seed);
	explicit_bzero(hex, 2 * SEED_BYTES);
	g_free(hex);
	return fine;
}

void ms_signer_free(MsSigner *signer)
{
	if (signer == NULL)
		return;
	g_free(signer->name);
	explicit_bzero(signer, sizeof *signer);
	g_free(signer);
}

const char *ms_signer_name(const MsSigner *signer)
{
	return signer->name;
}

char *ms_signer_vkey(const MsSigner *signer)
{
	guint8 id[ID_BYTES], typed[1 + MS_SIGN_PUBLIC] = {ED25519};
	key_id(signer->name, signer->public, id);
	memcpy(typed + 1, signer->public, MS_SIGN_PUBLIC);
	g_autofree char *key = base64(typed, sizeof typed);
	return g_strdup_printf(
		"%s+%02x%02x%02x%02x+%s", signer->name, id[0], id[1], id[2], id[3], key);
}

/* Not empty, no Unicode space, no plus. */
static bool is_name(const char *name, gsize len)
{
	for (const char *p = name; p < name + len; p = g_utf8_next_char(p))
		if (*p == '+' || g_unichar_isspace(g_utf8_get_char(p)))
			return false;
	return len > 0;
}

static void vkey_clear(Vkey *key)
{
	g_free(key->name);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Vkey, vkey_clear)

static bool vkey_parse(const char *vkey, Vkey *out)
{
	guint8 typed[1 + MS_SIGN_PUBLIC], id[ID_BYTES];
	g_auto(GStrv) parts = g_strsplit(vkey, "+", 3); /* base64 may have a plus */
	if (g_strv_length(parts) != 3 || !g_utf8_validate(parts[0], -1, NULL) ||
		!is_name(parts[0], strlen(parts[0])))
		return false;
	if (!ms_unhex(parts[1], id, ID_BYTES) ||
		!unbase64(parts[2], strlen(parts[2]), typed, sizeof typed) || typed[0] != ED25519)
		return false;
	key_id(parts[0], typed + 1, out->id);
	memcpy(out->public, typed + 1, sizeof out->public);
	if (memcmp(id, out->id, ID_BYTES) != 0)
		return false;
	out->name = g_strdup(parts[0]);
	return true;
}

char *ms_vkey_name(const char *vkey)
{
	g_auto(Vkey) key = {0};
	return vkey_parse(vkey, &key) ? g_steal_pointer(&key.name) : NULL;
}

/* ---- notes ---------------------------------------------------------------------------- */

char *ms_signer_checkpoint(const MsSigner *signer, guint64 size, const MsHash *root)
{
	guint8 signature[ID_BYTES + MS_SIGN_BYTES];
	g_autofree char *hash = base64(root->bytes, sizeof root->bytes);
	g_autofree char *text = g_strdup_printf(
		"%s\n%" G_GUINT64_FORMAT "\n%s\n", signer->name, size, hash);
	key_id(signer->name, signer->public, signature);
	ms_sign(signer->secret, text, strlen(text), signature + ID_BYTES);
	g_autofree char *sign = base64(signature, sizeof signature);
	return g_strdup_printf("%s\n" DASH "%s %s\n", text, signer->name, sign);
}

/* A line of a signature; `*ours_out`: by that key, and right. */
static bool signature_parse(const char *line, gsize len, const Vkey *key, const char *text,
	gsize text_len, bool *ours_out)
{
	const gsize dash = strlen(DASH);
	if (len < dash || memcmp(line, DASH, dash) != 0)
		return false;
	const char *name = line + dash, *space = memchr(name, ' ', len - dash);
	if (space == NULL || !is_name(name, (gsize)(space - name)))
		return false;
	const char *sign = space + 1;
	gsize sign_len = (gsize)(line + len - sign);
	g_autofree guint8 *raw = g_malloc(sign_len + 1);
	gssize got = ms_sign_unbase64(sign, sign_len, raw, sign_len);
	if (got <= ID_BYTES)
		return false;
	if (key->name == NULL || strlen(key->name) != (gsize)(space - name) ||
		memcmp(key->name, name, strlen(key->name)) != 0 ||
		memcmp(raw, key->id, ID_BYTES) != 0)
		return true; /* somebody else's */
	*ours_out = got == ID_BYTES + MS_SIGN_BYTES
		&& ms_sign_check(key->public, text, text_len, raw + ID_BYTES);
	return *ours_out;
}

/* The length of its text; 0 and `*error`: it is not a note, or not signed with `vkey`. */
static gsize note_parse(const char *text, gsize len, const char *vkey, GError **error)
{
	const char *what = "signed note";
	g_auto(Vkey) key = {0};
	if (vkey != NULL && !vkey_parse(vkey, &key))
		return bad(error, "verifier key", "not one: name+id+key is wanted");
	if (len == 0 || len > MS_NOTE_MAX || !g_utf8_validate(text, (gssize)len, NULL) ||
		text[len - 1] != '\n')
		return bad(error, what, "not text, not whole, or too long");
	for (gsize i = 0; i < len; i++)
		if ((guint8)text[i] < 0x20 && text[i] != '\n')
			return bad(error, what, "it has control characters");
	const char *gap = g_strrstr_len(text, (gssize)len, "\n\n");
	if (gap == NULL)
		return bad(error, what, "it has no signature");
	bool ours = false;
	guint n = 0;
	for (const char *line = gap + 2, *end = text + len; line < end; n++) {
		const char *stop = memchr(line, '\n', (gsize)(end - line));
		if (n == MAX_SIGNATURES ||
			!signature_parse(line, (gsize)(stop - line), &key, text,
				(gsize)(gap + 1 - text), &ours))
			return bad(error, what, "a signature is wrong");
		line = stop + 1;
	}
	if (n == 0 || (vkey != NULL && !ours))
		return bad(error, what, "it is not signed with this log's key");
	return (gsize)(gap + 1 - text);
}

/* Decimal, in the one way to write it. */
static bool number_parse(const char *text, gsize len, guint64 *out)
{
	guint64 n = 0;
	if (len == 0 || len > 18 || (len > 1 && *text == '0'))
		return false;
	for (gsize i = 0; i < len; i++) {
		if (!g_ascii_isdigit(text[i]))
			return false;
		n = n * 10 + (guint64)(text[i] - '0');
	}
	*out = n;
	return true;
}

void ms_checkpoint_clear(MsCheckpoint *checkpoint)
{
	g_clear_pointer(&checkpoint->text, g_free);
	g_clear_pointer(&checkpoint->origin, g_free);
	checkpoint->size = 0;
}

bool ms_checkpoint_parse(
	const char *text, gsize len, const char *vkey, MsCheckpoint *out, GError **error)
{
	const char *what = "checkpoint";
	gsize body = note_parse(text, len, vkey, error);
	if (body == 0)
		return false;
	const char *lines[3], *ends[3], *at = text;
	for (int i = 0; i < 3; i++) {
		lines[i] = at;
		ends[i] = at < text + body ? memchr(at, '\n', (gsize)(text + body - at)) : NULL;
		if (ends[i] == NULL || ends[i] == at)
			return bad(error, what, "it has not the three lines of one");
		at = ends[i] + 1;
	}
	for (; at < text + body; at = (const char *)memchr(at, '\n', (gsize)(text + body - at)) + 1)
		if (*at == '\n')
			return bad(error, what, "it has an empty line");
	guint64 size;
	guint8 root[MS_HASH_BYTES];
	if (!number_parse(lines[1], (gsize)(ends[1] - lines[1]), &size))
		return bad(error, what, "the size is not a number");
	if (!unbase64(lines[2], (gsize)(ends[2] - lines[2]), root, sizeof root))
		return bad(error, what, "the root is not a hash");
	out->size = size;
	memcpy(out->root, root, sizeof root);
	out->origin = g_strndup(lines[0], (gsize)(ends[0] - lines[0]));
	out->text = g_strndup(text, len);
	return true;
}

bool ms_checkpoint_same(const MsCheckpoint *one, const MsCheckpoint *two)
{
	return one->size == two->size && strcmp(one->origin, two->origin) == 0
		&& memcmp(one->root, two->root, MS_HASH_BYTES) == 0;
}

/* ---- proofs --------------------------------------------------------------------------- */

void ms_proof_clear(MsProof *proof)
{
	ms_checkpoint_clear(&proof->checkpoint);
	proof->n = 0;
}

char *ms_proof_print(const MsProof *proof)
{
	GString *out = g_string_new("c2sp.org/tlog-proof@v1\n");
	g_string_append_printf(out, "index %" G_GUINT64_FORMAT "\n", proof->index);
	for (guint i = 0; i < proof->n; i++) {
		g_autofree char *hash = base64(proof->hashes[i], MS_HASH_BYTES);
		g_string_append_printf(out, "%s\n", hash);
	}
	g_string_append_printf(out, "\n%s", proof->checkpoint.text);
	return g_string_free(out, FALSE);
}
