/*
 * In comes a name as structured formats write it ("customerNumber", "KUNDEN_NR",
 * "SupplierAssignedAccountID", "Customer/id"), out go the kinds whose labels say the same.
 * Both are brought to one key: words in lower case and together, without particles, any word
 * for "number" as '#'.  Tables are made with the kinds and immutable after that; any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/kind.h"
#include "missent/text.h"

#include "names.h"

#define MAX_WORDS 12
#define MAX_WORD 40
#define MAX_NAME 400 /* bytes of a name that are looked at */
#define MAX_TURNED 3 /* letters */

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
	IS_REFERRED = 32, /* the same, of what a document refers to */
	IS_ISSUED = 64,   /* stands between these, and says nothing */
	IS_PARTY = 128,   /* the same, behind who it is */
	IS_VAGUE = IS_PASSED | IS_REFERRED | IS_ISSUED | IS_PARTY,
};

static const struct {
	guint what;
	const char *words;
} lists[] = {
	{IS_PARTICLE, "of the for your our de del della dello di da do du des der die das d l la le "
		      "el il van za tal av af dvs x σας на"},
	{IS_NUMBER, "number no nr num numero nummer nbr numer n nro nmr nra cislo szam szama numurs "
		    "numeris nummeris broj br stevilka sifra numarasi numara numaraniz numar numarul "
		    "numru numri uimhir uimh zenbakia nummern nummers numbers nos nrn numeros "
		    "numeri numery nrs αρ αριθμός κωδικός κωδ номер код број бр шифра"},
	{IS_FILLER, "value val text txt string str content field metadata"},
	{IS_ENOUGH, "iban siret siren gln lei bic"},
	{IS_REFERRED, "document referenced reference"},
	{IS_ISSUED, "issuer assigned"},
	{IS_PARTY, "party parties"},
	{IS_PASSED, "# id code reference kood kodas kods kodu kodunuz kodja azonosito azonositoja "
		    "identifiant identificador identificativo identyfikator identifikator "
		    "identifikace referenz referentie referencia riferimento referencja referens"},
};

/* Short forms that programs use, and words for one thing. */
static const struct {
	const char *word, *means;
} synonyms[] = {
	{"cust", "customer"},
	{"acct", "account"},
	{"accts", "account"},
	{"acc", "account"},
	{"inv", "invoice"},
	{"cod", "code"},
	{"cd", "code"},
	{"codigo", "code"},
	{"codice", "code"},
	{"codul", "code"},
	{"kod", "code"},
	{"kode", "code"},
	{"identifier", "id"},
	{"ident", "id"},
	{"ids", "id"},
	{"idref", "id"},
	{"ref", "reference"},
	{"rif", "reference"},
	{"purch", "purchase"},
	{"contr", "contract"},
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

/* As folded text has it.  What has turned to a few letters of Latin is another word, and may be
 * one that says nothing ("на"). */
static void add_known(GHashTable *table, const char *word, guint what)
{
	g_autoptr(MsFold) fold = ms_fold_new(word, strlen(word));
	g_autofree char *small = g_utf8_strdown(fold->text, (gssize)fold->len);
	if (!g_str_is_ascii(small) || g_str_is_ascii(word) || strlen(small) > MAX_TURNED ||
		what == IS_PARTICLE)
		known_of(table, small)->what |= what;
}

static GHashTable *make_known(void)
{
	GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
		g_auto(GStrv) words = g_strsplit(lists[i].words, " ", -1);
		for (char **word = words; *word != NULL; word++)
			add_known(table, *word, lists[i].what);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(synonyms); i++)
		known_of(table, synonyms[i].word)->means = synonyms[i].means;
	return table;
}

static GHashTable *known_words(void)
{
	static gsize table;
	if (g_once_init_enter(&table))
		g_once_init_leave(&table, (gsize)make_known());
	return (GHashTable *)table;
}

static const Known *look_up(const char *word)
{
	static const Known none = {0, NULL};
	const Known *known = g_hash_table_lookup(known_words(), word);
	return known != NULL ? known : &none;
}

static bool is(const char *word, guint what)
{
	return (look_up(word)->what & what) != 0;
}

static bool says_number(const Known *known)
{
	return (known->what & (IS_NUMBER | IS_PASSED)) != 0 ||
		(known->means != NULL && is(known->means, IS_PASSED));
}

static GPtrArray *make_numbers(void)
{
	GPtrArray *words = g_ptr_array_new();
	GHashTableIter iter;
	gpointer word, value;
	g_hash_table_iter_init(&iter, known_words());
	while (g_hash_table_iter_next(&iter, &word, &value))
		if (says_number(value))
			g_ptr_array_add(words, word);
	return words;
}

static const GPtrArray *number_words(void)
{
	static gsize words;
	if (g_once_init_enter(&words))
		g_once_init_leave(&words, (gsize)make_numbers());
	return (const GPtrArray *)words;
}

void ms_name_each_number(void (*call)(const char *word))
{
	for (guint i = 0; i < number_words()->len; i++)
		call(number_words()->pdata[i]);
}

bool ms_name_is_plain_number(const char *word)
{
	g_autofree char *key = ms_name_key(word);
	return strcmp(key, "#") == 0;
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
	bool plural = text[i + 1] == 's' && !g_ascii_islower(text[i + 2]); /* IDs */
	bool ends = g_ascii_islower(text[i + 1]) && !plural; /* IDNumber */
	return !g_ascii_isupper(before) || ends; /* aB */
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

#define LEAST_CUT 2 /* letters before it */

/* Where a word for a number begins that ends the word, all of it or what is left where a column is
 * too narrow for its name ("kundennumm"); else NULL. */
static char *cut_number(char *word)
{
	char *at = g_strrstr(word, "num");
	return at != NULL && at >= word + LEAST_CUT &&
			(g_str_has_prefix("nummer", at) || g_str_has_prefix("number", at) ||
				g_str_has_prefix("numero", at))
		? at : NULL;
}

/* "kundennummer" and "kundennr" are "kunden#"; so are "the number" and "your number" where they
 * are one word. */
static void shorten(char *word)
{
	static const char *const endings[] = {"szam", "nro", "nr", "no", "nummern", "nummers",
		"numbers", "numret", "nummeret", "szama", "numerosi", "numeronne", "tunnus",
		"kennung", "kennziffer"};
	gsize n = strlen(word);
	if (g_str_has_suffix(word, "kodja") || g_str_has_suffix(word, "azonositoja"))
		word[n -= 2] = '\0';
	/* As the shortest, "kdnr", and as all of them. */
	if (n < 4 || strchr("romnstaiegube", word[n - 1]) == NULL)
		return;
	char *number = cut_number(word);
	for (gsize i = 0; number == NULL && i < G_N_ELEMENTS(endings); i++) {
		gsize len = strlen(endings[i]);
		if (n >= len + 2 && strcmp(word + n - len, endings[i]) == 0)
			number = word + n - len;
	}
	if (number == NULL)
		return;
	*number = '\0';
	translate(word, look_up(word)); /* "acctno" */
	g_strlcat(word, "#", MAX_WORD);
}

/* "your reference": whose it is says all. */
static bool is_yours(const Word *words, guint i, guint n)
{
	const Known *next = i + 1 < n ? look_up(words[i + 1].text) : NULL;
	return next != NULL && strcmp(words[i].text, "your") == 0 &&
		strcmp(next->means != NULL ? next->means : words[i + 1].text, "reference") == 0;
}

/* Takes particles out, unless nothing else is there; what is left over behind as well. */
static guint tidy(Word *words, guint n)
{
	guint kept = 0;
	bool last_is_n = false;
	for (guint i = 0; i < n; i++) {
		const Known *known = look_up(words[i].text);
		if (n > 1 && (known->what & IS_PARTICLE) != 0 && !is_yours(words, i, n))
			continue;
		if (strcmp(words[i].text, "o") == 0 && last_is_n)
			continue; /* "n.º" */
		last_is_n = strcmp(words[i].text, "n") == 0;
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

static guint cut(const char *name, Word *words)
{
	g_autoptr(MsFold) fold = ms_fold_new(name, MIN(strlen(name), MAX_NAME));
	/* Salesforce's names of what a customer has added */
	bool custom = g_str_has_suffix(fold->text, "__c");
	return split(fold->text, fold->len - (custom ? strlen("__c") : 0), words);
}

char *ms_name_key(const char *label)
{
	Word words[MAX_WORDS];
	Key key;
	return g_strdup(join(words, tidy(words, cut(label, words)), &key));
}

/* A word alone, at the end of a name, must be more than "invoice" or "contract". */
static bool says_enough(const Word *words, guint n)
{
	return n > 1 || strchr(words[0].text, '#') != NULL ||
		is(words[0].text, IS_ENOUGH);
}

/* "ContractDocumentReference/ID" of UBL, "BuyerOrderReferencedDocument/IssuerAssignedID" of CII,
 * "ReceiverContractReference" of Facturae. */
static const MsNameKinds *referred(GHashTable *keys, const Word *words, guint n)
{
	guint left = n;
	bool refers = false;
	Key key;
	while (left > 0 && is(words[left - 1].text, IS_PASSED | IS_REFERRED | IS_ISSUED))
		refers |= is(words[--left].text, IS_REFERRED);
	if (!refers || left == 0)
		return NULL;
	const MsNameKinds *found = g_hash_table_lookup(keys, join(words, left, &key));
	return found != NULL ? found
			     : g_hash_table_lookup(keys, join(words + left - 1, 1, &key));
}

/* "policyNumber", "Nr polisy", "Codice POD" of one that is known by its own word alone. */
static const MsNameKinds *without_numbers(GHashTable *keys, const Word *words, guint n)
{
	guint first = 0, all = n;
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
	const MsNameKinds *found = g_hash_table_lookup(keys, key.text);
	return found != NULL ? found : referred(keys, words + first, all - first);
}

static bool has_word(const Word *words, guint n, const char *word)
{
	guint i = 0;
	while (i < n && strcmp(words[i].text, word) != 0)
		i++;
	return i < n;
}

bool ms_name_is_number(const char *name)
{
	g_auto(GStrv) steps = g_strsplit(name, "/", -1);
	guint last = g_strv_length(steps), number = 0, n_outer = 0;
	Word words[MAX_WORDS], outer[MAX_WORDS];
	if (last == 0)
		return false;
	guint n = tidy(words, cut(steps[last - 1], words));
	if (last > 1)
		n_outer = tidy(outer, cut(steps[last - 2], outer));
	for (guint i = 0; i < n; i++) {
		bool is_number = is(words[i].text, IS_PASSED);
		if (!is_number && !is(words[i].text, IS_REFERRED | IS_ISSUED) &&
			!has_word(outer, n_outer, words[i].text))
			return false;
		number += is_number;
	}
	return number > 0;
}

/* Where the words begin that only refer to what is before them. */
static guint vague_from(const Word *words, guint n)
{
	while (n > 0 && is(words[n - 1].text, IS_VAGUE))
		n--;
	return n;
}

/* The entry of what the words say, or of the last of them. */
static const MsNameKinds *find_words(GHashTable *keys, const Word *words, guint n)
{
	Key key;
	for (guint first = 0; first < n; first++) {
		if (first > 0 && !says_enough(words + first, n - first))
			break;
		const MsNameKinds *found =
			g_hash_table_lookup(keys, join(words + first, n - first, &key));
		if (found != NULL)
			return found;
	}
	const MsNameKinds *plain = without_numbers(keys, words, n);
	if (plain != NULL || n != 2)
		return plain;
	const Word swapped[] = {words[1], words[0]}; /* "cliente.codigo" is "codigo cliente" */
	return g_hash_table_lookup(keys, join(swapped, 2, &key));
}

/* ---- words that are misspelt ------------------------------------------------------------- */

#define LEAST_MISSPELT 6 /* bytes */

void ms_name_add_words(GPtrArray *spelt, const char *label)
{
	Word words[MAX_WORDS];
	guint n = cut(label, words);
	for (guint i = 0; i < n; i++)
		if (strlen(words[i].text) >= LEAST_MISSPELT)
			g_ptr_array_add(spelt, g_strdup(words[i].text));
}

/* By their first letter, those by their length. */
static int order_of(const char *word, gsize len, const char *other)
{
	gsize n = strlen(other);
	return *word != *other ? (guchar)*word - (guchar)*other : len < n ? -1 : len > n;
}

static int compare_words(gconstpointer a, gconstpointer b)
{
	const char *word = *(const char *const *)a, *other = *(const char *const *)b;
	int order = order_of(word, strlen(word), other);
	return order != 0 ? order : strcmp(word, other);
}

void ms_name_sort_words(GPtrArray *spelt)
{
	guint kept = 0;
	g_ptr_array_sort(spelt, compare_words);
	for (guint i = 0; i < spelt->len; i++) {
		char *word = spelt->pdata[i];
		if (kept > 0 && strcmp(spelt->pdata[kept - 1], word) == 0)
			g_free(word);
		else
			spelt->pdata[kept++] = word;
	}
	spelt->len = kept;
}

/* One letter too many, too few, another, or two the wrong way round. */
static bool is_misspelt(const char *word, const char *right)
{
	gsize n = strlen(word), m = strlen(right), from = 0, behind = 0;
	if (MAX(n, m) - MIN(n, m) > 2)
		return false;
	while (from < MIN(n, m) && word[from] == right[from])
		from++;
	while (behind < MIN(n, m) - from && word[n - 1 - behind] == right[m - 1 - behind])
		behind++;
	n -= from + behind;
	m -= from + behind;
	gsize most = ((word[from] | right[from]) & 0x80) != 0 ? 2 : 1; /* bytes of a letter */
	return (n <= most && m <= most) ||
		(n == 2 && m == 2 && word[from] == right[from + 1] &&
			word[from + 1] == right[from]);
}

/* The word that is meant, or NULL: it is right, or nothing is like it. */
static const char *right_word(const GPtrArray *spelt, const char *word, gsize len)
{
	const char *right = NULL;
	guint low = 0, high = spelt->len;
	while (low < high) {
		guint mid = low + (high - low) / 2;
		if (order_of(word, len - 1, spelt->pdata[mid]) > 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < spelt->len && order_of(word, len + 1, spelt->pdata[low]) >= 0; low++) {
		const char *other = spelt->pdata[low];
		if (strcmp(other, word) == 0)
			return NULL;
		if (right == NULL && is_misspelt(word, other))
			right = other;
	}
	return right;
}

/* Puts the right words for those that are not; false: there is none. */
static bool respell(const GPtrArray *spelt, Word *words, guint n)
{
	bool any = false;
	for (guint i = 0; i < n; i++) {
		gsize len = strlen(words[i].text);
		const char *right = len >= LEAST_MISSPELT
			? right_word(spelt, words[i].text, len) : NULL;
		const Known *known = right != NULL ? look_up(words[i].text) : NULL;
		if (right == NULL || known->what != 0 || known->means != NULL)
			continue;
		g_strlcpy(words[i].text, right, MAX_WORD);
		any = true;
	}
	return any;
}

/* Is there a word for "number" in it, or what looks like one?  Many other words are like others. */
static bool asks(const Word *words, guint n)
{
	for (guint i = 0; i < n; i++)
		if (strchr(words[i].text, '#') != NULL || is(words[i].text, IS_PASSED) ||
			strstr(words[i].text, "num") != NULL || strstr(words[i].text, "umb") != NULL)
			return true;
	return false;
}

bool ms_name_asks(const char *name)
{
	Word words[MAX_WORDS];
	return asks(words, tidy(words, cut(name, words)));
}

/* "Kundennumer", "Customr number". */
static const MsNameKinds *find_misspelt(
	GHashTable *keys, const GPtrArray *spelt, Word *words, guint n)
{
	if (!respell(spelt, words, n))
		return NULL;
	n = tidy(words, n);
	return n > 1 || strchr(words[0].text, '#') != NULL ? find_words(keys, words, n) : NULL;
}

/* ---- compounds --------------------------------------------------------------------------- */

#define LEAST_BEFORE 3 /* bytes before what a compound is one of, in its word */
#define LEAST_OF 6     /* and of that, "#" among them */

/* "Leasingvertragsnummer", "energiecontractnummer": a number of what its end names. */
static const MsNameKinds *find_compound(GHashTable *keys, const Word *words, guint n)
{
	const char *word = words[n - 1].text;
	gsize len = strlen(word);
	if (len == 0 || word[len - 1] != '#')
		return NULL;
	for (gsize from = LEAST_BEFORE; from + LEAST_OF <= len; from++) {
		const MsNameKinds *found = g_hash_table_lookup(keys, word + from);
		if (found != NULL)
			return found;
	}
	return NULL;
}

static const MsNameKinds *find_halves(GHashTable *keys, const char *word, gsize at)
{
	Word halves[2];
	g_strlcpy(halves[0].text, word, at + 1);
	g_strlcpy(halves[1].text, word + at, sizeof halves[1].text);
	return tidy(halves, 2) == 2 ? find_words(keys, halves, 2) : NULL;
}

/* "CODCLIENTE", "custid": columns of databases are called by words without anything between them.
 * One half is a word for "number", and of a letter alone the other is no short one. */
static const MsNameKinds *find_glued(GHashTable *keys, const char *word)
{
	const GPtrArray *numbers = number_words();
	const MsNameKinds *found = NULL;
	gsize len = strlen(word);
	if (len < LEAST_OF || g_str_has_suffix(word, "ident")) /* "noord", an accident */
		return NULL;
	for (guint i = 0; i < numbers->len && found == NULL; i++) {
		const char *number = numbers->pdata[i];
		gsize n = strlen(number);
		if (n + LEAST_BEFORE > len || (n == 1 && len == LEAST_OF))
			continue;
		if (memcmp(word, number, n) == 0)
			found = find_halves(keys, word, n);
		if (found == NULL && n > 1 && memcmp(word + len - n, number, n) == 0)
			found = find_halves(keys, word, len - n);
	}
	return found;
}

/* "BuyerParty", "CustomerParty/PartyIDs/ID" */
static const MsNameKinds *find_party(GHashTable *keys, const Word *words, guint n)
{
	Word kept[MAX_WORDS];
	guint k = 0;
	for (guint i = 0; i < n; i++)
		if (!is(words[i].text, IS_PARTY))
			kept[k++] = words[i];
	return k > 0 && k < n ? find_words(keys, kept, k) : NULL;
}

/* `vague_out`: nothing but words that refer. */
static const MsNameKinds *find_step(
	GHashTable *keys, const GPtrArray *spelt, const char *step, bool *vague_out)
{
	Word written[MAX_WORDS], words[MAX_WORDS];
	guint n = cut(step, written);
	memcpy(words, written, n * sizeof(Word));
	guint kept = tidy(words, n);
	const MsNameKinds *found = find_words(keys, words, kept);
	if (found == NULL)
		found = find_party(keys, words, kept);
	if (found == NULL && kept > 0)
		found = find_compound(keys, words, kept);
	if (found == NULL && kept == 1)
		found = find_glued(keys, words[0].text);
	if (found == NULL && asks(words, kept))
		found = find_misspelt(keys, spelt, written, n);
	*vague_out = kept > 0 && vague_from(words, kept) == 0;
	return found;
}

/* The steps that end with one that only refers: "PurchaseOrderReference/DocumentID" is an order's,
 * and no document's. */
static const MsNameKinds *find_referred(GHashTable *keys, const char *joined)
{
	Word words[MAX_WORDS];
	guint n = tidy(words, cut(joined, words));
	return vague_from(words, n) > 0 ? without_numbers(keys, words, n) : NULL;
}

const MsNameKinds *ms_name_find(GHashTable *keys, const GPtrArray *spelt, const char *name)
{
	const char *outer = strrchr(name, '/');
	bool vague;
	const MsNameKinds *found =
		find_step(keys, spelt, outer != NULL ? outer + 1 : name, &vague);
	/* "Customer/id", and "customer/identifier/value", of which the last two say nothing */
	while (outer != NULL && (found == NULL || vague)) {
		bool refers = vague;
		while (outer > name && outer[-1] != '/')
			outer--;
		g_autofree char *joined = g_strdelimit(g_strdup(outer), "/", ' ');
		const MsNameKinds *more = refers ? find_referred(keys, joined) : NULL;
		if (more == NULL)
			more = find_step(keys, spelt, joined, &vague);
		else
			vague = false;
		found = more != NULL ? more : found;
		outer = vague && outer > name ? outer - 1 : NULL;
	}
	return found;
}
