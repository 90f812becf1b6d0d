/* Between the files of this room: what was judged, which message is one with another, and why
 * one was not seen. */
#ifndef MISSENT_RECONCILE_PRIVATE_H
#define MISSENT_RECONCILE_PRIVATE_H

#include "missent/audit.h"
#include "missent/reconcile.h"

#define SECOND ((gint64)G_USEC_PER_SEC)
#define SLACK (120 * SECOND) /* between two clocks, or two processes */

/* ---- trail.c ---------------------------------------------------------------------------- */

#define ID_BYTES 12
typedef struct {
	gint64 at;       /* of its line */
	char *queue_id;
	MsAction action; /* MS_N_ACTIONS: not known */
	guint n;         /* recipients */
	guint n_ids;     /* of which digests are there, `ids` and `withheld` */
	guint8 *ids, *withheld;
	const guint8 *key; /* of the digests; NULL: we do not have it, or there are none */
	bool whole;      /* digests of all */
	const MsMail *of; /* the message of the log that it is of; NULL: none */
	const char *policies; /* their version; NULL: not known */
} Judged;

typedef struct {
	GHashTable *by_id;  /* queue ID to GPtrArray of Judged */
	GPtrArray *all;     /* of Judged, by time */
	GArray *times;      /* of gint64: of every line, whatever it says */
	GStringChunk *words;
	MsAuditProof proof; /* `first` 0: there is no line */
	guint64 damaged;
} Trail;
bool trail_load(Trail *trail, const MsReconcileWith *with, gint64 from, gint64 to, GError **error);
void trail_clear(Trail *trail);
/* Has it a line within [from, to]? */
bool trail_knows(const Trail *trail, gint64 from, gint64 to);
/* The version of the policies that was in force then; NULL: not known. */
const char *trail_policies(const Trail *trail, gint64 at);
/* Of no message yet, if `free`. */
Judged *trail_find(const Trail *trail, const MsMail *mail, bool free);
/* How far a line is from where that of this message should be. */
gint64 trail_distance(const Judged *judged, const MsMail *mail);
typedef enum { HAS_NOT, HAS, HAS_UNKNOWN } Has;
/* Is that address one of those judged, and was it withheld? */
Has judged_has(const Judged *judged, const char *address, bool *withheld_out);

/* ---- chain.c ---------------------------------------------------------------------------- */

typedef enum {
	FATE_OPEN,
	FATE_WORKING,
	FATE_JUDGED,
	FATE_RELEASED,
	FATE_OWN,
	FATE_CHAINED,
	FATE_EXEMPT,
	FATE_ROW
} Fate;

typedef struct Node {
	MsMail *mail;
	Judged *judged;     /* NULL: the trail does not have it */
	struct Node *from;  /* of which it was made, or which was delivered as this; NULL */
	/* of Node: a delivery each, where it is known as what it went on; NULL: none is */
	GPtrArray *into;
	Fate fate;
	bool concerned;     /* outgoing, and a policy may apply */
} Node;

/* Of each message of the log in its order; those of one chain know each other. */
GPtrArray *chain_nodes(const GPtrArray *mails, const Trail *trail);
/* The n-th delivery went on within this log. */
Node *chain_next(const Node *node, guint n);

/* ---- reason.c ---------------------------------------------------------------------------- */

typedef struct Reasons Reasons;
Reasons *reasons_new(const GPtrArray *nodes, const GPtrArray *turns);
void reasons_free(Reasons *reasons);
/* Why the filter was not shown it, the caller's. */
char *reason_of(const Reasons *reasons, const Node *node);

#endif
