/*
 * In comes a word with digits; out goes the account of the directory that it is written of in
 * parts, with words between them: "Sort code: 60-16-13, account: 31926819", "Konto 532 013 000 bei
 * der Musterbank, BLZ 370 400 44", "Banque 20041 Guichet 01005 Compte 0500013M026 Clé 06".  A
 * worker's only thread.
 *
 * A word before one part says that it is a bank's.  The parts near it are put together in each
 * order that a country has, and the directory's filter says whether that is an account.
 */
#include "config.h"

#include <string.h>

#include "detect_private.h"

#define MAX_PARTS 10
#define MAX_FAR 160  /* bytes from the part of the bank */
#define MAX_WORDS 24 /* on each side */
#define MAX_APART 3  /* parts */
#define MAX_PART 18  /* characters */
#define MIN_ACCOUNT 9
#define MAX_NAME 16
#define MAX_BESIDE 6 /* words between a number and its bank's */

typedef struct {
	char text[MAX_PART + 1];
	gsize len, from, until; /* in the fold */
} Part;

typedef struct {
	Search *s;
	const MsKind *iban;
	Part parts[MAX_PARTS];
	guint n;
} Account;

static bool says_bank(const char *text, gsize len)
{
	static const MsListed words[] = {
		MS_LISTED("blz"), MS_LISTED("bankleitzahl"), MS_LISTED("sort"),
		MS_LISTED("sortcode"), MS_LISTED("sc"), MS_LISTED("nsc"), MS_LISTED("clearing"),
		MS_LISTED("clearingnr"), MS_LISTED("clearingnummer"), MS_LISTED("bc"),
		MS_LISTED("bcnr"), MS_LISTED("iid"), MS_LISTED("abi"), MS_LISTED("cab"),
		MS_LISTED("guichet"), MS_LISTED("banque"), MS_LISTED("rib"), MS_LISTED("reg"),
		MS_LISTED("regnr"), MS_LISTED("registreringsnummer"),
		MS_LISTED("registreringsnr"), MS_LISTED("entidad"), MS_LISTED("oficina"),
		MS_LISTED("banky"), MS_LISTED("bankcode"), MS_LISTED("bankkod"),
		MS_LISTED("banca"), MS_LISTED("transit"), MS_LISTED("bsb")};
	return ms_detect_is_listed(words, G_N_ELEMENTS(words), text, len);
}

/* Does a word before this one, or the one before a word for "number", say that it is a bank's? */
static bool is_bank(const Search *s, gsize word)
{
	for (gsize back = 1; back <= 3 && back <= word; back++) {
		const MsWord *w = &s->compact->words[word - back];
		const char *text = s->compact->text + w->start;
		gsize len = w->end - w->start;
		if (len > MAX_NAME || s->compact->words[word].from - w->until > MAX_NAME ||
			g_ascii_isdigit(*text))
			return false;
		if (says_bank(text, len))
			return true;
		if (len == 1 && text[0] == 'c' && back < word && w[-1].end - w[-1].start == 1 &&
			text[-1] == 's')
			return true; /* S/C */
		if (!ms_detect_says_number(text, len))
			return false;
	}
	return false;
}

/* Do two words with digits make one part: "370 400 44", "60-16-13"? */
static bool is_one_part(const Search *s, gsize word)
{
	gsize end = ms_detect_word_end(s, word), next = ms_detect_word_start(s, word + 1);
	return next == end ||
		(next == end + 1 && strchr(" .-", s->fold->text[end]) != NULL &&
			s->fold->text[end] != '\0');
}

static bool has_digit(const Search *s, gsize word)
{
	const MsWord *w = &s->compact->words[word];
	return ms_has_digit(s->compact->text + w->start, w->end - w->start);
}

static void gather(Account *a, gsize word)
{
	const MsWord *words = a->s->compact->words;
	gsize n_words = a->s->compact->n_words, first = word, last = word;
	while (first > 0 && word - first < MAX_WORDS &&
		words[word].from - words[first - 1].from <= MAX_FAR)
		first--;
	while (last + 1 < n_words && last - word < MAX_WORDS &&
		words[last + 1].from - words[word].from <= MAX_FAR)
		last++;
	for (gsize i = first; i <= last && a->n < MAX_PARTS; i++) {
		gsize end = i;
		if (!has_digit(a->s, i))
			continue;
		while (end < last && has_digit(a->s, end + 1) && is_one_part(a->s, end))
			end++;
		gsize len = words[end].end - words[i].start;
		if (len <= MAX_PART) {
			Part *part = &a->parts[a->n++];
			memcpy(part->text, a->s->compact->text + words[i].start, len);
			part->text[len] = '\0';
			part->len = len;
			part->from = words[i].from;
			part->until = words[end].until;
		}
		i = end;
	}
}

/* Are these, in this order, an account?  `bare`: the last one without zeros before it. */
static void try(Account *a, const guint *order, guint n, bool bare)
{
	char text[MAX_PART * 4 + 1];
	gsize len = 0, from = G_MAXSIZE, until = 0;
	for (guint i = 0; i < n; i++) {
		const Part *part = &a->parts[order[i]];
		gsize zeros = bare && i + 1 == n ? strspn(part->text, "0") : 0;
		memcpy(text + len, part->text + zeros, part->len - zeros);
		len += part->len - zeros;
		from = MIN(from, part->from);
		until = MAX(until, part->until);
	}
	if (len < MIN_ACCOUNT || len > MS_FILTER_MAX ||
		!ms_filters_have(a->s->known, a->iban->tag, text, len))
		return;
	g_autofree char *value = g_ascii_strup(text, (gssize)len);
	ms_detect_add_value(a->s, a->iban, from, until, value,
		MS_BELIEF_TENTATIVE | MS_BELIEF_SHAPE | MS_BELIEF_LABELLED);
}

static void try_both(Account *a, const guint *order, guint n)
{
	try(a, order, n, false);
	if (a->parts[order[n - 1]].text[0] == '0')
		try(a, order, n, true);
}

static void try_all(Account *a)
{
	for (guint i = 0; i < a->n; i++) {
		for (guint k = i + 1; k < a->n && k - i <= MAX_APART; k++) {
			try_both(a, (const guint[]){i, k}, 2);
			try_both(a, (const guint[]){k, i}, 2);
		}
		if (i + 2 < a->n) {
			try_both(a, (const guint[]){i, i + 1, i + 2}, 3);
			try_both(a, (const guint[]){i + 1, i + 2, i}, 3);
		}
		if (i + 3 < a->n)
			try(a, (const guint[]){i, i + 1, i + 2, i + 3}, 4, false);
	}
}

void ms_detect_accounts(Search *s, const MsKind *iban, gsize word)
{
	if (!is_bank(s, word))
		return;
	Account a = {.s = s, .iban = iban, .n = 0};
	gather(&a, word);
	try_all(&a);
}

static bool says_account(const char *text, gsize len)
{
	static const MsListed words[] = {MS_LISTED("konto"), MS_LISTED("kto"), MS_LISTED("ktonr"),
		MS_LISTED("kontonr"), MS_LISTED("kontonummer"), MS_LISTED("bankkonto"),
		MS_LISTED("spendenkonto"), MS_LISTED("account"), MS_LISTED("acct"),
		MS_LISTED("compte"), MS_LISTED("conto"), MS_LISTED("cuenta"),
		MS_LISTED("rekening"), MS_LISTED("rekeningnummer"), MS_LISTED("konta"),
		MS_LISTED("uctu"), MS_LISTED("kontonro"), MS_LISTED("tilinumero")};
	return ms_detect_is_listed(words, G_N_ELEMENTS(words), text, len);
}

static bool is_same_line(const Search *s, gsize word)
{
	gsize end = ms_detect_word_end(s, word), next = ms_detect_word_start(s, word + 1);
	return next - end <= MAX_NAME && memchr(s->fold->text + end, '\n', next - end) == NULL;
}

/* The word "Konto" of "Konto Nr. 4711", before word `word`; or `word`. */
static gsize account_before(const Search *s, gsize word)
{
	for (gsize at = word; at > 0 && word - at < 3 && is_same_line(s, at - 1); at--) {
		const MsWord *w = &s->compact->words[at - 1];
		const char *text = s->compact->text + w->start;
		if (says_account(text, w->end - w->start))
			return at - 1;
		if (!ms_detect_says_number(text, w->end - w->start))
			break;
	}
	return word;
}

bool ms_detect_is_at_bank(const Search *s, gsize start, gsize end)
{
	const MsWord *words = s->compact->words;
	gsize n = s->compact->n_words, word = ms_detect_word_between(s, start, 0, n);
	if (word >= n || words[word].from != start)
		return false;
	gsize name = account_before(s, word), last = word;
	if (name == word)
		return false;
	while (last + 1 < n && words[last + 1].from < end)
		last++;
	gsize most = MIN(n, last + 1 + MAX_BESIDE);
	for (gsize at = last + 1; at < most && is_same_line(s, at - 1); at++) {
		const char *text = s->compact->text + words[at].start;
		gsize len = words[at].end - words[at].start;
		if (has_digit(s, at))
			return is_bank(s, at);
		if ((len == 3 && memcmp(text, "bic", 3) == 0) ||
			(len == 5 && memcmp(text, "swift", 5) == 0))
			return true;
	}
	gsize first = name;
	while (first > 0 && is_same_line(s, first - 1) && has_digit(s, first - 1) &&
		(first == name || is_one_part(s, first - 1)))
		first--;
	return first < name && is_bank(s, first);
}
