/*
 * Numbers of slices come in, in ascending order, entries go out.  Several groups are read ahead at
 * once: where an import writes to the same SQLite file, each look at what is in use ends its batch.
 * What is held are these groups.  One thread.
 */
#include "config.h"

#include "before.h"

#define AHEAD 8 /* groups */

struct MsBefore {
	MsDirectory *directory;
	const MsMapping *mapping;
	MsView views[AHEAD];
	guint32 first, end; /* groups that are there */
	MsSlice *slice;
	GArray *entries; /* of MsBeforeEntry */
};

MsBefore *ms_before_new(MsDirectory *directory, const MsMapping *mapping)
{
	MsBefore *before = g_new0(MsBefore, 1);
	before->directory = directory;
	before->mapping = mapping;
	before->entries = g_array_new(FALSE, FALSE, sizeof(MsBeforeEntry));
	return before;
}

static void forget(MsBefore *before)
{
	for (guint32 i = before->first; i < before->end; i++)
		ms_view_clear(&before->views[i - before->first]);
	before->first = before->end = 0;
}

void ms_before_free(MsBefore *before)
{
	if (before == NULL)
		return;
	forget(before);
	ms_slice_free(before->slice);
	g_array_unref(before->entries);
	g_free(before);
}

static MsAnswer read_group(MsBefore *before, guint32 group, MsView *view, GError **error)
{
	guint32 first = group * MS_GROUP;
	guint32 end = MIN(first + MS_GROUP, ms_mapping_slices(&before->mapping->places));
	MsPartId ids[MS_GROUP];
	for (guint32 i = first; i < end; i++)
		ids[i - first] = MS_PART(MS_PART_SLICE, i);
	ms_view_init(view);
	view->primary = true;
	MsBackend *backend = before->directory->backend;
	return backend->ops->fetch(
		backend, before->mapping->generation, ids, end - first, view, error);
}

static MsAnswer read_ahead(MsBefore *before, guint32 group, GError **error)
{
	forget(before);
	guint32 end = MIN(group + AHEAD, ms_mapping_groups(&before->mapping->places));
	before->first = before->end = group;
	MsAnswer answer = MS_FOUND;
	while (before->end < end && answer == MS_FOUND) {
		MsView *view = &before->views[before->end++ - group];
		answer = read_group(before, before->end - 1, view, error);
	}
	return answer;
}

/* What its entries say, out of an opened slice; false: it has not the form of that. */
static bool take_entries(MsBefore *before)
{
	const MsSlice *slice = before->slice;
	const guint8 *at = slice->secret, *end = at + slice->secret_len;
	g_array_set_size(before->entries, 0);
	for (guint i = 0; i < slice->n; i++) {
		MsBeforeEntry entry = {.key = slice->keys + (gsize)i * MS_ENTRY_KEY};
		if (!ms_said_read(&before->directory->keys, &at, end, &entry.said))
			return false;
		g_array_append_val(before->entries, entry);
	}
	return true;
}

MsAnswer ms_before_slice(
	MsBefore *before, guint32 number, MsBeforeEntry **entries_out, guint *n_out, GError **error)
{
	guint32 group = number / MS_GROUP;
	MsPartId id = MS_PART(MS_PART_SLICE, number);
	MsAnswer answer = group >= before->first && group < before->end
		? MS_FOUND
		: read_ahead(before, group, error);
	if (answer != MS_FOUND)
		return answer;
	GBytes *data = ms_view_part(&before->views[group - before->first], id);
	if (data == NULL)
		return ms_directory_lost(error, id, MS_NOT_THERE);
	ms_slice_free(before->slice);
	before->slice = ms_slice_open(
		&before->directory->keys, before->mapping->generation, number, data);
	if (before->slice == NULL || !take_entries(before))
		return ms_directory_lost(error, id, MS_NOT_WHOLE);
	*entries_out = (MsBeforeEntry *)(void *)before->entries->data;
	*n_out = before->entries->len;
	return MS_FOUND;
}
