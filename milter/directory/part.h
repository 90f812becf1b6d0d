/*
 * What a mapping is made of: parts, each sealed for its place in its generation, so that one that
 * was changed, moved, taken from another mapping or made with another key does not open.
 * missent-directory(7) writes it out.
 */
#ifndef MISSENT_DIRECTORY_PART_H
#define MISSENT_DIRECTORY_PART_H

#include "keys.h"

/* A kind and a number. */
typedef guint64 MsPartId;
#define MS_PART_SLICE 's' /* entries */
#define MS_PART_GROUP 'g' /* what the fingerprints of MS_GROUP slices give together; not sealed */
#define MS_PART_MARKS 'm' /* marks of what is known */
#define MS_PART(kind, number) ((guint64)(kind) << 32 | (number))
#define MS_PART_KIND(id) ((char)((id) >> 32))
#define MS_PART_NUMBER(id) ((guint32)(id))
#define MS_GROUP 256

#define MS_FINGERPRINT 16 /* a part begins with it */
typedef struct {
	guint8 bytes[MS_FINGERPRINT];
} MsFingerprint;
/* Sums of fingerprints: exclusive or, so that one goes as it came. */
void ms_fingerprint_add(MsFingerprint *sum, const guint8 *fingerprint);

char *ms_part_name(MsPartId id); /* "s:17" */

/* `clear` can be read without a key, `secret` cannot (unless digests are off). */
GBytes *ms_part_seal(const MsKeys *keys, const char *generation, MsPartId id, const void *clear,
	gsize clear_len, const void *secret, gsize secret_len);
/* The secret of a part whose clear text has `clear_len` bytes; NULL if it is not what it should
 * be. */
guint8 *ms_part_open(const MsKeys *keys, const char *generation, MsPartId id, const guint8 *data,
	gsize len, gsize clear_len, gsize *secret_len_out);

#endif
