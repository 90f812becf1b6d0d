/*
 * A record's name comes in, the story of its verdict goes out, as JSON: the message is read and
 * judged once more, with today's mapping and policies; where it cannot be read the record tells.
 * The look is recorded first; nothing of the message's content is shown in clear.  The thread of
 * who asks.
 */
#include "config.h"

#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "missent/explain.h"

#include "desk_private.h"

/* How long a reviewer waits for what would have to change. */
#define SEARCH_US (3 * (gint64)G_USEC_PER_SEC)

/* What the guard had counted, which nobody counts again; borrowed. */
static GPtrArray *counted_of(const MsRecord *record)
{
	GPtrArray *out = g_ptr_array_new();
	for (guint i = 0; i < record->reasons->len; i++) {
		MsReason *reason = record->reasons->pdata[i];
		if (ms_policy_is_counted(reason->code))
			g_ptr_array_add(out, reason);
	}
	return out;
}

json_t *desk_story(Desk *desk, const MsRecord *record, const MsJudgement *judgement,
	const char *recipient, bool reveal)
{
	g_autoptr(MsEnvelope) envelope = desk_envelope(record);
	g_autoptr(GPtrArray) counted = counted_of(record);
	const MsExplainWish wish = {recipient, reveal, SEARCH_US, counted};
	json_t *story = ms_explain(desk->runtime, envelope, judgement, &wish);
	json_object_set_new(story, "before",
		json_pack("{s:s, s:s}", "state", ms_state_names[record->state], "reasons",
			record->codes));
	return story;
}

static json_t *explain(
	Desk *desk, const char *uid, const char *recipient, const char *who, GError **error)
{
	g_autoptr(MsRecord) record = NULL;
	g_autoptr(MsJudgement) judgement = NULL;
	g_autoptr(GError) why = NULL;
	int fd = desk_look(desk, uid, who, MS_EVENT_EXPLAIN, "", &record, &why);
	if (record == NULL) {
		g_propagate_error(error, g_steal_pointer(&why));
		return NULL;
	}
	if (fd < 0)
		return ms_explain_record(
			record, &(MsExplainWish){.recipient = recipient}, why->message);
	bool fine = desk_judge(desk, record, fd, &judgement, error);
	close(fd);
	return fine ? desk_story(desk, record, judgement, recipient, false) : NULL;
}

char *ms_desk_explain(
	MsDesk *of, const char *uid, const char *recipient, const char *who, GError **error)
{
	g_auto(Desk) desk = {0};
	desk_begin(of, &desk);
	json_t *story = explain(&desk, uid, recipient, who, error);
	char *text = story != NULL ? json_dumps(story, JSON_COMPACT) : NULL;
	json_decref(story);
	return text;
}
