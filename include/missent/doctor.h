/*
 * doctor.h - what is wrong with an installation, or open, and what to do about it.
 *
 * WHAT    Goes through one table of checks: settings and policies, the MTA's side, Redis, files and
 *         their rights, the host, and senders in the mail log.
 * OWNS    The complaints are the caller's.
 * ERRORS  A configuration that cannot be loaded is the caller's to report.  What a check could
 *         not look at is a complaint (MS_GRAVITY_UNKNOWN), never silence.
 * THREADS One examination at a time in a process: it becomes other users in children of its own.
 * LIMITS  Those of maillog.h.
 * NOT     Mends nothing.
 */
#ifndef MISSENT_DOCTOR_H
#define MISSENT_DOCTOR_H

#include <glib.h>
#include <stdbool.h>

#include "missent/engine.h"

/* In the order of their weight.  UNKNOWN: could not be looked at. */
typedef enum { MS_GRAVITY_UNKNOWN, MS_GRAVITY_WARNING, MS_GRAVITY_FAULT } MsGravity;
extern const char *const ms_gravity_names[];

typedef struct {
	const char *check; /* the name of its row */
	MsGravity gravity;
	char *text;        /* what is wrong, and what follows from it */
	char *remedy;
} MsComplaint;

/* Has mail of ours sent through each listener (desk.h), and tells what became of it.  False:
 * none could be sent. */
typedef void (*MsDoctorTell)(bool well, const char *listener, const char *text, void *user);
typedef bool (*MsDoctorProbe)(const char *config, MsDoctorTell tell, void *user, GError **error);

typedef struct {
	MsRuntime *runtime;
	const char *config;   /* path of missent.conf */
	bool all;             /* what happens now too, not only what is configured */
	const char *mail_log; /* NULL: that of the settings, or of the MTA */
	const char *only;     /* one check; NULL: each */
	MsDoctorProbe probe;  /* NULL: no mail is sent */
} MsDoctorOptions;

/* Of MsComplaint, the gravest first.  NULL: `only` is no check, and what are. */
GPtrArray *ms_doctor_examine(const MsDoctorOptions *options, GError **error);

/* The rows of the table. */
typedef struct {
	const char *name, *looks, *remedy;
	MsGravity gravity;
	bool configured; /* looks at what is configured alone */
} MsCheckRow;
/* NULL: there are no more. */
const MsCheckRow *ms_doctor_row(guint nth);

/* ---- one way in ------------------------------------------------------------------------- */

/* Through a listener; from a program of this host; past a milter that does not answer. */
typedef enum { MS_WAY_LISTENER, MS_WAY_LOCAL, MS_WAY_OPEN } MsWay;
typedef struct MsWays MsWays;
MsWays *ms_ways_new(MsRuntime *runtime);
void ms_ways_free(MsWays *ways);
/* What the MTA, as it is configured now, has that keeps mail of that way from being judged; NULL:
 * nothing that is seen.  `instance` and `service` as the log has them (maillog.h). */
char *ms_ways_why(MsWays *ways, MsWay way, const char *instance, const char *service);

#endif
