/*
 * resolution.h - whose each identifier of a message is, and what each recipient may receive for.
 *
 * WHAT    The directory's answers about one message, and what follows from them: the relation of
 *         every recipient to every identifier.  Answers come as lists of accounts; equal ones
 *         are kept once, so that many recipients of one mailbox cost what one does.
 * OWNS    MsResolution owns all below it, and the purse of judging (budget.h).
 * ERRORS  None.  Where the purse is empty ms_resolution_over() says so: then no relation is
 *         known, which is neither "unknown" nor "own", and nothing below may be asked but who is
 *         in it.
 * THREADS One message, one thread: answers are worked out when they are first asked for.
 * LIMITS  MsLimits of judging.
 * NOT     Judges nothing.
 */
#ifndef MISSENT_RESOLUTION_H
#define MISSENT_RESOLUTION_H

#include <glib.h>
#include <stdbool.h>

#include "missent/budget.h"
#include "missent/verdict.h"

typedef struct MsResolution MsResolution;

/* ---- making --------------------------------------------------------------------------- */

/* The directory's, and tests'.  NULL: usual limits. */
MsResolution *ms_resolution_new(const char *house, const MsLimits *limits);
void ms_resolution_free(MsResolution *resolution);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsResolution, ms_resolution_free)

/* A new list of accounts, by its number; 0 is the empty one. */
guint ms_resolution_list(MsResolution *resolution, const char *const *accounts, gsize n);
/* Some lists as one, by number.  The same ones again have the same number; 0: no account. */
guint ms_resolution_union(MsResolution *resolution, const guint *lists, gsize n);
/* The next identifier.  `owners`: a union of accounts that it belongs to.  `receivers`: that
 * receive for one of those (delegation).  `partial`: that own a part of it, an establishment,
 * where the company was found: theirs it is too, but it may be others' as well: no mismatch
 * follows. */
void ms_resolution_identifier(
	MsResolution *resolution, guint owners, guint receivers, guint partial);
/* What else the place of the last identifier may mean, by the same.  It is anybody's own to whom
 * one of its meanings is; another's, if each that somebody owns is another's; and proves only what
 * each of those does. */
void ms_resolution_meaning(MsResolution *resolution, guint owners, guint receivers);
/* The next recipient, by what each mailbox that an MTA may take the address for
 * (ms_address_readings()) has; for most addresses that is one. */
void ms_resolution_recipient(MsResolution *resolution, const guint *mailboxes, gsize n);
/* There was more than could be taken in. */
void ms_resolution_overflow(MsResolution *resolution);
/* All are in it: works out who has a right to what. */
void ms_resolution_settle(MsResolution *resolution);
/* Only those identifiers whose byte in `keep` is not 0. */
void ms_resolution_keep(MsResolution *resolution, const guint8 *keep);

/* Which mapping answered, and how far it had grown. */
void ms_resolution_stamp(MsResolution *resolution, const char *generation, gint64 changes);
const char *ms_resolution_generation(const MsResolution *resolution, gint64 *changes_out);

/* ---- asking --------------------------------------------------------------------------- */

/* Charges so many steps to the purse; false once it is over. */
bool ms_resolution_step(MsResolution *resolution, guint64 steps);
guint64 ms_resolution_left(const MsResolution *resolution, MsCost cost);
/* Why nothing is known of relations, or NULL. */
const char *ms_resolution_over(const MsResolution *resolution);

guint ms_resolution_identifiers(const MsResolution *resolution);

MsRelation ms_resolution_relation(
	const MsResolution *resolution, guint identifier, guint recipient);
/* The same of the identifier alone, were it certain that it is meant. */
MsRelation ms_resolution_if_meant(
	const MsResolution *resolution, guint identifier, guint recipient);
/* Is it somebody's (or a part of it)?  Whatever else its place may mean: then all else that is
 * asked is of all that somebody owns of it. */
bool ms_resolution_is_owned(const MsResolution *resolution, guint identifier);
bool ms_resolution_is_partial(const MsResolution *resolution, guint identifier);
/* Is the house among those who own it?  Then it may be seen by all. */
bool ms_resolution_is_houses(const MsResolution *resolution, guint identifier);
/* Is it any recipient's own? */
bool ms_resolution_is_theirs(const MsResolution *resolution, guint identifier);
/* The one account, other than the house, that owns it, as a number below
 * ms_resolution_accounts(); -1 if there is none, or there are several. */
gint64 ms_resolution_sole_owner(const MsResolution *resolution, guint identifier);
guint ms_resolution_accounts(const MsResolution *resolution);
/* The directory knows no account for him. */
bool ms_resolution_is_unknown(const MsResolution *resolution, guint recipient);
bool ms_resolution_is_house(const MsResolution *resolution, guint recipient);

/* Whether the directory has names of people for an account, and one of them is greeted. */
void ms_resolution_named(MsResolution *resolution, const char *account, bool greeted);
typedef enum { MS_GREETED_UNKNOWN, MS_GREETED_RIGHT, MS_GREETED_OTHER } MsGreeted;
/* RIGHT: it is a name of one of the accounts that the recipient may receive for, as far as they are
 * known.  UNKNOWN: there is none of those, or one of which there are no names. */
MsGreeted ms_resolution_greeted(const MsResolution *resolution, guint recipient);

/* Whether the house, as a recipient, may receive what is a customer's. */
typedef enum { MS_HOUSE_MAY, MS_HOUSE_JUDGED, MS_N_HOUSE } MsHouseRule;
#define MS_NOBODY G_MAXUINT
/* The first recipient to whom it is another's: one that the directory knows, if there is one. */
guint ms_resolution_first_other(const MsResolution *resolution, guint identifier, MsHouseRule rule);
/* How many there are. */
guint ms_resolution_count_other(const MsResolution *resolution, guint identifier, MsHouseRule rule);

/* Some of the identifiers, taken together. */
typedef struct MsTally MsTally;
MsTally *ms_tally_new(MsResolution *resolution);
void ms_tally_free(MsTally *tally);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsTally, ms_tally_free)
void ms_tally_add(MsTally *tally, guint identifier);
/* Is one of them his own, whatever its place means; another's to him? */
bool ms_tally_own(const MsTally *tally, guint recipient);
bool ms_tally_other(const MsTally *tally, guint recipient, MsHouseRule rule);

/* ---- names, to be shown --------------------------------------------------------------- */

/* At most `most` names (const char *, borrowed) in `*names_out` (unless NULL); how many there
 * are. */
guint ms_resolution_owners(
	const MsResolution *resolution, guint identifier, guint most, GPtrArray *names_out);
guint ms_resolution_receivers(const MsResolution *resolution, guint identifier, guint most,
	GPtrArray *names_out);
/* Of an address that may be several mailboxes: those that all of them have. */
guint ms_resolution_accounts_of(const MsResolution *resolution, guint recipient, guint most,
	GPtrArray *names_out);

#endif
