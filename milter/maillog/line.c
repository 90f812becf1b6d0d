/*
 * Bytes of a log come in as they are read, in pieces; entries go out, each with its time, host,
 * program, process and words.  What the first bytes are tells whether they are lines, or blocks
 * of the journal's export format (systemd's Journal Export Formats: NAME=value lines, or NAME,
 * eight bytes of length, and so many of value; an empty line ends an entry).  The thread of who
 * reads the log.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "maillog_private.h"

typedef enum { FORM_UNKNOWN, FORM_LINES, FORM_JOURNAL } Form;

/* What of an entry of the journal is of use. */
typedef enum {
	FIELD_HOST,
	FIELD_IDENT,
	FIELD_PID,
	FIELD_OWN_PID,
	FIELD_TEXT,
	FIELD_AT,
	FIELD_SOURCE_AT,
	N_FIELDS
} Field;
static const char *const field_names[N_FIELDS] = {"_HOSTNAME", "SYSLOG_IDENTIFIER", "SYSLOG_PID",
	"_PID", "MESSAGE", "__REALTIME_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP"};

struct LogLines {
	Form form;
	LogStamp stamp;
	LogLineTake take;
	LogLineOdd odd;
	void *user;
	bool stopped;
	GByteArray *buffer;   /* what has no end yet */
	gsize skip;           /* bytes to come that are of no use */
	bool skip_line;       /* the rest of a line that is too long */
	char *fields[N_FIELDS];
};

LogLines *log_lines_new(gint64 end, int year, LogLineTake take, LogLineOdd odd, void *user)
{
	LogLines *lines = g_new0(LogLines, 1);
	lines->stamp = (LogStamp){.end = end, .year = year};
	lines->take = take;
	lines->odd = odd;
	lines->user = user;
	lines->buffer = g_byte_array_new();
	return lines;
}

/* ---- lines ------------------------------------------------------------------------------ */

/* A NUL, which no syslog writes, is a blank: what stands behind it is not lost. */
static void without_nul(char *text, gsize len)
{
	for (char *p; (p = memchr(text, '\0', len)) != NULL;)
		*p = ' ';
}

/* "<22>" of a relay's own form. */
static char *behind_priority(char *text)
{
	char *end = *text == '<' && g_ascii_isdigit(text[1]) ? strchr(text, '>') : NULL;
	return end != NULL && end - text <= 4 ? end + 1 : text;
}

static char *cut_word(char **p)
{
	char *word = *p, *end = strchr(word, ' ');
	if (end == NULL)
		return NULL;
	*end = '\0';
	*p = end + 1;
	return word;
}

/* "postfix/smtpd[123]:" is taken apart. */
static void take_ident(char *word, LogLine *line)
{
	gsize len = strlen(word);
	if (len > 0 && word[len - 1] == ':')
		word[len - 1] = '\0';
	char *open = strrchr(word, '[');
	if (open != NULL) {
		line->pid = (guint)strtoul(open + 1, NULL, 10);
		*open = '\0';
	}
	line->ident = word;
}

/* "-", or "[a@b c=\"d\"][e f=\"]\"]", and the blank behind it. */
static char *behind_elements(char *p)
{
	bool quoted = false, in = false;
	if (*p == '-')
		return p[1] == ' ' ? p + 2 : p + 1;
	for (; *p != '\0'; p++) {
		if (*p == '\\' && quoted && p[1] != '\0')
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (!quoted && (*p == '[' || *p == ']'))
			in = *p == '[';
		else if (!quoted && !in)
			return *p == ' ' ? p + 1 : p;
	}
	return p;
}

/* RFC 5424, behind its version and time: "HOST APP PROCID MSGID ELEMENTS TEXT"; false: it is not
 * whole. */
static bool take_new_form(char *rest, LogLine *line)
{
	char *words[4];
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		if ((words[i] = cut_word(&rest)) == NULL)
			return false;
	line->host = words[0];
	line->ident = words[1];
	line->pid = (guint)strtoul(words[2], NULL, 10);
	line->text = behind_elements(rest);
	if (g_str_has_prefix(line->text, "\xef\xbb\xbf"))
		line->text += 3;
	return true;
}

static void one_line(LogLines *lines, char *text, gsize len)
{
	without_nul(text, len);
	LogLine line = {0};
	char *start = behind_priority(text);
	bool new_form = start != text && g_str_has_prefix(start, "1 ");
	start += new_form ? 2 : 0;
	char *rest = (char *)log_stamp(&lines->stamp, start, &line.at);
	if (rest == NULL) {
		/* "-- Boot 0123 --", "-- Journal begins at ...": journalctl's own words */
		if (*start != '\0' && !g_str_has_prefix(start, "-- "))
			lines->odd(start, false, lines->user);
		return;
	}
	line.yearless = lines->stamp.yearless;
	if (new_form) {
		lines->stopped =
			take_new_form(rest, &line) && !lines->take(&line, lines->user);
		return;
	}
	line.host = cut_word(&rest);
	char *ident = line.host != NULL ? cut_word(&rest) : NULL;
	if (ident == NULL)
		return; /* not a program's: "last message repeated" has more words */
	take_ident(ident, &line);
	line.text = rest;
	lines->stopped = !lines->take(&line, lines->user);
}

/* ---- the journal ------------------------------------------------------------------------ */

static void forget_fields(LogLines *lines)
{
	for (int i = 0; i < N_FIELDS; i++)
		g_clear_pointer(&lines->fields[i], g_free);
}

static void end_entry(LogLines *lines)
{
	char **f = lines->fields;
	const char *at = f[FIELD_SOURCE_AT] != NULL ? f[FIELD_SOURCE_AT] : f[FIELD_AT];
	const char *pid = f[FIELD_PID] != NULL ? f[FIELD_PID] : f[FIELD_OWN_PID];
	if (at != NULL && f[FIELD_IDENT] != NULL && f[FIELD_TEXT] != NULL) {
		LogLine line = {.at = g_ascii_strtoll(at, NULL, 10),
			.host = f[FIELD_HOST] != NULL ? f[FIELD_HOST] : "",
			.ident = f[FIELD_IDENT],
			.pid = pid != NULL ? (guint)strtoul(pid, NULL, 10) : 0,
			.text = f[FIELD_TEXT]};
		lines->stopped = line.at > 0 && !lines->take(&line, lines->user);
	}
	forget_fields(lines);
}

static void keep_field(
	LogLines *lines, const char *name, gsize name_len, const char *value, gsize len)
{
	for (int i = 0; i < N_FIELDS; i++) {
		if (strlen(field_names[i]) != name_len ||
			memcmp(field_names[i], name, name_len) != 0)
			continue;
		g_free(lines->fields[i]);
		lines->fields[i] = g_strndup("", len);
		memcpy(lines->fields[i], value, len);
		without_nul(lines->fields[i], len);
	}
}

/* How much of the buffer is one field of the journal; 0: not all of it is there. */
static gsize journal_field(LogLines *lines, const char *data, gsize len)
{
	const char *end = memchr(data, '\n', len);
	if (end == NULL)
		return 0;
	gsize n = (gsize)(end - data);
	const char *equals = memchr(data, '=', n);
	if (n == 0) {
		end_entry(lines);
		return 1;
	}
	if (equals != NULL) {
		keep_field(lines, data, (gsize)(equals - data), equals + 1,
			n - (gsize)(equals - data) - 1);
		return n + 1;
	}
	if (len - n - 1 < 8)
		return 0;
	guint64 size = 0;
	for (int i = 7; i >= 0; i--)
		size = size << 8 | (guint8)end[1 + i];
	if (size > MS_MAILLOG_LINE) {
		/* Of no use: nothing of a mail is so long.  A length that is none ends at the
		 * end. */
		lines->skip = size > G_MAXSIZE / 2 ? G_MAXSIZE / 2 : (gsize)size + 1;
		return n + 9;
	}
	if (len - n - 9 < size + 1)
		return 0;
	keep_field(lines, data, n, end + 9, (gsize)size);
	return n + 9 + (gsize)size + 1;
}

/* ---- pieces ----------------------------------------------------------------------------- */

/* NAME=... of capitals. */
static Form form_of(const char *data, gsize len)
{
	gsize i = 0;
	while (i < len && (g_ascii_isupper(data[i]) || g_ascii_isdigit(data[i]) || data[i] == '_'))
		i++;
	if (i == len && len < 64)
		return FORM_UNKNOWN; /* more of it will tell */
	return i > 0 && i < len && data[i] == '=' ? FORM_JOURNAL : FORM_LINES;
}

static gsize text_line(LogLines *lines, char *data, gsize len)
{
	char *end = memchr(data, '\n', len);
	if (end == NULL)
		return 0;
	gsize n = (gsize)(end - data);
	bool rest = lines->skip_line;
	lines->skip_line = false;
	*end = '\0';
	if (n > 0 && data[n - 1] == '\r')
		data[--n] = '\0';
	if (!rest)
		one_line(lines, data, n);
	return (gsize)(end - data) + 1;
}

static void drop_what_is_long(LogLines *lines)
{
	if (lines->buffer->len <= 2 * MS_MAILLOG_LINE)
		return;
	if (!lines->skip_line)
		lines->odd((char *)"", true, lines->user);
	lines->skip_line = lines->form == FORM_LINES;
	g_byte_array_set_size(lines->buffer, 0);
}

static void take_buffer(LogLines *lines)
{
	gsize at = 0;
	while (at < lines->buffer->len && !lines->stopped && lines->form != FORM_UNKNOWN) {
		gsize left = lines->buffer->len - at;
		if (lines->skip > 0) {
			gsize n = MIN(lines->skip, left);
			lines->skip -= n;
			at += n;
			continue;
		}
		char *data = (char *)lines->buffer->data + at;
		gsize n = lines->form == FORM_JOURNAL ? journal_field(lines, data, left)
						      : text_line(lines, data, left);
		if (n == 0)
			break;
		at += n;
	}
	g_byte_array_remove_range(lines->buffer, 0, (guint)MIN(at, lines->buffer->len));
	drop_what_is_long(lines);
}

/* In pieces that a line may be in, so that nothing grows. */
bool log_lines_take(const void *data, gsize len, void *user)
{
	LogLines *lines = user;
	const guint8 *p = data;
	while (len > 0 && !lines->stopped) {
		gsize n = MIN(len, MS_MAILLOG_LINE);
		g_byte_array_append(lines->buffer, p, (guint)n);
		if (lines->form == FORM_UNKNOWN)
			lines->form = form_of((char *)lines->buffer->data, lines->buffer->len);
		take_buffer(lines);
		p += n;
		len -= n;
	}
	return !lines->stopped;
}

void log_lines_end(LogLines *lines)
{
	if (!lines->stopped && lines->form == FORM_JOURNAL && lines->buffer->len == 0)
		end_entry(lines); /* the last one may lack its empty line */
	else if (!lines->stopped && lines->buffer->len > 0)
		lines->odd("", true, lines->user);
	forget_fields(lines);
	g_byte_array_unref(lines->buffer);
	g_free(lines);
}
