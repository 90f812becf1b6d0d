/*
 * The newest mapping that this host has used: an older one that comes back is told from a new one.
 *
 * What is asked of the directory comes in (the state of the mapping that answered), and whether it
 * may be used goes out.  A Redis that is restarted with an older dump, a replica that is promoted
 * before it had the last import, a file that is restored from a backup: each is whole and proves
 * itself, and says of yesterday's customers what was true yesterday.
 *
 * Kept in memory, and in a file for the time after a restart; from any thread, under one lock, and
 * among processes by renaming a whole file over the one before.
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "missent/answer.h"
#include "missent/clock.h"
#include "missent/io.h"

#include "seen.h"

/* A mapping that grows is written down no more often. */
#define PAUSE_US (5 * G_USEC_PER_SEC)

struct MsSeen {
	pthread_mutex_t lock;
	char *file, *generation;
	char *text; /* of the file, when it was last read or written here */
	gint64 loaded, version;
	bool behind;    /* the file is, of what is remembered */
	gint64 written; /* when; by the steady clock */
	char *unread;   /* why what is in the file is not known; NULL: it is, or there is none */
};

/* There is none, or it is not for this user, who remembers for himself. */
static bool is_none(const GError *why)
{
	return g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOENT) ||
		g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOTDIR) ||
		g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_ACCES);
}

/* "LOADED VERSION GENERATION\n"; what is none is as if nothing had been seen.  What stands in it
 * since we last looked says nothing new: memory may be ahead of it. */
static void read_file(MsSeen *seen)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) why = NULL;
	gint64 loaded, version;
	char generation[129];
	bool read = ms_io_contents(seen->file, &text, NULL, &why);
	g_clear_pointer(&seen->unread, g_free);
	if (!read && !is_none(why))
		seen->unread = g_strdup(why->message);
	if (!read || g_strcmp0(text, seen->text) == 0)
		return;
	g_free(seen->text);
	seen->text = g_strdup(text);
	if (sscanf(text, "%" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %128s", &loaded, &version,
		    generation) != 3)
		return;
	g_free(seen->generation);
	seen->generation = g_strdup(generation);
	seen->loaded = loaded;
	seen->version = version;
	seen->behind = false;
}

/* Whole or not at all.  Who may not write remembers for himself. */
static bool write_file(MsSeen *seen)
{
	g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %s\n",
		seen->loaded, seen->version, seen->generation);
	seen->written = ms_clock_steady();
	seen->behind = !ms_io_replace(seen->file, text, strlen(text), 0640, true);
	if (seen->behind)
		return false;
	g_free(seen->text);
	seen->text = g_steal_pointer(&text);
	return true;
}

MsSeen *ms_seen_new(const char *file)
{
	MsSeen *seen = g_new0(MsSeen, 1);
	pthread_mutex_init(&seen->lock, NULL);
	seen->file = g_strdup(file);
	if (file != NULL)
		read_file(seen);
	return seen;
}

void ms_seen_free(MsSeen *seen)
{
	if (seen == NULL)
		return;
	pthread_mutex_destroy(&seen->lock);
	g_free(seen->file);
	g_free(seen->generation);
	g_free(seen->text);
	g_free(seen->unread);
	g_free(seen);
}

static bool is_same(const MsSeen *seen, const MsDirectoryState *state)
{
	return g_strcmp0(seen->generation, state->generation) == 0;
}

static bool is_older(const MsSeen *seen, const MsDirectoryState *state)
{
	if (seen->generation == NULL)
		return false;
	return is_same(seen, state) ? state->version < seen->version
				    : state->loaded_us < seen->loaded;
}

/* What grew too soon to be written down is with one of the next answers. */
static void take(MsSeen *seen, const MsDirectoryState *state)
{
	bool other = !is_same(seen, state);
	if (other || seen->version != state->version) {
		g_free(seen->generation);
		seen->generation = g_strdup(state->generation);
		seen->loaded = state->loaded_us;
		seen->version = state->version;
		seen->behind = true;
	}
	if (seen->file != NULL && seen->behind &&
		(other || ms_clock_steady() - seen->written > PAUSE_US))
		write_file(seen);
}

MsAnswer ms_seen_check(
	MsSeen *seen, const MsDirectoryState *state, gint64 *newest_out, GError **error)
{
	pthread_mutex_lock(&seen->lock);
	if (seen->unread != NULL)
		read_file(seen);
	bool older = is_older(seen, state), known = seen->unread == NULL;
	if (older && seen->file != NULL) { /* somebody may have accepted it meanwhile */
		read_file(seen);
		older = is_older(seen, state);
	}
	*newest_out = seen->loaded;
	if (!known)
		/* nothing is written over it either */
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
			"which mapping was used last is not known: %s", seen->unread);
	else if (!older)
		take(seen, state);
	pthread_mutex_unlock(&seen->lock);
	return !known ? MS_RETRY : older ? MS_ABSENT : MS_FOUND;
}

bool ms_seen_accept(MsSeen *seen, const MsDirectoryState *state, GError **error)
{
	pthread_mutex_lock(&seen->lock);
	g_free(seen->generation);
	seen->generation = g_strdup(state->generation);
	seen->loaded = state->loaded_us;
	seen->version = state->version;
	bool fine = seen->file == NULL || write_file(seen);
	int why = errno;
	pthread_mutex_unlock(&seen->lock);
	if (!fine)
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT, "%s: %s", seen->file, g_strerror(why));
	return fine;
}

gint64 ms_seen_newest(MsSeen *seen)
{
	pthread_mutex_lock(&seen->lock);
	if (seen->file != NULL)
		read_file(seen);
	gint64 newest = seen->loaded;
	pthread_mutex_unlock(&seen->lock);
	return newest;
}
