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

const char *const ms_desk_verbs[] = {"release", "return", "delete", "note", "assign", "belongs",
	"may-receive", NULL};

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
	desk->records = ms_records_open(s->records_file, error);
	if (desk->records == NULL)
		return NULL;
	desk->mta = (MsMta){s->release_program, s->sendmail,
		s->sendmail ? s->sendmail_config : s->postfix_config, s->sendmail_queue, s->sendmail_program};
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
	ms_records_free(desk->records);
	ms_audit_free(desk->audit);
	ms_settings_free(desk->settings);
	g_free(desk->config);
	g_free(desk->stale);
	g_free(desk);
}

MsRecords *ms_desk_records(MsDesk *desk)
{
	return desk->records;
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

/* ---- taking decisions ----------------------------------------------------------------- */

static bool is_final(const char *verb)
{
	return strcmp(verb, "release") == 0 || strcmp(verb, "return") == 0 || strcmp(verb, "delete") == 0;
}

/* To how many recipients it goes if it is released so; 0 and an error when it cannot be. */
static guint deliveries(const MsRecord *record, const GPtrArray *chosen, GError **error)
{
	guint n = 0;
	for (guint i = 0; i < record->recipients->len; i++) {
		const MsHeldRecipient *to = record->recipients->pdata[i];
		n += to->state == MS_STATE_HELD
			&& (chosen->len == 0
				|| g_ptr_array_find_with_equal_func((GPtrArray *)chosen, to->address, g_str_equal, NULL));
	}
	if (chosen->len > 0 && n < chosen->len) {
		desk_fail(error, "%s: not all of the chosen recipients are among those for whom it is held",
			record->queue_id);
		return 0;
	}
	return n;
}

static bool named_policy(const MsSettings *s, const MsRecord *record)
{
	g_auto(GStrv) policies = g_strsplit(record->policies, ", ", -1);
	for (int i = 0; policies[i] != NULL; i++)
		if (g_strv_contains(s->desk.two_person_policies, policies[i]))
			return true;
	return false;
}

/* The same queue ID on another host is another message. */
static bool is_here(const MsSettings *s, const MsRecord *record, GError **error)
{
	if (!s->host_given || strcmp(s->host, record->host) == 0)
		return true;
	return desk_fail(error, "%s: is held on %s, this is %s", record->queue_id, record->host, s->host);
}

static bool check_record(const MsSettings *s, const MsAsk *ask, const MsRecord *record,
	const GPtrArray *chosen, guint *n_out, GError **error)
{
	bool final = is_final(ask->verb);
	if (!is_here(s, record, error))
		return false;
	if (final && record->state != MS_STATE_HELD)
		return desk_fail(error, "%s: is %s already", record->queue_id, ms_state_names[record->state]);
	if (ask->rightful && chosen->len == 0)
		return desk_fail(error, "%s: nobody for whom it is held has a right to all that is in it",
			record->queue_id);
	if (final && strcmp(ask->verb, "release") != 0 && chosen->len > 0)
		return desk_fail(error, "only a release can be for some of the recipients");
	if (strcmp(ask->verb, "return") == 0 && *record->sender == '\0')
		return desk_fail(error, "%s: it has no sender to be returned to (a bounce); release or delete it",
			record->queue_id);
	for (guint i = 0; final && i < record->decisions->len; i++) {
		const MsDecision *d = record->decisions->pdata[i];
		if (d->state < MS_DECISION_DONE && is_final(d->verb))
			return desk_fail(error, "%s: another decision on it is not finished (%s by %s, %s)",
				record->queue_id, d->verb, d->who, ms_decision_state_names[d->state]);
	}
	*n_out = final ? deliveries(record, chosen, error) : 1;
	return *n_out > 0;
}

static MsDecision *make_decision(const MsAsk *ask, const char *uid, const GPtrArray *chosen,
	const char *group, guint n)
{
	MsDecision *d = g_new0(MsDecision, 1);
	d->id = ask->id != NULL ? g_strdup_printf("%s-%u", ask->id, n) : ms_records_name();
	d->uid = g_strdup(uid);
	d->group = g_strdup(group);
	d->verb = g_strdup(ask->verb);
	GString *to = g_string_new(NULL);
	for (guint i = 0; i < chosen->len; i++)
		g_string_append_printf(to, "%s%s", i > 0 ? "\n" : "", (char *)chosen->pdata[i]);
	d->recipients = g_string_free(to, FALSE);
	d->who = g_strdup(ask->who);
	d->second = g_strdup("");
	d->why = g_strdup(ask->why != NULL ? ask->why : "");
	d->outcome = g_strdup(ask->detail != NULL ? ask->detail : "");
	d->token = g_strdup("");
	d->step = g_strdup("");
	d->at = g_get_real_time();
	d->state = MS_DECISION_APPROVED;
	return d;
}

static bool check_ask(const MsAsk *ask, GError **error)
{
	if (!g_strv_contains(ms_desk_verbs, ask->verb))
		return desk_fail(error, "there is no decision \"%s\"", ask->verb);
	if (ask->who == NULL || *ask->who == '\0')
		return desk_fail(error, "nobody is named who decides");
	if (ask->uids->len == 0 || ask->uids->len > MS_DESK_MOST)
		return desk_fail(error, "a decision is about 1 to %d messages", MS_DESK_MOST);
	bool needs_detail = strcmp(ask->verb, "belongs") == 0 || strcmp(ask->verb, "may-receive") == 0;
	if (needs_detail && (ask->detail == NULL || *ask->detail == '\0'))
		return desk_fail(error, "%s: which account?", ask->verb);
	if (strcmp(ask->verb, "note") == 0 && (ask->why == NULL || *ask->why == '\0'))
		return desk_fail(error, "an empty note");
	return true;
}

static GPtrArray *make_decisions(MsDesk *desk, const MsAsk *ask, GError **error)
{
	g_autoptr(GPtrArray) list =
		g_ptr_array_new_with_free_func((GDestroyNotify)ms_decision_free);
	bool many = ask->uids->len > 1 || ask->total > 1;
	g_autofree char *group = !many ? g_strdup("") : ask->id != NULL ? g_strdup(ask->id) : ms_records_name();
	guint sum = 0;
	bool two = false;
	for (guint i = 0; i < ask->uids->len; i++) {
		g_autoptr(GError) why = NULL;
		g_autoptr(MsRecord) record = ms_records_find(desk->records, ask->uids->pdata[i], &why);
		guint n = 0;
		if (record == NULL && why == NULL)
			desk_fail(&why, "%s: there is no record of a held message with this queue ID",
				(char *)ask->uids->pdata[i]);
		g_autoptr(GPtrArray) right = record != NULL && ask->rightful ? ms_record_rightful(record) : NULL;
		const GPtrArray *chosen = right != NULL ? right : ask->recipients;
		if (why != NULL || !check_record(desk->settings, ask, record, chosen, &n, &why)) {
			g_propagate_error(error, g_steal_pointer(&why));
			return NULL;
		}
		sum += n;
		two = two || (is_final(ask->verb) && named_policy(desk->settings, record));
		g_ptr_array_add(list, make_decision(ask, record->uid, chosen, group, i));
	}
	gint64 most = desk->settings->desk.two_person;
	two = two || (is_final(ask->verb) && most >= 0 && MAX(sum, ask->total) > most);
	for (guint i = 0; two && !ask->by_rule && i < list->len; i++)
		((MsDecision *)list->pdata[i])->state = MS_DECISION_WAITING;
	return g_steal_pointer(&list);
}

/* ---- carrying out --------------------------------------------------------------------- */

static bool is_open(const MsDecision *d)
{
	return d->state == MS_DECISION_APPROVED || d->state == MS_DECISION_ACTING;
}

/* Those of `decisions` that are final, or those that are not.  One at a time on this host, whoever
 * asks: the page's agent, or a shell. */
static void under_lock(MsDesk *desk, const GPtrArray *decisions, bool final)
{
	while (flock(desk->lock[final], LOCK_EX) != 0 && errno == EINTR)
		continue;
	desk_forget_queue(desk);
	for (guint i = 0; i < decisions->len; i++) {
		const MsDecision *asked = decisions->pdata[i];
		if (is_final(asked->verb) != final)
			continue;
		/* Another process may have done it while we waited. */
		g_autoptr(MsDecision) d = ms_decisions_find(desk->records, asked->id, NULL);
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
			ms_decisions_find(desk->records, ((MsDecision *)decisions->pdata[i])->id, NULL);
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
	bool final = decisions->len > 0 && is_final(((MsDecision *)decisions->pdata[0])->verb);
	if (final && desk->poke != NULL)
		return wait_for_outcomes(desk, decisions);
	under_lock(desk, decisions, final);
	return outcomes(desk, decisions);
}

/* The same request again, because its answer was lost: what became of it. */
static GPtrArray *taken_already(MsDesk *desk, const MsAsk *ask)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_decision_free);
	for (guint i = 0; ask->id != NULL && i < ask->uids->len; i++) {
		g_autofree char *id = g_strdup_printf("%s-%u", ask->id, i);
		MsDecision *d = ms_decisions_find(desk->records, id, NULL);
		if (d != NULL)
			g_ptr_array_add(list, d);
	}
	return list->len > 0 ? g_steal_pointer(&list) : NULL;
}

static bool audit_decisions(MsDesk *desk, const GPtrArray *list, GError **error)
{
	const MsDecision *first = list->pdata[0];
	g_autofree char *detail = g_strdup_printf("%u message%s%s", list->len, list->len == 1 ? "" : "s",
		first->state == MS_DECISION_WAITING ? ", waits for a second person" : "");
	return desk_audit(desk, first->who, first->verb, list->len == 1 ? first->uid : first->group, detail,
		error);
}

GPtrArray *ms_desk_decide(MsDesk *desk, const MsAsk *ask, GError **error)
{
	if (!check_ask(ask, error))
		return NULL;
	GPtrArray *before = taken_already(desk, ask);
	if (before != NULL)
		return before;
	g_autoptr(GPtrArray) list = make_decisions(desk, ask, error);
	if (list == NULL || !audit_decisions(desk, list, error) || !ms_decisions_add(desk->records, list, error))
		return NULL;
	desk_point("decided");
	return ask->later ? outcomes(desk, list) : carry_out(desk, list);
}

static GPtrArray *waiting_under(MsDesk *desk, const char *id, GError **error)
{
	g_autoptr(GPtrArray) list = ms_decisions_list(desk->records, MS_DECISION_WAITING, id, error);
	if (list == NULL)
		return NULL;
	MsDecision *one = list->len == 0 ? ms_decisions_find(desk->records, id, error) : NULL;
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
		if (agrees && strcmp(d->who, who) == 0) {
			desk_fail(error, "%s took this decision; another person must agree", who);
			return NULL;
		}
	}
	if (list != NULL && !desk_audit(desk, who, agrees ? "agree" : "withdraw", id, "", error))
		return NULL;
	for (guint i = 0; list != NULL && i < list->len; i++)
		if (!ms_decisions_second(desk->records, list->pdata[i], who, agrees, error))
			return NULL;
	if (list == NULL)
		return NULL;
	desk_point("agreed");
	return carry_out(desk, list);
}

guint ms_desk_work(MsDesk *desk, guint most)
{
	g_autoptr(GPtrArray) list = ms_decisions_list(desk->records, -1, NULL, NULL);
	if (list == NULL || list->len == 0)
		return 0;
	if (most > 0 && list->len > most)
		g_ptr_array_set_size(list, (gint)most);
	under_lock(desk, list, false);
	under_lock(desk, list, true);
	return list->len;
}
