/*
 * outbox.h - what others are to be told of holds and decisions, until they were.
 *
 * WHAT    A row for each hold and each step of a decision, written in the same transaction, so
 *         that none is lost and none tells what did not happen; kept until it was sent, or is too
 *         old.
 * OWNS    MsOutboxItem: ms_outbox_item_free().
 * ERRORS  GError.
 * THREADS Safe, and safe among processes.
 * LIMITS  MS_OUTBOX_MOST rows: when nobody takes them, the oldest are dropped.
 * NOT     Sends nothing (mta.h, ms_hook_post()).  Bodies have no address, no identifier, no
 *         account and no word of a reviewer.
 */
#ifndef MISSENT_OUTBOX_H
#define MISSENT_OUTBOX_H

#include <glib.h>
#include <stdbool.h>

#include "missent/ledger.h"

#define MS_OUTBOX_MOST 100000
#define MS_OUTBOX_WAIT_MOST_US (3600 * (gint64)G_USEC_PER_SEC)

/* From now on this ledger writes down what it does; else it does not. */
void ms_ledger_tell(MsLedger *ledger, bool tell);

typedef struct {
	gint64 id;
	char *name; /* a random one, the same with each try */
	char *body; /* JSON */
	gint64 made;
	guint tries;
} MsOutboxItem;
void ms_outbox_item_free(MsOutboxItem *item);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsOutboxItem, ms_outbox_item_free)

/* A state of this host has begun or ended (alert.h). */
bool ms_outbox_alert(
	MsLedger *ledger, const char *alert, bool on, const char *host, GError **error);

/* Of MsOutboxItem: those whose time has come, the oldest first. */
GPtrArray *ms_outbox_due(MsLedger *ledger, guint limit, GError **error);
bool ms_outbox_sent(MsLedger *ledger, const MsOutboxItem *item, GError **error);
/* It was not taken: again after that time, MS_OUTBOX_WAIT_MOST_US at most. */
bool ms_outbox_later(MsLedger *ledger, const MsOutboxItem *item, gint64 wait_us, GError **error);
/* Drops what was made before and tried often, and the oldest of too many; how many, -1 on error. */
gint64 ms_outbox_forget(MsLedger *ledger, gint64 before, GError **error);

#endif
