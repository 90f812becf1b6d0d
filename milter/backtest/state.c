/*
 * What was judged is written down line by line, so that who is stopped, by a person or a crash,
 * goes on: rows come in and come out of a file of JSON lines.  Under the lock of who runs.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/answer.h"

#include "backtest_private.h"

struct BacktestState {
	FILE *file;
	GHashTable *done; /* "digest name" to MsBacktestRow */
};

/* ---- rows ------------------------------------------------------------------------------- */

MsBacktestRow *backtest_row_new(const char *name, const char *digest)
{
	MsBacktestRow *row = g_new0(MsBacktestRow, 1);
	row->name = g_strdup(name);
	row->digest = g_strdup(digest);
	row->sender = g_strdup("");
	backtest_view_init(&row->now);
	backtest_view_init(&row->baseline);
	return row;
}

void backtest_view_init(MsBacktestView *view)
{
	*view = (MsBacktestView){.codes = g_strdup(""),
		.policies = g_strdup(""),
		.cause = g_strdup(""),
		.unsure = g_ptr_array_new_with_free_func(g_free),
		.reasons = g_ptr_array_new_with_free_func(g_free)};
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

static int index_of(const char *const *names, const char *name)
{
	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
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
	int would = index_of(ms_action_names, word(json, "would"));
	if (would < 0)
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
static MsBacktestRow *row_from_json(const json_t *json)
{
	int by = index_of(ms_backtest_by_names, word(json, "by"));
	const json_t *baseline = json_object_get(json, "baseline"),
		     *failed = json_object_get(json, "failed");
	MsBacktestRow *row = backtest_row_new(word(json, "name"), word(json, "digest"));
	set_text(&row->sender, word(json, "sender"));
	row->recipients = (guint)json_integer_value(json_object_get(json, "recipients"));
	row->by = (MsBacktestBy)MAX(by, 0);
	row->failed = failed != NULL ? g_strdup(word(json, "failed")) : NULL;
	bool fine = by >= 0 && *row->digest != '\0'
		&& (failed != NULL || view_from_json(json_object_get(json, "now"), &row->now))
		&& (baseline == NULL || view_from_json(baseline, &row->baseline));
	if (fine)
		return row;
	backtest_row_free(row);
	return NULL;
}

/* ---- the file --------------------------------------------------------------------------- */

static char *key_of(const char *name, const char *digest)
{
	return g_strdup_printf("%s %s", digest, name);
}

/* A line that is not whole is the last one of a run that was killed. */
static void take_lines(BacktestState *state, const char *all, const char *key)
{
	g_auto(GStrv) lines = g_strsplit(all, "\n", -1);
	if (lines[0] == NULL || strcmp(lines[0], key) != 0)
		return;
	for (int i = 1; lines[i] != NULL; i++) {
		json_t *json = json_loads(lines[i], 0, NULL);
		MsBacktestRow *row = json_is_object(json) ? row_from_json(json) : NULL;
		if (row != NULL)
			g_hash_table_replace(state->done, key_of(row->name, row->digest), row);
		json_decref(json);
	}
}

/* Made anew from what counts of it, so that no half line is left in its middle. */
static bool write_all(BacktestState *state, const char *file, const char *key)
{
	GHashTableIter iter;
	gpointer row;
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	state->file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (state->file == NULL)
		return false;
	fprintf(state->file, "%s\n", key);
	g_hash_table_iter_init(&iter, state->done);
	while (g_hash_table_iter_next(&iter, NULL, &row))
		backtest_state_add(state, row);
	return fflush(state->file) == 0;
}

BacktestState *backtest_state_open(const char *file, const char *key, bool afresh, GError **error)
{
	BacktestState *state = g_new0(BacktestState, 1);
	g_autofree char *all = NULL;
	state->done = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, backtest_row_free);
	if (file == NULL)
		return state;
	if (!afresh && g_file_get_contents(file, &all, NULL, NULL))
		take_lines(state, all, key);
	if (write_all(state, file, key))
		return state;
	ms_fail_input(error, "%s: %s", file, g_strerror(errno));
	backtest_state_free(state);
	return NULL;
}

void backtest_state_free(BacktestState *state)
{
	if (state == NULL)
		return;
	if (state->file != NULL)
		fclose(state->file);
	g_hash_table_unref(state->done);
	g_free(state);
}

MsBacktestRow *backtest_state_take(BacktestState *state, const char *name, const char *digest)
{
	g_autofree char *key = key_of(name, digest);
	gpointer old = NULL, row = NULL;
	if (!g_hash_table_steal_extended(state->done, key, &old, &row))
		return NULL;
	g_free(old);
	return row;
}

bool backtest_state_add(BacktestState *state, const MsBacktestRow *row)
{
	if (state->file == NULL)
		return true;
	json_t *json = backtest_row_to_json(row, row->baseline.policies != NULL);
	bool fine = json_dumpf(json, state->file, JSON_COMPACT) == 0 &&
		fputc('\n', state->file) != EOF && fflush(state->file) == 0;
	json_decref(json);
	return fine;
}
