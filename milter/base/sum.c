/*
 * Bytes come in; out goes their digest.  The thread that has the MsSum.
 */
#include "config.h"

#include <sodium.h>

#include "missent/sum.h"

struct MsSum {
	crypto_generichash_blake2b_state state;
};

MsSum *ms_sum_new(void)
{
	/* Which instructions the processor has; with the plainest it is the same digest. */
	if (sodium_init() < 0)
		g_debug("libsodium takes no fast instructions");
	MsSum *sum = g_aligned_alloc(1, sizeof *sum, G_ALIGNOF(MsSum));
	crypto_generichash_blake2b_init(&sum->state, NULL, 0, MS_SUM_BYTES);
	return sum;
}

void ms_sum_free(MsSum *sum)
{
	g_aligned_free(sum);
}

void ms_sum_add(MsSum *sum, const void *data, gsize len)
{
	crypto_generichash_blake2b_update(&sum->state, data, len);
}

void ms_sum_get(const MsSum *sum, guint8 digest[MS_SUM_BYTES])
{
	MsSum copy = *sum;
	crypto_generichash_blake2b_final(&copy.state, digest, MS_SUM_BYTES);
}
