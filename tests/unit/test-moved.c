/*
 * What has another account than in the mapping in use is told, and too much of it is refused; an
 * account that moves as a whole is not taken for that.  Each row makes a mapping of N customers,
 * changes it as an accident or a life would, and imports it over the first.
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/directory.h"

#include "../../milter/directory/directory_private.h"
#include "../redis.h"
#include "../test.h"

#define N 100

static MsKinds *kinds;
static char *dir;
static char *redis_address; /* NULL: no redis-server here */

/* Of each row of a spreadsheet whose customer has which account, number, ... */
enum { ACCOUNT, NUMBER, CONTRACT, MAIL, RESELLER, COLUMNS };
typedef struct {
	guint n;
	guint cells[2 * N][COLUMNS];
	guint accounts; /* the first account has this number: other names */
	bool exchanged; /* the columns of two kinds */
	GString *more;  /* lines behind */
} Sheet;

static Sheet *sheet_new(guint n)
{
	Sheet *sheet = g_new0(Sheet, 1);
	sheet->n = n;
	sheet->more = g_string_new(NULL);
	for (guint i = 0; i < n; i++)
		for (guint k = 0; k < COLUMNS; k++)
			sheet->cells[i][k] = i;
	return sheet;
}

static char *sheet_free(Sheet *sheet)
{
	static const char *const two[] = {"customer-number", "contract-number"};
	GString *out = g_string_new("account,kind,value\n");
	for (guint i = 0; i < sheet->n; i++) {
		const guint *c = sheet->cells[i];
		guint account = c[ACCOUNT] + sheet->accounts;
		g_string_append_printf(out, "A-%05u,%s,C-%06u\nA-%05u,%s,VT-%06u\n", account,
			two[sheet->exchanged], c[NUMBER], account, two[!sheet->exchanged],
			c[CONTRACT]);
		g_string_append_printf(out,
			"A-%05u,recipient,user%u@a%u.example\nR-%03u,receives-for,A-%05u\n",
			account, c[MAIL], c[MAIL], c[RESELLER] / 5, account);
	}
	g_string_append(out, sheet->more->str);
	g_string_free(sheet->more, TRUE);
	g_free(sheet);
	return g_string_free(out, FALSE);
}

/* ---- what happens to a sheet ---------------------------------------------------------- */

static void slip(Sheet *s, guint from, guint until, guint column)
{
	guint last = s->cells[until - 1][column];
	for (guint i = until - 1; i > from; i--)
		s->cells[i][column] = s->cells[i - 1][column];
	s->cells[from][column] = last;
}

static void nothing(Sheet *s)
{
	(void)s;
}

static void grown(Sheet *s)
{
	for (; s->n < N + N / 3; s->n++)
		for (guint k = 0; k < COLUMNS; k++)
			s->cells[s->n][k] = s->n;
}

static void slipped_mail(Sheet *s)
{
	slip(s, 0, s->n, MAIL);
}

static void slipped_number(Sheet *s)
{
	slip(s, 0, s->n, NUMBER);
}

static void slipped_account(Sheet *s)
{
	slip(s, 0, s->n, ACCOUNT);
}

static void slipped_half(Sheet *s)
{
	slip(s, s->n / 2, s->n, MAIL);
}

static void slipped_some(Sheet *s)
{
	slip(s, 10, 16, MAIL);
}

static void slipped_few(Sheet *s)
{
	slip(s, 10, 15, MAIL);
}

static void slipped_and_grown(Sheet *s)
{
	slip(s, 0, s->n, CONTRACT);
	grown(s);
}

static void slipped_reseller(Sheet *s)
{
	for (guint i = 0; i < 5; i++)
		slip(s, 0, s->n, RESELLER);
}

static void sorted_alone(Sheet *s)
{
	for (guint i = 0; i < s->n / 2; i++) { /* the other way round */
		guint kept = s->cells[i][CONTRACT];
		s->cells[i][CONTRACT] = s->cells[s->n - 1 - i][CONTRACT];
		s->cells[s->n - 1 - i][CONTRACT] = kept;
	}
}

static void one_given_away(Sheet *s)
{
	s->cells[3][NUMBER] = 7;
	s->cells[7][NUMBER] = 9000;
}

static void renamed(Sheet *s)
{
	s->accounts = 50000;
}

static void renamed_and_given_away(Sheet *s)
{
	renamed(s);
	one_given_away(s);
}

static void renamed_and_slipped(Sheet *s)
{
	renamed(s);
	slip(s, 0, s->n, MAIL);
}

static void renamed_and_sorted(Sheet *s)
{
	renamed(s);
	sorted_alone(s);
	slip(s, 0, s->n, MAIL);
}

static void names_exchanged(Sheet *s)
{
	slip(s, 0, s->n, ACCOUNT);
	for (guint i = 0; i < s->n; i++) /* so that all of an account goes with it */
		s->cells[i][RESELLER] = s->cells[i][ACCOUNT];
}

static void merged(Sheet *s)
{
	s->cells[4][ACCOUNT] = 5;
}

/* As if somebody had typed the name of the house. */
static void one_for_the_house(Sheet *s)
{
	g_string_append(
		s->more, "house,recipient,user8@a8.example\nhouse,customer-number,C-000008\n");
}

static void all_merged(Sheet *s)
{
	for (guint i = 0; i < s->n; i++)
		s->cells[i][ACCOUNT] = 1;
}

static void merged_by_rounding(Sheet *s)
{
	for (guint i = 0; i < s->n; i++)
		s->cells[i][ACCOUNT] -= s->cells[i][ACCOUNT] % 10;
}

static void split(Sheet *s)
{
	for (guint i = 10; i < 40; i++)
		g_string_append_printf(s->more,
			"B-%05u,customer-number,C-%06u\nB-%05u,recipient,u%u@b.example\n", i, i, i,
			i);
	for (guint i = 10; i < 40; i++)
		s->cells[i][NUMBER] = 70000 + i;
}

static void kinds_exchanged(Sheet *s)
{
	s->exchanged = true;
}

static void joined_wrongly(Sheet *s)
{
	for (guint i = 0; i < s->n; i++)
		g_string_append_printf(
			s->more, "A-%05u,recipient,user%u@a%u.example\n", (i + 1) % s->n, i, i);
}

static void new_colleagues(Sheet *s)
{
	for (guint i = 0; i < 9; i++)
		g_string_append_printf(
			s->more, "A-%05u,recipient,user%u@a%u.example\n", i + 1, i, i);
}

/* An accountant has the mail of ten customers each. */
static void add_accountants(Sheet *s)
{
	for (guint i = 0; i < N; i++)
		g_string_append_printf(
			s->more, "A-%05u,recipient,desk@tax%u.example\n", i + s->accounts, i / 10);
}

static void accountants(Sheet *s)
{
	add_accountants(s);
}

static void accountants_renamed(Sheet *s)
{
	renamed(s);
	add_accountants(s);
}

/* Ten of them have some customers of their neighbours. */
static void accountants_slipped(Sheet *s)
{
	for (guint i = 0; i < N; i++)
		g_string_append_printf(
			s->more, "A-%05u,recipient,desk@tax%u.example\n", i, (i + 3) % N / 10);
}

/* A value of more accounts than are looked at one by one. */
static void placeholder(Sheet *s)
{
	for (guint i = 0; i < N; i++)
		g_string_append_printf(
			s->more, "A-%05u,recipient,none@nowhere.example\n", i + s->accounts);
}

static void placeholder_renamed(Sheet *s)
{
	renamed(s);
	placeholder(s);
}

typedef void (*Happening)(Sheet *sheet);

static const struct {
	const char *name;
	Happening first, then;
	const char *refused; /* a piece of the error; NULL: it is taken */
	const char *told[3]; /* pieces of the line, or warnings */
} rows[] = {
	{"the same again", nothing, nothing, NULL,
		{"400 as before, 0 new, 0 gone, moved to accounts of others: 0; accounts: 0 new, 0 gone"}},
	{"growth", nothing, grown, NULL, {"400 as before, 132 new, 0 gone", "others: 0;"}},
	{"decrease", grown, nothing, NULL, {"400 as before, 0 new, 132 gone", "others: 0;"}},
	{"recipients slipped by a row", nothing, slipped_mail,
		"recipient: 100 of 100 would move to accounts of others, more than 2 % (--max-moved",
		{"others: 100 (recipient 100)",
			"100 recipients may receive for accounts that they could not",
			"in.csv:4: the recipient here is another account's (*****99) in the mapping in use"}},
	{"numbers slipped", nothing, slipped_number, "customer-number: 100 of 100",
		{"(customer-number 100)"}},
	{"the column of accounts slipped", nothing, slipped_account, "recipient: 100 of 100",
		{"recipient 100", "customer-number 100, contract-number 100",
			"; accounts: 0 new, 0 gone"}},
	{"half of the file", nothing, slipped_half, "recipient: 50 of 100", {"(recipient 50)"}},
	{"six of a hundred", nothing, slipped_some, "recipient: 6 of 100", {"(recipient 6)"}},
	{"five", nothing, slipped_few, NULL, {"(recipient 5)"}},
	{"slipped, and new customers", nothing, slipped_and_grown, "contract-number: 100 of 100",
		{"132 new"}},
	{"who receives for others", nothing, slipped_reseller, "receives-for: 100 of 100",
		{"(receives-for 100)"}},
	{"one kind sorted by itself", nothing, sorted_alone, "contract-number: 100 of 100",
		{"(contract-number 100)"}},
	{"a number of another customer", nothing, one_given_away, NULL,
		{"1 new, 1 gone, moved to accounts of others: 1 (customer-number 1)"}},
	{"other names of all accounts", nothing, renamed, NULL,
		{"others: 0;", "100 accounts renamed with 300", "accounts: 0 new, 0 gone"}},
	{"... and a number of another", nothing, renamed_and_given_away, NULL,
		{"others: 1 (customer-number 1)", "100 accounts renamed with 298"}},
	{"... and slipped recipients", nothing, renamed_and_slipped, "recipient: 100 of 100",
		{"100 accounts renamed with 200", "others: 100 (recipient 100)"}},
	{"... and two columns sorted", nothing, renamed_and_sorted, "customer-number: 100 of 100",
		{NULL}},
	{"names of each other", nothing, names_exchanged, "recipient: 100 of 100",
		{"others: 300 ("}},
	{"a merger", nothing, merged, NULL,
		{"others: 0;", "1 account merged into others with 3",
			"1 recipient may receive for"}},
	{"a customer's becomes the house's", nothing, one_for_the_house, NULL,
		{"2 at a further account", "warning: 2 that were customers' would be your own"}},
	{"all accounts are one", nothing, all_merged,
		"accounts: 99 of 120 would be merged into others",
		{"99 accounts merged into others with 297"}},
	{"numbers of accounts rounded", nothing, merged_by_rounding,
		"accounts: 90 of 120 would be merged", {"90 accounts merged"}},
	{"split", nothing, split, NULL, {"others: 0;", "30 accounts split with 30"}},
	{"columns of two kinds", nothing, kinds_exchanged, NULL,
		{"warning: no customer-number is as before, all 100 are new",
			"warning: no contract-number is as before"}},
	{"a wrong join", nothing, joined_wrongly,
		"recipient: 100 of 100 would come to a further account",
		{"100 at a further account", "100 recipients may receive for"}},
	{"nine more who receive", nothing, new_colleagues, NULL, {"9 at a further account"}},
	{"values of ten accounts", accountants, accountants, NULL, {"500 as before", "others: 0;"}},
	{"... renamed", accountants, accountants_renamed, NULL,
		{"others: 0;", "100 accounts renamed with 400"}},
	{"... slipped", accountants, accountants_slipped, "recipient: 30 of 200",
		{"(recipient 30)"}},
	{"a value of all accounts, renamed", placeholder, placeholder_renamed, NULL,
		{"others: 0;", "100 accounts renamed with 300", "100 as before"}},
};

/* ---- importing ------------------------------------------------------------------------ */

static MsDirectory *open_directory(MsBackendType backend, bool digests, const char *name)
{
	g_autofree char *file = g_strdup_printf("%s/%s.db", dir, name);
	g_autofree char *key = g_build_filename(dir, "site.key", NULL);
	const MsDirectorySettings settings = {
		.backend = backend,
		.sqlite = file,
		.redis = {.address = redis_address,
			.timeout_ms = 5000,
			.connections = 4,
			.refuse_eviction = true},
		.redis_prefix = name,
		.key_file = key,
		.digests = digests,
		.house = "house",
		.tag_separators = "+",
	};
	g_autoptr(GError) error = NULL;
	MsDirectory *directory = ms_directory_open(&settings, kinds, &error);
	g_assert_no_error(error);
	return directory;
}

static void on_compared(const char *text, void *user)
{
	g_string_append_printf(user, "%s\n", text);
}

static void on_example(guint64 line, const char *text, void *user)
{
	g_string_append_printf(user, "in.csv:%" G_GUINT64_FORMAT ": %s\n", line, text);
}

static void on_warning(guint64 line, const char *text, void *user)
{
	g_string_append_printf(user, ":%" G_GUINT64_FORMAT ": warning: %s\n", line, text);
}

static bool import(MsDirectory *directory, const char *text, MsImportOptions options, GString *told,
	GError **error)
{
	g_autofree char *path = g_build_filename(dir, "in.csv", NULL);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	int fd = open(path, O_RDONLY);
	MsImportResult result;
	options.max_shrink = 1;
	options.source = "in.csv";
	options.compared = on_compared;
	options.example = on_example;
	options.note = on_compared;
	options.warn = on_warning;
	options.user = told;
	bool fine = ms_directory_import(directory, fd, &options, &result, error);
	g_assert_true(!fine || options.accept_moved || !result.accepted);
	close(fd);
	return fine;
}

static char *generation(MsDirectory *directory)
{
	MsDirectoryState state = {0};
	g_assert_cmpint(ms_directory_state(directory, &state, NULL), ==, MS_FOUND);
	char *name = g_strdup(state.generation);
	ms_directory_state_clear(&state);
	return name;
}

static char *rows_of(Happening happening)
{
	Sheet *sheet = sheet_new(N);
	happening(sheet);
	return sheet_free(sheet);
}

static void check_told(gsize i, const char *told)
{
	for (gsize k = 0; k < G_N_ELEMENTS(rows[i].told) && rows[i].told[k] != NULL; k++)
		if (strstr(told, rows[i].told[k]) == NULL)
			g_error("%s: got \"%s\", want \"%s\"", rows[i].name, told, rows[i].told[k]);
}

/* What is refused changes nothing, tried or done; what is accepted, or has no limit, is taken. */
static void check_row(MsBackendType backend, bool digests, gsize i)
{
	static guint count;
	g_autofree char *name = g_strdup_printf("m%u", count++);
	g_autoptr(MsDirectory) directory = open_directory(backend, digests, name);
	g_autofree char *first = rows_of(rows[i].first), *then = rows_of(rows[i].then);
	g_autoptr(GString) told = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	import(directory, first, (MsImportOptions){0}, told, &error);
	g_assert_no_error(error);
	g_assert_null(strstr(told->str, "moved to"));
	g_autofree char *before = generation(directory);
	for (int trial = 1; trial >= 0; trial--) {
		g_clear_error(&error);
		g_string_truncate(told, 0);
		bool fine = import(directory, then,
			(MsImportOptions){.max_moved = 0.02, .dry_run = trial}, told, &error);
		if (fine != (rows[i].refused == NULL) ||
			(!fine && strstr(error->message, rows[i].refused) == NULL))
			g_error("%s: got %s, %s", rows[i].name, fine ? "taken" : error->message,
				told->str);
		check_told(i, told->str);
		g_autofree char *after = generation(directory);
		g_assert_cmpint(strcmp(before, after) == 0, ==, trial || !fine);
	}
	if (rows[i].refused == NULL)
		return;
	g_clear_error(&error);
	bool any = i % 2 == 0;
	import(directory, then,
		(MsImportOptions){.max_moved = any ? 1 : 0.02, .accept_moved = !any}, told, &error);
	g_assert_no_error(error);
	g_autofree char *after = generation(directory);
	g_assert_cmpstr(before, !=, after);
}

static void test_sqlite(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		check_row(MS_BACKEND_SQLITE, i % 3 != 0, i);
}

static void test_redis(void)
{
	if (redis_address == NULL) {
		g_test_skip("no redis-server");
		return;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		check_row(MS_BACKEND_REDIS, i % 3 != 1, i);
}

/* One of another program, or of a few customers, may have other numbers of slices. */
static void test_sizes(void)
{
	g_autofree char *one = rows_of(grown);
	const char *few =
		"account,kind,value\nA-00000,customer-number,C-000000\nA-00000,recipient,user0@a0.example\n";
	g_autoptr(MsDirectory) directory = open_directory(MS_BACKEND_SQLITE, true, "sizes");
	g_autoptr(GString) told = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	import(directory, few, (MsImportOptions){0}, told, &error);
	import(directory, one, (MsImportOptions){0}, told, &error);
	g_assert_nonnull(strstr(told->str,
		"2 as before, 530 new, 0 gone, moved to accounts of others: 0; accounts: 159 new, 0 gone"));
	import(directory, few, (MsImportOptions){0}, told, &error);
	g_assert_nonnull(strstr(told->str,
		"2 as before, 0 new, 530 gone, moved to accounts of others: 0; accounts: 0 new, 159 gone"));
	g_assert_no_error(error);
}

/* A mapping that is not whole is mended by an import, which says that it could not look. */
static void test_damaged(void)
{
	g_autofree char *then = rows_of(slipped_mail), *first = rows_of(nothing);
	g_autoptr(MsDirectory) directory = open_directory(MS_BACKEND_SQLITE, true, "damaged");
	g_autoptr(GString) told = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	import(directory, first, (MsImportOptions){0}, told, &error);
	g_autoptr(MsMapping) mapping = ms_directory_in_use(directory, false, NULL, &error);
	g_assert_no_error(error);
	MsView view;
	ms_view_init(&view);
	MsPartId id = MS_PART(MS_PART_SLICE, 3);
	MsBackend *backend = directory->backend;
	g_assert_cmpint(backend->ops->fetch(backend, mapping->generation, &id, 1, &view, NULL), ==,
		MS_FOUND);
	g_autoptr(GBytes) bad = g_bytes_new_static("nothing of a slice", 18);
	bool swapped;
	g_assert_cmpint(
		backend->ops->swap(backend, &view, view.state, &id, &bad, 1, &swapped, NULL), ==,
		MS_FOUND);
	g_assert_true(swapped);
	ms_view_clear(&view);
	g_string_truncate(told, 0);
	import(directory, then, (MsImportOptions){0}, told, &error);
	g_assert_no_error(error);
	g_assert_nonnull(strstr(told->str,
		"what has moved is not known: directory: part s:3 of the mapping is damaged"));
}

/* Without an earlier mapping: names and addresses say whose they are. */
static char *people(guint n, guint names, guint mails, guint from)
{
	static const char *const first[] = {"anna", "berta", "carl", "dora", "emil", "frieda",
		"gustav", "hanna", "ingo", "jana", "karl", "lena"};
	static const char *const last[] = {"weber", "schmidt", "maier", "huber", "vogel", "kurz",
		"lange", "braun", "roth", "stein", "berg", "winter", "sommer"};
	GString *out = g_string_new("account,kind,value\n");
	for (guint i = 0; i < n; i++) {
		guint name = i < from ? i : i + names, mail = i < from ? i : i + mails;
		g_string_append_printf(out,
			"%u,customer-number,C-%06u\n%u,greeted-as,%s %s\n%u,recipient,%s.%s@gmail.com\n",
			10000 + i, i, 10000 + i, first[name % 12], last[name % 13], 10000 + i,
			first[mail % 12], last[mail % 13]);
	}
	return g_string_free(out, FALSE);
}

static void test_first(void)
{
	static const struct {
		const char *name;
		guint n, names, mails, from;
		const char *told; /* NULL: nothing */
	} first[] = {
		{"as they belong", 150, 0, 0, 0, NULL},
		{"names slipped", 150, 1, 0, 0,
			":2: warning: from here on the greeted-as of 63 of 64 accounts goes with the recipient of the next"},
		{"addresses slipped", 150, 0, 1, 0, "from here on the recipient of 63 of 64"},
		{"from the middle on", 150, 0, 1, 75,
			":194: warning: from here on the recipient of 52 of 64"},
		{"a few", 30, 0, 1, 0, "of 29 of 30"},
		{"too few", 12, 0, 1, 0, NULL},
		{"nothing goes together", 150, 0, 5, 0, NULL},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(first); i++) {
		g_autofree char *name = g_strdup_printf("first%zu", i);
		g_autofree char *text = people(
			first[i].n, first[i].names, first[i].mails, first[i].from);
		g_autoptr(MsDirectory) directory = open_directory(MS_BACKEND_SQLITE, true, name);
		g_autoptr(GString) told = g_string_new(NULL);
		g_autoptr(GError) error = NULL;
		import(directory, text, (MsImportOptions){0}, told, &error);
		g_assert_no_error(error);
		if (first[i].told != NULL ? strstr(told->str, first[i].told) == NULL
					  : strstr(told->str, "slip") != NULL)
			g_error("%s: got \"%s\"", first[i].name, told->str);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	signal(SIGPIPE, SIG_IGN);
	g_autofree char *text = read_source("policies/kinds.conf");
	kinds = ms_kinds_parse("kinds.conf", text, NULL);
	g_assert_nonnull(kinds);
	dir = scratch_folder();
	g_autofree char *key = g_build_filename(dir, "site.key", NULL);
	g_assert_true(g_file_set_contents(
		key, "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100", -1, NULL));
	g_assert_cmpint(g_chmod(key, 0640), ==, 0);
	GPid redis = start_redis(dir, &redis_address);
	g_test_add_func("/moved/sqlite", test_sqlite);
	g_test_add_func("/moved/redis", test_redis);
	g_test_add_func("/moved/sizes", test_sizes);
	g_test_add_func("/moved/damaged", test_damaged);
	g_test_add_func("/moved/first", test_first);
	int rc = g_test_run();
	stop_redis(redis);
	remove_folder(dir);
	ms_kinds_unref(kinds);
	g_free(redis_address);
	return rc;
}
