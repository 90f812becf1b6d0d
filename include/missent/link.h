/*
 * link.h - between the review page and the hosts that hold mail.
 *
 * WHAT    One host: requests go to missent-agent's Unix socket.  Several: through Redis, a
 *         stream a host with requests, and one stream of records that all hosts write and the
 *         page reads, each with a consumer group.  Everything in Redis is sealed with a key that
 *         the hosts and the page share.
 * OWNS    MsLink; ms_link_free().
 * ERRORS  GError.  MS_ERROR_RETRY: the host does not answer now; through Redis the request waits
 *         for it, and is carried out once, whenever that is.
 * THREADS Safe.
 * LIMITS  Requests and replies of MS_LINK_MAX bytes.
 * NOT     Knows nothing of what is asked (desk.h).
 */
#ifndef MISSENT_LINK_H
#define MISSENT_LINK_H

#include <glib.h>
#include <stdbool.h>

#include "missent/ledger.h"
#include "missent/settings.h"

#define MS_LINK_MAX (32u << 20)
#define MS_LINK_ALIVE_US (20 * (gint64)G_USEC_PER_SEC) /* who was silent for longer is down */

typedef struct MsLink MsLink;

/* The page's end. */
MsLink *ms_link_open(const MsSettings *settings, bool redis, GError **error);
void ms_link_free(MsLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsLink, ms_link_free)

/* Asks the host and waits for its reply (the caller's; JSON) for `wait_ms`. */
char *ms_link_ask(MsLink *link, const char *host, const char *json, gint64 wait_ms, GError **error);

typedef struct {
	char *name;
	gint64 seen; /* microseconds since 1970 */
} MsLinkHost;
void ms_link_host_free(MsLinkHost *host);
/* Hosts that ever answered (through Redis), of MsLinkHost. */
GPtrArray *ms_link_hosts(MsLink *link, GError **error);
/* Takes what came in of other hosts' records, for at most `wait_ms`; how many, -1 on error. */
gint64 ms_link_mirror(MsLink *link, MsLedger *ledger, gint64 wait_ms, GError **error);

/* ---- the agent's end ------------------------------------------------------------------ */

typedef char *(*MsLinkAnswer)(const char *json, gsize len, void *user);
/* Tells that this host lives; who has not for MS_LINK_ALIVE_US is shown as down.
 * MS_ERROR_CONFIG: another machine does so in the name of this host, and what is asked of it may
 * not be meant for us. */
bool ms_link_alive(MsLink *link, GError **error);
/* Answers a request that came through Redis, if one does within `wait_ms`.  Several links may do
 * so at once, each with a number of its own, the same ones after a restart: what was asked of one
 * that then crashed is asked of it again. */
bool ms_link_serve(MsLink *link, unsigned nth, MsLinkAnswer answer, void *user, gint64 wait_ms,
	GError **error);
/* Keeps what this host is to remember of its own, whatever is restored on it; and has what was
 * kept last (the caller's; "": nothing, or what another key sealed). */
bool ms_link_remember(MsLink *link, const char *text, GError **error);
char *ms_link_recall(MsLink *link, GError **error);
/* Sends one record to the page. */
bool ms_link_publish(MsLink *link, const MsRecord *record, GError **error);

/* A request on a connected socket: 4 bytes of length (network order) and JSON. */
bool ms_link_send(int fd, const char *json, gsize len);
/* At most `most` bytes (the caller's).  NULL: nothing came whole; then `*len_out` is how many
 * there would have been where they are too many (they are taken off the socket, so that an answer
 * can be sent), or 0. */
char *ms_link_receive(int fd, gsize most, gsize *len_out);

#endif
