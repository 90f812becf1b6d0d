/*
 * Is a mapping whole?  Every slice is opened, and their fingerprints must give those of their
 * groups, and all groups that of the state; the same for the lists of marks.  So whatever was
 * lost, changed, moved or is older than the rest is found.  Each step reads one consistent view:
 * changes go on meanwhile.  One thread at a time.
 */
#include "config.h"

#include <string.h>

#include "directory_private.h"

#define LISTS_AT_ONCE 16

struct MsSweep {
	MsDirectory *directory;
	MsMapping *mapping; /* as it was at the beginning */
	MsSweepWrong wrong;
	MsSweepEntry entry;
	void *user;
	guint32 group; /* the next one */
	guint32 slice; /* whose entries are given */
	gint64 list;   /* the next one */
	MsFingerprint marks;
	bool summed, whole;
	bool primary; /* of one that is being written */
};

static MsMapping *copy_of(const MsMapping *from)
{
	MsMapping *m = ms_mapping_new();
	GHashTable *positions = m->positions, *kinds = m->kinds;
	*m = *from;
	m->positions = positions;
	m->kinds = kinds;
	m->generation = g_strdup(from->generation);
	m->source = g_strdup(from->source);
	return m;
}

MsSweep *ms_sweep_new(MsDirectory *directory, const MsMapping *mapping, MsSweepWrong wrong,
	MsSweepEntry entry, void *user)
{
	MsSweep *sweep = g_new0(MsSweep, 1);
	sweep->directory = directory;
	sweep->mapping = copy_of(mapping);
	sweep->wrong = wrong;
	sweep->entry = entry;
	sweep->user = user;
	sweep->whole = true;
	return sweep;
}

void ms_sweep_free(MsSweep *sweep)
{
	if (sweep == NULL)
		return;
	ms_mapping_free(sweep->mapping);
	g_free(sweep);
}

void ms_sweep_primary(MsSweep *sweep)
{
	sweep->primary = true;
}

void ms_sweep_accounts(MsSweep *sweep)
{
	sweep->group = sweep->mapping->places.slices / MS_GROUP;
	sweep->list = sweep->mapping->changes;
	sweep->summed = true;
}

guint32 ms_sweep_slice(const MsSweep *sweep)
{
	return sweep->slice;
}

guint32 ms_sweep_steps(const MsSweep *sweep)
{
	return ms_mapping_groups(&sweep->mapping->places) +
		(guint32)(sweep->mapping->changes / LISTS_AT_ONCE) + 2;
}

/* Something is wrong: told, or the end. */
static MsAnswer found_wrong(MsSweep *sweep, MsPartId id, const char *why, GError **error)
{
	sweep->whole = false;
	if (sweep->wrong == NULL)
		return ms_directory_lost(error, id, why);
	g_autofree char *name = id != 0 ? ms_part_name(id) : g_strdup("state");
	sweep->wrong(name, why, sweep->user);
	return MS_FOUND;
}

static MsAnswer fetch(MsSweep *sweep, const GArray *ids, MsView *view, GError **error)
{
	MsBackend *backend = sweep->directory->backend;
	view->primary = sweep->primary;
	MsAnswer answer = backend->ops->fetch(backend, sweep->mapping->generation,
		(const MsPartId *)(const void *)ids->data, ids->len, view, error);
	return answer;
}

/* ---- slices --------------------------------------------------------------------------- */

static void each_entry(const guint8 *key, const MsSaid *said, void *user)
{
	MsSweep *sweep = user;
	if (sweep->entry != NULL)
		sweep->entry(key, said, sweep->user);
}

/* NULL, or what is wrong with it. */
static const char *check_slice(MsSweep *sweep, guint32 number, GBytes *data)
{
	const MsKeys *keys = &sweep->directory->keys;
	g_autoptr(MsSlice) slice = ms_slice_open(keys, sweep->mapping->generation, number, data);
	if (slice == NULL)
		return MS_NOT_WHOLE;
	for (guint i = 1; i < slice->n; i++)
		if (memcmp(slice->keys + (gsize)(i - 1) * MS_ENTRY_KEY,
			    slice->keys + (gsize)i * MS_ENTRY_KEY, MS_ENTRY_KEY) > 0)
			return "has entries that are not in the order of their keys";
	sweep->slice = number;
	return ms_slice_each(keys, slice, each_entry, sweep);
}

static MsAnswer check_group(MsSweep *sweep, guint32 group, const MsView *view, guint32 first,
	guint32 end, GError **error)
{
	MsFingerprint sum = {{0}};
	MsAnswer answer = MS_FOUND;
	bool all = true;
	for (guint32 i = first; i < end && answer == MS_FOUND; i++) {
		MsPartId id = MS_PART(MS_PART_SLICE, i);
		GBytes *data = ms_view_part(view, id);
		const char *why = data != NULL ? check_slice(sweep, i, data) : MS_NOT_THERE;
		all = all && why == NULL;
		if (why != NULL)
			answer = found_wrong(sweep, id, why, error);
		else
			ms_fingerprint_add(&sum, g_bytes_get_data(data, NULL));
	}
	MsPartId id = MS_PART(MS_PART_GROUP, group);
	GBytes *said = ms_view_part(view, id);
	if (answer != MS_FOUND)
		return answer;
	if (said == NULL || g_bytes_get_size(said) != MS_FINGERPRINT)
		return found_wrong(
			sweep, id, said == NULL ? MS_NOT_THERE : "has not 16 bytes", error);
	if (all && memcmp(g_bytes_get_data(said, NULL), &sum, sizeof sum) != 0)
		return found_wrong(sweep, id,
			"is not the sum of its slices: one of them is older, or it is", error);
	return MS_FOUND;
}

static MsAnswer step_group(MsSweep *sweep, GError **error)
{
	guint32 group = sweep->group, first = group * MS_GROUP;
	guint32 end = MIN(first + MS_GROUP, ms_mapping_slices(&sweep->mapping->places));
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(MsPartId));
	MsPartId id = MS_PART(MS_PART_GROUP, group);
	g_array_append_val(ids, id);
	for (guint32 i = first; i < end; i++) {
		id = MS_PART(MS_PART_SLICE, i);
		g_array_append_val(ids, id);
	}
	MsView view;
	ms_view_init(&view);
	MsAnswer answer = fetch(sweep, ids, &view, error);
	if (answer == MS_FOUND)
		answer = check_group(sweep, group, &view, first, end, error);
	ms_view_clear(&view);
	sweep->group++;
	return answer;
}

/* ---- marks ---------------------------------------------------------------------------- */

static MsAnswer check_list(MsSweep *sweep, const MsView *view, MsPartId id, GError **error)
{
	GBytes *data = ms_view_part(view, id);
	if (data == NULL)
		return found_wrong(sweep, id, MS_NOT_THERE, error);
	gsize size, len;
	const guint8 *bytes = g_bytes_get_data(data, &size);
	g_autofree guint8 *marks = ms_part_open(
		&sweep->directory->keys, sweep->mapping->generation, id, bytes, size, 0, &len);
	if (marks == NULL)
		return found_wrong(sweep, id, MS_NOT_WHOLE, error);
	if (len % sizeof(MsMark) != 0)
		return found_wrong(sweep, id, "has no whole number of marks", error);
	ms_fingerprint_add(&sweep->marks, bytes);
	return MS_FOUND;
}

static MsAnswer step_marks(MsSweep *sweep, GError **error)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(MsPartId));
	for (gint64 i = 0; i < LISTS_AT_ONCE && sweep->list < sweep->mapping->changes; i++) {
		MsPartId id = MS_PART(MS_PART_MARKS, (guint32)sweep->list++);
		g_array_append_val(ids, id);
	}
	MsView view;
	ms_view_init(&view);
	MsAnswer answer = fetch(sweep, ids, &view, error);
	for (guint i = 0; i < ids->len && answer == MS_FOUND; i++)
		answer = check_list(sweep, &view, g_array_index(ids, MsPartId, i), error);
	ms_view_clear(&view);
	if (answer == MS_FOUND && sweep->whole && sweep->list == sweep->mapping->changes
		&& memcmp(&sweep->marks, &sweep->mapping->marks, sizeof sweep->marks) != 0)
		return found_wrong(sweep, 0,
			"has another sum of marks than the lists have: one of them is older",
			error);
	return answer;
}

/* ---- the sum of all ------------------------------------------------------------------- */

/* The state as it is now, or (of a generation that is written) as it was given. */
static MsAnswer compare_sum(
	MsSweep *sweep, const MsView *view, const MsFingerprint *sum, GError **error)
{
	const MsFingerprint *want = &sweep->mapping->sum;
	g_autoptr(MsMapping) now = NULL;
	const char *why = NULL;
	if (view->state != NULL) {
		now = ms_mapping_read(view->state, &sweep->directory->keys, &why);
		if (now == NULL)
			return found_wrong(sweep, 0, why, error);
		want = &now->sum;
	}
	return memcmp(want, sum, sizeof *sum) == 0
		? MS_FOUND
		: found_wrong(sweep, 0,
			  "has another sum than the groups have: some of them are older", error);
}

/* Who is told all that is wrong has heard of it. */
static MsAnswer group_missing(MsSweep *sweep, MsPartId gone, GError **error)
{
	return sweep->wrong != NULL
		? found_wrong(sweep, 0, "cannot be compared: groups are missing", error)
		: found_wrong(sweep, gone, MS_NOT_THERE, error);
}

static MsAnswer step_sum(MsSweep *sweep, GError **error)
{
	guint32 n = ms_mapping_groups(&sweep->mapping->places);
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(MsPartId));
	for (guint32 i = 0; i < n; i++) {
		MsPartId id = MS_PART(MS_PART_GROUP, i);
		g_array_append_val(ids, id);
	}
	MsView view;
	MsFingerprint sum = {{0}};
	ms_view_init(&view);
	MsAnswer answer = fetch(sweep, ids, &view, error);
	bool all = true;
	MsPartId gone = 0;
	for (guint32 i = 0; i < n && answer == MS_FOUND; i++) {
		GBytes *group = ms_view_part(&view, MS_PART(MS_PART_GROUP, i));
		if (group != NULL && g_bytes_get_size(group) == MS_FINGERPRINT) {
			ms_fingerprint_add(&sum, g_bytes_get_data(group, NULL));
		} else {
			gone = MS_PART(MS_PART_GROUP, i);
			all = false;
		}
	}
	if (answer == MS_FOUND)
		answer = all
			? compare_sum(sweep, &view, &sum, error)
			: group_missing(sweep, gone, error);
	ms_view_clear(&view);
	sweep->summed = true;
	return answer;
}

MsAnswer ms_sweep_step(MsSweep *sweep, bool *whole_out, GError **error)
{
	if (sweep->group < ms_mapping_groups(&sweep->mapping->places))
		return step_group(sweep, error);
	if (sweep->list < sweep->mapping->changes)
		return step_marks(sweep, error);
	if (!sweep->summed)
		return step_sum(sweep, error);
	*whole_out = sweep->whole;
	return MS_ABSENT;
}
