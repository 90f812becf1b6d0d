/*
 * Bytes come in as a file for an import: CSV, an export of any shape, LDIF, JSON.
 */
#include "config.h"

#include <sys/mman.h>
#include <unistd.h>

#include "missent/directory.h"

#include "../../milter/directory/table.h"

#include "../test.h"
#include "fuzz.h"

/* What a line may be besides the kinds of identifiers. */
static bool is_built_in(const char *kind)
{
	return kind[0] == 'r' || strcmp(kind, MS_ROW_GREETED_AS) == 0;
}

/* Also as an export of any shape. */
static void read_table(const uint8_t *data, size_t len, const MsTableForm *form)
{
	static MsKinds *kinds;
	if (kinds == NULL)
		kinds = ms_kinds_parse(
			"kinds", "kind \"customer-number\" {\npattern = {\"[0-9]+\"}\n}\n", NULL);
	g_assert_nonnull(kinds);
	int fd = memfd_create("fuzz", 0);
	g_assert_cmpint(write(fd, data, len), ==, (gssize)len);
	lseek(fd, 0, SEEK_SET);
	g_autoptr(MsTable) table = ms_table_new(fd, form, kinds, NULL, NULL, NULL);
	MsTableRow row;
	MsTableResult result;
	while (table != NULL && (result = ms_table_next(table, &row, NULL)) != MS_TABLE_END &&
		result != MS_TABLE_FAILED)
		g_assert_true(result == MS_TABLE_ROW ? row.value != NULL &&
					(is_built_in(row.kind) ||
						ms_kinds_find(kinds, row.kind) != NULL)
						     : row.why != NULL);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	int fd = memfd_create("fuzz", 0);
	g_assert_cmpint(write(fd, data, len), ==, (gssize)len);
	lseek(fd, 0, SEEK_SET);
	g_autoptr(MsCsv) csv = ms_csv_new(fd);
	MsCsvRecord record;
	for (MsCsvResult r; (r = ms_csv_next(csv, &record)) != MS_CSV_END;) {
		g_assert_true(r == MS_CSV_RECORD || record.why != NULL);
		for (guint i = 0; r == MS_CSV_RECORD && i < record.n; i++)
			g_assert_cmpuint(strlen(record.fields[i]), <=, MS_CSV_MAX_RECORD);
	}
	close(fd);
	read_table(data, len, &(MsTableForm){0});
	read_table(data, len,
		&(MsTableForm){.map = "Mail=recipient,Nr=customer-number", .account = "Nr"});
	return 0;
}
