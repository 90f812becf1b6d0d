/*
 * word.h - words that come from people and programs, looked at where they come in.
 *
 * WHAT    IDs, addresses, names and texts that cannot be empty, and words of a list: taken, or
 *         refused with the field, the value, and the nearest word that would do.
 * OWNS    Nothing; what is taken stays the caller's.
 * ERRORS  MS_ERROR_INPUT.
 * THREADS Pure functions.
 * LIMITS  MS_WORD_MAX bytes; a text (MS_WORD_TEXT, MS_WORD_CAUSE) MS_WORD_TEXT_MAX.
 * NOT     Does not know whether there is such a message, account or person (desk.h).
 */
#ifndef MISSENT_WORD_H
#define MISSENT_WORD_H

#include <glib.h>
#include <stdbool.h>

#define MS_WORD_MAX 1000
#define MS_WORD_TEXT_MAX 4000

typedef enum {
	MS_WORD_MESSAGE,    /* a record's uid, or a queue ID */
	MS_WORD_DECISION,   /* a decision's ID, or a group's */
	MS_WORD_ADDRESS,    /* a recipient, as the envelope has it */
	MS_WORD_MAILBOX,    /* LOCAL@DOMAIN, or @DOMAIN for all of one */
	MS_WORD_ACCOUNT,    /* a customer */
	MS_WORD_IDENTIFIER, /* the keyed digest that stands for one */
	MS_WORD_PERSON,     /* who decides, or is to */
	MS_WORD_PART,       /* of a message: "1.2" */
	MS_WORD_TEXT,       /* in a person's own words; may have several lines */
	MS_WORD_CAUSE,
	MS_WORD_ANY,        /* a part of an address, a policy, a host */
	MS_N_WORD_KINDS,
} MsWordKind;

/* False: it is empty or blank, too long, no UTF-8, has control characters, or is none of its kind.
 * `field` is what it was given as: "--to", "recipients". */
bool ms_word_check(MsWordKind kind, const char *field, const char *word, GError **error);
/* The place of a word in a list that ends with NULL. */
bool ms_word_choose(const char *const *names, const char *field, const char *word, int *place_out,
	GError **error);
/* "FIELD: \"WORD\" WHY; did you mean \"NEAREST\"?", the last where one of `names` (may be NULL) is
 * near.  Always false. */
bool ms_word_refuse(const char *field, const char *word, const char *why, const char *const *names,
	GError **error);

#endif
