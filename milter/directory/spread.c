/*
 * In come parts that are wanted, out go those of the generation in use; from any thread, the lock
 * is for what was last seen of it.
 *
 * P:current:{P}, P:loading:{P}, P:G:now:{P}, P:G:redo:{P}   in one slot: scripts change them
 * P:G:s:N, P:G:g:N, P:G:m:N                                 parts, each where its name falls
 *
 * No script sees parts of other nodes, so a lookup works out itself where entries are, by what the
 * last one learnt of the generation, and asks all nodes at once; if another generation is in use by
 * now, it asks again.  What links lead to is one step more.
 *
 * No transaction has parts of other nodes either.  A change is first written down whole (redo),
 * if the state is still what it was made from, then done, then the state takes its place and the
 * redo goes.  Who finds a redo that stays finishes it: nobody else changes anything meanwhile.
 * Parts that must be of one moment are those that were read between two looks at one state
 * without a redo.
 */
#include "config.h"

#include <pthread.h>
#include <string.h>

#include "spread.h"
#include "state.h"

#define TRIES 80
#define PAUSE_US (25 * 1000)
#define STALE_US (3 * G_USEC_PER_SEC) /* a redo this old is of a dead writer */

struct MsSpread {
	MsRedis *redis;
	char *prefix, *current;
	pthread_mutex_t lock;
	char *generation; /* that was in use, and where its entries are; or NULL */
	MsPlaces places;
};

/* KEYS: current, now, redo.  ARGV: what the first two must be, the new state, names and parts.
 * 1: written down, also by an earlier try; 2: another one must be finished first. */
static const char journal_script[] =
	"if redis.call('EXISTS', KEYS[3]) == 1 then\n"
	"  return redis.call('LINDEX', KEYS[3], 0) == ARGV[3] and 1 or 2\n"
	"end\n"
	"if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end\n"
	"for i = 3, #ARGV do redis.call('RPUSH', KEYS[3], ARGV[i]) end\n"
	"return 1\n";

/* KEYS: now, redo.  ARGV: the new state. */
static const char finish_script[] =
	"if redis.call('LINDEX', KEYS[2], 0) ~= ARGV[1] then return 0 end\n"
	"redis.call('SET', KEYS[1], ARGV[1])\n"
	"redis.call('DEL', KEYS[2])\n"
	"return 1\n";

MsSpread *ms_spread_new(MsRedis *redis, const char *prefix)
{
	MsSpread *spread = g_new0(MsSpread, 1);
	spread->redis = redis;
	spread->prefix = g_strdup(prefix);
	spread->current = ms_spread_control(prefix, "current");
	pthread_mutex_init(&spread->lock, NULL);
	return spread;
}

void ms_spread_free(MsSpread *spread)
{
	if (spread == NULL)
		return;
	pthread_mutex_destroy(&spread->lock);
	g_free(spread->prefix);
	g_free(spread->current);
	g_free(spread->generation);
	g_free(spread);
}

char *ms_spread_control(const char *prefix, const char *name)
{
	return g_strdup_printf("%s:%s:{%s}", prefix, name, prefix);
}

static char *control_of(const MsSpread *spread, const char *generation, const char *name)
{
	return g_strdup_printf("%s:%s:%s:{%s}", spread->prefix, generation, name, spread->prefix);
}

char *ms_spread_part(const char *prefix, const char *generation, MsPartId id)
{
	return g_strdup_printf(
		"%s:%s:%c:%u", prefix, generation, MS_PART_KIND(id), MS_PART_NUMBER(id));
}

/* ---- many commands ------------------------------------------------------------------------ */

/* Commands of two or three words. */
typedef struct {
	GArray *commands;  /* of MsCommand; their words are set by run() */
	GPtrArray *words;  /* three each, or NULL */
	GArray *lens;      /* of gsize */
	GPtrArray *own;
} Batch;

static void batch_init(Batch *b)
{
	b->commands = g_array_new(FALSE, TRUE, sizeof(MsCommand));
	b->words = g_ptr_array_new();
	b->lens = g_array_new(FALSE, FALSE, sizeof(gsize));
	b->own = g_ptr_array_new_with_free_func(g_free);
}

static void batch_clear(Batch *b)
{
	g_array_unref(b->commands);
	g_ptr_array_unref(b->words);
	g_array_unref(b->lens);
	g_ptr_array_unref(b->own);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Batch, batch_clear)

static void add_word(Batch *b, const void *word, gsize len)
{
	g_ptr_array_add(b->words, (gpointer)word);
	g_array_append_val(b->lens, len);
}

/* Takes `key`. */
static void add(Batch *b, const char *verb, char *key, const void *value, gsize len)
{
	MsCommand command = {value != NULL ? 3 : 2, NULL, NULL};
	g_ptr_array_add(b->own, key);
	add_word(b, verb, strlen(verb));
	add_word(b, key, strlen(key));
	add_word(b, value, len);
	g_array_append_val(b->commands, command);
}

static void add_key(Batch *b, const char *verb, const char *key)
{
	add(b, verb, g_strdup(key), NULL, 0);
}

static MsAnswer run(const MsSpread *spread, Batch *b, MsReply **list_out, GError **error)
{
	for (guint i = 0; i < b->commands->len; i++) {
		MsCommand *command = &g_array_index(b->commands, MsCommand, i);
		command->argv = (const char *const *)b->words->pdata + 3 * i;
		command->lens = (const gsize *)(const void *)b->lens->data + 3 * i;
	}
	return ms_redis_many(spread->redis, (const MsCommand *)(const void *)b->commands->data,
		b->commands->len, list_out, error);
}

static const MsReply *item(const MsReply *list, gsize n)
{
	return list->items->pdata[n];
}

static char *text_of(const MsReply *reply)
{
	return reply->type == MS_REPLY_TEXT ? g_strdup(reply->text) : NULL;
}

/* ---- looking up ------------------------------------------------------------------------- */

typedef struct {
	char *generation; /* NULL: not known yet */
	MsPlaces places;
	char *now;
	GArray *slices;   /* of guint32 */
} Guess;

static void guess_clear(Guess *guess)
{
	g_free(guess->generation);
	g_free(guess->now);
	g_array_unref(guess->slices);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Guess, guess_clear)

static void take_guess(MsSpread *spread, const MsWanted *wanted, gsize n, Guess *guess)
{
	pthread_mutex_lock(&spread->lock);
	guess->generation = g_strdup(spread->generation);
	guess->places = spread->places;
	pthread_mutex_unlock(&spread->lock);
	guess->now = guess->generation != NULL ? control_of(spread, guess->generation, "now")
					       : NULL;
	guess->slices = g_array_new(FALSE, FALSE, sizeof(guint32));
	if (guess->generation == NULL)
		return;
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
	for (gsize i = 0; i < n; i++) {
		guint32 number = wanted[i].account
			? ms_place_account(&guess->places, wanted[i].digest)
			: ms_place_entry(&guess->places, wanted[i].digest);
		if (g_hash_table_add(seen, GUINT_TO_POINTER(number)))
			g_array_append_val(guess->slices, number);
	}
}

static void learn(MsSpread *spread, const char *generation, const char *state)
{
	MsPlaces places;
	if (state == NULL || !ms_mapping_places(state, &places) || places.slices == 0 ||
		places.accounts == 0)
		return;
	pthread_mutex_lock(&spread->lock);
	g_free(spread->generation);
	spread->generation = g_strdup(generation);
	spread->places = places;
	pthread_mutex_unlock(&spread->lock);
}

/* The state of a generation that was not expected; then it can be asked of. */
static MsAnswer learn_other(MsSpread *spread, MsView *out, GError **error)
{
	g_autofree char *now = control_of(spread, out->generation, "now");
	const char *argv[] = {"GET", now};
	g_autoptr(MsReply) reply = NULL;
	MsAnswer answer = ms_redis_command(spread->redis, 2, argv, &reply, error);
	if (answer != MS_FOUND)
		return answer;
	out->state = text_of(reply);
	learn(spread, out->generation, out->state);
	return MS_FOUND;
}

/* Slices besides those that are wanted are asked whether they are there. */
static void add_sample(const MsSpread *spread, Batch *b, const Guess *guess)
{
	guint32 all = guess->places.slices + guess->places.accounts;
	guint32 first = (guint32)g_random_int_range(0, G_MAXINT32) % all;
	for (guint32 i = 0; i < MS_SAMPLE && i < all; i++)
		add(b, "EXISTS",
			ms_spread_part(spread->prefix, guess->generation,
				MS_PART(MS_PART_SLICE, (first + i) % all)),
			NULL, 0);
}

/* MS_ABSENT with a generation: something is missing, or another generation is in use. */
static MsAnswer look_once(MsSpread *spread, const Guess *guess, MsView *out, GError **error)
{
	g_auto(Batch) b;
	batch_init(&b);
	add_key(&b, "GET", spread->current);
	add_key(&b, "GET", guess->now != NULL ? guess->now : spread->current);
	for (guint i = 0; i < guess->slices->len; i++)
		add(&b, "GET", ms_spread_part(spread->prefix, guess->generation,
			MS_PART(MS_PART_SLICE, g_array_index(guess->slices, guint32, i))), NULL, 0);
	if (guess->slices->len > 0)
		add_sample(spread, &b, guess);
	g_autoptr(MsReply) list = NULL;
	MsAnswer answer = run(spread, &b, &list, error);
	if (answer != MS_FOUND)
		return answer;
	out->generation = text_of(item(list, 0));
	if (out->generation == NULL || g_strcmp0(out->generation, guess->generation) != 0)
		return MS_ABSENT;
	out->state = text_of(item(list, 1));
	bool whole = out->state != NULL;
	for (guint i = 0; i < guess->slices->len; i++) {
		const MsReply *part = item(list, 2 + i);
		whole = whole && part->type == MS_REPLY_TEXT;
		if (part->type == MS_REPLY_TEXT)
			ms_view_take(out,
				MS_PART(MS_PART_SLICE, g_array_index(guess->slices, guint32, i)),
				g_bytes_new(part->text, part->len));
	}
	for (guint i = 2 + guess->slices->len; i < list->items->len; i++)
		out->lost = out->lost || item(list, i)->integer == 0;
	return whole && !out->lost ? MS_FOUND : MS_ABSENT;
}

static void start_again(MsView *view)
{
	bool primary = view->primary;
	ms_view_clear(view);
	ms_view_init(view);
	view->primary = primary;
}

MsAnswer ms_spread_look(
	MsSpread *spread, const MsWanted *wanted, gsize n, MsView *out, GError **error)
{
	MsAnswer answer = MS_ABSENT;
	/* A generation that was replaced and removed since it was read loses parts too: what is
	 * missing is missing when it is so again. */
	for (int i = 0; i < 4; i++) {
		g_auto(Guess) guess;
		take_guess(spread, wanted, n, &guess);
		start_again(out);
		answer = look_once(spread, &guess, out, error);
		if (answer != MS_ABSENT || out->generation == NULL)
			return answer;
		if (g_strcmp0(out->generation, guess.generation) == 0) {
			if (i >= 2)
				break;
			continue;
		}
		answer = learn_other(spread, out, error);
		if (answer != MS_FOUND || out->state == NULL || n == 0)
			return answer;
	}
	return MS_FOUND; /* the view says what is missing */
}

/* ---- changing --------------------------------------------------------------------------- */

/* Does what is written down: the state, then names and parts. */
static MsAnswer apply(MsSpread *spread, const char *generation, const MsReply *redo, GError **error)
{
	g_autofree char *now = control_of(spread, generation, "now"),
			*journal = control_of(spread, generation, "redo");
	g_auto(Batch) b;
	batch_init(&b);
	for (guint i = 1; i + 1 < redo->items->len; i += 2) {
		const MsReply *name = item(redo, i), *data = item(redo, i + 1);
		if (name->type == MS_REPLY_TEXT && data->type == MS_REPLY_TEXT)
			add(&b, "SET", g_strdup(name->text), data->text, data->len);
	}
	g_autoptr(MsReply) list = NULL;
	MsAnswer answer = b.commands->len > 0 ? run(spread, &b, &list, error) : MS_FOUND;
	if (answer != MS_FOUND)
		return answer;
	const char *argv[] = {now, journal, item(redo, 0)->text};
	g_autoptr(MsReply) done = NULL;
	return ms_redis_script(spread->redis, finish_script, 2, 3, argv, NULL, &done, error);
}

/* A change that somebody wrote down and did not finish. */
static MsAnswer finish_other(MsSpread *spread, const char *generation, GError **error)
{
	g_autofree char *journal = control_of(spread, generation, "redo");
	const char *argv[] = {"LRANGE", journal, "0", "-1"};
	g_autoptr(MsReply) redo = NULL;
	MsAnswer answer = ms_redis_command(spread->redis, 4, argv, &redo, error);
	if (answer != MS_FOUND || redo->type != MS_REPLY_LIST || redo->items->len == 0
		|| item(redo, 0)->type != MS_REPLY_TEXT)
		return answer;
	return apply(spread, generation, redo, error);
}

static MsReply *text_new(const char *text, gsize len)
{
	MsReply *reply = g_new0(MsReply, 1);
	reply->type = MS_REPLY_TEXT;
	reply->text = g_memdup2(text, len + 1);
	reply->len = len;
	return reply;
}

/* The change as it is written down. */
static MsReply *redo_new(const MsSpread *spread, const char *generation, const char *state,
	const MsPartId *ids, GBytes *const *data, gsize n)
{
	MsReply *redo = g_new0(MsReply, 1);
	redo->type = MS_REPLY_LIST;
	redo->items = g_ptr_array_new_with_free_func((GDestroyNotify)ms_reply_free);
	g_ptr_array_add(redo->items, text_new(state, strlen(state)));
	for (gsize i = 0; i < n; i++) {
		g_autofree char *name = ms_spread_part(spread->prefix, generation, ids[i]);
		gsize len;
		const char *bytes = g_bytes_get_data(data[i], &len);
		g_autofree char *ended = g_malloc0(len + 1);
		memcpy(ended, bytes, len);
		g_ptr_array_add(redo->items, text_new(name, strlen(name)));
		g_ptr_array_add(redo->items, text_new(ended, len));
	}
	return redo;
}

/* 0: the state is another by now; 1: written down; 2: another change is. */
static MsAnswer write_down(
	MsSpread *spread, const MsView *seen, const MsReply *redo, gint64 *done_out, GError **error)
{
	g_autofree char *now = control_of(spread, seen->generation, "now");
	g_autofree char *journal = control_of(spread, seen->generation, "redo");
	const char *fixed[] = {spread->current, now, journal, seen->generation, seen->state};
	gsize n = G_N_ELEMENTS(fixed) + redo->items->len;
	g_autofree const char **argv = g_new0(const char *, n);
	g_autofree gsize *lens = g_new0(gsize, n);
	for (gsize i = 0; i < n; i++) {
		const MsReply *said = i >= G_N_ELEMENTS(fixed) ? item(redo, i - G_N_ELEMENTS(fixed))
							       : NULL;
		argv[i] = said != NULL ? said->text : fixed[i];
		lens[i] = said != NULL ? said->len : strlen(fixed[i]);
	}
	g_autoptr(MsReply) reply = NULL;
	MsAnswer answer = ms_redis_script(
		spread->redis, journal_script, 3, n, argv, lens, &reply, error);
	if (answer == MS_FOUND)
		*done_out = reply->integer;
	return answer;
}

MsAnswer ms_spread_swap(MsSpread *spread, const MsView *seen, const char *state,
	const MsPartId *ids, GBytes *const *data, gsize n, bool *swapped_out, GError **error)
{
	g_autoptr(MsReply) redo = redo_new(spread, seen->generation, state, ids, data, n);
	gint64 done = 0, begun = g_get_monotonic_time();
	MsAnswer answer = write_down(spread, seen, redo, &done, error);
	/* One that is alive needs no help. */
	while (answer == MS_FOUND && done == 2 && g_get_monotonic_time() - begun < STALE_US) {
		g_usleep(PAUSE_US);
		answer = write_down(spread, seen, redo, &done, error);
	}
	*swapped_out = false;
	if (answer == MS_FOUND && done == 2)
		return finish_other(spread, seen->generation, error);
	if (answer != MS_FOUND || done != 1)
		return answer;
	answer = apply(spread, seen->generation, redo, error);
	*swapped_out = answer == MS_FOUND;
	return answer;
}

MsAnswer ms_spread_unlink(MsSpread *spread, const GPtrArray *keys, GError **error)
{
	g_auto(Batch) b;
	batch_init(&b);
	for (guint i = 0; i < keys->len; i++)
		add_key(&b, "UNLINK", keys->pdata[i]);
	g_autoptr(MsReply) list = NULL;
	return keys->len > 0 ? run(spread, &b, &list, error) : MS_FOUND;
}

/* ---- parts ------------------------------------------------------------------------------ */

/* MS_ABSENT: a change was under way. */
static MsAnswer fetch_once(MsSpread *spread, const char *generation, const MsPartId *ids, gsize n,
	bool one_moment, MsView *out, GError **error)
{
	g_autofree char *now = control_of(spread, generation, "now"),
			*journal = control_of(spread, generation, "redo");
	g_auto(Batch) b;
	batch_init(&b);
	add_key(&b, "GET", spread->current);
	add_key(&b, "GET", now);
	add_key(&b, "EXISTS", journal);
	for (gsize i = 0; i < n; i++)
		add(&b, "GET", ms_spread_part(spread->prefix, generation, ids[i]), NULL, 0);
	g_autoptr(MsReply) before = NULL;
	MsAnswer answer = run(spread, &b, &before, error);
	for (gsize i = 0; answer == MS_FOUND && i < n; i++) {
		const MsReply *part = item(before, 3 + i);
		if (part->type == MS_REPLY_TEXT)
			ms_view_take(out, ids[i], g_bytes_new(part->text, part->len));
	}
	if (answer != MS_FOUND)
		return answer;
	out->generation = text_of(item(before, 0));
	out->state = text_of(item(before, 1));
	if (!one_moment)
		return MS_FOUND;
	g_auto(Batch) again;
	batch_init(&again);
	add_key(&again, "GET", now);
	add_key(&again, "EXISTS", journal);
	g_autoptr(MsReply) after = NULL;
	answer = run(spread, &again, &after, error);
	if (answer != MS_FOUND)
		return answer;
	g_autofree char *state = text_of(item(after, 0));
	bool still = item(before, 2)->integer == 0 && item(after, 1)->integer == 0 &&
		g_strcmp0(state, out->state) == 0;
	return still ? MS_FOUND : MS_ABSENT;
}

MsAnswer ms_spread_fetch(MsSpread *spread, const char *generation, const MsPartId *ids, gsize n,
	MsView *out, GError **error)
{
	bool one_moment = false; /* sums and what they are of */
	for (gsize i = 0; i < n; i++)
		one_moment = one_moment || MS_PART_KIND(ids[i]) == MS_PART_GROUP;
	for (int i = 0; i <= TRIES; i++) {
		start_again(out);
		MsAnswer answer = fetch_once(spread, generation, ids, n, one_moment, out, error);
		if (answer != MS_ABSENT)
			return answer;
		/* Who is about to change something has the right to finish what another left. */
		if (i + 1 == TRIES && out->primary)
			answer = finish_other(spread, generation, error);
		if (answer != MS_ABSENT && answer != MS_FOUND)
			return answer;
		g_usleep(PAUSE_US);
	}
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
		"the mapping is being changed all the time, or a change was cut off: the "
		"next one finishes it");
	return MS_RETRY;
}
