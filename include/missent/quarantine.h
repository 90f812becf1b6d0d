/*
 * quarantine.h - the record of every hold, and the MTA's queue that holds the message.
 *
 * WHAT    Writes why a message is held before the MTA is answered; lists, shows and closes
 *         records; releases, returns and deletes messages through missent-release.
 * OWNS    MsRecords, MsRecord: freed by their _free functions.
 * ERRORS  GError.  When ms_records_add() fails the message must be refused for now: a hold
 *         without a record would be lost among others.
 * THREADS Safe.
 * LIMITS  None of its own.
 * NOT     Holds no message: that is the MTA's queue.  Identifiers are kept masked.
 */
#ifndef MISSENT_QUARANTINE_H
#define MISSENT_QUARANTINE_H

#include <glib.h>
#include <stdbool.h>

#include "missent/envelope.h"
#include "missent/verdict.h"

typedef struct MsRecords MsRecords;

typedef enum { MS_STATE_HELD, MS_STATE_OBSERVED, MS_STATE_RELEASED, MS_STATE_RETURNED,
	MS_STATE_DELETED, MS_N_STATES } MsState;
extern const char *const ms_state_names[MS_N_STATES + 1];

typedef struct {
	gint64 at; /* microseconds since 1970 */
	char *who, *what, *why;
} MsAct;

typedef struct {
	gint64 id;
	MsState state;
	char *host, *queue_id, *sender;
	gint64 arrived; /* microseconds since 1970 */
	guint64 size;
	char *codes, *policies;
	GPtrArray *recipients; /* of char * */
	GPtrArray *reasons;    /* of MsReason */
	GPtrArray *acts;       /* of MsAct */
} MsRecord;

void ms_record_free(MsRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsRecord, ms_record_free)

MsRecords *ms_records_open(const char *path, GError **error);
void ms_records_free(MsRecords *records);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsRecords, ms_records_free)

/* On disk when it returns true. */
bool ms_records_add(MsRecords *records, const MsEnvelope *envelope, const MsVerdict *verdict,
	MsState state, GError **error);

typedef struct {
	int state;          /* MsState, or -1 for all */
	const char *reason; /* NULL: any */
	const char *policy;
	const char *sender; /* a part of it */
	gint64 older_than, newer_than; /* arrival, microseconds since 1970; 0: any */
	guint limit;        /* 0: all */
} MsRecordFilter;

/* Newest first, without reasons and acts; of MsRecord.  NULL on error. */
GPtrArray *ms_records_list(MsRecords *records, const MsRecordFilter *filter, GError **error);
/* The newest record of that queue ID, whole.  NULL without error: there is none. */
MsRecord *ms_records_find(MsRecords *records, const char *queue_id, GError **error);
/* Adds who did what and why, and the new state. */
bool ms_records_act(MsRecords *records, gint64 id, MsState state, const char *who,
	const char *what, const char *why, GError **error);

/* ---- the MTA's queue ------------------------------------------------------------------ */

typedef struct {
	const char *program; /* missent-release */
	const char *config;  /* Postfix's config_directory, or NULL for its default */
} MsMta;

/* Runs one verb (list, show, release, return, delete).  Output is the caller's. */
bool ms_mta_run(const MsMta *mta, const char *verb, const char *queue_id, char **output_out,
	GError **error);

typedef struct {
	char *queue_id, *queue, *sender;
	gint64 arrived; /* seconds since 1970 */
	guint64 size;
} MsQueued;
/* Queue ID to MsQueued. */
GHashTable *ms_mta_queue(const MsMta *mta, GError **error);
/* Is this file of the queue the message of that record?  Queue IDs are used again. */
bool ms_mta_is_same(const MsRecord *record, const MsQueued *queued);

#endif
