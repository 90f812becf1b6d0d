/*
 * A connection of the MTA (session) and a message on it (transaction), without libmilter:
 * milter.c translates its callbacks into these calls, and the actions back.
 */
#ifndef MISSENT_DAEMON_SESSION_H
#define MISSENT_DAEMON_SESSION_H

#include <glib.h>
#include <stdbool.h>

#include "missent/engine.h"

/* What all sessions share; see daemon.c. */
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
	guint tokens;    /* fields MS_TOKEN_HEADER to take off, whatever the action */
} Decision;
void decision_clear(Decision *decision);

/* Judges, writes down, logs.  Always gives a decision. */
void session_end_of_message(Session *session, const char *host, const char *queue_id,
	Decision *out);

/* daemon.c */
MsRuntime *daemon_runtime(Daemon *daemon);
/* Takes room for `bytes` of messages in flight, or refuses. */
bool daemon_take_memory(Daemon *daemon, guint64 bytes);
void daemon_give_memory(Daemon *daemon, guint64 bytes);
void daemon_enter(Daemon *daemon); /* a verdict is being made: a stop waits for it */
void daemon_leave(Daemon *daemon);

/* interpose.c: descriptors.  Of all that this process may have, `needed` are kept for messages in hand:
 * connections, and messages that begin, get the others. */
void room_keep(guint needed);
/* How many there are for these beyond that one; below 1: there is none, it must be closed. */
int room_left(int fd);
/* Connections that were refused since the last call. */
guint room_refused(void);

/* care.c: a thread that tells what happened to readers and connections, and systemd that libmilter
 * turns: it asks over the filter's own socket. */
bool care_start(Daemon *daemon, const char *libmilter_spec);
/* Returns when it has ended. */
void care_stop(void);

/* milter.c */
bool milter_register(Daemon *daemon, GError **error);

#endif
