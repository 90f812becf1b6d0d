/*
 * Which log is this host's, and how far had it come?  A log proves itself by a key and a
 * checkpoint that are in its own folder, so that a folder that was exchanged as a whole proves
 * itself too: for another host's, for one that was begun behind everybody's back, for an older
 * copy.  So both are also kept beside the folder: the key by whoever opens a log where none is
 * kept, a checkpoint by whoever publishes or lets the log go, and of one that is later, which
 * somebody else remembers, by who hears of it.  Nothing is written into a log that is not the one
 * of that checkpoint with more entries.  What is kept also tells that there was a log where none is
 * any more: mail goes on, and with it a new one, which begins with that, and which is not this
 * host's.  Who begins a new log with `missent audit begin` changes
 * the key, and what was kept of the old one stays with that.  The thread that has the log (log.c).
 */
#include "config.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/io.h"

#include "audit_private.h"
#include "tlog_private.h"

static char *beside(const char *folder, const char *ending)
{
	return g_strconcat(folder, ending, NULL);
}

#define KEY ".vkey"
#define CHECKPOINT ".checkpoint"

static char *read_key(const char *path)
{
	char *text = NULL;
	return ms_io_contents(path, &text, NULL, NULL) ? g_strstrip(text) : NULL;
}

static char *key_inside(const char *folder)
{
	g_autofree char *path = g_build_filename(folder, "vkey", NULL);
	return read_key(path);
}

/* ---- the key -------------------------------------------------------------------------- */

bool ms_audit_keep_key(const char *folder, const char *vkey)
{
	g_autofree char *path = beside(folder, KEY), *line = g_strconcat(vkey, "\n", NULL);
	return ms_io_make(path, line, strlen(line), 0640, NULL);
}

/* Who has it open already keeps none for us. */
bool ms_audit_change_key(const char *folder, const char *aside)
{
	g_autofree char *path = beside(folder, KEY), *is = key_inside(folder);
	g_autofree char *kept = beside(folder, CHECKPOINT), *with = beside(aside, CHECKPOINT);
	return (g_rename(kept, with) == 0 || errno == ENOENT) &&
		(unlink(path) == 0 || errno == ENOENT) && is != NULL &&
		ms_audit_keep_key(folder, is);
}

char *ms_audit_key_of(const char *folder)
{
	g_autofree char *path = beside(folder, KEY);
	char *is = key_inside(folder);
	return is != NULL ? is : read_key(path);
}

char *ms_audit_gone(const char *folder)
{
	g_autofree char *path = beside(folder, KEY), *kept = read_key(path);
	g_auto(MsCheckpoint) last = {0};
	if (kept == NULL || access(folder, F_OK) == 0 || errno != ENOENT)
		return NULL;
	g_autofree char *had = ms_audit_kept(folder, kept, &last)
		? g_strdup_printf(" of %" G_GUINT64_FORMAT " entries or more", last.size)
		: g_strdup("");
	return g_strdup_printf("the trail%s that was here is gone: the key of it is kept (%s), and there is "
			       "no folder %s any more",
		had, path, folder);
}

char *ms_audit_not_ours(const char *folder)
{
	g_autofree char *path = beside(folder, KEY), *kept = read_key(path),
			*is = key_inside(folder);
	if (kept == NULL || is == NULL)
		return ms_audit_gone(folder);
	if (strcmp(kept, is) == 0)
		return NULL;
	return g_strdup_printf("the trail in this folder is not the one that was begun here: its key is %s, "
			       "and the one in %s is %s",
		is, path, kept);
}

/* ---- the checkpoint ------------------------------------------------------------------- */

bool ms_audit_kept(const char *folder, const char *vkey, MsCheckpoint *out)
{
	g_autofree char *path = beside(folder, CHECKPOINT), *text = NULL;
	gsize len = 0;
	return ms_io_contents(path, &text, &len, NULL) &&
		ms_checkpoint_parse(text, len, vkey, out, NULL);
}

/* Of a log that is not this host's any more nothing is. */
bool ms_audit_keep(
	const char *folder, const char *vkey, const MsCheckpoint *checkpoint, GError **error)
{
	g_autofree char *path = beside(folder, CHECKPOINT), *key = beside(folder, KEY),
			*ours = read_key(key);
	g_auto(MsCheckpoint) kept = {0};
	if (checkpoint->text == NULL || (ours != NULL && strcmp(ours, vkey) != 0))
		return true;
	int fd = ms_audit_lock_parent(folder, error);
	if (fd < 0)
		return false;
	bool fine = (ms_audit_kept(folder, vkey, &kept) && kept.size >= checkpoint->size) ||
		ms_tlog_replace_file(
			path, checkpoint->text, strlen(checkpoint->text), true, error);
	close(fd);
	return fine;
}

bool ms_audit_is_as_kept(MsTlog *log, const char *folder, GError **error)
{
	g_auto(MsCheckpoint) kept = {0};
	g_autoptr(GError) why = NULL;
	if (!ms_audit_kept(folder, ms_tlog_vkey(log), &kept) ||
		ms_tlog_continues(log, &kept, &why))
		return true;
	if (g_error_matches(why, MS_ERROR, MS_ERROR_INPUT))
		g_prefix_error(&why,
			"the trail was rolled back, or a copy was put in its place: a checkpoint of %" G_GUINT64_FORMAT
			" entries is kept beside it (%s" CHECKPOINT "): ",
			kept.size, folder);
	g_propagate_error(error, g_steal_pointer(&why));
	return false;
}

char *ms_audit_not_as_kept(const char *folder)
{
	char *other = ms_audit_not_ours(folder);
	if (other != NULL)
		return other;
	g_autoptr(GError) why = NULL;
	g_autoptr(MsTlog) log = ms_tlog_look(folder, NULL); /* NULL: that is told elsewhere */
	if (log == NULL || ms_audit_is_as_kept(log, folder, &why) ||
		!g_error_matches(why, MS_ERROR, MS_ERROR_INPUT))
		return NULL;
	return g_strdup(why->message);
}

bool ms_audit_remind(const char *path, const char *note, GError **error)
{
	g_autofree char *folder = ms_audit_folder(path), *vkey = key_inside(folder);
	g_auto(MsCheckpoint) told = {0};
	if (vkey == NULL || !ms_checkpoint_parse(note, strlen(note), vkey, &told, NULL))
		return true;
	g_autoptr(MsTlog) log = ms_tlog_look(folder, error);
	if (log == NULL || ms_tlog_continues(log, &told, error))
		return log != NULL;
	ms_audit_keep(folder, vkey, &told, NULL); /* what speaks against it is told all the same */
	return false;
}
