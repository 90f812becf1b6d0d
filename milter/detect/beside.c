/*
 * In comes a word that begins what the directory knows; out goes whether the words right before
 * it name its kind: "policy 41007", "Numer polisy: 41007", "your policy number is 41007", and in
 * a line of its own above it; or those behind it or in small print below.  A worker's only thread.
 *
 * A label of a kind is found wherever it stands, and whatever is behind it is looked at.  Here the
 * number is there already, and of the words before it those are dropped that only say "number", so
 * that a name needs no list of all that may stand beside it.  What a name says is little: nothing
 * else may be between.
 */
#include "config.h"

#include <string.h>

#include "detect_private.h"

#define MAX_BACK 80    /* bytes from the value to the beginning of its name */
#define MAX_WORDS 5    /* of a name */
#define MAX_DROPPED 3  /* words for "number" */
#define MAX_LINES 2    /* ends of lines between a name and its value */
#define MAX_SHORT 5    /* letters of a word with a full stop that is not a sentence's */
#define MIN_HEAD 4     /* of the name of a kind, at the end of a word */
#define MAX_GLYPHS 12  /* letters of a name in a script that sets no blanks */
#define MAX_IN_CELL 12 /* words */
#define MAX_VALUES 12  /* cells */
#define MAX_NAMES 12
#define MAX_LINES_OF_NAME 4
#define MAX_COLUMN 500  /* bytes from the first name to the value */
#define MIN_IN_COLUMN 4 /* bytes of a value */
#define MIN_WRAPPED 40 /* bytes of a line of prose that goes on in the next one */
#define MAX_WRAPPED 120
#define MIN_BLANKS 4
#define MARKS " \t\r\n:#()=[{\"'|*<>~-" /* between a name and its value */
#define STOPS "./]"
#define NAME_MARKS " .-/'&" /* between the words of a name */
#define LIST_MARKS NAME_MARKS ","
#define CUT_MARKS " -/,&" /* behind one without its end: "Kunden-, Vertrags- & ..." */

typedef struct {
	const Search *s;
	gsize word, until; /* the value: its first word, its end */
	guint kind;
} Case;

/* Letters of two scripts are words of their own, though one word has both: where it begins that
 * `word` ends. */
static gsize whole_word(const Search *s, gsize word)
{
	while (word > 0 && ms_detect_word_end(s, word - 1) == ms_detect_word_start(s, word))
		word--;
	return word;
}

/* The last of such a one. */
static gsize whole_end(const Search *s, gsize word)
{
	while (word + 1 < s->compact->n_words &&
		ms_detect_word_end(s, word) == ms_detect_word_start(s, word + 1))
		word++;
	return word;
}

/* Are there MAX_WORDS of these at the most? */
static bool are_few(const Search *s, gsize first, gsize last)
{
	guint n = 0;
	for (; first <= last && n <= MAX_WORDS; first = whole_end(s, first) + 1)
		n++;
	return n <= MAX_WORDS;
}

static const char *words_text(const Search *s, gsize first, gsize last, gsize *len_out)
{
	const MsWord *words = s->compact->words;
	*len_out = words[last].end - words[first].start;
	return s->compact->text + words[first].start;
}

/* A letter of Cyrillic may have been folded to the digit that it looks like. */
static bool is_letters(const Search *s, gsize first, gsize last)
{
	gsize len, digits = 0, others = 0;
	const char *text = words_text(s, first, last, &len);
	for (gsize i = 0; i < len; i++) {
		digits += g_ascii_isdigit(text[i]) != 0;
		others += (text[i] & 0x80) != 0;
	}
	return digits == 0 || (digits == 1 && others > 0);
}

/* Is between a word and the next nothing but such marks?  How many lines end there. */
static bool only_marks(const Search *s, gsize word, const char *marks, guint *lines_out)
{
	const char *fold = s->fold->text;
	gsize until = ms_detect_word_start(s, word + 1);
	*lines_out = 0;
	for (gsize i = ms_detect_word_end(s, word); i < until; i++) {
		*lines_out += fold[i] == '\n';
		if (fold[i] == '.' && (fold[i + 1] == '.' || fold[i - 1] == '.'))
			continue; /* they lead from the name to its value */
		gsize sign = ms_detect_sign(fold + i);
		if (fold[i] == '\xc2' && (fold[i + 1] == '\xb0' || fold[i + 1] == '\xba'))
			i++; /* degree, ordinal */
		else if (sign > 0)
			i += sign - 1;
		else if (fold[i] == '\0' || strchr(marks, fold[i]) == NULL)
			return false;
	}
	return true;
}

/* "is", of a sentence that says what a number is; "your" behind its name. */
static bool is_copula(const char *text, gsize len)
{
	static const char *const words[] = {"is", "ist", "lautet", "est", "es", "jest", "je", "er",
		"on", "ar", "este", "yra", "ir", "e", "einai", "σaσ", "remains", "be", "becomes",
		"bleibt", "reste", "devient", "sera", "sigue", "rimane", "diventa", "blijft",
		"pozostaje", "zustava", "pysyy", "forblir", "forbliver"};
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		if (strlen(words[i]) == len && memcmp(words[i], text, len) == 0)
			return true;
	return false;
}

/* "is now" */
static bool is_of_time(const char *text, gsize len)
{
	static const MsListed words[] = {MS_LISTED("now"), MS_LISTED("still"), MS_LISTED("nun"),
		MS_LISTED("jetzt"), MS_LISTED("nunmehr"), MS_LISTED("weiterhin"),
		MS_LISTED("desormais"), MS_LISTED("maintenant"), MS_LISTED("ahora"),
		MS_LISTED("ora"), MS_LISTED("adesso"), MS_LISTED("agora"), MS_LISTED("nu"),
		MS_LISTED("voortaan"), MS_LISTED("teraz"), MS_LISTED("nyni"), MS_LISTED("nyt")};
	return ms_detect_is_listed(words, G_N_ELEMENTS(words), text, len);
}

gsize ms_detect_drop_copula(const Search *s, gsize word)
{
	gsize len, said = word;
	guint lines;
	for (gsize end = word; end > 0 && word - end < MAX_DROPPED; end--) {
		if (!only_marks(s, end - 1, STOPS MARKS, &lines))
			break;
		const char *text = words_text(s, end - 1, end - 1, &len);
		if (is_copula(text, len))
			said = end - 1;
		else if (said < word || /* "is the", "est le", "is now" */
			!(ms_name_is_particle(text, len) || is_of_time(text, len)))
			break;
	}
	return said;
}

/* Where the words end that name it, before those for "number"; in `numbered` whether there are. */
static gsize drop_numbers(const Case *c, bool *numbered)
{
	gsize end = ms_detect_drop_copula(c->s, c->word);
	guint lines, dropped = 0;
	while (end > 0 && dropped < MAX_DROPPED && only_marks(c->s, end - 1, STOPS MARKS, &lines)) {
		gsize len, first = whole_word(c->s, end - 1);
		const char *text = words_text(c->s, first, end - 1, &len);
		if (!ms_detect_says_number(text, len))
			break;
		*numbered = true;
		end = first;
		dropped++;
	}
	return end;
}

/* "with the number", between a name and its number. */
static bool is_with(const char *text, gsize len)
{
	static const MsListed words[] = {MS_LISTED("with"), MS_LISTED("under"), MS_LISTED("mit"),
		MS_LISTED("unter"), MS_LISTED("avec"), MS_LISTED("sous"), MS_LISTED("con"),
		MS_LISTED("com"), MS_LISTED("met"), MS_LISTED("onder"), MS_LISTED("med"),
		MS_LISTED("pod"), MS_LISTED("portant"), MS_LISTED("porte"), MS_LISTED("tragt"),
		MS_LISTED("has"), MS_LISTED("hat"), MS_LISTED("heeft"), MS_LISTED("tiene"),
		MS_LISTED("lleva"), MS_LISTED("tem"), MS_LISTED("har")};
	return ms_detect_is_listed(words, G_N_ELEMENTS(words), text, len);
}

/* Where "customer" ends of "customer with the number", if that is what ends at word `end`. */
static gsize drop_with(const Case *c, gsize end)
{
	gsize len;
	guint lines;
	for (guint dropped = 0; end > 1 && dropped < MAX_DROPPED; dropped++) {
		const char *text = words_text(c->s, end - 1, end - 1, &len);
		bool with = is_with(text, len);
		if ((!with && !ms_name_is_particle(text, len)) ||
			!only_marks(c->s, end - 1, " ", &lines) || lines > 0)
			return 0;
		end--;
		if (with)
			return end;
	}
	return 0;
}

static bool names_kind(const Case *c, const char *name, gsize len)
{
	const MsNameKinds *kinds = ms_detect_kinds_named((Search *)c->s, name, len);
	for (guint i = 0; kinds != NULL && i < kinds->n; i++)
		if (kinds->kinds[i] == c->kind)
			return true;
	return false;
}

/* Does nothing but marks stand before it in its line or cell? */
static bool begins_line(const MsFold *fold, gsize at)
{
	while (at > 0 && strchr("\n\t|", fold->text[at - 1]) == NULL) {
		char c = fold->text[--at];
		if (g_ascii_isalnum(c) || (c & 0x80))
			return false;
	}
	return true;
}

/* "number of the": does the word belong to that? */
static bool leads_to_name(const char *text, gsize len)
{
	return ms_detect_says_number(text, len) || ms_detect_says_of(text, len);
}

/* Does nothing but marks, and words for "number", stand before word `first` in its line or cell? */
static bool begins_cell(const Search *s, gsize first)
{
	gsize len;
	guint lines;
	while (first > 0 && only_marks(s, first - 1, " .:#", &lines) && lines == 0) {
		gsize before = whole_word(s, first - 1);
		const char *text = words_text(s, before, first - 1, &len);
		if (!leads_to_name(text, len))
			break;
		first = before;
	}
	return begins_line(s->fold, ms_detect_word_start(s, first));
}

static bool ends_line(const MsFold *fold, gsize at)
{
	for (; at < fold->len && fold->text[at] != '\n'; at++)
		if (g_ascii_isalnum(fold->text[at]) || (fold->text[at] & 0x80))
			return false;
	return true;
}

static bool ends_cell(char c)
{
	return c == '\n' || c == '\t' || c == '|';
}

/* Is it all of a cell, of a line that may go on: "4711 <tab> Quantity:"? */
static bool fills_cell(const MsFold *fold, gsize end)
{
	while (end < fold->len && fold->text[end] == ' ')
		end++;
	return end < fold->len && ends_cell(fold->text[end]);
}

/* Has the name that ends there a colon, so that it is of what is below? */
static bool has_colon(const MsFold *fold, gsize at)
{
	while (at < fold->len && fold->text[at] == ' ')
		at++;
	return at < fold->len && fold->text[at] == ':';
}

/* "Policennr. 41007": the stop is no sentence's. */
static bool is_cut_short(const Search *s, gsize word)
{
	const MsWord *w = &s->compact->words[word];
	const char *end = s->compact->text + w->end;
	gsize whole = w->until - ms_detect_word_start(s, whole_word(s, word));
	return whole <= MAX_SHORT ||
		(w->end - w->start > 2 &&
			(memcmp(end - 2, "nr", 2) == 0 || memcmp(end - 2, "no", 2) == 0));
}

bool ms_detect_is_wrapped(const MsFold *fold, gsize at)
{
	gsize from = at, blanks = 0;
	for (; from > 0 && fold->text[from - 1] != '\n'; from--) {
		char c = fold->text[from - 1];
		if (c == '\t' || c == '|' || (c == ' ' && fold->text[from] == ' '))
			return false;
		blanks += c == ' ';
	}
	return at - from >= MIN_WRAPPED && at - from <= MAX_WRAPPED && blanks >= MIN_BLANKS;
}

/* "kunden_nr": is but this between a word and the next, in the line of the value?  In links that is
 * of whoever counts clicks (pairs.c), and by itself it is the value of another name. */
static bool is_underscored(const Case *c, gsize word)
{
	const Search *s = c->s;
	const char *fold = s->fold->text;
	gsize end = ms_detect_word_end(s, word), value = ms_detect_word_start(s, c->word);
	return fold[end] == '_' && ms_detect_word_start(s, word + 1) == end + 1 &&
		(value < end || memchr(fold + end, '\n', value - end) == NULL) &&
		!ms_detect_in_link(s, value);
}

/* May what stands between the name that ends with word `last` and the value be there? */
static bool is_near(const Case *c, gsize first, gsize last, bool numbered)
{
	const Search *s = c->s;
	gsize end = ms_detect_word_end(s, last);
	bool stopped = numbered || is_cut_short(s, last);
	guint lines;
	bool joined = last + 1 == c->word && s->fold->text[end] == '_' &&
		ms_detect_word_start(s, c->word) == end + 1; /* "RE_4829174" */
	if (ms_detect_word_start(s, c->word) >=
		ms_detect_reach(s, ms_detect_word_start(s, first), end))
		return false;
	for (gsize w = joined ? c->word : last; w < c->word; w++) {
		lines = 0;
		bool name = stopped && w + 1 < c->word;
		bool marks = (name && is_underscored(c, w)) ||
			only_marks(s, w, stopped ? STOPS MARKS : MARKS, &lines);
		bool closed = w + 1 < c->word && s->fold->text[ms_detect_word_end(s, w)] == ':';
		if (!marks || lines > (closed ? 0 : MAX_LINES))
			return false;
		if (lines > 0 && !(lines == 1 && ms_detect_is_wrapped(s->fold, end)) &&
			(!begins_cell(s, first) || (!numbered && !ends_line(s->fold, c->until) &&
				!(has_colon(s->fold, end) && fills_cell(s->fold, c->until)))))
			return false;
	}
	return !ms_detect_is_figure(ms_detect_figure(s->fold, ms_detect_word_start(s, first), end,
		ms_detect_word_start(s, c->word), c->until));
}

/* "Customer and contract number" */
static bool is_conjunction(const char *text, gsize len)
{
	static const MsListed words[] = {MS_LISTED("and"), MS_LISTED("or"), MS_LISTED("und"),
		MS_LISTED("oder"), MS_LISTED("bzw"), MS_LISTED("et"), MS_LISTED("ou"),
		MS_LISTED("y"), MS_LISTED("o"), MS_LISTED("e"), MS_LISTED("ed"), MS_LISTED("i"),
		MS_LISTED("lub"), MS_LISTED("a"), MS_LISTED("nebo"), MS_LISTED("en"),
		MS_LISTED("of"), MS_LISTED("och"), MS_LISTED("eller"), MS_LISTED("og"),
		MS_LISTED("ja"), MS_LISTED("tai"), MS_LISTED("es"), MS_LISTED("vagy"),
		MS_LISTED("si"), MS_LISTED("sau"), MS_LISTED("ve"), MS_LISTED("veya")};
	return ms_detect_is_listed(words, G_N_ELEMENTS(words), text, len);
}

/* "Kunden-", of which the end is that of a later word. */
static bool is_cut(const Search *s, gsize word)
{
	const char *behind = s->fold->text + ms_detect_word_end(s, word);
	return behind[0] == '-' && behind[1] != '\0' && strchr(" ,/&\r\n", behind[1]) != NULL;
}

/* What joins names to the last of several, as far as the first word that was looked at. */
typedef struct {
	bool listed;  /* "and" was passed: commas are between those before */
	bool wrapped; /* they are in two lines: no name by themselves */
} Join;

/* Goes a name on behind word `word`, which does not end it?  "Kunden- und <line> Vertragsnummer" */
static bool goes_on(const Case *c, gsize word, Join *j)
{
	const Search *s = c->s;
	gsize len, next_len;
	guint lines = 0;
	if (is_underscored(c, word))
		return true;
	bool cut = is_cut(s, word);
	const char *marks = cut ? CUT_MARKS "\r\n"
			: j->listed ? LIST_MARKS "\r\n" : NAME_MARKS "\r\n";
	if (!only_marks(s, word, marks, &lines) || lines > 1)
		return false;
	const char *text = words_text(s, whole_word(s, word), word, &len);
	const char *next = words_text(s, word + 1, whole_end(s, word + 1), &next_len);
	bool before = is_conjunction(text, len), behind = is_conjunction(next, next_len);
	gsize until = ms_detect_word_end(s, word), gap = ms_detect_word_start(s, word + 1) - until;
	j->listed = j->listed || before || memchr(s->fold->text + until, '&', gap) != NULL;
	if (lines > 0 && (j->wrapped || !(cut || before || behind)))
		return false;
	j->wrapped = j->wrapped || lines > 0;
	return true;
}

/* "Rechnungsnummer", "Faktura-nr": not "Lieferanschrift". */
static bool ends_with_number(const Search *s, gsize first, gsize last)
{
	gsize len;
	const char *text = words_text(s, first, last, &len);
	for (gsize cut = 0; cut + 2 <= len; cut++)
		if (ms_detect_says_number(text + cut, len - cut))
			return true;
	return false;
}

/* "Kunden-/Rechnungsnummer: 48213 / R-2026", "Kunden-, Vertrags- und Rechnungsnummer", "Customer
 * and contract number": the first word has the last one's end. */
static bool has_end_of_last(
	const Case *c, gsize first, gsize last, gsize end, bool numbered, bool listed)
{
	const Search *s = c->s;
	gsize from = ms_detect_word_start(s, first), until = ms_detect_word_end(s, last), len;
	if (last + 1 >= end)
		return false;
	const char *between = s->fold->text + until;
	gsize gap = ms_detect_word_start(s, last + 1) - until;
	const char *next = words_text(s, last + 1, whole_end(s, last + 1), &len);
	bool marked = is_cut(s, last) || memchr(between, '/', gap) != NULL;
	bool joined = is_conjunction(next, len) || memchr(between, '&', gap) != NULL ||
		(listed && memchr(between, ',', gap) != NULL);
	if (!marked && !(joined && begins_cell(s, first)))
		return false;
	gsize end_word = whole_word(s, end - 1), at = ms_detect_word_start(s, end_word);
	if (!numbered && !ends_with_number(s, end_word, end - 1) &&
		!(marked && ms_detect_kinds_named((Search *)s, s->fold->text + at,
				    ms_detect_word_end(s, end - 1) - at) != NULL))
		return false;
	g_autofree char *name =
		g_strdup_printf("%.*s nr", (int)(until - from), s->fold->text + from);
	return names_kind(c, name, strlen(name));
}

/* "service client 417": are the words up to word `end` of another kind with some before them? */
static bool is_of_longer(const Case *c, gsize first, gsize end)
{
	Search *s = (Search *)c->s;
	guint lines;
	gsize until = ms_detect_word_end(s, end - 1);
	for (guint n = 0; first > 0 && n < MAX_WORDS && only_marks(s, first - 1, " -", &lines); n++) {
		gsize from = ms_detect_word_start(s, first = whole_word(s, first - 1));
		if (until - from > MAX_BACK)
			return false;
		if (!names_kind(c, s->fold->text + from, until - from) &&
			ms_detect_kinds_named(s, s->fold->text + from, until - from) != NULL)
			return true;
	}
	return false;
}

/* Is it the name of the kind that its last words are, up to word `end`? */
static bool by_words(const Case *c, gsize end, bool numbered)
{
	const Search *s = c->s;
	gsize value = ms_detect_word_start(s, c->word);
	guint n = 0;
	gsize len;
	bool named = false;
	Join j = {false};
	const char *word = end > 0 ? words_text(s, whole_word(s, end - 1), end - 1, &len) : NULL;
	if (word == NULL || ms_name_is_particle(word, len))
		return false;
	for (gsize last, first = end; first > 0 && n < MAX_WORDS; n++) {
		last = first - 1;
		first = whole_word(s, last);
		gsize from = ms_detect_word_start(s, first), until = ms_detect_word_end(s, end - 1);
		if (value - from > MAX_BACK || !is_letters(s, first, last) ||
			(last + 1 < end && !goes_on(c, last, &j)))
			return false;
		if (has_end_of_last(c, first, last, end, numbered, j.listed) &&
			is_near(c, first, end - 1, numbered))
			return true;
		if (j.wrapped)
			continue;
		word = words_text(s, first, last, &len);
		/* "Your" is of the name only where there is none without it: "your reference" */
		bool more = !named || !ms_name_is_particle(word, len);
		named = names_kind(c, s->fold->text + from, until - from);
		if (more && named && is_near(c, first, end - 1, numbered))
			return numbered || !is_of_longer(c, first, end);
	}
	return false;
}

/* ---- what another name takes ---- */

/* The words before a number, up to word `end`, behind a label and its number. */
typedef struct {
	const Case *of;
	gsize from;    /* where the label ends, in the fold */
	gsize end;     /* words; behind it are those for "number" */
	bool numbered; /* there are some, or a sign */
} Before;

/* "Hauptkunden-Nr.": do the last letters of a word name the kind? */
static bool ends_with_kind(const Case *c, gsize word)
{
	gsize len;
	const char *text = words_text(c->s, word, word, &len);
	for (gsize cut = 0; cut + MIN_HEAD <= len && len <= MAX_BACK; cut++)
		if ((text[cut] & 0x80) == 0 && names_kind(c, text + cut, len - cut))
			return true;
	return false;
}

/* Do the last of these words name kinds, with those for "number" or without; or several of those
 * ("Ref.-Nr.")?  In `own_out` whether the kind itself is one of them. */
static bool name_others(const Before *b, bool near, bool *own_out)
{
	Search *s = (Search *)b->of->s;
	gsize ends[] = {ms_detect_word_end(s, b->end - 1), ms_detect_word_end(s, b->of->word - 1)};
	gsize number = ms_detect_word_start(s, b->end);
	bool others = b->end + 1 < b->of->word &&
		ms_detect_kinds_named(s, s->fold->text + number, ends[1] - number) != NULL;
	*own_out = others && names_kind(b->of, s->fold->text + number, ends[1] - number);
	guint lines, n = 0;
	for (gsize last, first = b->end; near && first > 0 && n < MAX_WORDS && !*own_out; n++) {
		last = first - 1;
		first = whole_word(s, last);
		gsize at = ms_detect_word_start(s, first), len;
		if (last + 1 < b->end) {
			/* "the invoice for no." */
			const char *word = words_text(s, b->end - 1, b->end - 1, &len);
			if (!only_marks(s, last, NAME_MARKS, &lines) || lines > 0 ||
				ms_detect_links(word, len) || ms_name_is_particle(word, len))
				break;
		}
		if (at < b->from || ends[1] - at > MAX_BACK || !is_letters(s, first, last))
			break;
		for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
			const char *name = s->fold->text + at;
			*own_out = *own_out || names_kind(b->of, name, ends[i] - at);
			others = others || ms_detect_kinds_named(s, name, ends[i] - at) != NULL;
		}
	}
	return others;
}

/* "PO no.", "Beleg-Nr.", of no kind that is known; any other word ("Haupt-Nr.", "Parent no.", "now
 * no.") may say that the number is the kind's as well. */
static bool names_thing(const Before *b)
{
	const Search *s = b->of->s;
	gsize len, last = b->end - 1, first = whole_word(s, last);
	const char *text = words_text(s, first, last, &len);
	return !ends_with_kind(b->of, last) && ms_detect_is_thing(text, len);
}

bool ms_detect_is_of_another(const Search *s, guint kind, gsize label_end, gsize start)
{
	gsize word = ms_detect_word_between(s, start, 0, s->compact->n_words);
	if (word == s->compact->n_words || word == 0 || ms_detect_word_start(s, word) != start)
		return false;
	const Case c = {s, word, start, kind};
	Before b = {.of = &c, .from = label_end};
	b.end = drop_numbers(&c, &b.numbered);
	if (b.end == 0 || ms_detect_word_end(s, b.end - 1) < label_end)
		return false;
	gsize until = ms_detect_word_end(s, word - 1);
	bool closed = memchr(s->fold->text + until, ':', start - until) != NULL;
	b.numbered = b.numbered || memchr(s->fold->text + until, '#', start - until) != NULL;
	guint lines;
	bool own = false, asked = b.numbered || closed;
	bool near = is_letters(s, whole_word(s, b.end - 1), b.end - 1) &&
		only_marks(s, b.end - 1, b.numbered ? " .:#-'/=" : " .:", &lines) && lines == 0;
	/* "RE 5013", "Az. 5013", but not "re 5013" */
	bool capital = g_ascii_isupper(s->fold->text[ms_detect_word_start(s, b.end - 1)]);
	if (!asked && !(near && capital))
		return false;
	bool others = name_others(&b, near, &own);
	return !own && (others || (near && asked && names_thing(&b)));
}

/* Where "invoice" begins of "number of the invoice"; `first`, if it is nothing of the kind. */
static gsize behind_number(const Search *s, gsize first, gsize end)
{
	gsize len, word = first;
	for (gsize last; (last = whole_end(s, word)) < end; word = last + 1) {
		const char *text = words_text(s, word, last, &len);
		if (!(word == first ? ms_detect_says_number(text, len) : leads_to_name(text, len)))
			break;
	}
	return word;
}

static bool words_name(const Case *c, gsize first, gsize last)
{
	gsize from = ms_detect_word_start(c->s, first);
	return names_kind(c, c->s->fold->text + from, ms_detect_word_end(c->s, last) - from);
}

/* "number of the policy": the same from its last words on. */
static bool name_kind(const Case *c, gsize first, gsize last)
{
	gsize name = behind_number(c->s, first, last);
	return words_name(c, first, last) || (name > first && words_name(c, name, last));
}

/* "policy no." */
static bool is_numbered(const Case *c, gsize first, gsize end)
{
	gsize len, number = whole_word(c->s, end);
	const char *text = words_text(c->s, number, end, &len);
	return number > first && ms_detect_says_number(text, len) &&
		words_name(c, first, number - 1);
}

/* "995 525 828 MVA", "48213 (customer no.)"; but "4711 Policy no.: 48213" is no policy 4711. */
static bool is_named_behind(const Search *s, guint kind, gsize last)
{
	const MsWord *words = s->compact->words;
	const char *fold = s->fold->text;
	gsize n = s->compact->n_words, until = ms_detect_word_end(s, last), first = last + 1;
	Case c = {s, last, until, kind};
	guint lines;
	if (first >= n || words[first].from - until > 2 || !only_marks(s, last, " (", &lines))
		return false;
	bool enclosed = memchr(fold + until, '(', words[first].from - until) != NULL;
	if (!enclosed && ms_kinds_nth(s->kinds, kind)->family == MS_FAMILY_NONE)
		return false;
	gsize end = first;
	for (guint k = 0; end < n && k < MAX_WORDS; k++, end++) {
		if (end > first && !is_underscored(&c, end - 1) &&
			(!only_marks(s, end - 1, NAME_MARKS, &lines) || lines > 0))
			return false;
		end = whole_end(s, end);
		gsize stop = words[end].until, next = stop + (fold[stop] == '.');
		if (enclosed ? fold[next] == ')'
			     : (next >= s->fold->len || strchr(" ,;)\r\n\t|", fold[next]) != NULL))
			return name_kind(&c, first, end) || is_numbered(&c, first, end);
	}
	return false;
}

static guint with_digits(const Search *s, gsize first, gsize last)
{
	guint n = 0;
	gsize len;
	for (gsize i = first; i <= last; i++) {
		const char *text = words_text(s, i, i, &len);
		n += ms_has_digit(text, len);
	}
	return n;
}

/* Has another number the name that ends at `at`: "4711 is under customer no. 48213"? */
static bool has_number(const MsFold *fold, gsize at)
{
	while (fold->text[at] != '\0' && strchr(MARKS STOPS, fold->text[at]) != NULL)
		at++;
	return at < fold->len && g_ascii_isdigit(fold->text[at]);
}

/* "48213 als Verwendungszweck": what a payment is to say, as a word for "number" does. */
static bool is_purpose(const char *text, gsize len)
{
	static const MsListed words[] = {MS_LISTED("verwendungszweck"), MS_LISTED("zahlungsgrund"),
		MS_LISTED("communication"), MS_LISTED("mededeling"), MS_LISTED("kenmerk"),
		MS_LISTED("betalingskenmerk"), MS_LISTED("causale"), MS_LISTED("concepto"),
		MS_LISTED("tytul"), MS_LISTED("meddelande"), MS_LISTED("melding"),
		MS_LISTED("viite"), MS_LISTED("kassenzeichen")};
	return ms_detect_is_listed(words, G_N_ELEMENTS(words), text, len);
}

/* "48213 as your customer number", "48213 is your customer number": what is said of it; but of
 * "4711 as customers" only how many, of "4711 is on your customer card" and "4711 is your customer
 * number-ending" something else. */
bool ms_detect_is_called(const Search *s, guint kind, gsize last)
{
	static const MsListed as[] = {MS_LISTED("as"), MS_LISTED("als"), MS_LISTED("comme"),
		MS_LISTED("como"), MS_LISTED("come"), MS_LISTED("jako"), MS_LISTED("som")};
	static const MsListed is[] = {MS_LISTED("is"), MS_LISTED("ist"), MS_LISTED("est"),
		MS_LISTED("es"), MS_LISTED("jest"), MS_LISTED("er")};
	static const MsListed whose[] = {MS_LISTED("your"), MS_LISTED("their"), MS_LISTED("the"),
		MS_LISTED("ihre"), MS_LISTED("deine"), MS_LISTED("eure"), MS_LISTED("die"),
		MS_LISTED("votre"), MS_LISTED("ton"), MS_LISTED("le"), MS_LISTED("su"),
		MS_LISTED("tu"), MS_LISTED("el"), MS_LISTED("uw"), MS_LISTED("je"),
		MS_LISTED("het"), MS_LISTED("twoj"), MS_LISTED("dit"), MS_LISTED("din")};
	const MsWord *words = s->compact->words;
	const Case c = {s, last, ms_detect_word_end(s, last), kind};
	gsize n = s->compact->n_words, first = last + 1, len, next;
	guint lines;
	if (first + 1 >= n || !only_marks(s, last, " ", &lines) || lines > 0)
		return false;
	const char *text = words_text(s, first, first, &len);
	bool said = ms_detect_is_listed(is, G_N_ELEMENTS(is), text, len);
	if (!said && !ms_detect_is_listed(as, G_N_ELEMENTS(as), text, len))
		return false;
	text = words_text(s, first + 1, first + 1, &next);
	if (said && !ms_detect_is_listed(whose, G_N_ELEMENTS(whose), text, next))
		return false;
	for (gsize from = first + 1; from < n && from - first <= MAX_DROPPED; from++) {
		for (gsize end = from; end < n && end - from < MAX_WORDS; end++) {
			if (!only_marks(s, end - 1, " .-'", &lines) || with_digits(s, end, end) > 0)
				break;
			gsize begin = words[from].from, until = words[end].until;
			text = words_text(s, end, end, &len);
			bool number = is_purpose(text, len) ||
				ms_detect_asks_for_number(s->fold, begin, until);
			if (number && s->fold->text[until] != '-' &&
				!(said && has_number(s->fold, until)) &&
				(names_kind(&c, s->fold->text + begin, until - begin) ||
					is_numbered(&c, from, end)))
				return true;
		}
	}
	return false;
}

/* ---- a name in small print behind its value, or in the line below it ---- */

#define MAX_CELLS 12
#define MAX_LINE 400

typedef struct {
	gsize first, last; /* words */
} Cell;

static bool is_gap(const char *gap, gsize len)
{
	return memchr(gap, '\t', len) != NULL || memchr(gap, '|', len) != NULL ||
		memmem(gap, len, "  ", 2) != NULL || memmem(gap, len, " - ", 3) != NULL ||
		memmem(gap, len, " = ", 3) != NULL;
}

/* The cells of the line that begins at `start`; 0: it is empty, or none of a form. */
static guint cut_line(const Search *s, gsize word, gsize end, Cell cells[MAX_CELLS])
{
	const MsWord *words = s->compact->words;
	guint n = 0;
	for (; word < s->compact->n_words && words[word].from < end; word++) {
		if (n > 0 &&
			!is_gap(s->fold->text + words[word - 1].until,
				words[word].from - words[word - 1].until)) {
			cells[n - 1].last = word;
			continue;
		}
		if (n == MAX_CELLS)
			return 0;
		cells[n++] = (Cell){word, word};
	}
	return n;
}

static gsize end_of_line(const MsFold *fold, gsize at)
{
	const char *nl = memchr(fold->text + at, '\n', MIN(fold->len - at, MAX_LINE));
	return nl != NULL ? (gsize)(nl - fold->text) : MIN(fold->len, at + MAX_LINE);
}

static gsize start_of_line(const MsFold *fold, gsize at)
{
	gsize least = at > MAX_LINE ? at - MAX_LINE : 0;
	const char *nl = memrchr(fold->text + least, '\n', at - least);
	return nl != NULL ? (gsize)(nl + 1 - fold->text) : least;
}

static gsize first_word_at(const Search *s, gsize word, gsize at)
{
	while (word > 0 && ms_detect_word_start(s, word - 1) >= at)
		word--;
	return word;
}

/* Of a line with the word: nothing else is in the cell. */
static bool is_name(const Case *c, const Cell *cell)
{
	const MsWord *words = c->s->compact->words;
	const char *text = c->s->fold->text + words[cell->first].from;
	gsize len = words[cell->last].until - words[cell->first].from;
	return are_few(c->s, cell->first, cell->last) &&
		memchr(text, '\n', len) == NULL &&
		with_digits(c->s, cell->first, cell->last) == 0 &&
		(name_kind(c, cell->first, cell->last) ||
			is_numbered(c, cell->first, cell->last));
}

static bool begins_with_digit(const Search *s, gsize word)
{
	return g_ascii_isdigit(s->compact->text[s->compact->words[word].start]);
}

/* Has a line of names its own values below it?  Then it is not of those above. */
static bool has_values(const Search *s, gsize word, guint n, guint i)
{
	Cell cells[MAX_CELLS];
	if (word >= s->compact->n_words)
		return false;
	guint m = cut_line(s, word, end_of_line(s->fold, ms_detect_word_start(s, word)), cells);
	if (m == 0)
		return true;
	return n == 1 ? begins_with_digit(s, cells[0].first)
		      : m == n && with_digits(s, cells[i].first, cells[i].last) > 0;
}

/* The line above word `word`, which begins one; its cells, or 0 if there is none of a form. */
static guint cut_above(const Search *s, gsize word, Cell cells[MAX_CELLS])
{
	if (word == 0)
		return 0;
	gsize end = ms_detect_word_end(s, word - 1);
	return cut_line(s, first_word_at(s, word, start_of_line(s->fold, end)), end, cells);
}

/* A name of whatever kind, or what ends as one does. */
static bool is_any_name(const Search *s, const Cell *cell)
{
	const MsWord *words = s->compact->words;
	const char *text = s->fold->text + words[cell->first].from;
	gsize len = words[cell->last].until - words[cell->first].from;
	return with_digits(s, cell->first, cell->last) == 0 &&
		((text[len] == ':' &&
			 are_few(s, cell->first, cell->last)) ||
			ms_detect_kinds_named((Search *)s, text, len) != NULL);
}

/* May it be one of several names?  What ends as a sentence does, greets or heads a list is none. */
static bool may_be_name(const Search *s, const Cell *cell)
{
	gsize end = ms_detect_word_end(s, cell->last);
	return with_digits(s, cell->first, cell->last) == 0 &&
		are_few(s, cell->first, cell->last) &&
		(end == s->fold->len || strchr(",!?", s->fold->text[end]) == NULL) &&
		(s->fold->text[end] != '.' || is_cut_short(s, cell->last));
}

/* Lines of values and names by turns begin with a value, so that no name is of the next line.
 * `few`: of so few digits that whatever stands above may be its name. */
static bool begins_with_value(const Search *s, gsize word, bool few)
{
	Cell cells[MAX_CELLS];
	for (guint i = 0; i < MAX_NAMES && word > 0; i++) {
		guint n = cut_above(s, word, cells);
		if (n != 1 || !(is_any_name(s, &cells[0]) || (few && may_be_name(s, &cells[0]))))
			return n > 0;
		if (cut_above(s, cells[0].first, cells) != 1 ||
			!begins_with_digit(s, cells[0].first))
			return false;
		word = cells[0].first;
	}
	return word == 0;
}

/* And they end with a name; `word` is the first behind one. */
static bool ends_with_name(const Search *s, gsize word)
{
	Cell cells[MAX_CELLS];
	for (guint i = 0; i < MAX_NAMES && has_values(s, word, 1, 0); i++) {
		for (guint k = 0; k < 2; k++) {
			if (word >= s->compact->n_words ||
				cut_line(s, word,
					end_of_line(s->fold, ms_detect_word_start(s, word)),
					cells) != 1)
				return false;
			word = cells[0].last + 1;
		}
		if (!is_any_name(s, &cells[0]))
			return false;
	}
	return !has_values(s, word, 1, 0);
}

/* Of few digits only what a name for a number says is one: "417 | Customers" says how many. */
static bool names_value(const Case *c, const Cell *cell, bool few)
{
	const MsWord *words = c->s->compact->words;
	return is_name(c, cell) &&
		(!few || ms_detect_asks_for_number(c->s->fold, words[cell->first].from,
				 words[cell->last].until));
}

/* Is a mark between two cells that sets them apart, not blanks? */
static bool is_set_apart(const Search *s, const Cell *cell)
{
	gsize from = ms_detect_word_end(s, cell[0].last),
	      len = ms_detect_word_start(s, cell[1].first) - from;
	return memchr(s->fold->text + from, '\t', len) != NULL ||
		memchr(s->fold->text + from, '|', len) != NULL;
}

/* "Piso\n66037 | Pedido\n92704 | Sala\n3": does a name stand above lines of a value and a name, of
 * which the one that begins with word `word` is one?  Then cells have line ends in them, and each
 * name is of the next value. */
static bool is_led(const Search *s, gsize word)
{
	Cell cells[MAX_CELLS];
	guint n = cut_above(s, word, cells);
	for (guint rows = 0; n == 2 && rows < MAX_VALUES && begins_with_digit(s, cells[0].first) &&
		with_digits(s, cells[1].first, cells[1].last) == 0;
		rows++)
		n = cut_above(s, cells[0].first, cells);
	return n == 1 && may_be_name(s, &cells[0]);
}

/* The line of names below lines with `n` cells, of which the `i`th has a value, from word `below`
 * on; what is behind it, or 0. */
static gsize names_below(
	const Search *s, gsize below, guint n, guint i, Cell names[MAX_CELLS])
{
	for (guint rows = 0; rows < MAX_VALUES && below < s->compact->n_words; rows++) {
		if (cut_line(s, below, end_of_line(s->fold, ms_detect_word_start(s, below)),
			    names) != n)
			return 0;
		below = names[n - 1].last + 1;
		if (n == 1 || with_digits(s, names[i].first, names[i].last) == 0)
			break;
	}
	for (guint k = 0; k < n; k++)
		if (with_digits(s, names[k].first, names[k].last) > 0)
			return 0;
	return below;
}

/* The value is a cell of its own, the last word of it is `last`. */
static bool by_line_below(const Case *c, gsize last, bool few)
{
	const Search *s = c->s;
	Cell cells[MAX_CELLS], names[MAX_CELLS];
	gsize top = ms_detect_word_start(s, c->word);
	gsize first = first_word_at(s, c->word, start_of_line(s->fold, top));
	guint n = cut_line(s, first, end_of_line(s->fold, top), cells), i = 0;
	while (i < n && (cells[i].first != c->word || cells[i].last != last))
		i++;
	if (i == n || ms_detect_is_figure(ms_detect_figure(s->fold, top, top, top, c->until)))
		return false;
	gsize below = cells[n - 1].last + 1;
	if (n == 2 && i == 0 && names_value(c, &cells[1], few))
		return !has_values(s, below, 1, 0) ||
			(is_set_apart(s, cells) && !is_led(s, first));
	if (below >= s->compact->n_words)
		return false;
	below = names_below(s, below, n, i, names);
	if (below == 0 || !names_value(c, &names[i], few))
		return false;
	return n > 1 ? !has_values(s, below, n, i)
		     : ends_with_name(s, below) && begins_with_value(s, first, few);
}

static bool is_above(const Search *s, guint kind, gsize word, gsize last, bool few)
{
	gsize len;
	const char *text = words_text(s, word, last, &len);
	const Case c = {s, word, ms_detect_word_end(s, last), kind};
	return !ms_detect_is_year(text, len) && s->span->n_names == 0 &&
		by_line_below(&c, last, few || len < MIN_IN_COLUMN);
}

/* ---- columns of names, and of values below or behind them ---- */

/* The line, or cell, that word `word` is in: its first and last word. */
static void cell_of(const Search *s, gsize word, gsize *first_out, gsize *last_out)
{
	const MsWord *words = s->compact->words;
	const char *fold = s->fold->text;
	gsize first = word, last = word, i;
	for (; first > 0 && word - first < MAX_IN_CELL; first--) {
		for (i = words[first - 1].until; i < words[first].from && !ends_cell(fold[i]); i++)
			;
		if (i < words[first].from)
			break;
	}
	for (; last + 1 < s->compact->n_words && last - word < MAX_IN_CELL; last++) {
		for (i = words[last].until; i < words[last + 1].from && !ends_cell(fold[i]); i++)
			;
		if (i < words[last + 1].from)
			break;
	}
	*first_out = first;
	*last_out = last;
}

/* Does some of a cell name it?  One that ends as a sentence does, or greets, is none of names. */
static bool cell_names(const Case *c, gsize first, gsize last)
{
	const Search *s = c->s;
	const MsWord *words = s->compact->words;
	const char *fold = s->fold->text;
	if (words[last].until < s->fold->len && strchr(",!?", fold[words[last].until]) != NULL &&
		fold[words[last].until] != '\0')
		return false;
	for (gsize from = first; from <= last; from++) {
		if (from > first && words[from].from == words[from - 1].until)
			continue;
		for (gsize until = from; until <= last && until - from < MAX_WORDS; until++)
			if (names_kind(c, fold + words[from].from,
				    words[until].until - words[from].from))
				return true;
	}
	return false;
}

/* Of a file of such lines, or set for paper: names.c and columns.c know whose column it is. */
static bool is_listed(const Search *s, gsize first, gsize last)
{
	gsize from = ms_detect_word_start(s, first), len = ms_detect_word_end(s, last) - from;
	return memchr(s->fold->text + from, ';', len) != NULL ||
		memchr(s->fold->text + from, ',', len) != NULL ||
		memchr(s->fold->text + from, '"', len) != NULL ||
		memmem(s->fold->text + from, len, "  ", 2) != NULL;
}

/* "447.18": what it is an amount of its head may say, in another line. */
static bool has_cents(const MsFold *fold, gsize from, gsize until)
{
	return until - from > 3 && strchr(".,", fold->text[until - 3]) != NULL;
}

/* Is there no other value in its cell, in the one before or behind?  Then it is in no column. */
static bool is_only_value(const Case *c, gsize first, gsize last)
{
	const Search *s = c->s;
	gsize from, until;
	if (ms_detect_word_start(s, first) < ms_detect_word_start(s, c->word) ||
		ms_detect_word_end(s, last) > c->until)
		return false;
	if (first > 0) {
		cell_of(s, first - 1, &from, &until);
		if (with_digits(s, from, until) > 0)
			return false;
	}
	if (last + 1 >= s->compact->n_words)
		return true;
	cell_of(s, last + 1, &from, &until);
	return with_digits(s, from, until) == 0;
}

/* Where the row ends that ends with a tab, of which the line that ends at `until` is one. */
static gsize end_of_row(const MsFold *fold, gsize until)
{
	for (guint i = 1; i < MAX_LINES_OF_NAME && until > 0 && until < fold->len &&
		fold->text[until - 1] != '\t';
		i++)
		until = end_of_line(fold, until + 1);
	return until;
}

/* Which cell of its line, or row, is `at` in?  In `n_out` how many it has, set apart as said or,
 * where none is, by blanks; 0: more than are looked at. */
static guint cell_number(const MsFold *fold, gsize at, bool row, guint *n_out)
{
	gsize from = start_of_line(fold, at), until = end_of_line(fold, at);
	const char *text = fold->text;
	for (guint i = 1; row && i < MAX_LINES_OF_NAME && from > 1 && text[from - 2] != '\t'; i++)
		from = start_of_line(fold, from - 1);
	until = row ? end_of_row(fold, until) : until;
	guint before = 0, n = 1, blanks_before = 0, blanks = 1;
	for (gsize i = from; i < until; i++) {
		bool ends = text[i] != '\n' && ends_cell(text[i]);
		bool gap = i > from + 1 && text[i] == ' ' && text[i - 1] == ' ' &&
			text[i - 2] != ' ';
		n += ends;
		blanks += gap;
		before += i < at && ends;
		blanks_before += i < at && gap;
	}
	bool whole = (from == 0 || text[from - 1] == '\n') &&
		(until == fold->len || text[until] == '\n');
	*n_out = !whole ? 0 : n > 1 ? n : blanks;
	return n > 1 ? before : blanks_before;
}

/* Is it the head of another column, of a line with as many cells? */
static bool heads_another(const MsFold *fold, gsize name, gsize value)
{
	gsize end = end_of_line(fold, value);
	bool row = end > value && fold->text[end - 1] == '\t';
	guint n, m, head = cell_number(fold, name, row, &n);
	guint cell = cell_number(fold, value, false, &m);
	return n > 1 && n == m && head != cell;
}

typedef enum {
	PLACE_UNKNOWN,
	PLACE_OTHER, /* below another name */
	PLACE_NAMED,
} Place;

static Place place_of(const Case *c, gsize last);

/* May what is before the cell that begins with word `first` be a name, too?  If not, of the values
 * below only the first is that cell's: "Customer no.\n4711\n[5013]". */
static bool has_name_above(const Search *s, gsize first)
{
	Cell above;
	if (first == 0)
		return false;
	cell_of(s, first - 1, &above.first, &above.last);
	return may_be_name(s, &above);
}

/* The value stands among nothing but values, and before them are nothing but names: a column of
 * names and then one of values, or a head whose cells blanks set apart.  Which is whose only its
 * place would tell, and that is not kept by all that write or read documents; so it counts if one
 * of them names it. */
static bool by_column(const Case *c)
{
	const Search *s = c->s;
	gsize first, last, top = ms_detect_word_start(s, c->word);
	guint cells = 0;
	cell_of(s, c->word, &first, &last);
	if (c->until - top < MIN_IN_COLUMN ||
		with_digits(s, first, last) < last - first + 1 ||
		is_listed(s, first, last) || has_cents(s->fold, top, c->until) ||
		memchr(s->fold->text + top, '\n', c->until - top) != NULL ||
		ms_detect_is_glued(s, top, c->until, true, false) ||
		is_only_value(c, first, last) ||
		ms_detect_is_figure(ms_detect_figure(s->fold, top, top, top, c->until)) ||
		place_of(c, last) == PLACE_OTHER)
		return false;
	for (; first > 0 && cells < MAX_VALUES; cells++) {
		cell_of(s, first - 1, &first, &last);
		if (with_digits(s, first, last) == 0)
			break;
	}
	for (guint names = 0; cells < MAX_VALUES && names < MAX_NAMES; names++) {
		if (top - ms_detect_word_start(s, first) > MAX_COLUMN ||
			last - first >= MAX_IN_CELL || with_digits(s, first, last) > 0)
			return false;
		if (cell_names(c, first, last) &&
			!heads_another(s->fold, ms_detect_word_start(s, first), top))
			return names > 0 || cells == 0 || has_name_above(s, first);
		if (first == 0)
			return false;
		cell_of(s, first - 1, &first, &last);
	}
	return false;
}

/* ---- names and their values in two blocks of as many cells ---- */

#define MAX_BLOCK 12 /* cells */

/* Cells in their order, the value's is `at`. */
typedef struct {
	Cell cells[4 * MAX_BLOCK];
	bool digit[4 * MAX_BLOCK], name[4 * MAX_BLOCK]; /* has one; may be one */
	guint n, at;
} Cells;

static void cells_around(const Search *s, Cell cell, Cells *all)
{
	Cell before[2 * MAX_BLOCK];
	guint n = 0;
	/* Of what is too long for a cell some may be on its other side. */
	for (gsize at = cell.first; at > 0 && n < G_N_ELEMENTS(before); at = before[n++].first) {
		cell_of(s, at - 1, &before[n].first, &before[n].last);
		before[n].last = at - 1;
	}
	for (all->at = n, all->n = 0; all->n < all->at;)
		all->cells[all->n++] = before[--n];
	all->cells[all->n++] = cell;
	while (all->n < all->at + 2 * MAX_BLOCK && cell.last + 1 < s->compact->n_words) {
		gsize next = cell.last + 1;
		cell_of(s, next, &cell.first, &cell.last);
		cell.first = next;
		all->cells[all->n++] = cell;
	}
	for (guint k = 0; k < all->n; k++) {
		const Cell *one = &all->cells[k];
		all->digit[k] = with_digits(s, one->first, one->last) > 0;
		all->name[k] = !all->digit[k] && may_be_name(s, one);
	}
}

/* Ends another cell than a line before cell `i`? */
static bool is_edge(const Search *s, const Cells *all, guint i)
{
	if (i == 0 || i >= all->n)
		return i == 0 ? all->cells[0].first == 0
			      : all->cells[i - 1].last + 1 == s->compact->n_words;
	gsize from = ms_detect_word_end(s, all->cells[i - 1].last),
	      len = ms_detect_word_start(s, all->cells[i].first) - from;
	const char *gap = s->fold->text + from;
	return memchr(gap, '\t', len) != NULL || memchr(gap, '|', len) != NULL ||
		memmem(gap, len, "\n\n", 2) != NULL || memmem(gap, len, "\r\n\r\n", 4) != NULL;
}

/* Has each other of `n` cells from `from` on no digit, and have some of those between?  Then they
 * may be a name and its value by turns. */
static bool are_turns(const Cells *all, guint from, guint n)
{
	guint digits = 0;
	for (guint i = 0; i < n; i++) {
		bool digit = all->digit[from + i];
		if (digit && i % 2 == 0)
			return false;
		digits += digit;
	}
	return digits > 1;
}

/* `n` names from cell `from` on, and behind them as many values, without an edge within.  Two of
 * the edges around tell where these blocks begin and end, one between them if else a name and a
 * value may stand there by turns; or all values have digits, nothing behind them has, and no other
 * name may be before. */
static bool are_blocks(const Search *s, const Cells *all, guint from, guint n)
{
	guint edges = 0, digits = 0, end = from + 2 * n;
	if (end > all->n)
		return false;
	for (guint i = from; i <= end; i++) {
		bool edge = is_edge(s, all, i);
		edges += edge;
		if ((edge && (i - from) % n != 0) || (i < from + n && !all->name[i]))
			return false;
		digits += i >= from + n && i < end && all->digit[i];
	}
	if (edges > 1 && (is_edge(s, all, from + n) || !are_turns(all, from, 2 * n)))
		return true;
	return digits == n && (end == all->n || !all->digit[end]) &&
		(from == 0 || is_edge(s, all, from) || !all->name[from - 1]);
}

/* `n` names from cell `from` on, with no other before, and below them two rows or more of as many
 * cells each, which have digits where those of the first row have some: is the value in one? */
static bool are_rows(const Cells *all, guint from, guint n)
{
	guint first = from + n, end = first;
	bool begins = from > 0 ? !all->name[from - 1] : all->cells[0].first == 0;
	if (first > all->at || !begins)
		return false;
	for (guint i = from; i < first; i++)
		if (!all->name[i])
			return false;
	while (end < all->n && all->digit[end] == all->digit[first + (end - first) % n])
		end++;
	guint rows = (end - first) / n;
	return rows > 1 && all->at < first + rows * n;
}

/* Where blocks of names and values, or rows below names, are told by their lengths: is the cell
 * that the value is all of below one that names it? */
static Place place_of(const Case *c, gsize last)
{
	const Search *s = c->s;
	Cells all;
	Cell own;
	guint named = 0, others = 0;
	cell_of(s, c->word, &own.first, &own.last);
	if (own.first != c->word || own.last != last)
		return PLACE_UNKNOWN;
	cells_around(s, own, &all);
	for (guint n = 2; n <= MIN(all.at, MAX_BLOCK); n++) {
		guint name = all.at - n;
		for (guint from = name >= n ? name - n + 1 : 0; from <= name; from++)
			if (are_blocks(s, &all, from, n)) {
				if (is_name(c, &all.cells[name]))
					return PLACE_NAMED;
				others++;
			}
		for (guint from = 0; from < all.at; from++)
			if (are_rows(&all, from, n)) {
				bool names = is_name(c, &all.cells[from + (all.at - from) % n]);
				named += names;
				others += !names;
			}
	}
	return others > 0 ? PLACE_OTHER : named > 0 ? PLACE_NAMED : PLACE_UNKNOWN;
}

bool ms_detect_is_of_other(const Search *s, guint kind, gsize first, gsize last)
{
	const Case c = {s, first, ms_detect_word_end(s, last), kind};
	return s->span->n_names == 0 && place_of(&c, last) == PLACE_OTHER;
}

/* What blanks set apart in the line that ends at `end`, in words; 0: too much.  `names`: with what
 * stands behind a word of one name, "customer no.". */
static guint cut_blanks(const Search *s, gsize word, gsize end, bool names, Cell cells[MAX_BLOCK])
{
	const MsWord *words = s->compact->words;
	guint n = 0;
	gsize len;
	for (; word < s->compact->n_words && words[word].from < end; word++) {
		const char *text = words_text(s, word, word, &len);
		bool joined = n > 0 &&
			(memchr(s->fold->text + words[word - 1].until, ' ',
				 words[word].from - words[word - 1].until) == NULL ||
				(names && leads_to_name(text, len)));
		if (n == MAX_BLOCK && !joined)
			return 0;
		n += !joined;
		cells[n - 1] = (Cell){joined ? cells[n - 1].first : word, word};
	}
	return n;
}

/* Are they names as tables have above their columns? */
static bool are_heads(const Search *s, const Cell *names, guint n)
{
	for (guint i = 0; i < n; i++) {
		char c = s->fold->text[ms_detect_word_start(s, names[i].first)];
		if (with_digits(s, names[i].first, names[i].last) > 0 ||
			!(g_ascii_isupper(c) || (c & 0x80) != 0))
			return false;
	}
	return true;
}

static guint valued(const Search *s, const Cell *cells, guint n)
{
	guint values = 0;
	for (guint i = 0; i < n; i++)
		values += with_digits(s, cells[i].first, cells[i].last) > 0;
	return values;
}

/* A line of numbers, or of several among other words, and above it, and others that are like it,
 * one of as many names: is its name where the value is? */
static bool by_line_above(const Case *c, gsize last)
{
	const Search *s = c->s;
	Cell cells[MAX_BLOCK], names[MAX_BLOCK];
	gsize top = ms_detect_word_start(s, c->word);
	gsize word = first_word_at(s, c->word, start_of_line(s->fold, top));
	guint n = cut_blanks(s, word, end_of_line(s->fold, top), false, cells), i = 0;
	while (i < n && (cells[i].first != c->word || cells[i].last != last))
		i++;
	if (i == n || n < 2 || word == 0)
		return false;
	guint values = valued(s, cells, n);
	if (values < n && (n < 3 || values < 2 || values * 2 < n))
		return false;
	gsize below = ms_detect_word_start(s, word);
	for (guint rows = 0; rows < MAX_VALUES && word > 0; rows++) {
		gsize end = ms_detect_word_end(s, word - 1);
		word = first_word_at(s, word, start_of_line(s->fold, end));
		if (cut_blanks(s, word, end, true, names) != n)
			return false;
		if (valued(s, &names[i], 1) == 0)
			return is_name(c, &names[i]) && valued(s, names, n) == 0 &&
				(values == n || are_heads(s, names, n));
		const char *nl = memchr(s->fold->text + end, '\n', below - end);
		if (nl == NULL ||
			memchr(nl + 1, '\n', (gsize)(s->fold->text + below - nl - 1)) != NULL)
			return false; /* an empty line ends it */
		below = ms_detect_word_start(s, word);
	}
	return false;
}

/* "4711 | Customer no." above "417 | Quantity": is the line that ends at `end` one of a value and
 * its name, and the next one, from word `below` on, too? */
static bool are_behind(const Search *s, gsize head, gsize end, gsize below, gsize until)
{
	Cell above[MAX_CELLS], cells[MAX_CELLS];
	const Cell *value = &above[0];
	return cut_line(s, head, end, above) == 2 && cut_line(s, below, until, cells) == 2 &&
		is_set_apart(s, above) &&
		with_digits(s, value->first, value->last) == value->last - value->first + 1 &&
		valued(s, &cells[0], 1) > 0 && valued(s, &above[1], 1) == 0 &&
		valued(s, &cells[1], 1) == 0;
}

/* "Quantity Customer" above "417 C-10001": has the column that the label heads a value of its own,
 * and is what is at `value` in another one? */
bool ms_detect_heads_another(const Search *s, const MsLabel *label, gsize value)
{
	Cell cells[MAX_BLOCK], names[MAX_BLOCK];
	const char *text = s->fold->text, *nl = memchr(text + label->end, '\n', value - label->end);
	gsize line = nl != NULL ? (gsize)(nl + 1 - text) : 0;
	if (nl == NULL || start_of_line(s->fold, value) != line)
		return false;
	gsize word = ms_detect_word_between(s, value, 0, s->compact->n_words);
	gsize first = first_word_at(s, word, line), j = 0, i = 0;
	guint n = cut_blanks(s, first, end_of_line(s->fold, value), false, cells);
	gsize head = first_word_at(s, first, start_of_line(s->fold, line - 1));
	if (are_behind(s, head, line - 1, first, end_of_line(s->fold, value)))
		return true;
	if (n < 2 || cut_blanks(s, head, line - 1, true, names) != n || !are_heads(s, names, n))
		return false;
	while (j < n && ms_detect_word_end(s, names[j].last) < label->end)
		j++;
	while (i < n && cells[i].last < word)
		i++;
	return j < n && i < n && i != j && valued(s, &cells[j], 1) > 0;
}

bool ms_detect_is_in_place(const Search *s, guint kind, gsize first, gsize last)
{
	const Case c = {s, first, ms_detect_word_end(s, last), kind};
	return s->span->n_names == 0 &&
		(place_of(&c, last) == PLACE_NAMED || by_line_above(&c, last) ||
			is_above(s, kind, first, last, true));
}

/* Of a script that sets no blanks: the last letters of a word, perhaps with one behind them. */
static bool by_glyphs(const Case *c)
{
	const Search *s = c->s;
	gsize len, taken = 0;
	const char *text = words_text(s, c->word - 1, c->word - 1, &len);
	if (len < 6 || ((guchar)text[len - 1] & 0xc0) != 0x80 || (guchar)text[len - 3] < 0xe0 ||
		!is_near(c, c->word - 1, c->word - 1, true))
		return false;
	for (gsize from = len; from >= 3 && taken < MAX_GLYPHS; taken++) {
		from -= 3;
		if ((guchar)text[from] < 0xe0)
			return false;
		if (names_kind(c, text + from, len - from) ||
			(taken > 1 && names_kind(c, text + from, len - 3 - from)))
			return true;
	}
	return false;
}

bool ms_detect_is_beside(const Search *s, guint kind, gsize word, gsize last)
{
	Case c = {s, word, ms_detect_word_end(s, last), kind};
	bool numbered = false;
	gsize len;
	if (word == 0)
		return false;
	gsize end = drop_numbers(&c, &numbered);
	const char *text = words_text(s, word, word, &len);
	if (!numbered && word == last && ms_detect_is_year(text, len))
		return false;
	gsize with = numbered ? drop_with(&c, end) : 0, said = ms_detect_drop_copula(s, word);
	return by_words(&c, said, numbered) || (end < said && by_words(&c, end, numbered)) ||
		(with > 0 && by_words(&c, with, numbered)) || by_glyphs(&c) ||
		(s->span->n_names == 0 && by_column(&c));
}

bool ms_detect_is_told(const Search *s, guint kind, gsize first, gsize last)
{
	return ms_detect_is_beside(s, kind, first, last) || is_named_behind(s, kind, last) ||
		ms_detect_is_called(s, kind, last) || is_above(s, kind, first, last, false) ||
		ms_detect_is_in_place(s, kind, first, last);
}
