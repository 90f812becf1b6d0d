/*
 * A part is a fingerprint, a clear text and a box; all of a part is made from its contents, its
 * place and the site key, so that equal ones are equal and the fingerprint stands for the part.
 * From any thread.
 */
#include "config.h"

#include <string.h>

#include "part.h"

#define NAME_BYTES 16

/* "s:123", and how long that is with its end. */
static guint write_name(MsPartId id, char name[NAME_BYTES])
{
	char digits[NAME_BYTES];
	guint n = 0, at = 0;
	guint32 left = MS_PART_NUMBER(id);
	do
		digits[n++] = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	name[at++] = MS_PART_KIND(id);
	name[at++] = ':';
	while (n > 0)
		name[at++] = digits[--n];
	name[at++] = '\0';
	return at;
}

static GByteArray *with_of(const char *generation, MsPartId id, const void *clear, gsize clear_len)
{
	char name[NAME_BYTES];
	guint generation_len = (guint)strlen(generation) + 1, name_len = write_name(id, name);
	GByteArray *with = g_byte_array_sized_new((guint)clear_len + generation_len + name_len);
	g_byte_array_append(with, (const guint8 *)generation, generation_len);
	g_byte_array_append(with, (const guint8 *)name, name_len);
	if (clear_len > 0)
		g_byte_array_append(with, clear, (guint)clear_len);
	return with;
}

static void fingerprint(const MsKeys *keys, const GByteArray *with, const void *secret, gsize len,
	guint8 out[MS_FINGERPRINT])
{
	guint32 size = GUINT32_TO_BE(with->len);
	const MsPiece pieces[] = {{&size, sizeof size}, {with->data, with->len}, {secret, len}};
	ms_digest_plain(keys->parts.nonce, pieces, G_N_ELEMENTS(pieces), out, MS_FINGERPRINT);
}

void ms_fingerprint_add(MsFingerprint *sum, const guint8 *fingerprint)
{
	for (int i = 0; i < MS_FINGERPRINT; i++)
		sum->bytes[i] ^= fingerprint[i];
}

char *ms_part_name(MsPartId id)
{
	char name[NAME_BYTES];
	write_name(id, name);
	return g_strdup(name);
}

static void nonce_of(const guint8 *fingerprint, guint8 nonce[MS_BOX_NONCE])
{
	memset(nonce, 0, MS_BOX_NONCE);
	memcpy(nonce, fingerprint, MS_FINGERPRINT);
}

GBytes *ms_part_seal(const MsKeys *keys, const char *generation, MsPartId id, const void *clear,
	gsize clear_len, const void *secret, gsize secret_len)
{
	g_autoptr(GByteArray) with = with_of(generation, id, clear, clear_len);
	gsize box_len = secret_len + (keys->digests ? MS_BOX_MORE : 0);
	gsize len = MS_FINGERPRINT + clear_len + box_len;
	guint8 *out = g_malloc(len), *box = out + MS_FINGERPRINT + clear_len;
	fingerprint(keys, with, secret, secret_len, out);
	if (clear_len > 0)
		memcpy(out + MS_FINGERPRINT, clear, clear_len);
	if (keys->digests) {
		guint8 nonce[MS_BOX_NONCE];
		nonce_of(out, nonce);
		const MsPiece piece = {with->data, with->len};
		ms_box_close(keys->parts.box, nonce, &piece, secret, secret_len, box);
	} else if (secret_len > 0) {
		memcpy(box, secret, secret_len);
	}
	return g_bytes_new_take(out, len);
}

guint8 *ms_part_open(const MsKeys *keys, const char *generation, MsPartId id, const guint8 *data,
	gsize len, gsize clear_len, gsize *secret_len_out)
{
	gsize more = keys->digests ? MS_BOX_MORE : 0;
	if (len < MS_FINGERPRINT + clear_len + more)
		return NULL;
	g_autoptr(GByteArray) with = with_of(generation, id, data + MS_FINGERPRINT, clear_len);
	const guint8 *box = data + MS_FINGERPRINT + clear_len;
	gsize box_len = len - MS_FINGERPRINT - clear_len;
	g_autofree guint8 *secret = g_malloc(box_len + 1);
	if (keys->digests) {
		guint8 nonce[MS_BOX_NONCE];
		nonce_of(data, nonce);
		const MsPiece piece = {with->data, with->len};
		if (!ms_box_open(keys->parts.box, nonce, &piece, box, box_len, secret))
			return NULL;
	} else {
		guint8 want[MS_FINGERPRINT];
		memcpy(secret, box, box_len);
		fingerprint(keys, with, secret, box_len, want);
		if (memcmp(want, data, sizeof want) != 0)
			return NULL;
	}
	*secret_len_out = box_len - more;
	return g_steal_pointer(&secret);
}
