/*
 * finding.h - an identifier and the places it was found.
 *
 * WHAT    One entry of a reading: what was found, where, and why it is believed.
 * OWNS    MsFinding owns all below it; freed with its reading.
 * ERRORS  None.
 * THREADS Plain data of one message.
 * LIMITS  MS_MAX_PLACES places are kept of a finding; `count` has them all.  Its places have at
 *         most MS_MAX_EITHER other meanings.
 * NOT     Whose it is: that is the directory's answer.
 */
#ifndef MISSENT_FINDING_H
#define MISSENT_FINDING_H

#include <glib.h>
#include <stdbool.h>

#include "missent/identifier.h"

#define MS_MAX_PLACES 8
#define MS_MAX_EITHER 15

/* Why a finding is believed; a set. */
typedef enum {
	MS_BELIEF_SHAPE = 1,     /* it looks like one */
	MS_BELIEF_CHECKED = 2,   /* its check digits agree */
	MS_BELIEF_LABELLED = 4,  /* the words before it say so */
	MS_BELIEF_FIELD = 8,     /* a structured document names it so */
	/* one of several readings: counts only if the directory knows it */
	MS_BELIEF_TENTATIVE = 16,
	MS_BELIEF_SELLER = 32,    /* nowhere but where a document names its sender */
	/* always of a public scheme (GLN, DUNS), not of the sender's own */
	MS_BELIEF_SCHEME = 64,
	MS_BELIEF_EXACT = 128,    /* it stands in one piece as the directory has it */
	MS_BELIEF_ADDRESSED = 256, /* nowhere but in the address fields of the message itself */
	/* Nowhere but tentatively, and the directory has nothing like it: it counts for nothing. */
	MS_BELIEF_GUESS = 512,
	MS_BELIEF_EITHER = 1024 /* one of several that its place may mean: MsFinding's `either` */
} MsBelief;

/* What a person is told of it, and policies ask for: a set. */
typedef enum {
	MS_LEVEL_EXACT = 1,
	MS_LEVEL_CHECKED = 2,
	MS_LEVEL_LABELLED = 4,
	MS_LEVEL_SHAPE = 8,
	MS_LEVEL_EITHER = 16
} MsLevel;
#define MS_N_LEVELS 5
extern const char *const ms_level_names[MS_N_LEVELS + 1]; /* NULL-terminated, bit by bit */
guint ms_belief_levels(guint belief);
/* "exact, labelled"; the caller's. */
char *ms_belief_words(guint belief);

typedef struct {
	char *where;  /* "part 2 text/html", "header Subject", "part 3 factur-x.xml BT-48" */
	char *text;   /* as it was written, cut at 200 bytes */
	char *before; /* up to 60 bytes of what stands before and after */
	char *after;
	guint search; /* detect's, to know a place that it found before; they do not cross */
	gsize start;
} MsPlace;

typedef struct {
	char *kind;
	char *value; /* canonical */
	/* Of MsIdentifier, by kind and value: what else each of its places may mean; NULL: nothing.
	 * The same identifier where it is meant for certain is another finding. */
	GPtrArray *either;
	guint belief;
	/* Of its places; the first MS_MAX_PLACES count once, for however many reasons. */
	guint count;
	guint64 faces;     /* bit n: found in face n of the reading */
	guint64 texts;     /* bit n: in what the digest of its text is of (reading.h) */
	GPtrArray *places; /* of MsPlace */
} MsFinding;

/* Of all that its places may mean, is it the one that its kind counts?  One place is one. */
bool ms_finding_leads(const MsFinding *finding);

#endif
