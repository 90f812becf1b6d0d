/*
 * learn.h - a mapping proposed from mail that was sent, and what contradicts itself in it.
 *
 * WHAT    Reads stored outgoing mail by the whole way that mail is read, on all processors;
 *         collects which identifiers went to whom; proposes accounts of those that go together
 *         consistently, and what is in most mails for the house; tells as conflicts what does not
 *         go together.
 * OWNS    MsLearned; ms_learned_free().
 * ERRORS  GError for what makes all of it impossible.  A message that cannot be read is counted.
 * THREADS ms_learn() starts its own; `progress` is called in the caller's.
 * LIMITS  Memory: what is distinct in the mail, up to `memory`; messages that bring more are left
 *         out and counted.  A message to more than MS_LEARN_CROWD customers is no evidence, but a
 *         conflict.
 * NOT     Changes no directory.  What it gives has values in clear.
 *
 * Nothing that is in a conflict is proposed, unless by other mail that outweighs it.
 */
#ifndef MISSENT_LEARN_H
#define MISSENT_LEARN_H

#include <glib.h>
#include <stdbool.h>

#include "missent/audit.h"
#include "missent/batch.h"

#define MS_LEARN_CROWD 20
#define MS_LEARN_MEMORY (G_GUINT64_CONSTANT(1) << 30)
#define MS_LEARN_HOUSE 20 /* percent of messages */

typedef struct {
	MsBatchAsk batch; /* but for its key */
	const char *config;
	const char *const *archive; /* addresses that are no recipients; NULL-terminated, or NULL */
	gint64 since;   /* seconds since 1970; mail of before does not count; 0: all does */
	double house;   /* what is in so many percent is the house's; 0: MS_LEARN_HOUSE */
	guint64 memory; /* bytes; 0: MS_LEARN_MEMORY */
	/* The trail of judged mail adds counts to what was found in the mail; NULL: not asked. */
	const char *trail;
	const guint8 *trail_key; /* MS_AUDIT_KEY_BYTES */
} MsLearnAsk;

typedef struct MsLearned MsLearned;
MsLearned *ms_learn(const MsLearnAsk *ask, void (*progress)(const MsBatchProgress *, void *user),
	void *user, GError **error);
void ms_learned_free(MsLearned *learned);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsLearned, ms_learned_free)

typedef enum {
	MS_LEARN_ELSEWHERE, /* it goes to another, and went to this one */
	MS_LEARN_TIE,       /* it went to two or more, and none has more of it than another */
	MS_LEARN_SEVERAL,   /* to one recipient went what several customers have one each of */
	MS_LEARN_TO_MANY,   /* one message to many customers */
	MS_LEARN_OF_MANY,   /* in mail to many, and not in enough of it to be the house's */
	MS_N_LEARN,
} MsLearnConflictType;
extern const char *const ms_learn_conflict_names[MS_N_LEARN + 1]; /* NULL-terminated */

/* A row of the mapping.  Of a recipient that is "@domain", counts are of all at it. */
typedef struct {
	const char *account, *kind, *value;
	guint messages, trail; /* stored ones, and further ones of the trail */
	gint64 first, last;    /* seconds since 1970; 0: no message says */
} MsLearnRow;

typedef struct {
	MsLearnConflictType type;
	guint number; /* those of the same thing have the same */
	const char *account, *kind,
		*value;        /* account: of which it seems to be; "" where that cannot be told */
	const char *recipient; /* "" with MS_LEARN_TO_MANY and MS_LEARN_OF_MANY */
	const char *usual;     /* who got most of it beside him; "" */
	guint usual_messages;
	guint recipients; /* of MS_LEARN_TO_MANY and MS_LEARN_OF_MANY: how many */
	guint messages, trail;
	gint64 first, last;
	const char *where, *subject; /* one of the messages (stored.h), its subject masked */
	gint64 date;
} MsLearnConflict;

typedef struct {
	MsBatchProgress progress;
	bool whole;         /* false: it was stopped */
	guint learned;      /* messages that count */
	guint old, undated; /* before `since`; without a date, which count */
	guint bare;         /* with nothing in it to learn from */
	guint failed, no_recipient;
	guint unread[MS_N_UNREAD]; /* messages in which something was not read, by why */
	guint unread_any;
	guint cut;  /* mailboxes that end within a message */
	guint over; /* messages left out: memory is used up */
	guint by[MS_N_KNOWN_BY];
	guint unwritable;     /* identifiers that no row of a mapping can say */
	guint unplaced;       /* groups of identifiers of which no recipient is sure */
	guint trail_messages; /* of the trail that added to a count */
	guint accounts;
} MsLearnSum;
void ms_learned_sum(const MsLearned *learned, MsLearnSum *out);
const GArray *ms_learned_rows(
	const MsLearned *learned); /* of MsLearnRow: the house's first, then by account */
const GArray *ms_learned_conflicts(
	const MsLearned *learned); /* of MsLearnConflict, the clearest first */
const GPtrArray *ms_learned_notes(const MsLearned *learned); /* of char * */

#endif
