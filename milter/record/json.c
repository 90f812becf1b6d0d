/*
 * One record as JSON: what `missent held show --json` prints, and what a host tells the page of
 * other hosts.  What comes back is taken with distrust: a host may have been taken over, and its
 * records are shown to a reviewer of all.  It may also be of a newer version, or damaged: what
 * can be read is taken, and the record says what could not.  No state; any thread.
 */
#include "config.h"

#include <jansson.h>
#include <string.h>

#include "missent/answer.h"
#include "missent/record.h"
#include "missent/text.h"

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
	return json_pack("{s:s, s:s, s:s, s:s}", "address", r->address, "state",
		ms_state_names[r->state], "outcome", ms_outcome_names[r->outcome], "accounts",
		r->accounts);
}

static json_t *from_reason(const void *item)
{
	const MsReason *r = item;
	return json_pack("{s:s, s:s, s:s, s:b, s:s?, s:s?, s:s?, s:s?, s:s?, s:i, s:s}", "reason",
		ms_reason_names[r->code], "policy", r->policy, "action", ms_action_names[r->action],
		"enforced", (int)r->enforced, "kind", r->kind, "identifier", r->masked, "where",
		r->where, "account", r->owner, "recipient", r->recipient, "recipients",
		(int)r->recipients, "text", r->text);
}

static json_t *from_finding(const void *item)
{
	const MsHeldFinding *f = item;
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s}", "kind", f->kind, "identifier",
		f->masked, "ref", f->ref, "accounts", f->owners, "belief", f->belief, "where",
		f->where, "count", (int)f->count, "relations", f->relations);
}

static json_t *from_act(const void *item)
{
	const MsAct *a = item;
	return json_pack("{s:I, s:s, s:s, s:s}", "at", (json_int_t)(a->at / G_USEC_PER_SEC), "who",
		a->who, "what", a->what, "why", a->why);
}

static json_t *from_decision(const void *item)
{
	const MsDecision *d = item;
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:b}", "id",
		d->id, "group", d->group, "verb", ms_verbs[d->verb].name, "recipients",
		d->recipients, "rightful", (int)d->rightful, "account", d->account, "identifier",
		d->identifier, "assignee", d->assignee, "who", d->who, "second", d->second, "why",
		d->why, "outcome", d->outcome, "state", ms_decision_state_names[d->state], "at",
		(json_int_t)(d->at / G_USEC_PER_SEC), "damaged", (int)d->damaged);
}

char *ms_record_to_json(const MsRecord *r)
{
	json_t *out = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:i, s:I, s:s, s:b, s:s, s:s,"
		" s:s, s:s, s:I, s:I, s:s, s:s}",
		"uid", r->uid, "queue_id", r->queue_id, "host", r->host, "state",
		ms_state_names[r->state], "place", ms_held_place_names[r->place], "arrived",
		(json_int_t)(r->arrived / G_USEC_PER_SEC), "arrived_us", (json_int_t)r->arrived,
		"sender", r->sender, "recipients_total", (int)r->n_recipients, "size",
		(json_int_t)r->size, "digest", r->digest, "signed", (int)r->is_signed, "reasons",
		r->codes, "policies", r->policies, "cause", r->cause, "assignee", r->assignee,
		"warned", (json_int_t)r->warned, "changed", (json_int_t)r->changed, "damaged",
		r->damaged, "unclear", r->unclear);
	if (out == NULL)
		return NULL;
	if (r->due != 0) {
		json_object_set_new(
			out, "due", json_integer((json_int_t)(r->due / G_USEC_PER_SEC)));
		json_object_set_new(out, "due_us", json_integer((json_int_t)r->due));
		json_object_set_new(
			out, "waits_since_us", json_integer((json_int_t)r->waits_since));
	}
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
	MsRecord *record;  /* that it is of, and that becomes damaged */
	const char *where; /* "recipients" */
} From;

static void damage(const From *from, const char *key)
{
	g_autofree char *field = g_strdup_printf(
		"%s%s%s", from->where, *from->where != '\0' ? " " : "", key);
	ms_record_damage(from->record, field, NULL);
}

/* A text of that name, without control characters; absent is "". */
static const char *text(const From *from, const char *key)
{
	const json_t *value = json_object_get(from->object, key);
	const char *got = json_string_value(value);
	bool fine = value == NULL || json_is_null(value) ||
		(got != NULL && strlen(got) <= MAX_TEXT);
	for (const char *p = got; fine && p != NULL && *p != '\0'; p++)
		fine = (guchar)*p >= ' ' || (*p == '\n' && strcmp(key, "recipients") == 0);
	if (!fine)
		damage(from, key);
	return fine && got != NULL ? got : "";
}

/* One without which it is no such thing. */
static const char *needed(const From *from, const char *key)
{
	const char *got = text(from, key);
	if (*got == '\0')
		damage(from, key);
	return got;
}

#define MAX_COUNT G_MAXINT32
#define MAX_SECONDS 253402300799 /* the end of the year 9999 */
#define MAX_NUMBER (MAX_SECONDS * G_USEC_PER_SEC)

static gint64 number(const From *from, const char *key, gint64 max)
{
	const json_t *value = json_object_get(from->object, key);
	gint64 got = (gint64)json_integer_value(value);
	bool fine = json_is_integer(value) && got >= 0 && got <= max;
	if (!fine)
		damage(from, key);
	return fine ? got : 0;
}

static bool yes(const From *from, const char *key)
{
	return json_is_true(json_object_get(from->object, key));
}

static int word(const From *from, const char *key, const char *const *names, int otherwise)
{
	g_autofree char *field = g_strdup_printf(
		"%s%s%s", from->where, *from->where != '\0' ? " " : "", key);
	return ms_record_word(from->record, field, names, text(from, key), otherwise);
}

static char *or_null(const char *given)
{
	return *given != '\0' ? g_strdup(given) : NULL;
}

static void to_recipient(const From *from)
{
	const char *address = needed(from, "address");
	ms_record_recipient(from->record, address,
		(MsState)word(from, "state", ms_state_names, MS_STATE_HELD),
		(MsOutcome)word(from, "outcome", ms_outcome_names, MS_OUTCOME_UNPROVEN),
		text(from, "accounts"));
}

static void to_reason(const From *from)
{
	MsReason *r = g_new0(MsReason, 1);
	r->code = (MsReasonCode)word(from, "reason", ms_reason_names, MS_MISMATCH);
	r->policy = g_strdup(text(from, "policy"));
	r->action = (MsAction)word(from, "action", ms_action_names, MS_HOLD);
	r->enforced = yes(from, "enforced");
	r->kind = or_null(text(from, "kind"));
	r->masked = or_null(text(from, "identifier"));
	r->where = or_null(text(from, "where"));
	r->owner = or_null(text(from, "account"));
	r->recipient = or_null(text(from, "recipient"));
	r->recipients = (guint)number(from, "recipients", MAX_COUNT);
	r->text = g_strdup(text(from, "text"));
	g_ptr_array_add(from->record->reasons, r);
}

static void to_finding(const From *from)
{
	ms_record_finding(from->record,
		(MsHeldFinding){.kind = (char *)text(from, "kind"),
			.masked = (char *)text(from, "identifier"),
			.ref = (char *)text(from, "ref"),
			.owners = (char *)text(from, "accounts"),
			.belief = (char *)text(from, "belief"),
			.where = (char *)text(from, "where"),
			.count = (guint)number(from, "count", MAX_COUNT),
			.relations = (char *)text(from, "relations")});
}

static void to_act(const From *from)
{
	MsAct *a = g_new0(MsAct, 1);
	a->at = number(from, "at", MAX_SECONDS) * G_USEC_PER_SEC;
	a->who = g_strdup(text(from, "who"));
	a->what = g_strdup(text(from, "what"));
	a->why = g_strdup(text(from, "why"));
	g_ptr_array_add(from->record->acts, a);
}

static void to_decision(const From *from)
{
	MsDecision *d = g_new0(MsDecision, 1);
	d->id = g_strdup(needed(from, "id"));
	d->uid = g_strdup(from->record->uid);
	d->group = g_strdup(text(from, "group"));
	d->verb = ms_verb_named(text(from, "verb"));
	d->recipients = g_strdup(text(from, "recipients"));
	d->rightful = yes(from, "rightful");
	d->account = g_strdup(text(from, "account"));
	d->identifier = g_strdup(text(from, "identifier"));
	d->assignee = g_strdup(text(from, "assignee"));
	d->who = g_strdup(text(from, "who"));
	d->second = g_strdup(text(from, "second"));
	d->why = g_strdup(text(from, "why"));
	d->outcome = g_strdup(text(from, "outcome"));
	d->token = g_strdup("");
	d->step = g_strdup("");
	d->state = (MsDecisionState)word(
		from, "state", ms_decision_state_names, MS_DECISION_FAILED);
	d->at = number(from, "at", MAX_SECONDS) * G_USEC_PER_SEC;
	d->damaged = yes(from, "damaged") || d->verb == MS_VERB_UNKNOWN;
	g_ptr_array_add(from->record->decisions, d);
}

/* A list of a record, and the keys of its objects that are known here. */
static const struct {
	const char *key;
	void (*take)(const From *from);
	const char *keys[18];
} lists[] = {
	{"recipients", to_recipient, {"address", "state", "outcome", "accounts"}},
	{"why", to_reason,
		{"reason", "policy", "action", "enforced", "kind", "identifier", "where", "account",
			"recipient", "recipients", "text"}},
	{"findings", to_finding,
		{"kind", "identifier", "ref", "accounts", "belief", "where", "count", "relations"}},
	{"acts", to_act, {"at", "who", "what", "why"}},
	{"decisions", to_decision,
		{"id", "group", "verb", "recipients", "rightful", "account", "identifier",
			"assignee", "who", "second", "why", "outcome", "state", "at", "damaged"}},
};

static const char *const head_keys[] = {"uid", "queue_id", "host", "state", "place", "arrived",
	"arrived_us", "sender", "recipients_total", "size", "digest", "signed", "reasons",
	"policies", "cause", "assignee", "warned", "changed", "damaged", "unclear", "accounts",
	"recipients", "why", "findings", "acts", "decisions", "subject", "attached", "words", "due",
	"due_us", "waits_since_us", NULL};

/* What a newer version says is said to whoever looks. */
static void note_unclear(MsRecord *record, const json_t *object, const char *const *keys)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)object, key, value) {
		if (g_strv_contains(keys, key) || strlen(record->unclear) > 200)
			continue;
		g_autofree char *safe = ms_text_escape(key, -1, 40);
		if (strstr(record->unclear, safe) != NULL)
			continue;
		char *all = g_strdup_printf(
			"%s%s%s", record->unclear, *record->unclear != '\0' ? ", " : "", safe);
		g_free(record->unclear);
		record->unclear = all;
	}
}

static void to_list(const From *from, gsize n)
{
	const json_t *list = json_object_get(from->object, lists[n].key);
	From item = {NULL, from->record, lists[n].key};
	if (!json_is_array(list) || json_array_size(list) > MAX_ITEMS)
		damage(from, lists[n].key);
	for (size_t i = 0; i < json_array_size(list) && i < MAX_ITEMS; i++) {
		item.object = json_array_get(list, i);
		if (!json_is_object(item.object)) {
			damage(from, lists[n].key);
			continue;
		}
		lists[n].take(&item);
		note_unclear(from->record, item.object, lists[n].keys);
	}
}

static bool is_uid(const char *uid)
{
	return strlen(uid) == 16 && strspn(uid, "0123456789abcdef") == 16;
}

static void to_head(const From *from)
{
	MsRecord *r = from->record;
	r->queue_id = g_strdup(text(from, "queue_id"));
	r->state = (MsState)word(from, "state", ms_state_names, MS_STATE_HELD);
	r->place = (MsHeldPlace)word(from, "place", ms_held_place_names, MS_PLACE_QUEUE);
	r->arrived = number(from, "arrived_us", MAX_NUMBER);
	r->sender = g_strdup(text(from, "sender"));
	r->size = (guint64)number(from, "size", MAX_NUMBER);
	r->digest = g_strdup(text(from, "digest"));
	r->message = g_strdup("");
	r->is_signed = yes(from, "signed");
	r->codes = g_strdup(text(from, "reasons"));
	r->policies = g_strdup(text(from, "policies"));
	r->cause = g_strdup(text(from, "cause"));
	r->subject = g_strdup(text(from, "subject"));
	r->attached = g_strdup(text(from, "attached"));
	r->assignee = g_strdup(text(from, "assignee"));
	r->warned = number(from, "warned", MAX_NUMBER);
	if (json_object_get(from->object, "due_us") != NULL) {
		r->due = number(from, "due_us", MAX_NUMBER);
		r->waits_since = number(from, "waits_since_us", MAX_NUMBER);
	}
	g_free(r->unclear);
	r->unclear = g_strdup(text(from, "unclear"));
}

static void to_texts(const From *from, const char *key, GPtrArray *out)
{
	const json_t *list = json_object_get(from->object, key);
	for (size_t i = 0; i < json_array_size(list) && i < MAX_ITEMS; i++) {
		const char *name = json_string_value(json_array_get(list, i));
		if (name != NULL && strlen(name) <= MAX_TEXT)
			g_ptr_array_add(out, g_strdup(name));
		else
			damage(from, key);
	}
}

/* Whose record it is, and how new: without this there is nothing to show. */
static bool is_named(const From *from)
{
	MsRecord *r = from->record;
	if (*text(from, "damaged") != '\0') /* as it is, before anything is added */
		ms_record_damage(r, text(from, "damaged"), NULL);
	r->uid = g_strdup(text(from, "uid"));
	r->host = g_strdup(text(from, "host"));
	r->changed = number(from, "changed", MAX_NUMBER);
	return is_uid(r->uid) && json_is_integer(json_object_get(from->object, "changed"));
}

MsRecord *ms_record_from_json(const char *json, gsize len, GError **error)
{
	json_error_t why;
	json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &why);
	g_autoptr(MsRecord) record = ms_record_new();
	From from = {root, record, ""};
	bool fine = json_is_object(root) && is_named(&from);
	if (fine) {
		to_head(&from);
		to_texts(&from, "accounts", record->accounts);
		to_texts(&from, "words", record->words);
		for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
			to_list(&from, i);
		note_unclear(record, root, head_keys);
		if (number(&from, "recipients_total", MAX_COUNT) != record->recipients->len)
			damage(&from, "recipients_total");
	}
	json_decref(root);
	if (fine)
		return g_steal_pointer(&record);
	g_set_error(error, MS_ERROR, MS_ERROR_INPUT, "this is no record of a held message");
	return NULL;
}
