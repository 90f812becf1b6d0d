/*
 * Shared by resolution.c (what the answers are) and rights.c (what follows from them).
 *
 * Accounts, lists, unions, mailboxes, rows and columns are numbers.  A list is what one key of the
 * directory brought; a union some lists; a mailbox a union that a recipient may be; a row the
 * identifiers with the same unions, or two rows of which one is meant; a column the recipients with
 * the same mailboxes.
 */
#ifndef MISSENT_RESOLUTION_PRIVATE_H
#define MISSENT_RESOLUTION_PRIVATE_H

#include "missent/resolution.h"

typedef struct {
	guint32 *accounts; /* each once */
	guint n;
	bool house; /* the house is in it */
} List;

typedef struct {
	guint *lists; /* none of them empty, each once, in the order given */
	guint n;
	bool house;
	gint64 accounts; /* how many; -1: not counted yet */
	gint mailbox;    /* its number as one; -1: it is none */
} Union;

/* Bits of columns: few as sorted numbers, many as a bitmap. */
typedef struct {
	guint32 *few;
	guint n;
	guint64 *many;
} Set;

typedef struct {
	guint owners, receivers, partial; /* unions */
	guint one, other; /* two rows before it, one of which is meant; 0, 0: it is none of these */
	Set own;
	Set sure; /* whichever is meant; of none of two it is `own` */
	bool theirs; /* of any recipient */
	guint first[MS_N_HOUSE];
	gint64 count[MS_N_HOUSE]; /* -1: not counted yet */
} Row;

typedef struct {
	guint row, alone; /* of all that its place may mean; of itself */
} Identifier;

/* Recipients with the same mailbox, or (routed) with the same several mailboxes. */
typedef struct {
	guint *mailboxes; /* unions */
	guint n;
	guint first, recipients; /* the first one, and how many there are */
	bool unknown, house;
} Column;

typedef struct {
	guint column;
	bool routed;
} Place;

typedef struct Rights Rights;

struct MsResolution {
	char *house, *generation;
	gint64 changes;
	MsBudget budget;
	char *over;

	GPtrArray *names;   /* of accounts */
	GHashTable *ids;    /* name to number + 1 */
	gint64 house_id;    /* -1: nobody is it */
	GArray *lists;      /* of List */
	GArray *unions;     /* of Union */
	GArray *rows;       /* of Row */
	GArray *plain, *routed; /* of Column */
	GHashTable *numbers; /* of unions, rows and columns, by what they are made of */
	GArray *identifiers; /* of Identifier */
	GArray *recipients;  /* of Place */
	GHashTable *named;   /* account to 1, or 2: it is greeted; or NULL */
	Rights *rights;
};

#define LIST(r, i) (&g_array_index((r)->lists, List, i))
#define UNION(r, i) (&g_array_index((r)->unions, Union, i))
#define IDENTIFIER(r, i) (&g_array_index((r)->identifiers, Identifier, i))
#define ROW(r, i) (&g_array_index((r)->rows, Row, IDENTIFIER(r, i)->row))
static inline Column *column_of(const MsResolution *r, guint recipient)
{
	Place place = g_array_index(r->recipients, Place, recipient);
	return &g_array_index(place.routed ? r->routed : r->plain, Column, place.column);
}

/* As ms_resolution_step(). */
bool resolution_charge(MsResolution *r, MsCost cost, guint64 amount);

void rights_make(MsResolution *r);
void rights_free(Rights *rights);

#endif
