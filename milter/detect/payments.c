/*
 * In comes the first word of what may be a payment's reference: "0000 0000 4829 1746",
 * "482917462", "RF81 4829 1746", "+++048/2917/46197+++", "SI00 48291746-417"; out goes the number
 * of the directory that it was made of, without the zeros that fill it up, its prefix and its
 * check digits (ISO 11649, OCR, KID, QR-bill, betalingskenmerk, gestructureerde mededeling, poziv
 * na broj).  A worker's only thread.
 *
 * Digits alone are one only behind a word that says so, or where their form does.  One may have
 * more than one number in it, each filled up with zeros: "123456 000 48291746 0000041 7".
 */
#include "config.h"

#include <string.h>

#include "detect_private.h"

#define MIN_ALL 8
#define MAX_ALL 60
#define MAX_WORDS 9
#define RF 4        /* "RF81" */
#define QR 27       /* digits of a reference of a Swiss QR-bill */
#define BARS 54     /* of a Finnish bar code, */
#define BARS_REF 28 /* where its reference begins, if it is a national one, */
#define BARS_RF 27  /* and if it is one of ISO 11649, behind its check digits */
#define BARS_END 48
#define MAX_CHECK 2   /* check digits behind */
#define FAR 48        /* bytes from the word that says so */
#define MIN_PADDED 12 /* digits of which an inner number is taken */
#define MIN_LONG 20   /* the same if nothing says what they are */
#define MAX_ENDS 3    /* zeros at the end that may be the number's own */
#define MIN_SAID 6    /* digits of a number that is the whole reference */
#define MAX_PARTS 6   /* of "7269-48291746-00019" */

/* Of a line that machines read: "# 482137739 # 1250 00 4 >", "7000000048213773+ 0000000041+",
 * "+71<000000482137738+12345678<", "(8020)48213773".  Mail is quoted with a mark, too. */
static bool is_machines(const MsFold *fold, gsize from, gsize until)
{
	const char *text = fold->text;
	gsize near = from;
	while (near > 0 && from - near < 2 && text[near - 1] == ' ')
		near--;
	if (near > 0 && text[near - 1] == '<')
		return true;
	if (until + 1 < fold->len && memcmp(text + until, "</", 2) == 0)
		return false; /* an element of XML */
	char before = from > 1 && text[from - 2] != '\n' ? text[from - 1] : '\0',
	     behind = until < fold->len ? text[until] : '\0';
	bool last = until + 1 >= fold->len || !g_ascii_isalnum(text[until + 1]);
	if (before == '<' || before == '>' || behind == '<' || behind == '>' ||
		(behind == '+' && last))
		return true;
	return (from >= 2 && until + 2 <= fold->len && memcmp(text + from - 2, "# ", 2) == 0 &&
		       memcmp(text + until, " #", 2) == 0) ||
		(from >= 6 && memcmp(text + from - 6, "(8020)", 6) == 0);
}

/* What is said of a number: nothing; that it is paid or referred to, as a bill's own number is,
 * too; or by which rule it was made. */
typedef enum { SAID_NOTHING, SAID_PAID, SAID_RULE } Said;

static bool has(const char *word, gsize len, const char *part)
{
	return memmem(word, len, part, strlen(part)) != NULL;
}

/* The beginning of a Greek word, as compact words have it. */
static const char *greek(void)
{
	static const char *begins;
	if (g_once_init_enter(&begins)) {
		char *compact = ms_compact_of("\xcf\x80\xce\xbb\xce\xb7\xcf\x81\xcf\x89\xce\xbc", 12);
		g_once_init_leave(&begins, compact);
	}
	return begins;
}

static Said said_by(const char *word, gsize len)
{
	static const MsListed rules[] = {MS_LISTED("ocr"), MS_LISTED("ocrnr"),
		MS_LISTED("ocrnummer"), MS_LISTED("kid"), MS_LISTED("kidnr"),
		MS_LISTED("kidnummer"), MS_LISTED("esr"), MS_LISTED("iuv"), MS_LISTED("avviso"),
		MS_LISTED("mededeling"), MS_LISTED("captura"), MS_LISTED("nosso"),
		MS_LISTED("poziv"), MS_LISTED("sklic"), MS_LISTED("kodas")};
	static const char *const paying[] = {"payment", "betalning", "betaling", "zahlung", "girok"};
	static const MsListed paid[] = {MS_LISTED("communication"), MS_LISTED("symbol"),
		MS_LISTED("giro"), MS_LISTED("plusgiro"), MS_LISTED("bankgiro"),
		MS_LISTED("postgiro")};
	/* People and votes. */
	static const MsListed others[] = {MS_LISTED("referent"), MS_LISTED("referenten"),
		MS_LISTED("referentin"), MS_LISTED("referents"), MS_LISTED("referendum")};
	if (ms_detect_is_listed(rules, G_N_ELEMENTS(rules), word, len) || has(word, len, "kenmerk") ||
		has(word, len, "viite") || has(word, len, "referans") || has(word, len, greek()))
		return SAID_RULE;
	bool says = has(word, len, "referen") &&
		!ms_detect_is_listed(others, G_N_ELEMENTS(others), word, len);
	for (gsize i = 0; i < G_N_ELEMENTS(paying); i++)
		says = says || has(word, len, paying[i]);
	return says || ms_detect_is_listed(paid, G_N_ELEMENTS(paid), word, len) ? SAID_PAID
										 : SAID_NOTHING;
}

/* Where the nearest label before `from` begins: it is that one's, whatever is paid before. */
static gsize label_before(const Search *s, gsize from)
{
	gsize at = 0;
	for (guint k = 0; k < ms_kinds_count(s->kinds); k++) {
		const MsLabel *label = ms_detect_label_of(s, k, from);
		if (label != NULL)
			at = MAX(at, label->start);
	}
	return at;
}

static bool ends_sentence(const MsFold *fold, gsize from, gsize until)
{
	return until - from >= 2 && strchr(".!?", fold->text[from]) != NULL &&
		g_ascii_isspace(fold->text[from + 1]) && g_ascii_isupper(fold->text[until]);
}

/* Are these the bytes that set such numbers apart: "+++", "***"? */
static bool is_starred(const MsFold *fold, gsize from, gsize until)
{
	return from >= 3 && until + 3 <= fold->len &&
		(memcmp(fold->text + from - 3, "+++", 3) == 0 ||
			memcmp(fold->text + from - 3, "***", 3) == 0) &&
		memcmp(fold->text + from - 3, fold->text + until, 3) == 0;
}

/* By the words before word `first` in its line, or in the one before where it begins its own. */
static Said said_before(const Search *s, gsize first)
{
	const MsWord *words = s->compact->words;
	const MsFold *fold = s->fold;
	gsize from = words[first].from, begin = from > FAR ? from - FAR : 0;
	const char *line = memrchr(fold->text + begin, '\n', from - begin);
	if (line != NULL && from - (gsize)(line - fold->text) > 3)
		begin = (gsize)(line - fold->text);
	bool paid = false;
	for (gsize word = first; word > 0 && words[word - 1].from >= begin; word--) {
		const MsWord *w = &words[word - 1];
		if (ends_sentence(fold, w->until, w[1].from))
			break;
		Said said = said_by(s->compact->text + w->start, w->end - w->start);
		if (said == SAID_RULE)
			return said;
		paid = paid || (said == SAID_PAID && w->from >= label_before(s, from));
	}
	/* A field of a Serbian code. */
	if (memmem(fold->text + begin, from - begin, "|RO:", 4) != NULL ||
		memmem(fold->text + begin, from - begin, "|ro:", 4) != NULL)
		return SAID_RULE;
	return paid ? SAID_PAID : SAID_NOTHING;
}

/* Is it a reference, as the words before it say or the marks around it? */
static Said said_of(const Search *s, gsize first, gsize until)
{
	gsize from = s->compact->words[first].from;
	if (is_machines(s->fold, from, until) || is_starred(s->fold, from, until))
		return SAID_RULE;
	Said said = said_before(s, first);
	gsize begin = from > FAR ? from - FAR : 0;
	/* A telephone, an amount, a date. */
	if (said != SAID_NOTHING &&
		ms_detect_figure(s->fold, begin, begin, from, until) >
			(said == SAID_RULE ? MS_FIGURE_PERHAPS : MS_FIGURE_NONE))
		return SAID_NOTHING;
	return said;
}

/* "SI00", "HR01": by which rule the reference behind it is made. */
static bool is_model(const char *text, gsize len)
{
	return len >= RF && (memcmp(text, "si", 2) == 0 || memcmp(text, "hr", 2) == 0) &&
		ms_detect_is_number(text + 2, 2);
}

static bool is_behind_model(const Search *s, gsize word)
{
	const MsWord *w = &s->compact->words[word];
	return word > 0 && w->from - w[-1].until <= 2 && w[-1].end - w[-1].start == RF &&
		is_model(s->compact->text + w[-1].start, RF);
}

/* False: nobody has it. */
static bool take_from(Search *s, gsize from, gsize until, const char *text, gsize len, gsize least)
{
	bool known = false;
	if (len < least || !ms_filters_have_any(s->known, text, len))
		return false;
	for (guint k = 0; k < ms_kinds_count(s->kinds); k++) {
		const MsKind *kind = ms_kinds_nth(s->kinds, k);
		bool number = kind->form == MS_FORM_ALNUM || kind->form == MS_FORM_DIGITS;
		if (!number || !kind->known || kind->check != MS_CHECK_NONE ||
			kind->family != MS_FAMILY_NONE || len < MIN(kind->bare_digits, least) ||
			!ms_filters_have(s->known, kind->tag, text, len))
			continue;
		known = true;
		ms_detect_add_known(s, k, from, until, text, len, 0);
	}
	return known;
}

static bool take(Search *s, gsize from, gsize until, const char *text, gsize len)
{
	return take_from(s, from, until, text, len, MIN_ALL - 1);
}

/* The sum of Finnish and Estonian references. */
static bool is_731(const char *digits, gsize len)
{
	static const guint weights[] = {7, 3, 1};
	guint sum = 0;
	for (gsize i = 0; i + 1 < len; i++)
		sum += weights[i % 3] * (guint)(digits[len - 2 - i] - '0');
	return (sum + (guint)(digits[len - 1] - '0')) % 10 == 0;
}

/* The sum of Norwegian and Brazilian ones, without those that have no digit for it. */
static bool is_11(const char *digits, gsize len)
{
	guint sum = 0, weight = 2;
	for (gsize i = 0; i + 1 < len; i++, weight = weight == 7 ? 2 : weight + 1)
		sum += weight * (guint)(digits[len - 2 - i] - '0');
	return (11 - sum % 11) % 11 == (guint)(digits[len - 1] - '0');
}

/* The table of Swiss ones. */
static bool is_recursive(const char *digits, gsize len)
{
	static const guint next[] = {0, 9, 4, 6, 8, 2, 7, 1, 3, 5};
	guint rest = 0;
	for (gsize i = 0; i + 1 < len; i++)
		rest = next[(rest + (guint)(digits[i] - '0')) % 10];
	return (10 - rest) % 10 == (guint)(digits[len - 1] - '0');
}

/* The rest of the Belgian ones, and of those by ISO 7064 (97-10). */
static bool is_97(const char *digits, gsize len)
{
	int rest = ms_kind_mod_97(0, digits, len - 2);
	int last = (digits[len - 2] - '0') * 10 + digits[len - 1] - '0';
	return (rest == 0 ? 97 : rest) == last || ms_kind_mod_97(0, digits, len) == 1;
}

static bool is_checked(const char *digits, gsize len, gsize check)
{
	return check == 1 ? ms_kind_luhn(digits, len) || is_731(digits, len) ||
			is_11(digits, len) || is_recursive(digits, len)
			  : is_97(digits, len);
}

/* Without zeros and check digits; a check digit may stand before the zeros as well.  What is known
 * with its last digits has none behind; where nothing tells the rule, they must be right by one
 * that may be meant. */
static void take_digits(
	Search *s, gsize from, gsize until, const char *text, gsize len, Said said)
{
	gsize zeros = strspn(text, "0"), led = strspn(text + 1, "0");
	bool known = zeros < len && take(s, from, until, text + zeros, len - zeros);
	if (zeros == 0 && led > 0 && led + 1 < len)
		known = take(s, from, until, text + 1 + led, len - 1 - led) || known;
	for (gsize check = 1; !known && check <= MAX_CHECK && zeros + check < len; check++)
		if (said == SAID_RULE || is_checked(text + zeros, len - zeros, check))
			take(s, from, until, text + zeros, len - zeros - check);
}

/* The numbers that two zeros at least set apart, from each other and from check digits. */
static void take_padded(Search *s, gsize from, gsize until, const char *digits, gsize len)
{
	for (gsize at = 0; at + MIN_ALL - 1 <= len;) {
		const char *zeros = strstr(digits + at, "00");
		gsize end = zeros != NULL ? (gsize)(zeros - digits) : len,
		      run = strspn(digits + end, "0");
		for (gsize more = 0; more <= MAX_ENDS && more + (end < len ? 2 : 0) <= run; more++)
			take(s, from, until, digits + at, end + more - at);
		for (gsize n = 1; end == len && n <= MAX_CHECK && at + n < len; n++)
			take(s, from, until, digits + at, len - at - n);
		at = end + run;
	}
}

void ms_detect_reference(Search *s, gsize from, gsize until, const char *digits, gsize len)
{
	take_digits(s, from, until, digits, len, SAID_RULE);
	take_padded(s, from, until, digits, len);
}

/* Words that a blank or a slash sets apart at most. */
static bool goes_on(const Search *s, gsize word)
{
	const MsWord *w = &s->compact->words[word];
	if (word + 1 >= s->compact->n_words || w[1].from > w->until + 1)
		return false;
	return w[1].from == w->until || strchr(" /", s->fold->text[w->until]) != NULL;
}

/* Groups of four or five digits, as such numbers are written; not figures of a table. */
static bool is_grouped(const Search *s, gsize first, gsize last)
{
	const MsWord *words = s->compact->words;
	gsize size = first < last ? words[first + 1].end - words[first + 1].start : 4;
	for (gsize i = first + 1; i < last; i++)
		if (words[i].end - words[i].start != size)
			return false;
	return (size == 4 || size == 5) &&
		words[first].end - words[first].start <= (first < last ? size + 1 : MAX_ALL);
}

/* "SI00 7269-48291746-00019", of which dashes set each number apart. */
static void by_parts(Search *s, gsize word)
{
	const MsWord *words = s->compact->words;
	const char *fold = s->fold->text, *text = s->compact->text;
	gsize first = word, from = words[word].start, len = words[word].end - from;
	while (first > 0 && word - first < MAX_PARTS &&
		words[first].from == words[first - 1].until + 1 &&
		fold[words[first - 1].until] == '-')
		first--;
	const char *begin = text + words[first].start;
	bool glued = is_model(begin, words[first].end - words[first].start);
	if (glued && first == word) {
		from += RF;
		len -= RF;
	}
	if (!ms_detect_is_number(text + from, len))
		return;
	Said said = glued || is_behind_model(s, first) ? SAID_RULE
						       : said_of(s, first, words[word].until);
	if (said == SAID_NOTHING)
		return;
	g_autofree char *digits = g_strndup(text + from, len);
	take_digits(s, words[word].from, words[word].until, digits, len, said);
	take_padded(s, words[word].from, words[word].until, digits, len);
}

/* Behind a word for a payment's reference, with nothing but marks between: "VS: 482917". */
static bool is_said_short(const Search *s, gsize word)
{
	static const MsListed said[] = {MS_LISTED("symbol"), MS_LISTED("vs"), MS_LISTED("ss"),
		MS_LISTED("kid"), MS_LISTED("ocr"), MS_LISTED("viite"), MS_LISTED("viitenumero"),
		MS_LISTED("kenmerk"), MS_LISTED("betalingskenmerk"), MS_LISTED("mededeling"),
		MS_LISTED("verwendungszweck"), MS_LISTED("zahlungsreferenz")};
	const MsWord *w = &s->compact->words[word];
	if (word == 0 || w->from - w[-1].until > 3 ||
		memchr(s->fold->text + w[-1].until, '\n', w->from - w[-1].until) != NULL)
		return false;
	return ms_detect_is_listed(
		said, G_N_ELEMENTS(said), s->compact->text + w[-1].start, w[-1].end - w[-1].start);
}

static bool is_part(const Search *s, gsize word)
{
	const MsWord *w = &s->compact->words[word];
	return (word > 0 && w->from == w[-1].until + 1 && s->fold->text[w->from - 1] == '-') ||
		s->fold->text[w->until] == '-';
}

/* Digits alone, from word `first` to word `last`. */
static void by_digits(Search *s, gsize first, gsize last)
{
	const MsWord *words = s->compact->words;
	gsize from = words[first].from, until = words[last].until;
	gsize len = words[last].end - words[first].start;
	if (len > MAX_ALL || len < MIN_SAID)
		return;
	g_autofree char *digits = g_strndup(s->compact->text + words[first].start, len);
	if (first == last && len < MIN_ALL) {
		if (is_said_short(s, first))
			take_from(s, from, until, digits, len, MIN_SAID);
		return;
	}
	if (len < MIN_ALL)
		return;
	if (len == BARS && (*digits == '4' || *digits == '5')) {
		digits[BARS_END] = '\0';
		gsize start = *digits == '4' ? BARS_REF : BARS_RF;
		take_digits(s, from, until, digits + start, BARS_END - start, SAID_RULE);
		return;
	}
	Said said = len == QR || is_behind_model(s, first) ? SAID_RULE : said_of(s, first, until);
	if (said != SAID_NOTHING && !ms_detect_is_part_of_known(s, NULL, first, last))
		take_digits(s, from, until, digits, len, said);
	if ((said != SAID_NOTHING && len >= MIN_PADDED) ||
		(len >= MIN_LONG && is_grouped(s, first, last)))
		take_padded(s, from, until, digits, len);
}

/* Behind "RF81". */
static void by_rf(Search *s, const MsWord *first, const MsWord *last)
{
	const char *text = s->compact->text + first->start + RF;
	gsize len = last->end - first->start - RF, zeros = 0;
	while (zeros < len && text[zeros] == '0')
		zeros++;
	take(s, first->from, last->until, text, len);
	if (zeros > 0 && zeros < len)
		take(s, first->from, last->until, text + zeros, len - zeros);
}

/* Is it no reference's beginning?  "SI12" before it is none of its groups, and of "3 00 0048" the
 * first says what sort it is. */
static bool goes_on_before(const Search *s, gsize word)
{
	const MsWord *w = &s->compact->words[word];
	return word > 0 && w[-1].end - w[-1].start > 1 &&
		g_ascii_isdigit(s->compact->text[w->start - 1]) && goes_on(s, word - 1) &&
		!is_behind_model(s, word);
}

void ms_detect_payments(Search *s, gsize word)
{
	const MsWord *words = s->compact->words, *first = &words[word];
	const char *text = s->compact->text + first->start;
	gsize len = first->end - first->start, last = word;
	bool rf = len >= RF && memcmp(text, "rf", 2) == 0 && ms_detect_is_number(text + 2, 2);
	if (!rf && is_part(s, word))
		by_parts(s, word);
	if (!rf && (!ms_detect_is_number(text, len) || goes_on_before(s, word)))
		return;
	while (last - word < MAX_WORDS && goes_on(s, last) &&
		(rf ||
			ms_detect_is_number(s->compact->text + words[last + 1].start,
				words[last + 1].end - words[last + 1].start))) {
		last++;
		if (rf && words[last].end - first->start <= MAX_ALL)
			by_rf(s, first, &words[last]);
	}
	if (rf && last == word && len > RF)
		by_rf(s, first, first);
	else if (!rf)
		by_digits(s, word, last);
}
