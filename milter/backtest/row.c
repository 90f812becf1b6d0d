/*
 * A message's row, and how it is written down: as JSON, in both directions.  Any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/word.h"

#include "backtest_private.h"

static void view_init(MsBacktestView *view)
{
	*view = (MsBacktestView){.codes = g_strdup(""),
		.policies = g_strdup(""),
		.cause = g_strdup(""),
		.unsure = g_ptr_array_new_with_free_func(g_free),
		.reasons = g_ptr_array_new_with_free_func(g_free)};
}

MsBacktestRow *backtest_row_new(const char *name, const char *digest)
{
	MsBacktestRow *row = g_new0(MsBacktestRow, 1);
	row->name = g_strdup(name);
	row->digest = g_strdup(digest);
	row->sender = g_strdup("");
	view_init(&row->now);
	view_init(&row->baseline);
	return row;
}

static void view_clear(MsBacktestView *view)
{
	g_free(view->codes);
	g_free(view->policies);
	g_free(view->cause);
	g_ptr_array_unref(view->unsure);
	g_ptr_array_unref(view->reasons);
}

void backtest_row_free(gpointer data)
{
	MsBacktestRow *row = data;
	if (row == NULL)
		return;
	g_free(row->name);
	g_free(row->digest);
	g_free(row->sender);
	g_free(row->failed);
	view_clear(&row->now);
	view_clear(&row->baseline);
	g_free(row);
}

static json_t *text(const char *words)
{
	g_autofree char *valid = g_utf8_make_valid(words, -1);
	return json_string(valid);
}

static json_t *view_to_json(const MsBacktestView *view)
{
	json_t *reasons = json_array(), *unsure = json_array();
	for (guint i = 0; i < view->unsure->len; i++)
		json_array_append_new(unsure, text(view->unsure->pdata[i]));
	for (guint i = 0; i < view->reasons->len; i++)
		json_array_append_new(reasons, text(view->reasons->pdata[i]));
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "would", ms_action_names[view->would],
		"codes", text(view->codes), "policies", text(view->policies), "cause",
		text(view->cause), "unsure", unsure, "reasons", reasons);
}

json_t *backtest_row_to_json(const MsBacktestRow *row, bool compares)
{
	json_t *out = json_pack("{s:o, s:s, s:o, s:i, s:s}", "name", text(row->name), "digest",
		row->digest, "sender", text(row->sender), "recipients", (int)row->recipients, "by",
		ms_backtest_by_names[row->by]);
	if (row->failed != NULL)
		json_object_set_new(out, "failed", text(row->failed));
	else
		json_object_set_new(out, "now", view_to_json(&row->now));
	if (row->failed == NULL && compares)
		json_object_set_new(out, "baseline", view_to_json(&row->baseline));
	return out;
}

static const char *word(const json_t *json, const char *key)
{
	const char *value = json_string_value(json_object_get(json, key));
	return value != NULL ? value : "";
}

static void set_text(char **to, const char *value)
{
	g_free(*to);
	*to = g_strdup(value);
}

static bool view_from_json(const json_t *json, MsBacktestView *view)
{
	gsize i;
	json_t *reason;
	int would;
	if (!ms_word_choose(ms_action_names, "would", word(json, "would"), &would, NULL))
		return false;
	view->would = (MsAction)would;
	set_text(&view->codes, word(json, "codes"));
	set_text(&view->policies, word(json, "policies"));
	set_text(&view->cause, word(json, "cause"));
	json_array_foreach(json_object_get(json, "unsure"), i, reason)
		g_ptr_array_add(view->unsure, g_strdup(json_string_value(reason)));
	json_array_foreach(json_object_get(json, "reasons"), i, reason)
		g_ptr_array_add(view->reasons, g_strdup(json_string_value(reason)));
	return true;
}

/* NULL: it is not whole. */
MsBacktestRow *backtest_row_from_json(const json_t *json)
{
	int by = 0;
	bool known = ms_word_choose(ms_backtest_by_names, "by", word(json, "by"), &by, NULL);
	const json_t *baseline = json_object_get(json, "baseline"),
		     *failed = json_object_get(json, "failed");
	MsBacktestRow *row = backtest_row_new(word(json, "name"), word(json, "digest"));
	set_text(&row->sender, word(json, "sender"));
	row->recipients = (guint)json_integer_value(json_object_get(json, "recipients"));
	row->by = (MsBacktestBy)by;
	row->failed = failed != NULL ? g_strdup(word(json, "failed")) : NULL;
	bool fine = known && *row->digest != '\0' &&
		(failed != NULL || view_from_json(json_object_get(json, "now"), &row->now)) &&
		(baseline == NULL || view_from_json(baseline, &row->baseline));
	if (fine)
		return row;
	backtest_row_free(row);
	return NULL;
}
