/*
 * batch.h - stored mail, worked off on all processors, to go on with where it was stopped.
 *
 * WHAT    Hands each stored message to a function, on threads of its own; takes what it makes of it
 *         in one place; writes it down, so that who is stopped, by a person or a crash, goes on
 *         from there. Reads a stored message by the whole way that mail is read, and tells who sent
 *         it to whom.
 * OWNS    Rows are the caller's, by his functions.  MsBatchMail: ms_batch_mail_clear().
 * ERRORS  GError for what makes all of it impossible; where a row cannot be written down `broken`
 *         is told.
 * THREADS ms_batch_run() starts its own; `progress` is called in the caller's.
 * LIMITS  So few messages are waited for at a time that a mailbox larger than memory is no matter.
 * NOT     Judges nothing.
 *
 * Who the recipients were is told by, in this order: our own record of a held copy; an Exchange
 * journal report; X-Original-To, Delivered-To and X-Envelope-To, but for addresses of the archive
 * itself; else To and Cc, which know nothing of Bcc.
 */
#ifndef MISSENT_BATCH_H
#define MISSENT_BATCH_H

#include <glib.h>
#include <stdbool.h>

#include "missent/engine.h"

/* ---- all of it ------------------------------------------------------------------------ */

typedef struct {
	const char *const *paths; /* NULL-terminated */
	const char *state;        /* file that says what was done, to go on from; NULL: none */
	const char
		*key;  /* names what is done: what was done of something else counts for nothing */
	bool afresh;   /* nothing of what it says counts */
	guint threads; /* 0: as many as there are processors */
	volatile const int *stop; /* not 0: end as soon as can be */
} MsBatchAsk;

typedef struct {
	guint done, before;   /* messages; of these, before this run */
	guint64 bytes, total; /* of the files */
	gint64 us, cpu_us;    /* of this run, with the reader's workers */
} MsBatchProgress;

typedef struct {
	guint index;        /* in the order in which they are stored */
	const char *name;   /* stored.h */
	const char *digest; /* of its bytes, 16 hexadecimal digits */
	GBytes *bytes;
	bool cut; /* the mailbox ends within it */
} MsBatchItem;

struct json_t;
typedef struct {
	gpointer (*work)(const MsBatchItem *item, void *user); /* any thread; a row */
	struct json_t *(*to_json)(
		gconstpointer row, void *user); /* an object with "name" and "digest" */
	gpointer (*from_json)(const struct json_t *json, void *user); /* NULL: it is none */
	/* One thread at a time, in any order; the row is its. */
	void (*take)(const MsBatchItem *item, gpointer row, void *user);
	void (*progress)(const MsBatchProgress *progress, void *user); /* or NULL */
	void *progress_user;
	void *user;
} MsBatchFuncs;

/* `*broken_out` (the caller's): why the state cannot be written to any more; NULL: it can. */
bool ms_batch_run(const MsBatchAsk *ask, const MsBatchFuncs *funcs, MsBatchProgress *progress_out,
	char **broken_out, GError **error);
bool ms_batch_stopped(const MsBatchAsk *ask);
/* Processor time of this process and of its children that ended, in microseconds. */
gint64 ms_batch_cpu(void);

/* ---- one message ---------------------------------------------------------------------- */

typedef enum {
	MS_BY_RECORD,
	MS_BY_JOURNAL,
	MS_BY_DELIVERY,
	MS_BY_HEADERS,
	MS_N_KNOWN_BY
} MsBacktestBy;
extern const char *const ms_backtest_by_names[MS_N_KNOWN_BY + 1]; /* NULL-terminated */

/* The message itself, where what was stored is a report about it or delivery wrote into it. */
typedef struct {
	MsEnvelope *envelope;   /* NULL: it names no recipient, or it is not known */
	MsJudgement *judgement; /* read, not decided */
	MsBacktestBy by;
	int fd; /* its memory file; -1: none */
} MsBatchMail;
void ms_batch_mail_clear(MsBatchMail *mail);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MsBatchMail, ms_batch_mail_clear)
/* `ledger` may be NULL.  False, with nothing in `mail_out`: it cannot be read, or nobody knows
 * for whom it was (MS_ERROR_INPUT). */
bool ms_batch_mail_read(MsRuntime *runtime, MsLedger *ledger, const char *const *archive,
	const MsBatchItem *item, MsBatchMail *mail_out, GError **error);

#endif
