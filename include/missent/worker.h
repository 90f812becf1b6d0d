/*
 * worker.h - inside missent-reader: what a worker is given, and the programs that are made of it.
 *
 * WHAT    One job (a message, or a document of one) and what a program does with it; the main
 *         function of missent-reader, missent-reader-text, missent-ocr and missent-picture.
 * OWNS    A job is borrowed for the call; what is found goes into its reading.
 * ERRORS  None: what cannot be read is noted in the reading as unread.
 * THREADS One worker process, one thread, one job at a time.
 * LIMITS  The job's budget.
 * NOT     Knows no customer, and nothing of who asks (reader.h).
 */
#ifndef MISSENT_WORKER_H
#define MISSENT_WORKER_H

#include <glib.h>
#include <stdbool.h>

#include "missent/budget.h"
#include "missent/filter.h"
#include "missent/help.h"
#include "missent/kind.h"
#include "missent/reading.h"

typedef struct {
	const MsKinds *kinds;
	const MsFilters *known;
	const guint8 *data; /* a message; or a document, as its bytes stand in the message */
	gsize len;
	const char *as;     /* NULL: a message.  Else how to take the document */
	MsBudget *budget;
	MsReading *reading;
	const char *const *passwords;
	const MsHelp *help; /* or NULL */
	guint ocr_dpi;
	guint ocr_confidence, ocr_coverage; /* per cent; see MsLimits */
	bool last; /* of its process, with which all that it takes goes */
} MsJob;

/* What a worker does with one job.  Production has one for each program; tests have worse. */
typedef void (*MsWorkFunc)(const MsJob *job);

typedef struct {
	/* opens what needs files; before confinement */
	bool (*init)(const char *languages, GError **error);
	MsWorkFunc work;
	const char *warm; /* a message that is read before the first real one, or NULL */
	bool no_tables;   /* it opens no file at all: there is no document that it reads */
	void (*begin)(void); /* makes what every worker writes to; before all else, or NULL */
} MsReaderProgram;

int ms_reader_main(int argc, char **argv, const MsReaderProgram *program);
void ms_reader_work(const MsJob *job);
extern const MsReaderProgram ms_reader_program;
extern const MsReaderProgram ms_reader_text_program; /* without what reads documents */

#endif
