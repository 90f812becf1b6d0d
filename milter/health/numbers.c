/*
 * Counters.  They lie in this process's memory, where any thread adds to them; one thread writes
 * them to a file each second, by turns to one of two places in it, so that there is always a
 * whole one.  No reader can hold up who counts, and no file can end the daemon, as one that is
 * mapped could.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/clock.h"
#include "missent/io.h"
#include "missent/numbers.h"

#define MAGIC G_GUINT64_CONSTANT(0x31736e6d6e73696d)
#define SUM_BYTES 32

/* As it lies in the file, twice. */
typedef struct {
	guint64 magic, layout, turn;
	MsNumbersView view;
	guint8 sum[SUM_BYTES]; /* of all before it */
} Slot;

struct MsNumbers {
	char *path;
	guint64 turn;
	int fd;             /* locked for as long as this process lives; -1: not open */
	MsNumbersView view; /* numbers are atomic; names and lists are under the lock */
	pthread_mutex_t lock;
};

/* ---- names ---------------------------------------------------------------------------- */

static const MsNumberRow rows[MS_N_NUMBERS] = {
	[MS_NUM_JUDGED] = {"missent_messages_judged_total", NULL, NULL,
		"Messages that were read and judged."},
	[MS_NUM_OUT_PRIVATE] = {"missent_messages_not_outgoing_total", "cause", "private-client",
		"Messages that were not judged, for they are not outgoing."},
	[MS_NUM_OUT_PUBLIC] = {"missent_messages_not_outgoing_total", "cause", "public-client",
		NULL},
	[MS_NUM_OUT_AUTHENTICATED] = {"missent_messages_not_outgoing_total", "cause",
		"authenticated", NULL},
	[MS_NUM_OUT_LOCAL] = {"missent_messages_not_outgoing_total", "cause", "local", NULL},
	[MS_NUM_NO_POLICIES] = {"missent_messages_without_policy_total", "cause", "none-loaded",
		"Outgoing messages that no policy applied to."},
	[MS_NUM_NO_ENVELOPE] = {"missent_messages_without_policy_total", "cause", "envelope", NULL},
	[MS_NUM_NO_CONTENT] = {"missent_messages_without_policy_total", "cause", "content", NULL},
	[MS_NUM_RELEASED] = {"missent_messages_released_total", NULL, NULL,
		"Messages that were let pass because they had been released, or are missent's own."},
	[MS_NUM_UNCHECKED] = {"missent_messages_unchecked_total", NULL, NULL,
		"Messages that could not be judged and were delivered, because it only observes or is paused."},
	[MS_NUM_PAUSED_DELIVERED] = {"missent_messages_paused_total", NULL, NULL,
		"Messages that were delivered only because missent is paused."},
	[MS_NUM_TEMPFAIL_OVERLOAD] = {"missent_messages_deferred_total", "cause", "overload",
		"Messages that could not be judged and are tried again by their sender."},
	[MS_NUM_TEMPFAIL_READER] = {"missent_messages_deferred_total", "cause", "reader", NULL},
	[MS_NUM_TEMPFAIL_WRITE] = {"missent_messages_deferred_total", "cause", "write", NULL},
	[MS_NUM_TEMPFAIL_LATE] = {"missent_messages_deferred_total", "cause", "late", NULL},
	[MS_NUM_TEMPFAIL_OTHER] = {"missent_messages_deferred_total", "cause", "other", NULL},
	[MS_NUM_OVER_MEMORY] = {"missent_overload_total", "cause", "memory",
		"What was refused because there was too much."},
	[MS_NUM_OVER_DESCRIPTORS] = {"missent_overload_total", "cause", "descriptors", NULL},
	[MS_NUM_OVER_QUEUE] = {"missent_overload_total", "cause", "queue", NULL},
	[MS_NUM_OVER_CONNECTIONS] = {"missent_overload_total", "cause", "connections", NULL},
	[MS_NUM_ACTION] = {"missent_verdicts_total", "action", NULL,
		"Judged messages by what was done."},
	[MS_NUM_WOULD] = {"missent_verdicts_enforced_total", "action", NULL,
		"Judged messages by what would be done if all policies were enforced."},
	[MS_NUM_REASON] = {"missent_reasons_total", "reason", NULL,
		"Judged messages that had this reason, at least once."},
	[MS_NUM_UNREAD_MESSAGES] = {"missent_messages_unread_total", NULL, NULL,
		"Judged messages of which something could not be read."},
	[MS_NUM_UNSURE_MESSAGES] = {"missent_messages_unsure_total", NULL, NULL,
		"Judged messages under a policy of which a condition was not known, and counted as met."},
	[MS_NUM_READER_MESSAGES] = {"missent_reader_jobs_total", NULL, NULL,
		"Readings that workers made."},
	[MS_NUM_KILL_LATE] = {"missent_reader_kills_total", "cause", "deadline",
		"Workers that were ended, or ended, before they were done."},
	[MS_NUM_KILL_DIED] = {"missent_reader_kills_total", "cause", "died", NULL},
	[MS_NUM_KILL_LIED] = {"missent_reader_kills_total", "cause", "bad-reading", NULL},
	[MS_NUM_KILL_YIELD] = {"missent_reader_kills_total", "cause", "gave-way", NULL},
	[MS_NUM_READER_REPLACED] = {"missent_reader_replaced_total", NULL, NULL,
		"Reader processes that died or hung."},
	[MS_NUM_READ_AGAIN] = {"missent_reader_read_again_total", NULL, NULL,
		"Messages, and documents within, that were read once more because somebody ended their reader."},
	[MS_NUM_CACHE_ASKED] = {"missent_reader_cache_asked_total", NULL, NULL,
		"Attachments looked for in the cache."},
	[MS_NUM_CACHE_HITS] = {"missent_reader_cache_hits_total", NULL, NULL,
		"Attachments found in it."},
	[MS_NUM_ROUND_TRIPS] = {"missent_directory_round_trips_total", NULL, NULL,
		"Times that the directory was asked."},
	[MS_NUM_DIRECTORY_RETRY] = {"missent_directory_errors_total", "cause", "unreachable",
		"Questions to the directory that had no answer."},
	[MS_NUM_DIRECTORY_UNFIT] = {"missent_directory_errors_total", "cause", "unfit", NULL},
	[MS_NUM_HUNG] = {"missent_messages_hung_total", NULL, NULL,
		"Messages that took longer than hung-after."},
	[MS_NUM_RELOADED] = {"missent_reloads_total", "result", "fine",
		"Reloads of the configuration."},
	[MS_NUM_RELOAD_FAILED] = {"missent_reloads_total", "result", "failed", NULL},
	[MS_NUM_HANGING] = {"missent_messages_hanging", NULL, NULL,
		"Messages that have been in hand for longer than hung-after."},
	[MS_NUM_IN_HAND] = {"missent_messages_in_hand", NULL, NULL,
		"Messages whose verdict is being made."},
	[MS_NUM_MEMORY] = {"missent_messages_bytes", NULL, NULL, "Bytes of messages in flight."},
	[MS_NUM_WAITING] = {"missent_judging_waiting", NULL, NULL,
		"Messages that wait to be judged at length."},
	[MS_NUM_POLICIES] = {"missent_policies", NULL, NULL, "Policies that are loaded."},
	[MS_NUM_ENFORCING] = {"missent_policies_enforced", NULL, NULL,
		"Of these, those that are enforced."},
	[MS_NUM_PAUSED] = {"missent_paused", NULL, NULL,
		"1 while mail is let through as observed (missent pause)."},
	[MS_NUM_PAUSE_ENDS] = {"missent_pause_end_timestamp_seconds", NULL, NULL,
		"When the pause ends; 0 without one."},
	[MS_NUM_DIRECTORY_UP] = {"missent_directory_available", NULL, NULL,
		"1 when the last question had an answer."},
	[MS_NUM_DIRECTORY_ASKED] = {"missent_directory_asked", NULL, NULL,
		"1 once the directory was asked after the start."},
	[MS_NUM_DIRECTORY_LOADED] = {"missent_directory_loaded_timestamp_seconds", NULL, NULL,
		"When the mapping in use was imported; 0: not known."},
	[MS_NUM_DIRECTORY_ENTRIES] = {"missent_directory_entries", NULL, NULL,
		"Entries of the mapping in use."},
	[MS_NUM_GUARD_ON] = {"missent_guard_enabled", NULL, NULL,
		"1 when a guard counts what goes where."},
	[MS_NUM_GUARD_UP] = {"missent_guard_available", NULL, NULL,
		"1 when its last question had an answer."},
	[MS_NUM_STREAMS_STOPPED] = {"missent_guard_streams_stopped", NULL, NULL,
		"Streams of mail whose breaker has tripped."},
};

/* A row that stands for several has the names of what it counts. */
static MsNumberRow nth(MsNumber first, const char *const *names, MsNumber number)
{
	MsNumberRow row = rows[first];
	row.value = names[number - first];
	if (number != first)
		row.help = NULL;
	return row;
}

MsNumberRow ms_number_row(MsNumber number)
{
	if (number >= MS_NUM_ACTION && number < MS_NUM_WOULD)
		return nth(MS_NUM_ACTION, ms_action_names, number);
	if (number >= MS_NUM_WOULD && number < MS_NUM_REASON)
		return nth(MS_NUM_WOULD, ms_action_names, number);
	if (number >= MS_NUM_REASON && number < MS_NUM_UNREAD_MESSAGES)
		return nth(MS_NUM_REASON, ms_reason_names, number);
	return rows[number];
}

const char *const ms_stage_names[MS_N_STAGES + 1] = {
	"read", "resolve", "judge", "write", "whole", NULL};
const char *const ms_bucket_names[MS_N_BUCKETS] = {"0.001", "0.0025", "0.005", "0.01", "0.025",
	"0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "60", "120", "+Inf"};
static const gint64 bucket_us[MS_N_BUCKETS - 1] = {1000, 2500, 5000, 10000, 25000, 50000, 100000,
	250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000, 60000000, 120000000};

/* Another table of names or another struct is another layout: numbers of one are nothing to the
 * other. */
static guint64 layout(void)
{
	guint64 sum = sizeof(MsNumbersView);
	for (MsNumber i = 0; i < MS_N_NUMBERS; i++) {
		MsNumberRow row = ms_number_row(i);
		sum = sum * 1099511628211u + g_str_hash(row.name);
		sum = sum * 1099511628211u + (row.value != NULL ? g_str_hash(row.value) : 0);
	}
	return sum;
}

/* ---- counting ------------------------------------------------------------------------- */

static void add(guint64 *number, guint64 n)
{
	__atomic_fetch_add(number, n, __ATOMIC_RELAXED);
}

void ms_numbers_add(MsNumbers *numbers, MsNumber number, guint64 n)
{
	if (numbers != NULL && n > 0)
		add(&numbers->view.value[number], n);
}

void ms_numbers_set(MsNumbers *numbers, MsNumber number, guint64 value)
{
	if (numbers != NULL)
		__atomic_store_n(&numbers->view.value[number], value, __ATOMIC_RELAXED);
}

void ms_numbers_follow(MsNumbers *numbers, MsNumber number, guint64 now, guint64 *last)
{
	ms_numbers_add(numbers, number, now >= *last ? now - *last : now);
	*last = now;
}

guint64 ms_numbers_get(const MsNumbers *numbers, MsNumber number)
{
	return __atomic_load_n(&numbers->view.value[number], __ATOMIC_RELAXED);
}

void ms_numbers_time(MsNumbers *numbers, MsStage stage, gint64 microseconds)
{
	if (numbers == NULL)
		return;
	gsize i = 0;
	while (i < G_N_ELEMENTS(bucket_us) && microseconds > bucket_us[i])
		i++;
	add(&numbers->view.stage[stage].bucket[i], 1);
	add(&numbers->view.stage[stage].sum_us, (guint64)MAX(microseconds, 0));
}

/* Cut between two characters: what goes out is to be UTF-8. */
static void put_name(char *out, gsize size, const char *name)
{
	g_autofree char *valid = g_utf8_make_valid(name, -1);
	gsize len = strlen(valid);
	if (len >= size) {
		len = size - 1;
		while (len > 0 && (valid[len] & 0xc0) == 0x80)
			len--;
	}
	memset(out, 0, size);
	memcpy(out, valid, len);
}

#define OTHERS "(others)"

/* With the lock held. */
static MsPolicyNumbers *policy_row(MsNumbers *numbers, const char *title)
{
	char name[MS_NUMBERS_TITLE];
	put_name(name, sizeof name, title);
	for (gsize i = 0; i < MS_NUMBERS_POLICIES - 1; i++) {
		MsPolicyNumbers *row = &numbers->view.policies[i];
		if (row->title[0] == '\0')
			memcpy(row->title, name, sizeof name);
		if (memcmp(row->title, name, sizeof name) == 0)
			return row;
	}
	MsPolicyNumbers *last = &numbers->view.policies[MS_NUMBERS_POLICIES - 1];
	put_name(last->title, sizeof last->title, OTHERS);
	return last;
}

void ms_numbers_policy(MsNumbers *numbers, const char *title, MsAction action)
{
	if (numbers == NULL)
		return;
	pthread_mutex_lock(&numbers->lock);
	MsPolicyNumbers *row = policy_row(numbers, title);
	row->messages++;
	row->actions[action]++;
	pthread_mutex_unlock(&numbers->lock);
}

/* Space-saving (Metwally et al. 2005): one that is not in the table takes the place of the
 * rarest, and its count; so who is frequent is always there, and never counted too low. */
void ms_numbers_top(MsNumbers *numbers, MsTop top, const char *who)
{
	if (numbers == NULL)
		return;
	char name[MS_NUMBERS_WHO];
	put_name(name, sizeof name, who);
	pthread_mutex_lock(&numbers->lock);
	MsTopRow *list = numbers->view.top[top], *least = list;
	for (gsize i = 0; i < MS_NUMBERS_TOP; i++) {
		if (memcmp(list[i].who, name, sizeof name) == 0 && list[i].n > 0) {
			least = &list[i];
			break;
		}
		if (list[i].n < least->n)
			least = &list[i];
	}
	memcpy(least->who, name, sizeof name);
	least->n++;
	pthread_mutex_unlock(&numbers->lock);
}

/* ---- the file ------------------------------------------------------------------------- */

static void sum_of(const Slot *slot, guint8 out[SUM_BYTES])
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	gsize len = SUM_BYTES;
	g_checksum_update(sum, (const guchar *)slot, G_STRUCT_OFFSET(Slot, sum));
	g_checksum_get_digest(sum, out, &len);
}

static bool is_whole(const Slot *slot)
{
	guint8 sum[SUM_BYTES];
	if (slot->magic != MAGIC || slot->layout != layout())
		return false;
	sum_of(slot, sum);
	return memcmp(sum, slot->sum, SUM_BYTES) == 0;
}

/* Strings of a file end, whatever it says. */
static void end_strings(MsNumbersView *view)
{
	view->version[sizeof view->version - 1] = '\0';
	for (gsize i = 0; i < MS_NUMBERS_POLICIES; i++)
		view->policies[i].title[MS_NUMBERS_TITLE - 1] = '\0';
	for (gsize t = 0; t < MS_N_TOPS; t++)
		for (gsize i = 0; i < MS_NUMBERS_TOP; i++)
			view->top[t][i].who[MS_NUMBERS_WHO - 1] = '\0';
}

/* The newer one of those that are whole; the caller's; NULL: none. */
static Slot *load(int fd)
{
	g_autofree Slot *slots = g_new0(Slot, 2);
	for (int i = 0; i < 2; i++)
		if (pread(fd, &slots[i], sizeof(Slot), (off_t)i * (off_t)sizeof(Slot)) !=
				(ssize_t)sizeof(Slot) ||
			!is_whole(&slots[i]))
			slots[i].magic = 0;
	const Slot *best = slots[1].magic != 0 &&
			(slots[0].magic == 0 || slots[1].turn > slots[0].turn)
		? &slots[1]
		: &slots[0];
	return best->magic != 0 ? g_memdup2(best, sizeof *best) : NULL;
}

bool ms_numbers_read(const char *path, MsNumbersView *out, GError **error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s: %s%s", path, g_strerror(errno),
			errno == ENOENT ? " (missentd has not run yet)" : "");
		return false;
	}
	g_autofree Slot *slot = load(fd);
	close(fd);
	if (slot == NULL) {
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT,
			"%s: no numbers of this version are in it (is missentd of another "
			"version?)",
			path);
		return false;
	}
	*out = slot->view;
	end_strings(out);
	return true;
}

#define SILENT_US (15 * (gint64)G_USEC_PER_SEC) /* it publishes each second */

bool ms_numbers_alive(const MsNumbersView *view)
{
	return ABS(ms_clock_steady() - view->steady.published) < SILENT_US;
}

gint64 ms_numbers_worked(const MsNumbersView *view)
{
	return ms_clock_steady() - view->steady.started;
}

bool ms_numbers_kept(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool kept = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	ms_io_close(fd);
	return kept;
}

MsNumbers *ms_numbers_new(const char *path)
{
	MsNumbers *numbers = g_new0(MsNumbers, 1);
	numbers->fd = -1;
	pthread_mutex_init(&numbers->lock, NULL);
	numbers->path = g_strdup(path);
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
	g_autofree Slot *before = fd >= 0 ? load(fd) : NULL;
	ms_io_close(fd);
	if (before != NULL) {
		numbers->view = before->view;
		numbers->turn = before->turn;
		end_strings(&numbers->view);
	}
	for (MsNumber i = MS_NUM_FIRST_GAUGE; i < MS_N_NUMBERS; i++)
		numbers->view.value[i] = 0;
	g_strlcpy(numbers->view.version, PACKAGE_VERSION, sizeof numbers->view.version);
	numbers->view.started = ms_clock_now();
	numbers->view.steady.started = ms_clock_steady();
	numbers->view.pid = getpid();
	if (numbers->view.day_began == 0)
		numbers->view.day_began = numbers->view.started;
	return numbers;
}

void ms_numbers_free(MsNumbers *numbers)
{
	if (numbers == NULL)
		return;
	ms_io_close(numbers->fd);
	pthread_mutex_destroy(&numbers->lock);
	g_free(numbers->path);
	g_free(numbers);
}

static void take_counts(guint64 *to, const guint64 *from, gsize bytes)
{
	for (gsize i = 0; i < bytes / sizeof *to; i++)
		to[i] = __atomic_load_n(from + i, __ATOMIC_RELAXED);
}

/* As they are now.  Each number is whole; a sum and its parts may be a message apart.  Values and
 * stages are counted without the lock, all else with it. */
static void copy(MsNumbers *numbers, MsNumbersView *out)
{
	const MsNumbersView *view = &numbers->view;
	const gsize counted = G_STRUCT_OFFSET(MsNumbersView, value),
		    rest = G_STRUCT_OFFSET(MsNumbersView, policies);
	g_assert(rest - counted == sizeof out->value + sizeof out->stage);
	take_counts(out->value, view->value, sizeof out->value);
	take_counts(&out->stage[0].bucket[0], &view->stage[0].bucket[0], sizeof out->stage);
	pthread_mutex_lock(&numbers->lock);
	memcpy(out, view, counted);
	memcpy((char *)out + rest, (const char *)view + rest, sizeof *out - rest);
	pthread_mutex_unlock(&numbers->lock);
}

/* The file of that name, which somebody may have taken away.  The kernel gives the lock back with
 * the process, however it ends; who just looks whether it is there has it for a moment. */
static bool open_own(MsNumbers *numbers)
{
	if (numbers->fd >= 0 && !ms_io_has_name(numbers->fd, numbers->path)) {
		close(numbers->fd);
		numbers->fd = -1;
	}
	if (numbers->fd < 0)
		numbers->fd = open(numbers->path,
			O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640);
	return numbers->fd >= 0 &&
		(flock(numbers->fd, LOCK_EX | LOCK_NB) == 0 || errno == EWOULDBLOCK);
}

bool ms_numbers_publish(MsNumbers *numbers, GError **error)
{
	if (numbers->path == NULL)
		return true;
	g_autofree Slot *slot = g_new0(Slot, 1);
	numbers->view.published = ms_clock_now();
	numbers->view.steady.published = ms_clock_steady();
	copy(numbers, &slot->view);
	slot->magic = MAGIC;
	slot->layout = layout();
	slot->turn = ++numbers->turn;
	sum_of(slot, slot->sum);
	off_t at = (off_t)(slot->turn % 2) * (off_t)sizeof *slot;
	ssize_t n = open_own(numbers) ? pwrite(numbers->fd, slot, sizeof *slot, at) : -1;
	int why = n < 0 ? errno : ENOSPC;
	if (n == (ssize_t)sizeof *slot)
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s: %s", numbers->path, g_strerror(why));
	return false;
}

/* ---- the day -------------------------------------------------------------------------- */

static bool is_same_day(gint64 a, gint64 b)
{
	time_t s = (time_t)(a / G_USEC_PER_SEC), t = (time_t)(b / G_USEC_PER_SEC);
	struct tm x, y;
	localtime_r(&s, &x);
	localtime_r(&t, &y);
	return x.tm_year == y.tm_year && x.tm_yday == y.tm_yday;
}

static char *day_of(const MsNumbersView *view)
{
	g_autofree char *unjudged = ms_numbers_unjudged(view);
	guint64 judged = ms_numbers_today(view, MS_NUM_JUDGED);
	if (judged == 0 && *unjudged == '\0')
		return g_strdup("");
	g_autofree char *n = ms_numbers_text(judged);
	g_autofree char *held = ms_numbers_text(
		ms_numbers_today(view, (MsNumber)(MS_NUM_ACTION + MS_HOLD)) +
		ms_numbers_today(view, (MsNumber)(MS_NUM_ACTION + MS_DELAY)) +
		ms_numbers_today(view, (MsNumber)(MS_NUM_ACTION + MS_SPLIT)));
	return g_strdup_printf(
		"%s judged, %s held%s%s", n, held, *unjudged != '\0' ? ", " : "", unjudged);
}

char *ms_numbers_new_day(MsNumbers *numbers, gint64 now)
{
	if (is_same_day(numbers->view.day_began, now))
		return NULL;
	g_autofree MsNumbersView *view = g_new(MsNumbersView, 1);
	copy(numbers, view);
	char *words = day_of(view);
	pthread_mutex_lock(&numbers->lock);
	numbers->view.day_began = now;
	memcpy(numbers->view.day, view->value, sizeof view->value);
	memset(numbers->view.top, 0, sizeof numbers->view.top);
	pthread_mutex_unlock(&numbers->lock);
	return words;
}
