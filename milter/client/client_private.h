/* What the two files of the reader's client share: client.c (processes, filters, turns) and job.c
 * (one message with one worker).  Private to client/. */
#ifndef MISSENT_CLIENT_PRIVATE_H
#define MISSENT_CLIENT_PRIVATE_H

#include <pthread.h>

#include "missent/wire.h"

#include "cache.h"
#include "crew.h"
#include "queue.h"

/* The filters that a message is read with, and its own number. */
typedef struct {
	guint64 number;
	int added; /* a memory file, or -1 */
	guint64 message;
} Known;

struct MsReader {
	char *program;
	int held; /* the file that it was when this was made, or -1 */
	MsKinds *kinds;
	GBytes *setup, *setup_alone; /* the second for a process that reads one message */
	MsLimits limits;
	unsigned jobs;
	gint64 wait_ms;
	MsQueue *queue;
	MsCache *cache;  /* or NULL */
	MsReader *ocr;   /* recognises what is written in pictures, or NULL */
	/* the small reader: has mail first, and hands on what has documents; or NULL */
	MsReader *text;
	bool small;      /* is one itself */

	pthread_mutex_t starting; /* held while a crew is replaced */
	pthread_mutex_t lock; /* all below */
	MsCrew *crew;         /* replaced when it died or hung */
	GArray *idle;         /* of Worker: those with jobs left */
	int image;            /* the filter: a memory file, or -1 */
	guint64 filter;       /* its number; 0: none */
	Known known;          /* number: of the latest change */
	guint alone;          /* messages that are read once more, each in a process of its own */
	pthread_cond_t fewer_alone;
	GString *news;
	MsReaderStats stats;
	guint64 last_message;
	/* mail that may have documents; of 256, how much of it had: a running average */
	guint mixed, handed_on;

	pthread_t watcher;
	bool watching, ending;
	pthread_cond_t end;
};

void known_clear(Known *known);

/* `fresh`: one that has read nothing yet.  NULL errors are allowed. */
bool client_acquire(MsReader *reader, Worker *worker, Known *known, gint64 wait_ms, bool fresh,
	GError **error);
/* The worker has done its job, or (not `fine`) is ended. */
void client_finish(MsReader *reader, Worker *worker, bool fine);

/* job.c.  UNTOUCHED: the worker was dead before it took the job, so another may have it.  YIELD:
 * it is dear, and others wait.  SHORT (and errno): this host lacks what handing it over needs.
 * BEYOND: it is for the full reader.  ENDED: somebody else ended the worker, so another may have
 * the job, once.  LIED: what came back is no reading (client.c finds that). */
typedef enum {
	JOB_DONE,
	JOB_LATE,
	JOB_LOST,
	JOB_ENDED,
	JOB_LIED,
	JOB_UNTOUCHED,
	JOB_YIELD,
	JOB_SHORT,
	JOB_BEYOND
} JobEnd;
/* `turn` NULL: it need not look who waits. */
/* client.c: a job ended otherwise than it should. */
void client_count(MsReader *reader, JobEnd end);
/* ... and its message, or a document of it, is read once more. */
void client_read_again(MsReader *reader);
/* What is special about its message; both borrowed, neither NULL but for the passwords. */
typedef struct {
	const MsLimits *limits;
	const char *const *passwords;
} Special;
JobEnd job_run(MsReader *reader, const Worker *worker, const Known *known, int fd,
	const MsWireQuestion *document, const Special *special, Turn *turn, gint64 deadline,
	GBytes **bytes_out);

#endif
