/* The tree of RFC 6962 with SHA-256. */
#ifndef MISSENT_MERKLE_H
#define MISSENT_MERKLE_H

#include "missent/tlog.h"

typedef struct {
	guint8 bytes[MS_HASH_BYTES];
} MsHash;

void ms_merkle_leaf(const void *data, gsize len, MsHash *out);
void ms_merkle_node(const MsHash *left, const MsHash *right, MsHash *out);
/* The root of a complete tree with `n` (a power of two) leaves of these hashes. */
void ms_merkle_full(const MsHash *hashes, guint n, MsHash *out);
/* The largest power of two that is less than `n` (> 1). */
guint64 ms_merkle_split(guint64 n);

/* The subtrees that a tree is made of, the largest first. */
typedef struct {
	guint n;
	guint8 heights[64];
	MsHash nodes[64];
} MsEdge;
/* Adds a subtree of 2**height leaves.  `made` (or NULL) hears of each that grows by it. */
typedef void (*MsMade)(guint height, const MsHash *node, void *user);
void ms_edge_add(MsEdge *edge, guint height, const MsHash *node, MsMade made, void *user);
void ms_edge_root(const MsEdge *edge, MsHash *out);

#endif
