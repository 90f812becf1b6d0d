/*
 * Bytes come in as a signed note or a checkpoint: it is refused with a reason, or taken.
 */
#include "config.h"

#include "missent/tlog.h"

#include "../test.h"
#include "fuzz.h"

#define VKEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"

/* A signed note as a stranger hands it over: taken or refused, with the reason; never signed by a
 * key that signed nothing. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	g_autofree char *copy = exact_copy(data, len);
	g_auto(MsCheckpoint) checkpoint = {0}, signed_one = {0};
	g_autoptr(GError) error = NULL;
	if (!ms_checkpoint_parse(copy, len, NULL, &checkpoint, &error))
		g_assert_nonnull(error);
	g_assert_false(ms_checkpoint_parse(copy, len, VKEY, &signed_one, NULL));
	return 0;
}
