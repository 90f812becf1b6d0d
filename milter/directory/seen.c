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
	gint64 accepted; /* when an operator last said which one it is; 0: never */
	bool behind;     /* the file is, of what is remembered */
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

static bool is_older(const MsSeen *seen, const MsDirectoryState *state)
{
	if (seen->generation == NULL)
		return false;
	return g_strcmp0(seen->generation, state->generation) == 0
		? state->version < seen->version
		: state->loaded_us < seen->loaded;
}

static void remember(MsSeen *seen, const MsDirectoryState *state, gint64 accepted)
{
	char *generation = g_strdup(state->generation);
	g_free(seen->generation);
	seen->generation = generation;
	seen->loaded = state->loaded_us;
	seen->version = state->version;
	seen->accepted = accepted;
}

/* What another process, or a reload, knows: all count up, but for what an operator accepts.  False:
 * more is known here. */
static bool learn(MsSeen *seen, const MsDirectoryState *state, gint64 accepted)
{
	if (accepted < seen->accepted || (accepted == seen->accepted && is_older(seen, state)))
		return false;
	remember(seen, state, accepted);
	return true;
}

/* "LOADED VERSION GENERATION ACCEPTED\n", the last of which an earlier version has not; what is
 * none is as if nothing had been seen.  What stands in it since we last looked says nothing new:
 * memory may be ahead of it. */
static void read_file(MsSeen *seen)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) why = NULL;
	char generation[129];
	MsDirectoryState state = {.generation = generation};
	gint64 accepted = 0;
	bool read = ms_io_contents(seen->file, &text, NULL, &why);
	g_clear_pointer(&seen->unread, g_free);
	if (!read && !is_none(why))
		seen->unread = g_strdup(why->message);
	if (!read || g_strcmp0(text, seen->text) == 0)
		return;
	g_free(seen->text);
	seen->text = g_strdup(text);
	if (sscanf(text, "%" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %128s %" G_GINT64_FORMAT,
		    &state.loaded_us, &state.version, generation, &accepted) >= 3)
		seen->behind = !learn(seen, &state, accepted);
}

/* Whole or not at all.  Who may not write remembers for himself. */
static bool write_file(MsSeen *seen)
{
	g_autofree char *text = g_strdup_printf(
		"%" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %s %" G_GINT64_FORMAT "\n", seen->loaded,
		seen->version, seen->generation, seen->accepted);
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

/* What is remembered is in the file, unless that says more. */
static void write_down(MsSeen *seen)
{
	read_file(seen);
	if (seen->behind && seen->unread == NULL)
		write_file(seen);
}

void ms_seen_free(MsSeen *seen)
{
	if (seen == NULL)
		return;
	if (seen->file != NULL && seen->behind)
		write_down(seen);
	pthread_mutex_destroy(&seen->lock);
	g_free(seen->file);
	g_free(seen->generation);
	g_free(seen->text);
	g_free(seen->unread);
	g_free(seen);
}

static bool is_same(const MsSeen *seen, const MsDirectoryState *state)
{
	return g_strcmp0(seen->generation, state->generation) == 0 &&
		seen->version == state->version;
}

/* What grew too soon to be written down is with one of the next answers. */
static bool is_due(const MsSeen *seen, const MsDirectoryState *state)
{
	bool other = g_strcmp0(seen->generation, state->generation) != 0;
	return seen->file != NULL && (other || seen->behind || !is_same(seen, state)) &&
		(other || ms_clock_steady() - seen->written > PAUSE_US);
}

static void take(MsSeen *seen, const MsDirectoryState *state, bool due)
{
	if (!is_same(seen, state)) {
		remember(seen, state, seen->accepted);
		seen->behind = true;
	}
	if (due && seen->behind)
		write_file(seen);
}

MsAnswer ms_seen_check(
	MsSeen *seen, const MsDirectoryState *state, gint64 *newest_out, GError **error)
{
	pthread_mutex_lock(&seen->lock);
	bool older = is_older(seen, state), due = is_due(seen, state);
	/* Another process may have seen a newer one, or somebody accepted this one. */
	if (seen->unread != NULL || (seen->file != NULL && (older || due)))
		read_file(seen);
	bool known = seen->unread == NULL;
	older = is_older(seen, state);
	*newest_out = seen->loaded;
	if (!known)
		/* nothing is written over it either */
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
			"which mapping was used last is not known: %s", seen->unread);
	else if (!older)
		take(seen, state, due);
	else if (seen->behind && seen->file != NULL)
		write_file(seen); /* so that no other takes the older one for the newest */
	pthread_mutex_unlock(&seen->lock);
	return !known ? MS_RETRY : older ? MS_ABSENT : MS_FOUND;
}

void ms_seen_succeed(MsSeen *seen, MsSeen *before)
{
	MsDirectoryState state = {0};
	if (g_strcmp0(seen->file, before->file) != 0)
		return; /* of another place */
	pthread_mutex_lock(&before->lock);
	g_autofree char *generation = g_strdup(before->generation);
	state.loaded_us = before->loaded;
	state.version = before->version;
	gint64 accepted = before->accepted;
	pthread_mutex_unlock(&before->lock);
	state.generation = generation;
	pthread_mutex_lock(&seen->lock);
	if (generation != NULL && learn(seen, &state, accepted))
		seen->behind = true;
	pthread_mutex_unlock(&seen->lock);
}

bool ms_seen_accept(MsSeen *seen, const MsDirectoryState *state, GError **error)
{
	pthread_mutex_lock(&seen->lock);
	if (seen->file != NULL)
		read_file(seen);
	remember(seen, state, MAX(g_get_real_time(), seen->accepted + 1));
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
