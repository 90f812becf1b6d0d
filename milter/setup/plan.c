/*
 * Changes of files come in; they are written down with what was there before, carried out one
 * file at a time, and taken back.  In one thread.
 *
 * A plan is a folder below that of all plans, named by a number that grows: `journal` (a key
 * file), and for each change N.before and N.after where there is such a file.  It is whole when
 * it has its name; `ended` in it says that all was done.  A file is replaced by rename(2), so
 * that at any moment it is as it was or as it shall be.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

#include "missent/answer.h"
#include "missent/io.h"

#include "setup_private.h"

#define JOURNAL "journal"
#define FACTS "done"

void setup_note(GPtrArray *notes, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_ptr_array_add(notes, g_strdup_vprintf(format, args));
	va_end(args);
}

static bool fail(GError **error, const char *path)
{
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s: %s", path, g_strerror(errno));
	return false;
}

/* ---- a plan ------------------------------------------------------------------------------ */

static void change_free(gpointer data)
{
	MsFileChange *change = data;
	g_free(change->path);
	g_clear_pointer(&change->before, g_bytes_unref);
	g_clear_pointer(&change->after, g_bytes_unref);
	g_free(change);
}

MsPlan *ms_plan_new(void)
{
	MsPlan *plan = g_new0(MsPlan, 1);
	plan->changes = g_ptr_array_new_with_free_func(change_free);
	plan->notes = g_ptr_array_new_with_free_func(g_free);
	plan->facts = g_key_file_new();
	return plan;
}

void ms_plan_free(MsPlan *plan)
{
	if (plan == NULL)
		return;
	g_ptr_array_unref(plan->changes);
	g_ptr_array_unref(plan->notes);
	g_key_file_unref(plan->facts);
	g_free(plan->folder);
	g_free(plan);
}

static bool same(GBytes *a, GBytes *b)
{
	return a == NULL || b == NULL ? a == b : g_bytes_equal(a, b);
}

/* `*out`: NULL where there is no such file. */
static bool read_file(const char *path, GBytes **out, GError **error)
{
	char *text;
	gsize len;
	g_autoptr(GError) why = NULL;
	*out = NULL;
	if (g_file_get_contents(path, &text, &len, &why)) {
		*out = g_bytes_new_take(text, len);
		return true;
	}
	if (g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOENT))
		return true;
	g_propagate_error(error, g_steal_pointer(&why));
	return false;
}

bool ms_plan_add(MsPlan *plan, MsSetupStep step, const char *path, const char *text, GError **error)
{
	struct stat st;
	g_autofree char *real = realpath(path, NULL); /* a link stays one */
	const char *file = real != NULL ? real : path;
	g_autoptr(GBytes) before = NULL;
	g_autoptr(GBytes) after = text != NULL ? g_bytes_new(text, strlen(text)) : NULL;
	if (!read_file(file, &before, error))
		return false;
	if (same(before, after))
		return true;
	MsFileChange *change = g_new0(MsFileChange, 1);
	bool there = before != NULL && stat(file, &st) == 0;
	change->path = g_strdup(file);
	change->before = g_steal_pointer(&before);
	change->after = g_steal_pointer(&after);
	change->mode = there ? st.st_mode & 07777 : 0644;
	change->uid = there ? (gint64)st.st_uid : -1;
	change->gid = there ? (gint64)st.st_gid : -1;
	change->mtime = there ? (gint64)st.st_mtime : 0;
	change->step = step;
	g_ptr_array_add(plan->changes, change);
	return true;
}

/* ---- one file, at once ------------------------------------------------------------------- */

static bool sync_folder(const char *path, GError **error)
{
	g_autofree char *dir = g_path_get_dirname(path);
	return ms_io_sync_folder(dir) || fail(error, dir);
}

static bool fill(int fd, GBytes *bytes)
{
	gsize len;
	const char *data = g_bytes_get_data(bytes, &len);
	return ms_io_write(fd, data, len) && fsync(fd) == 0;
}

/* `bytes` NULL: it goes. */
static bool put(const char *path, GBytes *bytes, guint mode, gint64 uid, gint64 gid, GError **error)
{
	if (bytes == NULL)
		return (unlink(path) == 0 || errno == ENOENT || fail(error, path)) &&
			sync_folder(path, error);
	g_autofree char *new = g_strconcat(path, ".missent-new", NULL);
	unlink(new);
	int fd = open(new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool fine = fd >= 0 && fill(fd, bytes) &&
		(uid < 0 || fchown(fd, (uid_t)uid, (gid_t)gid) == 0) && fchmod(fd, mode) == 0 &&
		rename(new, path) == 0;
	if (!fine) {
		fail(error, path);
		if (fd >= 0)
			unlink(new);
	}
	ms_io_close(fd);
	return fine && sync_folder(path, error);
}

/* ---- written down ------------------------------------------------------------------------ */

char *ms_plans_folder(const char *config)
{
	g_autofree char *dir = g_path_get_dirname(config);
	return g_build_filename(dir, "undo", NULL);
}

static bool write_side(const char *folder, guint i, const char *side, GBytes *bytes, GError **error)
{
	g_autofree char *name = g_strdup_printf("%u.%s", i, side);
	g_autofree char *path = g_build_filename(folder, name, NULL);
	return bytes == NULL || put(path, bytes, 0600, -1, -1, error);
}

static bool write_journal(const MsPlan *plan, const char *folder, GError **error)
{
	g_autoptr(GKeyFile) journal = g_key_file_new();
	for (guint i = 0; i < plan->changes->len; i++) {
		const MsFileChange *c = plan->changes->pdata[i];
		g_autofree char *group = g_strdup_printf("%u", i);
		g_key_file_set_string(journal, group, "path", c->path);
		g_key_file_set_integer(journal, group, "mode", (int)c->mode);
		g_key_file_set_int64(journal, group, "uid", c->uid);
		g_key_file_set_int64(journal, group, "gid", c->gid);
		g_key_file_set_int64(journal, group, "mtime", c->mtime);
		g_key_file_set_integer(journal, group, "step", (int)c->step);
		if (!write_side(folder, i, "before", c->before, error) ||
			!write_side(folder, i, "after", c->after, error))
			return false;
	}
	gsize len;
	char *text = g_key_file_to_data(journal, &len, NULL);
	g_autoptr(GBytes) bytes = g_bytes_new_take(text, len);
	g_autofree char *path = g_build_filename(folder, JOURNAL, NULL);
	return put(path, bytes, 0600, -1, -1, error);
}

static guint greatest(const char *plans)
{
	guint out = 0;
	g_autoptr(GDir) dir = g_dir_open(plans, 0, NULL);
	for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;)
		out = MAX(out, (guint)g_ascii_strtoull(name, NULL, 10));
	return out;
}

bool ms_plan_begin(MsPlan *plan, const char *plans, GError **error)
{
	g_autofree char *folder = g_strdup_printf("%s/%u", plans, greatest(plans) + 1);
	g_autofree char *new = g_strdup_printf("%s/new", plans);
	ms_io_remove_folder(new); /* of one that was killed before it had its name */
	if (g_mkdir_with_parents(plans, 0700) != 0 || mkdir(new, 0700) != 0)
		return fail(error, new);
	if (!write_journal(plan, new, error))
		return false;
	if (rename(new, folder) != 0)
		return fail(error, folder);
	plan->folder = g_steal_pointer(&folder);
	return sync_folder(plan->folder, error);
}

static bool write_facts(const MsPlan *plan, GError **error)
{
	gsize len;
	char *text = g_key_file_to_data(plan->facts, &len, NULL);
	g_autoptr(GBytes) bytes = g_bytes_new_take(text, len);
	g_autofree char *path = g_build_filename(plan->folder, FACTS, NULL);
	return put(path, bytes, 0600, -1, -1, error);
}

bool ms_plan_note(MsPlan *plan, const char *what, const char *value, GError **error)
{
	g_key_file_set_string(plan->facts, FACTS, what, value);
	return write_facts(plan, error);
}

char *ms_plan_fact(const MsPlan *plan, const char *what)
{
	return g_key_file_get_string(plan->facts, FACTS, what, NULL);
}

bool ms_plan_end(MsPlan *plan, GError **error)
{
	plan->ended = true;
	return ms_plan_note(plan, "ended", "yes", error);
}

bool ms_plan_apply(MsPlan *plan, MsSetupStep step, GError **error)
{
	for (guint i = 0; i < plan->changes->len; i++) {
		const MsFileChange *c = plan->changes->pdata[i];
		g_autofree char *dir = g_path_get_dirname(c->path);
		if (c->step == step && g_mkdir_with_parents(dir, 0755) != 0)
			return fail(error, dir);
		if (c->step == step && !put(c->path, c->after, c->mode, c->uid, c->gid, error))
			return false;
	}
	return true;
}

/* ---- read again -------------------------------------------------------------------------- */

static bool read_change(
	const char *folder, GKeyFile *journal, guint i, MsPlan *plan, GError **error)
{
	g_autofree char *group = g_strdup_printf("%u", i);
	g_autofree char *before = g_strdup_printf("%s/%u.before", folder, i),
			*after = g_strdup_printf("%s/%u.after", folder, i);
	MsFileChange *c = g_new0(MsFileChange, 1);
	g_ptr_array_add(plan->changes, c);
	c->path = g_key_file_get_string(journal, group, "path", error);
	if (c->path == NULL)
		return false;
	c->mode = (guint)g_key_file_get_integer(journal, group, "mode", NULL);
	c->uid = g_key_file_get_int64(journal, group, "uid", NULL);
	c->gid = g_key_file_get_int64(journal, group, "gid", NULL);
	c->mtime = g_key_file_get_int64(journal, group, "mtime", NULL);
	c->step = g_key_file_get_integer(journal, group, "step", NULL) == MS_SETUP_OWN
		? MS_SETUP_OWN
		: MS_SETUP_OF_MTA;
	return read_file(before, &c->before, error) && read_file(after, &c->after, error);
}

static MsPlan *read_plan(const char *plans, guint number, GError **error)
{
	g_autoptr(MsPlan) plan = ms_plan_new();
	plan->folder = g_strdup_printf("%s/%u", plans, number);
	g_autofree char *path = g_build_filename(plan->folder, JOURNAL, NULL);
	g_autofree char *facts = g_build_filename(plan->folder, FACTS, NULL);
	g_autoptr(GKeyFile) journal = g_key_file_new();
	if (!g_key_file_load_from_file(journal, path, G_KEY_FILE_NONE, error)) {
		g_prefix_error(error, "%s: ", path);
		return NULL;
	}
	gsize n;
	g_auto(GStrv) groups G_GNUC_UNUSED = g_key_file_get_groups(journal, &n);
	for (guint i = 0; i < n; i++)
		if (!read_change(plan->folder, journal, i, plan, error))
			return NULL;
	g_key_file_load_from_file(plan->facts, facts, G_KEY_FILE_NONE, NULL);
	g_autofree char *ended = ms_plan_fact(plan, "ended");
	plan->ended = ended != NULL;
	return g_steal_pointer(&plan);
}

GPtrArray *ms_plans_open(const char *plans, GError **error)
{
	g_autoptr(GPtrArray) out = g_ptr_array_new_with_free_func((GDestroyNotify)ms_plan_free);
	for (guint i = greatest(plans); i > 0; i--) {
		g_autofree char *folder = g_strdup_printf("%s/%u", plans, i);
		if (access(folder, F_OK) != 0)
			continue;
		MsPlan *plan = read_plan(plans, i, error);
		if (plan == NULL)
			return NULL;
		g_ptr_array_add(out, plan);
	}
	return g_steal_pointer(&out);
}

/* ---- diff and diff3 ---------------------------------------------------------------------- */

/* Files with those bytes, in a folder of their own; the caller removes it. */
static char *lay_out(GBytes *const *sides, guint n, GError **error)
{
	g_autofree char *folder = g_dir_make_tmp("missent-init-XXXXXX", error);
	for (guint i = 0; folder != NULL && i < n; i++) {
		g_autofree char *path = g_strdup_printf("%s/%u", folder, i);
		g_autoptr(GBytes) none = g_bytes_new(NULL, 0);
		if (!put(path, sides[i] != NULL ? sides[i] : none, 0600, -1, -1, error)) {
			ms_io_remove_folder(folder);
			return NULL;
		}
	}
	return g_steal_pointer(&folder);
}

/* What a program prints that ends with 0 or 1; `*status_out` which. */
static char *run_on(const char *const *argv, const char *folder, int *status_out, GError **error)
{
	g_autofree char *out = NULL;
	int status = 0;
	if (!g_spawn_sync(folder, (char **)argv, NULL,
		    G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &out, NULL,
		    &status, error))
		return NULL;
	*status_out = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	if (*status_out == 0 || *status_out == 1)
		return g_steal_pointer(&out);
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s failed", argv[0]);
	return NULL;
}

char *ms_change_diff(const char *path, GBytes *before, GBytes *after, GError **error)
{
	GBytes *const sides[] = {before, after};
	g_autofree char *folder = lay_out(sides, 2, error);
	if (folder == NULL)
		return NULL;
	const char *argv[] = {"diff", "-u", "--label", before != NULL ? path : "/dev/null",
		"--label", after != NULL ? path : "/dev/null", "0", "1", NULL};
	int status;
	char *out = run_on(argv, folder, &status, error);
	ms_io_remove_folder(folder);
	return out;
}

bool ms_change_without(
	const MsFileChange *change, GBytes **now_out, GBytes **then_out, GError **error)
{
	g_autoptr(GBytes) now = NULL;
	if (!read_file(change->path, &now, error))
		return false;
	if (same(now, change->after) || same(now, change->before)) {
		*then_out = change->before != NULL ? g_bytes_ref(change->before) : NULL;
		*now_out = g_steal_pointer(&now);
		return true;
	}
	*then_out = NULL;
	if (now == NULL && change->after != NULL) /* so are our lines */
		return true;
	if (now == NULL || change->before == NULL || change->after == NULL) {
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT,
			"%s was edited since missent init changed it", change->path);
		return false;
	}
	GBytes *const sides[] = {now, change->after, change->before};
	g_autofree char *folder = lay_out(sides, 3, error);
	const char *argv[] = {"diff3", "-m", "0", "1", "2", NULL};
	int status = -1;
	g_autofree char *merged = folder != NULL ? run_on(argv, folder, &status, error) : NULL;
	if (folder != NULL)
		ms_io_remove_folder(folder);
	if (merged == NULL)
		return false;
	if (status != 0) {
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT,
			"%s was edited since missent init changed it, in the same lines",
			change->path);
		return false;
	}
	*now_out = g_steal_pointer(&now);
	*then_out = g_bytes_new(merged, strlen(merged));
	return true;
}

/* ---- taken back -------------------------------------------------------------------------- */

/* A file of missent's own that somebody edited is his; but the MTA must not ask who is gone. */
bool ms_plan_leaves(const MsFileChange *change, const GError *why)
{
	return change->step == MS_SETUP_OWN && g_error_matches(why, MS_ERROR, MS_ERROR_INPUT);
}

static bool revert(const MsFileChange *change, GError **error)
{
	g_autoptr(GBytes) now = NULL, then = NULL;
	g_autoptr(GError) why = NULL;
	if (!ms_change_without(change, &now, &then, &why)) {
		bool left = ms_plan_leaves(change, why);
		if (!left)
			g_propagate_error(error, g_steal_pointer(&why));
		return left;
	}
	if (!same(now, then) &&
		!put(change->path, then, change->mode, change->uid, change->gid, error))
		return false;
	/* Also its time, by which make(1) knows what is older. */
	if (then != NULL && same(then, change->before) && change->mtime > 0)
		utime(change->path,
			&(struct utimbuf){.actime = change->mtime, .modtime = change->mtime});
	return true;
}

bool ms_plan_revert(MsPlan *plan, MsSetupStep step, GError **error)
{
	for (guint i = plan->changes->len; i > 0; i--) {
		const MsFileChange *c = plan->changes->pdata[i - 1];
		if (c->step == step && !revert(c, error))
			return false;
	}
	return true;
}

bool ms_plan_forget(MsPlan *plan, GError **error)
{
	/* The journal goes first: without it a plan is none. */
	g_autofree char *gone = g_strconcat(plan->folder, ".gone", NULL);
	if (rename(plan->folder, gone) != 0)
		return fail(error, plan->folder);
	ms_io_remove_folder(gone);
	g_autofree char *plans = g_path_get_dirname(plan->folder);
	rmdir(plans); /* fails where there are others */
	return true;
}
