/*
 * The names of acts, as the trail has them.  A name that was once written is not changed: trails
 * are kept for years, and read by programs of others.  Who adds one says in missent-audit(5) what
 * it is.  Constants; any thread.
 */
#include "config.h"

#include <glib.h>
#include <string.h>

#include "missent/event.h"

const char *const ms_event_names[MS_N_EVENTS + 1] = {
	[MS_EVENT_LOG_IN] = "log-in",
	[MS_EVENT_LOG_IN_FAILED] = "failed log-in",
	[MS_EVENT_LOG_OUT] = "log-out",
	[MS_EVENT_PROOF_FAILED] = "failed proof",
	[MS_EVENT_REFUSED] = "refused",
	[MS_EVENT_FORGED] = "forged form",
	[MS_EVENT_SEARCH] = "search",
	[MS_EVENT_LOOK] = "look",
	[MS_EVENT_REVEAL] = "reveal",
	[MS_EVENT_EXPLAIN] = "explain",
	[MS_EVENT_PICTURE] = "picture",
	[MS_EVENT_DOWNLOAD] = "download",
	[MS_EVENT_DECIDE] = "decide",
	[MS_EVENT_RELEASE] = "release",
	[MS_EVENT_RETURN] = "return",
	[MS_EVENT_DELETE] = "delete",
	[MS_EVENT_NOTE] = "note",
	[MS_EVENT_ASSIGN] = "assign",
	[MS_EVENT_BELONGS] = "belongs",
	[MS_EVENT_MAY_RECEIVE] = "may-receive",
	[MS_EVENT_REJUDGE] = "rejudge",
	[MS_EVENT_AGREE] = "agree",
	[MS_EVENT_WITHDRAW] = "withdraw",
	[MS_EVENT_UNKNOWN] = "unknown",
	[MS_EVENT_ACCOUNT] = "account",
	[MS_EVENT_ACCOUNT_DELETED] = "account deleted",
	[MS_EVENT_PASSWORD] = "password",
	[MS_EVENT_FACTOR] = "second factor",
	[MS_EVENT_TOKEN] = "token",
	[MS_EVENT_TOKEN_DELETED] = "token deleted",
	[MS_EVENT_PAUSE] = "pause",
	[MS_EVENT_RESUME] = "resume",
	[MS_EVENT_IMPORT] = "import",
	[MS_EVENT_ENTRY_PUT] = "entry put",
	[MS_EVENT_ENTRY_DELETED] = "entry deleted",
	[MS_EVENT_MAPPING_ACCEPTED] = "mapping accepted",
	[MS_EVENT_MAPPING_EXPORTED] = "mapping exported",
	[MS_EVENT_STREAM_RESET] = "stream-reset",
	[MS_EVENT_FORGOTTEN] = "account-forgotten",
	[MS_EVENT_ACCOUNT_REMOVED] = "account-removed",
	[MS_EVENT_RECONCILE] = "reconcile",
	[MS_EVENT_WITNESS_FORGOTTEN] = "witness forgotten",
	[MS_EVENT_INCIDENT_NAMES] = "incident names",
	[MS_EVENT_INCIDENT_ABOUT] = "incident about",
	[MS_EVENT_INCIDENT_NOTICES] = "incident notices",
	[MS_EVENT_PAGE_STARTED] = "start",
	[MS_EVENT_PAUSE_OVER] = "pause over",
	[MS_EVENT_STREAM_STOPPED] = "stream-stopped",
	[MS_EVENT_POLICY_ENFORCED] = "policy-enforced",
	[MS_EVENT_GOES_ON_OBSERVING] = "goes-on-observing",
	[MS_EVENT_WAIT_OVER] = "wait-over",
	[MS_EVENT_CANARY_DELETED] = "canary deleted",
	[MS_EVENT_CANARY_NOT_HELD] = "canary not held",
	[MS_EVENT_CANARY_HELD_AGAIN] = "canary held again",
	[MS_EVENT_CLOCK_JUMPED] = "clock jumped",
	[MS_EVENT_FORGET] = "forget",
	[MS_EVENT_SET_ASIDE] = "set aside",
	[MS_EVENT_ADOPT] = "adopt",
	[MS_EVENT_RECORDS_BEGUN] = "records begun",
	[MS_EVENT_GONE] = "gone",
	[MS_EVENT_FOUND] = "found",
	[MS_EVENT_UNRECORDED] = "unrecorded",
	[MS_EVENT_UNDONE] = "undone",
};

MsEvent ms_event_named(const char *name)
{
	int i = 0;
	while (i < MS_N_EVENTS && strcmp(ms_event_names[i], name) != 0)
		i++;
	return (MsEvent)i;
}
