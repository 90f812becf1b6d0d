/*
 * One company has several numbers that contain each other.  A root is what they have in common:
 * "FR123456824" of the VAT ID FR40123456824, the SIREN 123456824, the SIRET 12345682400012 and
 * the participant 0009:12345682400012.  A number that is written without its country has the
 * number itself for a root.  Pure functions; any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/compact.h"
#include "missent/kind.h"
#include "missent/postal.h"
#include "missent/text.h"

#include "check.h"
#include "latin.h"

/* The space of roots that are stored for a part of them: the SIREN for a SIRET. */
#define MS_FORM_PART "part"
#define ZEROS_SPACE "zeros/"
#define NO_COUNTRY "nocountry"
#define DOMESTIC "domestic"
#define MIN_DOMESTIC 10
#define MIN_WITHOUT_ZEROS 6
#define MIN_BARE 8 /* characters of a number that may stand without its country */

typedef struct {
	GPtrArray *qualified; /* with the country or scheme */
	GPtrArray *bare;
	bool part;    /* it is one of several of its root: an establishment */
	bool country; /* the value says of which country, or register, it is */
} Roots;

static void add(GPtrArray *list, const char *text)
{
	for (guint i = 0; i < list->len; i++)
		if (strcmp(list->pdata[i], text) == 0)
			return;
	g_ptr_array_add(list, g_strdup(text));
}

static void add_both(Roots *roots, const char *country, const char *number)
{
	g_autofree char *qualified = g_strconcat(country, number, NULL);
	add(roots->qualified, qualified);
	if (strlen(number) >= MIN_BARE)
		add(roots->bare, number);
}

/* "995525828MVA": the tax behind it says as much as a country before it. */
static void add_ended(Roots *roots, const char *number, const char *tax)
{
	g_autofree char *ended = g_strconcat(number, tax, NULL);
	add(roots->bare, ended);
}

static bool is_digits(const char *s, gsize n)
{
	return strlen(s) == n && strspn(s, "0123456789") == n;
}

static char *cut_suffix(const char *s, const char *const *suffixes)
{
	for (; *suffixes != NULL; suffixes++)
		if (g_str_has_suffix(s, *suffixes))
			return g_strndup(s, strlen(s) - strlen(*suffixes));
	return g_strdup(s);
}

/* ---- VAT IDs -------------------------------------------------------------------------- */

static void of_vat(Roots *roots, const char *value)
{
	static const char *const swiss[] = {"MWST", "TVA", "IVA", NULL};
	static const char *const norwegian[] = {"MVA", NULL};
	roots->country = true;
	if (g_str_has_prefix(value, "CHE")) {
		g_autofree char *number = cut_suffix(value + 3, swiss);
		add_both(roots, "CHE", number);
		for (const char *const *tax = swiss; *tax != NULL; tax++)
			add_ended(roots, number, *tax);
		return;
	}
	if (!g_ascii_isalpha(value[0]) || !g_ascii_isalpha(value[1])) {
		g_autofree char *number = cut_suffix(value, norwegian);
		roots->country = strcmp(number, value) != 0;
		if (roots->country)
			add_both(roots, "NO", number);
		else
			add(roots->bare, value);
		return;
	}
	const char country[3] = {value[0], value[1], '\0'};
	g_autofree char *number = cut_suffix(
		value + 2, strcmp(country, "NO") == 0 ? norwegian : (const char *const[]){NULL});
	gsize len = strlen(number);
	if (strcmp(country, "FR") == 0 && len == 11) { /* two characters, then the SIREN */
		add_both(roots, "FR", number + 2);
		add(roots->bare, number);
	} else if (strcmp(country, "SE") == 0 &&
		len == 12) { /* the organisation's number, then 01 */
		add(roots->bare, number);
		number[10] = '\0';
		add_both(roots, "SE", number);
	} else if (strcmp(country, "BE") == 0 && len == 9) { /* before 2008 without its zero */
		g_autofree char *ten = g_strconcat("0", number, NULL);
		add_both(roots, "BE", ten);
	} else {
		add_both(roots, strcmp(country, "GR") == 0 ? "EL" : country, number);
		if (strcmp(country, "NO") == 0)
			add_ended(roots, number, norwegian[0]);
	}
}

/* ---- numbers of registers ------------------------------------------------------------- */

/* Registers whose numbers are told apart by more than a country. */
static const char *const registers[] = {
	"NLKVK", "NLOIN", "SGUEN", "PLREGON", "PLKRS", "DEHR", "ATFN", "ITREA", NULL};

/* How many letters before a number say of which register it is. */
static gsize register_length(const char *value)
{
	for (const char *const *p = registers; *p != NULL; p++)
		if (g_str_has_prefix(value, *p))
			return strlen(*p);
	bool country = g_ascii_isupper(value[0]) && g_ascii_isupper(value[1])
		&& strspn(value + 2, "0123456789") >= MIN_BARE;
	return country ? 2 : 0;
}

static void of_registration(Roots *roots, const char *value)
{
	gsize letters = register_length(value);
	if (letters > 0 && !g_str_has_prefix(value, "CHE")) {
		g_autofree char *root = g_strndup(value, letters);
		add_both(roots, root, value + letters);
		add(roots->bare, value + letters);
		roots->country = true;
		return;
	}
	g_autofree char *siren = g_strndup(value, 9);
	if ((is_digits(value, 14) || is_digits(value, 9)) && ms_check_siren(siren)) {
		add_both(roots, "FR", siren);
		roots->part = strlen(value) == 14;
	}
	if (is_digits(value, 10) && (value[0] == '0' || value[0] == '1'))
		add_both(roots, "BE", value);
	if (g_str_has_prefix(value, "CHE"))
		of_vat(roots, value);
	add(roots->bare, value);
	/* "00445790", of which many leave the zeros out */
	gsize zeros = strspn(value, "0");
	if (is_digits(value, strlen(value)) && strlen(value) - zeros >= MIN_WITHOUT_ZEROS)
		add(roots->bare, value + zeros);
}

/* Schemes of the ISO/IEC 6523 code list as Peppol uses it, and of what country their numbers
 * are; "VAT" stands for a VAT ID of the country that is named first. */
static const struct {
	const char *scheme, *root;
	bool vat;
} schemes[] = {
	{"0002", "FR", false},
	{"0009", "FR", false},
	{"0007", "SE", false},
	{"0060", "DUNS", false},
	{"0088", "GLN", false},
	{"0106", "NLKVK", false},
	{"0183", "CHE", false},
	{"0184", "DK", false},
	{"0190", "NLOIN", false},
	{"0192", "NO", false},
	{"0195", "SGUEN", false},
	{"0196", "IS", false},
	{"0198", "DK", true},
	{"0204", "LEITWEG", false},
	{"0208", "BE", false},
	{"0211", "IT", true},
	{"0213", "FI", true},
	{"9910", "HU", true},
	{"9914", "AT", true},
	{"9915", "AT", false},
	{"9920", "ES", true},
	{"9922", "AD", true},
	{"9923", "AL", true},
	{"9924", "BA", true},
	{"9925", "BE", true},
	{"9926", "BG", true},
	{"9927", "CHE", true},
	{"9928", "CY", true},
	{"9929", "CZ", true},
	{"9930", "DE", true},
	{"9931", "EE", true},
	{"9932", "GB", true},
	{"9933", "EL", true},
	{"9934", "HR", true},
	{"9935", "IE", true},
	{"9936", "LI", true},
	{"9937", "LT", true},
	{"9938", "LU", true},
	{"9939", "LV", true},
	{"9940", "MC", true},
	{"9941", "ME", true},
	{"9942", "MK", true},
	{"9943", "MT", true},
	{"9944", "NL", true},
	{"9945", "PL", true},
	{"9946", "PT", true},
	{"9947", "RO", true},
	{"9948", "RS", true},
	{"9949", "SI", true},
	{"9950", "SK", true},
	{"9951", "SM", true},
	{"9952", "TR", true},
	{"9953", "VA", true},
	{"9955", "SE", true},
	{"9956", "BE", false},
	{"9957", "FR", true},
};

static void of_participant(Roots *roots, const char *value)
{
	for (gsize i = 0; i < G_N_ELEMENTS(schemes); i++) {
		if (strncmp(value, schemes[i].scheme, 4) != 0 || strlen(value) < 4 + MIN_BARE)
			continue;
		const char *number = value + 4, *root = schemes[i].root;
		roots->country = true;
		if (g_str_has_prefix(number, root) && g_ascii_isalpha(root[0]) && strlen(root) < 4)
			number += strlen(root);
		g_autofree char *siren = g_strndup(number, 9);
		if (schemes[i].vat) {
			g_autofree char *vat = g_strconcat(root, number, NULL);
			of_vat(roots, vat);
		} else {
			add_both(roots, root, strcmp(root, "FR") == 0 ? siren : number);
			add(roots->bare, number);
		}
		return;
	}
	of_registration(roots, value);
}

/* Of a kind that is of one register whatever its value says. */
static void of_register(Roots *roots, const char *name, const char *value)
{
	add_both(roots, name, value);
	roots->country = true;
}

static void roots_of(const MsKind *kind, const char *value, Roots *roots)
{
	switch (kind->family) {
	case MS_FAMILY_NONE: break;
	case MS_FAMILY_VAT: of_vat(roots, value); break;
	case MS_FAMILY_REGISTRATION: of_registration(roots, value); break;
	case MS_FAMILY_PARTICIPANT: of_participant(roots, value); break;
	case MS_FAMILY_GLN: of_register(roots, "GLN", value); break;
	case MS_FAMILY_DUNS: of_register(roots, "DUNS", value); break;
	}
}

/* ---- forms ---------------------------------------------------------------------------- */

static void form_free(gpointer data)
{
	MsOtherForm *form = data;
	g_free(form->key);
	g_free(form->compact);
	g_free(form);
}

static void add_form(GPtrArray *forms, const char *space, const char *value, bool compact)
{
	MsOtherForm *form = g_new0(MsOtherForm, 1);
	form->key = g_strconcat(space, "/", value, NULL);
	form->part = strcmp(space, MS_FORM_PART) == 0;
	form->compact = !compact ? NULL
		: strchr(value, '/') != NULL
		? g_strdup(value) /* of an address: never in a text as it is */
		: ms_compact_of(value, strlen(value));
	g_ptr_array_add(forms, form);
}

static void add_all(GPtrArray *forms, const char *space, const GPtrArray *values, bool compact)
{
	for (guint i = 0; i < values->len; i++)
		add_form(forms, space, values->pdata[i], compact);
}

static GPtrArray *company_forms(const MsKind *kind, const char *value, bool asked)
{
	GPtrArray *forms = g_ptr_array_new_with_free_func(form_free);
	g_autoptr(GPtrArray) qualified = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) bare = g_ptr_array_new_with_free_func(g_free);
	Roots roots = {qualified, bare, false, false};
	roots_of(kind, value, &roots);
	if (asked || !roots.part)
		add_all(forms, "company", qualified, false);
	if (asked || roots.part)
		add_all(forms, MS_FORM_PART, qualified, false);
	/* A number that names its country is not another country's: it is asked for among those
	 * that name none. */
	if (asked && roots.country) {
		add_all(forms, NO_COUNTRY, bare, false);
		return forms;
	}
	/* Only of a company's numbers: a customer's number with the digits of a VAT ID is not
	 * that. */
	if (!asked && kind->family != MS_FAMILY_NONE && !roots.country && !roots.part)
		add_form(forms, NO_COUNTRY, value, false);
	if (!asked || qualified->len == 0 || strspn(value, "0123456789") == strlen(value))
		add_all(forms, roots.part && !asked ? MS_FORM_PART : "company", bare, true);
	if (asked && qualified->len == 0)
		add_all(forms, MS_FORM_PART, bare, false);
	return forms;
}

/* ---- of which register ---- */

static const struct {
	const char *word, *root;
} register_words[] = {
	{"kvk", "NLKVK"},
	{"k.v.k", "NLKVK"},
	{"cvr", "DK"},
	{"organisasjonsnummer", "NO"},
	{"organisationsnummer", "SE"},
	{"y-tunnus", "FI"},
	{"ondernemingsnummer", "BE"},
	{"numero d'entreprise", "BE"},
	{"regon", "PLREGON"},
	{"krs", "PLKRS"},
	{"hrb", "DEHR"},
	{"hra", "DEHR"},
	{"firmenbuch", "ATFN"},
	{"numero rea", "ITREA"},
};

const char *ms_kind_register_of_label(const char *label, gsize len)
{
	g_autoptr(MsFold) fold = ms_fold_new(label, len);
	for (gsize i = 0; i < G_N_ELEMENTS(register_words); i++)
		if (g_ascii_strncasecmp(fold->text, register_words[i].word,
			    strlen(register_words[i].word)) == 0)
			return register_words[i].root;
	return NULL;
}

const char *ms_kind_register_of_scheme(const char *scheme)
{
	for (gsize i = 0; i < G_N_ELEMENTS(schemes); i++)
		if (!schemes[i].vat && strcmp(schemes[i].scheme, scheme) == 0)
			return schemes[i].root;
	return NULL;
}

/* ---- addresses ---- */

#define MAX_FORMS 200

/* For the filter alone; takes `compact`. */
static void filter_form(GPtrArray *forms, char *compact)
{
	MsOtherForm *form = g_new0(MsOtherForm, 1);
	form->compact = compact;
	g_ptr_array_add(forms, form);
}

static bool every_key(const char *key, MsPostalDepth depth, void *user)
{
	GPtrArray *forms = user;
	if (forms->len >= MAX_FORMS)
		return false;
	if (depth == MS_POSTAL_CODE || depth == MS_POSTAL_NUMBER) {
		filter_form(forms, g_strconcat(key, "/", NULL));
	}
	if (depth == MS_POSTAL_CODE && key[0] == MS_POSTAL_TOWN[0])
		/* there are such */
		filter_form(forms, g_strdup(MS_POSTAL_TOWN MS_POSTAL_TOWN "/"));
	return true;
}

static void keep_key(const char *key, MsPostalDepth depth, gsize start, gsize end, void *user)
{
	(void)start;
	(void)end;
	GPtrArray *forms = user;
	if (forms->len >= MAX_FORMS)
		return;
	add_form(forms, "address", key, true);
	if (depth == MS_POSTAL_NAME) /* for the filter alone */
		g_clear_pointer(&((MsOtherForm *)forms->pdata[forms->len - 1])->key, g_free);
}

static void address_forms(GPtrArray *forms, const char *canonical, const char *text, gsize len)
{
	g_autoptr(MsFold) fold = ms_fold_new(text, len);
	/* By these a reader tells what it need not give back. */
	filter_form(forms, g_strndup(canonical, MS_POSTAL_WORDS_MAX));
	if (strchr(canonical, '/') == NULL) {
		filter_form(forms, g_strdup(MS_POSTAL_WORDS));
		/* Of no form that postal.c knows: found where it stands as it is here. */
		filter_form(forms, ms_compact_of(text, len));
	}
	MsPostalSink sink = {every_key, keep_key, forms, true};
	ms_postal_find(fold->text, fold->len, true, &sink);
	g_autofree char *latin = ms_latin_of(text, len);
	if (latin != NULL)
		ms_postal_find(latin, strlen(latin), true, &sink);
}

/* ---- telephone numbers ---- */

/* Country codes of two digits, and 1 and 7; all others have three (ITU-T E.164, list of
 * assigned codes). */
static gsize country_code_length(const char *number)
{
	static const char two[] =
		"20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 "
		"60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98 ";
	if (number[0] == '1' || number[0] == '7')
		return 1;
	for (const char *p = two; *p != '\0'; p += 3)
		if (strncmp(number, p, 2) == 0)
			return 2;
	return 3;
}

#define MIN_NATIONAL 8 /* digits: shorter ones are numbers like any other */

/* As it is dialled from abroad, and within its country, where it has a 0 before it or none. */
static void phone_forms(GPtrArray *forms, const char *number)
{
	g_autofree char *abroad = g_strconcat("00", number, NULL);
	add_form(forms, "phone", abroad, true);
	gsize code = country_code_length(number);
	if (strlen(number) < code + MIN_NATIONAL)
		return;
	g_autofree char *national = g_strconcat("0", number + code, NULL);
	add_form(forms, "phone", national, true);
	add_form(forms, "phone", number + code, true);
}

/* ---- numbers with leading zeros ---- */

/* How many letters a word has before digits that are all the rest of it; 0: it is no such word. */
static gsize letters_before_digits(const char *word, gsize len)
{
	gsize n = 0;
	while (n < len && g_ascii_isalpha(word[n]))
		n++;
	return n > 0 && n < len && strspn(word + n, "0123456789") >= len - n ? n : 0;
}

/* "FA2026418" of "FA-2026-0418": zeros that only fill up a group are left out by some, and the
 * marks between the groups are whatever they are.  NULL if there are none. */
static char *without_zeros(const char *text, gsize len)
{
	g_autoptr(MsFold) fold = ms_fold_new(text, len);
	g_autoptr(MsCompact) compact = ms_compact_new(fold->text, fold->len);
	GString *out = g_string_new(NULL);
	bool letters = false;
	for (gsize i = 0; i < compact->n_words; i++) {
		const char *word = compact->text + compact->words[i].start;
		gsize n = compact->words[i].end - compact->words[i].start, zeros = 0;
		while (zeros + 1 < n && word[zeros] == '0')
			zeros++;
		for (gsize k = 0; k < n; k++)
			letters = letters || !g_ascii_isdigit(word[k]);
		gsize led = letters_before_digits(word, n);
		if (led > 0) { /* "ACC0048213" */
			g_string_append_len(out, word, (gssize)led);
			zeros = led + strspn(word + led, "0");
			zeros = MIN(zeros, n - 1);
		} else if (i == 0 || strspn(word, "0123456789") < n) {
			zeros = 0;
		}
		g_string_append_len(out, word + zeros, (gssize)(n - zeros));
	}
	if (!letters && compact->n_words == 1) /* "0000471123", of which a table keeps 471123 */
		g_string_erase(out, 0, (gssize)strspn(out->str, "0"));
	bool differs = out->len < compact->len && out->len >= MIN_WITHOUT_ZEROS &&
		(letters || compact->n_words == 1);
	char *upper = differs ? g_utf8_strup(out->str, -1) : NULL;
	g_string_free(out, TRUE);
	return upper;
}

static void add_zeros(GPtrArray *forms, const MsKind *kind, const char *value, bool compact)
{
	g_autofree char *space = g_strconcat(ZEROS_SPACE, kind->name, NULL);
	add_form(forms, space, value, compact);
}

/* ---- accounts at banks ---- */

/* Where an IBAN has the bank and the account as they are written within a country: "BLZ 37040044,
 * Konto 532013000", "60-16-13 31926819".  Zeros before the account are not written, of the banks
 * of Switzerland neither.  Of some countries the account says its bank. */
static const struct {
	char country[3];
	guint8 len, bank, bank_len, account, end;
	bool short_bank;
} accounts[] = {
	{"DE", 22, 4, 8, 12, 22, false},
	{"AT", 20, 4, 5, 9, 20, false},
	{"CH", 21, 4, 5, 9, 21, true},
	{"LI", 21, 4, 5, 9, 21, true},
	{"GB", 22, 8, 6, 14, 22, false},
	{"IE", 22, 8, 6, 14, 22, false},
	{"DK", 18, 4, 4, 8, 18, false},
	{"FO", 18, 4, 4, 8, 18, false},
	{"GL", 18, 4, 4, 8, 18, false},
	{"IT", 27, 5, 10, 15, 27, false},
	{"SM", 27, 5, 10, 15, 27, false},
	{"IS", 26, 4, 6, 10, 16, false},
	{"FI", 18, 4, 6, 10, 18, false},
	{"SE", 24, 7, 0, 7, 24, false},
	{"NL", 18, 8, 0, 8, 18, false},
	{"EE", 20, 8, 0, 8, 20, false},
	{"TR", 26, 10, 0, 10, 26, false},
};

#define MIN_ACCOUNT 9

/* `whole`: with its zeros it is there already. */
static void add_account(GPtrArray *forms, const char *bank, gsize bank_len, const char *account,
	gsize account_len, bool whole)
{
	gsize zeros = MIN(strspn(account, "0"), account_len);
	g_autofree char *value = g_strdup_printf("%.*s%.*s", (int)bank_len, bank,
		(int)(account_len - zeros), account + zeros);
	if (strlen(value) >= MIN_ACCOUNT)
		add_form(forms, DOMESTIC, value, true);
	if (zeros == 0 || whole)
		return;
	g_autofree char *filled = g_strdup_printf(
		"%.*s%.*s", (int)bank_len, bank, (int)account_len, account);
	add_form(forms, DOMESTIC, filled, true);
}

/* "19-2000145399/0800": a prefix, if there is one, the account and the bank. */
static void czech_account(GPtrArray *forms, const char *iban)
{
	const char *bank = iban + 4, *prefix = iban + 8, *account = iban + 14;
	gsize zeros = MIN(strspn(prefix, "0"), 6), led = strspn(account, "0");
	g_autofree char *whole = g_strdup_printf("%.16s%.4s", prefix, bank);
	g_autofree char *plain = g_strdup_printf(
		"%.*s%s%.4s", (int)(6 - zeros), prefix + zeros, account + led, bank);
	g_autofree char *filled = g_strdup_printf(
		"%.*s%s%.4s", (int)(6 - zeros), prefix + zeros, account, bank);
	add_form(forms, DOMESTIC, whole, true);
	if (strlen(plain) >= MIN_ACCOUNT)
		add_form(forms, DOMESTIC, plain, true);
	if (strcmp(plain, filled) != 0)
		add_form(forms, DOMESTIC, filled, true);
}

/* An IBAN is its country, two check digits, and the account as it is written within the country.
 * Poland writes the check digits too, Germany the account before its bank, Hungary no last eight
 * zeros. */
static void account_forms(GPtrArray *forms, const char *iban)
{
	gsize len = strlen(iban);
	if (len < 4 + MIN_DOMESTIC || !g_ascii_isalpha(iban[0]) || !g_ascii_isdigit(iban[2]))
		return;
	add_form(forms, DOMESTIC, iban + 4, true);
	if (strncmp(iban, "PL", 2) == 0)
		add_form(forms, DOMESTIC, iban + 2, true);
	for (gsize i = 0; i < G_N_ELEMENTS(accounts); i++) {
		const char *bank = iban + accounts[i].bank;
		gsize bank_len = accounts[i].bank_len;
		if (len != accounts[i].len || strncmp(iban, accounts[i].country, 2) != 0)
			continue;
		for (; accounts[i].short_bank && bank_len > 1 && *bank == '0'; bank_len--)
			bank++;
		add_account(forms, bank, bank_len, iban + accounts[i].account,
			(gsize)(accounts[i].end - accounts[i].account),
			bank == iban + 4 && accounts[i].bank + bank_len == accounts[i].account &&
				accounts[i].end == len);
	}
	if ((strncmp(iban, "CZ", 2) == 0 || strncmp(iban, "SK", 2) == 0) && len == 24)
		czech_account(forms, iban);
	if (strncmp(iban, "HU", 2) == 0 && len == 28 && g_str_has_suffix(iban, "00000000")) {
		g_autofree char *sixteen = g_strndup(iban + 4, 16);
		add_form(forms, DOMESTIC, sixteen, true);
	}
}

static GPtrArray *number_forms(const MsKind *kind, const char *value, const char *text, gsize len)
{
	GPtrArray *forms = company_forms(kind, value, false);
	g_autofree char *bare = kind->family == MS_FAMILY_NONE && kind->check == MS_CHECK_NONE
		? without_zeros(text, len) : NULL;
	if (bare != NULL)
		add_zeros(forms, kind, bare, true);
	if (kind->check == MS_CHECK_IBAN)
		account_forms(forms, value);
	return forms;
}

GPtrArray *ms_kind_stored_forms(
	const MsKind *kind, const char *canonical, const char *text, gsize len)
{
	if (kind->form == MS_FORM_ALNUM || kind->form == MS_FORM_DIGITS)
		return number_forms(kind, canonical, text, len);
	GPtrArray *forms = g_ptr_array_new_with_free_func(form_free);
	if (kind->form == MS_FORM_PHONE) {
		phone_forms(forms, canonical);
	} else if (kind->form == MS_FORM_ADDRESS) {
		address_forms(forms, canonical, text, len);
	} else if (canonical[0] != '@') {
		g_autofree char *compact = ms_compact_of(canonical, strlen(canonical));
		add_form(forms, "email", compact, true);
	}
	return forms;
}

/* As it is stored: without dots. */
static void add_mailbox(GPtrArray *forms, const char *address, gsize local, const char *domain)
{
	g_autofree char *plain = g_strdup_printf("%.*s%s", (int)local, address, domain);
	g_autofree char *compact = ms_compact_of(plain, strlen(plain));
	add_form(forms, "email", compact, false);
}

/* "anna+shop@a.example" is anna's; Google knows a mailbox by two domains, and whatever dots there
 * are before them. */
static void add_plain_mailbox(GPtrArray *forms, const char *address)
{
	static const char *const google[] = {"@gmail.com", "@googlemail.com"};
	const char *plus = strchr(address, '+'), *at = strrchr(address, '@');
	bool tagged = plus != NULL && plus > address && plus < at;
	gsize local = (gsize)((tagged ? plus : at) - address);
	if (strcmp(at, google[0]) == 0 || strcmp(at, google[1]) == 0) {
		add_mailbox(forms, address, local, google[0]);
		add_mailbox(forms, address, local, google[1]);
	} else if (tagged) {
		add_mailbox(forms, address, local, at);
	}
}

GPtrArray *ms_kind_asked_forms(const MsKind *kind, const char *value)
{
	if (kind->form == MS_FORM_ALNUM || kind->form == MS_FORM_DIGITS) {
		GPtrArray *asked = company_forms(kind, value, true);
		if (kind->family == MS_FAMILY_NONE && kind->check == MS_CHECK_NONE &&
			strlen(value) >= MIN_WITHOUT_ZEROS &&
			strpbrk(value, "0123456789") != NULL &&
			(value[0] != '0' || value[strspn(value, "0123456789")] != '\0'))
			add_zeros(asked, kind, value, false);
		if (kind->check == MS_CHECK_IBAN && ms_check_value(kind->check, value) != NULL)
			add_form(asked, DOMESTIC, value, false);
		return asked;
	}
	GPtrArray *forms = g_ptr_array_new_with_free_func(form_free);
	if (kind->form == MS_FORM_EMAIL && strchr(value, '@') == NULL)
		add_form(forms, "email", value, false);
	else if (kind->form == MS_FORM_EMAIL)
		add_plain_mailbox(forms, value);
	else if (kind->form == MS_FORM_ADDRESS)
		add_form(forms, "address", value, false);
	else if (kind->form == MS_FORM_PHONE)
		add_form(forms, "phone", value, false);
	return forms;
}
