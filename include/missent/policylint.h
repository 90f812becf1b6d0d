/*
 * policylint.h - are policies and kinds likely to be what was meant?
 *
 * WHAT    Goes through one table of checks over the files of policies and kinds: what cannot be
 *         loaded, what never has an effect, what lets out more than anybody means to, patterns
 *         that match anything or run away, and, where there is mail to set them against, policies
 *         that apply to none of it.
 * OWNS    The findings are the caller's.
 * ERRORS  A folder that cannot be read is a GError; a file that cannot be loaded is a finding.
 * THREADS Any; nothing is shared.
 * LIMITS  1000 policies; of a check MS_LINT_MOST findings a policy.
 * NOT     Judges no mail and changes nothing.  A pattern is tried on hostile texts made from it,
 *         not proved.
 */
#ifndef MISSENT_POLICYLINT_H
#define MISSENT_POLICYLINT_H

#include <glib.h>
#include <stdbool.h>

#include "missent/envelope.h"
#include "missent/kind.h"
#include "missent/settings.h"

#define MS_LINT_MOST 20

/* In the order of their weight.  A fault: mail is judged otherwise than the file says.  */
typedef enum { MS_LINT_WARNING, MS_LINT_FAULT, MS_N_LINT } MsLintWeight;
extern const char *const ms_lint_weight_names[MS_N_LINT + 1];

typedef struct {
	const char *check;   /* the name of its row */
	MsLintWeight weight;
	char *file;
	int line;            /* 0: the file as a whole */
	char *about;         /* a policy's or kind's title, or "" */
	char *text, *remedy;
} MsLintFinding;

/* Mail of the past, for policies that apply to none. */
typedef struct {
	guint64 messages;           /* of the trail */
	gint64 since;               /* the first of them; microseconds since 1970 */
	/* of char *: titles of policies that applied to one; NULL: no trail */
	GHashTable *applied;
	const GPtrArray *envelopes; /* of MsEnvelope: of a mail log; NULL: none */
	bool (*sender_seen)(const char *address,
		void *user); /* "a@b", "@b": in the trail?  NULL: cannot be asked */
	void *user;
} MsLintMail;
/* So many messages must be known before a policy that none of them fell under is told. */
#define MS_LINT_MESSAGES 50

typedef struct {
	const char *dir;          /* of policies; kinds beside kinds_file */
	const char *kinds_file;
	MsMode mode;
	const MsSettings *settings; /* NULL: what depends on missent.conf is not looked at */
	const MsLintMail *mail;     /* NULL: none */
	bool in_use;                /* they are this host's: is one of them for its mail? */
} MsLintOptions;

/* Of MsLintFinding, by file and line. */
GPtrArray *ms_policy_lint(const MsLintOptions *options, GError **error);

/* The rows of the table. */
typedef struct {
	const char *name, *looks;
	MsLintWeight weight;
} MsLintRow;
/* NULL: there are no more. */
const MsLintRow *ms_policy_lint_row(guint nth);

#endif
