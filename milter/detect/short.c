/*
 * A number without what all of its kind have: "customer no. 417" for KD00417, "KD417" for it,
 * "Rechnung 2026-0418" or "0418/2026" for RE-2026-0418.  In comes a word with digits; out goes the
 * identifier of the directory that it is with the letters and zeros of its kind's numbers
 * (filter.h), if a label right before it, or what else names it, says that it is of that kind; or
 * each that it may be, as one of several (finding.h).  A worker's only thread.
 *
 * It is none if the directory has one of that kind as it stands, or a longer one that goes on with
 * it (C-10001), or if it could be very many.
 * What has the form of a day, a month or a season is one only behind a word for "number".
 */
#include "config.h"

#include <string.h>

#include "detect_private.h"

#define MIN_DIGITS 3
#define MAX_DIGITS 15
#define MAX_WORDS 3
#define MIN_LETTERS 2 /* before digits that no label is needed for */
#define MAX_MEANINGS (MS_MAX_EITHER + 1) /* one, and all that it may be instead */
#define KINDS_KEPT 64 /* that it is not of */
#define MAX_AND 3 /* letters */
#define MIN_TOLD 5 /* digits */
#define MIN_FAR 6  /* digits */
#define NEAR 40    /* bytes */
#define MAX_CLAUSE 80
#define MAX_MARKS 3
#define MIN_HEAD 7 /* letters: "Rechnung", "faktura" */
#define MIN_NAME 4 /* of them without a word for "number" */
#define MAX_COMPOUND 40
#define MAX_NAMES 4  /* words of somebody's name */
#define MAX_CUT 4    /* letters before a full stop that is not a sentence's */
#define MIN_MANY 6   /* letters of a name of several */
#define MIN_ONE 3    /* letters of a name of one */
#define MAX_ENDING 2 /* of its letters, behind a name of one */
#define MIN_LABEL 4
#define MIN_YEARLESS 4 /* digits */
#define MAX_YEARS 60 /* of CENTURY */
#define MAX_LABEL 24
#define YEAR 4
#define MONTH_END 6 /* digits of a year and a month */
#define DAY_END 8
#define CENTURY "20"
#define MAX_TEXT (MS_STYLE_LETTERS + MAX_DIGITS + 2)

typedef struct {
	Search *s;
	gsize first, last;  /* words of digits */
	gsize led;          /* letters in the first one */
	char digits[MAX_DIGITS + 1];
	/* What it may be; nothing if they are too many. */
	struct {
		guint kind;
		char value[MAX_TEXT + 1];
	} meanings[MAX_MEANINGS];
	guint n;
	bool many;
	guint64 refused, meant; /* kinds that it is not, that it may be of */
	gsize start; /* in the fold */
	bool dated;  /* it may have a date's form */
	bool next;        /* its name ends right before it */
	bool filled; /* zeros fill up a field: the kind's numbers have none */
	bool within; /* zeros behind a year do */
	bool placed;      /* its place says what it is, not what stands before it */
} Short;

/* "und", and not "PO" or "Tel", which name what is behind them; but all are capitals behind
 * "KUNDEN". */
static bool may_join(const MsFold *fold, gsize word, gsize end, bool capitals)
{
	return end - word <= MAX_AND && (capitals || g_ascii_islower(fold->text[word]));
}

/* Is there one behind that one, before `start`? */
static bool has_other_label(const Search *s, const MsLabel *label, gsize start)
{
	for (guint i = s->labels->len; i-- > 0;) {
		const MsLabel *other = &g_array_index(s->labels, MsLabel, i);
		if (other->end <= label->end)
			return false;
		if (other->end <= start)
			return true;
	}
	return false;
}

/* "invoice RE-2026-0418 to 4500 recipients": is the last word before `start` one that leads to
 * somebody, and does one stand behind the number?  But "invoices 0418 to 0430" are a row. */
static bool leads_to_others(const Search *s, const MsLabel *label, gsize start, gsize end)
{
	static const MsListed leads[] = {MS_LISTED("to"), MS_LISTED("for"), MS_LISTED("per"),
		MS_LISTED("an"), MS_LISTED("fur")};
	const char *text = s->fold->text;
	gsize until = start, from;
	while (until > label->end && text[until - 1] == ' ')
		until--;
	for (from = until; from > label->end && g_ascii_isalpha(text[from - 1]); from--)
		;
	return text[end] == ' ' && (g_ascii_isalpha(text[end + 1]) || (text[end + 1] & 0x80)) &&
		ms_detect_is_listed(leads, G_N_ELEMENTS(leads), text + from, until - from) &&
		!ms_kind_label_of_many(text + label->start, label->end - label->start);
}

/* "no. 417, no.: 530", but of "customer no. 417 code: 530" it is another: is this word for numbers
 * one of the label's own, or of any? */
static bool says_same(const Search *s, const MsLabel *label, const char *word, gsize len)
{
	const char *name = s->fold->text + label->start;
	g_autofree char *text = g_strndup(word, len);
	if (ms_name_is_plain_number(text))
		return true;
	for (gsize at = 0; at + len <= label->end - label->start; at++)
		if (g_ascii_strncasecmp(name + at, word, len) == 0)
			return true;
	return false;
}

/* "customers 417, 512 and 530", "no. 417, no.: 530", "no. 417 (new: 530)": do nothing but numbers,
 * words for them and single short words stand between?  "Ref" is one for them that names what is
 * behind it, and behind "invoice 0418: " is what it says. */
static bool is_listed(Search *s, const MsLabel *label, gsize from, gsize until)
{
	const char *text = s->fold->text;
	bool capitals = g_ascii_isupper(text[label->end - (label->end > 0)]), word = false;
	gsize digits = 0;
	for (gsize i = from, end; i < until; i = end) {
		for (end = i; end < until && g_ascii_isalpha(text[end]); end++)
			;
		if (end > i) {
			gsize dash = end + (text[end] == '-');
			bool part = g_ascii_isdigit(text[dash]) ||
				(i > from && g_ascii_isdigit(text[i - 1]));
			if (part ? end - i > MAX_AND
				 : ms_detect_says_number(text + i, end - i)
				 ? ms_detect_kinds_named(s, text + i, end - i) != NULL ||
					 !says_same(s, label, text + i, end - i)
				 : word || (text[end] == ':' && text[i - (i > 0)] != '(') ||
					 !may_join(s->fold, i, end, capitals))
				return false;
			word = word || !part;
			continue;
		}
		end++;
		if (g_ascii_isdigit(text[i])) {
			digits++;
			word = false;
			if (g_str_has_prefix(text + end, ": ") && text[end + 2] != '0')
				return false;
		} else if (g_str_has_prefix(text + i, "\xc2\xb0")) /* a degree: "n." */
			end++;
		else if (strchr(" \t.,;:#&+/-", text[i]) == NULL &&
			!(text[i] == '(' && g_ascii_isalpha(text[end])))
			return false;
	}
	return digits > 0 && !has_other_label(s, label, until) &&
		!ms_detect_is_of_another(s, label->kind, from, until);
}

/* "Customer no. of employees: 250", but "no. of the payer", "no. of Meier" */
static bool is_of_things(const char *text, gsize len)
{
	gsize at = strspn(text, ". "), end = at + 3;
	if (end >= len || g_ascii_strncasecmp(text + at, "of ", 3) != 0 ||
		!g_ascii_islower(text[end]))
		return false;
	for (at = end; g_ascii_isalpha(text[end]); end++)
		;
	return !ms_name_is_particle(text + at, end - at);
}

/* "Your customer number, which you find on each invoice, is 417." */
static bool is_behind_clause(const Short *c, const MsLabel *label, gsize first)
{
	const Search *s = c->s;
	const char *clause = s->fold->text + label->end;
	gsize said = ms_detect_drop_copula(s, first);
	const char *end = s->fold->text + ms_detect_word_start(s, said);
	return said < first && *clause == ',' && end - clause <= MAX_CLAUSE && end > clause + 2 &&
		memcmp(end - 2, ", ", 2) == 0 &&
		memchr(clause, '\n', (gsize)(end - clause)) == NULL &&
		!ms_has_digit(clause, (gsize)(end - clause)) &&
		ms_detect_asks_for_number(s->fold, label->start, label->end);
}

/* "Facture de cantine n. 2026-0418", "Kundennummer bei uns: 417", "Kundennummer (bitte angeben)
 * 417", "Il tuo codice cliente è 417": is nothing but words between, and no other label? */
static bool is_behind_words(const Short *c, const MsLabel *label, gsize first)
{
	const Search *s = c->s;
	const char *fold = s->fold->text;
	gsize start = ms_detect_word_start(s, first), end = start;
	if (is_behind_clause(c, label, first))
		return true;
	if (start - label->end > NEAR || has_other_label(s, label, start))
		return false;
	for (gsize i = label->end; i < start; i++)
		if (g_ascii_isdigit(fold[i]) || strchr("\n\t|,;", fold[i]) != NULL)
			return false;
	while (end > label->end && fold[end - 1] == ' ')
		end--;
	if (is_of_things(fold + label->end, start - label->end))
		return false;
	gsize said = ms_detect_drop_copula(s, first);
	bool enclosed = fold[end - 1] == ')' &&
		memchr(fold + label->end, '(', end - label->end) != NULL;
	return strlen(c->digits) >= MIN_FAR ||
		((fold[end - 1] == ':' || enclosed ||
			 (said < first &&
				 ms_detect_word_start(s, said) <= label->end + MAX_MARKS)) &&
			ms_detect_asks_for_number(s->fold, label->start, label->end));
}

static bool names_kind(Search *s, guint k, const char *name, gsize len)
{
	const MsNameKinds *kinds = ms_detect_kinds_named(s, name, len);
	for (guint i = 0; kinds != NULL && i < kinds->n; i++)
		if (kinds->kinds[i] == k)
			return true;
	return false;
}

/* How many letters "rechnungsnummer" has before its word for "number". */
static gsize without_number(const char *word, gsize len)
{
	for (gsize own = 1; own < len && len <= MAX_COMPOUND; own++)
		if (ms_detect_says_number(word + own, len - own))
			return own;
	return len <= MAX_COMPOUND ? len : 0;
}

/* "Hotelrechnung Nr. 0418/2026", but not "Wohnun-gs-nummer": do the last letters of the word before
 * it name the kind? */
static bool is_behind_compound(const Short *c, guint k, gsize first)
{
	Search *s = c->s;
	const MsWord *words = s->compact->words;
	const char *text = s->compact->text;
	gsize word = first;
	while (word > 0 && words[word].from - words[word - 1].until <= MAX_MARKS) {
		const MsWord *w = &words[--word];
		gsize len = w->end - w->start;
		if (ms_detect_says_number(text + w->start, len))
			continue;
		gsize own = without_number(text + w->start, len);
		for (gsize cut = 1; cut + MIN_HEAD <= len && cut + MIN_NAME <= own; cut++) {
			const char *head = text + w->start + cut;
			if ((*head & 0x80) == 0 && names_kind(s, k, head, len - cut))
				return true;
		}
		break;
	}
	return false;
}

/* Does a word for "number" stand before what begins at `start`, and no other number between? */
static bool is_asked(const Short *c, gsize start)
{
	const MsFold *fold = c->s->fold;
	gsize from = start;
	while (from > 0 && start - from < NEAR && !g_ascii_isdigit(fold->text[from - 1]))
		from--;
	while (from < start && from > 0 && !g_ascii_isspace(fold->text[from - 1]))
		from++; /* "n" of "written" is no word */
	return ms_detect_asks_for_number(fold, from, start);
}

/* "customers", "Kunden", "clienti": may what ends at `end` be of several?  It has one of these
 * letters behind a name of one, which "asiakas", "müşteri" and "pircējs" have not; "klients",
 * "abonentas" and "Kunde" are of one. */
bool ms_detect_may_be_of_many(Search *s, guint k, gsize end)
{
	const char *word = s->fold->text + end;
	gsize len = 0;
	for (; len < end && ms_detect_is_letter(word[-1]); len++)
		word--;
	bool one = g_ascii_strncasecmp(word, "klient", 6) == 0 ||
		g_ascii_strncasecmp(word, "abonent", 7) == 0;
	if (len <= MAX_ENDING)
		return false;
	return strchr(one ? "nryeNRYE" : "snireySNIREY", word[len - 1]) != NULL &&
		(names_kind(s, k, word, len - 1) ||
			(len > MIN_ONE + 1 && names_kind(s, k, word, len - MAX_ENDING))) &&
		(g_ascii_tolower(word[len - 1]) != 'e' || !names_kind(s, k, word, len));
}

/* "(417)", but not of "(417) 555 0142" */
static bool is_enclosed(const MsFold *fold, gsize start, gsize end)
{
	gsize next = end + 1;
	if (start == 0 || fold->text[start - 1] != '(' || fold->text[end] != ')')
		return false;
	while (next < fold->len && strchr(" -/.", fold->text[next]) != NULL)
		next++;
	return !g_ascii_isdigit(fold->text[next]);
}

/* "customer (417)", "customer-417"; but "customers (417)", "Kunden-417" are so many. */
static bool is_beside_one(const Short *c, guint k, gsize start)
{
	const MsFold *fold = c->s->fold;
	gsize end = ms_detect_word_end(c->s, c->last), at = start;
	if (at > 2 && fold->text[at - 2] == ' ' && is_enclosed(fold, at, end))
		at -= 2;
	else if (at > 1 && strchr("-_/.", fold->text[at - 1]) != NULL)
		at--;
	else
		return false;
	return g_ascii_isalpha(fold->text[at - 1]) && !ms_detect_may_be_of_many(c->s, k, at);
}

/* Does word `word` alone name the kind, and one of it? */
static bool names_one(Search *s, guint k, gsize word)
{
	const MsWord *w = &s->compact->words[word];
	return names_kind(s, k, s->compact->text + w->start, w->end - w->start) &&
		!ms_detect_may_be_of_many(s, k, w->until);
}

/* Does nothing but these marks, and few of them, stand between a word and the next? */
static bool only_marks(const Search *s, gsize word, const char *marks)
{
	const MsWord *w = &s->compact->words[word];
	const char *gap = s->fold->text + w->until;
	gsize len = w[1].from - w->until;
	return len > 0 && len <= MAX_MARKS && strspn(gap, marks) >= len;
}

/* "customer Meyer (417)", "Kunde: Meier GmbH, 417"; but "(417) 555 0142", "Meier, 417 pieces". */
static bool is_behind_called(const Short *c, guint k, gsize first)
{
	Search *s = c->s;
	const char *fold = s->fold->text;
	gsize start = ms_detect_word_start(s, first), end = ms_detect_word_end(s, c->last);
	if (!ms_kinds_nth(s->kinds, k)->names_buyer || first == 0 || start < 2)
		return false;
	bool enclosed = is_enclosed(s->fold, start, end);
	bool apart = fold[start - 2] == ',' && strchr(".,;)\r\n\t|", fold[end]) != NULL;
	for (gsize n = 0, word = first; (enclosed || apart) && word > 0 && n <= MAX_NAMES; n++) {
		word--;
		if (n > 0 && names_one(s, k, word))
			return only_marks(s, word, " :");
		if (!g_ascii_isupper(fold[ms_detect_word_start(s, word)]) ||
			!only_marks(s, word, n > 0 ? " .&-" : enclosed ? ". (" : "., "))
			return false;
	}
	return false;
}

/* Does another number follow what ends at `end`: ", 530", " und 530"? */
static bool has_next(const MsFold *fold, gsize end)
{
	for (gsize limit = end + MAX_AND + 2; end < limit; end++)
		if (!g_ascii_isalpha(fold->text[end]) &&
			(fold->text[end] == '\0' || strchr(" ,;&+/", fold->text[end]) == NULL))
			break;
	return g_ascii_isdigit(fold->text[end]);
}

/* Are all numbers from word `number` to word `last` of as many digits, the first one known, and is
 * no name or unit behind them?  Then "Kunde 4530, 4711" is two of them. */
static bool are_alike(const Search *s, guint k, gsize number, gsize last)
{
	const MsWord *words = s->compact->words;
	const char *text = s->compact->text, *fold = s->fold->text;
	gsize len = words[number].end - words[number].start, end = words[last].until;
	for (gsize word = number; word <= last; word++) {
		const char *digits = text + words[word].start;
		gsize n = words[word].end - words[word].start;
		if (ms_has_digit(digits, n) &&
			(n != len || !ms_detect_is_number(digits, n) ||
				ms_detect_is_year(digits, n)))
			return false;
	}
	return ms_filters_have(s->known, ms_kinds_nth(s->kinds, k)->tag,
		       text + words[number].start, len) &&
		(has_next(s->fold, end) ||
			!(ms_detect_is_letter(fold[end]) ||
				(fold[end] == ' ' && ms_detect_is_letter(fold[end + 1]))));
}

/* "Kunden 4530-4711": is it the end of a row of which the beginning stands there? */
static bool ends_row(const Search *s, guint k, gsize first, gsize last)
{
	const MsWord *w = &s->compact->words[first];
	const char *text = s->compact->text;
	if (first != last || first < 2 || w->from != w[-1].until + 1 ||
		s->fold->text[w[-1].until] != '-')
		return false;
	gsize len = w->end - w->start;
	return w[-1].end - w[-1].start == len && ms_detect_is_number(text + w->start, len) &&
		ms_detect_is_number(text + w[-1].start, len) &&
		!ms_detect_is_year(text + w->start, len) && only_marks(s, first - 2, " :") &&
		ms_detect_may_be_of_many((Search *)s, k, w[-2].until);
}

/* "Kunden 417 und 12694", "Rechnungen RE-2026-0418 und 0533": is it one of several? */
bool ms_detect_is_one_of_several(const Search *s, guint k, gsize first, gsize last)
{
	const MsWord *words = s->compact->words;
	gsize word = first, number = first;
	bool capitals = false;
	for (; word > 0; word--) {
		const MsWord *w = &words[word - 1];
		bool joint = word < first && ms_detect_is_joint(s, word - 1);
		bool digits = joint ||
			ms_has_digit(s->compact->text + w->start, w->end - w->start);
		if ((!joint && !only_marks(s, word - 1, " ,;&+/")) ||
			(!digits &&
				(word < number || !may_join(s->fold, w->from, w->until, true))))
			break;
		capitals = capitals || (!digits && g_ascii_isupper(s->fold->text[w->from]));
		number = digits ? word - 1 : number;
	}
	if ((number == first && !has_next(s->fold, words[last].until)) || number == 0 ||
		!only_marks(s, number - 1, " :") ||
		(capitals && !g_ascii_isupper(s->fold->text[words[number - 1].until - 1])))
		return ends_row(s, k, first, last);
	const MsWord *name = &words[number - 1];
	return ms_detect_may_be_of_many((Search *)s, k, name->until) ||
		(number < first && are_alike(s, k, number, last) &&
			names_kind((Search *)s, k, s->compact->text + name->start,
				name->end - name->start));
}

/* " et 1400 euros" */
static bool leads_to_figure(const MsFold *fold, gsize end)
{
	gsize word = end + strspn(fold->text + end, " "), at = word;
	while (at - word <= MAX_AND && g_ascii_isalpha(fold->text[at]))
		at++;
	gsize from = at + 1, until = from;
	if (at == word || fold->text[at] != ' ')
		return false;
	while (g_ascii_isdigit(fold->text[until]))
		until++;
	return until > from &&
		ms_detect_is_figure(ms_detect_figure(fold, from, from, from, until));
}

/* "Kunden: 417", "clients 417", "Invoices: 417" say how many; but not "Kunden: 417, 530",
 * "customer numbers: 417", "Invoices: 0417", and of one "dem Kunden 417", "Reservation: 417". */
static bool is_how_many(const Short *c, guint k, gsize start)
{
	const MsFold *fold = c->s->fold;
	gsize at = start, from;
	while (at > 0 && fold->text[at - 1] == ' ')
		at--;
	bool closed = at > 0 && strchr(":;", fold->text[at - 1]) != NULL;
	at -= closed;
	while (closed && at > 0 && fold->text[at - 1] == ' ') /* "clients : 417" */
		at--;
	if (at < MIN_MANY || strlen(c->digits) >= MIN_TOLD ||
		!ms_detect_may_be_of_many(c->s, k, at) ||
		(!closed && strchr("nN", fold->text[at - 1]) != NULL) ||
		!(ms_kinds_nth(c->s->kinds, k)->names_buyer ||
			(g_ascii_tolower(fold->text[at - 1]) == 's' && c->digits[0] != '0')))
		return false;
	for (from = at; from > 0 && g_ascii_isalpha(fold->text[from - 1]); from--)
		;
	gsize end = ms_detect_word_end(c->s, c->last);
	return at - from >= MIN_MANY && (!has_next(fold, end) || leads_to_figure(fold, end)) &&
		!ms_detect_asks_for_number(fold, from, start);
}

/* "customer 417", "Kd. 417"; a line's end may be in place of the blank. */
static bool is_behind_blank(const MsFold *fold, gsize start)
{
	gsize at = start, from;
	while (at > 0 && strchr("> ", fold->text[at - 1]) != NULL)
		at--;
	bool wrapped = at > 1 && fold->text[at - 1] == '\n' && ms_detect_is_wrapped(fold, at - 1);
	at = wrapped ? at - 1 : start - (start > 0);
	if (at > 2 && memcmp(fold->text + at - 2, " / ", 3) == 0)
		at -= 2;
	if (at < 2 || (!wrapped && fold->text[at] != ' '))
		return false;
	for (from = at - 1; from > 0 && g_ascii_isalpha(fold->text[from - 1]); from--)
		;
	return g_ascii_isalpha(fold->text[at - 1]) ||
		(fold->text[at - 1] == '.' && from < at - 1 && at - 1 - from <= MAX_CUT);
}

/* "Customer | 417 |": is it all of a cell, and the one before it, which begins its line, a name of
 * one? */
static bool is_in_row(const Short *c, guint k, gsize start, gsize end)
{
	const char *text = c->s->fold->text;
	gsize at = start, from;
	while (at > 0 && strchr(" \t|", text[at - 1]) != NULL)
		at--;
	bool apart = start - at > 1 || (start > at && text[at] == '\t');
	at -= at > 0 && text[at - 1] == ':';
	for (from = at; from > 0 && ms_detect_is_letter(text[from - 1]); from--)
		;
	if (!apart || from == at || ms_detect_may_be_of_many(c->s, k, at))
		return false;
	while (from > 0 && strchr(" \t|>", text[from - 1]) != NULL)
		from--;
	end += strspn(text + end, " \r");
	return (from == 0 || text[from - 1] == '\n') && strchr("\n\t|", text[end]) != NULL;
}

/* "417 (customer no.)" */
static bool is_asked_behind(const MsFold *fold, gsize end)
{
	const char *open = fold->text + end + (fold->text[end] == ' ');
	const char *closed = *open == '(' ? memchr(open, ')', strnlen(open, NEAR)) : NULL;
	return closed != NULL && ms_detect_asks_for_number(fold, (gsize)(open - fold->text),
					 (gsize)(closed - fold->text));
}

/* What names a number and is no label says less: one of few digits it must call a number, or stand
 * right before it. */
static bool is_told(const Short *c, guint k, gsize first)
{
	const Search *s = c->s;
	gsize start = ms_detect_word_start(s, first);
	return (is_behind_blank(s->fold, start) || is_beside_one(c, k, start) ||
		       is_in_row(c, k, start, ms_detect_word_end(s, c->last)) ||
		       strlen(c->digits) >= MIN_TOLD || is_asked(c, start) ||
		       is_asked_behind(s->fold, ms_detect_word_end(s, c->last)) ||
		       ms_detect_is_called(s, k, c->last)) &&
		ms_detect_is_told(s, k, first, c->last);
}

static int two_digits(const char *digits)
{
	return g_ascii_digit_value(digits[0]) * 10 + g_ascii_digit_value(digits[1]);
}

/* "20260418", "2026-11", "2026/27": a day, a month or a season, which may stand behind any name. */
static bool is_period(const Short *c)
{
	gsize len = strlen(c->digits);
	if (!ms_detect_is_year(c->digits, MIN(len, YEAR)))
		return false;
	int next = len >= MONTH_END ? two_digits(c->digits + YEAR) : 0;
	if (len == DAY_END && c->first == c->last)
		return next >= 1 && next <= 12 && two_digits(c->digits + MONTH_END) <= 31;
	return len == MONTH_END &&
		((next >= 1 && next <= 12) || next == (two_digits(c->digits + 2) + 1) % 100);
}

/* "Client 10.15", "11.4.1": no piece of it is longer than those of a version are. */
static bool is_version(const Short *c)
{
	const Search *s = c->s;
	for (gsize word = c->first; word <= c->last; word++) {
		const MsWord *w = &s->compact->words[word];
		if (w->end - w->start > 2 ||
			(word < c->last &&
				(w[1].from != w->until + 1 || s->fold->text[w->until] != '.')))
			return false;
	}
	return true;
}

/* "044 241 601 03": groups of one number, each by a blank from the next. */
static bool is_group(const Short *c)
{
	const Search *s = c->s;
	const char *fold = s->fold->text;
	gsize start = ms_detect_word_start(s, c->first), end = ms_detect_word_end(s, c->last);
	return (start > 1 && fold[start - 1] == ' ' && g_ascii_isdigit(fold[start - 2])) ||
		(end + 1 < s->fold->len && fold[end] == ' ' && g_ascii_isdigit(fold[end + 1]));
}

/* "417,01.11.2026" where commas, or marks as rare, set columns apart: has a cell below a head
 * nothing else? */
static bool fills_cell(const Search *s, gsize start, gsize end)
{
	const char *text = s->fold->text;
	return (ms_detect_sets_apart(text[end]) ||
		       (start > 0 && ms_detect_sets_apart(text[start - 1]))) &&
		ms_detect_is_cell(s, start, end);
}

/* "BookingCode001": with a code its letters are of it. */
static bool is_of_code(const Short *c)
{
	const MsWord *w = &c->s->compact->words[c->first];
	g_autofree char *letters = g_strndup(c->s->compact->text + w->start, c->led);
	for (const char *end = letters; *end != '\0'; end++)
		if (ms_detect_says_number(end, strlen(end)))
			return !ms_name_is_plain_number(end);
	return false;
}

static bool is_meant(Short *c, guint k, gsize first, gsize letters, bool joined)
{
	const Search *s = c->s;
	const MsKind *kind = ms_kinds_nth(s->kinds, k);
	gsize start = ms_detect_word_start(s, first), end = ms_detect_word_end(s, c->last);
	if (letters == 0 && (is_period(c) || is_version(c)) &&
		!is_asked(c, ms_detect_word_start(s, c->first) + c->led))
		return false;
	if (c->led > 0 && letters == 0) /* "KdNr417"; but "AZ1014" is a postcode */
		return c->led >= MIN_LABEL && !is_of_code(c) &&
			names_kind(c->s, k, s->compact->text + s->compact->words[first].start,
				c->led);
	if (letters == 0 && (is_how_many(c, k, start) ||
				    (!is_asked(c, start) && ms_detect_is_house(s->fold, end))))
		return false;
	const MsLabel *label = ms_detect_label_of(s, k, start);
	bool placed = ms_detect_is_in_place(s, k, first, c->last);
	bool alone = false, named = placed || ms_detect_is_named(s, k, start, end);
	bool behind = ms_detect_is_right_behind(s, k, start, &alone);
	gsize from = named || label == NULL ? start : label->start,
	      until = named || label == NULL ? start : label->end;
	MsFigure figure = fills_cell(s, start, end)
		? MS_FIGURE_NONE
		: ms_detect_figure(s->fold, from, until, start, end);
	bool called = !ms_detect_is_figure(figure) &&
		(named || (behind && alone) ||
			(label != NULL && ((is_listed(c->s, label, until, start) &&
							 !leads_to_others(s, label, start, end)) ||
						  is_behind_words(c, label, first))) ||
			is_told(c, k, first) ||
			is_behind_called(c, k, first) ||
			ms_detect_is_one_of_several(c->s, k, first, c->last) ||
			(strlen(c->digits) >= MIN_FAR && is_behind_compound(c, k, first)));
	c->placed = c->placed || placed;
	c->dated = c->dated || called;
	c->next = c->next ||
		(called && !named &&
			((behind && alone) || ms_detect_is_beside(s, k, first, c->last)));
	return called ||
		(joined && letters >= MIN_LETTERS &&
			letters + strlen(c->digits) >= kind->bare_length);
}

bool ms_detect_is_meant(const Search *s, guint k, gsize first, gsize last)
{
	const MsWord *words = s->compact->words;
	Short c = {.s = (Search *)s, .first = first, .last = last};
	gsize len = words[last].end - words[first].start;
	if (len > MAX_DIGITS)
		return false;
	memcpy(c.digits, s->compact->text + words[first].start, len);
	return is_meant(&c, k, first, 0, false) && (c.placed || !is_group(&c));
}

/* The directory has a form without zeros of numbers that have them: "ab71943" is "ab0071943". */
static bool is_same(const char *one, const char *two)
{
	while (g_ascii_isalpha(*one) && *one == *two) {
		one++;
		two++;
	}
	return strcmp(one + strspn(one, "0"), two + strspn(two, "0")) == 0;
}

/* Does the directory know such numbers of the kind? */
static bool is_of(const MsStyle *style, const MsKind *kind)
{
	return kind->tag == style->tag && kind->known;
}

/* Is it meant to be of the kind?  Asked once for digits without letters: by several styles. */
static bool may_be(Short *c, guint k, gsize first, gsize letters, bool joined)
{
	guint64 bit = letters == 0 && k < KINDS_KEPT ? G_GUINT64_CONSTANT(1) << k : 0;
	if ((c->refused & bit) != 0 || (c->meant & bit) != 0)
		return (c->meant & bit) != 0;
	bool meant = is_meant(c, k, first, letters, joined);
	*(meant ? &c->meant : &c->refused) |= bit;
	return meant;
}

static void add_meaning(Short *c, guint k, const char *text)
{
	guint i = 0;
	gsize len = strlen(text);
	while (i < c->n && (c->meanings[i].kind != k || !is_same(c->meanings[i].value, text)))
		i++;
	c->many = c->many || i == MAX_MEANINGS;
	if (c->many || (i < c->n && strlen(c->meanings[i].value) <= len))
		return;
	c->meanings[i].kind = k;
	memcpy(c->meanings[i].value, text, len + 1);
	c->n = MAX(c->n, i + 1);
}

/* `text` is known as one of the style's.  What takes more of what stands there is meant sooner. */
static void take(Short *c, const MsStyle *style, const char *text, gsize first, gsize letters,
	bool joined)
{
	const Search *s = c->s;
	gsize start = ms_detect_word_start(s, first);
	for (guint k = 0; k < ms_kinds_count(s->kinds); k++) {
		if (!is_of(style, ms_kinds_nth(s->kinds, k)) ||
			(c->n > 0 && start > c->start) || !may_be(c, k, first, letters, joined))
			continue;
		if (start < c->start) {
			c->n = 0;
			c->many = false;
		}
		c->start = start;
		add_meaning(c, k, text);
	}
}

/* Does the word before it have these letters alone, with a mark or a blank between? */
static bool is_behind(const Short *c, const MsStyle *style, bool *joined_out)
{
	const Search *s = c->s;
	const MsWord *w = &s->compact->words[c->first];
	if (c->led > 0 || style->len == 0 || c->first == 0 || w->from != w[-1].until + 1 ||
		w[-1].end - w[-1].start != style->len ||
		memcmp(s->compact->text + w[-1].start, style->letters, style->len) != 0)
		return false;
	char mark = s->fold->text[w->from - 1];
	*joined_out = mark == '-';
	return mark != '\0' && strchr(" -/._", mark) != NULL;
}

/* With these digits, from the second place of `text` on; `width`: with zeros to so many. */
static void try_digits(Short *c, const MsStyle *style, const char *digits, gsize first,
	gsize letters, bool joined)
{
	char text[MAX_TEXT + 1];
	gsize zeros = strspn(digits, "0"), len = strlen(digits);
	if (style->width > 0 || c->filled) { /* however many zeros are there */
		digits += zeros;
		len -= zeros;
		zeros = style->width > len ? style->width - len : 0;
	} else {
		zeros = 0;
	}
	if (len == 0 || style->len + zeros + len > MAX_TEXT)
		return;
	memcpy(text, style->letters, style->len);
	memset(text + style->len, '0', zeros);
	memcpy(text + style->len + zeros, digits, len + 1);
	len += style->len + zeros;
	if (ms_filters_have(c->s->known, style->tag, text, len))
		take(c, style, text, first, letters, joined);
}

/* With a year of two digits or four before a number of `len`. */
static void try_year(Short *c, const MsStyle *style, const char *year, gsize year_len,
	const char *number, gsize len, gsize first, gsize letters, bool joined)
{
	char digits[MAX_DIGITS + YEAR + 1] = CENTURY;
	memcpy(digits + YEAR - year_len, year, year_len);
	memcpy(digits + YEAR, number, len);
	try_digits(c, style, digits, first, letters, joined);
}

/* "0418" for 2025-0418 and 2026-0418, where it may be one of the kind. */
static void try_any_year(Short *c, const MsStyle *style, gsize first, gsize letters, bool joined)
{
	gsize len = strlen(c->digits);
	bool meant = false;
	if (c->last > c->first || len < MIN_YEARLESS || len > MAX_DIGITS - YEAR)
		return;
	for (guint k = 0; !meant && k < ms_kinds_count(c->s->kinds); k++)
		meant = is_of(style, ms_kinds_nth(c->s->kinds, k)) &&
			may_be(c, k, first, letters, joined);
	for (int i = 0; meant && i < MAX_YEARS; i++) {
		const char year[] = {(char)('0' + i / 10), (char)('0' + i % 10)};
		try_year(c, style, year, sizeof year, c->digits, len, first, letters, joined);
	}
}

/* "0418/2026", "RE418/26" for 2026-0418, "26-0418" for it. */
static void try_years(Short *c, const MsStyle *style, gsize first, gsize letters, bool joined)
{
	const MsWord *w = &c->s->compact->words[c->first];
	const char *text = c->s->compact->text;
	if (c->last != c->first + 1)
		return;
	gsize one = w->end - w->start - c->led, two = w[1].end - w[1].start;
	const char *a = text + w->start + c->led, *b = text + w[1].start;
	if (one >= MIN_DIGITS && (two == 2 || (two == YEAR && ms_detect_is_year(b, YEAR))))
		try_year(c, style, b, two, a, one, first, letters, joined);
	if (one == 2 && two >= MIN_DIGITS && !ms_detect_is_year(b, two))
		try_year(c, style, a, one, b, two, first, letters, joined);
}

/* "2026-000418", "26/00418" for 2026-0418, which the directory has without its zeros, too. */
static void try_within(Short *c, const MsStyle *style, gsize first, gsize letters, bool joined)
{
	const MsWord *w = &c->s->compact->words[c->first];
	const char *a = c->s->compact->text + w->start + c->led;
	if (c->last != c->first + 1)
		return;
	const char *b = c->s->compact->text + w[1].start;
	gsize one = w->end - w->start - c->led, two = w[1].end - w[1].start, zeros = 0;
	while (zeros < two && b[zeros] == '0')
		zeros++;
	if (zeros > 0 && zeros < two && two >= MIN_DIGITS &&
		(one == 2 || (one == YEAR && ms_detect_is_year(a, one))))
		try_year(c, style, a, one, b + zeros, two - zeros, first, letters, joined);
}

static void try_style(Short *c, const MsStyle *style)
{
	const MsWord *w = &c->s->compact->words[c->first];
	gsize first = c->first, letters = 0;
	bool joined = false;
	if (is_behind(c, style, &joined)) {
		first = c->first - 1;
		letters = style->len;
	} else if (c->led > 0) {
		/* else they are a label */
		joined = c->led == style->len &&
			memcmp(c->s->compact->text + w->start, style->letters, c->led) == 0;
		letters = joined ? c->led : 0;
	}
	if (c->within) {
		try_within(c, style, first, letters, joined);
		return;
	}
	try_digits(c, style, c->digits, first, letters, joined);
	try_years(c, style, first, letters, joined);
	try_any_year(c, style, first, letters, joined);
}

/* "2026 0418" */
static bool is_year_before(const Search *s, gsize word)
{
	const MsWord *w = &s->compact->words[word];
	return ms_detect_is_year(s->compact->text + w->start, w->end - w->start) &&
		w[1].from == w->until + 1 && s->fold->text[w->until] == ' ' &&
		w[1].end - w[1].start >= MIN_DIGITS;
}

/* The digits of word `word`, behind letters perhaps, and of what is joined to it. */
static bool read_digits(Short *c, gsize word)
{
	const Search *s = c->s;
	const MsWord *w = &s->compact->words[word];
	const char *text = s->compact->text + w->start;
	gsize len = w->end - w->start;
	c->first = c->last = word;
	while (c->led < len && g_ascii_isalpha(text[c->led]))
		c->led++;
	if (c->led > MAX_LABEL || !ms_detect_is_number(text + c->led, len - c->led))
		return false;
	while (c->last + 1 < s->compact->n_words && c->last - word < MAX_WORDS &&
		!fills_cell(s, ms_detect_word_start(s, word), w->until) &&
		(ms_detect_is_joint(s, c->last) ||
			(c->last == word && is_year_before(s, word))) &&
		ms_detect_is_number(text + (w[1].start - w->start), w[1].end - w[1].start)) {
		w++;
		c->last++;
	}
	len = w->end - s->compact->words[word].start;
	if (len - c->led < MIN_DIGITS || len - c->led > MAX_DIGITS ||
		ms_detect_is_decimal(s->fold, ms_detect_word_start(s, word),
			ms_detect_word_end(s, c->last)))
		return false;
	memcpy(c->digits, text + c->led, len - c->led);
	return true;
}

/* "2026 0418 EUR" */
static bool ends_in_figure(const Short *c)
{
	const MsFold *fold = c->s->fold;
	gsize last = ms_detect_word_start(c->s, c->last), end = ms_detect_word_end(c->s, c->last);
	return c->last > c->first && fold->text[last - 1] == ' ' &&
		ms_detect_is_figure(ms_detect_figure(fold, last, last, last, end));
}

/* "Kunde-417", "Kd.Nr.417": is it a mark behind its name that it seems to go on before? */
static bool is_set_apart(const Short *c)
{
	const Search *s = c->s;
	char mark = c->start > 1 ? s->fold->text[c->start - 1] : '\0';
	return c->next && mark != '\0' && strchr("-_./", mark) != NULL &&
		g_ascii_isalpha(s->fold->text[c->start - 2]) && !ms_detect_in_link(s, c->start);
}

/* Is it whole, no year, and no date that no label stands before? */
static bool is_whole(const Short *c)
{
	const Search *s = c->s;
	gsize start = ms_detect_word_start(s, c->first), end = ms_detect_word_end(s, c->last);
	if (ms_detect_is_year(c->digits, strlen(c->digits)))
		return false;
	return fills_cell(s, start, end) || ((c->placed || !is_group(c)) && !ends_in_figure(c) &&
		(c->dated || ms_detect_of_date(s->fold, start, end) == MS_DATED_NOT) &&
		!ms_detect_is_glued(s, c->start - (is_set_apart(c) ? 1 : 0), end,
			c->start == start && c->led == 0, false));
}

/* Has the directory it as it stands, of a kind that is meant?  Of another kind that is chance. */
static bool is_known(Short *c)
{
	const Search *s = c->s;
	const char *text = s->compact->text + s->compact->words[c->first].start;
	gsize len = c->led + strlen(c->digits);
	for (guint k = 0; k < ms_kinds_count(s->kinds); k++) {
		const MsKind *kind = ms_kinds_nth(s->kinds, k);
		if (kind->known && ms_filters_have(s->known, kind->tag, text, len) &&
			is_meant(c, k, c->first, c->led, c->led > 0))
			return true;
	}
	return false;
}

static char *value_of(const Short *c, guint meaning)
{
	return g_ascii_strup(c->meanings[meaning].value, -1);
}

static const MsKind *kind_of(const Short *c, guint meaning)
{
	return ms_kinds_nth(c->s->kinds, c->meanings[meaning].kind);
}

/* One of its meanings, beside all others. */
static void add_one(const Short *c, guint meaning)
{
	Search *s = c->s;
	g_autoptr(GPtrArray) either = c->n > 1 ? ms_identifiers_new() : NULL;
	g_autofree char *value = value_of(c, meaning);
	for (guint i = 0; i < c->n; i++) {
		g_autofree char *other = value_of(c, i);
		if (i != meaning)
			g_ptr_array_add(either, ms_identifier_new(kind_of(c, i)->name, other));
	}
	s->either = either;
	ms_detect_add_value(s, kind_of(c, meaning), c->start, ms_detect_word_end(s, c->last), value,
		MS_BELIEF_TENTATIVE | MS_BELIEF_SHAPE | MS_BELIEF_LABELLED);
	s->either = NULL;
}

void ms_detect_short(Search *s, gsize word)
{
	MsStyle style;
	Short c = {.s = s};
	if (!ms_filters_style(s->known, 0, &style) || !read_digits(&c, word))
		return;
	for (guint i = 0; ms_filters_style(s->known, i, &style); i++)
		try_style(&c, &style);
	c.filled = *c.digits == '0';
	for (guint i = 0; c.n == 0 && c.filled && ms_filters_style(s->known, i, &style); i++)
		try_style(&c, &style);
	c.within = true;
	bool joint = c.last > c.first;
	for (guint i = 0; c.n == 0 && joint && ms_filters_style(s->known, i, &style); i++)
		try_style(&c, &style);
	if (c.n == 0 || c.many || is_known(&c) || !is_whole(&c))
		return;
	for (guint i = 0; i < c.n; i++)
		if (ms_detect_is_part_of_known(s, kind_of(&c, i), c.first, c.last))
			return;
	for (guint i = 0; i < c.n; i++)
		add_one(&c, i);
}
