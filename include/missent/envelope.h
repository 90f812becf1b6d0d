/*
 * envelope.h - who sends a message to whom, as the MTA says.
 *
 * WHAT    Sender, recipients, client and queue ID of one message.
 * OWNS    MsEnvelope owns its strings; ms_envelope_free().
 * ERRORS  None.
 * THREADS Plain data of one message.
 * LIMITS  The MTA's: recipients are not cut here.
 * NOT     Nothing of the message's headers.
 */
#ifndef MISSENT_ENVELOPE_H
#define MISSENT_ENVELOPE_H

#include <glib.h>
#include <stdbool.h>

#include "missent/patience.h"
#include "missent/shape.h"

/* What nobody has said of a message that did not come from an MTA just now. */
typedef enum { MS_UNSAID_USER = 1, MS_UNSAID_CLIENT = 2, MS_UNSAID_TIME = 4 } MsUnsaid;

typedef struct {
	char *host;           /* the MTA's host name */
	char *queue_id;       /* NULL until the MTA gives one */
	char *client_address; /* IP address, or NULL for a local client */
	char *client_name;
	char *helo;
	guint unsaid;         /* MsUnsaid: auth_user, client_address, arrived mean nothing */
	char *auth_user;      /* NULL: not authenticated */
	char *sender;         /* without angle brackets; "" for bounces */
	GPtrArray *recipients; /* of char *, without angle brackets */
	gint64 arrived;       /* microseconds since 1970, UTC */
	guint64 size;         /* bytes of headers and body as received */
	char **policies;      /* of one that is judged again: those that it was under; NULL: none */
	/* one of ours (canary.h): it is judged and held, and counts nowhere */
	bool canary;
	MsShape shape;        /* for its turn to be read */
	/* where it is told how far it has come (MsStage; atomic); NULL: nobody asks */
	gint *stage;
	/* how long its MTA waits; NULL: nobody does */
	const MsPatience *patience;
} MsEnvelope;

MsEnvelope *ms_envelope_new(void);
void ms_envelope_free(MsEnvelope *envelope);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsEnvelope, ms_envelope_free)

#endif
