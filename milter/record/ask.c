/*
 * A decision as it is asked for: the command line fills one in, or it comes as JSON from the
 * page; it leaves checked, and as JSON for the host that holds the message.  No state; any
 * thread.
 */
#include "config.h"

#include <jansson.h>
#include <string.h>

#include "missent/answer.h"
#include "missent/ask.h"

/* ---- to whom it does not belong --------------------------------------------------------- */

/* One message that was held for one recipient names him.  One of which only he is left names those
 * who had it, too. */
static bool names_itself(const MsAsk *ask, const MsRecord *record)
{
	guint n = 0;
	for (guint i = 0; i < record->recipients->len; i++)
		n += ((MsHeldRecipient *)record->recipients->pdata[i])->state != MS_STATE_DELIVERED;
	return ask->uids->len == 1 && ask->total <= 1 && n == 1;
}

static GHashTable *set_of(const GPtrArray *list)
{
	GHashTable *set = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; list != NULL && i < list->len; i++)
		g_hash_table_add(set, list->pdata[i]);
	return set;
}

void ms_ask_count_others(MsAskOthers *others, const MsAsk *ask, const MsRecord *record,
	const GPtrArray *chosen)
{
	guint wrong = 0, unnamed = 0;
	g_autoptr(GHashTable) of = set_of(chosen);
	/* by a person */
	g_autoptr(GHashTable) named = set_of(ask->rightful ? NULL : ask->recipients);
	if (ask->verb != MS_VERB_RELEASE)
		return;
	for (guint i = 0; i < record->recipients->len; i++) {
		const MsHeldRecipient *to = record->recipients->pdata[i];
		bool goes = to->state == MS_STATE_HELD && to->outcome == MS_OUTCOME_WRONG &&
			(chosen->len == 0 || g_hash_table_contains(of, to->address));
		wrong += goes;
		unnamed += goes && !g_hash_table_contains(named, to->address) &&
			!names_itself(ask, record);
	}
	others->wrong += wrong;
	others->unnamed += unnamed;
	others->messages += unnamed > 0;
}

bool ms_ask_share_others(const MsAsk *ask, const MsAskOthers *of, guint n, guint *shares_out,
	GError **error)
{
	MsAskOthers all = {0};
	for (guint i = 0; i < n; i++) {
		all.wrong += of[i].wrong;
		all.unnamed += of[i].unnamed;
	}
	/* a host knows best what is on it */
	bool one = n <= 1 || ask->others == 0, unnamed = ask->others == all.unnamed;
	if (!one && !unnamed && ask->others != all.wrong)
		return ms_fail_input(error,
			"this would send what belongs to others to %u recipients of %u hosts who may not "
			"have it, and others %u was said; nothing was done",
			all.unnamed > 0 ? all.unnamed : all.wrong, n, ask->others);
	for (guint i = 0; i < n; i++)
		shares_out[i] = one ? ask->others : unnamed ? of[i].unnamed : of[i].wrong;
	return true;
}

/* ---- as a whole ----------------------------------------------------------------------- */

/* One text of what is said; NULL: it is not said, or is none. */
static const char *text_of(const MsAsk *ask, MsSay say)
{
	switch (say) {
	case MS_SAY_ACCOUNT: return ask->account;
	case MS_SAY_IDENTIFIER: return ask->identifier;
	case MS_SAY_ASSIGNEE: return ask->assignee;
	case MS_SAY_WHY: return ask->why;
	case MS_SAY_RECIPIENTS:
	case MS_SAY_RIGHTFUL:
	case MS_SAY_OTHERS:
	case MS_N_SAYS: break;
	}
	return NULL;
}

static bool is_said(const MsAsk *ask, MsSay say)
{
	if (say == MS_SAY_RECIPIENTS)
		return ask->recipients != NULL && ask->recipients->len > 0;
	if (say == MS_SAY_OTHERS)
		return ask->others > 0;
	return say == MS_SAY_RIGHTFUL ? ask->rightful : text_of(ask, say) != NULL;
}

static bool check_list(const GPtrArray *list, MsWordKind kind, const char *field, GError **error)
{
	for (guint i = 0; list != NULL && i < list->len; i++)
		if (!ms_word_check(kind, field, list->pdata[i], error))
			return false;
	return true;
}

static bool check_say(const MsAsk *ask, MsSay say, GError **error)
{
	const MsVerbSay *row = ms_verb_says(ask->verb, say);
	const char *verb = ms_verbs[ask->verb].name, *name = ms_say_names[say];
	if (!is_said(ask, say))
		return row == NULL || !row->needed ||
			ms_fail_input(error, "%s: %s is needed", verb, name);
	if (row == NULL)
		return ms_fail_input(error, "%s: %s cannot be said with it", verb, name);
	if (say == MS_SAY_RECIPIENTS)
		return check_list(ask->recipients, row->kind, name, error);
	return say == MS_SAY_RIGHTFUL || say == MS_SAY_OTHERS
		|| ms_word_check(row->kind, name, text_of(ask, say), error);
}

static bool check_said(const MsAsk *ask, GError **error)
{
	if (ask->verb >= MS_VERB_UNKNOWN || ms_verbs[ask->verb].of_decision)
		return ms_fail_input(error, "%s: is nothing that is decided of a message",
			ms_verbs[ask->verb].name);
	if (ask->uids == NULL || ask->uids->len == 0 || ask->uids->len > MS_ASK_MOST)
		return ms_fail_input(error, "a decision is about 1 to %d messages", MS_ASK_MOST);
	if (!check_list(ask->uids, MS_WORD_MESSAGE, "uids", error))
		return false;
	for (int say = 0; say < MS_N_SAYS; say++)
		if (!check_say(ask, (MsSay)say, error))
			return false;
	if (ask->rightful && is_said(ask, MS_SAY_RECIPIENTS))
		return ms_fail_input(
			error, "either to those with a right to it, or to those who are named");
	return ask->id == NULL || ms_word_check(MS_WORD_DECISION, "id", ask->id, error);
}

bool ms_ask_check(const MsAsk *ask, GError **error)
{
	return check_said(ask, error) && ms_word_check(MS_WORD_PERSON, "who", ask->who, error);
}

/* ---- keys ----------------------------------------------------------------------------- */

static bool check_texts(const MsKeyRow *row, const json_t *list, GError **error)
{
	if (!json_is_array(list))
		return ms_fail_input(error, "%s: is no list", row->key);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));
		if (text == NULL)
			return ms_fail_input(
				error, "%s: has something in it that is no text", row->key);
		if (!ms_word_check(row->kind, row->key, text, error))
			return false;
	}
	return true;
}

static bool check_value(const MsKeyRow *row, const json_t *value, GError **error)
{
	switch (row->type) {
	case MS_KEY_TEXT:
		return json_is_string(value)
			? ms_word_check(row->kind, row->key, json_string_value(value), error)
			: ms_fail_input(error, "%s: is no text", row->key);
	case MS_KEY_TEXTS: return check_texts(row, value, error);
	case MS_KEY_YES:
		return json_is_boolean(value) ||
			ms_fail_input(error, "%s: is neither true nor false", row->key);
	case MS_KEY_NUMBER:
		return (json_is_integer(value) && json_integer_value(value) >= 0 &&
			       json_integer_value(value) <= G_MAXINT32) ||
			ms_fail_input(error, "%s: is no number from 0 to %d", row->key, G_MAXINT32);
	}
	g_assert_not_reached();
}

static const MsKeyRow *row_of(const MsKeyRow *rows, const char *key)
{
	for (; rows->key != NULL; rows++)
		if (strcmp(rows->key, key) == 0)
			return rows;
	return NULL;
}

static bool refuse_key(const MsKeyRow *rows, const char *key, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	for (; rows->key != NULL; rows++)
		g_ptr_array_add(names, (char *)rows->key);
	g_ptr_array_add(names, NULL);
	return ms_word_refuse(
		"key", key, "is none of this request", (const char *const *)names->pdata, error);
}

bool ms_ask_keys(const MsKeyRow *rows, const json_t *json, GError **error)
{
	const char *key;
	json_t *value;
	if (!json_is_object(json))
		return ms_fail_input(error, "the request is no JSON object");
	json_object_foreach((json_t *)json, key, value) {
		const MsKeyRow *row = row_of(rows, key);
		if (row == NULL ? !refuse_key(rows, key, error) : !check_value(row, value, error))
			return false;
	}
	for (; rows->key != NULL; rows++)
		if (rows->needed && json_object_get(json, rows->key) == NULL)
			return ms_fail_input(error, "%s: is missing", rows->key);
	return true;
}

/* ---- as JSON -------------------------------------------------------------------------- */

static const MsKeyRow ask_keys[] = {
	{"do", MS_KEY_TEXT, true, MS_WORD_ANY},
	{"verb", MS_KEY_TEXT, true, MS_WORD_ANY},
	{"uids", MS_KEY_TEXTS, true, MS_WORD_MESSAGE},
	{"recipients", MS_KEY_TEXTS, false, MS_WORD_ADDRESS},
	{"rightful", MS_KEY_YES, false, MS_WORD_ANY},
	{"others", MS_KEY_NUMBER, false, MS_WORD_ANY},
	{"account", MS_KEY_TEXT, false, MS_WORD_ACCOUNT},
	{"identifier", MS_KEY_TEXT, false, MS_WORD_IDENTIFIER},
	{"assignee", MS_KEY_TEXT, false, MS_WORD_PERSON},
	{"who", MS_KEY_TEXT, false, MS_WORD_PERSON},
	{"why", MS_KEY_TEXT, false, MS_WORD_TEXT},
	{"total", MS_KEY_NUMBER, false, MS_WORD_ANY},
	{"later", MS_KEY_YES, false, MS_WORD_ANY},
	{"id", MS_KEY_TEXT, false, MS_WORD_DECISION},
	{NULL, MS_KEY_TEXT, false, MS_WORD_ANY},
};

json_t *ms_texts_to_json(const GPtrArray *texts)
{
	json_t *out = json_array();
	for (guint i = 0; texts != NULL && i < texts->len; i++)
		json_array_append_new(out, json_string(texts->pdata[i]));
	return out;
}

static void put_text(json_t *out, const char *key, const char *text)
{
	if (text != NULL)
		json_object_set_new(out, key, json_string(text));
}

json_t *ms_ask_to_json(const MsAsk *ask)
{
	json_t *out = json_pack("{s:s, s:s, s:o, s:o, s:b, s:b, s:I, s:I}", "do", "decide", "verb",
		ms_verbs[ask->verb].name, "uids", ms_texts_to_json(ask->uids), "recipients",
		ms_texts_to_json(ask->recipients), "rightful", (int)ask->rightful, "later", (int)ask->later,
		"total", (json_int_t)ask->total, "others", (json_int_t)ask->others);
	for (int say = 0; say < MS_N_SAYS; say++)
		put_text(out, ms_say_names[say], text_of(ask, (MsSay)say));
	put_text(out, "who", ask->who);
	put_text(out, "id", ask->id);
	return out;
}

static GPtrArray *texts_from(const json_t *json, const char *key)
{
	const json_t *list = json_object_get(json, key);
	GPtrArray *out = g_ptr_array_new();
	for (size_t i = 0; i < json_array_size(list); i++)
		g_ptr_array_add(out, (char *)json_string_value(json_array_get(list, i)));
	return out;
}

static const char *text_from(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

bool ms_ask_from_json(const json_t *json, MsAsk *ask_out, GError **error)
{
	MsVerb verb;
	if (!ms_ask_keys(ask_keys, json, error)
		|| !ms_verb_parse("verb", text_from(json, "verb"), &verb, error))
		return false;
	MsAsk ask = {.verb = verb,
		.uids = texts_from(json, "uids"),
		.recipients = texts_from(json, "recipients"),
		.rightful = json_is_true(json_object_get(json, "rightful")),
		.others = (guint)json_integer_value(json_object_get(json, "others")),
		.who = text_from(json, "who"),
		.why = text_from(json, "why"),
		.account = text_from(json, "account"),
		.identifier = text_from(json, "identifier"),
		.assignee = text_from(json, "assignee"),
		.total = (guint)json_integer_value(json_object_get(json, "total")),
		.later = json_is_true(json_object_get(json, "later")),
		.id = text_from(json, "id")};
	bool fine = check_said(&ask, error);
	if (fine)
		*ask_out = ask;
	else
		ms_ask_clear(&ask);
	return fine;
}

void ms_ask_clear(MsAsk *ask)
{
	g_clear_pointer(&ask->uids, g_ptr_array_unref);
	g_clear_pointer(&ask->recipients, g_ptr_array_unref);
}
