/*
 * The beginning of a text comes in folded, the names that it greets go out; and a name in one
 * spelling.  Both wings have them from here, so that what the directory has of a name is what a
 * mail is asked for.  Any thread.
 *
 * A greeting is a line that begins with one of the words that open one, and ends behind the name
 * with a mark or with its line.  What is in doubt is none: a small letter where a name should
 * begin, a digit, a word that many are greeted by.  A line that quotes another mail ends the
 * search: whom that one greets is another matter.
 */
#include "config.h"

#include <string.h>

#include "missent/greeting.h"

/* ---- words ---------------------------------------------------------------------------- */

/* As greetings.txt calls them, and the first of two words that open; bits. */
enum {
	W_open = 1,
	W_title = 2,
	W_particle = 4,
	W_and = 8,
	W_generic = 16,
	W_quote = 32,
	W_first = 64
};

typedef struct {
	guint what;
	const char *word;
} Row;
static const Row rows[] = {
#include "milter/kind/greetings.inc"
};

/* Letters as they are written down, up to what a name has. */
typedef struct {
	char *text;
	gsize len;
	bool over; /* there were more */
} Letters;

/* "ue" is how "ü" is written where there is none: both are "u", as the fold has it. */
static void append_letter(Letters *out, gunichar c)
{
	char last = out->len > 0 ? out->text[out->len - 1] : '\0', utf8[6];
	gunichar lower = c < 0x80 ? (guchar)g_ascii_tolower((char)c) : g_unichar_tolower(c);
	if (lower == 'e' && (last == 'a' || last == 'o' || last == 'u'))
		return;
	gsize n = 1;
	*utf8 = (char)lower;
	if (lower >= 0x80)
		n = (gsize)g_unichar_to_utf8(lower, utf8);
	out->over = out->over || out->len + n >= MS_NAME_MAX;
	if (out->over)
		return;
	memcpy(out->text + out->len, utf8, n);
	out->len += n;
	out->text[out->len] = '\0';
}

static void add_to(GHashTable *table, const char *word, guint what)
{
	guint before = GPOINTER_TO_UINT(g_hash_table_lookup(table, word));
	g_hash_table_insert(table, g_strdup(word), GUINT_TO_POINTER(before | what));
}

static GHashTable *make_table(void)
{
	GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(MsFold) fold = ms_fold_new(rows[i].word, strlen(rows[i].word));
		char word[MS_NAME_MAX] = "";
		Letters letters = {word, 0, false};
		for (const char *p = fold->text; *p != '\0'; p = g_utf8_next_char(p))
			append_letter(&letters, g_utf8_get_char(p));
		add_to(table, word, rows[i].what);
		char *blank = strchr(word, ' ');
		if (blank != NULL && (rows[i].what & W_open) != 0) {
			*blank = '\0';
			add_to(table, word, W_first);
		}
	}
	return table;
}

static guint what_is(const char *word)
{
	static gsize table;
	if (g_once_init_enter(&table))
		g_once_init_leave(&table, (gsize)make_table());
	return GPOINTER_TO_UINT(g_hash_table_lookup((GHashTable *)table, word));
}

/* A word that stands at `at`, or "": letters, with apostrophes ("O'Brien") and dots ("Sig.ra")
 * within. */
typedef struct {
	gsize from, until;
	bool small; /* begins with a small letter */
	char text[MS_NAME_MAX];
} Word;

static bool is_within(const char *text, gsize at, gsize end)
{
	if (text[at] >= 0 && text[at] != '\'' && text[at] != '.')
		return false;
	gunichar c = g_utf8_get_char(text + at);
	gsize behind = at + (gsize)g_utf8_skip[(guchar)text[at]];
	gunichar next = behind < end ? g_utf8_get_char(text + behind) : 0;
	return ((c == '\'' || c == 0x2019) && g_unichar_isalpha(next)) ||
		(text[at] == '.' && g_unichar_islower(next));
}

static inline gunichar char_at(const char *text, gsize at)
{
	return text[at] >= 0 ? (guchar)text[at] : g_utf8_get_char(text + at);
}

static inline bool is_letter(gunichar c)
{
	return c < 0x80 ? g_ascii_isalpha((char)c) : g_unichar_isalpha(c);
}

static bool take_word(const char *text, gsize at, gsize end, Word *out)
{
	Letters letters = {out->text, 0, false};
	out->from = at;
	out->text[0] = '\0';
	while (at < end) {
		gunichar c = char_at(text, at);
		bool letter = is_letter(c);
		if (!letter && (at == out->from || !is_within(text, at, end)))
			break;
		if (letter)
			append_letter(&letters, c);
		at += (gsize)g_utf8_skip[(guchar)text[at]];
	}
	out->until = MIN(at, end);
	out->small = letters.len > 0 && g_unichar_islower(char_at(text, out->from));
	return !letters.over && letters.len > 0;
}

static bool is_initial(const char *word)
{
	return *g_utf8_next_char(word) == '\0';
}

/* ---- a name --------------------------------------------------------------------------- */

/* Words as one name; without those that are one of `titles`. */
static char *join(const GPtrArray *words, guint titles)
{
	g_autoptr(GString) out = g_string_new(NULL);
	for (guint i = 0, n = 0; i < words->len && n < MS_NAME_WORDS; i++) {
		const char *word = words->pdata[i];
		if (is_initial(word) || (what_is(word) & titles) != 0 ||
			out->len + strlen(word) + 1 > MS_NAME_MAX)
			continue;
		g_string_append_printf(out, "%s%s", n++ > 0 ? " " : "", word);
	}
	return out->len > 0 ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}

char *ms_name_canonical(const char *text, gsize len)
{
	g_autoptr(MsFold) fold = ms_fold_new(text, len);
	g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
	Word word;
	for (gsize at = 0; at < fold->len;
		at = MAX(word.until, at + (gsize)g_utf8_skip[(guchar)fold->text[at]]))
		if (take_word(fold->text, at, fold->len, &word))
			g_ptr_array_add(words, g_strdup(word.text));
	char *out = join(words, W_title);
	return out != NULL ? out : join(words, 0); /* a title that is a name */
}

char **ms_name_words(const char *canonical)
{
	g_auto(GStrv) all = g_strsplit(canonical, " ", -1);
	GPtrArray *out = g_ptr_array_new();
	for (char **word = all; *word != NULL; word++)
		if ((what_is(*word) & W_particle) == 0)
			g_ptr_array_add(out, g_strdup(*word));
	bool none = out->len == 0;
	for (char **word = all; none && *word != NULL; word++)
		g_ptr_array_add(out, g_strdup(*word));
	g_ptr_array_add(out, NULL);
	return (char **)g_ptr_array_free(out, FALSE);
}

/* ---- a greeting ----------------------------------------------------------------------- */

typedef struct {
	const char *text;
	gsize at, end; /* of the line */
	GPtrArray *names;
	gsize until; /* of the last word that was taken */
} Line;

static char here(const Line *l)
{
	return l->at < l->end ? l->text[l->at] : '\n';
}

static void skip(Line *l, const char *set)
{
	while (l->at < l->end && l->text[l->at] != '\0' && strchr(set, l->text[l->at]) != NULL)
		l->at++;
}

/* "geehrte/r", "Liebe:r", "Cher(e)": both are meant. */
static void skip_both(Line *l)
{
	Word word;
	if (l->at < l->end && strchr("/:*_(", l->text[l->at]) != NULL &&
		take_word(l->text, l->at + 1, l->end, &word) && word.small &&
		word.until - word.from <= 2) {
		l->at = word.until;
		skip(l, ")");
	}
}

/* One word, or two: "sehr geehrte". */
static bool take_opening(Line *l)
{
	Word first, second;
	if (!take_word(l->text, l->at, l->end, &first))
		return false;
	guint what = what_is(first.text);
	Line after = *l;
	after.at = first.until;
	skip(&after, " \t");
	if ((what & W_first) != 0 && take_word(l->text, after.at, l->end, &second)) {
		g_autofree char *both = g_strconcat(first.text, " ", second.text, NULL);
		if ((what_is(both) & W_open) != 0) {
			l->at = second.until;
			skip_both(l);
			return true;
		}
	}
	if ((what & W_open) == 0)
		return false;
	l->at = first.until;
	skip_both(l);
	return true;
}

static bool ends(const Line *l)
{
	char c = here(l);
	bool dash = c == '-' && (l->at + 1 >= l->end || l->text[l->at + 1] == ' ');
	return l->at >= l->end || strchr(",!:;\n\r", c) != NULL || dash;
}

typedef enum { NAMED, NOT_A_NAME, EVERYBODY } Named;

typedef struct {
	GPtrArray *words; /* of the name that is being read */
	bool title;
} Reading;

static void finish(Line *l, Reading *r)
{
	char *name = join(r->words, W_title);
	if (name != NULL && l->names->len < MS_GREETED)
		g_ptr_array_add(l->names, name);
	else
		g_free(name);
	g_ptr_array_set_size(r->words, 0);
}

/* What a word of a greeting is.  False: it is no greeting by name; `*named` says what then. */
static bool take_one(Line *l, Reading *r, const Word *word, Named *named)
{
	guint what = what_is(word->text);
	l->at = word->until;
	if ((what & W_generic) != 0) {
		*named = EVERYBODY;
		return false;
	}
	if ((what & W_and) != 0 && word->small) {
		finish(l, r);
		skip(l, " \t");
		take_opening(l); /* "and dear Tom" */
		return true;
	}
	bool title = (what & W_title) != 0;
	r->title = r->title || title;
	if (!title && word->small && (what & W_particle) == 0)
		return false;
	g_ptr_array_add(r->words, g_strdup(word->text));
	l->until = word->until;
	return r->words->len <= MS_NAME_WORDS + 2;
}

/* From behind the opening to the mark that ends it. */
static Named take_names(Line *l, Reading *r)
{
	Named named = NOT_A_NAME;
	Word word;
	for (;;) {
		skip(l, " \t.");
		if (ends(l))
			break;
		if (here(l) == '&' || (here(l) == '/' && r->words->len > 0 && !r->title)) {
			finish(l, r);
			l->at++;
		} else if (here(l) == '/' || here(l) == '-') {
			l->at++;
		} else if (!take_word(l->text, l->at, l->end, &word) ||
			!take_one(l, r, &word, &named)) {
			return named;
		}
	}
	finish(l, r);
	return l->names->len > 0 ? NAMED : EVERYBODY;
}

static bool begins_with_title(const Line *l)
{
	Word word;
	return take_word(l->text, l->at, l->end, &word) && (what_is(word.text) & W_title) != 0 &&
		!word.small;
}

/* "Madame Morel," on a line of its own. */
static bool is_title_alone(const Line *begin, const Line *end)
{
	return begin->at != end->at && here(end) == ',' && end->at + 1 >= end->end;
}

/* "Sehr geehrte Frau Weber, sehr geehrter Herr Klein," */
static Named take_greeting(Line *l)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
	Reading r = {words, false};
	const Line begin = *l;
	bool opened = take_opening(l);
	if (!opened && !begins_with_title(l))
		return NOT_A_NAME;
	Named named = take_names(l, &r);
	if (!opened && named != EVERYBODY && !is_title_alone(&begin, l))
		return NOT_A_NAME;
	while (named == NAMED && opened && here(l) == ',') {
		Line more = *l;
		more.at++;
		skip(&more, " \t");
		if (!take_opening(&more))
			break;
		named = take_names(&more, &r);
		*l = more;
	}
	return named;
}

/* ---- lines ---------------------------------------------------------------------------- */

/* Here begins what somebody else wrote: "> ", "-----Original Message-----", "From: ", "On 3 May
 * Anna wrote:" */
static bool is_quote(const Line *l, const Word *first, guint what)
{
	const char *text = l->text + l->at;
	gsize len = l->end - l->at;
	if (len == 0)
		return false;
	if (*text == '>' || (len >= 5 && memcmp(text, "-----", 5) == 0) ||
		(len >= 5 && memcmp(text, "_____", 5) == 0))
		return true;
	if ((what & W_quote) != 0) {
		gsize at = first->until;
		while (at < l->end && l->text[at] == ' ')
			at++;
		if (at < l->end && l->text[at] == ':')
			return true;
	}
	bool digit = false;
	for (gsize i = 0; text[len - 1] == ':' && i < len; i++)
		digit = digit || g_ascii_isdigit(text[i]);
	return digit;
}

void ms_greeting_clear(MsGreeting *greeting)
{
	g_clear_pointer(&greeting->names, g_ptr_array_unref);
}

/* The next line, without blanks before and behind it; false at the end. */
static bool next_line(const MsFold *fold, gsize *at, Line *l)
{
	if (*at >= fold->len)
		return false;
	const char *nl = memchr(fold->text + *at, '\n', fold->len - *at);
	l->at = *at;
	l->end = nl != NULL ? (gsize)(nl - fold->text) : fold->len;
	*at = l->end + 1;
	skip(l, " \t\r*_\"");
	while (l->end > l->at && strchr(" \t\r*_\"", fold->text[l->end - 1]) != NULL)
		l->end--;
	return true;
}

void ms_greeting_find(const MsFold *fold, MsGreeting *out)
{
	Line l = {.text = fold->text, .names = g_ptr_array_new_with_free_func(g_free)};
	*out = (MsGreeting){0, 0, l.names};
	guint lines = 0;
	for (gsize at = 0; lines < MS_GREETING_LINES && next_line(fold, &at, &l);) {
		if (l.at >= l.end)
			continue;
		lines++;
		Word first;
		guint what = take_word(l.text, l.at, l.end, &first) ? what_is(first.text) : 0;
		if (is_quote(&l, &first, what))
			return;
		if ((what & (W_open | W_first | W_title)) == 0)
			continue; /* as most are */
		const gsize from = l.at;
		switch (take_greeting(&l)) {
		case NOT_A_NAME: g_ptr_array_set_size(l.names, 0); continue;
		case EVERYBODY: g_ptr_array_set_size(l.names, 0); return;
		case NAMED:
			out->from = from;
			out->until = l.until;
			return;
		}
	}
}
