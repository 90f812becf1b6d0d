/*
 * numbers.h - what missentd counts, published for those who look.
 *
 * WHAT    Counters, gauges and histograms of one missentd; written once a second to a file of
 *         fixed layout, read from it by the agent, the command line and nobody else.
 * OWNS    MsNumbers: ms_numbers_free().  MsNumbersView: plain data.
 * ERRORS  GError.  A file of another version or layout, or one that is damaged, is MS_ERROR_INPUT.
 * THREADS Counting is an atomic addition; names (policies, clients) are found under a lock of this
 *         process that is held for a look at a short table.  Publishing: one thread.
 * LIMITS  MS_NUMBERS_POLICIES policies have a row of their own, the others share one; of clients
 *         and senders the MS_NUMBERS_TOP most frequent of a day are known, with an error of what
 *         was evicted.
 * NOT     No address, account or identifier is a name here, but for clients' IP addresses and
 *         masked senders in the lists of the day, which metrics never show.
 *
 * Counters go on after a restart from what was published last, so that what was seen once never
 * goes back; they begin anew with a new version or a lost file.
 */
#ifndef MISSENT_NUMBERS_H
#define MISSENT_NUMBERS_H

#include <glib.h>
#include <stdbool.h>

#include "missent/verdict.h"

/* One metric, or one value of its label, a row; ms_number_row() has their names. */
typedef enum {
	MS_NUM_JUDGED,
	MS_NUM_OUT_PRIVATE,  /* not outgoing: by where it came from */
	MS_NUM_OUT_PUBLIC,
	MS_NUM_OUT_AUTHENTICATED,
	MS_NUM_OUT_LOCAL,
	MS_NUM_NO_POLICIES,  /* no policy applied: there is none, */
	MS_NUM_NO_ENVELOPE,  /* none fits its envelope, */
	MS_NUM_NO_CONTENT,   /* none fits its headers and attachments */
	MS_NUM_RELEASED,
	MS_NUM_UNCHECKED,
	MS_NUM_PAUSED_DELIVERED,
	MS_NUM_TEMPFAIL_OVERLOAD,
	MS_NUM_TEMPFAIL_READER,
	MS_NUM_TEMPFAIL_WRITE,
	MS_NUM_TEMPFAIL_LATE,
	MS_NUM_TEMPFAIL_OTHER,
	MS_NUM_OVER_MEMORY,
	MS_NUM_OVER_DESCRIPTORS,
	MS_NUM_OVER_QUEUE,
	MS_NUM_OVER_CONNECTIONS,
	MS_NUM_ACTION,       /* and MS_N_ACTIONS - 1 after it; so with those below */
	MS_NUM_WOULD = MS_NUM_ACTION + MS_N_ACTIONS,
	MS_NUM_REASON = MS_NUM_WOULD + MS_N_ACTIONS,
	MS_NUM_UNREAD_MESSAGES = MS_NUM_REASON + MS_N_REASONS,
	MS_NUM_UNSURE_MESSAGES,
	MS_NUM_READER_MESSAGES,
	MS_NUM_KILL_LATE,
	MS_NUM_KILL_DIED,
	MS_NUM_KILL_LIED,
	MS_NUM_KILL_YIELD,
	MS_NUM_READER_REPLACED,
	MS_NUM_READ_AGAIN,
	MS_NUM_CACHE_ASKED,
	MS_NUM_CACHE_HITS,
	MS_NUM_ROUND_TRIPS,
	MS_NUM_DIRECTORY_RETRY,
	MS_NUM_DIRECTORY_UNFIT,
	MS_NUM_HUNG,
	MS_NUM_RELOADED,
	MS_NUM_RELOAD_FAILED,
	MS_NUM_FIRST_GAUGE,  /* those below are as they are now */
	MS_NUM_HANGING = MS_NUM_FIRST_GAUGE,
	MS_NUM_IN_HAND,
	MS_NUM_MEMORY,
	MS_NUM_WAITING,
	MS_NUM_POLICIES,
	MS_NUM_ENFORCING,
	MS_NUM_PAUSED,
	MS_NUM_PAUSE_ENDS,
	MS_NUM_DIRECTORY_UP,
	MS_NUM_DIRECTORY_ASKED, /* since the start */
	MS_NUM_DIRECTORY_LOADED,
	MS_NUM_DIRECTORY_ENTRIES,
	MS_NUM_GUARD_ON,
	MS_NUM_GUARD_UP,
	MS_NUM_STREAMS_STOPPED,
	MS_N_NUMBERS,
} MsNumber;

typedef struct {
	const char *name, *label, *value; /* label NULL: none */
	const char *help;                 /* of the first row of a name */
} MsNumberRow;
/* Of any MsNumber; its strings are static. */
MsNumberRow ms_number_row(MsNumber number);

/* Where the time of a message goes. */
typedef enum {
	MS_STAGE_READ,
	MS_STAGE_RESOLVE,
	MS_STAGE_JUDGE,
	MS_STAGE_WRITE,
	MS_STAGE_WHOLE,
	MS_N_STAGES
} MsStage;
extern const char *const ms_stage_names[MS_N_STAGES + 1];
#define MS_N_BUCKETS 17
/* Seconds, as they are written; the last bucket is +Inf. */
extern const char *const ms_bucket_names[MS_N_BUCKETS];

#define MS_NUMBERS_POLICIES 64 /* the last is all others */
#define MS_NUMBERS_TITLE 64
#define MS_NUMBERS_TOP 16
#define MS_NUMBERS_WHO 64
typedef enum { MS_TOP_OUT, MS_TOP_NO_POLICY, MS_N_TOPS } MsTop; /* clients; masked senders */

typedef struct {
	guint64 bucket[MS_N_BUCKETS]; /* each by itself, not summed up */
	guint64 sum_us;
} MsHistogram;

typedef struct {
	char title[MS_NUMBERS_TITLE];
	guint64 messages, actions[MS_N_ACTIONS]; /* the strictest that it asked for in a message */
} MsPolicyNumbers;

typedef struct {
	char who[MS_NUMBERS_WHO];
	guint64 n;
} MsTopRow;

/* All of it, as it lies in the file. */
typedef struct {
	char version[32];
	gint64 started, published; /* microseconds since 1970 */
	struct {
		gint64 started, published; /* ms_clock_steady() */
	} steady;
	gint64 pid;
	guint64 value[MS_N_NUMBERS];
	MsHistogram stage[MS_N_STAGES];
	MsPolicyNumbers policies[MS_NUMBERS_POLICIES];
	gint64 day_began;           /* when the lists of the day were begun */
	guint64 day[MS_N_NUMBERS];  /* what counters were then */
	MsTopRow top[MS_N_TOPS][MS_NUMBERS_TOP];
} MsNumbersView;

/* ---- counting ------------------------------------------------------------------------- */

typedef struct MsNumbers MsNumbers;
/* `path` NULL: not published. */
MsNumbers *ms_numbers_new(const char *path);
void ms_numbers_free(MsNumbers *numbers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsNumbers, ms_numbers_free)
void ms_numbers_add(MsNumbers *numbers, MsNumber number, guint64 n);
void ms_numbers_set(MsNumbers *numbers, MsNumber number, guint64 value);
/* A counter of another object, which begins anew with that object: `last` is what it was before. */
void ms_numbers_follow(MsNumbers *numbers, MsNumber number, guint64 now, guint64 *last);
guint64 ms_numbers_get(const MsNumbers *numbers, MsNumber number);
void ms_numbers_time(MsNumbers *numbers, MsStage stage, gint64 microseconds);
/* One message of that policy. */
void ms_numbers_policy(MsNumbers *numbers, const char *title, MsAction action);
void ms_numbers_top(MsNumbers *numbers, MsTop top, const char *who);

/* Writes it all; what is there of the last second is lost with a kill. */
bool ms_numbers_publish(MsNumbers *numbers, GError **error);
/* Is it another day than when the lists were begun?  Then the day in words (the caller's; "" for
 * one without anything to tell), and they begin anew. */
char *ms_numbers_new_day(MsNumbers *numbers, gint64 now);

/* ---- looking -------------------------------------------------------------------------- */

bool ms_numbers_read(const char *path, MsNumbersView *out, GError **error);
/* Has it published them lately, and for how many microseconds is it at work?  However the wall
 * clock was set meanwhile. */
bool ms_numbers_alive(const MsNumbersView *view);
gint64 ms_numbers_worked(const MsNumbersView *view);
/* Is there a process that publishes them, now? */
bool ms_numbers_kept(const char *path);
/* What went by unjudged since the day began: "1,240 not outgoing (client 10.1.1.5: 1,198), 3
 * without a policy (sender b***@e***.com: 3)"; the caller's. */
char *ms_numbers_unjudged(const MsNumbersView *view);
guint64 ms_numbers_today(const MsNumbersView *view, MsNumber number);
/* 1240: "1,240"; the caller's. */
char *ms_numbers_text(guint64 n);

#endif
