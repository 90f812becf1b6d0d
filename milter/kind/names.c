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

static bool is_one_of(const char *word, const char *list)
{
	gsize n = strlen(word);
	for (const char *p = list; (p = strstr(p, word)) != NULL; p += n)
		if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

static const char particles[] =
	"of the for your our de del della dello di da do du des des der die das d l la le el il x ";
static const char number_words[] = "number no nr num numero nummer nbr numer n nro nmr cislo szam "
				   "szama numurs numeris broj br stevilka numarasi "
				   /* Greek and Cyrillic, some letters of which are folded */
				   "αρ aρ αριθμoς aριθμoς apiθmoς κωδικoς kωδικoς kωδikoς κωδ kωδ нoмep hoмep кoд koд ";
/* What may stand behind a name and says nothing. */
static const char fillers[] = "value val text txt string str content field ";

bool ms_name_is_particle(const char *word, gsize len)
{
	char small[8];
	if (len < 2 || len >= sizeof small) /* "B/L" */
		return false;
	for (gsize i = 0; i < len; i++)
		small[i] = g_ascii_tolower(word[i]);
	small[len] = '\0';
	return is_one_of(small, particles);
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

static void translate(char *word)
{
	for (gsize i = 0; i < G_N_ELEMENTS(synonyms); i++)
		if (strcmp(word, synonyms[i].word) == 0)
			g_strlcpy(word, synonyms[i].means, MAX_WORD);
}

/* "kundennummer" and "kundennr" are "kunden#". */
static void shorten(char *word)
{
	static const char *const endings[] = {
		"nummer", "number", "numero", "szam", "nro", "nr", "no"};
	if (is_one_of(word, number_words)) {
		g_strlcpy(word, "#", MAX_WORD);
		return;
	}
	gsize n = strlen(word);
	for (gsize i = 0; i < G_N_ELEMENTS(endings); i++) {
		gsize len = strlen(endings[i]);
		if (n >= len + 2 && strcmp(word + n - len, endings[i]) == 0) {
			word[n - len] = '\0';
			translate(word); /* "acctno" */
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
		if (n > 1 && is_one_of(words[i].text, particles))
			continue;
		words[kept] = words[i];
		translate(words[kept].text);
		shorten(words[kept++].text);
	}
	while (kept > 1 &&
		(g_ascii_isdigit(words[kept - 1].text[0]) ||
			is_one_of(words[kept - 1].text, fillers)))
		kept--;
	return kept;
}

static char *join(const Word *words, guint n)
{
	GString *key = g_string_new(NULL);
	for (guint i = 0; i < n; i++)
		if (words[i].text[0] != '#' || key->len == 0 || key->str[key->len - 1] != '#')
			g_string_append(key, words[i].text);
	return g_string_free(key, FALSE);
}

static guint words_of(const char *name, gsize len, Word *words)
{
	g_autoptr(MsFold) fold = ms_fold_new(name, MIN(len, MAX_NAME));
	return tidy(words, split(fold->text, fold->len, words));
}

char *ms_name_key(const char *label)
{
	Word words[MAX_WORDS];
	return join(words, words_of(label, strlen(label), words));
}

/* A word alone, at the end of a name, must be more than "invoice" or "contract". */
static bool says_enough(const Word *words, guint n)
{
	return n > 1 || strchr(words[0].text, '#') != NULL ||
		is_one_of(words[0].text, "iban siret siren gln lei bic ");
}

/* "policyNumber", "Nr polisy", "Codice POD" of one that is known by its own word alone. */
static const MsNameKinds *without_numbers(GHashTable *keys, const Word *words, guint n)
{
	static const char numbers[] =
		"# id code reference kood kodas kods kodu kodja azonosito azonositoja ";
	guint first = 0;
	while (first < n && is_one_of(words[first].text, numbers))
		first++;
	while (n > first && is_one_of(words[n - 1].text, numbers))
		n--;
	if (first == n)
		return NULL;
	g_autofree char *key = join(words + first, n - first);
	gsize len = strlen(key);
	if (len > 1 && key[len - 1] == '#') /* "polisnummer" */
		key[len - 1] = '\0';
	return g_hash_table_lookup(keys, key);
}

const MsNameKinds *ms_name_find(GHashTable *keys, const char *name)
{
	const char *last = strrchr(name, '/'), *step = last != NULL ? last + 1 : name;
	Word words[MAX_WORDS];
	guint n = words_of(step, strlen(step), words);
	for (guint first = 0; first < n; first++) {
		if (first > 0 && !says_enough(words + first, n - first))
			break;
		g_autofree char *key = join(words + first, n - first);
		const MsNameKinds *found = g_hash_table_lookup(keys, key);
		if (found != NULL)
			return found;
	}
	const MsNameKinds *plain = without_numbers(keys, words, n);
	if (plain != NULL)
		return plain;
	if (n == 2) { /* "cliente.codigo" is "codigo cliente" */
		const Word swapped[] = {words[1], words[0]};
		g_autofree char *key = join(swapped, 2);
		const MsNameKinds *found = g_hash_table_lookup(keys, key);
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
