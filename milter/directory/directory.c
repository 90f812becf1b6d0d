#include "config.h"

#include <string.h>

#include "missent/text.h"

#include "backend.h"
#include "directory_private.h"
#include "keys.h"
#include "seen.h"

#define CANARY_KIND "canary"
#define CANARY_VALUE "missent"
#define CLOCKS_APART 60 /* seconds that clocks of two hosts may differ */

/* ---- opening -------------------------------------------------------------------------- */

MsDirectory *ms_directory_open(const MsDirectorySettings *settings, MsKinds *kinds, GError **error)
{
	g_autoptr(MsDirectory) directory = g_new0(MsDirectory, 1);
	directory->kinds = ms_kinds_ref(kinds);
	directory->keys.digests = settings->digests;
	directory->house = g_strdup(settings->house);
	directory->tag_separators = g_strdup(settings->tag_separators);
	ms_limits_judging(&directory->judging);
	if (settings->judging != NULL)
		directory->judging = *settings->judging;
	directory->max_age = settings->max_age_ms / 1000;
	directory->seen = ms_seen_new(settings->seen_file);
	if (settings->digests) {
		directory->keys.key = ms_key_load(settings->key_file, error);
		if (directory->keys.key == NULL)
			return NULL;
	}
	directory->backend = settings->backend == MS_BACKEND_REDIS
		? ms_backend_redis(settings, error)
		: ms_backend_sqlite(settings, error);
	return directory->backend != NULL ? g_steal_pointer(&directory) : NULL;
}

void ms_directory_free(MsDirectory *directory)
{
	if (directory == NULL)
		return;
	if (directory->backend != NULL)
		directory->backend->ops->close(directory->backend);
	ms_kinds_unref(directory->kinds);
	ms_key_free(directory->keys.key);
	ms_seen_free(directory->seen);
	g_free(directory->house);
	g_free(directory->tag_separators);
	g_free(directory);
}

void ms_directory_state_clear(MsDirectoryState *state)
{
	g_clear_pointer(&state->generation, g_free);
	g_clear_pointer(&state->source, g_free);
}

char *ms_state_loaded(const MsDirectoryState *state)
{
	return g_strdup_printf("%" G_GINT64_FORMAT ".%06d", state->loaded_us / G_USEC_PER_SEC,
		(int)(state->loaded_us % G_USEC_PER_SEC));
}

void ms_state_set_loaded(MsDirectoryState *state, const char *stored)
{
	char *end;
	state->loaded = CLAMP(g_ascii_strtoll(stored, &end, 10), 0, G_MAXINT64 / G_USEC_PER_SEC - 1);
	double fraction = *end == '.' ? g_ascii_strtod(end, NULL) : 0;
	state->loaded_us = state->loaded * G_USEC_PER_SEC + (gint64)(fraction * G_USEC_PER_SEC + 0.5);
}

GPtrArray *ms_lookup_values(MsLookup *lookup)
{
	GPtrArray *values = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(lookup->values, values);
	return values;
}

void ms_lookup_init(MsLookup *lookup)
{
	memset(lookup, 0, sizeof *lookup);
	lookup->room = G_MAXUINT64;
	lookup->values = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
	lookup->receivers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
		(GDestroyNotify)g_ptr_array_unref);
}

void ms_lookup_clear(MsLookup *lookup)
{
	ms_directory_state_clear(&lookup->state);
	g_ptr_array_unref(lookup->values);
	g_hash_table_unref(lookup->receivers);
}

/* ---- is it fit for use? --------------------------------------------------------------- */

char *ms_directory_canary(const MsDirectory *directory)
{
	return ms_keys_make(&directory->keys, 'c', CANARY_KIND, CANARY_VALUE);
}

MsAnswer ms_directory_unfit(GError **error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "directory: %s", text);
	return MS_CONFIG;
}

/* An empty, foreign or stale mapping answers "not found" to everything; that must not be
 * taken for knowledge. */
static MsAnswer check_age(const MsDirectory *directory, const MsDirectoryState *state, GError **error)
{
	gint64 newest;
	gint64 age = g_get_real_time() / G_USEC_PER_SEC - state->loaded;
	/* An age below nothing would never be too much. */
	if (directory->max_age > 0 && age < -CLOCKS_APART)
		return ms_directory_unfit(error, "it was loaded %" G_GINT64_FORMAT " s from now, so max-age cannot be told: the clock of the "
			"host that loaded it was ahead, or this one's is behind; set it, then import anew", -age);
	if (directory->max_age > 0 && age > directory->max_age)
		return ms_directory_unfit(error, "it was loaded %" G_GINT64_FORMAT " s ago, longer than max-age allows",
			age);
	if (ms_seen_check(directory->seen, state, &newest))
		return MS_FOUND;
	if (newest == state->loaded_us)
		return ms_directory_unfit(error, "entries that were added to it are gone: an older copy has come back; import it "
			"anew, or, if the older one is meant: missent directory accept");
	return ms_directory_unfit(error, "it was imported %.3f s before the one that was used here until now: an "
		"older copy has come back; import it anew, or, if the older one is meant: missent directory accept",
		(double)(newest - state->loaded_us) / G_USEC_PER_SEC);
}

static MsAnswer check_fit(const MsDirectory *directory, const MsDirectoryState *state,
	const GPtrArray *canary, GError **error)
{
	if (state->digests != directory->keys.digests)
		return ms_directory_unfit(error, "it was written with digests = %s, the configuration says %s",
			state->digests ? "yes" : "no", directory->keys.digests ? "yes" : "no");
	if (canary->len == 0)
		return ms_directory_unfit(error, "its canary is missing: it was made with another site key, or "
				    "entries were lost; import it anew");
	if (state->entries <= 0)
		return ms_directory_unfit(error, "it is empty");
	if (state->changes <= 0)
		return ms_directory_unfit(error, "it has no marks of its identifiers: an older missent, or another program, wrote "
				    "it; import it anew");
	return check_age(directory, state, error);
}

MsAnswer ms_directory_look_up(MsDirectory *directory, GPtrArray *keys, MsLookup *lookup, GError **error)
{
	MsBackend *backend = directory->backend;
	MsAnswer answer = backend->ops->lookup(backend, (const char *const *)keys->pdata, keys->len,
		lookup, error);
	if (answer == MS_ABSENT)
		return ms_directory_unfit(error, "nothing was ever imported (missent directory import FILE.csv)");
	if (answer != MS_FOUND)
		return answer;
	return check_fit(directory, &lookup->state, lookup->values->pdata[0], error);
}

MsAnswer ms_directory_state(MsDirectory *directory, MsDirectoryState *state_out, GError **error)
{
	MsLookup lookup;
	ms_lookup_init(&lookup);
	g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(keys, ms_directory_canary(directory));
	MsAnswer answer = ms_directory_look_up(directory, keys, &lookup, error);
	*state_out = lookup.state;
	memset(&lookup.state, 0, sizeof lookup.state);
	ms_lookup_clear(&lookup);
	return answer;
}

MsAnswer ms_directory_accept(MsDirectory *directory, GError **error)
{
	MsDirectoryState state = {0};
	g_autoptr(GError) unfit = NULL;
	MsAnswer answer = ms_directory_state(directory, &state, &unfit);
	if (state.generation == NULL)
		g_propagate_error(error, g_steal_pointer(&unfit));
	else
		answer = ms_seen_accept(directory->seen, &state, error) ? MS_FOUND : MS_CONFIG;
	ms_directory_state_clear(&state);
	return answer;
}

/* ---- single entries ------------------------------------------------------------------- */

typedef MsAnswer (*ChangeFunc)(MsBackend *backend, const MsRowKeys *row, bool *changed,
	GError **error);

static MsAnswer change(MsDirectory *directory, ChangeFunc func, const char *account,
	const char *kind, const char *value, bool *changed_out, GError **error)
{
	const char *why;
	g_autoptr(MsRowStored) row = ms_row_new(directory, account, kind, value, strlen(value), &why);
	if (row == NULL) {
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT, "%s \"%s\": %s", kind, value, why);
		return MS_CONFIG;
	}
	g_autofree char *marks = row->marks->len > 0 ? ms_marks_pack(directory, row->marks) : NULL;
	row->keys.marks = marks;
	MsAnswer answer = func(directory->backend, &row->keys, changed_out, error);
	if (answer == MS_ABSENT)
		return ms_directory_unfit(error, "nothing was ever imported; begin with missent directory import");
	return answer;
}

MsAnswer ms_directory_put(MsDirectory *directory, const char *account, const char *kind,
	const char *value, bool *changed_out, GError **error)
{
	return change(directory, directory->backend->ops->put, account, kind, value, changed_out,
		error);
}

MsAnswer ms_directory_delete(MsDirectory *directory, const char *account, const char *kind,
	const char *value, bool *changed_out, GError **error)
{
	return change(directory, directory->backend->ops->remove, account, kind, value, changed_out,
		error);
}

typedef struct {
	void (*row)(const char *account, const char *kind, const char *value, void *user);
	void *user;
} Export;

static void give_row(const char *key, const char *token, void *user)
{
	Export *out = user;
	const char *equals = strchr(key, '=');
	if (key[0] == 'd') {
		out->row(token, MS_ROW_RECEIVES_FOR, key + 2, out->user);
	} else if (key[0] != 'c' && key[0] != 'a' && equals != NULL) {
		g_autofree char *kind = g_strndup(key + 2, (gsize)(equals - key - 2));
		out->row(token, kind, equals + 1, out->user);
	}
}

MsAnswer ms_directory_each(MsDirectory *directory,
	void (*row)(const char *account, const char *kind, const char *value, void *user), void *user,
	GError **error)
{
	if (directory->keys.digests)
		return ms_directory_unfit(error, "it holds digests, from which no value can be had back; export works "
				    "only with digests = no");
	Export out = {row, user};
	return directory->backend->ops->each(directory->backend, give_row, &out, error);
}

typedef struct {
	MsDirectory *directory;
	GHashTable *tokens;  /* that were seen */
	GPtrArray *accounts; /* what they stand for */
} Accounts;

static void take_token(Accounts *out, const char *stored)
{
	g_autofree char *token = g_strndup(stored, strcspn(stored, (char[]){MS_TOKEN_END, '\0'}));
	if (g_hash_table_contains(out->tokens, token))
		return;
	char *account = ms_keys_account(&out->directory->keys, token);
	if (account != NULL)
		g_ptr_array_add(out->accounts, account);
	g_hash_table_add(out->tokens, g_steal_pointer(&token));
}

static void take_account(const char *key, const char *token, void *user)
{
	if (key[0] == 'c')
		return;
	take_token(user, token);
	if (key[0] == 'd')
		take_token(user, key + 2);
}

MsAnswer ms_directory_has_account(MsDirectory *directory, const char *account, char **near_out,
	GError **error)
{
	g_autoptr(GHashTable) tokens = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GPtrArray) accounts = g_ptr_array_new_with_free_func(g_free);
	Accounts out = {directory, tokens, accounts};
	MsAnswer answer = directory->backend->ops->each(directory->backend, take_account, &out, error);
	if (answer == MS_ABSENT)
		return ms_directory_unfit(error, "it is empty");
	if (answer != MS_FOUND)
		return answer;
	if (g_ptr_array_find_with_equal_func(accounts, account, g_str_equal, NULL))
		return MS_FOUND;
	g_ptr_array_add(accounts, NULL);
	*near_out = g_strdup(ms_text_nearest(account, (const char *const *)accounts->pdata));
	return MS_ABSENT;
}
