/* RFC 4180 records, with line numbers and bounds. */
#ifndef MISSENT_DIRECTORY_CSV_H
#define MISSENT_DIRECTORY_CSV_H

#include <glib.h>
#include <stdbool.h>

#define MS_CSV_MAX_RECORD 65536
#define MS_CSV_MAX_FIELDS 16

typedef struct MsCsv MsCsv;

MsCsv *ms_csv_new(int fd);
/* Of one record, not longer than MS_CSV_MAX_RECORD. */
MsCsv *ms_csv_of_line(const char *text, gsize len);
void ms_csv_free(MsCsv *csv);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsCsv, ms_csv_free)

typedef enum { MS_CSV_RECORD, MS_CSV_BAD, MS_CSV_END, MS_CSV_FAILED } MsCsvResult;

typedef struct {
	guint64 line;  /* on which the record begins */
	guint n;
	const char *fields[MS_CSV_MAX_FIELDS]; /* good until the next call */
	const char *why; /* MS_CSV_BAD and MS_CSV_FAILED */
} MsCsvRecord;

/* Blank lines are passed over.  After MS_CSV_BAD the next call goes on behind the record. */
MsCsvResult ms_csv_next(MsCsv *csv, MsCsvRecord *record);

/* The line that may stand first: account,kind,value. */
bool ms_csv_is_heading(const MsCsvRecord *record);
/* How many of the file's bytes have been taken. */
guint64 ms_csv_bytes(const MsCsv *csv);

#endif
