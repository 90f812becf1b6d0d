/*
 * missent init's files: values are changed in the text of settings and nothing else is; a plan is
 * carried out and taken back, whatever it was ended at; what a person edited since stays.
 */
#include "config.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/answer.h"

#include "../../milter/setup/setup_private.h"
#include "../test.h"

/* ---- values in a text -------------------------------------------------------------------- */

static const struct {
	const char *text, *section, *key, *value, *want;
} edits[] = {
	{"", NULL, "mode", "observe", "mode = observe\n"},
	{"mode = enforce # now\n", NULL, "mode", "observe", "mode = observe # now\n"},
	{"mode=enforce", NULL, "mode", "observe", "mode=observe"},
	{"# mode = a\nmode = enforce\n", NULL, "mode", "observe", "# mode = a\nmode = observe\n"},
	{"/* mode = a */ mode = 'enforce'\n", NULL, "mode", "observe",
		"/* mode = a */ mode = observe\n"},
	{"host = \"mode = x\"\nmode = enforce\n", NULL, "mode", "observe",
		"host = \"mode = x\"\nmode = observe\n"},
	{"host = a\n\nouter {\n\tmode = x\n}\n", NULL, "mode", "observe",
		"host = a\nmode = observe\n\nouter {\n\tmode = x\n}\n"},
	{"outer {\n\tmode = x\n}\n", NULL, "mode", "observe",
		"mode = observe\nouter {\n\tmode = x\n}\n"},
	{"a {\n\tmode = x\n}\nb {\n\tmode = y # here\n}\n", "b", "mode", "z",
		"a {\n\tmode = x\n}\nb {\n\tmode = z # here\n}\n"},
	{"a {\n\tx = 1\n}\n", "a", "mode", "z", "a {\n\tx = 1\n\tmode = z\n}\n"},
	{"a { x = 1 }\n", "a", "mode", "z", "a { x = 1 \n\tmode = z\n}\n"},
	{"a {}\n", "a", "mode", "z", "a {\n\tmode = z\n}\n"},
	{"x = 1\n", "a", "mode", "z", "x = 1\n\na {\n\tmode = z\n}\n"},
	{"x = 1", "a", "mode", "z", "x = 1\n\na {\n\tmode = z\n}\n"},
	{"a {\n list = {\"1\", # one\n  \"2\"} # all\n}\n", "a", "list", "{}",
		"a {\n list = {} # all\n}\n"},
	{"a {\n list = {\"}\", '{'}\n mode = x\n}\n", "a", "mode", "z",
		"a {\n list = {\"}\", '{'}\n mode = z\n}\n"},
	{"policy \"b\" {\n sender = {\"1\"}\n}\npolicy  \"a\"\n{\n sender = {\"2\"}\n}\n",
		"policy \"a\"", "sender", "{\"3\"}",
		"policy \"b\" {\n sender = {\"1\"}\n}\npolicy  \"a\"\n{\n sender = {\"3\"}\n}\n"},
	{"a = \"x\\\" # \"\nmode = enforce\n", NULL, "mode", "observe",
		"a = \"x\\\" # \"\nmode = observe\n"},
	{"mode = \"never closed\n", NULL, "mode", "observe", "mode = observe"},
	{"modes = 1\nmode = 2\n", NULL, "mode", "3", "modes = 1\nmode = 3\n"},
};

static void test_edit(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(edits); i++) {
		g_autofree char *got = edit_set(
			edits[i].text, edits[i].section, edits[i].key, edits[i].value);
		g_assert_cmpstr(got, ==, edits[i].want);
		g_autofree char *again = edit_set(
			got, edits[i].section, edits[i].key, edits[i].value);
		g_assert_cmpstr(again, ==, got);
		g_autofree char *read = edit_get(got, edits[i].section, edits[i].key);
		g_assert_cmpstr(read, ==, edits[i].value);
	}
	g_autofree char *unset = edit_unset(
		"a = 1\nsocket-group = \"x\" # y\n", NULL, "socket-group");
	g_assert_cmpstr(unset, ==, "a = 1\n# socket-group = \"x\" # y\n");
	g_assert_null(edit_get("a { b = 1 }", NULL, "b"));
	g_autofree char *quoted = edit_quote("a\"b\\c$d");
	g_assert_cmpstr(quoted, ==, "\"a\\\"b\\\\c\\$d\"");
	g_auto(GStrv) values = edit_values("{\"a\", 'b', c}");
	const char *const want[] = {"a", "b", "c", NULL};
	g_assert_true(g_strv_equal((const char *const *)values, want));
}

/* Any bytes: it comes to an end, and within them. */
static void test_edit_of_garbage(void)
{
	static const char signs[] = "a=\"'{},#/*\\ \n";
	g_autoptr(GRand) rand = g_rand_new_with_seed(7);
	for (int i = 0; i < 20000; i++) {
		char text[24];
		int n = g_rand_int_range(rand, 0, (gint32)sizeof text);
		for (int j = 0; j < n; j++)
			text[j] = signs[g_rand_int_range(rand, 0, (gint32)strlen(signs))];
		text[n] = '\0';
		g_autofree char *copy = g_strdup(text); /* exact size */
		g_autofree char *top = edit_set(copy, NULL, "a", "1"),
				*in = edit_set(copy, "a", "a", "1");
		g_assert_true(strstr(top, "1") != NULL && strstr(in, "1") != NULL);
	}
}

/* ---- plans ------------------------------------------------------------------------------- */

typedef struct {
	char *dir, *plans, *a, *b, *new;
} Place;

static void set_up(Place *place)
{
	place->dir = g_dir_make_tmp("missent-setup-XXXXXX", NULL);
	place->plans = g_build_filename(place->dir, "undo", NULL);
	place->a = g_build_filename(place->dir, "a.conf", NULL);
	place->b = g_build_filename(place->dir, "b.cf", NULL);
	place->new = g_build_filename(place->dir, "sub", "new.conf", NULL);
	g_assert_true(g_file_set_contents(place->a, "one\ntwo\nthree\nfour\nfive\n", -1, NULL));
	g_assert_true(g_file_set_contents(place->b, "b\n", -1, NULL));
	chmod(place->b, 0640);
}

static void tear_down(Place *place)
{
	g_autofree char *argv0 = g_strdup_printf("rm -r '%s'", place->dir);
	g_assert_true(g_spawn_command_line_sync(argv0, NULL, NULL, NULL, NULL));
	g_free(place->dir);
	g_free(place->plans);
	g_free(place->a);
	g_free(place->b);
	g_free(place->new);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, tear_down)

#define A_AFTER "one\nTWO\nthree\nfour\nfive\n"
static void begin(const Place *place)
{
	g_autoptr(MsPlan) plan = ms_plan_new();
	g_assert_true(ms_plan_add(plan, MS_SETUP_OWN, place->a, A_AFTER, NULL));
	g_assert_true(ms_plan_add(plan, MS_SETUP_OWN, place->new, "new\n", NULL));
	g_assert_true(ms_plan_add(plan, MS_SETUP_OF_MTA, place->b, "B\n", NULL));
	/* as it is: no change */
	g_assert_true(ms_plan_add(plan, MS_SETUP_OF_MTA, place->b, "b\n", NULL));
	g_assert_cmpuint(plan->changes->len, ==, 3);
	g_assert_true(ms_plan_begin(plan, place->plans, NULL));
}

static MsPlan *newest(const Place *place)
{
	g_autoptr(GPtrArray) plans = ms_plans_open(place->plans, NULL);
	return plans != NULL && plans->len > 0 ? g_ptr_array_steal_index(plans, 0) : NULL;
}

static void is(const char *path, const char *want)
{
	g_autofree char *text = NULL;
	g_file_get_contents(path, &text, NULL, NULL);
	g_assert_cmpstr(text, ==, want);
}

static void is_as_before(const Place *place)
{
	struct stat st;
	is(place->a, "one\ntwo\nthree\nfour\nfive\n");
	is(place->b, "b\n");
	is(place->new, NULL);
	g_assert_cmpint(stat(place->b, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 0777, ==, 0640);
}

static void take_back(const Place *place)
{
	g_autoptr(MsPlan) plan = newest(place);
	g_assert_nonnull(plan);
	g_assert_true(ms_plan_revert(plan, MS_SETUP_OF_MTA, NULL));
	g_assert_true(ms_plan_revert(plan, MS_SETUP_OWN, NULL));
	g_assert_true(ms_plan_forget(plan, NULL));
	g_assert_cmpint(access(place->plans, F_OK), !=, 0);
}

/* Read from disk after each step, as after a kill. */
static void test_plan(void)
{
	for (int steps = 0; steps <= 3; steps++) {
		g_auto(Place) place = {0};
		set_up(&place);
		begin(&place);
		g_autoptr(MsPlan) plan = newest(&place);
		g_assert_true(!plan->ended && plan->changes->len == 3);
		if (steps > 0) {
			g_assert_true(ms_plan_apply(plan, MS_SETUP_OWN, NULL));
			is(place.a, A_AFTER);
			is(place.new, "new\n");
			is(place.b, "b\n");
		}
		if (steps > 1) {
			g_assert_true(ms_plan_note(plan, "group", "postfix", NULL));
			g_assert_true(ms_plan_apply(plan, MS_SETUP_OF_MTA, NULL));
			is(place.b, "B\n");
		}
		if (steps > 2)
			g_assert_true(ms_plan_end(plan, NULL));
		g_autoptr(MsPlan) read = newest(&place);
		g_autofree char *group = ms_plan_fact(read, "group");
		g_assert_cmpstr(group, ==, steps > 1 ? "postfix" : NULL);
		g_assert_true(read->ended == (steps > 2));
		take_back(&place);
		is_as_before(&place);
	}
}

/* Killed between two files of one step, with a half-written one beside it. */
static void test_plan_half_done(void)
{
	g_auto(Place) place = {0};
	set_up(&place);
	begin(&place);
	g_autofree char *left = g_strconcat(place.a, ".missent-new", NULL);
	g_assert_true(g_file_set_contents(left, "hal", -1, NULL));
	g_assert_true(g_file_set_contents(place.b, "B\n", -1, NULL));
	chmod(place.b, 0640);
	g_autofree char *unborn = g_build_filename(place.plans, "new", NULL);
	g_mkdir(unborn, 0700); /* another, killed before it had its name */
	g_autoptr(MsPlan) plan = newest(&place);
	g_assert_true(ms_plan_revert(plan, MS_SETUP_OF_MTA, NULL) &&
		ms_plan_revert(plan, MS_SETUP_OWN, NULL));
	is_as_before(&place);
}

static void test_edited_since(void)
{
	g_auto(Place) place = {0};
	set_up(&place);
	begin(&place);
	g_autoptr(MsPlan) plan = newest(&place);
	g_autoptr(GError) error = NULL;
	g_assert_true(ms_plan_apply(plan, MS_SETUP_OWN, NULL));
	g_assert_true(g_file_set_contents(place.a, A_AFTER "six\n", -1, NULL));
	g_assert_true(g_file_set_contents(place.new, "a person's\n", -1, NULL));
	/* One of missent's own that a person edited stays his, and the others are taken back. */
	g_assert_true(ms_plan_revert(plan, MS_SETUP_OWN, &error));
	is(place.new, "a person's\n");
	is(place.a, "one\ntwo\nthree\nfour\nfive\nsix\n");
	g_assert_true(ms_plan_apply(plan, MS_SETUP_OWN, NULL));
	g_assert_true(g_file_set_contents(place.a, A_AFTER "six\n", -1, NULL));
	g_assert_true(ms_plan_revert(plan, MS_SETUP_OWN, NULL));
	is(place.a, "one\ntwo\nthree\nfour\nfive\nsix\n");
	is(place.new, NULL);
	g_assert_true(ms_plan_apply(plan, MS_SETUP_OWN, NULL));
	g_assert_true(g_file_set_contents(place.a, "one\n2\nthree\nfour\nfive\n", -1, NULL));
	g_assert_true(ms_plan_revert(plan, MS_SETUP_OWN, NULL));
	is(place.a, "one\n2\nthree\nfour\nfive\n");
	/* One of the MTA's that cannot be told apart stops it: it would ask who is gone. */
	g_assert_true(ms_plan_apply(plan, MS_SETUP_OF_MTA, NULL));
	g_assert_true(g_file_set_contents(place.b, "c\n", -1, NULL));
	g_assert_false(ms_plan_revert(plan, MS_SETUP_OF_MTA, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
	is(place.b, "c\n");
	/* What is removed has nothing of ours any more. */
	g_unlink(place.b);
	g_assert_true(ms_plan_revert(plan, MS_SETUP_OF_MTA, NULL));
	is(place.b, NULL);
	g_unlink(place.a);
	g_assert_true(ms_plan_revert(plan, MS_SETUP_OWN, NULL));
	is(place.a, NULL);
}

/* A link stays one, and what it points to is changed. */
static void test_link(void)
{
	g_auto(Place) place = {0};
	set_up(&place);
	g_autofree char *link = g_build_filename(place.dir, "link", NULL);
	g_assert_cmpint(symlink("b.cf", link), ==, 0);
	g_autoptr(MsPlan) plan = ms_plan_new();
	g_assert_true(ms_plan_add(plan, MS_SETUP_OWN, link, "B\n", NULL));
	g_assert_true(
		ms_plan_begin(plan, place.plans, NULL) && ms_plan_apply(plan, MS_SETUP_OWN, NULL));
	g_assert_true(g_file_test(link, G_FILE_TEST_IS_SYMLINK));
	is(place.b, "B\n");
}

static void test_items(void)
{
	static const struct {
		const char *queue, *socket, *want;
	} rows[] = {
		{"/var/spool/postfix", "unix:/var/spool/postfix/missent/missent.sock",
			"unix:missent/missent.sock"},
		{"/var/spool/postfix", "unix:/run/missent/missent.sock",
			"unix:/run/missent/missent.sock"},
		{"/var/spool/post", "unix:/var/spool/postfix/missent.sock",
			"unix:/var/spool/postfix/missent.sock"},
		{"/var/spool/postfix", "inet:8891@127.0.0.1", "inet:127.0.0.1:8891"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = postfix_item(rows[i].queue, rows[i].socket);
		g_assert_cmpstr(got, ==, rows[i].want);
	}
}

/* What is held is looked for in the queue of that MTA, also after all else was taken back. */
static void test_keeps_mta(void)
{
	static const struct {
		const char *name, *was, *is;
		MsSetupMta mta;
	} rows[] = {
		{"sendmail", "# ours\nmode = enforce\n", "# ours\nmode = enforce\nmta = \"sendmail\"\n",
			{.sendmail = true, .config = (char *)"/etc/mail/sendmail.cf"}},
		{"it is said already", "mta = \"sendmail\"\n", "mta = \"sendmail\"\n",
			{.sendmail = true, .config = (char *)"/etc/mail/sendmail.cf"}},
		{"Postfix at its usual place", "mode = enforce\n", "mode = enforce\n",
			{.config = (char *)"/etc/postfix"}},
		{"an instance of Postfix", "mode = enforce\n",
			"mode = enforce\npostfix-config = \"/etc/postfix-out\"\n",
			{.config = (char *)"/etc/postfix-out"}},
	};
	g_auto(Place) place;
	set_up(&place);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = NULL;
		bool kept;
		g_assert_true(g_file_set_contents(place.a, rows[i].was, -1, NULL));
		g_assert_true(ms_setup_keep_mta(place.a, &rows[i].mta, &kept, NULL));
		g_assert_true(g_file_get_contents(place.a, &text, NULL, NULL));
		if (strcmp(text, rows[i].is) != 0 || kept != (strcmp(rows[i].is, rows[i].was) != 0))
			g_error("%s: got %s, want %s", rows[i].name, text, rows[i].is);
	}
}

/* ---- sendmail.cf ------------------------------------------------------------------------- */

/* Whatever m4 says beside it, what somebody wrote there stays; what counts is what m4 made. */
static void test_merged(void)
{
#define X "Xmissent, S=unix:/s, F=T\n"
	static const struct {
		const char *cf, *made, *want;
	} rows[] = {
		{"# by hand\nDnx\n\n# keep\nO A=1\n# mail\nMlocal, P=1\n\tA=x\n",
			"# m4\nDnx\nO A=1\n# filters\nO InputMailFilters=missent\n" X
			"Mlocal, P=1\n\tA=x\n",
			"# by hand\nDnx\n\n# keep\nO A=1\nO InputMailFilters=missent\n" X
			"# mail\nMlocal, P=1\n\tA=x\n"},
		{"# a\nO InputMailFilters=dkim\n# b\nXdkim, S=x\n# c\n",
			"O InputMailFilters=dkim, missent\nXdkim, S=x\n" X,
			"# a\nO InputMailFilters=dkim, missent\n# b\nXdkim, S=x\n" X "# c\n"},
		{"DZ8.1\nO A=1\n", "DZ8.2\nO A=1\n", "DZ8.1\nO A=1\n"},
		{"", "O A=1\n", "O A=1\n"},
		{"# a\nO A=1\n# no end", "O A=1\n" X, "# a\nO A=1\n" X "# no end"},
		{"# a\nO B=2\nO A=1\n", "O A=1\nO B=2\n", "O A=1\n# a\nO B=2\n"},
		/* what does not fit is as m4 made it */
		{"# a\nO A=1", "O A=1\n" X, "O A=1\n" X},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = sendmail_cf_merged(rows[i].cf, rows[i].made);
		g_assert_cmpstr(got, ==, rows[i].want);
	}
#undef X
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/setup/edit", test_edit);
	g_test_add_func("/setup/edit/garbage", test_edit_of_garbage);
	g_test_add_func("/setup/plan", test_plan);
	g_test_add_func("/setup/plan/half-done", test_plan_half_done);
	g_test_add_func("/setup/plan/edited-since", test_edited_since);
	g_test_add_func("/setup/plan/link", test_link);
	g_test_add_func("/setup/postfix/item", test_items);
	g_test_add_func("/setup/keeps-mta", test_keeps_mta);
	g_test_add_func("/setup/sendmail/merged", test_merged);
	return g_test_run();
}
