/*
 * Runs a fuzz target over the files of its corpus, as one test each (TAP).  With libFuzzer
 * (configure --enable-fuzzing) this file is left out and the target fuzzes.
 */
#include "config.h"

#include <stdio.h>

#include "../test.h"
#include "fuzz.h"

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(int argc, char **argv)
{
	g_autofree char *name = g_path_get_basename(argv[0]);
	const char *bare = g_str_has_prefix(name, "lt-") ? name + 3 : name;
	const char *source = g_getenv("G_TEST_SRCDIR") ? g_getenv("G_TEST_SRCDIR") : ".";
	g_autofree char *folder = argc > 1 && argv[1][0] != '-'
		? g_strdup(argv[1])
		: g_strdup_printf("%s/tests/fuzz/%s.corpus", source, bare);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
	for (const char *file; dir != NULL && (file = g_dir_read_name(dir)) != NULL;)
		g_ptr_array_add(files, g_build_filename(folder, file, NULL));
	g_ptr_array_sort(files, compare);
	printf("1..%u\n", files->len + 1);
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	printf("ok 1 - nothing\n");
	for (guint i = 0; i < files->len; i++) {
		g_autofree char *data = NULL;
		gsize len;
		if (!g_file_get_contents(files->pdata[i], &data, &len, NULL))
			return 1;
		char *input = exact_copy(data, len);
		LLVMFuzzerTestOneInput((uint8_t *)input, len);
		free(input);
		g_autofree char *base = g_path_get_basename(files->pdata[i]);
		printf("ok %u - %s\n", i + 2, base);
	}
	return 0;
}
