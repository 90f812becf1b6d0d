#include "config.h"

#include <string.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/stored.h"

#include "../test.h"

/* Messages in files: which come out, and what is refused. */

static bool take(const MsStored *message, void *user)
{
	g_string_append_printf(user, "%zu ", message->len);
	return true;
}

/* A file of that length after what is written, which takes no room. */
static char *file_of(const char *folder, const char *name, const char *text, gint64 len)
{
	char *path = g_build_filename(folder, name, NULL);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	if (len > 0)
		g_assert_cmpint(truncate(path, len), ==, 0);
	return path;
}

static void test_mbox(void)
{
	g_autofree char *folder = scratch_folder();
	g_autofree char *path = file_of(
		folder, "mbox", "From a\nS: 1\n\nFrom b\nS: 2\n\n>From c\n", 0);
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	g_assert_true(ms_stored_each(path, take, out, &error));
	g_assert_cmpstr(out->str, ==, "6 13 ");
	remove_folder(folder);
}

/* Cut to 32 bits it would be a message of twenty bytes. */
static void test_huge(void)
{
	g_autofree char *folder = scratch_folder();
	g_autofree char *path =
		file_of(folder, "huge.eml", "Subject: s\n\n", ((gint64)1 << 32) + 20);
	g_autofree char *small G_GNUC_UNUSED = file_of(folder, "ahead.eml", "Subject: s\n\n", 0);
	for (int i = 0; i < 2; i++) {
		g_autoptr(GString) out = g_string_new(NULL);
		g_autoptr(GError) error = NULL;
		g_assert_false(ms_stored_each(i == 0 ? path : folder, take, out, &error));
		g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
		g_assert_nonnull(strstr(error->message, "huge.eml: a message of 4294967316 bytes"));
		g_assert_cmpstr(out->str, ==, i == 0 ? "" : "12 ");
	}
	remove_folder(folder);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/stored/mbox", test_mbox);
	g_test_add_func("/stored/huge", test_huge);
	return g_test_run();
}
