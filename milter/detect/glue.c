/*
 * In comes a piece of text that may be a value; out goes whether a longer number goes on before
 * or behind it: "INV-10001" and "10001.50" are not 10001.  Marks that programs set between a
 * name and its value, or between two values, are no part of a number: "id=10001&", "BY+10001:",
 * "Nr.10001", "10001.pdf", "10001.0".
 *
 * Beside a value with letters, which tells more, the same marks are none of it, nor are a slash
 * and an underline: "GX7781/2026" has GX7781.
 *
 * A comma sets decimals apart, or cells: behind one that stands before a date, an amount or many
 * digits is no fraction.
 *
 * Links are full of numbers that programs count with.  There a number stands by itself between
 * two marks, and counts if it is a long one; in what the sender itself made (a link to its own
 * site, its own address, the name that it gave a mail) a shorter one does.  The worker's one
 * thread.
 */
#include "config.h"

#include <string.h>

#include "detect_private.h"

#define MAX_LINK 2000    /* bytes from the beginning of a link to a number in it */
#define MAX_SHORT_WORD 14 /* letters of "Nr." and alike */
#define MAX_FILE_NAME 80
#define MAX_LOCAL_PART 64
#define MIN_OWN 8        /* digits */
#define MAX_BILLING 200
#define MAX_IBAN 34
#define IBAN_GROUP 4
#define MIN_NAME 4       /* bytes of letters */
#define MAX_PART 3       /* of "20260042317-01": a page, a position, a version */

bool ms_detect_is_date(const char *text, gsize len)
{
	if (len != 8)
		return false;
	int n[8];
	for (int i = 0; i < 8; i++)
		n[i] = text[i] - '0';
	int first = n[0] * 10 + n[1], second = n[2] * 10 + n[3], third = n[4] * 10 + n[5],
	    fourth = n[6] * 10 + n[7];
	return ((first == 19 || first == 20) && third >= 1 && third <= 12 && fourth >= 1 &&
		       fourth <= 31) ||
		((third == 19 || third == 20) && first >= 1 && first <= 31 && second >= 1 &&
			second <= 12);
}

static bool goes_on_with(char mark, char next)
{
	if (mark != '\0' && strchr("-./_@+#%&=\\", mark) != NULL)
		return g_ascii_isalnum(next);
	return mark == ',' && g_ascii_isdigit(next);
}

bool ms_detect_is_joint(const Search *s, gsize word)
{
	gsize end = ms_detect_word_end(s, word), start = ms_detect_word_start(s, word + 1);
	return start == end ||
		(start == end + 1 &&
			goes_on_with(s->fold->text[end], s->fold->text[start]));
}

static bool ends_link(char c)
{
	return g_ascii_isspace(c) || c == '\0' || strchr("<>\"'`|{}()[]", c) != NULL;
}

bool ms_detect_in_link(const Search *s, gsize at)
{
	const char *text = s->fold->text;
	gsize from = at;
	while (from > 0 && at - from < MAX_LINK && !ends_link(text[from - 1]))
		from--;
	return memmem(text + from, at - from, "://", 3) != NULL ||
		memmem(text + from, at - from, "www.", 4) != NULL;
}

/* Is the mark at `at` a full stop behind letters alone: "Nr.", "Ref."? */
static bool is_short_form(const char *text, gsize at)
{
	gsize from = at;
	while (from > 0 && g_ascii_isalpha(text[from - 1]))
		from--;
	bool whole = from == 0 ||
		(!g_ascii_isalnum(text[from - 1]) && (text[from - 1] & 0x80) == 0 &&
			strchr("._-@/", text[from - 1]) == NULL);
	return text[at] == '.' && whole && at - from >= 1 && at - from <= MAX_SHORT_WORD;
}

#define MAX_DECIMALS 4

static gsize digits_from(const char *text, gsize len, gsize at)
{
	gsize n = 0;
	while (at + n < len && g_ascii_isdigit(text[at + n]))
		n++;
	return n;
}

/* Is the comma at `at` one between cells, as the digits behind it tell? */
static bool is_cell_behind(const char *text, gsize len, gsize at)
{
	gsize n = digits_from(text, len, at + 1), end = at + 1 + n;
	return n > MAX_DECIMALS ||
		(end + 1 < len && text[end] != '\0' && strchr(".,-/:", text[end]) != NULL &&
			g_ascii_isalnum(text[end + 1]));
}

/* The same as the digits before it tell, of a number of many digits. */
static bool is_cell_before(const char *text, gsize at)
{
	gsize from = at;
	while (from > 0 && g_ascii_isdigit(text[from - 1]))
		from--;
	return at - from > MAX_DECIMALS - 1 ||
		(from > 0 && text[from - 1] != '\0' && strchr(".,-/:", text[from - 1]) != NULL);
}

static bool goes_on_before(const Search *s, gsize start, bool digits, bool longish)
{
	const char *text = s->fold->text;
	if (start < 2 || !goes_on_with(text[start - 1], text[start - 2]))
		return false;
	if (!digits)
		return true;
	switch (text[start - 1]) {
	case '=':
	case '&':
	case '+':
	case '#':
	case '\\': return false;
	case '_': return !longish;
	case ',': return !is_cell_before(text, start - 1);
	case '.': return !is_short_form(text, start - 1);
	default: return true;
	}
}

/* "10001.0", as programs print a number that they hold for a measure. */
static bool is_measure(const char *text, gsize len, gsize end)
{
	return len - end >= 2 && text[end] == '.' && text[end + 1] == '0' &&
		(len - end == 2 || !g_ascii_isalnum(text[end + 2]));
}

static bool is_file_ending(const char *text, gsize len, gsize end)
{
	static const char *const endings[] = {"pdf", "xml", "zip", "csv", "txt", "htm", "html",
		"doc", "docx", "xls", "xlsx", "eml", "json", "png", "jpg", "jpeg", "tif", "tiff",
		"p7m", "ods", "odt", NULL};
	gsize n = 0;
	char word[6];
	while (end + 1 + n < len && n < sizeof word - 1 && g_ascii_isalnum(text[end + 1 + n])) {
		word[n] = g_ascii_tolower(text[end + 1 + n]);
		n++;
	}
	word[n] = '\0';
	return text[end] == '.' && g_strv_contains(endings, word);
}

/* The endings of documents, not of pictures: sites number those. */
static bool is_document_ending(const char *ending, gsize len)
{
	static const char *const endings[] = {"pdf", "xml", "zip", "csv", "txt", "doc", "docx",
		"xls", "xlsx", "eml", "json", "p7m", "ods", "odt", "asc", NULL};
	g_autofree char *small = g_ascii_strdown(ending, (gssize)len);
	return g_strv_contains(endings, small);
}

bool ms_detect_in_file_name(const Search *s, gsize at)
{
	const char *text = s->fold->text;
	gsize len = s->fold->len, until = at, dot = 0;
	if (s->span->type == MS_SPAN_NAME)
		return true;
	for (; until < len && until - at <= MAX_FILE_NAME; until++) {
		char c = text[until];
		if (!g_ascii_isalnum(c) && (c & 0x80) == 0 && (c == '\0' || strchr("_-.()[]~%", c) == NULL))
			break;
		if (c == '.')
			dot = until + 1;
	}
	if (until < len && until > at && text[until - 1] == '.') { /* the sentence's */
		until--;
		for (dot = until; dot > at && g_ascii_isalnum(text[dot - 1]);)
			dot--;
		dot = dot > at && text[dot - 1] == '.' ? dot : 0;
	}
	return dot > at && until > dot && until - dot < 5 &&
		is_document_ending(text + dot, until - dot);
}

static bool is_short_part(const char *text, gsize len, gsize end)
{
	gsize n = 0;
	while (end + 1 + n < len && n <= MAX_PART && g_ascii_isalnum(text[end + 1 + n]))
		n++;
	return n <= MAX_PART;
}

static bool goes_on_behind(const Search *s, gsize end, bool digits, bool longish)
{
	const char *text = s->fold->text;
	gsize len = s->fold->len;
	if (end + 1 >= len || !goes_on_with(text[end], text[end + 1]))
		return false;
	if (!digits)
		return true;
	switch (text[end]) {
	case '=':
	case '&':
	case '+':
	case '#':
	case '\\': return false;
	case '-':
	case '_':
	case '/': return !longish || !is_short_part(text, len, end);
	case ',': return !is_cell_behind(text, len, end);
	case '.': return !is_measure(text, len, end) && !is_file_ending(text, len, end);
	default: return true;
	}
}

/* ---- what the sender itself made ------------------------------------------------------- */

/* Is the domain that begins at `at` the author's, or below it? */
bool ms_detect_is_own_domain(const Search *s, gsize at)
{
	const char *text = s->fold->text;
	gsize until = at, n = strlen(s->span->own);
	while (until < s->fold->len &&
		(g_ascii_isalnum(text[until]) || text[until] == '.' || text[until] == '-'))
		until++;
	return until - at >= n && g_ascii_strncasecmp(text + until - n, s->span->own, n) == 0 &&
		(until - at == n || text[until - n - 1] == '.');
}

/* A number by itself in a link to the sender's own site, in one of its addresses or in the name
 * that it gave a mail: "billing+48291746@", "<48291746.1@seller.example>".  There nobody else
 * counts. */
bool ms_detect_is_own(const Search *s, gsize start, gsize end)
{
	const char *text = s->fold->text;
	gsize from = start, until = end;
	if (s->span->own == NULL)
		return false;
	while (from > 0 && start - from < MAX_LINK && !ends_link(text[from - 1]))
		from--;
	const char *scheme = memmem(text + from, start - from, "://", 3);
	if (scheme != NULL)
		return ms_detect_is_own_domain(s, (gsize)(scheme - text) + 3);
	while (until < s->fold->len && until - end < MAX_LOCAL_PART && text[until] != '@' &&
		!ends_link(text[until]))
		until++;
	return until < s->fold->len && text[until] == '@' && ms_detect_is_own_domain(s, until + 1);
}

static bool is_apart_in_link(const Search *s, gsize start, gsize end)
{
	const char *text = s->fold->text;
	return start > 0 && strchr("/=&?#+:~", text[start - 1]) != NULL &&
		(end >= s->fold->len || ends_link(text[end]) ||
			strchr("/=&?#+:~;,%", text[end]) != NULL ||
			is_file_ending(text, s->fold->len, end));
}

/* "//S1/10/10201409/11/190512/30/109322551": what a Swiss bill says of itself (Swico, syntax
 * definition S1), tags and values with a slash between. */
/* "DE89" */
static bool is_iban_head(const char *group)
{
	return g_ascii_isalpha(group[0]) && g_ascii_isalpha(group[1]) &&
		g_ascii_isdigit(group[2]) && g_ascii_isdigit(group[3]);
}

/* Where the groups begin that the one at `start` may be of, which one blank sets apart each. */
static gsize groups_start(const char *text, gsize start)
{
	gsize from = start;
	while (from >= IBAN_GROUP + 1 && start - from <= MAX_IBAN && text[from - 1] == ' ') {
		gsize before = from - 1 - IBAN_GROUP;
		for (gsize i = before; i < from - 1; i++)
			if (!g_ascii_isalnum(text[i]))
				return from;
		from = before;
	}
	return from;
}

bool ms_detect_is_group(const Search *s, gsize start, gsize end)
{
	const char *text = s->fold->text;
	const MsKind *kind = ms_detect_iban_kind(s);
	char value[MAX_IBAN + 1];
	gsize from = end - start < IBAN_GROUP ? start : groups_start(text, start), n = 0;
	while (from < start && !is_iban_head(text + from))
		from += IBAN_GROUP + 1;
	if (kind == NULL || from >= start)
		return false;
	for (gsize at = from; at < s->fold->len && n < MAX_IBAN; at++) {
		if ((at - from) % (IBAN_GROUP + 1) == IBAN_GROUP) {
			if (text[at] == ' ')
				continue;
			break;
		}
		if (!g_ascii_isalnum(text[at]))
			break;
		value[n++] = g_ascii_toupper(text[at]);
		value[n] = '\0';
		if (at + 1 >= end && !g_ascii_isalnum(text[at + 1]) && ms_kind_checked(kind, value))
			return true;
	}
	return false;
}

bool ms_detect_in_billing(const Search *s, gsize start, gsize end)
{
	const char *text = s->fold->text;
	gsize from = start;
	if (start == 0 || text[start - 1] != '/' ||
		(end < s->fold->len && text[end] != '/' && !g_ascii_isspace(text[end])))
		return false;
	while (from > 0 && start - from < MAX_BILLING && !g_ascii_isspace(text[from - 1]))
		from--;
	return start - from > 5 && g_ascii_strncasecmp(text + from, "//s1/", 5) == 0;
}

/* Do such marks set words apart there? */
static bool is_set_by_marks(const Search *s, gsize start, gsize end)
{
	return ms_detect_in_billing(s, start, end) || s->span->type == MS_SPAN_NAME ||
		ms_detect_in_file_name(s, end);
}

static bool is_step_of_link(const Search *s, gsize start)
{
	return start > 0 && strchr("/=&?#+:~%", s->fold->text[start - 1]) != NULL &&
		ms_detect_in_link(s, start);
}

/* ---- codes: letters and digits that are known as a whole ------------------------------------ */

/* They tell more than as many digits, yet "INV-GX7781" may be a number of its own. */
static bool is_code_behind(const Search *s, gsize start)
{
	const char *text = s->fold->text;
	if (start < 2 || !goes_on_with(text[start - 1], text[start - 2]))
		return false;
	gsize from = start - 1;
	switch (text[start - 1]) {
	case '-':
		while (from > 0 && ms_detect_is_letter(text[from - 1]))
			from--;
		return !ms_detect_says_number(text + from, start - 1 - from);
	case '.': return !is_short_form(text, start - 1);
	case '@': return true;
	default: return false;
	}
}

/* Is a name there, or the next sentence, whose first letter is a large one? */
static bool is_name_at(const char *text, gsize len, gsize at)
{
	gsize n = 0;
	while (at + n < len && ms_detect_is_letter(text[at + n]))
		n++;
	return n >= MIN_NAME && (at + n == len || !g_ascii_isdigit(text[at + n]));
}

static bool is_sentence_at(const char *text, gsize len, gsize at)
{
	return at + 1 < len && g_ascii_isupper(text[at]) &&
		(text[at + 1] == ' ' || g_ascii_islower(text[at + 1])) &&
		is_name_at(text, len, at);
}

static bool goes_code_on(const Search *s, gsize end)
{
	const char *text = s->fold->text;
	gsize len = s->fold->len;
	if (end + 1 >= len || !goes_on_with(text[end], text[end + 1]))
		return false;
	switch (text[end]) {
	case '-': return !is_short_part(text, len, end) && !is_name_at(text, len, end + 1);
	case '.': return !is_file_ending(text, len, end) && !is_sentence_at(text, len, end + 1);
	case '@': return true;
	default: return false;
	}
}

/* What sites and mailers count with: "b77813", but not "B-77813". */
static bool is_hexadecimal(const char *text, gsize start, gsize end)
{
	while (start < end && g_ascii_isxdigit(text[start]))
		start++;
	return start == end;
}

bool ms_detect_is_code_glued(const Search *s, gsize start, gsize end)
{
	if (is_set_by_marks(s, start, end))
		return false;
	bool counted = is_hexadecimal(s->fold->text, start, end);
	if (!counted && ms_detect_is_own(s, start, end))
		return false;
	if (is_step_of_link(s, start))
		return counted || !is_apart_in_link(s, start, end);
	return is_code_behind(s, start) || goes_code_on(s, end);
}

/* ---- all else --------------------------------------------------------------------------- */

bool ms_detect_is_glued(const Search *s, gsize start, gsize end, bool digits, bool longish)
{
	if (is_set_by_marks(s, start, end))
		return false;
	if (digits && end - start >= MIN_OWN && ms_detect_is_own(s, start, end))
		return false;
	if (digits && is_step_of_link(s, start))
		return !longish || !is_apart_in_link(s, start, end);
	return goes_on_before(s, start, digits, longish) ||
		goes_on_behind(s, end, digits, longish);
}
