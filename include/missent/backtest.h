/*
 * backtest.h - what would have been done with stored mail.
 *
 * WHAT    Judges stored messages by the whole way that mail goes, on all processors, with other
 *         policies or another mapping than those in use where that is asked for, and beside a
 *         second set of policies; goes on where it was stopped.
 * OWNS    MsBacktest; ms_backtest_free().
 * ERRORS  GError for what makes all of it impossible.  A message that cannot be judged is a row.
 * THREADS ms_backtest_run() starts its own; `progress` is called in the caller's.
 * LIMITS  MS_BACKTEST_REASONS reasons are kept of a message.
 * NOT     Counts nothing in the guard, writes no record and no audit line.  Rows have masked
 *         forms only.
 */
#ifndef MISSENT_BACKTEST_H
#define MISSENT_BACKTEST_H

#include <glib.h>
#include <stdbool.h>

#include "missent/batch.h"

#define MS_BACKTEST_REASONS 10

/* What one set of policies makes of a message. */
typedef struct {
	MsAction would;
	char *codes;        /* "mismatch, unproven"; "" */
	char *policies;     /* that applied; "" */
	char *cause;        /* messages with the same words have the same cause; "" */
	GPtrArray *unsure;  /* of char *: policies that applied for what is not known of it */
	GPtrArray *reasons; /* of char *, masked, the strictest first */
} MsBacktestView;

typedef struct {
	char *name;   /* of the message (stored.h) */
	char *digest; /* of its bytes */
	char *sender; /* masked */
	guint recipients;
	MsBacktestBy by;
	char *failed; /* why it could not be judged; NULL: it was */
	MsBacktestView now, baseline; /* the second only where it was asked for */
} MsBacktestRow;

typedef struct {
	const char *config;
	const char *policies, *baseline; /* folders; NULL: those in use; none */
	const char *mapping;             /* an SQLite file; NULL: the one in use */
	const char *const *paths;        /* NULL-terminated */
	/* addresses that are no recipients; NULL-terminated, or NULL */
	const char *const *archive;
	/* file that says what was done, to go on from; NULL: none */
	const char *state;
	bool afresh;                     /* nothing of what it says counts */
	guint threads;                   /* 0: as many as there are processors */
	volatile const int *stop;        /* not 0: end as soon as can be */
} MsBacktestAsk;

typedef struct MsBacktest MsBacktest;
MsBacktest *ms_backtest_run(const MsBacktestAsk *ask,
	void (*progress)(const MsBatchProgress *, void *user), void *user, GError **error);
void ms_backtest_free(MsBacktest *backtest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsBacktest, ms_backtest_free)

/* In the order in which they are stored. */
guint ms_backtest_count(const MsBacktest *backtest);
const MsBacktestRow *ms_backtest_row(const MsBacktest *backtest, guint n);
/* Do the two sets of policies disagree on it? */
bool ms_backtest_differs(const MsBacktestRow *row);
void ms_backtest_progress(const MsBacktest *backtest, MsBatchProgress *out);
bool ms_backtest_is_whole(const MsBacktest *backtest); /* false: it was stopped */
/* What a reader of the result has to know: cut mailboxes, policies that changed meanwhile, an
 * archive's own address taken for a recipient; of char *. */
const GPtrArray *ms_backtest_notes(const MsBacktest *backtest);

/* Runs the tests that stand beside policies, each with its own mapping; `failed` is called for
 * what is not as expected.  `policies` NULL: the folder as configured.  False: one failed, or
 * (error) none could be run. */
typedef void (*MsBacktestFailed)(const MsPolicyTest *test, const char *problem, void *user);
bool ms_backtest_beside(const char *config, const char *policies, MsBacktestFailed failed,
	void *user, guint *tests_out, GError **error);

/* Messages with one cause, the most first. */
typedef struct {
	const char *cause;
	MsAction would;
	guint messages;
	const MsBacktestRow *example;
} MsBacktestCause;
GArray *ms_backtest_causes(const MsBacktest *backtest); /* of MsBacktestCause */

struct json_t *ms_backtest_to_json(const MsBacktest *backtest, bool rows);
/* A page without any request to elsewhere; the caller's. */
char *ms_backtest_to_html(const MsBacktest *backtest, const char *title);

#endif
