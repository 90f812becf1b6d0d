/*
 * What all parts stand on: text made safe and folded, digests and seals, patterns and their
 * bounds, files, sockets, clocks, patience.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/budget.h"
#include "missent/digest.h"
#include "missent/io.h"
#include "missent/late.h"
#include "missent/regex.h"
#include "missent/scan.h"
#include "missent/text.h"
#include "missent/transfer.h"

#include "../test.h"

static void test_escape(void)
{
	static const struct {
		const char *input;
		gssize len;
		gsize max;
		const char *want;
	} rows[] = {
		{"plain", -1, 100, "plain"},
		{"a\nb\tc", -1, 100, "a\\x0ab\\x09c"},
		{"\033[31mred", -1, 100, "\\x1b[31mred"},
		{"\xff\xfe", 2, 100, "\\xff\\xfe"},
		{"M\xc3\xbcller", -1, 100, "M\xc3\xbcller"},
		{"a\xe2\x80\xae" "b", -1, 100, "a\\xe2\\x80\\xae" "b"}, /* right-to-left override */
		{"a\xd8\x9c" "b", -1, 100, "a\\xd8\\x9c" "b"}, /* a direction mark of Arabic */
		{"\xc2\xad\xe3\x85\xa4", -1, 100, "\\xc2\\xad\\xe3\\x85\\xa4"}, /* soft hyphen, filler */
		{"\xf3\xa0\x81\x81", -1, 100, "\\xf3\\xa0\\x81\\x81"}, /* a tag */
		{"\xe2\x9d\xa4\xef\xb8\x8f", -1, 100, "\xe2\x9d\xa4\xef\xb8\x8f"},
		{"\xc2\xa0\xd7\x90", -1, 100, "\xc2\xa0\xd7\x90"},
		{"back\\slash", -1, 100, "back\\\\slash"},
		{"a\0b", 3, 100, "a\\x00b"},
		{"abcdefgh", -1, 4, "abcd..."},
		{"", -1, 4, ""},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = ms_text_escape(rows[i].input, rows[i].len, rows[i].max);
		g_assert_cmpstr(got, ==, rows[i].want);
	}
}

static void test_repair(void)
{
	static const struct {
		const char *input;
		gsize len;
		const char *want;
		gsize want_len;
	} rows[] = {
		{"abc", 3, "abc", 3},
		{"M\xfcller", 6, "M\xc3\xbcller", 7},       /* Windows-1252 */
		{"\x80 100", 5, "\xe2\x82\xac 100", 7},      /* its euro sign */
		{"a\0b", 3, "a\0b", 3},
		{"\xe2\x82", 2, "\xc3\xa2\xe2\x80\x9a", 5},  /* cut off */
		{"", 0, "", 0},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *input = exact_copy(rows[i].input, rows[i].len);
		g_autoptr(GString) got = ms_text_repair(input, rows[i].len);
		g_assert_cmpmem(got->str, got->len, rows[i].want, rows[i].want_len);
		free(input);
	}
}

/* The same in one sweep after the other, as GLib takes it. */
static GString *repair_by_pieces(const char *bytes, gsize len)
{
	GString *out = g_string_new(NULL);
	const char *end = bytes + len, *bad;
	while (bytes < end) {
		g_utf8_validate_len(bytes, (gsize)(end - bytes), &bad);
		g_string_append_len(out, bytes, bad - bytes);
		bytes = bad;
		if (bytes < end && *bytes == '\0')
			g_string_append_c(out, *bytes++);
		else if (bytes < end)
			g_string_append_unichar(out, ms_text_cp1252((guint8)*bytes++));
	}
	return out;
}

static void test_repair_anything(void)
{
	static const char *const pieces[] = {"plain ASCII text, ", "1234567", "\xc3\xbc",
		"\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80",
		"\xef\xbf\xbe", "\xff", "\xe2", "\x80", "\xf0\x9f", ""};
	for (guint i = 0; i < 20000; i++) {
		char bytes[200];
		gsize len = 0;
		for (guint n = g_test_rand_int_range(0, 9); n > 0; n--) {
			const char *piece = pieces[g_test_rand_int_range(0, G_N_ELEMENTS(pieces))];
			gsize size = *piece == '\0' ? 1 : strlen(piece);
			memcpy(bytes + len, piece, size);
			len += size;
		}
		char *input = exact_copy(bytes, len);
		g_autoptr(GString) got = ms_text_repair(input, len);
		g_autoptr(GString) want = repair_by_pieces(input, len);
		g_assert_cmpmem(got->str, got->len, want->str, want->len);
		free(input);
	}
}

static void test_fold(void)
{
	static const struct {
		const char *input, *want;
	} rows[] = {
		{"4711\xe2\x80\x8b"
		 "0818",
			"47110818"}, /* zero-width space */
		{"FR76\xc2\xa0"
		 "3000",
			"FR76 3000"}, /* no-break space */
		{"A\xe2\x80\x91"
		 "1",
			"A-1"},                     /* no-break hyphen */
		{"\xef\xbc\xa1\xef\xbc\x91", "A1"}, /* full width */
		{"a\xc2\xad"
		 "b",
			"ab"}, /* soft hyphen */
		{"x\xef\xbc\xa0y", "x@y"},
		{"num\xc3\xa9ro", "numero"},  /* an accent ... */
		{"nume\xcc\x81ro", "numero"}, /* ... by itself */
		{"Stra\xc3\x9f"
		 "e",
			"Strasse"},
		{"\xd0\xa1-\xd9\xa4\xd9\xa7\xd9\xa1\xd9\xa1",
			"C-4711"},                          /* Cyrillic, Arabic-Indic */
		{"\xf0\x9d\x90\x82\xf0\x9d\x9f\x92", "C4"}, /* mathematical bold */
		{"\xef\xac\x81x", "fix"},                   /* a ligature */
		{"\xe2\x84\x96" "4", "No 4"},                /* numero sign */
		{"\uf04b\uf044\uf02d\uf037\uf734\uf761", "KD-74a"}, /* symbol font, old style, small capital */
		{"\uf06e", "\uf06e"},                       /* a bullet */
		{"\xc5\x81\xc3\xb3"
		 "d\xc5\xba",
			"Lodz"},
		{"\xe4\xb8\xad\xe6\x96\x87",
			"\xe4\xb8\xad\xe6\x96\x87"}, /* what has no other form */
		{"\xce\x91\xce\x92\xd0\x95", "ABE"}, /* Greek and Cyrillic capitals */
		{"a\xe2\x80\xa8"
		 "b",
			"a\nb"}, /* line separator */
		{"a\rb\r\rc\r\nd\r\r\ne\r", "a\nb\n\nc\r\nd\r\r\ne\n"},
		{"plain", "plain"},
		{"", ""},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		gsize len = strlen(rows[i].input);
		char *input = exact_copy(rows[i].input, len);
		g_autoptr(MsFold) fold = ms_fold_new(input, len);
		g_assert_cmpmem(fold->text, fold->len, rows[i].want, strlen(rows[i].want));
		g_assert_cmpuint(ms_fold_source(fold, fold->len), ==, len);
		g_assert_cmpuint(ms_fold_source(fold, 0), <=, len);
		free(input);
	}
}

static void test_fold_map(void)
{
	/* The source of each folded byte is the byte it was made from. */
	const char *text = "a\xe2\x80\x8b" "b\xc2\xa0" "c\xef\xbc\x91" "d";
	g_autoptr(MsFold) fold = ms_fold_new(text, strlen(text));
	static const gsize want[] = {0, 4, 5, 7, 8, 11, 12};
	g_assert_cmpmem(fold->text, fold->len, "ab c1d", 6);
	for (gsize i = 0; i <= fold->len; i++)
		g_assert_cmpuint(ms_fold_source(fold, i), ==, want[i]);
}

static void test_nearest(void)
{
	static const char *const names[] = {"kinds", "require", "house-recipients", "max-recipients", "mode",
		"time", "ocr", "message-size", "ALPHA", "B", NULL};
	static const struct {
		const char *word, *want;
	} rows[] = {{"kindz", "kinds"}, {"max-recipient", "max-recipients"},
		{"recipients", "max-recipients"}, {"MAX", "max-recipients"}, {"mdoe", "mode"},
		{"omde", "mode"}, {"tiem", "time"}, {"orc", "ocr"}, {"size", "message-size"},
		{"ALFA", "ALPHA"}, {"alpha", "ALPHA"}, {"b", "B"}, {"colour", NULL}, {"ma", NULL},
		{"cipients", NULL}, {"-", NULL}, {"", NULL}, {"bar", NULL}, {"name", NULL},
		{"type", NULL}, {"node-s", NULL}, {"C", NULL}, {"recipients-max", "max-recipients"},
		{"Size-Message", "message-size"}, {"-size", NULL}, {"size-", NULL},
		{"recipients-maxi", NULL}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		g_assert_cmpstr(ms_text_nearest(rows[i].word, names), ==, rows[i].want);
}

/* What a field becomes in a file that spreadsheets open; and back. */
static void test_cell(void)
{
	static const char *const rows[][2] = {
		{"C-10001", "C-10001"},
		{"", ""},
		{"say \"x\"", "say \"\"x\"\""},
		{"=1+1", "'=1+1"},
		{"=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"},
		{"=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"\"http://x\"\")"},
		{"+cmd|x!A0", "'+cmd|x!A0"},
		{"-2+3+cmd|x!A0", "'-2+3+cmd|x!A0"},
		{"+49 30 1234", "+49 30 1234"},
		{"+1+1", "'+1+1"},
		{"-5", "-5"},
		{"@acme.example", "@acme.example"},
		{"@SUM(1+1)*cmd|x!A0", "'@SUM(1+1)*cmd|x!A0"},
		{"@", "'@"},
		{"\t=1", "'\t=1"},
		{"\r=1", "'\r=1"},
		{"＝1+1", "'＝1+1"},
		{"'=1+1", "''=1+1"},
		{"'@acme.example", "'@acme.example"},
		{"'t Hooft", "'t Hooft"},
		{"'", "'"},
		{"a=b", "a=b"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) cell = g_string_new(NULL);
		ms_text_add_cell(cell, rows[i][0], strlen(rows[i][0]));
		g_autofree char *want = g_strdup_printf("\"%s\"", rows[i][1]);
		g_assert_cmpstr(cell->str, ==, want);
		g_autofree char *bare = g_strndup(cell->str + 1, cell->len - 2);
		g_auto(GStrv) pieces = g_strsplit(bare, "\"\"", -1);
		g_autofree char *field = g_strjoinv("\"", pieces);
		g_assert_cmpstr(ms_text_of_cell(field), ==, rows[i][0]);
	}
}

static void test_words(void)
{
	static const struct {
		const char *input, *want;
	} rows[] = {
		{"Werner-Heisenberg-Allee 25", "werner heisenberg allee 25"},
		{"M\xc3\xbcnchen, Gro\xc3\x9f" "e Stra\xc3\x9f" "e", "munchen grosse strasse"},
		{"Su\xcc\x88" "d", "sud"}, /* combining mark */
		{"\xc5\x81\xc3\xb3" "d\xc5\xba", "lodz"},
		{" .,- ", ""},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = ms_text_words(rows[i].input, strlen(rows[i].input));
		g_assert_cmpstr(got, ==, rows[i].want);
	}
}

/* ASCII has a way of its own through it, which says what the general one says. */
static void test_words_twice(void)
{
	for (guint i = 0; i < 3000; i++) {
		g_autoptr(GString) text = g_string_new(NULL);
		for (int n = g_test_rand_int_range(0, 30); n > 0; n--)
			g_string_append_c(text, (char)g_test_rand_int_range(1, 128));
		g_autofree char *plain = ms_text_words(text->str, text->len);
		g_autofree char *other = g_strconcat(text->str, " \xc3\xa9", NULL);
		g_autofree char *got = ms_text_words(other, strlen(other));
		g_autofree char *want = g_strconcat(plain, *plain != '\0' ? " " : "", "e", NULL);
		g_assert_cmpstr(got, ==, want);
	}
	g_autofree char *cut = ms_text_words("A b\0c", 5);
	g_assert_cmpstr(cut, ==, "a b");
}

static void test_transfer(void)
{
	typedef GByteArray *(*Decode)(const guint8 *data, gsize len);
	static const struct {
		Decode decode;
		const char *input, *want;
	} rows[] = {
		{ms_transfer_base64, "SU5WLTEyMzQ1Njc=", "INV-1234567"},
		{ms_transfer_base64, "SU5WLTEyMzQ1Njc", "INV-1234567"},            /* no padding */
		{ms_transfer_base64, "SU5WLTEy\r\nMzQ1\r\n Njc=", "INV-1234567"},
		/* goes on after it */
		{ms_transfer_base64, "SU5WLTE=MjM0NTY3", "INV-1234567"},
		/* rubbish within */
		{ms_transfer_base64, "Q1VT!!VC02\x01NTQzMjE=", "CUST-654321"},
		{ms_transfer_base64, "====", ""},
		{ms_transfer_base64, "A", ""},
		{ms_transfer_base64, "", ""},
		{ms_transfer_quoted_printable, "a=3Db", "a=b"},
		{ms_transfer_quoted_printable, "47=\r\n11", "4711"},
		{ms_transfer_quoted_printable, "47=  \r\n11", "4711"},
		{ms_transfer_quoted_printable, "47=\n11", "4711"},
		{ms_transfer_quoted_printable, "100=ZZ", "100=ZZ"},
		{ms_transfer_quoted_printable, "end=", "end"},
		{ms_transfer_quoted_printable, "e=c", "e=c"},
		{ms_transfer_uudecode, "+24Y6+3$R,S0U-C<\n`\nend\n", "INV-1234567"},
		{ms_transfer_uudecode, "+24Y6+3$R,S0U-C<", "INV-1234567"},
		{ms_transfer_uudecode, "M", ""},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		gsize len = strlen(rows[i].input);
		char *input = exact_copy(rows[i].input, len);
		GByteArray *got = rows[i].decode((guint8 *)input, len);
		g_test_message("row %zu", i);
		g_assert_cmpmem(got->data, got->len, rows[i].want, strlen(rows[i].want));
		g_byte_array_unref(got);
		free(input);
	}
}

static void test_regex(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsRegex) regex = ms_regex_new("inv-(\\d+)", true, &error);
	g_assert_no_error(error);
	MsMatch match;
	const char *text = "x INV-12 inv-345";
	g_assert_cmpint(
		ms_regex_match(regex, text, strlen(text), 0, strlen(text), &match), ==, MS_MATCH);
	g_assert_cmpuint(match.group_start, ==, 6);
	g_assert_cmpuint(match.group_end, ==, 8);
	g_assert_cmpint(ms_regex_match(regex, text, strlen(text), 8, 8, &match), ==, MS_NO_MATCH);
	g_assert_cmpint(ms_regex_match(regex, text, strlen(text), 8, 9, &match), ==, MS_MATCH);
	g_assert_null(ms_regex_new("a(b", false, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_CONFIG);
	g_assert_nonnull(strstr(error->message, "character 4"));
}

/* A pattern that would take for ever gives up, and says so: not "no match". */
static void test_regex_limit(void)
{
	g_autoptr(MsRegex) regex = ms_regex_new("^(a+)+$", false, NULL);
	g_autofree char *text = g_strnfill(40, 'a');
	text[39] = 'b';
	MsMatch match;
	gint64 start = cpu_time();
	g_assert_cmpint(ms_regex_match(regex, text, 40, 0, 40, &match), ==, MS_MATCH_LIMIT);
	g_assert_cmpint(cpu_time() - start, <, 5 * G_USEC_PER_SEC);
}

static void test_glob(void)
{
	static const struct {
		const char *glob, *text;
		bool want;
	} rows[] = {
		{"*.pdf", "a.pdf", true},
		{"*.pdf", "apdf", false},
		{"a?c", "abc", true},
		{"@example.com", "x@example.com", false},
		{"*@example.com", "x@example.com", true},
		{"*@example.com", "x@example.com.evil", false},
		{"a+b", "aab", false},
		{"a+b", "a+b", true},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *pattern = ms_regex_from_glob(rows[i].glob);
		g_autoptr(MsRegex) regex = ms_regex_new(pattern, true, NULL);
		MsMatch match;
		gsize n = strlen(rows[i].text);
		bool got = ms_regex_match(regex, rows[i].text, n, 0, n, &match) == MS_MATCH;
		g_assert_cmpint(got, ==, rows[i].want);
	}
}

static void test_budget(void)
{
	MsLimits limits;
	ms_limits_default(&limits);
	limits.max[MS_COST_PART] = 3;
	limits.milliseconds = 0;
	MsBudget budget;
	ms_budget_init(&budget, &limits);
	g_assert_true(ms_budget_charge(&budget, MS_COST_PART, 2));
	g_assert_false(ms_budget_charge(&budget, MS_COST_PART, 2));
	g_assert_true(ms_budget_charge(&budget, MS_COST_PART, 1));
	g_assert_false(ms_budget_charge(&budget, MS_COST_TEXT, G_MAXUINT64));
	g_usleep(1000);
	bool late = false;
	for (int i = 0; i < 100; i++)
		late = late || !ms_budget_time(&budget);
	g_assert_true(late);
}

/* What is refused once is refused for good; what others compute costs nothing. */
static void test_budget_judging(void)
{
	MsLimits limits;
	MsBudget budget;
	ms_limits_judging(&limits);
	limits.max[MS_COST_STEP] = 10;
	ms_budget_init_judging(&budget, &limits);
	g_assert_true(ms_budget_step(&budget, 9));
	g_assert_false(ms_budget_step(&budget, 2));
	g_assert_false(ms_budget_step(&budget, 1));
	limits.max[MS_COST_STEP] = G_MAXUINT64;
	limits.milliseconds = 30;
	ms_budget_init_judging(&budget, &limits);
	g_usleep(60 * 1000);
	g_assert_true(ms_budget_step(&budget, 1 << 20));
	gint64 end = cpu_time() + 60 * 1000;
	while (cpu_time() < end)
		;
	g_assert_false(ms_budget_step(&budget, 1 << 20));
	g_assert_false(ms_budget_step(&budget, 1));
}

static void test_lock(void)
{
	g_autofree char *dir = scratch_folder();
	g_autofree char *path = g_build_filename(dir, "lock", NULL);
	int one = ms_io_open_lock(path), two = ms_io_open_lock(path);
	g_assert_true(ms_io_lock(one, LOCK_EX, 100));
	gint64 begun = g_get_monotonic_time();
	g_assert_false(ms_io_lock(two, LOCK_EX, 100));
	g_assert_false(ms_io_lock(two, LOCK_EX, 0));
	g_assert_cmpint(errno, ==, EWOULDBLOCK);
	g_assert_cmpint(g_get_monotonic_time() - begun, >=, 90 * 1000);
	close(one);
	g_assert_true(ms_io_lock(two, LOCK_EX, 100));
	/* Another file has its name now. */
	g_assert_true(ms_io_has_name(two, path));
	g_assert_no_errno(unlink(path));
	g_assert_false(ms_io_has_name(two, path));
	one = ms_io_open_lock(path);
	g_assert_false(ms_io_has_name(two, path));
	g_assert_true(ms_io_has_name(one, path));
	close(one);
	close(two);
	remove_folder(dir);
}

static void test_remove_folder(void)
{
	g_autofree char *dir = scratch_folder();
	g_autofree char *ours = g_build_filename(dir, "ours", NULL);
	g_autofree char *below = g_build_filename(ours, "a", "b", NULL);
	g_autofree char *link = g_build_filename(ours, "a", "link", NULL);
	g_autofree char *theirs = g_build_filename(dir, "theirs", NULL);
	g_autofree char *file = g_build_filename(theirs, "file", NULL);
	g_assert_no_errno(g_mkdir_with_parents(below, 0700));
	g_assert_no_errno(g_mkdir(theirs, 0700));
	g_assert_true(g_file_set_contents(file, "x", 1, NULL));
	g_assert_no_errno(symlink(theirs, link));
	ms_io_remove_folder(ours);
	g_assert_false(g_file_test(ours, G_FILE_TEST_EXISTS));
	g_assert_true(g_file_test(file, G_FILE_TEST_EXISTS));
	remove_folder(dir);
}

/* The digest of two pieces with a key for `purpose`. */
static void digest_of(const MsKey *key, const char *purpose, const char *a, const char *b,
	guint8 out[MS_DIGEST_BYTES])
{
	guint8 subkey[MS_DIGEST_BYTES];
	MsPiece pieces[] = {{a, strlen(a)}, {b, strlen(b)}};
	ms_key_subkey(key, purpose, subkey);
	ms_digest_pieces(subkey, pieces, 2, out);
}

static void test_digests(const MsKey *key, const MsKey *other)
{
	static const struct {
		const char *purpose, *a, *b;
		bool with_other, same;
	} rows[] = {
		{"values", "iban", "DE1", false, true},
		{"values", "ibanD", "E1", false, false},
		{"values", "", "ibanDE1", false, false},
		{"others", "iban", "DE1", false, false},
		{"values", "iban", "DE1", true, false},
	};
	guint8 first[MS_DIGEST_BYTES], again[MS_DIGEST_BYTES];
	digest_of(key, "values", "iban", "DE1", first);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		digest_of(rows[i].with_other ? other : key, rows[i].purpose, rows[i].a, rows[i].b,
			again);
		g_assert_cmpint(memcmp(first, again, sizeof first) == 0, ==, rows[i].same);
	}
}

static void test_key(void)
{
	g_autofree char *dir = scratch_folder();
	g_autofree char *path = g_build_filename(dir, "site.key", NULL);
	g_autofree char *other_path = g_build_filename(dir, "other.key", NULL);
	g_autoptr(GError) error = NULL;
	g_assert_true(ms_key_create(path, &error));
	g_assert_true(ms_key_create(other_path, &error));
	g_assert_false(ms_key_create(path, NULL)); /* never replaced */
	struct stat st;
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 0777, ==, 0400);
	g_autoptr(MsKey) key = ms_key_load(path, &error);
	g_autoptr(MsKey) other = ms_key_load(other_path, &error);
	g_assert_no_error(error);
	test_digests(key, other);
	g_autofree char *sealed = ms_key_seal(key, "AC-0001", 7);
	g_autofree char *again = ms_key_seal(key, "AC-0001", 7);
	gsize opened_len;
	g_autofree char *opened = (char *)ms_key_open(key, sealed, &opened_len);
	g_assert_cmpstr(sealed, ==, again);
	g_assert_cmpstr(opened, ==, "AC-0001");
	g_assert_null(strstr(sealed, "AC-0001"));
	g_assert_null(ms_key_open(other, sealed, &opened_len));
	g_assert_null(ms_key_open(key, "nonsense", &opened_len));
	g_assert_null(ms_key_open(key, "", &opened_len));
	sealed[3] = sealed[3] == 'A' ? 'B' : 'A';
	g_assert_null(ms_key_open(key, sealed, &opened_len));
	g_assert_cmpint(g_chmod(path, 0644), ==, 0);
	g_assert_null(ms_key_load(path, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_CONFIG);
	g_assert_nonnull(strstr(error->message, "chmod 0640"));
	g_clear_error(&error);
	g_assert_true(g_file_set_contents(other_path, "abc", -1, NULL));
	g_assert_cmpint(g_chmod(other_path, 0600), ==, 0);
	g_assert_null(ms_key_load(other_path, &error));
	g_assert_nonnull(strstr(error->message, "64 hexadecimal digits"));
	remove_folder(dir);
}

/* A date in mail is in English whatever the locale, and parses back to its second. */
/* All of it is digits, or nothing is taken. */
static void test_hex(void)
{
	static const struct {
		const char *text;
		bool want;
	} rows[] = {{"00fF7a", true}, {"00ff7", false}, {"00ff7a0", false}, {"00ff7a00", false},
		{"00ff7g", false}, {" 0ff7a", false}, {"00:f7a", false}, {"-0ff7a", false},
		{"", false}, {NULL, false}};
	guint8 got[3];
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (ms_unhex(rows[i].text, got, sizeof got) != rows[i].want)
			g_error("\"%s\": got %d, want %d", rows[i].text, !rows[i].want,
				rows[i].want);
	g_assert_true(ms_unhex(rows[0].text, got, sizeof got));
	g_assert_cmpmem(got, sizeof got, "\0\xff\x7a", 3);
	g_autofree char *back = ms_hex(got, sizeof got);
	g_assert_cmpstr(back, ==, "00ff7a");
}

static void test_mail_date(void)
{
	g_autofree char *text = ms_text_mail_date(G_GINT64_CONSTANT(1767225599) * G_USEC_PER_SEC);
	g_assert_true(g_regex_match_simple(
		"^(Wed|Thu), (31|01) (Dec|Jan) 202[56] \\d\\d:\\d\\d:59 [+-]\\d{4}$", text, 0, 0));
	int hour, minute, offset;
	g_assert_cmpint(sscanf(text + 17, "%d:%d:59 %d", &hour, &minute, &offset), ==, 3);
	int utc = hour * 60 + minute - (offset / 100 * 60 + offset % 100);
	g_assert_cmpint((utc + 2 * 24 * 60) % (24 * 60), ==, 23 * 60 + 59);
}

static void test_times(void)
{
	static const struct {
		const char *text;
		gint64 want; /* in UTC; -1: it is none */
	} rows[] = {{"2026-12-01", 1796083200000000}, {"2026-12-01 14:00", 1796133600000000},
		{"2026-12-01T14:00", 1796133600000000}, {"2026-12-01 14:00:07", 1796133607000000},
		{"2026-12-01T14:00Z", 1796133600000000}, {"2026-12-01T14:00:07.5Z", 1796133607500000},
		{"2026-12-01 15:00+01:00", 1796133600000000},
		{"2026-12-01T15:00:07+01", 1796133607000000}, {"20261201T140000Z", 1796133600000000},
		{"", -1}, {"T", -1}, {"14:00", -1}, {"2026-12", -1}, {"2026-13-01", -1},
		{"2026-12-01 ", -1}, {"2026-12-01 14", -1}, {"2026-12-01 14:0", -1},
		{"2026-12-01 25:00", -1}, {"2026-12-01 14:00 CET", -1}, {"yesterday", -1}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		gint64 got = -1;
		if (ms_text_take_time(rows[i].text, MS_ZONE_UTC, &got) != (rows[i].want >= 0) ||
			got != rows[i].want)
			g_error("\"%s\": got %" G_GINT64_FORMAT, rows[i].text, got);
	}
	const gint64 us = 1796133607500000, far = G_MAXINT64;
	gint64 back = 0;
	g_autofree char *utc = ms_text_time(us, MS_ZONE_UTC, MS_TIME_SECONDS),
			*local = ms_text_time(us, MS_ZONE_LOCAL, MS_TIME_SECONDS),
			*none = ms_text_time(far, MS_ZONE_LOCAL, MS_TIME_DAY);
	g_assert_cmpstr(utc, ==, "2026-12-01 14:00:07");
	g_assert_true(ms_text_take_time(local, MS_ZONE_LOCAL, &back));
	g_assert_cmpint(back, ==, us / G_USEC_PER_SEC * G_USEC_PER_SEC);
	g_assert_cmpstr(none, ==, "");
}

/* ---- scan ----------------------------------------------------------------------------- */

/* Each byte by itself, on a copy that ends where the text does. */
static void check_scan(const char *bytes, gsize len)
{
	g_autofree char *text = g_memdup2(bytes, MAX(len, 1));
	text = g_realloc(text, len + (len == 0));
	for (gsize at = 0; at <= len; at++) {
		gsize pair = at, figure = at, ascii = at, encoded = at, cell = at;
		while (pair + 1 < len && !(text[pair] == '=' && text[pair + 1] == '?'))
			pair++;
		while (figure < len && text[figure] >= 0 && !g_ascii_isdigit(text[figure]))
			figure++;
		while (ascii < len && text[ascii] > 0)
			ascii++;
		while (encoded < len && text[encoded] >= 0 &&
			memchr("&<=[\\]^_", text[encoded], 8) == NULL)
			encoded++;
		while (cell < len && memchr("\t\n\r|", text[cell], 5) == NULL)
			cell++;
		bool controls = false;
		for (gsize i = at; i < len; i++)
			controls = controls || text[i] == 0x7f ||
				(text[i] >= 0 && text[i] < ' ' &&
					(text[i] == '\0' || strchr("\t\n\v\f\r", text[i]) == NULL));
		g_assert_cmpuint(
			ms_scan_pair(text, len, at, "=?"), ==, pair + 1 < len ? pair : len);
		g_assert_cmpuint(ms_scan_figure(text, len, at), ==, figure);
		g_assert_cmpuint(ms_scan_encoded(text, len, at), ==, encoded);
		g_assert_cmpuint(ms_scan_cell(text, len, at), ==, cell);
		g_assert_cmpuint(ms_scan_ascii(text + at, len - at), ==, ascii - at);
		g_assert_true(ms_scan_controls(text + at, len - at) == controls);
		g_assert_true(ms_scan_utf8(text + at, len - at) ==
			g_utf8_validate_len(text + at, len - at, NULL));
	}
}

/* What is meant is rare in one half of the texts, so that whole steps have none of it. */
static void test_scan(void)
{
	static const char usual[] = "abc xyz\n", special[] = "=?=?&<[\\]^_|09\x7f\x1f\x0e\b\t\r/:\x80\xc3\xff\xbc";
	char text[80];
	for (guint round = 0; round < 4000; round++) {
		gsize len = (gsize)g_test_rand_int_range(0, sizeof text);
		for (gsize i = 0; i < len; i++)
			text[i] = g_test_rand_int_range(0, round % 2 ? 40 : 2) == 0
				? special[g_test_rand_int_range(0, sizeof special)]
				: usual[g_test_rand_int_range(0, sizeof usual - 1)];
		check_scan(text, len);
	}
	for (int byte = 0; byte < 256; byte++)
		for (gsize at = 0; at < 35; at++) {
			memset(text, 'a', 35);
			text[at] = (char)byte;
			check_scan(text, 35);
		}
	static const char *const rows[] = {"M\xc3\xbcller", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
		"\xf0\x9f\x92\xb6", "\xe2\x82", "abcdefghijklmnopqrstuvwxyz\xe2\x82\xac", NULL};
	for (gsize i = 0; rows[i] != NULL; i++)
		check_scan(rows[i], strlen(rows[i]));
}

static void make_one(int out, int with)
{
	MsScratch *scratch = ms_io_scratch("missent-test-scratch", NULL);
	const char *path = ms_io_scratch_path(scratch);
	g_autofree char *file = g_build_filename(path, "clear", NULL);
	g_assert_true(g_file_set_contents(file, "KD-1", -1, NULL));
	g_assert_cmpint(write(out, path, strlen(path) + 1), ==, (ssize_t)strlen(path) + 1);
	if (with == 0)
		ms_io_scratch_end(scratch);
	else
		raise(with);
	_exit(0);
}

/* A folder for what stands in clear is gone with who made it, however he ends. */
static void test_scratch(void)
{
	static const int ends[] = {0, SIGINT, SIGTERM, SIGKILL, SIGHUP};
	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
		int fds[2], tries = 500;
		char path[256] = "";
		g_assert_cmpint(pipe(fds), ==, 0);
		pid_t pid = fork();
		if (pid == 0)
			make_one(fds[1], ends[i]);
		close(fds[1]);
		g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
		g_assert_cmpint(read(fds[0], path, sizeof path - 1), >, 1);
		close(fds[0]);
		while (g_file_test(path, G_FILE_TEST_EXISTS) && --tries > 0)
			g_usleep(20000);
		if (tries == 0)
			g_error("%s is there after the end by signal %d", path, ends[i]);
	}
	g_autoptr(MsScratch) scratch = ms_io_scratch("missent-test-scratch", NULL);
	struct stat st;
	g_assert_cmpint(stat(ms_io_scratch_path(scratch), &st), ==, 0);
	g_assert_cmpint(st.st_mode & 0777, ==, 0700);
}

/* Whatever names are: they come back as they went in, and as many more. */
static void test_list(void)
{
	static const struct {
		const char *names[4];
		guint more;
		const char *want;
	} rows[] = {
		{{NULL}, 0, ""},
		{{"A"}, 0, "A"},
		{{"A", "B"}, 0, "A, B"},
		{{"A", "B"}, 7, "A, B and 7 more"},
		{{"Meyer, Hans"}, 0, "\"Meyer, Hans\""},
		{{"Meyer, Hans", "Hans"}, 1, "\"Meyer, Hans\", Hans and 1 more"},
		{{"A,B", "A ,B,"}, 0, "\"A,B\", \"A ,B,\""},
		{{"Zur \"Post\"", "\"", "\", \""}, 2,
			"\"Zur \"\"Post\"\"\", \"\"\"\", \"\"\", \"\"\" and 2 more"},
		{{"Meyer and 3 more"}, 0, "\"Meyer and 3 more\""},
		{{"Meyer and Sons", "Mehr and more"}, 12, "Meyer and Sons, \"Mehr and more\" and 12 more"},
		{{" and 3 more", "and", " "}, 0, "\" and 3 more\", and,  "},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GPtrArray) names = g_ptr_array_new();
		for (gsize k = 0; rows[i].names[k] != NULL; k++)
			g_ptr_array_add(names, (char *)rows[i].names[k]);
		guint more;
		g_autofree char *list = ms_text_list(names, names->len + rows[i].more);
		g_auto(GStrv) apart = ms_text_list_apart(list, &more);
		g_assert_cmpstr(list, ==, rows[i].want);
		g_assert_cmpstrv(apart, rows[i].names);
		g_assert_cmpuint(more, ==, rows[i].more);
	}
	/* Of a record that was written before names were quoted, or by nobody of ours. */
	static const struct {
		const char *list, *names[4];
		guint more;
	} found[] = {
		{"Zur \"Post\", B", {"Zur \"Post\"", "B"}, 0},
		{"\"Zur Post\" GmbH, B", {"\"Zur Post\" GmbH", "B"}, 0},
		{"\"open, B and 2 more", {"\"open", "B"}, 2},
		{"A, ", {"A"}, 0},
		{"A and 99999999999999 more", {"A and 99999999999999 more"}, 0},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(found); i++) {
		guint more;
		g_auto(GStrv) apart = ms_text_list_apart(found[i].list, &more);
		g_assert_cmpstrv(apart, found[i].names);
		g_assert_cmpuint(more, ==, found[i].more);
	}
}

/* What the host lacks for now is no mistake in the settings, whatever could not be had. */
static void test_want(void)
{
	static const struct {
		int system;
		int code;
	} systems[] = {{EMFILE, MS_ERROR_RETRY}, {ENFILE, MS_ERROR_RETRY}, {ENOMEM, MS_ERROR_RETRY},
		{ENOSPC, MS_ERROR_RETRY}, {EDQUOT, MS_ERROR_RETRY}, {EIO, MS_ERROR_RETRY},
		{EAGAIN, MS_ERROR_RETRY}, {ENOENT, MS_ERROR_CONFIG}, {EACCES, MS_ERROR_CONFIG},
		{ENOTDIR, MS_ERROR_CONFIG}, {ELOOP, MS_ERROR_CONFIG},
		/* a disk that met an error, a server of files that is away */
		{EROFS, MS_ERROR_RETRY}, {ESTALE, MS_ERROR_RETRY}, {ETIMEDOUT, MS_ERROR_RETRY},
		{ENOTCONN, MS_ERROR_RETRY}};
	for (gsize i = 0; i < G_N_ELEMENTS(systems); i++) {
		g_autoptr(GError) error = NULL;
		g_assert_false(ms_io_fail(&error, "/a", systems[i].system));
		g_assert_error(error, MS_ERROR, systems[i].code);
		g_assert_true(g_str_has_prefix(error->message, "/a: "));
	}
	/* ... a folder with no descriptor left */
	struct rlimit before, none = {3, 3};
	g_autoptr(GError) lacking = NULL, missing = NULL;
	g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &before), ==, 0);
	none.rlim_max = before.rlim_max;
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &none), ==, 0);
	g_assert_null(ms_io_open_folder("/", &lacking));
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
	g_assert_error(lacking, MS_ERROR, MS_ERROR_RETRY);
	g_assert_null(ms_io_open_folder("/nonexistent", &missing));
	g_assert_error(missing, MS_ERROR, MS_ERROR_CONFIG);
}

/* One that is there, with and without what is asked for, and one that is not. */
static void test_late(void)
{
	static const struct {
		const char *file, *name, *want;
	} rows[] = {
		{"libz.so.1", "zlibVersion", NULL},
		{"libz.so.1", "zlibVersionOfMissent", "zlibVersionOfMissent"},
		{"libmissent-none.so.1", "zlibVersion", "libmissent-none.so.1"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *names[] = {"zlibCompileFlags", rows[i].name, NULL};
		MsLateFunction functions[2] = {NULL, NULL};
		g_autofree char *why = NULL;
		bool there = ms_late_load(rows[i].file, names, functions, &why);
		g_assert_cmpint(there, ==, rows[i].want == NULL);
		if (there)
			g_assert_cmpstr(((const char *(*)(void))functions[1])(), >, "1.");
		else
			g_assert_nonnull(strstr(why, rows[i].want));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/base/hex", test_hex);
	g_test_add_func("/base/text/escape", test_escape);
	g_test_add_func("/base/text/repair", test_repair);
	g_test_add_func("/base/text/repair-anything", test_repair_anything);
	g_test_add_func("/base/text/fold", test_fold);
	g_test_add_func("/base/text/fold-map", test_fold_map);
	g_test_add_func("/base/text/nearest", test_nearest);
	g_test_add_func("/base/text/cell", test_cell);
	g_test_add_func("/base/text/words", test_words);
	g_test_add_func("/base/text/list", test_list);
	g_test_add_func("/text/words-twice", test_words_twice);
	g_test_add_func("/base/transfer", test_transfer);
	g_test_add_func("/base/regex/match", test_regex);
	g_test_add_func("/base/regex/limit", test_regex_limit);
	g_test_add_func("/base/regex/glob", test_glob);
	g_test_add_func("/base/budget", test_budget);
	g_test_add_func("/base/budget/judging", test_budget_judging);
	g_test_add_func("/base/lock", test_lock);
	g_test_add_func("/base/remove-folder", test_remove_folder);
	g_test_add_func("/base/key", test_key);
	g_test_add_func("/base/text/mail-date", test_mail_date);
	g_test_add_func("/base/text/times", test_times);
	g_test_add_func("/base/scan", test_scan);
	g_test_add_func("/base/io/want", test_want);
	g_test_add_func("/base/scratch", test_scratch);
	g_test_add_func("/base/late", test_late);
	return g_test_run();
}
