/* Whose message is read next.  Private to client/.
 *
 * There are `lanes` for messages, and beside them one or more for what is known to cost little.
 * A message that computes for longer than a slice is dear: of the lanes so many may be taken by
 * dear ones that some are left for others.  If that many are, and others wait, it gives up its
 * lane and is read again, from the beginning, when a dear lane is free.  Who waits is ordered by
 * what the message is expected to cost, as measured of its shape and size, and by how much of the
 * same sender waits already.  One sender never has all lanes, but for moments.
 *
 * Threads: any. */
#ifndef MISSENT_CLIENT_QUEUE_H
#define MISSENT_CLIENT_QUEUE_H

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>

#include "missent/reader.h"

typedef struct MsQueue MsQueue;

typedef enum { LANE_NONE, LANE_ANY, LANE_DEAR, LANE_QUICK, LANE_INNER } Lane;

/* One message's place: zeroed by queue_turn(), then the queue's. */
typedef struct {
	guint32 who;
	guint class;
	bool dear;    /* it goes into a dear lane, and stays there */
	bool quick;   /* known to cost little */
	bool over;    /* it has computed for longer than a slice */
	gint64 start, cost, tag; /* the lowest tag is next */
	Lane lane;
	gint64 began;
	gint64 spent; /* computing, by who knows it; 0: not known */
	pthread_cond_t granted;
} Turn;

/* How many workers there must be for a queue of so many lanes. */
guint queue_workers(guint lanes);
/* `fair` false: all alike, first come, first served. */
MsQueue *queue_new(guint lanes, guint max_waiting, bool fair);
void queue_free(MsQueue *queue);

void queue_turn(MsQueue *queue, Turn *turn, const MsErrand *errand, guint64 size);
/* Waits for a lane until `end` (monotonic).  False: there was none, or too many wait. */
bool queue_enter(MsQueue *queue, Turn *turn, gint64 end, GError **error);
/* For a job within a job, whose worker waits for it meanwhile: it takes no lane of others. */
bool queue_enter_inner(MsQueue *queue, Turn *turn, gint64 end);
/* Of a job that runs: what it has computed so far.  True: it must give up its lane, and enter
 * again.  `*over_out`: from now on it is over its slice. */
#define QUEUE_LOOK_US 20000 /* how often to ask */
bool queue_must_yield(MsQueue *queue, Turn *turn, gint64 cpu_us, bool *over_out);
/* `fine`: it was read to its end, so that what it took is worth knowing. */
void queue_leave(MsQueue *queue, Turn *turn, bool fine);

/* When an errand first has to be looked at. */
gint64 queue_slice_us(const MsQueue *queue);

#endif
