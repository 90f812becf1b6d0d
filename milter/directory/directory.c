/*
 * A directory is opened, for looking or for writing, and closed; single entries are asked for and
 * told.  Any thread, once it is open.
 */
#include "config.h"

#include <string.h>

#include "backend.h"
#include "directory_private.h"
#include "keys.h"
#include "seen.h"

/* ---- opening -------------------------------------------------------------------------- */

/* One for each place where a mapping is: who moves from one to another has not gone back in
 * time. */
static char *seen_file(const MsDirectorySettings *settings)
{
	if (settings->seen_file == NULL)
		return NULL;
	bool redis = settings->backend == MS_BACKEND_REDIS;
	g_autofree char *place = g_strconcat(redis ? "redis " : "sqlite ",
		redis ? settings->redis_prefix : settings->sqlite, NULL);
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, place, -1);
	return g_strdup_printf("%s-%.8s", settings->seen_file, sum);
}

MsDirectory *ms_directory_open(const MsDirectorySettings *settings, MsKinds *kinds, GError **error)
{
	g_autoptr(MsDirectory) directory = g_new0(MsDirectory, 1);
	directory->kinds = ms_kinds_ref(kinds);
	directory->keys.digests = settings->digests;
	directory->house = g_strdup(settings->house);
	directory->house_file = g_strdup(settings->house_file);
	directory->house_needed = settings->house_needed;
	directory->tag_separators = g_strdup(settings->tag_separators);
	ms_limits_judging(&directory->judging);
	if (settings->judging != NULL)
		directory->judging = *settings->judging;
	directory->max_age = settings->max_age_ms / 1000;
	g_autofree char *seen = seen_file(settings);
	directory->seen = ms_seen_new(seen);
	directory->import_file = seen != NULL ? g_strconcat(seen, ".import", NULL) : NULL;
	pthread_mutex_init(&directory->lock, NULL);
	if (settings->digests) {
		directory->keys.key = ms_key_load(settings->key_file, error);
		if (directory->keys.key == NULL)
			return NULL;
		ms_key_mapping(directory->keys.key, &directory->keys.parts);
	}
	directory->backend = settings->backend == MS_BACKEND_REDIS
		? ms_backend_redis(settings, error)
		: ms_backend_sqlite(settings, error);
	return directory->backend != NULL ? g_steal_pointer(&directory) : NULL;
}

void ms_directory_count_trip(MsDirectory *directory)
{
	__atomic_fetch_add(&directory->counts.round_trips, 1, __ATOMIC_RELAXED);
}

void ms_directory_count_answer(MsDirectory *directory, MsAnswer answer)
{
	MsDirectoryCounts *counts = &directory->counts;
	if (answer == MS_RETRY)
		__atomic_fetch_add(&counts->unreachable, 1, __ATOMIC_RELAXED);
	else if (answer == MS_CONFIG)
		__atomic_fetch_add(&counts->unfit, 1, __ATOMIC_RELAXED);
}

void ms_directory_counts(const MsDirectory *directory, MsDirectoryCounts *out)
{
	const MsDirectoryCounts *counts = &directory->counts;
	out->round_trips = __atomic_load_n(&counts->round_trips, __ATOMIC_RELAXED);
	out->unreachable = __atomic_load_n(&counts->unreachable, __ATOMIC_RELAXED);
	out->unfit = __atomic_load_n(&counts->unfit, __ATOMIC_RELAXED);
}

void ms_directory_free(MsDirectory *directory)
{
	if (directory == NULL)
		return;
	ms_directory_unwatch(directory);
	ms_names_unref(directory->names);
	if (directory->backend != NULL)
		directory->backend->ops->close(directory->backend);
	ms_kinds_unref(directory->kinds);
	ms_key_free(directory->keys.key);
	explicit_bzero(&directory->keys.parts, sizeof directory->keys.parts);
	ms_seen_free(directory->seen);
	pthread_mutex_destroy(&directory->lock);
	g_free(directory->import_file);
	g_free(directory->lost);
	g_free(directory->lost_why);
	g_free(directory->state);
	ms_mapping_free(directory->mapping);
	g_free(directory->house);
	g_free(directory->house_file);
	g_free(directory->tag_separators);
	g_free(directory);
}

void ms_directory_state_clear(MsDirectoryState *state)
{
	g_clear_pointer(&state->generation, g_free);
	g_clear_pointer(&state->source, g_free);
}

MsAnswer ms_directory_state(MsDirectory *directory, MsDirectoryState *state_out, GError **error)
{
	MsLookup lookup;
	ms_lookup_init(&lookup);
	/* Something is asked for, as for a message: that takes rights which a state does not. */
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(names, ms_keys_known_account(directory->house));
	MsAnswer answer = ms_directory_look_up(directory, names, &lookup, error);
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

static MsAnswer change(MsDirectory *directory, bool remove, const char *account, const char *kind,
	const char *value, bool *changed_out, GError **error)
{
	const char *why;
	g_autoptr(MsRowStored)
		row = ms_row_new(directory, account, kind, value, strlen(value), &why);
	if (row == NULL) {
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT, "%s \"%s\": %s", kind, value, why);
		return MS_CONFIG;
	}
	MsRowChange change = {row, remove, false};
	MsAnswer answer = ms_directory_apply(directory, &change, 1, NULL, NULL, NULL, NULL, error);
	*changed_out = change.changed;
	return answer;
}

MsAnswer ms_directory_put(MsDirectory *directory, const char *account, const char *kind,
	const char *value, bool *changed_out, GError **error)
{
	return change(directory, false, account, kind, value, changed_out, error);
}

MsAnswer ms_directory_delete(MsDirectory *directory, const char *account, const char *kind,
	const char *value, bool *changed_out, GError **error)
{
	return change(directory, true, account, kind, value, changed_out, error);
}

MsAnswer ms_directory_holders(MsDirectory *directory, const char *kind, const char *value,
	GPtrArray *accounts, GError **error)
{
	const char *why;
	g_autoptr(MsRowStored) row = ms_row_new(directory, "-", kind, value, strlen(value), &why);
	if (row == NULL) {
		ms_fail_input(error, "%s \"%s\": %s", kind, value, why);
		return MS_CONFIG;
	}
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_ptr_array_add(names, row->name);
	MsLookup lookup;
	ms_lookup_init(&lookup);
	MsAnswer answer = ms_directory_look_up(directory, names, &lookup, error);
	const GPtrArray *found = answer == MS_FOUND ? lookup.values->pdata[0] : NULL;
	for (guint i = 0; found != NULL && i < found->len; i++)
		g_ptr_array_add(accounts, g_strdup(found->pdata[i]));
	ms_lookup_clear(&lookup);
	return answer;
}
