/*
 * Stored mail comes in; out goes a row for each message, in its order.  The caller's thread; those
 * of the batch judge.
 */
#include "config.h"

#include <pthread.h>
#include <string.h>

#include "missent/answer.h"
#include "missent/identifier.h"
#include "missent/text.h"

#include "backtest_private.h"

typedef struct {
	const MsBacktestAsk *ask;
	MsRuntime *runtime, *baseline;
	MsLedger *ledger;
	MsBacktest *out;
	pthread_mutex_t lock; /* of `delivered` */
	/* address to how many messages were to it alone, as delivery wrote */
	GHashTable *delivered;
} Run;

/* ---- one message ------------------------------------------------------------------------ */

static char *reason_words(const MsReason *r)
{
	GString *out = g_string_new(NULL);
	g_string_append_printf(
		out, "%s %s: %s", ms_action_names[r->action], ms_reason_names[r->code], r->text);
	if (r->masked != NULL)
		g_string_append_printf(out, ": %s", r->masked);
	if (r->owner != NULL)
		g_string_append_printf(out, " of %s", r->owner);
	if (r->where != NULL)
		g_string_append_printf(out, ", in %s", r->where);
	if (r->recipient != NULL) {
		g_autofree char *masked = ms_identifier_masked(r->recipient);
		g_string_append_printf(out, ", for %s", masked);
	}
	if (r->recipients > 1)
		g_string_append_printf(out, " and %u more", r->recipients - 1);
	g_string_append_printf(out, " [%s]", r->policy);
	return g_string_free(out, FALSE);
}

static void set_text(char **to, char *value)
{
	g_free(*to);
	*to = value;
}

static void fill(MsRuntime *runtime, const MsEnvelope *envelope, const MsJudgement *judgement,
	MsBacktestView *view)
{
	const MsVerdict *v = judgement->verdict;
	view->would = v->would;
	set_text(&view->policies, ms_text_list(v->policies, v->policies->len));
	set_text(&view->codes, ms_verdict_codes(v, MS_TAG));
	for (guint i = 0; i < v->reasons->len && view->reasons->len < MS_BACKTEST_REASONS; i++) {
		const MsReason *r = v->reasons->pdata[i];
		if (r->action >= MS_TAG)
			g_ptr_array_add(view->reasons, reason_words(r));
	}
	for (guint i = 0; i < v->unsure->len && i < MS_BACKTEST_REASONS; i++)
		g_ptr_array_add(view->unsure, g_strdup(v->unsure->pdata[i]));
	if (v->would >= MS_TAG) {
		g_autoptr(MsRecord) record = ms_engine_record(runtime, envelope, judgement, "");
		set_text(&view->cause, ms_engine_cause_again(record));
	}
}

static bool judge(MsRuntime *runtime, const MsEnvelope *envelope, int fd, guint64 stored,
	MsBacktestView *view, GError **error)
{
	g_autoptr(MsJudgement) judgement = NULL;
	if (!ms_engine_judge(runtime, envelope, fd, stored, &judgement, error))
		return false;
	fill(runtime, envelope, judgement, view);
	return true;
}

static void note_delivered(Run *run, const MsEnvelope *envelope)
{
	if (envelope->recipients->len != 1)
		return;
	pthread_mutex_lock(&run->lock);
	char *address = g_ascii_strdown(envelope->recipients->pdata[0], -1);
	guint n = GPOINTER_TO_UINT(g_hash_table_lookup(run->delivered, address));
	g_hash_table_insert(run->delivered, address, GUINT_TO_POINTER(n + 1));
	pthread_mutex_unlock(&run->lock);
}

static bool judge_item(Run *run, const MsBatchItem *item, MsBacktestRow *row, GError **error)
{
	g_auto(MsBatchMail) mail = {.fd = -1};
	if (!ms_batch_mail_read(run->runtime, run->ledger, run->ask->archive, item, &mail, error))
		return false;
	row->by = mail.by;
	set_text(&row->sender, ms_identifier_masked(mail.envelope->sender));
	row->recipients = mail.envelope->recipients->len;
	if (row->by == MS_BY_DELIVERY)
		note_delivered(run, mail.envelope);
	ms_engine_decide(run->runtime, mail.envelope, mail.fd, mail.judgement);
	fill(run->runtime, mail.envelope, mail.judgement, &row->now);
	return run->baseline == NULL ||
		judge(run->baseline, mail.envelope, mail.fd, mail.judgement->stored, &row->baseline,
			error);
}

/* ---- for the batch ---------------------------------------------------------------------- */

static gpointer work(const MsBatchItem *item, void *user)
{
	g_autoptr(GError) error = NULL;
	MsBacktestRow *row = backtest_row_new(item->name, item->digest);
	if (!judge_item(user, item, row, &error))
		row->failed = g_strdup(error->message);
	return row;
}

static json_t *to_json(gconstpointer row, void *user)
{
	(void)user;
	return backtest_row_to_json(row, true);
}

static gpointer from_json(const json_t *json, void *user)
{
	(void)user;
	return backtest_row_from_json(json);
}

static void note(Run *run, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void note(Run *run, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_ptr_array_add(run->out->notes, g_strdup_vprintf(format, args));
	va_end(args);
}

static void take(const MsBatchItem *item, gpointer row, void *user)
{
	Run *run = user;
	GPtrArray *rows = run->out->rows;
	if (item->index >= rows->len)
		g_ptr_array_set_size(rows, (gint)item->index + 1);
	rows->pdata[item->index] = row;
	if (item->cut)
		note(run,
			"%s: the mailbox ends within this message; what is there of it was judged",
			item->name);
}

/* ---- the whole -------------------------------------------------------------------------- */

static MsRuntime *load(const MsBacktestAsk *ask, const char *policies, GError **error)
{
	g_autofree char *warning = NULL;
	const MsInstead instead = {policies, ask->mapping};
	return ms_runtime_load_instead(ask->config, MS_PARTS_CHECK, &instead, &warning, error);
}

/* What was done of something else, or by something else, counts for nothing. */
static char *key_of(const Run *run, const MsDirectoryState *state)
{
	g_autoptr(GString) all = g_string_new(NULL);
	const char *baseline = run->baseline != NULL ? ms_runtime_policies_version(run->baseline)
						     : "-";
	g_string_append_printf(all, "%s %s %s %s %" G_GINT64_FORMAT, PACKAGE_VERSION,
		ms_runtime_policies_version(run->runtime), baseline, state->generation,
		state->version);
	for (int i = 0; run->ask->archive != NULL && run->ask->archive[i] != NULL; i++)
		g_string_append_printf(all, " %s", run->ask->archive[i]);
	g_autofree char *kinds = g_compute_checksum_for_string(
		G_CHECKSUM_SHA256, ms_kinds_text(ms_runtime_kinds(run->runtime)), -1);
	g_string_append(all, kinds);
	char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, all->str, -1);
	return sum;
}

/* A directory that cannot be asked would make all mail wait.  NULL: it cannot. */
static char *key_now(const Run *run, GError **error)
{
	MsDirectoryState state = {0};
	MsAnswer answer = ms_directory_state(ms_runtime_directory(run->runtime), &state, error);
	char *key = answer == MS_FOUND ? key_of(run, &state) : NULL;
	ms_directory_state_clear(&state);
	return key;
}

static void note_archive(Run *run)
{
	GHashTableIter iter;
	gpointer address, n;
	g_hash_table_iter_init(&iter, run->delivered);
	while (g_hash_table_iter_next(&iter, &address, &n))
		if (GPOINTER_TO_UINT(n) >= 20 && GPOINTER_TO_UINT(n) * 2 > run->out->progress.done)
			note(run,
				"%u of %u messages were to %s alone, as X-Original-To or Delivered-To have it: if that is the archive's "
				"own address, say --archive %s, and the recipients are those of To and Cc",
				GPOINTER_TO_UINT(n), run->out->progress.done, (char *)address,
				(char *)address);
}

/* Stored mail does not tell all that policies ask: then they apply, and that is said. */
static void note_unsure(Run *run)
{
	g_autoptr(GHashTable) counts = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) texts = g_ptr_array_new();
	for (guint i = 0; i < run->out->rows->len; i++) {
		const MsBacktestRow *row = run->out->rows->pdata[i];
		for (guint k = 0; row != NULL && k < row->now.unsure->len; k++) {
			char *text = row->now.unsure->pdata[k];
			guint n = GPOINTER_TO_UINT(g_hash_table_lookup(counts, text));
			if (n == 0)
				g_ptr_array_add(texts, text);
			g_hash_table_insert(counts, text, GUINT_TO_POINTER(n + 1));
		}
	}
	for (guint i = 0; i < texts->len && i < MS_BACKTEST_REASONS; i++)
		note(run, "%u messages were taken to fall under policy %s",
			GPOINTER_TO_UINT(g_hash_table_lookup(counts, texts->pdata[i])),
			(char *)texts->pdata[i]);
}

/* A policy whose sender is mistyped would have let all of it go. */
static void note_free(Run *run)
{
	guint n = 0;
	for (guint i = 0; i < run->out->rows->len; i++) {
		const MsBacktestRow *row = run->out->rows->pdata[i];
		n += row != NULL && row->failed == NULL && *row->now.policies == '\0';
	}
	if (n > 0)
		note(run, "%u of %u messages fell under no policy, so that nothing keeps them back",
			n, run->out->progress.done);
}

static void note_all(Run *run, const char *broken)
{
	note_free(run);
	note_archive(run);
	note_unsure(run);
	if (!ms_runtime_is_current(run->runtime) ||
		(run->baseline != NULL && !ms_runtime_is_current(run->baseline)))
		note(run,
			"policies or kinds were changed while this ran; what is told is by those of its beginning");
	if (broken != NULL)
		note(run, "%s: %s; if this is stopped, it begins anew", run->ask->state, broken);
}

static void run_clear(Run *run)
{
	ms_runtime_unref(run->runtime);
	ms_runtime_unref(run->baseline);
	ms_ledger_free(run->ledger);
	g_hash_table_unref(run->delivered);
	pthread_mutex_destroy(&run->lock);
}

static bool load_all(Run *run, GError **error)
{
	const MsBacktestAsk *ask = run->ask;
	run->runtime = load(ask, ask->policies, error);
	run->baseline = run->runtime != NULL && ask->baseline != NULL
		? load(ask, ask->baseline, error)
		: NULL;
	if (run->runtime == NULL || (ask->baseline != NULL && run->baseline == NULL))
		return false;
	/* Where there are no records, or they are not for us, nothing is known of them. */
	run->ledger = ms_ledger_open_readonly(
		ms_runtime_settings(run->runtime)->records_file, NULL);
	return true;
}

static bool run_all(Run *run, const MsBatchFuncs *funcs, GError **error)
{
	const MsBacktestAsk *ask = run->ask;
	g_autofree char *key = load_all(run, error) ? key_now(run, error) : NULL;
	g_autofree char *broken = NULL;
	const MsBatchAsk batch = {.paths = ask->paths,
		.state = ask->state,
		.key = key,
		.afresh = ask->afresh,
		.threads = ask->threads,
		.stop = ask->stop};
	if (key == NULL || !ms_batch_run(&batch, funcs, &run->out->progress, &broken, error))
		return false;
	run->out->whole = !ms_batch_stopped(&batch);
	note_all(run, broken);
	return true;
}

MsBacktest *ms_backtest_run(const MsBacktestAsk *ask,
	void (*progress)(const MsBatchProgress *, void *user), void *user, GError **error)
{
	g_autoptr(MsBacktest) out = g_new0(MsBacktest, 1);
	out->rows = g_ptr_array_new_with_free_func(backtest_row_free);
	out->notes = g_ptr_array_new_with_free_func(g_free);
	out->compares = ask->baseline != NULL;
	Run run = {.ask = ask, .out = out};
	const MsBatchFuncs funcs = {work, to_json, from_json, take, progress, user, &run};
	gint64 began = g_get_monotonic_time(), before = ms_batch_cpu();
	pthread_mutex_init(&run.lock, NULL);
	run.delivered = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	bool fine = run_all(&run, &funcs, error);
	for (guint i = out->rows->len; i-- > 0;)
		if (out->rows->pdata[i] == NULL) /* a stop left it out */
			g_ptr_array_remove_index(out->rows, i);
	run_clear(&run); /* readers end, and what they used is known */
	/* Both of the same time: more processors than there are cannot be told then. */
	out->progress.us = g_get_monotonic_time() - began;
	out->progress.cpu_us = ms_batch_cpu() - before;
	return fine ? g_steal_pointer(&out) : NULL;
}
