/* What unit tests share: a scratch folder, inputs without room behind them. */
#ifndef MISSENT_TESTS_TEST_H
#define MISSENT_TESTS_TEST_H

#include <glib.h>
#include <glib/gstdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A heap copy of exact size: reading one byte too far is found by AddressSanitizer. */
static inline char *exact_copy(const void *data, gsize len)
{
	char *copy = malloc(len > 0 ? len : 1);
	g_assert_nonnull(copy);
	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

/* Microseconds that this process has computed: a busy machine does not make it late. */
static inline gint64 cpu_time(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * G_USEC_PER_SEC + t.tv_nsec / 1000;
}

static inline char *scratch_folder(void)
{
	g_autoptr(GError) error = NULL;
	char *path = g_dir_make_tmp("missent-test-XXXXXX", &error);
	g_assert_no_error(error);
	return path;
}

/* Files and folders below too. */
static inline void remove_folder(const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
		g_autofree char *below = g_build_filename(path, name, NULL);
		if (g_file_test(below, G_FILE_TEST_IS_DIR))
			remove_folder(below);
		else
			g_unlink(below);
	}
	if (dir != NULL)
		g_dir_close(dir);
	g_rmdir(path);
}

static inline char *source_file(const char *name)
{
	return g_test_build_filename(G_TEST_DIST, name, NULL);
}

static inline char *built_file(const char *name)
{
	return g_test_build_filename(G_TEST_BUILT, name, NULL);
}

static inline char *read_source(const char *name)
{
	g_autofree char *path = source_file(name);
	char *text = NULL;
	g_autoptr(GError) error = NULL;
	g_file_get_contents(path, &text, NULL, &error);
	g_assert_no_error(error);
	return text;
}

#endif
