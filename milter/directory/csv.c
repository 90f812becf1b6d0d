/*
 * Bytes come in, of any encoding that iconv knows, out go records of UTF-8.  Bounded by
 * MS_CSV_MAX_RECORD, whatever the file has: as one begins, all of it is in the buffer, if it is not
 * longer than it may be.  One thread.
 *
 * libcsv would do, but it keeps no line numbers (a quoted field may hold line ends, so records
 * and lines differ), and a record without end grows without bound in it.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/text.h"

#include "csv.h"

#define RAW 16384 /* of another encoding at once */
#define AHEAD (2 * MS_CSV_MAX_RECORD) /* quotes are doubled */
#define ROOM (2 * AHEAD)

struct MsCsv {
	int fd;
	char *buffer;
	gsize size, at, have;
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

static MsCsv *csv_new(int fd, gsize size)
{
	MsCsv *csv = g_new0(MsCsv, 1);
	csv->fd = fd;
	csv->size = size;
	csv->buffer = g_malloc(size + 1); /* never none */
	csv->line = 1;
	csv->delimiter = ',';
	csv->conv = no_conv;
	csv->text = g_string_new(NULL);
	return csv;
}

MsCsv *ms_csv_new(int fd)
{
	return csv_new(fd, ROOM);
}

MsCsv *ms_csv_of_line(const char *text, gsize len)
{
	MsCsv *csv = csv_new(-1, len);
	csv->have = len;
	memcpy(csv->buffer, text, len);
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
	g_free(csv->buffer);
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
	char *in = csv->raw, *out = csv->buffer + csv->have;
	gsize left = csv->raw_have, room = csv->size - csv->have;
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
	csv->have = csv->size - room;
}

/* All of it is in the buffer. */
static bool is_drained(const MsCsv *csv)
{
	bool back = csv->back != NULL && csv->back_at < g_bytes_get_size(csv->back);
	return csv->ended && csv->raw_have == 0 && !back;
}

/* As much as there is room for behind what is not taken yet.  False: there is no more. */
static bool fill(MsCsv *csv)
{
	gsize kept = csv->have - csv->at;
	memmove(csv->buffer, csv->buffer + csv->at, kept);
	csv->before += csv->at;
	csv->at = 0;
	csv->have = kept;
	csv->begun = true;
	if (csv->conv == no_conv)
		csv->have += read_some(csv, csv->buffer + kept, csv->size - kept);
	else
		while (csv->have < AHEAD && !is_drained(csv)) {
			csv->raw_have +=
				read_some(csv, csv->raw + csv->raw_have, RAW - csv->raw_have);
			convert(csv);
		}
	return csv->have > kept;
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

/*
 * The letters of a language, and the encodings that it is written in.  Read in another they are
 * signs, or letters of several languages that are seldom in one file.  The first are likelier.
 */
#define WESTERN {"windows-1252", "CP850", "macintosh"}
#define CENTRAL {"windows-1250", "ISO-8859-2", "CP852"}
static const struct {
	const char *letters, *encodings[4];
} alphabets[] = {
	/* German, and the north; French, Italian, Spanish */
	{"\u00e0\u00e4\u00e5\u00e6\u00e9\u00eb\u00ef\u00f6\u00f8\u00fc\u00df\u2019", WESTERN},
	{"\u00e0\u00e1\u00e2\u00e3\u00e4\u00e7\u00e8\u00e9\u00ea\u00eb\u00ec\u00ed\u00ee\u00ef\u00f1"
	 "\u00f2\u00f3\u00f4\u00f6\u00f9\u00fa\u00fb\u00fc\u00ff\u00df\u0153\u2019", WESTERN},
	/* Czech, Slovak; Polish; Hungarian; of the Balkans; Romanian */
	{"\u00e1\u00e4\u010d\u010f\u00e9\u011b\u00ed\u013a\u013e\u0148\u00f3\u00f4\u00f6\u0155\u0159"
	 "\u0161\u00df\u0165\u00fa\u016f\u00fc\u00fd\u017e", CENTRAL},
	{"\u0105\u00e4\u0107\u00e9\u0119\u0142\u0144\u00f3\u00f6\u015b\u00df\u00fc\u017a\u017c", CENTRAL},
	{"\u00e1\u00e9\u00ed\u00f3\u00f6\u0151\u00fa\u00fc\u0171", CENTRAL},
	{"\u0107\u010d\u0111\u0161\u017e\u00e4\u00e9\u00f6\u00fc\u00df", CENTRAL},
	{"\u00e2\u0103\u00ee\u015f\u0163\u00e1\u00e9\u00f6\u00fc\u0151", CENTRAL},
	/* Portuguese; Turkish; Icelandic */
	{"\u00e0\u00e1\u00e2\u00e3\u00e7\u00e9\u00ea\u00ed\u00f3\u00f4\u00f5\u00fa\u00fc",
		WESTERN},
	{"\u00e2\u00e4\u00e7\u00e9\u011f\u0131\u0130\u00ee\u00f6\u015f\u00df\u00fb\u00fc",
		{"windows-1254", "CP857"}},
	{"\u00e1\u00e6\u00e9\u00ed\u00f0\u00f3\u00f6\u00fa\u00fd\u00fe", {"windows-1252", "CP850"}},
	/* Lithuanian, Latvian; Estonian */
	{"\u0105\u010d\u0119\u0117\u012f\u0161\u0173\u016b\u017e", {"windows-1257"}},
	{"\u0101\u010d\u0113\u0123\u012b\u0137\u013c\u0146\u0161\u016b\u017e", {"windows-1257"}},
	{"\u00e4\u00f5\u00f6\u0161\u00fc\u017e", {"windows-1257", "windows-1252"}},
	/* Cyrillic; Greek */
	{"\u0430\u0431\u0432\u0433\u0434\u0435\u0451\u0454\u0436\u0437\u0438\u0456\u0457\u0439\u043a"
	 "\u043b\u043c\u043d\u043e\u043f\u0440\u0441\u0442\u0443\u0444\u0445\u0446\u0447\u0448\u0449"
	 "\u044a\u044b\u044c\u044d\u044e\u044f", {"windows-1251", "KOI8-R", "CP866", "ISO-8859-5"}},
	{"\u03b1\u03ac\u03b2\u03b3\u03b4\u03b5\u03ad\u03b6\u03b7\u03ae\u03b8\u03b9\u03af\u03ba\u03bb"
	 "\u03bc\u03bd\u03be\u03bf\u03cc\u03c0\u03c1\u03c2\u03c3\u03c4\u03c5\u03cd\u03c6\u03c7\u03c8"
	 "\u03c9\u03ce", {"windows-1253", "CP737"}},
};

/* Latin letters with others before and behind that are outside ASCII too: so look words of another
 * script. */
static bool is_crowded(gunichar before, gunichar c, gunichar next)
{
	return before >= 0x80 && next >= 0x80 && g_unichar_isalpha(before) &&
		g_unichar_isalpha(next) && g_unichar_get_script(c) == G_UNICODE_SCRIPT_LATIN;
}

/* As words have them: no capital behind a small letter, nor a small one before a capital, and
 * letters of one script. */
static bool is_letter_of(const char *letters, gunichar before, gunichar c, gunichar next)
{
	bool capital = g_unichar_isupper(c);
	gunichar beside = g_unichar_isalpha(before) ? before : next;
	return (g_utf8_strchr(letters, -1, c) != NULL ||
		       g_utf8_strchr(letters, -1, g_unichar_tolower(c)) != NULL) &&
		!(capital ? g_unichar_islower(before)
			  : g_unichar_isupper(next) && g_unichar_isalpha(c)) &&
		(!g_unichar_isalpha(c) ||
			g_unichar_get_script(c) == g_unichar_get_script(beside));
}

/* How many letters of words outside ASCII are of these, less those that are not, and the signs
 * within words.  Around words there may be any sign, so that letters there are half as sure. */
static gssize letters_as(const char *text, const char *letters)
{
	gssize score = 0;
	gunichar before = 0;
	for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p), next = g_utf8_get_char(g_utf8_next_char(p));
		int sure = g_unichar_isalpha(before) + g_unichar_isalpha(next);
		if (c >= 0x80 && sure > 0) {
			if (is_letter_of(letters, before, c, next) && !is_crowded(before, c, next))
				score += sure;
			else if (sure == 2 || g_unichar_isalpha(c))
				score -= sure;
		}
		before = c;
	}
	return score;
}

static const char *by_letters(const GString *words)
{
	const char *best = "windows-1252";
	gssize most = G_MINSSIZE;
	for (gsize i = 0; i < G_N_ELEMENTS(alphabets); i++)
		for (gsize k = 0; k < 4 && alphabets[i].encodings[k] != NULL; k++) {
			const char *encoding = alphabets[i].encodings[k];
			g_autofree char *text = g_convert(words->str, (gssize)words->len, "UTF-8",
				encoding, NULL, NULL, NULL);
			gssize score = text != NULL ? letters_as(text, alphabets[i].letters) : most;
			if (score > most) {
				most = score;
				best = encoding;
			}
		}
	return best;
}

/* What a file has outside ASCII. */
typedef struct {
	guint64 good, bad; /* characters of UTF-8, and bytes that are none */
	GString *words;    /* some of those that have such; a blank after each */
} Letters;

#define WORDS 65536
#define WORD 1024 /* is looked at at once */

static bool in_word(char c)
{
	return (guchar)c >= 0x80 || g_ascii_isalnum(c);
}

static void take_word(Letters *letters, const char *word, gsize len)
{
	for (gsize i = 0; i < len;) {
		bool ascii = (guchar)word[i] < 0x80;
		gunichar c = ascii ? 0 : g_utf8_get_char_validated(word + i, (gssize)(len - i));
		bool good = !ascii && c < 0x110000;
		letters->good += good;
		letters->bad += !ascii && !good;
		i += good ? (gsize)(g_utf8_next_char(word + i) - (word + i)) : 1;
	}
	if (letters->words->len + len >= WORDS)
		return;
	g_string_append_len(letters->words, word, (gssize)len);
	g_string_append_c(letters->words, ' ');
}

/* How much of it, and no less than all but WORD: what follows may go on with its last word. */
static gsize take_letters(Letters *letters, const char *text, gsize len, bool last)
{
	gsize at = 0, begin = 0;
	while (at < len) {
		if ((guchar)text[at] < 0x80) {
			begin = in_word(text[at++]) ? begin : at;
			continue;
		}
		gsize end = at;
		while (end < len && end - at < WORD && in_word(text[end]))
			end++;
		if (end == len && !last && len - begin < WORD)
			return begin;
		begin = MAX(begin, at > WORD ? at - WORD : 0);
		take_word(letters, text + begin, end - begin);
		at = begin = end;
	}
	return last ? len : MAX(begin, len > WORD ? len - WORD : 0);
}

/* All of a file that can be read again, or what was read of it. */
static void look_through(const MsCsv *csv, Letters *letters)
{
	struct stat st;
	off_t at = csv->fd >= 0 && fstat(csv->fd, &st) == 0 && S_ISREG(st.st_mode)
		? lseek(csv->fd, 0, SEEK_CUR) : -1;
	g_autofree char *room = g_malloc(WORD + ROOM);
	gsize taken = take_letters(letters, csv->buffer, csv->have, csv->ended || at < 0);
	gsize kept = csv->have - taken;
	memcpy(room, csv->buffer + taken, kept);
	for (ssize_t n = 1; at >= 0 && n > 0; at += n) {
		n = pread(csv->fd, room + kept, ROOM, at);
		n = MAX(n, 0);
		taken = take_letters(letters, room, kept + (gsize)n, n == 0);
		kept += (gsize)n - taken;
		memmove(room, room + taken, kept);
	}
}

const char *ms_csv_find_encoding(MsCsv *csv)
{
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
	if (memchr(csv->buffer, 0, csv->have) != NULL)
		return "UTF-8";
	g_autoptr(GString) words = g_string_new(NULL);
	Letters letters = {.words = words};
	look_through(csv, &letters);
	/* One that has such, and is damaged in a few lines, is no other. */
	return letters.bad == 0 || letters.good > letters.bad ? "UTF-8" : by_letters(words);
}

/* What has a key or a value in quotes, or more of it, behind the bracket. */
static bool is_json(const char *text, gsize len)
{
	gsize n = 1;
	while (n < len && g_ascii_isspace(text[n]))
		n++;
	return n < len && (text[0] == '[' || text[0] == '{') && strchr("{[]\"", text[n]) != NULL;
}

const char ms_csv_ldif[] = "LDIF", ms_csv_json[] = "JSON";

const char *ms_csv_no_table(MsCsv *csv)
{
	static const struct {
		const char *begins, *what;
	} rows[] = {{"PK\3\4", "a spreadsheet, or another archive (ZIP)"},
		{"\xd0\xcf\x11\xe0", "a spreadsheet of an old form (OLE)"}, {"%PDF-", "a PDF"},
		{"\x1f\x8b", "packed (gzip): unpack it"}, {"{\\rtf", "a text document (RTF)"},
		{"<?xml", "XML"}, {"<!DOCTYPE", "a web page"}, {"<html", "a web page"},
		{"<HTML", "a web page"}, {"SQLite format 3", "a database (SQLite)"}, {"<", "XML"},
		{"dn:", ms_csv_ldif}, {"version: 1", ms_csv_ldif}, {"# extended LDIF", ms_csv_ldif},
		{"+--", "a table that is drawn (mysql --batch draws none)"}};
	if (!csv->begun)
		fill(csv);
	gsize at = csv->have >= 3 && memcmp(csv->buffer, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	while (at < csv->have && strchr(" \t\r\n", csv->buffer[at]) != NULL && csv->buffer[at] != '\0')
		at++;
	const char *text = csv->buffer + at;
	gsize have = csv->have - at;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		gsize len = strlen(rows[i].begins);
		if (have >= len && memcmp(text, rows[i].begins, len) == 0)
			return rows[i].what;
	}
	return have > 0 && is_json(text, have) ? ms_csv_json : NULL;
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

int ms_csv_byte(MsCsv *csv)
{
	if (!csv->begun)
		fill(csv);
	if (csv->before + csv->at == 0)
		skip_mark(csv);
	return take(csv);
}

bool ms_csv_failed(const MsCsv *csv)
{
	return csv->failed;
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

/* Who ends fields with tabulators or bars most often quotes none, and a quote is a letter like
 * others ("Muster" GmbH, 6" pipes): it begins what is quoted where its fellow ends the field.
 * Lines, or tabulators, in it are not those of several fields. */
static bool is_letter(const MsCsv *csv)
{
	bool delimiter = false, line = false;
	if (csv->delimiter != '\t' && csv->delimiter != '|')
		return false;
	for (gsize i = csv->at + 1; i < csv->have; i++) {
		delimiter = delimiter || csv->buffer[i] == csv->delimiter;
		line = line || csv->buffer[i] == '\n' || csv->buffer[i] == '\r';
		if (delimiter && (line || csv->delimiter == '\t'))
			return true;
		if (csv->buffer[i] != '"')
			continue;
		int next = i + 1 < csv->have ? csv->buffer[i + 1] : -1;
		if (next != '"')
			return !ends_field(csv, next);
		i++;
	}
	return true;
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
	if (peek(csv) == '"' && !is_letter(csv)) {
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
		if (csv->have - csv->at < AHEAD && !is_drained(csv))
			fill(csv);
		skip_mark(csv); /* each of several files that were put together may have one */
		Build build = {.record = record, .blank = true};
		int end = one_record(csv, record, &build);
		record->why = build.why;
		record->cut = end < 0;
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
		if (ms_csv_next(sample, &record) == MS_CSV_RECORD && record.n > 1) {
			guint n = ++counts[record.n] * MS_CSV_MAX_FIELDS + record.n - 1;
			most = MAX(most, n);
		}
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
