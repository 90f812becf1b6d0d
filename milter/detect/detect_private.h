/* Shared by the files of detect/. */
#ifndef MISSENT_DETECT_PRIVATE_H
#define MISSENT_DETECT_PRIVATE_H

#include <string.h>

#include "missent/compact.h"
#include "missent/detect.h"
#include "missent/scan.h"
#include "missent/text.h"

typedef struct {
	guint kind;
	gsize start, end, reach; /* in the fold; nothing at `reach` or behind it is meant */
} MsLabel;

/* A stretch that the document names so that a kind's labels say the same; or a cell below such a
 * head. */
typedef struct {
	gsize start, end; /* in the fold */
	guint kind;
} Named;

/* What is looked for (scan.h) is at `at` or nowhere behind it, and not from `from` on before it. */
typedef struct {
	gsize from, at;
} MsAhead;

typedef struct {
	const MsKinds *kinds;
	const MsFilters *known; /* or NULL */
	const MsSpan *span;
	const MsFold *fold;
	const MsCompact *compact;
	MsBudget *budget;
	MsReading *reading;
	GArray *labels; /* of MsLabel, by their ends */
	GArray *named;  /* of Named, by their starts */
	GArray *borders; /* of Border: the stretches of a structured document, by their starts */
	GPtrArray *either; /* what else may be meant where something is added now, or NULL */
	const char *company_register; /* of numbers that are added now (kind.h), or NULL */
	gsize greeting, greeted; /* where the mail greets somebody, from and until; in the fold */
	guint blocks;   /* labels that were followed by a block of lines, so far */
	gsize word; /* near which one is looked for */
	MsAhead figure, blank, cell;
	bool full;      /* no more findings are taken */
	/* addresses.c's, of one kind: words that begin a postcode of the directory's, in order. */
	const MsKind *coded;
	GArray *codes;                 /* of Code */
	GHashTable *looked_up; /* names.c's: names that were asked for, to MsNameKinds or NULL */
	bool worded;                   /* it has addresses without one */
	gsize plain_from, plain_until; /* no digit is between these */
} Search;

/* Notes that a kind was not searched for to the end; false. */
bool ms_detect_gave_up(
	const Search *s, const MsKind *kind, MsUnreadReason reason, const char *what);
/* Is there time left?  If not, notes it. */
bool ms_detect_in_time(const Search *s, const MsKind *kind);
/* Adds the finding that stands from `start` to `end` in the fold, with this value. */
bool ms_detect_add_value(Search *s, const MsKind *kind, gsize start, gsize end, const char *value,
	guint belief);
/* The same; false if the text there is no value of the kind. */
bool ms_detect_add(Search *s, const MsKind *kind, gsize start, gsize end, guint belief);
/* The label of the kind within whose distance `start` is, or NULL. */
const MsLabel *ms_detect_label_of(const Search *s, guint kind, gsize start);
/* Is there one, or does the document name the stretch so? */
bool ms_detect_labelled(const Search *s, guint kind, gsize start);
/* Where a word begins and ends in the fold. */
static inline gsize ms_detect_word_start(const Search *s, gsize word)
{
	return s->compact->words[word].from;
}

static inline gsize ms_detect_word_end(const Search *s, gsize word)
{
	return s->compact->words[word].until;
}

/* The first word of `low` to `high` that begins at `at` or behind it; `high`: none does. */
gsize ms_detect_word_between(const Search *s, gsize at, gsize low, gsize high);

/* Of a word in any script. */
static inline bool ms_detect_is_letter(char c)
{
	return g_ascii_isalpha(c) || (c & 0x80) != 0;
}

/* Digits alone, and some?  Words stand one behind the other: no further than to the end of one. */
static inline bool ms_detect_is_number(const char *text, gsize len)
{
	for (gsize i = 0; i < len; i++)
		if (!g_ascii_isdigit(text[i]))
			return false;
	return len > 0;
}

/* A year behind a name is one: "customers 2026". */
static inline bool ms_detect_is_year(const char *text, gsize len)
{
	return len == 4 && (memcmp(text, "19", 2) == 0 || memcmp(text, "20", 2) == 0);
}

/* How long the quotation mark or arrow outside ASCII is that stands at `at`; 0: none does. */
static inline gsize ms_detect_sign(const char *at)
{
	static const char *const signs[] = {"«", "»", "‹", "›", "“", "”", "„", "‚", "‘", "’",
		"→", "⇒", "➔", "▸", "►"};
	for (gsize i = 0; (*at & 0x80) != 0 && i < G_N_ELEMENTS(signs); i++)
		if (g_str_has_prefix(at, signs[i]))
			return strlen(signs[i]);
	return 0;
}

/* A word that is looked for among others. */
typedef struct {
	const char *text;
	gsize len;
} MsListed;
#define MS_LISTED(word) {word, sizeof(word) - 1}

static inline bool ms_detect_is_listed(
	const MsListed *list, gsize n, const char *word, gsize len)
{
	for (gsize i = 0; i < n; i++)
		if (list[i].len == len && memcmp(list[i].text, word, len) == 0)
			return true;
	return false;
}

/* May a value of it that the directory knows be one of another kind as well? */
static inline bool ms_detect_is_plain(const MsKind *kind)
{
	return kind->known && ms_kind_is_plain(kind);
}

/* Is the span a field of an e-invoice that is of the kind by definition? */
bool ms_detect_is_field_of(const Search *s, const MsKind *kind);
/* Adds what stands after a label, from `start` to `end`. */
void ms_detect_after_label(Search *s, guint kind, gsize start, gsize end);

/* ---- names.c ---- */
typedef struct {
	gsize start, end; /* in the fold */
	guint group;
} Border;
/* Finds the stretches of a span with names, the tables of one without, and what is in them. */
void ms_detect_names(Search *s);
/* The kinds that a name labels, or NULL; of `len` bytes. */
const MsNameKinds *ms_detect_kinds_named(Search *s, const char *name, gsize len);
/* From `start` to `end` stands what `kinds` say.  In no order: ms_detect_names() sorts. */
void ms_detect_add_named(Search *s, const MsNameKinds *kinds, gsize start, gsize end);
/* pairs.c: names beside their values ("kdnr: 4711", "?customer_id=4711"). */
void ms_detect_pairs(Search *s);
/* outer.c: the kinds of a name from `start` to `end` and what encloses it, or NULL. */
const MsNameKinds *ms_detect_kinds_enclosed(Search *s, gsize start, gsize end);
/* The same of "customer[number]=": where "number" ends, if `end` is behind such a bracket. */
gsize ms_detect_inner_end(const char *text, gsize end);
/* routed.c: the address within the one whose @ is at `sign`; those without any @. */
void ms_detect_routed(Search *s, const MsKind *kind, gsize sign);
void ms_detect_unsigned(Search *s, const MsKind *kind);
/* Is the domain that ends at `end` the beginning of a longer one? */
bool ms_detect_domain_goes_on(const Search *s, gsize end);
/* What looks like an address there names a mail or a part of one ("cid:a@b.example"). */
bool ms_detect_is_no_mailbox(const Search *s, gsize start);
/* columns.c: values below their names, set apart by blanks. */
void ms_detect_columns(Search *s);
/* lists.c: numbers below a name, one in a line. */
void ms_detect_lists(Search *s);
/* Is a line from `from` to `until` nothing but a rule of a table: "+-----+-----+"? */
bool ms_detect_is_rule(const char *text, gsize from, gsize until);
/* Where the line at `at` ends, before its line end. */
gsize ms_detect_line_end(const char *text, gsize len, gsize at);
/* Behind the line at `at`, if that is empty. */
gsize ms_detect_skip_blank_line(const char *text, gsize len, gsize at);
/* within.c: what the directory knows, behind its label in one word. */
void ms_detect_within(Search *s);
/* The kind of IBANs, or NULL. */
const MsKind *ms_detect_iban_kind(const Search *s);
/* accounts.c: the account that parts near word `word` make together, if that is a bank's number. */
void ms_detect_accounts(Search *s, const MsKind *iban, gsize word);
/* "Konto 4711, BLZ 700 500 00": is it a bank's account, whoever's number it is as well? */
bool ms_detect_is_at_bank(const Search *s, gsize start, gsize end);
/* series.c: what the number that begins with word `word` and the series before it make together. */
void ms_detect_series(Search *s, gsize word);
/* The same of both, in small letters and digits alone, that stand from `start` to `end`. */
void ms_detect_add_both(Search *s, gsize start, gsize end, const char *series, gsize series_len,
	const char *number, gsize number_len);
/* payments.c: what a payment's reference was made of that begins with word `word`. */
void ms_detect_payments(Search *s, gsize word);
/* The same of digits that stand, perhaps with others between them, from `from` to `until`. */
void ms_detect_reference(Search *s, gsize from, gsize until, const char *digits, gsize len);
/* payloads.c: what a payment that a machine reads says, which begins with word `word`. */
void ms_detect_payloads(Search *s, gsize word);
/* spaced.c: the lines with letter-spacing, without it, or NULL; the caller's. */
char *ms_detect_spaced(const Search *s, gsize *len_out);
/* seams.c: the same between letters and digits of word `word`, which has both. */
void ms_detect_seams(Search *s, gsize word);
/* A label that is a head vouches for the cells below it, not for what stands beside it. */
void ms_detect_close_head(Search *s, gsize start, gsize end);
/* How far a label may reach that stands from `start` to `end`. */
gsize ms_detect_reach(const Search *s, gsize start, gsize end);
/* beside.c: do the words before what stands from word `word` to word `last` name the kind:
 * "customer 4711", "Numer polisy: 4711"? */
bool ms_detect_is_beside(const Search *s, guint kind, gsize word, gsize last);
/* Where a name ends of which a sentence says that it is word `word`: the word behind it. */
gsize ms_detect_drop_copula(const Search *s, gsize word);
/* Behind it, in a sentence: "48213 is your customer number". */
bool ms_detect_is_called(const Search *s, guint kind, gsize last);
/* Either, or "48213 as your customer number", or small print below it or in the next cell, or its
 * place? */
bool ms_detect_is_told(const Search *s, guint kind, gsize first, gsize last);
/* Is it, words `first` to `last`, a cell as far behind its name's as there are names before as many
 * values? */
bool ms_detect_is_in_place(const Search *s, guint kind, gsize first, gsize last);
/* Do words with a blank between each two fill the line before `at`?  Then what is said goes on in
 * the next one, where a blank would stand if there were room. */
bool ms_detect_is_wrapped(const MsFold *fold, gsize at);
/* Do cells in lines of their own, names and then values, say that the value is of another name? */
bool ms_detect_is_of_other(const Search *s, guint kind, gsize first, gsize last);
/* Is the label a head of another column than that of what is at `value`, a line below? */
bool ms_detect_heads_another(const Search *s, const MsLabel *label, gsize value);
/* Is what stands from `start` to `end` within a stretch whose name is a label of the kind? */
bool ms_detect_is_named(const Search *s, guint kind, gsize start, gsize end);

/* Is what begins at `start`, behind a label of the kind that ends at `label_end` and has a number
 * between, plainly called otherwise: "invoice no. 5013", "Beleg-Nr. 5013", "PO: 5013"?  Not "and
 * no. 5013", nor by a name that may be one of the kind as well. */
bool ms_detect_is_of_another(const Search *s, guint kind, gsize label_end, gsize start);
/* Is it such a stretch, and all of it? */
bool ms_detect_is_cell(const Search *s, gsize start, gsize end);
/* A mark that may set cells apart, and stands beside words and figures as well. */
bool ms_detect_sets_apart(char c);

/* ---- figures.c ---- */
typedef enum {
	MS_FIGURE_NONE,
	MS_FIGURE_NAMED,   /* what is behind it may be a unit, or the beginning of a name */
	MS_FIGURE_PERHAPS, /* it counts only if the directory knows it */
	MS_FIGURE_SURELY,  /* an amount, a share or a date: no identifier */
} MsFigure;
/* Is it one, as far as a number goes that is known? */
static inline bool ms_detect_is_figure(MsFigure figure)
{
	return figure >= MS_FIGURE_PERHAPS;
}
typedef enum {
	MS_DATED_NOT,
	MS_DATED_WHOLE,  /* it is a date: "17/01/2026" */
	MS_DATED_BEGINS, /* the beginning of one: "2026-09" of "2026-09-28" */
	MS_DATED_BEHIND, /* it begins within one */
	MS_DATED_ACROSS, /* it is longer than one, or ends within it */
} MsDated;
/* What is what stands from `start` to `end`, which is not empty, of a date with marks? */
MsDated ms_detect_of_date(const MsFold *fold, gsize start, gsize end);
/* "40,12": nobody sets an identifier so. */
bool ms_detect_is_decimal(const MsFold *fold, gsize start, gsize end);
/* Makes what the others of figures.c need; before all of them, and before a worker is forked. */
void ms_detect_fill_words(void);
/* Does a label, or what stands behind it, ask for a number? */
bool ms_detect_asks_for_number(const MsFold *fold, gsize from, gsize until);
/* Is it a word for "number", in small letters: "no", "numer", "code"? */
bool ms_detect_says_number(const char *word, gsize len);
/* And one before it that names nothing, in small letters: "and", "your", "new"; or something that
 * many number: "order"? */
bool ms_detect_links(const char *word, gsize len);
bool ms_detect_is_thing(const char *word, gsize len);
/* And one that may stand behind it: "of", "des", "della"? */
bool ms_detect_says_of(const char *word, gsize len);
/* Is the number that ends at `end` the one of a house, with its street behind it to the end of a
 * line or cell: "417 Main Street", "417 rue Lepic"? */
bool ms_detect_is_house(const MsFold *fold, gsize end);
/* Is what stands from `start` to `end`, behind the label from `label` to `from`, another number
 * than an identifier? */
MsFigure ms_detect_figure(const MsFold *fold, gsize label, gsize from, gsize start, gsize end);
/* Are these digits the end of a telephone number that begins at `from` or behind it? */
bool ms_detect_is_dialled(const MsFold *fold, gsize from, gsize start, gsize end);
/* Has the label its number already, and are the digits from `start` to `end`, which
 * ms_detect_figure() says of what they are, something else's?
 * "customer 4710, phone +49 221 4711", "customer 4710 invoice no. 1001"; but "customers 4710, 4711"
 * and "customer numbers: 4710 Meyer 4711 Smith". */
bool ms_detect_is_anothers(
	const Search *s, const MsLabel *label, gsize start, gsize end, MsFigure figure);
/* "2024-10", which may be a month, where the label asks for a number or a date follows: where it
 * begins, or G_MAXSIZE. */
gsize ms_detect_dated(
	const MsFold *fold, gsize label, gsize from, gsize until, gsize *end_out);

/* ---- glue.c ---- */
/* Do a word and the next belong together: "X81-0708"? */
bool ms_detect_is_joint(const Search *s, gsize word);
/* Is the text from `start` to `end` a part of a longer number or name?  `digits`: it has no other
 * characters; `longish`: so many that it is hardly anything else by chance. */
bool ms_detect_is_glued(const Search *s, gsize start, gsize end, bool digits, bool longish);
/* The same of letters and digits that are known as they stand. */
bool ms_detect_is_code_glued(const Search *s, gsize start, gsize end);
/* Is it, from `start` to `end`, some groups of an IBAN that is set in groups of four? */
bool ms_detect_is_group(const Search *s, gsize start, gsize end);
/* Is it, from `start` to `end`, a value that a Swiss bill says of itself? */
bool ms_detect_in_billing(const Search *s, gsize start, gsize end);
/* Does what ends at `at` belong to the name of a file? */
bool ms_detect_in_file_name(const Search *s, gsize at);
/* 20240131 and 31012024 are dates of our time sooner than customers. */
bool ms_detect_is_date(const char *text, gsize len);
/* Is the domain that begins at `at` the author's, who has one (span.h), or below it? */
bool ms_detect_is_own_domain(const Search *s, gsize at);
/* Does what is from `start` to `end` stand in a link, an address or a mail's name of the author? */
bool ms_detect_is_own(const Search *s, gsize start, gsize end);
/* Does what stands at `at` belong to a link? */
bool ms_detect_in_link(const Search *s, gsize at);

/* known.c: does nothing but marks, words for "number" and numbers stand between a label of kind `k`
 * and what is at `start`?  In `alone`: no numbers, either. */
bool ms_detect_is_right_behind(const Search *s, guint k, gsize start, bool *alone);
/* Is what stands from word `word` to word `until` a piece of a longer value that is known, of
 * this kind or (NULL) any?  Then that is what is meant, whatever label stands before it. */
bool ms_detect_is_part_of_known(const Search *s, const MsKind *kind, gsize word, gsize until);
/* Adds what the directory has of kind `k`, which is made of what stands from `start`, in a word, to
 * `end`; or, if it is of other kinds as well, one of all that it may be, or nothing if its place
 * says more clearly that it is another's. */
void ms_detect_add_known(Search *s, guint k, gsize start, gsize end, const char *text, gsize len,
	guint belief);
/* Has the directory this compact text of the kind, and of another that no check digits tell from
 * it?  known.c finds it, when all labels are known. */
bool ms_detect_is_shared(const Search *s, const MsKind *kind, const char *text, gsize len);
/* short.c: what the number that begins with word `word` is without zeros and letters that all of
 * its kind have. */
void ms_detect_short(Search *s, gsize word);
/* "Kunden 4530, 4711 und 5300", "customers 4530/4711": are words `first` to `last` one of several
 * numbers behind a name of kind `k`? */
bool ms_detect_is_one_of_several(const Search *s, guint k, gsize first, gsize last);
/* "customers", "Kunden": may the name of kind `k` that ends at `end` be of several? */
bool ms_detect_may_be_of_many(Search *s, guint k, gsize end);
/* Does the place of words `first` to `last`, few digits, say that they are of kind `k`? */
bool ms_detect_is_meant(const Search *s, guint k, gsize first, gsize last);

/* emails.c, known.c, addresses.c: what each adds to the reading. */
void ms_detect_emails(Search *s);
void ms_detect_known(Search *s);
void ms_detect_addresses(Search *s);
GArray *ms_detect_codes(void);
/* May the lines from `start` on, up to `reach` at most, have an address that is known? */
bool ms_detect_may_be_address(Search *s, const MsKind *kind, gsize start, gsize reach);

#endif
