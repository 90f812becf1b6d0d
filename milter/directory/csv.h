/* RFC 4180 records, with line numbers and bounds; also as spreadsheets and databases write them. */
#ifndef MISSENT_DIRECTORY_CSV_H
#define MISSENT_DIRECTORY_CSV_H

#include <glib.h>
#include <stdbool.h>

#define MS_CSV_MAX_RECORD 65536
#define MS_CSV_MAX_FIELDS 256

typedef struct MsCsv MsCsv;

/* UTF-8, with commas. */
MsCsv *ms_csv_new(int fd);
/* Of one record, not longer than MS_CSV_MAX_RECORD. */
MsCsv *ms_csv_of_line(const char *text, gsize len);
void ms_csv_free(MsCsv *csv);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsCsv, ms_csv_free)

/* ---- of any shape; to be called before the first record ------------------------------- */

/* What it is by its first bytes, where it is no table (static); NULL: it may be one. */
const char *ms_csv_no_table(MsCsv *csv);
extern const char ms_csv_ldif[], ms_csv_json[]; /* among them; entries.h */
/* The encoding that the beginning shows: UTF-8, UTF-16 or UTF-32, LE or BE; if it is none of them,
 * that in which its letters make the most sense, which is a guess.  Static. */
const char *ms_csv_find_encoding(MsCsv *csv);
/* False: nobody knows that encoding. */
bool ms_csv_set_encoding(MsCsv *csv, const char *encoding);
/* Of , ; TAB and |, the one with which the first records have the same number of fields. */
char ms_csv_find_delimiter(MsCsv *csv);
void ms_csv_set_delimiter(MsCsv *csv, char delimiter);

/* ---- records -------------------------------------------------------------------------- */

typedef enum { MS_CSV_RECORD, MS_CSV_BAD, MS_CSV_END, MS_CSV_FAILED } MsCsvResult;

typedef struct {
	guint64 line;  /* on which the record begins */
	guint n;
	const char *fields[MS_CSV_MAX_FIELDS]; /* good until the next call */
	const char *why; /* MS_CSV_BAD and MS_CSV_FAILED */
	bool unclosed; /* MS_CSV_BAD: a quote was opened, and what followed was swallowed */
	bool cut; /* the file ends with it, and not with a line end */
} MsCsvRecord;

/* Blank lines are passed over.  After MS_CSV_BAD the next call goes on behind the record. */
MsCsvResult ms_csv_next(MsCsv *csv, MsCsvRecord *record);

/* For those who read it as something else: the next byte, or -1; could all of it be read? */
int ms_csv_byte(MsCsv *csv);
bool ms_csv_failed(const MsCsv *csv);

/* How many of the file's bytes have been taken; of another encoding than UTF-8, about. */
guint64 ms_csv_bytes(const MsCsv *csv);
/* Where the next record begins.  False: that cannot be told. */
bool ms_csv_mark(const MsCsv *csv, guint64 *offset_out, guint64 *line_out);
/* Goes on there. */
bool ms_csv_seek(MsCsv *csv, guint64 offset, guint64 line);

#endif
