/*
 * Libraries that are loaded when they are first used.
 */
#ifndef MISSENT_LATE_H
#define MISSENT_LATE_H

#include <glib.h>
#include <stdbool.h>

typedef void (*MsLateFunction)(void);

/* Loads `file`, a name that the system's loader finds, for good, and looks up the functions that
 * `names`, which ends with NULL, has; each goes to its place in `functions`.  When the library is
 * not there or lacks one of them, false, `*why_out` (the caller's) names it, and what is in
 * `functions` is not to be used. */
bool ms_late_load(const char *file, const char *const *names, MsLateFunction *functions,
	char **why_out);

#endif
