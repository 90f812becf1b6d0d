/*
 * role.h - what somebody may do on the review page, as a word.
 *
 * WHAT    The roles of people and of API tokens.
 * OWNS    Nothing.
 * ERRORS  None.
 * THREADS Constants only.
 * LIMITS  None.
 * NOT     Does not say who has which (accounts.h), nor what needs which (verb.h).
 */
#ifndef MISSENT_ROLE_H
#define MISSENT_ROLE_H

/* Each may do what the one before may. */
typedef enum { MS_ROLE_VIEWER, MS_ROLE_REVIEWER, MS_ROLE_ADMINISTRATOR, MS_N_ROLES } MsRole;
extern const char *const ms_role_names[MS_N_ROLES + 1];

#endif
