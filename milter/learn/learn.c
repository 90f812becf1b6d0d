/*
 * Stored outgoing mail comes in; out go a mapping that it proposes, and what contradicts itself in
 * it.  The caller's thread; those of the batch read.
 */
#include "config.h"

#include <string.h>

#include "missent/answer.h"

#include "learn_private.h"

typedef struct {
	const MsLearnAsk *ask;
	LearnReader reader;
	Tally *tally; /* under the lock of the batch */
	MsLearned *out;
} Run;

static void note(const Run *run, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void note(const Run *run, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_ptr_array_add(run->out->notes, g_strdup_vprintf(format, args));
	va_end(args);
}

/* ---- for the batch ---------------------------------------------------------------------- */

static gpointer work(const MsBatchItem *item, void *user)
{
	const Run *run = user;
	return learn_mail_read(&run->reader, item);
}

static json_t *to_json(gconstpointer row, void *user)
{
	(void)user;
	return learn_mail_to_json(row);
}

static gpointer from_json(const json_t *json, void *user)
{
	(void)user;
	return learn_mail_from_json(json);
}

static void take(const MsBatchItem *item, gpointer row, void *user)
{
	Run *run = user;
	LearnMail *mail = row;
	MsLearnSum *sum = &run->tally->sum;
	if (item->cut) {
		sum->cut++;
		note(run, "%s: the mailbox ends within this message; what is there of it was read",
			item->name);
	}
	if (mail->failed != NULL) {
		sum->failed++;
		sum->no_recipient += mail->nobody;
	} else if (mail->date > 0 && mail->date < run->ask->since) {
		sum->old++;
	} else {
		tally_add(run->tally, mail);
	}
	learn_mail_free(mail);
}

/* ---- the whole -------------------------------------------------------------------------- */

/* What was read with other kinds, or of another mapping, may have found something else. */
static char *key_of(const Run *run)
{
	g_autoptr(GString) all = g_string_new("learn " PACKAGE_VERSION);
	MsDirectoryState state = {0};
	if (ms_directory_state(ms_runtime_directory(run->reader.runtime), &state, NULL) == MS_FOUND)
		g_string_append_printf(
			all, " %s %" G_GINT64_FORMAT, state.generation, state.version);
	ms_directory_state_clear(&state);
	for (int i = 0; run->ask->archive != NULL && run->ask->archive[i] != NULL; i++)
		g_string_append_printf(all, " %s", run->ask->archive[i]);
	g_string_append(all, ms_kinds_text(ms_runtime_kinds(run->reader.runtime)));
	return g_compute_checksum_for_string(G_CHECKSUM_SHA256, all->str, -1);
}

static bool load(Run *run, GError **error)
{
	g_autofree char *warning = NULL;
	run->reader.archive = run->ask->archive;
	run->reader.runtime = ms_runtime_load(run->ask->config, MS_PARTS_CHECK, &warning, error);
	if (run->reader.runtime == NULL)
		return false;
	/* Where there are no records, or they are not for us, nothing is known of them. */
	const char *records = ms_runtime_settings(run->reader.runtime)->records_file;
	run->reader.ledger = ms_ledger_open_readonly(records, NULL);
	return true;
}

static bool read_all(Run *run, const MsBatchFuncs *funcs, GError **error)
{
	g_autofree char *key = key_of(run), *broken = NULL;
	MsBatchAsk ask = run->ask->batch;
	ask.key = key;
	if (!ms_batch_run(&ask, funcs, &run->tally->sum.progress, &broken, error))
		return false;
	run->tally->sum.whole = !ms_batch_stopped(&ask);
	if (broken != NULL)
		note(run, "%s: %s; if this is stopped, it begins anew", ask.state, broken);
	return true;
}

/* One address that got nearly all is an archive's, and hides who got what. */
static void note_archive(const Run *run)
{
	const MsLearnSum *sum = &run->tally->sum;
	for (guint i = 0; i < run->tally->to_list->len; i++) {
		const LearnTo *to = run->tally->to_list->pdata[i];
		if (sum->learned >= 20 && to->messages * 2 > sum->learned)
			note(run,
				"%u of %u messages were to %s: if that is the archive's own address, say "
				"--archive %s",
				to->messages, sum->learned, to->address, to->address);
	}
}

static void conclude(Run *run)
{
	const MsSettings *s = ms_runtime_settings(run->reader.runtime);
	World world = {.tally = run->tally,
		.kinds = ms_runtime_kinds(run->reader.runtime),
		.house = run->ask->house > 0 ? run->ask->house : MS_LEARN_HOUSE,
		.house_account = s->house,
		.notes = run->out->notes};
	Accounts accounts;
	tally_settle(run->tally);
	note_archive(run);
	world_fill(&world);
	accounts_find(&accounts, &world);
	learn_propose(run->out, &world, &accounts);
	const guint found = run->out->sum.accounts, unplaced = run->out->sum.unplaced;
	run->out->sum = run->tally->sum;
	run->out->sum.accounts = found;
	run->out->sum.unplaced = unplaced;
	accounts_clear(&accounts);
	world_clear(&world);
}

static bool run_all(Run *run, const MsBatchFuncs *funcs, GError **error)
{
	if (!load(run, error) || !read_all(run, funcs, error))
		return false;
	if (run->ask->trail != NULL &&
		!learn_history(
			run->tally, run->ask->trail, run->ask->since, run->ask->trail_key, error))
		return false;
	conclude(run);
	return true;
}

MsLearned *ms_learn(const MsLearnAsk *ask, void (*progress)(const MsBatchProgress *, void *user),
	void *user, GError **error)
{
	g_autoptr(MsLearned) out = g_new0(MsLearned, 1);
	out->rows = g_array_new(FALSE, FALSE, sizeof(MsLearnRow));
	out->conflicts = g_array_new(FALSE, FALSE, sizeof(MsLearnConflict));
	out->notes = g_ptr_array_new_with_free_func(g_free);
	out->words = g_string_chunk_new(4096);
	Run run = {.ask = ask,
		.out = out,
		.tally = tally_new(ask->memory > 0 ? ask->memory : MS_LEARN_MEMORY)};
	const MsBatchFuncs funcs = {work, to_json, from_json, take, progress, user, &run};
	bool fine = run_all(&run, &funcs, error);
	tally_free(run.tally);
	ms_runtime_unref(run.reader.runtime);
	ms_ledger_free(run.reader.ledger);
	return fine ? g_steal_pointer(&out) : NULL;
}

void ms_learned_free(MsLearned *learned)
{
	if (learned == NULL)
		return;
	g_array_unref(learned->rows);
	g_array_unref(learned->conflicts);
	g_ptr_array_unref(learned->notes);
	g_string_chunk_free(learned->words);
	g_free(learned);
}

void ms_learned_sum(const MsLearned *learned, MsLearnSum *out)
{
	*out = learned->sum;
}

const GArray *ms_learned_rows(const MsLearned *learned)
{
	return learned->rows;
}

const GArray *ms_learned_conflicts(const MsLearned *learned)
{
	return learned->conflicts;
}

const GPtrArray *ms_learned_notes(const MsLearned *learned)
{
	return learned->notes;
}
