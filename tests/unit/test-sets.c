/*
 * Folders of policies: what they include, what policies inherit, lists that have a name; each
 * value with the file and line where it stands, and every mistake told with them.
 */
#include "config.h"

#include <glib/gstdio.h>
#include <string.h>

#include "missent/answer.h"
#include "missent/config.h"
#include "missent/policy.h"

#include "../test.h"

static MsKinds *kinds;

/* "NAME=text" rows become files of a folder of their own, in the folder "p"; "../NAME" beside
 * it. */
static char *folder_of(const char *const *files)
{
	char *dir = g_dir_make_tmp("missent-test-XXXXXX", NULL);
	g_autofree char *sub = g_build_filename(dir, "p", "sub", NULL);
	g_assert_cmpint(g_mkdir_with_parents(sub, 0700), ==, 0);
	for (; *files != NULL; files++) {
		const char *equal = strchr(*files, '=');
		g_autofree char *name = g_strndup(*files, (gsize)(equal - *files));
		g_autofree char *path = g_build_filename(dir, "p", name, NULL);
		g_assert_true(g_file_set_contents(path, equal + 1, -1, NULL));
	}
	return dir;
}

static void remove_all(const char *dir)
{
	g_autoptr(GDir) open = g_dir_open(dir, 0, NULL);
	for (const char *name; open != NULL && (name = g_dir_read_name(open)) != NULL;) {
		g_autofree char *path = g_build_filename(dir, name, NULL);
		if (g_file_test(path, G_FILE_TEST_IS_DIR) &&
			!g_file_test(path, G_FILE_TEST_IS_SYMLINK))
			remove_all(path);
		else
			g_unlink(path);
	}
	g_rmdir(dir);
}

static MsPolicies *load(const char *dir, GError **error)
{
	g_autofree char *path = g_build_filename(dir, "p", NULL);
	return ms_policies_load(path, kinds, MS_MODE_ENFORCE, error);
}

/* ---- what is meant ---------------------------------------------------------------------- */

static void note(const MsSection *policy, const MsRow *rows, void *user)
{
	static const char *const keys[] = {"sender", "max-recipients", "on-oversized", "networks"};
	GString *out = user;
	(void)rows;
	g_string_append_printf(out, "%s:", ms_section_title(policy));
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		bool list = strcmp(keys[i], "sender") == 0 || strcmp(keys[i], "networks") == 0;
		if (!ms_section_given(policy, keys[i]))
			continue;
		g_autofree char *values = list
			? g_strjoinv(",", (char **)ms_section_list(policy, keys[i]))
			: g_strdup(ms_section_text(policy, keys[i]));
		g_autofree char *file = g_path_get_basename(ms_section_key_file(policy, keys[i]));
		g_string_append_printf(out, " %s=%s@%s:%d", keys[i], values, file,
			ms_section_key_line(policy, keys[i]));
	}
	g_string_append_c(out, '\n');
}

#define LIST "list \"brands\" {\n\tvalues = {\"a.example\", \"b.example\"}\n}\n"

static const struct {
	const char *files[6], *want;
} meant[] = {
	{{"a.conf=policy \"p\" { sender = {\"a.example\"} }\n"}, "p: sender=a.example@a.conf:1\n"},
	/* what it says itself stays */
	{{"a.conf=template \"t\" {\nmax-recipients = 5\non-oversized = reject\n}\n"
	  "policy \"p\" {\ninherits = \"t\"\nmax-recipients = 9\n}\n"},
		"p: max-recipients=9@a.conf:7 on-oversized=reject@a.conf:3\n"},
	/* the nearest says it, over files and however they follow each other */
	{{"a.conf=policy \"p\" { inherits = \"mid\" }\n",
		 "b.conf=template \"mid\" {\ninherits = \"top\"\nmax-recipients = 7\n}\n",
		 "c.conf=template \"top\" {\nmax-recipients = 3\nsender = {\"c.example\"}\n}\n"},
		"p: sender=c.example@c.conf:3 max-recipients=7@b.conf:3\n"},
	/* from a policy as well, which stays as it is */
	{{"a.conf=policy \"one\" { sender = {\"a.example\"} max-recipients = 1 }\npolicy \"two\" { inherits = \"one\"\n"
	  "sender = {\"b.example\"} }\n"},
		"one: sender=a.example@a.conf:1 max-recipients=1@a.conf:1\n"
		"two: sender=b.example@a.conf:3 max-recipients=1@a.conf:1\n"},
	/* lists */
	{{"a.conf=" LIST
	  "policy \"p\" { sender = {\"x.example\", \"list:brands\", \"y.example\"} }\n"},
		"p: sender=x.example,a.example,b.example,y.example@a.conf:4\n"},
	{{"a.conf=list \"office\" { values = {\"192.0.2.0/24\"} file = \"nets.txt\" }\npolicy \"p\" { networks = "
	  "{\"list:office\"} }\n",
		 "nets.txt=# the office\n\n198.51.100.0/24   # old\n2001:db8::/32\n"},
		"p: networks=192.0.2.0/24,198.51.100.0/24,2001:db8::/32@a.conf:2\n"},
	{{"a.conf=" LIST
	  "template \"t\" { sender = {\"list:brands\"} }\npolicy \"p\" { inherits = \"t\" }\n"},
		"p: sender=a.example,b.example@a.conf:4\n"},
	/* includes: relative to the file, each once, and after the file itself */
	{{"a.conf=include = {\"sub/b.inc\", \"sub/c.inc\"}\npolicy \"p\" { inherits = \"t\" }\n",
		 "sub/b.inc=include = {\"c.inc\"}\ntemplate \"t\" { sender = {\"list:brands\"} }\n",
		 "sub/c.inc=" LIST "policy \"q\" { max-recipients = 2 }\n"},
		"p: sender=a.example,b.example@b.inc:2\nq: max-recipients=2@c.inc:4\n"},
	/* one that the folder has anyway */
	{{"a.conf=include = {\"b.conf\"}\n", "b.conf=policy \"p\" { max-recipients = 2 }\n"},
		"p: max-recipients=2@b.conf:1\n"},
	{{"b.conf=include = {\"a.conf\"}\n", "a.conf=policy \"p\" { max-recipients = 2 }\n"},
		"p: max-recipients=2@a.conf:1\n"},
};

static void test_meant(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(meant); i++) {
		g_autofree char *dir = folder_of(meant[i].files);
		g_autofree char *path = g_build_filename(dir, "p", NULL);
		g_autoptr(GString) got = g_string_new(NULL);
		g_autoptr(GError) error = NULL;
		g_test_message("row %zu", i);
		ms_policies_sections(path, note, got, &error);
		g_assert_no_error(error);
		g_assert_cmpstr(got->str, ==, meant[i].want);
		MsPolicies *p = load(dir, &error);
		g_assert_no_error(error);
		ms_policies_free(p);
		remove_all(dir);
	}
}

/* ---- mistakes --------------------------------------------------------------------------- */

static const struct {
	const char *files[6], *at, *says; /* at: "FILE:LINE:" */
} mistakes[] = {
	{{"a.conf=\npolicy \"p\" {\ninherits = \"invoces\"\n}\ntemplate \"invoices\" { }\n"},
		"a.conf:3:", "did you mean \"invoices\"?"},
	{{"a.conf=policy \"p\" {\ninherits = \"p\"\n}\n"}, "a.conf:2:", "circle"},
	{{"a.conf=policy \"p\" { inherits = \"q\" }\n",
		 "b.conf=\npolicy \"q\" { inherits = \"p\" }\n"},
		"b.conf:2:", "circle"},
	{{"a.conf=template \"t\" {\nmax-recipients = nine\n}\n"}, "a.conf:2:", "max-recipients"},
	/* what is inherited is told where it stands */
	{{"a.conf=policy \"p\" { inherits = \"t\" }\n",
		 "b.conf=template \"t\" {\nkinds = {\"contract\"}\n}\n"},
		"b.conf:2:", "there is no kind \"contract\""},
	{{"a.conf=template \"t\" { }\n", "b.conf=\ntemplate \"t\" { }\n"},
		"b.conf:2:", "has this title"},
	{{"a.conf=policy \"t\" { }\n", "b.conf=\ntemplate \"t\" { }\n"},
		"b.conf:2:", "has this title"},
	{{"a.conf=policy \"p\" {\nsender = {\"list:nobody\"}\n}\n"},
		"a.conf:2:", "there is no list \"nobody\""},
	{{"a.conf=" LIST "policy \"p\" {\nnetworks = {\"list:brands\"}\n}\n"},
		"a.conf:2:", "a.example"},
	{{"a.conf=list \"l\" { file = \"l.txt\" }\npolicy \"p\" { networks = {\"list:l\"} }\n",
		 "l.txt=192.0.2.0/24\n# one\n192.0.2.300\n"},
		"l.txt:3:", "192.0.2.300"},
	{{"a.conf=list \"l\" { file = \"l.txt\" }\npolicy \"p\" { sender = {\"list:l\"} }\n",
		 "l.txt=list:l\n"},
		"l.txt:1:", "no lists in it"},
	{{"a.conf=list \"l\" { file = \"l.txt\" }\npolicy \"p\" { auth-user = {\"list:l\"} }\n",
		 "l.txt=o'hara\n\"anna\",\n"},
		"l.txt:2:", "without quotes"},
	{{"a.conf=list \"l\" { file = \"l.txt\" }\npolicy \"p\" { auth-user = {\"list:l\"} }\n",
		 "l.txt='anna'\n"},
		"l.txt:1:", "without quotes"},
	{{"a.conf=list \"l\" { file = \"l.txt\" }\npolicy \"p\" { auth-user = {\"list:l\"} }\n",
		 "l.txt=anna\rbert\r"},
		"l.txt: ", "CR alone"},
	{{"a.conf=list \"l\" { file = \"l.txt\" }\n", "l.txt=# nothing\n\n"},
		"a.conf:1:", "has no value"},
	{{"a.conf=list \"l\" {\nfile = \"none.txt\"\n}\n"}, "a.conf:2:", "is not there"},
	{{"a.conf=list \"l\" {\nfile = \"../out.txt\"\n}\n", "../out.txt=a\n"},
		"a.conf:2:", "not within the folder"},
	{{"a.conf=list \"l\" { values = {\"a\"} }\n", "b.conf=\nlist \"l\" { values = {\"b\"} }\n"},
		"b.conf:2:", "has this name"},
	{{"a.conf=\ninclude = {\"none.inc\"}\n"}, "a.conf:2:", "is not there"},
	{{"a.conf=include = {\"../out.inc\"}\n", "../out.inc=\n"},
		"a.conf:1:", "not within the folder"},
	{{"a.conf=include = {\"/etc/passwd\"}\n"}, "a.conf:1:", "not within the folder"},
	{{"a.conf=include = {\"b.inc\"}\n", "b.inc=\ninclude = {\"a.conf\"}\n"},
		"b.inc:2:", "circle"},
	{{"a.conf=include = {\"a.conf\"}\n"}, "a.conf:1:", "circle"},
	{{"a.conf=include = {\"b.inc\"}\n", "b.inc=policy \"p\" {\nmax-recipient = 5\n}\n"},
		"b.inc:2:", "max-recipient"},
	{{"a.conf=include = {\"b.inc\"}\n", "b.inc=\nkind \"x\" { }\n"}, "b.inc:2:", "kind"},
};

static void test_mistakes(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(mistakes); i++) {
		g_autofree char *dir = folder_of(mistakes[i].files);
		g_autoptr(GError) error = NULL;
		MsPolicies *p = load(dir, &error);
		g_assert_null(p);
		g_autofree char *at = g_strdup_printf("/%s", mistakes[i].at);
		const char *found = strstr(error->message, at);
		const char *colon = strchr(error->message, ':');
		if (found == NULL || found > colon ||
			strstr(error->message, mistakes[i].says) == NULL)
			g_error("row %zu: got \"%s\", want %s %s", i, error->message,
				mistakes[i].at, mistakes[i].says);
		remove_all(dir);
	}
}

/* Ten files within each other are enough. */
static void test_deep(void)
{
	for (int depth = 9; depth <= 12; depth++) {
		g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
		for (int i = 0; i < depth; i++)
			g_ptr_array_add(files,
				i + 1 < depth
					? g_strdup_printf("%s%02d.%s=include = {\"f%02d.inc\"}\n",
						  "f", i, i == 0 ? "conf" : "inc", i + 1)
					: g_strdup_printf("f%02d.inc=policy \"p\" { }\n", i));
		g_ptr_array_add(files, NULL);
		g_autofree char *dir = folder_of((const char *const *)files->pdata);
		g_autoptr(GError) error = NULL;
		MsPolicies *p = load(dir, &error);
		g_assert_true((p != NULL) == (depth <= 10));
		ms_policies_free(p);
		remove_all(dir);
	}
}

/* ---- changed since ---------------------------------------------------------------------- */

#define A_CONF \
	"include = {\"sub/b.inc\"}\nlist \"l\" { file = \"l.txt\" }\n" \
	"policy \"p\" { sender = {\"list:l\"} }\n"
#define B_INC "template \"t\" { }\n"
#define L_TXT "a.example\n"

static void test_current(void)
{
	static const char *const files[] = {
		"a.conf=" A_CONF, "sub/b.inc=" B_INC, "l.txt=" L_TXT, "other.txt=x\n", NULL};
	static const char *const changed[] = {"a.conf", "sub/b.inc", "l.txt", "other.txt"};
	for (gsize i = 0; i < G_N_ELEMENTS(changed); i++) {
		g_autofree char *dir = folder_of(files);
		g_autofree char *path = g_build_filename(dir, "p", changed[i], NULL);
		g_autoptr(MsPolicies) p = load(dir, NULL);
		g_assert_nonnull(p);
		g_assert_true(ms_policies_current(p));
		g_assert_true(g_file_set_contents(
			path, "policy \"p\" { max-recipients = 3 }\n", -1, NULL));
		g_assert_true(ms_policies_current(p) == (i == 3));
		/* what is kept of them is what was read, whatever stands there now */
		g_assert_cmpstr(ms_policies_text(p), ==,
			"# ---- a.conf, 87 bytes\n" A_CONF "# ---- sub/b.inc, 17 bytes\n" B_INC
			"# ---- l.txt, 10 bytes\n" L_TXT);
		remove_all(dir);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	kinds = ms_kinds_parse("k", "kind \"iban\" {\npattern = {'DE[0-9]+'}\n}\n", NULL);
	g_assert_nonnull(kinds);
	g_test_add_func("/sets/meant", test_meant);
	g_test_add_func("/sets/mistakes", test_mistakes);
	g_test_add_func("/sets/deep", test_deep);
	g_test_add_func("/sets/current", test_current);
	int rc = g_test_run();
	ms_kinds_unref(kinds);
	return rc;
}
