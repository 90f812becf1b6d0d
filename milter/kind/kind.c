/*
 * kinds.conf comes in; out go kinds, which share their patterns and do not change.  Any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/answer.h"
#include "missent/config.h"
#include "missent/identifier.h"
#include "missent/compact.h"
#include "missent/dispatch.h"
#include "missent/kind.h"
#include "missent/postal.h"
#include "missent/text.h"

#include "check.h"
#include "names.h"

#define MAX_KINDS MS_DISPATCH_MAX
#define MIN_ADDRESS_WORDS 3

struct MsKinds {
	gint refs;
	char *text;
	MsSection *root;
	GPtrArray *kinds; /* of MsKind */
	GPtrArray *names; /* NULL-terminated */
	GHashTable *labels; /* key of a label (names.h) to MsNameKinds * */
	GPtrArray *spelt;   /* words of labels (names.h) */
	gsize labels_ready, patterns_ready;
	MsPatterns patterns;
};

/* ---- kinds.conf ----------------------------------------------------------------------- */

static const char *const checks[] = {"none", "uuid", "iban", "vat", "luhn", "card", "siret",
	"leitweg", "gln", "duns", "bic", "lei", "creditor", "rf", "phone", "tax", NULL};
static const char *const forms[] = {"alnum", "digits", "email", "phone", "address", NULL};
static const char *const families[] = {
	"none", "vat", "registration", "participant", "gln", "duns", NULL};

/* Patterns and labels are searched for in folded text, so they are folded as well: "numéro". */
static char *fold_text(const char *text)
{
	g_autoptr(MsFold) fold = ms_fold_new(text, strlen(text));
	return g_strndup(fold->text, fold->len);
}

/* Scripts that set words off by blanks: a label must not stand within a word of these. */
#define ALPHABETS "\\p{Latin}\\p{Greek}\\p{Cyrillic}"

/* A value must not stand within one either. */
static char *bordered(const char *pattern)
{
	g_autofree char *folded = fold_text(pattern);
	return g_strconcat("(?<![" ALPHABETS "\\pN])(?:", folded, ")(?![" ALPHABETS "\\pN])", NULL);
}

/* By itself, so that a fault is shown at its place, and as it will be. */
static bool check_pattern(const char *value, GError **error)
{
	g_autofree char *folded = fold_text(value), *whole = bordered(value);
	if (!ms_regex_check(folded, error))
		return false;
	bool set = ms_regex_check(whole, NULL);
	if (!set)
		g_set_error_literal(error, MS_ERROR, MS_ERROR_CONFIG,
			"bad pattern: it cannot stand within another (an option at its beginning, a comment or \\Q "
			"without its end, or too long)");
	return set;
}

#define LAST_TERM 165
#define LAST_GROUP 32

static bool check_field(const char *value, GError **error)
{
	bool term = g_str_has_prefix(value, "BT-"), group = g_str_has_prefix(value, "BG-");
	guint64 n;
	bool fine = (term || group) && value[3] != '0' &&
		g_ascii_string_to_unsigned(
			value + 3, 10, 1, term ? LAST_TERM : LAST_GROUP, &n, NULL);
	if (!fine)
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"\"%s\" is not a term of EN 16931 (such as BT-48 or BG-8)", value);
	return fine;
}

#define TO(field) MS_ROW_INTO(MsKind, field)

static const MsRow kind_rows[] = {
	{.key = "pattern", .type = MS_ROW_LIST, .check = check_pattern},
	{.key = "check", .type = MS_ROW_CHOICE, .fallback = "none", .choices = checks, TO(check)},
	{.key = "canonical", .type = MS_ROW_CHOICE, .fallback = "alnum", .choices = forms,
		TO(form)},
	{.key = "labels", .type = MS_ROW_LIST},
	{.key = "names", .type = MS_ROW_LIST},
	{.key = "fields", .type = MS_ROW_LIST, .check = check_field},
	{.key = "label-required", .type = MS_ROW_SWITCH, .fallback = "no", TO(label_required)},
	{.key = "distance", .type = MS_ROW_NUMBER, .fallback = "40", .min = 1, .max = 500,
		TO(distance)},
	{.key = "names-buyer", .type = MS_ROW_SWITCH, .fallback = "no", TO(names_buyer)},
	{.key = "family", .type = MS_ROW_CHOICE, .fallback = "none", .choices = families,
		TO(family)},
	{.key = "known", .type = MS_ROW_SWITCH, .fallback = "yes", TO(known)},
	{.key = "hidden", .type = MS_ROW_SWITCH, .fallback = "no", TO(hidden)},
	{.key = "country-code", .type = MS_ROW_NUMBER, .min = 1, .max = 999},
	{.key = "bare-length", .type = MS_ROW_NUMBER, .fallback = "5", .min = 1, .max = 128,
		TO(bare_length)},
	{.key = "bare-digits", .type = MS_ROW_NUMBER, .fallback = "7", .min = 1, .max = 128,
		TO(bare_digits)},
	{.key = "joined-length", .type = MS_ROW_NUMBER, .fallback = "8", .min = 1, .max = 128,
		TO(joined_length)},
	{.key = "joined-digits", .type = MS_ROW_NUMBER, .fallback = "9", .min = 1, .max = 128,
		TO(joined_digits)},
	{.key = "block", .type = MS_ROW_SWITCH, .fallback = "no", TO(block)},
	{.key = "min-length", .type = MS_ROW_NUMBER, .fallback = "3", .min = 1, .max = 500,
		TO(min_length)},
	{.key = "max-length", .type = MS_ROW_NUMBER, .fallback = "64", .min = 1, .max = 500,
		TO(max_length)},
	{.key = NULL},
};

static const MsRow rows[] = {
	{.key = "kind", .type = MS_ROW_SECTIONS, .rows = kind_rows},
	{.key = NULL},
};

const MsRow *ms_kinds_rows(void)
{
	return rows;
}

/* Where a long word may be broken at the end of a line, "Kunden-" and "nummer"; or NULL. */
static const char *second_part(const char *word)
{
	static const char *const parts[] = {"nummer", "number", "adresse", "anschrift",
		"empfanger", "konto"};
	gsize len = strlen(word);
	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
		gsize n = strlen(parts[i]);
		if (len >= n + 4 && g_ascii_strcasecmp(word + len - n, parts[i]) == 0)
			return word + len - n;
	}
	return NULL;
}

/* "Kundennummern", "customer numbers". */
static const struct {
	const char *one, *many;
} plurals[] = {{"nummer", "nummern"}, {"nummer", "nummers"}, {"number", "numbers"},
	{"numero", "numeros"}, {"numero", "numeri"}, {"numer", "numery"}, {"code", "codes"},
	{"codigo", "codigos"}, {"codice", "codici"}, {"ID", "IDs"}, {"no", "nos"}, {"nr", "nrn"},
	{"nr", "nrs"}};

static bool is_short(gsize k)
{
	return strlen(plurals[k].one) <= 2;
}

/* `whole`: it is a word of its own, as short ones are: "no", but not "Turno". */
static bool ends_so(const char *text, gsize len, const char *ending, bool whole)
{
	gsize n = strlen(ending);
	return len >= n && g_ascii_strncasecmp(text + len - n, ending, n) == 0 &&
		(len == n || !whole || !g_ascii_isalpha(text[len - n - 1]));
}

bool ms_kind_label_of_many(const char *label, gsize len)
{
	for (gsize end = 1; end <= len; end++) {
		bool ends = g_ascii_isalpha(label[end - 1]) &&
			(end == len || !g_ascii_isalpha(label[end]));
		for (gsize k = 0; ends && k < G_N_ELEMENTS(plurals); k++)
			if (ends_so(label, end, plurals[k].many, is_short(k)))
				return true;
	}
	return false;
}

/* With word `i` spelt so, which is taken. */
static void add_spelling(GPtrArray *spelt, char **words, int i, char *other)
{
	char *whole = words[i];
	words[i] = other;
	g_ptr_array_add(spelt, g_strjoinv(" ", words));
	words[i] = whole;
	g_free(other);
}

/* As it stands in folded text, with one blank for any, with each word broken, and of many. */
static void add_spellings(GPtrArray *spelt, const char *label)
{
	g_auto(GStrv) words = g_strsplit(label, " ", -1);
	for (int i = 0; words[i] != NULL; i++) {
		char *word = words[i];
		words[i] = fold_text(word);
		g_free(word);
	}
	g_ptr_array_add(spelt, g_strjoinv(" ", words));
	for (int i = 0; words[i] != NULL; i++) {
		const char *second = second_part(words[i]);
		if (second != NULL)
			add_spelling(spelt, words, i,
				g_strdup_printf("%.*s- %s", (int)(second - words[i]), words[i],
					second));
		for (gsize k = 0; k < G_N_ELEMENTS(plurals); k++)
			if (ends_so(words[i], strlen(words[i]), plurals[k].one, is_short(k)))
				add_spelling(spelt, words, i,
					g_strdup_printf("%.*s%s",
						(int)(strlen(words[i]) - strlen(plurals[k].one)),
						words[i], plurals[k].many));
	}
}

static char **spell_labels(const char *const *labels)
{
	GPtrArray *spelt = g_ptr_array_new();
	for (; *labels != NULL; labels++)
		add_spellings(spelt, *labels);
	g_ptr_array_add(spelt, NULL);
	return (char **)g_ptr_array_free(spelt, FALSE);
}

static bool has_other_alphabet(const char *text)
{
	for (; *text != '\0'; text = g_utf8_next_char(text)) {
		gunichar c = g_utf8_get_char(text);
		if (g_unichar_isalpha(c) && g_unichar_get_script(c) != G_UNICODE_SCRIPT_LATIN)
			return true;
	}
	return false;
}

/* Of labels in another alphabet, all of whose letters look like Latin ones in one of their
 * cases. */
static char **turned_labels(const char *const *labels)
{
	GPtrArray *turned = g_ptr_array_new();
	for (; *labels != NULL; labels++) {
		g_autofree char *folded = has_other_alphabet(*labels) ? fold_text(*labels) : NULL;
		if (folded != NULL && g_str_is_ascii(folded))
			g_ptr_array_add(turned, g_steal_pointer(&folded));
	}
	g_ptr_array_add(turned, NULL);
	return (char **)g_ptr_array_free(turned, FALSE);
}

static void append_word(GString *out, const char *word, bool blank_before)
{
	g_string_append_printf(out, "%s\\Q%s\\E", blank_before ? "\\s+" : "", word);
}

/* One alternation of all labels.  Blanks match any white space; a label must not stand within
 * a word. */
static MsRegex *compile_labels(char **labels, GError **error)
{
	if (*labels == NULL)
		return NULL;
	GString *out = g_string_new("(?<![" ALPHABETS "\\pN/_])(?:");
	for (int i = 0; labels[i] != NULL; i++) {
		if (i > 0)
			g_string_append_c(out, '|');
		g_auto(GStrv) words = g_strsplit(labels[i], " ", -1);
		for (int k = 0; words[k] != NULL; k++)
			append_word(out, words[k], k > 0);
	}
	g_string_append(out, ")(?![" ALPHABETS "])");
	g_autofree char *pattern = g_string_free(out, FALSE);
	return ms_regex_new_anchored(pattern, error);
}

static void compile_patterns(MsKind *kind, const char *const *list)
{
	for (; *list != NULL; list++) {
		g_autofree char *pattern = bordered(*list);
		g_ptr_array_add(kind->patterns, ms_regex_new(pattern, true, NULL));
		if (!kind->label_required)
			g_ptr_array_add(kind->shapes, ms_regex_new_anchored(pattern, NULL));
	}
}

static void kind_free(gpointer data)
{
	MsKind *kind = data;
	g_free(kind->name);
	g_free(kind->country_code);
	g_ptr_array_unref(kind->patterns);
	g_ptr_array_unref(kind->shapes);
	ms_regex_free(kind->labels);
	g_strfreev(kind->label_texts);
	g_strfreev(kind->turned);
	g_ptr_array_unref(kind->fields);
	g_free(kind);
}

static bool valid_name(const char *name)
{
	return *name != '\0' && strlen(name) <= 40
		&& name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

/* What stands where kinds are named, and is none: "none" of policies, and rows of the mapping. */
static bool is_taken(const char *name)
{
	static const char *const words[] = {
		"none", "recipient", "receives-for", "greeted-as", NULL};
	return g_strv_contains(words, name);
}

static bool kind_sensible(const MsSection *section, const MsKind *kind, GError **error)
{
	if (!valid_name(kind->name))
		ms_section_error(
			section, NULL, error, "a kind's name has lower-case letters, digits and -");
	else if (is_taken(kind->name))
		ms_section_error(section, NULL, error,
			"\"%s\" means something else where kinds are named: give it another name",
			kind->name);
	else if (kind->patterns->len == 0 && !kind->block)
		ms_section_error(section, "pattern", error, "is missing (or set block = yes)");
	else if (kind->labels == NULL && (kind->label_required || kind->block))
		ms_section_error(section, "labels", error, "is missing, though %s",
			kind->block ? "block = yes" : "label-required = yes");
	else if (kind->min_length > kind->max_length)
		ms_section_error(section, "min-length", error, "is greater than max-length");
	else
		return true;
	return false;
}

guint8 ms_kind_tag(const char *name)
{
	return (guint8)(g_str_hash(name) * 2654435761U >> 24);
}

static MsKind *take_kind(const MsSection *section, GError **error)
{
	MsKind *kind = g_new0(MsKind, 1);
	kind->name = g_strdup(ms_section_title(section));
	kind->tag = ms_kind_tag(kind->name);
	kind->line = ms_section_line(section);
	ms_section_take(section, kind);
	gint64 country_code = ms_section_number(section, "country-code");
	if (country_code > 0)
		kind->country_code = g_strdup_printf("%" G_GINT64_FORMAT, country_code);
	kind->patterns = g_ptr_array_new_with_free_func((GDestroyNotify)ms_regex_free);
	kind->fields = g_ptr_array_new_with_free_func(g_free);
	for (const char *const *term = ms_section_list(section, "fields"); *term != NULL; term++)
		g_ptr_array_add(kind->fields, g_strdup(*term));
	kind->shapes = g_ptr_array_new_with_free_func((GDestroyNotify)ms_regex_free);
	compile_patterns(kind, ms_section_list(section, "pattern"));
	g_autoptr(GError) why = NULL;
	kind->label_texts = spell_labels(ms_section_list(section, "labels"));
	kind->turned = turned_labels(ms_section_list(section, "labels"));
	kind->labels = compile_labels(kind->label_texts, &why);
	if (why != NULL) {
		ms_section_error(section, "labels", error, "%s", why->message);
	} else if (kind_sensible(section, kind, error)) {
		return kind;
	}
	kind_free(kind);
	return NULL;
}

static void name_kinds_free(void *data)
{
	MsNameKinds *entry = data;
	g_free(entry->kinds);
	g_free(entry);
}

static void add_name(MsKinds *kinds, const char *name, guint kind)
{
	g_autofree char *key = ms_name_key(name);
	MsNameKinds *entry = g_hash_table_lookup(kinds->labels, key);
	if (entry == NULL) {
		entry = g_new0(MsNameKinds, 1);
		g_hash_table_insert(kinds->labels, g_steal_pointer(&key), entry);
	}
	if (entry->n > 0 && entry->kinds[entry->n - 1] == kind)
		return;
	entry->kinds = g_renew(guint, entry->kinds, entry->n + 1);
	entry->kinds[entry->n++] = kind;
}

/* As names of columns have it, which are ASCII: "KAEUFER". */
static char *spelt_out(const char *text)
{
	static const char *const letters[][2] = {{"ä", "ae"}, {"ö", "oe"}, {"ü", "ue"},
		{"ø", "oe"}, {"å", "aa"}};
	g_autofree char *small = g_utf8_strdown(text, -1);
	GString *out = g_string_new(small);
	for (gsize i = 0; i < G_N_ELEMENTS(letters); i++)
		g_string_replace(out, letters[i][0], letters[i][1], 0);
	return g_string_free(out, FALSE);
}

static void add_names(MsKinds *kinds, const char *const *names, guint kind)
{
	for (const char *const *name = names; *name != NULL; name++) {
		g_autofree char *ascii = spelt_out(*name);
		add_name(kinds, *name, kind);
		add_name(kinds, ascii, kind);
		ms_name_add_words(kinds->spelt, *name);
	}
}

MsKinds *ms_kinds_parse(const char *file, const char *text, GError **error)
{
	g_autoptr(MsSection) root = ms_config_parse(file, text, rows, error);
	if (root == NULL)
		return NULL;
	guint n = ms_section_count(root, "kind");
	if (n == 0)
		ms_section_error(root, NULL, error, "defines no kind");
	if (n > MAX_KINDS)
		ms_section_error(root, NULL, error, "defines %u kinds, and there may be %d", n,
			MAX_KINDS);
	if (n == 0 || n > MAX_KINDS)
		return NULL;
	g_autoptr(MsKinds) kinds = g_new0(MsKinds, 1);
	kinds->refs = 1;
	kinds->text = g_strdup(text);
	kinds->kinds = g_ptr_array_new_with_free_func(kind_free);
	kinds->names = g_ptr_array_new();
	for (guint i = 0; i < n; i++) {
		MsKind *kind = take_kind(ms_section_nth(root, "kind", i), error);
		if (kind == NULL)
			return NULL;
		g_ptr_array_add(kinds->kinds, kind);
		g_ptr_array_add(kinds->names, kind->name);
	}
	g_ptr_array_add(kinds->names, NULL);
	kinds->root = g_steal_pointer(&root);
	return g_steal_pointer(&kinds);
}

MsKinds *ms_kinds_ref(MsKinds *kinds)
{
	g_atomic_int_inc(&kinds->refs);
	return kinds;
}

void ms_kinds_unref(MsKinds *kinds)
{
	if (kinds == NULL || !g_atomic_int_dec_and_test(&kinds->refs))
		return;
	g_ptr_array_unref(kinds->kinds);
	g_ptr_array_unref(kinds->names);
	ms_section_free(kinds->root);
	if (kinds->labels_ready) {
		g_hash_table_unref(kinds->labels);
		g_ptr_array_unref(kinds->spelt);
	}
	if (kinds->patterns_ready) {
		ms_dispatch_free(kinds->patterns.dispatch);
		g_ptr_array_unref(kinds->patterns.patterns);
		g_array_unref(kinds->patterns.owners);
	}
	g_free(kinds->text);
	g_free(kinds);
}

guint ms_kinds_count(const MsKinds *kinds)
{
	return kinds->kinds->len;
}

const MsKind *ms_kinds_nth(const MsKinds *kinds, guint n)
{
	return g_ptr_array_index(kinds->kinds, n);
}

const MsKind *ms_kinds_find(const MsKinds *kinds, const char *name)
{
	for (guint i = 0; i < kinds->kinds->len; i++)
		if (strcmp(ms_kinds_nth(kinds, i)->name, name) == 0)
			return ms_kinds_nth(kinds, i);
	return NULL;
}

const char *const *ms_kinds_names(const MsKinds *kinds)
{
	return (const char *const *)kinds->names->pdata;
}

const char *ms_kinds_text(const MsKinds *kinds)
{
	return kinds->text;
}

static void fill_labels(MsKinds *kinds)
{
	kinds->labels = g_hash_table_new_full(
		g_str_hash, g_str_equal, g_free, name_kinds_free);
	kinds->spelt = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < kinds->kinds->len; i++) {
		const MsSection *section = ms_section_nth(kinds->root, "kind", i);
		add_names(kinds, ms_section_list(section, "labels"), i);
		add_names(kinds, ms_section_list(section, "names"), i);
	}
	ms_name_sort_words(kinds->spelt);
}

static void make_labels_ready(const MsKinds *made)
{
	MsKinds *kinds = (MsKinds *)made; /* filled once, unseen from outside */
	if (g_once_init_enter(&kinds->labels_ready)) {
		fill_labels(kinds);
		g_once_init_leave(&kinds->labels_ready, 1);
	}
}

const MsNameKinds *ms_kinds_named(const MsKinds *kinds, const char *name)
{
	make_labels_ready(kinds);
	return ms_name_find(kinds->labels, kinds->spelt, name);
}

static void add_pattern(MsPatterns *all, GPtrArray *labels, MsRegex *regex, guint kind, char **list)
{
	MsPatternOwner owner = {kind, list != NULL, ms_regex_digit(regex)};
	ms_regex_make_ready(regex);
	g_ptr_array_add(all->patterns, regex);
	g_ptr_array_add(labels, list);
	g_array_append_val(all->owners, owner);
}

static void fill_patterns(MsKinds *kinds)
{
	MsPatterns *all = &kinds->patterns;
	g_autoptr(GPtrArray) labels = g_ptr_array_new();
	all->patterns = g_ptr_array_new();
	all->owners = g_array_new(FALSE, FALSE, sizeof(MsPatternOwner));
	for (guint i = 0; i < kinds->kinds->len; i++) {
		const MsKind *kind = ms_kinds_nth(kinds, i);
		/* Addresses of e-mail are looked for from their @ on. */
		for (guint k = 0; kind->form != MS_FORM_EMAIL && k < kind->shapes->len; k++)
			add_pattern(all, labels, kind->shapes->pdata[k], i, NULL);
		if (kind->labels != NULL)
			add_pattern(all, labels, kind->labels, i, kind->label_texts);
	}
	all->dispatch = ms_dispatch_new(all->patterns, labels);
}

/* So that who is forked hereafter has all that texts are asked for. */
static void make_the_rest_ready(const MsKinds *kinds)
{
	make_labels_ready(kinds);
	for (guint i = 0; i < kinds->kinds->len; i++) {
		const MsKind *kind = ms_kinds_nth(kinds, i);
		for (guint k = 0; k < kind->patterns->len; k++)
			ms_regex_make_ready(kind->patterns->pdata[k]);
		for (guint k = 0; k < kind->shapes->len; k++)
			ms_regex_make_ready(kind->shapes->pdata[k]);
	}
}

const MsPatterns *ms_kinds_patterns(const MsKinds *made)
{
	MsKinds *kinds = (MsKinds *)made; /* filled once, unseen from outside */
	if (g_once_init_enter(&kinds->patterns_ready)) {
		fill_patterns(kinds);
		make_the_rest_ready(kinds);
		g_once_init_leave(&kinds->patterns_ready, 1);
	}
	return &kinds->patterns;
}

/* ---- canonical values ----------------------------------------------------------------- */

static char *form_alnum(const char *text, gsize len, bool digits_only)
{
	g_autofree char *compact = ms_compact_of(text, len);
	if (digits_only && compact[strspn(compact, "0123456789")] != '\0')
		return g_strdup("");
	return g_str_is_ascii(compact) ? g_ascii_strup(compact, -1) : g_utf8_strup(compact, -1);
}

/* Digits as they are dialled from abroad: without the 00 before the country code, and without the
 * 0 in brackets after it; a number for callers of the same country gets its code. */
static char *form_phone(const MsKind *kind, const char *text, gsize len)
{
	g_autoptr(MsFold) fold = ms_fold_new(text, len);
	GString *out = g_string_new(NULL);
	for (gsize i = 0; i < fold->len; i++) {
		if (strncmp(fold->text + i, "(0)", 3) == 0)
			i += 2;
		else if (g_ascii_isdigit(fold->text[i]))
			g_string_append_c(out, fold->text[i]);
		else if (g_ascii_isalpha(fold->text[i]))
			g_string_truncate(out, 0);
	}
	if (strncmp(out->str, "00", 2) == 0)
		g_string_erase(out, 0, 2);
	else if (out->str[0] == '0' && kind->country_code != NULL)
		g_string_prepend(g_string_erase(out, 0, 1), kind->country_code);
	return g_string_free(out, FALSE);
}

static int compare_words(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Without a postcode: all words, sorted, so that the order of lines and of street and number
 * does not matter. */
static char *form_address(const char *text, gsize len)
{
	g_autoptr(MsFold) fold = ms_fold_new(text, len);
	char *key = ms_postal_key(fold->text, fold->len);
	if (key != NULL)
		return key;
	g_autofree char *plain = ms_text_words(fold->text, fold->len);
	if (plain == NULL)
		return NULL;
	g_auto(GStrv) words = g_strsplit(plain, " ", -1);
	guint n = g_strv_length(words);
	bool number = strpbrk(plain, "0123456789") != NULL;
	if (n < MIN_ADDRESS_WORDS || !number)
		return NULL;
	qsort(words, n, sizeof *words, compare_words);
	return g_strjoinv(" ", words);
}

static char *form_email(const char *text, gsize len)
{
	g_autofree char *shown = ms_text_shown(text, len);
	char *address = ms_address_canonical(shown, strlen(shown));
	if (address != NULL && (address[0] == '@' || strchr(strrchr(address, '@'), '.') == NULL))
		g_clear_pointer(&address, g_free);
	return address;
}

char *ms_kind_canonical(const MsKind *kind, const char *text, gsize len, const char **why_out)
{
	g_autofree char *value = NULL;
	const char *why = NULL;
	if (len > MS_IDENTIFIER_MAX * 4) {
		*why_out = "the value is too long";
		return NULL;
	}
	switch (kind->form) {
	case MS_FORM_ALNUM:
		value = form_alnum(text, len, false);
		break;
	case MS_FORM_DIGITS:
		value = form_alnum(text, len, true);
		why = "it has letters where only digits may be";
		break;
	case MS_FORM_EMAIL:
		value = form_email(text, len);
		why = "it is not an e-mail address";
		break;
	case MS_FORM_PHONE:
		value = form_phone(kind, text, len);
		break;
	case MS_FORM_ADDRESS:
		value = form_address(text, len);
		why = "an address needs at least three words and a number";
		break;
	}
	if (value != NULL) {
		const char *length = why;
		if (kind->check == MS_CHECK_TAX)
			ms_tax_bare(value);
		why = *value != '\0' ? ms_check_value(kind->check, value) : NULL;
		if (*value == '\0' && length != NULL)
			why = length;
		else if (why == NULL && (strlen(value) < kind->min_length || *value == '\0'))
			why = "the value is too short";
		else if (why == NULL && strlen(value) > kind->max_length)
			why = "the value is too long";
	}
	if (value == NULL || why != NULL) {
		*why_out = why;
		return NULL;
	}
	return g_steal_pointer(&value);
}

bool ms_kind_is_plain(const MsKind *kind)
{
	return kind->check == MS_CHECK_NONE && kind->family == MS_FAMILY_NONE &&
		(kind->form == MS_FORM_ALNUM || kind->form == MS_FORM_DIGITS);
}

bool ms_kind_has_form(const MsKind *kind, const char *value)
{
	g_autoptr(MsFold) fold = ms_fold_new(value, strlen(value));
	MsMatch match;
	for (guint i = 0; i < kind->patterns->len; i++)
		if (ms_regex_at(kind->patterns->pdata[i], fold->text, fold->len, 0, &match) !=
				MS_NO_MATCH &&
			(match.end == fold->len || match.group_end == fold->len))
			return true;
	return kind->patterns->len == 0;
}

char *ms_kind_kept_as(const MsKind *kind)
{
	const char *country_code = kind->country_code != NULL ? kind->country_code : "0";
	return g_strjoin(" ", forms[kind->form], checks[kind->check], families[kind->family],
		kind->known ? "known" : "asked", country_code, NULL);
}

bool ms_kind_checked(const MsKind *kind, const char *canonical)
{
	return ms_check_digits(kind->check, canonical);
}
