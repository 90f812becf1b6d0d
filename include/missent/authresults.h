/*
 * authresults.h - what another filter found out about a message: Authentication-Results (RFC 8601).
 *
 * WHAT    Parses the value of one such field.
 * OWNS    MsAuthResults owns its strings; ms_auth_results_free().
 * ERRORS  None: what is not of the grammar makes it not `whole`, and what stands before stays.
 * THREADS Plain data.
 * LIMITS  MS_AUTH_MOST results, of each as many properties.
 * NOT     Says nothing about whether the field is to be believed.
 */
#ifndef MISSENT_AUTHRESULTS_H
#define MISSENT_AUTHRESULTS_H

#include <glib.h>
#include <stdbool.h>

#define MS_AUTH_MOST 50

typedef struct {
	char *method, *result; /* lower case: "dkim", "pass" */
	GPtrArray *properties; /* of char *: "header.d=example.com", lower case but for the value */
} MsAuthResult;

typedef struct {
	char *id;           /* of the service that says so, lower case */
	GPtrArray *results; /* of MsAuthResult; empty where it says that there are none */
	bool whole;         /* all of it was understood */
} MsAuthResults;

/* NULL: it does not even say who says it. */
MsAuthResults *ms_auth_results_parse(const char *value);
void ms_auth_results_free(MsAuthResults *results);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsAuthResults, ms_auth_results_free)

/* What a method is called, and what it may result in; NULL-terminated. */
extern const char *const ms_auth_methods[];
extern const char *const ms_auth_words[];

#endif
