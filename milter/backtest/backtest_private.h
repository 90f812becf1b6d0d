/* Shared by the files of backtest/. */
#ifndef MISSENT_BACKTEST_PRIVATE_H
#define MISSENT_BACKTEST_PRIVATE_H

#include <jansson.h>
#include <stdio.h>

#include "missent/backtest.h"

struct MsBacktest {
	bool compares, whole;
	GPtrArray *rows;  /* of MsBacktestRow; NULL where one is not done */
	GPtrArray *notes; /* of char * */
	MsBacktestProgress progress;
};

MsBacktestRow *backtest_row_new(const char *name, const char *digest);
void backtest_row_free(gpointer row);
void backtest_view_init(MsBacktestView *view);

/* ---- envelope.c: who sent it, to whom ----------------------------------------------------- */

typedef struct {
	const char *name;
	gsize len;
	const char *spool; /* our own spool, or NULL */
	const char *const *archive;
	const GPtrArray *delivery; /* of char *: lines that delivery wrote */
} BacktestMessage;
/* Without the fields that delivery wrote, whose lines are added to `fields_out`. */
GBytes *backtest_without_delivery(GBytes *stored, GPtrArray *fields_out);
/* The envelope, and the message itself where what was stored is a report about it (else NULL).
 * NULL: why. */
MsEnvelope *backtest_envelope(MsRuntime *runtime, MsLedger *ledger, const BacktestMessage *message,
	const MsReading *reading, int fd, MsBacktestBy *by_out, GBytes **inner_out, GError **error);

/* ---- state.c: what was done, to go on from ------------------------------------------------- */

typedef struct BacktestState BacktestState;
/* `key` names what is tested: what was done of something else counts for nothing. */
BacktestState *backtest_state_open(const char *file, const char *key, bool afresh, GError **error);
void backtest_state_free(BacktestState *state);
/* What was done of that message, the caller's, or NULL. */
MsBacktestRow *backtest_state_take(BacktestState *state, const char *name, const char *digest);
bool backtest_state_add(BacktestState *state, const MsBacktestRow *row);

json_t *backtest_row_to_json(const MsBacktestRow *row, bool compares);

#endif
