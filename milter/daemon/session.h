/*
 * A connection of the MTA (session) and a message on it (transaction), without libmilter:
 * milter.c translates its callbacks into these calls, and the actions back.
 */
#ifndef MISSENT_DAEMON_SESSION_H
#define MISSENT_DAEMON_SESSION_H

#include <glib.h>
#include <stdbool.h>

#include "missent/engine.h"
#include "missent/numbers.h"
#include "missent/pause.h"

/* What all sessions share (daemon.h). */
typedef struct Daemon Daemon;

typedef struct Session Session;

Session *session_new(Daemon *daemon, const char *client_name, const char *client_address);
void session_free(Session *session);

/* MAIL FROM begins a transaction; what was before is dropped. */
void session_mail(Session *session, const char *sender, const char *auth_user);
void session_recipient(Session *session, const char *recipient);
/* `leading_space`: the blank after the colon is part of the value (SMFIP_HDR_LEADSPC). */
void session_header(Session *session, const char *name, const char *value, bool leading_space);
void session_end_of_headers(Session *session);
/* False: the rest of the body is of no interest. */
bool session_body(Session *session, const void *data, size_t len);
void session_abort(Session *session);

typedef struct {
	MsAction action;
	char *header;    /* tag: the value of X-Missent */
	char *reason;    /* hold: for the MTA's queue */
	char *reply;     /* reject, tempfail: the text of the SMTP reply */
	GPtrArray *removed; /* split: recipients that do not get it, as the MTA named them */
	bool discard;    /* one of ours that would be held: it goes nowhere */
	guint tokens;    /* fields MS_TOKEN_HEADER to take off, whatever the action */
} Decision;
void decision_clear(Decision *decision);

/* Judges, writes down, logs.  Always gives a decision. */
void session_end_of_message(
	Session *session, const char *host, const char *queue_id, Decision *out);
/* Then, always: did the MTA take all of it?  If not, what was written down is taken back. */
void session_answered(Session *session, bool taken);
/* Called by another thread now and then while a decision is made: false, the MTA is gone. */
typedef bool (*TellProgress)(void *user);
void session_on_progress(Session *session, TellProgress tell, void *user);

#endif
