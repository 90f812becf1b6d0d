/* Shared by redis.c, redis_sentinel.c and redis_lag.c. */
#ifndef MISSENT_STORE_REDIS_PRIVATE_H
#define MISSENT_STORE_REDIS_PRIVATE_H

#include "redis_server.h"

/* ---- Sentinel: who is primary? ---- */

typedef struct MsSentinels MsSentinels;

MsSentinels *ms_sentinels_new(const MsRedisSettings *settings, const MsServerHow *how, GError **error);
void ms_sentinels_free(MsSentinels *sentinels);
/* Asks them; the address, never one of an older configuration than was told before. */
char *ms_sentinels_primary(MsSentinels *sentinels, GError **error);
const GPtrArray *ms_sentinels_servers(const MsSentinels *sentinels);

/* ---- how far a replica is behind ---- */

typedef struct MsLag MsLag;

MsLag *ms_lag_new(gint64 max_us);
void ms_lag_free(MsLag *lag);
/* What the primary said (INFO replication) when it was asked at `asked_at`. */
void ms_lag_sample(MsLag *lag, const char *info, gint64 asked_at);
/* Has somebody asked the primary lately? */
bool ms_lag_is_known(MsLag *lag);
/* Whether one that says `info` has all that the primary had within the bound; else why not. */
bool ms_lag_fits(MsLag *lag, const char *info, char **why_out);
gint64 ms_lag_period(const MsLag *lag);

#endif
