/*
 * holding - how many holds a second can be on disk before their MTAs are answered.
 *
 *   holding [SECONDS]        (2, for each line)
 *
 * So many threads add records to one ledger: apart, so that no two are added at a time and each
 * has a sync of its own, and together, as missentd does.  The last line is
 *
 *   holding: N threads: A a second apart, T together (R times)
 */
#include "config.h"

#include <pthread.h>
#include <stdio.h>

#include "missent/ledger.h"
#include "../test.h"

typedef struct {
	MsLedger *ledger;
	pthread_mutex_t *apart; /* or NULL */
	gint64 until;
	guint done;
} Worker;

static MsRecord *a_record(void)
{
	MsRecord *r = ms_record_new();
	r->host = g_strdup("mx");
	r->queue_id = g_strdup("4Q1");
	r->sender = g_strdup("billing@seller.example");
	r->arrived = g_get_real_time();
	r->codes = g_strdup("mismatch, unproven");
	r->cause = g_strdup(
		"mismatch (customer-number), for wrong, invoices, <billing@seller.example>");
	ms_record_recipient(r, "kunde@alpha.example", MS_STATE_HELD, MS_OUTCOME_WRONG, "AC-1");
	for (int i = 0; i < 3; i++)
		ms_record_finding(r,
			(MsHeldFinding){.kind = (char *)"customer-number",
				.masked = (char *)"****02",
				.ref = (char *)"0123456789abcdef01234567",
				.owners = (char *)"AC-2",
				.belief = (char *)"exact, labelled",
				.where = (char *)"part 1 text/plain",
				.count = 1,
				.relations = (char *)"x"});
	return r;
}

static void *work(void *user)
{
	Worker *w = user;
	while (g_get_monotonic_time() < w->until) {
		g_autoptr(MsRecord) record = a_record();
		g_autoptr(GError) error = NULL;
		if (w->apart != NULL)
			pthread_mutex_lock(w->apart);
		if (!ms_records_add(w->ledger, record, &error))
			g_error("%s", error->message);
		if (w->apart != NULL)
			pthread_mutex_unlock(w->apart);
		w->done++;
	}
	return NULL;
}

static double rate(MsLedger *ledger, guint threads, pthread_mutex_t *apart, double seconds)
{
	pthread_t *ids = g_new(pthread_t, threads);
	Worker *workers = g_new0(Worker, threads);
	gint64 start = g_get_monotonic_time();
	guint done = 0;
	for (guint i = 0; i < threads; i++) {
		workers[i] = (Worker){ledger, apart, start + (gint64)(seconds * 1e6), 0};
		pthread_create(&ids[i], NULL, work, &workers[i]);
	}
	for (guint i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		done += workers[i].done;
	}
	double took = (double)(g_get_monotonic_time() - start) / 1e6;
	g_free(ids);
	g_free(workers);
	return done / took;
}

int main(int argc, char **argv)
{
	static const guint threads[] = {1, 4, 16, 64};
	double seconds = argc > 1 ? g_ascii_strtod(argv[1], NULL) : 2;
	g_autofree char *dir = scratch_folder();
	g_autofree char *path = g_build_filename(dir, "held.db", NULL);
	g_autoptr(GError) error = NULL;
	MsLedger *ledger = ms_ledger_open(path, &error);
	if (ledger == NULL)
		g_error("%s", error->message);
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	double apart = 0, together = 0;
	guint last = threads[G_N_ELEMENTS(threads) - 1];
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
		apart = rate(ledger, threads[i], &lock, seconds);
		together = rate(ledger, threads[i], NULL, seconds);
		printf("  %2u threads  apart %7.0f a second  together %7.0f a second\n", threads[i],
			apart, together);
	}
	printf("holding: %u threads: %.0f a second apart, %.0f together (%.1f times)\n", last,
		apart, together, together / apart);
	ms_ledger_free(ledger);
	remove_folder(dir);
	return 0;
}
