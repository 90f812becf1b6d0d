/*
 * Readings of attachments that come again: a digest of an attachment comes in, its reading goes
 * out, if it is kept.  From any thread, under the lock of the cache.
 */
#include "config.h"

#include <pthread.h>
#include <string.h>

#include "cache.h"

/* Most attachments come once.  A reading is made for keeping only when the same bytes come the
 * second time, so that the first time costs no more than a digest. */
#define SEEN 8192        /* digests remembered of what came once */
#define OVERHEAD 200     /* bytes an entry takes besides its reading */
#define MAX_SHARE 8      /* no reading takes more than this part of the cache */

typedef struct {
	MsCacheKey key;
	GBytes *reading;
	GList *link; /* in `order` */
} Entry;

struct MsCache {
	guint8 secret[MS_DIGEST_BYTES];
	guint64 max;
	pthread_mutex_t lock; /* all below */
	guint64 bytes;
	GHashTable *entries; /* MsCacheKey to Entry */
	GQueue order;        /* of Entry, the most recently used first */
	struct {
		guint64 mark, message; /* the second is IN_VAIN: not to be kept */
	} seen[SEEN];
};
#define IN_VAIN 0 /* no message has it */

static guint key_hash(gconstpointer key)
{
	guint hash;
	memcpy(&hash, ((const MsCacheKey *)key)->digest, sizeof hash);
	return hash;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, sizeof(MsCacheKey)) == 0;
}

static void entry_free(gpointer data)
{
	Entry *entry = data;
	g_bytes_unref(entry->reading);
	g_free(entry);
}

MsCache *ms_cache_new(guint64 max)
{
	MsCache *cache = g_new0(MsCache, 1);
	ms_digest_random(cache->secret);
	cache->max = max;
	pthread_mutex_init(&cache->lock, NULL);
	cache->entries = g_hash_table_new_full(key_hash, key_equal, NULL, entry_free);
	g_queue_init(&cache->order);
	return cache;
}

void ms_cache_free(MsCache *cache)
{
	if (cache == NULL)
		return;
	g_queue_clear(&cache->order);
	g_hash_table_unref(cache->entries);
	pthread_mutex_destroy(&cache->lock);
	g_free(cache);
}

void ms_cache_key(const MsCache *cache, const void *data, gsize len, const char *as, guint64 known,
	MsCacheKey *out)
{
	const MsPiece pieces[] = {{as, strlen(as)}, {&known, sizeof known}, {data, len}};
	ms_digest_pieces(cache->secret, pieces, G_N_ELEMENTS(pieces), out->digest);
}

static guint64 mark_of(const MsCacheKey *key)
{
	guint64 mark;
	memcpy(&mark, key->digest + 8, sizeof mark);
	return mark;
}

static bool seen_before(MsCache *cache, const MsCacheKey *key, guint64 message)
{
	guint64 mark = mark_of(key);
	guint slot = key_hash(key) % SEEN;
	bool before = cache->seen[slot].mark == mark;
	if (before && (cache->seen[slot].message == message ||
		cache->seen[slot].message == IN_VAIN))
		return false;
	cache->seen[slot].mark = mark;
	cache->seen[slot].message = message;
	return before;
}

GBytes *ms_cache_find(MsCache *cache, const MsCacheKey *key, guint64 message, bool *again_out)
{
	pthread_mutex_lock(&cache->lock);
	Entry *entry = g_hash_table_lookup(cache->entries, key);
	GBytes *reading = NULL;
	*again_out = entry == NULL && seen_before(cache, key, message);
	if (entry != NULL) {
		g_queue_unlink(&cache->order, entry->link);
		g_queue_push_head_link(&cache->order, entry->link);
		reading = g_bytes_ref(entry->reading);
	}
	pthread_mutex_unlock(&cache->lock);
	return reading;
}

static guint64 cost(const Entry *entry)
{
	return g_bytes_get_size(entry->reading) + OVERHEAD;
}

static void drop_last(MsCache *cache)
{
	Entry *entry = g_queue_pop_tail(&cache->order);
	cache->bytes -= cost(entry);
	g_hash_table_remove(cache->entries, &entry->key);
}

void ms_cache_keep(MsCache *cache, const MsCacheKey *key, GBytes *reading)
{
	if (g_bytes_get_size(reading) > cache->max / MAX_SHARE)
		return;
	pthread_mutex_lock(&cache->lock);
	if (!g_hash_table_contains(cache->entries, key)) {
		Entry *entry = g_new0(Entry, 1);
		entry->key = *key;
		entry->reading = g_bytes_ref(reading);
		g_queue_push_head(&cache->order, entry);
		entry->link = g_queue_peek_head_link(&cache->order);
		g_hash_table_insert(cache->entries, &entry->key, entry);
		cache->bytes += cost(entry);
		while (cache->bytes > cache->max)
			drop_last(cache);
	}
	pthread_mutex_unlock(&cache->lock);
}

void ms_cache_give_up(MsCache *cache, const MsCacheKey *key)
{
	pthread_mutex_lock(&cache->lock);
	guint slot = key_hash(key) % SEEN;
	cache->seen[slot].mark = mark_of(key);
	cache->seen[slot].message = IN_VAIN;
	pthread_mutex_unlock(&cache->lock);
}

guint64 ms_cache_bytes(MsCache *cache)
{
	pthread_mutex_lock(&cache->lock);
	guint64 bytes = cache->bytes;
	pthread_mutex_unlock(&cache->lock);
	return bytes;
}
