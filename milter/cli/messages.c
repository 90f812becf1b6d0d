/*
 * A file, a folder, a Maildir or an mbox comes in; its messages go out one by one.  The tool's one thread.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli.h"

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A "From " line after an empty one begins a message (RFC 4155); ">From " within is one that
 * was quoted when it was stored. */
static const char *next_from(const char *p, const char *end)
{
	while (p < end) {
		const char *hit = g_strstr_len(p, end - p, "\nFrom ");
		if (hit == NULL)
			return end;
		if (hit[-1] == '\n' || hit[-1] == '\r')
			return hit + 1;
		p = hit + 1;
	}
	return end;
}

static GByteArray *unquote(const char *p, const char *end)
{
	GByteArray *out = g_byte_array_sized_new((guint)(end - p));
	while (p < end) {
		const char *nl = memchr(p, '\n', (gsize)(end - p));
		const char *stop = nl != NULL ? nl + 1 : end;
		gsize quotes = strspn(p, ">");
		if (quotes > 0 && end - p > (gssize)quotes + 5 && memcmp(p + quotes, "From ", 5) == 0)
			p++;
		g_byte_array_append(out, (const guint8 *)p, (guint)(stop - p));
		p = stop;
	}
	return out;
}

static int each_of_mbox(const char *name, const char *data, gsize len, CliMessageFunc func,
	void *user)
{
	const char *p = data, *end = data + len;
	int worst = 0;
	for (guint n = 1; p < end; n++) {
		const char *nl = memchr(p, '\n', (gsize)(end - p));
		const char *stop = next_from(p, end);
		if (nl == NULL || nl >= stop)
			break;
		g_autoptr(GByteArray) message = unquote(nl + 1, stop);
		g_autofree char *label = g_strdup_printf("%s:%u", name, n);
		int rc = func(label, message->data, message->len, user);
		worst = MAX(worst, rc);
		p = stop;
	}
	return worst;
}

static int each_of_text(const char *name, const char *data, gsize len, CliMessageFunc func,
	void *user)
{
	if (len >= 5 && memcmp(data, "From ", 5) == 0)
		return each_of_mbox(name, data, len, func, user);
	return func(name, (const guint8 *)data, len, user);
}

static char *read_stdin(gsize *len)
{
	GString *all = g_string_new(NULL);
	char buffer[65536];
	for (ssize_t n; (n = read(STDIN_FILENO, buffer, sizeof buffer)) > 0;)
		g_string_append_len(all, buffer, n);
	*len = all->len;
	return g_string_free(all, FALSE);
}

/* The message files of a folder; a Maildir's are in cur and new. */
static GPtrArray *files_of(const char *path, GError **error)
{
	GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *cur = g_build_filename(path, "cur", NULL);
	bool maildir = g_file_test(cur, G_FILE_TEST_IS_DIR);
	const char *const folders[] = {maildir ? "cur" : ".", maildir ? "new" : NULL, NULL};
	for (int i = 0; folders[i] != NULL; i++) {
		g_autofree char *folder = maildir ? g_build_filename(path, folders[i], NULL)
						  : g_strdup(path);
		g_autoptr(GDir) dir = g_dir_open(folder, 0, error);
		if (dir == NULL) {
			g_ptr_array_unref(files);
			return NULL;
		}
		for (const char *name; (name = g_dir_read_name(dir)) != NULL;)
			if (name[0] != '.' && (maildir || g_str_has_suffix(name, ".eml")))
				g_ptr_array_add(files, g_build_filename(folder, name, NULL));
	}
	g_ptr_array_sort(files, compare);
	return files;
}

int cli_messages(const char *path, CliMessageFunc func, void *user)
{
	g_autoptr(GError) error = NULL;
	gsize len;
	if (strcmp(path, "-") == 0) {
		g_autofree char *text = read_stdin(&len);
		return each_of_text("standard input", text, len, func, user);
	}
	if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
		g_autofree char *text = NULL;
		if (!g_file_get_contents(path, &text, &len, &error))
			return cli_fail(EX_NOINPUT, "%s", error->message);
		return each_of_text(path, text, len, func, user);
	}
	g_autoptr(GPtrArray) files = files_of(path, &error);
	if (files == NULL)
		return cli_fail(EX_NOINPUT, "%s", error->message);
	if (files->len == 0)
		return cli_fail(EX_NOINPUT, "%s: no Maildir, and no *.eml file in it", path);
	int worst = 0;
	for (guint i = 0; i < files->len; i++) {
		int rc = cli_messages(files->pdata[i], func, user);
		worst = MAX(worst, rc);
	}
	return worst;
}

int cli_memory_file(const guint8 *data, gsize len)
{
	int fd = ms_memory_file("missent-check");
	for (gsize done = 0; fd >= 0 && done < len;) {
		ssize_t n = write(fd, data + done, len - done);
		if (n <= 0) {
			close(fd);
			return -1;
		}
		done += (gsize)n;
	}
	if (fd >= 0)
		ms_memory_seal(fd);
	return fd;
}
