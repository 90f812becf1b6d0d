/*
 * Bytes come in as Sendmail's queue files: what missent-release says of them is JSON of a
 * known form.
 */
#include "config.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../milter/release/release.h"

#include "../test.h"
#include "fuzz.h"

/* Sendmail's queue files, in which senders' words stand: whatever is in them, the list is JSON, and
 * showing ends.  The helper's own parts that start programs are not needed here. */
int release_usage(const char *why)
{
	(void)why;
	return 64;
}

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
	return 0;
}

static void write_file(const char *dir, const char *name, const uint8_t *data, size_t len)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_assert_true(g_file_set_contents(path, (const char *)data, (gssize)len, NULL));
}

/* What a verb prints. */
static char *output_of(const Mta *mta, const char *id, size_t *len)
{
	int fd = memfd_create("fuzz", 0), before = dup(STDOUT_FILENO);
	fflush(stdout);
	g_assert_cmpint(dup2(fd, STDOUT_FILENO), >=, 0);
	if (id != NULL)
		mta->show(mta, id);
	else
		mta->list(mta);
	fflush(stdout);
	g_assert_cmpint(dup2(before, STDOUT_FILENO), >=, 0);
	close(before);
	*len = (size_t)lseek(fd, 0, SEEK_END);
	char *text = g_malloc(*len + 1);
	g_assert_cmpint(pread(fd, text, *len, 0), ==, (gssize)*len);
	text[*len] = '\0';
	close(fd);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static char *dir;
	if (dir == NULL)
		dir = scratch_folder();
	write_file(dir, "hfABCDE1", data, len);
	write_file(dir, "dfABCDE1", data, len);
	Mta mta = release_sendmail;
	mta.queue = dir;
	size_t n;
	g_autofree char *list = output_of(&mta, NULL, &n);
	json_t *object = json_loadb(list, n, JSON_DISABLE_EOF_CHECK, NULL);
	g_assert_nonnull(object);
	g_assert_cmpstr(json_string_value(json_object_get(object, "queue_id")), ==, "ABCDE1");
	json_decref(object);
	g_free(output_of(&mta, "ABCDE1", &n));
	g_assert_cmpuint(n, >=, len); /* at least the body */
	return 0;
}
