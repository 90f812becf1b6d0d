/*
 * The texts of policies and kinds that lines name by their digests come in when a program loads
 * them, and are kept beside the trail, one file each, named by its digest: which text judged a
 * mail is answered long after the folder of policies has changed.  What is kept proves itself: a
 * file that has another digest than its name is not believed.  Any thread.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/audit.h"
#include "missent/io.h"

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

/* Root's becomes that of who owns the folder around it, as its files do. */
static bool make_folder(const char *folder)
{
	if (g_mkdir(folder, 0750) != 0)
		return errno == EEXIST;
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	ms_io_like_folder(fd, folder);
	close(fd);
	return true;
}

bool ms_audit_keep_text(const char *trail, MsAuditText what, const char *text, GError **error)
{
	char id[MS_AUDIT_TEXT_ID];
	g_autofree char *folder = folder_of(trail);
	ms_audit_text_id(text, id);
	g_autofree char *path = file_of(trail, what, id);
	if (make_folder(folder) && ms_io_make(path, text, strlen(text), 0640, NULL))
		return true;
	int why = errno;
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s: cannot keep the text of the %s: %s", path,
		ms_audit_text_names[what], g_strerror(why));
	return false;
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
	if (!g_file_get_contents(path, &text, &len, &why)) {
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
