/*
 * wire.h - what crosses between the wings on sockets: client, supervisor and worker.
 *
 * WHAT    The packets and headers that they send one another, and descriptors with them.
 * OWNS    Nothing.
 * ERRORS  false or -1, and errno.
 * THREADS Safe; a socket belongs to who uses it.
 * LIMITS  Those of each packet.  What it carries is checked by who receives it.
 * NOT     Does not know what a reading says (reading.h).
 */
#ifndef MISSENT_WIRE_H
#define MISSENT_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "missent/filter.h"

/* missent-reader finds its control socket, its settings and its pulse socket here. */
#define MS_CONTROL_FD 3
#define MS_SETUP_FD 4
#define MS_PULSE_FD 5

/* Control socket (SOCK_SEQPACKET), supervisor to client, one packet each: a letter and text. */
/* text: what of the confinement was not to be had, or empty; then, if workers might be put back, a
 * new line and what became of that */
#define MS_PACKET_READY 'R'
#define MS_PACKET_FAILED 'E' /* text: why; the supervisor ends */
#define MS_PACKET_SHORT 'S'  /* text: what this host is short of; the supervisor ends */
/* a MsWireWorker, with two descriptors: the worker's socket and its pidfd; one that is put back
 * after its job (`serial` not 0) comes with its socket alone */
#define MS_PACKET_WORKER 'W'
#define MS_PACKET_MAX 1024
typedef struct {
	char letter;
	int32_t pid;
	uint64_t filter; /* the number of the filter that it was forked with; 0: none */
	uint64_t serial; /* of this job of it, if it is put back; 0: it ends with its job */
	int64_t before;  /* microseconds that it had computed before this job */
} MsWireWorker;
/* Client to supervisor: a filter, with one descriptor: its image. */
#define MS_PACKET_FILTER 'F'
/* ... a worker was killed: it may take its time to die, and another may take its place now.  With a
 * `serial`: this one is to be killed, for another job of it may have begun. */
#define MS_PACKET_KILLED 'K'

/* Pulse socket (SOCK_SEQPACKET): client to supervisor, a MsWireAsk; it answers with a
 * MsWirePulse. */
#define MS_PULSE_MAGIC "PULSE002"
#define MS_PACKET_PULSE 'P'
typedef struct {
	char letter;
	int32_t pid; /* a worker whose line was closed, or 0 */
} MsWireAsk;
/* BY_ANOTHER: neither it nor its limits nor who is at the two ends of this socket.  Said once. */
typedef enum { MS_ENDED_BY_ITSELF, MS_ENDED_BY_ANOTHER, MS_ENDED_NOT_YET } MsWireEnded;
typedef struct {
	int32_t pid, ended; /* the worker that was asked after, and a MsWireEnded */
	int32_t why;   /* errno of what kept it from having another worker; 0: nothing */
	char what[28]; /* what failed */
} MsWirePulse;

/* Worker socket (SOCK_STREAM).  A job is this header with a descriptor, then a MsWireJob and
 * the `bytes` of its passwords; the answer is this header and `len` bytes of reading. */
typedef struct {
	char magic[8];
	uint64_t len;
} MsWireHeader;
/* with one or two descriptors: the message, what was added to the filter */
#define MS_JOB_MAGIC "MSJOB004"
#define MS_DOCUMENT_MAGIC "MSDOC003" /* as JOB, and a MsWireQuestion that says which bytes */
#define MS_ANSWER_MAGIC "MSREAD03"
/* instead of an answer, from the small reader; `len` 0: not for this one */
#define MS_BEYOND_MAGIC "MSBEYOND"
/* from the worker; `len` bytes: a MsWireQuestion and what it has */
#define MS_QUESTION_MAGIC "MSASK002"
#define MS_REPLY_MAGIC "MSHELP02"    /* to the worker; `len` bytes of reading, 0: no */

/* What is special about one message.  Limits are never above those of the setup. */
typedef struct {
	uint64_t pages, text, ocr;
	int64_t milliseconds;
	uint32_t n, bytes; /* passwords beside those of the setup, each a text with its NUL */
} MsWireJob;
#define MS_PASSWORDS_MOST 64
#define MS_PASSWORD_BYTES 127

#define MS_WIRE_AS 512
typedef struct {
	uint64_t start, end; /* of the message; both 0: the bytes follow the question */
	char as[MS_WIRE_AS];    /* how to take them; ends with a NUL */
} MsWireQuestion;
#define MS_MAX_QUESTIONS 2000     /* a message */
#define MS_MAX_PICTURE (40u << 20) /* bytes of a picture that is to be recognised */

/* kinds text, limits of costs, depth, milliseconds, memory, OCR resolution,
 * confidence and coverage, workers, jobs,
 * sandbox optional, passwords, OCR languages, whether questions are answered, guesses need not
 * be told, and workers may be put back */
#define MS_SETUP_FORMAT "(satuttuuuuubassbbb)"

/* The argument of missent-reader, which works for no program that speaks otherwise: one that is at
 * work while others are installed. */
#define MS_WIRE_VERSION                                                                        \
	MS_SETUP_FORMAT MS_JOB_MAGIC MS_DOCUMENT_MAGIC MS_ANSWER_MAGIC MS_QUESTION_MAGIC       \
		MS_REPLY_MAGIC MS_FILTER_MAGIC MS_PULSE_MAGIC

/* Does this errno say that something of the host is used up for now: descriptors, processes,
 * memory?  Then neither the other side nor the settings are at fault. */
bool ms_wire_is_short(int why);

/* Sends `len` bytes with `n` descriptors; false and errno on failure. */
bool ms_wire_send(int fd, const void *data, size_t len, const int *fds, unsigned n, int flags);
/* Receives up to `len` bytes and up to `n` descriptors, 4 at the most (close-on-exec; absent ones
 * are -1, for which this process may have had no room; more than `n` are closed).  A packet of more
 * bytes is EMSGSIZE. */
ssize_t ms_wire_receive(int fd, void *data, size_t len, int *fds, unsigned n, int flags);

/* How a message is to be taken when somebody looks at it. */
#define MS_VIEW_TEXTS "view texts"
#define MS_VIEW_PART "view part " /* and a path */
#define MS_VIEW_MAX_BYTES (6u << 20)

#endif
