#include "config.h"

#include "missent/transfer.h"

#include "../test.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	GByteArray *(*const decoders[])(const guint8 *, gsize) = {
		ms_transfer_base64, ms_transfer_quoted_printable, ms_transfer_uudecode};
	for (gsize i = 0; i < G_N_ELEMENTS(decoders); i++) {
		GByteArray *out = decoders[i](data, len);
		g_assert_cmpuint(out->len, <=, len + 64);
		g_byte_array_unref(out);
	}
	return 0;
}
