/*
 * The messages whose verdict is being made, so that one that hangs is noticed: each thread puts
 * its own in when it begins and takes it out when it has done; care.c looks each second.  What is
 * told is copied first: nobody writes a log while he has the lock.
 */
#include "config.h"

#include <pthread.h>

#include "missent/log.h"
#include "missent/numbers.h"

#include "daemon.h"

static pthread_mutex_t hand_lock = PTHREAD_MUTEX_INITIALIZER;
static GQueue in_hand = G_QUEUE_INIT; /* of Hand */

void hand_begin(Hand *hand, const char *queue_id)
{
	hand->link = (GList){.data = hand};
	hand->queue_id = queue_id;
	hand->since = g_get_monotonic_time();
	hand->told = false;
	hand->last = hand->since;
	pthread_mutex_lock(&hand_lock);
	g_queue_push_tail_link(&in_hand, &hand->link);
	pthread_mutex_unlock(&hand_lock);
}

void hand_end(Hand *hand)
{
	pthread_mutex_lock(&hand_lock);
	g_queue_unlink(&in_hand, &hand->link);
	pthread_mutex_unlock(&hand_lock);
	if (hand->told)
		ms_log(LOG_NOTICE, hand->queue_id, "it went on after %.1f s",
			(double)(g_get_monotonic_time() - hand->since) / G_USEC_PER_SEC);
}

typedef struct {
	char *queue_id;
	gint stage;
	gint64 age;
} Hung;

static void hung_clear(gpointer data)
{
	g_free(((Hung *)data)->queue_id);
}

/* They stand in the order in which they came: who is behind one that is young is younger. */
guint hand_look(gint64 limit_us, guint *fresh_out)
{
	g_autoptr(GArray) fresh = g_array_new(FALSE, FALSE, sizeof(Hung));
	g_array_set_clear_func(fresh, hung_clear);
	gint64 now = g_get_monotonic_time();
	guint hanging = 0;
	pthread_mutex_lock(&hand_lock);
	for (const GList *l = in_hand.head; l != NULL; l = l->next) {
		Hand *hand = l->data;
		if (now - hand->since < limit_us)
			break;
		hanging++;
		if (hand->told)
			continue;
		hand->told = true;
		Hung hung = {g_strdup(hand->queue_id), g_atomic_int_get(&hand->stage),
			now - hand->since};
		g_array_append_val(fresh, hung);
	}
	pthread_mutex_unlock(&hand_lock);
	for (guint i = 0; i < fresh->len; i++) {
		const Hung *hung = &g_array_index(fresh, Hung, i);
		ms_log(LOG_ERR, hung->queue_id,
			"it has been in hand for %.1f s, now at \"%s\" (hung-after); its sender tries "
			"again",
			(double)hung->age / G_USEC_PER_SEC,
			ms_stage_names[CLAMP(hung->stage, 0, MS_N_STAGES - 1)]);
	}
	*fresh_out = fresh->len;
	return hanging;
}

/* ---- telling that it goes on ---------------------------------------------------------- */

/* Sendmail waits T=R from one word of a filter to the next, 10 s if nothing is said of it. */
#define TELL_US (3 * (gint64)G_USEC_PER_SEC)
#define LOOK_US G_USEC_PER_SEC

static Rounds progress;

/* With the lock held: he who is about to answer waits for it, so that no word of ours comes behind
 * his answer.  It is five bytes where nothing else is on its way, and does not block. */
static void tell_one(Hand *hand, gint64 now)
{
	if (hand->tell == NULL || now - hand->last < TELL_US)
		return;
	hand->last = now;
	if (!hand->tell(hand->user)) {
		ms_patience_lose(hand->patience);
		hand->tell = NULL;
	}
}

static void tell_all(void *unused)
{
	(void)unused;
	gint64 now = g_get_monotonic_time();
	threads_make();
	pthread_mutex_lock(&hand_lock);
	for (const GList *l = in_hand.head; l != NULL; l = l->next)
		tell_one(l->data, now);
	pthread_mutex_unlock(&hand_lock);
}

bool progress_start(void)
{
	return rounds_start(&progress, "progress", tell_all, NULL, LOOK_US);
}

void progress_stop(void)
{
	rounds_stop(&progress);
}
