/*
 * mta.h - the MTA's queue, through missent-release; and mail of our own to the MTA.
 *
 * WHAT    Lists, shows, releases and deletes queued messages of Postfix or Sendmail; submits a
 *         message over SMTP, and a notice to a program over HTTP.
 * OWNS    What is returned is the caller's.
 * ERRORS  GError.  MS_ERROR_INPUT: the queue ID is not, or no longer, that message.
 *         ms_mta_submit(): MsSubmitted tells whether the MTA has the message.
 * THREADS Safe.
 * LIMITS  Each program and each connection is waited for as long as the caller says.
 * NOT     Decides nothing.
 *
 * Source: postqueue(1), postcat(1), postsuper(1); RFC 5321 through libcurl.
 */
#ifndef MISSENT_MTA_H
#define MISSENT_MTA_H

#include <glib.h>
#include <stdbool.h>

#include "missent/record.h"

typedef struct {
	const char *program; /* missent-release */
	bool sendmail;       /* else Postfix */
	const char *config;  /* Postfix's config_directory, Sendmail's .cf; NULL for its default */
	const char *queue, *sendmail_program; /* Sendmail's; NULL for its default */
	gint64 timeout_ms; /* of one program */
} MsMta;

/* What missent-release is asked for, beside a list and a message. */
#define MS_MTA_RELEASE "release"
#define MS_MTA_REQUEUE "requeue" /* as if it had come in now */
#define MS_MTA_DELETE "delete"
/* Runs one verb.  `digest` may be NULL where the verb takes none. */
bool ms_mta_run(const MsMta *mta, const char *verb, const char *queue_id, const char *digest,
	GError **error);
/* The message as it is queued, in a sealed memory file; -1 on error. */
int ms_mta_show(const MsMta *mta, const char *queue_id, GError **error);

typedef struct {
	char *queue_id, *queue, *sender;
	char *body;            /* "", or what several have in common that are parts of one message */
	GPtrArray *recipients; /* of char *: as the MTA has them, which may have rewritten them */
	gint64 arrived;        /* seconds since 1970 */
	guint64 size;
	bool expires; /* at its next attempt it is returned, however young it is (postsuper -e) */
} MsQueued;
void ms_queued_free(MsQueued *queued);
/* Queue ID to MsQueued; "" is there where a line could not be read. */
GHashTable *ms_mta_queue(const MsMta *mta, GError **error);
/* Is this file of the queue the message of that record?  Queue IDs are used again, so it must have
 * arrived when the record says.  Its sender says nothing: the MTA rewrites it. */
bool ms_mta_is_same(const MsRecord *record, const MsQueued *queued);
/* When the record of that was written, if it has one: microseconds since 1970. */
void ms_mta_recorded(const MsQueued *queued, gint64 *from_out, gint64 *to_out);
/* That of it which is.  NULL: there is none, or, with an error, nobody knows. */
const MsQueued *ms_mta_queued(GHashTable *queue, const MsRecord *record, GError **error);

typedef struct {
	const char *url;    /* smtp://127.0.0.1:25, smtps://..., smtp://host:587 */
	const char *user, *password; /* or NULL */
	gint64 timeout_ms;
} MsSubmit;

/* UNCLEAR: the connection broke after the message was sent, without an answer. */
typedef enum { MS_SUBMITTED, MS_REFUSED, MS_LATER, MS_UNCLEAR } MsSubmitted;

/* `header` is put before the message: lines that end with CRLF.  The message may have LF or
 * CRLF.  The reply of the MTA, or what failed, is in `*reply_out`. */
MsSubmitted ms_mta_submit(const MsSubmit *submit, const char *sender, const GPtrArray *recipients,
	const char *header, int message_fd, char **reply_out);

/* The same by sendmail(1), as programs of this host submit mail; one recipient, the whole
 * message in the file.  UNCLEAR: it did not end, and was ended. */
MsSubmitted ms_mta_submit_locally(const MsMta *mta, const char *sender, const char *recipient,
	int message_fd, char **reply_out);

/* ---- a webhook ------------------------------------------------------------------------- */

typedef struct {
	const char *url; /* http:// or https:// */
	const char *key; /* of the signature */
	gint64 timeout_ms;
} MsHook;

/* Posts a body of JSON under a name that tells it from others.  False: it was not taken, and why
 * (the caller's).  Redirections are not followed. */
bool ms_hook_post(const MsHook *hook, const char *name, const char *body, char **why_out);
/* "t=SECONDS,v1=HEX": HMAC-SHA256 of "SECONDS.BODY".  The caller's. */
char *ms_hook_signature(const char *key, gint64 at, const char *body);

#endif
