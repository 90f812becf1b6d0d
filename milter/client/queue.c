/*
 * The order in which messages are read: see queue.h for the rules.
 *
 * A turn comes in by queue_enter() in the thread of its message, which sleeps until it is granted
 * a lane; whoever leaves or enters grants (grant_all()) under the one lock.  Nothing that a message
 * says is trusted: sizes and senders only move it among its like.
 */
#include "config.h"

#include <string.h>

#include "missent/answer.h"
#include "missent/clock.h"

#include "queue.h"

#define SLICE_US 80000
#define SLOW 4             /* slices of time, computed or not, after which a job is over, too */
#define CLASSES (3 * 40)   /* a shape and the logarithm of a size */
#define PRICES 8           /* up to 2, 4, 8 ... 128 ms, and more */
#define SENDERS 1024       /* told apart by a digest; two that share one wait for one another */
#define LARGE 18           /* 2^18 bytes: may go to the dear ones at once */
#define SURE 8             /* messages of a class after which its average is worth something */

typedef struct {
	gint64 average; /* microseconds of those that ended within their slice */
	guint n;
	guint over;     /* of 256, how many did not: a running average */
} Class;

struct MsQueue {
	guint lanes, dear_lanes, quick_lanes, inner_lanes, per_sender, max_waiting;
	bool fair;
	pthread_mutex_t lock; /* all below */
	GPtrArray *waiting, *running; /* of Turn, which is on the stack of its thread */
	guint in_lane[LANE_INNER + 1];
	Class classes[CLASSES];
	gint64 now, latest;   /* not the clock's; see tag() */
	gint64 ends[PRICES][SENDERS]; /* of what each has waiting, by what it costs */
	pthread_cond_t inner;
};

static guint quick_lanes(guint lanes)
{
	return 1 + lanes / 8;
}

static guint inner_lanes(guint lanes)
{
	return MAX(1, lanes / 2);
}

guint queue_workers(guint lanes)
{
	return lanes + quick_lanes(lanes) + inner_lanes(lanes);
}

MsQueue *queue_new(guint lanes, guint max_waiting, bool fair)
{
	MsQueue *queue = g_new0(MsQueue, 1);
	queue->lanes = lanes;
	queue->fair = fair;
	queue->dear_lanes = fair ? MAX(1, lanes / 2) : lanes;
	queue->quick_lanes = fair ? quick_lanes(lanes) : 0;
	queue->inner_lanes = inner_lanes(lanes);
	/* Where there are one or two, the quick one is what others have. */
	queue->per_sender = lanes >= 3 && fair ? lanes - 1 : G_MAXUINT;
	queue->max_waiting = max_waiting;
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->inner, NULL);
	queue->waiting = g_ptr_array_new();
	queue->running = g_ptr_array_new();
	return queue;
}

void queue_free(MsQueue *queue)
{
	if (queue == NULL)
		return;
	g_assert(queue->waiting->len == 0);
	g_ptr_array_unref(queue->waiting);
	g_ptr_array_unref(queue->running);
	pthread_cond_destroy(&queue->inner);
	pthread_mutex_destroy(&queue->lock);
	g_free(queue);
}

gint64 queue_slice_us(const MsQueue *queue)
{
	return queue->fair ? SLICE_US : G_MAXINT64 / 2;
}

/* ---- what is expected ----------------------------------------------------------------- */

static guint log_of(guint64 size)
{
	guint n = 0;
	for (; size > 0; size >>= 1)
		n++;
	return MIN(n, 39);
}

void queue_turn(MsQueue *queue, Turn *turn, const MsErrand *errand, guint64 size)
{
	memset(turn, 0, sizeof *turn);
	pthread_cond_init(&turn->granted, NULL);
	guint shape = errand != NULL ? MIN((guint)errand->shape, 2) : MS_SHAPE_OTHER;
	turn->class = shape * 40 + log_of(size);
	turn->who = errand != NULL && errand->who != NULL ? g_str_hash(errand->who) % SENDERS : 0;
	if (!queue->fair)
		return;
	pthread_mutex_lock(&queue->lock);
	const Class *class = &queue->classes[turn->class];
	turn->quick = class->n >= SURE ? class->over < 16 && class->average < SLICE_US / 2
				       : shape == MS_SHAPE_TEXT && size < 32768;
	turn->dear = log_of(size) > LARGE && class->n >= 4 && class->over > 200;
	pthread_mutex_unlock(&queue->lock);
}

static gint64 expected(const MsQueue *queue, const Turn *turn)
{
	const Class *class = &queue->classes[turn->class];
	if (turn->dear)
		return 10 * SLICE_US;
	if (class->n == 0)
		return turn->quick ? 5000 : SLICE_US;
	/* Those that did not end within it cost a whole slice here. */
	return CLAMP((class->average * (256 - class->over) + SLICE_US * class->over) / 256, 1000,
		SLICE_US);
}

/* Fair queueing (after Goyal's start times and Demers' finish times): in a time that goes on as
 * work is begun, each sender's messages come one after the other, and who has the earliest end is
 * next.  So nobody waits behind all that another sends, and what costs little goes first. */
static void tag(MsQueue *queue, Turn *turn)
{
	turn->cost = expected(queue, turn);
	/* What a sender has of one price does not wait for what he has of another. */
	gint64 *ends = &queue->ends[MIN(log_of((guint64)turn->cost / 2000), PRICES - 1)][turn->who];
	if (queue->waiting->len == 0)
		/* who was served while nobody waited owes nothing */
		queue->now = MAX(queue->now, queue->latest);
	turn->start = MAX(queue->now, *ends);
	*ends = turn->tag = turn->start + turn->cost;
	queue->latest = MAX(queue->latest, *ends);
}

static void learn(MsQueue *queue, const Turn *turn, gint64 took, bool over)
{
	Class *class = &queue->classes[turn->class];
	class->n = MIN(class->n + 1, 1000000);
	guint step = class->n < 8 ? class->n : 8; /* the first ones count for more */
	class->over = (class->over * (step - 1) + (over ? 256 : 0)) / step;
	if (over)
		return;
	class->average = class->average == 0
		? took
		: class->average + (took - class->average) / (gint64)step;
}

/* ---- lanes ---------------------------------------------------------------------------- */

static guint taken(const MsQueue *queue)
{
	return queue->in_lane[LANE_ANY] + queue->in_lane[LANE_DEAR];
}

static guint lanes_of(const MsQueue *queue, guint32 who)
{
	guint n = 0;
	for (guint i = 0; i < queue->running->len; i++) {
		const Turn *turn = queue->running->pdata[i];
		n += turn->who == who && !turn->quick;
	}
	return n;
}

/* The lane that it could have now. */
static Lane lane_for(const MsQueue *queue, const Turn *turn)
{
	bool may = taken(queue) < queue->lanes &&
		(turn->quick || queue->per_sender == G_MAXUINT ||
			lanes_of(queue, turn->who) < queue->per_sender);
	if (turn->dear)
		return may && queue->in_lane[LANE_DEAR] < queue->dear_lanes ? LANE_DEAR : LANE_NONE;
	if (may)
		return LANE_ANY;
	return turn->quick && queue->in_lane[LANE_QUICK] < queue->quick_lanes ? LANE_QUICK
									      : LANE_NONE;
}

static void grant(MsQueue *queue, Turn *turn, Lane lane)
{
	turn->lane = lane;
	queue->now = MAX(queue->now, turn->start) + turn->cost / queue->lanes;
	turn->began = g_get_monotonic_time();
	queue->in_lane[lane]++;
	g_ptr_array_add(queue->running, turn);
	pthread_cond_signal(&turn->granted);
}

static void grant_all(MsQueue *queue)
{
	for (;;) {
		guint best = queue->waiting->len;
		Lane lane = LANE_NONE;
		for (guint i = 0; i < queue->waiting->len; i++) {
			const Turn *turn = queue->waiting->pdata[i];
			if (best < queue->waiting->len &&
				turn->tag >= ((Turn *)queue->waiting->pdata[best])->tag)
				continue;
			Lane could = lane_for(queue, turn);
			if (could != LANE_NONE) {
				best = i;
				lane = could;
			}
		}
		if (lane == LANE_NONE)
			return;
		grant(queue, g_ptr_array_remove_index(queue->waiting, best), lane);
	}
}

bool queue_enter(MsQueue *queue, Turn *turn, gint64 end, GError **error)
{
	pthread_mutex_lock(&queue->lock);
	turn->lane = LANE_NONE;
	bool room = queue->waiting->len < queue->max_waiting;
	guint before = queue->waiting->len;
	if (room) {
		tag(queue, turn);
		g_ptr_array_add(queue->waiting, turn);
		grant_all(queue);
		while (turn->lane == LANE_NONE && ms_clock_wait(&turn->granted, &queue->lock, end))
			;
	}
	bool granted = turn->lane != LANE_NONE;
	if (room && !granted)
		g_ptr_array_remove_fast(queue->waiting, turn);
	pthread_mutex_unlock(&queue->lock);
	if (!room)
		g_set_error(error, MS_ERROR, MS_ERROR_BUSY,
			"%u messages wait to be read already (queue in "
			"section reader)",
			before);
	else if (!granted)
		g_set_error(error, MS_ERROR, MS_ERROR_BUSY,
			"no reader was free in time; %u messages waited before it", before);
	return granted;
}

bool queue_enter_inner(MsQueue *queue, Turn *turn, gint64 end)
{
	memset(turn, 0, sizeof *turn);
	pthread_cond_init(&turn->granted, NULL);
	pthread_mutex_lock(&queue->lock);
	bool granted;
	while (!(granted = queue->in_lane[LANE_INNER] < queue->inner_lanes)
		&& ms_clock_wait(&queue->inner, &queue->lock, end))
		;
	if (granted) {
		turn->lane = LANE_INNER;
		queue->in_lane[LANE_INNER]++;
	}
	pthread_mutex_unlock(&queue->lock);
	return granted;
}

/* Would anybody who waits get that lane? */
static bool is_wanted(const MsQueue *queue, const Turn *by)
{
	for (guint i = 0; i < queue->waiting->len; i++) {
		const Turn *turn = queue->waiting->pdata[i];
		if (!turn->dear && (by->lane == LANE_ANY || turn->quick))
			return true;
	}
	return false;
}

bool queue_must_yield(MsQueue *queue, Turn *turn, gint64 cpu_us, bool *over_out)
{
	*over_out = false;
	if (!queue->fair || turn->lane == LANE_DEAR || turn->lane == LANE_INNER)
		return false;
	/* On a busy machine one may take its time without computing: it yields, but is not dear for
	 * that. */
	bool costs = cpu_us >= SLICE_US;
	if (!costs && g_get_monotonic_time() - turn->began < SLOW * SLICE_US)
		return false;
	pthread_mutex_lock(&queue->lock);
	*over_out = costs && !turn->over;
	if (*over_out)
		learn(queue, turn, 0, true);
	turn->over |= costs;
	turn->quick = turn->quick && !costs;
	bool yield = false;
	bool moves = queue->in_lane[LANE_DEAR] < queue->dear_lanes
		&& (turn->lane == LANE_ANY || taken(queue) < queue->lanes);
	if (moves) {
		queue->in_lane[turn->lane]--;
		queue->in_lane[LANE_DEAR]++;
		turn->lane = LANE_DEAR;
		grant_all(queue);
	} else {
		yield = is_wanted(queue, turn);
	}
	pthread_mutex_unlock(&queue->lock);
	return yield;
}

void queue_leave(MsQueue *queue, Turn *turn, bool fine)
{
	/* What it computed: a busy machine is not the message's fault. */
	gint64 took = turn->spent > 0 ? turn->spent : g_get_monotonic_time() - turn->began;
	pthread_mutex_lock(&queue->lock);
	if (turn->lane != LANE_NONE) {
		queue->in_lane[turn->lane]--;
		g_ptr_array_remove_fast(queue->running, turn);
		if (turn->lane == LANE_INNER)
			pthread_cond_signal(&queue->inner);
		else if (fine && queue->fair && !turn->over)
			learn(queue, turn, took, turn->dear && took > SLICE_US);
	}
	turn->lane = LANE_NONE;
	grant_all(queue);
	pthread_mutex_unlock(&queue->lock);
}
