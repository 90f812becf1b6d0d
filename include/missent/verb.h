/*
 * verb.h - what can be decided of held mail: one table.
 *
 * WHAT    For each verb: its name, what is said with it, from which states it goes to which,
 *         whether it is final, who may, and its words of help.  Command line, page, requests
 *         between programs and texts are made of these rows; nothing else knows a verb by its
 *         letters.
 * OWNS    Constants.
 * ERRORS  ms_verb_parse(): MS_ERROR_INPUT, with the nearest verb.
 * THREADS Constants and pure functions.
 * LIMITS  None.
 * NOT     Does nothing: how each is carried out, the desk knows (milter/desk/carry.c), in a table
 *         with a row for each of these.
 */
#ifndef MISSENT_VERB_H
#define MISSENT_VERB_H

#include <glib.h>
#include <stdbool.h>

#include "missent/role.h"
#include "missent/word.h"

typedef enum {
	MS_VERB_RELEASE,
	MS_VERB_RETURN,
	MS_VERB_DELETE,
	MS_VERB_NOTE,
	MS_VERB_ASSIGN,
	MS_VERB_BELONGS,
	MS_VERB_MAY_RECEIVE,
	MS_VERB_REJUDGE,
	/* about a decision that waits, by a second person */
	MS_VERB_AGREE,
	MS_VERB_WITHDRAW,
	/* read from a record, where none of the above stands: damaged, or of a newer version */
	MS_VERB_UNKNOWN,
	MS_N_VERBS,
} MsVerb;

/* What may be said with a verb. */
typedef enum {
	MS_SAY_RECIPIENTS, /* to some of them only; or who may receive */
	MS_SAY_RIGHTFUL,   /* to those with a right to it, whoever they are */
	MS_SAY_OTHERS,     /* how many get what is another's: a number */
	MS_SAY_ACCOUNT, MS_SAY_IDENTIFIER, MS_SAY_ASSIGNEE,
	MS_SAY_WHY,
	MS_N_SAYS,
} MsSay;

/* One of those, of one verb. */
typedef struct {
	MsSay say;
	bool needed;
	MsWordKind kind;
	const char *option;   /* of the command line: "to" */
	const char *argument; /* "ADDRESS"; NULL: it has none */
	const char *help;
} MsVerbSay;

typedef struct {
	const char *name;
	bool of_decision; /* it is about a decision; else about messages */
	bool many;        /* also about all messages that have something in common */
	bool final;       /* the message goes, or is gone: the rule of two persons applies */
	/* The directory has it from then on: by it mail goes that nobody decides on, so that what
	 * needs two persons where a policy or release-others says so is not one's by this way. */
	bool corrects;
	bool of_damaged;  /* also where the record is damaged */
	guint from;       /* in which states (a set: 1 << MS_STATE_HELD) the message may be */
	int to;           /* the state of the recipients it is about, afterwards; -1: as before */
	MsRole role;      /* who may, on the page: this one or a greater */
	const MsVerbSay *says; /* ends with option NULL */
	const char *arguments; /* "QUEUEID..." */
	const char *help;
} MsVerbRow;

extern const MsVerbRow ms_verbs[MS_N_VERBS];

/* Refuses "unknown" too. */
bool ms_verb_parse(const char *field, const char *word, MsVerb *verb_out, GError **error);
/* MS_VERB_UNKNOWN if it is none: for records, not for what somebody asks. */
MsVerb ms_verb_named(const char *word);
/* NULL: this is not said with it. */
const MsVerbSay *ms_verb_says(MsVerb verb, MsSay say);
/* The key of JSON: "recipients". */
extern const char *const ms_say_names[MS_N_SAYS + 1];

#endif
