/*
 * Bytes come in as a reading from a worker that was taken over: it is refused, or within the
 * bounds.
 */
#include "config.h"

#include "missent/reading.h"

#include "../test.h"
#include "fuzz.h"

/* What a worker that was taken over may send. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	g_autoptr(GBytes) bytes = g_bytes_new(data, len);
	g_autoptr(MsReading) reading = ms_reading_decode(bytes, NULL);
	if (reading == NULL)
		return 0;
	for (guint i = 0; i < reading->unread->len; i++)
		g_assert_nonnull(ms_unread_name(((MsUnread *)reading->unread->pdata[i])->reason));
	g_autoptr(GBytes) again = ms_reading_encode(reading);
	g_assert_cmpuint(g_bytes_get_size(again), >, 0);
	return 0;
}
