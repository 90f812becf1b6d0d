/*
 * usage.h - the options of a program that is no tool of subcommands, and what --help says of it.
 *
 * WHAT    One shape for all: usage, options with their defaults, a last word with the manual page.
 * OWNS    Nothing.
 * ERRORS  An option that is none, or lacks its argument, ends the process with 64 and says which.
 * THREADS At the start of a program.
 * LIMITS  MS_USAGE_MOST options.
 * NOT     Checks no argument.
 */
#ifndef MISSENT_USAGE_H
#define MISSENT_USAGE_H

#define MS_USAGE_MOST 16

typedef struct {
	char letter;          /* 0: a long name alone */
	const char *name, *argument, *help; /* `argument` NULL: none */
} MsOption;

typedef struct {
	const char *program, *what; /* "missentd", "judges mail for Postfix and Sendmail" */
	/* ends with name NULL; --help and --version come by themselves */
	const MsOption *options;
	const char *operands;       /* what comes behind, or NULL */
	const char *more;           /* lines at the end */
} MsUsage;

/* The letter of the next option, what belongs to it in `*argument_out`; -1: no more, and
 * `*rest_out` is the first operand.  Ends the process for --help and --version. */
int ms_usage_next(
	const MsUsage *usage, int argc, char **argv, const char **argument_out, int *rest_out);
/* "PROGRAM: WHY (see PROGRAM --help)"; returns 64. */
int ms_usage_wrong(const MsUsage *usage, const char *why);
/* "PROGRAM: WHAT: WHY" (either may be empty), and who it is that may not; returns `code`. */
int ms_usage_ended(const char *program, int code, const char *what, const char *why);
/* Who it is that may not, where `why` says that somebody may not; else NULL. */
const char *ms_usage_lacks(const char *why);

#endif
