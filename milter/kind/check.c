/*
 * A value and the name of a check come in; out goes whether its digits are right, and how it is
 * written.  Any thread.
 */
#include "config.h"

#include <string.h>

#include "check.h"

static bool is_digits(const char *s)
{
	return *s != '\0' && s[strspn(s, "0123456789")] == '\0';
}

static const char *check_uuid(const char *value)
{
	if (strlen(value) != 32 || value[strspn(value, "0123456789ABCDEF")] != '\0')
		return "a UUID has 32 hexadecimal digits";
	/* All digits alike is what forms are filled with. */
	return strspn(value, (char[]){value[0], '\0'}) == 32 ? "all digits of the UUID are alike"
							    : NULL;
}

/* Lengths of the IBAN registry (ISO 13616-1, SWIFT release 98). */
static const char iban_lengths[] =
	"AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 "
	"DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 "
	"HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 "
	"MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 "
	"RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 "
	"VG24 XK20 YE30 "
	/* not in the registry, but in use */
	"AO25 BF28 BJ28 CF27 CG27 CI28 CM27 CV25 DZ26 GA27 GQ27 GW25 HN28 IR26 KM27 MA28 MG27 ML28 "
	"MZ25 NE28 SN28 TD27 TG28 "
	/* territories with a code of their own */
	"AX18 BL27 GF27 GP27 MF27 MQ27 NC27 PF27 PM27 RE27 TF27 WF27 YT27";

static gsize iban_length(const char *value)
{
	for (const char *p = iban_lengths; *p != '\0'; p += p[4] == ' ' ? 5 : 4)
		if (memcmp(p, value, 2) == 0)
			return (gsize)(p[2] - '0') * 10 + (gsize)(p[3] - '0');
	return 0;
}

int ms_kind_mod_97(int rest, const char *text, gsize len)
{
	for (gsize i = 0; i < len && rest >= 0; i++) {
		char c = text[i];
		if (g_ascii_isdigit(c))
			rest = (rest * 10 + c - '0') % 97;
		else
			rest = g_ascii_isupper(c) ? (rest * 100 + c - 'A' + 10) % 97 : -1;
	}
	return rest;
}

/* With its first four characters at the end, as IBANs and creditor references have it. */
static int turned_97(const char *value, gsize len)
{
	return ms_kind_mod_97(ms_kind_mod_97(0, value + 4, len - 4), value, 4);
}

static const char *check_iban(const char *value)
{
	gsize len = strlen(value);
	if (len < 15 || len > 34 || !g_ascii_isupper(value[0]) || !g_ascii_isupper(value[1])
		|| !g_ascii_isdigit(value[2]) || !g_ascii_isdigit(value[3]))
		return "an IBAN is a country code, two check digits and 11 to 30 letters or digits";
	gsize want = iban_length(value);
	if (want != len)
		return want == 0 ? "no country with this code has IBANs"
				 : "the IBAN's length is not that of its country";
	int rest = turned_97(value, len);
	if (rest < 0)
		return "an IBAN has letters A to Z and digits only";
	return rest == 1 ? NULL : "the IBAN's check digits are wrong";
}

bool ms_kind_luhn(const char *digits, gsize len)
{
	unsigned sum = 0;
	for (gsize i = 0; i < len; i++) {
		unsigned d = (unsigned)(digits[len - 1 - i] - '0') * (i % 2 == 1 ? 2 : 1);
		sum += d > 9 ? d - 9 : d;
	}
	return sum % 10 == 0;
}

static const char *check_luhn(const char *value)
{
	if (strlen(value) < 2 || !is_digits(value))
		return "it must consist of digits";
	return ms_kind_luhn(value, strlen(value)) ? NULL : "the check digit (Luhn) is wrong";
}

/* Lengths and first digits in use: Visa, Mastercard, American Express, Diners, Discover, JCB,
 * UnionPay, Maestro.  ISO/IEC 7812-2 and the schemes' own rules. */
static const char *check_card(const char *value)
{
	gsize len = strlen(value);
	if (len < 13 || len > 19 || !is_digits(value))
		return "a card number has 13 to 19 digits";
	int four = (value[0] - '0') * 1000 + (value[1] - '0') * 100 + (value[2] - '0') * 10 +
		value[3] - '0';
	int two = four / 100;
	bool known = (value[0] == '4' && (len == 13 || len == 16 || len == 19)) ||
		(((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) && len == 16) ||
		((two == 34 || two == 37) && len == 15) ||
		(((four >= 3000 && four <= 3059) || two == 36 || two == 38 || two == 39) &&
			len == 14) ||
		((four == 6011 || two == 65 || (four >= 6440 && four <= 6499)) && len == 16) ||
		(four >= 3528 && four <= 3589 && len == 16) || (two == 62 && len >= 16) ||
		((two == 50 || two == 56 || two == 58 || two == 63 || two == 67) && len >= 16);
	if (!known)
		return "no card begins so and has this length";
	if (strspn(value, (char[]){value[len - 1], '\0'}) == len)
		return "all digits of the card number are alike";
	return ms_kind_luhn(value, len) ? NULL : "the check digit (Luhn) is wrong";
}

bool ms_check_siren(const char *digits)
{
	return strspn(digits, "0123456789") >= 9 && strncmp(digits, "000000000", 9) != 0 &&
		ms_kind_luhn(digits, 9);
}

/* INSEE: nine digits, Luhn; an establishment has five more (La Poste's sum to a multiple of
 * five instead). */
static bool siret_digits(const char *value)
{
	gsize len = strlen(value);
	if (!is_digits(value) || (len != 9 && len != 14) || !ms_check_siren(value))
		return false;
	unsigned sum = 0;
	for (gsize i = 0; i < len; i++)
		sum += (unsigned)(value[i] - '0');
	return ms_kind_luhn(value, len) || (strncmp(value, "356000000", 9) == 0 && sum % 5 == 0);
}

static const char *check_siret(const char *value)
{
	gsize len = strlen(value);
	return is_digits(value) && (len == 9 || len == 14) ? NULL
		: "a SIREN has 9 digits, a SIRET 14";
}

/* "Format-Spezifikation Leitweg-ID" 2.0.2, KoSIT: 2 to 12 digits, up to 30 letters or digits,
 * two check digits.  Its dashes are not in the canonical value. */
static const char *check_leitweg(const char *value)
{
	gsize len = strlen(value);
	bool fine = len >= 5 && len <= 44 && strspn(value, "0123456789") >= 2
		&& g_ascii_isdigit(value[len - 1]) && g_ascii_isdigit(value[len - 2])
		&& value[strspn(value, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '\0';
	return fine ? NULL : "a Leitweg-ID is digits, letters or digits, and two check digits";
}

/* GS1 General Specifications 7.9. */
static bool gs1_digits(const char *value)
{
	gsize len = strlen(value);
	unsigned sum = 0;
	for (gsize i = 0; i < len; i++)
		sum += (unsigned)(value[len - 1 - i] - '0') * (i % 2 == 1 ? 3 : 1);
	return is_digits(value) && sum % 10 == 0;
}

static const char *check_gln(const char *value)
{
	return is_digits(value) && strlen(value) == 13 ? NULL : "a GLN has 13 digits";
}

static const char *check_duns(const char *value)
{
	return is_digits(value) && strlen(value) == 9 ? NULL : "a DUNS number has 9 digits";
}

/* ISO 3166-1, and XK for Kosovo. */
static const char countries[] =
	"AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ "
	"BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM "
	"DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS "
	"GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN "
	"KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ "
	"MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM "
	"PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV "
	"SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI "
	"VN VU WF WS XK YE YT ZA ZM ZW ";

static bool is_country(const char *two)
{
	for (const char *p = countries; *p != '\0'; p += 3)
		if (memcmp(p, two, 2) == 0)
			return true;
	return false;
}

/* ISO 9362: institution, country, place, and sometimes a branch. */
static const char *check_bic(const char *value)
{
	gsize len = strlen(value);
	bool fine = (len == 8 || len == 11) && is_country(value + 4);
	for (gsize i = 0; fine && i < 6; i++)
		fine = g_ascii_isupper(value[i]) || (i < 4 && g_ascii_isdigit(value[i]));
	for (gsize i = 6; fine && i < len; i++)
		fine = g_ascii_isupper(value[i]) || g_ascii_isdigit(value[i]);
	return fine
		? NULL
		: "a BIC is 8 or 11 letters and digits with a country in the fifth and sixth place";
}

/* ISO 17442. */
static const char *check_lei(const char *value)
{
	return strlen(value) == 20 && ms_kind_mod_97(0, value, 20) == 1 ? NULL
		: "a LEI is 20 letters and digits whose check digits agree";
}

/* SEPA creditor identifiers (EPC262-08): country, check digits, business code, national number;
 * creditor references (ISO 11649): RF, check digits, reference. */
static const char *check_creditor(const char *value)
{
	gsize len = strlen(value);
	bool fine = len >= 8 && len <= 35 && is_country(value) && g_ascii_isdigit(value[2]) &&
		g_ascii_isdigit(value[3]);
	/* the business code counts for nothing */
	return fine && ms_kind_mod_97(ms_kind_mod_97(0, value + 7, len - 7), value, 4) == 1
		? NULL
		: "it is not a SEPA creditor identifier, or its check digits are wrong";
}

static const char *check_rf(const char *value)
{
	gsize len = strlen(value);
	return g_str_has_prefix(value, "RF") && len >= 5 && len <= 25 && turned_97(value, len) == 1
		? NULL
		: "it is not a creditor reference (RF), or its check digits are wrong";
}

/* ITU-T E.164: up to 15 digits with the country code; national numbers begin with 0. */
static const char *check_phone(const char *value)
{
	gsize len = strlen(value);
	return is_digits(value) && len >= 7 && len <= 15 ? NULL
							 : "a telephone number has 7 to 15 digits";
}

/* Structure of VAT IDs: # digit, @ letter, * either.  VIES; Swiss UID (CHE), Norway, United
 * Kingdom (9 or 12 digits, GD and HA of government and health). */
static const struct {
	const char *country;
	const char *shapes[4];
} vat_shapes[] = {
	{"AT", {"U########"}},
	{"BE", {"##########", "#########"}},
	{"BG", {"#########", "##########"}},
	{"CHE", {"#########", "#########MWST", "#########TVA", "#########IVA"}},
	{"CY", {"########@"}},
	{"CZ", {"########", "#########", "##########"}},
	{"DE", {"#########"}},
	{"DK", {"########"}},
	{"EE", {"#########"}},
	{"EL", {"#########"}},
	{"EU", {"#########"}},
	{"ES", {"@#######*", "########@"}},
	{"FI", {"########"}},
	{"FR", {"**#########"}},
	{"GB", {"#########", "############", "GD###", "HA###"}},
	{"GR", {"#########"}},
	{"HR", {"###########"}},
	{"HU", {"########"}},
	{"IE", {"#*#####@", "#######@@"}},
	{"IT", {"###########"}},
	{"LT", {"#########", "############"}},
	{"LU", {"########"}},
	{"LV", {"###########"}},
	{"MT", {"########"}},
	{"NL", {"#########B##"}},
	{"NO", {"#########", "#########MVA"}},
	{"PL", {"##########"}},
	{"PT", {"#########"}},
	{"RO", {"##########", "#########", "########", "#######"}},
	{"SE", {"############"}},
	{"SI", {"########"}},
	{"SK", {"##########"}},
	{"XI", {"#########", "############", "GD###", "HA###"}},
};

bool check_has_shape(const char *value, const char *shape)
{
	for (; *shape != '\0'; shape++, value++) {
		bool fine = *shape == '#' ? g_ascii_isdigit(*value)
			: *shape == '@' ? g_ascii_isupper(*value)
			: *shape == '*' ? g_ascii_isdigit(*value) || g_ascii_isupper(*value)
					: *value == *shape;
		if (!fine)
			return false;
	}
	return *value == '\0';
}

static const char *check_vat(const char *value)
{
	for (gsize i = 0; i < G_N_ELEMENTS(vat_shapes); i++) {
		gsize n = strlen(vat_shapes[i].country);
		if (strncmp(value, vat_shapes[i].country, n) != 0)
			continue;
		for (int k = 0; k < 4 && vat_shapes[i].shapes[k] != NULL; k++)
			if (check_has_shape(value + n, vat_shapes[i].shapes[k]))
				return NULL;
		return "the VAT ID's length or letters are not those of its country";
	}
	return "a VAT ID begins with a country code (such as DE, FR, CHE)";
}

const char *ms_check_value(MsCheck check, const char *value)
{
	switch (check) {
	case MS_CHECK_NONE: return NULL;
	case MS_CHECK_UUID: return check_uuid(value);
	case MS_CHECK_IBAN: return check_iban(value);
	case MS_CHECK_VAT: return check_vat(value);
	case MS_CHECK_LUHN: return check_luhn(value);
	case MS_CHECK_CARD: return check_card(value);
	case MS_CHECK_SIRET: return check_siret(value);
	case MS_CHECK_LEITWEG: return check_leitweg(value);
	case MS_CHECK_GLN: return check_gln(value);
	case MS_CHECK_DUNS: return check_duns(value);
	case MS_CHECK_BIC: return check_bic(value);
	case MS_CHECK_LEI: return check_lei(value);
	case MS_CHECK_CREDITOR: return check_creditor(value);
	case MS_CHECK_RF: return check_rf(value);
	case MS_CHECK_PHONE: return check_phone(value);
	case MS_CHECK_TAX:
		/* A VAT ID is one, and no other. */
		return check_vat(value) == NULL ? "it is a VAT ID" : ms_check_tax(value);
	}
	g_assert_not_reached();
}

/* What is known under another form of it ("40123456824" of FR40123456824) has not the form that the
 * sums count on. */
bool ms_check_digits(MsCheck check, const char *value)
{
	if (ms_check_value(check, value) != NULL)
		return false;
	switch (check) {
	case MS_CHECK_IBAN:
	case MS_CHECK_LUHN:
	case MS_CHECK_CARD:
	case MS_CHECK_LEI:
	case MS_CHECK_CREDITOR:
	case MS_CHECK_RF: return true;
	case MS_CHECK_VAT: return ms_check_vat_digits(value);
	case MS_CHECK_TAX: return ms_check_tax_digits(value);
	case MS_CHECK_SIRET: return siret_digits(value);
	case MS_CHECK_LEITWEG: return ms_kind_mod_97(0, value, strlen(value)) == 1;
	case MS_CHECK_GLN: return gs1_digits(value);
	case MS_CHECK_DUNS: return false; /* its check digit was given up in 2006 */
	case MS_CHECK_NONE:
	case MS_CHECK_UUID:
	case MS_CHECK_BIC:
	case MS_CHECK_PHONE: return false;
	}
	g_assert_not_reached();
}
