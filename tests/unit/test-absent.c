/*
 * What is not asked for, because it is certainly not there: never anything that is.  Each row asks
 * a mapping whose names were read, and one that reads none, and wants the same answers; between
 * the two, whatever may change a mapping changes it.
 */
#include "config.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "milter/directory/directory_private.h"

#include "../redis.h"
#include "../test.h"

#define ROWS 12000 /* some groups of slices */

static MsKinds *kinds, *other_kinds;
static char *dir, *redis_address;

static const char kinds_text[] =
	"kind \"customer-number\" { pattern = {'C-[0-9]{4,9}'} }\n"
	"kind \"invoice-number\" { pattern = {'R-[0-9]{4,9}'} }\n"
	"kind \"email\" { pattern = {'[a-z0-9]+@[a-z.]+'}\ncanonical = email }\n";

static MsDirectory *open_with(bool on_redis, MsKinds *with)
{
	g_autofree char *key = g_build_filename(dir, "site.key", NULL);
	g_autofree char *file = g_build_filename(dir, "d.db", NULL);
	const MsDirectorySettings settings = {
		.backend = on_redis ? MS_BACKEND_REDIS : MS_BACKEND_SQLITE,
		.sqlite = file,
		.redis = {.address = redis_address, .timeout_ms = 5000, .connections = 2},
		.redis_prefix = "absent",
		.key_file = key,
		.digests = true,
		.house = "house",
		.tag_separators = "+",
	};
	g_autoptr(GError) error = NULL;
	MsDirectory *directory = ms_directory_open(&settings, with, &error);
	g_assert_no_error(error);
	return directory;
}

static void load(MsDirectory *directory, guint first, guint n)
{
	g_autofree char *path = g_build_filename(dir, "in.csv", NULL);
	g_autoptr(GString) text = g_string_new("account,kind,value\n");
	for (guint i = first; i < first + n; i++)
		g_string_append_printf(text,
			"AC-%u,%s,%s%u%s\n", i / 3, i % 3 == 0 ? "recipient" : "customer-number",
			i % 3 == 0 ? "user" : "C-", 100000 + i, i % 3 == 0 ? "@site.example" : "");
	g_assert_true(g_file_set_contents(path, text->str, (gssize)text->len, NULL));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const MsImportOptions options = {.max_shrink = 1, .source = "in.csv"};
	MsImportResult result;
	g_autoptr(GError) error = NULL;
	g_assert_true(ms_directory_import(directory, fd, &options, &result, &error));
	g_assert_no_error(error);
	close(fd);
}

/* ---- what the backend is asked --------------------------------------------------------- */

static struct {
	MsBackendOps ops;
	const MsBackendOps *real;
	gsize wanted, looks, fetches;
	void (*before_look)(void);
} seen;

static MsAnswer look(
	MsBackend *backend, const MsWanted *wanted, gsize n, MsView *out, GError **error)
{
	void (*first)(void) = seen.before_look;
	seen.before_look = NULL;
	if (first != NULL)
		first();
	seen.wanted += n;
	seen.looks++;
	return seen.real->look(backend, wanted, n, out, error);
}

static MsAnswer fetch(MsBackend *backend, const char *generation, const MsPartId *ids, gsize n,
	MsView *out, GError **error)
{
	seen.fetches++;
	return seen.real->fetch(backend, generation, ids, n, out, error);
}

static void watch(MsDirectory *directory)
{
	seen.real = directory->backend->ops;
	seen.ops = *seen.real;
	seen.ops.look = look;
	seen.ops.fetch = fetch;
	directory->backend->ops = &seen.ops;
	seen.wanted = seen.looks = seen.fetches = 0;
}

/* ---- asking ---------------------------------------------------------------------------- */

/* "own", "other" or "unknown", of each number to one recipient, in letters. */
static char *ask(MsDirectory *directory, guint first, guint n, const char *recipient)
{
	g_autoptr(GPtrArray) list =
		g_ptr_array_new_with_free_func((GDestroyNotify)ms_identifier_free);
	for (guint i = first; i < first + n; i++) {
		const char *why;
		g_autofree char *text = g_strdup_printf("C-%u", 100000 + i);
		g_autofree char *value = ms_kind_canonical(
			ms_kinds_find(kinds, "customer-number"), text, strlen(text), &why);
		g_assert_nonnull(value);
		g_ptr_array_add(list, ms_identifier_new("customer-number", value));
	}
	g_autoptr(MsResolution) resolution = NULL;
	g_autoptr(GError) error = NULL;
	MsAnswer answer = ms_directory_resolve(directory,
		(const MsIdentifier *const *)list->pdata, list->len, &recipient, 1, &resolution,
		&error);
	g_assert_no_error(error);
	g_assert_cmpint(answer, ==, MS_FOUND);
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < n; i++)
		g_string_append_c(out, "ohx?"[ms_resolution_relation(resolution, i, 0)]);
	return g_string_free(out, FALSE);
}

static void same_answers(MsDirectory *a, MsDirectory *b, guint first, guint n)
{
	g_autofree char *recipient = g_strdup_printf("user%u@site.example", 100000 + first / 3 * 3);
	g_autofree char *x = ask(a, first, n, recipient), *y = ask(b, first, n, recipient);
	g_assert_cmpstr(x, ==, y);
}

/* ---- rows ------------------------------------------------------------------------------ */

static MsDirectory *reads, *changes; /* the second has no names, and changes the mapping */

static void put(const char *account, const char *value)
{
	bool changed;
	g_autoptr(GError) error = NULL;
	MsAnswer answer = ms_directory_put(
		changes, account, "customer-number", value, &changed, &error);
	g_assert_no_error(error);
	g_assert_cmpint(answer, ==, MS_FOUND);
	g_assert_true(changed);
}

static void put_late(void)
{
	put("AC-LATE", "C-999999");
}

static void import_anew(void)
{
	load(changes, ROWS, 300);
}

static void test_left_out(void)
{
	seen.wanted = 0;
	g_autofree char *all = ask(reads, 2 * ROWS, 20, "nobody@else.example");
	gsize before = seen.wanted;
	g_assert_cmpuint(before, >=, 20);
	g_assert_true(ms_absent_read(reads));
	seen.wanted = seen.looks = 0;
	g_autofree char *none = ask(reads, 2 * ROWS, 20, "nobody@else.example");
	g_assert_cmpstr(all, ==, none);
	g_assert_cmpstr(none, ==, "????????????????????");
	g_assert_cmpuint(seen.wanted, <=, 3); /* two bytes of one of them may be another's */
	g_assert_cmpuint(seen.looks, ==, 1);
	for (guint i = 0; i < 2 * ROWS; i += 997)
		same_answers(reads, changes, i, 40);
}

/* It is found by the first who asks after it was put, and then one group is read anew. */
static void test_put(void)
{
	g_assert_true(ms_absent_read(reads));
	g_autofree char *before = ask(reads, 700000, 1, "user100000@site.example");
	g_assert_cmpstr(before, ==, "?");
	put("AC-7", "C-800000");
	seen.looks = 0;
	g_autofree char *after = ask(reads, 700000, 1, "user100000@site.example");
	g_assert_cmpstr(after, ==, "x");
	g_assert_cmpuint(seen.looks, ==, 2);
	seen.looks = 0;
	g_autofree char *again = ask(reads, 700000, 1, "user100000@site.example");
	g_assert_cmpstr(again, ==, "x");
	g_assert_cmpuint(seen.looks, ==, 1); /* all is asked for at once */
	seen.fetches = 0;
	g_assert_true(ms_absent_read(reads));
	g_assert_cmpuint(seen.fetches, ==, 2); /* sums, and the group that it is in */
	g_autofree char *known = ask(reads, 700000, 1, "user100000@site.example");
	g_assert_cmpstr(known, ==, "x");
	same_answers(reads, changes, 0, 60);
}

/* Between what is left out and the look something else is done. */
static void test_meanwhile(void)
{
	g_assert_true(ms_absent_read(reads));
	seen.before_look = put_late;
	g_autofree char *got = ask(reads, 899999, 1, "user100000@site.example");
	g_assert_cmpstr(got, ==, "x");
	g_assert_true(ms_absent_read(reads));
	seen.before_look = import_anew;
	g_autofree char *imported = ask(reads, ROWS + 1, 2, "user112000@site.example");
	g_autofree char *want = ask(changes, ROWS + 1, 2, "user112000@site.example");
	g_assert_cmpstr(imported, ==, want);
	g_assert_nonnull(strchr(want, 'o')); /* which was in no mapping before */
	g_assert_true(ms_absent_read(reads));
	same_answers(reads, changes, ROWS, 60);
	same_answers(reads, changes, 0, 60);
	load(changes, 0, ROWS);
}

/* Names are of entries, however kinds.conf of the one who imported recognises them, and whatever it
 * has beside them. */
static void test_changed_kinds(void)
{
	bool on_redis = strcmp(seen.real->name, "redis") == 0;
	g_autoptr(MsDirectory) writer = open_with(on_redis, other_kinds);
	load(writer, 0, ROWS);
	g_assert_true(ms_absent_read(reads));
	for (guint i = 0; i < ROWS; i += 1511)
		same_answers(reads, changes, i, 40);
	put("AC-3", "C-810000");
	g_autofree char *got = ask(reads, 710000, 1, "user100000@site.example");
	g_assert_cmpstr(got, ==, "x");
}

/* What cannot be read, or does not fit together, gives no names, and all is asked for. */
static void test_not_whole(void)
{
	g_assert_true(ms_absent_read(reads));
	const MsNames *names = reads->names;
	g_atomic_int_set(&reads->ends, 1);
	put("AC-3", "C-820000");
	g_assert_false(ms_absent_read(reads));
	g_atomic_int_set(&reads->ends, 0);
	g_assert_true(reads->names == names);
	g_autofree char *got = ask(reads, 720000, 1, "user100000@site.example");
	g_assert_cmpstr(got, ==, "x");
	g_assert_null(ms_absent_names(reads));
	g_assert_true(ms_absent_read(reads));
	g_autoptr(MsNames) fresh = ms_absent_names(reads);
	g_assert_nonnull(fresh);
}

static void wait_for_names(MsDirectory *directory)
{
	MsNames *names = NULL;
	while ((names = ms_absent_names(directory)) == NULL)
		g_usleep(10000);
	ms_names_unref(names);
}

/* They come by themselves, also after a change. */
static void test_thread(void)
{
	ms_absent_start(changes);
	wait_for_names(changes);
	bool changed;
	g_autoptr(GError) error = NULL;
	MsAnswer answer = ms_directory_put(
		reads, "AC-3", "customer-number", "C-830000", &changed, &error);
	g_assert_no_error(error);
	g_assert_cmpint(answer, ==, MS_FOUND);
	g_autofree char *got = ask(changes, 730000, 1, "user100000@site.example");
	g_assert_cmpstr(got, ==, "x");
	wait_for_names(changes);
	g_autofree char *again = ask(changes, 730000, 1, "user100000@site.example");
	g_assert_cmpstr(again, ==, "x");
	ms_absent_stop(changes);
}

static void all_of(const void *on_redis)
{
	if (on_redis != NULL && redis_address == NULL) {
		g_test_skip("no redis-server");
		return;
	}
	reads = open_with(on_redis != NULL, kinds);
	changes = open_with(on_redis != NULL, kinds);
	load(reads, 0, ROWS);
	watch(reads);
	test_left_out();
	test_put();
	test_meanwhile();
	test_changed_kinds();
	test_not_whole();
	test_thread();
	reads->backend->ops = seen.real;
	g_clear_pointer(&reads, ms_directory_free);
	g_clear_pointer(&changes, ms_directory_free);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_autoptr(GError) error = NULL;
	kinds = ms_kinds_parse("kinds.conf", kinds_text, &error);
	g_assert_no_error(error);
	other_kinds = ms_kinds_parse("kinds.conf",
		"kind \"customer-number\" { pattern = {'C-[0-9]{4,12}'}\nbare-length = 9 }\n"
		"kind \"order-number\" { pattern = {'O-[0-9]{4,9}'} }\n"
		"kind \"invoice-number\" { pattern = {'I-[0-9]{4,9}'} }\n"
		"kind \"email\" { pattern = {'[a-z0-9]+@[a-z.]+'}\ncanonical = email }\n",
		&error);
	g_assert_no_error(error);
	dir = scratch_folder();
	g_autofree char *key = g_build_filename(dir, "site.key", NULL);
	g_assert_true(g_file_set_contents(key,
		"ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100", -1, NULL));
	g_assert_cmpint(chmod(key, 0640), ==, 0);
	GPid redis = start_redis(dir, &redis_address);
	g_test_add_data_func("/absent/sqlite", NULL, all_of);
	g_test_add_data_func("/absent/redis", "yes", all_of);
	int rc = g_test_run();
	stop_redis(redis);
	remove_folder(dir);
	g_free(dir);
	ms_kinds_unref(kinds);
	ms_kinds_unref(other_kinds);
	g_free(redis_address);
	return rc;
}
