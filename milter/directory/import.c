/*
 * A file comes in, out goes a new generation that nobody reads until it was read back, found to
 * be whole, and taken into use in one step; whatever goes wrong before, the mapping in use is
 * untouched.
 *
 * First all lines are read: their entries are put aside (spill.h), their marks are stored at once.
 * When their number is known, slices are made in the order of their places and stored one after the
 * other.  Memory does not grow with the file.  One thread.
 *
 * Of a file that can be read again it is written down now and then how far it has come
 * (progress.h): the next import of the same file goes on there, in the same generation.  What it
 * rests on may be gone by then; but all of it is read back before it is used.
 */
#include "config.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/io.h"

#include "changes.h"
#include "directory_private.h"
#include "house.h"
#include "lint.h"
#include "moved.h"
#include "progress.h"
#include "slip.h"
#include "spill.h"
#include "styles.h"

#define TELL_US (G_USEC_PER_SEC / 2)
#define KEEP_US (G_USEC_PER_SEC / 4) /* at least, from one time to write down to the next, and */
#define KEEP_SHARE 20                /* this share of the time that it has taken */
#define MARKS_AT_ONCE 4096
#define LINES_AT_ONCE 64
#define SLICE_ENTRIES 32 /* aimed at: see missent-directory(7) */
#define NAME_BYTES 8     /* of a generation, random */
#define PASSED_TOLD 20
#define ACCOUNTS_KEPT (1u << 20) /* that are known to be there: 8 bytes each */

/* Entries; those about accounts; what lint is told of accounts. */
enum { ENTRIES, ACCOUNTS, LINT };

typedef struct {
	MsDirectory *directory;
	const MsImportOptions *options;
	MsImportResult *result;
	MsMapping *mapping;
	MsTable *table;
	MsLint *lint; /* or NULL */
	MsSlip *slip; /* likewise */
	MsKindNumbers *numbers;
	MsMapping *before; /* the one in use; or NULL */
	MsMoved *moved;    /* beside it; or NULL */
	char *house;  /* what the file of the house has; or NULL */
	bool has_house; /* something is the house's */
	bool has_rows;  /* the file that is imported has some: what the house's file has is none */
	guint64 passed; /* lines that are no customer's */
	MsSpill *spills[MS_SPILLS];
	/* how far it has come; `path` NULL: is not kept */
	char *path, *paths[MS_SPILLS];
	guint8 recipe[MS_RECIPE];
	MsProgress *resumed; /* what is gone on with; or NULL */
	bool read;           /* all lines are */
	gint64 begun, kept;
	GArray *marks; /* of MsMark: not yet with the backend */
	MsStyles *styles;
	GArray *row;   /* of MsEntry: of one row */
	/* ACCOUNTS_KEPT: of accounts that were put aside; where another took the place, again */
	guint64 *known;
	guint32 line;  /* which it is of */
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

static void bad(Import *import, const MsTableRow *row, const char *why)
{
	g_autofree char *text = row->column != NULL && ms_account_problem(row->account) == NULL
		? g_strdup_printf("column \"%s\": %s", row->column, why) : NULL;
	ms_table_blame(import->table);
	if (import->options->bad != NULL)
		import->options->bad(row->line, text != NULL ? text : why, import->options->user);
}

/* In the number of a line: it is one of the house's own file, which `source` is not. */
#define OF_HOUSE ((guint32)1 << 31)

static guint32 line_of(const MsTableRow *given)
{
	return (guint32)MIN(given->line, OF_HOUSE - 1);
}

/* What is said of a line is said with the name of its file. */
static void tell_line(Import *import, guint64 line, const char *text,
	void (*told)(guint64 line, const char *text, void *user))
{
	void *user = import->options->user;
	if (line < OF_HOUSE) {
		told(line, text, user);
		return;
	}
	g_autofree char *with_place = g_strdup_printf("%s:%" G_GUINT64_FORMAT ": %s",
		import->directory->house_file, line - OF_HOUSE, text);
	told(0, with_place, user);
}

/* Of those whose warnings are counted elsewhere. */
static void warn_line(guint64 line, const char *text, void *user)
{
	Import *import = user;
	tell_line(import, line, text, import->options->warn);
}

static void warn_odd(guint64 line, const char *text, void *user)
{
	warn_line(line, text, user);
	((Import *)user)->result->warnings++;
}

/* Somebody may be called so, and has no mail address there. */
static void passed(Import *import, const MsTableRow *row)
{
	g_autofree char *text = g_strdup_printf("%s: it is taken for no customer%s", row->why,
		++import->passed == PASSED_TOLD ? ", and others that are so are not told" : "");
	if (import->options->warn != NULL && import->passed <= PASSED_TOLD)
		warn_odd(row->line, text, import);
}

static void note(const char *text, void *user)
{
	const Import *import = user;
	if (import->options->note != NULL)
		import->options->note(text, import->options->user);
}

static void tell(Import *import, bool now)
{
	const MsImportOptions *o = import->options;
	gint64 time = g_get_monotonic_time();
	if (o->progress == NULL || (!now && time - import->told < TELL_US))
		return;
	import->told = time;
	const MsImportProgress progress = {
		import->phase, import->result->lines, import->done, import->total};
	o->progress(&progress, o->user);
}

static void begin_phase(Import *import, MsImportPhase phase, guint64 total)
{
	import->phase = phase;
	import->done = 0;
	import->total = total;
	tell(import, true);
}

/* ---- how far it has come -------------------------------------------------------------- */

static void forget(Import *import)
{
	if (import->path == NULL)
		return;
	unlink(import->path);
	for (int i = 0; i < MS_SPILLS; i++)
		unlink(import->paths[i]);
}

static bool keep_now(Import *import, GError **error)
{
	const MsMapping *m = import->mapping;
	g_autoptr(MsProgress) p = ms_progress_new();
	if (!import->read && !ms_table_mark(import->table, &p->mark))
		return true;
	if (!import->directory->backend->ops->settle(import->directory->backend, error))
		return false;
	for (int i = 0; i < MS_SPILLS; i++)
		if (!ms_spill_save(import->spills[i], p->aside[i], error))
			return false;
	p->generation = g_strdup(m->generation);
	memcpy(p->recipe, import->recipe, MS_RECIPE);
	p->lists = m->changes;
	p->marks = m->marks;
	p->read = import->read;
	if (import->read) {
		p->mark.lines = import->result->lines;
		p->mark.bad = import->result->bad;
	}
	p->slices = import->slice;
	guint pending = import->marks->len;
	if (!import->read) /* whoever goes on reads the rest alone */
		ms_styles_add_marks(import->styles, import->marks);
	g_byte_array_append(p->pending, (const guint8 *)import->marks->data,
		import->marks->len * (guint)sizeof(MsMark));
	g_array_set_size(import->marks, pending);
	bool fine = ms_progress_write(p, import->path, &import->directory->keys, error);
	import->kept = g_get_monotonic_time();
	return fine;
}

/* Between two lines, or two groups: writes down how far it has come, when it is time. */
static bool keep(Import *import, GError **error)
{
	gint64 now = g_get_monotonic_time();
	if (import->path == NULL ||
		now - import->kept < MAX(KEEP_US, (now - import->begun) / KEEP_SHARE))
		return true;
	return keep_now(import, error);
}

/* To be called all the time where there is nothing to write down. */
static bool still(void *user, GError **error)
{
	Import *import = user;
	MsBackend *backend = import->directory->backend;
	tell(import, false);
	return import->options->dry_run || backend->ops->alive(backend, error);
}

/* To be called all the time, between two lines, or two groups. */
static bool go_on(Import *import, GError **error)
{
	MsBackend *backend = import->directory->backend;
	tell(import, false);
	if (import->options->stop != NULL && *import->options->stop) {
		bool kept = import->path != NULL && keep_now(import, NULL) &&
			g_file_test(import->path, G_FILE_TEST_EXISTS);
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
			"stopped; the mapping in use is unchanged%s",
			kept ? ".  The same command goes on from here"
			     : ", and what was written is removed.  The same command begins anew");
		return false;
	}
	if (import->options->dry_run)
		return true;
	return backend->ops->alive(backend, error) &&
		(import->phase == MS_IMPORT_PROVE || keep(import, error));
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

static bool put_aside(
	const char *account, const guint8 *said, gsize len, void *user, GError **error)
{
	Import *import = user;
	guint8 digest[MS_ENTRY_DIGEST];
	g_autofree char *name = ms_keys_of_account(account);
	ms_keys_digest(&import->directory->keys, name, digest);
	const MsRecord record = {.said = said, .said_len = len, .line = import->line};
	return ms_spill_add(import->spills[LINT], digest, &record, error);
}

/* That something is said of an account need not be put aside with each of its rows. */
static bool is_known(Import *import, const MsEntry *entry)
{
	guint64 key;
	memcpy(&key, entry->digest + MS_PLACE_BYTES, sizeof key);
	guint64 *kept = &import->known[key % ACCOUNTS_KEPT];
	bool known = entry->stays && *kept == key;
	if (entry->stays)
		*kept = key;
	return known;
}

static bool add(Import *import, const MsRowStored *row, const char *kind, guint16 written,
	GError **error)
{
	guint16 number = ms_kind_number(import->numbers, kind);
	g_array_set_size(import->row, 0);
	g_byte_array_set_size(import->room, 0);
	ms_row_entries(&import->directory->keys, row, import->row, import->room);
	for (guint i = 0; i < import->row->len; i++) {
		const MsEntry *entry = &g_array_index(import->row, MsEntry, i);
		MsRecord record = {.said = import->room->data + entry->said,
			.said_len = entry->said_len,
			.line = import->line,
			.kind = i == 0 ? number : entry->stays ? MS_KIND_ACCOUNT : MS_KIND_NONE,
			.written = i == 0 ? written : 0};
		memcpy(record.link, entry->link, MS_LINK_BYTES);
		if (is_known(import, entry))
			continue;
		if (!ms_spill_add(import->spills[entry->account ? ACCOUNTS : ENTRIES],
			    entry->digest, &record, error))
			return false;
	}
	if (import->options->dry_run)
		return true;
	const MsKind *known = ms_kinds_find(import->directory->kinds, kind);
	if (known != NULL)
		ms_styles_take(import->styles, known, strchr(row->name, '=') + 1);
	g_array_append_vals(import->marks, row->marks->data, row->marks->len);
	return add_marks(import, MARKS_AT_ONCE, error);
}

/* False only when the world failed; a bad line is counted. */
static bool take_row(Import *import, const MsTableRow *given, GError **error)
{
	const char *why;
	g_autoptr(MsRowStored) row = ms_row_new(import->directory, given->account, given->kind,
		given->value, strlen(given->value), &why);
	if (row == NULL) {
		bad(import, given, why);
		return true;
	}
	import->line = line_of(given);
	import->has_rows = true;
	import->has_house = import->has_house ||
		g_strcmp0(given->account, import->directory->house) == 0;
	if (import->lint != NULL) {
		ms_lint_row(import->lint, import->line, given->kind, given->value);
		ms_slip_row(import->slip, import->line, given->account, given->kind, given->value);
		if (!ms_lint_accounts_of(import->lint, given->account, given->kind, given->value,
			    put_aside, import, error))
			return false;
	}
	const MsKind *kind = ms_kinds_find(import->directory->kinds, given->kind);
	return add(import, row, given->kind, ms_lint_written(kind, given->value), error);
}

static bool take_rows(Import *import, GError **error)
{
	guint64 line = 0;
	for (;;) {
		MsTableRow row;
		MsTableResult result = ms_table_next(import->table, &row, error);
		import->result->lines = ms_table_lines(import->table);
		import->result->bad = ms_table_bad(import->table);
		if (result == MS_TABLE_END || result == MS_TABLE_FAILED)
			return result == MS_TABLE_END;
		if (result == MS_TABLE_PASSED)
			passed(import, &row);
		else if (result == MS_TABLE_BAD)
			bad(import, &row, row.why);
		else if (!take_row(import, &row, error))
			return false;
		import->done = ms_table_bytes(import->table);
		if (row.line - line < LINES_AT_ONCE)
			continue;
		line = row.line;
		if (!go_on(import, error))
			return false;
	}
}

/* Its mistakes are told with its own name; its lines are not those of the file that is imported. */
static bool take_house(const MsTableRow *given, void *user, GError **error)
{
	Import *import = user;
	const char *why;
	g_autoptr(MsRowStored) row = ms_row_new(import->directory, given->account, given->kind,
		given->value, strlen(given->value), &why);
	if (row == NULL)
		return ms_fail_input(error, "%s:%" G_GUINT64_FORMAT ": %s",
			import->directory->house_file, given->line, why);
	import->line = OF_HOUSE + line_of(given);
	import->has_house = true;
	if (import->lint != NULL &&
		!ms_lint_accounts_of(import->lint, given->account, given->kind, given->value,
			put_aside, import, error))
		return false;
	return add(import, row, given->kind, 0, error);
}

static bool take_all(Import *import, int fd, GError **error)
{
	struct stat st;
	const MsProgress *before = import->resumed;
	begin_phase(import, MS_IMPORT_READ,
		fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? (guint64)st.st_size : 0);
	import->table = ms_table_new(
		fd, &import->options->form, import->directory->kinds, note, import, error);
	if (import->table == NULL ||
		(before != NULL && !before->read && !ms_table_seek(import->table, &before->mark)))
		return false;
	if (before != NULL && before->read) {
		import->result->lines = before->mark.lines;
		import->result->bad = before->mark.bad;
	} else if (!take_rows(import, error) ||
		!ms_house_each(import->directory, import->house, take_house, import, error)) {
		return false;
	}
	/* What was gone on with has them already, if all of it was read. */
	if (!import->options->dry_run)
		ms_styles_add_marks(import->styles, import->marks);
	import->read = true;
	return true;
}

/* ---- writing slices ------------------------------------------------------------------- */

/* Slices and groups of before are there. */
static bool store_slice(Import *import, MsPartId id, GBytes *data, GError **error)
{
	if (import->resumed == NULL || import->slice >= import->resumed->slices)
		return store(import, id, data, error);
	g_bytes_unref(data);
	return true;
}

static bool end_group(Import *import, GError **error)
{
	guint32 group = import->slice / MS_GROUP;
	GBytes *data = g_bytes_new(&import->group, sizeof import->group);
	for (int i = 0; i < MS_FINGERPRINT; i++)
		import->mapping->sum.bytes[i] ^= import->group.bytes[i];
	memset(&import->group, 0, sizeof import->group);
	return store_slice(import, MS_PART(MS_PART_GROUP, group), data, error);
}

static bool end_slice(Import *import, GError **error)
{
	guint32 n = ms_mapping_slices(&import->mapping->places);
	GBytes *data = ms_slice_seal(&import->directory->keys, import->mapping->generation,
		import->slice, (const MsRecord *)(const void *)import->records->data,
		import->records->len);
	ms_fingerprint_add(&import->group, g_bytes_get_data(data, NULL));
	g_array_set_size(import->records, 0);
	g_ptr_array_set_size(import->saids, 0);
	if (!store_slice(import, MS_PART(MS_PART_SLICE, import->slice), data, error))
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

static const guint8 other_form = 0xff; /* what one says begins with it */

/* Entries come in the order of their digests, so that all that is said of one thing comes
 * together. */
static bool look_at(Import *import, const guint8 digest[MS_ENTRY_DIGEST], const MsRecord *record,
	GError **error)
{
	const guint8 *at = record->said;
	MsSaid said;
	import->result->entries += record->said[0] != other_form;
	if (import->lint != NULL && !import->of_accounts &&
		ms_said_read(&import->directory->keys, &at, record->said + record->said_len, &said))
		ms_lint_entry(import->lint, digest, &said, record);
	return import->moved == NULL ||
		ms_moved_take(import->moved, digest, record, import->of_accounts, error);
}

/* Of what is not written. */
static bool count_entry(
	const guint8 digest[MS_ENTRY_DIGEST], const MsRecord *record, void *user, GError **error)
{
	return look_at(user, digest, record, error);
}

static bool count_all(Import *import, GError **error)
{
	if (!ms_spill_each(import->spills[ENTRIES], count_entry, import, error))
		return false;
	import->of_accounts = true;
	return ms_spill_each(import->spills[ACCOUNTS], count_entry, import, error);
}

static bool lint_account(
	const guint8 digest[MS_ENTRY_DIGEST], const MsRecord *record, void *user, GError **error)
{
	(void)digest;
	(void)error;
	ms_lint_account(((Import *)user)->lint, record->said, record->said_len, record->line);
	return true;
}

/* The last of lint's warnings. */
static bool end_lint(Import *import, GError **error)
{
	if (import->lint == NULL)
		return true;
	if (!ms_spill_each(import->spills[LINT], lint_account, import, error))
		return false;
	ms_lint_end(import->lint);
	import->result->warnings += ms_lint_count(import->lint) + ms_slip_end(import->slip);
	return true;
}

static bool take_entry(
	const guint8 digest[MS_ENTRY_DIGEST], const MsRecord *record, void *user, GError **error)
{
	Import *import = user;
	const MsPlaces *places = &import->mapping->places;
	guint32 number = import->of_accounts ? ms_place_account(places, digest)
					     : ms_place_entry(places, digest);
	if (number != import->slice) {
		g_array_sort(import->records, by_key);
		if (!go_to(import, number, error))
			return false;
	}
	MsRecord kept = *record;
	kept.said = g_memdup2(record->said, record->said_len);
	g_ptr_array_add(import->saids, (gpointer)kept.said);
	g_array_append_val(import->records, kept);
	return look_at(import, digest, record, error);
}

static bool write_some(
	Import *import, MsSpill *spill, bool of_accounts, guint32 end, GError **error)
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
	*places = (MsPlaces){slices_for(ms_spill_count(import->spills[ENTRIES])),
		slices_for(ms_spill_count(import->spills[ACCOUNTS]))};
	begin_phase(import, MS_IMPORT_WRITE, ms_mapping_slices(places));
	/* Even of nothing there is a list: its number says that marks were made. */
	return (import->mapping->changes > 0 && import->marks->len == 0
			       ? true
			       : add_marks(import, 0, error)) &&
		write_some(import, import->spills[ENTRIES], false, places->slices, error) &&
		write_some(
			import, import->spills[ACCOUNTS], true, ms_mapping_slices(places), error) &&
		backend->ops->settle(backend, error);
}

/* All that was written is read back before anybody else can. */
static bool prove(Import *import, GError **error)
{
	g_autoptr(MsSweep)
		sweep = ms_sweep_new(import->directory, import->mapping, NULL, NULL, NULL);
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

/* One of the limits that an operator may set: somebody has to look at it. */
static bool refuse_limit(const Import *import, GError **error, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
static bool refuse_limit(const Import *import, GError **error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	import->result->refused = true;
	return refuse(error, "%s", text);
}

static bool enough_good(const Import *import, GError **error)
{
	const MsImportResult *r = import->result;
	const MsImportOptions *o = import->options;
	if (r->lines == 0)
		return refuse_limit(import, error, "no good line was found: it is empty, or has a heading alone");
	if (r->lines == r->bad)
		return refuse(error, "no good line was found%s",
			o->form.map != NULL ? ""
					    : "; a file with a line for each customer needs --map "
					      "'COLUMN=KIND,...' --account COLUMN");
	if ((double)r->bad > o->max_bad * (double)r->lines)
		return refuse_limit(import, error, "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
			" lines %s bad, more than %.3g %% (--max-bad)", r->bad, r->lines,
			r->bad == 1 ? "is" : "are", o->max_bad * 100);
	return true;
}

static bool not_too_few(const Import *import, GError **error)
{
	const MsImportResult *r = import->result;
	const MsImportOptions *o = import->options;
	/* of an empty one nothing is known: all mail would wait */
	if (r->entries == 0 || (!import->has_rows && import->resumed == NULL))
		return refuse_limit(import, error,
			"none of its %" G_GUINT64_FORMAT " lines says anything: the cells are empty", r->lines);
	if ((double)r->entries < (double)r->before * (1 - o->max_shrink))
		return refuse_limit(import, error, "the mapping would shrink from %" G_GINT64_FORMAT " to %"
			G_GINT64_FORMAT " %s, by more than %.3g %% (--max-shrink)", r->before,
			r->entries, r->entries == 1 ? "entry" : "entries", o->max_shrink * 100);
	return true;
}

static void tell_example(guint64 line, const char *text, void *user)
{
	Import *import = user;
	if (import->options->example != NULL)
		tell_line(import, line, text, import->options->example);
}

/* The classic accident: a column that was sorted, or slipped by a row.  All lines are good, nothing
 * shrinks, and each customer gets the mail of the next. */
static bool not_moved(Import *import, GError **error)
{
	const MsImportOptions *o = import->options;
	if (import->moved == NULL)
		return true;
	if (!ms_moved_end(import->moved, error))
		return false;
	g_autofree char *text = ms_moved_text(import->moved);
	g_autofree char *problem = ms_moved_problem(import->moved, o->max_moved);
	if (o->compared != NULL)
		o->compared(text, o->user);
	import->result->accepted = problem != NULL && o->accept_moved;
	if (o->warn != NULL)
		ms_moved_odd(import->moved, warn_odd, import);
	if (problem != NULL || o->dry_run)
		ms_moved_examples(import->moved, tell_example, import);
	if (problem == NULL || o->accept_moved)
		return true;
	return refuse_limit(import, error,
		"%s, more than %.3g %% (--max-moved; if it is meant so: --accept-moved --why TEXT)",
		problem, o->max_moved * 100);
}

/* Who had it, and has it no more, would see false alarms on nearly each mail. */
static void look_for_house(Import *import)
{
	const MsImportOptions *o = import->options;
	MsDirectory *directory = import->directory;
	if (o->warn == NULL || import->has_house || import->resumed != NULL ||
		directory->house == NULL ||
		ms_directory_has_account(directory, directory->house, NULL, NULL) != MS_FOUND)
		return;
	g_autofree char *text = g_strdup_printf(
		"nothing in it is your own (account \"%s\"), and the mapping in use has such: your numbers and "
		"addresses will be nobody's; keep them in %s (missent directory put %s KIND VALUE)",
		directory->house,
		directory->house_file != NULL ? directory->house_file : "the file",
		directory->house);
	o->warn(0, text, o->user);
	import->result->warnings++;
}

/* Of what an import goes on with; -1: none of that. */
static MsSpillPlace spill_place(Import *import, int which)
{
	return (MsSpillPlace){.keys = &import->directory->keys,
		.generation = import->mapping->generation,
		.kind = which >= 0 ? "EAL"[which] : '\0',
		.path = which >= 0 ? import->paths[which] : NULL,
		.alive = still,
		.user = import};
}

/* After it was found out whether the import goes on with another, whose generation it then has. */
static bool begin_moved(Import *import, GError **error)
{
	if (import->before == NULL)
		return true;
	const MsSpillPlace place = spill_place(import, -1);
	import->moved = ms_moved_new(
		import->directory, import->before, import->numbers, &place, error);
	return import->moved != NULL;
}

static bool load(Import *import, int fd, GError **error)
{
	MsBackend *backend = import->directory->backend;
	if (!begin_moved(import, error) || !take_all(import, fd, error) ||
		!enough_good(import, error))
		return false;
	look_for_house(import);
	if (import->options->dry_run)
		return count_all(import, error) && end_lint(import, error) &&
			not_too_few(import, error) && not_moved(import, error);
	if (!write_all(import, error))
		return false;
	MsMapping *m = import->mapping;
	m->entries = import->result->entries;
	m->loaded_us = MAX(g_get_real_time(), import->not_before + 1);
	if (!not_too_few(import, error) || !not_moved(import, error) ||
		!prove(import, error))
		return false;
	g_autofree char *state = ms_mapping_write(m, &import->directory->keys);
	return end_lint(import, error) && backend->ops->commit(backend, state, error);
}

/* What the one in use says of itself, fit for verdicts or not: how large it is, how far the sources
 * of changes had come, and where its entries are.  One that cannot be read any more is to be
 * replaced; one that cannot be asked now is not known to be none. */
static bool find_before(Import *import, GError **error)
{
	MsView view;
	ms_view_init(&view);
	view.primary = true;
	g_autoptr(GError) why = NULL;
	MsBackend *backend = import->directory->backend;
	MsAnswer answer = backend->ops->look(backend, NULL, 0, &view, &why);
	if (answer == MS_FOUND)
		import->before = ms_view_mapping(import->directory, &view, &why);
	ms_view_clear(&view);
	if (answer == MS_RETRY && !import->options->dry_run) {
		g_propagate_error(error, g_steal_pointer(&why));
		return false;
	}
	import->result->unasked = answer == MS_RETRY;
	if (answer != MS_ABSENT && import->before == NULL && why != NULL) {
		g_autofree char *text = g_strdup_printf("what has moved is not known: %s", why->message);
		note(text, import);
	}
	return true;
}

/* Whoever follows changes must know which of them the file has: going on from where the old mapping
 * was would lose those that came since the file was made. */
static bool take_positions(Import *import, GError **error)
{
	const MsMapping *before = import->before;
	const MsImportOptions *o = import->options;
	GHashTable *positions = import->mapping->positions;
	for (guint i = 0; o->positions != NULL && o->positions[i] != NULL; i++) {
		const char *equals = strchr(o->positions[i], '=');
		g_autofree char *name = g_strndup(
			o->positions[i], equals != NULL ? (gsize)(equals - o->positions[i]) : 0);
		if (equals == NULL || !ms_directory_source_valid(name) ||
			!ms_change_id_valid(equals + 1))
			return refuse(error, "\"%s\" is no position (--position SOURCE=ID)",
				o->positions[i]);
		g_hash_table_insert(positions, g_steal_pointer(&name), g_strdup(equals + 1));
	}
	GHashTableIter iter;
	gpointer name;
	if (before == NULL || o->dry_run || o->forget_positions)
		return true;
	g_hash_table_iter_init(&iter, before->positions);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		if (!g_hash_table_contains(positions, name))
			return refuse(error,
				"this mapping follows the changes of \"%s\": say which of them the file has "
				"(--position %s=ID, the last one), or that they are followed no more (--forget-positions)",
				(char *)name, (char *)name);
	return true;
}

static void import_clear(Import *import)
{
	ms_moved_free(import->moved);
	ms_mapping_free(import->before);
	ms_kind_numbers_free(import->numbers);
	ms_mapping_free(import->mapping);
	ms_table_free(import->table);
	ms_lint_free(import->lint);
	ms_slip_free(import->slip);
	for (int i = 0; i < MS_SPILLS; i++) {
		ms_spill_free(import->spills[i]);
		g_free(import->paths[i]);
	}
	ms_progress_free(import->resumed);
	g_free(import->path);
	g_free(import->house);
	g_array_unref(import->marks);
	ms_styles_free(import->styles);
	g_array_unref(import->row);
	g_free(import->known);
	g_byte_array_unref(import->room);
	g_array_unref(import->records);
	g_ptr_array_unref(import->saids);
}

/* ---- beginning, or going on ----------------------------------------------------------- */

/* What was stored before is still there; nobody else removes it while it is claimed. */
static bool is_there(Import *import, const MsProgress *p)
{
	MsBackend *backend = import->directory->backend;
	MsPartId ids[2];
	gsize n = 0;
	if (p->lists > 0)
		ids[n++] = MS_PART(MS_PART_MARKS, (guint32)(p->lists - 1));
	if (p->slices > 0)
		ids[n++] = MS_PART(MS_PART_SLICE, p->slices - 1);
	MsView view;
	ms_view_init(&view);
	view.primary = true;
	bool there = n == 0 ||
		backend->ops->fetch(backend, p->generation, ids, n, &view, NULL) == MS_FOUND;
	for (gsize i = 0; i < n && there; i++)
		there = ms_view_part(&view, ids[i]) != NULL;
	ms_view_clear(&view);
	return there;
}

static bool go_on_with(Import *import, MsProgress *p, GError **error)
{
	MsBackend *backend = import->directory->backend;
	const char *ignored = NULL;
	g_free(import->mapping->generation);
	import->mapping->generation = g_strdup(p->generation);
	for (int i = 0; i < MS_SPILLS; i++) {
		const MsSpillPlace place = spill_place(import, i);
		import->spills[i] = ms_spill_resume(&place, p->aside[i]->data, p->aside[i]->len);
		if (import->spills[i] == NULL)
			return false;
	}
	if (!backend->ops->begin(backend, p->generation, &ignored, error))
		return false;
	if (!is_there(import, p)) {
		backend->ops->abandon(backend);
		return false;
	}
	import->mapping->changes = p->lists;
	import->mapping->marks = p->marks;
	g_array_append_vals(
		import->marks, p->pending->data, p->pending->len / (guint)sizeof(MsMark));
	import->resumed = p;
	g_autofree char *text = p->read
		? g_strdup(
			  "an import of this file was cut off before; this one goes on with what that one had read")
		: g_strdup_printf(
			  "an import of this file was cut off before; this one goes on at line %" G_GUINT64_FORMAT,
			  p->mark.line);
	note(text, import);
	return true;
}

static bool begin_anew(Import *import, GError **error)
{
	MsBackend *backend = import->directory->backend;
	const char *found = NULL;
	/* A name that no generation had before, whatever the store has forgotten. */
	g_free(import->mapping->generation);
	import->mapping->generation = ms_digest_random_name(NAME_BYTES);
	/* Not before it is claimed: what lies there may be another's that is running. */
	if (!import->options->dry_run &&
		!backend->ops->begin(backend, import->mapping->generation, &found, error))
		return false;
	if (found != NULL)
		note(found, import);
	forget(import);
	bool fine = true;
	for (int i = 0; i < MS_SPILLS && fine; i++) {
		const MsSpillPlace place = spill_place(import, i);
		g_clear_pointer(&import->spills[i], ms_spill_free);
		import->spills[i] = ms_spill_new(&place, error);
		fine = import->spills[i] != NULL;
	}
	if (!fine && !import->options->dry_run)
		backend->ops->abandon(backend);
	return fine;
}

static void find_paths(Import *import, int fd)
{
	MsDirectory *directory = import->directory;
	const char *file = directory->import_file;
	if (file == NULL || import->options->dry_run ||
		!ms_progress_recipe(fd, &import->options->form, import->house, directory->kinds,
			&directory->keys, import->recipe))
		return;
	import->path = g_strdup(file);
	static const char *const ends[MS_SPILLS] = {".entries", ".accounts", ".lint"};
	for (int i = 0; i < MS_SPILLS; i++)
		import->paths[i] = g_strconcat(file, ends[i], NULL);
}

static bool begin(Import *import, int fd, GError **error)
{
	find_paths(import, fd);
	import->begun = import->kept = g_get_monotonic_time();
	g_autoptr(MsProgress) progress = import->path != NULL
		? ms_progress_read(import->path, &import->directory->keys, import->recipe) : NULL;
	g_autoptr(GError) why = NULL;
	if (progress != NULL && go_on_with(import, progress, &why)) {
		g_steal_pointer(&progress);
		return true;
	}
	if (g_error_matches(why, MS_ERROR, MS_ERROR_BUSY)) {
		g_propagate_error(error, g_steal_pointer(&why));
		return false;
	}
	return begin_anew(import, error);
}

/* Whoever failed for a reason that passes may go on; of the rest nothing is kept, least of all in a
 * memory or on a disk that is full: the guard writes there too, and without it no mail is judged.
 */
static void end_failed(Import *import, const GError *why)
{
	if (import->options->dry_run)
		return;
	import->result->kept = import->path != NULL &&
		g_error_matches(why, MS_ERROR, MS_ERROR_RETRY) &&
		ms_io_has_room(import->path, 0) && g_file_test(import->path, G_FILE_TEST_EXISTS);
	if (!import->result->kept)
		forget(import);
	import->directory->backend->ops->abandon(import->directory->backend);
}

static bool run(Import *import, int fd, GError **error)
{
	g_autoptr(GError) why = NULL;
	bool fine = load(import, fd, &why);
	if (fine)
		forget(import);
	else
		end_failed(import, why);
	if (why != NULL)
		g_propagate_error(error, g_steal_pointer(&why));
	return fine;
}

static void note_kinds(const MsKinds *kinds, MsMapping *mapping)
{
	for (guint i = 0; i < ms_kinds_count(kinds); i++) {
		const MsKind *kind = ms_kinds_nth(kinds, i);
		g_hash_table_insert(
			mapping->kinds, g_strdup(kind->name), ms_kind_kept_as(kind));
	}
}

bool ms_directory_import(MsDirectory *directory, int fd, const MsImportOptions *options,
	MsImportResult *result_out, GError **error)
{
	MsImportResult result = {0};
	Import import = {
		.directory = directory,
		.options = options,
		.result = &result,
		.mapping = ms_mapping_new(),
		.marks = g_array_new(FALSE, FALSE, sizeof(MsMark)),
		.styles = ms_styles_new(),
		.row = g_array_new(FALSE, FALSE, sizeof(MsEntry)),
		.numbers = ms_kind_numbers_new(directory->kinds),
		.known = g_new0(guint64, ACCOUNTS_KEPT),
		.room = g_byte_array_new(),
		.records = g_array_new(FALSE, FALSE, sizeof(MsRecord)),
		.saids = g_ptr_array_new_with_free_func(g_free),
	};
	import.mapping->source = g_strdup(options->source);
	note_kinds(directory->kinds, import.mapping);
	if (options->warn != NULL)
		import.slip = ms_slip_new(directory->kinds, warn_line, &import);
	if (options->warn != NULL)
		import.lint = ms_lint_new(directory->kinds, directory->house,
			options->many > 0 ? options->many : MS_LINT_MANY, warn_line, &import);
	bool fine = find_before(&import, error);
	const MsMapping *before = import.before;
	result.before = before != NULL ? before->entries : 0;
	import.not_before = MAX(
		before != NULL ? before->loaded_us : 0, ms_seen_newest(directory->seen));
	fine = fine && ms_house_read(directory, &import.house, error) &&
		take_positions(&import, error) && begin(&import, fd, error) &&
		run(&import, fd, error);
	import_clear(&import);
	/* Used or not, what was here before is old from now on. */
	MsDirectoryState now = {0};
	if (fine && !options->dry_run)
		ms_directory_state(directory, &now, NULL);
	ms_directory_state_clear(&now);
	*result_out = result;
	return fine;
}

bool ms_directory_tidy(MsDirectory *directory, bool *more_out, GError **error)
{
	return directory->backend->ops->tidy(directory->backend, more_out, error);
}
