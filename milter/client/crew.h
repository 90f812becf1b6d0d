/* One missent-reader process and its workers, as missentd sees them.  Private to client/.
 *
 * A crew is shared by who waits for a worker of it and who has one; it is counted, and with the
 * last of them its process is gone.  Once gone, a crew stays so: another takes its place.
 *
 * Threads: any. */
#ifndef MISSENT_CLIENT_CREW_H
#define MISSENT_CLIENT_CREW_H

#include <glib.h>
#include <stdbool.h>

#include "missent/reader.h"

typedef struct MsCrew MsCrew;

typedef struct {
	MsCrew *crew;
	int socket, pidfd;
	pid_t pid;
	unsigned jobs_left;
	guint64 filter; /* that it was forked with */
	guint64 serial; /* of its job, if it is put back after that; 0: it ends with it */
	gint64 before;  /* microseconds that it had computed before */
	bool small;     /* it may hand a message on to the full reader */
} Worker;

/* Starts `program`, which is `held` open if it could be (else -1): that one, whatever has its name
 * since.  Waits until its first worker is confined and ready.  MS_ERROR_CONFIG: it would be no
 * better another time. */
MsCrew *crew_start(
	const char *program, int held, GBytes *setup, char **warning_out, GError **error);
/* How it has its workers, for a log; NULL: as ever. */
const char *crew_workers(const MsCrew *crew);
MsCrew *crew_ref(MsCrew *crew);
void crew_unref(MsCrew *crew);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsCrew, crew_unref)

/* Kills the process and, with it, all its workers. */
void crew_end(MsCrew *crew);
/* Has its process ended, by itself or by crew_end()? */
bool crew_is_gone(MsCrew *crew);
/* Does it answer within `ms`?  What it is short of, if anything, is kept for crew_trouble(). */
bool crew_pulse(MsCrew *crew, int ms);
/* What keeps it from having workers, or NULL (caller frees). */
char *crew_trouble(MsCrew *crew);
/* The worker's line was closed: did somebody else end it (for want of memory, by hand), and not
 * what it was reading?  True once. */
bool worker_was_ended(const Worker *worker);
/* From now on it forks workers with this filter. */
bool crew_know(MsCrew *crew, int image, guint64 number);

/* SHORT: this process has no descriptor for a worker that was there. */
typedef enum { GOT_WORKER, GOT_NOTHING, GOT_SHORT, GOT_GONE } Got;
Got crew_take(MsCrew *crew, int timeout_ms, Worker *out);
void worker_close(Worker *worker);
/* ... and ends it, whatever it is doing. */
void worker_kill(Worker *worker);
/* What it has computed since it was taken, in microseconds. */
gint64 worker_cpu(const Worker *worker);
/* From now on it steps back behind who wants a processor: a little, or (`far`) behind nearly
 * all. */
void worker_step_back(const Worker *worker, bool far);

#endif
