/*
 * More than can be done at once: what waits, in which order, what is refused, and with which
 * words.
 */
#include "config.h"

#include <pthread.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/engine.h"

#include "../../milter/engine/gate.h"
#include "../test.h"

static char *dir;

/* ---- the gate ------------------------------------------------------------------------- */

typedef struct {
	MsGate *gate;
	pthread_mutex_t lock;
	guint inside, most_inside, order[64], n;
} Yard;

typedef struct {
	Yard *yard;
	guint number;
	bool in;
	char *words;
} Visitor;

static void *visit(void *user)
{
	Visitor *v = user;
	Yard *y = v->yard;
	g_autoptr(GError) error = NULL;
	v->in = ms_gate_enter(y->gate, NULL, &error);
	if (!v->in) {
		g_assert_error(error, MS_ERROR, MS_ERROR_BUSY);
		v->words = g_strdup(error->message);
		return NULL;
	}
	pthread_mutex_lock(&y->lock);
	y->order[y->n++] = v->number;
	y->inside++;
	y->most_inside = MAX(y->most_inside, y->inside);
	pthread_mutex_unlock(&y->lock);
	g_usleep(20 * 1000);
	pthread_mutex_lock(&y->lock);
	y->inside--;
	pthread_mutex_unlock(&y->lock);
	ms_gate_leave(y->gate);
	return NULL;
}

static void wait_for(MsGate *gate, guint inside, guint waiting)
{
	guint i, w;
	do {
		g_usleep(1000);
		ms_gate_counts(gate, &i, &w);
	} while (i != inside || w != waiting);
}

/* Two places, ten that wait: those who came first go in first, and the last ones are sent away. */
static void test_gate(void)
{
	Yard yard = {.gate = ms_gate_new(2, 10, 20000), .lock = PTHREAD_MUTEX_INITIALIZER};
	g_assert_true(ms_gate_enter(yard.gate, NULL, NULL));
	g_assert_true(ms_gate_enter(yard.gate, NULL, NULL));
	Visitor visitors[13];
	pthread_t threads[13];
	for (guint i = 0; i < 10; i++) {
		visitors[i] = (Visitor){.yard = &yard, .number = i};
		pthread_create(&threads[i], NULL, visit, &visitors[i]);
		wait_for(yard.gate, 2, i + 1);
	}
	for (guint i = 10; i < 13; i++) {
		visitors[i] = (Visitor){.yard = &yard, .number = i};
		visit(&visitors[i]);
		g_assert_cmpstr(visitors[i].words, ==,
			"2 messages are being judged at length and 10 wait for it (queue in "
			"section judging)");
		g_free(visitors[i].words);
	}
	ms_gate_leave(yard.gate);
	for (guint i = 0; i < 10; i++)
		pthread_join(threads[i], NULL);
	ms_gate_leave(yard.gate);
	g_assert_cmpuint(yard.n, ==, 10);
	for (guint i = 0; i < 10; i++)
		g_assert_cmpuint(yard.order[i], ==, i); /* one place: one after the other */
	g_assert_cmpuint(yard.most_inside, ==, 1);
	wait_for(yard.gate, 0, 0);
	ms_gate_free(yard.gate);
}

/* Who has no time left does not wait for his turn. */
static void test_hurry(void)
{
	MsGate *gate = ms_gate_new(1, 5, 60000);
	g_autoptr(GError) error = NULL;
	MsPatience patience;
	g_assert_true(ms_gate_enter(gate, NULL, NULL));
	ms_patience_begin(&patience, 100);
	g_assert_false(ms_gate_enter(gate, &patience, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_BUSY);
	g_assert_cmpint(g_get_monotonic_time() - patience.until, <, 20 * G_USEC_PER_SEC);
	ms_gate_leave(gate);
	ms_gate_free(gate);
}

/* Who waits too long is sent away and is no longer in line. */
static void test_late(void)
{
	Yard yard = {.gate = ms_gate_new(1, 10, 50), .lock = PTHREAD_MUTEX_INITIALIZER};
	g_assert_true(ms_gate_enter(yard.gate, NULL, NULL));
	Visitor late = {.yard = &yard};
	visit(&late);
	g_assert_false(late.in);
	g_free(late.words);
	wait_for(yard.gate, 1, 0);
	ms_gate_leave(yard.gate);
	g_assert_true(ms_gate_enter(yard.gate, NULL, NULL));
	ms_gate_leave(yard.gate);
	ms_gate_free(yard.gate);
}

/* ---- messages ------------------------------------------------------------------------- */

static void write_file(const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static MsRuntime *start(guint waiting)
{
	g_autofree char *reader = built_file("missent-reader");
	g_autofree char *text = g_strdup_printf(
		"mode = enforce\nstate-dir = \"%s\"\n"
		"policy-dir = \"%s/policies\"\nreader {\n program = \"%s\"\n workers = 1\n queue = %u\n}\ndirectory {\n digests = no\n}\n",
		dir, dir, reader, waiting);
	write_file("missent.conf", text);
	g_autofree char *config = g_build_filename(dir, "missent.conf", NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char *warning = NULL;
	MsRuntime *runtime = ms_runtime_load(
		config, MS_PARTS_CHECK | MS_PARTS_WRITE, &warning, &error);
	g_assert_no_error(error);
	return runtime;
}

typedef struct {
	MsRuntime *runtime;
	pthread_barrier_t *barrier;
	int fd;
	guint64 size;
	bool judged;
	MsAction action;
} Sender;

static void *send_one(void *user)
{
	Sender *s = user;
	g_autoptr(MsEnvelope) e = ms_envelope_new();
	g_autoptr(MsJudgement) j = NULL;
	g_autoptr(GError) error = NULL;
	e->sender = g_strdup("billing@seller.example");
	e->size = s->size;
	g_ptr_array_add(e->recipients, g_strdup("a@a.example"));
	pthread_barrier_wait(s->barrier);
	s->judged = ms_engine_judge(s->runtime, e, s->fd, s->size, &j, &error);
	if (s->judged) {
		s->action = j->verdict->action;
	} else {
		g_assert_error(error, MS_ERROR, MS_ERROR_BUSY);
		g_assert_true(g_str_has_prefix(error->message, "overloaded: "));
		g_assert_true(g_str_has_suffix(error->message, " refused so far"));
		g_assert_null(j);
	}
	return NULL;
}

#define SENDERS 12

static guint send_all(MsRuntime *runtime)
{
	g_autoptr(GString)
		text = g_string_new("From: billing@seller.example\r\nSubject: s\r\n\r\n");
	for (int i = 0; i < 20000; i++)
		g_string_append_printf(
			text, "lorem ipsum dolor sit amet consetetur %08d sadipscing elitr\r\n", i);
	int fd = ms_memory_file("test");
	g_assert_cmpint(write(fd, text->str, text->len), ==, (gssize)text->len);
	g_assert_true(ms_memory_seal(fd));
	pthread_barrier_t barrier;
	pthread_barrier_init(&barrier, NULL, SENDERS);
	Sender senders[SENDERS];
	pthread_t threads[SENDERS];
	guint judged = 0;
	for (int i = 0; i < SENDERS; i++) {
		senders[i] = (Sender){
			.runtime = runtime, .barrier = &barrier, .fd = fd, .size = text->len};
		pthread_create(&threads[i], NULL, send_one, &senders[i]);
	}
	for (int i = 0; i < SENDERS; i++) {
		pthread_join(threads[i], NULL);
		judged += senders[i].judged;
		/* the directory is empty, so nothing could be looked up: never clean */
		g_assert_true(!senders[i].judged || senders[i].action == MS_TEMPFAIL);
	}
	pthread_barrier_destroy(&barrier);
	close(fd);
	return judged;
}

static void test_messages(void)
{
	MsRuntime *few = start(2);
	MsLoad load;
	guint judged = send_all(few);
	g_assert_cmpuint(judged, >=, 2);
	g_assert_cmpuint(judged, <, SENDERS);
	ms_runtime_load_counts(few, &load);
	g_assert_cmpuint(load.refused, ==, SENDERS - judged);
	g_assert_cmpuint(load.judging + load.waiting, ==, 0);
	ms_runtime_unref(few);
	MsRuntime *enough = start(SENDERS);
	g_assert_cmpuint(send_all(enough), ==, SENDERS);
	ms_runtime_unref(enough);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	dir = scratch_folder();
	g_autofree char *kinds = read_source("policies/kinds.conf");
	g_autofree char *policies = g_build_filename(dir, "policies", NULL);
	g_mkdir(policies, 0755);
	write_file("policies/kinds.conf", kinds);
	write_file("policies/all.conf", "policy \"all\" {\n}\n");
	g_test_add_func("/overload/gate", test_gate);
	g_test_add_func("/overload/hurry", test_hurry);
	g_test_add_func("/overload/late", test_late);
	g_test_add_func("/overload/messages", test_messages);
	int rc = g_test_run();
	remove_folder(dir);
	g_free(dir);
	return rc;
}
