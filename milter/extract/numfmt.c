/*
 * In comes a number and the format of its cell, out goes what a person sees: "KD-"0000000 makes
 * KD-0004711 of 4711.  A format has up to four sections, for positive and negative numbers, for
 * zero and for text, or with conditions of their own.  A section is cut into tokens first; then
 * digits are dealt out to its places.  What no rule knows stands for itself.  No state, any
 * thread.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numfmt.h"

#define MAX_FORMAT 1024

typedef enum {
	LITERAL,  /* text */
	DIGIT,    /* a place: 0 # ? */
	POINT, COMMA, PERCENT, EXPONENT, SLASH, GENERAL, TEXT,
	DATE,     /* a run of one letter; or what shows an elapsed time */
	AMPM,
} Type;

typedef struct {
	Type type;
	char c;          /* the place; the letter of a date; the sign after E */
	guint n;         /* length of a run of a date's letters */
	const char *text; /* of a literal */
	gsize len;
} Token;

typedef struct {
	GArray *tokens; /* of Token */
	bool has_condition;
	char comparison[3];
	double limit;
} Section;

static void add(Section *section, Type type, char c, const char *text, gsize len)
{
	Token token = {type, c, 1, text, len};
	g_array_append_val(section->tokens, token);
}

static gsize utf8_length(const char *p)
{
	gsize n = 1;
	while (n < 4 && ((guchar)p[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* "[Red]", "[$KD-407]", "[>=100]", "[h]"; `p` is after the bracket.  Returns after its end. */
static const char *bracket(Section *section, const char *p)
{
	const char *end = strchr(p, ']');
	if (end == NULL)
		return p + strlen(p);
	if (*p == '$') {
		const char *dash = end;
		for (const char *at = p + 1; at < end; at++)
			if (*at == '-')
				dash = at; /* the last one sets off the locale */
		add(section, LITERAL, 0, p + 1, (gsize)(dash - p - 1));
	} else if (strchr("<>=", *p) != NULL) {
		gsize n = strspn(p, "<>=");
		g_strlcpy(section->comparison, p, MIN(n, 2) + 1);
		section->limit = g_ascii_strtod(p + n, NULL);
		section->has_condition = true;
	} else if (strspn(p, "hmsHMS") == (gsize)(end - p) && end > p) {
		add(section, DATE, (char)g_ascii_toupper(*p), NULL, 0); /* upper case: elapsed */
	}
	return end + 1;
}

/* A run of one letter of a date, or AM/PM.  Returns after it. */
static const char *letters(Section *section, const char *p)
{
	if (g_ascii_strncasecmp(p, "am/pm", 5) == 0 || g_ascii_strncasecmp(p, "a/p", 3) == 0) {
		add(section, AMPM, 0, p, g_ascii_tolower(p[1]) == 'm' ? 5 : 3);
		return p + (g_ascii_tolower(p[1]) == 'm' ? 5 : 3);
	}
	char c = g_ascii_tolower(*p);
	gsize n = 1;
	while (g_ascii_tolower(p[n]) == c)
		n++;
	add(section, DATE, c, p, n);
	g_array_index(section->tokens, Token, section->tokens->len - 1).n = (guint)n;
	return p + n;
}

static const char *quoted(Section *section, const char *p)
{
	const char *end = strchr(p, '"');
	gsize n = end != NULL ? (gsize)(end - p) : strlen(p);
	add(section, LITERAL, 0, p, n);
	return p + n + (end != NULL);
}

static const char *one_token(Section *section, const char *p)
{
	gsize n;
	switch (*p) {
	case '"': return quoted(section, p + 1);
	case '[': return bracket(section, p + 1);
	case '\\':
	case '!':
		n = p[1] != '\0' ? utf8_length(p + 1) : 0;
		add(section, LITERAL, 0, p + 1, n);
		return p + 1 + n;
	case '_': /* as wide as the next character */
		n = p[1] != '\0' ? utf8_length(p + 1) : 0;
		add(section, LITERAL, 0, " ", 1);
		return p + 1 + n;
	case '*': /* the next character fills the cell */
		return p + 1 + (p[1] != '\0' ? utf8_length(p + 1) : 0);
	case '0': case '#': case '?': add(section, DIGIT, *p, NULL, 0); return p + 1;
	case '.': add(section, POINT, *p, p, 1); return p + 1;
	case ',': add(section, COMMA, *p, p, 1); return p + 1;
	case '%': add(section, PERCENT, *p, p, 1); return p + 1;
	case '/': add(section, SLASH, *p, p, 1); return p + 1;
	case '@': add(section, TEXT, *p, p, 1); return p + 1;
	default: break;
	}
	if ((*p == 'E' || *p == 'e') && (p[1] == '+' || p[1] == '-')) {
		add(section, EXPONENT, p[1], p, 2);
		return p + 2;
	}
	if (g_ascii_strncasecmp(p, "General", 7) == 0) {
		add(section, GENERAL, 0, p, 7);
		return p + 7;
	}
	if (strchr("ymdhsYMDHS", *p) != NULL || g_ascii_strncasecmp(p, "am/pm", 5) == 0
		|| g_ascii_strncasecmp(p, "a/p", 3) == 0)
		return letters(section, p);
	n = utf8_length(p);
	add(section, LITERAL, 0, p, n);
	return p + n;
}

/* Up to four sections; how many there are. */
static guint parse(const char *format, Section *sections)
{
	guint n = 0;
	const char *p = format;
	do {
		sections[n] = (Section){.tokens = g_array_new(FALSE, FALSE, sizeof(Token))};
		while (*p != '\0' && *p != ';')
			p = one_token(&sections[n], p);
		n++;
	} while (n < 4 && *p++ == ';');
	return n;
}

static bool has(const Section *section, Type type)
{
	for (guint i = 0; i < section->tokens->len; i++)
		if (g_array_index(section->tokens, Token, i).type == type)
			return true;
	return false;
}

static bool fits(const Section *section, double value)
{
	const char *c = section->comparison;
	if (strcmp(c, "<") == 0)
		return value < section->limit;
	if (strcmp(c, ">") == 0)
		return value > section->limit;
	if (strcmp(c, "<=") == 0)
		return value <= section->limit;
	if (strcmp(c, ">=") == 0)
		return value >= section->limit;
	if (strcmp(c, "<>") == 0)
		return value != section->limit;
	return value == section->limit;
}

/* The section for the number, and whether it takes away the sign. */
static const Section *choose(const Section *sections, guint n, double value, bool *unsigned_out)
{
	*unsigned_out = false;
	bool conditions = false;
	for (guint i = 0; i < n && i < 3; i++)
		conditions = conditions || sections[i].has_condition;
	if (conditions) {
		for (guint i = 0; i < n; i++)
			if (sections[i].has_condition ? fits(&sections[i], value)
				: !has(&sections[i], TEXT) && (i > 0 || value > 0 || n < 2))
				return &sections[i];
		return NULL;
	}
	if (n >= 2 && value < 0) {
		*unsigned_out = true;
		return &sections[1];
	}
	return n >= 3 && value == 0 ? &sections[2] : &sections[0];
}

/* ---- digits --------------------------------------------------------------------------- */

static const Token *token_at(const Section *section, guint i)
{
	return &g_array_index(section->tokens, Token, i);
}

static gsize count_digits(const Section *section, guint from, guint until)
{
	gsize n = 0;
	for (guint i = from; i < until; i++)
		n += token_at(section, i)->type == DIGIT;
	return n;
}

static void put_literal(GString *out, const Token *token)
{
	if (token->text != NULL)
		g_string_append_len(out, token->text, (gssize)token->len);
}

/* Deals `digits` out to the places before `until`, the last digit to the last place; the first
 * place takes all that are left. */
static void put_integer(GString *out, const Section *section, guint until, const char *digits,
	bool grouped)
{
	gsize places = count_digits(section, 0, until), n = strlen(digits), at = 0, seen = 0;
	for (guint i = 0; i < until; i++) {
		const Token *token = token_at(section, i);
		if (token->type != DIGIT) {
			if (token->type != COMMA)
				put_literal(out, token);
			continue;
		}
		gsize left = places - seen++; /* with this one */
		gsize upto = n > left - 1 ? n - (left - 1) : 0;
		if (at >= upto && token->c == '0') {
			g_string_append_c(out, '0');
			if (grouped && left > 1 && (left - 1) % 3 == 0)
				g_string_append_c(out, ',');
		}
		while (at < upto) {
			g_string_append_c(out, digits[at++]);
			if (grouped && n > at && (n - at) % 3 == 0)
				g_string_append_c(out, ',');
		}
	}
}

static void put_fraction_digits(GString *out, const Section *section, guint from, guint until,
	const char *digits)
{
	gsize last = strlen(digits), at = 0;
	/* '#' shows no zeros at the end */
	while (last > 0 && digits[last - 1] == '0')
		last--;
	for (guint i = from; i < until; i++) {
		const Token *token = token_at(section, i);
		if (token->type != DIGIT) {
			put_literal(out, token);
			continue;
		}
		if (at < last || token->c == '0')
			g_string_append_c(out, digits[at] != '\0' ? digits[at] : '0');
		at += digits[at] != '\0';
	}
}

static guint find(const Section *section, Type type)
{
	for (guint i = 0; i < section->tokens->len; i++)
		if (token_at(section, i)->type == type)
			return i;
	return section->tokens->len;
}

/* Commas after the last place of the whole part divide by a thousand; within, they group. */
static void read_commas(const Section *section, guint until, double *value, bool *grouped)
{
	guint last = until;
	while (last > 0 && token_at(section, last - 1)->type != DIGIT)
		last--;
	for (guint i = 0; i < until; i++) {
		if (token_at(section, i)->type != COMMA)
			continue;
		if (i >= last && last > 0)
			*value /= 1000;
		else if (i > 0 && token_at(section, i - 1)->type == DIGIT)
			*grouped = true;
	}
}

static void put_decimal(GString *out, const Section *section, double value)
{
	guint end = section->tokens->len, point = find(section, POINT);
	bool grouped = false;
	for (guint i = 0; i < end; i++)
		if (token_at(section, i)->type == PERCENT)
			value *= 100;
	read_commas(section, point, &value, &grouped);
	gsize decimals = MIN(count_digits(section, point, end), 15);
	char format[16], text[G_ASCII_DTOSTR_BUF_SIZE + 320];
	g_snprintf(format, sizeof format, "%%.%df", (int)decimals);
	g_ascii_formatd(text, sizeof text, format, value);
	char *dot = strchr(text, '.');
	if (dot != NULL)
		*dot = '\0';
	const char *whole = strcmp(text, "0") == 0 ? "" : text;
	if (count_digits(section, 0, point) == 0 && *whole != '\0' && (point < end || decimals > 0))
		g_string_append(out, whole);
	put_integer(out, section, point, whole, grouped);
	if (point < end) {
		g_string_append_c(out, '.');
		put_fraction_digits(out, section, point + 1, end, dot != NULL ? dot + 1 : "");
	}
}

static void put_scientific(GString *out, const Section *section, double value)
{
	guint e = find(section, EXPONENT), point = MIN(find(section, POINT), e);
	gsize whole = MAX(count_digits(section, 0, point), 1);
	gsize decimals = MIN(count_digits(section, point, e), 15);
	int power = value > 0 ? (int)floor(log10(value)) : 0;
	power -= (int)(((power % (int)whole) + (int)whole) % (int)whole);
	char format[16], text[G_ASCII_DTOSTR_BUF_SIZE + 320];
	g_snprintf(format, sizeof format, "%%.%df", (int)decimals);
	g_ascii_formatd(text, sizeof text, format, value / pow(10, power));
	for (guint i = 0; i < point; i++)
		if (token_at(section, i)->type == LITERAL)
			put_literal(out, token_at(section, i));
	g_string_append_printf(out, "%sE%s%0*d", text,
		power < 0 ? "-" : token_at(section, e)->c == '+' ? "+" : "",
		(int)MIN(count_digits(section, e, section->tokens->len), 9), abs(power));
	for (guint i = e; i < section->tokens->len; i++)
		if (token_at(section, i)->type == LITERAL)
			put_literal(out, token_at(section, i));
}

/* The best fraction whose denominator has as many digits as there are places. */
static void put_fraction(GString *out, const Section *section, double value)
{
	guint slash = find(section, SLASH), end = section->tokens->len;
	gsize places = MIN(count_digits(section, slash, end), 3);
	guint max = places >= 3 ? 999 : places == 2 ? 99 : 9;
	double whole = floor(value), rest = value - whole, best = 1;
	guint denominator = 1;
	const Token *after = slash + 1 < end ? token_at(section, slash + 1) : NULL;
	if (places == 0 && after != NULL && after->type == LITERAL &&
		g_ascii_isdigit(*after->text)) {
		denominator = (guint)CLAMP(g_ascii_strtoull(after->text, NULL, 10), 1, 9999);
	} else {
		for (guint d = 1; d <= max; d++) {
			double error = fabs(rest - round(rest * d) / d);
			if (error < best - 1e-12) {
				best = error;
				denominator = d;
			}
		}
	}
	for (guint i = 0; i < find(section, DIGIT); i++)
		put_literal(out, token_at(section, i));
	double numerator = round(rest * denominator);
	if (numerator != 0)
		g_string_append_printf(out, "%.0f %.0f/%u", whole, numerator, denominator);
	else
		g_string_append_printf(out, "%.0f", whole);
}

/* ---- dates ---------------------------------------------------------------------------- */

/* Days since 1899-12-30, with the 29th of February 1900 that never was. */
static GDateTime *date_of(double value)
{
	double days = floor(value), seconds = floor((value - days) * 86400 + 0.5);
	if (days < 0 || days > 2958465)
		return NULL;
	g_autoptr(GDateTime) start = g_date_time_new_utc(1899, 12, days < 60 ? 31 : 30, 0, 0, 0);
	g_autoptr(GDateTime) day = g_date_time_add_days(start, (int)days);
	return g_date_time_add_seconds(day, seconds);
}

/* "m" is minutes beside hours or seconds. */
static bool is_minutes(const Section *section, guint at)
{
	char before = 0, after = 0;
	for (guint i = 0; i < section->tokens->len; i++) {
		const Token *token = token_at(section, i);
		if (token->type != DATE || i == at)
			continue;
		if (i < at)
			before = g_ascii_tolower(token->c);
		else if (after == 0)
			after = g_ascii_tolower(token->c);
	}
	return before == 'h' || after == 's';
}

static void put_date_part(
	GString *out, const Section *section, guint at, GDateTime *date, double value)
{
	const Token *token = token_at(section, at);
	static const char *const months[] = {"January", "February", "March", "April", "May", "June",
		"July", "August", "September", "October", "November", "December"};
	static const char *const days[] = {
		"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
	guint n = token->n;
	int hour = g_date_time_get_hour(date);
	switch (token->c) {
	case 'H': g_string_append_printf(out, "%.0f", floor(value * 24)); return;
	case 'M': g_string_append_printf(out, "%.0f", floor(value * 1440)); return;
	case 'S': g_string_append_printf(out, "%.0f", floor(value * 86400)); return;
	case 'y':
		g_string_append_printf(out, n <= 2 ? "%02d" : "%04d",
			n <= 2 ? g_date_time_get_year(date) % 100 : g_date_time_get_year(date));
		return;
	case 'd':
		if (n >= 3)
			g_string_append_printf(out, "%.*s", n == 3 ? 3 : 9,
				days[g_date_time_get_day_of_week(date) - 1]);
		else
			g_string_append_printf(
				out, n == 1 ? "%d" : "%02d", g_date_time_get_day_of_month(date));
		return;
	case 'h':
		if (has(section, AMPM))
			hour = hour % 12 == 0 ? 12 : hour % 12;
		g_string_append_printf(out, n == 1 ? "%d" : "%02d", hour);
		return;
	case 's':
		g_string_append_printf(out, n == 1 ? "%d" : "%02d", g_date_time_get_second(date));
		return;
	default: break;
	}
	if (is_minutes(section, at))
		g_string_append_printf(out, n == 1 ? "%d" : "%02d", g_date_time_get_minute(date));
	else if (n >= 3)
		g_string_append_printf(out, "%.*s", n == 3 ? 3 : n == 5 ? 1 : 9,
			months[g_date_time_get_month(date) - 1]);
	else
		g_string_append_printf(out, n == 1 ? "%d" : "%02d", g_date_time_get_month(date));
}

static bool put_date(GString *out, const Section *section, double value)
{
	g_autoptr(GDateTime) date = date_of(value);
	if (date == NULL)
		return false;
	for (guint i = 0; i < section->tokens->len; i++) {
		const Token *token = token_at(section, i);
		if (token->type == DATE)
			put_date_part(out, section, i, date, value);
		else if (token->type == AMPM)
			g_string_append(out, g_date_time_get_hour(date) < 12 ? "AM" : "PM");
		else if (token->type == DIGIT)
			g_string_append_c(out, '0'); /* parts of a second */
		else
			put_literal(out, token);
	}
	return true;
}

/* A date has no places but for parts of a second: in "KD-0" the D is a letter. */
static bool is_date(const Section *section)
{
	bool second = false, date = false;
	for (guint i = 0; i < section->tokens->len; i++) {
		const Token *token = token_at(section, i);
		if (token->type == DIGIT && !second)
			return false;
		if (token->type == DATE) {
			date = true;
			second = g_ascii_tolower(token->c) == 's';
		}
	}
	return date;
}

/* ---- a number ------------------------------------------------------------------------- */

static void put_section(GString *out, const Section *section, double value)
{
	if (has(section, GENERAL) || (has(section, TEXT) && !has(section, DIGIT))) {
		for (guint i = 0; i < section->tokens->len; i++) {
			const Token *token = token_at(section, i);
			if (token->type == GENERAL || token->type == TEXT)
				ms_number_stored(out, value);
			else
				put_literal(out, token);
		}
	} else if (is_date(section)) {
		if (!put_date(out, section, value))
			ms_number_stored(out, value);
	} else if (find(section, SLASH) > 0 && has(section, SLASH)
		&& count_digits(section, 0, find(section, SLASH)) > 0
		&& token_at(section, find(section, SLASH) - 1)->type == DIGIT && value < 1e15
		&& !has(section, POINT) && count_digits(section, 0, section->tokens->len) <= 6) {
		put_fraction(out, section, value);
	} else if (has(section, EXPONENT)) {
		put_scientific(out, section, value);
	} else {
		put_decimal(out, section, value);
	}
}

static void sections_free(Section *sections, guint n)
{
	for (guint i = 0; i < n; i++)
		g_array_unref(sections[i].tokens);
}

void ms_number_stored(GString *out, double value)
{
	char digits[G_ASCII_DTOSTR_BUF_SIZE];
	bool whole = isfinite(value) && value == floor(value) && fabs(value) < 1e21;
	g_ascii_formatd(digits, sizeof digits, whole ? "%.0f" : "%.15g", value);
	g_string_append(out, digits);
}

#define SURE_DIGITS 15 /* that any number in the machine keeps */
#define MOST_DIGITS 400 /* that a power of ten stands for */

/* "1.25E3" as "1250": what stands before the point once the power is gone. */
static GString *digits_before_point(const char *text)
{
	GString *digits = g_string_new(NULL);
	const char *p = text + strspn(text, " \t\r\n+-");
	gint64 point = -1;
	for (; g_ascii_isdigit(*p) || (*p == '.' && point < 0); p++) {
		if (*p == '.')
			point = (gint64)digits->len;
		else
			g_string_append_c(digits, *p);
	}
	if (point < 0)
		point = (gint64)digits->len;
	if (*p == 'e' || *p == 'E')
		point += CLAMP(g_ascii_strtoll(p + 1, NULL, 10), -MOST_DIGITS, MOST_DIGITS);
	if (point < (gint64)digits->len)
		g_string_truncate(digits, (gsize)MAX(point, 0));
	while ((gint64)digits->len < point)
		g_string_append_c(digits, '0');
	return digits;
}

bool ms_number_written(GString *out, const char *text, double value)
{
	g_autoptr(GString) written = digits_before_point(text);
	g_autoptr(GString) stored = g_string_new(NULL);
	ms_number_stored(stored, value);
	const char *kept = stored->str + (*stored->str == '-');
	gsize n = strspn(kept, "0123456789");
	bool same = n == written->len && memcmp(kept, written->str, n) == 0 &&
		strpbrk(kept, "eE") == NULL;
	/* Of others the last digit behind the point may be rounded up to the first. */
	bool zeros = written->len > 1 && written->str[0] == '0';
	if (same || (!zeros && written->len <= SURE_DIGITS) || strpbrk(text, "xXnN") != NULL)
		return false;
	g_string_append_len(out, written->str, (gssize)written->len);
	return true;
}

static bool is_plain(const char *format)
{
	return format == NULL || *format == '\0' || strcmp(format, "0") == 0
		|| g_ascii_strcasecmp(format, "General") == 0 || strcmp(format, "@") == 0
		|| strlen(format) > MAX_FORMAT;
}

/* A sign that the format does not show itself stands before all. */
bool ms_number_shown(GString *out, double value, const char *format)
{
	if (!isfinite(value) || fabs(value) >= 1e21 ||
		(is_plain(format) &&
			(format == NULL || strcmp(format, "0") != 0 || value == floor(value))))
		return false;
	Section sections[4];
	guint n = parse(format, sections);
	bool without_sign;
	const Section *section = choose(sections, n, value, &without_sign);
	g_autoptr(GString) shown = g_string_new(NULL);
	if (section != NULL && section->tokens->len > 0) {
		if (value < 0 && !without_sign)
			g_string_append_c(shown, '-');
		put_section(shown, section, fabs(value));
	}
	sections_free(sections, n);
	g_autoptr(GString) stored = g_string_new(NULL);
	ms_number_stored(stored, value);
	if (shown->len == 0 || strcmp(shown->str, stored->str) == 0)
		return false;
	g_string_append(out, shown->str);
	return true;
}

bool ms_number_text_shown(GString *out, const char *text, const char *format)
{
	if (is_plain(format) || strchr(format, '@') == NULL)
		return false;
	Section sections[4];
	guint n = parse(format, sections);
	const Section *section = &sections[n - 1]; /* the fourth, or the last if it is for text */
	bool shows = has(section, TEXT);
	for (guint i = 0; i < section->tokens->len && shows; i++) {
		const Token *token = token_at(section, i);
		if (token->type == TEXT)
			g_string_append(out, text);
		else
			put_literal(out, token);
	}
	sections_free(sections, n);
	return shows;
}

bool ms_number_value_shown(GString *out, const char *text, const char *format)
{
	char *end;
	double number = g_ascii_strtod(text, &end);
	bool any = end != text;
	while (g_ascii_isspace(*end))
		end++;
	return any && *end == '\0' ? ms_number_shown(out, number, format)
				   : ms_number_text_shown(out, text, format);
}

#define PADDED 4 /* digits, whatever the number: no amount is shown so */

bool ms_number_format_tells(const char *format)
{
	if (is_plain(format))
		return false;
	Section sections[4];
	guint n = parse(format, sections);
	bool tells = false;
	for (guint i = 0; i < n; i++) {
		guint zeros = 0;
		for (guint j = 0; j < sections[i].tokens->len; j++) {
			const Token *token = token_at(&sections[i], j);
			zeros = token->type == DIGIT && token->c == '0' ? zeros + 1 : 0;
			tells = tells || zeros >= PADDED;
			for (gsize k = 0; token->type == LITERAL && k < token->len; k++)
				tells = tells || g_ascii_isalnum(token->text[k]) ||
					(token->text[k] & 0x80) != 0;
			/* letters that a date is made of, too */
			tells = tells || (token->type == DATE && !is_date(&sections[i]));
		}
	}
	sections_free(sections, n);
	return tells;
}

const char *ms_number_builtin(guint id)
{
	static const char *const formats[] = {[1] = "0",
		[2] = "0.00",
		[3] = "#,##0",
		[4] = "#,##0.00",
		[5] = "$#,##0;\\-$#,##0",
		[6] = "$#,##0;\\-$#,##0",
		[7] = "$#,##0.00;\\-$#,##0.00",
		[8] = "$#,##0.00;\\-$#,##0.00",
		[9] = "0%",
		[10] = "0.00%",
		[11] = "0.00E+00",
		[12] = "# ?/?",
		[13] = "# ?\?/?\?",
		[14] = "yyyy-mm-dd",
		[15] = "d-mmm-yy",
		[16] = "d-mmm",
		[17] = "mmm-yy",
		[18] = "h:mm AM/PM",
		[19] = "h:mm:ss AM/PM",
		[20] = "h:mm",
		[21] = "h:mm:ss",
		[22] = "yyyy-mm-dd h:mm",
		[37] = "#,##0;\\-#,##0",
		[38] = "#,##0;\\-#,##0",
		[39] = "#,##0.00;\\-#,##0.00",
		[40] = "#,##0.00;\\-#,##0.00",
		[41] = "#,##0",
		[42] = "$#,##0",
		[43] = "#,##0.00",
		[44] = "$#,##0.00",
		[45] = "mm:ss",
		[46] = "[h]:mm:ss",
		[47] = "mm:ss.0",
		[48] = "##0.0E+0",
		[49] = "@"};
	return id < G_N_ELEMENTS(formats) ? formats[id] : NULL;
}
