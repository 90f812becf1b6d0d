/* Shared by the files of reader/: the confinement, and a worker in it. */
#ifndef MISSENT_READER_PRIVATE_H
#define MISSENT_READER_PRIVATE_H

#include <sys/types.h>

#include "missent/wire.h"
#include "missent/worker.h"

/* sandbox.c */
typedef struct MsSandbox MsSandbox;
/* Builds everything that can be built before a fork.  `tables`: workers may read those that
 * Poppler has of East Asian characters.  What this system does not offer is said
 * in `*missing_out`; NULL when nothing is missing.  NULL and errno: it is short of something. */
MsSandbox *sandbox_prepare(bool tables, char **missing_out);
/* The supervisor, which goes on making workers, takes upon itself what all of them have: it opens
 * no file any more.  Where that cannot be had, each worker has all of it by itself. */
void sandbox_share(MsSandbox *sandbox);
bool sandbox_is_shared(const MsSandbox *sandbox);
/* Confines the calling process for good; once in a process; `traced`: with the second filter, too.
 * NULL, or what failed. */
const char *sandbox_enter(
	const MsSandbox *sandbox, uint64_t memory, unsigned cpu_seconds, bool traced);
typedef struct {
	uintptr_t start;
	size_t size; /* of the first; as large a one follows */
	uintptr_t fresh; /* memory that may be given back, whole */
	size_t fresh_size;
} MsRooms;
/* The supervisor of workers that are put back (restore.c): it opens no file but what tells of
 * processes.  They have a second filter, by which it is told what may leave something behind. */
bool sandbox_trace_others(MsSandbox *sandbox, const MsRooms *rooms);
#define MS_TRACE_POINT 1  /* it is at restore_point() */
#define MS_TRACE_SPOILS 2
#define MS_WORKER_FDS 8
/* Leaves a worker's descriptors: its job at 3, `null` as what it says.  False: it must end. */
bool sandbox_descriptors(int job, int null);

/* deaths.c: of a worker that is forked; before the supervisor kills one itself; when one ended,
 * whose limit of computing is `seconds`.  Did somebody else end it?  Told once. */
struct rusage;
void deaths_begin(pid_t pid);
void deaths_ours(pid_t pid);
void deaths_see(pid_t pid, int status, const struct rusage *used, unsigned seconds);
bool deaths_tell(pid_t pid);

/* heap.c: at the start; and once, when all is warm. */
void heap_begin(void);
void heap_settle(bool documents, bool restored);

/* pages.c: once, before the first fork. */
void pages_enlarge(void);

/* restore.c: workers that are put back from outside.  For the supervisor: */
#define MS_MOST_RESTORED 1024
typedef struct Restored Restored;
/* `seconds` of computing that each message may take.  False and errno: it cannot be had here. */
bool restored_prepare(unsigned workers, double seconds);
/* It is not to be had after all. */
void restored_forget(void);
/* Before workers are forked that have other memory than those before. */
bool restored_renew(void);
/* Bytes of addresses that a worker has beside those that it has otherwise. */
size_t restored_extra(void);
void restored_rooms(MsRooms *out);
/* A child that was just forked; `line` is the other end of the one that it has.  NULL: it is to be
 * killed.  `line` is taken in any case. */
Restored *restored_new(pid_t pid, int line);
Restored *restored_find(pid_t pid);
void restored_free(Restored *w);
/* With what waitpid() says of it. */
typedef enum { RESTORED_READY, RESTORED_GOES_ON, RESTORED_KILL } RestoredStop;
RestoredStop restored_stopped(Restored *w, int status);
/* One that is ready goes on, with the socket of its next job. */
bool restored_go(Restored *w, int socket);
uint64_t restored_serial(const Restored *w);      /* of that job: never the same twice */
int64_t restored_microseconds(const Restored *w); /* what it had computed before it */
/* Who has its job wants it killed.  False: it has another one already, after which it is. */
bool restored_let_go(Restored *w, uint64_t serial);
/* ... for the worker: at its start, before it is confined; where it is put back to, and each time
 * after that; where a file is to be mapped. */
bool restored_begin(int line);
void restore_point(void);
void restored_clean(void);
void *restored_place(unsigned which, size_t len);

/* worker.c: never returns. */
typedef struct {
	const MsKinds *kinds;
	MsLimits limits;
	unsigned jobs;
	MsWorkFunc work;
	char **passwords;
	bool help; /* questions are answered */
	bool lean; /* guesses that count for nothing need not be told */
	bool restored;    /* it is put back after each job */
	MsFilter *filter; /* or NULL */
	uint64_t filter_number;
} WorkerSetup;
/* ... of one that is put back: jobs come along `line`. */
void worker_serve_restored(int line, const WorkerSetup *setup) __attribute__((noreturn));
void worker_serve(int fd, const WorkerSetup *setup) __attribute__((noreturn));

#endif
