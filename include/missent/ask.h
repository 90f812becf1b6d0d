/*
 * ask.h - a decision on held mail as it is asked for: one verb, and what is said with it.
 *
 * WHAT    What a person, or a program for him, wants done with which messages; checked as a whole,
 *         and as JSON between the programs that ask and the desk.
 * OWNS    MsAsk borrows all it points to, but one from JSON (ms_ask_from_json()), which owns its
 *         lists and borrows from the JSON; ms_ask_clear() either.
 * ERRORS  MS_ERROR_INPUT, with the field, the value, and what would do.
 * THREADS Plain data of one request.
 * LIMITS  MS_ASK_MOST messages in one.
 * NOT     Knows neither records nor accounts: whether there is such a message, recipient, account
 *         or reviewer, the desk looks up (desk.h).
 */
#ifndef MISSENT_ASK_H
#define MISSENT_ASK_H

#include <glib.h>
#include <stdbool.h>

#include "missent/record.h"
#include "missent/verb.h"

#define MS_ASK_MOST 10000

typedef struct {
	MsVerb verb;
	GPtrArray *uids;       /* of char *: records, by uid or queue ID */
	GPtrArray *recipients; /* of char *; NULL or empty: none is named */
	bool rightful; /* of each message, to those with a right to it alone; of several messages
	                        * those that nobody has a right to are left out */
	guint others; /* for so many recipients (of those who are not named, or of all) it is
	               * another's, and who decides knows it; 0: not said, any other number must be
	               * right */
	const char *who;
	const char *why, *account, *identifier, *assignee; /* NULL: not said */
	guint total;           /* messages of the decision on all hosts; 0: these */
	bool by_rule;          /* the clock's: nobody needs to agree */
	bool of_wait;          /* only of one that still waits */
	bool later;            /* written down only: ms_desk_work() carries it out */
	const char *id;        /* NULL, or a name under which it is taken once only */
} MsAsk;

/* Recipients to whom a release would send what is another's. */
typedef struct {
	guint wrong;             /* they */
	guint unnamed, messages; /* those of them that nobody named, and in how many messages */
} MsAskOthers;
/* Adds those of one record; `chosen` (of char *; empty: all that are held): whom it goes to. */
void ms_ask_count_others(MsAskOthers *others, const MsAsk *ask, const MsRecord *record,
	const GPtrArray *chosen);
/* Whoever says a number says it of all hosts: it is told to each as its own, which looks itself.
 * `of`, `shares_out`: of `n` hosts.  False: it is not the number of all. */
bool ms_ask_share_others(const MsAsk *ask, const MsAskOthers *of, guint n, guint *shares_out,
	GError **error);

/* Is all said that the verb needs, nothing that it does not take, and each in words of its kind? */
bool ms_ask_check(const MsAsk *ask, GError **error);

struct json_t; /* jansson's */
/* {"do": "decide", "verb": "release", ...}, the caller's. */
struct json_t *ms_ask_to_json(const MsAsk *ask);
/* A list of texts (of char *; NULL is an empty one) as an array; a new reference. */
struct json_t *ms_texts_to_json(const GPtrArray *texts);
/* Keys that are none and values of another type are refused.  Checked, but for who asks: that may
 * be filled in by who knows. */
bool ms_ask_from_json(const struct json_t *json, MsAsk *ask_out, GError **error);
void ms_ask_clear(MsAsk *ask);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MsAsk, ms_ask_clear)

/* ---- any request in JSON ---------------------------------------------------------------- */

typedef enum { MS_KEY_TEXT, MS_KEY_TEXTS, MS_KEY_YES, MS_KEY_NUMBER } MsKeyType;
typedef struct {
	const char *key;
	MsKeyType type;
	bool needed;
	MsWordKind kind; /* of a text, or of each of several */
} MsKeyRow;
/* An object of these keys (ended by one that is NULL) and no other, each of its type; texts are
 * words of their kind, so none is empty. */
bool ms_ask_keys(const MsKeyRow *rows, const struct json_t *json, GError **error);

#endif
