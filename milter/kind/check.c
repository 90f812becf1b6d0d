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
	"VG24 XK20 YE30";

static gsize iban_length(const char *value)
{
	for (const char *p = iban_lengths; *p != '\0'; p += p[4] == ' ' ? 5 : 4)
		if (memcmp(p, value, 2) == 0)
			return (gsize)(p[2] - '0') * 10 + (gsize)(p[3] - '0');
	return 0;
}

static const char *check_iban(const char *value)
{
	gsize len = strlen(value);
	if (len < 15 || len > 34 || !g_ascii_isupper(value[0]) || !g_ascii_isupper(value[1])
		|| !g_ascii_isdigit(value[2]) || !g_ascii_isdigit(value[3]))
		return "an IBAN is a country code, two check digits and 11 to 30 letters or digits";
	gsize want = iban_length(value);
	if (want != 0 && want != len)
		return "the IBAN's length is not that of its country";
	unsigned rest = 0;
	for (gsize i = 0; i < len; i++) {
		char c = value[(i + 4) % len];
		if (g_ascii_isdigit(c))
			rest = (rest * 10 + (unsigned)(c - '0')) % 97;
		else if (g_ascii_isupper(c))
			rest = (rest * 100 + (unsigned)(c - 'A') + 10) % 97;
		else
			return "an IBAN has letters A to Z and digits only";
	}
	return rest == 1 ? NULL : "the IBAN's check digits are wrong";
}

static const char *check_luhn(const char *value)
{
	gsize len = strlen(value);
	if (len < 2 || !is_digits(value))
		return "it must consist of digits";
	unsigned sum = 0;
	for (gsize i = 0; i < len; i++) {
		unsigned d = (unsigned)(value[len - 1 - i] - '0') * (i % 2 == 1 ? 2 : 1);
		sum += d > 9 ? d - 9 : d;
	}
	return sum % 10 == 0 ? NULL : "the check digit (Luhn) is wrong";
}

/* Structure of VAT IDs: # digit, @ letter, * either.  VIES; Swiss UID (CHE), Norway, United
 * Kingdom (9 or 12 digits, GD and HA of government and health). */
static const struct {
	const char *country;
	const char *shapes[4];
} vat_shapes[] = {
	{"AT", {"U########"}},
	{"BE", {"##########"}},
	{"BG", {"#########", "##########"}},
	{"CHE", {"#########", "#########MWST", "#########TVA", "#########IVA"}},
	{"CY", {"########@"}},
	{"CZ", {"########", "#########", "##########"}},
	{"DE", {"#########"}},
	{"DK", {"########"}},
	{"EE", {"#########"}},
	{"EL", {"#########"}},
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

static bool has_shape(const char *value, const char *shape)
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
			if (has_shape(value + n, vat_shapes[i].shapes[k]))
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
	}
	g_assert_not_reached();
}
