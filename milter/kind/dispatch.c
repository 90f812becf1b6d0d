/*
 * Anchored patterns and the labels of those that are nothing but labels come in; out go, for a
 * place of a text, the patterns that may match there.  Immutable; any thread.
 *
 * A label that begins with letters is looked up by all of them, which are a word's beginning: most
 * words begin no label, and three characters would not tell.
 */
#include "config.h"

#include <string.h>

#include "missent/dispatch.h"
#include "missent/scan.h"

/* Characters that look alike to the table: each letter (both cases), each digit, a few marks,
 * and the rest, of which nothing can be told but by trying. */
#define CLASSES 42
#define REST 41
#define ROOT (CLASSES * CLASSES * CLASSES)
#define SEEN_BITS 32768
#define FAR 64 /* characters */

static const char marks[] = " -./+";

/* Labels whose first letters are the same in their first eight, and as many. */
typedef struct {
	guint64 letters;
	guint32 len;      /* 0: empty */
	guint32 first, n; /* of `named` */
} Slot;

/* A pattern that has such labels, and what may stand behind those letters: bits of behind(). */
typedef struct {
	guint32 next;
	guint16 pattern;
	bool ask;         /* comparing is not enough */
	guint32 first, n; /* of `labels`, in the order in which the pattern has them */
} Named;

struct MsDispatch {
	guint8 class_of[256];
	Slot *slots;
	guint slot_bits;
	GArray *named;                /* of Named */
	GPtrArray *labels;            /* in small letters */
	guint64 seen[SEEN_BITS / 64]; /* most words are not among those that begin a label */
	gsize farthest;      /* those that have a digit at all have it within so many characters */
	bool plain[256];     /* no other begins with this byte */
	bool marked[256];    /* some begin with this one, which is no letter or digit */
	guint16 lists[ROOT]; /* for three classes: a list */
	GArray *starts;      /* of guint32: where each list begins in `members`; one more */
	GArray *members;     /* of guint16 */
};

static void fill_classes(guint8 *class_of)
{
	memset(class_of, REST, 256);
	for (int c = 0; c < 26; c++)
		class_of['a' + c] = class_of['A' + c] = (guint8)c;
	for (int c = 0; c < 10; c++)
		class_of['0' + c] = (guint8)(26 + c);
	for (int c = 0; marks[c] != '\0'; c++)
		class_of[(guchar)marks[c]] = (guint8)(36 + c);
}

static char letter_of(int class)
{
	return (char)(class < 26 ? 'a' + class : class < 36 ? '0' + class - 26 : marks[class - 36]);
}

/* ---- by letters ----------------------------------------------------------------------- */

static gsize letters_of(const char *label)
{
	gsize n = 0;
	while (g_ascii_isalpha(label[n]))
		n++;
	return n;
}

/* Up to eight letters of a word, in small letters. */
static guint64 first_letters(const char *word, gsize len)
{
	guint64 eight = 0;
	for (gsize i = 0; i < MIN(len, 8); i++)
		eight |= (guint64)(guchar)g_ascii_tolower(word[i]) << (8 * i);
	return eight;
}

static inline guint64 scatter(guint64 letters, gsize len)
{
	guint64 x = letters * 0x9e3779b97f4a7c15ULL + len * 0xd6e8feb86659fd93ULL;
	return x ^ (x >> 29);
}

static Slot *find_slot(const MsDispatch *d, guint64 letters, gsize len)
{
	guint mask = (1u << d->slot_bits) - 1, n = (guint)(scatter(letters, len) >> 20) & mask;
	while (d->slots[n].len != 0 && (d->slots[n].letters != letters || d->slots[n].len != len))
		n = (n + 1) & mask;
	return &d->slots[n];
}

#define ANYTHING 0x80000000u /* the label ends there */

/* What stands behind letters: blanks and a letter (a bit each), blanks and something else, or none.
 * Blanks of other scripts are folded. */
static guint32 behind(const char *text, gsize len, gsize at)
{
	gsize next = at;
	while (next < len && ms_is_blank(text[next]))
		next++;
	if (next == at)
		return 1u << 27;
	return next < len && g_ascii_isalpha(text[next]) ? 1u << (g_ascii_tolower(text[next]) - 'a')
							 : 1u << 26;
}

/* ---- by three characters -------------------------------------------------------------- */

/* Those of `above` that can begin with `prefix`; after a character of the rest: all of them. */
static void narrow(const GPtrArray *patterns, const GArray *above, const char *prefix, gsize len,
	bool rest, GArray *below)
{
	g_array_set_size(below, 0);
	for (guint i = 0; i < above->len; i++) {
		guint16 n = g_array_index(above, guint16, i);
		if (rest || ms_regex_may_begin(patterns->pdata[n], prefix, len))
			g_array_append_val(below, n);
	}
}

/* Equal lists are kept once. */
static guint16 keep(MsDispatch *d, GHashTable *known, const GArray *list)
{
	GBytes *key = g_bytes_new(list->data, list->len * sizeof(guint16));
	gpointer number;
	if (g_hash_table_lookup_extended(known, key, NULL, &number)) {
		g_bytes_unref(key);
		return (guint16)GPOINTER_TO_UINT(number);
	}
	guint16 n = (guint16)(d->starts->len - 1);
	g_hash_table_insert(known, key, GUINT_TO_POINTER((guint)n));
	g_array_append_vals(d->members, list->data, list->len);
	guint32 end = d->members->len;
	g_array_append_val(d->starts, end);
	return n;
}

typedef struct {
	MsDispatch *dispatch;
	const GPtrArray *patterns, *labels;
	GHashTable *known;
	GArray *lists[4]; /* at each depth */
	GArray *others;   /* of lists[0] what does not begin with letters that are looked up */
	char prefix[3];
} Build;

static void build(Build *b, int depth, gsize place, bool rest)
{
	if (depth == 3) {
		b->dispatch->lists[place] = keep(b->dispatch, b->known, b->lists[3]);
		return;
	}
	for (int class = 0; class < CLASSES; class ++) {
		bool unknown = rest || class == REST;
		if (!unknown)
			b->prefix[depth] = letter_of(class);
		const GArray *above = depth == 0 && class < 26 ? b->others : b->lists[depth];
		narrow(b->patterns, above, b->prefix, (gsize)depth + 1, unknown,
			b->lists[depth + 1]);
		build(b, depth + 1, place * CLASSES + (gsize) class, unknown);
	}
}

static const char *const *labels_of(const GPtrArray *labels, guint n)
{
	return labels != NULL ? labels->pdata[n] : NULL;
}

/* Of ASCII alone, with one blank between words: what the pattern matches can be told without it. */
static bool is_simple(const char *label)
{
	return g_str_is_ascii(label) && strstr(label, "  ") == NULL &&
		!g_str_has_suffix(label, " ");
}

static void add_label(MsDispatch *d, GPtrArray *lists, const char *label, guint16 pattern)
{
	gsize len = letters_of(label);
	if (len == 0)
		return;
	guint64 letters = first_letters(label, len);
	/* Blanks at its end may be no blank in the text: "№" is folded to "No ". */
	guint32 next = label[len + strspn(label + len, " ")] == '\0'
		? ANYTHING
		: behind(label, strlen(label), len);
	Slot *slot = find_slot(d, letters, len);
	if (slot->len == 0) {
		guint bit = (guint)(scatter(letters, len) % SEEN_BITS);
		d->seen[bit / 64] |= 1ULL << (bit % 64);
		*slot = (Slot){letters, (guint32)len, lists->len, 0};
		g_ptr_array_add(lists, g_array_new(FALSE, FALSE, sizeof(Named)));
	}
	GArray *list = lists->pdata[slot->first];
	Named *last = list->len > 0 ? &g_array_index(list, Named, list->len - 1) : NULL;
	if (last == NULL || last->pattern != pattern) {
		Named named = {.pattern = pattern};
		g_array_append_val(list, named);
		last = &g_array_index(list, Named, list->len - 1);
	}
	last->next |= next;
	last->ask = last->ask || !is_simple(label);
}

/* The labels of each that is in the table, one after another. */
static void fill_labels(MsDispatch *d, const GPtrArray *labels)
{
	for (guint i = 0; i < 1u << d->slot_bits; i++) {
		const Slot *slot = &d->slots[i];
		for (guint k = 0; slot->len != 0 && k < slot->n; k++) {
			Named *named = &g_array_index(d->named, Named, slot->first + k);
			named->first = d->labels->len;
			const char *const *l = labels_of(labels, named->pattern);
			for (; *l != NULL; l++) {
				gsize len = letters_of(*l);
				if (len == slot->len && first_letters(*l, len) == slot->letters)
					g_ptr_array_add(d->labels, g_ascii_strdown(*l, -1));
			}
			named->n = d->labels->len - named->first;
		}
	}
}

/* Each label's first letters, with all patterns that have such a label. */
static void build_slots(Build *b)
{
	MsDispatch *d = b->dispatch;
	guint total = 1;
	for (guint i = 0; i < b->patterns->len; i++)
		for (const char *const *l = labels_of(b->labels, i); l != NULL && *l != NULL; l++)
			total++;
	for (d->slot_bits = 6; 1u << d->slot_bits < total * 4; d->slot_bits++)
		;
	d->slots = g_new0(Slot, 1u << d->slot_bits);
	d->named = g_array_new(FALSE, FALSE, sizeof(Named));
	d->labels = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) lists = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
	for (guint i = 0; i < b->patterns->len; i++)
		for (const char *const *l = labels_of(b->labels, i); l != NULL && *l != NULL; l++)
			add_label(d, lists, *l, (guint16)i);
	for (guint i = 0; i < 1u << d->slot_bits; i++) {
		Slot *slot = &d->slots[i];
		if (slot->len == 0)
			continue;
		const GArray *list = lists->pdata[slot->first];
		slot->first = d->named->len;
		slot->n = list->len;
		g_array_append_vals(d->named, list->data, list->len);
	}
}

/* With which bytes those begin that need no digit. */
static void fill_plain(MsDispatch *d, const GPtrArray *patterns, const GPtrArray *labels)
{
	for (guint i = 0; i < patterns->len; i++) {
		gsize digit = ms_regex_digit(patterns->pdata[i]);
		if (labels_of(labels, i) == NULL && digit <= FAR)
			d->farthest = MAX(d->farthest, digit);
	}
	for (int c = 0; c < 256; c++) {
		guint8 class = d->class_of[c];
		char byte = class == REST ? '\0' : letter_of(class);
		d->plain[c] = class != REST;
		for (guint i = 0; i < patterns->len && d->plain[c]; i++)
			d->plain[c] = (labels_of(labels, i) != NULL
						      ? class < 26
						      : ms_regex_digit(patterns->pdata[i]) <=
							      FAR) ||
				!ms_regex_may_begin(patterns->pdata[i], &byte, 1);
	}
}

static void fill_marked(MsDispatch *d, const GPtrArray *patterns, const GPtrArray *labels)
{
	for (char c = '!'; c <= '~'; c++)
		for (guint i = 0; g_ascii_ispunct(c) && i < patterns->len; i++)
			d->marked[(guchar)c] = d->marked[(guchar)c] ||
				(labels_of(labels, i) == NULL &&
					ms_regex_may_begin(patterns->pdata[i], &c, 1));
}

MsDispatch *ms_dispatch_new(const GPtrArray *patterns, const GPtrArray *labels)
{
	MsDispatch *d = g_new0(MsDispatch, 1);
	fill_classes(d->class_of);
	d->starts = g_array_new(FALSE, TRUE, sizeof(guint32));
	d->members = g_array_new(FALSE, FALSE, sizeof(guint16));
	g_array_set_size(d->starts, 1);
	g_autoptr(GHashTable) known = g_hash_table_new_full(
		g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
	g_autoptr(GArray) others = g_array_new(FALSE, FALSE, sizeof(guint16));
	Build b = {.dispatch = d,
		.patterns = patterns,
		.labels = labels,
		.known = known,
		.others = others};
	for (int i = 0; i < 4; i++)
		b.lists[i] = g_array_new(FALSE, FALSE, sizeof(guint16));
	for (guint i = 0; i < patterns->len; i++) {
		guint16 n = (guint16)i;
		g_array_append_val(b.lists[0], n);
		if (labels_of(labels, i) == NULL)
			g_array_append_val(others, n);
	}
	build_slots(&b);
	fill_labels(d, labels);
	fill_plain(d, patterns, labels);
	fill_marked(d, patterns, labels);
	build(&b, 0, 0, false);
	for (int i = 0; i < 4; i++)
		g_array_unref(b.lists[i]);
	return d;
}

void ms_dispatch_free(MsDispatch *dispatch)
{
	if (dispatch == NULL)
		return;
	g_free(dispatch->slots);
	g_array_unref(dispatch->named);
	g_ptr_array_unref(dispatch->labels);
	g_array_unref(dispatch->starts);
	g_array_unref(dispatch->members);
	g_free(dispatch);
}

const guint16 *ms_dispatch_at(
	const MsDispatch *dispatch, const char *text, gsize len, gsize at, guint *n_out)
{
	gsize place = 0;
	for (gsize i = at; i < at + 3; i++) /* beyond the end nothing is known */
		place = place * CLASSES + (i < len ? dispatch->class_of[(guchar)text[i]] : REST);
	guint16 list = dispatch->lists[place];
	const guint32 *starts = (const guint32 *)(const void *)dispatch->starts->data;
	*n_out = starts[list + 1] - starts[list];
	return (const guint16 *)(const void *)dispatch->members->data + starts[list];
}

/* How many letters of ASCII a word in small ones begins with, and in `eight` the first of them.
 * Digits have no 0x40.  Seven bytes behind the word are there, whatever they are. */
static gsize leading_letters(const char *word, gsize len, guint64 *eight)
{
	guint64 bytes;
	memcpy(&bytes, word, 8);
	bytes = GUINT64_FROM_LE(bytes);
	bytes = len < 8 ? bytes & ((1ULL << (8 * len)) - 1) : bytes;
	guint64 others = (~bytes & 0x4040404040404040ULL) | ((bytes & 0x8080808080808080ULL) >> 1);
	gsize n = others != 0 ? (gsize)__builtin_ctzll(others) / 8 : 8;
	*eight = n < 8 ? bytes & ((1ULL << (8 * n)) - 1) : bytes;
	while (n >= 8 && n < len && word[n] >= 'a' && word[n] <= 'z')
		n++;
	return n;
}

/* The end of the label of which the text has the rest at `at`; 0: it has not, or another letter
 * follows; MS_DISPATCH_ASK: it is to be asked of the pattern whether that is one. */
static gsize compare(const char *text, gsize len, gsize at, const char *label)
{
	for (; *label != '\0'; label++) {
		if (*label == ' ') {
			if (at >= len || !ms_is_blank(text[at]))
				return 0;
			while (at < len && ms_is_blank(text[at]))
				at++;
		} else if (at >= len || ms_small(text[at++]) != *label) {
			return 0;
		}
	}
	if (at < len && (text[at] & 0x80))
		return MS_DISPATCH_ASK;
	return at < len && g_ascii_isalpha(text[at]) ? 0 : at;
}

/* Of labels that begin with the same letters as the text at `at`, to the eighth. */
static gsize compare_all(const MsDispatch *dispatch, const Named *named, const char *text,
	gsize len, gsize at, gsize letters)
{
	gsize same = MIN(letters, 8);
	if (named->ask || (at > 0 && (text[at - 1] & 0x80)))
		return MS_DISPATCH_ASK;
	for (guint i = 0; i < named->n; i++) {
		const char *label = dispatch->labels->pdata[named->first + i];
		gsize end = compare(text, len, at + same, label + same);
		if (end != 0)
			return end;
	}
	return 0;
}

/* May a label begin with these letters?  Nothing but a look at one bit. */
static inline bool may_begin_label(const MsDispatch *d, guint64 eight, gsize letters)
{
	guint bit = (guint)(scatter(eight, letters) % SEEN_BITS);
	return letters > 0 && (d->seen[bit / 64] >> (bit % 64) & 1) != 0;
}

guint ms_dispatch_word(const MsDispatch *dispatch, const char *text, gsize len, gsize at,
	const char *word, gsize word_len, MsLabelled out[MS_DISPATCH_MAX])
{
	guint64 eight;
	gsize letters = leading_letters(word, word_len, &eight);
	if (!may_begin_label(dispatch, eight, letters))
		return 0;
	const Slot *slot = find_slot(dispatch, eight, letters);
	char before = at > 0 ? text[at - 1] : ' ';
	if (slot->len == 0 || g_ascii_isalnum(before) || before == '/' || before == '_')
		return 0;
	guint n = 0;
	guint32 next = ANYTHING | behind(text, len, at + letters);
	const Named *named = &g_array_index(dispatch->named, Named, slot->first);
	for (guint i = 0; i < slot->n && n < MS_DISPATCH_MAX; i++) {
		gsize end = named[i].next & next
			? compare_all(dispatch, &named[i], text, len, at, letters)
			: 0;
		if (end != 0)
			out[n++] = (MsLabelled){named[i].pattern, end};
	}
	return n;
}

bool ms_dispatch_marked(const MsDispatch *dispatch, char byte)
{
	return dispatch->marked[(guchar)byte];
}

/* May any without labels match?  `figure`: the place of the next digit, or byte outside ASCII. */
static inline bool may_begin_other(
	const MsDispatch *d, const char *text, gsize len, gsize at, gsize figure)
{
	guint n;
	if (figure - at >= d->farthest && d->plain[(guchar)text[at]])
		return false;
	ms_dispatch_at(d, text, len, at, &n);
	return n > 0;
}

gsize ms_dispatch_next(const MsDispatch *dispatch, const char *text, gsize len,
	const MsCompact *compact, gsize word, gsize until, gsize *figure)
{
	for (; word < until; word++) {
		const MsWord *w = &compact->words[word];
		guint64 eight;
		gsize letters = leading_letters(
			compact->text + w->start, w->end - w->start, &eight);
		if (*figure < w->from)
			*figure = ms_scan_figure(text, len, w->from);
		if (may_begin_label(dispatch, eight, letters) ||
			(w->from > 0 && ms_dispatch_marked(dispatch, text[w->from - 1])) ||
			may_begin_other(dispatch, text, len, w->from, *figure))
			break;
	}
	return word;
}
