/*
 * Tax numbers of countries without a VAT ID of Europe's form.  In comes a canonical value, with
 * or without the country's letters; out goes whether it is built as some number of that sort,
 * and whether the check digits of a country whose form it has agree.  A country without a row is
 * recognised all the same, by its label or field: there is no list that could be too short.
 *
 * Source: the tax administrations' own descriptions (India GSTN, Australia ABR, Turkey GIB,
 * Brazil RFB, Mexico SAT, Japan NTA, Korea NTS, China GB 32100, South Africa SARS, Israel ITA,
 * Ukraine, Serbia, Iceland, Canada CRA, New Zealand IRD, Russia FNS, Argentina AFIP, Chile SII,
 * Colombia DIAN, Peru SUNAT, Morocco DGI).  Pure functions; any thread.
 */
#include "config.h"

#include <string.h>

#include "check.h"

#define MIN_LENGTH 5
#define MAX_LENGTH 20
#define MIN_DIGITS 5

static const char alphanumeric[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

static int value_of(const char *letters, char c)
{
	const char *p = strchr(letters, c);
	return p != NULL ? (int)(p - letters) : 0;
}

/* The sum of the digits with these weights, one a character: 0 to 9, A is 10. */
static int weigh(const char *s, const char *weights)
{
	int sum = 0;
	for (gsize i = 0; weights[i] != '\0'; i++)
		sum += (s[i] - '0') * value_of(alphanumeric, weights[i]);
	return sum;
}

static int last(const char *s)
{
	return s[strlen(s) - 1] - '0';
}

static bool luhn(const char *s)
{
	return ms_kind_luhn(s, strlen(s));
}

/* Luhn's sum over 36 characters. */
static bool india(const char *s)
{
	int sum = 0;
	for (gsize i = 0; i < 15; i++) {
		int n = value_of(alphanumeric, s[14 - i]) * (i % 2 == 1 ? 2 : 1);
		sum += n / 36 + n % 36;
	}
	return sum % 36 == 0;
}

static bool australia(const char *s)
{
	return s[0] != '0' && (weigh(s, "A13579BDFHJ") - 10) % 89 == 0;
}

static bool australian_company(const char *s)
{
	return (10 - weigh(s, "87654321") % 10) % 10 == last(s);
}

static bool turkey(const char *s)
{
	int sum = 0;
	for (int i = 0; i < 9; i++) {
		int d = (s[i] - '0' + 9 - i) % 10, power = 1 << (9 - i);
		int n = d * power % 9;
		sum += d != 0 && n == 0 ? 9 : n;
	}
	return (10 - sum % 10) % 10 == last(s);
}

static bool brazil(const char *s)
{
	int one = weigh(s, "543298765432") % 11, two = weigh(s, "6543298765432") % 11;
	return s[12] - '0' == (one < 2 ? 0 : 11 - one) && s[13] - '0' == (two < 2 ? 0 : 11 - two);
}

/* Of persons 13 characters, of companies 12, as if a blank stood before them. */
static bool mexico(const char *s)
{
	static const char letters[] = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ ";
	gsize len = strlen(s);
	int sum = len == 12 ? 37 * 13 : 0;
	for (gsize i = 0; i + 1 < len; i++)
		sum += value_of(letters, s[i]) * (int)(len - i);
	int check = (11 - sum % 11) % 11;
	return s[len - 1] == (check == 10 ? 'A' : (char)('0' + check));
}

static bool japan(const char *s)
{
	return 9 - weigh(s + 1, "212121212121") % 9 == s[0] - '0';
}

static bool korea(const char *s)
{
	int sum = weigh(s, "13713713") + (s[8] - '0') * 5 + (s[8] - '0') * 5 / 10;
	return (10 - sum % 10) % 10 == last(s);
}

static bool china(const char *s)
{
	static const char letters[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
	int sum = 0;
	for (int i = 0, weight = 1; i < 17; i++, weight = weight * 3 % 31)
		sum += value_of(letters, s[i]) * weight;
	return letters[(31 - sum % 31) % 31] == s[17];
}

static bool ukraine(const char *s)
{
	bool middle = strcmp(s, "30000000") >= 0 && strcmp(s, "60000000") <= 0;
	int check = weigh(s, middle ? "7123456" : "1234567") % 11;
	if (check == 10)
		check = weigh(s, middle ? "9345678" : "3456789") % 11 % 10;
	return check == last(s);
}

static bool serbia(const char *s)
{
	int rest = 10;
	for (gsize i = 0; i < 8; i++) {
		int sum = (rest + s[i] - '0') % 10;
		rest = (sum == 0 ? 10 : sum) * 2 % 11;
	}
	return (11 - rest) % 10 == last(s);
}

static bool iceland(const char *s)
{
	return (11 - weigh(s, "32765432") % 11) % 11 == s[8] - '0';
}

static bool canada(const char *s)
{
	return ms_kind_luhn(s, MIN(strlen(s), 9));
}

static bool new_zealand(const char *s)
{
	g_autofree char *nine = strlen(s) == 8 ? g_strconcat("0", s, NULL) : g_strdup(s);
	int check = (11 - weigh(nine, "32765432") % 11) % 11;
	if (check == 10)
		check = (11 - weigh(nine, "74325276") % 11) % 11;
	return check == last(nine);
}

static bool russia(const char *s)
{
	if (strlen(s) == 10)
		return weigh(s, "24A359468") % 11 % 10 == last(s);
	return weigh(s, "724A359468") % 11 % 10 == s[10] - '0' &&
		weigh(s, "3724A359468") % 11 % 10 == last(s);
}

static bool argentina(const char *s)
{
	int check = (11 - weigh(s, "5432765432") % 11) % 11;
	return check == last(s);
}

static bool chile(const char *s)
{
	int sum = 0;
	gsize len = strlen(s) - 1;
	for (gsize i = 0; i < len; i++)
		sum += (s[len - 1 - i] - '0') * (2 + (int)i % 6);
	int check = 11 - sum % 11;
	return s[len] == (check == 11 ? '0' : check == 10 ? 'K' : (char)('0' + check));
}

static bool colombia(const char *s)
{
	int sum = 0;
	static const int weights[] = {3, 7, 13, 17, 19, 23, 29, 37, 41};
	for (gsize i = 0; i < 9; i++)
		sum += (s[8 - i] - '0') * weights[i];
	int check = sum % 11;
	return (check < 2 ? check : 11 - check) == last(s);
}

static bool peru(const char *s)
{
	return (11 - weigh(s, "5432765432") % 11) % 10 == last(s);
}

static bool morocco(const char *s)
{
	return ms_kind_mod_97(0, s, strlen(s)) == 0;
}

/* # digit, @ letter, * either. */
static const struct {
	const char *country, *shape;
	bool (*check)(const char *number);
} rows[] = {
	{"IN", "##@@@@@####@***", india},
	{"AU", "###########", australia},
	{"AU", "#########", australian_company},
	{"TR", "##########", turkey},
	{"BR", "##############", brazil},
	{"MX", "@@@######***", mexico},
	{"MX", "@@@@######***", mexico},
	{"JP", "#############", japan},
	{"KR", "##########", korea},
	{"CN", "******************", china},
	{"ZA", "4#########", luhn},
	{"IL", "#########", luhn},
	{"UA", "########", ukraine},
	{"RS", "#########", serbia},
	{"IS", "##########", iceland},
	{"CA", "#########", canada},
	{"CA", "#########@@####", canada},
	{"NZ", "########", new_zealand},
	{"NZ", "#########", new_zealand},
	{"RU", "##########", russia},
	{"RU", "############", russia},
	{"AR", "###########", argentina},
	{"CL", "########*", chile},
	{"CL", "#######*", chile},
	{"CO", "##########", colombia},
	{"PE", "###########", peru},
	{"MA", "###############", morocco},
};

static bool agrees(const char *value, const char *country)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if ((country == NULL || strncmp(rows[i].country, country, 2) == 0) &&
			check_has_shape(value, rows[i].shape) && rows[i].check(value))
			return true;
	return false;
}

bool ms_check_tax_digits(const char *value)
{
	return agrees(value, NULL) || (strlen(value) > 2 && agrees(value + 2, value))
		|| (value[0] == 'T' && agrees(value + 1, "JP"));
}

const char *ms_check_tax(const char *value)
{
	gsize len = strlen(value), digits = 0;
	for (gsize i = 0; i < len; i++)
		digits += g_ascii_isdigit(value[i]);
	return len >= MIN_LENGTH && len <= MAX_LENGTH && digits >= MIN_DIGITS ? NULL
		: "a tax number has 5 to 20 letters and digits, of which 5 are digits";
}

/* Japan: of a company, or of its registration for the tax, which has a T before it. */
void ms_tax_bare(char *value)
{
	if (value[0] == 'T' && strlen(value) == 14 && strspn(value + 1, "0123456789") == 13)
		memmove(value, value + 1, 14);
}
