/* Shared by ledger.c (writing), adding.c, search.c (reading), decisions.c and tokens.c. */
#ifndef MISSENT_LEDGER_PRIVATE_H
#define MISSENT_LEDGER_PRIVATE_H

#include "missent/decision.h"
#include "missent/notice.h"
#include "missent/outbox.h"
#include "missent/token.h"
#include "missent/store.h"

/* adding.c: who waits to have a record added. */
typedef struct Adding Adding;
Adding *ledger_adding_new(void);
void ledger_adding_free(Adding *adding);

struct MsLedger {
	MsSqlite *db;
	Adding *adding;
	bool tells; /* ms_ledger_tell() */
};

/* One statement; values by MS_SQL_VALUES(), or NULL. */
bool ledger_run(MsLedger *ledger, const char *sql, const MsSqlValue *values, GError **error);
bool ledger_ask(MsLedger *ledger, const char *sql, const MsSqlValue *values, MsSqlTake take,
	void *user, GError **error);
/* The number in column `n` of the one row, or 0. */
bool ledger_ask_number(MsLedger *ledger, const char *sql, const MsSqlValue *values, gint64 *out,
	GError **error);
/* Several as one: begin, run, end; `fine` says whether to keep them. */
bool ledger_begin(MsLedger *ledger, GError **error);
bool ledger_end(MsLedger *ledger, bool fine, GError **error);
/* The same for looking alone: what is seen is of one moment. */
bool ledger_look(MsLedger *ledger, GError **error);
/* Inside of that: the record has changed. */
bool ledger_touch(MsLedger *ledger, gint64 id, GError **error);
/* Inside of that: a record and all that is in it. */
bool ledger_add_record(MsLedger *ledger, MsRecord *record, GError **error);
/* outbox.c, inside of a transaction; nothing where nobody is told. */
bool ledger_outbox_held(MsLedger *ledger, const MsRecord *record, GError **error);
bool ledger_outbox_taken_back(MsLedger *ledger, const char *uid, GError **error);
bool ledger_outbox_decided(MsLedger *ledger, const MsDecision *decision, MsDecisionState state,
	const char *second, GError **error);
bool ledger_add_decision(MsLedger *ledger, const MsDecision *decision, GError **error);
/* Releases to that recipient that are not begun fail: he turned out to be one who may not have
 * it. */
bool ledger_undo_releases(MsLedger *ledger, const char *uid, const char *address, GError **error);

/* So do all that are not begun: the message is gone. */
bool ledger_fail_unbegun(MsLedger *ledger, const char *uid, const char *why, GError **error);
/* Inside of a transaction: this is what became of it for them. */
bool ledger_end_for(MsLedger *ledger, const char *uid, const GPtrArray *addresses, MsState state,
	GError **error);

/* Addresses in one order and spelling, newline-separated. */
char *ledger_join(const GPtrArray *addresses);
/* Adds to a list of MsDecision, from DECISION_COLUMNS. */
void ledger_take_decision(MsSqlRow *row, void *list);
/* causes.c: what of a record is seen at a glance, and found by. */
#define LEDGER_GLANCE_SCHEMA \
	"CREATE TABLE IF NOT EXISTS glance (" \
	" held INTEGER PRIMARY KEY REFERENCES held (id), subject TEXT NOT NULL, attached TEXT NOT NULL);" \
	"CREATE TABLE IF NOT EXISTS word (" \
	" digest TEXT NOT NULL, held INTEGER NOT NULL REFERENCES held (id), PRIMARY KEY (digest, held))" \
	" WITHOUT ROWID;" \
	"CREATE INDEX IF NOT EXISTS word_held ON word (held);" \
	"CREATE INDEX IF NOT EXISTS finding_ref ON finding (ref);" \
	"CREATE INDEX IF NOT EXISTS recipient_address ON recipient (address);"
bool ledger_add_glance(MsLedger *ledger, const MsRecord *record, GError **error);
bool ledger_fill_glance(MsLedger *ledger, MsRecord *record, GError **error);
/* Inside of a transaction, as what of ledger.h is called so. */
bool ledger_recause(MsLedger *ledger, gint64 id, const char *cause, GError **error);
bool ledger_act(MsLedger *ledger, gint64 id, const char *who, const char *what, const char *why,
	GError **error);
bool ledger_rejudge(MsLedger *ledger, const MsRecord *record, const GPtrArray *again,
	const char *who, const char *how, GError **error);
/* wait.c, inside of a transaction: it waits, if its record says so; it waits no longer. */
bool ledger_add_wait(MsLedger *ledger, const MsRecord *record, GError **error);
bool ledger_end_wait(MsLedger *ledger, const char *uid, GError **error);
/* Some of its recipients are no longer held: for what the others are.  Inside of a transaction. */
bool ledger_cause_of_rest(MsLedger *ledger, const char *uid, GError **error);
/* As a JSON array, for json_each(). */
char *ledger_list(const GPtrArray *names);
#define DECISION_COLUMNS                                                                     \
	"id, uid, grp, verb, recipients, who, second, why, outcome, token, step, at, state," \
	" rightful, account, identifier, assignee"
/* A state that is none is that of a damaged record, which is held until somebody has decided. */
#define LEDGER_IS_HELD "state NOT IN ('observed', 'released', 'returned', 'deleted', 'gone', 'delivered')"
/* Of the recipients the one for whom it is worst; outcomes are in that order. */
#define LEDGER_WORST \
	"ORDER BY CASE outcome WHEN 'wrong' THEN 0 WHEN 'unknown-recipient' THEN 1 ELSE 2 END, rowid LIMIT 1"

#endif
