/*
 * missent.conf: values that are taken, and mistakes, each with the file, the line, the key and
 * the remedy that the error must name.
 */
#include "config.h"

#include <sys/resource.h>

#include "missent/answer.h"
#include "missent/config.h"
#include "missent/digest.h"
#include "missent/settings.h"

#include "../test.h"

static const char *const colours[] = {"red", "green", NULL};
static const MsRow inner[] = {
	{.key = "size", .type = MS_ROW_SIZE, .fallback = "1K", .min = 10, .max = 1 << 20},
	{.key = "list", .type = MS_ROW_LIST},
	{.key = NULL},
};
static const MsRow rows[] = {
	{.key = "name", .type = MS_ROW_TEXT},
	{.key = "on", .type = MS_ROW_SWITCH, .fallback = "yes"},
	{.key = "number", .type = MS_ROW_NUMBER, .fallback = "5", .min = 1, .max = 9},
	{.key = "time", .type = MS_ROW_TIME, .fallback = "2s"},
	{.key = "share", .type = MS_ROW_SHARE, .fallback = "20%", .max = 100},
	{.key = "colour", .type = MS_ROW_CHOICE, .fallback = "green", .choices = colours},
	{.key = "network", .type = MS_ROW_LIST, .check = ms_network_check},
	{.key = "box", .type = MS_ROW_SECTION, .rows = inner},
	{.key = "item", .type = MS_ROW_SECTIONS, .rows = inner},
	{.key = NULL},
};

static void test_values(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsSection) root = ms_config_parse("a.conf",
		"# comment\nname = \"x y\"\non = no\ntime = 5m\ncolour = red\n"
		"box { size = 64K }\nitem \"one\" { list = {'\\d+', \"b\"} }\nitem \"two\" { }\n",
		rows, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(ms_section_text(root, "name"), ==, "x y");
	g_assert_false(ms_section_switch(root, "on"));
	g_assert_cmpint(ms_section_number(root, "number"), ==, 5);
	g_assert_false(ms_section_given(root, "number"));
	g_assert_cmpint(ms_section_number(root, "time"), ==, 300000);
	g_assert_cmpint(ms_section_number(root, "share"), ==, 20);
	g_assert_cmpint(ms_section_choice(root, "colour"), ==, 0);
	g_assert_cmpint(ms_section_number(ms_section_sub(root, "box"), "size"), ==, 65536);
	g_assert_cmpuint(ms_section_count(root, "item"), ==, 2);
	const MsSection *one = ms_section_nth(root, "item", 0);
	g_assert_cmpstr(ms_section_title(one), ==, "one");
	g_assert_cmpstr(ms_section_list(one, "list")[0], ==, "\\d+");
	g_assert_cmpstr(ms_section_list(one, "list")[1], ==, "b");
	g_assert_null(ms_section_list(one, "list")[2]);
}

static void test_empty(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsSection) root = ms_config_parse("a.conf", "", rows, &error);
	g_assert_no_error(error);
	g_assert_null(ms_section_text(root, "name"));
	g_assert_cmpint(ms_section_number(ms_section_sub(root, "box"), "size"), ==, 1024);
	g_assert_cmpuint(ms_section_count(root, "item"), ==, 0);
}

/* A comment may stand wherever a blank may; in quotes it is none. */
static void test_comments(void)
{
	static const char text[] =
		"# a \"b\nname = 'it\\'s # no comment'# 'c\nnetwork = {\"192.0.2.0/24\", # one\n"
		"\t# two\n\t\"198.51.100.0/24\" # three\n}\n#";
	g_autoptr(GError) error = NULL;
	g_autoptr(MsSection) root = ms_config_parse("a.conf", text, rows, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(ms_section_text(root, "name"), ==, "it's # no comment");
	g_assert_cmpuint(g_strv_length((char **)ms_section_list(root, "network")), ==, 2);
}

/* Every complaint says file and line, what is wrong, and what would be right. */
static void test_mistakes(void)
{
	static const struct {
		const char *text;
		const char *want[3];
	} cases[] = {
		{"nmae = x\n", {"a.conf:1:", "no such option 'nmae'", "did you mean \"name\"?"}},
		{"\n\nzzzzzzzzz = x\n", {"a.conf:3:", "known here: name, on"}},
		{"on = maybe\n", {"a.conf:1:", "on: \"maybe\" is not allowed; use one of no, yes"}},
		{"colour = gren\n",
			{"a.conf:1:", "use one of red, green", "did you mean \"green\"?"}},
		{"name\xc2\xa0= x\n", {"a no-break space stands in it"}},
		{"number = 12\n", {"number: \"12\" is out of range (1 to 9)"}},
		{"number = x\n", {"number: \"x\" is not a number"}},
		{"time = 5 parsecs\n", {"a.conf:1:"}},
		{"time = 5x\n", {"\"5x\" is not a time (such as 500ms"}},
		{"box { size = 5 }\n", {"size: \"5\" is out of range"}},
		{"box {\nsise = 5\n}\n", {"a.conf:2:", "did you mean \"size\"?"}},
		{"network = {\"1.2.3\"}\n", {"is not a network (such as"}},
		{"network = {\"1.2.3\",\n\"192.0.2.1\"}\n", {"a.conf:1: network: \"1.2.3\" is"}},
		{"network = {\"192.0.2.1\",\n\"1.2.3\",\n\"192.0.2.2\"}\n",
			{"a.conf:2: network: \"1.2.3\" is"}},
		{"network = {\"10.1.2.3/8\"}\n",
			{"write 10.0.0.0/8 for all of it, or 10.1.2.3 for this host"}},
		{"network = {\"192.0.2.129/25\"}\n", {"write 192.0.2.128/25 for"}},
		{"network = {\"2001:db8::1/32\"}\n",
			{"write 2001:db8::/32 for all of it, or 2001:db8::1 for"}},
		{"network = {\"192.0.2.1/0\"}\n", {"write 0.0.0.0/0 for"}},
		{"item \"a\" { }\nitem \"a\" { }\n", {"a.conf:2:"}},
		{"box { size = 64K\n", {"a.conf:", "not closed"}},
		{"item \"a\" {\n", {"not closed"}},
		{"name = \"x\n", {"a.conf"}},
		{"name = {\"\033[2J\"}}\n", {"a.conf"}},
		{"# one\n  # two\nnmae = x\n", {"a.conf:3:"}},
		{"name = x # one\nnumber = 12 # two\n", {"a.conf:2:"}},
		{"box {\n\t# one\n\tsise = 5\n}\n", {"a.conf:3:"}},
		{"name = 'a#b\\'#c' # d\n\nnmae = x\n", {"a.conf:3:"}},
		{"nmae = x # no end of line", {"a.conf:1:"}},
		{"# M\374ller\nname = 'M\374ller'\n", {"a.conf:2: name: is not UTF-8"}},
		{"name = \"\\xff\"\n", {"a.conf:1: in \"double quotes\""}},
		{"network = {\"192.0.2.1\", \"\377\"}\n", {"a.conf:1: network: is not UTF-8"}},
		{"item \"M\374ller\" { }\n", {"a.conf:1: the title of this item is not UTF-8"}},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(MsSection) root = ms_config_parse("a.conf", cases[i].text, rows, &error);
		if (root != NULL)
			g_error("case %zu was taken: %s", i, cases[i].text);
		g_assert_error(error, MS_ERROR, MS_ERROR_CONFIG);
		for (int k = 0; k < 3 && cases[i].want[k] != NULL; k++)
			if (strstr(error->message, cases[i].want[k]) == NULL)
				g_error("case %zu: got \"%s\", want \"%s\" in it", i,
					error->message, cases[i].want[k]);
		g_assert_null(strchr(error->message, '\033'));
	}
}

static void *parse_often(void *wrong)
{
	static const char right[] =
		"name = 'x'\nbox { size = 64K }\nitem \"a\" { }\nitem \"b\" { }\n";
	for (int i = 0; i < 300; i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(MsSection) root = ms_config_parse(
			"a.conf", wrong != NULL ? "\n\nnmae = x\n" : right, rows, &error);
		g_assert_true((root == NULL) == (wrong != NULL));
		if (root != NULL)
			g_assert_cmpuint(ms_section_count(root, "item"), ==, 2);
		else
			g_assert_true(g_str_has_prefix(
				error->message, "a.conf:3: no such option 'nmae'"));
	}
	return NULL;
}

/* An agent reads its settings for each request, and has several at once. */
static void test_threads(void)
{
	static char wrong;
	GThread *threads[8];
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("parse", parse_often, i % 2 == 0 ? NULL : &wrong);
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		g_thread_join(threads[i]);
}

static void test_network(void)
{
	static const struct {
		const char *network, *address;
		bool want;
	} cases[] = {
		{"192.0.2.0/24", "192.0.2.77", true}, {"192.0.2.0/24", "192.0.3.1", false},
		{"192.0.2.0/25", "192.0.2.128", false}, {"192.0.2.1", "192.0.2.1", true},
		{"2001:db8::/32", "2001:db8:1::1", true}, {"2001:db8::/32", "2001:db9::1", false},
		{"0.0.0.0/0", "203.0.113.9", true}, {"0.0.0.0/0", "2001:db8::1", false},
		{"192.0.2.0/24", "::ffff:192.0.2.5", true}, {"::1", "::1", true},
		{"192.0.2.0/24", "nonsense", false},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpint(ms_network_contains(cases[i].network, cases[i].address), ==,
			cases[i].want);
	static const char *const bad[] = {"192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "x", "",
		"192.0.2.0/8x", "2001:db8::/129"};
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_false(ms_network_check(bad[i], NULL));
}

static void test_settings(void)
{
	g_autofree char *path = source_file("contrib/missent.conf");
	g_autoptr(GError) error = NULL;
	g_autoptr(MsSettings) settings = ms_settings_load(path, &error);
	g_assert_no_error(error);
	g_assert_cmpint(settings->mode, ==, MS_MODE_OBSERVE);
	g_assert_cmpint(settings->socket_mode, ==, 0660);
	g_assert_true(settings->digests);
	g_assert_cmpuint(settings->reader_jobs, ==, 1);
	g_assert_true(g_str_has_suffix(settings->kinds_file, "/policies/kinds.conf"));
	g_assert_null(ms_settings_load("/nonexistent/missent.conf", &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_CONFIG);
}

static void test_not_text(void)
{
	g_autofree char *dir = scratch_folder();
	g_autofree char *path = g_build_filename(dir, "x.conf", NULL);
	g_autoptr(GError) error = NULL;
	g_assert_true(g_file_set_contents(path, "a\0b", 3, NULL));
	g_assert_null(ms_config_load(path, rows, &error));
	g_assert_nonnull(strstr(error->message, "NUL"));
	g_clear_error(&error);
	g_assert_true(g_file_set_contents(path, "\xff\xfe#\0", 4, NULL));
	g_assert_null(ms_config_load(path, rows, &error));
	g_assert_nonnull(strstr(error->message, "x.conf: not a settings file (it is UTF-16"));
	g_clear_error(&error);
	g_assert_true(g_file_set_contents(path, "# x\rname = \"y\"\r", -1, NULL));
	g_assert_null(ms_config_load(path, rows, &error));
	g_assert_nonnull(strstr(error->message, "its lines end with CR alone"));
	static const char *const empty[] = {"", "\xef\xbb\xbf"};
	for (gsize i = 0; i < G_N_ELEMENTS(empty); i++) {
		g_clear_error(&error);
		g_assert_true(g_file_set_contents(path, empty[i], -1, NULL));
		g_assert_null(ms_config_load(path, rows, &error));
		g_assert_nonnull(strstr(error->message, "x.conf: the file is empty"));
	}
	/* what an editor of Windows writes first says nothing */
	g_clear_error(&error);
	g_assert_true(g_file_set_contents(path, "\xef\xbb\xbf# x\r\n", -1, NULL));
	g_autoptr(MsSection) G_GNUC_UNUSED marked = ms_config_load(path, rows, &error);
	g_assert_no_error(error);
	remove_folder(dir);
}

/* A host that lacks descriptors has no wrong settings: who is started again finds them. */
static void test_want(void)
{
	g_autofree char *dir = scratch_folder();
	g_autofree char *path = g_build_filename(dir, "x.conf", NULL);
	g_autofree char *key_path = g_build_filename(dir, "site.key", NULL);
	g_autoptr(GError) error = NULL, key_error = NULL;
	struct rlimit files, few;
	g_assert_true(g_file_set_contents(path, "# nothing\n", -1, NULL));
	g_assert_true(ms_key_create(key_path, NULL));
	getrlimit(RLIMIT_NOFILE, &files);
	few = files;
	few.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &few);
	g_autoptr(MsSection) section = ms_config_load(path, rows, &error);
	g_autoptr(MsKey) key = ms_key_load(key_path, &key_error);
	setrlimit(RLIMIT_NOFILE, &files);
	g_assert_null(section);
	g_assert_null(key);
	g_assert_error(error, MS_ERROR, MS_ERROR_RETRY);
	g_assert_error(key_error, MS_ERROR, MS_ERROR_RETRY);
	remove_folder(dir);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/config/values", test_values);
	g_test_add_func("/config/empty", test_empty);
	g_test_add_func("/config/mistakes", test_mistakes);
	g_test_add_func("/config/comments", test_comments);
	g_test_add_func("/config/threads", test_threads);
	g_test_add_func("/config/network", test_network);
	g_test_add_func("/config/settings", test_settings);
	g_test_add_func("/config/not-text", test_not_text);
	g_test_add_func("/config/want", test_want);
	return g_test_run();
}
