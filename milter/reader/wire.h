/* What client, supervisor and worker say to one another.  Private to reader/. */
#ifndef MISSENT_READER_WIRE_H
#define MISSENT_READER_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "missent/reader.h"

/* missent-reader finds its control socket, its settings and its pulse socket here. */
#define CONTROL_FD 3
#define SETUP_FD 4
#define PULSE_FD 5

/* Control socket (SOCK_SEQPACKET), supervisor to client, one packet each: a letter and text. */
#define PACKET_READY 'R'  /* text: what of the confinement was not to be had, or empty */
#define PACKET_FAILED 'E' /* text: why; the supervisor ends */
#define PACKET_SHORT 'S'  /* text: what this host is short of; the supervisor ends */
#define PACKET_WORKER 'W' /* a WireWorker, with two descriptors: the worker's socket and its pidfd */
#define PACKET_MAX 1024
typedef struct {
	char letter;
	int32_t pid;
	uint64_t filter; /* the number of the filter that it was forked with; 0: none */
} WireWorker;
/* Client to supervisor: a filter, with one descriptor: its image. */
#define PACKET_FILTER 'F'

/* Pulse socket (SOCK_SEQPACKET): client to supervisor, this letter; it answers with a WirePulse. */
#define PACKET_PULSE 'P'
typedef struct {
	int32_t why;   /* errno of what kept it from having another worker; 0: nothing */
	char what[28]; /* what failed */
} WirePulse;

/* Worker socket (SOCK_STREAM).  A job is this header with a descriptor; the answer is this
 * header and `len` bytes of reading. */
typedef struct {
	char magic[8];
	uint64_t len;
} WireHeader;
#define JOB_MAGIC "MSJOB003" /* with one or two descriptors: the message, what was added to the filter */
#define DOCUMENT_MAGIC "MSDOC001" /* as JOB, and a WireQuestion that says which bytes */
#define ANSWER_MAGIC "MSREAD02"
#define QUESTION_MAGIC "MSASK001" /* from the worker; `len` bytes: a WireQuestion and what it has */
#define REPLY_MAGIC "MSHELP01"    /* to the worker; `len` bytes of reading, 0: no */

#define WIRE_AS 128
typedef struct {
	uint64_t start, end; /* of the message; both 0: the bytes follow the question */
	char as[WIRE_AS];    /* how to take them; ends with a NUL */
} WireQuestion;
#define MAX_QUESTIONS 2000     /* a message */
#define MAX_PICTURE (40u << 20) /* bytes of a picture that is to be recognised */

/* kinds text, limits of costs, depth, milliseconds, memory, OCR resolution,
 * confidence and coverage, workers, jobs,
 * sandbox optional, passwords, OCR languages, whether questions are answered */
#define SETUP_FORMAT "(satuttuuuuubassb)"

/* Writes all of it into a file. */
bool wire_fill(int fd, const void *data, size_t len);

/* Does this errno say that something of the host is used up for now: descriptors, processes,
 * memory?  Then neither the other side nor the settings are at fault. */
bool wire_is_short(int why);

/* Sends `len` bytes with `n` descriptors; false and errno on failure. */
bool wire_send(int fd, const void *data, size_t len, const int *fds, unsigned n, int flags);
/* Receives up to `len` bytes and up to `n` descriptors (close-on-exec; absent ones are -1). */
ssize_t wire_receive(int fd, void *data, size_t len, int *fds, unsigned n, int flags);

/* sandbox.c */
typedef struct MsSandbox MsSandbox;
/* Builds everything that can be built before a fork.  What this system does not offer is said
 * in `*missing_out`; NULL when nothing is missing.  NULL and errno: it is short of something. */
MsSandbox *sandbox_prepare(char **missing_out);
/* Confines the calling process for good; once in a process.  NULL, or what failed. */
const char *sandbox_enter(const MsSandbox *sandbox, uint64_t memory, unsigned cpu_seconds);
/* Leaves a worker's descriptors: its job at 3, `null` as what it says.  False: it must end. */
bool sandbox_descriptors(int job, int null);

/* worker.c: never returns. */
typedef struct {
	const MsKinds *kinds;
	MsLimits limits;
	unsigned jobs;
	MsWorkFunc work;
	char **passwords;
	bool help; /* questions are answered */
	MsFilter *filter; /* or NULL */
	uint64_t filter_number;
} WorkerSetup;
void worker_serve(int fd, const WorkerSetup *setup) __attribute__((noreturn));

#endif
