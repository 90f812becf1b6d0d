/* Shared by records.c (writing), search.c (reading), decisions.c and tokens.c. */
#ifndef MISSENT_RECORDS_PRIVATE_H
#define MISSENT_RECORDS_PRIVATE_H

#include "missent/quarantine.h"
#include "missent/store.h"

struct MsRecords {
	MsSqlite *db;
};

/* One statement with text parameters (never NULL), ended by NULL. */
bool records_run(MsRecords *records, GError **error, const char *sql, ...) G_GNUC_NULL_TERMINATED;
bool records_ask(MsRecords *records, GError **error, MsSqliteRow row, void *user, const char *sql,
	...) G_GNUC_NULL_TERMINATED;
/* Several as one: begin, run, end; `fine` says whether to keep them. */
bool records_begin(MsRecords *records, GError **error);
bool records_end(MsRecords *records, bool fine, GError **error);
/* Inside of that: the record has changed. */
bool records_touch(MsRecords *records, const char *id, GError **error);
bool records_add_decision(MsRecords *records, const MsDecision *decision, GError **error);

/* Addresses in one order and spelling, newline-separated. */
char *records_join(const GPtrArray *addresses);
char *records_number(gint64 n);
gint64 records_to_number(const char *text);
void records_take_number(int n, const char *const *columns, void *user);
/* The index of a name in a NULL-terminated list; 0 if it is none of them. */
int records_index(const char *const *names, const char *name);
/* A word that is none proves nothing. */
MsOutcome records_outcome(const char *name);
void records_take_decision(int n, const char *const *columns, void *list);
#define DECISION_COLUMNS "id, uid, grp, verb, recipients, who, second, why, outcome, token, step, at, state"

#endif
