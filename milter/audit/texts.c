/*
 * The texts of policies and kinds that lines name by their digests come in when a program loads
 * them, and are kept beside the trail, one file each, named by its digest: which text judged a
 * mail is answered long after the folder of policies has changed.  What is kept proves itself: a
 * file that has another digest than its name is not believed.  Any thread.
 *
 * A file's time of change says since when it is kept, its time of access when somebody kept it
 * last, who was about to write lines with it.  Whoever removes one holds the folder's lock while he
 * looks at that once more: a text is named only after it was kept.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/io.h"

#include "audit_private.h"

/* More than any folder of policies; a file that was put there does not fill the memory. */
#define MAX_TEXT (64 * 1024 * 1024)

const char *const ms_audit_text_names[] = {"policies", "kinds", NULL};

void ms_audit_text_id(const char *text, char id_out[MS_AUDIT_TEXT_ID])
{
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
	g_strlcpy(id_out, sum, MS_AUDIT_TEXT_ID);
}

static char *folder_of(const char *trail)
{
	g_autofree char *log = ms_audit_folder(trail);
	return g_strconcat(log, ".texts", NULL);
}

static char *file_of(const char *trail, MsAuditText what, const char *id)
{
	g_autofree char *folder = folder_of(trail);
	return g_strdup_printf("%s/%s-%s", folder, ms_audit_text_names[what], id);
}

/* The folder, locked; -1 and errno. */
static int lock_folder(const char *folder, int how, gint64 wait_ms)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || ms_io_lock(fd, how, wait_ms))
		return fd;
	ms_io_close(fd);
	return -1;
}

/* Of another's file the time cannot be set; such are not removed. */
static bool keep(const char *path, const char *text)
{
	const struct timespec times[] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};
	return ms_io_make(path, text, strlen(text), 0640, NULL) &&
		(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) == 0 || errno == EPERM);
}

bool ms_audit_keep_text(const char *trail, MsAuditText what, const char *text, GError **error)
{
	char id[MS_AUDIT_TEXT_ID];
	g_autofree char *folder = folder_of(trail);
	ms_audit_text_id(text, id);
	g_autofree char *path = file_of(trail, what, id);
	int lock = ms_io_make_folder(folder, 0750)
		? lock_folder(folder, LOCK_SH, MS_IO_LOCK_MS)
		: -1;
	bool kept = lock >= 0 && keep(path, text);
	int why = errno;
	ms_io_close(lock);
	if (!kept)
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
			"%s: cannot keep the text of the %s: %s", path, ms_audit_text_names[what],
			g_strerror(why));
	return kept;
}

char *ms_audit_text(const char *trail, MsAuditText what, const char *id, GError **error)
{
	char is[MS_AUDIT_TEXT_ID];
	g_autofree char *path = file_of(trail, what, id), *text = NULL;
	GStatBuf st;
	gsize len = 0;
	g_autoptr(GError) why = NULL;
	if (g_stat(path, &st) != 0 && errno == ENOENT)
		return NULL;
	if (g_stat(path, &st) == 0 && st.st_size > MAX_TEXT) {
		ms_fail_input(error, "%s: is larger than any text that is kept", path);
		return NULL;
	}
	if (!ms_io_contents(path, &text, &len, &why)) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s", why->message);
		return NULL;
	}
	ms_audit_text_id(text, is);
	if (strlen(text) == len && strcmp(is, id) == 0)
		return g_steal_pointer(&text);
	ms_fail_input(error, "%s: was changed: its digest is %s", path, is);
	return NULL;
}

static bool is_id(const char *id)
{
	return strlen(id) == MS_AUDIT_TEXT_ID - 1 &&
		strspn(id, "0123456789abcdef") == MS_AUDIT_TEXT_ID - 1;
}

static int compare_times(const void *a, const void *b)
{
	const MsAuditKept *x = *(MsAuditKept *const *)a, *y = *(MsAuditKept *const *)b;
	return x->time < y->time ? -1 : x->time > y->time;
}

GPtrArray *ms_audit_texts(const char *trail)
{
	GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *folder = folder_of(trail);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;)
		for (int what = 0; ms_audit_text_names[what] != NULL; what++) {
			gsize n = strlen(ms_audit_text_names[what]);
			g_autofree char *path = g_build_filename(folder, name, NULL);
			GStatBuf st;
			if (strncmp(name, ms_audit_text_names[what], n) != 0 || name[n] != '-' ||
				!is_id(name + n + 1) || g_stat(path, &st) != 0)
				continue;
			MsAuditKept *kept = g_new0(MsAuditKept, 1);
			kept->what = (MsAuditText)what;
			kept->time = (gint64)st.st_mtime * G_USEC_PER_SEC;
			g_strlcpy(kept->id, name + n + 1, sizeof kept->id);
			g_ptr_array_add(out, kept);
		}
	g_ptr_array_sort(out, compare_times);
	return out;
}

/* ---- removing ------------------------------------------------------------------------- */

#define MIN_AGE_US G_TIME_SPAN_DAY

/* Is it ours, and has nobody kept it since? */
static bool is_old(const char *folder, const char *path, gint64 before)
{
	GStatBuf file, around;
	return g_lstat(path, &file) == 0 && g_stat(folder, &around) == 0 &&
		S_ISREG(file.st_mode) && file.st_uid == around.st_uid &&
		(gint64)MAX(file.st_atime, file.st_mtime) * G_USEC_PER_SEC < before;
}

/* Those that may go, of MsAuditKept; one that a line names is taken out. */
static GPtrArray *old_texts(const char *trail, gint64 before)
{
	g_autofree char *folder = folder_of(trail);
	GPtrArray *all = ms_audit_texts(trail);
	for (guint i = all->len; i-- > 0;) {
		const MsAuditKept *kept = all->pdata[i];
		g_autofree char *path = file_of(trail, kept->what, kept->id);
		if (!is_old(folder, path, before))
			g_ptr_array_remove_index_fast(all, i);
	}
	return all;
}

static bool take_named(const MsAuditLine *line, void *user, GError **error)
{
	(void)error;
	GPtrArray *unnamed = user;
	for (guint i = unnamed->len; i-- > 0;) {
		const MsAuditKept *kept = unnamed->pdata[i];
		if (memmem(line->text, line->len, kept->id, MS_AUDIT_TEXT_ID - 1) != NULL)
			g_ptr_array_remove_index_fast(unnamed, i);
	}
	return unnamed->len > 0;
}

/* Logs that were put aside after damage have lines too.  They are looked for when the one in use
 * was gone through, which may have been put aside meanwhile. */
static bool leave_unnamed(const char *trail, GPtrArray *unnamed, GError **error)
{
	g_autofree char *log = ms_audit_folder(trail), *parent = g_path_get_dirname(log);
	g_autofree char *base = g_path_get_basename(log),
			*aside = g_strconcat(base, ".until-", NULL);
	if (unnamed->len == 0 || !ms_audit_each_text(trail, take_named, unnamed, error))
		return unnamed->len == 0;
	g_autoptr(GDir) dir = ms_io_open_folder(parent, error);
	bool fine = dir != NULL;
	for (const char *name; fine && unnamed->len > 0 && (name = g_dir_read_name(dir)) != NULL;) {
		g_autofree char *folder = g_build_filename(parent, name, NULL),
				*path = g_strconcat(folder, ".jsonl", NULL);
		if (g_str_has_prefix(name, aside) && g_file_test(folder, G_FILE_TEST_IS_DIR))
			fine = ms_audit_each_text(path, take_named, unnamed, error);
	}
	return fine;
}

bool ms_audit_prune_texts(const char *trail, gint64 before, GError **error)
{
	before = MIN(before, g_get_real_time() - MIN_AGE_US);
	g_autoptr(GPtrArray) unnamed = old_texts(trail, before);
	if (!leave_unnamed(trail, unnamed, error))
		return false;
	g_autofree char *folder = folder_of(trail);
	int lock = unnamed->len > 0 ? lock_folder(folder, LOCK_EX, MS_IO_PROBE_MS) : -1;
	for (guint i = 0; lock >= 0 && i < unnamed->len; i++) {
		const MsAuditKept *kept = unnamed->pdata[i];
		g_autofree char *path = file_of(trail, kept->what, kept->id);
		if (is_old(folder, path, before))
			unlink(path);
	}
	ms_io_close(lock);
	return true;
}
