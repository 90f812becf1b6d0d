#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/io.h"
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

bool desk_fail(GError **error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, MS_ERROR, MS_ERROR_INPUT, "%s", text);
	return false;
}

bool desk_audit(MsDesk *desk, const char *who, const char *what, const char *about, const char *detail,
	GError **error)
{
	return ms_audit_event(desk->audit, who, NULL, what, about, detail, error);
}

/* ---- opening -------------------------------------------------------------------------- */

static bool open_locks(MsDesk *desk, GError **error)
{
	static const char *const names[] = {"note.lock", "desk.lock"};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(desk->settings->state_dir, names[i], NULL);
		desk->lock[i] = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
		if (desk->lock[i] < 0) {
			g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "%s: %s", path, g_strerror(errno));
			return false;
		}
		ms_io_like_folder(desk->lock[i], path);
	}
	return true;
}

static DeskShared *shared_new(void)
{
	DeskShared *shared = g_atomic_rc_box_new0(DeskShared);
	pthread_mutex_init(&shared->lock, NULL);
	return shared;
}

static void shared_clear(gpointer data)
{
	DeskShared *shared = data;
	ms_runtime_unref(shared->runtime);
	pthread_mutex_destroy(&shared->lock);
}

/* Takes the reference to `shared`. */
static MsDesk *desk_open(const char *config, DeskShared *shared, GError **error)
{
	g_autoptr(MsDesk) desk = g_new0(MsDesk, 1);
	desk->lock[0] = desk->lock[1] = -1;
	desk->shared = shared;
	desk->config = g_strdup(config);
	desk->settings = ms_settings_load(config, error);
	if (desk->settings == NULL || !open_locks(desk, error))
		return NULL;
	const MsSettings *s = desk->settings;
	desk->audit = ms_audit_new(s->audit_file);
	desk->ledger = ms_ledger_open(s->records_file, error);
	if (desk->ledger == NULL)
		return NULL;
	desk->mta = (MsMta){s->release_program, s->sendmail,
		s->sendmail ? s->sendmail_config : s->postfix_config, s->sendmail_queue, s->sendmail_program,
		s->desk.queue_timeout_ms};
	desk->submit = (MsSubmit){s->desk.submit, s->desk.submit_user, s->desk.submit_password,
		s->desk.submit_timeout_ms};
	return g_steal_pointer(&desk);
}

MsDesk *ms_desk_open(const char *config, GError **error)
{
	return desk_open(config, shared_new(), error);
}

MsDesk *ms_desk_another(const MsDesk *desk, GError **error)
{
	return desk_open(desk->config, g_atomic_rc_box_acquire(desk->shared), error);
}

void ms_desk_leave_work(MsDesk *desk, void (*poke)(void *user), void *user, gint64 wait_ms)
{
	desk->poke = poke;
	desk->poke_user = user;
	desk->wait_ms = wait_ms;
}

void ms_desk_free(MsDesk *desk)
{
	if (desk == NULL)
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(desk->lock); i++)
		if (desk->lock[i] >= 0)
			close(desk->lock[i]);
	desk_forget_queue(desk);
	ms_runtime_unref(desk->runtime);
	g_atomic_rc_box_release_full(desk->shared, shared_clear);
	ms_ledger_free(desk->ledger);
	ms_audit_free(desk->audit);
	ms_settings_free(desk->settings);
	g_free(desk->config);
	g_free(desk->stale);
	g_free(desk);
}

MsLedger *ms_desk_ledger(MsDesk *desk)
{
	return desk->ledger;
}

const MsSettings *ms_desk_settings(const MsDesk *desk)
{
	return desk->settings;
}

/* Under the lock. */
static void load_runtime(DeskShared *shared, const char *config, GError **error)
{
	if (shared->runtime != NULL && ms_runtime_is_current(shared->runtime))
		return;
	MsRuntime *fresh = ms_runtime_load(config, MS_PARTS_CHECK, NULL, error);
	if (fresh == NULL)
		return;
	ms_runtime_unref(shared->runtime);
	shared->runtime = fresh;
}

MsRuntime *desk_runtime(MsDesk *desk, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_clear_pointer(&desk->stale, g_free);
	ms_runtime_unref(desk->runtime);
	pthread_mutex_lock(&desk->shared->lock);
	load_runtime(desk->shared, desk->config, &why);
	desk->runtime = desk->shared->runtime != NULL ? ms_runtime_ref(desk->shared->runtime) : NULL;
	pthread_mutex_unlock(&desk->shared->lock);
	if (desk->runtime != NULL)
		desk->stale = why != NULL ? g_strdup(why->message) : NULL;
	else
		g_propagate_error(error, g_steal_pointer(&why));
	return desk->runtime;
}

#define QUEUE_US (2 * G_USEC_PER_SEC)

void desk_forget_queue(MsDesk *desk)
{
	g_clear_pointer(&desk->queue, g_hash_table_unref);
}

GHashTable *ms_desk_queue(MsDesk *desk, GError **error)
{
	gint64 now = g_get_monotonic_time();
	if (desk->queue != NULL && now - desk->queue_at < QUEUE_US)
		return desk->queue;
	desk_forget_queue(desk);
	desk->queue = ms_mta_queue(&desk->mta, error);
	desk->queue_at = now;
	return desk->queue;
}

/* ---- carrying out --------------------------------------------------------------------- */

static bool is_open(const MsDecision *d)
{
	return d->state == MS_DECISION_APPROVED || d->state == MS_DECISION_ACTING;
}

static void lock(int fd)
{
	while (flock(fd, LOCK_EX) != 0 && errno == EINTR)
		continue;
}

/* Those of `decisions` that are final, or those that are not.  One at a time on this host, whoever
 * asks: the page's agent, or a shell. */
static void under_lock(MsDesk *desk, const GPtrArray *decisions, bool final)
{
	lock(desk->lock[final]);
	desk_forget_queue(desk);
	for (guint i = 0; i < decisions->len; i++) {
		const MsDecision *asked = decisions->pdata[i];
		if (desk_is_final(asked->verb) != final)
			continue;
		/* Another process may have done it while we waited. */
		g_autoptr(MsDecision) d = ms_decisions_find(desk->ledger, asked->id, NULL);
		if (d != NULL && is_open(d))
			desk_carry_out(desk, d);
	}
	flock(desk->lock[final], LOCK_UN);
}

static GPtrArray *outcomes(MsDesk *desk, const GPtrArray *decisions)
{
	GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_decision_free);
	for (guint i = 0; i < decisions->len; i++) {
		MsDecision *d =
			ms_decisions_find(desk->ledger, ((MsDecision *)decisions->pdata[i])->id, NULL);
		if (d != NULL)
			g_ptr_array_add(list, d);
	}
	return list;
}

#define LOOK_US (20 * 1000)

/* Another desk is at it. */
static GPtrArray *wait_for_outcomes(MsDesk *desk, const GPtrArray *decisions)
{
	gint64 end = g_get_monotonic_time() + desk->wait_ms * 1000;
	desk->poke(desk->poke_user);
	for (;;) {
		g_autoptr(GPtrArray) list = outcomes(desk, decisions);
		guint open = 0;
		for (guint i = 0; i < list->len; i++)
			open += is_open(list->pdata[i]);
		if (open == 0 || g_get_monotonic_time() >= end)
			return g_steal_pointer(&list);
		g_usleep(LOOK_US);
	}
}

/* Of one verb. */
static GPtrArray *carry_out(MsDesk *desk, const GPtrArray *decisions)
{
	bool final = decisions->len > 0 && desk_is_final(((MsDecision *)decisions->pdata[0])->verb);
	if (final && desk->poke != NULL)
		return wait_for_outcomes(desk, decisions);
	under_lock(desk, decisions, final);
	return outcomes(desk, decisions);
}

/* The same request again, because its answer was lost: what became of it. */
static GPtrArray *taken_already(MsDesk *desk, const MsAsk *ask)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_decision_free);
	MsDecision *d = NULL;
	for (guint i = 0; ask->id != NULL && (i == 0 || d != NULL); i++) {
		g_autofree char *id = g_strdup_printf("%s-%u", ask->id, i);
		d = ms_decisions_find(desk->ledger, id, NULL);
		if (d != NULL)
			g_ptr_array_add(list, d);
	}
	return list->len > 0 ? g_steal_pointer(&list) : NULL;
}

static bool audit_decisions(MsDesk *desk, const MsAsk *ask, const GPtrArray *list, GError **error)
{
	const MsDecision *first = list->pdata[0];
	g_autofree char *detail = g_strdup_printf("%u message%s%s", ask->uids->len, ask->uids->len == 1 ? "" : "s",
		first->state == MS_DECISION_WAITING ? ", waits for a second person" : "");
	return desk_audit(desk, first->who, first->verb, ask->uids->len == 1 ? first->uid : first->group, detail,
		error);
}

/* Looked at and written down under one lock: of two who decide at the same moment, the second is told. */
static GPtrArray *write_down(MsDesk *desk, const MsAsk *ask, GError **error)
{
	lock(desk->lock[0]);
	g_autoptr(GPtrArray) list = desk_make_decisions(desk, ask, error);
	bool fine = list != NULL && audit_decisions(desk, ask, list, error)
		&& ms_decisions_add(desk->ledger, list, error);
	flock(desk->lock[0], LOCK_UN);
	return fine ? g_steal_pointer(&list) : NULL;
}

GPtrArray *ms_desk_decide(MsDesk *desk, const MsAsk *ask, GError **error)
{
	GPtrArray *before = taken_already(desk, ask);
	if (before != NULL)
		return before;
	g_autoptr(GPtrArray) list = write_down(desk, ask, error);
	if (list == NULL)
		return NULL;
	desk_point("decided");
	return ask->later ? outcomes(desk, list) : carry_out(desk, list);
}

static GPtrArray *waiting_under(MsDesk *desk, const char *id, GError **error)
{
	if (id == NULL || *id == '\0') { /* decisions without a group have that for their group's name */
		desk_fail(error, "which decision? its name is empty (see missent held show)");
		return NULL;
	}
	g_autoptr(GPtrArray) list = ms_decisions_list(desk->ledger, MS_DECISION_WAITING, id, error);
	if (list == NULL)
		return NULL;
	MsDecision *one = list->len == 0 ? ms_decisions_find(desk->ledger, id, error) : NULL;
	if (one != NULL)
		g_ptr_array_add(list, one);
	if (list->len > 0 && ((MsDecision *)list->pdata[0])->state == MS_DECISION_WAITING)
		return g_steal_pointer(&list);
	desk_fail(error, "%s: no decision waits under this name", id);
	return NULL;
}

GPtrArray *ms_desk_agree(MsDesk *desk, const char *id, const char *who, bool agrees, GError **error)
{
	g_autoptr(GPtrArray) list = waiting_under(desk, id, error);
	for (guint i = 0; list != NULL && i < list->len; i++) {
		const MsDecision *d = list->pdata[i];
		if (agrees && desk_is_same_person(desk->settings, d->who, who)) {
			desk_fail(error, "%s took this decision; another person must agree", who);
			return NULL;
		}
	}
	if (list != NULL && !desk_audit(desk, who, agrees ? "agree" : "withdraw", id, "", error))
		return NULL;
	for (guint i = 0; list != NULL && i < list->len; i++)
		if (!ms_decisions_second(desk->ledger, list->pdata[i], who, agrees, error))
			return NULL;
	if (list == NULL)
		return NULL;
	desk_point("agreed");
	return carry_out(desk, list);
}

guint ms_desk_work(MsDesk *desk, guint most)
{
	g_autoptr(GPtrArray) list = ms_decisions_list(desk->ledger, -1, NULL, NULL);
	if (list == NULL || list->len == 0)
		return 0;
	if (most > 0 && list->len > most)
		g_ptr_array_set_size(list, (gint)most);
	under_lock(desk, list, false);
	under_lock(desk, list, true);
	return list->len;
}
