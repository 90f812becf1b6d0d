/* Whose message is read next: the rules of reader/queue.h, one by one, without any reader. */
#include "config.h"

#include <pthread.h>
#include <unistd.h>

#include "missent/answer.h"

#include "../../milter/client/queue.h"
#include "../test.h"

#define SMALL 1000
#define LARGE (4 << 20)
#define SOON (G_USEC_PER_SEC / 5)
#define PATIENT (60 * (gint64)G_USEC_PER_SEC)

static gint order; /* in which they were let in */

/* A message that waits in a thread of its own. */
typedef struct {
	MsQueue *queue;
	Turn turn;
	pthread_t thread;
	gint64 end;
	gint place; /* when it was let in; 0: not yet */
	bool refused;
} Message;

static void *enter(void *user)
{
	Message *m = user;
	g_autoptr(GError) error = NULL;
	if (queue_enter(m->queue, &m->turn, m->end, &error))
		g_atomic_int_set(&m->place, g_atomic_int_add(&order, 1) + 1);
	else
		m->refused = error != NULL && error->code == MS_ERROR_BUSY;
	return NULL;
}

static void begin(Message *m, MsQueue *queue, const char *who, MsShape shape, guint64 size)
{
	const MsErrand errand = {who, shape};
	memset(m, 0, sizeof *m);
	m->queue = queue;
	m->end = g_get_monotonic_time() + PATIENT;
	queue_turn(queue, &m->turn, &errand, size);
	g_assert_cmpint(pthread_create(&m->thread, NULL, enter, m), ==, 0);
	for (int i = 0; i < 50 && g_atomic_int_get(&m->place) == 0; i++)
		g_usleep(1000); /* so that they come one after the other */
}

static bool comes_in(Message *m, gint64 us)
{
	gint64 end = g_get_monotonic_time() + us;
	while (g_atomic_int_get(&m->place) == 0 && g_get_monotonic_time() < end)
		g_usleep(1000);
	return g_atomic_int_get(&m->place) != 0;
}

/* On a busy machine it takes its time ... */
static bool is_in(Message *m)
{
	return comes_in(m, PATIENT);
}

/* ... and so long it would not. */
static bool stays_out(Message *m)
{
	return !comes_in(m, SOON);
}

static void leave(Message *m)
{
	pthread_join(m->thread, NULL);
	queue_leave(m->queue, &m->turn, true);
}

/* So that the queue knows what such messages cost. */
static void teach(MsQueue *queue, MsShape shape, guint64 size, bool dear, int times)
{
	for (int i = 0; i < times; i++) {
		Message m;
		bool over;
		begin(&m, queue, "teacher", shape, size);
		pthread_join(m.thread, NULL);
		if (dear && m.turn.lane != LANE_DEAR)
			queue_must_yield(queue, &m.turn, 10 * G_USEC_PER_SEC, &over);
		queue_leave(queue, &m.turn, true);
	}
}

static bool become_dear(Message *m)
{
	bool over;
	return !queue_must_yield(m->queue, &m->turn, 10 * G_USEC_PER_SEC, &over) &&
		m->turn.lane == LANE_DEAR;
}

/* Half of the lanes may be dear; a third dear one yields as soon as somebody else waits. */
static void test_dear(void)
{
	MsQueue *queue = queue_new(4, 100, true);
	Message m[4], other;
	bool over;
	for (int i = 0; i < 4; i++) {
		g_autofree char *who = g_strdup_printf("sender %d", i);
		begin(&m[i], queue, who, MS_SHAPE_OTHER, SMALL);
		g_assert_true(is_in(&m[i]));
	}
	g_assert_true(become_dear(&m[0]));
	g_assert_true(become_dear(&m[1]));
	/* Nobody waits: it may go on, but is over its slice from now on, which is said once. */
	g_assert_false(queue_must_yield(queue, &m[2].turn, 10 * G_USEC_PER_SEC, &over));
	g_assert_true(over);
	g_assert_false(queue_must_yield(queue, &m[2].turn, 11 * G_USEC_PER_SEC, &over));
	g_assert_false(over);
	begin(&other, queue, "other", MS_SHAPE_OTHER, SMALL);
	g_assert_true(stays_out(&other));
	g_assert_true(queue_must_yield(queue, &m[2].turn, 12 * G_USEC_PER_SEC, &over));
	m[3].turn.began = g_get_monotonic_time(); /* however long all this took */
	g_assert_false(queue_must_yield(queue, &m[3].turn, 1000, &over)); /* within its slice */
	g_assert_false(queue_must_yield(queue, &m[0].turn, 99 * G_USEC_PER_SEC, &over)); /* may */
	queue_leave(queue, &m[2].turn, false);
	g_assert_true(is_in(&other));
	/* As a dear one it waits for a dear lane, whatever else is free. */
	m[2].turn.dear = true;
	pthread_join(m[2].thread, NULL);
	leave(&m[3]);
	g_atomic_int_set(&m[2].place, 0);
	g_assert_cmpint(pthread_create(&m[2].thread, NULL, enter, &m[2]), ==, 0);
	g_assert_true(stays_out(&m[2]));
	leave(&m[0]);
	g_assert_true(is_in(&m[2]));
	leave(&m[1]);
	leave(&m[2]);
	leave(&other);
	queue_free(queue);
}

/* What is known to cost little has a lane of its own beside dear and unknown ones; what is not
 * known waits, also for those that came before it. */
static void test_quick(void)
{
	MsQueue *queue = queue_new(2, 100, true);
	Message m[2], unknown, quick;
	for (int i = 0; i < 2; i++) {
		g_autofree char *who = g_strdup_printf("sender %d", i);
		begin(&m[i], queue, who, MS_SHAPE_OTHER, SMALL);
		g_assert_true(is_in(&m[i]));
	}
	begin(&unknown, queue, "other", MS_SHAPE_OTHER, SMALL);
	g_assert_true(stays_out(&unknown));
	begin(&quick, queue, "other", MS_SHAPE_TEXT, SMALL);
	g_assert_true(is_in(&quick));
	leave(&quick);
	/* A text that turned out to cost much is none of these any more. */
	leave(&m[0]);
	g_assert_true(is_in(&unknown));
	leave(&unknown);
	teach(queue, MS_SHAPE_TEXT, SMALL, true, 20);
	begin(&m[0], queue, "sender 3", MS_SHAPE_OTHER, SMALL);
	g_assert_true(is_in(&m[0]));
	begin(&quick, queue, "other", MS_SHAPE_TEXT, SMALL);
	g_assert_true(stays_out(&quick));
	leave(&m[0]);
	g_assert_true(is_in(&quick));
	leave(&quick);
	leave(&m[1]);
	queue_free(queue);
}

/* One sender's hundred messages are not before another's one. */
static void test_senders(void)
{
	MsQueue *queue = queue_new(2, 1000, true);
	Message first[2], many[100], other;
	for (int i = 0; i < 2; i++)
		begin(&first[i], queue, "billing", MS_SHAPE_OTHER, SMALL);
	g_assert_true(is_in(&first[0]) && is_in(&first[1]));
	for (int i = 0; i < 100; i++)
		begin(&many[i], queue, "billing", MS_SHAPE_OTHER, SMALL);
	begin(&other, queue, "support", MS_SHAPE_OTHER, SMALL);
	for (int i = 0; i < 2; i++)
		leave(&first[i]);
	int before = 0;
	for (int done = 0; done < 101;) {
		for (int i = 0; i < 100; i++) {
			if (g_atomic_int_get(&many[i].place) == 0 || many[i].queue == NULL)
				continue;
			leave(&many[i]);
			many[i].queue = NULL;
			before += g_atomic_int_get(&other.place) == 0;
			done++;
		}
		if (g_atomic_int_get(&other.place) != 0 && other.queue != NULL) {
			leave(&other);
			other.queue = NULL;
			done++;
		}
		g_usleep(100);
	}
	g_test_message("%d of 100 went before it", before);
	g_assert_cmpint(before, <, 50);
	queue_free(queue);
}

/* Of four lanes one sender has three. */
static void test_one_sender(void)
{
	MsQueue *queue = queue_new(4, 100, true);
	Message m[4], other;
	for (int i = 0; i < 4; i++)
		begin(&m[i], queue, "billing", MS_SHAPE_OTHER, SMALL);
	g_assert_true(is_in(&m[0]) && is_in(&m[1]) && is_in(&m[2]));
	g_assert_true(stays_out(&m[3]));
	begin(&other, queue, "support", MS_SHAPE_OTHER, SMALL);
	g_assert_true(is_in(&other));
	leave(&other);
	g_assert_true(stays_out(&m[3]));
	leave(&m[0]);
	g_assert_true(is_in(&m[3]));
	for (int i = 1; i < 4; i++)
		leave(&m[i]);
	queue_free(queue);
}

/* Large ones whose like was always dear take no slice of others before they wait. */
static void test_large(void)
{
	MsQueue *queue = queue_new(4, 100, true);
	Message m[4];
	teach(queue, MS_SHAPE_OTHER, LARGE, true, 4);
	for (int i = 0; i < 4; i++) {
		g_autofree char *who = g_strdup_printf("sender %d", i);
		begin(&m[i], queue, who, MS_SHAPE_OTHER, LARGE);
	}
	g_assert_true(is_in(&m[0]) && is_in(&m[1]));
	g_assert_true(stays_out(&m[2]));
	g_assert_cmpint(m[0].turn.lane, ==, LANE_DEAR);
	for (int i = 0; i < 4; i++) {
		g_assert_true(is_in(&m[i]));
		leave(&m[i]);
	}
	queue_free(queue);
}

/* The queue is bounded, and so is patience. */
static void test_bounds(void)
{
	MsQueue *queue = queue_new(1, 2, true);
	Message in, waiting[2], over, late;
	begin(&in, queue, "a", MS_SHAPE_OTHER, SMALL);
	g_assert_true(is_in(&in));
	for (int i = 0; i < 2; i++)
		begin(&waiting[i], queue, "b", MS_SHAPE_OTHER, SMALL);
	begin(&over, queue, "c", MS_SHAPE_OTHER, SMALL);
	pthread_join(over.thread, NULL);
	g_assert_true(over.refused);
	leave(&in);
	for (int i = 0; i < 2; i++) {
		g_assert_true(is_in(&waiting[i]));
		if (i == 0) {
			const MsErrand errand = {"c", MS_SHAPE_OTHER};
			memset(&late, 0, sizeof late);
			late.queue = queue;
			late.end = g_get_monotonic_time() + 50000;
			queue_turn(queue, &late.turn, &errand, SMALL);
			enter(&late);
			g_assert_true(late.refused);
		}
		leave(&waiting[i]);
	}
	queue_free(queue);
}

/* Readings within readings have lanes of their own: nobody waits for who waits for him. */
static void test_inner(void)
{
	MsQueue *queue = queue_new(2, 100, true);
	Message m[2];
	Turn inner, second;
	for (int i = 0; i < 2; i++)
		begin(&m[i], queue, i == 0 ? "a" : "b", MS_SHAPE_OTHER, SMALL);
	g_assert_true(queue_enter_inner(queue, &inner, g_get_monotonic_time() + 1000));
	g_assert_false(queue_enter_inner(queue, &second, g_get_monotonic_time() + 1000));
	queue_leave(queue, &inner, false);
	g_assert_true(queue_enter_inner(queue, &second, g_get_monotonic_time() + 1000));
	queue_leave(queue, &second, false);
	for (int i = 0; i < 2; i++)
		leave(&m[i]);
	queue_free(queue);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/queue/dear", test_dear);
	g_test_add_func("/queue/quick", test_quick);
	g_test_add_func("/queue/senders", test_senders);
	g_test_add_func("/queue/one-sender", test_one_sender);
	g_test_add_func("/queue/large", test_large);
	g_test_add_func("/queue/bounds", test_bounds);
	g_test_add_func("/queue/inner", test_inner);
	return g_test_run();
}
