/*
 * Hashes come in, hashes go out: leaves, nodes, roots, and what proofs lead to.  Pure functions;
 * any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/sign.h"

#include "merkle.h"

void ms_merkle_leaf(const void *data, gsize len, MsHash *out)
{
	ms_sha256(0, data, len, "", 0, out->bytes);
}

void ms_merkle_node(const MsHash *left, const MsHash *right, MsHash *out)
{
	guint8 both[1 + 2 * sizeof(MsHash)] = {
		1}; /* in one piece: it is as much as its hash to begin another */
	memcpy(both + 1, left, sizeof *left);
	memcpy(both + 1 + sizeof *left, right, sizeof *right);
	ms_sha256_of(both, sizeof both, out->bytes);
}

void ms_merkle_full(const MsHash *hashes, guint n, MsHash *out)
{
	g_autofree MsHash *row = g_memdup2(hashes, n * sizeof *hashes);
	for (; n > 1; n /= 2)
		for (guint i = 0; i < n / 2; i++)
			ms_merkle_node(&row[2 * i], &row[2 * i + 1], &row[i]);
	*out = row[0];
}

guint64 ms_merkle_split(guint64 n)
{
	guint64 k = 1;
	while (k < n - k)
		k *= 2;
	return k;
}

void ms_edge_add(MsEdge *edge, guint height, const MsHash *node, MsMade made, void *user)
{
	MsHash top = *node;
	if (made != NULL)
		made(height, &top, user);
	while (edge->n > 0 && edge->heights[edge->n - 1] == height) {
		ms_merkle_node(&edge->nodes[--edge->n], &top, &top);
		height++;
		if (made != NULL)
			made(height, &top, user);
	}
	g_assert(edge->n < G_N_ELEMENTS(edge->nodes));
	edge->heights[edge->n] = (guint8)height;
	edge->nodes[edge->n++] = top;
}

void ms_edge_root(const MsEdge *edge, MsHash *out)
{
	if (edge->n == 0) { /* the hash of nothing */
		gsize len = sizeof out->bytes;
		g_autoptr(GChecksum) nothing = g_checksum_new(G_CHECKSUM_SHA256);
		g_checksum_get_digest(nothing, out->bytes, &len);
		return;
	}
	MsHash root = edge->nodes[edge->n - 1];
	for (guint i = edge->n - 1; i > 0; i--)
		ms_merkle_node(&edge->nodes[i - 1], &root, &root);
	*out = root;
}

/* ---- proofs --------------------------------------------------------------------------- */

/* RFC 9162, 2.1.4.2, for 0 < first < second. */
static bool consistent(
	const MsCheckpoint *first, const MsCheckpoint *second, const MsHash *path, guint n)
{
	guint64 fn = first->size - 1, sn = second->size - 1;
	while (fn & 1) {
		fn >>= 1;
		sn >>= 1;
	}
	if (n == 0)
		return false;
	MsHash fr = path[0], sr = path[0];
	for (guint i = 1; i < n; i++) {
		if (sn == 0)
			return false;
		if ((fn & 1) || fn == sn) {
			ms_merkle_node(&path[i], &fr, &fr);
			ms_merkle_node(&path[i], &sr, &sr);
			while (!(fn & 1) && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			ms_merkle_node(&sr, &path[i], &sr);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && memcmp(&fr, first->root, sizeof fr) == 0 &&
		memcmp(&sr, second->root, sizeof sr) == 0;
}

bool ms_consistency_check(const MsCheckpoint *first, const MsCheckpoint *second,
	guint8 hashes[][MS_HASH_BYTES], guint n)
{
	MsHash path[MS_PROOF_MAX + 1];
	if (n > MS_PROOF_MAX || first->size > second->size)
		return false;
	if (first->size == second->size)
		return n == 0 && memcmp(first->root, second->root, MS_HASH_BYTES) == 0;
	if (first->size == 0)
		return n == 0;
	guint k = 0;
	if ((first->size & (first->size - 1)) == 0) /* the first tree is a subtree of the second */
		memcpy(&path[k++], first->root, MS_HASH_BYTES);
	for (guint i = 0; i < n; i++)
		memcpy(&path[k++], hashes[i], MS_HASH_BYTES);
	return consistent(first, second, path, k);
}
