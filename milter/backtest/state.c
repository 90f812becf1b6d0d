/*
 * What was made of each message is written down line by line, so that who is stopped, by a person
 * or a crash, goes on: rows come in and come out of a file of JSON lines.  In memory is only where
 * each begins.  Threads of the batch come one at a time, under its lock.
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
	FILE *file;       /* NULL: nothing is written down */
	GHashTable *done; /* hash of digest and name to where its line begins */
};

/* ---- where it is ------------------------------------------------------------------------ */

static guint64 hash_of(const char *name, const char *digest)
{
	g_autofree char *both = g_strconcat(digest, " ", name, NULL);
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, both, -1);
	sum[16] = '\0';
	return g_ascii_strtoull(sum, NULL, 16);
}

static const char *word(const json_t *json, const char *key)
{
	const char *value = json_string_value(json_object_get(json, key));
	return value != NULL ? value : "";
}

static void note_line(BacktestState *state, const char *line, guint64 at)
{
	json_t *json = json_loads(line, 0, NULL);
	if (*word(json, "digest") != '\0') {
		guint64 hash = hash_of(word(json, "name"), word(json, "digest"));
		g_hash_table_replace(
			state->done, g_memdup2(&hash, sizeof hash), g_memdup2(&at, sizeof at));
	}
	json_decref(json);
}

/* Up to the last line that is whole: what follows it is of a run that was killed.  0: it is of
 * something else. */
static off_t take_lines(BacktestState *state, const char *key)
{
	char *line = NULL;
	size_t room = 0;
	off_t at = 0;
	ssize_t len = getline(&line, &room, state->file);
	if (len > 0 && line[len - 1] == '\n') {
		line[len - 1] = '\0';
		at = strcmp(line, key) == 0 ? len : 0;
	}
	while (at > 0 && (len = getline(&line, &room, state->file)) > 0 && line[len - 1] == '\n') {
		note_line(state, line, (guint64)at);
		at += len;
	}
	free(line);
	return at;
}

static bool begin(BacktestState *state, const char *file, const char *key, bool afresh)
{
	int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	state->file = fd >= 0 ? fdopen(fd, "r+") : NULL;
	if (state->file == NULL) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	off_t whole = afresh ? 0 : take_lines(state, key);
	if (fchmod(fd, 0600) != 0 || ftruncate(fd, whole) != 0 ||
		fseeko(state->file, 0, SEEK_END) != 0)
		return false;
	return whole > 0 || (fprintf(state->file, "%s\n", key) > 0 && fflush(state->file) == 0);
}

BacktestState *backtest_state_open(const char *file, const char *key, bool afresh, GError **error)
{
	BacktestState *state = g_new0(BacktestState, 1);
	state->done = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	if (file == NULL || begin(state, file, key, afresh))
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

/* ---- rows ------------------------------------------------------------------------------- */

static json_t *line_at(BacktestState *state, guint64 at)
{
	char *line = NULL;
	size_t room = 0;
	json_t *json = NULL;
	if (fseeko(state->file, (off_t)at, SEEK_SET) == 0 && getline(&line, &room, state->file) > 0)
		json = json_loads(line, 0, NULL);
	free(line);
	fseeko(state->file, 0, SEEK_END);
	return json;
}

gpointer backtest_state_take(
	BacktestState *state, const MsBatchFuncs *funcs, const MsBatchItem *item)
{
	if (g_hash_table_size(state->done) == 0)
		return NULL;
	g_autofree char *name = g_utf8_make_valid(item->name, -1);
	guint64 hash = hash_of(name, item->digest);
	const guint64 *at = g_hash_table_lookup(state->done, &hash);
	json_t *json = at != NULL ? line_at(state, *at) : NULL;
	bool same = strcmp(word(json, "name"), name) == 0 &&
		strcmp(word(json, "digest"), item->digest) == 0;
	gpointer row = same ? funcs->from_json(json, funcs->user) : NULL;
	json_decref(json);
	g_hash_table_remove(state->done, &hash);
	return row;
}

bool backtest_state_add(BacktestState *state, const MsBatchFuncs *funcs, gconstpointer row)
{
	if (state->file == NULL)
		return true;
	json_t *json = funcs->to_json(row, funcs->user);
	bool fine = json_dumpf(json, state->file, JSON_COMPACT) == 0 &&
		fputc('\n', state->file) != EOF && fflush(state->file) == 0;
	json_decref(json);
	return fine;
}
