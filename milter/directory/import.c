#include "config.h"

#include <string.h>
#include <sys/stat.h>

#include "changes.h"
#include "csv.h"
#include "directory_private.h"
#include "spill.h"

/*
 * A file comes in, out goes a new generation that nobody reads until it was read back, found to be
 * whole, and taken into use in one step; whatever goes wrong before, the mapping in use is untouched.
 *
 * First all lines are read: their entries are put aside (spill.h), their marks are stored at once.
 * When their number is known, slices are made in the order of their places and stored one after the
 * other.  Memory does not grow with the file.  One thread.
 */

#define TELL_US (G_USEC_PER_SEC / 2)
#define MARKS_AT_ONCE 4096
#define SLICE_ENTRIES 32 /* aimed at: see missent-directory(7) */
#define NAME_BYTES 8     /* of a generation, random */

typedef struct {
	MsDirectory *directory;
	const MsImportOptions *options;
	MsImportResult *result;
	MsMapping *mapping;
	MsSpill *entries, *accounts; /* of who receives for an account */
	GArray *marks; /* of MsMark: not yet with the backend */
	GArray *row;   /* of MsEntry: of one row */
	GByteArray *room;
	/* what is being told */
	MsImportPhase phase;
	guint64 done, total;
	gint64 told;
	/* the slice that is being filled, and the group */
	guint32 slice;
	GArray *records; /* of MsRecord */
	GPtrArray *saids; /* what they say */
	MsFingerprint group;
	bool of_accounts;
	gint64 not_before; /* when the newest before was imported: clocks of hosts differ */
} Import;

static void bad(Import *import, guint64 line, const char *why)
{
	import->result->bad++;
	if (import->options->bad != NULL)
		import->options->bad(line, why, import->options->user);
}

static void tell(Import *import, bool now)
{
	const MsImportOptions *o = import->options;
	gint64 time = g_get_monotonic_time();
	if (o->progress == NULL || (!now && time - import->told < TELL_US))
		return;
	import->told = time;
	const MsImportProgress progress = {import->phase, import->result->lines, import->done, import->total};
	o->progress(&progress, o->user);
}

static void begin_phase(Import *import, MsImportPhase phase, guint64 total)
{
	import->phase = phase;
	import->done = 0;
	import->total = total;
	tell(import, true);
}

/* To be called all the time. */
static bool go_on(Import *import, GError **error)
{
	MsBackend *backend = import->directory->backend;
	tell(import, false);
	if (import->options->stop != NULL && *import->options->stop) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "stopped; the mapping in use is unchanged, and what was written "
			"is removed.  The same command begins anew");
		return false;
	}
	return import->options->dry_run || backend->ops->alive(backend, error);
}

/* ---- reading -------------------------------------------------------------------------- */

static bool store(Import *import, MsPartId id, GBytes *data, GError **error)
{
	MsBackend *backend = import->directory->backend;
	bool fine = backend->ops->store(backend, id, data, error);
	g_bytes_unref(data);
	return fine;
}

static bool add_marks(Import *import, guint at_least, GError **error)
{
	MsMapping *m = import->mapping;
	if (import->marks->len < at_least)
		return true;
	GBytes *list = ms_marks_seal(import->directory, m->generation, m->changes, import->marks);
	ms_fingerprint_add(&m->marks, g_bytes_get_data(list, NULL));
	g_array_set_size(import->marks, 0);
	return store(import, MS_PART(MS_PART_MARKS, (guint32)m->changes++), list, error);
}

static bool add(Import *import, const MsRowStored *row, GError **error)
{
	if (import->options->dry_run)
		return true;
	g_array_set_size(import->row, 0);
	g_byte_array_set_size(import->room, 0);
	ms_row_entries(&import->directory->keys, row, import->row, import->room);
	for (guint i = 0; i < import->row->len; i++) {
		const MsEntry *entry = &g_array_index(import->row, MsEntry, i);
		MsRecord record = {.said = import->room->data + entry->said, .said_len = entry->said_len};
		memcpy(record.link, entry->link, MS_LINK_BYTES);
		if (!ms_spill_add(entry->account ? import->accounts : import->entries, entry->digest, &record, error))
			return false;
	}
	g_array_append_vals(import->marks, row->marks->data, row->marks->len);
	return add_marks(import, MARKS_AT_ONCE, error);
}

/* False only when the world failed; a bad line is counted. */
static bool take_record(Import *import, const MsCsvRecord *record, GError **error)
{
	if (record->n != 3) {
		bad(import, record->line, "has not the three fields account,kind,value");
		return true;
	}
	const char *why;
	g_autoptr(MsRowStored) row = ms_row_new(import->directory, record->fields[0], record->fields[1],
		record->fields[2], strlen(record->fields[2]), &why);
	if (row == NULL) {
		bad(import, record->line, why);
		return true;
	}
	return add(import, row, error);
}

static bool take_all(Import *import, int fd, GError **error)
{
	struct stat st;
	begin_phase(import, MS_IMPORT_READ, fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? (guint64)st.st_size : 0);
	g_autoptr(MsCsv) csv = ms_csv_new(fd);
	MsCsvRecord record;
	for (;;) {
		switch (ms_csv_next(csv, &record)) {
		case MS_CSV_END: return true;
		case MS_CSV_FAILED:
			g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s", record.why);
			return false;
		case MS_CSV_BAD:
			import->result->lines++;
			bad(import, record.line, record.why);
			break;
		case MS_CSV_RECORD:
			if (ms_csv_is_heading(&record))
				break;
			import->result->lines++;
			if (!take_record(import, &record, error))
				return false;
		}
		import->done = ms_csv_bytes(csv);
		if (import->result->lines % 256 == 0 && !go_on(import, error))
			return false;
	}
}

/* ---- writing slices ------------------------------------------------------------------- */

static bool end_group(Import *import, GError **error)
{
	guint32 group = import->slice / MS_GROUP;
	GBytes *data = g_bytes_new(&import->group, sizeof import->group);
	for (int i = 0; i < MS_FINGERPRINT; i++)
		import->mapping->sum.bytes[i] ^= import->group.bytes[i];
	memset(&import->group, 0, sizeof import->group);
	return store(import, MS_PART(MS_PART_GROUP, group), data, error);
}

static bool end_slice(Import *import, GError **error)
{
	guint32 n = ms_mapping_slices(&import->mapping->places);
	GBytes *data = ms_slice_seal(&import->directory->keys, import->mapping->generation, import->slice,
		(const MsRecord *)(const void *)import->records->data, import->records->len);
	ms_fingerprint_add(&import->group, g_bytes_get_data(data, NULL));
	g_array_set_size(import->records, 0);
	g_ptr_array_set_size(import->saids, 0);
	if (!store(import, MS_PART(MS_PART_SLICE, import->slice), data, error))
		return false;
	bool last = import->slice + 1 == n || (import->slice + 1) % MS_GROUP == 0;
	if (last && !end_group(import, error))
		return false;
	import->slice++;
	import->done++;
	return !last || go_on(import, error);
}

/* Slices before `number` are full, or empty. */
static bool go_to(Import *import, guint32 number, GError **error)
{
	while (import->slice < number)
		if (!end_slice(import, error))
			return false;
	return true;
}

static gint by_key(gconstpointer a, gconstpointer b)
{
	return ms_record_compare(a, b);
}

static bool take_entry(const guint8 digest[MS_ENTRY_DIGEST], const MsRecord *record, void *user, GError **error)
{
	Import *import = user;
	const MsPlaces *places = &import->mapping->places;
	guint32 number = import->of_accounts ? ms_place_account(places, digest) : ms_place_entry(places, digest);
	if (number != import->slice) {
		g_array_sort(import->records, by_key);
		if (!go_to(import, number, error))
			return false;
	}
	MsRecord kept = *record;
	kept.said = g_memdup2(record->said, record->said_len);
	g_ptr_array_add(import->saids, (gpointer)kept.said);
	g_array_append_val(import->records, kept);
	const guint8 other_form = 0xff;
	import->result->entries += record->said[0] != other_form;
	return true;
}

static bool write_some(Import *import, MsSpill *spill, bool of_accounts, guint32 end, GError **error)
{
	import->of_accounts = of_accounts;
	if (!ms_spill_each(spill, take_entry, import, error))
		return false;
	g_array_sort(import->records, by_key);
	return go_to(import, end, error);
}

static guint32 slices_for(guint64 entries)
{
	return (guint32)CLAMP(entries / SLICE_ENTRIES, 1, MS_MAX_SLICES / 2);
}

static bool write_all(Import *import, GError **error)
{
	MsBackend *backend = import->directory->backend;
	MsPlaces *places = &import->mapping->places;
	*places = (MsPlaces){slices_for(ms_spill_count(import->entries)), slices_for(ms_spill_count(import->accounts))};
	begin_phase(import, MS_IMPORT_WRITE, ms_mapping_slices(places));
	/* Even of nothing there is a list: its number says that marks were made. */
	return (import->mapping->changes > 0 && import->marks->len == 0 ? true : add_marks(import, 0, error))
		&& write_some(import, import->entries, false, places->slices, error)
		&& write_some(import, import->accounts, true, ms_mapping_slices(places), error)
		&& backend->ops->settle(backend, error);
}

/* All that was written is read back before anybody else can. */
static bool prove(Import *import, GError **error)
{
	g_autoptr(MsSweep) sweep = ms_sweep_new(import->directory, import->mapping, NULL, NULL, NULL);
	ms_sweep_primary(sweep);
	begin_phase(import, MS_IMPORT_PROVE, ms_sweep_steps(sweep));
	bool whole = false;
	MsAnswer answer;
	while ((answer = ms_sweep_step(sweep, &whole, error)) == MS_FOUND) {
		import->done++;
		if (!go_on(import, error))
			return false;
	}
	return answer == MS_ABSENT;
}

/* ---- all of it ------------------------------------------------------------------------ */

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static bool refuse(GError **error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, MS_ERROR, MS_ERROR_INPUT, "%s; the mapping in use is unchanged", text);
	return false;
}

static bool enough_good(const Import *import, GError **error)
{
	const MsImportResult *r = import->result;
	const MsImportOptions *o = import->options;
	if (r->lines == 0 || r->lines == r->bad)
		return refuse(error, "no good line was found");
	if ((double)r->bad > o->max_bad * (double)r->lines)
		return refuse(error, "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
			" lines are bad, more than %.3g %% (--max-bad)", r->bad, r->lines,
			o->max_bad * 100);
	return true;
}

static bool not_too_few(const Import *import, GError **error)
{
	const MsImportResult *r = import->result;
	const MsImportOptions *o = import->options;
	if ((double)r->entries < (double)r->before * (1 - o->max_shrink))
		return refuse(error, "the mapping would shrink from %" G_GINT64_FORMAT " to %"
			G_GINT64_FORMAT " entries, by more than %.3g %% (--max-shrink)", r->before,
			r->entries, o->max_shrink * 100);
	return true;
}

static bool load(Import *import, int fd, GError **error)
{
	MsBackend *backend = import->directory->backend;
	if (!take_all(import, fd, error) || !enough_good(import, error))
		return false;
	if (import->options->dry_run)
		return true;
	if (!write_all(import, error))
		return false;
	MsMapping *m = import->mapping;
	m->entries = import->result->entries;
	m->loaded_us = MAX(g_get_real_time(), import->not_before + 1);
	if (!not_too_few(import, error) || !prove(import, error))
		return false;
	g_autofree char *state = ms_mapping_write(m, &import->directory->keys);
	return backend->ops->commit(backend, state, error);
}

/* What the one in use says of itself, fit for verdicts or not: how large it is, and how far the
 * sources of changes had come. */
static MsMapping *before_it(MsDirectory *directory)
{
	MsView view;
	ms_view_init(&view);
	view.primary = true;
	MsBackend *backend = directory->backend;
	MsMapping *mapping = backend->ops->look(backend, NULL, 0, &view, NULL) == MS_FOUND
		? ms_view_mapping(directory, &view, NULL) : NULL;
	ms_view_clear(&view);
	return mapping;
}

/* Whoever follows changes must know which of them the file has: going on from where the old mapping
 * was would lose those that came since the file was made. */
static bool take_positions(Import *import, const MsMapping *before, GError **error)
{
	const MsImportOptions *o = import->options;
	GHashTable *positions = import->mapping->positions;
	for (guint i = 0; o->positions != NULL && o->positions[i] != NULL; i++) {
		const char *equals = strchr(o->positions[i], '=');
		g_autofree char *name = g_strndup(o->positions[i], equals != NULL ? (gsize)(equals - o->positions[i]) : 0);
		if (equals == NULL || !ms_directory_source_valid(name) || !ms_change_id_valid(equals + 1))
			return refuse(error, "\"%s\" is no position (--position SOURCE=ID)", o->positions[i]);
		g_hash_table_insert(positions, g_steal_pointer(&name), g_strdup(equals + 1));
	}
	GHashTableIter iter;
	gpointer name;
	if (before == NULL || o->dry_run || o->forget_positions)
		return true;
	g_hash_table_iter_init(&iter, before->positions);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		if (!g_hash_table_contains(positions, name))
			return refuse(error, "this mapping follows the changes of \"%s\": say which of them the file has "
				"(--position %s=ID, the last one), or that they are followed no more (--forget-positions)",
				(char *)name, (char *)name);
	return true;
}

static void import_clear(Import *import)
{
	ms_mapping_free(import->mapping);
	ms_spill_free(import->entries);
	ms_spill_free(import->accounts);
	g_array_unref(import->marks);
	g_array_unref(import->row);
	g_byte_array_unref(import->room);
	g_array_unref(import->records);
	g_ptr_array_unref(import->saids);
}

static bool begin(Import *import, GError **error)
{
	MsBackend *backend = import->directory->backend;
	const char *note = NULL;
	if (import->options->dry_run)
		return true;
	import->entries = ms_spill_new(error);
	import->accounts = import->entries != NULL ? ms_spill_new(error) : NULL;
	if (import->accounts == NULL || !backend->ops->begin(backend, import->mapping->generation, &note, error))
		return false;
	if (note != NULL && import->options->note != NULL)
		import->options->note(note, import->options->user);
	return true;
}

bool ms_directory_import(MsDirectory *directory, int fd, const MsImportOptions *options,
	MsImportResult *result_out, GError **error)
{
	MsImportResult result = {0};
	MsBackend *backend = directory->backend;
	Import import = {
		.directory = directory,
		.options = options,
		.result = &result,
		.mapping = ms_mapping_new(),
		.marks = g_array_new(FALSE, FALSE, sizeof(MsMark)),
		.row = g_array_new(FALSE, FALSE, sizeof(MsEntry)),
		.room = g_byte_array_new(),
		.records = g_array_new(FALSE, FALSE, sizeof(MsRecord)),
		.saids = g_ptr_array_new_with_free_func(g_free),
	};
	/* A name that no generation had before, whatever the store has forgotten. */
	import.mapping->generation = ms_digest_random_name(NAME_BYTES);
	import.mapping->source = g_strdup(options->source);
	g_autoptr(MsMapping) before = before_it(directory);
	result.before = before != NULL ? before->entries : 0;
	import.not_before = MAX(before != NULL ? before->loaded_us : 0, ms_seen_newest(directory->seen));
	bool fine = take_positions(&import, before, error) && begin(&import, error);
	if (fine) {
		fine = load(&import, fd, error);
		if (!fine && !options->dry_run)
			backend->ops->abandon(backend);
	}
	import_clear(&import);
	*result_out = result;
	return fine;
}

bool ms_directory_tidy(MsDirectory *directory, bool *more_out, GError **error)
{
	return directory->backend->ops->tidy(directory->backend, more_out, error);
}
