#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "missent/text.h"

#include "csv.h"

/*
 * Bytes come in, of any encoding that iconv knows, out go records of UTF-8.  Bounded by
 * MS_CSV_MAX_RECORD, whatever the file has.  One thread.
 *
 * libcsv would do, but it keeps no line numbers (a quoted field may hold line ends, so records
 * and lines differ), and a record without end grows without bound in it.
 */

#define RAW 16384 /* of another encoding at once; as UTF-8 it is at most three times as much */

struct MsCsv {
	int fd;
	char buffer[65536];
	gsize at, have;
	bool begun, ended, failed;
	char delimiter;
	guint64 line, before; /* before: bytes of earlier buffers */
	GString *text; /* fields of the record, NUL after each */
	GIConv conv;   /* to UTF-8; -1: it is */
	char raw[RAW];
	gsize raw_have;
	GBytes *back; /* to be read before anything else; or NULL */
	gsize back_at;
};

static const GIConv no_conv = (GIConv)-1;

MsCsv *ms_csv_new(int fd)
{
	MsCsv *csv = g_new0(MsCsv, 1);
	csv->fd = fd;
	csv->line = 1;
	csv->delimiter = ',';
	csv->conv = no_conv;
	csv->text = g_string_new(NULL);
	return csv;
}

MsCsv *ms_csv_of_line(const char *text, gsize len)
{
	MsCsv *csv = ms_csv_new(-1);
	csv->have = MIN(len, sizeof csv->buffer);
	memcpy(csv->buffer, text, csv->have);
	csv->begun = csv->ended = true;
	return csv;
}

void ms_csv_free(MsCsv *csv)
{
	if (csv == NULL)
		return;
	if (csv->conv != no_conv)
		g_iconv_close(csv->conv);
	if (csv->back != NULL)
		g_bytes_unref(csv->back);
	g_string_free(csv->text, TRUE);
	g_free(csv);
}

/* ---- bytes ---------------------------------------------------------------------------- */

static gsize take_back(MsCsv *csv, char *out, gsize len)
{
	gsize size;
	const char *data = csv->back != NULL ? g_bytes_get_data(csv->back, &size) : NULL;
	gsize n = data != NULL ? MIN(len, size - csv->back_at) : 0;
	if (n > 0)
		memcpy(out, data + csv->back_at, n);
	csv->back_at += n;
	return n;
}

/* Less than `len` only at the end. */
static gsize read_some(MsCsv *csv, char *out, gsize len)
{
	gsize have = take_back(csv, out, len);
	while (have < len && !csv->ended) {
		ssize_t n = read(csv->fd, out + have, len - have);
		if (n < 0 && errno == EINTR)
			continue;
		csv->ended = n <= 0;
		csv->failed = n < 0;
		have += n > 0 ? (gsize)n : 0;
	}
	return have;
}

/* What cannot be converted becomes a byte that UTF-8 does not have, so that its record is
 * refused. */
static void convert(MsCsv *csv)
{
	char *in = csv->raw, *out = csv->buffer;
	gsize left = csv->raw_have, room = sizeof csv->buffer;
	gsize back = csv->back != NULL ? g_bytes_get_size(csv->back) : 0;
	while (left > 0 && g_iconv(csv->conv, &in, &left, &out, &room) == (gsize)-1) {
		if (errno == EINVAL && (!csv->ended || csv->back_at < back))
			break;
		if (errno == E2BIG || room == 0)
			break;
		*out++ = (char)0xff;
		room--;
		in++;
		left--;
	}
	memmove(csv->raw, in, left);
	csv->raw_have = left;
	csv->have = sizeof csv->buffer - room;
}

static bool has_back(const MsCsv *csv)
{
	return csv->back != NULL && csv->back_at < g_bytes_get_size(csv->back);
}

static bool fill(MsCsv *csv)
{
	csv->before += csv->have;
	csv->at = csv->have = 0;
	csv->begun = true;
	if (csv->conv == no_conv) {
		csv->have = read_some(csv, csv->buffer, sizeof csv->buffer);
		return csv->have > 0;
	}
	while (csv->have == 0 && (!csv->ended || csv->raw_have > 0 || has_back(csv))) {
		csv->raw_have += read_some(csv, csv->raw + csv->raw_have, RAW - csv->raw_have);
		convert(csv);
	}
	return csv->have > 0;
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

/* ---- what it is ----------------------------------------------------------------------- */

static const char *by_zeros(const char *text, gsize len)
{
	gsize even = 0, odd = 0;
	for (gsize i = 0; i + 1 < len; i += 2) {
		even += text[i] == 0;
		odd += text[i + 1] == 0;
	}
	if (odd > len / 8 && even * 8 < odd)
		return "UTF-16LE";
	return even > len / 8 && odd * 8 < even ? "UTF-16BE" : NULL;
}

/* Signs that the next word of one encoding is in another. */
static bool is_letter_of_words(gunichar c, gunichar before)
{
	static const char letters[] =
		"\u00e0\u00e1\u00e2\u00e4\u00e3\u00e5\u00e6\u00e7\u00e9\u00e8\u00ea\u00eb\u00ed"
		"\u00ec\u00ee\u00ef\u00f1\u00f3\u00f2\u00f4\u00f6\u00f5\u00f8\u0153\u00fa\u00f9"
		"\u00fb\u00fc\u00fd\u00ff\u00df\u0142\u017c\u0105\u015b\u017a\u0119\u0107\u0144"
		"\u010d\u011b\u0159\u0161\u016f\u017e\u0165\u010f\u0148\u0151\u0171";
	return g_utf8_strchr(letters, -1, g_unichar_tolower(c)) != NULL &&
		(!g_unichar_isupper(c) || !g_unichar_islower(before));
}

/* How many letters outside ASCII are within words, less the signs that are: around words there
 * may be any. */
static gssize letters_as(const MsCsv *csv, const char *encoding)
{
	gssize score = 0;
	gunichar before = 0;
	g_autofree char *text = g_convert_with_fallback(
		csv->buffer, (gssize)csv->have, "UTF-8", encoding, "?", NULL, NULL, NULL);
	for (const char *p = text; p != NULL && *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);
		const char *next = g_utf8_next_char(p);
		bool within = before < 0x80 && g_ascii_isalpha((char)before) &&
			g_ascii_isalpha(*next);
		bool begins = g_unichar_isupper(c) && !g_unichar_isalpha(before) &&
			g_ascii_islower(*next);
		if (c >= 0x80 && (within || begins))
			score += is_letter_of_words(c, before) ? 1 : -1;
		before = c;
	}
	return text != NULL ? score : -(gssize)csv->have;
}

/* Of two in which it makes the same sense the first. */
static const char *by_letters(const MsCsv *csv)
{
	static const char *const encodings[] = {"windows-1252", "macintosh", "CP850", "windows-1250"};
	const char *best = encodings[0];
	gssize most = letters_as(csv, best);
	for (gsize i = 1; i < G_N_ELEMENTS(encodings); i++) {
		gssize score = letters_as(csv, encodings[i]);
		if (score > most)
			best = encodings[i];
		most = MAX(score, most);
	}
	return best;
}

const char *ms_csv_find_encoding(MsCsv *csv)
{
	const char *end;
	if (!csv->begun)
		fill(csv);
	if (csv->have >= 4 && memcmp(csv->buffer, "\xff\xfe\0\0", 4) == 0)
		return "UTF-32LE";
	if (csv->have >= 4 && memcmp(csv->buffer, "\0\0\xfe\xff", 4) == 0)
		return "UTF-32BE";
	if (csv->have >= 2 && memcmp(csv->buffer, "\xff\xfe", 2) == 0)
		return "UTF-16LE";
	if (csv->have >= 2 && memcmp(csv->buffer, "\xfe\xff", 2) == 0)
		return "UTF-16BE";
	const char *wide = by_zeros(csv->buffer, csv->have);
	if (wide != NULL)
		return wide;
	bool zero = memchr(csv->buffer, 0, csv->have) != NULL;
	/* The last character may be cut. */
	if (zero || g_utf8_validate_len(csv->buffer, csv->have, &end)
		|| (!csv->ended && csv->buffer + csv->have - end < 4))
		return "UTF-8";
	return by_letters(csv);
}

const char *ms_csv_no_table(MsCsv *csv)
{
	static const struct {
		const char *begins, *what;
	} rows[] = {{"PK\3\4", "a spreadsheet, or another archive (ZIP)"},
		{"\xd0\xcf\x11\xe0", "a spreadsheet of an old form (OLE)"}, {"%PDF-", "a PDF"},
		{"\x1f\x8b", "packed (gzip): unpack it"}, {"{\\rtf", "a text document (RTF)"},
		{"<?xml", "XML"}, {"<!DOCTYPE", "a web page"}, {"<html", "a web page"},
		{"<HTML", "a web page"}, {"SQLite format 3", "a database (SQLite)"}, {"<", "XML"}, {"[{", "JSON"}, {"[\n", "JSON"},
		{"{\"", "JSON"}, {"{\n", "JSON"},
		{"+--", "a table that is drawn (mysql --batch draws none)"}};
	if (!csv->begun)
		fill(csv);
	gsize at = csv->have >= 3 && memcmp(csv->buffer, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		gsize len = strlen(rows[i].begins);
		if (csv->have - at >= len && memcmp(csv->buffer + at, rows[i].begins, len) == 0)
			return rows[i].what;
	}
	return NULL;
}

bool ms_csv_set_encoding(MsCsv *csv, const char *encoding)
{
	if (g_ascii_strcasecmp(encoding, "UTF-8") == 0 || g_ascii_strcasecmp(encoding, "UTF8") == 0)
		return true;
	csv->conv = g_iconv_open("UTF-8", encoding);
	if (csv->conv == no_conv)
		return false;
	/* What was looked at is read again. */
	csv->back = g_bytes_new(csv->buffer, csv->have);
	csv->have = 0;
	return true;
}

static void skip_mark(MsCsv *csv)
{
	static const char mark[] = "\xef\xbb\xbf";
	while (peek(csv) == 0xef && csv->have - csv->at >= 3 &&
		memcmp(csv->buffer + csv->at, mark, 3) == 0)
		csv->at += 3;
}

/* ---- records -------------------------------------------------------------------------- */

typedef struct {
	MsCsvRecord *record;
	gsize starts[MS_CSV_MAX_FIELDS];
	const char *why;
	bool blank;
	guint64 quoted; /* the line on which the last quote was opened; 0: none */
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

static bool ends_field(const MsCsv *csv, int c)
{
	return c < 0 || c == csv->delimiter || c == '\r' || c == '\n';
}

/* After the opening quote; to the closing one. */
static void quoted(MsCsv *csv, Build *build)
{
	build->quoted = csv->line;
	for (;;) {
		int c = take(csv);
		if (c < 0) {
			build->why = "has a quote that is never closed";
			build->record->unclosed = true;
			return;
		}
		if (c == '"') {
			if (peek(csv) != '"')
				break;
			take(csv);
		}
		append(csv, build, c);
	}
	if (!ends_field(csv, peek(csv)) && build->why == NULL)
		build->why = "has text after a closing quote";
	/* Lines were swallowed: the quote that was found is not the one that was to close. */
	if (build->why != NULL && csv->line > build->quoted)
		build->record->unclosed = true;
}

/* Blanks between a delimiter and a quote, as people set them. */
static void skip_blanks(MsCsv *csv)
{
	gsize n = csv->at;
	while (n < csv->have && csv->buffer[n] == ' ')
		n++;
	if (n < csv->have && csv->buffer[n] == '"')
		csv->at = n;
}

/* One field; returns what ended it: a delimiter, a line end or -1. */
static int field(MsCsv *csv, Build *build)
{
	if (peek(csv) == ' ')
		skip_blanks(csv);
	if (peek(csv) == '"') {
		take(csv);
		build->blank = false;
		quoted(csv, build);
	}
	for (;;) {
		int c = take(csv);
		if (c == '\r' && (peek(csv) == '\n' || peek(csv) < 0))
			continue;
		if (c == '\r') { /* the line end of other files than the rest */
			csv->line++;
			return '\n';
		}
		if (c == csv->delimiter || c == '\n' || c < 0)
			return c;
		append(csv, build, c);
	}
}

static int one_record(MsCsv *csv, MsCsvRecord *record, Build *build)
{
	g_string_truncate(csv->text, 0);
	record->line = csv->line;
	record->n = 0;
	record->unclosed = false;
	int end;
	do {
		if (record->n < MS_CSV_MAX_FIELDS)
			build->starts[record->n++] = csv->text->len;
		else
			build->why = "has more than " G_STRINGIFY(MS_CSV_MAX_FIELDS) " fields";
		end = field(csv, build);
		if (build->why == NULL)
			g_string_append_c(csv->text, '\0');
		build->blank = build->blank && end != csv->delimiter;
	} while (end == csv->delimiter);
	return end;
}

MsCsvResult ms_csv_next(MsCsv *csv, MsCsvRecord *record)
{
	for (;;) {
		skip_mark(csv); /* each of several files that were put together may have one */
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
			record->fields[i] = ms_text_of_cell(csv->text->str + build.starts[i]);
		return MS_CSV_RECORD;
	}
}

/* ---- which delimiter? ----------------------------------------------------------------- */

#define SAMPLE_RECORDS 20

/* How many fields each of the next records has; 0: not all have the same. */
static guint same_fields(const MsCsv *csv, char delimiter)
{
	g_autoptr(MsCsv) sample = ms_csv_of_line(csv->buffer + csv->at, csv->have - csv->at);
	sample->delimiter = delimiter;
	MsCsvRecord record;
	guint n = 0, records = 0;
	MsCsvResult result;
	while (records < SAMPLE_RECORDS && (result = ms_csv_next(sample, &record)) != MS_CSV_END) {
		if (sample->at == sample->have && !csv->ended && records > 0)
			break; /* it is cut */
		if (result != MS_CSV_RECORD || (records > 0 && record.n != n))
			return 0;
		n = record.n;
		records++;
	}
	return n;
}

/* Greater where more of the first records have as many fields as most, or these have more. */
static guint most_fields(const MsCsv *csv, char delimiter)
{
	g_autoptr(MsCsv) sample = ms_csv_of_line(csv->buffer + csv->at, csv->have - csv->at);
	sample->delimiter = delimiter;
	MsCsvRecord record;
	guint16 counts[MS_CSV_MAX_FIELDS + 1] = {0};
	guint most = 0;
	for (guint i = 0; i < SAMPLE_RECORDS; i++)
		if (ms_csv_next(sample, &record) == MS_CSV_RECORD && record.n > 1)
			most = MAX(most, ++counts[record.n] * MS_CSV_MAX_FIELDS + record.n - 1);
	return most;
}

/* "sep=;", as some spreadsheets write it first. */
static char said_delimiter(MsCsv *csv)
{
	skip_mark(csv);
	const char *text = csv->buffer + csv->at;
	gsize len = csv->have - csv->at;
	if (len < 6 || g_ascii_strncasecmp(text, "sep=", 4) != 0 ||
		(text[5] != '\n' && text[5] != '\r'))
		return '\0';
	char said = text[4];
	while (peek(csv) >= 0 && take(csv) != '\n')
		;
	return said;
}

char ms_csv_find_delimiter(MsCsv *csv)
{
	static const char candidates[] = ",;\t|";
	if (csv->at == csv->have)
		fill(csv);
	char best = said_delimiter(csv);
	if (best != '\0')
		return best;
	guint (*const ways[])(const MsCsv *, char) = {same_fields, most_fields};
	for (gsize way = 0; way < G_N_ELEMENTS(ways) && best == '\0'; way++) {
		guint most = 1 - (guint)way;
		for (const char *c = candidates; *c != '\0'; c++) {
			guint n = ways[way](csv, *c);
			if (n > most)
				best = *c;
			most = MAX(most, n);
		}
	}
	return best != '\0' ? best : ',';
}

void ms_csv_set_delimiter(MsCsv *csv, char delimiter)
{
	csv->delimiter = delimiter;
}

/* ---- where it is ---------------------------------------------------------------------- */

guint64 ms_csv_bytes(const MsCsv *csv)
{
	return csv->before + csv->at;
}

bool ms_csv_mark(const MsCsv *csv, guint64 *offset_out, guint64 *line_out)
{
	*offset_out = csv->before + csv->at;
	*line_out = csv->line;
	return csv->conv == no_conv;
}

bool ms_csv_seek(MsCsv *csv, guint64 offset, guint64 line)
{
	if (csv->conv != no_conv || lseek(csv->fd, (off_t)offset, SEEK_SET) < 0)
		return false;
	csv->before = offset;
	csv->at = csv->have = 0;
	csv->begun = true;
	csv->ended = false;
	csv->line = line;
	return true;
}
