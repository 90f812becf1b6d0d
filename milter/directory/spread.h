/* A mapping whose parts are on all nodes of a Redis Cluster; for backend_redis.c. */
#ifndef MISSENT_DIRECTORY_SPREAD_H
#define MISSENT_DIRECTORY_SPREAD_H

#include "missent/store.h"

#include "backend.h"

typedef struct MsSpread MsSpread;

/* `redis` outlives it. */
MsSpread *ms_spread_new(MsRedis *redis, const char *prefix);
void ms_spread_free(MsSpread *spread);
/* The name of what is not a part: all of these are in one slot, so that a script may have
 * several. */
char *ms_spread_control(const char *prefix, const char *name);
char *ms_spread_part(const char *prefix, const char *generation, MsPartId id);

MsAnswer ms_spread_look(
	MsSpread *spread, const MsWanted *wanted, gsize n, MsView *out, GError **error);
MsAnswer ms_spread_fetch(MsSpread *spread, const char *generation, const MsPartId *ids, gsize n,
	MsView *out, GError **error);
MsAnswer ms_spread_swap(MsSpread *spread, const MsView *seen, const char *state,
	const MsPartId *ids, GBytes *const *data, gsize n, bool *swapped_out, GError **error);
MsAnswer ms_spread_unlink(MsSpread *spread, const GPtrArray *keys, GError **error);

#endif
