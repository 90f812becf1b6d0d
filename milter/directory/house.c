/*
 * What is the house's own: a small file of an operator comes in, rows go out that each import adds
 * to those of its own file; single rows of it are changed.  A billing system does not know them, so
 * a mapping that it replaces would lose them.  The thread that imports or changes.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/io.h"
#include "missent/reader.h"

#include "directory_private.h"
#include "house.h"

#define HEADING "account,kind,value\n"

static bool fail(const char *path, guint64 line, const char *why, GError **error)
{
	if (line == 0)
		return ms_fail_input(error, "%s: %s", path, why);
	return ms_fail_input(error, "%s:%" G_GUINT64_FORMAT ": %s", path, line, why);
}

bool ms_house_read(MsDirectory *directory, char **text_out, GError **error)
{
	g_autoptr(GError) why = NULL;
	*text_out = NULL;
	if (directory->house_file == NULL ||
		ms_io_contents(directory->house_file, text_out, NULL, &why))
		return true;
	if (g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOENT))
		return !directory->house_needed ||
			fail(directory->house_file, 0,
				"there is no such file, which house-file names: write it, first the line "
				"account,kind,value, or take house-file out", error);
	if (access(directory->house_file, R_OK) == 0)
		return fail(directory->house_file, 0, why->message, error);
	return fail(directory->house_file, 0, g_strerror(errno), error);
}

static bool take(MsDirectory *directory, const MsTableRow *row, MsTableResult result,
	MsHouseRow func, void *user, GError **error)
{
	const char *path = directory->house_file;
	if (result != MS_TABLE_ROW)
		return fail(path, row->line, row->why, error);
	if (strcmp(row->account, directory->house) == 0)
		return func(row, user, error);
	g_autofree char *why = g_strdup_printf("\"%s\" is not the house (account \"%s\"): this "
					       "file has what is your own alone",
		row->account, directory->house);
	return fail(path, row->line, why, error);
}

bool ms_house_each(
	MsDirectory *directory, const char *text, MsHouseRow func, void *user, GError **error)
{
	const MsTableForm form = {0};
	g_autoptr(MsTable) table = NULL;
	g_autoptr(GError) why = NULL;
	bool fine = true;
	if (text == NULL || *text == '\0')
		return true;
	int fd = ms_memory_of("missent-house", text, strlen(text));
	if (fd < 0 || lseek(fd, 0, SEEK_SET) != 0)
		fine = fail(directory->house_file, 0, g_strerror(errno), error);
	if (fine)
		table = ms_table_new(fd, &form, directory->kinds, NULL, NULL, &why);
	for (MsTableResult result; fine && table != NULL;) {
		MsTableRow row;
		result = ms_table_next(table, &row, &why);
		if (result == MS_TABLE_END || result == MS_TABLE_FAILED)
			break;
		fine = take(directory, &row, result, func, user, error);
	}
	if (fine && why != NULL)
		fine = fail(directory->house_file, 0, why->message, error);
	g_clear_pointer(&table, ms_table_free);
	if (fd >= 0)
		close(fd);
	return fine;
}

/* ---- changing it ----------------------------------------------------------------------- */

typedef struct {
	MsDirectory *directory;
	char *key; /* of the entry that is changed */
	bool remove, found;
	GString *out;
} Change;

static void append(GString *out, const char *text, char after)
{
	g_autoptr(GString) field = g_string_new(text);
	g_string_replace(field, "\"", "\"\"", 0);
	g_string_append_printf(out, "\"%s\"%c", field->str, after);
}

static void append_row(GString *out, const char *account, const char *kind, const char *value)
{
	append(out, account, ',');
	append(out, kind, ',');
	append(out, value, '\n');
}

static bool copy(const MsTableRow *row, void *user, GError **error)
{
	Change *change = user;
	const char *why;
	g_autofree char *key = ms_directory_key(change->directory, row->kind, row->value,
		strlen(row->value), false, &why);
	if (key == NULL)
		return fail(change->directory->house_file, row->line, why, error);
	bool same = strcmp(key, change->key) == 0;
	change->found = change->found || same;
	if (!same || !change->remove)
		append_row(change->out, row->account, row->kind, row->value);
	return true;
}

/* It stays whose it is, and readable by whom it is: missent's user reads it too. */
static bool put_in_place(const char *path, const GString *text)
{
	struct stat st;
	bool there = stat(path, &st) == 0;
	guint mode = there ? st.st_mode & 07777 : 0644;
	return ms_io_replace(path, text->str, text->len, mode, true) &&
		(!there || geteuid() != 0 || ms_io_give(path, st.st_uid, st.st_gid, mode));
}

bool ms_directory_change_house(MsDirectory *directory, bool remove, const char *kind,
	const char *value, bool *changed_out, GError **error)
{
	const char *why, *path = directory->house_file;
	g_autofree char *text = NULL;
	g_autofree char *key =
		ms_directory_key(directory, kind, value, strlen(value), false, &why);
	g_autoptr(GString) out = g_string_new(HEADING);
	Change change = {directory, key, remove, false, out};
	*changed_out = false;
	if (path == NULL)
		return true;
	if (key == NULL)
		return fail(path, 0, why, error);
	if ((g_file_test(path, G_FILE_TEST_EXISTS) && !ms_house_read(directory, &text, error)) ||
		!ms_house_each(directory, text, copy, &change, error))
		return false;
	if (change.found != remove)
		return true;
	if (!remove)
		append_row(out, directory->house, kind, value);
	*changed_out = put_in_place(path, out);
	return *changed_out || fail(path, 0, g_strerror(errno), error);
}

const char *ms_directory_house_file(const MsDirectory *directory)
{
	return directory->house_file;
}
