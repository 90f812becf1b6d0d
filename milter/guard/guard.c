/*
 * A message and its streams come in; ask.c makes a step of them, a store carries it out, and what
 * is over comes out as alarms.  From any thread; what changes in the guard itself, under its lock,
 * are the streams that it heard to be stopped: a store that does not answer lets none of them go.
 */
#include "config.h"

#include <string.h>

#include "guard_private.h"

/* ---- opening -------------------------------------------------------------------------- */

void ms_guard_digest(const MsGuard *guard, const char *domain, const char *text, const char *more,
	guint8 *out, gsize bytes)
{
	guint8 whole[MS_DIGEST_BYTES];
	const MsPiece pieces[] = {
		{domain, strlen(domain)}, {text, strlen(text)}, {more, strlen(more)}};
	ms_digest_pieces(guard->key, pieces, G_N_ELEMENTS(pieces), whole);
	memcpy(out, whole, bytes);
}

static MsGuard *guard_under(const guint8 *key, const MsGuardSettings *settings)
{
	MsGuard *guard = g_new0(MsGuard, 1);
	memcpy(guard->key, key, sizeof guard->key);
	guard->limits = settings->limits;
	guard->tag_separators = g_strdup(settings->tag_separators);
	guard->customers = g_strdupv((char **)settings->limits.customers);
	guard->limits.customers = (const char *const *)guard->customers;
	ms_guard_digest(guard, "name of the key", "", "", guard->key_name, sizeof guard->key_name);
	pthread_mutex_init(&guard->lock, NULL);
	guard->stopped = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return guard;
}

MsGuard *ms_guard_open(const MsGuardSettings *settings, GError **error)
{
	g_autoptr(MsGuard) guard = guard_under(settings->key, settings);
	guard->store = settings->on_redis
		? ms_guard_store_redis(settings->redis, settings->redis_prefix, error)
		: ms_guard_store_sqlite(settings->sqlite, error);
	if (guard->store == NULL)
		return NULL;
	if (settings->key_before != NULL &&
		memcmp(settings->key_before, settings->key, MS_DIGEST_BYTES) != 0) {
		guard->before = guard_under(settings->key_before, settings);
		guard->before->store = guard->store;
	}
	return g_steal_pointer(&guard);
}

void ms_guard_free(MsGuard *guard)
{
	if (guard == NULL)
		return;
	if (guard->before != NULL) {
		guard->before->store = NULL; /* it is ours */
		ms_guard_free(guard->before);
	}
	if (guard->store != NULL)
		guard->store->close(guard->store);
	explicit_bzero(guard->key, sizeof guard->key);
	pthread_mutex_destroy(&guard->lock);
	g_hash_table_unref(guard->stopped);
	g_strfreev(guard->customers);
	g_free(guard->tag_separators);
	g_free(guard);
}

/* ---- what is known without the store ---------------------------------------------------- */

/* More streams than anybody looks after. */
#define MOST_STOPPED 10000

static void hear(MsGuard *guard, const char *id, bool stopped)
{
	pthread_mutex_lock(&guard->lock);
	if (!stopped)
		g_hash_table_remove(guard->stopped, id);
	else if (g_hash_table_size(guard->stopped) < MOST_STOPPED)
		g_hash_table_add(guard->stopped, g_strdup(id));
	pthread_mutex_unlock(&guard->lock);
}

static bool was_stopped(MsGuard *guard, const MsOp *op)
{
	g_autofree char *id = ms_hex(op->key, MS_KEY_BYTES);
	pthread_mutex_lock(&guard->lock);
	bool stopped = g_hash_table_contains(guard->stopped, id);
	pthread_mutex_unlock(&guard->lock);
	return stopped;
}

/* ---- a message ------------------------------------------------------------------------ */

void ms_guard_counts_free(MsGuardCounts *counts)
{
	if (counts == NULL)
		return;
	g_array_unref(counts->alarms);
	g_free(counts);
}

static void add_alarm(MsGuardCounts *counts, MsGuardWhat what, const MsAbout *about, const MsOp *op,
	const MsOpAnswer *a)
{
	MsGuardAlarm alarm = {what, about->finding, about->recipient, about->document,
		about->stream, a->count, op->limit, a->other, a->since};
	if (what == MS_GUARD_VOLUME || what == MS_GUARD_CREEP) {
		alarm.count = a->x;
		alarm.limit = a->y;
	}
	if (op->letter == MS_OP_SET)
		alarm.limit = a->other;
	g_array_append_val(counts->alarms, alarm);
}

static void take_answer(
	MsGuardCounts *counts, const MsAbout *about, const MsOp *op, const MsOpAnswer *a)
{
	if (a->over)
		add_alarm(counts, about->what, about, op, a);
	if (op->letter != MS_OP_STREAM)
		return;
	counts->streams |= a->over ? 1U << about->stream : 0;
	counts->tripped |= (a->more & MS_NEWS_TRIPPED) != 0 ? 1U << about->stream : 0;
	if ((a->more & MS_NEWS_VOLUME) != 0)
		add_alarm(counts, MS_GUARD_VOLUME, about, op, a);
	if ((a->more & MS_NEWS_CREEP) != 0)
		add_alarm(counts, MS_GUARD_CREEP, about, op, a);
}

static MsGuardCounts *counts_new(gint64 born)
{
	MsGuardCounts *counts = g_new0(MsGuardCounts, 1);
	counts->alarms = g_array_new(FALSE, TRUE, sizeof(MsGuardAlarm));
	counts->born = born;
	return counts;
}

static MsGuardCounts *counts_of(
	MsGuard *guard, const MsStep *step, const MsStepped *stepped, const GArray *abouts)
{
	MsGuardCounts *counts = counts_new(stepped->born);
	for (guint i = 0; i < step->ops->len; i++) {
		const MsOp *op = &g_array_index(step->ops, MsOp, i);
		const MsOpAnswer *a = &g_array_index(stepped->answers, MsOpAnswer, i);
		take_answer(counts, &g_array_index(abouts, MsAbout, i), op, a);
		if (op->letter == MS_OP_STREAM && a->over != was_stopped(guard, op)) {
			g_autofree char *id = ms_hex(op->key, MS_KEY_BYTES);
			hear(guard, id, a->over);
		}
	}
	return counts;
}

/* Of a step that could not be done.  NULL: none of its streams was stopped. */
static MsGuardCounts *last_known(MsGuard *guard, const MsStep *step, const GArray *abouts)
{
	static const MsOpAnswer stopped = {.over = true};
	MsGuardCounts *counts = NULL;
	for (guint i = 0; i < step->ops->len; i++) {
		const MsOp *op = &g_array_index(step->ops, MsOp, i);
		if (op->letter != MS_OP_STREAM || !was_stopped(guard, op))
			continue;
		counts = counts != NULL ? counts : counts_new(0);
		take_answer(counts, &g_array_index(abouts, MsAbout, i), op, &stopped);
	}
	return counts;
}

/* Is one of them held for what was counted? */
static bool is_held_for(const MsGuardMessage *message, const MsGuardCounts *counts)
{
	for (guint i = 0; i < counts->alarms->len; i++) {
		const MsGuardAlarm *a = &g_array_index(counts->alarms, MsGuardAlarm, i);
		for (guint s = 0; s < message->n_streams; s++)
			if ((message->streams[s].holds & 1U << a->what) != 0 &&
				(a->stream < 0 || (guint)a->stream == s))
				return true;
	}
	return false;
}

static bool has_alarm(const MsGuardCounts *counts, const MsGuardAlarm *alarm)
{
	for (guint i = 0; i < counts->alarms->len; i++) {
		const MsGuardAlarm *a = &g_array_index(counts->alarms, MsGuardAlarm, i);
		if (a->what == alarm->what && a->finding == alarm->finding &&
			a->recipient == alarm->recipient && a->document == alarm->document &&
			a->stream == alarm->stream)
			return true;
	}
	return false;
}

static void merge(MsGuardCounts *counts, const MsGuardCounts *more)
{
	for (guint i = 0; i < more->alarms->len; i++) {
		const MsGuardAlarm *alarm = &g_array_index(more->alarms, MsGuardAlarm, i);
		if (!has_alarm(counts, alarm))
			g_array_append_vals(counts->alarms, alarm, 1);
	}
	counts->streams |= more->streams;
	counts->tripped |= more->tripped;
	counts->born = MIN(counts->born, more->born);
}

static MsAnswer count_under(
	MsGuard *guard, const MsGuardMessage *message, MsGuardCounts **counts_out, GError **error)
{
	MsStep step;
	MsStepped stepped = {0};
	g_autoptr(GArray) abouts = g_array_new(FALSE, TRUE, sizeof(MsAbout));
	ms_guard_prepare(guard, &step, message->now);
	ms_guard_ask(guard, message, &step, abouts);
	MsAnswer answer = guard->store->step(guard->store, &step, &stepped, error);
	g_atomic_int_set(&guard->failing, answer != MS_FOUND);
	*counts_out = answer == MS_FOUND ? counts_of(guard, &step, &stepped, abouts)
					 : last_known(guard, &step, abouts);
	ms_stepped_clear(&stepped);
	ms_step_clear(&step);
	return answer;
}

/* What would be known of a step that cannot be done. */
static MsGuardCounts *known_under(MsGuard *guard, const MsGuardMessage *message)
{
	MsStep step;
	g_autoptr(GArray) abouts = g_array_new(FALSE, TRUE, sizeof(MsAbout));
	ms_guard_prepare(guard, &step, message->now);
	ms_guard_ask(guard, message, &step, abouts);
	MsGuardCounts *counts = last_known(guard, &step, abouts);
	ms_step_clear(&step);
	return counts;
}

static void add_counts(MsGuardCounts **counts, MsGuardCounts *more)
{
	if (*counts != NULL && more != NULL)
		merge(*counts, more);
	else if (more != NULL)
		*counts = more;
	if (*counts != more)
		ms_guard_counts_free(more);
}

/* What is held for what the one knows has not left for the other.  A step that fails under one key
 * lets nothing go that was stopped under the other. */
MsAnswer ms_guard_count(
	MsGuard *guard, const MsGuardMessage *message, MsGuardCounts **counts_out, GError **error)
{
	g_autoptr(MsGuardCounts) before = NULL;
	MsGuardMessage rest = *message;
	if (guard->before != NULL) {
		MsAnswer answer = count_under(guard->before, message, &before, error);
		if (answer != MS_FOUND) {
			*counts_out = known_under(guard, message);
			add_counts(counts_out, g_steal_pointer(&before));
			return answer;
		}
		rest.held = message->held || is_held_for(message, before);
	}
	MsAnswer answer = count_under(guard, &rest, counts_out, error);
	add_counts(counts_out, g_steal_pointer(&before));
	return answer;
}

/* ---- streams -------------------------------------------------------------------------- */

void ms_guard_state_free(gpointer data)
{
	MsGuardState *state = data;
	g_free(state->id);
	g_free(state->label);
	g_free(state);
}

void ms_guard_status_free(MsGuardStatus *status)
{
	if (status == NULL)
		return;
	g_ptr_array_unref(status->states);
	g_free(status);
}

static MsGuardState *state_of(const char *id, GBytes *value)
{
	gsize len;
	const guint8 *data = g_bytes_get_data(value, &len);
	MsStream s;
	if (!ms_stream_unpack(&s, data, len))
		return NULL;
	MsGuardState *state = g_new0(MsGuardState, 1);
	state->id = g_strdup(id);
	state->label = g_utf8_make_valid(s.label, -1);
	state->tripped = s.n[MS_S_TRIPPED];
	state->last_bad = s.n[MS_S_LAST_BAD];
	state->bad = ms_stream_recent_bad(&s);
	state->recent = s.n[MS_S_RECENT];
	state->held = s.n[MS_S_TRIPPED] != 0 ? s.n[MS_S_HELD] : 0;
	state->all = s.n[MS_S_ALL];
	state->all_bad = s.n[MS_S_ALL_BAD];
	g_free(s.label);
	return state;
}

static MsAnswer add_state(MsGuard *guard, MsGuardStatus *status, const guint8 *key, GError **error)
{
	g_autoptr(GBytes) value = NULL;
	g_autofree char *id = ms_hex(key, MS_KEY_BYTES);
	const MsStepName name = ms_step_name('b', key);
	MsAnswer answer = guard->store->value(guard->store, guard->key_name, &name, &value, error);
	if (answer == MS_FOUND) {
		MsGuardState *state = state_of(id, value);
		if (state != NULL) {
			hear(guard, id, state->tripped != 0);
			g_ptr_array_add(status->states, state);
		}
	}
	return answer == MS_ABSENT ? MS_FOUND : answer;
}

static int stopped_first(const void *a, const void *b)
{
	const MsGuardState *x = *(MsGuardState *const *)a, *y = *(MsGuardState *const *)b;
	if ((x->tripped != 0) != (y->tripped != 0))
		return x->tripped != 0 ? -1 : 1;
	return x->last_bad < y->last_bad ? 1 : -(x->last_bad > y->last_bad);
}

static MsAnswer add_states(MsGuard *guard, MsGuardStatus *status, GError **error)
{
	g_autoptr(GBytes) born = NULL;
	g_autoptr(GBytes) index = NULL;
	const MsStepName born_name = ms_step_name('n', NULL), index_name = ms_step_name('x', NULL);
	MsAnswer answer = guard->store->value(
		guard->store, guard->key_name, &born_name, &born, error);
	if (answer == MS_FOUND && g_bytes_get_size(born) == 4) {
		guint32 big;
		memcpy(&big, g_bytes_get_data(born, NULL), sizeof big);
		gint64 at = GUINT32_FROM_BE(big);
		status->born = status->born != 0 ? MIN(status->born, at) : at;
	}
	if (answer == MS_FOUND || answer == MS_ABSENT)
		answer = guard->store->value(
			guard->store, guard->key_name, &index_name, &index, error);
	gsize len = 0;
	const guint8 *keys = index != NULL ? g_bytes_get_data(index, &len) : NULL;
	for (gsize i = 0; answer == MS_FOUND && i + MS_KEY_BYTES <= len; i += MS_KEY_BYTES)
		answer = add_state(guard, status, keys + i, error);
	return answer == MS_ABSENT ? MS_FOUND : answer;
}

MsAnswer ms_guard_status(MsGuard *guard, MsGuardStatus **status_out, GError **error)
{
	g_autoptr(MsGuardStatus) status = g_new0(MsGuardStatus, 1);
	status->states = g_ptr_array_new_with_free_func(ms_guard_state_free);
	MsAnswer answer = add_states(guard, status, error);
	if (answer == MS_FOUND && guard->before != NULL)
		answer = add_states(guard->before, status, error);
	if (answer != MS_FOUND)
		return answer;
	g_ptr_array_sort(status->states, stopped_first);
	*status_out = g_steal_pointer(&status);
	return MS_FOUND;
}

/* A step that is of no message. */
static void prepare_act(const MsGuard *guard, MsStep *step, gint64 now)
{
	guint8 random[MS_DIGEST_BYTES];
	ms_guard_prepare(guard, step, now);
	ms_digest_random(random);
	memcpy(step->message, random, sizeof step->message);
}

bool ms_guard_counts_again(MsGuard *guard, gint64 now)
{
	MsStep step;
	MsStepped stepped = {0};
	if (!g_atomic_int_get(&guard->failing))
		return true;
	prepare_act(guard, &step, now);
	bool fine = guard->store->step(guard->store, &step, &stepped, NULL) == MS_FOUND;
	if (fine)
		g_atomic_int_set(&guard->failing, 0);
	ms_stepped_clear(&stepped);
	ms_step_clear(&step);
	return fine;
}

MsAnswer ms_guard_reset(MsGuard *guard, const char *id, gint64 now, GError **error)
{
	MsStep step;
	MsStepped stepped = {0};
	g_autoptr(GBytes) value = NULL;
	guint8 key[MS_KEY_BYTES];
	if (!ms_unhex(id, key, MS_KEY_BYTES))
		return MS_ABSENT;
	const MsStepName name = ms_step_name('b', key);
	MsAnswer answer = guard->store->value(guard->store, guard->key_name, &name, &value, error);
	if (answer == MS_ABSENT && guard->before != NULL)
		return ms_guard_reset(guard->before, id, now, error);
	if (answer != MS_FOUND)
		return answer;
	MsGuardState *state = state_of(id, value);
	prepare_act(guard, &step, now);
	MsOp *op = ms_step_add(&step, MS_OP_STREAM);
	op->flags = 4;
	op->window = 1;
	memcpy(op->key, key, sizeof op->key);
	if (state != NULL)
		g_byte_array_append(
			op->members, (const guint8 *)state->label, (guint)strlen(state->label));
	answer = guard->store->step(guard->store, &step, &stepped, error);
	if (answer == MS_FOUND && !g_array_index(stepped.answers, MsOpAnswer, 0).over)
		answer = MS_ABSENT;
	if (state != NULL)
		ms_guard_state_free(state);
	ms_stepped_clear(&stepped);
	ms_step_clear(&step);
	return answer;
}

/* ---- accounts ------------------------------------------------------------------------- */

void ms_guard_account_key(const MsGuard *guard, const char *account, guint8 key[MS_KEY_BYTES])
{
	ms_guard_digest(guard, "account", account, "", key, MS_KEY_BYTES);
}

static void forget_value(MsStep *step, char letter, const guint8 *key, const GByteArray *ids)
{
	MsOp *op = ms_step_add(step, MS_OP_FORGET);
	op->flags = (guint)letter;
	op->window = 31 * 86400; /* so long at the most a window is kept */
	memcpy(op->key, key, MS_KEY_BYTES);
	if (ids != NULL)
		g_byte_array_append(op->members, ids->data, ids->len);
}

/* Its own values go, and in those of others what stands for it. */
static void forget_links(MsStep *step, const guint8 *links, gsize len)
{
	g_autoptr(GByteArray) ids = g_byte_array_new();
	for (gsize i = 0; i + MS_LINK_BYTES <= len; i += MS_LINK_BYTES)
		if (links[i] == MS_LINK_IDENTIFIER || links[i] == MS_LINK_ID)
			g_byte_array_append(ids, links + i + 1, MS_ID_BYTES);
	for (gsize i = 0; i + MS_LINK_BYTES <= len; i += MS_LINK_BYTES) {
		const guint8 *key = links + i + 1;
		if (links[i] == MS_LINK_IDENTIFIER)
			forget_value(step, 'i', key, NULL);
		else if (links[i] == MS_LINK_RECIPIENT)
			forget_value(step, 'a', key, NULL);
		else if (links[i] == MS_LINK_IN_RECIPIENT && ids->len > 0)
			forget_value(step, 'a', key, ids);
		else if (links[i] == MS_LINK_IN_IDENTIFIER && ids->len > 0)
			forget_value(step, 'i', key, ids);
	}
}

MsAnswer ms_guard_forget(
	MsGuard *guard, const char *account, gint64 now, guint *values_out, GError **error)
{
	MsStep step;
	MsStepped stepped = {0};
	guint8 key[MS_KEY_BYTES];
	g_autoptr(GBytes) value = NULL;
	if (*account == '\0') {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "no account is named");
		return MS_CONFIG;
	}
	ms_guard_account_key(guard, account, key);
	const MsStepName name = ms_step_name('t', key);
	MsAnswer answer = guard->store->value(guard->store, guard->key_name, &name, &value, error);
	if (answer == MS_FOUND) {
		gsize len;
		const guint8 *links = g_bytes_get_data(value, &len);
		prepare_act(guard, &step, now);
		if (len > MS_LINK_HEAD)
			forget_links(&step, links + MS_LINK_HEAD, len - MS_LINK_HEAD);
		forget_value(&step, 't', key, NULL);
		answer = guard->store->step(guard->store, &step, &stepped, error);
		for (guint i = 0; answer == MS_FOUND && i < stepped.answers->len; i++)
			*values_out += g_array_index(stepped.answers, MsOpAnswer, i).count;
		ms_stepped_clear(&stepped);
		ms_step_clear(&step);
	}
	if (answer != MS_FOUND && answer != MS_ABSENT)
		return answer;
	return guard->before != NULL
		? ms_guard_forget(guard->before, account, now, values_out, error)
		: MS_FOUND;
}
