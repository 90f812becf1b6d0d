/*
 * A thread that goes over all of the mapping in use, a step at a time, evenly over the time that is
 * given for it.  What it finds makes the mapping unavailable, until it is whole again or another is
 * in use.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "missent/clock.h"
#include "missent/io.h"

#include "directory_private.h"

struct MsWatch {
	MsDirectory *directory;
	gint64 every_us;
	MsDirectoryTold told;
	void *user;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop;
};

/* False: to be stopped. */
static bool pause_for(MsWatch *w, gint64 us)
{
	gint64 end = g_get_monotonic_time() + us;
	pthread_mutex_lock(&w->lock);
	while (!w->stop && ms_clock_wait(&w->wake, &w->lock, end))
		continue;
	bool go_on = !w->stop;
	pthread_mutex_unlock(&w->lock);
	return go_on;
}

/* What it is told; NULL: whole. */
static void found(MsWatch *w, const char *generation, const char *why)
{
	MsDirectory *directory = w->directory;
	pthread_mutex_lock(&directory->lock);
	bool was = g_strcmp0(directory->lost, generation) == 0;
	g_free(directory->lost);
	directory->lost = why != NULL ? g_strdup(generation) : NULL;
	g_free(directory->lost_why);
	directory->lost_why = g_strdup(why);
	pthread_mutex_unlock(&directory->lock);
	if (why != NULL && !was)
		w->told(false, why, w->user);
	else if (why == NULL && was)
		w->told(true, "directory: the mapping is whole again", w->user);
}

void ms_directory_succeed(MsDirectory *directory, MsDirectory *before)
{
	ms_seen_succeed(directory->seen, before->seen);
	pthread_mutex_lock(&before->lock);
	g_autofree char *lost = g_strdup(before->lost), *why = g_strdup(before->lost_why);
	pthread_mutex_unlock(&before->lock);
	pthread_mutex_lock(&directory->lock);
	if (directory->lost == NULL) {
		directory->lost = g_steal_pointer(&lost);
		directory->lost_why = g_steal_pointer(&why);
	}
	pthread_mutex_unlock(&directory->lock);
}

/* One whole pass; false: to be stopped. */
static bool pass(MsWatch *w, const MsMapping *mapping, bool *finished)
{
	g_autoptr(MsSweep) sweep = ms_sweep_new(w->directory, mapping, NULL, NULL, NULL);
	gint64 step_us = w->every_us / ms_sweep_steps(sweep);
	for (;;) {
		bool whole = false;
		g_autoptr(GError) error = NULL;
		MsAnswer answer = ms_sweep_step(sweep, &whole, &error);
		if (answer == MS_ABSENT && whole)
			found(w, mapping->generation, NULL);
		if (answer == MS_CONFIG) {
			/* Parts of one that is not in use any more are being removed. */
			g_autoptr(MsMapping) now = ms_directory_in_use(
				w->directory, false, NULL, NULL);
			if (now != NULL && strcmp(now->generation, mapping->generation) == 0)
				found(w, mapping->generation, error->message);
		}
		*finished = answer != MS_FOUND;
		if (!pause_for(w, step_us))
			return false;
		if (*finished)
			return true;
	}
}

#define ASK_AGAIN_US (10 * G_USEC_PER_SEC)

static void *run(void *user)
{
	MsWatch *w = user;
	bool finished = false;
	do {
		/* One that cannot be asked is told by those who ask for a message. */
		g_autoptr(MsMapping) mapping = ms_directory_in_use(
			w->directory, false, NULL, NULL);
		if (mapping == NULL)
			finished = true;
		else if (!pass(w, mapping, &finished))
			break;
	} while (pause_for(w, finished ? MIN(w->every_us, ASK_AGAIN_US) : 0));
	return NULL;
}

bool ms_directory_watch(
	MsDirectory *directory, gint64 every_ms, MsDirectoryTold told, void *user, GError **error)
{
	MsWatch *w = g_new0(MsWatch, 1);
	pthread_cond_init(&w->wake, NULL);
	pthread_mutex_init(&w->lock, NULL);
	w->directory = directory;
	w->every_us = every_ms * 1000;
	w->told = told;
	w->user = user;
	if (!ms_io_thread(&w->thread, "mapping watch", run, w)) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "cannot start a thread: %s",
			g_strerror(errno));
		g_free(w);
		return false;
	}
	directory->watch = w;
	ms_absent_start(directory);
	return true;
}

void ms_watch_free(MsWatch *w)
{
	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	g_free(w);
}

void ms_directory_unwatch(MsDirectory *directory)
{
	ms_absent_stop(directory);
	g_clear_pointer(&directory->watch, ms_watch_free);
}
