/*
 * Which log is this host's?  A log proves itself by a key that is in its own folder, so that a
 * folder that was exchanged as a whole, for another host's or for one that was begun behind
 * everybody's back, proves itself too.  So the key is also kept beside the folder, by whoever
 * opens a log where none is kept; who begins a new one with `missent audit begin` changes it, and
 * nothing else does.  Whoever has the log.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "missent/io.h"

#include "audit_private.h"

static char *path_of(const char *folder)
{
	return g_strconcat(folder, ".vkey", NULL);
}

static char *read_key(const char *path)
{
	char *text = NULL;
	return g_file_get_contents(path, &text, NULL, NULL) ? g_strstrip(text) : NULL;
}

bool ms_audit_keep_key(const char *folder, const char *vkey)
{
	g_autofree char *path = path_of(folder), *line = g_strconcat(vkey, "\n", NULL);
	return ms_io_make(path, line, strlen(line), 0640, NULL);
}

/* Who has it open already keeps none for us. */
bool ms_audit_change_key(const char *folder)
{
	g_autofree char *path = path_of(folder), *inside = g_build_filename(folder, "vkey", NULL);
	g_autofree char *is = read_key(inside);
	return (unlink(path) == 0 || errno == ENOENT) && is != NULL &&
		ms_audit_keep_key(folder, is);
}

char *ms_audit_other_key(const char *folder)
{
	g_autofree char *path = path_of(folder), *inside = g_build_filename(folder, "vkey", NULL);
	g_autofree char *kept = read_key(path), *is = read_key(inside);
	if (kept == NULL || is == NULL || strcmp(kept, is) == 0)
		return NULL;
	return g_strdup_printf("the trail in this folder is not the one that was begun here: its key is %s, "
			       "and the one in %s is %s",
		is, path, kept);
}
