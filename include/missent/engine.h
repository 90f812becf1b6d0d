/*
 * engine.h - one message from bytes to verdict: read, resolve, judge, write down.
 *
 * WHAT    MsRuntime is everything that a configuration makes: policies, kinds, reader,
 *         directory, records, audit.  The daemon, the command line and the review page all
 *         judge through it.
 * OWNS    MsRuntime is reference counted: a message keeps the one it began with over a reload.
 * ERRORS  ms_engine_judge() is false when no verdict could be had for a fault of the world:
 *         the message must be refused for now.
 * THREADS Safe; MsRuntime is immutable.
 * LIMITS  Those of its parts, and the patience of who waits (MsEnvelope): when that is over there
 *         is no verdict, and what was written down is taken back.  Of messages that are dear to
 *         judge one a processor at a time, and so many that wait; more are refused
 *         (MS_ERROR_BUSY, "overloaded"), as by the reader.
 * NOT     Does not talk to the MTA.
 */
#ifndef MISSENT_ENGINE_H
#define MISSENT_ENGINE_H

#include <glib.h>
#include <stdbool.h>

#include "missent/audit.h"
#include "missent/directory.h"
#include "missent/guard.h"
#include "missent/policy.h"
#include "missent/ledger.h"
#include "missent/reader.h"
#include "missent/settings.h"

typedef struct MsRuntime MsRuntime;

typedef enum {
	MS_PARTS_CHECK = 1, /* to judge: reader and directory */
	MS_PARTS_WRITE = 2, /* to write down: records and audit */
} MsRuntimeParts;

/* Loads all that is asked for and of which the configuration speaks; `*warning_out` (caller
 * frees) says what works but worse than it should. */
MsRuntime *ms_runtime_load(const char *config, guint parts, char **warning_out, GError **error);
/* The same with another folder of policies (its kinds.conf, if it has one), or another mapping;
 * to try something: nothing of it writes to what is in use. */
typedef struct {
	const char *policies; /* a folder; NULL: as configured */
	const char *mapping;  /* an SQLite file; NULL: as configured */
} MsInstead;
MsRuntime *ms_runtime_load_instead(const char *config, guint parts, const MsInstead *instead,
	char **warning_out, GError **error);
/* Waits until messages can be read without waiting, `wait_ms` at most; in vain is no error, for the
 * first message says what is wrong. */
void ms_runtime_warm(MsRuntime *runtime, gint64 wait_ms);
MsRuntime *ms_runtime_ref(MsRuntime *runtime);
void ms_runtime_unref(MsRuntime *runtime);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsRuntime, ms_runtime_unref)

/* Another one for each that a process loads, never used again: an address may be. */
guint ms_runtime_number(const MsRuntime *runtime);

/* Is it still what its files say?  False when one of them was changed, came or went since. */
bool ms_runtime_is_current(const MsRuntime *runtime);

const MsSettings *ms_runtime_settings(const MsRuntime *runtime);
const MsPolicies *ms_runtime_policies(const MsRuntime *runtime);
MsKinds *ms_runtime_kinds(const MsRuntime *runtime);
MsDirectory *ms_runtime_directory(const MsRuntime *runtime);
MsReader *ms_runtime_reader(const MsRuntime *runtime);
MsLedger *ms_runtime_ledger(const MsRuntime *runtime);
MsAudit *ms_runtime_audit(const MsRuntime *runtime);
MsGuard *ms_runtime_guard(const MsRuntime *runtime); /* NULL: none */

/* Digests of the policies and kinds as they are loaded; as in the trail, beside which a runtime
 * that writes keeps their texts (audit.h). */
const char *ms_runtime_policies_version(const MsRuntime *runtime);
const char *ms_runtime_kinds_version(const MsRuntime *runtime);

/* Opens the directory of a configuration alone. */
MsDirectory *ms_engine_open_directory(const MsSettings *settings, MsKinds *kinds, GError **error);
/* The guard alone; NULL and no error: it is switched off. */
MsGuard *ms_engine_open_guard(const MsSettings *settings, GError **error);
/* The records alone, for who writes in them.  MS_ERROR_CONFIG: they are gone (below), and a new
 * database would know nothing of what is held. */
MsLedger *ms_engine_open_records(const MsSettings *settings, GError **error);
/* What is still known of records that are gone. */
typedef struct {
	guint64 messages; /* that were held here, by the trail; */
	gint64 last;      /* the last of them, microseconds since 1970 */
	guint copies;     /* in the spool */
} MsForgotten;
/* Is there no database, though there was something for it?  False with `*error`: nobody knows. */
bool ms_engine_records_gone(const MsSettings *settings, MsForgotten *out, GError **error);
/* In words, the caller's. */
char *ms_engine_forgotten_text(const MsForgotten *gone);
MsKinds *ms_engine_load_kinds(const MsSettings *settings, GError **error);

/* Is it outgoing, and could a policy apply?  If not, its body need not be read. */
typedef enum {
	MS_CONCERNED,
	/* from a client that is in none of the networks, with a private address, */
	MS_NOT_OUTGOING_PRIVATE,
	MS_NOT_OUTGOING_PUBLIC,  /* or a public one; */
	/* from somebody who has logged in, or this host, where the settings say that */
	MS_NOT_OUTGOING_AUTHENTICATED,
	MS_NOT_OUTGOING_LOCAL,         /* this is no reason */
	MS_NO_POLICIES,          /* outgoing, but there is no policy at all, */
	MS_NO_POLICY,            /* or none for its sender, user or client */
} MsConcern;
MsConcern ms_engine_concern(const MsRuntime *runtime, const MsEnvelope *envelope);
bool ms_engine_concerned(const MsRuntime *runtime, const MsEnvelope *envelope);

typedef struct {
	MsReading *reading;
	/* NULL: the directory could not be asked, or judging took too much */
	MsResolution *resolution;
	char *trouble;            /* then: why */
	MsGuardCounts *counts;    /* NULL: nobody counts */
	char *uncounted;          /* why it could not be done; or NULL */
	/* Under which name: its own, or that which it had when it was put off. */
	char *counted_id;
	gint64 counted_arrived;
	/* of char *: streams that this message stopped, in words; NULL: none */
	GPtrArray *stopped;
	MsVerdict *verdict;
	guint64 known;  /* the number of the filters that it was read with (reader.h) */
	guint64 stored; /* bytes of the message that could be read */
	/* by ms_engine_write_down(), to be taken back if it comes to nothing; NULL: none */
	MsRecord *record;
	bool added, copied; /* to the ledger; into the spool, by the record's name */
	gint64 read_us, resolve_us, count_us, judge_us; /* how long each step took */
} MsJudgement;
void ms_judgement_free(MsJudgement *judgement);
/* Does mail whose verdict could not be made or written down go out all the same?  Where only is
 * observed, and no policy that is enforced by its own mode is against it or, without a judgement,
 * could be. */
bool ms_engine_lets_unchecked(
	const MsRuntime *runtime, const MsEnvelope *envelope, const MsJudgement *judgement);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsJudgement, ms_judgement_free)

/* The two halves of ms_engine_judge(), for who knows the envelope only after reading: then it
 * may be NULL. */
bool ms_engine_read(MsRuntime *runtime, const MsEnvelope *envelope, int message_fd,
	MsJudgement **judgement_out, GError **error);
/* Counts too, where the runtime was loaded to judge and to write down: who only looks changes no
 * window. */
void ms_engine_decide(MsRuntime *runtime, const MsEnvelope *envelope, int message_fd,
	MsJudgement *judgement);

/* How much there is to do, and what was too much. */
typedef struct {
	guint judging, waiting; /* messages: dear ones that are judged, those that wait for that */
	guint refused;          /* since it was loaded */
} MsLoad;
void ms_runtime_load_counts(MsRuntime *runtime, MsLoad *out);

/* `message_fd` is a sealed memory file; `stored` bytes of `envelope->size` are in it. */
bool ms_engine_judge(MsRuntime *runtime, const MsEnvelope *envelope, int message_fd,
	guint64 stored, MsJudgement **judgement_out, GError **error);
/* Record (for a hold, or one that would have been), the held copy of a split, and audit line.  On
 * disk when true.  `digest` is the body's (bodydigest.h). */
bool ms_engine_write_down(MsRuntime *runtime, const MsEnvelope *envelope, MsJudgement *judgement,
	int message_fd, const char *digest, GError **error);
/* The MTA did not take the answer: the record goes, with its copy, and the trail says that what its
 * line tells of was not done. */
bool ms_engine_take_back(MsRuntime *runtime, const MsEnvelope *envelope, MsJudgement *judgement,
	const char *why, GError **error);
/* Is it a mail of ours that must be held (canary.h)?  `digest` is the body's. */
bool ms_engine_is_canary(const MsRuntime *runtime, const MsEnvelope *envelope, const char *digest);
/* May it go unjudged?  MS_FOUND spends its token (token.h). */
MsAnswer ms_engine_spend_token(MsRuntime *runtime, const MsEnvelope *envelope, const char *token,
	const char *digest, GError **error);
/* The record that a judgement makes; also for who only looks. */
MsRecord *ms_engine_record(const MsRuntime *runtime, const MsEnvelope *envelope,
	const MsJudgement *judgement, const char *digest);
/* For what it is held, judged again: `again` is a record of that judgement, all of whose
 * recipients are those for whom it is held. */
char *ms_engine_cause_again(const MsRecord *again);
/* Keyed digests of a subject's words, or of what somebody looks for in subjects; of char *. */
GPtrArray *ms_engine_subject_words(const MsRuntime *runtime, const char *text);
/* What tells this message from others with the same body: a keyed digest of the fields that its
 * sender wrote, where one of them is a name for it; else "".  The caller's. */
char *ms_engine_message(const MsRuntime *runtime, const MsReading *reading);
/* A keyed digest by which a finding is known again. */
char *ms_engine_ref(const MsRuntime *runtime, const char *kind, const char *value);

#endif
