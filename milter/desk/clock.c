/*
 * May what the wall clock says be the end of something?  At each look it must have gone on by as
 * much as the clock that only goes on; between two processes, since that one knows nothing then,
 * by no more than an announcement waits for, and not back.  Where it did not, it is told from
 * then on since when it goes steadily; the ledger keeps that.  In the thread of ms_desk_tick(),
 * under its lock.
 */
#include "config.h"

#include "missent/clock.h"

#include "desk_private.h"

#define JUMP_US (10 * 60 * (gint64)G_USEC_PER_SEC)
#define DOWN_US (24 * 3600 * (gint64)G_USEC_PER_SEC)

bool desk_clock_is_ahead(gint64 when, gint64 now)
{
	return when > now + JUMP_US;
}

/* By how much it is not where it should be; 0: not worth a word. */
static gint64 jump_of(const Desk *desk, gint64 now, gint64 steady)
{
	const MsDesk *of = desk->of;
	gint64 gone = now - of->clock.seen,
	       most = MAX(desk->settings->desk.warn_ms * 1000, DOWN_US);
	if (of->clock.seen == 0)
		return 0; /* the first look of all */
	if (of->clock.steady != 0)
		gone -= steady - of->clock.steady;
	else if (gone > 0 && gone <= most)
		return 0; /* nobody was here; it may have been so long */
	return ABS(gone) > JUMP_US ? gone : 0;
}

static void tell(Desk *desk, gint64 jump)
{
	g_autofree char *detail = g_strdup_printf("%s by %" G_GINT64_FORMAT
						  " s: what expires is announced anew",
		jump > 0 ? "forward" : "back", ABS(jump) / G_USEC_PER_SEC);
	desk_audit(desk, "missent", MS_EVENT_CLOCK_JUMPED, "", detail, NULL);
}

gint64 desk_clock_since(Desk *desk)
{
	MsDesk *of = desk->of;
	gint64 now = ms_clock_now(), steady = ms_clock_steady();
	if (of->clock.steady == 0)
		ms_ledger_clock(desk->ledger, &of->clock.seen, &of->clock.since, NULL);
	gint64 jump = jump_of(desk, now, steady);
	if (jump != 0) {
		of->clock.since = now;
		tell(desk, jump);
	}
	of->clock.seen = now;
	of->clock.steady = steady;
	ms_ledger_set_clock(desk->ledger, now, of->clock.since, NULL);
	return of->clock.since;
}
