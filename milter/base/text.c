/*
 * Text that anybody may have written comes in; out goes what is safe to show, valid, or folded.
 * Any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/scan.h"
#include "missent/text.h"

/* ---- escaping ------------------------------------------------------------------------- */

/* Source: Unicode's Default_Ignorable_Code_Point (UAX #44), general categories Cc, Cf, Zl and
 * Zp. */
bool ms_text_is_unseen(gunichar c)
{
	static const gunichar ranges[][2] = {{0x34f, 0x34f}, {0x115f, 0x1160}, {0x17b4, 0x17b5},
		{0x180b, 0x180f}, {0x2065, 0x2065}, {0x3164, 0x3164}, {0xfe00, 0xfe0d},
		{0xffa0, 0xffa0}, {0xfff0, 0xfff8}, {0xe0000, 0xe0fff}};
	if (c >= 0x20 && c < 0x7f)
		return false;
	GUnicodeType type = g_unichar_type(c);
	bool unseen = type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT ||
		type == G_UNICODE_LINE_SEPARATOR || type == G_UNICODE_PARAGRAPH_SEPARATOR;
	for (gsize i = 0; i < G_N_ELEMENTS(ranges) && !unseen; i++)
		unseen = c >= ranges[i][0] && c <= ranges[i][1];
	return unseen;
}

char *ms_text_escape(const char *text, gssize len, gsize max)
{
	gsize n = len < 0 ? strlen(text) : (gsize)len;
	GString *out = g_string_sized_new(MIN(n, max) + 8);
	for (gsize i = 0; i < n;) {
		if (out->len >= max) {
			g_string_append(out, "...");
			break;
		}
		gunichar c = g_utf8_get_char_validated(text + i, (gssize)(n - i));
		bool valid = c != (gunichar)-1 && c != (gunichar)-2;
		gsize step = valid ? (gsize)g_utf8_skip[(guchar)text[i]] : 1;
		if (valid && !ms_text_is_unseen(c) && c != '\\') {
			g_string_append_len(out, text + i, (gssize)step);
		} else if (valid && c == '\\') {
			g_string_append(out, "\\\\");
		} else {
			for (gsize k = 0; k < step; k++)
				g_string_append_printf(out, "\\x%02x", (guchar)text[i + k]);
		}
		i += step;
	}
	return g_string_free(out, FALSE);
}

/* ---- valid UTF-8 ---------------------------------------------------------------------- */

/* Windows-1252, 0x80 to 0x9f; the five holes keep their C1 code (WHATWG Encoding). */
static const guint16 cp1252[32] = {
	0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
	0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d, 0x017d, 0x8f,
	0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
	0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e, 0x0178,
};

gunichar ms_text_cp1252(guint8 byte)
{
	return byte >= 0x80 && byte < 0xa0 ? cp1252[byte - 0x80] : byte;
}

GString *ms_text_repair(const char *bytes, gsize len)
{
	GString *out = g_string_sized_new(len + 16);
	gsize from = 0; /* what is valid since then is not in `out` yet */
	for (gsize i = 0; i < len;) {
		i += ms_scan_ascii(bytes + i, len - i);
		if (i == len)
			break;
		bool fine = bytes[i] == '\0';
		if (!fine) {
			gunichar c = g_utf8_get_char_validated(bytes + i, (gssize)(len - i));
			fine = c != (gunichar)-1 && c != (gunichar)-2;
		}
		if (fine) {
			i += (gsize)g_utf8_skip[(guchar)bytes[i]];
			continue;
		}
		g_string_append_len(out, bytes + from, (gssize)(i - from));
		g_string_append_unichar(out, ms_text_cp1252((guint8)bytes[i]));
		from = ++i;
	}
	if (len > from) /* `bytes` may be NULL */
		g_string_append_len(out, bytes + from, (gssize)(len - from));
	return out;
}

void ms_text_blank_nuls(GString *text)
{
	char *p = text->str, *end = p + text->len;
	while ((p = memchr(p, '\0', (gsize)(end - p))) != NULL)
		*p = ' ';
}

/* ---- folding -------------------------------------------------------------------------- */

#include "fold.inc"

enum { FOLD_KEPT = 0, FOLD_DROPPED = 1 };

static guint fold_row(gunichar c)
{
	return c < 0x110000 ? fold_pages[fold_index[c >> 8]][c & 0xff] : FOLD_KEPT;
}

/* A figure that is set high behind another is a note's ("48291746¹"); and the Japanese sign for a
 * long vowel, a dash of numbers ("03ー1234").  `shown`: what stands before it, as it came. */
static const char *folded_behind(
	const GString *out, char shown, gunichar c, const char *folded)
{
	bool high = c == 0xb9 || c == 0xb2 || c == 0xb3 || (c >= 0x2070 && c <= 0x2079);
	if (high && g_ascii_isdigit(shown))
		return " ";
	bool dash = c == 0x30fc || c == 0xff70;
	return dash && out->len > 0 && g_ascii_isdigit(out->str[out->len - 1]) ? "-" : folded;
}

static void fold_step(MsFold *fold, GString *out, gsize source)
{
	gsize delta = source - out->len; /* wraps the same way on both sides */
	if (fold->map->len > 0) {
		const MsFoldStep *last = &g_array_index(fold->map, MsFoldStep, fold->map->len - 1);
		if (last->source - last->folded == delta)
			return;
	}
	MsFoldStep step = {out->len, source};
	g_array_append_val(fold->map, step);
}

/* What ends a line by itself is the end that all look for.  Before another, or a line feed, it is a
 * part of that one. */
static void fold_returns(char *text, gsize len)
{
	const char *end = text + len;
	for (char *cr = text; (cr = memchr(cr, '\r', (gsize)(end - cr))) != NULL; cr++) {
		char *next = cr + 1;
		while (next < end && *next == '\r')
			next++;
		if (next == end || *next != '\n')
			memset(cr, '\n', (gsize)(next - cr));
		cr = next - 1;
	}
}

MsFold *ms_fold_new(const char *utf8, gsize len)
{
	MsFold *fold = g_new0(MsFold, 1);
	fold->map = g_array_new(FALSE, FALSE, sizeof(MsFoldStep));
	GString *out = g_string_sized_new(len + 1);
	for (gsize i = 0; i < len;) {
		gsize run = ms_scan_ascii(utf8 + i, len - i);
		if (run > 0 || utf8[i] == '\0') {
			fold_step(fold, out, i);
			g_string_append_len(
				out, run > 0 ? utf8 + i : " ", run > 0 ? (gssize)run : 1);
			i += MAX(run, 1);
			continue;
		}
		gsize step = (gsize)g_utf8_skip[(guchar)utf8[i]];
		gunichar c = g_utf8_get_char(utf8 + i);
		guint row = fold_row(c);
		char shown = i > 0 ? utf8[i - 1] : '\0';
		const char *folded = folded_behind(out, shown, c, fold_strings[row]);
		/* Each character that one stands for comes from the same place. */
		for (const char *p = folded; *p != '\0'; p++) {
			fold_step(fold, out, i);
			g_string_append_c(out, *p);
		}
		if (row == FOLD_KEPT && *folded == '\0') {
			fold_step(fold, out, i);
			g_string_append_len(out, utf8 + i, (gssize)step);
		}
		i += step;
	}
	fold_step(fold, out, len);
	fold->len = out->len;
	fold->text = g_string_free(out, FALSE);
	fold_returns(fold->text, fold->len);
	return fold;
}

char *ms_text_shown(const char *utf8, gsize len)
{
	GString *out = g_string_sized_new(len);
	for (gsize i = 0; i < len;) {
		gsize step = utf8[i] > 0 ? 1 : (gsize)g_utf8_skip[(guchar)utf8[i]];
		gunichar c = utf8[i] == '\0' ? ' ' : g_utf8_get_char(utf8 + i);
		GUnicodeType type = g_unichar_type(c);
		bool wide = c >= 0xff01 && c <= 0xff5e;
		if (wide || c == 0x2024 || c == 0xfe52 || c == 0xfe6b)
			g_string_append(out, fold_strings[fold_row(c)]);
		else if (type != G_UNICODE_FORMAT && fold_row(c) != FOLD_DROPPED)
			g_string_append_unichar(out, c);
		else if (type == G_UNICODE_NON_SPACING_MARK && c < 0x370)
			g_string_append_unichar(out, c); /* an accent is part of a name */
		i += step;
	}
	return g_string_free(out, FALSE);
}

void ms_fold_free(MsFold *fold)
{
	if (fold == NULL)
		return;
	g_array_free(fold->map, TRUE);
	g_free(fold->text);
	g_free(fold);
}

gsize ms_fold_source(const MsFold *fold, gsize offset)
{
	guint low = 0, high = fold->map->len;
	while (high - low > 1) {
		guint mid = low + (high - low) / 2;
		if (g_array_index(fold->map, MsFoldStep, mid).folded <= offset)
			low = mid;
		else
			high = mid;
	}
	const MsFoldStep *step = &g_array_index(fold->map, MsFoldStep, low);
	return step->source + (offset - step->folded);
}

/* ---- names ---------------------------------------------------------------------------- */

/* Levenshtein's, and two letters that changed places are one; words are settings' names, short on
 * both sides. */
static guint distance(const char *a, const char *b)
{
	gsize la = strlen(a), lb = strlen(b);
	if (la > 63 || lb > 63)
		return G_MAXUINT;
	guint d[64][64];
	for (gsize i = 0; i <= la; i++)
		for (gsize j = 0; j <= lb; j++) {
			d[i][j] = (guint)(i + j);
			if (i == 0 || j == 0)
				continue;
			d[i][j] = MIN(d[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
				MIN(d[i - 1][j], d[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = MIN(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[la][lb];
}

/* "customer" of "customer-number", "recipients" of "max-recipients" */
static bool is_half(const char *word, const char *name)
{
	gsize len = strlen(word), all = strlen(name);
	return len > 2 && all > len + 1 &&
		((g_ascii_strncasecmp(word, name, len) == 0 && name[len] == '-') ||
			(g_ascii_strcasecmp(word, name + all - len) == 0 &&
				name[all - len - 1] == '-'));
}

/* "sender-not" of "not-sender": the two sides of one of its hyphens, the other way round. */
static bool is_turned(const char *word, const char *name)
{
	gsize len = strlen(word);
	const char *at = strchr(word, '-');
	for (; strlen(name) == len && at != NULL; at = strchr(at + 1, '-')) {
		gsize n = strlen(at + 1);
		if (n > 0 && name[n] == '-' && g_ascii_strncasecmp(name, at + 1, n) == 0 &&
			g_ascii_strncasecmp(name + n + 1, word, len - n - 1) == 0)
			return true;
	}
	return false;
}

const char *ms_text_nearest(const char *word, const char *const *names)
{
	const char *best = NULL, *half = NULL;
	gsize len = strlen(word);
	guint least = (guint)MAX(2, len / 3) + 1;
	for (; *names != NULL; names++) {
		/* in capitals or not: nothing is nearer */
		bool same = g_ascii_strcasecmp(word, *names) == 0;
		guint d = same || is_turned(word, *names) ? !same : distance(word, *names);
		/* of which half is other is another word: no "time" for "size" */
		if (d < least && (gsize)d * 2 < MAX(len, strlen(*names))) {
			least = d;
			best = *names;
		}
		if (is_half(word, *names) && (half == NULL || strlen(*names) < strlen(half)))
			half = *names;
	}
	return best != NULL ? best : half;
}

void ms_text_wrap(GString *out, const char *text, int indent, int columns)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);
	glong column = indent;
	for (int i = 0; words[i] != NULL; i++) {
		glong len = g_utf8_strlen(words[i], -1);
		bool fold = i > 0 && column + 1 + len > columns;
		if (fold)
			g_string_append_printf(out, "\n%*s", indent, "");
		else if (i > 0)
			g_string_append_c(out, ' ');
		g_string_append(out, words[i]);
		column = fold ? indent + len : column + (i > 0) + len;
	}
}

/* What follows does so too, at fifteen times the cost.  NULL: it is not ASCII alone. */
static char *ascii_words(const char *text, gsize len)
{
	char *out = g_malloc(len + 1), *to = out;
	bool gap = false;
	for (gsize i = 0; i < len && text[i] != '\0'; i++) {
		if ((text[i] & 0x80) != 0) {
			g_free(out);
			return NULL;
		}
		if (!g_ascii_isalnum(text[i])) {
			gap = true;
			continue;
		}
		if (gap && to > out) /* the gap's own place */
			*to++ = ' ';
		gap = false;
		*to++ = g_ascii_tolower(text[i]);
	}
	*to = '\0';
	return out;
}

char *ms_text_words(const char *utf8, gsize len)
{
	if (len > 4096)
		return NULL;
	char *ascii = ascii_words(utf8, len);
	if (ascii != NULL)
		return ascii;
	g_autofree char *folded = g_utf8_casefold(utf8, (gssize)len); /* ß becomes ss */
	g_autofree char *plain = g_utf8_normalize(folded, -1, G_NORMALIZE_ALL);
	GString *out = g_string_new(NULL);
	bool gap = false;
	for (const char *p = plain != NULL ? plain : ""; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);
		if (g_unichar_ismark(c))
			continue;
		if (!g_unichar_isalnum(c)) {
			gap = true;
			continue;
		}
		if (gap && out->len > 0)
			g_string_append_c(out, ' ');
		gap = false;
		if (c == 0xf8) /* ø, æ and œ have no decomposition */
			g_string_append_c(out, 'o');
		else if (c == 0xe6)
			g_string_append(out, "ae");
		else if (c == 0x153)
			g_string_append(out, "oe");
		else if (c == 0x142)
			g_string_append_c(out, 'l');
		else
			g_string_append_unichar(out, c);
	}
	return g_string_free(out, FALSE);
}

char *ms_text_mail_date(gint64 us)
{
	static const char days[] = "MonTueWedThuFriSatSun",
			  months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(us / G_USEC_PER_SEC);
	g_autoptr(GDateTime) t = g_date_time_to_local(utc);
	gint offset = (gint)(g_date_time_get_utc_offset(t) / G_TIME_SPAN_MINUTE);
	return g_strdup_printf("%.3s, %02d %.3s %04d %02d:%02d:%02d %c%02d%02d",
		days + 3 * (g_date_time_get_day_of_week(t) - 1), g_date_time_get_day_of_month(t),
		months + 3 * (g_date_time_get_month(t) - 1), g_date_time_get_year(t),
		g_date_time_get_hour(t), g_date_time_get_minute(t), g_date_time_get_second(t),
		offset < 0 ? '-' : '+', ABS(offset) / 60, ABS(offset) % 60);
}

char *ms_text_time(gint64 us, MsZone zone, const char *form)
{
	gint64 seconds = us / G_USEC_PER_SEC;
	g_autoptr(GDateTime) time = zone == MS_ZONE_UTC
		? g_date_time_new_from_unix_utc(seconds)
		: g_date_time_new_from_unix_local(seconds);
	return time != NULL ? g_date_time_format(time, form) : g_strdup("");
}

/* GLib wants the seconds of a time said. */
bool ms_text_take_time(const char *text, MsZone zone, gint64 *us_out)
{
	g_autofree char *iso = g_strdelimit(g_strdup(text), " ", 'T');
	const char *clock = strchr(iso, 'T');
	bool minutes = clock != NULL && strlen(clock) >= 6 && clock[3] == ':' && clock[6] != ':';
	g_autofree char *whole = clock == NULL ? g_strconcat(iso, "T00:00:00", NULL)
		: minutes ? g_strdup_printf("%.*s:00%s", (int)(clock - iso) + 6, iso, clock + 6)
			  : g_strdup(iso);
	g_autoptr(GTimeZone) own = zone == MS_ZONE_UTC ? g_time_zone_new_utc()
						       : g_time_zone_new_local();
	g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(whole, own);
	if (time != NULL)
		*us_out = g_date_time_to_unix(time) * G_USEC_PER_SEC +
			g_date_time_get_microsecond(time);
	return time != NULL;
}

/* ---- fields of CSV ----------------------------------------------------------------------- */

/* Also as Japanese keyboards write them. */
static bool has_formula_sign(const char *text)
{
	static const char *const signs[] = {
		"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"};
	for (gsize i = 0; i < G_N_ELEMENTS(signs); i++)
		if (g_str_has_prefix(text, signs[i]))
			return true;
	return false;
}

/* "+49 30 1234", "-5", "@acme.example" name nothing that could be called: a file of them is as
 * other programs know it. */
static bool is_harmless(const char *text)
{
	const char *rest = text + 1;
	if (*text == '@')
		return g_ascii_isalnum(*rest) && rest[strspn(rest, G_CSET_a_2_z G_CSET_A_2_Z
							    G_CSET_DIGITS ".-_")] == '\0';
	return (*text == '+' || *text == '-') && rest[strspn(rest, G_CSET_DIGITS " .,")] == '\0';
}

static bool is_formula(const char *text)
{
	return has_formula_sign(text) && !is_harmless(text);
}

void ms_text_add_cell(GString *out, const char *text, gsize len)
{
	g_string_append_c(out, '"');
	if (is_formula(text + strspn(text, "'")))
		g_string_append_c(out, '\'');
	for (gsize i = 0; i < len; i++) {
		if (text[i] == '"')
			g_string_append_c(out, '"');
		g_string_append_c(out, text[i]);
	}
	g_string_append_c(out, '"');
}

const char *ms_text_of_cell(const char *field)
{
	return *field == '\'' && is_formula(field + strspn(field, "'")) ? field + 1 : field;
}

GByteArray *ms_bytes_new(void)
{
	return g_byte_array_sized_new(64);
}

/* ---- names as one text ------------------------------------------------------------------ */

#define BETWEEN ", "

/* The number of a text that is " and 7 more"; 0: it is none. */
static guint count_of(const char *text)
{
	char *end = NULL;
	guint64 n = g_str_has_prefix(text, " and ") && g_ascii_isdigit(text[5])
		? g_ascii_strtoull(text + 5, &end, 10)
		: 0;
	return n <= G_MAXUINT && g_strcmp0(end, " more") == 0 ? (guint)n : 0;
}

char *ms_text_list(const GPtrArray *names, guint all)
{
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < names->len; i++) {
		const char *name = names->pdata[i], *comma = i > 0 ? BETWEEN : "";
		bool plain = strpbrk(name, ",\"") == NULL && !g_str_has_suffix(name, " more");
		g_autoptr(GString) quoted = g_string_new(plain ? "" : name);
		g_string_replace(quoted, "\"", "\"\"", 0);
		if (plain)
			g_string_append_printf(out, "%s%s", comma, name);
		else
			g_string_append_printf(out, "%s\"%s\"", comma, quoted->str);
	}
	if (all > names->len)
		g_string_append_printf(out, " and %u more", all - names->len);
	return g_string_free(out, FALSE);
}

/* A name in quotation marks at `p`; where it ends, or NULL: it is none. */
static const char *take_quoted(const char *p, GString *name)
{
	g_string_truncate(name, 0);
	for (p++; *p != '\0'; p++) {
		if (*p == '"' && *++p != '"')
			return *p == '\0' || g_str_has_prefix(p, BETWEEN) || count_of(p) > 0
				? p
				: NULL;
		g_string_append_c(name, *p);
	}
	return NULL;
}

/* Up to the next comma, or the count at the end. */
static const char *take_plain(const char *p, GString *name)
{
	const char *end = strstr(p, BETWEEN);
	if (end == NULL) {
		const char *count = g_strrstr(p, " and ");
		end = count != NULL && count_of(count) > 0 ? count : p + strlen(p);
	}
	g_string_truncate(name, 0);
	g_string_append_len(name, p, end - p);
	return end;
}

GStrv ms_text_list_apart(const char *list, guint *more_out)
{
	g_autoptr(GStrvBuilder) out = g_strv_builder_new();
	g_autoptr(GString) name = g_string_new(NULL);
	const char *p = list;
	while (*p != '\0') {
		const char *end = *p == '"' ? take_quoted(p, name) : NULL;
		p = end != NULL ? end : take_plain(p, name);
		g_strv_builder_add(out, name->str);
		if (!g_str_has_prefix(p, BETWEEN))
			break;
		p += strlen(BETWEEN);
	}
	if (more_out != NULL)
		*more_out = count_of(p);
	return g_strv_builder_end(out);
}
