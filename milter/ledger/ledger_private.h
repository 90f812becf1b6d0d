/* Shared by ledger.c (writing), search.c (reading), decisions.c and tokens.c. */
#ifndef MISSENT_LEDGER_PRIVATE_H
#define MISSENT_LEDGER_PRIVATE_H

#include "missent/decision.h"
#include "missent/notice.h"
#include "missent/token.h"
#include "missent/store.h"

struct MsLedger {
	MsSqlite *db;
};

/* One statement with text parameters (never NULL), ended by NULL. */
bool ledger_run(MsLedger *ledger, GError **error, const char *sql, ...) G_GNUC_NULL_TERMINATED;
bool ledger_ask(MsLedger *ledger, GError **error, MsSqliteRow row, void *user, const char *sql,
	...) G_GNUC_NULL_TERMINATED;
/* Several as one: begin, run, end; `fine` says whether to keep them. */
bool ledger_begin(MsLedger *ledger, GError **error);
bool ledger_end(MsLedger *ledger, bool fine, GError **error);
/* Inside of that: the record has changed. */
bool ledger_touch(MsLedger *ledger, const char *id, GError **error);
bool ledger_add_decision(MsLedger *ledger, const MsDecision *decision, GError **error);

/* Addresses in one order and spelling, newline-separated. */
char *ledger_join(const GPtrArray *addresses);
char *ledger_number(gint64 n);
gint64 ledger_to_number(const char *text);
void ledger_take_number(int n, const char *const *columns, void *user);
void ledger_take_decision(int n, const char *const *columns, void *list);
#define DECISION_COLUMNS "id, uid, grp, verb, recipients, who, second, why, outcome, token, step, at, state"

#endif
