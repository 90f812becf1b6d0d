/*
 * A judged message comes in; its story goes out, as JSON: what a tool prints and the page shows.
 * The thread of who asks.
 */
#include "config.h"

#include <string.h>

#include "missent/identifier.h"

#include "explain_private.h"

char *explain_value(const MsExplainWish *wish, const char *value)
{
	return wish->reveal ? g_utf8_make_valid(value, -1) : ms_identifier_masked(value);
}

json_t *explain_text(const char *words)
{
	g_autofree char *valid = words != NULL ? g_utf8_make_valid(words, -1) : NULL;
	return valid != NULL ? json_string(valid) : json_null();
}

static json_t *texts(const GPtrArray *list)
{
	json_t *out = json_array();
	for (guint i = 0; i < list->len; i++)
		json_array_append_new(out, explain_text(list->pdata[i]));
	return out;
}

typedef struct {
	MsRuntime *runtime;
	const MsEnvelope *envelope;
	const MsJudgement *judgement;
	const MsExplainWish *wish;
	GPtrArray *left_out; /* of char * */
} Story;

static void leave_out(Story *s, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void leave_out(Story *s, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_ptr_array_add(s->left_out, g_strdup_vprintf(format, args));
	va_end(args);
}

/* ---- message ---------------------------------------------------------------------------- */

static char *place_of(const Story *s, const char *where)
{
	return s->wish->reveal ? g_utf8_make_valid(where, -1) : ms_place_masked(where);
}

static json_t *attached(const Story *s)
{
	json_t *out = json_array();
	for (guint i = 0; i < s->judgement->reading->parts->len; i++) {
		const MsPart *p = s->judgement->reading->parts->pdata[i];
		g_autofree char *ending = ms_name_ending(p->name);
		if (p->attached)
			json_array_append_new(out,
				json_pack("{s:s, s:s, s:s, s:I}", "part", p->path, "type",
					*p->actual != '\0' ? p->actual : p->claimed, "ending",
					ending, "size", (json_int_t)p->size));
	}
	return out;
}

static json_t *message(const Story *s)
{
	const MsEnvelope *e = s->envelope;
	return json_pack("{s:o, s:i, s:I, s:o, s:o, s:o, s:o}", "sender", explain_text(e->sender),
		"recipients", (int)e->recipients->len, "size", (json_int_t)e->size, "client",
		explain_text(e->client_address), "auth-user", explain_text(e->auth_user),
		"queue-id", explain_text(e->queue_id), "attached", attached(s));
}

/* ---- findings --------------------------------------------------------------------------- */

static bool counts(const Story *s, guint finding)
{
	const MsFinding *f = s->judgement->reading->findings->pdata[finding];
	return !(f->belief & MS_BELIEF_TENTATIVE) ||
		(s->judgement->resolution != NULL &&
			ms_resolution_is_owned(s->judgement->resolution, finding));
}

static json_t *places(const Story *s, const MsFinding *f)
{
	json_t *out = json_array();
	/* Several ways of reading find the same thing at the same place. */
	for (guint i = 0; i < f->places->len; i++) {
		g_autofree char *where = place_of(s, ((MsPlace *)f->places->pdata[i])->where);
		bool seen = false;
		for (gsize k = 0; k < json_array_size(out); k++)
			seen = seen ||
				strcmp(json_string_value(json_array_get(out, k)), where) == 0;
		if (!seen)
			json_array_append_new(out, json_string(where));
	}
	return out;
}

static json_t *believed(const MsFinding *f)
{
	json_t *out = json_array();
	for (guint i = 0; i < MS_N_LEVELS; i++)
		if (ms_belief_levels(f->belief) >> i & 1)
			json_array_append_new(out, json_string(ms_level_names[i]));
	return out;
}

#define NAMES 20

static json_t *finding(const Story *s, guint index)
{
	const MsFinding *f = s->judgement->reading->findings->pdata[index];
	g_autofree char *value = explain_value(s->wish, f->value);
	g_autoptr(GPtrArray) owners = g_ptr_array_new();
	guint all = s->judgement->resolution != NULL
		? ms_resolution_owners(s->judgement->resolution, index, NAMES, owners)
		: 0;
	return json_pack("{s:s, s:s, s:o, s:i, s:o, s:o, s:i, s:b}", "kind", f->kind, "identifier",
		value, "believed", believed(f), "count", (int)f->count, "places", places(s, f),
		"accounts", texts(owners), "more-accounts", (int)(all - owners->len), "partial",
		s->judgement->resolution != NULL &&
			ms_resolution_is_partial(s->judgement->resolution, index));
}

static json_t *findings(Story *s)
{
	json_t *out = json_array();
	guint more = 0, tentative = 0;
	for (guint i = 0; i < s->judgement->reading->findings->len; i++) {
		if (!counts(s, i))
			tentative++;
		else if (json_array_size(out) < MS_EXPLAIN_FINDINGS)
			json_array_append_new(out, finding(s, i));
		else
			more++;
	}
	if (more > 0)
		leave_out(s, "%u more identifiers that were found and judged", more);
	if (tentative > 0)
		leave_out(s,
			"%u that could be read as an identifier, and are nobody's: they count for nothing",
			tentative);
	if (s->judgement->reading->dropped->len > 0)
		leave_out(s, "%u addresses that only name who exchange this message",
			s->judgement->reading->dropped->len);
	return out;
}

/* ---- recipients ------------------------------------------------------------------------- */

static json_t *related(const Story *s, guint recipient, MsRelation relation)
{
	json_t *out = json_array();
	const MsResolution *r = s->judgement->resolution;
	for (guint i = 0; r != NULL && i < s->judgement->reading->findings->len &&
		json_array_size(out) < NAMES;
		i++) {
		const MsFinding *f = s->judgement->reading->findings->pdata[i];
		if (!counts(s, i) || ms_resolution_relation(r, i, recipient) != relation)
			continue;
		g_autofree char *value = explain_value(s->wish, f->value);
		json_array_append_new(out, json_sprintf("%s %s", f->kind, value));
	}
	return out;
}

static json_t *recipient(const Story *s, guint index)
{
	g_autoptr(GPtrArray) accounts = g_ptr_array_new();
	const MsResolution *r = s->judgement->resolution;
	guint all = r != NULL ? ms_resolution_accounts_of(r, index, NAMES, accounts) : 0;
	return json_pack("{s:o, s:o, s:i, s:b, s:s, s:o, s:o}", "address",
		explain_text(s->envelope->recipients->pdata[index]), "accounts", texts(accounts),
		"more-accounts", (int)(all - accounts->len), "house",
		r != NULL && ms_resolution_is_house(r, index), "outcome",
		ms_outcome_names[s->judgement->verdict->outcomes->data[index]], "own",
		related(s, index, MS_OWN), "others", related(s, index, MS_OTHER));
}

/* The worst off first. */
static json_t *recipients(Story *s)
{
	json_t *out = json_array();
	guint more = 0;
	for (int outcome = MS_N_OUTCOMES - 1; outcome >= 0; outcome--)
		for (guint r = 0; r < s->envelope->recipients->len; r++) {
			if (s->judgement->verdict->outcomes->data[r] != outcome ||
				(s->wish->recipient != NULL &&
					g_ascii_strcasecmp(s->wish->recipient,
						s->envelope->recipients->pdata[r]) != 0))
				continue;
			if (json_array_size(out) < MS_EXPLAIN_RECIPIENTS)
				json_array_append_new(out, recipient(s, r));
			else
				more++;
		}
	if (more > 0)
		leave_out(s, "%u more recipients", more);
	return out;
}

/* ---- policies --------------------------------------------------------------------------- */

static json_t *reason(const MsReason *r)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:i}", "reason",
		ms_reason_names[r->code], "action", ms_action_names[r->action], "text",
		explain_text(r->text), "kind", explain_text(r->kind), "identifier",
		explain_text(r->masked), "where", explain_text(r->where), "account",
		explain_text(r->owner), "recipient", explain_text(r->recipient), "recipients",
		(int)r->recipients);
}

void explain_reasons(json_t *out, const GPtrArray *reasons, const char *title)
{
	for (guint i = 0; reasons != NULL && i < reasons->len; i++) {
		const MsReason *r = reasons->pdata[i];
		if (strcmp(r->policy, title) == 0)
			json_array_append_new(out, reason(r));
	}
}

static json_t *policy(const Story *s, guint n)
{
	const MsPolicies *all = ms_runtime_policies(s->runtime);
	bool enforced;
	int line;
	const char *title = ms_policies_nth(all, n, &enforced),
		   *file = ms_policies_place(all, n, &line);
	const MsJudgement *j = s->judgement;
	g_autofree char *because =
		ms_policy_why_not(all, n, s->envelope, j->reading, j->resolution);
	g_autofree char *unsure = because == NULL
		? ms_policy_unsure(all, n, s->envelope, j->reading, j->resolution)
		: NULL;
	json_t *reasons = json_array();
	explain_reasons(reasons, s->judgement->verdict->reasons, title);
	explain_reasons(reasons, s->wish->reasons, title);
	return json_pack("{s:s, s:s, s:i, s:b, s:b, s:o, s:o, s:o}", "policy", title, "file", file,
		"line", line, "enforced", (int)enforced, "applies", because == NULL, "because",
		explain_text(because), "unsure", explain_text(unsure), "reasons", reasons);
}

static json_t *policies(Story *s)
{
	json_t *out = json_array();
	for (guint i = 0; i < ms_policies_count(ms_runtime_policies(s->runtime)); i++)
		json_array_append_new(out, policy(s, i));
	if (s->judgement->verdict->more > 0)
		leave_out(s, "%u more reasons", s->judgement->verdict->more);
	return out;
}

static void leave_out_unread(Story *s)
{
	for (guint i = 0; i < s->judgement->reading->unread->len; i++) {
		const MsUnread *u = s->judgement->reading->unread->pdata[i];
		g_autofree char *where = place_of(s, u->where);
		leave_out(s, "not read: %s: %s (%s)", where, u->detail, ms_unread_name(u->reason));
	}
}

json_t *ms_explain(MsRuntime *runtime, const MsEnvelope *envelope, const MsJudgement *judgement,
	const MsExplainWish *wish)
{
	g_autoptr(GPtrArray) left_out = g_ptr_array_new_with_free_func(g_free);
	Story s = {runtime, envelope, judgement, wish, left_out};
	g_autofree char *codes = ms_verdict_codes(judgement->verdict, MS_TAG);
	leave_out_unread(&s);
	json_t *out = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "verdict",
		ms_action_names[judgement->verdict->action], "would",
		ms_action_names[judgement->verdict->would], "reasons", codes, "message",
		message(&s), "findings", findings(&s), "recipients", recipients(&s), "policies",
		policies(&s));
	json_object_set_new(out, "trouble", explain_text(judgement->trouble));
	json_object_set_new(out, "left-out", texts(left_out));
	json_object_set_new(out, "changes", search_changes(runtime, envelope, judgement, wish));
	return out;
}
