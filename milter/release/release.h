/* One MTA's queue: a function a verb.  Each returns an exit code of sysexits(3). */
#ifndef MISSENT_RELEASE_H
#define MISSENT_RELEASE_H

#include <stdbool.h>
#include <sys/types.h>

typedef struct Mta Mta;
struct Mta {
	int (*list)(const Mta *mta);
	int (*show)(const Mta *mta, const char *id);
	int (*release)(const Mta *mta, const char *id);
	int (*requeue)(const Mta *mta, const char *id); /* NULL: this MTA has no such thing */
	int (*delete)(const Mta *mta, const char *id);
	/* Postfix: a directory; Sendmail: a .cf file; NULL: the MTA's default */
	const char *config;
	const char *queue;   /* Sendmail's queue directory */
	const char *program; /* Sendmail itself */
};
extern const Mta release_postfix, release_sendmail;

/* main.c */
int release_usage(const char *why);
int release_fail(int code, const char *what);
bool release_become_root(void);
pid_t release_start(const char *const *argv, int out, int err);
int release_wait(pid_t pid);
/* Its exit code. */
int release_run(const char *const *argv, int out);

#endif
