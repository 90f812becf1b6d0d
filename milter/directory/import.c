#include "config.h"

#include <string.h>
#include <sys/stat.h>

#include "csv.h"
#include "directory_private.h"

/*
 * A load goes to a new generation that nobody reads, and is taken into use in one step at the
 * end; whatever goes wrong before, the mapping in use is untouched.
 */

#define PROGRESS_EVERY 100000
#define MARKS_AT_ONCE 4096

typedef struct {
	MsDirectory *directory;
	const MsImportOptions *options;
	MsImportResult *result;
	GArray *marks; /* of MsMark: not yet with the backend */
	gint64 not_before; /* when the newest before was imported: clocks of hosts differ */
} Import;

static void bad(Import *import, guint64 line, const char *why)
{
	import->result->bad++;
	if (import->options->bad != NULL)
		import->options->bad(line, why, import->options->user);
}

static bool is_heading(const MsCsvRecord *record)
{
	return record->line == 1 && record->n == 3 && strcmp(record->fields[0], "account") == 0
		&& strcmp(record->fields[1], "kind") == 0 && strcmp(record->fields[2], "value") == 0;
}

static bool add_marks(Import *import, guint at_least, GError **error)
{
	MsBackend *backend = import->directory->backend;
	if (import->marks->len < at_least || import->options->dry_run)
		return true;
	g_autofree char *marks = ms_marks_pack(import->directory, import->marks);
	g_array_set_size(import->marks, 0);
	return backend->ops->add_marks(backend, marks, error);
}

static bool add(Import *import, const MsRowStored *row, GError **error)
{
	MsBackend *backend = import->directory->backend;
	if (import->options->dry_run)
		return true;
	if (!backend->ops->add(backend, row->keys.key, row->keys.token, error))
		return false;
	for (const char *const *other = row->keys.other_keys; *other != NULL; other++)
		if (!backend->ops->add(backend, *other, row->keys.other_token, error))
			return false;
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
			if (is_heading(&record))
				break;
			import->result->lines++;
			if (!take_record(import, &record, error))
				return false;
		}
		if (import->options->progress != NULL && import->result->lines % PROGRESS_EVERY == 0)
			import->options->progress(import->result->lines, import->options->user);
	}
}

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

static bool acceptable(const Import *import, GError **error)
{
	const MsImportResult *r = import->result;
	const MsImportOptions *o = import->options;
	if (r->lines == 0 || r->lines == r->bad)
		return refuse(error, "no good line was found");
	if ((double)r->bad > o->max_bad * (double)r->lines)
		return refuse(error, "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
			" lines are bad, more than %.3g %% (--max-bad)", r->bad, r->lines,
			o->max_bad * 100);
	if (!o->dry_run && (double)r->entries < (double)r->before * (1 - o->max_shrink))
		return refuse(error, "the mapping would shrink from %" G_GINT64_FORMAT " to %"
			G_GINT64_FORMAT " entries, by more than %.3g %% (--max-shrink)", r->before,
			r->entries, o->max_shrink * 100);
	return true;
}

static bool load(Import *import, int fd, GError **error)
{
	MsBackend *backend = import->directory->backend;
	if (!take_all(import, fd, error))
		return false;
	if (import->options->dry_run)
		return acceptable(import, error);
	/* Even of nothing there is a list: its number says that marks were made. */
	if (!add_marks(import, 0, error) || !backend->ops->finish(backend, &import->result->entries, error))
		return false;
	import->result->entries--; /* the canary is no entry */
	if (!acceptable(import, error))
		return false;
	MsDirectoryState state = {
		.source = (char *)import->options->source,
		.loaded_us = MAX(g_get_real_time(), import->not_before + 1),
		.entries = import->result->entries,
		.digests = import->directory->keys.digests,
	};
	return backend->ops->commit(backend, &state, error);
}

#define LINE_BYTES 30    /* of a usual one */
#define KEYS_A_LINE 2    /* its entry, and its other forms */
#define UNKNOWN 131072

/* About how many keys there will be: a guess from the size of the file, or from before. */
static gint64 expected(int fd, gint64 before)
{
	struct stat st;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return st.st_size / LINE_BYTES * KEYS_A_LINE;
	return before > 0 ? before * KEYS_A_LINE : UNKNOWN;
}

bool ms_directory_import(MsDirectory *directory, int fd, const MsImportOptions *options,
	MsImportResult *result_out, GError **error)
{
	MsImportResult result = {0};
	g_autoptr(GArray) marks = g_array_new(FALSE, FALSE, sizeof(MsMark));
	Import import = {.directory = directory, .options = options, .result = &result, .marks = marks};
	MsBackend *backend = directory->backend;
	MsDirectoryState state = {0};
	/* A mapping that is unfit for verdicts still says how large it is. */
	g_autoptr(GError) ignored = NULL;
	bool fit = ms_directory_state(directory, &state, &ignored) == MS_FOUND;
	result.before = state.entries;
	import.not_before = MAX(fit ? state.loaded_us : 0, ms_seen_newest(directory->seen));
	ms_directory_state_clear(&state);
	bool begun = options->dry_run || backend->ops->begin(backend, expected(fd, result.before), error);
	g_autofree char *canary = ms_directory_canary(directory);
	bool fine = begun && (options->dry_run || backend->ops->add(backend, canary, "canary", error))
		&& load(&import, fd, error);
	if (!fine && !options->dry_run)
		backend->ops->abandon(backend);
	*result_out = result;
	return fine;
}
