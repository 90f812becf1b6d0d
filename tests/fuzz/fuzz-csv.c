#include "config.h"

#include <sys/mman.h>
#include <unistd.h>

#include "../../milter/directory/csv.h"

#include "../test.h"
#include "fuzz.h"

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
	return 0;
}
