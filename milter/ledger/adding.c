/*
 * Records come in from the threads that judge, each of which may answer its MTA once its record
 * is on disk.  Whoever finds nobody at it takes all that wait, in the order in which they came,
 * into one transaction, and tells each how it ended; those that come meanwhile are the next
 * one's.  So the cost of a sync, and the wait for a database that is locked, is shared.  A record
 * that cannot be added by itself is left out of the transaction and does the others no harm.
 */
#include "config.h"

#include <pthread.h>

#include "missent/patience.h"

#include "ledger_private.h"

/* Of one transaction; what a large one holds up would be the next ones. */
#define MOST_AT_ONCE 500

/* One who waits; on his own stack. */
typedef struct {
	MsRecord *record;
	bool done, fine;
	GError *error;
	pthread_cond_t turn; /* it is done, or nobody writes and this one is the first */
} Waiting;

struct Adding {
	pthread_mutex_t lock;
	GQueue waiting; /* of Waiting */
	bool busy;      /* somebody writes */
};

Adding *ledger_adding_new(void)
{
	Adding *adding = g_new0(Adding, 1);
	pthread_mutex_init(&adding->lock, NULL);
	g_queue_init(&adding->waiting);
	return adding;
}

void ledger_adding_free(Adding *adding)
{
	pthread_mutex_destroy(&adding->lock);
	g_free(adding);
}

/* ---- the transaction ------------------------------------------------------------------ */

/* All of it, or nothing of it. */
static void add_one(MsLedger *ledger, Waiting *w)
{
	w->fine = ledger_run(ledger, "SAVEPOINT one", NULL, &w->error);
	if (!w->fine)
		return;
	w->fine = ledger_add_record(ledger, w->record, &w->error)
		/* of one that waits nobody is told before it is held */
		&& (w->record->due != 0 || ledger_outbox_held(ledger, w->record, &w->error));
	if (!w->fine)
		ledger_run(ledger, "ROLLBACK TO one", NULL, NULL);
	ledger_run(ledger, "RELEASE one", NULL, NULL);
}

static void fail(GPtrArray *list, const GError *error)
{
	for (guint i = 0; i < list->len; i++) {
		Waiting *w = list->pdata[i];
		if (w->error == NULL)
			w->error = g_error_copy(error);
		w->fine = false;
	}
}

static void add_list(MsLedger *ledger, GPtrArray *list)
{
	g_autoptr(GError) error = NULL;
	if (!ledger_begin(ledger, &error)) {
		fail(list, error);
		return;
	}
	bool whole = true;
	for (guint i = 0; i < list->len && whole; i++) {
		Waiting *w = list->pdata[i];
		add_one(ledger, w);
		/* A full disk ends the transaction itself: what was in it is gone. */
		whole = w->fine || ms_sqlite_in_transaction(ledger->db);
		if (!whole)
			error = g_error_copy(w->error);
	}
	if (!ledger_end(ledger, whole, &error))
		fail(list, error);
}

/* ---- taking turns --------------------------------------------------------------------- */

/* With the lock held. */
static GPtrArray *take(Adding *adding, guint most)
{
	GPtrArray *list = g_ptr_array_new();
	for (void *w; list->len < most && (w = g_queue_pop_head(&adding->waiting)) != NULL;)
		g_ptr_array_add(list, w);
	return list;
}

/* With the lock held, but for the writing. */
static void write_waiting(MsLedger *ledger)
{
	Adding *adding = ledger->adding;
	g_autoptr(GPtrArray) list = take(adding, MOST_AT_ONCE);
	adding->busy = true;
	pthread_mutex_unlock(&adding->lock);
	const MsPatience *own = ms_patience_work(NULL); /* it is the others' too */
	add_list(ledger, list);
	ms_patience_work(own);
	pthread_mutex_lock(&adding->lock);
	adding->busy = false;
	for (guint i = 0; i < list->len; i++) {
		Waiting *w = list->pdata[i];
		w->done = true;
		pthread_cond_signal(&w->turn);
	}
	/* Of those that came meanwhile the first writes them; no other is woken for that. */
	Waiting *next = g_queue_peek_head(&adding->waiting);
	if (next != NULL)
		pthread_cond_signal(&next->turn);
}

bool ms_records_add(MsLedger *ledger, MsRecord *record, GError **error)
{
	Adding *adding = ledger->adding;
	Waiting w = {.record = record, .turn = PTHREAD_COND_INITIALIZER};
	pthread_mutex_lock(&adding->lock);
	g_queue_push_tail(&adding->waiting, &w);
	while (!w.done) {
		if (adding->busy)
			pthread_cond_wait(&w.turn, &adding->lock);
		else
			write_waiting(ledger);
	}
	pthread_mutex_unlock(&adding->lock);
	pthread_cond_destroy(&w.turn);
	if (w.error != NULL)
		g_propagate_error(error, w.error);
	return w.fine;
}
