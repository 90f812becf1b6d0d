/*
 * notice.h - which notices were sent lately.
 *
 * WHAT    One notice a sender and cause within a window.
 * OWNS    Nothing.
 * ERRORS  GError.
 * THREADS Safe, and safe among processes.
 * LIMITS  None of its own.
 * NOT     Writes and sends none (desk.h).
 */
#ifndef MISSENT_NOTICE_H
#define MISSENT_NOTICE_H

#include <glib.h>
#include <stdbool.h>

#include "missent/ledger.h"

/* Is this the first of its kind within the window?  If so, it is noted as sent. */
bool ms_notices_first(MsLedger *ledger, const char *address, const char *cause, gint64 window_us,
	bool *first_out, GError **error);
/* It could not be sent: the next one is the first again. */
void ms_notices_unsent(MsLedger *ledger, const char *address, const char *cause);

#endif
