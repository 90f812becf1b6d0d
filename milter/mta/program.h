/* Shared by the files of mta/: a program is run and waited for, but not for ever. */
#ifndef MISSENT_MTA_PROGRAM_H
#define MISSENT_MTA_PROGRAM_H

#include <glib.h>
#include <stdbool.h>

typedef struct {
	const char *const *argv; /* ends with NULL; looked for in PATH */
	int in, out, err;        /* -1: none */
	gint64 timeout_ms;
	const char *setting; /* that says so; NULL: none */
	bool alone; /* what it has begun is not ended with it */
} MtaProgram;

typedef enum { MTA_ENDED, MTA_NOT_STARTED, MTA_LATE } MtaRan;

/* `*status_out` is what waitpid() says of one that ended by itself; else `*error`.  What one that
 * was late has begun may be done all the same. */
MtaRan mta_program_run(const MtaProgram *program, int *status_out, GError **error);

/* As ms_mta_ask(), with its length (postconf.c). */
GString *mta_ask(const char *const *argv, GError **error);

#endif
