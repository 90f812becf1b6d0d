/* What client, supervisor and worker say to one another.  Private to reader/. */
#ifndef MISSENT_READER_WIRE_H
#define MISSENT_READER_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "missent/reader.h"

/* missent-reader finds its control socket and its settings here. */
#define CONTROL_FD 3
#define SETUP_FD 4

/* Control socket (SOCK_SEQPACKET), supervisor to client, one packet each: a letter and text. */
#define PACKET_READY 'R'  /* text: what of the confinement was not to be had, or empty */
#define PACKET_FAILED 'E' /* text: why; the supervisor ends */
#define PACKET_WORKER 'W' /* with two descriptors: the worker's socket and its pidfd */
#define PACKET_MAX 1024

/* Worker socket (SOCK_STREAM).  A job is this header with a descriptor; the answer is this
 * header and `len` bytes of reading. */
typedef struct {
	char magic[8];
	uint64_t len;
} WireHeader;
#define JOB_MAGIC "MSJOB001"
#define ANSWER_MAGIC "MSREAD01"

/* kinds text, limits of costs, depth, milliseconds, memory, workers, jobs, sandbox optional */
#define SETUP_FORMAT "(satuttuub)"

/* Sends `len` bytes with `n` descriptors; false and errno on failure. */
bool wire_send(int fd, const void *data, size_t len, const int *fds, unsigned n, int flags);
/* Receives up to `len` bytes and up to `n` descriptors (close-on-exec; absent ones are -1). */
ssize_t wire_receive(int fd, void *data, size_t len, int *fds, unsigned n, int flags);

/* sandbox.c */
typedef struct MsSandbox MsSandbox;
/* Builds everything that can be built before a fork.  What this system does not offer is said
 * in `*missing_out`; NULL when nothing is missing. */
MsSandbox *sandbox_prepare(char **missing_out);
/* Confines the calling process for good.  NULL, or what failed. */
const char *sandbox_enter(const MsSandbox *sandbox, uint64_t memory, unsigned cpu_seconds);

/* worker.c: never returns. */
typedef struct {
	const MsKinds *kinds;
	MsLimits limits;
	unsigned jobs;
	MsWorkFunc work;
} WorkerSetup;
void worker_serve(int fd, const WorkerSetup *setup) __attribute__((noreturn));

#endif
