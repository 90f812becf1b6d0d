/*
 * Threads come to a gate and go in, wait, or are sent away: a queue that only grows is a delay
 * that only grows, and the MTA's own queue is a better one.  Who leaves hands his place to the one
 * who has waited longest; nobody overtakes.
 */
#include "config.h"

#include <pthread.h>

#include "missent/answer.h"
#include "missent/clock.h"

#include "gate.h"

/* On the stack of who waits. */
typedef struct {
	pthread_cond_t called;
	bool in;
} Waiting;

struct MsGate {
	guint at_once, most_waiting;
	gint64 wait_ms;
	pthread_mutex_t lock;
	GQueue waiting; /* of Waiting */
	guint inside;
};

MsGate *ms_gate_new(guint at_once, guint most_waiting, gint64 wait_ms)
{
	MsGate *gate = g_new0(MsGate, 1);
	gate->at_once = at_once;
	gate->most_waiting = most_waiting;
	gate->wait_ms = wait_ms;
	pthread_mutex_init(&gate->lock, NULL);
	g_queue_init(&gate->waiting);
	return gate;
}

void ms_gate_free(MsGate *gate)
{
	if (gate == NULL)
		return;
	pthread_mutex_destroy(&gate->lock);
	g_free(gate);
}

/* With the lock held.  Was it called in time? */
static bool wait_in_line(MsGate *gate, const MsPatience *patience)
{
	Waiting w = {.called = PTHREAD_COND_INITIALIZER};
	gint64 end = ms_patience_end(patience, g_get_monotonic_time() + gate->wait_ms * 1000);
	g_queue_push_tail(&gate->waiting, &w);
	while (!w.in && ms_clock_wait(&w.called, &gate->lock, end))
		continue;
	if (!w.in)
		g_queue_remove(&gate->waiting, &w);
	pthread_cond_destroy(&w.called);
	return w.in;
}

bool ms_gate_enter(MsGate *gate, const MsPatience *patience, GError **error)
{
	pthread_mutex_lock(&gate->lock);
	bool in = gate->inside < gate->at_once;
	if (in)
		gate->inside++;
	else if (gate->waiting.length < gate->most_waiting)
		in = wait_in_line(gate, patience);
	if (!in)
		g_set_error(error, MS_ERROR, MS_ERROR_BUSY,
			"%u messages are being judged at length and %u wait for it "
			"(queue in section judging)",
			gate->inside, gate->waiting.length);
	pthread_mutex_unlock(&gate->lock);
	return in;
}

/* The place goes to the next one, so that who comes now does not find it free. */
void ms_gate_leave(MsGate *gate)
{
	pthread_mutex_lock(&gate->lock);
	Waiting *next = g_queue_pop_head(&gate->waiting);
	if (next != NULL) {
		next->in = true;
		pthread_cond_signal(&next->called);
	} else {
		gate->inside--;
	}
	pthread_mutex_unlock(&gate->lock);
}

void ms_gate_counts(MsGate *gate, guint *inside_out, guint *waiting_out)
{
	pthread_mutex_lock(&gate->lock);
	*inside_out = gate->inside;
	*waiting_out = gate->waiting.length;
	pthread_mutex_unlock(&gate->lock);
}
