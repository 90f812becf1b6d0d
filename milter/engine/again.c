/*
 * A message comes in that is put off, with the name under which it was counted; when the same one
 * comes again, that name goes out: from the same sender to the same recipients, of the same
 * Message-ID and text.  Any thread, under a lock.
 */
#include "config.h"

#include <pthread.h>
#include <string.h>

#include "missent/clock.h"
#include "missent/digest.h"

#include "again.h"

typedef struct {
	char *name; /* the key of it; first in `order` */
	MsCounted counted;
	gint64 until; /* by the steady clock */
} Entry;

struct MsAgain {
	pthread_mutex_t lock;
	GHashTable *entries; /* of Entry, by name, which is theirs */
	GQueue order;        /* of Entry, borrowed, the oldest first */
};

static void entry_free(gpointer data)
{
	Entry *entry = data;
	g_free(entry->name);
	g_free(entry->counted.queue_id);
	g_free(entry);
}

MsAgain *ms_again_new(void)
{
	MsAgain *again = g_new0(MsAgain, 1);
	pthread_mutex_init(&again->lock, NULL);
	again->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
	return again;
}

void ms_again_free(MsAgain *again)
{
	if (again == NULL)
		return;
	pthread_mutex_destroy(&again->lock);
	g_queue_clear(&again->order);
	g_hash_table_unref(again->entries);
	g_free(again);
}

static void add(GChecksum *sum, const char *text)
{
	g_checksum_update(sum, (const guchar *)text, (gssize)strlen(text) + 1);
}

/* NULL: it cannot be told from its like. */
static char *name_of(const MsEnvelope *envelope, const MsReading *reading)
{
	const char *id = ms_reading_header(reading, "Message-ID");
	if (id == NULL || *id == '\0')
		return NULL;
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	add(sum, id);
	add(sum, envelope->sender);
	for (guint i = 0; i < envelope->recipients->len; i++)
		add(sum, envelope->recipients->pdata[i]);
	for (guint face = 0; face < reading->faces->len; face++) {
		guint8 text[MS_TEXT_DIGEST];
		if (ms_reading_text(reading, face, text))
			g_checksum_update(sum, text, sizeof text);
	}
	return g_strdup(g_checksum_get_string(sum));
}

static void forget(MsAgain *again, Entry *entry)
{
	g_queue_remove(&again->order, entry);
	g_hash_table_remove(again->entries, entry->name);
}

void ms_again_put(MsAgain *again, const MsEnvelope *envelope, const MsReading *reading,
	const MsCounted *counted)
{
	char *name = name_of(envelope, reading);
	if (name == NULL || counted->queue_id == NULL) {
		g_free(name);
		return;
	}
	Entry *entry = g_new0(Entry, 1);
	*entry = (Entry){name, {g_strdup(counted->queue_id), counted->arrived},
		ms_clock_steady() + MS_GUARD_KNOWN_SECONDS * (gint64)G_USEC_PER_SEC};
	pthread_mutex_lock(&again->lock);
	Entry *before = g_hash_table_lookup(again->entries, name);
	if (before != NULL)
		forget(again, before);
	else if (g_queue_get_length(&again->order) >= MS_AGAIN)
		forget(again, g_queue_peek_head(&again->order));
	g_hash_table_insert(again->entries, entry->name, entry);
	g_queue_push_tail(&again->order, entry);
	pthread_mutex_unlock(&again->lock);
}

bool ms_again_take(MsAgain *again, const MsEnvelope *envelope, const MsReading *reading,
	MsCounted *counted_out)
{
	g_autofree char *name = name_of(envelope, reading);
	pthread_mutex_lock(&again->lock);
	Entry *entry = name != NULL ? g_hash_table_lookup(again->entries, name) : NULL;
	bool there = entry != NULL && ms_clock_steady() < entry->until;
	if (there)
		*counted_out = (MsCounted){
			g_steal_pointer(&entry->counted.queue_id), entry->counted.arrived};
	if (entry != NULL)
		forget(again, entry);
	pthread_mutex_unlock(&again->lock);
	return there;
}
