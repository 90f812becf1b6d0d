/*
 * person.h - one name for one person, however a system spells it.
 *
 * WHAT    Letters' case, Unicode form, blanks, characters that are not seen, the domain that a
 *         log-in system puts before or behind a name, other names by setting, and the API token
 *         through which somebody acts: none of them makes another person.
 * OWNS    The name is the caller's.
 * ERRORS  None; a name with nothing in it is "".
 * THREADS Safe.
 * LIMITS  None of its own.
 * NOT     Does not say whether there is such a person (accounts.h).  Letters of two scripts that
 *         look alike stay two.
 */
#ifndef MISSENT_PERSON_H
#define MISSENT_PERSON_H

#include <glib.h>
#include <stdbool.h>

/* As they stand in the settings; each may be NULL. */
typedef struct {
	const char *const *domains; /* "corp": "CORP\anna" and "anna@corp" are "anna" */
	const char *const *aliases; /* "aschmidt=anna" */
} MsPersonRules;

/* What is kept, compared and shown: small letters, no blank at either end. */
char *ms_person_name(const MsPersonRules *rules, const char *spelled);
bool ms_person_is(const MsPersonRules *rules, const char *a, const char *b);

/* "anna via billing": who answers for what an API token of that name does. */
#define MS_PERSON_VIA " via "

#endif
