/*
 * Stored mail comes in; out goes a row for each message, in its order.  The caller's thread reads
 * files and hands their messages to threads that judge, so many at a time that a mailbox larger
 * than memory is no matter.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/identifier.h"
#include "missent/stored.h"

#include "backtest_private.h"

#define AHEAD 3 /* messages a thread that wait for it */
#define EVERY_US 200000 /* progress is told */

typedef struct {
	guint index;
	char *name;
	GBytes *bytes;
	bool cut;
} Item;

typedef struct {
	const MsBacktestAsk *ask;
	MsRuntime *runtime, *baseline;
	MsLedger *ledger;
	BacktestState *state;
	MsBacktest *out;
	void (*progress)(const MsBacktestProgress *, void *user);
	void *user;
	gint64 start, told;
	GThreadPool *pool;
	GMutex lock; /* of all that follows, of `out` and `state` */
	GCond less;
	guint waiting;
	/* address to how many messages were to it alone, as delivery wrote */
	GHashTable *delivered;
	char *broken;          /* why the state could not be written; NULL */
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
		g_autofree char *masked = ms_identifier_masked("", r->recipient);
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
	g_autoptr(GString) policies = g_string_new(NULL);
	view->would = v->would;
	for (guint i = 0; i < v->policies->len; i++)
		g_string_append_printf(
			policies, "%s%s", i > 0 ? ", " : "", (char *)v->policies->pdata[i]);
	set_text(&view->policies, g_strdup(policies->str));
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

static bool judge(MsRuntime *runtime, const MsEnvelope *envelope, int fd, MsBacktestView *view,
	GError **error)
{
	g_autoptr(MsJudgement) judgement = NULL;
	if (!ms_engine_judge(runtime, envelope, fd, envelope->size, &judgement, error))
		return false;
	fill(runtime, envelope, judgement, view);
	return true;
}

static int memory_file(GBytes *bytes, guint64 most)
{
	gsize len;
	const guint8 *data = g_bytes_get_data(bytes, &len);
	int fd = ms_memory_file("missent-backtest");
	len = MIN(len, most);
	for (gsize done = 0; fd >= 0 && done < len;) {
		ssize_t n = write(fd, data + done, len - done);
		if (n <= 0) {
			close(fd);
			return -1;
		}
		done += (gsize)n;
	}
	if (fd >= 0)
		ms_memory_seal(fd);
	return fd;
}

static void note_delivered(Run *run, const MsEnvelope *envelope)
{
	if (envelope->recipients->len != 1)
		return;
	g_mutex_lock(&run->lock);
	const char *address = envelope->recipients->pdata[0];
	guint n = GPOINTER_TO_UINT(g_hash_table_lookup(run->delivered, address));
	g_hash_table_insert(run->delivered, g_ascii_strdown(address, -1), GUINT_TO_POINTER(n + 1));
	g_mutex_unlock(&run->lock);
}

/* What was read to learn whom it was for is judged; or, where it is a report about one, the
 * message in it. */
static bool judge_fd(
	Run *run, const BacktestMessage *message, int fd, MsBacktestRow *row, GError **error)
{
	g_autoptr(MsJudgement) judgement = NULL;
	g_autoptr(GBytes) inner = NULL;
	const MsSettings *s = ms_runtime_settings(run->runtime);
	if (!ms_engine_read(run->runtime, NULL, fd, &judgement, error))
		return false;
	g_autoptr(MsEnvelope) envelope = backtest_envelope(run->runtime, run->ledger, message,
		judgement->reading, fd, &row->by, &inner, error);
	if (envelope == NULL)
		return false;
	set_text(&row->sender, ms_identifier_masked("", envelope->sender));
	row->recipients = envelope->recipients->len;
	if (row->by == MS_BY_DELIVERY)
		note_delivered(run, envelope);
	int judged = inner != NULL ? memory_file(inner, envelope->size) : fd;
	bool fine = judged >= 0 || ms_fail_input(error, "%s", g_strerror(errno));
	if (fine && inner == NULL) {
		judgement->stored = MIN(message->len, s->limits.max_message);
		ms_engine_decide(run->runtime, envelope, fd, judgement);
		fill(run->runtime, envelope, judgement, &row->now);
	} else if (fine) {
		fine = judge(run->runtime, envelope, judged, &row->now, error);
	}
	fine = fine &&
		(run->baseline == NULL ||
			judge(run->baseline, envelope, judged, &row->baseline, error));
	if (inner != NULL && judged >= 0)
		close(judged);
	return fine;
}

static void judge_item(Run *run, const Item *item, MsBacktestRow *row)
{
	g_autoptr(GError) error = NULL;
	const MsSettings *s = ms_runtime_settings(run->runtime);
	g_autoptr(GPtrArray) delivery = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GBytes) bytes = backtest_without_delivery(item->bytes, delivery);
	const BacktestMessage message = {
		item->name, g_bytes_get_size(bytes), s->spool_dir, run->ask->archive, delivery};
	int fd = memory_file(bytes, s->limits.max_message);
	bool fine = fd >= 0 ? judge_fd(run, &message, fd, row, &error)
			    : ms_fail_input(&error, "%s", g_strerror(errno));
	if (!fine)
		row->failed = g_strdup(error->message);
	if (fd >= 0)
		close(fd);
}

/* ---- threads ---------------------------------------------------------------------------- */

static void put_row(Run *run, guint index, MsBacktestRow *row, bool before)
{
	MsBacktest *out = run->out;
	if (index >= out->rows->len)
		g_ptr_array_set_size(out->rows, (gint)index + 1);
	out->rows->pdata[index] = row;
	out->progress.done++;
	out->progress.before += before;
	if (!before && !backtest_state_add(run->state, row) && run->broken == NULL)
		run->broken = g_strdup(g_strerror(errno));
}

static void work(gpointer data, gpointer user)
{
	Item *item = data;
	Run *run = user;
	gsize len;
	const guint8 *bytes = g_bytes_get_data(item->bytes, &len);
	g_autofree char *digest = g_compute_checksum_for_data(G_CHECKSUM_SHA256, bytes, len);
	digest[16] = '\0';
	g_mutex_lock(&run->lock);
	MsBacktestRow *row = backtest_state_take(run->state, item->name, digest);
	g_mutex_unlock(&run->lock);
	bool before = row != NULL;
	bool stopped = run->ask->stop != NULL && *run->ask->stop != 0;
	if (!before && !stopped) {
		row = backtest_row_new(item->name, digest);
		judge_item(run, item, row);
	}
	g_mutex_lock(&run->lock);
	if (row != NULL)
		put_row(run, item->index, row, before);
	if (item->cut)
		g_ptr_array_add(run->out->notes,
			g_strdup_printf(
				"%s: the mailbox ends within this message; what is there of it "
				"was judged",
				item->name));
	run->waiting--;
	g_cond_signal(&run->less);
	g_mutex_unlock(&run->lock);
	g_free(item->name);
	g_bytes_unref(item->bytes);
	g_free(item);
}

/* With the lock held. */
static void tell(Run *run, bool now)
{
	gint64 time = g_get_monotonic_time();
	run->out->progress.us = time - run->start;
	if (run->progress == NULL || (!now && time - run->told < EVERY_US))
		return;
	run->told = time;
	run->progress(&run->out->progress, run->user);
}

typedef struct {
	Run *run;
	guint index;
	guint64 before; /* bytes of paths before this one */
	guint64 seen;
} Feeding;

static bool feed(const MsStored *message, void *user)
{
	Feeding *f = user;
	Run *run = f->run;
	Item *item = g_new(Item, 1);
	*item = (Item){f->index++, g_strdup(message->name),
		g_bytes_new(message->data, message->len), message->cut};
	g_mutex_lock(&run->lock);
	while (run->waiting >= AHEAD * (guint)g_thread_pool_get_max_threads(run->pool)) {
		g_cond_wait_until(&run->less, &run->lock, g_get_monotonic_time() + EVERY_US);
		tell(run, false);
	}
	run->waiting++;
	run->out->progress.bytes = f->before + message->at;
	tell(run, false);
	g_mutex_unlock(&run->lock);
	f->seen = message->at;
	g_thread_pool_push(run->pool, item, NULL);
	return run->ask->stop == NULL || *run->ask->stop == 0;
}

static bool feed_all(Run *run, GError **error)
{
	Feeding f = {.run = run};
	for (int i = 0;
		run->ask->paths[i] != NULL && (run->ask->stop == NULL || *run->ask->stop == 0);
		i++) {
		f.seen = 0;
		if (!ms_stored_each(run->ask->paths[i], feed, &f, error))
			return false;
		f.before += f.seen;
	}
	return true;
}

static void finish(Run *run)
{
	g_mutex_lock(&run->lock);
	while (run->waiting > 0) {
		g_cond_wait_until(&run->less, &run->lock, g_get_monotonic_time() + EVERY_US);
		tell(run, false);
	}
	tell(run, true);
	g_mutex_unlock(&run->lock);
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

/* A directory that cannot be asked would make all mail wait. */
static bool open_state(Run *run, GError **error)
{
	MsDirectoryState state = {0};
	if (ms_directory_state(ms_runtime_directory(run->runtime), &state, error) != MS_FOUND) {
		ms_directory_state_clear(&state);
		return false;
	}
	g_autofree char *key = key_of(run, &state);
	run->state = backtest_state_open(run->ask->state, key, run->ask->afresh, error);
	ms_directory_state_clear(&state);
	return run->state != NULL;
}

static void note(Run *run, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void note(Run *run, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_ptr_array_add(run->out->notes, g_strdup_vprintf(format, args));
	va_end(args);
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

static void note_all(Run *run)
{
	note_archive(run);
	note_unsure(run);
	if (!ms_runtime_is_current(run->runtime) ||
		(run->baseline != NULL && !ms_runtime_is_current(run->baseline)))
		note(run,
			"policies or kinds were changed while this ran; what is told is by those of its beginning");
	if (run->broken != NULL)
		note(run, "%s: %s; if this is stopped, it begins anew", run->ask->state,
			run->broken);
}

static void run_clear(Run *run)
{
	ms_runtime_unref(run->runtime);
	ms_runtime_unref(run->baseline);
	ms_ledger_free(run->ledger);
	backtest_state_free(run->state);
	g_hash_table_unref(run->delivered);
	g_mutex_clear(&run->lock);
	g_cond_clear(&run->less);
	g_free(run->broken);
}

static gint64 cpu_us(void)
{
	struct rusage own, theirs;
	getrusage(RUSAGE_SELF, &own);
	getrusage(RUSAGE_CHILDREN, &theirs);
	gint64 seconds = own.ru_utime.tv_sec + own.ru_stime.tv_sec + theirs.ru_utime.tv_sec +
		theirs.ru_stime.tv_sec;
	return seconds * G_USEC_PER_SEC + own.ru_utime.tv_usec + own.ru_stime.tv_usec +
		theirs.ru_utime.tv_usec + theirs.ru_stime.tv_usec;
}

static bool run_all(Run *run, GError **error)
{
	const MsBacktestAsk *ask = run->ask;
	run->runtime = load(ask, ask->policies, error);
	run->baseline = run->runtime != NULL && ask->baseline != NULL
		? load(ask, ask->baseline, error)
		: NULL;
	if (run->runtime == NULL || (ask->baseline != NULL && run->baseline == NULL) ||
		!open_state(run, error))
		return false;
	/* Where there are no records, or they are not for us, nothing is known of them. */
	run->ledger = ms_ledger_open_readonly(
		ms_runtime_settings(run->runtime)->records_file, NULL);
	for (int i = 0; ask->paths[i] != NULL; i++)
		run->out->progress.total += ms_stored_size(ask->paths[i]);
	int threads = (int)(ask->threads > 0 ? ask->threads : g_get_num_processors());
	run->pool = g_thread_pool_new(work, run, threads, TRUE, error);
	bool fine = feed_all(run, error);
	finish(run);
	g_thread_pool_free(run->pool, FALSE, TRUE);
	run->out->whole = fine && (ask->stop == NULL || *ask->stop == 0);
	note_all(run);
	return fine;
}

MsBacktest *ms_backtest_run(const MsBacktestAsk *ask,
	void (*progress)(const MsBacktestProgress *, void *user), void *user, GError **error)
{
	g_autoptr(MsBacktest) out = g_new0(MsBacktest, 1);
	out->rows = g_ptr_array_new_with_free_func(backtest_row_free);
	out->notes = g_ptr_array_new_with_free_func(g_free);
	out->compares = ask->baseline != NULL;
	Run run = {.ask = ask,
		.out = out,
		.progress = progress,
		.user = user,
		.start = g_get_monotonic_time()};
	gint64 before = cpu_us();
	g_mutex_init(&run.lock);
	g_cond_init(&run.less);
	run.delivered = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	bool fine = run_all(&run, error);
	for (guint i = out->rows->len; i-- > 0;)
		if (out->rows->pdata[i] == NULL) /* a stop left it out */
			g_ptr_array_remove_index(out->rows, i);
	run_clear(&run); /* readers end, and what they used is known */
	out->progress.cpu_us = cpu_us() - before;
	return fine ? g_steal_pointer(&out) : NULL;
}
