/* What is told of patterns without running them must be what they say when they are run. */
#include "config.h"

#include "missent/compact.h"
#include "missent/dispatch.h"
#include "missent/kind.h"
#include "missent/text.h"

#include "../test.h"

static MsKinds *kinds;

/* ---- digits --------------------------------------------------------------------------- */

#define NONE MS_REGEX_NO_DIGIT

static const struct {
	const char *pattern;
	gsize digit;
	bool unbroken;
} rows[] = {
	{"[0-9]", 1, true},
	{"\\d+", 1, true},
	{"abc-[0-9]{4}", 5, true},
	{"[a-z]{2}\\s{0,2}[0-9]{2}", 5, false},
	{"[a-z]{2,5}\\d", 6, true},
	{"[a-z]?1", 2, true},
	{"a|1", NONE, false},
	{"a1|bb2", 3, true},
	{"a 1|bb2", 3, false},
	{"(?:a|bb)(?:1|[2-9])", 3, true},
	{"(?=[\\pL._\\/-]*\\d)[\\pL\\d]+", NONE, true},
	{"(?=[^x]*\\d)x", NONE, false},
	{"(?=.{0,3}1)x", 4, false},
	{"(?!1)a", NONE, false},
	{"(?<!1)a1", 2, true},
	{"(?<=1)a", NONE, false},
	{"[a-z]+1", NONE, true},
	{"(?:1)?a", NONE, false},
	{"(?:a1){0,3}b", NONE, false},
	{"(?:a1){2}", 2, true},
	{"\\+[ ]?[1-9]", 3, false},
	{"[\\d.]1", 2, true},
	{"[^0-9]", NONE, false},
	{"[0-9a-f]{8}-", NONE, false},
	{"[]0-9]", NONE, false},
	{"(?i-i:a1)", 2, true},
	{"(?-i:[a-z]{5})1", 6, true},
	{"(?>a|bc)1", 3, true},
	{"[0-9", NONE, false},
	{"(?x) 1", NONE, false},
	{"(1)\\1", NONE, false},
	{"\\Q1\\E", NONE, false},
	{"(?<n>1)", NONE, false},
	{"a\\K1", NONE, false},
	{"\\N{U+31}", NONE, false},
	{"[[:digit:]]", NONE, false},
	{"[\\x30-\\x39]", NONE, false},
	{"[ -9]1", 2, false},
	{"\\x31", NONE, false},
	{"(?|1|2)", NONE, false},
	{"(?(1)1|2)", NONE, false},
	{"a{1", NONE, false},
	{"\\p{Nd}", NONE, false},
	{"\\pL1", 2, true},
	{"\\p{Z}1", 2, false},
	{"\\p{Common}1", 2, false},
	{"\\p{Cc}1", 2, false},
	{"\\p{Cyrillic}1", 2, true},
	{"\\W1", 2, false},
	{"^1$", 1, true},
	{"", NONE, false},
};

static void test_digit_rows(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		bool unbroken;
		gsize digit = ms_regex_digit_of(rows[i].pattern, &unbroken);
		if (digit != rows[i].digit || unbroken != rows[i].unbroken)
			g_error("\"%s\": got %zu, %d", rows[i].pattern, digit, unbroken);
	}
}

/* ---- random texts --------------------------------------------------------------------- */

static GString *random_text(void)
{
	static const char *const pieces[] = {" ", " ", "\n", "\t", "  ", ".", "-", "/", "_", ":",
		"#", "+", "1", "42", "4711", "2024-10", "de", "DE", "89", "a", "F", "xx",
		"\xc3\xa9", "\xd0\x96", "\xe5\x8f\x91", "\xc2\xb0", "\xc3\xaa", "rf18", "ab", "00",
		"@", "E0", "12-345"};
	GString *text = g_string_new(NULL);
	guint n = g_test_rand_int_range(1, 30) + 0u;
	for (guint i = 0; i < n; i++) {
		const MsKind *kind = ms_kinds_nth(
			kinds, (guint)g_test_rand_int_range(0, (gint32)ms_kinds_count(kinds)));
		if (kind->label_texts[0] != NULL && g_test_rand_int_range(0, 3) == 0) {
			guint labels = g_strv_length(kind->label_texts);
			char *label = kind->label_texts[g_test_rand_int_range(0, (gint32)labels)];
			g_autofree char *upper = g_ascii_strup(label, -1);
			g_string_append(text, g_test_rand_bit() ? upper : label);
			if (g_test_rand_bit())
				g_string_append_c(text, ' ');
		}
		g_string_append(text, pieces[g_test_rand_int_range(0, G_N_ELEMENTS(pieces))]);
	}
	return text;
}

/* The next place of a digit, or of a byte that is not ASCII. */
static gsize figure_at(const MsFold *fold, gsize at)
{
	while (at < fold->len && fold->text[at] >= 0 && !g_ascii_isdigit(fold->text[at]))
		at++;
	return at;
}

/* Each match of an anchored pattern at the beginning of a word is one that is named. */
static void check_word(
	const MsPatterns *all, const MsFold *fold, const MsCompact *compact, gsize at)
{
	const MsWord *word = &compact->words[at];
	gsize from = 0;
	bool passed = ms_dispatch_next(all->dispatch, fold->text, fold->len, compact, at, at + 1,
			      &from) > at;
	MsLabelled labels[MS_DISPATCH_MAX];
	guint n,
		m = ms_dispatch_word(all->dispatch, fold->text, fold->len, word->from,
			compact->text + word->start, word->end - word->start, labels);
	const guint16 *list = ms_dispatch_at(all->dispatch, fold->text, fold->len, word->from, &n);
	gsize figure = figure_at(fold, word->from) - word->from;
	for (guint i = 0; i < all->patterns->len; i++) {
		const MsPatternOwner *owner = &g_array_index(all->owners, MsPatternOwner, i);
		const MsLabelled *label = NULL;
		bool listed = false;
		MsMatch match;
		bool got = ms_regex_at(all->patterns->pdata[i], fold->text, fold->len, word->from,
				   &match) == MS_MATCH;
		for (guint k = 0; k < n; k++)
			listed = listed || list[k] == i;
		for (guint k = 0; k < m; k++)
			if (labels[k].pattern == i)
				label = &labels[k];
		bool wrong = got && label == NULL && !listed;
		if (label != NULL && label->end != MS_DISPATCH_ASK)
			wrong = !got || match.end != label->end;
		if (got && !owner->label)
			wrong = wrong || figure >= owner->digit;
		if (wrong || (got && passed))
			g_error("\"%s\" at %u: %s", fold->text, word->from,
				ms_kinds_nth(kinds, owner->kind)->name);
	}
}

static void test_random(void)
{
	const MsPatterns *all = ms_kinds_patterns(kinds);
	for (guint i = 0; i < 3000; i++) {
		g_autoptr(GString) text = random_text();
		g_autoptr(MsFold) fold = ms_fold_new(text->str, text->len);
		g_autoptr(MsCompact) compact = ms_compact_new(fold->text, fold->len);
		g_string_free(g_steal_pointer(&text), TRUE);
		for (gsize k = 0; k < compact->n_words; k++)
			check_word(all, fold, compact, k);
	}
}

/* Each match has its digit where it is said to be. */
static void check_matches(const MsRegex *regex, const MsFold *fold)
{
	MsMatch match;
	for (gsize from = 0; from < fold->len &&
		ms_regex_match(regex, fold->text, fold->len, from, fold->len, &match) == MS_MATCH;
		from = MAX(match.end, match.start + 1)) {
		gsize figure = figure_at(fold, match.start);
		bool blank = false;
		for (gsize i = match.start; i < figure; i++)
			blank = blank || g_ascii_isspace(fold->text[i]);
		if (figure >= match.start + ms_regex_digit(regex) ||
			(ms_regex_digit_unbroken(regex) && (blank || figure == fold->len)))
			g_error("%s: \"%s\" at %zu", ms_regex_pattern(regex), fold->text,
				match.start);
		while (match.end < fold->len && ((guchar)fold->text[match.end] & 0xc0) == 0x80)
			match.end++;
	}
}

static void test_matches(void)
{
	for (guint i = 0; i < 1000; i++) {
		g_autoptr(GString) text = random_text();
		g_autoptr(MsFold) fold = ms_fold_new(text->str, text->len);
		for (guint k = 0; k < ms_kinds_count(kinds); k++) {
			const MsKind *kind = ms_kinds_nth(kinds, k);
			for (guint p = 0; p < kind->patterns->len; p++)
				check_matches(kind->patterns->pdata[p], fold);
		}
	}
}

/* ---- compact text --------------------------------------------------------------------- */

/* Of ASCII, byte by byte. */
static void check_compact(const char *text, gsize len)
{
	char *copy = exact_copy(text, len);
	g_autoptr(MsCompact) c = ms_compact_new(copy, len);
	gsize out = 0, words = 0, figures = 0;
	bool digit = false;
	for (gsize i = 0; i < len; i++) {
		if (!g_ascii_isalnum(text[i]))
			continue;
		bool first = i == 0 || !g_ascii_isalnum(text[i - 1]);
		bool last = i + 1 == len || !g_ascii_isalnum(text[i + 1]);
		g_assert_cmpuint(out, <, c->len);
		g_assert_cmpint(c->text[out], ==, g_ascii_tolower(text[i]));
		if (first)
			g_assert_true(c->words[words].start == out && c->words[words].from == i);
		out++;
		if (last)
			g_assert_true(c->words[words].end == out && c->words[words].until == i + 1);
		digit = (digit && !first) || g_ascii_isdigit(text[i]);
		if (last && digit) {
			g_assert_cmpuint(figures, <, c->n_figures);
			g_assert_cmpuint(c->figures[figures++], ==, words);
		}
		words += last;
	}
	g_assert_cmpuint(c->n_figures, ==, figures);
	g_assert_cmpuint(c->len, ==, out);
	g_assert_cmpuint(c->n_words, ==, words);
	free(copy);
}

/* All bytes of ASCII, at all places of a step, words of all lengths, ends of all kinds. */
static void test_compact(void)
{
	char text[128];
	for (gsize i = 0; i < sizeof text; i++)
		text[i] = (char)i;
	for (gsize from = 0; from < 40; from++)
		check_compact(text + from, sizeof text - from);
	for (guint round = 0; round < 2000; round++) {
		gsize len = (gsize)g_test_rand_int_range(0, sizeof text);
		for (gsize i = 0; i < len; i++)
			text[i] = "aZz09 .-@[`{/:"[g_test_rand_int_range(0, round % 2 ? 14 : 5)];
		check_compact(text, len);
	}
}

/* ---- an operator's labels ------------------------------------------------------------- */

static const struct {
	const char *label, *text;
	bool found;
} labels[] = {
	{"customer number", "Customer \t number 4711", true},
	{"customer number", "customernumber 4711", false},
	{"customer number", "customer numbers 4711", true},
	{"customer number", "customer numberss 4711", false},
	{"customer number", "xcustomer number 4711", false},
	{"customer number", "/customer number 4711", false},
	{"customer number", "_customer number 4711", false},
	{"customer number", "1customer number 4711", false},
	{"customer number", "customer number\xd0\x96 4711", false},
	{"customer number", "customer number\xe5\x8f\x91 4711", true},
	{"customer number",
		"\xe5\x8f\x91"
		"customer number 4711",
		true},
	{"customer  number", "customer  number 4711", true},
	{"customer  number", "customer number 4711", false},
	{"N\xc2\xb0 x", "n\xc2\xb0 X 4711", true},
	{"Nr.", "NR. 4711", true},
	{"K\xc3\xa4ufer", "KAUFER 4711", true},
	{"\xd0\x96\xd0\x96", "\xd0\xb6\xd0\x96 4711", true},
	{"#7", "see #7 4711", false}, /* a label begins where a word does */
	{"7x", "7X 4711", true},
	{"abcdefghij", "abcdefghij 4711", true},
	{"abcdefghij", "abcdefghik 4711", false},
	{"abcdefgh", "abcdefgh 4711", true},
};

static void test_labels(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(labels); i++) {
		g_autofree char *conf = g_strdup_printf(
			"kind \"a\" { pattern = {'[0-9]{4}'} labels = "
			"{\"%s\"} label-required = yes }",
			labels[i].label);
		g_autoptr(GError) error = NULL;
		g_autoptr(MsKinds) one = ms_kinds_parse("k", conf, &error);
		g_assert_no_error(error);
		g_autoptr(MsFold) fold = ms_fold_new(labels[i].text, strlen(labels[i].text));
		g_autoptr(MsCompact) compact = ms_compact_new(fold->text, fold->len);
		const MsPatterns *all = ms_kinds_patterns(one);
		bool found = false;
		for (gsize k = 0; k < compact->n_words; k++) {
			MsLabelled out[MS_DISPATCH_MAX];
			MsMatch match;
			const MsWord *w = &compact->words[k];
			guint n;
			ms_dispatch_at(all->dispatch, fold->text, fold->len, w->from, &n);
			guint m = ms_dispatch_word(all->dispatch, fold->text, fold->len, w->from,
				compact->text + w->start, w->end - w->start, out);
			bool ask = n > 0 || (m > 0 && out[0].end == MS_DISPATCH_ASK);
			found = found || (m > 0 && out[0].end != MS_DISPATCH_ASK) ||
				(ask &&
					ms_regex_at(all->patterns->pdata[0], fold->text, fold->len,
						w->from, &match) == MS_MATCH);
		}
		if (found != labels[i].found)
			g_error("\"%s\" in \"%s\"", labels[i].label, labels[i].text);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_autofree char *text = read_source("policies/kinds.conf");
	kinds = ms_kinds_parse("kinds.conf", text, NULL);
	g_assert_nonnull(kinds);
	g_test_add_func("/dispatch/digits", test_digit_rows);
	g_test_add_func("/dispatch/random", test_random);
	g_test_add_func("/dispatch/matches", test_matches);
	g_test_add_func("/dispatch/labels", test_labels);
	g_test_add_func("/dispatch/compact", test_compact);
	int rc = g_test_run();
	ms_kinds_unref(kinds);
	return rc;
}
