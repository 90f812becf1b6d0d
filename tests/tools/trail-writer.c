/*
 * Lines come in on stdin and are appended to the log in FOLDER, which is made if there is none;
 * at the end it is published, and pruned if it is asked for.  A line "!" appends what came until
 * then as one batch.  With a number as third word it says "." after each batch, for who kills it.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "missent/tlog.h"

#define AT_ONCE 500

static int fail(const GError *error)
{
	fprintf(stderr, "trail-writer: %s\n", error->message);
	return 1;
}

static bool flush(MsTlog *log, GPtrArray *lines, bool tells, GError **error)
{
	g_autofree MsEntryText *entries = g_new(MsEntryText, lines->len + 1);
	guint done;
	for (guint i = 0; i < lines->len; i++)
		entries[i] = (MsEntryText){lines->pdata[i], strlen(lines->pdata[i])};
	bool fine = lines->len == 0 || ms_tlog_append(log, entries, lines->len, &done, error);
	g_ptr_array_set_size(lines, 0);
	if (tells && write(STDOUT_FILENO, ".", 1) != 1)
		exit(1);
	return fine;
}

int main(int argc, char **argv)
{
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) error = NULL;
	guint64 prune = argc > 2 ? g_ascii_strtoull(argv[2], NULL, 10) : 0;
	char *line = NULL;
	size_t room = 0;
	if (argc < 2)
		return 64;
	g_autoptr(MsTlog) log = ms_tlog_open(argv[1], "mx.example/missent", &error);
	if (log == NULL)
		return fail(error);
	for (ssize_t n; (n = getline(&line, &room, stdin)) > 0;) {
		line[strcspn(line, "\n")] = '\0';
		bool ends = strcmp(line, "!") == 0;
		if (!ends)
			g_ptr_array_add(lines, g_strdup(line));
		if ((ends || lines->len == AT_ONCE) && !flush(log, lines, argc > 3, &error))
			return fail(error);
	}
	free(line);
	if (!flush(log, lines, argc > 3, &error) || !ms_tlog_publish(log, &error)
		|| (prune > 0 && !ms_tlog_prune(log, prune, &error)))
		return fail(error);
	return 0;
}
