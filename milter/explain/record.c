/*
 * The record of a message that cannot be read any more comes in; out goes its story, of the same
 * form, as far as the record tells it.  Plain data; any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/text.h"

#include "explain_private.h"

static json_t *names(const char *list, guint *more_out)
{
	json_t *out = json_array();
	g_auto(GStrv) each = ms_text_list_apart(list, more_out);
	for (int i = 0; each[i] != NULL; i++)
		json_array_append_new(out, explain_text(each[i]));
	return out;
}

static json_t *finding(const MsHeldFinding *f)
{
	guint more;
	json_t *owners = names(f->owners, &more), *places = json_array();
	if (*f->where != '\0')
		json_array_append_new(places, explain_text(f->where));
	return json_pack("{s:s, s:s, s:o, s:i, s:o, s:o, s:i, s:b}", "kind", f->kind, "identifier",
		f->masked, "believed", names(f->belief, NULL), "count", (int)f->count, "places",
		places, "accounts", owners, "more-accounts", (int)more, "partial", 0);
}

static json_t *related(const MsRecord *record, guint nth, char relation)
{
	json_t *out = json_array();
	for (guint i = 0; i < record->findings->len; i++) {
		const MsHeldFinding *f = record->findings->pdata[i];
		if (nth < strlen(f->relations) && f->relations[nth] == relation)
			json_array_append_new(out, json_sprintf("%s %s", f->kind, f->masked));
	}
	return out;
}

static json_t *recipient(const MsRecord *record, guint nth)
{
	const MsHeldRecipient *to = record->recipients->pdata[nth];
	guint more;
	json_t *accounts = names(to->accounts, &more);
	return json_pack("{s:o, s:o, s:i, s:b, s:s, s:o, s:o}", "address",
		explain_text(to->address), "accounts", accounts, "more-accounts", (int)more,
		"house", 0, "outcome", ms_outcome_names[to->outcome], "own", related(record, nth, 'o'), "others", related(record, nth, 'x'));
}

static json_t *recipients(const MsRecord *record, const char *only)
{
	json_t *out = json_array();
	for (guint i = 0;
		i < record->recipients->len && json_array_size(out) < MS_EXPLAIN_RECIPIENTS; i++) {
		const MsHeldRecipient *to = record->recipients->pdata[i];
		if (only == NULL || g_ascii_strcasecmp(only, to->address) == 0)
			json_array_append_new(out, recipient(record, i));
	}
	return out;
}

static json_t *policies(const MsRecord *record)
{
	json_t *out = json_array();
	g_auto(GStrv) titles = ms_text_list_apart(record->policies, NULL);
	for (int i = 0; titles[i] != NULL; i++) {
		json_t *reasons = json_array();
		explain_reasons(reasons, record->reasons, titles[i]);
		json_array_append_new(out,
			json_pack("{s:o, s:s, s:i, s:b, s:b, s:n, s:o}", "policy",
				explain_text(titles[i]), "file", "", "line", 0, "enforced",
				record->state != MS_STATE_OBSERVED, "applies", 1, "because",
				"reasons", reasons));
	}
	return out;
}

json_t *ms_explain_record(const MsRecord *record, const MsExplainWish *wish, const char *why)
{
	json_t *found = json_array(), *left_out = json_array();
	for (guint i = 0; i < record->findings->len; i++)
		json_array_append_new(found, finding(record->findings->pdata[i]));
	json_array_append_new(left_out, json_sprintf("told by its record alone: %s", why));
	if (record->findings->len >= MS_HELD_FINDINGS)
		json_array_append_new(
			left_out, json_sprintf("identifiers after the first %d", MS_HELD_FINDINGS));
	MsAction most = MS_DELIVER, done = MS_DELIVER;
	for (guint i = 0; i < record->reasons->len; i++) {
		const MsReason *r = record->reasons->pdata[i];
		most = MAX(most, r->action);
		done = MAX(done, r->enforced ? r->action : MS_DELIVER);
	}
	json_t *message = json_pack("{s:o, s:i, s:I, s:n, s:n, s:o, s:[]}", "sender",
		explain_text(record->sender), "recipients", (int)record->n_recipients, "size",
		(json_int_t)record->size, "client", "auth-user", "queue-id",
		explain_text(record->queue_id), "attached");
	json_t *changes = json_pack("{s:i, s:i, s:b, s:i, s:[], s:s}", "tried", 0, "candidates", 0,
		"complete", 0, "more", 0, "sets", "none",
		"not known: what would have to change is found by judging the message again");
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:n, s:o, s:o}", "verdict",
		ms_action_names[record->state == MS_STATE_OBSERVED ? done : most],
		"would", ms_action_names[most], "reasons", explain_text(record->codes), "message",
		message, "findings", found, "recipients", recipients(record, wish->recipient),
		"policies", policies(record), "trouble", "left-out", left_out, "changes", changes);
}
