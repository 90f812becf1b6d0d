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
	MsBatchProgress progress;
};

MsBacktestRow *backtest_row_new(const char *name, const char *digest);
void backtest_row_free(gpointer row);

/* ---- row.c: as JSON ---------------------------------------------------------------------- */

json_t *backtest_row_to_json(const MsBacktestRow *row, bool compares);
/* NULL: it is not whole. */
MsBacktestRow *backtest_row_from_json(const json_t *json);

/* ---- state.c: what was done, to go on from ------------------------------------------------- */

typedef struct BacktestState BacktestState;
/* `key` names what is done: what was done of something else counts for nothing. */
BacktestState *backtest_state_open(const char *file, const char *key, bool afresh, GError **error);
void backtest_state_free(BacktestState *state);
/* What was made of that message, the caller's, or NULL. */
gpointer backtest_state_take(
	BacktestState *state, const MsBatchFuncs *funcs, const MsBatchItem *item);
bool backtest_state_add(BacktestState *state, const MsBatchFuncs *funcs, gconstpointer row);

#endif
