/*
 * The desk of a host: it is opened once, and asked by any number of threads (see desk.h and the
 * locks in desk_private.h).  A call takes what it needs as it is now (desk_begin()) and is not
 * disturbed by what changes meanwhile.  What is decided is written down under DESK_WRITING; then
 * it is carried out here under DESK_NOTING or DESK_MOVING, or, where mail is moved and somebody
 * else does that, waited for.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/clock.h"
#include "missent/digest.h"
#include "missent/io.h"
#include "missent/outbox.h"
#include "missent/spool.h"
#include "missent/text.h"

#include "desk_private.h"

void (*ms_desk_crash_point)(const char *name);

/* In tests a crash is asked for by name. */
void desk_point(const char *name)
{
	if (ms_desk_crash_point != NULL)
		ms_desk_crash_point(name);
}

bool desk_audit(Desk *desk, const char *who, MsEvent event, const char *about,
	const char *detail, GError **error)
{
	return ms_audit_event(desk->audit, who, NULL, event, about, detail, error);
}

/* They have one name (tests hold it so). */
MsEvent desk_event_of(MsVerb verb)
{
	return ms_event_named(ms_verbs[verb].name);
}

/* ---- opening -------------------------------------------------------------------------- */

static void desk_settings_clear(gpointer data)
{
	DeskSettings *s = data;
	ms_settings_free(s->settings);
	g_free(s->stamp);
}

static void desk_settings_unref(DeskSettings *s)
{
	if (s != NULL)
		g_atomic_rc_box_release_full(s, desk_settings_clear);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DeskSettings, desk_settings_unref)

static DeskSettings *load_settings(const char *config, GError **error)
{
	g_autoptr(DeskSettings) s = g_atomic_rc_box_new0(DeskSettings);
	s->stamp = ms_io_stamp(config); /* before: a change while it is read is one */
	s->settings = ms_settings_load(config, error);
	return s->settings != NULL ? g_steal_pointer(&s) : NULL;
}

static bool cannot_lock(const char *path, GError **error)
{
	int why = errno;
	g_set_error(error, MS_ERROR, ms_io_is_want(why) ? MS_ERROR_RETRY : MS_ERROR_CONFIG,
		"%s: %s%s", path, why == EWOULDBLOCK ? "another process has it locked"
						     : g_strerror(why),
		why == ENOENT
			? " (nothing was set up: missent init, or systemd-tmpfiles --create missent.conf)"
			: "");
	return false;
}

static bool open_lock(MsDesk *desk, DeskLock which, GError **error)
{
	desk->locks[which].fd = ms_io_open_lock(desk->locks[which].path);
	return desk->locks[which].fd >= 0 || cannot_lock(desk->locks[which].path, error);
}

/* One that is held for longer is held by who was stopped, or is no program of ours: a step at the
 * MTA has its own limit (queue-timeout). */
#define DESK_LOCK_MS 60000

static bool open_locks(MsDesk *desk, GError **error)
{
	static const char *const names[DESK_N_LOCKS] = {"decide.lock", "note.lock", "desk.lock"};
	desk->lock_ms = DESK_LOCK_MS;
	for (DeskLock i = 0; i < DESK_N_LOCKS; i++) {
		desk->locks[i].path =
			g_build_filename(desk->first->settings->state_dir, names[i], NULL);
		desk->locks[i].fd = ms_io_open_lock(desk->locks[i].path);
		/* Where nothing can be written, records can be read; who takes it then is told. */
		if (desk->locks[i].fd < 0 && errno != EROFS)
			return cannot_lock(desk->locks[i].path, error);
	}
	return true;
}

/* So that lines have the digests that those of messages have.  Without the site key they are
 * written all the same. */
static void give_audit_key(const MsDesk *desk)
{
	const MsSettings *s = desk->first->settings;
	g_autoptr(MsKey) key = s->digests ? ms_key_load(s->key_file, NULL) : NULL;
	guint8 own[MS_AUDIT_KEY_BYTES];
	if (key == NULL && s->digests)
		return;
	ms_key_subkey(key, MS_AUDIT_PURPOSE, own);
	ms_audit_key(desk->audit, own);
	memset(own, 0, sizeof own);
}

static MsDesk *desk_new(const char *config)
{
	MsDesk *desk = g_new0(MsDesk, 1);
	desk->config = g_strdup(config);
	pthread_mutex_init(&desk->lock, NULL);
	pthread_mutex_init(&desk->loading, NULL);
	pthread_mutex_init(&desk->ticking, NULL);
	for (gsize i = 0; i < DESK_N_LOCKS; i++) {
		pthread_mutex_init(&desk->locks[i].mutex, NULL);
		desk->locks[i].fd = -1;
	}
	pthread_cond_init(&desk->changed, NULL);
	desk->missing = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	desk->unrecorded = desk_new_digests();
	return desk;
}

MsDesk *ms_desk_open(const char *config, GError **error)
{
	g_autoptr(MsDesk) desk = desk_new(config);
	desk->first = load_settings(config, error);
	if (desk->first == NULL || !open_locks(desk, error))
		return NULL;
	desk->now = g_atomic_rc_box_acquire(desk->first);
	desk->seen = g_strdup(desk->first->stamp);
	desk->audit = ms_audit_new(desk->first->settings->audit_file);
	give_audit_key(desk);
	const MsSettings *s = desk->first->settings;
	desk->ledger = desk->locks[0].fd >= 0 ? ms_engine_open_records(s, error)
					      : ms_ledger_open_readonly(s->records_file, error);
	if (desk->ledger == NULL)
		return NULL;
	ms_ledger_tell(desk->ledger, s->desk.webhook_url != NULL);
	return g_steal_pointer(&desk);
}

void ms_desk_free(MsDesk *desk)
{
	if (desk == NULL)
		return;
	for (gsize i = 0; i < DESK_N_LOCKS; i++) {
		ms_io_close(desk->locks[i].fd);
		pthread_mutex_destroy(&desk->locks[i].mutex);
		g_free(desk->locks[i].path);
	}
	g_clear_pointer(&desk->queue, g_hash_table_unref);
	g_clear_pointer(&desk->waits, g_hash_table_unref);
	g_clear_pointer(&desk->missing, g_hash_table_unref);
	g_clear_pointer(&desk->unrecorded, g_hash_table_unref);
	ms_runtime_unref(desk->runtime);
	ms_ledger_free(desk->ledger);
	ms_audit_free(desk->audit);
	desk_settings_unref(desk->now);
	desk_settings_unref(desk->first);
	pthread_cond_destroy(&desk->changed);
	pthread_mutex_destroy(&desk->ticking);
	pthread_mutex_destroy(&desk->loading);
	pthread_mutex_destroy(&desk->lock);
	g_free(desk->config);
	g_free(desk->seen);
	g_free(desk);
}

MsLedger *ms_desk_ledger(MsDesk *desk)
{
	return desk->ledger;
}

const MsSettings *ms_desk_settings(const MsDesk *desk)
{
	return desk->first->settings;
}

/* ---- a call --------------------------------------------------------------------------- */

/* The settings as the file has them now; as they were before where there is a mistake in it. */
static DeskSettings *settings_now(MsDesk *desk)
{
	g_autofree char *stamp = ms_io_stamp(desk->config);
	pthread_mutex_lock(&desk->lock);
	if (strcmp(stamp, desk->seen) != 0) {
		DeskSettings *fresh = load_settings(desk->config, NULL);
		g_free(desk->seen);
		desk->seen = g_steal_pointer(&stamp);
		if (fresh != NULL) {
			desk_settings_unref(desk->now);
			desk->now = fresh;
		}
	}
	DeskSettings *now = g_atomic_rc_box_acquire(desk->now);
	pthread_mutex_unlock(&desk->lock);
	return now;
}

void desk_begin(MsDesk *of, Desk *desk)
{
	DeskSettings *taken = settings_now(of);
	const MsSettings *s = taken->settings;
	*desk = (Desk){.of = of,
		.taken = taken,
		.settings = s,
		.ledger = of->ledger,
		.audit = of->audit,
		.mta = {s->release_program, s->sendmail,
			s->sendmail ? s->sendmail_config : s->postfix_config, s->sendmail_queue,
			s->sendmail_program, s->desk.queue_timeout_ms},
		.submit = {s->desk.submit, s->desk.submit_user, s->desk.submit_password,
			s->desk.submit_timeout_ms}};
}

void desk_end(Desk *desk)
{
	desk_forget_queue(desk);
	ms_runtime_unref(desk->runtime);
	desk_settings_unref(desk->taken);
	g_free(desk->stale);
}

/* Under `loading`. */
static MsRuntime *load_runtime(MsDesk *desk, GError **error)
{
	pthread_mutex_lock(&desk->lock);
	MsRuntime *known = desk->runtime != NULL ? ms_runtime_ref(desk->runtime) : NULL;
	pthread_mutex_unlock(&desk->lock);
	if (known != NULL && ms_runtime_is_current(known))
		return known;
	MsRuntime *fresh = ms_runtime_load(desk->config, MS_PARTS_CHECK, NULL, error);
	if (fresh == NULL)
		return known;
	ms_runtime_unref(known);
	pthread_mutex_lock(&desk->lock);
	MsRuntime *old = desk->runtime;
	desk->runtime = ms_runtime_ref(fresh);
	pthread_mutex_unlock(&desk->lock);
	ms_runtime_unref(old);
	return fresh;
}

MsRuntime *desk_runtime(Desk *desk, GError **error)
{
	g_autoptr(GError) why = NULL;
	if (desk->runtime != NULL)
		return desk->runtime;
	pthread_mutex_lock(&desk->of->loading);
	desk->runtime = load_runtime(desk->of, &why);
	pthread_mutex_unlock(&desk->of->loading);
	if (desk->runtime != NULL)
		desk->stale = why != NULL ? g_strdup(why->message) : NULL;
	else
		g_propagate_error(error, g_steal_pointer(&why));
	return desk->runtime;
}

/* ---- the queue ------------------------------------------------------------------------ */

#define QUEUE_US (2 * G_USEC_PER_SEC)

static void keep_queue(MsDesk *desk, GHashTable *queue)
{
	pthread_mutex_lock(&desk->lock);
	g_clear_pointer(&desk->queue, g_hash_table_unref);
	desk->queue = queue != NULL ? g_hash_table_ref(queue) : NULL;
	desk->queue_at = g_get_monotonic_time();
	pthread_mutex_unlock(&desk->lock);
}

static GHashTable *known_queue(MsDesk *desk)
{
	pthread_mutex_lock(&desk->lock);
	bool fresh = desk->queue != NULL && g_get_monotonic_time() - desk->queue_at < QUEUE_US;
	GHashTable *queue = fresh ? g_hash_table_ref(desk->queue) : NULL;
	pthread_mutex_unlock(&desk->lock);
	return queue;
}

void desk_forget_queue(Desk *desk)
{
	g_clear_pointer(&desk->queue, g_hash_table_unref);
	desk->own_queue = true;
}

GHashTable *desk_queue(Desk *desk, GError **error)
{
	if (desk->queue == NULL && !desk->own_queue)
		desk->queue = known_queue(desk->of);
	if (desk->queue == NULL) {
		desk->queue = ms_mta_queue(&desk->mta, error);
		if (!desk->own_queue)
			keep_queue(desk->of, desk->queue);
	}
	return desk->queue;
}

GHashTable *ms_desk_queue(MsDesk *of, GError **error)
{
	g_auto(Desk) desk = {0};
	desk_begin(of, &desk);
	GHashTable *queue = desk_queue(&desk, error);
	return queue != NULL ? g_hash_table_ref(queue) : NULL;
}

/* ---- one at a time -------------------------------------------------------------------- */

/* Somebody may take lock files away, for remains of a crash; then others lock other ones. */
static bool lock_file(Desk *desk, DeskLock which, GError **error)
{
	int *fd = &desk->of->locks[which].fd;
	const char *path = desk->of->locks[which].path;
	for (;;) {
		if (*fd < 0 && !open_lock(desk->of, which, error))
			return false;
		if (!ms_io_lock(*fd, LOCK_EX, desk->of->lock_ms))
			return cannot_lock(path, error);
		if (ms_io_has_name(*fd, path))
			return true;
		close(*fd);
		*fd = -1;
	}
}

/* The mutex too: the threads of a process have the file's lock in common. */
bool desk_lock(Desk *desk, DeskLock which, GError **error)
{
	pthread_mutex_lock(&desk->of->locks[which].mutex);
	bool locked = lock_file(desk, which, error);
	if (!locked)
		pthread_mutex_unlock(&desk->of->locks[which].mutex);
	return locked;
}

void desk_unlock(Desk *desk, DeskLock which)
{
	flock(desk->of->locks[which].fd, LOCK_UN);
	pthread_mutex_unlock(&desk->of->locks[which].mutex);
}

/* ---- who carries out ------------------------------------------------------------------ */

void ms_desk_leave_work(MsDesk *desk, gint64 wait_ms)
{
	pthread_mutex_lock(&desk->lock);
	desk->leaves_work = true;
	desk->wait_ms = wait_ms;
	pthread_mutex_unlock(&desk->lock);
}

bool desk_leaves_work(MsDesk *of)
{
	pthread_mutex_lock(&of->lock);
	bool leaves = of->leaves_work;
	pthread_mutex_unlock(&of->lock);
	return leaves;
}

void ms_desk_await(MsDesk *desk, gint64 wait_ms)
{
	gint64 end = g_get_monotonic_time() + wait_ms * 1000;
	pthread_mutex_lock(&desk->lock);
	while (!desk->woken && ms_clock_wait(&desk->changed, &desk->lock, end))
		continue;
	desk->woken = false;
	pthread_mutex_unlock(&desk->lock);
}

void ms_desk_wake(MsDesk *desk)
{
	pthread_mutex_lock(&desk->lock);
	desk->woken = true;
	pthread_cond_broadcast(&desk->changed);
	pthread_mutex_unlock(&desk->lock);
}

static void note_carried(MsDesk *desk)
{
	pthread_mutex_lock(&desk->lock);
	desk->carried++;
	pthread_cond_broadcast(&desk->changed);
	pthread_mutex_unlock(&desk->lock);
}

/* ---- carrying out --------------------------------------------------------------------- */

static bool is_open(const MsDecision *d)
{
	return d->state == MS_DECISION_APPROVED || d->state == MS_DECISION_ACTING;
}

/* Those of `decisions` that are final, or those that are not, until `most` have come to an end; how
 * many did.  The others are written down, and tried again. */
static guint under_lock(Desk *desk, const GPtrArray *decisions, bool final, guint most)
{
	DeskLock which = final ? DESK_MOVING : DESK_NOTING;
	guint n = 0;
	if (most == 0 || !desk_lock(desk, which, NULL))
		return 0;
	desk_forget_queue(desk);
	for (guint i = 0; i < decisions->len && n < most; i++) {
		const MsDecision *asked = decisions->pdata[i];
		if (ms_verbs[asked->verb].final != final)
			continue;
		/* Another process may have done it while we waited. */
		g_autoptr(MsDecision) d = ms_decisions_find(desk->ledger, asked->id, NULL);
		if (d != NULL && is_open(d))
			n += desk_carry_out(desk, d);
		note_carried(desk->of);
	}
	desk_unlock(desk, which);
	if (final)
		keep_queue(desk->of, NULL);
	return n;
}

static GPtrArray *outcomes(Desk *desk, const GPtrArray *decisions)
{
	GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_decision_free);
	for (guint i = 0; i < decisions->len; i++) {
		MsDecision *d = ms_decisions_find(
			desk->ledger, ((MsDecision *)decisions->pdata[i])->id, NULL);
		if (d != NULL)
			g_ptr_array_add(list, d);
	}
	return list;
}

static guint64 carried_now(MsDesk *desk)
{
	pthread_mutex_lock(&desk->lock);
	guint64 carried = desk->carried;
	pthread_mutex_unlock(&desk->lock);
	return carried;
}

/* Until there is an outcome more than at `seen`; false: the time is over. */
static bool await_another(MsDesk *desk, guint64 seen, gint64 end)
{
	bool in_time = true;
	pthread_mutex_lock(&desk->lock);
	while (desk->carried == seen && in_time)
		in_time = ms_clock_wait(&desk->changed, &desk->lock, end);
	pthread_mutex_unlock(&desk->lock);
	return in_time;
}

/* Another thread is at it. */
static GPtrArray *wait_for_outcomes(Desk *desk, const GPtrArray *decisions)
{
	/* set before there were threads */
	gint64 end = g_get_monotonic_time() + desk->of->wait_ms * 1000;
	ms_desk_wake(desk->of);
	for (bool in_time = true;;) {
		guint64 seen = carried_now(desk->of);
		g_autoptr(GPtrArray) list = outcomes(desk, decisions);
		guint open = 0;
		for (guint i = 0; i < list->len; i++)
			open += is_open(list->pdata[i]);
		if (open == 0 || !in_time)
			return g_steal_pointer(&list);
		in_time = await_another(desk->of, seen, end);
	}
}

/* Of one verb. */
static GPtrArray *carry_out(Desk *desk, const GPtrArray *decisions)
{
	bool final = decisions->len > 0 &&
		ms_verbs[((MsDecision *)decisions->pdata[0])->verb].final;
	if (final && desk_leaves_work(desk->of))
		return wait_for_outcomes(desk, decisions);
	under_lock(desk, decisions, final, G_MAXUINT);
	return outcomes(desk, decisions);
}

/* What is asked, to be looked for in what was decided. */
typedef struct {
	const MsAsk *ask;
	GHashTable *uids, *recipients;
} Asked;

/* By whatever name. */
static bool is_about(Desk *desk, const Asked *asked, const char *uid)
{
	if (g_hash_table_contains(asked->uids, uid))
		return true;
	g_autoptr(MsRecord) record = ms_records_find(desk->ledger, uid, NULL);
	return record != NULL && g_hash_table_contains(asked->uids, record->queue_id);
}

/* To all, or to some of those who are named. */
static bool is_to(const Asked *asked, const char *recipients)
{
	g_auto(GStrv) to = g_strsplit(recipients, "\n", -1);
	bool named = g_hash_table_size(asked->recipients) > 0, same = !named || to[0] != NULL;
	for (int i = 0; named && same && to[i] != NULL; i++)
		same = g_hash_table_contains(asked->recipients, to[i]);
	return same;
}

/* Did that person ask for just this?  Another request with a name that was used is no
 * repetition. */
static bool is_repeated(Desk *desk, const Asked *asked, const MsDecision *d)
{
	const MsAsk *ask = asked->ask;
	const char *said[][2] = {{ask->account, d->account}, {ask->identifier, d->identifier},
		{ask->assignee, d->assignee}};
	bool same = ask->verb == d->verb && ask->rightful == d->rightful
		&& desk_is_same_person(desk->settings, ask->who, d->who);
	for (gsize i = 0; i < G_N_ELEMENTS(said); i++)
		same = same && strcmp(said[i][0] != NULL ? said[i][0] : "", said[i][1]) == 0;
	return same && is_about(desk, asked, d->uid) && is_to(asked, d->recipients);
}

static bool are_repeated(Desk *desk, const MsAsk *ask, const GPtrArray *list)
{
	g_autoptr(GHashTable) uids = desk_set(ask->uids), recipients = desk_set(ask->recipients);
	const Asked asked = {ask, uids, recipients};
	bool same = true;
	for (guint i = 0; i < list->len && same; i++)
		same = is_repeated(desk, &asked, list->pdata[i]);
	return same;
}

/* The same request again, because its answer was lost: what became of it.  NULL without error:
 * it is new. */
static GPtrArray *taken_already(Desk *desk, const MsAsk *ask, GError **error)
{
	g_autoptr(GPtrArray)
		list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_decision_free);
	MsDecision *d = NULL;
	for (guint i = 0; ask->id != NULL && (i == 0 || d != NULL); i++) {
		g_autofree char *id = g_strdup_printf("%s-%u", ask->id, i);
		d = ms_decisions_find(desk->ledger, id, NULL);
		if (d != NULL)
			g_ptr_array_add(list, d);
	}
	if (!are_repeated(desk, ask, list)) {
		desk_fail(error, "%s: another decision has this name; nothing was done", ask->id);
		return NULL;
	}
	return list->len > 0 ? g_steal_pointer(&list) : NULL;
}

/* Who agrees to a name agrees to what had it when he looked: nothing joins it later. */
static bool is_new_name(Desk *desk, const char *name, GError **error)
{
	gint64 n = 0;
	if (*name == '\0')
		return true;
	if (!ms_decisions_named(desk->ledger, name, &n, error))
		return false;
	return n == 0 ||
		desk_fail(error, "%s: another decision has this name; nothing was done", name);
}

static bool are_new_names(Desk *desk, const MsAsk *ask, const GPtrArray *list, GError **error)
{
	if (ask->id == NULL) /* made here, by chance */
		return true;
	if (!is_new_name(desk, ask->id, error))
		return false;
	for (guint i = 0; i < list->len; i++)
		if (!is_new_name(desk, ((MsDecision *)list->pdata[i])->id, error))
			return false;
	return true;
}

static bool audit_decisions(Desk *desk, const MsAsk *ask, const GPtrArray *list, GError **error)
{
	const MsDecision *first = list->pdata[0];
	/* By which who agrees later names it. */
	const char *name = *first->group != '\0' ? first->group : first->id;
	g_autofree char *detail = g_strdup_printf("%u message%s%s, decision %s", ask->uids->len,
		ask->uids->len == 1 ? "" : "s",
		first->state == MS_DECISION_WAITING ? ", waits for a second person" : "", name);
	return desk_audit(desk, first->who, desk_event_of(first->verb),
		ask->uids->len == 1 ? first->uid : first->group, detail, error);
}

static GPtrArray *write_down(Desk *desk, const MsAsk *ask, GError **error)
{
	g_autoptr(GPtrArray) list = desk_make_decisions(desk, ask, error);
	bool fine = list != NULL && are_new_names(desk, ask, list, error) &&
		audit_decisions(desk, ask, list, error) &&
		ms_decisions_add(desk->ledger, list, error);
	return fine ? g_steal_pointer(&list) : NULL;
}

/* Looked at and written down under one lock: of two who decide at the same moment, the second is
 * told. */
static GPtrArray *write_once(Desk *desk, const MsAsk *ask, bool *before_out, GError **error)
{
	g_autoptr(GError) why = NULL;
	*before_out = false;
	if (!desk_lock(desk, DESK_WRITING, error))
		return NULL;
	GPtrArray *list = taken_already(desk, ask, &why);
	*before_out = list != NULL;
	if (list == NULL && why == NULL)
		list = write_down(desk, ask, &why);
	desk_unlock(desk, DESK_WRITING);
	if (why != NULL)
		g_propagate_error(error, g_steal_pointer(&why));
	return list;
}

GPtrArray *ms_desk_decide(MsDesk *of, const MsAsk *ask, GError **error)
{
	g_auto(Desk) desk = {0};
	desk_begin(of, &desk);
	if (!ms_ask_check(ask, error) || !desk_check_names(&desk, ask, error))
		return NULL;
	bool before;
	g_autoptr(GPtrArray) list = write_once(&desk, ask, &before, error);
	if (list == NULL || before)
		return g_steal_pointer(&list);
	desk_point("decided");
	if (!ask->later)
		return carry_out(&desk, list);
	ms_desk_wake(of);
	return outcomes(&desk, list);
}

static GPtrArray *waiting_under(Desk *desk, const char *id, GError **error)
{
	/* Decisions without a group have an empty name for their group's. */
	if (!ms_word_check(MS_WORD_DECISION, "decision", id, error))
		return NULL;
	g_autoptr(GPtrArray) list = ms_decisions_list(desk->ledger, MS_DECISION_WAITING, id, error);
	if (list == NULL)
		return NULL;
	g_autoptr(GError) why = NULL;
	MsDecision *one = list->len == 0 ? ms_decisions_find(desk->ledger, id, &why) : NULL;
	if (one != NULL)
		g_ptr_array_add(list, one);
	if (why != NULL) {
		g_propagate_error(error, g_steal_pointer(&why));
		return NULL;
	}
	if (list->len > 0 && ((MsDecision *)list->pdata[0])->state == MS_DECISION_WAITING)
		return g_steal_pointer(&list);
	desk_fail(error, "%s: no decision waits under this name", id);
	return NULL;
}

static bool may_agree(Desk *desk, const GPtrArray *list, const char *who, GError **error)
{
	for (guint i = 0; i < list->len; i++) {
		const MsDecision *d = list->pdata[i];
		if (desk_is_same_person(desk->settings, d->who, who))
			return desk_fail(
				error, "%s took this decision; another person must agree", who);
		if (d->damaged)
			return desk_fail(error, "%s: this decision is damaged; withdraw it", d->id);
	}
	return true;
}

/* What somebody agrees to, so that the trail alone says it: what is done, whose decision it was,
 * and of which messages, as far as there is room. */
#define UIDS_TOLD 20

static char *detail_of_waiting(const GPtrArray *list)
{
	const MsDecision *first = list->pdata[0];
	GString *out = g_string_new(NULL);
	g_string_append_printf(out, "%s by %s, of ", ms_verbs[first->verb].name, first->who);
	for (guint i = 0; i < MIN(list->len, UIDS_TOLD); i++)
		g_string_append_printf(
			out, "%s%s", i > 0 ? " " : "", ((MsDecision *)list->pdata[i])->uid);
	if (list->len > UIDS_TOLD)
		g_string_append_printf(out, " and %u more", list->len - UIDS_TOLD);
	return g_string_free(out, FALSE);
}

/* Looked at and written down under one lock, as decisions are. */
static GPtrArray *answer_waiting(
	Desk *desk, const char *id, const char *who, bool agrees, GError **error)
{
	g_autoptr(GPtrArray) list = waiting_under(desk, id, error);
	MsVerb verb = agrees ? MS_VERB_AGREE : MS_VERB_WITHDRAW;
	if (list == NULL || (agrees && !may_agree(desk, list, who, error)))
		return NULL;
	g_autofree char *detail = detail_of_waiting(list);
	if (!desk_audit(desk, who, desk_event_of(verb), id, detail, error))
		return NULL;
	return ms_decisions_second(desk->ledger, list, who, agrees, error) ? g_steal_pointer(&list)
									  : NULL;
}

GPtrArray *ms_desk_agree(MsDesk *of, const char *id, const char *who, bool agrees, GError **error)
{
	g_auto(Desk) desk = {0};
	desk_begin(of, &desk);
	if (!ms_word_check(MS_WORD_PERSON, "who", who, error))
		return NULL;
	if (!desk_lock(&desk, DESK_WRITING, error))
		return NULL;
	g_autoptr(GPtrArray) list = answer_waiting(&desk, id, who, agrees, error);
	desk_unlock(&desk, DESK_WRITING);
	if (list == NULL)
		return NULL;
	desk_point("agreed");
	return carry_out(&desk, list);
}

guint ms_desk_work(MsDesk *of, guint most)
{
	g_auto(Desk) desk = {0};
	desk_begin(of, &desk);
	g_autoptr(GPtrArray) list = ms_decisions_list(desk.ledger, -1, NULL, NULL);
	if (list == NULL || list->len == 0)
		return 0;
	most = most > 0 ? most : G_MAXUINT;
	guint n = under_lock(&desk, list, false, most);
	return n + under_lock(&desk, list, true, most - n);
}
