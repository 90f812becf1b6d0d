/* Shared by the files of learn/. */
#ifndef MISSENT_LEARN_PRIVATE_H
#define MISSENT_LEARN_PRIVATE_H

#include <jansson.h>

#include "missent/learn.h"

/* ---- mail.c: what one message tells ---------------------------------------------------------- */

typedef struct {
	char *kind, *value, *text; /* text: as it was written, where that says the same */
	guint64 faces;             /* finding.h */
	bool seller;
} LearnFound;

typedef struct {
	char *name, *digest;
	char *failed; /* why it tells nothing; NULL */
	MsBacktestBy by;
	gint64 date;   /* seconds since 1970; 0: it has none */
	char *subject; /* masked */
	char *sender;  /* canonical; "" */
	GPtrArray *to; /* of char *, canonical */
	GArray *found; /* of LearnFound */
	guint unread;  /* bit n: something was not read for MsUnreadReason n */
	bool nobody;   /* it names no recipient */
	guint unwritable;
} LearnMail;

typedef struct {
	MsRuntime *runtime;
	MsLedger *ledger;
	const char *const *archive;
} LearnReader;
LearnMail *learn_mail_read(const LearnReader *reader, const MsBatchItem *item);
void learn_mail_free(LearnMail *mail);
json_t *learn_mail_to_json(const LearnMail *mail);
LearnMail *learn_mail_from_json(const json_t *json);
/* A Date field (RFC 5322) as seconds since 1970; 0: it is none. */
gint64 learn_date(const char *text);

/* ---- tally.c: what all messages tell, each different thing once ---------------------------- */

typedef struct {
	char *kind, *value, *text;
	guint number;   /* as it came; then in the order of kind and value */
	guint messages; /* that have it */
	guint seller;   /* that have it as the sender's own */
} LearnId;

typedef struct {
	char *address;
	guint number; /* the same, in the order of addresses */
	guint messages;
} LearnTo;

typedef struct {
	char *name, *subject;
	gint64 date;
} LearnExample;

typedef struct {
	LearnId *id;
	guint64 faces;
} LearnIn;

#define LEARN_EXAMPLES 3
/* Messages that have the same to the same. */
typedef struct {
	guint n_to, n_in;
	LearnTo **to;
	LearnIn *in;
	guint messages, trail;
	gint64 first, last; /* 0: no date */
	LearnExample examples[LEARN_EXAMPLES];
} LearnShape;

typedef struct {
	guint64 memory, most;
	GHashTable *ids, *tos,
		*shapes; /* "kind value" to LearnId, address to LearnTo, bytes to LearnShape */
	GPtrArray *id_list, *to_list, *shape_list;
	GHashTable *sender_domains; /* to how many messages */
	MsLearnSum sum;
} Tally;
Tally *tally_new(guint64 memory);
void tally_free(Tally *tally);
void tally_add(Tally *tally, const LearnMail *mail);
/* A message that the trail has: of what is known already. */
void tally_add_trail(Tally *tally, GPtrArray *ids, GPtrArray *tos, gint64 date, const char *name);
/* The same whatever the order in which messages came. */
void tally_settle(Tally *tally);

/* ---- history.c ----------------------------------------------------------------------------- */

bool learn_history(Tally *tally, const char *trail, gint64 since,
	const guint8 key[MS_AUDIT_KEY_BYTES], GError **error);

/* ---- world.c: what belongs to the house, who belongs together ------------------------------ */

#define LEARN_SINGLES 8
typedef struct {
	guint id, to;
	guint messages, trail;
	gint64 first, last;
	const LearnShape *shape; /* one of those */
} LearnCell;

typedef struct {
	const Tally *tally;
	MsKinds *kinds;
	double house;
	const char *house_account;
	GPtrArray *notes;
	GHashTable *senders; /* companies that send a good part of it */
	GArray *cells;       /* of LearnCell, by id, then recipient; without crowds */
	GArray *cells_of;    /* of guint: where those of an id begin; one more at the end */
	guint *unit;         /* of a recipient: the first of those that are of one company */
	bool *to_house;      /* is that recipient the house's? */
	bool *id_house,
		*id_many; /* is it the house's, or in mail to so many that it tells nobody apart? */
	bool *id_one;     /* does it go to one unit, but for some? */
	guint *id_top;    /* to which it goes most; G_MAXUINT: to none */
	const char *singles[LEARN_SINGLES]; /* kinds of which a customer has one */
	guint n_singles;
	GHashTable *shared; /* domains at which several customers have addresses */
} World;
void world_fill(World *world);
void world_clear(World *world);
/* Which of `singles` the kind is; -1: none. */
int world_single(const World *world, const char *kind);
/* How many different units a shape goes to, the house's left out. */
guint world_units(const World *world, const LearnShape *shape);
/* Is there anything of a customer in it? */
bool world_counts(const World *world, const LearnId *id);
guint world_weight(const LearnCell *cell);
/* The domain that a company has: "example.com" of "mail.example.com". */
const char *world_company(const char *domain);

/* ---- groups.c: identifiers that go together ------------------------------------------------ */

typedef struct {
	const World *world;
	guint n;
	guint *parent;
	guint (*single)
		[LEARN_SINGLES]; /* of a root: its identifier of that kind, plus one; 0: none */
} Groups;
void groups_init(Groups *groups, const World *world);
void groups_clear(Groups *groups);
guint groups_root(const Groups *groups, guint id);
/* False: they are not one customer's, for each has its own of something of which a customer has
 * one. */
bool groups_join(Groups *groups, guint a, guint b);
bool groups_clash(const Groups *groups, guint a, guint b);
void groups_find(Groups *groups);

/* ---- accounts.c: groups and recipients that go together, and those that do not ------------- */

/* What went of a group to a unit of recipients. */
typedef struct {
	guint group, unit;
	guint messages, alone; /* alone: to him only */
	bool kept;             /* he is one of that customer's */
	int conflict;          /* MsLearnConflictType, or -1 */
	guint number;          /* of the conflict */
} LearnBond;

typedef struct {
	const World *world;
	Groups groups;
	guint *group;    /* of an identifier, by documents alone */
	GArray *bonds;   /* of LearnBond, by group, then unit */
	guint *got;      /* by a unit: messages in which there is anything */
	guint conflicts; /* numbers given */
} Accounts;
void accounts_find(Accounts *accounts, const World *world);
void accounts_clear(Accounts *accounts);
/* NULL: nothing of the one went to the other. */
LearnBond *accounts_bond(const Accounts *accounts, guint group, guint unit);
/* The groups of which there is anything in a shape, each once. */
void accounts_groups(const Accounts *accounts, const LearnShape *shape, GArray *groups_out);
/* The units that it went to, the house's left out, each once. */
void accounts_units(const Accounts *accounts, const LearnShape *shape, GArray *units_out);

/* ---- propose.c ----------------------------------------------------------------------------- */

struct MsLearned {
	MsLearnSum sum;
	GArray *rows, *conflicts;
	GPtrArray *notes;
	GStringChunk *words; /* of both */
};
void learn_propose(MsLearned *learned, const World *world, const Accounts *accounts);

#endif
