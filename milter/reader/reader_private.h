/* Shared by the files of reader/: the confinement, and a worker in it. */
#ifndef MISSENT_READER_PRIVATE_H
#define MISSENT_READER_PRIVATE_H

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
/* Confines the calling process for good; once in a process.  NULL, or what failed. */
const char *sandbox_enter(const MsSandbox *sandbox, uint64_t memory, unsigned cpu_seconds);
/* Leaves a worker's descriptors: its job at 3, `null` as what it says.  False: it must end. */
bool sandbox_descriptors(int job, int null);

/* heap.c: at the start; and once, when all is warm. */
void heap_begin(void);
void heap_settle(bool documents);

/* pages.c: once, before the first fork. */
void pages_enlarge(void);

/* worker.c: never returns. */
typedef struct {
	const MsKinds *kinds;
	MsLimits limits;
	unsigned jobs;
	MsWorkFunc work;
	char **passwords;
	bool help; /* questions are answered */
	bool lean; /* guesses that count for nothing need not be told */
	MsFilter *filter; /* or NULL */
	uint64_t filter_number;
} WorkerSetup;
void worker_serve(int fd, const WorkerSetup *setup) __attribute__((noreturn));

#endif
