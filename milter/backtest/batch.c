/*
 * Stored mail comes in; each message is handed to a thread, and what it makes of it goes out.  The
 * caller's thread reads files, so many messages ahead that a mailbox larger than memory is no
 * matter.
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>

#include "missent/answer.h"
#include "missent/clock.h"
#include "missent/stored.h"

#include "backtest_private.h"

#define AHEAD 3         /* messages a thread that wait for it */
#define EVERY_US 200000 /* progress is told */

typedef struct {
	const MsBatchAsk *ask;
	const MsBatchFuncs *funcs;
	BacktestState *state;
	MsBatchProgress *progress;
	gint64 start, told;
	GThreadPool *pool;
	pthread_mutex_t lock; /* all below, `progress`, `state`, and who takes rows */
	pthread_cond_t less;
	guint waiting;
	char *broken; /* why the state could not be written; NULL */
} Batch;

bool ms_batch_stopped(const MsBatchAsk *ask)
{
	return ask->stop != NULL && *ask->stop != 0;
}

gint64 ms_batch_cpu(void)
{
	struct rusage own, theirs;
	getrusage(RUSAGE_SELF, &own);
	getrusage(RUSAGE_CHILDREN, &theirs);
	gint64 seconds = own.ru_utime.tv_sec + own.ru_stime.tv_sec + theirs.ru_utime.tv_sec +
		theirs.ru_stime.tv_sec;
	return seconds * G_USEC_PER_SEC + own.ru_utime.tv_usec + own.ru_stime.tv_usec +
		theirs.ru_utime.tv_usec + theirs.ru_stime.tv_usec;
}

/* ---- a thread --------------------------------------------------------------------------- */

/* With the lock held. */
static void put(Batch *batch, const MsBatchItem *item, gpointer row, bool before)
{
	batch->progress->done++;
	batch->progress->before += before;
	if (!before && !backtest_state_add(batch->state, batch->funcs, row) &&
		batch->broken == NULL)
		batch->broken = g_strdup(g_strerror(errno));
	batch->funcs->take(item, row, batch->funcs->user);
}

static void work(gpointer data, gpointer user)
{
	MsBatchItem *item = data;
	Batch *batch = user;
	gsize len;
	const guint8 *bytes = g_bytes_get_data(item->bytes, &len);
	char *digest = g_compute_checksum_for_data(G_CHECKSUM_SHA256, bytes, len);
	digest[16] = '\0';
	item->digest = digest;
	pthread_mutex_lock(&batch->lock);
	gpointer row = backtest_state_take(batch->state, batch->funcs, item);
	pthread_mutex_unlock(&batch->lock);
	bool before = row != NULL;
	if (!before && !ms_batch_stopped(batch->ask))
		row = batch->funcs->work(item, batch->funcs->user);
	pthread_mutex_lock(&batch->lock);
	if (row != NULL)
		put(batch, item, row, before);
	batch->waiting--;
	pthread_cond_signal(&batch->less);
	pthread_mutex_unlock(&batch->lock);
	g_free((char *)item->name);
	g_bytes_unref(item->bytes);
	g_free(digest);
	g_free(item);
}

/* ---- who hands out ---------------------------------------------------------------------- */

/* With the lock held. */
static void tell(Batch *batch, bool now)
{
	gint64 time = g_get_monotonic_time();
	batch->progress->us = time - batch->start;
	if (batch->funcs->progress == NULL || (!now && time - batch->told < EVERY_US))
		return;
	batch->told = time;
	batch->funcs->progress(batch->progress, batch->funcs->progress_user);
}

/* With the lock held: until fewer wait. */
static void await(Batch *batch, guint fewer)
{
	while (batch->waiting >= fewer) {
		ms_clock_wait(&batch->less, &batch->lock, g_get_monotonic_time() + EVERY_US);
		tell(batch, false);
	}
}

typedef struct {
	Batch *batch;
	guint index;
	guint64 before; /* bytes of paths before this one */
	guint64 seen;
} Feeding;

static bool feed(const MsStored *message, void *user)
{
	Feeding *f = user;
	Batch *batch = f->batch;
	MsBatchItem *item = g_new(MsBatchItem, 1);
	*item = (MsBatchItem){f->index++, g_strdup(message->name), NULL,
		g_bytes_new(message->data, message->len), message->cut};
	pthread_mutex_lock(&batch->lock);
	await(batch, AHEAD * (guint)g_thread_pool_get_max_threads(batch->pool));
	batch->waiting++;
	batch->progress->bytes = f->before + message->at;
	tell(batch, false);
	pthread_mutex_unlock(&batch->lock);
	f->seen = message->at;
	g_thread_pool_push(batch->pool, item, NULL);
	return !ms_batch_stopped(batch->ask);
}

static bool feed_all(Batch *batch, GError **error)
{
	const char *const *paths = batch->ask->paths;
	Feeding f = {.batch = batch};
	for (int i = 0; paths[i] != NULL && !ms_batch_stopped(batch->ask); i++) {
		f.seen = 0;
		if (!ms_stored_each(paths[i], feed, &f, error))
			return false;
		f.before += f.seen;
	}
	return true;
}

static bool run(Batch *batch, GError **error)
{
	const MsBatchAsk *ask = batch->ask;
	for (int i = 0; ask->paths[i] != NULL; i++)
		batch->progress->total += ms_stored_size(ask->paths[i]);
	int threads = (int)(ask->threads > 0 ? ask->threads : g_get_num_processors());
	batch->pool = g_thread_pool_new(work, batch, threads, TRUE, error);
	if (batch->pool == NULL)
		return false;
	bool fine = feed_all(batch, error);
	pthread_mutex_lock(&batch->lock);
	await(batch, 1);
	tell(batch, true);
	pthread_mutex_unlock(&batch->lock);
	g_thread_pool_free(batch->pool, FALSE, TRUE);
	return fine;
}

bool ms_batch_run(const MsBatchAsk *ask, const MsBatchFuncs *funcs, MsBatchProgress *progress_out,
	char **broken_out, GError **error)
{
	Batch batch = {.ask = ask,
		.funcs = funcs,
		.progress = progress_out,
		.start = g_get_monotonic_time(),
		.state = backtest_state_open(ask->state, ask->key, ask->afresh, error)};
	if (batch.state == NULL)
		return false;
	pthread_mutex_init(&batch.lock, NULL);
	pthread_cond_init(&batch.less, NULL);
	bool fine = run(&batch, error);
	backtest_state_free(batch.state);
	pthread_mutex_destroy(&batch.lock);
	pthread_cond_destroy(&batch.less);
	*broken_out = batch.broken;
	return fine;
}
