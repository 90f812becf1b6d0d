/*
 * How long somebody waits: the end of a message's time goes in where it begins to be judged, each
 * step asks for what is left of it.  Any thread; whether he is gone is the one thing that changes.
 * Stores have it of the thread that asks them: from where a message begins to be judged to its end
 * that is one call, whichever thread libmilter has the next one made by.
 */
#include "config.h"

#include "missent/answer.h"
#include "missent/patience.h"

void ms_patience_begin(MsPatience *patience, gint64 budget_ms)
{
	patience->until = g_get_monotonic_time() + budget_ms * 1000;
	patience->budget_ms = budget_ms;
	g_atomic_int_set(&patience->gone, 0);
}

void ms_patience_lose(MsPatience *patience)
{
	g_atomic_int_set(&patience->gone, 1);
}

bool ms_patience_lost(const MsPatience *patience)
{
	return patience != NULL && g_atomic_int_get(&patience->gone) != 0;
}

gint64 ms_patience_end(const MsPatience *patience, gint64 end)
{
	return patience != NULL ? MIN(end, patience->until) : end;
}

bool ms_patience_lasts(const MsPatience *patience, GError **error)
{
	if (patience == NULL)
		return true;
	if (ms_patience_lost(patience)) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
			"the MTA has closed the connection before the message was judged");
		return false;
	}
	if (g_get_monotonic_time() < patience->until)
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
		"it took longer than %.1f s (message-deadline)",
		(double)patience->budget_ms / 1000);
	return false;
}

static __thread const MsPatience *work;

const MsPatience *ms_patience_work(const MsPatience *patience)
{
	const MsPatience *before = work;
	work = patience;
	return before;
}

gint64 ms_patience_here(gint64 end)
{
	return ms_patience_end(work, end);
}
