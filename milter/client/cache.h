/* Readings of attachments that come again.  Private to client/.
 *
 * The key is a digest that the client takes itself over the attachment's bytes in the message
 * and how they are to be taken.  What is kept under it was read by a worker that was given
 * nothing else before; so a document that takes its worker over spoils its own reading at most,
 * never another's.
 *
 * A cache belongs to one reader, whose settings never change: a reload makes another, empty.
 * `known` is the number of the filters that a reading was made with.
 *
 * Threads: any.  Bounds: `max` bytes, the longest unused go first. */
#ifndef MISSENT_CLIENT_CACHE_H
#define MISSENT_CLIENT_CACHE_H

#include <glib.h>
#include <stdbool.h>

#include "missent/digest.h"

typedef struct MsCache MsCache;

typedef struct {
	guint8 digest[MS_DIGEST_BYTES];
} MsCacheKey;

MsCache *ms_cache_new(guint64 max);
void ms_cache_free(MsCache *cache);
void ms_cache_key(const MsCache *cache, const void *data, gsize len, const char *as, guint64 known,
	MsCacheKey *out);
/* The reading, or NULL; then `*again_out` says whether these bytes were asked for before by another
 * message: `message` is a number that each has of its own. */
GBytes *ms_cache_find(MsCache *cache, const MsCacheKey *key, guint64 message, bool *again_out);
void ms_cache_keep(MsCache *cache, const MsCacheKey *key, GBytes *reading);
/* It was read for keeping, in vain: it is not tried with these bytes again for as long as they are
 * remembered. */
void ms_cache_give_up(MsCache *cache, const MsCacheKey *key);
guint64 ms_cache_bytes(MsCache *cache);

#endif
