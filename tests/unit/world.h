/*
 * A mail host in a scratch folder, for tests of the half that lets mail go: settings, a mapping, a
 * ledger, an MTA's queue (tests/tools/fake-release) and an SMTP server in a thread, which spends
 * tokens as missentd does.  Needs neither root nor an MTA.
 */
#ifndef MISSENT_TESTS_WORLD_H
#define MISSENT_TESTS_WORLD_H

#include <glib.h>
#include <stdbool.h>

#include "missent/desk.h"
#include "missent/ledger.h"

/* ---- the SMTP server ------------------------------------------------------------------ */

typedef enum {
	AT_GREETING,
	AT_EHLO,
	AT_MAIL,
	AT_RCPT,
	AT_DATA,
	AT_BODY,
	AT_END,
	AT_NEVER
} StubPoint;

/* SPEND_*: the milter has let it pass, then the MTA refuses it or dies without keeping it.
 * TAKE_*: the MTA has it, and says so too late or not at all. */
typedef enum { STUB_DROP, STUB_REFUSE, STUB_LATER, STUB_SILENT, STUB_SPEND_REFUSE, STUB_SPEND_DROP,
	STUB_TAKE_DROP, STUB_TAKE_SILENT, STUB_STRANGE, STUB_N_FAULTS } StubFault;

typedef struct {
	char *sender, *text, *queue_id;
	GPtrArray *recipients; /* of char * */
	bool unjudged;         /* its token was good; else a milter would judge it again */
} Delivery;

typedef struct Stub Stub;
/* `ledger` NULL: an MTA that does not ask missent. */
Stub *stub_new(const char *ledger, const char *queue);
void stub_free(Stub *stub);
guint stub_port(const Stub *stub);
/* Of the next connection; the one after it is served well again. */
void stub_next(Stub *stub, StubPoint point, StubFault fault);
/* What it got, since the last call; of Delivery, the caller's. */
GPtrArray *stub_take(Stub *stub);

/* ---- the host ------------------------------------------------------------------------- */

typedef struct {
	char *dir, *config, *queue, *state, *spool;
	Stub *stub;
	MsLedger *ledger; /* the test's own */
	guint names;
	gsize log_at;
} World;

#define WORLD_SENDER "billing@seller.example"

/* More settings of the top level, and of desk { }; "" for none. */
World *world_new(const char *settings, const char *desk);
/* Written anew, with others. */
void world_settings(World *w, const char *settings, const char *desk);
void world_free(World *w);
void world_file(const World *w, const char *name, const char *text);
/* Takes "account,kind,value" lines for the mapping. */
void world_mapping(World *w, const char *rows);

/* The one place where tests open a desk. */
MsDesk *world_desk(World *w);

typedef struct {
	const char *address;
	MsOutcome outcome;
	const char *accounts; /* NULL: "" */
} WorldRecipient;

typedef struct {
	const char *ref, *owners, *relations;
} WorldFinding;

typedef struct {
	const char *host, *sender, *subject, *body; /* NULL: some */
	const WorldRecipient *to;            /* NULL: the three of world_to */
	guint n;
	gint64 age_us;
	bool spooled, gone; /* gone: there is a record only */
	bool split; /* spooled; and what went to the others has been put on hold by hand since */
	const char *queued_sender; /* as the MTA rewrote it; NULL: it did not */
	const char *cause, *policies, *codes, *refs; /* refs: "REF REF", of findings */
	const WorldFinding *found;                   /* more of them */
	guint n_found;
	MsState state;
	gint64 wait_us;         /* it waits so long, */
	MsReasonCode waits_for; /* for that */
} WorldHold;

/* a@alpha.example (right), b@beta.example (wrong), n@nobody.example (unknown). */
extern const WorldRecipient world_to[3];

/* A held message and its record; its uid, the caller's. */
char *world_hold(World *w, const WorldHold *hold);
MsRecord *world_record(World *w, const char *uid);
/* "released held held" */
char *world_states(World *w, const char *uid);
/* Does the hold queue, or the spool, have it? */
bool world_is_queued(World *w, const MsRecord *record);
bool world_is_spooled(World *w, const char *uid);
/* Lines of the queue's log since the last call, "release ID, delete ID, ". */
char *world_log(World *w);
void world_orders(World *w, const char *verb, const char *what);

/* One verb for one message, or several ("uid uid"); `to` "addr addr" or "". */
typedef struct {
	const char *verb, *uids, *to, *who, *why, *account, *identifier, *assignee;
	bool rightful;
	guint others; /* whom it does not belong to: the person says how many they are */
} WorldAsk;
GPtrArray *world_decide(MsDesk *desk, const WorldAsk *ask, GError **error);
/* State and outcome of the only decision, or the error: "done: ...". */
char *world_said(MsDesk *desk, const WorldAsk *ask);

/* Does it in another process, which is killed at the `nth` (from 1) time that it comes by `point`
 * (NULL: any).  False: it did not come there. */
bool world_killed(World *w, const char *point, guint nth, void (*func)(MsDesk *desk, void *user),
	void *user);
/* How many points it comes by, when it is not killed. */
void world_ask(MsDesk *desk, void *ask);

#endif
