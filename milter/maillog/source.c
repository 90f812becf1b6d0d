/*
 * A file of this host's log comes in, packed or not; its bytes go out.  The reading wing unpacks
 * what strangers send; this is what logrotate packed, and of libarchive only filters are used
 * here, no archive and no program of others.  The thread of who reads the log.
 */
#include "config.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/late.h"

#include "maillog_private.h"

#define FUNCTIONS(with) \
	with(error_string) with(read_data) with(read_free) with(read_new) with(read_next_header) \
	with(read_open_fd) with(read_support_filter_bzip2) with(read_support_filter_gzip) \
	with(read_support_filter_lz4) with(read_support_filter_xz) with(read_support_filter_zstd) \
	with(read_support_format_empty) with(read_support_format_raw)

/* Of libarchive. */
static struct {
#define POINTER(name) __typeof__(archive_##name) *name;
	FUNCTIONS(POINTER)
#undef POINTER
} la;
static char *missing; /* NULL: nothing is */

static void load(void)
{
#define STRING(name) "archive_" #name,
	static const char *const names[] = {FUNCTIONS(STRING) NULL};
#undef STRING
	G_STATIC_ASSERT(sizeof la == (G_N_ELEMENTS(names) - 1) * sizeof(MsLateFunction));
	ms_late_load("libarchive.so.13", names, (MsLateFunction *)&la, &missing);
}

/* NULL, or what went wrong. */
static const char *open_filters(struct archive *a, int fd)
{
	bool fine = la.read_support_filter_gzip(a) == ARCHIVE_OK &&
		la.read_support_filter_bzip2(a) == ARCHIVE_OK &&
		la.read_support_filter_xz(a) == ARCHIVE_OK &&
		la.read_support_filter_zstd(a) == ARCHIVE_OK &&
		la.read_support_filter_lz4(a) == ARCHIVE_OK &&
		la.read_support_format_raw(a) == ARCHIVE_OK &&
		la.read_support_format_empty(a) == ARCHIVE_OK;
	if (!fine)
		return "libarchive lacks a filter";
	if (la.read_open_fd(a, fd, 65536) == ARCHIVE_OK)
		return NULL;
	return la.error_string(a) != NULL ? la.error_string(a) : "it is damaged";
}

/* NULL, or what went wrong; `*some` when there was something before. */
static const char *pump(struct archive *a, LogTake take, void *user, bool *some)
{
	struct archive_entry *entry;
	char buffer[65536];
	int code = la.read_next_header(a, &entry);
	if (code == ARCHIVE_EOF)
		return NULL; /* empty */
	if (code != ARCHIVE_OK)
		return la.error_string(a);
	for (la_ssize_t n; (n = la.read_data(a, buffer, sizeof buffer)) != 0; *some = true) {
		if (n < 0)
			return la.error_string(a) != NULL ? la.error_string(a)
							       : "it is damaged";
		if (!take(buffer, (gsize)n, user))
			break;
	}
	return NULL;
}

bool log_source(const char *path, LogTake take, void *user, gint64 *modified_out,
	char **problem_out, GError **error)
{
	bool is_stdin = strcmp(path, "-") == 0, some = false;
	int fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
		g_set_error(error, MS_ERROR, MS_ERROR_ABSENT, "%s: %s", path,
			fd < 0 || !S_ISDIR(st.st_mode) ? g_strerror(errno)
						       : "is a folder: name the files in it");
		if (fd >= 0)
			close(fd);
		return false;
	}
	if (modified_out != NULL && S_ISREG(st.st_mode))
		*modified_out = (gint64)st.st_mtime * G_USEC_PER_SEC;
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, load);
	if (missing != NULL) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "%s: %s", path, missing);
		close(fd);
		return false;
	}
	struct archive *a = la.read_new();
	const char *why = open_filters(a, fd);
	if (why == NULL)
		why = pump(a, take, user, &some);
	if (why != NULL && problem_out != NULL)
		*problem_out = g_strdup_printf("%s: %s (%s); what %s is not known", path,
			some ? "ends early" : "cannot be unpacked", why,
			some ? "followed" : "is in it");
	la.read_free(a);
	close(fd);
	return true;
}
