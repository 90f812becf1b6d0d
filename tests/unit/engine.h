/* A folder with settings, kinds and policies, for tests that judge with an engine of their own. */
#ifndef MISSENT_TESTS_ENGINE_H
#define MISSENT_TESTS_ENGINE_H

#include <fcntl.h>
#include <unistd.h>

#include "missent/engine.h"

#include "../test.h"

static char *dir, *config;

static inline void write_file(const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static inline void import(MsDirectory *directory, const char *text)
{
	write_file("in.csv", text);
	g_autofree char *path = g_build_filename(dir, "in.csv", NULL);
	int fd = open(path, O_RDONLY);
	MsImportOptions options = {.max_shrink = 1, .source = "in.csv"};
	MsImportResult result;
	g_autoptr(GError) error = NULL;
	ms_directory_import(directory, fd, &options, &result, &error);
	g_assert_no_error(error);
	close(fd);
}

/* `more`: of the section directory. */
static inline void engine_begin(const char *more)
{
	dir = scratch_folder();
	config = g_build_filename(dir, "missent.conf", NULL);
	g_autofree char *kinds = read_source("policies/kinds.conf");
	g_autofree char *reader = built_file("missent-reader");
	g_autofree char *policies = g_build_filename(dir, "policies", NULL);
	g_autofree char *text = g_strdup_printf(
		"mode = enforce\nstate-dir = \"%s\"\npolicy-dir = \"%s\"\n"
		"reader {\n program = \"%s\"\n workers = 2\n}\ndirectory {\n%s digests = no\n}\n",
		dir, policies, reader, more);
	g_mkdir(policies, 0755);
	write_file("policies/kinds.conf", kinds);
	write_file("missent.conf", text);
}

static inline int engine_run(void)
{
	int rc = g_test_run();
	remove_folder(dir);
	g_free(dir);
	g_free(config);
	return rc;
}

#endif
