/*
 * guard.h - what went where lately, counted by all hosts together.
 *
 * WHAT    Takes one message and the streams that it is of, enters it into windows of what went to
 *         whom, and answers with what is over a limit, unusual, or of a stream that was stopped.
 * OWNS    MsGuard, MsGuardCounts: freed by their _free functions.
 * ERRORS  MsAnswer: when it cannot be asked nothing is counted, and nothing is known but which
 *         streams were stopped when this MsGuard last heard of them: those are stopped still.
 * THREADS ms_guard_count() from any number of threads.
 * LIMITS  A message is looked at in MS_GUARD_IDENTIFIERS identifiers, MS_GUARD_RECIPIENTS
 *         recipients, MS_GUARD_DOCUMENTS documents and MS_GUARD_STREAMS streams; a window keeps
 *         no more members than its limit allows.  MS_GUARD_LISTED streams that are stopped or had
 *         bad mail are listed.
 * NOT     Judges nothing.  What it keeps are keyed digests, times and numbers, and of each stream
 *         its policy and the masked sender.
 *
 * Counting is one step: a script on the primary of Redis, a transaction of SQLite.  A message
 * that is asked about again (same host, queue ID and arrival) gets the same answer and is not
 * counted twice.  With a key before the present one, it is counted under both, and over is what
 * is over under either: what was learnt under the old key goes on to be known until that key is
 * taken away.  Entered is only what may leave: of mail that is held, by the guard or for another
 * reason, no window knows, so that right mail that comes after it is not measured against it.
 */
#ifndef MISSENT_GUARD_H
#define MISSENT_GUARD_H

#include <glib.h>
#include <stdbool.h>

#include "missent/answer.h"
#include "missent/envelope.h"
#include "missent/reading.h"
#include "missent/redis.h"
#include "missent/resolution.h"
#include "missent/settings.h"

#define MS_GUARD_IDENTIFIERS 24
#define MS_GUARD_RECIPIENTS 200
#define MS_GUARD_DOCUMENTS 8
#define MS_GUARD_STREAMS 16
#define MS_GUARD_LISTED 200
/* So long a message is known by its host, queue ID and arrival. */
#define MS_GUARD_KNOWN_SECONDS 3600

typedef struct {
	bool on_redis;
	const char *sqlite;  /* path; ":memory:" for tests */
	const MsRedisSettings *redis;
	const char *redis_prefix;
	const guint8 *key;   /* 32 bytes */
	const guint8 *key_before; /* the same, of the key before; or NULL */
	const char
		*tag_separators; /* "+": an address is the same with and without a tag; or NULL */
	MsGuardLimits limits; /* borrows its lists */
} MsGuardSettings;

typedef struct MsGuard MsGuard;

MsGuard *ms_guard_open(const MsGuardSettings *settings, GError **error);
void ms_guard_free(MsGuard *guard);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsGuard, ms_guard_free)

/* ---- a message ------------------------------------------------------------------------ */

typedef enum {
	MS_GUARD_FAN_OUT, /* one identifier or document to too many */
	MS_GUARD_FAN_IN,  /* too many customers' to one address */
	MS_GUARD_NAMES,   /* too many different people greeted at one address */
	MS_GUARD_REPEAT,  /* the same to the same too often */
	MS_GUARD_SPLIT,   /* one list of recipients in several transactions */
	MS_GUARD_UNUSUAL, /* it went to others before, and he got others' */
	MS_GUARD_VOLUME,  /* the stream sends far more than it did */
	MS_GUARD_CREEP,   /* to far more recipients at once than it did */
	MS_GUARD_BREAKER, /* the stream is stopped */
	MS_N_GUARD,
} MsGuardWhat;

/* Mail of one policy and sender, as the policy is. */
typedef struct {
	const char *policy;      /* borrowed */
	GHashTable *kinds;       /* that it looks at (char *); empty: all; borrowed */
	bool counts_customers;   /* false: it asks about recipients only */
	bool bad;                /* the message is, for what was judged already */
	guint minds;             /* bit n: MsGuardWhat n is bad mail of this stream */
	guint holds;             /* bit n: and is held for it */
	gint64 max_recipients;   /* of one list; -1: any number */
} MsGuardStream;

typedef struct {
	MsGuardWhat what;
	int finding, recipient, document, stream; /* what it is about, or -1 */
	guint count, limit;  /* of a breaker: bad ones of the last ones, how many were held since */
	guint other;         /* fan-out: domains; unusual: how often the recipient got others' */
	gint64 since;        /* seconds since 1970, or 0 */
} MsGuardAlarm;

typedef struct {
	GArray *alarms;      /* of MsGuardAlarm */
	guint streams;       /* bit n: stream n is stopped */
	guint tripped;       /* bit n: by this message */
	gint64 born;         /* since when there is a memory */
} MsGuardCounts;
void ms_guard_counts_free(MsGuardCounts *counts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsGuardCounts, ms_guard_counts_free)

/* `resolution` NULL: the directory could not be asked.  `outcomes`: a byte a recipient, MsOutcome.
 * `held`: the message does not leave, whatever the guard says.  `now`: seconds since 1970.
 * `withheld`: a byte a recipient, 1 if a split keeps it from him, so that he is none; NULL: from
 * nobody. */
typedef struct {
	const MsEnvelope *envelope;
	const MsReading *reading;
	const MsResolution *resolution;
	const GByteArray *outcomes;
	const MsGuardStream *streams;
	guint n_streams;
	bool held;
	gint64 now;
	const GByteArray *withheld;
} MsGuardMessage;
/* `*counts_out` may be there also when it is not MS_FOUND: streams that are stopped. */
MsAnswer ms_guard_count(MsGuard *guard, const MsGuardMessage *message, MsGuardCounts **counts_out,
	GError **error);

/* False: the last message could not be counted, and none could now.  What can be read can often not
 * be written: a memory that is full, a replica, a right that lacks. */
bool ms_guard_counts_again(MsGuard *guard, gint64 now);

/* ---- streams -------------------------------------------------------------------------- */

typedef struct {
	char *id;      /* by which it is named: 24 hexadecimal digits */
	char *label;   /* "policy invoices, sender b***@e***.example" */
	gint64 tripped; /* seconds since 1970; 0: it runs */
	gint64 last_bad;
	guint bad, recent; /* of the last `recent` messages */
	guint held;    /* since it was stopped */
	guint64 all, all_bad;
} MsGuardState;
void ms_guard_state_free(gpointer state);

typedef struct {
	gint64 born;       /* seconds since 1970; 0: there is no memory */
	GPtrArray *states; /* of MsGuardState */
} MsGuardStatus;
void ms_guard_status_free(MsGuardStatus *status);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsGuardStatus, ms_guard_status_free)
MsAnswer ms_guard_status(MsGuard *guard, MsGuardStatus **status_out, GError **error);
/* Lets a stream run again, its last messages forgotten.  MS_ABSENT: there is no such stream, or it
 * runs. */
MsAnswer ms_guard_reset(MsGuard *guard, const char *id, gint64 now, GError **error);

/* ---- accounts ------------------------------------------------------------------------- */

/* Forgets what is remembered of an account that the directory knew: where its identifiers went,
 * what its recipients got, and both in what is kept of others.  Windows go by themselves.  How
 * many values: 0 for an account of which nothing is known.  An empty name is MS_CONFIG. */
MsAnswer ms_guard_forget(
	MsGuard *guard, const char *account, gint64 now, guint *values_out, GError **error);

#endif
