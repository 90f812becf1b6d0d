/* What a proof of the trail proves, worked out as whoever gets one does it, for tests. */
#ifndef MISSENT_TESTS_PROOF_H
#define MISSENT_TESTS_PROOF_H

#include <string.h>

#include "../milter/audit/merkle.h"

/* Is `entry` in the tree of its checkpoint?  RFC 9162, 2.1.3.2. */
static inline bool proof_shows(const MsProof *proof, const void *entry, gsize len)
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

#endif
