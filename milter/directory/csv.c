#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "csv.h"

/*
 * libcsv would do, but it keeps no line numbers (a quoted field may hold line ends, so records
 * and lines differ), and a record without end grows without bound in it.
 */

struct MsCsv {
	int fd;
	char buffer[65536];
	gsize at, have;
	bool ended, failed;
	guint64 line, before; /* before: bytes of earlier buffers */
	GString *text; /* fields of the record, NUL after each */
};

MsCsv *ms_csv_new(int fd)
{
	MsCsv *csv = g_new0(MsCsv, 1);
	csv->fd = fd;
	csv->line = 1;
	csv->text = g_string_new(NULL);
	return csv;
}

MsCsv *ms_csv_of_line(const char *text, gsize len)
{
	MsCsv *csv = ms_csv_new(-1);
	csv->have = MIN(len, sizeof csv->buffer);
	memcpy(csv->buffer, text, csv->have);
	csv->ended = true;
	return csv;
}

void ms_csv_free(MsCsv *csv)
{
	if (csv == NULL)
		return;
	g_string_free(csv->text, TRUE);
	g_free(csv);
}

static bool fill(MsCsv *csv)
{
	if (csv->ended)
		return false;
	ssize_t n;
	csv->before += csv->have;
	do
		n = read(csv->fd, csv->buffer, sizeof csv->buffer);
	while (n < 0 && errno == EINTR);
	csv->at = 0;
	csv->have = n > 0 ? (gsize)n : 0;
	csv->ended = n <= 0;
	csv->failed = n < 0;
	return n > 0;
}

static int peek(MsCsv *csv)
{
	if (csv->at == csv->have && !fill(csv))
		return -1;
	return (guchar)csv->buffer[csv->at];
}

static int take(MsCsv *csv)
{
	int c = peek(csv);
	if (c >= 0)
		csv->at++;
	if (c == '\n')
		csv->line++;
	return c;
}

typedef struct {
	MsCsvRecord *record;
	gsize starts[MS_CSV_MAX_FIELDS];
	const char *why;
	bool blank;
} Build;

static void append(MsCsv *csv, Build *build, int c)
{
	if (c == 0)
		build->why = "contains a NUL byte";
	else if (csv->text->len >= MS_CSV_MAX_RECORD)
		build->why = "is longer than 65,536 bytes";
	if (build->why == NULL)
		g_string_append_c(csv->text, (char)c);
	build->blank = false;
}

/* After the opening quote; to the closing one. */
static void quoted(MsCsv *csv, Build *build)
{
	for (;;) {
		int c = take(csv);
		if (c < 0) {
			build->why = "has a quote that is never closed";
			return;
		}
		if (c == '"') {
			if (peek(csv) != '"')
				break;
			take(csv);
		}
		append(csv, build, c);
	}
	int next = peek(csv);
	if (next >= 0 && strchr(",\r\n", next) == NULL && build->why == NULL)
		build->why = "has text after a closing quote";
}

/* One field; returns what ended it: a comma, a line end or -1. */
static int field(MsCsv *csv, Build *build)
{
	if (peek(csv) == '"') {
		take(csv);
		build->blank = false;
		quoted(csv, build);
	}
	for (;;) {
		int c = take(csv);
		if (c == '\r' && peek(csv) == '\n')
			continue;
		if (c == ',' || c == '\n' || c < 0)
			return c;
		append(csv, build, c);
	}
}

static void skip_mark(MsCsv *csv)
{
	static const char mark[] = "\xef\xbb\xbf";
	if (csv->line == 1 && peek(csv) == 0xef && csv->have - csv->at >= 3
		&& memcmp(csv->buffer + csv->at, mark, 3) == 0)
		csv->at += 3;
}

static int one_record(MsCsv *csv, MsCsvRecord *record, Build *build)
{
	g_string_truncate(csv->text, 0);
	record->line = csv->line;
	record->n = 0;
	int end;
	do {
		if (record->n < MS_CSV_MAX_FIELDS)
			build->starts[record->n++] = csv->text->len;
		else
			build->why = "has more than 16 fields";
		end = field(csv, build);
		if (build->why == NULL)
			g_string_append_c(csv->text, '\0');
		build->blank = build->blank && end != ',';
	} while (end == ',');
	return end;
}

MsCsvResult ms_csv_next(MsCsv *csv, MsCsvRecord *record)
{
	if (csv->line == 1 && csv->have == 0 && peek(csv) >= 0)
		skip_mark(csv);
	for (;;) {
		Build build = {.record = record, .blank = true};
		int end = one_record(csv, record, &build);
		record->why = build.why;
		if (csv->failed) {
			record->why = "the file cannot be read";
			return MS_CSV_FAILED;
		}
		if (build.blank && end < 0)
			return MS_CSV_END;
		if (build.blank)
			continue;
		if (build.why != NULL)
			return MS_CSV_BAD;
		for (guint i = 0; i < record->n; i++)
			record->fields[i] = csv->text->str + build.starts[i];
		return MS_CSV_RECORD;
	}
}

guint64 ms_csv_bytes(const MsCsv *csv)
{
	return csv->before + csv->at;
}

bool ms_csv_is_heading(const MsCsvRecord *record)
{
	return record->line == 1 && record->n == 3 && strcmp(record->fields[0], "account") == 0
		&& strcmp(record->fields[1], "kind") == 0 && strcmp(record->fields[2], "value") == 0;
}
