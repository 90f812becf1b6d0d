/* missent-release and Sendmail's queue, with somebody else at it: between any two steps a message
 * may be let go, and then nothing of it is removed.  Its lock stands for that moment. */
#include "config.h"

#include <sys/file.h>

#define flock(fd, how) while_it_locks(fd, how) /* the function, not the structure */
static int while_it_locks(int fd, int how);
#include "../../milter/release/sendmail.c"
#undef flock

#include "../test.h"

static char *dir;
static void (*meanwhile)(void);

static int while_it_locks(int fd, int how)
{
	(void)fd;
	g_assert_cmpint(how, ==, LOCK_EX | LOCK_NB);
	if (meanwhile != NULL)
		meanwhile();
	return 0;
}

/* ---- what main.c has ---------------------------------------------------------------------- */

int release_fail(int code, const char *what)
{
	(void)what;
	return code;
}

bool release_become_root(void)
{
	return true;
}

int release_run(const char *const *argv, int out)
{
	(void)argv, (void)out;
	return EX_OK;
}

/* ---- the queue ---------------------------------------------------------------------------- */

static void move(const char *from, const char *to)
{
	g_autofree char *old = g_build_filename(dir, from, NULL);
	g_autofree char *new = g_build_filename(dir, to, NULL);
	g_assert_no_errno(rename(old, new));
}

static void put(const char *name)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_assert_true(g_file_set_contents(path, "x\n", 2, NULL));
}

static void take_away(const char *name)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	unlink(path);
}

/* sendmail -qQ -Q: it is delivered with the next run. */
static void let_go(void)
{
	move("hfABCDE12", "qfABCDE12");
}

/* It was let go, and another one, with that ID, is held. */
static void another(void)
{
	let_go();
	put("hfABCDE12");
}

static void delivered(void)
{
	take_away("hfABCDE12");
	take_away("dfABCDE12");
}

static const struct {
	const char *name;
	void (*meanwhile)(void);
	int code;
	const char *left;
} rows[] = {
	{"nobody is at it", NULL, EX_OK, ""},
	{"it is let go", let_go, EX_TEMPFAIL, "dfABCDE12 qfABCDE12 "},
	{"another has its ID", another, EX_TEMPFAIL, "dfABCDE12 hfABCDE12 qfABCDE12 "},
	{"it is delivered", delivered, EX_TEMPFAIL, ""},
};

static char *all_files(void)
{
	static const char *const names[] = {"dfABCDE12", "hfABCDE12", "qfABCDE12"};
	GString *out = g_string_new(NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(dir, names[i], NULL);
		if (g_file_test(path, G_FILE_TEST_EXISTS))
			g_string_append_printf(out, "%s ", names[i]);
		unlink(path);
	}
	return g_string_free(out, FALSE);
}

static void test_delete(void)
{
	const Mta mta = {.queue = dir};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		put("hfABCDE12");
		put("dfABCDE12");
		meanwhile = rows[i].meanwhile;
		int code = release_sendmail.delete(&mta, "ABCDE12");
		g_autofree char *left = all_files();
		if (code != rows[i].code || strcmp(left, rows[i].left) != 0)
			g_error("%s: got %d and \"%s\", want %d and \"%s\"", rows[i].name, code, left,
				rows[i].code, rows[i].left);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	dir = scratch_folder();
	g_test_add_func("/release/sendmail/delete", test_delete);
	int rc = g_test_run();
	remove_folder(dir);
	return rc;
}
