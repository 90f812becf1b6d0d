/*
 * A filter is made of all marks of a generation once; what is added later goes into a second,
 * small one, until it is large enough to make both one.  Numbers tell the states apart.
 *
 * There is no moment at which a known identifier is not found: each answer of the directory says
 * how far the mapping had grown, and a message that was read with less is read again.
 *
 * Any thread: one at a time has it, and another waits for that as long as its message may.
 */
#include "config.h"

#include <pthread.h>

#include "missent/answer.h"
#include "missent/clock.h"
#include "missent/filter.h"

#include "known.h"

#define SMALL 4096 /* marks that may always be in the second one */

struct MsKnowledge {
	MsDirectory *directory;
	MsReader *reader;
	pthread_mutex_t lock; /* of the next two */
	pthread_cond_t free;
	bool taken; /* all below is one thread's, also while it asks the directory */
	guint64 number;       /* of the state that the reader has; 0: not certain */
	guint64 last;         /* numbers are never used twice: readings are kept under them */
	char *generation;
	gint64 changes;
	gsize base;    /* marks in the first filter */
	GArray *added; /* of MsMark: those of the second */
};

MsKnowledge *ms_knowledge_new(MsDirectory *directory, MsReader *reader)
{
	MsKnowledge *k = g_new0(MsKnowledge, 1);
	k->directory = directory;
	k->reader = reader;
	pthread_mutex_init(&k->lock, NULL);
	pthread_cond_init(&k->free, NULL);
	k->added = g_array_new(FALSE, FALSE, sizeof(MsMark));
	return k;
}

void ms_knowledge_free(MsKnowledge *knowledge)
{
	if (knowledge == NULL)
		return;
	pthread_mutex_destroy(&knowledge->lock);
	pthread_cond_destroy(&knowledge->free);
	g_array_unref(knowledge->added);
	g_free(knowledge->generation);
	g_free(knowledge);
}

/* Loading what the directory knows may take another thread longer than a message has. */
static bool take(MsKnowledge *k, const MsPatience *patience)
{
	gint64 end = ms_patience_end(patience, G_MAXINT64);
	pthread_mutex_lock(&k->lock);
	while (k->taken && ms_clock_wait(&k->free, &k->lock, end))
		continue;
	bool mine = !k->taken;
	k->taken = true;
	pthread_mutex_unlock(&k->lock);
	return mine;
}

static void give_back(MsKnowledge *k)
{
	pthread_mutex_lock(&k->lock);
	k->taken = false;
	pthread_cond_signal(&k->free);
	pthread_mutex_unlock(&k->lock);
}

bool ms_knowledge_covers(
	MsKnowledge *k, guint64 number, const MsResolution *resolution, const MsPatience *patience)
{
	gint64 changes;
	const char *generation = ms_resolution_generation(resolution, &changes);
	if (!take(k, patience))
		return false;
	bool covers = number != 0 && number == k->number &&
		g_strcmp0(k->generation, generation) == 0 && k->changes >= changes;
	give_back(k);
	return covers;
}

static GBytes *build(const MsKnowledge *k, const GArray *marks)
{
	guint8 key[MS_FILTER_KEY_BYTES];
	ms_directory_filter_key(k->directory, key);
	return ms_filter_build(key, (const MsMark *)(const void *)marks->data, marks->len);
}

static bool give_base(MsKnowledge *k, const GArray *marks, GError **error)
{
	g_autoptr(GBytes) image = build(k, marks);
	g_array_set_size(k->added, 0);
	k->base = marks->len;
	return ms_reader_know(k->reader, image, ++k->last, error);
}

static bool give_added(MsKnowledge *k, const GArray *marks, GError **error)
{
	g_array_append_vals(k->added, marks->data, marks->len);
	g_autoptr(GBytes) image = build(k, k->added);
	return ms_reader_know_also(k->reader, image, ++k->last, error);
}

static bool update(MsKnowledge *k, GError **error)
{
	/* A reader that was started anew has nothing, and a large second filter is made one with
	 * the first: both begin from nothing. */
	bool afresh = k->number == 0 || ms_reader_known(k->reader) != k->number
		|| k->added->len > SMALL + k->base / 8;
	g_autoptr(MsKnown) known = NULL;
	if (ms_directory_known(k->directory, afresh ? NULL : k->generation, afresh ? 0 : k->changes,
		    &known, error) != MS_FOUND)
		return false;
	bool fine = true;
	if (known->whole || known->marks->len > 0)
		fine = known->whole ? give_base(k, known->marks, error)
				    : give_added(k, known->marks, error);
	if (!fine) {
		k->number = 0; /* what the reader has is not certain */
		return false;
	}
	k->number = ms_reader_known(k->reader);
	g_free(k->generation);
	k->generation = g_strdup(known->generation);
	k->changes = known->changes;
	return true;
}

bool ms_knowledge_update(MsKnowledge *k, const MsPatience *patience, GError **error)
{
	if (!take(k, patience)) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
			"another message loads them, and has not done so in time");
		return false;
	}
	/* For all that wait for it, and all that come: cut off it would never end. */
	const MsPatience *own = ms_patience_work(NULL);
	bool fine = update(k, error);
	ms_patience_work(own);
	give_back(k);
	return fine;
}
