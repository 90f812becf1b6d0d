#include "config.h"

#include <jansson.h>
#include <string.h>

#include "missent/answer.h"
#include "missent/record.h"

/*
 * One record as JSON: what `missent held show --json` prints, and what a host tells the page of
 * other hosts.  What comes back is taken with distrust: a host may have been taken over, and its
 * records are shown to a reviewer of all.
 */

/* ---- to ------------------------------------------------------------------------------- */

static json_t *list_of(const GPtrArray *items, json_t *(*make)(const void *))
{
	json_t *out = json_array();
	for (guint i = 0; i < items->len; i++)
		json_array_append_new(out, make(items->pdata[i]));
	return out;
}

static json_t *from_text(const void *item)
{
	return json_string(item);
}

static json_t *from_recipient(const void *item)
{
	const MsHeldRecipient *r = item;
	return json_pack("{s:s, s:s, s:s, s:s}", "address", r->address, "state", ms_state_names[r->state],
		"outcome", ms_outcome_names[r->outcome], "accounts", r->accounts);
}

static json_t *from_reason(const void *item)
{
	const MsReason *r = item;
	return json_pack("{s:s, s:s, s:s, s:b, s:s?, s:s?, s:s?, s:s?, s:s?, s:i, s:s}", "reason",
		ms_reason_names[r->code], "policy", r->policy, "action", ms_action_names[r->action],
		"enforced", (int)r->enforced, "kind", r->kind, "identifier", r->masked, "where", r->where,
		"account", r->owner, "recipient", r->recipient, "recipients", (int)r->recipients, "text",
		r->text);
}

static json_t *from_finding(const void *item)
{
	const MsHeldFinding *f = item;
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s}", "kind", f->kind, "identifier",
		f->masked, "ref", f->ref, "accounts", f->owners, "belief", f->belief, "where", f->where,
		"count", (int)f->count, "relations", f->relations);
}

static json_t *from_act(const void *item)
{
	const MsAct *a = item;
	return json_pack("{s:I, s:s, s:s, s:s}", "at", (json_int_t)(a->at / G_USEC_PER_SEC), "who", a->who,
		"what", a->what, "why", a->why);
}

static json_t *from_decision(const void *item)
{
	const MsDecision *d = item;
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "id", d->id, "group",
		d->group, "verb", d->verb, "recipients", d->recipients, "who", d->who, "second", d->second,
		"why", d->why, "outcome", d->outcome, "state", ms_decision_state_names[d->state], "at",
		(json_int_t)(d->at / G_USEC_PER_SEC));
}

char *ms_record_to_json(const MsRecord *r)
{
	json_t *out = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:i, s:I, s:s, s:b, s:s, s:s,"
				" s:s, s:s, s:I, s:I}",
		"uid", r->uid, "queue_id", r->queue_id, "host", r->host, "state", ms_state_names[r->state],
		"place", ms_held_place_names[r->place], "arrived", (json_int_t)(r->arrived / G_USEC_PER_SEC),
		"arrived_us", (json_int_t)r->arrived, "sender", r->sender, "recipients_total",
		(int)r->n_recipients, "size", (json_int_t)r->size, "digest", r->digest, "signed",
		(int)r->is_signed, "reasons", r->codes, "policies", r->policies, "cause", r->cause, "assignee",
		r->assignee, "warned", (json_int_t)r->warned, "changed", (json_int_t)r->changed);
	if (out == NULL)
		return NULL;
	json_object_set_new(out, "subject", json_string(r->subject != NULL ? r->subject : ""));
	json_object_set_new(out, "attached", json_string(r->attached != NULL ? r->attached : ""));
	json_object_set_new(out, "words", list_of(r->words, from_text));
	json_object_set_new(out, "recipients", list_of(r->recipients, from_recipient));
	json_object_set_new(out, "why", list_of(r->reasons, from_reason));
	json_object_set_new(out, "findings", list_of(r->findings, from_finding));
	json_object_set_new(out, "accounts", list_of(r->accounts, from_text));
	json_object_set_new(out, "acts", list_of(r->acts, from_act));
	json_object_set_new(out, "decisions", list_of(r->decisions, from_decision));
	char *text = json_dumps(out, JSON_COMPACT);
	json_decref(out);
	return text;
}

/* ---- from ----------------------------------------------------------------------------- */

#define MAX_TEXT 4000
#define MAX_ITEMS 20000

typedef struct {
	const json_t *object;
	bool fine;
} From;

/* A text of that name, without control characters; absent is "". */
static const char *text(From *from, const char *key)
{
	const json_t *value = json_object_get(from->object, key);
	const char *got = json_string_value(value);
	bool fine = value == NULL || json_is_null(value) || (got != NULL && strlen(got) <= MAX_TEXT);
	for (const char *p = got; fine && p != NULL && *p != '\0'; p++)
		fine = (guchar)*p >= ' ' || (*p == '\n' && strcmp(key, "recipients") == 0);
	from->fine = from->fine && fine;
	return fine && got != NULL ? got : "";
}

#define MAX_COUNT G_MAXINT32
#define MAX_SECONDS 253402300799 /* the end of the year 9999 */
#define MAX_NUMBER (MAX_SECONDS * G_USEC_PER_SEC)

static gint64 number(From *from, const char *key, gint64 max)
{
	const json_t *value = json_object_get(from->object, key);
	gint64 got = (gint64)json_integer_value(value);
	bool fine = json_is_integer(value) && got >= 0 && got <= max;
	from->fine = from->fine && fine;
	return fine ? got : 0;
}

static int word(From *from, const char *key, const char *const *names)
{
	const char *got = text(from, key);
	if (!g_strv_contains(names, got))
		from->fine = false;
	return ms_record_word(names, got);
}

static char *or_null(const char *given)
{
	return *given != '\0' ? g_strdup(given) : NULL;
}

static void to_recipient(From *from, MsRecord *record)
{
	const char *address = text(from, "address");
	ms_record_recipient(record, address, (MsState)word(from, "state", ms_state_names),
		(MsOutcome)word(from, "outcome", ms_outcome_names), text(from, "accounts"));
}

static void to_reason(From *from, MsRecord *record)
{
	MsReason *r = g_new0(MsReason, 1);
	r->code = (MsReasonCode)word(from, "reason", ms_reason_names);
	r->policy = g_strdup(text(from, "policy"));
	r->action = (MsAction)word(from, "action", ms_action_names);
	r->enforced = json_is_true(json_object_get(from->object, "enforced"));
	r->kind = or_null(text(from, "kind"));
	r->masked = or_null(text(from, "identifier"));
	r->where = or_null(text(from, "where"));
	r->owner = or_null(text(from, "account"));
	r->recipient = or_null(text(from, "recipient"));
	r->recipients = (guint)number(from, "recipients", MAX_COUNT);
	r->text = g_strdup(text(from, "text"));
	g_ptr_array_add(record->reasons, r);
}

static void to_finding(From *from, MsRecord *record)
{
	ms_record_finding(record,
		(MsHeldFinding){(char *)text(from, "kind"), (char *)text(from, "identifier"),
			(char *)text(from, "ref"), (char *)text(from, "accounts"), (char *)text(from, "belief"),
			(char *)text(from, "where"), (guint)number(from, "count", MAX_COUNT),
			(char *)text(from, "relations")});
}

static void to_act(From *from, MsRecord *record)
{
	MsAct *a = g_new0(MsAct, 1);
	a->at = number(from, "at", MAX_SECONDS) * G_USEC_PER_SEC;
	a->who = g_strdup(text(from, "who"));
	a->what = g_strdup(text(from, "what"));
	a->why = g_strdup(text(from, "why"));
	g_ptr_array_add(record->acts, a);
}

static void to_decision(From *from, MsRecord *record)
{
	MsDecision *d = g_new0(MsDecision, 1);
	d->id = g_strdup(text(from, "id"));
	d->uid = g_strdup(record->uid);
	d->group = g_strdup(text(from, "group"));
	d->verb = g_strdup(text(from, "verb"));
	d->recipients = g_strdup(text(from, "recipients"));
	d->who = g_strdup(text(from, "who"));
	d->second = g_strdup(text(from, "second"));
	d->why = g_strdup(text(from, "why"));
	d->outcome = g_strdup(text(from, "outcome"));
	d->token = g_strdup("");
	d->step = g_strdup("");
	d->state = (MsDecisionState)word(from, "state", ms_decision_state_names);
	d->at = number(from, "at", MAX_SECONDS) * G_USEC_PER_SEC;
	from->fine = from->fine && *d->id != '\0';
	g_ptr_array_add(record->decisions, d);
}

static bool to_list(From *from, const char *key, MsRecord *record, void (*take)(From *, MsRecord *))
{
	const json_t *list = json_object_get(from->object, key);
	if (!json_is_array(list) || json_array_size(list) > MAX_ITEMS)
		from->fine = false;
	for (size_t i = 0; from->fine && i < json_array_size(list); i++) {
		From item = {json_array_get(list, i), true};
		if (json_is_object(item.object))
			take(&item, record);
		from->fine = item.fine && json_is_object(item.object);
	}
	return from->fine;
}

static bool is_uid(const char *uid)
{
	return strlen(uid) == 16 && strspn(uid, "0123456789abcdef") == 16;
}

static void to_head(From *from, MsRecord *r)
{
	r->uid = g_strdup(text(from, "uid"));
	from->fine = from->fine && is_uid(r->uid);
	r->queue_id = g_strdup(text(from, "queue_id"));
	r->host = g_strdup(text(from, "host"));
	r->state = (MsState)word(from, "state", ms_state_names);
	r->place = (MsHeldPlace)word(from, "place", ms_held_place_names);
	r->arrived = number(from, "arrived_us", MAX_NUMBER);
	r->sender = g_strdup(text(from, "sender"));
	r->size = (guint64)number(from, "size", MAX_NUMBER);
	r->digest = g_strdup(text(from, "digest"));
	r->message = g_strdup("");
	r->is_signed = json_is_true(json_object_get(from->object, "signed"));
	r->codes = g_strdup(text(from, "reasons"));
	r->policies = g_strdup(text(from, "policies"));
	r->cause = g_strdup(text(from, "cause"));
	r->subject = g_strdup(text(from, "subject"));
	r->attached = g_strdup(text(from, "attached"));
	r->assignee = g_strdup(text(from, "assignee"));
	r->warned = number(from, "warned", MAX_NUMBER);
	r->changed = number(from, "changed", MAX_NUMBER);
}

static bool to_texts(From *from, const char *key, GPtrArray *out)
{
	const json_t *list = json_object_get(from->object, key);
	for (size_t i = 0; from->fine && i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		from->fine = name != NULL && strlen(name) <= MAX_TEXT && i < MAX_ITEMS;
		if (from->fine)
			g_ptr_array_add(out, g_strdup(name));
	}
	return from->fine;
}

MsRecord *ms_record_from_json(const char *json, gsize len, GError **error)
{
	json_error_t why;
	json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &why);
	g_autoptr(MsRecord) record = ms_record_new();
	From from = {root, json_is_object(root)};
	if (from.fine) {
		to_head(&from, record);
		from.fine = from.fine && to_list(&from, "recipients", record, to_recipient)
			&& to_list(&from, "why", record, to_reason)
			&& to_list(&from, "findings", record, to_finding)
			&& to_texts(&from, "accounts", record->accounts)
			&& to_texts(&from, "words", record->words)
			&& to_list(&from, "acts", record, to_act)
			&& to_list(&from, "decisions", record, to_decision);
	}
	json_decref(root);
	if (from.fine)
		return g_steal_pointer(&record);
	g_set_error(error, MS_ERROR, MS_ERROR_INPUT, "this is no record of a held message");
	return NULL;
}
