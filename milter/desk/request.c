/*
 * What the page asks of the host that holds a message, as JSON: each request has its row with the
 * keys that it may have, and is refused with the reason where it says something else.  In the
 * thread of whoever received it.
 */
#include "config.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/ask.h"

#include "desk_private.h"

typedef json_t *(*Answer)(MsDesk *desk, const json_t *ask, GError **error);

/* Checked before: it is there. */
static const char *word(const json_t *ask, const char *key)
{
	return json_string_value(json_object_get(ask, key));
}

static json_t *decisions_of(const GPtrArray *list)
{
	json_t *out = json_array();
	for (guint i = 0; i < list->len; i++) {
		const MsDecision *d = list->pdata[i];
		json_array_append_new(out,
			json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", d->id, "uid", d->uid, "group",
				d->group, "state", ms_decision_state_names[d->state], "outcome",
				d->outcome));
	}
	return out;
}

static json_t *do_decide(MsDesk *desk, const json_t *ask, GError **error)
{
	g_auto(MsAsk) decision = {.uids = NULL};
	if (!ms_ask_from_json(ask, &decision, error))
		return NULL;
	g_autoptr(GPtrArray) done = ms_desk_decide(desk, &decision, error);
	return done != NULL ? json_pack("{s:o}", "decisions", decisions_of(done)) : NULL;
}

static json_t *do_agree(MsDesk *desk, const json_t *ask, GError **error)
{
	g_autoptr(GPtrArray) done = ms_desk_agree(desk, word(ask, "id"), word(ask, "who"),
		json_is_true(json_object_get(ask, "agrees")), error);
	return done != NULL ? json_pack("{s:o}", "decisions", decisions_of(done)) : NULL;
}

static json_t *do_evidence(MsDesk *desk, const json_t *ask, GError **error)
{
	char *text = ms_desk_evidence(desk, word(ask, "uid"), word(ask, "who"), error);
	json_t *evidence = text != NULL ? json_loads(text, 0, NULL) : NULL;
	free(text);
	return evidence != NULL ? json_pack("{s:o}", "evidence", evidence) : NULL;
}

static json_t *do_explain(MsDesk *desk, const json_t *ask, GError **error)
{
	char *text = ms_desk_explain(
		desk, word(ask, "uid"), word(ask, "recipient"), word(ask, "who"), error);
	json_t *story = text != NULL ? json_loads(text, 0, NULL) : NULL;
	free(text);
	return story != NULL ? json_pack("{s:o}", "story", story) : NULL;
}

static json_t *base64_of(GBytes *bytes)
{
	gsize len;
	const guchar *data = g_bytes_get_data(bytes, &len);
	g_autofree char *text = g_base64_encode(data, len);
	return json_pack("{s:s}", "bytes", text);
}

static json_t *do_part(MsDesk *desk, const json_t *ask, GError **error)
{
	bool picture = json_is_true(json_object_get(ask, "picture"));
	g_autoptr(GBytes) bytes = ms_desk_part(
		desk, word(ask, "uid"), word(ask, "path"), picture, word(ask, "who"), error);
	return bytes != NULL ? base64_of(bytes) : NULL;
}

/* What somebody looks for, as the keyed digests that records keep: the page has no key. */
static json_t *do_marks(MsDesk *desk, const json_t *ask, GError **error)
{
	g_autoptr(GPtrArray) refs = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) words = ms_desk_marks(desk, word(ask, "text"), refs, error);
	return words != NULL
		? json_pack("{s:o, s:o}", "refs", ms_texts_to_json(refs), "words", ms_texts_to_json(words))
		: NULL;
}

static json_t *stream_of(const MsGuardState *s)
{
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "id", s->id, "stream", s->label, "since",
		(json_int_t)s->tripped, "held", (json_int_t)s->held, "wrong",
		(json_int_t)s->all_bad, "messages", (json_int_t)s->all);
}

/* Those that the guard has stopped: their names are masked. */
static json_t *do_streams(MsDesk *of, const json_t *ask, GError **error)
{
	(void)ask;
	g_auto(Desk) desk = {0};
	g_autoptr(MsGuardStatus) status = NULL;
	desk_begin(of, &desk);
	json_t *list = json_array();
	MsGuard *guard = desk.settings->guard.enabled ? ms_engine_open_guard(desk.settings, error)
						      : NULL;
	bool fine = !desk.settings->guard.enabled ||
		(guard != NULL && ms_guard_status(guard, &status, error) == MS_FOUND);
	for (guint i = 0; status != NULL && i < status->states->len; i++) {
		const MsGuardState *s = status->states->pdata[i];
		if (s->tripped != 0)
			json_array_append_new(list, stream_of(s));
	}
	ms_guard_free(guard);
	json_t *out = fine ? json_pack("{s:O}", "streams", list) : NULL;
	json_decref(list);
	return out;
}

/* ---- the requests ---------------------------------------------------------------------- */

#define DO {"do", MS_KEY_TEXT, true, MS_WORD_ANY}
#define WHO {"who", MS_KEY_TEXT, true, MS_WORD_PERSON}
#define UID {"uid", MS_KEY_TEXT, true, MS_WORD_MESSAGE}
#define END {NULL, MS_KEY_TEXT, false, MS_WORD_ANY}

static const MsKeyRow agree_keys[] = {DO, {"id", MS_KEY_TEXT, true, MS_WORD_DECISION}, WHO,
	{"agrees", MS_KEY_YES, true, MS_WORD_ANY}, END};
static const MsKeyRow marks_keys[] = {DO, {"who", MS_KEY_TEXT, false, MS_WORD_PERSON},
	{"text", MS_KEY_TEXT, true, MS_WORD_ANY}, END};
static const MsKeyRow streams_keys[] = {DO, {"who", MS_KEY_TEXT, false, MS_WORD_PERSON}, END};
static const MsKeyRow evidence_keys[] = {DO, UID, WHO, END};
static const MsKeyRow explain_keys[] = {
	DO, UID, WHO, {"recipient", MS_KEY_TEXT, false, MS_WORD_ANY}, END};
static const MsKeyRow part_keys[] = {DO, UID, WHO, {"path", MS_KEY_TEXT, true, MS_WORD_PART},
	{"picture", MS_KEY_YES, false, MS_WORD_ANY}, END};

static const struct {
	const char *name;
	Answer answer;
	const MsKeyRow *keys; /* NULL: it looks itself */
} requests[] = {
	{"decide", do_decide, NULL},
	{"agree", do_agree, agree_keys},
	{"evidence", do_evidence, evidence_keys},
	{"explain", do_explain, explain_keys},
	{"part", do_part, part_keys},
	{"marks", do_marks, marks_keys},
	{"streams", do_streams, streams_keys},
};

static json_t *answer(MsDesk *desk, const json_t *ask, GError **error)
{
	const char *names[G_N_ELEMENTS(requests) + 1] = {NULL};
	const char *name = word(ask, "do");
	int place = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(requests); i++)
		names[i] = requests[i].name;
	if (!ms_word_choose(names, "do", name != NULL ? name : "", &place, error)
		|| (requests[place].keys != NULL && !ms_ask_keys(requests[place].keys, ask, error)))
		return NULL;
	return requests[place].answer(desk, ask, error);
}

static json_t *parse(const char *json, gsize len, GError **error)
{
	json_error_t why;
	if (len > MS_DESK_REQUEST_MAX) {
		desk_fail(error, "the request has more than %u bytes", MS_DESK_REQUEST_MAX);
		return NULL;
	}
	json_t *ask = json_loadb(json, len, JSON_REJECT_DUPLICATES, &why);
	if (ask == NULL)
		desk_fail(error, "the request is no JSON: %s, at byte %d", why.text, why.position);
	else if (!json_is_object(ask))
		desk_fail(error, "the request is no JSON object");
	if (json_is_object(ask))
		return ask;
	json_decref(ask);
	return NULL;
}

char *ms_desk_request(MsDesk *desk, const char *json, gsize len)
{
	g_autoptr(GError) error = NULL;
	json_t *ask = parse(json, len, &error);
	json_t *out = ask != NULL ? answer(desk, ask, &error) : NULL;
	if (out != NULL)
		json_object_set_new(out, "ok", json_true());
	else
		out = json_pack("{s:b, s:s}", "ok", 0, "error",
			error != NULL ? error->message : "no reply could be made");
	char *text = json_dumps(out, JSON_COMPACT);
	char *copy = g_strdup(
		text != NULL ? text : "{\"ok\":false,\"error\":\"no reply could be made\"}");
	free(text);
	json_decref(out);
	json_decref(ask);
	return copy;
}
