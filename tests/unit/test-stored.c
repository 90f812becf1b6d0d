/*
 * Messages in files: which come out, and what is refused.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/stored.h"

#include "../test.h"

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

#define DATE "Thu Nov 26 10:00:00 2026"

static void test_mbox(void)
{
	static const struct {
		const char *name, *text, *want; /* lengths of messages */
	} rows[] = {
		{"quoted", "From a\nS: 1\n\nFrom b\nS: 2\n\n>From c\n", "6 13 "},
		{"no empty line", "From a " DATE "\nS: 1\n\nx\nFrom b " DATE "\nS: 2\n\ny\n", "8 8 "},
		{"no empty line, CR LF",
			"From a " DATE "\r\nS: 1\r\n\r\nx\r\nFrom b " DATE "\r\nS: 2\r\n\r\ny\r\n",
			"11 11 "},
		{"no line's end, appended", "From a\nS: 1\n\nx\nFrom \"B C\"@d Thu Nov 26 10:00 CET 2026\nS: 2\n", "8 5 "},
		{"a date as in a header", "From a\nS: 1\n\nx\nFrom b Thu, 26 Nov 2026 10:00:00 +0100\nS: 2\n", "8 5 "},
		{"nobody", "From a\nS: 1\n\nx\nFrom - " DATE "\nX-Mozilla-Status: 1\n", "8 20 "},
		{"without a header", "From a\nS: 1\n\nx\nFrom b " DATE "\n\ny\n", "8 3 "},
		{"prose", "From a\nS: 1\n\nx\nFrom our side\nall is well: yes\n", "39 "},
		{"prose, CR LF", "From a\r\nS: 1\r\n\r\nx\r\nFrom our side\r\nok: yes\r\n", "35 "},
		{"prose after an empty line", "From a\nS: 1\n\nx\n\nFrom our side\nall is well\n", "35 "},
		{"prose with a date", "From a\nS: 1\n\nx\nFrom Thu Nov 26 10:00 2026 on\nall is well\n", "50 "},
		{"empty ones", "From a\n\nFrom b\n\nFrom c\nS: 3\n", "1 1 5 "},
		{"a length that passes over the next",
			"From a " DATE "\nContent-Length: 44\n\nx\n\nFrom b " DATE "\nS: 2\n\ny\n",
			"23 8 "},
		{"the last line", "From a\nS: 1\n\nFrom b", "6 0 "},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *folder = scratch_folder();
		g_autofree char *path = file_of(folder, "mbox", rows[i].text, 0);
		g_autoptr(GString) out = g_string_new(NULL);
		g_autoptr(GError) error = NULL;
		g_test_message("%s", rows[i].name);
		g_assert_true(ms_stored_each(path, take, out, &error));
		g_assert_cmpstr(out->str, ==, rows[i].want);
		remove_folder(folder);
	}
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

/* What cannot be looked at is no folder without mail. */
static void test_closed(void)
{
	static const struct {
		const char *name, *below;
		guint mode;
		bool told;
	} rows[] = {{"a folder", "closed", 0, true}, {"its names alone", "closed", 0400, true},
		{"a Maildir's", "cur", 0, true}, {"what is not read in any case", "tmp", 0, false}};
	if (geteuid() == 0 && seteuid(65534) != 0)
		g_error("seteuid: %s", g_strerror(errno));
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *folder = scratch_folder();
		g_autofree char *below = g_build_filename(folder, rows[i].below, NULL);
		g_autofree char *seen G_GNUC_UNUSED = file_of(folder, "seen.eml", "Subject: s\n\n", 0);
		g_autoptr(GString) out = g_string_new(NULL);
		g_autoptr(GError) error = NULL;
		g_assert_cmpint(g_mkdir(below, 0700), ==, 0);
		g_autofree char *within G_GNUC_UNUSED = file_of(below, "b.eml", "Subject: b\n\n", 0);
		g_assert_cmpint(chmod(below, rows[i].mode), ==, 0);
		bool fine = ms_stored_each(folder, take, out, &error);
		g_test_message("%s: %s", rows[i].name, error != NULL ? error->message : "nothing");
		g_assert_cmpint(fine, ==, !rows[i].told);
		g_assert_true(fine || strstr(error->message, below) != NULL);
		g_assert_cmpint(chmod(below, 0700), ==, 0);
		remove_folder(folder);
	}
	if (getuid() == 0 && seteuid(0) != 0)
		g_error("seteuid: %s", g_strerror(errno));
}

static void test_deep(void)
{
	g_autofree char *folder = scratch_folder(), *path = g_strdup(folder);
	for (int i = 0; i < 20; i++) {
		char *below = g_build_filename(path, "d", NULL);
		g_free(path);
		path = below;
	}
	g_assert_cmpint(g_mkdir_with_parents(path, 0700), ==, 0);
	g_autofree char *seen G_GNUC_UNUSED = file_of(folder, "seen.eml", "Subject: s\n\n", 0);
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	g_assert_false(ms_stored_each(folder, take, out, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_ABSENT);
	remove_folder(folder);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/stored/mbox", test_mbox);
	g_test_add_func("/stored/huge", test_huge);
	g_test_add_func("/stored/closed", test_closed);
	g_test_add_func("/stored/deep", test_deep);
	return g_test_run();
}
