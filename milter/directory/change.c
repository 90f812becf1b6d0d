/*
 * Rows to be added and removed, or what goes from some slices, come in; out goes one change of the
 * mapping in use that has all of them, its new state among it, or none.  What is changed must be
 * whole, and nobody may have changed it meanwhile: then all is read and made anew.  From any
 * thread.
 */
#include "config.h"

#include <string.h>

#include "directory_private.h"

#define MAX_ATTEMPTS 50
#define MAX_OVERTAKEN 3 /* one after another */

typedef struct {
	MsDirectory *directory;
	MsRowChange *changes;
	guint n;
	/* entries of all rows; those of row i begin at starts[i] */
	GArray *entries; /* of MsEntry */
	GByteArray *room;
	GArray *starts; /* of guint */
	MsStrip *strip; /* instead of rows; or NULL */
} Job;

/* What is worked on: parts as they will be. */
typedef struct {
	MsView view;
	MsMapping *mapping;
	GHashTable *parts; /* MsPartId to GBytes: those that change */
	guint *overtaken;  /* so often what was read was older than what somebody here has seen */
	GError **error;
} Work;

static MsWanted wanted_of(const MsEntry *entry)
{
	MsWanted wanted = {.account = entry->account};
	memcpy(wanted.digest, entry->digest, sizeof wanted.digest);
	return wanted;
}

static MsPartId part_of(const MsMapping *mapping, const MsEntry *entry)
{
	return MS_PART(MS_PART_SLICE,
		entry->account ? ms_place_account(&mapping->places, entry->digest)
			       : ms_place_entry(&mapping->places, entry->digest));
}

static GBytes *part_now(const Work *w, MsPartId id)
{
	GBytes *changed = g_hash_table_lookup(w->parts, &id);
	return changed != NULL ? changed : ms_view_part(&w->view, id);
}

static void set_part(Work *w, MsPartId id, GBytes *data)
{
	g_hash_table_insert(w->parts, g_memdup2(&id, sizeof id), data);
}

/* ---- entries -------------------------------------------------------------------------- */

static MsRecord record_of(const Job *job, const MsEntry *entry)
{
	MsRecord record = {.said = job->room->data + entry->said, .said_len = entry->said_len};
	memcpy(record.key, entry->digest + MS_PLACE_BYTES, MS_ENTRY_KEY);
	memcpy(record.link, entry->link, MS_LINK_BYTES);
	return record;
}

static MsAnswer change_entry(
	const Job *job, Work *w, const MsEntry *entry, bool remove, bool *changed)
{
	const MsKeys *keys = &job->directory->keys;
	MsPartId id = part_of(w->mapping, entry);
	GBytes *now = part_now(w, id);
	if (now == NULL)
		return ms_directory_lost(w->error, id, MS_NOT_THERE);
	g_autoptr(MsSlice)
		whole = ms_slice_open(keys, w->mapping->generation, MS_PART_NUMBER(id), now);
	if (whole == NULL)
		return ms_directory_lost(w->error, id, MS_NOT_WHOLE);
	GBytes *data = g_bytes_ref(now);
	MsRecord record = record_of(job, entry);
	bool done = remove
		? ms_slice_remove(keys, w->mapping->generation, MS_PART_NUMBER(id), &data, &record)
		: ms_slice_put(keys, w->mapping->generation, MS_PART_NUMBER(id), &data, &record);
	*changed = done;
	if (done)
		set_part(w, id, data);
	else
		g_bytes_unref(data);
	return MS_FOUND;
}

/* Other forms come and go with their row's own entry. */
static MsAnswer change_row(const Job *job, Work *w, guint i, GArray *marks)
{
	MsRowChange *change = &job->changes[i];
	guint first = g_array_index(job->starts, guint, i),
	      end = g_array_index(job->starts, guint, i + 1);
	MsAnswer answer = change_entry(job, w, &g_array_index(job->entries, MsEntry, first),
		change->remove, &change->changed);
	for (guint k = first + 1; k < end && answer == MS_FOUND && change->changed; k++) {
		bool ignored;
		if (change->remove && g_array_index(job->entries, MsEntry, k).stays)
			continue;
		answer = change_entry(
			job, w, &g_array_index(job->entries, MsEntry, k), change->remove, &ignored);
	}
	if (answer != MS_FOUND || !change->changed)
		return answer;
	w->mapping->entries += change->remove ? -1 : 1;
	if (!change->remove)
		g_array_append_vals(marks, change->row->marks->data, change->row->marks->len);
	return MS_FOUND;
}

/* ---- groups and state ----------------------------------------------------------------- */

static MsAnswer fetch_groups(const Job *job, Work *w, MsView *groups)
{
	g_autoptr(GHashTable) asked = g_hash_table_new(NULL, NULL);
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(MsPartId));
	GHashTableIter iter;
	gpointer id;
	g_hash_table_iter_init(&iter, w->parts);
	while (g_hash_table_iter_next(&iter, &id, NULL)) {
		guint32 group = MS_PART_NUMBER(*(MsPartId *)id) / MS_GROUP;
		MsPartId wanted = MS_PART(MS_PART_GROUP, group);
		if (g_hash_table_add(asked, GUINT_TO_POINTER(group)))
			g_array_append_val(ids, wanted);
	}
	MsBackend *backend = job->directory->backend;
	return backend->ops->fetch(backend, w->mapping->generation,
		(const MsPartId *)(const void *)ids->data, ids->len, groups, w->error);
}

/* What was the fingerprint of a slice goes out of the sums, what is it comes in. */
static MsAnswer add_to_sums(Work *w, MsPartId slice, const MsView *groups)
{
	MsPartId id = MS_PART(MS_PART_GROUP, MS_PART_NUMBER(slice) / MS_GROUP);
	GBytes *now = g_hash_table_lookup(w->parts, &id);
	now = now != NULL ? now : ms_view_part(groups, id);
	if (now == NULL || g_bytes_get_size(now) != MS_FINGERPRINT)
		return ms_directory_lost(w->error, id, MS_NOT_THERE);
	MsFingerprint sum;
	memcpy(&sum, g_bytes_get_data(now, NULL), sizeof sum);
	GBytes *const versions[] = {
		ms_view_part(&w->view, slice), g_hash_table_lookup(w->parts, &slice)};
	for (gsize i = 0; i < G_N_ELEMENTS(versions); i++) {
		const guint8 *fingerprint = g_bytes_get_data(versions[i], NULL);
		ms_fingerprint_add(&sum, fingerprint);
		ms_fingerprint_add(&w->mapping->sum, fingerprint);
	}
	set_part(w, id, g_bytes_new(&sum, sizeof sum));
	return MS_FOUND;
}

/* MS_ABSENT: it has changed meanwhile. */
static MsAnswer update_sums(const Job *job, Work *w)
{
	if (g_hash_table_size(w->parts) == 0)
		return MS_FOUND;
	MsView groups;
	ms_view_init(&groups);
	groups.primary = true;
	MsAnswer answer = fetch_groups(job, w, &groups);
	if (answer == MS_FOUND && g_strcmp0(groups.state, w->view.state) != 0)
		answer = MS_ABSENT;
	guint n;
	g_autofree gpointer *slices = g_hash_table_get_keys_as_array(w->parts, &n);
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(MsPartId));
	for (guint i = 0; i < n; i++)
		g_array_append_vals(ids, slices[i], 1);
	for (guint i = 0; i < n && answer == MS_FOUND; i++)
		answer = add_to_sums(w, g_array_index(ids, MsPartId, i), &groups);
	ms_view_clear(&groups);
	return answer;
}

static void add_marks(const Job *job, Work *w, const GArray *marks)
{
	MsMapping *m = w->mapping;
	if (marks->len == 0)
		return;
	GBytes *list = ms_marks_seal(job->directory, m->generation, m->changes, marks);
	ms_fingerprint_add(&m->marks, g_bytes_get_data(list, NULL));
	set_part(w, MS_PART(MS_PART_MARKS, (guint32)m->changes), list);
	m->changes++;
}

/* ---- one attempt ---------------------------------------------------------------------- */

/* What is to be changed is read. */
static MsAnswer see(const Job *job, Work *w)
{
	MsBackend *backend = job->directory->backend;
	const MsStrip *strip = job->strip;
	if (strip != NULL)
		return backend->ops->fetch(
			backend, strip->generation, strip->slices, strip->n, &w->view, w->error);
	g_autoptr(GArray) wanted = g_array_new(FALSE, FALSE, sizeof(MsWanted));
	for (guint i = 0; i < job->entries->len; i++) {
		MsWanted one = wanted_of(&g_array_index(job->entries, MsEntry, i));
		g_array_append_val(wanted, one);
	}
	return backend->ops->look(backend, (const MsWanted *)(const void *)wanted->data,
		wanted->len, &w->view, w->error);
}

/* An older copy that has come back is not changed: versions would count up to those that are gone,
 * and it would look as new.  MS_ABSENT: a later one may have come between; to be read again. */
static MsAnswer check_newest(const Job *job, Work *w)
{
	MsDirectoryState state = {0};
	g_autoptr(GError) older = NULL;
	ms_directory_state_of(w->mapping, &state);
	MsAnswer answer = ms_directory_check_seen(job->directory, &state, &older);
	ms_directory_state_clear(&state);
	if (answer == MS_CONFIG && ++*w->overtaken < MAX_OVERTAKEN)
		return MS_ABSENT;
	if (answer == MS_FOUND)
		*w->overtaken = 0;
	else
		g_propagate_error(w->error, g_steal_pointer(&older));
	return answer;
}

/* Whoever changes it has seen what he made of it. */
static void note_seen(const Job *job, const MsMapping *mapping)
{
	MsDirectoryState state = {0};
	ms_directory_state_of(mapping, &state);
	ms_directory_check_seen(job->directory, &state, NULL);
	ms_directory_state_clear(&state);
}

static MsAnswer look(const Job *job, Work *w)
{
	MsAnswer answer = see(job, w);
	if (answer == MS_ABSENT || (answer == MS_FOUND && w->view.generation == NULL))
		return ms_directory_none(job->directory, w->error);
	if (answer != MS_FOUND)
		return answer;
	if (w->view.lost)
		return ms_directory_unfit(w->error,
			"a part of the mapping is lost; import it again (missent directory import)");
	if (job->strip != NULL && strcmp(w->view.generation, job->strip->generation) != 0) {
		g_set_error(w->error, MS_ERROR, MS_ERROR_BUSY, MS_ANOTHER_MEANWHILE);
		return MS_RETRY;
	}
	w->mapping = ms_view_mapping(job->directory, &w->view, w->error);
	if (w->mapping == NULL)
		return MS_CONFIG;
	answer = check_newest(job, w);
	if (answer != MS_FOUND)
		return answer;
	/* What goes, goes by its account. */
	return job->strip != NULL || ms_directory_kinds_fit(job->directory, w->mapping, w->error)
		? MS_FOUND : MS_CONFIG;
}

static MsAnswer swap(const Job *job, Work *w)
{
	g_autofree char *state = ms_mapping_write(w->mapping, &job->directory->keys);
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(MsPartId));
	g_autoptr(GPtrArray) data = g_ptr_array_new();
	GHashTableIter iter;
	gpointer id, bytes;
	g_hash_table_iter_init(&iter, w->parts);
	while (g_hash_table_iter_next(&iter, &id, &bytes)) {
		g_array_append_vals(ids, id, 1);
		g_ptr_array_add(data, bytes);
	}
	bool swapped = false;
	MsBackend *backend = job->directory->backend;
	MsAnswer answer = backend->ops->swap(backend, &w->view, state,
		(const MsPartId *)(const void *)ids->data, (GBytes *const *)data->pdata, ids->len,
		&swapped, w->error);
	return answer == MS_FOUND && !swapped ? MS_ABSENT : answer;
}

static MsAnswer strip_all(const Job *job, Work *w)
{
	MsStrip *strip = job->strip;
	strip->rows = 0;
	strip->version = w->mapping->version;
	for (guint i = 0; i < strip->n; i++) {
		MsPartId id = strip->slices[i];
		GBytes *now = ms_view_part(&w->view, id);
		if (now == NULL)
			return ms_directory_lost(w->error, id, MS_NOT_THERE);
		GBytes *data = g_bytes_ref(now);
		bool whole = ms_slice_strip(&job->directory->keys, w->mapping->generation,
			MS_PART_NUMBER(id), &data, strip->goes, strip->user, &strip->rows);
		if (whole && data != now)
			set_part(w, id, g_bytes_ref(data));
		g_bytes_unref(data);
		if (!whole)
			return ms_directory_lost(w->error, id, MS_NOT_WHOLE);
	}
	w->mapping->entries -= strip->rows;
	return MS_FOUND;
}

static MsAnswer change_all(const Job *job, Work *w)
{
	g_autoptr(GArray) marks = g_array_new(FALSE, FALSE, sizeof(MsMark));
	MsAnswer answer = job->strip != NULL ? strip_all(job, w) : MS_FOUND;
	for (guint i = 0; i < job->n && answer == MS_FOUND; i++)
		answer = change_row(job, w, i, marks);
	if (answer == MS_FOUND)
		answer = update_sums(job, w);
	if (answer == MS_FOUND)
		add_marks(job, w, marks);
	return answer;
}

typedef struct {
	const char *source, *before, *position;
	bool *moved;
} Position;

/* An empty mapping is one that was lost, for who asks it: all mail would wait. */
static MsAnswer refuse_empty(const Work *w, gint64 before)
{
	if (w->mapping->entries > 0 || before <= 0)
		return MS_FOUND;
	g_set_error(w->error, MS_ERROR, MS_ERROR_INPUT,
		"directory: nothing would be left of the mapping, and without one no mail is judged: "
		"nothing was changed; what is to come instead is imported (missent directory import)");
	return MS_CONFIG;
}

static MsAnswer attempt(const Job *job, const Position *p, guint *overtaken, GError **error)
{
	Work w = {.parts = g_hash_table_new_full(
			  g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)g_bytes_unref),
		.overtaken = overtaken,
		.error = error};
	ms_view_init(&w.view);
	w.view.primary = true;
	MsAnswer answer = look(job, &w);
	bool moved = answer == MS_FOUND && p->source != NULL
		&& g_strcmp0(g_hash_table_lookup(w.mapping->positions, p->source), p->before) != 0;
	gint64 before = answer == MS_FOUND ? w.mapping->entries : 0;
	if (answer == MS_FOUND && !moved)
		answer = change_all(job, &w);
	/* Who follows others does as they do. */
	if (answer == MS_FOUND && !moved && p->source == NULL)
		answer = refuse_empty(&w, before);
	if (answer == MS_FOUND && !moved && p->source != NULL)
		g_hash_table_insert(
			w.mapping->positions, g_strdup(p->source), g_strdup(p->position));
	if (answer == MS_FOUND && !moved && (g_hash_table_size(w.parts) > 0 || p->source != NULL)) {
		w.mapping->version++;
		answer = swap(job, &w);
		if (answer == MS_FOUND)
			note_seen(job, w.mapping);
	}
	if (moved)
		*p->moved = true;
	ms_mapping_free(w.mapping);
	ms_view_clear(&w.view);
	g_hash_table_unref(w.parts);
	return answer;
}

/* Until nobody else changes it meanwhile. */
static MsAnswer attempts(const Job *job, const Position *p, GError **error)
{
	guint overtaken = 0;
	for (int i = 0; i < MAX_ATTEMPTS; i++) {
		MsAnswer answer = attempt(job, p, &overtaken, error);
		if (answer != MS_ABSENT)
			return answer;
		if (i > 2) /* others change it, too */
			g_usleep((gulong)g_random_int_range(1000, 20000));
	}
	g_set_error(error, MS_ERROR, MS_ERROR_BUSY, "directory: others change it all the time");
	return MS_RETRY;
}

MsAnswer ms_directory_strip(MsDirectory *directory, MsStrip *strip, GError **error)
{
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(MsEntry));
	const Job job = {.directory = directory, .entries = entries, .strip = strip};
	const Position nowhere = {NULL, NULL, NULL, NULL};
	return attempts(&job, &nowhere, error);
}

MsAnswer ms_directory_apply(MsDirectory *directory, MsRowChange *changes, guint n,
	const char *source, const char *before, const char *position, bool *moved_out,
	GError **error)
{
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(MsEntry));
	g_autoptr(GByteArray) room = g_byte_array_new();
	g_autoptr(GArray) starts = g_array_new(FALSE, FALSE, sizeof(guint));
	for (guint i = 0; i < n; i++) {
		g_array_append_val(starts, entries->len);
		ms_row_entries(&directory->keys, changes[i].row, entries, room);
	}
	g_array_append_val(starts, entries->len);
	const Job job = {directory, changes, n, entries, room, starts, NULL};
	const Position p = {source, before, position, moved_out};
	return attempts(&job, &p, error);
}
