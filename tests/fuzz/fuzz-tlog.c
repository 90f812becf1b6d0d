/*
 * Bytes come in as a signed note, a checkpoint or a proof: it is refused with a reason, or
 * taken.
 */
#include "config.h"

#include "missent/tlog.h"

#include "../test.h"
#include "fuzz.h"

#define VKEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"

/* A signed note, and a proof, as a stranger hands them over: taken or refused, with the reason;
 * never signed by a key that signed nothing; a proof that is taken says the same when it is
 * printed. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	g_autofree char *copy = exact_copy(data, len);
	g_auto(MsCheckpoint) checkpoint = {0}, signed_one = {0};
	g_autoptr(GError) error = NULL;
	if (!ms_checkpoint_parse(copy, len, NULL, &checkpoint, &error))
		g_assert_nonnull(error);
	g_assert_false(ms_checkpoint_parse(copy, len, VKEY, &signed_one, NULL));
	g_auto(MsProof) proof = {0}, again = {0};
	if (!ms_proof_parse(copy, len, NULL, &proof, NULL))
		return 0;
	g_assert_cmpuint(proof.n, <=, MS_PROOF_MAX);
	ms_proof_check(&proof, data, len);
	g_autofree char *text = ms_proof_print(&proof);
	g_assert_true(ms_proof_parse(text, strlen(text), NULL, &again, NULL));
	g_autofree char *same = ms_proof_print(&again);
	g_assert_cmpstr(text, ==, same);
	return 0;
}
