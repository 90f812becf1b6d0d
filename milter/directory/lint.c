/*
 * Rows come in as they are read, entries and what is said of accounts in the order of their
 * digests, so that all that is said of one is seen together; out go warnings, a few of each sort
 * and how many more there are.  Memory does not grow with the file, but for delegations, of which
 * so many are looked at.  One thread.
 */
#include "config.h"

#include <string.h>

#include "missent/domain.h"
#include "missent/text.h"

#include "lint.h"

#define EXAMPLES 5
#define MAX_DELEGATIONS 200000
#define FORM_VALUES 1000 /* of each kind: the first are looked at */
#define FORM_FEW 5       /* from so many something can be said */
#define MIN_OF_PAIR 5    /* characters */
#define MIN_DIGITS_OF_PAIR 6
#define MIN_LABEL 5      /* characters */
#define DENSE_BLOCK 1000 /* numbers one behind another */
#define DENSE_BLOCKS 4096 /* of one kind and length: the first are counted */
#define DENSE_LEAST 500  /* of a block, so that one of it more often is somebody's than not */
#define DENSE_LONGEST 15 /* digits */

typedef enum {
	RULE_PROVIDER,
	RULE_SUFFIX,
	RULE_PLACEHOLDER,
	RULE_SPOILT,
	RULE_MANY,
	RULE_HOUSE,
	RULE_NO_RECIPIENTS,
	RULE_NO_IDENTIFIERS,
	RULE_NOBODY,
	RULE_CIRCLE,
	RULE_FORM,
	RULE_SEVERAL,
	RULE_WORD,
	RULE_WRITTEN,
	RULE_DENSE,
	N_RULES,
} Rule;

static const char *const more[N_RULES] = {
	[RULE_PROVIDER] = "domains at which anybody can have a mailbox",
	[RULE_SUFFIX] = "public suffixes as domains",
	[RULE_PLACEHOLDER] = "values that look like placeholders",
	[RULE_SPOILT] = "values that a program seems to have changed",
	[RULE_MANY] = "values at many accounts",
	[RULE_HOUSE] = "values that are also the house's",
	[RULE_NO_RECIPIENTS] = "accounts without recipients",
	[RULE_NO_IDENTIFIERS] = "accounts without identifiers",
	[RULE_NOBODY] = "delegations for unknown accounts",
	[RULE_CIRCLE] = "delegations in a circle",
	[RULE_FORM] = "kinds whose values have another form",
	[RULE_SEVERAL] = "values that may be several, or have words beside them",
	[RULE_WORD] = "values without a digit",
	[RULE_WRITTEN] = "values that are written otherwise at another account",
	[RULE_DENSE] = "kinds whose numbers are nearly all somebody's",
};

/* What is said of an account. */
enum { HAS_IDENTIFIER = 1, HAS_RECIPIENT = 2, RECEIVES_FOR = 4, IS_RECEIVED_FOR = 8 };

/* Said again by lines that follow each other. */
#define LATELY 4096

struct MsLint {
	MsKinds *kinds;
	char *house;
	guint many;
	MsLintTold told;
	void *user;
	guint64 counts[N_RULES];
	guint32 lately[LATELY]; /* of what was put aside; by its own hash */
	GHashTable *forms;      /* MsKind to Form */
	/* the entries of one digest */
	guint8 digest[MS_ENTRY_DIGEST];
	guint accounts;
	bool of_house, other_form;
	guint64 line;
	guint16 written;             /* how the first of them is, if that is known */
	guint64 written_line, other_line;
	/* the account */
	char *account;
	guint8 flags;
	guint64 account_line;
	/* delegations */
	GHashTable *numbers; /* account to its number + 1 */
	GArray *edges;       /* of Edge */
};

typedef struct {
	guint from, to;
	guint64 line;
} Edge;

typedef struct {
	guint values, others; /* and of these, with another form than the kind's */
	guint64 line;         /* of the first other */
	guint several;        /* of all, may be several; and the lines of the first */
	guint64 lines[EXAMPLES];
	/* Of those with so many digits, how many each block has. */
	GHashTable *blocks[DENSE_LONGEST + 1];
} Form;

static void form_free(gpointer data)
{
	Form *form = data;
	for (guint len = 0; len <= DENSE_LONGEST; len++)
		g_clear_pointer(&form->blocks[len], g_hash_table_unref);
	g_free(form);
}

MsLint *ms_lint_new(MsKinds *kinds, const char *house, guint many, MsLintTold told, void *user)
{
	MsLint *lint = g_new0(MsLint, 1);
	lint->kinds = ms_kinds_ref(kinds);
	lint->house = g_strdup(house != NULL ? house : "");
	lint->many = many;
	lint->told = told;
	lint->user = user;
	lint->numbers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	lint->edges = g_array_new(FALSE, FALSE, sizeof(Edge));
	lint->forms = g_hash_table_new_full(NULL, NULL, NULL, form_free);
	return lint;
}

void ms_lint_free(MsLint *lint)
{
	if (lint == NULL)
		return;
	ms_kinds_unref(lint->kinds);
	g_free(lint->house);
	g_free(lint->account);
	g_hash_table_unref(lint->numbers);
	g_array_unref(lint->edges);
	g_hash_table_unref(lint->forms);
	g_free(lint);
}

static void tell(MsLint *lint, Rule rule, guint64 line, const char *format, ...)
	G_GNUC_PRINTF(4, 5);
static void tell(MsLint *lint, Rule rule, guint64 line, const char *format, ...)
{
	if (++lint->counts[rule] > EXAMPLES)
		return;
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	lint->told(line, text, lint->user);
}

guint64 ms_lint_count(const MsLint *lint)
{
	guint64 all = 0;
	for (int i = 0; i < N_RULES; i++)
		all += lint->counts[i];
	return all;
}

/* ---- values --------------------------------------------------------------------------- */

/* Nobody's: RFC 2606, and what people write who have no address. */
static bool is_placeholder_address(const char *address)
{
	static const char *const locals[] = {"test", "tests", "noreply", "no-reply", "no_reply",
		"donotreply", "do-not-reply", "nobody", "none", "dummy", "example", "unknown",
		"unbekannt", "inconnu", "onbekend", "keine", "keinemail", "nomail", "na", "n.a",
		"xxx", "xx", "asdf", "abc", "placeholder", "todo", "tbd", "changeme", NULL};
	static const char *const domains[] = {"example.com", "example.org", "example.net",
		"test.com", "test.de", "test.fr", "test.nl", "domain.com", "invalid", "localhost",
		NULL};
	const char *at = strrchr(address, '@');
	g_autofree char *local = g_strndup(address, (gsize)(at - address));
	return g_strv_contains(locals, local) || g_strv_contains(domains, at + 1) ||
		g_str_has_suffix(at, ".invalid") || g_str_has_suffix(at, ".test") ||
		g_str_has_suffix(at, ".localhost");
}

static bool is_run(const char *digits, gsize n)
{
	for (gsize i = 1; i < n; i++)
		if (digits[i] != (digits[i - 1] == '9' ? '0' : digits[i - 1] + 1))
			return false;
	return n >= 4 && (digits[0] == '0' || digits[0] == '1');
}

/* 0000, C-99999, 12345678, TEST; not a number that has some of them. */
static bool is_placeholder_number(const char *text)
{
	static const char *const words[] = {"TEST", "DUMMY", "UNKNOWN", "UNBEKANNT", "INCONNU",
		"NONE", "NULL", "TBD", "TODO", "XXX", "XXXX", "XXXXX", "XXXXXX", "ABC123",
		"PLACEHOLDER", NULL};
	g_autoptr(GString) digits = g_string_new(NULL), all = g_string_new(NULL);
	for (const char *p = text; *p != '\0'; p++) {
		if (g_ascii_isdigit(*p))
			g_string_append_c(digits, *p);
		if (g_ascii_isalnum(*p))
			g_string_append_c(all, g_ascii_toupper(*p));
	}
	if (g_strv_contains(words, all->str))
		return true;
	const char same[] = {digits->str[0], '\0'};
	bool equal = digits->len >= 4 && strspn(digits->str, same) == digits->len;
	return (equal &&
		       (digits->str[0] == '0' || digits->str[0] == '9' ||
			       digits->len == all->len)) ||
		is_run(digits->str, digits->len);
}

static void check_mail(MsLint *lint, guint64 line, const char *value)
{
	g_autofree char *address = ms_address_canonical(value, strlen(value));
	if (address == NULL)
		return;
	if (address[0] == '@' && ms_domain_is_provider(address + 1))
		tell(lint, RULE_PROVIDER, line, MS_LINT_PROVIDER);
	else if (address[0] == '@' && ms_domain_is_suffix(address + 1))
		tell(lint, RULE_SUFFIX, line,
			"a public suffix, such as com and co.uk: it is no company's domain");
	else if (address[0] != '@' && is_placeholder_address(address))
		tell(lint, RULE_PLACEHOLDER, line,
			"an address that looks like a placeholder (test@, noreply@)");
}

/* "26.11.2026", "2026-11-26 00:00:00", "Feb 25", "01-Mar": digits are '0', letters 'a'. */
static bool is_date(const char *text)
{
	static const char *const shapes[] = {"0.0.0", "0/0/0", "0-0-0", "a-0", "0-a", "a 0",
		"0. a", "0-a-0", "0.0.0 0:0", "0/0/0 0:0", "0-0-0 0:0:0", "0.0.0 0:0:0",
		"0/0/0 0:0:0", NULL};
	static const char *const months[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug",
		"sep", "oct", "nov", "dec", "m\xc3\xa4r", "mrz", "mai", "okt", "dez", NULL};
	g_autoptr(GString) shape = g_string_new(NULL);
	for (const char *p = text; *p != '\0';) {
		gsize digits = strspn(p, "0123456789"), letters = 0;
		while (g_ascii_isalpha(p[letters]) || (p[letters] & 0x80) != 0)
			letters++;
		g_autofree char *word = g_ascii_strdown(p, (gssize)letters);
		if (digits > 4 || digits == 3 ||
			(letters > 0 && !g_strv_contains(months, word)))
			return false;
		g_string_append_c(shape, digits > 0 ? '0' : letters > 0 ? 'a' : *p);
		p += digits > 0 ? digits : letters > 0 ? letters : 1;
	}
	return g_strv_contains(shapes, shape->str);
}

/* "M\u00b3ller", "M?ller": in another encoding it would be a letter. */
static bool has_sign_in_word(const char *text)
{
	static const char signs[] = "?\ufffd\u00a1\u00a2\u00a3\u00a4\u00a5\u00a6\u00a7\u00a8\u00ac\u00af"
		"\u00b1\u00b2\u00b3\u00b6\u00b8\u00b9\u00bc\u00bd\u00be\u00bf\u00d7\u00f7\u201a\u201e"
		"\u2026\u2020\u2021\u2030\u20ac";
	bool letter = false;
	for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);
		if (letter && g_utf8_strchr(signs, -1, c) != NULL &&
			g_unichar_isalpha(g_utf8_get_char(g_utf8_next_char(p))))
			return true;
		letter = g_unichar_isalpha(c);
	}
	return false;
}

/* UTF-8 that was taken for Latin-1, references of HTML: they are found in no mail. */
static bool is_garbled(const char *text)
{
	if (has_sign_in_word(text))
		return true;
	for (const char *p = text; (p = strpbrk(p, "\xc3&")) != NULL; p++) {
		gsize name = p[0] == '&' ? strspn(p + 1, "#abcdefghijklmnopqrstuvwxyz0123456789") : 0;
		if (name > 1 && p[1 + name] == ';')
			return true;
		if ((p[0] & 0xff) == 0xc3 && (p[1] & 0xff) == 0x83 && (p[2] & 0xff) == 0xc2)
			return true;
	}
	return false;
}

static void check_spoilt(MsLint *lint, guint64 line, const char *kind, const char *value)
{
	gsize digits = strspn(value, "0123456789");
	const char *rest = value + digits;
	if (is_garbled(value))
		tell(lint, RULE_SPOILT, line,
			"a %s with letters that are none (\xc3\x83\xc2\xbc, &uuml;): exported in another "
			"encoding than it is read in?", kind);
	else if (is_date(value))
		tell(lint, RULE_SPOILT, line,
			"a %s that looks like a date, into which spreadsheets turn numbers", kind);
	else if (digits > 3 && (*rest == '.' || *rest == ',') &&
		(strcmp(rest + 1, "0") == 0 || strcmp(rest + 1, "00") == 0))
		tell(lint, RULE_SPOILT, line,
			"a %s with decimals (4711.0), which programs add that take it for an amount", kind);
}

/* "Barverkauf" in the place of a number: who writes the word writes of that account. */
static bool is_word(const MsKind *kind, const char *value)
{
	return strpbrk(value, "0123456789") == NULL && !ms_kind_has_form(kind, value);
}

/* "C-20022/C-20023", "48291746/48291747": two of one shape; not "2024/1207". */
static bool is_pair(const char *value)
{
	const char *slash = strchr(value, '/');
	gsize len = slash != NULL ? (gsize)(slash - value) : 0;
	bool letter = false;
	if (len < MIN_OF_PAIR || strlen(slash + 1) != len)
		return false;
	for (gsize i = 0; i < len; i++) {
		char a = value[i], b = slash[1 + i];
		if (g_ascii_isdigit(a) ? !g_ascii_isdigit(b) : a != b)
			return false;
		letter = letter || g_ascii_isalpha(a);
	}
	return letter || len >= MIN_DIGITS_OF_PAIR;
}

/* "Kd.-Nr. 48291756"; "KD 48291756" may be a number. */
static bool begins_with_label(const MsKind *kind, const char *value)
{
	MsMatch match;
	return kind->labels != NULL &&
		ms_regex_at(kind->labels, value, strlen(value), 0, &match) == MS_MATCH &&
		match.end >= MIN_LABEL && value[match.end + strspn(value + match.end, ".:")] == ' ';
}

/* "C-20032 C-20033", "48291746 / 48291747", "C-20062 (old: C-20063)": loaded as one
 * it would be found in no mail. */
static bool may_be_several(const MsKind *kind, const char *value, bool has_form)
{
	bool plain = kind->check == MS_CHECK_NONE &&
		(kind->form == MS_FORM_ALNUM || kind->form == MS_FORM_DIGITS);
	return plain && ((!has_form && strpbrk(value, " \t\r\n,;|/\\()[]:&") != NULL) || is_pair(value) ||
				begins_with_label(kind, value));
}

/* Digits alone, which count wherever they stand, as they are in mail. */
static void count_digits(Form *form, const MsKind *kind, const char *value)
{
	gsize len = strlen(value);
	if (!ms_kind_is_plain(kind) || len < kind->bare_digits || len > DENSE_LONGEST ||
		strspn(value, "0123456789") != len)
		return;
	GHashTable **blocks = &form->blocks[len];
	if (*blocks == NULL)
		*blocks = g_hash_table_new(NULL, NULL);
	gpointer block = GSIZE_TO_POINTER(1 + g_ascii_strtoull(value, NULL, 10) / DENSE_BLOCK);
	gsize n = GPOINTER_TO_SIZE(g_hash_table_lookup(*blocks, block));
	if (n > 0 || g_hash_table_size(*blocks) < DENSE_BLOCKS)
		g_hash_table_insert(*blocks, block, GSIZE_TO_POINTER(n + 1));
}

static void tell_dense(MsLint *lint, const MsKind *kind, const Form *form)
{
	for (guint len = 0; len <= DENSE_LONGEST; len++) {
		GHashTableIter iter;
		gpointer n;
		gsize all = 0, dense = 0;
		if (form->blocks[len] == NULL)
			continue;
		g_hash_table_iter_init(&iter, form->blocks[len]);
		while (g_hash_table_iter_next(&iter, NULL, &n)) {
			all += GPOINTER_TO_SIZE(n);
			dense += GPOINTER_TO_SIZE(n) >= DENSE_LEAST ? GPOINTER_TO_SIZE(n) : 0;
		}
		if (dense * 2 > all)
			tell(lint, RULE_DENSE, 0,
				"%s: nearly every number of %u digits is somebody's where these lie; if invoices, "
				"orders or meters have numbers there too, right mail is held for them: "
				"\"bare-digits = %u\" in kinds.conf, and one counts only where its name says what "
				"it is",
				kind->name, len, len + 1);
	}
}

/* A column of names that was taken for that of numbers is loaded like any. */
static void check_form(MsLint *lint, guint64 line, const MsKind *kind, const char *value)
{
	Form *form = g_hash_table_lookup(lint->forms, kind);
	if (form == NULL) {
		form = g_new0(Form, 1);
		g_hash_table_insert(lint->forms, (gpointer)kind, form);
	}
	count_digits(form, kind, value);
	bool has_form = ms_kind_has_form(kind, value);
	if (may_be_several(kind, value, has_form)) {
		if (form->several < EXAMPLES)
			form->lines[form->several] = line;
		form->several++;
	}
	if (form->values == FORM_VALUES)
		return;
	form->values++;
	if (!has_form && form->others++ == 0)
		form->line = line;
}

static void tell_several(MsLint *lint, const char *kind, const Form *form)
{
	for (guint i = 0; i < form->several; i++)
		tell(lint, RULE_SEVERAL, i < EXAMPLES ? form->lines[i] : 0,
			"a %s that has not the form that kinds.conf gives it, or is two of one form: several in one "
			"cell, or words beside it? As it stands it is found in no mail that has but one of them",
			kind);
}

static void tell_forms(MsLint *lint)
{
	GHashTableIter iter;
	gpointer kind, data;
	g_hash_table_iter_init(&iter, lint->forms);
	while (g_hash_table_iter_next(&iter, &kind, &data)) {
		const Form *form = data;
		if (form->values >= FORM_FEW && form->others * 2 > form->values)
			tell(lint, RULE_FORM, form->line,
				"of the first %u values of %s %u have not the form that kinds.conf "
				"gives them: is it the right column, or is the form another one?",
				form->values, ((const MsKind *)kind)->name, form->others);
		else
			tell_several(lint, ((const MsKind *)kind)->name, form);
		tell_dense(lint, kind, form);
	}
}

void ms_lint_row(MsLint *lint, guint64 line, const char *kind, const char *value)
{
	const MsKind *known = ms_kinds_find(lint->kinds, kind);
	if (strcmp(kind, MS_ROW_RECIPIENT) == 0 || (known != NULL && known->form == MS_FORM_EMAIL))
		check_mail(lint, line, value);
	else if (known != NULL && known->form != MS_FORM_ADDRESS && is_placeholder_number(value))
		tell(lint, RULE_PLACEHOLDER, line,
			"a %s that looks like a placeholder (0000, 1234, TEST)", kind);
	else if (known != NULL || strcmp(kind, MS_ROW_GREETED_AS) == 0)
		check_spoilt(lint, line, kind, value);
	if (known == NULL || known->form == MS_FORM_ADDRESS || known->patterns->len == 0)
		return;
	if (is_word(known, value))
		tell(lint, RULE_WORD, line,
			"a %s without a digit, which is found in each mail that has the word: is it the right "
			"column?",
			kind);
	else
		check_form(lint, line, known, value);
}

/* ---- entries -------------------------------------------------------------------------- */

static void end_digest(MsLint *lint)
{
	bool shared = lint->of_house && lint->accounts > 1;
	if (shared && !lint->other_form)
		tell(lint, RULE_HOUSE, lint->line,
			"the same value is also the house's: it proves nothing of the account");
	else if (lint->accounts > lint->many && !lint->other_form)
		tell(lint, RULE_MANY, lint->line,
			"the same value is at %u accounts: a placeholder, or somebody who may receive "
			"for all of them?",
			lint->accounts);
	if (lint->other_line > 0)
		tell(lint, RULE_WRITTEN, MAX(lint->written_line, lint->other_line),
			"the same value is in line %" G_GUINT64_FORMAT " at another account, written otherwise: "
			"marks between letters and digits, cases and accents tell no two apart, and mail with "
			"the one may go to the other",
			MIN(lint->written_line, lint->other_line));
	lint->accounts = 0;
	lint->of_house = false;
	lint->line = lint->other_line = 0;
	lint->written = 0;
}

guint16 ms_lint_written(const MsKind *kind, const char *value)
{
	guint32 hash = 2166136261u;
	if (kind == NULL || (kind->form != MS_FORM_ALNUM && kind->form != MS_FORM_DIGITS) ||
		kind->check != MS_CHECK_NONE)
		return 0;
	for (const char *p = value; *p != '\0'; p++)
		if (!g_ascii_isspace(*p))
			hash = (hash ^ (guint8)*p) * 16777619u;
	return (guint16)(1 + hash % G_MAXUINT16);
}

static void look_at_written(MsLint *lint, guint16 written, guint64 line)
{
	if (written == 0)
		return;
	if (lint->written == 0) {
		lint->written = written;
		lint->written_line = line;
	} else if (lint->written != written && lint->other_line == 0) {
		lint->other_line = line;
	}
}

void ms_lint_entry(MsLint *lint, const guint8 digest[MS_ENTRY_DIGEST], const MsSaid *said,
	const MsRecord *record)
{
	guint64 line = record->line;
	if (lint->accounts > 0 && memcmp(lint->digest, digest, MS_ENTRY_DIGEST) != 0)
		end_digest(lint);
	memcpy(lint->digest, digest, MS_ENTRY_DIGEST);
	bool house = strlen(lint->house) == said->account_len &&
		memcmp(lint->house, said->account, said->account_len) == 0;
	lint->accounts++;
	lint->of_house = lint->of_house || house;
	lint->other_form = said->ref != NULL;
	look_at_written(lint, record->written, line);
	if (!house && (lint->line == 0 || line < lint->line))
		lint->line = line;
}

/* ---- accounts ------------------------------------------------------------------------- */

static bool put_aside(MsLint *lint, const char *account, guint8 flag, const char *other,
	MsLintAdd add, void *user, GError **error)
{
	g_autoptr(GByteArray) said = g_byte_array_new();
	g_byte_array_append(said, &flag, 1);
	g_byte_array_append(said, (const guint8 *)account, (guint)strlen(account) + 1);
	if (other != NULL)
		g_byte_array_append(said, (const guint8 *)other, (guint)strlen(other) + 1);
	guint32 hash = (guint32)flag;
	for (guint i = 0; i < said->len; i++)
		hash = hash * 16777619u ^ said->data[i];
	/* Most files say the same of an account many times, line after line; two that share a
	 * hash are put aside in turn. */
	hash |= 1;
	if (other == NULL && lint->lately[hash % LATELY] == hash)
		return true;
	lint->lately[hash % LATELY] = other == NULL ? hash : 0;
	return add(account, said->data, said->len, user, error);
}

bool ms_lint_accounts_of(MsLint *lint, const char *account, const char *kind, const char *value,
	MsLintAdd add, void *user, GError **error)
{
	if (strcmp(kind, MS_ROW_RECEIVES_FOR) == 0)
		return put_aside(lint, account, RECEIVES_FOR, value, add, user, error)
			&& put_aside(lint, value, IS_RECEIVED_FOR, NULL, add, user, error);
	return put_aside(lint, account,
		strcmp(kind, MS_ROW_RECIPIENT) == 0 ? HAS_RECIPIENT : HAS_IDENTIFIER, NULL, add,
		user, error);
}

static void end_account(MsLint *lint)
{
	guint8 flags = lint->flags;
	guint64 line = lint->account_line;
	if (strcmp(lint->account, lint->house) == 0)
		return;
	if (flags == IS_RECEIVED_FOR)
		tell(lint, RULE_NOBODY, line,
			"receives for an account of which nothing else is said");
	else if ((flags & (HAS_RECIPIENT | IS_RECEIVED_FOR)) == 0)
		tell(lint, RULE_NO_RECIPIENTS, line,
			"an account without recipients: nobody may get its mail");
	else if ((flags & (HAS_IDENTIFIER | RECEIVES_FOR)) == 0)
		tell(lint, RULE_NO_IDENTIFIERS, line,
			"an account without identifiers: nothing proves that a mail is its own");
}

static guint number_of(MsLint *lint, const char *account)
{
	gpointer known = g_hash_table_lookup(lint->numbers, account);
	if (known == NULL) {
		known = GUINT_TO_POINTER(g_hash_table_size(lint->numbers) + 1);
		g_hash_table_insert(lint->numbers, g_strdup(account), known);
	}
	return GPOINTER_TO_UINT(known) - 1;
}

void ms_lint_account(MsLint *lint, const guint8 *said, gsize len, guint64 line)
{
	const char *account = (const char *)said + 1;
	const char *other = said[0] == RECEIVES_FOR ? account + strlen(account) + 1 : NULL;
	g_assert(len > 2 && said[len - 1] == '\0');
	if (g_strcmp0(lint->account, account) != 0) {
		if (lint->account != NULL)
			end_account(lint);
		g_free(lint->account);
		lint->account = g_strdup(account);
		lint->flags = 0;
		lint->account_line = line;
	}
	lint->flags |= said[0];
	lint->account_line = MIN(lint->account_line, line);
	if (other != NULL && lint->edges->len < MAX_DELEGATIONS) {
		const Edge edge = {number_of(lint, account), number_of(lint, other), line};
		g_array_append_val(lint->edges, edge);
	}
}

/* ---- circles -------------------------------------------------------------------------- */

/* Where each account's edges begin in an order by where they come from. */
static guint *by_from(const GArray *edges, guint n, guint **order_out)
{
	guint *starts = g_new0(guint, n + 1), *order = g_new(guint, edges->len + 1);
	for (guint i = 0; i < edges->len; i++)
		starts[g_array_index(edges, Edge, i).from + 1]++;
	for (guint i = 0; i < n; i++)
		starts[i + 1] += starts[i];
	g_autofree guint *at = g_memdup2(starts, (n + 1) * sizeof *starts);
	for (guint i = 0; i < edges->len; i++)
		order[at[g_array_index(edges, Edge, i).from]++] = i;
	*order_out = order;
	return starts;
}

typedef struct {
	guint node, next;
} Step;

/* Follows delegations from one account; what leads back to where it came from is a circle. */
static void walk(MsLint *lint, guint root, const guint *starts, const guint *order, guint8 *state)
{
	g_autoptr(GArray) path = g_array_new(FALSE, FALSE, sizeof(Step));
	Step first = {root, starts[root]};
	g_array_append_val(path, first);
	state[root] = 1;
	while (path->len > 0) {
		Step *step = &g_array_index(path, Step, path->len - 1);
		if (step->next == starts[step->node + 1]) {
			state[step->node] = 2;
			g_array_set_size(path, path->len - 1);
			continue;
		}
		const Edge *edge = &g_array_index(lint->edges, Edge, order[step->next++]);
		if (state[edge->to] == 1)
			tell(lint, RULE_CIRCLE, edge->line,
				"receives for an account that, over others or itself, receives for it");
		if (state[edge->to] != 0)
			continue;
		Step next = {edge->to, starts[edge->to]};
		state[edge->to] = 1;
		g_array_append_val(path, next);
	}
}

static void find_circles(MsLint *lint)
{
	guint n = g_hash_table_size(lint->numbers);
	g_autofree guint *order = NULL;
	g_autofree guint *starts = by_from(lint->edges, n, &order);
	g_autofree guint8 *state = g_new0(guint8, n + 1); /* 1: on the path; 2: done */
	for (guint i = 0; i < n; i++)
		if (state[i] == 0)
			walk(lint, i, starts, order, state);
}

void ms_lint_end(MsLint *lint)
{
	if (lint->accounts > 0)
		end_digest(lint);
	if (lint->account != NULL)
		end_account(lint);
	find_circles(lint);
	tell_forms(lint);
	for (int i = 0; i < N_RULES; i++) {
		g_autofree char *text = lint->counts[i] > EXAMPLES
			? g_strdup_printf("%" G_GUINT64_FORMAT " more %s",
				  lint->counts[i] - EXAMPLES, more[i])
			: NULL;
		if (text != NULL)
			lint->told(0, text, lint->user);
	}
}
