/*
 * Bytes come in as base64, quoted-printable, uuencode and BinHex: what is decoded is no longer
 * than it may be.
 */
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
	for (guint how = 1; how <= (MS_BASE64_PLAIN | MS_BASE64_RUN_ON); how++) {
		g_autoptr(GByteArray) out = ms_transfer_base64_as(data, len, how);
		g_assert_cmpuint(out->len, <=, len);
	}
	g_autoptr(GByteArray) hqx = ms_transfer_hqx(data, len, 4096);
	g_assert_cmpuint(hqx->len, <=, 4096);
	g_autoptr(GByteArray) line = g_byte_array_new();
	for (int alphabet = MS_UU; alphabet <= MS_XX; alphabet++)
		if (ms_transfer_is_uu_line(data, len, (MsUuAlphabet)alphabet))
			ms_transfer_uu_line(data, len, (MsUuAlphabet)alphabet, line);
	return 0;
}
