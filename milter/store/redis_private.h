/* Shared by redis.c and what it finds servers with. */
#ifndef MISSENT_STORE_REDIS_PRIVATE_H
#define MISSENT_STORE_REDIS_PRIVATE_H

#include "redis_server.h"

/* ---- Sentinel: who is primary? ---- */

typedef struct MsSentinels MsSentinels;

MsSentinels *ms_sentinels_new(
	const MsRedisSettings *settings, const MsServerHow *how, GError **error);
void ms_sentinels_free(MsSentinels *sentinels);
/* Asks them; the address, never one of an older configuration than was told before. */
char *ms_sentinels_primary(MsSentinels *sentinels, GError **error);
const GPtrArray *ms_sentinels_servers(const MsSentinels *sentinels);

/* ---- Cluster: who has which key? ---- */

typedef struct MsCluster MsCluster;

/* A server that may be asked, or why not. */
typedef MsServer *(*MsClusterMake)(void *user, const char *address, GError **error);

MsCluster *ms_cluster_new(MsClusterMake make, void *user, GPtrArray *seeds);
void ms_cluster_free(MsCluster *cluster);
/* Commands with one key each; those with none go to any node.  `replies` gets one for each; any may
 * be MS_REPLY_ERROR. */
MsAnswer ms_cluster_ask(MsCluster *cluster, const MsCommand *commands, gsize n, gint64 timeout_us,
	GPtrArray *replies, GError **error);
/* The key of a command; NULL: it has none. */
const char *ms_cluster_key(const MsCommand *command);
/* The node of a key; NULL: none, or not known now. */
MsServer *ms_cluster_owner(MsCluster *cluster, const char *key, GError **error);
/* Those that are known and have slots, each with a reference. */
GPtrArray *ms_cluster_nodes(MsCluster *cluster);

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

/* ---- what a bulk needs ---- */

/* Where a command goes: the node of its key, or the primary. */
MsServer *ms_redis_server_of(MsRedis *redis, const MsCommand *command, GError **error);
gint64 ms_redis_timeout(const MsRedis *redis);

#endif
