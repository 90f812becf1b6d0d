#include "config.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "missent/answer.h"

#include "desk_private.h"

/* What the page asks of the host that holds a message. */

typedef json_t *(*Answer)(MsDesk *desk, const json_t *ask, GError **error);

static const char *word(const json_t *ask, const char *key)
{
	const char *text = json_string_value(json_object_get(ask, key));
	return text != NULL ? text : "";
}

static GPtrArray *words(const json_t *ask, const char *key)
{
	const json_t *list = json_object_get(ask, key);
	GPtrArray *out = g_ptr_array_new();
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));
		if (text != NULL)
			g_ptr_array_add(out, (char *)text);
	}
	return out;
}

static json_t *decisions_of(const GPtrArray *list)
{
	json_t *out = json_array();
	for (guint i = 0; i < list->len; i++) {
		const MsDecision *d = list->pdata[i];
		json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", d->id, "uid", d->uid,
			"group", d->group, "state", ms_decision_state_names[d->state], "outcome", d->outcome));
	}
	return out;
}

static json_t *do_decide(MsDesk *desk, const json_t *ask, GError **error)
{
	g_autoptr(GPtrArray) uids = words(ask, "uids");
	g_autoptr(GPtrArray) recipients = words(ask, "recipients");
	gint64 total = json_integer_value(json_object_get(ask, "total"));
	gint64 others = json_integer_value(json_object_get(ask, "others"));
	MsAsk decision = {.verb = word(ask, "verb"),
		.uids = uids,
		.recipients = recipients,
		.who = word(ask, "who"),
		.why = word(ask, "why"),
		.detail = word(ask, "detail"),
		.rightful = json_is_true(json_object_get(ask, "rightful")),
		.later = json_is_true(json_object_get(ask, "later")),
		.id = *word(ask, "id") != '\0' ? word(ask, "id") : NULL,
		.others = (guint)CLAMP(others, 0, G_MAXINT32),
		.total = (guint)CLAMP(total, 0, G_MAXINT32)};
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
	g_autoptr(GBytes) bytes =
		ms_desk_part(desk, word(ask, "uid"), word(ask, "path"), picture, word(ask, "who"), error);
	return bytes != NULL ? base64_of(bytes) : NULL;
}

static json_t *texts_of(const GPtrArray *texts)
{
	json_t *list = json_array();
	for (guint i = 0; i < texts->len; i++)
		json_array_append_new(list, json_string(texts->pdata[i]));
	return list;
}

/* What somebody looks for, as the keyed digests that records keep: the page has no key. */
static json_t *do_marks(MsDesk *desk, const json_t *ask, GError **error)
{
	g_autoptr(GPtrArray) refs = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) words = ms_desk_marks(desk, word(ask, "text"), refs, error);
	return words != NULL ? json_pack("{s:o, s:o}", "refs", texts_of(refs), "words", texts_of(words)) : NULL;
}

static const struct {
	const char *name;
	Answer answer;
} requests[] = {{"decide", do_decide}, {"agree", do_agree}, {"evidence", do_evidence}, {"part", do_part},
	{"marks", do_marks}};

static json_t *answer(MsDesk *desk, const json_t *ask, GError **error)
{
	for (gsize i = 0; i < G_N_ELEMENTS(requests); i++)
		if (strcmp(requests[i].name, word(ask, "do")) == 0)
			return requests[i].answer(desk, ask, error);
	desk_fail(error, "there is no such request");
	return NULL;
}

char *ms_desk_request(MsDesk *desk, const char *json, gsize len)
{
	g_autoptr(GError) error = NULL;
	json_t *ask = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	json_t *out = json_is_object(ask) ? answer(desk, ask, &error) : NULL;
	if (out != NULL)
		json_object_set_new(out, "ok", json_true());
	else
		out = json_pack("{s:b, s:s}", "ok", 0, "error",
			error != NULL ? error->message : "this is no request");
	char *text = json_dumps(out, JSON_COMPACT);
	char *copy = g_strdup(text != NULL ? text : "{\"ok\":false,\"error\":\"no reply could be made\"}");
	free(text);
	json_decref(out);
	json_decref(ask);
	return copy;
}
