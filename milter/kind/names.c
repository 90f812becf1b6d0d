#include "config.h"

#include <string.h>

#include "missent/kind.h"
#include "missent/text.h"

#include "names.h"

/*
 * In comes a name as structured formats write it ("customerNumber", "KUNDEN_NR",
 * "SupplierAssignedAccountID", "Customer/id"), out go the kinds whose labels say the same.
 * Both are brought to one key: words in lower case and together, without particles, any word
 * for "number" as '#'.  Tables are made with the kinds and immutable after that.
 */

#define MAX_WORDS 12
#define MAX_WORD 40
#define MAX_NAME 400 /* bytes of a name that are looked at */

typedef struct {
	char text[MAX_WORD + 1];
} Word;

/* What words of a name are, beside what they say; bits. */
enum {
	IS_PARTICLE = 1,
	IS_NUMBER = 2,   /* a word for it */
	IS_FILLER = 4,   /* may stand behind a name and says nothing */
	IS_ENOUGH = 8,   /* alone, at the end of a name */
	IS_PASSED = 16,  /* around what a number is called by its own word */
};

static const struct {
	guint what;
	const char *words;
} lists[] = {
	{IS_PARTICLE, "of the for your our de del della dello di da do du des der die das d l la le "
		      "el il x"},
	{IS_NUMBER, "number no nr num numero nummer nbr numer n nro nmr cislo szam szama numurs "
		    "numeris broj br stevilka numarasi "
		    /* Greek and Cyrillic, some letters of which are folded */
		    "αρ aρ αριθμoς aριθμoς apiθmoς κωδικoς kωδικoς kωδikoς κωδ kωδ нoмep hoмep "
		    "кoд koд"},
	{IS_FILLER, "value val text txt string str content field"},
	{IS_ENOUGH, "iban siret siren gln lei bic"},
	{IS_PASSED, "# id code reference kood kodas kods kodu kodja azonosito azonositoja"},
};

/* Short forms that programs use, and words for one thing. */
static const struct {
	const char *word, *means;
} synonyms[] = {
	{"cust", "customer"},
	{"acct", "account"},
	{"acc", "account"},
	{"inv", "invoice"},
	{"cod", "code"},
	{"codigo", "code"},
	{"codice", "code"},
	{"kod", "code"},
	{"identifier", "id"},
	{"ident", "id"},
	{"ref", "reference"},
	{"purch", "purchase"},
	{"customers", "customer"},
	{"clients", "client"},
	{"buyers", "buyer"},
	{"debtors", "debtor"},
	{"accounts", "account"},
	{"invoices", "invoice"},
	{"contracts", "contract"},
	{"orders", "order"},
	{"clientes", "cliente"},
};

/* What is known of one word. */
typedef struct {
	guint what;
	const char *means;
} Known;

static Known *known_of(GHashTable *table, const char *word)
{
	Known *known = g_hash_table_lookup(table, word);
	if (known == NULL) {
		known = g_new0(Known, 1);
		g_hash_table_insert(table, g_strdup(word), known);
	}
	return known;
}

static GHashTable *make_known(void)
{
	GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
		g_auto(GStrv) words = g_strsplit(lists[i].words, " ", -1);
		for (char **word = words; *word != NULL; word++)
			known_of(table, *word)->what |= lists[i].what;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(synonyms); i++)
		known_of(table, synonyms[i].word)->means = synonyms[i].means;
	return table;
}

static const Known *look_up(const char *word)
{
	static const Known none = {0, NULL};
	static gsize table;
	if (g_once_init_enter(&table))
		g_once_init_leave(&table, (gsize)make_known());
	const Known *known = g_hash_table_lookup((GHashTable *)table, word);
	return known != NULL ? known : &none;
}

static bool is(const char *word, guint what)
{
	return (look_up(word)->what & what) != 0;
}

bool ms_name_is_particle(const char *word, gsize len)
{
	char small[8];
	if (len < 2 || len >= sizeof small) /* "B/L" */
		return false;
	for (gsize i = 0; i < len; i++)
		small[i] = g_ascii_tolower(word[i]);
	small[len] = '\0';
	return is(small, IS_PARTICLE);
}

static bool begins_word(const char *text, gsize i)
{
	char before = text[i - 1], c = text[i];
	if (!g_ascii_isalpha(before) != !g_ascii_isalpha(c) && ((before | c) & 0x80) == 0)
		return true; /* letters and digits */
	if (!g_ascii_isupper(c))
		return false;
	return !g_ascii_isupper(before) || g_ascii_islower(text[i + 1]); /* aB, IDNumber */
}

/* The letter at `text`, small, behind the `used` bytes of a word; its bytes in the text. */
static gsize add_letter(Word *word, gsize *used, const char *text, gsize len)
{
	char small[6] = {g_ascii_tolower(*text)};
	gsize n = 1, bytes = 1;
	gunichar c = *text & 0x80 ? g_utf8_get_char_validated(text, (gssize)len) : 0;
	if (c != 0 && c < 0x110000) {
		bytes = (gsize)(g_utf8_next_char(text) - text);
		n = (gsize)g_unichar_to_utf8(g_unichar_tolower(c), small);
	}
	if (*used + n <= MAX_WORD) {
		memcpy(word->text + *used, small, n);
		*used += n;
	}
	return bytes;
}

/* Cuts at case changes and at all that is no letter or digit. */
static guint split(const char *text, gsize len, Word *words)
{
	guint n = 0;
	gsize used = 0;
	for (gsize i = 0; i <= len && n < MAX_WORDS;) {
		bool letter = i < len && (g_ascii_isalnum(text[i]) || (text[i] & 0x80));
		if (used > 0 && (!letter || begins_word(text, i))) {
			words[n++].text[used] = '\0';
			used = 0;
		}
		if (letter && n < MAX_WORDS) {
			i += add_letter(&words[n], &used, text + i, len - i);
			continue;
		}
		if (i < len && text[i] == '#' && n < MAX_WORDS) /* "invoice #" */
			g_strlcpy(words[n++].text, "#", MAX_WORD);
		i++;
	}
	return n;
}

static void translate(char *word, const Known *known)
{
	if (known->means != NULL)
		g_strlcpy(word, known->means, MAX_WORD);
}

/* "kundennummer" and "kundennr" are "kunden#". */
static void shorten(char *word)
{
	static const char *const endings[] = {
		"nummer", "number", "numero", "szam", "nro", "nr", "no"};
	gsize n = strlen(word);
	if (n < 4 || strchr("rom", word[n - 1]) == NULL) /* as the shortest, "kdnr", and all of them */
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(endings); i++) {
		gsize len = strlen(endings[i]);
		if (n >= len + 2 && strcmp(word + n - len, endings[i]) == 0) {
			word[n - len] = '\0';
			translate(word, look_up(word)); /* "acctno" */
			g_strlcat(word, "#", MAX_WORD);
			return;
		}
	}
}

/* Takes particles out, unless nothing else is there; what is left over behind as well. */
static guint tidy(Word *words, guint n)
{
	guint kept = 0;
	for (guint i = 0; i < n; i++) {
		const Known *known = look_up(words[i].text);
		if (n > 1 && (known->what & IS_PARTICLE) != 0)
			continue;
		words[kept] = words[i];
		char *word = words[kept++].text;
		translate(word, known);
		if ((known->what & IS_NUMBER) != 0)
			g_strlcpy(word, "#", MAX_WORD);
		else
			shorten(word);
	}
	while (kept > 1 &&
		(g_ascii_isdigit(words[kept - 1].text[0]) || is(words[kept - 1].text, IS_FILLER)))
		kept--;
	return kept;
}

typedef struct {
	char text[MAX_WORDS * MAX_WORD + 1];
	gsize len;
} Key;

static const char *join(const Word *words, guint n, Key *key)
{
	key->len = 0;
	for (guint i = 0; i < n; i++) {
		const char *word = words[i].text;
		if (*word == '#' && key->len > 0 && key->text[key->len - 1] == '#')
			continue;
		gsize len = strlen(word);
		memcpy(key->text + key->len, word, len);
		key->len += len;
	}
	key->text[key->len] = '\0';
	return key->text;
}

static guint words_of(const char *name, gsize len, Word *words)
{
	g_autoptr(MsFold) fold = ms_fold_new(name, MIN(len, MAX_NAME));
	return tidy(words, split(fold->text, fold->len, words));
}

char *ms_name_key(const char *label)
{
	Word words[MAX_WORDS];
	Key key;
	return g_strdup(join(words, words_of(label, strlen(label), words), &key));
}

/* A word alone, at the end of a name, must be more than "invoice" or "contract". */
static bool says_enough(const Word *words, guint n)
{
	return n > 1 || strchr(words[0].text, '#') != NULL ||
		is(words[0].text, IS_ENOUGH);
}

/* "policyNumber", "Nr polisy", "Codice POD" of one that is known by its own word alone. */
static const MsNameKinds *without_numbers(GHashTable *keys, const Word *words, guint n)
{
	guint first = 0;
	while (first < n && is(words[first].text, IS_PASSED))
		first++;
	while (n > first && is(words[n - 1].text, IS_PASSED))
		n--;
	if (first == n)
		return NULL;
	Key key;
	join(words + first, n - first, &key);
	if (key.len > 1 && key.text[key.len - 1] == '#') /* "polisnummer" */
		key.text[key.len - 1] = '\0';
	return g_hash_table_lookup(keys, key.text);
}

const MsNameKinds *ms_name_find(GHashTable *keys, const char *name)
{
	const char *last = strrchr(name, '/'), *step = last != NULL ? last + 1 : name;
	Word words[MAX_WORDS];
	Key key;
	guint n = words_of(step, strlen(step), words);
	for (guint first = 0; first < n; first++) {
		if (first > 0 && !says_enough(words + first, n - first))
			break;
		const MsNameKinds *found =
			g_hash_table_lookup(keys, join(words + first, n - first, &key));
		if (found != NULL)
			return found;
	}
	const MsNameKinds *plain = without_numbers(keys, words, n);
	if (plain != NULL)
		return plain;
	if (n == 2) { /* "cliente.codigo" is "codigo cliente" */
		const Word swapped[] = {words[1], words[0]};
		const MsNameKinds *found = g_hash_table_lookup(keys, join(swapped, 2, &key));
		if (found != NULL)
			return found;
	}
	if (last == NULL)
		return NULL;
	/* "Customer/id" */
	const char *outer = last;
	while (outer > name && outer[-1] != '/')
		outer--;
	g_autofree char *both = g_strconcat(outer, NULL);
	*strchr(both, '/') = ' ';
	return ms_name_find(keys, both);
}
