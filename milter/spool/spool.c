/*
 * Held copies as files: a message comes in as a descriptor, and is a file with its record's uid
 * for a name when the function returns, on disk with its folder.  No state of ours, no lock: from
 * any thread and any process, since no two write one name.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/clock.h"
#include "missent/io.h"
#include "missent/spool.h"

#define SUFFIX ".eml"
#define OLD_SECONDS 3600

static char *path_of(const char *dir, const char *uid)
{
	g_autofree char *name = g_strconcat(uid, SUFFIX, NULL);
	return g_build_filename(dir, name, NULL);
}

static bool fail(GError **error, const char *path, const char *what)
{
	g_set_error(error, MS_ERROR, errno == ENOENT ? MS_ERROR_INPUT : MS_ERROR_RETRY,
		"%s: %s: %s", path, what, g_strerror(errno));
	return false;
}

bool ms_spool_write(const char *dir, const char *uid, int from, bool again, GError **error)
{
	g_autofree char *path = path_of(dir, uid);
	return ms_io_copy(path, from, 0600, again) || fail(error, path, "cannot be written");
}

int ms_spool_open(const char *dir, const char *uid, GError **error)
{
	g_autofree char *path = path_of(dir, uid);
	int fd = ms_io_open(path, O_RDONLY | O_NOFOLLOW);
	if (fd < 0)
		fail(error, path, "cannot be read");
	return fd;
}

bool ms_spool_remove(const char *dir, const char *uid, GError **error)
{
	g_autofree char *path = path_of(dir, uid);
	if ((unlink(path) == 0 || errno == ENOENT) && ms_io_sync_folder(dir))
		return true;
	return fail(error, path, "cannot be removed");
}

static time_t now(void)
{
	return (time_t)(ms_clock_now() / G_USEC_PER_SEC);
}

static bool is_old(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 && st.st_mtime <= now() - OLD_SECONDS;
}

/* A rename changes a file's ctime. */
static bool set_aside_before(const char *path, time_t seconds)
{
	struct stat st;
	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_ctime <= now() - seconds;
}

static bool set_aside(const char *dir, const char *name)
{
	g_autofree char *aside = g_build_filename(dir, MS_SPOOL_ASIDE, NULL);
	g_autofree char *from = g_build_filename(dir, name, NULL);
	g_autofree char *to = g_build_filename(aside, name, NULL);
	return ms_io_make_folder(aside, 0750) && rename(from, to) == 0;
}

guint ms_spool_count(const char *dir)
{
	guint n = 0;
	g_autoptr(GDir) open = g_dir_open(dir, 0, NULL);
	for (const char *name; open != NULL && (name = g_dir_read_name(open)) != NULL;)
		n += g_str_has_suffix(name, SUFFIX);
	return n;
}

void ms_spool_clear(const char *dir)
{
	g_autofree char *aside = g_build_filename(dir, MS_SPOOL_ASIDE, NULL);
	g_autoptr(GDir) open = g_dir_open(aside, 0, NULL);
	for (const char *name; open != NULL && (name = g_dir_read_name(open)) != NULL;) {
		g_autofree char *path = g_build_filename(aside, name, NULL);
		if (g_str_has_suffix(name, SUFFIX) &&
			set_aside_before(path, MS_SPOOL_ASIDE_DAYS * 86400))
			unlink(path);
	}
}

guint ms_spool_sweep(const char *dir, MsSpoolFate (*fate)(const char *uid, void *user), void *user)
{
	guint n = 0;
	g_autoptr(GDir) open = g_dir_open(dir, 0, NULL);
	for (const char *name; open != NULL && (name = g_dir_read_name(open)) != NULL;) {
		g_autofree char *path = g_build_filename(dir, name, NULL);
		if (!g_str_has_suffix(name, SUFFIX) || !is_old(path))
			continue;
		g_autofree char *uid = g_strndup(name, strlen(name) - strlen(SUFFIX));
		MsSpoolFate what = fate(uid, user);
		if (what == MS_SPOOL_DONE)
			unlink(path);
		else if (what == MS_SPOOL_UNKNOWN && set_aside(dir, name))
			n++;
	}
	ms_io_sweep(dir);
	return n;
}
