#include "config.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

#include "merkle.h"

/*
 * Hashes come in, hashes go out: leaves, nodes, roots, and what proofs lead to.  SHA-256 is
 * libcrypto's, whose code for this processor is three times as fast as libsodium's; its state is kept
 * by each thread, for to look the algorithm up takes longer than to hash a line.
 */

static pthread_key_t state_key;
static pthread_once_t state_once = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;

static void free_state(void *state)
{
	EVP_MD_CTX_free(state);
}

static void make_key(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	g_assert(sha256 != NULL);
	pthread_key_create(&state_key, free_state);
}

static EVP_MD_CTX *state(void)
{
	pthread_once(&state_once, make_key);
	EVP_MD_CTX *mine = pthread_getspecific(state_key);
	if (mine == NULL) {
		mine = EVP_MD_CTX_new();
		g_assert(mine != NULL);
		pthread_setspecific(state_key, mine);
	}
	return mine;
}

static void hash(guint8 prefix, const void *one, gsize one_len, const void *two, gsize two_len, MsHash *out)
{
	EVP_MD_CTX *s = state();
	int fine = EVP_DigestInit_ex2(s, sha256, NULL) && EVP_DigestUpdate(s, &prefix, 1)
		&& EVP_DigestUpdate(s, one, one_len) && EVP_DigestUpdate(s, two, two_len)
		&& EVP_DigestFinal_ex(s, out->bytes, NULL);
	g_assert(fine);
}

void ms_merkle_leaf(const void *data, gsize len, MsHash *out)
{
	hash(0, data, len, "", 0, out);
}

void ms_merkle_node(const MsHash *left, const MsHash *right, MsHash *out)
{
	MsHash made; /* `out` may be one of them */
	hash(1, left, sizeof *left, right, sizeof *right, &made);
	*out = made;
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
		int fine = EVP_Digest("", 0, out->bytes, NULL, EVP_sha256(), NULL);
		g_assert(fine);
		return;
	}
	MsHash root = edge->nodes[edge->n - 1];
	for (guint i = edge->n - 1; i > 0; i--)
		ms_merkle_node(&edge->nodes[i - 1], &root, &root);
	*out = root;
}

/* ---- proofs --------------------------------------------------------------------------- */

/* RFC 9162, 2.1.3.2. */
bool ms_proof_check(const MsProof *proof, const void *entry, gsize len)
{
	guint64 fn = proof->index, sn = proof->checkpoint.size;
	MsHash r;
	if (fn >= sn)
		return false;
	sn--;
	ms_merkle_leaf(entry, len, &r);
	for (guint i = 0; i < proof->n; i++) {
		MsHash p;
		memcpy(&p, proof->hashes[i], sizeof p);
		if (sn == 0)
			return false;
		if ((fn & 1) || fn == sn) {
			ms_merkle_node(&p, &r, &r);
			while (!(fn & 1) && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			ms_merkle_node(&r, &p, &r);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && memcmp(&r, proof->checkpoint.root, sizeof r) == 0;
}

/* RFC 9162, 2.1.4.2, for 0 < first < second. */
static bool consistent(const MsCheckpoint *first, const MsCheckpoint *second, const MsHash *path, guint n)
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
	return sn == 0 && memcmp(&fr, first->root, sizeof fr) == 0 && memcmp(&sr, second->root, sizeof sr) == 0;
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
